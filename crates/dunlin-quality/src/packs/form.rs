//! Whether values have the form of their kind: what GDPR Art. 5(1)(d) comes to while rows move.

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Date32Type, Int64Type};

use crate::kinds::{fits, year_of};
use crate::{CleanFunction, CleanOptions, clean};

/// Nobody lives longer.
const YEARS_MAX: i64 = 120;
/// Days of a year, leap days included.
const YEAR: f64 = 365.2425;

/// A column whose values are held against their kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormColumn {
    /// Its name.
    pub column: String,
    /// Its kind.
    pub kind: String,
    /// For postcodes: the column with the country's code.
    pub country: Option<String>,
}

/// The rows of a batch whose value has not the form of its kind. NULL and blank values pass. `today` counts days since
/// 1970.
pub(super) fn broken(of: &FormColumn, batch: &RecordBatch, today: i64) -> Vec<usize> {
    let Some(array) = batch.column_by_name(&of.column) else { return Vec::new() };
    let rows = |fails: &dyn Fn(usize) -> bool| {
        (0..array.len()).filter(|row| array.is_valid(*row) && fails(*row)).collect()
    };
    let born = |day: i64| day > today || (today - day) as f64 / YEAR > YEARS_MAX as f64;
    match (of.kind.as_str(), array.data_type()) {
        ("birth_date", DataType::Date32) => {
            let days = array.as_primitive::<Date32Type>();
            rows(&|row| born(i64::from(days.value(row))))
        }
        ("birth_date", DataType::Utf8) => {
            let texts = array.as_string::<i32>();
            let this = 1970 + (today as f64 / YEAR) as i64;
            let lived = |year: i16| (this - YEARS_MAX..=this).contains(&i64::from(year));
            // What is no date at all is of the wrong form as well.
            let wrong = |text: &str| !fits("birth_date", text) || !year_of(text).is_none_or(lived);
            rows(&|row| !blank(texts.value(row)) && wrong(texts.value(row).trim()))
        }
        ("age", DataType::Int64) => {
            let ages = array.as_primitive::<Int64Type>();
            rows(&|row| !(0..=YEARS_MAX).contains(&ages.value(row)))
        }
        ("postcode", DataType::Utf8) => {
            let country = of.country.as_ref().and_then(|name| batch.column_by_name(name));
            let Some(country) = country.and_then(|c| c.as_string_opt::<i32>()) else { return Vec::new() };
            let texts = array.as_string::<i32>();
            rows(&|row| country.is_valid(row) && !of_country(texts.value(row), country.value(row)))
        }
        (kind, DataType::Utf8) if kind != "age" => {
            let texts = array.as_string::<i32>();
            rows(&|row| !blank(texts.value(row)) && !fits(kind, texts.value(row).trim()))
        }
        _ => Vec::new(),
    }
}

fn blank(text: &str) -> bool {
    text.trim().is_empty() || crate::is_sentinel(text.trim(), &[])
}

/// Whether a postcode has the form of its country; true where nothing is known about the country's.
fn of_country(code: &str, country: &str) -> bool {
    if blank(code) || country.len() != 2 || !country.bytes().all(|b| b.is_ascii_alphabetic()) {
        return true;
    }
    let options = CleanOptions { region: Some(country.to_ascii_uppercase()), ..CleanOptions::default() };
    clean(CleanFunction::Postcode, &StringArray::from(vec![code]), &options).failed.is_empty()
}
