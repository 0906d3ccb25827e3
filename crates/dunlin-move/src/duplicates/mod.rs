//! Duplicates in a run. Before a table with `[table.duplicates]` is loaded, its rows are mapped once and looked through
//! ([`find`]); what is sure becomes a crosswalk: which row folds into which, and what the survivors look like
//! ([`survivor`], [`crosswalk`]). The load then ends losers as `merged`, loads survivors in their settled form, and lets
//! other tables' rows refer to survivors ([`crate::exec::merge`]).
//!
//! The state keeps the crosswalk by keyed hashes, durable before the first row is loaded, so a resumed run and `verify`
//! go by what was found and do not look again; values are read from the source again when they are needed. A receipt
//! names the hash of the crosswalks it was loaded by: rows loaded by another are loaded anew. Parents are matched first.
//!
//! A row whose customer was erased is nobody's duplicate, unless all rows of its cluster are such rows: nothing of it comes
//! back through a survivor.
//!
//! Rows that stood in the target before are looked through as well where the plan says `within = ["source", "target"]`
//! ([`there`]). They stay as they are; what is the same folds into them.
//!
//! Not here: what else a customer asked for goes before all this ([`crate::subject`]); rows in quarantine are not compared.

pub(crate) mod amend;
pub(crate) mod carry_out;
pub(crate) mod crosswalk;
pub(crate) mod find;
mod links;
pub(crate) mod listed;
pub(crate) mod preview;
pub(crate) mod review;
pub(crate) mod rows;
pub(crate) mod survivor;
#[cfg(test)]
mod tests;
pub(crate) mod there;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use dunlin_connect::{Bounds, Reader};
use dunlin_store::{Body, Crosswalk as Kept, DuplicatePair, Mark};

pub(crate) use crosswalk::Crosswalk;
pub(crate) use links::{TableMerges, links};

#[cfg(feature = "failpoints")]
use crate::MoveError;
use crate::batch::{body, marker_of};
use crate::exec::merge;
use crate::exec::names::key_hashes;
use crate::pipeline::Pipeline;
use crate::run::{Event, Run};
use crate::spec::TableSpec;
use crate::subject::stage::Acting;
use crate::{Result, carry};
use rows::Name;
use there::There;

/// Rows of one read of the matching pass.
const ROWS_A_READ: u64 = 250_000;

/// The crosswalks of a run, by table.
#[derive(Default)]
pub(crate) struct Crosswalks(Mutex<BTreeMap<String, Arc<Crosswalk>>>);

impl Crosswalks {
    /// The crosswalk of a table, where one was found and it is not empty.
    pub(crate) fn of(&self, label: &str) -> Option<Arc<Crosswalk>> {
        let all = self.0.lock().ok()?;
        all.get(label).filter(|c| !c.is_empty()).cloned()
    }

    /// What [`Crosswalk::settled`] is of a table, also where no row folds into another.
    fn settled(&self, label: &str) -> Option<String> {
        let all = self.0.lock().ok()?;
        all.get(label).map(|c| c.settled.clone())
    }

    fn has(&self, label: &str) -> bool {
        self.0.lock().is_ok_and(|all| all.contains_key(label))
    }

    pub(crate) fn put(&self, label: &str, crosswalk: Crosswalk) {
        if let Ok(mut all) = self.0.lock() {
            all.insert(label.to_owned(), Arc::new(crosswalk));
        }
    }
}

/// The matching pass of a run: every table with `[table.duplicates]` that is loaded, or that loaded rows refer to. With a
/// run's id what is found is remembered under it, and what is remembered is not looked for again.
pub(crate) async fn before(
    run: &Run<'_>,
    id: Option<&str>,
    readers: &BTreeMap<String, Arc<dyn Reader>>,
) -> Result<()> {
    let loaded = |label: &str| run.resolved.specs.iter().any(|s| s.label == label && run.chosen(s));
    for spec in run.resolved.specs.iter().filter(|s| s.plan.duplicates.is_some()) {
        let referred = run.resolved.specs.iter().filter(|s| run.chosen(s));
        let referred = referred.into_iter().any(|s| links(run, s).iter().any(|l| l.parent == spec.label));
        if !loaded(&spec.label) && !referred {
            continue;
        }
        let reader = &readers[&spec.plan.from.store];
        let mut kept = match id {
            Some(id) => run.workspace.state().crosswalk(id, &spec.label).await?,
            None => None,
        };
        if kept.is_none() && !loaded(&spec.label) {
            kept = loaded_by(run, id, spec).await?;
        }
        match kept {
            Some(kept) => again_by(run, id, spec, reader, kept).await?,
            None => look(run, id, spec, reader).await?,
        }
    }
    Ok(())
}

