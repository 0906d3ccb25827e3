//! Rows that stood in the target before: what a plan with `within = ["source", "target"]` holds the rows that move against.
//! They are the target's rows but those that dunlin has loaded, and they stay as they are.
//!
//! Not here: what becomes of rows that fold into them ([`super::crosswalk`]).

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use dunlin_connect::{ReadRequest, Reader, text_to_array};
use futures::StreamExt;

use super::rows::{Name, pick};
use crate::exec::names::key_hashes;
use crate::parts::{live_entries, parts_of};
use crate::quarantine::rows_as_text;
use crate::remap::engine;
use crate::run::Run;
use crate::spec::TableSpec;
use crate::{Result, carry};

/// Rows of one read.
const ROWS_A_READ: u64 = 250_000;

/// The rows of one table that stood in the target before.
pub(crate) struct There {
    reader: Arc<dyn Reader>,
    spec: Arc<TableSpec>,
    key: dunlin_connect::canon::HashKey,
    /// The names of the rows that dunlin has loaded.
    loaded: HashSet<Name>,
}

impl There {
    /// Those of a table; `None` where the plan does not ask for them, or the table is not there yet. `id` is the run that is
    /// worked on, whose own rows are not among them.
    pub(crate) async fn of(run: &Run<'_>, id: Option<&str>, spec: &Arc<TableSpec>) -> Result<Option<Self>> {
        let asked = spec.plan.duplicates.as_ref().is_some_and(|d| d.within_target());
        if !asked || run.target(spec)?.table(&spec.target.name).await?.is_none() {
            return Ok(None);
        }
        let mut runs: HashSet<String> = id.map(str::to_owned).into_iter().collect();
        runs.extend(carry::latest(run, spec, None).await?.map(|(before, _)| before.id));
        let (mut loaded, workspace) = (HashSet::new(), run.workspace);
        for id in runs {
            let parts = parts_of(workspace.state(), &id, &spec.label).await?;
            live_entries(&workspace.state_dir, &spec.label, &parts, |_, entry| {
                loaded.insert(entry.key);
            })?;
        }
        let reader = run.target(spec)?.reader().await?;
        Ok(Some(Self { reader, spec: spec.clone(), key: run.key, loaded }))
    }

    /// Tells of every row that has a whole key: names and mapped columns, as the target gives them back.
    pub(crate) async fn for_each(
        &self,
        mut each: impl FnMut(&[Name], &RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let spec = &self.spec;
        for bounds in self.reader.splits(&spec.target, ROWS_A_READ, &[]).await? {
            let (table, columns) = (spec.target.clone(), spec.read_back());
            let request = ReadRequest { table, columns, bounds, batch_rows: 8_192 };
            let mut stream = self.reader.read(request).await?;
            while let Some(batch) = stream.next().await {
                let rows = batch?.rows;
                let names = key_hashes(&self.key, &rows, &spec.key, &[]);
                let whole = |row: usize| spec.key.iter().all(|place| rows.column(*place).is_valid(row));
                let picked: Vec<u32> = (0..rows.num_rows())
                    .filter(|row| whole(*row) && !self.loaded.contains(&names[*row]))
                    .map(|row| row as u32)
                    .collect();
                if !picked.is_empty() {
                    let names: Vec<Name> = picked.iter().map(|row| names[*row as usize]).collect();
                    each(&names, &pick(&rows, &UInt32Array::from(picked))?)?;
                }
            }
        }
        Ok(())
    }

    /// The rows of these names, with their names, in the form in which the run loads rows.
    pub(crate) async fn only(&self, wanted: &HashSet<Name>) -> Result<(Vec<Name>, Vec<RecordBatch>)> {
        let (mut names, mut found) = (Vec::new(), Vec::new());
        self.for_each(|all, rows| {
            let picked: Vec<usize> = (0..all.len()).filter(|row| wanted.contains(&all[*row])).collect();
            if !picked.is_empty() {
                names.extend(picked.iter().map(|row| all[*row]));
                found.push(self.as_loaded(rows, &picked)?);
            }
            Ok(())
        })
        .await?;
        Ok((names, found))
    }

    /// A store may give values back in another form of Arrow than that in which they are loaded.
    fn as_loaded(&self, rows: &RecordBatch, picked: &[usize]) -> Result<RecordBatch> {
        let mapping = &self.spec.mapping;
        let types: Vec<_> = mapping.columns.iter().map(|m| m.load_type.clone()).collect();
        let texts = rows_as_text(rows, &types, picked);
        let column = |place: usize| -> Result<ArrayRef> {
            let values: Vec<Option<&str>> = texts.iter().map(|row| row[place].as_deref()).collect();
            let (array, problems) = text_to_array(&values, &types[place]);
            match problems.is_empty() {
                true => Ok(array),
                false => Err(engine("read a row that was there before")),
            }
        };
        let columns = (0..types.len()).map(column).collect::<Result<Vec<_>>>()?;
        RecordBatch::try_new(mapping.target_schema.clone(), columns)
            .map_err(|_| engine("read a row that was there before"))
    }
}
