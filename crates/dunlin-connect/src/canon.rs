//! The canonical row form and the multiset hash: what makes "nothing lost" a number that can be compared.
//!
//! A row is the concatenation of its values, each as `tag, length, bytes` (NULL is a tag of its own). The form depends
//! on the [`ColumnType`], not on the store: integers as minimal big-endian two's complement, decimals as the unscaled
//! integer at the column's scale, floats as IEEE bits with one NaN (and -0 kept), zoned timestamps as UTC
//! microseconds, text as raw UTF-8 without normalisation. Before it is hashed a row gets its length in front and zeros
//! behind, up to whole blocks of 64 bytes, so that many rows can be hashed at once.
//!
//! A set of rows is hashed by MSet-Add-Hash (Clarke, Devadas, van Dijk, Gassend, Suh: *Incremental Multiset Hash
//! Functions and Their Application to Memory Integrity Checking*, ASIACRYPT 2003): the sum modulo 2^256 of a keyed
//! BLAKE3 of each row. It does not depend on order, and sums of parts add up to the sum of the whole; without the key
//! nobody can make two sets collide.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

use arrow::array::RecordBatch;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) mod form;
mod many;

/// The key of the row hash: one a workspace.
pub type HashKey = [u8; 32];

/// The multiset hash of any number of rows: a number modulo 2^256, little-endian limbs. Zero is the empty set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct RowHash([u64; 4]);

impl RowHash {
    /// The hash of no rows.
    pub const EMPTY: Self = Self([0; 4]);

    /// From 32 bytes, little-endian.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let limb = |i: usize| {
            let mut b = [0u8; 8];
            b.copy_from_slice(&bytes[i * 8..i * 8 + 8]);
            u64::from_le_bytes(b)
        };
        Self([limb(0), limb(1), limb(2), limb(3)])
    }

    /// As 32 bytes, little-endian.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut out = [0u8; 32];
        for (i, limb) in self.0.iter().enumerate() {
            out[i * 8..i * 8 + 8].copy_from_slice(&limb.to_le_bytes());
        }
        out
    }

    /// The first 16 bytes: names one row among many in dunlin's row index.
    pub fn short(self) -> [u8; 16] {
        let mut out = [0u8; 16];
        out.copy_from_slice(&self.to_bytes()[..16]);
        out
    }
}

impl Add for RowHash {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let mut out = [0u64; 4];
        let mut carry = false;
        for (i, limb) in out.iter_mut().enumerate() {
            let (a, c1) = self.0[i].overflowing_add(other.0[i]);
            let (b, c2) = a.overflowing_add(u64::from(carry));
            *limb = b;
            carry = c1 || c2;
        }
        Self(out)
    }
}

impl Sub for RowHash {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        let mut out = [0u64; 4];
        let mut borrow = false;
        for (i, limb) in out.iter_mut().enumerate() {
            let (a, b1) = self.0[i].overflowing_sub(other.0[i]);
            let (b, b2) = a.overflowing_sub(u64::from(borrow));
            *limb = b;
            borrow = b1 || b2;
        }
        Self(out)
    }
}

impl AddAssign for RowHash {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for RowHash {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for RowHash {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::EMPTY, Add::add)
    }
}

impl fmt::Display for RowHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.to_bytes().iter().rev() {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for RowHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for RowHash {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut bytes = [0u8; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ())?;
        bytes.reverse();
        Ok(Self::from_bytes(&bytes))
    }
}

impl Serialize for RowHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RowHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom("not a row hash"))
    }
}

/// Appends the canonical form of some columns of one row: names a row by its key.
pub fn encode_columns(batch: &RecordBatch, columns: &[usize], row: usize, out: &mut Vec<u8>) {
    form::Rows::some(batch, columns).put(row, out);
}

/// The hash of each row of a batch, in order. All columns take part, in their order.
pub fn hash_rows(key: &HashKey, batch: &RecordBatch) -> Vec<RowHash> {
    hash_forms(key, &form::Rows::all(batch), batch.num_rows())
}

/// The hash of some columns of each row of a batch, in order: names rows by their key.
pub fn hash_columns(key: &HashKey, batch: &RecordBatch, columns: &[usize]) -> Vec<RowHash> {
    hash_forms(key, &form::Rows::some(batch, columns), batch.num_rows())
}

/// What [`hash_columns`] gives for one row; `buffer` is scratch.
pub fn hash_row_columns(
    key: &HashKey,
    batch: &RecordBatch,
    columns: &[usize],
    row: usize,
    buffer: &mut Vec<u8>,
) -> RowHash {
    buffer.clear();
    begin_message(buffer);
    encode_columns(batch, columns, row, buffer);
    end_message(buffer, 0);
    RowHash::from_bytes(blake3::keyed_hash(key, buffer).as_bytes())
}

/// Rows written before they are hashed together: few enough to stay in the processor's cache.
const ROWS_TOGETHER: usize = 256;

fn hash_forms(key: &HashKey, forms: &form::Rows<'_>, rows: usize) -> Vec<RowHash> {
    let mut messages = Messages::new(key);
    for row in 0..rows {
        forms.put(row, messages.begin());
        messages.end();
    }
    messages.take()
}

/// Canonical forms on their way to be hashed, many at once.
pub(crate) struct Messages {
    hasher: many::Hasher,
    buffer: Vec<u8>,
    starts: Vec<usize>,
    hashes: Vec<RowHash>,
}

impl Messages {
    /// None so far.
    pub(crate) fn new(key: &HashKey) -> Self {
        Self {
            hasher: many::Hasher::new(key),
            buffer: Vec::with_capacity(ROWS_TOGETHER * 256),
            starts: Vec::with_capacity(ROWS_TOGETHER),
            hashes: Vec::new(),
        }
    }

