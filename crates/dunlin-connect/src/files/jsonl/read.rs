//! Reads one stretch of a JSON Lines file as batches.

use std::collections::HashMap;

use arrow::datatypes::SchemaRef;
use serde_json::value::RawValue;

use super::super::cells::Cells;
use super::super::dialect::Dialect;
use super::super::disk::failed;
use super::lines::{Lines, Token, members, token};
use crate::{ColumnType, ReadBatch, ReadRequest, Reason, Result};

/// A batch also ends when its values are this large.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// An iterator over the batches of one stretch.
pub(in super::super) struct JsonRead {
    store: String,
    lines: Lines,
    dialect: Dialect,
    /// Cells hold text that is decoded already.
    plain: Dialect,
    request: ReadRequest,
    schema: SchemaRef,
    to: Option<u64>,
    /// Whether the bytes read are those of the file itself.
    is_itself: bool,
    done: bool,
}

impl JsonRead {
    /// Reads from where `lines` stands up to the first line that starts at or behind `to`.
    pub(in super::super) fn new(
        store: &str,
        lines: Lines,
        dialect: &Dialect,
        request: ReadRequest,
        to: Option<u64>,
        is_itself: bool,
    ) -> Self {
        let schema = request.schema();
        let dialect = dialect.clone();
        let plain = Dialect { encoding: encoding_rs::UTF_8, ..dialect.clone() };
        Self { store: store.to_owned(), lines, dialect, plain, request, schema, to, is_itself, done: false }
    }

    fn take_row(&self, cells: &mut Cells) {
        let (line, raw) = (self.lines.line(), self.lines.text());
        let byte = self.is_itself.then(|| self.lines.offset());
        let Some(text) = self.dialect.decode(raw) else {
            cells.push_bad(line, byte, Reason::InvalidEncoding, raw);
            return;
        };
        let Some(members) = members(&text) else {
            cells.push_bad(line, byte, Reason::Malformed, raw);
            return;
        };
        // A name that no column has would be lost in silence: the file is not what its first pass saw.
        if members.0.iter().any(|(name, _)| self.request.table.index_of(name).is_none()) {
            cells.push_bad(line, byte, Reason::TooManyFields, raw);
            return;
        }
        let values: HashMap<&str, &RawValue> = members.0.iter().map(|(k, v)| (k.as_str(), *v)).collect();
        cells.start_row(line, byte);
        for (c, column) in self.request.columns.iter().enumerate() {
            let column_of = &self.request.table.columns[column.index];
            match values.get(column_of.name.as_str()) {
                Some(value) => put(cells, c, value.get(), &column_of.ty, column.as_text),
                None => cells.push_null(),
            }
        }
    }

    fn fill(&mut self, cells: &mut Cells) -> Result<()> {
        while cells.len() < self.request.batch_rows.max(1) && cells.bytes() < BATCH_BYTES {
            let more = self.lines.advance().map_err(|e| failed(&self.store, "read a JSON Lines file", &e))?;
            if !more || self.to.is_some_and(|to| self.lines.offset() >= to) {
                self.done = true;
                break;
            }
            self.take_row(cells);
        }
        Ok(())
    }
}

/// Puts a token into its cell as the text of the column's type.
fn put(cells: &mut Cells, column: usize, raw: &str, ty: &ColumnType, as_text: bool) {
    let kind = token(raw);
    if kind == Token::Null {
        cells.push_null();
        return;
    }
    if matches!(ty, ColumnType::Json | ColumnType::Jsonb) {
        cells.push(|out| out.extend_from_slice(raw.as_bytes()));
        return;
    }
    let fits = match ty {
        _ if as_text => true,
        ColumnType::Bool => kind == Token::Bool,
        ColumnType::Int16
        | ColumnType::Int32
        | ColumnType::Int64
        | ColumnType::Decimal { .. }
        | ColumnType::Numeric
        | ColumnType::Float32
        | ColumnType::Float64 => matches!(kind, Token::Integer | Token::Number | Token::Text),
        _ => kind == Token::Text,
    };
    let text = (kind == Token::Text).then(|| serde_json::from_str::<String>(raw));
    match text {
        // A lone surrogate is valid JSON and no text.
        Some(Err(_)) => {
            cells.push(|out| out.extend_from_slice(raw.as_bytes()));
            cells.mark_wrong(column, Reason::InvalidEncoding);
        }
        Some(Ok(text)) => cells.push(|out| out.extend_from_slice(text.as_bytes())),
        None => cells.push(|out| out.extend_from_slice(raw.as_bytes())),
    }
    if !fits {
        cells.mark_wrong(column, Reason::WrongType);
    }
}

impl Iterator for JsonRead {
    type Item = Result<ReadBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let mut cells = Cells::default();
        if let Err(error) = self.fill(&mut cells) {
            self.done = true;
            return Some(Err(error));
        }
        (cells.len() > 0).then(|| Ok(cells.finish(&self.request, &self.schema, &self.plain)))
    }
}
