//! `[[table]]` and what belongs to it.

pub(crate) mod columns;
pub(crate) mod sets;

use std::collections::BTreeMap;

use super::{sql, text};
use crate::finding::{Finding, Log, Span};
use crate::table::{Duplicates, Enrich, Fix, RulePlan, Sql, TablePlan, TotalsPlan, as_identifier};
use crate::table_ref::TableRef;
use crate::vocabulary::{Fact, IntoMode, OnErasure, Otherwise, When, Within};
use crate::walk::{Section, Spanned, Walk, entries_of, item_span, parse_word, wrong_type};

pub(crate) const TABLE: Section = Section {
    form: "Table",
    keys: &[
        "from",
        "to",
        "key",
        "purpose",
        "collected_for",
        "basis",
        "facts",
        "retain",
        "where",
        "into",
        "replace",
        "subject",
        "on_erasure",
        "columns",
        "drop",
        "rule",
        "set",
        "totals",
        "duplicates",
        "enrich",
    ],
};
pub(crate) const RULE: Section = Section { form: "Rule", keys: &["name", "check", "otherwise", "fix"] };
pub(crate) const TOTALS: Section = Section { form: "Totals", keys: &["period", "sum", "source"] };
pub(crate) const DUPLICATES: Section =
    Section { form: "Duplicates", keys: &["match", "above", "review", "within", "survivor"] };
pub(crate) const ENRICH: Section = Section { form: "Enrich", keys: &["from", "on", "add", "when"] };

pub(super) fn tables(root: &Walk<'_>, log: &mut Log) -> Vec<TablePlan> {
    let tables = root.children("table", "[[table]]", log).into_iter().filter_map(|(table, span)| {
        // Messages name a table by its target, as all output does.
        let target = table.get("to").and_then(|item| item.as_str());
        let place = target.map_or("[[table]]".to_owned(), |target| format!("[[table]] \"{target}\""));
        log.table =
            target.map(|target| target.parse().map_or(target.to_owned(), |to: TableRef| to.to_string()));
        let walk = Walk::enter(table, &TABLE, place, span, log);
        let table = self::table(&walk, log);
        log.table = None;
        table
    });
    tables.collect()
}

fn table(walk: &Walk<'_>, log: &mut Log) -> Option<TablePlan> {
    let from = table_ref(walk.required("from", "`from = \"store.table\"`", log), log);
    let to = table_ref(walk.required("to", "`to = \"store.table\"`", log), log);
    let key = key(walk, log);
    let purpose = text(walk.words("purpose", log));
    let collected_for = text(walk.words("collected_for", log));
    let basis = walk.word("basis", log);
    let facts = facts(walk, log);
    let retain = sql(walk.words("retain", log));
    let where_ = sql(walk.words("where", log));
    let columns = columns::columns(walk, log);
    let drop = columns::drops(walk, log);
    let rules = rules(walk, log);
    let sets = sets::sets(walk, log);
    let totals = totals(walk, log);
    let duplicates = duplicates(walk, log);
    let enrich = enrichments(walk, log);
    let into = walk.word("into", log).unwrap_or(IntoMode::Empty);
    let replace = walk.truth("replace", log).unwrap_or(false);
    let subject = text(walk.words("subject", log));
    let on_erasure = walk.word("on_erasure", log).unwrap_or(OnErasure::Delete);
    let span = if walk.has("to") { walk.value_span("to") } else { walk.span };
    let from_span = walk.value_span("from");
    let (from, to) = (from?, to?);
    #[rustfmt::skip]
    let table = TablePlan {
        from, to, key, purpose, collected_for, basis, facts, retain, where_, columns, drop, rules, sets, totals, duplicates, enrich, into, replace,
        subject, on_erasure, span, from_span,
    };
    Some(table)
}

