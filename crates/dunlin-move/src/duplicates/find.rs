//! Which rows of a table stand for one: the columns of `match` and those that say who somebody is, brought to the linkage
//! of `dunlin-quality`; what it finds, held against the plan's `match` lines and against what people have decided.
//!
//! A line of `match` is what must agree before rows are merged by themselves: in each of its columns they are the same, a
//! slip apart, or one is part of the other. How sure that makes it, is told by all compared columns together. Not here:
//! which of the rows stays ([`super::survivor`]).

use std::collections::{BinaryHeap, HashMap, HashSet};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::compute::filter;
use arrow::datatypes::DataType;
use dunlin_connect::{ColumnType, array_to_text};
use dunlin_plan::{Class, Kind};
use dunlin_quality::{Duplicates, FieldKind, Group, Level, Records, detect};
use dunlin_store::{DuplicatePair, PairDecision, PairEvidence, Verdict};

use super::Among;
use super::rows::{Name, RowsOf, key_texts};
use crate::pipeline::Pipeline;
use crate::remap::engine;
use crate::spec::{TableSpec, Value};
use crate::{MoveError, Result};

/// Values that tell how a column is compared.
const SAMPLE: usize = 500;

/// Rows that are one, in no particular order.
pub(crate) struct Cluster {
    pub(crate) members: Vec<Name>,
    /// How sure the weakest join is, from 0 to 1; 1 where a person said so.
    pub(crate) probability: f64,
}

/// What was found.
#[derive(Default)]
pub(crate) struct Looked {
    pub(crate) clusters: Vec<Cluster>,
    /// Pairs for a person.
    pub(crate) pairs: Vec<DuplicatePair>,
}

impl Looked {
    /// Takes rows out whose customer was erased; where all rows of a cluster are such rows it stays, and goes as a whole.
    pub(crate) fn without(&mut self, erased: &HashSet<Name>) {
        self.clusters.retain_mut(|cluster| {
            if !cluster.members.iter().all(|name| erased.contains(name)) {
                cluster.members.retain(|name| !erased.contains(name));
            }
            cluster.members.len() > 1
        });
        self.pairs.retain(|pair| !erased.contains(&pair.rows.0) && !erased.contains(&pair.rows.1));
    }
}

/// The lines of `match`, each the names of target columns.
pub(crate) fn lines(spec: &[String]) -> Vec<Vec<String>> {
    spec.iter().map(|line| line.split('+').map(|c| c.trim().trim_matches('"').to_owned()).collect()).collect()
}

/// The mapped columns that are compared: those of `match`, then those whose kind in the plan says who somebody is.
pub(crate) fn compared(spec: &TableSpec) -> Vec<usize> {
    let Some(plan) = &spec.plan.duplicates else { return Vec::new() };
    let place = |name: &String| spec.mapping.columns.iter().position(|m| m.target == *name);
    let mut places: Vec<usize> = lines(&plan.match_).iter().flatten().filter_map(place).collect();
    let telling = spec.mapping.columns.iter().enumerate().filter(|(place, column)| {
        !spec.key.contains(place)
            && !matches!(column.value, Value::Later)
            && column.kind.is_some_and(tells_who)
    });
    places.extend(telling.map(|(place, _)| place));
    let mut seen = HashSet::new();
    places.retain(|place| seen.insert(*place));
    places.truncate(Records::COLUMNS_MOST);
    places
}

/// Whether a kind tells who somebody is. What is sensitive is compared only where `match` names it.
fn tells_who(kind: Kind) -> bool {
    kind.class() == Class::Personal
        && !matches!(kind.as_str(), "free_text" | "ip_address" | "mac_address" | "url")
}

/// The compared values of a table's rows as they arrive: those that move, then those that stood in the target before.
#[derive(Default)]
struct Collected {
    names: Vec<Name>,
    keys: Vec<String>,
    /// Batch by batch, column by column.
    values: Vec<Vec<StringArray>>,
    sample: Sample,
    /// The names of the rows that stood in the target before.
    there: HashSet<Name>,
}

/// The rows with the lowest hashes of their keys: a choice that depends neither on the order of rows nor on a key.
#[derive(Default)]
struct Sample {
    rows: BinaryHeap<([u8; 16], Vec<Option<String>>)>,
}

