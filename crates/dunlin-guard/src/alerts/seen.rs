//! What the rules see: entries of the ledger with what the state knows about them, and sign-in attempts, which
//! the ledger does not hold when nobody is known to stand behind them.

use std::net::IpAddr;

use dunlin_ledger::Entry;
use serde::{Deserialize, Serialize};

/// Where something seen comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An entry of the ledger, by its index.
    Entry(u64),
    /// A sign-in attempt, by its id.
    Attempt(String),
}

/// One thing.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Where it comes from.
    pub source: Source,
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
    /// What.
    pub what: What,
}

/// What was seen.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "made, judged and dropped one at a time")]
pub enum What {
    /// An entry.
    Entry(Entry, Context),
    /// A sign-in attempt that has its outcome.
    Attempt(Tried),
}

/// What the state adds to an entry.
#[derive(Debug, Clone, Default)]
pub enum Context {
    /// Nothing.
    #[default]
    None,
    /// To `signed_in`: where from.
    SignIn {
        /// Hash of what tells the browser from others.
        device: String,
        /// The device in words.
        label: String,
        /// The address.
        address: Option<IpAddr>,
    },
    /// To `access_opened`: what the gate decided.
    Access {
        /// Highest class of data that was shown in clear.
        clear_class: Option<String>,
        /// The task that it was for.
        task: Option<String>,
        /// Whether the plan's window was open, when the plan has one.
        in_window: Option<bool>,
    },
    /// To `access_denied`: refusals of that person within the burst, as the state counts them. Equal ones within
    /// a minute may be one entry.
    Denied {
        /// Times.
        times: u64,
    },
}

/// How a sign-in attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was right.
    Accepted,
    /// It was wrong.
    Refused,
    /// It was not looked at: the account is locked for it.
    Locked,
    /// It was not looked at: too many from that network.
    Throttled,
}

/// A sign-in attempt.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Keyed hash of the account's name, known or not.
    pub account: String,
    /// The person, when the account is one's.
    pub person: Option<String>,
    /// `password`, `totp` ...
    pub credential: String,
    /// The network it came from.
    pub network: String,
    /// How it ended.
    pub outcome: Outcome,
}

impl Tried {
    /// Whether it was a second factor.
    pub(super) fn is_second_factor(&self) -> bool {
        matches!(self.credential.as_str(), "totp" | "recovery_code" | "passkey")
    }
}
