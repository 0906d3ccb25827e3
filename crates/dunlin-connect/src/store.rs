//! The traits every store implements, and what passes through them. No store's own code lives here.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use arrow::array::{BinaryArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use futures::Stream;
use serde::{Deserialize, Serialize};

use crate::canon::{HashKey, RowHash};
use crate::{
    Activity, Column, ColumnType, ConnectError, ForeignKey, Reason, Result, Table, TableName, Unique,
};

/// The kinds of system dunlin speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum System {
    /// SQLite.
    Sqlite,
    /// Files: CSV, JSON Lines, Parquet.
    Files,
    /// PostgreSQL.
    Postgres,
}

/// The rows of a query as text, in batches; `None` is NULL.
pub type TextRows = Pin<Box<dyn Stream<Item = Result<Vec<Vec<Option<String>>>>> + Send>>;

/// A store under its name in the plan. Cheap to share; opening it touches nothing but what is needed to connect.
#[async_trait]
pub trait Store: Send + Sync {
    /// Which system it is.
    fn system(&self) -> System;
    /// Its name in the plan.
    fn name(&self) -> &str;
    /// What it is, beyond its name: PostgreSQL system identifier and database, canonical path. Stable over
    /// connections, different between staging and production.
    async fn identity(&self) -> Result<String>;
    /// Its tables (user tables only, dunlin's bookkeeping left out), in a stable order.
    async fn tables(&self) -> Result<Vec<TableName>>;
    /// The table of this name, or `None` where there is none. A name without a schema is looked up the way the
    /// store's own search path does.
    async fn table(&self, name: &TableName) -> Result<Option<Table>>;
    /// Opens one consistent view for reading.
    async fn reader(&self) -> Result<Arc<dyn Reader>>;
    /// Opens it for writing.
    async fn target(&self) -> Result<Arc<dyn Target>>;
    /// What works and what does not, for `dunlin doctor`; never fails, problems are in the answer.
    async fn probe(&self, tables: &[TableName], write: bool) -> Vec<Probe>;
    /// The rows of one query whose `columns` columns are all text, read in a transaction that cannot write. The caller
    /// has looked at the SQL; a store that knows no SQL refuses.
    async fn select(&self, sql: String, columns: usize) -> Result<TextRows> {
        let _ = (sql, columns);
        Err(crate::ConnectError::Unsupported {
            store: self.name().to_owned(),
            what: "a query over files".to_owned(),
            help: "name a table of a PostgreSQL or SQLite store".to_owned(),
        })
    }
    /// The store as one that hands over and takes whole definitions of tables; `None` where it cannot.
    fn definable(&self) -> Option<Arc<dyn crate::Definable>> {
        None
    }
    /// How far the standby that is furthest behind is behind it, where it has any and tells us.
    async fn replication_lag(&self) -> Result<Option<std::time::Duration>> {
        Ok(None)
    }
    /// Who is connected to it now, dunlin's own among them. A file keeps no list of its readers.
    async fn activity(&self) -> Result<Activity> {
        let why = "the operating system keeps no list that tells who reads a file, and for whom";
        Ok(Activity::NotApplicable(why.to_owned()))
    }
}

/// One line of `dunlin doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// What was tried, e.g. `read public.orders`.
    pub act: String,
    /// How it went.
    pub status: ProbeStatus,
    /// What was seen (a version, a missing privilege).
    pub detail: String,
    /// The exact statement or step that mends it.
    pub help: Option<String>,
}

/// How a probe went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeStatus {
    /// It works.
    Ok,
    /// It works, with a reservation.
    Warn,
    /// It does not work.
    Fail,
}

