//! Printing: data on stdout, words about it on stderr. Colour never carries meaning alone, and is left out where the
//! output is not a terminal or `NO_COLOR` is set.

use std::io::{IsTerminal, Write};

use dunlin_plan::{Finding, Findings, Level};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report, Severity,
};
use serde::Serialize;

use crate::cli::Format;

/// Whether stderr may be coloured.
pub fn colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Whether stdout may be coloured.
pub fn colour_out() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// The width to wrap at.
pub fn width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).unwrap_or(100)
}

/// One line of data. A reader that has gone away is no error.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// One JSON object a line.
pub fn json(value: &impl Serialize) {
    if let Ok(text) = serde_json::to_string(value) {
        line(&text);
    }
}

/// A remark for people, on stderr.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// An error and how to mend it.
pub fn error(message: &str, help: Option<&str>, format: Format) {
    if format == Format::Json {
        json(&serde_json::json!({ "level": "error", "message": message, "help": help }));
        return;
    }
    let head = if colour() { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
    note(&format!("{head}: {message}"));
    for line in help.into_iter().flat_map(str::lines) {
        note(&format!("  help: {line}"));
    }
}

/// Findings with their place in the plan.
pub fn findings(findings: &Findings, format: Format) {
    for item in &findings.items {
        if format == Format::Json {
            json(&item.to_json(&findings.file, &findings.text));
        } else {
            note(graphical(item, findings).trim_end_matches('\n'));
        }
    }
}

fn graphical(item: &Finding, findings: &Findings) -> String {
    let mut diagnostic = MietteDiagnostic::new(item.message.clone()).with_code(item.rule);
    diagnostic.severity = Some(match item.level {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Info => Severity::Advice,
    });
    diagnostic.help = item.help.clone();
    if let Some(span) = item.span {
        diagnostic = diagnostic.with_label(LabeledSpan::underline(span.start..span.end.max(span.start + 1)));
    }
    let place = NamedSource::new(&findings.file, findings.text.clone());
    let report = Report::new(diagnostic).with_source_code(place);
    let theme = if colour() { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let mut out = String::new();
    let handler = GraphicalReportHandler::new_themed(theme).with_width(width()).with_context_lines(1);
    match handler.render_report(&mut out, report.as_ref()) {
        Ok(()) => out,
        Err(_) => item.message.clone(),
    }
}

/// 1234567 as `1,234,567`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `1 row`, `2,000 rows`.
pub fn rows(n: u64) -> String {
    format!("{} {}", thousands(n), if n == 1 { "row" } else { "rows" })
}

/// Rows of text columns, aligned; the columns in `right` to the right.
pub fn table(head: &[&str], rows: &[Vec<String>], right: &[usize]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|h| h.chars().count()).collect();
    for row in rows {
        for (i, cell) in row.iter().enumerate() {
            widths[i] = widths[i].max(cell.chars().count());
        }
    }
    let one = |cells: Vec<&str>| {
        let cells = cells.iter().enumerate().map(|(i, cell)| {
            let gap = " ".repeat(widths[i].saturating_sub(cell.chars().count()));
            if right.contains(&i) { format!("{gap}{cell}") } else { format!("{cell}{gap}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![one(head.to_vec())];
    lines.extend(rows.iter().map(|row| one(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}
