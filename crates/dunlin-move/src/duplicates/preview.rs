//! A pair before it is decided on: its rows beside each other, what they would be as one, a column at a time and why, and
//! what would change in the targets. Nothing is changed by it.
//!
//! What they would be as one is told without a value: which row each column would come from. Values leave under seal
//! only, with the rows. Not here: the decision ([`super::review`]), and acting on it ([`super::amend`]).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use dunlin_connect::{ColumnType, array_to_text};
use dunlin_gate::{ColumnInfo, Rows, Sealed};
use dunlin_plan::Plan;
use dunlin_store::{PairDecision, Verdict, Workspace, now_us};

use super::Among;
use super::amend::{self, Outcome, Said};
use super::crosswalk::{Members, clusters_of};
use super::find::Cluster;
use super::listed::{ListedPair, Rows2};
use super::review::{PairVerdict, column, find, find_all, open, seal, types};
use super::rows::Name;
use super::survivor::Why;
use crate::finished::Finished;
use crate::quarantine::rows_as_text;
use crate::run::{Observer, Run, RunOptions};
use crate::spec::TableSpec;
use crate::undo::without_bookkeeping;
use crate::{MoveError, Result};

/// The most rows that are shown of those that would be one.
pub const ROWS_SHOWN: usize = 50;

/// The rows that a pair would make one, beside each other: the two of the pair, then those that fold into them already, at
/// most [`ROWS_SHOWN`]; as each would be loaded alone.
pub struct PairRows {
    /// The rows, all target columns of the plan, under seal.
    pub rows: Sealed<Rows>,
    /// Their columns.
    pub columns: Vec<ColumnInfo>,
    /// Their names in the log of accesses, in the same order.
    pub names: Vec<String>,
    /// The columns in which not all are alike.
    pub differing: Vec<String>,
    /// The columns of the key.
    pub keys: Vec<String>,
    /// How many rows would be one.
    pub total: u64,
}

/// What the rows of a pair would be as one.
#[derive(Debug, Clone, PartialEq)]
pub struct MergedRow {
    /// The pair.
    pub pair: String,
    /// The name of the row that would stay.
    pub survivor: String,
    /// Why that one.
    pub why: Why,
    /// The plan's rule for it, in the plan's words, where there is one.
    pub rule: Option<String>,
    /// Each target column, in the order of the plan.
    pub columns: Vec<MergedColumn>,
}

/// Where the value of a column would come from.
#[derive(Debug, Clone, PartialEq)]
pub struct MergedColumn {
    /// The column.
    pub column: String,
    /// The name of the row.
    pub from: String,
    /// Why that one.
    pub why: Why,
    /// The plan's rule for the column, where there is one.
    pub rule: Option<String>,
}

/// What a decision would come to.
#[derive(Debug, Clone, PartialEq)]
pub struct PairsPreview {
    /// For a merge, what the rows of each pair would be as one, in the order in which the pairs were named.
    pub merged: Vec<MergedRow>,
    /// For a merge, the pairs whose rows would stay apart all the same: people keep rows apart that would come together.
    /// Empty where that was not looked at, or cannot be told before the next run.
    pub apart: Vec<String>,
    /// What would change in the targets; `None` where that was not asked for.
    pub effects: Option<Effects>,
}

/// What would change in the targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effects {
    /// Rows that would change, by table, as [`super::review::PairsDecided::rows`] tells it afterwards.
    pub rows: BTreeMap<String, u64>,
    /// Where the next run would have to act: why.
    pub next_run: Option<&'static str>,
}

/// The rows of a pair.
///
/// # Errors
/// No such pair, a row that is gone, and those of the stores.
pub async fn pair_rows(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    pair: &str,
    observer: Arc<dyn Observer>,
) -> Result<PairRows> {
    let _lock = workspace.lock_run()?;
    let opened = open(workspace, plan, options, observer).await?;
    let (spec, rows, _) = find(&opened, pair).await?;
    let (kept, _) = known_apart(&opened.run, &opened.record.id, spec).await?;
    let cluster = union(&kept, &[rows]).remove(0);
    let found = Found::read(&opened.run, &opened.record.id, spec, &cluster).await?;
    let all = found.of(&cluster, rows, pair)?;
    let shown = &all[..all.len().min(ROWS_SHOWN)];
    let named = |places: &mut dyn Iterator<Item = usize>| -> Vec<String> {
        places.map(|place| spec.mapping.columns[place].target.clone()).collect()
    };
    let mapped = &found.members.mapped;
    let differs = |place: &usize| {
        let texts = array_to_text(mapped.column(*place), &ColumnType::TEXT);
        all.iter().any(|row| texts[*row] != texts[all[0]])
    };
    let width = spec.mapping.columns.len();
    let columns: Vec<ColumnInfo> = (0..width).map(|place| column(spec, place)).collect();
    Ok(PairRows {
        differing: named(&mut (0..width).filter(differs)),
        keys: named(&mut spec.key.iter().copied()),
        names: shown.iter().map(|row| found.name(*row)).collect(),
        total: all.len() as u64,
        rows: seal(spec, columns.clone(), rows_as_text(mapped, &types(spec), shown)),
        columns,
    })
}

