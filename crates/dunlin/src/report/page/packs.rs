//! The packs: how each rule ends, with its evidence. What asks for something comes first.

use dunlin_quality::packs::{State, Verdict};

use super::super::Report;
use super::super::parts::{cell, section, table, tag};
use super::super::text::{count, escape};

const STATES: [(State, &str, &str); 5] = [
    (State::Violated, "violated", "w"),
    (State::NeedsPerson, "needs a person", "w"),
    (State::Waived, "waived", "w"),
    (State::Satisfied, "satisfied", "o"),
    (State::NotApplicable, "not applicable", ""),
];

/// The section; nothing where the plan names no pack.
pub(super) fn matrix(report: &Report) -> String {
    if report.matrix.is_empty() {
        return String::new();
    }
    let rows: String = STATES
        .iter()
        .flat_map(|(state, words, class)| {
            let of_state = report.matrix.iter().filter(|rule| rule.state == *state);
            of_state.map(move |rule| row(rule, words, class))
        })
        .collect();
    let open = report.matrix.iter().filter(|r| matches!(r.state, State::Violated | State::NeedsPerson));
    let title = count(report.matrix.len() as u64, "rule", "rules");
    let aside = format!("{} open; nothing here is legal advice", open.count());
    section(
        "packs",
        &format!("The packs: {title}"),
        &aside,
        &table("", &["Rule", "State", "Why", "Evidence"], &rows, ""),
    )
}

fn row(rule: &Verdict, words: &str, class: &str) -> String {
    let name = format!(
        "<b class=\"b\">{}</b><span class=\"s\">{}</span><span class=\"s m\">{}</span>",
        escape(&rule.rule),
        escape(&rule.title),
        escape(&rule.reference)
    );
    let mut why = escape(&rule.why);
    if !rule.places.is_empty() {
        why.push_str(&format!("<span class=\"s mono\">{}</span>", escape(&rule.places.join(", "))));
    }
    match &rule.waiver {
        Some(waiver) => {
            let until = waiver.until.as_ref().map(|until| format!(", until {until}")).unwrap_or_default();
            let said = format!("waived by {}{until}: {}", waiver.by, waiver.reason);
            why.push_str(&format!("<span class=\"s\">{}</span>", escape(&said)));
        }
        None if matches!(rule.state, State::Violated | State::NeedsPerson) => {
            why.push_str(&format!("<span class=\"s m\">{}</span>", escape(&rule.help)));
        }
        None => {}
    }
    let mut evidence: Vec<String> = rule.evidence.iter().map(|line| escape(line)).collect();
    if !rule.entries.is_empty() {
        let entries: Vec<String> = rule.entries.iter().map(u64::to_string).collect();
        evidence.push(format!("ledger {}", escape(&entries.join(", "))));
    }
    format!(
        "<tr>{}{}{}{}</tr>",
        cell("Rule", "lead", &name),
        cell("State", "", &tag(words, class)),
        cell("Why", "", &why),
        cell("Evidence", "m", &evidence.join("<br>"))
    )
}
