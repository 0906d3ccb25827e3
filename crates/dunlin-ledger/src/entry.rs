//! What the ledger says: one [`Entry`] for each decision, movement, look at data and statement.
//!
//! Not here: where entries are stored. An entry holds counts, codes, names of tables and hex hashes; never
//! customer values, sentences typed by people, network addresses or SQL literals.

mod body;
mod valid;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use body::Body;

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened, in microseconds since 1970-01-01 UTC.
    pub at: i64,
    /// Who did it.
    pub actor: Actor,
    /// What happened.
    pub body: Body,
}

/// Who did what an entry says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Actor {
    /// Somebody at a shell of this machine: the operating system's word, not authenticated by dunlin.
    Local {
        /// Name of the operating system's user.
        user: String,
    },
    /// A person whom dunlin has authenticated.
    Person {
        /// The person's id, never a name or an address.
        id: String,
    },
    /// dunlin itself.
    System,
}

impl Actor {
    /// The operating system's user who runs this process.
    pub fn local() -> Actor {
        let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
        let user = user.unwrap_or_default();
        let user: String = user.chars().filter(|c| !c.is_control()).take(64).collect();
        Actor::Local { user: if user.is_empty() { "unknown".to_owned() } else { user } }
    }

    /// Whether dunlin itself has checked who this is.
    pub fn is_authenticated(&self) -> bool {
        !matches!(self, Actor::Local { .. })
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Local { user } => write!(f, "local:{user} (unauthenticated)"),
            Actor::Person { id } => write!(f, "person:{id}"),
            Actor::System => f.write_str("dunlin"),
        }
    }
}

/// Rows by where they ended. `source_rows` must equal the sum of the other five.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Rows read from the source.
    pub source_rows: u64,
    /// Rows written to the target.
    pub loaded: u64,
    /// Duplicates folded into a survivor.
    pub merged: u64,
    /// Rows that wait for a person.
    pub quarantined: u64,
    /// Rows that the plan leaves out.
    pub excluded: u64,
    /// Rows that their customer asked to erase.
    pub erased: u64,
}

impl Counts {
    /// Whether every source row ended in exactly one disposition.
    pub fn balance(&self) -> bool {
        let ended = [self.loaded, self.merged, self.quarantined, self.excluded, self.erased];
        ended.iter().try_fold(0u64, |sum, n| sum.checked_add(*n)) == Some(self.source_rows)
    }

    /// Adds the counts of another split. Saturates, so that an impossible sum never balances by wrapping.
    pub fn add(&mut self, other: &Counts) {
        self.source_rows = self.source_rows.saturating_add(other.source_rows);
        self.loaded = self.loaded.saturating_add(other.loaded);
        self.merged = self.merged.saturating_add(other.merged);
        self.quarantined = self.quarantined.saturating_add(other.quarantined);
        self.excluded = self.excluded.saturating_add(other.excluded);
        self.erased = self.erased.saturating_add(other.erased);
    }
}

/// How an amendment moved rows between dispositions; the fields of an honest one sum to zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CountsDelta {
    /// Change of the loaded rows.
    pub loaded: i64,
    /// Change of the merged rows.
    pub merged: i64,
    /// Change of the quarantined rows.
    pub quarantined: i64,
    /// Change of the excluded rows.
    pub excluded: i64,
    /// Change of the erased rows.
    pub erased: i64,
}

/// What a person decided on quarantined rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Loaded as they are.
    Released,
    /// Corrected and loaded.
    Fixed,
    /// Left out for good.
    Discarded,
}

/// Why an entry cannot enter the ledger. Names the field, never its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A code holds more than `[a-z0-9_.:-]`, or is empty or too long: it may be a sentence.
    #[error("`{0}` of a ledger entry must be a code of 1 to 64 characters of a-z 0-9 _ . : -")]
    NotACode(&'static str),
    /// A hash is not lower-case hex.
    #[error("`{0}` of a ledger entry must be lower-case hex")]
    NotAHash(&'static str),
    /// The entry cannot be written as canonical JSON.
    #[error("a ledger entry could not be written as canonical JSON")]
    Unwritable,
    /// The bytes are not an entry that this version knows.
    #[error("these bytes are not a ledger entry that this version of dunlin knows")]
    Unreadable,
}

impl Entry {
    /// The canonical bytes (RFC 8785) that are hashed and stored.
    ///
    /// Fails when a code or a hash is not one, which keeps sentences and values out.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EntryError> {
        self.body.check()?;
        serde_json_canonicalizer::to_vec(self).map_err(|_| EntryError::Unwritable)
    }

    /// Reads an entry back. Fails on kinds that this version does not know.
    pub fn from_bytes(bytes: &[u8]) -> Result<Entry, EntryError> {
        serde_json::from_slice(bytes).map_err(|_| EntryError::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paused(reason: &str) -> Entry {
        let body = Body::RunPaused { run: "r1".into(), reason_code: reason.into() };
        Entry { at: 1_796_083_200_000_000, actor: Actor::Local { user: "ana".into() }, body }
    }

    #[test]
    fn bytes_are_canonical_and_come_back() {
        let entry = paused("window_closed");
        let bytes = entry.to_bytes().unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes.clone()).unwrap(), @r#"{"actor":{"type":"local","user":"ana"},"at":1796083200000000,"body":{"kind":"run_paused","reason_code":"window_closed","run":"r1"}}"#);
        assert_eq!(Entry::from_bytes(&bytes).unwrap(), entry);
    }

    #[test]
    fn a_sentence_is_no_code_and_is_not_repeated() {
        let error = paused("Ana Ruiz telephoned, tel. 600 123 123").to_bytes().unwrap_err();
        insta::assert_snapshot!(error, @"`reason_code` of a ledger entry must be a code of 1 to 64 characters of a-z 0-9 _ . : -");
        let body = Body::ReportWritten { sha256: "SECRET".into() };
        let error = Entry { at: 0, actor: Actor::System, body }.to_bytes().unwrap_err();
        insta::assert_snapshot!(error, @"`sha256` of a ledger entry must be lower-case hex");
    }

    #[test]
    fn counts_balance_only_when_every_row_ended_once() {
        let mut counts = Counts { source_rows: 10, loaded: 8, quarantined: 2, ..Counts::default() };
        assert!(counts.balance());
        counts.add(&Counts { source_rows: 3, loaded: 2, ..Counts::default() });
        assert!(!counts.balance());
        let wrapping = Counts { source_rows: 0, loaded: u64::MAX, merged: 1, ..Counts::default() };
        assert!(!wrapping.balance());
    }
}
