//! The statements that make tables and indexes.

use super::connection::{quote, quote_all};
use super::types::{declared, nearest_type};
use crate::{Column, ColumnType, ForeignKey, Index, Table, text};

/// The statement that creates a table. SQLite can add unique constraints and foreign keys only here.
pub(super) fn create_table(table: &Table) -> String {
    let rowid = rowid_column(table);
    let mut parts: Vec<String> = table.columns.iter().map(|c| column(c, rowid)).collect();
    if rowid.is_none() && !table.primary_key.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", quote_all(&table.primary_key)));
    }
    parts.extend(table.uniques.iter().map(|u| format!("UNIQUE ({})", quote_all(&u.columns))));
    parts.extend(table.foreign_keys.iter().map(foreign_key));
    format!("CREATE TABLE {} (\n  {}\n)", quote(&table.name.name), parts.join(",\n  "))
}

/// The column that becomes the rowid: a primary key of one integer.
fn rowid_column(table: &Table) -> Option<&Column> {
    match table.primary_key.as_slice() {
        [only] => table.column(only).filter(|c| nearest_type(&c.ty) == ColumnType::Int64),
        _ => None,
    }
}

fn column(column: &Column, rowid: Option<&Column>) -> String {
    let name = quote(&column.name);
    if rowid.is_some_and(|r| r.name == column.name) {
        let counter = if column.identity.is_some() { " AUTOINCREMENT" } else { "" };
        return format!("{name} INTEGER PRIMARY KEY{counter}");
    }
    let mut out = format!("{name} {}", declared(&column.ty));
    if !column.nullable {
        out.push_str(" NOT NULL");
    }
    if let Some(default) = column.default.as_deref().and_then(|d| portable_default(d, &column.ty)) {
        out.push_str(" DEFAULT ");
        out.push_str(&default);
    }
    out
}

fn foreign_key(key: &ForeignKey) -> String {
    let parent = quote(&key.parent.name);
    let columns = quote_all(&key.columns);
    let mut out = format!("FOREIGN KEY ({columns}) REFERENCES {parent}");
    if !key.parent_columns.is_empty() {
        out.push_str(&format!(" ({})", quote_all(&key.parent_columns)));
    }
    for (event, action) in [("DELETE", &key.on_delete), ("UPDATE", &key.on_update)] {
        if matches!(action.as_str(), "CASCADE" | "SET NULL" | "SET DEFAULT" | "RESTRICT") {
            out.push_str(&format!(" ON {event} {action}"));
        }
    }
    if key.deferrable {
        out.push_str(" DEFERRABLE INITIALLY DEFERRED");
    }
    out
}

/// A default that is a literal, in SQLite's words; `None` for anything that is computed.
fn portable_default(default: &str, ty: &ColumnType) -> Option<String> {
    let mut default = default.trim();
    while let Some(inner) = default.strip_prefix('(').and_then(|d| d.strip_suffix(')')) {
        default = inner.trim();
    }
    if let Some(rest) = default.strip_prefix('\'') {
        let end = closing_quote(rest)?;
        let tail = &rest[end + 1..];
        let plain = tail.is_empty() || tail.starts_with("::");
        return plain.then(|| format!("'{}'", &rest[..end]));
    }
    let word = default.split("::").next().unwrap_or_default().trim();
    if *ty == ColumnType::Bool {
        return text::parse_bool(word.as_bytes()).ok().map(|value| u8::from(value).to_string());
    }
    let is_number = text::parse_numeric(word.as_bytes()).is_ok() && word.bytes().any(|b| b.is_ascii_digit());
    is_number.then(|| word.to_owned())
}

/// Where a text in quotes ends; two quotes are one inside it.
fn closing_quote(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\'' && bytes.next_if(|(_, next)| *next == b'\'').is_none() {
            return Some(at);
        }
    }
    None
}

/// The statements that may make an index, best first: its own statement turned to this table, where it is SQLite's,
/// then its plain columns. None where SQLite cannot have it.
pub(super) fn create_index(table: &Table, index: &Index) -> Vec<String> {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let head =
        format!("CREATE {unique}INDEX IF NOT EXISTS {} ON {}", quote(&index.name), quote(&table.name.name));
    let own = index.definition.as_deref().and_then(body).map(|body| format!("{head} {body}"));
    let known = !index.columns.is_empty() && index.columns.iter().all(|c| table.column(c).is_some());
    let plain = known.then(|| format!("{head} ({})", quote_all(&index.columns)));
    own.into_iter().chain(plain).collect()
}

/// From the first parenthesis on, unless the statement is of another system (`USING btree`).
fn body(definition: &str) -> Option<&str> {
    let (head, _) = definition.split_once('(')?;
    let foreign = head.to_ascii_uppercase().contains(" USING ") || head.contains('.');
    (!foreign).then(|| &definition[head.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_literals_are_portable_defaults() {
        let of = |default, ty: &ColumnType| portable_default(default, ty).unwrap_or_else(|| "-".into());
        assert_eq!(of("'it''s'::text", &ColumnType::TEXT), "'it''s'");
        assert_eq!(of("(0)::numeric", &ColumnType::Int64), "-");
        assert_eq!(of("((-1))", &ColumnType::Int64), "-1");
        assert_eq!(of("1.5", &ColumnType::Numeric), "1.5");
        assert_eq!(of("true", &ColumnType::Bool), "1");
        for computed in
            ["now()", "CURRENT_TIMESTAMP", "nextval('s'::regclass)", "'a' || 'b'", "NULL", "1 + 1"]
        {
            assert_eq!(of(computed, &ColumnType::TEXT), "-", "{computed}");
        }
    }
}
