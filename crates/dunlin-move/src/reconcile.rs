//! Reconciliation: the equation of a table, and the target as it is now.

use std::sync::Arc;

use dunlin_connect::canon::{HashKey, RowHash, hash_raw, hash_rows};
use dunlin_connect::{BadRow, Bounds, ReadColumn, ReadRequest, Reader, Table, WireRequest};
use dunlin_store::Body;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::accounting::{Account, Dispositions, PartReceipt, Tally};
use crate::exec::names::key_hashes;
use crate::parts::{account, parts_of};
use crate::run::Run;
use crate::sets::{self, SetResult};
use crate::spec::TableSpec;
use crate::totals::{self, ControlTotals, Totals, TotalsSpec};
use crate::verify::Difference;
use crate::{MoveError, Result, recover};

/// How many buckets a table is told apart into: the first byte of the key's hash.
pub const BUCKETS: usize = 256;

/// One table's line of `run` and `verify`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TableResult {
    /// Its label in the plan.
    pub table: String,
    /// Rows as read.
    pub source_rows: u64,
    /// Rows in the target.
    pub loaded: u64,
    /// Duplicates that live on in a survivor.
    pub merged: u64,
    /// Rows that wait for a person.
    pub quarantined: u64,
    /// Rows that the plan leaves behind.
    pub excluded: u64,
    /// Rows whose customer asked that they be gone.
    pub erased: u64,
    /// Rows that stood in the target before and are not dunlin's.
    pub preexisting: u64,
    /// Rows in the target, preexisting ones included.
    pub target_rows: u64,
    /// The source rows' multiset hash, in source space.
    pub source_hash: RowHash,
    /// The loaded rows as the target will give them back.
    pub expected_hash: RowHash,
    /// The loaded rows as the target gave them back.
    pub target_hash: RowHash,
    /// Whether the counts balance and what was loaded is what is there.
    pub reconciled: bool,
    /// What differs, where it does not.
    pub differences: Vec<Difference>,
    /// Wall-clock seconds of the load, or of the verification.
    pub seconds: f64,
    /// Source rows a second.
    pub rows_per_second: u64,
    /// Bytes loaded, in Arrow form.
    pub bytes: u64,
    /// Rows by reason: `where`, `retain`, `rule:NAME`, or a reason's code.
    pub reasons: std::collections::BTreeMap<String, u64>,
    /// Rows by rule that warned or mended.
    pub noted: std::collections::BTreeMap<String, u64>,
    /// The amounts of both sides added up, where the plan asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<ControlTotals>,
    /// How the plan's rules on all rows together end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<SetResult>,
}

impl TableResult {
    /// The result of an account held against a target.
    pub fn new(label: &str, account: &Account, preexisting: Tally, target: Tally, seconds: f64) -> Self {
        let d: &Dispositions = &account.dispositions;
        let loaded_hash = target.hash - preexisting.hash;
        let there =
            target.rows == account.expected.rows + preexisting.rows && loaded_hash == account.expected.hash;
        Self {
            table: label.to_owned(),
            source_rows: account.source.rows,
            loaded: d.loaded.rows,
            merged: d.merged.rows,
            quarantined: d.quarantined.rows,
            excluded: d.excluded.rows,
            erased: d.erased.rows,
            preexisting: preexisting.rows,
            target_rows: target.rows,
            source_hash: account.source.hash,
            expected_hash: account.expected.hash,
            target_hash: loaded_hash,
            reconciled: account.balances() && there,
            differences: Vec::new(),
            seconds,
            rows_per_second: if seconds > 0.0 { (account.source.rows as f64 / seconds) as u64 } else { 0 },
            bytes: account.bytes,
            reasons: account.reasons.clone(),
            noted: account.noted.clone(),
            totals: None,
            sets: Vec::new(),
        }
    }

    /// Whether rows and amounts are there as they should be, and no rule on all of them is broken that stops a run.
    pub fn in_order(&self) -> bool {
        let stopped = self.sets.iter().any(SetResult::stops);
        self.reconciled && !stopped && self.totals.as_ref().is_none_or(|totals| totals.agree)
    }

    /// The counts as the ledger writes them.
    pub fn counts(&self) -> dunlin_store::Counts {
        dunlin_store::Counts {
            source_rows: self.source_rows,
            loaded: self.loaded,
            merged: self.merged,
            quarantined: self.quarantined,
            excluded: self.excluded,
            erased: self.erased,
        }
    }
}

