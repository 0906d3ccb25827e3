//! `dunlin enrich`: the plan's `when = "after"` enrichments, on rows that are loaded already.
//!
//! The columns were made with the table and hold NULL until now. Rows of this plan's run whose looked-up values differ
//! are replaced in the target, in one transaction a chunk with an amending receipt; so the equation keeps holding, and
//! `undo` takes the enriched row back. Doing it again changes only what changed on the side.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take};
use dunlin_connect::canon::{RowHash, hash_rows};
use dunlin_connect::{ForeignKey, Receipt, Target, array_to_text, text_to_array};
use dunlin_plan::{Enrich, Plan, When};
use dunlin_store::Workspace;
use futures::StreamExt;
use serde::Serialize;

use crate::accounting::PartReceipt;
use crate::address::{Wanted, mapped_columns};
use crate::carry::load_spec;
use crate::exec::enrich::{Lookup, MEMORY_MAX_BYTES};
use crate::exec::names::key_hash;
use crate::finished::{self, Access};
use crate::parts::{live_entries, parts_of, rows_folder};
use crate::rowindex::{IndexEntry, IndexWriter};
use crate::run::{Event, Observer, Run, RunOptions};
use crate::spec::TableSpec;
use crate::{MoveError, Result, recover, subject};

/// Rows of one amendment: bounds its memory.
const ENRICH_ROWS: usize = 20_000;

/// What was enriched of a table.
#[derive(Debug, Clone, Serialize)]
pub struct Enriched {
    /// Its label in the plan.
    pub table: String,
    /// Rows that were changed.
    pub rows: u64,
}

