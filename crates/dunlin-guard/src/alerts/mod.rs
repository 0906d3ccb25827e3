//! Alerts: what in the ledger and among the sign-in attempts looks unusual, said with the numbers that it was
//! compared with, and what to do about it.
//!
//! [`Engine`] is the rules: it sees one thing after another, remembers, and finds; the same things in the same
//! order give the same findings, so a slice of the ledger can be replayed. [`Alerts`] reads the ledger on from a
//! cursor, keeps what the engine remembers, and writes alert, cursor, ledger entry and messages in one
//! transaction: a restart repeats nothing and leaves nothing out.
//!
//! Not here: locks and limits, which act at once (`limit`); an alert only tells, and offers the block.

mod engine;
mod geo;
mod judge;
mod kept;
mod memory;
mod rule;
mod rules;
mod seen;
mod settings;
mod source;
mod tell;
#[cfg(test)]
mod tests;

pub use engine::{Engine, Evidence, Finding, Number};
pub use geo::{GeoError, Place, Places};
pub use judge::{Alerts, AlertsSettings};
pub use kept::{Alert, AlertFilter, Decision};
pub use memory::Memory;
pub use rule::{Rule, Severity};
pub use seen::{Context, Outcome, Seen, Source, Tried, What};
pub use settings::Thresholds;
