//! The rules, grouped by what they look at. Each compares with what was usual and says the numbers.

pub(super) mod attempts;
pub(super) mod data;
pub(super) mod sign_in;
pub(super) mod standing;

use super::engine::{Finding, Number};
use super::memory::Memory;
use super::{Evidence, Rule, Seen, Severity, Thresholds};

/// One thing before the rules.
pub(super) struct Case<'a> {
    pub(super) t: &'a Thresholds,
    pub(super) memory: &'a mut Memory,
    pub(super) seen: &'a Seen,
    pub(super) found: Vec<Finding>,
}

/// What a rule says; the rest of a finding is known from the case.
pub(super) struct Says {
    pub(super) rule: Rule,
    pub(super) severity: Severity,
    /// Whom it is about: a person's id, `local:<user>`, or something else.
    pub(super) subject: String,
    pub(super) what: String,
    pub(super) why: String,
    pub(super) numbers: Vec<Number>,
    pub(super) evidence: Vec<Evidence>,
}

impl Case<'_> {
    pub(super) fn find(&mut self, person: Option<&str>, says: Says) {
        let person = person.filter(|p| !p.starts_with("local:")).map(str::to_owned);
        let mut evidence = says.evidence;
        if !evidence.contains(&self.seen.source) {
            evidence.push(self.seen.source.clone());
        }
        self.found.push(Finding {
            rule: says.rule,
            severity: says.severity,
            person,
            subject: says.subject,
            what: says.what,
            why: says.why,
            numbers: says.numbers,
            evidence,
            source: self.seen.source.clone(),
            at: self.seen.at,
        });
    }
}

pub(super) fn number(name: &str, value: f64, compared: f64) -> Number {
    Number { name: name.to_owned(), value, compared }
}

/// A count in a text: digits in groups of three.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 day`, `3 days`.
pub(super) fn plural(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {one}s", count(n)) }
}
