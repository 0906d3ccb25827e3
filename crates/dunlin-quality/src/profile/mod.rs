//! One pass over a table that says what is in it: types, gaps, forms, kinds, mistakes. Memory is bounded by the number
//! of columns, not of rows. The few values that it shows leave it under seal; all else is a description.

mod column;
mod finding;
mod frequent;
mod hll;
mod shape;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use dunlin_connect::{ColumnType, ReadBatch, ReadRequest, Store, Table, array_to_text};
use dunlin_gate::{AccessLog, Ask, ColumnInfo, Opened, Policy, Refused, Rows, Sealed};
use futures::StreamExt;
use serde::Serialize;

use column::Column;
pub use finding::Finding;

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
    /// The kind it most likely is.
    pub kind: Option<String>,
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

/// Profiles one table. Feed it every batch of a read of all columns, in the table's order, then finish it.
pub struct Profiler {
    table: String,
    types: Vec<ColumnType>,
    columns: Vec<Column>,
    rows: u64,
    bad: BTreeMap<String, u64>,
}

impl Profiler {
    /// A profile of nothing yet.
    pub fn new(table: &Table) -> Self {
        Self {
            table: table.name.to_string(),
            types: table.columns.iter().map(|c| c.ty.clone()).collect(),
            columns: table.columns.iter().map(|c| Column::new(&c.name, &c.ty)).collect(),
            rows: 0,
            bad: BTreeMap::new(),
        }
    }

    /// Takes in a batch.
    pub fn push(&mut self, batch: &ReadBatch) {
        self.rows += batch.rows.num_rows() as u64 + batch.bad.len() as u64;
        for ((column, ty), array) in self.columns.iter_mut().zip(&self.types).zip(batch.rows.columns()) {
            feed(column, array, ty);
        }
        for bad in &batch.bad {
            let code = bad.reason.code();
            *self.bad.entry(code.to_owned()).or_default() += 1;
            if let Some(column) = bad.column.and_then(|at| self.columns.get_mut(at)) {
                *column.bad.entry(code.to_owned()).or_default() += 1;
            }
        }
    }

    /// The rows that could not be read so far, by the reason's code.
    pub fn bad_rows(&self) -> &BTreeMap<String, u64> {
        &self.bad
    }

    /// What was found. `store` is the name by which the values' access is entered.
    pub fn finish(self, store: &str) -> Profile {
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
        Profile { columns, values }
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

/// Profiles a whole table, in one pass.
///
/// # Errors
/// Those of the store.
pub async fn profile_table(store: &dyn Store, table: Table) -> dunlin_connect::Result<Profile> {
    let name = table.name.to_string();
    profile_table_as(store, table, &name).await
}

/// The same under another name, e.g. the plan's label: by that name the access to its values is asked for and entered.
///
/// # Errors
/// Those of the store.
pub async fn profile_table_as(
    store: &dyn Store,
    table: Table,
    name: &str,
) -> dunlin_connect::Result<Profile> {
    let reader = store.reader().await?;
    let mut profiler = Profiler::new(&table);
    profiler.table = name.to_owned();
    let table = Arc::new(table);
    for bounds in reader.splits(&table, 1_000_000, &[]).await? {
        let mut stream = reader.read(ReadRequest::all(table.clone(), bounds)).await?;
        while let Some(batch) = stream.next().await {
            profiler.push(&batch?);
        }
    }
    Ok(profiler.finish(store.name()))
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
