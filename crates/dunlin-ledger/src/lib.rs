//! The append-only, signed ledger: entries, tiles, checkpoints, proofs.
//!
//! It is: what an entry says ([`Entry`]), how entries become a transparency log of plain files (C2SP
//! tlog-tiles with signed checkpoints, [`Log`]), and how anybody checks that log ([`Log::verify`],
//! [`Log::prove_inclusion`], [`Log::prove_consistency`]).
//!
//! It is not: the queue that makes an entry durable together with a state change (that is `dunlin-store`),
//! and not a place for customer values; [`Entry::to_bytes`] refuses what looks like free text.

mod entry;
mod files;
mod fork;
mod layout;
mod log;
mod note;
mod proof;
mod tlog_proof;
mod verify;

pub use entry::{Actor, Body, Counts, CountsDelta, Decision, Entry, EntryError};
pub use files::{FAILPOINTS, point, replace_file, sync_dir};
pub use fork::{ForkEvidence, NoFork, Standing};
pub use log::{Log, LogError, MAX_ENTRY_BYTES};
pub use note::{Checkpoint, NoteError, Signer, Verifier};
pub use proof::{ConsistencyProof, InclusionProof, ProofError, root_of};
pub use tlog_proof::{TlogProof, TlogProofError};
pub use verify::{VerifyError, VerifyReport};

/// A node or root hash of the log: SHA-256 as RFC 6962 defines it.
pub type Hash = [u8; 32];
