//! How hard a text is to read: the index of Flesch, and those that others fitted to their languages. All run from
//! about 0 (hard) to 100 (easy), and count words a sentence and syllables a word.

use super::sentences::{sentences, words};
use super::syllables::syllables;
use crate::vocabulary::Lang;

/// What the index is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Sentences.
    pub sentences: usize,
    /// Words.
    pub words: usize,
    /// Syllables.
    pub syllables: usize,
}

impl Score {
    pub(super) fn add(&mut self, text: &str, lang: Lang) {
        self.sentences += sentences(text, lang).len();
        for (_, word) in words(text) {
            self.words += 1;
            self.syllables += syllables(word, lang);
        }
    }

    /// The index of the language; none for a text without a word.
    pub fn index(&self, lang: Lang) -> Option<f64> {
        if self.words == 0 || self.sentences == 0 {
            return None;
        }
        // Counts of a text: far below where a float loses whole numbers.
        let (sentences, words, syllables) = (self.sentences as f64, self.words as f64, self.syllables as f64);
        Some(flesch(lang, words / sentences, syllables / words))
    }
}

/// The name of the language's index.
pub(super) fn name(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "Flesch",
        Lang::Es => "Fernández Huerta",
        Lang::De => "Amstad",
        Lang::Fr => "Kandel-Moles",
    }
}

/// The index from words a sentence and syllables a word.
///
/// - English: R. Flesch, "A new readability yardstick", Journal of Applied Psychology 32 (1948).
/// - Spanish: J. Fernández Huerta, "Medidas sencillas de lecturabilidad", Consigna 214 (1959); in the reading of
///   G. Law (2011), where the second term is words a sentence, as Flesch's is.
/// - German: T. Amstad, "Wie verständlich sind unsere Zeitungen?", Zürich (1978).
/// - French: L. Kandel and A. Moles, "Application de l'indice de Flesch à la langue française", Cahiers d'études de
///   radio-télévision 19 (1958).
pub fn flesch(lang: Lang, words_a_sentence: f64, syllables_a_word: f64) -> f64 {
    match lang {
        Lang::En => 206.835 - 1.015 * words_a_sentence - 84.6 * syllables_a_word,
        Lang::Es => 206.84 - 1.02 * words_a_sentence - 60.0 * syllables_a_word,
        Lang::De => 180.0 - words_a_sentence - 58.5 * syllables_a_word,
        Lang::Fr => 207.0 - 1.015 * words_a_sentence - 73.6 * syllables_a_word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_indices_are_as_their_authors_gave_them() {
        // By hand: ten words a sentence, one and a half syllables a word.
        let near = |lang, by_hand: f64| assert!((flesch(lang, 10.0, 1.5) - by_hand).abs() < 1e-9, "{lang}");
        near(Lang::En, 69.785);
        near(Lang::Es, 106.64);
        near(Lang::De, 82.25);
        near(Lang::Fr, 86.45);
    }

    #[test]
    fn a_text_is_counted_by_hand() {
        let mut score = Score::default();
        score.add("We move your data. You can see it.", Lang::En);
        assert_eq!(score, Score { sentences: 2, words: 8, syllables: 9 });
        // 206.835 - 1.015 * 4 - 84.6 * 9/8
        assert!((score.index(Lang::En).unwrap() - 107.6).abs() < 1e-9);
        assert_eq!(Score::default().index(Lang::En), None);
    }
}
