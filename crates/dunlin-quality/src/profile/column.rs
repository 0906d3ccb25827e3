//! One column on its way through the profile: counters of fixed size, fed with one value after the other. A text that
//! occurs again and again is counted when it comes and looked at once, in the end.

use std::collections::BTreeMap;

use dunlin_connect::ColumnType;

use super::digest::Digest;
use super::finding::{Finding, Mistakes};
use super::hash::hash;
use super::hll::HyperLogLog;
use super::shape::Walk;
use super::tally::{self, Met, Tally};
use super::{ColumnProfile, Counted, Lengths, Numbers, Values};
use crate::kinds::{KindGuess, fits, plain_date};

/// Kinds whose form is strict enough to call a value wrong.
const STRICT: [&str; 14] = [
    "email",
    "iban",
    "card_number",
    "us_ssn",
    "ip_address",
    "mac_address",
    "url",
    "national_id",
    "birth_date",
    "phone",
    "country",
    "postcode",
    "age",
    "geo",
];

/// Kinds whose values are written in one case by most who write them.
const CASED: [&str; 5] = ["given_name", "family_name", "person_name", "city", "country"];

/// Fewer numbers than this are not described: a quantile of few is somebody's value.
const NUMBERS_MIN: u64 = 100;

/// The counters of one column.
pub(super) struct Column {
    name: String,
    ty: ColumnType,
    kind: Option<KindGuess>,
    /// Whether its values are text, and whether they are numbers.
    is_text: bool,
    numeric: bool,
    /// Whether the kind is about a person: its numbers are not described.
    close: bool,
    /// Whether the kind is one of [`STRICT`], of [`CASED`].
    strict: bool,
    cased: bool,
    nulls: u64,
    values: u64,
    blanks: u64,
    sentinels: u64,
    distinct: HyperLogLog,
    lowest: Option<String>,
    highest: Option<String>,
    top: Tally,
    shapes: Tally,
    lengths: Option<(u64, u64, u64)>,
    mistakes: Mistakes,
    numbers: u64,
    dates: u64,
    digest: Digest,
    misfits: u64,
    out_of_range: u64,
    /// Values in capitals only, in small letters only, in both.
    cases: [u64; 3],
    pub(super) bad: BTreeMap<String, u64>,
}

impl Column {
    pub(super) fn new(name: &str, ty: &ColumnType, kind: Option<KindGuess>) -> Self {
        let among = |list: &[&str]| kind.as_ref().is_some_and(|k| list.contains(&k.kind.as_str()));
        Self {
            name: name.to_owned(),
            ty: ty.clone(),
            is_text: ty.is_text(),
            numeric: ty.is_number(),
            // What a card's rounded digits or a part of a name look like is not the kind's own form.
            strict: among(&STRICT)
                && kind.as_ref().is_none_or(|k| !matches!(k.detail, Some("rounded" | "several"))),
            cased: among(&CASED),
            close: kind.as_ref().is_some_and(|k| !matches!(k.class, "internal" | "public")),
            kind,
            nulls: 0,
            values: 0,
            blanks: 0,
            sentinels: 0,
            distinct: HyperLogLog::new(),
            lowest: None,
            highest: None,
            top: Tally::new(),
            shapes: Tally::new(),
            lengths: None,
            mistakes: Mistakes::default(),
            numbers: 0,
            dates: 0,
            digest: Digest::default(),
            misfits: 0,
            out_of_range: 0,
            cases: [0; 3],
            bad: BTreeMap::new(),
        }
    }

    pub(super) fn null(&mut self) {
        self.nulls += 1;
    }

    /// A value of a column that is bytes: counted, measured, never read.
    pub(super) fn bytes(&mut self, value: &[u8]) {
        self.values += 1;
        self.distinct.add(value);
        self.length(value.len() as u64, 1);
    }

    pub(super) fn text(&mut self, value: &str) {
        self.values += 1;
        let hash = hash(value.as_bytes());
        self.distinct.add_hash(hash);
        if self.top.add(hash, value.as_bytes(), 1) == Met::Passing {
            self.look(value, 1);
        }
    }

    /// Looks at a value that occurs `times` times.
    fn look(&mut self, value: &str, times: u64) {
        let walk = Walk::through(value);
        self.length(walk.chars as u64, times);
        let trimmed = trim(value);
        if trimmed.is_empty() {
            self.blanks += times;
            return;
        }
        tally::add(&mut self.shapes, walk.shape(), times);
        let number = if walk.digits > 0 { self.number(trimmed) } else { None };
        if self.is_text {
            self.mistakes.look(value, trimmed, &walk, times);
            self.numbers += u64::from(number.is_some()) * times;
        }
        if crate::is_sentinel(self.dated(trimmed), &[]) {
            self.sentinels += times;
            return;
        }
        match number {
            _ if self.close => {}
            Some(number) => self.digest.add(number, times),
            None => self.date(trimmed, times),
        }
        self.bounds(value);
        self.judge(trimmed, number, &walk, times);
    }

