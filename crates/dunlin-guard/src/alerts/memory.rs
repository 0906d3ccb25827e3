//! What the rules remember about each person, and about everybody: bounded, and kept in the state as one row a
//! subject, so that a restart forgets nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

/// A minute in microseconds.
pub(super) const MINUTE_US: i64 = 60_000_000;
/// An hour in microseconds.
pub(super) const HOUR_US: i64 = 60 * MINUTE_US;
/// A day in microseconds.
pub(super) const DAY_US: i64 = 24 * HOUR_US;

/// Name of the row that concerns everybody.
const SHARED: &str = "everybody";
/// Sign-ins that are remembered for the hours.
const SIGN_INS: usize = 200;
/// Days of rows that are remembered.
const DAYS: i64 = 28;
/// Entries of a window that are remembered; more of them prove no more.
const WINDOW: usize = 1_000;
/// Networks that are remembered at a time.
const NETWORKS: usize = 2_000;

/// What is remembered about one person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Profile {
    pub(super) role: Option<String>,
    /// Hash of a device to when it was last used.
    pub(super) devices: BTreeMap<String, i64>,
    /// Times of sign-ins, the oldest first.
    pub(super) sign_ins: VecDeque<i64>,
    pub(super) last_seen: Option<i64>,
    /// Latitude, longitude, time and name of the last place.
    pub(super) place: Option<(f64, f64, i64, String)>,
    /// Rows seen, by hour since 1970; a day is the sum of 24.
    pub(super) rows: BTreeMap<i64, u64>,
    /// Most small looks at one table within an hour, by day.
    pub(super) looks: BTreeMap<i64, u64>,
    /// Class of data to when it was last seen in clear.
    pub(super) classes: BTreeMap<String, i64>,
    /// Time, entry and table of refusals.
    pub(super) denials: VecDeque<(i64, u64, String)>,
    /// Times of refused second factors.
    pub(super) factors: VecDeque<i64>,
    /// Small looks by table: time, entry, what was looked at.
    pub(super) small: BTreeMap<String, VecDeque<(i64, u64, String)>>,
}

/// What is remembered about everybody.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Shared {
    /// Owners so far.
    pub(super) owners: BTreeSet<String>,
    /// Open accesses: whose, of which table, since when.
    pub(super) accesses: BTreeMap<String, (String, String, i64)>,
    /// Failed attempts by network: time and account.
    pub(super) networks: BTreeMap<String, VecDeque<(i64, String)>>,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    people: BTreeMap<String, Profile>,
    pub(super) shared: Shared,
    dirty: BTreeSet<String>,
}

impl Memory {
    /// Reads back the rows of [`Memory::take_changed`]. A row that cannot be read is forgotten: the rules then
    /// learn that subject anew.
    pub fn from_rows(rows: impl IntoIterator<Item = (String, String)>) -> Memory {
        let mut memory = Memory::default();
        for (subject, body) in rows {
            if subject == SHARED {
                memory.shared = serde_json::from_str(&body).unwrap_or_default();
            } else {
                memory.people.insert(subject, serde_json::from_str(&body).unwrap_or_default());
            }
        }
        memory
    }

    /// The rows that changed since the last call: subject and body.
    pub fn take_changed(&mut self) -> Vec<(String, String)> {
        let dirty = std::mem::take(&mut self.dirty);
        let row = |subject: String| {
            let body = if subject == SHARED {
                serde_json::to_string(&self.shared)
            } else {
                serde_json::to_string(self.people.get(&subject)?)
            };
            Some((subject, body.ok()?))
        };
        dirty.into_iter().filter_map(row).collect()
    }

    /// A person's profile, to be changed.
    pub(super) fn person(&mut self, id: &str) -> &mut Profile {
        self.dirty.insert(id.to_owned());
        self.people.entry(id.to_owned()).or_default()
    }

    /// What concerns everybody, to be changed.
    pub(super) fn everybody(&mut self) -> &mut Shared {
        self.dirty.insert(SHARED.to_owned());
        &mut self.shared
    }

    /// The highest number of rows that a peer (another person of the same role) saw within one day, and how
    /// many peers have a history.
    pub(super) fn peers_highest(&self, id: &str, today: i64) -> (u64, usize) {
        let Some(role) = self.people.get(id).and_then(|p| p.role.clone()) else { return (0, 0) };
        let peers = self.people.iter().filter(|(peer, p)| *peer != id && p.role.as_ref() == Some(&role));
        let highest: Vec<u64> = peers.map(|(_, p)| p.highest_day(today)).filter(|rows| *rows > 0).collect();
        (highest.iter().copied().max().unwrap_or(0), highest.len())
    }
}

impl Profile {
    /// Adds rows at a time; forgets what is too old.
    pub(super) fn add_rows(&mut self, at: i64, rows: u64) {
        let hour = at.div_euclid(HOUR_US);
        let sum = self.rows.entry(hour).or_default();
        *sum = sum.saturating_add(rows);
        self.rows = self.rows.split_off(&(hour - DAYS * 24));
    }

    /// Rows within the 24 hours up to now.
    pub(super) fn rows_today(&self, at: i64) -> u64 {
        let hour = at.div_euclid(HOUR_US);
        self.rows.range(hour - 23..=hour).map(|(_, n)| n).sum()
    }

    /// Rows of the highest day before the 24 hours up to `at`.
    pub(super) fn highest_day(&self, at: i64) -> u64 {
        self.past_days(at).values().copied().max().unwrap_or(0)
    }

    /// Days, before the 24 hours up to `at`, with rows: how many.
    pub(super) fn active_days(&self, at: i64) -> usize {
        self.past_days(at).len()
    }

    fn past_days(&self, at: i64) -> BTreeMap<i64, u64> {
        let start = at.div_euclid(HOUR_US) - 23;
        let mut days = BTreeMap::new();
        for (hour, rows) in self.rows.range(..start) {
            // Days are counted back from now, so that the newest one is whole.
            let day = (start - hour - 1) / 24;
            *days.entry(day).or_default() += rows;
        }
        days
    }

    /// Remembers a sign-in.
    pub(super) fn add_sign_in(&mut self, at: i64) {
        self.sign_ins.push_back(at);
        while self.sign_ins.len() > SIGN_INS {
            self.sign_ins.pop_front();
        }
    }
}

impl Shared {
    /// Remembers a failed attempt; forgets what is older than the window.
    pub(super) fn add_failure(&mut self, network: &str, at: i64, account: &str, window_us: i64) {
        for failures in self.networks.values_mut() {
            forget(failures, at - window_us, |(at, _)| *at);
        }
        self.networks.retain(|_, failures| !failures.is_empty());
        if self.networks.len() < NETWORKS || self.networks.contains_key(network) {
            self.networks.entry(network.to_owned()).or_default().push_back((at, account.to_owned()));
        }
    }

    /// Forgets accesses that were never closed.
    pub(super) fn forget_accesses(&mut self, at: i64) {
        self.accesses.retain(|_, (_, _, opened)| *opened > at - 2 * DAY_US);
    }
}

/// Drops from the front what lies before `from`, and what is more than the window may hold.
pub(super) fn forget<T>(window: &mut VecDeque<T>, from: i64, at: impl Fn(&T) -> i64) {
    while window.front().is_some_and(|first| at(first) < from) || window.len() > WINDOW {
        window.pop_front();
    }
}
