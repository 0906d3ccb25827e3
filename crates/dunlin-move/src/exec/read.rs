//! The reader: a split's descriptor becomes rows, each with its hash in source space.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::datatypes::{SchemaRef, UInt32Type};
use datafusion_common::Result as DfResult;
use datafusion_physical_plan::SendableRecordBatchStream;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use dunlin_connect::canon::{HashKey, hash_raw, hash_rows};
use dunlin_connect::{BadRow, Bounds, ReadBatch, ReadColumn, ReadRequest, Reader, Table};
use futures::StreamExt;

use super::Stage;
use crate::accounting::Tally;
use crate::batch::{Lead, fate, marker, with_columns, with_lead};
use crate::{MoveError, Result};

/// Reads splits of one table.
pub struct ReadStage {
    /// The source.
    pub reader: Arc<dyn Reader>,
    /// The source table.
    pub table: Arc<Table>,
    /// The columns that the plan uses; the others are not even read.
    pub columns: Vec<ReadColumn>,
    /// The workspace's row hash key.
    pub key: HashKey,
    /// The most rows of a batch.
    pub batch_rows: usize,
}

impl ReadStage {
    fn request(&self, bounds: Bounds) -> ReadRequest {
        ReadRequest {
            table: self.table.clone(),
            columns: self.columns.clone(),
            bounds,
            batch_rows: self.batch_rows,
        }
    }
}

impl Stage for ReadStage {
    fn name(&self) -> &'static str {
        "read"
    }

    fn schema(&self) -> SchemaRef {
        with_lead(&self.request(Bounds::Whole).schema())
    }

    fn run(&self, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let schema = self.schema();
        let (reader, key, request) = (self.reader.clone(), self.key, self.request(Bounds::Whole));
        let out = schema.clone();
        let stream = async_stream(move |send| read_splits(input, reader, request, key, out, send));
        Box::pin(RecordBatchStreamAdapter::new(schema, stream))
    }
}

/// A stream fed by a task through a short channel: bounded memory, and the reader works ahead of the mapper.
pub(crate) fn async_stream<F, Fut>(task: F) -> impl futures::Stream<Item = DfResult<RecordBatch>>
where
    F: FnOnce(Sender) -> Fut,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    let (send, receive) = tokio::sync::mpsc::channel::<DfResult<RecordBatch>>(2);
    let work = task(Sender(send.clone()));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        if let Err(error) = work.await {
            // The receiver may be gone because the run was cancelled: then nobody wants to know.
            let _ = send.send(Err(error.into())).await;
        }
    });
    // The set is moved into the stream, so that dropping the stream ends the task.
    futures::stream::unfold((receive, tasks), |(mut receive, tasks)| async move {
        receive.recv().await.map(|item| (item, (receive, tasks)))
    })
}

/// The sending side of [`async_stream`].
#[derive(Clone)]
pub(crate) struct Sender(tokio::sync::mpsc::Sender<DfResult<RecordBatch>>);

impl Sender {
    /// Sends a batch; an error means that nobody listens any more.
    pub(crate) async fn send(&self, batch: RecordBatch) -> Result<()> {
        let gone = |_| MoveError::Engine { act: "hand a batch on".into(), code: "cancelled".into() };
        self.0.send(Ok(batch)).await.map_err(gone)
    }
}

/// The splits that a batch of the leaf describes.
pub(super) fn described(batch: DfResult<RecordBatch>) -> Result<Vec<(u32, Bounds)>> {
    const ACT: &str = "read a split's descriptor";
    let batch = batch.map_err(|e| MoveError::engine(ACT, e))?;
    let splits = batch.column(0).as_primitive::<UInt32Type>().values();
    let bounds = batch.column(1).as_string::<i32>().iter().flatten();
    let unreadable = |_| MoveError::Engine { act: ACT.into(), code: "json".into() };
    let one = |(split, text): (&u32, &str)| Ok((*split, serde_json::from_str(text).map_err(unreadable)?));
    splits.iter().zip(bounds).map(one).collect()
}

async fn read_splits(
    mut input: SendableRecordBatchStream,
    reader: Arc<dyn Reader>,
    request: ReadRequest,
    key: HashKey,
    schema: SchemaRef,
    send: Sender,
) -> Result<()> {
    while let Some(batch) = input.next().await {
        for (split, bounds) in described(batch)? {
            send.send(marker(&schema, split, fate::BEGIN, Tally::default())).await?;
            let mut read = Tally::default();
            let mut rows = reader.read(ReadRequest { bounds, ..request.clone() }).await?;
            while let Some(batch) = rows.next().await {
                for batch in arrive(batch?, split, &key, &schema, &mut read)? {
                    send.send(batch).await?;
                }
            }
            send.send(marker(&schema, split, fate::END, read)).await?;
        }
    }
    Ok(())
}

/// The readable and the unreadable rows of a batch, hashed and counted.
fn arrive(
    batch: ReadBatch,
    split: u32,
    key: &HashKey,
    schema: &SchemaRef,
    read: &mut Tally,
) -> Result<Vec<RecordBatch>> {
    let mut out = Vec::with_capacity(2);
    if batch.rows.num_rows() > 0 {
        let lead = Lead::alive(split, batch.positions, hash_rows(key, &batch.rows));
        lead.hashes.iter().for_each(|h| read.add(*h));
        out.push(take_batch(schema, &lead, batch.rows.columns().iter().cloned())?);
    }
    if !batch.bad.is_empty() {
        out.push(bad_rows(batch.bad, split, key, schema, &batch.rows.schema(), read));
    }
    Ok(out)
}

/// A batch of a lead and the columns behind it.
pub(super) fn take_batch(
    schema: &SchemaRef,
    lead: &Lead,
    columns: impl IntoIterator<Item = ArrayRef>,
) -> Result<RecordBatch> {
    let mut arrays = lead.arrays();
    arrays.extend(columns);
    RecordBatch::try_new(schema.clone(), arrays).map_err(|e| {
        let error = datafusion_common::DataFusionError::ArrowError(Box::new(e), None);
        MoveError::engine("take a batch from a store", error)
    })
}

/// Rows that could not be read, as a batch whose rows are quarantined already. `columns` are those of the read.
pub(super) fn bad_rows(
    bad: Vec<BadRow>,
    split: u32,
    key: &HashKey,
    schema: &SchemaRef,
    columns: &SchemaRef,
    read: &mut Tally,
) -> RecordBatch {
    let positions = bad.iter().map(|b| b.position).collect();
    let hashes: Vec<_> = bad.iter().map(|b| hash_raw(key, &b.fields)).collect();
    hashes.iter().for_each(|h| read.add(*h));
    let mut lead = Lead::alive(split, positions, hashes);
    for (row, bad) in bad.into_iter().enumerate() {
        let column = bad.column.and_then(|c| columns.fields().get(c));
        lead.end(row, fate::QUARANTINED, bad.reason.code().to_owned(), column.map(|f| f.name().as_str()));
        lead.keep_raw(row, crate::quarantine::pack_fields(&bad.fields), bad.byte);
    }
    let n = lead.hashes.len();
    with_columns(schema, &lead, |ty| new_null_array(ty, n))
}
