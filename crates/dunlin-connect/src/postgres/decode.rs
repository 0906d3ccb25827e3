//! From the byte stream of `COPY … (FORMAT binary)` to Arrow batches.
//! Not the place that talks to the server, nor the one that knows single values (`cells`) or the stream (`framing`).

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;

use super::cells::Cells;
use super::framing::{Broken, Cut, Decoding, Sink};
use crate::{BadRow, ColumnType, ReadBatch, Reason};

/// A batch ends early at this size, so that wide rows do not pile up.
pub(super) const BATCH_BYTES_MAX: usize = 32 << 20;

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
    /// How many fields of a row it takes.
    pub(super) fn columns(&self) -> usize {
        match self {
            Self::Ordinal => 0,
            Self::Ctid => 1,
            Self::Partition(_) => 2,
        }
    }

    /// The position of the row at hand, the `seen`-th.
    pub(super) fn position(&self, data: &[u8], cuts: &[Cut], seen: u64) -> Result<u64, Broken> {
        let field = |i: usize| cuts[i].map(|(from, to)| &data[from..to]).ok_or(Broken);
        let ctid = |i: usize| {
            let bytes: [u8; 6] = field(i)?.try_into().map_err(|_| Broken)?;
            let mut wide = [0u8; 8];
            wide[2..].copy_from_slice(&bytes);
            Ok(u64::from_be_bytes(wide))
        };
        match self {
            Self::Ordinal => Ok(seen),
            Self::Ctid => ctid(0),
            Self::Partition(oids) => {
                let oid = u32::from_be_bytes(field(0)?.try_into().map_err(|_| Broken)?);
                let at = oids.iter().position(|o| *o == oid).ok_or(Broken)?;
                Ok(ctid(1)? | (at as u64) << 48)
            }
        }
    }
}

/// Turns the stream into Arrow batches.
pub(super) type Decoder = Decoding<Columns>;

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
        let fields = columns.len() + address.columns();
        let columns = Columns {
            schema,
            cells,
            address,
            batch_rows: batch_rows.max(1),
            rows: 0,
            bytes: 0,
            seen: 0,
            positions: Vec::new(),
            bad: Vec::new(),
        };
        Self::over(fields, columns)
    }
}

/// The columns of a batch while they grow.
pub(super) struct Columns {
    schema: SchemaRef,
    cells: Vec<Cells>,
    address: Address,
    batch_rows: usize,
    rows: usize,
    bytes: usize,
    seen: u64,
    positions: Vec<u64>,
    /// Rows of the batch at hand that could not be read, by their place in the builders.
    bad: Vec<(usize, BadRow)>,
}

impl Sink for Columns {
    type Batch = ReadBatch;

    fn is_full(&self) -> bool {
        self.rows >= self.batch_rows || self.bytes >= BATCH_BYTES_MAX
    }

    fn is_empty(&self) -> bool {
        self.rows == 0
    }

    fn row(&mut self, data: &[u8], cuts: &[Cut]) -> Result<(), Broken> {
        self.seen += 1;
        let position = self.address.position(data, cuts, self.seen)?;
        let mut fault: Option<(usize, Reason)> = None;
        let cuts = &cuts[self.address.columns()..];
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
            self.bad.push((self.rows, bad_row(data, cuts, position, column, reason)));
        }
        self.positions.push(position);
        self.rows += 1;
        self.bytes += data.len();
        Ok(())
    }

    fn take(&mut self) -> Result<ReadBatch, Broken> {
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

/// A row with a field that is not what it should be, as the raw bytes of its fields.
pub(super) fn bad_row(data: &[u8], cuts: &[Cut], position: u64, column: usize, reason: Reason) -> BadRow {
    let fields = cuts.iter().map(|cut| cut.map(|(from, to)| data[from..to].to_vec())).collect();
    BadRow { position, byte: None, reason, column: Some(column), fields }
}
