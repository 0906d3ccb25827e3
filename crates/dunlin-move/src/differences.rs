//! Which rows differ, by key and column, once the sums of a verification do not agree.
//!
//! Two questions, each answered by one more read. *Does the target hold what was loaded?* The row index says what that
//! was; only buckets whose sums differ are looked at row by row. *Is the source what was read?* The source is mapped
//! anew; a row whose hash no part of the run has seen is new or changed, and a hash that is not met again belongs to a
//! row that is gone.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use dunlin_connect::canon::{HashKey, RowHash, hash_rows};
use dunlin_connect::{Bounds, ColumnType, ReadRequest};
use dunlin_gate::{ColumnInfo, Rows, Sealed};
use futures::StreamExt;

use crate::accounting::Tally;
use crate::batch::{Lead, body, fate, lead, marker_of};
use crate::exec::names::key_hash;
use crate::parts::{Part, live_entries};
use crate::quarantine::{QuarantinedRow, rows_as_text};
use crate::ranges::Differing;
use crate::reconcile::{BUCKETS, Hashed};
use crate::run::Run;
use crate::spec::TableSpec;
use crate::verify::{DifferenceKind, Differences, DifferingRow};
use crate::{MoveError, Result};

type Key = [u8; 16];
type Values = Vec<Option<String>>;

/// A search for what differs in one table.
pub struct Search<'a> {
    /// The verification.
    pub run: &'a Run<'a>,
    /// The run that is verified.
    pub id: &'a str,
    /// The table.
    pub spec: &'a Arc<TableSpec>,
    /// The row hash key.
    pub key: HashKey,
    /// The parts of the table.
    pub parts: &'a [Part],
}

/// What is known of the differing rows.
#[derive(Default)]
struct Found {
    /// Keys that were loaded and are not in the target.
    missing: HashSet<Key>,
    /// Keys in the target with other values than were loaded.
    changed: HashSet<Key>,
    /// Keys of the target that nothing accounts for.
    extra: Vec<(Key, Values)>,
    /// The target's values of rows in question.
    there: HashMap<Key, Values>,
    /// The values that should be there, from the source mapped anew.
    wanted: HashMap<Key, Values>,
    /// Keys of source rows that no part of the run has read.
    new: HashSet<Key>,
    /// Keys that were loaded from source rows that are gone, or are not what they were.
    gone: HashSet<Key>,
}

