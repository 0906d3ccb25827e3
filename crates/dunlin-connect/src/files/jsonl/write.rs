//! Writes rows as JSON Lines. Booleans, integers, decimals and finite floats are bare tokens; everything else is a
//! string, except JSON columns, whose bytes are embedded as they are.

use arrow::array::{Array, AsArray, RecordBatch};
use serde_json::value::RawValue;

use super::super::dialect::Dialect;
use super::lines::{Token, token};
use crate::text::write_value;
use crate::{ColumnType, Reason, Table};

/// Encodes rows into bytes.
pub(in super::super) struct JsonWrite {
    dialect: Dialect,
    /// `"name":` for each column.
    names: Vec<String>,
    types: Vec<ColumnType>,
    line: String,
    text: String,
}

impl JsonWrite {
    /// A writer for a table.
    pub(in super::super) fn new(dialect: &Dialect, table: &Table) -> Self {
        let name = |c: &crate::Column| format!("{}:", serde_json::Value::from(c.name.as_str()));
        Self {
            dialect: dialect.clone(),
            names: table.columns.iter().map(name).collect(),
            types: table.columns.iter().map(|c| c.ty.clone()).collect(),
            line: String::new(),
            text: String::new(),
        }
    }

    /// Appends rows of all the table's columns; those that cannot be written are told (row, column) and left out.
    pub(in super::super) fn rows(
        &mut self,
        batch: &RecordBatch,
        out: &mut Vec<u8>,
    ) -> Vec<(usize, usize, Reason)> {
        let mut refused = Vec::new();
        for row in 0..batch.num_rows() {
            self.line.clear();
            self.line.push('{');
            let mut wrong = None;
            for (c, array) in batch.columns().iter().enumerate() {
                if c > 0 {
                    self.line.push(',');
                }
                self.line.push_str(&self.names[c]);
                if !self.value(array.as_ref(), row, c) {
                    wrong = Some(c);
                    break;
                }
            }
            self.line.push_str("}\n");
            if wrong.is_none() && !self.dialect.encode(&self.line, out) {
                wrong = Some(self.unencodable(batch, row));
            }
            if let Some(column) = wrong {
                refused.push((row, column, Reason::WouldChange));
            }
        }
        refused
    }

    /// The column whose text the encoding does not have.
    fn unencodable(&mut self, batch: &RecordBatch, row: usize) -> usize {
        let mut bad = |c: &usize| {
            self.line.clear();
            self.value(batch.column(*c).as_ref(), row, *c);
            !self.dialect.encode(&self.line, &mut Vec::new())
        };
        (0..batch.num_columns()).find(|c| bad(c)).unwrap_or(0)
    }

    fn value(&mut self, array: &dyn Array, row: usize, column: usize) -> bool {
        if array.is_null(row) {
            self.line.push_str("null");
            return true;
        }
        let ty = &self.types[column];
        if matches!(ty, ColumnType::Json | ColumnType::Jsonb) {
            let text = array.as_string::<i32>().value(row);
            self.line.push_str(text);
            return embeds(text);
        }
        self.text.clear();
        write_value(array, row, &mut self.text);
        let bare = match ty {
            ColumnType::Bool
            | ColumnType::Int16
            | ColumnType::Int32
            | ColumnType::Int64
            | ColumnType::Decimal { .. } => true,
            ColumnType::Float32 | ColumnType::Float64 => is_number(&self.text),
            _ => false,
        };
        if bare {
            self.line.push_str(&self.text);
        } else {
            self.line.push_str(&serde_json::Value::from(self.text.as_str()).to_string());
        }
        true
    }
}

/// Whether a JSON text comes back byte by byte when it stands inside a line. A bare `null` would come back as NULL.
fn embeds(text: &str) -> bool {
    !text.contains(['\n', '\r'])
        && token(text) != Token::Null
        && serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get() == text)
}

/// Whether a float's text is a JSON number.
fn is_number(text: &str) -> bool {
    let numeric = |b: u8| b.is_ascii_digit() || b"+-.eE".contains(&b);
    text.bytes().all(numeric) && serde_json::from_str::<&RawValue>(text).is_ok()
}
