//! Syllables, counted by the rules of each language. The rules are estimates (English spelling does not tell); a
//! readability index needs the mean over a text, where single errors even out.

use std::sync::LazyLock;

use regex::Regex;

use crate::vocabulary::Lang;

/// The syllables of a word, at least one. Numbers, addresses and abbreviations count as one.
pub(super) fn syllables(word: &str, lang: Lang) -> usize {
    if !word.chars().any(char::is_alphabetic) || word.contains(['@', '/']) {
        return 1;
    }
    let word = word.to_lowercase();
    let parts = word.split(|c: char| !c.is_alphabetic()).filter(|part| !part.is_empty());
    let of = match lang {
        Lang::En => english,
        Lang::Es => spanish,
        Lang::De => german,
        Lang::Fr => french,
    };
    parts.map(|part| of(part).max(1)).sum::<usize>().max(1)
}

/// Runs of vowels, corrected by endings: after Greg Fast's Lingua::EN::Syllable (1999), with the silent `-ed` and
/// `-es` added.
fn english(word: &str) -> usize {
    // The patterns are constants: that they are valid is what the tests run.
    static LESS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let patterns = [
            "cial",
            "tia",
            "cius",
            "cious",
            "giu",
            "[ts]ion",
            "iou",
            "sia$",
            ".ely$",
            "[^td]ed$",
            "[^aeiouysxzcgh]es$",
        ];
        patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
    });
    static MORE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let patterns = [
            "ia",
            "riet",
            "dien",
            "iu",
            "io",
            "ii",
            "[aeiou]{3}",
            "^mc",
            "ism$",
            "[^l]lien",
            "^coa[dglx].",
            "[^gq]ua[^auieo]",
            "dnt$",
            "creat",
            "ea$",
        ];
        patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
    });
    if word.len() <= 3 {
        return 1.max(runs(word, "aeiouy").filter(|_| word.ends_with(['y', 'a', 'o', 'i'])).count());
    }
    let stem = word.strip_suffix('e').unwrap_or(word);
    let groups = runs(stem, "aeiouy").count();
    let matches =
        |patterns: &[Regex], text: &str| patterns.iter().filter(|pattern| pattern.is_match(text)).count();
    // "ta-ble": the l bears a syllable of its own.
    let bears_l = stem
        .strip_suffix('l')
        .is_some_and(|rest| word.ends_with('e') && !rest.ends_with(['a', 'e', 'i', 'o', 'u', 'y', 'l']));
    (groups + matches(&MORE, stem) + usize::from(bears_l)).saturating_sub(matches(&LESS, word))
}

/// Every full vowel is a syllable; a weak one (i, u) joins its neighbour unless it bears an accent. RAE, Ortografía
/// de la lengua española (2010), "Diptongos, triptongos e hiatos".
fn spanish(word: &str) -> usize {
    let word = word.replace("qu", "q").replace("gue", "ge").replace("gui", "gi");
    let word = match word.strip_suffix('y') {
        Some(stem) => format!("{stem}i"),
        None => word,
    };
    let full = |c: char| "aeoáéóíú".contains(c);
    let split = |(before, after): (char, char)| full(before) && full(after);
    nuclei(&word, "aeiouáéíóúü", split)
}

/// Diphthongs and doubled vowels are one: ei ai au äu eu ie oi aa ee oo ey ay (Duden, "Worttrennung").
fn german(word: &str) -> usize {
    let word = word.replace("qu", "q");
    let one = ["ei", "ai", "au", "äu", "eu", "ie", "oi", "aa", "ee", "oo", "ey", "ay"];
    let mut count = 0;
    for run in runs(&word, "aeiouyäöü") {
        let mut rest = run;
        while !rest.is_empty() {
            let pair = one.iter().find(|pair| rest.starts_with(**pair));
            let taken = pair.map_or_else(|| rest.chars().next().map_or(1, char::len_utf8), |pair| pair.len());
            rest = &rest[taken..];
            count += 1;
        }
    }
    count
}

