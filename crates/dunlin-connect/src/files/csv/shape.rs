//! What can be known of a CSV file before its rows are read: line end, byte order mark, header; and where it can be
//! cut into splits.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::super::dialect::Dialect;
use super::super::disk::failed;
use super::record::{Marks, RECORD_MAX};
use super::records::{Records, line_at};
use crate::{ConnectError, Result};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A CSV file's outline.
#[derive(Debug, Clone)]
pub(in super::super) struct Shape {
    pub(super) marks: Marks,
    /// Its columns' names; none in a file without any record.
    pub(in super::super) names: Vec<String>,
    /// Where the first row starts.
    pub(in super::super) data_start: u64,
    /// The line on which it starts.
    data_line: u64,
}

impl Shape {
    /// Whether the file's lines end with CR alone.
    pub(in super::super) fn carriage_returns(&self) -> bool {
        self.marks.end == b'\r'
    }

    /// The records from one that starts at `from` (0 is the first row), with line numbers.
    pub(in super::super) fn records(
        &self,
        path: &Path,
        from: u64,
        line: Option<u64>,
        limit: u64,
    ) -> io::Result<Records> {
        if from <= self.data_start {
            return Records::open(path, self.marks, self.data_start, self.data_line, limit);
        }
        let line = match line {
            Some(line) => line,
            None => line_at(path, self.marks, from)?,
        };
        Records::open(path, self.marks, from, line, limit)
    }

    /// Whether an empty line is no row: in a file of one column it is a row with NULL or an empty text.
    pub(in super::super) fn skips_blank(&self) -> bool {
        self.names.len() != 1
    }
}

/// A place where a file can be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Border {
    /// The first byte of a record.
    pub(in super::super) offset: u64,
    /// Its line, from 1.
    pub(in super::super) line: u64,
}

/// Looks at the front of a file.
pub(in super::super) fn shape(store: &str, path: &Path, name: &str, dialect: &Dialect) -> Result<Shape> {
    let act = || format!("read {name}");
    let mut front = Vec::new();
    let file = File::open(path).map_err(|e| failed(store, act(), &e))?;
    let len = file.metadata().map_err(|e| failed(store, act(), &e))?.len();
    file.take(64 * 1024).read_to_end(&mut front).map_err(|e| failed(store, act(), &e))?;
    let start = if front.starts_with(BOM) { BOM.len() as u64 } else { 0 };
    let end = line_end(&front, dialect.quote);
    let marks = Marks { delimiter: dialect.delimiter, quote: dialect.quote, end, max: RECORD_MAX };
    let mut records = Records::open(path, marks, start, 1, len).map_err(|e| failed(store, act(), &e))?;
    let mut found = records.advance().map_err(|e| failed(store, act(), &e))?;
    while found && records.blank() && dialect.header {
        found = records.advance().map_err(|e| failed(store, act(), &e))?;
    }
    if !found {
        return Ok(Shape { marks, names: Vec::new(), data_start: records.offset(), data_line: 1 });
    }
    if records.malformed() {
        return Err(unsupported(
            store,
            name,
            "starts with a broken line",
            "mend the quotes of its first line",
        ));
    }
    if !dialect.header {
        let names = (1..=records.fields().len()).map(|n| format!("column_{n}")).collect();
        return Ok(Shape { marks, names, data_start: start, data_line: 1 });
    }
    let names = names(&records, dialect).ok_or_else(|| {
        unsupported(store, name, "has a header that is not in its encoding", "set the store's `encoding`")
    })?;
    records.advance().map_err(|e| failed(store, act(), &e))?;
    Ok(Shape { marks, names, data_start: records.offset(), data_line: records.line() })
}

/// Finds the borders of splits: before each `rows`-th row and about every `bytes`. Also counts the rows. `keep` are
/// borders of an earlier run, kept where they are still the start of a row; new ones come only behind the last.
pub(in super::super) fn scan(
    path: &Path,
    shape: &Shape,
    limit: u64,
    cut: (u64, u64),
    keep: &[u64],
) -> io::Result<(Vec<Border>, u64)> {
    let (rows_max, bytes_max) = cut;
    let last_kept = keep.last().copied().unwrap_or(0);
    let keep: HashSet<u64> = keep.iter().copied().collect();
    let mut borders = Vec::new();
    let (mut count, mut since, mut start) = (0u64, 0u64, shape.data_start);
    let mut records = shape.records(path, 0, None, limit)?;
    while records.advance()? {
        if records.blank() && shape.skips_blank() {
            continue;
        }
        let offset = records.offset();
        let full = since >= rows_max || offset - start >= bytes_max;
        if !records.depends() && (keep.contains(&offset) || (offset > last_kept && full && count > 0)) {
            borders.push(Border { offset, line: records.line() });
            (since, start) = (0, offset);
        }
        count += 1;
        since += 1;
    }
    Ok((borders, count))
}

/// CR only where the front of the file knows no LF outside quotes.
fn line_end(front: &[u8], quote: u8) -> u8 {
    let (mut quoted, mut returns) = (false, false);
    for byte in front {
        match *byte {
            b if b == quote => quoted = !quoted,
            b'\n' if !quoted => return b'\n',
            b'\r' if !quoted => returns = true,
            _ => {}
        }
    }
    if returns && !front.contains(&b'\n') { b'\r' } else { b'\n' }
}

/// The header's names, each once and none empty.
fn names(records: &Records, dialect: &Dialect) -> Option<Vec<String>> {
    let mut out: Vec<String> = Vec::new();
    for (i, field) in records.fields().iter().enumerate() {
        let mut bytes = Vec::new();
        field.append(records.bytes(), dialect.quote, &mut bytes);
        let mut name = dialect.decode(&bytes)?.into_owned();
        if name.is_empty() {
            name = format!("column_{}", i + 1);
        }
        let plain = name.clone();
        let mut n = 2;
        while out.contains(&name) {
            name = format!("{plain}_{n}");
            n += 1;
        }
        out.push(name);
    }
    Some(out)
}

fn unsupported(store: &str, name: &str, what: &str, help: &str) -> ConnectError {
    ConnectError::Unsupported {
        store: store.to_owned(),
        what: format!("{name}, which {what},"),
        help: help.to_owned(),
    }
}
