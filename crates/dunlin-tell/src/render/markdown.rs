//! Markdown as HTML that is safe to show: comrak passes no raw HTML on, and ammonia cleans what comes out.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, parse_document};

use crate::gate::is_image_path;
use crate::prose::{options, plain};

static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = ammonia::Builder::default();
    cleaner
        .rm_tags(["map", "area"])
        .url_schemes(["https", "mailto", "tel"].into())
        .link_rel(Some("noopener noreferrer"));
    cleaner
});

/// A part of a page, under its heading; the part before the first heading has neither title nor id.
pub(super) struct Section {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) html: String,
}

/// A Markdown text as sections: headings of the first and second level divide it. Images come from under `images`.
pub(super) fn sections(markdown: &str, images: &str) -> Vec<Section> {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    place_images(root, images);
    let mut ids = BTreeSet::from(["contents".to_owned(), "details".to_owned()]);
    let mut sections = vec![Section { id: String::new(), title: String::new(), html: String::new() }];
    for node in root.children() {
        let divides = matches!(&node.data().value, NodeValue::Heading(heading) if heading.level <= 2);
        if divides {
            let title = plain(node);
            sections.push(Section { id: anchor(&title, &mut ids), title, html: String::new() });
        } else if let Some(section) = sections.last_mut() {
            // Writing into a String cannot fail.
            let _ = comrak::format_html(node, &options(), &mut section.html);
        }
    }
    for section in &mut sections {
        section.html = CLEANER.clean(&section.html).to_string();
    }
    sections.retain(|section| !section.id.is_empty() || !section.html.trim().is_empty());
    sections
}

/// A Markdown text as titled parts of plain text, divided as [`sections`] does.
pub(crate) fn text_sections(markdown: &str) -> Vec<(String, String)> {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    let mut parts = vec![(String::new(), String::new())];
    for node in root.children() {
        let divides = matches!(&node.data().value, NodeValue::Heading(heading) if heading.level <= 2);
        if divides {
            parts.push((plain(node), String::new()));
        } else if let Some((_, text)) = parts.last_mut() {
            block(node, "", text);
        }
    }
    parts.retain_mut(|(title, text)| {
        *text = text.trim().to_owned();
        !(title.is_empty() && text.is_empty())
    });
    parts
}

/// A short Markdown text as HTML.
pub(super) fn html(markdown: &str, images: &str) -> String {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    place_images(root, images);
    let mut out = String::new();
    let _ = comrak::format_html(root, &options(), &mut out);
    CLEANER.clean(&out).to_string()
}

/// One paragraph as HTML without the paragraph around it.
pub(super) fn inline(markdown: &str) -> String {
    let html = html(markdown, "");
    let html = html.trim();
    let inner = html.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
    inner.filter(|inner| !inner.contains("<p>")).unwrap_or(html).to_owned()
}

/// A Markdown text as plain text: a blank line between blocks, `- ` before items, addresses after their words.
pub(super) fn text(markdown: &str) -> String {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    let mut out = String::new();
    blocks(root, "", &mut out);
    out.trim().to_owned()
}

fn blocks<'a>(node: &'a AstNode<'a>, indent: &str, out: &mut String) {
    for child in node.children() {
        block(child, indent, out);
    }
}

fn block<'a>(node: &'a AstNode<'a>, indent: &str, out: &mut String) {
    match &node.data().value {
        NodeValue::Paragraph | NodeValue::Heading(_) => {
            out.push_str(&inlines(node));
            out.push_str("\n\n");
        }
        NodeValue::Item(_) => {
            let mut inner = String::new();
            blocks(node, "", &mut inner);
            let inner = inner.trim().replace("\n\n", "\n").replace('\n', "\n  ");
            out.push_str(&format!("{indent}- {inner}\n"));
        }
        NodeValue::List(_) => {
            blocks(node, indent, out);
            out.push('\n');
        }
        NodeValue::TableRow(_) => {
            let cells: Vec<String> = node.children().map(|cell| inlines(cell)).collect();
            out.push_str(&format!("{}\n", cells.join(" | ")));
        }
        NodeValue::CodeBlock(code) => out.push_str(&format!("{}\n", code.literal)),
        NodeValue::HtmlBlock(html) => out.push_str(&format!("{}\n", html.literal)),
        _ => blocks(node, indent, out),
    }
}

