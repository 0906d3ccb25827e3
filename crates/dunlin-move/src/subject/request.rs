//! A request from its arrival to its decision. What carrying it out does is in [`super::carry`].

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_plan::Plan;
use dunlin_store::{
    Body, Effect, Entry, Identity, Mark, Purpose, RequestKind, RequestRecord, RequestState, Workspace, now_us,
};
use serde::{Deserialize, Serialize};

use super::links::Links;
use super::marks::{Book, Form, Known};
use super::scene::{Stand, scene};
use super::stage::Subjects;
use super::sweep::Sweep;
use super::values::Correction;
use crate::batch::{body, lead, marker_of};
use crate::finished::Access;
use crate::run::{Observer, Run, RunOptions};
use crate::spec::Value;
use crate::{MoveError, Result};

/// How a customer is named. Customer data: it has no `Debug`.
#[derive(Clone)]
pub enum Who {
    /// By the subject's id, as the target holds it.
    Key(String),
    /// By an address that exactly one customer has.
    Email(String),
}

/// A request as it arrives.
pub struct NewRequest {
    /// What for.
    pub kind: RequestKind,
    /// Under which law, as a code such as `gdpr`.
    pub law: Option<String>,
    /// When it arrived, in microseconds since 1970 UTC.
    pub received_at: i64,
    /// The first moment that is too late, by `dunlin_tell::clock`.
    pub due_at: Option<i64>,
    /// The same with the law's extension.
    pub extended_to: Option<i64>,
    /// Whose data.
    pub who: Who,
    /// Who deals with it.
    pub owner: Option<String>,
    /// For an objection or consent: the purpose as the plan's tables name it; `None` for all.
    pub purpose: Option<String>,
    /// For a rectification: `(table, column, value)`; `None` for NULL. The values are sealed.
    pub set: Vec<(String, String, Option<String>)>,
}

/// What names a customer, sealed in `.dunlin/subjects/` until an erasure is through.
#[derive(Serialize, Deserialize)]
struct Named {
    key: String,
}

const TABLE: &str = "subject";
const NAME: &str = "who";

/// The name under which a customer's salt and entries stand: a keyed hash of the key.
pub(crate) fn subject_of(workspace: &Workspace, key_id: &str, key: &str) -> Result<String> {
    let mac = workspace.keys().key_by_id(Purpose::Tombstone, key_id)?;
    let mut hasher = blake3::Hasher::new_keyed(&mac);
    hasher.update(b"subject").update(key.as_bytes());
    Ok(hasher.finalize().to_hex().to_string())
}

/// Takes a request in. The customer is looked for in the targets and the sources; what names them is sealed.
///
/// # Errors
/// When nobody, or more than one, is found; when a correction does not fit; and those of the stores and the state.
pub async fn open(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
    new: NewRequest,
) -> Result<RequestRecord> {
    let scene = scene(workspace, plan).await?;
    let stand = Stand::open(workspace, &scene, options, observer, Access::Read).await?;
    let run = stand.run();
    let subjects = of(run)?;
    let key = identify(run, &subjects.links, &new.who).await?;
    let corrections = corrections(run, &subjects.links, &new)?;
    let _turn = workspace.requests_turn().await?;
    tidy(workspace).await?;
    let id = dunlin_store::new_id();
    let sealed = workspace.subjects();
    let mut writer = sealed.create(&id, TABLE, NAME)?;
    writer.push(&serde_json::to_vec(&Named { key: key.clone() }).unwrap_or_default())?;
    writer.finish()?;
    for correction in &corrections {
        correction.seal(&sealed, &id)?;
    }
    fail::fail_point!("move::subject.sealed", |_| Err(MoveError::failpoint("move::subject.sealed")));
    let key_id = workspace.keys().key_id(Purpose::Tombstone)?;
    let subject = subject_of(workspace, &key_id, &key)?;
    let record = RequestRecord {
        id: id.clone(),
        kind: new.kind,
        law: new.law,
        opened_at: now_us(),
        received_at: new.received_at,
        due_at: new.due_at,
        extended_to: new.extended_to,
        owner: new.owner,
        identity: Identity::Unchecked,
        decision: None,
        reason_category: None,
        reason_hash: None,
        state: RequestState::Open,
        undo_until: None,
        purpose: new.purpose.unwrap_or_default(),
        subject: subject.clone(),
        key_id,
        ended_at: None,
    };
    let mut tx = workspace.state().begin().await?;
    let salt = tx.subject_salt(&subject).await?;
    tx.insert_request(&record).await?;
    let body = Body::RequestOpened {
        request: id,
        request_kind: record.kind.as_str().to_owned(),
        law: record.law.clone(),
        subject: workspace.keys().row_name(&salt, TABLE, key.as_bytes())?,
        due_at: record.due_at,
    };
    tx.enter(Entry { at: now_us(), actor: options.actor.clone(), body }).await?;
    tx.commit().await?;
    workspace.integrate().await?;
    Ok(record)
}

