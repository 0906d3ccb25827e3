//! What the ledger says of the steps of a migration: a pure fold over its entries, one at a time or all at once.
//!
//! Every entry that concerns a step leaves a [`Mark`] on it, with how the plan and the columns stood at that moment.
//! A step's status is read from its marks alone: so the fold of a whole ledger and one that grew with it agree, and a
//! status can be shown with the entries that it rests on. Not here: tasks, which only carry it.

mod runs;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dunlin_ledger::{Actor, Body, Counts, Entry};

use crate::model::{Binding, Evidence, StaleBecause, Status, Step};
use runs::step_of;

/// The marks of a step that are kept; older ones do not change its status.
const MARKS_MAX: usize = 40;
/// The marks that are shown.
const SHOWN: usize = 8;

/// How a table's part of the plan and its columns stand. An empty text means unknown, and equals everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    fingerprint: String,
    mapping: String,
    schema: String,
}

/// What an entry means for a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// It is under way.
    Begun,
    /// It is done.
    Good,
    /// It failed.
    Bad,
    /// What was done counts no more.
    Void,
}

/// An entry's mark on a step.
#[derive(Debug, Clone, PartialEq)]
struct Mark {
    word: Word,
    seen: Seen,
    progress: Option<f64>,
    evidence: Evidence,
}

/// A run as far as steps need it.
#[derive(Debug, Clone, Default)]
struct Run {
    fingerprint: String,
    rehearse: bool,
    /// Tables that it has begun and not finished.
    begun: BTreeSet<String>,
    rows: BTreeMap<String, u64>,
}

/// What a task bound to a step shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// Where it stands.
    pub status: Status,
    /// How far.
    pub progress: Option<f64>,
    /// Why, the newest last.
    pub evidence: Vec<Evidence>,
    /// What changed after the evidence.
    pub stale_because: Option<StaleBecause>,
    /// When it began.
    pub started_at: Option<i64>,
    /// When it was done.
    pub done_at: Option<i64>,
}

/// The fold.
#[derive(Debug, Clone, Default)]
pub struct Fold {
    /// The next entry's index.
    next: u64,
    fingerprint: String,
    tables: BTreeMap<String, Seen>,
    undecided: BTreeMap<String, BTreeSet<String>>,
    waiting: BTreeMap<String, BTreeMap<String, u64>>,
    counts: BTreeMap<String, Counts>,
    runs: HashMap<String, Run>,
    marks: BTreeMap<Binding, Vec<Mark>>,
}

/// What the entry being read says, besides its body.
struct At<'a> {
    index: u64,
    entry: &'a Entry,
    kind: &'static str,
}

/// The steps of a table whose evidence speaks of one form of the plan.
const OF_THE_PLAN: [Step; 6] =
    [Step::Map, Step::Rehearse, Step::Approve, Step::Load, Step::Verify, Step::SignOff];

/// What the whole of a history says of a step.
pub fn fold(entries: &[Entry], binding: &Binding) -> Derived {
    let mut fold = Fold::default();
    for (index, entry) in (0..).zip(entries) {
        fold.apply(index, entry);
    }
    fold.status(binding)
}

impl Fold {
    /// The index of the entry that comes next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Goes past an entry of a newer dunlin, which means nothing here.
    pub fn skip(&mut self, index: u64) {
        self.next = self.next.max(index + 1);
    }

    /// The plan's fingerprint as the ledger last named it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Mapping and schema of a table as the ledger last named them, and its columns without a fate.
    pub fn table(&self, label: &str) -> Option<(&str, &str, &str, Vec<String>)> {
        let seen = self.tables.get(label)?;
        let undecided = self.undecided.get(label).map(|u| u.iter().cloned().collect()).unwrap_or_default();
        Some((&seen.fingerprint, &seen.mapping, &seen.schema, undecided))
    }

    /// What a table's newest run or rehearsal counted.
    pub fn counts(&self, label: &str) -> Option<&Counts> {
        self.counts.get(label)
    }

    /// The groups of rows of a table that wait, with their rows, as the ledger last named them.
    pub fn waiting_of(&self, label: &str) -> BTreeMap<String, u64> {
        self.waiting.get(label).cloned().unwrap_or_default()
    }

    /// The groups of rows of a table that were ever seen waiting.
    pub fn groups(&self, label: &str) -> BTreeSet<String> {
        let of_table = |b: &&Binding| b.step == Step::Quarantine && b.table.as_deref() == Some(label);
        self.marks.keys().filter(of_table).filter_map(|b| b.column.clone()).collect()
    }

