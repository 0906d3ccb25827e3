//! The errors of this crate. They say which store, table, column and position; they never carry a value, a
//! password or a driver's own text, because PostgreSQL's DETAIL and Arrow's cast errors quote customer data.

use serde::{Deserialize, Serialize};

/// The result of this crate.
pub type Result<T, E = ConnectError> = std::result::Result<T, E>;

/// What a store answered, reduced to what is safe to show.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The store's URL cannot be understood.
    #[error("store `{store}`: {message}")]
    Url {
        /// The store's name in the plan.
        store: String,
        /// What is wrong with it; never the URL itself, which may hold a password.
        message: String,
        /// How to mend it.
        help: String,
    },
    /// Nobody answered.
    #[error("store `{store}` could not be reached: {message}")]
    Unreachable {
        /// The store's name in the plan.
        store: String,
        /// A safe description (host, port, error kind).
        message: String,
        /// How to mend it.
        help: String,
    },
    /// The store refused who we are.
    #[error("store `{store}` refused the login of `{user}`")]
    Login {
        /// The store's name in the plan.
        store: String,
        /// The user name that was tried.
        user: String,
    },
    /// The store refused an act.
    #[error("store `{store}`: no permission to {act}")]
    Permission {
        /// The store's name in the plan.
        store: String,
        /// What was tried, e.g. `read public.orders`.
        act: String,
        /// The exact statement that mends it, e.g. `GRANT SELECT ON …`.
        grant: String,
    },
    /// A table, file or column is not there.
    #[error("store `{store}`: {what} does not exist")]
    Missing {
        /// The store's name in the plan.
        store: String,
        /// The thing that is missing.
        what: String,
        /// How to mend it.
        help: String,
    },
    /// The disk under the store is full.
    #[error("store `{store}`: no space left to {what}")]
    Full {
        /// The store's name in the plan.
        store: String,
        /// What was being written.
        what: String,
    },
    /// The source changed under the run in a way that would lose or double rows.
    #[error("store `{store}`: {table} changed while it was read: {what}")]
    Changed {
        /// The store's name in the plan.
        store: String,
        /// The table concerned.
        table: String,
        /// What changed (sizes, counts), never a value.
        what: String,
    },
    /// A receipt exists for this split, and says something else.
    #[error("store `{store}`: split {part} of {table} has a receipt with another content")]
    ReceiptDiffers {
        /// The store's name in the plan.
        store: String,
        /// The table concerned.
        table: String,
        /// The part concerned.
        part: String,
    },
    /// The store answered with an error of its own.
    #[error("store `{store}`: {act} failed with code {code}")]
    Store {
        /// The store's name in the plan.
        store: String,
        /// What was being done, e.g. `create table atlas.people`.
        act: String,
        /// SQLSTATE, SQLite's extended code or an I/O error kind.
        code: String,
        /// Whether trying again may help.
        transient: bool,
    },
    /// A type or feature this store cannot hold.
    #[error("store `{store}`: {what} is not supported")]
    Unsupported {
        /// The store's name in the plan.
        store: String,
        /// The thing that is not supported.
        what: String,
        /// How to mend it.
        help: String,
    },
}

impl ConnectError {
    /// The store's name in the plan.
    pub fn store(&self) -> &str {
        match self {
            Self::Url { store, .. }
            | Self::Unreachable { store, .. }
            | Self::Login { store, .. }
            | Self::Permission { store, .. }
            | Self::Missing { store, .. }
            | Self::Full { store, .. }
            | Self::Changed { store, .. }
            | Self::ReceiptDiffers { store, .. }
            | Self::Store { store, .. }
            | Self::Unsupported { store, .. } => store,
        }
    }

    /// How to mend it, where this is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Url { help, .. }
            | Self::Unreachable { help, .. }
            | Self::Missing { help, .. }
            | Self::Unsupported { help, .. } => Some(help.clone()),
            Self::Login { .. } => {
                Some("check the user and the password the store's `env:` or `secret:` names".into())
            }
            Self::Permission { grant, .. } => Some(format!("ask the store's owner to run: {grant}")),
            Self::Full { .. } => Some("free some space and run again; what was committed is kept".into()),
            Self::Changed { .. } => Some("let the source rest, or run again: nothing was lost".into()),
            Self::ReceiptDiffers { .. } => Some(
                "the target was written by another run of the same name; `dunlin verify` shows what differs"
                    .into(),
            ),
            Self::Store { transient: true, .. } => Some("run again: it goes on where it stopped".into()),
            Self::Store { .. } => None,
        }
    }

    /// Whether the same call may succeed later without anybody changing the plan.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Full { .. } | Self::Store { transient: true, .. })
    }
}

/// Why a row could not be read, mapped or stored. The codes are stable: reports and the quarantine name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Bytes that are not valid in the declared encoding.
    InvalidEncoding,
    /// A value of another type than the column's, such as a text in an integer column.
    WrongType,
    /// A CSV line with too few fields.
    TooFewFields,
    /// A CSV line with too many fields.
    TooManyFields,
    /// A record that its format cannot parse (quotes, JSON syntax).
    Malformed,
    /// A NUL byte where the target cannot hold one.
    NulByte,
    /// A number, date or time outside what the type holds.
    OutOfRange,
    /// The plan's expression failed on this row.
    ExpressionFailed,
    /// The target type would change the value (scale, precision, length, padding).
    WouldChange,
    /// NULL where the target demands a value.
    NotNull,
    /// A second row with the same key.
    Unique,
    /// A reference to a row that is not there.
    ForeignKey,
    /// A check constraint of the target said no.
    Check,
    /// The parent row is in quarantine.
    ParentQuarantined,
    /// A rule of the plan failed.
    Rule,
    /// The target refused the row for another reason.
    Refused,
}

impl Reason {
    /// The stable code, e.g. `wrong-type`.
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidEncoding => "invalid-encoding",
            Self::WrongType => "wrong-type",
            Self::TooFewFields => "too-few-fields",
            Self::TooManyFields => "too-many-fields",
            Self::Malformed => "malformed",
            Self::NulByte => "nul-byte",
            Self::OutOfRange => "out-of-range",
            Self::ExpressionFailed => "expression-failed",
            Self::WouldChange => "would-change",
            Self::NotNull => "not-null",
            Self::Unique => "unique",
            Self::ForeignKey => "foreign-key",
            Self::Check => "check",
            Self::ParentQuarantined => "parent-quarantined",
            Self::Rule => "rule",
            Self::Refused => "refused",
        }
    }

    /// The reason with this stable code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.code() == code)
    }

    /// All reasons.
    pub const ALL: [Self; 16] = [
        Self::InvalidEncoding,
        Self::WrongType,
        Self::TooFewFields,
        Self::TooManyFields,
        Self::Malformed,
        Self::NulByte,
        Self::OutOfRange,
        Self::ExpressionFailed,
        Self::WouldChange,
        Self::NotNull,
        Self::Unique,
        Self::ForeignKey,
        Self::Check,
        Self::ParentQuarantined,
        Self::Rule,
        Self::Refused,
    ];
}
