//! A task's fields by their names, as JSON: so history, undo, merging, filters and drafts need one way alone.

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::error::{Result, WorkError};
use crate::model::{Dependency, Kind, Priority, Raci, Status, Task};

/// The fields that people may write, besides `fields.<id>`.
pub const WRITABLE: &[&str] = &[
    "title",
    "description",
    "kind",
    "parent",
    "status",
    "progress",
    "owner",
    "raci",
    "priority",
    "start",
    "deadline",
    "estimate_hours",
    "labels",
    "watchers",
    "depends_on",
    "rank",
];

impl Task {
    /// A field's value; null for one that is not there.
    pub fn get(&self, field: &str) -> Value {
        match field {
            "id" => json!(self.id),
            "number" => json!(self.number),
            "title" => json!(self.title),
            "description" => json!(self.description),
            "kind" => json!(self.kind),
            "parent" => json!(self.parent),
            "origin" => json!(self.origin),
            "step" => json!(self.binding.as_ref().map(|b| b.step)),
            "table" => json!(self.binding.as_ref().and_then(|b| b.table.as_ref())),
            "bound" => json!(self.binding.is_some()),
            "status" => json!(self.status),
            "progress" => json!(self.progress),
            "owner" => json!(self.owner),
            "raci" => json!(self.raci),
            "responsible" => json!(self.raci.responsible),
            "accountable" => json!(self.raci.accountable),
            "consulted" => json!(self.raci.consulted),
            "informed" => json!(self.raci.informed),
            "priority" => json!(self.priority),
            "start" => json!(self.start.map(|d| d.to_string())),
            "deadline" => json!(self.deadline.map(|d| d.to_string())),
            "estimate_hours" => json!(self.estimate_hours),
            "labels" => json!(self.labels),
            "watchers" => json!(self.watchers),
            "depends_on" => json!(self.depends_on),
            "rank" => json!(self.rank),
            "created_at" => json!(self.created_at),
            "updated_at" => json!(self.updated_at),
            "updated_by" => json!(self.updated_by),
            "gone" => json!(self.gone),
            "comments" => json!(self.comments),
            "attachments" => json!(self.attachments),
            _ => field
                .strip_prefix("fields.")
                .and_then(|id| self.fields.get(id))
                .cloned()
                .unwrap_or(Value::Null),
        }
    }

    /// Writes a field. What a custom field takes was checked before; whether others exist is checked after.
    pub fn set(&mut self, field: &str, value: &Value) -> Result<()> {
        match field {
            "title" => self.title = line(field, value, 500)?,
            "description" => self.description = text(field, value, 50_000)?,
            "kind" => self.kind = word(field, value, Kind::parse, "`task` or `milestone`")?,
            "parent" => self.parent = id(field, value)?,
            "status" => {
                let help = "`open`, `doing`, `blocked` or `done`";
                let status = word(field, value, Status::parse, help)?;
                if status == Status::Stale {
                    return Err(WorkError::invalid("`status`", "only bound tasks become stale"));
                }
                self.status = status;
            }
            "progress" => self.progress = number(field, value, 0.0, 1.0)?,
            "owner" => self.owner = id(field, value)?,
            "raci" => self.raci = raci(value)?,
            "priority" => {
                self.priority = word(field, value, Priority::parse, "`low`, `normal`, `high` or `urgent`")?
            }
            "start" => self.start = date(field, value)?,
            "deadline" => self.deadline = date(field, value)?,
            "estimate_hours" => self.estimate_hours = number(field, value, 0.0, 100_000.0)?,
            "labels" => self.labels = lines(field, value, 50, 100)?,
            "watchers" => self.watchers = ids(field, value)?,
            "depends_on" => self.depends_on = dependencies(value)?,
            "rank" => self.rank = line(field, value, 500)?,
            _ => match field.strip_prefix("fields.") {
                Some(id) if value.is_null() => drop(self.fields.remove(id)),
                Some(id) => drop(self.fields.insert(id.to_owned(), value.clone())),
                None => {
                    return Err(WorkError::invalid(
                        "a field",
                        "/api/v1/openapi.json names the fields of a task",
                    ));
                }
            },
        }
        Ok(())
    }
}

