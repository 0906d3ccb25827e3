//! The fold of the ledger against a restatement that looks at the whole history each time, entry by entry, with no memory.

use dunlin_ledger::{Actor, Body, Counts, CountsDelta, Entry};
use dunlin_work::{Binding, Fold, StaleBecause, Status, Step, fold};
use proptest::prelude::*;

const TABLES: [&str; 2] = ["atlas.people", "atlas.orders"];
const RUNS: [&str; 3] = ["r1", "r2", "r3"];

fn hex(n: u8) -> String {
    format!("{n:02x}").repeat(32)
}

fn body() -> impl Strategy<Value = Body> {
    let (table, run) = (0..2usize, 0..3usize);
    let counts = Counts { source_rows: 3, loaded: 3, ..Counts::default() };
    let (t, r) = (|at: usize| TABLES[at].to_owned(), |at: usize| RUNS[at].to_owned());
    prop_oneof![
        (0..3u8).prop_map(|f| Body::PlanEdited { fingerprint: hex(f), previous: hex(9) }),
        (table.clone(), 0..3u8, 0..2u8, 0..2u8, any::<bool>()).prop_map(move |(at, f, m, s, left)| {
            Body::TableSeen {
                table: t(at),
                fingerprint: hex(f),
                mapping: hex(m),
                schema: hex(s),
                undecided: if left { vec!["notes".to_owned()] } else { vec![] },
            }
        }),
        (run.clone(), 0..3u8, any::<bool>()).prop_map(move |(at, f, rehearse)| Body::RunStarted {
            run: r(at),
            plan_fingerprint: hex(f),
            rehearse,
            stores: Default::default(),
        }),
        (run.clone(), any::<bool>()).prop_map(move |(at, asked)| Body::RunPaused {
            run: r(at),
            reason_code: if asked { "asked" } else { "failed" }.to_owned(),
        }),
        run.clone().prop_map(move |at| Body::RunResumed { run: r(at) }),
        run.clone().prop_map(move |at| Body::RunAbandoned { run: r(at) }),
        (run.clone(), table.clone()).prop_map(move |(at, tt)| Body::SplitLoaded {
            run: r(at),
            table: t(tt),
            split: 0,
            counts,
            source_hash: hex(1),
            loaded_hash: hex(1),
            expected_hash: hex(1),
            fragment: None,
        }),
        (run.clone(), table.clone(), any::<bool>()).prop_map(move |(at, tt, reconciled)| {
            Body::TableReconciled {
                run: r(at),
                table: t(tt),
                counts,
                source_hash: hex(1),
                expected_hash: hex(1),
                target_hash: hex(1),
                reconciled,
            }
        }),
        (run.clone(), table.clone(), any::<bool>()).prop_map(move |(at, tt, reconciled)| Body::Verified {
            run: r(at),
            table: t(tt),
            counts,
            source_hash: hex(1),
            expected_hash: hex(1),
            target_hash: hex(1),
            reconciled,
        }),
        (run.clone(), table.clone()).prop_map(move |(at, tt)| Body::Undone {
            run: r(at),
            table: t(tt),
            rows: 3
        }),
        (run, table.clone()).prop_map(move |(at, tt)| Body::SplitAmended {
            run: r(at),
            table: t(tt),
            amendment: 0,
            counts_delta: CountsDelta::default(),
            fragment: None,
        }),
        (0..3u8).prop_map(|f| Body::PlanApproved {
            fingerprint: hex(f),
            stores: Default::default(),
            by: "cleo".into()
        }),
        (table, any::<bool>()).prop_map(move |(at, good)| {
            let (step, table, part) = ("sign_off".to_owned(), t(at), String::new());
            if good {
                Body::StepConfirmed { step, table, part }
            } else {
                Body::StepWithdrawn { step, table, part }
            }
        }),
    ]
}

fn history() -> impl Strategy<Value = Vec<Entry>> {
    let entry = |(at, body): (usize, Body)| Entry { at: at as i64, actor: Actor::System, body };
    prop::collection::vec(body(), 0..60)
        .prop_map(move |bodies| bodies.into_iter().enumerate().map(entry).collect())
}

#[derive(Clone, Copy, PartialEq)]
enum Says {
    Begun,
    Good,
    Bad,
    Void,
}

/// Mapping, schema and fingerprint of a table once these entries have happened.
fn stands(past: &[Entry], table: &str) -> Option<(String, String, String)> {
    let seen =
        past.iter().rposition(|e| matches!(&e.body, Body::TableSeen { table: t, .. } if t == table))?;
    let Body::TableSeen { mapping, schema, .. } = &past[seen].body else { return None };
    let newest = past[seen..].iter().rev().find_map(|e| match &e.body {
        Body::PlanEdited { fingerprint, .. } | Body::TableSeen { fingerprint, .. } => {
            Some(fingerprint.clone())
        }
        _ => None,
    });
    Some((mapping.clone(), schema.clone(), newest?))
}

/// The run's start that counts: an abandoned run is forgotten.
fn start<'a>(past: &'a [Entry], run: &str) -> Option<(usize, &'a str, bool)> {
    let about = past.iter().rposition(|e| match &e.body {
        Body::RunStarted { run: r, .. } | Body::RunAbandoned { run: r } => r == run,
        _ => false,
    })?;
    match &past[about].body {
        Body::RunStarted { plan_fingerprint, rehearse, .. } => Some((about, plan_fingerprint, *rehearse)),
        _ => None,
    }
}

