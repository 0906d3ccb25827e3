//! Two values of a column, and how far they agree. Every kind has its own reading of the eight [`Level`]s; the weights
//! of the levels are found later, from the data. The levels of a pair's columns are packed into one number, its
//! *pattern*, so that the model can count patterns instead of pairs.

use serde::Serialize;

use super::FieldKind;
use super::distance::{jaro_winkler, within};
use super::values::{Column, Fields, NONE, Pool, date_parts};

/// How far two values agree. What a level means depends on the kind of the column ([`Level::words`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Level {
    /// One of them is missing: says nothing.
    Missing = 0,
    /// The same, once written in one way.
    Same = 1,
    /// A slip of the finger apart, or a short form.
    Near = 2,
    /// One is part of the other.
    Part = 3,
    /// In each other's column, or overlapping.
    Crossed = 4,
    /// Alike.
    Alike = 5,
    /// Loosely alike.
    Loose = 6,
    /// Different.
    Different = 7,
}

/// Levels, [`Level::Missing`] among them.
pub(super) const LEVELS: usize = 8;
/// The most columns that are compared: a pattern has four bits for each.
pub(super) const COLUMNS_MOST: usize = 16;

impl Level {
    pub(super) fn from_bits(bits: u64) -> Level {
        const ALL: [Level; LEVELS] = [
            Level::Missing,
            Level::Same,
            Level::Near,
            Level::Part,
            Level::Crossed,
            Level::Alike,
            Level::Loose,
            Level::Different,
        ];
        ALL[(bits & 7) as usize]
    }

    /// The level in words, for a column of this kind.
    pub fn words(self, kind: FieldKind) -> &'static str {
        use FieldKind as K;
        match (self, kind) {
            (Level::Missing, _) => "missing",
            (Level::Same, _) => "the same",
            (Level::Near, K::Date { .. }) => "one digit apart",
            (Level::Near, K::GivenName) => "a short form, or a letter apart",
            (Level::Near, K::PersonName | K::Words) => "the same words but for slips",
            (Level::Near, _) => "a letter or digit apart",
            (Level::Part, K::Date { .. }) => "two of year, month and day",
            (Level::Part, K::Email) => "the same before the @",
            (Level::Part, K::Postcode) => "the same area",
            (Level::Part, _) => "one is part of the other",
            (Level::Crossed, K::PersonName | K::Words) => "several words in common",
            (Level::Crossed, K::Date { .. }) => "within a month",
            (Level::Crossed, _) => "in each other's column",
            (Level::Alike, K::PersonName | K::Words) => "one word in common",
            (Level::Alike, K::Date { .. }) => "two digits apart",
            (Level::Alike, _) => "alike",
            (Level::Loose, K::Date { .. }) => "within a year",
            (Level::Loose, K::Email) => "the same after the @",
            (Level::Loose, _) => "loosely alike",
            (Level::Different, _) => "different",
        }
    }
}

/// The level of one column in a pattern.
pub(super) fn level_at(pattern: u64, column: usize) -> Level {
    Level::from_bits(pattern >> (4 * column))
}

/// Compares records of a table.
pub(super) struct Comparer<'a> {
    pub(super) fields: &'a Fields,
}

impl Comparer<'_> {
    /// The pattern of two records.
    pub(super) fn pattern(&self, a: usize, b: usize) -> u64 {
        let mut pattern = 0;
        for at in 0..self.fields.columns.len() {
            pattern |= (self.level(at, a, b) as u64) << (4 * at);
        }
        pattern
    }

    fn level(&self, at: usize, a: usize, b: usize) -> Level {
        let column = &self.fields.columns[at];
        let (x, y) = (column.ids[a], column.ids[b]);
        if let Some(partner) = column.partner
            && (x == NONE || x != y)
            && let Some(level) = self.crossed(column, &self.fields.columns[partner], a, b)
        {
            return level;
        }
        values(column, &self.fields.pools[column.pool], x, y)
    }

    /// The level of a name column, where given and family name agree better in each other's place.
    fn crossed(&self, own: &Column, other: &Column, a: usize, b: usize) -> Option<Level> {
        let pool = &self.fields.pools[own.pool];
        let [own_a, own_b, other_a, other_b] = [own.ids[a], own.ids[b], other.ids[a], other.ids[b]];
        let (over, back) = (close(pool, own_a, other_b), close(pool, other_a, own_b));
        if over + back == 0 {
            return None;
        }
        let straight = close(pool, own_a, own_b) + close(pool, other_a, other_b);
        if straight >= over + back {
            return None;
        }
        Some(match (over, own_a == NONE || other_b == NONE) {
            (1.., _) => Level::Crossed,
            (_, true) => Level::Missing,
            _ => Level::Different,
        })
    }
}

