//! The kinds of a table's columns by a sample of its rows. The values stay here; what leaves is the guess.

use std::sync::Arc;

use dunlin_connect::{ReadRequest, Reader, Table, array_to_text};
use futures::StreamExt;

use super::{KindGuess, SampledColumn, detect_table};

/// Rows that are looked at.
const SAMPLE_ROWS: usize = 500;

/// What each column of a table most likely holds, by its first rows.
///
/// # Errors
/// Those of the store.
pub async fn sampled_kinds(
    reader: &dyn Reader,
    table: &Table,
) -> dunlin_connect::Result<Vec<Option<KindGuess>>> {
    let samples = samples(reader, table).await?;
    Ok(table_kinds(table, &samples))
}

/// Values of each column, of a table's first rows, row by row; `None` is NULL.
///
/// # Errors
/// Those of the store.
pub(crate) async fn samples(
    reader: &dyn Reader,
    table: &Table,
) -> dunlin_connect::Result<Vec<Vec<Option<String>>>> {
    let mut samples: Vec<Vec<Option<String>>> = vec![Vec::new(); table.columns.len()];
    if let Some(bounds) = reader.splits(table, 100_000, &[]).await?.into_iter().next() {
        let all = ReadRequest::all(Arc::new(table.clone()), bounds);
        let mut stream = reader.read(ReadRequest { batch_rows: SAMPLE_ROWS, ..all }).await?;
        if let Some(batch) = stream.next().await {
            for (place, array) in batch?.rows.columns().iter().enumerate() {
                let mut texts = array_to_text(array, &table.columns[place].ty);
                texts.truncate(SAMPLE_ROWS);
                samples[place] = texts;
            }
        }
    }
    Ok(samples)
}

/// What each column of a table most likely holds, by such values.
pub(crate) fn table_kinds(table: &Table, samples: &[Vec<Option<String>>]) -> Vec<Option<KindGuess>> {
    let columns: Vec<SampledColumn> = table
        .columns
        .iter()
        .zip(samples)
        .map(|(column, sample)| SampledColumn {
            name: &column.name,
            ty: &column.ty,
            values: sample.iter().map(Option::as_deref).collect(),
        })
        .collect();
    detect_table(&columns)
}
