//! Drafting from a plan: whole, again, with what people changed, and with the ledger's word on it.

use dunlin_ledger::{Actor, Body, Counts};
use dunlin_plan::{Plan, Role};
use dunlin_work::{By, Origin, Status, Step, TableFacts, Task, WorkError, Worker};
use serde_json::json;

use crate::{Bench, ana};

fn plan(tables: &[&str]) -> Plan {
    let mut text = "[plan]\nname = \"CRM to Atlas\"\n[store.crm]\nurl = \"sqlite:crm.db\"\n[store.atlas]\nurl = \"sqlite:atlas.db\"\n".to_owned();
    for table in tables {
        text.push_str(&format!(
            "[[table]]\nfrom = \"crm.{table}\"\nto = \"atlas.{table}\"\nkey = [\"id\"]\n"
        ));
    }
    dunlin_plan::load(&text, "dunlin.toml").unwrap()
}

fn facts(plan: &Plan, undecided: &[&str]) -> Vec<TableFacts> {
    let fact = |table: &dunlin_plan::TablePlan| TableFacts {
        schema: Some("aa".to_owned()),
        undecided: Some(undecided.iter().map(|c| (*c).to_owned()).collect()),
        ..TableFacts::of(table)
    };
    plan.tables.iter().map(fact).collect()
}

fn workers() -> Vec<Worker> {
    let one = |id: &str, role| Worker {
        id: id.into(),
        name: id.into(),
        email: format!("{id}@x.example"),
        role,
        organisation: None,
    };
    vec![one("ana", Role::Lead), one("ben", Role::Engineer), one("cleo", Role::Approver)]
}

fn of(bench: &Bench, step: Step, table: &str) -> Task {
    let board = bench.work.board();
    let is = |t: &&std::sync::Arc<Task>| {
        t.binding.as_ref().is_some_and(|b| b.step == step && b.table.as_deref() == Some(table))
    };
    Task::clone(board.tasks().find(is).unwrap())
}

async fn seen(bench: &Bench, plan: &Plan, undecided: &[&str]) {
    let fingerprint = plan.fingerprint().to_string();
    bench.work.enter_tables(&fingerprint, &facts(plan, undecided)).await.unwrap();
    bench.absorb().await;
}

#[tokio::test]
async fn a_plan_becomes_its_tasks_and_drafting_again_changes_nothing() {
    let bench = Bench::new().await;
    let plan = plan(&["people", "orders"]);
    let drafted = bench.work.draft(&ana(), &plan, &facts(&plan, &["notes"]), &workers()).await.unwrap();
    // Two wholes and eleven steps a table, a question a table; one whole and eight tasks for the project.
    assert_eq!(drafted.added.len(), 2 * (1 + 11 + 1) + 1 + 8);
    let load = of(&bench, Step::Load, "atlas.people");
    assert_eq!((load.owner.as_deref(), load.raci.accountable.as_deref()), (Some("ben"), Some("ana")));
    assert_eq!(of(&bench, Step::Approve, "atlas.people").owner.as_deref(), Some("cleo"));
    assert!(load.depends_on.iter().any(|d| d.task == of(&bench, Step::Approve, "atlas.people").id));
    let question = of(&bench, Step::Column, "atlas.orders");
    assert_eq!(question.origin, Origin::OpenQuestion);
    let again = bench.work.draft(&ana(), &plan, &facts(&plan, &["notes"]), &workers()).await.unwrap();
    assert_eq!((again.added.len(), again.updated.len(), again.gone.len()), (0, 0, 0));
    assert_eq!(again.kept, drafted.added.len());
}

#[tokio::test]
async fn what_people_changed_stays_and_what_the_plan_dropped_is_marked() {
    let bench = Bench::new().await;
    let before = plan(&["people", "orders"]);
    bench.work.draft(&ana(), &before, &facts(&before, &[]), &workers()).await.unwrap();
    let load = of(&bench, Step::Load, "atlas.people");
    bench.edit(&ana(), &load.id, json!({ "title": "The big night", "owner": "dan" }), None).await.unwrap();
    let after = plan(&["people", "tickets"]);
    let mut others = workers();
    others[1].id = "eve".to_owned();
    let drafted = bench.work.draft(&ana(), &after, &facts(&after, &[]), &others).await.unwrap();
    assert_eq!((drafted.added.len(), drafted.gone.len()), (12, 12));
    let load = of(&bench, Step::Load, "atlas.people");
    assert_eq!((load.title.as_str(), load.owner.as_deref()), ("The big night", Some("dan")));
    assert_eq!(
        of(&bench, Step::Verify, "atlas.people").owner.as_deref(),
        Some("eve"),
        "nobody had touched it"
    );
    assert!(of(&bench, Step::Load, "atlas.orders").gone);
    bench.work.delete(&ana(), &of(&bench, Step::Load, "atlas.orders").id).await.unwrap();
    assert!(matches!(bench.work.delete(&ana(), &load.id).await, Err(WorkError::Conflict { .. })));
    bench.work.draft(&ana(), &before, &facts(&before, &[]), &workers()).await.unwrap();
    assert!(!of(&bench, Step::Verify, "atlas.orders").gone, "what comes back is taken up again");
}