/// Which rows of a table one split holds. The first split of a table is open below and the last open above, so that
/// every row, also one that arrives later, belongs to exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Bounds {
    /// The whole table.
    Whole,
    /// An integer column (SQLite: also `rowid`) in `from <= c < to`.
    Key {
        /// The column.
        column: String,
        /// Lowest value, inclusive; open when absent. Rows whose value is NULL go to the split that is open below.
        from: Option<i64>,
        /// Highest value, exclusive; open when absent.
        to: Option<i64>,
    },
    /// PostgreSQL heap blocks in `from <= block < to`.
    Blocks {
        /// First block.
        from: u32,
        /// One past the last block; open when absent.
        to: Option<u32>,
    },
    /// A range of bytes of one file, cut at record borders by the reader: a record belongs to the split in which
    /// its first byte lies.
    Bytes {
        /// The file, relative to the store's folder.
        file: String,
        /// First byte.
        from: u64,
        /// One past the last byte; open when absent.
        to: Option<u64>,
    },
    /// Row groups of one Parquet file in `from <= group < to`.
    Groups {
        /// The file, relative to the store's folder.
        file: String,
        /// First row group.
        from: usize,
        /// One past the last; open when absent.
        to: Option<usize>,
    },
}

/// A column that a read asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadColumn {
    /// Its position in [`Table::columns`].
    pub index: usize,
    /// Whether it is to arrive as the store's text (`Utf8`) instead of [`crate::ColumnType::arrow_type`]. Needed
    /// for `Opaque` columns that leave their system or that an expression names.
    pub as_text: bool,
}

/// A read of one split.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// The table; its column types decide how values are decoded (a CSV file has no types of its own).
    pub table: Arc<Table>,
    /// The columns, in the order in which they shall arrive.
    pub columns: Vec<ReadColumn>,
    /// The split.
    pub bounds: Bounds,
    /// The most rows of one batch.
    pub batch_rows: usize,
}

impl ReadRequest {
    /// A read of every column of a table in its own types (as text where [`Column::as_text`] says so).
    pub fn all(table: Arc<Table>, bounds: Bounds) -> Self {
        let columns = (0..table.columns.len())
            .map(|index| ReadColumn { index, as_text: table.columns[index].as_text })
            .collect();
        Self { table, columns, bounds, batch_rows: 8_192 }
    }

    /// The schema of the batches this read gives.
    pub fn schema(&self) -> SchemaRef {
        let field = |c: &ReadColumn| {
            let column: &Column = &self.table.columns[c.index];
            let ty = if c.as_text { DataType::Utf8 } else { column.ty.arrow_type() };
            Field::new(&column.name, ty, true)
        };
        Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()).into()
    }
}

/// A row that could not be read. It is data, so it has no `Debug` of its content.
#[derive(Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Where it stands in the source: rowid, line number (1 = first line of the file), or ordinal in the split.
    pub position: u64,
    /// The byte of its file at which its record begins, from 0, where that can be told.
    pub byte: Option<u64>,
    /// Why it could not be read.
    pub reason: Reason,
    /// The column at fault, by its position in the request's columns.
    pub column: Option<usize>,
    /// The row as far as it could be told apart, one value a requested column, as the source's raw bytes. Where the
    /// record has no columns that can be told apart: one element, the raw record.
    pub fields: Vec<Option<Vec<u8>>>,
}

impl fmt::Debug for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BadRow")
            .field("position", &self.position)
            .field("reason", &self.reason)
            .field("column", &self.column)
            .finish_non_exhaustive()
    }
}

/// What a read gives: the rows that could be read, and those that could not. Every source row is in exactly one.
#[derive(Clone)]
pub struct ReadBatch {
    /// The readable rows, in the request's columns.
    pub rows: RecordBatch,
    /// For each readable row, where it stands: rowid (SQLite), packed ctid `block << 16 | offset` (PostgreSQL, for
    /// reads that ask for it, else the ordinal), line number (CSV, JSON Lines), row number (Parquet).
    pub positions: Vec<u64>,
    /// The rows that could not be read.
    pub bad: Vec<BadRow>,
}

/// The batches of one split.
pub type ReadStream = Pin<Box<dyn Stream<Item = Result<ReadBatch>> + Send>>;

/// The form in which a system sends rows, where they can be handed to another of its kind as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    /// The system.
    pub system: System,
    /// The columns' types, in their order.
    pub types: Vec<ColumnType>,
}

