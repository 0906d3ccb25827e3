//! What is known of rows and their duplicates, and forgetting it.

use dunlin_store::{Crosswalk, DuplicatePair, Folded, PairDecision, Verdict};

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
    };
    let mut tx = state.begin().await.unwrap();
    for run in ["first", "second"] {
        tx.put_crosswalk(run, "people", &crosswalk).await.unwrap();
        tx.put_duplicate_pairs(run, "people", &[pair("a", 1, 5), pair("b", 5, 6), pair("c", 9, 6)])
            .await
            .unwrap();
    }
    let said = PairDecision { pair: "d".to_owned(), rows: (name(7), name(2)), verdict: Verdict::Merge };
    tx.put_pair_decision("people", &said, 1).await.unwrap();
    tx.forget_duplicates("people", &[name(9)]).await.unwrap();
    tx.commit().await.unwrap();
    for run in ["first", "second"] {
        let left = state.crosswalk(run, "people").await.unwrap().unwrap();
        assert_eq!(left.folded, [folded(3, 8)]);
        let pairs = state.duplicate_pairs(run, "people").await.unwrap();
        assert_eq!(pairs, [pair("b", 5, 6)], "a row that was folded into the erased one is in a pair still");
    }
    assert!(state.pair_decisions("people").await.unwrap().is_empty());
}
