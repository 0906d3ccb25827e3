//! Where full card numbers stand in a text, whatever digits stand beside them: a date, a month of expiry, a security
//! code. Runs of digits are taken apart into their groups, and groups in a row are tried together.
//!
//! Not here: whether a number found is meant as a card's; of sixteen digits with a known beginning one in ten satisfies
//! Luhn's sum by accident.

use std::ops::Range;

use super::is_card;

/// Cards are written in at most so many groups.
const GROUPS_MAX: usize = 6;
/// Among other digits cards are written in groups of at least so many, but for the last.
const GROUP_MIN: usize = 4;
/// ISO/IEC 7812-1.
const DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// The places of card numbers, ascending, without overlaps.
pub(crate) fn card_numbers(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for run in runs(text) {
        let mut at = 0;
        while at < run.len() {
            let most = GROUPS_MAX.min(run.len() - at);
            let hit = (1..=most).rev().find(|n| is_window(text, &run, at, *n));
            if let Some(n) = hit {
                found.push(run[at].start..run[at + n - 1].end);
            }
            at += hit.unwrap_or(1);
        }
    }
    found
}

/// Whether `n` groups of a run, from `at` on, are a card's number.
fn is_window(text: &str, run: &[Range<usize>], at: usize, n: usize) -> bool {
    let groups = &run[at..at + n];
    let digits: usize = groups.iter().map(Range::len).sum();
    let whole = n == run.len();
    if !DIGITS.contains(&digits) || (!whole && groups[..n - 1].iter().any(|g| g.len() < GROUP_MIN)) {
        return false;
    }
    let part = &text[groups[0].start..groups[n - 1].end];
    match part.contains('\u{a0}') {
        true => is_card(&part.replace('\u{a0}', " ")),
        false => is_card(part),
    }
}

/// Groups of digits that stand in a row, apart by one blank or hyphen. Digits glued to letters are in none.
fn runs(text: &str) -> Vec<Vec<Range<usize>>> {
    let bytes = text.as_bytes();
    let mut runs: Vec<Vec<Range<usize>>> = Vec::new();
    let mut open = false;
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && bytes[at].is_ascii_digit() {
            at += 1;
        }
        let glued = |c: char| c.is_alphanumeric() || c == '_';
        if text[..start].ends_with(glued) || text[at..].starts_with(glued) {
            open = false;
            continue;
        }
        match runs.last_mut().filter(|_| open) {
            Some(run) => run.push(start..at),
            None => {
                let first = start..at;
                runs.push(std::iter::once(first).collect());
            }
        }
        // One mark, and digits behind it, go on with the run.
        let mark = text[at..].chars().next().filter(|c| matches!(c, ' ' | '-' | '\u{a0}'));
        let next = mark.and_then(|mark| bytes.get(at + mark.len_utf8()));
        open = next.is_some_and(u8::is_ascii_digit);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<&str> {
        card_numbers(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn a_card_is_found_beside_other_digits() {
        let card = "4111 1111 1111 1111";
        for text in [
            "4111 1111 1111 1111 12/27",
            "4111 1111 1111 1111 12",
            "12 4111 1111 1111 1111",
            "4111 1111 1111 1111 123 CVV 123",
        ] {
            assert_eq!(told(text), [card], "{text}");
        }
        assert_eq!(told("2026-11-01 4111111111111111"), ["4111111111111111"]);
        assert_eq!(told("4111\u{a0}1111\u{a0}1111\u{a0}1111 1227").len(), 1);
        assert_eq!(told("4111111111111111 3782-822463-10005"), ["4111111111111111", "3782-822463-10005"]);
    }

    #[test]
    fn look_alikes_are_none() {
        for text in
            ["", "é", "4111 1111 1111 1112 12/27", "A4111111111111111", "4111111111111111B", "2026-11-01 10"]
        {
            assert_eq!(told(text), Vec::<&str>::new(), "{text}");
        }
    }
}