/// What a decision says.
pub struct Deciding {
    /// Whether the customer is who they say, where that was looked at.
    pub identity: Option<Identity>,
    /// `Granted`, `Refused` or `Withdrawn`; `None` to note the identity alone.
    pub state: Option<RequestState>,
    /// Why, as a code, e.g. `legal_obligation`.
    pub reason_category: String,
    /// Why, in words: kept in the state, the ledger gets a salted hash.
    pub reason: String,
    /// How long it can be taken back, in microseconds.
    pub undo_us: i64,
    /// Who deals with it from now on.
    pub owner: Option<String>,
}

/// Decides on a request that is not carried out yet.
///
/// # Errors
/// When it is over or being carried out already.
pub async fn decide(
    workspace: &Workspace,
    actor: &dunlin_store::Actor,
    id: &str,
    deciding: Deciding,
) -> Result<RequestRecord> {
    // Begun first: nobody else writes from here on, so what is read is what stands.
    let mut tx = workspace.state().begin().await?;
    let mut record = workspace.state().request(id).await?;
    if !matches!(record.state, RequestState::Open | RequestState::Granted) {
        return Err(MoveError::Refused {
            code: "request-decided",
            message: format!("request {id} is {} and cannot be decided on", record.state.as_str()),
            help: "open another request".to_owned(),
        });
    }
    let entry = |body| Entry { at: now_us(), actor: actor.clone(), body };
    if let Some(identity) = deciding.identity {
        record.identity = identity;
        let outcome = identity.as_str().to_owned();
        tx.enter(entry(Body::RequestIdentity { request: id.to_owned(), outcome })).await?;
    }
    if deciding.owner.is_some() {
        record.owner = deciding.owner;
    }
    if let Some(state) = deciding.state {
        let reason_hash = tx.keep_text(&deciding.reason).await?;
        record.state = state;
        record.decision = Some(state.as_str().to_owned());
        record.reason_category = Some(deciding.reason_category.clone());
        record.reason_hash = Some(reason_hash.clone());
        let granted = state == RequestState::Granted;
        record.undo_until = granted.then(|| now_us().saturating_add(deciding.undo_us));
        record.ended_at = (!granted).then(now_us);
        tx.enter(entry(Body::RequestDecided {
            request: id.to_owned(),
            decision: state.as_str().to_owned(),
            reason_category: deciding.reason_category,
            reason_hash,
        }))
        .await?;
    }
    tx.update_request(&record).await?;
    tx.commit().await?;
    if record.ended_at.is_some() {
        forget(workspace, id)?;
    }
    workspace.integrate().await?;
    Ok(record)
}

/// Who a customer is in a run's plan, or why that cannot be told.
pub(crate) fn of(run: &Run<'_>) -> Result<Arc<Subjects>> {
    run.subjects.clone().ok_or_else(|| MoveError::Refused {
        code: "no-subject-table",
        message: "the customers' table of [subject], or its id, is not moved by this plan".to_owned(),
        help: "name the target of one of the plan's tables, and a column that it gets".to_owned(),
    })
}

/// The key of a customer whom a request names.
pub(crate) fn named(workspace: &Workspace, request: &str) -> Result<Option<String>> {
    let sealed = workspace.subjects();
    if !sealed.list(request)?.iter().any(|at| at.table == TABLE && at.name == NAME) {
        return Ok(None);
    }
    let payload = sealed.open(request, TABLE, NAME)?.next().transpose()?;
    let named: Option<Named> = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
    Ok(named.map(|n| n.key))
}

