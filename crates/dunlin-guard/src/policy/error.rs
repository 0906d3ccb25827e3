//! A policy file that cannot be used. Not here: a question that is refused, which is a [`Verdict`](super::Verdict).

/// What is wrong with a policy file, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}; {help}", line.map(|l| format!(":{l}")).unwrap_or_default())]
pub struct PolicyError {
    /// The file's name, as it lies beside the plan.
    pub file: String,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

impl PolicyError {
    pub(super) fn new(
        file: &str,
        line: Option<usize>,
        message: impl Into<String>,
        help: &str,
    ) -> PolicyError {
        PolicyError { file: file.to_owned(), line, message: message.into(), help: help.to_owned() }
    }
}

/// Why a grant or an approval was not given, taken back or used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The policies or the rules say no.
    #[error("{sentence}")]
    Refused {
        /// Why, as a code.
        reason_code: String,
        /// Why, in a sentence, and what would mend it.
        sentence: String,
    },
    /// The guard failed, or what was sent is not right.
    #[error(transparent)]
    Guard(#[from] crate::GuardError),
}

impl AccessError {
    pub(crate) fn refused(reason_code: &str, sentence: &str) -> AccessError {
        AccessError::Refused { reason_code: reason_code.to_owned(), sentence: sentence.to_owned() }
    }
}

impl From<dunlin_store::StoreError> for AccessError {
    fn from(error: dunlin_store::StoreError) -> AccessError {
        AccessError::Guard(error.into())
    }
}

impl super::Verdict {
    /// As an error, unless it is a yes.
    pub(crate) fn demand(self) -> Result<(), AccessError> {
        if self.allowed {
            return Ok(());
        }
        Err(AccessError::Refused { reason_code: self.reason_code, sentence: self.sentence })
    }
}
