//! From the byte stream of `COPY … (FORMAT binary)` to Arrow batches. Incremental: a row may arrive in any pieces.
//! Not the place that talks to the server.

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanArray, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int16Builder, Int32Builder, Int64Builder, RecordBatch, RecordBatchOptions, StringBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;

use super::numeric;
use crate::{BadRow, ColumnType, ReadBatch, Reason};

/// What every binary COPY starts with.
pub(super) const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Days from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
pub(super) const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
pub(super) const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// A batch ends early at this size, so that wide rows do not pile up.
const BATCH_BYTES_MAX: usize = 32 << 20;

/// The stream is not what the server promised. It carries nothing, because the bytes are customer data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// What stands before the columns of each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// Nothing: rows are numbered from 1.
    Ordinal,
    /// The row's `ctid`.
    Ctid,
    /// `tableoid` and `ctid`; the partitions in the order that numbers them.
    Partition(Vec<u32>),
}

impl Address {
    fn columns(&self) -> usize {
        match self {
            Self::Ordinal => 0,
            Self::Ctid => 1,
            Self::Partition(_) => 2,
        }
    }
}

/// One column on its way into Arrow.
enum Cells {
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

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Reason> {
    bytes.try_into().map_err(|_| Reason::Malformed)
}

fn text(bytes: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(bytes).map_err(|_| Reason::InvalidEncoding)
}

/// Days since 1970; the infinities are the same numbers on both sides.
fn date(bytes: &[u8]) -> Result<i32, Reason> {
    match i32::from_be_bytes(fixed(bytes)?) {
        edge @ (i32::MIN | i32::MAX) => Ok(edge),
        days => days.checked_add(EPOCH_DAYS).filter(|d| *d != i32::MAX).ok_or(Reason::OutOfRange),
    }
}

/// Microseconds since 1970; the last three centuries PostgreSQL knows do not fit.
fn timestamp(bytes: &[u8]) -> Result<i64, Reason> {
    match i64::from_be_bytes(fixed(bytes)?) {
        edge @ (i64::MIN | i64::MAX) => Ok(edge),
        micros => micros.checked_add(EPOCH_MICROS).filter(|m| *m != i64::MAX).ok_or(Reason::OutOfRange),
    }
}

fn put_uuid(bytes: &[u8], builder: &mut StringBuilder) -> Result<(), Reason> {
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
    builder.append_value(text(&out)?);
    Ok(())
}

impl Cells {
    fn new(ty: &ColumnType, as_text: bool, rows: usize) -> Self {
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
    fn put(&mut self, bytes: &[u8]) -> Result<(), Reason> {
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
            Self::Uuid(b) => put_uuid(bytes, b)?,
            Self::Binary(b) => b.append_value(bytes),
            Self::Date(b) => b.append_value(date(bytes)?),
            Self::Time(b) => b.append_value(i64::from_be_bytes(fixed(bytes)?)),
            Self::Timestamp(b) => b.append_value(timestamp(bytes)?),
        }
        Ok(())
    }

