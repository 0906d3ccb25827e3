//! Which pairs are looked at. All pairs of a million records are five hundred thousand million, so a pair has to share a
//! key, or two keys of different columns (a *rule*). Which rules are worth their pairs is found from the data: a pilot
//! of every affordable rule over a sample of its blocks is scored, and rules are taken by what they add to the likely
//! matches for each pair that they cost, until nothing is added or the budget is spent. After "dynamic record blocking"
//! (McNeill, Kardes and Borthwick 2012) for joining keys where one is too common, and after the set cover of Bilenko,
//! Kamath and Mooney (2006) for the choice; the likely matches stand in for labels.

use super::intern::mix;
use super::keys::{Keys, keys};
use super::values::Fields;

/// A block of more records than this is skipped: its key says too little.
const BLOCK_MOST: usize = 400;
/// Records' keys of a rule that are looked at to size it.
const SIZING_RECORDS: usize = 1 << 15;
/// Pairs of the pilot, over all rules.
const PILOT_PAIRS: usize = 400_000;
/// Cheap rules that the pilot gave no reason for are taken as well while they make no more keys than this together.
const SPARE_KEYS: usize = 8_000_000;

/// A key, or two together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    first: usize,
    second: Option<usize>,
}

/// A rule and what it costs.
struct Sized {
    rule: Rule,
    /// Pairs, estimated.
    pairs: f64,
    /// Pairs of the sampled blocks.
    pilot: Vec<u64>,
}

/// Makes pairs of records: of one source, or (`second_from`) between records before and from that place.
pub(super) struct Blocking {
    keys: Vec<Keys>,
    records: usize,
    second_from: Option<usize>,
}

/// A pair as one number, the lower record first.
fn pack(a: u32, b: u32) -> u64 {
    (u64::from(a.min(b)) << 32) | u64::from(a.max(b))
}

/// A key and the record that has it, the key above.
fn entry(key: u32, record: usize) -> u64 {
    (u64::from(key) << 32) | record as u64
}

/// A key by itself as a rule.
fn spread(key: u32) -> u32 {
    mix(u64::from(key)) as u32
}

/// Two keys as one.
fn join(x: u32, y: u32) -> u32 {
    mix((u64::from(x) << 32) | u64::from(y)) as u32
}

/// By which ways two records share a key, and by which two of them; a bit for each of [`super::keys::WAYS_MOST`].
#[derive(Clone, Copy)]
struct Shared {
    once: u128,
    twice: u128,
}

impl Shared {
    fn reaches(self, rule: Rule) -> bool {
        let has = |ways: u128, way: usize| ways & (1 << way) != 0;
        match rule.second {
            Some(second) if second == rule.first => has(self.twice, second),
            Some(second) => has(self.once, rule.first) && has(self.once, second),
            None => has(self.once, rule.first),
        }
    }
}

/// The records of a pair.
pub(super) fn unpack(pair: u64) -> (usize, usize) {
    ((pair >> 32) as usize, (pair & 0xffff_ffff) as usize)
}

/// All pairs there are.
pub(super) fn all(records: usize, second_from: Option<usize>) -> f64 {
    let n = records as f64;
    match second_from {
        None => n * (n - 1.0) / 2.0,
        Some(from) => from as f64 * (n - from as f64),
    }
}

/// Every pair, for few records.
pub(super) fn every(records: usize, second_from: Option<usize>) -> Vec<u64> {
    let n = records as u32;
    let left = second_from.map_or(n, |from| from as u32);
    let right = |a: u32| second_from.map_or(a + 1, |from| from as u32);
    (0..left).flat_map(|a| (right(a)..n).map(move |b| pack(a, b))).collect()
}

impl Blocking {
    pub(super) fn new(fields: &Fields, records: usize, second_from: Option<usize>) -> Self {
        Self { keys: keys(fields, records), records, second_from }
    }

    /// The pairs worth looking at, sorted, at most about `budget`. `likely` tells which of the pilot's pairs are likely
    /// matches.
    pub(super) fn pairs(&self, budget: usize, likely: impl FnOnce(&[u64]) -> Vec<bool>) -> Vec<u64> {
        let sized = self.size(budget);
        let mut pilot: Vec<u64> = sized.iter().flat_map(|s| s.pilot.iter().copied()).collect();
        pilot.sort_unstable();
        pilot.dedup();
        let likely = likely(&pilot);
        let found: Vec<u64> = pilot.iter().zip(likely).filter(|(_, l)| *l).map(|(p, _)| *p).collect();
        drop(pilot);
        let rules = self.choose(&sized, &found, budget);
        drop(sized);
        let each = super::in_parallel(&rules, |rule| {
            let mut pairs = self.emit(self.entries(*rule, 0), usize::MAX).1;
            pairs.sort_unstable();
            pairs.dedup();
            pairs
        });
        let mut pairs = Vec::with_capacity(each.iter().map(Vec::len).sum());
        for some in each {
            pairs.extend(some);
        }
        // Sorted runs: a stable sort merges them.
        pairs.sort();
        pairs.dedup();
        pairs
    }

