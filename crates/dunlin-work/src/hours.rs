//! The hours in which data may move, laid out on the time line; and which hours of the week would disturb least.

use dunlin_plan::Window;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::calendar::{WEEKDAYS, place};

/// How far ahead hours are laid out.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366 * 2);
/// The most periods.
const PERIODS_MAX: usize = 2000;

/// Open periods from a moment on, in microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    /// Start, end, and the open microseconds before it.
    pub(crate) periods: Vec<(i64, i64, i64)>,
}

impl Hours {
    /// The hours of a window from now on; all hours without one.
    pub fn of(window: Option<&Window>, now: Timestamp) -> Hours {
        let end = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
        let Some(window) = window else {
            return Hours { periods: vec![(now.as_microsecond(), end.as_microsecond(), 0)] };
        };
        let mut periods = Vec::new();
        let (mut at, mut before) = (now, 0);
        while at < end && periods.len() < PERIODS_MAX {
            let start = window.next_open(at);
            let Some(close) = window.closes(start) else { break };
            periods.push((start.as_microsecond(), close.as_microsecond(), before));
            before += close.as_microsecond() - start.as_microsecond();
            at = close;
        }
        Hours { periods }
    }

    /// When work of so many open seconds that begins at this moment is over. The last moment that is laid out, when it
    /// would take longer.
    pub fn advance(&self, from: i64, seconds: f64) -> i64 {
        let Some(last) = self.periods.last() else { return i64::MAX };
        let at = self.periods.partition_point(|(_, end, _)| *end <= from);
        let Some((start, _, before)) = self.periods.get(at) else { return last.1 };
        let micros = (seconds.max(0.0) * 1e6).min(9e17) as i64;
        let goal = before + (from - start).max(0) + micros;
        let place = self.periods.partition_point(|(start, end, before)| before + (end - start) < goal);
        match self.periods.get(place) {
            Some((start, _, before)) => (start + (goal - before)).max(from),
            None => last.1,
        }
    }

    /// The periods that touch a span of time.
    pub fn within(&self, from: i64, to: i64) -> Vec<(i64, i64)> {
        let touching = self.periods.iter().filter(|(start, end, _)| *start < to && *end > from);
        touching.map(|(start, end, _)| (*start, *end)).collect()
    }

    /// Open hours of an ordinary week.
    pub fn of_week(window: Option<&Window>) -> f64 {
        let Some(window) = window else { return 168.0 };
        // A week without a change of the clock: the first of February is in one, wherever on earth.
        let Ok(start) = "2027-02-01T00:00:00Z".parse::<Timestamp>() else { return 0.0 };
        let hours = Hours::of(Some(window), start);
        let week = 7 * 86_400_000_000;
        let (from, to) = (start.as_microsecond() + week, start.as_microsecond() + 2 * week);
        let open: i64 = hours.within(from, to).iter().map(|(s, e)| (*e).min(to) - (*s).max(from)).sum();
        open as f64 / 3.6e9
    }
}

/// Hours in which a move would disturb little.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Proposal {
    /// The days on which they begin, `mon` to `sun`.
    pub days: Vec<String>,
    /// `HH:MM`.
    pub from: String,
    /// `HH:MM`, on the next day unless later than `from`.
    pub to: String,
    /// Whose clock.
    pub zone: String,
    /// How much it would disturb, 0 to 1, where the source's load is known.
    pub disruption: Option<f64>,
    /// Why, in words.
    pub reason: String,
}