    /// Takes the next entry. Entries come in order, each once.
    pub fn apply(&mut self, index: u64, entry: &Entry) {
        self.next = index + 1;
        self.plan_entry(index, entry);
        self.run_entry(index, entry);
        self.people_entry(index, entry);
    }

    /// What concerns the plan and its tables.
    fn plan_entry(&mut self, index: u64, entry: &Entry) {
        match &entry.body {
            Body::PlanEdited { fingerprint, .. } => {
                self.fingerprint.clone_from(fingerprint);
                self.tables.values_mut().for_each(|seen| seen.fingerprint.clone_from(fingerprint));
            }
            Body::TableSeen { table, fingerprint, mapping, schema, undecided } => {
                self.fingerprint.clone_from(fingerprint);
                // The whole plan has one fingerprint.
                self.tables.values_mut().for_each(|seen| seen.fingerprint.clone_from(fingerprint));
                let seen = Seen {
                    fingerprint: fingerprint.clone(),
                    mapping: mapping.clone(),
                    schema: schema.clone(),
                };
                self.tables.insert(table.clone(), seen);
                self.columns(&At { index, entry, kind: "table_seen" }, table, undecided);
            }
            Body::PlanApproved { fingerprint, .. } => {
                let at = At { index, entry, kind: "plan_approved" };
                for table in self.known() {
                    let seen = self.seen_at(&table, fingerprint);
                    self.mark_seen(&at, Step::Approve, &table, Word::Good, "the plan was approved", seen);
                }
            }
            Body::ApprovalVoided { fingerprint, .. } => {
                let at = At { index, entry, kind: "approval_voided" };
                for table in self.known() {
                    let of_it =
                        self.last(Step::Approve, &table).is_some_and(|m| m.seen.fingerprint == *fingerprint);
                    // Voided by an edit, it goes stale by the edit; in another way, it is open again.
                    if of_it && *fingerprint == self.fingerprint {
                        self.mark(&at, Step::Approve, &table, Word::Void, "the approval no longer holds");
                    }
                }
            }
            _ => {}
        }
    }

    fn columns(&mut self, at: &At<'_>, table: &str, undecided: &[String]) {
        let now: BTreeSet<String> = undecided.iter().cloned().collect();
        let before = self.undecided.insert(table.to_owned(), now.clone()).unwrap_or_default();
        for column in now.difference(&before) {
            self.mark_part(at, Step::Column, table, column, Word::Void, "the column has no fate");
        }
        for column in before.difference(&now) {
            self.mark_part(
                at,
                Step::Column,
                table,
                column,
                Word::Good,
                "the column is mapped, used or dropped",
            );
        }
        if !now.is_empty() {
            let text = format!("{} source columns have no fate yet", now.len());
            self.mark(at, Step::Map, table, Word::Begun, &text);
        }
    }

    /// What people say.
    fn people_entry(&mut self, index: u64, entry: &Entry) {
        let (step, table, name, word, kind) = match &entry.body {
            Body::StepConfirmed { step, table, part } => (step, table, part, Word::Good, "step_confirmed"),
            Body::StepWithdrawn { step, table, part } => (step, table, part, Word::Void, "step_withdrawn"),
            Body::ReportWritten { .. } => {
                let at = At { index, entry, kind: "report_written" };
                self.mark(&at, Step::Evidence, "", Word::Good, "the report was written");
                return;
            }
            _ => return,
        };
        // A word of a newer dunlin means nothing here; nor does a person's word on what dunlin sees itself.
        let Some(step) = Step::parse(step).filter(|s| s.is_confirmed()) else { return };
        let who = match &entry.actor {
            Actor::Person { .. } => "a person",
            Actor::Local { .. } => "somebody at a shell",
            Actor::System => "dunlin",
        };
        let text =
            if word == Word::Good { format!("{who} stands for it") } else { format!("{who} took it back") };
        self.mark_part(&At { index, entry, kind }, step, table, name, word, &text);
    }

    /// What was verified or signed no longer speaks of the rows as they are.
    fn unsettle(&mut self, at: &At<'_>, table: &str, text: &str) {
        for step in [Step::Verify, Step::SignOff] {
            if self.last(step, table).is_some_and(|m| m.word != Word::Void) {
                self.mark(at, step, table, Word::Void, text);
            }
        }
    }

