//! What holds for every plan: it prints and reads back as itself, and its differences and fingerprints agree.

use dunlin_plan::{Plan, diff, load};
use proptest::prelude::*;

use crate::arbitrary::plan;

fn json(plan: &Plan) -> serde_json::Value {
    serde_json::to_value(plan).unwrap()
}

/// The second plan with one part of the first.
fn with_part(old: &Plan, new: &Plan, part: usize) -> Plan {
    let (mut mixed, new) = (old.clone(), new.clone());
    match part {
        0 => mixed.name = new.name,
        1 => mixed.stores = new.stores,
        2 => mixed.tables = new.tables,
        3 => mixed.people = new.people,
        4 => mixed.comply = new.comply,
        5 => mixed.window = new.window,
        6 => mixed.notices = new.notices,
        7 => mixed.tables.reverse(),
        8 => mixed.tables.iter_mut().for_each(|table| table.columns.reverse()),
        _ => mixed.company = new.company,
    }
    mixed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_printed_plan_reads_back_as_itself(plan in plan()) {
        let text = plan.to_toml();
        let again = load(&text, "dunlin.toml").map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(json(&again), json(&plan));
        prop_assert_eq!(again.to_toml(), text);
        prop_assert_eq!(again.fingerprint(), plan.fingerprint());
    }

    #[test]
    fn a_change_moves_exactly_when_the_fingerprint_changes(old in plan(), new in plan(), part in 0usize..10) {
        for new in [&new, &with_part(&old, &new, part), &old] {
            let changes = diff(&old, new);
            prop_assert_eq!(changes.iter().any(|change| change.moves), old.fingerprint() != new.fingerprint());
            let other = (old.name != new.name)
                || old.summary != new.summary
                || old.ledger != new.ledger
                || old.people_fingerprint() != new.people_fingerprint()
                || old.company_fingerprint() != new.company_fingerprint()
                || old.notices_fingerprint() != new.notices_fingerprint();
            prop_assert_eq!(changes.iter().any(|change| !change.moves), other);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "([\\[\\]a-z=\"'{}., \n0-9€]|table|store|from|url|plan|columns){0,40}") {
        let _ = load(&text, "dunlin.toml").map_err(|findings| findings.to_string());
    }

    #[test]
    fn a_damaged_plan_is_refused_or_read_but_never_panics(
        at in 0..crate::DESIGN.len(),
        length in 0usize..30,
        with in "[\\[\\]a-z=\"{},7\n]{0,3}",
    ) {
        let mut text = crate::DESIGN.to_owned();
        let end = (at + length).min(text.len());
        if text.is_char_boundary(at) && text.is_char_boundary(end) {
            text.replace_range(at..end, &with);
            let _ = load(&text, "dunlin.toml").map_err(|findings| findings.to_string());
        }
    }
}
