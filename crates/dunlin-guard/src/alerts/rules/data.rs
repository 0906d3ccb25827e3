//! Rules over what a person does with customer data: how much, row after row, what class, when, and refusals.

use std::collections::BTreeSet;

use dunlin_ledger::Body;

use super::{Case, Says, count, number, plural};
use crate::alerts::memory::{DAY_US, HOUR_US, forget};
use crate::alerts::{Context, Evidence, Rule, Severity, Source};

pub(in crate::alerts) fn judge(case: &mut Case, actor: &str, body: &Body, context: &Context) {
    match body {
        Body::AccessOpened { access, store, table, .. } => {
            let (at, table) = (case.seen.at, label(store, table));
            let shared = case.memory.everybody();
            shared.forget_accesses(at);
            shared.accesses.insert(access.clone(), (actor.to_owned(), table.clone(), at));
            opened(case, actor, &table, context);
        }
        Body::AccessRows { access, count, root } => {
            volume(case, actor, *count);
            let table = case.memory.shared.accesses.get(access).map(|(_, table, _)| table.clone());
            if let Some(table) = table {
                sweep(case, actor, &table, *count, root);
            }
        }
        Body::AccessClosed { access, .. } => {
            case.memory.everybody().accesses.remove(access);
        }
        Body::AccessDenied { store, table, .. } => {
            let counted = if let Context::Denied { times } = context { *times } else { 0 };
            denied(case, actor, &label(store, table), counted);
        }
        Body::WindowOverridden { .. } => overridden(case, actor),
        _ => {}
    }
}

fn label(store: &str, table: &str) -> String {
    if table.starts_with(&format!("{store}.")) { table.to_owned() } else { format!("{store}.{table}") }
}

fn opened(case: &mut Case, actor: &str, table: &str, context: &Context) {
    let Some(class) = context.clear_class() else { return };
    let class = class.to_owned();
    if !matches!(class.as_str(), "personal" | "sensitive" | "secret") {
        return;
    }
    first_touch(case, actor, table, &class);
    let Context::Access { task, in_window, .. } = context else { return };
    if *in_window == Some(false) {
        case.find(
            Some(actor),
            Says {
                rule: Rule::OutsideWindow,
                severity: Severity::Medium,
                subject: format!("{actor}:{table}"),
                what: format!(
                    "{{who}} opened {class} data of {table} in clear while the plan's window was closed."
                ),
                why: "The plan says when data may move; looking at it in clear belongs to the same hours."
                    .to_owned(),
                numbers: Vec::new(),
                evidence: Vec::new(),
            },
        );
    }
    if task.is_none() {
        case.find(
            Some(actor),
            Says {
                rule: Rule::OutsideTask,
                severity: Severity::Medium,
                subject: format!("{actor}:{table}"),
                what: format!("{{who}} opened {class} data of {table} in clear without an open task."),
                why: "Clear data is for a task; this access names none.".to_owned(),
                numbers: Vec::new(),
                evidence: Vec::new(),
            },
        );
    }
}

fn overridden(case: &mut Case, actor: &str) {
    case.find(
        Some(actor),
        Says {
            rule: Rule::OutsideWindow,
            severity: Severity::Medium,
            subject: format!("{actor}:run"),
            what: "{who} let a run move data outside the plan's window.".to_owned(),
            why: "The plan's window was closed at that time; a reason was given.".to_owned(),
            numbers: Vec::new(),
            evidence: Vec::new(),
        },
    );
}

fn first_touch(case: &mut Case, actor: &str, table: &str, class: &str) {
    let (at, days) = (case.seen.at, case.t.touch_days);
    let profile = case.memory.person(actor);
    let last = profile.classes.insert(class.to_owned(), at);
    if last.is_some_and(|last| at - last < i64::from(days) * DAY_US) {
        return;
    }
    let severity = match class {
        "secret" => Severity::High,
        "sensitive" => Severity::Medium,
        _ => Severity::Low,
    };
    case.find(
        Some(actor),
        Says {
            rule: Rule::FirstTouch,
            severity,
            subject: format!("{actor}:{class}"),
            what: format!("{{who}} saw {class} data in clear, of {table}."),
            why: format!(
                "{{who}} had seen no {class} data in clear in the last {}.",
                plural(u64::from(days), "day")
            ),
            numbers: vec![number("earlier looks at this class", 0.0, 1.0)],
            evidence: Vec::new(),
        },
    );
}

