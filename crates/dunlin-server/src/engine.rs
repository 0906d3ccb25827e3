//! What the server needs of whoever moves data: starting, pausing and watching runs, holding a plan against its
//! stores, quarantined rows, the stores' identities, and who else is in them.
//!
//! It is: a trait, which the binary implements over the mover. It is not the mover: the server must build without it.

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_gate::{AccessLog, Ask, ColumnInfo, Policy, Refused, Rows, Sealed, SealedStream};
use dunlin_guard::Outside;
use dunlin_ledger::Actor;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use utoipa::ToSchema;

/// Why the engine refused or failed. Sentences without values, as the command line shows them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The plan, or what was asked, does not allow it: nothing was touched.
    #[error("{message}")]
    Refused {
        /// A stable code.
        code: &'static str,
        /// What is wrong.
        message: String,
        /// How to mend it.
        help: Option<String>,
    },
    /// There is no such run, group or row.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// It does not fit the run's state, e.g. pausing one that is done.
    #[error("{message}")]
    Conflict {
        /// What is wrong.
        message: String,
        /// How to mend it.
        help: Option<String>,
    },
    /// A store could not be reached or answered with an error; it can be tried again.
    #[error("the store `{store}` could not be reached or answered with an error")]
    Store {
        /// Its name in the plan.
        store: String,
    },
    /// Something that must not happen; the engine has logged it.
    #[error("the engine failed")]
    Failed,
}

/// How a run is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StartRun {
    /// The fingerprint that is to run: another one is refused, so that nobody runs what he has not read.
    pub fingerprint: String,
    /// Tries it out without writing to the target.
    pub rehearse: bool,
    /// This table alone, by its label.
    pub table: Option<String>,
    /// Splits at a time; by default what the machine gives.
    #[schema(minimum = 1, maximum = 64)]
    pub jobs: Option<u16>,
    /// How often it goes on by itself when a store was lost for a moment: a connection that broke, a lock waited for in
    /// vain. Each time waits four times as long as the one before, beginning with a second.
    #[schema(minimum = 0, maximum = 20, default = 3)]
    pub retry: u16,
    /// Moves outside the window, for this reason: a category and a text.
    pub now: Option<Reason>,
}

impl StartRun {
    /// The most that may be asked for as [`Self::retry`].
    pub const RETRY_MAX: u16 = 20;
}

impl Default for StartRun {
    fn default() -> Self {
        let (fingerprint, rehearse, table, jobs, now) = Default::default();
        Self { fingerprint, rehearse, table, jobs, retry: 3, now }
    }
}

/// Why somebody does something, as a category for the ledger and a text for the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// A code of `a-z 0-9 _ . : -`.
    #[schema(pattern = "^[a-z0-9_.:-]{1,64}$", example = "incident")]
    pub category: String,
    /// In words. Kept in the state; the ledger gets a salted hash.
    #[schema(min_length = 1, max_length = 2000)]
    pub text: String,
}

/// How far a run is. Counts only.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Progress {
    /// The run.
    pub run: String,
    /// `running`, `waiting`, `paused`, `stopped`, `done`, `abandoned`.
    pub status: String,
    /// What it does now: `load`, `held` (the source is busy, readers wait), `retry` (a store was lost, it goes on by
    /// itself in a moment), `settle`, `reconcile`, `undo`.
    pub phase: String,
    /// Rows read so far.
    pub rows: u64,
    /// Rows that will be read, as far as it is known.
    pub rows_expected: Option<u64>,
    /// Rows a second, of late.
    pub rows_per_second: f64,
    /// Each table's own.
    pub tables: Vec<TableProgress>,
    /// Until when it waits for its window, or for its next try, in microseconds since 1970 UTC.
    pub waits_until: Option<i64>,
}

/// How far a table is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TableProgress {
    /// Its label.
    pub table: String,
    /// Splits that are done.
    pub splits_done: u32,
    /// All splits.
    pub splits: u32,
    /// Rows by where they ended.
    #[schema(value_type = Object)]
    pub counts: dunlin_ledger::Counts,
    /// Whether it reconciles; `None` until that is known.
    pub reconciled: Option<bool>,
}

