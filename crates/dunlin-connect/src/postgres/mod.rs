//! PostgreSQL 12 and newer, as source and target.
//!
//! Reading: every read of a [`PgReader`](reader::PgReader) sees one exported snapshot and arrives by binary COPY,
//! decoded straight into Arrow. A table is cut by its integer key, else by blocks. Rows that a policy would hide, and
//! tables rewritten under the snapshot, are errors.
//!
//! Writing: a load is one transaction on one connection, by binary COPY, with the receipt in it. Keys and indexes
//! come after the rows. The owner's triggers do not fire during a load into tables that were there before: they are
//! disabled, noted in `dunlin.taken`, and enabled again when keys are connected.
//!
//! Types: what dunlin has no word for travels in its binary form; where that holds object numbers of its own database
//! (arrays of enums, composites, `regclass`), as text.
//!
//! Definitions: between two databases of this system everything about a table moves by `pg_dump` and `pg_restore`
//! ([`definition`]). Where those programs are not, and from other systems, what [`Table`] has words for.
//!
//! What is not here: replication, anything that needs a superuser, owners and grants.

mod activity;
mod catalog;
mod cells;
#[cfg(test)]
mod codec_tests;
mod columns;
mod config;
mod connection;
mod ddl;
mod decode;
mod definition;
mod encode;
mod erase;
mod failure;
mod framing;
mod index;
mod load;
mod numeric;
mod objects;
mod pending;
mod probe;
mod reader;
mod receipts;
mod select;
mod splits;
mod sql;
mod taken;
mod target;
mod tls;
mod types;
mod violators;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;

use self::config::Config;
use self::connection::Pool;
use crate::{
    Activity, OpenOptions, Probe, Reader, Result, Store, System, Table, TableName, Target, TextRows,
};

/// Decodes a binary COPY of one column of each type from any bytes, for fuzzing: the rows that were read, or nothing
/// when the stream is broken. Never a part of the store's own work.
#[doc(hidden)]
pub fn decode_any(bytes: &[u8]) -> Option<usize> {
    use crate::{Bounds, Column, ColumnType, ReadRequest};
    let types = [
        ColumnType::Bool,
        ColumnType::Int32,
        ColumnType::Float64,
        ColumnType::Decimal { precision: 20, scale: 3 },
        ColumnType::Numeric,
        ColumnType::TEXT,
        ColumnType::Jsonb,
        ColumnType::Uuid,
        ColumnType::Date,
        ColumnType::Time,
        ColumnType::TimestampTz,
    ];
    let columns = types.iter().enumerate().map(|(n, ty)| Column::new(format!("c{n}"), ty.clone()));
    let table = Table::new(TableName::bare("any"), columns.collect());
    let request = ReadRequest::all(Arc::new(table), Bounds::Whole);
    let wire: Vec<_> = types.into_iter().map(|ty| (ty, false)).collect();
    let mut decoder = decode::Decoder::new(request.schema(), &wire, decode::Address::Ordinal, 64);
    let mut rows = 0;
    // In two pieces, as a server may send it.
    let (first, last) = bytes.split_at(bytes.len() / 2);
    for piece in [first, last] {
        decoder.push(piece).ok()?;
        while decoder.is_full() {
            rows += decoder.take().ok()?.rows.num_rows();
            decoder.resume().ok()?;
        }
    }
    if !decoder.is_empty() {
        rows += decoder.take().ok()?.rows.num_rows();
    }
    decoder.is_finished().then_some(rows)
}

/// How a server is reached, by its URL.
pub(crate) fn reach(url: &str, options: &OpenOptions) -> crate::Reach {
    Config::parse("", url, options).map_or(crate::Reach::Unknown, |config| config.reach())
}

/// A PostgreSQL database.
struct PgStore {
    pool: Arc<Pool>,
}

/// Opens it: connects once, so that a wrong password is told now.
///
/// # Errors
/// As [`crate::open`].
pub async fn open(name: &str, url: &str, options: &OpenOptions) -> Result<Arc<dyn Store>> {
    let pool = Arc::new(Pool::new(Config::parse(name, url, options)?));
    pool.get().await?.give_back();
    Ok(Arc::new(PgStore { pool }))
}

#[async_trait]
impl Store for PgStore {
    fn system(&self) -> System {
        System::Postgres
    }

    fn name(&self) -> &str {
        &self.pool.config.store
    }

    /// `postgresql:<system identifier>/<database>`. Where the server does not tell its identifier (some hosted ones),
    /// its address and the database's object number stand in: weaker, because a restored copy may have both.
    async fn identity(&self) -> Result<String> {
        let session = self.pool.get().await?;
        let id = match session.query_one("SELECT system_identifier::text FROM pg_control_system()", &[]).await
        {
            Ok(row) => row.get::<_, String>(0),
            Err(error) if error.as_db_error().is_some() => {
                const WEAK: &str = "SELECT coalesce(host(inet_server_addr()), 'local') || ':' || \
                    coalesce(inet_server_port(), 0) || ':' || oid FROM pg_database \
                    WHERE datname = current_database()";
                let rows = catalog::query(&session, WEAK, &[]).await?;
                rows.first().map(|r| r.get(0)).ok_or_else(|| self.pool.config.broken("read the identity"))?
            }
            Err(error) => return Err(self.pool.config.fail("read the identity", &error)),
        };
        let rows = catalog::query(&session, "SELECT current_database()::text", &[]).await?;
        let database: String = rows.first().map(|r| r.get(0)).unwrap_or_default();
        session.give_back();
        Ok(format!("postgresql:{id}/{database}"))
    }

    async fn tables(&self) -> Result<Vec<TableName>> {
        let session = self.pool.get().await?;
        let tables = catalog::tables(&session).await?;
        session.give_back();
        Ok(tables)
    }

    async fn table(&self, name: &TableName) -> Result<Option<Table>> {
        let session = self.pool.get().await?;
        let table = match catalog::relation(&session, name).await? {
            Some(relation) => Some(catalog::table(&session, &relation).await?),
            None => None,
        };
        session.give_back();
        Ok(table)
    }

    async fn reader(&self) -> Result<Arc<dyn Reader>> {
        Ok(Arc::new(reader::PgReader::open(self.pool.clone()).await?))
    }

    async fn target(&self) -> Result<Arc<dyn Target>> {
        Ok(Arc::new(target::PgTarget::open(self.pool.clone()).await?))
    }

    async fn probe(&self, tables: &[TableName], write: bool) -> Vec<Probe> {
        probe::run(&self.pool, tables, write).await
    }

    async fn select(&self, sql: String, columns: usize) -> Result<TextRows> {
        select::rows(self.pool.get().await?, sql, columns).await
    }

    fn definable(&self) -> Option<Arc<dyn crate::Definable>> {
        Some(Arc::new(definition::PgDefinitions { pool: self.pool.clone() }))
    }

    async fn replication_lag(&self) -> Result<Option<std::time::Duration>> {
        let session = self.pool.get().await?;
        let lag = activity::lag(&session).await?;
        session.give_back();
        Ok(lag)
    }

    async fn activity(&self) -> Result<Activity> {
        let session = self.pool.get().await?;
        let name = self.pool.config.driver.get_application_name().unwrap_or_default();
        let connections = activity::connections(&session, name).await?;
        session.give_back();
        Ok(Activity::Connections(connections))
    }
}
