//! What customers asked for, done to the rows that are in the targets already: at the end of a run for what came while it
//! was under way, and after a run for a request by itself. Children go before their parents.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use dunlin_connect::canon::{RowHash, hash_rows};
use dunlin_connect::{ForeignKey, Table, Target};
use dunlin_store::{Effect, Mark};

use super::amend::{Change, amend};
use super::links::TableLinks;
use super::marks::{Known, Outcome, outcome};
use super::meant;
use super::scene::Stand;
use super::stage::{Asked, Subjects};
use super::sweep::{Found, Sweep, TargetRow};
use super::values::{anonymised, corrected};
use crate::carry::latest;
use crate::remap::engine;
use crate::run::Run;
use crate::spec::TableSpec;
use crate::undo::without_bookkeeping;
use crate::{Result, recover};

type Targets = BTreeMap<String, Arc<dyn Target>>;

/// What has to become of rows of a table, where anything has.
pub(crate) fn changes(
    run: &Run<'_>,
    asked: &Asked,
    spec: &TableSpec,
    links: &TableLinks,
    rows: &[TargetRow],
    acts: impl Fn(&Known) -> bool,
) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for row in rows {
        let known: Vec<Known> = row.known.iter().filter(|k| acts(k)).cloned().collect();
        let mut columns: Vec<ArrayRef> = row.row.columns().to_vec();
        match outcome(&known, links) {
            // What no longer moves stays where it is; the next run leaves it behind.
            Outcome::Stays | Outcome::Excluded(_) => continue,
            Outcome::Erased => {
                let (position, hash) = (row.position, row.hash);
                changes.push(Change { position, hash, row: row.row.clone(), new: None });
                continue;
            }
            Outcome::Anonymised => anonymised(&mut columns, spec, links, &[0])?,
            Outcome::Corrected(requests) => {
                let set = asked.set(&requests, &spec.label);
                corrected(&mut columns, spec, &run.protector, &[(0, set)])?;
            }
        }
        let new = RecordBatch::try_new(spec.mapping.target_schema.clone(), columns)
            .map_err(|_| engine("change a customer's row"))?;
        if hash_rows(&run.key, &new)[0] != row.hash {
            let (position, hash) = (row.position, row.hash);
            changes.push(Change { position, hash, row: row.row.clone(), new: Some(new) });
        }
    }
    Ok(changes)
}

/// The run in whose equation a table's rows stand: the latest finished one that loaded it, else this one.
pub(crate) async fn run_of(run: &Run<'_>, spec: &TableSpec, id: &str) -> Result<String> {
    let found = latest(run, spec, None).await?;
    Ok(found.map_or_else(|| id.to_owned(), |(record, _)| record.id))
}

/// Acts on found rows of these tables, children first. `ids` names the run of each. Gives rows by table.
async fn on_targets(
    run: &Run<'_>,
    ids: &BTreeMap<String, String>,
    targets: &Targets,
    asked: &Asked,
    subjects: &Subjects,
    found: &Found,
    acts: impl Fn(&Known) -> bool + Copy,
) -> Result<BTreeMap<String, u64>> {
    let mut done = BTreeMap::new();
    let expected: HashMap<RowHash, RowHash> = found.expected();
    let mut wanted = Vec::new();
    for spec in run.resolved.specs.iter().rev().filter(|s| ids.contains_key(&s.label)) {
        let (Some(rows), Some(links)) =
            (found.target.get(&spec.label), subjects.links.tables.get(&spec.label))
        else {
            continue;
        };
        let changes = changes(run, asked, spec, links, rows, acts)?;
        if !changes.is_empty() {
            wanted.push((spec, changes));
        }
    }
    for (store, target) in targets {
        let here: Vec<_> = wanted.iter().filter(|(s, _)| s.plan.to.store == *store).collect();
        if !here.is_empty() {
            aside(run, store, target, &here).await?;
        }
    }
    for (spec, changes) in &wanted {
        let target = &targets[&spec.plan.to.store];
        let rows = amend(run, &ids[&spec.label], spec, target, changes, &expected).await?;
        done.insert(spec.label.clone(), rows);
    }
    Ok(done)
}

/// Triggers of tables that were there before do not fire, and keys to a row that is replaced stand aside.
async fn aside(
    run: &Run<'_>,
    store: &str,
    target: &Arc<dyn Target>,
    changes: &[&(&Arc<TableSpec>, Vec<Change>)],
) -> Result<()> {
    let tables = as_they_are(run, store).await?;
    let replaced = |key: &ForeignKey| {
        changes.iter().any(|(spec, changes)| {
            spec.target.name.name == key.parent.name && changes.iter().any(|c| c.new.is_some())
        })
    };
    let keys: Vec<ForeignKey> =
        tables.iter().flat_map(|t| &t.foreign_keys).filter(|k| replaced(k)).cloned().collect();
    Ok(target.before_load(&tables, &keys).await?)
}

