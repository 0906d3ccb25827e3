//! Tasks from and to other tools: Airtable, Asana, Trello, Jira, plain CSV. What has no home in a task goes into its
//! description and is listed: nothing is dropped silently.
//!
//! The shapes are those that the vendors' own documentation of their exports describes. Not here: keeping (`work`).

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::draft::Worker;
use crate::error::{Result, WorkError};
use crate::model::{Priority, Status, Task};
use crate::things::{Field, FieldType};

/// The most rows of a file.
const ROWS_MAX: usize = 50_000;

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A CSV file of Airtable.
    Airtable,
    /// A CSV file of Asana.
    Asana,
    /// A JSON file of Trello.
    Trello,
    /// A CSV file of Jira.
    Jira,
    /// Any CSV file, or dunlin's own.
    Csv,
}

/// A column of the file and what becomes of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Column {
    /// Its heading.
    pub name: String,
    /// A value of it.
    pub sample: String,
    /// Rows that have a value.
    pub filled: usize,
    /// The field that it becomes; null where it has no home of its own.
    pub proposed: Option<String>,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Preview {
    /// Whose file it is.
    pub format: Format,
    /// Its columns.
    pub columns: Vec<Column>,
    /// How many tasks.
    pub rows: usize,
    /// Columns that have no home: their values go into the description.
    pub no_home: Vec<String>,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Imported {
    /// Tasks that were made.
    pub created: usize,
    /// What went into descriptions because it has no home, with how often.
    pub no_home: Vec<Leftover>,
    /// The change, to be undone by its id.
    pub change: Option<String>,
}

/// Something that has no home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Leftover {
    /// The column, or what kind of thing.
    pub name: String,
    /// Why, as a code: `no_field`, `unknown_person`, `unknown_value`, `unknown_task`.
    pub why: String,
    /// How many rows.
    pub rows: usize,
}

/// A file, read: headings and rows of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    format: Format,
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// A task to be made, with names for what must be found afterwards.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coming {
    pub(crate) set: Map<String, Value>,
    /// By which other rows name it.
    pub(crate) names: Vec<String>,
    pub(crate) parent: Option<String>,
    pub(crate) after: Vec<String>,
}

impl Table {
    /// Reads a file. Without a format it is guessed.
    pub fn read(text: &str, format: Option<Format>) -> Result<Table> {
        let text = text.trim_start_matches('\u{feff}');
        if text.len() > 20 * 1024 * 1024 {
            return Err(WorkError::TooMuch("a file to import has at most 20 MB"));
        }
        let is_json = text.trim_start().starts_with('{');
        if format == Some(Format::Trello) || (format.is_none() && is_json) {
            return trello(text);
        }
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut rows = Vec::new();
        for record in reader.records() {
            let help = "a CSV file in UTF-8 with a line of headings";
            let record = record.map_err(|_| WorkError::invalid("the file", help))?;
            rows.push(record.iter().map(str::to_owned).collect::<Vec<String>>());
        }
        if rows.len() < 2 || rows.len() > ROWS_MAX + 1 {
            return Err(WorkError::invalid("the file", "a line of headings and 1 to 50,000 rows"));
        }
        let names = unique(rows.remove(0));
        rows.retain(|row| row.iter().any(|cell| !cell.trim().is_empty()));
        let format = format.unwrap_or_else(|| guess(&names));
        Ok(Table { format, names, rows })
    }

    /// What is in it, and what would become of it.
    pub fn preview(&self, fields: &[Field]) -> Preview {
        let columns: Vec<Column> = self
            .names
            .iter()
            .enumerate()
            .map(|(at, name)| {
                let values =
                    || self.rows.iter().filter_map(|row| row.get(at)).filter(|v| !v.trim().is_empty());
                let sample = values().next().cloned().unwrap_or_default();
                let proposed = propose(self.format, name, fields);
                Column {
                    name: name.clone(),
                    sample: sample.chars().take(200).collect(),
                    filled: values().count(),
                    proposed,
                }
            })
            .collect();
        let homeless = columns.iter().filter(|c| c.proposed.is_none() && c.filled > 0);
        let no_home = homeless.map(|c| c.name.clone()).collect();
        Preview { format: self.format, rows: self.rows.len(), columns, no_home }
    }

