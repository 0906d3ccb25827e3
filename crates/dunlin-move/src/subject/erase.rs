//! An erasure, step by step, and the search that proves it. Each step is durable before the next begins.
//!
//! The order: search, letters that wait, targets children first, quarantine, rehearsal copies, the source where the plan says so,
//! corrections, row indexes, what deleted rows leave in files; then everything is searched once more, and what is found
//! nowhere is stated in the ledger and to the customer. Marks come before all of it ([`super::carry`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dunlin_plan::{OnErasure, Plan};
use dunlin_store::{Body, Effect, Entry, Mark, RequestKind, RequestRecord, RequestState, now_us};

use super::carry::{Carried, Elsewhere, FOUND, by_store, find, marks_of};
use super::receipt::{Statement, issue};
use super::request::{by_email, first_marks, forget, of, subject_of};
use super::scene::{Scene, Stand};
use super::stage::Subjects;
use super::sweep::{Found, Sweep};
use super::{act, compact, copies, quarantine, source};
use crate::run::{Event, Observer, RunOptions};
use crate::{MoveError, Result};

/// An erasure under way.
pub(crate) struct Erasing<'a> {
    pub(crate) stand: &'a Stand<'a>,
    pub(crate) scene: &'a Scene,
    pub(crate) options: &'a RunOptions,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) elsewhere: &'a dyn Elsewhere,
    pub(crate) key: String,
}

impl Erasing<'_> {
    /// Carries it out.
    pub(crate) async fn erase(self, record: RequestRecord) -> Result<Carried> {
        let run = self.stand.run();
        let (workspace, id) = (run.workspace, record.id.as_str());
        let subjects = of(run)?;
        act::recovered(self.stand).await?;
        let found = find(self.stand, &subjects, id).await?;
        fail::fail_point!("move::subject.found", |_| Err(MoveError::failpoint("move::subject.found")));
        // Before the rows go: once they are gone, nobody knows whose letters these are.
        let addresses = self.own_addresses(&subjects, &found).await?;
        self.letters(&addresses).await?;
        fail::fail_point!("move::subject.letters", |_| Err(MoveError::failpoint("move::subject.letters")));
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
        let record = self.close(record, &rows, &marks, &addresses).await?;
        forget(workspace, &record.id)?;
        notes.sort();
        notes.dedup();
        Ok(Carried { request: record, rows, receipt: Some(receipt), notes })
    }

    /// Letters that wait are not sent any more.
    async fn letters(&self, addresses: &BTreeSet<String>) -> Result<()> {
        let workspace = self.stand.run().workspace;
        let mut tx = workspace.state().begin().await?;
        self.elsewhere.forget(workspace, &mut tx, addresses).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The customer's addresses that no other customer has: a letter to a family's address is the others' too.
    async fn own_addresses(&self, subjects: &Subjects, found: &Found) -> Result<BTreeSet<String>> {
        let mut own = BTreeSet::new();
        for address in &found.addresses {
            let having = by_email(self.stand.run(), &subjects.links, address).await?;
            if having.iter().all(|key| *key == self.key) {
                own.insert(address.clone());
            }
        }
        Ok(own)
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
        addresses: &BTreeSet<String>,
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
        tx.forget_answers(&workspace.keys().subject_name(&self.key)?).await?;
        // Once more: an audience may have been read while the rows went.
        self.elsewhere.forget(workspace, &mut tx, addresses).await?;
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
        let keeps = subjects
            .links
            .tables
            .get(&spec.label)
            .filter(|t| t.on_erasure == OnErasure::Anonymise && record.kind == RequestKind::Erasure);
        if let (Some(links), Some(rows)) = (keeps, all.target.get(&spec.label)) {
            let asked = subjects.asked().await?;
            let full = act::changes(run, &asked, spec, links, rows, |k| k.request == record.id)?.len();
            let emptied = (rows.len() - full) as u64;
            let store = &spec.plan.to.store;
            if emptied > 0 {
                *found.entry(format!("target:{store}")).or_default() -= emptied;
                *found.entry(format!("kept:{store}")).or_default() += emptied;
                let note = "a law demands these rows; what is personal in them is gone".to_owned();
                notes.insert(format!("kept:{store}"), note);
            }
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
