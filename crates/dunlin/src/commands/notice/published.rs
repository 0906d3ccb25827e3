//! Whether a notice may be sent: what it says must hold against the plan, and it must be published where notices are.

use std::path::Path;

use dunlin_store::{NoticeStatus, State};
use dunlin_tell::{Facts, Gate, NoticeSource};

use crate::cli::{Format, NoticeDates};
use crate::failure::{Failure, any_error};
use crate::output;
use crate::workspace::PlanFile;

/// Whether this version, in this language and with exactly this text, is what customers may read now.
async fn is_published(state: &State, source: &NoticeSource) -> Result<bool, Failure> {
    let notice = &source.notice;
    let versions = state.notice_versions(&notice.id).await.map_err(Failure::State)?;
    let locale = notice.locale.to_string();
    Ok(versions.iter().any(|one| {
        one.status() == NoticeStatus::Published
            && one.locale == locale
            && one.version == notice.version
            && one.text == source.text
    }))
}

/// Refuses a notice that must not be sent as it is. `published_in` is where it must be published; letters that nobody gets
/// need that not.
///
/// # Errors
/// Its findings, printed, or that it is not published.
pub async fn may_send(
    dir: &Path,
    plan: &PlanFile,
    notices: &[NoticeSource],
    dates: &NoticeDates,
    published_in: Option<&State>,
    format: Format,
) -> Result<(), Failure> {
    for source in notices {
        let facts = Facts::of(&plan.plan, super::said(dates).or_claimed(source.notice.claims.as_ref()));
        let images = super::Workspace(dir);
        let findings = Gate { images: Some(&images), ..Gate::new(&facts) }.check(source);
        if any_error(&findings.items) {
            output::findings(&findings, format);
            let message = format!("{} must not be sent like this", source.file);
            return Err(Failure::usage(
                message,
                "`dunlin notice check` says what to mend; nobody was written to",
            ));
        }
        if let Some(state) = published_in
            && !is_published(state, source).await?
        {
            let message = format!("{} is not published in this version", source.file);
            return Err(Failure::usage(message, "publish it first: a letter leads to its page"));
        }
    }
    Ok(())
}
