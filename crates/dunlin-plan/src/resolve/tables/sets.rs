//! `[[table.set]]`: what must hold of all rows of a table together.

use std::str::FromStr;

use super::table_ref;
use crate::finding::{Finding, Log};
use crate::set::{SetPlan, SetRule};
use crate::vocabulary::Otherwise;
use crate::walk::{Section, Walk};

pub(crate) const SET: Section = Section {
    form: "Set",
    keys: &["name", "unique", "refers", "to", "key", "sum", "equals", "at_least", "at_most", "otherwise"],
};

/// What an example of each rule looks like.
const WAYS: &str = "write `unique = [\"email\"]`, or `refers = [\"customer\"]` with `to` and `key`, or `sum = \"amount\"` with \
                    `equals`, or `at_least` and `at_most`";

pub(super) fn sets(table: &Walk<'_>, log: &mut Log) -> Vec<SetPlan> {
    let sets = table.children("set", "[[table.set]]", log).into_iter().filter_map(|(set, span)| {
        let place = match set.get("name").and_then(|item| item.as_str()) {
            Some(name) => format!("[[table.set]] \"{name}\""),
            None => "[[table.set]]".to_owned(),
        };
        let walk = Walk::enter(set, &SET, place, span, log);
        let name = walk.required("name", "a `name` that says what must hold", log);
        let rule = rule(&walk, log);
        let otherwise = walk.word("otherwise", log);
        if otherwise.is_none() && !walk.has("otherwise") {
            walk.missing("otherwise", log, "`otherwise = \"stop\"`: what happens where it does not hold");
        }
        let span = if walk.has("name") { walk.value_span("name") } else { span };
        let (name, rule, otherwise) = (name?.value, rule?, otherwise?);
        possible(&walk, &rule, otherwise, log);
        Some(SetPlan { name, rule, otherwise, span })
    });
    sets.collect()
}

fn rule(walk: &Walk<'_>, log: &mut Log) -> Option<SetRule> {
    let counts = walk.has("at_least") || walk.has("at_most");
    let said = [walk.has("unique"), walk.has("refers"), walk.has("sum"), counts];
    if said.iter().filter(|said| **said).count() != 1 {
        let message = format!("{} must say one thing that holds", walk.place);
        log.push(Finding::error("plan-set", walk.span, message).help(WAYS));
        return None;
    }
    let strange = |keys: &[&'static str]| keys.iter().copied().find(|key| walk.has(key));
    let unused = match said {
        [_, true, ..] => strange(&["equals"]),
        [_, _, true, _] => strange(&["to", "key"]),
        _ => strange(&["to", "key", "equals"]),
    };
    if let Some(key) = unused {
        let message = format!("`{key}` in {} belongs to another rule", walk.place);
        log.push(Finding::error("plan-set", walk.value_span(key), message).help(WAYS));
    }
    match said {
        [true, ..] => Some(SetRule::Unique { unique: columns(walk, "unique", log)? }),
        [_, true, ..] => refers(walk, log),
        [_, _, true, _] => sum(walk, log),
        _ => count(walk, log),
    }
}

/// Column names, at least one, each once.
fn columns(walk: &Walk<'_>, key: &str, log: &mut Log) -> Option<Vec<String>> {
    let listed = walk.texts(key, log)?;
    let mut columns: Vec<String> = Vec::new();
    let mut bad = listed.value.is_empty().then_some(listed.span);
    for column in listed.value {
        if column.value.trim().is_empty() || columns.contains(&column.value) {
            bad = Some(column.span);
        }
        columns.push(column.value);
    }
    if let Some(span) = bad {
        let message = format!("`{key}` in {} names no column, or one twice", walk.place);
        log.push(Finding::error("plan-set", span, message).help("name each column once"));
        return None;
    }
    Some(columns)
}

fn refers(walk: &Walk<'_>, log: &mut Log) -> Option<SetRule> {
    let refers = columns(walk, "refers", log);
    let to =
        table_ref(walk.required("to", "`to = \"store.table\"`: the table that is referred to", log), log);
    if !walk.has("key") {
        walk.missing("key", log, "`key = [\"id\"]`: the columns there");
    }
    let key = columns(walk, "key", log)?;
    let refers = refers?;
    if key.len() != refers.len() {
        let message = format!("{} refers by {} columns to {}", walk.place, refers.len(), key.len());
        log.push(
            Finding::error("plan-set", walk.value_span("key"), message).help("name as many on either side"),
        );
        return None;
    }
    Some(SetRule::Refers { refers, to: to?, key })
}

fn sum(walk: &Walk<'_>, log: &mut Log) -> Option<SetRule> {
    let sum = walk.words("sum", log)?.value;
    let equals = walk.required("equals", "`equals = \"0.00\"`: a text, so that no digit is lost", log)?;
    let text = equals.value.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let number =
        |part: &str| !part.is_empty() && part.len() <= 38 && part.bytes().all(|b| b.is_ascii_digit());
    if !number(whole) || !number(fraction) {
        let message = format!("`equals` in {} is no decimal number", walk.place);
        log.push(Finding::error("plan-set", equals.span, message).help("write `equals = \"1234.50\"`"));
        return None;
    }
    Some(SetRule::Sum { sum, equals: text.to_owned() })
}

fn count(walk: &Walk<'_>, log: &mut Log) -> Option<SetRule> {
    let mut bound = |key: &str| match walk.number(key, log) {
        None => Ok(None),
        Some(number) => match u64::from_str(&number.value.to_string()) {
            Ok(rows) => Ok(Some(rows)),
            Err(_) => {
                let message = format!("`{key}` in {} is no number of rows", walk.place);
                log.push(Finding::error("plan-set", number.span, message).help("write a whole number"));
                Err(())
            }
        },
    };
    let (at_least, at_most) = (bound("at_least").ok()?, bound("at_most").ok()?);
    if let (Some(least), Some(most)) = (at_least, at_most)
        && least > most
    {
        let message = format!("`at_least` in {} is more than `at_most`", walk.place);
        log.push(Finding::error("plan-set", walk.value_span("at_least"), message).help("turn them round"));
        return None;
    }
    Some(SetRule::Count { at_least, at_most })
}

/// Rows can be held back where it is known which ones stand against the rule.
fn possible(walk: &Walk<'_>, rule: &SetRule, otherwise: Otherwise, log: &mut Log) {
    let of_rows = matches!(rule, SetRule::Unique { .. } | SetRule::Refers { .. });
    let help = match (otherwise, of_rows) {
        (Otherwise::Stop | Otherwise::Warn, _) | (Otherwise::Quarantine, true) => return,
        (_, true) => "write quarantine, stop or warn",
        (_, false) => "no single row is to blame for a sum or a count: write stop or warn",
    };
    let message = format!("{} cannot have `otherwise = \"{otherwise}\"`", walk.place);
    log.push(Finding::error("plan-set", walk.value_span("otherwise"), message).help(help));
}
