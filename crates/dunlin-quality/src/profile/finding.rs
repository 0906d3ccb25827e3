//! What is wrong with the values of a column, counted while they pass.

use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

use super::shape::Walk;
use crate::clean::iso_date;
use crate::kinds::plain_date;

/// Something about a column that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable code, e.g. `white-space`.
    pub code: String,
    /// How many rows it concerns.
    pub rows: u64,
    /// What it is, without any value.
    pub message: String,
}

impl Finding {
    /// `one` and `many` are what is said of one value and of several.
    pub(super) fn new(code: impl Into<String>, rows: u64, one: &str, many: &str) -> Self {
        let what = if rows == 1 { format!("value {one}") } else { format!("values {many}") };
        Self { code: code.into(), rows, message: format!("{rows} {what}") }
    }
}

/// Counts of the mistakes that can be seen without knowing the kind.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    white_space: u64,
    inner_space: u64,
    mojibake: u64,
    control: u64,
    impossible_date: u64,
}

impl Mistakes {
    /// Looks at a value that occurs `times` times. `trimmed` is the same without white space at its ends.
    pub(super) fn look(&mut self, value: &str, trimmed: &str, walk: &Walk, times: u64) {
        if trimmed.len() != value.len() {
            self.white_space += times;
        } else if walk.double_blank {
            self.inner_space += times;
        }
        if !walk.ascii && is_mojibake(value) {
            self.mojibake += times;
        }
        if walk.control {
            self.control += times;
        }
        if (4..=8).contains(&walk.digits) && is_impossible_date(trimmed) {
            self.impossible_date += times;
        }
    }

    /// Takes in the counts of another part.
    pub(super) fn merge(&mut self, other: &Self) {
        self.white_space += other.white_space;
        self.inner_space += other.inner_space;
        self.mojibake += other.mojibake;
        self.control += other.control;
        self.impossible_date += other.impossible_date;
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let wrong = "text read in the wrong encoding";
        let all = [
            (
                "white-space",
                self.white_space,
                "begins or ends with white space",
                "begin or end with white space",
            ),
            ("inner-space", self.inner_space, "has runs of blanks inside", "have runs of blanks inside"),
            ("mojibake", self.mojibake, &format!("looks like {wrong}"), &format!("look like {wrong}")),
            ("control-characters", self.control, "holds control characters", "hold control characters"),
            (
                "impossible-date",
                self.impossible_date,
                "is a date that no calendar has",
                "are dates that no calendar has",
            ),
        ];
        let seen = all.into_iter().filter(|(_, rows, ..)| *rows > 0);
        seen.map(|(code, rows, one, many)| Finding::new(code, rows, one, many)).collect()
    }
}

/// UTF-8 that was read as Latin-1 or Windows-1252 (`Ã©`, `â€™`), or a replacement character.
fn is_mojibake(value: &str) -> bool {
    if value.is_ascii() {
        return false;
    }
    let continuation = |c: char| {
        matches!(
            c,
            '\u{80}'
                ..='\u{bf}'
                    | '€'
                    | '‚'
                    | 'ƒ'
                    | '„'
                    | '…'
                    | '†'
                    | '‡'
                    | 'ˆ'
                    | '‰'
                    | 'Š'
                    | '‹'
                    | 'Œ'
                    | 'Ž'
                    | '‘'
                    | '’'
                    | '“'
                    | '”'
                    | '•'
                    | '–'
                    | '—'
                    | '˜'
                    | '™'
                    | 'š'
                    | '›'
                    | 'œ'
                    | 'ž'
                    | 'Ÿ'
        )
    };
    let pair = |(first, second): (char, char)| matches!(first, 'Ã' | 'Â' | 'â') && continuation(second);
    value.contains('\u{fffd}') || value.chars().zip(value.chars().skip(1)).any(pair)
}

static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})|(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}))$").ok()
});

fn real(year: u32, month: u32, day: u32) -> bool {
    iso_date(&format!("{year:04}-{month:02}-{day:02}")).is_some()
}

/// Written like a date (year first, or year last in either order of day and month), and none.
fn is_impossible_date(value: &str) -> bool {
    // Cheap before exact: most values are no dates, and most dates are written one way.
    if !(8..=10).contains(&value.len()) || !value.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    if value.bytes().filter(|b| !b.is_ascii_digit()).count() != 2 {
        return false;
    }
    if let Some((year, month, day)) = plain_date(value) {
        return !(1..=12).contains(&month) || day == 0 || (day > 28 && !real(year, month, day));
    }
    let Some(parts) = DATE.as_ref().and_then(|date| date.captures(value)) else { return false };
    let number = |group: usize| parts.get(group).and_then(|m| m.as_str().parse::<u32>().ok());
    let exists = real;
    match (number(1), number(2), number(3), number(4), number(5), number(6)) {
        (Some(y), Some(m), Some(d), ..) => !exists(y, m, d),
        (_, _, _, Some(a), Some(b), Some(y)) => !exists(y, b, a) && !exists(y, a, b),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mojibake_is_told_from_accents() {
        for bad in ["JosÃ©", "donâ€™t", "Ma\u{fffd}ana", "Â¿QuÃ©?"] {
            assert!(is_mojibake(bad), "{bad}");
        }
        for good in ["José", "L’Âge d’or", "Ângela", "São João", "plain", "Château"] {
            assert!(!is_mojibake(good), "{good}");
        }
    }

    #[test]
    fn one_value_is_spoken_of_as_one() {
        let mut mistakes = Mistakes::default();
        let mut look = |value: &str| mistakes.look(value, value.trim(), &Walk::through(value), 1);
        look(" a");
        look("31/02/1990");
        look("32/02/1990");
        let said: Vec<String> = mistakes.findings().into_iter().map(|f| f.message).collect();
        assert_eq!(
            said,
            ["1 value begins or ends with white space", "2 values are dates that no calendar has"]
        );
    }

    #[test]
    fn impossible_dates() {
        for bad in ["31/02/1990", "2023-02-29", "1990-13-01", "45.01.2000"] {
            assert!(is_impossible_date(bad), "{bad}");
        }
        for good in ["31/12/1990", "12/31/1990", "2024-02-29", "1-1-2000", "12345678", "12-34-56"] {
            assert!(!is_impossible_date(good), "{good}");
        }
    }
}