fn bad(field: &str, help: &'static str) -> WorkError {
    // Names of fields that are ours may be repeated, what people typed may not.
    let known = WRITABLE.contains(&field);
    WorkError::invalid(if known { format!("`{field}`") } else { "a field".to_owned() }, help)
}

fn text(field: &str, value: &Value, max: usize) -> Result<String> {
    let text = value.as_str().ok_or_else(|| bad(field, "it is a text"))?;
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
    if text.len() > max || text.contains(control) {
        return Err(bad(field, "it is too long, or holds control characters"));
    }
    Ok(text.to_owned())
}

fn line(field: &str, value: &Value, max: usize) -> Result<String> {
    let text = text(field, value, max)?;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { Err(bad(field, "it is a line of text, and not empty")) } else { Ok(text) }
}

fn word<T>(field: &str, value: &Value, parse: impl Fn(&str) -> Option<T>, help: &'static str) -> Result<T> {
    value.as_str().and_then(parse).ok_or_else(|| bad(field, help))
}

fn number(field: &str, value: &Value, min: f64, max: f64) -> Result<Option<f64>> {
    if value.is_null() {
        return Ok(None);
    }
    let number = value.as_f64().filter(|n| n.is_finite() && (min..=max).contains(n));
    number.map(Some).ok_or_else(|| bad(field, "it is a number within its limits, or null"))
}

/// A day as people write it to dunlin.
pub(crate) fn date(field: &str, value: &Value) -> Result<Option<Date>> {
    if value.is_null() {
        return Ok(None);
    }
    let day =
        value.as_str().and_then(|t| t.parse::<Date>().ok()).filter(|d| (1970..=2200).contains(&d.year()));
    day.map(Some).ok_or_else(|| bad(field, "a day as YYYY-MM-DD, or null"))
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn id(field: &str, value: &Value) -> Result<Option<String>> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if is_id(text) => Ok(Some(text.clone())),
        _ => Err(bad(field, "an id, or null")),
    }
}

fn ids(field: &str, value: &Value) -> Result<Vec<String>> {
    let list = value.as_array().filter(|l| l.len() <= 200).ok_or_else(|| bad(field, "a list of ids"))?;
    let mut found: Vec<String> = Vec::new();
    for one in list {
        let one = id(field, one)?.ok_or_else(|| bad(field, "a list of ids"))?;
        if !found.contains(&one) {
            found.push(one);
        }
    }
    Ok(found)
}

fn lines(field: &str, value: &Value, count: usize, max: usize) -> Result<Vec<String>> {
    let list = value.as_array().filter(|l| l.len() <= count).ok_or_else(|| bad(field, "a list of texts"))?;
    let mut found: Vec<String> = Vec::new();
    for one in list {
        let one = line(field, one, max)?;
        if !found.contains(&one) {
            found.push(one);
        }
    }
    Ok(found)
}

fn raci(value: &Value) -> Result<Raci> {
    let raci: Raci = serde_json::from_value(value.clone()).map_err(|_| {
        bad("raci", "lists `responsible`, `consulted`, `informed`, and one `accountable` or null")
    })?;
    let lists = [&raci.responsible, &raci.consulted, &raci.informed];
    let all = lists.into_iter().flatten().chain(&raci.accountable);
    if all.clone().count() > 200 || !all.into_iter().all(|id| is_id(id)) {
        return Err(bad("raci", "people by their ids, at most 200"));
    }
    Ok(raci)
}

fn dependencies(value: &Value) -> Result<Vec<Dependency>> {
    let help = "a list of `{task, lag_days}`, each task once, lags of at most 1000 days";
    let list: Vec<Dependency> = serde_json::from_value(value.clone()).map_err(|_| bad("depends_on", help))?;
    let mut seen = std::collections::HashSet::new();
    let fits = |d: &Dependency| is_id(&d.task) && d.lag_days.abs() <= 1000 && seen.insert(d.task.clone());
    let sound = list.len() <= 500 && list.iter().all(fits);
    if sound { Ok(list) } else { Err(bad("depends_on", help)) }
}
