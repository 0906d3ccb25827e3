//! What the cells of a foreign table mean for a task: headings, words for a status or a priority, people, days. Not here:
//! how a file is cut into rows and cells.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Coming, Format, plain};
use crate::draft::Worker;
use crate::model::{Priority, Status};
use crate::things::{Field, FieldType};

/// The field of tasks that a heading stands for.
pub(super) fn propose(format: Format, name: &str, fields: &[Field]) -> Option<String> {
    let name = plain(name);
    if let Some(own) = fields.iter().find(|f| f.name.eq_ignore_ascii_case(name) || f.id == name) {
        return Some(format!("fields.{}", own.id));
    }
    let lower = name.to_lowercase();
    let special = match format {
        Format::Asana => match lower.as_str() {
            "task id" => Some("key"),
            "completed at" => Some("completed"),
            "section/column" => Some("section"),
            "assignee email" => Some("owner"),
            "dependents" | "blocked by (dependencies)" => Some("depends_on"),
            "blocking (dependencies)" => None,
            "parent task" => Some("parent"),
            "assignee" => None,
            _ => Some(""),
        },
        Format::Jira => match lower.as_str() {
            "issue key" | "issue id" => Some("key"),
            "parent id" | "parent" | "parent key" => Some("parent"),
            "inward issue link (blocks)" => Some("depends_on"),
            "outward issue link (blocks)" => None,
            "original estimate" => Some("estimate_seconds"),
            "comment" => Some("note"),
            "fix version/s" | "sprint" | "component/s" | "fix versions" | "components" => Some("labels"),
            "due date" => Some("deadline"),
            _ => Some(""),
        },
        Format::Trello => match lower.as_str() {
            "list" => Some("section"),
            "id" => Some("key"),
            "checklist" | "comments" | "attachments" => Some("note"),
            "closed" => Some("completed"),
            _ => Some(""),
        },
        _ => Some(""),
    };
    match special {
        None => return None,
        Some("") => {}
        Some(field) => return Some(field.to_owned()),
    }
    let field = match lower.as_str() {
        "name" | "title" | "task" | "summary" | "task name" => "title",
        "notes" | "description" | "desc" | "details" => "description",
        "status" | "state" => "status",
        "assignee" | "owner" | "assigned to" | "members" | "collaborator" => "owner",
        "priority" => "priority",
        "start date" | "start" => "start",
        "due date" | "due" | "deadline" | "end date" => "deadline",
        "tags" | "labels" | "label" => "labels",
        "estimate" | "estimate_hours" | "estimate (hours)" | "hours" => "estimate_hours",
        "parent" => "parent",
        "depends_on" | "depends on" | "blocked by" => "depends_on",
        "number" | "key" | "id" => "key",
        "progress" => "progress",
        "accountable" => "accountable",
        _ => return None,
    };
    Some(field.to_owned())
}

/// Rows that become tasks, with what found no home in one.
pub(super) struct Reading<'a> {
    pub(super) fields: &'a [Field],
    pub(super) people: &'a [Worker],
    /// Headings and why, with the number of rows.
    pub(super) left: BTreeMap<(String, &'static str), usize>,
}

