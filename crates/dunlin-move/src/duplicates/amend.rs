//! A decision on pairs, acted on at once: what the tables would hold by what people have decided now is held against what
//! they hold by the crosswalks of the run, and what differs changes, in one target transaction with its receipts: losers
//! leave, survivors take their settled form, references follow; or, when a decision is taken back, the other way.
//!
//! Both sides are the source mapped anew, so undoing a merge gives what was there before it. Where that cannot be done in
//! one transaction, or a row is not what the run loaded, nothing is touched and the next run acts on the decision. Writing
//! it is [`super::carry_out`].

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{RecordBatch, UInt32Array};
use dunlin_connect::canon::{RowHash, hash_rows};
use dunlin_connect::{Bounds, ReadRequest, Target};
use dunlin_store::{Folded, PairDecision, Verdict};

use super::carry_out::commit;
use super::crosswalk::clusters_of;
use super::listed::Rows2;
use super::rows::{Name, pick};
use super::{Among, Crosswalk, TableMerges, again, erased, find};
use crate::Result;
use crate::accounting::{Refolded, Tally};
use crate::address::{Wanted, walk};
use crate::batch::{Lead, body, fate, marker_of};
use crate::exec::merge;
use crate::exec::names::key_hashes;
use crate::exec::untouched::is_plain;
use crate::parts::{account, parts_of};
use crate::pipeline::Pipeline;
use crate::remap::engine;
use crate::rowindex::IndexEntry;
use crate::run::{Event, Run};
use crate::spec::TableSpec;
use crate::subject::stage::{Acting, Asked};