/// The crosswalk by which the rows of a table stand in the target that this run does not load: that of the latest run that
/// did. With a run's id it is remembered under it as well.
async fn loaded_by(run: &Run<'_>, id: Option<&str>, spec: &TableSpec) -> Result<Option<Kept>> {
    let Some((before, _)) = carry::latest(run, spec, id).await? else { return Ok(None) };
    let state = run.workspace.state();
    let Some(kept) = state.crosswalk(&before.id, &spec.label).await? else { return Ok(None) };
    if let Some(id) = id {
        let pairs = state.duplicate_pairs(&before.id, &spec.label).await?;
        let mut tx = state.begin().await?;
        tx.put_crosswalk(id, &spec.label, &kept).await?;
        tx.put_duplicate_pairs(id, &spec.label, &pairs).await?;
        tx.commit().await?;
    }
    Ok(Some(kept))
}

/// What a run found, made ready to act on rows again: for `verify`, decisions and what else maps rows after the load.
pub(crate) async fn again(run: &Run<'_>, id: &str) -> Result<()> {
    for spec in run.resolved.specs.iter().filter(|s| s.plan.duplicates.is_some()) {
        if run.crosswalks.has(&spec.label) {
            continue;
        }
        if let Some(kept) = run.workspace.state().crosswalk(id, &spec.label).await? {
            let reader = run.source(spec)?.reader().await?;
            again_by(run, Some(id), spec, &reader, kept).await?;
        }
    }
    Ok(())
}

async fn again_by(
    run: &Run<'_>,
    id: Option<&str>,
    spec: &Arc<TableSpec>,
    reader: &Arc<dyn Reader>,
    kept: Kept,
) -> Result<()> {
    let clusters = crosswalk::clusters_of(&kept.folded);
    let among = Among::of(run, id, spec, reader).await?;
    let crosswalk = Crosswalk::gather(&among, &clusters, Some(kept.hash)).await?;
    run.crosswalks.put(&spec.label, crosswalk);
    Ok(())
}

async fn look(
    run: &Run<'_>,
    id: Option<&str>,
    spec: &Arc<TableSpec>,
    reader: &Arc<dyn Reader>,
) -> Result<()> {
    run.observer.event(Event::Step { table: Some(&spec.label), step: "look for duplicates" });
    let among = Among::of(run, id, spec, reader).await?;
    let decisions = run.workspace.state().pair_decisions(&spec.label).await?;
    let mut looked = find::look(&among, &decisions).await?;
    let (erased, marks) = erased(run, spec, reader).await?;
    if let Some(subjects) = &run.subjects {
        subjects.remember(&marks).await?;
    }
    looked.without(&erased);
    let crosswalk = Crosswalk::gather(&among, &looked.clusters, None).await?;
    if let Some(id) = id {
        keep(run, id, spec, &crosswalk, &looked.pairs).await?;
    }
    run.crosswalks.put(&spec.label, crosswalk);
    Ok(())
}

