//! Made-up values for copies: names, towns, streets, addresses and telephone numbers that look like what they stand for and
//! are nobody's. Which of them stands for a value is decided by a number that the caller derives from the value under a
//! key; the same number gives the same value. Not here: the key.

use std::sync::LazyLock;

use crate::kinds::{CITIES, FAMILY_NAMES, GIVEN_NAMES, listed_words};

/// The kinds for which values can be made up.
pub const FAKE_KINDS: [&str; 7] =
    ["person_name", "given_name", "family_name", "email", "phone", "city", "postal_address"];

const STREETS: [&str; 12] = [
    "Oak", "Mill", "River", "Garden", "Station", "Church", "Park", "Harbour", "School", "Bridge", "Meadow",
    "Hill",
];

static GIVEN: LazyLock<Vec<String>> = LazyLock::new(|| names(GIVEN_NAMES));
static FAMILY: LazyLock<Vec<String>> = LazyLock::new(|| names(FAMILY_NAMES));
static TOWNS: LazyLock<Vec<String>> = LazyLock::new(|| names(CITIES));

/// The words of a list with a capital each.
fn names(list: &'static str) -> Vec<String> {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    let words = listed_words(list).filter(|word| word.len() >= 3 && !word.ends_with("_uk"));
    words.map(|word| word.split('_').map(capital).collect::<Vec<_>>().join(" ")).collect()
}

fn pick(list: &[String], number: u64) -> &str {
    // The lists are part of the program and not empty; a test says so.
    list.get((number % list.len().max(1) as u64) as usize).map_or("Robin", String::as_str)
}

/// A made-up value of a kind. `number` derives a keyed number from a part of the value: the words of a name are made up
/// each for itself, so that `Ana Ruiz` has the given name and the family name that stand for `Ana` and `Ruiz`. `None`
/// where nothing can be made up for the kind.
pub fn fake(kind: &str, text: &str, number: impl Fn(&str, &str) -> u64) -> Option<String> {
    let text = text.trim();
    let given = |word: &str| pick(&GIVEN, number("given", &word.to_lowercase())).to_owned();
    let family = |word: &str| pick(&FAMILY, number("family", &word.to_lowercase())).to_owned();
    Some(match kind {
        "given_name" => given(text),
        "family_name" => family(text),
        "person_name" => match text.split_once(' ') {
            Some((first, rest)) => format!("{} {}", given(first), family(rest.trim())),
            None => given(text),
        },
        "city" => pick(&TOWNS, number("city", &text.to_lowercase())).to_owned(),
        "postal_address" => {
            let n = number("street", &text.to_lowercase());
            format!("{} {} Street", n % 199 + 1, STREETS[((n >> 16) % STREETS.len() as u64) as usize])
        }
        "email" => {
            let n = number("email", &text.to_lowercase());
            // Sixty bits in the name: two addresses do not become one. The domain is set aside for examples (RFC 2606).
            let name = pick(&GIVEN, n >> 40).to_lowercase().replace(' ', ".");
            format!("{name}.{:015x}@example.org", n >> 4)
        }
        "phone" => {
            let n = number("phone", &text.chars().filter(char::is_ascii_digit).collect::<String>());
            // No country has the code 999.
            format!("+999{:012}", n % 1_000_000_000_000)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(what: &str, text: &str) -> u64 {
        let seed = format!("{what}/{text}");
        seed.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
    }

    #[test]
    fn the_same_value_gets_the_same_stand_in_in_every_column() {
        let of = |kind: &str, text: &str| fake(kind, text, number).unwrap();
        let whole = of("person_name", "Ana Ruiz");
        assert_eq!(whole, format!("{} {}", of("given_name", "ana"), of("family_name", "RUIZ")));
        assert_ne!(whole, "Ana Ruiz");
        assert_eq!(of("phone", "+34 612 345 678"), of("phone", "+34612345678"));
        assert!(of("email", "ana@example.com").ends_with("@example.org"));
        assert_ne!(of("email", "ana@example.com"), of("email", "ben@example.com"));
        assert_eq!(fake("iban", "ES91", number), None);
    }

    #[test]
    fn the_lists_are_long_enough_to_hide_in() {
        assert!(GIVEN.len() > 300 && FAMILY.len() > 300 && TOWNS.len() > 100);
        for kind in FAKE_KINDS {
            assert!(fake(kind, "x", number).is_some(), "{kind}");
        }
    }
}
