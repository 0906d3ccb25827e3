//! Pairs that wait for a person: listed, shown side by side with what merging them would give, and decided on.
//!
//! A decision is entered into the ledger and holds for every later run of the plan: `merge` makes the rows one whatever
//! the linkage says, `keep` keeps them two. It is acted on at once ([`super::amend`]), or, where that cannot be, by the next
//! `run`, which loads the tables that it concerns anew. Values leave under seal only.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::RecordBatch;
use dunlin_connect::ReadRequest;
use dunlin_connect::canon::hash_rows;
use dunlin_gate::{ColumnInfo, Rows, Sealed};
use dunlin_plan::Plan;
use dunlin_store::{Body, DuplicatePair, PairDecision, Verdict, Workspace, now_us};
use futures::StreamExt;
use serde::Serialize;

use super::amend::{self, Outcome};
use super::crosswalk::clusters_of;
use super::find::{Cluster, pair_id};
use super::rows::Name;
use super::{Crosswalk, reading};
use crate::exec::names::key_hash;
use crate::finished::{self, Access, Finished};
use crate::quarantine::rows_as_text;
use crate::run::{Observer, Run, RunOptions};
use crate::spec::TableSpec;
use crate::undo::without_bookkeeping;
use crate::{MoveError, Result, recover};

/// A pair, without anything of what is in its rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaitingPair {
    /// What it is called.
    pub pair: String,
    /// The table's label in the plan.
    pub table: String,
    /// How likely the rows are one, from 0 to 1; 1 where a person joined them and the linkage did not list them.
    pub probability: f64,
    /// What a person decided: `merge` or `keep`; `None` while it waits.
    pub decision: Option<&'static str>,
    /// Whether the latest run has acted on the decision, or on there being none.
    pub acted: bool,
}

/// The pairs of one table and the keys of their rows, one row of keys for each side of each pair, under seal.
pub struct TablePairs {
    /// The pairs, the likeliest first.
    pub pairs: Vec<WaitingPair>,
    /// Two rows a pair, in the same order; a key that is not in the target is NULL.
    pub keys: Sealed<Rows>,
    /// The names of these rows in the log of accesses.
    pub names: Vec<String>,
}

/// A pair side by side: three rows under seal, one, other, and what merging would give.
pub struct PairShown {
    /// The pair.
    pub pair: WaitingPair,
    /// The columns in which the two rows differ.
    pub differing: Vec<String>,
    /// The columns of the survivor that would come from the other row.
    pub taken_over: Vec<String>,
    /// The rows.
    pub rows: Sealed<Rows>,
    /// Their names in the log of accesses.
    pub names: Vec<String>,
}

/// What a person decides on a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairVerdict {
    /// They are one.
    Merge,
    /// They are two.
    Keep,
    /// What was decided is taken back.
    Undo,
}

/// The pairs of the latest finished run of this plan, by table: those that wait, and, with `decided`, the others as well.
///
/// # Errors
/// No such run, and those of the stores.
pub async fn duplicate_pairs(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    decided: bool,
    observer: Arc<dyn Observer>,
) -> Result<Vec<TablePairs>> {
    let _lock = workspace.lock_run()?;
    let opened = open(workspace, plan, options, observer).await?;
    let mut tables = Vec::new();
    for spec in tables_of(&opened.run) {
        let mut pairs = known(&opened.run, &opened.record.id, spec).await?;
        pairs.retain(|(_, pair)| decided || pair.decision.is_none());
        let names: Vec<Name> = pairs.iter().flat_map(|(rows, _)| [rows.0, rows.1]).collect();
        let values = in_target(&opened.run, spec, &names).await?;
        let keys = names.iter().map(|name| {
            let row = values.get(name);
            spec.key.iter().map(|place| row.and_then(|row| row[*place].clone())).collect()
        });
        let columns = spec.key.iter().map(|place| column(spec, *place)).collect();
        let keys = seal(spec, columns, keys.collect());
        let names = names.iter().map(hex::encode).collect();
        tables.push(TablePairs { pairs: pairs.into_iter().map(|(_, pair)| pair).collect(), keys, names });
    }
    Ok(tables)
}

