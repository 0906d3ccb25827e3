//! `dunlin finish`: verifies once more, then removes dunlin's bookkeeping from the targets.

use std::sync::Arc;

use dunlin_plan::Plan;
use dunlin_store::{Body, Workspace};

use crate::finished::{self, Access};
use crate::run::{Observer, RunOptions};
use crate::verify::{Verified, locked};
use crate::{MoveError, Result, TableResult};

/// Finishes a plan's targets. Where the verification does not reconcile nothing is removed; the caller sees it in what
/// comes back.
///
/// # Errors
/// Those of verifying, and of the stores.
pub async fn finish(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<(Verified, Vec<String>)> {
    let _lock = workspace.lock_run()?;
    let verified = locked(workspace, plan, options, observer.clone()).await?;
    if !verified.tables.iter().all(TableResult::in_order) {
        return Ok((verified, Vec::new()));
    }
    let left_out = finished::left_out(workspace, plan, &verified.run).await?;
    if !left_out.is_empty() {
        return Err(MoveError::Refused {
            code: "tables-left-out",
            message: format!("the latest run is of some tables alone; not verified: {}", left_out.join(", ")),
            help: finished::TAKE_OVER.to_owned(),
        });
    }
    let record = workspace.state().run(&verified.run).await?;
    let opened = finished::open(workspace, plan, options, observer, record, Access::Write).await?;
    let targets = opened.run.targets().await?;
    // What stood aside for an enrichment or a decision that died goes back while it is still known.
    for spec in &opened.run.resolved.specs {
        targets[&spec.plan.to.store].connect_keys(&spec.target).await?;
    }
    opened.join(&targets).await?;
    let mut finished = Vec::new();
    for (name, target) in targets {
        fail::fail_point!("move::bookkeeping.before", |_| Err(MoveError::failpoint(
            "move::bookkeeping.before"
        )));
        target.finish().await?;
        fail::fail_point!("move::bookkeeping.after", |_| Err(MoveError::failpoint(
            "move::bookkeeping.after"
        )));
        workspace.state().enter(options.actor.clone(), Body::TargetFinished { store: name.clone() }).await?;
        finished.push(name);
    }
    workspace.integrate().await?;
    Ok((verified, finished))
}
