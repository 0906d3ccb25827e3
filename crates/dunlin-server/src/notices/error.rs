//! Why a notice is not read, handed in, published or withdrawn.

use dunlin_plan::Findings;
use dunlin_store::StoreError;

/// Each says what is wrong; [`NoticeError::help`] how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// The file is not there, or is no file of a notice.
    #[error("there is no such notice in the workspace")]
    NoFile,
    /// It is there and cannot be read or written.
    #[error("the notice's file could not be read or written ({0})")]
    File(std::io::ErrorKind),
    /// Its text is not a notice.
    #[error("this text is not a notice yet")]
    Unreadable(Findings),
    /// The gate holds it.
    #[error("this notice must not be published as it is")]
    Held(Findings),
    /// The plan writes to a protected store and is not approved as it is.
    #[error("the plan is not approved as it is now: a notice would promise what nobody has decided")]
    PlanNotApproved,
    /// The text is another one than was read.
    #[error("the notice has been changed since you read it")]
    Changed,
    /// That version is published.
    #[error("version {0} was published, and never changes")]
    PublishedBefore(u32),
    /// This very text waits already.
    #[error("this text has been handed in and waits for an approval")]
    Waits,
    /// It does not wait.
    #[error("this version does not wait for an approval: it is {0}")]
    NotWaiting(&'static str),
    /// It is not published.
    #[error("this version is not published: it is {0}")]
    NotPublished(&'static str),
    /// A picture cannot be shown.
    #[error("the picture `{path}` {why}")]
    Picture {
        /// As the text names it.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Drawing it failed.
    #[error("the notice could not be drawn")]
    Undrawn,
    /// The state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NoticeError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            NoticeError::NoFile => "not_found",
            NoticeError::File(_) => "notice_file",
            NoticeError::Unreadable(_) | NoticeError::Held(_) => "notice_findings",
            NoticeError::PlanNotApproved => "plan_not_approved",
            NoticeError::Changed => "notice_changed",
            NoticeError::PublishedBefore(_) => "notice_published",
            NoticeError::Waits => "notice_waits",
            NoticeError::NotWaiting(_) => "notice_not_waiting",
            NoticeError::NotPublished(_) => "notice_not_published",
            NoticeError::Picture { .. } => "notice_picture",
            NoticeError::Undrawn => "internal",
            NoticeError::Store(_) => "state",
        }
    }

    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            NoticeError::NoFile => {
                "notices lie in `notices/` beside the plan, as `NAME.LANGUAGE.md`".to_owned()
            }
            NoticeError::File(_) => "look who may read and write `notices/`".to_owned(),
            NoticeError::Unreadable(_) | NoticeError::Held(_) => {
                "each finding names its line and how to mend it".to_owned()
            }
            NoticeError::PlanNotApproved => "have the plan approved, then publish".to_owned(),
            NoticeError::Changed => "read it again, and go on from there".to_owned(),
            NoticeError::PublishedBefore(version) => {
                format!("write `version = {}` into the file and hand it in again", version.saturating_add(1))
            }
            NoticeError::Waits => "somebody else approves it, or take it back".to_owned(),
            NoticeError::NotWaiting(_) => "hand the text in again to have it approved".to_owned(),
            NoticeError::NotPublished(_) => "only what is published can be withdrawn".to_owned(),
            NoticeError::Picture { .. } => {
                "PNG, JPEG or WebP of at most 10 MB and 8000 × 8000 pixels, inside the workspace".to_owned()
            }
            NoticeError::Undrawn | NoticeError::Store(_) => return None,
        })
    }
}