impl Sample {
    fn offer(&mut self, key: &str, values: impl FnOnce() -> Vec<Option<String>>) {
        let mut hash = [0u8; 16];
        hash.copy_from_slice(&blake3::hash(key.as_bytes()).as_bytes()[..16]);
        if self.rows.len() >= SAMPLE {
            if self.rows.peek().is_some_and(|(most, _)| *most <= hash) {
                return;
            }
            self.rows.pop();
        }
        self.rows.push((hash, values()));
    }

    fn column(&self, at: usize) -> Vec<&str> {
        self.rows.iter().filter_map(|(_, values)| values[at].as_deref()).collect()
    }
}

/// Looks through the rows of a table.
pub(crate) async fn look(among: &Among, decisions: &[PairDecision]) -> Result<Looked> {
    let spec = &among.pipeline.spec;
    let Some(plan) = &spec.plan.duplicates else { return Ok(Looked::default()) };
    let places = compared(spec);
    let collected = collect(among, &places).await?;
    if collected.names.len() >= u32::MAX as usize {
        return Err(MoveError::Refused {
            code: "too-many-rows",
            message: format!("{} has more rows than can be compared for duplicates", spec.label),
            help: "take `[table.duplicates]` out, and merge a part of the table at a time".to_owned(),
        });
    }
    let columns: Vec<(String, FieldKind)> = places
        .iter()
        .enumerate()
        .map(|(at, place)| {
            let column = &spec.mapping.columns[*place];
            let sample = collected.sample.column(at);
            // A token has no kind: it is the same or it is not.
            let hidden = among.there.is_some() && column.protect.is_some();
            let told = column.kind.filter(|_| !hidden).map(|k| k.as_str().to_owned());
            let kind = told.or_else(|| detect(&column.target, &ColumnType::TEXT, &sample).map(|g| g.kind));
            (column.target.clone(), FieldKind::of(kind.as_deref(), &sample))
        })
        .collect();
    let asked = Asked {
        lines: lines(&plan.match_),
        above: plan.above,
        review: plan.review,
        decisions: decisions.to_vec(),
        between: !plan.within_source(),
    };
    // It takes all processors for a while.
    let found = tokio::task::spawn_blocking(move || asked.answer(collected, &columns)).await;
    found.map_err(|_| MoveError::Engine { act: "look for duplicates".to_owned(), code: "panic".to_owned() })
}

async fn collect(among: &Among, places: &[usize]) -> Result<Collected> {
    let Among { pipeline, splits, there } = among;
    let spec = &pipeline.spec;
    let mut collected = Collected::default();
    // In the clear where only rows that move are compared; of rows in the target nobody knows what is hidden.
    let shown: Vec<usize> = match there {
        None => places.iter().copied().filter(|p| spec.mapping.columns[*p].protect.is_some()).collect(),
        Some(_) => Vec::new(),
    };
    let pipeline = Pipeline { shown: shown.clone().into(), ..pipeline.clone() };
    let mut seen: HashMap<Name, bool> = HashMap::new();
    pipeline
        .for_each(splits, |batch| {
            let rows = RowsOf::batch(&pipeline.key, spec, batch)?;
            let Some(rows) = rows else { return Ok(()) };
            let values: Vec<StringArray> = places
                .iter()
                .map(|place| match shown.iter().position(|s| s == place) {
                    // In the clear: a token tells only whether values are equal.
                    Some(at) => rows.pick(batch.column(rows.shown_from + at)).map(|a| as_text(&a)),
                    None => Ok(as_text(rows.mapped.column(*place))),
                })
                .collect::<Result<_>>()?;
            rows.names.iter().for_each(|name| {
                seen.entry(*name).and_modify(|twice| *twice = true).or_insert(false);
            });
            collected.add(rows.names, key_texts(spec, &rows.mapped), values);
            Ok(())
        })
        .await?;
    if let Some(there) = there {
        there
            .for_each(|names, rows| {
                let values = places.iter().map(|place| as_text(rows.column(*place))).collect();
                names.iter().for_each(|name| {
                    seen.entry(*name).and_modify(|twice| *twice = true).or_insert(false);
                });
                collected.there.extend(names.iter().copied());
                collected.add(names.to_vec(), key_texts(spec, rows), values);
                Ok(())
            })
            .await?;
    }
    collected.only_once(&seen)?;
    Ok(collected)
}

impl Collected {
    fn add(&mut self, names: Vec<Name>, keys: Vec<String>, values: Vec<StringArray>) {
        for (row, key) in keys.iter().enumerate() {
            let of_row = || values.iter().map(|v| v.is_valid(row).then(|| v.value(row).to_owned())).collect();
            self.sample.offer(key, of_row);
        }
        self.names.extend(names);
        self.keys.extend(keys);
        self.values.push(values);
    }

