//! Pairs of rows that may stand for one: who may see and decide, and what leaves.

use dunlin_ledger::Actor;
use dunlin_plan::Role;
use serde_json::json;

use crate::bench::{Bench, json as read_json};
use crate::fake::CANARY;

const LIST: &str = "/api/v1/duplicates";
const ROWS: &str = "/api/v1/duplicates/aa01/rows";
const PREVIEW: &str = "/api/v1/duplicates/preview";
const DECIDE: &str = "/api/v1/duplicates/decide";

#[tokio::test]
async fn rows_of_a_pair_leave_through_the_gate_only_and_hidden_columns_do_not_tell_whether_they_differ() {
    let bench = Bench::new().await;
    let steward = bench.person(Role::Steward).await;
    let listed = bench.get(&steward, LIST).await.text().await.unwrap();
    assert!(!listed.contains("canary"), "{listed}");
    assert!(!bench.ledger().await.iter().any(|entry| entry.contains("access_opened")), "no value, no access");
    let answer = bench.post(&steward, ROWS, json!({})).await;
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    assert!(text.contains("c•••@c•••.example"), "{text}");
    assert!(!text.contains(CANARY) && !text.contains("hunter2"), "{text}");
    let opened: serde_json::Value = serde_json::from_str(&text).unwrap();
    let hidden = opened["opened"]["hidden"].as_array().unwrap();
    let shown: Vec<_> = ["id", "pin"].into_iter().filter(|name| !hidden.contains(&json!(name))).collect();
    assert_eq!(opened["differing"], json!(shown), "{text}");
    let ledger = bench.ledger().await;
    for kind in ["access_opened", "access_rows", "access_closed"] {
        assert!(ledger.iter().any(|entry| entry.contains(kind)), "{kind}");
    }
    let clear = bench.post(&steward, ROWS, json!({ "clear": true })).await;
    assert_eq!(clear.status(), 403, "clear values need a purpose and a grant");
    assert!(!clear.text().await.unwrap().contains("canary"));
    assert!(bench.ledger().await.iter().any(|entry| entry.contains("access_denied")));
}

#[tokio::test]
async fn nothing_is_told_of_columns_that_stay_hidden() {
    let bench = Bench::new().await;
    let steward = bench.person(Role::Steward).await;
    let opened = read_json(bench.post(&steward, ROWS, json!({})).await).await;
    assert_eq!(opened["opened"]["hidden"], json!(["pin"]), "{opened}");
    let named = |list: &serde_json::Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|c| c["column"].as_str().unwrap().to_owned()).collect()
    };
    let listed = read_json(bench.get(&steward, LIST).await).await;
    for pair in listed["items"].as_array().unwrap() {
        assert_eq!(named(&pair["evidence"]), ["email"], "{listed}");
    }
    let ask = json!({ "pairs": ["aa01"], "decision": "merge", "effects": false });
    let told = read_json(bench.post(&steward, PREVIEW, ask).await).await;
    assert_eq!(named(&told["merged"][0]["columns"]), ["id", "email"], "{told}");
}

#[tokio::test]
async fn pairs_are_told_apart_by_who_decided_and_come_a_page_at_a_time() {
    let bench = Bench::new().await;
    let auditor = bench.person(Role::Auditor).await;
    let all = read_json(bench.get(&auditor, LIST).await).await;
    assert_eq!((&all["waiting"], &all["decided"], &all["sure"]), (&json!(1), &json!(1), &json!(1)), "{all}");
    let of = async |query: &str| -> Vec<String> {
        let list = read_json(bench.get(&auditor, &format!("{LIST}?{query}")).await).await;
        list["items"].as_array().unwrap().iter().map(|p| p["pair"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of("state=waits").await, ["aa01"]);
    assert_eq!(of("state=decided").await, ["aa02"]);
    assert_eq!(of("state=sure").await, ["aa03"]);
    assert_eq!(of("limit=1&offset=1").await, ["aa01"]);
    assert_eq!(of("table=atlas.orders").await, Vec::<String>::new());
    assert_eq!(bench.get(&auditor, &format!("{LIST}?state=canary")).await.status(), 400);
}

#[tokio::test]
async fn who_may_not_decide_may_look_but_not_have_whole_tables_read() {
    let bench = Bench::new().await;
    let approver = bench.person(Role::Approver).await;
    let ask = json!({ "pairs": ["aa01"], "decision": "merge", "effects": false });
    let told = read_json(bench.post(&approver, PREVIEW, ask.clone()).await).await;
    assert_eq!(told["apart"], json!([]), "who may not decide has no tables read: {told}");
    let steward = bench.person(Role::Steward).await;
    let told = read_json(bench.post(&steward, PREVIEW, ask).await).await;
    assert_eq!(told["apart"], json!(["aa01"]), "{told}");
    let ask = json!({ "pairs": ["aa01"], "decision": "merge" });
    assert_eq!(bench.post(&approver, PREVIEW, ask.clone()).await.status(), 403);
    assert_eq!(bench.post(&approver, DECIDE, ask.clone()).await.status(), 403);
    // The store is protected and nobody has approved the plan: what writes there is refused to everybody.
    assert_eq!(bench.post(&steward, PREVIEW, ask.clone()).await.status(), 200);
    assert_eq!(bench.post(&steward, DECIDE, ask).await.status(), 403);
    let unknown = json!({ "pairs": ["canary-4711"], "decision": "keep" });
    let answer = bench.post(&steward, DECIDE, unknown).await;
    assert_eq!(answer.status(), 404);
    assert!(!answer.text().await.unwrap().contains("canary"));
    let none = json!({ "pairs": [], "decision": "keep" });
    assert_eq!(bench.post(&steward, DECIDE, none).await.status(), 400);
}

#[tokio::test]
async fn a_person_limited_to_other_tables_neither_sees_nor_opens_nor_decides() {
    let bench = Bench::new().await;
    let steward = bench.person(Role::Steward).await;
    let limit = dunlin_guard::Limit { tables: Some(vec!["atlas.orders".to_owned()]), until: None };
    bench.guard.limit(&Actor::System, &steward.id, &limit).await.unwrap();
    let limited = bench.sign_in(&steward.id).await;
    let listed = read_json(bench.get(&limited, LIST).await).await;
    assert_eq!((&listed["items"], &listed["waiting"]), (&json!([]), &json!(0)), "{listed}");
    for (path, body) in [
        (ROWS, json!({})),
        (PREVIEW, json!({ "pairs": ["aa01"], "decision": "merge" })),
        (DECIDE, json!({ "pairs": ["aa01"], "decision": "keep" })),
    ] {
        let answer = bench.post(&limited, path, body).await;
        assert_eq!(read_json(answer).await["code"], "table_limit", "{path}");
    }
}
