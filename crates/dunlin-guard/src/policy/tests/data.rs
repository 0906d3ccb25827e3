//! Each sentence about customer data, held against what the policies do.

use std::collections::BTreeSet;

use dunlin_gate::{Act, Ask, ColumnInfo, Decision, Obligation, Question, Shown};
use dunlin_ledger::Actor;
use dunlin_plan::{Role, Word};

use crate::grants::{Agreement, Grant};
use crate::policy::facts::Facts;
use crate::policy::policies::Policies;
use crate::policy::view::View;

const TABLE: &str = "atlas.people";
/// One column of each class.
const COLUMNS: [(&str, &str); 5] = [
    ("country", "country"),
    ("email", "email"),
    ("card", "card_number"),
    ("pin", "credential"),
    ("unlooked", ""),
];

fn columns() -> Vec<ColumnInfo> {
    let kind = |kind: &str| (!kind.is_empty()).then(|| kind.to_owned());
    COLUMNS.iter().map(|(name, k)| ColumnInfo { name: (*name).to_owned(), kind: kind(k) }).collect()
}

pub(super) fn facts(role: Role) -> Facts {
    Facts { id: "me".into(), role, organisation: None, active: true, mfa: true, tables: None }
}

pub(super) fn grant(act: Act, columns: Option<&[&str]>, stands: &[(&str, &str)]) -> Grant {
    let stand = |(person, party): &(&str, &str)| Agreement {
        person: (*person).to_owned(),
        party: (*party).to_owned(),
        at: 0,
    };
    Grant {
        id: "g1".into(),
        person: "me".into(),
        task: "t1".into(),
        action: act.as_str().to_owned(),
        store: "atlas".into(),
        table: TABLE.into(),
        columns: columns.map(|c| c.iter().map(|c| (*c).to_owned()).collect()),
        until: None,
        purpose_category: "support_case".into(),
        purpose_hash: String::new(),
        opened_by: "lead".into(),
        opened_at: 0,
        closed_at: None,
        closed_reason: None,
        agreements: stands.iter().map(stand).collect(),
    }
}

fn ask(clear: bool, purpose: bool, mfa_age_s: Option<u64>) -> Ask {
    let actor = Actor::Person { id: "me".into() };
    let mut ask = if purpose { Ask::clear(actor, "support_case", "ticket 1") } else { Ask::masked(actor) };
    ask.clear = clear;
    ask.circumstances.mfa_age_s = mfa_age_s;
    ask
}

fn decide(policies: &Policies, facts: &Facts, ask: &Ask, grants: &[Grant]) -> Decision {
    let columns = columns();
    let question = Question { ask, store: "atlas", table: TABLE, columns: &columns };
    View { policies, facts, question: &question, grants }.decide()
}

/// `c` clear, `m` masked, `-` hidden, in the order of [`COLUMNS`]; or the denial's code.
fn shown(policies: &Policies, facts: &Facts, ask: &Ask, grants: &[Grant]) -> String {
    match decide(policies, facts, ask, grants) {
        Decision::Deny(denial) => denial.reason_code.into_owned(),
        Decision::Allow(permit) => permit
            .columns
            .iter()
            .map(|c| match c.shown {
                Shown::Clear => 'c',
                Shown::Masked => 'm',
                Shown::Hidden => '-',
            })
            .collect(),
    }
}

#[test]
fn whoever_asks_for_masks_gets_masks_by_role_and_never_a_clear_value_about_a_person() {
    let policies = Policies::load(None).unwrap();
    // A grant, a purpose and a second factor do not change what masks show.
    let grants =
        [grant(Act::Read, None, &[]), grant(Act::Read, Some(&["pin"]), &[("a", "lead"), ("b", "control")])];
    for role in Role::ALL {
        let expected = match role {
            Role::Writer | Role::Guest => "data.not_for_writers",
            _ => "cmm-m",
        };
        assert_eq!(shown(&policies, &facts(*role), &ask(false, false, None), &[]), expected, "{role}");
        assert_eq!(shown(&policies, &facts(*role), &ask(false, true, Some(0)), &grants), expected, "{role}");
    }
}

