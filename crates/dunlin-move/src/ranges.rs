//! Verification of a table that the plan did not change: both sides are read once, side by side, in ranges of the key,
//! and only the ranges whose sums differ are read again, row by row. So ten differences among millions of rows cost two
//! reads and a few thousand rows, and memory is bounded by the largest range.
//!
//! Only where a row of the source and its row in the target have one hash: every column goes over as it is, between two
//! stores of one system, nothing of the table waits, was left out or erased, and nothing stood there before. Everything
//! else goes the long way of [`crate::differences`]; so does a table of which this finds nothing though it does not
//! balance.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use dunlin_connect::canon::{HashKey, hash_rows};
use dunlin_connect::{Bounds, ColumnType, ReadColumn, ReadRequest, Reader, Table};
use futures::StreamExt;
use tokio::task::JoinSet;

use crate::accounting::{Account, Tally};
use crate::exec::names::key_hash;
use crate::exec::untouched::is_plain;
use crate::quarantine::rows_as_text;
use crate::reconcile::hash_one;
use crate::run::Run;
use crate::spec::TableSpec;
use crate::verify::DifferenceKind;
use crate::{MoveError, Result};

/// Rows of a range, as the source reckons.
const RANGE_ROWS: u64 = 50_000;
/// Ranges of more rows than this, on either side, are not held in memory: the table goes the long way.
const HELD_MOST: u64 = 500_000;

type Key = [u8; 16];
type Values = Vec<Option<String>>;

/// A table that can be verified range by range.
pub(crate) struct Ranges<'a> {
    spec: &'a TableSpec,
    hash_key: HashKey,
    source: Side,
    target: Side,
    /// The same range of both sides.
    bounds: Vec<(Bounds, Bounds)>,
}

/// How one side is read.
#[derive(Clone)]
struct Side {
    reader: Arc<dyn Reader>,
    table: Arc<Table>,
    columns: Vec<ReadColumn>,
    types: Vec<ColumnType>,
}

/// What one range came to.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    source: Tally,
    target: Tally,
}

/// What was read.
pub(crate) struct Read {
    /// All rows of the source.
    pub(crate) source: Tally,
    /// All rows of the target.
    pub(crate) target: Tally,
    /// The places of ranges whose sums differ.
    differing: Vec<usize>,
    /// Rows of the largest of these.
    largest: u64,
}

/// A row that differs.
pub(crate) struct Differing {
    pub(crate) kind: DifferenceKind,
    pub(crate) key: Key,
    /// The values, of the target where it has the row.
    pub(crate) values: Values,
    /// The columns that differ.
    pub(crate) columns: Vec<String>,
}

impl<'a> Ranges<'a> {
    /// The ranges of a table, where it may be verified by them.
    ///
    /// # Errors
    /// Those of the stores.
    pub(crate) async fn of(
        run: &Run<'_>,
        spec: &'a TableSpec,
        hash_key: HashKey,
        account: &Account,
        preexisting: Tally,
    ) -> Result<Option<Self>> {
        // Loaded as read: then the two hashes are of the same rows in the same form.
        let whole = account.expected == account.source && account.dispositions.loaded == account.source;
        let [place] = spec.key.as_slice() else { return Ok(None) };
        if !whole || !preexisting.is_empty() || !account.gone.is_empty() || !is_plain(spec) {
            return Ok(None);
        }
        let side = |reader: Arc<dyn Reader>, table: &Arc<Table>, columns: Vec<ReadColumn>| {
            let types = columns.iter().map(|c| table.columns[c.index].ty.clone()).collect();
            Side { reader, table: table.clone(), columns, types }
        };
        let source = side(run.source(spec)?.reader().await?, &spec.source, spec.read.clone());
        let target = side(run.target(spec)?.reader().await?, &spec.target, spec.read_back());
        let wire = |side: &Side| side.reader.wire(&side.request(Bounds::Whole));
        if wire(&source).is_none() || wire(&source) != wire(&target) {
            return Ok(None);
        }
        let (mut bounds, named) = (Vec::new(), spec.mapping.columns[*place].target.as_str());
        let key = &spec.source.columns[spec.read[*place].index].name;
        for range in source.reader.splits(&spec.source, RANGE_ROWS, &[]).await? {
            // The same numbers of the column that the key became.
            let Bounds::Key { column, from, to } = &range else { return Ok(None) };
            if column != key {
                return Ok(None);
            }
            let same = Bounds::Key { column: named.to_owned(), from: *from, to: *to };
            bounds.push((range, same));
        }
        Ok(Some(Self { spec, hash_key, source, target, bounds }))
    }

