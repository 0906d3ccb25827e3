//! Sentences and words of a plain text. A sentence ends at `.`, `!`, `?` or `…` before white space and something
//! that begins a sentence (after UAX #29, with each language's abbreviations).

use std::ops::Range;

use crate::vocabulary::Lang;

/// Abbreviations whose point ends no sentence; lower case, without the point.
fn abbreviations(lang: Lang) -> &'static [&'static str] {
    match lang {
        Lang::En => {
            &["e.g", "i.e", "etc", "mr", "mrs", "ms", "dr", "ltd", "inc", "no", "art", "vs", "co", "st"]
        }
        Lang::Es => &[
            "p. ej", "ej", "sr", "sra", "d", "dª", "dr", "dra", "art", "arts", "núm", "n.º", "s.a", "s.l",
            "ud", "uds", "etc", "pág",
        ],
        Lang::De => &[
            "z.b", "z", "d.h", "d", "bzw", "usw", "nr", "art", "abs", "dr", "hr", "fr", "ca", "ggf", "u.a",
            "str",
        ],
        Lang::Fr => &["m", "mme", "mlle", "dr", "art", "p. ex", "ex", "etc", "n", "cf", "s.a"],
    }
}

/// The sentences of a text, as byte ranges without white space around them.
pub(super) fn sentences(text: &str, lang: Lang) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, mark) in text.char_indices().filter(|(_, c)| matches!(c, '.' | '!' | '?' | '…')) {
        let end = at + mark.len_utf8();
        let closing =
            text[end..].chars().take_while(|c| matches!(c, '"' | '\'' | '”' | '’' | '»' | ')' | ']'));
        let end = end + closing.map(char::len_utf8).sum::<usize>();
        if ends(text, lang, mark, at, end) {
            push(text, start..end, &mut found);
            start = end;
        }
    }
    push(text, start..text.len(), &mut found);
    found
}

fn push(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let part = &text[range.clone()];
    let trimmed = part.trim_start();
    let start = range.start + (part.len() - trimmed.len());
    let end = start + trimmed.trim_end().len();
    if text[start..end].chars().any(char::is_alphanumeric) {
        found.push(start..end);
    }
}

fn ends(text: &str, lang: Lang, mark: char, at: usize, end: usize) -> bool {
    let rest = &text[end..];
    if rest.is_empty() {
        return true;
    }
    let Some(next) = rest.trim_start().chars().next() else { return true };
    if !rest.starts_with(char::is_whitespace) || next.is_lowercase() {
        return false;
    }
    if mark != '.' {
        return true;
    }
    let before = text[..at].split_whitespace().next_back().unwrap_or_default();
    let before = before.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    // An initial ("J. Smith"), an abbreviation, or a German ordinal ("am 5. Dezember").
    let initial = before.chars().count() == 1 && before.chars().all(char::is_alphabetic);
    let ordinal = lang == Lang::De
        && !before.is_empty()
        && before.len() <= 2
        && before.chars().all(|c| c.is_ascii_digit());
    !(initial || ordinal || abbreviations(lang).contains(&before.as_str()))
}

/// The words of a text: what stands between white space and holds a letter or a digit, without the marks around it.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_whitespace().filter_map(move |part| {
        let word = part.trim_matches(|c: char| !c.is_alphanumeric());
        // `split_whitespace` gives slices of the text, so the difference of addresses is the offset.
        let offset = word.as_ptr() as usize - text.as_ptr() as usize;
        (!word.is_empty()).then_some((offset, word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str, lang: Lang) -> Vec<&str> {
        sentences(text, lang).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn abbreviations_numbers_and_ordinals_end_no_sentence() {
        assert_eq!(
            split("Atlas Ltd. Moves it. It costs 3.50 euros, e.g. Today! Really?", Lang::En),
            ["Atlas Ltd. Moves it.", "It costs 3.50 euros, e.g. Today!", "Really?"]
        );
        assert_eq!(split("Am 5. Dezember z. B. Ziehen wir um. Danach nicht.", Lang::De).len(), 2);
        assert_eq!(split("Según el art. 6. ¿Cuándo? El martes…", Lang::Es).len(), 3);
        assert_eq!(split("He said “stop.” Then he left", Lang::En), ["He said “stop.”", "Then he left"]);
    }

    proptest! {
        #[test]
        fn every_word_is_in_a_sentence(text in ".{0,120}") {
            let ranges = sentences(&text, Lang::En);
            for (at, word) in words(&text) {
                prop_assert!(text[at..].starts_with(word));
                prop_assert!(ranges.iter().any(|range| range.contains(&at)));
            }
        }
    }
}