/// `store`, `store.table` or `store.schema.table`.
pub(super) fn table_ref(name: Option<Spanned<String>>, log: &mut Log) -> Option<TableRef> {
    let name = name?;
    match name.value.parse() {
        Ok(table) => Some(table),
        Err(error) => {
            let message = format!("`{}` does not name a table: {error}", name.value);
            let help =
                "write `store.table` or `store.schema.table`; parts with dots or blanks stand in quotes";
            log.push(Finding::error("plan-table-name", name.span, message).help(help));
            None
        }
    }
}

/// The columns that name a row; none at all where rows have no name, and then the table is a multiset.
fn key(walk: &Walk<'_>, log: &mut Log) -> Vec<String> {
    let Some(columns) = walk.texts("key", log) else { return Vec::new() };
    if columns.value.is_empty() {
        let finding = Finding::error("plan-key", columns.span, format!("`key` in {} is empty", walk.place));
        log.push(finding.help(
            "name the source columns that tell one row from another, or leave `key` out where there are none",
        ));
    }
    let mut key: Vec<String> = Vec::new();
    for column in columns.value {
        if column.value.trim().is_empty() || key.contains(&column.value) {
            let message = format!("`key` in {} holds an empty or repeated column", walk.place);
            log.push(Finding::error("plan-key", column.span, message).help("name each column once"));
        } else {
            key.push(column.value);
        }
    }
    key
}

/// `consent_at = "agreed_on"`: a fact, and the target column that says it.
fn facts(table: &Walk<'_>, log: &mut Log) -> BTreeMap<Fact, String> {
    let Some((facts, span)) = table.child("facts", log) else { return BTreeMap::new() };
    let facts = entries_of(facts, span).into_iter().filter_map(|entry| {
        let fact = parse_word(&Spanned { value: entry.key.to_owned(), span: entry.key_span }, log)?;
        let Some(column) = entry.item.as_str() else {
            let place = format!("`{}` in [table.facts]", entry.key);
            let span = item_span(entry.item, entry.key_span);
            wrong_type(&place, "the name of a target column as a text", entry.item, span, log);
            return None;
        };
        Some((fact, column.to_owned()))
    });
    facts.collect()
}

fn rules(table: &Walk<'_>, log: &mut Log) -> Vec<RulePlan> {
    let rules = table.children("rule", "[[table.rule]]", log).into_iter().filter_map(|(rule, span)| {
        let place = match rule.get("name").and_then(|item| item.as_str()) {
            Some(name) => format!("[[table.rule]] \"{name}\""),
            None => "[[table.rule]]".to_owned(),
        };
        let walk = Walk::enter(rule, &RULE, place, span, log);
        let name = walk.required("name", "a `name` that says what must hold", log);
        let check = sql(walk.required("check", "`check = \"a condition over target columns\"`", log));
        let otherwise = walk.word("otherwise", log);
        if otherwise.is_none() && !walk.has("otherwise") {
            walk.missing("otherwise", log, "`otherwise = \"quarantine\"`: what happens to a row that fails");
        }
        let fix = fixes(&walk, log);
        check_fix(&walk, otherwise, &fix, log);
        let span = if walk.has("name") { walk.value_span("name") } else { span };
        Some(RulePlan { name: name?.value, check: check?, otherwise: otherwise?, fix, span })
    });
    rules.collect()
}

fn fixes(rule: &Walk<'_>, log: &mut Log) -> Vec<Fix> {
    let Some((table, span)) = rule.child("fix", log) else { return Vec::new() };
    let fixes = entries_of(table, span).into_iter().filter_map(|entry| {
        let span = item_span(entry.item, entry.key_span);
        match entry.item.as_str() {
            Some(text) => {
                Some(Fix { column: entry.key.to_owned(), value: Sql { text: text.to_owned(), span } })
            }
            None => {
                let place = format!("the new value of `{}` in {}", entry.key, rule.place);
                wrong_type(&place, "an SQL expression as a text", entry.item, span, log);
                None
            }
        }
    });
    fixes.collect()
}

