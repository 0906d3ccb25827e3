//! Working days: no weekend, no holiday. Holidays are rules, so that a year to come needs no new table.

use dunlin_plan::Day;
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde::Deserialize;

/// The holidays of a country.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// The law they come from.
    pub source: String,
    observed: Observed,
    days: Vec<Holiday>,
}

/// Where a holiday on a weekend goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Observed {
    None,
    Us,
    Next,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    /// `MM-DD`.
    day: Option<String>,
    /// Days from Easter Sunday.
    easter: Option<i64>,
    month: Option<i8>,
    weekday: Option<Day>,
    nth: Option<i8>,
    /// Only in years in which `day` is this day of the week.
    only_on: Option<Day>,
    /// Not in years in which the month begins on this day of the week.
    unless_first_is: Option<Day>,
    /// The first year.
    from: Option<i16>,
}

impl Calendar {
    /// Whether people work on this day: neither weekend nor holiday.
    pub fn is_working_day(&self, day: Date) -> bool {
        // A holiday of 1 January can be observed on the last day of the year before.
        let next_year = day.year().checked_add(1);
        let years = [Some(day.year()), next_year];
        !is_weekend(day) && !years.into_iter().flatten().any(|year| self.holidays(year).contains(&day))
    }

    /// The days of a year on which the holidays are kept.
    pub fn holidays(&self, year: i16) -> Vec<Date> {
        let plain: Vec<Date> = self.days.iter().filter_map(|holiday| holiday.of(year)).collect();
        let mut kept: Vec<Date> = plain.iter().copied().filter(|day| !is_weekend(*day)).collect();
        for day in plain.into_iter().filter(|day| is_weekend(*day)) {
            let moved = match self.observed {
                Observed::None => None,
                Observed::Us if day.weekday() == Weekday::Saturday => day.yesterday().ok(),
                Observed::Us => day.tomorrow().ok(),
                Observed::Next => free_after(day, &kept),
            };
            kept.extend(moved);
        }
        kept
    }
}

fn free_after(day: Date, taken: &[Date]) -> Option<Date> {
    let days = std::iter::successors(day.tomorrow().ok(), |day| day.tomorrow().ok());
    days.take(14).find(|day| !is_weekend(*day) && !taken.contains(day))
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

impl Holiday {
    fn of(&self, year: i16) -> Option<Date> {
        if self.from.is_some_and(|from| year < from) {
            return None;
        }
        if let Some(days) = self.easter {
            return easter(year)?.checked_add(days.days()).ok();
        }
        if let Some(day) = &self.day {
            let (month, day) = day.split_once('-')?;
            let date = Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()?;
            return Some(date)
                .filter(|date| self.only_on.is_none_or(|only| date.weekday() == only.weekday()));
        }
        let first = Date::new(year, self.month?, 1).ok()?;
        if self.unless_first_is.is_some_and(|unless| first.weekday() == unless.weekday()) {
            return None;
        }
        first.nth_weekday_of_month(self.nth?, self.weekday?.weekday()).ok()
    }
}

/// Easter Sunday of a Gregorian year: the anonymous algorithm of Nature (20 April 1876), as in J. Meeus, Astronomical
/// Algorithms (1991), chapter 8.
fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let (month, day) = ((h + l - 7 * m + 114) / 31, (h + l - 7 * m + 114) % 31 + 1);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::Table;
    use super::*;
    use jiff::civil::date;

    #[test]
    fn easter_of_known_years() {
        // The dates of the calendars of those years.
        for (year, month, day) in [
            (1961, 4, 2),
            (2000, 4, 23),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2027, 3, 28),
            (2038, 4, 25),
        ] {
            assert_eq!(easter(year), Some(date(year, month, day)));
        }
    }

    #[test]
    fn holidays_as_the_governments_list_them() {
        let table = Table::embedded().unwrap();
        let listed = |name: &str, year| {
            let mut days = table.calendar(name).unwrap().holidays(year);
            days.sort();
            days.into_iter()
                .map(|day| format!("{:02}-{:02}", day.month(), day.day()))
                .collect::<Vec<_>>()
                .join(" ")
        };
        // gov.uk/bank-holidays, England and Wales: 26 December 2026 is a Saturday, kept on Monday 28.
        assert_eq!(listed("GB", 2026), "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28");
        // 25 and 26 December 2027 are Saturday and Sunday, kept on Monday 27 and Tuesday 28.
        assert_eq!(listed("GB", 2027), "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28");
        // opm.gov, federal holidays 2026: 4 July is a Saturday, kept on Friday 3 July.
        assert_eq!(listed("US", 2026), "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25");
        // citizensinformation.ie: St Brigid's Day 2026 is Monday 2 February, 2030 Friday 1 February.
        assert_eq!(listed("IE", 2026), "01-01 02-02 03-17 04-06 05-04 06-01 08-03 10-26 12-25");
        assert!(listed("IE", 2030).starts_with("01-01 02-01 04-22"), "{}", listed("IE", 2030));
        assert!(
            !table.calendar("US").unwrap().is_working_day(date(2027, 12, 31)),
            "1 January 2028 is a Saturday"
        );
    }
}
