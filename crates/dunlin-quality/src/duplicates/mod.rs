//! Which records stand for one person: record linkage without labels.
//!
//! The story, a file each: values are brought into one form ([`normal`]) and become numbers ([`values`]); pairs worth
//! looking at share keys ([`keys`]), by rules that are chosen from the data ([`blocking`]); each pair is compared column
//! by column ([`compare`]); what each agreement weighs is learnt from the pairs themselves ([`model`]); and pairs become
//! clusters that do not chain ([`cluster`]).
//!
//! What this is not: it reads no store, and it decides nothing about rows. It says which records belong together, how
//! sure that is, and why ([`Duplicates::explain`]). It holds the values of the compared columns in memory, each different
//! value once, and lets none of them out.

mod blocking;
mod cluster;
mod compare;
mod distance;
mod intern;
mod keys;
mod kind;
mod model;
mod nicknames;
mod normal;
mod values;

use std::collections::HashMap;

use blocking::{Blocking, pack, unpack};
use cluster::Edge;
use compare::{COLUMNS_MOST, Comparer};
pub use compare::Level;
pub use kind::FieldKind;
use model::{Model, Patterns, Random, chance_of};
use values::{Fields, NONE};

/// Pairs that are looked at: so many a record, and never fewer than [`PAIRS_LEAST`].
const PAIRS_A_RECORD: usize = 20;
const PAIRS_LEAST: usize = 4_000_000;
/// Up to so many pairs none is left out.
const PAIRS_ALL: f64 = 1_200_000.0;
/// Pairs of fewer bits than this are forgotten.
const BITS_KEPT: f64 = -5.0;

/// The records to be compared, as they arrive.
pub struct Records {
    fields: Fields,
    keys: Vec<Box<str>>,
    second_from: Option<usize>,
}

/// What was found.
pub struct Duplicates {
    fields: Fields,
    keys: Vec<Box<str>>,
    second_from: Option<usize>,
    model: Model,
    /// Pairs that were looked at.
    pub compared: usize,
    edges: Vec<Edge>,
}

impl Records {
    /// No records yet, of these columns. At most 16 columns are compared; the first ones.
    pub fn new(columns: &[(String, FieldKind)]) -> Self {
        let columns = &columns[..columns.len().min(COLUMNS_MOST)];
        Self { fields: Fields::new(columns), keys: Vec::new(), second_from: None }
    }

    /// Adds the keys of the next records.
    pub fn push_keys<'a>(&mut self, keys: impl Iterator<Item = &'a str>) {
        self.keys.extend(keys.map(Box::from));
    }

    /// Adds the values of a column for the records whose keys were added.
    pub fn push_values<'a>(&mut self, column: usize, values: impl Iterator<Item = Option<&'a str>>) {
        self.fields.push(column, values);
    }

    /// Says that all records from here on are of a second source; pairs are then sought between the two only.
    pub fn second_source(&mut self) {
        self.second_from = Some(self.keys.len());
    }

    /// Finds out which records are the same.
    pub fn link(mut self) -> Duplicates {
        // One order whatever the order of arrival: everything after this depends on content alone.
        let border = self.second_from.unwrap_or(self.keys.len()) as u32;
        let mut order: Vec<u32> = (0..self.keys.len() as u32).collect();
        order.sort_by(|x, y| {
            let key = |at: u32| (at >= border, &self.keys[at as usize]);
            key(*x).cmp(&key(*y)).then_with(|| {
                self.fields.content(*x as usize).cmp(&self.fields.content(*y as usize))
            })
        });
        self.fields.settle(&order);
        let mut keys = std::mem::take(&mut self.keys);
        let keys: Vec<Box<str>> = order.iter().map(|at| std::mem::take(&mut keys[*at as usize])).collect();
        let (model, edges, compared) = weigh(&self.fields, keys.len(), self.second_from);
        Duplicates { fields: self.fields, keys, second_from: self.second_from, model, compared, edges }
    }
}

fn clock(what: &str, from: &mut std::time::Instant) {
    if std::env::var_os("DUP_DEBUG").is_some() {
        eprintln!("  {what}: {:.3}", from.elapsed().as_secs_f64());
    }
    *from = std::time::Instant::now();
}

