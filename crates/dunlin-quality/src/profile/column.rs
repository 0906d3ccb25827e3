//! One column on its way through the profile: counters of fixed size, fed with one value after the other.

use std::collections::BTreeMap;

use dunlin_connect::ColumnType;

use super::finding::{Finding, Mistakes};
use super::frequent::Frequent;
use super::hll::HyperLogLog;
use super::shape::shape;
use super::{ColumnProfile, Counted, Lengths, Values};
use crate::kinds::{KindGuess, detect, fits};

/// So many values decide the kind; later ones are held against it.
const SAMPLE: usize = 1_000;

/// Kinds whose form is strict enough to call a value wrong.
const STRICT: [&str; 13] = [
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
    "age",
    "geo",
];

/// The counters of one column.
pub(super) struct Column {
    name: String,
    ty: ColumnType,
    nulls: u64,
    values: u64,
    blanks: u64,
    sentinels: u64,
    distinct: HyperLogLog,
    lowest: Option<String>,
    highest: Option<String>,
    top: Frequent,
    shapes: Frequent,
    lengths: Option<(u64, u64, u64)>,
    mistakes: Mistakes,
    numbers: u64,
    sample: Vec<String>,
    kind: Option<Option<KindGuess>>,
    misfits: u64,
    pub(super) bad: BTreeMap<String, u64>,
}

impl Column {
    pub(super) fn new(name: &str, ty: &ColumnType) -> Self {
        Self {
            name: name.to_owned(),
            ty: ty.clone(),
            nulls: 0,
            values: 0,
            blanks: 0,
            sentinels: 0,
            distinct: HyperLogLog::new(),
            lowest: None,
            highest: None,
            top: Frequent::new(),
            shapes: Frequent::new(),
            lengths: None,
            mistakes: Mistakes::default(),
            numbers: 0,
            sample: Vec::new(),
            kind: None,
            misfits: 0,
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
        self.length(value.len() as u64);
    }

    pub(super) fn text(&mut self, value: &str) {
        self.values += 1;
        self.distinct.add(value.as_bytes());
        self.length(value.chars().count() as u64);
        if value.trim().is_empty() {
            self.blanks += 1;
            return;
        }
        self.top.add(value);
        self.shapes.add(&shape(value));
        if self.is_text() {
            self.mistakes.look(value);
            self.numbers += u64::from(value.trim().parse::<f64>().is_ok());
        }
        if crate::is_sentinel(self.dated(value), &[]) {
            self.sentinels += 1;
            return;
        }
        self.bounds(value);
        self.judge(value);
    }

    fn is_text(&self) -> bool {
        matches!(self.ty, ColumnType::Text { .. } | ColumnType::Char { .. })
    }

    /// The day of a timestamp, so that the stand-in dates are recognised with a time behind them.
    fn dated<'a>(&self, value: &'a str) -> &'a str {
        match self.ty {
            ColumnType::Timestamp | ColumnType::TimestampTz => value.get(..10).unwrap_or(value),
            _ => value,
        }
    }

    fn length(&mut self, length: u64) {
        let (min, max, sum) = self.lengths.unwrap_or((length, length, 0));
        self.lengths = Some((min.min(length), max.max(length), sum + length));
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
        let numeric = matches!(
            self.ty,
            ColumnType::Int16
                | ColumnType::Int32
                | ColumnType::Int64
                | ColumnType::Decimal { .. }
                | ColumnType::Numeric
                | ColumnType::Float32
                | ColumnType::Float64
        );
        match (numeric, a.parse::<f64>(), b.parse::<f64>()) {
            (true, Ok(a), Ok(b)) => a < b,
            _ => a < b,
        }
    }

    fn judge(&mut self, value: &str) {
        if self.kind.is_some() {
            self.misfits += u64::from(self.misfit(value));
            return;
        }
        self.sample.push(value.to_owned());
        if self.sample.len() >= SAMPLE {
            self.decide();
        }
    }

    fn decide(&mut self) {
        let sample = std::mem::take(&mut self.sample);
        let texts: Vec<&str> = sample.iter().map(String::as_str).collect();
        self.kind = Some(detect(&self.name, &self.ty, &texts));
        self.misfits = texts.iter().filter(|v| self.misfit(v)).count() as u64;
    }

    fn misfit(&self, value: &str) -> bool {
        let kind = self.kind.as_ref().and_then(Option::as_ref).map(|g| g.kind.as_str());
        kind.is_some_and(|kind| STRICT.contains(&kind) && !fits(kind, value.trim()))
    }

    /// What was found, and the values that show it: those are for the gate.
    pub(super) fn finish(mut self, table: &str, rows: u64) -> (ColumnProfile, Values) {
        if self.kind.is_none() {
            self.decide();
        }
        let guess = self.kind.take().flatten();
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
            kind: kind.map(str::to_owned),
            class: class.map(str::to_owned),
            confidence: guess.as_ref().map(|g| g.confidence),
            evidence: guess.as_ref().map(|g| g.evidence.clone()).unwrap_or_default(),
            findings,
            bad: self.bad,
        };
        (profile, values)
    }

    fn findings(&self, guess: Option<&KindGuess>) -> Vec<Finding> {
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
        if self.is_text() && self.numbers > 0 && texts > 0 && texts * 20 <= self.numbers {
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
        found
    }
}
