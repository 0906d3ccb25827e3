//! Fitting a mapped column to its target column: the value as the target will give it back, or a reason why not.
//!
//! Not a cast: a cast may round, wrap or cut. Here a value either arrives unchanged or its row goes to quarantine as
//! `would-change`, `out-of-range` or `wrong-type`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, TimeUnit};
use dunlin_connect::{ColumnType, Reason, array_to_text, text_to_array};

/// A fitted column: rows with a problem are NULL in the array.
pub struct Fitted {
    /// The values in the target's Arrow type.
    pub array: ArrayRef,
    /// Rows whose value does not fit, and why.
    pub problems: Vec<(usize, Reason)>,
}

/// The column type that a SQL expression's Arrow type stands for when dunlin makes the target column, or `None` for
/// types no store holds (intervals, lists).
pub fn natural_type(ty: &DataType) -> Option<ColumnType> {
    Some(match ty {
        DataType::Boolean => ColumnType::Bool,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => ColumnType::Int16,
        DataType::Int32 | DataType::UInt16 => ColumnType::Int32,
        DataType::Int64 | DataType::UInt32 => ColumnType::Int64,
        DataType::UInt64 => ColumnType::Decimal { precision: 20, scale: 0 },
        DataType::Float16 | DataType::Float32 => ColumnType::Float32,
        DataType::Float64 => ColumnType::Float64,
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s) if *s >= 0 => {
            ColumnType::Decimal { precision: *p, scale: *s }
        }
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => ColumnType::Numeric,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => ColumnType::TEXT,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            ColumnType::Binary
        }
        DataType::Date32 | DataType::Date64 => ColumnType::Date,
        DataType::Time32(_) | DataType::Time64(_) => ColumnType::Time,
        DataType::Timestamp(_, None) => ColumnType::Timestamp,
        DataType::Timestamp(_, Some(_)) => ColumnType::TimestampTz,
        DataType::Dictionary(_, value) => return natural_type(value),
        _ => return None,
    })
}

/// Brings an expression's result into the Arrow type of its natural column type. Exact but for nanoseconds below a
/// microsecond, whose rows are listed.
pub fn normalise(array: &ArrayRef) -> Fitted {
    let Some(ty) = natural_type(array.data_type()) else {
        let rows = (0..array.len()).map(|i| (i, Reason::WrongType)).collect();
        return Fitted { array: arrow::array::new_null_array(&DataType::Utf8, array.len()), problems: rows };
    };
    let want = ty.arrow_type();
    if array.data_type() == &want {
        return Fitted { array: array.clone(), problems: Vec::new() };
    }
    if let DataType::Decimal256(..) = array.data_type() {
        // Decimal256 prints exactly; Numeric is carried as text.
        return safe_cast(array, &DataType::Utf8);
    }
    let mut fitted = safe_cast(array, &want);
    let finer = matches!(
        array.data_type(),
        DataType::Timestamp(TimeUnit::Nanosecond, _) | DataType::Time64(TimeUnit::Nanosecond)
    );
    if finer && let Ok(back) = cast(&fitted.array, array.data_type()) {
        mark_unequal(&mut fitted, &back, array);
    }
    fitted
}

fn mark_unequal(fitted: &mut Fitted, back: &ArrayRef, array: &ArrayRef) {
    for row in 0..array.len() {
        if array.is_valid(row)
            && back.is_valid(row)
            && back.slice(row, 1).to_data() != array.slice(row, 1).to_data()
        {
            fitted.problems.push((row, Reason::WouldChange));
        }
    }
}

/// A cast whose failures are NULL, listed.
fn safe_cast(array: &ArrayRef, want: &DataType) -> Fitted {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    match cast_with_options(array, want, &options) {
        Ok(out) => {
            let problems = if out.null_count() == array.null_count() {
                Vec::new()
            } else {
                (0..array.len())
                    .filter(|i| array.is_valid(*i) && out.is_null(*i))
                    .map(|i| (i, Reason::OutOfRange))
                    .collect()
            };
            Fitted { array: out, problems }
        }
        Err(_) => Fitted {
            array: arrow::array::new_null_array(want, array.len()),
            problems: (0..array.len())
                .filter(|i| array.is_valid(*i))
                .map(|i| (i, Reason::WrongType))
                .collect(),
        },
    }
}

