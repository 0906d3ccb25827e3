//! Reading rows: one query, on a thread that may block, into batches. A dropped stream ends the thread at its next
//! batch.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use futures::stream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::connection::quote;
use super::decode::{Cell, Decoder, raw_bytes};
use super::failure::failed;
use super::raw::{Code, Raw, Statement};
use super::reader::Lease;
use crate::{BadRow, Bounds, ReadBatch, ReadRequest, ReadStream, Result};

/// Batches that may wait for their reader.
const WAITING: usize = 4;
/// A batch is closed early at this size, so that wide rows do not fill the memory.
const BATCH_BYTES: usize = 32 << 20;

/// A query that gives positions and the request's columns.
pub(super) struct Scan {
    request: ReadRequest,
    sql: String,
    parameters: Vec<i64>,
    addressed: bool,
}

impl Scan {
    /// The rows of the request's bounds. `name` is the table's and `rowid` what its rowid is called, if it has one.
    pub(super) fn of_bounds(request: ReadRequest, name: &str, rowid: Option<&str>) -> Option<Self> {
        let (condition, parameters) = match &request.bounds {
            Bounds::Whole => (String::new(), Vec::new()),
            Bounds::Key { column, from, to } => between(&request, rowid, column, *from, *to)?,
            Bounds::Blocks { .. } | Bounds::Bytes { .. } | Bounds::Groups { .. } => return None,
        };
        let mut scan = Self::filtered(request, name, rowid, &condition);
        scan.parameters = parameters;
        Some(scan)
    }

    /// The rows for which a condition over `t` holds; all for an empty one.
    pub(super) fn filtered(request: ReadRequest, name: &str, rowid: Option<&str>, condition: &str) -> Self {
        // Qualified, because SQLite takes a quoted name that it does not know for a text.
        let column = |i: usize| format!("t.{}", quote(&request.table.columns[i].name));
        let address = rowid.map(|r| format!("t.{r}"));
        let mut wanted: Vec<String> = address.iter().cloned().collect();
        wanted.extend(request.columns.iter().map(|c| column(c.index)));
        let wanted = if wanted.is_empty() { "1".to_owned() } else { wanted.join(", ") };
        let filter = if condition.is_empty() { String::new() } else { format!(" WHERE {condition}") };
        let order = address.map(|a| format!(" ORDER BY {a}")).unwrap_or_default();
        let sql = format!("SELECT {wanted} FROM {} AS t{filter}{order}", quote(name));
        Self { request, sql, parameters: Vec::new(), addressed: rowid.is_some() }
    }

    /// Its rows at once, from a connection that is at hand: for a few.
    pub(super) fn now(&self, raw: &mut Raw<'_>) -> Result<ReadBatch, Code> {
        let mut statement = raw.prepare(&self.sql)?;
        statement.bind_ints(&self.parameters)?;
        let mut batch = Batch::new(&self.request);
        while statement.step()? {
            let position = if self.addressed { statement.int(0) as u64 } else { 0 };
            batch.push(&statement, usize::from(self.addressed), position);
        }
        Ok(batch.finish())
    }

    /// Starts it.
    pub(super) fn stream(self, lease: Lease) -> ReadStream {
        let (sender, receiver) = mpsc::channel(WAITING);
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || {
            let mut lease = lease;
            if let Err(error) = self.run(&runtime, &mut lease, &sender) {
                // Nobody listens any more when this fails.
                let _ = sender.blocking_send(Err(error));
            }
        });
        Box::pin(stream::unfold(receiver, |mut receiver| async {
            let batch = receiver.recv().await?;
            Some((batch, receiver))
        }))
    }

    fn run(
        &self,
        runtime: &Handle,
        lease: &mut Lease,
        sender: &mpsc::Sender<Result<ReadBatch>>,
    ) -> Result<()> {
        let store = lease.store();
        let failed = |code: Code| failed(&store, &format!("read {}", self.request.table.name), code);
        let mut raw = Raw::lock(runtime, lease.connection()).map_err(failed)?;
        let mut statement = raw.prepare(&self.sql).map_err(failed)?;
        statement.bind_ints(&self.parameters).map_err(failed)?;
        let mut batch = Batch::new(&self.request);
        let mut ordinal = 0;
        while statement.step().map_err(failed)? {
            let position = if self.addressed { statement.int(0) as u64 } else { ordinal };
            ordinal += 1;
            batch.push(&statement, usize::from(self.addressed), position);
            if batch.is_full(self.request.batch_rows) && sender.blocking_send(Ok(batch.finish())).is_err() {
                return Ok(());
            }
        }
        if !batch.is_empty() {
            let _ = sender.blocking_send(Ok(batch.finish()));
        }
        Ok(())
    }
}

