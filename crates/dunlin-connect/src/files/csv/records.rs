//! The records of one CSV file in order, with their bytes, offsets and line numbers. Decodes nothing.

use std::io;
use std::path::Path;

use super::super::window::{Window, count_byte};
use super::record::{Field, Marks, Parsed, line_len, parse, trimmed};

/// A cursor over the records of a file.
pub(in super::super) struct Records {
    window: Window,
    marks: Marks,
    fields: Vec<Field>,
    len: usize,
    line: u64,
    lines: u64,
    malformed: bool,
    /// Up to this offset every line end was seen inside an unclosed quoted field.
    open_until: u64,
    /// Up to this offset a line may be the rest of a text whose quotes are broken.
    stray_until: u64,
}

impl Records {
    /// From a record's start, which is line `line` of the file (1 = first), to `limit`.
    pub(super) fn open(path: &Path, marks: Marks, from: u64, line: u64, limit: u64) -> io::Result<Self> {
        let window = Window::open(path, from, limit)?;
        Ok(Self {
            window,
            marks,
            fields: Vec::new(),
            len: 0,
            line,
            lines: 0,
            malformed: false,
            open_until: 0,
            stray_until: 0,
        })
    }

    /// Goes to the next record; false at the end.
    pub(in super::super) fn advance(&mut self) -> io::Result<bool> {
        self.window.consume(self.len);
        self.line += self.lines;
        (self.len, self.lines) = (0, 0);
        loop {
            let (data, eof) = (self.window.bytes(), self.window.at_end());
            if data.is_empty() && eof {
                return Ok(false);
            }
            let open_until = self.open_until.saturating_sub(self.window.offset()) as usize;
            match parse(data, eof, self.marks, open_until, &mut self.fields) {
                Parsed::Record { len, lines, malformed } => {
                    let rest = self.window.offset() < self.stray_until
                        && self
                            .fields
                            .iter()
                            .any(|f| !f.quoted && data[f.start..f.end].contains(&self.marks.quote));
                    (self.len, self.lines, self.malformed) = (len, lines, malformed || rest);
                    return Ok(true);
                }
                Parsed::Stray { until } => {
                    self.stray_until = self.stray_until.max(self.window.offset() + until as u64);
                    self.len = line_len(data, true, self.marks).unwrap_or(data.len());
                    (self.lines, self.malformed) = (1, true);
                    return Ok(true);
                }
                Parsed::Unclosed { until } => {
                    self.open_until = self.open_until.max(self.window.offset() + until as u64);
                    self.len = line_len(data, true, self.marks).unwrap_or(data.len());
                    (self.lines, self.malformed) = (1, true);
                    return Ok(true);
                }
                Parsed::Incomplete => self.window.fill()?,
            }
        }
    }

    /// The record's bytes, its line end included.
    pub(in super::super) fn bytes(&self) -> &[u8] {
        &self.window.bytes()[..self.len]
    }

    /// The record's bytes without its line end.
    pub(super) fn trimmed(&self) -> &[u8] {
        trimmed(self.bytes(), self.marks)
    }

    /// The fields, relative to [`Self::bytes`]; not to be trusted where the record is malformed.
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Whether the record's quotes are broken.
    pub(in super::super) fn malformed(&self) -> bool {
        self.malformed
    }

    /// Whether the record is an empty line.
    pub(in super::super) fn blank(&self) -> bool {
        self.trimmed().is_empty()
    }

    /// Whether what the record is depends on lines before it; no split may begin here.
    pub(in super::super) fn depends(&self) -> bool {
        self.window.offset() < self.stray_until
    }

    /// Where the record starts in the file.
    pub(in super::super) fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// The line on which the record starts, from 1.
    pub(in super::super) fn line(&self) -> u64 {
        self.line
    }
}

/// The line number of a record that starts at `offset`.
pub(super) fn line_at(path: &Path, marks: Marks, offset: u64) -> io::Result<u64> {
    Ok(count_byte(path, marks.end, offset)? + 1)
}
