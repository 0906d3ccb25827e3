//! Tasks as a file of another tool, or dunlin's own CSV. Not here: Trello's JSON (`trello`).

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Format, trello};
use crate::draft::Worker;
use crate::model::Task;
use crate::things::{Field, FieldType};

/// Tasks as a file of another tool, or dunlin's own CSV: its media type and text.
pub fn export(
    format: Format,
    tasks: &[Arc<Task>],
    fields: &[Field],
    people: &[Worker],
) -> (&'static str, String) {
    let person = |id: Option<&String>| id.and_then(|id| people.iter().find(|w| w.id == *id));
    let by_id: HashMap<&str, &Task> = tasks.iter().map(|t| (t.id.as_str(), t.as_ref())).collect();
    let name_of = |id: &str| by_id.get(id).map_or_else(String::new, |t| format!("T-{}", t.number));
    if format == Format::Trello {
        return ("application/json", trello::write(tasks, people));
    }
    let heads: &[(&str, &str)] = match format {
        Format::Airtable => &[
            ("title", "Name"),
            ("description", "Notes"),
            ("owner", "Assignee"),
            ("status", "Status"),
            ("priority", "Priority"),
            ("start", "Start date"),
            ("deadline", "Due date"),
            ("labels", "Tags"),
            ("estimate_hours", "Estimate"),
            ("key", "Key"),
            ("parent", "Parent"),
            ("depends_on", "Blocked by"),
        ],
        Format::Asana => &[
            ("key", "Task ID"),
            ("created_at", "Created At"),
            ("done_at", "Completed At"),
            ("title", "Name"),
            ("status", "Section/Column"),
            ("owner", "Assignee"),
            ("email", "Assignee Email"),
            ("start", "Start Date"),
            ("deadline", "Due Date"),
            ("labels", "Tags"),
            ("description", "Notes"),
            ("parent", "Parent task"),
            ("depends_on", "Blocked By (Dependencies)"),
            ("priority", "Priority"),
        ],
        Format::Jira => &[
            ("title", "Summary"),
            ("key", "Issue key"),
            ("kind", "Issue Type"),
            ("status", "Status"),
            ("priority", "Priority"),
            ("owner", "Assignee"),
            ("created_at", "Created"),
            ("deadline", "Due Date"),
            ("labels", "Labels"),
            ("description", "Description"),
            ("estimate_seconds", "Original Estimate"),
            ("parent", "Parent key"),
            ("depends_on", "Inward issue link (Blocks)"),
        ],
        Format::Csv | Format::Trello => &[
            ("key", "number"),
            ("title", "title"),
            ("description", "description"),
            ("kind", "kind"),
            ("status", "status"),
            ("progress", "progress"),
            ("email", "owner"),
            ("priority", "priority"),
            ("start", "start"),
            ("deadline", "deadline"),
            ("estimate_hours", "estimate_hours"),
            ("labels", "labels"),
            ("parent", "parent"),
            ("depends_on", "depends_on"),
            ("step", "step"),
            ("table", "table"),
            ("rank", "rank"),
        ],
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = heads.iter().map(|(_, name)| (*name).to_owned()).chain(fields.iter().map(|f| f.name.clone()));
    let mut all = vec![names.map(safe).collect::<Vec<String>>()];
    for task in tasks {
        let cell = |what: &str| match what {
            "key" => format!("T-{}", task.number),
            "owner" => person(task.owner.as_ref()).map(|w| w.name.clone()).unwrap_or_default(),
            "email" => person(task.owner.as_ref()).map(|w| w.email.clone()).unwrap_or_default(),
            "labels" => task.labels.join(", "),
            "parent" => task.parent.as_deref().map(name_of).unwrap_or_default(),
            "depends_on" => task.depends_on.iter().map(|d| name_of(&d.task)).collect::<Vec<_>>().join(", "),
            "estimate_seconds" => {
                task.estimate_hours.map(|h| format!("{:.0}", h * 3600.0)).unwrap_or_default()
            }
            "created_at" => moment(Some(task.created_at)),
            "done_at" => moment(task.done_at),
            field => text(&task.get(field)),
        };
        let standard = heads.iter().map(|(what, _)| cell(what));
        let own = fields.iter().map(|f| own_text(f, task.fields.get(&f.id), people));
        all.push(standard.chain(own).map(safe).collect());
    }
    for row in all {
        // Writing into memory does not fail.
        let _ = writer.write_record(&row);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    ("text/csv; charset=utf-8", String::from_utf8(bytes).unwrap_or_default())
}

/// A cell that no spreadsheet runs as a formula.
fn safe(cell: String) -> String {
    dunlin_gate::neutralise_cell(&cell)
}

fn moment(us: Option<i64>) -> String {
    let day = us.and_then(|us| jiff::Timestamp::from_microsecond(us).ok());
    day.map(|t| t.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn own_text(field: &Field, value: Option<&Value>, people: &[Worker]) -> String {
    let name = |id: &str| {
        field.options.iter().find(|o| o.id == id).map_or_else(|| id.to_owned(), |o| o.name.clone())
    };
    match (field.kind, value) {
        (_, None) => String::new(),
        (FieldType::Select, Some(Value::String(id))) => name(id),
        (FieldType::MultiSelect, Some(Value::Array(ids))) => {
            ids.iter().filter_map(Value::as_str).map(name).collect::<Vec<_>>().join(", ")
        }
        (FieldType::Person, Some(Value::String(id))) => {
            people.iter().find(|w| w.id == *id).map_or_else(|| id.clone(), |w| w.email.clone())
        }
        (_, Some(value)) => text(value),
    }
}
