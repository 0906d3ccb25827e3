//! Carrying a granted request out. Each step is durable before the next begins; a process that dies anywhere is asked
//! again and ends the same.
//!
//! First the customer's rows are marked: from there on no run moves them otherwise than was asked. What an erasure does
//! then is in [`super::erase`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dunlin_plan::Plan;
use dunlin_store::{
    Body, Effect, Entry, Identity, Mark, RequestKind, RequestRecord, RequestState, StoreError, Tx, Workspace,
    now_us,
};
use futures::future::BoxFuture;

use super::act;
use super::erase::Erasing;
use super::receipt::Receipt;
use super::request::{first_marks, forget, forget_ended, forget_name, named, of};
use super::scene::{Stand, scene};
use super::stage::Subjects;
use super::sweep::{Found, Sweep};
use crate::finished::Access;
use crate::run::{Observer, Run, RunOptions};
use crate::{MoveError, Result};

/// What was carried out.
pub struct Carried {
    /// The request as it is now.
    pub request: RequestRecord,
    /// Rows that were changed or deleted, by place.
    pub rows: BTreeMap<String, u64>,
    /// What was found afterwards, stated and committed to.
    pub receipt: Option<Receipt>,
    /// What a person should know, e.g. a store that did not give up what deleted rows leave behind.
    pub notes: Vec<String>,
}

/// What is kept of customers by parts of dunlin that the mover does not know: letters that wait to be sent.
pub trait Elsewhere: Send + Sync {
    /// Forgets whoever has these addresses, in the transaction of the state that is given. Asked more than once.
    fn forget<'a>(
        &'a self,
        workspace: &'a Workspace,
        tx: &'a mut Tx,
        addresses: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, std::result::Result<(), StoreError>>;
}

/// Carries a request out: an erasure, a rectification, a restriction, an objection, or what is said of consent. Access and
/// portability are given by [`super::export`] and [`super::exported`].
///
/// # Errors
/// When it was not granted, the customer's identity is not confirmed, or it can still be taken back; and
/// [`MoveError::Waiting`] when a run has to come to its end first: what the request asks for is remembered by then, and
/// the run acts on it.
pub async fn carry_out(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
    elsewhere: &dyn Elsewhere,
    request: &str,
) -> Result<Carried> {
    let mut record = ready(workspace, request).await?;
    let Some(key) = named(workspace, request)? else {
        return Err(MoveError::Broken {
            message: format!("what names the customer of request {request} is not there any more"),
            help: "restore `.dunlin/subjects/` from a backup, or open the request again".to_owned(),
        });
    };
    let scene = scene(workspace, plan).await?;
    let effect = effect_of(record.kind)?;
    {
        let stand = Stand::open(workspace, &scene, options, observer.clone(), Access::Write).await?;
        mark(stand.run(), &mut record, effect, &key).await?;
    }
    fail::fail_point!("move::subject.marked", |_| Err(MoveError::failpoint("move::subject.marked")));
    let _lock = lock(workspace, request)?;
    if let Some(run) = scene.unfinished.as_ref().filter(|_| acts_on_targets(record.kind)) {
        return Err(waiting(request, &format!("run {run} is not finished")));
    }
    let stand = Stand::open(workspace, &scene, options, observer.clone(), Access::Write).await?;
    let carried = match record.kind {
        RequestKind::Erasure => {
            Erasing { stand: &stand, scene: &scene, options, observer, elsewhere, key }.erase(record).await
        }
        RequestKind::Rectification => rectify(&stand, options, record).await,
        _ => limit(&stand, options, record).await,
    };
    workspace.integrate().await?;
    carried
}

/// A request that may be carried out now.
pub(crate) async fn ready(workspace: &Workspace, request: &str) -> Result<RequestRecord> {
    let record = workspace.state().request(request).await?;
    let refused = |code, message: String, help: &str| {
        Err(MoveError::Refused { code, message, help: help.replace("ID", request) })
    };
    match record.state {
        RequestState::Granted | RequestState::Acting => {}
        RequestState::Open => {
            let message = format!("request {request} is not decided on");
            return refused("request-open", message, "dunlin request decide ID --grant --reason \"…\"");
        }
        over => {
            forget_ended(workspace, &record)?;
            let message = format!("request {request} is {} already", over.as_str());
            return refused("request-over", message, "dunlin request show ID");
        }
    }
    if record.identity != Identity::Confirmed {
        let message = format!("nobody has confirmed that who asks in {request} is the customer");
        let help = "check it, then: dunlin request decide ID --identity confirmed";
        return refused("identity", message, help);
    }
    if record.undo_until.is_some_and(|until| until > now_us()) {
        let message = format!("request {request} can still be taken back");
        return refused(
            "undo-window",
            message,
            "carry it out when that time is over: dunlin request show ID",
        );
    }
    Ok(record)
}

/// The step whose note says how many rows the first try found, by place.
pub(crate) const FOUND: &str = "found";

fn effect_of(kind: RequestKind) -> Result<Option<Effect>> {
    Ok(match kind {
        RequestKind::Erasure => Some(Effect::Erased),
        RequestKind::Rectification => Some(Effect::Correction),
        RequestKind::Restriction => Some(Effect::Restricted),
        RequestKind::Objection => Some(Effect::Objection),
        RequestKind::ConsentWithdrawn => Some(Effect::ConsentWithdrawn),
        RequestKind::ConsentGiven => None,
        RequestKind::Access | RequestKind::Portability => {
            return Err(MoveError::Refused {
                code: "export",
                message: "a copy of the data is written to a folder".to_owned(),
                help: "dunlin request carry-out ID --out DIR".to_owned(),
            });
        }
    })
}

