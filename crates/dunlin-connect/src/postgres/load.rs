//! One split on its way in: one transaction on one connection, rows by binary COPY, the receipt last.
//!
//! Rows are sent as they come and settled under a savepoint. When the server refuses some, the chunk is taken back
//! and sent again in parts until the refused rows stand alone. A column that must pass through the server's own input
//! routine goes by way of a temporary table.

use std::collections::BTreeMap;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use arrow::array::{Array, BinaryArray, RecordBatch};
use async_trait::async_trait;
use bytes::Bytes;
use futures::SinkExt;
use tokio_postgres::{CopyInSink, Error, Statement};

use super::catalog::{self, Relation};
use super::columns::{plan, stage};
use super::connection::{Loan, Pool};
use super::encode::Encoder;
use super::failure::{copy_column, copy_line, row_reason};
use super::framing::SIGNATURE;
use super::pending::Pending;
use super::{erase, reader, receipts, sql};
use crate::store::Meant;
use crate::{
    ColumnType, Committed, ConnectError, Load, LoadSpec, Reason, Receipt, Refused, Result, System, Table,
    Wire,
};

/// Rows deleted by one statement.
const DELETE_ROWS: usize = 10_000;
/// Below this many rows a failing part is tried row by row.
const SINGLES: usize = 8;

/// A load under way.
pub(super) struct PgLoad {
    pool: Arc<Pool>,
    session: Loan,
    relation: Relation,
    types: Vec<(ColumnType, bool)>,
    names: Vec<String>,
    copy: Statement,
    /// Moves rows from the temporary table to where they belong.
    insert: Option<String>,
    pending: Pending,
    sink: Option<Pin<Box<CopyInSink<Bytes>>>>,
    refused: Vec<Refused>,
    next_ordinal: u64,
    act: String,
}

/// Starts a load.
pub(super) async fn begin(pool: Arc<Pool>, spec: LoadSpec) -> Result<Box<dyn Load>> {
    let act = format!("write {}", spec.table.name);
    let session = pool.get().await?;
    // Under the path of the session, so that types have their names in full as they have in the table's description.
    let relation = catalog::expect_relation(&session, &spec.table.name).await?;
    let wires = catalog::wires(&session, relation.oid).await?;
    // Checks and functions of the table may rely on the search path; deferred constraints must speak while the
    // rows are at hand.
    let mut begin = "BEGIN; SET CONSTRAINTS ALL IMMEDIATE".to_owned();
    if !session.path.is_empty() {
        begin.push_str(&format!("; SET LOCAL search_path = {}", sql::idents(&session.path)));
    }
    session.run(&act, &begin).await?;
    into_relation(pool, session, relation, wires, &spec, act).await
}

/// A load into a table, in the transaction that the session is in.
async fn into_relation(
    pool: Arc<Pool>,
    session: Loan,
    relation: Relation,
    wires: Vec<catalog::Wire>,
    spec: &LoadSpec,
    act: String,
) -> Result<Box<dyn Load>> {
    let mut columns = Vec::new();
    for column in &spec.columns {
        columns.push(plan(&pool, spec, column, &wires)?);
    }
    let insert = stage(&session, &act, &relation, &columns).await?;
    let into = if insert.is_some() { "pg_temp.dunlin_stage".to_owned() } else { sql::table(&relation.name) };
    let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    // A table without columns, or with computed ones alone, is named without a list.
    let list = if names.is_empty() { String::new() } else { format!(" ({})", sql::idents(&names)) };
    let text = format!("COPY {into}{list} FROM STDIN (FORMAT binary)");
    let copy = session.prepare(&text).await.map_err(|e| pool.config.fail(&act, &e))?;
    Ok(Box::new(PgLoad {
        types: columns.iter().map(|c| (c.ty.clone(), c.as_text)).collect(),
        pool,
        session,
        relation,
        names,
        copy,
        insert,
        pending: Pending::default(),
        sink: None,
        refused: Vec::new(),
        next_ordinal: 0,
        act,
    }))
}

