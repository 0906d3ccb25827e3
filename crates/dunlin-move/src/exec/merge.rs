//! The operator between mapping and what customers asked for that acts on duplicates: losers end as `merged` in the form
//! of their survivor (so that what the survivor's customer asked for reaches them as well), survivors go on in their
//! settled form, and references to losers become references to survivors.
//!
//! Not here: which rows those are ([`crate::duplicates`]).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;
use datafusion_physical_plan::SendableRecordBatchStream;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use dunlin_connect::canon::HashKey;
use dunlin_connect::{ColumnType, array_to_text, text_to_array};
use futures::StreamExt;

use super::Stage;
use crate::Result;
use crate::batch::{Lead, NOTED_SURVIVOR, body, fate, lead, marker_of};
use crate::duplicates::TableMerges;
use crate::duplicates::crosswalk::Standing;
use crate::exec::names::key_hashes;
use crate::remap::engine;
use crate::spec::TableSpec;

/// Acts on the rows of one table.
pub(crate) struct MergeStage {
    pub(crate) merges: Arc<TableMerges>,
    pub(crate) spec: Arc<TableSpec>,
    pub(crate) key: HashKey,
    /// The schema that the mapper gives.
    pub(crate) schema: SchemaRef,
}

impl Stage for MergeStage {
    fn name(&self) -> &'static str {
        "merge"
    }

    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn run(&self, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let (merges, spec, key) = (self.merges.clone(), self.spec.clone(), self.key);
        let stream = input.map(move |batch| {
            let outcome = apply(&merges, &spec, &key, batch?);
            outcome.map_err(|error| datafusion_common::DataFusionError::External(Box::new(error)))
        });
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), stream))
    }
}

/// Acts on a mapped batch.
pub(crate) fn apply(
    merges: &TableMerges,
    spec: &TableSpec,
    key: &HashKey,
    batch: RecordBatch,
) -> Result<RecordBatch> {
    if marker_of(&batch).is_some() || batch.num_rows() == 0 {
        return Ok(batch);
    }
    let from = lead::COUNT + spec.read.len();
    let width = spec.mapping.columns.len();
    let mut marks = Lead::of(&batch);
    let mut columns: Vec<ArrayRef> = batch.columns()[from..from + width].to_vec();
    let folded = fold(merges, spec, key, &batch, &mut marks, &mut columns)?;
    let moved = refer(merges, spec, &marks, &mut columns)?;
    if !folded && !moved {
        return Ok(batch);
    }
    let mut arrays = marks.arrays();
    arrays.extend(batch.columns()[lead::COUNT..from].iter().cloned());
    arrays.extend(columns);
    arrays.extend(batch.columns()[from + width..].iter().cloned());
    RecordBatch::try_new(batch.schema(), arrays).map_err(|_| engine("merge duplicates"))
}

/// The table's own duplicates. Whether there were any.
fn fold(
    merges: &TableMerges,
    spec: &TableSpec,
    key: &HashKey,
    batch: &RecordBatch,
    marks: &mut Lead,
    columns: &mut [ArrayRef],
) -> Result<bool> {
    let Some(own) = &merges.own else { return Ok(false) };
    let mapped = body(batch, spec.read.len(), spec.read.len() + columns.len());
    let names = key_hashes(key, &mapped, &spec.key, &[]);
    // A row of the batch, and where its survivor's loaded form stands.
    let mut losers: Vec<(usize, usize)> = Vec::new();
    let mut changed: Vec<(usize, usize)> = Vec::new();
    let noted = spec.rules.rules.len() < 64;
    for (row, name) in names.iter().enumerate() {
        if marks.fates[row] != fate::ALIVE {
            continue;
        }
        match own.standing(name) {
            Some(Standing::Survivor { row: place, changed: true }) => {
                changed.push((row, place));
                if noted {
                    marks.noted[row] |= NOTED_SURVIVOR;
                }
            }
            Some(Standing::Loser { row: place }) => {
                losers.push((row, place));
                marks.overrule(row, fate::MERGED, None);
            }
            Some(Standing::Survivor { changed: false, .. }) | None => {}
        }
    }
    for (at, (column, settled)) in columns.iter_mut().zip(own.survivors.columns()).enumerate() {
        // What a survivor has by itself stays as it came: a person may have mended it since the crosswalk was found.
        let taking = changed.iter().filter(|(_, place)| own.takes(*place, at));
        let mut hits = losers.iter().chain(taking).peekable();
        if hits.peek().is_none() {
            continue;
        }
        let mut picks: Vec<(usize, usize)> = (0..column.len()).map(|row| (0, row)).collect();
        hits.for_each(|(row, place)| picks[*row] = (1, *place));
        *column = interleave(&[column.as_ref(), settled.as_ref()], &picks)
            .map_err(|_| engine("put a survivor in its place"))?;
    }
    Ok(!losers.is_empty() || !changed.is_empty())
}

/// References to losers become references to survivors. Whether there were any.
fn refer(merges: &TableMerges, spec: &TableSpec, marks: &Lead, columns: &mut [ArrayRef]) -> Result<bool> {
    let mut any = false;
    for moved in &merges.moved {
        let texts: Vec<Vec<Option<String>>> =
            moved.columns.iter().map(|place| array_to_text(&columns[*place], &ColumnType::TEXT)).collect();
        let mut hits: Vec<(usize, &Vec<String>)> = Vec::new();
        for row in 0..marks.fates.len() {
            let values: Option<Vec<String>> = texts.iter().map(|column| column[row].clone()).collect();
            hits.extend(values.and_then(|values| moved.values.get(&values)).map(|to| (row, to)));
        }
        if hits.is_empty() {
            continue;
        }
        any = true;
        for (at, place) in moved.columns.iter().enumerate() {
            let to: Vec<Option<&str>> = hits.iter().map(|(_, values)| Some(values[at].as_str())).collect();
            let (array, problems) = text_to_array(&to, &spec.mapping.columns[*place].load_type);
            if !problems.is_empty() {
                return Err(engine("refer to a survivor"));
            }
            let column = &columns[*place];
            let mut picks: Vec<(usize, usize)> = (0..column.len()).map(|row| (0, row)).collect();
            hits.iter().enumerate().for_each(|(hit, (row, _))| picks[*row] = (1, hit));
            columns[*place] = interleave(&[column.as_ref(), array.as_ref()], &picks)
                .map_err(|_| engine("refer to a survivor"))?;
        }
    }
    Ok(any)
}
