//! Numbers as people type them. Without a region the separators must speak for themselves: the last of two kinds is
//! the decimal point, a comma before exactly three digits groups thousands (`1,234` is 1234), a point before three
//! digits is a decimal point (`1.234` stays). What could be read no sensible way fails.

use super::Outcome;
use super::sentinel::is_sentinel;

const CURRENCIES: [&str; 22] = [
    "EUR", "USD", "GBP", "CHF", "JPY", "CAD", "AUD", "MXN", "BRL", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF",
    "RON", "INR", "CNY", "R$", "US$", "Kč", "zł",
];

/// More digits than any column holds mean that the text is no number.
const DIGITS_MAX: usize = 100;

pub(super) fn number(value: &str, more: &[String]) -> Outcome<String> {
    let text = value.trim();
    if text.is_empty() || is_sentinel(text, more) {
        return Outcome::Empty;
    }
    plain(text).map_or(Outcome::Failed, Outcome::Value)
}

fn plain(text: &str) -> Option<String> {
    let (text, bracketed) = match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) => (inner.trim(), true),
        None => (text, false),
    };
    let (text, negative) = unsign(text);
    // -$5, $-5 and $5- are all written.
    let (text, negative) = match uncurrency(text) {
        bare if bare.len() < text.len() && !negative => unsign(bare),
        bare => (bare, negative),
    };
    if bracketed && negative {
        return None;
    }
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok().filter(|e| e.abs() <= 60)?),
        None => (text, 0),
    };
    let compact: String = ungroup(mantissa)?;
    let (whole, fraction) = separate(&compact)?;
    if whole.len() + fraction.len() > DIGITS_MAX || whole.len() + fraction.len() == 0 {
        return None;
    }
    let (whole, fraction) = shift(&whole, &fraction, exponent);
    Some(write(&whole, &fraction, negative || bracketed))
}

fn unsign(text: &str) -> (&str, bool) {
    if let Some(rest) = text.strip_prefix(['-', '−', '–']).or_else(|| text.strip_suffix('-')) {
        return (rest.trim(), true);
    }
    (text.strip_prefix('+').unwrap_or(text).trim(), false)
}

fn uncurrency(text: &str) -> &str {
    let words = CURRENCIES.iter();
    let mut found = words.filter_map(|w| text.strip_prefix(w).or_else(|| text.strip_suffix(w)));
    if let Some(rest) = found.next() {
        return rest.trim();
    }
    let sign = |c: char| matches!(c, '$' | '€' | '£' | '¥' | '₹' | '₽' | '₺' | '₩' | '¢');
    text.strip_prefix(sign).or_else(|| text.strip_suffix(sign)).unwrap_or(text).trim()
}

/// Takes out blanks and apostrophes where they group thousands.
fn ungroup(text: &str) -> Option<String> {
    let blank = |c: char| c.is_whitespace() || matches!(c, '\'' | '’');
    if !text.contains(blank) {
        return Some(text.to_owned());
    }
    let end = text.rfind(['.', ',']).unwrap_or(text.len());
    let (whole, fraction) = text.split_at(end);
    let parts: Vec<&str> = whole.split(blank).collect();
    (grouped(&parts) && !fraction.contains(blank)).then(|| format!("{}{fraction}", parts.concat()))
}

/// Whether these are groups of thousands: one to three digits, then threes (or, in India, twos before a last three).
fn grouped(parts: &[&str]) -> bool {
    let digits = |p: &&str| p.bytes().all(|b| b.is_ascii_digit());
    let [first, middle @ .., last] = parts else { return false };
    let inner = middle.iter().all(|p| p.len() == 3) || middle.iter().all(|p| p.len() == 2);
    parts.iter().all(digits) && (1..=3).contains(&first.len()) && inner && last.len() == 3
}

fn separate(text: &str) -> Option<(String, String)> {
    let last = text.rfind(['.', ',']);
    let Some(at) = last else { return digits(text, "") };
    let mark = &text[at..=at];
    let other = if mark == "." { "," } else { "." };
    let (whole, fraction) = (&text[..at], &text[at + 1..]);
    if text.contains(other) {
        let parts: Vec<&str> = whole.split(other).collect();
        return if grouped(&parts) { digits(&parts.concat(), fraction) } else { None };
    }
    let parts: Vec<&str> = text.split(mark).collect();
    let thousands = grouped(&parts) && parts[0] != "0";
    match parts.len() {
        2 if mark == "," && thousands => digits(&parts.concat(), ""),
        2 => digits(whole, fraction),
        _ if thousands => digits(&parts.concat(), ""),
        _ => None,
    }
}

fn digits(whole: &str, fraction: &str) -> Option<(String, String)> {
    let all = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    (all(whole) && all(fraction)).then(|| (whole.to_owned(), fraction.to_owned()))
}

fn shift(whole: &str, fraction: &str, exponent: i32) -> (String, String) {
    let places = exponent.unsigned_abs() as usize;
    if exponent >= 0 {
        let taken = places.min(fraction.len());
        let zeros = "0".repeat(places - taken);
        (format!("{whole}{}{zeros}", &fraction[..taken]), fraction[taken..].to_owned())
    } else {
        let taken = places.min(whole.len());
        let (left, right) = whole.split_at(whole.len() - taken);
        (left.to_owned(), format!("{}{right}{fraction}", "0".repeat(places - taken)))
    }
}

fn write(whole: &str, fraction: &str, negative: bool) -> String {
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let zero = whole == "0" && fraction.bytes().all(|b| b == b'0');
    let sign = if negative && !zero { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}
