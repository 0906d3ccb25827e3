//! The rows of a load since its last settling, encoded, so that refused ones can be found by sending parts again.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

/// A frame is sent when it has grown to this.
const FRAME_BYTES: usize = 128 << 10;

struct Row {
    frame: u32,
    start: u32,
    ordinal: u64,
}

/// Encoded rows in frames of whole rows.
#[derive(Default)]
pub(super) struct Pending {
    frames: Vec<Bytes>,
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

    /// A full frame, ready to be sent; it is kept here too. With `all` also one that is not full.
    pub(super) fn frame(&mut self, all: bool) -> Option<Bytes> {
        let least = if all { 1 } else { FRAME_BYTES };
        if self.open.len() < least {
            return None;
        }
        let frame = self.open.split().freeze();
        self.frames.push(frame.clone());
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
