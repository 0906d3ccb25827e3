//! From SQLite's storage classes to Arrow columns. Any column may hold any class, so each value is judged on its own:
//! an exact conversion is made, everything else makes the row a bad one. Nothing is rounded, cut or guessed.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, BooleanBuilder, PrimitiveBuilder, StringArray, StringBuilder};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};

use super::raw::Stored;
use super::types::{Affinity, affinity};
use crate::{Column, ColumnType, Reason, text};

/// A value ready to be put into a column.
pub(super) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Wide(i128),
    Real(f64),
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
}

/// How one column is read.
pub(super) struct Decoder {
    ty: ColumnType,
    as_text: bool,
    /// Whether numbers are taken as their text: only where SQLite itself did not make text of them on their way in.
    loose: bool,
    builder: Builder,
}

impl Decoder {
    /// A decoder for this column.
    pub(super) fn new(column: &Column, as_text: bool) -> Self {
        let loose = affinity(&column.declared) != Affinity::Text;
        Self { ty: column.ty.clone(), as_text, loose, builder: Builder::new(&column.ty) }
    }

    /// Judges one value.
    pub(super) fn cell<'a>(&self, value: Stored<'a>) -> Result<Cell<'a>, Reason> {
        match (value, &self.ty) {
            (Stored::Null, _) => Ok(Cell::Null),
            (Stored::Blob(bytes), ColumnType::Binary | ColumnType::Opaque { .. }) => Ok(Cell::Bytes(bytes)),
            (Stored::Blob(_), _) | (_, ColumnType::Binary | ColumnType::Opaque { .. }) => {
                Err(Reason::WrongType)
            }
            (Stored::Int(value), ty) => from_int(value, ty, self.loose),
            (Stored::Real(value), ty) => from_real(value, ty, self.loose),
            (Stored::Text(bytes), ty) => from_text(bytes, ty),
        }
    }

    /// Appends a judged value; returns about how many bytes it takes.
    pub(super) fn push(&mut self, cell: Cell<'_>) -> usize {
        let size = match &cell {
            Cell::Text(text) => text.len(),
            Cell::Bytes(bytes) => bytes.len(),
            _ => 8,
        };
        self.builder.push(cell);
        size
    }

    /// The column so far; the next batch starts empty.
    pub(super) fn finish(&mut self) -> ArrayRef {
        let array = self.builder.finish();
        if self.as_text {
            Arc::new(text::array_to_text(&array, &self.ty).into_iter().collect::<StringArray>())
        } else {
            array
        }
    }
}

fn from_int<'a>(value: i64, ty: &ColumnType, loose: bool) -> Result<Cell<'a>, Reason> {
    match ty {
        ColumnType::Int64 => Ok(Cell::Int(value)),
        ColumnType::Int16 => i16::try_from(value).map(|_| Cell::Int(value)).map_err(|_| Reason::OutOfRange),
        ColumnType::Int32 => i32::try_from(value).map(|_| Cell::Int(value)).map_err(|_| Reason::OutOfRange),
        ColumnType::Bool if value == 0 || value == 1 => Ok(Cell::Bool(value == 1)),
        ColumnType::Decimal { precision, scale } => {
            text::parse_decimal(value.to_string().as_bytes(), *precision, *scale).map(Cell::Wide)
        }
        ColumnType::Numeric => Ok(Cell::Text(value.to_string().into())),
        ColumnType::Float32 | ColumnType::Float64 => {
            let real = value as f64;
            let narrow = *ty == ColumnType::Float32 && f64::from(real as f32) != real;
            // Compared as wide integers: `real as i64` would hide that the largest one was rounded up.
            if real as i128 != i128::from(value) || narrow {
                Err(Reason::WouldChange)
            } else {
                Ok(Cell::Real(real))
            }
        }
        ColumnType::Text { .. } | ColumnType::Char { .. } | ColumnType::Json | ColumnType::Jsonb if loose => {
            Ok(Cell::Text(value.to_string().into()))
        }
        _ => Err(Reason::WrongType),
    }
}

