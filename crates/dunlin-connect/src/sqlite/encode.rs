//! From Arrow columns to what SQLite stores, such that reading gives the same value back. An affinity may turn a text
//! into a number or a decimal into a double; where that would change the value the row is refused instead.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type};

use super::raw::Bind;
use super::types::{Affinity, affinity};
use crate::{Column, ColumnType, Reason, text};

/// The most digits that a double always keeps.
const DOUBLE_DIGITS: u32 = 15;
/// The largest power of ten that is a double exactly.
const DOUBLE_SCALE: u8 = 22;

/// A value ready to be bound: borrowed from its array, or written into the row's scratch text.
pub(super) enum Slot<'a> {
    Ready(Bind<'a>),
    Scratch(Range<usize>),
}

impl<'a> Slot<'a> {
    /// The parameter, once the row's scratch text is complete.
    pub(super) fn bind(&self, scratch: &'a str) -> Bind<'a> {
        match self {
            Self::Ready(bind) => *bind,
            Self::Scratch(range) => Bind::Text(&scratch[range.clone()]),
        }
    }
}

/// How one column is written.
pub(super) struct Encoder {
    pub(super) name: String,
    ty: ColumnType,
    affinity: Affinity,
    as_text: bool,
    /// `INTEGER PRIMARY KEY` makes up a number for NULL: that would be another row.
    is_rowid: bool,
}

impl Encoder {
    /// An encoder for this column of the target.
    pub(super) fn new(column: &Column, as_text: bool, is_rowid: bool) -> Self {
        Self {
            name: column.name.clone(),
            ty: column.ty.clone(),
            affinity: affinity(&column.declared),
            as_text,
            is_rowid,
        }
    }

    /// Columns that arrive as text are read as the column's type first; SQLite itself would store any text anywhere.
    /// The second part names the rows that are not of the type.
    pub(super) fn prepare(&self, array: &ArrayRef) -> (ArrayRef, Vec<(usize, Reason)>) {
        if !self.as_text || array.data_type() != &DataType::Utf8 || self.is_text() {
            return (array.clone(), Vec::new());
        }
        let texts: Vec<Option<&str>> = array.as_string::<i32>().iter().collect();
        text::text_to_array(&texts, &self.ty)
    }

    fn is_text(&self) -> bool {
        matches!(self.ty, ColumnType::Text { .. } | ColumnType::Char { .. })
    }

    /// What is stored for one value.
    pub(super) fn slot<'a>(
        &self,
        array: &'a dyn Array,
        row: usize,
        scratch: &mut String,
    ) -> Result<Slot<'a>, Reason> {
        if array.is_null(row) {
            return if self.is_rowid { Err(Reason::NotNull) } else { Ok(Slot::Ready(Bind::Null)) };
        }
        Ok(Slot::Ready(match array.data_type() {
            DataType::Boolean => Bind::Int(array.as_boolean().value(row).into()),
            DataType::Int16 => Bind::Int(array.as_primitive::<Int16Type>().value(row).into()),
            DataType::Int32 => Bind::Int(array.as_primitive::<Int32Type>().value(row).into()),
            DataType::Int64 => Bind::Int(array.as_primitive::<Int64Type>().value(row)),
            DataType::Float32 => real(array.as_primitive::<Float32Type>().value(row).into())?,
            DataType::Float64 => real(array.as_primitive::<Float64Type>().value(row))?,
            DataType::Binary => Bind::Blob(array.as_binary::<i32>().value(row)),
            DataType::Utf8 => {
                let value = array.as_string::<i32>().value(row);
                self.check_text(value)?;
                Bind::Text(value)
            }
            DataType::Decimal128(_, scale) if self.is_bent() => {
                decimal(array.as_primitive::<Decimal128Type>().value(row), *scale)?
            }
            _ => {
                let start = scratch.len();
                text::write_value(array, row, scratch);
                return Ok(Slot::Scratch(start..scratch.len()));
            }
        }))
    }

    /// Whether SQLite makes numbers of texts that look like one.
    fn is_bent(&self) -> bool {
        !matches!(self.affinity, Affinity::Text | Affinity::Blob)
    }

    fn check_text(&self, value: &str) -> Result<(), Reason> {
        if !self.is_bent() {
            return Ok(());
        }
        match read_back(value, self.ty == ColumnType::Numeric) {
            Some(read) if read != value => Err(Reason::WouldChange),
            _ => Ok(()),
        }
    }
}

/// What reading gives for a text that SQLite turned into a number; `None` where it leaves the text alone.
fn read_back(value: &str, numeric: bool) -> Option<String> {
    let trimmed = value.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let first = trimmed.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    if let Ok(whole) = text::parse_int(trimmed.as_bytes()) {
        return Some(whole.to_string());
    }
    let number: f64 = trimmed.parse().ok().filter(|n: &f64| n.is_finite())?;
    if number.fract() == 0.0 && number.abs() < 9.0e18 {
        return Some((number as i64).to_string());
    }
    if numeric {
        return Some(number.to_string());
    }
    let mut out = String::new();
    text::write_f64(number, &mut out);
    Some(out)
}

/// SQLite stores NaN as NULL, so it travels as text, which a REAL column leaves alone. Minus zero loses its sign.
fn real<'a>(value: f64) -> Result<Bind<'a>, Reason> {
    if value.is_nan() {
        return Ok(Bind::Text("NaN"));
    }
    if value == 0.0 && value.is_sign_negative() {
        return Err(Reason::WouldChange);
    }
    Ok(Bind::Real(value))
}

/// A decimal for a column whose affinity makes a number of it: only where the double next to it reads back the same.
fn decimal<'a>(value: i128, scale: i8) -> Result<Bind<'a>, Reason> {
    let places = scale.max(0).unsigned_abs();
    if value.unsigned_abs() < 10u128.pow(DOUBLE_DIGITS) && places <= DOUBLE_SCALE {
        // Both sides are exact, so the quotient is the double nearest to the decimal.
        return Ok(Bind::Real(value as f64 / 10f64.powi(places.into())));
    }
    let power = 10i128.pow(places.into());
    if value % power == 0
        && let Ok(whole) = i64::try_from(value / power)
    {
        return Ok(Bind::Int(whole));
    }
    let near = value as f64 / power as f64;
    match text::parse_decimal(near.to_string().as_bytes(), 38, scale) {
        Ok(back) if back == value => Ok(Bind::Real(near)),
        _ => Err(Reason::WouldChange),
    }
}
