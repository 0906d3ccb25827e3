//! Who survives: the words of `survivor` in the plan, the row of a cluster that stays, and what of the others it takes
//! over, a column at a time.
//!
//! ```text
//! survivor = "latest updated_at; phone: latest phone_seen_at; full_name: longest; *: filled"
//! ```
//!
//! The first clause names the row; each `column: rule` says from which row of the cluster that column's value comes; `*`
//! is every column that no clause names. Nothing depends on the order of rows: ties go to the row with more values, then
//! to the lowest key. Not here: which rows are one.

use std::cmp::Reverse;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{SortOptions, rank};
use arrow::datatypes::{DataType, Schema};
use dunlin_connect::{ColumnType, array_to_text};

use crate::Result;
use crate::remap::engine;
use crate::spec::{Mapped, Mapping};

/// How one row, or one value, is preferred to others. `C` is how a source column is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rule<C> {
    /// The row with the greatest value of a source column.
    Latest(C),
    /// The row with the smallest.
    Earliest(C),
    /// The row with the most values.
    Complete,
    /// The row whose source column holds the first of these texts.
    Trusted(C, Vec<String>),
    /// The longest value; only of a column.
    Longest,
    /// The survivor's own value, or that of the next best row which has one; only of a column.
    Filled,
}

/// Why a row stays, or why a value comes from the row that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The plan's rule prefers it.
    Rule,
    /// No other row has a value there.
    Only,
    /// No rule names the column, or it does not tell the rows apart: the survivor's own value stays.
    Own,
    /// It has the most values.
    Complete,
    /// Nothing else tells the rows apart: it has the lowest key.
    Key,
    /// It stood in the target before, and stays as it is.
    There,
}

impl Why {
    /// Its code.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Rule => "rule",
            Why::Only => "only",
            Why::Own => "own",
            Why::Complete => "complete",
            Why::Key => "key",
            Why::There => "there",
        }
    }
}

/// From which row of a cluster the value of a column comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The row, as candidates are numbered.
    pub(crate) row: usize,
    pub(crate) why: Why,
}

/// The words of the plan, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Words {
    row: Option<Rule<String>>,
    columns: Vec<(String, Rule<String>)>,
}

/// What is wrong with the words, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) help: String,
}

const FORMS: &str = "write `latest COLUMN`, `earliest COLUMN`, `most complete` or `trusted COLUMN in A, B`; for a column \
                     also `NAME: longest` or `NAME: filled`; clauses are parted by `;`";

/// Takes the words of `survivor` apart.
pub(crate) fn words(text: &str) -> std::result::Result<Words, Wrong> {
    let mut words = Words::default();
    for clause in text.split(';').map(str::trim).filter(|c| !c.is_empty()) {
        match clause.split_once(':') {
            Some((column, rule)) => words.columns.push((bare(column), one(rule, true)?)),
            None if words.row.is_some() => {
                let message = "`survivor` names the row that stays twice".to_owned();
                return Err(Wrong { message, help: FORMS.to_owned() });
            }
            None => words.row = Some(one(clause, false)?),
        }
    }
    Ok(words)
}

fn bare(name: &str) -> String {
    name.trim().trim_matches('"').to_owned()
}

fn one(text: &str, of_column: bool) -> std::result::Result<Rule<String>, Wrong> {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (rest, column) = (rest.trim(), bare(rest));
    let rule = match word {
        "latest" if !column.is_empty() => Some(Rule::Latest(column)),
        "earliest" if !column.is_empty() => Some(Rule::Earliest(column)),
        "most" if rest == "complete" => Some(Rule::Complete),
        "longest" if of_column && rest.is_empty() => Some(Rule::Longest),
        "filled" if of_column && rest.is_empty() => Some(Rule::Filled),
        "trusted" => rest.split_once(" in ").map(|(column, list)| {
            let list = list.split(',').map(|v| v.trim().trim_matches('\'').to_owned());
            Rule::Trusted(bare(column), list.filter(|v| !v.is_empty()).collect())
        }),
        _ => None,
    };
    rule.ok_or_else(|| Wrong {
        message: format!("`{text}` does not say who survives"),
        help: FORMS.to_owned(),
    })
}

impl Words {
    /// The source columns that are looked at.
    pub(crate) fn source_columns(&self) -> impl Iterator<Item = &str> {
        let rules = self.row.iter().chain(self.columns.iter().map(|(_, rule)| rule));
        rules.filter_map(|rule| match rule {
            Rule::Latest(c) | Rule::Earliest(c) | Rule::Trusted(c, _) => Some(c.as_str()),
            Rule::Complete | Rule::Longest | Rule::Filled => None,
        })
    }
}

/// The rules of a table, by positions: source columns among those that are read, target columns among the mapped ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Survivor {
    row: Option<Rule<usize>>,
    columns: Vec<(usize, Rule<usize>)>,
}

