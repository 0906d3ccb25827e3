//! The loader: the rows of a split and its receipt in one target transaction, and one receipt row out.
//!
//! The order in which things become durable is the whole point:
//! 1. the quarantine fragment and the row index are written, fsynced and renamed;
//! 2. one target transaction writes the rows and the receipt, which names both files by hash;
//! 3. (in `run`) state change and ledger entry in one state transaction.
//!
//! A crash between any two leaves either nothing, or files that no receipt names, or a receipt without an entry: each
//! is mended when the next run starts.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_physical_plan::SendableRecordBatchStream;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use dunlin_connect::Target;
use dunlin_connect::canon::HashKey;
use dunlin_store::Fragments;
use futures::StreamExt;

use super::Stage;
use super::read::{Sender, async_stream};
use super::split::SplitLoad;
use super::untouched::Untouched;
use crate::accounting::{PartReceipt, Tally};
use crate::batch::{Lead, fate, marker_of};
use crate::spec::TableSpec;
use crate::{MoveError, Result};

/// What all splits of a run share.
#[derive(Clone)]
pub struct LoadContext {
    /// The run.
    pub run: String,
    /// Where rows go; nowhere in a rehearsal that only counts.
    pub target: Option<Arc<dyn Target>>,
    /// The row hash key.
    pub key: HashKey,
    /// Where quarantined rows go, encrypted.
    pub fragments: Fragments,
    /// Where row indexes go.
    pub rows: PathBuf,
    /// Rows quarantined by this run so far.
    pub quarantined: Arc<AtomicU64>,
    /// The run stops when more are quarantined.
    pub quarantine_max: Option<u64>,
    /// Told after each batch: rows, bytes.
    pub progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    /// Rows that an earlier run loaded for a split and that this load replaces, by split.
    pub replaces: Arc<std::collections::BTreeMap<u32, Vec<u64>>>,
    /// The hash of the crosswalks by which duplicates and references to them are loaded, where there are any.
    pub crosswalk: Option<String>,
}

/// Loads the splits of one table.
pub struct LoadStage {
    /// What the run's splits share.
    pub context: LoadContext,
    /// The table.
    pub spec: Arc<TableSpec>,
    /// How rows in the bytes of the wire are decoded; absent where they arrive mapped.
    pub untouched: Option<Arc<Untouched>>,
}

/// The schema of a receipt row.
pub fn receipt_schema() -> SchemaRef {
    Schema::new(vec![Field::new("receipt", DataType::Utf8, false)]).into()
}

impl Stage for LoadStage {
    fn name(&self) -> &'static str {
        "load"
    }

    fn schema(&self) -> SchemaRef {
        receipt_schema()
    }

    fn run(&self, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let (context, spec, untouched) = (self.context.clone(), self.spec.clone(), self.untouched.clone());
        let stream = async_stream(move |send| load_splits(input, context, spec, untouched, send));
        Box::pin(RecordBatchStreamAdapter::new(receipt_schema(), stream))
    }
}

async fn load_splits(
    mut input: SendableRecordBatchStream,
    context: LoadContext,
    spec: Arc<TableSpec>,
    untouched: Option<Arc<Untouched>>,
    send: Sender,
) -> Result<()> {
    let mut open: Option<SplitLoad> = None;
    while let Some(batch) = input.next().await {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                if let Some(load) = open.take() {
                    load.abort().await;
                }
                return Err(MoveError::engine("read and map a split", error));
            }
        };
        let lead = Lead::of(&batch);
        match marker_of(&batch) {
            Some(fate::BEGIN) => {
                let load = SplitLoad::begin(lead.split, context.clone(), spec.clone(), untouched.clone());
                open = Some(load.await?);
            }
            Some(_) => {
                let load = open.take().ok_or_else(|| broken("a split ended that had not begun"))?;
                let read = Tally { rows: lead.positions[0], hash: lead.hashes[0] };
                let receipt = load.end(read).await?;
                let text = serde_json::to_string(&receipt).unwrap_or_default();
                let column = Arc::new(StringArray::from(vec![text]));
                let row = RecordBatch::try_new(receipt_schema(), vec![column]);
                send.send(row.map_err(|_| broken("a receipt is not a row"))?).await?;
            }
            None => {
                let load = open.as_mut().ok_or_else(|| broken("rows came before their split"))?;
                if let Err(error) = load.rows(&batch, lead).await {
                    if let Some(load) = open.take() {
                        load.abort().await;
                    }
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

/// What cannot be unless dunlin is wrong.
pub(super) fn broken(message: &str) -> MoveError {
    MoveError::Broken {
        message: message.to_owned(),
        help: "this is a defect of dunlin: please report it".to_owned(),
    }
}

/// The receipt of one split with its number.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct SplitReceipt {
    /// The split.
    pub split: u32,
    /// What it did.
    pub receipt: PartReceipt,
}