fn acts_on_targets(kind: RequestKind) -> bool {
    matches!(kind, RequestKind::Erasure | RequestKind::Rectification)
}

fn waiting(request: &str, what: &str) -> MoveError {
    MoveError::Waiting {
        message: format!("{what}; what is asked for is remembered, and the run acts on it"),
        help: format!(
            "when the run is through (`dunlin run` goes on with it): dunlin request carry-out {request}"
        ),
    }
}

fn lock(workspace: &Workspace, request: &str) -> Result<dunlin_store::RunLock> {
    match workspace.lock_run() {
        Ok(lock) => Ok(lock),
        Err(StoreError::RunLocked { .. }) => Err(waiting(request, "a run is under way")),
        Err(error) => Err(error.into()),
    }
}

/// From here on the customer's rows are known to every run. Consent that is given again takes its marks away.
async fn mark(run: &Run<'_>, record: &mut RequestRecord, effect: Option<Effect>, key: &str) -> Result<()> {
    let subjects = of(run)?;
    if record.kind == RequestKind::Erasure {
        subjects.links.check(&run.resolved.specs)?;
    }
    let state = run.workspace.state();
    let marks = match effect {
        Some(effect) => first_marks(run, &subjects.links, key, (&record.id, effect, &record.purpose))?,
        None => Vec::new(),
    };
    let mut tx = state.begin().await?;
    // It may have been taken back while the stores were opened; nobody else writes from here on.
    let now = state.request(&record.id).await?;
    if !matches!(now.state, RequestState::Granted | RequestState::Acting) {
        return Err(MoveError::Refused {
            code: "request-over",
            message: format!("request {} is {} by now", record.id, now.state.as_str()),
            help: "nothing was done".to_owned(),
        });
    }
    if effect.is_none() {
        tx.remove_marks(&record.subject, Effect::ConsentWithdrawn, &record.purpose).await?;
    }
    tx.insert_marks(&marks).await?;
    record.state = RequestState::Acting;
    tx.update_request(record).await?;
    tx.commit().await?;
    Ok(())
}

/// The marks of one request.
pub(crate) async fn marks_of(workspace: &Workspace, request: &str) -> Result<Vec<Mark>> {
    let mut marks = workspace.state().marks().await?;
    marks.retain(|m| m.request == request);
    Ok(marks)
}

/// Everything of the customer, as far as the marks of a request lead; new ones are remembered.
pub(crate) async fn find(stand: &Stand<'_>, subjects: &Subjects, request: &str) -> Result<Found> {
    let run = stand.run();
    let marks = marks_of(run.workspace, request).await?;
    let mut sweep = Sweep::new(run, &subjects.links, &marks)?;
    let found = sweep.all().await?;
    let places = serde_json::to_string(&found.places(run)).unwrap_or_default();
    let mut tx = run.workspace.state().begin().await?;
    tx.insert_marks(&sweep.marks).await?;
    tx.note_step(request, FOUND, &places).await?;
    tx.commit().await?;
    Ok(found)
}

async fn rectify(stand: &Stand<'_>, options: &RunOptions, record: RequestRecord) -> Result<Carried> {
    let run = stand.run();
    let subjects = of(run)?;
    act::recovered(stand).await?;
    let found = find(stand, &subjects, &record.id).await?;
    fail::fail_point!("move::subject.found", |_| Err(MoveError::failpoint("move::subject.found")));
    let by_table = act::after_run(stand, &subjects, &found, &record.id).await?;
    let rows = by_store(run, &by_table);
    let carried = end(run.workspace, options, record, "correction", rows).await?;
    forget_name(run.workspace, &carried.request.id)?;
    Ok(carried)
}

/// Restrictions, objections and consent are conditions of the next run: nothing is done to rows now.
async fn limit(stand: &Stand<'_>, options: &RunOptions, record: RequestRecord) -> Result<Carried> {
    let effect = match record.kind {
        RequestKind::Restriction => "restriction",
        RequestKind::Objection => "objection",
        RequestKind::ConsentGiven => "consent_given",
        _ => "consent_withdrawn",
    };
    let carried = end(stand.run().workspace, options, record, effect, BTreeMap::new()).await?;
    // The marks know the rows from here on; who it is about, nothing needs any more.
    forget(stand.run().workspace, &carried.request.id)?;
    Ok(carried)
}

/// The request is answered: its mark in the ledger, and its end. What it corrects stays sealed, for later runs.
async fn end(
    workspace: &Workspace,
    options: &RunOptions,
    mut record: RequestRecord,
    effect: &str,
    rows: BTreeMap<String, u64>,
) -> Result<Carried> {
    let entry = |body| Entry { at: now_us(), actor: options.actor.clone(), body };
    let request = record.id.clone();
    record.state = RequestState::Done;
    record.ended_at = Some(now_us());
    let mut tx = workspace.state().begin().await?;
    let sum = rows.values().sum();
    tx.enter(entry(Body::SubjectMarked { request: request.clone(), effect: effect.to_owned(), rows: sum }))
        .await?;
    tx.enter(entry(Body::RequestClosed { request, outcome: "done".to_owned() })).await?;
    tx.update_request(&record).await?;
    tx.commit().await?;
    Ok(Carried { request: record, rows, receipt: None, notes: Vec::new() })
}

/// Rows by target store, from rows by table.
pub(crate) fn by_store(run: &Run<'_>, by_table: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut rows = BTreeMap::new();
    for spec in &run.resolved.specs {
        let n = by_table.get(&spec.label).copied().unwrap_or_default();
        *rows.entry(format!("target:{}", spec.plan.to.store)).or_default() += n;
    }
    rows
}
