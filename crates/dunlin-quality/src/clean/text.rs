//! White space and names of persons.

use super::Outcome;
use super::sentinel::is_name_sentinel;

/// Words inside a name that stay small.
const PARTICLES: [&str; 33] = [
    "de", "del", "della", "dello", "di", "da", "das", "do", "dos", "du", "des", "la", "las", "los", "le",
    "les", "van", "von", "vom", "der", "den", "ten", "ter", "zu", "zur", "zum", "y", "e", "af", "av", "bin",
    "bint", "ibn",
];

const ROMAN: [&str; 5] = ["ii", "iii", "iv", "vi", "vii"];

pub(super) fn trim(value: &str) -> Outcome<String> {
    match value.trim() {
        "" => Outcome::Empty,
        text => Outcome::Value(text.to_owned()),
    }
}

pub(super) fn name(value: &str, more: &[String]) -> Outcome<String> {
    let words: Vec<&str> = value.split_whitespace().collect();
    let joined = words.join(" ");
    if joined.is_empty() || is_name_sentinel(&joined, more) {
        return Outcome::Empty;
    }
    let (upper, lower) = (joined.chars().any(char::is_uppercase), joined.chars().any(char::is_lowercase));
    if upper == lower {
        return Outcome::Value(joined);
    }
    let titled: Vec<String> = words.iter().enumerate().map(|(at, word)| title(word, at == 0)).collect();
    Outcome::Value(titled.join(" "))
}

fn title(word: &str, first: bool) -> String {
    let lower = word.to_lowercase();
    if !first && PARTICLES.contains(&lower.as_str()) {
        return lower;
    }
    if !first && ROMAN.contains(&lower.as_str()) {
        return lower.to_uppercase();
    }
    let parts: Vec<String> = lower.split('-').map(title_part).collect();
    parts.join("-")
}

fn title_part(part: &str) -> String {
    // O'Brien, D'Angelo, L’Oréal: one letter before the apostrophe.
    let apostrophe = part.char_indices().nth(1).filter(|(_, c)| matches!(c, '\'' | '’'));
    if let Some((at, mark)) = apostrophe {
        let rest = &part[at + mark.len_utf8()..];
        return format!("{}{mark}{}", capital(&part[..at]), capital(rest));
    }
    match part.strip_prefix("mc") {
        Some(rest) if rest.chars().count() >= 3 => format!("Mc{}", capital(rest)),
        _ => capital(part),
    }
}

/// The first letter large. A letter whose capital is two letters (ß) stays small, as no name starts with it.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    let mut upper = first.to_uppercase();
    let first = match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => first,
    };
    format!("{first}{}", letters.as_str())
}