/// How it went.
pub(crate) enum Outcome {
    /// The targets are by what people have decided; rows that were changed, by table.
    Acted(BTreeMap<String, u64>),
    /// The next run has to act: why.
    NotNow(&'static str),
}

/// What changes in one row.
pub(super) struct Change {
    /// The row as it is: its entry in the row index and its whole hash.
    pub(super) old: Option<(IndexEntry, RowHash)>,
    /// As it shall be.
    pub(super) new: Option<(IndexEntry, RowHash)>,
}

/// What changes in one table.
pub(super) struct TableChanges {
    pub(super) spec: Arc<TableSpec>,
    pub(super) changes: Vec<Change>,
    /// The new rows, in the order of the changes that have one.
    pub(super) rows: Vec<RecordBatch>,
    /// Where the old rows lie, in the order of the changes that have one.
    pub(super) positions: Vec<u64>,
    /// The crosswalks that the table goes by from now on; empty for none.
    pub(super) crosswalk: String,
    /// The table's own crosswalk, where it changes.
    pub(super) refolded: Option<Refolded>,
}

/// Acts on all decisions of people that the run's crosswalks do not hold yet. `decided` are the rows of the pairs, by table,
/// that this decision is on, also where it takes an earlier one back.
pub(crate) async fn act(
    run: &Run<'_>,
    id: &str,
    targets: &BTreeMap<String, Arc<dyn Target>>,
    decided: &[(&str, Rows2)],
) -> Result<Outcome> {
    match changes(run, id, &[], decided).await? {
        Ok(all) => commit(run, id, targets, all).await,
        Err(why) => Ok(Outcome::NotNow(why)),
    }
}

/// What acting would come to, were this said as well of pairs of these tables; `None` takes back what was said. Nothing is
/// changed.
pub(crate) async fn would_act(run: &Run<'_>, id: &str, said: &[Said]) -> Result<Outcome> {
    let decided: Vec<(&str, Rows2)> = said.iter().map(|s| (s.label.as_str(), s.rows)).collect();
    Ok(match changes(run, id, said, &decided).await? {
        Ok(all) => {
            Outcome::Acted(all.iter().map(|t| (t.spec.label.clone(), t.changes.len() as u64)).collect())
        }
        Err(why) => Outcome::NotNow(why),
    })
}

/// What is thought of saying of a pair.
pub(crate) struct Said {
    /// The table.
    pub(crate) label: String,
    /// The pair.
    pub(crate) pair: String,
    /// Its rows.
    pub(crate) rows: Rows2,
    /// What; `None` takes back what was said.
    pub(crate) decision: Option<PairDecision>,
}

/// What people have decided on pairs of a table, with what is thought of.
async fn decisions(run: &Run<'_>, label: &str, said: &[Said]) -> Result<Vec<PairDecision>> {
    let mut decisions = run.workspace.state().pair_decisions(label).await?;
    for said in said.iter().filter(|said| said.label == label) {
        let before = decisions.iter().position(|d| d.pair == said.pair);
        let same =
            before.zip(said.decision.as_ref()).is_some_and(|(at, d)| decisions[at].verdict == d.verdict);
        // Said again, it keeps its place: earlier ones go before.
        if !same {
            if let Some(at) = before {
                decisions.remove(at);
            }
            decisions.extend(said.decision.clone());
        }
    }
    Ok(decisions)
}

/// What has to change in all tables.
async fn changes(
    run: &Run<'_>,
    id: &str,
    said: &[Said],
    decided: &[(&str, Rows2)],
) -> Result<std::result::Result<Vec<TableChanges>, Why>> {
    again(run, id).await?;
    let specs: Vec<Arc<TableSpec>> = run.resolved.specs.clone();
    let before: Vec<Option<Arc<TableMerges>>> =
        specs.iter().map(|s| TableMerges::of(run, s).map(Arc::new)).collect();
    let mut refolded = BTreeMap::new();
    for spec in specs.iter().filter(|s| s.plan.duplicates.is_some()) {
        let decisions = decisions(run, &spec.label, said).await?;
        let of_table = decided.iter().filter(|(label, _)| *label == spec.label).map(|(_, rows)| *rows);
        match look_again(run, id, spec, &decisions, of_table.collect()).await? {
            Ok(changed) => refolded.extend(changed.map(|changed| (spec.label.clone(), changed))),
            Err(why) => return Ok(Err(why)),
        }
    }
    let mut all = Vec::new();
    for (spec, old) in specs.iter().zip(before) {
        let new = TableMerges::of(run, spec).map(Arc::new);
        let hash =
            |merges: &Option<Arc<TableMerges>>| merges.as_ref().map(|m| m.hash.clone()).unwrap_or_default();
        if hash(&old) == hash(&new) {
            continue;
        }
        if run.workspace.state().splits(id, &spec.label).await?.is_empty() {
            match refolded.contains_key(&spec.label) {
                true => return Ok(Err("the latest run did not load the table of these rows")),
                false => continue,
            }
        }
        let crosswalk = hash(&new);
        let (changes, rows) = match differing(run, id, spec, old, new).await? {
            Ok(differing) => differing,
            Err(why) => return Ok(Err(why)),
        };
        let refolded = refolded.remove(&spec.label);
        let Some(positions) = positions(run, spec, &changes).await? else {
            return Ok(Err("a row is not in the target as the run has loaded it"));
        };
        all.push(TableChanges { spec: spec.clone(), changes, rows, positions, crosswalk, refolded });
    }
    let stores: BTreeSet<&str> =
        all.iter().filter(|t| !t.changes.is_empty()).map(|t| t.spec.plan.to.store.as_str()).collect();
    if stores.len() > 1 {
        return Ok(Err("rows of several stores change, and no transaction spans them"));
    }
    Ok(Ok(all))
}

/// What the table's crosswalk is by these decisions; `None` where it stays as it is. Else why the next run has to
/// act.
async fn look_again(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    decisions: &[PairDecision],
    mut decided: Vec<Rows2>,
) -> Result<std::result::Result<Option<Refolded>, Why>> {
    let Some(kept) = run.workspace.state().crosswalk(id, &spec.label).await? else { return Ok(Ok(None)) };
    run.observer.event(Event::Step { table: Some(&spec.label), step: "look for duplicates" });
    let reader = run.source(spec)?.reader().await?;
    let among = Among::of(run, Some(id), spec, &reader).await?;
    decided.extend(not_acted_on(&kept.folded, decisions));
    let mut looked = find::look(&among, decisions).await?;
    let (erased, marks) = erased(run, spec, &reader).await?;
    if !marks.is_empty() {
        return Ok(Err(REQUEST));
    }
    looked.without(&erased);
    let new = Crosswalk::gather(&among, &looked.clusters, None).await?;
    // Both by the source as it is now: what people decided makes the difference, not what the source says by now.
    let settled = run.crosswalks.settled(&spec.label);
    // The source is held against the run's receipts later; the target has nothing that it could be held against.
    let changes = settled.as_ref() != Some(&new.settled);
    if changes && among.there.is_some() && !only_of(&kept.folded, &new.folded, &decided) {
        return Ok(Err(TARGET_CHANGED));
    }
    let refolded = changes.then(|| Refolded::between(&kept.folded, &new.folded, &new.hash));
    if refolded.is_some() {
        run.crosswalks.put(&spec.label, new);
    }
    Ok(Ok(refolded))
}

/// The rows of decisions that a crosswalk does not hold yet.
fn not_acted_on(kept: &[Folded], decisions: &[PairDecision]) -> Vec<Rows2> {
    let of: BTreeMap<Name, Name> = kept.iter().map(|f| (f.loser, f.survivor)).collect();
    let stands = |name: Name| of.get(&name).copied().unwrap_or(name);
    let one = |d: &PairDecision| stands(d.rows.0) == stands(d.rows.1);
    decisions.iter().filter(|d| one(d) != (d.verdict == Verdict::Merge)).map(|d| d.rows).collect()
}

/// Whether two crosswalks differ only inside the clusters that hold a row of these pairs, and no row has come to those that
/// was in none of them.
fn only_of(kept: &[Folded], new: &[Folded], decided: &[Rows2]) -> bool {
    let named: HashSet<Name> = decided.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let clusters = clusters_of(kept).into_iter();
    let touched = clusters.filter(|c| c.members.iter().any(|name| named.contains(name)));
    let mut may: HashSet<Name> = touched.flat_map(|c| c.members).collect();
    may.extend(&named);
    let others = |folded: &[Folded]| -> BTreeSet<(Name, Name)> {
        let pairs = folded.iter().map(|f| (f.loser, f.survivor));
        pairs.filter(|(loser, survivor)| !may.contains(loser) || !may.contains(survivor)).collect()
    };
    others(kept) == others(new)
}

type Differing = (Vec<Change>, Vec<RecordBatch>);

/// Why the next run has to act.
type Why = &'static str;

pub(crate) const FINISHED: Why = "`finish` has removed what an amendment needs from the target";
const REQUEST: Why = "a customer has asked for something that concerns these rows";
const STORE_ONLY: Why = "a table holds values that only its store can read; the next run does it";
const TARGET_CHANGED: Why =
    "the target has changed since the run, and by it pairs that this decision is not on; run again";
const SOURCE_CHANGED: Why = "the source has changed since the run";

/// The rows of a table that differ between two states of its crosswalks; else why that cannot be told or acted on now.
async fn differing(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    old: Option<Arc<TableMerges>>,
    new: Option<Arc<TableMerges>>,
) -> Result<std::result::Result<Differing, Why>> {
    let reader = run.source(spec)?.reader().await?;
    let pipeline = run.pipeline(spec, &reader).await?;
    let (acting, asked) = match &run.subjects {
        Some(subjects) => {
            let (subjects, protector) = (subjects.clone(), run.protector.clone());
            let asked = subjects.asked().await?;
            (Some(Acting { subjects, spec: spec.clone(), protector }), Some(asked))
        }
        None => (None, None),
    };
    let bare = Pipeline { subjects: None, merges: None, ..pipeline };
    let bounds = reader.splits(&spec.source, 250_000, &[]).await?;
    let splits: Vec<_> = bounds.into_iter().enumerate().map(|(i, b)| (i as u32, b)).collect();
    // Marks that follow from these rows are for a run to remember.
    let follows = AtomicBool::new(false);
    let form = |merges: &Option<Arc<TableMerges>>, batch: &RecordBatch| -> Result<RecordBatch> {
        let mut out = batch.clone();
        if let Some(merges) = merges {
            out = merge::apply(merges, spec, &run.key, out)?;
        }
        match (&acting, &asked) {
            (Some(acting), Some(asked)) => {
                let (out, new) = acted(acting, asked, out)?;
                follows.fetch_or(new, Ordering::Relaxed);
                Ok(out)
            }
            _ => Ok(out),
        }
    };
    let (mut changes, mut rows, mut stands) = (Vec::new(), Vec::new(), None);
    let mut source = Tally::default();
    let (table, columns) = (spec.source.clone(), spec.read.clone());
    let whole = ReadRequest { table, columns, bounds: Bounds::Whole, batch_rows: 1 };
    let in_bytes = is_plain(spec) && reader.wire(&whole).is_some();
    bare.for_each(&splits, |batch| {
        if marker_of(batch).is_none() {
            Lead::of(batch).hashes.into_iter().for_each(|hash| source.add(hash));
            let (old, new) = (form(&old, batch)?, form(&new, batch)?);
            // Where the table was loaded in its bytes, such a row is in the target and may refer to a row that changes.
            let lead = Lead::of(&old);
            if in_bytes && (0..old.num_rows()).any(|row| lead.raw(row).is_some()) {
                stands = Some(STORE_ONLY);
            }
            stands = stands.or(compare(run, spec, &old, &new, &mut changes, &mut rows)?);
        }
        Ok(())
    })
    .await?;
    let account = account(&parts_of(run.workspace.state(), id, &spec.label).await?);
    source += account.gone;
    // Such a row has another hash when it is read this way.
    if source != account.source && stands != Some(STORE_ONLY) {
        return Ok(Err(SOURCE_CHANGED));
    }
    if follows.into_inner() {
        return Ok(Err(REQUEST));
    }
    Ok(stands.map_or(Ok((changes, rows)), Err))
}

/// The batch as customers have asked for it, and whether marks follow from its rows that nobody has remembered.
fn acted(acting: &Acting, asked: &Asked, batch: RecordBatch) -> Result<(RecordBatch, bool)> {
    let (batch, marks) = acting.apply(asked, batch)?;
    Ok((batch, marks.iter().any(|mark| !asked.book.knows(mark))))
}

/// Adds what differs between two forms of a batch; else says what stands against acting on it.
fn compare(
    run: &Run<'_>,
    spec: &TableSpec,
    old: &RecordBatch,
    new: &RecordBatch,
    changes: &mut Vec<Change>,
    rows: &mut Vec<RecordBatch>,
) -> Result<Option<Why>> {
    let from = spec.read.len();
    let mapped = |batch: &RecordBatch| -> Result<RecordBatch> {
        let columns = body(batch, from, from + spec.mapping.columns.len()).columns().to_vec();
        RecordBatch::try_new(spec.mapping.target_schema.clone(), columns).map_err(|_| engine("compare rows"))
    };
    let (old_lead, new_lead) = (Lead::of(old), Lead::of(new));
    let (old, new) = (mapped(old)?, mapped(new)?);
    let (old_hashes, new_hashes) = (hash_rows(&run.key, &old), hash_rows(&run.key, &new));
    let old_names = key_hashes(&run.key, &old, &spec.key, &old_hashes);
    let new_names = key_hashes(&run.key, &new, &spec.key, &new_hashes);
    let mut picked = Vec::new();
    for row in 0..old.num_rows() {
        let source = old_lead.hashes[row];
        let fates = (old_lead.fates[row], new_lead.fates[row]);
        let was = (IndexEntry { key: old_names[row], row: old_hashes[row].short(), source }, old_hashes[row]);
        let will =
            (IndexEntry { key: new_names[row], row: new_hashes[row].short(), source }, new_hashes[row]);
        match fates {
            (fate::ALIVE, fate::ALIVE) if old_hashes[row] == new_hashes[row] => continue,
            (fate::ALIVE, fate::ALIVE) => changes.push(Change { old: Some(was), new: Some(will) }),
            (fate::ALIVE, fate::MERGED) => {
                changes.push(Change { old: Some(was), new: None });
                continue;
            }
            (fate::MERGED, fate::ALIVE) => changes.push(Change { old: None, new: Some(will) }),
            (a, b) if a == b => continue,
            _ => return Ok(Some(REQUEST)),
        }
        picked.push(row as u32);
    }
    if !picked.is_empty() {
        rows.push(pick(&new, &UInt32Array::from(picked))?);
    }
    Ok(None)
}

/// Where the old rows lie in the target; `None` where one is not there.
async fn positions(run: &Run<'_>, spec: &Arc<TableSpec>, changes: &[Change]) -> Result<Option<Vec<u64>>> {
    let mut wanted = Wanted::new();
    let old: Vec<&IndexEntry> =
        changes.iter().filter_map(|c| c.old.as_ref().map(|(entry, _)| entry)).collect();
    old.iter().enumerate().for_each(|(at, entry)| wanted.add(entry.row, at));
    let mut positions = vec![0; old.len()];
    if wanted.left() > 0 {
        let reader = run.target(spec)?.reader().await?;
        walk(reader.as_ref(), spec, &run.key, |position, hash| {
            if let Some(at) = wanted.take(&hash) {
                positions[at] = position;
            }
        })
        .await?;
    }
    Ok((wanted.left() == 0).then_some(positions))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(pairs: &[(u8, u8)]) -> Vec<Folded> {
        let of = |(loser, survivor): &(u8, u8)| Folded {
            loser: [*loser; 16],
            survivor: [*survivor; 16],
            probability: 0.99,
        };
        pairs.iter().map(of).collect()
    }

    fn only(kept: &[(u8, u8)], new: &[(u8, u8)], decided: (u8, u8)) -> bool {
        only_of(&folded(kept), &folded(new), &[([decided.0; 16], [decided.1; 16])])
    }

    #[test]
    fn a_decision_changes_its_own_clusters_and_no_other() {
        let kept = [(2, 1), (3, 1), (8, 7)];
        // Parted, joined, and joined to a cluster whose survivor is another by now.
        assert!(only(&kept, &[(3, 1), (8, 7)], (1, 2)));
        assert!(only(&kept, &[(2, 1), (3, 1), (4, 1), (8, 7)], (3, 4)));
        assert!(only(&kept, &[(1, 7), (2, 7), (3, 7), (8, 7)], (2, 8)));
        // A row that nobody spoke of folds into a new one, comes back, or takes in what was parted.
        assert!(!only(&kept, &[(3, 1), (5, 9), (8, 7)], (1, 2)));
        assert!(!only(&kept, &[(3, 1)], (1, 2)));
        assert!(!only(&kept, &[(2, 9), (3, 1), (8, 7)], (1, 2)));
    }
}
