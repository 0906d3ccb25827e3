//! People whom a message could not be sent to: one task a message, and their rows through the gate.

use std::time::Duration;

use dunlin_plan::Role;
use serde_json::{Value, json};

use crate::bench::{Bench, Person, json as read_json};
use crate::notices::{NAME, NOTICE, PLAN};

async fn write(bench: &Bench, sql: &'static str) {
    let mut tx = bench.workspace.state().begin().await.unwrap();
    sqlx::raw_sql(sql).execute(tx.connection()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn tasks(bench: &Bench, who: &Person) -> Vec<Value> {
    let all = read_json(bench.get(who, "/api/v1/work/tasks?limit=200").await).await;
    let all = all["rows"].as_array().unwrap_or_else(|| panic!("{all}")).clone();
    all.into_iter().filter(|t| t["title"].as_str().unwrap().contains("cannot be written to")).collect()
}

#[tokio::test]
async fn a_send_that_does_not_reach_everybody_is_one_task_and_stays_one() {
    let bench = Bench::new().await;
    let lead = bench.person(Role::Lead).await;
    write(
        &bench,
        "insert into tell_messages (id, notice, version, message, stream, transport, state, rows_read, duplicates,
             created_at, audience) values
             ('m1', '2026-move', 1, 'before:30', 'required', 'outbox', 'done', 9, 0, 1, 'atlas.people'),
             ('m2', '2026-move', 1, 'before:30', 'required', 'smtp', 'sending', 9, 0, 2, 'atlas.people'),
             ('m3', '2026-move', 1, 'after:7', 'required', 'smtp', 'gathering', 9, 0, 3, 'atlas.people'),
             ('m4', '2026-move', 1, 'during:0', 'required', 'smtp', 'done', 9, 0, 4, null);
         insert into tell_invalid (message, reason, rows_read) values ('m1', 'missing', 2), ('m1', 'malformed', 1),
             ('m2', 'missing', 2), ('m2', 'malformed', 1), ('m3', 'missing', 3), ('m4', 'domain', 1)",
    )
    .await;
    let mut found = Vec::new();
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        found = tasks(&bench, &lead).await;
        if found.len() >= 2 {
            break;
        }
    }
    let mut titles: Vec<&str> = found.iter().map(|t| t["title"].as_str().unwrap()).collect();
    titles.sort_unstable();
    assert_eq!(
        titles,
        ["1 address of 2026-move cannot be written to", "3 addresses of atlas.people cannot be written to"],
        "not of what is not sent yet, and not again for the outbox"
    );
    let task = found.iter().find(|t| t["title"].as_str().unwrap().starts_with('3')).unwrap();
    let path = format!("/api/v1/work/tasks/{}", task["id"].as_str().unwrap());
    let whole = read_json(bench.get(&lead, &path).await).await.to_string();
    for says in ["malformed: 1", "missing: 2", "before:30", "--unreachable"] {
        assert!(whole.contains(says), "{says}: {whole}");
    }
    // A server that starts again makes no other, and one that is deleted stays deleted.
    let gone = bench.ask(&lead, reqwest::Method::DELETE, &path).send().await.unwrap();
    assert!(gone.status().is_success(), "{}", gone.status());
    let bench = Bench::over(bench.stop().await, "").await;
    tokio::time::sleep(Duration::from_millis(3500)).await;
    let lead = bench.person(Role::Lead).await;
    assert_eq!(tasks(&bench, &lead).await.len(), 1);
}

#[tokio::test]
async fn their_rows_are_seen_through_the_gate() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("w");
    std::fs::create_dir_all(dir.join("notices")).unwrap();
    std::fs::write(dir.join("dunlin.toml"), PLAN).unwrap();
    std::fs::write(dir.join("notices").join(NAME), NOTICE).unwrap();
    let bench = Bench::over(home, "").await;
    let path = format!("/api/v1/notices/{NAME}/unreachable");
    let steward = bench.person(Role::Steward).await;
    let masked = bench.post(&steward, &path, json!({})).await;
    assert_eq!(masked.status(), 200, "{}", masked.text().await.unwrap());
    let masked = read_json(masked).await;
    assert_eq!(masked["columns"][0]["name"], "key");
    assert!(!masked.to_string().contains("canary"), "{masked}");
    assert_eq!(masked["rows"][0][2], "malformed", "{masked}");
    let clear = bench.post(&steward, &path, json!({ "clear": true })).await;
    assert_eq!(clear.status(), 403, "clear values ask for a purpose");
    let guest = bench.person(Role::Guest).await;
    assert_eq!(bench.post(&guest, &path, json!({})).await.status(), 403);
    let entries = bench.ledger().await;
    let entry = entries.iter().find(|e| e.contains("access_opened")).unwrap();
    assert!(entry.contains("\"table\":\"people\"") && !entry.contains("canary"), "{entry}");
}
