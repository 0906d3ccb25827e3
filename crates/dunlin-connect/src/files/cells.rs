//! Rows of text on their way into Arrow: the cells of one batch as raw bytes, decoded column by column at the end, so
//! that a row that cannot be read still has its bytes. Shared by CSV and JSON Lines.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow::compute::filter;
use arrow::datatypes::SchemaRef;

use super::dialect::Dialect;
use crate::{BadRow, ColumnType, ReadBatch, ReadRequest, Reason, text_to_array};

const NULL: (usize, usize) = (usize::MAX, usize::MAX);

/// The cells of one batch, row by row.
#[derive(Default)]
pub(super) struct Cells {
    arena: Vec<u8>,
    cells: Vec<(usize, usize)>,
    positions: Vec<u64>,
    /// Where each row's record begins in its file, in bytes, where that is known.
    bytes: Vec<Option<u64>>,
    wrong: BTreeMap<usize, (usize, Reason)>,
    /// Rows that have no cells.
    bad: Vec<BadRow>,
}

impl Cells {
    /// How many rows there are, bad ones included.
    pub(super) fn len(&self) -> usize {
        self.positions.len() + self.bad.len()
    }

    /// How many bytes they hold.
    pub(super) fn bytes(&self) -> usize {
        self.arena.len()
    }

    /// Starts a row; as many cells as the request has columns must follow.
    pub(super) fn start_row(&mut self, position: u64, byte: Option<u64>) {
        self.positions.push(position);
        self.bytes.push(byte);
    }

    /// Adds a NULL.
    pub(super) fn push_null(&mut self) {
        self.cells.push(NULL);
    }

    /// Adds a value, which `fill` appends to the bytes it is given.
    pub(super) fn push(&mut self, fill: impl FnOnce(&mut Vec<u8>)) {
        let start = self.arena.len();
        fill(&mut self.arena);
        self.cells.push((start, self.arena.len()));
    }

    /// Says that the current row's column cannot be read; its cell is pushed all the same.
    pub(super) fn mark_wrong(&mut self, column: usize, reason: Reason) {
        let row = self.positions.len() - 1;
        self.wrong.entry(row).or_insert((column, reason));
    }

    /// Adds a record that has no cells.
    pub(super) fn push_bad(&mut self, position: u64, byte: Option<u64>, reason: Reason, raw: &[u8]) {
        self.bad.push(BadRow { position, byte, reason, column: None, fields: vec![Some(raw.to_vec())] });
    }

    /// Decodes everything.
    pub(super) fn finish(
        mut self,
        request: &ReadRequest,
        schema: &SchemaRef,
        dialect: &Dialect,
    ) -> ReadBatch {
        let width = request.columns.len();
        let rows = self.positions.len();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(width);
        for (c, column) in request.columns.iter().enumerate() {
            let mut wrong = Vec::new();
            let texts: Vec<Option<Cow<'_, str>>> = (0..rows)
                .map(|row| {
                    let cell = self.cells[row * width + c];
                    if cell == NULL {
                        return None;
                    }
                    let text = dialect.decode(&self.arena[cell.0..cell.1]);
                    if text.is_none() {
                        wrong.push((row, Reason::InvalidEncoding));
                    }
                    text
                })
                .collect();
            let ty = &request.table.columns[column.index].ty;
            let (array, misfits) = to_array(&texts, ty, column.as_text);
            for (row, reason) in wrong.into_iter().chain(misfits) {
                self.wrong.entry(row).and_modify(|w| *w = (*w).min((c, reason))).or_insert((c, reason));
            }
            arrays.push(array);
        }
        self.set_apart(arrays, schema)
    }

    /// Takes the bad rows out of the arrays.
    fn set_apart(mut self, mut arrays: Vec<ArrayRef>, schema: &SchemaRef) -> ReadBatch {
        let width = arrays.len();
        for (row, (column, reason)) in &self.wrong {
            let raw = |cell: &(usize, usize)| (*cell != NULL).then(|| self.arena[cell.0..cell.1].to_vec());
            let fields = self.cells[row * width..(row + 1) * width].iter().map(raw).collect();
            let (position, byte) = (self.positions[*row], self.bytes[*row]);
            self.bad.push(BadRow { position, byte, reason: *reason, column: Some(*column), fields });
        }
        if !self.wrong.is_empty() {
            self.bad.sort_by_key(|b| b.position);
            let keep = |row: usize| !self.wrong.contains_key(&row);
            let mask = BooleanArray::from_iter((0..self.positions.len()).map(|r| Some(keep(r))));
            // The mask has the arrays' length, so filtering cannot fail.
            arrays = arrays.iter().map(|a| filter(a, &mask).unwrap_or_else(|_| a.clone())).collect();
            let mut row = 0;
            self.positions.retain(|_| {
                row += 1;
                keep(row - 1)
            });
        }
        ReadBatch {
            rows: batch(schema, arrays, self.positions.len()),
            positions: self.positions,
            bad: self.bad,
        }
    }
}

/// A batch of these columns, also when there are none.
pub(super) fn batch(schema: &SchemaRef, arrays: Vec<ArrayRef>, rows: usize) -> RecordBatch {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
        .unwrap_or_else(|_| unreachable!("the arrays are made by the schema's own types"))
}

fn to_array(
    texts: &[Option<Cow<'_, str>>],
    ty: &ColumnType,
    as_text: bool,
) -> (ArrayRef, Vec<(usize, Reason)>) {
    if as_text || matches!(ty, ColumnType::Text { .. }) {
        return (Arc::new(StringArray::from_iter(texts.iter().map(Option::as_deref))), Vec::new());
    }
    let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
    text_to_array(&texts, ty)
}
