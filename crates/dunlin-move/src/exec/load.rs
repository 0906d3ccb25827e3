//! The loader: the rows of a split and its receipt in one target transaction, and one receipt row out.
//!
//! The order in which things become durable is the whole point:
//! 1. the quarantine fragment and the row index are written, fsynced and renamed;
//! 2. one target transaction writes the rows and the receipt, which names both files by hash;
//! 3. (in `run`) state change and ledger entry in one state transaction.
//!
//! A crash between any two leaves either nothing, or files that no receipt names, or a receipt without an entry: each
//! is mended when the next run starts.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use arrow::array::{Array, BinaryArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_physical_plan::SendableRecordBatchStream;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use dunlin_connect::canon::{HashKey, RowHash, hash_columns, hash_row_columns, hash_rows};
use dunlin_connect::{ColumnType, Committed, Load, LoadSpec, Receipt, Refused, Target};
use dunlin_store::{FragmentWriter, Fragments};
use futures::StreamExt;

use super::Stage;
use super::read::{Sender, async_stream};
use super::untouched::{self, Untouched};
use crate::accounting::{Disposition, PartReceipt, Tally};
use crate::batch::{Lead, body, fate, marker_of};
use crate::quarantine::{Form, QuarantinedRow, rows_as_text, shape, unpack_fields};
use crate::rowindex::{IndexEntry, IndexWriter};
use crate::spec::TableSpec;
use crate::{MoveError, Result};

/// Rows between two settlements with the target.
const SETTLE_ROWS: u64 = 25_000;
/// Bytes (in Arrow form) between two settlements with the target.
const SETTLE_BYTES: u64 = 12 << 20;

/// What all splits of a run share.
#[derive(Clone)]
pub struct LoadContext {
    /// The run.
    pub run: String,
    /// Where rows go; nowhere in a rehearsal that only counts.
    pub target: Option<Arc<dyn Target>>,
    /// The row hash key.
    pub key: HashKey,
    /// Where quarantined rows go, encrypted.
    pub fragments: Fragments,
    /// Where row indexes go.
    pub rows: PathBuf,
    /// Rows quarantined by this run so far.
    pub quarantined: Arc<AtomicU64>,
    /// The run stops when more are quarantined.
    pub quarantine_max: Option<u64>,
    /// Told after each batch: rows, bytes.
    pub progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    /// Rows that an earlier run loaded for a split and that this load replaces, by split.
    pub replaces: Arc<std::collections::BTreeMap<u32, Vec<u64>>>,
}

/// Loads the splits of one table.
pub struct LoadStage {
    /// What the run's splits share.
    pub context: LoadContext,
    /// The table.
    pub spec: Arc<TableSpec>,
    /// How rows in the bytes of the wire are decoded; absent where they arrive mapped.
    pub untouched: Option<Arc<Untouched>>,
}

/// The schema of a receipt row.
pub fn receipt_schema() -> SchemaRef {
    Schema::new(vec![Field::new("receipt", DataType::Utf8, false)]).into()
}

impl Stage for LoadStage {
    fn name(&self) -> &'static str {
        "load"
    }

    fn schema(&self) -> SchemaRef {
        receipt_schema()
    }

    fn run(&self, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let (context, spec, untouched) = (self.context.clone(), self.spec.clone(), self.untouched.clone());
        let stream = async_stream(move |send| load_splits(input, context, spec, untouched, send));
        Box::pin(RecordBatchStreamAdapter::new(receipt_schema(), stream))
    }
}

