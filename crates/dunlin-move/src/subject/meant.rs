//! Whether a row that is about to be deleted is still the one that was found: somebody may have written another to its
//! place in between. It is held by its hash against what was found there.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use dunlin_connect::Meant;
use dunlin_connect::canon::{RowHash, hash_raw, hash_rows};

use crate::address::mapped_columns;
use crate::run::Run;
use crate::spec::TableSpec;

/// For rows of a target: each address with the hash, in target space, of what was found there.
pub(crate) fn in_target(
    run: &Run<'_>,
    spec: &Arc<TableSpec>,
    found: impl Iterator<Item = (u64, RowHash)>,
) -> Meant {
    let (key, spec, found) = (run.key, Arc::clone(spec), found.collect::<HashMap<_, _>>());
    Arc::new(move |batch| {
        let Ok(rows) = mapped_columns(&spec, &batch.rows) else { return false };
        let schema = spec.mapping.target_schema.clone();
        let Ok(rows) = RecordBatch::try_new(schema, rows.columns().to_vec()) else { return false };
        let hashes = hash_rows(&key, &rows);
        batch.bad.is_empty()
            && batch.positions.iter().zip(&hashes).all(|(at, hash)| found.get(at) == Some(hash))
    })
}

/// For rows of a source: each address with the hash, in source space, of what was found there.
pub(crate) fn in_source(
    run: &Run<'_>,
    spec: &Arc<TableSpec>,
    found: impl Iterator<Item = (u64, RowHash)>,
) -> Meant {
    let (key, spec, found) = (run.key, Arc::clone(spec), found.collect::<HashMap<_, _>>());
    let indices: Vec<usize> = spec.read.iter().map(|c| c.index).collect();
    Arc::new(move |batch| {
        let Ok(rows) = batch.rows.project(&indices) else { return false };
        let hashes = hash_rows(&key, &rows);
        let bad = |bad: &dunlin_connect::BadRow| {
            let hash = hash_raw(&key, &read_fields(&spec, &indices, bad.fields.clone()));
            found.get(&bad.position) == Some(&hash)
        };
        let readable = batch.positions.iter().zip(&hashes).all(|(at, hash)| found.get(at) == Some(hash));
        readable && batch.bad.iter().all(bad)
    })
}

/// Of a row that cannot be read, the fields that a run reads.
pub(crate) fn read_fields(
    spec: &TableSpec,
    indices: &[usize],
    fields: Vec<Option<Vec<u8>>>,
) -> Vec<Option<Vec<u8>>> {
    if fields.len() == spec.source.columns.len() {
        indices.iter().map(|i| fields[*i].clone()).collect()
    } else {
        fields
    }
}
