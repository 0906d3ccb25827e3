//! Large objects: what columns of type `oid` point to. They lie outside of every table and of its snapshot, so they are
//! copied after the rows, each under the number that the rows know it by.

use std::sync::Arc;

use super::connection::{Loan, Pool};
use super::{catalog, sql};
use crate::{ColumnType, ConnectError, Definable, Result, Table};

/// Bytes of one piece.
const PIECE: i32 = 1 << 20;

/// The large objects that a table's columns point to.
pub(super) async fn of_table(pool: &Arc<Pool>, table: &Table) -> Result<Vec<u32>> {
    let columns: Vec<&crate::Column> = table.columns.iter().filter(|c| is_pointing(c)).collect();
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let session = pool.get().await?;
    let relation = catalog::expect_relation(&session, &table.name).await?;
    let mut found = Vec::new();
    for column in columns {
        let query = format!(
            "SELECT m.oid FROM pg_largeobject_metadata m WHERE EXISTS (SELECT FROM {} t WHERE t.{} = m.oid) ORDER BY 1",
            relation.source(),
            sql::ident(&column.name)
        );
        let rows = session.query(&query, &[]).await;
        let rows = rows
            .map_err(|e| session.config().fail(&format!("find the large objects of {}", table.name), &e))?;
        found.extend(rows.iter().map(|r| r.get::<_, u32>(0)));
    }
    session.give_back();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The numbers in a table's columns that may point to large objects, sorted.
pub(super) async fn pointed(pool: &Arc<Pool>, table: &Table) -> Result<Vec<u32>> {
    let session = pool.get().await?;
    let mut found = Vec::new();
    if let Some(relation) = catalog::relation(&session, &table.name).await? {
        for column in table.columns.iter().filter(|c| is_pointing(c)) {
            let name = sql::ident(&column.name);
            let query = format!("SELECT DISTINCT t.{name} FROM {} t WHERE t.{name} <> 0", relation.source());
            let rows = session.query(&query, &[]).await;
            let act = format!("find the large objects of {}", table.name);
            let rows = rows.map_err(|e| session.config().fail(&act, &e))?;
            found.extend(rows.iter().map(|r| r.get::<_, u32>(0)));
        }
    }
    session.give_back();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn is_pointing(column: &crate::Column) -> bool {
    matches!(&column.ty, ColumnType::Opaque { name } if name == "oid")
}

/// A piece of a large object; empty behind its end.
pub(super) async fn piece(pool: &Arc<Pool>, id: u32, from: i64) -> Result<Vec<u8>> {
    let session = pool.get().await?;
    let bytes = read(&session, id, from).await?;
    session.give_back();
    Ok(bytes)
}

async fn read(session: &Loan, id: u32, from: i64) -> Result<Vec<u8>> {
    let grant = format!("GRANT SELECT ON LARGE OBJECT {id} TO {};", sql::ident(&session.config().user));
    let row = session.query_one("SELECT lo_get($1, $2, $3)", &[&id, &from, &PIECE]).await;
    Ok(row
        .map_err(|e| session.config().fail_granting(&format!("read large object {id}"), &grant, &e))?
        .get(0))
}

/// Copies a large object in one transaction, then reads it again. One that is there with the same content is left.
pub(super) async fn copy(pool: &Arc<Pool>, id: u32, from: &dyn Definable) -> Result<u64> {
    let session = pool.get().await?;
    let act = format!("write large object {id}");
    session.run(&act, "BEGIN").await?;
    const THERE: &str = "SELECT EXISTS (SELECT FROM pg_largeobject_metadata WHERE oid = $1)";
    let there: bool = session.query_one(THERE, &[&id]).await.map_err(|e| pool.config.fail(&act, &e))?.get(0);
    if !there {
        session.query_one("SELECT lo_create($1)", &[&id]).await.map_err(|e| pool.config.fail(&act, &e))?;
    }
    let mut wanted = blake3::Hasher::new();
    let mut at = 0i64;
    loop {
        let bytes = from.object(id, at).await?;
        if bytes.is_empty() {
            break;
        }
        wanted.update(&bytes);
        if !there {
            let put = session.execute("SELECT lo_put($1, $2, $3)", &[&id, &at, &bytes]).await;
            put.map_err(|e| pool.config.fail(&act, &e))?;
        }
        at += bytes.len() as i64;
    }
    let mut written = blake3::Hasher::new();
    let mut seen = 0i64;
    loop {
        let bytes = read(&session, id, seen).await?;
        if bytes.is_empty() {
            break;
        }
        written.update(&bytes);
        seen += bytes.len() as i64;
    }
    if wanted.finalize() != written.finalize() {
        return Err(ConnectError::Unsupported {
            store: pool.config.store.clone(),
            what: format!("large object {id} under a number that another one has already"),
            help: "move into a database without large objects, or remove the one that is in the way".into(),
        });
    }
    session.run(&act, "COMMIT").await?;
    session.give_back();
    Ok(at.unsigned_abs())
}
