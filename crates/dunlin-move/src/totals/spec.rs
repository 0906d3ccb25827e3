//! What is added up of a table, resolved: where an amount stands in the source and in the target, and which month a row
//! belongs to.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    i256,
};
use dunlin_connect::{ColumnType, array_to_text};
use dunlin_quality::{CleanFunction, CleanOptions, Compiled, evaluate_rows};

use super::Exact;
use super::figures::{Amount, Month, NO_MONTH, RowAmounts, month_of};

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// What is added up of a table.
pub struct TotalsSpec {
    /// The position among the mapped columns of what tells periods apart.
    pub period: Option<usize>,
    /// Its name.
    pub period_name: Option<String>,
    /// The amounts.
    pub columns: Vec<TotalColumn>,
}

/// One amount.
pub struct TotalColumn {
    /// The target column.
    pub name: String,
    /// Its position among the mapped columns.
    pub target: usize,
    /// What it is in the source.
    pub source: SourceAmount,
}

/// What an amount is in the source.
pub enum SourceAmount {
    /// A column that is read, by its position.
    Column(usize),
    /// A column that is read, as its cleaning function reads it.
    Clean(usize, ColumnType, CleanFunction, CleanOptions),
    /// What the plan says, over the columns that are read.
    Sql(Compiled),
}

impl TotalsSpec {
    /// The amounts of rows as they are in the source; each belongs to the month that it has in the target.
    pub(crate) fn in_source(&self, source: &RecordBatch, target: &RecordBatch) -> RowAmounts {
        let amounts = self.columns.iter().map(|column| match &column.source {
            SourceAmount::Column(at) => amounts(source.column(*at)),
            SourceAmount::Clean(at, ty, function, options) => {
                let text = crate::fit::fit(source.column(*at), ty, &ColumnType::TEXT).array;
                let cleaned = dunlin_quality::clean(*function, text.as_string::<i32>(), options);
                let mut amounts = amounts(&cleaned.array);
                cleaned.failed.iter().for_each(|row| amounts[*row] = Amount::Unread);
                amounts
            }
            SourceAmount::Sql(compiled) => {
                let found = evaluate_rows(compiled, source);
                let mut amounts = amounts(&found.array);
                found.failed.iter().for_each(|row| amounts[*row] = Amount::Unread);
                amounts
            }
        });
        RowAmounts { months: self.months(target), amounts: amounts.collect() }
    }

    /// The amounts of rows as they are in the target.
    pub(crate) fn in_target(&self, target: &RecordBatch) -> RowAmounts {
        let amounts = self.columns.iter().map(|column| amounts(target.column(column.target)));
        RowAmounts { months: self.months(target), amounts: amounts.collect() }
    }

    fn months(&self, target: &RecordBatch) -> Vec<Month> {
        match self.period {
            Some(at) => months(target.column(at)),
            None => vec![NO_MONTH; target.num_rows()],
        }
    }
}

/// The numbers of a column, whatever they travel in.
fn amounts(array: &ArrayRef) -> Vec<Amount> {
    fn whole<T>(array: &ArrayRef, of: impl Fn(T::Native) -> i128) -> Vec<Amount>
    where
        T: arrow::datatypes::ArrowPrimitiveType,
    {
        let exact = |n| Exact::new(i256::from_i128(n), 0).map_or(Amount::Unread, Amount::Of);
        array.as_primitive::<T>().iter().map(|v| v.map_or(Amount::None, |v| exact(of(v)))).collect()
    }
    let texts = |values: Vec<Option<String>>| {
        let read = |text: String| text.parse().map_or(Amount::Unread, Amount::Of);
        values.into_iter().map(|value| value.map_or(Amount::None, read)).collect()
    };
    let decimal = |value: Option<i256>, scale: i8| match value {
        None => Amount::None,
        Some(value) => Exact::new(value, scale).map_or(Amount::Unread, Amount::Of),
    };
    match array.data_type() {
        DataType::Int8 => whole::<Int8Type>(array, i128::from),
        DataType::Int16 => whole::<Int16Type>(array, i128::from),
        DataType::Int32 => whole::<Int32Type>(array, i128::from),
        DataType::Int64 => whole::<Int64Type>(array, i128::from),
        DataType::UInt8 => whole::<UInt8Type>(array, i128::from),
        DataType::UInt16 => whole::<UInt16Type>(array, i128::from),
        DataType::UInt32 => whole::<UInt32Type>(array, i128::from),
        DataType::UInt64 => whole::<UInt64Type>(array, i128::from),
        DataType::Decimal128(_, scale) => {
            let values = array.as_primitive::<Decimal128Type>();
            values.iter().map(|v| decimal(v.map(i256::from_i128), *scale)).collect()
        }
        DataType::Decimal256(_, scale) => {
            array.as_primitive::<Decimal256Type>().iter().map(|v| decimal(v, *scale)).collect()
        }
        // The shortest text that gives the float back is what people wrote.
        DataType::Float32 => {
            texts(array.as_primitive::<Float32Type>().iter().map(|v| v.map(|v| v.to_string())).collect())
        }
        DataType::Float64 => {
            texts(array.as_primitive::<Float64Type>().iter().map(|v| v.map(|v| v.to_string())).collect())
        }
        DataType::Utf8 => texts(array.as_string::<i32>().iter().map(|v| v.map(str::to_owned)).collect()),
        _ => texts(array_to_text(array, &ColumnType::TEXT)),
    }
}

