//! Writes rows as CSV: RFC 4180 with LF, quotes where they are needed, `""` for an empty text and the NULL text for
//! NULL, so that reading gives the same rows.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;

use super::super::dialect::Dialect;
use crate::Reason;
use crate::text::write_value;

/// Encodes rows into bytes.
pub(in super::super) struct CsvWrite {
    dialect: Dialect,
    text: String,
}

impl CsvWrite {
    /// A writer in this dialect.
    pub(in super::super) fn new(dialect: &Dialect) -> Self {
        Self { dialect: dialect.clone(), text: String::new() }
    }

    /// Appends the header, where the dialect has one; false where a name cannot be encoded.
    pub(in super::super) fn header<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
        out: &mut Vec<u8>,
    ) -> bool {
        if !self.dialect.header {
            return true;
        }
        for (i, name) in names.enumerate() {
            if i > 0 {
                out.push(self.dialect.delimiter);
            }
            if !self.field(name, out) {
                return false;
            }
        }
        out.push(b'\n');
        true
    }

    /// Appends the rows; those that cannot be written are told (row, column) and left out.
    pub(in super::super) fn rows(
        &mut self,
        batch: &RecordBatch,
        out: &mut Vec<u8>,
    ) -> Vec<(usize, usize, Reason)> {
        let mut refused = Vec::new();
        let mut null = Vec::new();
        self.dialect.encode(&self.dialect.null, &mut null);
        for row in 0..batch.num_rows() {
            let start = out.len();
            for (c, array) in batch.columns().iter().enumerate() {
                if c > 0 {
                    out.push(self.dialect.delimiter);
                }
                if array.is_null(row) {
                    out.extend_from_slice(&null);
                } else if !self.value(array.as_ref(), row, out) {
                    refused.push((row, c, Reason::WouldChange));
                    break;
                }
            }
            match refused.last() {
                Some(last) if last.0 == row => out.truncate(start),
                _ => out.push(b'\n'),
            }
        }
        refused
    }

    fn value(&mut self, array: &dyn Array, row: usize, out: &mut Vec<u8>) -> bool {
        if *array.data_type() == DataType::Utf8 {
            return self.field(array.as_string::<i32>().value(row), out);
        }
        self.text.clear();
        write_value(array, row, &mut self.text);
        self.field(&self.text, out)
    }

    fn field(&self, text: &str, out: &mut Vec<u8>) -> bool {
        let d = &self.dialect;
        let special = |b: u8| b == d.delimiter || b == d.quote || b == b'\n' || b == b'\r';
        // A field that starts with a byte order mark would lose it at the front of a file.
        let quoted =
            text == d.null || text.is_empty() || text.starts_with('\u{feff}') || text.bytes().any(special);
        if !quoted {
            return d.encode(text, out);
        }
        let start = out.len();
        out.push(d.quote);
        if !text.as_bytes().contains(&d.quote) {
            if !d.encode(text, out) {
                out.truncate(start);
                return false;
            }
        } else {
            let quote = char::from(d.quote);
            let doubled = text.replace(quote, &format!("{quote}{quote}"));
            if !d.encode(&doubled, out) {
                out.truncate(start);
                return false;
            }
        }
        out.push(d.quote);
        true
    }
}