fn from_real<'a>(value: f64, ty: &ColumnType, loose: bool) -> Result<Cell<'a>, Reason> {
    match ty {
        ColumnType::Float64 => Ok(Cell::Real(value)),
        ColumnType::Float32 if f64::from(value as f32) == value || value.is_nan() => Ok(Cell::Real(value)),
        ColumnType::Float32 => Err(Reason::WouldChange),
        // The shortest text that reads back: 0.99 is what was meant, not the binary fraction next to it.
        ColumnType::Decimal { precision, scale } if value.is_finite() => {
            text::parse_decimal(value.to_string().as_bytes(), *precision, *scale).map(Cell::Wide)
        }
        ColumnType::Decimal { .. } => Err(Reason::OutOfRange),
        ColumnType::Numeric => {
            text::parse_numeric(value.to_string().as_bytes()).map(|t| Cell::Text(t.into_owned().into()))
        }
        // SQLite keeps whole numbers beyond 64 bits as reals, also in an integer column.
        ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 if value.fract() == 0.0 => {
            Err(Reason::OutOfRange)
        }
        ColumnType::Text { .. } | ColumnType::Char { .. } if loose => Ok(real_text(value)),
        ColumnType::Json | ColumnType::Jsonb if loose && value.is_finite() => Ok(real_text(value)),
        _ => Err(Reason::WrongType),
    }
}

fn real_text<'a>(value: f64) -> Cell<'a> {
    let mut out = String::new();
    text::write_f64(value, &mut out);
    // As SQLite shows it: a real without a fraction is still seen to be a real.
    if value.is_finite() && !out.contains(['.', 'e']) {
        out.push_str(".0");
    }
    Cell::Text(out.into())
}

fn from_text<'a>(bytes: &'a [u8], ty: &ColumnType) -> Result<Cell<'a>, Reason> {
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::InvalidEncoding)?;
    match ty {
        ColumnType::Text { .. } | ColumnType::Char { .. } => Ok(Cell::Text(text.into())),
        ColumnType::Bool => text::parse_bool(bytes).map(Cell::Bool),
        ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => {
            text::parse_int(bytes).and_then(|value| from_int(value, ty, false))
        }
        ColumnType::Decimal { precision, scale } => {
            text::parse_decimal(bytes, *precision, *scale).map(Cell::Wide)
        }
        ColumnType::Numeric => text::parse_numeric(bytes).map(Cell::Text),
        ColumnType::Float32 | ColumnType::Float64 => {
            text::parse_f64(bytes).and_then(|value| from_real(value, ty, false))
        }
        ColumnType::Date => text::parse_date(bytes).map(|v| Cell::Int(v.into())),
        ColumnType::Time => text::parse_time(bytes).map(Cell::Int),
        ColumnType::Timestamp => text::parse_timestamp(bytes).map(Cell::Int),
        ColumnType::TimestampTz => text::parse_timestamp_tz(bytes).map(Cell::Int),
        ColumnType::Uuid => {
            let mut out = String::with_capacity(36);
            text::write_uuid(bytes, &mut out).map(|()| Cell::Text(out.into()))
        }
        ColumnType::Json | ColumnType::Jsonb => text::check_json(text).map(|()| Cell::Text(text.into())),
        ColumnType::Binary | ColumnType::Opaque { .. } => Err(Reason::WrongType),
    }
}

/// A value's raw bytes for the quarantine: the bytes themselves, or a number's text.
pub(super) fn raw_bytes(value: Stored<'_>) -> Option<Vec<u8>> {
    match value {
        Stored::Null => None,
        Stored::Int(value) => Some(value.to_string().into_bytes()),
        Stored::Real(value) => {
            let mut out = String::new();
            text::write_f64(value, &mut out);
            Some(out.into_bytes())
        }
        Stored::Text(bytes) | Stored::Blob(bytes) => Some(bytes.to_vec()),
    }
}

enum Builder {
    Bool(BooleanBuilder),
    Int16(PrimitiveBuilder<Int16Type>),
    Int32(PrimitiveBuilder<Int32Type>),
    Int64(PrimitiveBuilder<Int64Type>),
    Decimal(PrimitiveBuilder<Decimal128Type>),
    Float32(PrimitiveBuilder<Float32Type>),
    Float64(PrimitiveBuilder<Float64Type>),
    Date(PrimitiveBuilder<Date32Type>),
    Time(PrimitiveBuilder<Time64MicrosecondType>),
    Timestamp(PrimitiveBuilder<TimestampMicrosecondType>),
    Text(StringBuilder),
    Binary(BinaryBuilder),
}