/// A table read once: all rows, and rows by bucket of their key's hash.
#[derive(Debug, Clone)]
pub struct Hashed {
    /// All rows.
    pub all: Tally,
    /// Rows by the first byte of their key's hash.
    pub buckets: Vec<Tally>,
    /// The amounts of all rows, where they are asked for: see [`TableSpec::added_up`].
    pub totals: [Totals; 2],
}

/// What is added up while a table is read.
pub(crate) type AddedUp = [Option<Arc<TotalsSpec>>; 2];

impl Default for Hashed {
    fn default() -> Self {
        Self { all: Tally::default(), buckets: vec![Tally::default(); BUCKETS], totals: Default::default() }
    }
}

impl Hashed {
    fn add(&mut self, key: [u8; 16], hash: RowHash) {
        self.all.add(hash);
        self.buckets[key[0] as usize].add(hash);
    }

    fn add_bad(&mut self, key: &HashKey, bad: &[BadRow]) {
        for row in bad {
            let hash = hash_raw(key, &row.fields);
            self.add(hash.short(), hash);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.all += other.all;
        self.totals.iter_mut().zip(&other.totals).for_each(|(mine, theirs)| mine.join(theirs));
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(a, b)| *a += *b);
    }
}

/// Reads a table and hashes it. `key_columns` are positions among `columns`; where amounts are
/// added up, `columns` are those of the target.
///
/// # Errors
/// Those of the store.
pub async fn hash_table(
    reader: &Arc<dyn Reader>,
    table: &Arc<Table>,
    columns: &[ReadColumn],
    key: HashKey,
    key_columns: &[usize],
    jobs: usize,
    added_up: &AddedUp,
) -> Result<Hashed> {
    let mut open = splits(reader, table).await?.into_iter();
    let mut tasks = JoinSet::new();
    let mut hashed = Hashed::default();
    let spawn = |tasks: &mut JoinSet<Result<Hashed>>, bounds: Bounds| {
        let request =
            ReadRequest { table: table.clone(), columns: columns.to_vec(), bounds, batch_rows: 8_192 };
        let (reader, key_columns, added_up) = (reader.clone(), key_columns.to_vec(), added_up.clone());
        tasks.spawn(async move { hash_one(reader.as_ref(), request, &key, &key_columns, &added_up).await });
    };
    open.by_ref().take(jobs.max(1)).for_each(|bounds| spawn(&mut tasks, bounds));
    while let Some(joined) = tasks.join_next().await {
        let part =
            joined.map_err(|_| MoveError::Engine { act: "hash a split".into(), code: "panic".into() })??;
        hashed.merge(&part);
        open.by_ref().take(1).for_each(|bounds| spawn(&mut tasks, bounds));
    }
    Ok(hashed)
}

/// Cuts a table in the order in which it lies on disk, which reads fastest, and by its key only where it has no such
/// order: unlike a load, nobody has to find these splits again.
async fn splits(reader: &Arc<dyn Reader>, table: &Arc<Table>) -> Result<Vec<Bounds>> {
    const ROWS: u64 = 100_000;
    let plain = Table { primary_key: Vec::new(), ..table.as_ref().clone() };
    let lying = reader.splits(&plain, ROWS, &[]).await?;
    if lying.len() > 1 { Ok(lying) } else { Ok(reader.splits(table, ROWS, &[]).await?) }
}

/// Reads one part of a table and hashes it.
pub(crate) async fn hash_one(
    reader: &dyn Reader,
    request: ReadRequest,
    key: &HashKey,
    columns: &[usize],
    added_up: &AddedUp,
) -> Result<Hashed> {
    let mut hashed = Hashed::default();
    // Nobody can add up what is not decoded.
    if added_up.iter().all(Option::is_none) && reader.wire(&request).is_some() {
        let request =
            WireRequest { read: request, key: *key, name: columns.to_vec(), keep: false, addressed: false };
        let mut stream = reader.read_wire(request).await?;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            batch.names.iter().zip(&batch.hashes).for_each(|(name, hash)| hashed.add(*name, *hash));
            hashed.add_bad(key, &batch.bad);
        }
        return Ok(hashed);
    }
    let mut stream = reader.read(request).await?;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let hashes = hash_rows(key, &batch.rows);
        let keys = key_hashes(key, &batch.rows, columns, &hashes);
        keys.into_iter().zip(hashes).for_each(|(key, hash)| hashed.add(key, hash));
        for (asked, totals) in added_up.iter().zip(&mut hashed.totals) {
            if let Some(asked) = asked {
                totals.add_all(&asked.in_target(&batch.rows));
            }
        }
        hashed.add_bad(key, &batch.bad);
    }
    Ok(hashed)
}