impl Reading<'_> {
    /// The task of a row.
    pub(super) fn row(
        &mut self,
        names: &[String],
        homes: &[Option<String>],
        row: &[String],
        number: usize,
    ) -> Coming {
        let mut coming = Coming::default();
        let mut notes: Vec<String> = Vec::new();
        for (at, cell) in row.iter().enumerate() {
            let value = cell.trim();
            // What an export put before a formula comes off again.
            let value =
                value.strip_prefix('\'').filter(|v| v.starts_with(['=', '+', '-', '@'])).unwrap_or(value);
            if value.is_empty() {
                continue;
            }
            let unnamed = format!("column {}", at + 1);
            let name = names.get(at).map_or(unnamed.as_str(), String::as_str);
            let home = homes.get(at).and_then(Option::as_deref);
            match home.map(|home| self.cell(&mut coming, home, value)) {
                Some(Ok(())) => {}
                Some(Err("note")) => notes.push(format!("{}: {value}", plain(name))),
                Some(Err(why)) => {
                    self.leave(name, why);
                    notes.push(format!("{}: {value}", plain(name)));
                }
                None => {
                    self.leave(name, "no_field");
                    notes.push(format!("{}: {value}", plain(name)));
                }
            }
        }
        if !coming.set.contains_key("title") {
            coming.set.insert("title".to_owned(), json!(format!("Row {}", number + 1)));
        }
        if !notes.is_empty() {
            let before = coming.set.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
            let lines: String = notes.iter().map(|n| format!("\n- {}", n.replace('\n', "\n  "))).collect();
            let text = format!("{before}\n\nFrom the imported file:\n{lines}");
            let text: String = text.trim_start().chars().take(12_000).collect();
            coming.set.insert("description".to_owned(), json!(text));
        }
        coming
    }

    fn leave(&mut self, name: &str, why: &'static str) {
        *self.left.entry((plain(name).to_owned(), why)).or_default() += 1;
    }

    /// Writes a value into its field; why not, otherwise.
    fn cell(
        &mut self,
        coming: &mut Coming,
        home: &str,
        value: &str,
    ) -> std::result::Result<(), &'static str> {
        let mut put = |field: &str, value: Value| drop(coming.set.insert(field.to_owned(), value));
        match home {
            "title" => {
                let title: String = value.split_whitespace().collect::<Vec<_>>().join(" ");
                if title.chars().count() > 300 {
                    put("title", json!(title.chars().take(300).collect::<String>()));
                    return Err("note");
                }
                put("title", json!(title));
            }
            "description" => {
                let text: String =
                    value.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
                if text.len() > 20_000 {
                    return Err("unknown_value");
                }
                put("description", json!(text));
            }
            "status" => put("status", json!(status(value).ok_or("unknown_value")?)),
            "section" => {
                if let Some(status) = status(value) {
                    coming.set.entry("status").or_insert(json!(status));
                }
                label(coming, value);
            }
            "completed" => {
                if !matches!(value.to_lowercase().as_str(), "false" | "no" | "0") {
                    put("status", json!(Status::Done));
                    if !matches!(value.to_lowercase().as_str(), "true" | "yes" | "1") {
                        return Err("note");
                    }
                }
            }
            "owner" => {
                let mut people = value.split([',', ';']).map(str::trim);
                put("owner", json!(people.next().and_then(|p| self.person(p)).ok_or("unknown_person")?));
                if people.next().is_some() {
                    return Err("note");
                }
            }
            "accountable" => {
                put("raci", json!({ "accountable": self.person(value).ok_or("unknown_person")? }))
            }
            "priority" => put("priority", json!(priority(value).ok_or("unknown_value")?)),
            "start" | "deadline" => put(home, json!(day(value).ok_or("unknown_value")?)),
            "estimate_hours" => put(home, json!(number(value).ok_or("unknown_value")?)),
            "estimate_seconds" => {
                put("estimate_hours", json!(number(value).ok_or("unknown_value")? / 3600.0))
            }
            "progress" => {
                let share = number(value.trim_end_matches('%')).ok_or("unknown_value")?;
                let share = if value.ends_with('%') { share / 100.0 } else { share };
                put("progress", json!((0.0..=1.0).contains(&share).then_some(share).ok_or("unknown_value")?));
            }
            "labels" => value
                .split([',', ';'])
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .for_each(|l| label(coming, l)),
            "key" => coming.names.push(value.to_owned()),
            "parent" => coming.parent = Some(value.to_owned()),
            "depends_on" => coming.after.extend(value.split([',', ';']).map(|v| v.trim().to_owned())),
            "note" => return Err("note"),
            own => {
                let value = self.own(own.strip_prefix("fields.").unwrap_or(own), value)?;
                put(&format!("fields.{}", own.strip_prefix("fields.").unwrap_or(own)), value);
            }
        }
        Ok(())
    }

    fn person(&self, text: &str) -> Option<String> {
        let is = |w: &&Worker| {
            w.email.eq_ignore_ascii_case(text) || w.name.eq_ignore_ascii_case(text) || w.id == text
        };
        self.people.iter().find(is).map(|w| w.id.clone())
    }

    fn own(&self, id: &str, value: &str) -> std::result::Result<Value, &'static str> {
        let field = self.fields.iter().find(|f| f.id == id).ok_or("no_field")?;
        let choice = |text: &str| {
            let found = field.options.iter().find(|o| o.name.eq_ignore_ascii_case(text) || o.id == text);
            found.map(|o| o.id.clone()).ok_or("unknown_value")
        };
        let value = match field.kind {
            FieldType::Text | FieldType::Url => json!(value),
            FieldType::Number => json!(number(value).ok_or("unknown_value")?),
            FieldType::Date => json!(day(value).ok_or("unknown_value")?),
            FieldType::Person => json!(self.person(value).ok_or("unknown_person")?),
            FieldType::Select => json!(choice(value)?),
            FieldType::MultiSelect => {
                let chosen: std::result::Result<Vec<String>, _> =
                    value.split([',', ';']).map(|v| choice(v.trim())).collect();
                json!(chosen?)
            }
            FieldType::Checkbox => match value.to_lowercase().as_str() {
                "true" | "yes" | "checked" | "1" | "x" => json!(true),
                "false" | "no" | "0" => json!(false),
                _ => return Err("unknown_value"),
            },
        };
        field.check(&value).map_err(|_| "unknown_value")?;
        Ok(value)
    }
}

