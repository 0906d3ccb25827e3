//! Control totals: amounts added up exactly, month by month, in the source and in the target, as the plan's
//! `[table.totals]` asks for (PCAOB AS 2201: completeness and accuracy of what moves into the books).
//!
//! The source's figures are added up while its rows are loaded and stand in the receipts of the splits; the target's
//! while it is read again by `run` and `verify`. Rows that left or came after the load are looked up in the source by
//! their hashes, which takes one more read and happens only where there are any. After an erasure nothing names the rows
//! that left, and no amount of them is kept: then the rows that are still there are added up anew.
//!
//! Not here: what a difference means for a rule of a pack. Sums are figures of a company and no customer's data, but a
//! month with one row shows that row's amount: they stay in the state, the target's bookkeeping and the report, and the
//! ledger has their hash under the workspace's key.

mod exact;
mod figures;
mod spec;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use dunlin_connect::Bounds;
use dunlin_connect::canon::{HashKey, RowHash, hash_raw};
use dunlin_store::Body;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::batch::{Lead, body, lead, marker_of};
use crate::carry;
use crate::parts::{Part, live_entries, parts_of, rows_folder};
use crate::reconcile::hash_table;
use crate::rowindex::IndexReader;
use crate::run::Run;
use crate::spec::TableSpec;
use crate::{Result, Tally, recover};

pub use exact::Exact;
pub(crate) use figures::RowAmounts;
pub use figures::{Figure, Totals};
pub use spec::{SourceAmount, TotalColumn, TotalsSpec};

/// Why nothing is known where a row left whose amounts only the person who mended it knew.
const MENDED_LEFT: &str = "a row that a person let in has left again; run anew";

/// What a part has added up in the source: a split, or rows that a person let in, as their fix made them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PartTotals {
    /// All rows that it read.
    pub read: Totals,
    /// Those of them that it loaded.
    pub loaded: Totals,
}

/// The control totals of a table, both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlTotals {
    /// The target column that tells periods apart, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// Whether every figure of the target is that of the source's loaded rows, to the last digit.
    pub agree: bool,
    /// Why the figures cannot be held against each other, where they cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// One line a column and month.
    pub lines: Vec<TotalLine>,
}

/// One amount of one month. Sums are decimal texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotalLine {
    /// The target column.
    pub column: String,
    /// The month, as `2026-01`; none for rows without a date, or where the plan names no period.
    pub month: Option<String>,
    /// All rows of the source that have an amount.
    pub read_rows: u64,
    /// Their sum.
    pub read: Exact,
    /// Those of them that were loaded.
    pub loaded_rows: u64,
    /// Their sum, as the source has them.
    pub loaded: Exact,
    /// Rows of the target that have an amount.
    pub target_rows: u64,
    /// Their sum, as the target gave them back.
    pub target: Exact,
    /// Target less source.
    pub difference: Exact,
    /// Loaded rows, of either side, whose value is no number.
    pub unread: u64,
}

impl TotalLine {
    /// Whether both sides are equal.
    pub fn agrees(&self) -> bool {
        self.difference.is_zero() && self.loaded_rows == self.target_rows && self.unread == 0
    }
}

impl ControlTotals {
    /// The SHA-256 of the figures' keyed hash, as hex. Without the workspace's key nobody finds out by trying amounts what
    /// a single figure is.
    pub fn hash(&self, key: &HashKey) -> String {
        let text = serde_json::to_vec(self).unwrap_or_default();
        hex::encode(Sha256::digest(hash_raw(key, &[Some(text)]).to_string()))
    }

    /// The ledger's word on them: how many figures, whether they agree, and their hash under the workspace's `key`.
    pub(crate) fn entry(&self, key: &HashKey, run: &str, table: &str) -> Body {
        Body::TotalsCompared {
            run: run.to_owned(),
            table: table.to_owned(),
            figures: self.lines.len() as u64,
            agree: self.agree,
            sha256: self.hash(key),
        }
    }
}

/// Holds the figures of the target against those of the source's loaded rows. `target` has all rows of the target.
///
/// # Errors
/// Those of the source, where rows have to be looked up in it.
pub(crate) async fn compare(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    parts: &[Part],
    mut target: Totals,
) -> Result<Option<ControlTotals>> {
    let Some(asked) = &spec.totals else { return Ok(None) };
    let mut unknown = None;
    let (mut read, mut loaded) = (Totals::default(), Totals::default());
    for part in parts {
        match &part.receipt.totals {
            Some(totals) => {
                read.join(&totals.read);
                loaded.join(&totals.loaded);
            }
            None if part.receipt.source.rows > 0 => {
                unknown = Some("rows were loaded before the plan asked for totals; run anew".to_owned());
            }
            None => {}
        }
    }
    if unknown.is_none() && parts.iter().any(erased) {
        match still_there(run, spec, parts).await? {
            Ok(there) => loaded = there,
            Err(why) => unknown = Some(why),
        }
    } else {
        let changed = Changed::of(run, spec, parts)?;
        if changed.lost {
            unknown = Some(MENDED_LEFT.to_owned());
        }
        if unknown.is_none() && !changed.is_empty() {
            let (came, left, found) = changed.amounts(run, spec).await?;
            loaded.join(&came);
            loaded.take(&left);
            if !found {
                unknown =
                    Some("rows that came or left after the load are not in the source any more".to_owned());
            }
        }
    }
    match standing(run, id, spec, parts).await? {
        Ok(before) => target.take(&before),
        Err(why) => unknown = Some(why),
    }
    Ok(Some(held(asked, &read, &loaded, &target, unknown)))
}

