//! `dunlin verify`: both sides are read again, independently of the load path, and every differing key is named.
//!
//! First both sides are hashed. Where the source is what the run read and the target is what the run loaded, that is
//! the proof. Where not, the difference is narrowed: rows fall into 256 buckets by the hash of their key, and only the
//! buckets whose sums differ are looked at row by row, against the row index of the load and against the source mapped
//! anew. So memory is bounded by the buckets that differ, and ten differences among millions of rows cost one more read.

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_plan::Plan;
use dunlin_store::{RunStatus, Workspace};
use serde::{Deserialize, Serialize};

use crate::accounting::Tally;
use crate::differences::Search;
use crate::parts::{account, parts_of};
use crate::reconcile::{TableResult, entry, hash_table};
use crate::resolve::resolve;
use crate::run::{Event, Observer, Run, RunOptions, row_key};
use crate::spec::TableSpec;
use crate::stores::Stores;
use crate::{MoveError, Result, recover};

/// How a row differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// It should be in the target and is not.
    Missing,
    /// It is in the target and should not be.
    Extra,
    /// It is there with other values.
    Changed,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Its key in the target, `column=value`, masked unless asked in the clear; absent where the table has no key.
    pub key: BTreeMap<String, String>,
    /// How it differs.
    pub kind: DifferenceKind,
    /// The columns that differ; empty for missing and extra rows.
    pub columns: Vec<String>,
}

/// What a verification found: the run, and each table.
pub struct Verified {
    /// The run that was verified.
    pub run: String,
    /// The fingerprint of its plan.
    pub fingerprint: String,
    /// Each table.
    pub tables: Vec<TableResult>,
}

/// Verifies the latest finished run of this plan.
///
/// # Errors
/// No such run, or stores that cannot be read. Differences are no error: they are the result.
pub async fn verify(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    clear: bool,
    observer: Arc<dyn Observer>,
) -> Result<Verified> {
    let stores = Stores::open(plan, &options.base).await?;
    let record = finished_run(workspace, plan).await?;
    let saved = recover::saved_tables(workspace, &record.id).await?;
    let resolved = resolve(plan, &stores, record.started_at, &saved).await?;
    let run = Run::new(workspace, stores, plan, options, observer, resolved)?;
    let mut tables = Vec::new();
    for spec in &run.resolved.specs {
        let chosen = options.tables.is_empty() || options.tables.contains(&spec.label);
        let Some(saved) = saved.get(&spec.label).filter(|_| chosen) else { continue };
        let result = table(&run, &record.id, spec, saved.preexisting, clear).await?;
        workspace.state().enter(options.actor.clone(), entry(&record.id, &result, true)).await?;
        tables.push(result);
    }
    workspace.integrate().await?;
    Ok(Verified { run: record.id, fingerprint: record.fingerprint, tables })
}

/// The latest run of this plan that was brought to its end.
pub(crate) async fn finished_run(workspace: &Workspace, plan: &Plan) -> Result<dunlin_store::RunRecord> {
    let fingerprint = plan.fingerprint().to_string();
    let mut runs = workspace.state().runs().await?;
    runs.retain(|r| r.kind == dunlin_store::RunKind::Load && r.fingerprint == fingerprint);
    runs.sort_by_key(|r| r.started_at);
    match runs.iter().rev().find(|r| r.status == RunStatus::Done) {
        Some(found) => Ok(found.clone()),
        None if runs.is_empty() => Err(MoveError::Refused {
            code: "no-run",
            message: "this plan has not been run yet".to_owned(),
            help: "`dunlin run` moves the data; an edited plan is another plan".to_owned(),
        }),
        None if runs.iter().all(|r| r.status == RunStatus::Abandoned) => Err(MoveError::Refused {
            code: "no-run",
            message: "the runs of this plan were taken back or given up".to_owned(),
            help: "`dunlin run` moves the data again".to_owned(),
        }),
        None => Err(MoveError::Refused {
            code: "run-unfinished",
            message: "the run of this plan is not finished".to_owned(),
            help: "`dunlin run` goes on with it".to_owned(),
        }),
    }
}

async fn table(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    preexisting: Tally,
    clear: bool,
) -> Result<TableResult> {
    let begun = std::time::Instant::now();
    let parts = parts_of(run.workspace.state(), id, &spec.label).await?;
    let account = account(&parts);
    let key = row_key(run.workspace)?;
    run.observer.event(Event::Step { table: Some(&spec.label), step: "read the source again" });
    let source_reader = run.source(spec)?.reader().await?;
    let source = hash_table(&source_reader, &spec.source, &spec.read, key, &[], run.options.jobs).await?;
    run.observer.event(Event::Step { table: Some(&spec.label), step: "read the target again" });
    let target_reader = run.target(spec)?.reader().await?;
    let read_back = spec.read_back();
    let target =
        hash_table(&target_reader, &spec.target, &read_back, key, &spec.key, run.options.jobs).await?;
    let mut result = TableResult::new(&spec.label, &account, preexisting, target.all, 0.0);
    let source_same = source.all == account.source;
    result.source_rows = source.all.rows;
    result.source_hash = source.all.hash;
    result.reconciled &= source_same;
    if !result.reconciled {
        run.observer.event(Event::Step { table: Some(&spec.label), step: "find what differs" });
        let search = Search { run, spec, key, clear, parts: &parts };
        result.differences = search.differences(&target, source_same, preexisting).await?;
    }
    result.seconds = begun.elapsed().as_secs_f64();
    result.rows_per_second =
        if result.seconds > 0.0 { (result.source_rows as f64 / result.seconds) as u64 } else { 0 };
    Ok(result)
}
