//! Requests through the API: the queue with its clocks, a decision, putting off, carrying out, and the task beside it.

use dunlin_plan::Role;
use serde_json::{Value, json};

use crate::bench::{Bench, Person, json as read_json};
use crate::customers::{ANA, ANA_AT};

async fn open(bench: &Bench, who: &Person, body: Value) -> Value {
    let answer = bench.post(who, "/api/v1/requests", body).await;
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    read_json(answer).await
}

#[tokio::test]
async fn a_request_goes_from_its_arrival_to_its_receipt() {
    let bench = Bench::new().await;
    let (steward, approver) = (bench.person(Role::Steward).await, bench.person(Role::Approver).await);
    let made =
        open(&bench, &steward, json!({ "kind": "erasure", "email": ANA_AT, "write_to": ANA_AT })).await;
    let id = made["request"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made["state"], &made["identity"], &made["via"]),
        (&json!("open"), &json!("unchecked"), &json!("operator"))
    );
    assert!((27..=35).contains(&made["days_left"].as_i64().unwrap()), "a month: {made}");
    let at = |step: &str| format!("/api/v1/requests/{id}/{step}");
    let task = read_json(
        bench.get(&steward, &format!("/api/v1/work/tasks/{}", made["task"].as_str().unwrap())).await,
    )
    .await;
    assert!(task.to_string().contains("customer's request: erasure"), "{task}");
    let reason = json!({ "category": "law", "text": "Art. 17(1)(b)" });
    let granted =
        bench.post(&approver, &at("decide"), json!({ "decision": "granted", "reason": reason })).await;
    assert_eq!(read_json(granted).await["state"], "granted");
    let early = bench.post(&steward, &at("carry-out"), json!({})).await;
    assert_eq!(early.status(), 422, "nobody has checked who asks");
    let checked = bench.post(&steward, &at("identity"), json!({ "outcome": "confirmed" })).await;
    assert_eq!(read_json(checked).await["identity"], "confirmed");
    assert_eq!(bench.post(&approver, &at("carry-out"), json!({})).await.status(), 403);
    let done = bench.post(&steward, &at("carry-out"), json!({})).await;
    assert_eq!(done.status(), 200, "{}", done.text().await.unwrap());
    let done = read_json(done).await;
    assert_eq!(done["request"]["state"], "done");
    assert!(
        !done.to_string().contains(ANA) && !done.to_string().contains("receipt"),
        "it names nobody: {done}"
    );
    let wrong = bench.post(&steward, &at("receipt"), json!({ "subject": "twin-1" })).await;
    assert_eq!(wrong.status(), 422);
    let receipt = read_json(bench.post(&steward, &at("receipt"), json!({ "subject": ANA })).await).await;
    assert_eq!(receipt["format"], "dunlin-receipt/v1");
    let list = read_json(bench.get(&steward, "/api/v1/requests").await).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert!(!list.to_string().contains(ANA) && !list.to_string().contains(ANA_AT), "{list}");
}

#[tokio::test]
async fn it_is_put_off_once_before_its_last_day_and_a_refusal_ends_it() {
    let bench = Bench::new().await;
    let lead = bench.person(Role::Lead).await;
    let made = open(&bench, &lead, json!({ "kind": "access", "subject": ANA })).await;
    let at = |step: &str| format!("/api/v1/requests/{}/{step}", made["request"].as_str().unwrap());
    let reason = json!({ "category": "complex", "text": "canary-words of the reason" });
    let longer = bench.post(&lead, &at("extend"), json!({ "reason": reason })).await;
    let longer = read_json(longer).await;
    assert_eq!(longer["due_at"], made["extended_to"]);
    assert!(longer["extended_at"].is_i64());
    let again = bench.post(&lead, &at("extend"), json!({ "reason": reason })).await;
    assert_eq!(read_json(again).await["code"], "no_extension");
    let copy = read_json(bench.post(&lead, &at("carry-out"), json!({})).await).await;
    assert_eq!(copy["code"], "copy", "a copy goes to the customer alone");
    let refused = bench.post(&lead, &at("decide"), json!({ "decision": "refused", "reason": reason })).await;
    let refused = read_json(refused).await;
    assert_eq!((&refused["state"], &refused["days_left"]), (&json!("refused"), &Value::Null));
    let late = bench.post(&lead, &at("extend"), json!({ "reason": reason })).await;
    assert_eq!(read_json(late).await["code"], "request_over");
    let entries = bench.ledger().await;
    assert!(entries.iter().any(|e| e.contains("\"extended\"")));
    assert!(!entries.iter().any(|e| e.contains("canary") || e.contains(ANA)), "no words, no customer");
    for body in [
        json!({ "kind": "sell", "subject": ANA }),
        json!({ "kind": "access" }),
        json!({ "kind": "access", "subject": "x", "email": "y" }),
    ] {
        assert_eq!(bench.post(&lead, "/api/v1/requests", body).await.status(), 422);
    }
}
