//! Blanks passwords in a plan's text before it can reach a message. Where a plan could be read, `resolve` knows the
//! places of refused URLs and they are blanked whole; this is also for text that could not be read, so it looks for
//! `:password@` and `password=` on every line, whatever stands around them. It rather blanks too much.

use crate::finding::Span;

const NAMES: [&str; 3] = ["password", "passwd", "pwd"];

/// The text with everything that looks like a password overwritten by `*`, byte for byte, so that spans still fit.
pub(crate) fn blank_passwords(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut start = 0;
    for part in text.split_inclusive(['\n', '"']) {
        blank_user_part(part, &mut bytes[start..start + part.len()]);
        start += part.len();
    }
    blank_named(text, &mut bytes);
    into_text(bytes)
}

/// `scheme://user:password@`, or `user:password@` without a scheme.
fn blank_user_part(part: &str, bytes: &mut [u8]) {
    let start = part.find("://").map_or(0, |at| at + 3);
    // The last `@`, because people put unescaped ones into passwords.
    if let Some(at) = part.rfind('@').filter(|at| *at >= start)
        && let Some(colon) = part[start..at].find(':')
    {
        bytes[start + colon + 1..at].fill(b'*');
    }
}

/// `password=…` in a URL, and `password = "…"` as a key.
fn blank_named(text: &str, bytes: &mut [u8]) {
    let lower = text.to_ascii_lowercase();
    for name in NAMES {
        for (found, _) in lower.match_indices(name) {
            let after = &lower[found + name.len()..];
            let Some(value) = after.trim_start_matches([' ', '"']).strip_prefix('=') else { continue };
            let quoted = value.trim_start_matches([' ', '"', '\'']);
            let ends: &[char] =
                if quoted.len() == value.len() { &['&', '#', ' ', '"', '\n'] } else { &['"', '\n'] };
            let start = lower.len() - quoted.len();
            let end = quoted.find(ends).map_or(lower.len(), |end| start + end);
            bytes[start..end].fill(b'*');
        }
    }
}

/// Whether a URL that was refused is better not shown.
pub(crate) fn may_hold_secret(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    url.contains('@') || names_secret(&lower) || lower.contains("key")
}

/// Whether a key names something that is not to be shown.
pub(crate) fn names_secret(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    ["pass", "pwd", "secret", "token"].iter().any(|mark| lower.contains(mark))
}

/// The text with these places overwritten; line ends stay.
pub(crate) fn blank_spans(text: &str, spans: &[Span]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for span in spans {
        let places = bytes.get_mut(span.start..span.end).into_iter().flatten();
        places.filter(|byte| **byte != b'\n').for_each(|byte| *byte = b'*');
    }
    into_text(bytes)
}

/// Only whole characters were overwritten, so this is UTF-8; but a message must never panic.
fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_blanked_and_lengths_kept() {
        for text in [
            "url = \"postgres://ana:s3cr€t@x@db/crm?sslmode=require\" # ok",
            "url = \"postgres://ana:it's s3cr€t@db\"",
            "url = \"mysql://db?PassWord=s3cr€t&sslmode=require\"",
            "url = \"host=db password=s3cr€t\"",
            "password = \"it's s3cr€t\"",
            "url = ana:s3cr€t@tcp(db)",
        ] {
            let blanked = blank_passwords(text);
            assert_eq!(blanked.len(), text.len());
            assert!(!blanked.contains("s3cr"), "{blanked}");
            assert!(!text.contains("sslmode") || blanked.contains("sslmode=require"), "{blanked}");
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        let text = "url = \"mysql://ana@db:3306/crm\"\nemail = \"ana@example.com\"";
        assert_eq!(blank_passwords(text), text);
    }

    #[test]
    fn blanked_places_keep_their_lines() {
        assert_eq!(blank_spans("a€\nb c", &[Span { start: 1, end: 6 }]), "a***\n* c");
    }
}
