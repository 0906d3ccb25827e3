//! For each rule what must fire it, after three ordinary weeks; and what comes close and must not.

use std::collections::BTreeSet;

use dunlin_ledger::Body;

use super::story::{MADRID, SINGAPORE, Story, TOLEDO, engine, fired};
use crate::alerts::{Context, Outcome, Rule, Severity, Thresholds};

fn only(rule: Rule) -> BTreeSet<Rule> {
    BTreeSet::from([rule])
}

#[test]
fn a_device_that_was_never_seen() {
    let (rules, found) = fired(|s| {
        s.at(21, 8, 20).sign_in("ben", "Opera", MADRID);
    });
    assert_eq!(rules, only(Rule::NewDevice));
    insta::assert_snapshot!(found[0].what, @"{who} signed in with Opera on Linux.");
    insta::assert_snapshot!(found[0].why, @"In the last 90 days {who} came with 1 device, and this is none of them.");
    let (rules, _) = fired(|s| {
        s.at(21, 8, 20).sign_in("ben", "Opera", MADRID).wait_s(60).sign_in("ben", "Opera", MADRID);
        s.at(21, 8, 40).sign_in("ana", "Safari", MADRID);
    });
    assert_eq!(rules, only(Rule::NewDevice), "the second time it is known");
}

#[test]
fn two_cities_an_hour_apart_that_are_a_day_apart() {
    let (rules, found) = fired(|s| {
        s.at(21, 8, 10).sign_in("ben", "Chrome", MADRID);
        s.at(21, 9, 40).sign_in("ben", "Chrome", SINGAPORE);
    });
    assert_eq!(rules, only(Rule::ImpossibleTravel));
    insta::assert_snapshot!(found[0].what, @"{who} signed in from Singapore, SG, 1 h 30 min after Madrid, ES.");
    assert_eq!(found[0].severity, Severity::High);
    assert!(found[0].numbers[0].value > 7_000.0, "{:?}", found[0].numbers);
    let (rules, _) = fired(|s| {
        s.at(21, 8, 10).sign_in("ben", "Chrome", MADRID);
        s.at(21, 8, 12).sign_in("ben", "Chrome", TOLEDO);
        s.at(22, 9, 40).sign_in("ben", "Chrome", SINGAPORE);
    });
    assert!(rules.is_empty(), "near by, and with a day to fly: {rules:?}");
}

#[test]
fn three_in_the_morning_of_somebody_who_works_by_day() {
    let (rules, found) = fired(|s| {
        s.at(21, 2, 12).sign_in("ben", "Chrome", MADRID);
    });
    assert_eq!(rules, only(Rule::UnusualHour));
    insta::assert_snapshot!(found[0].what, @"{who} signed in at 03:12 (Europe/Madrid).");
    let (rules, _) = fired(|s| {
        s.at(21, 19, 30).sign_in("eve", "Firefox", TOLEDO);
        s.at(21, 6, 10).sign_in("ben", "Chrome", MADRID);
    });
    assert!(rules.is_empty(), "night work is usual for some, and an hour earlier is nothing: {rules:?}");
}

#[test]
fn second_factors_refused_until_one_is_accepted() {
    let (rules, found) = fired(|s| {
        s.at(21, 8, 5);
        for _ in 0..6 {
            s.wait_s(40).attempt("ben", "totp", "far away", Outcome::Refused);
        }
        s.wait_s(40).attempt("ben", "totp", "far away", Outcome::Accepted);
    });
    assert_eq!(rules, only(Rule::MfaFatigue));
    assert_eq!(found[0].severity, Severity::High);
    let last = found.last().unwrap();
    assert_eq!(last.severity, Severity::Critical);
    insta::assert_snapshot!(last.what, @"6 second factors of {who} were refused within 10 minutes, and then one was accepted.");
    let (rules, _) = fired(|s| {
        for day in [21, 22, 23] {
            s.at(day, 8, 5).attempt("ben", "totp", "office", Outcome::Refused);
            s.wait_s(300).attempt("ben", "totp", "office", Outcome::Refused);
            s.wait_s(310).attempt("ben", "totp", "office", Outcome::Refused);
        }
    });
    assert!(rules.is_empty(), "mistyping: {rules:?}");
}

