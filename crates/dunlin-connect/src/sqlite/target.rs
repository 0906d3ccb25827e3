//! SQLite as a target: bookkeeping, tables, the queries that find what stands against a constraint.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::connection::{File, literal, quote};
use super::erase::Erasing;
use super::failure::{failed, sqlx_failed};
use super::load::{SqliteLoad, Writer};
use super::raw::Raw;
use super::reader::SqliteReader;
use super::{catalog, ddl, types};
use crate::store::Meant;
use crate::{
    ColumnType, ConnectError, ForeignKey, Load, LoadSpec, Reason, Receipt, Result, Table, TableName, Target,
    Unique, Violation,
};

/// SQLite's code for a statement it does not understand.
const UNKNOWN: &str = "1";

/// A database opened for writing.
pub(super) struct SqliteTarget {
    pub(super) file: File,
    /// Shared by every target of the store: SQLite has one writer at a time, so loads take turns here instead of
    /// running into each other's locks.
    pub(super) writer: Arc<Mutex<Writer>>,
}

/// The writing connection for one act; goes back when the act is done.
struct Turn {
    guard: OwnedMutexGuard<Writer>,
    connection: SqliteConnection,
}

impl SqliteTarget {
    async fn turn(&self) -> Result<Turn> {
        let mut guard = Arc::clone(&self.writer).lock_owned().await;
        let connection = match guard.take() {
            Some(connection) => connection,
            None => self.file.write().await?,
        };
        Ok(Turn { guard, connection })
    }

    async fn run(&self, act: &str, sql: String) -> Result<()> {
        let mut turn = self.turn().await?;
        self.file.run(&mut turn.connection, act, sql).await?;
        turn.done();
        Ok(())
    }

    async fn has_table(&self, connection: &mut SqliteConnection, name: &str) -> Result<bool> {
        let sql = format!(
            "SELECT count(*) FROM sqlite_schema WHERE name = {} COLLATE NOCASE AND type IN ('table', 'view')",
            literal(name)
        );
        Ok(self.file.int(connection, "read the catalog", sql).await? != Some(0))
    }

    /// Names of indexes are shared by all tables here; in other systems two schemas may use the same one.
    async fn name_is_taken(&self, index: &str, table: &str) -> Result<bool> {
        let sql = format!(
            "SELECT count(*) FROM sqlite_schema WHERE name = {} COLLATE NOCASE AND tbl_name <> {} COLLATE NOCASE",
            literal(index),
            literal(table)
        );
        let mut turn = self.turn().await?;
        let taken = self.file.int(&mut turn.connection, "read the catalog", sql).await?;
        turn.done();
        Ok(taken != Some(0))
    }

    async fn violators(
        &self,
        table: &Table,
        reason: Reason,
        named: (Option<String>, &[String]),
        condition: &str,
    ) -> Result<Violation> {
        let (name, columns) = named;
        let constraint = name.unwrap_or_else(|| format!("{}({})", table.name.name, columns.join(", ")));
        let reader = SqliteReader::open(self.file.clone()).await?;
        let rows = reader.read_where(Arc::new(table.clone()), condition).await?;
        Ok(Violation { reason, constraint, columns: columns.to_vec(), rows })
    }
}

impl Turn {
    fn done(mut self) {
        *self.guard = Some(self.connection);
    }
}

#[async_trait]
impl Target for SqliteTarget {
    async fn prepare(&self) -> Result<()> {
        let mode = match self.file.read().await {
            Ok(mut found) => journal_mode(&self.file, &mut found).await?,
            Err(ConnectError::Missing { .. }) => "delete".to_owned(),
            Err(error) => return Err(error),
        };
        let sql = format!(
            "BEGIN IMMEDIATE; \
             CREATE TABLE IF NOT EXISTS _dunlin_receipt (run TEXT NOT NULL, tbl TEXT NOT NULL, part TEXT NOT NULL, \
             body TEXT NOT NULL, PRIMARY KEY (run, tbl, part)) WITHOUT ROWID; \
             CREATE TABLE IF NOT EXISTS _dunlin_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID; \
             INSERT OR IGNORE INTO _dunlin_setting VALUES ('journal_mode', {}); \
             COMMIT",
            literal(&mode)
        );
        self.run("make the receipts", sql).await
    }

