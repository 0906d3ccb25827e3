//! Brings the records of a store's tables to [`Records`], and their keys out of it under seal. What the columns hold is
//! told by [`detect`]; what is found out from them is in `duplicates`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use dunlin_connect::{ColumnType, ConnectError, ReadColumn, ReadRequest, Store, Table, array_to_text};
use dunlin_gate::{ColumnInfo, Rows, Sealed};
use futures::StreamExt;

use crate::duplicates::{Duplicates, FieldKind, Records};
use crate::kinds::{samples, table_kinds};

/// Kinds that say nothing about who somebody is, and are not compared unless they are named.
const NOT_COMPARED: [&str; 2] = ["credential", "free_text"];

/// Why records could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The store.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A column is not there.
    #[error("{table} has no column `{column}`; it has {}", .has.join(", "))]
    NoColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The columns there are.
        has: Vec<String>,
    },
    /// No column is left to compare.
    #[error("{table} has no column to compare besides its key; name some with `--columns`")]
    Nothing {
        /// The table.
        table: String,
    },
    /// More columns were named than are compared.
    #[error("{named} columns were named, and at most {} are compared; leave some out", Records::COLUMNS_MOST)]
    TooMany {
        /// How many were named.
        named: usize,
    },
    /// More rows than records can be numbered.
    #[error("{table} has more than 4 thousand million rows; compare a part of it")]
    TooLong {
        /// The table.
        table: String,
    },
}

/// A table and its store.
pub struct Side {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The table.
    pub table: Table,
}

/// Records that were read and are ready to be compared.
pub struct ToLink {
    records: Records,
    about: About,
}

/// Records that were compared.
pub struct Linked {
    /// What was found.
    pub found: Duplicates,
    about: About,
}

/// Where the records come from.
struct About {
    store: String,
    table: String,
    key: ColumnInfo,
    unread: u64,
}

/// Reads the key and the columns that are compared, of one table or of two between which records are sought. Without
/// `columns` all columns that both have are compared, those of persons' kinds first.
///
/// # Errors
/// A column that is not there, and those of the store.
pub async fn read_to_link(
    first: Side,
    second: Option<Side>,
    key: &str,
    columns: &[String],
) -> Result<ToLink, LinkError> {
    if columns.len() > Records::COLUMNS_MOST {
        return Err(LinkError::TooMany { named: columns.len() });
    }
    let sides: Vec<Side> = std::iter::once(first).chain(second).collect();
    for side in &sides {
        std::iter::once(key)
            .chain(columns.iter().map(String::as_str))
            .try_for_each(|c| present(&side.table, c))?;
    }
    let (chosen, key_kind) = choose(&sides, key, columns).await?;
    let table = sides[0].table.name.to_string();
    if chosen.is_empty() {
        return Err(LinkError::Nothing { table });
    }
    let key_info = ColumnInfo { name: key.to_owned(), kind: key_kind };
    let about = About { store: sides[0].store.name().to_owned(), table, key: key_info, unread: 0 };
    let mut to_link = ToLink { records: Records::new(&chosen), about };
    for (at, side) in sides.iter().enumerate() {
        if at == 1 {
            to_link.records.second_source();
        }
        to_link.read(side, key, &chosen).await?;
    }
    Ok(to_link)
}

fn present(table: &Table, column: &str) -> Result<(), LinkError> {
    match table.column(column) {
        Some(_) => Ok(()),
        None => Err(LinkError::NoColumn {
            table: table.name.to_string(),
            column: column.to_owned(),
            has: table.columns.iter().map(|c| c.name.clone()).collect(),
        }),
    }
}