#[test]
fn clear_values_by_role_grant_purpose_and_second_factor() {
    let policies = Policies::load(None).unwrap();
    let g = grant(Act::Read, None, &[]);
    let two = [("a", "lead"), ("b", "control")];
    let pin = |stands: &[(&str, &str)]| vec![g.clone(), grant(Act::Read, Some(&["pin"]), stands)];
    // (purpose, age of the second factor, grants) -> what those see who work with data.
    type Case<'a> = (&'a str, bool, Option<u64>, Vec<Grant>, &'a str);
    let cases: Vec<Case<'_>> = vec![
        ("nothing", false, None, vec![], "purpose_needed"),
        ("a purpose alone", true, Some(0), vec![], "grant_needed"),
        ("a grant alone", false, Some(0), vec![g.clone()], "purpose_needed"),
        ("no second factor", true, None, vec![g.clone()], "ccm-c"),
        ("an old second factor", true, Some(901), vec![g.clone()], "ccm-c"),
        ("a fresh second factor", true, Some(900), vec![g.clone()], "ccc-c"),
        ("a grant on one column", true, Some(0), vec![grant(Act::Read, Some(&["card"]), &[])], "cmc-m"),
        ("a secret column, named, one person", true, Some(0), pin(&[("a", "lead")]), "ccc-c"),
        ("two people of one group", true, Some(0), pin(&[("a", "lead"), ("b", "lead")]), "ccc-c"),
        ("two groups, one the grantee", true, Some(0), pin(&[("a", "lead"), ("me", "control")]), "ccc-c"),
        ("two people of two groups", true, Some(0), pin(&two), "ccccc"),
        ("the same, old second factor", true, Some(901), pin(&two), "ccm-c"),
        ("two groups, not named", true, Some(0), vec![grant(Act::Read, None, &two)], "ccc-c"),
    ];
    for (name, purpose, mfa, grants, expected) in cases {
        for role in [Role::Owner, Role::Lead, Role::Engineer, Role::Steward] {
            let ask = ask(true, purpose, mfa);
            assert_eq!(shown(&policies, &facts(role), &ask, &grants), expected, "{role}: {name}");
        }
        let ask = ask(true, purpose, mfa);
        for role in [Role::Approver, Role::Auditor] {
            let got = shown(&policies, &facts(role), &ask, &grants);
            assert!(got == "data.masks_for_auditors" || got == "always.purpose", "{role}: {name}: {got}");
        }
        for role in [Role::Writer, Role::Guest] {
            let got = shown(&policies, &facts(role), &ask, &grants);
            assert!(
                ["data.not_for_writers", "always.purpose", "always.secret_two"].contains(&got.as_str()),
                "{got}"
            );
        }
        // Another organisation sees the same, but for what is secret.
        let outside = Facts { organisation: Some("Partner Ltd".into()), ..facts(Role::Engineer) };
        let mut without: String = expected.to_owned();
        if expected.len() == 5 {
            without.replace_range(3..4, "-");
        }
        assert_eq!(shown(&policies, &outside, &ask, &grants), without, "outside: {name}");
    }
}

#[test]
fn updates_need_the_role_and_exports_a_grant_of_their_own() {
    let policies = Policies::load(None).unwrap();
    let act = |action, clear, purpose| Ask { action, ..ask(clear, purpose, Some(0)) };
    let export = [grant(Act::Export, None, &[])];
    for role in [Role::Owner, Role::Lead, Role::Engineer, Role::Steward] {
        let f = facts(role);
        assert_eq!(shown(&policies, &f, &act(Act::Update, false, false), &[]), "cmm-m", "{role}");
        assert_eq!(shown(&policies, &f, &act(Act::Export, false, false), &export), "purpose_needed");
        assert_eq!(shown(&policies, &f, &act(Act::Export, false, true), &[]), "grant_needed");
        assert_eq!(shown(&policies, &f, &act(Act::Export, false, true), &export), "cmm-m", "{role}");
        assert_eq!(shown(&policies, &f, &act(Act::Export, true, true), &export), "ccc-c", "{role}");
    }
    for role in [Role::Approver, Role::Auditor, Role::Writer, Role::Guest] {
        for action in [Act::Update, Act::Export] {
            let denied = decide(&policies, &facts(role), &act(action, false, true), &export);
            assert!(matches!(denied, Decision::Deny(_)), "{role}");
        }
    }
}

