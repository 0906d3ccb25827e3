//! The plan through the API: versions, formatting, what it may name, approvals, and a server that dies half-way.

use dunlin_plan::Role;
use reqwest::{Method, Response};
use serde_json::json;

use crate::bench::{Bench, PLAN, Person, json as read_json, read, send};

async fn version(bench: &Bench, who: &Person) -> String {
    let plan = bench.get(who, "/api/v1/plan").await;
    plan.headers()["etag"].to_str().unwrap().to_owned()
}

async fn put(bench: &Bench, who: &Person, version: &str, text: &str) -> Response {
    let asked = bench.ask(who, Method::PUT, "/api/v1/plan").header("if-match", version);
    asked.header("content-type", "text/plain").body(text.to_owned()).send().await.unwrap()
}

#[tokio::test]
async fn an_edit_of_an_older_version_is_refused_and_nothing_is_written() {
    let bench = Bench::new().await;
    let (ana, ben) = (bench.person(Role::Lead).await, bench.person(Role::Engineer).await);
    let first = version(&bench, &ana).await;
    let by_ana = PLAN.replace("CRM to Atlas", "By Ana");
    let saved = put(&bench, &ana, &first, &by_ana).await;
    assert_eq!(saved.status(), 200);
    let second = saved.headers()["etag"].to_str().unwrap().to_owned();
    let late = put(&bench, &ben, &first, &PLAN.replace("CRM to Atlas", "By Ben")).await;
    assert_eq!(late.status(), 412);
    assert_eq!(read_json(late).await["code"], "plan_changed");
    assert_eq!(read(&bench.plan_file()), by_ana);
    assert_eq!(put(&bench, &ben, &second, &PLAN.replace("CRM to Atlas", "By Ben")).await.status(), 200);
    let bare = bench.ask(&ben, Method::PUT, "/api/v1/plan").body(PLAN).send().await.unwrap();
    assert_eq!(bare.status(), 428, "without a version");
    let edits = bench.ledger().await.iter().filter(|e| e.contains("\"plan_edited\"")).count();
    assert_eq!(edits, 2);
}

#[tokio::test]
async fn a_single_change_keeps_every_other_byte() {
    let bench = Bench::new().await;
    let ana = bench.person(Role::Lead).await;
    let steps = json!({ "steps": [
        { "op": "set", "path": ["plan", "name"], "value": "Another" },
        { "op": "set", "path": ["table", 0, "where"], "value": "id > 0" },
    ] });
    let asked =
        bench.ask(&ana, Method::PATCH, "/api/v1/plan").header("if-match", version(&bench, &ana).await);
    let answer = send(asked, &steps).await;
    assert_eq!(answer.status(), 200);
    let said = read_json(answer).await;
    let moves: Vec<bool> =
        said["changes"].as_array().unwrap().iter().map(|c| c["moves"].as_bool().unwrap()).collect();
    assert!(moves.contains(&true) && moves.contains(&false), "{said}");
    let expected = PLAN
        .replace("\"CRM to Atlas\"          #", "\"Another\"          #")
        .replace("key = [\"id\"]\n", "key = [\"id\"]\nwhere = \"id > 0\"\n");
    assert_eq!(read(&bench.plan_file()), expected);
}

#[tokio::test]
async fn a_plan_that_cannot_stand_is_refused_with_every_finding_and_no_password() {
    let bench = Bench::new().await;
    let ana = bench.person(Role::Owner).await;
    let first = version(&bench, &ana).await;
    let bad = PLAN.replace("sqlite:crm.db", "postgres://u:s3cret-canary@db/x").replace("key = ", "kye = ");
    let answer = put(&bench, &ana, &first, &bad).await;
    assert_eq!(answer.status(), 422);
    let text = answer.text().await.unwrap();
    assert!(text.contains("\"line\":") && text.contains("kye"), "{text}");
    assert!(!text.contains("canary"), "{text}");
    assert_eq!(read(&bench.plan_file()), PLAN);
}

