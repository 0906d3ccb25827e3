//! `dunlin verify`: both sides are read again, independently of the load path, and every differing key is named.
//!
//! First both sides are hashed. Where the source is what the run read and the target is what the run loaded, that is
//! the proof. Where not, the difference is narrowed: rows fall into 256 buckets by the hash of their key, and only the
//! buckets whose sums differ are looked at row by row, against the row index of the load and against the source mapped
//! anew. So memory is bounded by the buckets that differ, and ten differences among millions of rows cost one more read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use dunlin_connect::canon::{RowHash, hash_rows};
use dunlin_connect::{Bounds, ReadRequest};
use dunlin_gate::mask_value;
use dunlin_plan::Plan;
use dunlin_store::{RunStatus, Workspace};
use futures::StreamExt;
use serde::{Deserialize, Serialize};

use crate::accounting::Tally;
use crate::batch::{Lead, body, fate, lead, marker_of};
use crate::exec::load::key_hash;
use crate::parts::{Part, account, live_entries, parts_of};
use crate::quarantine::rows_as_text;
use crate::reconcile::{BUCKETS, Hashed, TableResult, entry, hash_table};
use crate::resolve::resolve;
use crate::run::{Event, Observer, Run, RunOptions, row_key};
use crate::spec::TableSpec;
use crate::stores::Stores;
use crate::{MoveError, Result, recover};

/// How a row differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// It should be in the target and is not.
    Missing,
    /// It is in the target and should not be.
    Extra,
    /// It is there with other values.
    Changed,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Its key in the target, `column=value`, masked unless asked in the clear; absent where the table has no key.
    pub key: BTreeMap<String, String>,
    /// How it differs.
    pub kind: DifferenceKind,
    /// The columns that differ; empty for missing and extra rows.
    pub columns: Vec<String>,
}

/// What a verification found: the run, and each table.
pub struct Verified {
    /// The run that was verified.
    pub run: String,
    /// The fingerprint of its plan.
    pub fingerprint: String,
    /// Each table.
    pub tables: Vec<TableResult>,
}

/// Verifies the latest finished run of this plan.
///
/// # Errors
/// No such run, or stores that cannot be read. Differences are no error: they are the result.
pub async fn verify(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    clear: bool,
    observer: Arc<dyn Observer>,
) -> Result<Verified> {
    let stores = Stores::open(plan, &options.base).await?;
    let record = finished_run(workspace, plan).await?;
    let saved = recover::saved_tables(workspace, &record.id).await?;
    let resolved = resolve(plan, &stores, record.started_at, &saved).await?;
    let run = Run::new(workspace, stores, plan, options, observer, resolved)?;
    let mut tables = Vec::new();
    for spec in &run.resolved.specs {
        let chosen = options.tables.is_empty() || options.tables.contains(&spec.label);
        let Some(saved) = saved.get(&spec.label).filter(|_| chosen) else { continue };
        let result = table(&run, &record.id, spec, saved.preexisting, clear).await?;
        workspace.state().enter(options.actor.clone(), entry(&record.id, &result, true)).await?;
        tables.push(result);
    }
    workspace.integrate().await?;
    Ok(Verified { run: record.id, fingerprint: record.fingerprint, tables })
}

/// The latest run of this plan that was brought to its end.
pub(crate) async fn finished_run(workspace: &Workspace, plan: &Plan) -> Result<dunlin_store::RunRecord> {
    let fingerprint = plan.fingerprint().to_string();
    let mut runs = workspace.state().runs().await?;
    runs.retain(|r| r.kind == dunlin_store::RunKind::Load && r.fingerprint == fingerprint);
    runs.sort_by_key(|r| r.started_at);
    match runs.iter().rev().find(|r| r.status == RunStatus::Done) {
        Some(found) => Ok(found.clone()),
        None if runs.is_empty() => Err(MoveError::Refused {
            code: "no-run",
            message: "this plan has not been run yet".to_owned(),
            help: "`dunlin run` moves the data; an edited plan is another plan".to_owned(),
        }),
        None => Err(MoveError::Refused {
            code: "run-unfinished",
            message: "the run of this plan is not finished".to_owned(),
            help: "`dunlin run` goes on with it".to_owned(),
        }),
    }
}

