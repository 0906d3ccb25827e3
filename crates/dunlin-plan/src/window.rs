//! When data may move: days, hours and a time zone. Pure arithmetic; the clock is a parameter.
//!
//! A window belongs to the day it begins on and may cross midnight. Its hours are wall-clock hours: an hour that
//! the change to summer time skips does not exist, and an hour that comes twice counts from its first coming.

use std::fmt;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};
use serde::{Serialize, Serializer};

use crate::vocabulary::Day;

/// The times at which data may move.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Window {
    /// The days it begins on; not empty.
    pub days: Vec<Day>,
    /// When it opens.
    #[serde(serialize_with = "time_text")]
    pub from: Time,
    /// When it closes, on the next day unless later than `from`; equal times are 24 hours.
    #[serde(serialize_with = "end_text")]
    pub to: Time,
    /// Whose clock it is.
    #[serde(serialize_with = "zone_text")]
    pub zone: TimeZone,
    /// How the source's load slows the move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_load: Option<SourceLoad>,
}

/// Pause while the source works harder than a share of its busiest hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceLoad {
    /// Percent of the busiest hour, 1 to 100.
    pub pause_above_percent: u8,
}

impl SourceLoad {
    /// Reads "pause above 70% of the busiest hour".
    pub fn from_sentence(text: &str) -> Option<SourceLoad> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let ["pause", "above", percent, "of", "the", "busiest", "hour"] = words[..] else { return None };
        let pause_above_percent = percent.strip_suffix('%')?.parse().ok()?;
        (1..=100).contains(&pause_above_percent).then_some(SourceLoad { pause_above_percent })
    }
}

impl fmt::Display for SourceLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pause above {}% of the busiest hour", self.pause_above_percent)
    }
}

impl Serialize for SourceLoad {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `HH:MM`, as the plan writes times of the day.
pub(crate) fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

fn time_text<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&clock(*time))
}

/// As the plan writes it: the end of the day is its last hour, not the first of the next.
fn end_text<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    match clock(*time).as_str() {
        "00:00" => serializer.serialize_str("24:00"),
        other => serializer.serialize_str(other),
    }
}

fn zone_text<S: Serializer>(zone: &TimeZone, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.iana_name().unwrap_or("UTC"))
}

/// The furthest a next opening can be: every week has one, but a change of the clock may swallow it.
const DAYS_AHEAD: i64 = 16;

impl Window {
    /// The zone's IANA name.
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Whether data may move at this time.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.period_at(at).is_some()
    }

    /// The first time from `at` on at which data may move: `at` itself while the window is open.
    pub fn next_open(&self, at: Timestamp) -> Timestamp {
        if self.is_open(at) {
            return at;
        }
        let starts = self.periods(at, 0, DAYS_AHEAD).map(|(start, _)| start);
        starts.filter(|start| *start > at).min().unwrap_or(Timestamp::MAX)
    }

    /// When the window that is open at this time closes; none while it is closed. Periods that touch are one; a
    /// window that never closes answers a time at least a week ahead.
    pub fn closes(&self, at: Timestamp) -> Option<Timestamp> {
        let (_, mut end) = self.period_at(at)?;
        for _ in 0..8 {
            match self.period_at(end) {
                Some((_, later)) => end = later,
                None => break,
            }
        }
        Some(end)
    }

    /// The period that holds this time; of several the one that ends last.
    fn period_at(&self, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        self.periods(at, -2, 1).filter(|(start, end)| *start <= at && at < *end).max_by_key(|(_, end)| *end)
    }

    /// The periods that begin on the days around a time.
    fn periods(&self, at: Timestamp, first: i64, last: i64) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let today = at.to_zoned(self.zone.clone()).date();
        (first..=last).filter_map(move |offset| self.period_of(today.checked_add(offset.days()).ok()?))
    }

    fn period_of(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        if !self.days.iter().any(|listed| listed.weekday() == day.weekday()) {
            return None;
        }
        let last_day = if self.to > self.from { day } else { day.tomorrow().ok()? };
        let start = self.instant(day.to_datetime(self.from))?;
        let end = self.instant(last_day.to_datetime(self.to))?;
        (start < end).then_some((start, end))
    }

    /// The instant of a wall-clock time. In a gap it is the moment the clock jumps.
    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let gap = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        let instant = ambiguous.compatible().ok()?;
        if !gap {
            return Some(instant);
        }
        let after = instant.checked_add(1.second()).ok()?;
        Some(self.zone.preceding(after).next().map_or(instant, |jump| jump.timestamp()))
    }
}