impl Search<'_> {
    /// Every differing row.
    ///
    /// # Errors
    /// Those of the stores.
    pub async fn differences(
        &self,
        target: &Hashed,
        source_same: bool,
        preexisting: Tally,
    ) -> Result<Differences> {
        let mut found = Found::default();
        let suspicious = self.suspicious(target, preexisting)?;
        if suspicious.contains(&true) {
            self.against_target(&suspicious, preexisting, &mut found).await?;
        }
        if !source_same || !found.missing.is_empty() || !found.changed.is_empty() {
            self.against_source(source_same, &mut found).await?;
        }
        Ok(self.told(&found))
    }

    /// Buckets whose rows are not those that were loaded. The index holds the first half of each hash, and the first
    /// half of a sum modulo 2^256 is the sum of first halves modulo 2^128.
    fn suspicious(&self, target: &Hashed, preexisting: Tally) -> Result<Vec<bool>> {
        let mut counts = vec![0u64; BUCKETS];
        let mut halves = vec![0u128; BUCKETS];
        self.live(|key, row, _| {
            counts[key[0] as usize] += 1;
            halves[key[0] as usize] = halves[key[0] as usize].wrapping_add(u128::from_le_bytes(row));
        })?;
        let differs = |b: usize| {
            let sum = u128::from_le_bytes(target.buckets[b].hash.short());
            target.buckets[b].rows != counts[b] || sum != halves[b]
        };
        let all = (0..BUCKETS).map(differs).collect();
        // Where other rows stood before, their buckets differ too; told apart row by row.
        Ok(if preexisting.rows > 0 { vec![true; BUCKETS] } else { all })
    }

    fn live(&self, mut each: impl FnMut(Key, [u8; 16], RowHash)) -> Result<()> {
        let state_dir = &self.run.workspace.state_dir;
        live_entries(state_dir, &self.spec.label, self.parts, |_, e| each(e.key, e.row, e.source))
    }

    fn types(&self) -> Vec<ColumnType> {
        self.spec.mapping.columns.iter().map(|m| m.load_type.clone()).collect()
    }

    /// Walks the target and strikes out what was loaded.
    async fn against_target(&self, suspicious: &[bool], preexisting: Tally, found: &mut Found) -> Result<()> {
        let mut expected: HashMap<Key, Vec<[u8; 16]>> = HashMap::new();
        self.live(|key, row, _| {
            if suspicious[key[0] as usize] {
                expected.entry(key).or_default().push(row);
            }
        })?;
        let mut odd: Vec<(Key, RowHash, Values)> = Vec::new();
        self.target_rows(
            |key, hash| match expected.get_mut(&key) {
                _ if !suspicious[key[0] as usize] => false,
                Some(rows) => match rows.iter().position(|row| *row == hash.short()) {
                    Some(place) => {
                        rows.swap_remove(place);
                        false
                    }
                    None => true,
                },
                None => true,
            },
            |key, hash, values| odd.push((key, hash, values)),
        )
        .await?;
        let mut unknown = Vec::new();
        for (key, hash, values) in odd {
            match expected.get_mut(&key).and_then(Vec::pop) {
                Some(_) => {
                    found.changed.insert(key);
                    found.there.insert(key, values);
                }
                None => unknown.push((key, hash, values)),
            }
        }
        found.missing.extend(expected.into_iter().filter(|(_, rows)| !rows.is_empty()).map(|(key, _)| key));
        // Rows that stood there before are not dunlin's: as long as their sum is what it was.
        let theirs = unknown.iter().fold(Tally::default(), |mut tally, (_, hash, _)| {
            tally.add(*hash);
            tally
        });
        if theirs != preexisting {
            found.extra.extend(unknown.into_iter().map(|(key, _, values)| (key, values)));
        }
        Ok(())
    }

    /// Reads the target; rows that `pick` chooses are handed on with their values.
    async fn target_rows(
        &self,
        mut pick: impl FnMut(Key, RowHash) -> bool,
        mut each: impl FnMut(Key, RowHash, Values),
    ) -> Result<()> {
        let types = self.types();
        let reader = self.run.target(self.spec)?.reader().await?;
        let mut buffer = Vec::new();
        for bounds in reader.splits(&self.spec.target, 250_000, &[]).await? {
            let table = self.spec.target.clone();
            let request = ReadRequest { table, columns: self.spec.read_back(), bounds, batch_rows: 8_192 };
            let mut stream = reader.read(request).await?;
            while let Some(batch) = stream.next().await {
                let rows = batch?.rows;
                let mut picked = Vec::new();
                for (row, hash) in hash_rows(&self.key, &rows).into_iter().enumerate() {
                    let key = key_hash(&self.key, &rows, &self.spec.key, row, hash, &mut buffer);
                    if pick(key, hash) {
                        picked.push((row, key, hash));
                    }
                }
                let places: Vec<usize> = picked.iter().map(|(row, _, _)| *row).collect();
                let texts = rows_as_text(&rows, &types, &places);
                picked.into_iter().zip(texts).for_each(|((_, key, hash), values)| each(key, hash, values));
            }
        }
        Ok(())
    }

    /// Maps the source anew: the values of missing and changed rows come from nowhere else, and rows that the run has
    /// not read are found.
    async fn against_source(&self, source_same: bool, found: &mut Found) -> Result<()> {
        let mut known = if source_same { HashMap::new() } else { self.known_sources()? };
        let reader = self.run.source(self.spec)?.reader().await?;
        crate::duplicates::again(self.run, self.id).await?;
        let pipeline = self.run.pipeline(self.spec, &reader).await?;
        let bounds = reader.splits(&self.spec.source, 250_000, &[]).await?;
        let splits: Vec<(u32, Bounds)> = bounds.into_iter().enumerate().map(|(i, b)| (i as u32, b)).collect();
        let types = self.types();
        let mut buffer = Vec::new();
        pipeline
            .for_each(&splits, |batch| {
                if marker_of(batch).is_some() {
                    return Ok(());
                }
                let lead = Lead::of(batch);
                let rows = self.mapped(batch)?;
                let hashes = hash_rows(&self.key, &rows);
                let mut picked = Vec::new();
                for (row, hash) in hashes.into_iter().enumerate() {
                    let seen = source_same || strike(&mut known, &lead.hashes[row]);
                    if lead.fates[row] != fate::ALIVE {
                        continue;
                    }
                    let key = key_hash(&self.key, &rows, &self.spec.key, row, hash, &mut buffer);
                    if !seen {
                        found.new.insert(key);
                    }
                    if !seen || found.missing.contains(&key) || found.changed.contains(&key) {
                        picked.push((row, key));
                    }
                }
                let places: Vec<usize> = picked.iter().map(|(row, _)| *row).collect();
                let texts = rows_as_text(&rows, &types, &places);
                found.wanted.extend(picked.into_iter().zip(texts).map(|((_, key), values)| (key, values)));
                Ok(())
            })
            .await?;
        if !source_same {
            self.gone(&known, found).await?;
        }
        Ok(())
    }

    fn mapped(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = body(batch, self.spec.read.len(), batch.num_columns() - lead::COUNT);
        RecordBatch::try_new(self.spec.mapping.target_schema.clone(), rows.columns().to_vec())
            .map_err(|_| MoveError::Engine { act: "map a row anew".to_owned(), code: "schema".to_owned() })
    }

    /// The source hashes that the run has seen and that may be met again alive: loaded, or in quarantine once.
    fn known_sources(&self) -> Result<HashMap<RowHash, u32>> {
        let mut known: HashMap<RowHash, u32> = HashMap::new();
        self.live(|_, _, source| *known.entry(source).or_default() += 1)?;
        let loaded: HashSet<RowHash> = known.keys().copied().collect();
        for part in self.parts {
            let Some(fragment) = &part.receipt.fragment else { continue };
            let rows = self.run.workspace.fragments().open(&part.origin, &self.spec.label, &fragment.name)?;
            for payload in rows {
                // One that was released since is loaded, and counted there.
                if let Some(row) = QuarantinedRow::unpack(&payload?)
                    && !loaded.contains(&row.source)
                {
                    *known.entry(row.source).or_default() += 1;
                }
            }
        }
        Ok(known)
    }

    /// Keys that were loaded from source rows which were not met again; their values are in the target.
    async fn gone(&self, left: &HashMap<RowHash, u32>, found: &mut Found) -> Result<()> {
        self.live(|key, _, source| {
            if left.get(&source).is_some_and(|count| *count > 0) {
                found.gone.insert(key);
            }
        })?;
        if found.gone.is_empty() {
            return Ok(());
        }
        let mut there = Vec::new();
        self.target_rows(|key, _| found.gone.contains(&key), |key, _, values| there.push((key, values)))
            .await?;
        found.there.extend(there);
        Ok(())
    }

    fn told(&self, found: &Found) -> Differences {
        let mut told = Told { spec: self.spec, rows: Vec::new(), keys: Vec::new() };
        let missing = found.missing.iter().chain(found.new.iter().filter(|k| !found.gone.contains(*k)));
        for key in missing.collect::<HashSet<_>>() {
            told.row(DifferenceKind::Missing, key, found.wanted.get(key), Vec::new());
        }
        let renewed = found.new.iter().filter(|k| found.gone.contains(*k));
        for key in found.changed.iter().chain(renewed).collect::<HashSet<_>>() {
            let (there, wanted) = (found.there.get(key), found.wanted.get(key));
            let columns =
                there.zip(wanted).map_or_else(Vec::new, |(there, wanted)| self.differing(there, wanted));
            told.row(DifferenceKind::Changed, key, there.or(wanted), columns);
        }
        for (key, values) in &found.extra {
            told.row(DifferenceKind::Extra, key, Some(values), Vec::new());
        }
        for key in found.gone.iter().filter(|k| !found.new.contains(*k) && !found.missing.contains(*k)) {
            told.row(DifferenceKind::Extra, key, found.there.get(key), Vec::new());
        }
        told.sealed()
    }

    fn differing(&self, a: &[Option<String>], b: &[Option<String>]) -> Vec<String> {
        let columns = self.spec.mapping.columns.iter();
        columns.zip(a.iter().zip(b)).filter(|(_, (a, b))| a != b).map(|(c, _)| c.target.clone()).collect()
    }
}