async fn table(run: &Run<'_>, id: &str, spec: &Arc<TableSpec>, preexisting: Tally, clear: bool) -> Result<TableResult> {
    let begun = std::time::Instant::now();
    let parts = parts_of(run.workspace.state(), id, &spec.label).await?;
    let account = account(&parts);
    let key = row_key(run.workspace)?;
    run.observer.event(Event::Step { table: Some(&spec.label), step: "read the source again" });
    let source_reader = run.source(spec)?.reader().await?;
    let source = hash_table(&source_reader, &spec.source, &spec.read, key, &[], run.options.jobs).await?;
    run.observer.event(Event::Step { table: Some(&spec.label), step: "read the target again" });
    let target_reader = run.target(spec)?.reader().await?;
    let read_back = spec.read_back();
    let target = hash_table(&target_reader, &spec.target, &read_back, key, &spec.key, run.options.jobs).await?;
    let mut result = TableResult::new(&spec.label, &account, preexisting, target.all, 0.0);
    let source_same = source.all == account.source;
    result.source_rows = source.all.rows;
    result.source_hash = source.all.hash;
    result.reconciled &= source_same;
    if !result.reconciled {
        run.observer.event(Event::Step { table: Some(&spec.label), step: "find what differs" });
        let mut search = Search::new(run, spec, key, clear);
        result.differences = search.differences(id, &parts, &target, source_same, preexisting).await?;
    }
    result.seconds = begun.elapsed().as_secs_f64();
    result.rows_per_second =
        if result.seconds > 0.0 { (result.source_rows as f64 / result.seconds) as u64 } else { 0 };
    Ok(result)
}

/// A row that is wanted in the target.
#[derive(Clone, Copy)]
struct Expected {
    row: [u8; 16],
}

struct Search<'a> {
    run: &'a Run<'a>,
    spec: &'a Arc<TableSpec>,
    key: [u8; 32],
    clear: bool,
}

impl<'a> Search<'a> {
    fn new(run: &'a Run<'a>, spec: &'a Arc<TableSpec>, key: [u8; 32], clear: bool) -> Self {
        Self { run, spec, key, clear }
    }

    async fn differences(
        &mut self,
        id: &str,
        parts: &[Part],
        target: &Hashed,
        source_same: bool,
        preexisting: Tally,
    ) -> Result<Vec<Difference>> {
        let mut expected: HashMap<[u8; 16], Vec<Expected>> = HashMap::new();
        let mut sources: HashMap<RowHash, u32> = HashMap::new();
        let mut sums = vec![0u64; BUCKETS];
        let state_dir = &self.run.workspace.state_dir;
        live_entries(state_dir, &self.spec.label, parts, |_, e| sums[e.key[0] as usize] += 1)?;
        // The index holds half a hash a row, so buckets are told apart by their counts and, beyond, row by row.
        let suspicious = self.suspicious(target, &sums, parts, source_same, preexisting)?;
        live_entries(state_dir, &self.spec.label, parts, |_, e| {
            if suspicious[e.key[0] as usize] {
                expected.entry(e.key).or_default().push(Expected { row: e.row });
            }
            if !source_same {
                *sources.entry(e.source).or_default() += 1;
            }
        })?;
        let mut found = self.against_target(&mut expected, &suspicious, preexisting).await?;
        let lost: HashSet<[u8; 16]> =
            expected.iter().filter(|(_, rows)| !rows.is_empty()).map(|(key, _)| *key).collect();
        self.against_source(id, &mut found, &lost, source_same, &mut sources, parts).await?;
        Ok(self.told(found, lost))
    }

