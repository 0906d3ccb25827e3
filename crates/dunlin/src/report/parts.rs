//! Small pieces of the page that every section uses. All text that comes from outside goes through `escape` here.

use std::fmt::Write as _;

use super::text::{escape, number, short};

/// The bird.
pub(super) const BIRD: &str = "<svg viewBox=\"0 0 22 22\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\" \
    stroke-linecap=\"round\" stroke-linejoin=\"round\" aria-hidden=\"true\"><path d=\"M1.5 12.500H4.200L6.500 9.200C8 7 \
    10.200 6 12.500 6h3.800c2 0 3.400 1.300 3.700 3.200L20.800 13M6.500 9.200c.2 3.600 2.700 5.800 6.200 5.800 3.700 0 \
    6-2.300 6.300-5.500M11 15v4.500M14.500 14.800v4.700M16.900 9h.01\"/></svg>";

/// A mark in words and shape: colour never says it alone.
pub(super) fn mark(good: bool, yes: &str, no: &str) -> String {
    let (class, shape, words) =
        if good { ("ok", "M3 8.600l3.200 3.100L13 4.600", yes) } else { ("bad", "M4 4l8 8M12 4l-8 8", no) };
    format!(
        "<span class=\"{class} b nw\"><svg class=\"i\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\"{shape}\"/></svg> {}</span>",
        escape(words)
    )
}

/// A hash, shortened, with the whole of it on hover.
pub(super) fn hash(full: &str) -> String {
    if full.is_empty() {
        return "<span class=\"m\">none</span>".into();
    }
    format!("<span class=\"hash\" title=\"{}\">{}</span>", escape(full), escape(&short(full)))
}

/// A small word in a frame.
pub(super) fn tag(text: &str, class: &str) -> String {
    format!("<span class=\"tag {class}\">{}</span>", escape(text))
}

/// A cell. `label` names it where the table becomes cards, on a phone. `html` is HTML.
pub(super) fn cell(label: &str, class: &str, html: &str) -> String {
    format!("<td data-l=\"{}\" class=\"{class}\"><div>{html}</div></td>", escape(label))
}

/// A cell with a text.
pub(super) fn text_cell(label: &str, text: &str) -> String {
    cell(label, "", &escape(text))
}

/// A cell that may be empty: `none` is what it says then, and on a phone it is not shown at all.
pub(super) fn optional_cell(label: &str, html: Option<String>, none: &str) -> String {
    match html {
        Some(html) => cell(label, "", &html),
        None => cell(label, "none m", &escape(none)),
    }
}

/// A text in the letters of code.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// A cell with a number, which leads to what it is made of when there is such a place on the page.
pub(super) fn number_cell(label: &str, value: u64, to: Option<&str>) -> String {
    let digits = number(value);
    match to {
        _ if value == 0 => cell(label, "num zero", "0"),
        Some(anchor) => cell(label, "num", &format!("<a href=\"#{anchor}\">{digits}</a>")),
        None => cell(label, "num", &digits),
    }
}

/// A table whose head names its columns; a name that begins with `#` heads a column of numbers. The first column's
/// cells should have the class `lead`.
pub(super) fn table(class: &str, heads: &[&str], rows: &str, foot: &str) -> String {
    let mut out = format!("<table class=\"cards {class}\"><thead><tr>");
    for head in heads {
        // Writing to a String cannot fail.
        let _ = match head.strip_prefix('#') {
            Some(name) => write!(out, "<th scope=\"col\" class=\"num\">{}</th>", escape(name)),
            None => write!(out, "<th scope=\"col\">{}</th>", escape(head)),
        };
    }
    let _ = write!(out, "</tr></thead><tbody>{rows}</tbody>");
    if !foot.is_empty() {
        let _ = write!(out, "<tfoot>{foot}</tfoot>");
    }
    out.push_str("</table>");
    out
}

/// A section with a title and what the title leaves open.
pub(super) fn section(id: &str, title: &str, aside: &str, body: &str) -> String {
    format!(
        "<section class=\"sec\" id=\"{id}\"><header><h2>{}</h2><span class=\"m\">{}</span></header>{body}</section>",
        escape(title),
        escape(aside)
    )
}

/// A line of a list of facts. `html` is HTML.
pub(super) fn fact(name: &str, html: &str) -> String {
    format!("<dt>{}</dt><dd>{html}</dd>", escape(name))
}
