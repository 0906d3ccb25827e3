//! Duplicates, for the server: the pairs that the latest run of the plan left, over the mover. A decision goes on when the
//! client leaves; a look ends with the client that asked for it.

use std::sync::Arc;

use async_trait::async_trait;
use dunlin_ledger::Actor;
use dunlin_move::{ListedPair, MoveError, PairVerdict, PreviewLook, RunOptions, WaitingPair};
use dunlin_server::{
    DecidePairs, DecidedPair, DecidedPairs, Duplicates, EngineError, MergedPair, MergedPart, Pair,
    PairDecisionWord, PairEffects, PairEvidence, PairOfRows, PairState, Pairs, PairsLook, WouldDecidePairs,
};

use super::{MoveEngine, moved};
use crate::workspace::PlanFile;

/// The pairs of an engine's workspace.
pub(super) struct OfEngine {
    pub(super) engine: MoveEngine,
}

impl OfEngine {
    /// The plan, and options with which it is worked on as this actor; refused while a run goes on.
    fn ready(&self, actor: Actor) -> Result<(PlanFile, RunOptions), EngineError> {
        if let Some(work) = self.engine.at_work() {
            return Err(EngineError::Conflict {
                message: format!("run {} is at work", work.run),
                help: Some("look for duplicates when it has come to its end".to_owned()),
            });
        }
        let plan = self.engine.plan()?;
        let mut options = plan.options(None);
        options.actor = actor;
        Ok((plan, options))
    }
}

fn silent() -> Arc<dyn dunlin_move::Observer> {
    Arc::new(|_: dunlin_move::Event<'_>| {})
}

/// What the mover says, in the server's words.
fn asked(error: MoveError) -> EngineError {
    match error {
        MoveError::Refused { code: "no-such-pair", .. } => EngineError::Unknown("pair"),
        other => moved(other),
    }
}

fn verdict(word: PairDecisionWord) -> PairVerdict {
    match word {
        PairDecisionWord::Merge => PairVerdict::Merge,
        PairDecisionWord::Keep => PairVerdict::Keep,
        PairDecisionWord::Undo => PairVerdict::Undo,
    }
}

fn state(pair: &WaitingPair) -> PairState {
    match pair.decision {
        Some("merge") => PairState::Merged,
        Some(_) => PairState::Kept,
        None if pair.sure => PairState::Sure,
        None => PairState::Waits,
    }
}

fn listed(listed: ListedPair) -> Pair {
    let evidence =
        listed.evidence.into_iter().map(|e| PairEvidence { column: e.column, level: e.level, bits: e.bits });
    Pair {
        state: state(&listed.pair),
        acted: listed.pair.acted,
        pair: listed.pair.pair,
        table: listed.pair.table,
        rows: listed.rows,
        // More digits would say nothing.
        probability: (listed.pair.probability * 1e6).round() / 1e6,
        evidence: evidence.collect(),
        decided_by: listed.by,
        decided_at: listed.at,
    }
}

#[async_trait]
impl Duplicates for OfEngine {
    async fn pairs(&self) -> Result<Pairs, EngineError> {
        let plan = self.engine.plan()?;
        match dunlin_move::listed_pairs(&self.engine.inner.workspace, &plan.plan).await {
            Ok((run, pairs)) => Ok(Pairs { run: Some(run), pairs: pairs.into_iter().map(listed).collect() }),
            // Nothing has come to its end yet, so nothing was left.
            Err(MoveError::Refused { code: "no-run" | "run-unfinished", .. }) => Ok(Pairs::default()),
            Err(error) => Err(moved(error)),
        }
    }

    async fn rows(&self, pair: &str) -> Result<PairOfRows, EngineError> {
        let _turn = self.engine.inner.turn.lock().await;
        let (plan, options) = self.ready(Actor::System)?;
        let workspace = &self.engine.inner.workspace;
        let found = dunlin_move::pair_rows(workspace, &plan.plan, &options, pair, silent()).await;
        let found = found.map_err(asked)?;
        Ok(PairOfRows {
            rows: found.rows,
            columns: found.columns,
            names: found.names,
            differing: found.differing,
            keys: found.keys,
            total: found.total,
        })
    }

    async fn would_decide(&self, ask: DecidePairs, look: PairsLook) -> Result<WouldDecidePairs, EngineError> {
        let _turn = self.engine.inner.turn.lock().await;
        let (plan, options) = self.ready(Actor::System)?;
        let workspace = &self.engine.inner.workspace;
        let wanted = verdict(ask.decision);
        let look = match look {
            PairsLook::Rows => PreviewLook::Rows,
            PairsLook::Apart => PreviewLook::Apart,
            PairsLook::Effects => PreviewLook::Effects,
        };
        let told =
            dunlin_move::preview_pairs(workspace, &plan.plan, &options, &ask.pairs, wanted, look, silent());
        let told = told.await.map_err(asked)?;
        let merged = told.merged.into_iter().map(|merged| MergedPair {
            pair: merged.pair,
            survivor: merged.survivor,
            why: merged.why.as_str().to_owned(),
            rule: merged.rule,
            columns: merged.columns.into_iter().map(part).collect(),
        });
        let effects = told.effects.map(|effects| PairEffects {
            rows: effects.rows.into_iter().filter(|(_, rows)| *rows > 0).collect(),
            next_run: effects.next_run.map(str::to_owned),
        });
        Ok(WouldDecidePairs { merged: merged.collect(), apart: told.apart, effects })
    }

    async fn decide(&self, ask: DecidePairs, actor: Actor) -> Result<DecidedPairs, EngineError> {
        let turn = self.engine.inner.turn.clone().lock_owned().await;
        let (plan, options) = self.ready(actor)?;
        let workspace = self.engine.inner.workspace.clone();
        // On its own: a client that leaves, or waits no longer, does not stop it half-way.
        let work = tokio::spawn(async move {
            let _turn = turn;
            let verdict = verdict(ask.decision);
            dunlin_move::decide_pairs(&workspace, &plan.plan, &options, &ask.pairs, verdict, silent()).await
        });
        let done = work.await.map_err(|_| EngineError::Failed)?.map_err(asked)?;
        let pair =
            |pair: WaitingPair| DecidedPair { state: state(&pair), acted: pair.acted, pair: pair.pair };
        Ok(DecidedPairs {
            pairs: done.pairs.into_iter().map(pair).collect(),
            rows: done.rows.into_iter().filter(|(_, rows)| *rows > 0).collect(),
            next_run: done.next_run,
        })
    }
}

fn part(column: dunlin_move::MergedColumn) -> MergedPart {
    MergedPart {
        column: column.column,
        from: column.from,
        why: column.why.as_str().to_owned(),
        rule: column.rule,
    }
}
