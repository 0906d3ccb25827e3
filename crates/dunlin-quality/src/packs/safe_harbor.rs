//! De-identification by HIPAA's Safe Harbor (45 CFR 164.514(b)(2)): what becomes of a column on its way into a copy, and
//! under which of the eighteen identifiers something that is found in a copy falls.
//!
//! Which columns are meant stands in the pack's file (`HIPAA-SH-01` to `HIPAA-SH-18`). Here stands only what is done:
//! names are made up, dates and ages and US postcodes made coarse, all else is taken out.

use super::facts::ColumnFacts;
use super::pack;
use super::pack::{Check, Selector};
use super::select::selected;

/// The pack that holds the identifiers.
const PACK: &str = "hipaa";

/// The identifiers: the id of the rule, and the columns that it is about.
fn identifiers() -> impl Iterator<Item = (&'static str, &'static Selector)> {
    let rules = pack(PACK).map(|pack| pack.rules.as_slice()).unwrap_or_default();
    rules.iter().filter_map(|rule| match &rule.check {
        Check::SafeHarbor { of } => Some((rule.id.as_str(), of)),
        _ => None,
    })
}

/// What must be done to a column before it may stand in a de-identified copy, as a word of `protect`: the plan's own
/// protection where it is one that Safe Harbor allows, else what its kind asks for. `None` where nothing need be done, or
/// where nothing is known that could be: a text that tells nearly every row apart.
pub fn way_out(column: &ColumnFacts) -> Option<&'static str> {
    let known = |of: &Selector| selected(&Selector { unique: false, ..of.clone() }, column);
    if !identifiers().any(|(_, of)| known(of)) {
        return None;
    }
    let own = match column.protect.as_deref() {
        Some("remove") => Some("remove"),
        Some("general") if coarse(column) => Some("general"),
        Some("fake") if is_name(column) => Some("fake"),
        _ => None,
    };
    own.or(Some(match () {
        () if is_name(column) => "fake",
        () if coarse(column) => "general",
        () => "remove",
    }))
}

fn is_name(column: &ColumnFacts) -> bool {
    matches!(column.kind.as_deref(), Some("person_name" | "given_name" | "family_name"))
}

/// Whether a coarser value remains allowed: the year of a date, an age up to 89, three digits of a ZIP code.
fn coarse(column: &ColumnFacts) -> bool {
    let date = matches!(column.ty.as_str(), "date" | "moment");
    match column.kind.as_deref() {
        Some("birth_date" | "age" | "postcode") => true,
        None | Some("none") => date,
        _ => false,
    }
}

/// The rules under which an identifier of this kind and detail falls.
pub fn identifier_rules(kind: &str, detail: &str) -> Vec<&'static str> {
    let of = |of: &Selector| of.kinds.iter().any(|k| k == kind) || of.details.iter().any(|d| d == detail);
    let rules: Vec<&str> = identifiers().filter(|(_, selector)| of(selector)).map(|(id, _)| id).collect();
    match rules.is_empty() {
        // "Any other unique identifying number, characteristic, or code".
        true => vec!["HIPAA-SH-18"],
        false => rules,
    }
}