fn check_fix(rule: &Walk<'_>, otherwise: Option<Otherwise>, fix: &[Fix], log: &mut Log) {
    let wants_fix = otherwise == Some(Otherwise::Fix);
    if wants_fix && fix.is_empty() {
        let message = format!("{} is to fix rows, but has no `fix`", rule.place);
        let help = "add `fix = { column = \"expression over target columns\" }`";
        log.push(Finding::error("plan-rule-fix", rule.value_span("otherwise"), message).help(help));
    } else if otherwise.is_some() && !wants_fix && rule.has("fix") {
        let message = format!("{} has a `fix` that never acts", rule.place);
        let help = "write `otherwise = \"fix\"`, or remove `fix`";
        log.push(Finding::error("plan-rule-fix", rule.value_span("fix"), message).help(help));
    }
}

fn totals(table: &Walk<'_>, log: &mut Log) -> Option<TotalsPlan> {
    let (totals, span) = table.child("totals", log)?;
    let walk = Walk::enter(totals, &TOTALS, "[table.totals]", span, log);
    let period = text(walk.words("period", log));
    let Some(listed) = walk.texts("sum", log) else {
        if !walk.has("sum") {
            walk.missing("sum", log, "`sum = [\"amount\"]`: the target columns that are added up");
        }
        return None;
    };
    let mut sum: Vec<String> = Vec::new();
    if listed.value.is_empty() {
        let message = format!("`sum` in {} names no column", walk.place);
        log.push(Finding::error("plan-totals", listed.span, message).help("write `sum = [\"amount\"]`"));
    }
    for column in listed.value {
        if column.value.trim().is_empty() || sum.contains(&column.value) {
            let message = format!("`sum` in {} holds an empty or repeated column", walk.place);
            log.push(Finding::error("plan-totals", column.span, message).help("name each column once"));
        } else {
            sum.push(column.value);
        }
    }
    let source = in_source(&walk, &sum, log);
    Some(TotalsPlan { period, sum, source, span })
}

/// `source = { amount = "SQL over source columns" }`.
fn in_source(totals: &Walk<'_>, sum: &[String], log: &mut Log) -> Vec<(String, Sql)> {
    let Some((table, span)) = totals.child("source", log) else { return Vec::new() };
    let said = entries_of(table, span).into_iter().filter_map(|entry| {
        let span = item_span(entry.item, entry.key_span);
        let Some(text) = entry.item.as_str() else {
            let place = format!("`{}` in `source` of {}", entry.key, totals.place);
            wrong_type(&place, "an SQL expression as a text", entry.item, span, log);
            return None;
        };
        if !sum.iter().any(|column| column == entry.key) {
            let message =
                format!("`source` in {} speaks of `{}`, which `sum` does not name", totals.place, entry.key);
            log.push(Finding::error("plan-totals", entry.key_span, message).help("add the column to `sum`"));
        }
        Some((entry.key.to_owned(), Sql { text: text.to_owned(), span }))
    });
    said.collect()
}

fn duplicates(table: &Walk<'_>, log: &mut Log) -> Option<Duplicates> {
    let (duplicates, span) = table.child("duplicates", log)?;
    let walk = Walk::enter(duplicates, &DUPLICATES, "[table.duplicates]", span, log);
    let match_ = matches(&walk, log);
    let above = probability(&walk, "above", 0.95, log);
    let review = probability(&walk, "review", above.min(0.8), log);
    if above < review {
        let message = format!("`above` ({above}) is lower than `review` ({review})");
        let help = "rows are merged at or above `above`; a person decides from `review` up to there";
        log.push(Finding::error("plan-duplicates", walk.value_span("above"), message).help(help));
    }
    let survivor = sql(walk.words("survivor", log));
    let within = within(&walk, log);
    Some(Duplicates { match_, above, review, within, survivor, span })
}

fn within(walk: &Walk<'_>, log: &mut Log) -> Vec<Within> {
    let Some(words) = walk.texts("within", log) else { return vec![Within::Source] };
    if words.value.is_empty() {
        let message = format!("`within` in {} names no side", walk.place);
        let help = "write `[\"source\"]`, `[\"source\", \"target\"]` or `[\"target\"]`";
        log.push(Finding::error("plan-duplicates", words.span, message).help(help));
    }
    let mut within: Vec<Within> = words.value.iter().filter_map(|word| parse_word(word, log)).collect();
    within.sort_unstable();
    within.dedup();
    match within.is_empty() {
        true => vec![Within::Source],
        false => within,
    }
}

