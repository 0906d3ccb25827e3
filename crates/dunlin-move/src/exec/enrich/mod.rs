//! Enriching while rows move: columns looked up in another store by a key.
//!
//! A lookup never multiplies rows: a key that occurs twice on the side is an error before anything moves. Keys are
//! compared as trimmed canonical text, so that the number 17 and the text `17` meet. A small side is held in memory;
//! a larger one lies on disk, sorted by key hash, and is searched (see [`lookup`]), so memory stays bounded.

mod lookup;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion_physical_plan::SendableRecordBatchStream;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use dunlin_connect::{array_to_text, text_to_array};
use futures::StreamExt;

pub use lookup::{Lookup, MEMORY_MAX_BYTES};

use super::Stage;
use crate::batch::{lead, with_lead};
use crate::spec::TableSpec;
use crate::{MoveError, Result};

/// Adds the columns of the plan's `during` enrichments to the rows of one table.
pub struct EnrichStage {
    spec: Arc<TableSpec>,
    lookups: Vec<Arc<Lookup>>,
}

impl EnrichStage {
    /// A stage over lookups in the order of the plan's `during` enrichments.
    pub fn new(spec: Arc<TableSpec>, lookups: Vec<Arc<Lookup>>) -> Self {
        Self { spec, lookups }
    }
}

impl Stage for EnrichStage {
    fn name(&self) -> &'static str {
        "enrich"
    }

    fn schema(&self) -> SchemaRef {
        let fields: Vec<Field> =
            self.spec.mapping.input_schema.fields().iter().map(|f| f.as_ref().clone()).collect();
        with_lead(&Schema::new(fields))
    }

    fn run(&self, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let schema = self.schema();
        let (spec, lookups, out) = (self.spec.clone(), self.lookups.clone(), schema.clone());
        let stream = input.map(move |batch| Ok(widen(&batch?, &spec, &lookups, &out)?));
        Box::pin(RecordBatchStreamAdapter::new(schema, stream))
    }
}

/// Adds the looked-up columns to a batch.
pub(crate) fn widen(
    batch: &RecordBatch,
    spec: &TableSpec,
    lookups: &[Arc<Lookup>],
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let mut arrays: Vec<ArrayRef> = batch.columns().to_vec();
    let mut place = spec.read.len();
    for lookup in lookups {
        let on = lead::COUNT + lookup.on;
        let keys = array_to_text(batch.column(on), &spec.mapping.input_types[lookup.on]);
        let found: Vec<Option<Arc<[Option<String>]>>> = keys
            .iter()
            .map(|key| key.as_deref().map_or(Ok(None), |k| lookup.find(k)))
            .collect::<Result<_>>()?;
        for column in 0..lookup.width {
            let texts: Vec<Option<&str>> =
                found.iter().map(|row| row.as_ref().and_then(|r| r[column].as_deref())).collect();
            // The texts are canonical forms of this very type, so nothing is left unread.
            let (array, _) = text_to_array(&texts, &spec.mapping.input_types[place]);
            arrays.push(array);
            place += 1;
        }
    }
    RecordBatch::try_new(schema.clone(), arrays)
        .map_err(|_| MoveError::Engine { act: "enrich a batch".to_owned(), code: "schema".to_owned() })
}
