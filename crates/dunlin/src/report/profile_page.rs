//! The profile as one HTML file that needs nothing else: no script, no font, no picture from anywhere. It shows counts,
//! shapes and rounded quantiles; values only as the gate let them out, masked.

use std::fmt::Write as _;

use dunlin_quality::{ColumnProfile, Numbers, RuleCount};

use super::parts::{BIRD, tag};
use super::text::{count, escape, number, percent};
use crate::profiled::Beside;
use crate::profiled::load::Load;

const STYLE: &str = include_str!("style.css");

/// The page while tables are added to it.
pub(crate) struct Page {
    body: String,
    tables: u64,
    columns: u64,
    sample: Option<u64>,
}

impl Page {
    /// An empty page. `sample` is the number of rows a table was cut at, where it was.
    pub(crate) fn new(sample: Option<u64>) -> Self {
        Self { body: String::new(), tables: 0, columns: 0, sample }
    }

    /// Adds a table.
    pub(crate) fn table(&mut self, columns: &[ColumnProfile], rules: &[RuleCount], beside: &Beside) {
        let Some(first) = columns.first() else { return };
        self.tables += 1;
        self.columns += columns.len() as u64;
        let head = format!(
            "<section class=\"sec\"><header><h2>{}</h2><span class=\"m\">{}</span></header>",
            escape(&first.table),
            count(first.rows, "row", "rows")
        );
        self.body.push_str(&head);
        self.body.push_str(
            "<table><thead><tr><th>Column</th><th>Kind</th><th class=\"num\">Null</th><th class=\"num\">Unknown</th>\
             <th class=\"num\">Different</th><th>Patterns</th><th>Spread</th><th>To look at</th></tr></thead><tbody>",
        );
        columns.iter().for_each(|column| self.body.push_str(&row(column)));
        self.body.push_str("</tbody></table>");
        self.rules(rules);
        self.references(beside);
        self.drift(beside);
        self.body.push_str("</section>");
    }

    fn references(&mut self, beside: &Beside) {
        if beside.references.is_empty() {
            return;
        }
        self.body.push_str(
            "<h3>References</h3><table><thead><tr><th>From</th><th>To</th><th>Known by</th><th class=\"num\">Rows that refer</th>\
             <th class=\"num\">Lead nowhere</th></tr></thead><tbody>",
        );
        for reference in &beside.references {
            let told = match reference.broken {
                0 => "0".to_owned(),
                broken => format!("{} ({})", number(broken), percent(broken, reference.rows)),
            };
            let _ = write!(
                self.body,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"num\">{}</td><td class=\"num\">{told}</td></tr>",
                escape(&reference.columns.join(", ")),
                escape(&format!("{}({})", reference.to, reference.key.join(", "))),
                if reference.declared { "the store" } else { "its name" },
                number(reference.rows)
            );
        }
        self.body.push_str("</tbody></table>");
    }

    fn drift(&mut self, beside: &Beside) {
        if beside.drift.is_empty() {
            return;
        }
        self.body.push_str("<h3>Not as it was, or not as the plan has it</h3><table><thead><tr><th>Column</th><th>What</th></tr></thead><tbody>");
        for drift in &beside.drift {
            let _ = write!(
                self.body,
                "<tr><td>{}</td><td>{}</td></tr>",
                escape(&drift.column),
                escape(&drift.message)
            );
        }
        self.body.push_str("</tbody></table>");
    }

    /// Adds how busy the source is: a row a day, a cell an hour, the busier the darker.
    pub(crate) fn load(&mut self, load: &Load) {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let most = load.load_by_hour.iter().flatten().copied().fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        let mut cells = String::new();
        for (hour, busy) in load.load_by_hour.iter().enumerate() {
            let (x, y) = (40 + (hour % 24) * 20, (hour / 24) * 20);
            let _ = match busy {
                Some(busy) => write!(
                    cells,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"18\" height=\"18\" fill-opacity=\"{:.2}\"><title>{} {:02}:00: {busy:.1} sessions at work</title></rect>",
                    0.06 + 0.94 * busy / most,
                    DAYS[hour / 24],
                    hour % 24
                ),
                None => Ok(()),
            };
        }
        for (at, day) in DAYS.iter().enumerate() {
            let _ = write!(cells, "<text x=\"0\" y=\"{}\">{day}</text>", at * 20 + 14);
        }
        let lines: Vec<String> = load.lines().iter().map(|line| escape(line.trim())).collect();
        let _ = write!(
            self.body,
            "<section class=\"sec\"><header><h2>Load by hour of the week</h2></header><svg class=\"week\" viewBox=\"0 0 520 140\" role=\"img\" aria-label=\"{}\">{cells}</svg><p class=\"m\">{}</p></section>",
            escape(&load.lines().join(" ")),
            lines.join("<br>")
        );
    }

