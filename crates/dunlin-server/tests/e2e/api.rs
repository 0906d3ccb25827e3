//! What the API gives away, and what it must not.

use dunlin_plan::Role;
use reqwest::Method;
use serde_json::json;

use crate::bench::{Bench, json as read_json, send};
use crate::fake::CANARY;

const ROWS: &str = "/api/v1/quarantine/0123456789ab/rows";

#[tokio::test]
async fn rows_leave_through_the_gate_only() {
    let bench = Bench::new().await;
    let engineer = bench.person(Role::Engineer).await;
    let answer = bench.post(&engineer, ROWS, json!({})).await;
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    assert!(text.contains("c•••@c•••.example"), "{text}");
    assert!(!text.contains(CANARY) && !text.contains("hunter2"), "{text}");
    let ledger = bench.ledger().await;
    for kind in ["access_opened", "access_rows", "access_closed"] {
        assert!(ledger.iter().any(|entry| entry.contains(kind)), "{kind}");
    }
    let clear = bench.post(&engineer, ROWS, json!({ "clear": true })).await;
    assert_eq!(clear.status(), 403, "clear values need a purpose and a grant");
    let text = clear.text().await.unwrap();
    assert!(!text.contains("canary"), "{text}");
    let ledger = bench.ledger().await;
    assert!(ledger.iter().any(|entry| entry.contains("access_denied")));
    assert!(!ledger.iter().any(|entry| entry.contains("canary")));
}

#[tokio::test]
async fn with_a_grant_and_a_purpose_what_was_granted_is_clear_and_the_rest_is_not() {
    let bench = Bench::new().await;
    let (owner, engineer) = (bench.person(Role::Owner).await, bench.person(Role::Engineer).await);
    let grant = json!({
        "person": engineer.id, "task": "task-1", "action": "read", "store": "crm", "table": "atlas.people",
        "purpose_category": "support_case", "purpose_text": "the customer of ticket 4711 waits",
    });
    let opened = bench.post(&owner, "/api/v1/grants", grant).await;
    assert_eq!(opened.status(), 201);
    let ask = json!({ "clear": true, "task": "task-1", "purpose": { "category": "support_case", "text": "ticket 4711" } });
    let answer = bench.post(&engineer, ROWS, ask.clone()).await;
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(status, 200, "{text}");
    assert!(text.contains(CANARY), "{text}");
    assert!(!text.contains("hunter2"), "a secret column needs two people: {text}");
    let ledger = bench.ledger().await.join("\n");
    assert!(
        !ledger.contains("4711") && !ledger.contains("canary"),
        "neither texts nor values are in the ledger"
    );
    let id = read_json(bench.get(&owner, "/api/v1/grants").await).await["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(bench.post(&owner, &format!("/api/v1/grants/{id}/close"), json!({})).await.status(), 204);
    assert_eq!(bench.post(&engineer, ROWS, ask).await.status(), 403, "a closed grant opens nothing");
}

#[tokio::test]
async fn problems_name_the_mistake_and_never_the_value() {
    let bench = Bench::new().await;
    let ana = bench.person(Role::Owner).await;
    let canary = "canary-4711";
    let cases = [
        (Method::POST, "/api/v1/sign-in".to_owned(), json!({ "email": canary, "password": canary })),
        (Method::POST, "/api/v1/sign-in".to_owned(), json!({ "email": 7, "pass": canary })),
        (Method::PATCH, "/api/v1/me".to_owned(), json!({ "nmae": canary })),
        (Method::GET, format!("/api/v1/people/{canary}"), json!({})),
        (Method::GET, format!("/api/v1/runs/{canary}"), json!({})),
        (Method::GET, format!("/api/v1/ledger/entries/{canary}/proof"), json!({})),
        (Method::GET, format!("/api/v1/ledger/entries?from={canary}"), json!({})),
        (Method::POST, "/api/v1/ledger/standing".to_owned(), json!(canary)),
        (
            Method::POST,
            format!("/api/v1/people/{canary}/block"),
            json!({ "category": canary, "text": canary }),
        ),
        (Method::POST, "/api/v1/runs".to_owned(), json!({ "fingerprint": canary })),
        (Method::POST, "/api/v1/quarantine/canary-4711/rows".to_owned(), json!({})),
        (Method::GET, format!("/ledger/tile/{canary}"), json!({})),
        (Method::GET, format!("/api/v1/{canary}"), json!({})),
        (Method::DELETE, "/api/v1/me".to_owned(), json!({})),
    ];
    for (method, path, body) in cases {
        let answer = send(bench.ask(&ana, method.clone(), &path), &body).await;
        let status = answer.status().as_u16();
        assert!((400..500).contains(&status), "{method} {path}: {status}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{method} {path}");
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let text = answer.text().await.unwrap();
        assert!(!text.contains("canary"), "{method} {path}: {text}");
        assert!(!text.contains(".rs") && !text.contains("/src/") && !text.contains("sqlx"), "{text}");
        let body: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body["status"], status, "{method} {path}");
        assert_eq!(body["reference"], id.as_str(), "{method} {path}");
        assert!(body["title"].as_str().unwrap().len() > 10 && body["code"].is_string(), "{text}");
    }
}

