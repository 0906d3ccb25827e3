//! A second run: what an earlier run of the same plan has loaded and is unchanged is carried over, what has changed is
//! replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dunlin_connect::canon::{hash_raw, hash_rows};
use dunlin_connect::{Bounds, ForeignKey, LoadSpec, ReadRequest, Receipt, System, WireRequest};
use dunlin_plan::{IntoMode, Plan};
use dunlin_store::{Amendment, RunKind, RunRecord, RunStatus, SplitRecord, SplitStatus, Tx, Workspace};
use futures::StreamExt;

use crate::accounting::Tally;
use crate::address::walk;
use crate::error::rows;
use crate::parts::StoredPart;
use crate::pipeline::Pipeline;
use crate::reconcile::hash_target;
use crate::run::Run;
use crate::settle::is_parent;
use crate::spec::TableSpec;
use crate::stores::Stores;
use crate::{MoveError, Result, recover, sets, subject};

/// What an earlier, finished run did with a table.
#[derive(Default)]
pub struct Previous {
    /// The run; empty where there is none.
    pub run: String,
    /// Whether it was run with this very plan on these very stores; else nothing of it is carried over.
    pub same_plan: bool,
    splits: Vec<(Bounds, Option<StoredPart>)>,
    /// What happened to its rows after their split was loaded.
    pub amendments: Vec<Amendment>,
    /// Whether a customer has since asked for what decides anew which of its rows move.
    pub asked_since: bool,
}

impl Previous {
    /// The hash of the crosswalks that its rows stand by: of the last amendment that names one, else of the splits.
    fn crosswalk(&self) -> Option<String> {
        let stored = |a: &Amendment| serde_json::from_value::<StoredPart>(a.receipt.clone()).ok();
        let amended = self.amendments.iter().rev().find_map(|a| stored(a)?.receipt.crosswalk);
        let loaded = || self.splits.iter().find_map(|(_, s)| s.as_ref()?.receipt.crosswalk.clone());
        // An amendment names an empty one where none concerns the table any more.
        amended.or_else(loaded).filter(|hash| !hash.is_empty())
    }

    /// The splits' bounds, in order; none where nothing can be carried over.
    pub fn bounds(&self) -> Vec<Bounds> {
        if !self.same_plan {
            return Vec::new();
        }
        self.splits.iter().map(|(b, _)| b.clone()).collect()
    }
}

/// The latest finished run that loaded this table into this store and was not taken back, with its splits. It may have
/// been run with an earlier form of the plan.
pub(crate) async fn latest(
    run: &Run<'_>,
    spec: &TableSpec,
    besides: Option<&str>,
) -> Result<Option<(RunRecord, Vec<SplitRecord>)>> {
    let state = run.workspace.state();
    let identity = run.target(spec)?.identity().await?;
    let mut runs = state.runs().await?;
    runs.sort_by_key(|r| std::cmp::Reverse(r.started_at));
    for before in runs {
        let same = before.kind == RunKind::Load
            && before.status == RunStatus::Done
            && before.stores.get(&spec.plan.to.store) == Some(&identity)
            && besides != Some(before.id.as_str());
        if !same {
            continue;
        }
        let records = state.splits(&before.id, &spec.label).await?;
        if !records.is_empty() {
            let undone = records.iter().any(|r| r.status == SplitStatus::Undone);
            return Ok((!undone).then_some((before, records)));
        }
    }
    Ok(None)
}

/// Remembers how the latest finished run made each table of text files: once `finish` has removed the bookkeeping,
/// nothing but the state knows the types.
pub async fn keep_types(
    workspace: &Workspace,
    plan: &Plan,
    stores: &mut Stores,
    identities: &BTreeMap<String, String>,
) -> Result<()> {
    let mut runs = workspace.state().runs().await?;
    runs.retain(|r| r.kind == RunKind::Load && r.status == RunStatus::Done);
    runs.sort_by_key(|r| std::cmp::Reverse(r.started_at));
    for table in &plan.tables {
        let store = &table.to.store;
        if stores.get(store)?.system() != System::Files {
            continue;
        }
        for before in runs.iter().filter(|r| r.stores.get(store) == identities.get(store)) {
            if let Some(saved) = recover::saved_tables(workspace, &before.id).await?.remove(&table.label()) {
                stores.keep(&table.label(), saved.target);
                break;
            }
        }
    }
    Ok(())
}

