//! Carrying out what changes in the tables of a run: one target transaction with a receipt for each table, then the state.
//!
//! Not here: what changes ([`super::amend`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::compute::concat_batches;
use dunlin_connect::{ConnectError, Load, Receipt, Target};
use dunlin_store::{Crosswalk as Kept, Workspace};

use super::amend::{Outcome, TableChanges};
#[cfg(feature = "failpoints")]
use crate::MoveError;
use crate::accounting::{PartReceipt, Refolded};
use crate::carry::load_spec;
use crate::parts::rows_folder;
use crate::remap::engine;
use crate::rowindex::{IndexEntry, IndexWriter};
use crate::run::Run;
use crate::{Result, enrich_after, recover, subject};

/// One target transaction for all tables, then the state. Keys to rows that were replaced are left aside: see [`back`].
pub(super) async fn commit(
    run: &Run<'_>,
    id: &str,
    targets: &BTreeMap<String, Arc<dyn Target>>,
    all: Vec<TableChanges>,
) -> Result<Outcome> {
    let mut done = BTreeMap::new();
    let mut receipts = Vec::new();
    let mut load: Option<(Box<dyn Load>, Receipt)> = None;
    for changed in &all {
        let (spec, number) = (&changed.spec, next_amendment(run, id, &changed.spec.label).await?);
        let part = format!("amend-{number}");
        let receipt = receipt(run, id, changed, &part)?;
        done.insert(spec.label.clone(), changed.changes.len() as u64);
        if !changed.changes.is_empty() {
            let target = &targets[&spec.plan.to.store];
            let (run_id, table) = (id.to_owned(), spec.label.clone());
            let body = serde_json::to_string(&receipt).unwrap_or_default();
            let written = Receipt { run: run_id, table, part: part.clone(), body };
            // Every key to rows that are replaced stands aside before the transaction begins.
            if load.is_none() {
                for table in all.iter().filter(|t| !t.changes.is_empty()) {
                    enrich_after::keys_aside(run, &table.spec, target).await?;
                }
            }
            let begun = match load.take() {
                None => target.begin(load_spec(spec, id, &part)).await,
                Some((before, receipt)) => before.also(&receipt, load_spec(spec, id, &part)).await,
            };
            match begun {
                Ok(begun) => {
                    let outcome = write(run, changed, begun).await;
                    if outcome.is_err() {
                        // The error that brought us here says more than one of putting keys back would.
                        let _ = back(run, target).await;
                    }
                    load = outcome?.map(|load| (load, written));
                    if load.is_none() {
                        back(run, target).await?;
                        return Ok(Outcome::NotNow("the target does not take the rows as they shall be"));
                    }
                }
                Err(ConnectError::Unsupported { .. }) => {
                    back(run, target).await?;
                    return Ok(Outcome::NotNow("the target has no transaction over several tables"));
                }
                Err(error) => {
                    back(run, target).await?;
                    return Err(error.into());
                }
            }
        }
        receipts.push((spec.label.clone(), number, receipt));
    }
    fail::fail_point!("move::duplicates.amend.before", |_| Err(MoveError::failpoint(
        "move::duplicates.amend.before"
    )));
    if let Some((load, receipt)) = load {
        load.commit(&receipt).await?;
    }
    fail::fail_point!("move::duplicates.amend.after", |_| Err(MoveError::failpoint(
        "move::duplicates.amend.after"
    )));
    for (label, number, receipt) in receipts {
        recover::record_amendment(run.workspace, &run.options.actor, id, &label, number, receipt).await?;
    }
    Ok(Outcome::Acted(done))
}

/// Keys that stood aside come back.
pub(crate) async fn back(run: &Run<'_>, target: &Arc<dyn Target>) -> Result<()> {
    for spec in run.resolved.specs.iter().filter(|s| s.plan.to.store == target.store_name()) {
        target.connect_keys(&spec.target).await?;
    }
    Ok(())
}

/// Deletes the old rows and writes the new ones; `None`, and nothing of the transaction is kept, where a row is not what
/// was found, or is refused.
async fn write(
    run: &Run<'_>,
    changed: &TableChanges,
    mut load: Box<dyn Load>,
) -> Result<Option<Box<dyn Load>>> {
    let spec = &changed.spec;
    let old = changed.changes.iter().filter_map(|c| c.old.as_ref().map(|(_, hash)| *hash));
    let meant = subject::meant::in_target(run, spec, changed.positions.iter().copied().zip(old));
    match load.delete_meant(&spec.target, &changed.positions, &meant).await {
        Ok(deleted) if deleted == changed.positions.len() as u64 => {}
        Ok(_) | Err(ConnectError::Changed { .. }) => {
            // The transaction may be lost already, and nothing of it stays either way.
            let _ = load.abort().await;
            return Ok(None);
        }
        Err(error) => {
            let _ = load.abort().await;
            return Err(error.into());
        }
    }
    if !changed.rows.is_empty() {
        let rows = concat_batches(&spec.mapping.target_schema, &changed.rows);
        load.write(rows.map_err(|_| engine("write rows"))?).await?;
    }
    if !load.settle().await?.is_empty() {
        load.abort().await?;
        return Ok(None);
    }
    Ok(Some(load))
}

/// What an amendment says: index files are durable before it.
fn receipt(run: &Run<'_>, id: &str, changed: &TableChanges, part: &str) -> Result<PartReceipt> {
    let folder = rows_folder(&run.workspace.state_dir, id, &changed.spec.label);
    let mut receipt = PartReceipt {
        crosswalk: Some(changed.crosswalk.clone()),
        refolded: changed.refolded.clone(),
        ..PartReceipt::default()
    };
    let (mut taken, mut index) = (Vec::new(), Vec::new());
    for change in &changed.changes {
        if let Some((entry, hash)) = change.old {
            receipt.expected_taken.add(hash);
            taken.push(entry);
        }
        if let Some((entry, hash)) = change.new {
            receipt.expected.add(hash);
            index.push(entry);
        }
        match (&change.old, &change.new) {
            (Some((entry, _)), None) => {
                receipt.taken.loaded.add(entry.source);
                receipt.dispositions.merged.add(entry.source);
            }
            (None, Some((entry, _))) => {
                receipt.taken.merged.add(entry.source);
                receipt.dispositions.loaded.add(entry.source);
            }
            _ => {}
        }
    }
    let write = |name: String, entries: Vec<IndexEntry>| -> Result<Option<crate::FileRef>> {
        if entries.is_empty() {
            return Ok(None);
        }
        let mut writer = IndexWriter::create(&folder.join(name))?;
        entries.into_iter().try_for_each(|entry| writer.push(entry))?;
        Ok(Some(writer.finish()?))
    };
    receipt.index = write(format!("{part}.idx"), index)?;
    receipt.index_taken = write(format!("{part}-taken.idx"), taken)?;
    Ok(receipt)
}

async fn next_amendment(run: &Run<'_>, id: &str, label: &str) -> Result<u32> {
    let known = run.workspace.state().amendments(id, label).await?;
    Ok(known.iter().map(|a| a.amendment).max().map_or(1, |n| n + 1))
}

/// The crosswalk of a run after an amendment: for who records one.
pub(crate) async fn refold(
    workspace: &Workspace,
    id: &str,
    label: &str,
    refolded: &Refolded,
) -> Result<Kept> {
    let before = workspace.state().crosswalk(id, label).await?;
    let folded = refolded.applied(before.map(|c| c.folded).unwrap_or_default());
    Ok(Kept { hash: refolded.hash.clone(), folded })
}
