//! Reads typed values out of the parsed text and says what is wrong with the others. Knows TOML, not the plan.

use jiff::civil::Date;
use toml_edit::{Item, TableLike, Value};

use crate::finding::{Finding, Log, Span, suggestion};
use crate::vocabulary::Word;

/// The keys that a part of the plan may have. A test holds them against the schema.
pub(crate) struct Section {
    /// The name of the schema's definition.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the test that compares with the schema asks"))]
    pub(crate) form: &'static str,
    pub(crate) keys: &'static [&'static str],
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// One table of the text, with the words to name it in a message.
pub(crate) struct Walk<'a> {
    table: &'a dyn TableLike,
    /// For messages: `[plan]`, `[[table]] "atlas.people"`.
    pub(crate) place: String,
    /// The header or the key that names the table.
    pub(crate) span: Span,
}

/// An entry of a table whose keys are free.
pub(crate) struct Entry<'a> {
    pub(crate) key: &'a str,
    pub(crate) key_span: Span,
    pub(crate) item: &'a Item,
}

impl<'a> Walk<'a> {
    /// Enters a table and reports the keys that do not belong.
    pub(crate) fn enter(
        table: &'a dyn TableLike,
        section: &Section,
        place: impl Into<String>,
        span: Span,
        log: &mut Log,
    ) -> Walk<'a> {
        let walk = Walk { table, place: place.into(), span };
        for entry in walk.entries() {
            if !section.keys.contains(&entry.key) {
                if crate::redact::names_secret(entry.key) {
                    log.secrets.push(item_span(entry.item, entry.key_span));
                }
                let message = format!("unknown key `{}` in {}", entry.key, walk.place);
                let help = suggestion(entry.key, section.keys.iter().copied());
                log.push(Finding::error("plan-unknown-key", entry.key_span, message).help(help));
            }
        }
        walk
    }

    /// Every entry, in the order of the text.
    pub(crate) fn entries(&self) -> Vec<Entry<'a>> {
        entries_of(self.table, self.span)
    }

    fn item(&self, key: &str) -> Option<&'a Item> {
        self.table.get(key).filter(|item| !item.is_none())
    }

    fn key_span(&self, key: &str) -> Span {
        self.table.key(key).and_then(|key| key.span()).map_or(self.span, Span::from)
    }

    /// The place of a key's value, or of the table when it is absent.
    pub(crate) fn value_span(&self, key: &str) -> Span {
        self.item(key).map_or(self.span, |item| item_span(item, self.key_span(key)))
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.item(key).is_some()
    }

    /// Says that a key is missing.
    pub(crate) fn missing(&self, key: &str, log: &mut Log, example: &str) {
        let message = format!("{} has no `{key}`", self.place);
        log.push(Finding::error("plan-missing-key", self.span, message).help(format!("add {example}")));
    }

    fn wrong_type(&self, key: &str, wanted: &str, log: &mut Log) {
        let Some(item) = self.item(key) else { return };
        let place = format!("`{key}` in {}", self.place);
        wrong_type(&place, wanted, item, item_span(item, self.key_span(key)), log);
    }

    /// A value of a key, read by `read`; a value that it cannot read is of the wrong type.
    fn read<T>(
        &self,
        key: &str,
        wanted: &str,
        log: &mut Log,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<Spanned<T>> {
        let item = self.item(key)?;
        match item.as_value().and_then(read) {
            Some(value) => Some(Spanned { value, span: item_span(item, self.key_span(key)) }),
            None => {
                self.wrong_type(key, wanted, log);
                None
            }
        }
    }

    pub(crate) fn text(&self, key: &str, log: &mut Log) -> Option<Spanned<String>> {
        self.read(key, "a text", log, |value| value.as_str().map(str::to_owned))
    }

    /// A text that must say something, when it is there.
    pub(crate) fn words(&self, key: &str, log: &mut Log) -> Option<Spanned<String>> {
        let text = self.text(key, log)?;
        if text.value.trim().is_empty() {
            let message = format!("`{key}` in {} is empty", self.place);
            log.push(
                Finding::error("plan-empty", text.span, message).help("write something, or remove the key"),
            );
            return None;
        }
        Some(text)
    }

    /// A text that must be there and say something.
    pub(crate) fn required(&self, key: &str, example: &str, log: &mut Log) -> Option<Spanned<String>> {
        if !self.has(key) {
            self.missing(key, log, example);
        }
        self.words(key, log)
    }

    pub(crate) fn truth(&self, key: &str, log: &mut Log) -> Option<bool> {
        self.read(key, "true or false", log, Value::as_bool).map(|truth| truth.value)
    }

    pub(crate) fn number(&self, key: &str, log: &mut Log) -> Option<Spanned<f64>> {
        #[expect(clippy::cast_precision_loss, reason = "small numbers such as 0 and 1")]
        let read = |value: &Value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
        self.read(key, "a number", log, read)
    }

    /// A local date, for example `2027-06-30`.
    pub(crate) fn date(&self, key: &str, log: &mut Log) -> Option<Spanned<Date>> {
        self.read(key, "a date without quotes, for example 2027-06-30", log, |value| {
            let moment = value.as_datetime()?;
            let date = moment.date.filter(|_| moment.time.is_none())?;
            Date::new(date.year.try_into().ok()?, date.month.try_into().ok()?, date.day.try_into().ok()?).ok()
        })
    }

    pub(crate) fn texts(&self, key: &str, log: &mut Log) -> Option<Spanned<Vec<Spanned<String>>>> {
        let span = self.value_span(key);
        self.read(key, "a list of texts", log, |value| {
            let texts = value.as_array()?.iter().map(|value| {
                let span = value.span().map_or(span, Span::from);
                value.as_str().map(|text| Spanned { value: text.to_owned(), span })
            });
            texts.collect()
        })
    }

    /// A word of a closed vocabulary.
    pub(crate) fn word<T: Word>(&self, key: &str, log: &mut Log) -> Option<T> {
        let text = self.text(key, log)?;
        parse_word(&text, log)
    }

    /// A list of words of a closed vocabulary.
    pub(crate) fn word_list<T: Word>(&self, key: &str, log: &mut Log) -> Vec<T> {
        let Some(texts) = self.texts(key, log) else { return Vec::new() };
        texts.value.iter().filter_map(|text| parse_word(text, log)).collect()
    }

    /// A table under a key.
    pub(crate) fn child(&self, key: &str, log: &mut Log) -> Option<(&'a dyn TableLike, Span)> {
        let item = self.item(key)?;
        match item.as_table_like() {
            Some(table) => Some((table, table_span(item, self.key_span(key)))),
            None => {
                self.wrong_type(key, "a table", log);
                None
            }
        }
    }

    /// The tables of a list: `[[key]]`, or a list of inline tables.
    pub(crate) fn children(&self, key: &str, header: &str, log: &mut Log) -> Vec<(&'a dyn TableLike, Span)> {
        let Some(item) = self.item(key) else { return Vec::new() };
        let fallback = self.key_span(key);
        if let Some(tables) = item.as_array_of_tables() {
            let tables = tables.iter();
            return tables.map(|t| (t as &dyn TableLike, t.span().map_or(fallback, Span::from))).collect();
        }
        let inline = item.as_array().and_then(|array| {
            let tables = array.iter().map(|value| {
                let table = value.as_inline_table()?;
                Some((table as &dyn TableLike, value.span().map_or(fallback, Span::from)))
            });
            tables.collect::<Option<Vec<_>>>()
        });
        inline.unwrap_or_else(|| {
            self.wrong_type(key, &format!("a list of tables: head each by `{header}`"), log);
            Vec::new()
        })
    }
}