#[test]
fn a_refusal_says_everything_that_is_missing_and_nothing_when_nothing_would_help() {
    let policies = Policies::load(None).unwrap();
    let denial = |role, ask: &Ask, grants: &[Grant]| match decide(&policies, &facts(role), ask, grants) {
        Decision::Deny(denial) => denial,
        Decision::Allow(_) => panic!("allowed"),
    };
    let lacking = denial(Role::Engineer, &ask(true, false, None), &[]);
    assert_eq!(lacking.obligations, [Obligation::Purpose, Obligation::Task]);
    assert_eq!(
        lacking.reason,
        "Clear values need a purpose, an open grant that reaches this table for your task."
    );
    let never = denial(Role::Guest, &ask(true, true, Some(0)), &[]);
    assert_eq!(never.obligations, []);
    assert_eq!(never.reason, "Writers and guests see no customer data.");
}

#[test]
fn who_is_blocked_or_limited_to_other_tables_sees_nothing() {
    let policies = Policies::load(None).unwrap();
    let masked = ask(false, false, None);
    let blocked = Facts { active: false, ..facts(Role::Owner) };
    assert_eq!(shown(&policies, &blocked, &masked, &[]), "always.active");
    let limited = |table: &str| Facts { tables: Some(vec![table.to_owned()]), ..facts(Role::Engineer) };
    assert_eq!(shown(&policies, &limited("atlas.orders"), &masked, &[]), "always.limited");
    assert_eq!(shown(&policies, &limited(TABLE), &masked, &[]), "cmm-m");
    let update = Ask { action: Act::Update, ..masked };
    assert_eq!(shown(&policies, &limited("atlas.orders"), &update, &[]), "always.limited");
}

#[test]
fn every_policy_on_customer_data_is_one_that_decides_somewhere() {
    // A sentence that never decides would be shown to people and mean nothing.
    let policies = Policies::load(None).unwrap();
    let columns = columns();
    let mut decided = BTreeSet::new();
    let two = [("a", "lead"), ("b", "control")];
    let grants = |act| vec![grant(act, None, &[]), grant(act, Some(&["pin"]), &two)];
    for role in Role::ALL {
        for (organisation, active, tables) in [
            (None, true, None),
            (Some("Partner Ltd".to_owned()), true, None),
            (None, false, None),
            (None, true, Some(vec!["else".to_owned()])),
        ] {
            let facts = Facts { organisation, active, tables, ..facts(*role) };
            for act in [Act::Read, Act::ReadMasked, Act::Update, Act::Export] {
                for (clear, purpose, with) in [(true, true, true), (true, false, true), (false, false, false)]
                {
                    let ask = Ask { action: act, ..ask(clear, purpose, Some(0)) };
                    let question = Question { ask: &ask, store: "atlas", table: TABLE, columns: &columns };
                    let grants = if with { grants(ask.act()) } else { Vec::new() };
                    let view =
                        View { policies: &policies, facts: &facts, question: &question, grants: &grants };
                    decided.extend(view.every_answer());
                }
            }
        }
    }
    for sentence in policies.sentences() {
        let data = sentence.id.starts_with("data.") || sentence.id.starts_with("always.");
        let api = [
            "always.scope",
            "always.sign_in_first",
            "always.own",
            "always.own_plan",
            "always.own_notice",
            "always.own_grant",
        ];
        if data && !api.contains(&sentence.id.as_str()) {
            assert!(decided.contains(&sentence.id), "{} never decides", sentence.id);
        }
    }
}
