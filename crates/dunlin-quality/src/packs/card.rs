//! Payment cards inside texts: full numbers, what a magnetic stripe holds, and security codes beside a number.
//!
//! A number alone in a cell proves little: of sixteen digits with a known beginning one in ten satisfies Luhn's sum by
//! accident. So a number counts where it is written as cards write it, in groups, or stands among words or other digits.

use std::sync::LazyLock;

use regex::Regex;

use crate::kinds::card_numbers;

static CODE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b(cvv2?|cvc2?|cid|csc|security code)\W{0,3}(is\W)?\d{3,4}\b").ok());
static TRACK: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"%[Bb]\d{13,19}\^|;\d{13,19}=\d{4}").ok());

/// Whether a text holds a full card number (ISO/IEC 7812-1: 13 to 19 digits, a known beginning, Luhn's sum) with a cue
/// beside the digits.
pub(super) fn has_card(text: &str) -> bool {
    card_numbers(text).into_iter().any(|range| {
        let grouped = text[range.clone()].contains([' ', '-', '\u{a0}']);
        let beside = |c: char| c.is_alphanumeric();
        grouped || text[..range.start].contains(beside) || text[range.end..].contains(beside)
    })
}

/// Whether a text holds track data, or a security code beside a card number.
pub(super) fn has_track(text: &str) -> bool {
    if text.len() < 13 {
        return false;
    }
    let track = TRACK.as_ref().is_some_and(|track| track.is_match(text));
    track || (CODE.as_ref().is_some_and(|code| code.is_match(text)) && !card_numbers(text).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_a_cue_are_found_and_look_alikes_are_not() {
        for text in [
            "4111 1111 1111 1111",
            "paid with 4111111111111111 today",
            "amex 3782-822463-10005.",
            "4111 1111 1111 1111 12/27",
            "2026-11-01 4111111111111111",
            "4111 1111 1111 1111 123 CVV 123",
        ] {
            assert!(has_card(text), "{text}");
        }
        for text in [
            "4111111111111111",
            "4111 1111 1111 1112",
            "order 1234567890123456",
            "X4111111111111111Y and so on",
            "",
            "é",
        ] {
            assert!(!has_card(text), "{text}");
        }
    }

    #[test]
    fn what_a_stripe_holds_is_found() {
        assert!(has_track("%B4111111111111111^RUIZ/ANA^2912101000?"));
        assert!(has_track(";4111111111111111=29121010000012300?"));
        assert!(has_track("card 4111 1111 1111 1111, CVV 123"));
        assert!(has_track("4111 1111 1111 1111 123 CVV 123"));
        assert!(!has_track("the CVV 123 of nothing"));
        assert!(!has_track("card 4111 1111 1111 1111 was declined"));
    }
}
