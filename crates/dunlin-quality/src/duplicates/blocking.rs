//! Which pairs are looked at. All pairs of a million records are five hundred thousand million, so a pair has to share a
//! key, or two keys of different columns (a *rule*). Which rules are worth their pairs is found from the data: a pilot
//! of every affordable rule over a sample of its blocks is scored, and rules are taken by what they add to the likely
//! matches for each pair that they cost, until nothing is added or the budget is spent. After "dynamic record blocking"
//! (McNeill, Kardes and Borthwick 2012) for joining keys where one is too common, and after the set cover of Bilenko,
//! Kamath and Mooney (2006) for the choice; the likely matches stand in for labels.

use super::intern::mix;
use super::keys::{KeyMaker, makers};
use super::values::Fields;

/// A block of more records than this is skipped: its key says too little.
const BLOCK_MOST: usize = 400;
/// Keys of a rule that are looked at to size it.
const SIZING_ENTRIES: usize = 1 << 18;
/// Pairs of the pilot, over all rules.
const PILOT_PAIRS: usize = 1_500_000;

/// A key, or two together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
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
pub(super) struct Blocking<'a> {
    fields: &'a Fields,
    makers: Vec<KeyMaker>,
    records: usize,
    second_from: Option<usize>,
}

/// A pair as one number, the lower record first.
pub(super) fn pack(a: u32, b: u32) -> u64 {
    (u64::from(a.min(b)) << 32) | u64::from(a.max(b))
}

/// The records of a pair.
pub(super) fn unpack(pair: u64) -> (usize, usize) {
    ((pair >> 32) as usize, (pair & 0xffff_ffff) as usize)
}

impl<'a> Blocking<'a> {
    pub(super) fn new(fields: &'a Fields, records: usize, second_from: Option<usize>) -> Self {
        Self { fields, makers: makers(fields), records, second_from }
    }

    /// All pairs there are.
    pub(super) fn all(&self) -> f64 {
        let n = self.records as f64;
        match self.second_from {
            None => n * (n - 1.0) / 2.0,
            Some(from) => from as f64 * (n - from as f64),
        }
    }

