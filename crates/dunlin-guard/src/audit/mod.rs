//! The ledger for auditors: searching it, exporting it, proofs of single entries, forks, and how long what stands
//! beside it is kept.
//!
//! Not here: writing entries, and the check of the whole folder (`dunlin_store::Workspace::verify_ledger`).

mod auditor;
mod filter;
mod ocsf;
mod prove;
mod reader;
mod retention;
mod saved;
#[cfg(test)]
pub(crate) mod scene;
#[cfg(test)]
mod tests;

pub use auditor::{Auditor, Export, Found, Page};
pub use dunlin_ledger::{ForkEvidence, NoFork, Standing, TlogProof, TlogProofError};
pub use filter::{Filter, kinds};
pub use ocsf::{OCSF_VERSION, Product, event};
pub use prove::{Tile, TileKind};
pub use reader::LedgerReader;
pub use retention::{Retention, ShreddedRows, Shredder};
pub use saved::SavedSearch;
