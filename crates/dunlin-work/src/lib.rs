//! The work of a migration: tasks that know what its runs have really done.
//!
//! It is: tasks with owners, dates, dependencies, custom fields, comments, views and history; their draft from the plan;
//! the fold of the ledger that says where bound tasks stand ([`fold()`]); the schedule over working calendars; the
//! forecast. It is not: who may see or change a task, which the server asks of the guard, and no HTTP.

mod absorb;
mod beside;
mod board;
pub mod calendar;
mod change;
mod draft;
mod error;
mod exchange;
mod feed;
mod fold;
pub mod forecast;
pub mod hours;
mod import;
mod keep;
mod markdown;
mod model;
mod query;
mod rank;
pub mod schedule;
mod shown;
mod social;
mod things;
mod value;
mod work;

pub use board::{Board, Plan as Schedule};
pub use draft::{Drafted, TableFacts, Worker, question_fields};
pub use error::{Result, WorkError};
pub use exchange::{Column, Format, Imported, Leftover, Preview, Table, export};
pub use feed::{FeedNotice, ics};
pub use fold::{Derived, Fold, fold};
pub use forecast::{Basis, Deadline, Forecast, WhatIf, WindowSpec};
pub use keep::HistoryLine;
pub use markdown::{html, mentions};
pub use model::{
    Binding, Dependency, Evidence, Kind, Origin, Priority, Raci, StaleBecause, Status, Step, Task,
};
pub use query::{Ask, Found, Group, Summary, Urgency};
pub use shown::{Scheduled, Shown};
pub use social::{ATTACHMENT_MAX, Attachment, Comment};
pub use things::{
    Baseline, Blackout, Choice, Field, FieldType, Hook, Layout, Sharing, Template, TemplateTask, View,
    WorkingDays,
};
pub use value::WRITABLE;
pub use work::{By, Edit, Made, TASKS_MAX, Told, Work};

/// A text that only who has the key can make again, for a purpose of work: hex.
pub fn keyed(key: &[u8], what: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("dunlin work: secrets of webhooks");
    hasher.update(&(key.len() as u64).to_le_bytes()).update(key).update(what);
    hasher.finalize().to_hex().to_string()
}
