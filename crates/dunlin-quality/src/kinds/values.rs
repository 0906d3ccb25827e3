//! Whether one value has the form of a kind. Forms that could be anything (a name, a city) are judged leniently: they
//! only ever support what the column's name says.

use std::net::IpAddr;
use std::sync::LazyLock;

use regex::Regex;

use super::checks;
use crate::clean::{Outcome, country_form, email_form, iso_date};

static FORMS: LazyLock<Vec<(&'static str, Regex)>> = LazyLock::new(|| {
    let forms = [
        ("mac_address", r"^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$"),
        ("url", r"^(https?|ftp)://[^\s/]+\S*$|^www\.[^\s/]+\.[a-z]{2,}\S*$"),
        ("ssn", r"^\d{3}-\d{2}-\d{4}$"),
        ("nino", r"^(?i)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]$"),
        ("cpf", r"^\d{3}\.\d{3}\.\d{3}-\d{2}$"),
        ("phone", r"^\+?[\d(][\d\s().\-/]{5,22}\d(\s*(x|ext\.?)\s*\d+)?$"),
        ("bic", r"^(?i)[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$"),
        ("document", r"^(?i)[A-Z]{0,3}[ .-]?\d[A-Z0-9 ./-]{4,18}$"),
        ("account", r"^[A-Za-z]{0,4}[\d -]{4,30}$"),
        (
            "postcode",
            r"^(?i)([A-Z]{1,2}-?)?\d{3,6}([ -]?\d{3,4})?$|^[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$|^[A-Z]\d[A-Z][ -]?\d[A-Z]\d$|^\d{4} ?[A-Z]{2}$",
        ),
        ("date", r"^\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}([ T]\d{1,2}:\d{2}.*)?$"),
        ("name", r"^[\p{L}\p{M}][\p{L}\p{M}'’.\- ]{0,60}(, ?[\p{L}\p{M}'’.\- ]{1,40})?$"),
        ("place", r"^[\p{L}\p{M}][\p{L}\p{M}'’.\-/() ]{1,60}$"),
        (
            "gender",
            r"^(?i)(m|f|x|d|h|v|w|o|male|female|man|woman|other|diverse|non-?binary|hombre|mujer|varon|varón|homme|femme|mann|frau|männlich|weiblich|divers|masculino|femenino|feminino|masculin|féminin|[0-3]|9)$",
        ),
    ];
    forms.into_iter().filter_map(|(name, form)| Some((name, Regex::new(form).ok()?))).collect()
});

fn matches(form: &str, value: &str) -> bool {
    FORMS.iter().any(|(name, regex)| *name == form && regex.is_match(value))
}

/// Whether a value, trimmed and not blank, can be of this kind.
pub(crate) fn fits(kind: &str, value: &str) -> bool {
    match kind {
        "email" => matches!(email_form(value, &[]), Outcome::Value(_)),
        "iban" => checks::iban(value),
        "card_number" => checks::card(value),
        "us_ssn" => matches("ssn", value) && checks::ssn(value),
        "ip_address" => value.parse::<IpAddr>().is_ok(),
        "mac_address" | "url" | "phone" | "bic" | "postcode" | "gender" => matches(kind, value),
        "national_id" => {
            checks::dni(value)
                || (matches("cpf", value) && checks::cpf(value))
                || checks::nir(value)
                || matches("nino", value)
        }
        "tax_id" | "passport" | "driving_licence" => matches("document", value) || checks::dni(value),
        "account_number" => matches("account", value) || checks::iban(value),
        "birth_date" => is_birth_date(value),
        "country" => matches!(country_form(value, &[]), Outcome::Value(_)),
        "given_name" | "family_name" | "person_name" => matches("name", value),
        "city" => matches("place", value),
        "age" => value.parse::<u8>().is_ok_and(|age| age <= 120),
        "geo" => is_geo(value),
        "free_text" => value.chars().count() >= 30 && value.split_whitespace().count() >= 6,
        _ => false,
    }
}

fn is_birth_date(value: &str) -> bool {
    let day = value.get(..10).unwrap_or(value);
    match iso_date(day) {
        Some(date) => (1880..=2100).contains(&date.year()),
        None => matches("date", value),
    }
}

fn is_geo(value: &str) -> bool {
    let in_range = |v: &str| v.trim().parse::<f64>().is_ok_and(|d| d.abs() <= 180.0);
    value.split(',').count() <= 2 && value.split(',').all(in_range)
}
