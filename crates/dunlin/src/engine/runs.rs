//! What a run came to, table by table, and the ends that people put to one: given up, or taken back. Not here: runs at
//! work (`work`), nor what is moved.

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_ledger::{Actor, Body, Entry};
use dunlin_move::{Account, Checked, DecideOptions, Decision, LeftBehind, SavedTable, SetResult, parts_of};
use dunlin_server::{EngineError, RunTable, RunUndone, ShapeChange, TableProblem, WouldDecide};
use dunlin_store::{SplitRecord, SplitStatus, StoreError, Workspace, now_us};

use super::{moved, state};
use crate::workspace::PlanFile;

/// Which splits are listed one by one; a strip on a page has no room for more.
const SPLITS_SHOWN: usize = 2_000;

/// The newest word of the ledger on a table of a run.
#[derive(Default, Clone)]
struct Said {
    target_hash: Option<String>,
    reconciled: Option<bool>,
    reconciled_at: Option<i64>,
    verified_at: Option<i64>,
    entry: Option<u64>,
}

/// What each table of a run came to, as it is now: decisions on rows that waited are in it.
pub(super) async fn tables(workspace: &Workspace, run: &str) -> Result<Vec<RunTable>, EngineError> {
    let said = said(workspace, run).await.map_err(state)?;
    let outcome = dunlin_move::outcome(workspace, run).await.map_err(moved)?;
    let checks = workspace.state().data_checks(run).await.map_err(state)?;
    let checks: BTreeMap<String, serde_json::Value> = checks.into_iter().collect();
    let mut tables = Vec::new();
    for (label, saved) in workspace.state().tables(run).await.map_err(state)? {
        let Ok(saved) = serde_json::from_value::<SavedTable>(saved) else { continue };
        let parts = parts_of(workspace.state(), run, &label).await.map_err(moved)?;
        let account: Account = parts.iter().map(|p| &p.receipt).collect();
        let splits = workspace.state().splits(run, &label).await.map_err(state)?;
        let done = splits.iter().filter(|s| s.status == SplitStatus::Loaded).count();
        let seconds = parts.iter().map(|p| p.receipt.micros).sum::<u64>() as f64 / 1e6;
        let said = said.get(&label).cloned().unwrap_or_default();
        let in_order = said.reconciled.map(|reconciled| reconciled && agrees(checks.get(&label)));
        let d = &account.dispositions;
        let problem = outcome.failed.get(&label).map(|failed| TableProblem {
            problem: failed.problem.clone(),
            help: failed.help.clone(),
            command: format!("dunlin run --table {}", quoted(&label)),
        });
        let of_table = |left: &&LeftBehind| left.is_of(&saved.source.name);
        let left_behind = outcome.left_behind.iter().filter(of_table).map(|l| l.what.clone()).collect();
        tables.push(RunTable {
            table: label,
            counts: dunlin_ledger::Counts {
                source_rows: account.source.rows,
                loaded: d.loaded.rows,
                merged: d.merged.rows,
                quarantined: d.quarantined.rows,
                excluded: d.excluded.rows,
                erased: d.erased.rows,
            },
            source_rows: account.source.rows,
            preexisting: saved.preexisting.rows,
            source_hash: account.source.hash.to_string(),
            expected_hash: account.expected.hash.to_string(),
            target_hash: said.target_hash,
            reconciled: said.reconciled,
            in_order,
            reconciled_at: said.reconciled_at,
            verified_at: said.verified_at,
            entry: said.entry,
            splits_done: done as u32,
            splits: splits.len() as u32,
            seconds,
            rows_per_second: if seconds > 0.0 { account.source.rows as f64 / seconds } else { 0.0 },
            reasons: account.reasons.clone(),
            problem,
            left_behind,
            strip: splits.iter().take(SPLITS_SHOWN).map(strip).collect(),
        });
    }
    Ok(tables)
}

/// Whether what was checked of a table besides its rows is as it should be, as [`dunlin_move::TableResult::in_order`]
/// has it.
fn agrees(checks: Option<&serde_json::Value>) -> bool {
    let checked: Checked =
        checks.and_then(|kept| serde_json::from_value(kept.clone()).ok()).unwrap_or_default();
    checked.totals.is_none_or(|totals| totals.agree) && !checked.sets.iter().any(SetResult::stops)
}

/// A label as a shell takes it.
fn quoted(label: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if label.chars().all(plain) { label.to_owned() } else { format!("'{}'", label.replace('\'', "'\\''")) }
}

/// What a table of a rehearsal came to; nothing was written, so nothing was read again.
pub(super) fn rehearsed(result: &dunlin_move::TableResult) -> RunTable {
    RunTable {
        table: result.table.clone(),
        counts: dunlin_ledger::Counts {
            source_rows: result.source_rows,
            loaded: result.loaded,
            merged: result.merged,
            quarantined: result.quarantined,
            excluded: result.excluded,
            erased: result.erased,
        },
        source_rows: result.source_rows,
        preexisting: result.preexisting,
        source_hash: result.source_hash.to_string(),
        expected_hash: result.expected_hash.to_string(),
        target_hash: None,
        reconciled: None,
        in_order: None,
        reconciled_at: None,
        verified_at: None,
        entry: None,
        splits_done: 0,
        splits: 0,
        seconds: result.seconds,
        rows_per_second: result.rows_per_second as f64,
        reasons: result.reasons.clone(),
        problem: None,
        left_behind: Vec::new(),
        strip: Vec::new(),
    }
}

