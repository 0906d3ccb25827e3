//! The state database: opening it, and the transaction that makes a change and its ledger entry one.
//!
//! Not here: the queries of each subject (`runs`, `splits`, `quarantine`, `memory`).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dunlin_ledger::{Actor, Body, Entry, point};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::db;
use crate::group::{self, Group};
use crate::{StoreError, now_us, schema};

/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(60);

/// dunlin's own state. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct State {
    pub(crate) pool: SqlitePool,
    /// Writers of this process queue here, fairly, instead of polling SQLite's lock.
    writer: Arc<Mutex<()>>,
    /// Entries that stand alone and wait for their transaction.
    pub(crate) group: Arc<Group>,
}

/// A transaction on the state, to which ledger entries are added. Dropped without [`Tx::commit`], nothing of
/// it happened. One at a time: a task that holds one must not begin another.
pub struct Tx {
    inner: Transaction<'static, Sqlite>,
    _writer: OwnedMutexGuard<()>,
}

impl State {
    /// Opens the database file, making it or bringing it to the newest schema.
    pub async fn open(file: &Path) -> Result<State, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE);
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await
            .map_err(db("opening the database"))?;
        let state = State { pool, writer: Arc::default(), group: Arc::default() };
        let mut tx = state.begin().await?;
        schema::migrate(&mut tx.inner).await?;
        tx.commit().await?;
        Ok(state)
    }

    /// Begins a write transaction, waiting for other writers.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let waiting = tokio::time::timeout(PATIENCE, self.writer.clone().lock_owned());
        let guard = waiting.await.map_err(|_| StoreError::Busy)?;
        let inner = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(db("beginning a transaction"))?;
        Ok(Tx { inner, _writer: guard })
    }

    /// Enters one entry on its own; when this returns it is durable. Entries of tasks that do so at the same time share
    /// a transaction. Like [`State::begin`], not to be called by a task that holds a [`Tx`].
    pub async fn enter(&self, actor: Actor, body: Body) -> Result<(), StoreError> {
        group::enter(self, fit(&Entry { at: now_us(), actor, body })?).await
    }

    /// Ledger entries so far, integrated or queued.
    pub async fn ledger_size(&self) -> Result<u64, StoreError> {
        let failed = db("reading the ledger's head");
        let row =
            sqlx::query("select next_index from ledger_head").fetch_one(&self.pool).await.map_err(&failed)?;
        Ok(row.try_get::<i64, _>(0).map_err(&failed)? as u64)
    }

    /// Up to `limit` queued entries from index `from` on, with their indexes.
    pub(crate) async fn queued(&self, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let failed = db("reading the ledger's queue");
        let rows = sqlx::query("select idx, entry from ledger_queue where idx >= $1 order by idx limit $2")
            .bind(from as i64)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        let read = |row: &sqlx::sqlite::SqliteRow| Ok((row.try_get::<i64, _>(0)? as u64, row.try_get(1)?));
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }

    /// The connections, for reading. Writes go through [`State::begin`], so that each carries its entry.
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Closes the connections, so that the WAL is folded into the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// The bytes of an entry that may stand in the ledger.
fn fit(entry: &Entry) -> Result<Vec<u8>, StoreError> {
    let bytes = entry.to_bytes()?;
    if bytes.len() > dunlin_ledger::MAX_ENTRY_BYTES {
        return Err(dunlin_ledger::LogError::TooLong(bytes.len()).into());
    }
    Ok(bytes)
}

impl Tx {
    /// Adds an entry to the ledger's queue: durable with this transaction, or not at all.
    pub async fn enter(&mut self, entry: Entry) -> Result<(), StoreError> {
        let bytes = fit(&entry)?;
        let failed = db("queueing a ledger entry");
        let row = sqlx::query("update ledger_head set next_index = next_index + 1 returning next_index - 1")
            .fetch_one(self.connection())
            .await
            .map_err(&failed)?;
        let index: i64 = row.try_get(0).map_err(&failed)?;
        sqlx::query("insert into ledger_queue (idx, entry) values ($1, $2)")
            .bind(index)
            .bind(bytes)
            .execute(self.connection())
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Makes everything in this transaction durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        let stopped = |_| StoreError::Database { doing: "committing", code: "failpoint".to_owned() };
        point("store::commit.before").map_err(stopped)?;
        self.inner.commit().await.map_err(db("committing"))?;
        point("store::commit.after").map_err(stopped)
    }

    /// Takes everything in this transaction back. Dropping does the same, later.
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.inner.rollback().await.map_err(db("rolling back"))
    }

    /// The connection that this transaction holds, for the queries of crates above this one.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.inner
    }
}