/// What the latest finished run did with this table.
pub async fn previous(run: &Run<'_>, id: &str, spec: &TableSpec) -> Result<Previous> {
    let Some((before, records)) = latest(run, spec, Some(id)).await? else { return Ok(Previous::default()) };
    let state = run.workspace.state();
    let this = state.run(id).await?;
    let same_plan = before.fingerprint == this.fingerprint && before.stores == this.stores;
    let splits = records
        .into_iter()
        .filter_map(|r| {
            let bounds = serde_json::from_value(r.descriptor).ok()?;
            let stored: Option<StoredPart> = r.receipt.and_then(|v| serde_json::from_value(v).ok());
            let origin = before.id.clone();
            Some((bounds, stored.map(|s| StoredPart { origin: Some(s.origin.unwrap_or(origin)), ..s })))
        })
        .collect();
    let amendments = state.amendments(&before.id, &spec.label).await?;
    let asked_since = match &run.subjects {
        Some(subjects) => subject::asked_since(run, subjects, spec, before.started_at).await?,
        None => false,
    };
    Ok(Previous { run: before.id, same_plan, splits, amendments, asked_since })
}

/// The runs that this one carries on from.
pub async fn before(run: &Run<'_>, id: &str, specs: &[Arc<TableSpec>]) -> Result<BTreeSet<String>> {
    let mut runs = BTreeSet::new();
    for spec in specs {
        runs.insert(previous(run, id, spec).await?.run);
    }
    runs.remove("");
    Ok(runs)
}

/// The rows that stand in the target and are not dunlin's. Refuses what the plan does not allow, empties what it replaces.
pub async fn preexisting(run: &Run<'_>, spec: &Arc<TableSpec>) -> Result<Tally> {
    if spec.created {
        return Ok(Tally::default());
    }
    if let Some((before, _)) = latest(run, spec, None).await? {
        let saved = recover::saved_tables(run.workspace, &before.id).await?;
        let parts = crate::parts::parts_of(run.workspace.state(), &before.id, &spec.label).await?;
        let tally = saved.get(&spec.label).map(|s| s.preexisting).unwrap_or_default();
        let tally = crate::parts::account(&parts).preexisting(tally);
        if tally.rows > 0 && before.fingerprint != run.plan.fingerprint().to_string() {
            return Err(MoveError::Refused {
                code: "appended-by-another-plan",
                message: format!(
                    "{} holds rows of an earlier form of this plan beside rows that are not dunlin's",
                    spec.label
                ),
                help: format!("take the earlier run back first: dunlin undo --run {}", before.id),
            });
        }
        return Ok(tally);
    }
    let found = hash_target(run, spec).await?.all;
    if found.rows == 0 || spec.plan.into == IntoMode::Append {
        return Ok(found);
    }
    if spec.plan.replace {
        empty(run, spec).await?;
        return Ok(Tally::default());
    }
    Err(MoveError::Refused {
        code: "target-not-empty",
        message: format!("{} holds {} that dunlin did not load", spec.label, rows(found.rows)),
        help:
            "add `into = \"append\"` to its [[table]] to keep them, or `replace = true` to delete them first"
                .to_owned(),
    })
}

/// `replace = true`: every row goes, in one transaction.
async fn empty(run: &Run<'_>, spec: &Arc<TableSpec>) -> Result<()> {
    let store = run.target(spec)?;
    let mut all = Vec::new();
    walk(store.reader().await?.as_ref(), spec, &run.key, |position, _| all.push(position)).await?;
    let part = format!("replace-{}", dunlin_store::new_id());
    let target = store.target().await?;
    let mut load = target.begin(load_spec(spec, "replace", &part)).await?;
    load.delete(&all).await?;
    let (table, body) = (spec.label.clone(), "{}".to_owned());
    load.commit(&Receipt { run: "replace".to_owned(), table, part, body }).await?;
    Ok(())
}

