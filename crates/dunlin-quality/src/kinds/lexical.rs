//! How far the values of a column are names, towns, regions or ordinary words: by the lists, and by the letters of words
//! that the lists do not know.

use super::value::Value;
use super::{letters, words};

/// How far the values are names, towns or ordinary words: shares of the values, known words and likely ones together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lexical {
    pub(super) given: f64,
    pub(super) family: f64,
    pub(super) person: f64,
    pub(super) city: f64,
    pub(super) region: f64,
    pub(super) ordinary: f64,
    /// Values of one to four words without a digit.
    pub(super) wordy: f64,
    /// Of these, those of one word.
    pub(super) single: f64,
    /// Values that the lists of words know, without those that only look like it.
    pub(super) known_given: f64,
    pub(super) known_family: f64,
    pub(super) known_city: f64,
}

impl Lexical {
    /// The shares of these values.
    pub(super) fn of(values: &[Value]) -> Self {
        let mut sum = Self::default();
        for value in values {
            sum.add(value);
        }
        let all = values.len().max(1) as f64;
        for part in [
            &mut sum.given,
            &mut sum.family,
            &mut sum.person,
            &mut sum.city,
            &mut sum.region,
            &mut sum.ordinary,
            &mut sum.wordy,
            &mut sum.single,
            &mut sum.known_given,
            &mut sum.known_family,
            &mut sum.known_city,
        ] {
            *part /= all;
        }
        sum
    }

    fn add(&mut self, value: &Value) {
        if value.digits > 0 || value.spaces > 4 || value.letters < 2 || value.chars > 60 {
            return;
        }
        if value.marks() > 3 || value.text.contains(['@', '_', '/', ':', '=', '#', '+']) {
            return;
        }
        self.wordy += 1.0;
        let folded = value.folded();
        let whole = words::listed(folded);
        self.known_city += flag(whole & words::CITY);
        self.region += flag(whole & words::REGION);
        let tokens: Vec<&str> = folded
            .split([' ', ',', '-', '’', '\'', '.'])
            .filter(|t| t.len() > 1 && !matches!(*t, "jr" | "sr" | "mr" | "mrs" | "ms" | "dr" | "prof"))
            .collect();
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return };
        let lists: Vec<u8> = tokens.iter().map(|t| words::listed(t)).collect();
        let names = words::GIVEN | words::FAMILY;
        let plain = lists.iter().filter(|l| **l & words::ORDINARY != 0 && **l & names == 0).count();
        if plain * 2 >= tokens.len() {
            self.ordinary += 1.0;
        }
        let single = value.spaces == 0 || tokens.len() == 1 || starts_with_particle(folded);
        self.single += if single { 1.0 } else { 0.0 };
        let (of_first, of_last) = (words::listed(first), words::listed(last));
        let likely = if whole == 0 && of_last & names == 0 {
            letters::likely(last)
        } else {
            letters::Likely::default()
        };
        if single || value.spaces == 1 {
            self.known_given += flag(of_first & words::GIVEN);
            self.known_family += flag(of_last & words::FAMILY);
            // A word of both lists counts for either by half, an unknown one by its letters and for less.
            self.given += split(of_first, words::GIVEN, words::FAMILY).unwrap_or(likely.given * 0.7);
            self.family += split(of_last, words::FAMILY, words::GIVEN).unwrap_or(likely.family * 0.7);
        }
        self.city += flag(whole & words::CITY).max(likely.city * 0.6);
        if whole == 0 && of_last & (names | words::ORDINARY) == 0 && likely.ordinary > 0.7 {
            self.ordinary += 0.4;
        }
        if !single && value.spaces <= 4 {
            let known =
                of_first & words::GIVEN != 0 || of_last & words::FAMILY != 0 || of_last & words::GIVEN != 0;
            self.person += if known && plain == 0 { 1.0 } else { 0.0 };
        }
    }

    /// How far the values are names of persons.
    pub(super) fn known_names(&self) -> f64 {
        self.known_given.max(self.known_family)
    }

    /// How far the lists support a name that says this kind.
    pub(super) fn supports(&self, kind: &str, detail: &str) -> f64 {
        match (kind, detail) {
            ("person_name", "") => self.person.max(self.given).max(self.family),
            ("given_name", _) => self.given,
            ("family_name", _) => self.family,
            ("city", _) => self.city,
            ("postal_address", "region") => self.region,
            _ => 0.0,
        }
    }
}

fn flag(bits: u8) -> f64 {
    if bits == 0 { 0.0 } else { 1.0 }
}

/// What a word of a list counts for it; `None` where it stands in neither of both.
fn split(lists: u8, this: u8, other: u8) -> Option<f64> {
    let plain = if lists & words::ORDINARY != 0 { 0.6 } else { 1.0 };
    match (lists & this != 0, lists & other != 0) {
        (true, false) => Some(plain),
        (true, true) => Some(0.7 * plain),
        (false, true) => Some(0.0),
        (false, false) => None,
    }
}

/// `van der Elst`, `de la Cruz`: one family name in several words.
fn starts_with_particle(folded: &str) -> bool {
    const PARTICLES: [&str; 14] =
        ["van", "von", "de", "del", "della", "di", "da", "dos", "du", "le", "la", "el", "al", "mc"];
    folded.split(' ').next().is_some_and(|first| PARTICLES.contains(&first))
}
