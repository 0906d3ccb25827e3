//! A customer's rows leave the source, where the plan says so. The equation is told first: a source that is read again
//! will be short of exactly these rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::act::run_of;
use super::meant;
use super::scene::Stand;
use super::stage::Subjects;
use super::sweep::{Found, Sweep};
use crate::accounting::{PartReceipt, Tally};
use crate::run::Run;
use crate::spec::TableSpec;
use crate::{MoveError, Result, recover};

/// Deletes the customer's rows in the sources, children first. Gives rows by store.
pub(crate) async fn erase(
    stand: &Stand<'_>,
    subjects: &Subjects,
    found: &Found,
    request: &str,
) -> Result<BTreeMap<String, u64>> {
    let run = stand.run();
    let mut deleted = BTreeMap::new();
    for spec in run.resolved.specs.iter().rev() {
        let Some(rows) = found.source.get(&spec.label) else { continue };
        let store = &spec.plan.from.store;
        let n: &mut u64 = deleted.entry(store.clone()).or_default();
        if rows.is_empty() {
            continue;
        }
        let sweep = Sweep::new(run, &subjects.links, &[])?;
        let (addressed, lost) = sweep.addressed(spec, rows).await?;
        if lost > 0 {
            return Err(MoveError::Broken {
                message: format!(
                    "{} of the source of {} cannot be told apart by address",
                    crate::error::rows(lost),
                    spec.label
                ),
                help: "delete them in the source by hand, then carry the request out again".to_owned(),
            });
        }
        if let Some(id) = stand.id() {
            let id = run_of(run, spec, id).await?;
            account(run, &id, spec, rows.iter().map(|r| r.hash), request).await?;
        }
        fail::fail_point!("move::subject.source", |_| Err(MoveError::failpoint("move::subject.source")));
        let positions: Vec<u64> = addressed.iter().map(|row| row.position).collect();
        let meant = meant::in_source(run, spec, addressed.iter().map(|row| (row.position, row.hash)));
        *n += run.source(spec)?.target().await?.erase(&spec.source, &positions, &meant).await?;
    }
    Ok(deleted)
}

/// Says once that these rows are gone from the source, where the run had read them.
async fn account(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    rows: impl Iterator<Item = dunlin_connect::canon::RowHash>,
    request: &str,
) -> Result<()> {
    let state = run.workspace.state();
    let step = format!("source:{}:{id}", spec.label);
    if state.step(request, &step).await?.is_some() {
        return Ok(());
    }
    let mut gone = Tally::default();
    rows.for_each(|hash| gone.add(hash));
    let known = state.amendments(id, &spec.label).await?;
    let number = known.iter().map(|a| a.amendment).max().map_or(1, |n| n + 1);
    let mut tx = state.begin().await?;
    tx.note_step(request, &step, &gone.rows.to_string()).await?;
    let receipt = PartReceipt { gone, ..PartReceipt::default() };
    recover::enter_amendment(&mut tx, &run.options.actor, id, &spec.label, number, receipt).await?;
    tx.commit().await?;
    Ok(())
}
