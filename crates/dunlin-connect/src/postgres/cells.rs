//! One column on its way into Arrow: single binary values of PostgreSQL, each in the type dunlin carries it in.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int16Builder, Int32Builder, Int64Builder, StringBuilder, Time64MicrosecondBuilder,
    TimestampMicrosecondBuilder,
};

use super::numeric;
use crate::{ColumnType, Reason};

/// Days from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
pub(super) const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
pub(super) const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// One column on its way into Arrow.
pub(super) enum Cells {
    Bool(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal { builder: Decimal128Builder, scale: u8, limit: i128 },
    Numeric { builder: StringBuilder, scratch: String },
    Text(StringBuilder),
    Jsonb(StringBuilder),
    Uuid(StringBuilder),
    Binary(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
}

/// A value of so many bytes.
pub(super) fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Reason> {
    bytes.try_into().map_err(|_| Reason::Malformed)
}

/// UTF-8, checked: a server with another encoding may send anything.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(bytes).map_err(|_| Reason::InvalidEncoding)
}

/// Days since 1970; the infinities are the same numbers on both sides.
pub(super) fn date(bytes: &[u8]) -> Result<i32, Reason> {
    match i32::from_be_bytes(fixed(bytes)?) {
        edge @ (i32::MIN | i32::MAX) => Ok(edge),
        days => days.checked_add(EPOCH_DAYS).filter(|d| *d != i32::MAX).ok_or(Reason::OutOfRange),
    }
}

/// Microseconds since 1970; the last three centuries PostgreSQL knows do not fit.
pub(super) fn timestamp(bytes: &[u8]) -> Result<i64, Reason> {
    match i64::from_be_bytes(fixed(bytes)?) {
        edge @ (i64::MIN | i64::MAX) => Ok(edge),
        micros => micros.checked_add(EPOCH_MICROS).filter(|m| *m != i64::MAX).ok_or(Reason::OutOfRange),
    }
}

/// The usual 36 characters.
pub(super) fn uuid(bytes: &[u8]) -> Result<[u8; 36], Reason> {
    let raw: [u8; 16] = fixed(bytes)?;
    let mut out = [b'-'; 36];
    let mut at = 0;
    for (i, byte) in raw.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            at += 1;
        }
        out[at] = b"0123456789abcdef"[usize::from(byte >> 4)];
        out[at + 1] = b"0123456789abcdef"[usize::from(byte & 15)];
        at += 2;
    }
    Ok(out)
}

impl Cells {
    /// An empty column of a type.
    pub(super) fn new(ty: &ColumnType, as_text: bool, rows: usize) -> Self {
        let string = || StringBuilder::with_capacity(rows, rows * 16);
        if as_text {
            return Self::Text(string());
        }
        match ty {
            ColumnType::Bool => Self::Bool(BooleanBuilder::with_capacity(rows)),
            ColumnType::Int16 => Self::Int16(Int16Builder::with_capacity(rows)),
            ColumnType::Int32 => Self::Int32(Int32Builder::with_capacity(rows)),
            ColumnType::Int64 => Self::Int64(Int64Builder::with_capacity(rows)),
            ColumnType::Float32 => Self::Float32(Float32Builder::with_capacity(rows)),
            ColumnType::Float64 => Self::Float64(Float64Builder::with_capacity(rows)),
            ColumnType::Decimal { precision, scale } => Self::Decimal {
                builder: Decimal128Builder::with_capacity(rows).with_data_type(ty.arrow_type()),
                scale: scale.unsigned_abs(),
                limit: numeric::power(u32::from(*precision).min(38)),
            },
            ColumnType::Numeric => Self::Numeric { builder: string(), scratch: String::new() },
            ColumnType::Text { .. } | ColumnType::Char { .. } | ColumnType::Json => Self::Text(string()),
            ColumnType::Jsonb => Self::Jsonb(string()),
            ColumnType::Uuid => Self::Uuid(StringBuilder::with_capacity(rows, rows * 36)),
            ColumnType::Binary | ColumnType::Opaque { .. } => {
                Self::Binary(BinaryBuilder::with_capacity(rows, rows * 16))
            }
            ColumnType::Date => Self::Date(Date32Builder::with_capacity(rows)),
            ColumnType::Time => Self::Time(Time64MicrosecondBuilder::with_capacity(rows)),
            ColumnType::Timestamp | ColumnType::TimestampTz => Self::Timestamp(
                TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(ty.arrow_type()),
            ),
        }
    }

