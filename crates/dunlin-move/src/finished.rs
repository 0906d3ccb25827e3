//! A run that came to its end, opened again: for `verify`, `quarantine …`, `enrich`, `finish`, `undo` and for showing
//! what waits.
//!
//! Not here: what is done with it, and runs that go on ([`crate::run`]).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use dunlin_connect::Target;
use dunlin_plan::Plan;
use dunlin_store::{RunKind, RunRecord, RunStatus, SplitStatus, Workspace};

use crate::parts::{Part, parts_of};
use crate::resolve::{Resolved, resolve};
use crate::run::{Observer, Run, RunOptions};
use crate::spec::SavedTable;
use crate::stores::Stores;
use crate::{MoveError, Result, recover};

/// What opening a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Looking: a copy of the stores may stand in for them.
    Read,
    /// Writing: only into the very stores that the run moved between.
    Write,
}

/// A run, its tables as they were kept, and the plan resolved by them.
pub(crate) struct Reopened {
    pub(crate) stores: Stores,
    pub(crate) saved: BTreeMap<String, SavedTable>,
    pub(crate) resolved: Resolved,
}

/// Opens the stores of a run and resolves its plan as it was resolved then.
pub(crate) async fn reopen(
    workspace: &Workspace,
    plan: &Plan,
    base: &Path,
    record: &RunRecord,
    access: Access,
) -> Result<Reopened> {
    let stores = Stores::open(plan, base).await?;
    if access == Access::Write && stores.identities().await? != record.stores {
        return Err(MoveError::Refused {
            code: "other-stores",
            message: format!("run {} moved between other stores than these", record.id),
            help: "point the plan at the stores it was run on".to_owned(),
        });
    }
    let saved = recover::saved_tables(workspace, &record.id).await?;
    let resolved = resolve(plan, &stores, record.started_at, &saved).await?;
    Ok(Reopened { stores, saved, resolved })
}

/// A finished run that can be worked on again.
pub(crate) struct Finished<'a> {
    pub(crate) record: RunRecord,
    pub(crate) saved: BTreeMap<String, SavedTable>,
    pub(crate) run: Run<'a>,
}

/// Opens this run.
pub(crate) async fn open<'a>(
    workspace: &'a Workspace,
    plan: &'a Plan,
    options: &'a RunOptions,
    observer: Arc<dyn Observer>,
    record: RunRecord,
    access: Access,
) -> Result<Finished<'a>> {
    let Reopened { stores, saved, resolved } =
        reopen(workspace, plan, &options.base, &record, access).await?;
    let run = Run::new(workspace, stores, plan, options, observer, resolved)?;
    Ok(Finished { record, saved, run })
}

impl Finished<'_> {
    /// The target stores as they are: nothing is made in them.
    pub(crate) async fn targets_as_they_are(&self) -> Result<BTreeMap<String, Arc<dyn Target>>> {
        let mut targets = BTreeMap::new();
        for spec in &self.run.resolved.specs {
            let name = &spec.plan.to.store;
            if !targets.contains_key(name) {
                targets.insert(name.clone(), self.run.target(spec)?.target().await?);
            }
        }
        Ok(targets)
    }

    /// Puts rows that were amended since into what the target's URL names: a file is not what it should be before.
    pub(crate) async fn join(&self, targets: &BTreeMap<String, Arc<dyn Target>>) -> Result<()> {
        join(&self.run, &self.record.id, targets).await
    }
}

/// Joins the parts of every table of a run.
pub(crate) async fn join(run: &Run<'_>, id: &str, targets: &BTreeMap<String, Arc<dyn Target>>) -> Result<()> {
    for spec in &run.resolved.specs {
        if run.target(spec)?.table(&spec.target.name).await?.is_none() {
            continue;
        }
        let target = &targets[&spec.plan.to.store];
        let receipts = target.receipts(id).await?;
        // What an earlier run loaded is in the file already, under that run's name; after `finish` there are no receipts.
        let known = |p: &Part| receipts.iter().any(|r| r.table == spec.label && r.part == p.name);
        let parts = parts_of(run.workspace.state(), id, &spec.label).await?;
        let parts: Vec<String> =
            parts.into_iter().filter(|p| p.origin == id && known(p)).map(|p| p.name).collect();
        target.join(id, &spec.target, &parts).await?;
    }
    Ok(())
}

/// The latest run of this plan that was brought to its end.
pub(crate) async fn latest(workspace: &Workspace, plan: &Plan) -> Result<RunRecord> {
    let fingerprint = plan.fingerprint().to_string();
    let mut runs = workspace.state().runs().await?;
    runs.retain(|r| r.kind == RunKind::Load && r.fingerprint == fingerprint);
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

/// The tables of the plan that earlier runs of it have loaded and this one has nothing to say of, because it was asked for
/// some tables alone. What is verified or finished by this run is silent about them.
///
/// # Errors
/// Those of the state.
pub async fn left_out(workspace: &Workspace, plan: &Plan, run: &str) -> Result<Vec<String>> {
    let state = workspace.state();
    let this = state.run(run).await?;
    let has: Vec<String> = state.tables(run).await?.into_iter().map(|(label, _)| label).collect();
    let mut out = Vec::new();
    for label in plan.tables.iter().map(dunlin_plan::TablePlan::label).filter(|l| !has.contains(l)) {
        for before in state.runs().await? {
            let same = before.kind == RunKind::Load
                && before.status == RunStatus::Done
                && before.fingerprint == this.fingerprint
                && before.stores == this.stores;
            if !same {
                continue;
            }
            let splits = state.splits(&before.id, &label).await?;
            if splits.iter().any(|s| s.status != SplitStatus::Undone) {
                out.push(label);
                break;
            }
        }
    }
    Ok(out)
}

/// How tables that were left out come in again.
pub const TAKE_OVER: &str =
    "`dunlin run` takes them over into one run, and keeps each row that did not change";
