//! One consistent view of a database: a transaction that exports its snapshot, and reads that import it.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::DataType;
use async_trait::async_trait;
use futures::{Stream, StreamExt, TryStreamExt};
use tokio_postgres::CopyOutStream;

use super::catalog::{self, Relation};
use super::connection::{Loan, Pool};
use super::decode::{Address, Decoder};
use super::framing::{Broken, Decoding, Sink};
use super::types::needs_cast;
use super::wire::{self, WireDecoder};
use super::{splits, sql};
use crate::{
    Bounds, Column, ColumnType, ConnectError, ReadBatch, ReadRequest, ReadStream, Reader, Result, System,
    Table, TableName, Unwired, Wire, WireRequest, WireStream,
};

/// A table as the snapshot has it.
#[derive(Clone)]
struct Known {
    relation: Relation,
    columns: Arc<Vec<Column>>,
}

/// The reading side of a store.
pub(super) struct PgReader {
    pool: Arc<Pool>,
    /// Holds the snapshot open; nothing else runs on it.
    coordinator: Loan,
    snapshot: String,
    relations: Mutex<HashMap<TableName, Known>>,
}

impl PgReader {
    /// Takes a snapshot.
    pub(super) async fn open(pool: Arc<Pool>) -> Result<Self> {
        const ACT: &str = "take a snapshot";
        let coordinator = pool.get().await?;
        coordinator.run(ACT, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let row = coordinator
            .query_one("SELECT pg_export_snapshot()", &[])
            .await
            .map_err(|e| pool.config.fail(ACT, &e))?;
        Ok(Self { snapshot: row.get(0), coordinator, pool, relations: Mutex::default() })
    }

    /// A connection in a transaction that sees the snapshot.
    async fn session(&self) -> Result<Loan> {
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {}",
            sql::literal(&self.snapshot)
        );
        let session = self.pool.get().await?;
        match session.run("join the snapshot", &begin).await {
            Err(_) if self.coordinator.is_closed() => Err(ConnectError::Unreachable {
                store: self.pool.config.store.clone(),
                message: "the connection that held the snapshot broke".into(),
                help: "run again: it goes on where it stopped".into(),
            }),
            other => other.map(|()| session),
        }
    }

    /// The table as the snapshot has it, held for the length of this read.
    ///
    /// A snapshot does not protect from everything: a table that was truncated, or rewritten by `ALTER … TYPE`, looks
    /// empty to it, and `VACUUM FULL` moves rows to other blocks. So the table is locked against that, and compared
    /// with what it was. The lock ends with the read: one that lasted as long as the reader would stand in the way
    /// of keys that are added to a target while somebody reads it.
    async fn relation(&self, session: &Loan, table: &Table) -> Result<Relation> {
        let known = self.relations.lock().unwrap_or_else(PoisonError::into_inner).get(&table.name).cloned();
        let known = match known {
            Some(known) => known,
            None => self.look_up(session, &table.name).await?,
        };
        let relation = &known.relation;
        if matches!(relation.kind, 'r' | 'p' | 'v') {
            let only = if relation.kind == 'r' { "ONLY " } else { "" };
            let lock = format!("LOCK TABLE {only}{} IN ACCESS SHARE MODE", sql::table(&relation.name));
            if let Err(error) = session.batch_execute(&lock).await {
                return Err(read_failure(session, &relation.name, &error).await);
            }
        }
        if let Some(what) = change(session, table, &known).await? {
            return Err(ConnectError::Changed {
                store: self.pool.config.store.clone(),
                table: table.name.to_string(),
                what,
            });
        }
        Ok(known.relation)
    }

    /// Functions inside a view may rely on the search path of whoever reads it.
    async fn for_views(&self, session: &Loan, relation: &Relation) -> Result<()> {
        if relation.kind == 'v' && !session.path.is_empty() {
            let path = format!("SET LOCAL search_path = {}", sql::idents(&session.path));
            session.run("read a view", &path).await?;
        }
        Ok(())
    }

    async fn look_up(&self, session: &Loan, name: &TableName) -> Result<Known> {
        let relation = catalog::expect_relation(session, name).await?;
        let wires = catalog::wires(session, relation.oid).await?;
        let known = Known { relation, columns: Arc::new(wires.into_iter().map(|w| w.column).collect()) };
        self.relations.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), known.clone());
        Ok(known)
    }
}

