//! Whether one value has the form of a kind. Two questions of different strictness: what [`proves`] passes can tell a
//! kind without its name; what [`agrees`] passes can only support what the column's name says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use super::dates::plain_date;
use super::ids;
use super::value::{Value, fold};
use super::words;
use crate::clean::{Outcome, country_form, email_form, iso_date};

/// A compiled pattern that is known to be one.
fn pattern(text: &str) -> Option<Regex> {
    let compiled = Regex::new(text);
    debug_assert!(compiled.is_ok(), "a pattern of this file is none: {text}");
    compiled.ok()
}

macro_rules! patterns {
    ($($name:ident = $text:expr;)*) => {$(
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| pattern($text));
    )*};
}

patterns! {
    DOMAIN = r"^(?i)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,})(:\d+)?(/\S*)?$";
    POSTCODE = r"^(?i)([A-Z]{1,2}-?)?\d{3,6}([ -]?\d{2,4})?$|^[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$|^[A-Z]\d[A-Z][ -]?\d[A-Z]\d$|^\d{4} ?[A-Z]{2}$";
    POSTCODE_OWN = r"^(?i)(GIR ?0AA|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[ABCEGHJ-NPRSTVXY]\d[A-Z][ -]?\d[A-Z]\d|[1-9]\d{3} ?[A-Z]{2}|\d{2}-\d{3}|\d{5}-\d{3}|\d{5}-\d{4}|\d{3} \d{2}|[A-Z]{1,2}-\d{4,5}|\d{4}-\d{3})$";
    DOCUMENT = r"^(?i)[A-Z]{0,3}[ .-]?\d[A-Z0-9 ./-]{4,18}$";
    ACCOUNT = r"^[A-Za-z]{0,4}[\d -]{4,30}$";
    NAME = r"^[\p{L}\p{M}][\p{L}\p{M}'’`.\- ]{0,60}(, ?[\p{L}\p{M}'’.\- ]{1,40})?$";
    PLACE = r"^[\p{L}\p{M}'’][\p{L}\p{M}'’`.\-/()& ]{1,60}(, ?[\p{L}.]{2,20})?$";
    DATE = r"^\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}([ T]\d{1,2}:\d{2}.*)?$";
    NANP = r"^(\+?1[ .-]?)?(\(\d{3}\)[ .-]?|\d{3}[ .-])\d{3}[ .-]\d{4}( ?(x|ext\.?|extension) ?\d{1,5})?$";
    SECRET = r"^(\$2[aby]\$\d\d\$|\$argon2|\$6\$|\$5\$|\$1\$|\{SSHA|pbkdf2|AKIA[0-9A-Z]{12,}|gh[pousr]_\w{20,}|sk_(live|test)_|xox[abp]-|eyJ[\w-]{8,}\.eyJ|-----BEGIN|AIza[\w-]{30,})";
    WALLET = r"^([13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[02-9ac-hj-np-z]{11,71}|0x[0-9a-fA-F]{40})$";
    ICD10 = r"^[A-TV-Z]\d[0-9AB](\.[0-9A-Z]{1,4})?$";
    ICD9 = r"^(\d{3}(\.\d{1,2})?|V\d\d(\.\d{1,2})?|E\d{3}(\.\d)?)$";
    LAT_LON = r"^[(\[]?-?\d{1,2}\.\d{3,}°?,? *-?\d{1,3}\.\d{3,}°?[)\]]?$";
    GENDER = r"^(?i)(m|f|x|d|h|v|w|o|u|male|female|man|woman|other|diverse|non-?binary|hombre|mujer|var[oó]n|homme|femme|mann|frau|m[aä]nnlich|weiblich|divers|masculino|femenino|feminino|masculin|f[eé]minin|maschio|femmina|unknown|[0-3]|9)$";
    GENDER_WORD = r"^(?i)(m|f|male|female|hombre|mujer|homme|femme|m[aä]nnlich|weiblich|masculino|femenino|feminino|masculin|f[eé]minin|maschio|femmina|non-?binary|other|divers|x|diverse)$";
    TITLE = r"^(?i)(mr|mrs|ms|miss|mx|dr|prof|sir|lady|lord|rev|fr|hon|m|mme|mlle|herr|frau|hr|fru|sr|sra|srta|don|do[nñ]a|dra|sig|sig\.ra|dott|ing|dhr|mevr|mevrouw|jr|sr|ii|iii|iv|md|phd|dds|dvm|esq)\.?$";
    INITIAL = r"^\p{Lu}\.?$";
    US_PLACE = r"^\p{L}[\p{L}.' -]{1,40},? +([A-Z]{2},? +)?\d{5}(-\d{4})?$";
    CITY_STATE = r"^\p{L}[\p{L}.' -]{1,40}, *([A-Z]{2}|\p{L}[\p{L} ]{2,25})$";
    NUMBERED = r"^(\d{1,5}[A-Za-z]?(-\d{1,4})?[ ,]+\p{L}.{2,}|\p{L}.{2,}[ ,]+(n[o°º]?\.? *)?\d{1,5} ?[A-Za-z]?([/-]\d{1,4})?([ ,].*)?|(?i)(p\.? ?o\.? box|apartado|postfach|bp) ?\d+.*)$";
    UUID = r"^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$";
    PLATE = r"^(?i)([A-Z]{1,3}[ -]?\d{1,4}[ -]?[A-Z]{0,3}|\d{1,4}[ -]?[A-Z]{2,3})$";
}

