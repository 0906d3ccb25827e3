//! Dates in the formats that the plan names.

use jiff::civil::Date;
use jiff::fmt::strtime::BrokenDownTime;

use super::Outcome;
use super::sentinel::is_sentinel;

const ISO: &str = "%Y-%m-%d";

pub(super) fn date(value: &str, formats: &[String], more: &[String]) -> Outcome<Date> {
    let text = value.trim();
    if text.is_empty() || is_sentinel(text, more) || only_zeros(text) {
        return Outcome::Empty;
    }
    let found = match formats {
        [] => iso_date(text),
        some => some.iter().find_map(|format| strict(format, text)),
    };
    match found {
        // The stand-in dates, however they are written.
        Some(date) if is_sentinel(&date.to_string(), more) => Outcome::Empty,
        Some(date) => Outcome::Value(date),
        None => Outcome::Failed,
    }
}

/// A date written `2026-11-22`.
pub(crate) fn iso_date(text: &str) -> Option<Date> {
    strict(ISO, text)
}

/// 00/00/0000 and its like.
fn only_zeros(text: &str) -> bool {
    text.len() >= 8 && text.contains('0') && text.chars().all(|c| c == '0' || !c.is_alphanumeric())
}

fn strict(format: &str, text: &str) -> Option<Date> {
    let date = BrokenDownTime::parse(format, text).ok()?.to_date().ok()?;
    // `%Y` reads "19" as the year 19: a two-digit year asks for `%y`.
    (date.year() >= 1000).then_some(date)
}

/// Days since 1970-01-01.
pub(super) fn days(date: Date) -> i32 {
    date.since(Date::constant(1970, 1, 1)).map_or(0, |span| span.get_days())
}
