//! Reads single values out of the front matter, notes where they stand, and says what is wrong with the others. Knows
//! TOML, not notices.

use std::collections::BTreeMap;
use std::ops::Range;

use dunlin_plan::{Finding, Span, suggestion};
use jiff::civil::Date;
use toml_edit::{Item, TableLike, Value};

use crate::vocabulary::Word;

pub(super) struct Reader {
    /// Where the front matter begins.
    pub(super) base: usize,
    pub(super) items: Vec<Finding>,
    pub(super) places: BTreeMap<String, Span>,
}

/// A table of the front matter and the path of its keys.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) table: &'a dyn TableLike,
    /// `first.`, `message.0.`; empty at the top.
    pub(super) path: &'a str,
    /// For messages: `[first]`.
    pub(super) name: &'a str,
    pub(super) span: Span,
}

impl Reader {
    fn shift(&self, span: Range<usize>) -> Span {
        Span { start: span.start + self.base, end: span.end + self.base }
    }

    pub(super) fn error(&mut self, rule: &'static str, field: &str, message: &str, help: &str) {
        let span = self.places.get(field).copied().unwrap_or_default();
        self.items.push(Finding::error(rule, span, message).help(help));
    }

    pub(super) fn missing(&mut self, part: Part<'_>, key: &str, example: &str) {
        let message = format!("{} has no `{key}`", part.name);
        self.items
            .push(Finding::error("tell-missing-key", part.span, message).help(format!("add {example}")));
    }

    pub(super) fn known(&mut self, part: Part<'_>, keys: &[&str]) {
        for (key, item) in part.table.iter().filter(|(_, item)| !item.is_none()) {
            if keys.contains(&key) {
                continue;
            }
            let place = part.table.key(key).and_then(|key| key.span()).or_else(|| item.span());
            let span = place.map_or(part.span, |span| self.shift(span));
            let message = format!("unknown key `{key}` in {}", part.name);
            let help = suggestion(key, keys.iter().copied());
            self.items.push(Finding::error("tell-unknown-key", span, message).help(help));
        }
    }

    /// The value under a key, noted with its place.
    fn item<'a>(&mut self, part: Part<'a>, key: &str) -> Option<&'a Item> {
        let item = part.table.get(key).filter(|item| !item.is_none())?;
        let place = item.span().or_else(|| part.table.key(key).and_then(|key| key.span()));
        let span = place.map_or(part.span, |span| self.shift(span));
        self.places.insert(format!("{}{key}", part.path), span);
        Some(item)
    }

    fn read<T>(
        &mut self,
        part: Part<'_>,
        key: &str,
        wanted: &str,
        read: fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let item = self.item(part, key)?;
        let value = item.as_value().and_then(read);
        if value.is_none() {
            let message = format!("`{key}` in {} is not {wanted}", part.name);
            self.error(
                "tell-wrong-type",
                &format!("{}{key}", part.path),
                &message,
                &format!("give {wanted}"),
            );
        }
        value
    }

    pub(super) fn text(&mut self, part: Part<'_>, key: &str) -> Option<String> {
        self.read(part, key, "a text", |value| value.as_str().map(str::to_owned))
    }

    /// A text that must be there and say something.
    pub(super) fn required(&mut self, part: Part<'_>, key: &str, example: &str) -> Option<String> {
        if part.table.get(key).is_none_or(Item::is_none) {
            self.missing(part, key, example);
            return None;
        }
        let text = self.text(part, key)?;
        if text.trim().is_empty() {
            let message = format!("`{key}` in {} says nothing", part.name);
            self.error(
                "tell-missing-key",
                &format!("{}{key}", part.path),
                &message,
                &format!("write {example}"),
            );
            return None;
        }
        Some(text)
    }

    pub(super) fn texts(&mut self, part: Part<'_>, key: &str) -> Option<Vec<String>> {
        self.read(part, key, "a list of texts", |value| {
            value.as_array()?.iter().map(|value| value.as_str().map(str::to_owned)).collect()
        })
    }

    pub(super) fn integer(&mut self, part: Part<'_>, key: &str) -> Option<i64> {
        self.read(part, key, "a whole number", Value::as_integer)
    }

    pub(super) fn date(&mut self, part: Part<'_>, key: &str) -> Option<Date> {
        self.read(part, key, "a date without quotes, like 2026-12-05", |value| {
            let toml = value.as_datetime()?;
            let date = toml.date.filter(|_| toml.time.is_none() && toml.offset.is_none())?;
            Date::new(
                i16::try_from(date.year).ok()?,
                i8::try_from(date.month).ok()?,
                i8::try_from(date.day).ok()?,
            )
            .ok()
        })
    }

    pub(super) fn word<T: Word>(&mut self, text: &str, field: &str) -> Option<T> {
        let word = T::from_word(text);
        if word.is_none() {
            let help = suggestion(text, T::ALL.iter().map(|word| word.as_str()));
            self.error("tell-unknown-word", field, &format!("unknown {} `{text}`", T::WHAT), &help);
        }
        word
    }

    pub(super) fn section<'a>(
        &mut self,
        part: Part<'a>,
        key: &str,
        path: &'a str,
        name: &'a str,
    ) -> Option<Part<'a>> {
        let item = self.item(part, key)?;
        let field = format!("{}{key}", part.path);
        let span = self.places.get(&field).copied().unwrap_or_default();
        match item.as_table_like() {
            Some(table) => Some(Part { table, path, name, span }),
            None => {
                let message = format!("`{key}` in {} is not a table", part.name);
                self.error("tell-wrong-type", &field, &message, &format!("write it under a header: [{key}]"));
                None
            }
        }
    }

    /// Each table of a list, read by `read`; those that cannot be read have findings of their own.
    pub(super) fn each<T>(
        &mut self,
        top: Part<'_>,
        key: &str,
        read: fn(&mut Reader, Part<'_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(item) = self.item(top, key) else { return Vec::new() };
        let tables: Vec<&dyn TableLike> = match item {
            Item::ArrayOfTables(tables) => tables.iter().map(|table| table as &dyn TableLike).collect(),
            Item::Value(Value::Array(values)) => {
                values.iter().filter_map(|value| Some(value.as_inline_table()? as &dyn TableLike)).collect()
            }
            _ => Vec::new(),
        };
        if tables.is_empty() {
            let message = format!("`{key}` is not a list of tables");
            self.error("tell-wrong-type", key, &message, &format!("write each one under [[{key}]]"));
        }
        let place = self.places.get(key).copied().unwrap_or_default();
        let read_one = |(number, table): (usize, &dyn TableLike)| {
            let (path, name) = (format!("{key}.{number}."), format!("[[{key}]] {}", number + 1));
            read(self, Part { table, path: &path, name: &name, span: place })
        };
        tables.into_iter().enumerate().filter_map(read_one).collect()
    }
}
