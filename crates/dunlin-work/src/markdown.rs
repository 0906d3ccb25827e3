//! Markdown that people typed, as HTML that is safe to show: no raw HTML gets in, and what comes out is cleaned.

use std::sync::LazyLock;

static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = ammonia::Builder::default();
    cleaner
        .rm_tags(["img", "map", "area"])
        .url_schemes(["http", "https", "mailto"].into())
        .link_rel(Some("noopener noreferrer nofollow"));
    cleaner
});

/// The text as safe HTML; nothing for an empty text. A mention (`@[Name](person:ID)`) becomes its name in bold.
pub fn html(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut options = comrak::Options::default();
    options.extension.table = true;
    options.extension.tasklist = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.render.escape = true;
    CLEANER.clean(&comrak::markdown_to_html(&without_mention_links(text), &options)).to_string()
}

/// The ids of the people whom a text mentions, each once.
pub fn mentions(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    each_mention(text, |_, id| {
        if !found.iter().any(|known| known == id) {
            found.push(id.to_owned());
        }
    });
    found
}

fn without_mention_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let rest = each_mention(text, |mention, _| {
        out.push_str(mention.before);
        out.push_str("**@");
        out.push_str(mention.name);
        out.push_str("**");
    });
    out.push_str(rest);
    out
}

struct Mention<'a> {
    before: &'a str,
    name: &'a str,
}

/// Calls `f` for each mention; returns what follows the last one.
fn each_mention<'a>(text: &'a str, mut f: impl FnMut(Mention<'a>, &'a str)) -> &'a str {
    let (mut rest, mut from) = (text, 0);
    while let Some(at) = rest[from..].find("@[").map(|at| at + from) {
        let inner = &rest[at + 2..];
        let parsed = inner.split_once("](person:").and_then(|(name, tail)| {
            let (id, after) = tail.split_once(')')?;
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
            let fits =
                !name.contains(['\n', ']']) && !id.is_empty() && id.len() <= 64 && id.chars().all(plain);
            fits.then_some((name, id, after))
        });
        match parsed {
            Some((name, id, after)) => {
                f(Mention { before: &rest[..at], name }, id);
                (rest, from) = (after, 0);
            }
            None => from = at + 2,
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_cannot_become_script() {
        for text in [
            "<script>alert(1)</script>",
            "[x](javascript:alert(1))",
            "<img src=x onerror=alert(1)>",
            "![x](https://tracker.example/p.png)",
            "<a href='data:text/html,x'>y</a>",
            "@[<b onclick=x>](person:abc)",
        ] {
            let html = html(text);
            assert!(!html.contains("<script") && !html.contains("<img"), "{text}: {html}");
            assert!(!html.contains("href=\"javascript") && !html.contains("href=\"data"), "{text}: {html}");
            assert!(!html.contains("<b onclick"), "{text}: {html}");
        }
        assert!(html("**bold** and `code`").contains("<strong>bold</strong>"));
    }

    #[test]
    fn mentions_are_found_once_and_shown_by_name() {
        let text = "Ask @[Ana Ruiz](person:0190-a) and @[Ben](person:0190-b), then @[Ana Ruiz](person:0190-a). @[no](x)";
        assert_eq!(mentions(text), ["0190-a", "0190-b"]);
        let html = html(text);
        assert!(html.contains("<strong>@Ana Ruiz</strong>") && !html.contains("0190"), "{html}");
        assert!(mentions("@[broken @[Ana](person:a)").contains(&"a".to_owned()));
    }
}
