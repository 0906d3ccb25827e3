//! Values for a person who may not see them: enough to recognise a form, too little to know a customer.

/// What hides a character.
const DOT: char = '•';

/// Masks a value: an e-mail address as `m•••@e•••.com`; a value with digits with a dot for each letter and digit; other
/// texts as their first letter and dots. Of a `sensitive` or `secret` class not even the first letter stays.
pub fn mask(kind: Option<&str>, class: Option<&str>, value: &str) -> String {
    let value = value.trim();
    let hidden = matches!(class, Some("sensitive" | "secret"));
    if value.is_empty() {
        return String::new();
    }
    if class == Some("secret") {
        return DOT.to_string().repeat(3);
    }
    if let Some(masked) = email(value).filter(|_| !hidden && (kind == Some("email") || value.contains('@'))) {
        return masked;
    }
    if value.chars().any(|c| c.is_numeric()) {
        let dotted = value.chars().take(24).map(|c| if c.is_alphanumeric() { DOT } else { c });
        return dotted.collect();
    }
    match value.chars().next().filter(|c| !hidden && c.is_alphanumeric()) {
        Some(first) => format!("{first}•••"),
        None => DOT.to_string().repeat(3),
    }
}

fn email(value: &str) -> Option<String> {
    let (local, domain) = value.rsplit_once('@')?;
    let tld = domain.rsplit_once('.').map(|(_, tld)| tld).filter(|t| t.chars().all(char::is_alphabetic))?;
    Some(format!("{}•••@{}•••.{tld}", local.chars().next()?, domain.chars().next()?))
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
    fn masks_keep_the_form_only() {
        assert_snapshot!(mask(Some("email"), Some("personal"), "maria.lopez@example.co.uk"), @"m•••@e•••.uk");
        assert_snapshot!(mask(Some("email"), Some("personal"), "not an address"), @"n•••");
        assert_snapshot!(mask(Some("phone"), Some("personal"), "+34 612-34"), @"+•• •••-••");
        assert_snapshot!(mask(None, None, "Calle Mayor 7"), @"••••• ••••• •");
        assert_snapshot!(mask(Some("city"), Some("personal"), "Lisboa"), @"L•••");
        assert_snapshot!(mask(Some("special_category"), Some("sensitive"), "Quaker"), @"•••");
        assert_snapshot!(mask(Some("credential"), Some("secret"), "hunter2"), @"•••");
        assert_snapshot!(mask(None, None, "  "), @"");
    }

    #[test]
    fn shapes() {
        assert_snapshot!(shape("12345678-Z é"), @"99999999-A A");
        assert_snapshot!(shape(&"a".repeat(40)), @"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA…");
    }
}