/// Runs of vowels; a final mute e does not count, an accented e or a diaeresis begins a syllable of its own
/// (Grevisse, Le bon usage, § 19).
fn french(word: &str) -> usize {
    let word = word.replace("qu", "q").replace("gue", "ge").replace("gui", "gi");
    // "donnée": the last e is mute too.
    let word = match word.strip_suffix("ées").or_else(|| word.strip_suffix("ée")) {
        Some(stem) => format!("{stem}é"),
        None => word,
    };
    let vowels = "aeiouyàâäéèêëîïôöùûüœæ";
    let split =
        |(before, after): (char, char)| "éè".contains(before) || "éèïëü".contains(after) && before != 'i';
    let count = nuclei(&word, vowels, split);
    let stem = word.strip_suffix("es").or_else(|| word.strip_suffix('e'));
    let mute = stem
        .is_some_and(|stem| !stem.ends_with(|c| vowels.contains(c)) && stem.contains(|c| vowels.contains(c)));
    if mute { count.saturating_sub(1) } else { count }
}

fn runs<'a>(word: &'a str, vowels: &'a str) -> impl Iterator<Item = &'a str> {
    word.split(move |c: char| !vowels.contains(c)).filter(|run| !run.is_empty())
}

/// One for each run of vowels, and one more wherever two vowels belong to different syllables.
fn nuclei(word: &str, vowels: &str, split: impl Fn((char, char)) -> bool) -> usize {
    let inner = |run: &str| run.chars().zip(run.chars().skip(1)).filter(|pair| split(*pair)).count();
    runs(word, vowels).map(|run| 1 + inner(run)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Word;
    use proptest::prelude::*;

    #[test]
    fn syllables_as_a_dictionary_counts_them() {
        let tables: [(Lang, &[(&str, usize)]); 4] = [
            (
                Lang::En,
                &[
                    ("the", 1),
                    ("data", 2),
                    ("moved", 1),
                    ("services", 3),
                    ("deleted", 3),
                    ("table", 2),
                    ("people", 2),
                    ("company", 3),
                    ("customer", 3),
                    ("information", 4),
                    ("area", 3),
                    ("settings", 2),
                    ("any", 2),
                    ("name", 1),
                    ("names", 1),
                    ("address", 2),
                    ("whole", 1),
                    ("server", 2),
                    ("created", 3),
                    ("e-mail", 2),
                    ("encrypted", 3),
                    ("2026", 1),
                    ("privacy@atlas.example", 1),
                ],
            ),
            (
                Lang::Es,
                &[
                    ("datos", 2),
                    ("país", 2),
                    ("ciudad", 2),
                    ("guardamos", 3),
                    ("quien", 1),
                    ("teoría", 4),
                    ("usted", 2),
                    ("correo", 3),
                    ("electrónico", 5),
                    ("muy", 1),
                    ("Irlanda", 3),
                    ("bueno", 2),
                    ("servidores", 4),
                    ("guerra", 2),
                ],
            ),
            (
                Lang::De,
                &[
                    ("Daten", 2),
                    ("Adresse", 3),
                    ("neue", 2),
                    ("Theater", 3),
                    ("bleiben", 2),
                    ("Europäischen", 5),
                    ("Quelle", 2),
                    ("Haus", 1),
                ],
            ),
            (
                Lang::Fr,
                &[
                    ("données", 2),
                    ("adresse", 2),
                    ("nous", 1),
                    ("garder", 2),
                    ("entreprise", 3),
                    ("créer", 2),
                    ("langue", 1),
                    ("utilisons", 4),
                ],
            ),
        ];
        for (lang, table) in tables {
            for (word, count) in table {
                assert_eq!(syllables(word, lang), *count, "{lang} {word}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_word_has_a_syllable_and_none_has_more_than_letters(word in "\\PC{1,20}") {
            for lang in Lang::ALL {
                let count = syllables(&word, *lang);
                prop_assert!(count >= 1 && count <= word.chars().count() * 2 + 1);
            }
        }
    }
}
