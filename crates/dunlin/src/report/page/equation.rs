//! The equation: every source row is in exactly one part, and the parts add up.

use std::fmt::Write as _;

use super::super::finding::Part;
use super::super::parts::{cell, hash, mark, number_cell, table};
use super::super::text::{count, escape, number, percent};
use super::super::{Report, TableFacts};

/// Parts smaller than this share of the whole are shown enlarged.
const LENS_BELOW: f64 = 0.25;

pub(super) fn section(report: &Report) -> String {
    let mut out = String::from("<section aria-label=\"The equation\">");
    if report.source_rows() > 0 {
        out.push_str(&bar(report));
        out.push_str(&lens(report));
    }
    out.push_str(&sum(report));
    out.push_str(&proof(report));
    out.push_str("</section>");
    out.push_str(&super::super::parts::section(
        "tables",
        "Table by table",
        "source = loaded + merged + quarantined + excluded + erased",
        &tables(report),
    ));
    out
}

fn segment(class: &str, rows: u64, text: &str) -> String {
    if rows == 0 {
        return String::new();
    }
    format!("<i class=\"{class}\" style=\"flex-grow:{rows}\">{text}</i>")
}

/// Rows that have no disposition; none, unless something is badly wrong.
fn lost(report: &Report) -> u64 {
    report.tables.iter().map(|table| table.source_rows.saturating_sub(table.accounted())).sum()
}

fn bar(report: &Report) -> String {
    let source = report.source_rows();
    let label = Part::ALL.map(|part| format!("{} {}", number(report.total(part)), part.name())).join(", ");
    let mut out = format!("<div class=\"bar\" role=\"img\" aria-label=\"{label}, of {}\">", number(source));
    for part in Part::ALL {
        let rows = report.total(part);
        let words = match part {
            Part::Loaded => format!("<span>{} loaded</span>", number(rows)),
            _ => String::new(),
        };
        let class = if part == Part::Loaded { "loaded t" } else { part.name() };
        out.push_str(&segment(class, rows, &words));
    }
    out.push_str(&segment("lost", lost(report), ""));
    out.push_str("</div>");
    out
}

/// The small end of the bar once more, large enough to see.
fn lens(report: &Report) -> String {
    let source = report.source_rows();
    let rest = source.saturating_sub(report.total(Part::Loaded));
    let share = rest as f64 / source as f64;
    if rest == 0 || share >= LENS_BELOW {
        return String::new();
    }
    let from = 1000.0 * (1.0 - share);
    let mut out = format!(
        "<svg class=\"lens\" viewBox=\"0 0 1000 20\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path d=\"M{from:.2} 0H1000V20H500Z\"/></svg><div class=\"bar z\" aria-hidden=\"true\">"
    );
    for part in Part::ALL.into_iter().skip(1) {
        out.push_str(&segment(part.name(), report.total(part), ""));
    }
    out.push_str(&segment("lost", lost(report), ""));
    let _ = write!(
        out,
        "</div><div class=\"zl\"><span>the other {}, enlarged {:.0} times</span><span>{}</span></div>",
        escape(&count(rest, "row", "rows")),
        0.5 / share,
        escape(&percent(rest, source))
    );
    out
}

fn sum(report: &Report) -> String {
    let mut out = String::from("<div class=\"sum\">");
    let _ = write!(
        out,
        "<div><b><a href=\"#tables\">{}</a></b><span class=\"k\">read</span><span class=\"d\">from {}</span></div>",
        number(report.source_rows()),
        count(report.tables.len() as u64, "table", "tables")
    );
    for (index, part) in Part::ALL.into_iter().enumerate() {
        let rows = number(report.total(part));
        let anchor = match part {
            Part::Quarantined => "waiting",
            Part::Excluded => "excluded",
            _ => "tables",
        };
        let _ = write!(
            out,
            "<div class=\"op\" aria-hidden=\"true\">{}</div><div><b><a href=\"#{anchor}\">{rows}</a></b><span class=\"k\"><i class=\"sw {name}\"></i>{name}</span><span class=\"d\">{}</span></div>",
            if index == 0 { "=" } else { "+" },
            escape(&note(report, part)),
            name = part.name()
        );
    }
    if lost(report) > 0 {
        let _ = write!(
            out,
            "<div class=\"op\" aria-hidden=\"true\">+</div><div class=\"bad\"><b>{}</b><span class=\"k\"><i class=\"sw lost\"></i>not accounted for</span></div>",
            number(lost(report))
        );
    }
    out.push_str("</div>");
    out
}