/// Every entry of a table, in the order of the text.
pub(crate) fn entries_of(table: &dyn TableLike, fallback: Span) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = table
        .iter()
        .filter(|(_, item)| !item.is_none())
        .map(|(key, item)| {
            let key_span = table.key(key).and_then(|key| key.span()).map_or(fallback, Span::from);
            Entry { key, key_span, item }
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    entries
}

/// The place of an item; a table written under a header is named by that header.
pub(crate) fn item_span(item: &Item, key_span: Span) -> Span {
    match item {
        Item::Value(value) => value.span().map_or(key_span, Span::from),
        _ => table_span(item, key_span),
    }
}

fn table_span(item: &Item, key_span: Span) -> Span {
    match item {
        Item::Table(table) if table.is_dotted() || table.is_implicit() => key_span,
        _ => item.span().map_or(key_span, Span::from),
    }
}

/// Says that a value is of the wrong type.
pub(crate) fn wrong_type(place: &str, wanted: &str, item: &Item, span: Span, log: &mut Log) {
    let found = match item {
        Item::None => "nothing",
        Item::Table(_) | Item::Value(Value::InlineTable(_)) => "a table",
        Item::ArrayOfTables(_) => "a list of tables",
        Item::Value(Value::Array(_)) => "a list",
        Item::Value(Value::String(_)) => "a text",
        Item::Value(Value::Integer(_) | Value::Float(_)) => "a number",
        Item::Value(Value::Boolean(_)) => "true or false",
        Item::Value(Value::Datetime(_)) => "a date or time",
    };
    let message = format!("{place} is {found}");
    log.push(Finding::error("plan-wrong-type", span, message).help(format!("it must be {wanted}")));
}

/// A word of a closed vocabulary, or a finding with the nearest one.
pub(crate) fn parse_word<T: Word>(text: &Spanned<String>, log: &mut Log) -> Option<T> {
    let word = T::from_word(&text.value);
    if word.is_none() {
        let message = format!("unknown {} `{}`", T::WHAT, text.value);
        let help = suggestion(&text.value, T::ALL.iter().map(|word| word.as_str()));
        log.push(Finding::error("plan-unknown-word", text.span, message).help(help));
    }
    word
}
