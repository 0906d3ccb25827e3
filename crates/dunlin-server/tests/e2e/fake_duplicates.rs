//! Pairs in memory: one waits, one is decided on, one was merged by a run. For tests and for looking at pages.

use dunlin_gate::{ColumnInfo, Rows, Sealed};
use dunlin_ledger::Actor;
use dunlin_server::{
    DecidePairs, DecidedPairs, Duplicates, EngineError, MergedPair, MergedPart, Pair, PairEffects,
    PairEvidence, PairOfRows, PairState, Pairs, PairsLook, WouldDecidePairs,
};

use crate::fake::CANARY;

/// Three pairs of one table: one waits, one is decided on, one was merged by a run.
pub struct FakeDuplicates;

fn evidence(column: &str) -> PairEvidence {
    PairEvidence { column: column.to_owned(), level: "near".to_owned(), bits: 4.5 }
}

/// What the rows of a pair would be as one.
fn merged(pair: &str) -> MergedPair {
    let (from, why, rule) = ("00".to_owned(), "only".to_owned(), None);
    let part = |column: &str| MergedPart {
        column: column.to_owned(),
        from: from.clone(),
        why: why.clone(),
        rule: None,
    };
    let columns = ["id", "email", "pin"].map(part).to_vec();
    MergedPair { pair: pair.to_owned(), survivor: from.clone(), why: "complete".to_owned(), rule, columns }
}

fn pair(name: &str, state: PairState, probability: f64) -> Pair {
    Pair {
        pair: name.to_owned(),
        table: "atlas.people".to_owned(),
        state,
        acted: true,
        rows: 2,
        probability,
        evidence: ["email", "pin"].map(evidence).to_vec(),
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

    async fn would_decide(&self, ask: DecidePairs, look: PairsLook) -> Result<WouldDecidePairs, EngineError> {
        known(&ask.pairs)?;
        let effects =
            (look == PairsLook::Effects).then(|| PairEffects { rows: Default::default(), next_run: None });
        // Only a look at whole tables tells what people keep apart.
        let apart = if look == PairsLook::Rows { Vec::new() } else { ask.pairs.clone() };
        Ok(WouldDecidePairs { merged: ask.pairs.iter().map(|p| merged(p)).collect(), apart, effects })
    }

    async fn decide(&self, ask: DecidePairs, _: Actor) -> Result<DecidedPairs, EngineError> {
        known(&ask.pairs)?;
        Ok(DecidedPairs { pairs: Vec::new(), rows: Default::default(), next_run: None })
    }
}