impl Survivor {
    /// The words held against a table. The key of the survivor always stays; `key` are its positions.
    ///
    /// # Errors
    /// A column that is not there.
    pub(crate) fn of(text: &str, mapping: &Mapping, key: &[usize]) -> std::result::Result<Self, Wrong> {
        let words = words(text)?;
        let row = words.row.map(|rule| placed(rule, &mapping.read_schema)).transpose()?;
        let mut columns: Vec<(usize, Rule<usize>)> = Vec::new();
        let mut others = None;
        for (name, rule) in words.columns {
            let rule = placed(rule, &mapping.read_schema)?;
            if name == "*" {
                others = Some(rule);
                continue;
            }
            let place = mapping.columns.iter().position(|m| m.target == name);
            let Some(place) = place.filter(|place| !key.contains(place)) else {
                let names: Vec<&str> = mapping.columns.iter().map(|m| m.target.as_str()).collect();
                let message = match place {
                    Some(_) => format!("`survivor` takes the key column `{name}` from another row"),
                    None => format!("`survivor` names the target column `{name}`, which is not mapped"),
                };
                let help = match place {
                    Some(_) => "a survivor keeps its own key: leave the column out".to_owned(),
                    None => crate::draft::nearest_name(&name, &names),
                };
                return Err(Wrong { message, help });
            };
            columns.push((place, rule));
        }
        if let Some(rule) = others {
            let named: Vec<usize> = columns.iter().map(|(place, _)| *place).collect();
            let free = (0..mapping.columns.len()).filter(|p| !key.contains(p) && !named.contains(p));
            columns.extend(free.map(|place| (place, rule.clone())));
        }
        columns.sort_by_key(|(place, _)| *place);
        Ok(Self { row, columns })
    }
}

impl Survivor {
    /// The rule by which the row is preferred that stays, as the plan writes it; `None` where it says none.
    pub(crate) fn row_words(&self, read: &Schema) -> Option<String> {
        self.row.as_ref().map(|rule| rule.words(read))
    }

    /// The rule of a column, as the plan writes it.
    pub(crate) fn column_words(&self, place: usize, read: &Schema) -> Option<String> {
        let found = self.columns.iter().find(|(column, _)| *column == place);
        found.map(|(_, rule)| rule.words(read))
    }
}

impl Rule<usize> {
    fn words(&self, read: &Schema) -> String {
        let name = |place: &usize| read.field(*place).name();
        match self {
            Rule::Latest(column) => format!("latest {}", name(column)),
            Rule::Earliest(column) => format!("earliest {}", name(column)),
            Rule::Complete => "most complete".to_owned(),
            Rule::Trusted(column, list) => format!("trusted {} in {}", name(column), list.join(", ")),
            Rule::Longest => "longest".to_owned(),
            Rule::Filled => "filled".to_owned(),
        }
    }
}

fn placed(rule: Rule<String>, read: &Schema) -> std::result::Result<Rule<usize>, Wrong> {
    let place = |name: String| {
        read.index_of(&name).map_err(|_| {
            let names: Vec<&str> = read.fields().iter().map(|f| f.name().as_str()).collect();
            Wrong {
                message: format!("`survivor` reads the source column `{name}`, which is not there"),
                help: crate::draft::nearest_name(&name, &names),
            }
        })
    };
    Ok(match rule {
        Rule::Latest(column) => Rule::Latest(place(column)?),
        Rule::Earliest(column) => Rule::Earliest(place(column)?),
        Rule::Trusted(column, list) => Rule::Trusted(place(column)?, list),
        Rule::Complete => Rule::Complete,
        Rule::Longest => Rule::Longest,
        Rule::Filled => Rule::Filled,
    })
}

/// The rows of clusters with all that the rules look at.
pub(crate) struct Candidates {
    /// By how much each row is preferred to be the survivor, rule by rule; greater is better.
    worth: Vec<(i64, i64, Reverse<KeyOrder>)>,
    /// The same for each column that has a rule, `None` where the row has no value.
    values: Vec<(usize, Vec<Option<i64>>)>,
}

/// Keys in the order people expect: numbers by size, then texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum KeyOrder {
    Number(i128),
    Text(String),
}

