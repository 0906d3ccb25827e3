//! The kinds of a table's columns by a sample of its rows. The values stay here; what leaves is the guess.

use std::collections::{BTreeMap, BTreeSet, HashSet};
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

/// What a look at a table's first rows says of one column. Counts and kinds; the values stay here.
#[derive(Debug, Clone, Default)]
pub struct ColumnLook {
    /// What it most likely holds.
    pub guess: Option<KindGuess>,
    /// Rows that were looked at.
    pub sampled: u64,
    /// The share of them that is NULL, blank or a stand-in for "unknown", from 0 to 1.
    pub empty: f64,
    /// Different values a known value, from 0 to 1.
    pub distinct: f64,
    /// Cells whose text holds something of a kind, by kind.
    pub hits: BTreeMap<String, u64>,
}

/// From this confidence on a part of a text counts as found.
const HIT: f64 = 0.7;

/// Looks at a table's first rows: what each column holds, how full it is, and what its texts contain.
///
/// # Errors
/// Those of the store.
pub async fn look(reader: &dyn Reader, table: &Table) -> dunlin_connect::Result<Vec<ColumnLook>> {
    let samples = samples(reader, table).await?;
    let guesses = table_kinds(table, &samples);
    Ok(samples.iter().zip(guesses).map(|(values, guess)| looked(values, guess)).collect())
}

fn looked(values: &[Option<String>], guess: Option<KindGuess>) -> ColumnLook {
    let known = |v: &&String| !v.trim().is_empty() && !crate::is_sentinel(v.trim(), &[]);
    let known: Vec<&String> = values.iter().flatten().filter(known).collect();
    let different: HashSet<&String> = known.iter().copied().collect();
    let mut hits: BTreeMap<String, u64> = BTreeMap::new();
    for text in &known {
        let kinds: BTreeSet<&str> =
            super::spans::spans(text).iter().filter(|s| s.confidence >= HIT).map(|s| s.kind).collect();
        kinds.into_iter().for_each(|kind| *hits.entry(kind.to_owned()).or_default() += 1);
    }
    let of = |n: usize, all: usize| if all == 0 { 0.0 } else { n as f64 / all as f64 };
    ColumnLook {
        guess,
        sampled: values.len() as u64,
        empty: of(values.len() - known.len(), values.len()),
        distinct: of(different.len(), known.len()),
        hits,
    }
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
