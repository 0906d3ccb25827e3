//! One value as the detectors look at it: measured once, so that most of them can say no from a few numbers.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The longest text without separators that any identifier has.
const COMPACT_MAX: usize = 34;

/// Longer texts are prose: nobody asks for their words.
const FOLDED_MAX: usize = 120;

/// A trimmed value that is not blank, with what is counted in it.
pub(super) struct Value<'a> {
    /// The text.
    pub(super) text: &'a str,
    /// ASCII digits.
    pub(super) digits: usize,
    /// Letters of any script.
    pub(super) letters: usize,
    /// White space.
    pub(super) spaces: usize,
    /// All characters.
    pub(super) chars: usize,
    compact: [u8; COMPACT_MAX],
    compact_len: usize,
    folded: String,
}

impl<'a> Value<'a> {
    /// Measures a text.
    pub(super) fn new(text: &'a str) -> Self {
        let text = text.trim();
        let mut value = Self {
            text,
            digits: 0,
            letters: 0,
            spaces: 0,
            chars: 0,
            compact: [0; COMPACT_MAX],
            compact_len: 0,
            folded: String::new(),
        };
        let mut fits = true;
        for letter in text.chars() {
            value.chars += 1;
            if letter.is_ascii_digit() {
                value.digits += 1;
            } else if letter.is_alphabetic() {
                value.letters += 1;
            } else if letter.is_whitespace() {
                value.spaces += 1;
            }
            match letter {
                'A'..='Z' | 'a'..='z' | '0'..='9' if value.compact_len < COMPACT_MAX => {
                    value.compact[value.compact_len] = letter.to_ascii_uppercase() as u8;
                    value.compact_len += 1;
                }
                ' ' | '-' | '.' | '/' => {}
                _ => fits = false,
            }
        }
        if !fits {
            value.compact_len = 0;
        }
        if value.letters > 0 && value.chars <= FOLDED_MAX {
            value.folded = fold(text);
        }
        value
    }

    /// Letters (upper case) and digits without the separators blank, point, hyphen and slash; empty where there is
    /// anything else, or too much.
    pub(super) fn compact(&self) -> &[u8] {
        &self.compact[..self.compact_len]
    }

    /// The text without case and marks; empty where it has no letter or is very long.
    pub(super) fn folded(&self) -> &str {
        &self.folded
    }

    /// Whether it is ASCII digits and nothing else.
    pub(super) fn only_digits(&self) -> bool {
        self.digits == self.chars
    }

    /// Whether some character is neither letter, digit nor white space.
    pub(super) fn marks(&self) -> usize {
        self.chars - self.digits - self.letters - self.spaces
    }
}

/// Lower case without marks: `Črešnjovnjak` and `CRESNJOVNJAK` are one. Letters that Unicode does not take apart are
/// taken apart here.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    if text.is_ascii() {
        out.push_str(text);
        out.make_ascii_lowercase();
        return out;
    }
    for letter in text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match letter {
            'ß' => out.push_str("ss"),
            'ø' => out.push('o'),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ł' => out.push('l'),
            'đ' | 'ð' => out.push('d'),
            'ı' => out.push('i'),
            'þ' => out.push_str("th"),
            other => out.push(other),
        }
    }
    out
}