fn volume(case: &mut Case, actor: &str, rows: u64) {
    let at = case.seen.at;
    let (peers, how_many) = case.memory.peers_highest(actor, at);
    let profile = case.memory.person(actor);
    profile.add_rows(at, rows);
    let (today, own, days) = (profile.rows_today(at), profile.highest_day(at), profile.active_days(at));
    let (floor, times) = (case.t.volume_floor, case.t.volume_times);
    let beyond = |usual: u64| today as f64 > (usual as f64 * times).max(floor as f64);
    let by_self = days >= case.t.volume_days;
    // With a history of one's own that decides; a newcomer is held against the peers.
    let unusual = if by_self { beyond(own) } else { beyond(peers.max(own)) };
    if !unusual {
        return;
    }
    let far = by_self && how_many > 0 && beyond(peers);
    let mut why = if by_self {
        format!("The highest of {}' own {} was {} rows", "{who}", plural(days as u64, "day"), count(own))
    } else {
        format!("{{who}} has no history yet ({} with rows)", plural(days as u64, "day"))
    };
    match how_many {
        0 => why.push_str("; nobody else of that role has one"),
        n => why.push_str(&format!("; of {} of the same role {}", plural(n as u64, "person"), count(peers))),
    }
    why.push_str(&format!(". More than {times} times that, and more than {}, is unusual.", count(floor)));
    case.find(
        Some(actor),
        Says {
            rule: Rule::Volume,
            severity: if far || !by_self { Severity::High } else { Severity::Medium },
            subject: actor.to_owned(),
            what: format!("{{who}} saw {} rows within 24 hours.", count(today)),
            why,
            numbers: vec![
                number("rows within 24 hours, against the own highest day", today as f64, own as f64),
                number("the same, against the peers' highest day", today as f64, peers as f64),
            ],
            evidence: Vec::new(),
        },
    );
}

fn sweep(case: &mut Case, actor: &str, table: &str, rows: u64, root: &str) {
    if rows == 0 || rows > case.t.sweep_rows {
        return;
    }
    let Source::Entry(index) = case.seen.source else { return };
    let (at, limit) = (case.seen.at, case.t.sweep_looks);
    let profile = case.memory.person(actor);
    let looks = profile.small.entry(table.to_owned()).or_default();
    forget(looks, at - HOUR_US, |(t, _, _)| *t);
    // The root names the rows: looking at the same ones again is no sweep.
    looks.push_back((at, index, root.chars().take(16).collect()));
    let different: BTreeSet<&String> = looks.iter().map(|(_, _, root)| root).collect();
    let different = different.len();
    let evidence: Vec<Evidence> = looks.iter().rev().take(50).map(|(_, i, _)| Source::Entry(*i)).collect();
    profile.small.retain(|_, looks| !looks.is_empty());
    let today = at.div_euclid(DAY_US);
    let usual = profile.looks.range(..today).map(|(_, n)| *n).max().unwrap_or(0);
    let most = profile.looks.entry(today).or_default();
    *most = (*most).max(different as u64);
    profile.looks = profile.looks.split_off(&(today - 28));
    // Somebody whose work is looking at single rows does it every day.
    if different < limit || (different as u64) < usual.saturating_mul(2) {
        return;
    }
    let max_rows = case.t.sweep_rows;
    case.find(Some(actor), Says {
        rule: Rule::Sweep,
        severity: Severity::High,
        subject: format!("{actor}:{table}"),
        what: format!(
            "{{who}} looked {} times within an hour at {table}, at most {max_rows} rows each, each time at others.",
            count(different as u64)
        ),
        why: format!(
            "The most in any earlier hour was {}; from {limit} on, and twice the usual, it is a sweep.",
            count(usual)
        ),
        numbers: vec![number("small looks within an hour", different as f64, limit.max(2 * usual as usize) as f64)],
        evidence,
    });
}

fn denied(case: &mut Case, actor: &str, table: &str, counted: u64) {
    let Source::Entry(index) = case.seen.source else { return };
    let (at, window, limit) = (case.seen.at, case.t.burst_us(), case.t.denials as u64);
    let minutes = u64::from(case.t.burst_minutes);
    let denials = &mut case.memory.person(actor).denials;
    forget(denials, at - window, |(t, ..)| *t);
    denials.push_back((at, index, table.to_owned()));
    let total = counted.max(denials.len() as u64);
    let tables: BTreeSet<&String> = denials.iter().map(|(_, _, table)| table).collect();
    let tables = tables.len() as u64;
    let evidence: Vec<Evidence> = denials.iter().map(|(_, i, _)| Source::Entry(*i)).collect();
    if total < limit {
        return;
    }
    case.find(
        Some(actor),
        Says {
            rule: Rule::Denials,
            severity: if tables >= 5 { Severity::High } else { Severity::Medium },
            subject: actor.to_owned(),
            what: format!(
                "{{who}} was refused {} times within {}, at {}.",
                count(total),
                plural(minutes, "minute"),
                plural(tables, "table")
            ),
            why: format!(
                "Work that is allowed meets a refusal now and then; {limit} in that time is a burst."
            ),
            numbers: vec![number("refusals", total as f64, limit as f64)],
            evidence,
        },
    );
}
