//! What people did, by the ledger.

use std::collections::BTreeSet;

use super::super::facts::{Approved, Facts, RunFacts, TableFacts, TableRun};
use super::super::pack::{Concerns, Rule};
use super::super::select::absent;
use super::super::verdict::Outcome;
use super::{count, said};

const RUN: &str = "`dunlin run` moves the data; until then nothing of this can be shown";

/// The latest run of this very plan.
fn latest(facts: &Facts) -> Option<&RunFacts> {
    facts.past.runs.iter().rev().find(|run| run.fingerprint == facts.past.fingerprint)
}

fn ran(facts: &Facts) -> Vec<(&TableFacts, &TableRun)> {
    facts.tables.iter().filter_map(|table| Some((table, table.run.as_ref()?))).collect()
}

fn waits(what: &str) -> Outcome {
    Outcome::person("the engineer", format!("{what}: {RUN}"))
}

/// What dunlin wrote holds no values.
pub(super) fn own_output(kinds: &[String], facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Cards) {
        return Outcome::not_applicable(why);
    }
    let Some(scan) = &facts.past.scan else {
        return waits("nothing was written yet that could be looked at");
    };
    let found: u64 = kinds.iter().filter_map(|kind| scan.get(kind)).sum();
    let seen = format!(
        "{found} found in {} and in what is shown of the quarantine",
        count(facts.past.entries as usize, "ledger entry")
    );
    match found {
        0 => Outcome::satisfied("no full card number is in what dunlin wrote").seen(seen),
        _ => Outcome::violated("full card numbers are in what dunlin wrote").seen(seen),
    }
}

/// A customer's rows can be found, and given out.
pub(super) fn findable(request: &str, facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Personal) {
        return Outcome::not_applicable(why);
    }
    if !facts.subject {
        return Outcome::violated("the plan does not say who a customer is: nobody's rows can be found");
    }
    let apart: Vec<String> =
        facts.tables.iter().filter(|t| t.personal() && !t.subject).map(|t| t.name.clone()).collect();
    let answered = facts.past.answered.get(request).copied().unwrap_or_default();
    match apart.is_empty() {
        true => Outcome::satisfied("every table of persons leads to its customer")
            .seen(format!("{answered} requests of this kind answered")),
        false => Outcome::violated("rows about persons do not lead to a customer").at(apart),
    }
}

/// What customers asked for is done before the end.
pub(super) fn heeded(request: &str, facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Personal) {
        return Outcome::not_applicable(why);
    }
    let open = facts.past.open.get(request).copied().unwrap_or_default();
    let answered = facts.past.answered.get(request).copied().unwrap_or_default();
    let seen = format!("{open} open, {answered} answered");
    if request == "erasure" && facts.past.erased_left > 0 {
        let found = format!("{} rows of erased customers", facts.past.erased_left);
        return Outcome::violated("rows of customers who were erased were found again").seen(found);
    }
    if !facts.subject {
        return Outcome::violated("the plan does not say who a customer is: nobody's request can be heeded");
    }
    match open {
        0 => Outcome::satisfied("nothing that a customer asked for is open").seen(seen),
        _ => Outcome::violated("requests of this kind are open").seen(seen),
    }
}

/// Answers are in time.
pub(super) fn requests(facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Personal) {
        return Outcome::not_applicable(why);
    }
    let open: u64 = facts.past.open.values().sum();
    let answered: u64 = facts.past.answered.values().sum();
    let seen = format!("{open} open, {answered} answered, {} late", facts.past.late);
    match facts.past.late {
        0 => Outcome::satisfied("no request is late; open ones are heeded by every run").seen(seen),
        _ => Outcome::violated("requests were not answered in time").seen(seen),
    }
}

