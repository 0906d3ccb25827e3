//! Runs, their tables, splits, receipts and amendments.

use std::collections::BTreeMap;

use dunlin_store::{
    Actor, Amendment, RunKind, RunRecord, RunStatus, SplitRecord, SplitStatus, Workspace, new_id, now_us,
};
use serde_json::json;

use super::{Folders, says_nothing};

pub(crate) fn run(fingerprint: &str) -> RunRecord {
    RunRecord {
        id: new_id(),
        kind: RunKind::Load,
        fingerprint: fingerprint.to_owned(),
        plan_text: "[plan]\nname = \"x\"\n".to_owned(),
        plan_file: "dunlin.toml".to_owned(),
        stores: BTreeMap::from([("crm".to_owned(), "sqlite:/data/crm.db".to_owned())]),
        status: RunStatus::Running,
        started_at: now_us(),
        ended_at: None,
        actor: Actor::Local { user: "ana".to_owned() },
        jobs: 2,
    }
}

pub(crate) async fn started(workspace: &Workspace) -> RunRecord {
    let run = run("aa");
    let mut tx = workspace.state().begin().await.unwrap();
    tx.insert_run(&run).await.unwrap();
    tx.commit().await.unwrap();
    run
}

#[tokio::test]
async fn a_run_is_found_until_it_is_over() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let state = workspace.state();
    let first = started(&workspace).await;
    assert_eq!(state.run(&first.id).await.unwrap(), first);
    assert_eq!(state.unfinished_runs().await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(state.last_done_run("aa").await.unwrap(), None);

    let mut tx = state.begin().await.unwrap();
    tx.set_run_status(&first.id, RunStatus::Paused).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(state.unfinished_runs().await.unwrap().len(), 1);

    let mut tx = state.begin().await.unwrap();
    tx.set_run_status(&first.id, RunStatus::Done).await.unwrap();
    let rehearsal = RunRecord { kind: RunKind::Rehearse, status: RunStatus::Done, ..run("aa") };
    tx.insert_run(&rehearsal).await.unwrap();
    tx.commit().await.unwrap();
    assert!(state.unfinished_runs().await.unwrap().is_empty());
    let done = state.last_done_run("aa").await.unwrap().unwrap();
    assert_eq!((&done.id, done.status), (&first.id, RunStatus::Done));
    assert!(done.ended_at.is_some());
    assert_eq!(state.last_done_run("bb").await.unwrap(), None);
    assert_eq!(state.runs().await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_not_committed_did_not_happen() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let run = run("aa");
    let before = workspace.state().ledger_size().await.unwrap();
    let mut tx = workspace.state().begin().await.unwrap();
    tx.insert_run(&run).await.unwrap();
    let body = dunlin_store::Body::RunResumed { run: run.id.clone() };
    let entry = dunlin_store::Entry { at: now_us(), actor: run.actor.clone(), body };
    tx.enter(entry).await.unwrap();
    drop(tx);
    let error = workspace.state().run(&run.id).await.unwrap_err();
    assert!(error.to_string().starts_with("there is no run `"));
    assert_eq!(workspace.state().ledger_size().await.unwrap(), before);
}

#[tokio::test]
async fn receipts_are_kept_once() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let state = workspace.state();
    let run = started(&workspace).await;
    let planned = |split| SplitRecord {
        run: run.id.clone(),
        table: "crm.customers".to_owned(),
        split,
        descriptor: json!({"from": split * 100, "to": split * 100 + 99}),
        status: SplitStatus::Planned,
        receipt: None,
    };
    let splits: Vec<_> = (0..2500).map(planned).collect();
    let mut tx = state.begin().await.unwrap();
    tx.insert_splits(&splits).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(state.splits(&run.id, "crm.customers").await.unwrap(), splits);

    let receipt = json!({"rows": 99, "hash": "00ff"});
    for _ in 0..2 {
        let mut tx = state.begin().await.unwrap();
        tx.record_receipt(&run.id, "crm.customers", 7, &receipt).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = state.begin().await.unwrap();
    let other = json!({"rows": 98, "hash": "00ff", "note": super::CANARY});
    let error = tx.record_receipt(&run.id, "crm.customers", 7, &other).await.unwrap_err();
    insta::assert_snapshot!(error, @"split 7 of `crm.customers` already has another receipt");
    says_nothing(error);
    let error = tx.record_receipt(&run.id, "crm.customers", 9999, &receipt).await.unwrap_err();
    insta::assert_snapshot!(error, @"there is no split `crm.customers/9999`");
    tx.set_split_status(&run.id, "crm.customers", 7, SplitStatus::Undone).await.unwrap();
    assert_eq!(tx.remove_planned_splits(&run.id, "crm.customers").await.unwrap(), 2499);
    tx.commit().await.unwrap();
    let left = state.splits(&run.id, "crm.customers").await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].status, left[0].receipt.as_ref()), (SplitStatus::Undone, Some(&receipt)));
}