/// Which quarantined rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineAsk {
    /// The group's id.
    pub group: String,
    /// At most this many rows.
    pub limit: u32,
    /// From this one on.
    pub offset: u64,
    /// Instead of the rows, what this fix would make of them: source column to SQL.
    pub fix: BTreeMap<String, String>,
}

/// Quarantined rows under seal.
pub struct QuarantineRows {
    /// The rows.
    pub rows: Sealed<Rows>,
    /// Their columns, so that the policies can decide before the seal is broken.
    pub columns: Vec<ColumnInfo>,
    /// The store that they come from, by its name in the plan.
    pub store: String,
    /// The table's label.
    pub table: String,
    /// Names for the ledger, one a row: keyed hashes or places, never values.
    pub names: Vec<String>,
}

/// What is decided on quarantined rows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// The groups' ids, of one table.
    #[schema(min_items = 1, max_items = 1000)]
    pub groups: Vec<String>,
    /// What becomes of their rows.
    pub decision: DecisionWord,
    /// With `fix`: source column to SQL over source columns.
    #[serde(default)]
    pub fix: BTreeMap<String, String>,
}

/// What becomes of quarantined rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionWord {
    /// Loaded as they are.
    Release,
    /// Corrected and loaded.
    Fix,
    /// Left out for good.
    Discard,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Decided {
    /// Rows whose disposition changed.
    pub rows: u64,
    /// Rows that still wait, e.g. because the target refused them again.
    pub left: u64,
}

/// One side of a table of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Where its rows come from.
    Source,
    /// Where they go.
    #[default]
    Target,
}

/// Through which gate something is shown, and to whom. The engine opens what it has under seal with it, shows what
/// comes out, and closes the access.
pub struct Through<'a> {
    /// Who decides.
    pub policy: &'a dyn Policy,
    /// Where the access is entered.
    pub log: &'a dyn AccessLog,
    /// What is asked.
    pub ask: Ask,
}

/// Why nothing was shown.
#[derive(Debug)]
pub enum ShowError {
    /// The engine refused or failed.
    Engine(EngineError),
    /// The gate did not open.
    Gate(Refused),
}

impl From<EngineError> for ShowError {
    fn from(error: EngineError) -> ShowError {
        ShowError::Engine(error)
    }
}

impl From<Refused> for ShowError {
    fn from(refused: Refused) -> ShowError {
        ShowError::Gate(refused)
    }
}

/// Both sides read again and compared. Counts and hashes; which rows differ is under seal, in
/// [`Engine::differences`].
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Verification {
    /// Its id.
    pub id: String,
    /// `running`, `done` or `failed`.
    pub status: String,
    /// What it reads now, in words.
    pub step: Option<String>,
    /// The run that was verified, once it is known.
    pub run: Option<String>,
    /// Whether everything reconciles; `None` until it is known.
    pub reconciled: Option<bool>,
    /// A table each, as `dunlin verify --format json` prints them, without differences.
    #[schema(value_type = Vec<Object>)]
    pub tables: Vec<serde_json::Value>,
    /// How many rows differ, a table each.
    pub differing: BTreeMap<String, u64>,
    /// Why it failed, and how to mend that.
    pub problem: Option<String>,
    /// When it began, in microseconds since 1970 UTC.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
}

/// What a table of a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RunTable {
    /// Its label.
    pub table: String,
    /// Rows by where they ended, as it is now.
    #[schema(value_type = Object)]
    pub counts: dunlin_ledger::Counts,
    /// Rows read so far.
    pub source_rows: u64,
    /// Rows that stood in the target before.
    pub preexisting: u64,
    /// Multiset hash of the rows as read.
    pub source_hash: String,
    /// Multiset hash of the loaded rows as the target will give them back.
    pub expected_hash: String,
    /// The same as it was re-read; `None` until then.
    pub target_hash: Option<String>,
    /// Whether it reconciled when it was last re-read.
    pub reconciled: Option<bool>,
    /// Whether it reconciled, its control totals agree, and no rule on all its rows is broken that stops a run; `None`
    /// until it was re-read.
    pub in_order: Option<bool>,
    /// When the run reconciled it, in microseconds since 1970 UTC.
    pub reconciled_at: Option<i64>,
    /// When both sides were last read again.
    pub verified_at: Option<i64>,
    /// The ledger's entry that says so.
    pub entry: Option<u64>,
    /// Splits that are loaded.
    pub splits_done: u32,
    /// All splits.
    pub splits: u32,
    /// Seconds of work, of all splits together.
    pub seconds: f64,
    /// Rows a second of work.
    pub rows_per_second: f64,
    /// Rows by why they did not load.
    pub reasons: BTreeMap<String, u64>,
    /// Why the table could not be moved; never a value.
    pub problem: Option<TableProblem>,
    /// What should have come over with the table and did not, by name: `trigger audit`.
    pub left_behind: Vec<String>,
    /// The splits in their order; at most two thousand.
    pub strip: Vec<SplitState>,
}

