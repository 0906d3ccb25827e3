//! Rules over what protects everything else: owners, policies, the ledger's key, and ways around the gate.

use dunlin_ledger::Body;

use super::{Case, Says, count, number, plural};
use crate::alerts::{Rule, Severity};

pub(in crate::alerts) fn judge(case: &mut Case, actor: Option<&str>, body: &Body) {
    match body {
        Body::PersonAdded { person, role, .. } => {
            case.memory.person(person).role = Some(role.clone());
            if role == "owner" {
                owner(case, actor, person);
            }
        }
        Body::PersonChanged { person, change } => {
            let Some(role) = change.strip_prefix("role:") else { return };
            case.memory.person(person).role = Some(role.to_owned());
            if role == "owner" {
                owner(case, actor, person);
            } else {
                case.memory.everybody().owners.remove(person);
            }
        }
        Body::PolicyChanged { .. } => policy(case, actor),
        Body::LedgerKeyChanged { .. } => key(case),
        Body::OutsideSeen { store, connections } if *connections > 0 => bypassing(case, store, *connections),
        _ => {}
    }
}

fn owner(case: &mut Case, actor: Option<&str>, person: &str) {
    let owners = &mut case.memory.everybody().owners;
    let before = owners.len() as u64;
    let is_new = owners.insert(person.to_owned());
    // The first owner is the set-up.
    if !is_new || before == 0 {
        return;
    }
    let by_self = actor == Some(person);
    case.find(
        Some(person),
        Says {
            rule: Rule::OwnerAdded,
            severity: if by_self { Severity::Critical } else { Severity::High },
            subject: person.to_owned(),
            what: if by_self { "{who} became an owner by their own hand." } else { "{who} became an owner." }
                .to_owned(),
            why: format!(
                "There were {} before. An owner may change everybody's rights.",
                plural(before, "owner")
            ),
            numbers: vec![number("owners", before as f64 + 1.0, before as f64)],
            evidence: Vec::new(),
        },
    );
}

fn policy(case: &mut Case, actor: Option<&str>) {
    case.find(
        actor,
        Says {
            rule: Rule::PolicyChanged,
            severity: Severity::High,
            subject: "policies".to_owned(),
            what: match actor {
                Some(_) => "{who} changed the policies that decide who sees what.".to_owned(),
                None => "The policies that decide who sees what were changed in their files.".to_owned(),
            },
            why: "Their fingerprint is another one than before.".to_owned(),
            numbers: Vec::new(),
            evidence: Vec::new(),
        },
    );
}

fn key(case: &mut Case) {
    case.find(
        None,
        Says {
            rule: Rule::LedgerKeyChanged,
            severity: Severity::Critical,
            subject: "ledger".to_owned(),
            what: "The ledger is signed with another key than before.".to_owned(),
            why: "Checkpoints that were signed earlier no longer verify under the key in use.".to_owned(),
            numbers: Vec::new(),
            evidence: Vec::new(),
        },
    );
}

fn bypassing(case: &mut Case, store: &str, connections: u64) {
    case.find(
        None,
        Says {
            rule: Rule::Bypassing,
            severity: Severity::Medium,
            subject: format!("store:{store}"),
            what: format!(
                "{} to the store {store} did not come from dunlin.",
                plural(connections, "connection")
            ),
            why: format!("During a move only dunlin should be connected: 0, and there {}.", are(connections)),
            numbers: vec![number("connections past the gate", connections as f64, 0.0)],
            evidence: Vec::new(),
        },
    );
}

fn are(n: u64) -> String {
    if n == 1 { "is 1".to_owned() } else { format!("are {}", count(n)) }
}