#[tokio::test]
async fn tables_keep_their_order_and_amendments_their_numbers() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let state = workspace.state();
    let run = started(&workspace).await;
    let mut tx = state.begin().await.unwrap();
    for (table, phase) in [("z", 1), ("a", 1), ("z", 2)] {
        tx.put_table(&run.id, table, &json!({"phase": phase})).await.unwrap();
    }
    let amendment = Amendment {
        run: run.id.clone(),
        table: "z".to_owned(),
        amendment: 0,
        receipt: json!({"quarantined": 3}),
    };
    tx.insert_amendment(&amendment).await.unwrap();
    tx.insert_amendment(&amendment).await.unwrap();
    let other = Amendment { receipt: json!({"quarantined": 4}), ..amendment.clone() };
    assert!(tx.insert_amendment(&other).await.is_err());
    tx.commit().await.unwrap();
    let tables = state.tables(&run.id).await.unwrap();
    assert_eq!(tables, [("z".to_owned(), json!({"phase": 2})), ("a".to_owned(), json!({"phase": 1}))]);
    assert_eq!(state.amendments(&run.id, "z").await.unwrap(), [amendment]);
}

#[tokio::test]
async fn errors_of_the_database_carry_no_values() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let run = RunRecord { id: super::CANARY.to_owned(), ..run(super::CANARY) };
    let mut tx = workspace.state().begin().await.unwrap();
    tx.insert_run(&run).await.unwrap();
    let error = tx.insert_run(&run).await.unwrap_err();
    insta::assert_snapshot!(error, @"the state database failed while inserting a run (code 1555)");
    says_nothing(error);
}

#[tokio::test]
async fn one_run_at_a_time() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let lock = workspace.lock_run().unwrap();
    let error = workspace.lock_run().unwrap_err().to_string();
    assert_eq!(error, format!("a run is going on in this workspace (process {})", std::process::id()));
    drop(lock);
    drop(workspace.lock_run().unwrap());
}

#[tokio::test]
async fn small_things_are_remembered() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let state = workspace.state();
    let mut tx = state.begin().await.unwrap();
    tx.set_setting("a", "1").await.unwrap();
    tx.set_setting("a", "2").await.unwrap();
    let approval = dunlin_store::Approval {
        fingerprint: "ff".to_owned(),
        stores: BTreeMap::from([("atlas".to_owned(), "pg:1/atlas".to_owned())]),
        by: "p1".to_owned(),
        at: dunlin_store::now_us(),
    };
    tx.insert_approval(&approval).await.unwrap();
    tx.insert_approval(&dunlin_store::Approval { at: approval.at + 1, ..approval.clone() }).await.unwrap();
    let past = dunlin_store::Approval { by: "p2".to_owned(), at: 5, ..approval.clone() };
    tx.insert_approval(&past).await.unwrap();
    let (one, two) = (tx.keep_text("why").await.unwrap(), tx.keep_text("why").await.unwrap());
    let salt = tx.subject_salt("s1").await.unwrap();
    assert_eq!(tx.subject_salt("s1").await.unwrap(), salt);
    assert!(tx.shred_subject("s1").await.unwrap());
    assert_ne!(tx.subject_salt("s1").await.unwrap(), salt);
    tx.insert_tombstone("people", "aa").await.unwrap();
    tx.insert_tombstone("people", "aa").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(state.setting("a").await.unwrap().as_deref(), Some("2"));
    assert_eq!(state.setting("b").await.unwrap(), None);
    assert_eq!(state.approvals("ff").await.unwrap(), std::slice::from_ref(&approval), "an old one has ended");
    assert_eq!(state.approvals_ever("ff").await.unwrap(), [past.clone(), approval]);
    let mut tx = state.begin().await.unwrap();
    let again = dunlin_store::Approval { at: dunlin_store::now_us(), ..past };
    assert!(tx.insert_approval_until(&again, Some("owner"), i64::MAX, again.at).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(state.approvals("ff").await.unwrap().len(), 2, "what has ended can be given again");
    assert_ne!(one, two, "the same words twice must not look alike in the ledger");
    assert_eq!(state.text(&one).await.unwrap().as_deref(), Some("why"));
    assert_eq!(state.tombstones("people").await.unwrap(), ["aa"]);
}