    /// Leaves out rows that share their key with others: nothing could tell them apart afterwards.
    fn only_once(&mut self, seen: &HashMap<Name, bool>) -> Result<()> {
        if !seen.values().any(|twice| *twice) {
            return Ok(());
        }
        let once: Vec<bool> = self.names.iter().map(|n| seen.get(n) == Some(&false)).collect();
        let mut from = 0;
        for batch in &mut self.values {
            let rows = batch.first().map_or(0, Array::len);
            let mask = BooleanArray::from(once[from..from + rows].to_vec());
            from += rows;
            for column in batch {
                let kept = filter(column, &mask).map_err(|_| engine("compare rows"))?;
                *column = kept.as_string::<i32>().clone();
            }
        }
        let mut keep = once.iter();
        self.names.retain(|_| keep.next() == Some(&true));
        let mut keep = once.iter();
        self.keys.retain(|_| keep.next() == Some(&true));
        Ok(())
    }
}

fn as_text(column: &ArrayRef) -> StringArray {
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().clone(),
        _ => StringArray::from(array_to_text(column, &ColumnType::TEXT)),
    }
}

/// What the plan and people ask of the linkage.
struct Asked {
    lines: Vec<Vec<String>>,
    above: f64,
    review: f64,
    decisions: Vec<PairDecision>,
    /// Only between rows that move and rows that stood in the target before.
    between: bool,
}

impl Asked {
    fn answer(self, collected: Collected, columns: &[(String, FieldKind)]) -> Looked {
        let Collected { names, keys, values, there, .. } = collected;
        let mut records = Records::new(columns);
        // A record's place among the rows is how it is known afterwards: linking puts records into an order of its own.
        let numbered = || keys.iter().enumerate().map(|(row, key)| (key.as_str(), row as u64));
        let moving = names.iter().take_while(|name| !there.contains(*name)).count();
        records.push_keys(numbered().take(moving));
        if self.between {
            records.second_source();
        }
        records.push_keys(numbered().skip(moving));
        drop(keys);
        for batch in values {
            for (at, column) in batch.iter().enumerate() {
                records.push_values(at, column.iter());
            }
        }
        let found = records.link();
        let name = |record: u32| names[found.row(record) as usize];
        let of_name: HashMap<Name, u32> = match self.decisions.is_empty() {
            true => HashMap::new(),
            false => (0..found.records() as u32).map(|record| (name(record), record)).collect(),
        };
        let groups = self.groups(&found, &of_name);
        let pair = |p: &dunlin_quality::ReviewPair| {
            let (a, b) = (name(p.records.0), name(p.records.1));
            let evidence = evidence(&found, p.records.0, p.records.1).1;
            DuplicatePair { pair: pair_id(a, b), rows: (a, b), probability: p.probability, evidence }
        };
        let pairs = found.review(self.review.clamp(1e-6, 1.0 - 1e-6), &groups);
        let pairs = pairs.iter().filter(|p| self.speaks(&found, p.records));
        let mut pairs: Vec<DuplicatePair> = pairs.map(pair).collect();
        // A decided pair stays known with what the linkage says of it, so that the decision can be taken back.
        let known: HashSet<String> = pairs.iter().map(|p| p.pair.clone()).collect();
        for decision in self.decisions.iter().filter(|d| !known.contains(&d.pair)) {
            if let (Some(a), Some(b)) = (of_name.get(&decision.rows.0), of_name.get(&decision.rows.1)) {
                let (pair, rows) = (decision.pair.clone(), decision.rows);
                let (probability, evidence) = evidence(&found, *a, *b);
                pairs.push(DuplicatePair { pair, rows, probability, evidence });
            }
        }
        let cluster = |group: &Group| Cluster {
            members: group.records.iter().map(|(record, _)| name(*record)).collect(),
            probability: group.probability,
        };
        // Two rows that stood in the target before are nobody's to merge.
        pairs.retain(|pair| !(there.contains(&pair.rows.0) && there.contains(&pair.rows.1)));
        Looked { clusters: groups.iter().map(cluster).collect(), pairs }
    }