/// Removes what a request has sealed.
pub(crate) fn forget(workspace: &Workspace, request: &str) -> Result<()> {
    let sealed = workspace.subjects();
    for at in sealed.list(request)? {
        sealed.remove(&at)?;
    }
    sealed.remove_unfinished(request)?;
    // Nothing is in it any more; that a folder stays behind would hurt nobody.
    let _ = std::fs::remove_dir_all(workspace.state_dir.join("subjects").join(request));
    Ok(())
}

/// Removes who a request is about. What it corrects stays: it is asked for in later runs.
pub(crate) fn forget_name(workspace: &Workspace, request: &str) -> Result<()> {
    let sealed = workspace.subjects();
    for at in sealed.list(request)?.into_iter().filter(|at| !Correction::is_at(at)) {
        sealed.remove(&at)?;
    }
    Ok(())
}

/// Removes what an ended request has sealed and nothing needs any more.
pub(crate) fn forget_ended(workspace: &Workspace, record: &RequestRecord) -> Result<()> {
    match (record.ended_at, record.kind, record.state) {
        (None, ..) => Ok(()),
        (_, RequestKind::Rectification, RequestState::Done) => forget_name(workspace, &record.id),
        _ => forget(workspace, &record.id),
    }
}

/// Removes what is left sealed where a process died: of requests that were never entered, and of those that ended.
async fn tidy(workspace: &Workspace) -> Result<()> {
    let known = workspace.state().requests().await?;
    for folder in super::sweep::folders(&workspace.state_dir.join("subjects"))? {
        match known.iter().find(|r| r.id == folder) {
            Some(record) => forget_ended(workspace, record)?,
            None => forget(workspace, &folder)?,
        }
    }
    Ok(())
}

/// The marks that a customer is known by before anything is found: the id as the target holds it, and as the source
/// does where it is taken over untouched.
pub(crate) fn first_marks(
    run: &Run<'_>,
    links: &Links,
    key: &str,
    (request, effect, purpose): (&str, Effect, &str),
) -> Result<Vec<Mark>> {
    let book = Book::new(run.workspace.keys(), &[])?;
    let known = Known { effect, purpose: purpose.to_owned(), request: request.to_owned(), at: now_us() };
    let known = std::slice::from_ref(&known);
    let mut marks = book.derive(&links.id.domain, Form::Target, &[Some(key)], known);
    let root = run.resolved.specs.iter().find(|s| s.label == links.root);
    let id = root.and_then(|s| s.mapping.columns.get(*links.id.columns.first()?));
    if id.is_some_and(|m| matches!(m.value, Value::Column(_)) && m.protect.is_none()) {
        marks.extend(book.derive(&links.id.domain, Form::Source, &[Some(key)], known));
    }
    Ok(marks)
}

/// Finds the key of exactly one customer.
async fn identify(run: &Run<'_>, links: &Links, who: &Who) -> Result<String> {
    let nobody = |by: &str| MoveError::Refused {
        code: "nobody",
        message: format!("no customer has this {by}, neither in the target nor in the source"),
        help: "look it up in the system that the customer knows; nothing was entered".to_owned(),
    };
    match who {
        Who::Key(key) => {
            let asked = first_marks(run, links, key, ("", Effect::Erased, ""))?;
            let mut sweep = Sweep::new(run, links, &asked)?;
            let found = sweep.targets(true).await?;
            let there =
                |rows: &BTreeMap<String, Vec<_>>| rows.get(&links.root).is_some_and(|r| !r.is_empty());
            let source = found.source.get(&links.root).is_some_and(|r| !r.is_empty());
            if there(&found.target) || source { Ok(key.clone()) } else { Err(nobody("key")) }
        }
        Who::Email(email) => {
            let keys = by_email(run, links, email).await?;
            match keys.as_slice() {
                [] => Err(nobody("address")),
                [one] => Ok(one.clone()),
                many => Err(MoveError::Refused {
                    code: "several",
                    message: format!("{} customers have this address", many.len()),
                    help: "ask which of them it is, and name the key: --subject KEY".to_owned(),
                }),
            }
        }
    }
}