/// A store's target tables with the keys that are on them now, by their names: those of a table that dunlin made have
/// none in what the run has kept.
pub(crate) async fn as_they_are(run: &Run<'_>, store: &str) -> Result<Vec<Table>> {
    let mut tables = Vec::new();
    for spec in run.resolved.specs.iter().filter(|s| s.plan.to.store == store) {
        let found = run.target(spec)?.table(&spec.target.name).await?;
        tables.push(found.unwrap_or_else(|| spec.target.as_ref().clone()));
    }
    Ok(tables)
}

/// At the end of a run, before keys are added: requests that came while it was under way, and those whose process died.
/// What came before the run began has acted on its rows in flight.
pub(crate) async fn at_settle(
    run: &Run<'_>,
    id: &str,
    specs: &[Arc<TableSpec>],
    targets: &Targets,
) -> Result<()> {
    let Some(subjects) = run.subjects.clone().filter(|_| run.options.rehearsal.is_none()) else {
        return Ok(());
    };
    let marks = due(run, id).await?;
    if marks.is_empty() {
        return Ok(());
    }
    let mut sweep = Sweep::new(run, &subjects.links, &marks)?;
    let found = sweep.targets(false).await?;
    subjects.remember(&sweep.marks).await?;
    let asked = subjects.asked().await?;
    // Only what this run loads: the rows of other tables stand in the equation of another.
    let ids = specs.iter().map(|s| (s.label.clone(), id.to_owned())).collect();
    on_targets(run, &ids, targets, &asked, &subjects, &found, |_| true).await?;
    Ok(())
}

/// The marks that a run may not have seen at each of its splits.
async fn due(run: &Run<'_>, id: &str) -> Result<Vec<Mark>> {
    let state = run.workspace.state();
    let begun = state.run(id).await?.started_at;
    let requests = state.requests().await?;
    let open = |m: &Mark| requests.iter().any(|r| r.id == m.request && r.ended_at.is_none_or(|e| e >= begun));
    let mut marks = state.marks().await?;
    marks.retain(|m| matches!(m.effect, Effect::Erased | Effect::Correction) && (m.at >= begun || open(m)));
    Ok(marks)
}

/// After a run, for one request: acts on the rows in the targets. Gives rows by table.
pub(crate) async fn after_run(
    stand: &Stand<'_>,
    subjects: &Subjects,
    found: &Found,
    request: &str,
) -> Result<BTreeMap<String, u64>> {
    let run = stand.run();
    let asked = subjects.asked().await?;
    let Stand::Done(finished) = stand else { return before_run(run, subjects, &asked, found, request).await };
    let id = finished.record.id.as_str();
    let finished_targets = without_bookkeeping(finished, id).await?;
    let targets = run.targets().await?;
    let mut ids = BTreeMap::new();
    for spec in &run.resolved.specs {
        ids.insert(spec.label.clone(), run_of(run, spec, id).await?);
    }
    let done = on_targets(run, &ids, &targets, &asked, subjects, found, |k| k.request == request).await?;
    if !done.is_empty() {
        for spec in &run.resolved.specs {
            targets[&spec.plan.to.store].connect_keys(&spec.target).await?;
        }
    }
    finished.join(&targets).await?;
    for (name, target) in &targets {
        if finished_targets.contains(name) {
            target.finish().await?;
        }
    }
    Ok(done)
}

/// What died between the target and the state is entered first, or its rows would be counted twice.
pub(crate) async fn recovered(stand: &Stand<'_>) -> Result<()> {
    let Stand::Done(finished) = stand else { return Ok(()) };
    let targets = stand.targets().await?;
    let mut ids = BTreeSet::from([finished.record.id.clone()]);
    for spec in &finished.run.resolved.specs {
        ids.insert(run_of(&finished.run, spec, &finished.record.id).await?);
    }
    for id in ids {
        recover::receipts(&finished.run, &id, &targets).await?;
    }
    Ok(())
}

/// Before the first run there is no equation: rows that stand in a target are deleted, and that is all.
async fn before_run(
    run: &Run<'_>,
    subjects: &Subjects,
    asked: &Asked,
    found: &Found,
    request: &str,
) -> Result<BTreeMap<String, u64>> {
    let mut done = BTreeMap::new();
    for spec in run.resolved.specs.iter().rev() {
        let (Some(rows), Some(links)) =
            (found.target.get(&spec.label), subjects.links.tables.get(&spec.label))
        else {
            continue;
        };
        let changes = changes(run, asked, spec, links, rows, |k| k.request == request)?;
        let gone: Vec<_> = changes.iter().filter(|c| c.new.is_none()).map(|c| (c.position, c.hash)).collect();
        if !gone.is_empty() {
            let target = run.target(spec)?.target().await?;
            let positions: Vec<u64> = gone.iter().map(|(position, _)| *position).collect();
            let meant = meant::in_target(run, spec, gone.into_iter());
            done.insert(spec.label.clone(), target.erase(&spec.target, &positions, &meant).await?);
        }
    }
    Ok(done)
}
