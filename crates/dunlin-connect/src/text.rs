//! Values as text and back: one canonical text form a type, shared by CSV, JSON Lines, SQLite and the quarantine.
//!
//! | type | text |
//! | --- | --- |
//! | integers | plain digits |
//! | decimal | plain digits with exactly `scale` behind the point |
//! | numeric | plain digits, trailing zeros kept, no exponent; `NaN`, `Infinity`, `-Infinity` |
//! | floats | the shortest text that reads back to the same bits; `NaN`, `Infinity`, `-Infinity` |
//! | bool | `true`, `false` |
//! | date | `2024-02-29`, `+12024-01-01`, `-0044-03-15` (astronomical years: `0000` is 1 BC), `infinity` |
//! | time | `23:59:59.5`; `24:00:00` is the end of a day |
//! | timestamp | `2024-02-29 23:59:59.5`; zoned ones in UTC with `+00:00` |
//! | binary, opaque | `\x` and lower-case hex |
//! | uuid | lower case with hyphens |
//!
//! Reading is strict: a text that is not of the type is told, never bent. It is not a place for local formats
//! (`31/12/2024`, `1.234,50`): the plan's `clean` does those.

mod moment;
mod number;

use std::str;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryBuilder, BooleanBuilder, PrimitiveBuilder,
    StringBuilder,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};

pub(crate) use moment::{parse_date, parse_time, parse_timestamp, parse_timestamp_tz};
pub(crate) use number::{parse_decimal, parse_f64, parse_int, parse_numeric, write_f64};

use crate::{ColumnType, Reason};

/// What a column's reader found wrong: the row in the batch, and why.
type BadTexts = Vec<(usize, Reason)>;

/// Each value of a column as canonical text; `None` where it is NULL. A column that already travels as text is
/// given as it is.
pub fn array_to_text(array: &ArrayRef, ty: &ColumnType) -> Vec<Option<String>> {
    let _ = ty; // The array's own type says everything; the parameter keeps both directions alike.
    (0..array.len())
        .map(|row| {
            let mut text = String::new();
            write_value(array.as_ref(), row, &mut text).then_some(text)
        })
        .collect()
}

/// Appends one value's canonical text; false, and nothing appended, where it is NULL. For writers that put many
/// values into one buffer.
pub(crate) fn write_value(array: &dyn Array, row: usize, out: &mut String) -> bool {
    if array.is_null(row) {
        return false;
    }
    match array.data_type() {
        DataType::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
        DataType::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Int16 => number::write_int(array.as_primitive::<Int16Type>().value(row).into(), out),
        DataType::Int32 => number::write_int(array.as_primitive::<Int32Type>().value(row).into(), out),
        DataType::Int64 => number::write_int(array.as_primitive::<Int64Type>().value(row), out),
        DataType::Decimal128(_, scale) => {
            number::write_decimal(array.as_primitive::<Decimal128Type>().value(row), *scale, out);
        }
        DataType::Float32 => number::write_f32(array.as_primitive::<Float32Type>().value(row), out),
        DataType::Float64 => write_f64(array.as_primitive::<Float64Type>().value(row), out),
        DataType::Binary => write_hex(array.as_binary::<i32>().value(row), out),
        DataType::Date32 => moment::write_date(array.as_primitive::<Date32Type>().value(row), out),
        DataType::Time64(TimeUnit::Microsecond) => {
            moment::write_time(array.as_primitive::<Time64MicrosecondType>().value(row), out);
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            moment::write_timestamp(micros, zone.is_some(), out);
        }
        // Batches are made by `ColumnType::arrow_type`, which knows no other type.
        other => unreachable!("a column type never travels as {other}"),
    }
    true
}

/// Reads text as a column of a type. The second part names the rows whose text is not of that type; they are NULL in
/// the array.
///
/// The reasons are [`Reason::WrongType`] (not of the type), [`Reason::OutOfRange`] (of the type, but it cannot hold
/// it) and [`Reason::WouldChange`] (decimals, or parts of a second, that the type would cut off).
pub fn text_to_array(texts: &[Option<&str>], ty: &ColumnType) -> (ArrayRef, Vec<(usize, Reason)>) {
    match ty {
        ColumnType::Bool => booleans(texts),
        ColumnType::Int16 => primitives::<Int16Type>(texts, ty, |t| {
            parse_int(t).and_then(|v| v.try_into().map_err(|_| Reason::OutOfRange))
        }),
        ColumnType::Int32 => primitives::<Int32Type>(texts, ty, |t| {
            parse_int(t).and_then(|v| v.try_into().map_err(|_| Reason::OutOfRange))
        }),
        ColumnType::Int64 => primitives::<Int64Type>(texts, ty, parse_int),
        ColumnType::Decimal { precision, scale } => {
            primitives::<Decimal128Type>(texts, ty, |t| parse_decimal(t, *precision, *scale))
        }
        ColumnType::Float32 => primitives::<Float32Type>(texts, ty, number::parse_f32),
        ColumnType::Float64 => primitives::<Float64Type>(texts, ty, parse_f64),
        ColumnType::Date => primitives::<Date32Type>(texts, ty, parse_date),
        ColumnType::Time => primitives::<Time64MicrosecondType>(texts, ty, parse_time),
        ColumnType::Timestamp => primitives::<TimestampMicrosecondType>(texts, ty, parse_timestamp),
        ColumnType::TimestampTz => primitives::<TimestampMicrosecondType>(texts, ty, parse_timestamp_tz),
        ColumnType::Binary | ColumnType::Opaque { .. } => binaries(texts),
        ColumnType::Numeric => strings(texts, |text, out| {
            out.push_str(&parse_numeric(text.as_bytes())?);
            Ok(())
        }),
        ColumnType::Uuid => strings(texts, |text, out| write_uuid(text.as_bytes(), out)),
        ColumnType::Json | ColumnType::Jsonb => strings(texts, |text, out| {
            check_json(text)?;
            out.push_str(text);
            Ok(())
        }),
        ColumnType::Text { .. } | ColumnType::Char { .. } => {
            (Arc::new(texts.iter().copied().collect::<arrow::array::StringArray>()), Vec::new())
        }
    }
}

