//! What free text contains: where in it stands an address, a number of the state, a name. For telling that a column of
//! notes holds more than notes, and for masking it; not a reader of meaning. Numbers are judged by their check digits and
//! by the words before them; names and streets by the word lists, as far as those go.

mod people;

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::value::Value;
use super::{card_numbers, dates, forms, ids};

/// A part of a text that is of some kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Where it stands, in bytes of the text.
    pub range: Range<usize>,
    /// The kind, as the plan spells it.
    pub kind: &'static str,
    /// Which of the kind, or empty. `date` is a whole date that nothing near it calls one of birth.
    pub detail: &'static str,
    /// From 0 to 1.
    pub confidence: f64,
}

/// How far before a number words speak about it, in bytes.
const BEFORE: usize = 40;

/// What stands before digits that are no number of a person.
const NO_NUMBER: [char; 6] = ['#', '€', '$', '£', '/', '.'];

struct Patterns {
    email: Regex,
    url: Regex,
    iban: Regex,
    number: Regex,
    code: Regex,
    ip: Regex,
    date: Regex,
    age: Regex,
    toll_free: Regex,
    about_phone: Regex,
    about_card: Regex,
    about_birth: Regex,
    about_licence: Regex,
    about_passport: Regex,
    about_postcode: Regex,
    about_account: Regex,
    after_phone: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let pattern = |text: &str| {
        let compiled = Regex::new(text);
        debug_assert!(compiled.is_ok(), "a pattern of this file is none: {text}");
        compiled.ok()
    };
    Some(Patterns {
        email: pattern(r"[\p{L}\d._%+'-]+@[\p{L}\d-]+(\.[\p{L}\d-]+)*\.\p{L}{2,}")?,
        url: pattern(r#"(?i)\b((https?|ftp)://[^\s<>"']+|www\.[^\s<>"']+\.[a-z]{2,}[^\s<>"']*)"#)?,
        iban: pattern(r"(?i)\b[a-z]{2}\d{2}( ?[a-z0-9]{4}){2,7}( ?[a-z0-9]{1,4})?\b")?,
        number: pattern(r"[+(]?\d[\d ()./\u{a0}-]{2,26}\d( ?(x|ext\.?|extension) ?\d{1,5})?")?,
        code: pattern(r"\b[A-Za-z]{0,6}\d[A-Za-z0-9-]{5,17}[A-Za-z0-9]\b")?,
        ip: pattern(r"\b\d{1,3}(\.\d{1,3}){3}\b|(?i)\b[0-9a-f]{0,4}(:[0-9a-f]{0,4}){3,7}\b")?,
        date: pattern(
            r"(?i)\b(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}\.? (?:de )?[a-zäçéû]{3,10}\.?,? (?:de )?\d{4}|[a-z]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4})\b",
        )?,
        age: pattern(
            r"(?i)\b(?:(\d{1,3})[ -]years?[ -]old|(?:turn(?:s|ed|ing)?|aged?|age of|when (?:he|she) was) (\d{1,3})|(\d{1,3}) (?:años|ans|jahre alt|anos))\b",
        )?,
        toll_free: pattern(r"\b1?-?8(00|33|44|55|66|77|88)-[A-Z0-9]{3}-?[A-Z0-9]{4}\b")?,
        about_phone: pattern(
            r"(?i)(phone|tel|call|mobile|cell|fax|desk|contact|messages? to|text|whatsapp|sms|answering at|reach (me|us) at|móvil|handy|office|home|work|ring|dial)\W*(\w+\W+){0,3}$",
        )?,
        about_card: pattern(
            r"(?i)(card|\bcc|visa|mastercard|amex|tarjeta|carte|karte|cartão|credit)\W*(\w+\W+){0,5}$",
        )?,
        about_birth: pattern(
            r"(?i)(born|birth|dob|b\.|d\.o\.b|nacid[oa]|nacimiento|née?|naissance|geboren|geburt|nascid[oa]|nascimento|bday)\W*(\w+\W+){0,4}$",
        )?,
        about_licence: pattern(
            r"(?i)(driver|driving|licen[cs]e|permiso de conducir|permis de conduire|führerschein)\W*(\w+\W+){0,5}$",
        )?,
        about_passport: pattern(r"(?i)(passport|pasaporte|passeport|reisepass|passaporte)\W*(\w+\W+){0,4}$")?,
        about_postcode: pattern(
            r"(?i)(zip|postal code|post ?code|código postal|code postal|plz|postleitzahl|cep)\W*(\w+\W+){0,2}$",
        )?,
        about_account: pattern(r"(?i)(account|acct|cuenta|compte|konto|conta|routing)\W*(\w+\W+){0,4}$")?,
        after_phone: pattern(r"(?i)^\s*\(?(office|fax|mobile|home|work|cell|desk|tel)\b")?,
    })
});

