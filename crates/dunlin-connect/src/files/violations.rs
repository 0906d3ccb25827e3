//! Rows that stand against a key, found by reading the files: files know no index.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use futures::{StreamExt, future};

use crate::canon::encode_columns;
use crate::{ConnectError, ReadBatch, ReadStream, Reader, Result, Table};

/// The first 16 bytes of a hash of a row's key columns; `None` where one of them is NULL.
fn key_of(batch: &RecordBatch, columns: &[usize], row: usize, buffer: &mut Vec<u8>) -> Option<[u8; 16]> {
    if columns.iter().any(|c| batch.column(*c).is_null(row)) {
        return None;
    }
    buffer.clear();
    encode_columns(batch, columns, row, buffer);
    let mut key = [0; 16];
    key.copy_from_slice(&blake3::hash(buffer).as_bytes()[..16]);
    Some(key)
}

/// The positions of columns in a table.
pub(super) fn places(store: &str, table: &Table, columns: &[String]) -> Result<Vec<usize>> {
    let place = |name: &String| {
        table.index_of(name).ok_or_else(|| ConnectError::Missing {
            store: store.to_owned(),
            what: format!("the column {name} of {}", table.name),
            help: "name a column the table has".into(),
        })
    };
    columns.iter().map(place).collect()
}

/// All keys of a table.
pub(super) async fn keys(
    reader: &dyn Reader,
    table: Arc<Table>,
    columns: &[usize],
) -> Result<HashSet<[u8; 16]>> {
    let mut stream = reader.read_addressed(table).await?;
    let mut keys = HashSet::new();
    let mut buffer = Vec::new();
    while let Some(batch) = stream.next().await {
        let rows = batch?.rows;
        keys.extend((0..rows.num_rows()).filter_map(|row| key_of(&rows, columns, row, &mut buffer)));
    }
    Ok(keys)
}

/// The rows of a stream whose key `wanted` picks; rows with a NULL in their key never.
pub(super) fn pick(
    stream: ReadStream,
    columns: Vec<usize>,
    mut wanted: impl FnMut([u8; 16]) -> bool + Send + 'static,
) -> ReadStream {
    let picked = stream.map(move |batch| {
        let batch = batch?;
        let mut buffer = Vec::new();
        let mask: Vec<bool> = (0..batch.rows.num_rows())
            .map(|row| key_of(&batch.rows, &columns, row, &mut buffer).is_some_and(&mut wanted))
            .collect();
        let positions = batch.positions.iter().zip(&mask).filter(|(_, m)| **m).map(|(p, _)| *p).collect();
        // The mask has the batch's length, so filtering cannot fail.
        let rows = filter_record_batch(&batch.rows, &BooleanArray::from(mask))
            .unwrap_or_else(|_| batch.rows.slice(0, 0));
        Ok(ReadBatch { rows, positions, bad: Vec::new() })
    });
    let some = |batch: &Result<ReadBatch>| !batch.as_ref().is_ok_and(|b| b.positions.is_empty());
    Box::pin(picked.filter(move |batch| future::ready(some(batch))))
}