fn is_match(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|p| p.is_match(text))
}

/// Endings of host names that are of a country or wide use; with others a text with a point in it is no address.
fn top_level(ending: &str) -> bool {
    const WIDE: [&str; 18] = [
        "com", "org", "net", "edu", "gov", "info", "biz", "io", "eu", "app", "dev", "shop", "online", "site",
        "blog", "cloud", "tech", "int",
    ];
    let lower = ending.to_ascii_lowercase();
    // `uk` is the one country whose ending is not its code.
    WIDE.contains(&lower.as_str())
        || lower == "uk"
        || (lower.len() == 2 && matches!(country_form(&lower.to_uppercase(), &[]), Outcome::Value(_)))
}

fn is_url(value: &Value) -> bool {
    let t = value.text;
    if value.spaces > 0 {
        return false;
    }
    let scheme = t.split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        Some(scheme) => {
            matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https" | "ftp" | "ftps") && t.len() > 10
        }
        None => t.len() > 4 && t.get(..4).is_some_and(|w| w.eq_ignore_ascii_case("www.")),
    }
}

fn is_host(value: &Value) -> bool {
    if value.spaces > 0 || value.letters < 3 || !value.text.contains('.') || value.text.contains('@') {
        return false;
    }
    let found = DOMAIN.as_ref().and_then(|p| p.captures(value.text));
    found.and_then(|c| c.get(3)).is_some_and(|ending| top_level(ending.as_str()))
}

/// Whether a text is a date by its form, so that nothing else takes it for its own.
pub(super) fn is_date(value: &Value) -> bool {
    (6..=30).contains(&value.chars) && value.digits >= 4 && is_match(&DATE, value.text)
}

/// Groups of digits as telephone numbers are written, of any country.
fn is_phone_form(value: &Value) -> bool {
    let t = value.text;
    if !(7..=15).contains(&value.digits) || value.letters > 0 || value.chars > 24 {
        return false;
    }
    let odd =
        |c: char| !(c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '+' | '\u{a0}'));
    !t.chars().any(odd) && (t.starts_with(['+', '(']) || !is_date(value))
}

/// A telephone number that shows itself: the +, brackets, or groups that no other number has.
fn is_phone(value: &Value) -> bool {
    let t = value.text;
    if value.digits < 7 || value.digits > 20 {
        return false;
    }
    if value.digits >= 10 && is_match(&NANP, t) {
        return true;
    }
    if !is_phone_form(value) || t.parse::<Ipv4Addr>().is_ok() {
        return false;
    }
    if let Some(rest) = t.strip_prefix('+') {
        return value.digits >= 8 && rest.starts_with(|c: char| ('1'..='9').contains(&c) || c == '(');
    }
    let groups: Vec<usize> =
        t.split(|c: char| !c.is_ascii_digit()).filter(|g| !g.is_empty()).map(str::len).collect();
    // Groups of one digit are check digits, and 3-2-4 is a number of the state.
    let spread = groups.len() >= 2 && groups.iter().all(|g| (2..=8).contains(g)) && groups != [3, 2, 4];
    let decimals = groups.len() == 2 && t.contains('.');
    value.digits >= 7
        && spread
        && !decimals
        && (t.starts_with(['0', '(']) || groups.len() >= 3 || value.digits <= 11)
}

/// The same, for a number in running text.
pub(super) fn is_shown_phone(value: &Value) -> bool {
    is_phone(value)
}