async fn load_splits(
    mut input: SendableRecordBatchStream,
    context: LoadContext,
    spec: Arc<TableSpec>,
    untouched: Option<Arc<Untouched>>,
    send: Sender,
) -> Result<()> {
    let mut open: Option<SplitLoad> = None;
    while let Some(batch) = input.next().await {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                if let Some(load) = open.take() {
                    load.abort().await;
                }
                return Err(MoveError::engine("read and map a split", error));
            }
        };
        let lead = Lead::of(&batch);
        match marker_of(&batch) {
            Some(fate::BEGIN) => {
                let load = SplitLoad::begin(lead.split, context.clone(), spec.clone(), untouched.clone());
                open = Some(load.await?);
            }
            Some(_) => {
                let load = open.take().ok_or_else(|| broken("a split ended that had not begun"))?;
                let read = Tally { rows: lead.positions[0], hash: lead.hashes[0] };
                let receipt = load.end(read).await?;
                let text = serde_json::to_string(&receipt).unwrap_or_default();
                let column = Arc::new(StringArray::from(vec![text]));
                let row = RecordBatch::try_new(receipt_schema(), vec![column]);
                send.send(row.map_err(|_| broken("a receipt is not a row"))?).await?;
            }
            None => {
                let load = open.as_mut().ok_or_else(|| broken("rows came before their split"))?;
                if let Err(error) = load.rows(&batch, lead).await {
                    if let Some(load) = open.take() {
                        load.abort().await;
                    }
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

fn broken(message: &str) -> MoveError {
    MoveError::Broken {
        message: message.to_owned(),
        help: "this is a defect of dunlin: please report it".to_owned(),
    }
}

/// The receipt of one split with its number.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct SplitReceipt {
    /// The split.
    pub split: u32,
    /// What it did.
    pub receipt: PartReceipt,
}

/// Rows as they were read, in case the target refuses one.
enum Rows {
    /// The source columns.
    Mapped(RecordBatch),
    /// The bytes of the wire.
    Untouched(BinaryArray),
}

/// Rows handed to the target and not yet settled.
struct Pending {
    rows: Rows,
    positions: Vec<u64>,
    /// In source space.
    hashes: Vec<RowHash>,
    /// In target space.
    expected: Vec<RowHash>,
    /// Names by key.
    names: Vec<[u8; 16]>,
    noted: Vec<u64>,
    /// Ordinal of its first row in the load.
    first: u64,
}

/// One split on its way.
struct SplitLoad {
    split: u32,
    context: LoadContext,
    spec: Arc<TableSpec>,
    untouched: Option<Arc<Untouched>>,
    load: Option<Box<dyn Load>>,
    fragment: Option<FragmentWriter>,
    index: Option<IndexWriter>,
    receipt: PartReceipt,
    arrived: Tally,
    pending: Vec<Pending>,
    written: u64,
    unsettled_rows: u64,
    unsettled_bytes: u64,
    started: Instant,
}

impl SplitLoad {
    async fn begin(
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
        Ok(Self {
            split,
            context,
            spec,
            untouched,
            load,
            fragment: None,
            index: None,
            receipt: PartReceipt::default(),
            arrived: Tally::default(),
            pending: Vec::new(),
            written: 0,
            unsettled_rows: 0,
            unsettled_bytes: 0,
            started,
        })
    }

    async fn abort(mut self) {
        // Nothing of this load stays either way; an error here would hide the one that brought us here.
        if let Some(load) = self.load.take() {
            let _ = load.abort().await;
        }
    }

    async fn rows(&mut self, batch: &RecordBatch, lead: Lead) -> Result<()> {
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
        let bytes = target.get_array_memory_size() as u64;
        (self.context.progress)(lead.hashes.len() as u64, bytes);
        if lead.any_alive() {
            self.write(source, target, lead).await?;
        }
        Ok(())
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
    }

    fn count_reason(&mut self, reason: &str) {
        match self.receipt.reasons.get_mut(reason) {
            Some(rows) => *rows += 1,
            None => {
                self.receipt.reasons.insert(reason.to_owned(), 1);
            }
        }
    }

    /// Quarantines the rows that are marked so. Without `source` they are all rows that could not be read.
    fn quarantine_marked(&mut self, source: Option<&RecordBatch>, lead: &Lead) -> Result<()> {
        let rows: Vec<usize> =
            (0..lead.fates.len()).filter(|row| lead.fates[*row] == fate::QUARANTINED).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let mut texts = match source {
            Some(source) => rows_as_text(source, self.read_types(), &rows),
            None => Vec::new(),
        }
        .into_iter();
        for row in rows {
            let fields = texts.next().unwrap_or_default();
            let column = lead.column(row).map(str::to_owned);
            let (form, fields) = match lead.raw(row) {
                Some(packed) => {
                    let raw = unpack_fields(packed).into_iter().map(|f| f.map(hex::encode)).collect();
                    (Form::Raw, raw)
                }
                None => (Form::Source, fields),
            };
            let mut entry = QuarantinedRow {
                split: self.split,
                position: lead.positions[row],
                reason: lead.reason(row).unwrap_or_default().to_owned(),
                column,
                constraint: None,
                pattern: None,
                form,
                fields,
                source: lead.hashes[row],
            };
            entry.pattern = self.pattern(&entry);
            self.quarantine(&entry)?;
        }
        Ok(())
    }

    fn read_types(&self) -> &[ColumnType] {
        &self.spec.mapping.input_types[..self.spec.read.len()]
    }

    /// The shape of the source value behind the column at fault, where one column stands behind it.
    fn pattern(&self, row: &QuarantinedRow) -> Option<String> {
        let column = row.column.as_deref()?;
        let mapped = self.spec.mapping.columns.iter().find(|m| m.target == column);
        let index = match row.form {
            Form::Raw => self.spec.mapping.read_schema.index_of(column).ok()?,
            _ => {
                mapped.and_then(|m| m.from).or_else(|| self.spec.mapping.read_schema.index_of(column).ok())?
            }
        };
        let field = row.fields.get(index)?.as_deref()?;
        match row.form {
            Form::Raw => Some(shape(&String::from_utf8_lossy(&hex::decode(field).ok()?))),
            _ => Some(shape(field)),
        }
    }

    fn quarantine(&mut self, row: &QuarantinedRow) -> Result<()> {
        if self.fragment.is_none() && self.context.target.is_some() {
            let (run, table) = (&self.context.run, &self.spec.label);
            self.fragment = Some(self.context.fragments.create(run, table, &self.split.to_string())?);
        }
        if let Some(fragment) = &mut self.fragment {
            fragment.push(&row.pack())?;
        }
        self.receipt.dispositions.of(Disposition::Quarantined).add(row.source);
        self.count_reason(&row.reason);
        let so_far = self.context.quarantined.fetch_add(1, Ordering::Relaxed) + 1;
        match self.context.quarantine_max {
            Some(max) if so_far > max => {
                let message =
                    format!("more than {max} rows went to quarantine, the limit of --max-quarantine");
                Err(MoveError::Stopped { message })
            }
            _ => Ok(()),
        }
    }

    async fn write(&mut self, source: RecordBatch, target: RecordBatch, lead: Lead) -> Result<()> {
        // Columns that pass untouched are the very arrays that were read: their rows hash to what they hashed to then.
        let untouched = source.num_columns() == target.num_columns()
            && source.columns().iter().zip(target.columns()).all(|(s, t)| Arc::ptr_eq(s, t));
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
        self.wait(Rows::Mapped(source), names, expected, lead).await
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
        self.wait(Rows::Untouched(rows), names, expected, lead).await
    }

    /// Keeps what is known of rows until the target has settled them, which is now when many wait.
    async fn wait(
        &mut self,
        rows: Rows,
        names: Vec<[u8; 16]>,
        expected: Vec<RowHash>,
        lead: Lead,
    ) -> Result<()> {
        let Lead { positions, hashes, noted, .. } = lead;
        let first = self.written;
        self.written += hashes.len() as u64;
        self.pending.push(Pending { rows, positions, hashes, expected, names, noted, first });
        if self.unsettled_rows >= SETTLE_ROWS || self.unsettled_bytes >= SETTLE_BYTES {
            self.settle().await?;
        }
        Ok(())
    }

    /// The mapped columns under their target names: operators may have told equal names apart.
    fn named(&self, target: RecordBatch) -> Result<RecordBatch> {
        RecordBatch::try_new(self.spec.mapping.target_schema.clone(), target.columns().to_vec())
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

    fn refuse(&mut self, pending: &Pending, row: usize, refusal: &Refused) -> Result<()> {
        let mut fields = match (&pending.rows, &self.untouched) {
            (Rows::Mapped(source), _) => rows_as_text(source, self.read_types(), &[row]),
            (Rows::Untouched(rows), Some(way)) => {
                rows_as_text(&way.decode(rows.value(row))?, self.read_types(), &[0])
            }
            (Rows::Untouched(_), None) => return Err(broken("rows in the bytes of the wire arrived mapped")),
        };
        let fields = fields.pop().unwrap_or_default();
        let mut entry = QuarantinedRow {
            split: self.split,
            position: pending.positions[row],
            reason: refusal.reason.code().to_owned(),
            column: refusal.column.clone(),
            constraint: refusal.constraint.clone(),
            pattern: None,
            form: Form::Source,
            fields,
            source: pending.hashes[row],
        };
        entry.pattern = self.pattern(&entry);
        self.quarantine(&entry)
    }

    fn note(&mut self, bits: u64) {
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

    async fn end(mut self, read: Tally) -> Result<SplitReceipt> {
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

/// The names of rows by their key; by the whole row where the table has none. `wholes` are the rows' hashes.
pub fn key_hashes(
    key: &HashKey,
    batch: &RecordBatch,
    columns: &[usize],
    wholes: &[RowHash],
) -> Vec<[u8; 16]> {
    if columns.is_empty() {
        return wholes.iter().map(|h| h.short()).collect();
    }
    hash_columns(key, batch, columns).into_iter().map(RowHash::short).collect()
}

/// What [`key_hashes`] gives for one row; `buffer` is scratch.
pub fn key_hash(
    key: &HashKey,
    batch: &RecordBatch,
    columns: &[usize],
    row: usize,
    whole: RowHash,
    buffer: &mut Vec<u8>,
) -> [u8; 16] {
    if columns.is_empty() {
        return whole.short();
    }
    hash_row_columns(key, batch, columns, row, buffer).short()
}