fn matches(walk: &Walk<'_>, log: &mut Log) -> Vec<String> {
    let Some(lines) = walk.texts("match", log) else {
        if !walk.has("match") {
            walk.missing("match", log, "`match = [\"email\", \"full_name + born_on\"]`");
        }
        return Vec::new();
    };
    let empty = |line: &str| line.split('+').any(|column| column.trim().is_empty());
    let bad: Vec<Span> = lines.value.iter().filter(|line| empty(&line.value)).map(|line| line.span).collect();
    for span in bad.into_iter().chain(lines.value.is_empty().then_some(lines.span)) {
        let message = format!("`match` in {} names no column here", walk.place);
        log.push(Finding::error("plan-duplicates", span, message).help("join target columns by `+`"));
    }
    lines.value.into_iter().map(|line| line.value).collect()
}

fn probability(walk: &Walk<'_>, key: &str, default: f64, log: &mut Log) -> f64 {
    let Some(number) = walk.number(key, log) else { return default };
    if (0.0..=1.0).contains(&number.value) {
        return number.value;
    }
    let message = format!("`{key}` in {} is not a probability", walk.place);
    log.push(Finding::error("plan-duplicates", number.span, message).help("it lies between 0 and 1"));
    default
}

fn enrichments(table: &Walk<'_>, log: &mut Log) -> Vec<Enrich> {
    let enrichments =
        table.children("enrich", "[[table.enrich]]", log).into_iter().filter_map(|(enrich, span)| {
            let walk = Walk::enter(enrich, &ENRICH, "[[table.enrich]]", span, log);
            let from = table_ref(walk.required("from", "`from = \"store.table\"`", log), log);
            let on = walk.required("on", "`on = \"source_column = other_column\"`", log);
            let on = on.and_then(|on| equality(&on, log));
            let add = additions(&walk, log);
            let when = walk.word("when", log).unwrap_or(When::During);
            let span = if walk.has("from") { walk.value_span("from") } else { span };
            Some(Enrich { from: from?, on: on?, add, when, span })
        });
    enrichments.collect()
}

/// `source_column = other_column`; each may be quoted.
fn equality(on: &Spanned<String>, log: &mut Log) -> Option<(String, String)> {
    let pair = on.value.match_indices('=').find_map(|(at, _)| {
        let (left, right) = (as_identifier(&on.value[..at])?, as_identifier(&on.value[at + 1..])?);
        Some((left, right))
    });
    if pair.is_none() {
        let message = format!("`on` does not understand `{}`", on.value);
        let help = "write \"source_column = other_column\"";
        log.push(Finding::error("plan-enrich", on.span, message).help(help));
    }
    pair
}

fn additions(enrich: &Walk<'_>, log: &mut Log) -> Vec<(String, String)> {
    let Some((table, span)) = enrich.child("add", log) else {
        if !enrich.has("add") {
            enrich.missing("add", log, "`add = { target_column = \"other_column\" }`");
        }
        return Vec::new();
    };
    let entries = entries_of(table, span);
    if entries.is_empty() {
        let finding = Finding::error("plan-enrich", span, "`add` in [[table.enrich]] adds nothing");
        log.push(finding.help("write `add = { target_column = \"other_column\" }`"));
    }
    let additions = entries.into_iter().filter_map(|entry| match entry.item.as_str() {
        Some(column) if !column.trim().is_empty() => Some((entry.key.to_owned(), column.to_owned())),
        _ => {
            let place = format!("`{}` in `add`", entry.key);
            let span = item_span(entry.item, entry.key_span);
            wrong_type(&place, "the name of a column as a text", entry.item, span, log);
            None
        }
    });
    additions.collect()
}
