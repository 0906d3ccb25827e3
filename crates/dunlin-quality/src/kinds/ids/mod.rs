//! Identifiers with check digits. Each check says whether a text satisfies its own arithmetic and nothing about whether
//! it was issued. `chance` is how often a text of the same form passes by accident: a column of such texts is only taken
//! for the identifier when far more of them pass.

mod americas;
mod asia;
mod europe;
mod finance;
mod health;
#[cfg(test)]
mod tests;

use super::value::Value;

/// One identifier.
pub(super) struct Id {
    /// The kind in the plan's words.
    pub(super) kind: &'static str,
    /// Which one it is, e.g. `es_dni`.
    pub(super) detail: &'static str,
    /// Its name for people.
    pub(super) name: &'static str,
    /// The share of texts of its form that pass by accident.
    pub(super) chance: f64,
    /// Whether a value is one.
    pub(super) is: fn(&Value) -> bool,
    /// Whether a value has its form, check digits aside.
    pub(super) form: fn(&Value) -> bool,
}

/// Every identifier, by country and then by trade.
pub(super) fn all() -> impl Iterator<Item = &'static Id> {
    let lists: [&'static [Id]; 5] = [&europe::IDS, &americas::IDS, &asia::IDS, &finance::IDS, &health::IDS];
    lists.into_iter().flatten()
}

/// The identifier of this detail.
pub(super) fn named(detail: &str) -> Option<&'static Id> {
    all().find(|id| id.detail == detail)
}

/// Whether the value is the identifier of this detail.
pub(super) fn is(detail: &str, value: &Value) -> bool {
    named(detail).is_some_and(|id| (id.is)(value))
}

/// Whether a value is any identifier of this kind.
pub(super) fn any(kind: &str, value: &Value) -> bool {
    all().any(|id| id.kind == kind && (id.is)(value))
}

/// Whether nine digits can be a US social security number, however they are written.
pub(super) fn is_ssn(value: &Value) -> bool {
    americas::ssn(value)
}

/// The digits of a text of `len` digits and nothing else.
fn digits<const LEN: usize>(value: &Value) -> Option<[u32; LEN]> {
    let compact = value.compact();
    if compact.len() != LEN || value.digits != LEN {
        return None;
    }
    let mut out = [0; LEN];
    for (to, from) in out.iter_mut().zip(compact) {
        *to = u32::from(from - b'0');
    }
    Some(out)
}

/// Whether a text is `LEN` digits, separators aside.
fn form<const LEN: usize>(value: &Value) -> bool {
    value.digits == LEN && value.compact().len() == LEN
}

fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(d, w)| d * w).sum()
}

/// Not one digit over and over: such pass many sums and are nobody's.
fn varied(digits: &[u32]) -> bool {
    digits.iter().any(|d| *d != digits[0])
}

/// The number that digits spell.
fn number(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |n, d| n * 10 + u64::from(*d))
}

/// Whether two digits each can be day and month.
fn day_month(day: u32, month: u32) -> bool {
    (1..=31).contains(&day) && (1..=12).contains(&month)
}

fn pair(digits: &[u32], at: usize) -> u32 {
    digits[at] * 10 + digits[at + 1]
}

/// The Luhn sum over all digits, the check digit being the last (ISO/IEC 7812-1, annex B).
pub(super) fn luhn(digits: &[u32]) -> bool {
    let double = |d: u32| if d > 4 { 2 * d - 9 } else { 2 * d };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(at, d)| if at % 2 == 1 { double(*d) } else { *d }).sum();
    sum.is_multiple_of(10) && digits.iter().any(|d| *d != 0)
}