/// Bare digits that the numbering plan of their country code takes: asked of the library, so only for a sample.
fn is_bare_msisdn(value: &Value) -> bool {
    value.only_digits()
        && (10..=15).contains(&value.digits)
        && !value.text.starts_with('0')
        && crate::clean::phone_form(&format!("+{}", value.text))
}

fn is_mac(value: &Value) -> bool {
    let t = value.text;
    let pairs = |c: char| t.split(c).count() == 6 && t.split(c).all(|p| p.len() == 2 && is_hex(p));
    let cisco = || t.split('.').count() == 3 && t.split('.').all(|p| p.len() == 4 && is_hex(p));
    matches!(t.len(), 14 | 17) && (pairs(':') || pairs('-') || (value.letters > 0 && cisco()))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_bic(value: &Value) -> bool {
    let b = value.compact();
    if !matches!(value.chars, 8 | 11)
        || b.len() != value.chars
        || value.text.bytes().any(|c| c.is_ascii_lowercase())
    {
        return false;
    }
    b[..6].iter().all(u8::is_ascii_uppercase)
        && std::str::from_utf8(&b[4..6])
            .is_ok_and(|code| matches!(country_form(code, &[]), Outcome::Value(_)))
}

fn is_ip(value: &Value) -> bool {
    let t = value.text;
    match value.chars {
        7..=15 if t.contains('.') => t.parse::<Ipv4Addr>().is_ok(),
        _ if t.contains(':') => t.parse::<Ipv6Addr>().is_ok(),
        _ => false,
    }
}

/// A house number and a word for a way.
fn is_street(value: &Value) -> bool {
    value.digits > 0
        && value.letters >= 3
        && value.digits <= 14
        && !value.text.contains(':')
        && is_match(&NUMBERED, value.text)
        && value.folded().split([' ', ',']).any(words::is_street_word)
}

/// A town with its state or postcode behind it, as the United States write them.
fn is_us_place(value: &Value) -> bool {
    if !value.text.contains(',') || value.letters < 3 {
        return false;
    }
    is_match(&US_PLACE, value.text)
        || (is_match(&CITY_STATE, value.text)
            && value.text.rsplit_once(',').is_some_and(|(_, state)| {
                let state = state.trim();
                words::is_region_code(state) || words::listed(&fold(state)) & words::REGION != 0
            }))
}

/// A number as a spreadsheet leaves a card's: `4.53933E+15`. The first six digits, the issuer's, survive.
fn is_lost_card(value: &Value) -> bool {
    let Some((mantissa, exponent)) = value.text.split_once(['E', 'e']) else { return false };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let lead = |n: usize| digits.get(..n).and_then(|d| d.parse::<u32>().ok()).unwrap_or_default();
    let known = match exponent {
        "+15" | "15" => {
            matches!(lead(2), 40..=49 | 51..=55 | 60 | 62 | 64 | 65)
                || matches!(lead(4), 2221..=2720 | 3528..=3589)
        }
        "+14" | "14" => matches!(lead(2), 34 | 37),
        _ => false,
    };
    digits.len() >= 4 && known
}

fn is_special(value: &Value) -> bool {
    value.chars <= 40
        && value.digits == 0
        && words::special(value.folded()).is_some_and(|group| group != "blood")
}

/// A form that can tell a kind by itself.
pub(super) struct Form {
    /// The kind in the plan's words.
    pub(super) kind: &'static str,
    /// Which of the kind, or empty.
    pub(super) detail: &'static str,
    /// The share of ordinary texts of the same make that have this form by accident.
    pub(super) chance: f64,
    /// How sure it is that a column all of which has the form is of the kind, other evidence aside.
    pub(super) sure: f64,
    /// The least share of values that must have it.
    pub(super) share: f64,
    /// Whether a value has it.
    pub(super) is: fn(&Value) -> bool,
}

const fn form(
    kind: &'static str,
    detail: &'static str,
    sure: f64,
    share: f64,
    chance: f64,
    is: fn(&Value) -> bool,
) -> Form {
    Form { kind, detail, chance, sure, share, is }
}

/// Every form that can tell a kind by itself.
pub(super) static FORMS: [Form; 24] = [
    form("email", "", 0.98, 0.5, 0.01, is_email),
    form("ip_address", "", 0.98, 0.5, 0.01, is_ip),
    form("mac_address", "", 0.98, 0.5, 0.01, is_mac),
    form("url", "", 0.98, 0.5, 0.01, is_url),
    form("url", "host", 0.9, 0.8, 0.05, is_host),
    form("credential", "secret", 0.97, 0.5, 0.01, |v| v.chars >= 10 && is_match(&SECRET, v.text)),
    form("account_number", "crypto_wallet", 0.95, 0.6, 0.01, |v| {
        v.chars >= 26 && v.spaces == 0 && is_match(&WALLET, v.text)
    }),
    form("phone", "", 0.9, 0.6, 0.05, is_phone),
    form("phone", "msisdn", 0.85, 0.75, 0.3, is_bare_msisdn),
    form("bic", "", 0.93, 0.9, 0.37, is_bic),
    form("postcode", "", 0.85, 0.75, 0.05, |v| {
        (5..=9).contains(&v.chars) && v.digits >= 2 && is_match(&POSTCODE_OWN, v.text)
    }),
    form("postal_address", "", 0.93, 0.4, 0.05, is_street),
    form("postal_address", "place", 0.9, 0.7, 0.05, is_us_place),
    form("geo", "", 0.93, 0.8, 0.02, |v| v.digits >= 8 && is_match(&LAT_LON, v.text)),
    form("gender", "", 0.9, 0.95, 0.1, |v| v.chars <= 12 && is_match(&GENDER_WORD, v.text)),
    form("person_name", "name_part", 0.88, 0.9, 0.1, |v| {
        v.chars <= 8 && v.chars >= 2 && is_match(&TITLE, v.text)
    }),
    form("country", "", 0.93, 0.7, 0.05, |v| {
        (4..=45).contains(&v.chars) && v.digits == 0 && v.letters > 3 && is_country(v)
    }),
    form("health_code", "icd10", 0.9, 0.9, 0.05, |v| matches!(v.chars, 3..=8) && is_match(&ICD10, v.text)),
    form("health_code", "icd9", 0.75, 0.95, 0.05, |v| matches!(v.chars, 3..=6) && is_match(&ICD9, v.text)),
    form("health_code", "drug", 0.85, 0.4, 0.05, |v| {
        v.letters >= 5 && v.digits <= 5 && words::is_drug(v.folded())
    }),
    form("health_code", "blood", 0.9, 0.9, 0.01, |v| {
        v.chars <= 3 && words::special(v.folded()) == Some("blood")
    }),
    form("special_category", "", 0.85, 0.7, 0.05, is_special),
    form("card_number", "rounded", 0.8, 0.9, 0.2, is_lost_card),
    form("free_text", "", 0.95, 0.5, 0.01, is_prose),
];

fn is_email(value: &Value) -> bool {
    value.text.contains('@') && fits_email(value.text)
}

fn is_country(value: &Value) -> bool {
    matches!(country_form(value.text, &[]), Outcome::Value(_))
}

/// Sentences, and no statement of a program.
fn is_prose(value: &Value) -> bool {
    let words = value.spaces + 1;
    let statement = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "ALTER ", "WITH ", "{", "["];
    value.chars >= 30
        && words >= 6
        && value.letters * 10 >= value.chars * 6
        && !statement.iter().any(|s| value.text.starts_with(s))
}

