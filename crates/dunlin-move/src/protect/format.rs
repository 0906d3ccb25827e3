//! `format`: a keyed stand-in of the same length and kinds of characters, so that what reads the copy finds what it
//! expects. Digits stay digits, small letters small, capitals capital, each of its own script ([`super::alphabet`]); all
//! else stays where it is.
//!
//! The construction is a balanced Feistel network over the text's symbols, after FF1 of NIST SP 800-38G: the positions
//! fall into two halves, and in each of ten rounds one half is added to, symbol by symbol and modulo the size of each
//! symbol's alphabet, with what keyed BLAKE3 gives for the other half, the round and the text's shape. It is *not* FF1:
//! its round function is not AES, and halves are added to as vectors, not as one number; it is a permutation for the same
//! reason. As SP 800-38G says of every such scheme: fewer than a million possible texts are few enough to be tried. A
//! key of four digits is hidden from the eye, not from somebody who can have values protected.
//!
//! Texts with check digits (card numbers, identifiers of states, bank accounts) come out valid. The permutation is walked
//! until it meets a text that is valid as the first one was, or like it as nothing (cycle walking), so that it remains a
//! permutation among such texts: two customers never become one, in whatever letters they are written. A card keeps its
//! first six digits; an IBAN its country, and its check digits are computed.

use dunlin_quality::{identifier_of, is_identifier};

use super::alphabet::{Place, place};

/// As in FF1.
const ROUNDS: u8 = 10;
/// Of the texts of an identifier's form one in a few tens is valid, seldom one in thousands.
const STEPS_MAX: usize = 20_000;
/// What of a card number names its bank; receipts may show it.
const CARD_PREFIX: usize = 6;

/// A stand-in for a text; `None` where none of its form is within reach. `kind` is the plan's; the key is 32 bytes.
pub(super) fn stand_in(key: &[u8; 32], kind: Option<&str>, text: &str) -> Option<String> {
    let kind = kind.unwrap_or_default();
    let mut symbols = Symbols::of(text);
    if kind == "iban" && is_identifier("iban", text) {
        return Some(iban(key, symbols));
    }
    let detail = identifier_of(kind, text);
    if kind == "card_number" {
        symbols.keep_first(CARD_PREFIX);
    }
    for _ in 0..STEPS_MAX {
        symbols.permute(key, kind);
        let text = symbols.text();
        // Valid texts of one form become each other, and so do those that are valid as nothing: where a text of one set
        // could come out in another, two customers could become one.
        if identifier_of(kind, &text) == detail {
            return Some(text);
        }
    }
    // Any other text of this shape may be somebody's stand-in.
    None
}

/// An IBAN: the country stays, the account is permuted, the check digits follow (ISO 13616, ISO/IEC 7064 MOD 97-10).
fn iban(key: &[u8; 32], mut symbols: Symbols) -> String {
    // The check digits follow from the rest: they are no part of what decides on the permutation.
    symbols.replace(2, '0');
    symbols.replace(3, '0');
    symbols.keep_first(4);
    symbols.permute(key, "iban");
    let mut bare: Vec<char> = symbols.bare();
    bare[2..4].fill('0');
    let value = |c: &char| c.to_digit(36).unwrap_or_default();
    let moved = bare[4..].iter().chain(&bare[..4]);
    let rest = moved.fold(0u32, |rest, c| match value(c) {
        digit @ 0..=9 => (rest * 10 + digit) % 97,
        letter => (rest * 100 + letter) % 97,
    });
    let check = format!("{:02}", 98 - rest);
    let mut digits = check.chars();
    symbols.replace(2, digits.next().unwrap_or('0'));
    symbols.replace(3, digits.next().unwrap_or('0'));
    symbols.text()
}

/// A text taken apart: what is permuted, and what stays.
struct Symbols {
    all: Vec<char>,
    /// Positions of letters and digits, in order.
    places: Vec<usize>,
    /// So many of them stay.
    kept: usize,
}

impl Symbols {
    fn of(text: &str) -> Self {
        let all: Vec<char> = text.chars().collect();
        let places = (0..all.len()).filter(|at| place(all[*at]).is_some()).collect();
        Self { all, places, kept: 0 }
    }

    fn keep_first(&mut self, kept: usize) {
        self.kept = kept.min(self.places.len());
    }

    fn text(&self) -> String {
        self.all.iter().collect()
    }

