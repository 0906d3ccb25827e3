//! The short way of a table that the plan does not change: between two stores of one system its rows stay in the bytes
//! of the wire. They are told apart, hashed and named while they are read, and loaded as they are; nobody decodes them
//! but for a row that the target refuses.
//!
//! Everything else is as on the long way: markers, positions, hashes, fates, receipts. Not here: deciding anything
//! about a row. A table with a filter, a rule, an expression or a protected column takes the long way.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, FixedSizeBinaryArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_physical_plan::SendableRecordBatchStream;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use dunlin_connect::canon::HashKey;
use dunlin_connect::{ReadRequest, Reader, Target, Unwired, WireBatch, WireRequest};
use futures::StreamExt;

use super::Stage;
use super::load::LoadContext;
use super::read::{Sender, async_stream, bad_rows, described, take_batch};
use crate::accounting::Tally;
use crate::batch::{Lead, fate, lead, marker, with_lead};
use crate::carry::load_spec;
use crate::spec::{TableSpec, Value};
use crate::{MoveError, Result};

/// Where a row's name stands in a batch of this way.
pub(super) const NAME: usize = lead::COUNT;
/// Where its bytes stand.
pub(super) const BYTES: usize = lead::COUNT + 1;

/// Reads splits of one table without decoding them.
#[derive(Clone)]
pub struct Untouched {
    /// The source.
    pub reader: Arc<dyn Reader>,
    /// What is read; its bounds are those of each split.
    pub request: ReadRequest,
    /// The workspace's row hash key.
    pub key: HashKey,
    /// The columns that name a row in the target, by their position in the request.
    pub name: Vec<usize>,
}

impl Untouched {
    /// The short way of a table, where it may take it.
    ///
    /// # Errors
    /// Those of the target, when it is asked.
    pub async fn of(
        spec: &TableSpec,
        reader: &Arc<dyn Reader>,
        request: ReadRequest,
        context: &LoadContext,
    ) -> Result<Option<Self>> {
        let Some(target) = context.target.as_ref().filter(|_| is_plain(spec)) else { return Ok(None) };
        if !fits(spec, reader.as_ref(), &request, target.as_ref(), context).await? {
            return Ok(None);
        }
        Ok(Some(Self { reader: reader.clone(), request, key: context.key, name: spec.key.clone() }))
    }
}

/// Whether each target column is a source column, in the order in which they are read, and nothing looks at a row.
pub(crate) fn is_plain(spec: &TableSpec) -> bool {
    let mapping = &spec.mapping;
    let column = |(i, column): (usize, &crate::spec::Mapped)| {
        let source = &spec.source.columns[spec.read[i].index];
        matches!(column.value, Value::Column(from) if from == i)
            && column.protect.is_none()
            && !column.as_text
            && (column.nullable || !source.nullable)
    };
    mapping.keep.is_none()
        && mapping.retain.is_none()
        && spec.rules.rules.is_empty()
        && spec.totals.is_none()
        && spec.sums.is_none()
        && mapping.columns.len() == spec.read.len()
        && mapping.input_types.len() == spec.read.len()
        && mapping.columns.iter().enumerate().all(column)
}

async fn fits(
    spec: &TableSpec,
    reader: &dyn Reader,
    request: &ReadRequest,
    target: &dyn Target,
    context: &LoadContext,
) -> Result<bool> {
    let Some(wire) = reader.wire(request) else { return Ok(false) };
    Ok(target.takes_wire(&load_spec(spec, &context.run, ""), &wire).await?)
}

impl Stage for Untouched {
    fn name(&self) -> &'static str {
        "read untouched"
    }

    fn schema(&self) -> SchemaRef {
        with_lead(&Schema::new(vec![
            Field::new("__name", DataType::FixedSizeBinary(16), true),
            Field::new("__bytes", DataType::Binary, true),
        ]))
    }

    fn run(&self, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let (this, schema) = (self.clone(), self.schema());
        let stream = async_stream(move |send| this.read(input, send));
        Box::pin(RecordBatchStreamAdapter::new(schema, stream))
    }
}

impl Untouched {
    async fn read(self, mut input: SendableRecordBatchStream, send: Sender) -> Result<()> {
        let schema = self.schema();
        while let Some(batch) = input.next().await {
            for (split, bounds) in described(batch)? {
                send.send(marker(&schema, split, fate::BEGIN, Tally::default())).await?;
                let request = WireRequest {
                    read: ReadRequest { bounds, ..self.request.clone() },
                    key: self.key,
                    name: self.name.clone(),
                    keep: true,
                    addressed: false,
                };
                let mut read = Tally::default();
                let mut rows = self.reader.read_wire(request).await?;
                while let Some(batch) = rows.next().await {
                    for batch in self.arrive(batch?, split, &schema, &mut read)? {
                        send.send(batch).await?;
                    }
                }
                send.send(marker(&schema, split, fate::END, read)).await?;
            }
        }
        Ok(())
    }

    fn arrive(
        &self,
        batch: WireBatch,
        split: u32,
        schema: &SchemaRef,
        read: &mut Tally,
    ) -> Result<Vec<RecordBatch>> {
        let mut out = Vec::with_capacity(2);
        if !batch.hashes.is_empty() {
            batch.hashes.iter().for_each(|h| read.add(*h));
            let lead = Lead::alive(split, batch.positions, batch.hashes);
            let names = batch.names.into_flattened();
            let columns: [ArrayRef; 2] =
                [Arc::new(FixedSizeBinaryArray::new(16, names.into(), None)), Arc::new(batch.rows)];
            out.push(take_batch(schema, &lead, columns)?);
        }
        if !batch.bad.is_empty() {
            let columns = self.request.schema();
            out.push(bad_rows(batch.bad, split, &self.key, schema, &columns, read));
        }
        Ok(out)
    }

    /// One row as text, in the columns of the read.
    pub(super) fn decode(&self, row: &[u8]) -> Result<Unwired> {
        Ok(self.reader.unwire(&self.request, row)?)
    }
}

/// The names and bytes of a batch of this way.
pub(super) fn content(batch: &RecordBatch) -> Result<(Vec<[u8; 16]>, BinaryArray)> {
    let names = batch.column(NAME).as_any().downcast_ref::<FixedSizeBinaryArray>();
    let bytes = batch.column(BYTES).as_any().downcast_ref::<BinaryArray>();
    let (Some(names), Some(bytes)) = (names, bytes) else {
        return Err(MoveError::Engine { act: "load a batch".into(), code: "columns".into() });
    };
    Ok((names.value_data().as_chunks::<16>().0.to_vec(), bytes.clone()))
}