/// How far a preview looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviewLook {
    /// At the rows of the pairs, and those that fold into them: what people keep apart is not told.
    Rows,
    /// Also, where people keep some of these rows apart, at the whole table again, to tell which would stay two.
    Apart,
    /// At all that would change in the targets, which takes as long as deciding does.
    Effects,
}

/// What a decision on pairs would come to, from the source as it is now.
///
/// # Errors
/// No such pair, a row that is gone, and those of the stores.
pub async fn preview_pairs(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    pairs: &[String],
    verdict: PairVerdict,
    look: PreviewLook,
    observer: Arc<dyn Observer>,
) -> Result<PairsPreview> {
    let _lock = workspace.lock_run()?;
    let opened = open(workspace, plan, options, observer).await?;
    let (run, id) = (&opened.run, opened.record.id.as_str());
    let (mut said, mut by_table) = (Vec::new(), BTreeMap::<&str, Asked>::new());
    let found = find_all(&opened, pairs).await?;
    for (spec, rows, listed) in &found {
        said.push(thought(spec, *rows, listed, verdict));
        let asked = by_table.entry(spec.label.as_str()).or_insert_with(|| (*spec, Vec::new()));
        asked.1.push((*rows, listed.pair.pair.as_str()));
    }
    let (mut clusters, mut contested) = (Vec::new(), false);
    for (spec, asked) in by_table.values().filter(|_| verdict == PairVerdict::Merge) {
        let rows: Vec<Rows2> = asked.iter().map(|(rows, _)| *rows).collect();
        let (kept, apart) = known_apart(run, id, spec).await?;
        let together = union(&kept, &rows);
        let asked_for = |(a, b): &Rows2| rows.iter().any(|r| *r == (*a, *b) || *r == (*b, *a));
        let meet = |(a, b): &&Rows2| together.iter().any(|set| set.contains(a) && set.contains(b));
        contested |= apart.iter().filter(meet).any(|rows| !asked_for(rows));
        clusters.push(together);
    }
    // What people keep apart may part more than a union tells: then only looking again does.
    let told = match look == PreviewLook::Effects || (contested && look == PreviewLook::Apart) {
        true => Some(would_change(&opened, id, &said).await?),
        false => None,
    };
    // Where looking again could not say how the rows fall together, nothing is said of it.
    let contested = contested && told.as_ref().is_some_and(|told| told.next_run.is_none());
    let mut preview = PairsPreview { merged: Vec::new(), apart: Vec::new(), effects: None };
    for ((spec, asked), together) in by_table.values().zip(clusters) {
        let together = match contested {
            true => asked.iter().map(|(rows, _)| settled(run, spec, *rows)).collect(),
            false => together,
        };
        merged_rows(run, id, spec, asked, &together, &mut preview).await?;
    }
    let place = |pair: &String| pairs.iter().position(|p| p == pair);
    preview.merged.sort_by_key(|merged| place(&merged.pair));
    preview.effects = told.filter(|_| look == PreviewLook::Effects);
    Ok(preview)
}

