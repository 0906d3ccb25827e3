//! E-mail addresses and telephone numbers.

use email_address::{EmailAddress, Options};
use std::sync::Once;

use phonenumber::{Mode, country};

use super::Outcome;
use super::sentinel::is_sentinel;

pub(crate) fn email(value: &str, more: &[String]) -> Outcome<String> {
    let text = value.trim();
    if text.is_empty() || is_sentinel(text, more) {
        return Outcome::Empty;
    }
    let lower = text.to_lowercase();
    let rules = Options::default().with_required_tld().without_domain_literal().without_display_text();
    // The parser lets white space through inside comments and quotes; no mailbox that people use has it.
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '(' | ')' | '<' | '>' | ',' | ';');
    match EmailAddress::parse_with_options(&lower, rules) {
        Ok(_) if !lower.chars().any(odd) && !lower.ends_with('.') => Outcome::Value(lower),
        _ => Outcome::Failed,
    }
}

static ROOM: Once = Once::new();

/// The library keeps 100 compiled expressions and needs some ten a region, so a column with numbers of a few countries
/// compiled one for nearly every number. All of them together are some thousands.
fn make_room() {
    if let Ok(mut kept) = phonenumber::metadata::DATABASE.cache().lock() {
        kept.set_capacity(20_000);
    }
}

pub(super) fn phone(value: &str, region: Option<&str>, more: &[String]) -> Outcome<String> {
    let text = value.trim();
    if text.is_empty() || is_sentinel(text, more) {
        return Outcome::Empty;
    }
    // A number of zeros only is a stand-in however it is grouped.
    if text.chars().any(|c| c == '0') && !text.chars().any(|c| c.is_alphanumeric() && c != '0') {
        return Outcome::Empty;
    }
    ROOM.call_once(make_room);
    let region: Option<country::Id> = region.and_then(|r| r.to_uppercase().parse().ok());
    // 00 is how most of the world writes the +.
    let international = text.strip_prefix("00").map(|rest| format!("+{}", rest.trim_start()));
    let parse = |text: &str| phonenumber::parse(region, text).ok().filter(|n| n.is_valid());
    let number = parse(text).or_else(|| international.as_deref().and_then(parse));
    match number {
        Some(number) if number.extension().is_none() => {
            Outcome::Value(number.format().mode(Mode::E164).to_string())
        }
        _ => Outcome::Failed,
    }
}

/// Whether an international number, with its +, is one that its country's numbering plan has.
pub(crate) fn phone_form(value: &str) -> bool {
    matches!(phone(value, None, &[]), Outcome::Value(_))
}
