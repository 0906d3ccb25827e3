//! Everything about tables, from one PostgreSQL to another: made by `pg_dump` and `pg_restore`, whose knowledge of
//! what depends on what nobody should write twice, and compared afterwards by what both catalogs say ([`describe`]).
//!
//! What the programs print is never shown or trusted: whether a thing has arrived is asked of the catalog. Owners,
//! grants, tablespaces, publications and subscriptions belong to a server and not to a table, and stay behind.

mod describe;
mod programs;
mod things;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use programs::Restored;

use super::connection::Pool;
use super::{catalog, ddl, objects, sql};
use crate::{
    ConnectError, Counter, Definable, Definition, Definitions, Result, Section, Table, TableName, Thing,
};

/// A database whose definitions are handed over or taken.
pub(super) struct PgDefinitions {
    pub(super) pool: Arc<Pool>,
}

#[async_trait]
impl Definable for PgDefinitions {
    async fn full_name(&self, name: &TableName) -> Result<TableName> {
        let session = self.pool.get().await?;
        let full = match catalog::relation(&session, name).await? {
            Some(relation) => relation.name,
            None => ddl::home(&session, name),
        };
        session.give_back();
        Ok(full)
    }

    async fn tells(&self, name: &TableName) -> Result<bool> {
        let session = self.pool.get().await?;
        let relation = catalog::relation(&session, name).await?;
        let version = session.version;
        session.give_back();
        if !relation.is_some_and(|r| matches!(r.kind, 'r' | 'p')) {
            return Ok(false);
        }
        programs::find(&self.pool.config.store, version).map(|_| true)
    }

    async fn dump(&self, tables: &[TableName], besides: &[TableName], archive: &Path) -> Result<Definitions> {
        let session = self.pool.get().await?;
        let program = programs::find(&self.pool.config.store, session.version)?;
        let set = describe::set(&session, tables, besides).await?;
        let parts = describe::parts(&session, &set.relations).await?;
        session.give_back();
        let config = self.pool.config.clone();
        let (file, excluded) = (archive.to_owned(), set.excluded.clone());
        blocking(&config.store.clone(), move || program.dump(&config, &file, &excluded)).await?;
        Ok(Definitions {
            tables: tables.to_vec(),
            views: set.views,
            filled_views: set.filled_views,
            counters: set.counters,
            parts,
            archive: archive.to_owned(),
        })
    }

    async fn restore(&self, definitions: &Definitions, section: Section, jobs: usize) -> Result<()> {
        let session = self.pool.get().await?;
        let version = session.version;
        session.give_back();
        let program = programs::find(&self.pool.config.store, version)?;
        let (config, archive) = (self.pool.config.clone(), definitions.archive.clone());
        let restored =
            blocking(&self.pool.config.store, move || program.restore(&config, &archive, section, jobs));
        match restored.await? {
            Restored::Through => Ok(()),
            Restored::Lost => {
                // A server that is away or will not have us any more says so better than the program does.
                self.pool.get().await?.give_back();
                Err(ConnectError::Store {
                    store: self.pool.config.store.clone(),
                    act: "make definitions with pg_restore".into(),
                    code: "08006".into(),
                    transient: true,
                })
            }
        }
    }

    async fn counters(&self, names: &[TableName]) -> Result<Vec<Counter>> {
        let session = self.pool.get().await?;
        let mut counters = Vec::with_capacity(names.len());
        for name in names {
            let query = format!("SELECT last_value, is_called FROM {}", sql::table(name));
            let rows = session.query(&query, &[]).await;
            let grant = format!(
                "GRANT SELECT ON SEQUENCE {} TO {};",
                sql::table(name),
                sql::ident(&session.config().user)
            );
            let rows = rows.map_err(|e| {
                session.config().fail_granting(&format!("read the counter {name}"), &grant, &e)
            })?;
            if let Some(row) = rows.first() {
                counters.push(Counter { name: name.clone(), last: row.get(0), given: row.get(1) });
            }
        }
        session.give_back();
        Ok(counters)
    }