/// Fits `array`, which holds values of `from`, to a target column of `to`.
pub fn fit(array: &ArrayRef, from: &ColumnType, to: &ColumnType) -> Fitted {
    if carries_over(from, to) {
        let mut fitted = Fitted { array: array.clone(), problems: Vec::new() };
        shape_text(&mut fitted, from, to);
        return fitted;
    }
    match (from, to) {
        (
            ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64,
            ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64,
        ) => safe_cast(array, &to.arrow_type()),
        (ColumnType::Float32, ColumnType::Float64) => safe_cast(array, &DataType::Float64),
        (ColumnType::Date, ColumnType::Timestamp | ColumnType::TimestampTz) => {
            safe_cast(array, &to.arrow_type())
        }
        (ColumnType::Timestamp, ColumnType::TimestampTz)
        | (ColumnType::TimestampTz, ColumnType::Timestamp) => {
            // A zoneless time becomes UTC and back: the microseconds are the same number.
            let plain = cast(array, &DataType::Int64).and_then(|v| cast(&v, &to.arrow_type()));
            plain.map_or_else(
                |_| safe_cast(array, &to.arrow_type()),
                |array| Fitted { array, problems: Vec::new() },
            )
        }
        (ColumnType::Bool, ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64) => {
            safe_cast(array, &to.arrow_type())
        }
        _ => through_text(array, from, to),
    }
}

/// Whether values of `from` are already carried as `to` wants them.
fn carries_over(from: &ColumnType, to: &ColumnType) -> bool {
    use ColumnType as T;
    from == to
        || matches!(
            (from, to),
            (
                T::Text { .. } | T::Char { .. } | T::Json | T::Jsonb | T::Uuid | T::Numeric,
                T::Text { .. } | T::Char { .. }
            ) | (T::Jsonb, T::Json)
        )
}

/// Every other pair meets in the canonical text: exact in both directions, and it names what does not fit.
fn through_text(array: &ArrayRef, from: &ColumnType, to: &ColumnType) -> Fitted {
    let mut texts = array_to_text(array, from);
    unquote(&mut texts, from, to);
    let views: Vec<Option<&str>> =
        texts.iter().map(Option::as_deref).map(|v| v.map(|t| trimmed(t, to))).collect();
    let (out, problems) = match to {
        ColumnType::Text { .. } | ColumnType::Char { .. } => {
            (Arc::new(StringArray::from(views.clone())) as ArrayRef, Vec::new())
        }
        ColumnType::Json => json(&views, |v| Ok(v.to_owned())),
        ColumnType::Jsonb => json(&views, |v| match crate::jsonb::normal_form(v) {
            Some(form) if form.repeated => Err(Reason::WouldChange),
            Some(form) => Ok(form.text),
            None => Err(Reason::WrongType),
        }),
        _ => text_to_array(&views, to),
    };
    let mut fitted = Fitted { array: out, problems };
    shape_text(&mut fitted, from, to);
    if matches!(to, ColumnType::Float32 | ColumnType::Float64) {
        mark_rounded(&mut fitted, &views, to);
    }
    fitted
}

/// Rows whose number a float does not hold: its shortest text is another number than what was there.
fn mark_rounded(fitted: &mut Fitted, before: &[Option<&str>], to: &ColumnType) {
    // Any number of so few digits is the shortest text of the float next to it, unless it is among the very smallest.
    let safe = if *to == ColumnType::Float32 { 6 } else { 15 };
    let long =
        |text: &str| text.bytes().filter(u8::is_ascii_digit).count() > safe || text.contains(['e', 'E']);
    if !before.iter().flatten().any(|text| long(text)) {
        return;
    }
    let after = array_to_text(&fitted.array, to);
    for (row, (before, after)) in before.iter().zip(after).enumerate() {
        if let (Some(before), Some(after)) = (before, after)
            && !same_number(before, &after)
        {
            fitted.problems.push((row, Reason::WouldChange));
        }
    }
}

