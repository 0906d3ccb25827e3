//! Writes batches of our types as Parquet; each field keeps our type beside it, so that it comes back as it went.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::super::disk::{failed, shown};
use super::TYPE_KEY;
use super::read::ParquetRead;
use crate::{Bounds, ConnectError, ReadRequest, Result, Table};

/// A row group is closed at this size, so that a writer's memory is bounded.
const GROUP_BYTES: usize = 64 * 1024 * 1024;

/// The schema in which a table is written.
fn write_schema(table: &Table) -> SchemaRef {
    let field = |c: &crate::Column| {
        let kept = serde_json::to_string(&c.ty).unwrap_or_default();
        Field::new(&c.name, c.ty.arrow_type(), true)
            .with_metadata(HashMap::from([(TYPE_KEY.to_owned(), kept)]))
    };
    Schema::new(table.columns.iter().map(field).collect::<Vec<_>>()).into()
}

/// A Parquet file that is being written.
pub(in super::super) struct ParquetWrite<W: Write + Send> {
    store: String,
    schema: SchemaRef,
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> ParquetWrite<W> {
    /// Starts a file.
    pub(in super::super) fn new(store: &str, table: &Table, out: W) -> Result<Self> {
        let schema = write_schema(table);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("dunlin ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = ArrowWriter::try_new(out, schema.clone(), Some(properties))
            .map_err(|e| write_failed(store, &e))?;
        Ok(Self { store: store.to_owned(), schema, writer })
    }

    /// Writes rows of all the table's columns.
    pub(in super::super) fn rows(&mut self, batch: &RecordBatch) -> Result<()> {
        // The same arrays under our fields, which carry the types.
        let batch = RecordBatch::try_new(self.schema.clone(), batch.columns().to_vec())
            .map_err(|_| write_failed(&self.store, &ParquetError::General(String::new())))?;
        self.writer.write(&batch).map_err(|e| write_failed(&self.store, &e))?;
        if self.writer.in_progress_size() > GROUP_BYTES {
            self.writer.flush().map_err(|e| write_failed(&self.store, &e))?;
        }
        Ok(())
    }

    /// Writes the footer and gives the output back.
    pub(in super::super) fn finish(self) -> Result<W> {
        let store = self.store;
        self.writer.into_inner().map_err(|e| write_failed(&store, &e))
    }
}

/// Parquet wraps the disk's errors; a full disk must still be told as one.
fn write_failed(store: &str, error: &ParquetError) -> ConnectError {
    if let ParquetError::External(inner) = error
        && let Some(io) = inner.downcast_ref::<std::io::Error>()
    {
        return failed(store, "write a Parquet file", io);
    }
    ConnectError::Store {
        store: store.to_owned(),
        act: "write a Parquet file".into(),
        code: "Parquet".into(),
        transient: false,
    }
}

/// Copies the rows of a file that `keep` wants; returns how many.
pub(in super::super) fn copy<W: Write + Send>(
    store: &str,
    from: &Path,
    table: &Arc<Table>,
    keep: &mut dyn FnMut() -> bool,
    to: &mut ParquetWrite<W>,
) -> Result<u64> {
    let request = ReadRequest::all(table.clone(), Bounds::Whole);
    let mut copied = 0;
    for batch in ParquetRead::open(store, from, request, 0, None)? {
        let batch = batch?;
        if !batch.bad.is_empty() {
            return Err(ConnectError::Unsupported {
                store: store.to_owned(),
                what: format!("rewriting {}, whose values this build cannot hold exactly,", shown(from)),
                help: "load into a new file instead of appending to this one".into(),
            });
        }
        let mask: BooleanArray = (0..batch.rows.num_rows()).map(|_| Some(keep())).collect();
        let kept = filter_record_batch(&batch.rows, &mask)
            .map_err(|_| write_failed(store, &ParquetError::General(String::new())))?;
        copied += kept.num_rows() as u64;
        to.rows(&kept)?;
    }
    Ok(copied)
}