#[test]
fn an_account_that_slept_for_a_month() {
    let (rules, found) = fired(|s| {
        s.at(21 + 40, 8, 20).sign_in("ben", "Chrome", MADRID);
    });
    assert_eq!(rules, only(Rule::DormantAccount));
    insta::assert_snapshot!(found[0].what, @"{who} signed in after 42 days without a sign of life.");
    let (rules, _) = fired(|s| {
        s.at(21 + 21, 8, 20).sign_in("ben", "Chrome", MADRID);
    });
    assert!(rules.is_empty(), "three weeks of holidays: {rules:?}");
}

#[test]
fn ten_times_the_rows_of_any_day() {
    let (rules, found) = fired(|s| {
        s.at(21, 9, 0).look("ben", "crm.customers", Some("personal"), &[4_000, 4_000, 4_000]);
    });
    assert_eq!(rules, only(Rule::Volume));
    assert!(found[0].why.contains("of 2 persons of the same role"), "{}", found[0].why);
    assert_eq!(found.last().unwrap().severity, Severity::High, "beyond the own and the peers' days");
    let (rules, _) = fired(|s| {
        s.at(21, 9, 0).look("ben", "crm.customers", Some("personal"), &[900, 900]);
    });
    assert!(rules.is_empty(), "a busy day: {rules:?}");
}

#[test]
fn a_newcomer_is_held_against_the_peers() {
    let (rules, found) = fired(|s| {
        s.at(21, 7, 0).added("ana", "fay", "engineer");
        s.at(21, 9, 0).look("fay", "crm.customers", None, &[9_000]);
    });
    assert_eq!(rules, only(Rule::Volume));
    assert!(found[0].why.contains("has no history yet"), "{}", found[0].why);
    let (rules, _) = fired(|s| {
        s.at(21, 7, 0).added("ana", "fay", "engineer");
        s.at(21, 9, 0).look("fay", "crm.customers", None, &[1_200]);
    });
    assert!(rules.is_empty(), "as much as the others see: {rules:?}");
}

#[test]
fn one_row_after_another() {
    let (rules, found) = fired(|s| {
        s.at(21, 10, 0);
        for _ in 0..60 {
            s.wait_s(30).look("ben", "atlas.people", Some("personal"), &[1]);
        }
    });
    assert_eq!(rules, only(Rule::Sweep));
    assert!(found[0].evidence.len() >= 40, "the looks are named");
    assert!(found[0].what.contains("40 times within an hour at atlas.people"), "{}", found[0].what);
    let (rules, _) = fired(|s| {
        s.at(21, 10, 0);
        for _ in 0..60 {
            s.wait_s(600).look("ben", "atlas.people", Some("personal"), &[1]);
        }
    });
    assert!(rules.is_empty(), "spread over the day: {rules:?}");
}

#[test]
fn looking_at_the_same_row_again_is_no_sweep() {
    let (rules, _) = fired(|s| {
        s.at(21, 10, 0).look("ben", "atlas.people", Some("personal"), &[]);
        let opened = s.seen[s.seen.len() - 2].clone();
        let crate::alerts::What::Entry(entry, _) = &opened.what else { panic!() };
        let Body::AccessOpened { access, .. } = &entry.body else { panic!() };
        let open = entry.body.clone();
        let access = access.clone();
        s.entry("ben", open, Context::None);
        for _ in 0..100 {
            let rows = Body::AccessRows { access: access.clone(), count: 1, root: "cd".repeat(32) };
            s.wait_s(10).entry("ben", rows, Context::None);
        }
    });
    assert!(rules.is_empty(), "{rules:?}");
}

