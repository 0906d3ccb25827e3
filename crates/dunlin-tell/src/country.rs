//! Countries: their names in each language, and which of them are in the European Economic Area.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::vocabulary::Lang;

/// Code, then the names in the order of [`Lang`]. The file says where it comes from.
static NAMES: LazyLock<BTreeMap<&'static str, [&'static str; 4]>> = LazyLock::new(|| {
    let lines = include_str!("../data/countries.tsv").lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &'static str| {
        let mut fields = line.split('\t');
        let code = fields.next()?;
        Some((code, [fields.next()?, fields.next()?, fields.next()?, fields.next()?]))
    };
    lines.filter_map(entry).collect()
});

/// The members of the European Economic Area on 2026-11-22: the 27 of the Union, Iceland, Liechtenstein, Norway.
/// The GDPR was taken into the EEA Agreement by Decision No 154/2018 of the EEA Joint Committee.
const EEA: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT",
    "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// The country's name; its code when it has none.
pub fn name(lang: Lang, code: &str) -> &str {
    NAMES.get(code).and_then(|names| names.get(lang as usize)).copied().unwrap_or(code)
}

/// Whether a country is in the European Economic Area.
pub fn in_eea(code: &str) -> bool {
    EEA.contains(&code)
}

/// The countries whose names stand in a text as whole words, with the place of each first mention.
pub fn mentioned(lang: Lang, text: &str) -> Vec<(&'static str, std::ops::Range<usize>)> {
    let mut found: Vec<(&'static str, std::ops::Range<usize>)> = Vec::new();
    for (code, names) in NAMES.iter() {
        let Some(name) = names.get(lang as usize) else { continue };
        if let Some(at) = find_word(text, name) {
            found.push((code, at..at + name.len()));
        }
    }
    // "Guinea" is not named by "Papua New Guinea".
    let inside = |one: &std::ops::Range<usize>, other: &std::ops::Range<usize>| {
        one != other && other.start <= one.start && one.end <= other.end
    };
    let all = found.clone();
    found.retain(|(_, place)| !all.iter().any(|(_, other)| inside(place, other)));
    found.sort_by_key(|(_, place)| place.start);
    found
}

fn find_word(text: &str, word: &str) -> Option<usize> {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        !is_letter(text[..*at].chars().next_back()) && !is_letter(text[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Word;

    #[test]
    fn every_member_of_the_area_has_a_name_in_every_language() {
        for code in EEA {
            for lang in Lang::ALL {
                assert_ne!(name(*lang, code), code);
            }
        }
        assert_eq!(name(Lang::Es, "IE"), "Irlanda");
        assert_eq!(name(Lang::En, "ZZ"), "ZZ");
        assert!(in_eea("NO") && !in_eea("GB") && !in_eea("CH"));
    }

    #[test]
    fn names_are_found_as_whole_words_and_the_longest_wins() {
        let codes =
            |lang, text: &str| mentioned(lang, text).into_iter().map(|(code, _)| code).collect::<Vec<_>>();
        assert_eq!(codes(Lang::En, "From Spain to Ireland."), ["ES", "IE"]);
        assert_eq!(codes(Lang::En, "Papua New Guinea"), ["PG"]);
        assert_eq!(codes(Lang::En, "Irelander in Chadwick"), Vec::<&str>::new());
        assert_eq!(codes(Lang::De, "Wir ziehen nach Österreich."), ["AT"]);
    }
}
