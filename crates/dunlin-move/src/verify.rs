//! `dunlin verify`: both sides are read again, independently of the load path, and every differing key is named.
//!
//! A table that goes over as it is is compared range by range ([`crate::ranges`]). For others, first both sides are
//! hashed. Where the source is what the run read and the target is what the run loaded, that is
//! the proof. Where not, the difference is narrowed: rows fall into 256 buckets by the hash of their key, and only the
//! buckets whose sums differ are looked at row by row, against the row index of the load and against the source mapped
//! anew. So memory is bounded by the buckets that differ, and ten differences among millions of rows cost one more read.

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_gate::{AccessLog, Ask, Opened, Policy, Refused, Rows, Sealed};
use dunlin_plan::Plan;
use dunlin_store::Workspace;
use serde::{Deserialize, Serialize};

use crate::accounting::Tally;
use crate::differences::Search;
use crate::finished::{self, Access};
use crate::parts::{account, parts_of};
use crate::ranges::Ranges;
use crate::reconcile::{TableResult, enter, hash_table};
use crate::run::{Event, Observer, Run, RunOptions, row_key};
use crate::spec::TableSpec;
use crate::{Result, recover, sets, totals};

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
    /// Its key in the target, `column=value`, as the gate let it out; absent where the table has no key.
    pub key: BTreeMap<String, String>,
    /// How it differs.
    pub kind: DifferenceKind,
    /// The columns that differ; empty for missing and extra rows.
    pub columns: Vec<String>,
}

/// A row that differs, without anything of what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DifferingRow {
    /// How it differs.
    pub kind: DifferenceKind,
    /// The columns that differ; empty for missing and extra rows.
    pub columns: Vec<String>,
    /// Its name in the log of accesses: a keyed hash of its key, as hex.
    pub name: String,
}

/// The differing rows of one table. Their keys are customer data and under seal.
#[derive(Clone)]
pub struct Differences {
    /// The table's label in the plan.
    pub table: String,
    /// How they differ.
    pub rows: Vec<DifferingRow>,
    /// Their keys, in the same order.
    pub keys: Sealed<Rows>,
}

impl Differences {
    /// Lets the keys out through the gate. The caller closes what was opened once it has shown them.
    ///
    /// # Errors
    /// When the policy says no, or the access cannot be entered.
    pub async fn open(
        self,
        policy: &dyn Policy,
        log: &dyn AccessLog,
        mut ask: Ask,
    ) -> std::result::Result<(Vec<Difference>, Opened), Refused> {
        ask.row_names = self.rows.iter().map(|r| r.name.clone()).collect();
        ask.surface = "differences".to_owned();
        let opened = dunlin_gate::open(self.keys, policy, log, &ask, &dunlin_store::new_id()).await?;
        let mut told: Vec<Difference> = self
            .rows
            .into_iter()
            .zip(&opened.rows)
            .map(|(row, values)| {
                let name = |c: &dunlin_gate::ColumnInfo| c.name.clone();
                let value = |v: &Option<String>| v.clone().unwrap_or_else(|| "?".to_owned());
                let key = opened.columns.iter().map(name).zip(values.iter().map(value)).collect();
                Difference { key, kind: row.kind, columns: row.columns }
            })
            .collect();
        told.sort_by(|a, b| (a.kind, &a.key, &a.columns).cmp(&(b.kind, &b.key, &b.columns)));
        Ok((told, opened))
    }
}

/// What a verification found: the run, and each table.
pub struct Verified {
    /// The run that was verified.
    pub run: String,
    /// The fingerprint of its plan.
    pub fingerprint: String,
    /// Each table. What differs is not in here but in `differences`.
    pub tables: Vec<TableResult>,
    /// The differing rows of each table that has any.
    pub differences: Vec<Differences>,
}

