//! Control totals, for a terminal and for the page: what amounts come to on either side, month by month.

use dunlin_move::{ControlTotals, TotalLine};

use super::Report;
use super::parts::{cell, mark, section, table, text_cell};
use super::text::{count, escape, number};

/// Lines of a terminal that differ, before the rest is only counted.
const SHOWN: usize = 12;

/// The totals of a table in a few lines: that they agree, or which do not.
pub(crate) fn lines(label: &str, totals: &ControlTotals) -> Vec<String> {
    if let Some(why) = &totals.unknown {
        return vec![format!("  ? {label}: control totals cannot be compared: {why}")];
    }
    let apart: Vec<&TotalLine> = totals.lines.iter().filter(|line| !line.agrees()).collect();
    if apart.is_empty() {
        let figures = count(totals.lines.len() as u64, "control total agrees", "control totals agree");
        return vec![format!("  ✓ {label}: {figures}, source and target, difference 0")];
    }
    let head = format!(
        "  ✗ {label}: {} of {} control totals differ",
        number(apart.len() as u64),
        number(totals.lines.len() as u64)
    );
    let mut out = vec![head];
    out.extend(apart.iter().take(SHOWN).map(|line| format!("      {}", said(line))));
    if apart.len() > SHOWN {
        out.push(format!("      and {} more (all with --format json)", number((apart.len() - SHOWN) as u64)));
    }
    out
}

/// What of a line does not agree.
fn said(line: &TotalLine) -> String {
    let mut said = format!(
        "{} {}: source {} in {}, target {} in {}, difference {}",
        line.column,
        month(line),
        line.loaded,
        count(line.loaded_rows, "row", "rows"),
        line.target,
        count(line.target_rows, "row", "rows"),
        line.difference
    );
    if line.unread > 0 {
        said.push_str(&format!("; {} no number", count(line.unread, "value is", "values are")));
    }
    said
}

fn month(line: &TotalLine) -> &str {
    line.month.as_deref().unwrap_or("all")
}

/// The page's section; nothing where the plan asks for no totals.
pub(super) fn part(report: &Report) -> String {
    let with: Vec<(&str, &ControlTotals)> =
        report.tables.iter().filter_map(|t| Some((t.table.as_str(), t.totals.as_ref()?))).collect();
    if with.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for (label, totals) in &with {
        if let Some(why) = &totals.unknown {
            rows.push_str(&format!(
                "<tr>{}<td colspan=\"7\">{}</td></tr>",
                cell("Amount", "lead", &format!("<b class=\"b\">{}</b>", escape(label))),
                escape(&format!("cannot be compared: {why}"))
            ));
        }
        totals.lines.iter().for_each(|line| rows.push_str(&row(label, totals, line)));
    }
    let heads =
        ["Amount", "Month", "#Read", "#Left out", "#Source, loaded", "#Target", "#Difference", "Proof"];
    let agree = with.iter().all(|(_, totals)| totals.agree);
    let aside = if agree { "difference 0 in exact decimals" } else { "they differ" };
    section("totals", "Control totals", aside, &table("", &heads, &rows, ""))
}

fn row(label: &str, totals: &ControlTotals, line: &TotalLine) -> String {
    let name =
        format!("<b class=\"b\">{}</b><span class=\"s\">{}</span>", escape(&line.column), escape(label));
    let sum = |label: &str, sum: &str, rows: u64| {
        let rows = count(rows, "row", "rows");
        cell(label, "num", &format!("{}<span class=\"s m\">{}</span>", escape(sum), escape(&rows)))
    };
    let left = line.read.minus(line.loaded).map(|left| left.like(line.read).to_string()).unwrap_or_default();
    let proof = mark(totals.unknown.is_none() && line.agrees(), "equal", "differs");
    format!(
        "<tr>{}{}{}{}{}{}{}{}</tr>",
        cell("Amount", "lead", &name),
        text_cell("Month", month(line)),
        sum("Read", &line.read.to_string(), line.read_rows),
        sum("Left out", &left, line.read_rows.saturating_sub(line.loaded_rows)),
        sum("Source, loaded", &line.loaded.to_string(), line.loaded_rows),
        sum("Target", &line.target.to_string(), line.target_rows),
        cell("Difference", "num", &escape(&line.difference.to_string())),
        cell("Proof", "", &proof)
    )
}
