//! What customers ask for, acting on the move: find, export, erase, correct, restrict, object, consent, and the receipt.
//!
//! A customer is a row of the plan's `[subject]`; other rows are the customer's by foreign key or by their table's
//! `subject`. A request is taken in ([`open`]), decided on ([`decide`]) and carried out ([`carry_out`], or [`export`] and
//! [`exported`]); it is remembered by *marks*, keyed hashes by which every later run knows the customer's rows in flight.
//! [`receipt`] searches every store that dunlin knows and states what it found.
//!
//! | asked | before and during a run | after it |
//! | --- | --- | --- |
//! | erasure | rows end as `erased`, or go on emptied where a law keeps them | they leave targets, quarantine, copies, indexes, and the source where the plan says so |
//! | rectification | rows go on corrected, after the mapping | they are corrected in the target, and stay so over later runs |
//! | restriction, objection, consent | rows end as `excluded` with that reason | they stay; the next run leaves them behind |
//!
//! Not here: by when a request must be answered (`dunlin-tell`), letters, pages, and who may decide.

mod act;
mod amend;
mod carry;
mod compact;
mod copies;
mod erase;
mod export;
mod left;
pub(crate) mod links;
mod look;
mod marks;
pub(crate) mod meant;
mod quarantine;
mod reach;
mod receipt;
mod request;
mod scene;
mod source;
pub(crate) mod stage;
mod sweep;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_plan::Plan;
use dunlin_store::{Effect, RequestKind, Workspace};

pub(crate) use act::{as_they_are, at_settle};
pub use carry::{Carried, Elsewhere, carry_out};
pub use export::{Export, Part, export, exported};
pub use look::{asked_by, corrects, customers_with, look, whose};
pub use reach::{Reach, reach};
pub use receipt::{FORMAT, Receipt, ReceiptError, Statement};
pub use request::{Deciding, NewRequest, Who, decide, open};

use crate::finished::Access;
use crate::run::{Observer, Run, RunOptions};
use crate::spec::TableSpec;
use crate::{MoveError, Result};

/// The tables whose rows lead to a customer, by label: the subject's own, and those that reach it by foreign key or by
/// their `subject`.
pub fn tables_of_customers(plan: &Plan, specs: &[Arc<TableSpec>]) -> std::collections::BTreeSet<String> {
    links::Links::of(plan, specs).map(|links| links.tables.into_keys().collect()).unwrap_or_default()
}

/// How many rows of a request's customer are where: `target:STORE`, `source:STORE`, `quarantine`. `key` names the
/// customer once an erasure has shredded what did.
///
/// # Errors
/// When the key is not this customer's, and those of the stores.
pub async fn find(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
    id: &str,
    key: Option<&str>,
) -> Result<BTreeMap<String, u64>> {
    let record = workspace.state().request(id).await?;
    let key = key_of(workspace, &record, key)?;
    let scene = scene::scene(workspace, plan).await?;
    let stand = scene::Stand::open(workspace, &scene, options, observer, Access::Read).await?;
    let subjects = request::of(stand.run())?;
    let mut marks = carry::marks_of(workspace, id).await?;
    let effect = Effect::Restricted;
    marks.extend(request::first_marks(stand.run(), &subjects.links, &key, (id, effect, ""))?);
    let mut sweep = sweep::Sweep::new(stand.run(), &subjects.links, &marks)?;
    Ok(sweep.all().await?.places(stand.run()))
}

/// Searches every store that dunlin knows for a request's customer, enters what was found, and makes a receipt of it.
///
/// # Errors
/// When the key is not this customer's, and those of the stores and the ledger.
pub async fn receipt(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
    id: &str,
    key: Option<&str>,
) -> Result<Receipt> {
    let record = workspace.state().request(id).await?;
    let key = key_of(workspace, &record, key)?;
    let scene = scene::scene(workspace, plan).await?;
    let stand = scene::Stand::open(workspace, &scene, options, observer.clone(), Access::Read).await?;
    let subjects = request::of(stand.run())?;
    let plan = &scene.plan;
    let statement = erase::search(&stand, plan, options, &observer, &subjects, &record, &key).await?;
    receipt::issue(workspace, options, statement).await
}

/// The customer's key: what the request has sealed, or what was given, held against the hash that stays.
fn key_of(
    workspace: &Workspace,
    record: &dunlin_store::RequestRecord,
    given: Option<&str>,
) -> Result<String> {
    let sealed = request::named(workspace, &record.id)?;
    let Some(key) = given.map(str::to_owned).or(sealed) else {
        return Err(MoveError::Refused {
            code: "subject-forgotten",
            message: format!("request {} does not hold any more who it is about", record.id),
            help: format!("name the customer: dunlin request receipt {} --out FILE --subject KEY", record.id),
        });
    };
    if request::subject_of(workspace, &record.key_id, &key)? != record.subject {
        return Err(MoveError::Refused {
            code: "other-subject",
            message: format!("request {} is about another customer", record.id),
            help: "give the key that the request was opened for".to_owned(),
        });
    }
    Ok(key)
}

/// Whether customers have asked, since a run began, for what decides anew which rows of a table move: then nothing of
/// that run is taken over unread.
pub(crate) async fn asked_since(
    run: &Run<'_>,
    subjects: &stage::Subjects,
    spec: &TableSpec,
    began: i64,
) -> Result<bool> {
    if !subjects.links.tables.contains_key(&spec.label) {
        return Ok(false);
    }
    let limits = |kind| {
        matches!(
            kind,
            RequestKind::Restriction
                | RequestKind::Objection
                | RequestKind::ConsentWithdrawn
                | RequestKind::ConsentGiven
        )
    };
    let requests = run.workspace.state().requests().await?;
    Ok(requests
        .iter()
        .any(|r| limits(r.kind) && r.decision.is_some() && r.ended_at.is_none_or(|e| e >= began)))
}
