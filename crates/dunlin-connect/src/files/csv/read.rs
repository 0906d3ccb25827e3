//! Reads one stretch of a CSV file as batches.

use arrow::datatypes::SchemaRef;

use super::super::cells::Cells;
use super::super::dialect::Dialect;
use super::super::disk::failed;
use super::records::Records;
use crate::{ReadBatch, ReadRequest, Reason, Result};

/// A batch also ends when its values are this large, so that wide rows do not fill the memory.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// An iterator over the batches of one stretch.
pub(in super::super) struct CsvRead {
    store: String,
    records: Records,
    dialect: Dialect,
    null: Vec<u8>,
    request: ReadRequest,
    schema: SchemaRef,
    width: usize,
    skip_blank: bool,
    to: Option<u64>,
    /// Whether the bytes read are those of the file itself.
    is_itself: bool,
    done: bool,
}

impl CsvRead {
    /// Reads from where `records` stands up to the first record that starts at or behind `to`.
    pub(in super::super) fn new(
        store: &str,
        records: Records,
        dialect: &Dialect,
        request: ReadRequest,
        width: usize,
        to: Option<u64>,
        is_itself: bool,
    ) -> Self {
        let mut null = Vec::new();
        dialect.encode(&dialect.null, &mut null);
        let schema = request.schema();
        let (store, dialect) = (store.to_owned(), dialect.clone());
        let skip_blank = width != 1;
        Self { store, records, dialect, null, request, schema, width, skip_blank, to, is_itself, done: false }
    }

    fn take_row(&mut self, cells: &mut Cells) {
        let records = &self.records;
        let line = records.line();
        let byte = self.is_itself.then(|| records.offset());
        let reason = match records.fields().len() {
            _ if records.malformed() => Some(Reason::Malformed),
            n if n < self.width => Some(Reason::TooFewFields),
            n if n > self.width => Some(Reason::TooManyFields),
            _ => None,
        };
        if let Some(reason) = reason {
            cells.push_bad(line, byte, reason, records.trimmed());
            return;
        }
        cells.start_row(line, byte);
        for column in &self.request.columns {
            let field = records.fields()[column.index];
            if !field.quoted && records.bytes()[field.start..field.end] == self.null[..] {
                cells.push_null();
            } else {
                cells.push(|out| field.append(records.bytes(), self.dialect.quote, out));
            }
        }
    }

    fn fill(&mut self, cells: &mut Cells) -> Result<()> {
        while cells.len() < self.request.batch_rows.max(1) && cells.bytes() < BATCH_BYTES {
            let more = self.records.advance().map_err(|e| failed(&self.store, "read a CSV file", &e))?;
            if !more || self.to.is_some_and(|to| self.records.offset() >= to) {
                self.done = true;
                break;
            }
            if !(self.skip_blank && self.records.blank()) {
                self.take_row(cells);
            }
        }
        Ok(())
    }
}

impl Iterator for CsvRead {
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
        (cells.len() > 0).then(|| Ok(cells.finish(&self.request, &self.schema, &self.dialect)))
    }
}
