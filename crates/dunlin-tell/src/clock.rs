//! By when a request must be answered. The laws' periods and the holidays are dated tables under `data/`; the time of
//! receipt is given, there is no clock here. Nothing of this is legal advice.

mod holidays;
mod table;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;

use crate::vocabulary::Lang;
use crate::words;
pub use holidays::Calendar;
pub use table::{Law, Period, PeriodUnit, RequestKind, Table};

/// A request, as far as its clock goes.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// Which law.
    pub law: Law,
    /// What for.
    pub kind: RequestKind,
    /// When it arrived.
    pub received: Timestamp,
    /// The clock that decides which day that was: the company's.
    pub zone: TimeZone,
    /// The calendar of holidays, such as `ES`; a law that has one of its own uses that.
    pub calendar: &'a str,
    /// Where the law lets the period begin later (UK GDPR Art. 12A: once the person is known), that time.
    pub runs_from: Option<Timestamp>,
}

/// The days of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The day from which it counts, in the company's zone.
    pub counted_from: Date,
    /// The last day to confirm that the request has arrived.
    pub acknowledge_by: Option<Date>,
    /// The last day to answer.
    pub respond_by: Date,
    /// The last day to answer when the person was told of the extension by `respond_by`.
    pub extended_to: Option<Date>,
    /// The first moment that is too late without extension.
    pub late_from: Timestamp,
    /// How it was counted, in sentences.
    pub why: Vec<String>,
    /// The law.
    pub source: String,
}

/// A deadline cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// The table knows no such period.
    #[error("no period is known for `{kind}` under `{law}`; the table of {as_of} has none")]
    NoRule {
        /// The law.
        law: Law,
        /// The request.
        kind: RequestKind,
        /// The day of the table.
        as_of: Date,
    },
    /// The calendar is not in the table.
    #[error("no calendar of holidays for `{0}`; known are {1}")]
    NoCalendar(String, String),
    /// The date lies outside what can be counted.
    #[error("the date is too far away to count from")]
    OutOfRange,
    /// The embedded table does not read.
    #[error("the table of deadlines does not read; this is a defect of dunlin: {0}")]
    Table(String),
}

/// By when a request must be answered.
///
/// # Errors
/// When the table has no rule for it, or no such calendar.
pub fn deadline(asked: &Asked<'_>) -> Result<Deadline, ClockError> {
    let table = Table::embedded()?;
    let rule = table.rule(asked.law, asked.kind)?;
    let calendar = table.calendar(rule.calendar.as_deref().unwrap_or(asked.calendar))?;
    let from = asked.runs_from.map_or(asked.received, |later| later.max(asked.received));
    let day = from.to_zoned(asked.zone.clone()).date();
    let mut count = Count { calendar, why: Vec::new() };
    count.why.push(format!("it counts from {}, {}", weekday(day), said(day)));
    let acknowledge_by =
        rule.acknowledge.map(|period| count.end("to confirm", day, period, false)).transpose()?;
    let respond_by = count.end("to answer", day, rule.respond, rule.roll)?;
    // The extension runs on from the first period, not from the day to which a weekend moved it.
    let extended_to = rule
        .extend
        .map(|more| {
            let whole = rule.respond.and(more).ok_or(ClockError::OutOfRange)?;
            count.end("with the extension", day, whole, rule.roll)
        })
        .transpose()?;
    let next = respond_by.tomorrow().map_err(|_| ClockError::OutOfRange)?;
    let late_from = next.to_zoned(asked.zone.clone()).map_err(|_| ClockError::OutOfRange)?.timestamp();
    Ok(Deadline {
        counted_from: day,
        acknowledge_by,
        respond_by,
        extended_to,
        late_from,
        why: count.why,
        source: rule.source.clone(),
    })
}

struct Count<'a> {
    calendar: &'a Calendar,
    why: Vec<String>,
}

impl Count<'_> {
    /// The last day of a period from a day that counts as 0 (Regulation 1182/71, Art. 3(1): the day of the event is
    /// not counted). A month ends on the day of the same number, or on its last (Art. 3(2)(c)).
    fn end(&mut self, what: &str, day: Date, period: Period, roll: bool) -> Result<Date, ClockError> {
        let count = i64::from(period.count);
        let end = match period.unit {
            PeriodUnit::Day => day.checked_add(count.days()),
            PeriodUnit::Month => day.checked_add(count.months()),
            PeriodUnit::BusinessDay => Ok(self.business_days(day, period.count)?),
        };
        let end = end.map_err(|_| ClockError::OutOfRange)?;
        self.why.push(format!("{what}: {period} later is {}, {}", weekday(end), said(end)));
        if period.unit == PeriodUnit::Month && end.day() != day.day() {
            self.why.push(format!("there is no day {} in that month, so its last day counts", day.day()));
        }
        if !roll || self.calendar.is_working_day(end) {
            return Ok(end);
        }
        let moved = self.next_working_day(end)?;
        self.why.push(format!("that is no working day; the next is {}, {}", weekday(moved), said(moved)));
        Ok(moved)
    }

    fn business_days(&self, day: Date, count: u32) -> Result<Date, ClockError> {
        (0..count).try_fold(day, |day, _| {
            let next = day.tomorrow().map_err(|_| ClockError::OutOfRange)?;
            self.next_working_day(next)
        })
    }

    /// The day itself, when it is one.
    fn next_working_day(&self, day: Date) -> Result<Date, ClockError> {
        let mut day = day;
        // No calendar has three weeks of holidays.
        for _ in 0..21 {
            if self.calendar.is_working_day(day) {
                return Ok(day);
            }
            day = day.tomorrow().map_err(|_| ClockError::OutOfRange)?;
        }
        Err(ClockError::OutOfRange)
    }
}

fn said(date: Date) -> String {
    words::date(Lang::En, date)
}

fn weekday(date: Date) -> &'static str {
    use jiff::civil::Weekday as W;
    match date.weekday() {
        W::Monday => "Monday",
        W::Tuesday => "Tuesday",
        W::Wednesday => "Wednesday",
        W::Thursday => "Thursday",
        W::Friday => "Friday",
        W::Saturday => "Saturday",
        W::Sunday => "Sunday",
    }
}

/// TOML dates as the tables write them.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct TomlDate(toml_edit::Datetime);

impl TomlDate {
    pub(crate) fn date(self) -> Option<Date> {
        let date = self.0.date?;
        Date::new(
            i16::try_from(date.year).ok()?,
            i8::try_from(date.month).ok()?,
            i8::try_from(date.day).ok()?,
        )
        .ok()
    }
}
