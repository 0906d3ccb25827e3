//! The reader: a split's descriptor becomes rows, each with its hash in source space.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, new_null_array};
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

async fn read_splits(
    mut input: SendableRecordBatchStream,
    reader: Arc<dyn Reader>,
    request: ReadRequest,
    key: HashKey,
    schema: SchemaRef,
    send: Sender,
) -> Result<()> {
    while let Some(batch) = input.next().await {
        let batch = batch.map_err(|e| MoveError::engine("read a split's descriptor", e))?;
        for row in 0..batch.num_rows() {
            let split = batch.column(0).as_primitive::<UInt32Type>().value(row);
            let bounds =
                serde_json::from_str(batch.column(1).as_string::<i32>().value(row)).map_err(|_| {
                    MoveError::Engine { act: "read a split's descriptor".into(), code: "json".into() }
                })?;
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
        let mut arrays = lead.arrays();
        arrays.extend(batch.rows.columns().iter().cloned());
        out.push(RecordBatch::try_new(schema.clone(), arrays).map_err(|e| {
            MoveError::engine(
                "take a batch from a store",
                datafusion_common::DataFusionError::ArrowError(Box::new(e), None),
            )
        })?);
    }
    if !batch.bad.is_empty() {
        let lead = bad_lead(batch.bad, split, key, schema);
        lead.hashes.iter().for_each(|h| read.add(*h));
        let n = lead.hashes.len();
        out.push(with_columns(schema, &lead, |ty| new_null_array(ty, n)));
    }
    Ok(out)
}

fn bad_lead(bad: Vec<BadRow>, split: u32, key: &HashKey, schema: &SchemaRef) -> Lead {
    let positions = bad.iter().map(|b| b.position).collect();
    let hashes = bad.iter().map(|b| hash_raw(key, &b.fields)).collect();
    let mut lead = Lead::alive(split, positions, hashes);
    for (row, bad) in bad.into_iter().enumerate() {
        let column = bad.column.and_then(|c| schema.fields().get(crate::batch::lead::COUNT + c));
        lead.end(row, fate::QUARANTINED, bad.reason.code().to_owned(), column.map(|f| f.name().as_str()));
        lead.keep_raw(row, crate::quarantine::pack_fields(&bad.fields));
    }
    lead
}
