//! One table of the plan: what moves where, how each column is made, and what must hold. SQL is kept as text.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::finding::Span;
use crate::set::SetPlan;
use crate::table_ref::TableRef;
use crate::vocabulary::{Basis, CleanFn, Fact, IntoMode, Kind, OnErasure, Otherwise, Protect, When, Within};

/// A piece of SQL as it stands in the plan; not parsed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

impl Serialize for Sql {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// A table that moves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TablePlan {
    /// Where the rows come from.
    pub from: TableRef,
    /// Where they go.
    pub to: TableRef,
    /// The source columns that name a row.
    pub key: Vec<String>,
    /// Why the data is processed, as a W3C DPV term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// What the data was collected for, where that is another purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collected_for: Option<String>,
    /// The lawful basis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// Which target column says what the rules of packs must know of a row.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<Fact, String>,
    /// Until when a row is kept: a timestamp over source columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain: Option<Sql>,
    /// Which source rows move; the others are counted as excluded.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub where_: Option<Sql>,
    /// How each target column is made; empty means every source column, to the same name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnPlan>,
    /// The source columns that stay behind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<Drop>,
    /// What must hold of the target's columns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RulePlan>,
    /// What must hold of all rows together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<SetPlan>,
    /// Which amounts are added up on both sides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<TotalsPlan>,
    /// How duplicates are found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Duplicates>,
    /// What is added from other tables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enrich: Vec<Enrich>,
    /// What the target may hold already.
    #[serde(skip_serializing_if = "is_empty_mode")]
    pub into: IntoMode,
    /// Whether rows that dunlin did not load are removed first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
    /// The column that leads to the customer, where no foreign key does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What becomes of a customer's rows when the customer is erased.
    #[serde(skip_serializing_if = "is_delete")]
    pub on_erasure: OnErasure,
    /// Where the plan names the target.
    #[serde(skip)]
    pub span: Span,
    /// Where the plan names the source.
    #[serde(skip)]
    pub from_span: Span,
}

fn is_empty_mode(mode: &IntoMode) -> bool {
    *mode == IntoMode::Empty
}

fn is_delete(way: &OnErasure) -> bool {
    *way == OnErasure::Delete
}

impl TablePlan {
    /// The target, for example `atlas.people`: the table's name in all output.
    pub fn label(&self) -> String {
        self.to.to_string()
    }

    /// The column of this target name.
    pub fn column(&self, target: &str) -> Option<&ColumnPlan> {
        self.columns.iter().find(|column| column.target == target)
    }
}

/// A target column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnPlan {
    /// Its name in the target.
    pub target: String,
    /// How its value is made.
    pub value: ColumnValue,
    /// What it holds.
    pub kind: Option<Kind>,
    /// How it is protected in the target.
    pub protect: Option<Protect>,
    /// Where the plan names it.
    pub span: Span,
}

/// How a column's value is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnValue {
    /// An SQL expression over source columns; `{ from }` becomes a quoted identifier.
    Sql(Sql),
    /// A cleaning function over one source column.
    Clean {
        /// The function.
        function: CleanFn,
        /// The source column, not quoted.
        from: String,
        /// The country whose habits apply, ISO 3166 two letters.
        region: Option<String>,
        /// For dates: strftime patterns, tried in order.
        formats: Vec<String>,
        /// For sentinels: the texts that mean "unknown"; empty means the built-in list.
        sentinels: Vec<String>,
    },
}

impl ColumnPlan {
    /// The source column, when the value is one column and nothing else.
    pub fn source_column(&self) -> Option<String> {
        match &self.value {
            ColumnValue::Clean { from, .. } => Some(from.clone()),
            ColumnValue::Sql(sql) => as_identifier(&sql.text),
        }
    }
}

/// The SQL identifier for a column name.
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The name, when the SQL is a single plain or quoted identifier.
pub(crate) fn as_identifier(sql: &str) -> Option<String> {
    let sql = sql.trim();
    if let Some(inner) = sql.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        let bare = inner.replace("\"\"", "");
        return (!inner.is_empty() && !bare.contains('"')).then(|| inner.replace("\"\"", "\""));
    }
    let mut characters = sql.chars();
    let first = characters.next()?;
    let plain =
        (first.is_alphabetic() || first == '_') && characters.all(|c| c.is_alphanumeric() || c == '_');
    plain.then(|| sql.to_owned())
}

