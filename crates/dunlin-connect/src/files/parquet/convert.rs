//! Arrow arrays of any kind into the arrays in which our types travel. What does not fit is told by row, never bent.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date64Type, Decimal128Type, Decimal256Type, Int64Type, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::nested::nested_json;
use super::types::per_second;
use crate::{ColumnType, Reason, array_to_text, text_to_array};

/// An array and the rows that did not fit into it (NULL there).
pub(super) type Converted = (ArrayRef, Vec<(usize, Reason)>);

/// Makes `array` travel as `ty`.
pub(super) fn convert(array: &ArrayRef, ty: &ColumnType) -> Result<Converted, ArrowError> {
    let want = ty.arrow_type();
    let from = array.data_type();
    if *from == want {
        return Ok((array.clone(), Vec::new()));
    }
    match (from, ty) {
        (DataType::Dictionary(_, value), _) => convert(&cast(array, value)?, ty),
        (DataType::FixedSizeBinary(16), ColumnType::Uuid) => Ok((uuids(array), Vec::new())),
        (DataType::Timestamp(unit, _), ColumnType::Timestamp | ColumnType::TimestampTz) => {
            let units = cast(array, &DataType::Int64)?;
            let (micros, bad) = to_micros(units.as_primitive(), *unit);
            let times = TimestampMicrosecondArray::from_iter(micros);
            let zoned = *ty == ColumnType::TimestampTz;
            Ok((Arc::new(if zoned { times.with_timezone("UTC") } else { times }), bad))
        }
        (DataType::Date64, ColumnType::Timestamp) => {
            let millis: Int64Array = array.as_primitive::<Date64Type>().reinterpret_cast::<Int64Type>();
            let (micros, bad) = to_micros(&millis, TimeUnit::Millisecond);
            Ok((Arc::new(TimestampMicrosecondArray::from_iter(micros)), bad))
        }
        (DataType::Time32(unit), ColumnType::Time) => {
            let units = cast(&cast(array, &DataType::Int32)?, &DataType::Int64)?;
            let (micros, bad) = to_micros(units.as_primitive(), *unit);
            Ok((Arc::new(Time64MicrosecondArray::from_iter(micros)), bad))
        }
        (DataType::Time64(unit), ColumnType::Time) => {
            let units = cast(array, &DataType::Int64)?;
            let (micros, bad) = to_micros(units.as_primitive(), *unit);
            Ok((Arc::new(Time64MicrosecondArray::from_iter(micros)), bad))
        }
        (f, ColumnType::Json) if f.is_nested() => Ok((nested_json(array)?, Vec::new())),
        (f, _) if widens(f, &want) => Ok((cast(array, &want)?, Vec::new())),
        _ => by_text(array, ty),
    }
}

/// Whether Arrow's cast can change no value.
fn widens(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    match to {
        T::Int16 => matches!(from, T::Int8 | T::UInt8),
        T::Int32 => matches!(from, T::Int8 | T::UInt8 | T::Int16 | T::UInt16),
        T::Int64 => matches!(from, T::Int8 | T::UInt8 | T::Int16 | T::UInt16 | T::Int32 | T::UInt32),
        T::Decimal128(20, 0) if *from == T::UInt64 => true,
        T::Decimal128(p, s) => match from {
            T::Decimal32(fp, fs) | T::Decimal64(fp, fs) | T::Decimal256(fp, fs) => fp == p && fs == s,
            _ => false,
        },
        T::Float32 => *from == T::Float16,
        T::Float64 => matches!(from, T::Float16 | T::Float32),
        T::Utf8 => matches!(from, T::LargeUtf8 | T::Utf8View),
        T::Binary => matches!(from, T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_)),
        _ => false,
    }
}

/// Everything else goes through its text, which [`text_to_array`] reads strictly.
fn by_text(array: &ArrayRef, ty: &ColumnType) -> Result<Converted, ArrowError> {
    let texts = texts(array)?;
    let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
    if matches!(ty, ColumnType::Text { .. }) {
        return Ok((Arc::new(StringArray::from(texts)), Vec::new()));
    }
    Ok(text_to_array(&texts, ty))
}

/// Each value as text.
pub(in super::super) fn texts(array: &ArrayRef) -> Result<Vec<Option<String>>, ArrowError> {
    match array.data_type() {
        DataType::Null => return Ok(vec![None; array.len()]),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Struct(_)
        | DataType::Map(..) => return Ok(array_to_text(&nested_json(array)?, &ColumnType::Json)),
        DataType::Decimal128(_, scale) if *scale < 0 => {
            let values = array.as_primitive::<Decimal128Type>();
            return Ok(values.iter().map(|v| v.map(|v| shifted(v.to_string(), *scale))).collect());
        }
        DataType::Decimal256(_, scale) if *scale < 0 => {
            let values = array.as_primitive::<Decimal256Type>();
            return Ok(values.iter().map(|v| v.map(|v| shifted(v.to_string(), *scale))).collect());
        }
        _ => {}
    }
    if let Some(ty) = ours(array.data_type()) {
        return Ok(array_to_text(array, &ty));
    }
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options)?;
    (0..array.len())
        .map(|i| match array.is_valid(i) {
            true => formatter.value(i).try_to_string().map(Some),
            false => Ok(None),
        })
        .collect()
}

/// Our type that travels exactly so, if there is one.
fn ours(ty: &DataType) -> Option<ColumnType> {
    let all = [
        ColumnType::Bool,
        ColumnType::Int16,
        ColumnType::Int32,
        ColumnType::Int64,
        ColumnType::Float32,
        ColumnType::Float64,
        ColumnType::TEXT,
        ColumnType::Binary,
        ColumnType::Date,
        ColumnType::Time,
        ColumnType::Timestamp,
        ColumnType::TimestampTz,
    ];
    match ty {
        DataType::Decimal128(p, s) => Some(ColumnType::Decimal { precision: *p, scale: *s }),
        _ => all.into_iter().find(|t| t.arrow_type() == *ty),
    }
}

/// A decimal whose scale is negative, in plain digits.
fn shifted(mut digits: String, scale: i8) -> String {
    if digits != "0" {
        digits.extend(std::iter::repeat_n('0', usize::from(scale.unsigned_abs())));
    }
    digits
}

fn uuids(array: &ArrayRef) -> ArrayRef {
    let hyphenated = |bytes: &[u8]| {
        let hex = hex::encode(bytes);
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    };
    Arc::new(StringArray::from_iter(array.as_fixed_size_binary().iter().map(|v| v.map(hyphenated))))
}

/// To microseconds: what overflows is out of range, what has finer parts would change.
fn to_micros(units: &Int64Array, unit: TimeUnit) -> (Vec<Option<i64>>, Vec<(usize, Reason)>) {
    let per = per_second(unit);
    let mut bad = Vec::new();
    let mut one = |row: usize, value: i64| {
        let result = if per > 1_000_000 {
            let step = per / 1_000_000;
            if value % step == 0 { Ok(value / step) } else { Err(Reason::WouldChange) }
        } else {
            value.checked_mul(1_000_000 / per).ok_or(Reason::OutOfRange)
        };
        result.map_err(|reason| bad.push((row, reason))).ok()
    };
    let micros = units.iter().enumerate().map(|(row, v)| v.and_then(|v| one(row, v))).collect();
    (micros, bad)
}
