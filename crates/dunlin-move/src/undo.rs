//! `dunlin undo`: takes back what a run loaded, children before parents, and nothing else.
//!
//! A row is taken back only when it is what the run loaded: found by its hash. If any was changed since, the table is
//! refused and stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dunlin_connect::{Receipt, System, TableName, Target};
use dunlin_plan::Plan;
use dunlin_store::{Body, Entry, RunRecord, RunStatus, SplitStatus, Workspace, now_us};
use serde::Serialize;

use crate::address::{Wanted, walk};
use crate::carry::load_spec;
use crate::error::rows;
use crate::finished::{self, Access, Finished};
use crate::parts::{Part, live_entries, parts_of};
use crate::run::{Event, Observer, Run, RunOptions};
use crate::spec::TableSpec;
use crate::{MoveError, Result, recover};

/// The name under which the target remembers what was taken back.
const PART: &str = "undo";

/// What was taken back of a table.
#[derive(Debug, Clone, Serialize)]
pub struct UndoneTable {
    /// Its label in the plan.
    pub table: String,
    /// Rows that were taken back.
    pub rows: u64,
    /// Whether the table, which the run had made, is gone as well.
    pub dropped: bool,
}

/// Takes back a run; one that was taken back already gives no table. `plan` is the plan the run was begun with (its text is in the state).
///
/// # Errors
/// When a row was changed since it was loaded, or a store says no. Tables that were taken back before stay so.
pub async fn undo(
    workspace: &Workspace,
    plan: &Plan,
    id: &str,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<Vec<UndoneTable>> {
    let _lock = workspace.lock_run()?;
    let record = workspace.state().run(id).await?;
    if record.status == RunStatus::Abandoned && stands(workspace, id).await?.is_empty() {
        // Asked for again, perhaps because the answer was lost with the process.
        workspace.integrate().await?;
        return Ok(Vec::new());
    }
    undoable(workspace, &record).await?;
    let opened = finished::open(workspace, plan, options, observer, record, Access::Write).await?;
    let (record, saved, run) = (&opened.record, &opened.saved, &opened.run);
    let finished = without_bookkeeping(&opened, id).await?;
    let targets = run.targets().await?;
    recover::receipts(run, id, &targets).await?;
    let gone = taken_back(id, &targets).await?;
    let mut undone = Vec::new();
    let mut whole = Vec::new();
    // All tables are looked at before the first is touched.
    let mut found = Vec::new();
    for spec in run.resolved.specs.iter().rev().filter(|s| saved.contains_key(&s.label)) {
        run.observer.event(Event::Step { table: Some(&spec.label), step: "find what the run loaded" });
        let loaded = if gone.contains_key(&spec.label) {
            Vec::new()
        } else {
            parts_of(run.workspace.state(), id, &spec.label).await?
        };
        found.push((spec, positions(run, id, spec, &loaded).await?));
    }
    for (spec, (positions, others)) in found {
        let mut rows = positions.len() as u64;
        let target = &targets[&spec.plan.to.store];
        if rows > 0 {
            let part = PART.to_owned();
            let mut load = target.begin(load_spec(spec, id, &part)).await?;
            load.delete(&positions).await?;
            let (table, body) = (spec.label.clone(), rows.to_string());
            load.commit(&Receipt { run: id.to_owned(), table, part, body }).await?;
            fail::fail_point!("move::undo.after_commit", |_| Err(MoveError::failpoint(
                "move::undo.after_commit"
            )));
        }
        rows += gone.get(&spec.label).copied().unwrap_or_default();
        let dropped = spec.created && others == 0;
        if dropped && spec.carried {
            whole.push(spec.clone());
        } else if dropped {
            target.drop_table(&spec.target.name).await?;
            fail::fail_point!("move::undo.after_drop", |_| Err(MoveError::failpoint(
                "move::undo.after_drop"
            )));
        }
        note(run, id, spec, rows).await?;
        undone.push(UndoneTable { table: spec.label.clone(), rows, dropped });
    }
    crate::definitions::drop_tables(run, id, &whole).await?;
    opened.join(&targets).await?;
    for (name, target) in &targets {
        if finished.contains(name) {
            target.finish().await?;
        }
    }
    ended(workspace, record).await?;
    workspace.integrate().await?;
    Ok(undone)
}

/// The targets whose bookkeeping `finish` has removed: they are left without it again.
pub(crate) async fn without_bookkeeping(opened: &Finished<'_>, id: &str) -> Result<BTreeSet<String>> {
    let mut without = BTreeSet::new();
    for (name, target) in opened.targets_as_they_are().await? {
        let store = opened.run.stores.get(&name)?;
        let receipts = match store.system() {
            System::Postgres => Some((Some("dunlin"), "receipt")),
            System::Sqlite => Some((None, "_dunlin_receipt")),
            _ => None,
        };
        let there = match receipts {
            Some((schema, table)) => {
                let table = TableName { schema: schema.map(str::to_owned), name: table.to_owned() };
                store.table(&table).await?.is_some()
            }
            // A folder of files has receipts beside each table.
            None => !target.receipts(id).await?.is_empty(),
        };
        if !there {
            without.insert(name);
        }
    }
    Ok(without)
}

/// A run that a later one carried on has no rows of its own any more.
async fn undoable(workspace: &Workspace, record: &RunRecord) -> Result<()> {
    let state = workspace.state();
    let tables = stands(workspace, &record.id).await?;
    for later in state.runs().await? {
        let follows = later.kind == record.kind
            && later.status != RunStatus::Abandoned
            && later.started_at > record.started_at
            && later.stores == record.stores;
        if follows && stands(workspace, &later.id).await?.iter().any(|t| tables.contains(t)) {
            return Err(MoveError::Refused {
                code: "later-run",
                message: format!("run {} came after it and carries its rows on", later.id),
                help: format!("take that one back, and its rows go with it: dunlin undo --run {}", later.id),
            });
        }
    }
    Ok(())
}

/// The tables of a run that were loaded and not taken back.
async fn stands(workspace: &Workspace, id: &str) -> Result<Vec<String>> {
    let state = workspace.state();
    let mut found = Vec::new();
    for (label, _) in state.tables(id).await? {
        let splits = state.splits(id, &label).await?;
        if splits.iter().any(|s| s.status != SplitStatus::Undone) {
            found.push(label);
        }
    }
    Ok(found)
}

/// The run is no more, nor is any that it carried on: their rows went with its own.
async fn ended(workspace: &Workspace, record: &RunRecord) -> Result<()> {
    let state = workspace.state();
    let mut over = vec![record.id.clone()];
    let labels: Vec<String> = state.tables(&record.id).await?.into_iter().map(|(label, _)| label).collect();
    let mut tx = state.begin().await?;
    for before in state.runs().await? {
        let carried = before.kind == record.kind
            && before.status == RunStatus::Done
            && before.started_at < record.started_at
            && before.stores == record.stores;
        if !carried {
            continue;
        }
        for label in &labels {
            for split in state.splits(&before.id, label).await? {
                tx.set_split_status(&before.id, label, split.split, SplitStatus::Undone).await?;
            }
        }
        if stands(workspace, &before.id).await?.iter().all(|label| labels.contains(label)) {
            over.push(before.id);
        }
    }
    for id in over {
        tx.set_run_status(&id, RunStatus::Abandoned).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The tables whose rows an earlier try has taken back already before its process died, with how many those were.
async fn taken_back(id: &str, targets: &BTreeMap<String, Arc<dyn Target>>) -> Result<BTreeMap<String, u64>> {
    let mut gone = BTreeMap::new();
    for target in targets.values() {
        let receipts = target.receipts(id).await?.into_iter().filter(|r| r.part == PART);
        gone.extend(receipts.map(|r| (r.table, r.body.parse().unwrap_or_default())));
    }
    Ok(gone)
}

/// Addresses of the run's rows in the target, and how many rows are there besides.
async fn positions(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    parts: &[Part],
) -> Result<(Vec<u64>, u64)> {
    let store = run.target(spec)?;
    if store.table(&spec.target.name).await?.is_none() {
        return Ok((Vec::new(), 0));
    }
    let mut wanted = Wanted::new();
    live_entries(&run.workspace.state_dir, &spec.label, parts, |_, entry| wanted.add(entry.row, ()))?;
    let mut positions = Vec::with_capacity(wanted.left());
    let mut others = 0;
    walk(store.reader().await?.as_ref(), spec, &run.key, |position, hash| match wanted.take(&hash) {
        Some(()) => positions.push(position),
        None => others += 1,
    })
    .await?;
    if wanted.left() > 0 {
        return Err(MoveError::Refused {
            code: "target-changed",
            message: format!(
                "{} of {} {} changed or removed since run {id} loaded {}",
                rows(wanted.left() as u64),
                spec.label,
                if wanted.left() == 1 { "was" } else { "were" },
                if wanted.left() == 1 { "it" } else { "them" },
            ),
            help: "`dunlin verify` names them; nothing was taken back".to_owned(),
        });
    }
    Ok((positions, others))
}

async fn note(run: &Run<'_>, id: &str, spec: &TableSpec, rows: u64) -> Result<()> {
    let mut tx = run.workspace.state().begin().await?;
    for split in run.workspace.state().splits(id, &spec.label).await? {
        tx.set_split_status(id, &spec.label, split.split, SplitStatus::Undone).await?;
    }
    for part in crate::parts::parts_of(run.workspace.state(), id, &spec.label).await? {
        if let Some(fragment) = &part.receipt.fragment {
            tx.remove_quarantine_fragment(&part.origin, &spec.label, &fragment.name).await?;
        }
    }
    let body = Body::Undone { run: id.to_owned(), table: spec.label.clone(), rows };
    tx.enter(Entry { at: now_us(), actor: run.options.actor.clone(), body }).await?;
    tx.commit().await?;
    Ok(())
}
