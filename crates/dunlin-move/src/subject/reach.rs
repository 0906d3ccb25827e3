//! Where a customer can be written to, and in which language, as their own row has it. Customer data for letters alone:
//! it is shown to nobody. Not here: whether somebody may be written to, and what.

use std::sync::Arc;

use arrow::array::RecordBatch;
use dunlin_connect::array_to_text;
use dunlin_plan::Plan;
use dunlin_store::Workspace;
use futures::StreamExt;

use super::request::of;
use super::scene::{Stand, scene};
use crate::Result;
use crate::address::mapped_columns;
use crate::batch::{Lead, body, fate, lead, marker_of};
use crate::finished::Access;
use crate::run::{Observer, Run, RunOptions};
use crate::spec::TableSpec;

/// How a customer can be written to. Customer data: it has no `Debug`.
#[derive(Clone, Default)]
pub struct Reach {
    /// What stands in the column that `[subject] email` names. Nobody has looked whether it is an address.
    pub address: Option<String>,
    /// What stands in the column that `[subject] locale` names, e.g. `es-MX`.
    pub locale: Option<String>,
}

/// Where the columns are, among the mapped ones.
struct Places {
    id: usize,
    email: Option<usize>,
    locale: Option<usize>,
}

impl Places {
    /// The customer's row in these, if it is there.
    fn find(&self, spec: &TableSpec, rows: &RecordBatch, key: &str) -> Option<usize> {
        let id = &spec.mapping.columns[self.id];
        let ids = array_to_text(rows.column(self.id), &id.load_type);
        ids.iter().position(|id| id.as_deref() == Some(key))
    }

    fn read(&self, spec: &TableSpec, rows: &RecordBatch, row: usize) -> Reach {
        let text = |place: Option<usize>| {
            let place = place?;
            let one = rows.column(place).slice(row, 1);
            let text = array_to_text(&one, &spec.mapping.columns[place].load_type).pop().flatten()?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        Reach { address: text(self.email), locale: text(self.locale) }
    }
}

/// How the customer with this key can be written to: by the target's row, or by the source's where it has not arrived.
/// Nothing where the plan names no such column or hides what is in it, and nothing of an erased customer. It reads the
/// customers' table whole.
///
/// # Errors
/// When the plan does not say who a customer is, and those of the stores.
pub async fn reach(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
    key: &str,
) -> Result<Reach> {
    let scene = scene(workspace, plan).await?;
    let stand = Stand::open(workspace, &scene, options, observer, Access::Read).await?;
    let run = stand.run();
    let subjects = of(run)?;
    let links = &subjects.links;
    let spec = run.resolved.specs.iter().find(|s| s.label == links.root);
    let (Some(spec), Some(id)) = (spec, links.id.columns.first()) else { return Ok(Reach::default()) };
    // What the target holds hashed or under tokens can be read by nobody.
    let clear = |place: Option<usize>| place.filter(|at| spec.mapping.columns[*at].protect.is_none());
    let places = Places { id: *id, email: clear(links.email), locale: clear(links.locale) };
    if places.email.is_none() && places.locale.is_none() {
        return Ok(Reach::default());
    }
    if let Some(found) = in_target(run, spec, &places, key).await? {
        return Ok(found);
    }
    Ok(in_source(run, spec, &places, key).await?.unwrap_or_default())
}

async fn in_target(run: &Run<'_>, spec: &Arc<TableSpec>, at: &Places, key: &str) -> Result<Option<Reach>> {
    if crate::resolve::existing_target(run.target(spec)?.as_ref(), &spec.plan).await?.is_none() {
        return Ok(None);
    }
    let mut stream = run.target(spec)?.reader().await?.read_addressed(Arc::clone(&spec.target)).await?;
    while let Some(batch) = stream.next().await {
        let rows = mapped_columns(spec, &batch?.rows)?;
        if let Some(row) = at.find(spec, &rows, key) {
            return Ok(Some(at.read(spec, &rows, row)));
        }
    }
    Ok(None)
}

/// On the way into the target: mapped, and as customers have corrected it.
async fn in_source(run: &Run<'_>, spec: &Arc<TableSpec>, at: &Places, key: &str) -> Result<Option<Reach>> {
    let reader = run.source(spec)?.reader().await?;
    let pipeline = run.pipeline(spec, &reader).await?;
    let bounds = reader.splits(&spec.source, 250_000, &[]).await?;
    let splits: Vec<_> = bounds.into_iter().enumerate().map(|(i, b)| (i as u32, b)).collect();
    let (reads, mut found) = (spec.read.len(), None);
    pipeline
        .for_each(&splits, |batch| {
            if found.is_some() || marker_of(batch).is_some() {
                return Ok(());
            }
            let rows = body(batch, reads, batch.num_columns() - lead::COUNT);
            if let Some(row) = at.find(spec, &rows, key)
                && Lead::of(batch).fates[row] != fate::ERASED
            {
                found = Some(at.read(spec, &rows, row));
            }
            Ok(())
        })
        .await?;
    Ok(found)
}
