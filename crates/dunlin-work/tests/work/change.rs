//! Changes: merged, refused, undone, kept over a restart; and what the ledger hears of them.

use dunlin_work::{Ask, Field, FieldType, Status, WorkError};
use serde_json::json;

use crate::{Bench, ana, ben, essence};

#[tokio::test]
async fn two_people_who_edit_different_fields_both_win_and_the_same_field_is_said() {
    let bench = Bench::new().await;
    let task = bench.task("Load people").await;
    bench.edit(&ana(), &task.id, json!({ "title": "Load all people" }), Some(task.version)).await.unwrap();
    bench.edit(&ben(), &task.id, json!({ "priority": "high" }), Some(task.version)).await.unwrap();
    let clash = bench.edit(&ben(), &task.id, json!({ "title": "Load nobody" }), Some(task.version)).await;
    let Err(WorkError::ChangedMeanwhile { field, current }) = clash else { panic!("a clash was not said") };
    assert_eq!((field.as_str(), current.title.as_str()), ("title", "Load all people"));
    // Saying the same is no clash.
    bench.edit(&ben(), &task.id, json!({ "title": "Load all people" }), Some(task.version)).await.unwrap();
    let again = bench.again().await.task(&task.id).unwrap();
    assert_eq!((again.title.as_str(), again.get("priority")), ("Load all people", json!("high")));
}

#[tokio::test]
async fn every_change_can_be_taken_back_and_what_was_written_over_is_left() {
    let bench = Bench::new().await;
    let (parent, before) = (bench.task("Whole").await, bench.task("Before").await);
    let task = bench.task("One").await;
    let links =
        json!({ "parent": parent.id, "depends_on": [{ "task": before.id, "lag_days": 2 }], "labels": ["x"] });
    bench.edit(&ana(), &task.id, links, None).await.unwrap();
    let full = bench.work.task(&task.id).unwrap();
    for id in [&before.id, &parent.id] {
        let change = bench.work.delete(&ana(), id).await.unwrap().change.unwrap();
        assert_ne!(essence(&bench.work.task(&task.id).unwrap()), essence(&full));
        bench.work.undo(&ana(), &change, |_, _| Ok(())).await.unwrap();
        assert_eq!(essence(&bench.work.task(&task.id).unwrap()), essence(&full), "links come back too");
    }
    let both = json!({ "title": "Two", "priority": "low" });
    let change = bench.edit(&ana(), &task.id, both, None).await.unwrap().unwrap();
    bench.edit(&ben(), &task.id, json!({ "title": "Three" }), None).await.unwrap();
    let (_, left) = bench.work.undo(&ana(), &change, |_, _| Ok(())).await.unwrap();
    assert_eq!(left, ["title"]);
    let now = bench.work.task(&task.id).unwrap();
    assert_eq!((now.title.as_str(), now.get("priority")), ("Three", json!("normal")));
    let history = bench.work.history(&task.id).await.unwrap();
    assert!(history.windows(2).all(|pair| pair[0].at >= pair[1].at) && history.len() >= 6);
}

#[tokio::test]
async fn circles_and_strangers_are_refused_and_nothing_of_it_stays() {
    let bench = Bench::new().await;
    let (a, b, c) = (bench.task("a").await, bench.task("b").await, bench.task("c").await);
    let after = |id: &str| json!({ "depends_on": [{ "task": id }] });
    bench.edit(&ana(), &b.id, after(&a.id), None).await.unwrap();
    bench.edit(&ana(), &c.id, after(&b.id), None).await.unwrap();
    assert!(matches!(bench.edit(&ana(), &a.id, after(&c.id), None).await, Err(WorkError::Cycle)));
    assert!(matches!(
        bench.edit(&ana(), &a.id, json!({ "parent": a.id }), None).await,
        Err(WorkError::Cycle)
    ));
    // A part that waits for its whole waits for itself.
    bench.edit(&ana(), &b.id, json!({ "parent": c.id }), None).await.unwrap_err();
    let strange = bench.edit(&ana(), &a.id, after("0190-nobody"), None).await;
    assert!(matches!(strange, Err(WorkError::Invalid { .. })));
    assert_eq!(bench.again().await.task(&a.id).unwrap().version, 1);
}

#[tokio::test]
async fn custom_fields_take_what_they_say_and_go_with_their_values() {
    let bench = Bench::new().await;
    let task = bench.task("a").await;
    let field = Field {
        id: String::new(),
        name: "Cost".into(),
        kind: FieldType::Number,
        options: vec![],
        rank: String::new(),
    };
    let field = bench.work.put_field(field).await.unwrap();
    let write = |value| json!({ "fields": { (field.id.clone()): value } });
    bench.edit(&ana(), &task.id, write(json!(7.5)), None).await.unwrap();
    assert!(bench.edit(&ana(), &task.id, write(json!("much")), None).await.is_err());
    let filter = json!({ "all": [{ "field": field.id, "at_least": 7 }] });
    let ask = Ask { filter: Some(filter), limit: 10, ..Ask::default() };
    assert_eq!(bench.work.board().find(&ask).unwrap().total, 1);
    bench.work.drop_field(&ana(), &field.id).await.unwrap();
    assert!(bench.again().await.task(&task.id).unwrap().fields.is_empty());
}

#[tokio::test]
async fn moves_keep_the_order_that_people_made() {
    let bench = Bench::new().await;
    let mut ids = Vec::new();
    for title in ["a", "b", "c", "d"] {
        ids.push(bench.task(title).await.id);
    }
    let titles = |bench: &Bench| {
        let found = bench.work.board().find(&Ask { limit: 10, ..Ask::default() }).unwrap();
        found.rows.iter().map(|t| t.title.clone()).collect::<String>()
    };
    bench.work.place(&ana(), &ids[3], None, None, None).await.unwrap();
    assert_eq!(titles(&bench), "dabc");
    bench.work.place(&ana(), &ids[3], Some(&ids[1]), None, Some(Status::Doing)).await.unwrap();
    assert_eq!(titles(&bench), "abdc");
    assert_eq!(bench.work.task(&ids[3]).unwrap().status, Status::Doing);
}

#[tokio::test]
async fn the_ledger_hears_of_changes_and_never_of_words() {
    let bench = Bench::new().await;
    let task = bench.task("canary one").await;
    bench
        .edit(&ana(), &task.id, json!({ "description": "canary two", "labels": ["canary three"] }), None)
        .await
        .unwrap();
    bench.work.say(&ana(), &task.id, "canary four @[Ben](person:ben)").await.unwrap();
    bench.work.attach(&ana(), &task.id, "canary.txt", "text/plain", b"canary five").await.unwrap();
    let ledger = bench.ledger().await;
    assert_eq!(
        ledger.matches("work_changed").count(),
        5,
        "made, edited, said, mentioned, attached: {ledger}"
    );
    assert!(!ledger.contains("canary"), "{ledger}");
    let task = bench.again().await.task(&task.id).unwrap();
    assert_eq!((task.comments, task.attachments, task.watchers.as_slice()), (1, 1, &["ben".to_owned()][..]));
}