    fn rules(&mut self, rules: &[RuleCount]) {
        if rules.is_empty() {
            return;
        }
        self.body.push_str("<h3>Rules</h3><table><thead><tr><th>Rule</th><th class=\"num\">Rows that break it</th></tr></thead><tbody>");
        for rule in rules {
            let broken = rule.broken.map_or_else(|| "too many different values to tell".to_owned(), number);
            let _ =
                write!(self.body, "<tr><td>{}</td><td class=\"num\">{broken}</td></tr>", escape(&rule.rule));
        }
        self.body.push_str("</tbody></table>");
    }

    /// The whole page.
    pub(crate) fn render(&self) -> String {
        let what = format!(
            "{} of {}",
            count(self.columns, "column", "columns"),
            count(self.tables, "table", "tables")
        );
        let cut = self
            .sample
            .map(|rows| format!(" Only about the first {} of each were read.", count(rows, "row", "rows")));
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"referrer\" content=\"no-referrer\">\
             <meta name=\"generator\" content=\"dunlin\"><title>Profile: {what}</title><style>{STYLE}\n.hist{{display:block;width:120px;height:28px;fill:var(--merged)}}.week{{display:block;max-width:640px;width:100%;fill:var(--merged)}}.week text{{font-size:11px;fill:currentColor}}</style></head><body>\
             <a class=\"skip\" href=\"#main\">Skip to content</a><div class=\"page\"><header class=\"mast\"><span class=\"brand\">{BIRD} dunlin</span>\
             <span class=\"m\">Profile</span></header><main id=\"main\"><h1>What is in the data</h1><p class=\"lede\">{what}.{}</p>{}</main>\
             <footer>Counts, shapes and rounded quantiles. Values are shown masked or not at all; kinds are guesses for a person to confirm.</footer></div></body></html>\n",
            escape(&cut.unwrap_or_default()),
            self.body
        )
    }
}

fn row(column: &ColumnProfile) -> String {
    let kind = match (&column.kind, column.detail) {
        (Some(kind), Some(detail)) if detail != kind => format!("{kind}: {detail}"),
        (Some(kind), _) => kind.clone(),
        (None, _) => String::new(),
    };
    let class = match column.class.as_deref() {
        Some(class @ ("sensitive" | "secret")) => tag(class, "x"),
        Some(class @ "personal") => tag(class, "w"),
        Some(class) => tag(class, ""),
        None => String::new(),
    };
    let evidence: Vec<String> = column.evidence.iter().map(|why| escape(why)).collect();
    let sure = column.confidence.map(|c| format!(" {:.0} %", c * 100.0)).unwrap_or_default();
    let share = |rows: u64| if rows == 0 { "0".to_owned() } else { percent(rows, column.rows) };
    let patterns: Vec<String> = column
        .patterns
        .iter()
        .take(3)
        .map(|p| {
            format!(
                "<code>{}</code> <span class=\"m\">{}</span>",
                escape(&p.text),
                percent(p.rows, column.rows)
            )
        })
        .collect();
    let findings: Vec<String> = column.findings.iter().map(|f| escape(&f.message)).collect();
    format!(
        "<tr><td><b class=\"b\">{}</b><span class=\"s\">{}</span></td><td>{} {class}<span class=\"s\">{}{sure}</span></td>\
         <td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        escape(&column.column),
        escape(&column.ty),
        escape(&kind),
        evidence.join("; "),
        share(column.nulls),
        share(column.unknowns),
        number(column.distinct),
        patterns.join("<br>"),
        column.numbers.as_ref().map(spread).unwrap_or_default(),
        findings.join("<br>")
    )
}

/// A histogram, with the middle and both ends in words.
fn spread(numbers: &Numbers) -> String {
    let most = numbers.histogram.iter().copied().max().unwrap_or_default().max(1);
    let mut bars = String::new();
    for (at, rows) in numbers.histogram.iter().enumerate() {
        let height = (*rows as f64 * 28.0 / most as f64).max(if *rows > 0 { 0.5 } else { 0.0 });
        let _ = write!(
            bars,
            "<rect x=\"{}\" y=\"{:.1}\" width=\"5\" height=\"{height:.1}\"/>",
            at * 6,
            28.0 - height
        );
    }
    let value =
        |at: f64| numbers.quantiles.iter().find(|q| q.at == at).map(|q| escape(&q.value)).unwrap_or_default();
    let words = format!("1 % {}, middle {}, 99 % {}", value(0.01), value(0.5), value(0.99));
    format!(
        "<svg class=\"hist\" viewBox=\"0 0 120 28\" role=\"img\" aria-label=\"histogram: {words}\">{bars}</svg><span class=\"s\">{words}</span>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stands_alone_and_escapes() {
        let mut page = Page::new(Some(1_000));
        page.rules(&[RuleCount { table: "t".into(), rule: "<script>".into(), rows: 5, broken: Some(2) }]);
        let html = page.render();
        assert!(
            html.contains("default-src 'none'")
                && html.contains("&lt;script&gt;")
                && !html.contains("<script")
        );
        assert!(html.contains("about the first 1,000 rows"));
    }
}
