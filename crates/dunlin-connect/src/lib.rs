//! The stores dunlin reads and writes: SQLite, files and PostgreSQL, one folder a system.
//!
//! Four words carry this crate. A [`Store`] is a system under its name in the plan. A [`Reader`] is one
//! consistent view of it, which cuts a table into [`Bounds`] (splits) and reads each as Arrow batches. A
//! [`Target`] creates tables and hands out [`Load`]s; a load writes the rows of one split *and its receipt* in
//! one transaction. A [`Table`] is the description both sides share; its [`ColumnType`]s decide how a value is
//! carried ([`ColumnType::arrow_type`]) and how it is hashed ([`canon`]).
//!
//! What this crate is not: it knows no plan, no rules, no disposition. It never decides what happens to a row;
//! it says what it could not read ([`BadRow`]) or what the target would not take ([`Refused`]).
//!
//! Architecture invariant: no error, log line or `Debug` output of this crate carries a customer value.

mod activity;
pub mod canon;
mod definitions;
mod error;
pub mod files;
mod open;
pub mod postgres;
mod schema;
pub mod sqlite;
mod store;
mod text;

pub use activity::{Activity, Connection};
pub use definitions::{Counter, Definable, Definition, Definitions, Section, Thing};
pub use error::{ConnectError, Reason, Result};
pub use open::{FileFormat, OpenOptions, Reach, open, reach};
pub use schema::{
    Column, ColumnType, ForeignKey, Generated, Identity, Index, Sequence, Table, TableName, Unique,
};
pub use store::{
    BadRow, Bounds, Committed, Load, LoadColumn, LoadSpec, Meant, Probe, ProbeStatus, ReadBatch, ReadColumn,
    ReadRequest, ReadStream, Reader, Receipt, Refused, Store, System, Target, TextRows, Unwired, Violation,
    Wire, WireBatch, WireRequest, WireStream,
};
pub use text::{array_to_text, text_to_array};

/// Every failpoint of this crate, so that a test can hit each one.
pub const FAILPOINTS: &[&str] = &[
    "connect::sqlite.commit.before",
    "connect::sqlite.commit.after",
    "connect::postgres.commit.before",
    "connect::postgres.commit.after",
    "connect::files.part.before_fsync",
    "connect::files.part.after_fsync",
    "connect::files.receipt.before_rename",
    "connect::files.receipt.after_rename",
    "connect::files.join.before_rename",
    "connect::files.join.after_rename",
];