/// A load into a table for this part.
pub fn load_spec(spec: &TableSpec, run: &str, part: &str) -> LoadSpec {
    LoadSpec {
        run: run.to_owned(),
        label: spec.label.clone(),
        part: part.to_owned(),
        table: spec.target.clone(),
        columns: spec.load_columns(),
    }
}

/// Foreign keys that stand aside while loading: those that close a cycle; where rows of an earlier run are going to be
/// replaced, all of them; and those to a table whose rows may have to leave it by a rule on all rows.
pub async fn keys_aside(
    run: &Run<'_>,
    id: &str,
    specs: &[Arc<TableSpec>],
    store: &str,
) -> Result<Vec<ForeignKey>> {
    let mut aside = run.resolved.cyclic.get(store).cloned().unwrap_or_default();
    let leave = |key: &ForeignKey| {
        let mut parents = specs.iter().filter(|s| s.plan.to.store == store);
        parents.any(|s| is_parent(&s.target.name, &key.parent) && !sets::held_back(run, s).is_empty())
    };
    for spec in specs.iter().filter(|s| !s.created && s.plan.to.store == store) {
        if run.target(spec)?.system() != System::Postgres {
            continue;
        }
        let replaced = !previous(run, id, spec).await?.run.is_empty();
        for key in spec.target.foreign_keys.iter().filter(|key| replaced || leave(key)) {
            if !aside.contains(key) {
                aside.push(key.clone());
            }
        }
    }
    Ok(aside)
}

/// For each new split the receipt it can take over, because its source rows are what they were.
pub async fn unchanged(
    pipeline: &Pipeline,
    before: &Previous,
    bounds: &[Bounds],
) -> Result<Vec<Option<StoredPart>>> {
    if !before.same_plan || !lines_up(before, bounds) || before.asked_since {
        return Ok(Vec::new());
    }
    // Which row folds into which is settled for the table as a whole.
    if before.crosswalk() != pipeline.crosswalk() {
        return Ok(Vec::new());
    }
    let mut carried = Vec::with_capacity(bounds.len());
    for (place, bounds) in bounds.iter().enumerate() {
        let stored =
            before.splits.get(place).filter(|(b, _)| b == bounds).and_then(|(_, stored)| stored.clone());
        carried.push(match stored {
            Some(stored) if hash_split(pipeline, bounds).await? == stored.receipt.source => Some(stored),
            _ => None,
        });
    }
    let whole = carried.len() == before.splits.len() && carried.iter().all(Option::is_some);
    // Rows that were released, fixed or moved to quarantine since: take all over, or do the whole table again.
    Ok(if before.amendments.is_empty() || whole { carried } else { Vec::new() })
}

/// Splits that a table is not cut into where its last one has grown by no more than this many.
const GROWN_MAX: usize = 4;

/// The last range of keys of an earlier run stays one split where it has grown, so that the transaction that takes its
/// rows away is the one that loads them again. One that has grown beyond all proportion is cut after all.
pub fn last_kept_whole(before: &[Bounds], mut bounds: Vec<Bounds>) -> Vec<Bounds> {
    let Some((last @ Bounds::Key { .. }, rest)) = before.split_last() else { return bounds };
    let grown = bounds.len().saturating_sub(before.len());
    if (1..=GROWN_MAX).contains(&grown) && bounds.starts_with(rest) && same_start(last, &bounds[rest.len()]) {
        bounds.truncate(rest.len());
        bounds.push(last.clone());
    }
    bounds
}

/// Whether each earlier split is still one split that begins where it began.
pub fn lines_up(before: &Previous, bounds: &[Bounds]) -> bool {
    before.splits.len() <= bounds.len()
        && before.splits.iter().zip(bounds).all(|((old, _), new)| old == new || same_start(old, new))
}

