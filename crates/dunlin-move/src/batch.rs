//! The batches that travel between the operators of a table's run.
//!
//! All bookkeeping is in the batch itself, as leading columns, so that an operator keeps no state beside the data and
//! a split can be executed anywhere. Each split's stream begins with one *begin* row (so that an empty split is still a
//! split) and ends with one *end* row, which carries the count and the hash of the rows as read: whatever is lost
//! between reading and loading shows at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, FixedSizeBinaryArray, RecordBatch, StringArray, UInt8Array,
    UInt32Array, UInt64Array, new_null_array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt8Type, UInt32Type, UInt64Type};
use dunlin_connect::canon::RowHash;

use crate::accounting::Tally;

/// What is known of a row so far.
pub mod fate {
    /// It goes on.
    pub const ALIVE: u8 = 0;
    /// It ends in quarantine.
    pub const QUARANTINED: u8 = 1;
    /// The plan leaves it behind.
    pub const EXCLUDED: u8 = 2;
    /// A rule stops the run at this row.
    pub const STOPPED: u8 = 3;
    /// Its customer asked that it be gone.
    pub const ERASED: u8 = 4;
    /// It is a duplicate and lives on in a survivor.
    pub const MERGED: u8 = 5;
    /// Not a row: the first of a split.
    pub const BEGIN: u8 = 254;
    /// Not a row: the last of a split; `position` is the rows as read and `hash` their sum.
    pub const END: u8 = 255;
}

/// The bit of the noted ones that says a survivor takes something over from its duplicates.
pub const NOTED_SURVIVOR: u64 = 1 << 63;

/// Positions of the leading columns.
pub mod lead {
    /// The split's number.
    pub const SPLIT: usize = 0;
    /// Where the row stands in the source.
    pub const POSITION: usize = 1;
    /// The row's hash in source space.
    pub const HASH: usize = 2;
    /// What is known of it, see [`super::fate`].
    pub const FATE: usize = 3;
    /// Why it ends here: a reason's code, `where`, `retain` or `rule:NAME`.
    pub const REASON: usize = 4;
    /// The target (or, unread, the source) column at fault.
    pub const COLUMN: usize = 5;
    /// The raw fields of a row that could not be read.
    pub const RAW: usize = 6;
    /// The byte of its file at which such a row begins.
    pub const BYTE: usize = 7;
    /// A bit a rule that warned or mended.
    pub const NOTED: usize = 8;
    /// How many there are.
    pub const COUNT: usize = 9;
}

/// The fields of the leading columns.
pub fn lead_fields() -> Vec<Field> {
    vec![
        Field::new("__split", DataType::UInt32, false),
        Field::new("__position", DataType::UInt64, false),
        Field::new("__hash", DataType::FixedSizeBinary(32), false),
        Field::new("__fate", DataType::UInt8, false),
        Field::new("__reason", DataType::Utf8, true),
        Field::new("__column", DataType::Utf8, true),
        Field::new("__raw", DataType::Binary, true),
        Field::new("__byte", DataType::UInt64, true),
        Field::new("__noted", DataType::UInt64, false),
    ]
}

/// The leading fields followed by `columns`.
pub fn with_lead(columns: &Schema) -> SchemaRef {
    let mut fields = lead_fields();
    fields.extend(columns.fields().iter().map(|f| f.as_ref().clone().with_nullable(true)));
    Schema::new(fields).into()
}

/// Where and why a row ended.
#[derive(Clone, Default)]
struct End {
    reason: Option<String>,
    column: Option<String>,
    raw: Option<Vec<u8>>,
    byte: Option<u64>,
}

/// The leading columns of a batch while they are being changed.
#[derive(Clone)]
pub struct Lead {
    /// The split's number.
    pub split: u32,
    /// Where each row stands in the source.
    pub positions: Vec<u64>,
    /// Each row's hash in source space.
    pub hashes: Vec<RowHash>,
    /// What is known of each row.
    pub fates: Vec<u8>,
    /// A bit a rule that warned or mended.
    pub noted: Vec<u64>,
    /// Rows that ended, by row. Few of many, so not a place for every row.
    ends: BTreeMap<usize, End>,
}