    /// The groups that are merged: those the linkage is sure of, as far as lines of `match` speak for them, with what
    /// people said put in.
    fn groups(&self, found: &Duplicates, of_name: &HashMap<Name, u32>) -> Vec<Group> {
        let record = |name: &Name| of_name.get(name).copied();
        let said = |verdict: Verdict| {
            let said = self.decisions.iter().filter(move |d| d.verdict == verdict);
            said.filter_map(|d| Some((record(&d.rows.0)?, record(&d.rows.1)?))).collect::<Vec<_>>()
        };
        let mut joins: Vec<(u32, u32, f64)> =
            said(Verdict::Merge).into_iter().map(|(a, b)| (a, b, 1.0)).collect();
        let apart = said(Verdict::Keep);
        for group in found.groups(self.above.clamp(1e-6, 1.0 - 1e-6)) {
            // Of thousands of rows that say the same, a few were compared, and the others go with one of these.
            let (leading, following): (Vec<u32>, Vec<u32>) =
                group.records.iter().map(|(record, _)| *record).partition(|r| found.follows(*r).is_none());
            let with = following.into_iter().filter_map(|r| Some((found.follows(r)?, r)));
            let each =
                leading.iter().enumerate().flat_map(|(at, a)| leading[at + 1..].iter().map(|b| (*a, *b)));
            let spoken = each.chain(with).filter(|pair| self.speaks(found, *pair));
            joins.extend(spoken.map(|(a, b)| (a, b, group.probability)));
        }
        let mut sets = Sets::default();
        for (a, b, probability) in joins {
            sets.join(a, b, probability, &apart);
        }
        sets.groups()
    }

    /// Whether a line of `match` speaks for two records: in each of its columns they agree closely.
    fn speaks(&self, found: &Duplicates, (a, b): (u32, u32)) -> bool {
        let explained = found.explain(a, b);
        let agrees = |column: &String| {
            let told = explained.columns.iter().find(|c| c.column == *column);
            told.is_some_and(|c| c.level != Level::Missing && c.level <= Level::Crossed)
        };
        self.lines.iter().any(|line| line.iter().all(agrees))
    }
}

/// How likely two records are one, and what each column says of it. Only levels and weights: no value can be told from
/// them beyond whether two agree, so weights are rounded, for how rare a value is adds to them.
fn evidence(found: &Duplicates, a: u32, b: u32) -> (f64, Vec<PairEvidence>) {
    let explained = found.explain(a, b);
    let columns = explained.columns.into_iter().map(|agreement| PairEvidence {
        column: agreement.column,
        level: agreement.level.code().to_owned(),
        bits: ((agreement.bits + agreement.rarity).clamp(-99.0, 99.0) * 10.0).round() / 10.0,
    });
    (explained.probability, columns.collect())
}

/// Records that were joined, each set by its lowest record.
#[derive(Default)]
struct Sets {
    of: HashMap<u32, u32>,
    members: HashMap<u32, (Vec<u32>, f64)>,
}

impl Sets {
    /// Joins the sets of two records, unless that would bring two together that a person keeps apart.
    fn join(&mut self, a: u32, b: u32, probability: f64, apart: &[(u32, u32)]) {
        let root = |sets: &Self, record: u32| sets.of.get(&record).copied().unwrap_or(record);
        let (x, y) = (root(self, a), root(self, b));
        if x == y {
            return;
        }
        let meets = |(p, q): &(u32, u32)| {
            let (p, q) = (root(self, *p), root(self, *q));
            (p, q) == (x, y) || (p, q) == (y, x)
        };
        if apart.iter().any(meets) {
            return;
        }
        let (to, from) = (x.min(y), x.max(y));
        let (moved, p) = self.members.remove(&from).unwrap_or_else(|| (vec![from], 1.0));
        for record in &moved {
            self.of.insert(*record, to);
        }
        let (members, least) = self.members.entry(to).or_insert_with(|| (vec![to], 1.0));
        members.extend(moved);
        *least = least.min(p).min(probability);
    }

    fn groups(self) -> Vec<Group> {
        let mut groups: Vec<Group> = self
            .members
            .into_values()
            .map(|(mut records, probability)| {
                records.sort_unstable();
                Group { records: records.into_iter().map(|r| (r, probability)).collect(), probability }
            })
            .collect();
        groups.sort_by_key(|g| g.records.first().map(|(record, _)| *record));
        groups
    }
}

/// What people call a pair: a hash of both names, hex.
pub(crate) fn pair_id(a: Name, b: Name) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&a.min(b));
    hasher.update(&a.max(b));
    hex::encode(&hasher.finalize().as_bytes()[..8])
}