/// A read of one split whose rows stay in the bytes of the wire.
#[derive(Debug, Clone)]
pub struct WireRequest {
    /// The split.
    pub read: ReadRequest,
    /// The key of the row hash.
    pub key: HashKey,
    /// The columns that name a row, by their position in the request; empty for the whole row.
    pub name: Vec<usize>,
    /// Whether the bytes are wanted at all, or only their hashes.
    pub keep: bool,
    /// Whether the positions are to be those of [`Reader::read_addressed`]; then no bytes can be kept.
    pub addressed: bool,
}

/// Rows in the bytes of the wire, hashed as [`crate::canon::hash_rows`] would hash them. Every source row is either here
/// or among the bad ones.
#[derive(Clone)]
pub struct WireBatch {
    /// The rows, one value each; none where they were not to be kept.
    pub rows: BinaryArray,
    /// The hash of each row.
    pub hashes: Vec<RowHash>,
    /// The first half of the hash of the columns that name each row.
    pub names: Vec<[u8; 16]>,
    /// Where each row stands in the split, from 1, or its address.
    pub positions: Vec<u64>,
    /// The rows that could not be read.
    pub bad: Vec<BadRow>,
}

/// One row of the wire as text. It is data, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Unwired {
    /// A value a requested column, in canonical text; one that Arrow's type cannot hold in the store's words (`NaN`), or
    /// where it has none, as its bytes (`\x` and hex).
    pub fields: Vec<Option<String>>,
    /// Whether the text says everything: the row can be read from it again.
    pub exact: bool,
}

/// The batches of one split in the bytes of the wire.
pub type WireStream = Pin<Box<dyn Stream<Item = Result<WireBatch>> + Send>>;

fn no_wire(what: &str) -> ConnectError {
    ConnectError::Unsupported {
        store: String::new(),
        what: format!("{what} in the bytes of the wire"),
        help: "this is a fault of dunlin: please report it".into(),
    }
}

/// One consistent view of a store.
#[async_trait]
pub trait Reader: Send + Sync {
    /// Cuts a table into splits of about `rows_per_split` rows. With `previous` (the splits of an earlier run) the
    /// same borders are kept and only the open end is cut further, so that unchanged splits can be recognised.
    async fn splits(&self, table: &Table, rows_per_split: u64, previous: &[Bounds]) -> Result<Vec<Bounds>>;
    /// Reads one split.
    async fn read(&self, request: ReadRequest) -> Result<ReadStream>;
    /// Reads a whole table with positions by which [`Load::delete`] can find the rows again (rowid, packed ctid).
    async fn read_addressed(&self, table: Arc<Table>) -> Result<ReadStream>;
    /// Counts the rows of a table exactly.
    async fn count(&self, table: &Table) -> Result<u64>;
    /// The form in which these columns arrive, where rows can stay in it; `None` where they have to be decoded.
    fn wire(&self, _request: &ReadRequest) -> Option<Wire> {
        None
    }
    /// Reads one split of a table for which [`Reader::wire`] has an answer.
    async fn read_wire(&self, _request: WireRequest) -> Result<WireStream> {
        Err(no_wire("reading rows"))
    }
    /// Decodes one row of a [`WireBatch`], for those few that have to be looked at after all.
    fn unwire(&self, _request: &ReadRequest, _row: &[u8]) -> Result<Unwired> {
        Err(no_wire("decoding a row"))
    }
    /// A row in the bytes of the wire from the raw fields of a [`BadRow`], where a row that Arrow cannot hold can still
    /// be handed on so.
    fn rewire(&self, _fields: &[Option<Vec<u8>>]) -> Option<Vec<u8>> {
        None
    }
}

/// A column that a load writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadColumn {
    /// Its position in [`Table::columns`] of the target.
    pub index: usize,
    /// Whether it arrives as text (`Utf8`) that the target's own input routine reads.
    pub as_text: bool,
}

/// A load of one split into one table.
#[derive(Debug, Clone)]
pub struct LoadSpec {
    /// The run.
    pub run: String,
    /// The table's label in the plan, e.g. `atlas.people`.
    pub label: String,
    /// The part of the table: a split's number, or the name of an amendment.
    pub part: String,
    /// The target table.
    pub table: Arc<Table>,
    /// The columns written, in the order in which batches bring them.
    pub columns: Vec<LoadColumn>,
}

