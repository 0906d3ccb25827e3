//! dunlin's own state: SQLite, migrations, queries, the ledger's queue, keys, quarantine fragments.
//!
//! It is: everything that dunlin must remember between commands, in `.dunlin/` beside the plan, and the keys,
//! which lie elsewhere. A change of state and its ledger entry are one transaction ([`Tx`]).
//!
//! It is not: the stores that a plan moves data between, and no logic of a run. Delivery, retry and
//! reconciliation read and write here, but are decided in `dunlin-move`.

mod access;
mod checks;
mod customers;
mod duplicates;
mod error;
mod fragment;
mod group;
mod keys;
mod lock;
mod marks;
mod memory;
mod notices;
mod quarantine;
mod runs;
mod schema;
mod splits;
mod state;
mod subjects;
mod waivers;
mod workspace;

pub use customers::{CustomerRequest, CustomerSession};
pub use dunlin_ledger::{Actor, Body, Checkpoint, Counts, CountsDelta, Decision, Entry, Verifier};
pub use duplicates::{Crosswalk, DuplicatePair, Folded, PairDecision, PairEvidence, Verdict};
pub use error::{StoreError, database_error};
pub use fragment::{FragmentError, FragmentInfo, FragmentReader, FragmentRef, FragmentWriter, Fragments};
pub use keys::{Key, KeyInfo, KeyOptions, Keyring, Purpose};
pub use lock::RunLock;
pub use marks::Mark;
pub use memory::{APPROVAL_LASTS_US, Approval};
pub use notices::{NoticeAnswers, NoticeImage, NoticeStatus, NoticeVersion};
pub use quarantine::{Decided, QuarantineFilter, QuarantineGroup, QuarantineRow, QuarantineStatus, shape};
pub use runs::{RunKind, RunRecord, RunStatus};
pub use splits::{Amendment, SplitRecord, SplitStatus};
pub use state::{State, Tx};
pub use subjects::{Effect, Identity, RehearsalCopy, RequestKind, RequestRecord, RequestState};
pub use waivers::{NewWaiver, RuleWaiver};
pub use workspace::Workspace;

/// Failpoints of this crate, for crash tests (feature `failpoints`); the ledger's are in
/// [`dunlin_ledger::FAILPOINTS`].
pub const FAILPOINTS: &[&str] = &[
    "store::commit.before",
    "store::commit.after",
    "store::integrate.before",
    "store::integrate.appended",
    "store::integrate.after",
    "fragment::write.before",
    "fragment::fsync.before",
    "fragment::fsync.after",
    "fragment::rename.before",
    "fragment::rename.after",
    "keys::write.before",
];

/// Now, in microseconds since 1970-01-01 UTC.
pub fn now_us() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
}

/// Sixteen random bytes from the operating system, for a commitment.
///
/// # Errors
/// When the operating system gives none.
pub fn salt() -> Result<[u8; 16], StoreError> {
    memory::random()
}

/// A new UUIDv7 as text: ids sort by the time they were made.
pub fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}
