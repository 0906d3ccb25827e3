//! One pass over a table that says what is in it: types, gaps, forms, kinds, mistakes. Memory is bounded by the number
//! of columns, not of rows. Values leave it masked only; it is a description, not a sample.

mod column;
mod finding;
mod frequent;
mod hll;
mod mask;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use dunlin_connect::{ColumnType, ReadBatch, Table, array_to_text};
use serde::Serialize;

use column::Column;
pub use finding::Finding;
pub use mask::mask;

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
    /// The lowest value, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// The highest value, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// How long the values are: characters, or bytes for binary columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<Lengths>,
    /// The most frequent values, masked, with counts that are certain.
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

/// A masked value or a shape, and how many rows have it at least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The masked value or the shape.
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

    /// What was found, one profile a column.
    pub fn finish(self) -> Vec<ColumnProfile> {
        let (table, rows) = (self.table, self.rows);
        self.columns.into_iter().map(|column| column.finish(&table, rows)).collect()
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