    /// Buckets whose rows are not those that were loaded.
    fn suspicious(
        &self,
        target: &Hashed,
        counts: &[u64],
        parts: &[Part],
        source_same: bool,
        preexisting: Tally,
    ) -> Result<Vec<bool>> {
        if preexisting.rows > 0 || !source_same {
            return Ok(vec![true; BUCKETS]);
        }
        let mut halves = vec![0u128; BUCKETS];
        live_entries(&self.run.workspace.state_dir, &self.spec.label, parts, |_, e| {
            let half = u128::from_le_bytes(e.row);
            halves[e.key[0] as usize] = halves[e.key[0] as usize].wrapping_add(half);
        })?;
        // The first half of a sum modulo 2^256 is the sum of first halves modulo 2^128.
        let differs = |b: usize| {
            let sum = u128::from_le_bytes(target.buckets[b].hash.short());
            target.buckets[b].rows != counts[b] || sum != halves[b]
        };
        Ok((0..BUCKETS).map(differs).collect())
    }
}

/// What is known of a differing row on the target's side.
#[derive(Default)]
struct Found {
    /// Keys in the target with other values: the target's values.
    changed: HashMap<[u8; 16], Vec<Option<String>>>,
    /// Rows of the target that nothing accounts for.
    extra: Vec<([u8; 16], Vec<Option<String>>)>,
    /// Values that should be in the target, from the source mapped anew.
    wanted: HashMap<[u8; 16], Vec<Option<String>>>,
    /// Keys that only the source as it is now would put there.
    new: Vec<[u8; 16]>,
}

