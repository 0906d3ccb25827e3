//! First passes over a JSON Lines file: which columns it has, and where it can be cut.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

use super::super::csv::Border;
use super::super::dialect::Dialect;
use super::lines::{Lines, Token, members, token};
use crate::{Column, ColumnType};

/// What a column's tokens have been.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    text: bool,
    integer: bool,
    number: bool,
    bool: bool,
    nested: bool,
}

impl Seen {
    fn add(&mut self, raw: &str) {
        match token(raw) {
            Token::Null => {}
            Token::Bool => self.bool = true,
            Token::Integer => self.integer = true,
            Token::Number => self.number = true,
            Token::Text => self.text = true,
            Token::Nested => self.nested = true,
        }
    }

    /// Mixed columns are JSON, which keeps every token as it stands.
    fn ty(self) -> ColumnType {
        let Self { text, integer, number, bool, nested } = self;
        match (text, integer || number, bool, nested) {
            (_, false, false, false) => ColumnType::TEXT,
            (false, true, false, false) if number => ColumnType::Numeric,
            (false, true, false, false) => ColumnType::Int64,
            (false, false, true, false) => ColumnType::Bool,
            _ => ColumnType::Json,
        }
    }
}

/// The columns of some files: every name in the order in which it first appears, typed by all of its values.
pub(in super::super) fn columns(files: &[&Path], dialect: &Dialect) -> io::Result<Vec<Column>> {
    let mut names: Vec<(String, Seen)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for path in files {
        let mut lines = Lines::open(path, 0, Some(1), u64::MAX)?;
        while lines.advance()? {
            let Some(text) = dialect.decode(lines.text()) else { continue };
            let Some(members) = members(&text) else { continue };
            for (name, value) in members.0 {
                let place = match places.get(&name) {
                    Some(place) => *place,
                    None => {
                        places.insert(name.clone(), names.len());
                        names.push((name, Seen::default()));
                        names.len() - 1
                    }
                };
                names[place].1.add(value.get());
            }
        }
    }
    Ok(names.into_iter().map(|(name, seen)| Column::new(name, seen.ty())).collect())
}

/// As [`super::super::csv::scan`], for lines.
pub(in super::super) fn scan(
    path: &Path,
    limit: u64,
    cut: (u64, u64),
    keep: &[u64],
) -> io::Result<(Vec<Border>, u64)> {
    let last_kept = keep.last().copied().unwrap_or(0);
    let keep: HashSet<u64> = keep.iter().copied().collect();
    let mut lines = Lines::open(path, 0, Some(1), limit)?;
    let mut borders = Vec::new();
    let (mut count, mut since, mut start) = (0u64, 0u64, 0u64);
    while lines.advance()? {
        let offset = lines.offset();
        let full = since >= cut.0 || offset - start >= cut.1;
        if keep.contains(&offset) || (offset > last_kept && full && count > 0) {
            borders.push(Border { offset, line: lines.line() });
            (since, start) = (0, offset);
        }
        count += 1;
        since += 1;
    }
    Ok((borders, count))
}
