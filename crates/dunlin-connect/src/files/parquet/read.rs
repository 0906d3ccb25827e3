//! Reads row groups of a Parquet file as batches of our types.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::sync::Arc;

use super::super::cells::batch;
use super::super::disk::{failed, shown};
use super::convert::{convert, texts};
use super::types::column_of;
use crate::{BadRow, Column, ConnectError, ReadBatch, ReadRequest, Reason, Result};

/// What a Parquet file says of itself.
pub(in super::super) struct Outline {
    /// Its columns.
    pub(in super::super) columns: Vec<Column>,
    /// Its rows.
    pub(in super::super) rows: u64,
}

fn broken(store: &str, path: &Path) -> ConnectError {
    ConnectError::Store {
        store: store.to_owned(),
        act: format!("read {}", shown(path)),
        code: "not a readable Parquet file".into(),
        transient: false,
    }
}

pub(super) fn builder(store: &str, path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let file = File::open(path).map_err(|e| failed(store, format!("read {}", shown(path)), &e))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| broken(store, path))
}

/// Reads a file's footer.
pub(in super::super) fn outline(store: &str, path: &Path) -> Result<Outline> {
    let builder = builder(store, path)?;
    let roots = builder.parquet_schema().root_schema().get_fields();
    let columns = builder.schema().fields().iter().zip(roots).map(|(f, root)| column_of(f, root)).collect();
    let rows = builder.metadata().file_metadata().num_rows().max(0) as u64;
    Ok(Outline { columns, rows })
}

/// The rows of each row group.
pub(in super::super) fn groups(store: &str, path: &Path) -> Result<Vec<u64>> {
    let builder = builder(store, path)?;
    Ok(builder.metadata().row_groups().iter().map(|g| g.num_rows().max(0) as u64).collect())
}

/// An iterator over the batches of some row groups.
pub(in super::super) struct ParquetRead {
    store: String,
    file: String,
    reader: ParquetRecordBatchReader,
    request: ReadRequest,
    schema: SchemaRef,
    /// For each requested column, where it stands in what the reader gives.
    order: Vec<usize>,
    /// The last row given, from 1.
    row: u64,
}

impl ParquetRead {
    /// Reads the row groups `from..to`.
    pub(in super::super) fn open(
        store: &str,
        path: &Path,
        request: ReadRequest,
        from: usize,
        to: Option<usize>,
    ) -> Result<Self> {
        let builder = builder(store, path)?;
        let count = builder.metadata().num_row_groups();
        let to = to.unwrap_or(count).min(count);
        let row =
            builder.metadata().row_groups()[..from.min(count)].iter().map(|g| g.num_rows() as u64).sum();
        let mut wanted: Vec<usize> = request.columns.iter().map(|c| c.index).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let order = request.columns.iter().map(|c| wanted.partition_point(|w| *w < c.index)).collect();
        if wanted.last().is_some_and(|last| *last >= builder.schema().fields().len()) {
            return Err(ConnectError::Changed {
                store: store.to_owned(),
                table: request.table.name.to_string(),
                what: format!("{} has fewer columns than before", shown(path)),
            });
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
        let reader = builder
            .with_projection(mask)
            .with_row_groups((from.min(to)..to).collect())
            .with_batch_size(request.batch_rows.max(1))
            .build()
            .map_err(|_| broken(store, path))?;
        let schema = request.schema();
        Ok(Self { store: store.to_owned(), file: shown(path), reader, request, schema, order, row })
    }

    fn error(&self) -> ConnectError {
        broken(&self.store, Path::new(&self.file))
    }

    fn convert(&mut self, raw: &RecordBatch) -> Result<ReadBatch> {
        let rows = raw.num_rows();
        let mut wrong: BTreeMap<usize, (usize, Reason)> = BTreeMap::new();
        let mut arrays = Vec::with_capacity(self.order.len());
        for (c, (column, at)) in self.request.columns.iter().zip(&self.order).enumerate() {
            let source = raw.column(*at);
            let ty = &self.request.table.columns[column.index].ty;
            let (mut array, bad) = convert(source, ty).map_err(|_| self.error())?;
            if column.as_text {
                array = Arc::new(StringArray::from(texts(&array).map_err(|_| self.error())?));
            }
            for (row, reason) in bad {
                wrong.entry(row).or_insert((c, reason));
            }
            arrays.push(array);
        }
        let first = self.row + 1;
        self.row += rows as u64;
        let mut positions: Vec<u64> = (first..=self.row).collect();
        let mut bad = Vec::with_capacity(wrong.len());
        for (row, (column, reason)) in &wrong {
            let fields = self.raw_fields(raw, *row)?;
            let (position, reason, column) = (positions[*row], *reason, Some(*column));
            bad.push(BadRow { position, byte: None, reason, column, fields });
        }
        if !wrong.is_empty() {
            let mask = BooleanArray::from_iter((0..rows).map(|r| Some(!wrong.contains_key(&r))));
            let kept: std::result::Result<Vec<ArrayRef>, _> =
                arrays.iter().map(|a| filter(a, &mask)).collect();
            arrays = kept.map_err(|_| self.error())?;
            positions.retain(|p| !wrong.contains_key(&((p - first) as usize)));
        }
        Ok(ReadBatch { rows: batch(&self.schema, arrays, positions.len()), positions, bad })
    }

    fn raw_fields(&self, raw: &RecordBatch, row: usize) -> Result<Vec<Option<Vec<u8>>>> {
        let one = |at: &usize| {
            let value = texts(&raw.column(*at).slice(row, 1)).map_err(|_| self.error())?;
            Ok(value.into_iter().next().flatten().map(String::into_bytes))
        };
        self.order.iter().map(one).collect()
    }
}

impl Iterator for ParquetRead {
    type Item = Result<ReadBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let raw = match self.reader.next()? {
            Ok(raw) => raw,
            Err(_) => return Some(Err(self.error())),
        };
        Some(self.convert(&raw))
    }
}