/// The common form of an address by its bytes; what is rarer is asked of the library.
fn fits_email(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'+' | b'-');
    if let Some((local, domain)) = text.split_once('@')
        && (1..=64).contains(&local.len())
        && local.bytes().all(plain)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && domain.len() <= 253
        && let Some((_, top)) = domain.rsplit_once('.')
        && top.len() >= 2
        && top.bytes().all(|b| b.is_ascii_alphabetic())
        && domain.split('.').all(is_label)
    {
        return true;
    }
    matches!(email_form(text, &[]), Outcome::Value(_))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Whether a value supports a name that says this kind.
pub(super) fn agrees(kind: &str, detail: &str, value: &Value) -> Option<bool> {
    let t = value.text;
    Some(match (kind, detail) {
        ("credential", "card_cvv") => value.only_digits() && value.digits <= 4,
        ("credential", "pin") => value.only_digits() && (3..=8).contains(&value.digits),
        ("account_number", "username") => value.spaces == 0 && value.letters > 0 && value.chars <= 64,
        ("account_number", "crypto_wallet") => value.spaces == 0 && value.chars >= 20,
        ("account_number", "orcid") => ids::is("orcid", value),
        ("person_name", "name_part") => is_match(&INITIAL, t) || is_match(&TITLE, t),
        ("bic", "us_aba" | "bank_code") => (6..=11).contains(&value.compact().len()) && value.digits >= 4,
        ("postal_address", "region") => {
            value.chars <= 40 && value.letters > 0 && (is_match(&PLACE, t) || is_country(value))
        }
        ("postal_address", _) => value.chars > 1 && !fits("email", t),
        ("device_id", "vin") => vin_like(value),
        ("device_id", "plate") => value.chars <= 10 && is_match(&PLATE, t),
        ("device_id", "serial") => value.spaces == 0 && value.digits > 0 && value.chars >= 5,
        ("device_id", _) => value.chars >= 6,
        ("health_code", "mrn" | "health_plan") => value.digits >= 3 && value.spaces <= 2,
        ("health_code", "us_npi") => value.digits == 10,
        ("health_code", "us_dea") => value.compact().len() == 9 && value.digits >= 6,
        ("geo", _) => is_geo(t) || is_match(&LAT_LON, t),
        ("national_id" | "tax_id", _) => is_match(&DOCUMENT, t) || ids::any(kind, value),
        ("url", _) => is_url(value) || is_host(value) || t.starts_with('@') || t.starts_with('/'),
        ("credential" | "health_code" | "special_category", _) => return None,
        _ => fits(kind, t),
    })
}