fn inlines<'a>(node: &'a AstNode<'a>) -> String {
    let mut out = String::new();
    for child in node.children() {
        match &child.data().value {
            NodeValue::Text(text) => out.push_str(text),
            NodeValue::Code(code) => out.push_str(&code.literal),
            NodeValue::SoftBreak => out.push(' '),
            NodeValue::LineBreak => out.push('\n'),
            NodeValue::Link(link) => {
                let words = inlines(child);
                let same = link.url.trim_start_matches("mailto:") == words;
                out.push_str(&if same { words } else { format!("{words} ({})", link.url) });
            }
            NodeValue::Image(_) => out.push_str(&plain(child)),
            NodeValue::HtmlInline(html) => out.push_str(html),
            _ => out.push_str(&inlines(child)),
        }
    }
    out
}

/// Images of the workspace get the prefix; of any other only the words remain.
fn place_images<'a>(root: &'a AstNode<'a>, prefix: &str) {
    for node in root.descendants() {
        let mut data = node.data_mut();
        if let NodeValue::Image(link) = &mut data.value {
            if is_image_path(&link.url) && !prefix.is_empty() {
                link.url = format!("{prefix}{}", link.url);
                link.title.clear();
            } else {
                data.value = NodeValue::Emph;
            }
        }
    }
}

/// An id for a heading: its letters and digits, unique on the page.
fn anchor(title: &str, taken: &mut BTreeSet<String>) -> String {
    let mut base = String::new();
    for character in title.to_lowercase().chars() {
        match character {
            c if c.is_alphanumeric() => base.push(c),
            _ if !base.is_empty() && !base.ends_with('-') => base.push('-'),
            _ => {}
        }
    }
    let base = base.trim_end_matches('-');
    let base = if base.is_empty() { "part" } else { base };
    let mut id = base.to_owned();
    let mut number = 2;
    while !taken.insert(id.clone()) {
        id = format!("{base}-{number}");
        number += 1;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_writer_types_cannot_become_script() {
        for text in [
            "<script>alert(1)</script>",
            "[x](javascript:alert(1))",
            "<img src=x onerror=alert(1)>",
            "![x](https://tracker.example/p.png)",
            "![x](../../etc/passwd.png)",
            "![x](//evil.example/x.png)",
            "[x](data:text/html,<script>)",
        ] {
            let html = html(text, "/tell/images/");
            assert!(!html.contains("<script") && !html.contains("<img"), "{text}: {html}");
            assert!(!html.contains("javascript:") && !html.contains("href=\"data"), "{text}: {html}");
        }
        let html = html("![A van](images/van.png) and **bold**", "/tell/images/2026-move/");
        assert!(html.contains(r#"<img src="/tell/images/2026-move/images/van.png" alt="A van">"#), "{html}");
        assert!(html.contains("<strong>bold</strong>"), "{html}");
    }

    #[test]
    fn headings_divide_a_text_and_have_ids_of_their_own() {
        let found = sections(
            "Before.\n\n## What moves\n\nA.\n\n### Deeper\n\n## What moves\n\nB.\n\n# Über *uns*\n",
            "",
        );
        let shown: Vec<(&str, &str)> =
            found.iter().map(|part| (part.id.as_str(), part.title.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("", ""),
                ("what-moves", "What moves"),
                ("what-moves-2", "What moves"),
                ("über-uns", "Über uns")
            ]
        );
        assert!(found[1].html.contains("<h3>Deeper</h3>"), "{}", found[1].html);
    }

    #[test]
    fn plain_text_keeps_lists_and_addresses() {
        let text =
            text("Hello **you**.\n\n- one\n- two [here](https://a.example/x)\n\nWrite to a@b.example.\n");
        assert_eq!(text, "Hello you.\n\n- one\n- two here (https://a.example/x)\n\nWrite to a@b.example.");
    }

    proptest! {
        #[test]
        fn no_markdown_becomes_script(markdown in "[<>a-z\\[\\]()!/:\"'= `*_#-]{0,80}") {
            let html = html(&markdown, "/x/");
            let lower = html.to_lowercase();
            prop_assert!(!lower.contains("<script") && !lower.contains("<svg") && !lower.contains("<iframe"));
        }
    }
}