    async fn set_counters(&self, counters: &[Counter]) -> Result<Vec<TableName>> {
        // One that was there before may be ahead, and must not give the same numbers twice.
        const SQL: &str = "SELECT CASE WHEN l.last IS NULL OR s.seqincrement > 0 AND l.last <= $3 \
                OR s.seqincrement < 0 AND l.last >= $3 \
                THEN setval(c.oid::regclass, $3, $4) ELSE l.last END \
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
            JOIN pg_sequence s ON s.seqrelid = c.oid, LATERAL (SELECT pg_sequence_last_value(c.oid) AS last) l \
            WHERE n.nspname = $1::text AND c.relname = $2::text AND c.relkind = 'S'";
        let session = self.pool.get().await?;
        let mut lost = Vec::new();
        for counter in counters {
            let schema = counter.name.schema.clone().unwrap_or_default();
            let set = session.query(SQL, &[&schema, &counter.name.name, &counter.last, &counter.given]).await;
            let grant = format!(
                "GRANT UPDATE ON SEQUENCE {} TO {};",
                sql::table(&counter.name),
                sql::ident(&session.config().user)
            );
            let act = format!("set the counter {}", counter.name);
            match set {
                Ok(rows) if rows.is_empty() => lost.push(counter.name.clone()),
                Ok(_) => {}
                // The bounds of a counter that was there before may not hold the number.
                Err(error) if error.code().is_some_and(|c| c.code() == "22003") => {
                    lost.push(counter.name.clone())
                }
                Err(error) => return Err(session.config().fail_granting(&act, &grant, &error)),
            }
        }
        session.give_back();
        Ok(lost)
    }

    async fn fill_views(&self, definitions: &Definitions) -> Result<Vec<TableName>> {
        let session = self.pool.get().await?;
        let mut open: Vec<&TableName> = definitions.filled_views.iter().collect();
        // One view may rest on another; they are filled as soon as they can be.
        loop {
            let before = open.len();
            let mut left = Vec::new();
            for view in open {
                let refresh = format!("REFRESH MATERIALIZED VIEW {}", sql::table(view));
                if session.batch_execute(&refresh).await.is_err() {
                    left.push(view);
                }
            }
            open = left;
            if open.is_empty() || open.len() == before {
                break;
            }
        }
        session.give_back();
        Ok(open.into_iter().cloned().collect())
    }

    async fn missing(&self, definitions: &Definitions) -> Result<Vec<Definition>> {
        let session = self.pool.get().await?;
        let set = describe::set(&session, &definitions.tables, &[]).await?;
        let there: BTreeSet<Definition> =
            describe::parts(&session, &set.relations).await?.into_iter().collect();
        let mut missing: Vec<Definition> =
            definitions.parts.iter().filter(|p| !there.contains(p)).cloned().collect();
        for view in &definitions.views {
            if catalog::relation(&session, view).await?.is_none() {
                let (table, what) = (view.clone(), "view".to_owned());
                missing.push(Definition { table, what, hash: String::new(), needs: None });
            }
        }
        session.give_back();
        Ok(missing)
    }

    async fn drop_tables(&self, tables: &[TableName], definitions: &Definitions) -> Result<()> {
        let session = self.pool.get().await?;
        for view in &definitions.views {
            // One that cannot go now rests under something of somebody else's; then the tables cannot go either.
            for kind in ["VIEW", "MATERIALIZED VIEW"] {
                let _ = session.batch_execute(&format!("DROP {kind} IF EXISTS {}", sql::table(view))).await;
            }
        }
        let names: Vec<String> = tables.iter().map(sql::table).collect();
        if !names.is_empty() {
            // All at once, because they may refer to each other in a circle.
            session
                .run("drop the tables of a run", &format!("DROP TABLE IF EXISTS {}", names.join(", ")))
                .await?;
        }
        session.give_back();
        Ok(())
    }

    async fn things(&self) -> Result<Vec<Thing>> {
        let session = self.pool.get().await?;
        let things = things::list(&session).await?;
        session.give_back();
        Ok(things)
    }

    async fn drop_things(&self, things: &[Thing]) -> Result<Vec<Thing>> {
        let session = self.pool.get().await?;
        let left = things::drop(&session, things).await?;
        session.give_back();
        Ok(left)
    }

    async fn objects_there(&self, objects: &[u32]) -> Result<Vec<u32>> {
        let session = self.pool.get().await?;
        let there = things::objects_there(&session, objects).await?;
        session.give_back();
        Ok(there)
    }

    async fn drop_objects(&self, objects: &[u32]) -> Result<Vec<u32>> {
        let session = self.pool.get().await?;
        let left = things::drop_objects(&session, objects).await?;
        session.give_back();
        Ok(left)
    }

    async fn objects(&self, table: &Table) -> Result<Vec<u32>> {
        objects::of_table(&self.pool, table).await
    }

    async fn pointed(&self, table: &Table) -> Result<Vec<u32>> {
        objects::pointed(&self.pool, table).await
    }

    async fn object(&self, id: u32, from: i64) -> Result<Vec<u8>> {
        objects::piece(&self.pool, id, from).await
    }

    async fn copy_object(&self, id: u32, from: &dyn Definable) -> Result<u64> {
        objects::copy(&self.pool, id, from).await
    }
}

/// Runs a program off the async threads.
async fn blocking<T: Send + 'static>(
    store: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(ConnectError::Store {
            store: store.to_owned(),
            act: "run pg_dump or pg_restore".into(),
            code: "Panicked".into(),
            transient: false,
        }),
    }
}
