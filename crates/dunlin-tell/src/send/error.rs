//! Why sending stopped. No message holds an address, or a mail server's own words, which repeat addresses.

use dunlin_connect::ConnectError;
use dunlin_gate::{Refused, Stopped};
use dunlin_store::StoreError;

use super::audience::BadAudience;
use super::dkim::DkimError;
use super::letter::LetterError;

/// Why sending stopped.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The SQL of the audience will not do.
    #[error(transparent)]
    Audience(#[from] BadAudience),
    /// The store of the audience.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The gate stayed shut.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The gate shut while rows were read.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// dunlin's own state.
    #[error(transparent)]
    State(#[from] StoreError),
    /// A letter could not be written.
    #[error(transparent)]
    Letter(#[from] LetterError),
    /// The keys of DKIM.
    #[error(transparent)]
    Dkim(#[from] DkimError),
    /// A file of the outbox or of the journal.
    #[error("`{path}` could not be read or written: {kind}")]
    File {
        /// The file.
        path: String,
        /// What the operating system said.
        kind: std::io::ErrorKind,
    },
    /// The mail server cannot be worked with at all; `code` is its answer or a word.
    #[error(
        "the mail server takes no mail ({code}); nobody was written to twice, and what was not sent waits"
    )]
    Server {
        /// Its answer, or a word such as `no_connection`.
        code: String,
    },
    /// The mail server refuses letter after letter: something is wrong with all of them.
    #[error("the mail server refused {count} letters in a row ({code}); the rest waits")]
    AllRefused {
        /// How many.
        count: u32,
        /// Its answer.
        code: String,
    },
    /// This message is not what it should be.
    #[error("{message}")]
    Message {
        /// What is wrong.
        message: String,
        /// How to mend it.
        help: &'static str,
    },
    /// A task of this program ended before its time.
    #[error("a sender ended before its time; this is a defect of dunlin, run again to go on")]
    Defect,
}

impl SendError {
    /// How to mend it, where the message does not say so itself.
    pub fn help(&self) -> Option<String> {
        match self {
            SendError::Audience(error) => Some(error.help().to_owned()),
            SendError::Connect(error) => error.help(),
            SendError::State(error) => error.help().map(str::to_owned),
            SendError::Server { .. } => Some(
                "check [smtp] of server.toml and the server itself, then go on with `--resume`".to_owned(),
            ),
            SendError::AllRefused { .. } => Some(
                "ask the mail server's log why (sender, DKIM, content); mend it, then go on with `--resume`"
                    .to_owned(),
            ),
            SendError::Message { help, .. } => Some((*help).to_owned()),
            SendError::Letter(error) => Some(error.help().to_owned()),
            SendError::Dkim(error) => Some(error.help().to_owned()),
            _ => None,
        }
    }

    /// The exit code of a command that ends with it.
    pub fn exit_code(&self) -> u8 {
        match self {
            SendError::Audience(_)
            | SendError::Refused(_)
            | SendError::Letter(_)
            | SendError::Dkim(_)
            | SendError::Message { .. } => 2,
            SendError::State(StoreError::SendLocked { .. } | StoreError::Unknown { .. }) => 2,
            SendError::AllRefused { .. } | SendError::Defect => 1,
            _ => 3,
        }
    }

    pub(super) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> SendError + use<> {
        let path = path.display().to_string();
        move |error| SendError::File { path, kind: error.kind() }
    }
}

/// Turns an error of sqlx into one of the state.
pub(super) fn db(doing: &'static str) -> impl Fn(sqlx::Error) -> SendError {
    move |error| SendError::State(dunlin_store::database_error(doing, &error))
}
