//! The plan's `clean = "…"` functions, over a column of text. Each brings a value to one form or says that it is not
//! of the kind; none guesses. Not a check of rules and not a detector: it is told what the column holds.
//!
//! What all of them do: white space at both ends goes, an empty text becomes NULL, a stand-in for "unknown" (see
//! [`is_sentinel`]) becomes NULL (`trim` alone keeps it), and cleaning twice gives what cleaning once gave.

mod contact;
mod country;
mod date;
mod number;
mod postcode;
mod sentinel;
#[cfg(test)]
mod tests;
mod text;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Builder, StringArray, StringBuilder};
use arrow::datatypes::DataType;

pub(crate) use contact::{email as email_form, phone_form};
pub(crate) use country::country as country_form;
pub(crate) use date::iso_date;
pub use sentinel::is_sentinel;

/// A cleaning function of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CleanFunction {
    /// White space (Unicode) at both ends goes; inside it stays; an empty text becomes NULL.
    Trim,
    /// A valid address, in lower case on both sides of the `@`. Strictly the part before it may tell case apart; no
    /// provider does, and matching people needs one form.
    Email,
    /// E.164, read with the habits of `region`. A number with an extension fails: E.164 has no place for it.
    Phone,
    /// A date, tried against `formats` in order (ISO when there are none). Strict: 31/02 fails. `%y` means 1969 to
    /// 2068; `%Y` needs four digits.
    Date,
    /// A person's name: runs of white space become one blank; all capitals or all small letters become title case
    /// with particles; mixed case is left alone.
    Name,
    /// ISO 3166-1 alpha-2, from codes and from names in the languages of `data/countries.txt`.
    Country,
    /// The form of the region's post office; without a region or with an unknown one: upper case.
    Postcode,
    /// Plain decimal text: no separators, currency signs or brackets; digits after the point as they came.
    Number,
    /// Stand-ins for "unknown" become NULL; other values stay untouched.
    Sentinel,
}

impl CleanFunction {
    /// All functions.
    pub const ALL: [Self; 9] = [
        Self::Trim,
        Self::Email,
        Self::Phone,
        Self::Date,
        Self::Name,
        Self::Country,
        Self::Postcode,
        Self::Number,
        Self::Sentinel,
    ];

    /// The word of the plan.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trim => "trim",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Date => "date",
            Self::Name => "name",
            Self::Country => "country",
            Self::Postcode => "postcode",
            Self::Number => "number",
            Self::Sentinel => "sentinel",
        }
    }

    /// The type of what [`clean`] gives.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Date => DataType::Date32,
            _ => DataType::Utf8,
        }
    }
}

impl fmt::Display for CleanFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is not a cleaning function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no cleaning function `{0}`")]
pub struct UnknownFunction(pub String);

impl FromStr for CleanFunction {
    type Err = UnknownFunction;

    fn from_str(word: &str) -> Result<Self, UnknownFunction> {
        Self::ALL.into_iter().find(|f| f.as_str() == word).ok_or_else(|| UnknownFunction(word.to_owned()))
    }
}

/// What a cleaning function may be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CleanOptions {
    /// ISO 3166-1 alpha-2, for phones and postcodes.
    pub region: Option<String>,
    /// strptime formats for dates, tried in order.
    pub formats: Vec<String>,
    /// Further stand-ins for "unknown", compared without case and surrounding white space.
    pub sentinels: Vec<String>,
}

/// A cleaned column.
#[derive(Debug, Clone)]
pub struct Cleaned {
    /// One value a row, of [`CleanFunction::data_type`]; NULL where it was empty, a sentinel, or failed.
    pub array: ArrayRef,
    /// The rows whose value is not of the kind, ascending.
    pub failed: Vec<usize>,
    /// How many rows have another text than before (failed rows not counted).
    pub changed: usize,
}

/// What became of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome<T> {
    /// Empty or a stand-in for "unknown".
    Empty,
    /// The value in its one form.
    Value(T),
    /// Not of the kind.
    Failed,
}

/// Cleans a column of text.
pub fn clean(function: CleanFunction, input: &StringArray, options: &CleanOptions) -> Cleaned {
    let region = options.region.as_deref();
    let more = options.sentinels.as_slice();
    match function {
        CleanFunction::Date => dates(input, options),
        CleanFunction::Trim => texts(input, text::trim),
        CleanFunction::Email => texts(input, |v| contact::email(v, more)),
        CleanFunction::Phone => phones(input, region, more),
        CleanFunction::Name => texts(input, |v| text::name(v, more)),
        CleanFunction::Country => texts(input, |v| country::country(v, more)),
        CleanFunction::Postcode => texts(input, |v| postcode::postcode(v, region, more)),
        CleanFunction::Number => texts(input, |v| number::number(v, more)),
        CleanFunction::Sentinel => texts(input, |v| sentinel::blank(v, more)),
    }
}

fn texts(input: &StringArray, mut one: impl FnMut(&str) -> Outcome<String>) -> Cleaned {
    let mut array = StringBuilder::with_capacity(input.len(), input.value_data().len());
    let (mut failed, mut changed) = (Vec::new(), 0);
    for (row, value) in input.iter().enumerate() {
        match value.map(|v| (v, one(v))) {
            None => array.append_null(),
            Some((_, Outcome::Empty)) => {
                array.append_null();
                changed += 1;
            }
            Some((before, Outcome::Value(after))) => {
                changed += usize::from(before != after);
                array.append_value(after);
            }
            Some((_, Outcome::Failed)) => {
                array.append_null();
                failed.push(row);
            }
        }
    }
    Cleaned { array: Arc::new(array.finish()), failed, changed }
}

/// Phone parsing is slow and columns repeat themselves, so each text of a batch is parsed once.
fn phones(input: &StringArray, region: Option<&str>, more: &[String]) -> Cleaned {
    let mut seen: HashMap<&str, Outcome<String>> = HashMap::new();
    for value in input.iter().flatten() {
        seen.entry(value).or_insert_with(|| contact::phone(value, region, more));
    }
    texts(input, |v| seen.get(v).cloned().unwrap_or(Outcome::Failed))
}

fn dates(input: &StringArray, options: &CleanOptions) -> Cleaned {
    let mut array = Date32Builder::with_capacity(input.len());
    let (mut failed, mut changed) = (Vec::new(), 0);
    for (row, value) in input.iter().enumerate() {
        match value.map(|v| (v, date::date(v, &options.formats, &options.sentinels))) {
            None => array.append_null(),
            Some((_, Outcome::Empty)) => {
                array.append_null();
                changed += 1;
            }
            Some((before, Outcome::Value(date))) => {
                changed += usize::from(before != date.to_string());
                array.append_value(date::days(date));
            }
            Some((_, Outcome::Failed)) => {
                array.append_null();
                failed.push(row);
            }
        }
    }
    Cleaned { array: Arc::new(array.finish()), failed, changed }
}
