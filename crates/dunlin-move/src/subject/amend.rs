//! A customer's rows in the target change or leave, with the accounting of a run: row index, one target transaction with
//! a receipt, one state transaction with the ledger entry. A process that dies in between is mended by the next one.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use dunlin_connect::canon::{RowHash, hash_rows};
use dunlin_connect::{ConnectError, Receipt, Target};

use super::meant;
use crate::accounting::{FileRef, PartReceipt};
use crate::address::Wanted;
use crate::carry::load_spec;
use crate::exec::names::key_hash;
use crate::parts::{live_entries, parts_of, rows_folder};
use crate::remap::engine;
use crate::rowindex::{IndexEntry, IndexWriter};
use crate::run::Run;
use crate::spec::TableSpec;
use crate::{MoveError, Result, recover};

/// What becomes of one row of the target.
pub(crate) struct Change {
    /// Its address.
    pub(crate) position: u64,
    /// Its hash in target space.
    pub(crate) hash: RowHash,
    /// Its mapped columns as they are.
    pub(crate) row: RecordBatch,
    /// Its mapped columns as they shall be; `None` to delete it.
    pub(crate) new: Option<RecordBatch>,
}

/// Changes rows of a table that a run loaded; gives how many. `expected` tells what a source row is in the target, for
/// rows that were changed in the target since they were loaded.
pub(crate) async fn amend(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    target: &Arc<dyn Target>,
    changes: &[Change],
    expected: &HashMap<RowHash, RowHash>,
) -> Result<u64> {
    let entries = entries(run, id, spec, changes, expected).await?;
    let known = run.workspace.state().amendments(id, &spec.label).await?;
    let number = known.iter().map(|a| a.amendment).max().map_or(1, |n| n + 1);
    let part = format!("amend-{number}");
    let folder = rows_folder(&run.workspace.state_dir, id, &spec.label);
    let (mut taken, mut index) = (Vec::new(), Vec::new());
    let mut receipt = PartReceipt::default();
    let before = recover::saved_tables(run.workspace, id).await?;
    let preexisting = before.get(&spec.label).is_some_and(|s| s.preexisting.rows > 0);
    let mut buffer = Vec::new();
    let mut rows = Vec::new();
    for (change, entry) in changes.iter().zip(&entries) {
        let hash = change.new.as_ref().map(|row| hash_rows(&run.key, row)[0]);
        match (entry, hash, &change.new) {
            (Some((entry, loaded)), Some(hash), Some(row)) => {
                taken.push(*entry);
                let key = key_hash(&run.key, row, &spec.key, 0, hash, &mut buffer);
                index.push(IndexEntry { key, row: hash.short(), source: entry.source });
                receipt.expected_taken.add(*loaded);
                receipt.expected.add(hash);
            }
            (Some((entry, loaded)), ..) => {
                taken.push(*entry);
                receipt.expected_taken.add(*loaded);
                receipt.dispositions.erased.add(entry.source);
                receipt.taken.loaded.add(entry.source);
            }
            // Not a row that this run loaded: it stood there before, or came since.
            (None, hash, _) if preexisting => {
                receipt.preexisting_taken.add(change.hash);
                hash.into_iter().for_each(|hash| receipt.preexisting_added.add(hash));
            }
            (None, ..) => {}
        }
        rows.extend(change.new.clone());
    }
    receipt.index = written(&folder.join(format!("{part}.idx")), index)?;
    receipt.index_taken = written(&folder.join(format!("{part}-taken.idx")), taken)?;
    fail::fail_point!("move::subject.before_commit", |_| Err(MoveError::failpoint(
        "move::subject.before_commit"
    )));
    let positions: Vec<u64> = changes.iter().map(|c| c.position).collect();
    let mut load = target.begin(load_spec(spec, id, &part)).await?;
    let meant = meant::in_target(run, spec, changes.iter().map(|c| (c.position, c.hash)));
    let deleted = match load.delete_meant(&spec.target, &positions, &meant).await {
        Ok(deleted) => deleted == positions.len() as u64,
        Err(ConnectError::Changed { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    if !deleted {
        // The transaction may be lost already, and nothing of it stays either way.
        let _ = load.abort().await;
        return Err(MoveError::Refused {
            code: "rows-moved",
            message: format!(
                "{} was written to by somebody else while the customer's rows were looked for",
                spec.label
            ),
            help: "nothing of this step was kept; run it again, and while nobody writes there".to_owned(),
        });
    }
    if !rows.is_empty() {
        let rows = concat_batches(&spec.mapping.target_schema, &rows).map_err(|_| engine("write a row"))?;
        load.write(rows).await?;
        if let Some(refused) = load.settle().await?.first() {
            let message = format!("{} refuses a changed row: {}", spec.label, refused.reason.code());
            load.abort().await?;
            let help = "give another value; nothing of this step was kept".to_owned();
            return Err(MoveError::Refused { code: "correction-refused", message, help });
        }
    }
    let body = serde_json::to_string(&receipt).unwrap_or_default();
    let (run_id, table) = (id.to_owned(), spec.label.clone());
    load.commit(&Receipt { run: run_id, table, part, body }).await?;
    fail::fail_point!("move::subject.after_commit", |_| Err(MoveError::failpoint(
        "move::subject.after_commit"
    )));
    recover::record_amendment(run.workspace, &run.options.actor, id, &spec.label, number, receipt).await?;
    Ok(changes.len() as u64)
}

/// An index of these entries, where there are any.
fn written(path: &Path, entries: Vec<IndexEntry>) -> Result<Option<FileRef>> {
    if entries.is_empty() {
        return Ok(None);
    }
    let mut writer = IndexWriter::create(path)?;
    for entry in entries {
        writer.push(entry)?;
    }
    Ok(Some(writer.finish()?))
}

/// For each change the entry of the row as it was loaded, and its whole hash then.
async fn entries(
    run: &Run<'_>,
    id: &str,
    spec: &TableSpec,
    changes: &[Change],
    expected: &HashMap<RowHash, RowHash>,
) -> Result<Vec<Option<(IndexEntry, RowHash)>>> {
    let parts = parts_of(run.workspace.state(), id, &spec.label).await?;
    let mut found: Vec<Option<(IndexEntry, RowHash)>> = vec![None; changes.len()];
    let mut wanted = Wanted::new();
    let mut keys: HashMap<[u8; 16], usize> = HashMap::new();
    let mut buffer = Vec::new();
    for (place, change) in changes.iter().enumerate() {
        wanted.add(change.hash.short(), place);
        if !spec.key.is_empty() {
            keys.insert(key_hash(&run.key, &change.row, &spec.key, 0, change.hash, &mut buffer), place);
        }
    }
    let mut same_key = Vec::new();
    live_entries(&run.workspace.state_dir, &spec.label, &parts, |_, entry| {
        if let Some(place) = wanted.take(&entry.row) {
            found[place] = Some((entry, changes[place].hash));
        } else if let Some(place) = keys.get(&entry.key) {
            same_key.push((*place, entry));
        }
    })?;
    for (place, entry) in same_key {
        let loaded = expected.get(&entry.source).filter(|hash| hash.short() == entry.row);
        if let (None, Some(hash)) = (found[place], loaded) {
            found[place] = Some((entry, *hash));
        }
    }
    Ok(found)
}