    async fn create(&self, table: &Table) -> Result<()> {
        let act = format!("create table {}", table.name);
        let mut turn = self.turn().await?;
        let exists = self.has_table(&mut turn.connection, &table.name.name).await;
        let result = match exists {
            Ok(false) => self.file.run(&mut turn.connection, &act, ddl::create_table(table)).await,
            Ok(true) => Err(ConnectError::Store {
                store: self.file.store.to_string(),
                act,
                code: "already there".into(),
                transient: false,
            }),
            Err(error) => Err(error),
        };
        turn.done();
        result
    }

    async fn drop_table(&self, table: &TableName) -> Result<()> {
        self.run(&format!("drop table {table}"), format!("DROP TABLE IF EXISTS {}", quote(&table.name))).await
    }

    fn declared(&self, ty: &ColumnType) -> Option<String> {
        Some(super::types::declared(ty))
    }

    fn nearest_type(&self, ty: &ColumnType) -> ColumnType {
        types::nearest_type(ty)
    }

    async fn before_load(&self, _tables: &[Table], _cyclic: &[ForeignKey]) -> Result<()> {
        Ok(()) // Foreign keys are off on the writing connection.
    }

    async fn begin(&self, spec: LoadSpec) -> Result<Box<dyn Load>> {
        let turn = Arc::clone(&self.writer).lock_owned().await;
        Ok(Box::new(SqliteLoad::begin(self.file.clone(), turn, spec).await?))
    }

