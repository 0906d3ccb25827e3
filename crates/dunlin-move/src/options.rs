//! What a run is asked to do, what it tells while it goes on, and how it ended.
//!
//! Not here: the run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dunlin_plan::Finding;
use dunlin_store::Actor;
use serde::{Deserialize, Serialize};

use crate::definitions::LeftBehind;
use crate::examine::Examined;
use crate::pause::Pause;
use crate::reconcile::TableResult;

/// What a run is asked to do besides following the plan.
#[derive(Clone)]
pub struct RunOptions {
    /// The plan's folder.
    pub base: PathBuf,
    /// The plan's file name, for the record.
    pub plan_file: String,
    /// The plan's text, kept so that the run can be resumed, verified and undone.
    pub plan_text: String,
    /// Only these tables (labels); empty for all.
    pub tables: Vec<String>,
    /// Splits at work at the same time.
    pub jobs: usize,
    /// Whether and where to rehearse.
    pub rehearsal: Option<Rehearsal>,
    /// Stop when more rows than this go to quarantine.
    pub quarantine_max: Option<u64>,
    /// What to do with an unfinished run of another plan.
    pub unfinished: Unfinished,
    /// Who runs.
    pub actor: Actor,
    /// The id of a run that is begun, for whoever must name it before; else a new one is made.
    pub id: Option<String>,
    /// Stops the run where it can go on.
    pub pause: Pause,
    /// Rows of a split; the default suits all but tests.
    pub rows_per_split: Option<u64>,
}

/// How to rehearse.
#[derive(Clone)]
pub enum Rehearsal {
    /// Everything but the writing.
    Nowhere,
    /// Into a copy that stands in for every target store, by URL.
    Into(String),
}

/// What to do with an unfinished run of another plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// Say so and touch nothing.
    Refuse,
    /// Go on with it, by the plan it was begun with.
    Resume(String),
    /// Leave it as it is; its rows stay until `undo`.
    Abandon(String),
}

/// What is told while a run goes on.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// A run has begun or goes on.
    Run {
        /// The run.
        run: &'a str,
        /// Whether it goes on.
        resumed: bool,
    },
    /// A table begins.
    Table {
        /// Its label.
        table: &'a str,
        /// About how many rows there are.
        rows_estimate: Option<u64>,
        /// Splits that are done already.
        splits_done: usize,
        /// All splits.
        splits: usize,
    },
    /// Rows went by.
    Rows {
        /// Rows.
        rows: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// Something that a person should know, and that does not stop the run.
    Warning {
        /// The table.
        table: &'a str,
        /// What; never a value.
        message: &'a str,
    },
    /// Readers wait because the source is busy, or go on again.
    Held {
        /// Why they wait; `None` when they go on.
        why: Option<&'a str>,
    },
    /// A step that takes time has begun, e.g. `add keys`.
    Step {
        /// The table, if it is about one.
        table: Option<&'a str>,
        /// What is being done.
        step: &'a str,
    },
}

/// Who is told.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

impl<F: Fn(Event<'_>) + Send + Sync> Observer for F {
    fn event(&self, event: Event<'_>) {
        self(event);
    }
}

/// How a run ended.
pub struct RunSummary {
    /// The run.
    pub run: String,
    /// The plan's fingerprint.
    pub fingerprint: String,
    /// Whether it went on with an unfinished run.
    pub resumed: bool,
    /// Each table.
    pub tables: Vec<TableResult>,
    /// Warnings of the check that came first.
    pub findings: Vec<Finding>,
    /// What should have come over with tables that are taken over as they are, and did not.
    pub left_behind: Vec<LeftBehind>,
    /// What survived in a de-identified copy, where Safe Harbor was asked for.
    pub examined: Option<Examined>,
    /// How long readers waited because the source was busy, in seconds.
    pub held_back_seconds: f64,
}

/// What a run came to besides its tables; kept with it, for whoever looks at it later.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// What should have come over with tables that are taken over as they are, and did not.
    pub left_behind: Vec<LeftBehind>,
    /// How long readers waited because the source was busy, in seconds.
    pub held_back_seconds: f64,
    /// Why it stopped before its end; never a value.
    pub problem: Option<String>,
    /// How to mend that.
    pub help: Option<String>,
    /// The tables that could not be moved, by label.
    pub failed: BTreeMap<String, Problem>,
    /// How often it went on by itself after a store was lost, the first one first.
    pub tries: Vec<Try>,
}

/// Why something could not be done; never a value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What is wrong.
    pub problem: String,
    /// How to mend it, where that is known.
    pub help: Option<String>,
}

impl Problem {
    pub(crate) fn of(error: &crate::MoveError) -> Self {
        Self { problem: error.to_string(), help: error.help() }
    }
}

/// A time that a run went on by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    /// When it had stopped, in microseconds since 1970 UTC.
    pub at: i64,
    /// Why.
    pub problem: String,
    /// How long it waited, in seconds.
    pub wait_seconds: u64,
}

impl RunSummary {
    /// Whether every table reconciles, its control totals too, and nothing that belongs to one stayed behind.
    pub fn reconciled(&self) -> bool {
        self.left_behind.is_empty() && self.tables.iter().all(TableResult::in_order)
    }
}
