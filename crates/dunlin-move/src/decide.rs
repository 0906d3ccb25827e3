//! What becomes of quarantined rows: released, fixed and released, or discarded; with the same accounting as a run.
//!
//! A row in source form is mapped again (after the fix, if there is one), held against the rules again, and loaded in
//! one target transaction with an amending receipt. What still does not pass stays in quarantine as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{BinaryArray, BinaryBuilder, RecordBatch};
use arrow::compute::filter_record_batch;
use dunlin_connect::canon::{RowHash, hash_rows};
use dunlin_connect::{Bounds, ReadRequest, Receipt, Target};
use dunlin_plan::Plan;
use dunlin_store::{QuarantineFilter, QuarantineRow, QuarantineStatus, Workspace};
use serde::Serialize;

use crate::accounting::PartReceipt;
use crate::batch::fate;
use crate::carry::load_spec;
use crate::duplicates::TableMerges;
use crate::duplicates::crosswalk::Standing;
use crate::error::rows as row_count;
use crate::exec::names::{key_hash, key_hashes};
use crate::exec::untouched::is_plain;
use crate::finished::{self, Access};
use crate::parts::rows_folder;
use crate::quarantine::{Form, InWire, QuarantinedRow};
use crate::remap::{Remap, engine, target_batch};
use crate::rowindex::{IndexEntry, IndexWriter};
use crate::run::{Observer, Run, RunOptions};
use crate::spec::TableSpec;
use crate::totals::{PartTotals, RowAmounts};
use crate::tried::{self, ShapeChange};
use crate::{MoveError, Result, recover, settle};

/// Rows of one amendment: bounds its memory.
const DECIDE_ROWS: usize = 20_000;

/// What is to become of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Try again as they are: the plan, the target or a parent may have changed.
    Release,
    /// Set source columns by SQL expressions over the source row, then release.
    Fix(Vec<(String, String)>),
    /// They do not move: excluded, by a person's word.
    Discard,
}

/// Which rows.
#[derive(Debug, Clone, Default)]
pub struct DecideOptions {
    /// Only these groups; empty for all.
    pub groups: Vec<String>,
    /// Only this table.
    pub table: Option<String>,
    /// Change nothing; say what would happen.
    pub dry_run: bool,
}

/// What became of the rows of one table.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Decided {
    /// The table's label.
    pub table: String,
    /// Rows that were looked at.
    pub rows: u64,
    /// Rows that are in the target now.
    pub released: u64,
    /// Rows that are left behind now.
    pub discarded: u64,
    /// Rows that still wait, by reason.
    pub waiting: BTreeMap<String, u64>,
    /// The columns at fault, by reason, where a reason names any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub waiting_columns: BTreeMap<String, BTreeSet<String>>,
    /// What a fix that is only tried makes of the values, by their shapes, the most frequent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shapes: Vec<ShapeChange>,
    /// Rows elsewhere that wait for a parent which may be among the released.
    pub children: u64,
}

impl Decided {
    fn still(&mut self, reason: &str, column: Option<&str>) {
        *self.waiting.entry(reason.to_owned()).or_default() += 1;
        if let Some(column) = column {
            self.waiting_columns.entry(reason.to_owned()).or_default().insert(column.to_owned());
        }
    }
}