#[tokio::test]
async fn an_unknown_and_a_known_account_are_answered_alike() {
    let bench = Bench::new().await;
    let ana = bench.person(Role::Owner).await;
    let known = bench.guard.person(&ana.id).await.unwrap().email;
    let mut answers = Vec::new();
    for email in [known.as_str(), "nobody@example.com"] {
        let body = json!({ "email": email, "password": "wrong horse battery staple" });
        let answer = send(bench.bare(Method::POST, "/api/v1/sign-in"), &body).await;
        assert!(!answer.headers().contains_key("set-cookie"));
        let mut said = read_json(answer).await;
        said["reference"] = json!("");
        answers.push(said);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0]["status"], 401);
    let recover = |email: String| async move { json!({ "email": email }) };
    for email in [known, "nobody@example.com".to_owned()] {
        let answer = send(bench.bare(Method::POST, "/api/v1/recover"), &recover(email).await).await;
        assert_eq!(answer.status(), 204);
    }
}

#[tokio::test]
async fn blocking_in_one_call_is_entered_and_shuts_out_at_once() {
    let bench = Bench::new().await;
    let (owner, engineer) = (bench.person(Role::Owner).await, bench.person(Role::Engineer).await);
    assert_eq!(bench.get(&engineer, "/api/v1/me").await.status(), 200);
    let body = json!({ "category": "incident", "text": "the canary-4711 affair" });
    let path = format!("/api/v1/people/{}/block", engineer.id);
    assert_eq!(bench.post(&owner, &path, body).await.status(), 204);
    assert_eq!(bench.get(&engineer, "/api/v1/me").await.status(), 401);
    let ledger = bench.ledger().await.join("\n");
    assert!(ledger.contains("person_blocked") && !ledger.contains("canary"));
    let record = read_json(bench.get(&owner, &format!("/api/v1/people/{}", engineer.id)).await).await;
    assert_eq!(record["person"]["status"], "blocked");
    assert!(
        record["investigation"]["reason"].as_str().unwrap().contains("affair"),
        "the text is for those who look"
    );
    let path = format!("/api/v1/people/{}/block", owner.id);
    let own = bench.post(&owner, &path, json!({ "category": "x", "text": "x" })).await;
    assert_eq!(own.status(), 403, "nobody blocks himself");
}

#[tokio::test]
async fn what_a_person_would_see_is_what_the_gate_gives() {
    let bench = Bench::new().await;
    let (owner, engineer) = (bench.person(Role::Owner).await, bench.person(Role::Engineer).await);
    let path = format!("/api/v1/people/{}/would-see", engineer.id);
    let view = read_json(
        bench.post(&owner, &path, json!({ "table": "atlas.people", "action": "read_masked" })).await,
    )
    .await;
    let shown = |name: &str| {
        let columns = view["columns"].as_array().unwrap();
        columns.iter().find(|c| c["column"] == name).unwrap()["shown"].as_str().unwrap().to_owned()
    };
    let rows = read_json(bench.post(&engineer, ROWS, json!({})).await).await;
    let given = rows["columns"].as_array().unwrap();
    let email = given.iter().find(|c| c["name"] == "email").unwrap();
    assert_eq!(email["shown"], shown("email").as_str());
    let pin = if rows["hidden"].as_array().unwrap().contains(&json!("pin")) { "hidden" } else { "masked" };
    assert_eq!(shown("pin"), pin);
}