/// What a text contains, in its order, without overlaps.
pub fn spans(text: &str) -> Vec<Span> {
    let Some(patterns) = PATTERNS.as_ref() else { return Vec::new() };
    let mut found = Found { text, spans: Vec::new() };
    // The surest first: what is taken is not taken again.
    let plain =
        |pattern: &Regex| -> Vec<Range<usize>> { pattern.find_iter(text).map(|m| m.range()).collect() };
    for range in plain(&patterns.email) {
        found.take(range, "email", "", 0.98);
    }
    for range in plain(&patterns.url) {
        let kept = text[range.clone()].trim_end_matches(['.', ',', ';', ')', ']', '!', '?', ':']).len();
        found.take(range.start..range.start + kept, "url", "", 0.97);
    }
    if text.bytes().any(|b| b.is_ascii_digit()) {
        plain(&patterns.iban).into_iter().for_each(|range| iban(&mut found, range));
        for range in plain(&patterns.ip) {
            if text[range.clone()].parse::<std::net::IpAddr>().is_ok() {
                found.take(range, "ip_address", "", 0.95);
            }
        }
        // Before dates and telephones: beside other digits a card's are taken for one of these.
        card_numbers(text).into_iter().for_each(|range| card(&mut found, range));
        plain(&patterns.date).into_iter().for_each(|range| date(&mut found, patterns, range));
        plain(&patterns.number).into_iter().for_each(|range| number(&mut found, patterns, range));
        plain(&patterns.code).into_iter().for_each(|range| code(&mut found, patterns, range));
        for captures in patterns.age.captures_iter(text) {
            if let Some(years) = (1..=3).find_map(|group| captures.get(group))
                && years.as_str().parse::<u8>().is_ok_and(|age| age <= 115)
            {
                found.take(years.range(), "age", "", 0.8);
            }
        }
        people::streets(&mut found);
    }
    plain(&patterns.toll_free).into_iter().for_each(|range| found.take(range, "phone", "", 0.8));
    people::names(&mut found);
    found.spans.sort_by_key(|span| span.range.start);
    found.spans
}

/// The spans taken so far.
struct Found<'a> {
    text: &'a str,
    spans: Vec<Span>,
}

impl Found<'_> {
    fn take(&mut self, range: Range<usize>, kind: &'static str, detail: &'static str, confidence: f64) {
        if !range.is_empty() && self.free(&range) {
            self.spans.push(Span { range, kind, detail, confidence });
        }
    }

    fn free(&self, range: &Range<usize>) -> bool {
        self.spans.iter().all(|s| s.range.end <= range.start || range.end <= s.range.start)
    }

    /// The text just before a place.
    fn before(&self, at: usize) -> &str {
        let mut from = at.saturating_sub(BEFORE);
        while !self.text.is_char_boundary(from) {
            from += 1;
        }
        &self.text[from..at]
    }
}