/// Why a table of a run could not be moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TableProblem {
    /// What is wrong; never a value.
    pub problem: String,
    /// How to mend it, where that is known.
    pub help: Option<String>,
    /// The command that does this table again.
    pub command: String,
}

/// What was found of a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profiled {
    /// An object a column, as `dunlin profile --format json` prints them.
    pub columns: Vec<serde_json::Value>,
    /// `references` with how many values lead nowhere, `drift` since an earlier profile and against the plan,
    /// `compared_with` when that was, and `load` of the source by hour of the week.
    pub beside: serde_json::Value,
}

/// A rehearsal into nowhere. It leaves no record, so this is what the server remembers of its last one.
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsed {
    /// Its id.
    pub run: String,
    /// The plan's fingerprint.
    pub fingerprint: String,
    /// `running`, `done` or `stopped`.
    pub status: String,
    /// When it began, in microseconds since 1970 UTC.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Who asked for it.
    pub actor: Actor,
    /// What each table came to, once it is done.
    pub tables: Vec<RunTable>,
}

/// A split of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SplitState {
    /// Its number.
    pub split: u32,
    /// Whether it is loaded.
    pub done: bool,
    /// Rows it read.
    pub rows: u64,
    /// Rows of it that wait for a person.
    pub quarantined: u64,
}

/// What was taken back of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RunUndone {
    /// Its label.
    pub table: String,
    /// Rows that are gone from the target.
    pub rows: u64,
    /// Whether the table, which the run had made, is gone too.
    pub dropped: bool,
}

/// What a decision would come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct WouldDecide {
    /// Rows of the group.
    pub rows: u64,
    /// Rows that would load.
    pub released: u64,
    /// Rows that would be left out.
    pub discarded: u64,
    /// Rows that would still wait, by reason.
    pub waiting: BTreeMap<String, u64>,
    /// What a fix makes of the values, by their shapes, the most frequent first.
    pub shapes: Vec<ShapeChange>,
    /// Rows elsewhere that wait for a parent which may be among them.
    pub children: u64,
}

/// Values of one shape that a fix turns into values of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShapeChange {
    /// The source column.
    pub column: String,
    /// The shape before: digits as 9, letters as A; null for no value.
    pub before: Option<String>,
    /// The shape after.
    pub after: Option<String>,
    /// Whether the expression fails for them.
    pub failed: bool,
    /// How many rows.
    pub rows: u64,
}

/// The evidence of the latest run.
pub struct ReportFiles {
    /// One self-contained page.
    pub html: String,
    /// The same as data.
    pub json: serde_json::Value,
}

/// One thing found in a plan, in the form of `dunlin check --format json`.
pub type FindingJson = serde_json::Value;

/// What the stores say of a table of the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surveyed {
    /// Its label.
    pub label: String,
    /// Hash (hex) of the names and types of the source's and the target's columns.
    pub schema: String,
    /// Source columns that are neither mapped, nor used, nor dropped.
    pub undecided: Vec<String>,
    /// Rows of the source, where it is cheap to know.
    pub rows: Option<u64>,
}

