//! Finding rows of the target again by their hashes: for replacing, taking back, and moving to quarantine.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use dunlin_connect::canon::{HashKey, hash_rows};
use dunlin_connect::{Bounds, ReadRequest, ReadStream, Reader, WireRequest};
use futures::StreamExt;

use crate::Result;
use crate::spec::TableSpec;

/// A multiset of rows by the first half of their hash in target space.
#[derive(Default)]
pub struct Wanted<T> {
    rows: HashMap<[u8; 16], Vec<T>>,
    left: usize,
}

impl<T> Wanted<T> {
    /// An empty set.
    pub fn new() -> Self {
        Self { rows: HashMap::new(), left: 0 }
    }

    /// Adds a row.
    pub fn add(&mut self, row: [u8; 16], what: T) {
        self.rows.entry(row).or_default().push(what);
        self.left += 1;
    }

    /// Takes one row of this hash, if one is left.
    pub fn take(&mut self, row: &[u8; 16]) -> Option<T> {
        let found = self.rows.get_mut(row)?.pop();
        self.left -= usize::from(found.is_some());
        found
    }

    /// How many rows have not been taken.
    pub fn left(&self) -> usize {
        self.left
    }
}

/// The mapped columns of a batch that holds all columns of the target table, in the mapping's order.
pub fn mapped_columns(spec: &TableSpec, rows: &RecordBatch) -> Result<RecordBatch> {
    let indices: Vec<usize> = spec.mapping.columns.iter().map(|c| c.target_index).collect();
    rows.project(&indices).map_err(|_| crate::MoveError::Engine {
        act: "project a target row".to_owned(),
        code: "schema".to_owned(),
    })
}

/// Walks the target with addresses and hands each row's (address, hash) to `each`.
pub async fn walk(
    reader: &dyn Reader,
    spec: &TableSpec,
    key: &HashKey,
    mut each: impl FnMut(u64, [u8; 16]),
) -> Result<()> {
    let (table, columns) = (Arc::clone(&spec.target), spec.read_back());
    let read = ReadRequest { table, columns, bounds: Bounds::Whole, batch_rows: 8_192 };
    if reader.wire(&read).is_some() {
        // As it was loaded and is reconciled: some values have a hash on this way only.
        let request = WireRequest { read, key: *key, name: Vec::new(), keep: false, addressed: true };
        let mut stream = reader.read_wire(request).await?;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            batch
                .positions
                .iter()
                .zip(&batch.hashes)
                .for_each(|(position, hash)| each(*position, hash.short()));
        }
        return Ok(());
    }
    let stream = reader.read_addressed(Arc::clone(&spec.target)).await?;
    walk_stream(stream, spec, key, each).await
}

/// As [`walk`], over a stream of addressed rows.
pub async fn walk_stream(
    mut stream: ReadStream,
    spec: &TableSpec,
    key: &HashKey,
    mut each: impl FnMut(u64, [u8; 16]),
) -> Result<()> {
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let rows = mapped_columns(spec, &batch.rows)?;
        for (position, hash) in batch.positions.iter().zip(hash_rows(key, &rows)) {
            each(*position, hash.short());
        }
    }
    Ok(())
}
