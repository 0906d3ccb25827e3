//! What becomes of quarantined rows: released, fixed and released, or discarded; with the same accounting as a run.
//!
//! A row in source form is mapped again (after the fix, if there is one), held against the rules again, and loaded in
//! one target transaction with an amending receipt. What still does not pass stays in quarantine as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::filter_record_batch;
use dunlin_connect::canon::hash_rows;
use dunlin_connect::{ColumnType, Receipt, Target, text_to_array};
use dunlin_plan::Plan;
use dunlin_quality::{Compiler, evaluate_rows};
use dunlin_store::{Body, QuarantineFilter, QuarantineRow, QuarantineStatus, Workspace};
use serde::Serialize;

use crate::accounting::PartReceipt;
use crate::batch::{Lead, body, fate, lead, with_lead};
use crate::carry::load_spec;
use crate::exec::enrich::widen;
use crate::exec::load::key_hash;
use crate::exec::map::MapStage;
use crate::fit::{fit, natural_type, normalise};
use crate::parts::rows_folder;
use crate::pipeline::Pipeline;
use crate::quarantine::{Form, QuarantinedRow};
use crate::resolve::resolve;
use crate::rowindex::{IndexEntry, IndexWriter};
use crate::run::{Observer, Run, RunOptions};
use crate::spec::TableSpec;
use crate::stores::Stores;
use crate::verify::finished_run;
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
    /// Only this group.
    pub group: Option<String>,
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
    /// Rows elsewhere that wait for a parent which may be among the released.
    pub children: u64,
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
    let record = finished_run(workspace, plan).await?;
    let stores = Stores::open(plan, &options.base).await?;
    let saved = recover::saved_tables(workspace, &record.id).await?;
    let resolved = resolve(plan, &stores, record.started_at, &saved).await?;
    let run = Run::new(workspace, stores, plan, options, observer, resolved)?;
    let targets = run.targets(&record.id).await?;
    // An earlier decision whose process died may be in the target already.
    let recovered = recover::receipts(&run, &record.id, &targets).await?;
    let mut decided = Vec::new();
    for spec in &run.resolved.specs {
        if which.table.as_ref().is_some_and(|t| *t != spec.label) {
            continue;
        }
        let filter = QuarantineFilter {
            run: None,
            table: Some(spec.label.clone()),
            group: which.group.clone(),
            status: Some(QuarantineStatus::Waiting),
        };
        let rows = workspace.state().quarantine_rows(&filter, u32::MAX, 0).await?;
        if rows.is_empty() {
            continue;
        }
        let mut table =
            Table { run: &run, id: &record.id, spec, target: &targets[&spec.plan.to.store], which, decision };
        decided.push(table.decide(rows).await?);
    }
    if decided.is_empty() && recovered == 0 {
        return Err(MoveError::Refused {
            code: "no-such-group",
            message: "no row in quarantine fits".to_owned(),
            help: "`dunlin quarantine list` names the groups that wait".to_owned(),
        });
    }
    if !which.dry_run && *decision != Decision::Discard {
        // Foreign keys that the store does not hold while loading are looked at now.
        settle::keys(&run, &record.id, &run.resolved.specs, &targets).await?;
        offer_children(workspace, &run, &mut decided).await?;
    }
    workspace.integrate().await?;
    Ok(decided)
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
        let (there, mapped): (Vec<_>, Vec<_>) = rows.into_iter().partition(|w| w.row.form == Form::Target);
        if !there.is_empty() {
            let texts: Vec<&[Option<String>]> = there.iter().map(|w| w.row.fields.as_slice()).collect();
            let batch = target_batch(self.spec, &texts)?;
            let passed = vec![true; there.len()];
            self.load(&there, batch, &passed, decided).await?;
        }
        if !mapped.is_empty() {
            let (batch, lead) = self.map(&mapped).await?;
            let passed: Vec<bool> = lead.fates.iter().map(|f| *f == fate::ALIVE).collect();
            for (row, _) in passed.iter().enumerate().filter(|(_, passed)| !**passed) {
                let reason = lead.reason(row).unwrap_or_default().to_owned();
                *decided.waiting.entry(reason).or_default() += 1;
            }
            let mask = arrow::array::BooleanArray::from(passed.clone());
            let batch = filter_record_batch(&batch, &mask).map_err(|_| engine("pick the rows that pass"))?;
            self.load(&mapped, batch, &passed, decided).await?;
        }
        Ok(())
    }

    /// Maps rows in source or raw form again, after the fix.
    async fn map(&self, rows: &[Waiting]) -> Result<(RecordBatch, Lead)> {
        let reader = self.run.source(self.spec)?.reader().await?;
        let pipeline: Pipeline = self.run.pipeline(self.spec, &reader).await?;
        let mapping = &self.spec.mapping;
        let mut marks = Lead::alive(
            0,
            rows.iter().map(|w| w.row.position).collect(),
            rows.iter().map(|w| w.row.source).collect(),
        );
        let (mut columns, unread) = self.source_columns(rows);
        self.fix(&mut columns, &mut marks)?;
        let fixed: Vec<&str> = match self.decision {
            Decision::Fix(set) => set.iter().map(|(column, _)| column.as_str()).collect(),
            _ => Vec::new(),
        };
        for (column, rows) in unread.iter().enumerate() {
            if !fixed.contains(&mapping.read_schema.field(column).name().as_str()) {
                for (row, reason) in rows {
                    let name = mapping.read_schema.field(column).name();
                    marks.end(*row, fate::QUARANTINED, reason.code().to_owned(), Some(name));
                }
            }
        }
        let mut arrays = marks.arrays();
        arrays.extend(columns);
        let schema = with_lead(&mapping.read_schema);
        let mut batch = RecordBatch::try_new(schema, arrays).map_err(|_| engine("rebuild a source row"))?;
        if !pipeline.lookups.is_empty() {
            batch = widen(&batch, self.spec, &pipeline.lookups, &with_lead(&mapping.input_schema))?;
        }
        let stage = MapStage {
            mapping: mapping.clone(),
            rules: self.spec.rules.clone(),
            protector: self.run.protector.clone(),
        };
        let out = stage.apply(&batch);
        let reads = self.spec.read.len();
        let rows = body(&out, reads, out.num_columns() - lead::COUNT);
        let rows = RecordBatch::try_new(mapping.target_schema.clone(), rows.columns().to_vec());
        Ok((rows.map_err(|_| engine("map a row again"))?, Lead::of(&out)))
    }

    /// The read columns of rows from their texts, and which could still not be read, a list a column.
    fn source_columns(&self, rows: &[Waiting]) -> (Vec<ArrayRef>, Vec<Vec<(usize, dunlin_connect::Reason)>>) {
        let texts: Vec<Vec<Option<String>>> = rows
            .iter()
            .map(|w| match w.row.form {
                Form::Raw => {
                    let lossy = |b: Vec<u8>| String::from_utf8_lossy(&b).into_owned();
                    w.row.raw_fields().into_iter().map(|f| f.map(lossy)).collect()
                }
                _ => w.row.fields.clone(),
            })
            .collect();
        let width = self.spec.read.len();
        let mut columns = Vec::with_capacity(width);
        let mut unread = Vec::with_capacity(width);
        for (place, ty) in self.spec.mapping.input_types[..width].iter().enumerate() {
            let values: Vec<Option<&str>> =
                texts.iter().map(|row| row.get(place).and_then(|v| v.as_deref())).collect();
            let (array, mut problems) = text_to_array(&values, ty);
            for (row, waiting) in rows.iter().enumerate() {
                let bad = waiting.row.form == Form::Raw
                    && waiting.row.column.as_deref()
                        == Some(self.spec.mapping.read_schema.field(place).name());
                let whole = waiting.row.form == Form::Raw && texts[row].len() != width;
                if (bad || whole) && !problems.iter().any(|(r, _)| *r == row) {
                    let reason = dunlin_connect::Reason::from_code(&waiting.row.reason);
                    problems.push((row, reason.unwrap_or(dunlin_connect::Reason::Malformed)));
                }
            }
            columns.push(array);
            unread.push(problems);
        }
        (columns, unread)
    }

    fn fix(&self, columns: &mut [ArrayRef], marks: &mut Lead) -> Result<()> {
        let Decision::Fix(set) = self.decision else { return Ok(()) };
        let schema = self.spec.mapping.read_schema.clone();
        let batch = RecordBatch::try_new(schema.clone(), columns.to_vec())
            .map_err(|_| engine("rebuild a source row"))?;
        for (column, sql) in set {
            let place = schema.index_of(column).map_err(|_| {
                let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
                MoveError::Refused {
                    code: "fix-column",
                    message: format!("{} reads no source column `{column}`", self.spec.label),
                    help: crate::draft::nearest_name(column, &names),
                }
            })?;
            let compiled =
                Compiler::new(schema.clone(), dunlin_store::now_us()).compile(sql).map_err(|e| {
                    let help = e.help.clone().unwrap_or_else(|| "write SQL over source columns".to_owned());
                    MoveError::Refused {
                        code: "fix-expression",
                        message: format!("--set {column}: {}", e.message),
                        help,
                    }
                })?;
            let result = evaluate_rows(&compiled, &batch);
            let from = natural_type(result.array.data_type()).unwrap_or(ColumnType::TEXT);
            let fitted = fit(&normalise(&result.array).array, &from, &self.spec.mapping.input_types[place]);
            let failed = result.failed.iter().map(|row| (*row, dunlin_connect::Reason::ExpressionFailed));
            for (row, reason) in failed.chain(fitted.problems) {
                marks.end(row, fate::QUARANTINED, reason.code().to_owned(), Some(column));
            }
            columns[place] = fitted.array;
        }
        Ok(())
    }

    async fn next_amendment(&self) -> Result<u32> {
        let known = self.run.workspace.state().amendments(self.id, &self.spec.label).await?;
        Ok(known.iter().map(|a| a.amendment).max().map_or(1, |n| n + 1))
    }

    /// Loads the rows that pass: index, one target transaction, one state transaction.
    async fn load(
        &self,
        rows: &[Waiting],
        batch: RecordBatch,
        passed: &[bool],
        decided: &mut Decided,
    ) -> Result<()> {
        let candidates: Vec<&Waiting> =
            rows.iter().zip(passed).filter(|(_, p)| **p).map(|(w, _)| w).collect();
        if self.which.dry_run || candidates.is_empty() {
            decided.released += candidates.len() as u64;
            return Ok(());
        }
        let number = self.next_amendment().await?;
        let part = format!("amend-{number}");
        let mut load = self.target.begin(load_spec(self.spec, self.id, &part)).await?;
        load.write(batch.clone()).await?;
        let refused = load.settle().await?;
        let mut receipt = PartReceipt::default();
        let folder = rows_folder(&self.run.workspace.state_dir, self.id, &self.spec.label);
        let mut index = IndexWriter::create(&folder.join(format!("{part}.idx")))?;
        let mut buffer = Vec::new();
        for (place, (waiting, hash)) in candidates.iter().zip(hash_rows(&self.run.key, &batch)).enumerate() {
            if let Some(refusal) = refused.iter().find(|r| r.ordinal == place as u64) {
                *decided.waiting.entry(refusal.reason.code().to_owned()).or_default() += 1;
                continue;
            }
            let key = key_hash(&self.run.key, &batch, &self.spec.key, place, hash, &mut buffer);
            index.push(IndexEntry { key, row: hash.short(), source: waiting.row.source })?;
            receipt.dispositions.loaded.add(waiting.row.source);
            receipt.taken.quarantined.add(waiting.row.source);
            receipt.expected.add(hash);
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

    async fn discard(&self, rows: Vec<Waiting>, decided: &mut Decided) -> Result<()> {
        decided.discarded += rows.len() as u64;
        if self.which.dry_run {
            return Ok(());
        }
        let mut receipt = PartReceipt::default();
        for waiting in &rows {
            receipt.dispositions.excluded.add(waiting.row.source);
            receipt.taken.quarantined.add(waiting.row.source);
            receipt.settles.entry(waiting.place.clone()).or_default().push(waiting.number);
        }
        receipt.reasons.insert("discarded".to_owned(), rows.len() as u64);
        let number = self.next_amendment().await?;
        self.record(number, receipt).await
    }

    async fn record(&self, number: u32, receipt: PartReceipt) -> Result<()> {
        let (workspace, actor) = (self.run.workspace, &self.run.options.actor);
        let rows: u64 = receipt.settles.values().map(|r| r.len() as u64).sum();
        let decision = match self.decision {
            Decision::Release => dunlin_store::Decision::Released,
            Decision::Fix(_) => dunlin_store::Decision::Fixed,
            Decision::Discard => dunlin_store::Decision::Discarded,
        };
        let root = receipt.taken.quarantined.hash.to_string();
        recover::record_amendment(workspace, actor, self.id, &self.spec.label, number, receipt).await?;
        let (run, table) = (self.id.to_owned(), self.spec.label.clone());
        let body = Body::QuarantineDecided { run, table, decision, rows, root };
        workspace.state().enter(actor.clone(), body).await?;
        Ok(())
    }
}

fn engine(act: &str) -> MoveError {
    MoveError::Engine { act: act.to_owned(), code: "schema".to_owned() }
}

/// Rows in target form as a batch of the mapped columns.
pub(crate) fn target_batch(spec: &TableSpec, rows: &[&[Option<String>]]) -> Result<RecordBatch> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(spec.mapping.columns.len());
    for (place, column) in spec.mapping.columns.iter().enumerate() {
        let texts: Vec<Option<&str>> =
            rows.iter().map(|row| row.get(place).and_then(|v| v.as_deref())).collect();
        let (array, problems) = text_to_array(&texts, &column.load_type);
        if !problems.is_empty() {
            return Err(engine("read a quarantined row"));
        }
        debug_assert_eq!(array.len(), rows.len());
        columns.push(array);
    }
    RecordBatch::try_new(spec.mapping.target_schema.clone(), columns)
        .map_err(|_| engine("read a quarantined row"))
}