/// 2 for the same name, 1 for nearly the same, else 0.
fn close(pool: &Pool, a: u32, b: u32) -> u32 {
    if a == NONE || b == NONE {
        return 0;
    }
    if a == b {
        return 2;
    }
    u32::from(slip(pool.texts.get(a), pool.texts.get(b)))
}

/// The level of two values of a column.
pub(super) fn values(column: &Column, pool: &Pool, a: u32, b: u32) -> Level {
    if a == NONE || b == NONE {
        return Level::Missing;
    }
    if a == b {
        return Level::Same;
    }
    let (x, y) = (pool.texts.get(a), pool.texts.get(b));
    match column.kind {
        FieldKind::GivenName | FieldKind::FamilyName | FieldKind::Word => name(column.kind, pool, a, b),
        FieldKind::PersonName | FieldKind::Words => Overlap::of(pool, a, b, column.kind).level(x, y),
        FieldKind::Date { .. } => date(x, y),
        FieldKind::Phone => phone(x, y),
        FieldKind::Email => email(x, y),
        FieldKind::Postcode => match () {
            () if within(x, y, 1) => Level::Near,
            () if area(x) == area(y) => Level::Part,
            () => Level::Different,
        },
        FieldKind::Code => match x.len().min(y.len()) {
            3.. if within(x, y, 1) => Level::Near,
            6.. if within(x, y, 2) => Level::Alike,
            _ => Level::Different,
        },
    }
}

/// A postcode without its last part: half of it, rounded down, or all but the last three.
pub(super) fn area(code: &[u8]) -> &[u8] {
    &code[..(code.len() / 2).max(code.len().saturating_sub(3))]
}

/// Whether two words are one word but for a slip: an edit where they are long enough for chance not to do that, two in
/// long words.
pub(super) fn slip(x: &[u8], y: &[u8]) -> bool {
    let short = x.len().min(y.len());
    match short {
        0..=2 => false,
        3..=7 => within(x, y, 1),
        _ => within(x, y, 2),
    }
}

fn short_form(pool: &Pool, a: u32, b: u32) -> bool {
    let (x, y) = (pool.forms.get(a as usize), pool.forms.get(b as usize));
    x.iter().any(|line| y.contains(line))
}

fn name(kind: FieldKind, pool: &Pool, a: u32, b: u32) -> Level {
    let (x, y) = (pool.texts.get(a), pool.texts.get(b));
    if slip(x, y) {
        return Level::Near;
    }
    let (words_a, words_b) = (pool.words.get(a as usize), pool.words.get(b as usize));
    if kind == FieldKind::GivenName && short_form(pool, words_a[0], words_b[0]) {
        return Level::Near;
    }
    let within_other = |some: &[u32], all: &[u32]| some.iter().all(|w| all.contains(w));
    let initial = (x.len() == 1 || y.len() == 1) && x[0] == y[0];
    if initial || within_other(words_a, words_b) || within_other(words_b, words_a) {
        return Level::Part;
    }
    let similar = jaro_winkler(x, y);
    if similar >= 0.92 {
        return Level::Near;
    }
    let sounds = pool.sound[words_a[0] as usize] == pool.sound[words_b[0] as usize];
    match () {
        () if similar >= 0.85 || (sounds && similar >= 0.75) => Level::Alike,
        () if similar >= 0.7 => Level::Loose,
        () => Level::Different,
    }
}

