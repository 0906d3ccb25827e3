//! What was found: groups of records, pairs for a person to look at, and the reasons. Records are numbers here; their
//! keys leave this crate under seal only.

use std::collections::HashMap;

use serde::Serialize;

use super::cluster::{self, Cluster, Edge};
use super::compare::{Comparer, LEVELS, Level, level_at};
use super::model::{Model, chance_of};
use super::values::Fields;
use super::{FieldKind, Names};

/// Records that belong together, and why.
pub struct Duplicates {
    pub(super) fields: Fields,
    pub(super) names: Names,
    pub(super) model: Model,
    pub(super) compared: usize,
    pub(super) edges: Vec<Edge>,
}

/// Records that stand for one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The records and how sure each is of the others, from 0 to 1; in the order of their keys.
    pub records: Vec<(u32, f64)>,
    /// How sure the weakest of its joins is, from 0 to 1.
    pub probability: f64,
}

/// Two records that may stand for one person; somebody should look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReviewPair {
    /// The records.
    pub records: (u32, u32),
    /// How likely they are one, from 0 to 1.
    pub probability: f64,
}

/// What the levels of a column weigh.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnWeights {
    /// The column.
    pub column: String,
    /// Its levels, those that may occur.
    pub levels: Vec<LevelWeight>,
}

/// What one level of a column weighs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LevelWeight {
    /// The level.
    pub level: Level,
    /// The level in words.
    pub words: &'static str,
    /// For (or against) a match, in bits; a rare value adds to it.
    pub bits: f64,
    /// Its share among matches.
    pub among_matches: f64,
    /// Its share among other pairs.
    pub among_others: f64,
}

/// Why two records are held for one, or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// How likely they are one, from 0 to 1.
    pub probability: f64,
    /// The same in bits: where it starts, and all that the columns add.
    pub bits: f64,
    /// What stands against any two records before they are looked at.
    pub start: f64,
    /// Column by column.
    pub columns: Vec<Agreement>,
}

/// How far two records agree in one column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// The column.
    pub column: String,
    /// How far they agree.
    pub level: Level,
    /// The same in words.
    pub words: &'static str,
    /// What that weighs, in bits.
    pub bits: f64,
    /// What it adds that the value is rare (or takes away that it is common).
    pub rarity: f64,
}

impl Duplicates {
    /// How many records there are.
    pub fn records(&self) -> usize {
        self.names.keys.len()
    }

    /// How many of them were compared: those that follow a twin come after these.
    fn leading(&self) -> usize {
        self.names.keys.len() - self.names.followed.len()
    }

    /// The record with which this one goes, saying the same; none for one that was compared itself.
    pub fn follows(&self, record: u32) -> Option<u32> {
        let leader = self.leader(record);
        (leader != record).then_some(leader)
    }

    /// The compared record that says what this one says.
    fn leader(&self, record: u32) -> u32 {
        let behind = (record as usize).checked_sub(self.leading());
        behind.and_then(|at| self.names.followed.get(at)).copied().unwrap_or(record)
    }

    /// How many pairs were looked at.
    pub fn compared(&self) -> usize {
        self.compared
    }

    /// The columns that were compared: those that say again what another says are left out.
    pub fn columns(&self) -> Vec<(&str, FieldKind)> {
        self.fields.columns.iter().map(|c| (c.name.as_str(), c.kind)).collect()
    }

    /// Where a record stands in its source, as its reader says (line number, rowid, ordinal).
    pub fn row(&self, record: u32) -> u64 {
        self.names.rows[record as usize]
    }

    /// Whether a record is of the second source.
    pub fn is_second(&self, record: u32) -> bool {
        self.names.second_from.is_some_and(|from| record as usize >= from)
    }

    /// The key of a record. It is a customer's value: only for what seals it.
    pub(crate) fn key(&self, record: u32) -> &str {
        &self.names.keys[record as usize]
    }

    /// The record of a key, in the first source or in the second.
    pub fn find(&self, key: &str, second: bool) -> Option<u32> {
        let (leading, all) = (self.leading(), self.records());
        let border = self.names.second_from.unwrap_or(leading);
        let seek = |from: usize, to: usize| {
            let at = self.names.keys[from..to].binary_search_by(|k| (**k).cmp(key)).ok()?;
            Some((from + at) as u32)
        };
        if second { seek(border, leading) } else { seek(0, border).or_else(|| seek(leading, all)) }
    }