/// Decides on quarantined rows of the latest finished run of this plan.
///
/// # Errors
/// No such run or group, a fix that is no expression, and those of the stores.
pub async fn decide(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    which: &DecideOptions,
    decision: &Decision,
    observer: Arc<dyn Observer>,
) -> Result<Vec<Decided>> {
    let _lock = workspace.lock_run()?;
    let record = finished::latest(workspace, plan).await?;
    let opened = finished::open(workspace, plan, options, observer, record, Access::Write).await?;
    let (run, id) = (&opened.run, opened.record.id.as_str());
    let targets = run.targets().await?;
    // An earlier decision whose process died may be in the target already.
    let recovered = recover::receipts(run, id, &targets).await?;
    crate::duplicates::again(run, id).await?;
    let mut decided = Vec::new();
    for spec in &run.resolved.specs {
        if which.table.as_ref().is_some_and(|t| *t != spec.label) {
            continue;
        }
        let filter = QuarantineFilter {
            run: None,
            table: Some(spec.label.clone()),
            groups: which.groups.clone(),
            status: Some(QuarantineStatus::Waiting),
        };
        let rows = workspace.state().quarantine_rows(&filter, u32::MAX, 0).await?;
        if rows.is_empty() {
            continue;
        }
        let mut table = Table { run, id, spec, target: &targets[&spec.plan.to.store], which, decision };
        if decided.is_empty() && table.writes() {
            triggers_aside(run, &targets).await?;
        }
        decided.push(table.decide(rows).await?);
    }
    let found = !decided.is_empty() || recovered > 0;
    if !which.dry_run && *decision != Decision::Discard && (found || amended(run, id).await?) {
        // Foreign keys that the store does not hold while loading are looked at now; also where nothing waits any more,
        // because an earlier decision may have died before it came to this.
        settle::keys(run, id, &run.resolved.specs, &targets).await?;
        offer_children(workspace, run, &mut decided).await?;
    }
    if !which.dry_run {
        opened.join(&targets).await?;
    }
    workspace.integrate().await?;
    if !found {
        return Err(tried::no_group());
    }
    Ok(decided)
}

/// Triggers of tables that were there before do not fire for loaded rows; `settle::keys` enables them again.
async fn triggers_aside(run: &Run<'_>, targets: &BTreeMap<String, Arc<dyn Target>>) -> Result<()> {
    for (store, target) in targets {
        let specs = run.resolved.specs.iter().filter(|s| !s.created && s.plan.to.store == *store);
        let tables: Vec<_> = specs.map(|s| s.target.as_ref().clone()).collect();
        if !tables.is_empty() {
            target.before_load(&tables, &[]).await?;
        }
    }
    Ok(())
}