fn date(x: &[u8], y: &[u8]) -> Level {
    if within(x, y, 1) {
        return Level::Near;
    }
    let (Some((year, month, day)), Some((year_b, month_b, day_b))) = (date_parts(x), date_parts(y)) else {
        return if within(x, y, 2) { Level::Alike } else { Level::Different };
    };
    let same = [year == year_b, month == month_b, day == day_b].iter().filter(|s| **s).count();
    let turned = year == year_b && month == day_b && day == month_b;
    let days = |y: u32, m: u32, d: u32| i64::from(y) * 365 + i64::from(y) / 4 + i64::from(m) * 30 + i64::from(d);
    let apart = (days(year, month, day) - days(year_b, month_b, day_b)).abs();
    match () {
        () if same == 2 || turned => Level::Part,
        () if apart <= 31 => Level::Crossed,
        () if within(x, y, 2) => Level::Alike,
        () if apart <= 366 => Level::Loose,
        () => Level::Different,
    }
}

fn phone(x: &[u8], y: &[u8]) -> Level {
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    match short.len() {
        // With and without the country's code.
        7.. if long.ends_with(short) => Level::Part,
        5.. if within(x, y, 1) => Level::Near,
        7.. if within(x, y, 2) => Level::Alike,
        _ => Level::Different,
    }
}

fn email(x: &[u8], y: &[u8]) -> Level {
    if within(x, y, 2) {
        return Level::Near;
    }
    let (local_x, domain_x) = email_parts(x);
    let (local_y, domain_y) = email_parts(y);
    match () {
        () if local_x == local_y => Level::Part,
        () if jaro_winkler(local_x, local_y) >= 0.88 || jaro_winkler(x, y) >= 0.9 => Level::Alike,
        () if domain_x == domain_y => Level::Loose,
        () => Level::Different,
    }
}

/// Before and after the @.
pub(super) fn email_parts(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().rposition(|c| *c == b'@') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[]),
    }
}

/// The words that two values have in common.
pub(super) struct Overlap {
    /// Words of the first that are in the second as they are; a bit each.
    pub(super) same: u32,
    /// Words of the first that are in the second but for a slip or as a short form; a bit each.
    pub(super) near: u32,
    shorter: u32,
    longer: u32,
}

impl Overlap {
    pub(super) fn of(pool: &Pool, a: u32, b: u32, kind: FieldKind) -> Overlap {
        let (x, y) = (pool.words.get(a as usize), pool.words.get(b as usize));
        let (mut same, mut near, mut taken) = (0_u32, 0_u32, 0_u32);
        for (i, word) in x.iter().enumerate() {
            if let Some(j) = y.iter().position(|other| other == word) {
                same |= 1 << i;
                taken |= 1 << j;
            }
        }
        for (i, word) in x.iter().enumerate().filter(|(i, _)| same & (1 << i) == 0) {
            let free = y.iter().enumerate().filter(|(j, _)| taken & (1 << j) == 0);
            let text = pool.word.get(*word);
            let found = free.map(|(j, other)| (j, *other)).find(|(_, other)| {
                slip(text, pool.word.get(*other)) || (kind == FieldKind::PersonName && short_form(pool, *word, *other))
            });
            if let Some((j, _)) = found {
                near |= 1 << i;
                taken |= 1 << j;
            }
        }
        let (x, y) = (x.len() as u32, y.len() as u32);
        Overlap { same, near, shorter: x.min(y), longer: x.max(y) }
    }

    fn level(&self, x: &[u8], y: &[u8]) -> Level {
        let (same, found) = (self.same.count_ones(), (self.same | self.near).count_ones());
        match found {
            n if n == self.longer && same == n => Level::Same,
            n if n == self.longer => Level::Near,
            n if n == self.shorter && n >= 2 => Level::Part,
            2.. => Level::Crossed,
            _ if slip(x, y) => Level::Near,
            1 => Level::Alike,
            _ if jaro_winkler(x, y) >= 0.85 => Level::Loose,
            _ => Level::Different,
        }
    }
}