/// The keys of the customers with this address, in the target or on their way into it.
pub(super) async fn by_email(run: &Run<'_>, links: &Links, email: &str) -> Result<Vec<String>> {
    let spec = run.resolved.specs.iter().find(|s| s.label == links.root);
    let (Some(spec), Some(place), Some(id)) = (spec, links.email, links.id.columns.first()) else {
        return Err(MoveError::Refused {
            code: "no-email",
            message: "the plan does not say which column holds a customer's address".to_owned(),
            help: "add `email = \"column\"` to [subject], or name the key: --subject KEY".to_owned(),
        });
    };
    let mapped = &spec.mapping.columns[place];
    // ASCII alone: other letters that fold into these lead to other mailboxes.
    let plain = email.trim().to_ascii_lowercase();
    let wanted: Vec<String> = match mapped.protect {
        None => vec![plain],
        Some(_) => {
            let (array, _) = super::values::made(mapped, &run.protector, &[Some(email.trim())]);
            dunlin_connect::array_to_text(&array, &mapped.load_type).into_iter().flatten().collect()
        }
    };
    let look = |rows: &arrow::array::RecordBatch, there: &mut dyn FnMut(&str, bool)| {
        let text = |place: usize| dunlin_connect::array_to_text(rows.column(place), &mapped.load_type);
        for (address, key) in text(place).into_iter().zip(text(*id)) {
            let same = address
                .is_some_and(|a| wanted.iter().any(|w| *w == a || *w == a.trim().to_ascii_lowercase()));
            let Some(key) = key else { continue };
            there(&key, same);
        }
    };
    // Whom the source knows by this address, and the target perhaps by another one since.
    let mut coming: Vec<String> = Vec::new();
    let reader = run.source(spec)?.reader().await?;
    let mut pipeline = run.pipeline(spec, &reader).await?;
    pipeline.subjects = None;
    let bounds = reader.splits(&spec.source, 250_000, &[]).await?;
    let splits: Vec<_> = bounds.into_iter().enumerate().map(|(i, b)| (i as u32, b)).collect();
    let reads = spec.read.len();
    pipeline
        .for_each(&splits, |batch| {
            if marker_of(batch).is_none() {
                look(&body(batch, reads, batch.num_columns() - lead::COUNT), &mut |key, same| {
                    if same && !coming.iter().any(|k| k == key) {
                        coming.push(key.to_owned());
                    }
                });
            }
            Ok(())
        })
        .await?;
    let (mut keys, mut arrived): (Vec<String>, Vec<String>) = Default::default();
    if crate::resolve::existing_target(run.target(spec)?.as_ref(), &spec.plan).await?.is_some() {
        let mut stream = run.target(spec)?.reader().await?.read_addressed(Arc::clone(&spec.target)).await?;
        while let Some(batch) = futures::StreamExt::next(&mut stream).await {
            look(&crate::address::mapped_columns(spec, &batch?.rows)?, &mut |key, same| {
                if same && !keys.iter().any(|k| k == key) {
                    keys.push(key.to_owned());
                }
                if coming.iter().any(|k| k == key) {
                    arrived.push(key.to_owned());
                }
            });
        }
    }
    // Who has arrived is known by the address there: an old one may be somebody else's by now.
    keys.extend(coming.into_iter().filter(|key| !arrived.contains(key)));
    Ok(keys)
}

fn corrections(run: &Run<'_>, links: &Links, new: &NewRequest) -> Result<Vec<Correction>> {
    let refused =
        |message: String, help: String| Err(MoveError::Refused { code: "correction", message, help });
    if new.kind != RequestKind::Rectification {
        return match new.set.is_empty() {
            true => Ok(Vec::new()),
            false => refused(
                format!("a request for {} has nothing to set", new.kind.as_str()),
                "--set goes with --kind rectification".to_owned(),
            ),
        };
    }
    let mut by_table: BTreeMap<&String, Correction> = BTreeMap::new();
    for (table, column, value) in &new.set {
        let fresh = || Correction { table: table.clone(), set: BTreeMap::new() };
        by_table.entry(table).or_insert_with(fresh).set.insert(column.clone(), value.clone());
    }
    if by_table.is_empty() {
        let help = "--set store.table.column=VALUE".to_owned();
        return refused("a rectification must say what is to stand where".to_owned(), help);
    }
    for (table, correction) in &by_table {
        let spec = run.resolved.specs.iter().find(|s| s.label == **table);
        let Some(spec) = spec.filter(|s| links.tables.contains_key(&s.label)) else {
            let known: Vec<&str> = links.tables.keys().map(String::as_str).collect();
            let help = crate::draft::nearest_name(table, &known);
            return refused(format!("`{table}` is no table with rows of a customer"), help);
        };
        correction.check(spec, &run.protector)?;
    }
    Ok(by_table.into_values().collect())
}
