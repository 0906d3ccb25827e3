//! A notice as it is written: one file, one language, one version. Reading it is `parse`, writing it `print`.

use std::collections::BTreeMap;

use dunlin_plan::Span;
use jiff::civil::Date;

use crate::vocabulary::{Locale, SlotName, Stream, When};

/// What customers are told, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The notice's name, the same in every language: `2026-move`.
    pub id: String,
    /// The language it is written in.
    pub locale: Locale,
    /// Counts from 1; a published version never changes.
    pub version: u32,
    /// One sentence: the thing that matters.
    pub headline: String,
    /// Whether the law asks for it.
    pub stream: Stream,
    /// SQL that gives address and language of everybody it is for; not run here.
    pub audience: Option<String>,
    /// What everybody reads.
    pub first: FirstLayer,
    /// GDPR Art. 13 and 14.
    pub slots: BTreeMap<SlotName, Slot>,
    /// The messages around the move.
    pub messages: Vec<Message>,
    /// What it states about the plan.
    pub claims: Option<Claims>,
    /// Findings of the gate that somebody has set aside.
    pub overrides: Vec<Override>,
    /// Markdown: the second layer.
    pub body: String,
}

/// The first layer: at most three bullets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstLayer {
    /// What changes.
    pub changes: String,
    /// What does not.
    pub stays: String,
    /// What the reader can do.
    pub you_can: String,
    /// By when, if there is a last day for it.
    pub by: Option<Date>,
}

/// A slot of Art. 13 or 14.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Markdown of a few sentences.
    Filled(String),
    /// Why there is nothing to say.
    NotApplicable(String),
}

impl Slot {
    /// What stands in it.
    pub fn text(&self) -> &str {
        match self {
            Slot::Filled(text) | Slot::NotApplicable(text) => text,
        }
    }
}

/// A message of the schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Counted from where.
    pub when: When,
    /// How many days.
    pub days: u16,
    /// The subject of the e-mail.
    pub subject: String,
    /// Markdown of a few sentences, before the first layer.
    pub text: Option<String>,
}

impl Message {
    /// How a message is named on a command line and in the ledger: `before:30`, `during:0`.
    pub fn word(&self) -> String {
        format!("{}:{}", self.when, self.days)
    }

    /// The day it goes out, when the move begins and ends on these days; none when that is outside the calendar.
    pub fn day(&self, begins: Date, ends: Date) -> Option<Date> {
        let days = jiff::Span::new().days(i64::from(self.days));
        match self.when {
            When::Before => begins.checked_sub(days).ok(),
            When::During => begins.checked_add(days).ok(),
            When::After => ends.checked_add(days).ok(),
        }
    }
}

/// What a notice states about the plan: the words of [`crate::Facts::claims`] at the time of writing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The fingerprint of the facts, 64 hex digits.
    pub fingerprint: String,
    /// What it states, by subject.
    pub stated: BTreeMap<String, Vec<String>>,
}

/// A finding that somebody has set aside and answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The finding's code.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// Who: an e-mail address of the plan.
    pub by: String,
}

/// A notice together with its text, so that findings can say where.
#[derive(Clone, Debug)]
pub struct NoticeSource {
    /// What the text says.
    pub notice: Notice,
    /// The text as it was given.
    pub text: String,
    /// The name of the file as it was given.
    pub file: String,
    pub(crate) places: BTreeMap<String, Span>,
    /// Where the body begins.
    pub(crate) body_at: usize,
}

impl NoticeSource {
    /// The place of a field, such as `headline`, `slot.dpo`, `facts.to`, `message.0.subject`; the top of the file
    /// when the field is absent.
    pub fn place(&self, field: &str) -> Span {
        self.places.get(field).copied().unwrap_or(Span { start: 0, end: 3.min(self.text.len()) })
    }
}

/// How a question that is still open stands in a text: `[[question: which authority?]]`.
pub const QUESTION: &str = "[[question:";

/// Writes an open question.
pub fn question(text: &str) -> String {
    format!("{QUESTION} {text}]]")
}

/// The open questions of a text, with their places.
pub fn questions(text: &str) -> Vec<(std::ops::Range<usize>, &str)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find(QUESTION).map(|at| at + from) {
        let rest = &text[start + QUESTION.len()..];
        let length = rest.find("]]").unwrap_or(rest.len());
        let end = (start + QUESTION.len() + length + 2).min(text.len());
        found.push((start..end, rest[..length].trim()));
        from = end;
    }
    found
}
