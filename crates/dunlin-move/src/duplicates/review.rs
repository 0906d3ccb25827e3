//! Pairs that wait for a person: listed, shown side by side with what merging them would give, and decided on.
//!
//! A decision is entered into the ledger and holds for every later run of the plan: `merge` makes the rows one whatever
//! the linkage says, `keep` keeps them two. It is acted on at once ([`super::amend`]), or, where that cannot be, by the next
//! `run`, which loads the tables that it concerns anew. Values leave under seal only.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use dunlin_connect::ReadRequest;
use dunlin_connect::canon::hash_rows;
use dunlin_gate::{ColumnInfo, Rows, Sealed};
use dunlin_plan::Plan;
use dunlin_store::{Body, PairDecision, Verdict, Workspace, now_us};
use futures::StreamExt;
use serde::Serialize;

use super::amend::{self, Outcome};
use super::carry_out;
use super::crosswalk::clusters_of;
use super::find::pair_id;
use super::listed::{ListedPair, Rows2, WaitingPair, known};
use super::preview::{Found, union};
use super::rows::Name;
use crate::exec::names::key_hash;
use crate::finished::{self, Access, Finished};
use crate::quarantine::rows_as_text;
use crate::run::{Observer, Run, RunOptions};
use crate::spec::TableSpec;
use crate::undo::without_bookkeeping;
use crate::{MoveError, Result, recover};

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

/// Whether nobody has decided on a pair, a run neither.
fn waits(pair: &WaitingPair) -> bool {
    pair.decision.is_none() && !pair.sure
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
        let mut pairs = known(workspace, &opened.record.id, &spec.plan).await?;
        pairs.retain(|(_, listed)| decided || waits(&listed.pair));
        let names: Vec<Name> = pairs.iter().flat_map(|(rows, _)| [rows.0, rows.1]).collect();
        let values = in_target(&opened.run, spec, &names).await?;
        let keys = names.iter().map(|name| {
            let row = values.get(name);
            spec.key.iter().map(|place| row.and_then(|row| row[*place].clone())).collect()
        });
        let columns = spec.key.iter().map(|place| column(spec, *place)).collect();
        let keys = seal(spec, columns, keys.collect());
        let names = names.iter().map(hex::encode).collect();
        tables.push(TablePairs {
            pairs: pairs.into_iter().map(|(_, listed)| listed.pair).collect(),
            keys,
            names,
        });
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
    let kept = workspace.state().crosswalk(&opened.record.id, &spec.label).await?;
    let kept = clusters_of(&kept.map(|c| c.folded).unwrap_or_default());
    let cluster = union(&kept, &[rows]).remove(0);
    let read = Found::read(run, &opened.record.id, spec, &cluster).await?;
    let there = read.of(&cluster, rows, pair)?;
    let (_, candidates) = read.members.candidates(spec)?;
    let survivor = read.members.survivor(&candidates, &there).unwrap_or(there[0]);
    let choosing: &[usize] = if read.members.stood(survivor) { &[survivor] } else { &there };
    let choices = candidates.choices(choosing, survivor, spec.mapping.columns.len());
    let texts = rows_as_text(&read.members.mapped, &types(spec), &there);
    let text_of = |row: usize, place: usize| {
        there.iter().position(|r| *r == row).and_then(|at| texts[at][place].clone())
    };
    let merged: Vec<Option<String>> =
        choices.iter().enumerate().map(|(place, choice)| text_of(choice.row, place)).collect();
    let (a, b) = (texts[0].clone(), texts[1].clone());
    let differ = differing(spec, &a, &b);
    let survivor_is_one = spec.key.iter().all(|place| a[*place] == merged[*place]);
    let taken_over = differing(spec, if survivor_is_one { &a } else { &b }, &merged);
    let columns = (0..spec.mapping.columns.len()).map(|place| column(spec, place)).collect();
    let names = [one, other, if survivor_is_one { one } else { other }].map(hex::encode).to_vec();
    let rows = seal(spec, columns, vec![a, b, merged]);
    Ok(PairShown { pair: found.pair, differing: differ, taken_over, rows, names })
}