/// The longest beginning that is an IBAN: the words behind it may look like its groups.
fn iban(found: &mut Found, range: Range<usize>) {
    let text = found.text;
    let mut end = range.end;
    while end > range.start + 14 {
        if ids::is("iban", &Value::new(&text[range.start..end])) {
            return found.take(range.start..end, "iban", "", 0.98);
        }
        match text[range.start..end].rfind(' ') {
            Some(at) => end = range.start + at,
            None => return,
        }
    }
}

fn date(found: &mut Found, patterns: &Patterns, range: Range<usize>) {
    let text = found.text[range.clone()].replace("de ", "");
    let Some(year) =
        dates::parse(text.trim_end_matches(['s', 't', 'h'])).filter(|y| (1850..=2100).contains(y))
    else {
        return;
    };
    let birth = patterns.about_birth.is_match(found.before(range.start)) && year <= 2030;
    let (detail, confidence) = if birth { ("", 0.92) } else { ("date", 0.55) };
    found.take(range, "birth_date", detail, confidence);
}

/// A card's number, but for amounts, references and parts of addresses.
fn card(found: &mut Found, range: Range<usize>) {
    if !found.text[..range.start].ends_with(NO_NUMBER) {
        found.take(range, "card_number", "", 0.95);
    }
}

/// Groups of digits: a card, a number of the state, a telephone.
fn number(found: &mut Found, patterns: &Patterns, range: Range<usize>) {
    let text = found.text;
    let glued = |c: char| c.is_alphanumeric() || c == '_';
    if text[..range.start].ends_with(glued) || text[..range.start].ends_with(NO_NUMBER) {
        return;
    }
    // A word behind the digits belongs to them only after a blank.
    if text[range.end..].starts_with(glued) {
        return;
    }
    let mut end = range.end;
    if text[range.clone()].matches(')').count() > text[range.clone()].matches('(').count() {
        end = range.start + text[range.clone()].find(')').unwrap_or(range.len());
    }
    let mut range = range.start..end;
    while text[range.clone()].ends_with([' ', '-', '.', '/', '(']) {
        range.end -= 1;
    }
    let value = Value::new(&text[range.clone()]);
    let before = found.before(range.start).to_owned();
    if !found.free(&range) || (value.digits < 6 && !patterns.about_postcode.is_match(&before)) {
        return;
    }
    if ids::is("card", &value) {
        return found.take(range, "card_number", "", 0.95);
    }
    for id in ids::all().filter(|id| matches!(id.kind, "us_ssn" | "national_id" | "tax_id")) {
        let written = id.chance <= 0.01 && (value.marks() > 0 || value.digits >= 13);
        if (id.is)(&value) && (written || id.kind == "us_ssn") && !before.trim_end().ends_with("ref") {
            return found.take(range, id.kind, id.detail, 0.9);
        }
    }
    if patterns.about_licence.is_match(&before) {
        return found.take(range, "driving_licence", "", 0.75);
    }
    if patterns.about_postcode.is_match(&before) {
        return found.take(range, "postcode", "", 0.75);
    }
    if patterns.about_card.is_match(&before) && (12..=19).contains(&value.digits) {
        return found.take(range, "card_number", "", 0.7);
    }
    let told = patterns.about_phone.is_match(&before) || patterns.after_phone.is_match(&text[range.end..]);
    let account = patterns.about_account.is_match(&before);
    // Two groups are a house number and its street as well.
    let groups = value.text.split([' ', '-', '.', '/']).count();
    let opened = value.text.starts_with(['+', '(', '0']) || (groups >= 3 && value.digits >= 9);
    let shown = opened && forms::is_shown_phone(&value) && !forms::is_date(&value);
    if (told && (7..=15).contains(&value.digits)) || (shown && value.digits >= 8 && !account) {
        return found.take(range, "phone", "", if told { 0.9 } else { 0.75 });
    }
    if account && value.digits >= 6 {
        found.take(range, "account_number", "", 0.7);
    }
}

