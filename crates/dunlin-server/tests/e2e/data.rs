//! Rows of the stores over HTTP: masked to look at, clear or away only under a grant, and no longer than the right to
//! them lasts.

use std::time::{Duration, Instant};

use dunlin_guard::Reason;
use dunlin_ledger::Actor;
use dunlin_plan::Role;
use serde_json::{Value, json};

use crate::bench::{Bench, Person, json as read_json, send};
use crate::fake::CANARY;

const TABLE: &str = "atlas.people";

fn export(format: &str, clear: bool) -> Value {
    let purpose = json!({ "category": "support_case", "text": "ticket 4711" });
    json!({ "table": TABLE, "format": format, "clear": clear, "purpose": purpose, "task": "t1" })
}

async fn granted(bench: &Bench, owner: &Person, to: &Person, action: &str) {
    let grant = json!({
        "person": to.id, "task": "t1", "action": action, "store": "crm", "table": TABLE,
        "purpose_category": "support_case", "purpose_text": "ticket 4711",
    });
    let opened = bench.post(owner, "/api/v1/grants", grant).await;
    assert_eq!(opened.status(), 201);
}

#[tokio::test]
async fn rows_of_a_store_are_masked_to_look_at_and_the_access_is_entered() {
    let bench = Bench::new().await;
    let engineer = bench.person(Role::Engineer).await;
    let ask = json!({ "table": TABLE, "side": "source", "limit": 3 });
    let shown = read_json(bench.post(&engineer, "/api/v1/data/rows", ask).await).await;
    assert_eq!(shown["rows"].as_array().unwrap().len(), 3, "{shown}");
    assert_eq!(shown["hidden"], json!(["pin"]));
    assert_eq!(shown["rows"][0], json!(["0", "c•••@c•••.example"]));
    assert!(!shown.to_string().contains(CANARY));
    let access = shown["access"].as_str().unwrap();
    let entries: Vec<_> = bench.ledger().await.into_iter().filter(|e| e.contains(access)).collect();
    let kinds = ["access_opened", "access_rows", "access_closed"];
    assert!(kinds.iter().all(|kind| entries.iter().any(|e| e.contains(kind))), "{entries:?}");
    let profile =
        read_json(bench.post(&engineer, "/api/v1/data/profile", json!({ "table": TABLE })).await).await;
    assert_eq!(profile["columns"][0]["top"], json!(["1", "c•••@c•••.example"]), "{profile}");
    let writer = bench.person(Role::Writer).await;
    assert_eq!(bench.post(&writer, "/api/v1/data/rows", json!({ "table": TABLE })).await.status(), 403);
    let nowhere = bench.post(&engineer, "/api/v1/data/rows", json!({ "table": "no.where" })).await;
    assert_eq!(nowhere.status(), 404);
}

