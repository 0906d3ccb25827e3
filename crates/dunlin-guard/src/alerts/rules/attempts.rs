//! Rules over sign-in attempts: refused second factors, locks, and leaked passwords being tried.

use std::collections::BTreeSet;

use super::{Case, Says, number, plural};
use crate::alerts::memory::forget;
use crate::alerts::{Outcome, Rule, Severity, Tried};

pub(in crate::alerts) fn judge(case: &mut Case, tried: &Tried) {
    if let (Some(person), true) = (&tried.person, tried.is_second_factor()) {
        second_factor(case, person, tried.outcome);
    }
    if tried.outcome == Outcome::Locked {
        locked(case, tried);
    }
    if tried.outcome != Outcome::Accepted && tried.credential == "password" {
        stuffing(case, tried);
    }
}

fn second_factor(case: &mut Case, person: &str, outcome: Outcome) {
    let (at, window, limit) = (case.seen.at, case.t.burst_us(), case.t.refused_factors);
    let minutes = u64::from(case.t.burst_minutes);
    let profile = case.memory.person(person);
    forget(&mut profile.factors, at - window, |t| *t);
    if outcome != Outcome::Accepted {
        profile.factors.push_back(at);
    }
    let refused = profile.factors.len();
    if refused < limit {
        return;
    }
    let gave_in = outcome == Outcome::Accepted;
    if gave_in {
        profile.factors.clear();
    }
    let refused_text = plural(refused as u64, "second factor");
    let ends = if gave_in { ", and then one was accepted" } else { "" };
    case.find(
        Some(person),
        Says {
            rule: Rule::MfaFatigue,
            severity: if gave_in { Severity::Critical } else { Severity::High },
            // That one was accepted is another alert: it must not be counted into the first.
            subject: if gave_in { format!("{person}:accepted") } else { person.to_owned() },
            what: format!(
                "{refused_text} of {{who}} were refused within {}{ends}.",
                plural(minutes, "minute")
            ),
            why: format!("{} is what a person mistypes; the first factor was right each time.", limit - 1),
            numbers: vec![number("refused second factors", refused as f64, limit as f64)],
            evidence: Vec::new(),
        },
    );
}

fn locked(case: &mut Case, tried: &Tried) {
    let who = if tried.person.is_some() { "The account of {who}" } else { "An account that does not exist" };
    case.find(
        tried.person.as_deref(),
        Says {
            rule: Rule::LockReached,
            severity: if tried.person.is_some() { Severity::Medium } else { Severity::Low },
            subject: format!("{}:{}", tried.account, tried.credential),
            what: format!("{who} refuses its {} after too many wrong ones.", word(&tried.credential)),
            why: "The limit of wrong tries was reached.".to_owned(),
            numbers: Vec::new(),
            evidence: Vec::new(),
        },
    );
}

fn word(credential: &str) -> &str {
    match credential {
        "totp" => "one-time code",
        "recovery_code" => "recovery code",
        other => other,
    }
}

fn stuffing(case: &mut Case, tried: &Tried) {
    let (at, window) = (case.seen.at, case.t.burst_us());
    let minutes = u64::from(case.t.burst_minutes);
    let (here, everywhere) = (case.t.stuffing_accounts, case.t.stuffing_accounts_everywhere);
    let shared = case.memory.everybody();
    shared.add_failure(&tried.network, at, &tried.account, window);
    let failures = shared.networks.get(&tried.network);
    let mine: BTreeSet<&String> = failures.into_iter().flatten().map(|(_, account)| account).collect();
    let all: BTreeSet<&String> = shared.networks.values().flatten().map(|(_, account)| account).collect();
    let networks = shared.networks.len();
    let (mine, all) = (mine.len(), all.len());
    if mine >= here {
        case.find(
            None,
            Says {
                rule: Rule::CredentialStuffing,
                severity: Severity::High,
                subject: format!("network:{}", tried.network),
                what: format!(
                    "One network failed at {} within {}.",
                    plural(mine as u64, "account"),
                    plural(minutes, "minute")
                ),
                why: format!(
                    "A person fails at one account, a shared office at a few; from {here} on it is a list."
                ),
                numbers: vec![number("accounts from one network", mine as f64, here as f64)],
                evidence: Vec::new(),
            },
        );
    } else if all >= everywhere {
        case.find(
            None,
            Says {
                rule: Rule::CredentialStuffing,
                severity: Severity::High,
                subject: "everywhere".to_owned(),
                what: format!(
                    "{} failed at {} within {}.",
                    plural(networks as u64, "network"),
                    plural(all as u64, "account"),
                    plural(minutes, "minute")
                ),
                why: format!("Each network stays below the limit of {here}; together they try a list."),
                numbers: vec![number("accounts from all networks", all as f64, everywhere as f64)],
                evidence: Vec::new(),
            },
        );
    }
}