/// Letters and digits: identifiers with check digits, documents that the words before them name.
fn code(found: &mut Found, patterns: &Patterns, range: Range<usize>) {
    if !found.free(&range) {
        return;
    }
    let value = Value::new(&found.text[range.clone()]);
    if value.letters > 0 {
        let strong = |id: &&ids::Id| {
            id.chance <= 0.05 && !matches!(id.detail, "cl_rut" | "in_pan") || id.detail == "in_pan"
        };
        if let Some(id) = ids::all().filter(strong).find(|id| value.digits >= 3 && (id.is)(&value)) {
            return found.take(range, id.kind, id.detail, 0.85);
        }
    }
    let before = found.before(range.start).to_owned();
    if patterns.about_licence.is_match(&before) && value.digits >= 4 {
        found.take(range, "driving_licence", "", 0.75);
    } else if patterns.about_passport.is_match(&before) && value.digits >= 5 {
        found.take(range, "passport", "", 0.8);
    } else if patterns.about_postcode.is_match(&before) {
        found.take(range, "postcode", "", 0.7);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(&'static str, &str)> {
        spans(text).into_iter().map(|s| (s.kind, &text[s.range])).collect()
    }

    #[test]
    fn a_note_is_taken_apart() {
        let note = "Spoke to Ana Ruiz (ana.ruiz@example.com, +34 612 345 678), born 12/03/1980. IBAN ES91 2100 0418 4502 0005 1332, \
                    card 4111 1111 1111 1111, from 10.1.2.3, see https://example.com/a?b=1.";
        assert_eq!(
            told(note),
            [
                ("person_name", "Ana Ruiz"),
                ("email", "ana.ruiz@example.com"),
                ("phone", "+34 612 345 678"),
                ("birth_date", "12/03/1980"),
                ("iban", "ES91 2100 0418 4502 0005 1332"),
                ("card_number", "4111 1111 1111 1111"),
                ("ip_address", "10.1.2.3"),
                ("url", "https://example.com/a?b=1"),
            ]
        );
    }

    #[test]
    fn numbers_of_the_state_and_documents() {
        assert_eq!(told("SSN 219-09-9999 on file"), [("us_ssn", "219-09-9999")]);
        assert_eq!(told("DNI 12345678Z, pagado"), [("national_id", "12345678Z")]);
        assert_eq!(
            told("my driver's license number is F162823540116"),
            [("driving_licence", "F162823540116")]
        );
        assert_eq!(told("CPF 529.982.247-25"), [("national_id", "529.982.247-25")]);
        assert_eq!(told("passport no. X1234567A"), [("passport", "X1234567A")]);
    }

    #[test]
    fn a_card_is_found_beside_other_digits() {
        for text in
            ["4111 1111 1111 1111 12/27", "2026-11-01 4111111111111111", "4111 1111 1111 1111 123 CVV 123"]
        {
            assert!(told(text).iter().any(|(kind, _)| *kind == "card_number"), "{text}: {:?}", told(text));
        }
    }

    #[test]
    fn look_alikes_stay() {
        for text in [
            "order 4111111111111112 shipped",
            "invoice 2024-000123 of the second batch",
            "version 1.2.3 runs since build 20240115",
            "the parcel weighs 12 345 grams",
            "part ABC-12345 and PN 99-1234-A",
            "paid 1.234,50 on time",
            "IBAN ES91 2100 0418 4502 0005 1333",
        ] {
            let kinds = told(text);
            assert!(kinds.is_empty(), "{text}: {kinds:?}");
        }
    }

    #[test]
    fn any_text_is_taken() {
        for text in ["", "é", "((((((", "+++", "1".repeat(300).as_str(), "ü1ü2ü3 (12345) 678901é"] {
            for span in spans(text) {
                assert!(text.get(span.range).is_some());
            }
        }
    }
}
