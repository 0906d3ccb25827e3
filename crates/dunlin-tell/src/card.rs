//! The card on the front of the company's app: the script that the server hands out, and the data that it fetches.

use serde::Serialize;

use crate::notice::Notice;
use crate::render::{Actions, points};
use crate::words::{Words, fill};

/// The style of the card: inside the script, and for the fragment without a script.
pub const CARD_CSS: &str = include_str!("../card/card.css");

const SCRIPT: &str = include_str!("../card/dunlin-notice.js");

/// The script as it is served: with its style inside, so that it is one file.
pub fn script() -> String {
    SCRIPT.replacen("/*CARD_CSS*/", CARD_CSS, 1)
}

/// What the script fetches; its head comment is the description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CardData<'a> {
    /// The notice's name.
    pub notice: &'a str,
    /// Its version; a new one is shown to everybody again.
    pub version: u32,
    /// The language of all words here.
    pub lang: String,
    /// The sentence that matters.
    pub headline: &'a str,
    /// At most three.
    pub points: Vec<String>,
    /// Where the actions lead.
    pub links: CardLinks<'a>,
    /// Where the answer is remembered, for a person whom the host has named.
    pub remember: Option<&'a str>,
    /// Whether this person has answered already.
    pub seen: bool,
    /// The words on the card.
    pub labels: CardLabels,
}

/// Where the actions of a card lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "as in `Actions`")]
pub struct CardLinks<'a> {
    pub read: &'a str,
    pub settings: &'a str,
    pub download: &'a str,
    pub delete: &'a str,
    pub ask: &'a str,
}

/// The words on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "as in `CardWords`")]
pub struct CardLabels {
    pub region: String,
    pub read: &'static str,
    pub keep: &'static str,
    pub settings: &'static str,
    pub download: &'static str,
    pub delete: &'static str,
    pub ask: &'static str,
    pub close: &'static str,
    pub reopen: &'static str,
    pub kept: &'static str,
    pub actions: &'static str,
}

/// The data of a card. With a person, `remember` is an address that is theirs alone, and `seen` what they answered
/// to this version.
pub fn data<'a>(
    notice: &'a Notice,
    company: &str,
    actions: &'a Actions,
    remember: Option<&'a str>,
    seen: bool,
) -> CardData<'a> {
    let words = &Words::of(notice.locale.lang).card;
    CardData {
        notice: &notice.id,
        version: notice.version,
        lang: notice.locale.to_string(),
        headline: &notice.headline,
        points: points(notice).into_iter().map(|point| point.text).collect(),
        links: CardLinks {
            read: &actions.read,
            settings: &actions.settings,
            download: &actions.download,
            delete: &actions.delete,
            ask: &actions.ask,
        },
        remember,
        seen,
        labels: CardLabels {
            region: fill(words.region, company),
            read: words.read,
            keep: words.keep,
            settings: words.settings,
            download: words.download,
            delete: words.delete,
            ask: words.ask,
            close: words.close,
            reopen: words.reopen,
            kept: words.kept,
            actions: words.actions,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_one_file_with_its_style_inside() {
        let script = script();
        assert!(!script.contains("CARD_CSS") && script.contains(":host{display:block}"));
        // The style stands in a template literal.
        assert!(!CARD_CSS.contains(['`', '\\', '$']));
        for forbidden in ["innerHTML", "document.cookie", "eval(", ".style.", "http://", "import("] {
            let uses = script.replace("http://www.w3.org/2000/svg", "");
            assert!(!uses.contains(forbidden), "{forbidden}");
        }
    }
}
