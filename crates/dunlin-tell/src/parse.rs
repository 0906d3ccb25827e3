//! Reads a notice file: TOML between two lines of `+++`, then Markdown. Every value keeps its place.
//!
//! TOML and not YAML, because the plan is TOML already: writers learn one language, `toml_edit` gives the place of
//! every value, and a locale `no` or a version `1_0` means what it looks like.

mod values;

use std::collections::BTreeMap;
use std::ops::Range;

use dunlin_plan::{Finding, Findings, Span, suggestion};
use toml_edit::{Document, TableLike};

use crate::notice::{Claims, FirstLayer, Message, Notice, NoticeSource, Override, Slot};
use crate::vocabulary::{Locale, SlotName, Stream, When, Word};
use values::{Part, Reader};

/// Names under `/tell/` that are pages of their own: a notice that is called so could not be read.
const RESERVED: [&str; 4] = ["me", "card", "images", "demo-host"];

/// The line around the front matter.
pub const FENCE: &str = "+++";

const TOP: &[&str] = &[
    "notice", "locale", "version", "headline", "stream", "audience", "first", "slot", "message", "facts",
    "override",
];

/// Reads a notice.
///
/// # Errors
/// Everything that is wrong with the file, in the order of the text.
pub fn parse(text: &str, file: &str) -> Result<NoticeSource, Findings> {
    let fail = |items| Err(Findings::new(file, text, items));
    let Some((front, body_at)) = split(text) else {
        let message = "a notice begins with a line `+++`, its TOML, and another line `+++`";
        let span = Span { start: 0, end: text.lines().next().map_or(0, str::len) };
        let help = "put `+++` alone on the first line and after the last TOML line; the text follows";
        return fail(vec![Finding::error("tell-syntax", span, message).help(help)]);
    };
    let base = front.start;
    let document = match Document::parse(text[front].to_owned()) {
        Ok(document) => document,
        Err(error) => {
            let span = error.span().unwrap_or_default();
            let span = Span { start: span.start + base, end: span.end + base };
            let message = format!("this is not TOML: {}", error.message().trim().replace('\n', ", "));
            let help = "texts stand in quotes, lists in [ ], and a key may be given once";
            return fail(vec![Finding::error("tell-syntax", span, message).help(help)]);
        }
    };
    let mut reader = Reader { base, items: Vec::new(), places: BTreeMap::new() };
    let notice = reader.notice(document.as_table(), &text[body_at..]);
    match notice {
        Some(notice) if reader.items.is_empty() => Ok(NoticeSource {
            notice,
            text: text.to_owned(),
            file: file.to_owned(),
            places: reader.places,
            body_at,
        }),
        _ => fail(reader.items),
    }
}

/// The front matter, and where the body begins.
fn split(text: &str) -> Option<(Range<usize>, usize)> {
    let is_fence = |line: &str| line.trim_end() == FENCE;
    let mut at = 0;
    let mut start = None;
    for line in text.split_inclusive('\n') {
        match start {
            None if is_fence(line) => start = Some(at + line.len()),
            None => return None,
            Some(start) if is_fence(line) => return Some((start..at, at + line.len())),
            Some(_) => {}
        }
        at += line.len();
    }
    None
}

impl Reader {
    fn notice(&mut self, top: &dyn TableLike, body: &str) -> Option<Notice> {
        let top = Part { table: top, path: "", name: "the notice", span: Span { start: 0, end: 3 } };
        self.known(top, TOP);
        let id = self.required(top, "notice", "notice = \"2026-move\"");
        let id = id.filter(|id| self.check_id(id));
        let locale = self.required(top, "locale", "locale = \"en\"").and_then(|tag| self.locale(&tag));
        let version = self.version(top);
        let headline = self.required(top, "headline", "headline = \"one sentence: the thing that matters\"");
        let stream = self.required(top, "stream", "stream = \"required\"");
        let stream = stream.and_then(|word| self.word::<Stream>(&word, "stream"));
        let audience = self.text(top, "audience");
        let first = self.first(top);
        let slots = self.slots(top);
        let messages = self.each(top, "message", Self::message);
        let claims = self.claims(top);
        let overrides = self.each(top, "override", Self::over);
        let body = body.to_owned();
        Some(Notice {
            id: id?,
            locale: locale?,
            version: version?,
            headline: headline?,
            stream: stream?,
            audience,
            first: first?,
            slots,
            messages,
            claims,
            overrides,
            body,
        })
    }

    fn check_id(&mut self, id: &str) -> bool {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = !id.is_empty() && id.len() <= 64 && id.chars().all(plain) && !id.starts_with('-');
        if !fits {
            let help = "small letters, digits and hyphens, at most 64: it stands in web addresses";
            self.error("tell-wrong-value", "notice", "this is not a name for a notice", help);
        } else if RESERVED.contains(&id) {
            let help =
                format!("`/tell/{id}` is another page: give the notice another name, e.g. `{id}-2026`");
            self.error("tell-wrong-value", "notice", "this name stands for another page", &help);
            return false;
        }
        fits
    }

