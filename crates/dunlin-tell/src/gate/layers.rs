//! Completeness: both layers are there, within their limits, with every question answered.

use dunlin_plan::{Finding, Span};

use crate::notice::{Notice, NoticeSource, questions};
use crate::vocabulary::{SlotName, Word};
use crate::words::{self, Words, fill};

/// The first layer is read standing up: at most this many words, its date included.
pub const FIRST_LAYER_WORDS: usize = 60;
/// A headline is one glance.
pub const HEADLINE_WORDS: usize = 16;

pub(super) fn check(source: &NoticeSource, previous: Option<&Notice>, items: &mut Vec<Finding>) {
    first_layer(source, items);
    slots(source, items);
    open_questions(source, items);
    version(source, previous, items);
    if source.notice.body.trim().is_empty() {
        let span = Span { start: source.body_at, end: source.body_at };
        let help = "write what moves, what stays, when, and what one can do, under the front matter";
        items.push(Finding::error("tell-body-missing", span, "there is no second layer").help(help));
    }
}

fn count(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

fn first_layer(source: &NoticeSource, items: &mut Vec<Finding>) {
    let notice = &source.notice;
    let first = &notice.first;
    let bullets = [
        ("first.changes", &first.changes, "what changes for the reader"),
        ("first.stays", &first.stays, "what does not change"),
        ("first.you_can", &first.you_can, "what the reader can do"),
    ];
    for (field, text, what) in bullets {
        if text.trim().is_empty() {
            let message = format!("the first layer does not say {what}");
            let help = format!("write one sentence as `{}`", field.trim_start_matches("first."));
            items.push(Finding::error("tell-first-missing", source.place("first"), message).help(help));
        }
        if text.contains('\n') {
            let message = "a bullet of the first layer is one paragraph";
            let help = "take the line breaks out, or move a part into the text below";
            items.push(Finding::error("tell-first-long", source.place(field), message).help(help));
        }
    }
    let by =
        first.by.map(|date| fill(Words::of(notice.locale.lang).by, &words::date(notice.locale.lang, date)));
    let total: usize =
        bullets.iter().map(|(_, text, _)| count(text)).sum::<usize>() + by.as_deref().map_or(0, count);
    if total > FIRST_LAYER_WORDS {
        let message = format!("the first layer has {total} words, at most {FIRST_LAYER_WORDS} fit");
        let help = "leave here what most readers need, and move the rest into the text below";
        items.push(Finding::error("tell-first-long", source.place("first"), message).help(help));
    }
    let words = count(&notice.headline);
    if words > HEADLINE_WORDS {
        let message = format!("the headline has {words} words, {HEADLINE_WORDS} are a glance");
        let help = "say the one thing that matters";
        items.push(Finding::error("tell-headline-long", source.place("headline"), message).help(help));
    }
}

fn slots(source: &NoticeSource, items: &mut Vec<Finding>) {
    for name in SlotName::ALL {
        let article = name.article();
        match source.notice.slots.get(name) {
            None => {
                let message = format!("nothing is said about `{name}` (GDPR {article})");
                let help = format!(
                    "fill `{name}` under [slot], or write {name} = {{ not_applicable = \"because …\" }}"
                );
                items.push(Finding::error("tell-slot-missing", source.place("slot"), message).help(help));
            }
            Some(slot) if slot.text().trim().is_empty() => {
                let message = format!("`{name}` is empty (GDPR {article})");
                let help = "answer it, or write { not_applicable = \"because …\" }";
                let span = source.place(&format!("slot.{name}"));
                items.push(Finding::error("tell-slot-missing", span, message).help(help));
            }
            Some(_) => {}
        }
    }
}

/// Open questions, wherever they stand in the file.
fn open_questions(source: &NoticeSource, items: &mut Vec<Finding>) {
    for (place, asked) in questions(&source.text) {
        let asked = asked.replace("\\\"", "\"");
        let message = format!("open question: {asked}");
        let help = "replace it by the answer; what dunlin does not know it does not invent";
        items.push(Finding::error("tell-question-open", place.into(), message).help(help));
    }
}

/// A published version never changes: what differs from it has a higher number.
fn version(source: &NoticeSource, previous: Option<&Notice>, items: &mut Vec<Finding>) {
    let Some(previous) = previous else { return };
    let notice = &source.notice;
    if notice != previous && notice.version <= previous.version {
        let message = format!("version {} is published and this differs from it", previous.version);
        let help = format!("write `version = {}`", previous.version.saturating_add(1));
        items.push(Finding::error("tell-version", source.place("version"), message).help(help));
    }
    if notice.id != previous.id || notice.locale != previous.locale {
        let message = format!("the published notice is `{}` in `{}`", previous.id, previous.locale);
        let help = "a notice keeps its name, and each language is a notice of its own";
        items.push(Finding::error("tell-version", source.place("notice"), message).help(help));
    }
}
