//! The report as one screenful of a terminal: the tables, the equation, what waits and why, what to do next.

use super::finding::Part;
use super::text::{count, duration, number, one_line, short_id};
use super::{Report, TableFacts};

/// Reasons shown before the rest is only counted.
const REASONS: usize = 6;

/// The longest name that is shown in full.
const NAME_WIDTH: usize = 28;

#[derive(Clone, Copy)]
enum Style {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Warn,
}

/// How a text is dressed: with ANSI colours, or not at all.
struct Dress {
    colour: bool,
}

impl Dress {
    fn put(&self, style: Style, text: &str) -> String {
        let code = match style {
            _ if !self.colour => return text.to_owned(),
            Style::Plain => return text.to_owned(),
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Good => "32",
            Style::Bad => "1;31",
            Style::Warn => "33",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// The screenful, at most `width` columns wide where the words allow it. With `colour` it has ANSI colours; what
/// colour says, words say too.
pub(crate) fn summary(report: &Report, colour: bool, width: usize) -> String {
    let dress = Dress { colour };
    let width = width.max(40);
    let mut out = String::new();
    let kind = if report.run.rehearsal { "rehearsal" } else { "run" };
    let about = format!(
        "{} · {kind} {} · {}",
        report.plan.name,
        short_id(&report.run.id),
        duration(report.run.seconds)
    );
    out.push_str(&format!("{}\n\n", dress.put(Style::Dim, &fit(&about, width))));
    let good = report.run.finished_at.is_some() && report.proven();
    let style = if good { Style::Bold } else { Style::Bad };
    for line in wrap(&one_line(&report.headline()), width) {
        out.push_str(&format!("{}\n", dress.put(style, &line)));
    }
    out.push('\n');
    out.push_str(&tables(report, &dress, width));
    out.push('\n');
    out.push_str(&equation(report, width));
    for facts in &report.tables {
        let totals = facts.totals.iter().flat_map(|totals| super::totals::lines(&facts.table, totals));
        let sets = super::sets::lines(&facts.table, &facts.sets);
        totals.chain(sets).for_each(|line| out.push_str(&format!("{}\n", line.trim_start())));
    }
    out.push_str(&waiting(report, &dress, width));
    out.push_str(&next(report, &dress));
    out
}

/// A cell and how it looks; numbers stand right.
type Cell = (String, Style);

fn tables(report: &Report, dress: &Dress, width: usize) -> String {
    // What is zero everywhere is left out where the terminal is narrow: the equation says it anyway.
    let mut parts = Part::ALL.to_vec();
    let mut lines = lines(report, &parts);
    if total_width(&lines) > width {
        parts.retain(|part| report.total(*part) > 0 || *part == Part::Loaded);
        lines = self::lines(report, &parts);
    }
    if total_width(&lines) > width {
        return stacked(report, dress);
    }
    let widths = widths(&lines);
    let mut out = String::new();
    for line in &lines {
        let mut text = String::new();
        for (index, ((cell, style), width)) in line.iter().zip(&widths).enumerate() {
            let blanks = " ".repeat(width - cell.chars().count());
            let last = index + 1 == line.len();
            let dressed = dress.put(*style, cell);
            text.push_str(&match index {
                0 => format!("{dressed}{blanks}"),
                _ if last => format!("   {dressed}"),
                _ => format!("  {blanks}{dressed}"),
            });
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

fn lines(report: &Report, parts: &[Part]) -> Vec<Vec<Cell>> {
    let mut head = vec![("table".to_owned(), Style::Dim), ("read".to_owned(), Style::Dim)];
    head.extend(parts.iter().map(|part| (part.name().to_owned(), Style::Dim)));
    head.push(("proof".to_owned(), Style::Dim));
    let mut lines = vec![head];
    for facts in &report.tables {
        let mut line =
            vec![(fit(&facts.table, NAME_WIDTH), Style::Bold), (number(facts.source_rows), Style::Plain)];
        line.extend(parts.iter().map(|part| (number(part.rows(facts)), style(*part, facts))));
        line.push(verdict(facts));
        lines.push(line);
    }
    lines
}

fn style(part: Part, facts: &TableFacts) -> Style {
    match (part, part.rows(facts)) {
        (_, 0) => Style::Dim,
        (Part::Quarantined, _) => Style::Warn,
        _ => Style::Plain,
    }
}

fn verdict(facts: &TableFacts) -> Cell {
    if facts.proven() {
        return ("✓ reconciled".into(), Style::Good);
    }
    let words = if !facts.balances() {
        format!("✗ {} unaccounted", number(facts.source_rows.abs_diff(facts.accounted())))
    } else if facts.differences > 0 {
        format!("✗ {}", count(facts.differences, "row differs", "rows differ"))
    } else if let Some(words) = facts.beside().filter(|_| facts.whole()) {
        format!("✗ {words}")
    } else {
        "✗ not reconciled".into()
    };
    (words, Style::Bad)
}

fn widths(lines: &[Vec<Cell>]) -> Vec<usize> {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].0.chars().count()).max().unwrap_or(0);
    (0..columns).map(width).collect()
}

fn total_width(lines: &[Vec<Cell>]) -> usize {
    let widths = widths(lines);
    widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1) + 1
}

/// One line a number, for narrow terminals.
fn stacked(report: &Report, dress: &Dress) -> String {
    let mut out = String::new();
    for facts in &report.tables {
        let (words, style) = verdict(facts);
        let name = dress.put(Style::Bold, &fit(&facts.table, NAME_WIDTH));
        out.push_str(&format!("{name}  {}\n", dress.put(style, &words)));
        out.push_str(&format!("  {:<12}{:>14}\n", "read", number(facts.source_rows)));
        for part in Part::ALL.into_iter().filter(|part| part.rows(facts) > 0) {
            out.push_str(&format!("  {:<12}{:>14}\n", part.name(), number(part.rows(facts))));
        }
    }
    out
}

fn equation(report: &Report, width: usize) -> String {
    let parts = Part::ALL.map(|part| format!("{} {}", number(report.total(part)), part.name()));
    let text = format!("{} read = {}", number(report.source_rows()), parts.join(" + "));
    wrap(&text, width).into_iter().map(|line| line + "\n").collect()
}

fn waiting(report: &Report, dress: &Dress, width: usize) -> String {
    let groups = report.quarantine_groups();
    if groups.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", dress.put(Style::Bold, "Waiting for a person"));
    let digits = number(groups[0].1.rows).len();
    let reasons = groups.iter().take(REASONS).map(|(_, group)| one_line(&group.reason).chars().count());
    let reason_width = reasons.max().unwrap_or(0).min(width / 3);
    for (facts, group) in groups.iter().take(REASONS) {
        let place = match &group.column {
            Some(column) => format!("{}.{column}", facts.table),
            None => facts.table.clone(),
        };
        let shape = group.pattern.as_ref().map(|pattern| format!("  {pattern}")).unwrap_or_default();
        let rows = format!("  {:>digits$}", number(group.rows));
        let rest = fit(
            &format!("  {}  {place}{shape}", pad(&group.reason, reason_width)),
            width.saturating_sub(rows.len()),
        );
        out.push_str(&format!("{}{rest}\n", dress.put(Style::Warn, &rows)));
    }
    if groups.len() > REASONS {
        let rows: u64 = groups[REASONS..].iter().map(|(_, group)| group.rows).sum();
        let more = count((groups.len() - REASONS) as u64, "more reason", "more reasons");
        let line = format!("  {:>digits$}  for {more}", number(rows));
        out.push_str(&format!("{}\n", dress.put(Style::Dim, &line)));
    }
    out
}

fn next(report: &Report, dress: &Dress) -> String {
    let mut steps = Vec::new();
    if report.run.finished_at.is_none() {
        steps.push(("dunlin run", "goes on where it stopped"));
    } else if !report.proven() {
        steps.push(("dunlin verify", "names every key that differs"));
    }
    if report.total(Part::Quarantined) > 0 {
        steps.push(("dunlin quarantine list", "what waits, and what would mend it"));
    }
    if report.run.finished_at.is_some() {
        if report.run.rehearsal {
            steps.push(("dunlin run", "the real thing"));
        } else if report.proven() {
            steps.push(("dunlin verify", "reads both sides again"));
        }
        steps.push(("dunlin report --out DIR", "the evidence, for people who were not here"));
    }
    let mut out = format!("\n{}\n", dress.put(Style::Bold, "Next"));
    for (command, why) in steps {
        out.push_str(&format!("  {command:<26}{}\n", dress.put(Style::Dim, why)));
    }
    out
}

fn pad(text: &str, width: usize) -> String {
    let text = fit(text, width.max(20));
    let blanks = width.saturating_sub(text.chars().count());
    text + &" ".repeat(blanks)
}

/// The text in one line of at most `width` characters.
fn fit(text: &str, width: usize) -> String {
    let text = one_line(text);
    if text.chars().count() <= width {
        return text;
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else if let Some(last) = lines.last_mut() {
            if line > 0 {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}
