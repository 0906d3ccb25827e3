//! What pairs taken at random look like, in whole and among those that share a value or two: what agreement is worth
//! nothing. Draws are hashes of a counter, so that they are the same in every run.

use super::compare::{Comparer, LEVELS, Level, level_at};
use super::intern::mix;
use super::model::{Levels, Patterns};
use super::values::NONE;

/// Pairs taken at random.
const RANDOM_PAIRS: usize = 60_000;
/// Pairs taken at random from those that share a value, for each column; half as many for each two columns.
const SHARING_PAIRS: u64 = 8_000;
/// Records whose values are looked at for those.
const SHARING_RECORDS: usize = 1 << 16;

/// What random pairs look like.
pub(super) struct Random {
    /// Shares of levels, of those that are not missing.
    pub(super) rates: Levels,
    /// Patterns of random pairs that have the same value in a column, by that column.
    pub(super) alike: Vec<Patterns>,
    /// Patterns of random pairs that have the same values in two columns, by those columns.
    pub(super) alike_in_two: Vec<((usize, usize), Patterns)>,
    /// The least share that can be told from none.
    pub(super) least: Vec<f64>,
    /// All pairs there are.
    pub(super) all: f64,
}

impl Random {
    /// Counts the levels of pairs taken at random; agreement of values is counted exactly.
    pub(super) fn count(
        comparer: &Comparer<'_>,
        records: usize,
        second_from: Option<usize>,
        all: f64,
    ) -> Random {
        let fields = comparer.fields;
        let columns = fields.columns.len();
        let mut rates = vec![[0.0; LEVELS]; columns];
        let tries: Vec<u64> = (0..RANDOM_PAIRS.min(all as usize * 2) as u64).collect();
        let chunks: Vec<&[u64]> = tries.chunks(8_192).collect();
        let counted = super::in_parallel(&chunks, |chunk| {
            let mut counts = vec![[0.0_f64; LEVELS]; columns];
            for at in chunk.iter() {
                let pick = |salt: u64, from: usize, to: usize| {
                    from + (mix(at.wrapping_mul(2).wrapping_add(salt)) % (to - from).max(1) as u64) as usize
                };
                let (a, b) = match second_from {
                    None => (pick(1, 0, records), pick(2, 0, records)),
                    Some(from) => (pick(1, 0, from), pick(2, from, records)),
                };
                if a != b {
                    let pattern = comparer.pattern(a, b);
                    for (column, counts) in counts.iter_mut().enumerate() {
                        counts[level_at(pattern, column) as usize] += 1.0;
                    }
                }
            }
            counts
        });
        for counts in counted {
            for (sum, counts) in rates.iter_mut().zip(counts) {
                sum.iter_mut().zip(counts).for_each(|(s, c)| *s += c);
            }
        }
        let mut least = Vec::new();
        for (column, rates) in fields.columns.iter().zip(&mut rates) {
            rates[0] = 0.0;
            let seen: f64 = rates.iter().sum::<f64>().max(1.0);
            rates.iter_mut().for_each(|r| *r /= seen);
            let filled = f64::from(column.filled).max(2.0);
            if second_from.is_none() {
                let same: f64 = column.rows.iter().map(|n| f64::from(*n) * (f64::from(*n) - 1.0)).sum();
                rates[Level::Same as usize] = same / (filled * (filled - 1.0));
            }
            least.push((0.5 / seen).min(1.0 / filled));
        }
        let places: Vec<usize> = (0..columns).collect();
        // Of every value, so that each text is hashed once and not for each record and each two columns.
        let hashes = super::in_parallel(&places, |at| fields.hashes(*at));
        let alike =
            super::in_parallel(&places, |at| sharing(comparer, &hashes, &[*at], records, second_from));
        let two: Vec<(usize, usize)> =
            places.iter().flat_map(|a| (a + 1..columns).map(|b| (*a, b))).collect();
        let alike_in_two = super::in_parallel(&two, |at| {
            (*at, sharing(comparer, &hashes, &[at.0, at.1], records, second_from))
        });
        Random { rates, alike, alike_in_two, least, all }
    }
}

/// Patterns of pairs taken at random from those that have the same values in some columns. Of a large table only a
/// part of the values is looked at. `hashes`: of the values' texts, by column and value.
fn sharing(
    comparer: &Comparer<'_>,
    hashes: &[Vec<u64>],
    at: &[usize],
    records: usize,
    second_from: Option<usize>,
) -> Patterns {
    let skip = (records as f64 / SHARING_RECORDS as f64).log2().ceil().max(0.0) as u32;
    let mask = (1_u64 << skip) - 1;
    // The values above, the record below; by a hash of the values' texts, for their numbers depend on the order of
    // arrival.
    let mut entries: Vec<(u64, u32)> = Vec::new();
    'records: for record in 0..records {
        let mut key = 0;
        for column in at {
            let id = comparer.fields.columns[*column].ids[record];
            if id == NONE {
                continue 'records;
            }
            key = mix(key ^ hashes[*column][id as usize]);
        }
        if key & mask == 0 {
            entries.push((key, record as u32));
        }
    }
    entries.sort_unstable();
    // Each block stands for as many pairs as it has.
    let blocks: Vec<&[(u64, u32)]> = entries.chunk_by(|x, y| x.0 == y.0).filter(|b| b.len() > 1).collect();
    let mut sum = 0_u64;
    let sums: Vec<u64> = blocks
        .iter()
        .map(|block| {
            sum += block.len() as u64 * (block.len() as u64 - 1) / 2;
            sum
        })
        .collect();
    let mut patterns = Vec::new();
    for at_ in 0..(SHARING_PAIRS / at.len() as u64).min(sum * 2) {
        let draw = mix(at_.wrapping_mul(5).wrapping_add(3)) % sum;
        let block = blocks[sums.partition_point(|s| *s <= draw)];
        let pick = |salt: u64| {
            block[(mix(draw ^ at_.rotate_left(32) ^ salt) % block.len() as u64) as usize].1 as usize
        };
        let (a, b) = (pick(1), pick(2));
        let apart = second_from.is_none_or(|from| (a < from) != (b < from));
        if a != b && apart {
            patterns.push(comparer.pattern(a.min(b), a.max(b)));
        }
    }
    super::link::count(&patterns)
}