/// A split as a page draws it: whether it is done, and how much of it waits for a person.
fn strip(split: &SplitRecord) -> dunlin_server::SplitState {
    let receipt = split.receipt.clone();
    let receipt =
        receipt.and_then(|r| serde_json::from_value::<dunlin_move::StoredPart>(r).ok()).map(|p| p.receipt);
    dunlin_server::SplitState {
        split: split.split,
        done: split.status == SplitStatus::Loaded,
        rows: receipt.as_ref().map_or(0, |r| r.source.rows),
        quarantined: receipt.as_ref().map_or(0, |r| r.dispositions.quarantined.rows),
    }
}

async fn said(workspace: &Workspace, run: &str) -> Result<BTreeMap<String, Said>, StoreError> {
    workspace.integrate().await?;
    let mut found: BTreeMap<String, Said> = BTreeMap::new();
    for (index, bytes) in (0..).zip(workspace.ledger()?.entries(0)) {
        let entry = Entry::from_bytes(&bytes?)?;
        let at = entry.at;
        match entry.body {
            Body::TableReconciled { run: of, table, target_hash, reconciled, .. } if of == run => {
                let said = found.entry(table).or_default();
                (said.target_hash, said.reconciled) = (Some(target_hash), Some(reconciled));
                (said.reconciled_at, said.entry) = (Some(at), Some(index));
            }
            Body::Verified { run: of, table, target_hash, reconciled, .. } if of == run => {
                let said = found.entry(table).or_default();
                (said.target_hash, said.reconciled) = (Some(target_hash), Some(reconciled));
                (said.verified_at, said.entry) = (Some(at), Some(index));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Gives a run up that is not finished; what it loaded stays, and is accounted for.
pub(super) async fn abandon(workspace: &Workspace, run: &str, actor: Actor) -> Result<(), EngineError> {
    // Held until the end, so that no process goes on with it meanwhile.
    let _lock = workspace.lock_run().map_err(|e| moved(e.into()))?;
    let record = workspace.state().run(run).await.map_err(unknown)?;
    if record.status.is_over() {
        return Err(EngineError::Conflict {
            message: format!("the run is {}", record.status.as_str()),
            help: Some("what it loaded can be taken back by `undo`".to_owned()),
        });
    }
    let entered = async {
        let mut tx = workspace.state().begin().await?;
        tx.set_run_status(run, dunlin_store::RunStatus::Abandoned).await?;
        tx.enter(Entry { at: now_us(), actor, body: Body::RunAbandoned { run: run.to_owned() } }).await?;
        tx.commit().await
    };
    entered.await.map_err(state)
}

/// Takes back what a run loaded, by the plan that it was run with.
pub(super) async fn undo(
    workspace: &Workspace,
    plan: &PlanFile,
    run: &str,
    actor: Actor,
) -> Result<Vec<RunUndone>, EngineError> {
    let mut options = plan.options(None);
    options.actor = actor;
    let silent = Arc::new(|_: dunlin_move::Event<'_>| {});
    let undone = dunlin_move::undo(workspace, &plan.plan, run, &options, silent).await.map_err(moved)?;
    Ok(undone.into_iter().map(|t| RunUndone { table: t.table, rows: t.rows, dropped: t.dropped }).collect())
}

/// What a decision would come to; nothing is changed.
pub(super) async fn would_decide(
    workspace: &Workspace,
    plan: &PlanFile,
    groups: Vec<String>,
    decision: &Decision,
) -> Result<WouldDecide, EngineError> {
    let which = DecideOptions { groups, table: None, dry_run: true };
    let silent = Arc::new(|_: dunlin_move::Event<'_>| {});
    let options = plan.options(None);
    let done = dunlin_move::decide(workspace, &plan.plan, &options, &which, decision, silent).await;
    let mut would = WouldDecide::default();
    for table in done.map_err(moved)? {
        would.rows += table.rows;
        would.released += table.released;
        would.discarded += table.discarded;
        would.children += table.children;
        would.shapes.extend(table.shapes.into_iter().map(|c| ShapeChange {
            column: c.column,
            before: c.before,
            after: c.after,
            failed: c.failed,
            rows: c.rows,
        }));
        for (reason, rows) in table.waiting {
            *would.waiting.entry(reason).or_default() += rows;
        }
    }
    Ok(would)
}

fn unknown(error: StoreError) -> EngineError {
    match error {
        StoreError::Unknown { .. } => EngineError::Unknown("run"),
        other => state(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::agrees;

    #[test]
    fn totals_that_differ_and_set_rules_that_stop_are_not_in_order() {
        let totals = |agree: bool| json!({ "totals": { "agree": agree, "lines": [] } });
        let set = |holds: bool, otherwise: &str| {
            let rule = json!({ "name": "one", "check": "unique id", "otherwise": otherwise, "holds": holds });
            json!({ "sets": [rule] })
        };
        assert!(agrees(None));
        assert!(agrees(Some(&totals(true))));
        assert!(!agrees(Some(&totals(false))));
        assert!(agrees(Some(&set(true, "stop"))));
        assert!(agrees(Some(&set(false, "warn"))));
        assert!(!agrees(Some(&set(false, "stop"))));
        assert!(!agrees(Some(&set(false, "quarantine"))));
    }
}
