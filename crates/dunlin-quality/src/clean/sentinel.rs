//! Texts that stand for "unknown". They are values to a database and nothing to a person.

use super::Outcome;

/// Stand-ins in any column, in lower case.
const ANYWHERE: [&str; 21] = [
    "n/a",
    "n.a.",
    "n/d",
    "-",
    "--",
    "---",
    "?",
    "??",
    "???",
    "unknown",
    "desconocido",
    "inconnu",
    "unbekannt",
    "test@test.com",
    "000-000-0000",
    "9999-12-31",
    "1900-01-01",
    "0000-00-00",
    "0000-00-00 00:00:00",
    "xxx",
    "#n/a",
];

/// Stand-ins that are somebody's name as well: Null, Na and Nil are surnames, so `clean = "name"` keeps them unless the
/// plan's `sentinels` name them.
const NOT_IN_NAMES: [&str; 5] = ["na", "null", "nil", "none", "(null)"];

/// Whether a text can be one of the lists at all: most values are told apart by their length and first character.
fn possible(text: &str) -> bool {
    match text.as_bytes() {
        // The numbers among them are days, a moment and a telephone.
        [b'0' | b'1' | b'9', ..] => matches!(text.len(), 10 | 12 | 19),
        [first, ..] => text.len() <= 13 && b"n-?udixt#(".contains(&first.to_ascii_lowercase()),
        [] => false,
    }
}

fn among(list: &[&str], text: &str) -> bool {
    list.iter().any(|s| text.eq_ignore_ascii_case(s))
}

fn among_more(text: &str, more: &[String]) -> bool {
    !more.is_empty() && {
        let lower = text.to_lowercase();
        more.iter().any(|s| s.trim().to_lowercase() == lower)
    }
}

/// Whether a text stands for "unknown", compared without case and surrounding white space: `N/A`, `na`, `null`, `nil`,
/// `none`, `-`, `?`, `unknown` (and its like in Spanish, French and German), `test@test.com`, `000-000-0000`, `xxx`,
/// the dates 9999-12-31, 1900-01-01 and 0000-00-00, or one of `more`.
pub fn is_sentinel(text: &str, more: &[String]) -> bool {
    let text = text.trim();
    (possible(text) && (among(&ANYWHERE, text) || among(&NOT_IN_NAMES, text))) || among_more(text, more)
}

/// As [`is_sentinel`], for a person's name.
pub(super) fn is_name_sentinel(text: &str, more: &[String]) -> bool {
    let text = text.trim();
    among(&ANYWHERE, text) || among_more(text, more)
}

pub(super) fn blank(value: &str, more: &[String]) -> Outcome<String> {
    match value.trim().is_empty() || is_sentinel(value, more) {
        true => Outcome::Empty,
        false => Outcome::Value(value.to_owned()),
    }
}
