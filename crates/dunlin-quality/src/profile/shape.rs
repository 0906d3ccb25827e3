//! The shape of a value: what may be told of it without telling it.

/// The shape of a value: digits as 9, letters as A, the rest as it is; at most 32 characters.
pub(super) fn shape(value: &str) -> String {
    let one = |c: char| match c {
        c if c.is_numeric() => '9',
        c if c.is_alphabetic() => 'A',
        c if c.is_ascii_graphic() || c == ' ' => c,
        c if c.is_whitespace() => ' ',
        _ => '·',
    };
    let mut shape: String = value.chars().take(32).map(one).collect();
    if value.chars().nth(32).is_some() {
        shape.push('…');
    }
    shape
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn shapes() {
        assert_snapshot!(shape("12345678-Z é"), @"99999999-A A");
        assert_snapshot!(shape(&"a".repeat(40)), @"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA…");
    }
}