    /// The number that a text is, told from its first character in most cases.
    fn number(&self, text: &str) -> Option<f64> {
        let first = *text.as_bytes().first()?;
        let like = first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.');
        if !like || text.len() > 40 || !text.as_bytes().last()?.is_ascii_digit() {
            return None;
        }
        text.parse().ok()
    }

    /// A day goes into the digest as its number, so that the column of days has quantiles as well.
    fn date(&mut self, text: &str, times: u64) {
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return;
        }
        if let Some((year, month, day)) = text.get(..10).and_then(plain_date)
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
        {
            self.dates += times;
            self.digest.add(f64::from(year * 372 + (month - 1) * 31 + day - 1), times);
        }
    }

    /// The day of a timestamp, so that the stand-in dates are recognised with a time behind them.
    fn dated<'a>(&self, value: &'a str) -> &'a str {
        match self.ty {
            ColumnType::Timestamp | ColumnType::TimestampTz => value.get(..10).unwrap_or(value),
            _ => value,
        }
    }

    fn length(&mut self, length: u64, times: u64) {
        let (min, max, sum) = self.lengths.unwrap_or((length, length, 0));
        self.lengths = Some((min.min(length), max.max(length), sum + length * times));
    }

    fn bounds(&mut self, value: &str) {
        if self.lowest.as_deref().is_none_or(|low| self.below(value, low)) {
            self.lowest = Some(value.to_owned());
        }
        if self.highest.as_deref().is_none_or(|high| self.below(high, value)) {
            self.highest = Some(value.to_owned());
        }
    }

    fn below(&self, a: &str, b: &str) -> bool {
        if !self.numeric {
            return a < b;
        }
        match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => a < b,
            _ => a < b,
        }
    }

    /// Holds a value against the column's kind.
    fn judge(&mut self, value: &str, number: Option<f64>, walk: &Walk, times: u64) {
        let Some(kind) = self.kind.as_ref().map(|k| k.kind.as_str()) else { return };
        let year = || value.get(..4).filter(|year| year.bytes().all(|b| b.is_ascii_digit()));
        let outside = match kind {
            "birth_date" => year().is_some_and(|year| !("1900".."2100").contains(&year)),
            "geo" => number.is_some_and(|n| n.abs() > 180.0),
            _ => false,
        };
        if self.strict && !fits(kind, value) {
            self.misfits += times;
        } else if outside {
            self.out_of_range += times;
        }
        if self.cased {
            // One letter, or a code of two, is in capitals everywhere.
            match (walk.upper, walk.lower) {
                _ if value.len() <= 3 => {}
                (true, false) => self.cases[0] += times,
                (false, true) => self.cases[1] += times,
                (true, true) => self.cases[2] += times,
                (false, false) => {}
            }
        }
    }

    /// Takes in the counters of another part of the same column.
    pub(super) fn merge(&mut self, other: Column) {
        self.nulls += other.nulls;
        self.values += other.values;
        self.blanks += other.blanks;
        self.sentinels += other.sentinels;
        self.distinct.merge(&other.distinct);
        other.lowest.iter().chain(&other.highest).for_each(|value| self.bounds(value));
        if let Some((min, max, sum)) = other.lengths {
            let (low, high, all) = self.lengths.unwrap_or((min, max, 0));
            self.lengths = Some((low.min(min), high.max(max), all + sum));
        }
        self.mistakes.merge(&other.mistakes);
        self.numbers += other.numbers;
        self.dates += other.dates;
        self.digest.merge(other.digest);
        self.misfits += other.misfits;
        self.out_of_range += other.out_of_range;
        self.cases.iter_mut().zip(other.cases).for_each(|(cases, theirs)| *cases += theirs);
        self.shapes.merge(&other.shapes, |_, _| {});
        for (code, rows) in other.bad {
            *self.bad.entry(code).or_default() += rows;
        }
        let mut passing = Vec::new();
        self.top.merge(&other.top, |text, times| passing.push((text.to_owned(), times)));
        passing.iter().for_each(|(text, times)| self.look(text, *times));
    }

    /// Looks at the texts that were only counted so far.
    fn settle(&mut self) {
        let kept: Vec<(String, u64)> =
            self.top.kept().map(|(text, times)| (text.to_owned(), times)).collect();
        kept.iter().for_each(|(text, times)| self.look(text, *times));
    }

    /// How the numbers or days of the column lie: nothing for few, and nothing where they are about a person.
    fn described(&mut self) -> Option<Numbers> {
        let known = self.values - self.blanks - self.sentinels;
        let most = self.digest.count() * 2 > known;
        if self.close || !most || self.digest.count() < NUMBERS_MIN {
            return None;
        }
        Some(Numbers::of(&mut self.digest, self.dates * 2 > known))
    }

    /// What was found, and the values that show it: those are for the gate.
    pub(super) fn finish(mut self, table: &str, rows: u64) -> (ColumnProfile, Values) {
        self.settle();
        let numbers = self.described();
        let guess = self.kind.take();
        let findings = self.findings(guess.as_ref());
        let kind = guess.as_ref().map(|g| g.kind.as_str());
        let class = guess.as_ref().map(|g| g.class);
        let top = self.top.top(10, 2);
        let shapes = self.shapes.top(5, 1).into_iter();
        // The estimate may exceed what there was.
        let distinct = self.distinct.estimate().min(self.values);
        let values = Values {
            min: self.lowest.clone(),
            max: self.highest.clone(),
            top: top.iter().map(|(value, _)| (*value).to_owned()).collect(),
        };
        let profile = ColumnProfile {
            table: table.to_owned(),
            column: self.name.clone(),
            ty: self.ty.to_string(),
            rows,
            nulls: self.nulls,
            unknowns: self.blanks + self.sentinels,
            distinct,
            min: None,
            max: None,
            length: self.lengths.map(|(min, max, sum)| {
                let mean = sum as f64 / self.values.max(1) as f64;
                Lengths { min, mean: (mean * 10.0).round() / 10.0, max }
            }),
            top: top.iter().map(|(_, rows)| Counted { text: String::new(), rows: *rows }).collect(),
            patterns: shapes.map(|(shape, rows)| Counted { text: shape.to_owned(), rows }).collect(),
            numbers,
            kind: kind.map(str::to_owned),
            detail: guess.as_ref().and_then(|g| g.detail),
            class: class.map(str::to_owned),
            confidence: guess.as_ref().map(|g| g.confidence),
            evidence: guess.as_ref().map(|g| g.evidence.clone()).unwrap_or_default(),
            findings,
            bad: self.bad,
        };
        (profile, values)
    }

    fn findings(&mut self, guess: Option<&KindGuess>) -> Vec<Finding> {
        let mut found = self.mistakes.findings();
        if self.misfits > 0
            && let Some(guess) = guess
        {
            let form = format!("not have the form of `{}`", guess.kind);
            let code = format!("invalid-{}", guess.kind.replace('_', "-"));
            found.push(Finding::new(code, self.misfits, &format!("does {form}"), &format!("do {form}")));
        }
        if self.sentinels > 0 {
            found.push(Finding::new(
                "sentinel",
                self.sentinels,
                "stands for \"unknown\"",
                "stand for \"unknown\"",
            ));
        }
        let known = self.values - self.blanks - self.sentinels;
        let texts = known.saturating_sub(self.numbers);
        if self.is_text && !self.strict && self.numbers > 0 && texts > 0 && texts * 20 <= self.numbers {
            found.push(Finding::new(
                "mixed-types",
                texts,
                "is no number where nearly all others are",
                "are no numbers where nearly all others are",
            ));
        }
        if self.values == 0 && self.nulls > 0 {
            found.push(Finding {
                code: "empty".into(),
                rows: self.nulls,
                message: "no row has a value".into(),
            });
        }
        let most = self.top.top(1, 2).first().map_or(0, |(_, rows)| *rows);
        if known >= 100 && most * 100 >= known * 99 {
            found.push(Finding::new("near-constant", most, "is the same", "are the same"));
        }
        if self.out_of_range > 0 {
            let (one, many) = ("lies outside what its kind can be", "lie outside what their kind can be");
            found.push(Finding::new("out-of-range", self.out_of_range, one, many));
        }
        let (all, odd) = (self.cases.iter().sum::<u64>(), self.cases[0] + self.cases[1]);
        if odd > 0 && odd * 5 <= all {
            let (one, many) =
                ("is in capitals or in small letters only", "are in capitals or in small letters only");
            found.push(Finding::new("casing", odd, one, many));
        }
        found.extend(self.patterns(known));
        found.extend(self.far_out());
        found
    }

    /// One pattern for nearly all values and another for the rest.
    fn patterns(&self, known: u64) -> Option<Finding> {
        let first = self.shapes.top(1, 1).first().map_or(0, |(_, rows)| *rows);
        let rest = known.saturating_sub(first);
        (self.is_text && known >= 100 && rest > 0 && rest * 20 <= known).then(|| {
            let (one, many) = ("has another pattern than nearly all", "have another pattern than nearly all");
            Finding::new("odd-pattern", rest, one, many)
        })
    }

    /// Numbers farther from the middle half than ten times its width: an estimate, as the quantiles are.
    fn far_out(&mut self) -> Option<Finding> {
        let all = self.digest.count();
        let (low, high) = (self.digest.quantile(0.25)?, self.digest.quantile(0.75)?);
        let width = (high - low) * 10.0;
        if all < NUMBERS_MIN || width <= 0.0 || self.numbers * 2 < all {
            return None;
        }
        let share = self.digest.share_below(low - width) + 1.0 - self.digest.share_below(high + width);
        let rows = (share * all as f64).round() as u64;
        (rows > 0 && rows * 50 < all)
            .then(|| Finding::new("far-out", rows, "lies far from all others", "lie far from all others"))
    }
}

/// The text without white space at its ends, told from its first and last byte in most cases.
fn trim(value: &str) -> &str {
    let plain = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = value.as_bytes();
    if plain(bytes.first()) && plain(bytes.last()) { value } else { value.trim() }
}
