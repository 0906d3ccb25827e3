//! Carrying a granted request out. Each step is durable before the next begins; a process that dies anywhere is asked
//! again and ends the same.
//!
//! An erasure goes: marks (from here on no run brings the customer back), search, targets children first, quarantine,
//! rehearsal copies, the source where the plan says so, corrections, row indexes, what deleted rows leave in files; then
//! everything is searched once more, and what is found nowhere is stated in the ledger and to the customer.

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_plan::Plan;
use dunlin_store::{
    Body, Effect, Entry, Identity, Mark, RequestKind, RequestRecord, RequestState, StoreError, Workspace,
    now_us,
};

use super::receipt::{Receipt, Statement, issue};
use super::request::{first_marks, forget, named, of, subject_of};
use super::scene::{Scene, Stand, scene};
use super::stage::Subjects;
use super::sweep::{Found, Sweep};
use super::{act, compact, copies, quarantine, source};
use crate::finished::Access;
use crate::run::{Event, Observer, Run, RunOptions};
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
            Erasing { stand: &stand, scene: &scene, options, observer, key }.erase(record).await
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
            if record.ended_at.is_some() {
                forget(workspace, request)?;
            }
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
const FOUND: &str = "found";

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
async fn find(stand: &Stand<'_>, subjects: &Subjects, request: &str) -> Result<Found> {
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
    end(run.workspace, options, record, "correction", rows).await
}

/// Restrictions, objections and consent are conditions of the next run: nothing is done to rows now.
async fn limit(stand: &Stand<'_>, options: &RunOptions, record: RequestRecord) -> Result<Carried> {
    let effect = match record.kind {
        RequestKind::Restriction => "restriction",
        RequestKind::Objection => "objection",
        RequestKind::ConsentGiven => "consent_given",
        _ => "consent_withdrawn",
    };
    end(stand.run().workspace, options, record, effect, BTreeMap::new()).await
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

fn by_store(run: &Run<'_>, by_table: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut rows = BTreeMap::new();
    for spec in &run.resolved.specs {
        let n = by_table.get(&spec.label).copied().unwrap_or_default();
        *rows.entry(format!("target:{}", spec.plan.to.store)).or_default() += n;
    }
    rows
}

/// An erasure under way.
struct Erasing<'a> {
    stand: &'a Stand<'a>,
    scene: &'a Scene,
    options: &'a RunOptions,
    observer: Arc<dyn Observer>,
    key: String,
}

impl Erasing<'_> {
    async fn erase(self, record: RequestRecord) -> Result<Carried> {
        let run = self.stand.run();
        let (workspace, id) = (run.workspace, record.id.as_str());
        let subjects = of(run)?;
        act::recovered(self.stand).await?;
        let found = find(self.stand, &subjects, id).await?;
        fail::fail_point!("move::subject.found", |_| Err(MoveError::failpoint("move::subject.found")));
        let mut rows = by_store(run, &act::after_run(self.stand, &subjects, &found, id).await?);
        let left = quarantine::leave(run, self.stand.id(), &found.quarantine).await?;
        rows.insert("quarantine".to_owned(), left);
        let marks = marks_of(workspace, id).await?;
        let asked = (Some(self.key.as_str()), marks.as_slice());
        let plan = &self.scene.plan;
        for copy in copies::search(workspace, plan, self.options, &self.observer, asked, true).await? {
            rows.insert(format!("copy:{}", copy.run), copy.rows.unwrap_or_default());
        }
        fail::fail_point!("move::subject.copies", |_| Err(MoveError::failpoint("move::subject.copies")));
        if plan.subject.as_ref().is_some_and(|s| s.erase_source) {
            for (store, deleted) in source::erase(self.stand, &subjects, &found, id).await? {
                rows.insert(format!("source:{store}"), deleted);
            }
        }
        self.corrections(&record).await?;
        let mut notes = self.scrub(&found).await?;
        compact::rows(run, &subjects.links).await?;
        fail::fail_point!("move::subject.swept", |_| Err(MoveError::failpoint("move::subject.swept")));
        let statement = self.search(&subjects, &record).await?;
        let receipt = issue(workspace, self.options, statement).await?;
        let rows = self.total(id, rows).await?;
        let record = self.close(record, &rows, &marks).await?;
        forget(workspace, &record.id)?;
        notes.sort();
        notes.dedup();
        Ok(Carried { request: record, rows, receipt: Some(receipt), notes })
    }

    /// What the customer had corrected is customer data too.
    async fn corrections(&self, record: &RequestRecord) -> Result<()> {
        let workspace = self.stand.run().workspace;
        for other in workspace.state().requests().await? {
            if other.id != record.id && subject_of(workspace, &other.key_id, &self.key)? == other.subject {
                forget(workspace, &other.id)?;
            }
        }
        Ok(())
    }

    /// Files that are dunlin's or the targets' give up what deleted rows leave behind.
    async fn scrub(&self, found: &Found) -> Result<Vec<String>> {
        let run = self.stand.run();
        run.observer.event(Event::Step { table: None, step: "give up what deleted rows leave behind" });
        let scratch = run.workspace.state_dir.join("tmp");
        for entry in std::fs::read_dir(&scratch).into_iter().flatten().flatten() {
            // No run is at work: what is here a process has left that died.
            let path = entry.path();
            let gone =
                if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            gone.map_err(|e| MoveError::file(&path, &e))?;
        }
        let mut notes = Vec::new();
        for (name, target) in self.stand.targets().await? {
            let here = run.resolved.specs.iter().filter(|s| s.plan.to.store == name);
            let tables: Vec<_> =
                here.filter(|s| found.target.contains_key(&s.label)).map(|s| s.target.name.clone()).collect();
            if !target.scrub(&tables).await? {
                notes.push(format!(
                    "store `{name}` is being read: its file keeps what deleted rows leave behind until the next `VACUUM`"
                ));
            }
        }
        Ok(notes)
    }

    /// Searches everything once more. A row that is still in a target, in quarantine or in a copy is an error.
    async fn search(&self, subjects: &Subjects, record: &RequestRecord) -> Result<Statement> {
        let plan = &self.scene.plan;
        let observer = &self.observer;
        let statement = search(self.stand, plan, self.options, observer, subjects, record, &self.key).await?;
        let erases_source = plan.subject.as_ref().is_some_and(|s| s.erase_source);
        let kept =
            |place: &str| place.starts_with("kept:") || (place.starts_with("source:") && !erases_source);
        match statement.found.iter().find(|(place, n)| **n > 0 && !kept(place)) {
            None => Ok(statement),
            Some((place, n)) => Err(MoveError::Broken {
                message: format!("{} of the customer came back to {place} meanwhile", crate::error::rows(*n)),
                help: format!("carry it out again: dunlin request carry-out {}", record.id),
            }),
        }
    }

    /// How many rows went, those of a try that died included.
    async fn total(&self, id: &str, rows: BTreeMap<String, u64>) -> Result<BTreeMap<String, u64>> {
        let noted = self.stand.run().workspace.state().step(id, FOUND).await?;
        let first: BTreeMap<String, u64> =
            noted.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let mut total = rows;
        for (place, n) in first.into_iter().filter(|(place, _)| !place.starts_with("source:")) {
            let own = total.entry(place).or_default();
            *own = (*own).max(n);
        }
        Ok(total)
    }

    async fn close(
        &self,
        mut record: RequestRecord,
        rows: &BTreeMap<String, u64>,
        marks: &[Mark],
    ) -> Result<RequestRecord> {
        let workspace = self.stand.run().workspace;
        let entry = |body| Entry { at: now_us(), actor: self.options.actor.clone(), body };
        let mut macs: Vec<&str> = marks.iter().map(|m| m.mac.as_str()).collect();
        macs.sort_unstable();
        let mut root = blake3::Hasher::new();
        macs.iter().for_each(|mac| {
            root.update(mac.as_bytes());
        });
        let request = record.id.clone();
        record.state = RequestState::Done;
        record.ended_at = Some(now_us());
        let mut tx = workspace.state().begin().await?;
        let salt = tx.subject_salt(&record.subject).await?;
        let subject = workspace.keys().row_name(&salt, "subject", self.key.as_bytes())?;
        let root = root.finalize().to_hex().to_string();
        tx.enter(entry(Body::SubjectErased { request: request.clone(), subject, rows: rows.clone(), root }))
            .await?;
        tx.enter(entry(Body::RequestClosed { request, outcome: "done".to_owned() })).await?;
        tx.shred_subject(&record.subject).await?;
        tx.update_request(&record).await?;
        tx.commit().await?;
        fail::fail_point!("move::subject.closed", |_| Err(MoveError::failpoint("move::subject.closed")));
        Ok(record)
    }
}