    /// Begins a message: its canonical form is to be appended to the buffer.
    pub(crate) fn begin(&mut self) -> &mut Vec<u8> {
        self.starts.push(begin_message(&mut self.buffer));
        &mut self.buffer
    }

    /// What has been written so far, the message at hand last.
    pub(crate) fn written(&self) -> &[u8] {
        &self.buffer
    }

    /// Ends the message at hand.
    pub(crate) fn end(&mut self) {
        let Some(start) = self.starts.last() else { return };
        end_message(&mut self.buffer, *start);
        if self.starts.len() == ROWS_TOGETHER {
            self.flush();
        }
    }

    /// Forgets the message at hand.
    pub(crate) fn forget(&mut self) {
        if let Some(start) = self.starts.pop() {
            self.buffer.truncate(start);
        }
    }

    fn flush(&mut self) {
        self.hasher.hash(&self.buffer, &self.starts, &mut self.hashes);
        self.buffer.clear();
        self.starts.clear();
    }

    /// The hashes of the messages that have ended since the last call, in order.
    pub(crate) fn take(&mut self) -> Vec<RowHash> {
        self.flush();
        std::mem::take(&mut self.hashes)
    }
}

/// A message is its length, the canonical form, and zeros up to whole blocks.
fn begin_message(buffer: &mut Vec<u8>) -> usize {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    start
}

fn end_message(buffer: &mut Vec<u8>, start: usize) {
    // A row over 4 GiB cannot occur: it would not fit into a batch.
    let length = (buffer.len() - start) as u32;
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    buffer.resize(start + (length as usize).next_multiple_of(many::BLOCK), 0);
}

/// The hash of a row that could not be read, over its raw fields.
pub fn hash_raw(key: &HashKey, fields: &[Option<Vec<u8>>]) -> RowHash {
    let mut buffer = Vec::new();
    begin_message(&mut buffer);
    buffer.push(form::tag::RAW);
    for field in fields {
        match field {
            None => buffer.push(form::tag::NULL),
            Some(bytes) => form::put(&mut buffer, form::tag::RAW, bytes),
        }
    }
    end_message(&mut buffer, 0);
    RowHash::from_bytes(blake3::keyed_hash(key, &buffer).as_bytes())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int16Array, Int64Array, StringArray};
    use proptest::prelude::*;

    use super::*;

    fn batch(column: ArrayRef) -> RecordBatch {
        RecordBatch::try_from_iter([("c", column)]).expect("one column")
    }

    fn canonical(column: ArrayRef) -> Vec<u8> {
        let mut out = Vec::new();
        encode_columns(&batch(column), &[0], 0, &mut out);
        out
    }

    #[test]
    fn integers_are_minimal_and_do_not_depend_on_width() {
        for (value, want) in [
            (0i64, vec![0u8]),
            (-1, vec![0xff]),
            (127, vec![0x7f]),
            (128, vec![0, 0x80]),
            (-129, vec![0xff, 0x7f]),
        ] {
            let mut expected = vec![form::tag::INT, want.len() as u8, 0, 0, 0];
            expected.extend(want);
            assert_eq!(canonical(Arc::new(Int64Array::from(vec![value]))), expected, "{value}");
            assert_eq!(canonical(Arc::new(Int16Array::from(vec![value as i16]))), expected, "{value}");
        }
    }

    #[test]
    fn null_differs_from_empty_and_nan_is_one() {
        let null = canonical(Arc::new(StringArray::from(vec![None::<&str>])));
        let empty = canonical(Arc::new(StringArray::from(vec![Some("")])));
        assert_ne!(null, empty);
        let quiet = canonical(Arc::new(Float64Array::from(vec![f64::NAN])));
        let other = canonical(Arc::new(Float64Array::from(vec![f64::from_bits(f64::NAN.to_bits() ^ 1)])));
        assert_eq!(quiet, other);
        let zero = canonical(Arc::new(Float64Array::from(vec![0.0])));
        let minus = canonical(Arc::new(Float64Array::from(vec![-0.0])));
        assert_ne!(zero, minus);
    }

    #[test]
    fn columns_do_not_run_into_each_other() {
        let key = [7; 32];
        let one = RecordBatch::try_from_iter([
            ("a", Arc::new(StringArray::from(vec!["ab"])) as ArrayRef),
            ("b", Arc::new(StringArray::from(vec!["c"])) as ArrayRef),
        ])
        .expect("batch");
        let two = RecordBatch::try_from_iter([
            ("a", Arc::new(StringArray::from(vec!["a"])) as ArrayRef),
            ("b", Arc::new(StringArray::from(vec!["bc"])) as ArrayRef),
        ])
        .expect("batch");
        assert_ne!(hash_rows(&key, &one), hash_rows(&key, &two));
    }

    proptest! {
        #[test]
        fn sums_form_a_group(a: [u8; 32], b: [u8; 32], c: [u8; 32]) {
            let (a, b, c) = (RowHash::from_bytes(&a), RowHash::from_bytes(&b), RowHash::from_bytes(&c));
            prop_assert_eq!(a + b, b + a);
            prop_assert_eq!((a + b) + c, a + (b + c));
            prop_assert_eq!(a + b - b, a);
            prop_assert_eq!(a.to_string().parse::<RowHash>().unwrap(), a);
        }

        #[test]
        fn every_integer_keeps_its_own_form(a: i64, b: i64) {
            let form = |v| canonical(Arc::new(Int64Array::from(vec![v])));
            prop_assert_eq!(a == b, form(a) == form(b));
        }
    }
}
