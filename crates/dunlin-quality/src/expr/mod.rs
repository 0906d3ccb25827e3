//! The plan's SQL expressions: one expression over the columns of one table, compiled once and evaluated over
//! batches. Not a query language: no subqueries, aggregates or window functions, nothing random, and the clock stands
//! still at the start of the run so that `verify` computes what `run` computed.

mod compile;
mod context;
mod error;
mod evaluate;
mod names;
mod output;
#[cfg(test)]
mod tests;

pub use compile::{Compiled, Compiler};
pub use error::ExprError;
pub use evaluate::{Evaluated, evaluate_rows, failing_rows};