#[tokio::test]
async fn a_file_leaves_only_under_a_grant_and_holds_what_was_granted() {
    let bench = Bench::new().await;
    let (owner, engineer) = (bench.person(Role::Owner).await, bench.person(Role::Engineer).await);
    let refused = bench.post(&engineer, "/api/v1/data/export", export("csv", true)).await;
    assert_eq!(refused.status(), 403, "without a grant");
    granted(&bench, &owner, &engineer, "export").await;
    let mut few = export("csv", true);
    few["limit"] = json!(2);
    let file = bench.post(&engineer, "/api/v1/data/export", few.clone()).await;
    assert_eq!(file.status(), 200);
    assert_eq!(file.headers()["content-disposition"], "attachment; filename=\"atlas.people.csv\"");
    let text = file.text().await.unwrap();
    assert_eq!(text, format!("id,email\r\n0,{CANARY}\r\n1,{CANARY}\r\n"), "secret columns stay");
    few["format"] = json!("jsonl");
    let text = bench.post(&engineer, "/api/v1/data/export", few).await.text().await.unwrap();
    assert_eq!(text.lines().next(), Some(format!(r#"{{"id":"0","email":"{CANARY}"}}"#).as_str()));
    let wrong = bench.post(&engineer, "/api/v1/data/export", export("xlsx", false)).await;
    assert_eq!(wrong.status(), 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_under_way_ends_within_a_second_of_a_block() {
    let bench = Bench::new().await;
    let (owner, engineer) = (bench.person(Role::Owner).await, bench.person(Role::Engineer).await);
    granted(&bench, &owner, &engineer, "export").await;
    // All thousand rows take ten seconds.
    let mut file = bench.post(&engineer, "/api/v1/data/export", export("jsonl", true)).await;
    assert!(file.chunk().await.unwrap().is_some());
    let reason = Reason { category: "incident".into(), text: "seen".into() };
    bench.guard.block(&Actor::System, &engineer.id, &reason).await.unwrap();
    let blocked = Instant::now();
    let mut rows = 0;
    let cut = loop {
        match file.chunk().await {
            Ok(Some(_)) => rows += 1,
            end => break end.is_err(),
        }
    };
    assert!(blocked.elapsed() < Duration::from_secs(1), "{:?}", blocked.elapsed());
    assert!(cut, "the file must not look whole after {rows} more rows");
    assert!(bench.ledger().await.iter().any(|entry| entry.contains("access_closed")));
}

#[tokio::test]
async fn what_somebody_would_see_of_a_source_is_what_the_gate_gives() {
    let bench = Bench::new().await;
    let (owner, engineer) = (bench.person(Role::Owner).await, bench.person(Role::Engineer).await);
    let ask = json!({ "table": TABLE, "side": "source", "action": "read_masked" });
    let would =
        read_json(bench.post(&owner, &format!("/api/v1/people/{}/would-see", engineer.id), ask).await).await;
    let shown = read_json(
        bench
            .post(&engineer, "/api/v1/data/rows", json!({ "table": TABLE, "side": "source", "limit": 1 }))
            .await,
    )
    .await;
    let said = would.to_string();
    for column in shown["columns"].as_array().unwrap() {
        assert!(said.contains(column["name"].as_str().unwrap()), "{said}");
    }
    assert!(said.contains("hidden"), "{said}");
}

#[tokio::test]
async fn whoever_has_a_grant_gives_it_back_and_nobody_elses() {
    let bench = Bench::new().await;
    let (owner, engineer) = (bench.person(Role::Owner).await, bench.person(Role::Engineer).await);
    let other = bench.person(Role::Engineer).await;
    granted(&bench, &owner, &engineer, "export").await;
    let grants = read_json(bench.get(&owner, "/api/v1/grants").await).await;
    let path = format!("/api/v1/grants/{}/give-back", grants["items"][0]["id"].as_str().unwrap());
    assert_eq!(bench.post(&other, &path, json!({})).await.status(), 404);
    assert_eq!(bench.post(&engineer, &path, json!({})).await.status(), 204);
    let refused = bench.post(&engineer, "/api/v1/data/export", export("csv", true)).await;
    assert_eq!(refused.status(), 403);
}

#[tokio::test]
async fn who_lost_every_second_factor_gets_a_new_start_from_an_owner() {
    let bench = Bench::new().await;
    let (owner, engineer) = (bench.person(Role::Owner).await, bench.person(Role::Engineer).await);
    let lead = bench.person(Role::Lead).await;
    let path = format!("/api/v1/people/{}/reset-factors", engineer.id);
    assert_eq!(bench.post(&lead, &path, json!({})).await.status(), 403);
    assert_eq!(bench.post(&owner, &path, json!({})).await.status(), 204);
    let ended = bench.get(&engineer, "/api/v1/me").await;
    assert_eq!(ended.status(), 401, "sessions end with the factors");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_call_deals_with_an_alert_and_blocks_its_person() {
    let bench = Bench::new().await;
    let (owner, engineer) = (bench.person(Role::Owner).await, bench.person(Role::Engineer).await);
    // Clear rows without a grant, again and again.
    let ask = json!({ "table": TABLE, "clear": true, "purpose": { "category": "test", "text": "look" } });
    for _ in 0..20 {
        assert_eq!(bench.post(&engineer, "/api/v1/data/rows", ask.clone()).await.status(), 403);
    }
    let mut alert = Value::Null;
    for _ in 0..100 {
        let open = read_json(bench.get(&owner, "/api/v1/alerts?open=true").await).await;
        let about = |a: &&Value| a["person"] == json!(engineer.id);
        if let Some(found) = open["items"].as_array().unwrap().iter().find(about) {
            alert = found.clone();
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let path = format!("/api/v1/alerts/{}/close", alert["id"].as_str().expect("an alert within ten seconds"));
    let close = json!({ "decision": "blocked", "note": "asked for clear rows twenty times" });
    assert_eq!(bench.post(&owner, &path, close).await.status(), 204);
    assert_eq!(bench.get(&engineer, "/api/v1/me").await.status(), 401);
    let person = read_json(bench.get(&owner, &format!("/api/v1/people/{}", engineer.id)).await).await;
    assert!(person.to_string().contains("blocked"), "{person}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_ends_with_the_task_that_it_is_for() {
    let bench = Bench::new().await;
    let (owner, engineer) = (bench.person(Role::Owner).await, bench.person(Role::Engineer).await);
    let made = bench.post(&owner, "/api/v1/work/tasks", json!({ "title": "Compare ten rows by hand" })).await;
    let task = read_json(made).await;
    let grant = json!({
        "person": engineer.id, "task": format!("T-{}", task["number"]), "action": "export", "store": "crm",
        "table": TABLE, "purpose_category": "check", "purpose_text": "ten rows",
    });
    assert_eq!(bench.post(&owner, "/api/v1/grants", grant).await.status(), 201);
    let path = format!("/api/v1/work/tasks/{}", task["id"].as_str().unwrap());
    let done = send(bench.ask(&owner, reqwest::Method::PATCH, &path), &json!({ "status": "done" })).await;
    assert_eq!(done.status(), 200);
    for _ in 0..50 {
        let grants = read_json(bench.get(&owner, "/api/v1/grants").await).await;
        if !grants["items"][0]["closed_at"].is_null() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the grant is still open");
}

#[tokio::test]
async fn a_new_workspace_raises_no_alert_about_the_policies_that_dunlin_brings() {
    let bench = Bench::new().await;
    let owner = bench.person(Role::Owner).await;
    assert!(!bench.ledger().await.iter().any(|entry| entry.contains("policy_changed")));
    let alerts = read_json(bench.get(&owner, "/api/v1/alerts").await).await;
    assert!(!alerts.to_string().contains("policy_changed"), "{alerts}");
}