    fn put_null(&mut self) {
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

    fn finish(&mut self) -> ArrayRef {
        use std::sync::Arc;
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

/// Where a field lies in the row at hand; `None` is NULL.
type Cut = Option<(usize, usize)>;

/// Turns the stream into batches.
pub(super) struct Decoder {
    schema: SchemaRef,
    cells: Vec<Cells>,
    address: Address,
    batch_rows: usize,
    /// What arrived and does not make a whole row yet.
    carry: Vec<u8>,
    cuts: Vec<Cut>,
    started: bool,
    finished: bool,
    rows: usize,
    bytes: usize,
    seen: u64,
    positions: Vec<u64>,
    /// Rows of the batch at hand that could not be read, by their place in the builders.
    bad: Vec<(usize, BadRow)>,
}

impl Decoder {
    /// A decoder of columns that arrive as these types (`true`: as text).
    pub(super) fn new(
        schema: SchemaRef,
        columns: &[(ColumnType, bool)],
        address: Address,
        batch_rows: usize,
    ) -> Self {
        let cells =
            columns.iter().map(|(ty, as_text)| Cells::new(ty, *as_text, batch_rows.min(8_192))).collect();
        let cuts = vec![None; columns.len() + address.columns()];
        Self {
            schema,
            cells,
            address,
            batch_rows: batch_rows.max(1),
            carry: Vec::new(),
            cuts,
            started: false,
            finished: false,
            rows: 0,
            bytes: 0,
            seen: 0,
            positions: Vec::new(),
            bad: Vec::new(),
        }
    }

    /// Takes bytes in. Stops decoding when the batch is full; the rest waits for [`Decoder::resume`].
    pub(super) fn push(&mut self, data: &[u8]) -> Result<(), Broken> {
        if self.carry.is_empty() {
            let used = self.decode(data)?;
            self.carry.extend_from_slice(&data[used..]);
            return Ok(());
        }
        self.carry.extend_from_slice(data);
        self.resume()
    }

    /// Goes on with bytes that were left when a batch was full.
    pub(super) fn resume(&mut self) -> Result<(), Broken> {
        let carry = std::mem::take(&mut self.carry);
        let used = self.decode(&carry)?;
        self.carry = carry;
        self.carry.drain(..used);
        Ok(())
    }

    /// Whether a batch should be taken now.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= self.batch_rows || self.bytes >= BATCH_BYTES_MAX
    }

    /// Whether nothing waits to be taken.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Whether the stream ended as it should.
    pub(super) fn is_finished(&self) -> bool {
        self.finished && self.carry.is_empty()
    }

    fn decode(&mut self, data: &[u8]) -> Result<usize, Broken> {
        let mut at = 0;
        if !self.started {
            match header(data)? {
                None => return Ok(0),
                Some(length) => at = length,
            }
            self.started = true;
        }
        while !self.is_full() && !self.finished {
            match self.row(&data[at..])? {
                None => break,
                Some(length) => at += length,
            }
        }
        if self.finished && at < data.len() { Err(Broken) } else { Ok(at) }
    }

    /// Decodes one row; `None` when it is not all there.
    fn row(&mut self, data: &[u8]) -> Result<Option<usize>, Broken> {
        let Some(count) = data.get(..2) else { return Ok(None) };
        match i16::from_be_bytes([count[0], count[1]]) {
            -1 => {
                self.finished = true;
                return Ok(Some(2));
            }
            n if usize::try_from(n) != Ok(self.cuts.len()) => return Err(Broken),
            _ => {}
        }
        let mut at = 2;
        for cut in &mut self.cuts {
            let Some(length) = data.get(at..at + 4) else { return Ok(None) };
            at += 4;
            match i32::from_be_bytes([length[0], length[1], length[2], length[3]]) {
                -1 => *cut = None,
                n => {
                    let end = at + usize::try_from(n).map_err(|_| Broken)?;
                    if end > data.len() {
                        return Ok(None);
                    }
                    *cut = Some((at, end));
                    at = end;
                }
            }
        }
        self.append(data)?;
        self.bytes += at;
        Ok(Some(at))
    }

    fn append(&mut self, data: &[u8]) -> Result<(), Broken> {
        self.seen += 1;
        let position = self.position(data)?;
        let mut fault: Option<(usize, Reason)> = None;
        let cuts = &self.cuts[self.address.columns()..];
        for (i, (cells, cut)) in self.cells.iter_mut().zip(cuts).enumerate() {
            match cut {
                None => cells.put_null(),
                Some((from, to)) => {
                    if let Err(reason) = cells.put(&data[*from..*to]) {
                        cells.put_null();
                        fault.get_or_insert((i, reason));
                    }
                }
            }
        }
        if let Some((column, reason)) = fault {
            let fields = cuts.iter().map(|cut| cut.map(|(from, to)| data[from..to].to_vec())).collect();
            self.bad.push((self.rows, BadRow { position, reason, column: Some(column), fields }));
        }
        self.positions.push(position);
        self.rows += 1;
        Ok(())
    }

    fn position(&self, data: &[u8]) -> Result<u64, Broken> {
        let field = |i: usize| self.cuts[i].map(|(from, to)| &data[from..to]).ok_or(Broken);
        let ctid = |i: usize| {
            let bytes: [u8; 6] = field(i)?.try_into().map_err(|_| Broken)?;
            let mut wide = [0u8; 8];
            wide[2..].copy_from_slice(&bytes);
            Ok(u64::from_be_bytes(wide))
        };
        match &self.address {
            Address::Ordinal => Ok(self.seen),
            Address::Ctid => ctid(0),
            Address::Partition(oids) => {
                let oid = u32::from_be_bytes(field(0)?.try_into().map_err(|_| Broken)?);
                let at = oids.iter().position(|o| *o == oid).ok_or(Broken)?;
                Ok(ctid(1)? | (at as u64) << 48)
            }
        }
    }

    /// Hands out what was decoded so far.
    pub(super) fn take(&mut self) -> Result<ReadBatch, Broken> {
        let arrays: Vec<ArrayRef> = self.cells.iter_mut().map(Cells::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let mut rows =
            RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options).map_err(|_| Broken)?;
        let mut positions = std::mem::take(&mut self.positions);
        let bad = std::mem::take(&mut self.bad);
        if !bad.is_empty() {
            let mut keep = vec![true; self.rows];
            for (row, _) in &bad {
                keep[*row] = false;
            }
            let mut kept = keep.iter();
            positions.retain(|_| kept.next().copied().unwrap_or(false));
            rows = filter_record_batch(&rows, &BooleanArray::from(keep)).map_err(|_| Broken)?;
        }
        self.rows = 0;
        self.bytes = 0;
        Ok(ReadBatch { rows, positions, bad: bad.into_iter().map(|(_, row)| row).collect() })
    }
}

/// The length of the header, or `None` when it is not all there.
fn header(data: &[u8]) -> Result<Option<usize>, Broken> {
    let known = data.len().min(SIGNATURE.len());
    if data[..known] != SIGNATURE[..known] {
        return Err(Broken);
    }
    let Some(extension) = data.get(15..19) else { return Ok(None) };
    let length = i32::from_be_bytes([extension[0], extension[1], extension[2], extension[3]]);
    let end = 19 + usize::try_from(length).map_err(|_| Broken)?;
    Ok((data.len() >= end).then_some(end))
}
