//! Two versions of a notice side by side, in a reader's words: what was added, what was taken away, what was changed,
//! by the headings that the reader knows.

use similar::{ChangeTag, TextDiff};

use crate::notice::{Notice, Slot};
use crate::render::{points, text_sections};
use crate::vocabulary::{SlotName, Word};
use crate::words::Words;

/// What happened to a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It is new.
    Added,
    /// It is no longer there.
    Removed,
    /// It says something else.
    Changed,
}

/// A run of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// In both versions.
    Same(String),
    /// In the new one.
    Added(String),
    /// In the old one.
    Removed(String),
}

/// A part that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its heading, in the language of the new version.
    pub place: String,
    /// What happened to it.
    pub happened: Happened,
    /// Its words.
    pub pieces: Vec<Piece>,
}

/// What differs between two versions, in the order of the new one; what is gone stands last.
pub fn changes(old: &Notice, new: &Notice) -> Vec<Change> {
    let (before, after) = (parts(old, new), parts(new, new));
    let find = |parts: &[(String, String)], key: &str| {
        parts.iter().find(|(place, _)| place == key).map(|(_, text)| text.clone())
    };
    let mut found = Vec::new();
    for (place, text) in &after {
        match find(&before, place) {
            Some(was) if was == *text => {}
            Some(was) => {
                let pieces = pieces(&was, text);
                found.push(Change { place: place.clone(), happened: Happened::Changed, pieces });
            }
            None => {
                let pieces = vec![Piece::Added(text.clone())];
                found.push(Change { place: place.clone(), happened: Happened::Added, pieces });
            }
        }
    }
    for (place, text) in before.iter().filter(|(place, _)| find(&after, place).is_none()) {
        let pieces = vec![Piece::Removed(text.clone())];
        found.push(Change { place: place.clone(), happened: Happened::Removed, pieces });
    }
    found
}

/// The parts of a notice with their headings, in the language of `named`.
fn parts(notice: &Notice, named: &Notice) -> Vec<(String, String)> {
    let words = Words::of(named.locale.lang);
    let mut parts = vec![(words.diff.headline.to_owned(), notice.headline.trim().to_owned())];
    let labels = [words.changes, words.stays, words.you_can];
    let first = &notice.first;
    let said = [&first.changes, &first.stays, &first.you_can].map(|text| !text.trim().is_empty());
    let labels = labels.into_iter().zip(said).filter_map(|(label, said)| said.then_some(label));
    let firsts = points(notice).into_iter().zip(labels);
    parts.extend(firsts.map(|(point, label)| (format!("{}: {label}", words.diff.short), point.text)));
    for (title, text) in text_sections(&notice.body) {
        let mut place = if title.is_empty() { words.diff.beginning.to_owned() } else { title };
        // Two headings may be called alike.
        while parts.iter().any(|(taken, _)| *taken == place) {
            place.push_str(" (2)");
        }
        parts.push((place, text));
    }
    for name in SlotName::ALL {
        let Some(slot) = notice.slots.get(name) else { continue };
        let text = match slot {
            Slot::Filled(text) => text.trim().to_owned(),
            Slot::NotApplicable(why) => format!("{} {}", words.not_applicable, why.trim()),
        };
        parts.push((words.slot(*name).to_owned(), text));
    }
    parts
}

/// With less than this in common, two texts are shown one after the other: a mixture could not be read.
const ALIKE: f32 = 0.5;

/// The words of both, by the algorithm of Myers ("An O(ND) difference algorithm", 1986).
fn pieces(old: &str, new: &str) -> Vec<Piece> {
    let diff = TextDiff::from_words(old, new);
    if diff.ratio() < ALIKE {
        return vec![
            Piece::Removed(old.to_owned()),
            Piece::Same(" ".to_owned()),
            Piece::Added(new.to_owned()),
        ];
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for change in diff.iter_all_changes() {
        let text = change.value();
        match (pieces.last_mut(), change.tag()) {
            (Some(Piece::Same(run)), ChangeTag::Equal)
            | (Some(Piece::Added(run)), ChangeTag::Insert)
            | (Some(Piece::Removed(run)), ChangeTag::Delete) => run.push_str(text),
            (_, ChangeTag::Equal) => pieces.push(Piece::Same(text.to_owned())),
            (_, ChangeTag::Insert) => pieces.push(Piece::Added(text.to_owned())),
            (_, ChangeTag::Delete) => pieces.push(Piece::Removed(text.to_owned())),
        }
    }
    pieces
}

/// The changes as lines of text: a heading each, `[-gone-]` and `{+new+}` inside.
pub fn to_text(changes: &[Change], notice: &Notice) -> String {
    let words = &Words::of(notice.locale.lang).diff;
    if changes.is_empty() {
        return format!("{}\n", words.nothing);
    }
    let line = |change: &Change| {
        let pieces: String = change
            .pieces
            .iter()
            .map(|piece| match (change.happened, piece) {
                (Happened::Changed, Piece::Added(text)) => format!("{{+{text}+}}"),
                (Happened::Changed, Piece::Removed(text)) => format!("[-{text}-]"),
                (_, Piece::Same(text) | Piece::Added(text) | Piece::Removed(text)) => text.clone(),
            })
            .collect();
        format!(
            "{}: {}\n  {}\n",
            happened(change.happened, words),
            change.place,
            pieces.replace('\n', "\n  ")
        )
    };
    changes.iter().map(line).collect()
}

/// The changes as HTML: `<ins>` and `<del>`, which screen readers can announce, under a heading each.
pub fn to_html(changes: &[Change], notice: &Notice) -> String {
    let words = &Words::of(notice.locale.lang).diff;
    if changes.is_empty() {
        return format!("<p>{}</p>\n", escape(words.nothing));
    }
    let part = |change: &Change| {
        let pieces: String = change
            .pieces
            .iter()
            .map(|piece| {
                let (open, text, close) = match piece {
                    Piece::Same(text) => ("", text, ""),
                    Piece::Added(text) => ("<ins>", text, "</ins>"),
                    Piece::Removed(text) => ("<del>", text, "</del>"),
                };
                format!("{open}{}{close}", escape(text))
            })
            .collect();
        format!(
            "<h3>{}: {}</h3>\n<p>{pieces}</p>\n",
            escape(happened(change.happened, words)),
            escape(&change.place)
        )
    };
    changes.iter().map(part).collect()
}

fn happened(what: Happened, words: &crate::words::DiffWords) -> &'static str {
    match what {
        Happened::Added => words.added,
        Happened::Removed => words.removed,
        Happened::Changed => words.changed,
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\n', "<br>")
}
