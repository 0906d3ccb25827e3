//! The run: scan, map, check, load in splits; resume; reconcile.
//!
//! Read [`run`] top to bottom and you have understood the product. A plan's tables are resolved against their stores
//! ([`resolve()`]), each table's run is one physical plan ([`exec`]), each split ends in a receipt ([`PartReceipt`]), and
//! the receipts of a table add up to the equation ([`Account`]): the source's rows are the rows of five dispositions,
//! and what was loaded is what the target gives back.
//!
//! What this crate is not: it opens no network of its own (stores do), and shows nothing to anybody (what leaves
//! towards a person goes through `dunlin-gate`).

mod accounting;
mod address;
pub mod batch;
mod carry;
mod check_rules;
mod columns;
mod customer;
mod decide;
mod definitions;
mod differences;
mod draft;
mod duplicates;
mod enrich_after;
mod error;
mod examine;
pub mod exec;
mod failed;
mod finish;
mod finished;
pub mod fit;
mod groups;
pub mod jsonb;
mod lookups;
mod naming;
mod options;
mod packs;
mod parts;
mod pause;
mod pipeline;
mod protect;
pub mod quarantine;
mod ranges;
mod reconcile;
mod recover;
mod relate;
mod remap;
mod replace;
mod resolve;
mod retries;
mod rowindex;
pub mod run;
mod safe_harbor;
mod sets;
mod settle;
mod spec;
mod status;
mod stores;
pub mod subject;
mod throttle;
mod totals;
mod tried;
mod undo;
mod verify;

pub use accounting::{Account, Disposition, Dispositions, FileRef, PartReceipt, Refolded, Tally};
pub use columns::{QuarantinedColumns, quarantined_columns};
pub use customer::Hop;
pub use decide::{DecideOptions, Decided, Decision, decide};
pub use definitions::LeftBehind;
pub use dunlin_plan::Finding as CheckFinding;
pub use duplicates::listed::{ListedPair, WaitingPair, listed_pairs};
pub use duplicates::preview::{
    Effects, MergedColumn, MergedRow, PairRows, PairsPreview, PreviewLook, ROWS_SHOWN, pair_rows,
    preview_pairs,
};
pub use duplicates::review::{
    PairShown, PairVerdict, PairsDecided, TablePairs, decide_pairs, duplicate_pairs, show_pair,
};
pub use duplicates::survivor::Why;
pub use enrich_after::{Enriched, enrich_after};
pub use error::{MoveError, Result};
pub use examine::Examined;
pub use finish::finish;
pub use finished::{TAKE_OVER, left_out};
pub use groups::RowGroups;
pub use packs::shape;
pub use parts::{Part, StoredPart, parts_of, rows_folder};
pub use pause::{Pause, PauseReason};
pub use protect::Protector;
pub use reconcile::{Checked, TableResult};
pub use resolve::{Resolved, resolve, try_resolve};
pub use retries::Retries;
pub use run::{Event, Observer, Outcome, Problem, Rehearsal, RunOptions, RunSummary, Try, Unfinished, run};
pub use sets::SetResult;
pub use spec::{Mapped, Mapping, SavedTable, TableSpec, Value};
pub use status::outcome;
pub use stores::{Stores, find_table, open_store, reach, table_name};
pub use totals::{
    ControlTotals, Exact, Figure, PartTotals, SourceAmount, TotalColumn, TotalLine, Totals, TotalsSpec,
};
pub use tried::{ShapeChange, Tried, groups_of, try_fix};
pub use undo::{UndoneTable, undo};
pub use verify::{Difference, DifferenceKind, Differences, DifferingRow, Verified, verify};

/// Every failpoint of this crate.
pub const FAILPOINTS: &[&str] = &[
    "move::index.before_fsync",
    "move::index.after_rename",
    "move::receipt.before_state",
    "move::receipt.after_state",
    "move::amend.before_commit",
    "move::amend.after_commit",
    "move::complete.before",
    "move::finish.before",
];

/// Failpoints of the matching pass, and of what people decide on pairs; a plan without `[table.duplicates]` does not come
/// by.
pub const FAILPOINTS_DUPLICATES: &[&str] = &[
    "move::duplicates.before",
    "move::duplicates.after",
    "move::duplicates.decided",
    "move::duplicates.amend.before",
    "move::duplicates.amend.after",
];

/// Failpoints of what is done for a customer's request, in the order in which an erasure comes by.
pub const FAILPOINTS_SUBJECT: &[&str] = &[
    "move::subject.sealed",
    "move::subject.marked",
    "move::subject.found",
    "move::subject.letters",
    "move::subject.before_commit",
    "move::subject.after_commit",
    "move::subject.quarantine",
    "move::subject.copies",
    "move::subject.source",
    "move::subject.compacted",
    "move::subject.swept",
    "move::subject.verified",
    "move::subject.closed",
];

/// Failpoints of what is done with a finished run; a run does not come by.
pub const FAILPOINTS_AFTER: &[&str] = &[
    "move::bookkeeping.before",
    "move::bookkeeping.after",
    "move::undo.after_commit",
    "move::undo.after_drop",
];
