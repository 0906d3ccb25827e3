//! What is left of a value when it is masked: enough to recognise a mistake, too little to know a person.
//!
//! Not here: who sees masks; and these are not irreversible pseudonyms for storage, only for the eye.

/// How a value of some kind is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// `a•••@e•••.com`
    Email,
    /// Keeps the last two digits.
    Phone,
    /// Keeps the last four digits.
    Card,
    /// Keeps the initials.
    Name,
    /// Keeps the year.
    Year,
    /// Keeps nothing.
    Whole,
    /// Keeps the first character.
    First,
}

impl Mask {
    /// The mask for one of dunlin's kinds; a column without a kind keeps the first character.
    pub fn for_kind(kind: Option<&str>) -> Mask {
        match kind {
            Some("email") => Mask::Email,
            Some("phone") => Mask::Phone,
            Some("card_number" | "iban" | "account_number") => Mask::Card,
            Some("person_name" | "given_name" | "family_name") => Mask::Name,
            Some("birth_date") => Mask::Year,
            Some(
                "credential" | "free_text" | "health_code" | "special_category" | "geo" | "age" | "gender",
            ) => Mask::Whole,
            _ => Mask::First,
        }
    }

    /// Its name in ledger entries.
    pub fn as_str(self) -> &'static str {
        match self {
            Mask::Email => "email",
            Mask::Phone => "phone",
            Mask::Card => "card",
            Mask::Name => "name",
            Mask::Year => "year",
            Mask::Whole => "whole",
            Mask::First => "first",
        }
    }

    /// The masked value. Its length says nothing about the value's.
    pub fn apply(self, value: &str) -> String {
        if value.is_empty() {
            return String::new();
        }
        match self {
            Mask::Email => email(value),
            Mask::Phone => last_digits(value, 2),
            Mask::Card => last_digits(value, 4),
            Mask::Name => {
                let initials: Vec<String> = value.split_whitespace().map(first).collect();
                if initials.is_empty() { BULLETS.to_owned() } else { initials.join(" ") }
            }
            Mask::Year => year(value),
            Mask::Whole => BULLETS.to_owned(),
            Mask::First => first(value),
        }
    }
}

/// A value masked by its kind.
pub fn mask(kind: Option<&str>, value: &str) -> String {
    Mask::for_kind(kind).apply(value)
}

/// The same for a value that may be NULL, which stays NULL.
pub fn mask_value(kind: Option<&str>, value: Option<&str>) -> Option<String> {
    value.map(|v| mask(kind, v))
}

const BULLETS: &str = "•••";

fn first(value: &str) -> String {
    value.chars().next().map_or_else(|| BULLETS.to_owned(), |c| format!("{c}{BULLETS}"))
}

fn email(value: &str) -> String {
    let Some((local, domain)) = value.rsplit_once('@') else { return first(value) };
    // Only a plain top-level domain is shown; whatever else stands after the last dot may be a value.
    let top = domain.rsplit_once('.').map(|(_, top)| top);
    let top = top.filter(|t| (2..=10).contains(&t.len()) && t.chars().all(|c| c.is_ascii_alphabetic()));
    let top = top.map(|t| format!(".{t}")).unwrap_or_default();
    format!("{}@{}{top}", first(local), first(domain))
}

/// Keeps the last `keep` digits only when that is well under half of them.
fn last_digits(value: &str, keep: usize) -> String {
    let digits: Vec<char> = value.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < keep * 2 + 1 {
        return BULLETS.to_owned();
    }
    let tail: String = digits[digits.len() - keep..].iter().collect();
    format!("{BULLETS}{tail}")
}

/// The only run of exactly four digits, when there is one.
fn year(value: &str) -> String {
    let mut runs = value.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 4);
    match (runs.next(), runs.next()) {
        (Some(year), None) if ("1850".."2150").contains(&year) => year.to_owned(),
        _ => BULLETS.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_by_kind() {
        let cases = [
            (Some("email"), "ana.ruiz@example.com", "a•••@e•••.com"),
            (Some("email"), "no at sign", "n•••"),
            (Some("email"), "a@b.4111111111", "a•••@b•••"),
            (Some("phone"), "+34 600 123 456", "•••56"),
            (Some("phone"), "123", "•••"),
            (Some("card_number"), "4111 1111 1111 1234", "•••1234"),
            (Some("person_name"), "Ana María Ruiz", "A••• M••• R•••"),
            (Some("person_name"), "  ", "•••"),
            (Some("birth_date"), "31/12/1979", "1979"),
            (Some("birth_date"), "31121979", "•••"),
            (Some("credential"), "hunter2", "•••"),
            (Some("city"), "Ávila", "Á•••"),
            (None, "x", "x•••"),
            (None, "", ""),
        ];
        for (kind, value, masked) in cases {
            assert_eq!(mask(kind, value), masked, "{kind:?} {value}");
        }
    }

    #[test]
    fn whatever_comes_in_is_masked_without_panic_and_never_whole() {
        let kinds =
            [None, Some("email"), Some("phone"), Some("card_number"), Some("person_name"), Some("iban")];
        for value in ["a@", "  @b.co", "é@ü.örg", "1234567", "٣٤٥٦٧", "\u{1f600}\u{1f600}", "a b c d"]
        {
            for kind in kinds {
                assert!(!mask(kind, value).contains(value), "{kind:?} {value}");
            }
        }
    }
}
