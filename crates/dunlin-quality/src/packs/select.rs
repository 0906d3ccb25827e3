//! Which columns a rule is about.

use super::facts::{ColumnFacts, Facts, TableFacts};
use super::pack::{Concerns, Selector};
use crate::kinds::name_parts;

/// From this share of different values on a column tells rows apart.
const UNIQUE: f64 = 0.95;
/// Fewer values than this say nothing about that.
const UNIQUE_MIN: u64 = 50;

/// Whether a rule is about a column.
pub(super) fn selected(of: &Selector, column: &ColumnFacts) -> bool {
    // A person who has looked and found nothing is believed.
    let looked = column.stated && column.kind.as_deref() == Some("none");
    let detail = column.detail.as_ref().is_some_and(|detail| of.details.contains(detail));
    let unique = of.unique
        && !column.key
        && column.kind.as_deref().is_none_or(|k| k == "none")
        && column.protect.is_none()
        && !matches!(column.ty.as_str(), "date" | "moment" | "truth" | "binary" | "number")
        && column.distinct > UNIQUE
        && column.sampled >= UNIQUE_MIN;
    let named = !looked && says(&column.name, &of.words);
    !(looked && unique)
        && (column.is(&of.kinds) || detail || named || unique || of.types.contains(&column.ty))
}

/// The columns that a rule is about, with their tables.
pub(super) fn columns<'a>(
    facts: &'a Facts,
    of: &'a Selector,
) -> impl Iterator<Item = (&'a TableFacts, &'a ColumnFacts)> {
    facts.columns().filter(|(_, column)| selected(of, column))
}

/// Whether a name holds one of some words: `patient_mrn` says `mrn`, `is_black_listed` does not say `race`. A word of
/// several parts stands together: `policy id`.
fn says(name: &str, words: &[String]) -> bool {
    let parts = name_parts(name);
    let together = |word: &String| {
        let wanted: Vec<&str> = word.split(' ').collect();
        parts.windows(wanted.len()).any(|window| window.iter().zip(&wanted).all(|(a, b)| a == b))
    };
    words.iter().any(together)
}

/// A column's place, `store.table.column`.
pub(super) fn place(table: &TableFacts, column: &ColumnFacts) -> String {
    format!("{}.{}", table.name, column.name)
}

/// Whether a column holds full card numbers.
pub(super) fn is_card(column: &ColumnFacts) -> bool {
    column.kind.as_deref() == Some("card_number")
}

/// Whether what a rule concerns is in this table.
pub(super) fn concerned(table: &TableFacts, concerns: Concerns) -> bool {
    match concerns {
        Concerns::Everything => true,
        Concerns::Personal | Concerns::SafeHarbor => table.personal(),
        Concerns::Cards => table.columns.iter().any(is_card),
    }
}

/// Why a rule is about nothing here, where that is so.
pub(super) fn absent(facts: &Facts, concerns: Concerns) -> Option<&'static str> {
    let any = facts.tables.iter().any(|table| concerned(table, concerns));
    match concerns {
        Concerns::Personal if !any => Some("no column of the plan is about a person"),
        Concerns::Cards if !any => Some("no column of the plan holds card numbers"),
        Concerns::SafeHarbor if !facts.safe_harbor => Some(
            "copies are not de-identified by Safe Harbor: `safe_harbor = true` under [comply] makes a rehearsal's copy so",
        ),
        _ => None,
    }
}
