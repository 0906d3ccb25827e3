//! Deleting single rows by their addresses, and asking of what went whether it was what was meant: between the look at a
//! row and its deletion somebody may have written another row to its place.
//!
//! Not here: what a load replaces ([`super::load`]), and giving back the room (`VACUUM`, in [`super::target`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalog::{self, Relation};
use super::connection::{Loan, Pool};
use super::{reader, sql};
use crate::store::{Meant, not_meant};
use crate::{Bounds, ReadRequest, Result, Table};

/// Rows deleted by one statement.
const ROWS: usize = 10_000;

/// Deletes the rows at these packed addresses in one transaction of its own; gives how many there were. Nothing is
/// deleted when one of them is not what was meant.
pub(super) async fn rows(
    pool: &Arc<Pool>,
    table: &Arc<Table>,
    positions: &[u64],
    meant: &Meant,
) -> Result<u64> {
    let act = format!("delete rows of {}", table.name);
    let session = pool.get().await?;
    let Some(relation) = catalog::relation(&session, &table.name).await? else {
        session.give_back();
        return Ok(0);
    };
    session.run(&act, "BEGIN").await?;
    match checked(&session, &relation, table, positions, meant).await {
        Ok(deleted) => {
            session.run(&act, "COMMIT").await?;
            session.give_back();
            Ok(deleted)
        }
        Err(error) => {
            if session.batch_execute("ROLLBACK").await.is_ok() {
                session.give_back();
            }
            Err(error)
        }
    }
}

/// Deletes the rows at these packed addresses in the session's transaction, and asks of each row as it was when it went
/// whether it was meant. After an error the transaction is of no more use.
pub(super) async fn checked(
    session: &Loan,
    relation: &Relation,
    table: &Arc<Table>,
    positions: &[u64],
    meant: &Meant,
) -> Result<u64> {
    let mut places: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    if relation.kind == 'p' {
        let oids = reader::partitions(session, relation).await?;
        for position in positions {
            let Some(oid) = oids.get((position >> 48) as usize) else { continue };
            let name = catalog::name_of(session, *oid).await?;
            places.entry(sql::table(&name)).or_default().push(position & ((1 << 48) - 1));
        }
    } else {
        places.insert(sql::table(&relation.name), positions.to_vec());
    }
    let request = ReadRequest::all(Arc::clone(table), Bounds::Whole);
    let columns = reader::select_list(&request);
    let mut deleted = 0;
    for (name, ctids) in places {
        for some in ctids.chunks(ROWS) {
            let texts: Vec<String> =
                some.iter().map(|p| format!("\"({},{})\"", (p >> 16) as u32, p & 0xffff)).collect();
            let (prefix, address) = reader::address(session, relation).await?;
            let query = format!(
                "DELETE FROM ONLY {name} AS t WHERE t.ctid = ANY('{{{}}}'::tid[]) RETURNING {prefix}{columns}",
                texts.join(",")
            );
            for batch in reader::drain(session, &relation.name, &query, &request, address).await? {
                if !meant(&batch) {
                    return Err(not_meant(&session.config().store, &table.name));
                }
                deleted += (batch.positions.len() + batch.bad.len()) as u64;
            }
        }
    }
    Ok(deleted)
}
