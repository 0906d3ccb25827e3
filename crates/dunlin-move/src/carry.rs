//! A second run: what an earlier run of the same plan has loaded and is unchanged is carried over, what has changed is
//! replaced.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dunlin_connect::canon::{hash_raw, hash_rows};
use dunlin_connect::{Bounds, ForeignKey, LoadSpec, ReadRequest, Receipt, System};
use dunlin_plan::IntoMode;
use dunlin_store::{Amendment, RunKind, RunStatus, SplitRecord, SplitStatus, Tx};
use futures::StreamExt;

use crate::accounting::Tally;
use crate::address::{Wanted, walk};
use crate::parts::{Part, StoredPart, live_entries, parts_of};
use crate::pipeline::Pipeline;
use crate::reconcile::hash_target;
use crate::run::Run;
use crate::spec::TableSpec;
use crate::{MoveError, Result, recover};

/// What an earlier, finished run did with a table.
#[derive(Default)]
pub struct Previous {
    /// The run; empty where there is none.
    pub run: String,
    splits: Vec<(Bounds, Option<StoredPart>)>,
    amendments: Vec<Amendment>,
}

impl Previous {
    /// The splits' bounds, in order.
    pub fn bounds(&self) -> Vec<Bounds> {
        self.splits.iter().map(|(b, _)| b.clone()).collect()
    }
}

/// The latest finished run of this plan on these stores that has this table.
pub async fn previous(run: &Run<'_>, id: &str, spec: &TableSpec) -> Result<Previous> {
    let state = run.workspace.state();
    let this = state.run(id).await?;
    let mut runs = state.runs().await?;
    runs.sort_by_key(|r| std::cmp::Reverse(r.started_at));
    for before in runs {
        let same = before.kind == RunKind::Load
            && before.status == RunStatus::Done
            && before.fingerprint == this.fingerprint
            && before.stores == this.stores
            && before.id != id;
        if !same {
            continue;
        }
        let records = state.splits(&before.id, &spec.label).await?;
        if records.is_empty() {
            continue;
        }
        if records.iter().any(|r| r.status == SplitStatus::Undone) {
            return Ok(Previous::default());
        }
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
        return Ok(Previous { run: before.id, splits, amendments });
    }
    Ok(Previous::default())
}

/// The rows that stand in the target and are not dunlin's. Refuses what the plan does not allow, empties what it replaces.
pub async fn preexisting(run: &Run<'_>, spec: &Arc<TableSpec>) -> Result<Tally> {
    if spec.created {
        return Ok(Tally::default());
    }
    let id = latest_run(run, spec).await?;
    if let Some(before) = id {
        let saved = recover::saved_tables(run.workspace, &before).await?;
        return Ok(saved.get(&spec.label).map(|s| s.preexisting).unwrap_or_default());
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
        message: format!("{} holds {} rows that dunlin did not load", spec.label, found.rows),
        help:
            "add `into = \"append\"` to its [[table]] to keep them, or `replace = true` to delete them first"
                .to_owned(),
    })
}

async fn latest_run(run: &Run<'_>, spec: &TableSpec) -> Result<Option<String>> {
    let state = run.workspace.state();
    let fingerprint = run.plan.fingerprint().to_string();
    let identities = run.stores.identities().await?;
    let mut runs = state.runs().await?;
    runs.sort_by_key(|r| std::cmp::Reverse(r.started_at));
    for before in runs {
        let same = before.kind == RunKind::Load
            && before.status == RunStatus::Done
            && before.fingerprint == fingerprint
            && before.stores == identities;
        if same {
            let records = state.splits(&before.id, &spec.label).await?;
            if !records.is_empty() {
                let undone = records.iter().any(|r| r.status == SplitStatus::Undone);
                return Ok((!undone).then_some(before.id));
            }
        }
    }
    Ok(None)
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

/// Foreign keys that stand aside while loading: those that close a cycle, and, where rows of an earlier run are going to
/// be replaced, all of them.
pub async fn keys_aside(
    run: &Run<'_>,
    id: &str,
    specs: &[Arc<TableSpec>],
    store: &str,
) -> Result<Vec<ForeignKey>> {
    let mut aside = run.resolved.cyclic.get(store).cloned().unwrap_or_default();
    for spec in specs.iter().filter(|s| !s.created && s.plan.to.store == store) {
        if run.target(spec)?.system() == System::Postgres && !previous(run, id, spec).await?.run.is_empty() {
            for key in &spec.target.foreign_keys {
                if !aside.contains(key) {
                    aside.push(key.clone());
                }
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
    if !lines_up(before, bounds) {
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

/// Whether each earlier split is still one split that begins where it began.
fn lines_up(before: &Previous, bounds: &[Bounds]) -> bool {
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

/// The addresses of rows that an earlier run loaded and that the open splits of this one replace, by split.
pub async fn replaced(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    splits: &[SplitRecord],
) -> Result<BTreeMap<u32, Vec<u64>>> {
    let before = previous(run, id, spec).await?;
    if before.run.is_empty() {
        return Ok(BTreeMap::new());
    }
    let parts = parts_of(run.workspace.state(), &before.run, &spec.label).await?;
    let bounds: Vec<Bounds> =
        splits.iter().filter_map(|s| serde_json::from_value(s.descriptor.clone()).ok()).collect();
    let whole = !lines_up(&before, &bounds) || !before.amendments.is_empty();
    let open = |split: u32| splits.iter().any(|s| s.split == split && s.status == SplitStatus::Planned);
    let owner = |part: &Part| -> Option<u32> {
        let split = if whole { 0 } else { part.name.parse().ok()? };
        open(split).then_some(split)
    };
    let owners: Vec<Option<u32>> = parts.iter().map(owner).collect();
    let mut wanted = Wanted::new();
    live_entries(&run.workspace.state_dir, &spec.label, &parts, |place, entry| {
        if let Some(split) = owners[place] {
            wanted.add(entry.row, split);
        }
    })?;
    let mut found: HashMap<u32, Vec<u64>> = HashMap::new();
    if wanted.left() > 0 {
        let reader = run.target(spec)?.reader().await?;
        walk(reader.as_ref(), spec, &run.key, |position, hash| {
            if let Some(split) = wanted.take(&hash) {
                found.entry(split).or_default().push(position);
            }
        })
        .await?;
    }
    if wanted.left() > 0 {
        return Err(MoveError::Refused {
            code: "target-changed",
            message: format!(
                "{} rows of {} were changed in the target since they were loaded",
                wanted.left(),
                spec.label
            ),
            help: "`dunlin verify` names them; put them back, or set `replace = true` to load the table anew"
                .to_owned(),
        });
    }
    Ok(found.into_iter().collect())
}
