//! One split on its way into a table: rows and receipt in one `BEGIN IMMEDIATE` transaction. A row that SQLite refuses
//! undoes its own statement only, so nothing has to be searched for.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use async_trait::async_trait;
use fail::fail_point;
use sqlx::sqlite::SqliteConnection;
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;

use super::catalog;
use super::connection::{File, quote, quote_all};
use super::encode::{Encoder, Slot};
use super::erase::Erasing;
use super::failure::{failed, named_columns, row_reason, sqlx_failed};
use super::raw::{Bind, Raw, Statement};
use crate::store::Meant;
use crate::{Committed, ConnectError, Load, LoadSpec, Reason, Receipt, Refused, Result, Table};

/// The target's one writing connection, when nobody uses it.
pub(super) type Writer = Option<SqliteConnection>;

/// How the rows of a load are written.
struct Inserts {
    file: File,
    table: String,
    rowid: Option<String>,
    sql: String,
    encoders: Vec<Encoder>,
    names: Vec<String>,
}

/// A load; see [`Load`].
pub(super) struct SqliteLoad {
    inserts: Arc<Inserts>,
    /// Held until the load ends: the next one begins only then.
    turn: OwnedMutexGuard<Writer>,
    /// Gone once the transaction is lost. Dropping it closes it, which undoes what was not committed.
    connection: Option<SqliteConnection>,
    triggers_on_delete: Vec<String>,
    written: u64,
    refused: Vec<Refused>,
}

impl SqliteLoad {
    /// Begins the transaction.
    pub(super) async fn begin(file: File, mut turn: OwnedMutexGuard<Writer>, spec: LoadSpec) -> Result<Self> {
        let mut connection = match turn.take() {
            Some(connection) => connection,
            None => file.write().await?,
        };
        file.run(&mut connection, "begin to write", "BEGIN IMMEDIATE".into()).await?;
        Self::into_table(file, turn, connection, spec).await
    }

    /// A load into a table, in the transaction that the connection is in.
    async fn into_table(
        file: File,
        turn: OwnedMutexGuard<Writer>,
        mut connection: SqliteConnection,
        spec: LoadSpec,
    ) -> Result<Self> {
        let Some(shape) = catalog::shape(&file, &mut connection, &spec.table.name).await? else {
            return Err(ConnectError::Missing {
                store: file.store.to_string(),
                what: format!("table {}", spec.table.name),
                help: "create it, or let the plan create it".into(),
            });
        };
        let on_insert = triggers(&file, &mut connection, &shape.name, "INSERT").await?;
        if !on_insert.is_empty() {
            return Err(has_triggers(&file, &shape.name, &on_insert));
        }
        let triggers_on_delete = triggers(&file, &mut connection, &shape.name, "DELETE").await?;
        let encoders: Vec<Encoder> = spec
            .columns
            .iter()
            .map(|c| {
                let column = &spec.table.columns[c.index];
                let is_rowid =
                    shape.rowid_column.as_ref().is_some_and(|r| r.eq_ignore_ascii_case(&column.name));
                Encoder::new(column, c.as_text, is_rowid)
            })
            .collect();
        let columns: Vec<String> = encoders.iter().map(|e| e.name.clone()).collect();
        let names = spec.table.columns.iter().map(|c| c.name.clone()).collect();
        let sql = insert(&shape.name, &columns);
        let inserts = Inserts { file, table: shape.name, rowid: shape.rowid, sql, encoders, names };
        Ok(Self {
            inserts: Arc::new(inserts),
            turn,
            connection: Some(connection),
            triggers_on_delete,
            written: 0,
            refused: Vec::new(),
        })
    }

    /// Runs work on the connection on a thread that may block. When it fails the transaction is given up.
    async fn blocking<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Inserts, &mut Raw<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut connection = self.take()?;
        let (runtime, inserts) = (Handle::current(), Arc::clone(&self.inserts));
        let task = tokio::task::spawn_blocking(move || {
            let result = Raw::lock(&runtime, &mut connection)
                .map_err(|code| failed(&inserts.file.store, "write", code))
                .and_then(|mut raw| work(&inserts, &mut raw));
            (connection, result)
        });
        let (connection, result) = task.await.map_err(|_| self.lost())?;
        if result.is_ok() {
            self.connection = Some(connection);
        }
        result
    }

    fn take(&mut self) -> Result<SqliteConnection> {
        self.connection.take().ok_or_else(|| self.lost())
    }

    fn lost(&self) -> ConnectError {
        ConnectError::Store {
            store: self.inserts.file.store.to_string(),
            act: format!("write {} after its transaction was lost", self.inserts.table),
            code: "rolled back".into(),
            transient: true,
        }
    }

    async fn give_back(&mut self, mut connection: SqliteConnection, last: &str) -> Result<()> {
        let act = format!("end the load of {}", self.inserts.table);
        self.inserts.file.run(&mut connection, &act, last.into()).await?;
        *self.turn = Some(connection);
        Ok(())
    }
}