/// Reads a target table as it is now.
///
/// # Errors
/// Those of the store.
pub(crate) async fn hash_target(run: &Run<'_>, spec: &TableSpec) -> Result<Hashed> {
    let reader = run.target(spec)?.reader().await?;
    // Nobody asks here which bucket differs, so rows are not named by their key.
    let (columns, added_up) = (spec.read_back(), spec.added_up());
    hash_table(&reader, &spec.target, &columns, run.key, &[], run.options.jobs, &added_up).await
}

/// The last step of a run for a table: what was loaded is what is there.
pub(crate) async fn reconcile(run: &Run<'_>, id: &str, spec: &Arc<TableSpec>) -> Result<TableResult> {
    let saved = recover::saved_tables(run.workspace, id).await?;
    let preexisting = saved.get(&spec.label).map(|s| s.preexisting).unwrap_or_default();
    let parts = parts_of(run.workspace.state(), id, &spec.label).await?;
    let account = account(&parts);
    let preexisting = account.preexisting(preexisting);
    let target = hash_target(run, spec).await?;
    let seconds = run.seconds.lock().ok().and_then(|s| s.get(&spec.label).copied()).unwrap_or_default();
    let mut result = TableResult::new(&spec.label, &account, preexisting, target.all, seconds);
    let [totals, sums] = target.totals;
    result.totals = totals::compare(run, id, spec, &parts, totals).await?;
    result.sets = sets::hold(run, id, spec, target.all.rows, &sums).await?;
    enter(run, id, &result, false).await?;
    Ok(result)
}

/// Enters what a table came to, and keeps its totals.
pub(crate) async fn enter(run: &Run<'_>, id: &str, result: &TableResult, verified: bool) -> Result<()> {
    let mut tx = run.workspace.state().begin().await?;
    tx.enter(run.entry(entry(id, result, verified))).await?;
    if let Some(totals) = &result.totals {
        tx.enter(run.entry(totals.entry(&run.key, id, &result.table))).await?;
    }
    let kept = serde_json::to_value(Checked { totals: result.totals.clone(), sets: result.sets.clone() });
    tx.keep_checks(id, &result.table, &kept.unwrap_or_default()).await?;
    tx.commit().await?;
    Ok(())
}

/// What of a table's result besides its rows is kept in the state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Checked {
    /// See [`TableResult::totals`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<ControlTotals>,
    /// See [`TableResult::sets`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<SetResult>,
}

/// The ledger's word on a table's equation.
pub(crate) fn entry(run: &str, result: &TableResult, verified: bool) -> Body {
    let (run, table, counts) = (run.to_owned(), result.table.clone(), result.counts());
    let source_hash = result.source_hash.to_string();
    let expected_hash = result.expected_hash.to_string();
    let target_hash = result.target_hash.to_string();
    let reconciled = result.reconciled;
    if verified {
        Body::Verified { run, table, counts, source_hash, expected_hash, target_hash, reconciled }
    } else {
        Body::TableReconciled { run, table, counts, source_hash, expected_hash, target_hash, reconciled }
    }
}

/// A rehearsal that writes nothing: the same pipeline without its last step.
pub(crate) async fn rehearse(
    run: &Run<'_>,
    spec: &Arc<TableSpec>,
    reader: &Arc<dyn Reader>,
) -> Result<TableResult> {
    let begun = std::time::Instant::now();
    let pipeline = run.pipeline(spec, reader).await?;
    let bounds = reader.splits(&spec.source, run.options.rows_per_split.unwrap_or(200_000), &[]).await?;
    let splits: Vec<(u32, Bounds)> = bounds.into_iter().enumerate().map(|(i, b)| (i as u32, b)).collect();
    let receipts: Arc<std::sync::Mutex<Vec<PartReceipt>>> = Arc::default();
    let sink = receipts.clone();
    pipeline
        .load(&splits, run.options.jobs, &run.options.pause, run.counting(spec), move |done| {
            if let Ok(mut receipts) = sink.lock() {
                receipts.push(done.receipt);
            }
            async { Ok(()) }
        })
        .await?;
    let account: Account = receipts.lock().map(|r| r.iter().collect()).unwrap_or_default();
    // Nothing was written, so the target is taken to be what it would be.
    Ok(TableResult::new(
        &spec.label,
        &account,
        Tally::default(),
        account.expected,
        begun.elapsed().as_secs_f64(),
    ))
}