    fn locale(&mut self, tag: &str) -> Option<Locale> {
        let locale = Locale::from_tag(tag);
        if locale.is_none() {
            let words = crate::vocabulary::Lang::ALL.iter().map(|lang| lang.as_str());
            let help = format!("{} A country may follow: `en-GB`", suggestion(tag, words));
            self.error("tell-unknown-word", "locale", &format!("unknown locale `{tag}`"), &help);
        }
        locale
    }

    fn version(&mut self, top: Part<'_>) -> Option<u32> {
        let number = self.integer(top, "version");
        if top.table.get("version").is_none() {
            self.missing(top, "version", "version = 1");
        }
        let version = u32::try_from(number?).ok().filter(|version| *version > 0);
        if version.is_none() {
            self.error("tell-wrong-value", "version", "a version counts from 1", "write `version = 1`");
        }
        version
    }

    fn first(&mut self, top: Part<'_>) -> Option<FirstLayer> {
        let Some(part) = self.section(top, "first", "first.", "[first]") else {
            self.missing(top, "first", "[first] with `changes`, `stays` and `you_can`");
            return None;
        };
        self.known(part, &["changes", "stays", "you_can", "by"]);
        Some(FirstLayer {
            changes: self.text(part, "changes").unwrap_or_default(),
            stays: self.text(part, "stays").unwrap_or_default(),
            you_can: self.text(part, "you_can").unwrap_or_default(),
            by: self.date(part, "by"),
        })
    }

    fn slots(&mut self, top: Part<'_>) -> BTreeMap<SlotName, Slot> {
        let mut slots = BTreeMap::new();
        let Some(part) = self.section(top, "slot", "slot.", "[slot]") else { return slots };
        let names: Vec<&str> = SlotName::ALL.iter().map(|name| name.as_str()).collect();
        self.known(part, &names);
        for name in SlotName::ALL {
            let key = name.as_str();
            let slot = match part.table.get(key) {
                None => continue,
                Some(item) if item.as_table_like().is_some() => {
                    let path = format!("slot.{key}.");
                    let label = format!("`slot.{key}`");
                    let Some(inner) = self.section(part, key, &path, &label) else { continue };
                    self.known(inner, &["not_applicable"]);
                    let example = "not_applicable = \"because …\"";
                    self.required(inner, "not_applicable", example).map(Slot::NotApplicable)
                }
                Some(_) => self.text(part, key).map(Slot::Filled),
            };
            if let Some(slot) = slot {
                slots.insert(*name, slot);
            }
        }
        slots
    }

    fn message(&mut self, part: Part<'_>) -> Option<Message> {
        self.known(part, &["when", "days", "subject", "text"]);
        let when = self.required(part, "when", "when = \"before\"");
        let when = when.and_then(|word| self.word::<When>(&word, &format!("{}when", part.path)));
        let subject = self.required(part, "subject", "subject = \"…\"");
        let text = self.text(part, "text");
        let days = self.integer(part, "days");
        let days = match days.map(|days| (u16::try_from(days), days)) {
            None => Some(0),
            Some((Ok(days), _)) if days <= 730 => Some(days),
            Some(_) => {
                let help = "a whole number of days, 0 to 730; `when` says in which direction";
                self.error("tell-wrong-value", &format!("{}days", part.path), "not a number of days", help);
                None
            }
        };
        Some(Message { when: when?, days: days?, subject: subject?, text })
    }

    fn claims(&mut self, top: Part<'_>) -> Option<Claims> {
        let part = self.section(top, "facts", "facts.", "[facts]")?;
        let mut keys = vec!["fingerprint"];
        keys.extend(crate::facts::SUBJECTS.iter().map(|(key, _)| *key));
        self.known(part, &keys);
        let fingerprint = self.required(part, "fingerprint", "fingerprint = \"…\", as the draft wrote it")?;
        let mut stated = BTreeMap::new();
        for (key, _) in crate::facts::SUBJECTS {
            if let Some(values) = self.texts(part, key) {
                stated.insert((*key).to_owned(), values);
            }
        }
        Some(Claims { fingerprint, stated })
    }

    fn over(&mut self, part: Part<'_>) -> Option<Override> {
        self.known(part, &["rule", "reason", "by"]);
        let rule = self.required(part, "rule", "rule = \"tell-hedge\"");
        let reason = self.required(part, "reason", "reason = \"…\": whoever checks must be able to follow");
        let by = self.required(part, "by", "by = \"ana@example.com\"");
        Some(Override { rule: rule?, reason: reason?, by: by? })
    }
}
