//! One pass over a table that says what is in it: types, gaps, forms, kinds, mistakes. Memory is bounded by the number
//! of columns, not of rows. The few values that it shows leave it under seal; all else is a description.

mod column;
mod digest;
mod drift;
mod finding;
mod hash;
mod hll;
mod numbers;
mod read;
mod references;
mod shape;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use dunlin_connect::{ColumnType, ReadBatch, Table, array_to_text};
use dunlin_gate::{AccessLog, Ask, ColumnInfo, Opened, Policy, Refused, Rows, Sealed};
use serde::Serialize;

use crate::kinds::{KindGuess, SampledColumn, detect_table};
use crate::rules::{Broken, RuleCount, Rules};
use column::Column;
pub use drift::{Drift, KeptColumn, PlannedColumn, against_plan, drift};
pub use finding::Finding;
pub(crate) use hash::hash;
pub use numbers::Numbers;
pub use read::{ProfileOptions, profile_table, profile_table_as, profile_table_with};
pub use references::{Reference, ReferenceCount, broken_references, references};

/// So many rows decide the kinds; later ones are held against them.
const SAMPLE: usize = 1_000;

/// What a column holds, as `dunlin profile` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnProfile {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: String,
    /// All rows of the table, unreadable ones included.
    pub rows: u64,
    /// Rows that are NULL here.
    pub nulls: u64,
    /// Rows that are blank or stand for "unknown".
    pub unknowns: u64,
    /// Different values, estimated within about 2 % (exact for few).
    pub distinct: u64,
    /// The lowest value, as the gate lets it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// The highest value, as the gate lets it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// How long the values are: characters, or bytes for binary columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<Lengths>,
    /// The most frequent values, as the gate lets them out, with counts that are certain.
    pub top: Vec<Counted>,
    /// The most frequent shapes: digits as 9, letters as A.
    pub patterns: Vec<Counted>,
    /// How its numbers or days lie, where it holds such and no person's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
    /// The kind it most likely is.
    pub kind: Option<String>,
    /// Which of the kind, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'static str>,
    /// The class of that kind.
    pub class: Option<String>,
    /// How sure that is, 0 to 1.
    pub confidence: Option<f64>,
    /// Why it is thought to be of that kind.
    pub evidence: Vec<String>,
    /// What a person should look at.
    pub findings: Vec<Finding>,
    /// Rows that could not be read because of this column, by the reason's code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bad: BTreeMap<String, u64>,
}

/// Lengths of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Lengths {
    /// The shortest.
    pub min: u64,
    /// The mean, to one decimal.
    pub mean: f64,
    /// The longest.
    pub max: u64,
}

/// A value or a shape, and how many rows have it at least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The value, as the gate lets it out, or the shape.
    pub text: String,
    /// The rows.
    pub rows: u64,
}

/// Profiles one table. Feed it every batch of a read of all columns, in the table's order, then finish it. Parts of a
/// table may be profiled by profilers of their own, made by [`Profiler::beside`], and merged.
pub struct Profiler {
    table: String,
    types: Vec<ColumnType>,
    names: Vec<String>,
    /// Rows that wait until there are enough of them to tell the kinds.
    waiting: Vec<RecordBatch>,
    /// Empty until the kinds are told.
    columns: Vec<Column>,
    kinds: Vec<Option<KindGuess>>,
    rows: u64,
    bad: BTreeMap<String, u64>,
    bad_of: BTreeMap<(usize, String), u64>,
    broken: Broken,
}

impl Profiler {
    /// A profile of nothing yet.
    pub fn new(table: &Table) -> Self {
        Self {
            table: table.name.to_string(),
            types: table.columns.iter().map(|c| c.ty.clone()).collect(),
            names: table.columns.iter().map(|c| c.name.clone()).collect(),
            waiting: Vec::new(),
            columns: Vec::new(),
            kinds: Vec::new(),
            rows: 0,
            bad: BTreeMap::new(),
            bad_of: BTreeMap::new(),
            broken: Broken::default(),
        }
    }

