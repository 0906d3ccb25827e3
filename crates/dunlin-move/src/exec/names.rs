//! The names of rows: the hash of their key, by which they are found again.

use arrow::array::RecordBatch;
use dunlin_connect::canon::{HashKey, RowHash, hash_columns, hash_row_columns};

/// The names of rows by their key; by the whole row where the table has none. `wholes` are the rows' hashes.
pub fn key_hashes(
    key: &HashKey,
    batch: &RecordBatch,
    columns: &[usize],
    wholes: &[RowHash],
) -> Vec<[u8; 16]> {
    if columns.is_empty() {
        return wholes.iter().map(|h| h.short()).collect();
    }
    hash_columns(key, batch, columns).into_iter().map(RowHash::short).collect()
}

/// What [`key_hashes`] gives for one row; `buffer` is scratch.
pub fn key_hash(
    key: &HashKey,
    batch: &RecordBatch,
    columns: &[usize],
    row: usize,
    whole: RowHash,
    buffer: &mut Vec<u8>,
) -> [u8; 16] {
    if columns.is_empty() {
        return whole.short();
    }
    hash_row_columns(key, batch, columns, row, buffer).short()
}