/// The month of each date of a column.
fn months(array: &ArrayRef) -> Vec<Month> {
    let of_days = |days: i64| match i32::try_from(days) {
        // Both ends stand for infinity.
        Ok(days) if days != i32::MAX && days != i32::MIN => civil_month(days),
        _ => NO_MONTH,
    };
    match array.data_type() {
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().iter();
            days.map(|day| day.map_or(NO_MONTH, |day| of_days(day.into()))).collect()
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let moments = array.as_primitive::<TimestampMicrosecondType>().iter();
            let day = |at: i64| {
                if at == i64::MAX || at == i64::MIN { NO_MONTH } else { of_days(at.div_euclid(DAY_US)) }
            };
            moments.map(|at| at.map_or(NO_MONTH, day)).collect()
        }
        DataType::Utf8 => array
            .as_string::<i32>()
            .iter()
            .map(|text| text.and_then(written_month).unwrap_or(NO_MONTH))
            .collect(),
        _ => vec![NO_MONTH; array.len()],
    }
}

/// The month of a date that is written as ISO 8601 has it, with or without a time behind it.
fn written_month(text: &str) -> Option<Month> {
    let text = text.trim();
    let (year, rest) = (text.get(..4)?, text.get(4..)?);
    let month = rest.strip_prefix('-')?.get(..2)?;
    let day = rest.get(3..)?.strip_prefix('-')?.get(..2)?;
    let digits =
        |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<i32>().ok()).flatten();
    let (year, month, day) = (digits(year)?, digits(month)?, digits(day)?);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then(|| month_of(year, month))
}

/// The month of a day since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level
/// date algorithms", `civil_from_days`).
fn civil_month(days: i32) -> Month {
    let days = i64::from(days) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    // A day of 32 bits lies within six million years.
    month_of(year as i32, month as i32)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};
    use proptest::prelude::*;

    use super::super::figures::month_word;
    use super::*;

    fn sums(array: ArrayRef) -> Vec<String> {
        let word = |amount: Amount| match amount {
            Amount::None => "none".to_owned(),
            Amount::Of(number) => number.to_string(),
            Amount::Unread => "unread".to_owned(),
        };
        amounts(&array).into_iter().map(word).collect()
    }

    #[test]
    fn amounts_are_read_from_whatever_holds_them() {
        assert_eq!(sums(Arc::new(Int64Array::from(vec![Some(-5), None]))), ["-5", "none"]);
        let decimals = Decimal128Array::from(vec![1_999]).with_precision_and_scale(10, 2).unwrap();
        assert_eq!(sums(Arc::new(decimals)), ["19.99"]);
        assert_eq!(
            sums(Arc::new(Float64Array::from(vec![0.1, f64::NAN, 1e300]))),
            ["0.1", "unread", "unread"]
        );
        assert_eq!(
            sums(Arc::new(StringArray::from(vec![" 12.50", "1,5", ""]))),
            ["12.50", "unread", "unread"]
        );
    }

    #[test]
    fn months_are_read_from_dates_and_from_texts() {
        let words =
            |array: ArrayRef| -> Vec<Option<String>> { months(&array).into_iter().map(month_word).collect() };
        let days = Date32Array::from(vec![Some(0), Some(-1), Some(i32::MAX), None]);
        let month = |text: &str| Some(text.to_owned());
        assert_eq!(words(Arc::new(days)), [month("1970-01"), month("1969-12"), None, None]);
        let texts = StringArray::from(vec!["2026-02-28 10:00:00", "2026-13-01", "28/02/2026", "2026-02"]);
        assert_eq!(words(Arc::new(texts)), [month("2026-02"), None, None, None]);
    }

    proptest! {
        #[test]
        fn the_month_of_a_day_is_that_of_the_calendar(days in -700_000i32..2_900_000) {
            let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            prop_assert_eq!(civil_month(days), month_of(date.year().into(), date.month().into()));
        }
    }
}
