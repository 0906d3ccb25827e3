//! How a column is compared: from its kind as [`crate::detect`] tells it, or from the shape of its values.

/// How the values of a column are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Given names: short forms count.
    GivenName,
    /// Family names.
    FamilyName,
    /// Whole names of persons, as a set of words.
    PersonName,
    /// Dates. `day_first` says how `04/03/1970` is read.
    Date {
        /// Whether the day stands before the month.
        day_first: bool,
    },
    /// Telephone numbers.
    Phone,
    /// E-mail addresses.
    Email,
    /// Postcodes.
    Postcode,
    /// Numbers of things: identity numbers, house numbers, accounts.
    Code,
    /// Longer texts as sets of words: addresses, names of places and firms.
    Words,
    /// Short words: city, country, gender, occupation.
    Word,
}

/// Values that are looked at to tell a shape.
const SAMPLE: usize = 500;

impl FieldKind {
    /// How a column is compared whose kind is `kind` (as the plan spells it, `None` where it has none) and which holds
    /// such values.
    pub fn of(kind: Option<&str>, sample: &[&str]) -> FieldKind {
        let sample: Vec<&str> =
            sample.iter().map(|v| v.trim()).filter(|v| !v.is_empty()).take(SAMPLE).collect();
        match kind {
            Some("given_name") => FieldKind::GivenName,
            Some("family_name") => FieldKind::FamilyName,
            Some("person_name") => FieldKind::PersonName,
            Some("email") => FieldKind::Email,
            Some("phone") => FieldKind::Phone,
            Some("birth_date") => FieldKind::Date { day_first: day_first(&sample) },
            Some("postcode") => FieldKind::Postcode,
            Some("postal_address" | "free_text") => FieldKind::Words,
            Some("city" | "country" | "gender") => FieldKind::Word,
            Some(_) => FieldKind::Code,
            None => FieldKind::by_shape(&sample),
        }
    }

    fn by_shape(sample: &[&str]) -> FieldKind {
        let most = |fits: &dyn Fn(&str) -> bool| {
            !sample.is_empty() && sample.iter().filter(|v| fits(v)).count() * 5 >= sample.len() * 4
        };
        if most(&looks_like_date) {
            return FieldKind::Date { day_first: day_first(sample) };
        }
        let digits = |v: &str| v.bytes().filter(u8::is_ascii_digit).count();
        let letters = |v: &str| v.chars().filter(|c| c.is_alphabetic()).count();
        if most(&|v| digits(v) > letters(v)) {
            return FieldKind::Code;
        }
        let words: usize = sample.iter().map(|v| v.split_whitespace().count()).sum();
        // More than every other value has a second word.
        if words * 2 > sample.len() * 3 { FieldKind::Words } else { FieldKind::Word }
    }

    /// Whether values are words that may be compared across columns.
    pub(super) fn is_wordy(self) -> bool {
        matches!(
            self,
            FieldKind::GivenName
                | FieldKind::FamilyName
                | FieldKind::PersonName
                | FieldKind::Words
                | FieldKind::Word
        )
    }

    /// Whether it names a person.
    pub(super) fn is_name(self) -> bool {
        matches!(self, FieldKind::GivenName | FieldKind::FamilyName | FieldKind::PersonName)
    }

    /// Whether values are compared as sets of words.
    pub(super) fn is_set(self) -> bool {
        matches!(self, FieldKind::PersonName | FieldKind::Words)
    }
}

fn looks_like_date(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let parts = value.split(|c: char| !c.is_ascii_digit()).filter(|p| !p.is_empty()).count();
    let plain = value.bytes().take(10).all(|c| c.is_ascii_digit() || matches!(c, b'-' | b'/' | b'.'));
    plain && (6..=20).contains(&digits) && parts >= 3
}

/// Whether the first of three short parts is a day: it is where it often is more than 12, and where nothing tells.
fn day_first(sample: &[&str]) -> bool {
    let (mut first, mut second) = (0, 0);
    for value in sample {
        let mut parts = value.split(|c: char| !c.is_ascii_digit()).filter_map(|p| p.parse::<u32>().ok());
        if let (Some(a), Some(b)) = (parts.next(), parts.next()) {
            first += usize::from((13..=31).contains(&a));
            second += usize::from((13..=31).contains(&b));
        }
    }
    first >= second
}
