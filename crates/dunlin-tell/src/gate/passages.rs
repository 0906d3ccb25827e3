//! Every text of a notice that readers see, with the way back to its place in the file.

use dunlin_plan::Span;

use crate::notice::{NoticeSource, QUESTION};
use crate::prose::{Block, Reading, read};

/// A text of the notice.
pub(super) struct Passage {
    /// `headline`, `first.changes`, `slot.dpo`, `message.0.text`; `body` for what follows the front matter.
    pub(super) field: String,
    /// The text as it is after TOML.
    text: String,
    pub(super) reading: Reading,
}

/// The texts, in the order of the file.
pub(super) fn all(source: &NoticeSource) -> Vec<Passage> {
    let notice = &source.notice;
    let mut texts: Vec<(String, &str)> = vec![
        ("headline".into(), &notice.headline),
        ("first.changes".into(), &notice.first.changes),
        ("first.stays".into(), &notice.first.stays),
        ("first.you_can".into(), &notice.first.you_can),
    ];
    texts.extend(notice.slots.iter().map(|(name, slot)| {
        let tail = if matches!(slot, crate::notice::Slot::NotApplicable(_)) { ".not_applicable" } else { "" };
        (format!("slot.{name}{tail}"), slot.text())
    }));
    for (number, message) in notice.messages.iter().enumerate() {
        texts.push((format!("message.{number}.subject"), &message.subject));
        texts.extend(message.text.as_deref().map(|text| (format!("message.{number}.text"), text)));
    }
    texts.push(("body".into(), &notice.body));
    let passage =
        |(field, text): (String, &str)| Passage { field, text: text.to_owned(), reading: read(text) };
    texts.into_iter().map(passage).collect()
}

impl Passage {
    /// The blocks that can be read as they are; those with an open question wait for its answer.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.reading.blocks.iter().filter(|block| !block.text.contains(QUESTION))
    }

    /// Whether it is a paragraph text: headlines, subjects and reasons are fragments.
    pub(super) fn is_prose(&self) -> bool {
        !(self.field == "headline"
            || self.field.ends_with(".subject")
            || self.field.ends_with(".not_applicable"))
    }

    /// The place in the file of some bytes of this text.
    pub(super) fn span(&self, source: &NoticeSource, start: usize, length: usize) -> Span {
        if self.field == "body" {
            let start = (source.body_at + start).min(source.text.len());
            return Span { start, end: (start + length).min(source.text.len()) };
        }
        // Escapes shift what follows them; then the words themselves say where they are.
        let whole = source.place(&self.field);
        let raw = source.text.get(whole.start..whole.end).unwrap_or_default();
        let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
        let wanted = self.text.get(start..start + length).unwrap_or_default();
        let exact = quotes + start;
        let at = match raw.get(exact..exact + length) {
            Some(found) if found == wanted => Some(exact),
            _ => raw.find(wanted).filter(|_| !wanted.is_empty()),
        };
        at.map_or(whole, |at| Span { start: whole.start + at, end: whole.start + at + length })
    }

    /// The place in the file of some bytes of one of its blocks.
    pub(super) fn block_span(&self, source: &NoticeSource, block: &Block, start: usize, end: usize) -> Span {
        self.span(source, block.source(start), end.saturating_sub(start))
    }
}