#[tokio::test]
async fn a_bound_task_follows_the_ledger_and_nobody_writes_its_status() {
    let bench = Bench::new().await;
    let plan = plan(&["people"]);
    seen(&bench, &plan, &[]).await;
    bench.work.draft(&ana(), &plan, &facts(&plan, &[]), &workers()).await.unwrap();
    let load = of(&bench, Step::Load, "atlas.people");
    assert_eq!(load.status, Status::Open);
    for set in [json!({ "status": "done" }), json!({ "progress": 1.0 })] {
        assert!(matches!(bench.edit(&ana(), &load.id, set, None).await, Err(WorkError::BoundStatus)));
    }
    let (run, table, fingerprint) =
        ("r1".to_owned(), "atlas.people".to_owned(), plan.fingerprint().to_string());
    let counts = Counts { source_rows: 10, loaded: 9, quarantined: 1, ..Counts::default() };
    let h = || "ab".repeat(32);
    let begun = Body::RunStarted {
        run: run.clone(),
        plan_fingerprint: fingerprint,
        rehearse: false,
        stores: Default::default(),
    };
    let split = Body::SplitLoaded {
        run: run.clone(),
        table: table.clone(),
        split: 0,
        counts,
        source_hash: h(),
        loaded_hash: h(),
        expected_hash: h(),
        fragment: None,
    };
    let reconciled = |reconciled| Body::TableReconciled {
        run: run.clone(),
        table: table.clone(),
        counts,
        source_hash: h(),
        expected_hash: h(),
        target_hash: h(),
        reconciled,
    };
    let verified = Body::Verified {
        run: run.clone(),
        table: table.clone(),
        counts,
        source_hash: h(),
        expected_hash: h(),
        target_hash: h(),
        reconciled: true,
    };
    for (body, status) in [
        (begun, Status::Open),
        (split, Status::Doing),
        (reconciled(false), Status::Blocked),
        (reconciled(true), Status::Done),
    ] {
        bench.state.enter(Actor::System, body).await.unwrap();
        bench.absorb().await;
        assert_eq!(of(&bench, Step::Load, "atlas.people").status, status);
    }
    let done = of(&bench, Step::Load, "atlas.people");
    assert!(done.evidence.last().unwrap().text.contains("10 rows read, 9 loaded, 1 waiting"));
    let sign = of(&bench, Step::SignOff, "atlas.people");
    assert!(
        bench.work.confirm(&ana(), &sign.id, true).await.is_err(),
        "nobody signs for what is not verified"
    );
    assert!(bench.work.confirm(&ana(), &done.id, true).await.is_err(), "nor says that rows were loaded");
    bench.state.enter(Actor::System, verified).await.unwrap();
    bench.absorb().await;
    bench.work.confirm(&ana(), &sign.id, true).await.unwrap();
    bench.absorb().await;
    assert_eq!(of(&bench, Step::SignOff, "atlas.people").status, Status::Done);
    // Taken up by another server, the ledger is folded from its beginning to the same.
    let again =
        Bench { work: bench.again().await, state: bench.state.clone(), _home: tempfile::tempdir().unwrap() };
    again.absorb().await;
    assert_eq!(of(&again, Step::SignOff, "atlas.people").status, Status::Done);
    // A change of the plan makes stale what rested on it.
    let mut changed = facts(&plan, &[]);
    changed[0].mapping = "bb".to_owned();
    bench.work.enter_tables(&"cd".repeat(32), &changed).await.unwrap();
    bench.absorb().await;
    for step in [Step::Load, Step::Verify, Step::SignOff] {
        let task = of(&bench, step, "atlas.people");
        assert_eq!((task.status, task.get("status")), (Status::Stale, json!("stale")));
        assert_eq!(task.stale_because.unwrap().as_str(), "mapping");
    }
}

#[tokio::test]
async fn a_column_without_a_fate_is_a_task_until_the_plan_has_one() {
    let bench = Bench::new().await;
    let plan = plan(&["people"]);
    seen(&bench, &plan, &["notes"]).await;
    bench.work.draft(&By::dunlin(), &plan, &facts(&plan, &["notes"]), &workers()).await.unwrap();
    assert_eq!(of(&bench, Step::Column, "atlas.people").status, Status::Open);
    assert_eq!(of(&bench, Step::Map, "atlas.people").status, Status::Doing);
    seen(&bench, &plan, &[]).await;
    let drafted = bench.work.draft(&By::dunlin(), &plan, &facts(&plan, &[]), &workers()).await.unwrap();
    assert!(drafted.gone.is_empty());
    assert_eq!(of(&bench, Step::Column, "atlas.people").status, Status::Done);
}
