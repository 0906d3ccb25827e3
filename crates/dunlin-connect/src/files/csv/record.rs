//! Tells CSV records apart: RFC 4180 and what is found in the wild. Pure: bytes in, spans out.
//!
//! The rules, so that every reader and every split sees the same records:
//! - a field is quoted when its first byte is the quote; a quote inside an unquoted field is text;
//! - after a closing quote only a separator or a line end may follow; else the record is malformed and ends with its
//!   line. Where it began on an earlier line, that quote was the opening one of a later field: only the first line is
//!   malformed, and reading goes on with the next, so that one stray quote does not eat the lines up to the next one.
//!   Up to that quote, lines with a quote inside an unquoted field are malformed too: they may be the rest of a text;
//! - a quoted field that is not closed within [`RECORD_MAX`] bytes or before the end of the file makes only its first
//!   line malformed, and reading goes on with the next line;
//! - a line ends with LF or CR LF; files that know only CR are told apart when they are opened.

use memchr::{memchr, memchr_iter, memchr2};

/// The longest record, in bytes, that may span lines.
pub(super) const RECORD_MAX: usize = 64 * 1024 * 1024;

/// The bytes that matter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    /// LF, or CR in files that know only CR.
    pub(super) end: u8,
    /// [`RECORD_MAX`], smaller in tests.
    pub(super) max: usize,
}

/// One field inside its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    /// First byte of the content (behind the quote).
    pub(super) start: usize,
    /// One past its last byte.
    pub(super) end: usize,
    pub(super) quoted: bool,
    /// Whether doubled quotes stand in it.
    pub(super) doubled: bool,
}

impl Field {
    /// Appends the content with doubled quotes made single.
    pub(super) fn append(&self, record: &[u8], quote: u8, out: &mut Vec<u8>) {
        let mut rest = &record[self.start..self.end];
        if self.doubled {
            while let Some(at) = memchr(quote, rest) {
                out.extend_from_slice(&rest[..=at]);
                rest = &rest[at + 2..];
            }
        }
        out.extend_from_slice(rest);
    }
}

/// What stands at the front of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A record of `len` bytes (line end included) over `lines` lines.
    Record { len: usize, lines: u64, malformed: bool },
    /// More bytes are needed.
    Incomplete,
    /// A field of several lines ends in a quote behind which there is text; that line ends at `until`.
    Stray { until: usize },
    /// A quoted field is still open at the end of the bytes; every line end from the record's start to `until` lies
    /// inside it.
    Unclosed { until: usize },
}

/// Parses the record at the front of `data`. `eof`: nothing follows `data`. `open_until`: at each line end before this
/// index an earlier look found itself inside an unclosed quoted field.
pub(super) fn parse(
    data: &[u8],
    eof: bool,
    marks: Marks,
    open_until: usize,
    fields: &mut Vec<Field>,
) -> Parsed {
    fields.clear();
    let mut at = 0;
    let mut lines = 1;
    loop {
        if data.get(at) == Some(&marks.quote) {
            let (close, doubled) = match closing(data, at + 1, eof, marks, open_until) {
                Ok(found) => found,
                Err(stop) => return stop,
            };
            lines += memchr_iter(marks.end, &data[at..close]).count() as u64;
            fields.push(Field { start: at + 1, end: close, quoted: true, doubled });
            match behind_quote(data, close + 1, eof, marks) {
                Behind::Separator => at = close + 2,
                Behind::End(len) => return Parsed::Record { len, lines, malformed: false },
                Behind::Incomplete => return Parsed::Incomplete,
                Behind::Garbage => {
                    return match line_len(&data[close + 1..], eof, marks) {
                        Some(len) if lines > 1 => Parsed::Stray { until: close + 1 + len },
                        Some(len) => Parsed::Record { len: close + 1 + len, lines, malformed: true },
                        None => Parsed::Incomplete,
                    };
                }
            }
            continue;
        }
        let found = memchr2(marks.delimiter, marks.end, &data[at..]).map(|i| at + i);
        let (end, len) = match found {
            Some(i) if data[i] == marks.delimiter => {
                fields.push(Field { start: at, end: i, quoted: false, doubled: false });
                at = i + 1;
                continue;
            }
            Some(i) => (i, i + 1),
            None if eof => (data.len(), data.len()),
            None => return Parsed::Incomplete,
        };
        let end = if marks.end == b'\n' && end > at && data[end - 1] == b'\r' { end - 1 } else { end };
        fields.push(Field { start: at, end, quoted: false, doubled: false });
        return Parsed::Record { len, lines, malformed: false };
    }
}

/// The length of the line at the front, its end included.
pub(super) fn line_len(data: &[u8], eof: bool, marks: Marks) -> Option<usize> {
    memchr(marks.end, data).map(|i| i + 1).or(eof.then_some(data.len()))
}

/// A record without its line end.
pub(super) fn trimmed(record: &[u8], marks: Marks) -> &[u8] {
    let record = record.strip_suffix(&[marks.end]).unwrap_or(record);
    if marks.end == b'\n' { record.strip_suffix(b"\r").unwrap_or(record) } else { record }
}

