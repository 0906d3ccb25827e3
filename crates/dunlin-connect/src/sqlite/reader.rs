//! One consistent view of a database: connections that each hold a read transaction begun before anything changed.
//!
//! A further connection, outside any transaction, watches `PRAGMA data_version`, which moves when anybody commits.
//! Transactions begun while it stands still see the same rows. When it moves while they are begun we begin again; when
//! readers are short later, more are begun only if it has still not moved, else callers wait for a free one. A source
//! in rollback-journal mode (not WAL) cannot be written by others as long as its reader lives.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Semaphore;

use super::catalog::{self, Shape};
use super::connection::{File, quote};
use super::scan::Scan;
use crate::{Bounds, ConnectError, ReadRequest, ReadStream, Reader, Result, Table};

/// Transactions begun at once.
const CONNECTIONS: usize = 4;
/// The most there may be.
const MOST: usize = 16;
/// How often we begin again while others write.
const TRIES: usize = 20;

/// One consistent view of a SQLite database.
pub(super) struct SqliteReader {
    shared: Arc<Shared>,
}

struct Shared {
    file: File,
    idle: Mutex<Vec<SqliteConnection>>,
    /// One permit an idle connection.
    free: Semaphore,
    watch: tokio::sync::Mutex<Watch>,
}

struct Watch {
    connection: SqliteConnection,
    version: Option<i64>,
    begun: usize,
}

/// A connection of the reader in use; it goes back when dropped.
pub(super) struct Lease {
    shared: Arc<Shared>,
    connection: Option<SqliteConnection>,
}

impl Lease {
    pub(super) fn store(&self) -> Arc<str> {
        Arc::clone(&self.shared.file.store)
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("a lease holds its connection until it is dropped"),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let idle = &self.shared.idle;
        idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.connection.take());
        self.shared.free.add_permits(1);
    }
}

impl SqliteReader {
    /// Opens the view.
    pub(super) async fn open(file: File) -> Result<Self> {
        let mut watch = file.read().await?;
        for _ in 0..TRIES {
            let version = data_version(&file, &mut watch).await?;
            let mut idle = Vec::new();
            for _ in 0..CONNECTIONS {
                idle.push(begin(&file).await?);
            }
            if data_version(&file, &mut watch).await? == version {
                let free = Semaphore::new(idle.len());
                let watch = Watch { connection: watch, version, begun: idle.len() };
                let shared =
                    Shared { file, idle: Mutex::new(idle), free, watch: tokio::sync::Mutex::new(watch) };
                return Ok(Self { shared: Arc::new(shared) });
            }
        }
        Err(ConnectError::Changed {
            store: file.store.to_string(),
            table: "the database".into(),
            what: "others wrote to it each time a common view was about to be taken".into(),
        })
    }

    async fn lease(&self) -> Result<Lease> {
        if let Ok(permit) = self.shared.free.try_acquire() {
            permit.forget();
            return Ok(self.idle());
        }
        if let Some(connection) = self.one_more().await? {
            return Ok(Lease { shared: Arc::clone(&self.shared), connection: Some(connection) });
        }
        match self.shared.free.acquire().await {
            Ok(permit) => permit.forget(),
            Err(_) => unreachable!("the semaphore is never closed"),
        }
        Ok(self.idle())
    }

    fn idle(&self) -> Lease {
        let connection = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Lease { shared: Arc::clone(&self.shared), connection }
    }

    async fn one_more(&self) -> Result<Option<SqliteConnection>> {
        let mut watch = self.shared.watch.lock().await;
        if watch.begun >= MOST {
            return Ok(None);
        }
        let connection = begin(&self.shared.file).await?;
        if data_version(&self.shared.file, &mut watch.connection).await? != watch.version {
            return Ok(None);
        }
        watch.begun += 1;
        Ok(Some(connection))
    }

    /// Reads the rows for which a condition over `t` holds, with their rowids.
    pub(super) async fn read_where(&self, table: Arc<Table>, condition: &str) -> Result<ReadStream> {
        let (lease, shape) = self.find(&table).await?;
        let Some(rowid) = &shape.rowid else { return Err(self.no_address(&table)) };
        let request = ReadRequest::all(table, Bounds::Whole);
        Ok(Scan::filtered(request, &shape.name, Some(rowid), condition).stream(lease))
    }

    async fn find(&self, table: &Table) -> Result<(Lease, Shape)> {
        let mut lease = self.lease().await?;
        match catalog::shape(&self.shared.file, lease.connection(), &table.name).await? {
            Some(shape) => Ok((lease, shape)),
            None => Err(ConnectError::Missing {
                store: self.shared.file.store.to_string(),
                what: format!("table {}", table.name),
                help: "check the table's name in the plan".into(),
            }),
        }
    }