/// Whether two texts are one number. What is no number in digits (`NaN`, `Infinity`) was understood before.
fn same_number(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (digits(a), digits(b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

/// A number as its sign, its digits without zeros at either end, and the place of the point: equal for equal numbers.
fn digits(text: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let unsigned = mantissa.trim_start_matches(['+', '-']);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let all = format!("{whole}{fraction}");
    let led = all.trim_start_matches('0');
    if led.is_empty() {
        return Some((false, String::new(), 0));
    }
    let point = whole.len() as i64 - (all.len() - led.len()) as i64 + exponent;
    Some((mantissa.starts_with('-'), led.trim_end_matches('0').to_owned(), point))
}

/// A string of JSON is not its quotes where a number or a date is wanted: `"NaN"` is how JSON says it.
fn unquote(texts: &mut [Option<String>], from: &ColumnType, to: &ColumnType) {
    use ColumnType as T;
    let json = matches!(from, T::Json | T::Jsonb);
    if !json || matches!(to, T::Json | T::Jsonb | T::Text { .. } | T::Char { .. }) {
        return;
    }
    for text in texts.iter_mut().flatten().filter(|t| t.starts_with('"')) {
        if let Ok(inner) = serde_json::from_str::<String>(text) {
            *text = inner;
        }
    }
}

/// Blanks around a number or a date are not part of its value.
fn trimmed<'a>(text: &'a str, to: &ColumnType) -> &'a str {
    match to {
        ColumnType::Text { .. } | ColumnType::Char { .. } | ColumnType::Json | ColumnType::Jsonb => text,
        _ => text.trim(),
    }
}

fn json(
    views: &[Option<&str>],
    form: fn(&str) -> Result<String, Reason>,
) -> (ArrayRef, Vec<(usize, Reason)>) {
    let mut problems = Vec::new();
    let values: Vec<Option<String>> = views
        .iter()
        .enumerate()
        .map(|(row, text)| {
            let text = (*text)?;
            let valid = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            let out = if valid { form(text) } else { Err(Reason::WrongType) };
            out.map_err(|reason| problems.push((row, reason))).ok()
        })
        .collect();
    (Arc::new(StringArray::from(values)), problems)
}

/// Lengths and padding of text columns.
fn shape_text(fitted: &mut Fitted, from: &ColumnType, to: &ColumnType) {
    match to {
        ColumnType::Text { max: Some(max) } if !fits_already(from, *max) => {
            let texts = fitted.array.as_string::<i32>();
            for (row, text) in texts.iter().enumerate() {
                if text.is_some_and(|t| t.len() > *max as usize && t.chars().count() > *max as usize) {
                    fitted.problems.push((row, Reason::WouldChange));
                }
            }
        }
        ColumnType::Char { len } if from != to => pad(fitted, *len as usize),
        _ => {}
    }
}

fn fits_already(from: &ColumnType, max: u32) -> bool {
    matches!(from, ColumnType::Text { max: Some(have) } if *have <= max)
}

/// PostgreSQL returns `char(n)` blank-padded; longer text only fits when what is cut off is blank.
fn pad(fitted: &mut Fitted, len: usize) {
    let texts = fitted.array.as_string::<i32>();
    let mut problems = Vec::new();
    let padded: StringArray = texts
        .iter()
        .enumerate()
        .map(|(row, text)| {
            let text = text?;
            let have = text.chars().count();
            if have <= len {
                return Some(format!("{text}{}", " ".repeat(len - have)));
            }
            let cut = text.char_indices().nth(len).map_or(text.len(), |(i, _)| i);
            if !text[cut..].trim_end_matches(' ').is_empty() {
                problems.push((row, Reason::WouldChange));
            }
            Some(text[..cut].to_owned())
        })
        .collect();
    fitted.array = Arc::new(padded);
    fitted.problems.extend(problems);
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int64Array, TimestampNanosecondArray};

    use super::*;

    fn text(values: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn a_number_too_large_is_out_of_range() {
        let array: ArrayRef = Arc::new(Int64Array::from(vec![1, 70_000]));
        let fitted = fit(&array, &ColumnType::Int64, &ColumnType::Int16);
        assert_eq!(fitted.problems, [(1, Reason::OutOfRange)]);
    }

    #[test]
    fn a_scale_that_would_round_is_a_finding() {
        let array: ArrayRef = Arc::new(Float64Array::from(vec![1.25, 1.255]));
        let fitted = fit(&array, &ColumnType::Float64, &ColumnType::Decimal { precision: 12, scale: 2 });
        assert_eq!(fitted.problems, [(1, Reason::WouldChange)]);
    }

    #[test]
    fn a_float_takes_only_numbers_that_it_gives_back() {
        let numbers = [
            "0.1",
            "0.10",
            "-0",
            "1e2",
            "12345678901234567890",
            "9007199254740993",
            "NaN",
            "1e300",
            "0.1234567890123456789",
        ];
        let fitted = fit(&text(&numbers), &ColumnType::Numeric, &ColumnType::Float64);
        let changed = |row| (row, Reason::WouldChange);
        assert_eq!(fitted.problems, [changed(4), changed(5), changed(8)]);
        let array: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, -(1 << 53), (1 << 53) + 1]));
        assert_eq!(fit(&array, &ColumnType::Int64, &ColumnType::Float64).problems, [changed(0), changed(2)]);
        let array: ArrayRef =
            Arc::new(Float64Array::from(vec![0.1, 0.123_456_789_012, f64::NAN, 16_777_217.0]));
        assert_eq!(
            fit(&array, &ColumnType::Float64, &ColumnType::Float32).problems,
            [changed(1), changed(3)]
        );
    }

    #[test]
    fn a_string_of_json_is_the_number_that_it_spells() {
        let fitted = fit(&text(&["1.5", "\"NaN\"", "\"x\""]), &ColumnType::Json, &ColumnType::Float64);
        assert_eq!(fitted.problems, [(2, Reason::WrongType)]);
        assert_eq!(array_to_text(&fitted.array, &ColumnType::Float64)[1].as_deref(), Some("NaN"));
    }

    #[test]
    fn a_repeated_key_of_json_is_not_lost_on_the_way_into_jsonb() {
        let fitted = fit(
            &text(&[r#"{"a":1,"b":2}"#, r#"[{"a":1, "a":2}]"#, "x"]),
            &ColumnType::Json,
            &ColumnType::Jsonb,
        );
        assert_eq!(fitted.problems, [(1, Reason::WouldChange), (2, Reason::WrongType)]);
    }

    #[test]
    fn char_is_padded_and_text_is_not_cut() {
        let fitted = fit(&text(&["ab", "abc ", "abcd"]), &ColumnType::TEXT, &ColumnType::Char { len: 3 });
        assert_eq!(fitted.array.as_string::<i32>().value(0), "ab ");
        assert_eq!(fitted.problems, [(2, Reason::WouldChange)]);
        let fitted = fit(&text(&["äöü", "äöüß"]), &ColumnType::TEXT, &ColumnType::Text { max: Some(3) });
        assert_eq!(fitted.problems, [(1, Reason::WouldChange)]);
    }

    #[test]
    fn a_text_that_is_no_date_is_of_the_wrong_type() {
        let fitted = fit(&text(&[" 2020-02-29 ", "2021-02-29", "x"]), &ColumnType::TEXT, &ColumnType::Date);
        assert_eq!(fitted.array.null_count(), 2);
        assert_eq!(fitted.problems.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn nanoseconds_that_would_be_lost_are_named() {
        let array: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![1_000, 1_001]));
        assert_eq!(normalise(&array).problems, [(1, Reason::WouldChange)]);
    }
}
