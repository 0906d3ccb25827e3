//! One split on its way into the target: what is written, what waits to be settled, and the receipt at its end.
//! Not here: rows that end in quarantine (`waits`), and the order in which things become durable (`load`).

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, BinaryArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use dunlin_connect::canon::{RowHash, hash_rows};
use dunlin_connect::{Committed, Load, LoadSpec, Receipt, Refused};
use dunlin_store::FragmentWriter;

use super::load::{LoadContext, SplitReceipt, broken};
use super::names::key_hashes;
use super::untouched::{self, Untouched};
use crate::accounting::{Disposition, PartReceipt, Tally};
use crate::batch::{Lead, NOTED_SURVIVOR, body, fate};
use crate::rowindex::{IndexEntry, IndexWriter};
use crate::spec::TableSpec;
use crate::totals::{PartTotals, RowAmounts};
use crate::{MoveError, Result};

/// Rows between two settlements with the target.
const SETTLE_ROWS: u64 = 25_000;
/// Under which name survivors are counted that take something over from their duplicates: they are loaded changed.
const SURVIVOR_CHANGED: &str = "duplicates:survivor";
/// Bytes between two settlements with the target.
const SETTLE_BYTES: u64 = 12 << 20;

/// Rows as they were read, in case the target refuses one.
pub(super) enum Rows {
    /// The source columns.
    Mapped(RecordBatch),
    /// The bytes of the wire.
    Untouched(BinaryArray),
}

/// Rows handed to the target and not yet settled.
pub(super) struct Pending {
    pub(super) rows: Rows,
    pub(super) positions: Vec<u64>,
    /// In source space.
    pub(super) hashes: Vec<RowHash>,
    /// In target space.
    expected: Vec<RowHash>,
    /// Names by key.
    pub(super) names: Vec<[u8; 16]>,
    noted: Vec<u64>,
    /// What is added up of them.
    amounts: Option<RowAmounts>,
    /// Ordinal of its first row in the load.
    first: u64,
}

/// One split on its way.
pub(super) struct SplitLoad {
    pub(super) split: u32,
    pub(super) context: LoadContext,
    pub(super) spec: Arc<TableSpec>,
    pub(super) untouched: Option<Arc<Untouched>>,
    load: Option<Box<dyn Load>>,
    pub(super) fragment: Option<FragmentWriter>,
    index: Option<IndexWriter>,
    pub(super) receipt: PartReceipt,
    arrived: Tally,
    pending: Vec<Pending>,
    written: u64,
    unsettled_rows: u64,
    unsettled_bytes: u64,
    started: Instant,
}

impl SplitLoad {
    pub(super) async fn begin(
        split: u32,
        context: LoadContext,
        spec: Arc<TableSpec>,
        untouched: Option<Arc<Untouched>>,
    ) -> Result<Self> {
        let mut load = None;
        if let Some(target) = &context.target {
            let mut begun = target
                .begin(LoadSpec {
                    run: context.run.clone(),
                    label: spec.label.clone(),
                    part: split.to_string(),
                    table: spec.target.clone(),
                    columns: spec.load_columns(),
                })
                .await?;
            if let Some(positions) = context.replaces.get(&split) {
                begun.delete(positions).await?;
            }
            load = Some(begun);
        }
        let started = Instant::now();
        let crosswalk = context.crosswalk.clone();
        let totals = spec.totals.as_ref().map(|_| PartTotals::default());
        Ok(Self {
            split,
            context,
            spec,
            untouched,
            load,
            fragment: None,
            index: None,
            receipt: PartReceipt { crosswalk, totals, ..PartReceipt::default() },
            arrived: Tally::default(),
            pending: Vec::new(),
            written: 0,
            unsettled_rows: 0,
            unsettled_bytes: 0,
            started,
        })
    }

    pub(super) async fn abort(mut self) {
        // Nothing of this load stays either way; an error here would hide the one that brought us here.
        if let Some(load) = self.load.take() {
            let _ = load.abort().await;
        }
    }

    pub(super) async fn rows(&mut self, batch: &RecordBatch, lead: Lead) -> Result<()> {
        for hash in &lead.hashes {
            self.arrived.add(*hash);
        }
        self.stops(&lead)?;
        self.leave_behind(&lead);
        if self.untouched.is_some() {
            self.quarantine_marked(None, &lead)?;
            let (names, rows) = untouched::content(batch)?;
            (self.context.progress)(lead.hashes.len() as u64, rows.values().len() as u64);
            return if lead.any_alive() { self.write_untouched(names, rows, lead).await } else { Ok(()) };
        }
        let reads = self.spec.read.len();
        let source = body(batch, 0, reads);
        let target = body(batch, reads, batch.num_columns() - crate::batch::lead::COUNT);
        self.quarantine_marked(Some(&source), &lead)?;
        let amounts = self.add_up(&source, &target);
        let bytes = target.get_array_memory_size() as u64;
        (self.context.progress)(lead.hashes.len() as u64, bytes);
        if lead.any_alive() {
            self.write(source, target, lead, amounts).await?;
        }
        Ok(())
    }