fn primitives<T: ArrowPrimitiveType>(
    texts: &[Option<&str>],
    ty: &ColumnType,
    parse: impl Fn(&[u8]) -> Result<T::Native, Reason>,
) -> (ArrayRef, BadTexts) {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(texts.len()).with_data_type(ty.arrow_type());
    let mut bad = Vec::new();
    for (row, text) in texts.iter().enumerate() {
        match text.map(|t| parse(t.as_bytes())) {
            Some(Ok(value)) => builder.append_value(value),
            Some(Err(reason)) => {
                bad.push((row, reason));
                builder.append_null();
            }
            None => builder.append_null(),
        }
    }
    (Arc::new(builder.finish()), bad)
}

fn booleans(texts: &[Option<&str>]) -> (ArrayRef, BadTexts) {
    let mut builder = BooleanBuilder::with_capacity(texts.len());
    let mut bad = Vec::new();
    for (row, text) in texts.iter().enumerate() {
        match text.map(|t| parse_bool(t.as_bytes())) {
            Some(Ok(value)) => builder.append_value(value),
            Some(Err(reason)) => {
                bad.push((row, reason));
                builder.append_null();
            }
            None => builder.append_null(),
        }
    }
    (Arc::new(builder.finish()), bad)
}

fn strings(
    texts: &[Option<&str>],
    write: impl Fn(&str, &mut String) -> Result<(), Reason>,
) -> (ArrayRef, BadTexts) {
    let bytes = texts.iter().flatten().map(|t| t.len()).sum();
    let mut builder = StringBuilder::with_capacity(texts.len(), bytes);
    let mut bad = Vec::new();
    let mut value = String::new();
    for (row, text) in texts.iter().enumerate() {
        let Some(text) = text else {
            builder.append_null();
            continue;
        };
        value.clear();
        match write(text, &mut value) {
            Ok(()) => builder.append_value(&value),
            Err(reason) => {
                bad.push((row, reason));
                builder.append_null();
            }
        }
    }
    (Arc::new(builder.finish()), bad)
}

fn binaries(texts: &[Option<&str>]) -> (ArrayRef, BadTexts) {
    let bytes = texts.iter().flatten().map(|t| t.len() / 2).sum();
    let mut builder = BinaryBuilder::with_capacity(texts.len(), bytes);
    let mut bad = Vec::new();
    for (row, text) in texts.iter().enumerate() {
        match text.map(|t| parse_hex(t.as_bytes())) {
            Some(Ok(value)) => builder.append_value(value),
            Some(Err(reason)) => {
                bad.push((row, reason));
                builder.append_null();
            }
            None => builder.append_null(),
        }
    }
    (Arc::new(builder.finish()), bad)
}

/// `true`, `false`, `t`, `f`, `1`, `0`, in any case.
pub(crate) fn parse_bool(text: &[u8]) -> Result<bool, Reason> {
    match text {
        b"1" | b"t" | b"T" => Ok(true),
        b"0" | b"f" | b"F" => Ok(false),
        _ if text.eq_ignore_ascii_case(b"true") => Ok(true),
        _ if text.eq_ignore_ascii_case(b"false") => Ok(false),
        _ => Err(Reason::WrongType),
    }
}

/// Appends a UUID in lower case with hyphens; takes it in any case, with hyphens or without any.
pub(crate) fn write_uuid(text: &[u8], out: &mut String) -> Result<(), Reason> {
    let start = out.len();
    let hyphens = text.len() == 36;
    if !hyphens && text.len() != 32 {
        return Err(Reason::WrongType);
    }
    for (i, byte) in text.iter().enumerate() {
        if hyphens && matches!(i, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                out.truncate(start);
                return Err(Reason::WrongType);
            }
            out.push('-');
            continue;
        }
        if !byte.is_ascii_hexdigit() {
            out.truncate(start);
            return Err(Reason::WrongType);
        }
        if !hyphens && matches!(i, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(byte.to_ascii_lowercase() as char);
    }
    Ok(())
}

/// Whether a text is JSON (RFC 8259), nested at most 127 deep.
pub(crate) fn check_json(text: &str) -> Result<(), Reason> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(|_| ()).map_err(|_| Reason::WrongType)
}

/// Bytes from `\x` and hex digits in any case.
pub(crate) fn parse_hex(text: &[u8]) -> Result<Vec<u8>, Reason> {
    let digits = text.strip_prefix(b"\\x").ok_or(Reason::WrongType)?;
    hex::decode(digits).map_err(|_| Reason::WrongType)
}

/// Appends bytes as `\x` and lower-case hex.
pub(crate) fn write_hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(2 + 2 * bytes.len());
    out.push_str("\\x");
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)] as char);
        out.push(DIGITS[usize::from(byte & 15)] as char);
    }
}

/// Appends ASCII that is known to be such.
fn push_ascii(bytes: &[u8], out: &mut String) {
    match str::from_utf8(bytes) {
        Ok(text) => out.push_str(text),
        Err(_) => unreachable!("only digits are pushed"),
    }
}

#[cfg(test)]
mod tests;