/// Whether rows in this form are what such a load would write, so that nothing has to be decoded or checked.
pub(super) async fn takes_wire(pool: &Arc<Pool>, spec: &LoadSpec, wire: &Wire) -> Result<bool> {
    if wire.system != System::Postgres || wire.types.len() != spec.columns.len() {
        return Ok(false);
    }
    let session = pool.get().await?;
    let relation = catalog::expect_relation(&session, &spec.table.name).await?;
    let wires = catalog::wires(&session, relation.oid).await?;
    session.give_back();
    for (column, arrives) in spec.columns.iter().zip(&wire.types) {
        let planned = plan(pool, spec, column, &wires)?;
        // Text into a column of text, or by way of the temporary table through the server's own input routine.
        let text = matches!(arrives, ColumnType::Text { .. }) && planned.ty == ColumnType::TEXT;
        if !(text || planned.cast.is_none() && planned.ty == *arrives) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl PgLoad {
    fn fail(&self, error: &Error) -> ConnectError {
        let grant = format!(
            "GRANT SELECT, INSERT, DELETE ON {} TO {};",
            sql::table(&self.relation.name),
            sql::ident(&self.pool.config.user)
        );
        self.pool.config.fail_granting(&self.act, &grant, error)
    }

    /// Opens a COPY under a savepoint.
    async fn open(&self) -> Result<Pin<Box<CopyInSink<Bytes>>>> {
        self.session.run(&self.act, "SAVEPOINT dunlin").await?;
        let sink = self.session.copy_in::<_, Bytes>(&self.copy).await.map_err(|e| self.fail(&e))?;
        let mut sink = Box::pin(sink);
        let mut header = SIGNATURE.to_vec();
        header.extend_from_slice(&[0; 8]);
        sink.feed(header.into()).await.map_err(|e| self.fail(&e))?;
        Ok(sink)
    }

    /// Ends a COPY. The rows are in the transaction, or the savepoint is as before and the error is a row's.
    async fn close(&self, mut sink: Pin<Box<CopyInSink<Bytes>>>) -> Result<Result<(), Error>> {
        let mut outcome = sink.feed(Bytes::from_static(&[0xff, 0xff])).await;
        if outcome.is_ok() {
            outcome = sink.as_mut().finish().await.map(|_| ());
        }
        drop(sink);
        if outcome.is_ok()
            && let Some(insert) = &self.insert
        {
            outcome = self.session.batch_execute(insert).await;
        }
        match outcome {
            Ok(()) => {
                self.session.run(&self.act, "RELEASE SAVEPOINT dunlin").await?;
                Ok(Ok(()))
            }
            Err(error) if error.as_db_error().and_then(row_reason).is_some() => {
                self.session.run(&self.act, "ROLLBACK TO SAVEPOINT dunlin; RELEASE SAVEPOINT dunlin").await?;
                Ok(Err(error))
            }
            Err(error) => Err(self.fail(&error)),
        }
    }

    async fn send_frames(&mut self, all: bool) -> Result<()> {
        while let Some(frame) = self.pending.frame(all) {
            if self.sink.is_none() {
                self.sink = Some(self.open().await?);
            }
            if let Some(sink) = &mut self.sink
                && let Err(error) = sink.feed(frame).await
            {
                // Only a lost connection ends a COPY from our side; what the server says comes at its end.
                return Err(self.fail(&error));
            }
        }
        Ok(())
    }

    /// Sends some rows as a COPY of their own.
    async fn try_rows(&self, range: Range<usize>) -> Result<Result<(), Error>> {
        let mut sink = self.open().await?;
        for slice in self.pending.slices(range) {
            sink.feed(slice).await.map_err(|e| self.fail(&e))?;
        }
        self.close(sink).await
    }

    /// Finds the refused rows after a chunk failed: sends parts that grow while they pass and shrink when they fail.
    async fn find_refused(&mut self, first: Error) -> Result<()> {
        let total = self.pending.len();
        let mut at = 0;
        let mut window = shrink(total, &first);
        let mut passed = SINGLES;
        while at < total {
            let end = (at + window).min(total);
            match self.try_rows(at..end).await? {
                Ok(()) => {
                    passed = (end - at).max(SINGLES);
                    at = end;
                    window = passed * 2;
                }
                Err(error) if end - at == 1 => {
                    self.refuse(at, &error);
                    at = end;
                    window = passed;
                }
                Err(error) => {
                    window = shrink(end - at, &error);
                    if window < SINGLES && copy_hint(&error).is_none() {
                        window = 1;
                        passed = SINGLES;
                    }
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, row: usize, error: &Error) {
        let Some(db) = error.as_db_error() else { return };
        self.refused.push(Refused {
            ordinal: self.pending.ordinal(row),
            reason: row_reason(db).unwrap_or(Reason::Refused),
            column: copy_column(db, &self.names).map(str::to_owned),
            constraint: db.constraint().map(str::to_owned),
        });
    }

    async fn delete_from(&self, relation: &str, ctids: &[u64]) -> Result<u64> {
        let statement = format!("DELETE FROM ONLY {relation} WHERE ctid = ANY($1::text[]::tid[])");
        let mut deleted = 0;
        for some in ctids.chunks(DELETE_ROWS) {
            let texts: Vec<String> =
                some.iter().map(|p| format!("({},{})", (p >> 16) as u32, p & 0xffff)).collect();
            deleted += self.session.execute(&statement, &[&texts]).await.map_err(|e| self.fail(&e))?;
        }
        Ok(deleted)
    }
}

/// The row the server pointed at, counted from 1.
fn copy_hint(error: &Error) -> Option<usize> {
    error.as_db_error().and_then(copy_line)
}

/// The next part to try after `len` rows failed: up to the row the server pointed at, else half.
fn shrink(len: usize, error: &Error) -> usize {
    match copy_hint(error) {
        Some(line) if line > 1 && line <= len => line - 1,
        Some(1) => 1,
        _ => (len / 2).max(1),
    }
}

#[async_trait]
impl Load for PgLoad {
    async fn delete(&mut self, positions: &[u64]) -> Result<u64> {
        if self.relation.kind != 'p' {
            return self.delete_from(&sql::table(&self.relation.name), positions).await;
        }
        let oids = reader::partitions(&self.session, &self.relation).await?;
        let mut by_partition: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for position in positions {
            let partition = (position >> 48) as usize;
            by_partition.entry(partition).or_default().push(position & ((1 << 48) - 1));
        }
        let mut deleted = 0;
        for (partition, ctids) in by_partition {
            let Some(oid) = oids.get(partition) else { continue };
            let name = catalog::name_of(&self.session, *oid).await?;
            deleted += self.delete_from(&sql::table(&name), &ctids).await?;
        }
        Ok(deleted)
    }

    async fn delete_meant(&mut self, table: &Arc<Table>, positions: &[u64], meant: &Meant) -> Result<u64> {
        erase::checked(&self.session, &self.relation, table, positions, meant).await
    }

    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let mismatch = || ConnectError::Unsupported {
            store: self.pool.config.store.clone(),
            what: format!("a batch whose columns are not those of the load into {}", self.relation.name),
            help: "this is a fault of dunlin: please report it".into(),
        };
        let encoder = Encoder::new(&batch, &self.types).map_err(|_| mismatch())?;
        for row in 0..batch.num_rows() {
            let ordinal = self.next_ordinal;
            self.next_ordinal += 1;
            let buffer = self.pending.buffer();
            let start = buffer.len();
            match encoder.row(row, buffer) {
                Ok(()) => self.pending.push(start, ordinal),
                Err((column, reason)) => self.refused.push(Refused {
                    ordinal,
                    reason,
                    column: Some(self.names[column].clone()),
                    constraint: None,
                }),
            }
            if self.pending.is_full() {
                self.send_frames(false).await?;
            }
        }
        Ok(())
    }

    async fn write_wire(&mut self, rows: BinaryArray) -> Result<()> {
        self.pending.take_over(&rows, self.next_ordinal);
        self.next_ordinal += rows.len() as u64;
        self.send_frames(false).await
    }

    async fn settle(&mut self) -> Result<Vec<Refused>> {
        self.send_frames(true).await?;
        if let Some(sink) = self.sink.take()
            && let Err(error) = self.close(sink).await?
        {
            self.find_refused(error).await?;
        }
        self.pending.clear();
        self.refused.sort_by_key(|r| r.ordinal);
        Ok(std::mem::take(&mut self.refused))
    }

    async fn also(mut self: Box<Self>, receipt: &Receipt, spec: LoadSpec) -> Result<Box<dyn Load>> {
        if !self.settle().await?.is_empty() {
            return Err(self.pool.config.broken("leave a table with rows that were not settled"));
        }
        let Self { pool, session, .. } = *self;
        receipts::write(&pool, &session, receipt).await?;
        let act = format!("write {}", spec.table.name);
        let relation = catalog::expect_relation(&session, &spec.table.name).await?;
        let wires = catalog::wires(&session, relation.oid).await?;
        into_relation(pool, session, relation, wires, &spec, act).await
    }

    async fn commit(mut self: Box<Self>, receipt: &Receipt) -> Result<Committed> {
        // A refusal that nobody has heard of would be a lost row.
        if !self.settle().await?.is_empty() {
            return Err(self.pool.config.broken("commit a load with rows that were not settled"));
        }
        receipts::commit(&self.pool, self.session, receipt).await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        let Self { session, sink, act, .. } = *self;
        // Dropped, a COPY under way tells the server to give it up.
        drop(sink);
        session.run(&act, "ROLLBACK").await?;
        session.give_back();
        Ok(())
    }
}
