//! What a run's entries say: begun, mapped, split by split, reconciled, decided, waiting.

use std::collections::{BTreeMap, BTreeSet};

use dunlin_ledger::{Body, Counts, Decision, Entry};

use super::{At, Fold, Run, Word, part};
use crate::model::Step;

impl Fold {
    /// What concerns runs and rows.
    pub(super) fn run_entry(&mut self, index: u64, entry: &Entry) {
        let at = |kind| At { index, entry, kind };
        match &entry.body {
            Body::RunStarted { run, plan_fingerprint, rehearse, .. } => {
                self.began(&at("run_started"), run, plan_fingerprint, *rehearse)
            }
            Body::RunPaused { run, reason_code } => self.paused(&at("run_paused"), run, reason_code),
            Body::RunResumed { run } => {
                for (step, table) in self.under_way(run) {
                    self.mark(&at("run_resumed"), step, &table, Word::Begun, "the run went on");
                }
            }
            Body::RunAbandoned { run } => {
                for (step, table) in self.under_way(run) {
                    self.mark(&at("run_abandoned"), step, &table, Word::Void, "the run was given up");
                }
                self.runs.remove(run);
            }
            Body::SplitLoaded { run, table, counts, .. } => {
                self.split(&at("split_loaded"), run, table, counts)
            }
            Body::TableReconciled { run, table, counts, reconciled, .. } => {
                self.reconciled(&at("table_reconciled"), run, table, counts, *reconciled)
            }
            Body::Rehearsed { table, fingerprint, counts, reconciled } => {
                self.counts.insert(table.clone(), *counts);
                let (at, word) = (at("rehearsed"), if *reconciled { Word::Good } else { Word::Bad });
                let seen = self.seen_at(table, fingerprint);
                self.mapped(&at, fingerprint);
                self.mark_seen(
                    &at,
                    Step::Rehearse,
                    table,
                    word,
                    &told("the rehearsal", counts, *reconciled),
                    seen,
                );
            }
            Body::TableProfiled { table, rows, columns } => {
                let text = format!("{columns} columns of {rows} rows were looked at");
                self.mark(&at("table_profiled"), Step::Profile, table, Word::Good, &text);
            }
            Body::Verified { table, counts, reconciled, .. } => {
                let word = if *reconciled { Word::Good } else { Word::Bad };
                let text = told("both sides", counts, *reconciled);
                self.mark(&at("verified"), Step::Verify, table, word, &text);
            }
            Body::SplitAmended { table, .. } => {
                self.unsettle(&at("split_amended"), table, "rows changed afterwards")
            }
            Body::Undone { table, rows, .. } => {
                let (at, text) = (at("undone"), format!("{rows} rows were taken back"));
                self.mark(&at, Step::Load, table, Word::Void, &text);
                self.unsettle(&at, table, &text);
            }
            Body::QuarantineDecided { table, decision, rows, .. } => {
                self.decided(&at("quarantine_decided"), table, *decision, *rows)
            }
            Body::QuarantineSeen { table, groups } => self.waiting(&at("quarantine_seen"), table, groups),
            _ => {}
        }
    }

    fn began(&mut self, at: &At<'_>, run: &str, fingerprint: &str, rehearse: bool) {
        let begun = Run { fingerprint: fingerprint.to_owned(), rehearse, ..Run::default() };
        self.runs.insert(run.to_owned(), begun);
        // A run begins only once every column of the plan was found.
        self.mapped(at, fingerprint);
    }

    fn mapped(&mut self, at: &At<'_>, fingerprint: &str) {
        for table in self.known() {
            if self.undecided.get(&table).is_none_or(BTreeSet::is_empty) {
                let seen = self.seen_at(&table, fingerprint);
                self.mark_seen(
                    at,
                    Step::Map,
                    &table,
                    Word::Good,
                    "the plan was held against its stores",
                    seen,
                );
            }
        }
    }

    fn paused(&mut self, at: &At<'_>, run: &str, reason: &str) {
        let (word, text) = match reason {
            "asked" | "window" => (Word::Begun, "the run was paused"),
            "stopped" => (Word::Bad, "a rule stopped the run"),
            "store" => (Word::Bad, "a store failed"),
            _ => (Word::Bad, "the run stopped"),
        };
        for (step, table) in self.under_way(run) {
            self.mark(at, step, &table, word, text);
        }
    }

    fn split(&mut self, at: &At<'_>, id: &str, table: &str, counts: &Counts) {
        let run = self.runs.entry(id.to_owned()).or_default();
        run.begun.insert(table.to_owned());
        let step = step_of(run);
        let rows = run.rows.entry(table.to_owned()).or_default();
        *rows = rows.saturating_add(counts.source_rows);
        let text = format!("{rows} rows were read so far");
        let fingerprint = run.fingerprint.clone();
        let seen = self.seen_at(table, &fingerprint);
        self.mark_seen(at, step, table, Word::Begun, &text, seen);
        if step == Step::Load {
            self.unsettle(at, table, "more rows were loaded afterwards");
        }
    }

    fn reconciled(&mut self, at: &At<'_>, id: &str, table: &str, counts: &Counts, reconciled: bool) {
        self.counts.insert(table.to_owned(), *counts);
        let run = self.runs.entry(id.to_owned()).or_default();
        run.begun.remove(table);
        let (step, fingerprint) = (step_of(run), run.fingerprint.clone());
        let seen = self.seen_at(table, &fingerprint);
        let word = if reconciled { Word::Good } else { Word::Bad };
        self.mark_seen(at, step, table, word, &told("the table", counts, reconciled), seen);
    }

    fn decided(&mut self, at: &At<'_>, table: &str, decision: Decision, rows: u64) {
        let what = match decision {
            Decision::Released => "released",
            Decision::Fixed => "corrected",
            Decision::Discarded => "left out",
        };
        for group in self.groups(table) {
            let last = self.marks.get(&part(Step::Quarantine, table, &group)).and_then(|m| m.last());
            if last.is_some_and(|m| m.word != Word::Good) {
                let text = format!("{rows} rows of this table were {what}");
                self.mark_part(at, Step::Quarantine, table, &group, Word::Begun, &text);
            }
        }
    }

    fn waiting(&mut self, at: &At<'_>, table: &str, groups: &BTreeMap<String, u64>) {
        let before = self.waiting.insert(table.to_owned(), groups.clone()).unwrap_or_default();
        for (group, rows) in groups.iter().filter(|(group, rows)| before.get(*group) != Some(rows)) {
            let text = format!("{rows} rows wait for a decision");
            self.mark_part(at, Step::Quarantine, table, group, Word::Void, &text);
        }
        for group in self.groups(table).into_iter().filter(|g| !groups.contains_key(g)) {
            let last = self.marks.get(&part(Step::Quarantine, table, &group)).and_then(|m| m.last());
            if last.is_some_and(|m| m.word != Word::Good) {
                self.mark_part(
                    at,
                    Step::Quarantine,
                    table,
                    &group,
                    Word::Good,
                    "none of these rows waits any more",
                );
            }
        }
    }
}

pub(super) fn step_of(run: &Run) -> Step {
    if run.rehearse { Step::Rehearse } else { Step::Load }
}

fn told(what: &str, counts: &Counts, reconciled: bool) -> String {
    let Counts { source_rows, loaded, quarantined, .. } = counts;
    let fits = if reconciled { "reconciles" } else { "does not reconcile" };
    format!("{what} {fits}: {source_rows} rows read, {loaded} loaded, {quarantined} waiting")
}