    /// Letters and digits alone, in capitals.
    fn bare(&self) -> Vec<char> {
        self.places.iter().map(|at| self.all[*at].to_ascii_uppercase()).collect()
    }

    fn replace(&mut self, place: usize, c: char) {
        if let Some(at) = self.places.get(place) {
            self.all[*at] = c;
        }
    }

    /// One step of the permutation.
    fn permute(&mut self, key: &[u8; 32], tweak: &str) {
        let moving: Vec<usize> = self.places[self.kept..].to_vec();
        // What stays is part of the tweak, and so is the shape: texts of another shape are permuted otherwise.
        let Some(start) = moving.first().copied() else { return };
        let shape = |(at, c): (usize, &char)| match place(*c) {
            Some(place) if at >= start => place.first,
            _ => *c,
        };
        let stays: String = self.all.iter().enumerate().map(shape).collect();
        let mut letters: Vec<Place> = moving.iter().filter_map(|at| place(self.all[*at])).collect();
        let middle = letters.len() / 2;
        for round in 0..ROUNDS {
            let (left, right) = letters.split_at_mut(middle);
            let (changed, other) = if round % 2 == 0 { (right, left) } else { (left, right) };
            let mut hasher = blake3::Hasher::new_keyed(key);
            hasher.update(b"format\0").update(tweak.as_bytes()).update(&[0, round]);
            hasher.update(stays.as_bytes()).update(&[0]);
            other.iter().for_each(|letter| match letter.size {
                0..=256 => drop(hasher.update(&[letter.at as u8])),
                _ => drop(hasher.update(&letter.at.to_le_bytes())),
            });
            let mut stream = hasher.finalize_xof();
            for letter in changed {
                // 64 bits over an alphabet of 26: the bias is below 2^-59; of all ideographs, below 2^-46.
                let mut bytes = [0; 8];
                stream.fill(&mut bytes);
                let add = (u64::from_le_bytes(bytes) % u64::from(letter.size)) as u32;
                letter.at = (letter.at + add) % letter.size;
            }
        }
        for (at, letter) in moving.iter().zip(letters) {
            self.all[*at] = Place::letter(letter.first, letter.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn shape(text: &str) -> String {
        text.chars().map(|c| place(c).map_or(c, |place| place.first)).collect()
    }

    #[test]
    fn check_digits_come_out_valid() {
        for (kind, text) in [
            ("card_number", "4111 1111 1111 1111"),
            ("card_number", "378282246310005"),
            ("iban", "ES91 2100 0418 4502 0005 1332"),
            ("iban", "GB29NWBK60161331926819"),
            ("national_id", "12345678Z"),
            ("national_id", "529.982.247-25"),
        ] {
            let token = stand_in(&KEY, Some(kind), text).unwrap();
            assert_ne!(token, text);
            assert_eq!(shape(&token), shape(text), "{kind}: {token}");
            assert!(identifier_of(kind, &token).is_some(), "{kind}: {token} is not valid");
            assert_eq!(Some(&token), stand_in(&KEY, Some(kind), text).as_ref(), "the same each time");
            assert_ne!(
                Some(&token),
                stand_in(&[8; 32], Some(kind), text).as_ref(),
                "another key, another token"
            );
        }
        let of = |kind, text| stand_in(&KEY, Some(kind), text).unwrap();
        assert!(of("card_number", "4111111111111111").starts_with("411111"));
        assert!(of("iban", "ES9121000418450200051332").starts_with("ES"));
    }

    #[test]
    fn no_two_values_become_one() {
        let all: HashSet<String> =
            (0..10_000).map(|n| stand_in(&KEY, None, &format!("{n:04}")).unwrap()).collect();
        assert_eq!(all.len(), 10_000);
        let one: HashSet<String> =
            ('a'..='z').map(|c| stand_in(&KEY, None, &c.to_string()).unwrap()).collect();
        assert_eq!(one.len(), 26);
        // Among valid numbers as well.
        let valid = (0..100_000u32).map(|n| format!("{n:08}")).filter_map(|digits| {
            let letter = b"TRWAGMYFPDXBNJZSQVHLCKE"[digits.parse::<usize>().ok()? % 23] as char;
            Some(format!("{digits}{letter}"))
        });
        let ids: Vec<String> = valid.step_by(97).collect();
        let tokens: HashSet<String> =
            ids.iter().map(|id| stand_in(&KEY, Some("national_id"), id).unwrap()).collect();
        assert_eq!(tokens.len(), ids.len());
    }

    #[test]
    fn numbers_valid_by_several_details_stay_apart() {
        // Of eleven digits several states make numbers, and one text can be valid for more than one of them, or for none.
        for (width, step) in [(9usize, 49_999u64), (11, 4_999_999)] {
            let all = (0..20_000u64).map(|n| format!("{:0width$}", 1_000_003 + n * step));
            let texts: HashSet<String> = all.filter(|text| text.len() == width).collect();
            let mut details = HashSet::new();
            let mut tokens = HashSet::new();
            for text in &texts {
                let token = stand_in(&KEY, Some("national_id"), text).unwrap();
                let detail = identifier_of("national_id", text);
                assert_eq!(identifier_of("national_id", &token), detail, "{text}");
                details.insert(detail);
                assert!(tokens.insert(token), "{text}: two became one");
            }
            assert!(details.len() > 2, "{width} digits: {details:?}");
        }
    }

    #[test]
    fn accounts_stay_apart_whatever_their_check_digits() {
        let valid = (0..20_000u32).filter_map(|n| {
            let bare = format!("DE0037040044{:010}", n * 7);
            let check =
                (0..100).map(|c| format!("DE{c:02}{}", &bare[4..])).find(|t| is_identifier("iban", t));
            check.filter(|_| n % 10 == 0)
        });
        let ibans: Vec<String> = valid.collect();
        assert!(ibans.len() > 1_000);
        let tokens: HashSet<String> =
            ibans.iter().map(|iban| stand_in(&KEY, Some("iban"), iban).unwrap()).collect();
        assert_eq!(tokens.len(), ibans.len());
    }

    #[test]
    fn no_two_texts_become_one_in_any_letters() {
        // Every pair of small letters of Latin-1, and of one of these and one that is plain.
        let letters: Vec<char> =
            ('\u{80}'..='\u{ff}').chain('a'..='z').filter(|c| c.is_lowercase()).collect();
        let pairs = || letters.iter().flat_map(|a| letters.iter().map(move |b| format!("{a}{b}")));
        let tokens: HashSet<String> = pairs().map(|text| stand_in(&KEY, None, &text).unwrap()).collect();
        assert_eq!(tokens.len(), pairs().count());
        for alphabet in [['Α', 'Ω'], ['А', 'Я'], ['א', 'ת'], ['一', '丿'], ['가', '갛']] {
            let texts: Vec<String> = (alphabet[0]..=alphabet[1])
                .flat_map(|a| (0..10).map(move |n| format!("{a}-{n}{a}")))
                .collect();
            let tokens: HashSet<String> =
                texts.iter().map(|text| stand_in(&KEY, None, text).unwrap()).collect();
            assert_eq!(tokens.len(), texts.len(), "{alphabet:?}");
            assert!(
                texts.iter().filter(|text| tokens.contains(*text)).count() < texts.len(),
                "nothing moved"
            );
        }
    }

    proptest! {
        #[test]
        fn one_letter_changed_gives_another_text(text in "\\PC{1,20}", at in any::<prop::sample::Index>(), step in 1u32..50) {
            let mut other: Vec<char> = text.chars().collect();
            let at = at.index(other.len());
            let Some(of) = place(other[at]) else { return Ok(()) };
            other[at] = Place::letter(of.first, (of.at + step) % of.size);
            let other: String = other.into_iter().collect();
            if other != text {
                prop_assert_ne!(stand_in(&KEY, None, &text), stand_in(&KEY, None, &other));
            }
        }

        #[test]
        fn the_shape_stays_in_any_letters(text in "\\PC{0,40}") {
            let token = stand_in(&KEY, None, &text).unwrap();
            prop_assert_eq!(shape(&token), shape(&text));
        }

        #[test]
        fn the_shape_stays_whatever_the_text(text in "[A-Za-z0-9 @.+-]{0,60}") {
            let token = stand_in(&KEY, Some("phone"), &text).unwrap();
            prop_assert_eq!(shape(&token), shape(&text));
        }

        #[test]
        fn any_text_is_taken(text in "\\PC{0,40}", kind in "card_number|iban|email|national_id") {
            if let Some(token) = stand_in(&KEY, Some(&kind), &text) {
                prop_assert_eq!(token.chars().count(), text.chars().count());
            }
        }
    }
}