fn held(
    asked: &TotalsSpec,
    read: &Totals,
    loaded: &Totals,
    target: &Totals,
    unknown: Option<String>,
) -> ControlTotals {
    let months: BTreeSet<_> = read.months().chain(loaded.months()).chain(target.months()).collect();
    let mut lines = Vec::new();
    for (at, column) in asked.columns.iter().enumerate() {
        for month in &months {
            let [read, loaded, target] = [read, loaded, target].map(|totals| totals.figure(*month, at));
            if [read, loaded, target].iter().all(|figure| *figure == Figure::default()) {
                continue;
            }
            // A difference of too many digits counts as rows that were not read, and so never agrees.
            let difference = target.sum.minus(loaded.sum);
            let beyond = if difference.is_some() { 0 } else { target.rows.max(1) };
            lines.push(TotalLine {
                column: column.name.clone(),
                month: figures::month_word(*month),
                read_rows: read.rows,
                read: read.sum,
                loaded_rows: loaded.rows,
                loaded: loaded.sum.like(target.sum),
                target_rows: target.rows,
                target: target.sum.like(loaded.sum),
                difference: difference.unwrap_or_default(),
                unread: loaded.unread + target.unread + beyond,
            });
        }
    }
    let agree = unknown.is_none() && lines.iter().all(TotalLine::agrees);
    ControlTotals { period: asked.period_name.clone(), agree, unknown, lines }
}

/// Whether rows of a customer were erased by an amendment, after their split was loaded.
fn erased(part: &Part) -> bool {
    part.receipt.source.rows == 0 && part.receipt.dispositions.erased.rows > 0
}

/// What the loaded rows that are still in the target come to in the source, added up anew; or why that is not known.
/// Holds a hash a row in memory.
async fn still_there(
    run: &Run<'_>,
    spec: &Arc<TableSpec>,
    parts: &[Part],
) -> Result<std::result::Result<Totals, String>> {
    let mut there = Totals::default();
    // Rows that a person mended count as they were let in, whatever the source says.
    let (mut mended, mut wanted) = (HashSet::new(), 0);
    for part in parts.iter().filter(|part| part.receipt.source.rows == 0) {
        let Some(totals) = &part.receipt.totals else { continue };
        there.join(&totals.loaded);
        wanted += part.receipt.dispositions.loaded.rows;
        for entry in part.index(&run.workspace.state_dir, &spec.label)?.into_iter().flatten() {
            mended.insert(entry?.source);
        }
    }
    let (mut changed, mut found) = (Changed::default(), 0);
    live_entries(&run.workspace.state_dir, &spec.label, parts, |_, entry| {
        if mended.contains(&entry.source) {
            found += 1;
        } else {
            changed.comes(entry.source);
        }
    })?;
    if found != wanted {
        return Ok(Err(MENDED_LEFT.to_owned()));
    }
    let (came, _, all) = changed.amounts(run, spec).await?;
    there.join(&came);
    Ok(match all {
        true => Ok(there),
        false => Err("a customer's rows were erased, and others are not in the source any more".to_owned()),
    })
}

/// What the rows came to that stood in the target before, or why that is not known.
async fn standing(
    run: &Run<'_>,
    id: &str,
    spec: &TableSpec,
    parts: &[Part],
) -> Result<std::result::Result<Totals, String>> {
    let saved = recover::saved_tables(run.workspace, id).await?;
    let Some(saved) = saved.get(&spec.label).filter(|saved| !saved.preexisting.is_empty()) else {
        return Ok(Ok(Totals::default()));
    };
    let touched = parts.iter().any(|p| !p.receipt.preexisting_taken.is_empty());
    Ok(match &saved.preexisting_totals {
        Some(totals) if !touched => Ok(totals.clone()),
        Some(_) => Err("rows that stood in the target before have changed since".to_owned()),
        None => Err("what the rows come to that stood in the target before is not known".to_owned()),
    })
}

