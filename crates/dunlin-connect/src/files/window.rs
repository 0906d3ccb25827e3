//! A buffered view into a file that grows until one whole record lies in it. Knows bytes, not formats.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

const CHUNK: usize = 256 * 1024;

/// A record longer than this is no text file's; it must not fill the memory.
const RECORD_MAX: usize = 256 * 1024 * 1024;

/// Bytes of a file from a start to a limit, consumed from the front.
pub(super) struct Window {
    file: File,
    buffer: Vec<u8>,
    start: usize,
    offset: u64,
    unread: u64,
}

impl Window {
    /// Opens a file for the bytes `from..limit`.
    pub(super) fn open(path: &Path, from: u64, limit: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        Ok(Self { file, buffer: Vec::new(), start: 0, offset: from, unread: limit.saturating_sub(from) })
    }

    /// What is buffered and not yet consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Whether nothing lies behind what is buffered.
    pub(super) fn at_end(&self) -> bool {
        self.unread == 0
    }

    /// Where the first buffered byte stands in the file.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Drops bytes from the front.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        self.offset += count as u64;
    }

    /// Reads on, by at least as much as is buffered, so that parsing again from the front stays linear.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`] where one record does not end, and what reading gives.
    pub(super) fn fill(&mut self) -> io::Result<()> {
        if self.bytes().len() > RECORD_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let wanted = (CHUNK.max(self.buffer.len()) as u64).min(self.unread);
        let got = (&mut self.file).take(wanted).read_to_end(&mut self.buffer)? as u64;
        // A file that became shorter ends here; the reader notices by its stamp.
        self.unread = if got < wanted { 0 } else { self.unread - got };
        Ok(())
    }
}

/// How many `end` bytes stand before `to`.
pub(super) fn count_byte(path: &Path, end: u8, to: u64) -> io::Result<u64> {
    let mut window = Window::open(path, 0, to)?;
    let mut count = 0;
    loop {
        count += memchr::memchr_iter(end, window.bytes()).count() as u64;
        window.consume(window.bytes().len());
        if window.at_end() {
            return Ok(count);
        }
        window.fill()?;
    }
}
