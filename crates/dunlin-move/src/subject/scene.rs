//! Where a request acts: the latest finished run and its stores, or, before the first run, the stores alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_connect::Target;
use dunlin_plan::Plan;
use dunlin_store::{RunKind, RunRecord, RunStatus, Workspace};

use crate::finished::{self, Access, Finished};
use crate::resolve::resolve;
use crate::run::{Observer, Run, RunOptions};
use crate::stores::Stores;
use crate::{MoveError, Result, duplicates};

/// The plan by which a request acts, and the run whose rows it acts on.
pub(crate) struct Scene {
    pub(crate) plan: Plan,
    pub(crate) record: Option<RunRecord>,
    /// A run that was begun and is not at its end.
    pub(crate) unfinished: Option<String>,
}

/// The latest finished run moved by its own plan; who a customer is and what an erasure does, the plan of today says.
pub(crate) async fn scene(workspace: &Workspace, plan: &Plan) -> Result<Scene> {
    if plan.subject.is_none() {
        return Err(MoveError::Refused {
            code: "no-subject",
            message: "the plan does not say who a customer is".to_owned(),
            help: "add [subject] with `table = \"store.table\"` and `id = \"column\"`".to_owned(),
        });
    }
    let open = workspace.state().unfinished_runs().await?;
    let begun = open.into_iter().find(|r| r.kind == RunKind::Load);
    let unfinished = begun.as_ref().map(|r| r.id.clone());
    let mut runs = workspace.state().runs().await?;
    runs.retain(|r| r.kind == RunKind::Load && r.status == RunStatus::Done);
    // A first run that is not at its end has kept its tables already, with the keys that they will have.
    let Some(record) = runs.into_iter().max_by_key(|r| r.started_at).or(begun) else {
        return Ok(Scene { plan: plan.clone(), record: None, unfinished });
    };
    if record.fingerprint == plan.fingerprint().to_string() {
        return Ok(Scene { plan: plan.clone(), record: Some(record), unfinished });
    }
    let mut then =
        dunlin_plan::load(&record.plan_text, &record.plan_file).map_err(|_| MoveError::Refused {
            code: "earlier-plan",
            message: format!("the plan of run {} cannot be read any more", record.id),
            help: "run the plan as it is now, then carry the request out".to_owned(),
        })?;
    then.subject = plan.subject.clone();
    for table in &mut then.tables {
        if let Some(now) = plan.table(&table.label()) {
            table.subject = now.subject.clone();
            table.on_erasure = now.on_erasure;
        }
    }
    Ok(Scene { plan: then, record: Some(record), unfinished })
}

/// The stores, opened.
pub(crate) enum Stand<'a> {
    /// After a run.
    Done(Box<Finished<'a>>),
    /// Before the first one.
    Before(Box<Run<'a>>),
}

impl<'a> Stand<'a> {
    pub(crate) async fn open(
        workspace: &'a Workspace,
        scene: &'a Scene,
        options: &'a RunOptions,
        observer: Arc<dyn Observer>,
        access: Access,
    ) -> Result<Stand<'a>> {
        if let Some(record) = scene.record.clone() {
            let opened = finished::open(workspace, &scene.plan, options, observer, record, access).await?;
            // A duplicate that was folded into a customer's row is the customer's as well.
            duplicates::again(&opened.run, &opened.record.id).await?;
            return Ok(Stand::Done(Box::new(opened)));
        }
        let stores = Stores::open(&scene.plan, &options.base).await?;
        let resolved = resolve(&scene.plan, &stores, dunlin_store::now_us(), &BTreeMap::new()).await?;
        let run = Run::new(workspace, stores, &scene.plan, options, observer, resolved)?;
        Ok(Stand::Before(Box::new(run)))
    }

    pub(crate) fn run(&self) -> &Run<'a> {
        match self {
            Stand::Done(finished) => &finished.run,
            Stand::Before(run) => run,
        }
    }

    /// The run whose equation the rows stand in.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Stand::Done(finished) => Some(&finished.record.id),
            Stand::Before(_) => None,
        }
    }

    /// The targets as they are: nothing is made in them.
    pub(crate) async fn targets(&self) -> Result<BTreeMap<String, Arc<dyn Target>>> {
        let mut targets = BTreeMap::new();
        let run = self.run();
        for spec in &run.resolved.specs {
            let name = &spec.plan.to.store;
            if !targets.contains_key(name) {
                targets.insert(name.clone(), run.target(spec)?.target().await?);
            }
        }
        Ok(targets)
    }
}
