//! The rows of a load since its last settling, encoded, so that refused ones can be found by sending parts again.

use std::ops::Range;

use arrow::array::{Array, BinaryArray};
use arrow::buffer::Buffer;
use bytes::{Bytes, BytesMut};

/// A frame is sent when it has grown to this.
const FRAME_BYTES: usize = 128 << 10;

/// The bytes of an array, to be owned by frames.
struct Values(Buffer);

impl AsRef<[u8]> for Values {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}

struct Row {
    frame: u32,
    start: u32,
    ordinal: u64,
}

/// Encoded rows in frames of whole rows.
#[derive(Default)]
pub(super) struct Pending {
    frames: Vec<Bytes>,
    /// How many of them were handed out.
    sent: usize,
    open: BytesMut,
    rows: Vec<Row>,
}

impl Pending {
    /// Where the next row is to be encoded.
    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        if self.open.is_empty() {
            self.open.reserve(FRAME_BYTES + FRAME_BYTES / 4);
        }
        &mut self.open
    }

    /// Says that a row was appended to the buffer, from `start` on.
    pub(super) fn push(&mut self, start: usize, ordinal: u64) {
        self.rows.push(Row { frame: self.frames.len() as u32, start: start as u32, ordinal });
    }

    /// Whether a frame is full.
    pub(super) fn is_full(&self) -> bool {
        self.open.len() >= FRAME_BYTES
    }

    /// Takes rows over that are encoded already, without copying them.
    pub(super) fn take_over(&mut self, rows: &BinaryArray, first: u64) {
        self.close();
        let ends = rows.value_offsets();
        // Owned by the frames for as long as any of them lives.
        let values = Bytes::from_owner(Values(rows.values().clone()));
        let mut row = 0;
        while row < rows.len() {
            let start = ends[row];
            let frame = self.frames.len() as u32;
            while row < rows.len() && ((ends[row] - start) as usize) < FRAME_BYTES {
                self.rows.push(Row { frame, start: (ends[row] - start) as u32, ordinal: first + row as u64 });
                row += 1;
            }
            self.frames.push(values.slice(start as usize..ends[row] as usize));
        }
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.frames.push(self.open.split().freeze());
        }
    }

    /// A full frame, ready to be sent; it is kept here too. With `all` also one that is not full.
    pub(super) fn frame(&mut self, all: bool) -> Option<Bytes> {
        if self.sent == self.frames.len() && (all || self.is_full()) {
            self.close();
        }
        let frame = self.frames.get(self.sent)?.clone();
        self.sent += 1;
        Some(frame)
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The ordinal of a row in its load.
    pub(super) fn ordinal(&self, row: usize) -> u64 {
        self.rows[row].ordinal
    }

    /// The bytes of some rows.
    pub(super) fn slices(&self, range: Range<usize>) -> Vec<Bytes> {
        let mut out = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let frame = self.rows[at].frame;
            let next = self.rows[at..range.end].iter().position(|r| r.frame != frame);
            let stop = next.map_or(range.end, |n| at + n);
            let bytes = &self.frames[frame as usize];
            let end = match self.rows.get(stop) {
                Some(row) if row.frame == frame => row.start as usize,
                _ => bytes.len(),
            };
            out.push(bytes.slice(self.rows[at].start as usize..end));
            at = stop;
        }
        out
    }

    /// Forgets everything: all rows are settled.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.sent = 0;
        self.open.clear();
        self.rows.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cross_frames() {
        let mut pending = Pending::default();
        for ordinal in 0..40u64 {
            let start = pending.buffer().len();
            pending.buffer().extend_from_slice(&[ordinal as u8; 10_000]);
            pending.push(start, ordinal);
            pending.frame(false);
        }
        pending.frame(true);
        let joined = |range: Range<usize>| pending.slices(range).concat();
        assert!(pending.slices(0..40).len() > 2);
        assert_eq!(joined(0..40).len(), 400_000);
        for row in [0, 12, 13, 14, 39] {
            assert_eq!(joined(row..row + 1), [row as u8; 10_000], "{row}");
        }
        assert_eq!(joined(12..15)[10_000], 13);
        assert!(joined(5..5).is_empty());
    }
}