    /// What the plan adds up of these rows, in the source; it counts as read.
    fn add_up(&mut self, source: &RecordBatch, target: &RecordBatch) -> Option<RowAmounts> {
        let amounts = self.spec.totals.as_ref()?.in_source(source, target);
        if let Some(totals) = &mut self.receipt.totals {
            totals.read.add_all(&amounts);
        }
        Some(amounts)
    }

    fn stops(&self, lead: &Lead) -> Result<()> {
        match lead.fates.iter().position(|f| *f == fate::STOPPED) {
            None => Ok(()),
            Some(row) => {
                let rule = lead.reason(row).unwrap_or_default().trim_start_matches("rule:").to_owned();
                let position = lead.positions[row];
                let message =
                    format!("rule `{rule}` of {} failed at source position {position}", self.spec.label);
                Err(MoveError::Stopped { message })
            }
        }
    }

    fn leave_behind(&mut self, lead: &Lead) {
        for row in (0..lead.fates.len()).filter(|row| lead.fates[*row] == fate::EXCLUDED) {
            self.receipt.dispositions.of(Disposition::Excluded).add(lead.hashes[row]);
            self.count_reason(lead.reason(row).unwrap_or("where"));
        }
        for row in (0..lead.fates.len()).filter(|row| lead.fates[*row] == fate::ERASED) {
            self.receipt.dispositions.of(Disposition::Erased).add(lead.hashes[row]);
        }
        for row in (0..lead.fates.len()).filter(|row| lead.fates[*row] == fate::MERGED) {
            self.receipt.dispositions.of(Disposition::Merged).add(lead.hashes[row]);
        }
    }

    async fn write(
        &mut self,
        source: RecordBatch,
        target: RecordBatch,
        lead: Lead,
        mut amounts: Option<RowAmounts>,
    ) -> Result<()> {
        // Columns that pass untouched are the very arrays that were read: their rows hash to what they hashed to then.
        let untouched = source.num_columns() == target.num_columns()
            && source.columns().iter().zip(target.columns()).all(|(s, t)| Arc::ptr_eq(s, t));
        if let Some(amounts) = &mut amounts {
            let alive: Vec<bool> = lead.fates.iter().map(|f| *f == fate::ALIVE).collect();
            amounts.retain(&alive);
        }
        let (source, target, lead) = only_alive(source, target, lead)?;
        let target = self.named(target)?;
        let rows = target.num_rows() as u64;
        let bytes = target.get_array_memory_size() as u64;
        self.receipt.bytes += bytes;
        self.unsettled_bytes += bytes;
        self.unsettled_rows += rows;
        if let Some(load) = &mut self.load {
            load.write(target.clone()).await?;
        }
        // Now, and not when the rows are settled: the target is busy with them meanwhile.
        let expected = if untouched { lead.hashes.clone() } else { hash_rows(&self.context.key, &target) };
        let names = key_hashes(&self.context.key, &target, &self.spec.key, &expected);
        self.wait(Rows::Mapped(source), names, expected, lead, amounts).await
    }

    /// Rows that are loaded as they were read.
    async fn write_untouched(&mut self, names: Vec<[u8; 16]>, rows: BinaryArray, lead: Lead) -> Result<()> {
        let bytes = rows.values().len() as u64;
        self.receipt.bytes += bytes;
        self.unsettled_bytes += bytes;
        self.unsettled_rows += rows.len() as u64;
        if let Some(load) = &mut self.load {
            load.write_wire(rows.clone()).await?;
        }
        let expected = lead.hashes.clone();
        self.wait(Rows::Untouched(rows), names, expected, lead, None).await
    }

    /// Keeps what is known of rows until the target has settled them, which is now when many wait.
    async fn wait(
        &mut self,
        rows: Rows,
        names: Vec<[u8; 16]>,
        expected: Vec<RowHash>,
        lead: Lead,
        amounts: Option<RowAmounts>,
    ) -> Result<()> {
        let Lead { positions, hashes, noted, .. } = lead;
        let first = self.written;
        self.written += hashes.len() as u64;
        self.pending.push(Pending { rows, positions, hashes, expected, names, noted, amounts, first });
        if self.unsettled_rows >= SETTLE_ROWS || self.unsettled_bytes >= SETTLE_BYTES {
            self.settle().await?;
        }
        Ok(())
    }

