//! Customers, for the server: the mover's `subject` over the workspace's plan as it is now. What changes something goes on
//! when the client leaves.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use dunlin_ledger::Actor;
use dunlin_move::RunOptions;
use dunlin_move::subject::{self, Deciding, NewRequest, Part, Who};
use dunlin_server::{
    CarriedOut, CustomerKey, CustomerPart, CustomerReach, Customers, EngineError, Named, NewCustomerRequest,
    RequestDecision,
};
use dunlin_store::{RequestRecord, StoreError, Workspace};

use super::{moved, told};
use crate::workspace::PlanFile;

/// The customers of one workspace.
#[derive(Clone)]
pub(super) struct Subjects {
    workspace: Arc<Workspace>,
    dir: PathBuf,
}

impl Subjects {
    pub(super) fn new(workspace: Arc<Workspace>) -> Subjects {
        Subjects { dir: workspace.dir.clone(), workspace }
    }

    fn plan(&self, actor: Actor) -> Result<(PlanFile, RunOptions), EngineError> {
        let plan = PlanFile::read(&self.dir).map_err(told)?;
        let mut options = plan.options(None);
        options.actor = actor;
        Ok((plan, options))
    }
}

fn silent() -> Arc<dyn dunlin_move::Observer> {
    Arc::new(|_: dunlin_move::Event<'_>| {})
}

/// By itself: a client that leaves, or waits no longer, does not stop it half-way.
async fn apart<T: Send + 'static>(
    work: impl Future<Output = Result<T, EngineError>> + Send + 'static,
) -> Result<T, EngineError> {
    tokio::spawn(work).await.map_err(|_| EngineError::Failed)?
}

/// What the mover says of a request, in the server's words.
fn asked(error: dunlin_move::MoveError) -> EngineError {
    match error {
        dunlin_move::MoveError::State(StoreError::Unknown { .. }) => EngineError::Unknown("request"),
        dunlin_move::MoveError::Waiting { message, help } => {
            EngineError::Conflict { message, help: Some(help) }
        }
        other => moved(other),
    }
}

fn part(part: Part, stores: &BTreeMap<String, String>) -> CustomerPart {
    let store = stores.get(&part.table).cloned();
    let store = store.unwrap_or_else(|| part.table.split('.').next().unwrap_or_default().to_owned());
    let Part { side, table, count, correctable, rows } = part;
    CustomerPart { side, store, table, count, correctable, rows }
}

/// The store of each table whose name does not begin with it.
fn stores(plan: &PlanFile) -> BTreeMap<String, String> {
    let sides = plan
        .plan
        .tables
        .iter()
        .flat_map(|t| [(t.label(), t.to.store.clone()), (t.from.to_string(), t.from.store.clone())]);
    sides.collect()
}

#[async_trait]
impl Customers for Subjects {
    async fn with_address(&self, email: &str) -> Result<Vec<CustomerKey>, EngineError> {
        let (plan, options) = self.plan(Actor::System)?;
        let keys = subject::customers_with(&self.workspace, &plan.plan, &options, silent(), email).await;
        Ok(keys.map_err(asked)?.into_iter().map(CustomerKey).collect())
    }

    async fn look(&self, who: &CustomerKey) -> Result<Vec<CustomerPart>, EngineError> {
        let (plan, options) = self.plan(Actor::System)?;
        let found = subject::look(&self.workspace, &plan.plan, &options, silent(), &who.0).await;
        let stores = stores(&plan);
        Ok(found.map_err(asked)?.into_iter().map(|one| part(one, &stores)).collect())
    }

    async fn asked_by(&self, who: &CustomerKey) -> Result<Vec<RequestRecord>, EngineError> {
        subject::asked_by(&self.workspace, &who.0).await.map_err(asked)
    }

    async fn reach(&self, who: &CustomerKey) -> Result<CustomerReach, EngineError> {
        let (plan, options) = self.plan(Actor::System)?;
        let found = subject::reach(&self.workspace, &plan.plan, &options, silent(), &who.0).await;
        let subject::Reach { address, locale } = found.map_err(asked)?;
        Ok(CustomerReach { address, locale })
    }

    async fn whose(&self, id: &str) -> Result<Option<CustomerKey>, EngineError> {
        Ok(subject::whose(&self.workspace, id).map_err(asked)?.map(CustomerKey))
    }

    async fn corrects(&self, id: &str) -> Result<Vec<(String, String)>, EngineError> {
        subject::corrects(&self.workspace, id).map_err(asked)
    }

    async fn open(&self, new: NewCustomerRequest, actor: Actor) -> Result<RequestRecord, EngineError> {
        let ((plan, options), this) = (self.plan(actor)?, self.clone());
        let new = NewRequest {
            kind: new.kind,
            law: new.law,
            received_at: new.received_at,
            due_at: new.due_at,
            extended_to: new.extended_to,
            who: match new.who {
                Named::Key(key) => Who::Key(key.0),
                Named::Email(email) => Who::Email(email),
            },
            owner: new.owner,
            purpose: new.purpose,
            set: new.set,
        };
        apart(async move {
            subject::open(&this.workspace, &plan.plan, &options, silent(), new).await.map_err(asked)
        })
        .await
    }

    async fn decide(
        &self,
        id: &str,
        decision: RequestDecision,
        actor: Actor,
    ) -> Result<RequestRecord, EngineError> {
        let RequestDecision { identity, state, reason_category, reason, undo_us, owner } = decision;
        let deciding = Deciding { identity, state, reason_category, reason, undo_us, owner };
        subject::decide(&self.workspace, &actor, id, deciding).await.map_err(asked)
    }

    async fn carry_out(&self, id: &str, actor: Actor) -> Result<CarriedOut, EngineError> {
        let ((plan, options), this, id) = (self.plan(actor)?, self.clone(), id.to_owned());
        let carried = apart(async move {
            let letters = crate::letters::WaitingLetters;
            subject::carry_out(&this.workspace, &plan.plan, &options, silent(), &letters, &id)
                .await
                .map_err(asked)
        });
        let carried = carried.await?;
        let receipt = carried.receipt.as_ref().map(serde_json::to_value).transpose();
        Ok(CarriedOut {
            request: carried.request,
            rows: carried.rows,
            receipt: receipt.map_err(|_| EngineError::Failed)?,
            notes: carried.notes,
        })
    }

    async fn export(&self, id: &str) -> Result<Vec<CustomerPart>, EngineError> {
        let (plan, options) = self.plan(Actor::System)?;
        let found = subject::export(&self.workspace, &plan.plan, &options, silent(), id).await;
        let stores = stores(&plan);
        Ok(found.map_err(asked)?.parts.into_iter().map(|one| part(one, &stores)).collect())
    }

    async fn exported(&self, id: &str, rows: u64, actor: Actor) -> Result<RequestRecord, EngineError> {
        let (_, options) = self.plan(actor)?;
        subject::exported(&self.workspace, &options, id, rows).await.map_err(asked)
    }

    async fn receipt(
        &self,
        id: &str,
        who: Option<&CustomerKey>,
        actor: Actor,
    ) -> Result<serde_json::Value, EngineError> {
        let (plan, options) = self.plan(actor)?;
        let key = who.map(|key| key.0.as_str());
        let made = subject::receipt(&self.workspace, &plan.plan, &options, silent(), id, key).await;
        serde_json::to_value(made.map_err(asked)?).map_err(|_| EngineError::Failed)
    }
}