/// Whether a run has rows of a table under way.
fn under_way(past: &[Entry], run: &str, table: &str) -> bool {
    let newest = past.iter().rev().find_map(|e| match &e.body {
        Body::SplitLoaded { run: r, table: t, .. } if r == run && t == table => Some(true),
        Body::TableReconciled { run: r, table: t, .. } if r == run && t == table => Some(false),
        Body::RunStarted { run: r, .. } | Body::RunAbandoned { run: r } if r == run => Some(false),
        _ => None,
    });
    newest == Some(true)
}

/// What one entry says of a step; and the fingerprint that it speaks of, where that is not the plan's present one.
fn says(past: &[Entry], entry: &Entry, step: Step, table: &str) -> Option<(Says, Option<String>)> {
    let word = |good: bool| if good { Says::Good } else { Says::Bad };
    let of_run = |run: &str| {
        let (fingerprint, rehearse) =
            start(past, run).map_or((String::new(), false), |(_, f, r)| (f.to_owned(), r));
        let is_mine = step == if rehearse { Step::Rehearse } else { Step::Load };
        is_mine.then_some(fingerprint)
    };
    match (&entry.body, step) {
        (Body::SplitLoaded { run, table: t, .. }, Step::Load | Step::Rehearse) if t == table => {
            of_run(run).map(|f| (Says::Begun, Some(f)))
        }
        (Body::TableReconciled { run, table: t, reconciled, .. }, Step::Load | Step::Rehearse)
            if t == table =>
        {
            of_run(run).map(|f| (word(*reconciled), Some(f)))
        }
        (Body::RunPaused { run, reason_code }, Step::Load | Step::Rehearse)
            if under_way(past, run, table) =>
        {
            let said = if reason_code == "asked" { Says::Begun } else { Says::Bad };
            of_run(run).map(|_| (said, None))
        }
        (Body::RunResumed { run }, Step::Load | Step::Rehearse) if under_way(past, run, table) => {
            of_run(run).map(|_| (Says::Begun, None))
        }
        (Body::RunAbandoned { run }, Step::Load | Step::Rehearse) if under_way(past, run, table) => {
            of_run(run).map(|_| (Says::Void, None))
        }
        (Body::Undone { table: t, .. }, Step::Load | Step::Verify | Step::SignOff) if t == table => {
            Some((Says::Void, None))
        }
        (Body::SplitAmended { table: t, .. }, Step::Verify | Step::SignOff) if t == table => {
            Some((Says::Void, None))
        }
        (Body::SplitLoaded { run, table: t, .. }, Step::Verify | Step::SignOff) if t == table => {
            let rehearse = start(past, run).is_some_and(|(_, _, r)| r);
            (!rehearse).then_some((Says::Void, None))
        }
        (Body::Verified { table: t, reconciled, .. }, Step::Verify) if t == table => {
            Some((word(*reconciled), None))
        }
        (Body::StepConfirmed { table: t, .. }, Step::SignOff) if t == table => Some((Says::Good, None)),
        (Body::StepWithdrawn { table: t, .. }, Step::SignOff) if t == table => Some((Says::Void, None)),
        (Body::PlanApproved { fingerprint, .. }, Step::Approve) => {
            stands(past, table).map(|_| (Says::Good, Some(fingerprint.clone())))
        }
        _ => None,
    }
}

fn restated(history: &[Entry], step: Step, table: &str) -> (Status, Option<StaleBecause>) {
    let newest = (0..history.len()).rev().find_map(|at| {
        let (word, fingerprint) = says(&history[..at], &history[at], step, table)?;
        Some((at, word, fingerprint))
    });
    let Some((at, word, fingerprint)) = newest else { return (Status::Open, None) };
    match word {
        Says::Void => return (Status::Open, None),
        Says::Begun => return (Status::Doing, None),
        Says::Bad => return (Status::Blocked, None),
        Says::Good => {}
    }
    let then = stands(&history[..at], table);
    let then = match (then, fingerprint) {
        (Some(then), Some(of)) if then.2 == of || of.is_empty() => then,
        (_, Some(of)) => (String::new(), String::new(), of),
        (then, None) => then.unwrap_or_default(),
    };
    let Some(now) = stands(history, table) else { return (Status::Done, None) };
    let differs = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a != b;
    let why = if differs(&then.1, &now.1) {
        StaleBecause::Schema
    } else if differs(&then.0, &now.0) {
        StaleBecause::Mapping
    } else if differs(&then.2, &now.2) {
        StaleBecause::Plan
    } else {
        return (Status::Done, None);
    };
    (Status::Stale, Some(why))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
    #[test]
    fn a_status_is_the_fold_of_the_ledger(history in history(), cut in any::<prop::sample::Index>()) {
        // One that grew, one that was interrupted and copied, and one that was made at once.
        let mut grown = Fold::default();
        for (index, entry) in history.iter().enumerate() {
            if index == cut.index(history.len().max(1)) {
                grown = grown.clone();
            }
            grown.apply(index as u64, entry);
        }
        for step in [Step::Load, Step::Rehearse, Step::Verify, Step::SignOff, Step::Approve] {
            for table in TABLES {
                let binding = Binding { step, table: Some(table.to_owned()), column: None };
                let whole = fold(&history, &binding);
                prop_assert_eq!(&grown.status(&binding), &whole);
                let (status, why) = restated(&history, step, table);
                prop_assert_eq!((whole.status, whole.stale_because), (status, why), "{:?} of {}", step, table);
            }
        }
    }
}
