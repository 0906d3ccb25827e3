//! Blanks passwords in a plan's text before it can reach a message. Not a parser: it looks for
//! `scheme://user:password@` and for `password=` in a URL, whatever the text around them.

const PARAMETERS: [&str; 4] = ["password=", "sslpassword=", "passwd=", "pwd="];

/// The text with every password in a URL overwritten by `*`, byte for byte, so that spans still fit.
pub(crate) fn blank_passwords(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (start, _) in text.match_indices("://") {
        let url_start = start + 3;
        let url_end =
            url_start + text[url_start..].find(['"', '\'', '\n', ' ']).unwrap_or(text.len() - url_start);
        let url = &text[url_start..url_end];
        // The last `@`, because people put unescaped ones into passwords.
        if let Some(at) = url.rfind('@')
            && let Some(colon) = url[..at].find(':')
        {
            bytes[url_start + colon + 1..url_start + at].fill(b'*');
        }
        for parameter in PARAMETERS {
            for (found, _) in url.match_indices(parameter) {
                let value = found + parameter.len();
                let end = url[value..].find(['&', '#']).map_or(url.len(), |end| value + end);
                bytes[url_start + value..url_start + end].fill(b'*');
            }
        }
    }
    // Only whole ranges between ASCII marks were overwritten, so this is UTF-8; never panic over a message.
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::blank_passwords;

    #[test]
    fn passwords_are_blanked_and_lengths_kept() {
        let text = "url = \"postgres://ana:s3cr€t@x@db/crm?password=hunter2&sslmode=require\" # ok";
        let blanked = blank_passwords(text);
        assert_eq!(blanked.len(), text.len());
        assert!(!blanked.contains("s3cr") && !blanked.contains("hunter2"), "{blanked}");
        assert!(blanked.contains("postgres://ana:*") && blanked.contains("sslmode=require"), "{blanked}");
    }

    #[test]
    fn other_text_is_left_alone() {
        let text = "url = \"mysql://ana@db:3306/crm\"\nemail = \"ana@example.com\"";
        assert_eq!(blank_passwords(text), text);
    }
}