fn insert(table: &str, columns: &[String]) -> String {
    // OR ABORT overrides any conflict clause of the table: each row is taken or refused, none replaces another.
    if columns.is_empty() {
        return format!("INSERT OR ABORT INTO {} DEFAULT VALUES", quote(table));
    }
    let marks = vec!["?"; columns.len()].join(", ");
    format!("INSERT OR ABORT INTO {} ({}) VALUES ({marks})", quote(table), quote_all(columns))
}

impl Inserts {
    /// Inserts every row of a batch; `first` is the ordinal of its first row.
    fn write(&self, raw: &mut Raw<'_>, batch: &RecordBatch, first: u64) -> Result<Vec<Refused>> {
        let mut statement = raw.prepare(&self.sql).map_err(|code| self.failed(code))?;
        let mut verdicts: Vec<Option<Refused>> = vec![None; batch.num_rows()];
        let mut arrays = Vec::with_capacity(self.encoders.len());
        for (encoder, array) in self.encoders.iter().zip(batch.columns()) {
            let (array, bad) = encoder.prepare(array);
            for (row, reason) in bad {
                verdicts[row].get_or_insert_with(|| refusal(row, first, reason, Some(&encoder.name)));
            }
            arrays.push(array);
        }
        let mut scratch = String::new();
        for (row, verdict) in verdicts.iter_mut().enumerate() {
            if verdict.is_none() {
                *verdict = self.write_row(&mut statement, &arrays, row, first, &mut scratch)?;
            }
        }
        Ok(verdicts.into_iter().flatten().collect())
    }

    fn write_row(
        &self,
        statement: &mut Statement<'_>,
        arrays: &[ArrayRef],
        row: usize,
        first: u64,
        scratch: &mut String,
    ) -> Result<Option<Refused>> {
        scratch.clear();
        let mut slots: Vec<Slot<'_>> = Vec::with_capacity(arrays.len());
        for (encoder, array) in self.encoders.iter().zip(arrays) {
            match encoder.slot(array.as_ref(), row, scratch) {
                Ok(slot) => slots.push(slot),
                Err(reason) => return Ok(Some(refusal(row, first, reason, Some(&encoder.name)))),
            }
        }
        let binds: Vec<Bind<'_>> = slots.iter().map(|s| s.bind(scratch)).collect();
        self.insert(statement, &binds, row, first)
    }

    fn insert(
        &self,
        statement: &mut Statement<'_>,
        binds: &[Bind<'_>],
        row: usize,
        first: u64,
    ) -> Result<Option<Refused>> {
        let Err(code) = statement.run(binds) else { return Ok(None) };
        let Some(reason) = row_reason(code) else { return Err(self.failed(code)) };
        let named = named_columns(&statement.message(), &self.table, &self.names);
        let mut refused = refusal(row, first, reason, None);
        match named.as_slice() {
            [] => {}
            [one] => refused.column = Some(one.clone()),
            many => refused.constraint = Some(format!("{}({})", self.table, many.join(", "))),
        }
        Ok(Some(refused))
    }

    fn delete(&self, raw: &mut Raw<'_>, positions: &[u64]) -> Result<u64> {
        let Some(rowid) = &self.rowid else {
            return Err(ConnectError::Unsupported {
                store: self.file.store.to_string(),
                what: format!("deleting single rows of {}, which has no rowid", self.table),
                help: "load into a table that was not created `WITHOUT ROWID`".into(),
            });
        };
        let sql = format!("DELETE FROM {} WHERE {rowid} = ?", quote(&self.table));
        let mut deleted = 0;
        for position in positions {
            raw.run(&sql, &[Bind::Int(*position as i64)]).map_err(|code| self.failed(code))?;
            deleted += raw.changes();
        }
        Ok(deleted)
    }

    fn failed(&self, code: super::raw::Code) -> ConnectError {
        failed(&self.file.store, &format!("write {}", self.table), code)
    }
}

fn refusal(row: usize, first: u64, reason: Reason, column: Option<&str>) -> Refused {
    Refused { ordinal: first + row as u64, reason, column: column.map(str::to_owned), constraint: None }
}

#[async_trait]
impl Load for SqliteLoad {
    async fn delete(&mut self, positions: &[u64]) -> Result<u64> {
        if !self.triggers_on_delete.is_empty() {
            return Err(has_triggers(&self.inserts.file, &self.inserts.table, &self.triggers_on_delete));
        }
        let positions = positions.to_vec();
        self.blocking(move |inserts, raw| inserts.delete(raw, &positions)).await
    }

