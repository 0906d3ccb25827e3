//! Pairs in memory: one waits, one is decided on, one was merged by a run. For tests and for looking at pages.

use dunlin_gate::{ColumnInfo, Rows, Sealed};
use dunlin_ledger::Actor;
use dunlin_server::{
    DecidePairs, DecidedPairs, Duplicates, EngineError, Pair, PairEffects, PairEvidence, PairOfRows,
    PairState, Pairs, WouldDecidePairs,
};

use crate::fake::CANARY;

/// Three pairs of one table: one waits, one is decided on, one was merged by a run.
pub struct FakeDuplicates;

fn pair(name: &str, state: PairState, probability: f64) -> Pair {
    Pair {
        pair: name.to_owned(),
        table: "atlas.people".to_owned(),
        state,
        acted: true,
        rows: 2,
        probability,
        evidence: vec![PairEvidence { column: "email".to_owned(), level: "near".to_owned(), bits: 4.5 }],
        decided_by: None,
        decided_at: None,
    }
}

fn known(pairs: &[String]) -> Result<(), EngineError> {
    let known = ["aa01", "aa02", "aa03"];
    match pairs.iter().all(|pair| known.contains(&pair.as_str())) {
        true => Ok(()),
        false => Err(EngineError::Unknown("pair")),
    }
}

#[async_trait::async_trait]
impl Duplicates for FakeDuplicates {
    async fn pairs(&self) -> Result<Pairs, EngineError> {
        let pairs = vec![
            pair("aa03", PairState::Sure, 0.99),
            pair("aa01", PairState::Waits, 0.9),
            pair("aa02", PairState::Kept, 0.8),
        ];
        Ok(Pairs { run: Some("r1".to_owned()), pairs })
    }

    async fn rows(&self, pair: &str) -> Result<PairOfRows, EngineError> {
        known(&[pair.to_owned()])?;
        let column =
            |name: &str, kind: &str| ColumnInfo { name: name.to_owned(), kind: Some(kind.to_owned()) };
        let columns = vec![column("id", "none"), column("email", "email"), column("pin", "credential")];
        let row =
            |id: &str| vec![Some(id.to_owned()), Some(CANARY.to_owned()), Some(format!("hunter2-{id}"))];
        let rows = Rows {
            store: "atlas".to_owned(),
            table: "atlas.people".to_owned(),
            columns: columns.clone(),
            rows: vec![row("1"), row("2")],
        };
        Ok(PairOfRows {
            rows: Sealed::seal(rows),
            columns,
            names: vec!["00".to_owned(), "01".to_owned()],
            differing: vec!["id".to_owned(), "pin".to_owned()],
            keys: vec!["id".to_owned()],
            total: 2,
        })
    }

    async fn would_decide(&self, ask: DecidePairs, effects: bool) -> Result<WouldDecidePairs, EngineError> {
        known(&ask.pairs)?;
        let effects = effects.then(|| PairEffects { rows: Default::default(), next_run: None });
        Ok(WouldDecidePairs { merged: Vec::new(), apart: Vec::new(), effects })
    }

    async fn decide(&self, ask: DecidePairs, _: Actor) -> Result<DecidedPairs, EngineError> {
        known(&ask.pairs)?;
        Ok(DecidedPairs { pairs: Vec::new(), rows: Default::default(), next_run: None })
    }
}
