//! `dunlin finish`: verifies once more, then removes dunlin's bookkeeping from the targets.

use std::collections::BTreeSet;
use std::sync::Arc;

use dunlin_plan::Plan;
use dunlin_store::{Body, Workspace};

use crate::Result;
use crate::run::{Observer, RunOptions};
use crate::stores::Stores;
use crate::verify::{Verified, verify};

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
    let verified = verify(workspace, plan, options, false, observer).await?;
    if !verified.tables.iter().all(|t| t.reconciled) {
        return Ok((verified, Vec::new()));
    }
    let _lock = workspace.lock_run()?;
    let stores = Stores::open(plan, &options.base).await?;
    let names: BTreeSet<&String> = plan.tables.iter().map(|t| &t.to.store).collect();
    let mut finished = Vec::new();
    for name in names {
        stores.get(name)?.target().await?.finish().await?;
        workspace.state().enter(options.actor.clone(), Body::TargetFinished { store: name.clone() }).await?;
        finished.push(name.clone());
    }
    workspace.integrate().await?;
    Ok((verified, finished))
}