impl Serialize for ColumnPlan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("target", &self.target)?;
        match &self.value {
            ColumnValue::Sql(sql) => map.serialize_entry("sql", sql)?,
            ColumnValue::Clean { function, from, region, formats, sentinels } => {
                map.serialize_entry("clean", function)?;
                map.serialize_entry("from", from)?;
                if let Some(region) = region {
                    map.serialize_entry("region", region)?;
                }
                if !formats.is_empty() {
                    map.serialize_entry("formats", formats)?;
                }
                if !sentinels.is_empty() {
                    map.serialize_entry("sentinels", sentinels)?;
                }
            }
        }
        if let Some(kind) = self.kind {
            map.serialize_entry("kind", &kind)?;
        }
        if let Some(protect) = self.protect {
            map.serialize_entry("protect", &protect)?;
        }
        map.end()
    }
}

/// A source column that stays behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drop {
    /// The source column.
    pub column: String,
    /// Why.
    pub reason: String,
    /// Where the plan says so.
    #[serde(skip)]
    pub span: Span,
}

/// What must hold of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RulePlan {
    /// Its name, unique in the table.
    pub name: String,
    /// A condition over target columns.
    pub check: Sql,
    /// What happens to a row that fails.
    pub otherwise: Otherwise,
    /// With `otherwise = "fix"`: the new values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fix: Vec<Fix>,
    /// Where the plan names it.
    #[serde(skip)]
    pub span: Span,
}

/// A new value for a column of a row that failed a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// The target column.
    pub column: String,
    /// An expression over target columns.
    pub value: Sql,
}

/// Control totals: amounts that are added up in the source and in the target, month by month, and must be equal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TotalsPlan {
    /// The target column whose month tells periods apart; without it the table is one period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// The target columns that are added up.
    pub sum: Vec<String>,
    /// What an amount is in the source, where it is not simply a column there: SQL over source columns, by target column.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<(String, Sql)>,
    /// Where the plan says so.
    #[serde(skip)]
    pub span: Span,
}

/// How duplicates are found and folded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Duplicates {
    /// What is compared, target columns joined by `+`; any one line may speak for a match.
    #[serde(rename = "match")]
    pub match_: Vec<String>,
    /// Merge at or above this probability.
    pub above: f64,
    /// Between this and `above` a person decides.
    pub review: f64,
    /// Among which rows, each side once, in the order of the vocabulary; never empty.
    #[serde(skip_serializing_if = "among_source")]
    pub within: Vec<Within>,
    /// Which row stays, over source columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub survivor: Option<Sql>,
    /// Where the plan says so.
    #[serde(skip)]
    pub span: Span,
}

/// What holds where the plan says nothing; so plans that do not say it keep their fingerprint.
fn among_source(within: &[Within]) -> bool {
    within == [Within::Source]
}

impl Duplicates {
    /// Whether rows are held against rows that stood in the target before.
    pub fn within_target(&self) -> bool {
        self.within.contains(&Within::Target)
    }

    /// Whether rows that move are held against each other.
    pub fn within_source(&self) -> bool {
        self.within.contains(&Within::Source)
    }
}

/// Columns that come from another table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Enrich {
    /// The other table.
    pub from: TableRef,
    /// The column of this table's source, and the column of the other table it equals.
    pub on: (String, String),
    /// Target columns, and the other table's columns they take.
    pub add: Vec<(String, String)>,
    /// When it happens.
    pub when: When,
    /// Where the plan says so.
    #[serde(skip)]
    pub span: Span,
}

/// The identifier as `on` of an enrichment takes it: bare when that reads back as the same name.
pub(crate) fn quote_if_needed(name: &str) -> String {
    if as_identifier(name).as_deref() == Some(name) { name.to_owned() } else { quote_identifier(name) }
}
