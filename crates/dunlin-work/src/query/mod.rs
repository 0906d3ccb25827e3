//! Finds tasks: a filter, a text, an order, groups, summaries, one page. Everything works on the board in memory.

mod cell;
mod filter;
mod summary;
mod urgency;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::board::{Board, Row};
use crate::calendar::number as day_number;
use crate::error::Result;
use crate::model::Task;
use crate::things::FieldType;

use cell::{Cell, Key};
use filter::Test;
use summary::summed;
pub use urgency::Urgency;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// A text to be found in number, title, description, labels, table.
    pub q: String,
    /// The filter, as JSON.
    pub filter: Option<Value>,
    /// Fields, each with `-` before it for the other way round.
    pub sort: Vec<String>,
    /// A field.
    pub group: Option<String>,
    /// From this row on.
    pub offset: usize,
    /// At most so many rows.
    pub limit: usize,
    /// Only tasks that this person has a part in: guests.
    pub only_of: Option<String>,
}

/// Tasks that have the same value.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Group {
    /// The value; null for none.
    #[schema(value_type = Value)]
    pub value: Value,
    /// How many tasks.
    pub count: usize,
    /// Sums by field.
    pub sums: BTreeMap<String, f64>,
}

/// A field over all tasks found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Summary {
    /// Tasks that have a value.
    pub filled: usize,
    /// Tasks that have none.
    pub empty: usize,
    /// The sum, of numbers.
    pub sum: Option<f64>,
    /// The mean, of numbers.
    pub mean: Option<f64>,
    /// The smallest number or earliest day.
    #[schema(value_type = Value)]
    pub min: Option<Value>,
    /// The largest or latest.
    #[schema(value_type = Value)]
    pub max: Option<Value>,
}

/// What was found.
pub struct Found {
    /// How many in all.
    pub total: usize,
    /// The groups, in the order of the rows.
    pub groups: Option<Vec<Group>>,
    /// One page.
    pub rows: Vec<Arc<Task>>,
    /// Numbers and days over all that was found.
    pub summaries: BTreeMap<String, Summary>,
}

