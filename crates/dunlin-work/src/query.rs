//! Finds tasks: a filter, a text, an order, groups, summaries, one page. Everything works on the board in memory.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::board::{Board, Row};
use crate::calendar::number as day_number;
use crate::error::{Result, WorkError};
use crate::model::{Priority, Status, Task};
use crate::things::FieldType;

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
    #[schema(value_type = Object)]
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
    #[schema(value_type = Object)]
    pub min: Option<Value>,
    /// The largest or latest.
    #[schema(value_type = Object)]
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

/// A field, looked up once.
#[derive(Debug, Clone)]
enum Key {
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
enum Cell<'a> {
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
    fn parse(name: &str, board: &Board) -> Result<Key> {
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

    fn cell<'a>(&self, task: &'a Task) -> Cell<'a> {
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

enum Test {
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
    fn parse(value: &Value, board: &Board, depth: usize) -> Result<Test> {
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

    fn holds(&self, task: &Task) -> bool {
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

impl Cell<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Cell::None => true,
            Cell::Text(text) => text.is_empty(),
            Cell::List(list) => list.is_empty(),
            _ => false,
        }
    }

    fn equals(&self, value: &Value) -> bool {
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

    fn compare(&self, value: &Value) -> Option<Ordering> {
        match (self, value) {
            (Cell::Number(own), Value::Number(n)) => own.partial_cmp(&n.as_f64()?),
            (Cell::Day(own), Value::String(text)) => Some(own.cmp(&text.parse().ok()?)),
            (Cell::Text(own), Value::String(text)) => Some((*own).cmp(text.as_str())),
            _ => None,
        }
    }

    fn value(&self) -> Value {
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

/// What a summary has gathered so far.
#[derive(Default)]
struct Gathered {
    summary: Summary,
    numbers: Option<(f64, f64, f64, usize)>,
    days: Option<(Date, Date)>,
}

/// The summaries of all these fields in one pass: a task is fetched from memory once.
fn summed(keys: Vec<(String, Key)>, found: &[&Row]) -> BTreeMap<String, Summary> {
    let mut all: Vec<(String, Key, Gathered)> =
        keys.into_iter().map(|(name, key)| (name, key, Gathered::default())).collect();
    for row in found {
        for (_, key, gathered) in &mut all {
            gathered.add(key.cell(&row.task));
        }
    }
    all.into_iter().map(|(name, _, gathered)| (name, gathered.done())).collect()
}

impl Gathered {
    fn add(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Number(n) => {
                self.summary.filled += 1;
                let (sum, min, max, count) = self.numbers.unwrap_or((0.0, n, n, 0));
                self.numbers = Some((sum + n, min.min(n), max.max(n), count + 1));
            }
            Cell::Day(day) => {
                self.summary.filled += 1;
                let (min, max) = self.days.unwrap_or((day, day));
                self.days = Some((min.min(day), max.max(day)));
            }
            cell if cell.is_empty() => self.summary.empty += 1,
            _ => self.summary.filled += 1,
        }
    }

    fn done(self) -> Summary {
        let mut summary = self.summary;
        if let Some((sum, min, max, count)) = self.numbers {
            summary.sum = Some(sum);
            summary.mean = Some(sum / count as f64);
            (summary.min, summary.max) = (Some(json!(min)), Some(json!(max)));
        }
        if let Some((min, max)) = self.days {
            (summary.min, summary.max) = (Some(json!(min.to_string())), Some(json!(max.to_string())));
        }
        summary
    }
}

/// How pressing a task is, for a person's own list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Its deadline has passed.
    Overdue,
    /// Due today.
    Today,
    /// Due within seven days.
    ThisWeek,
    /// Others wait for it, or it was done and no longer holds.
    WaitingForMe,
    /// The rest.
    Later,
}

impl Board {
    /// A person's tasks that are not done, by how pressing they are.
    pub fn mine(&self, person: &str, today: Date) -> Vec<(Urgency, Arc<Task>)> {
        use jiff::ToSpan;
        let week = today.checked_add(7.days()).unwrap_or(today);
        let waited: std::collections::HashSet<&str> = self
            .tasks()
            .filter(|t| t.status != Status::Done && !t.gone)
            .flat_map(|t| t.depends_on.iter().map(|d| d.task.as_str()))
            .collect();
        let is_done = |id: &str| self.task(id).is_none_or(|t| t.status == Status::Done || t.gone);
        let is_mine = |t: &&Arc<Task>| {
            let doing = t.raci.responsible.iter().any(|id| id == person);
            t.status != Status::Done && !t.gone && (t.owner.as_deref() == Some(person) || doing)
        };
        let urgency = |t: &Task| match t.deadline {
            Some(day) if day < today => Urgency::Overdue,
            Some(day) if day == today => Urgency::Today,
            Some(day) if day <= week => Urgency::ThisWeek,
            _ if t.status == Status::Stale => Urgency::WaitingForMe,
            _ if waited.contains(t.id.as_str()) && t.depends_on.iter().all(|d| is_done(&d.task)) => {
                Urgency::WaitingForMe
            }
            _ => Urgency::Later,
        };
        let mut mine: Vec<(Urgency, Arc<Task>)> =
            self.tasks().filter(is_mine).map(|t| (urgency(t), t.clone())).collect();
        let priority = |p: Priority| std::cmp::Reverse(p as usize);
        mine.sort_by(|(a, x), (b, y)| {
            let by_day = x.deadline.unwrap_or(Date::MAX).cmp(&y.deadline.unwrap_or(Date::MAX));
            a.cmp(b)
                .then(by_day)
                .then(priority(x.priority).cmp(&priority(y.priority)))
                .then(x.rank.cmp(&y.rank))
        });
        mine
    }
}