#[test]
fn the_first_look_at_secret_data() {
    let (rules, found) = fired(|s| {
        s.at(21, 9, 0).look("ben", "crm.credentials", Some("secret"), &[3]);
        s.at(21, 9, 5).look("ben", "crm.credentials", Some("secret"), &[3]);
    });
    assert_eq!((rules, found.len()), (only(Rule::FirstTouch), 1));
    assert_eq!(found[0].severity, Severity::High);
    let (rules, _) = fired(|s| {
        s.at(21, 9, 0).look("cai", "crm.health", Some("sensitive"), &[3]);
        s.at(21, 9, 0).look("eve", "crm.customers", None, &[3]);
        s.at(21, 9, 0).look("eve", "crm.customers", Some("internal"), &[3]);
    });
    assert!(rules.is_empty(), "known, masked, or not personal: {rules:?}");
}

#[test]
fn clear_data_while_the_window_is_closed() {
    let (rules, found) = fired(|s| {
        s.at(21, 9, 0).look_as("ben", "crm.customers", Some("personal"), Some("T"), Some(false), &[3]);
    });
    assert_eq!(rules, only(Rule::OutsideWindow));
    insta::assert_snapshot!(found[0].what, @"{who} opened personal data of crm.customers in clear while the plan's window was closed.");
    let (rules, _) = fired(|s| {
        s.at(21, 9, 0).look_as("ben", "crm.customers", None, Some("T"), Some(false), &[3]);
        s.at(21, 9, 0).look_as("ben", "crm.customers", Some("personal"), Some("T"), None, &[3]);
    });
    assert!(rules.is_empty(), "masked, or no window in the plan: {rules:?}");
    let (rules, _) = fired(|s| {
        let body = Body::WindowOverridden {
            run: "r1".into(),
            reason_category: "incident".into(),
            reason_hash: "ab".repeat(32),
        };
        s.at(21, 9, 0).entry("ben", body, Context::None);
    });
    assert_eq!(rules, only(Rule::OutsideWindow));
}

#[test]
fn clear_data_without_a_task() {
    let (rules, found) = fired(|s| {
        s.at(21, 9, 0).look_as("ben", "crm.customers", Some("personal"), None, Some(true), &[3]);
    });
    assert_eq!(rules, only(Rule::OutsideTask));
    assert_eq!(found[0].person.as_deref(), Some("ben"));
}

#[test]
fn a_burst_of_refusals() {
    let (rules, found) = fired(|s| {
        s.at(21, 9, 0);
        for table in
            ["crm.a", "crm.b", "crm.c", "crm.d", "crm.e", "crm.f", "crm.a", "crm.b", "crm.c", "crm.d"]
        {
            s.wait_s(20).denied("ben", table);
        }
    });
    assert_eq!(rules, only(Rule::Denials));
    assert_eq!((found.len(), found[0].evidence.len(), found[0].severity), (1, 10, Severity::High));
    insta::assert_snapshot!(found[0].what, @"{who} was refused 10 times within 10 minutes, at 6 tables.");
    let (rules, _) = fired(|s| {
        s.at(21, 9, 0);
        for _ in 0..20 {
            s.wait_s(180).denied("ben", "crm.a");
        }
    });
    assert!(rules.is_empty(), "over an hour: {rules:?}");
}

#[test]
fn one_entry_that_stands_for_many_refusals() {
    let (rules, _) = fired(|s| {
        s.at(21, 9, 0).denied("ben", "crm.a");
        let last = s.seen.last_mut().unwrap();
        let crate::alerts::What::Entry(_, context) = &mut last.what else { panic!() };
        *context = Context::Denied { times: 25 };
    });
    assert_eq!(rules, only(Rule::Denials));
}

#[test]
fn connections_past_the_gate() {
    let (rules, found) = fired(|s| {
        let body = Body::OutsideSeen { store: "atlas".into(), connections: 2 };
        s.at(21, 9, 0).entry("dunlin", body, Context::None);
    });
    assert_eq!((rules, found[0].person.clone()), (only(Rule::Bypassing), None));
    insta::assert_snapshot!(found[0].what, @"2 connections to the store atlas did not come from dunlin.");
}

