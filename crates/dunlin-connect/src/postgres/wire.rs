//! Rows that nothing changes on their way: kept as the bytes of `COPY … (FORMAT binary)`, told apart and hashed.
//!
//! The canonical form of each value is written straight from its binary form, which is what [`super::decode`] and
//! [`crate::canon`] give by way of Arrow, at half the cost; a test holds the two against each other. What is broken there
//! is a fault here too, with the same reason. A row with a value that Arrow's types cannot hold (NaN in a `numeric(p, s)`,
//! timestamps after the year 294246) is none here: nobody has to decode it. It is hashed by its bytes, which is how the
//! other way hashes the rows that it could not read, so that a source has one hash on both.

use arrow::array::BinaryArray;
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use super::cells::{date, fixed, text, timestamp, uuid};
use super::decode::{Address, BATCH_BYTES_MAX, Decoder, bad_row};
use super::framing::{Broken, Cut, Decoding, SIGNATURE, Sink};
use super::numeric;
use crate::canon::{Messages, RowHash, form};
use crate::store::{ReadBatch, ReadRequest, Unwired, WireBatch, WireRequest};
use crate::{BadRow, ColumnType, Reason, array_to_text};

/// Turns the stream into batches of rows in their own bytes.
pub(super) type WireDecoder = Decoding<Rows>;

impl WireDecoder {
    /// A decoder of columns that arrive in the binary form of these types.
    pub(super) fn new(types: &[ColumnType], request: &WireRequest, address: Address) -> Self {
        let mut named = vec![false; types.len()];
        request.name.iter().for_each(|column| named[*column] = true);
        let fields = types.len() + address.columns();
        let rows = Rows {
            forms: types.iter().map(Form::of).collect(),
            order: request.name.clone(),
            named,
            whole: Messages::new(&request.key),
            names: Messages::new(&request.key),
            // Bytes that begin with an address are those of no row.
            keep: request.keep && address == Address::Ordinal,
            batch_rows: request.read.batch_rows.max(1),
            parts: vec![(0, 0); types.len()],
            scratch: String::new(),
            values: Vec::new(),
            ends: vec![0],
            positions: Vec::new(),
            bad: Vec::new(),
            bytes: 0,
            seen: 0,
            address,
        };
        Self::over(fields, rows)
    }
}

/// The rows of a batch while they arrive.
pub(super) struct Rows {
    forms: Vec<Form>,
    /// The columns that name a row, in the order of the name.
    order: Vec<usize>,
    named: Vec<bool>,
    whole: Messages,
    names: Messages,
    keep: bool,
    batch_rows: usize,
    /// Where the canonical form of each naming column lies in the row at hand: scratch.
    parts: Vec<(usize, usize)>,
    scratch: String,
    values: Vec<u8>,
    ends: Vec<i32>,
    positions: Vec<u64>,
    bad: Vec<BadRow>,
    bytes: usize,
    seen: u64,
    address: Address,
}

impl Sink for Rows {
    type Batch = WireBatch;

    fn is_full(&self) -> bool {
        self.positions.len() >= self.batch_rows || self.bytes >= BATCH_BYTES_MAX
    }

    fn is_empty(&self) -> bool {
        self.positions.is_empty() && self.bad.is_empty()
    }

    fn row(&mut self, data: &[u8], cuts: &[Cut]) -> Result<(), Broken> {
        self.seen += 1;
        self.bytes += data.len();
        let position = self.address.position(data, cuts, self.seen)?;
        let cuts = &cuts[self.address.columns()..];
        let mut beyond = false;
        let out = self.whole.begin();
        for (i, (form, cut)) in self.forms.iter().zip(cuts).enumerate() {
            let start = out.len();
            let written = match cut {
                None => {
                    out.push(form::tag::NULL);
                    Ok(false)
                }
                Some((from, to)) => form.put(&data[*from..*to], out, &mut self.scratch),
            };
            match written {
                Ok(not_in_arrow) => beyond |= not_in_arrow,
                Err(reason) => {
                    self.whole.forget();
                    self.bad.push(bad_row(data, cuts, position, i, reason));
                    return Ok(());
                }
            }
            if self.named[i] {
                self.parts[i] = (start, out.len());
            }
        }
        if !self.order.is_empty() {
            let name = self.names.begin();
            for column in &self.order {
                let (start, end) = self.parts[*column];
                name.extend_from_slice(&self.whole.written()[start..end]);
            }
            self.names.end();
        }
        if beyond {
            self.whole.forget();
            put_raw(data, cuts, self.whole.begin());
        }
        self.whole.end();
        self.positions.push(position);
        if self.keep {
            self.values.extend_from_slice(data);
            // A batch ends at `BATCH_BYTES_MAX` and a row has at most 1 GiB, PostgreSQL's own limit.
            self.ends.push(self.values.len() as i32);
        }
        Ok(())
    }

