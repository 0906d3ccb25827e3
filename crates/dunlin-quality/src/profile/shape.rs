//! The shape of a value: what may be told of it without telling it. And, since every value is walked through for it,
//! what else one walk can tell.

/// The longest shape, in characters, without the sign that it goes on.
const LONGEST: usize = 32;

const DIGIT: u8 = 1;
const UPPER: u8 = 2;
const LOWER: u8 = 4;
const BLANK: u8 = 8;
const CONTROL: u8 = 16;

/// What each ASCII byte is, and what it becomes in a shape.
const BYTES: [(u8, u8); 128] = {
    let mut bytes = [(0, 0); 128];
    let mut at = 0;
    while at < 128 {
        let byte = at as u8;
        bytes[at] = match byte {
            b'0'..=b'9' => (DIGIT, b'9'),
            b'A'..=b'Z' => (UPPER, b'A'),
            b'a'..=b'z' => (LOWER, b'A'),
            b' ' => (BLANK, b' '),
            // Line ends and tabs are blanks in a shape, and no damage.
            b'\t' | b'\n' | b'\r' => (0, b' '),
            0x0b | 0x0c => (CONTROL, b' '),
            0x21..=0x7e => (0, byte),
            _ => (CONTROL, b'.'),
        };
        at += 1;
    }
    bytes
};

/// What one walk through a value tells.
pub(super) struct Walk {
    /// How many characters.
    pub(super) chars: usize,
    /// Whether it is ASCII.
    pub(super) ascii: bool,
    /// How many ASCII digits.
    pub(super) digits: usize,
    /// Whether there are capitals, whether there are small letters, of any script.
    pub(super) upper: bool,
    pub(super) lower: bool,
    /// Whether two blanks follow each other.
    pub(super) double_blank: bool,
    /// Whether there are control characters other than line ends and tabs.
    pub(super) control: bool,
    shape: [u8; LONGEST],
    shaped: usize,
    long: Option<String>,
}

impl Walk {
    /// Walks through a value.
    pub(super) fn through(value: &str) -> Self {
        let mut walk = Self {
            chars: value.len(),
            ascii: value.is_ascii(),
            digits: 0,
            upper: false,
            lower: false,
            double_blank: false,
            control: false,
            shape: [0; LONGEST],
            shaped: 0,
            long: None,
        };
        if !walk.ascii {
            walk.slowly(value);
            return walk;
        }
        let (mut all, mut before) = (0, 0);
        let bytes = value.as_bytes();
        let head = bytes.len().min(LONGEST);
        let mut note = |byte: &u8| {
            let (what, shape) = BYTES[usize::from(byte & 0x7f)];
            all |= what;
            walk.digits += usize::from(what & DIGIT);
            walk.double_blank |= what & before & BLANK != 0;
            before = what;
            shape
        };
        walk.shape.iter_mut().zip(bytes).for_each(|(to, byte)| *to = note(byte));
        bytes[head..].iter().for_each(|byte| {
            note(byte);
        });
        walk.upper = all & UPPER != 0;
        walk.lower = all & LOWER != 0;
        walk.control = all & CONTROL != 0;
        walk.shaped = head;
        if bytes.len() > LONGEST || walk.control {
            walk.long = Some(shape(value));
        }
        walk
    }

    fn slowly(&mut self, value: &str) {
        self.chars = value.chars().count();
        self.digits = value.bytes().filter(u8::is_ascii_digit).count();
        self.upper = value.chars().any(char::is_uppercase);
        self.lower = value.chars().any(char::is_lowercase);
        self.double_blank = value.contains("  ");
        self.control = value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
        self.long = Some(shape(value));
    }

    /// The value's shape.
    pub(super) fn shape(&self) -> &[u8] {
        match &self.long {
            Some(long) => long.as_bytes(),
            None => &self.shape[..self.shaped],
        }
    }
}

/// The shape of a value: digits as 9, letters as A, the rest as it is; at most 32 characters.
fn shape(value: &str) -> String {
    let one = |c: char| match c {
        c if c.is_numeric() => '9',
        c if c.is_alphabetic() => 'A',
        c if c.is_ascii_graphic() || c == ' ' => c,
        c if c.is_whitespace() => ' ',
        _ => '·',
    };
    let mut shape: String = value.chars().take(LONGEST).map(one).collect();
    if value.chars().nth(LONGEST).is_some() {
        shape.push('…');
    }
    shape
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn one_walk_says_what_many_would(ascii in any::<bool>(), value in "[ -~\\t\\n\\u{1}\\u{7f}éÉß ]{0,40}") {
            let value: String = value.chars().filter(|c| !ascii || c.is_ascii()).collect();
            let walk = Walk::through(&value);
            let slowly = shape(&value);
            prop_assert_eq!(walk.shape(), slowly.as_bytes());
            prop_assert_eq!(walk.chars, value.chars().count());
            prop_assert_eq!(walk.digits, value.chars().filter(char::is_ascii_digit).count());
            prop_assert_eq!(walk.upper, value.chars().any(char::is_uppercase));
            prop_assert_eq!(walk.lower, value.chars().any(char::is_lowercase));
            prop_assert_eq!(walk.double_blank, value.contains("  "));
            prop_assert_eq!(walk.control, value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')));
        }
    }

    #[test]
    fn shapes() {
        assert_snapshot!(shape("12345678-Z é"), @"99999999-A A");
        assert_snapshot!(shape(&"a".repeat(40)), @"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA…");
    }
}