#[tokio::test]
async fn stores_are_changed_by_those_who_may_and_only_to_where_the_server_may_go() {
    let bench = Bench::with("allow_hosts = [\"db.example\"]\n").await;
    let (owner, engineer) = (bench.person(Role::Owner).await, bench.person(Role::Engineer).await);
    let first = version(&bench, &owner).await;
    let other = PLAN.replace("sqlite:crm.db", "sqlite:other.db");
    let refused = put(&bench, &engineer, &first, &other).await;
    assert_eq!(refused.status(), 403, "an engineer edits the plan, and not where data goes");
    for bad in [
        "sqlite:../outside.db",
        "sqlite:.dunlin/state.db",
        "sqlite:/etc/passwd",
        "env:PATH",
        "postgres://u@169.254.169.254/x",
        "postgres://u@db.example/x?host=evil.example",
    ] {
        let answer = put(&bench, &owner, &first, &PLAN.replace("sqlite:crm.db", bad)).await;
        assert_eq!(answer.status(), 422, "{bad}");
        let text = answer.text().await.unwrap();
        assert!(text.contains("server-"), "{bad}: {text}");
    }
    assert_eq!(
        put(&bench, &owner, &first, &PLAN.replace("sqlite:crm.db", "postgres://u@db.example/x"))
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn what_writes_to_a_protected_store_needs_anothers_approval_and_any_edit_voids_it() {
    let bench = Bench::new().await;
    let (owner, approver) = (bench.person(Role::Owner).await, bench.person(Role::Approver).await);
    let engineer = bench.person(Role::Engineer).await;
    let fingerprint = || async {
        read_json(bench.get(&owner, "/api/v1/plan").await).await["fingerprint"].as_str().unwrap().to_owned()
    };
    let start = |fingerprint: String| json!({ "fingerprint": fingerprint });
    let first = fingerprint().await;
    let refused = bench.post(&engineer, "/api/v1/runs", start(first.clone())).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(bench.post(&approver, "/api/v1/plan/approve", start(first.clone())).await.status(), 204);
    assert_eq!(bench.post(&engineer, "/api/v1/runs", start(first.clone())).await.status(), 201);
    let edited = PLAN.replace("key = [\"id\"]\n", "key = [\"id\"]\nwhere = \"id > 0\"\n");
    assert_eq!(put(&bench, &owner, &version(&bench, &owner).await, &edited).await.status(), 200);
    let second = fingerprint().await;
    assert_ne!(first, second);
    let stale = bench.post(&engineer, "/api/v1/runs", start(first.clone())).await;
    assert_eq!(stale.status(), 409, "the plan that was read is not the plan that is");
    assert_eq!(bench.post(&engineer, "/api/v1/runs", start(second.clone())).await.status(), 403);
    let author = bench.post(&owner, "/api/v1/plan/approve", start(second.clone())).await;
    assert_eq!(author.status(), 403, "nobody approves what he wrote");
    assert_eq!(bench.post(&approver, "/api/v1/plan/approve", start(second.clone())).await.status(), 204);
    assert_eq!(bench.post(&engineer, "/api/v1/runs", start(second)).await.status(), 201);
}

#[tokio::test]
async fn an_edit_that_was_entered_before_the_server_died_is_written_at_the_next_start() {
    let bench = Bench::new().await;
    let new = PLAN.replace("CRM to Atlas", "Written later");
    // What a crash between the transaction and the file leaves.
    let mut tx = bench.workspace.state().begin().await.unwrap();
    tx.set_setting("plan_pending", &new).await.unwrap();
    tx.commit().await.unwrap();
    let home = bench.stop().await;
    let again = Bench::over(home, "").await;
    assert_eq!(read(&again.plan_file()), new);
    assert_eq!(again.workspace.state().setting("plan_pending").await.unwrap().as_deref(), Some(""));
}

/// Accounts take role and organisation from the plan: who writes the plan must not write himself an office.
#[tokio::test]
async fn nobody_but_an_owner_gives_roles_by_editing_the_plan() {
    let bench = Bench::new().await;
    let (owner, lead) = (bench.person(Role::Owner).await, bench.person(Role::Lead).await);
    let engineer = bench.person(Role::Engineer).await;
    let with = |role: &str| {
        format!("{PLAN}\n[[person]]\nname = \"Ben\"\nemail = \"engineer2@example.com\"\nrole = \"{role}\"\n")
    };
    for who in [&engineer, &lead] {
        let answer = put(&bench, who, &version(&bench, who).await, &with("owner")).await;
        assert_eq!(answer.status(), 403);
    }
    assert_eq!(read(&bench.plan_file()), PLAN);
    let first = version(&bench, &owner).await;
    assert_eq!(put(&bench, &owner, &first, &with("steward")).await.status(), 200);
    // What is given already may be written around.
    let around = with("steward").replace("CRM to Atlas", "Another name");
    assert_eq!(put(&bench, &engineer, &version(&bench, &engineer).await, &around).await.status(), 200);
    let raised = around.replace("\"steward\"", "\"lead\"");
    assert_eq!(put(&bench, &engineer, &version(&bench, &engineer).await, &raised).await.status(), 403);
}