/// The condition for a range of a key. SQLite orders text and blobs above every number, so that a dirty value in an
/// integer column falls into the split that is open above.
fn between(
    request: &ReadRequest,
    rowid: Option<&str>,
    column: &str,
    from: Option<i64>,
    to: Option<i64>,
) -> Option<(String, Vec<i64>)> {
    let known = request.table.column(column).map(|c| format!("t.{}", quote(&c.name)));
    let is_rowid = column.eq_ignore_ascii_case("rowid");
    let key = if is_rowid { rowid.map(|r| format!("t.{r}")).or(known) } else { known }?;
    Some(match (from, to) {
        (None, None) => (String::new(), Vec::new()),
        (Some(from), None) => (format!("{key} >= ?1"), vec![from]),
        (Some(from), Some(to)) => (format!("{key} >= ?1 AND {key} < ?2"), vec![from, to]),
        (None, Some(to)) if is_rowid => (format!("{key} < ?1"), vec![to]),
        (None, Some(to)) => (format!("({key} < ?1 OR {key} IS NULL)"), vec![to]),
    })
}

/// Rows on their way into a batch.
struct Batch {
    schema: SchemaRef,
    decoders: Vec<Decoder>,
    positions: Vec<u64>,
    bad: Vec<BadRow>,
    bytes: usize,
}

impl Batch {
    fn new(request: &ReadRequest) -> Self {
        let decoder = |c: &crate::ReadColumn| Decoder::new(&request.table.columns[c.index], c.as_text);
        Self {
            schema: request.schema(),
            decoders: request.columns.iter().map(decoder).collect(),
            positions: Vec::new(),
            bad: Vec::new(),
            bytes: 0,
        }
    }

    fn push(&mut self, statement: &Statement<'_>, first: usize, position: u64) {
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(self.decoders.len());
        for (i, decoder) in self.decoders.iter().enumerate() {
            match decoder.cell(statement.column(first + i)) {
                Ok(cell) => cells.push(cell),
                Err(reason) => {
                    let fields: Vec<_> =
                        (0..self.decoders.len()).map(|i| raw_bytes(statement.column(first + i))).collect();
                    self.bytes += fields.iter().flatten().map(Vec::len).sum::<usize>();
                    self.bad.push(BadRow { position, byte: None, reason, column: Some(i), fields });
                    return;
                }
            }
        }
        for (decoder, cell) in self.decoders.iter_mut().zip(cells) {
            self.bytes += decoder.push(cell);
        }
        self.positions.push(position);
    }

    fn is_full(&self, rows: usize) -> bool {
        self.positions.len() + self.bad.len() >= rows.max(1) || self.bytes >= BATCH_BYTES
    }

    fn is_empty(&self) -> bool {
        self.positions.is_empty() && self.bad.is_empty()
    }

    fn finish(&mut self) -> ReadBatch {
        let columns = self.decoders.iter_mut().map(Decoder::finish).collect();
        let count = RecordBatchOptions::new().with_row_count(Some(self.positions.len()));
        let rows = match RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &count) {
            Ok(rows) => rows,
            Err(_) => unreachable!("schema and decoders come from the same request"),
        };
        self.bytes = 0;
        ReadBatch { rows, positions: std::mem::take(&mut self.positions), bad: std::mem::take(&mut self.bad) }
    }
}
