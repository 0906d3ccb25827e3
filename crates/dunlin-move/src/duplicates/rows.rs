//! The rows of a mapped batch that go on, with their names: what both looks of the matching pass begin from.

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take;
use dunlin_connect::canon::HashKey;
use dunlin_connect::{ColumnType, array_to_text};

use crate::Result;
use crate::batch::{Lead, body, fate, lead, marker_of};
use crate::exec::names::key_hashes;
use crate::remap::engine;
use crate::spec::TableSpec;

/// A row's name: the first half of the keyed hash of its key in the target, as in the row indexes.
pub(crate) type Name = [u8; 16];

/// The rows of a batch that go on and have a whole key.
pub(crate) struct RowsOf {
    /// Their names.
    pub(crate) names: Vec<Name>,
    /// Their source columns.
    pub(crate) source: RecordBatch,
    /// Their mapped columns.
    pub(crate) mapped: RecordBatch,
    /// Where columns begin that are shown in the clear as well, among those of the batch.
    pub(crate) shown_from: usize,
    picked: UInt32Array,
}

impl RowsOf {
    /// Of a mapped batch; `None` where no row goes on.
    pub(crate) fn batch(key: &HashKey, spec: &TableSpec, batch: &RecordBatch) -> Result<Option<Self>> {
        if marker_of(batch).is_some() {
            return Ok(None);
        }
        let marks = Lead::of(batch);
        let (reads, columns) = (spec.read.len(), spec.mapping.columns.len());
        let source = body(batch, 0, reads);
        let mapped = body(batch, reads, reads + columns);
        let whole = |row: usize| spec.key.iter().all(|place| mapped.column(*place).is_valid(row));
        let picked: Vec<u32> = (0..batch.num_rows())
            .filter(|row| marks.fates[*row] == fate::ALIVE && whole(*row))
            .map(|row| row as u32)
            .collect();
        if picked.is_empty() {
            return Ok(None);
        }
        let picked = UInt32Array::from(picked);
        let (source, mapped) = (pick(&source, &picked)?, pick(&mapped, &picked)?);
        let names = key_hashes(key, &mapped, &spec.key, &[]);
        Ok(Some(Self { names, source, mapped, shown_from: lead::COUNT + reads + columns, picked }))
    }

    /// The values of these rows in another column of the batch.
    pub(crate) fn pick(&self, column: &ArrayRef) -> Result<ArrayRef> {
        take(column, &self.picked, None).map_err(|_| engine("pick rows to compare"))
    }

    /// Some of these rows.
    pub(crate) fn only(&self, rows: &[u32]) -> Result<(RecordBatch, RecordBatch)> {
        let rows = UInt32Array::from(rows.to_vec());
        Ok((pick(&self.source, &rows)?, pick(&self.mapped, &rows)?))
    }
}

/// Some rows of a batch.
pub(crate) fn pick(batch: &RecordBatch, rows: &UInt32Array) -> Result<RecordBatch> {
    let columns: std::result::Result<Vec<ArrayRef>, _> =
        batch.columns().iter().map(|c| take(c, rows, None)).collect();
    columns
        .and_then(|columns| {
            let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
            RecordBatch::try_new_with_options(batch.schema(), columns, &options)
        })
        .map_err(|_| engine("pick rows"))
}

/// The keys of mapped rows as text, their columns parted by a character that stands in no key.
pub(crate) fn key_texts(spec: &TableSpec, mapped: &RecordBatch) -> Vec<String> {
    let columns: Vec<Vec<Option<String>>> =
        spec.key.iter().map(|place| array_to_text(mapped.column(*place), &ColumnType::TEXT)).collect();
    let text = |row: usize| {
        let parts: Vec<&str> = columns.iter().map(|c| c[row].as_deref().unwrap_or_default()).collect();
        parts.join("\u{1f}")
    };
    (0..mapped.num_rows()).map(text).collect()
}