/// What tasks sort by: numbers as bits that compare as they do, or texts in lower case. What is empty has none, and
/// comes last either way.
enum Keys<'a> {
    Numbers(Vec<(Option<u64>, usize)>),
    Texts(Vec<(Option<Cow<'a, str>>, usize)>),
}

/// Bits that compare as the numbers do.
fn bits(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

/// A text in lower case, copied only where it is not; then as it is, so that equal texts stand together.
fn lower(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_uppercase) {
        Cow::Owned(format!("{}\0{text}", text.to_lowercase()))
    } else {
        Cow::Borrowed(text)
    }
}

/// The places in order. Equal ones stay as they are.
fn in_order<K: Ord>(mut keys: Vec<(Option<K>, usize)>, down: bool) -> Vec<usize> {
    keys.sort_unstable_by(|(a, x), (b, y)| {
        let order = match (a, b) {
            (Some(a), Some(b)) if down => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        };
        order.then(x.cmp(y))
    });
    keys.into_iter().map(|(_, place)| place).collect()
}

impl Board {
    /// Finds tasks.
    pub fn find(&self, ask: &Ask) -> Result<Found> {
        let test = ask.filter.as_ref().map(|f| Test::parse(f, self, 0)).transpose()?;
        let q = ask.q.trim().to_lowercase();
        let order = self.order();
        let passes = |row: &&Row| {
            ask.only_of.as_ref().is_none_or(|person| row.task.involves(person))
                && (q.is_empty() || row.haystack.contains(&q))
                && test.as_ref().is_none_or(|t| t.holds(&row.task))
        };
        let mut found: Vec<&Row> = order.iter().map(|at| &self.rows[*at as usize]).filter(passes).collect();
        self.sort(&mut found, &ask.sort)?;
        let groups = match &ask.group {
            None => None,
            Some(name) => Some(self.group(&mut found, name)?),
        };
        let page = found.iter().skip(ask.offset).take(ask.limit).map(|row| Arc::clone(&row.task)).collect();
        Ok(Found { total: found.len(), groups, rows: page, summaries: self.summaries(&found) })
    }

    fn sort(&self, found: &mut Vec<&Row>, names: &[String]) -> Result<()> {
        // The last one first: equal ones keep their order.
        for name in names.iter().take(8).rev() {
            let down = name.starts_with('-');
            let key = Key::parse(name.trim_start_matches(['-', '+']), self)?;
            let places = match self.keys(&key, found) {
                Keys::Numbers(keys) => in_order(keys, down),
                Keys::Texts(keys) => in_order(keys, down),
            };
            *found = places.into_iter().map(|place| found[place]).collect();
        }
        Ok(())
    }

    fn keys<'a>(&self, key: &Key, found: &[&'a Row]) -> Keys<'a> {
        let custom = |id: &String| self.fields.iter().find(|f| f.id == *id);
        let kind = if let Key::Custom(id) = key { custom(id).map(|f| f.kind) } else { None };
        let is_number = match key {
            Key::Custom(_) => {
                matches!(kind, Some(FieldType::Number | FieldType::Checkbox | FieldType::Select))
            }
            _ => matches!(
                key,
                Key::Number
                    | Key::Kind
                    | Key::Origin
                    | Key::Step
                    | Key::Bound
                    | Key::Gone
                    | Key::Status
                    | Key::Progress
                    | Key::Priority
                    | Key::Start
                    | Key::Deadline
                    | Key::Estimate
                    | Key::CreatedAt
                    | Key::UpdatedAt
                    | Key::Comments
                    | Key::Attachments
            ),
        };
        if is_number {
            // Options of a select sort as they are listed, not by their ids.
            let options: &[_] = match key {
                Key::Custom(id) => custom(id).map_or(&[], |f| &f.options),
                _ => &[],
            };
            let number = |row: &Row| match key.cell(&row.task) {
                Cell::Number(n) => Some(n),
                Cell::Day(day) => Some(f64::from(day_number(day))),
                Cell::Flag(flag) => Some(f64::from(u8::from(flag))),
                Cell::Word(_, place) => Some(place as f64),
                Cell::Text(chosen) => options.iter().position(|o| o.id == chosen).map(|place| place as f64),
                _ => None,
            };
            return Keys::Numbers(
                found.iter().enumerate().map(|(at, row)| (number(row).map(bits), at)).collect(),
            );
        }
        let text = |row: &'a Row| match key.cell(&row.task) {
            Cell::Text("") | Cell::None => None,
            Cell::Text(_) if matches!(key, Key::Title) => {
                Some(Cow::Borrowed(&row.haystack[row.title.clone()]))
            }
            Cell::Text(text) => Some(lower(text)),
            Cell::List(list) if list.is_empty() => None,
            Cell::List(list) => Some(Cow::Owned(list.join(" ").to_lowercase())),
            other => Some(Cow::Owned(other.value().to_string())),
        };
        Keys::Texts(found.iter().enumerate().map(|(at, row)| (text(row), at)).collect())
    }

    fn group(&self, found: &mut Vec<&Row>, name: &str) -> Result<Vec<Group>> {
        self.sort(found, &[name.to_owned()])?;
        let key = Key::parse(name, self)?;
        let numbers = self.number_keys();
        let mut groups: Vec<(Group, Vec<f64>)> = Vec::new();
        for row in found.iter() {
            let cell = key.cell(&row.task);
            let same = groups.last().is_some_and(|(g, _)| match &g.value {
                Value::Array(_) => g.value == cell.value(),
                value => {
                    cell.equals(value) && !matches!(cell, Cell::List(_))
                        || (value.is_null() && cell.is_empty())
                }
            });
            if !same {
                let group = Group { value: cell.value(), count: 0, sums: BTreeMap::new() };
                groups.push((group, vec![0.0; numbers.len()]));
            }
            let Some((group, sums)) = groups.last_mut() else { continue };
            group.count += 1;
            for ((_, key), sum) in numbers.iter().zip(sums) {
                if let Cell::Number(n) = key.cell(&row.task) {
                    *sum += n;
                }
            }
        }
        let named = |(mut group, sums): (Group, Vec<f64>)| {
            group.sums = numbers
                .iter()
                .map(|(name, _)| name.clone())
                .zip(sums)
                .filter(|(_, sum)| *sum != 0.0)
                .collect();
            group
        };
        Ok(groups.into_iter().map(named).collect())
    }

    fn number_keys(&self) -> Vec<(String, Key)> {
        let own = self.fields.iter().filter(|f| f.kind == FieldType::Number);
        let own = own.map(|f| (f.id.clone(), Key::Custom(f.id.clone())));
        [("estimate_hours".to_owned(), Key::Estimate)].into_iter().chain(own).collect()
    }

    fn summaries(&self, found: &[&Row]) -> BTreeMap<String, Summary> {
        let mut keys = self.number_keys();
        keys.extend([
            ("progress".to_owned(), Key::Progress),
            ("start".to_owned(), Key::Start),
            ("deadline".to_owned(), Key::Deadline),
            ("owner".to_owned(), Key::Owner),
        ]);
        let others = self.fields.iter().filter(|f| f.kind != FieldType::Number);
        keys.extend(others.map(|f| (f.id.clone(), Key::Custom(f.id.clone()))));
        summed(keys, found)
    }
}
