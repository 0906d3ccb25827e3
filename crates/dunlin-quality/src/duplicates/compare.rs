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
    /// Its code, as it is serialised.
    pub fn code(self) -> &'static str {
        match self {
            Level::Missing => "missing",
            Level::Same => "same",
            Level::Near => "near",
            Level::Part => "part",
            Level::Crossed => "crossed",
            Level::Alike => "alike",
            Level::Loose => "loose",
            Level::Different => "different",
        }
    }

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

    /// Whether values of this kind can be at this level; `partnered` for a name column that has another beside it.
    pub(super) fn occurs(self, kind: FieldKind, partnered: bool) -> bool {
        use FieldKind as K;
        match self {
            Level::Missing => false,
            Level::Same | Level::Near | Level::Different => true,
            Level::Part => kind != K::Code,
            Level::Crossed => partnered || kind.is_set() || matches!(kind, K::Date { .. }),
            Level::Alike => kind != K::Postcode,
            Level::Loose => !matches!(kind, K::Postcode | K::Code | K::Phone),
        }
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
    u32::from(slip(pool, a, b))
}

/// The level of two values of a column.
pub(super) fn values(column: &Column, pool: &Pool, a: u32, b: u32) -> Level {
    if a == NONE || b == NONE {
        return Level::Missing;
    }
    if a == b {
        return Level::Same;
    }
    let near = |most: usize| {
        pool.sketch[a as usize].may_be_within(pool.sketch[b as usize], most as u32)
            && within(pool.texts.get(a), pool.texts.get(b), most)
    };
    match column.kind {
        FieldKind::GivenName | FieldKind::FamilyName | FieldKind::Word => name(column.kind, pool, a, b),
        FieldKind::PersonName | FieldKind::Words => Overlap::of(pool, a, b, column.kind).level(pool, a, b),
        FieldKind::Date { .. } => date(pool.texts.get(a), pool.texts.get(b)),
        FieldKind::Phone => phone(pool, a, b),
        FieldKind::Email => email(pool, a, b),
        FieldKind::Postcode if near(1) => Level::Near,
        FieldKind::Postcode if area(pool.texts.get(a)) == area(pool.texts.get(b)) => Level::Part,
        FieldKind::Postcode => Level::Different,
        FieldKind::Code => match pool.sketch[a as usize].len.min(pool.sketch[b as usize].len) {
            3.. if near(1) => Level::Near,
            6.. if near(2) => Level::Alike,
            _ => Level::Different,
        },
    }
}

/// A postcode without its last part: half of it, rounded down, or all but the last three.
pub(super) fn area(code: &[u8]) -> &[u8] {
    &code[..(code.len() / 2).max(code.len().saturating_sub(3))]
}

/// Edits that are a slip of the finger in words of which the shorter has so many letters: none where chance does as
/// much, two in long words.
fn slips(short: u8) -> u32 {
    match short {
        0..=2 => 0,
        3..=7 => 1,
        _ => 2,
    }
}

/// Whether two values are one but for slips.
fn slip(pool: &Pool, a: u32, b: u32) -> bool {
    let (x, y) = (pool.sketch[a as usize], pool.sketch[b as usize]);
    let most = slips(x.len.min(y.len));
    most > 0 && x.may_be_within(y, most) && within(pool.texts.get(a), pool.texts.get(b), most as usize)
}

fn short_form(pool: &Pool, a: u32, b: u32) -> bool {
    let (x, y) = (pool.forms.get(a as usize), pool.forms.get(b as usize));
    x.iter().any(|line| y.contains(line))
}

fn name(kind: FieldKind, pool: &Pool, a: u32, b: u32) -> Level {
    if slip(pool, a, b) {
        return Level::Near;
    }
    let (sketch_a, sketch_b) = (pool.sketch[a as usize], pool.sketch[b as usize]);
    let first = |id: u32| pool.words.get(id as usize)[0];
    if kind == FieldKind::GivenName && short_form(pool, first(a), first(b)) {
        return Level::Near;
    }
    if sketch_a.may_be_part(sketch_b) && part(pool, a, b) {
        return Level::Part;
    }
    const LOOSE: f64 = 0.7;
    if sketch_a.most_similar(sketch_b) < LOOSE {
        return Level::Different;
    }
    let similar = jaro_winkler(pool.texts.get(a), pool.texts.get(b));
    let sounds = || pool.sound[first(a) as usize] == pool.sound[first(b) as usize];
    match () {
        () if similar >= 0.92 => Level::Near,
        () if similar >= 0.85 || (similar >= 0.75 && sounds()) => Level::Alike,
        () if similar >= LOOSE => Level::Loose,
        () => Level::Different,
    }
}