/// Whoever moves data.
#[async_trait::async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Starts a run, or goes on with the unfinished one of this fingerprint, and returns its id at once. The run
    /// does not end when the caller leaves.
    async fn start(&self, ask: StartRun, actor: Actor) -> Result<String, EngineError>;

    /// Pauses a run at the next place where it can go on.
    async fn pause(&self, run: &str, actor: Actor) -> Result<(), EngineError>;

    /// Goes on with a paused or stopped run.
    async fn resume(&self, run: &str, actor: Actor) -> Result<(), EngineError>;

    /// How far a run is; `None` when no process of this server works on it.
    async fn progress(&self, run: &str) -> Result<Option<Progress>, EngineError>;

    /// The progress of all runs, as it happens; at most a few a second and run.
    fn watch(&self) -> broadcast::Receiver<Progress>;

    /// Holds a plan's text against the stores, without moving anything.
    async fn check(&self, plan: &str) -> Result<Vec<FindingJson>, EngineError>;

    /// Each store's name and identity.
    async fn identities(&self) -> Result<BTreeMap<String, String>, EngineError>;

    /// Rows of a group, under seal.
    async fn quarantined(&self, ask: QuarantineAsk) -> Result<QuarantineRows, EngineError>;

    /// Decides on the rows of a group.
    async fn decide(&self, ask: Decide, actor: Actor) -> Result<Decided, EngineError>;

    /// What a decision would come to; nothing is changed.
    async fn would_decide(&self, ask: Decide) -> Result<WouldDecide, EngineError>;

    /// A rehearsal that this server remembers.
    fn rehearsal(&self, run: &str) -> Option<Rehearsed> {
        let _ = run;
        None
    }

    /// What each table of a run came to, as it is now.
    async fn run_tables(&self, run: &str) -> Result<Vec<RunTable>, EngineError>;

    /// Gives up a run that is not finished.
    async fn abandon(&self, run: &str, actor: Actor) -> Result<(), EngineError>;

    /// Takes back what a run loaded, children first; refused where it was changed since.
    async fn undo(&self, run: &str, actor: Actor) -> Result<Vec<RunUndone>, EngineError>;

    /// The columns of both sides of the plan's tables, as the stores have them now.
    async fn schema(&self) -> Result<serde_json::Value, EngineError>;

    /// The columns of one side of a table with the kinds by which the gate is asked when its rows are opened.
    async fn columns(&self, table: &str, side: Side) -> Result<Vec<ColumnInfo>, EngineError>;

    /// The rows of one side of a table, under seal, in batches.
    async fn rows(&self, table: &str, side: Side) -> Result<SealedStream, EngineError>;

    /// What the columns of one side of a table hold, their values through the gate, and what is said of the table
    /// besides.
    async fn profile(&self, table: &str, side: Side, through: Through<'_>) -> Result<Profiled, ShowError>;

    /// Begins to read both sides again, of these tables or of all; returns at once with its id.
    async fn verify(&self, tables: Vec<String>, actor: Actor) -> Result<String, EngineError>;

    /// The verifications of this server's life, the newest first; a few are kept.
    fn verifications(&self) -> Vec<Verification>;

    /// The rows of a table that differed, as `dunlin verify --format json` prints them.
    async fn differences(
        &self,
        verification: &str,
        table: &str,
        through: Through<'_>,
    ) -> Result<Vec<serde_json::Value>, ShowError>;

    /// The report of the latest run of the plan.
    async fn report(&self) -> Result<ReportFiles, EngineError>;

    /// The plan held against its packs: `packs`, `lists`, and `rules` with how each ends.
    async fn packs(&self) -> Result<serde_json::Value, EngineError> {
        Ok(serde_json::json!({ "packs": [], "lists": [], "rules": [] }))
    }

    /// The codes of every rule of every pack.
    fn pack_rules(&self) -> Vec<String> {
        Vec::new()
    }

    /// What the stores say of the plan's tables, without reading a row.
    async fn survey(&self) -> Result<Vec<Surveyed>, EngineError> {
        Ok(Vec::new())
    }

    /// Rows of a notice's audience that no letter can go to, at most `limit`, under seal; with a column `why`.
    async fn unreachable(&self, audience: &str, limit: u32) -> Result<Sealed<Rows>, EngineError> {
        let _ = (audience, limit);
        Err(EngineError::Unknown("audience"))
    }

    /// Who can look at the stores' own lists of connections, where somebody can.
    fn outside(&self) -> Option<Arc<dyn Outside>> {
        None
    }

    /// Who knows customers' rows, where somebody does.
    fn customers(&self) -> Option<Arc<dyn crate::requests::Customers>> {
        None
    }

    /// Who knows duplicates, where somebody does.
    fn duplicates(&self) -> Option<Arc<dyn crate::duplicates::Duplicates>> {
        None
    }

    /// Comes to a place where every run can go on, before the server ends.
    async fn stop(&self);
}
