//! A table named in a plan: `store`, `store.table` or `store.schema.table`. Whether it exists is not known here.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A table in a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableRef {
    /// The store's name in the plan.
    pub store: String,
    /// The schema, where the store has them.
    pub schema: Option<String>,
    /// The table; none when the store is a single file or a glob.
    pub table: Option<String>,
}

/// A text does not name a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableRefError {
    /// A part is empty.
    #[error("a part of the name is empty")]
    EmptyPart,
    /// A quote is not closed, or stands inside a part.
    #[error("a quote is not closed or stands in the middle of a part")]
    Quote,
    /// More than store, schema and table.
    #[error("it has more than three parts")]
    TooManyParts,
}

impl FromStr for TableRef {
    type Err = TableRefError;

    fn from_str(text: &str) -> Result<TableRef, TableRefError> {
        let mut parts = split_quoted(text)?.into_iter();
        let store = parts.next().ok_or(TableRefError::EmptyPart)?;
        let (schema, table) = match (parts.next(), parts.next()) {
            (None, _) => (None, None),
            (Some(table), None) => (None, Some(table)),
            (Some(schema), Some(table)) => (Some(schema), Some(table)),
        };
        match parts.next() {
            None => Ok(TableRef { store, schema, table }),
            Some(_) => Err(TableRefError::TooManyParts),
        }
    }
}

/// Splits at dots outside quotes; `""` inside quotes is one quote.
fn split_quoted(text: &str) -> Result<Vec<String>, TableRefError> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => take_quoted(quoted)?,
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                let part = &rest[..end];
                if part.contains('"') {
                    return Err(TableRefError::Quote);
                }
                (part.trim().to_owned(), &rest[end..])
            }
        };
        if part.is_empty() {
            return Err(TableRefError::EmptyPart);
        }
        parts.push(part);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(parts),
            None => return Err(TableRefError::Quote),
        }
    }
}

/// A quoted part after its opening quote, and what follows the closing one.
fn take_quoted(text: &str) -> Result<(String, &str), TableRefError> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"').ok_or(TableRefError::Quote)?;
        part.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                part.push('"');
                rest = after;
            }
            None => return Ok((part, rest)),
        }
    }
}

impl fmt::Display for TableRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_part(f, &self.store)?;
        for part in self.schema.iter().chain(&self.table) {
            f.write_str(".")?;
            write_part(f, part)?;
        }
        Ok(())
    }
}

fn write_part(f: &mut fmt::Formatter<'_>, part: &str) -> fmt::Result {
    let plain = part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'));
    if plain && !part.is_empty() { f.write_str(part) } else { write!(f, "\"{}\"", part.replace('"', "\"\"")) }
}

impl Serialize for TableRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str) -> (String, Option<String>, Option<String>) {
        let table: TableRef = text.parse().unwrap();
        (table.store, table.schema, table.table)
    }

    #[test]
    fn reads_one_two_and_three_parts() {
        assert_eq!(parts("accounts"), ("accounts".into(), None, None));
        assert_eq!(parts("crm.customers"), ("crm".into(), None, Some("customers".into())));
        let quoted = parts(r#"crm."Old ""Sales"""."Order.Lines""#);
        assert_eq!(quoted, ("crm".into(), Some("Old \"Sales\"".into()), Some("Order.Lines".into())));
    }

    #[test]
    fn refuses_what_names_nothing() {
        let error = |text: &str| text.parse::<TableRef>().unwrap_err();
        assert_eq!(error(""), TableRefError::EmptyPart);
        assert_eq!(error("crm."), TableRefError::EmptyPart);
        assert_eq!(error("crm.\"x"), TableRefError::Quote);
        assert_eq!(error("crm.\"x\"y"), TableRefError::Quote);
        assert_eq!(error("a.b.c.d"), TableRefError::TooManyParts);
    }

    proptest! {
        #[test]
        fn display_and_parse_are_inverse(
            store in "[^\\s]{1,8}",
            rest in prop::option::of((prop::option::of(".{1,6}"), ".{1,6}")),
        ) {
            let (schema, table) = rest.map_or((None, None), |(schema, table)| (schema, Some(table)));
            let table = TableRef { store, schema, table };
            prop_assert_eq!(table.to_string().parse::<TableRef>().unwrap(), table);
        }
    }
}
