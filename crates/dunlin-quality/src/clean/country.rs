//! Countries, from codes and names to ISO 3166-1 alpha-2.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::Outcome;
use super::sentinel::is_sentinel;

const TABLE: &str = include_str!("../../data/countries.txt");

static BY_NAME: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    let lines = || TABLE.lines().filter(|l| !l.starts_with('#')).map(|l| l.split('|'));
    // Codes before names, so that no name of one country takes the code of another.
    for mut fields in lines() {
        if let (Some(alpha2), Some(alpha3)) = (fields.next(), fields.next()) {
            names.insert(key(alpha2), alpha2);
            names.insert(key(alpha3), alpha2);
        }
    }
    for mut fields in lines() {
        let Some(alpha2) = fields.next() else { continue };
        for name in fields {
            names.entry(key(name)).or_insert(alpha2);
        }
    }
    names
});

/// Letters and digits only, without case and marks.
fn key(name: &str) -> String {
    let folded = name.to_lowercase().replace('ß', "ss");
    folded.nfd().filter(|c| !is_combining_mark(*c) && c.is_alphanumeric()).collect()
}

pub(crate) fn country(value: &str, more: &[String]) -> Outcome<String> {
    let text = value.trim();
    if text.is_empty() {
        return Outcome::Empty;
    }
    let key = key(text);
    let bare = key.strip_prefix("the").unwrap_or(&key);
    // Before the sentinels: NA is Namibia. What the plan itself calls a sentinel comes first all the same.
    let named = !more.is_empty() && more.iter().any(|s| s.trim().eq_ignore_ascii_case(text));
    match BY_NAME.get(&key).or_else(|| BY_NAME.get(bare)) {
        Some(alpha2) if !named => Outcome::Value((*alpha2).to_owned()),
        _ if named || is_sentinel(text, more) => Outcome::Empty,
        _ => Outcome::Failed,
    }
}
