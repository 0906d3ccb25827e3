//! What a target's parts folder holds: the table, the receipts, the parts they name, the state of the join. Reads it
//! and answers which files are the table right now; writing is [`super::load`] and [`super::join`].
//!
//! ```text
//! people.csv                                what the URL names; there after the join
//! people.csv.dunlin-parts/
//!   table.json                              the table, types included
//!   0-3f9c0e6b2a71d845.csv                  a part, named by its content
//!   run-1.0.receipt.json                    the rename that put it here was the commit
//!   joined.json                             what the last join put into people.csv
//! ```
//!
//! Invariant: a data file that no receipt names is not there. A receipt may replace parts of earlier receipts (rows
//! were deleted), so the table is the fold of all receipts in the order of their numbers.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::{hash_file, list, read_json, shown};
use super::location::{Files, Home};
use crate::{ConnectError, Receipt, Result, Table};

/// The ending of a receipt's name.
pub(super) const RECEIPT: &str = ".receipt.json";

/// `table.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredTable {
    /// The table as it was created or first loaded into.
    pub(super) table: Table,
    /// Whether dunlin made it.
    pub(super) created: bool,
}

/// A data file of the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Data {
    /// Its name in the parts folder.
    pub(super) file: String,
    /// BLAKE3 of its bytes.
    pub(super) blake3: String,
    /// Its rows.
    pub(super) rows: u64,
}

/// A new version of an earlier part, or of the file that was there before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Replaced {
    /// The run and part replaced; absent for the file that the URL names.
    pub(super) of: Option<(String, String)>,
    /// What it is now; nothing where no row is left.
    pub(super) by: Option<Data>,
}

/// A receipt as it lies in the folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredReceipt {
    /// The receipt itself.
    #[serde(flatten)]
    pub(super) receipt: Receipt,
    /// Its place among the receipts of this folder.
    pub(super) sequence: u64,
    /// The part's rows; absent for a part without any.
    pub(super) data: Option<Data>,
    /// What else changed in the same commit.
    #[serde(default)]
    pub(super) replaces: Vec<Replaced>,
}

/// One join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Join {
    /// BLAKE3 of the file it made.
    pub(super) blake3: String,
    /// Its size in bytes.
    pub(super) len: u64,
    /// The highest receipt number in it.
    pub(super) through: u64,
    /// The run it was made for.
    pub(super) run: String,
}

/// `joined.json`: the intent is written before the file is put in place, so a crash between is told apart by hash.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Joins {
    /// The join whose result is the file.
    pub(super) done: Option<Join>,
    /// The join that was under way.
    pub(super) intent: Option<Join>,
}

/// A file whose rows belong to the table now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Run and part; absent for the file that the URL names (or its replacement).
    pub(super) of: Option<(String, String)>,
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its rows, where a receipt says.
    pub(super) rows: Option<u64>,
}

/// A target table as the folder tells it.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// The parts folder.
    pub(super) folder: PathBuf,
    /// What the URL names.
    pub(super) file: PathBuf,
    /// The table, where dunlin has one in the folder.
    pub(super) table: Option<StoredTable>,
    /// All receipts by their numbers.
    pub(super) receipts: Vec<StoredReceipt>,
    /// The joins.
    pub(super) joins: Joins,
    /// The files that are the table now.
    pub(super) entries: Vec<Entry>,
}

impl State {
    /// Reads the state of a table; `None` for a glob, which is never a target.
    pub(super) fn read(store: &str, home: &Home) -> Result<Option<Self>> {
        let (Files::One(file), Some(folder)) = (&home.files, home.parts()) else { return Ok(None) };
        let table = read_json(store, &folder.join("table.json"))?;
        let mut receipts: Vec<StoredReceipt> = Vec::new();
        for path in list(store, &folder)? {
            if shown(&path).ends_with(RECEIPT) {
                receipts.extend(read_json::<StoredReceipt>(store, &path)?);
            }
        }
        receipts.sort_by_key(|r| r.sequence);
        let joins = settle(store, file, read_json(store, &folder.join("joined.json"))?.unwrap_or_default())?;
        if joins.done.is_some() && !file.is_file() {
            // Its parts are gone with the join: going on would call an empty table whole.
            return Err(ConnectError::Changed {
                store: store.to_owned(),
                table: home.name.clone(),
                what: format!("{} was joined and is not there any more", shown(file)),
            });
        }
        let entries = fold(&folder, file, &receipts, joins.done.as_ref().map_or(0, |j| j.through));
        Ok(Some(Self { folder, file: file.clone(), table, receipts, joins, entries }))
    }

    /// The receipt of a part.
    pub(super) fn receipt(&self, run: &str, part: &str) -> Option<&StoredReceipt> {
        self.receipts.iter().find(|r| r.receipt.run == run && r.receipt.part == part)
    }

    /// The number of the next receipt.
    pub(super) fn next_sequence(&self) -> u64 {
        self.receipts.last().map_or(1, |r| r.sequence + 1)
    }

    /// The highest receipt number, 0 for none.
    pub(super) fn through(&self) -> u64 {
        self.receipts.last().map_or(0, |r| r.sequence)
    }

    /// Whether every receipt is in the joined file.
    pub(super) fn is_joined(&self) -> bool {
        self.joins.done.as_ref().is_some_and(|j| j.through >= self.through()) && self.file.is_file()
    }
}

/// Decides whether an intended join has happened.
fn settle(store: &str, file: &Path, mut joins: Joins) -> Result<Joins> {
    if let Some(intent) = joins.intent.take()
        && file.metadata().is_ok_and(|m| m.len() == intent.len)
        && hash_file(store, file)? == intent.blake3
    {
        joins.done = Some(intent);
    }
    Ok(joins)
}

/// The files that are the table: the one the URL names, then each part, with what later receipts replaced.
fn fold(folder: &Path, file: &Path, receipts: &[StoredReceipt], joined: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    if file.is_file() {
        entries.push(Entry { of: None, path: file.to_owned(), rows: None });
    }
    let entry = |of: Option<(String, String)>, data: &Data| Entry {
        of,
        path: folder.join(&data.file),
        rows: Some(data.rows),
    };
    for stored in receipts.iter().filter(|r| r.sequence > joined) {
        for replaced in &stored.replaces {
            let at = entries.iter().position(|e: &Entry| e.of == replaced.of);
            match (at, &replaced.by) {
                (Some(at), Some(data)) => entries[at] = entry(replaced.of.clone(), data),
                (Some(at), None) => {
                    entries.remove(at);
                }
                (None, _) => {}
            }
        }
        if let Some(data) = &stored.data {
            let of = Some((stored.receipt.run.clone(), stored.receipt.part.clone()));
            entries.push(entry(of, data));
        }
    }
    entries
}

/// A run's or part's name as a piece of a file name: what is not plain becomes `%xx`.
pub(super) fn file_piece(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    out
}