/// Searches every store that dunlin knows, and the copies of rehearsals, for the customer of a request.
pub(crate) async fn search(
    stand: &Stand<'_>,
    plan: &Plan,
    options: &RunOptions,
    observer: &Arc<dyn Observer>,
    subjects: &Subjects,
    record: &RequestRecord,
    key: &str,
) -> Result<Statement> {
    let run = stand.run();
    let mut marks = marks_of(run.workspace, &record.id).await?;
    marks.extend(first_marks(run, &subjects.links, key, (&record.id, Effect::Erased, ""))?);
    let mut sweep = Sweep::new(run, &subjects.links, &marks)?;
    let all = sweep.all().await?;
    let mut found = all.places(run);
    let mut notes = BTreeMap::new();
    for copy in copies::search(run.workspace, plan, options, observer, (Some(key), &marks), false).await? {
        let place = format!("copy:{}", copy.run);
        if copy.rows.is_none() {
            notes.insert(place.clone(), "the copy is not there any more".to_owned());
        }
        found.insert(place, copy.rows.unwrap_or_default());
    }
    for spec in &run.resolved.specs {
        let keeps = subjects.links.tables.get(&spec.label).filter(|t| {
            t.on_erasure == dunlin_plan::OnErasure::Anonymise && record.kind == RequestKind::Erasure
        });
        if let (Some(links), Some(rows)) = (keeps, all.target.get(&spec.label)) {
            let asked = subjects.asked().await?;
            let full = act::changes(run, &asked, spec, links, rows, |k| k.request == record.id)?.len();
            let emptied = (rows.len() - full) as u64;
            let store = &spec.plan.to.store;
            *found.entry(format!("target:{store}")).or_default() -= emptied;
            *found.entry(format!("kept:{store}")).or_default() += emptied;
            let note = format!("rows of {} that a law demands, without what is personal in them", spec.label);
            notes.insert(format!("kept:{store}"), note);
        }
        let place = format!("source:{}", spec.plan.from.store);
        let kept = !plan.subject.as_ref().is_some_and(|s| s.erase_source);
        if kept && found.get(&place).is_some_and(|n| *n > 0) {
            notes.insert(
                place,
                "the plan does not delete in the source: these rows are there and do not move".into(),
            );
        }
    }
    Ok(Statement {
        request: record.id.clone(),
        kind: record.kind.as_str().to_owned(),
        subject: key.to_owned(),
        searched_at: now_us(),
        found,
        notes,
    })
}