    async fn delete_meant(&mut self, table: &Arc<Table>, positions: &[u64], meant: &Meant) -> Result<u64> {
        if !self.triggers_on_delete.is_empty() {
            return Err(has_triggers(&self.inserts.file, &self.inserts.table, &self.triggers_on_delete));
        }
        let Some(rowid) = self.inserts.rowid.clone() else { return self.delete(positions).await };
        let name = self.inserts.table.clone();
        let work = Erasing { table: Arc::clone(table), name, rowid, positions: positions.to_vec() };
        let meant = Arc::clone(meant);
        self.blocking(move |inserts, raw| work.run(raw, &inserts.file.store, &meant)).await
    }

    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let first = self.written;
        self.written += batch.num_rows() as u64;
        let refused = self.blocking(move |inserts, raw| inserts.write(raw, &batch, first)).await?;
        self.refused.extend(refused);
        Ok(())
    }

    async fn settle(&mut self) -> Result<Vec<Refused>> {
        Ok(std::mem::take(&mut self.refused))
    }

    async fn also(mut self: Box<Self>, receipt: &Receipt, spec: LoadSpec) -> Result<Box<dyn Load>> {
        let mut connection = self.take()?;
        let file = self.inserts.file.clone();
        write_receipt(&mut connection, &file.store, receipt).await?;
        let Self { turn, .. } = *self;
        Ok(Box::new(Self::into_table(file, turn, connection, spec).await?))
    }

    async fn commit(mut self: Box<Self>, receipt: &Receipt) -> Result<Committed> {
        let mut connection = self.take()?;
        let store = Arc::clone(&self.inserts.file.store);
        let found: Option<String> =
            sqlx::query_scalar("SELECT body FROM _dunlin_receipt WHERE run = ?1 AND tbl = ?2 AND part = ?3")
                .bind(&receipt.run)
                .bind(&receipt.table)
                .bind(&receipt.part)
                .fetch_optional(&mut connection)
                .await
                .map_err(sqlx_failed(&store, "look for the receipt"))?;
        if let Some(body) = found {
            self.give_back(connection, "ROLLBACK").await?;
            return if body == receipt.body {
                Ok(Committed::Already(receipt.clone()))
            } else {
                Err(ConnectError::ReceiptDiffers {
                    store: store.to_string(),
                    table: receipt.table.clone(),
                    part: receipt.part.clone(),
                })
            };
        }
        write_receipt(&mut connection, &store, receipt).await?;
        let injected = |at: &str| ConnectError::Store {
            store: store.to_string(),
            act: format!("{at} the commit"),
            code: "failpoint".into(),
            transient: true,
        };
        fail_point!("connect::sqlite.commit.before", |_| Err(injected("before")));
        self.give_back(connection, "COMMIT").await?;
        fail_point!("connect::sqlite.commit.after", |_| Err(injected("after")));
        let _ = injected;
        Ok(Committed::New)
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        match self.connection.take() {
            Some(connection) => self.give_back(connection, "ROLLBACK").await,
            None => Ok(()),
        }
    }
}

/// Writes the receipt of a part that has none yet.
async fn write_receipt(connection: &mut SqliteConnection, store: &str, receipt: &Receipt) -> Result<()> {
    sqlx::query("INSERT INTO _dunlin_receipt (run, tbl, part, body) VALUES (?1, ?2, ?3, ?4)")
        .bind(&receipt.run)
        .bind(&receipt.table)
        .bind(&receipt.part)
        .bind(&receipt.body)
        .execute(connection)
        .await
        .map_err(sqlx_failed(store, "write the receipt"))?;
    Ok(())
}

/// The triggers of a table that fire on this event.
async fn triggers(
    file: &File,
    connection: &mut SqliteConnection,
    table: &str,
    event: &str,
) -> Result<Vec<String>> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE ORDER BY name",
    )
    .bind(table)
    .fetch_all(connection)
    .await
    .map_err(sqlx_failed(&file.store, "look for triggers"))?;
    Ok(rows.into_iter().filter(|(_, sql)| fires_on(sql, event)).map(|(name, _)| name).collect())
}

/// Whether a `CREATE TRIGGER` statement names this event before its body.
fn fires_on(sql: &str, event: &str) -> bool {
    let head = sql.to_ascii_uppercase();
    let head = head.split("BEGIN").next().unwrap_or_default();
    head.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == event)
}

fn has_triggers(file: &File, table: &str, names: &[String]) -> ConnectError {
    ConnectError::Unsupported {
        store: file.store.to_string(),
        what: format!("loading {table} through its triggers ({})", names.join(", ")),
        help: "drop these triggers for the move and create them again after it".into(),
    }
}
