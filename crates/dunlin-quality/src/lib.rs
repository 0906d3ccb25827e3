//! What is in the data: profile, kinds, cleaning functions, row rules.
//!
//! Three groups of words. [`Compiler`] turns the plan's SQL text into something that can be evaluated over batches
//! ([`evaluate_rows`]). [`clean`] mends texts the way the plan's `clean = …` asks. [`Profiler`] and [`detect`] say what
//! a column holds, [`spans`] what free text contains, and [`Rules`] count the rows that break a condition.
//! [`read_to_link`] finds out which records of a table stand for one person.
//!
//! [`packs`] hold a move against the regulations.
//!
//! What this crate is not: it reads no store, decides no disposition and writes no ledger. It says which rows fail
//! and why; the run decides what becomes of them.
//!
//! Architecture invariant: no error, evidence or finding of this crate carries a customer value; samples leave it
//! under seal only (`dunlin-gate`).

mod clean;
mod duplicates;
mod expr;
mod fake;
mod kinds;
mod linkage;
pub mod packs;
mod profile;
mod rules;

pub use clean::{CleanFunction, CleanOptions, Cleaned, UnknownFunction, clean, is_sentinel};
pub use duplicates::{
    Agreement, ColumnWeights, Duplicates, Explanation, FieldKind, Group, Level, LevelWeight, Records,
    ReviewPair,
};
pub use expr::{Compiled, Compiler, Evaluated, ExprError, evaluate_rows, failing_rows};
pub use fake::{FAKE_KINDS, fake};
pub use kinds::spans::{Span, spans};
pub use kinds::{
    ColumnLook, KindGuess, SampledColumn, detect, detect_table, identifier_of, is_identifier, look,
    sampled_kinds, year_of_day,
};
pub use linkage::{LinkError, Linked, Side, ToLink, read_to_link};
pub use profile::{
    ColumnProfile, Counted, Drift, Finding, KeptColumn, Lengths, Numbers, PlannedColumn, Profile,
    ProfileOptions, Profiler, Reference, ReferenceCount, against_plan, broken_references, drift,
    profile_table, profile_table_as, profile_table_with, references,
};
pub use rules::{Rule, RuleCount, RuleError, Rules};
