//! What can go wrong with dunlin's own state. Messages never hold rows, keys or the database's own text.

use std::io;
use std::path::{Path, PathBuf};

use dunlin_ledger::{EntryError, LogError, NoteError, VerifyError};

use crate::FragmentError;

/// Why the state, the keys or the ledger's queue refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The state database answered with an error.
    #[error("the state database failed while {doing} (code {code})")]
    Database {
        /// What dunlin was doing.
        doing: &'static str,
        /// SQLite's result code, or a word for what is none.
        code: String,
    },
    /// Another process held the state's write lock for too long.
    #[error("the state database is busy: another dunlin process is writing")]
    Busy,
    /// A file of the workspace could not be read or written.
    #[error("`{}` could not be read or written: {kind}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// The state was written by a newer dunlin.
    #[error("the state has version {found}, this dunlin knows {known}: use the newer dunlin")]
    NewerState {
        /// Version of the state.
        found: i64,
        /// Newest version that this program knows.
        known: i64,
    },
    /// Something in the state cannot be read back.
    #[error("the state holds {0} that cannot be read")]
    Damaged(&'static str),
    /// There is no such thing in the state.
    #[error("there is no {what} `{id}`")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// What was asked for.
        id: String,
    },
    /// A split already has a receipt, and it is another one.
    #[error("split {split} of `{table}` already has another receipt")]
    ReceiptDiffers {
        /// The table's label.
        table: String,
        /// The split.
        split: u32,
    },
    /// The workspace's keys are not where they should be.
    #[error("the keys of this workspace are not in `{}`; set DUNLIN_KEYS, or `dunlin keys import`", .0.display())]
    KeysMissing(PathBuf),
    /// The keys' file cannot be read.
    #[error("`{}` is not a key file of dunlin", .0.display())]
    KeysDamaged(PathBuf),
    /// Others can read the keys.
    #[error("`{}` can be read by others; make it 0600", .0.display())]
    KeysExposed(PathBuf),
    /// The keys would lie beside the data that they protect.
    #[error("`{}` is inside the workspace; keys do not lie beside the data that they protect", .0.display())]
    KeysBesideData(PathBuf),
    /// Keys are already there.
    #[error("there are keys in `{}` already", .0.display())]
    KeysPresent(PathBuf),
    /// No such key.
    #[error("there is no key `{0}`")]
    NoSuchKey(String),
    /// Nobody has told where keys go.
    #[error("there is no home folder for the keys: set DUNLIN_KEYS")]
    NoKeyFolder,
    /// Another run is going on.
    #[error("a run is going on in this workspace (process {})", pid.map_or("unknown".to_owned(), |p| p.to_string()))]
    RunLocked {
        /// Its process, when it has said so.
        pid: Option<u32>,
    },
    /// Another process sends notices.
    #[error("notices of this workspace are being sent (process {})", pid.map_or("unknown".to_owned(), |p| p.to_string()))]
    SendLocked {
        /// Its process, when it has said so.
        pid: Option<u32>,
    },
    /// An entry is not fit for the ledger.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The ledger's folder failed.
    #[error(transparent)]
    Ledger(#[from] LogError),
    /// The ledger's key or checkpoint failed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The ledger does not verify.
    #[error("the ledger does not verify: {0}")]
    Verify(#[from] VerifyError),
    /// The ledger's folder lost entries that the state knows of.
    #[error("the ledger has {size} entries, but the state knows of {known}: entries were removed")]
    LedgerBehind {
        /// Entries in the folder.
        size: u64,
        /// Entries known.
        known: u64,
    },
    /// The ledger's folder holds other entries than were queued.
    #[error("entry {index} of the ledger is not the one that was queued")]
    LedgerDiffers {
        /// Its index.
        index: u64,
    },
    /// There is a ledger, but the state beside it is new.
    #[error("`.dunlin/ledger` belongs to a state that is gone; restore the state, or move the folder away")]
    StateLost,
    /// A quarantine fragment failed.
    #[error(transparent)]
    Fragment(#[from] FragmentError),
}

impl StoreError {
    /// How to mend it, where the message does not say so itself.
    pub fn help(&self) -> Option<&'static str> {
        let full =
            |kind: &io::ErrorKind| matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let is_full = match self {
            // SQLITE_FULL, and its I/O errors: a write-ahead log that cannot grow is one.
            StoreError::Database { code, .. } => {
                code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 10 | 13))
            }
            StoreError::Io { kind, .. } | StoreError::Fragment(FragmentError::Io { kind, .. }) => full(kind),
            StoreError::Ledger(LogError::Io { kind, .. }) => full(kind),
            _ => false,
        };
        match self {
            _ if is_full => {
                Some("free some space where `.dunlin/` lies and run again; what was committed is kept")
            }
            StoreError::Busy => Some("wait until it is done, then run this again"),
            StoreError::RunLocked { .. } => {
                Some("wait until it is done, or end that process; a run can be resumed")
            }
            _ => None,
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> StoreError + '_ {
        |e| StoreError::Io { path: path.to_owned(), kind: e.kind() }
    }
}

/// Turns an error of sqlx into one without its text, which may hold values; `doing` says what failed.
pub fn database_error(doing: &'static str, error: &sqlx::Error) -> StoreError {
    let code = match error {
        sqlx::Error::Database(e) => e.code().map_or("unknown".to_owned(), |c| c.into_owned()),
        sqlx::Error::RowNotFound => "no row".to_owned(),
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => "no connection".to_owned(),
        sqlx::Error::Io(e) => e.kind().to_string(),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => "unreadable value".to_owned(),
        _ => "unknown".to_owned(),
    };
    // SQLITE_BUSY and SQLITE_LOCKED, with or without their extension in the upper bits.
    let primary = code.parse::<u32>().map_or(0, |c| c & 0xff);
    if primary == 5 || primary == 6 { StoreError::Busy } else { StoreError::Database { doing, code } }
}

/// The same for `map_err`.
pub(crate) fn db(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| database_error(doing, &error)
}
