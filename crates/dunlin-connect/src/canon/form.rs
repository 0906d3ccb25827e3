//! The canonical form of a row: how each value of an Arrow batch is written, and nothing about hashing.

use arrow::array::{
    Array, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int16Array, Int32Array, Int64Array, RecordBatch, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, TimeUnit};

/// Tags of the canonical form. Appending is safe; changing one changes every hash ever written.
pub(crate) mod tag {
    pub(crate) const NULL: u8 = 0;
    pub(crate) const INT: u8 = 1;
    pub(crate) const DECIMAL: u8 = 2;
    pub(crate) const FLOAT32: u8 = 3;
    pub(crate) const FLOAT64: u8 = 4;
    pub(crate) const TEXT: u8 = 5;
    pub(crate) const BINARY: u8 = 6;
    pub(crate) const BOOL: u8 = 7;
    pub(crate) const DATE: u8 = 8;
    pub(crate) const TIME: u8 = 9;
    pub(crate) const TIMESTAMP: u8 = 10;
    pub(crate) const TIMESTAMP_TZ: u8 = 11;
    /// A row that could not be read: its raw fields.
    pub(crate) const RAW: u8 = 255;
}

/// Tag, length and bytes of a value.
pub(crate) fn put(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    // A length over 4 GiB cannot occur: Arrow's Utf8 and Binary arrays index with i32.
    let length = (bytes.len() as u32).to_le_bytes();
    out.extend_from_slice(&[tag, length[0], length[1], length[2], length[3]]);
    out.extend_from_slice(bytes);
}

/// Minimal two's complement, big-endian: the fewest bytes that keep the sign.
pub(crate) fn put_i64(out: &mut Vec<u8>, tag: u8, value: i64) {
    // Bits that differ from the sign, and the sign itself.
    let bits = 65 - (value ^ (value >> 63)).leading_zeros();
    let bytes = bits.div_ceil(8).max(1);
    let at = out.len();
    out.extend_from_slice(&[tag, bytes as u8, 0, 0, 0]);
    out.extend_from_slice(&(value << (64 - 8 * bytes)).to_be_bytes());
    out.truncate(at + 5 + bytes as usize);
}

/// As [`put_i64`] writes it, whatever the width.
pub(crate) fn put_i128(out: &mut Vec<u8>, tag: u8, value: i128) {
    if let Ok(value) = i64::try_from(value) {
        return put_i64(out, tag, value);
    }
    let bits = 129 - (value ^ (value >> 127)).leading_zeros();
    let bytes = bits.div_ceil(8) as usize;
    put(out, tag, &value.to_be_bytes()[16 - bytes..]);
}

/// IEEE bits, with one NaN.
pub(crate) fn put_f32(out: &mut Vec<u8>, value: f32) {
    let bits = if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() };
    put(out, tag::FLOAT32, &bits.to_be_bytes());
}

/// IEEE bits, with one NaN.
pub(crate) fn put_f64(out: &mut Vec<u8>, value: f64) {
    let bits = if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    put(out, tag::FLOAT64, &bits.to_be_bytes());
}

/// One column of a batch, its type known once and not at each value.
enum Values<'a> {
    Bool(&'a BooleanArray),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Decimal(&'a Decimal128Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Text(&'a StringArray),
    Binary(&'a BinaryArray),
    Date(&'a Date32Array),
    Time(&'a Time64MicrosecondArray),
    Timestamp(&'a TimestampMicrosecondArray, u8),
}

/// Writes rows of one batch, or some columns of them.
pub(super) struct Rows<'a> {
    columns: Vec<(Option<&'a NullBuffer>, Values<'a>)>,
}

impl<'a> Rows<'a> {
    /// Looks at all columns of a batch, in their order.
    pub(super) fn all(batch: &'a RecordBatch) -> Self {
        Self { columns: batch.columns().iter().map(|c| column(c.as_ref())).collect() }
    }

    /// Looks at some columns of a batch.
    pub(super) fn some(batch: &'a RecordBatch, columns: &[usize]) -> Self {
        Self { columns: columns.iter().map(|c| column(batch.column(*c).as_ref())).collect() }
    }

    /// Appends the canonical form of a row.
    pub(super) fn put(&self, row: usize, out: &mut Vec<u8>) {
        for (nulls, values) in &self.columns {
            if nulls.is_some_and(|n| n.is_null(row)) {
                out.push(tag::NULL);
            } else {
                values.put(row, out);
            }
        }
    }
}

fn column(array: &dyn Array) -> (Option<&NullBuffer>, Values<'_>) {
    let values = match array.data_type() {
        DataType::Boolean => Values::Bool(array.as_boolean()),
        DataType::Int16 => Values::Int16(array.as_primitive()),
        DataType::Int32 => Values::Int32(array.as_primitive()),
        DataType::Int64 => Values::Int64(array.as_primitive()),
        DataType::Decimal128(_, _) => Values::Decimal(array.as_primitive()),
        DataType::Float32 => Values::Float32(array.as_primitive()),
        DataType::Float64 => Values::Float64(array.as_primitive()),
        DataType::Utf8 => Values::Text(array.as_string()),
        DataType::Binary => Values::Binary(array.as_binary()),
        DataType::Date32 => Values::Date(array.as_primitive()),
        DataType::Time64(TimeUnit::Microsecond) => Values::Time(array.as_primitive()),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let tag = if zone.is_some() { tag::TIMESTAMP_TZ } else { tag::TIMESTAMP };
            Values::Timestamp(array.as_primitive(), tag)
        }
        // Batches are made by `ColumnType::arrow_type`, which knows no other type.
        other => unreachable!("a column type never travels as {other}"),
    };
    (array.nulls(), values)
}

impl Values<'_> {
    fn put(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Bool(a) => put(out, tag::BOOL, &[u8::from(a.value(row))]),
            Self::Int16(a) => put_i64(out, tag::INT, a.value(row).into()),
            Self::Int32(a) => put_i64(out, tag::INT, a.value(row).into()),
            Self::Int64(a) => put_i64(out, tag::INT, a.value(row)),
            Self::Decimal(a) => put_i128(out, tag::DECIMAL, a.value(row)),
            Self::Float32(a) => put_f32(out, a.value(row)),
            Self::Float64(a) => put_f64(out, a.value(row)),
            Self::Text(a) => put(out, tag::TEXT, a.value(row).as_bytes()),
            Self::Binary(a) => put(out, tag::BINARY, a.value(row)),
            Self::Date(a) => put_i64(out, tag::DATE, a.value(row).into()),
            Self::Time(a) => put_i64(out, tag::TIME, a.value(row)),
            Self::Timestamp(a, tag) => put_i64(out, *tag, a.value(row)),
        }
    }
}