#[tokio::test]
async fn auditors_prove_export_and_are_seen_doing_so() {
    let bench = Bench::with("public_ledger = true\n").await;
    let auditor = bench.person(Role::Auditor).await;
    bench.workspace.integrate().await.unwrap();
    let page = read_json(bench.get(&auditor, "/api/v1/ledger/entries?limit=5&kind=person_added").await).await;
    assert_eq!(page["entries"].as_array().unwrap().len(), 1);
    let proof = bench.get(&auditor, "/api/v1/ledger/entries/0/tlog-proof").await;
    assert_eq!(proof.status(), 200);
    assert!(proof.text().await.unwrap().starts_with("c2sp.org/tlog-proof@"));
    let checkpoint = bench.bare(Method::GET, "/ledger/checkpoint").send().await.unwrap();
    assert_eq!(checkpoint.status(), 200, "public when configured");
    let note = checkpoint.text().await.unwrap();
    let standing = bench
        .ask(&auditor, Method::POST, "/api/v1/ledger/standing")
        .header("content-type", "text/plain")
        .body(note);
    assert_eq!(read_json(standing.send().await.unwrap()).await["standing"], "consistent");
    let entries = "/ledger/tile/entries/000.p/1";
    assert_eq!(
        bench.bare(Method::GET, entries).send().await.unwrap().status(),
        401,
        "entries are not public"
    );
    let engineer = bench.person(Role::Engineer).await;
    assert_eq!(bench.get(&engineer, entries).await.status(), 403);
    let export = bench.get(&auditor, "/api/v1/ledger/export").await;
    assert_eq!(export.headers()["content-type"], "application/jsonl");
    let first: serde_json::Value =
        serde_json::from_str(export.text().await.unwrap().lines().next().unwrap()).unwrap();
    assert!(first["class_uid"].is_number(), "{first}");
    assert!(bench.ledger().await.iter().any(|entry| entry.contains("ledger_exported")));
}

#[tokio::test]
async fn a_decision_stays_within_the_tables_that_a_person_is_limited_to() {
    let bench = Bench::new().await;
    let steward = bench.person(Role::Steward).await;
    let ask = json!({ "groups": ["nowhere"], "decision": "discard" });
    let unknown = bench.post(&steward, "/api/v1/quarantine/decide", ask).await;
    assert_eq!(unknown.status(), 404);
    let row = dunlin_store::QuarantineRow {
        run: "r1".to_owned(),
        table: "atlas.people".to_owned(),
        fragment: "f1".to_owned(),
        row: 0,
        reason: "wrong-type".to_owned(),
        column: None,
        pattern: None,
        position: None,
        status: dunlin_store::QuarantineStatus::Waiting,
    };
    let run = dunlin_store::RunRecord {
        id: row.run.clone(),
        kind: dunlin_store::RunKind::Load,
        fingerprint: "f".repeat(64),
        plan_text: String::new(),
        plan_file: "dunlin.toml".to_owned(),
        stores: std::collections::BTreeMap::new(),
        status: dunlin_store::RunStatus::Done,
        started_at: 1,
        ended_at: Some(2),
        actor: dunlin_ledger::Actor::System,
        jobs: 1,
    };
    let mut tx = bench.workspace.state().begin().await.unwrap();
    tx.insert_run(&run).await.unwrap();
    tx.insert_quarantine_rows(std::slice::from_ref(&row)).await.unwrap();
    tx.commit().await.unwrap();
    let limit = dunlin_guard::Limit { tables: Some(vec!["atlas.orders".to_owned()]), until: None };
    bench.guard.limit(&dunlin_ledger::Actor::System, &steward.id, &limit).await.unwrap();
    let limited = bench.sign_in(&steward.id).await;
    let listed = read_json(bench.get(&limited, "/api/v1/quarantine").await).await;
    assert_eq!(listed["items"], json!([]), "nor does he see that there is such a group");
    let ask = json!({ "groups": [row.group()], "decision": "discard" });
    let answer = bench.post(&limited, "/api/v1/quarantine/decide", ask.clone()).await;
    assert_eq!(read_json(answer).await["code"], "table_limit");
    // The store is protected and nobody has approved the plan: what writes there is refused as well.
    let free = bench.person(Role::Steward).await;
    let release = json!({ "groups": [row.group()], "decision": "release" });
    assert_eq!(bench.post(&free, "/api/v1/quarantine/decide", release).await.status(), 403);
}