    async fn receipts(&self, run: &str) -> Result<Vec<Receipt>> {
        let mut connection = match self.file.read().await {
            Ok(connection) => connection,
            Err(ConnectError::Missing { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        if !self.has_table(&mut connection, "_dunlin_receipt").await? {
            return Ok(Vec::new());
        }
        let sql = "SELECT run, tbl, part, body FROM _dunlin_receipt WHERE run = ?1 ORDER BY tbl, part";
        let failed = sqlx_failed(&self.file.store, "read the receipts");
        let rows = sqlx::query(sql).bind(run).fetch_all(&mut connection).await.map_err(&failed)?;
        let receipt = |row: &sqlx::sqlite::SqliteRow| {
            Ok(Receipt {
                run: row.try_get(0)?,
                table: row.try_get(1)?,
                part: row.try_get(2)?,
                body: row.try_get(3)?,
            })
        };
        rows.iter().map(receipt).collect::<sqlx::Result<_>>().map_err(&failed)
    }

    async fn unique_violators(&self, table: &Table, unique: &Unique) -> Result<Violation> {
        let mut connection = self.file.read().await?;
        let shape = catalog::shape(&self.file, &mut connection, &table.name).await?;
        let rowid = shape.and_then(|s| s.rowid).unwrap_or_else(|| "rowid".to_owned());
        let columns: Vec<String> = unique.columns.iter().map(|c| quote(c)).collect();
        let set = |prefix: &str| {
            columns.iter().map(|c| format!("{prefix}{c} IS NOT NULL")).collect::<Vec<_>>().join(" AND ")
        };
        let condition = format!(
            "{} AND t.{rowid} NOT IN (SELECT min(u.{rowid}) FROM {} AS u WHERE {} GROUP BY {})",
            set("t."),
            quote(&table.name.name),
            set("u."),
            columns.iter().map(|c| format!("u.{c}")).collect::<Vec<_>>().join(", "),
        );
        self.violators(table, Reason::Unique, (unique.name.clone(), &unique.columns), &condition).await
    }

    async fn foreign_key_violators(&self, table: &Table, key: &ForeignKey) -> Result<Violation> {
        let pairs = key.columns.iter().zip(&key.parent_columns);
        // The parent stands on the left: its collation decides, as it does in SQLite's own check.
        let equal: Vec<String> = pairs.map(|(c, p)| format!("p.{} = t.{}", quote(p), quote(c))).collect();
        let set: Vec<String> = key.columns.iter().map(|c| format!("t.{} IS NOT NULL", quote(c))).collect();
        let condition = format!(
            "{} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
            set.join(" AND "),
            quote(&key.parent.name),
            equal.join(" AND ")
        );
        self.violators(table, Reason::ForeignKey, (key.name.clone(), &key.columns), &condition).await
    }

    async fn complete(&self, table: &Table) -> Result<()> {
        for index in &table.indexes {
            let act = format!("create index {} of {}", index.name, table.name);
            let mut index = index.clone();
            if self.name_is_taken(&index.name, &table.name.name).await? {
                index.name = format!("{}_{}", table.name.name, index.name);
            }
            for sql in ddl::create_index(table, &index) {
                match self.run(&act, sql).await {
                    Ok(()) => break,
                    // A function or column that SQLite does not know. An index is no data: it is left out, and
                    // comparing the tables shows that it is missing.
                    Err(ConnectError::Store { code, .. }) if code == UNKNOWN => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    async fn connect_keys(&self, table: &Table) -> Result<()> {
        let mut turn = self.turn().await?;
        let result = self.move_counters(&mut turn.connection, table).await;
        turn.done();
        result
    }

    async fn join(&self, _run: &str, _table: &Table, _parts: &[String]) -> Result<()> {
        Ok(())
    }

    async fn finish(&self) -> Result<()> {
        let mut turn = self.turn().await?;
        let act = "remove the bookkeeping";
        let mut mode = None;
        if self.has_table(&mut turn.connection, "_dunlin_setting").await? {
            let sql = "SELECT value FROM _dunlin_setting WHERE name = 'journal_mode'";
            let found = sqlx::query_scalar(sql).fetch_optional(&mut turn.connection).await;
            mode = found.map_err(sqlx_failed(&self.file.store, act))?;
        }
        let sql = "DROP TABLE IF EXISTS _dunlin_receipt; DROP TABLE IF EXISTS _dunlin_setting";
        self.file.run(&mut turn.connection, act, sql.into()).await?;
        let mode: String = mode.unwrap_or_default();
        if matches!(mode.as_str(), "delete" | "truncate" | "persist") {
            // Fails while somebody reads, and then the database stays as safe in WAL mode as it was before.
            let _ = self.file.run(&mut turn.connection, act, format!("PRAGMA journal_mode = {mode}")).await;
        }
        // The connection is closed, not kept: the next one sets WAL again if there is more to write.
        let Turn { guard, connection } = turn;
        let closed = sqlx::Connection::close(connection).await;
        drop(guard);
        closed.map_err(sqlx_failed(&self.file.store, act))
    }

    fn store_name(&self) -> String {
        self.file.store.to_string()
    }

    async fn erase(&self, table: &Arc<Table>, positions: &[u64], meant: &Meant) -> Result<u64> {
        let act = format!("delete rows of {}", table.name);
        // As the file is kept: it may be a source, whose journal mode is not ours to choose.
        let mut connection = self.file.write_as_it_is().await?;
        let Some(shape) = catalog::shape(&self.file, &mut connection, &table.name).await? else {
            return Ok(0);
        };
        let Some(rowid) = shape.rowid else {
            return Err(ConnectError::Unsupported {
                store: self.file.store.to_string(),
                what: format!("deleting single rows of {}, which has no rowid", table.name),
                help: "delete them by hand: the table was created `WITHOUT ROWID`".into(),
            });
        };
        // What is deleted is overwritten with zeros, in the file and in the log that is folded into it.
        self.file.run(&mut connection, &act, "PRAGMA secure_delete = ON; BEGIN IMMEDIATE".into()).await?;
        // An error drops the connection, which undoes what was not committed.
        let work =
            Erasing { table: Arc::clone(table), name: shape.name, rowid, positions: positions.to_vec() };
        let (store, meant, runtime) = (Arc::clone(&self.file.store), Arc::clone(meant), Handle::current());
        let task = tokio::task::spawn_blocking(move || {
            let deleted = Raw::lock(&runtime, &mut connection)
                .map_err(|code| failed(&store, "delete rows", code))
                .and_then(|mut raw| work.run(&mut raw, &store, &meant));
            (connection, deleted)
        });
        let (mut connection, deleted) = task.await.map_err(|_| ConnectError::Store {
            store: self.file.store.to_string(),
            act: act.clone(),
            code: "the work ended early".into(),
            transient: true,
        })?;
        let deleted = deleted?;
        self.file.run(&mut connection, &act, "COMMIT".into()).await?;
        let _ = self.file.run(&mut connection, &act, "PRAGMA wal_checkpoint(TRUNCATE)".into()).await;
        sqlx::Connection::close(connection).await.map_err(sqlx_failed(&self.file.store, &act))?;
        Ok(deleted)
    }

    async fn scrub(&self, _tables: &[TableName]) -> Result<bool> {
        if !self.file.path.is_file() {
            return Ok(true);
        }
        let act = "rewrite the file without what was deleted";
        let mut turn = self.turn().await?;
        // VACUUM writes every live row anew and leaves nothing else; the log holds older pages until it is cut off.
        let sql = "PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE)";
        let done = self.file.run(&mut turn.connection, act, sql.into()).await;
        let outcome = match done {
            Ok(()) => self.log_is_empty(),
            Err(error) if error.is_transient() => Ok(false),
            Err(error) => Err(error),
        };
        turn.done();
        outcome
    }
}

impl SqliteTarget {
    /// Whether the write-ahead log is cut off: a reader may have kept it.
    fn log_is_empty(&self) -> Result<bool> {
        let mut log = self.file.path.clone().into_os_string();
        log.push("-wal");
        Ok(std::fs::metadata(log).map_or(true, |m| m.len() == 0))
    }
}

impl SqliteTarget {
    async fn move_counters(&self, connection: &mut SqliteConnection, table: &Table) -> Result<()> {
        let act = format!("set the counter of {}", table.name);
        let Some(shape) = catalog::shape(&self.file, connection, &table.name).await? else { return Ok(()) };
        // Without AUTOINCREMENT the next number is always one past the largest, and nothing is kept.
        if !shape.sql.to_ascii_uppercase().contains("AUTOINCREMENT") {
            return Ok(());
        }
        let Some(column) = &shape.rowid_column else { return Ok(()) };
        let largest = format!("SELECT max({}) FROM {}", quote(column), quote(&shape.name));
        let largest = self.file.int(connection, &act, largest).await?.unwrap_or(0);
        let source = table.sequences.iter().filter(|s| s.column.eq_ignore_ascii_case(column));
        let given = source.map(|s| s.next.saturating_sub(1)).max().unwrap_or(0).max(largest);
        let kept = catalog::counter(&self.file, connection, &shape.name).await?;
        let name = literal(&shape.name);
        let sql = match kept {
            Some(kept) if kept >= given => return Ok(()),
            Some(_) => format!("UPDATE sqlite_sequence SET seq = {given} WHERE name = {name}"),
            None => format!("INSERT INTO sqlite_sequence (name, seq) VALUES ({name}, {given})"),
        };
        self.file.run(connection, &act, sql).await
    }
}

async fn journal_mode(file: &File, connection: &mut SqliteConnection) -> Result<String> {
    sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(connection)
        .await
        .map_err(sqlx_failed(&file.store, "look at the journal mode"))
}