#[test]
fn an_account_that_was_locked() {
    let (rules, found) = fired(|s| {
        s.at(21, 9, 0);
        for _ in 0..10 {
            s.wait_s(5).attempt("ben", "password", "far away", Outcome::Refused);
        }
        s.wait_s(5).attempt("ben", "password", "far away", Outcome::Locked);
    });
    assert_eq!((rules, found.len()), (only(Rule::LockReached), 1));
    insta::assert_snapshot!(found[0].what, @"The account of {who} refuses its password after too many wrong ones.");
}

#[test]
fn a_list_of_passwords_from_one_network_and_from_many() {
    let list = |s: &mut Story, network: fn(usize) -> String, accounts: usize| {
        s.at(21, 4, 0);
        for n in 0..accounts {
            let account = format!("unknown{n}");
            s.wait_s(3).attempt(&account, "password", &network(n), Outcome::Refused);
        }
    };
    let (rules, found) = fired(|s| list(s, |_| "one".to_owned(), 10));
    assert_eq!((rules, found.len()), (only(Rule::CredentialStuffing), 1));
    insta::assert_snapshot!(found[0].what, @"One network failed at 10 accounts within 10 minutes.");
    let (rules, found) = fired(|s| list(s, |n| format!("net{}", n % 25), 50));
    assert_eq!(rules, only(Rule::CredentialStuffing));
    insta::assert_snapshot!(found[0].what, @"25 networks failed at 50 accounts within 10 minutes.");
    let (rules, _) = fired(|s| list(s, |_| "one".to_owned(), 9));
    assert!(rules.is_empty(), "{rules:?}");
    let (rules, _) = fired(|s| {
        s.at(21, 4, 0);
        for _ in 0..60 {
            s.wait_s(3).attempt("unknown", "password", "one", Outcome::Refused);
        }
    });
    assert!(rules.is_empty(), "one account many times is for the lock: {rules:?}");
}

#[test]
fn a_second_owner_but_not_the_first() {
    let (rules, found) = fired(|s| {
        let body = Body::PersonChanged { person: "ben".into(), change: "role:owner".into() };
        s.at(21, 9, 0).entry("ben", body, Context::None);
    });
    assert_eq!((rules, found[0].severity), (only(Rule::OwnerAdded), Severity::Critical));
    let (rules, found) = fired(|s| {
        s.at(21, 9, 0).added("ana", "gus", "owner");
    });
    assert_eq!((rules, found[0].severity), (only(Rule::OwnerAdded), Severity::High));
    let mut first = Story::new();
    first.added("dunlin", "ana", "owner");
    assert!(first.findings(&mut engine()).is_empty());
}

#[test]
fn policies_and_the_ledgers_key() {
    let (rules, _) = fired(|s| {
        s.at(21, 9, 0).entry("ana", Body::PolicyChanged { fingerprint: "ab".repeat(32) }, Context::None);
    });
    assert_eq!(rules, only(Rule::PolicyChanged));
    let (rules, found) = fired(|s| {
        let body = Body::LedgerKeyChanged { previous: "ab".repeat(32), verifier: "cd".repeat(32) };
        s.at(21, 9, 0).entry("dunlin", body, Context::None);
    });
    assert_eq!((rules, found[0].severity), (only(Rule::LedgerKeyChanged), Severity::Critical));
}

#[test]
fn a_rule_that_is_off_says_nothing_and_every_rule_has_a_scenario() {
    let mut engine = engine();
    let thresholds = Thresholds { off: vec![Rule::PolicyChanged], ..engine.thresholds().clone() };
    engine = crate::alerts::Engine::new(thresholds, None, crate::alerts::Memory::default());
    let mut story = Story::new();
    story.entry("ana", Body::PolicyChanged { fingerprint: "ab".repeat(32) }, Context::None);
    assert!(story.findings(&mut engine).is_empty());
    let source = include_str!("scenarios.rs");
    for rule in Rule::ALL {
        assert!(source.contains(&format!("only(Rule::{rule:?})")), "{rule:?} has no scenario");
        assert_eq!(Rule::parse(rule.code()), Some(*rule));
    }
}