/// The figures of rows that stand in the target before a run: what is kept with the run, so that they can be taken off.
///
/// # Errors
/// Those of the target.
pub(crate) async fn preexisting(
    run: &Run<'_>,
    spec: &Arc<TableSpec>,
    there: Tally,
) -> Result<Option<Totals>> {
    if spec.totals.is_none() || there.is_empty() {
        return Ok(None);
    }
    if let Some((before, _)) = carry::latest(run, spec, None).await? {
        let parts = parts_of(run.workspace.state(), &before.id, &spec.label).await?;
        // What is left of them was not added up.
        if parts.iter().any(|p| !p.receipt.preexisting_taken.is_empty()) {
            return Ok(None);
        }
        let saved = recover::saved_tables(run.workspace, &before.id).await?;
        return Ok(saved.get(&spec.label).and_then(|saved| saved.preexisting_totals.clone()));
    }
    let reader = run.target(spec)?.reader().await?;
    let (columns, asked) = (spec.read_back(), [spec.totals.clone(), None]);
    let read = hash_table(&reader, &spec.target, &columns, run.key, &[], run.options.jobs, &asked).await?;
    let [totals, _] = read.totals;
    Ok(Some(totals))
}

/// Rows that came into the target or left it after their split was loaded, by their hashes in the source.
#[derive(Default)]
struct Changed {
    came: HashMap<RowHash, u32>,
    left: HashMap<RowHash, u32>,
    /// Whether a row left whose amounts are not what the source says, because a person had mended it.
    lost: bool,
}

impl Changed {
    fn of(run: &Run<'_>, spec: &TableSpec, parts: &[Part]) -> Result<Self> {
        let (mut changed, mut mended) = (Self::default(), HashSet::new());
        // A split has what it read in its receipt, and its own totals.
        for part in parts.iter().filter(|part| part.receipt.source.rows == 0) {
            let folder = rows_folder(&run.workspace.state_dir, &part.origin, &spec.label);
            if let Some(reference) = &part.receipt.index_taken {
                for entry in IndexReader::open(&folder, reference)? {
                    changed.leaves(entry?.source);
                }
            }
            for entry in part.index(&run.workspace.state_dir, &spec.label)?.into_iter().flatten() {
                match part.receipt.totals {
                    Some(_) => drop(mended.insert(entry?.source)),
                    None => changed.comes(entry?.source),
                }
            }
        }
        changed.left.retain(|_, rows| *rows > 0);
        changed.came.retain(|_, rows| *rows > 0);
        changed.lost = changed.left.keys().any(|row| mended.contains(row));
        Ok(changed)
    }

    /// A row that came and leaves again, or the other way round, is where it was: its form may have changed, its amount
    /// in the source has not.
    fn leaves(&mut self, row: RowHash) {
        if !counted(&mut self.came, &row) {
            *self.left.entry(row).or_default() += 1;
        }
    }

    fn comes(&mut self, row: RowHash) {
        if !counted(&mut self.left, &row) {
            *self.came.entry(row).or_default() += 1;
        }
    }

    fn is_empty(&self) -> bool {
        self.came.is_empty() && self.left.is_empty()
    }

    /// What these rows come to in the source, and whether all of them are there.
    async fn amounts(mut self, run: &Run<'_>, spec: &Arc<TableSpec>) -> Result<(Totals, Totals, bool)> {
        let (mut came, mut left) = (Totals::default(), Totals::default());
        let reader = run.source(spec)?.reader().await?;
        let mut pipeline = run.pipeline(spec, &reader).await?;
        (pipeline.subjects, pipeline.merges) = (None, None);
        let bounds = reader.splits(&spec.source, 200_000, &[]).await?;
        let splits: Vec<(u32, Bounds)> = (0..).zip(bounds).collect();
        pipeline
            .for_each(&splits, |batch| {
                if marker_of(batch).is_none()
                    && let Some((hashes, amounts)) = amounts_of(spec, batch)
                {
                    for (row, hash) in hashes.iter().enumerate() {
                        if counted(&mut self.left, hash) {
                            left.add(&amounts, row);
                        } else if counted(&mut self.came, hash) {
                            came.add(&amounts, row);
                        }
                    }
                }
                Ok(())
            })
            .await?;
        let found = self.left.values().chain(self.came.values()).all(|rows| *rows == 0);
        Ok((came, left, found))
    }
}

/// Takes one row off those that are looked for.
fn counted(wanted: &mut HashMap<RowHash, u32>, hash: &RowHash) -> bool {
    match wanted.get_mut(hash) {
        Some(rows) if *rows > 0 => {
            *rows -= 1;
            true
        }
        _ => false,
    }
}

/// The amounts of a mapped batch in the source, with the hashes of its rows.
fn amounts_of(spec: &TableSpec, batch: &RecordBatch) -> Option<(Vec<RowHash>, RowAmounts)> {
    let asked = spec.totals.as_ref()?;
    let reads = spec.read.len();
    let source = body(batch, 0, reads);
    let target = body(batch, reads, batch.num_columns() - lead::COUNT);
    Some((Lead::of(batch).hashes, asked.in_source(&source, &target)))
}
