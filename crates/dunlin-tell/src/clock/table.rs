//! The tables of deadlines and holidays, as they stand under `data/`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};

use super::holidays::Calendar;
use super::{ClockError, TomlDate};

/// A law that gives people rights over their data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    /// Regulation (EU) 2016/679.
    Gdpr,
    /// The same as the United Kingdom keeps it.
    UkGdpr,
    /// The California Consumer Privacy Act and its regulations.
    California,
    /// Brazil's Lei Geral de Proteção de Dados.
    Lgpd,
    /// The Virginia Consumer Data Protection Act.
    Virginia,
    /// The Colorado Privacy Act.
    Colorado,
    /// The Connecticut Data Privacy Act.
    Connecticut,
}

/// What somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// To see the data.
    Access,
    /// To correct it.
    Rectification,
    /// To delete it.
    Erasure,
    /// To use it no further.
    Restriction,
    /// To have it as a file.
    Portability,
    /// Not to use it for something.
    Objection,
    /// Not to sell or share it.
    OptOut,
    /// To use sensitive data for the service alone.
    LimitUse,
}

// The words are those of the tables; serde knows them, and a message needs them too.
fn word(value: &impl Serialize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => f.write_str(&word),
        _ => Err(fmt::Error),
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        word(self, f)
    }
}

impl fmt::Display for RequestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        word(self, f)
    }
}

/// A length of time as a law writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: PeriodUnit,
}

/// What a period counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeriodUnit {
    /// Every day.
    Day,
    /// Days that are neither weekend nor holiday.
    BusinessDay,
    /// Calendar months.
    Month,
}

impl Period {
    /// Two periods of one unit after another.
    pub(super) fn and(self, more: Period) -> Option<Period> {
        let count = self.count.checked_add(more.count)?;
        (self.unit == more.unit).then_some(Period { count, unit: self.unit })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            PeriodUnit::Day => "day",
            PeriodUnit::BusinessDay => "business day",
            PeriodUnit::Month => "month",
        };
        write!(f, "{} {unit}{}", self.count, if self.count == 1 { "" } else { "s" })
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Period, String> {
        let (count, unit) = text.split_once(' ').ok_or("a period is a number and a unit")?;
        let unit = match unit.trim_end_matches('s') {
            "day" => PeriodUnit::Day,
            "business day" => PeriodUnit::BusinessDay,
            "month" => PeriodUnit::Month,
            other => return Err(format!("unknown unit `{other}`")),
        };
        Ok(Period { count: count.parse().map_err(|_| format!("`{count}` is not a number"))?, unit })
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Period, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A line of the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    law: Law,
    requests: Vec<RequestKind>,
    pub(super) acknowledge: Option<Period>,
    pub(super) respond: Period,
    pub(super) extend: Option<Period>,
    #[serde(default)]
    pub(super) roll: bool,
    /// The law's own calendar.
    pub(super) calendar: Option<String>,
    pub(super) source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deadlines {
    as_of: TomlDate,
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Holidays {
    calendar: BTreeMap<String, Calendar>,
}

/// Both tables.
pub struct Table {
    /// The day on which the laws were read.
    pub as_of: Date,
    rules: Vec<Rule>,
    calendars: BTreeMap<String, Calendar>,
}

impl Table {
    /// The tables that are built in.
    ///
    /// # Errors
    /// Never; a test reads them.
    pub fn embedded() -> Result<&'static Table, ClockError> {
        static TABLE: LazyLock<Result<Table, ClockError>> = LazyLock::new(|| {
            Table::parse(include_str!("../../data/deadlines.toml"), include_str!("../../data/holidays.toml"))
        });
        TABLE.as_ref().map_err(Clone::clone)
    }

    fn parse(deadlines: &str, holidays: &str) -> Result<Table, ClockError> {
        let defect = |error: toml_edit::de::Error| ClockError::Table(error.message().to_owned());
        let deadlines: Deadlines = toml_edit::de::from_str(deadlines).map_err(defect)?;
        let holidays: Holidays = toml_edit::de::from_str(holidays).map_err(defect)?;
        let as_of = deadlines.as_of.date().ok_or_else(|| ClockError::Table("as_of is not a date".into()))?;
        Ok(Table { as_of, rules: deadlines.rule, calendars: holidays.calendar })
    }

    pub(super) fn rule(&self, law: Law, kind: RequestKind) -> Result<&Rule, ClockError> {
        let fits = |rule: &&Rule| rule.law == law && rule.requests.contains(&kind);
        self.rules.iter().find(fits).ok_or(ClockError::NoRule { law, kind, as_of: self.as_of })
    }

    /// A calendar of holidays.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn calendar(&self, name: &str) -> Result<&Calendar, ClockError> {
        let known = || self.calendars.keys().cloned().collect::<Vec<_>>().join(", ");
        self.calendars.get(name).ok_or_else(|| ClockError::NoCalendar(name.to_owned(), known()))
    }
}
