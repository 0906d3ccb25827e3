//! A database opened for writing. Keys are added after the rows: [`Target::complete`] adds the primary key too, which
//! is faster than keeping it up to date row by row; so ask [`Target::unique_violators`] for it before.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;

use super::connection::Pool;
use super::{catalog, ddl, erase, load, receipts, sql, taken, violators};
use crate::store::Meant;
use crate::{
    ColumnType, ForeignKey, Load, LoadSpec, Receipt, Result, Table, TableName, Target, Unique, Violation,
    Wire,
};

/// The writing side of a store.
pub(super) struct PgTarget {
    pool: Arc<Pool>,
    /// The types this server has, asked once: [`Target::nearest_type`] cannot wait.
    types: HashSet<String>,
}

impl PgTarget {
    /// Opens it.
    pub(super) async fn open(pool: Arc<Pool>) -> Result<Self> {
        let session = pool.get().await?;
        let types = ddl::type_names(&session).await?;
        session.give_back();
        Ok(Self { pool, types })
    }
}

#[async_trait]
impl Target for PgTarget {
    async fn prepare(&self) -> Result<()> {
        let session = self.pool.get().await?;
        receipts::prepare(&session).await?;
        session.give_back();
        Ok(())
    }

    async fn create(&self, table: &Table) -> Result<()> {
        let session = self.pool.get().await?;
        ddl::create(&session, table).await?;
        session.give_back();
        Ok(())
    }

    async fn drop_table(&self, table: &TableName) -> Result<()> {
        let session = self.pool.get().await?;
        let name = ddl::home(&session, table);
        session.run(&format!("drop {name}"), &format!("DROP TABLE IF EXISTS {}", sql::table(&name))).await?;
        session.give_back();
        Ok(())
    }

    fn nearest_type(&self, ty: &ColumnType) -> ColumnType {
        match ty {
            ColumnType::Opaque { name } if !self.types.contains(name) => ColumnType::TEXT,
            // Lengths the server cannot declare.
            ColumnType::Text { max: Some(0 | 10_485_761..) } | ColumnType::Char { len: 0 | 10_485_761.. } => {
                ColumnType::TEXT
            }
            other => other.clone(),
        }
    }

    async fn before_load(&self, tables: &[Table], cyclic: &[ForeignKey]) -> Result<()> {
        let session = self.pool.get().await?;
        receipts::prepare(&session).await?;
        taken::take(&session, tables, cyclic).await?;
        session.give_back();
        Ok(())
    }

    async fn begin(&self, spec: LoadSpec) -> Result<Box<dyn Load>> {
        load::begin(self.pool.clone(), spec).await
    }

    async fn takes_wire(&self, spec: &LoadSpec, wire: &Wire) -> Result<bool> {
        load::takes_wire(&self.pool, spec, wire).await
    }

    async fn receipts(&self, run: &str) -> Result<Vec<Receipt>> {
        let session = self.pool.get().await?;
        let receipts = receipts::of_run(&session, run).await?;
        session.give_back();
        Ok(receipts)
    }

    async fn try_unique(&self, table: &Table, unique: &Unique) -> Result<bool> {
        let session = self.pool.get().await?;
        let added = ddl::try_unique(&session, table, unique).await?;
        session.give_back();
        Ok(added)
    }

    async fn unique_violators(&self, table: &Table, unique: &Unique) -> Result<Violation> {
        violators::unique(&self.pool, table, unique).await
    }

    async fn foreign_key_violators(&self, table: &Table, key: &ForeignKey) -> Result<Violation> {
        violators::foreign_key(&self.pool, table, key).await
    }

    async fn complete(&self, table: &Table) -> Result<()> {
        let session = self.pool.get().await?;
        ddl::complete(&session, table).await?;
        session.give_back();
        Ok(())
    }

    /// Also puts back what [`Target::before_load`] took away from this table.
    async fn connect_keys(&self, table: &Table) -> Result<()> {
        let session = self.pool.get().await?;
        let relation = catalog::expect_relation(&session, &table.name).await?;
        taken::put_back(&session, &relation.name).await?;
        ddl::connect_keys(&session, table).await?;
        session.give_back();
        Ok(())
    }

    async fn join(&self, _run: &str, _table: &Table, _parts: &[String]) -> Result<()> {
        Ok(())
    }

    async fn finish(&self) -> Result<()> {
        let session = self.pool.get().await?;
        session.run("remove dunlin's bookkeeping", "DROP SCHEMA IF EXISTS dunlin CASCADE").await?;
        session.give_back();
        Ok(())
    }

    fn store_name(&self) -> String {
        self.pool.config.store.clone()
    }

    async fn erase(&self, table: &Arc<Table>, positions: &[u64], meant: &Meant) -> Result<u64> {
        erase::rows(&self.pool, table, positions, meant).await
    }

    async fn scrub(&self, tables: &[TableName]) -> Result<bool> {
        let session = self.pool.get().await?;
        for table in tables {
            let Some(relation) = catalog::relation(&session, table).await? else { continue };
            // Dead tuples go only once no transaction sees them any more; that others are at work is no error.
            let sql = format!("VACUUM {}", sql::table(&relation.name));
            session.run(&format!("vacuum {}", relation.name), &sql).await?;
        }
        session.give_back();
        Ok(true)
    }
}
