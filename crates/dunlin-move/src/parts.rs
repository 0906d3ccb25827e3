//! The parts of a table in the state: its splits and its amendments, each with its receipt.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use dunlin_connect::canon::RowHash;
use dunlin_store::{Amendment, SplitStatus, State};
use serde::{Deserialize, Serialize};

use crate::accounting::{Account, PartReceipt};
use crate::rowindex::{IndexEntry, IndexReader};
use crate::{MoveError, Result};

/// A receipt as the state keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPart {
    /// The run that loaded it, where a later run found it unchanged and took it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// What it did.
    pub receipt: PartReceipt,
}

/// One part of a table.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name: a split's number, or `amend-N`.
    pub name: String,
    /// The run whose files belong to it.
    pub origin: String,
    /// What it did.
    pub receipt: PartReceipt,
}

impl Part {
    /// The row index of this part, if any row was loaded by it.
    ///
    /// # Errors
    /// When the file is not there.
    pub fn index(&self, state_dir: &Path, label: &str) -> Result<Option<IndexReader>> {
        let folder = rows_folder(state_dir, &self.origin, label);
        self.receipt.index.as_ref().map(|reference| IndexReader::open(&folder, reference)).transpose()
    }
}

/// Where the row indexes of a table of a run are.
pub fn rows_folder(state_dir: &Path, run: &str, label: &str) -> PathBuf {
    let safe: String = label
        .bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => (b as char).to_string(),
            other => format!("%{other:02x}"),
        })
        .collect();
    state_dir.join("rows").join(run).join(safe)
}

/// The parts of a table: splits that are loaded, then amendments in order.
///
/// # Errors
/// When the state cannot be read.
pub async fn parts_of(state: &State, run: &str, label: &str) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for split in state.splits(run, label).await? {
        if let (SplitStatus::Loaded, Some(receipt)) = (split.status, split.receipt) {
            parts.push(part(run, split.split.to_string(), receipt)?);
        }
    }
    for Amendment { amendment, receipt, .. } in state.amendments(run, label).await? {
        parts.push(part(run, format!("amend-{amendment}"), receipt)?);
    }
    Ok(parts)
}

fn part(run: &str, name: String, receipt: serde_json::Value) -> Result<Part> {
    let stored: StoredPart = serde_json::from_value(receipt).map_err(|_| MoveError::Broken {
        message: format!("the receipt of part {name} in dunlin's state is not readable"),
        help: "restore `.dunlin/` from a backup".to_owned(),
    })?;
    Ok(Part { name, origin: stored.origin.unwrap_or_else(|| run.to_owned()), receipt: stored.receipt })
}

/// The account of a table.
pub fn account(parts: &[Part]) -> Account {
    parts.iter().map(|p| &p.receipt).collect()
}

/// The rows of a table that are in the target now, as the indexes of its parts have them: loaded and not taken away
/// since. `each` is told the part's position in `parts` and the entry.
///
/// # Errors
/// When an index cannot be read or is not the one its receipt names.
pub fn live_entries(
    state_dir: &Path,
    label: &str,
    parts: &[Part],
    mut each: impl FnMut(usize, IndexEntry),
) -> Result<()> {
    let mut taken: HashMap<([u8; 16], RowHash), u32> = HashMap::new();
    for part in parts {
        if let Some(reference) = &part.receipt.index_taken {
            for entry in IndexReader::open(&rows_folder(state_dir, &part.origin, label), reference)? {
                let entry = entry?;
                *taken.entry((entry.row, entry.source)).or_default() += 1;
            }
        }
    }
    for (place, part) in parts.iter().enumerate() {
        let Some(index) = part.index(state_dir, label)? else { continue };
        for entry in index {
            let entry = entry?;
            match taken.get_mut(&(entry.row, entry.source)) {
                Some(left) if *left > 0 => *left -= 1,
                _ => each(place, entry),
            }
        }
    }
    Ok(())
}
