//! The alphabets of `format`: which characters a character may become. Each character belongs to one alphabet, and becomes
//! another of the same, so what is written keeps its shape and no two texts become one.
//!
//! Outside ASCII an alphabet is the letters of one case, or the digits, of one script's block: `é` becomes another small
//! letter of Latin-1, `Ж` another capital of Cyrillic, one ideograph another. Which characters are letters says the
//! Unicode of the compiler's library (`char::is_alphabetic`); it is pinned with the compiler.

use std::sync::LazyLock;

/// Blocks that are taken whole, first and last character; what lies outside them falls into blocks of 256.
const BLOCKS: [(u32, u32); 15] = [
    (0x80, 0xff),       // Latin-1
    (0x100, 0x24f),     // Latin Extended-A and -B
    (0x250, 0x36f),     // phonetic and modifier letters
    (0x370, 0x3ff),     // Greek
    (0x400, 0x52f),     // Cyrillic
    (0x530, 0x58f),     // Armenian
    (0x590, 0x5ff),     // Hebrew
    (0x600, 0x6ff),     // Arabic
    (0x700, 0x8ff),     // Syriac, Thaana, further Arabic
    (0x3040, 0x309f),   // Hiragana
    (0x30a0, 0x30ff),   // Katakana
    (0x3400, 0x9fff),   // ideographs
    (0xac00, 0xd7a3),   // Hangul
    (0xd7b0, 0xd7ff),   // Hangul Jamo Extended-B
    (0x20000, 0x323af), // further ideographs
];

/// Where a character stands in its alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The alphabet's first character: it names the alphabet.
    pub(super) first: char,
    /// How many characters it has.
    pub(super) size: u32,
    /// The character's number in it, from 0.
    pub(super) at: u32,
}

impl Place {
    /// The character at another number of the same alphabet.
    pub(super) fn letter(first: char, at: u32) -> char {
        if first.is_ascii() {
            return char::from_u32(first as u32 + at).unwrap_or(first);
        }
        alphabet_of(first).and_then(|alphabet| alphabet.get(at as usize)).copied().unwrap_or(first)
    }
}

/// The place of a character; `None` where it is neither letter nor digit, and stays.
pub(super) fn place(c: char) -> Option<Place> {
    let ascii = |first: char, size| Some(Place { first, size, at: c as u32 - first as u32 });
    match c {
        '0'..='9' => ascii('0', 10),
        'a'..='z' => ascii('a', 26),
        'A'..='Z' => ascii('A', 26),
        c if c.is_ascii() => None,
        c => {
            let alphabet = alphabet_of(c)?;
            let at = alphabet.binary_search(&c).ok()?;
            Some(Place { first: *alphabet.first()?, size: alphabet.len() as u32, at: at as u32 })
        }
    }
}

/// What a character is: letters of either case and of none are alphabets apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Capital,
    Small,
    Letter,
    Number,
}

fn sort(c: char) -> Option<Sort> {
    Some(match c {
        c if c.is_uppercase() => Sort::Capital,
        c if c.is_lowercase() => Sort::Small,
        c if c.is_alphabetic() => Sort::Letter,
        c if c.is_numeric() => Sort::Number,
        _ => return None,
    })
}

/// The first character of the block of a character.
fn block(c: char) -> u32 {
    let c = c as u32;
    let known = BLOCKS.iter().find(|(first, last)| (*first..=*last).contains(&c));
    known.map_or(c & !0xff, |(first, _)| *first)
}

/// An alphabet: its block and sort, and its characters in order.
type Alphabet = ((u32, Sort), Vec<char>);

/// All alphabets outside ASCII, by block and sort.
static ALPHABETS: LazyLock<Vec<Alphabet>> = LazyLock::new(|| {
    let mut found: std::collections::BTreeMap<(u32, Sort), Vec<char>> = std::collections::BTreeMap::new();
    for c in '\u{80}'..=char::MAX {
        if let Some(sort) = sort(c) {
            found.entry((block(c), sort)).or_default().push(c);
        }
    }
    found.into_iter().collect()
});

fn alphabet_of(c: char) -> Option<&'static [char]> {
    let name = (block(c), sort(c)?);
    let at = ALPHABETS.binary_search_by_key(&name, |(name, _)| *name).ok()?;
    Some(&ALPHABETS[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_has_one_place_and_stands_there() {
        let mut seen = std::collections::HashSet::new();
        for c in ('\0'..=char::MAX).filter(|c| c.is_alphanumeric()) {
            let place = place(c).unwrap_or_else(|| panic!("{c} has no place"));
            assert!(place.at < place.size, "{c}");
            assert_eq!(Place::letter(place.first, place.at), c);
            assert!(seen.insert((place.first, place.at)), "{c} shares its place");
        }
    }

    #[test]
    fn scripts_and_cases_stay_apart() {
        let first = |c: char| place(c).unwrap().first;
        assert_eq!(first('é'), first('ß'));
        assert_eq!(first('Ж'), first('Я'));
        assert_eq!(first('東'), first('京'));
        for (one, other) in [('é', 'É'), ('é', 'e'), ('ж', 'ω'), ('は', 'ハ'), ('٣', 'س')] {
            assert_ne!(first(one), first(other), "{one} {other}");
        }
        assert_eq!((place(' '), place('·'), place('\u{301}'), place('€')), (None, None, None, None));
    }
}