fn vin_like(value: &Value) -> bool {
    (11..=17).contains(&value.compact().len()) && value.digits >= 4
}

/// Whether a value, trimmed and not blank, can be of this kind: what a profile holds values against.
pub(crate) fn fits(kind: &str, text: &str) -> bool {
    match kind {
        "email" => fits_email(text),
        "url" => {
            let value = Value::new(text);
            is_url(&value) || is_host(&value)
        }
        "phone" => {
            let value = Value::new(text);
            // Seven and eight digits in one group, with or without an extension.
            is_phone_form(&value) || is_phone(&value)
        }
        "ip_address" => text.parse::<IpAddr>().is_ok(),
        "mac_address" => is_mac(&Value::new(text)),
        "card_number" | "iban" => {
            let detail = if kind == "iban" { "iban" } else { "card" };
            ids::is(detail, &Value::new(text))
        }
        "us_ssn" => {
            let value = Value::new(text);
            value.digits == 9 && value.letters == 0 && ids::is_ssn(&value)
        }
        "national_id" => ids::any("national_id", &Value::new(text)),
        "bic" => is_bic(&Value::new(text)),
        // Most are digits alone, which the patterns take as well.
        "postcode" if (3..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) => true,
        "postcode" => is_match(&POSTCODE, text) || is_match(&POSTCODE_OWN, text),
        "gender" => is_match(&GENDER, text),
        "passport" | "driving_licence" | "tax_id" => is_match(&DOCUMENT, text),
        "account_number" => is_match(&ACCOUNT, text) || ids::is("iban", &Value::new(text)),
        "birth_date" => is_birth_date(text),
        "country" => matches!(country_form(text, &[]), Outcome::Value(_)),
        "given_name" | "family_name" | "person_name" => is_match(&NAME, text),
        "city" => is_match(&PLACE, text),
        "age" => text.parse::<u8>().is_ok_and(|age| age <= 120),
        "geo" => is_geo(text),
        "device_id" => is_match(&UUID, text) || ids::any("device_id", &Value::new(text)),
        "free_text" => is_prose(&Value::new(text)),
        _ => false,
    }
}

fn is_birth_date(text: &str) -> bool {
    // The common form and the days that every month has need no calendar.
    if let Some((year, 1..=12, 1..=28)) = plain_date(text) {
        return (1880..=2100).contains(&year);
    }
    let day = text.get(..10).unwrap_or(text);
    match iso_date(day) {
        Some(date) => (1880..=2100).contains(&date.year()),
        None => is_match(&DATE, text) || super::dates::parse(text).is_some(),
    }
}

fn is_geo(text: &str) -> bool {
    let in_range = |v: &str| v.trim().parse::<f64>().is_ok_and(|d| d.abs() <= 180.0);
    text.split(',').count() <= 2 && text.split(',').all(in_range)
}

/// Whether a text is one capital letter, as middle initials are.
pub(super) fn is_initial(text: &str) -> bool {
    is_match(&INITIAL, text)
}

/// Whether a text begins or ends in a house number.
pub(super) fn is_numbered(text: &str) -> bool {
    is_match(&NUMBERED, text)
}

/// Whether a text has the form of some country's postcode.
pub(super) fn is_postcode(text: &str) -> bool {
    is_match(&POSTCODE, text) || is_match(&POSTCODE_OWN, text)
}
