//! What the packs ask of each row while it moves: conditions in SQL over the mapped row, and checks that SQL cannot say.
//! Decided by the plan alone, so that a verification asks the same as the run did.
//!
//! Not here: what becomes of a row. The run holds rows against these as against the plan's own rules.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;

use super::card::{has_card, has_track};
use super::facts::TableFacts;
use super::form::{FormColumn, broken};
use super::lists::age_of_consent;
use super::pack::{Part, RowCheck, Rule};
use super::select::is_card;
use super::{PackError, pack};

/// The days of the epoch in microseconds.
const DAY_US: i64 = 86_400_000_000;

/// A table as row rules see it.
#[derive(Debug, Clone, Copy)]
pub struct RowTable<'a> {
    /// Its columns with the kinds that the plan states, its basis, its facts.
    pub table: &'a TableFacts,
    /// The last day whose postings move.
    pub freeze: Option<&'a str>,
    /// What happens to rows that break a rule, where the plan says another than the pack.
    pub otherwise: &'a BTreeMap<String, String>,
}

/// A rule that acts on the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRule {
    /// The rule's id.
    pub id: String,
    /// What must hold.
    pub condition: RowCondition,
    /// `quarantine`, `exclude`, `stop`, `warn`, or `fix` with `set`.
    pub otherwise: String,
    /// Columns and their new values in SQL, for `fix`.
    pub set: Vec<(String, String)>,
}

/// What must hold of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum RowCondition {
    /// SQL over target columns.
    Sql(String),
    /// A check of its own.
    Native(NativeCheck),
}

/// A check that SQL cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NativeCheck {
    /// Values have the form of their kind.
    Form(Vec<FormColumn>),
    /// No full card number in these columns.
    NoCard(Vec<String>),
    /// No track data or security code in these columns.
    NoTrack(Vec<String>),
}

impl NativeCheck {
    /// The columns that it reads.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            NativeCheck::Form(columns) => columns.iter().map(|c| c.column.as_str()).collect(),
            NativeCheck::NoCard(columns) | NativeCheck::NoTrack(columns) => {
                columns.iter().map(String::as_str).collect()
            }
        }
    }

    /// The rows that break it, each with the first column that does, ascending. `now_us` is when the run began, in
    /// microseconds since 1970 UTC.
    pub fn failing(&self, batch: &RecordBatch, now_us: i64) -> Vec<(usize, &str)> {
        let mut found: BTreeMap<usize, &str> = BTreeMap::new();
        match self {
            NativeCheck::Form(columns) => {
                for of in columns {
                    for row in broken(of, batch, now_us.div_euclid(DAY_US)) {
                        found.entry(row).or_insert(&of.column);
                    }
                }
            }
            NativeCheck::NoCard(columns) => texts(columns, batch, has_card, &mut found),
            NativeCheck::NoTrack(columns) => texts(columns, batch, has_track, &mut found),
        }
        found.into_iter().collect()
    }
}

fn texts<'a>(
    columns: &'a [String],
    batch: &RecordBatch,
    holds: fn(&str) -> bool,
    found: &mut BTreeMap<usize, &'a str>,
) {
    for name in columns {
        let Some(array) = batch.column_by_name(name).filter(|a| *a.data_type() == DataType::Utf8) else {
            continue;
        };
        let array = array.as_string::<i32>();
        for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
            let text = array.value(row);
            // Nothing of a card is shorter.
            if text.len() >= 13 && holds(text) {
                found.entry(row).or_insert(name);
            }
        }
    }
}

/// The rules of packs that act on the rows of a table, in the order of the packs.
///
/// # Errors
/// [`PackError`] where a pack's file cannot be read.
pub fn row_rules(packs: &[&str], table: RowTable<'_>) -> Result<Vec<TableRule>, PackError> {
    let mut rules = Vec::new();
    for name in packs {
        rules.extend(pack(name)?.rules.iter().filter_map(|rule| row_rule(rule, table)));
    }
    Ok(rules)
}

/// What a rule asks of the rows of a table; `None` where it asks nothing of them.
pub(super) fn row_rule(rule: &Rule, table: RowTable<'_>) -> Option<TableRule> {
    let row = rule.row.as_ref()?;
    let otherwise = table.otherwise.get(&rule.id).cloned();
    let mut out = TableRule {
        id: rule.id.clone(),
        condition: RowCondition::Sql(String::new()),
        otherwise: otherwise.clone().unwrap_or_else(|| row.otherwise.clone()),
        set: Vec::new(),
    };
    out.condition = match &row.check {
        RowCheck::Sql { all, basis, set } => {
            let sql = condition(all, basis.as_deref(), table)?;
            if otherwise.is_none() && !set.is_empty() {
                for (fact, value) in set {
                    out.set.push((table.table.fact(fact)?.to_owned(), value.clone()));
                }
                out.otherwise = "fix".to_owned();
            }
            RowCondition::Sql(sql)
        }
        RowCheck::Form { kinds } => RowCondition::Native(NativeCheck::Form(forms(kinds, table.table)?)),
        RowCheck::NoCard => {
            let columns = text_columns(table.table, |c| !is_card(c) && c.protect.is_none());
            RowCondition::Native(NativeCheck::NoCard(some(columns)?))
        }
        RowCheck::NoTrack => {
            RowCondition::Native(NativeCheck::NoTrack(some(text_columns(table.table, |_| true))?))
        }
    };
    Some(out)
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn text_columns(table: &TableFacts, of: impl Fn(&super::ColumnFacts) -> bool) -> Vec<String> {
    let texts = table.columns.iter().filter(|c| c.ty == "text" && of(c));
    texts.map(|c| c.name.clone()).collect()
}

/// Columns of these kinds, of which the plan has said so.
fn forms(kinds: &[String], table: &TableFacts) -> Option<Vec<FormColumn>> {
    let country = table.of_kind("country").map(|c| c.name.clone());
    let of = table.columns.iter().filter(|c| c.stated && c.is(kinds));
    let of = of.filter_map(|c| {
        Some(FormColumn { column: c.name.clone(), kind: c.kind.clone()?, country: country.clone() })
    });
    some(of.collect())
}

/// The conditions that a table can answer, joined; `None` where it can answer none, or its basis is another.
fn condition(all: &[Part], basis: Option<&str>, table: RowTable<'_>) -> Option<String> {
    let parts: Vec<String> = all.iter().filter_map(|part| filled(&part.sql, table)).collect();
    if parts.is_empty() {
        return None;
    }
    let joined = parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(" and ");
    let Some(basis) = basis else { return Some(joined) };
    match table.table.fact("basis") {
        Some(column) => Some(format!("coalesce({}, '') <> '{basis}' or ({joined})", quoted(column))),
        None if table.table.basis.as_deref() == Some(basis) => Some(joined),
        None => None,
    }
}

/// SQL with the columns of this table in the place of what is named in braces; `None` where it has not all of them.
fn filled(sql: &str, table: RowTable<'_>) -> Option<String> {
    let mut out = String::with_capacity(sql.len() + 64);
    let mut rest = sql;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}')?;
        out.push_str(before);
        let value = match name.strip_prefix("kind:") {
            Some(kind) => quoted(&table.table.of_kind(kind)?.name),
            None if name == "freeze" => format!("date '{}'", table.freeze?),
            None if name == "age_of_consent" => {
                let country = table.table.of_kind("country").map(|c| quoted(&c.name));
                age_of_consent(country.as_deref())
            }
            None => quoted(table.table.fact(name)?),
        };
        out.push_str(&value);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