impl Builder {
    fn new(ty: &ColumnType) -> Self {
        fn typed<T: ArrowPrimitiveType>(ty: &ColumnType) -> PrimitiveBuilder<T> {
            PrimitiveBuilder::new().with_data_type(ty.arrow_type())
        }
        match ty {
            ColumnType::Bool => Self::Bool(BooleanBuilder::new()),
            ColumnType::Int16 => Self::Int16(typed(ty)),
            ColumnType::Int32 => Self::Int32(typed(ty)),
            ColumnType::Int64 => Self::Int64(typed(ty)),
            ColumnType::Decimal { .. } => Self::Decimal(typed(ty)),
            ColumnType::Float32 => Self::Float32(typed(ty)),
            ColumnType::Float64 => Self::Float64(typed(ty)),
            ColumnType::Date => Self::Date(typed(ty)),
            ColumnType::Time => Self::Time(typed(ty)),
            ColumnType::Timestamp | ColumnType::TimestampTz => Self::Timestamp(typed(ty)),
            ColumnType::Binary | ColumnType::Opaque { .. } => Self::Binary(BinaryBuilder::new()),
            ColumnType::Numeric
            | ColumnType::Text { .. }
            | ColumnType::Char { .. }
            | ColumnType::Uuid
            | ColumnType::Json
            | ColumnType::Jsonb => Self::Text(StringBuilder::new()),
        }
    }

    fn push(&mut self, cell: Cell<'_>) {
        match (self, cell) {
            (Self::Bool(b), Cell::Bool(v)) => b.append_value(v),
            // The narrowing casts below were checked by the judgement before.
            (Self::Int16(b), Cell::Int(v)) => b.append_value(v as i16),
            (Self::Int32(b), Cell::Int(v)) => b.append_value(v as i32),
            (Self::Int64(b), Cell::Int(v)) => b.append_value(v),
            (Self::Decimal(b), Cell::Wide(v)) => b.append_value(v),
            (Self::Float32(b), Cell::Real(v)) => b.append_value(v as f32),
            (Self::Float64(b), Cell::Real(v)) => b.append_value(v),
            (Self::Date(b), Cell::Int(v)) => b.append_value(v as i32),
            (Self::Time(b), Cell::Int(v)) => b.append_value(v),
            (Self::Timestamp(b), Cell::Int(v)) => b.append_value(v),
            (Self::Text(b), Cell::Text(v)) => b.append_value(v),
            (Self::Binary(b), Cell::Bytes(v)) => b.append_value(v),
            (builder, Cell::Null) => builder.push_null(),
            _ => unreachable!("a cell was judged by the type its builder was made for"),
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Bool(b) => b.append_null(),
            Self::Int16(b) => b.append_null(),
            Self::Int32(b) => b.append_null(),
            Self::Int64(b) => b.append_null(),
            Self::Decimal(b) => b.append_null(),
            Self::Float32(b) => b.append_null(),
            Self::Float64(b) => b.append_null(),
            Self::Date(b) => b.append_null(),
            Self::Time(b) => b.append_null(),
            Self::Timestamp(b) => b.append_null(),
            Self::Text(b) => b.append_null(),
            Self::Binary(b) => b.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(b) => Arc::new(b.finish()),
            Self::Int16(b) => Arc::new(b.finish()),
            Self::Int32(b) => Arc::new(b.finish()),
            Self::Int64(b) => Arc::new(b.finish()),
            Self::Decimal(b) => Arc::new(b.finish()),
            Self::Float32(b) => Arc::new(b.finish()),
            Self::Float64(b) => Arc::new(b.finish()),
            Self::Date(b) => Arc::new(b.finish()),
            Self::Time(b) => Arc::new(b.finish()),
            Self::Timestamp(b) => Arc::new(b.finish()),
            Self::Text(b) => Arc::new(b.finish()),
            Self::Binary(b) => Arc::new(b.finish()),
        }
    }
}
