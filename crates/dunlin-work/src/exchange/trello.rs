//! Trello's JSON of a board: read as rows, one a card, and written. Not here: what the cells mean (`reading`).

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Format, ROWS_MAX, Table};
use crate::draft::Worker;
use crate::error::{Result, WorkError};
use crate::model::{Status, Task};

/// Trello's board, as rows: one a card.
pub(super) fn read(text: &str) -> Result<Table> {
    let bad = || WorkError::invalid("the file", "a board exported by Trello as JSON");
    let board: Value = serde_json::from_str(text).map_err(|_| bad())?;
    let list = |name: &str| board.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let text_of = |v: &Value, name: &str| v.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let by_id = |name: &str, field: &str| -> HashMap<String, String> {
        list(name).iter().map(|v| (text_of(v, "id"), text_of(v, field))).collect()
    };
    let cards = board.get("cards").and_then(Value::as_array).ok_or_else(bad)?;
    if cards.is_empty() || cards.len() > ROWS_MAX {
        return Err(bad());
    }
    let (lists, members) = (by_id("lists", "name"), by_id("members", "fullName"));
    let checklists = list("checklists");
    let actions = list("actions");
    let names = [
        "id",
        "name",
        "desc",
        "list",
        "labels",
        "members",
        "start",
        "due",
        "dueComplete",
        "closed",
        "checklist",
        "comments",
        "attachments",
        "shortUrl",
    ];
    let ids = |card: &Value, name: &str| -> Vec<String> {
        let all = card.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let flag = |card: &Value, name: &str| {
        let is_set = card.get(name).and_then(Value::as_bool).unwrap_or(false);
        if is_set { "true".to_owned() } else { String::new() }
    };
    let rows = cards
        .iter()
        .map(|card| {
            let id = text_of(card, "id");
            let of_card = |v: &&Value| text_of(v, "idCard") == id;
            let items: Vec<String> = checklists
                .iter()
                .filter(of_card)
                .map(|c| {
                    let items = c.get("checkItems").and_then(Value::as_array).cloned().unwrap_or_default();
                    let one = |i: &Value| {
                        let mark = if text_of(i, "state") == "complete" { "[x]" } else { "[ ]" };
                        format!("{mark} {}", text_of(i, "name"))
                    };
                    format!(
                        "{}\n{}",
                        text_of(c, "name"),
                        items.iter().map(one).collect::<Vec<_>>().join("\n")
                    )
                })
                .collect();
            let is_comment = |a: &&Value| {
                text_of(a, "type") == "commentCard"
                    && a.pointer("/data/card/id").and_then(Value::as_str) == Some(&id)
            };
            let comments: Vec<String> = actions
                .iter()
                .filter(is_comment)
                .map(|a| {
                    let by =
                        a.pointer("/memberCreator/fullName").and_then(Value::as_str).unwrap_or("somebody");
                    format!("{by}: {}", a.pointer("/data/text").and_then(Value::as_str).unwrap_or_default())
                })
                .collect();
            let labels = card.get("labels").and_then(Value::as_array).cloned().unwrap_or_default();
            let label = |l: &Value| {
                Some(text_of(l, "name")).filter(|n| !n.is_empty()).unwrap_or_else(|| text_of(l, "color"))
            };
            let files = card.get("attachments").and_then(Value::as_array).cloned().unwrap_or_default();
            let file = |a: &Value| format!("{} {}", text_of(a, "name"), text_of(a, "url"));
            let people = ids(card, "idMembers")
                .iter()
                .map(|m| members.get(m).cloned().unwrap_or_else(|| m.clone()))
                .collect::<Vec<_>>();
            vec![
                id.clone(),
                text_of(card, "name"),
                text_of(card, "desc"),
                lists.get(&text_of(card, "idList")).cloned().unwrap_or_default(),
                labels.iter().map(label).collect::<Vec<_>>().join(", "),
                people.join(", "),
                text_of(card, "start"),
                text_of(card, "due"),
                flag(card, "dueComplete"),
                flag(card, "closed"),
                items.join("\n"),
                comments.join("\n"),
                files.iter().map(file).collect::<Vec<_>>().join("\n"),
                text_of(card, "shortUrl"),
            ]
        })
        .collect();
    let names = names
        .iter()
        .map(|n| if *n == "dueComplete" { "closed (2)".to_owned() } else { (*n).to_owned() })
        .collect();
    Ok(Table { format: Format::Trello, names, rows })
}

/// Tasks as a board that Trello reads.
pub(super) fn write(tasks: &[Arc<Task>], people: &[Worker]) -> String {
    let lists = Status::ALL.iter().map(|s| json!({ "id": s.as_str(), "name": s.as_str(), "closed": false }));
    let members = people.iter().map(|w| json!({ "id": w.id, "fullName": w.name, "username": w.email }));
    let cards = tasks.iter().map(|t| {
        let labels: Vec<Value> = t.labels.iter().map(|l| json!({ "name": l })).collect();
        json!({
            "id": t.id, "idShort": t.number, "name": t.title, "desc": t.description, "idList": t.status.as_str(),
            "idMembers": t.owner.iter().collect::<Vec<_>>(), "labels": labels, "closed": false,
            "start": t.start.map(|d| format!("{d}T00:00:00.000Z")), "due": t.deadline.map(|d| format!("{d}T00:00:00.000Z")),
            "dueComplete": t.status == Status::Done,
        })
    });
    let board = json!({
        "name": "dunlin", "lists": lists.collect::<Vec<_>>(), "members": members.collect::<Vec<_>>(),
        "cards": cards.collect::<Vec<_>>(), "checklists": [], "actions": [],
    });
    board.to_string()
}