/// Finds the closing quote of a field whose content starts at `from`. What it finds depends on nothing but the bytes
/// from the record's start, however many are buffered.
fn closing(
    data: &[u8],
    from: usize,
    eof: bool,
    marks: Marks,
    open_until: usize,
) -> Result<(usize, bool), Parsed> {
    let limit = data.len().min(marks.max);
    let mut at = from;
    let mut doubled = false;
    loop {
        if at >= limit {
            return Err(if eof || data.len() >= marks.max {
                Parsed::Unclosed { until: at.max(limit) }
            } else {
                Parsed::Incomplete
            });
        }
        let found = memchr(marks.quote, &data[at..limit]).map(|i| at + i);
        let seen = found.unwrap_or(limit);
        // A line end inside this field that an earlier look also saw inside a field: both are the same from there on.
        if at < open_until && memchr(marks.end, &data[at..seen.min(open_until)]).is_some() {
            at = open_until;
            continue;
        }
        let Some(quote) = found else {
            at = limit;
            continue;
        };
        match data.get(quote + 1) {
            Some(next) if *next == marks.quote => {
                doubled = true;
                at = quote + 2;
            }
            None if !eof => return Err(Parsed::Incomplete),
            _ => return Ok((quote, doubled)),
        }
    }
}

enum Behind {
    Separator,
    /// The record ends; its whole length.
    End(usize),
    Garbage,
    Incomplete,
}

/// What stands behind a closing quote.
fn behind_quote(data: &[u8], at: usize, eof: bool, marks: Marks) -> Behind {
    match data.get(at) {
        None if eof => Behind::End(at),
        None => Behind::Incomplete,
        Some(b) if *b == marks.delimiter => Behind::Separator,
        Some(b) if *b == marks.end => Behind::End(at + 1),
        Some(b'\r') if marks.end == b'\n' => match data.get(at + 1) {
            Some(b'\n') => Behind::End(at + 2),
            None if eof => Behind::End(at + 1),
            None => Behind::Incomplete,
            Some(_) => Behind::Garbage,
        },
        Some(_) => Behind::Garbage,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MARKS: Marks = Marks { delimiter: b',', quote: b'"', end: b'\n', max: 12 };

    fn fields(data: &str) -> (Vec<String>, usize, bool) {
        let mut spans = Vec::new();
        let Parsed::Record { len, malformed, .. } = parse(data.as_bytes(), true, MARKS, 0, &mut spans) else {
            panic!("not a record")
        };
        let text = |f: &Field| {
            let mut out = Vec::new();
            f.append(data.as_bytes(), b'"', &mut out);
            format!("{}{}", if f.quoted { "q:" } else { "" }, String::from_utf8(out).unwrap())
        };
        (spans.iter().map(text).collect(), len, malformed)
    }

    #[test]
    fn quotes_and_line_ends() {
        assert_eq!(fields("a,\"b\"\"c\nd\",\r\nnext").0, ["a", "q:b\"c\nd", ""]);
        assert_eq!(fields("5\" pipe,\"\"\n").0, ["5\" pipe", "q:"]);
        assert_eq!(fields("a\rb,c").0, ["a\rb", "c"]);
    }

    #[test]
    fn text_behind_a_closing_quote_ends_with_its_line() {
        let (_, len, malformed) = fields("\"a\"b,\"c\nd\n");
        assert!(malformed);
        assert_eq!(len, 8);
    }

    /// The length and health of every record, with or without what earlier looks have seen.
    fn lens(data: &[u8], remember: bool) -> Vec<(usize, bool)> {
        let (mut out, mut at, mut open_until, mut spans) = (Vec::new(), 0, 0usize, Vec::new());
        while at < data.len() {
            let rest = &data[at..];
            let (len, malformed) = match parse(rest, true, MARKS, open_until.saturating_sub(at), &mut spans) {
                Parsed::Record { len, malformed, .. } => (len, malformed),
                Parsed::Stray { .. } => (line_len(rest, true, MARKS).unwrap(), true),
                Parsed::Unclosed { until } => {
                    open_until = if remember { open_until.max(at + until) } else { 0 };
                    (line_len(rest, true, MARKS).unwrap(), true)
                }
                Parsed::Incomplete => panic!("all bytes are there"),
            };
            out.push((len, malformed));
            at += len;
        }
        out
    }

    #[test]
    fn many_open_quotes_take_linear_time() {
        let data = b"x\",\"\n".repeat(200_000);
        let marks = Marks { max: RECORD_MAX, ..MARKS };
        let (mut at, mut open_until, mut spans, mut count) = (0, 0usize, Vec::new(), 0);
        while at < data.len() {
            match parse(&data[at..], true, marks, open_until.saturating_sub(at), &mut spans) {
                Parsed::Unclosed { until } => {
                    open_until = open_until.max(at + until);
                    at += 5;
                    count += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(count, 200_000);
    }

    proptest! {
        #[test]
        fn what_was_seen_before_changes_nothing(data in "[a,\"\"\n]{0,60}") {
            prop_assert_eq!(lens(data.as_bytes(), true), lens(data.as_bytes(), false));
        }

        #[test]
        fn cut_anywhere_gives_the_same_record(data in "[a,\"\r\n]{0,24}", cut in 0usize..24) {
            let whole = data.as_bytes();
            let (mut full, mut part) = (Vec::new(), Vec::new());
            let want = parse(whole, true, MARKS, 0, &mut full);
            let got = parse(&whole[..cut.min(whole.len())], false, MARKS, 0, &mut part);
            if got != Parsed::Incomplete {
                prop_assert_eq!(got, want);
                prop_assert_eq!(part, full);
            }
        }
    }
}
