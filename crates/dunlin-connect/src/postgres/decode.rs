//! From the byte stream of `COPY … (FORMAT binary)` to Arrow batches. Incremental: a row may arrive in any pieces.
//! Not the place that talks to the server, nor the one that knows single values (`cells`).

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;

use super::cells::Cells;
use crate::{BadRow, ColumnType, ReadBatch, Reason};

/// What every binary COPY starts with.
pub(super) const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
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