/// The ledger holds, and is kept.
pub(super) fn chain(years: u16, rows: bool, concerns: Concerns, facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, concerns) {
        return Outcome::not_applicable(why);
    }
    let past = &facts.past;
    if past.entries == 0 {
        return waits("the ledger is empty");
    }
    let seen = format!(
        "{} since {}, {} looks at customers' rows",
        count(past.entries as usize, "entry"),
        past.since.as_deref().unwrap_or("its beginning"),
        past.accesses
    );
    if past.verified != Some(true) {
        return match past.verified {
            Some(_) => Outcome::violated("the ledger does not verify").seen(seen),
            None => Outcome::person("the auditor", "verify the ledger: `dunlin ledger verify`").seen(seen),
        };
    }
    if facts.evidence_years.unwrap_or_default() < years {
        let why =
            format!("the plan does not say that the evidence is kept for {}", count(years.into(), "year"));
        return Outcome::violated(why).seen(seen);
    }
    let apart: Vec<String> =
        ran(facts).iter().filter(|(_, run)| rows && !run.reconciled).map(|(t, _)| t.name.clone()).collect();
    match apart.is_empty() {
        true => Outcome::satisfied("every entry is there, in order and signed").seen(seen),
        false => Outcome::violated("rows before and after the move differ").seen(seen).at(apart),
    }
}

/// How long the evidence is kept.
pub(super) fn kept(years: u16, facts: &Facts) -> Outcome {
    let kept = facts.evidence_years.unwrap_or_default();
    let seen = format!("kept for {}, asked for {years}", count(kept.into(), "year"));
    if kept < years {
        return Outcome::violated(format!("the evidence is not said to be kept for {years} years"))
            .seen(seen);
    }
    match facts.past.reports.is_empty() {
        true => waits("no report is written yet").seen(seen),
        false => Outcome::satisfied("report and ledger are kept long enough")
            .seen(seen)
            .entries(facts.past.reports.last().copied()),
    }
}

/// What ran is what was approved.
pub(super) fn approved(facts: &Facts) -> Outcome {
    let past = &facts.past;
    let approvals: Vec<u64> = past.approvals.iter().map(|a| a.entry).collect();
    let seen = format!("{} of this fingerprint", count(approvals.len(), "approval"));
    let held = held(facts);
    let outcome = match (latest(facts), held.is_empty()) {
        (None, true) => {
            Outcome::person("the approver", "approve this plan: `dunlin plan approve FINGERPRINT`")
        }
        (None, false) => Outcome::satisfied("the plan is approved as it is"),
        (Some(_), false) => Outcome::satisfied("the plan that ran is the plan that was approved"),
        (Some(run), true) => Outcome::violated(match () {
            () if approvals.is_empty() => "a plan ran that nobody approved",
            () if approvals.iter().all(|entry| *entry > run.entry) => {
                "the plan was approved only after it had run"
            }
            () => "the approval no longer held when the plan ran",
        }),
    };
    let voided = past.approvals.iter().filter_map(|a| a.voided);
    outcome.seen(seen).entries(approvals).entries(voided).entries(latest(facts).map(|run| run.entry))
}

/// The approvals that counted when the plan last ran, or count now where it has not.
fn held(facts: &Facts) -> Vec<&Approved> {
    let at = latest(facts).map_or(u64::MAX, |run| run.entry);
    facts.past.approvals.iter().filter(|approval| approval.held_at(at)).collect()
}

/// Nobody approves their own work.
pub(super) fn segregation(facts: &Facts) -> Outcome {
    let past = &facts.past;
    let held = held(facts);
    if held.is_empty() {
        return Outcome::person("the approver", "approve this plan: `dunlin plan approve FINGERPRINT`");
    }
    let approvers: BTreeSet<&String> = held.iter().map(|a| &a.by).collect();
    let authors: BTreeSet<&String> = past.authors.iter().collect();
    let of_plan = past.runs.iter().filter(|run| run.fingerprint == past.fingerprint);
    let runners: BTreeSet<&String> = of_plan.map(|run| &run.by).collect();
    let entries: Vec<u64> = held.iter().map(|a| a.entry).collect();
    let seen = format!(
        "{} of the plan by the ledger, {}, {} who ran it",
        count(authors.len(), "author"),
        count(approvers.len(), "approver"),
        runners.len(),
    );
    let another = approvers.iter().filter(|who| !authors.contains(**who) && !runners.contains(**who)).count();
    let outcome = match another {
        0 => Outcome::violated("who approved the plan also wrote or ran it"),
        _ if authors.is_empty() => Outcome::person(
            "the auditor",
            "say who wrote the plan: this form of it was not written through the server, so the ledger does not name its author",
        ),
        _ => Outcome::satisfied("somebody approved the plan who neither wrote nor ran it"),
    };
    outcome.seen(seen).entries(entries)
}