    fn known(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    /// The steps that a run has under way.
    fn under_way(&self, run: &str) -> Vec<(Step, String)> {
        let Some(run) = self.runs.get(run) else { return Vec::new() };
        run.begun.iter().map(|table| (step_of(run), table.clone())).collect()
    }

    /// How a table stands for evidence under this fingerprint: of another form of the plan nothing else is known.
    fn seen_at(&self, table: &str, fingerprint: &str) -> Seen {
        match self.tables.get(table) {
            Some(seen) if seen.fingerprint == fingerprint || fingerprint.is_empty() => seen.clone(),
            _ => Seen { fingerprint: fingerprint.to_owned(), ..Seen::default() },
        }
    }

    fn last(&self, step: Step, table: &str) -> Option<&Mark> {
        self.marks.get(&part(step, table, "")).and_then(|marks| marks.last())
    }

    fn mark(&mut self, at: &At<'_>, step: Step, table: &str, word: Word, text: &str) {
        self.mark_part(at, step, table, "", word, text);
    }

    fn mark_part(&mut self, at: &At<'_>, step: Step, table: &str, name: &str, word: Word, text: &str) {
        let seen = self.tables.get(table).cloned().unwrap_or_default();
        self.put(at, part(step, table, name), word, text, seen);
    }

    fn mark_seen(&mut self, at: &At<'_>, step: Step, table: &str, word: Word, text: &str, seen: Seen) {
        self.put(at, part(step, table, ""), word, text, seen);
    }

    fn put(&mut self, at: &At<'_>, binding: Binding, word: Word, text: &str, seen: Seen) {
        let evidence =
            Evidence { entry: at.index, at: at.entry.at, kind: at.kind.to_owned(), text: text.to_owned() };
        let marks = self.marks.entry(binding).or_default();
        let progress = match word {
            Word::Good => Some(1.0),
            Word::Void => Some(0.0),
            Word::Begun | Word::Bad => None,
        };
        // Of many splits in a row the newest says how far it is.
        if word == Word::Begun
            && marks.last().is_some_and(|m| m.word == Word::Begun && m.evidence.kind == at.kind)
        {
            if let Some(last) = marks.last_mut() {
                *last = Mark { word, seen, progress, evidence };
            }
            return;
        }
        marks.push(Mark { word, seen, progress, evidence });
        if marks.len() > MARKS_MAX {
            marks.remove(0);
        }
    }

    /// What a step's marks say.
    pub fn status(&self, binding: &Binding) -> Derived {
        let marks = self.marks.get(binding).map(Vec::as_slice).unwrap_or_default();
        let shown = marks.len().saturating_sub(SHOWN);
        let evidence: Vec<Evidence> = marks[shown..].iter().map(|m| m.evidence.clone()).collect();
        let mut derived = Derived {
            status: Status::Open,
            progress: None,
            evidence,
            stale_because: None,
            started_at: None,
            done_at: None,
        };
        let Some(last) = marks.last() else { return derived };
        // Since it was last open.
        let since = marks.iter().rposition(|m| m.word == Word::Void).map_or(0, |at| at + 1);
        derived.started_at = marks.get(since).map(|m| m.evidence.at);
        derived.progress = last.progress;
        match last.word {
            Word::Void => {}
            Word::Begun => derived.status = Status::Doing,
            Word::Bad => derived.status = Status::Blocked,
            Word::Good => {
                derived.stale_because = self.changed_since(binding, &last.seen);
                derived.status = if derived.stale_because.is_some() { Status::Stale } else { Status::Done };
                derived.done_at = Some(last.evidence.at);
            }
        }
        derived
    }

    /// What has changed since evidence was given, the nearest first.
    fn changed_since(&self, binding: &Binding, then: &Seen) -> Option<StaleBecause> {
        let now = self.tables.get(binding.table.as_deref()?)?;
        let differs = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a != b;
        let of_plan = OF_THE_PLAN.contains(&binding.step);
        let of_mapping = of_plan || matches!(binding.step, Step::Decide | Step::Rules);
        let of_schema = of_mapping || binding.step == Step::Profile;
        if of_schema && differs(&then.schema, &now.schema) {
            Some(StaleBecause::Schema)
        } else if of_mapping && differs(&then.mapping, &now.mapping) {
            Some(StaleBecause::Mapping)
        } else if of_plan && differs(&then.fingerprint, &now.fingerprint) {
            Some(StaleBecause::Plan)
        } else {
            None
        }
    }
}

fn part(step: Step, table: &str, name: &str) -> Binding {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Binding { step, table: some(table), column: some(name) }
}
