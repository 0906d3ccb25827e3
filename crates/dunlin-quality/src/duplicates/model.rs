//! The weights, by Fellegi and Sunter (1969): how much more often a level of agreement is seen among matches (*m*) than
//! among pairs taken at random (*u*), in bits. *u* is counted; *m* and the share of matches come from
//! expectation–maximisation over all pairs (Winkler 1988), where a pair that blocking left out counts as no match. The
//! agreements of random pairs are mended by what matches contribute to them: in a table full of duplicates an e-mail
//! address is shared by nobody but one person's records. A rare value weighs more than a common one (term frequency):
//! how often, is counted among those pairs that are no matches.

use super::compare::{LEVELS, Level, Overlap, level_at};
use super::link::Weighed;
use super::random::Random;
use super::values::{Fields, NONE};

/// Rounds of expectation–maximisation at most; it ends sooner where nothing moves.
const ROUNDS: usize = 40;
/// How many pairs the shares among all pairs count for, where shares among those of one value are few.
const SHARING_PRIOR: f64 = 30.0;

/// Counts of levels, by column.
pub(super) type Levels = Vec<[f64; LEVELS]>;

/// The weights of a table.
#[derive(Clone)]
pub(super) struct Model {
    /// Bits against a pair taken at random being a match.
    pub(super) prior: f64,
    /// Shares of levels among matches, of those that are not missing.
    pub(super) m: Levels,
    /// The same among other pairs.
    pub(super) u: Levels,
    /// How likely a record has a value by chance, given that another has; by column and value. Empty until counted.
    chance: Vec<Vec<f32>>,
    /// Shares of levels among pairs that are no matches and have the same value in another column: by that column, then
    /// by column. Never below `u`.
    given: Vec<Levels>,
    /// The same in two other columns, where that says more than either; by column.
    given_two: Vec<Vec<GivenTwo>>,
    /// The mean of log2 of the share of a word that two random records have in common; sets of words only.
    word_mean: Vec<f64>,
}

/// How often levels of a column are seen by chance in pairs that have the same values in two others.
#[derive(Clone)]
struct GivenTwo {
    others: (usize, usize),
    shares: [f64; LEVELS],
}

/// Patterns and how many pairs have them.
pub(super) type Patterns = Vec<(u64, f64)>;

impl Model {
    /// The weights where there is nothing to compare.
    pub(super) fn none(columns: usize) -> Model {
        let even = vec![[1.0 / (LEVELS - 1) as f64; LEVELS]; columns];
        Model {
            prior: -1.0,
            m: even.clone(),
            u: even.clone(),
            chance: vec![Vec::new(); columns],
            given: vec![even; columns],
            given_two: vec![Vec::new(); columns],
            word_mean: vec![0.0; columns],
        }
    }

    /// Where expectation–maximisation starts: matches agree in most columns.
    fn start(random: &Random, records: usize) -> Model {
        let columns = random.rates.len();
        let m = [0.0, 0.75, 0.1, 0.03, 0.03, 0.03, 0.02, 0.04];
        let mut model = Model {
            prior: (records as f64 * 0.5 / random.all).clamp(1e-12, 0.5).log2(),
            m: vec![m; columns],
            u: random.rates.clone(),
            chance: vec![Vec::new(); columns],
            given: Vec::new(),
            given_two: vec![Vec::new(); columns],
            word_mean: vec![0.0; columns],
        };
        model.mend(random);
        model
    }

    /// Learns the weights from the patterns of the pairs that were looked at.
    pub(super) fn learn(patterns: &Patterns, random: &Random, records: usize) -> Model {
        let mut model = Model::start(random, records);
        // What comes together by chance is told before matches are, lest a name and the address made of it pass for one;
        // then once more, when it is known what matches look like. More often would take more and more matches for
        // chance.
        for _ in 0..2 {
            model.relate(random);
            model.expect_and_maximise(patterns, random);
        }
        model
    }

    fn expect_and_maximise(&mut self, patterns: &Patterns, random: &Random) {
        for _ in 0..ROUNDS {
            let before = self.prior;
            let expected = patterns.iter().map(|(pattern, n)| (*pattern, n * chance_of(self.bits(*pattern))));
            let expected: Patterns = expected.collect();
            self.maximise(expected.into_iter(), random);
            if (self.prior - before).abs() < 1e-3 {
                break;
            }
        }
    }