fn note(report: &Report, part: Part) -> String {
    match part {
        Part::Loaded if report.run.rehearsal => "in the rehearsal".into(),
        Part::Loaded => {
            let reread: u64 = report.tables.iter().map(|t| t.target_rows.saturating_sub(t.preexisting)).sum();
            format!("{} re-read in the target", number(reread))
        }
        Part::Merged => "folded into a survivor".into(),
        Part::Quarantined => match report.quarantine_groups().len() as u64 {
            0 => "nobody waits".into(),
            groups => format!("wait for a person, {}", count(groups, "reason", "reasons")),
        },
        Part::Excluded => "left out by the plan".into(),
        Part::Erased => "asked for by customers".into(),
    }
}

fn proof(report: &Report) -> String {
    let same = report.tables.iter().all(|t| t.expected_hash == t.target_hash && t.reconciled);
    let ledger = format!(
        "<span class=\"m\">Ledger: {}, root {}</span>",
        count(report.ledger.size, "signed entry", "signed entries"),
        hash(&report.ledger.root)
    );
    format!(
        "<ul class=\"proof\"><li>{}</li><li>{}</li><li>{ledger}</li></ul>",
        mark(report.balances(), "Counts balance", "Counts do not balance"),
        mark(same, "Target re-read equals what was expected", "Target re-read is not what was expected"),
    )
}

fn tables(report: &Report) -> String {
    let heads = [
        "Table",
        "#Read",
        "#Loaded",
        "#Merged",
        "#Quarantined",
        "#Excluded",
        "#Erased",
        "Share",
        "Expected",
        "Re-read",
        "Proof",
    ];
    let rows: String = report.tables.iter().enumerate().map(|(index, facts)| row(index, facts)).collect();
    let total = |part| number_cell(name(part), report.total(part), None);
    let foot = if report.tables.len() > 1 {
        let read = number_cell("Read", report.source_rows(), None);
        let parts: String = Part::ALL.into_iter().map(total).collect();
        format!("<tr>{}{read}{parts}<td colspan=\"4\"></td></tr>", cell("Table", "lead", "All tables"))
    } else {
        String::new()
    };
    table("big", &heads, &rows, &foot)
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Loaded => "Loaded",
        Part::Merged => "Merged",
        Part::Quarantined => "Quarantined",
        Part::Excluded => "Excluded",
        Part::Erased => "Erased",
    }
}

fn row(index: usize, facts: &TableFacts) -> String {
    let mut under = format!("from {}", facts.from);
    if facts.preexisting > 0 {
        let _ = write!(under, "; {} there before", count(facts.preexisting, "row was", "rows were"));
    }
    let lead =
        format!("<b class=\"b\">{}</b><span class=\"s\">{}</span>", escape(&facts.table), escape(&under));
    let mut out = format!("<tr id=\"table-{index}\">{}", cell("Table", "lead", &lead));
    out.push_str(&number_cell("Read", facts.source_rows, None));
    for part in Part::ALL {
        let to = match part {
            Part::Quarantined => Some("waiting"),
            Part::Excluded => Some("excluded"),
            _ => None,
        };
        out.push_str(&number_cell(name(part), part.rows(facts), to));
    }
    let mini: String = Part::ALL.into_iter().map(|part| segment(part.name(), part.rows(facts), "")).collect();
    let lost = segment("lost", facts.source_rows.saturating_sub(facts.accounted()), "");
    out.push_str(&cell(
        "Share",
        "share",
        &format!("<div class=\"mini\" aria-hidden=\"true\">{mini}{lost}</div>"),
    ));
    out.push_str(&cell("Expected", "", &hash(&facts.expected_hash)));
    out.push_str(&cell("Re-read", "", &hash(&facts.target_hash)));
    out.push_str(&cell("Proof", "", &verdict(facts)));
    out.push_str("</tr>");
    out
}

fn verdict(facts: &TableFacts) -> String {
    let why = if !facts.balances() {
        format!("{} unaccounted", number(facts.source_rows.abs_diff(facts.accounted())))
    } else if facts.differences > 0 {
        count(facts.differences, "row differs", "rows differ")
    } else if let Some(words) = facts.beside().filter(|_| facts.whole()) {
        words.into()
    } else {
        "not reconciled".into()
    };
    mark(facts.proven(), "reconciled", &why)
}