fn label(coming: &mut Coming, text: &str) {
    let labels = coming.set.entry("labels").or_insert_with(|| json!([]));
    let text: String = text.chars().take(100).collect();
    if let Some(list) = labels.as_array_mut()
        && list.len() < 50
        && !list.iter().any(|l| *l == text)
    {
        list.push(json!(text));
    }
}

/// The status that a word of any of these tools means.
fn status(text: &str) -> Option<Status> {
    Some(match text.trim().to_lowercase().as_str() {
        "open"
        | "to do"
        | "todo"
        | "backlog"
        | "new"
        | "not started"
        | "selected for development"
        | "reopened" => Status::Open,
        "doing" | "in progress" | "started" | "in review" | "review" | "testing" => Status::Doing,
        "blocked" | "on hold" | "waiting" | "stuck" => Status::Blocked,
        "done" | "complete" | "completed" | "closed" | "resolved" | "finished" => Status::Done,
        _ => return None,
    })
}

fn priority(text: &str) -> Option<Priority> {
    Some(match text.trim().to_lowercase().as_str() {
        "low" | "lowest" | "minor" | "trivial" | "p4" => Priority::Low,
        "normal" | "medium" | "p3" => Priority::Normal,
        "high" | "major" | "p2" => Priority::High,
        "urgent" | "highest" | "critical" | "blocker" | "p1" => Priority::Urgent,
        _ => return None,
    })
}

fn number(text: &str) -> Option<f64> {
    text.replace(',', ".").parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0)
}

/// A day in the forms that these tools write: `2026-11-23`, with a time behind it, `11/23/2026` (Airtable), `23/Nov/26`
/// (Jira).
fn day(text: &str) -> Option<String> {
    let text = text.trim();
    let iso = text.get(..10).and_then(|t| t.parse::<jiff::civil::Date>().ok());
    let first = text.split_whitespace().next().unwrap_or_default();
    let other = || {
        ["%m/%d/%Y", "%d/%b/%y", "%d/%b/%Y"].iter().find_map(|f| jiff::civil::Date::strptime(f, first).ok())
    };
    iso.or_else(other).map(|d| d.to_string())
}
