//! Files as a store: CSV, JSON Lines and Parquet; one file, a glob or a folder of tables.
//!
//! A source file is read as it is, and every record that cannot be read is told with its line. A target is a folder of
//! parts beside the file while a run goes on; each part becomes part of the table by the rename of its receipt, and
//! the join makes one file of them at the end. `parts` says what lies there, `load` writes it, `join` ends it.
//!
//! | format | a column is | NULL | splits |
//! | --- | --- | --- | --- |
//! | CSV | text, unless the table asked for says otherwise | the unquoted NULL text (default: nothing) | record borders |
//! | JSON Lines | what all its tokens are: text, int64, numeric, boolean; mixed or nested: JSON | `null` or absent | lines |
//! | Parquet | its own type, or the one dunlin wrote beside it | NULL | row groups |
//!
//! Positions are line numbers (CSV, JSON Lines) and row numbers of the file (Parquet), both from 1;
//! [`crate::Reader::read_addressed`] gives ordinals in the whole table, from 0.
//!
//! What this folder is not: it guesses no types, knows no indexes and checks no constraint but `NOT NULL`.

mod cells;
mod csv;
mod dialect;
mod disk;
mod join;
mod jsonl;
mod load;
mod location;
mod parquet;
mod part;
mod parts;
mod reader;
mod source;
mod stamps;
mod store;
mod target;
#[cfg(test)]
mod tests;
mod violations;
mod wide;
mod window;

use std::sync::Arc;

pub use stamps::{FileStamp, changed, stamps};

use crate::{OpenOptions, Result, Store};

/// Opens a file store; `path` is the URL behind `file:`.
///
/// # Errors
/// [`crate::ConnectError::Url`] for a path, glob or option that cannot be understood,
/// [`crate::ConnectError::Unsupported`] for an encoding that cannot be split by bytes.
pub async fn open(name: &str, path: &str, options: &OpenOptions) -> Result<Arc<dyn Store>> {
    let location = location::Location::parse(name, path, options)?;
    Ok(Arc::new(store::FileStore { location: Arc::new(location) }))
}
