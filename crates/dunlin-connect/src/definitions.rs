//! What a database says about its tables besides their rows: types, checks, triggers, comments, counters, large
//! objects, and how one database hands that to another of its own system. Only stores that can hand over all of it
//! implement [`Definable`]; what a [`crate::Table`] has words for moves between any two stores without this.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Result, Table, TableName};

/// One thing that is said about a table: a column, a constraint, an index, a trigger, a comment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Definition {
    /// The table, or the partition of one.
    pub table: TableName,
    /// What it is, by kind and name: `index people_email_idx`.
    pub what: String,
    /// The BLAKE3 of its text as the database spells it, in hex. The text itself may hold anything and is not kept.
    pub hash: String,
    /// A table that must be there for it to be possible: the other end of a foreign key.
    pub needs: Option<TableName>,
}

/// What a database says about some of its tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definitions {
    /// The tables, without their partitions.
    pub tables: Vec<TableName>,
    /// Views that rest on these tables alone and come with them, in an order in which they can be dropped.
    pub views: Vec<TableName>,
    /// The views among them that hold rows of their own and have to be filled.
    pub filled_views: Vec<TableName>,
    /// Counters that belong to the tables or to nobody.
    pub counters: Vec<TableName>,
    /// Everything that is said about the tables and their partitions.
    pub parts: Vec<Definition>,
    /// The file that holds all of it in the database's own form.
    pub archive: PathBuf,
}

/// Where a counter stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// Its name.
    pub name: TableName,
    /// Its last number.
    pub last: i64,
    /// Whether that number was given out already.
    pub given: bool,
}

/// A thing of a database that is no table: a type, a function, a schema, an extension, a counter of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Thing {
    /// What it is, in the store's words: `type`, `function`.
    pub kind: String,
    /// Its name in full, as the store would write it in a statement.
    pub name: String,
}

/// What is made before the rows, and what after, in the order in which it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Types, functions, tables, defaults, checks.
    BeforeRows,
    /// Primary keys, unique and exclusion constraints, indexes: what rows may stand against, and what makes looking for
    /// such rows fast, but nothing that acts when one of them is taken out.
    Keys,
    /// Foreign keys, triggers, rules, policies, comments, statistics.
    AfterRows,
}

/// A store that can hand over everything it says about a table to another of its system, and take it.
#[async_trait]
pub trait Definable: Send + Sync {
    /// The name of a table in full: with the schema in which it is, or would be made.
    async fn full_name(&self, name: &TableName) -> Result<TableName>;
    /// Whether this is a table whose definition can be handed over (a view cannot).
    ///
    /// # Errors
    /// [`crate::ConnectError::Unsupported`] where the means to do so are not on this machine; its help says what then
    /// stays behind.
    async fn tells(&self, name: &TableName) -> Result<bool>;
    /// Writes down everything about these tables, into `archive`. Views named in `besides` are made by somebody else, as
    /// tables, and do not come with the tables.
    async fn dump(&self, tables: &[TableName], besides: &[TableName], archive: &Path) -> Result<Definitions>;
    /// Makes what is not there yet. What could not be made is no error: ask [`Definable::missing`].
    ///
    /// # Errors
    /// When the connection broke on the way: a transient error, after which this can be asked for again, as what was
    /// made already is left as it is.
    async fn restore(&self, definitions: &Definitions, section: Section, jobs: usize) -> Result<()>;
    /// Where the counters stand.
    async fn counters(&self, names: &[TableName]) -> Result<Vec<Counter>>;
    /// Sets counters to this, but never back: one that was there before may have given more numbers. Gives those that are
    /// not there.
    async fn set_counters(&self, counters: &[Counter]) -> Result<Vec<TableName>>;
    /// Fills the views that hold rows of their own; gives those that could not be filled.
    async fn fill_views(&self, definitions: &Definitions) -> Result<Vec<TableName>>;
    /// What is said in `definitions` and is not so here.
    async fn missing(&self, definitions: &Definitions) -> Result<Vec<Definition>>;
    /// Drops tables of these definitions together with the views that came with them.
    async fn drop_tables(&self, tables: &[TableName], definitions: &Definitions) -> Result<()>;
    /// All things of the database that are no tables and do not go with one.
    async fn things(&self) -> Result<Vec<Thing>>;
    /// Drops those of these things that nothing else rests on; gives those that stay.
    async fn drop_things(&self, things: &[Thing]) -> Result<Vec<Thing>>;
    /// Which of these large objects there are.
    async fn objects_there(&self, objects: &[u32]) -> Result<Vec<u32>>;
    /// Drops those of these large objects that no column of any table points to; gives those that stay.
    async fn drop_objects(&self, objects: &[u32]) -> Result<Vec<u32>>;
    /// The large objects that columns of this table point to.
    async fn objects(&self, table: &Table) -> Result<Vec<u32>>;
    /// The numbers that columns of this table hold which may point to large objects, sorted.
    async fn pointed(&self, table: &Table) -> Result<Vec<u32>>;
    /// A piece of a large object from this byte on; empty behind its end.
    async fn object(&self, id: u32, from: i64) -> Result<Vec<u8>>;
    /// Copies a large object from another store under the same number, and reads it again. Gives its size in bytes.
    ///
    /// # Errors
    /// When the number is taken by another content, or the copy is not what was read.
    async fn copy_object(&self, id: u32, from: &dyn Definable) -> Result<u64>;
}
