//! The filter of a question, read from JSON and held against tasks.

use std::cmp::Ordering;

use serde_json::Value;

use super::cell::{Cell, Key};
use crate::board::Board;
use crate::error::{Result, WorkError};
use crate::model::Task;

/// What a task must fulfil.
pub(super) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Is(Key, Vec<Value>),
    Contains(Key, String),
    Has(Key, Vec<String>),
    Empty(Key, bool),
    /// Days or numbers: from and to, both included.
    Between(Key, Option<Value>, Option<Value>, bool),
}

const FILTER_HELP: &str = "`{\"all\":[{\"field\":\"status\",\"is\":[\"open\"]}]}`; also any, not, is_not, contains, has, before, after, on, at_least, at_most, empty";

fn bad() -> WorkError {
    WorkError::invalid("`filter`", FILTER_HELP)
}

impl Test {
    /// Reads it; `depth` is how deep it may still be nested.
    pub(super) fn parse(value: &Value, board: &Board, depth: usize) -> Result<Test> {
        let object = value.as_object().filter(|_| depth < 8).ok_or_else(bad)?;
        let many = |value: &Value| -> Result<Vec<Test>> {
            let list = value.as_array().filter(|l| l.len() <= 100).ok_or_else(bad)?;
            list.iter().map(|one| Test::parse(one, board, depth + 1)).collect()
        };
        if let Some(all) = object.get("all") {
            return Ok(Test::All(many(all)?));
        }
        if let Some(any) = object.get("any") {
            return Ok(Test::Any(many(any)?));
        }
        if let Some(not) = object.get("not") {
            return Ok(Test::Not(Box::new(Test::parse(not, board, depth + 1)?)));
        }
        let name = object.get("field").and_then(Value::as_str).ok_or_else(bad)?;
        let key = Key::parse(name, board)?;
        let (op, value) = object.iter().find(|(name, _)| *name != "field").ok_or_else(bad)?;
        Test::one(key, op, value)
    }

    fn one(key: Key, op: &str, value: &Value) -> Result<Test> {
        let list = || match value {
            Value::Array(list) if list.len() <= 1000 => Ok(list.clone()),
            Value::Array(_) | Value::Object(_) => Err(bad()),
            one => Ok(vec![one.clone()]),
        };
        let texts = || -> Result<Vec<String>> {
            list()?.iter().map(|v| v.as_str().map(str::to_owned).ok_or_else(bad)).collect()
        };
        let some = || Some(value.clone());
        Ok(match op {
            "is" => Test::Is(key, list()?),
            "is_not" => Test::Not(Box::new(Test::Is(key, list()?))),
            "contains" => Test::Contains(key, value.as_str().ok_or_else(bad)?.to_lowercase()),
            "has" => Test::Has(key, texts()?),
            "has_not" => Test::Not(Box::new(Test::Has(key, texts()?))),
            "empty" => Test::Empty(key, value.as_bool().ok_or_else(bad)?),
            "before" => Test::Between(key, None, some(), true),
            "after" => Test::Between(key, some(), None, true),
            "on" => Test::Between(key, some(), some(), false),
            "at_most" => Test::Between(key, None, some(), false),
            "at_least" => Test::Between(key, some(), None, false),
            _ => return Err(bad()),
        })
    }

    /// Whether a task fulfils it.
    pub(super) fn holds(&self, task: &Task) -> bool {
        match self {
            Test::All(all) => all.iter().all(|t| t.holds(task)),
            Test::Any(any) => any.iter().any(|t| t.holds(task)),
            Test::Not(not) => !not.holds(task),
            Test::Is(key, values) => {
                let cell = key.cell(task);
                values.iter().any(|value| cell.equals(value))
            }
            Test::Contains(key, text) => match key.cell(task) {
                Cell::Text(own) => own.to_lowercase().contains(text),
                Cell::List(list) => list.iter().any(|own| own.to_lowercase().contains(text)),
                _ => false,
            },
            Test::Has(key, texts) => match key.cell(task) {
                Cell::List(list) => texts.iter().any(|t| list.contains(&t.as_str())),
                Cell::Text(own) => texts.iter().any(|t| t == own),
                _ => false,
            },
            Test::Empty(key, empty) => key.cell(task).is_empty() == *empty,
            Test::Between(key, low, high, strict) => {
                let cell = key.cell(task);
                let fits = |bound: &Option<Value>, wanted: Ordering| {
                    bound.as_ref().is_none_or(|bound| {
                        let order = cell.compare(bound);
                        order == Some(wanted) || (!strict && order == Some(Ordering::Equal))
                    })
                };
                fits(low, Ordering::Greater) && fits(high, Ordering::Less)
            }
        }
    }
}
