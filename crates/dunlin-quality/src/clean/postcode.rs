//! Postcodes in the form of the region's post office. The patterns say what a code looks like, not that it exists.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::Outcome;
use super::sentinel::is_sentinel;

/// Region, the code without separators, and where a separator goes: counted from the left, or from the right when
/// negative; 0 for none.
const FORMS: [(&str, &str, i8, char); 46] = [
    ("AD", r"AD[1-7]00", 0, ' '),
    ("AT", r"[1-9]\d{3}", 0, ' '),
    ("AU", r"\d{4}", 0, ' '),
    ("BE", r"[1-9]\d{3}", 0, ' '),
    ("BG", r"[1-9]\d{3}", 0, ' '),
    ("BR", r"\d{8}", 5, '-'),
    ("CA", r"[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z]\d[ABCEGHJ-NPRSTV-Z]\d", 3, ' '),
    ("CH", r"[1-9]\d{3}", 0, ' '),
    ("CN", r"\d{6}", 0, ' '),
    ("CZ", r"[1-7]\d{4}", 3, ' '),
    ("DE", r"\d{5}", 0, ' '),
    ("DK", r"\d{4}", 0, ' '),
    ("EE", r"\d{5}", 0, ' '),
    ("ES", r"(0[1-9]|[1-4]\d|5[0-2])\d{3}", 0, ' '),
    ("FI", r"\d{5}", 0, ' '),
    ("FR", r"\d{5}", 0, ' '),
    ("GB", r"GIR0AA|[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}", -3, ' '),
    ("GR", r"[1-8]\d{4}", 3, ' '),
    ("HR", r"[1-5]\d{4}", 0, ' '),
    ("HU", r"[1-9]\d{3}", 0, ' '),
    ("IE", r"([A-Z]\d{2}|D6W)[A-Z\d]{4}", 3, ' '),
    ("IL", r"\d{7}", 0, ' '),
    ("IN", r"[1-9]\d{5}", 0, ' '),
    ("IT", r"\d{5}", 0, ' '),
    ("JP", r"\d{7}", 3, '-'),
    ("KR", r"\d{5}", 0, ' '),
    ("LI", r"94[89]\d", 0, ' '),
    ("LT", r"\d{5}", 0, ' '),
    ("LU", r"[1-9]\d{3}", 0, ' '),
    ("LV", r"\d{4}", 0, ' '),
    ("MC", r"980\d{2}", 0, ' '),
    ("MX", r"\d{5}", 0, ' '),
    ("NL", r"[1-9]\d{3}[A-Z]{2}", 4, ' '),
    ("NO", r"\d{4}", 0, ' '),
    ("NZ", r"\d{4}", 0, ' '),
    ("PL", r"\d{5}", 2, '-'),
    ("PT", r"[1-9]\d{6}|[1-9]\d{3}", 4, '-'),
    ("RO", r"\d{6}", 0, ' '),
    ("RS", r"\d{5}", 0, ' '),
    ("SE", r"[1-9]\d{4}", 3, ' '),
    ("SG", r"\d{6}", 0, ' '),
    ("SI", r"[1-9]\d{3}", 0, ' '),
    ("SK", r"[089]\d{4}", 3, ' '),
    ("TR", r"\d{5}", 0, ' '),
    ("US", r"\d{9}|\d{5}", 5, '-'),
    ("ZA", r"\d{4}", 0, ' '),
];

struct Form {
    pattern: Regex,
    at: i8,
    separator: char,
}

static BY_REGION: LazyLock<HashMap<&'static str, Form>> = LazyLock::new(|| {
    let form = |(region, pattern, at, separator): (&'static str, &str, i8, char)| {
        let pattern = Regex::new(&format!("^(?:{pattern})$")).ok()?;
        Some((region, Form { pattern, at, separator }))
    };
    FORMS.into_iter().filter_map(form).collect()
});

pub(super) fn postcode(value: &str, region: Option<&str>, more: &[String]) -> Outcome<String> {
    let text = value.trim();
    if text.is_empty() || is_sentinel(text, more) {
        return Outcome::Empty;
    }
    let upper = text.to_uppercase();
    let region = region.map(str::to_uppercase);
    let Some((region, form)) = region.and_then(|r| BY_REGION.get_key_value(r.as_str())) else {
        return Outcome::Value(upper);
    };
    let compact: String =
        upper.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '–')).collect();
    // LV-1050, AD500, and the old E-28001, D-10115, F-75001.
    let bare = compact.strip_prefix(region).or_else(|| compact.strip_prefix(&region[..1]));
    let fits = |code: &&str| form.pattern.is_match(code);
    let code = Some(compact.as_str()).filter(fits).or_else(|| bare.filter(fits));
    match code {
        Some(code) => Outcome::Value(form.write(code)),
        None => Outcome::Failed,
    }
}

impl Form {
    fn write(&self, code: &str) -> String {
        let at = match usize::try_from(self.at) {
            Ok(at) => at,
            Err(_) => code.len().saturating_sub(usize::from(self.at.unsigned_abs())),
        };
        match at == 0 || at >= code.len() {
            true => code.to_owned(),
            false => format!("{}{}{}", &code[..at], self.separator, &code[at..]),
        }
    }
}

#[cfg(test)]
pub(super) fn regions() -> usize {
    BY_REGION.len()
}