impl Candidates {
    /// Of rows in source and mapped form, in the same order, with their keys as text.
    ///
    /// # Errors
    /// A column whose values have no order, which is a fault.
    pub(crate) fn new(
        rules: &Survivor,
        columns: &[Mapped],
        source: &RecordBatch,
        mapped: &RecordBatch,
        keys: &[String],
    ) -> Result<Self> {
        let filled: Vec<Vec<bool>> = columns.iter().zip(mapped.columns()).map(|(_, c)| filled(c)).collect();
        let complete: Vec<i64> = (0..mapped.num_rows())
            .map(|row| filled.iter().filter(|column| column[row]).count() as i64)
            .collect();
        let score = |rule: &Rule<usize>, value: Option<&ArrayRef>| -> Result<Vec<i64>> {
            Ok(match rule {
                Rule::Latest(c) => by_rank(source.column(*c), false)?,
                Rule::Earliest(c) => by_rank(source.column(*c), true)?,
                Rule::Complete => complete.clone(),
                Rule::Trusted(c, list) => by_trust(source.column(*c), list),
                Rule::Longest => value.map(by_length).unwrap_or_default(),
                Rule::Filled => vec![0; mapped.num_rows()],
            })
        };
        let first = match &rules.row {
            Some(rule) => score(rule, None)?,
            None => complete.clone(),
        };
        let order = |key: &String| key.parse().map_or_else(|_| KeyOrder::Text(key.clone()), KeyOrder::Number);
        let worth =
            keys.iter().enumerate().map(|(row, key)| (first[row], complete[row], Reverse(order(key))));
        let mut values = Vec::with_capacity(rules.columns.len());
        for (place, rule) in &rules.columns {
            let scores = score(rule, Some(mapped.column(*place)))?;
            let scores = scores.into_iter().zip(&filled[*place]).map(|(s, there)| there.then_some(s));
            values.push((*place, scores.collect()));
        }
        Ok(Self { worth: worth.collect(), values })
    }

    /// The row of a cluster that stays.
    pub(crate) fn survivor(&self, members: &[usize]) -> Option<usize> {
        members.iter().copied().max_by_key(|row| &self.worth[*row])
    }

    /// For each column that has a rule, the row of the cluster its value comes from.
    pub(crate) fn sources(&self, members: &[usize], survivor: usize) -> Vec<(usize, usize)> {
        let best = |values: &Vec<Option<i64>>| {
            let there = members.iter().copied().filter(|row| values[*row].is_some());
            // Where a rule does not tell rows apart, the survivor's own value stays.
            there.max_by_key(|row| (values[*row], *row == survivor, &self.worth[*row])).unwrap_or(survivor)
        };
        self.values.iter().map(|(place, values)| (*place, best(values))).collect()
    }
}

impl Candidates {
    /// Why this row stays; `ruled` tells that the plan has a rule for it.
    pub(crate) fn why_survivor(&self, members: &[usize], survivor: usize, ruled: bool) -> Why {
        let others = members.iter().filter(|row| **row != survivor).map(|row| &self.worth[*row]);
        let (first, complete, _) = &self.worth[survivor];
        match others.map(|other| (other.0, other.1)).max() {
            Some((second, _)) if second < *first && ruled => Why::Rule,
            Some((second, most)) if second == *first && most == *complete => Why::Key,
            _ => Why::Complete,
        }
    }

    /// For each of so many columns where its value comes from, and why from there.
    pub(crate) fn choices(&self, members: &[usize], survivor: usize, columns: usize) -> Vec<Choice> {
        let mut choices = vec![Choice { row: survivor, why: Why::Own }; columns];
        for ((place, row), (_, values)) in self.sources(members, survivor).into_iter().zip(&self.values) {
            let there: Vec<Option<i64>> =
                members.iter().map(|r| values[*r]).filter(Option::is_some).collect();
            let best = there.iter().filter(|value| **value == values[row]).count();
            let why = match there.len() {
                0 => Why::Own,
                1 => Why::Only,
                _ if best > 1 && row == survivor => Why::Own,
                _ => Why::Rule,
            };
            choices[place] = Choice { row, why };
        }
        choices
    }
}

/// Whether each value is there and not blank.
fn filled(column: &ArrayRef) -> Vec<bool> {
    let blank = |row: usize| match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).trim().is_empty(),
        _ => false,
    };
    (0..column.len()).map(|row| column.is_valid(row) && !blank(row)).collect()
}

/// Greater values (or, reversed, smaller ones) are worth more; NULL is worth least.
fn by_rank(column: &ArrayRef, reversed: bool) -> Result<Vec<i64>> {
    let options = SortOptions { descending: reversed, nulls_first: true };
    let ranks = rank(column.as_ref(), Some(options)).map_err(|_| engine("tell which row is the latest"))?;
    let worth = ranks.into_iter().enumerate();
    Ok(worth.map(|(row, rank)| if column.is_null(row) { i64::MIN } else { i64::from(rank) }).collect())
}

/// Values that stand earlier in the list are worth more; those that do not stand there, least.
fn by_trust(column: &ArrayRef, list: &[String]) -> Vec<i64> {
    let worth = |value: &Option<String>| {
        let place = value.as_ref().and_then(|v| list.iter().position(|trusted| trusted == v.trim()));
        place.map_or(i64::MIN, |place| -(place as i64))
    };
    array_to_text(column, &ColumnType::TEXT).iter().map(worth).collect()
}

fn by_length(column: &ArrayRef) -> Vec<i64> {
    let length = |value: &Option<String>| value.as_ref().map_or(0, |v| v.trim().chars().count() as i64);
    array_to_text(column, &ColumnType::TEXT).iter().map(length).collect()
}