    /// Sets m, u and the prior from patterns and the number of matches that are expected among them.
    pub(super) fn maximise(&mut self, expected: impl Iterator<Item = (u64, f64)>, random: &Random) {
        let columns = self.m.len();
        let mut counts = vec![[0.0_f64; LEVELS]; columns];
        let mut matches = 0.0;
        for (pattern, expected) in expected {
            matches += expected;
            for (column, counts) in counts.iter_mut().enumerate() {
                counts[level_at(pattern, column) as usize] += expected;
            }
        }
        for (m, counts) in self.m.iter_mut().zip(&counts) {
            // Half a pair a level keeps every share inside (0, 1).
            let seen: f64 = counts[1..].iter().map(|c| c + 0.5).sum();
            for level in 1..LEVELS {
                m[level] = (counts[level] + 0.5) / seen;
            }
        }
        self.prior = (matches / random.all).clamp(1e-15, 0.5).log2();
        self.mend(random);
    }

    /// Takes the matches out of what random pairs show.
    fn mend(&mut self, random: &Random) {
        let share = self.prior.exp2();
        for column in 0..self.m.len() {
            for level in 1..LEVELS {
                let rate = random.rates[column][level] - share * self.m[column][level];
                self.u[column][level] = rate.clamp(random.least[column], 1.0 - 1e-9);
            }
        }
    }

    /// Learns which agreements come together by chance as well: a postcode with its city, an e-mail address with the
    /// name it is made of. Counting each for itself would take namesakes for one person.
    fn relate(&mut self, random: &Random) {
        let columns = self.m.len();
        // Without what was related before: that would feed itself.
        (self.given, self.given_two) = (Vec::new(), vec![Vec::new(); columns]);
        let alone: Vec<Levels> =
            random.alike.iter().map(|alike| self.others(alike, |at| self.u[at])).collect();
        let mut two: Vec<Vec<GivenTwo>> = vec![Vec::new(); columns];
        for ((x, y), alike) in &random.alike_in_two {
            let most = |at: usize, level: usize| alone[*x][at][level].max(alone[*y][at][level]);
            let shares = self.others(alike, |at| std::array::from_fn(|level| most(at, level)));
            for (at, shares) in shares.into_iter().enumerate().filter(|(at, _)| at != x && at != y) {
                // Agreement that is four times as likely as given either alone.
                let tells = |level: &usize| shares[*level] > 4.0 * most(at, *level);
                if (1..Level::Different as usize).any(|level| tells(&level)) {
                    two[at].push(GivenTwo { others: (*x, *y), shares });
                }
            }
        }
        (self.given, self.given_two) = (alone, two);
    }

    /// Shares of levels among those of some pairs that are no matches; where those are few, drawn towards `base`, and
    /// never below it. Matches count as few: of pairs that are nearly all matches the rest cannot be told. Whether a
    /// pair is a match is told by the other columns, for a column must not vouch for itself.
    fn others(&self, pairs: &Patterns, base: impl Fn(usize) -> [f64; LEVELS]) -> Levels {
        let mut counts = vec![[0.0_f64; LEVELS]; self.m.len()];
        let mut matches = vec![0.0_f64; self.m.len()];
        for (pattern, n) in pairs {
            let bits = self.bits(*pattern);
            for (column, counts) in counts.iter_mut().enumerate() {
                let likely = n * chance_of(bits - self.level_bits(*pattern, column));
                matches[column] += likely;
                counts[level_at(*pattern, column) as usize] += n - likely;
            }
        }
        for (column, counts) in counts.iter_mut().enumerate() {
            let drawn = SHARING_PRIOR + matches[column];
            let seen: f64 = counts[1..].iter().sum();
            for (level, base) in base(column).into_iter().enumerate().skip(1) {
                counts[level] = ((counts[level] + drawn * base) / (seen + drawn)).max(base);
            }
        }
        counts
    }

    /// How often a level is seen by chance, in a pair of this pattern: most often given its other agreements.
    fn by_chance(&self, pattern: u64, column: usize, level: Level) -> f64 {
        let mut share = self.u[column][level as usize];
        // Of two that are the same, the first explains the second.
        let explains = |other: usize| {
            other != column
                && level_at(pattern, other) == Level::Same
                && (level != Level::Same || other < column)
        };
        for (other, given) in self.given.iter().enumerate() {
            if given[column][level as usize] > share && explains(other) {
                share = given[column][level as usize];
            }
        }
        for given in &self.given_two[column] {
            let (x, y) = given.others;
            if given.shares[level as usize] > share && explains(x) && explains(y) {
                share = given.shares[level as usize];
            }
        }
        share
    }

    /// The bits of one column in a pattern.
    pub(super) fn level_bits(&self, pattern: u64, column: usize) -> f64 {
        match level_at(pattern, column) {
            Level::Missing => 0.0,
            level => (self.m[column][level as usize] / self.by_chance(pattern, column, level)).log2(),
        }
    }

    /// The bits for a pattern being a match, before rare values are looked at.
    pub(super) fn bits(&self, pattern: u64) -> f64 {
        let columns = 0..self.m.len();
        self.prior + columns.map(|c| self.level_bits(pattern, c)).sum::<f64>()
    }

