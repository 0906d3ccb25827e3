//! `[table.columns]` and `[table.drop]`: how each target column is made, and what stays behind.

use toml_edit::TableLike;

use super::super::country;
use crate::finding::{Finding, Log, Span};
use crate::table::{ColumnPlan, ColumnValue, Drop, Sql, quote_identifier};
use crate::vocabulary::CleanFn;
use crate::walk::{Entry, Section, Spanned, Walk, entries_of, item_span, wrong_type};

pub(crate) const COLUMN: Section = Section {
    form: "Column",
    keys: &["sql", "from", "clean", "region", "formats", "sentinels", "kind", "protect"],
};

pub(super) fn columns(table: &Walk<'_>, log: &mut Log) -> Vec<ColumnPlan> {
    let Some((columns, span)) = table.child("columns", log) else { return Vec::new() };
    let mut plans = Vec::new();
    for entry in entries_of(columns, span) {
        let before = log.items.len();
        plans.extend(column(table, &entry, log));
        for item in &mut log.items[before..] {
            item.column = Some(entry.key.to_owned());
        }
    }
    plans
}

fn column(table: &Walk<'_>, entry: &Entry<'_>, log: &mut Log) -> Option<ColumnPlan> {
    let target = entry.key.to_owned();
    let span = item_span(entry.item, entry.key_span);
    let place = format!("column `{target}` of {}", table.place);
    if let Some(sql) = entry.item.as_str() {
        let value = ColumnValue::Sql(expression(sql.to_owned(), span, &place, log)?);
        return Some(ColumnPlan { target, value, kind: None, protect: None, span: entry.key_span });
    }
    let Some(options) = entry.item.as_table_like() else {
        wrong_type(&place, "an SQL expression as a text, or a table", entry.item, span, log);
        return None;
    };
    described(target, place, options, entry.key_span, log)
}

fn expression(text: String, span: Span, place: &str, log: &mut Log) -> Option<Sql> {
    if text.trim().is_empty() {
        let message = format!("the expression of {place} is empty");
        let help = "write SQL over source columns; for nothing at all write \"null\"";
        log.push(Finding::error("plan-empty", span, message).help(help));
        return None;
    }
    Some(Sql { text, span })
}

/// A column given as a table.
fn described(
    target: String,
    place: String,
    table: &dyn TableLike,
    span: Span,
    log: &mut Log,
) -> Option<ColumnPlan> {
    let walk = Walk::enter(table, &COLUMN, place, span, log);
    let sql = walk.words("sql", log);
    let from = walk.words("from", log);
    let function: Option<CleanFn> = walk.word("clean", log);
    let region = country(walk.words("region", log), log);
    let formats = plain(walk.texts("formats", log));
    let sentinels = plain(walk.texts("sentinels", log));
    let kind = walk.word("kind", log);
    let protect = walk.word("protect", log);
    check_options(&walk, function, log);
    let value = match (sql, from) {
        (Some(sql), None) => ColumnValue::Sql(Sql { text: sql.value, span: sql.span }),
        (None, Some(from)) if !walk.has("clean") => {
            ColumnValue::Sql(Sql { text: quote_identifier(&from.value), span: from.span })
        }
        (None, Some(from)) => {
            ColumnValue::Clean { function: function?, from: from.value, region, formats, sentinels }
        }
        _ => return None,
    };
    Some(ColumnPlan { target, value, kind, protect, span })
}

fn plain(texts: Option<Spanned<Vec<Spanned<String>>>>) -> Vec<String> {
    texts.into_iter().flat_map(|texts| texts.value).map(|text| text.value).collect()
}

/// Which options go together.
fn check_options(walk: &Walk<'_>, function: Option<CleanFn>, log: &mut Log) {
    let mut error = |key: &str, message: String, help: &str| {
        log.push(Finding::error("plan-column", walk.value_span(key), message).help(help));
    };
    if walk.has("sql") && walk.has("from") {
        error("sql", format!("{} has both `sql` and `from`", walk.place), "keep one of them");
    } else if walk.has("sql") && walk.has("clean") {
        let help = "write `from = \"source_column\"` beside `clean`, or only `sql`";
        error("clean", format!("{} has both `sql` and `clean`", walk.place), help);
    } else if !walk.has("sql") && !walk.has("from") {
        let help = "add `from = \"source_column\"` or `sql = \"expression\"`";
        error("", format!("{} does not say where its value comes from", walk.place), help);
    }
    let regional = [CleanFn::Phone, CleanFn::Postcode, CleanFn::Number, CleanFn::Country, CleanFn::Date];
    let options: [(&str, &[CleanFn]); 3] =
        [("region", &regional), ("formats", &[CleanFn::Date]), ("sentinels", &[CleanFn::Sentinel])];
    // A misspelt function has its own finding already.
    let known = function.is_some() || !walk.has("clean");
    for (key, takers) in options {
        if known && walk.has(key) && !function.is_some_and(|function| takers.contains(&function)) {
            let takers: Vec<String> = takers.iter().map(|taker| format!("`clean = \"{taker}\"`")).collect();
            let message = format!("`{key}` of {} does not act", walk.place);
            error(key, message, &format!("it belongs to {}", takers.join(", ")));
        }
    }
}

pub(super) fn drops(table: &Walk<'_>, log: &mut Log) -> Vec<Drop> {
    let Some((drops, span)) = table.child("drop", log) else { return Vec::new() };
    let drops = entries_of(drops, span).into_iter().filter_map(|entry| {
        let span = item_span(entry.item, entry.key_span);
        let column = entry.key.to_owned();
        let Some(reason) = entry.item.as_str() else {
            let place = format!("`{column}` in [table.drop]");
            wrong_type(&place, "the reason as a text", entry.item, span, log);
            return None;
        };
        if reason.trim().is_empty() {
            let message = format!("column `{column}` is dropped without a reason");
            let help = "say why it stays behind; the report shows it";
            log.push(Finding::error("plan-drop-reason", span, message).help(help));
        }
        Some(Drop { column, reason: reason.to_owned(), span: entry.key_span })
    });
    drops.collect()
}