    fn take(&mut self) -> Result<WireBatch, Broken> {
        let hashes = self.whole.take();
        let names = match self.order.is_empty() {
            true => hashes.iter().map(|h| h.short()).collect(),
            false => self.names.take().into_iter().map(RowHash::short).collect(),
        };
        let capacity = self.values.len() + self.values.len() / 16;
        let values = std::mem::replace(&mut self.values, Vec::with_capacity(capacity));
        let ends = std::mem::replace(&mut self.ends, vec![0]);
        let rows =
            BinaryArray::new(OffsetBuffer::new(ScalarBuffer::from(ends)), Buffer::from_vec(values), None);
        self.bytes = 0;
        let positions = std::mem::take(&mut self.positions);
        Ok(WireBatch { rows, hashes, names, positions, bad: std::mem::take(&mut self.bad) })
    }
}

/// The form of a row by its bytes, as [`crate::canon::hash_raw`] has it.
fn put_raw(data: &[u8], cuts: &[Cut], out: &mut Vec<u8>) {
    out.push(form::tag::RAW);
    for cut in cuts {
        match cut {
            None => out.push(form::tag::NULL),
            Some((from, to)) => form::put(out, form::tag::RAW, &data[*from..*to]),
        }
    }
}

/// How a value's binary form becomes its canonical one.
enum Form {
    Bool,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Decimal { scale: u8, limit: i128 },
    Numeric,
    Text,
    Jsonb,
    Uuid,
    Binary,
    Date,
    Time,
    Timestamp(u8),
}

impl Form {
    fn of(ty: &ColumnType) -> Self {
        match ty {
            ColumnType::Bool => Self::Bool,
            ColumnType::Int16 => Self::Int16,
            ColumnType::Int32 => Self::Int32,
            ColumnType::Int64 => Self::Int64,
            ColumnType::Float32 => Self::Float32,
            ColumnType::Float64 => Self::Float64,
            ColumnType::Decimal { precision, scale } => Self::Decimal {
                scale: scale.unsigned_abs(),
                limit: numeric::power(u32::from(*precision).min(38)),
            },
            ColumnType::Numeric => Self::Numeric,
            ColumnType::Text { .. } | ColumnType::Char { .. } | ColumnType::Json => Self::Text,
            ColumnType::Jsonb => Self::Jsonb,
            ColumnType::Uuid => Self::Uuid,
            ColumnType::Binary | ColumnType::Opaque { .. } => Self::Binary,
            ColumnType::Date => Self::Date,
            ColumnType::Time => Self::Time,
            ColumnType::Timestamp => Self::Timestamp(form::tag::TIMESTAMP),
            ColumnType::TimestampTz => Self::Timestamp(form::tag::TIMESTAMP_TZ),
        }
    }

