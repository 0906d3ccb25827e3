//! What is known of pairs without reading a store: those that a run left for a person, those that people decided on, and
//! rows that a run was sure enough of to merge them by itself.
//!
//! All of it is in the state and the row index: names of rows, probabilities, levels and weights. Not here: anything of what is in the rows
//! ([`super::review`], [`super::preview`]).

use std::collections::{HashMap, HashSet};

use dunlin_plan::{Plan, TablePlan};
use dunlin_store::{Actor, DuplicatePair, Folded, PairDecision, PairEvidence, Verdict, Workspace};
use serde::Serialize;

use super::find::pair_id;
use super::rows::Name;
use crate::parts::{live_entries, parts_of};
use crate::{Result, finished};

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
    /// Whether the run merged the rows by itself, without a person.
    pub sure: bool,
}

/// A pair with what speaks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedPair {
    /// The pair.
    pub pair: WaitingPair,
    /// How many rows are one where these are: the two, and those that fold into them already.
    pub rows: u64,
    /// What speaks for it and against it, a column each; empty where nothing was kept.
    pub evidence: Vec<PairEvidence>,
    /// Who decided.
    pub by: Option<Actor>,
    /// When, in microseconds since 1970 UTC.
    pub at: Option<i64>,
}

/// The names of a pair's rows.
pub(crate) type Rows2 = (Name, Name);

/// The pairs of the latest finished run of this plan, the likeliest first, and the run's id; decided and sure ones as
/// well. No store is read, and no lock taken: while a run goes on this is what the one before it left.
///
/// # Errors
/// No such run, and those of the state.
pub async fn listed_pairs(workspace: &Workspace, plan: &Plan) -> Result<(String, Vec<ListedPair>)> {
    let record = finished::latest(workspace, plan).await?;
    let mut all = Vec::new();
    for table in plan.tables.iter().filter(|t| t.duplicates.is_some()) {
        let found = known(workspace, &record.id, table).await?;
        all.extend(found.into_iter().map(|(_, pair)| pair));
    }
    sort(&mut all, |listed| &listed.pair);
    Ok((record.id, all))
}

/// The likeliest first.
fn sort<T>(pairs: &mut [T], of: impl Fn(&T) -> &WaitingPair) {
    pairs.sort_by(|x, y| {
        let (x, y) = (of(x), of(y));
        y.probability.total_cmp(&x.probability).then_with(|| x.pair.cmp(&y.pair))
    });
}

/// The pairs of a table that anything is known of, the likeliest first: those that the run left, those that people decided
/// on, and rows that the run folded into others without being told to.
pub(crate) async fn known(
    workspace: &Workspace,
    id: &str,
    table: &TablePlan,
) -> Result<Vec<(Rows2, ListedPair)>> {
    let (state, label) = (workspace.state(), table.label());
    let label = label.as_str();
    let crosswalk = state.crosswalk(id, label).await?.map(|c| c.folded).unwrap_or_default();
    let decisions = state.pair_decisions(label).await?;
    let mut listed = state.duplicate_pairs(id, label).await?;
    let left: HashSet<String> = listed.iter().map(|p| p.pair.clone()).collect();
    listed.extend(decisions.iter().filter(|d| !left.contains(&d.pair)).map(|d| DuplicatePair {
        pair: d.pair.clone(),
        rows: d.rows,
        probability: 1.0,
        evidence: Vec::new(),
    }));
    let clusters = Clusters::of(&crosswalk);
    let sure = clusters.sure(&crosswalk, &decisions);
    let alike = alike(workspace, id, table, &clusters, &decisions).await?;
    let said: HashMap<&str, &PairDecision> = decisions.iter().map(|d| (d.pair.as_str(), d)).collect();
    let mut pairs: Vec<(Rows2, ListedPair)> = Vec::new();
    for DuplicatePair { pair, rows, probability, evidence } in listed {
        let decision = said.get(pair.as_str());
        let verdict = decision.map(|d| d.verdict);
        let one = clusters.root(rows.0) == clusters.root(rows.1);
        let acted = one == (verdict == Some(Verdict::Merge)) || alike.contains(&pair);
        let (decided, table) = (verdict.map(Verdict::as_str), label.to_owned());
        let pair = WaitingPair { pair, table, probability, decision: decided, acted, sure: false };
        let by = decision.and_then(|d| d.by.clone());
        let at = decision.map(|d| d.at);
        pairs.push((rows, ListedPair { pair, rows: clusters.together(rows), evidence, by, at }));
    }
    let seen: HashSet<String> = pairs.iter().map(|(_, p)| p.pair.pair.clone()).collect();
    for folded in sure {
        let rows = (folded.survivor, folded.loser);
        let pair = pair_id(rows.0, rows.1);
        if !seen.contains(&pair) {
            let (table, probability) = (label.to_owned(), folded.probability);
            let pair = WaitingPair { pair, table, probability, decision: None, acted: true, sure: true };
            let rows_together = clusters.together(rows);
            let listed = ListedPair { pair, rows: rows_together, evidence: Vec::new(), by: None, at: None };
            pairs.push((rows, listed));
        }
    }
    sort(&mut pairs, |(_, listed)| &listed.pair);
    Ok(pairs)
}