    /// Every pair, for few records.
    pub(super) fn every(&self) -> Vec<u64> {
        let n = self.records as u32;
        match self.second_from {
            None => (0..n).flat_map(|a| (a + 1..n).map(move |b| pack(a, b))).collect(),
            Some(from) => {
                let from = from as u32;
                (0..from).flat_map(|a| (from..n).map(move |b| pack(a, b))).collect()
            }
        }
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
        let each = super::in_parallel(&rules, |rule| self.emit(*rule, 0, usize::MAX).1);
        let mut pairs = Vec::with_capacity(each.iter().map(Vec::len).sum());
        for some in each {
            pairs.extend(some);
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// Sizes every rule by a sample of its blocks. Rules that cost more than the whole budget are left out.
    fn size(&self, budget: usize) -> Vec<Sized> {
        let mut rules = Vec::new();
        for first in 0..self.makers.len() {
            rules.push(Rule { first, second: None });
            for second in first..self.makers.len() {
                let apart = self.makers[first].about != self.makers[second].about;
                if apart || (first == second && self.makers[first].many) {
                    rules.push(Rule { first, second: Some(second) });
                }
            }
        }
        // One block in 2^skip.
        let skip = (self.records.div_ceil(SIZING_ENTRIES) as f64).log2().ceil() as u32;
        let quota = PILOT_PAIRS / rules.len().max(1);
        let sized = super::in_parallel(&rules, |rule| {
            let (pairs, pilot) = self.emit(*rule, skip, quota);
            Sized { rule: *rule, pairs: pairs * f64::from(1 << skip), pilot }
        });
        sized.into_iter().filter(|s| s.pairs > 0.0 && s.pairs <= budget as f64).collect()
    }

    /// Rules that together reach the likely matches, the cheapest gains first.
    fn choose(&self, sized: &[Sized], found: &[u64], budget: usize) -> Vec<Rule> {
        // For each rule the likely matches that share its key, as a set of places in `found`.
        let all: Vec<usize> = (0..sized.len()).collect();
        let reach = super::in_parallel(&all, |at| self.reached(sized[*at].rule, found));
        let mut missing = vec![true; found.len()];
        let (mut left, mut spent, mut chosen) = (found.len(), 0.0, Vec::new());
        let mut open: Vec<usize> = (0..sized.len()).collect();
        loop {
            let gain = |at: usize| reach[at].iter().filter(|f| missing[**f as usize]).count();
            let best = open.iter().map(|at| (*at, gain(*at))).filter(|(_, gain)| *gain > 0);
            let best = best.max_by(|x, y| {
                let worth = |(at, gain): &(usize, usize)| *gain as f64 / (sized[*at].pairs + self.records as f64 * 0.05);
                worth(x).total_cmp(&worth(y)).then(y.0.cmp(&x.0))
            });
            let Some((at, gain)) = best else { break };
            open.retain(|o| *o != at);
            if spent + sized[at].pairs > budget as f64 {
                continue;
            }
            spent += sized[at].pairs;
            chosen.push(sized[at].rule);
            reach[at].iter().for_each(|f| missing[*f as usize] = false);
            left -= gain;
            if left == 0 {
                break;
            }
        }
        // What the budget still allows, the cheapest first: for those that the pilot's model could not tell.
        open.sort_by(|x, y| sized[*x].pairs.total_cmp(&sized[*y].pairs).then(x.cmp(y)));
        for at in open {
            if sized[at].pairs > self.records as f64 * 0.2 || spent + sized[at].pairs > budget as f64 {
                break;
            }
            spent += sized[at].pairs;
            chosen.push(sized[at].rule);
        }
        if std::env::var_os("DUP_DEBUG").is_some() {
            eprintln!("rules {} of {}, spent {spent}, found {} left {left}", chosen.len(), sized.len(), found.len());
        }
        chosen
    }

    fn reached(&self, rule: Rule, found: &[u64]) -> Vec<u32> {
        let (mut x, mut y, mut spare) = (Vec::new(), Vec::new(), (Vec::new(), Vec::new()));
        let mut reached = Vec::new();
        for (at, pair) in found.iter().enumerate() {
            let (a, b) = unpack(*pair);
            self.keys(rule, a, &mut spare, &mut x);
            if x.is_empty() {
                continue;
            }
            self.keys(rule, b, &mut spare, &mut y);
            if x.iter().any(|key| y.contains(key)) {
                reached.push(at as u32);
            }
        }
        reached
    }

    /// The keys of a record by a rule.
    fn keys(&self, rule: Rule, record: usize, spare: &mut (Vec<u32>, Vec<u32>), out: &mut Vec<u64>) {
        out.clear();
        self.makers[rule.first].of(self.fields, record, &mut spare.0);
        let join = |x: u32, y: u32| mix((u64::from(x) << 32) | u64::from(y));
        match rule.second {
            None => out.extend(spare.0.iter().map(|key| mix(u64::from(*key)))),
            Some(second) if second == rule.first => {
                let keys = &spare.0;
                for (at, x) in keys.iter().enumerate() {
                    out.extend(keys[at + 1..].iter().map(|y| join(*x.min(y), *x.max(y))));
                }
            }
            Some(_) if spare.0.is_empty() => {}
            Some(second) => {
                self.makers[second].of(self.fields, record, &mut spare.1);
                for x in &spare.0 {
                    out.extend(spare.1.iter().map(|y| join(*x, *y)));
                }
            }
        }
    }

    /// The number of pairs of a rule's blocks (one block in 2^skip), and the pairs, at most about `most`.
    fn emit(&self, rule: Rule, skip: u32, most: usize) -> (f64, Vec<u64>) {
        let mask = (1_u64 << skip) - 1;
        let mut entries: Vec<(u64, u32)> = Vec::new();
        let (mut keys, mut spare) = (Vec::new(), (Vec::new(), Vec::new()));
        for record in 0..self.records {
            self.keys(rule, record, &mut spare, &mut keys);
            entries.extend(keys.iter().filter(|key| **key & mask == 0).map(|key| (*key, record as u32)));
        }
        entries.sort_unstable();
        let (mut count, mut pairs) = (0.0, Vec::new());
        for block in entries.chunk_by(|x, y| x.0 == y.0) {
            if block.len() < 2 || block.len() > BLOCK_MOST {
                continue;
            }
            // Between two sources: the records of the second come last.
            let border = self.second_from.map(|from| block.partition_point(|e| (e.1 as usize) < from));
            count += match border {
                None => (block.len() * (block.len() - 1) / 2) as f64,
                Some(border) => (border * (block.len() - border)) as f64,
            };
            if pairs.len() >= most {
                continue;
            }
            for (at, (_, a)) in block.iter().enumerate().take(border.unwrap_or(block.len())) {
                let others = &block[border.unwrap_or(at + 1)..];
                pairs.extend(others.iter().map(|(_, b)| pack(*a, *b)));
            }
        }
        (count, pairs)
    }
}
