//! Which days are worked on. Pure arithmetic over days; no clock and no zone.
//!
//! A day is its number since 1970-01-01; a *boundary* is the beginning of that day. Not here: hours, which windows have.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::{Date, Weekday, date};

use crate::things::{Blackout, WorkingDays};

/// A day as its number since 1970-01-01.
pub type DayNumber = i32;

/// The number of a day.
pub fn number(day: Date) -> DayNumber {
    let since = date(1970, 1, 1).until(day).map(|span| span.get_days());
    since.unwrap_or(0)
}

/// The day of a number.
pub fn day(number: DayNumber) -> Date {
    use jiff::ToSpan;
    date(1970, 1, 1).checked_add(number.days()).unwrap_or(Date::MAX)
}

/// The furthest that a search for a working day goes: a calendar with no working day must not be searched for ever.
const REACH: i32 = 4000;

/// The days on which somebody works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Monday first.
    week: [bool; 7],
    off: BTreeSet<DayNumber>,
}

impl Default for Calendar {
    fn default() -> Self {
        Calendar { week: [true, true, true, true, true, false, false], off: BTreeSet::new() }
    }
}

impl Calendar {
    /// A calendar of these weekdays (Monday first) without these days. One without a working day works on all.
    pub fn new(week: [bool; 7], off: BTreeSet<DayNumber>) -> Calendar {
        let week = if week.iter().any(|d| *d) { week } else { [true; 7] };
        Calendar { week, off }
    }

    /// Whether a day is worked on.
    pub fn works(&self, day: DayNumber) -> bool {
        // 1970-01-01 was a Thursday.
        let weekday = (day + 3).rem_euclid(7) as usize;
        self.week[weekday] && !self.off.contains(&day)
    }

    /// The first working day from this one on.
    pub fn next(&self, from: DayNumber) -> DayNumber {
        (from..from + REACH).find(|d| self.works(*d)).unwrap_or(from)
    }

    /// The `n`-th working day (from 1) from this boundary on.
    pub fn nth_from(&self, from: DayNumber, n: i32) -> DayNumber {
        let mut day = self.next(from);
        for _ in 1..n {
            day = self.next(day + 1);
        }
        day
    }

    /// The `n`-th working day (from 1) before this boundary.
    pub fn nth_before(&self, before: DayNumber, n: i32) -> DayNumber {
        let mut day = before;
        for _ in 0..n {
            day = (day - REACH..day).rev().find(|d| self.works(*d)).unwrap_or(day - 1);
        }
        day
    }

    /// The boundary at which work of so many days that begins at this working day is finished.
    pub fn finish(&self, start: DayNumber, days: i32) -> DayNumber {
        if days <= 0 { start } else { self.nth_from(start, days) + 1 }
    }

    /// Working days between two boundaries.
    pub fn count(&self, from: DayNumber, to: DayNumber) -> i64 {
        (from..to).filter(|d| self.works(*d)).count() as i64
    }
}

/// The calendars of everybody.
#[derive(Debug, Clone, Default)]
pub struct Calendars {
    everybody: Calendar,
    own: HashMap<String, Calendar>,
    organisation: HashMap<String, String>,
}

impl Calendars {
    /// From what people said; `organisations` are people's ids with their organisation.
    pub fn new(
        days: &[WorkingDays],
        blackouts: &[Blackout],
        organisations: HashMap<String, String>,
    ) -> Calendars {
        let common: Vec<&Blackout> = blackouts.iter().filter(|b| b.of.is_none()).collect();
        let mut ids: BTreeSet<&str> = days.iter().map(|d| d.id.as_str()).collect();
        ids.extend(blackouts.iter().filter_map(|b| b.of.as_deref()));
        let everybody = days.iter().find(|d| d.id == "everybody");
        let of = |id: &str| {
            let said = days.iter().find(|d| d.id == id);
            let week = said.or(everybody).map_or(Calendar::default().week, |d| week_of(&d.days));
            let mut off: BTreeSet<DayNumber> = common.iter().filter_map(|b| parse(&b.date)).collect();
            off.extend(
                blackouts.iter().filter(|b| b.of.as_deref() == Some(id)).filter_map(|b| parse(&b.date)),
            );
            off.extend(said.or(everybody).iter().flat_map(|d| &d.holidays).filter_map(|d| parse(d)));
            Calendar::new(week, off)
        };
        let own = ids.into_iter().map(|id| (id.to_owned(), of(id))).collect();
        Calendars { everybody: of("everybody"), own, organisation: organisations }
    }

    /// The calendar of a person: their own, their organisation's, or everybody's.
    pub fn of(&self, person: Option<&str>) -> &Calendar {
        let own = |id: &str| self.own.get(id);
        let of_organisation = |id: &str| self.organisation.get(id).and_then(|o| own(o));
        person.and_then(|id| own(id).or_else(|| of_organisation(id))).unwrap_or(&self.everybody)
    }

    /// Everybody's.
    pub fn everybody(&self) -> &Calendar {
        &self.everybody
    }
}

fn parse(text: &str) -> Option<DayNumber> {
    text.parse().ok().map(number)
}

/// The words of weekdays, Monday first.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn week_of(days: &[String]) -> [bool; 7] {
    WEEKDAYS.map(|word| days.iter().any(|d| d == word))
}

/// The place of a weekday, Monday first.
pub fn place(weekday: Weekday) -> usize {
    usize::try_from(weekday.to_monday_zero_offset()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_numbers_and_weekdays() {
        for text in ["1970-01-01", "2026-02-28", "2026-11-22", "2028-02-29", "2100-03-01"] {
            let date: Date = text.parse().unwrap();
            assert_eq!(day(number(date)), date);
            let works = Calendar::default().works(number(date));
            assert_eq!(works, place(date.weekday()) < 5, "{text}");
        }
    }

    #[test]
    fn a_blackout_of_one_organisation_holds_for_its_people_alone() {
        let blackout = |date: &str, of: Option<&str>| Blackout {
            id: String::new(),
            date: date.to_owned(),
            why: String::new(),
            of: of.map(str::to_owned),
        };
        let blackouts = [blackout("2026-11-23", Some("Partner Ltd")), blackout("2026-11-24", None)];
        let days = [WorkingDays { id: "ana".into(), days: vec!["sun".into()], holidays: vec![] }];
        let calendars =
            Calendars::new(&days, &blackouts, [("ben".to_owned(), "Partner Ltd".to_owned())].into());
        let monday = number("2026-11-23".parse().unwrap());
        assert!(calendars.of(None).works(monday) && !calendars.of(Some("ben")).works(monday));
        assert!(!calendars.of(None).works(monday + 1) && !calendars.of(Some("ben")).works(monday + 1));
        assert!(calendars.of(Some("ana")).works(monday - 1) && !calendars.of(Some("ana")).works(monday));
        assert_eq!(calendars.of(Some("ben")).finish(calendars.of(Some("ben")).next(monday), 3), monday + 5);
    }
}
