//! What can go wrong with work. Messages never repeat what people typed.

use dunlin_store::StoreError;

/// Why work refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// dunlin's own state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such thing, or the caller may not see it.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// What was asked does not fit.
    #[error("{what} is not right")]
    Invalid {
        /// What.
        what: String,
        /// How to mend it.
        help: &'static str,
    },
    /// Somebody wrote the status of a task whose status is what the ledger says.
    #[error("the status of this task is what the ledger says; nobody can write it")]
    BoundStatus,
    /// The caller may not do this to this task.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Somebody else changed the same field since it was read.
    #[error("somebody changed `{field}` of this task in the meantime")]
    ChangedMeanwhile {
        /// The field.
        field: String,
        /// The task as it is now.
        current: Box<crate::Task>,
    },
    /// A task would wait for itself.
    #[error("the tasks would wait for each other in a circle")]
    Cycle,
    /// It does not fit the present state.
    #[error("{message}")]
    Conflict {
        /// A stable code.
        code: &'static str,
        /// What is wrong.
        message: &'static str,
        /// How to mend it.
        help: &'static str,
    },
    /// More than is kept.
    #[error("{0}")]
    TooMuch(&'static str),
}

/// What most of this crate returns.
pub type Result<T> = std::result::Result<T, WorkError>;

impl WorkError {
    /// Something that does not fit, by its name.
    pub fn invalid(what: impl Into<String>, help: &'static str) -> WorkError {
        WorkError::Invalid { what: what.into(), help }
    }
}

/// Turns an error of sqlx into one without its text; `doing` says what failed.
pub(crate) fn db(doing: &'static str) -> impl Fn(sqlx::Error) -> WorkError {
    move |error| WorkError::Store(dunlin_store::database_error(doing, &error))
}