    /// The mapped columns under their target names: operators may have told equal names apart.
    fn named(&self, target: RecordBatch) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(target.num_rows()));
        let schema = self.spec.mapping.target_schema.clone();
        RecordBatch::try_new_with_options(schema, target.columns().to_vec(), &options)
            .map_err(|_| broken("a mapped batch does not have the target's schema"))
    }

    async fn settle(&mut self) -> Result<()> {
        let refused = match &mut self.load {
            Some(load) => load.settle().await?,
            None => Vec::new(),
        };
        self.unsettled_rows = 0;
        self.unsettled_bytes = 0;
        for pending in std::mem::take(&mut self.pending) {
            self.settled(&pending, &refused)?;
        }
        Ok(())
    }

    fn settled(&mut self, pending: &Pending, refused: &[Refused]) -> Result<()> {
        let rows = pending.hashes.len() as u64;
        let range = pending.first..pending.first + rows;
        let mut out = vec![false; rows as usize];
        for refusal in refused.iter().filter(|r| range.contains(&r.ordinal)) {
            let row = (refusal.ordinal - pending.first) as usize;
            out[row] = true;
            self.refuse(pending, row, refusal)?;
        }
        for row in (0..rows as usize).filter(|row| !out[*row]) {
            self.receipt.dispositions.of(Disposition::Loaded).add(pending.hashes[row]);
            self.receipt.expected.add(pending.expected[row]);
            if let (Some(totals), Some(amounts)) = (&mut self.receipt.totals, &pending.amounts) {
                totals.loaded.add(amounts, row);
            }
            self.note(pending.noted[row]);
            let entry = IndexEntry {
                key: pending.names[row],
                row: pending.expected[row].short(),
                source: pending.hashes[row],
            };
            self.index(entry)?;
        }
        Ok(())
    }

    fn note(&mut self, bits: u64) {
        if bits & NOTED_SURVIVOR != 0 && self.spec.rules.rules.len() < 64 {
            *self.receipt.noted.entry(SURVIVOR_CHANGED.to_owned()).or_default() += 1;
        }
        for (bit, rule) in self.spec.rules.rules.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1) {
            debug_assert!(bit < 64);
            *self.receipt.noted.entry(rule.name.clone()).or_default() += 1;
        }
    }

    fn index(&mut self, entry: IndexEntry) -> Result<()> {
        if self.context.target.is_none() {
            return Ok(());
        }
        if self.index.is_none() {
            self.index = Some(IndexWriter::create(&self.context.rows.join(format!("{}.idx", self.split)))?);
        }
        match &mut self.index {
            Some(index) => index.push(entry),
            None => Ok(()),
        }
    }

    pub(super) async fn end(mut self, read: Tally) -> Result<SplitReceipt> {
        match self.finish(read).await {
            Ok(receipt) => Ok(receipt),
            Err(error) => {
                self.abort().await;
                Err(error)
            }
        }
    }

    async fn finish(&mut self, read: Tally) -> Result<SplitReceipt> {
        self.settle().await?;
        self.receipt.source = read;
        if self.arrived != read || self.receipt.dispositions.total() != read {
            return Err(broken("rows were lost or doubled between reading and loading"));
        }
        if let Some(fragment) = self.fragment.take() {
            let info = fragment.finish()?;
            self.receipt.fragment = Some(crate::accounting::FileRef {
                name: info.name,
                blake3: info.blake3,
                rows: info.rows.into(),
            });
        }
        if let Some(index) = self.index.take() {
            self.receipt.index = Some(index.finish()?);
        }
        self.receipt.micros = self.started.elapsed().as_micros() as u64;
        let mut receipt = SplitReceipt { split: self.split, receipt: self.receipt.clone() };
        if let Some(load) = self.load.take() {
            let body = serde_json::to_string(&receipt.receipt).unwrap_or_default();
            let (run, table, part) =
                (self.context.run.clone(), self.spec.label.clone(), self.split.to_string());
            match load.commit(&Receipt { run, table, part, body }).await? {
                Committed::New => {}
                Committed::Already(before) => {
                    receipt.receipt = serde_json::from_str(&before.body)
                        .map_err(|_| broken("a receipt is not readable"))?;
                }
            }
        }
        Ok(receipt)
    }
}

/// The rows of a batch that go on, and what is known of them.
fn only_alive(
    source: RecordBatch,
    target: RecordBatch,
    mut lead: Lead,
) -> Result<(RecordBatch, RecordBatch, Lead)> {
    if lead.fates.iter().all(|f| *f == fate::ALIVE) {
        return Ok((source, target, lead));
    }
    let alive: Vec<bool> = lead.fates.iter().map(|f| *f == fate::ALIVE).collect();
    let mask = BooleanArray::from(alive.clone());
    let keep = |batch| filter_record_batch(&batch, &mask).map_err(|_| broken("a batch cannot be filtered"));
    let (source, target) = (keep(source)?, keep(target)?);
    retain(&mut lead.positions, &alive);
    retain(&mut lead.hashes, &alive);
    retain(&mut lead.noted, &alive);
    Ok((source, target, lead))
}

fn retain<T>(values: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    values.retain(|_| keep.next().copied().unwrap_or(false));
}
