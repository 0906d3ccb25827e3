//! Requests that are carried out: by somebody, or by the server itself once what was granted without a person can no
//! longer be taken back. The customer is written to, and the task and live clients hear of it.
//!
//! Not here: what it does to rows ([`super::Customers`]).

use std::time::Duration;

use dunlin_ledger::Actor;
use dunlin_store::{CustomerRequest, Identity, RequestKind, RequestRecord, RequestState, StoreError, now_us};

use super::CarriedOut;
use super::desk::{Desk, details, follow, put, tell};
use super::letters::{self, Letter};
use crate::app::App;
use crate::engine::EngineError;
use crate::problem::Problem;

/// How long after a failure a request is tried again, in microseconds.
const AGAIN_US: i64 = 15 * 60 * 1_000_000;

/// Carries a granted request out, and writes to the customer.
pub(crate) async fn carry(app: &App, id: &str, actor: Actor) -> Result<CarriedOut, EngineError> {
    let customers = app.engine.customers().ok_or(EngineError::Unknown("request"))?;
    let _turn = app.requests.carrying.lock().await;
    // Before: carrying an erasure out forgets it.
    let contact = letters::contact(&app.workspace, id);
    let carried = customers.carry_out(id, actor).await?;
    letters::send(app, contact, &carried.request, &Letter::Done(carried.receipt.as_ref()));
    for note in &carried.notes {
        tracing::warn!(request = id, note, "a request was carried out, with a note");
    }
    ended(app, &carried.request).await;
    Ok(carried)
}

/// The task and live clients hear that a request has come further.
async fn ended(app: &App, record: &RequestRecord) {
    let task = details(app).await.ok().and_then(|mut all| all.remove(&record.id)).and_then(|one| one.task);
    follow(app, record, task).await;
    tell(app, record);
}

impl Desk {
    /// The customer has got the copy: the request is answered.
    pub(crate) async fn copied(&self, app: &App, id: &str, rows: u64, actor: Actor) -> Result<(), Problem> {
        let contact = letters::contact(&app.workspace, id);
        let record = app.customers()?.exported(id, rows, actor).await?;
        letters::send(app, contact, &record, &Letter::Done(None));
        ended(app, &record).await;
        Ok(())
    }
}

/// Each few seconds, what was granted without a person and can no longer be taken back is carried out; so is what waited
/// for a run, or died.
pub(crate) async fn carry_due(app: App) {
    let mut tick = tokio::time::interval(Duration::from_secs(2));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    if app.engine.customers().is_none() {
        return;
    }
    loop {
        tick.tick().await;
        match ready(&app).await {
            Ok(ready) => {
                for details in ready {
                    one(&app, details).await;
                }
            }
            Err(error) => tracing::error!(%error, "requests that are due could not be read"),
        }
    }
}

async fn ready(app: &App) -> Result<Vec<CustomerRequest>, StoreError> {
    let state = app.workspace.state();
    let known = state.customer_requests().await?;
    let waits = |one: &CustomerRequest| one.failed_at.is_some_and(|at| at + AGAIN_US > now_us());
    let known: Vec<CustomerRequest> = known.into_iter().filter(|one| one.by_itself && !waits(one)).collect();
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let requests = state.requests().await?;
    let is_ready = |r: &RequestRecord| {
        let copy = matches!(r.kind, RequestKind::Access | RequestKind::Portability);
        matches!(r.state, RequestState::Granted | RequestState::Acting)
            && !copy
            && r.identity == Identity::Confirmed
            && r.undo_until.is_none_or(|until| until <= now_us())
    };
    let ready = |one: &CustomerRequest| requests.iter().any(|r| r.id == one.request && is_ready(r));
    Ok(known.into_iter().filter(ready).collect())
}

async fn one(app: &App, details: CustomerRequest) {
    let id = details.request.clone();
    let failed = match carry(app, &id, Actor::System).await {
        Ok(_) => return,
        // A run is under way: what is asked for is remembered, and the run acts on it.
        Err(EngineError::Conflict { .. }) => return tokio::time::sleep(Duration::from_secs(5)).await,
        Err(error) => error,
    };
    tracing::error!(error = %failed, request = id, "a request could not be carried out");
    // The customer may have asked for nothing that can be done by itself: a person looks at it.
    let details = CustomerRequest { failed_at: Some(now_us()), ..details };
    if let Err(problem) = put(app, &details).await {
        tracing::error!(code = problem.code, request = id, "that a request failed could not be kept");
    }
}
