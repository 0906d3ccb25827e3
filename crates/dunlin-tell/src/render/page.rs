//! The whole notice as the body of a page: the sentence that matters, three points, the actions, then everything.

use askama::Template;

use super::markdown::{self, Section};
use super::{Actions, Labelled, Point, RenderError, filled, points};
use crate::notice::{Notice, Slot};
use crate::vocabulary::{SlotName, Word};
use crate::words::{Words, fill};

/// A page without the frame of the site around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// For `<title>`; text, not HTML.
    pub title: String,
    /// For `<html lang>`.
    pub lang: String,
    /// An `<article>`; its style is [`super::NOTICE_CSS`].
    pub html: String,
    /// What the table of contents lists.
    pub contents: Vec<Contents>,
}

/// A line of the table of contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The id on the page.
    pub id: String,
    /// The heading; text, not HTML.
    pub title: String,
}

struct SlotView {
    id: String,
    title: &'static str,
    html: String,
    not_applicable: bool,
}

#[derive(Template)]
#[template(path = "page.html")]
struct PageTemplate<'a> {
    lang: String,
    headline: &'a str,
    company: &'a str,
    version: String,
    three: Vec<Point>,
    links: Vec<Labelled<'a>>,
    words: &'static Words,
    contents: &'a [Contents],
    sections: Vec<Section>,
    slots: Vec<SlotView>,
}

/// The notice as a page. Images are served from under `images`, for example `/tell/images/2026-move/`.
///
/// # Errors
/// Never but for a defect.
pub fn page(notice: &Notice, company: &str, actions: &Actions, images: &str) -> Result<Page, RenderError> {
    let words = Words::of(notice.locale.lang);
    let sections = markdown::sections(&notice.body, images);
    let slots: Vec<SlotView> = SlotName::ALL
        .iter()
        .filter_map(|name| notice.slots.get(name).map(|slot| view(*name, slot, words, images)))
        .collect();
    let titled = sections.iter().filter(|section| !section.id.is_empty());
    let mut contents: Vec<Contents> =
        titled.map(|section| Contents { id: section.id.clone(), title: section.title.clone() }).collect();
    if !slots.is_empty() {
        contents.push(Contents { id: "details".to_owned(), title: words.details.to_owned() });
    }
    let template = PageTemplate {
        lang: notice.locale.to_string(),
        headline: &notice.headline,
        company,
        version: fill(words.version, &notice.version.to_string()),
        three: points(notice),
        links: actions.labelled(words),
        words,
        contents: &contents,
        sections,
        slots,
    };
    let html = filled(&template, "page")?;
    Ok(Page { title: notice.headline.clone(), lang: notice.locale.to_string(), html, contents })
}

fn view(name: SlotName, slot: &Slot, words: &'static Words, images: &str) -> SlotView {
    let (text, not_applicable) = match slot {
        Slot::Filled(text) => (text.clone(), false),
        Slot::NotApplicable(why) => (format!("{} {why}", words.not_applicable), true),
    };
    SlotView {
        id: format!("slot-{}", name.as_str().replace('_', "-")),
        title: words.slot(name),
        html: markdown::html(&text, images),
        not_applicable,
    }
}

/// The page as a screen reader goes through it: every heading and every text in their order, links as their words.
pub fn page_text(notice: &Notice, company: &str, actions: &Actions) -> String {
    let words = Words::of(notice.locale.lang);
    let version = fill(words.version, &notice.version.to_string());
    let mut parts = vec![notice.headline.clone(), format!("{company} · {version}")];
    parts.extend(points(notice).into_iter().map(|point| format!("{}\n{}", point.label, point.text)));
    let links: Vec<&str> = actions.labelled(words).into_iter().map(|link| link.label).collect();
    parts.push(format!("{}\n- {}", words.card.actions, links.join("\n- ")));
    for (title, text) in markdown::text_sections(&notice.body) {
        parts.push(if title.is_empty() { text } else { format!("{title}\n{text}") });
    }
    let slots = SlotName::ALL.iter().filter_map(|name| Some((*name, notice.slots.get(name)?)));
    for (place, (name, slot)) in slots.enumerate() {
        if place == 0 {
            parts.push(words.details.to_owned());
        }
        let text = match slot {
            Slot::Filled(text) => markdown::text(text),
            Slot::NotApplicable(why) => format!("{} {}", words.not_applicable, markdown::text(why)),
        };
        parts.push(format!("{}\n{text}", words.slot(name)));
    }
    parts.retain(|part| !part.trim().is_empty());
    format!("{}\n", parts.join("\n\n"))
}