/// One pair side by side, with what merging it would give.
///
/// # Errors
/// No such pair, and those of the stores.
pub async fn show_pair(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    pair: &str,
    observer: Arc<dyn Observer>,
) -> Result<PairShown> {
    let _lock = workspace.lock_run()?;
    let opened = open(workspace, plan, options, observer).await?;
    let run = &opened.run;
    let (spec, rows, found) = find(&opened, pair).await?;
    let (one, other) = rows;
    let (together, apart) = previewed(run, &opened.record.id, spec, rows).await?;
    let Some((merged, [a, b])) = together.zip(apart) else {
        return Err(MoveError::Refused {
            code: "rows-gone",
            message: format!("a row of pair {pair} is not in the source any more, or does not move"),
            help: "`dunlin run` looks for duplicates again".to_owned(),
        });
    };
    let differ = differing(spec, &a, &b);
    let survivor_is_one = spec.key.iter().all(|place| a[*place] == merged[*place]);
    let taken_over = differing(spec, if survivor_is_one { &a } else { &b }, &merged);
    let columns = (0..spec.mapping.columns.len()).map(|place| column(spec, place)).collect();
    let names = [one, other, if survivor_is_one { one } else { other }].map(hex::encode).to_vec();
    let rows = seal(spec, columns, vec![a, b, merged]);
    Ok(PairShown { pair: found, differing: differ, taken_over, rows, names })
}

/// What came of decisions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairsDecided {
    /// The pairs, in the order in which they were named.
    pub pairs: Vec<WaitingPair>,
    /// Rows of the targets that were changed, by table.
    pub rows: BTreeMap<String, u64>,
    /// Where the next run has to act: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_run: Option<String>,
}

/// Enters what a person decides on pairs, then acts on it where that can be done in one transaction of the target; else the
/// next run does. Asked for again, nothing is done twice.
///
/// # Errors
/// No such pair, and those of the stores and the state.
pub async fn decide_pairs(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    pairs: &[String],
    verdict: PairVerdict,
    observer: Arc<dyn Observer>,
) -> Result<PairsDecided> {
    let _lock = workspace.lock_run()?;
    let record = finished::latest(workspace, plan).await?;
    let opened = finished::open(workspace, plan, options, observer, record, Access::Write).await?;
    let (run, id) = (&opened.run, opened.record.id.as_str());
    let mut found = Vec::new();
    for pair in pairs {
        found.push(find(&opened, pair).await?);
    }
    let wanted = match verdict {
        PairVerdict::Merge => Some(Verdict::Merge),
        PairVerdict::Keep => Some(Verdict::Keep),
        PairVerdict::Undo => None,
    };
    for (spec, rows, before) in &found {
        enter(run, id, spec, *rows, before, wanted).await?;
    }
    fail::fail_point!("move::duplicates.decided", |_| Err(MoveError::failpoint("move::duplicates.decided")));
    let outcome = match without_bookkeeping(&opened, id).await?.is_empty() {
        true => {
            let targets = run.targets().await?;
            // An earlier decision whose process died may be in the target already.
            recover::receipts(run, id, &targets).await?;
            let outcome = amend::act(run, id, &targets).await?;
            // Also where an earlier try has died with keys aside.
            for target in targets.values() {
                amend::back(run, target).await?;
            }
            outcome
        }
        false => Outcome::NotNow("`finish` has removed what an amendment needs from the target"),
    };
    let mut after = Vec::new();
    for (spec, _, before) in found {
        let known = known(run, id, spec).await?.into_iter().find(|(_, p)| p.pair == before.pair);
        // A pair that only a decision made known is gone with it.
        after.push(known.map_or(WaitingPair { decision: None, acted: true, ..before }, |(_, pair)| pair));
    }
    workspace.integrate().await?;
    let (rows, next_run) = match outcome {
        Outcome::Acted(rows) => (rows, None),
        Outcome::NotNow(why) => (BTreeMap::new(), Some(why.to_owned())),
    };
    Ok(PairsDecided { pairs: after, rows, next_run })
}

