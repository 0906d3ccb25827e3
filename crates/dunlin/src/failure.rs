//! What a command ends with when it cannot do its work, printed for people or as JSON.

use dunlin_move::MoveError;
use dunlin_plan::{Finding, Findings, Level};
use dunlin_store::StoreError;

use crate::cli::Format;
use crate::output;

/// A command could not do its work.
pub enum Failure {
    /// The plan's text is wrong, or does not fit the stores; with the text, so that the place can be shown.
    Findings(Findings),
    /// The run, verification, … could not go on.
    Move(MoveError),
    /// dunlin's own state.
    State(StoreError),
    /// The command line or the workspace says no.
    Refused {
        /// What is wrong.
        message: String,
        /// How to mend it.
        help: Option<String>,
        /// The exit code.
        code: u8,
    },
}

impl Failure {
    /// Bad use: exit code 2.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), help: Some(help.into()), code: 2 }
    }

    /// Something on this machine: exit code 3.
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Refused { message: format!("{}: {}", path.display(), error.kind()), help: None, code: 3 }
    }

    /// The exit code of DESIGN section 5.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Findings(_) => 2,
            Self::Move(error) => error.exit_code(),
            Self::State(error) => state_code(error),
            Self::Refused { code, .. } => *code,
        }
    }

    /// Prints it: findings with their place in the plan, all else as one message and how to mend it.
    pub fn print(&self, format: Format) {
        match self {
            Self::Findings(findings) => output::findings(findings, format),
            _ => {
                let (message, help) = self.words();
                output::error(&message, help.as_deref(), format);
            }
        }
    }

    fn words(&self) -> (String, Option<String>) {
        match self {
            Self::Findings(_) => (String::new(), None),
            Self::Move(error) => (error.to_string(), error.help()),
            Self::State(error) => (error.to_string(), error.help().map(str::to_owned)),
            Self::Refused { message, help, .. } => (message.clone(), help.clone()),
        }
    }
}

/// A ledger or a state that is not what it should be is "does not verify"; the rest is the machine's trouble.
fn state_code(error: &StoreError) -> u8 {
    match error {
        StoreError::Ledger(_) | StoreError::StateLost | StoreError::Damaged(_) => 1,
        StoreError::KeysBesideData(_)
        | StoreError::KeysPresent(_)
        | StoreError::NoSuchKey(_)
        | StoreError::Unknown { .. } => 2,
        _ => 3,
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::State(error)
    }
}

impl From<Findings> for Failure {
    fn from(findings: Findings) -> Self {
        Self::Findings(findings)
    }
}

impl Failure {
    /// A failure of the run, whose findings stand in this plan.
    pub fn of(error: MoveError, file: &str, text: &str) -> Self {
        match error {
            MoveError::Findings(items) => Self::Findings(Findings::new(file, text, items)),
            MoveError::State(error) => Self::State(error),
            other => Self::Move(other),
        }
    }
}

/// Whether any finding is an error.
pub fn any_error(items: &[Finding]) -> bool {
    items.iter().any(|f| f.level == Level::Error)
}
