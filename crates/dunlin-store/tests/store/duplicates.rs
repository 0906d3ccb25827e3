//! What is known of rows and their duplicates, and forgetting it.

use dunlin_store::{Crosswalk, DuplicatePair, Folded, PairDecision, PairEvidence, Verdict};

use super::Folders;

fn name(n: u8) -> [u8; 16] {
    [n; 16]
}

#[tokio::test]
async fn what_folds_into_an_erased_row_is_forgotten_with_it_in_every_run() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let state = workspace.state();
    let folded = |loser, survivor| Folded { loser: name(loser), survivor: name(survivor), probability: 0.99 };
    let crosswalk =
        Crosswalk { hash: "aa".to_owned(), folded: vec![folded(1, 9), folded(2, 9), folded(3, 8)] };
    let pair = |id: &str, one, other| DuplicatePair {
        pair: id.to_owned(),
        rows: (name(one), name(other)),
        probability: 0.9,
        evidence: vec![PairEvidence { column: "email".to_owned(), level: "near".to_owned(), bits: 7.25 }],
    };
    let mut tx = state.begin().await.unwrap();
    for run in ["first", "second"] {
        tx.put_crosswalk(run, "people", &crosswalk).await.unwrap();
        tx.put_duplicate_pairs(run, "people", &[pair("a", 1, 5), pair("b", 5, 6), pair("c", 9, 6)])
            .await
            .unwrap();
    }
    let by = Some(dunlin_ledger::Actor::Person { id: "0190a000".to_owned() });
    let said = |pair: &str, rows, verdict, at| PairDecision {
        pair: pair.to_owned(),
        rows,
        verdict,
        by: by.clone(),
        at,
    };
    let merge = said("d", (name(7), name(2)), Verdict::Merge, 1);
    tx.put_pair_decision("people", &merge).await.unwrap();
    let keep = said("e", (name(5), name(6)), Verdict::Keep, 2);
    tx.put_pair_decision("people", &keep).await.unwrap();
    tx.forget_duplicates("people", &[name(9)]).await.unwrap();
    tx.commit().await.unwrap();
    for run in ["first", "second"] {
        let left = state.crosswalk(run, "people").await.unwrap().unwrap();
        assert_eq!(left.folded, [folded(3, 8)]);
        let pairs = state.duplicate_pairs(run, "people").await.unwrap();
        assert_eq!(pairs, [pair("b", 5, 6)], "a row that was folded into the erased one is in a pair still");
    }
    assert_eq!(state.pair_decisions("people").await.unwrap(), [keep], "with who said it, and when");
}