/// One decision and its entry, in one transaction.
async fn enter(
    run: &Run<'_>,
    id: &str,
    spec: &TableSpec,
    rows: Rows2,
    before: &WaitingPair,
    wanted: Option<Verdict>,
) -> Result<()> {
    if before.decision == wanted.map(Verdict::as_str) {
        return Ok(());
    }
    let decision = wanted.map_or("undo", Verdict::as_str).to_owned();
    let (table, pair) = (spec.label.clone(), before.pair.clone());
    let body = Body::DuplicateDecided { run: id.to_owned(), table, pair: pair.clone(), decision };
    let mut tx = run.workspace.state().begin().await?;
    match wanted {
        Some(verdict) => {
            tx.put_pair_decision(&spec.label, &PairDecision { pair, rows, verdict }, now_us()).await?;
        }
        None => tx.remove_pair_decision(&spec.label, &pair).await?,
    }
    tx.enter(run.entry(body)).await?;
    tx.commit().await?;
    Ok(())
}

async fn open<'a>(
    workspace: &'a Workspace,
    plan: &'a Plan,
    options: &'a RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<Finished<'a>> {
    let record = finished::latest(workspace, plan).await?;
    finished::open(workspace, plan, options, observer, record, Access::Read).await
}

fn tables_of<'a>(run: &'a Run<'_>) -> impl Iterator<Item = &'a Arc<TableSpec>> {
    run.resolved.specs.iter().filter(|s| s.plan.duplicates.is_some())
}

type Rows2 = (Name, Name);

/// The pairs of a table that anything is known of: those that the run left, and those that people decided on.
async fn known(run: &Run<'_>, id: &str, spec: &TableSpec) -> Result<Vec<(Rows2, WaitingPair)>> {
    let state = run.workspace.state();
    let mut decisions: HashMap<String, PairDecision> =
        state.pair_decisions(&spec.label).await?.into_iter().map(|d| (d.pair.clone(), d)).collect();
    let crosswalk = state.crosswalk(id, &spec.label).await?;
    let folded: HashMap<Name, Name> =
        crosswalk.iter().flat_map(|c| c.folded.iter().map(|f| (f.loser, f.survivor))).collect();
    let root = |name: Name| folded.get(&name).copied().unwrap_or(name);
    let mut pairs = Vec::new();
    let mut listed = state.duplicate_pairs(id, &spec.label).await?;
    let left: std::collections::HashSet<String> = listed.iter().map(|p| p.pair.clone()).collect();
    listed.extend(decisions.values().filter(|d| !left.contains(&d.pair)).map(|d| DuplicatePair {
        pair: d.pair.clone(),
        rows: d.rows,
        probability: 1.0,
    }));
    for DuplicatePair { pair, rows, probability } in listed {
        let verdict = decisions.remove(&pair).map(|d| d.verdict);
        let one = root(rows.0) == root(rows.1);
        let acted = one == (verdict == Some(Verdict::Merge));
        let (decision, table) = (verdict.map(Verdict::as_str), spec.label.clone());
        pairs.push((rows, WaitingPair { pair, table, probability, decision, acted }));
    }
    pairs.sort_by(|(_, x), (_, y)| y.probability.total_cmp(&x.probability).then(x.pair.cmp(&y.pair)));
    Ok(pairs)
}

async fn find<'a>(opened: &'a Finished<'_>, pair: &str) -> Result<(&'a Arc<TableSpec>, Rows2, WaitingPair)> {
    for spec in tables_of(&opened.run) {
        let pairs = known(&opened.run, &opened.record.id, spec).await?;
        if let Some((rows, found)) = pairs.into_iter().find(|(_, p)| p.pair == pair) {
            debug_assert_eq!(pair_id(rows.0, rows.1), found.pair);
            return Ok((spec, rows, found));
        }
    }
    Err(MoveError::Refused {
        code: "no-such-pair",
        message: format!("no pair is called `{pair}`"),
        help: "`dunlin duplicates list` names the pairs; `--all` those that are decided as well".to_owned(),
    })
}

