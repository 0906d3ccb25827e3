//! The lines of a JSON Lines file, and the members of the object on one.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::window::{Window, count_byte};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A cursor over the lines of a file that are not blank.
pub(in super::super) struct Lines {
    window: Window,
    len: usize,
    line: u64,
}

impl Lines {
    /// From a line's start to `limit`; the line's number is counted where it is not known.
    pub(in super::super) fn open(path: &Path, from: u64, line: Option<u64>, limit: u64) -> io::Result<Self> {
        let line = match line {
            Some(line) => line,
            None if from == 0 => 1,
            None => count_byte(path, b'\n', from)? + 1,
        };
        // `advance` counts on from the line before.
        Ok(Self { window: Window::open(path, from, limit)?, len: 0, line: line - 1 })
    }

    /// Goes to the next line that is not blank; false at the end.
    pub(in super::super) fn advance(&mut self) -> io::Result<bool> {
        loop {
            self.window.consume(self.len);
            self.len = 0;
            let mut seen = 0;
            self.len = loop {
                let data = self.window.bytes();
                if let Some(at) = memchr::memchr(b'\n', &data[seen..]) {
                    break seen + at + 1;
                }
                if self.window.at_end() {
                    break data.len();
                }
                seen = data.len();
                self.window.fill()?;
            };
            if self.len == 0 {
                return Ok(false);
            }
            self.line += 1;
            if !self.text().is_empty() {
                return Ok(true);
            }
        }
    }

    /// The line's bytes, its end included.
    pub(in super::super) fn bytes(&self) -> &[u8] {
        &self.window.bytes()[..self.len]
    }

    /// The line without surrounding blanks and without a byte order mark.
    pub(super) fn text(&self) -> &[u8] {
        let bytes = self.bytes();
        let bytes = if self.offset() == 0 { bytes.strip_prefix(BOM).unwrap_or(bytes) } else { bytes };
        bytes.trim_ascii()
    }

    /// Where the line starts in the file.
    pub(in super::super) fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// Its number, from 1.
    pub(in super::super) fn line(&self) -> u64 {
        self.line
    }
}

/// The members of an object in their order, values as they stand.
pub(super) struct Members<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members_;
        impl<'de> Visitor<'de> for Members_ {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut out = Vec::new();
                let mut seen = HashSet::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    // Of two members with one name one would be lost.
                    if !seen.insert(key.clone()) {
                        return Err(A::Error::custom("a name stands twice"));
                    }
                    out.push((key, value));
                }
                Ok(Members(out))
            }
        }
        deserializer.deserialize_map(Members_)
    }
}

/// The members of the object on a line, or `None` where it is no object.
pub(super) fn members(text: &str) -> Option<Members<'_>> {
    serde_json::from_str(text).ok()
}

/// What kind of value a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Null,
    Bool,
    /// Digits that fit 64 bits and come back as they are.
    Integer,
    /// Any other number.
    Number,
    Text,
    /// An object or array.
    Nested,
}

/// Looks at a token.
pub(super) fn token(raw: &str) -> Token {
    match raw.as_bytes().first() {
        Some(b'n') => Token::Null,
        Some(b't' | b'f') => Token::Bool,
        Some(b'"') => Token::Text,
        Some(b'{' | b'[') => Token::Nested,
        _ if raw != "-0" && raw.parse::<i64>().is_ok() => Token::Integer,
        _ => Token::Number,
    }
}