/// What was found becomes durable before the first row is loaded by it.
async fn keep(
    run: &Run<'_>,
    id: &str,
    spec: &TableSpec,
    crosswalk: &Crosswalk,
    pairs: &[DuplicatePair],
) -> Result<()> {
    fail::fail_point!("move::duplicates.before", |_| Err(MoveError::failpoint("move::duplicates.before")));
    let clusters = crosswalk::clusters_of(&crosswalk.folded).len() as u64;
    let body = Body::DuplicatesMatched {
        run: id.to_owned(),
        table: spec.label.clone(),
        clusters,
        merged: crosswalk.folded.len() as u64,
        waiting: pairs.len() as u64,
        crosswalk: crosswalk.hash.clone(),
    };
    let kept = Kept { hash: crosswalk.hash.clone(), folded: crosswalk.folded.clone() };
    let mut tx = run.workspace.state().begin().await?;
    tx.put_crosswalk(id, &spec.label, &kept).await?;
    tx.put_duplicate_pairs(id, &spec.label, pairs).await?;
    tx.enter(run.entry(body)).await?;
    tx.commit().await?;
    fail::fail_point!("move::duplicates.after", |_| Err(MoveError::failpoint("move::duplicates.after")));
    Ok(())
}

/// The names of the rows whose own customer was erased, and marks that follow from them which nobody has remembered: of what
/// other tables name these rows by, so that their rows are known when those tables are looked through.
async fn erased(
    run: &Run<'_>,
    spec: &Arc<TableSpec>,
    reader: &Arc<dyn Reader>,
) -> Result<(HashSet<Name>, Vec<Mark>)> {
    let (mut names, mut marks) = (HashSet::new(), Vec::new());
    let Some(subjects) = &run.subjects else { return Ok((names, marks)) };
    let asked = subjects.asked().await?;
    if asked.book.is_empty() || !subjects.links.tables.contains_key(&spec.label) {
        return Ok((names, marks));
    }
    let acting = Acting { subjects: subjects.clone(), spec: spec.clone(), protector: run.protector.clone() };
    let Among { pipeline, splits, .. } = Among::moving(run, spec, reader).await?;
    // As the row came: what leads to a parent that folds into another still leads to that parent here.
    let pipeline = Pipeline { merges: None, ..pipeline };
    // A key that moves with its parent names the row otherwise once it has moved.
    let merges = TableMerges::of_parents(run, spec);
    pipeline
        .for_each(&splits, |batch| {
            if marker_of(batch).is_some() || batch.num_rows() == 0 {
                return Ok(());
            }
            let (rows, follow) = acting.erased(&asked, batch);
            marks.extend(follow.into_iter().filter(|mark| !asked.book.knows(mark)));
            if rows.is_empty() {
                return Ok(());
            }
            let moved = match &merges {
                Some(merges) => merge::apply(merges, spec, &run.key, batch.clone())?,
                None => batch.clone(),
            };
            let reads = spec.read.len();
            let mapped = body(&moved, reads, reads + spec.mapping.columns.len());
            let all = key_hashes(&run.key, &mapped, &spec.key, &[]);
            names.extend(rows.into_iter().map(|row| all[row]));
            Ok(())
        })
        .await?;
    Ok((names, marks))
}

/// The rows among which duplicates are sought.
pub(crate) struct Among {
    /// The rows that move, mapped as they are compared: with parents' crosswalks, without what customers asked for, so that
    /// a request does not change who is whose duplicate.
    pub(crate) pipeline: Pipeline,
    pub(crate) splits: Vec<(u32, Bounds)>,
    /// The rows that stood in the target before, where the plan asks for them.
    pub(crate) there: Option<There>,
}

impl Among {
    /// Those of a table. `id` is the run that is worked on.
    pub(crate) async fn of(
        run: &Run<'_>,
        id: Option<&str>,
        spec: &Arc<TableSpec>,
        reader: &Arc<dyn Reader>,
    ) -> Result<Self> {
        Ok(Self { there: There::of(run, id, spec).await?, ..Self::moving(run, spec, reader).await? })
    }

    /// The rows that move alone.
    async fn moving(run: &Run<'_>, spec: &Arc<TableSpec>, reader: &Arc<dyn Reader>) -> Result<Self> {
        let pipeline = run.pipeline(spec, reader).await?;
        let merges = TableMerges::of_parents(run, spec).map(Arc::new);
        let pipeline = Pipeline { subjects: None, merges, ..pipeline };
        let bounds = reader.splits(&spec.source, ROWS_A_READ, &[]).await?;
        let splits = bounds.into_iter().enumerate().map(|(i, b)| (i as u32, b)).collect();
        Ok(Self { pipeline, splits, there: None })
    }
}
