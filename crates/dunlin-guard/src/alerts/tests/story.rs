//! A story to replay: things that happen one after another, by a clock of its own.

use std::collections::BTreeSet;

use dunlin_ledger::{Actor, Body, Entry};

use crate::alerts::memory::{DAY_US, HOUR_US, MINUTE_US};
use crate::alerts::{
    Context, Engine, Finding, Memory, Outcome, Places, Rule, Seen, Source, Thresholds, Tried, What,
};

/// Monday, 2 November 2026, 00:00 UTC.
pub const MONDAY: i64 = 1_793_577_600_000_000;

/// Addresses of three cities.
pub const MADRID: &str = "185.20.1.9";
pub const TOLEDO: &str = "185.20.2.9";
pub const SINGAPORE: &str = "185.20.3.9";

pub struct Story {
    pub seen: Vec<Seen>,
    index: u64,
    attempts: u64,
    accesses: u64,
    now: i64,
}

impl Story {
    pub fn new() -> Story {
        Story { seen: Vec::new(), index: 0, attempts: 0, accesses: 0, now: MONDAY }
    }

    /// It is this day (counted from the first Monday) and this time.
    pub fn at(&mut self, day: i64, hour: i64, minute: i64) -> &mut Story {
        self.now = MONDAY + day * DAY_US + hour * HOUR_US + minute * MINUTE_US;
        self
    }

    pub fn wait_s(&mut self, seconds: i64) -> &mut Story {
        self.now += seconds * 1_000_000;
        self
    }

    pub fn entry(&mut self, actor: &str, body: Body, context: Context) -> &mut Story {
        let actor = match actor {
            "dunlin" => Actor::System,
            other => match other.strip_prefix("local:") {
                Some(user) => Actor::Local { user: user.to_owned() },
                None => Actor::Person { id: other.to_owned() },
            },
        };
        let entry = Entry { at: self.now, actor, body };
        entry.to_bytes().unwrap();
        let source = Source::Entry(self.index);
        self.seen.push(Seen { source, at: self.now, what: What::Entry(entry, context) });
        self.index += 1;
        self
    }

    pub fn added(&mut self, by: &str, person: &str, role: &str) -> &mut Story {
        let body =
            Body::PersonAdded { person: person.into(), role: role.into(), organisation: "in-house".into() };
        self.entry(by, body, Context::None)
    }

    pub fn sign_in(&mut self, person: &str, device: &str, address: &str) -> &mut Story {
        let session = format!("s{}", self.index);
        let body = Body::SignedIn { person: person.into(), session, method: "password".into() };
        let context = Context::SignIn {
            device: device.to_owned(),
            label: format!("{device} on Linux"),
            address: address.parse().ok(),
        };
        self.entry(person, body, context)
    }

    pub fn attempt(
        &mut self,
        account: &str,
        credential: &str,
        network: &str,
        outcome: Outcome,
    ) -> &mut Story {
        let tried = Tried {
            account: format!("hash of {account}"),
            person: (!account.starts_with("unknown")).then(|| account.to_owned()),
            credential: credential.to_owned(),
            network: network.to_owned(),
            outcome,
        };
        self.attempts += 1;
        let source = Source::Attempt(format!("a{:06}", self.attempts));
        self.seen.push(Seen { source, at: self.now, what: What::Attempt(tried) });
        self
    }

    /// Opens a table, sees rows in the given portions, closes. The class is what is seen in clear, if any.
    pub fn look(&mut self, person: &str, table: &str, clear: Option<&str>, portions: &[u64]) -> &mut Story {
        self.look_as(person, table, clear, Some("TASK-1"), Some(true), portions)
    }

    pub fn look_as(
        &mut self,
        person: &str,
        table: &str,
        clear: Option<&str>,
        task: Option<&str>,
        in_window: Option<bool>,
        portions: &[u64],
    ) -> &mut Story {
        self.accesses += 1;
        let access = format!("access{}", self.accesses);
        let (store, name) = table.split_once('.').unwrap();
        let body = Body::AccessOpened {
            access: access.clone(),
            purpose_category: "task".into(),
            purpose_hash: "ab".repeat(32),
            store: store.into(),
            table: name.into(),
            columns: vec!["email".into()],
            masks: Default::default(),
            limit: None,
        };
        let context = Context::Access {
            clear_class: clear.map(str::to_owned),
            task: task.map(str::to_owned),
            in_window,
        };
        self.entry(person, body, context);
        for (n, count) in portions.iter().enumerate() {
            let root = blake3::hash(format!("{access} {n}").as_bytes()).to_hex().to_string();
            self.entry(
                person,
                Body::AccessRows { access: access.clone(), count: *count, root },
                Context::None,
            );
        }
        let rows = portions.iter().sum();
        self.entry(person, Body::AccessClosed { access, rows }, Context::None)
    }

    pub fn denied(&mut self, person: &str, table: &str) -> &mut Story {
        let (store, table) = table.split_once('.').unwrap();
        let body = Body::AccessDenied {
            action: "read".into(),
            store: store.into(),
            table: table.into(),
            reason_code: "policy".into(),
        };
        self.entry(person, body, Context::None)
    }

    /// What an engine finds in all of it.
    pub fn findings(&self, engine: &mut Engine) -> Vec<Finding> {
        self.seen.iter().flat_map(|s| engine.see(s)).collect()
    }
}

pub fn places() -> Places {
    let csv = "network,latitude,longitude,city_name,country_iso_code\n\
               185.20.0.0/16,40.4,-3.7,Madrid,ES\n185.20.2.0/24,39.86,-4.02,Toledo,ES\n\
               185.20.3.0/24,1.29,103.85,Singapore,SG\n";
    Places::from_csv(csv.as_bytes()).unwrap()
}

pub fn engine() -> Engine {
    let thresholds = Thresholds { zone: "Europe/Madrid".to_owned(), ..Thresholds::default() };
    Engine::new(thresholds, Some(places()), Memory::default())
}

/// An engine that has lived through the weeks before, and then sees what the story adds. The rules that fired,
/// each once.
pub fn fired(add: impl FnOnce(&mut Story)) -> (BTreeSet<Rule>, Vec<Finding>) {
    let mut story = super::week::weeks(3);
    let before = story.seen.len();
    add(&mut story);
    let mut engine = engine();
    for seen in &story.seen[..before] {
        engine.see(seen);
    }
    let findings: Vec<Finding> = story.seen[before..].iter().flat_map(|s| engine.see(s)).collect();
    (findings.iter().map(|f| f.rule).collect(), findings)
}
