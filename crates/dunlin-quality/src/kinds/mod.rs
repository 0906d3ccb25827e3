//! What a column holds and how closely it must be kept, told from its name, a sample of its values and its neighbours.
//! A guess with its reasons, for a person to confirm: nothing is masked or refused on its strength alone. The evidence
//! counts values and never shows one.
//!
//! In this order: what check digits and forms prove ([`ids`], [`forms`]), what lists of words and the letters of unknown
//! ones make likely ([`words`], [`letters`]), what the name says in five languages ([`names`]), all weighed in
//! [`column`]; then what the columns of a table say about each other ([`neighbours`]). Names and values are both
//! optional: either alone is read as well.

mod cards;
mod column;
mod dates;
mod forms;
mod ids;
mod letters;
mod lexical;
#[cfg(test)]
mod look_alikes;
mod names;
mod neighbours;
mod sample;
pub(crate) mod spans;
#[cfg(test)]
mod tests;
mod value;
mod words;

use dunlin_connect::ColumnType;
use serde::Serialize;

pub(crate) use cards::card_numbers;
use column::Seen;
pub(crate) use dates::plain_date;
pub(crate) use forms::fits;
pub use sample::{ColumnLook, look, sampled_kinds};
pub(crate) use sample::{samples, table_kinds};

/// Whether a text is a payment card's number: its length, its beginning and its check digit.
pub(crate) fn is_card(text: &str) -> bool {
    ids::is("card", &value::Value::new(text))
}

/// The identifier with check digits that a text is, among those of a kind of the plan; `None` where it is none.
pub fn identifier_of(kind: &str, text: &str) -> Option<&'static str> {
    let value = value::Value::new(text);
    let found = ids::all().filter(|id| id.kind == kind).find(|id| (id.is)(&value));
    found.map(|id| id.detail)
}

/// Whether a text is the identifier of this detail, e.g. `card` or `es_nif`.
pub fn is_identifier(detail: &str, text: &str) -> bool {
    ids::is(detail, &value::Value::new(text))
}

/// The words of a list, as they stand there.
pub(crate) use words::{CITIES, FAMILY_NAMES, GIVEN_NAMES, words as listed_words};

/// The words of a column's name, folded.
pub(crate) fn name_parts(name: &str) -> Vec<String> {
    names::parts(name)
}

/// The year of a text that is a day and nothing else, in either order of day and month; `None` where it is none.
pub fn year_of_day(text: &str) -> Option<i16> {
    dates::parse(text)
}

/// The same, for this crate.
pub(crate) fn year_of(text: &str) -> Option<i16> {
    dates::parse(text)
}

/// What a column most likely holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindGuess {
    /// The kind, as the plan spells it, e.g. `email`.
    pub kind: String,
    /// Which of the kind, where that is known: `es_dni`, `card_cvv`, `username`, `region` (see docs/kinds.md).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'static str>,
    /// The class of the kind: `internal`, `personal`, `sensitive` or `secret`.
    pub class: &'static str,
    /// From 0 to 1; below 0.5 nothing is guessed.
    pub confidence: f64,
    /// Why, without any value.
    pub evidence: Vec<String>,
}

/// A column to be judged: its name, its type, and some of its values as text, row by row.
#[derive(Debug, Clone)]
pub struct SampledColumn<'a> {
    /// The name; any placeholder where there is none.
    pub name: &'a str,
    /// The type.
    pub ty: &'a ColumnType,
    /// One value a sampled row, the same rows for every column of the table; `None` is NULL.
    pub values: Vec<Option<&'a str>>,
}

/// Guesses below this are not made.
const CONFIDENCE_MIN: f64 = 0.5;

/// The class of a kind.
pub(crate) fn class_of(kind: &str) -> &'static str {
    match kind {
        "credential" => "secret",
        "bic" | "url" | "country" | "none" => "internal",
        "iban" | "card_number" | "us_ssn" | "national_id" | "tax_id" | "passport" | "driving_licence"
        | "account_number" | "health_code" | "special_category" => "sensitive",
        _ => "personal",
    }
}

/// Guesses what each column of a table holds. Blank values and stand-ins for "unknown" are ignored.
pub fn detect_table(columns: &[SampledColumn]) -> Vec<Option<KindGuess>> {
    let mut seen: Vec<Seen> = columns.iter().map(|c| Seen::new(c.name, c.ty, &c.values)).collect();
    neighbours::ask(&mut seen);
    seen.iter().map(guess).collect()
}

/// Guesses what a column holds, without neighbours. `sample` are values as text, without NULLs.
pub fn detect(name: &str, ty: &ColumnType, sample: &[&str]) -> Option<KindGuess> {
    let values = sample.iter().map(|v| Some(*v)).collect();
    detect_table(&[SampledColumn { name, ty, values }]).pop().flatten()
}

fn guess(column: &Seen) -> Option<KindGuess> {
    let best = column.best()?;
    let confidence = (best.confidence * 100.0).round() / 100.0;
    (confidence >= CONFIDENCE_MIN).then(|| KindGuess {
        kind: best.kind.to_owned(),
        detail: (!best.detail.is_empty()).then_some(best.detail),
        class: class_of(best.kind),
        confidence,
        evidence: best.evidence.clone(),
    })
}
