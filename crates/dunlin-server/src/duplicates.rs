//! What the server needs of whoever knows duplicates: the pairs that a run left, their rows under seal, what a decision
//! would come to, and the decision.
//!
//! It is: a trait, which the binary implements over the mover. It is not: who may ask (`api/duplicates.rs`), and how
//! duplicates are found.

use std::collections::BTreeMap;

use dunlin_gate::{ColumnInfo, Rows, Sealed};
use dunlin_ledger::Actor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::EngineError;

/// How a pair stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairState {
    /// It waits for a person.
    Waits,
    /// A person said that its rows are one.
    Merged,
    /// A person said that they are two.
    Kept,
    /// The run was sure and merged them by itself; a person can still part them.
    Sure,
}

/// Two rows that may stand for one, without anything of what is in them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Pair {
    /// What it is called.
    pub pair: String,
    /// The table's label.
    pub table: String,
    /// How it stands.
    pub state: PairState,
    /// Whether the target is by that already; else the next run sees to it.
    pub acted: bool,
    /// How many rows are one where these two are: with those that fold into them already.
    pub rows: u64,
    /// How likely they are one, from 0 to 1.
    pub probability: f64,
    /// What speaks for it and against it, a column each.
    pub evidence: Vec<PairEvidence>,
    /// Who decided.
    #[schema(value_type = Option<Object>)]
    pub decided_by: Option<Actor>,
    /// When, in microseconds since 1970 UTC.
    pub decided_at: Option<i64>,
}

/// How far two rows agree in a column.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PairEvidence {
    /// The target column.
    pub column: String,
    /// `same`, `near` (a slip apart), `part` (one is part of the other), `crossed` (in each other's column), `alike`,
    /// `loose`, `different`, or `missing` where one has no value.
    pub level: String,
    /// What it weighs for their being one, in bits; below 0 where it speaks against it.
    pub bits: f64,
}

/// The pairs of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pairs {
    /// The run that left them; `None` where the plan has not been brought to an end yet.
    pub run: Option<String>,
    /// All of them, the likeliest first.
    pub pairs: Vec<Pair>,
}

/// The rows that a pair would make one, under seal.
pub struct PairOfRows {
    /// The two of the pair, then those that fold into them already; at most fifty.
    pub rows: Sealed<Rows>,
    /// Their columns, so that the policies can decide before the seal is broken.
    pub columns: Vec<ColumnInfo>,
    /// Their names, as they stand in the ledger: keyed hashes, never values.
    pub names: Vec<String>,
    /// The columns in which not all are alike.
    pub differing: Vec<String>,
    /// The columns of the key.
    pub keys: Vec<String>,
    /// How many rows would be one.
    pub total: u64,
}

/// What is decided on pairs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecidePairs {
    /// What the pairs are called.
    #[schema(min_items = 1, max_items = 1000)]
    pub pairs: Vec<String>,
    /// What becomes of them.
    pub decision: PairDecisionWord,
}

/// What becomes of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairDecisionWord {
    /// Its rows are one.
    Merge,
    /// They are two.
    Keep,
    /// What was decided is taken back.
    Undo,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DecidedPairs {
    /// How each pair stands now, in the order in which they were named.
    pub pairs: Vec<DecidedPair>,
    /// Rows of the targets that were changed, by table.
    pub rows: BTreeMap<String, u64>,
    /// Where the next run has to act: why.
    pub next_run: Option<String>,
}

/// How a pair stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DecidedPair {
    /// What it is called.
    pub pair: String,
    /// How it stands.
    pub state: PairState,
    /// Whether the target is by that already.
    pub acted: bool,
}

/// What a decision would come to. No value is in it: what rows would be as one is told by which row each column comes from.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WouldDecidePairs {
    /// For a merge, what the rows of each pair would be as one.
    pub merged: Vec<MergedPair>,
    /// For a merge, the pairs whose rows would stay apart all the same, for people keep rows apart that would come together.
    pub apart: Vec<String>,
    /// What would change in the targets, where that was asked for.
    pub effects: Option<PairEffects>,
}

/// What would change in the targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PairEffects {
    /// Rows that would change, by table: of the pairs' own, and those that refer to them.
    pub rows: BTreeMap<String, u64>,
    /// Where the next run would have to act: why.
    pub next_run: Option<String>,
}

/// What the rows of a pair would be as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MergedPair {
    /// What the pair is called.
    pub pair: String,
    /// The name of the row that would stay.
    pub survivor: String,
    /// Why that one: `rule`, `complete` (it has the most values), `key` (nothing else tells them apart: the lowest key),
    /// `there` (it stood in the target before).
    pub why: String,
    /// The plan's rule for it, where there is one.
    pub rule: Option<String>,
    /// Each target column.
    pub columns: Vec<MergedPart>,
}

/// Where the value of a column would come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MergedPart {
    /// The column.
    pub column: String,
    /// The name of the row.
    pub from: String,
    /// Why from there: `rule`, `only` (no other row has a value), `own` (the survivor's own), `there` (a row that stood in the
    /// target before takes nothing over).
    pub why: String,
    /// The plan's rule for the column, where there is one.
    pub rule: Option<String>,
}

/// How far a preview looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairsLook {
    /// At the rows of the pairs, and those that fold into them.
    Rows,
    /// Also, where people keep some of these rows apart, at the whole table, to tell which would stay two.
    Apart,
    /// At all that would change in the targets, which takes as long as deciding does.
    Effects,
}

/// Whoever knows duplicates.
#[async_trait::async_trait]
pub trait Duplicates: Send + Sync + 'static {
    /// The pairs that the latest finished run of the plan left, decided ones among them. Reads no store.
    async fn pairs(&self) -> Result<Pairs, EngineError>;

    /// The rows of a pair, under seal. Refused while a run goes on.
    async fn rows(&self, pair: &str) -> Result<PairOfRows, EngineError>;

    /// What a decision would come to, looked at so far. Refused while a run goes on.
    async fn would_decide(&self, ask: DecidePairs, look: PairsLook) -> Result<WouldDecidePairs, EngineError>;

    /// Decides, as this person. Refused while a run goes on.
    async fn decide(&self, ask: DecidePairs, actor: Actor) -> Result<DecidedPairs, EngineError>;
}