    fn no_address(&self, table: &Table) -> ConnectError {
        ConnectError::Unsupported {
            store: self.shared.file.store.to_string(),
            what: format!("naming single rows of {} (a view, or a table without rowid)", table.name),
            help: "use a table with a rowid: create it without `WITHOUT ROWID`".into(),
        }
    }

    /// The keys at which a table is cut from `low` on.
    async fn borders(
        &self,
        connection: &mut SqliteConnection,
        shape: &Shape,
        rowid: &str,
        low: Option<i64>,
        rows_per_split: u64,
    ) -> Result<Vec<i64>> {
        let file = &self.shared.file;
        let act = format!("cut {} into splits", shape.name);
        let name = quote(&shape.name);
        let above = low.map(|low| format!(" WHERE {rowid} >= {low}")).unwrap_or_default();
        let ask = |what: &str| format!("SELECT {what} FROM {name}{above}");
        let count = file.int(connection, &act, ask("count(*)")).await?.unwrap_or(0).max(0).unsigned_abs();
        let first = file.int(connection, &act, ask(&format!("min({rowid})"))).await?;
        let last = file.int(connection, &act, ask(&format!("max({rowid})"))).await?;
        let (Some(first), Some(last)) = (first, last) else { return Ok(Vec::new()) };
        let splits = count.div_ceil(rows_per_split.max(1));
        if splits < 2 {
            return Ok(Vec::new());
        }
        let span = i128::from(last) - i128::from(first) + 1;
        if i128::from(count) * 2 > span {
            let border = |i: u64| (i128::from(first) + span * i128::from(i) / i128::from(splits)) as i64;
            return Ok((1..splits).map(border).collect());
        }
        // Thinly used keys: equal widths would give very unequal splits, so the table is stepped through once.
        let mut borders = Vec::new();
        let mut at = first;
        loop {
            let sql = format!(
                "SELECT {rowid} FROM {name} WHERE {rowid} >= {at} ORDER BY {rowid} LIMIT 1 OFFSET {}",
                rows_per_split.max(1)
            );
            match file.int(connection, &act, sql).await? {
                Some(next) => {
                    borders.push(next);
                    at = next;
                }
                None => return Ok(borders),
            }
        }
    }
}

#[async_trait]
impl Reader for SqliteReader {
    async fn splits(&self, table: &Table, rows_per_split: u64, previous: &[Bounds]) -> Result<Vec<Bounds>> {
        let (mut lease, shape) = self.find(table).await?;
        let Some(rowid) = &shape.rowid else { return Ok(vec![Bounds::Whole]) };
        let mut borders: Vec<i64> = previous
            .iter()
            .filter_map(|b| match b {
                Bounds::Key { column, from, .. } if column == "rowid" => *from,
                _ => None,
            })
            .collect();
        borders.sort_unstable();
        let open = borders.last().copied();
        borders.extend(self.borders(lease.connection(), &shape, rowid, open, rows_per_split).await?);
        let ends = borders.iter().copied().map(Some).chain([None]);
        let starts = [None].into_iter().chain(borders.iter().copied().map(Some));
        Ok(starts.zip(ends).map(|(from, to)| Bounds::Key { column: "rowid".into(), from, to }).collect())
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadStream> {
        let (lease, shape) = self.find(&request.table).await?;
        let name = request.table.name.clone();
        match Scan::of_bounds(request, &shape.name, shape.rowid.as_deref()) {
            Some(scan) => Ok(scan.stream(lease)),
            None => Err(ConnectError::Changed {
                store: self.shared.file.store.to_string(),
                table: name.to_string(),
                what: "its splits were cut in another way, or it has lost its rowid".into(),
            }),
        }
    }

    async fn read_addressed(&self, table: Arc<Table>) -> Result<ReadStream> {
        self.read_where(table, "").await
    }

    async fn count(&self, table: &Table) -> Result<u64> {
        let (mut lease, shape) = self.find(table).await?;
        let sql = format!("SELECT count(*) FROM {}", quote(&shape.name));
        let act = format!("count {}", shape.name);
        let count = self.shared.file.int(lease.connection(), &act, sql).await?;
        Ok(count.unwrap_or(0).max(0).unsigned_abs())
    }
}

async fn begin(file: &File) -> Result<SqliteConnection> {
    let mut connection = file.read().await?;
    file.run(&mut connection, "begin to read", "BEGIN".into()).await?;
    // A transaction takes its view at its first read, not at BEGIN.
    file.int(&mut connection, "begin to read", "SELECT count(*) FROM sqlite_schema".into()).await?;
    Ok(connection)
}

async fn data_version(file: &File, connection: &mut SqliteConnection) -> Result<Option<i64>> {
    file.int(connection, "watch for changes", "PRAGMA data_version".into()).await
}
