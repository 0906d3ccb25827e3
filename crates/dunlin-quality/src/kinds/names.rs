//! What a column's name says, in English, Spanish, French, German and Portuguese. Words are compared without case,
//! marks and separators; `firstName`, `first_name` and `FIRSTNAME` are the same. The words are data:
//! `data/words/column_names.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::value::fold;

const TEXT: &str = include_str!("../../data/words/column_names.txt");

/// Words behind which a name is about something of what stands before: when, of which kind, how many.
const ABOUT: [&str; 20] = [
    "at",
    "on",
    "date",
    "time",
    "type",
    "count",
    "flag",
    "verified",
    "status",
    "sent",
    "valid",
    "confirmed",
    "opt",
    "changed",
    "updated",
    "created",
    "length",
    "format",
    "required",
    "enabled",
];

/// Words that make what they stand beside a thing's: neither `product_name` nor `store_email` is a person's.
const THINGS: [&str; 22] = [
    "product", "file", "table", "column", "company", "store", "item", "host", "domain", "brand", "plan",
    "event", "template", "category", "producto", "empresa", "campaign", "project", "hotel", "movie", "song",
    "book",
];

struct Word {
    kind: &'static str,
    detail: &'static str,
    text: &'static str,
    ambiguous: bool,
}

static WORDS: LazyLock<HashMap<String, Vec<Word>>> = LazyLock::new(|| {
    let mut all: HashMap<String, Vec<Word>> = HashMap::with_capacity(2_048);
    for line in TEXT.lines().filter(|l| !l.starts_with('#')) {
        let Some((what, words)) = line.split_once(':') else { continue };
        let (kind, detail) = what.split_once('/').unwrap_or((what, ""));
        for word in words.split('|').map(str::trim) {
            let (text, ambiguous) = word.strip_suffix('?').map_or((word, false), |w| (w, true));
            let same = all.entry(text.replace(' ', "")).or_default();
            if !same.iter().any(|w| w.kind == kind && w.detail == detail) {
                same.push(Word { kind, detail, text, ambiguous });
            }
        }
    }
    all
});

/// What a name says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    /// The kind; `none` says that it is of something else.
    pub(super) kind: &'static str,
    /// Which of its kind, or empty.
    pub(super) detail: &'static str,
    /// The word that says it.
    pub(super) word: &'static str,
    /// From 0 to 1: alone it is surer than among others.
    pub(super) strength: f64,
    /// Whether the word may mean something else, so that the values must agree.
    pub(super) ambiguous: bool,
}

/// What a column's name says, the surest first; several kinds where a word has several meanings.
pub(super) fn said(name: &str) -> Vec<Said> {
    let parts = parts(name);
    let mut found: Vec<(usize, usize, Said)> = Vec::new();
    for from in 0..parts.len() {
        let mut joined = String::new();
        for to in from..parts.len().min(from + 5) {
            joined.push_str(&parts[to]);
            for word in WORDS.get(&joined).into_iter().flatten() {
                if let Some(strength) = strength(&parts, from, to, word) {
                    let said = Said {
                        kind: word.kind,
                        detail: word.detail,
                        word: word.text,
                        strength,
                        ambiguous: word.ambiguous,
                    };
                    found.push((from, to, said));
                }
            }
        }
    }
    // What stands inside a longer word that was understood says nothing of its own: the `name` of `company name`.
    let inside = |a: &(usize, usize, Said), b: &(usize, usize, Said)| {
        b.0 <= a.0 && a.1 <= b.1 && (b.1 - b.0) > (a.1 - a.0)
    };
    let mut said: Vec<Said> =
        found.iter().filter(|a| !found.iter().any(|b| inside(a, b))).map(|(.., said)| *said).collect();
    said.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    said
}

fn strength(parts: &[String], from: usize, to: usize, word: &Word) -> Option<f64> {
    let rest = || parts[..from].iter().chain(&parts[to + 1..]).map(String::as_str);
    let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if rest().all(number) {
        return Some(0.97);
    }
    if word.kind == "none" {
        return Some(0.85);
    }
    if rest().any(|part| THINGS.contains(&part)) {
        return None;
    }
    let behind: Vec<&str> = parts[to + 1..].iter().map(String::as_str).filter(|p| !number(p)).collect();
    match behind.last() {
        // `id` behind a word names a reference.
        Some(&("id" | "ref" | "key" | "fk" | "idx")) => None,
        Some(last) if ABOUT.contains(last) => None,
        // The last word of a name is what the thing is; before it stands what it belongs to.
        Some(_) if word.text.len() <= 4 => None,
        Some(_) => Some(0.75),
        // A short or very common word among others is weak: `web`, `land`, `name`.
        None if word.text.len() <= 4 => Some(0.8),
        None => Some(0.9),
    }
}

/// The words of a name, folded: cut at separators, at a capital behind a small letter, and before digits.
pub(super) fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut before = ' ';
    for letter in name.chars() {
        let starts = !before.is_alphanumeric()
            || (before.is_lowercase() && letter.is_uppercase())
            || (!before.is_ascii_digit() && letter.is_ascii_digit());
        if letter.is_alphanumeric() {
            match parts.last_mut().filter(|_| !starts) {
                Some(part) => part.push(letter),
                None => parts.push(letter.to_string()),
            }
        } else if unicode_normalization::char::is_combining_mark(letter) {
            continue;
        }
        before = letter;
    }
    parts.iter_mut().for_each(|part| *part = fold(part));
    parts
}
