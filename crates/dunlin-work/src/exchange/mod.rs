//! Tasks from and to other tools: Airtable, Asana, Trello, Jira, plain CSV. What has no home in a task goes into its
//! description and is listed: nothing is dropped silently.
//!
//! The shapes are those that the vendors' own documentation of their exports describes. Not here: keeping (`work`).

mod export;
mod reading;
mod trello;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::draft::Worker;
use crate::error::{Result, WorkError};
use crate::things::Field;

pub use export::export;
use reading::{Reading, propose};

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
            return trello::read(text);
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
