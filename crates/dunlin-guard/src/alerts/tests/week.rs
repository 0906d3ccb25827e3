//! Quiet weeks of a small team: people with habits, and the noise of every office.

use dunlin_ledger::Body;

use super::story::{MADRID, Story, TOLEDO, engine};
use crate::alerts::{Context, Engine, Memory, Outcome};

/// Numbers without a pattern, always the same.
struct Chance(u64);

impl Chance {
    /// A number below `n`.
    fn below(&mut self, n: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n) as i64
    }
}

struct Habit {
    person: &'static str,
    role: &'static str,
    devices: &'static [&'static str],
    address: &'static str,
    network: &'static str,
    starts: i64,
    rows: u64,
    class: Option<&'static str>,
}

const TEAM: &[Habit] = &[
    Habit {
        person: "ana",
        role: "owner",
        devices: &["Firefox", "Safari"],
        address: MADRID,
        network: "office",
        starts: 8,
        rows: 40,
        class: Some("personal"),
    },
    Habit {
        person: "ben",
        role: "engineer",
        devices: &["Chrome"],
        address: MADRID,
        network: "office",
        starts: 8,
        rows: 600,
        class: Some("personal"),
    },
    Habit {
        person: "cai",
        role: "engineer",
        devices: &["Edge", "Firefox"],
        address: TOLEDO,
        network: "home of cai",
        starts: 9,
        rows: 450,
        class: Some("sensitive"),
    },
    Habit {
        person: "dev",
        role: "steward",
        devices: &["Chrome"],
        address: MADRID,
        network: "office",
        starts: 7,
        rows: 300,
        class: Some("personal"),
    },
    // Works at night, from another city than the office.
    Habit {
        person: "eve",
        role: "engineer",
        devices: &["Firefox"],
        address: TOLEDO,
        network: "home of eve",
        starts: 19,
        rows: 500,
        class: None,
    },
];

/// This many weeks, beginning on the first Monday. The owner comes first; the others are added that morning.
pub fn weeks(count: i64) -> Story {
    let mut story = Story::new();
    let mut chance = Chance(42);
    story.at(0, 6, 0).added("dunlin", "ana", "owner");
    for habit in &TEAM[1..] {
        story.wait_s(60).added("ana", habit.person, habit.role);
    }
    for day in 0..count * 7 {
        if day % 7 < 5 {
            for habit in TEAM {
                working_day(&mut story, &mut chance, habit, day);
            }
            noise(&mut story, day);
        }
        let seen = Body::OutsideSeen { store: "crm".into(), connections: 0 };
        story.at(day, 23, 30).entry("dunlin", seen, Context::None);
    }
    story.seen.sort_by_key(|seen| seen.at);
    story
}

fn working_day(story: &mut Story, chance: &mut Chance, habit: &Habit, day: i64) {
    let first = habit.starts;
    let device = habit.devices[(day % 7) as usize % habit.devices.len()];
    story.at(day, first, chance.below(50));
    // A mistyped password now and then, never twice in a row.
    if chance.below(4) == 0 {
        story.attempt(habit.person, "password", habit.network, Outcome::Refused).wait_s(20);
    }
    story.attempt(habit.person, "password", habit.network, Outcome::Accepted).wait_s(15);
    if chance.below(5) == 0 {
        story.attempt(habit.person, "totp", habit.network, Outcome::Refused).wait_s(25);
    }
    story.attempt(habit.person, "totp", habit.network, Outcome::Accepted);
    story.sign_in(habit.person, device, habit.address);
    // Two or three stretches of work; some days twice as much as others.
    for stretch in 0..2 + chance.below(2) {
        story.at(day, first + 1 + stretch, chance.below(50));
        let rows = habit.rows / 3 + chance.below(habit.rows) as u64 / 2;
        story.look(habit.person, "crm.customers", habit.class, &[rows / 2, rows - rows / 2]);
    }
    // Single customers, as they come up.
    story.at(day, first + 3, 55);
    for _ in 0..chance.below(14) {
        story.wait_s(150).look(habit.person, "atlas.people", habit.class, &[1]);
    }
    if chance.below(4) == 0 {
        story.wait_s(60).denied(habit.person, "crm.payments");
    }
}

/// What happens in every office.
fn noise(story: &mut Story, day: i64) {
    match day % 7 {
        // Three people behind one address after a holiday.
        0 => {
            for person in ["ben", "dev", "unknown-typo"] {
                story.at(day, 8, 51).attempt(person, "password", "office", Outcome::Refused);
            }
        }
        1 => {
            let rotated = Body::KeysRotated { purpose: "tokens".into(), key_id: "tokens-2".into() };
            story.at(day, 10, 0).entry("ana", rotated, Context::None);
        }
        // Somebody tries the wrong tables before asking.
        2 => {
            story.at(day, 12, 0);
            for table in ["crm.payments", "crm.payments", "crm.health", "crm.health", "crm.payments"] {
                story.wait_s(40).denied("dev", table);
            }
        }
        // Scanners of the internet.
        3 => {
            for n in 0..6 {
                let unknown = format!("unknown{n}");
                story.at(day, 3, 2 * n).attempt(&unknown, "password", "scanner", Outcome::Refused);
            }
        }
        // The same customer is looked at again and again in a call.
        4 => {
            let changed = Body::PersonChanged { person: "dev".into(), change: "limit".into() };
            story.at(day, 11, 0).entry("ana", changed, Context::None);
        }
        _ => {}
    }
}

/// The last week of four, seen by an engine that has lived through the three before.
fn quiet_week(engine: &mut Engine) -> Vec<crate::alerts::Finding> {
    let story = weeks(4);
    let start = super::story::MONDAY + 21 * 86_400_000_000;
    let mut found = Vec::new();
    for seen in &story.seen {
        let findings = engine.see(seen);
        if seen.at >= start {
            found.extend(findings);
        }
    }
    found
}

#[test]
fn a_quiet_week_raises_nothing() {
    let story = weeks(4);
    let week = story.seen.iter().filter(|s| s.at >= super::story::MONDAY + 21 * 86_400_000_000).count();
    assert!(week > 200, "a week with {week} things is no week");
    let found = quiet_week(&mut engine());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_restart_after_each_thing_forgets_nothing() {
    let story = weeks(1);
    let mut whole = engine();
    let expected = story.findings(&mut whole);
    let mut rows = std::collections::BTreeMap::new();
    let mut found = Vec::new();
    for seen in &story.seen {
        let mut fresh = engine();
        fresh.memory = Memory::from_rows(rows.clone());
        found.extend(fresh.see(seen));
        rows.extend(fresh.memory.take_changed());
    }
    assert_eq!(found, expected);
    assert!(!expected.is_empty(), "the first days of a team are not silent: first looks at classes of data");
}