/// Proposes hours. `load` is the source's load by hour of the week, Monday 0 h first; `need` the hours of work that are
/// left; `sensitive` the share of what moves that is personal, sensitive or secret.
pub fn propose(
    window: Option<&Window>,
    load: Option<&[f64]>,
    need: Option<f64>,
    sensitive: f64,
) -> Vec<Proposal> {
    let zone = window.map_or("UTC", |w| w.zone_name()).to_owned();
    let Some(load) = load.filter(|l| l.len() == 168 && l.iter().any(|x| *x > 0.0)) else {
        return without_load(window, sensitive, zone);
    };
    let busiest = load.iter().copied().fold(f64::MIN, f64::max).max(f64::MIN_POSITIVE);
    let cost: Vec<f64> = (0..168).map(|hour| weigh(load[hour] / busiest, hour, sensitive)).collect();
    let length = need.map_or(8, |hours| hours.ceil() as usize).clamp(1, 12);
    let mean = |from: usize| (0..length).map(|h| cost[(from + h) % 168]).sum::<f64>() / length as f64;
    let mut starts: Vec<(usize, f64)> = (0..168).map(|from| (from, mean(from))).collect();
    starts.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let mut found: Vec<(usize, f64)> = Vec::new();
    for (from, cost) in starts {
        let apart = |other: usize| {
            let gap = (from as i64 - other as i64).rem_euclid(168);
            gap.min(168 - gap) >= length as i64
        };
        if found.iter().all(|(other, _)| apart(*other)) {
            found.push((from, cost));
        }
        if found.len() == 3 {
            break;
        }
    }
    let one = |(from, disruption): (usize, f64)| Proposal {
        days: vec![WEEKDAYS[from / 24].to_owned()],
        from: format!("{:02}:00", from % 24),
        to: format!("{:02}:00", (from + length) % 24),
        zone: zone.clone(),
        disruption: Some((disruption * 1000.0).round() / 1000.0),
        reason: format!(
            "in these {length} hours the source works at {:.0} % of its busiest hour, on average",
            (0..length).map(|h| load[(from + h) % 168] / busiest).sum::<f64>() / length as f64 * 100.0
        ),
    };
    found.into_iter().map(one).collect()
}

/// What moves and is sensitive is better moved when few people are about to look at it: hours of work weigh more.
fn weigh(load: f64, hour: usize, sensitive: f64) -> f64 {
    let at_work = hour / 24 < 5 && (8..19).contains(&(hour % 24));
    let more = if at_work { sensitive.clamp(0.0, 1.0) * 0.5 } else { 0.0 };
    (load + more * (1.0 - load)).clamp(0.0, 1.0)
}

fn without_load(window: Option<&Window>, sensitive: f64, zone: String) -> Vec<Proposal> {
    let unknown = "the source's load is not known yet";
    if let Some(window) = window {
        return vec![Proposal {
            days: window.days.iter().map(|d| d.as_str().to_owned()).collect(),
            from: window.from.strftime("%H:%M").to_string(),
            to: window.to.strftime("%H:%M").to_string(),
            zone,
            disruption: None,
            reason: format!("{unknown}; these are the plan's own hours"),
        }];
    }
    // Nights and weekends: nobody has said more.
    let days = if sensitive > 0.3 {
        &["sat", "sun"][..]
    } else {
        &["mon", "tue", "wed", "thu", "fri", "sat", "sun"][..]
    };
    let why = if sensitive > 0.3 {
        "much of what moves is about people, so the weekend's nights"
    } else {
        "nights"
    };
    vec![Proposal {
        days: days.iter().map(|d| (*d).to_owned()).collect(),
        from: "22:00".to_owned(),
        to: "06:00".to_owned(),
        zone,
        disruption: None,
        reason: format!("{unknown}, and the plan has no window; {why} are a beginning"),
    }]
}