/// Enriches the latest finished run of this plan.
///
/// # Errors
/// No such run, nothing to enrich, a side with a key twice, and those of the stores.
pub async fn enrich_after(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<Vec<Enriched>> {
    let _lock = workspace.lock_run()?;
    let record = finished::latest(workspace, plan).await?;
    let opened = finished::open(workspace, plan, options, observer, record, Access::Write).await?;
    let (run, id) = (&opened.run, opened.record.id.as_str());
    let targets = run.targets().await?;
    recover::receipts(run, id, &targets).await?;
    let mut done = Vec::new();
    for spec in run.resolved.specs.iter().filter(|s| s.plan.enrich.iter().any(|e| e.when == When::After)) {
        let target = &targets[&spec.plan.to.store];
        keys_aside(run, spec, target).await?;
        let rows = table(run, id, spec, target).await;
        for other in run.resolved.specs.iter().filter(|s| s.plan.to.store == spec.plan.to.store) {
            target.connect_keys(&other.target).await?;
        }
        done.push(Enriched { table: spec.label.clone(), rows: rows? });
    }
    opened.join(&targets).await?;
    workspace.integrate().await?;
    if done.is_empty() {
        return Err(MoveError::Refused {
            code: "nothing-to-enrich",
            message: "no table of the plan is enriched after the load".to_owned(),
            help: "`[[table.enrich]]` with `when = \"after\"` names what to add".to_owned(),
        });
    }
    Ok(done)
}

/// Replacing a parent row must not trip over its children.
pub(crate) async fn keys_aside(run: &Run<'_>, spec: &TableSpec, target: &Arc<dyn Target>) -> Result<()> {
    let tables = subject::as_they_are(run, &spec.plan.to.store).await?;
    let keys: Vec<ForeignKey> = tables
        .iter()
        .flat_map(|t| &t.foreign_keys)
        .filter(|k| k.parent.name == spec.target.name.name)
        .cloned()
        .collect();
    Ok(target.before_load(&tables, &keys).await?)
}

/// One enrichment, ready to be looked up.
struct Side {
    lookup: Lookup,
    /// Positions among the mapped columns of what it adds.
    adds: Vec<usize>,
}

async fn side(run: &Run<'_>, spec: &TableSpec, enrich: &Enrich) -> Result<Side> {
    let refused = |message: String| MoveError::Refused {
        code: "enrich",
        message,
        help: "`dunlin check` holds the plan against the stores".to_owned(),
    };
    let read = spec.mapping.read_schema.index_of(&enrich.on.0).ok();
    let on = read.and_then(|read| {
        spec.mapping.columns.iter().position(|m| m.from == Some(read) && m.protect.is_none())
    });
    let on = on.ok_or_else(|| {
        refused(format!("no column of {} takes over `{}`, by which it is enriched", spec.label, enrich.on.0))
    })?;
    let store = run.stores.get(&enrich.from.store)?;
    let table = crate::find_table(store.as_ref(), &enrich.from).await?;
    let table = table.ok_or_else(|| refused(format!("`{}` is not there to enrich from", enrich.from)))?;
    let place = |name: &str| spec.mapping.columns.iter().position(|m| m.target == name);
    let adds: Vec<usize> = enrich.add.iter().filter_map(|(target, _)| place(target)).collect();
    let columns: Vec<usize> = enrich.add.iter().filter_map(|(_, column)| table.index_of(column)).collect();
    let key = table
        .index_of(&enrich.on.1)
        .ok_or_else(|| refused(format!("`{}` has no column `{}`", enrich.from, enrich.on.1)))?;
    let reader = store.reader().await?;
    let scratch = run.workspace.state_dir.join("tmp");
    let lookup =
        Lookup::read(reader.as_ref(), Arc::new(table), key, &columns, on, &scratch, MEMORY_MAX_BYTES).await?;
    Ok(Side { lookup, adds })
}

async fn table(run: &Run<'_>, id: &str, spec: &Arc<TableSpec>, target: &Arc<dyn Target>) -> Result<u64> {
    run.observer.event(Event::Step { table: Some(&spec.label), step: "enrich" });
    let mut sides = Vec::new();
    for enrich in spec.plan.enrich.iter().filter(|e| e.when == When::After) {
        sides.push(side(run, spec, enrich).await?);
    }
    let mut done = 0;
    loop {
        // Addresses move when rows are replaced, so each chunk begins with a fresh look.
        let changes = changes(run, id, spec, &sides).await?;
        if changes.is_empty() {
            return Ok(done);
        }
        done += changes.len() as u64;
        amend(run, id, spec, target, changes).await?;
    }
}

/// A row that is to be replaced.
struct Change {
    position: u64,
    old: RowHash,
    row: RecordBatch,
    entry: IndexEntry,
}

/// The next rows whose looked-up values differ from what they hold.
async fn changes(run: &Run<'_>, id: &str, spec: &Arc<TableSpec>, sides: &[Side]) -> Result<Vec<Change>> {
    let reader = run.target(spec)?.reader().await?;
    let mut stream = reader.read_addressed(Arc::clone(&spec.target)).await?;
    let mut found: Vec<(u64, RowHash, RecordBatch)> = Vec::new();
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let rows = mapped_columns(spec, &batch.rows)?;
        let hashes = hash_rows(&run.key, &rows);
        let enriched = enriched(spec, &rows, sides)?;
        let new = hash_rows(&run.key, &enriched);
        for row in (0..rows.num_rows()).filter(|row| hashes[*row] != new[*row]) {
            found.push((batch.positions[row], hashes[row], one_row(&enriched, row)?));
        }
        if found.len() >= ENRICH_ROWS {
            break;
        }
    }
    let mut wanted = Wanted::new();
    found.into_iter().for_each(|(position, old, row)| wanted.add(old.short(), (position, old, row)));
    let parts = parts_of(run.workspace.state(), id, &spec.label).await?;
    let mut changes = Vec::new();
    live_entries(&run.workspace.state_dir, &spec.label, &parts, |_, entry| {
        if let Some((position, old, row)) = wanted.take(&entry.row) {
            changes.push(Change { position, old, row, entry });
        }
    })?;
    Ok(changes)
}

fn one_row(batch: &RecordBatch, row: usize) -> Result<RecordBatch> {
    let index = UInt32Array::from(vec![row as u32]);
    let columns: std::result::Result<Vec<ArrayRef>, _> =
        batch.columns().iter().map(|c| take(c, &index, None)).collect();
    columns.and_then(|columns| RecordBatch::try_new(batch.schema(), columns)).map_err(|_| engine())
}

