//! From Arrow batches to the bytes of `COPY … (FORMAT binary)`. Rows that PostgreSQL cannot hold are told apart here,
//! before they cost a round trip. Not the place that talks to the server.

use arrow::array::{
    Array, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int16Array, Int32Array, Int64Array, RecordBatch, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::DataType;
use bytes::{BufMut, BytesMut};

use super::cells::{EPOCH_DAYS, EPOCH_MICROS};
use super::numeric;
use crate::{ColumnType, Reason};

/// The first and last day (since 2000) that `date` holds.
const DAYS: std::ops::Range<i32> = -2_451_545..2_145_031_949;
/// The same for timestamps, in microseconds since 2000.
const MICROS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;
/// `time` reaches up to and including 24:00.
const TIME_MAX: i64 = 86_400_000_000;

/// A batch does not have the columns that the load was told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch;

/// One column of a batch and how its values are written.
enum Cells<'a> {
    Bool(&'a BooleanArray),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Decimal(&'a Decimal128Array, u8),
    Numeric(&'a StringArray),
    Text(&'a StringArray, u32),
    Jsonb(&'a StringArray),
    Uuid(&'a StringArray),
    Binary(&'a BinaryArray),
    Date(&'a Date32Array),
    Time(&'a Time64MicrosecondArray),
    Timestamp(&'a TimestampMicrosecondArray),
}

/// What a row of a batch became.
pub(super) type Encoded = Result<(), (usize, Reason)>;

/// Writes the rows of one batch.
pub(super) struct Encoder<'a> {
    columns: Vec<(&'a dyn Array, Cells<'a>)>,
}

impl<'a> Encoder<'a> {
    /// Looks at a batch whose columns have these types (`true`: they arrive as text).
    pub(super) fn new(batch: &'a RecordBatch, types: &[(ColumnType, bool)]) -> Result<Self, Mismatch> {
        if batch.num_columns() != types.len() {
            return Err(Mismatch);
        }
        let columns = batch
            .columns()
            .iter()
            .zip(types)
            .map(|(array, (ty, as_text))| {
                let ty = if *as_text { &ColumnType::TEXT } else { ty };
                Ok((array.as_ref(), cells(array.as_ref(), ty)?))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { columns })
    }

    /// Appends one row; on a fault (with the column at fault) nothing.
    pub(super) fn row(&self, row: usize, out: &mut BytesMut) -> Encoded {
        let start = out.len();
        out.put_i16(self.columns.len() as i16);
        for (i, (array, cells)) in self.columns.iter().enumerate() {
            if array.is_null(row) {
                out.put_i32(-1);
            } else if let Err(reason) = cells.put(row, out) {
                out.truncate(start);
                return Err((i, reason));
            }
        }
        Ok(())
    }
}

fn cells<'a>(array: &'a dyn Array, ty: &ColumnType) -> Result<Cells<'a>, Mismatch> {
    if *array.data_type() != ty.arrow_type() {
        return Err(Mismatch);
    }
    Ok(match ty {
        ColumnType::Bool => Cells::Bool(array.as_boolean()),
        ColumnType::Int16 => Cells::Int16(array.as_primitive()),
        ColumnType::Int32 => Cells::Int32(array.as_primitive()),
        ColumnType::Int64 => Cells::Int64(array.as_primitive()),
        ColumnType::Float32 => Cells::Float32(array.as_primitive()),
        ColumnType::Float64 => Cells::Float64(array.as_primitive()),
        ColumnType::Decimal { scale, .. } => Cells::Decimal(array.as_primitive(), scale.unsigned_abs()),
        ColumnType::Numeric => Cells::Numeric(array.as_string()),
        ColumnType::Text { max } => Cells::Text(array.as_string(), max.unwrap_or(u32::MAX)),
        ColumnType::Char { len } => Cells::Text(array.as_string(), *len),
        ColumnType::Json => Cells::Text(array.as_string(), u32::MAX),
        ColumnType::Jsonb => Cells::Jsonb(array.as_string()),
        ColumnType::Uuid => Cells::Uuid(array.as_string()),
        ColumnType::Binary | ColumnType::Opaque { .. } => Cells::Binary(array.as_binary()),
        ColumnType::Date => Cells::Date(array.as_primitive()),
        ColumnType::Time => Cells::Time(array.as_primitive()),
        ColumnType::Timestamp | ColumnType::TimestampTz => {
            debug_assert!(matches!(array.data_type(), DataType::Timestamp(..)));
            Cells::Timestamp(array.as_primitive())
        }
    })
}

fn put_bytes(bytes: &[u8], out: &mut BytesMut) -> Result<(), Reason> {
    // The server takes no field beyond 1 GiB; Arrow's offsets end at twice that.
    out.put_i32(i32::try_from(bytes.len()).map_err(|_| Reason::OutOfRange)?);
    out.put_slice(bytes);
    Ok(())
}

fn check_text(text: &str, max: u32) -> Result<&[u8], Reason> {
    let bytes = text.as_bytes();
    if memchr::memchr(0, bytes).is_some() {
        return Err(Reason::NulByte);
    }
    // The server cuts off blanks that do not fit without a word.
    if bytes.len() > max as usize && text.chars().count() > max as usize {
        return Err(Reason::WouldChange);
    }
    Ok(bytes)
}

impl Cells<'_> {
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<(), Reason> {
        match self {
            Self::Bool(a) => {
                out.put_i32(1);
                out.put_u8(a.value(row).into());
            }
            Self::Int16(a) => {
                out.put_i32(2);
                out.put_i16(a.value(row));
            }
            Self::Int32(a) => {
                out.put_i32(4);
                out.put_i32(a.value(row));
            }
            Self::Int64(a) => put_i64(a.value(row), out),
            Self::Float32(a) => {
                out.put_i32(4);
                out.put_f32(a.value(row));
            }
            Self::Float64(a) => {
                out.put_i32(8);
                out.put_f64(a.value(row));
            }
            Self::Decimal(a, scale) => numeric::put_i128(a.value(row), *scale, out),
            Self::Numeric(a) => numeric::put_text(a.value(row), out)?,
            Self::Text(a, max) => put_bytes(check_text(a.value(row), *max)?, out)?,
            Self::Jsonb(a) => {
                let bytes = check_text(a.value(row), u32::MAX)?;
                out.put_i32(i32::try_from(bytes.len() + 1).map_err(|_| Reason::OutOfRange)?);
                out.put_u8(1);
                out.put_slice(bytes);
            }
            Self::Uuid(a) => {
                let raw = uuid(a.value(row)).ok_or(Reason::WrongType)?;
                out.put_i32(16);
                out.put_slice(&raw);
            }
            Self::Binary(a) => put_bytes(a.value(row), out)?,
            Self::Date(a) => {
                out.put_i32(4);
                out.put_i32(date(a.value(row))?);
            }
            Self::Time(a) => {
                let micros = a.value(row);
                if !(0..=TIME_MAX).contains(&micros) {
                    return Err(Reason::OutOfRange);
                }
                put_i64(micros, out);
            }
            Self::Timestamp(a) => put_i64(timestamp(a.value(row))?, out),
        }
        Ok(())
    }
}

fn put_i64(value: i64, out: &mut BytesMut) {
    out.put_i32(8);
    out.put_i64(value);
}

fn date(days: i32) -> Result<i32, Reason> {
    if matches!(days, i32::MIN | i32::MAX) {
        return Ok(days);
    }
    days.checked_sub(EPOCH_DAYS).filter(|d| DAYS.contains(d)).ok_or(Reason::OutOfRange)
}

fn timestamp(micros: i64) -> Result<i64, Reason> {
    if matches!(micros, i64::MIN | i64::MAX) {
        return Ok(micros);
    }
    micros.checked_sub(EPOCH_MICROS).filter(|m| MICROS.contains(m)).ok_or(Reason::OutOfRange)
}

/// Sixteen bytes from 32 hexadecimal digits, with hyphens where they belong or without.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    let hyphens = match bytes.len() {
        32 => false,
        36 if [8, 13, 18, 23].iter().all(|i| bytes[*i] == b'-') => true,
        _ => return None,
    };
    let mut raw = [0; 16];
    let mut at = 0;
    for (i, byte) in raw.iter_mut().enumerate() {
        if hyphens && matches!(i, 4 | 6 | 8 | 10) {
            at += 1;
        }
        let digit = |b: u8| char::from(b).to_digit(16);
        *byte = (digit(bytes[at])? << 4 | digit(bytes[at + 1])?) as u8;
        at += 2;
    }
    Some(raw)
}