/// What dunlin keeps in the target for each part it loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The run.
    pub run: String,
    /// The table's label in the plan.
    pub table: String,
    /// The part of the table.
    pub part: String,
    /// Counts and hashes as JSON; opaque to the store.
    pub body: String,
}

/// How a commit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// The rows and the receipt are durable.
    New,
    /// This part had been committed before with this receipt; nothing was written now.
    Already(Receipt),
}

/// A row the target would not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The row's ordinal among all rows written to this load, from 0.
    pub ordinal: u64,
    /// Why.
    pub reason: Reason,
    /// The target column at fault, if the target said.
    pub column: Option<String>,
    /// The name of the constraint, if one said no.
    pub constraint: Option<String>,
}

/// Asked of rows that are about to be deleted, in the deleting transaction and with all columns of their table: whether
/// they are what was meant. Between the look at a row and its deletion another may have come to its place.
pub type Meant = Arc<dyn Fn(&ReadBatch) -> bool + Send + Sync>;

/// The error of rows that were not what was meant.
pub(crate) fn not_meant(store: &str, table: &TableName) -> ConnectError {
    ConnectError::Changed {
        store: store.to_owned(),
        table: table.to_string(),
        what: "somebody wrote other rows to where those to be deleted had been".to_owned(),
    }
}

/// One split on its way into a target: rows and receipt in one transaction.
#[async_trait]
pub trait Load: Send {
    /// Deletes rows that an earlier load of dunlin wrote, by the positions of [`Reader::read_addressed`]. Call it
    /// before `write`. Returns how many were deleted.
    async fn delete(&mut self, positions: &[u64]) -> Result<u64>;
    /// As [`Load::delete`], and each row is first asked for as it is now: when one is not meant the load fails with
    /// [`ConnectError::Changed`] and can only be aborted. `table` is what the positions were read with. A store whose
    /// files only dunlin writes to while it holds its lock need not ask.
    async fn delete_meant(&mut self, table: &Arc<Table>, positions: &[u64], meant: &Meant) -> Result<u64> {
        let _ = (table, meant);
        self.delete(positions).await
    }
    /// Writes rows. Refusals may be told only at the next `settle`.
    async fn write(&mut self, batch: RecordBatch) -> Result<()>;
    /// Writes rows as [`Reader::read_wire`] gave them, where [`Target::takes_wire`] said so.
    async fn write_wire(&mut self, _rows: BinaryArray) -> Result<()> {
        Err(no_wire("writing rows"))
    }
    /// Waits until every row written so far is in the target's transaction or refused, and tells the refused ones
    /// since the last `settle`. A load buffers what it needs to find refused rows until then, so settle often
    /// (some tens of thousands of rows).
    async fn settle(&mut self) -> Result<Vec<Refused>>;
    /// Writes this part's receipt and goes on with a load into another table in the same transaction: one `commit` then
    /// makes all of them durable, and what ends the transaction ends all of them. Call `settle` first. A store without
    /// such transactions gives up what was begun, and says so.
    async fn also(self: Box<Self>, receipt: &Receipt, spec: LoadSpec) -> Result<Box<dyn Load>>;
    /// Commits rows and receipt. Call `settle` first.
    async fn commit(self: Box<Self>, receipt: &Receipt) -> Result<Committed>;
    /// Gives up; nothing of this load stays.
    async fn abort(self: Box<Self>) -> Result<()>;
}

/// Rows that stand against a constraint which is to be added, as addressed rows of the target table.
pub struct Violation {
    /// Why they cannot stay.
    pub reason: Reason,
    /// The constraint's name or a description of it (`people_email_key`, `orders(customer_id)`).
    pub constraint: String,
    /// The columns of the constraint.
    pub columns: Vec<String>,
    /// The rows: all columns of the table, positions as of [`Reader::read_addressed`].
    pub rows: ReadStream,
}