/// The values of the two rows as each would be loaded alone, and of the one they would become together, all as text.
type Previewed = (Option<Vec<Option<String>>>, Option<[Vec<Option<String>>; 2]>);

/// What merging would give, from the source as it is now: with the clusters that the two rows are in.
async fn previewed(run: &Run<'_>, id: &str, spec: &Arc<TableSpec>, rows: Rows2) -> Result<Previewed> {
    let kept = run.workspace.state().crosswalk(id, &spec.label).await?;
    let mut clusters = clusters_of(&kept.map(|c| c.folded).unwrap_or_default());
    clusters.retain(|c| c.members.contains(&rows.0) || c.members.contains(&rows.1));
    let mut members: Vec<Name> = clusters.into_iter().flat_map(|c| c.members).collect();
    members.extend([rows.0, rows.1].into_iter().filter(|name| !members.contains(name)).collect::<Vec<_>>());
    let reader = run.source(spec)?.reader().await?;
    let (pipeline, splits) = reading(run, spec, &reader).await?;
    let cluster = [Cluster { members, probability: 1.0 }];
    let together = Crosswalk::gather(&pipeline, &splits, &cluster, None).await?;
    let text =
        |batch: &RecordBatch, row: usize| rows_as_text(batch, &types(spec), &[row]).pop().unwrap_or_default();
    let merged = (!together.is_empty()).then(|| text(&together.survivors, 0));
    let row = |name: Name| together.member(&name).map(|(batch, row)| text(batch, row));
    let apart = row(rows.0).zip(row(rows.1)).map(|(a, b)| [a, b]);
    Ok((merged, apart))
}

fn types(spec: &TableSpec) -> Vec<dunlin_connect::ColumnType> {
    spec.mapping.columns.iter().map(|m| m.load_type.clone()).collect()
}

/// The columns in which two rows differ, the key left out.
fn differing(spec: &TableSpec, a: &[Option<String>], b: &[Option<String>]) -> Vec<String> {
    let columns = spec.mapping.columns.iter().enumerate().zip(a.iter().zip(b));
    let differ = columns.filter(|((place, _), (a, b))| a != b && !spec.key.contains(place));
    differ.map(|((_, column), _)| column.target.clone()).collect()
}

/// The mapped values of some rows of the target by their names.
async fn in_target(
    run: &Run<'_>,
    spec: &TableSpec,
    names: &[Name],
) -> Result<HashMap<Name, Vec<Option<String>>>> {
    let mut found = HashMap::new();
    if names.is_empty() {
        return Ok(found);
    }
    let wanted: std::collections::HashSet<&Name> = names.iter().collect();
    let types = types(spec);
    let reader = run.target(spec)?.reader().await?;
    let mut buffer = Vec::new();
    for bounds in reader.splits(&spec.target, 250_000, &[]).await? {
        let table = spec.target.clone();
        let request = ReadRequest { table, columns: spec.read_back(), bounds, batch_rows: 8_192 };
        let mut stream = reader.read(request).await?;
        while let Some(batch) = stream.next().await {
            let rows = batch?.rows;
            for (row, hash) in hash_rows(&run.key, &rows).into_iter().enumerate() {
                let name = key_hash(&run.key, &rows, &spec.key, row, hash, &mut buffer);
                if wanted.contains(&name) {
                    found.extend(rows_as_text(&rows, &types, &[row]).pop().map(|values| (name, values)));
                }
            }
        }
    }
    Ok(found)
}

fn column(spec: &TableSpec, place: usize) -> ColumnInfo {
    let column = &spec.mapping.columns[place];
    ColumnInfo { name: column.target.clone(), kind: column.kind.map(|k| k.as_str().to_owned()) }
}

fn seal(spec: &TableSpec, columns: Vec<ColumnInfo>, rows: Vec<Vec<Option<String>>>) -> Sealed<Rows> {
    Sealed::seal(Rows { store: spec.plan.to.store.clone(), table: spec.label.clone(), columns, rows })
}
