//! Opening a database file, for reading or for writing, and running statements that are not hot.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use libsqlite3_sys as ffi;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};

use super::failure::{code, sqlx_failed};
use crate::{ConnectError, Result};

/// How long a statement waits for a lock of another program.
const BUSY: Duration = Duration::from_secs(30);

/// Which database, under which name.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// The store's name in the plan.
    pub(super) store: Arc<str>,
    /// The absolute path.
    pub(super) path: PathBuf,
}

impl File {
    /// Opens it for reading; never writes to it or beside it where that can be helped. A database in WAL mode on a
    /// medium that cannot be written is opened as immutable, which is safe when there is no `-wal` file.
    pub(super) async fn read(&self) -> Result<SqliteConnection> {
        if !self.path.is_file() {
            return Err(self.missing());
        }
        let options = self.options().read_only(true);
        match self.try_read(&options).await {
            Err(error) if self.is_unwritable(&error) => {
                self.try_read(&options.immutable(true)).await.map_err(sqlx_failed(&self.store, "open it"))
            }
            result => result.map_err(sqlx_failed(&self.store, "open it")),
        }
    }

    async fn try_read(&self, options: &SqliteConnectOptions) -> sqlx::Result<SqliteConnection> {
        let mut connection = options.connect().await?;
        // Opening alone reads nothing; this finds out whether the file can be read at all.
        sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(&mut connection).await?;
        Ok(connection)
    }

    /// Whether opening failed only because nothing can be written beside the file, and what lies beside it holds
    /// nothing: a filled `-wal` or `-journal` is part of the database, which immutable mode would not see.
    fn is_unwritable(&self, error: &sqlx::Error) -> bool {
        let is_blank = |ending: &str| {
            let mut beside = self.path.clone().into_os_string();
            beside.push(ending);
            std::fs::metadata(beside).map_or(true, |m| m.len() == 0)
        };
        matches!(code(error).primary(), ffi::SQLITE_CANTOPEN | ffi::SQLITE_READONLY)
            && is_blank("-wal")
            && is_blank("-journal")
    }

    fn no_folder(&self, error: &std::io::Error) -> ConnectError {
        let (store, act) = (self.store.to_string(), "make the folder of the database".to_owned());
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                ConnectError::Full { store, what: act }
            }
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                ConnectError::Permission { store, grant: format!("chmod u+rwX (to {act})"), act }
            }
            std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::NotADirectory => ConnectError::Unreachable {
                store,
                message: "the database's path leads through something that is no folder".into(),
                help: "name a file in a folder: `sqlite:FOLDER/NAME.db`; a relative path starts from the plan's folder"
                    .into(),
            },
            kind => ConnectError::Store { store, act, code: format!("{kind:?}"), transient: false },
        }
    }

    /// Opens it for writing, and makes it where it is missing.
    pub(super) async fn write(&self) -> Result<SqliteConnection> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| self.no_folder(&e))?;
        }
        let act = "open it for writing";
        let options = self.options().create_if_missing(true).synchronous(SqliteSynchronous::Full);
        // The cache is 64 MiB: a load that keeps indexes touches pages all over the file.
        let options = options.pragma("cache_size", "-65536");
        let mut connection = options.connect().await.map_err(sqlx_failed(&self.store, act))?;
        self.to_wal(&mut connection).await?;
        Ok(connection)
    }

    /// Sets WAL mode, so that readers and the load do not wait for each other. A database that is being read cannot
    /// change its mode; then it stays as it is, which is as safe.
    async fn to_wal(&self, connection: &mut SqliteConnection) -> Result<()> {
        let act = "set its journal mode";
        self.run(connection, act, "PRAGMA busy_timeout = 500".into()).await?;
        match self.run(connection, act, "PRAGMA journal_mode = WAL".into()).await {
            Err(error) if !error.is_transient() => return Err(error),
            _ => {}
        }
        self.run(connection, act, format!("PRAGMA busy_timeout = {}", BUSY.as_millis())).await
    }

    /// Opens an existing database for writing and changes nothing about how it is kept.
    pub(super) async fn write_as_it_is(&self) -> Result<SqliteConnection> {
        self.options().connect().await.map_err(sqlx_failed(&self.store, "open it for writing"))
    }

    /// Foreign keys are never enforced while dunlin writes: tables arrive in any order, and what leads nowhere is
    /// found by query afterwards.
    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(false)
            .foreign_keys(false)
            .busy_timeout(BUSY)
            .disable_statement_logging()
    }

    fn missing(&self) -> ConnectError {
        ConnectError::Missing {
            store: self.store.to_string(),
            what: "the database file".into(),
            help: "check the store's path; a relative one starts from the plan's folder".into(),
        }
    }

    /// Runs statements of the schema or of dunlin's bookkeeping.
    pub(super) async fn run(&self, connection: &mut SqliteConnection, act: &str, sql: String) -> Result<()> {
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(connection)
            .await
            .map(|_| ())
            .map_err(sqlx_failed(&self.store, act))
    }

    /// The integer a query gives; `None` for NULL and for no row.
    pub(super) async fn int(
        &self,
        connection: &mut SqliteConnection,
        act: &str,
        sql: String,
    ) -> Result<Option<i64>> {
        let row = sqlx::query(AssertSqlSafe(sql))
            .fetch_optional(connection)
            .await
            .map_err(sqlx_failed(&self.store, act))?;
        row.map_or(Ok(None), |row| row.try_get(0)).map_err(sqlx_failed(&self.store, act))
    }
}

/// A name in SQL.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in SQL.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Names in SQL, with commas between.
pub(super) fn quote_all(names: &[String]) -> String {
    names.iter().map(|n| quote(n)).collect::<Vec<_>>().join(", ")
}