/// A store opened for writing.
#[async_trait]
pub trait Target: Send + Sync {
    /// Makes dunlin's bookkeeping (receipts) where it is missing.
    async fn prepare(&self) -> Result<()>;
    /// Creates a table: columns, nullability, defaults that are portable, primary key. Where a store can add unique
    /// constraints and foreign keys only at creation (SQLite), they are created now and not enforced while loading.
    /// Fails when it exists.
    async fn create(&self, table: &Table) -> Result<()>;
    /// Drops a table that dunlin created.
    async fn drop_table(&self, table: &TableName) -> Result<()>;
    /// What the store will hold for a column of this type when dunlin creates it there: a type it cannot hold
    /// becomes the nearest that can carry it unchanged (an `Opaque` of another system becomes text).
    fn nearest_type(&self, ty: &ColumnType) -> ColumnType;
    /// How the store will declare a column of this type when dunlin creates it there, where that decides how values
    /// are kept (SQLite's affinities); `None` where it does not.
    fn declared(&self, _ty: &ColumnType) -> Option<String> {
        None
    }
    /// Before the first load into tables that already existed: takes constraints out of the way that a cycle of
    /// foreign keys would trip over. What was taken away is remembered in the bookkeeping and put back by `complete`.
    async fn before_load(&self, tables: &[Table], cyclic: &[ForeignKey]) -> Result<()>;
    /// Starts a load of one split.
    async fn begin(&self, spec: LoadSpec) -> Result<Box<dyn Load>>;
    /// Whether a load like this takes rows in this form, unchanged and unchecked: what it would check must follow from
    /// the types. Then [`Load::write_wire`] may be used in place of [`Load::write`].
    async fn takes_wire(&self, _spec: &LoadSpec, _wire: &Wire) -> Result<bool> {
        Ok(false)
    }
    /// All receipts of a run.
    async fn receipts(&self, run: &str) -> Result<Vec<Receipt>>;
    /// Tries to add a unique constraint at once, where that is cheaper than looking for rows against it first: a build
    /// of the key either passes or says that there are such rows. `false` when it says so, or where nothing was tried;
    /// then ask [`Target::unique_violators`].
    async fn try_unique(&self, table: &Table, unique: &Unique) -> Result<bool> {
        let _ = (table, unique);
        Ok(false)
    }
    /// The rows that stand against this unique constraint (all but the first of each group of equals).
    async fn unique_violators(&self, table: &Table, unique: &Unique) -> Result<Violation>;
    /// The rows whose reference leads nowhere.
    async fn foreign_key_violators(&self, table: &Table, key: &ForeignKey) -> Result<Violation>;
    /// After all splits of a table are loaded: indexes, unique constraints. Idempotent.
    async fn complete(&self, table: &Table) -> Result<()>;
    /// After all tables are complete: foreign keys, sequence positions. `sequences` of `table` carry the source's
    /// next numbers; the target's becomes the larger of that and one past the largest value. Idempotent.
    async fn connect_keys(&self, table: &Table) -> Result<()>;
    /// Joins the parts of a file target into what its URL names; nothing to do elsewhere. Idempotent. `parts` are the
    /// committed parts of the run in order.
    async fn join(&self, run: &str, table: &Table, parts: &[String]) -> Result<()>;
    /// Removes dunlin's bookkeeping.
    async fn finish(&self) -> Result<()>;
    /// Deletes rows of a table in one transaction, by the positions of [`Reader::read_addressed`], outside of any load:
    /// no receipt is written and no bookkeeping is made. For rows of a person who asked to be erased, in stores that a
    /// run only reads. Nothing is deleted when one of them is not meant ([`ConnectError::Changed`]). Returns how many
    /// were deleted.
    async fn erase(&self, table: &Arc<Table>, positions: &[u64], meant: &Meant) -> Result<u64> {
        let _ = (positions, meant);
        Err(ConnectError::Unsupported {
            store: self.store_name(),
            what: format!("deleting single rows of {} in place", table.name),
            help: "delete them by hand, or set `erase_source = false` in [subject]".into(),
        })
    }
    /// The store's name in the plan, for messages.
    fn store_name(&self) -> String;
    /// Makes the store give up what deleted rows leave behind in its own files, as far as it can be asked to: SQLite's
    /// free pages and its log, PostgreSQL's dead tuples. `false` where the store could not do it now, for example
    /// because somebody reads.
    async fn scrub(&self, tables: &[TableName]) -> Result<bool> {
        let _ = tables;
        Ok(true)
    }
}