/// Learns the weights and gives the likely pairs.
fn weigh(fields: &Fields, records: usize, second_from: Option<usize>) -> (Model, Vec<Edge>, usize) {
    let mut t = std::time::Instant::now();
    let comparer = Comparer { fields };
    let blocking = Blocking::new(fields, records, second_from);
    let random = Random::count(&comparer, records, second_from, blocking.all());
    clock("random", &mut t);
    let pairs = match blocking.all() <= PAIRS_ALL {
        true => blocking.every(),
        false => blocking.pairs(PAIRS_LEAST.max(PAIRS_A_RECORD * records), |pilot| {
            clock("size", &mut t);
            let patterns = patterns(&comparer, pilot);
            let model = Model::learn(&count(&patterns), &random, records);
            let r = patterns.iter().map(|p| model.bits(*p) > 0.0).collect();
            clock("pilot", &mut t);
            r
        }),
    };
    clock("pairs", &mut t);
    let patterns = patterns(&comparer, &pairs);
    clock("compare", &mut t);
    let mut model = Model::learn(&count(&patterns), &random, records);
    let compared = pairs.len();
    let keep = |model: &Model, pair: u64, pattern: u64, slack: f64| {
        // The pattern alone rules most pairs out.
        let bits = model.bits(pattern);
        if bits < BITS_KEPT - slack {
            return None;
        }
        let (a, b) = unpack(pair);
        Some((pair, pattern, model.pair_bits(fields, a, b, pattern) as f32))
    };
    let both = || pairs.iter().zip(&patterns).map(|(p, q)| (*p, *q));
    let mut likely: Vec<(u64, u64, f32)> =
        both().filter_map(|(pair, pattern)| keep(&model, pair, pattern, 10.0)).collect();
    drop(pairs);
    drop(patterns);
    clock("learn", &mut t);
    for _ in 0..2 {
        model.count_rarity(fields, &likely);
        for (pair, pattern, bits) in &mut likely {
            let (a, b) = unpack(*pair);
            *bits = model.pair_bits(fields, a, b, *pattern) as f32;
        }
        let expected = likely.iter().map(|(_, pattern, bits)| (*pattern, chance_of(f64::from(*bits))));
        model.maximise(expected, &random);
    }
    let mut edges = Vec::new();
    for (pair, pattern, _) in &likely {
        let (a, b) = unpack(*pair);
        let bits = model.pair_bits(fields, a, b, *pattern);
        if bits >= BITS_KEPT {
            edges.push(Edge { a: a as u32, b: b as u32, bits: bits as f32 });
        }
    }
    clock("rarity", &mut t);
    (model, edges, compared)
}

fn patterns(comparer: &Comparer<'_>, pairs: &[u64]) -> Vec<u64> {
    let chunks: Vec<&[u64]> = pairs.chunks(1 << 16).collect();
    let each = in_parallel(&chunks, |chunk| {
        let one = |pair: &u64| {
            let (a, b) = unpack(*pair);
            comparer.pattern(a, b)
        };
        chunk.iter().map(one).collect::<Vec<u64>>()
    });
    each.into_iter().flatten().collect()
}

fn count(patterns: &[u64]) -> Patterns {
    let mut counts: HashMap<u64, f64> = HashMap::new();
    for pattern in patterns {
        *counts.entry(*pattern).or_default() += 1.0;
    }
    let mut counts: Patterns = counts.into_iter().collect();
    // Sums of floating numbers depend on their order.
    counts.sort_unstable_by_key(|(pattern, _)| *pattern);
    counts
}

/// Does something for each of `items`, on as many threads as there are processors, and keeps their order.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let run = || {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(item) = items.get(at) else { break done };
                done.push((at, work(item)));
            }
        };
        let handles: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut all = run();
        for handle in handles {
            match handle.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Records that stand for one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Their keys, sorted.
    pub keys: Vec<String>,
    /// How sure the weakest of its joins is, from 0 to 1.
    pub probability: f64,
}

impl Duplicates {
    /// The groups of records that are one with at least this probability.
    pub fn groups(&self, above: f64) -> Vec<Group> {
        let least = (above / (1.0 - above)).log2();
        let comparer = Comparer { fields: &self.fields };
        let weigh = |a: u32, b: u32| {
            let (a, b) = (a as usize, b as usize);
            self.model.pair_bits(&self.fields, a, b, comparer.pattern(a, b))
        };
        let clusters = match self.second_from {
            None => cluster::within(self.keys.len(), &self.edges, least, &weigh),
            Some(_) => cluster::between(&self.edges, least),
        };
        let group = |c: cluster::Cluster| Group {
            keys: c.records.iter().map(|r| self.keys[*r as usize].to_string()).collect(),
            probability: chance_of(c.bits),
        };
        clusters.into_iter().map(group).collect()
    }

    /// Pairs and their bits, by key.
    pub fn likely(&self) -> impl Iterator<Item = (&str, &str, f64)> {
        self.edges
            .iter()
            .map(|e| (&*self.keys[e.a as usize], &*self.keys[e.b as usize], f64::from(e.bits)))
    }

    /// Debug.
    pub fn debug(&self) {
        eprintln!("prior {:.2} records {}", self.model.prior, self.keys.len());
        for (at, column) in self.fields.columns.iter().enumerate() {
            let bits: Vec<String> = (1..8)
                .map(|l| {
                    format!(
                        "{:.3}/{:.5}={:.1}",
                        self.model.m[at][l],
                        self.model.u[at][l],
                        (self.model.m[at][l] / self.model.u[at][l]).log2()
                    )
                })
                .collect();
            eprintln!("{:16} {:?} filled {} {}", column.name, column.kind, column.filled, bits.join(" "));
        }
        let _ = (pack(0, 1), NONE);
    }
}
