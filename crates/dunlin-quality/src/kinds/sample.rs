//! The kinds of a table's columns by a sample of its rows. The values stay here; what leaves is the guess.

use std::sync::Arc;

use dunlin_connect::{ReadRequest, Reader, Table, array_to_text};
use futures::StreamExt;

use super::{KindGuess, detect};

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
    let guess = |(column, sample): (&dunlin_connect::Column, &Vec<String>)| {
        let views: Vec<&str> = sample.iter().map(String::as_str).collect();
        detect(&column.name, &column.ty, &views)
    };
    Ok(table.columns.iter().zip(&samples).map(guess).collect())
}

/// Values of each column, of a table's first rows, without NULLs.
///
/// # Errors
/// Those of the store.
pub(crate) async fn samples(reader: &dyn Reader, table: &Table) -> dunlin_connect::Result<Vec<Vec<String>>> {
    let mut samples: Vec<Vec<String>> = vec![Vec::new(); table.columns.len()];
    if let Some(bounds) = reader.splits(table, 100_000, &[]).await?.into_iter().next() {
        let all = ReadRequest::all(Arc::new(table.clone()), bounds);
        let mut stream = reader.read(ReadRequest { batch_rows: SAMPLE_ROWS, ..all }).await?;
        if let Some(batch) = stream.next().await {
            for (place, array) in batch?.rows.columns().iter().enumerate() {
                let texts = array_to_text(array, &table.columns[place].ty);
                samples[place] = texts.into_iter().flatten().take(SAMPLE_ROWS).collect();
            }
        }
    }
    Ok(samples)
}