/// What is different from how the table was described, if anything.
async fn change(session: &Loan, table: &Table, known: &Known) -> Result<Option<String>> {
    for column in &table.columns {
        let now = known.columns.iter().find(|c| c.name == column.name);
        if now.map(|c| &c.ty) != Some(&column.ty) {
            let what = now.map_or("is gone".to_owned(), |c| format!("is now {}", c.ty));
            return Ok(Some(format!("column {} {what}", column.name)));
        }
    }
    // The left side is what the snapshot sees, the right side what the server would read from.
    const SQL: &str = "SELECT EXISTS (SELECT FROM pg_class c WHERE c.relfilenode <> 0 \
        AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid) AND (c.oid = $1 OR $2 AND c.oid IN \
            (SELECT relid FROM pg_partition_tree($1::oid::regclass))))";
    let relation = &known.relation;
    let rows = catalog::query(session, SQL, &[&relation.oid, &(relation.kind == 'p')]).await?;
    let rewritten = rows.first().is_some_and(|r| r.get(0));
    Ok(rewritten.then(|| "it was truncated or rewritten".to_owned()))
}

#[async_trait]
impl Reader for PgReader {
    async fn splits(&self, table: &Table, rows_per_split: u64, previous: &[Bounds]) -> Result<Vec<Bounds>> {
        let session = self.session().await?;
        let relation = self.relation(&session, table).await?;
        let answer = splits::cut(&session, &relation, table, rows_per_split.max(1), previous).await?;
        done(session).await?;
        Ok(answer)
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadStream> {
        let session = self.session().await?;
        let relation = self.relation(&session, &request.table).await?;
        self.for_views(&session, &relation).await?;
        let select = select(&request, &relation, "")?;
        copy_out(session, &relation.name, &select, &request, Address::Ordinal).await
    }

    fn wire(&self, request: &ReadRequest) -> Option<Wire> {
        let mut types = Vec::with_capacity(request.columns.len());
        for asked in &request.columns {
            let column = &request.table.columns[asked.index];
            // What the server turns into text arrives as text. A column that holds text keeps its limit.
            let text = is_cast(column, asked.as_text) && !matches!(column.ty, ColumnType::Text { .. });
            types.push(if text { ColumnType::TEXT } else { column.ty.clone() });
        }
        Some(Wire { system: System::Postgres, types })
    }

    async fn read_wire(&self, request: WireRequest) -> Result<WireStream> {
        let types = self.wire(&request.read).map(|wire| wire.types).unwrap_or_default();
        let session = self.session().await?;
        let relation = self.relation(&session, &request.read.table).await?;
        self.for_views(&session, &relation).await?;
        let (prefix, address) = match request.addressed {
            true => address(&session, &relation).await?,
            false => ("", Address::Ordinal),
        };
        let select = select(&request.read, &relation, prefix)?;
        let decoder = WireDecoder::new(&types, &request, address);
        copy(session, &relation.name, &select, decoder).await
    }

    fn unwire(&self, request: &ReadRequest, row: &[u8]) -> Result<Unwired> {
        let types = self.wire(request).map(|wire| wire.types).unwrap_or_default();
        let broken = |_| self.pool.config.broken(&format!("read a row of {}", request.table.name));
        wire::as_text(request, &types, row).map_err(broken)
    }

    fn rewire(&self, fields: &[Option<Vec<u8>>]) -> Option<Vec<u8>> {
        Some(wire::row_of(fields))
    }

    async fn read_addressed(&self, table: Arc<Table>) -> Result<ReadStream> {
        let session = self.session().await?;
        let relation = self.relation(&session, table.as_ref()).await?;
        let request = ReadRequest::all(table, Bounds::Whole);
        let (prefix, address) = address(&session, &relation).await?;
        let select = select(&request, &relation, prefix)?;
        copy_out(session, &relation.name, &select, &request, address).await
    }

    async fn count(&self, table: &Table) -> Result<u64> {
        let session = self.session().await?;
        let relation = self.relation(&session, table).await?;
        let query = format!("SELECT count(*) FROM {}", relation.source());
        let count: i64 = match session.query_one(&query, &[]).await {
            Ok(row) => row.get(0),
            Err(error) => return Err(read_failure(&session, &relation.name, &error).await),
        };
        done(session).await?;
        Ok(count.unsigned_abs())
    }
}

/// Ends the transaction and keeps the connection.
async fn done(session: Loan) -> Result<()> {
    session.run("end a read", "COMMIT").await?;
    session.give_back();
    Ok(())
}

/// What to select so that rows can be found again, and how to read it.
pub(super) async fn address(session: &Loan, relation: &Relation) -> Result<(&'static str, Address)> {
    match relation.kind {
        'r' | 'm' => Ok(("t.ctid, ", Address::Ctid)),
        'p' => Ok(("t.tableoid, t.ctid, ", Address::Partition(partitions(session, relation).await?))),
        _ => Err(ConnectError::Unsupported {
            store: session.config().store.clone(),
            what: format!(
                "finding single rows again in {}, which is a view or a foreign table",
                relation.name
            ),
            help: "name the table behind it".into(),
        }),
    }
}

/// The partitions that hold rows, in the order that numbers them in positions.
pub(super) async fn partitions(session: &Loan, relation: &Relation) -> Result<Vec<u32>> {
    const SQL: &str = "SELECT relid::oid FROM pg_partition_tree($1::oid::regclass) WHERE isleaf ORDER BY 1";
    let rows = catalog::query(session, SQL, &[&relation.oid]).await?;
    Ok(rows.iter().map(|r| r.get(0)).collect())
}

/// Whether the server turns a column into text for a read.
fn is_cast(column: &Column, as_text: bool) -> bool {
    needs_cast(column) || (as_text && column.ty.arrow_type() != DataType::Utf8)
}

/// The columns of a request as SQL, from the alias `t`.
pub(super) fn select_list(request: &ReadRequest) -> String {
    let column = |c: &crate::ReadColumn| {
        let column = &request.table.columns[c.index];
        let name = sql::ident(&column.name);
        if is_cast(column, c.as_text) { format!("t.{name}::pg_catalog.text") } else { format!("t.{name}") }
    };
    request.columns.iter().map(column).collect::<Vec<_>>().join(", ")
}

fn select(request: &ReadRequest, relation: &Relation, prefix: &str) -> Result<String> {
    let list = select_list(request);
    let prefix = if list.is_empty() { prefix.trim_end_matches(", ") } else { prefix };
    let mut text = format!("SELECT {prefix}{list} FROM {} t", relation.source());
    let bounds = bounds_sql(&request.bounds, &request.table)?;
    if !bounds.is_empty() {
        text.push_str(" WHERE ");
        text.push_str(&bounds);
    }
    Ok(text)
}

/// The rows of a split as a condition; empty for all.
fn bounds_sql(bounds: &Bounds, table: &Table) -> Result<String> {
    match bounds {
        Bounds::Whole => Ok(String::new()),
        Bounds::Key { column, from, to } => {
            let name = sql::ident(column);
            let nullable = table.column(column).is_none_or(|c| c.nullable);
            Ok(match (from, to) {
                (None, None) => String::new(),
                (Some(from), None) => format!("t.{name} >= {from}"),
                (None, Some(to)) if nullable => format!("(t.{name} < {to} OR t.{name} IS NULL)"),
                (None, Some(to)) => format!("t.{name} < {to}"),
                (Some(from), Some(to)) => format!("t.{name} >= {from} AND t.{name} < {to}"),
            })
        }
        Bounds::Blocks { from, to } => {
            let mut text = format!("t.ctid >= '({from},0)'::tid");
            if let Some(to) = to {
                text.push_str(&format!(" AND t.ctid < '({to},0)'::tid"));
            }
            Ok(text)
        }
        Bounds::Bytes { .. } | Bounds::Groups { .. } => Err(ConnectError::Unsupported {
            store: String::new(),
            what: "a split by bytes or row groups of a PostgreSQL table".into(),
            help: "cut the table with the splits of this store".into(),
        }),
    }
}

/// Starts a binary COPY of a query whose columns are those of a request.
pub(super) async fn copy_out(
    session: Loan,
    name: &TableName,
    select: &str,
    request: &ReadRequest,
    address: Address,
) -> Result<ReadStream> {
    copy(session, name, select, decoder(request, address)).await
}

/// Runs a query whose columns are those of a request to its end, in the session's own transaction, which stays open:
/// for a few rows.
pub(super) async fn drain(
    session: &Loan,
    name: &TableName,
    query: &str,
    request: &ReadRequest,
    address: Address,
) -> Result<Vec<ReadBatch>> {
    let broken = |_: Broken| session.config().broken(&format!("read {name}"));
    let mut decoding = decoder(request, address);
    let copy = match session.copy_out(&format!("COPY ({query}) TO STDOUT (FORMAT binary)")).await {
        Ok(copy) => copy,
        Err(error) => return Err(deletion_failure(session, name, &error)),
    };
    let mut copy = Box::pin(copy);
    let mut batches = Vec::new();
    while let Some(bytes) = copy.next().await {
        let bytes = bytes.map_err(|error| deletion_failure(session, name, &error))?;
        decoding.push(&bytes).map_err(broken)?;
        while decoding.is_full() {
            batches.push(decoding.take().map_err(broken)?);
            decoding.resume().map_err(broken)?;
        }
    }
    if !decoding.is_finished() {
        return Err(broken(Broken));
    }
    if !decoding.is_empty() {
        batches.push(decoding.take().map_err(broken)?);
    }
    Ok(batches)
}

fn deletion_failure(session: &Loan, name: &TableName, error: &tokio_postgres::Error) -> ConnectError {
    let config = session.config();
    let grant = format!("GRANT SELECT, DELETE ON {} TO {};", sql::table(name), sql::ident(&config.user));
    config.fail_granting(&format!("delete rows of {name}"), &grant, error)
}

/// What decodes the rows of a request.
fn decoder(request: &ReadRequest, address: Address) -> Decoder {
    let columns: Vec<_> = request
        .columns
        .iter()
        .map(|c| {
            let column = &request.table.columns[c.index];
            (column.ty.clone(), is_cast(column, c.as_text))
        })
        .collect();
    Decoder::new(request.schema(), &columns, address, request.batch_rows)
}

/// Starts a binary COPY of a query and decodes what comes.
async fn copy<S>(
    session: Loan,
    name: &TableName,
    select: &str,
    decoding: Decoding<S>,
) -> Result<Pin<Box<dyn Stream<Item = Result<S::Batch>> + Send>>>
where
    S: Sink<Batch: Send> + Send + 'static,
{
    let query = format!("COPY ({select}) TO STDOUT (FORMAT binary)");
    let copy = match session.copy_out(&query).await {
        Ok(copy) => Box::pin(copy),
        Err(error) => return Err(read_failure(&session, name, &error).await),
    };
    let state = Copy { copy, decoding, session: Some(session), name: name.clone() };
    let stream = futures::stream::try_unfold(state, |mut state| async move {
        Ok(state.next().await?.map(|batch| (batch, state)))
    });
    Ok(stream.into_stream().boxed())
}

/// A COPY under way.
struct Copy<S> {
    copy: Pin<Box<CopyOutStream>>,
    decoding: Decoding<S>,
    session: Option<Loan>,
    name: TableName,
}

impl<S> Drop for Copy<S> {
    fn drop(&mut self) {
        // Still here, so the stream was given up before its end.
        if let Some(session) = self.session.take() {
            session.cut();
        }
    }
}

impl<S: Sink> Copy<S> {
    async fn next(&mut self) -> Result<Option<S::Batch>> {
        let Some(session) = &self.session else { return Ok(None) };
        let broken = |_: Broken| session.config().broken(&format!("read {}", self.name));
        loop {
            if self.decoding.is_full() {
                let batch = self.decoding.take().map_err(broken)?;
                self.decoding.resume().map_err(broken)?;
                return Ok(Some(batch));
            }
            match self.copy.next().await {
                Some(Ok(bytes)) => self.decoding.push(&bytes).map_err(broken)?,
                Some(Err(error)) => return Err(read_failure(session, &self.name, &error).await),
                None => break,
            }
        }
        if !self.decoding.is_finished() {
            return Err(broken(Broken));
        }
        let last = if self.decoding.is_empty() { None } else { Some(self.decoding.take().map_err(broken)?) };
        if let Some(session) = self.session.take() {
            done(session).await?;
        }
        Ok(last)
    }
}

/// What a failed read means. Missing rights and a policy that would hide rows have one code; the catalog tells them
/// apart, on a connection of its own because this one's transaction is broken.
pub(super) async fn read_failure(
    session: &Loan,
    name: &TableName,
    error: &tokio_postgres::Error,
) -> ConnectError {
    let config = session.config();
    let act = format!("read {name}");
    let table = sql::table(name);
    let role = sql::ident(&config.user);
    let mut grant = format!("GRANT SELECT ON {table} TO {role};");
    if error.code().is_some_and(|c| c.code() == "42501")
        && let Ok(other) = session.another().await
    {
        const SQL: &str = "SELECT has_table_privilege($1::text, 'SELECT'), \
            has_schema_privilege($2::text, 'USAGE')";
        let schema = name.schema.clone().unwrap_or_default();
        if let Ok(row) = other.query_one(SQL, &[&table, &schema]).await {
            if row.get(0) {
                grant = format!("ALTER ROLE {role} BYPASSRLS;");
            } else if !row.get::<_, bool>(1) {
                grant = format!("GRANT USAGE ON SCHEMA {} TO {role}; {grant}", sql::ident(&schema));
            }
            other.give_back();
        }
    }
    config.fail_granting(&act, &grant, error)
}