/// The pairs that people joined whose moving row folds into another row that stood in the target before: of several that are
/// alike there, it folds into one, and nothing is left to be done. A row that stood there is one that no run has loaded.
async fn alike(
    workspace: &Workspace,
    id: &str,
    table: &TablePlan,
    clusters: &Clusters,
    decisions: &[PairDecision],
) -> Result<HashSet<String>> {
    let mut others: HashMap<Name, Vec<String>> = HashMap::new();
    let joined = decisions.iter().filter(|d| d.verdict == Verdict::Merge);
    for PairDecision { pair, rows: (one, other), .. } in joined {
        let folds = |name| clusters.survivor.contains_key(name);
        let stays = match (folds(one), folds(other)) {
            (true, false) => other,
            (false, true) => one,
            _ => continue,
        };
        if clusters.root(*one) != clusters.root(*other) {
            others.entry(*stays).or_default().push(pair.clone());
        }
    }
    if others.is_empty() || !table.duplicates.as_ref().is_some_and(|d| d.within_target()) {
        return Ok(HashSet::new());
    }
    let label = table.label();
    let parts = parts_of(workspace.state(), id, &label).await?;
    live_entries(&workspace.state_dir, &label, &parts, |_, entry| {
        others.remove(&entry.key);
    })?;
    Ok(others.into_values().flatten().collect())
}

/// Rows that a run made one.
struct Clusters {
    survivor: HashMap<Name, Name>,
    losers: HashMap<Name, u64>,
}

impl Clusters {
    fn of(crosswalk: &[Folded]) -> Self {
        let mut losers = HashMap::new();
        crosswalk.iter().for_each(|f| *losers.entry(f.survivor).or_insert(0) += 1);
        Self { survivor: crosswalk.iter().map(|f| (f.loser, f.survivor)).collect(), losers }
    }

    fn root(&self, name: Name) -> Name {
        self.survivor.get(&name).copied().unwrap_or(name)
    }

    /// How many rows are one where the clusters of these two are.
    fn together(&self, rows: Rows2) -> u64 {
        let (one, other) = (self.root(rows.0), self.root(rows.1));
        let size = |root: &Name| 1 + self.losers.get(root).copied().unwrap_or_default();
        if one == other { size(&one) } else { size(&one) + size(&other) }
    }

    /// What was folded in clusters that no person has joined anything to.
    fn sure<'a>(
        &self,
        crosswalk: &'a [Folded],
        decisions: &[PairDecision],
    ) -> impl Iterator<Item = &'a Folded> + use<'a> {
        let joined = decisions.iter().filter(|d| d.verdict == Verdict::Merge);
        let joined: HashSet<Name> = joined.flat_map(|d| [self.root(d.rows.0), self.root(d.rows.1)]).collect();
        crosswalk.iter().filter(move |f| !joined.contains(&f.survivor))
    }
}