/// The hour of the week of a moment, Monday 0 h first.
pub fn hour_of_week(at: Timestamp, zone: &TimeZone) -> usize {
    let local = at.to_zoned(zone.clone());
    place(local.weekday()) * 24 + usize::try_from(local.hour()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &str, from: &str, to: &str, zone: &str) -> Window {
        let days: Vec<String> = days.split(' ').map(|d| format!("\"{d}\"")).collect();
        let text = format!(
            "[plan]\nname = \"x\"\n[store.a]\nurl = \"sqlite:a.db\"\n[store.b]\nurl = \"sqlite:b.db\"\n\
             [window]\ndays = [{}]\nfrom = \"{from}\"\nto = \"{to}\"\nzone = \"{zone}\"\n\
             [[table]]\nfrom = \"a.t\"\nto = \"b.t\"\nkey = [\"id\"]\n",
            days.join(", ")
        );
        dunlin_plan::load(&text, "dunlin.toml").unwrap().window.unwrap()
    }

    /// Weeks in which the clock changes, in six zones: the hours laid out are those in which the window is open, minute
    /// by minute.
    #[test]
    fn weeks_of_the_changing_clock_have_the_hours_that_they_have() {
        let weeks = [
            ("Europe/Madrid", "2027-03-24T00:00:00Z"),
            ("Europe/Madrid", "2026-10-21T00:00:00Z"),
            ("America/New_York", "2027-03-10T00:00:00Z"),
            ("America/New_York", "2026-10-28T00:00:00Z"),
            ("Australia/Lord_Howe", "2027-03-31T00:00:00Z"),
            ("Australia/Lord_Howe", "2026-09-30T00:00:00Z"),
            ("America/Santiago", "2026-09-02T00:00:00Z"),
            ("America/Santiago", "2027-03-31T00:00:00Z"),
            ("Africa/Casablanca", "2027-02-03T00:00:00Z"),
            ("Africa/Casablanca", "2027-03-10T00:00:00Z"),
            ("Asia/Tokyo", "2027-03-24T00:00:00Z"),
        ];
        for (zone, from) in weeks {
            for (days, open, close) in
                [("sat sun", "22:00", "06:00"), ("mon tue wed thu fri sat sun", "01:30", "03:30")]
            {
                let window = window(days, open, close, zone);
                let from: Timestamp = from.parse().unwrap();
                let hours = Hours::of(Some(&window), from);
                let (start, end) = (from.as_microsecond(), from.as_microsecond() + 8 * 86_400_000_000);
                let minutes = (start..end)
                    .step_by(60_000_000)
                    .filter(|us| window.is_open(Timestamp::from_microsecond(*us).unwrap()));
                let scanned = minutes.count() as i64 * 60_000_000;
                let laid: i64 =
                    hours.within(start, end).iter().map(|(s, e)| (*e).min(end) - (*s).max(start)).sum();
                assert_eq!(laid, scanned, "{zone} {from} {open}");
                // Work of exactly that many seconds is over when the last period of the week closes, or before.
                let over = hours.advance(start, laid as f64 / 1e6);
                let last = hours.within(start, end).last().map_or(start, |(_, e)| (*e).min(end));
                assert!((over - last).abs() <= 1_000_000, "{zone} {from} {open}: {over} {last}");
            }
        }
    }

    #[test]
    fn work_waits_for_the_next_opening() {
        let window = window("sat", "22:00", "06:00", "Europe/Madrid");
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let hours = Hours::of(Some(&window), now);
        let over = Timestamp::from_microsecond(hours.advance(now.as_microsecond(), 9.0 * 3600.0)).unwrap();
        assert_eq!(over.to_string(), "2026-12-05T22:00:00Z", "eight hours on one Saturday, one on the next");
        assert!((Hours::of_week(Some(&window)) - 8.0).abs() < 1e-9);
    }

    #[test]
    fn quiet_hours_are_found_and_unknown_ones_are_not_made_up() {
        let mut load = vec![100.0; 168];
        load[5 * 24 + 23..6 * 24 + 5].fill(2.0);
        let found = propose(None, Some(&load), Some(6.0), 0.0);
        assert_eq!((found[0].days[0].as_str(), found[0].from.as_str()), ("sat", "23:00"));
        assert!(found[0].disruption.unwrap() < 0.1 && found[1].disruption.unwrap() > 0.5);
        let unknown = propose(None, None, Some(6.0), 0.9);
        assert!(unknown[0].disruption.is_none() && unknown[0].reason.contains("not known"));
    }
}