impl Lead {
    /// The lead of `hashes.len()` rows that go on.
    pub fn alive(split: u32, positions: Vec<u64>, hashes: Vec<RowHash>) -> Self {
        let n = hashes.len();
        let (fates, noted) = (vec![fate::ALIVE; n], vec![0; n]);
        Self { split, positions, hashes, fates, noted, ends: BTreeMap::new() }
    }

    /// Marks a row unless an earlier operator has done so: the first reason counts.
    pub fn end(&mut self, row: usize, fate: u8, reason: String, column: Option<&str>) {
        if self.fates[row] == fate::ALIVE {
            self.fates[row] = fate;
            let end = self.ends.entry(row).or_default();
            end.reason = Some(reason);
            end.column = column.map(str::to_owned);
        }
    }

    /// Ends a row otherwise than an earlier operator said: what its customer asked for goes before everything.
    pub fn overrule(&mut self, row: usize, fate: u8, reason: Option<&str>) {
        self.fates[row] = fate;
        self.ends.remove(&row);
        if let Some(reason) = reason {
            self.ends.entry(row).or_default().reason = Some(reason.to_owned());
        }
    }

    /// Keeps the raw fields of a row that could not be read, and where in its file it begins.
    pub fn keep_raw(&mut self, row: usize, fields: Vec<u8>, byte: Option<u64>) {
        let end = self.ends.entry(row).or_default();
        (end.raw, end.byte) = (Some(fields), byte);
    }

    /// The byte of its file at which a row that could not be read begins.
    pub fn byte(&self, row: usize) -> Option<u64> {
        self.ends.get(&row)?.byte
    }

    /// Why a row ended.
    pub fn reason(&self, row: usize) -> Option<&str> {
        self.ends.get(&row)?.reason.as_deref()
    }

    /// The column at fault.
    pub fn column(&self, row: usize) -> Option<&str> {
        self.ends.get(&row)?.column.as_deref()
    }

    /// The raw fields of a row that could not be read.
    pub fn raw(&self, row: usize) -> Option<&[u8]> {
        self.ends.get(&row)?.raw.as_deref()
    }

    /// Whether any row still goes on.
    pub fn any_alive(&self) -> bool {
        self.fates.contains(&fate::ALIVE)
    }

    /// Reads the lead of a batch.
    pub fn of(batch: &RecordBatch) -> Self {
        let hashes = batch.column(lead::HASH).as_fixed_size_binary();
        let splits = batch.column(lead::SPLIT).as_primitive::<UInt32Type>();
        Self {
            split: if splits.is_empty() { 0 } else { splits.value(0) },
            positions: batch.column(lead::POSITION).as_primitive::<UInt64Type>().values().to_vec(),
            hashes: hashes.value_data().as_chunks::<32>().0.iter().map(RowHash::from_bytes).collect(),
            fates: batch.column(lead::FATE).as_primitive::<UInt8Type>().values().to_vec(),
            noted: batch.column(lead::NOTED).as_primitive::<UInt64Type>().values().to_vec(),
            ends: ends_of(batch),
        }
    }

