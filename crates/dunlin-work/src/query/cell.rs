//! A field of a task and its value, looked at without a copy. Not here: filters, orders and sums over many.

use std::cmp::Ordering;

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::board::Board;
use crate::error::{Result, WorkError};
use crate::model::Task;

/// A field, looked up once.
#[derive(Debug, Clone)]
pub(super) enum Key {
    Number,
    Title,
    Description,
    Kind,
    Parent,
    Origin,
    Step,
    Table,
    Bound,
    Gone,
    Status,
    Progress,
    Owner,
    Responsible,
    Accountable,
    Involved,
    Priority,
    Start,
    Deadline,
    Estimate,
    Labels,
    Watchers,
    Rank,
    CreatedAt,
    UpdatedAt,
    UpdatedBy,
    Comments,
    Attachments,
    Custom(String),
}

/// A value without a copy.
pub(super) enum Cell<'a> {
    None,
    Text(&'a str),
    Number(f64),
    Day(Date),
    Flag(bool),
    List(Vec<&'a str>),
    /// A word of a vocabulary, with its place in it.
    Word(&'static str, usize),
}

impl Key {
    pub(super) fn parse(name: &str, board: &Board) -> Result<Key> {
        Ok(match name {
            "number" | "id" => Key::Number,
            "title" => Key::Title,
            "description" => Key::Description,
            "kind" => Key::Kind,
            "parent" => Key::Parent,
            "origin" => Key::Origin,
            "step" => Key::Step,
            "table" => Key::Table,
            "bound" => Key::Bound,
            "gone" => Key::Gone,
            "status" => Key::Status,
            "progress" => Key::Progress,
            "owner" => Key::Owner,
            "responsible" => Key::Responsible,
            "accountable" => Key::Accountable,
            "involved" => Key::Involved,
            "priority" => Key::Priority,
            "start" => Key::Start,
            "deadline" => Key::Deadline,
            "estimate_hours" => Key::Estimate,
            "labels" => Key::Labels,
            "watchers" => Key::Watchers,
            "rank" => Key::Rank,
            "created_at" => Key::CreatedAt,
            "updated_at" => Key::UpdatedAt,
            "updated_by" => Key::UpdatedBy,
            "comments" => Key::Comments,
            "attachments" => Key::Attachments,
            other => {
                let id = other.strip_prefix("fields.").unwrap_or(other);
                let known = board.fields.iter().any(|f| f.id == id);
                let help = "name a field of tasks, or a custom field by its id";
                return if known {
                    Ok(Key::Custom(id.to_owned()))
                } else {
                    Err(WorkError::invalid("a field's name", help))
                };
            }
        })
    }

    pub(super) fn cell<'a>(&self, task: &'a Task) -> Cell<'a> {
        let text = |t: Option<&'a String>| t.map_or(Cell::None, |t| Cell::Text(t));
        let list = |l: &'a [String]| Cell::List(l.iter().map(String::as_str).collect());
        let number = |n: Option<f64>| n.map_or(Cell::None, Cell::Number);
        let day = |d: Option<Date>| d.map_or(Cell::None, Cell::Day);
        let word = |w: &'static str, place: usize| Cell::Word(w, place);
        match self {
            Key::Number => Cell::Number(task.number as f64),
            Key::Title => Cell::Text(&task.title),
            Key::Description => Cell::Text(&task.description),
            Key::Kind => word(task.kind.as_str(), task.kind as usize),
            Key::Parent => text(task.parent.as_ref()),
            Key::Origin => word(task.origin.as_str(), task.origin as usize),
            Key::Step => task.binding.as_ref().map_or(Cell::None, |b| word(b.step.as_str(), b.step as usize)),
            Key::Table => text(task.binding.as_ref().and_then(|b| b.table.as_ref())),
            Key::Bound => Cell::Flag(task.binding.is_some()),
            Key::Gone => Cell::Flag(task.gone),
            Key::Status => word(task.status.as_str(), task.status as usize),
            Key::Progress => number(task.progress),
            Key::Owner => text(task.owner.as_ref()),
            Key::Responsible => list(&task.raci.responsible),
            Key::Accountable => text(task.raci.accountable.as_ref()),
            Key::Involved => {
                let raci = &task.raci;
                let lists = [&raci.responsible, &raci.consulted, &raci.informed, &task.watchers];
                let all = lists.into_iter().flatten().chain(&task.owner).chain(&raci.accountable);
                Cell::List(all.map(String::as_str).collect())
            }
            Key::Priority => word(task.priority.as_str(), task.priority as usize),
            Key::Start => day(task.start),
            Key::Deadline => day(task.deadline),
            Key::Estimate => number(task.estimate_hours),
            Key::Labels => list(&task.labels),
            Key::Watchers => list(&task.watchers),
            Key::Rank => Cell::Text(&task.rank),
            Key::CreatedAt => Cell::Number(task.created_at as f64),
            Key::UpdatedAt => Cell::Number(task.updated_at as f64),
            Key::UpdatedBy => Cell::Text(&task.updated_by),
            Key::Comments => Cell::Number(f64::from(task.comments)),
            Key::Attachments => Cell::Number(f64::from(task.attachments)),
            Key::Custom(id) => match task.fields.get(id) {
                Some(Value::String(text)) => Cell::Text(text),
                Some(Value::Number(n)) => number(n.as_f64()),
                Some(Value::Bool(flag)) => Cell::Flag(*flag),
                Some(Value::Array(all)) => Cell::List(all.iter().filter_map(Value::as_str).collect()),
                _ => Cell::None,
            },
        }
    }
}

impl Cell<'_> {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Cell::None => true,
            Cell::Text(text) => text.is_empty(),
            Cell::List(list) => list.is_empty(),
            _ => false,
        }
    }

    pub(super) fn equals(&self, value: &Value) -> bool {
        match (self, value) {
            (cell, Value::Null) => cell.is_empty(),
            (Cell::Text(own), Value::String(text)) => own == text,
            (Cell::Word(own, _), Value::String(text)) => own == text,
            (Cell::Number(own), Value::Number(n)) => n.as_f64() == Some(*own),
            (Cell::Flag(own), Value::Bool(flag)) => own == flag,
            (Cell::Day(own), Value::String(text)) => text.parse::<Date>().is_ok_and(|day| day == *own),
            (Cell::List(list), Value::String(text)) => list.contains(&text.as_str()),
            _ => false,
        }
    }

    /// Whether this is the value.
    pub(super) fn is(&self, value: &Value) -> bool {
        match self {
            Cell::List(_) => self.value() == *value,
            cell => cell.equals(value),
        }
    }

    pub(super) fn compare(&self, value: &Value) -> Option<Ordering> {
        match (self, value) {
            (Cell::Number(own), Value::Number(n)) => own.partial_cmp(&n.as_f64()?),
            (Cell::Day(own), Value::String(text)) => Some(own.cmp(&text.parse().ok()?)),
            (Cell::Text(own), Value::String(text)) => Some((*own).cmp(text.as_str())),
            _ => None,
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Cell::None => Value::Null,
            Cell::Text("") => Value::Null,
            Cell::Text(text) => json!(text),
            Cell::Number(n) => json!(n),
            Cell::Day(day) => json!(day.to_string()),
            Cell::Flag(flag) => json!(flag),
            Cell::Word(word, _) => json!(word),
            Cell::List(list) if list.is_empty() => Value::Null,
            Cell::List(list) => json!(list),
        }
    }
}