/// Completeness, by control totals.
pub(super) fn totals(facts: &Facts) -> Outcome {
    let ran = ran(facts);
    if ran.is_empty() {
        return waits("no rows were counted yet");
    }
    let balances = |r: &TableRun| r.source == r.loaded + r.merged + r.quarantined + r.excluded + r.erased;
    let apart: Vec<String> = ran
        .iter()
        .filter(|(_, run)| !balances(run) || !run.reconciled)
        .map(|(table, _)| table.name.clone())
        .collect();
    let lines = ran.iter().map(|(table, r)| {
        format!(
            "{}: {} = {} loaded + {} merged + {} quarantined + {} excluded + {} erased",
            table.name, r.source, r.loaded, r.merged, r.quarantined, r.excluded, r.erased
        )
    });
    let outcome = match (apart.is_empty(), ran.len() == facts.tables.len()) {
        (true, true) => Outcome::satisfied("each source row is accounted for, and both sides agree"),
        (true, false) => Outcome::person("the engineer", "move the tables that were not moved yet"),
        (false, _) => Outcome::violated("source and target do not agree").at(apart),
    };
    lines.fold(outcome, Outcome::seen).entries(ran.iter().map(|(_, r)| r.entry).filter(|e| *e > 0))
}

/// Rows have names and parents.
pub(super) fn lineage(facts: &Facts) -> Outcome {
    let nameless: Vec<String> =
        facts.tables.iter().filter(|table| !table.key).map(|table| table.name.clone()).collect();
    if !nameless.is_empty() {
        return Outcome::violated("rows have no key by which they trace to their source").at(nameless);
    }
    let ran = ran(facts);
    if ran.is_empty() {
        return waits("no row was moved yet");
    }
    let apart: Vec<String> = ran.iter().filter(|(_, r)| !r.reconciled).map(|(t, _)| t.name.clone()).collect();
    let loaded: u64 = ran.iter().map(|(_, r)| r.loaded).sum();
    match apart.is_empty() {
        true => Outcome::satisfied("each row traces to one source row; keys and foreign keys hold")
            .seen(format!("{loaded} rows by key"))
            .entries(ran.iter().map(|(_, r)| r.entry).filter(|entry| *entry > 0)),
        false => Outcome::violated("rows do not trace to their source").at(apart),
    }
}

/// Rights that were given end.
pub(super) fn grants(facts: &Facts) -> Outcome {
    let past = &facts.past;
    let seen = format!("{} grants were given, {} are open", past.grants, past.grants_open);
    let runner = latest(facts).map(|run| format!("run by {}", run.by));
    let outcome = match past.grants_open {
        0 => Outcome::satisfied("no grant is open"),
        _ => Outcome::violated("grants are still open"),
    };
    runner.into_iter().fold(outcome.seen(seen), Outcome::seen)
}

/// Quarantine is empty before the sign-off.
pub(super) fn exceptions(facts: &Facts) -> Outcome {
    if ran(facts).is_empty() {
        return waits("no row could be an exception yet");
    }
    let past = &facts.past;
    let seen = format!("{} rows wait, {}", past.waiting, count(past.decisions.len(), "decision"));
    let outcome = match past.waiting {
        0 => Outcome::satisfied("no row waits for a person"),
        _ => Outcome::violated("rows wait for a person: nobody can sign"),
    };
    outcome.seen(seen).entries(past.decisions.iter().copied().take(20))
}