impl Search<'_> {
    /// Walks the target and takes from `expected` what is there.
    async fn against_target(
        &self,
        expected: &mut HashMap<[u8; 16], Vec<Expected>>,
        suspicious: &[bool],
        preexisting: Tally,
    ) -> Result<Found> {
        let mut found = Found::default();
        let mut unknown: Vec<([u8; 16], Vec<Option<String>>, RowHash)> = Vec::new();
        let reader = self.run.target(self.spec)?.reader().await?;
        for bounds in reader.splits(&self.spec.target, 250_000, &[]).await? {
            let table = self.spec.target.clone();
            let request = ReadRequest { table, columns: self.spec.read_back(), bounds, batch_rows: 8_192 };
            let mut stream = reader.read(request).await?;
            while let Some(batch) = stream.next().await {
                let rows = batch?.rows;
                self.match_batch(&rows, expected, suspicious, &mut found, &mut unknown);
            }
        }
        // Rows that stood there before are not dunlin's: as many as there were, if their sum still fits.
        let theirs: Tally = unknown.iter().fold(Tally::default(), |mut t, (_, _, h)| {
            t.add(*h);
            t
        });
        if theirs != preexisting {
            found.extra.extend(unknown.into_iter().map(|(key, values, _)| (key, values)));
        }
        Ok(found)
    }

    fn match_batch(
        &self,
        rows: &RecordBatch,
        expected: &mut HashMap<[u8; 16], Vec<Expected>>,
        suspicious: &[bool],
        found: &mut Found,
        unknown: &mut Vec<([u8; 16], Vec<Option<String>>, RowHash)>,
    ) {
        let mut buffer = Vec::new();
        let mut odd: Vec<(usize, [u8; 16], RowHash)> = Vec::new();
        for (row, hash) in hash_rows(&self.key, rows).into_iter().enumerate() {
            let key = key_hash(&self.key, rows, &self.spec.key, row, hash, &mut buffer);
            if !suspicious[key[0] as usize] {
                continue;
            }
            let of_key = expected.entry(key).or_default();
            match of_key.iter().position(|e| e.row == hash.short()) {
                Some(place) => {
                    of_key.swap_remove(place);
                }
                None => odd.push((row, key, hash)),
            }
        }
        let types = self.types();
        let texts = rows_as_text(rows, &types, &odd.iter().map(|(row, _, _)| *row).collect::<Vec<_>>());
        for ((_, key, hash), values) in odd.into_iter().zip(texts) {
            let of_key = expected.entry(key).or_default();
            if of_key.pop().is_some() {
                found.changed.insert(key, values);
            } else {
                unknown.push((key, values, hash));
            }
        }
    }

    fn types(&self) -> Vec<dunlin_connect::ColumnType> {
        self.spec.mapping.columns.iter().map(|m| m.load_type.clone()).collect()
    }

    /// Maps the source anew for the rows in question: their keys and values come from nowhere else.
    async fn against_source(
        &self,
        id: &str,
        found: &mut Found,
        lost: &HashSet<[u8; 16]>,
        source_same: bool,
        sources: &mut HashMap<RowHash, u32>,
        parts: &[Part],
    ) -> Result<()> {
        if lost.is_empty() && found.changed.is_empty() && source_same {
            return Ok(());
        }
        let amended: u64 = parts.iter().filter(|p| p.name.starts_with("amend-")).count() as u64;
        let reader = self.run.source(self.spec)?.reader().await?;
        let pipeline = self.run.pipeline(self.spec, &reader).await?;
        let bounds = reader.splits(&self.spec.source, 250_000, &[]).await?;
        let splits: Vec<(u32, Bounds)> = bounds.into_iter().enumerate().map(|(i, b)| (i as u32, b)).collect();
        let reads = self.spec.read.len();
        let types = self.types();
        let mut buffer = Vec::new();
        let _ = id;
        pipeline
            .for_each(&splits, |batch| {
                if marker_of(batch).is_some() {
                    return Ok(());
                }
                let lead = Lead::of(batch);
                let rows = body(batch, reads, batch.num_columns() - lead::COUNT);
                let rows = RecordBatch::try_new(self.spec.mapping.target_schema.clone(), rows.columns().to_vec())
                    .map_err(|_| MoveError::Engine { act: "map a row anew".to_owned(), code: "schema".to_owned() })?;
                let hashes = hash_rows(&self.key, &rows);
                let mut picked: Vec<(usize, [u8; 16])> = Vec::new();
                for row in (0..rows.num_rows()).filter(|row| lead.fates[*row] == fate::ALIVE) {
                    let key = key_hash(&self.key, &rows, &self.spec.key, row, hashes[row], &mut buffer);
                    let unread = !source_same && amended == 0 && !take(sources, &lead.hashes[row]);
                    if unread && !lost.contains(&key) && !found.changed.contains_key(&key) {
                        found.new.push(key);
                    }
                    if unread || lost.contains(&key) || found.changed.contains_key(&key) {
                        picked.push((row, key));
                    }
                }
                let texts = rows_as_text(&rows, &types, &picked.iter().map(|(row, _)| *row).collect::<Vec<_>>());
                for ((_, key), values) in picked.into_iter().zip(texts) {
                    found.wanted.insert(key, values);
                }
                Ok(())
            })
            .await
    }

    fn told(&self, found: Found, lost: HashSet<[u8; 16]>) -> Vec<Difference> {
        let mut out = Vec::new();
        for key in lost.into_iter().chain(found.new.iter().copied()) {
            out.push(self.difference(DifferenceKind::Missing, found.wanted.get(&key), Vec::new()));
        }
        for (key, values) in &found.changed {
            let columns = found.wanted.get(key).map_or_else(Vec::new, |wanted| self.differing(values, wanted));
            out.push(self.difference(DifferenceKind::Changed, Some(values), columns));
        }
        for (_, values) in &found.extra {
            out.push(self.difference(DifferenceKind::Extra, Some(values), Vec::new()));
        }
        out.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
        out
    }

    fn differing(&self, a: &[Option<String>], b: &[Option<String>]) -> Vec<String> {
        let columns = self.spec.mapping.columns.iter();
        columns.zip(a.iter().zip(b)).filter(|(_, (a, b))| a != b).map(|(c, _)| c.target.clone()).collect()
    }

    fn difference(&self, kind: DifferenceKind, values: Option<&Vec<Option<String>>>, columns: Vec<String>) -> Difference {
        let mut key = BTreeMap::new();
        for place in &self.spec.key {
            let column = &self.spec.mapping.columns[*place];
            let value = values.and_then(|v| v[*place].as_deref());
            let shown = match (self.clear, value) {
                (true, value) => value.map(str::to_owned),
                (false, value) => mask_value(column.kind.map(|k| k.as_str()), value),
            };
            key.insert(column.target.clone(), shown.unwrap_or_else(|| "?".to_owned()));
        }
        Difference { key, kind, columns }
    }
}

fn take(sources: &mut HashMap<RowHash, u32>, hash: &RowHash) -> bool {
    match sources.get_mut(hash) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    }
}