impl Day {
    /// The same day in the calendar's own type.
    pub fn weekday(self) -> Weekday {
        match self {
            Day::Mon => Weekday::Monday,
            Day::Tue => Weekday::Tuesday,
            Day::Wed => Weekday::Wednesday,
            Day::Thu => Weekday::Thursday,
            Day::Fri => Weekday::Friday,
            Day::Sat => Weekday::Saturday,
            Day::Sun => Weekday::Sunday,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Word;

    fn window(days: &[Day], from: &str, to: &str, zone: &str) -> Window {
        Window {
            days: days.to_vec(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            zone: TimeZone::get(zone).unwrap(),
            source_load: None,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn crosses_midnight_into_a_day_that_is_not_listed() {
        let window = window(&[Day::Sat, Day::Sun], "22:00", "06:00", "Europe/Madrid");
        assert!(!window.is_open(at("2026-11-21T21:59:59+01:00")));
        assert!(window.is_open(at("2026-11-21T22:00:00+01:00")));
        assert!(window.is_open(at("2026-11-23T05:59:59+01:00")), "Monday morning belongs to Sunday");
        assert!(!window.is_open(at("2026-11-23T06:00:00+01:00")));
        assert!(!window.is_open(at("2026-11-21T03:00:00+01:00")), "Saturday morning belongs to Friday");
        assert_eq!(window.closes(at("2026-11-21T23:00:00+01:00")), Some(at("2026-11-22T06:00:00+01:00")));
        assert_eq!(window.next_open(at("2026-11-23T06:00:00+01:00")), at("2026-11-28T22:00:00+01:00"));
        assert_eq!(window.closes(at("2026-11-24T06:00:00+01:00")), None);
    }

    #[test]
    fn summer_time_shortens_and_lengthens_the_night() {
        let window = window(&[Day::Sat], "22:00", "06:00", "Europe/Madrid");
        let spring = at("2027-03-27T22:00:00+01:00");
        assert_eq!(window.closes(spring).unwrap().duration_since(spring).as_hours(), 7);
        let autumn = at("2026-10-24T22:00:00+02:00");
        assert_eq!(window.closes(autumn).unwrap().duration_since(autumn).as_hours(), 9);
    }

    #[test]
    fn a_time_that_the_clock_skips_is_the_moment_of_the_jump() {
        // On 28 March 2027 the clock goes from 02:00 to 03:00 in Madrid.
        let ends_inside = window(&[Day::Sun], "01:00", "02:30", "Europe/Madrid");
        assert_eq!(
            ends_inside.closes(at("2027-03-28T01:00:00+01:00")),
            Some(at("2027-03-28T03:00:00+02:00"))
        );
        let starts_inside = window(&[Day::Sun], "02:30", "04:00", "Europe/Madrid");
        assert_eq!(starts_inside.next_open(at("2027-03-28T00:00:00Z")), at("2027-03-28T03:00:00+02:00"));
        let swallowed = window(&[Day::Sun], "02:15", "02:45", "Europe/Madrid");
        assert_eq!(swallowed.next_open(at("2027-03-28T00:00:00Z")), at("2027-04-04T02:15:00+02:00"));
    }

    #[test]
    fn a_time_that_comes_twice_counts_from_its_first_coming() {
        // On 25 October 2026 the clock goes from 03:00 back to 02:00 in Madrid.
        let window = window(&[Day::Sun], "02:30", "04:00", "Europe/Madrid");
        assert_eq!(window.next_open(at("2026-10-24T22:00:00Z")), at("2026-10-25T02:30:00+02:00"));
    }

    #[test]
    fn whole_days_that_touch_are_one_window() {
        let window = window(&[Day::Sat, Day::Sun], "00:00", "00:00", "UTC");
        let saturday = at("2026-11-21T09:00:00Z");
        assert_eq!(window.closes(saturday), Some(at("2026-11-23T00:00:00Z")));
        let always = super::tests::window(Day::ALL, "00:00", "00:00", "UTC");
        assert!(always.closes(saturday).unwrap() > at("2026-11-28T09:00:00Z"));
        assert_eq!(always.next_open(saturday), saturday);
    }

    #[test]
    fn load_sentences() {
        let load = SourceLoad::from_sentence("pause above 70% of the busiest hour").unwrap();
        assert_eq!(load.to_string(), "pause above 70% of the busiest hour");
        assert_eq!(SourceLoad::from_sentence("pause above 101% of the busiest hour"), None);
        assert_eq!(SourceLoad::from_sentence("be gentle"), None);
    }
}