/// dunlin reads sources; only an erasure writes there.
pub(super) fn source_kept(rule: &Rule, facts: &Facts) -> Outcome {
    match facts.past.source_erased {
        0 => Outcome::satisfied("no row was taken out of a source").seen(match facts.erase_source {
            true => "the plan lets erasures reach the sources; none has",
            false => "the plan lets nothing write to a source",
        }),
        rows => {
            let seen = format!("{rows} rows were erased in sources");
            match said(rule, None, facts) {
                Some(outcome) => outcome.seen(seen),
                None => Outcome::person(
                    "the legal department",
                    "say that no legal hold covers the rows erased in sources",
                )
                .seen(seen),
            }
        }
    }
}

/// Somebody signs.
pub(super) fn certified(rule: &Rule, facts: &Facts) -> Outcome {
    if facts.past.reports.is_empty() {
        return waits("there is no report to sign");
    }
    let entry = facts.past.reports.last().copied();
    match said(rule, None, facts) {
        Some(outcome) => outcome.entries(entry),
        None => Outcome::person("the owner named for the certification", "sign the report of this run")
            .entries(entry),
    }
}

/// Incidents and their clocks.
pub(super) fn incidents(rule: &Rule, days: u16, who: &str, what: &str, facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Personal) {
        return Outcome::not_applicable(why);
    }
    let incidents = &facts.past.incidents;
    if incidents.is_empty() {
        return Outcome::not_applicable("the ledger has no alert of high severity");
    }
    let open: Vec<_> = incidents.iter().filter(|incident| !incident.closed).collect();
    let outcome = match (open.is_empty(), said(rule, None, facts)) {
        (_, Some(outcome)) => outcome,
        (true, None) => Outcome::satisfied("every alert of high severity was dealt with"),
        (false, None) => Outcome::person(who, what),
    };
    let due = open.iter().map(|incident| match incident.day.parse::<jiff::civil::Date>() {
        Ok(day) => {
            let due = day.saturating_add(jiff::Span::new().days(i64::from(days)));
            format!("entry {}: seen on {day}, due by {due}", incident.entry)
        }
        Err(_) => format!("entry {}: within {days} days", incident.entry),
    });
    due.fold(outcome, Outcome::seen).entries(incidents.iter().map(|incident| incident.entry))
}

/// What another company got.
pub(super) fn disclosures(facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Personal) {
        return Outcome::not_applicable(why);
    }
    let to: Vec<&str> = facts
        .stores
        .iter()
        .filter(|s| s.target && s.processor.is_some())
        .map(|store| store.name.as_str())
        .collect();
    if to.is_empty() {
        return Outcome::not_applicable("no other company gets the data");
    }
    if facts.past.runs.is_empty() {
        return waits("nothing was disclosed yet");
    }
    Outcome::satisfied("each run that discloses is in the ledger: when, to whom, why")
        .at(to.into_iter().map(str::to_owned))
        .seen(count(facts.past.runs.len(), "run"))
        .entries(facts.past.runs.iter().map(|run| run.entry))
}

/// Keys.
pub(super) fn keys(rule: &Rule, facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Cards) {
        return Outcome::not_applicable(why);
    }
    let seen = format!("{} in the ledger", count(facts.past.key_changes.len(), "change of keys"));
    match facts.past.keys_outside {
        Some(false) => Outcome::violated("the keys lie beside the data they protect").seen(seen),
        None => Outcome::person("the security officer", "say where the keys are kept").seen(seen),
        Some(true) => {
            let outcome = said(rule, None, facts).unwrap_or_else(|| {
                let what = "say who holds the keys and that no one person can use them in clear alone";
                Outcome::person("the security officer", what)
            });
            outcome.seen("the keys lie outside the workspace").seen(seen)
        }
    }
    .entries(facts.past.key_changes.iter().copied())
}
