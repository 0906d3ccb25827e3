//! Deleting single rows in place, by their addresses, outside of any load: no receipt, no bookkeeping.
//!
//! Not here: what a load replaces ([`super::load`]), and giving back the room (`VACUUM`, in [`super::target`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::connection::Pool;
use super::{catalog, reader, sql};
use crate::{Result, Table};

/// Rows deleted by one statement.
const ROWS: usize = 10_000;

/// Deletes the rows at these packed addresses in one transaction; gives how many there were.
pub(super) async fn rows(pool: &Arc<Pool>, table: &Table, positions: &[u64]) -> Result<u64> {
    let act = format!("delete rows of {}", table.name);
    let session = pool.get().await?;
    let Some(relation) = catalog::relation(&session, &table.name).await? else {
        session.give_back();
        return Ok(0);
    };
    let grant = format!(
        "GRANT SELECT, DELETE ON {} TO {};",
        sql::table(&relation.name),
        sql::ident(&pool.config.user)
    );
    let mut places: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    if relation.kind == 'p' {
        let oids = reader::partitions(&session, &relation).await?;
        for position in positions {
            let Some(oid) = oids.get((position >> 48) as usize) else { continue };
            let name = catalog::name_of(&session, *oid).await?;
            places.entry(sql::table(&name)).or_default().push(position & ((1 << 48) - 1));
        }
    } else {
        places.insert(sql::table(&relation.name), positions.to_vec());
    }
    session.run(&act, "BEGIN").await?;
    let mut deleted = 0;
    for (name, ctids) in places {
        let statement = format!("DELETE FROM ONLY {name} WHERE ctid = ANY($1::text[]::tid[])");
        for some in ctids.chunks(ROWS) {
            let texts: Vec<String> =
                some.iter().map(|p| format!("({},{})", (p >> 16) as u32, p & 0xffff)).collect();
            match session.execute(&statement, &[&texts]).await {
                Ok(rows) => deleted += rows,
                Err(error) => {
                    let _ = session.batch_execute("ROLLBACK").await;
                    return Err(pool.config.fail_granting(&act, &grant, &error));
                }
            }
        }
    }
    session.run(&act, "COMMIT").await?;
    session.give_back();
    Ok(deleted)
}