/// The columns that are compared, how, and the kind of the key. Told by the first table.
async fn choose(
    sides: &[Side],
    key: &str,
    named: &[String],
) -> Result<(Vec<(String, FieldKind)>, Option<String>), LinkError> {
    let table = &sides[0].table;
    let samples = samples(sides[0].store.reader().await?.as_ref(), table).await?;
    let (mut of_persons, mut others, mut key_kind) = (Vec::new(), Vec::new(), None);
    let kinds = table_kinds(table, &samples);
    for ((column, sample), guess) in table.columns.iter().zip(&samples).zip(kinds) {
        let sample: Vec<&str> = sample.iter().flatten().map(String::as_str).collect();
        let kind = guess.map(|guess| guess.kind);
        if column.name == key {
            key_kind = kind;
            continue;
        }
        let wanted = match named {
            [] => {
                let both = sides.iter().all(|side| side.table.column(&column.name).is_some());
                both && comparable(&column.ty) && !kind.as_deref().is_some_and(|k| NOT_COMPARED.contains(&k))
            }
            named => named.contains(&column.name),
        };
        if wanted {
            let field = (column.name.clone(), FieldKind::of(kind.as_deref(), &sample));
            if kind.is_some() { of_persons.push(field) } else { others.push(field) }
        }
    }
    of_persons.append(&mut others);
    of_persons.truncate(Records::COLUMNS_MOST);
    // In the table's order: what is told first should not depend on what was recognised.
    of_persons.sort_by_key(|(name, _)| table.columns.iter().position(|c| c.name == *name));
    Ok((of_persons, key_kind))
}

fn comparable(ty: &ColumnType) -> bool {
    !matches!(ty, ColumnType::Binary | ColumnType::Json | ColumnType::Jsonb | ColumnType::Opaque { .. })
}

impl ToLink {
    /// How many records were read.
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// Compares the records. Takes its time, and all processors.
    pub fn link(self) -> Linked {
        Linked { found: self.records.link(), about: self.about }
    }

    async fn read(
        &mut self,
        side: &Side,
        key: &str,
        columns: &[(String, FieldKind)],
    ) -> Result<(), LinkError> {
        let reader = side.store.reader().await?;
        let names = std::iter::once(key).chain(columns.iter().map(|(name, _)| name.as_str()));
        let place = |name: &str| side.table.columns.iter().position(|c| c.name == name);
        let wanted: Vec<usize> = names.filter_map(place).collect();
        let table = Arc::new(side.table.clone());
        // Whole, so that a row's place is its place in the table.
        for bounds in reader.splits(&side.table, u64::MAX, &[]).await? {
            let columns = wanted
                .iter()
                .map(|index| ReadColumn { index: *index, as_text: table.columns[*index].as_text });
            let all = ReadRequest::all(table.clone(), bounds);
            let mut stream = reader.read(ReadRequest { columns: columns.collect(), ..all }).await?;
            while let Some(batch) = stream.next().await {
                let batch = batch?;
                self.about.unread += batch.bad.len() as u64;
                let types = wanted.iter().map(|index| &table.columns[*index].ty);
                let mut arrays = batch.rows.columns().iter().zip(types);
                if let Some((keys, ty)) = arrays.next() {
                    texts(keys, ty, |keys| {
                        let keys = keys.map(Option::unwrap_or_default).zip(batch.positions.iter().copied());
                        self.records.push_keys(keys);
                    });
                }
                for (at, (array, ty)) in arrays.enumerate() {
                    texts(array, ty, |values| self.records.push_values(at, values));
                }
            }
            if self.records.len() >= u32::MAX as usize {
                return Err(LinkError::TooLong { table: self.about.table.clone() });
            }
        }
        Ok(())
    }
}

/// Hands the values of a column on as texts, without copying those that are.
fn texts(array: &ArrayRef, ty: &ColumnType, take: impl FnOnce(&mut dyn Iterator<Item = Option<&str>>)) {
    match array.data_type() {
        DataType::Utf8 => take(&mut array.as_string::<i32>().iter()),
        _ => {
            let texts = array_to_text(array, ty);
            debug_assert_eq!(texts.len(), array.len());
            take(&mut texts.iter().map(Option::as_deref));
        }
    }
}

impl Linked {
    /// The table (of two, the first).
    pub fn table(&self) -> &str {
        &self.about.table
    }

    /// Rows that could not be read, and were not compared.
    pub fn unread(&self) -> u64 {
        self.about.unread
    }

    /// The keys of some records, in this order, under seal.
    pub fn seal_keys(&self, records: impl Iterator<Item = u32>) -> Sealed<Rows> {
        Sealed::seal(Rows {
            store: self.about.store.clone(),
            table: self.about.table.clone(),
            columns: vec![self.about.key.clone()],
            rows: records.map(|record| vec![Some(self.found.key(record).to_owned())]).collect(),
        })
    }
}