impl PairVerdict {
    /// What holds of the pair from then on; `None` where nothing does.
    pub(crate) fn verdict(self) -> Option<Verdict> {
        match self {
            PairVerdict::Merge => Some(Verdict::Merge),
            PairVerdict::Keep => Some(Verdict::Keep),
            PairVerdict::Undo => None,
        }
    }
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
    let found = find_all(&opened, pairs).await?;
    let wanted = verdict.verdict();
    for (spec, rows, before) in &found {
        enter(run, id, spec, *rows, &before.pair, wanted).await?;
    }
    fail::fail_point!("move::duplicates.decided", |_| Err(MoveError::failpoint("move::duplicates.decided")));
    let outcome = match without_bookkeeping(&opened, id).await?.is_empty() {
        true => {
            let targets = run.targets().await?;
            let decided: Vec<(&str, Rows2)> =
                found.iter().map(|(spec, rows, _)| (spec.label.as_str(), *rows)).collect();
            // An earlier decision whose process died may be in the target already.
            recover::receipts(run, id, &targets).await?;
            let outcome = amend::act(run, id, &targets, &decided).await?;
            // Also where an earlier try has died with keys aside.
            for target in targets.values() {
                carry_out::back(run, target).await?;
            }
            outcome
        }
        false => Outcome::NotNow(amend::FINISHED),
    };
    let mut now = HashMap::new();
    for spec in tables_of(run) {
        let known = known(workspace, id, &spec.plan).await?.into_iter();
        now.extend(known.map(|(_, listed)| (listed.pair.pair.clone(), listed.pair)));
    }
    let after = found.into_iter().map(|(_, _, ListedPair { pair: before, .. })| {
        // A pair that only a decision made known is gone with it.
        let gone = WaitingPair { decision: None, acted: true, sure: false, ..before };
        now.remove(&gone.pair).unwrap_or(gone)
    });
    let after = after.collect();
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
            let (by, at) = (Some(run.options.actor.clone()), now_us());
            let said = PairDecision { pair, rows, verdict, by, at };
            tx.put_pair_decision(&spec.label, &said).await?;
        }
        None => tx.remove_pair_decision(&spec.label, &pair).await?,
    }
    tx.enter(run.entry(body)).await?;
    tx.commit().await?;
    Ok(())
}

pub(crate) async fn open<'a>(
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

/// A pair with its table and its rows.
pub(crate) type FoundPair<'a> = (&'a Arc<TableSpec>, Rows2, ListedPair);

pub(crate) async fn find<'a>(opened: &'a Finished<'_>, pair: &str) -> Result<FoundPair<'a>> {
    find_all(opened, &[pair.to_owned()]).await?.pop().ok_or_else(|| no_such(pair))
}

/// The pairs of these names, in the order in which they are named first; one that is named again is there once.
pub(crate) async fn find_all<'a>(opened: &'a Finished<'_>, pairs: &[String]) -> Result<Vec<FoundPair<'a>>> {
    let mut all = HashMap::new();
    for spec in tables_of(&opened.run) {
        let known = known(opened.run.workspace, &opened.record.id, &spec.plan).await?;
        for (rows, listed) in known {
            debug_assert_eq!(pair_id(rows.0, rows.1), listed.pair.pair);
            all.entry(listed.pair.pair.clone()).or_insert((spec, rows, listed));
        }
    }
    let mut seen = HashSet::new();
    let once = pairs.iter().filter(|pair| seen.insert(pair.as_str()));
    once.map(|pair| all.remove(pair).ok_or_else(|| no_such(pair))).collect()
}

fn no_such(pair: &str) -> MoveError {
    MoveError::Refused {
        code: "no-such-pair",
        message: format!("no pair is called `{pair}`"),
        help: "`dunlin duplicates list` names the pairs; `--all` those that are decided as well".to_owned(),
    }
}

pub(crate) fn types(spec: &TableSpec) -> Vec<dunlin_connect::ColumnType> {
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
    let wanted: HashSet<&Name> = names.iter().collect();
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

pub(crate) fn column(spec: &TableSpec, place: usize) -> ColumnInfo {
    let column = &spec.mapping.columns[place];
    ColumnInfo { name: column.target.clone(), kind: column.kind.map(|k| k.as_str().to_owned()) }
}

pub(crate) fn seal(
    spec: &TableSpec,
    columns: Vec<ColumnInfo>,
    rows: Vec<Vec<Option<String>>>,
) -> Sealed<Rows> {
    Sealed::seal(Rows { store: spec.plan.to.store.clone(), table: spec.label.clone(), columns, rows })
}