    /// The bits for a pair being a match.
    pub(super) fn pair_bits(&self, fields: &Fields, a: usize, b: usize, pattern: u64) -> f64 {
        let mut bits = self.bits(pattern);
        for column in 0..self.m.len() {
            bits += self.rarity_bits(fields, column, a, b, pattern);
        }
        bits
    }

    /// What it adds that the values agreed upon are rare (or takes away that they are common).
    pub(super) fn rarity_bits(&self, fields: &Fields, at: usize, a: usize, b: usize, pattern: u64) -> f64 {
        let level = level_at(pattern, at);
        let bits = self.rarity(fields, at, a, b, level);
        if bits == 0.0 {
            return 0.0;
        }
        // What another agreement explains is not rare.
        let (free, bound) = (self.u[at][level as usize].log2(), self.by_chance(pattern, at, level).log2());
        if free < 0.0 { bits * bound / free } else { bits }
    }

    fn rarity(&self, fields: &Fields, at: usize, a: usize, b: usize, level: Level) -> f64 {
        let (column, chance) = (&fields.columns[at], &self.chance[at]);
        if chance.is_empty() {
            return 0.0;
        }
        let (x, y) = (column.ids[a], column.ids[b]);
        let mean = self.u[at][Level::Same as usize].log2();
        match level {
            Level::Same if x == y => mean - f64::from(chance[x as usize]).log2(),
            Level::Near if !column.kind.is_set() && x != NONE && y != NONE => {
                let most = chance[x as usize].max(chance[y as usize]);
                0.5 * (mean - f64::from(most).log2()).min(0.0)
            }
            Level::Same | Level::Near | Level::Part | Level::Crossed | Level::Alike
                if column.kind.is_set() && x != NONE && y != NONE =>
            {
                let pool = &fields.pools[column.pool];
                let overlap = Overlap::of(pool, x, y, column.kind);
                let share = |word: u32| {
                    (f64::from(column.word_rows[word as usize]) / f64::from(column.filled)).log2()
                };
                let words = pool.words.get(x as usize).iter().enumerate();
                words
                    .map(|(i, word)| match () {
                        () if overlap.same & (1 << i) != 0 => self.word_mean[at] - share(*word),
                        () if overlap.near & (1 << i) != 0 => (self.word_mean[at] - share(*word)).min(0.0),
                        () => 0.0,
                    })
                    .sum()
            }
            _ => 0.0,
        }
    }

    /// Counts how often values agree by chance. `pairs` are the pairs that were looked at, each with its pattern and
    /// bits; all other pairs of a value are no matches.
    pub(super) fn count_rarity(&mut self, fields: &Fields, pairs: &[Weighed]) {
        let columns: Vec<usize> = (0..fields.columns.len()).collect();
        self.chance = super::in_parallel(&columns, |at| self.chances(fields, *at, pairs));
        for (at, column) in fields.columns.iter().enumerate().filter(|(_, c)| c.kind.is_set()) {
            let (mut sum, mut of) = (0.0, 0.0);
            for rows in column.word_rows.iter().filter(|n| **n > 0) {
                let share = f64::from(*rows) / f64::from(column.filled).max(1.0);
                sum += share * share * share.log2();
                of += share * share;
            }
            self.word_mean[at] = if of > 0.0 { sum / of } else { 0.0 };
        }
    }

    /// How likely a record has a value by chance, given that another has; for each value of a column.
    fn chances(&self, fields: &Fields, at: usize, pairs: &[Weighed]) -> Vec<f32> {
        let column = &fields.columns[at];
        // Expected matches among the pairs of each value, told by the other columns.
        let mut matches = vec![0.0_f32; column.rows.len()];
        for (pair, pattern, bits) in pairs {
            let (a, b) = super::blocking::unpack(*pair);
            let id = column.ids[a];
            if level_at(*pattern, at) == Level::Same && id == column.ids[b] {
                let own = self.level_bits(*pattern, at) + self.rarity_bits(fields, at, a, b, *pattern);
                matches[id as usize] += chance_of(f64::from(*bits) - own) as f32;
            }
        }
        let filled = f64::from(column.filled).max(1.0);
        let chance = column.rows.iter().zip(matches).map(|(rows, matches)| {
            let rows = f64::from(*rows).max(1.0);
            // Half a pair more, so that what was never seen is not impossible.
            let others = (rows * (rows - 1.0) / 2.0 - f64::from(matches)).max(0.0) + 0.5;
            (2.0 * others / (rows * filled)).min(1.0) as f32
        });
        chance.collect()
    }
}

/// Bits as a probability.
pub(super) fn chance_of(bits: f64) -> f64 {
    1.0 / (1.0 + (-bits).exp2())
}