    /// The groups of records that are one with at least this probability (inside 0 and 1).
    pub fn groups(&self, above: f64) -> Vec<Group> {
        let least = bits_of(above);
        let weigh = |a: u32, b: u32| self.bits(a, b);
        let clusters = match self.names.second_from {
            None => cluster::within(self.leading(), &self.edges, least, &weigh),
            Some(_) => cluster::between(&self.edges, least),
        };
        let sure = |cluster: &Cluster, record: u32| {
            let others = cluster.records.iter().filter(|other| **other != record);
            let bits: f64 = others.map(|other| self.bits(record, *other)).sum();
            (record, chance_of(bits / (cluster.records.len() - 1) as f64))
        };
        let mut following: HashMap<u32, Vec<u32>> = HashMap::new();
        for (at, leader) in self.names.followed.iter().enumerate() {
            following.entry(*leader).or_default().push((self.leading() + at) as u32);
        }
        let group = |c: &Cluster| {
            let mut records: Vec<(u32, f64)> = c.records.iter().map(|r| sure(c, *r)).collect();
            // Who says the same as one of them belongs here as surely as that one.
            for at in 0..c.records.len() {
                let (leader, sure) = records[at];
                records.extend(following.get(&leader).into_iter().flatten().map(|twin| (*twin, sure)));
            }
            records.sort_by(|(a, _), (b, _)| self.key(*a).cmp(self.key(*b)).then(a.cmp(b)));
            Group { records, probability: chance_of(c.bits) }
        };
        super::in_parallel(&clusters, group)
    }

    /// Pairs of at least the probability `from` whose records are in no group together; of two groups (or of a group and
    /// a record) only the likeliest. Between two sources, only records without a partner.
    pub fn review(&self, from: f64, groups: &[Group]) -> Vec<ReviewPair> {
        let mut of: HashMap<u32, u32> = HashMap::new();
        for group in groups {
            let first = group.records.first().map_or(0, |(record, _)| *record);
            of.extend(group.records.iter().map(|(record, _)| (*record, first)));
        }
        let between = self.names.second_from.is_some();
        let least = bits_of(from) as f32;
        let mut best: HashMap<(u32, u32), Edge> = HashMap::new();
        for edge in self.edges.iter().filter(|e| e.bits >= least) {
            let side = |record: u32| of.get(&record).copied();
            let taken = side(edge.a).is_some() || side(edge.b).is_some();
            let (x, y) = (side(edge.a).unwrap_or(edge.a), side(edge.b).unwrap_or(edge.b));
            if x == y || (between && taken) {
                continue;
            }
            let best = best.entry((x.min(y), x.max(y))).or_insert(*edge);
            if edge.bits > best.bits {
                *best = *edge;
            }
        }
        let pair = |e: Edge| ReviewPair { records: (e.a, e.b), probability: chance_of(f64::from(e.bits)) };
        let mut pairs: Vec<ReviewPair> = best.into_values().map(pair).collect();
        // Who says the same as another and is in no group with it.
        for (at, leader) in self.names.followed.iter().enumerate() {
            let twin = (self.leading() + at) as u32;
            let bits = self.bits(*leader, *leader);
            if !of.contains_key(&twin) && bits as f32 >= least {
                pairs.push(ReviewPair { records: (*leader, twin), probability: chance_of(bits) });
            }
        }
        pairs.sort_by(|x, y| y.probability.total_cmp(&x.probability).then(x.records.cmp(&y.records)));
        pairs
    }

    /// What the columns weigh.
    pub fn weights(&self) -> Vec<ColumnWeights> {
        let columns = self.fields.columns.iter().enumerate();
        let weights = columns.map(|(at, column)| {
            let level = |bits: usize| {
                let level = Level::from_bits(bits as u64);
                let (m, u) = (self.model.m[at][bits], self.model.u[at][bits]);
                let words = level.words(column.kind);
                LevelWeight { level, words, bits: (m / u).log2(), among_matches: m, among_others: u }
            };
            let levels = (1..LEVELS)
                .filter(|l| Level::from_bits(*l as u64).occurs(column.kind, column.partner.is_some()));
            ColumnWeights { column: column.name.clone(), levels: levels.map(level).collect() }
        });
        weights.collect()
    }

    /// Why two records are held for one, or not.
    pub fn explain(&self, a: u32, b: u32) -> Explanation {
        let (a, b) = (self.leader(a), self.leader(b));
        let (a, b) = (a.min(b) as usize, a.max(b) as usize);
        let pattern = Comparer { fields: &self.fields }.pattern(a, b);
        let columns = self.fields.columns.iter().enumerate().map(|(at, column)| {
            let level = level_at(pattern, at);
            Agreement {
                column: column.name.clone(),
                level,
                words: level.words(column.kind),
                bits: self.model.level_bits(pattern, at),
                rarity: self.model.rarity_bits(&self.fields, at, a, b, pattern),
            }
        });
        let bits = self.bits(a as u32, b as u32);
        Explanation {
            probability: chance_of(bits),
            bits,
            start: self.model.prior,
            columns: columns.collect(),
        }
    }

    /// The bits for two records being one.
    fn bits(&self, a: u32, b: u32) -> f64 {
        let (a, b) = (a.min(b) as usize, a.max(b) as usize);
        let pattern = Comparer { fields: &self.fields }.pattern(a, b);
        self.model.pair_bits(&self.fields, a, b, pattern)
    }
}

/// A probability as bits; 0 and 1 as far out as matters.
fn bits_of(probability: f64) -> f64 {
    let probability = probability.clamp(1e-9, 1.0 - 1e-9);
    (probability / (1.0 - probability)).log2()
}