    /// Appends a value; on error nothing.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Reason> {
        match self {
            Self::Bool(b) => b.append_value(fixed::<1>(bytes)?[0] != 0),
            Self::Int16(b) => b.append_value(i16::from_be_bytes(fixed(bytes)?)),
            Self::Int32(b) => b.append_value(i32::from_be_bytes(fixed(bytes)?)),
            Self::Int64(b) => b.append_value(i64::from_be_bytes(fixed(bytes)?)),
            Self::Float32(b) => b.append_value(f32::from_be_bytes(fixed(bytes)?)),
            Self::Float64(b) => b.append_value(f64::from_be_bytes(fixed(bytes)?)),
            Self::Decimal { builder, scale, limit } => {
                builder.append_value(numeric::to_i128(bytes, *scale, *limit)?);
            }
            Self::Numeric { builder, scratch } => {
                scratch.clear();
                numeric::to_text(bytes, scratch)?;
                builder.append_value(&*scratch);
            }
            Self::Text(b) => b.append_value(text(bytes)?),
            Self::Jsonb(b) => match bytes.split_first() {
                Some((1, rest)) => b.append_value(text(rest)?),
                _ => return Err(Reason::Malformed),
            },
            Self::Uuid(b) => b.append_value(text(&uuid(bytes)?)?),
            Self::Binary(b) => b.append_value(bytes),
            Self::Date(b) => b.append_value(date(bytes)?),
            Self::Time(b) => b.append_value(i64::from_be_bytes(fixed(bytes)?)),
            Self::Timestamp(b) => b.append_value(timestamp(bytes)?),
        }
        Ok(())
    }

    pub(super) fn put_null(&mut self) {
        match self {
            Self::Bool(b) => b.append_null(),
            Self::Int16(b) => b.append_null(),
            Self::Int32(b) => b.append_null(),
            Self::Int64(b) => b.append_null(),
            Self::Float32(b) => b.append_null(),
            Self::Float64(b) => b.append_null(),
            Self::Decimal { builder, .. } => builder.append_null(),
            Self::Numeric { builder, .. } => builder.append_null(),
            Self::Text(b) | Self::Jsonb(b) | Self::Uuid(b) => b.append_null(),
            Self::Binary(b) => b.append_null(),
            Self::Date(b) => b.append_null(),
            Self::Time(b) => b.append_null(),
            Self::Timestamp(b) => b.append_null(),
        }
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(b) => Arc::new(b.finish()),
            Self::Int16(b) => Arc::new(b.finish()),
            Self::Int32(b) => Arc::new(b.finish()),
            Self::Int64(b) => Arc::new(b.finish()),
            Self::Float32(b) => Arc::new(b.finish()),
            Self::Float64(b) => Arc::new(b.finish()),
            Self::Decimal { builder, .. } => Arc::new(builder.finish()),
            Self::Numeric { builder, .. } => Arc::new(builder.finish()),
            Self::Text(b) | Self::Jsonb(b) | Self::Uuid(b) => Arc::new(b.finish()),
            Self::Binary(b) => Arc::new(b.finish()),
            Self::Date(b) => Arc::new(b.finish()),
            Self::Time(b) => Arc::new(b.finish()),
            Self::Timestamp(b) => Arc::new(b.finish()),
        }
    }
}