/// Whether one is an initial of the other, or the words of one are among those of the other.
fn part(pool: &Pool, a: u32, b: u32) -> bool {
    let (x, y) = (pool.texts.get(a), pool.texts.get(b));
    let initial = (x.len() == 1 || y.len() == 1) && x[0] == y[0];
    let (x, y) = (pool.words.get(a as usize), pool.words.get(b as usize));
    let among = |some: &[u32], all: &[u32]| some.iter().all(|word| all.contains(word));
    initial || among(x, y) || among(y, x)
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
    let days =
        |y: u32, m: u32, d: u32| i64::from(y) * 365 + i64::from(y) / 4 + i64::from(m) * 30 + i64::from(d);
    let apart = (days(year, month, day) - days(year_b, month_b, day_b)).abs();
    match () {
        () if same == 2 || turned => Level::Part,
        () if apart <= 31 => Level::Crossed,
        () if within(x, y, 2) => Level::Alike,
        () if apart <= 366 => Level::Loose,
        () => Level::Different,
    }
}

fn phone(pool: &Pool, a: u32, b: u32) -> Level {
    let (x, y) = (pool.sketch[a as usize], pool.sketch[b as usize]);
    if !x.may_be_part(y) && !x.may_be_within(y, 2) {
        return Level::Different;
    }
    let (x, y) = (pool.texts.get(a), pool.texts.get(b));
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    match short.len() {
        // With and without the country's code.
        7.. if long.ends_with(short) => Level::Part,
        5.. if within(x, y, 1) => Level::Near,
        7.. if within(x, y, 2) => Level::Alike,
        _ => Level::Different,
    }
}

fn email(pool: &Pool, a: u32, b: u32) -> Level {
    const ALIKE: f64 = 0.88;
    let (sketch_a, sketch_b) = (pool.sketch[a as usize], pool.sketch[b as usize]);
    let (x, y) = (pool.texts.get(a), pool.texts.get(b));
    let (local_x, domain_x) = email_parts(x);
    let (local_y, domain_y) = email_parts(y);
    let local_may = sketch_a.may_be_within(sketch_b, 2);
    match () {
        () if local_may && within(x, y, 2) => Level::Near,
        () if local_may && local_x == local_y => Level::Part,
        () if sketch_a.most_similar(sketch_b) >= ALIKE && jaro_winkler(local_x, local_y) >= ALIKE => {
            Level::Alike
        }
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
        let (sketches_x, sketches_y) = (pool.word_sketches(a), pool.word_sketches(b));
        for (i, word) in x.iter().enumerate().filter(|(i, _)| same & (1 << i) == 0) {
            let like = |j: usize| {
                let most = slips(sketches_x[i].len.min(sketches_y[j].len));
                let slip = most > 0
                    && sketches_x[i].may_be_within(sketches_y[j], most)
                    && within(pool.word.get(*word), pool.word.get(y[j]), most as usize);
                slip || (kind == FieldKind::PersonName && short_form(pool, *word, y[j]))
            };
            if let Some(j) = (0..y.len()).find(|j| taken & (1 << j) == 0 && like(*j)) {
                near |= 1 << i;
                taken |= 1 << j;
            }
        }
        let (x, y) = (x.len() as u32, y.len() as u32);
        Overlap { same, near, shorter: x.min(y), longer: x.max(y) }
    }

    fn level(&self, pool: &Pool, a: u32, b: u32) -> Level {
        const LOOSE: f64 = 0.85;
        let (same, found) = (self.same.count_ones(), (self.same | self.near).count_ones());
        let may_be_loose = || pool.sketch[a as usize].most_similar(pool.sketch[b as usize]) >= LOOSE;
        match found {
            n if n == self.longer && same == n => Level::Same,
            n if n == self.longer => Level::Near,
            n if n == self.shorter && n >= 2 => Level::Part,
            2.. => Level::Crossed,
            _ if slip(pool, a, b) => Level::Near,
            1 => Level::Alike,
            _ if may_be_loose() && jaro_winkler(pool.texts.get(a), pool.texts.get(b)) >= LOOSE => {
                Level::Loose
            }
            _ => Level::Different,
        }
    }
}