    /// A profiler for another part of the same table, with the kinds that this one has told.
    pub fn beside(&self) -> Self {
        let mut beside = Self {
            table: self.table.clone(),
            types: self.types.clone(),
            names: self.names.clone(),
            waiting: Vec::new(),
            columns: Vec::new(),
            kinds: self.kinds.clone(),
            rows: 0,
            bad: BTreeMap::new(),
            bad_of: BTreeMap::new(),
            broken: Broken::default(),
        };
        if !self.columns.is_empty() {
            beside.make_columns();
        }
        beside
    }

    /// Takes in a batch.
    pub fn push(&mut self, batch: &ReadBatch) {
        self.rows += batch.rows.num_rows() as u64 + batch.bad.len() as u64;
        for bad in &batch.bad {
            let code = bad.reason.code().to_owned();
            if let Some(column) = bad.column {
                *self.bad_of.entry((column, code.clone())).or_default() += 1;
            }
            *self.bad.entry(code).or_default() += 1;
        }
        if self.columns.is_empty() {
            self.waiting.push(batch.rows.clone());
            if self.waiting.iter().map(RecordBatch::num_rows).sum::<usize>() >= SAMPLE {
                self.decide();
            }
            return;
        }
        self.feed(&batch.rows);
    }

    fn feed(&mut self, rows: &RecordBatch) {
        for ((column, ty), array) in self.columns.iter_mut().zip(&self.types).zip(rows.columns()) {
            feed(column, array, ty);
        }
    }

    /// Tells the kinds from the rows that wait, and lets them pass.
    fn decide(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let mut samples: Vec<Vec<Option<String>>> = vec![Vec::new(); self.types.len()];
        for batch in &waiting {
            let left = SAMPLE.saturating_sub(samples.first().map_or(0, Vec::len));
            let head = batch.slice(0, left.min(batch.num_rows()));
            for ((sample, array), ty) in samples.iter_mut().zip(head.columns()).zip(&self.types) {
                // Bytes are counted, never read.
                match array.data_type() {
                    DataType::Binary => sample.extend((0..array.len()).map(|_| None)),
                    _ => sample.extend(array_to_text(array, ty)),
                }
            }
        }
        let sampled: Vec<SampledColumn> = (0..self.types.len())
            .map(|at| SampledColumn {
                name: &self.names[at],
                ty: &self.types[at],
                values: samples[at].iter().map(Option::as_deref).collect(),
            })
            .collect();
        self.kinds = detect_table(&sampled);
        self.make_columns();
        waiting.iter().for_each(|batch| self.feed(batch));
    }

    fn make_columns(&mut self) {
        let kinds = self.kinds.iter().cloned().chain(std::iter::repeat(None));
        let columns = self.names.iter().zip(&self.types).zip(kinds);
        self.columns = columns.map(|((name, ty), kind)| Column::new(name, ty, kind)).collect();
    }

    /// Counts the rows of a batch that break rules.
    pub(crate) fn hold_against(&mut self, rules: &Rules, rows: &RecordBatch) {
        rules.count(rows, &mut self.broken);
    }

    /// What the rules counted.
    pub(crate) fn counted(&self, rules: &Rules) -> Vec<RuleCount> {
        rules.counted(&self.table, &self.broken)
    }

    /// Takes in what another profiler saw of the same table.
    pub fn merge(&mut self, mut other: Self) {
        for profiler in [&mut *self, &mut other] {
            if profiler.columns.is_empty() {
                profiler.decide();
            }
        }
        self.rows += other.rows;
        self.broken.add(&other.broken);
        self.columns.iter_mut().zip(other.columns).for_each(|(column, theirs)| column.merge(theirs));
        other.bad.into_iter().for_each(|(code, rows)| *self.bad.entry(code).or_default() += rows);
        other.bad_of.into_iter().for_each(|(of, rows)| *self.bad_of.entry(of).or_default() += rows);
    }