impl Differences {
    /// Rows that were found to differ by reading both sides; their keys are sealed here.
    pub(crate) fn of(spec: &TableSpec, found: Vec<Differing>) -> Self {
        let mut told = Told { spec, rows: Vec::new(), keys: Vec::new() };
        for row in found {
            told.row(row.kind, &row.key, Some(&row.values), row.columns);
        }
        told.sealed()
    }
}

/// What is told of the differing rows: how they differ in the open, their keys to be sealed.
struct Told<'a> {
    spec: &'a TableSpec,
    rows: Vec<DifferingRow>,
    keys: Vec<Values>,
}

impl Told<'_> {
    fn row(&mut self, kind: DifferenceKind, key: &Key, values: Option<&Values>, columns: Vec<String>) {
        let places = self.spec.key.iter();
        self.keys.push(places.map(|place| values.and_then(|v| v[*place].clone())).collect());
        self.rows.push(DifferingRow { kind, columns, name: hex::encode(key) });
    }

    fn sealed(self) -> Differences {
        let spec = self.spec;
        let columns = spec.key.iter().map(|place| {
            let column = &spec.mapping.columns[*place];
            ColumnInfo { name: column.target.clone(), kind: column.kind.map(|k| k.as_str().to_owned()) }
        });
        let (store, table) = (spec.plan.to.store.clone(), spec.label.clone());
        let rows = Rows { store, table: table.clone(), columns: columns.collect(), rows: self.keys };
        Differences { table, rows: self.rows, keys: Sealed::seal(rows) }
    }
}

fn strike(known: &mut HashMap<RowHash, u32>, hash: &RowHash) -> bool {
    match known.get_mut(hash) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    }
}
