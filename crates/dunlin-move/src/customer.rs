//! Whose a row is, where another table says so: an item of an order belongs to whom the order belongs to. Dates are moved
//! customer by customer (`protect = "shift"`), so each row has to know its customer's id, over the foreign keys that the
//! source declares.
//!
//! Not here: who a customer is to requests, which goes by the target's tables (`subject::links`).

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, StringArray};
use dunlin_connect::{Store, Table, TableName};
use dunlin_plan::{Plan, Protect, TablePlan};

use crate::exec::enrich::{Lookup, MEMORY_MAX_BYTES};
use crate::settle::is_parent;
use crate::stores::{Stores, find_table};
use crate::{MoveError, Result};

/// A table on the way to the customer.
#[derive(Debug, Clone)]
pub struct Hop {
    /// The table, in the store of the rows' source.
    pub table: Arc<Table>,
    /// The column by which a row of it is named.
    pub key: usize,
    /// The column that leads on.
    pub take: usize,
}

/// How a table's rows lead to their customer.
pub(crate) struct Way {
    /// The source column that leads there.
    pub(crate) column: String,
    /// What lies between; nothing where the column is the customer's id.
    pub(crate) hops: Vec<Hop>,
}

/// The one shortest way over foreign keys from a table to the customers' table, where the plan moves dates of it customer by
/// customer and does not say itself whose its rows are.
///
/// # Errors
/// Those of the source.
pub(crate) async fn way(
    plan: &Plan,
    table: &TablePlan,
    source: &Table,
    stores: &Stores,
) -> Result<Option<Way>> {
    let shifts = table.columns.iter().any(|column| column.protect == Some(Protect::Shift));
    let Some(subject) = plan.subject.as_ref().filter(|_| shifts) else { return Ok(None) };
    let Some(root) = plan.tables.iter().find(|t| t.to == subject.table) else { return Ok(None) };
    if root.from.store != table.from.store {
        return Ok(None);
    }
    let id = match root.column(&subject.id) {
        Some(column) => column.source_column(),
        None => Some(subject.id.clone()).filter(|_| root.columns.is_empty()),
    };
    let store = stores.get(&table.from.store)?;
    let (Some(id), Some(customers)) = (id, find_table(store.as_ref(), &root.from).await?) else {
        return Ok(None);
    };
    search(store.as_ref(), source, (&customers.name, &id)).await
}

/// A table that was reached: the column of the first table, and what lies between.
struct Reached {
    /// Its name, as the key that led here has it.
    name: TableName,
    table: Arc<Table>,
    /// The column by which it was reached.
    key: String,
    column: String,
    hops: Vec<Hop>,
    /// Whether another way of the same length leads here: then nobody can tell which of both names the customer.
    many: bool,
}

/// The one shortest way to the root; none where several are equally short: who a row belongs to is then for the author
/// of the plan to say.
async fn search(store: &dyn Store, from: &Table, (root, id): (&TableName, &str)) -> Result<Option<Way>> {
    let mut seen: BTreeSet<TableName> = BTreeSet::from([from.name.clone()]);
    let mut ways: Vec<Way> = Vec::new();
    let mut level: Vec<Reached> = Vec::new();
    for (column, parent, key) in references(from) {
        if is_parent(root, parent) && key == id {
            // The same reference may be declared twice.
            if !ways.iter().any(|way| way.column == column) {
                ways.push(Way { column: column.to_owned(), hops: Vec::new() });
            }
            continue;
        }
        reach(store, &seen, &mut level, parent, key, (column, &[], false)).await?;
    }
    while ways.is_empty() && !level.is_empty() {
        seen.extend(level.iter().map(|at| at.name.clone()));
        let mut further: Vec<Reached> = Vec::new();
        for at in &level {
            for (take, parent, key) in references(&at.table) {
                let (Some(named), Some(taken)) = (at.table.index_of(&at.key), at.table.index_of(take)) else {
                    continue;
                };
                let mut hops = at.hops.clone();
                hops.push(Hop { table: at.table.clone(), key: named, take: taken });
                if is_parent(root, parent) && key == id {
                    if at.many {
                        return Ok(None);
                    }
                    if !ways.iter().any(|way| way.column == at.column && same(&way.hops, &hops)) {
                        ways.push(Way { column: at.column.clone(), hops });
                    }
                    continue;
                }
                reach(store, &seen, &mut further, parent, key, (&at.column, &hops, at.many)).await?;
            }
        }
        level = further;
    }
    Ok(if ways.len() == 1 { ways.pop() } else { None })
}

/// Whether two ways go over the same columns of the same tables.
fn same(one: &[Hop], other: &[Hop]) -> bool {
    let equal = |(a, b): (&Hop, &Hop)| (a.key, a.take) == (b.key, b.take) && a.table.name == b.table.name;
    one.len() == other.len() && one.iter().zip(other).all(equal)
}

/// Notes that a table was reached, unless a shorter way led there. A second way of the same length is only counted.
async fn reach(
    store: &dyn Store,
    seen: &BTreeSet<TableName>,
    level: &mut Vec<Reached>,
    parent: &TableName,
    key: &str,
    (column, hops, many): (&str, &[Hop], bool),
) -> Result<()> {
    if seen.contains(parent) {
        return Ok(());
    }
    if let Some(known) = level.iter_mut().find(|known| known.name == *parent) {
        known.many |= many || known.column != column || known.key != key || !same(&known.hops, hops);
        return Ok(());
    }
    if let Some(table) = store.table(parent).await.map_err(MoveError::Connect)? {
        let (name, table, hops) = (parent.clone(), Arc::new(table), hops.to_vec());
        level.push(Reached { name, table, key: key.to_owned(), column: column.to_owned(), hops, many });
    }
    Ok(())
}

/// The references of a table by one column: it, the table, and the column there.
fn references(table: &Table) -> impl Iterator<Item = (&str, &TableName, &str)> {
    table.foreign_keys.iter().filter_map(|key| {
        match (key.columns.as_slice(), key.parent_columns.as_slice()) {
            ([column], [parent]) => Some((column.as_str(), &key.parent, parent.as_str())),
            _ => None,
        }
    })
}

/// The tables on the way, read before the rows are.
#[derive(Default)]
pub struct Customers {
    hops: Vec<Lookup>,
}

impl Customers {
    /// Reads what lies between.
    ///
    /// # Errors
    /// Those of the source; a key that occurs twice.
    pub(crate) async fn read(store: &dyn Store, hops: &[Hop], scratch: &Path) -> Result<Self> {
        let mut read = Vec::with_capacity(hops.len());
        if !hops.is_empty() {
            let reader = store.reader().await?;
            for hop in hops {
                let table = hop.table.clone();
                let take = [hop.take];
                read.push(
                    Lookup::read(reader.as_ref(), table, hop.key, &take, 0, scratch, MEMORY_MAX_BYTES)
                        .await?,
                );
            }
        }
        Ok(Self { hops: read })
    }

    /// The customers' ids of rows that lead to them by these values. NULL where the way breaks off: what cannot be moved
    /// customer by customer is taken out.
    pub(crate) fn of(&self, values: StringArray) -> StringArray {
        if self.hops.is_empty() {
            return values;
        }
        let whose = |value: Option<&str>| {
            self.hops.iter().try_fold(value?.to_owned(), |at, hop| {
                hop.find(&at).ok().flatten()?.first().cloned().flatten()
            })
        };
        (0..values.len()).map(|row| whose(values.is_valid(row).then(|| values.value(row)))).collect()
    }
}
