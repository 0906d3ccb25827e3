//! The checks, one function each. A check looks at [`Facts`] and nothing else, so the same facts give the same verdict.

mod amounts;
mod column;
mod plan;
mod process;

use super::facts::Facts;
use super::pack::{Check, Concerns, Rule};
use super::rows::{RowTable, row_rule};
use super::select::absent;
use super::verdict::{Outcome, State};

/// How a rule ends.
pub(super) fn outcome(rule: &Rule, facts: &Facts) -> Outcome {
    let outcome = checked(rule, facts);
    match rule.row {
        Some(_) => with_rows(rule, facts, outcome),
        None => outcome,
    }
}

fn checked(rule: &Rule, facts: &Facts) -> Outcome {
    match &rule.check {
        Check::SafeHarbor { of } => column::safe_harbor(rule, of, facts),
        Check::Special { of, grounds } => column::special(rule, of, *grounds, facts),
        Check::Purpose => column::purpose(facts),
        Check::Flagged { of, who, what } => column::flagged(rule, of, who, what, facts),
        Check::PanStored => column::pan_stored(facts),
        Check::PanScope => column::pan_scope(facts),
        Check::SensitiveAuth { of } => column::sensitive_auth(of, facts),
        Check::PanElsewhere => column::pan_elsewhere(facts),
        Check::OwnOutput { kinds } => process::own_output(kinds, facts),
        Check::Agreement => plan::agreement(facts),
        Check::Link { concerns, at_rest, restore } => plan::link(rule, *concerns, *at_rest, *restore, facts),
        Check::Compatible => plan::compatible(rule, facts),
        Check::Basis => plan::basis(rule, facts),
        Check::Consent => plan::consent(facts),
        Check::Children => plan::children(facts),
        Check::Accuracy => column::accuracy(facts),
        Check::Retained { concerns } => plan::retained(*concerns, facts),
        Check::Notice => plan::notice(facts),
        Check::Lower { concerns } => plan::lower(rule, *concerns, facts),
        Check::Record => plan::record(facts),
        Check::Assessment => plan::assessment(facts),
        Check::Transfer => plan::transfer(facts),
        Check::DiskOnly => plan::disk_only(facts),
        Check::Findable { request } => process::findable(request, facts),
        Check::Heeded { request } => process::heeded(request, facts),
        Check::Requests => process::requests(facts),
        Check::Chain { years, rows, concerns } => process::chain(*years, *rows, *concerns, facts),
        Check::Kept { years } => process::kept(*years, facts),
        Check::Approved => process::approved(facts),
        Check::Segregation => process::segregation(facts),
        Check::Totals => process::totals(facts),
        Check::Amounts { of } => amounts::amounts(rule, of, facts),
        Check::Lineage => process::lineage(facts),
        Check::Cutoff => plan::cutoff(rule, facts),
        Check::Grants => process::grants(facts),
        Check::Exceptions => process::exceptions(facts),
        Check::SourceKept => process::source_kept(rule, facts),
        Check::Certified => process::certified(rule, facts),
        Check::Incidents { days, who, what } => process::incidents(rule, *days, who, what, facts),
        Check::Disclosures => process::disclosures(facts),
        Check::Keys => process::keys(rule, facts),
        Check::Groups { who, what } => column::groups(rule, who, what, facts),
        Check::Person { who, what, concerns } => person(rule, who, what, *concerns, facts),
    }
}

/// Only a person can say; what one has said is the evidence.
fn person(rule: &Rule, who: &str, what: &str, concerns: Concerns, facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, concerns) {
        return Outcome::not_applicable(why);
    }
    said(rule, None, facts).unwrap_or_else(|| Outcome::person(who, what))
}

/// Satisfied, where somebody says so.
fn said(rule: &Rule, about: Option<&str>, facts: &Facts) -> Option<Outcome> {
    let said = facts.stated(&rule.id, about)?;
    Some(Outcome::satisfied("somebody answers for it").seen(format!("{} says: {}", said.by, said.says)))
}

/// Adds what the rule does to rows: on which tables it acts, and how many rows the last run held back by it.
fn with_rows(rule: &Rule, facts: &Facts, mut outcome: Outcome) -> Outcome {
    let acts: Vec<_> = facts
        .tables
        .iter()
        .filter(|table| {
            let table = RowTable { table, freeze: facts.freeze.as_deref(), otherwise: &facts.otherwise };
            row_rule(rule, table).is_some()
        })
        .collect();
    if acts.is_empty() {
        return outcome;
    }
    let ran: Vec<_> = acts.iter().filter_map(|table| table.run.as_ref()).collect();
    let rows: u64 = ran.iter().filter_map(|run| run.rules.get(&rule.id)).sum();
    let tables = acts.iter().map(|table| table.name.clone()).collect::<Vec<_>>().join(", ");
    outcome = outcome.seen(match ran.is_empty() {
        true => format!("acts on each row of {tables}"),
        false => format!("acted on each row of {tables}: {rows} rows did not hold"),
    });
    outcome.entries.extend(ran.iter().map(|run| run.entry).filter(|entry| *entry > 0));
    if facts.otherwise.get(&rule.id).is_some_and(|word| word == "warn") {
        return let_pass(rule, rows, !ran.is_empty(), outcome);
    }
    if outcome.state == State::NotApplicable {
        outcome.state = State::Satisfied;
        outcome.why = "rows that break it are held back".to_owned();
    }
    outcome
}

/// How a rule ends of which the plan says that rows that break it are loaded all the same (`warn`).
fn let_pass(rule: &Rule, rows: u64, ran: bool, outcome: Outcome) -> Outcome {
    let passes = "the plan lets such rows pass";
    let instead = |other: Outcome| Outcome {
        evidence: outcome.evidence.clone(),
        entries: outcome.entries.clone(),
        ..other
    };
    match outcome.state {
        State::Violated => outcome,
        _ if rows > 0 => {
            instead(Outcome::violated(format!("{} broke it and were loaded", count(rows as usize, "row"))))
        }
        // No plan may wave through what lets no run load.
        _ if rule.blocks => {
            instead(Outcome::violated(format!("{passes}: `{} = \"warn\"` in [comply.otherwise]", rule.id)))
        }
        // After a run that met no such row the rest of the rule speaks.
        State::Satisfied if ran => outcome,
        State::Satisfied | State::NotApplicable => {
            let what = format!("{passes}: say why, or take `{}` out of [comply.otherwise]", rule.id);
            instead(Outcome::person("the lead", what))
        }
        _ => outcome,
    }
}

/// `1 column`, `2 columns`, `2 entries`, `2 changes of keys`.
fn count(n: usize, one: &str) -> String {
    if n == 1 {
        return format!("1 {one}");
    }
    let (word, rest) = one.find(" of ").map_or((one, ""), |at| one.split_at(at));
    match word.strip_suffix('y') {
        Some(stem) => format!("{n} {stem}ies{rest}"),
        None => format!("{n} {word}s{rest}"),
    }
}
