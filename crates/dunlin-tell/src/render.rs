//! A notice as its readers meet it: the page, the front of the app, the e-mail. Whatever somebody typed is escaped or
//! cleaned; nothing here needs a script.

mod mail;
mod markdown;
mod page;
mod unsubscribe;

use askama::Template;

use crate::notice::Notice;
use crate::words::{self, Words, fill};

pub use mail::{Mail, mail};
pub(crate) use markdown::text_sections;
pub use page::{Contents, Page, page, page_text};
pub use unsubscribe::unsubscribe_page;

/// The style of the page; served as a file, since the pages allow no inline styles.
pub const NOTICE_CSS: &str = include_str!("../card/notice.css");

/// A page could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the template of the {0} could not be filled; this is a defect of dunlin")]
pub struct RenderError(pub &'static str);

fn filled(template: &impl Template, what: &'static str) -> Result<String, RenderError> {
    template.render().map_err(|_| RenderError(what))
}

/// Where the actions lead. Addresses of pages on the customer's side; each does its thing in one more tap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actions {
    /// The whole notice.
    pub read: String,
    /// What the data is used for, to change it.
    pub settings: String,
    /// The download.
    pub download: String,
    /// The deletion.
    pub delete: String,
    /// A person: a page, or `mailto:`.
    pub ask: String,
}

/// A link with its words.
pub(crate) struct Labelled<'a> {
    pub(crate) href: &'a str,
    pub(crate) label: &'a str,
}

impl Actions {
    /// The actions behind "read", in the order in which they are always shown.
    fn labelled(&self, words: &'static Words) -> Vec<Labelled<'_>> {
        let pairs = [
            (&self.settings, words.card.settings),
            (&self.download, words.card.download),
            (&self.delete, words.card.delete),
            (&self.ask, words.card.ask),
        ];
        pairs.into_iter().map(|(href, label)| Labelled { href, label }).collect()
    }
}

/// A bullet of the first layer.
pub(crate) struct Point {
    pub(crate) label: &'static str,
    pub(crate) html: String,
    pub(crate) text: String,
}

/// The first layer, each bullet under its question; the last day stands after what one can do.
pub(crate) fn points(notice: &Notice) -> Vec<Point> {
    let words = Words::of(notice.locale.lang);
    let by = notice.first.by.map(|date| fill(words.by, &words::date(notice.locale.lang, date)));
    let you_can = match by {
        Some(by) => format!("{} {by}", notice.first.you_can.trim_end()),
        None => notice.first.you_can.clone(),
    };
    let of = [
        (words.changes, notice.first.changes.clone()),
        (words.stays, notice.first.stays.clone()),
        (words.you_can, you_can),
    ];
    let said = of.into_iter().filter(|(_, text)| !text.trim().is_empty());
    said.map(|(label, text)| Point { label, html: markdown::inline(&text), text: markdown::text(&text) })
        .collect()
}

#[derive(Template)]
#[template(path = "card.html")]
struct CardTemplate<'a> {
    lang: String,
    region: String,
    headline: &'a str,
    points: Vec<String>,
    labels: &'static crate::words::CardWords,
    links: Vec<Labelled<'a>>,
}

/// The card as HTML, for pages without scripts or before the script has come: inside `<dunlin-notice>` the script
/// replaces it. The host's page links the style of [`crate::card::CARD_CSS`].
///
/// # Errors
/// Never but for a defect.
pub fn fragment(notice: &Notice, company: &str, actions: &Actions) -> Result<String, RenderError> {
    let words = Words::of(notice.locale.lang);
    let mut links = vec![Labelled { href: &actions.read, label: words.card.read }];
    links.extend(actions.labelled(words));
    let template = CardTemplate {
        lang: notice.locale.to_string(),
        region: fill(words.card.region, company),
        headline: &notice.headline,
        points: points(notice).into_iter().map(|point| point.text).collect(),
        labels: &words.card,
        links,
    };
    filled(&template, "card")
}