    /// Reads both sides once, `jobs` ranges at a time.
    ///
    /// # Errors
    /// Those of the stores.
    pub(crate) async fn read(&self, jobs: usize) -> Result<Read> {
        let mut open = 0..self.bounds.len();
        let mut tasks: JoinSet<Result<(usize, Sums)>> = JoinSet::new();
        let mut sums = vec![Sums::default(); self.bounds.len()];
        let spawn = |tasks: &mut JoinSet<_>, at: usize| {
            let (source, target, key) = (self.source.clone(), self.target.clone(), self.hash_key);
            let (here, there) = self.bounds[at].clone();
            tasks.spawn(async move {
                let source = hash_one(source.reader.as_ref(), source.request(here), &key, &[], &[None, None])
                    .await?
                    .all;
                let target =
                    hash_one(target.reader.as_ref(), target.request(there), &key, &[], &[None, None])
                        .await?
                        .all;
                Ok((at, Sums { source, target }))
            });
        };
        open.by_ref().take(jobs.max(1)).for_each(|at| spawn(&mut tasks, at));
        while let Some(joined) = tasks.join_next().await {
            let failed = |_| MoveError::Engine { act: "hash a range".into(), code: "panic".into() };
            let (at, sum) = joined.map_err(failed)??;
            sums[at] = sum;
            open.by_ref().take(1).for_each(|at| spawn(&mut tasks, at));
        }
        let differs = |at: &usize| sums[*at].source != sums[*at].target;
        let differing: Vec<usize> = (0..sums.len()).filter(differs).collect();
        let rows = |at: &usize| sums[*at].source.rows.max(sums[*at].target.rows);
        let mut read = Read {
            source: Tally::default(),
            target: Tally::default(),
            largest: differing.iter().map(rows).max().unwrap_or_default(),
            differing,
        };
        for sum in &sums {
            read.source += sum.source;
            read.target += sum.target;
        }
        Ok(read)
    }

    /// The rows that differ; `None` where ranges are too large to be held, where a row cannot be read value by value, and
    /// where nothing differs though something should.
    ///
    /// # Errors
    /// Those of the stores.
    pub(crate) async fn differing(&self, read: &Read) -> Result<Option<Vec<Differing>>> {
        if read.largest > HELD_MOST {
            return Ok(None);
        }
        let mut found = Vec::new();
        for at in &read.differing {
            let (here, there) = self.bounds[*at].clone();
            let Some(source) = self.held(&self.source, here).await? else { return Ok(None) };
            let Some(target) = self.held(&self.target, there).await? else { return Ok(None) };
            self.compare(source, target, &mut found);
        }
        Ok((!found.is_empty()).then_some(found))
    }

    async fn held(&self, side: &Side, bounds: Bounds) -> Result<Option<Held>> {
        let mut held = Held { batches: Vec::new(), rows: HashMap::new() };
        let mut stream = side.reader.read(side.request(bounds)).await?;
        let mut buffer = Vec::new();
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            if !batch.bad.is_empty() {
                return Ok(None);
            }
            for (row, hash) in hash_rows(&self.hash_key, &batch.rows).into_iter().enumerate() {
                let key = key_hash(&self.hash_key, &batch.rows, &self.spec.key, row, hash, &mut buffer);
                held.rows.entry(key).or_default().push((hash.short(), held.batches.len(), row));
            }
            held.batches.push(batch.rows);
        }
        Ok(Some(held))
    }

    fn compare(&self, mut source: Held, mut target: Held, found: &mut Vec<Differing>) {
        let mut keys: Vec<Key> = source.rows.keys().chain(target.rows.keys()).copied().collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let mut wanted = source.rows.remove(&key).unwrap_or_default();
            let mut there = target.rows.remove(&key).unwrap_or_default();
            // Equal rows are struck out on both sides, each once.
            wanted.retain(|row| match there.iter().position(|other| other.0 == row.0) {
                Some(same) => {
                    there.swap_remove(same);
                    false
                }
                None => true,
            });
            let (mut wanted, mut there) = (wanted.into_iter(), there.into_iter());
            loop {
                let row = match (wanted.next(), there.next()) {
                    (Some(wanted), Some(there)) => {
                        let wanted = source.values(&wanted, &self.source.types);
                        let values = target.values(&there, &self.target.types);
                        let columns = self.unequal(&wanted, &values);
                        Differing { kind: DifferenceKind::Changed, key, values, columns }
                    }
                    (Some(wanted), None) => {
                        let values = source.values(&wanted, &self.source.types);
                        Differing { kind: DifferenceKind::Missing, key, values, columns: Vec::new() }
                    }
                    (None, Some(there)) => {
                        let values = target.values(&there, &self.target.types);
                        Differing { kind: DifferenceKind::Extra, key, values, columns: Vec::new() }
                    }
                    (None, None) => break,
                };
                found.push(row);
            }
        }
    }

    fn unequal(&self, a: &[Option<String>], b: &[Option<String>]) -> Vec<String> {
        let columns = self.spec.mapping.columns.iter();
        columns.zip(a.iter().zip(b)).filter(|(_, (a, b))| a != b).map(|(c, _)| c.target.clone()).collect()
    }
}

impl Side {
    fn request(&self, bounds: Bounds) -> ReadRequest {
        ReadRequest { table: self.table.clone(), columns: self.columns.clone(), bounds, batch_rows: 8_192 }
    }
}

/// The rows of a range in memory: hash, batch and place of each, by key.
struct Held {
    batches: Vec<RecordBatch>,
    rows: HashMap<Key, Vec<([u8; 16], usize, usize)>>,
}

impl Held {
    fn values(&self, row: &([u8; 16], usize, usize), types: &[ColumnType]) -> Values {
        rows_as_text(&self.batches[row.1], types, &[row.2]).pop().unwrap_or_default()
    }
}