    /// The tasks. `mapping` says for each heading which field it becomes, over what is proposed; an empty field means none.
    pub(crate) fn tasks(
        &self,
        mapping: &BTreeMap<String, String>,
        fields: &[Field],
        people: &[Worker],
    ) -> (Vec<Coming>, Vec<Leftover>) {
        let mut reading = Reading { fields, people, left: BTreeMap::new() };
        let homes: Vec<Option<String>> = self
            .names
            .iter()
            .map(|name| match mapping.get(name) {
                Some(field) => Some(field.clone()).filter(|f| !f.is_empty()),
                None => propose(self.format, name, fields),
            })
            .collect();
        let rows = self.rows.iter().enumerate();
        let tasks = rows.map(|(number, row)| reading.row(&self.names, &homes, row, number)).collect();
        let left =
            reading.left.into_iter().map(|((name, why), rows)| Leftover { name, why: why.to_owned(), rows });
        (tasks, left.collect())
    }
}

/// Headings that come more than once (Jira's) each get a name of their own.
fn unique(names: Vec<String>) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    names
        .into_iter()
        .map(|name| {
            let name = name.trim().to_owned();
            let count = seen.entry(name.clone()).or_default();
            *count += 1;
            if *count == 1 { name } else { format!("{name} ({count})") }
        })
        .collect()
}

/// A heading without the number that tells it from its like.
fn plain(name: &str) -> &str {
    match name.rsplit_once(" (") {
        Some((base, rest)) if rest.strip_suffix(')').is_some_and(|n| n.parse::<u32>().is_ok()) => base,
        _ => name,
    }
}

fn guess(names: &[String]) -> Format {
    let has = |name: &str| names.iter().any(|n| n == name);
    if has("Task ID") && has("Section/Column") {
        Format::Asana
    } else if has("Issue key") || has("Issue id") {
        Format::Jira
    } else if has("number") && has("title") && has("rank") {
        Format::Csv
    } else {
        Format::Airtable
    }
}

/// The field of tasks that a heading stands for.
fn propose(format: Format, name: &str, fields: &[Field]) -> Option<String> {
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

struct Reading<'a> {
    fields: &'a [Field],
    people: &'a [Worker],
    left: BTreeMap<(String, &'static str), usize>,
}

impl Reading<'_> {
    fn row(&mut self, names: &[String], homes: &[Option<String>], row: &[String], number: usize) -> Coming {
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

/// Trello's board, as rows: one a card.
fn trello(text: &str) -> Result<Table> {
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

/// A cell that no spreadsheet runs as a formula.
fn safe(cell: String) -> String {
    let first = cell.chars().next();
    if first.is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r')) {
        format!("'{cell}")
    } else {
        cell
    }
}

/// Tasks as a file of another tool, or dunlin's own CSV: its media type and text.
pub fn export(
    format: Format,
    tasks: &[std::sync::Arc<Task>],
    fields: &[Field],
    people: &[Worker],
) -> (&'static str, String) {
    let person = |id: Option<&String>| id.and_then(|id| people.iter().find(|w| w.id == *id));
    let by_id: HashMap<&str, &Task> = tasks.iter().map(|t| (t.id.as_str(), t.as_ref())).collect();
    let name_of = |id: &str| by_id.get(id).map_or_else(String::new, |t| format!("T-{}", t.number));
    if format == Format::Trello {
        return ("application/json", to_trello(tasks, people));
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

fn to_trello(tasks: &[std::sync::Arc<Task>], people: &[Worker]) -> String {
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