    /// Appends the canonical form; on error anything. True for a value that Arrow's type cannot hold, whose form here
    /// is only good for telling it from others.
    fn put(&self, bytes: &[u8], out: &mut Vec<u8>, scratch: &mut String) -> Result<bool, Reason> {
        use form::{put, put_f32, put_f64, put_i64, put_i128, tag};
        match self {
            Self::Bool => put(out, tag::BOOL, &[u8::from(fixed::<1>(bytes)?[0] != 0)]),
            Self::Int16 => put_i64(out, tag::INT, i16::from_be_bytes(fixed(bytes)?).into()),
            Self::Int32 => put_i64(out, tag::INT, i32::from_be_bytes(fixed(bytes)?).into()),
            Self::Int64 => put_i64(out, tag::INT, i64::from_be_bytes(fixed(bytes)?)),
            Self::Float32 => put_f32(out, f32::from_be_bytes(fixed(bytes)?)),
            Self::Float64 => put_f64(out, f64::from_be_bytes(fixed(bytes)?)),
            Self::Decimal { scale, limit } => match numeric::to_i128(bytes, *scale, *limit) {
                Ok(value) => put_i128(out, tag::DECIMAL, value),
                // NaN is no decimal of Arrow's.
                Err(Reason::OutOfRange) => {
                    scratch.clear();
                    numeric::to_text(bytes, scratch)?;
                    if scratch != "NaN" {
                        return Err(Reason::OutOfRange);
                    }
                    put(out, tag::TEXT, scratch.as_bytes());
                    return Ok(true);
                }
                Err(reason) => return Err(reason),
            },
            Self::Numeric => {
                scratch.clear();
                numeric::to_text(bytes, scratch)?;
                put(out, tag::TEXT, scratch.as_bytes());
            }
            Self::Text => put(out, tag::TEXT, utf8(bytes)?),
            Self::Jsonb => match bytes.split_first() {
                Some((1, rest)) => put(out, tag::TEXT, utf8(rest)?),
                _ => return Err(Reason::Malformed),
            },
            Self::Uuid => put(out, tag::TEXT, &uuid(bytes)?),
            Self::Binary => put(out, tag::BINARY, bytes),
            Self::Date => put_i64(out, tag::DATE, date(bytes)?.into()),
            Self::Time => put_i64(out, tag::TIME, i64::from_be_bytes(fixed(bytes)?)),
            Self::Timestamp(tag) => match timestamp(bytes) {
                Ok(micros) => put_i64(out, *tag, micros),
                // The last three centuries that PostgreSQL knows lie beyond Arrow's microseconds.
                Err(Reason::OutOfRange) => {
                    put(out, tag::BINARY, bytes);
                    return Ok(true);
                }
                Err(reason) => return Err(reason),
            },
        }
        Ok(false)
    }
}

/// Bytes that are UTF-8. Most values are short and ASCII, which is told faster than the whole.
fn utf8(bytes: &[u8]) -> Result<&[u8], Reason> {
    if bytes.is_ascii() { Ok(bytes) } else { Ok(text(bytes)?.as_bytes()) }
}

/// One such row as text, for the few that have to be looked at after all.
pub(super) fn as_text(request: &ReadRequest, types: &[ColumnType], row: &[u8]) -> Result<Unwired, Broken> {
    let mut whole = decode_row(request, types, row)?;
    if whole.rows.num_rows() == 1 {
        let columns = whole.rows.columns().iter().zip(types);
        let fields = columns.map(|(array, ty)| array_to_text(array, ty).pop().flatten()).collect();
        return Ok(Unwired { fields, exact: true });
    }
    // Value by value: only some of them are more than Arrow can hold.
    let bad = whole.bad.pop().ok_or(Broken)?;
    let mut fields = Vec::with_capacity(types.len());
    for (i, (ty, bytes)) in types.iter().zip(&bad.fields).enumerate() {
        let one = ReadRequest { columns: vec![request.columns[i].clone()], ..request.clone() };
        let alone = decode_row(&one, std::slice::from_ref(ty), &row_of(std::slice::from_ref(bytes)))?;
        fields.push(match (alone.rows.num_rows(), bytes) {
            (1, _) => array_to_text(alone.rows.column(0), ty).pop().flatten(),
            (_, Some(bytes)) => Some(beyond(ty, bytes)),
            (_, None) => None,
        });
    }
    Ok(Unwired { fields, exact: false })
}

pub(super) fn decode_row(
    request: &ReadRequest,
    types: &[ColumnType],
    row: &[u8],
) -> Result<ReadBatch, Broken> {
    let plain: Vec<_> = types.iter().map(|ty| (ty.clone(), false)).collect();
    let mut decoder = Decoder::new(request.schema(), &plain, Address::Ordinal, 1);
    let stream = [SIGNATURE, &[0; 8], row].concat();
    decoder.push(&stream)?;
    decoder.take()
}

/// A value that Arrow's type cannot hold: in words where it has any, else as its bytes.
fn beyond(ty: &ColumnType, bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    if matches!(ty, ColumnType::Decimal { .. }) && numeric::to_text(bytes, &mut text).is_ok() {
        return text;
    }
    text.clear();
    text.push_str("\\x");
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A row from its fields, as a binary COPY has it.
pub(super) fn row_of(fields: &[Option<Vec<u8>>]) -> Vec<u8> {
    // A table has at most 1600 columns, and a value at most 1 GiB.
    let mut row = (fields.len() as i16).to_be_bytes().to_vec();
    for field in fields {
        match field {
            None => row.extend_from_slice(&(-1i32).to_be_bytes()),
            Some(bytes) => {
                row.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
                row.extend_from_slice(bytes);
            }
        }
    }
    row
}