    /// Every rule: the way whose keys are narrower first.
    fn rules(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        for first in 0..self.keys.len() {
            rules.push(Rule { first, second: None });
            for second in first..self.keys.len() {
                let (x, y) = (&self.keys[first], &self.keys[second]);
                if first == second && x.many {
                    rules.push(Rule { first, second: Some(second) });
                } else if x.about != y.about {
                    let (first, second) = if x.crowd <= y.crowd { (first, second) } else { (second, first) };
                    rules.push(Rule { first, second: Some(second) });
                }
            }
        }
        rules
    }

    /// Sizes every rule by a sample of its blocks. Rules that cost more than the whole budget are left out.
    fn size(&self, budget: usize) -> Vec<Sized> {
        let rules = self.rules();
        // One block in 2^skip.
        let skip = (self.records as f64 / SIZING_RECORDS as f64).log2().ceil().max(0.0) as u32;
        let mask = (1_u32 << skip) - 1;
        let quota = PILOT_PAIRS / rules.len().max(1);
        let sampled = super::in_parallel(&self.keys, |keys| self.sample(keys, mask));
        let sized = super::in_parallel(&rules, |rule| {
            let (pairs, pilot) = self.emit(self.sampled(*rule, &sampled[rule.first], mask), quota);
            Sized { rule: *rule, pairs: pairs * f64::from(1_u32 << skip), pilot }
        });
        sized.into_iter().filter(|s| s.pairs > 0.0 && s.pairs <= budget as f64).collect()
    }

    /// The keys of one way that `mask` leaves in, each with its record: what all rules that begin with that way look at.
    fn sample(&self, keys: &Keys, mask: u32) -> Vec<(u32, u32)> {
        let of = |record: usize| keys.of(record).iter().map(move |key| (*key, record as u32));
        (0..self.records).flat_map(of).filter(|(key, _)| spread(*key) & mask == 0).collect()
    }

    /// The entries of a rule, of the keys of its first way that are in the sample.
    fn sampled(&self, rule: Rule, sample: &[(u32, u32)], mask: u32) -> Vec<u64> {
        let one = |(key, record): &(u32, u32)| entry(spread(*key), *record as usize);
        match rule.second {
            None => sample.iter().map(one).collect(),
            // Of two keys of one way the lower one counts, which may be any of them.
            Some(second) if second == rule.first => self.entries(rule, mask),
            Some(second) => {
                let keys = &self.keys[second];
                let join = |(x, record): &(u32, u32)| {
                    let (x, record) = (*x, *record as usize);
                    keys.of(record).iter().map(move |y| entry(join(x, *y), record))
                };
                sample.iter().flat_map(join).collect()
            }
        }
    }

