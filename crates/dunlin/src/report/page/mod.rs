//! The report as one HTML file that needs nothing else: no script, no font, no picture from anywhere.

mod equation;
mod evidence;
mod left;
mod packs;
mod plan;

use super::Report;
use super::parts::{BIRD, fact, hash};
use super::text::{bytes, count, duration, escape, short_id, time};

const STYLE: &str = include_str!("../style.css");

/// The page. Every text of the report is escaped; the page forbids itself everything but its own style.
pub(crate) fn render(report: &Report) -> String {
    let title = escape(&format!("{}: {}", report.plan.name, report.headline()));
    let alarm = if report.run.finished_at.is_some() && report.proven() { "" } else { " class=\"alarm\"" };
    let mut out = String::with_capacity(96 * 1024);
    out.push_str("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"referrer\" content=\"no-referrer\"><meta name=\"generator\" content=\"dunlin\">");
    out.push_str(&format!("<title>{title}</title><style>{STYLE}</style></head><body>"));
    out.push_str("<a class=\"skip\" href=\"#main\">Skip to content</a><div class=\"page\">");
    out.push_str(&mast(report));
    out.push_str(&format!("<main id=\"main\"><h1{alarm}>{}</h1>", escape(&report.headline())));
    out.push_str(&format!("<p class=\"lede\">{}</p>", lede(report).map(|line| escape(&line)).join("<br>")));
    out.push_str(&equation::section(report));
    out.push_str(&super::totals::part(report));
    out.push_str(&left::waiting(report));
    out.push_str(&left::excluded_and_dropped(report));
    out.push_str(&plan::rules(report));
    out.push_str(&super::sets::part(report));
    out.push_str(&plan::columns(report));
    out.push_str(&packs::matrix(report));
    out.push_str(&plan::stores_and_people(report));
    out.push_str(&evidence::all(report));
    out.push_str(&format!("</main>{}</div></body></html>\n", footer(report)));
    out
}

fn mast(report: &Report) -> String {
    let mut right = vec![report.plan.name.clone()];
    right.extend(report.plan.company.clone());
    right.push(format!("run {}", short_id(&report.run.id)));
    right.push(time(report.run.finished_at.as_deref().unwrap_or(&report.run.started_at)));
    format!(
        "<header class=\"mast\"><span class=\"brand\">{BIRD} dunlin</span><span class=\"m\">{}</span><span class=\"r\">{}</span></header>",
        if report.run.rehearsal { "Rehearsal report" } else { "Migration report" },
        escape(&right.join(" · "))
    )
}

/// What moved, and how fresh the proof is; one sentence each.
fn lede(report: &Report) -> [String; 2] {
    let size = format!(
        "{} in {}.",
        count(report.tables.len() as u64, "table", "tables"),
        duration(report.run.seconds).replace(' ', "\u{a0}")
    );
    let what = match &report.plan.summary {
        Some(summary) => format!("{summary} {size}"),
        None => size,
    };
    let proof = match &report.run.verified_at {
        _ if report.run.finished_at.is_none() => "What follows is how far it has come.".into(),
        _ if !report.proven() => {
            "Do not switch over on this report. The command dunlin verify names every key that differs."
                .into()
        }
        Some(at) => format!("Both sides were read again and compared on {}.", time(at)),
        None => {
            "The target was read back as it was loaded; both sides have not been read again since.".into()
        }
    };
    [what, proof]
}

/// The run in facts, for the evidence section.
fn run_facts(report: &Report) -> String {
    let read: u64 = report.tables.iter().map(|table| table.bytes).sum();
    let mut out = String::from("<dl class=\"f\">");
    out.push_str(&fact("Plan", &format!("<b class=\"b\">{}</b>", escape(&report.plan.name))));
    out.push_str(&fact("Fingerprint", &format!("<code>{}</code>", escape(&report.plan.fingerprint))));
    out.push_str(&fact("Run", &format!("<code>{}</code>", escape(&report.run.id))));
    out.push_str(&fact("Started by", &escape(&report.run.actor)));
    out.push_str(&fact("Began", &escape(&time(&report.run.started_at))));
    if let Some(at) = &report.run.finished_at {
        out.push_str(&fact("Ended", &escape(&time(at))));
    }
    if read > 0 {
        out.push_str(&fact("Read", &escape(&format!("{} in {}", bytes(read), duration(report.run.seconds)))));
    }
    out.push_str(&fact(
        "Ledger",
        &format!("{}, root {}", count(report.ledger.size, "entry", "entries"), hash(&report.ledger.root)),
    ));
    out.push_str("</dl>");
    out
}

fn footer(report: &Report) -> String {
    format!(
        "<footer>Written by dunlin {} on {}. Made of counts, hashes, control totals where the plan asks for them, and the words of the plan: no customer value is in this file. The same facts for programs: <code>report.json</code>.</footer>",
        escape(&report.dunlin),
        escape(&time(&report.written_at))
    )
}
