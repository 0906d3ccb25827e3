//! What a change does to tasks: fields written, marks left, its history's items, and what takes it back. Not here: keeping
//! it (`work`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::board::Board;
use crate::error::{Result, WorkError};
use crate::keep::Item;
use crate::model::{Status, Task};
use crate::value::WRITABLE;
use crate::work::{By, Pair};

/// Fields as they are kept: custom ones each by its own name.
pub(crate) fn flat(set: &Map<String, Value>) -> Result<BTreeMap<String, Value>> {
    let mut flat = BTreeMap::new();
    for (name, value) in set {
        match (name.as_str(), value) {
            ("fields", Value::Object(own)) => {
                flat.extend(own.iter().map(|(id, value)| (format!("fields.{id}"), value.clone())));
            }
            ("fields", _) => {
                return Err(WorkError::invalid("`fields`", "an object by the ids of custom fields"));
            }
            _ => drop(flat.insert(name.clone(), value.clone())),
        }
    }
    Ok(flat)
}

/// Writes fields into a task.
pub(crate) fn write(board: &Board, task: &mut Task, set: &Map<String, Value>) -> Result<()> {
    for (field, value) in &flat(set)? {
        if task.is_derived() && matches!(field.as_str(), "status" | "progress") {
            return Err(WorkError::BoundStatus);
        }
        if let Some(id) = field.strip_prefix("fields.") {
            let own = board.fields.iter().find(|f| f.id == id).ok_or(WorkError::Unknown("custom field"))?;
            own.check(value)?;
        }
        task.set(field, value)?;
    }
    Ok(())
}

/// Whether a change is one.
pub(crate) fn differs(pair: &Pair) -> bool {
    match (&pair.before, &pair.after) {
        (Some(before), Some(after)) => **before != *after,
        (None, None) => false,
        _ => true,
    }
}

/// What every change of a task leaves on it.
pub(crate) fn stamp(pair: &mut Pair, by: &By, now: i64) {
    let before = pair.before.as_ref();
    let Some(after) = &mut pair.after else { return };
    after.version = before.map_or(after.version, |b| b.version) + 1;
    after.updated_at = now;
    after.updated_by.clone_from(&by.person);
    let was = before.map_or(Status::Open, |b| b.status);
    if !after.is_derived() && after.status != was {
        match after.status {
            Status::Done => {
                after.done_at = Some(now);
                after.started_at = after.started_at.or(Some(now));
                after.progress = after.progress.map(|_| 1.0);
            }
            Status::Doing => {
                after.started_at = after.started_at.or(Some(now));
                after.done_at = None;
            }
            _ => after.done_at = None,
        }
    }
}

/// What a change did, field by field, for its history.
pub(crate) fn items_of(pair: &Pair, items: &mut Vec<Item>) {
    let whole = |task: &Task| serde_json::to_value(task).unwrap_or(Value::Null);
    match (&pair.before, &pair.after) {
        (Some(before), Some(after)) => {
            let custom = before.fields.keys().chain(after.fields.keys());
            let custom: BTreeSet<String> = custom.map(|id| format!("fields.{id}")).collect();
            for field in WRITABLE.iter().map(|f| (*f).to_owned()).chain(custom) {
                let (was, is) = (before.get(&field), after.get(&field));
                if was != is {
                    items.push(Item {
                        task: after.id.clone(),
                        field,
                        before: was,
                        after: is,
                        version: after.version,
                    });
                }
            }
        }
        (None, Some(after)) => items.push(Item {
            task: after.id.clone(),
            field: String::new(),
            before: Value::Null,
            after: whole(after),
            version: after.version,
        }),
        (Some(before), None) => items.push(Item {
            task: before.id.clone(),
            field: String::new(),
            before: whole(before),
            after: Value::Null,
            version: before.version + 1,
        }),
        (None, None) => {}
    }
}

/// The salted hash over what a change did.
pub(crate) fn root(salt: &[u8], items: &[Item]) -> String {
    let bytes = serde_json::to_vec(items).unwrap_or_default();
    blake3::Hasher::new().update(salt).update(&bytes).finalize().to_hex().to_string()
}

/// What takes a change back, and the fields that somebody wrote over since.
pub(crate) fn undone(board: &Board, items: &[Item]) -> Result<(Vec<Pair>, Vec<String>)> {
    let mut after: BTreeMap<String, Task> = BTreeMap::new();
    let mut pairs = Vec::new();
    let mut left = Vec::new();
    let read =
        |body: &Value| serde_json::from_value::<Task>(body.clone()).map_err(|_| WorkError::Unknown("change"));
    for item in items.iter().rev() {
        match (item.field.as_str(), board.task(&item.task)) {
            ("", None) if item.after.is_null() => {
                pairs.push(Pair { before: None, after: Some(read(&item.before)?) });
            }
            ("", Some(task)) if item.before.is_null() && task.version == item.version => {
                pairs.push(Pair { before: Some(task.clone()), after: None });
            }
            ("", _) => left.push("task".to_owned()),
            (field, Some(task)) if task.get(field) == item.after => {
                let task = after.entry(item.task.clone()).or_insert_with(|| Task::clone(task));
                if task.is_derived() && matches!(field, "status" | "progress") {
                    return Err(WorkError::BoundStatus);
                }
                task.set(field, &item.before)?;
            }
            (field, _) => left.push(field.to_owned()),
        }
    }
    for (id, task) in after {
        pairs.push(Pair { before: board.task(&id).cloned(), after: Some(task) });
    }
    Ok((pairs, left))
}
