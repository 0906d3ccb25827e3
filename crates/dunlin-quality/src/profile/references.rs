//! References that lead nowhere: values of a table that should stand in a row of another and do not. By keyed
//! fingerprints of eight bytes a row of the other table; only the columns of the keys are read, once on either side.
//!
//! A reference is one that the store declares, or a guess: a column that is called like the key of another table. Not
//! here: what becomes of such rows when they move.

use std::collections::HashSet;
use std::sync::Arc;

use dunlin_connect::{ColumnType, ReadColumn, ReadRequest, Reader, Store, Table, TableName, array_to_text};
use futures::StreamExt;
use serde::Serialize;

use super::hash;

/// So many rows of the other table are remembered, eight bytes each; beyond, the reference is not counted.
const KNOWN_MAX: usize = 16_000_000;
/// Rows of a part.
const PART_ROWS: u64 = 250_000;
/// A guess of which more than this share leads nowhere was no reference.
const GUESS_BROKEN_MAX: f64 = 0.5;

/// A reference of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The table referred to.
    pub to: TableName,
    /// Its columns, in the same order.
    pub key: Vec<String>,
    /// Whether the store says so; else it is guessed by names.
    pub declared: bool,
}

/// How many values of a reference lead nowhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReferenceCount {
    /// The table.
    pub table: String,
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The table referred to.
    pub to: String,
    /// Its columns.
    pub key: Vec<String>,
    /// Whether the store says so; else it is guessed by names.
    pub declared: bool,
    /// Rows whose reference says something.
    pub rows: u64,
    /// Those of them that lead nowhere.
    pub broken: u64,
    /// Their share, 0 to 1.
    pub share: f64,
}

/// The references of a table among others of its store: those that it declares, and columns called like the only key
/// column of another table.
pub fn references(table: &Table, others: &[Table]) -> Vec<Reference> {
    let same = |a: &TableName, b: &TableName| {
        a.name == b.name && !matches!((&a.schema, &b.schema), (Some(a), Some(b)) if a != b)
    };
    let mut found: Vec<Reference> = Vec::new();
    for key in &table.foreign_keys {
        let Some(parent) = others.iter().find(|other| same(&other.name, &key.parent)) else { continue };
        found.push(Reference {
            columns: key.columns.clone(),
            to: parent.name.clone(),
            key: key.parent_columns.clone(),
            declared: true,
        });
    }
    for other in others.iter().filter(|other| other.name != table.name) {
        let [key] = other.primary_key.as_slice() else { continue };
        // `id` names a row of its own table, whichever that is.
        let telling = key.len() > 2 && !key.eq_ignore_ascii_case("uuid") && !key.eq_ignore_ascii_case("code");
        let own = table.primary_key.len() == 1 && table.primary_key[0] == *key;
        let known = found.iter().any(|reference| reference.columns == [key.clone()]);
        if telling && !own && !known && table.column(key).is_some() {
            let (columns, to) = (vec![key.clone()], other.name.clone());
            found.push(Reference { columns, to, key: vec![key.clone()], declared: false });
        }
    }
    found
}

/// Counts the references of a table that lead nowhere. `name` is what the table is called in the answer.
///
/// # Errors
/// Those of the store.
pub async fn broken_references(
    store: &dyn Store,
    table: &Table,
    others: &[Table],
    name: &str,
) -> dunlin_connect::Result<Vec<ReferenceCount>> {
    let reader = store.reader().await?;
    let mut counts = Vec::new();
    for reference in references(table, others) {
        let Some(parent) = others.iter().find(|other| other.name == reference.to) else { continue };
        let (Some(from), Some(to)) = (places(table, &reference.columns), places(parent, &reference.key))
        else {
            continue;
        };
        let Some(known) = keys(reader.as_ref(), parent, &to).await? else { continue };
        let (mut rows, mut broken) = (0u64, 0u64);
        each(reader.as_ref(), table, &from, |key| {
            rows += 1;
            broken += u64::from(!known.contains(&key));
            true
        })
        .await?;
        let share = if rows == 0 { 0.0 } else { broken as f64 / rows as f64 };
        if !reference.declared && (rows == 0 || share > GUESS_BROKEN_MAX) {
            continue;
        }
        counts.push(ReferenceCount {
            table: name.to_owned(),
            columns: reference.columns,
            to: reference.to.to_string(),
            key: reference.key,
            declared: reference.declared,
            rows,
            broken,
            share,
        });
    }
    Ok(counts)
}

fn places(table: &Table, names: &[String]) -> Option<Vec<usize>> {
    names.iter().map(|name| table.index_of(name)).collect()
}

/// The keys of a table; none where they are too many to remember.
async fn keys(
    reader: &dyn Reader,
    table: &Table,
    columns: &[usize],
) -> dunlin_connect::Result<Option<HashSet<u64>>> {
    let mut known = HashSet::new();
    let all = each(reader, table, columns, |key| {
        known.insert(key);
        known.len() <= KNOWN_MAX
    })
    .await?;
    Ok(all.then_some(known))
}

/// Hands over the fingerprint of each row whose columns are all there, until `take` has enough; whether it had all.
async fn each(
    reader: &dyn Reader,
    table: &Table,
    columns: &[usize],
    mut take: impl FnMut(u64) -> bool,
) -> dunlin_connect::Result<bool> {
    let table = Arc::new(table.clone());
    for bounds in reader.splits(&table, PART_ROWS, &[]).await? {
        let read = |index: &usize| ReadColumn {
            index: *index,
            as_text: matches!(table.columns[*index].ty, ColumnType::Opaque { .. }),
        };
        let request = ReadRequest {
            columns: columns.iter().map(read).collect(),
            ..ReadRequest::all(table.clone(), bounds)
        };
        let mut stream = reader.read(request).await?;
        while let Some(batch) = stream.next().await {
            let rows = batch?.rows;
            // Numbers and texts that say the same are the same key: two tables may hold it in two types.
            let texts: Vec<Vec<Option<String>>> =
                rows.columns().iter().map(|array| array_to_text(array, &ColumnType::TEXT)).collect();
            for row in 0..rows.num_rows() {
                let values: Option<Vec<&String>> = texts.iter().map(|column| column[row].as_ref()).collect();
                let Some(values) = values else { continue };
                let join = |one: u64, text: &&String| {
                    hash(text.as_bytes()) ^ one.rotate_left(23).wrapping_mul(0x9e37_79b9_7f4a_7c15)
                };
                if !take(values.iter().fold(1, join)) {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}