    /// Rules that together reach the likely matches twice, those first that cost least for what they add. Twice, because
    /// the pilot saw only matches that its own rules reach: one that a second rule reaches as well is rarely alone.
    fn choose(&self, sized: &[Sized], found: &[u64], budget: usize) -> Vec<Rule> {
        // For each rule the likely matches that share its key, as places in `found`.
        let pieces: Vec<&[u64]> = found.chunks(1 << 12).collect();
        let shared: Vec<Shared> =
            super::in_parallel(&pieces, |piece| piece.iter().map(|p| self.shared(*p)).collect::<Vec<_>>())
                .concat();
        let reach = super::in_parallel(sized, |one| {
            let reached = shared.iter().enumerate().filter(|(_, shared)| shared.reaches(one.rule));
            reached.map(|(at, _)| at as u32).collect::<Vec<u32>>()
        });
        // To make and sort the keys costs as well.
        let keys = self.records as f64 * 0.05;
        let worth = |at: usize, gain: usize| gain as f64 / (sized[at].pairs + keys);
        let mut missing = vec![2_u8; found.len()];
        let (mut spent, mut chosen) = (0.0, Vec::new());
        // What each adds at most: what it added when last looked at, for it never adds more later.
        let mut open: Vec<(usize, usize)> = reach.iter().map(Vec::len).enumerate().collect();
        loop {
            let best = open
                .iter()
                .enumerate()
                .max_by(|(_, x), (_, y)| worth(x.0, x.1).total_cmp(&worth(y.0, y.1)).then(y.0.cmp(&x.0)));
            let Some((place, (at, gain))) = best.map(|(place, open)| (place, *open)) else { break };
            if gain == 0 {
                break;
            }
            let now = reach[at].iter().filter(|f| missing[**f as usize] > 0).count();
            if now < gain {
                open[place].1 = now;
                continue;
            }
            open.remove(place);
            if spent + sized[at].pairs <= budget as f64 {
                spent += sized[at].pairs;
                chosen.push(sized[at].rule);
                reach[at].iter().for_each(|f| missing[*f as usize] = missing[*f as usize].saturating_sub(1));
            }
        }
        // What the budget still allows, the cheapest first: for those that the pilot could not tell.
        open.sort_by(|x, y| sized[x.0].pairs.total_cmp(&sized[y.0].pairs).then(x.0.cmp(&y.0)));
        let affordable = SPARE_KEYS / self.records.max(1);
        for (at, _) in open.into_iter().take(affordable) {
            if sized[at].pairs > self.records as f64 || spent + sized[at].pairs > budget as f64 {
                break;
            }
            spent += sized[at].pairs;
            chosen.push(sized[at].rule);
        }
        chosen
    }

    /// The ways by which two records share keys. By any rule of these ways they share one, which saves making the keys
    /// of each rule.
    fn shared(&self, pair: u64) -> Shared {
        let (a, b) = unpack(pair);
        let mut shared = Shared { once: 0, twice: 0 };
        for (way, keys) in self.keys.iter().enumerate() {
            let others = keys.of(b);
            match keys.of(a).iter().filter(|key| others.contains(key)).take(2).count() {
                0 => {}
                1 => shared.once |= 1 << way,
                _ => {
                    shared.once |= 1 << way;
                    shared.twice |= 1 << way;
                }
            }
        }
        shared
    }

    /// The keys of a record by a rule, without those that `mask` leaves out.
    fn make(&self, rule: Rule, record: usize, mask: u32, out: &mut Vec<u32>) {
        let firsts = self.keys[rule.first].of(record);
        match rule.second {
            None => out.extend(firsts.iter().map(|key| spread(*key)).filter(|key| key & mask == 0)),
            Some(second) if second == rule.first => {
                for (at, x) in firsts.iter().enumerate() {
                    for y in &firsts[at + 1..] {
                        let (x, y) = (*x.min(y), *x.max(y));
                        if spread(x) & mask == 0 {
                            out.push(join(x, y));
                        }
                    }
                }
            }
            Some(second) => {
                for x in firsts.iter().filter(|x| spread(**x) & mask == 0) {
                    out.extend(self.keys[second].of(record).iter().map(|y| join(*x, *y)));
                }
            }
        }
    }

    /// Every record's keys by a rule, without those that `mask` leaves out.
    fn entries(&self, rule: Rule, mask: u32) -> Vec<u64> {
        let (mut entries, mut keys) = (Vec::new(), Vec::new());
        for record in 0..self.records {
            keys.clear();
            self.make(rule, record, mask, &mut keys);
            entries.extend(keys.iter().map(|key| entry(*key, record)));
        }
        entries
    }

    /// The number of pairs of the blocks that entries form, and the pairs, at most about `most`.
    fn emit(&self, mut entries: Vec<u64>, most: usize) -> (f64, Vec<u64>) {
        entries.sort_unstable();
        let record = |entry: &u64| *entry as u32;
        let (mut count, mut pairs) = (0.0, Vec::new());
        for block in entries.chunk_by(|x, y| x >> 32 == y >> 32) {
            if block.len() < 2 || block.len() > BLOCK_MOST {
                continue;
            }
            // Between two sources: the records of the second come last.
            let border = self.second_from.map(|from| block.partition_point(|e| (record(e) as usize) < from));
            count += match border {
                None => (block.len() * (block.len() - 1) / 2) as f64,
                Some(border) => (border * (block.len() - border)) as f64,
            };
            if pairs.len() >= most {
                continue;
            }
            for (at, a) in block.iter().enumerate().take(border.unwrap_or(block.len())) {
                let others = &block[border.unwrap_or(at + 1)..];
                pairs.extend(others.iter().map(|b| pack(record(a), record(b))).filter(|p| {
                    // Two keys of one record may fall together.
                    let (a, b) = unpack(*p);
                    a != b
                }));
            }
        }
        (count, pairs)
    }
}
