//! The shape of a value: what may be told of it without telling it.

/// The longest shape, in characters, without the sign that it goes on.
const LONGEST: usize = 32;

/// The shape of a value, given to `then` without a copy where it is ASCII.
pub(super) fn with_shape<T>(value: &str, then: impl FnOnce(&str) -> T) -> T {
    if !value.is_ascii() || value.len() > LONGEST {
        return then(&shape(value));
    }
    let mut out = [0u8; LONGEST];
    for (to, from) in out.iter_mut().zip(value.bytes()) {
        *to = match from {
            b'0'..=b'9' => b'9',
            b'a'..=b'z' | b'A'..=b'Z' => b'A',
            b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => b' ',
            b' '..=b'~' => from,
            // Other control characters, as the slow way does.
            _ => return then(&shape(value)),
        };
    }
    then(std::str::from_utf8(&out[..value.len()]).unwrap_or_default())
}

/// The shape of a value: digits as 9, letters as A, the rest as it is; at most 32 characters.
pub(super) fn shape(value: &str) -> String {
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

    use super::*;

    #[test]
    fn the_quick_way_says_the_same() {
        for value in ["", "a1 b-2", "tab\tand\u{1}", "é1", "x".repeat(33).as_str()] {
            assert_eq!(with_shape(value, str::to_owned), shape(value), "{value:?}");
        }
    }

    #[test]
    fn shapes() {
        assert_snapshot!(shape("12345678-Z é"), @"99999999-A A");
        assert_snapshot!(shape(&"a".repeat(40)), @"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA…");
    }
}