/// Whether rows were amended since they were loaded.
async fn amended(run: &Run<'_>, id: &str) -> Result<bool> {
    for spec in &run.resolved.specs {
        if !run.workspace.state().amendments(id, &spec.label).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn offer_children(workspace: &Workspace, run: &Run<'_>, decided: &mut [Decided]) -> Result<()> {
    for done in decided.iter_mut().filter(|d| d.released > 0) {
        let Some(parent) = run.resolved.specs.iter().find(|s| s.label == done.table) else { continue };
        for child in &run.resolved.specs {
            if child.target.foreign_keys.iter().any(|k| k.parent.name == parent.target.name.name) {
                let filter =
                    QuarantineFilter { table: Some(child.label.clone()), ..QuarantineFilter::default() };
                let groups = workspace.state().quarantine_groups(&filter).await?;
                let orphaned = groups.iter().filter(|g| g.reason == "parent-quarantined");
                done.children += orphaned.map(|g| g.rows).sum::<u64>();
            }
        }
    }
    Ok(())
}

struct Table<'a> {
    run: &'a Run<'a>,
    id: &'a str,
    spec: &'a Arc<TableSpec>,
    target: &'a Arc<dyn Target>,
    which: &'a DecideOptions,
    decision: &'a Decision,
}

/// Rows on their way back into the target.
enum Rows {
    /// In the mapped columns.
    Mapped(RecordBatch),
    /// In the bytes of the wire.
    Wire(BinaryArray),
}

/// A waiting row with the place it lies at.
struct Waiting {
    place: String,
    number: u32,
    row: QuarantinedRow,
}

impl Table<'_> {
    async fn decide(&mut self, rows: Vec<QuarantineRow>) -> Result<Decided> {
        let mut decided =
            Decided { table: self.spec.label.clone(), rows: rows.len() as u64, ..Decided::default() };
        let mut by_fragment: BTreeMap<(String, String), Vec<u32>> = BTreeMap::new();
        for row in rows {
            by_fragment.entry((row.run, row.fragment)).or_default().push(row.row);
        }
        let mut waiting = Vec::new();
        for ((run, fragment), numbers) in by_fragment {
            let wanted: std::collections::HashSet<u32> = numbers.into_iter().collect();
            let rows = self.run.workspace.fragments().open(&run, &self.spec.label, &fragment)?;
            for (number, payload) in rows.enumerate() {
                let payload = payload?;
                if wanted.contains(&(number as u32))
                    && let Some(row) = QuarantinedRow::unpack(&payload)
                {
                    waiting.push(Waiting { place: format!("{run}/{fragment}"), number: number as u32, row });
                }
                if waiting.len() >= DECIDE_ROWS {
                    self.chunk(std::mem::take(&mut waiting), &mut decided).await?;
                }
            }
        }
        if !waiting.is_empty() {
            self.chunk(waiting, &mut decided).await?;
        }
        Ok(decided)
    }

    async fn chunk(&mut self, rows: Vec<Waiting>, decided: &mut Decided) -> Result<()> {
        if *self.decision == Decision::Discard {
            return self.discard(rows, decided).await;
        }
        let (wired, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|w| w.row.wire.is_some());
        let (mended, wired) = match self.decision {
            // A row that did not arrive can be mended; one that did goes back as it was.
            Decision::Fix(_) => wired.into_iter().partition(|w| w.row.form == Form::Source),
            _ => (Vec::new(), wired),
        };
        if !wired.is_empty() {
            self.load_wired(&wired, decided).await?;
        }
        let rows = rows.into_iter().chain(mended);
        let (there, mapped): (Vec<_>, Vec<_>) = rows.partition(|w| w.row.form == Form::Target);
        if !there.is_empty() {
            let texts: Vec<&[Option<String>]> = there.iter().map(|w| w.row.fields.as_slice()).collect();
            let batch = target_batch(self.spec, &texts)?;
            let passed = vec![true; there.len()];
            self.load(&there, batch, None, &passed, decided).await?;
        }
        if !mapped.is_empty() {
            let set = match self.decision {
                Decision::Fix(set) => set.as_slice(),
                _ => &[],
            };
            let remap = Remap { run: self.run, spec: self.spec, set };
            let rows: Vec<&QuarantinedRow> = mapped.iter().map(|w| &w.row).collect();
            if self.which.dry_run && !set.is_empty() {
                tried::count(&remap.tried(&rows)?, &mut decided.shapes);
            }
            let (batch, lead, mut amounts) = remap.map_and_add_up(&rows).await?;
            let passed: Vec<bool> = lead.fates.iter().map(|f| *f == fate::ALIVE).collect();
            for (row, _) in passed.iter().enumerate().filter(|(_, passed)| !**passed) {
                decided.still(lead.reason(row).unwrap_or_default(), lead.column(row));
            }
            let mask = arrow::array::BooleanArray::from(passed.clone());
            let batch = filter_record_batch(&batch, &mask).map_err(|_| engine("pick the rows that pass"))?;
            amounts.iter_mut().for_each(|amounts| amounts.retain(&passed));
            self.load(&mapped, batch, amounts, &passed, decided).await?;
        }
        Ok(())
    }

    async fn next_amendment(&self) -> Result<u32> {
        let known = self.run.workspace.state().amendments(self.id, &self.spec.label).await?;
        Ok(known.iter().map(|a| a.amendment).max().map_or(1, |n| n + 1))
    }

    /// Loads the rows that pass.
    async fn load(
        &self,
        rows: &[Waiting],
        batch: RecordBatch,
        amounts: Option<RowAmounts>,
        passed: &[bool],
        decided: &mut Decided,
    ) -> Result<()> {
        let candidates: Vec<&Waiting> =
            rows.iter().zip(passed).filter(|(_, p)| **p).map(|(w, _)| w).collect();
        if self.which.dry_run || candidates.is_empty() {
            decided.released += candidates.len() as u64;
            return Ok(());
        }
        let mut buffer = Vec::new();
        let name =
            |(place, hash)| (key_hash(&self.run.key, &batch, &self.spec.key, place, hash, &mut buffer), hash);
        let names = hash_rows(&self.run.key, &batch).into_iter().enumerate().map(name).collect();
        self.write(&candidates, names, Rows::Mapped(batch.clone()), amounts, decided).await
    }

    /// Loads rows in the bytes in which they travelled, where the target takes them so.
    async fn load_wired(&self, rows: &[Waiting], decided: &mut Decided) -> Result<()> {
        let takes = self.takes_wire().await?;
        let mut candidates = Vec::new();
        let mut names = Vec::new();
        let mut bytes = BinaryBuilder::new();
        for waiting in rows {
            match waiting.row.wire.as_ref().and_then(InWire::parts).filter(|_| takes) {
                Some((row, name)) => {
                    // The short way: what arrives is what was read.
                    names.push((name, waiting.row.source));
                    bytes.append_value(row);
                    candidates.push(waiting);
                }
                None => decided.still(&waiting.row.reason, waiting.row.column.as_deref()),
            }
        }
        if self.which.dry_run || candidates.is_empty() {
            decided.released += candidates.len() as u64;
            return Ok(());
        }
        self.write(&candidates, names, Rows::Wire(bytes.finish()), None, decided).await
    }

    /// Whether the table still takes its short way: nothing in the plan, no merged duplicate, and no customer's wish, looks
    /// at its rows.
    async fn takes_wire(&self) -> Result<bool> {
        if !is_plain(self.spec) || TableMerges::of(self.run, self.spec).is_some() {
            return Ok(false);
        }
        if let Some(subjects) = &self.run.subjects
            && subjects.links.tables.contains_key(&self.spec.label)
            && !subjects.asked().await?.book.is_empty()
        {
            return Ok(false);
        }
        let (table, columns) = (Arc::clone(&self.spec.source), self.spec.read.clone());
        let request = ReadRequest { table, columns, bounds: Bounds::Whole, batch_rows: 1 };
        let Some(wire) = self.run.source(self.spec)?.reader().await?.wire(&request) else { return Ok(false) };
        Ok(self.target.takes_wire(&load_spec(self.spec, self.id, ""), &wire).await?)
    }

    /// Index, one target transaction, one state transaction. `names` has each row's name by key and its hash in target
    /// space.
    async fn write(
        &self,
        candidates: &[&Waiting],
        names: Vec<([u8; 16], RowHash)>,
        rows: Rows,
        amounts: Option<RowAmounts>,
        decided: &mut Decided,
    ) -> Result<()> {
        let number = self.next_amendment().await?;
        let part = format!("amend-{number}");
        let mut load = self.target.begin(load_spec(self.spec, self.id, &part)).await?;
        match rows {
            Rows::Mapped(batch) => load.write(batch).await?,
            Rows::Wire(rows) => load.write_wire(rows).await?,
        }
        let refused = load.settle().await?;
        let totals = amounts.as_ref().map(|_| PartTotals::default());
        let mut receipt = PartReceipt { decision: Some(self.said()), totals, ..PartReceipt::default() };
        let folder = rows_folder(&self.run.workspace.state_dir, self.id, &self.spec.label);
        let mut index = IndexWriter::create(&folder.join(format!("{part}.idx")))?;
        for (place, (waiting, (key, hash))) in candidates.iter().zip(names).enumerate() {
            if let Some(refusal) = refused.iter().find(|r| r.ordinal == place as u64) {
                decided.still(refusal.reason.code(), refusal.column.as_deref());
                continue;
            }
            index.push(IndexEntry { key, row: hash.short(), source: waiting.row.source })?;
            receipt.dispositions.loaded.add(waiting.row.source);
            receipt.taken.quarantined.add(waiting.row.source);
            receipt.expected.add(hash);
            if let (Some(totals), Some(amounts)) = (&mut receipt.totals, &amounts) {
                totals.loaded.add(amounts, place);
            }
            receipt.settles.entry(waiting.place.clone()).or_default().push(waiting.number);
        }
        if receipt.dispositions.loaded.rows == 0 {
            return Ok(load.abort().await?);
        }
        receipt.index = Some(index.finish()?);
        decided.released += receipt.dispositions.loaded.rows;
        let body = serde_json::to_string(&receipt).unwrap_or_default();
        let (run, table) = (self.id.to_owned(), self.spec.label.clone());
        load.commit(&Receipt { run, table, part, body }).await?;
        self.record(number, receipt).await
    }

    /// Refuses to discard a row that others live on in: they would be lost with it.
    async fn none_folded(&self, rows: &[Waiting]) -> Result<()> {
        let Some(own) = self.run.crosswalks.of(&self.spec.label) else { return Ok(()) };
        let mut names: Vec<[u8; 16]> =
            rows.iter().filter_map(|w| w.row.wire.as_ref().and_then(InWire::parts)).map(|p| p.1).collect();
        let plain = || rows.iter().filter(|w| w.row.wire.is_none());
        let there: Vec<&[Option<String>]> =
            plain().filter(|w| w.row.form == Form::Target).map(|w| w.row.fields.as_slice()).collect();
        if !there.is_empty() {
            let batch = target_batch(self.spec, &there)?;
            names.extend(key_hashes(&self.run.key, &batch, &self.spec.key, &[]));
        }
        let read: Vec<&QuarantinedRow> =
            plain().filter(|w| w.row.form != Form::Target).map(|w| &w.row).collect();
        if !read.is_empty() {
            let remap = Remap { run: self.run, spec: self.spec, set: &[] };
            let (batch, lead) = remap.map(&read).await?;
            let found = key_hashes(&self.run.key, &batch, &self.spec.key, &[]);
            // One that still does not pass was never compared, and has at most its key in common with a survivor.
            names.extend(
                found.into_iter().zip(&lead.fates).filter(|(_, f)| **f == fate::ALIVE).map(|(n, _)| n),
            );
        }
        let standing = |name: &[u8; 16]| matches!(own.standing(name), Some(Standing::Survivor { .. }));
        let folded: u64 = names.iter().filter(|name| standing(name)).map(|name| own.folded_into(name)).sum();
        if folded == 0 {
            return Ok(());
        }
        Err(MoveError::Refused {
            code: "survivor",
            message: format!(
                "discarding would also lose {} of {}, folded into what is to be discarded",
                row_count(folded),
                self.spec.label
            ),
            help: "release or fix them, or part them first: `dunlin duplicates keep PAIR`".to_owned(),
        })
    }

    async fn discard(&self, rows: Vec<Waiting>, decided: &mut Decided) -> Result<()> {
        self.none_folded(&rows).await?;
        decided.discarded += rows.len() as u64;
        if self.which.dry_run {
            return Ok(());
        }
        let mut receipt = PartReceipt { decision: Some(self.said()), ..PartReceipt::default() };
        for waiting in &rows {
            receipt.dispositions.excluded.add(waiting.row.source);
            receipt.taken.quarantined.add(waiting.row.source);
            receipt.settles.entry(waiting.place.clone()).or_default().push(waiting.number);
        }
        receipt.reasons.insert("discarded".to_owned(), rows.len() as u64);
        let number = self.next_amendment().await?;
        self.record(number, receipt).await
    }

    /// What a decision's receipt and the ledger call it.
    fn said(&self) -> dunlin_store::Decision {
        match self.decision {
            Decision::Release => dunlin_store::Decision::Released,
            Decision::Fix(_) => dunlin_store::Decision::Fixed,
            Decision::Discard => dunlin_store::Decision::Discarded,
        }
    }

    fn writes(&self) -> bool {
        !self.which.dry_run && *self.decision != Decision::Discard
    }

    /// The amendment, the rows' new status and the ledger's word on both: one transaction.
    async fn record(&self, number: u32, receipt: PartReceipt) -> Result<()> {
        let (workspace, actor) = (self.run.workspace, &self.run.options.actor);
        recover::record_amendment(workspace, actor, self.id, &self.spec.label, number, receipt).await
    }
}