fn same_start(old: &Bounds, new: &Bounds) -> bool {
    match (old, new) {
        (Bounds::Key { column: a, from: x, .. }, Bounds::Key { column: b, from: y, .. }) => a == b && x == y,
        (Bounds::Blocks { from: x, .. }, Bounds::Blocks { from: y, .. }) => x == y,
        (Bounds::Bytes { file: a, from: x, .. }, Bounds::Bytes { file: b, from: y, .. }) => a == b && x == y,
        (Bounds::Groups { file: a, from: x, .. }, Bounds::Groups { file: b, from: y, .. }) => {
            a == b && x == y
        }
        (Bounds::Whole, Bounds::Whole) => true,
        _ => false,
    }
}

/// The rows of a split as they are now.
pub async fn hash_split(pipeline: &Pipeline, bounds: &Bounds) -> Result<Tally> {
    let request = ReadRequest {
        table: pipeline.spec.source.clone(),
        columns: pipeline.spec.read.clone(),
        bounds: bounds.clone(),
        batch_rows: 8_192,
    };
    let mut tally = Tally::default();
    if pipeline.reader.wire(&request).is_some() {
        let request =
            WireRequest { read: request, key: pipeline.key, name: Vec::new(), keep: false, addressed: false };
        let mut stream = pipeline.reader.read_wire(request).await?;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            batch.hashes.into_iter().for_each(|h| tally.add(h));
            batch.bad.iter().for_each(|b| tally.add(hash_raw(&pipeline.key, &b.fields)));
        }
        return Ok(tally);
    }
    let mut stream = pipeline.reader.read(request).await?;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        hash_rows(&pipeline.key, &batch.rows).into_iter().for_each(|h| tally.add(h));
        batch.bad.iter().for_each(|b| tally.add(hash_raw(&pipeline.key, &b.fields)));
    }
    Ok(tally)
}

/// Takes over what happened to rows after their split was loaded, where every split is taken over.
pub async fn amendments(
    tx: &mut Tx,
    id: &str,
    spec: &TableSpec,
    before: &Previous,
    records: &[SplitRecord],
) -> Result<()> {
    if records.iter().any(|r| r.receipt.is_none()) {
        return Ok(());
    }
    for amendment in &before.amendments {
        let stored: Option<StoredPart> = serde_json::from_value(amendment.receipt.clone()).ok();
        let Some(mut stored) = stored else { continue };
        stored.origin = Some(stored.origin.unwrap_or_else(|| before.run.clone()));
        // The new run begins from what is left of the rows that stood there before: see `preexisting`.
        stored.receipt.preexisting_taken = Tally::default();
        stored.receipt.preexisting_added = Tally::default();
        tx.insert_amendment(&Amendment {
            run: id.to_owned(),
            table: spec.label.clone(),
            amendment: amendment.amendment,
            receipt: serde_json::to_value(stored).unwrap_or_default(),
        })
        .await?;
    }
    Ok(())
}

/// Whether a split was taken over from an earlier run.
pub fn is_carried(split: &SplitRecord) -> bool {
    split.receipt.as_ref().is_some_and(|r| r.get("origin").is_some_and(|o| !o.is_null()))
}

/// The quarantine fragments of an earlier run whose rows this one reads again: they wait no more.
pub fn superseded(before: &Previous, records: &[SplitRecord]) -> Vec<(String, String)> {
    let whole = records.iter().all(|r| r.receipt.is_some());
    let splits = before.splits.iter().enumerate().filter(|(place, _)| {
        let taken_over = records.get(*place).is_some_and(|r| r.receipt.is_some());
        !taken_over
    });
    let splits = splits.filter_map(|(_, (_, stored))| stored.clone());
    let amendments = before.amendments.iter().filter(|_| !whole).filter_map(|a| {
        let stored: Option<StoredPart> = serde_json::from_value(a.receipt.clone()).ok();
        stored.map(|s| StoredPart { origin: Some(s.origin.unwrap_or_else(|| before.run.clone())), ..s })
    });
    splits.chain(amendments).filter_map(|part| Some((part.origin?, part.receipt.fragment?.name))).collect()
}