    /// The rows that could not be read so far, by the reason's code.
    pub fn bad_rows(&self) -> &BTreeMap<String, u64> {
        &self.bad
    }

    /// What was found. `store` is the name by which the values' access is entered.
    pub fn finish(mut self, store: &str) -> Profile {
        if self.columns.is_empty() {
            self.decide();
        }
        for ((at, code), rows) in &self.bad_of {
            if let Some(column) = self.columns.get_mut(*at) {
                *column.bad.entry(code.clone()).or_default() += rows;
            }
        }
        let (table, rows) = (self.table, self.rows);
        let (columns, values): (Vec<_>, Vec<_>) =
            self.columns.into_iter().map(|column| column.finish(&table, rows)).unzip();
        let depth = values.iter().map(|v| v.top.len()).max().unwrap_or_default();
        let row = |pick: &dyn Fn(&Values) -> Option<String>| values.iter().map(pick).collect::<Vec<_>>();
        let mut rows = vec![row(&|v| v.min.clone()), row(&|v| v.max.clone())];
        rows.extend((0..depth).map(|at| row(&|v| v.top.get(at).cloned())));
        let info = |c: &ColumnProfile| ColumnInfo { name: c.column.clone(), kind: c.kind.clone() };
        let infos = columns.iter().map(info).collect();
        let values = Sealed::seal(Rows { store: store.to_owned(), table, columns: infos, rows });
        Profile { columns, rules: Vec::new(), values }
    }
}

/// The values that a column's profile shows.
struct Values {
    min: Option<String>,
    max: Option<String>,
    top: Vec<String>,
}

/// The profile of a table: what may be said of its columns, and the values that show it, under seal.
pub struct Profile {
    /// One a column, without a value.
    pub columns: Vec<ColumnProfile>,
    /// How many rows break each rule, where it was held against some.
    pub rules: Vec<RuleCount>,
    /// The lowest values, the highest, then the most frequent ones; one row each.
    pub values: Sealed<Rows>,
}

impl Profile {
    /// Lets the values out through the gate and puts each into its place. The caller closes what was opened.
    ///
    /// # Errors
    /// When the policy says no, or the access cannot be entered.
    pub async fn open(
        self,
        policy: &dyn Policy,
        log: &dyn AccessLog,
        mut ask: Ask,
        access: &str,
    ) -> Result<(Vec<ColumnProfile>, Opened), Refused> {
        ask.surface = "sample".to_owned();
        let opened = dunlin_gate::open(self.values, policy, log, &ask, access).await?;
        let mut columns = self.columns;
        let mut shown = opened.columns.iter().enumerate().peekable();
        for column in &mut columns {
            // Hidden columns are left out of what was opened; the order stays.
            let Some((place, _)) = shown.next_if(|(_, info)| info.name == column.column) else {
                column.top.clear();
                continue;
            };
            let value = |row: usize| opened.rows.get(row).and_then(|r| r[place].clone());
            (column.min, column.max) = (value(0), value(1));
            for (at, counted) in column.top.iter_mut().enumerate() {
                counted.text = value(at + 2).unwrap_or_default();
            }
        }
        Ok((columns, opened))
    }
}

fn feed(column: &mut Column, array: &ArrayRef, ty: &ColumnType) {
    match array.data_type() {
        DataType::Utf8 => {
            for value in array.as_string::<i32>() {
                match value {
                    Some(value) => column.text(value),
                    None => column.null(),
                }
            }
        }
        DataType::Binary => {
            for value in array.as_binary::<i32>() {
                match value {
                    Some(value) => column.bytes(value),
                    None => column.null(),
                }
            }
        }
        _ => {
            for value in array_to_text(array, ty) {
                match value {
                    Some(value) => column.text(&value),
                    None => column.null(),
                }
            }
        }
    }
}