/// Verifies the latest finished run of this plan.
///
/// # Errors
/// No such run, a run at work in this workspace, or stores that cannot be read. Differences are no error: they are the result.
pub async fn verify(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<Verified> {
    let _lock = workspace.lock_run()?;
    locked(workspace, plan, options, observer).await
}

/// Verifies; the caller holds the run's lock.
pub(crate) async fn locked(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<Verified> {
    let record = finished::latest(workspace, plan).await?;
    let opened = finished::open(workspace, plan, options, observer, record, Access::Read).await?;
    let (record, saved, run) = (&opened.record, &opened.saved, &opened.run);
    // A decision or an enrichment whose process died may be in the target and not in the state.
    recover::receipts(run, &record.id, &opened.targets_as_they_are().await?).await?;
    let (mut tables, mut differences) = (Vec::new(), Vec::new());
    for spec in &run.resolved.specs {
        let chosen = options.tables.is_empty() || options.tables.contains(&spec.label);
        let Some(saved) = saved.get(&spec.label).filter(|_| chosen) else { continue };
        let (result, differing) = table(run, &record.id, spec, saved.preexisting).await?;
        enter(run, &record.id, &result, true).await?;
        tables.push(result);
        differences.extend(differing.filter(|d| !d.rows.is_empty()));
    }
    workspace.integrate().await?;
    Ok(Verified { run: record.id.clone(), fingerprint: record.fingerprint.clone(), tables, differences })
}

async fn table(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    preexisting: Tally,
) -> Result<(TableResult, Option<Differences>)> {
    let begun = std::time::Instant::now();
    let parts = parts_of(run.workspace.state(), id, &spec.label).await?;
    let account = account(&parts);
    let preexisting = account.preexisting(preexisting);
    let key = row_key(run.workspace)?;
    let ranges = Ranges::of(run, spec, key, &account, preexisting).await?;
    if let Some(ranges) = &ranges {
        run.observer.event(Event::Step { table: Some(&spec.label), step: "read both sides again" });
        let read = ranges.read(run.options.jobs).await?;
        let mut result = TableResult::new(&spec.label, &account, preexisting, read.target, 0.0);
        result.source_rows = read.source.rows;
        result.source_hash = read.source.hash;
        result.reconciled &= read.source == account.source;
        if result.reconciled {
            // What is added up does not come by here: `is_plain`.
            result.sets = sets::hold(run, id, spec, read.target.rows, &Default::default()).await?;
            return Ok((timed(result, begun), None));
        }
        run.observer.event(Event::Step { table: Some(&spec.label), step: "find what differs" });
        if let Some(found) = ranges.differing(&read).await? {
            return Ok((timed(result, begun), Some(Differences::of(spec, found))));
        }
    }
    run.observer.event(Event::Step { table: Some(&spec.label), step: "read the source again" });
    let source_reader = run.source(spec)?.reader().await?;
    let source =
        hash_table(&source_reader, &spec.source, &spec.read, key, &[], run.options.jobs, &[None, None])
            .await?;
    run.observer.event(Event::Step { table: Some(&spec.label), step: "read the target again" });
    let target_reader = run.target(spec)?.reader().await?;
    let read_back = spec.read_back();
    let (jobs, added_up) = (run.options.jobs, spec.added_up());
    let target =
        hash_table(&target_reader, &spec.target, &read_back, key, &spec.key, jobs, &added_up).await?;
    let mut result = TableResult::new(&spec.label, &account, preexisting, target.all, 0.0);
    // Erased rows that were deleted in the source as well are not met again, and are accounted for all the same.
    let mut read = source.all;
    read += account.gone;
    let source_same = read == account.source;
    result.source_rows = read.rows;
    result.source_hash = read.hash;
    result.reconciled &= source_same;
    let [totals, sums] = target.totals.clone();
    result.totals = totals::compare(run, id, spec, &parts, totals).await?;
    result.sets = sets::hold(run, id, spec, target.all.rows, &sums).await?;
    let mut differences = None;
    if !result.reconciled {
        run.observer.event(Event::Step { table: Some(&spec.label), step: "find what differs" });
        let search = Search { run, id, spec, key, parts: &parts };
        differences = Some(search.differences(&target, source_same, preexisting).await?);
    }
    Ok((timed(result, begun), differences))
}

/// The result with the time that it took.
fn timed(mut result: TableResult, begun: std::time::Instant) -> TableResult {
    result.seconds = begun.elapsed().as_secs_f64();
    result.rows_per_second =
        if result.seconds > 0.0 { (result.source_rows as f64 / result.seconds) as u64 } else { 0 };
    result
}