    /// The leading columns as arrays.
    pub fn arrays(&self) -> Vec<ArrayRef> {
        let n = self.hashes.len();
        let bytes: Vec<[u8; 32]> = self.hashes.iter().map(|h| h.to_bytes()).collect();
        let text = |value: fn(&End) -> Option<&str>| -> ArrayRef {
            if self.ends.values().all(|end| value(end).is_none()) {
                return new_null_array(&DataType::Utf8, n);
            }
            Arc::new(StringArray::from_iter((0..n).map(|row| self.ends.get(&row).and_then(value))))
        };
        let raw: ArrayRef = if self.ends.values().all(|end| end.raw.is_none()) {
            new_null_array(&DataType::Binary, n)
        } else {
            Arc::new(BinaryArray::from_iter((0..n).map(|row| self.raw(row))))
        };
        let byte: ArrayRef = if self.ends.values().all(|end| end.byte.is_none()) {
            new_null_array(&DataType::UInt64, n)
        } else {
            Arc::new(UInt64Array::from_iter((0..n).map(|row| self.byte(row))))
        };
        vec![
            Arc::new(UInt32Array::from(vec![self.split; n])),
            Arc::new(UInt64Array::from(self.positions.clone())),
            Arc::new(FixedSizeBinaryArray::new(32, bytes.into_flattened().into(), None)),
            Arc::new(UInt8Array::from(self.fates.clone())),
            text(|end| end.reason.as_deref()),
            text(|end| end.column.as_deref()),
            raw,
            byte,
            Arc::new(UInt64Array::from(self.noted.clone())),
        ]
    }
}

/// The ends that a batch tells of. A batch without any is told by its null counts, at no cost a row.
fn ends_of(batch: &RecordBatch) -> BTreeMap<usize, End> {
    let reasons = batch.column(lead::REASON).as_string::<i32>();
    let columns = batch.column(lead::COLUMN).as_string::<i32>();
    let raws = batch.column(lead::RAW).as_binary::<i32>();
    let bytes = batch.column(lead::BYTE).as_primitive::<UInt64Type>();
    let n = batch.num_rows();
    if reasons.null_count() == n && columns.null_count() == n && raws.null_count() == n {
        return BTreeMap::new();
    }
    let text = |array: &StringArray, row| array.is_valid(row).then(|| array.value(row).to_owned());
    (0..n)
        .filter(|row| reasons.is_valid(*row) || columns.is_valid(*row) || raws.is_valid(*row))
        .map(|row| {
            let raw = raws.is_valid(row).then(|| raws.value(row).to_vec());
            let byte = bytes.is_valid(row).then(|| bytes.value(row));
            (row, End { reason: text(reasons, row), column: text(columns, row), raw, byte })
        })
        .collect()
}

/// The hash kept in 32 bytes of a batch.
pub fn row_hash(bytes: &[u8]) -> RowHash {
    let mut b = [0u8; 32];
    b.copy_from_slice(bytes);
    RowHash::from_bytes(&b)
}

/// A batch of one row that is not a row: `BEGIN` or `END` of a split.
pub fn marker(schema: &SchemaRef, split: u32, fate: u8, read: Tally) -> RecordBatch {
    let mut lead = Lead::alive(split, vec![read.rows], vec![read.hash]);
    lead.fates[0] = fate;
    with_columns(schema, &lead, |ty| new_null_array(ty, 1))
}

/// A batch of `lead` whose other columns are made by `column`.
pub fn with_columns(schema: &SchemaRef, lead: &Lead, column: impl Fn(&DataType) -> ArrayRef) -> RecordBatch {
    let mut arrays = lead.arrays();
    arrays.extend(schema.fields()[lead::COUNT..].iter().map(|f| column(f.data_type())));
    #[expect(clippy::expect_used, reason = "lengths and types are those of the schema by construction")]
    RecordBatch::try_new(schema.clone(), arrays).expect("arrays of the schema")
}

/// Whether a batch is a marker, and which.
pub fn marker_of(batch: &RecordBatch) -> Option<u8> {
    if batch.num_rows() != 1 {
        return None;
    }
    let fate = batch.column(lead::FATE).as_primitive::<UInt8Type>().value(0);
    (fate >= fate::BEGIN).then_some(fate)
}

/// The columns behind the lead as a batch of their own.
pub fn body(batch: &RecordBatch, from: usize, to: usize) -> RecordBatch {
    let indices: Vec<usize> = (lead::COUNT + from..lead::COUNT + to).collect();
    #[expect(clippy::expect_used, reason = "the columns exist by the layout of the operators")]
    batch.project(&indices).expect("columns of the layout")
}
