//! From records to weighed pairs, end to end.

use std::collections::HashMap;

use super::blocking::{self, Blocking, unpack};
use super::cluster::Edge;
use super::compare::Comparer;
use super::model::{Model, Patterns, chance_of};
use super::random::Random;
use super::values::Fields;
use super::{Duplicates, Names, in_parallel};

/// Pairs that are looked at: so many a record, and never fewer than [`PAIRS_LEAST`].
const PAIRS_A_RECORD: usize = 20;
const PAIRS_LEAST: usize = 4_000_000;
/// Up to so many pairs none is left out.
const PAIRS_ALL: f64 = 1_200_000.0;
/// Pairs of fewer bits than this are forgotten.
const BITS_KEPT: f64 = -5.0;
/// What rare values may add to a pattern's bits, when pairs are first sifted.
const RARITY_MOST: f64 = 10.0;
/// Rounds in which the rarity of values and the weights are learnt from each other.
const RARITY_ROUNDS: usize = 2;
/// Pairs of one piece of parallel work.
const PIECE: usize = 1 << 15;

/// A pair, its pattern, its bits.
pub(super) type Weighed = (u64, u64, f32);

/// Learns the weights and weighs the pairs.
pub(super) fn link(fields: Fields, names: Names) -> Duplicates {
    let (records, second_from) = (names.keys.len() - names.followed.len(), names.second_from);
    let comparer = Comparer { fields: &fields };
    let all = blocking::all(records, second_from);
    if all < 1.0 {
        let model = Model::none(fields.columns.len());
        return Duplicates { fields, names, model, compared: 0, edges: Vec::new() };
    }
    let random = Random::count(&comparer, records, second_from, all);
    let pairs = match all <= PAIRS_ALL {
        true => blocking::every(records, second_from),
        false => Blocking::new(&fields, records, second_from).pairs(
            PAIRS_LEAST.max(PAIRS_A_RECORD * records),
            |pilot| {
                let patterns = patterns(&comparer, pilot);
                let counted = count(&patterns);
                let model = Model::learn(&counted, &random, records);
                let likely = counted.iter().map(|(pattern, _)| (*pattern, model.bits(*pattern) > 0.0));
                let likely: HashMap<u64, bool> = likely.collect();
                patterns.iter().map(|pattern| likely.get(pattern).copied().unwrap_or_default()).collect()
            },
        ),
    };
    let patterns = patterns(&comparer, &pairs);
    let counted = count(&patterns);
    let mut model = Model::learn(&counted, &random, records);
    let compared = pairs.len();
    let mut likely = sift(&model, &pairs, &patterns, &counted);
    drop((pairs, patterns, counted));
    weigh(&model, &fields, &mut likely);
    for _ in 0..RARITY_ROUNDS {
        model.count_rarity(&fields, &likely);
        weigh(&model, &fields, &mut likely);
        let expected = likely.iter().map(|(_, pattern, bits)| (*pattern, chance_of(f64::from(*bits))));
        model.maximise(expected, &random);
    }
    weigh(&model, &fields, &mut likely);
    let kept = likely.iter().filter(|(_, _, bits)| f64::from(*bits) >= BITS_KEPT);
    let edge = |(pair, _, bits): &Weighed| {
        let (a, b) = unpack(*pair);
        Edge { a: a as u32, b: b as u32, bits: *bits }
    };
    let edges = kept.map(edge).collect();
    Duplicates { fields, names, model, compared, edges }
}

/// The patterns of pairs.
fn patterns(comparer: &Comparer<'_>, pairs: &[u64]) -> Vec<u64> {
    let pieces: Vec<&[u64]> = pairs.chunks(PIECE).collect();
    let each = in_parallel(&pieces, |piece| {
        let one = |pair: &u64| {
            let (a, b) = unpack(*pair);
            comparer.pattern(a, b)
        };
        piece.iter().map(one).collect::<Vec<u64>>()
    });
    each.concat()
}

/// How many pairs have each pattern, in the order of the patterns: sums of floating numbers depend on their order.
pub(super) fn count(patterns: &[u64]) -> Patterns {
    let pieces: Vec<&[u64]> = patterns.chunks(PIECE * 16).collect();
    let each = in_parallel(&pieces, |piece| {
        let mut counts: HashMap<u64, f64> = HashMap::new();
        piece.iter().for_each(|pattern| *counts.entry(*pattern).or_default() += 1.0);
        counts
    });
    let mut counts: HashMap<u64, f64> = HashMap::new();
    for (pattern, n) in each.into_iter().flatten() {
        *counts.entry(pattern).or_default() += n;
    }
    let mut counts: Patterns = counts.into_iter().collect();
    counts.sort_unstable_by_key(|(pattern, _)| *pattern);
    counts
}

/// The pairs whose pattern alone does not rule them out. `counted` has every pattern: there are far fewer of them than
/// pairs.
fn sift(model: &Model, pairs: &[u64], patterns: &[u64], counted: &Patterns) -> Vec<Weighed> {
    let bits: HashMap<u64, f32> =
        counted.iter().map(|(pattern, _)| (*pattern, model.bits(*pattern) as f32)).collect();
    let bits = |pattern: &u64| bits.get(pattern).copied().unwrap_or(f32::NEG_INFINITY);
    let pieces: Vec<(&[u64], &[u64])> = pairs.chunks(PIECE).zip(patterns.chunks(PIECE)).collect();
    let each = in_parallel(&pieces, |(pairs, patterns)| {
        let weighed = pairs.iter().zip(*patterns).map(|(pair, pattern)| (*pair, *pattern, bits(pattern)));
        weighed.filter(|(_, _, bits)| f64::from(*bits) >= BITS_KEPT - RARITY_MOST).collect::<Vec<Weighed>>()
    });
    each.concat()
}

/// Sets the bits of pairs.
fn weigh(model: &Model, fields: &Fields, pairs: &mut [Weighed]) {
    let pieces: Vec<&[Weighed]> = pairs.chunks(PIECE).collect();
    let each = in_parallel(&pieces, |piece| {
        let bits = |(pair, pattern, _): &Weighed| {
            let (a, b) = unpack(*pair);
            model.pair_bits(fields, a, b, *pattern) as f32
        };
        piece.iter().map(bits).collect::<Vec<f32>>()
    });
    for (pair, bits) in pairs.iter_mut().zip(each.into_iter().flatten()) {
        pair.2 = bits;
    }
}