/// Pairs of one table that are asked about.
type Asked<'a> = (&'a Arc<TableSpec>, Vec<(Rows2, &'a str)>);

async fn would_change(opened: &Finished<'_>, id: &str, said: &[Said]) -> Result<Effects> {
    if !without_bookkeeping(opened, id).await?.is_empty() {
        return Ok(Effects { rows: BTreeMap::new(), next_run: Some(amend::FINISHED) });
    }
    Ok(match amend::would_act(&opened.run, id, said).await? {
        Outcome::Acted(rows) => Effects { rows, next_run: None },
        Outcome::NotNow(why) => Effects { rows: BTreeMap::new(), next_run: Some(why) },
    })
}

/// A decision that nobody has made.
fn thought(spec: &TableSpec, rows: Rows2, listed: &ListedPair, verdict: PairVerdict) -> Said {
    let pair = listed.pair.pair.clone();
    let of = |verdict| PairDecision { pair: pair.clone(), rows, verdict, by: None, at: now_us() };
    Said { label: spec.label.clone(), rows, decision: verdict.verdict().map(of), pair }
}

/// The clusters of a run, and the pairs that people keep apart.
async fn known_apart(run: &Run<'_>, id: &str, spec: &TableSpec) -> Result<(Vec<Cluster>, Vec<Rows2>)> {
    let state = run.workspace.state();
    let kept = state.crosswalk(id, &spec.label).await?.map(|c| c.folded).unwrap_or_default();
    let decisions = state.pair_decisions(&spec.label).await?;
    let apart = decisions.iter().filter(|d| d.verdict == Verdict::Keep).map(|d| d.rows);
    Ok((clusters_of(&kept), apart.collect()))
}

/// For each pair the rows that are one where all these pairs are: its own two first, then what folds into them already.
pub(crate) fn union(kept: &[Cluster], pairs: &[Rows2]) -> Vec<Vec<Name>> {
    let named: HashSet<&Name> = pairs.iter().flat_map(|(a, b)| [a, b]).collect();
    let touched = kept.iter().filter(|c| c.members.iter().any(|name| named.contains(name)));
    let mut sets: Vec<Vec<Name>> = touched.map(|c| c.members.clone()).collect();
    for (a, b) in pairs {
        let (with, mut left): (Vec<_>, Vec<_>) =
            sets.into_iter().partition(|set| set.contains(a) || set.contains(b));
        let mut joined: Vec<Name> = vec![*a, *b];
        let others = with.into_iter().flatten().filter(|name| name != a && name != b);
        joined.extend(others.collect::<Vec<_>>());
        left.push(joined);
        sets = left;
    }
    let of = |(a, b): &Rows2| {
        let set = sets.iter().find(|set| set.contains(a)).into_iter().flatten();
        let others = set.filter(|name| *name != a && *name != b);
        [*a, *b].into_iter().chain(others.copied()).collect()
    };
    pairs.iter().map(of).collect()
}

/// The rows that are one with both rows of a pair by the crosswalk that looking again has found; none where they are not
/// together.
fn settled(run: &Run<'_>, spec: &TableSpec, (a, b): Rows2) -> Vec<Name> {
    let folded = run.crosswalks.of(&spec.label).map(|c| clusters_of(&c.folded)).unwrap_or_default();
    let found = folded.into_iter().find(|c| c.members.contains(&a) && c.members.contains(&b));
    found.map(|cluster| cluster.members).unwrap_or_default()
}

/// Rows from the source as it is now, by their names.
pub(crate) struct Found {
    pub(crate) members: Members,
    places: HashMap<Name, usize>,
}

impl Found {
    pub(crate) async fn read(run: &Run<'_>, id: &str, spec: &Arc<TableSpec>, names: &[Name]) -> Result<Self> {
        let reader = run.source(spec)?.reader().await?;
        let among = Among::of(run, Some(id), spec, &reader).await?;
        let members = Members::read(&among, &names.iter().copied().collect()).await?;
        let places = members.names.iter().enumerate().map(|(row, name)| (*name, row)).collect();
        Ok(Self { members, places })
    }

    fn name(&self, row: usize) -> String {
        hex::encode(self.members.names[row])
    }

    /// Where the rows of a cluster stand, as far as they are there.
    ///
    /// # Errors
    /// A row of the pair itself is not there any more.
    pub(crate) fn of(&self, cluster: &[Name], rows: Rows2, pair: &str) -> Result<Vec<usize>> {
        match self.places.contains_key(&rows.0) && self.places.contains_key(&rows.1) {
            true => Ok(cluster.iter().filter_map(|name| self.places.get(name).copied()).collect()),
            false => Err(MoveError::Refused {
                code: "rows-gone",
                message: format!("a row of pair {pair} is not in the source any more, or does not move"),
                help: "`dunlin run` looks for duplicates again".to_owned(),
            }),
        }
    }
}

/// What the rows of pairs of one table would be as one; `together` has a cluster for each.
async fn merged_rows(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    asked: &[(Rows2, &str)],
    together: &[Vec<Name>],
    preview: &mut PairsPreview,
) -> Result<()> {
    let mut names: Vec<Name> = together.concat();
    names.extend(asked.iter().flat_map(|((a, b), _)| [*a, *b]));
    let found = Found::read(run, id, spec, &names).await?;
    let (rules, candidates) = found.members.candidates(spec)?;
    let (read, width) = (&spec.mapping.read_schema, spec.mapping.columns.len());
    for ((rows, pair), cluster) in asked.iter().zip(together) {
        let there = found.of(cluster, *rows, pair)?;
        let Some(survivor) = found.members.survivor(&candidates, &there) else {
            preview.apart.push((*pair).to_owned());
            continue;
        };
        let rule = rules.row_words(read);
        let stood = found.members.stood(survivor);
        // A row that was there before takes nothing over.
        let choosing: &[usize] = if stood { &[survivor] } else { &there };
        let choices = candidates.choices(choosing, survivor, width).into_iter().enumerate();
        let columns = choices.map(|(place, choice)| MergedColumn {
            column: spec.mapping.columns[place].target.clone(),
            from: found.name(choice.row),
            why: if stood { Why::There } else { choice.why },
            rule: rules.column_words(place, read),
        });
        preview.merged.push(MergedRow {
            pair: (*pair).to_owned(),
            survivor: found.name(survivor),
            why: match stood {
                true => Why::There,
                false => candidates.why_survivor(&there, survivor, rule.is_some()),
            },
            columns: columns.collect(),
            rule,
        });
    }
    Ok(())
}