fn engine() -> MoveError {
    MoveError::Engine { act: "enrich a row".to_owned(), code: "schema".to_owned() }
}

/// The rows with what is looked up for them; a key that is not on the side leaves what is there.
fn enriched(spec: &TableSpec, rows: &RecordBatch, sides: &[Side]) -> Result<RecordBatch> {
    let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
    for side in sides {
        let on = &spec.mapping.columns[side.lookup.on];
        let keys = array_to_text(rows.column(side.lookup.on), &on.load_type);
        let found: Vec<Option<Arc<[Option<String>]>>> = keys
            .iter()
            .map(|key| key.as_deref().map_or(Ok(None), |k| side.lookup.find(k)))
            .collect::<Result<_>>()?;
        for (column, place) in side.adds.iter().enumerate() {
            let mapped = &spec.mapping.columns[*place];
            let before = array_to_text(&columns[*place], &mapped.load_type);
            let texts: Vec<Option<&str>> = found
                .iter()
                .zip(&before)
                .map(|(row, before)| row.as_ref().map_or(before.as_deref(), |r| r[column].as_deref()))
                .collect();
            let (array, problems) = text_to_array(&texts, &mapped.load_type);
            if let Some((_, reason)) = problems.first() {
                return Err(MoveError::Refused {
                    code: "enrich-value",
                    message: format!(
                        "a value for {}.{} does not fit its type: {}",
                        spec.label,
                        mapped.target,
                        reason.code()
                    ),
                    help: "mend the side, or give the column a type that holds its values".to_owned(),
                });
            }
            columns[*place] = array;
        }
    }
    RecordBatch::try_new(spec.mapping.target_schema.clone(), columns).map_err(|_| engine())
}

async fn amend(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    target: &Arc<dyn Target>,
    changes: Vec<Change>,
) -> Result<()> {
    let known = run.workspace.state().amendments(id, &spec.label).await?;
    let number = known.iter().map(|a| a.amendment).max().map_or(1, |n| n + 1);
    let part = format!("amend-{number}");
    let folder = rows_folder(&run.workspace.state_dir, id, &spec.label);
    let mut taken = IndexWriter::create(&folder.join(format!("{part}-taken.idx")))?;
    let mut index = IndexWriter::create(&folder.join(format!("{part}.idx")))?;
    let mut receipt = PartReceipt {
        noted: BTreeMap::from([(recover::ENRICHED.to_owned(), changes.len() as u64)]),
        ..PartReceipt::default()
    };
    let positions: Vec<u64> = changes.iter().map(|c| c.position).collect();
    let mut load = target.begin(load_spec(spec, id, &part)).await?;
    load.delete(&positions).await?;
    let mut buffer = Vec::new();
    let mut rows = Vec::with_capacity(changes.len());
    for change in changes {
        let hash = hash_rows(&run.key, &change.row)[0];
        let key = key_hash(&run.key, &change.row, &spec.key, 0, hash, &mut buffer);
        taken.push(change.entry)?;
        index.push(IndexEntry { key, row: hash.short(), source: change.entry.source })?;
        receipt.expected_taken.add(change.old);
        receipt.expected.add(hash);
        rows.push(change.row);
    }
    let rows = concat_batches(&spec.mapping.target_schema, &rows).map_err(|_| engine())?;
    load.write(rows).await?;
    if let Some(refused) = load.settle().await?.first() {
        let message = format!("{} refuses an enriched row: {}", spec.label, refused.reason.code());
        load.abort().await?;
        let help = "mend the side, then run `dunlin enrich` again: nothing of this step was kept".to_owned();
        return Err(MoveError::Refused { code: "enrich-refused", message, help });
    }
    receipt.index = Some(index.finish()?);
    receipt.index_taken = Some(taken.finish()?);
    let body = serde_json::to_string(&receipt).unwrap_or_default();
    let (run_id, table) = (id.to_owned(), spec.label.clone());
    load.commit(&Receipt { run: run_id, table, part, body }).await?;
    recover::record_amendment(run.workspace, &run.options.actor, id, &spec.label, number, receipt).await
}
