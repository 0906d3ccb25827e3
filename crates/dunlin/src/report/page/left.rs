//! What did not move and why: rows that wait, rows that were left out, columns that stayed behind.

use super::super::finding::Part;
use super::super::parts::{cell, code, number_cell, optional_cell, section, table, text_cell};
use super::super::text::{count, escape, number};
use super::super::{QuarantineGroup, Report, TableFacts};

/// More groups than this are in `report.json` only.
const GROUPS_SHOWN: usize = 40;

/// The reason of rows whose parent waits.
const FOLLOWS: &str = "parent quarantined";

pub(super) fn waiting(report: &Report) -> String {
    let groups = report.quarantine_groups();
    let waiting = report.total(Part::Quarantined);
    if waiting == 0 {
        let body = "<p class=\"note\">Every row either moved or was left out by the plan. Nobody has to decide anything.</p>";
        return section("waiting", "No row waits for a person", "", body);
    }
    let largest = groups.first().map_or(1, |(_, group)| group.rows.max(1));
    let rows: String =
        groups.iter().take(GROUPS_SHOWN).map(|(facts, group)| group_row(facts, group, largest)).collect();
    let heads = ["Reason", "Table", "Column", "Looks like", "#Rows", ""];
    let mut body = String::from(
        "<p class=\"note\">These rows are kept, encrypted, beside the state of the move. A person mends, releases or discards each group; nothing is thrown away until then. <b class=\"b\">Looks like</b> shows the shape of a value (A for letters, 9 a digit), never the value.</p>",
    );
    body.push_str(&table("compact", &heads, &rows, ""));
    if groups.len() > GROUPS_SHOWN {
        let rest: u64 = groups[GROUPS_SHOWN..].iter().map(|(_, group)| group.rows).sum();
        let more = count((groups.len() - GROUPS_SHOWN) as u64, "more group", "more groups");
        body.push_str(&format!(
            "<p class=\"m\">{more} with {} are in <code>report.json</code>.</p>",
            count(rest, "row", "rows")
        ));
    }
    let aside = aside(&groups);
    let verb =
        if waiting == 1 { "row waits for a person, and why" } else { "rows wait for a person, and why" };
    section("waiting", &format!("{} {verb}", number(waiting)), &aside, &body)
}

/// Rows that follow another row are no work of their own, so they are named apart.
fn aside(groups: &[(&TableFacts, &QuarantineGroup)]) -> String {
    let reasons = count(groups.len() as u64, "reason", "reasons");
    match groups.iter().filter(|(_, group)| group.reason == FOLLOWS).map(|(_, group)| group.rows).sum::<u64>()
    {
        0 => reasons,
        rows => format!("{reasons}; {} of the rows only wait for the row they belong to", number(rows)),
    }
}

fn group_row(facts: &TableFacts, group: &QuarantineGroup, largest: u64) -> String {
    let share = group.rows as f64 * 100.0 / largest as f64;
    let reason = format!(
        "<b class=\"b\">{}</b> <span class=\"id\">{}</span>",
        escape(&group.reason),
        escape(&group.group)
    );
    [
        "<tr>".into(),
        cell("Reason", "lead", &reason),
        text_cell("Table", &facts.table),
        optional_cell("Column", group.column.as_deref().map(code), "the whole row"),
        optional_cell("Looks like", group.pattern.as_deref().map(code), "–"),
        number_cell("Rows", group.rows, None),
        cell(
            "",
            "share",
            &format!("<span class=\"rel\"><i class=\"quarantined\" style=\"width:{share:.2}%\"></i></span>"),
        ),
        "</tr>".to_owned(),
    ]
    .concat()
}

pub(super) fn excluded_and_dropped(report: &Report) -> String {
    format!("<div class=\"cols c11\">{}{}</div>", excluded(report), dropped(report))
}

fn excluded(report: &Report) -> String {
    let mut rows = String::new();
    for facts in &report.tables {
        for exclusion in &facts.exclusions {
            let rule = format!(
                "<b class=\"b\">{}</b><span class=\"s\">{}</span>",
                escape(&exclusion.rule),
                escape(&facts.table)
            );
            let cells = [cell("Rule", "lead", &rule), number_cell("Rows", exclusion.rows, None)];
            rows.push_str(&format!("<tr>{}</tr>", cells.concat()));
        }
    }
    let excluded = report.total(Part::Excluded);
    if rows.is_empty() {
        return section(
            "excluded",
            "No row was left out",
            "",
            "<p class=\"note\">The plan excludes nothing.</p>",
        );
    }
    let title = format!("{} left out by the plan", count(excluded, "row", "rows"));
    section("excluded", &title, "they stay in the source", &table("compact", &["Rule", "#Rows"], &rows, ""))
}

fn dropped(report: &Report) -> String {
    let mut rows = String::new();
    let mut columns = 0;
    for facts in &report.tables {
        for drop in &facts.dropped {
            columns += 1;
            let column = format!(
                "<code>{}</code><span class=\"s\">{}</span>",
                escape(&drop.column),
                escape(&facts.from)
            );
            rows.push_str(&format!(
                "<tr>{}{}</tr>",
                cell("Column", "lead", &column),
                text_cell("Why", &drop.reason)
            ));
        }
    }
    if rows.is_empty() {
        return section(
            "dropped",
            "No column was left behind",
            "",
            "<p class=\"note\">Every source column moved.</p>",
        );
    }
    let title = format!("{} left behind on purpose", count(columns, "column", "columns"));
    section("dropped", &title, "", &table("", &["Column", "Why"], &rows, ""))
}
