//! Rules over a sign-in: device, place, hour, and how long the account slept.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Case, Says, number, plural};
use crate::alerts::geo::distance_km;
use crate::alerts::memory::{DAY_US, HOUR_US};
use crate::alerts::{Context, Places, Rule, Severity};

pub(in crate::alerts) fn judge(case: &mut Case, person: &str, context: &Context, places: Option<&Places>) {
    dormant(case, person);
    hour(case, person);
    if let Context::SignIn { device, label, address } = context {
        new_device(case, person, device, label);
        if let (Some(places), Some(address)) = (places, address) {
            travel(case, person, places, *address);
        }
    }
}

/// `1 h 30 min` of a span in microseconds.
fn span(us: i64) -> String {
    let minutes = us / 60_000_000;
    match (minutes / 60, minutes % 60) {
        (0, m) => format!("{m} min"),
        (h, 0) => format!("{h} h"),
        (h, m) => format!("{h} h {m} min"),
    }
}

fn dormant(case: &mut Case, person: &str) {
    let at = case.seen.at;
    let Some(last) = case.memory.person(person).last_seen else { return };
    let (slept, limit) = ((at - last) / DAY_US, i64::from(case.t.dormant_days));
    if slept < limit {
        return;
    }
    case.find(
        Some(person),
        Says {
            rule: Rule::DormantAccount,
            severity: Severity::Medium,
            subject: person.to_owned(),
            what: format!("{{who}} signed in after {} without a sign of life.", plural(slept as u64, "day")),
            why: format!("An account counts as dormant after {}.", plural(limit as u64, "day")),
            numbers: vec![number("days without a sign of life", slept as f64, limit as f64)],
            evidence: Vec::new(),
        },
    );
}

fn hour_of(at: i64, zone: &TimeZone) -> (i8, i8) {
    let local = Timestamp::from_microsecond(at).unwrap_or_default().to_zoned(zone.clone());
    (local.hour(), local.minute())
}

fn hour(case: &mut Case, person: &str) {
    let (at, zone, slack) = (case.seen.at, case.t.zone(), case.t.hour_slack as i32);
    let profile = case.memory.person(person);
    let past: Vec<i64> = profile.sign_ins.iter().copied().collect();
    profile.add_sign_in(at);
    let days: std::collections::BTreeSet<i64> = past.iter().map(|t| t.div_euclid(DAY_US)).collect();
    let enough = case.t.hour_sign_ins;
    if past.len() < enough || days.len() < enough / 2 {
        return;
    }
    let (hour, minute) = hour_of(at, &zone);
    let near = |t: &&i64| {
        let apart = (i32::from(hour_of(**t, &zone).0) - i32::from(hour)).abs();
        apart.min(24 - apart) <= slack
    };
    let alike = past.iter().filter(near).count();
    if alike > 0 {
        return;
    }
    let zone_name = case.t.zone.clone();
    case.find(
        Some(person),
        Says {
            rule: Rule::UnusualHour,
            severity: Severity::Low,
            subject: person.to_owned(),
            what: format!("{{who}} signed in at {hour:02}:{minute:02} ({zone_name})."),
            why: format!(
                "None of the last {} were within {} of that time of the day.",
                plural(past.len() as u64, "sign-in"),
                plural(slack as u64, "hour")
            ),
            numbers: vec![number("sign-ins near that hour", 0.0, past.len() as f64)],
            evidence: Vec::new(),
        },
    );
}

fn new_device(case: &mut Case, person: &str, device: &str, label: &str) {
    let (at, days) = (case.seen.at, case.t.device_days);
    let profile = case.memory.person(person);
    let oldest = at - i64::from(days) * DAY_US;
    profile.devices.retain(|_, last| *last >= oldest);
    let known = profile.devices.len();
    let before = profile.sign_ins.len() > 1;
    let is_new = profile.devices.insert(device.to_owned(), at).is_none();
    if !is_new || !before {
        return;
    }
    case.find(
        Some(person),
        Says {
            rule: Rule::NewDevice,
            severity: Severity::Medium,
            subject: format!("{person}:{device}"),
            what: format!("{{who}} signed in with {label}."),
            why: format!(
                "In the last {} {{who}} came with {}, and this is none of them.",
                plural(u64::from(days), "day"),
                plural(known as u64, "device")
            ),
            numbers: vec![number("known devices", known as f64, 0.0)],
            evidence: Vec::new(),
        },
    );
}

fn travel(case: &mut Case, person: &str, places: &Places, address: std::net::IpAddr) {
    let Some(here) = places.of(address) else { return };
    let at = case.seen.at;
    let (limit_km, limit_kmh) = (case.t.travel_km, case.t.travel_kmh);
    let now = (here.latitude, here.longitude, at, here.name.clone());
    let Some((lat, lon, then, name)) = case.memory.person(person).place.replace(now) else { return };
    let km = distance_km((lat, lon), (here.latitude, here.longitude));
    // Less than a minute apart is judged as a minute: the division must not explode.
    let hours = ((at - then).max(60_000_000)) as f64 / HOUR_US as f64;
    let kmh = km / hours;
    if km < limit_km || kmh < limit_kmh {
        return;
    }
    case.find(
        Some(person),
        Says {
            rule: Rule::ImpossibleTravel,
            severity: Severity::High,
            subject: person.to_owned(),
            what: format!("{{who}} signed in from {}, {} after {name}.", here.name, span(at - then)),
            why: format!(
                "That is {km:.0} km at {kmh:.0} km an hour; nobody travels faster than {limit_kmh:.0}."
            ),
            numbers: vec![number("km an hour", kmh.round(), limit_kmh), number("km", km.round(), limit_km)],
            evidence: Vec::new(),
        },
    );
}
