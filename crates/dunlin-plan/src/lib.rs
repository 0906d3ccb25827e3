//! The plan file: parsed with spans, resolved, checked, fingerprinted, compared. No I/O.
//!
//! [`load`] turns text into a [`Plan`] or into [`Findings`] that name every mistake with its place. A plan has a
//! [`Fingerprint`] of what decides the move; [`diff`] says in the plan's own terms what changed between two.
//! SQL stays text here: what knows the stores' columns reads it.

mod canonical;
mod check;
mod codes;
mod diff;
mod finding;
mod form;
mod plan;
mod print;
mod redact;
mod reference;
mod resolve;
mod schema;
mod set;
mod source;
mod store;
mod table;
mod table_ref;
mod vocabulary;
mod walk;
mod window;

pub use canonical::Fingerprint;
pub use codes::CODES;
pub use diff::{Change, diff};
pub use finding::{Finding, Findings, Level, Span, line_col, suggestion};
pub use plan::{Company, Comply, LedgerPin, Notice, Person, Plan, Statement, Subject, Waiver};
pub use reference::reference;
pub use schema::schema;
pub use set::{SetPlan, SetRule};
pub use source::{PlanSource, load};
pub use store::{FileOptions, Scheme, StorePlan, StoreUrl, StoreUrlError};
pub use table::{
    ColumnPlan, ColumnValue, Drop, Duplicates, Enrich, Fix, RulePlan, Sql, TablePlan, TotalsPlan,
    quote_identifier,
};
pub use table_ref::{TableRef, TableRefError};
pub use vocabulary::{
    AtRest, Basis, Class, CleanFn, Day, Environment, Fact, FileFormat, IntoMode, Kind, OnErasure, Otherwise,
    Pack, Protect, Role, UnknownWord, When, Within, Word,
};
pub use window::{SourceLoad, Window};
