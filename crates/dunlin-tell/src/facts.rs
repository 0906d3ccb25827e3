//! What the plan says that a customer is told: what moves and what stays behind, from where to where, who runs the
//! new place, what for and for how long. Only what the plan says; dates come from the caller. Nothing is guessed.

mod claims;
mod kinds;

use dunlin_plan::{Basis, Kind, Plan, Protect, Subject, TablePlan};
use jiff::civil::Date;

use crate::notice::Claims;
pub use claims::{SUBJECTS, say};
pub use kinds::{Category, category, kind_words, pd_term, purpose_words};

/// Dates that the plan does not hold: from the calendar of the migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    /// The day the move begins.
    pub begins: Option<Date>,
    /// The day it ends.
    pub ends: Option<Date>,
    /// The day the copy at the old place is deleted.
    pub old_copy_until: Option<Date>,
}

impl Dates {
    /// The plan holds no days: those that nobody gives are the ones that the notice was written with.
    #[must_use]
    pub fn or_claimed(self, claims: Option<&Claims>) -> Dates {
        let claimed = |subject: &str| -> Option<Date> { claims?.stated.get(subject)?.first()?.parse().ok() };
        Dates {
            begins: self.begins.or_else(|| claimed("begins")),
            ends: self.ends.or_else(|| claimed("ends")),
            old_copy_until: self.old_copy_until.or_else(|| claimed("old_copy_until")),
        }
    }
}

/// A place where data stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The store's name in the plan.
    pub store: String,
    /// ISO 3166, two letters.
    pub region: Option<String>,
    /// Who runs it on the company's behalf.
    pub processor: Option<String>,
}

/// A kind of data that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Datum {
    /// What it is.
    pub kind: Kind,
    /// How it is protected at the new place; none unless every column of the kind is.
    pub protect: Option<Protect>,
}

/// A column that stays behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The source table.
    pub table: String,
    /// Its column.
    pub column: String,
    /// Why, in the plan's words.
    pub reason: String,
}

/// What a table's data is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purpose {
    /// A W3C DPV term, `dpv:ServiceProvision`.
    pub term: Option<String>,
    /// The lawful basis.
    pub basis: Option<Basis>,
}

/// How long rows of a table are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The target table.
    pub table: String,
    /// The plan's SQL.
    pub sql: String,
    /// Read out of the SQL where it has the shape `column + interval 'N unit'`.
    pub length: Option<Length>,
}

/// A length of time after a column's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Length {
    /// The column it counts from.
    pub from: String,
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: Unit,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Years.
    Year,
    /// Months.
    Month,
    /// Weeks.
    Week,
    /// Days.
    Day,
}

/// What the plan says that a customer is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Who decides on the data: `comply.controller`, else the company.
    pub controller: Option<String>,
    /// The address customers write to.
    pub contact: Option<String>,
    /// Where the data comes from.
    pub from: Vec<Place>,
    /// Where it goes.
    pub to: Vec<Place>,
    /// What moves, by kind.
    pub data: Vec<Datum>,
    /// Columns of personal tables that move and have no kind: `atlas.people.locale`.
    pub unclassified: Vec<String>,
    /// Personal tables of which every column moves as it is.
    pub whole: Vec<String>,
    /// The columns that stay behind.
    pub left: Vec<Left>,
    /// Tables with a condition on which rows move, and the condition.
    pub some_rows: Vec<(String, String)>,
    /// What the data is for.
    pub purposes: Vec<Purpose>,
    /// How long it is kept.
    pub retention: Vec<Retention>,
    /// Tables whose duplicates are merged.
    pub merged: Vec<String>,
    /// Stores that add data to what moves.
    pub enriched_from: Vec<String>,
    /// When.
    pub dates: Dates,
}

impl Facts {
    /// The facts of a plan.
    pub fn of(plan: &Plan, dates: Dates) -> Facts {
        let comply = plan.comply.as_ref();
        let company = plan.company.as_ref();
        let personal: Vec<&TablePlan> =
            plan.tables.iter().filter(|table| is_personal(table, plan.subject.as_ref())).collect();
        let places = |stores: Vec<&str>| -> Vec<Place> {
            let mut places: Vec<Place> = stores.into_iter().map(|store| place(plan, store)).collect();
            places.sort();
            places.dedup();
            places
        };
        let columns =
            || personal.iter().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
        let kinds = columns().filter_map(|(_, column)| Some((column.kind?, column.protect)));
        let mut purposes: Vec<Purpose> = personal
            .iter()
            .map(|table| Purpose { term: table.purpose.clone(), basis: table.basis })
            .filter(|purpose| purpose.term.is_some() || purpose.basis.is_some())
            .collect();
        purposes.sort();
        purposes.dedup();
        let enriched = personal.iter().flat_map(|table| &table.enrich).map(|add| add.from.store.clone());
        let mut enriched_from: Vec<String> = enriched.collect();
        enriched_from.sort();
        enriched_from.dedup();
        let left = personal.iter().flat_map(|table| {
            table.drop.iter().map(|drop| Left {
                table: table.from.to_string(),
                column: drop.column.clone(),
                reason: drop.reason.clone(),
            })
        });
        let labels = |keep: fn(&TablePlan) -> bool| -> Vec<String> {
            personal.iter().filter(|table| keep(table)).map(|table| table.label()).collect()
        };
        Facts {
            controller: comply
                .and_then(|comply| comply.controller.clone())
                .or_else(|| company.map(|company| company.name.clone())),
            contact: company.and_then(|company| company.contact.clone()),
            from: places(personal.iter().map(|table| table.from.store.as_str()).collect()),
            to: places(personal.iter().map(|table| table.to.store.as_str()).collect()),
            data: data(kinds),
            unclassified: columns()
                .filter(|(_, column)| column.kind.is_none())
                .map(|(table, column)| format!("{}.{}", table.label(), column.target))
                .collect(),
            whole: labels(|table| table.columns.is_empty()),
            left: left.collect(),
            some_rows: personal
                .iter()
                .filter_map(|table| Some((table.label(), table.where_.as_ref()?.text.clone())))
                .collect(),
            purposes,
            retention: personal.iter().filter_map(|table| retention(table)).collect(),
            merged: labels(|table| table.duplicates.is_some()),
            enriched_from,
            dates,
        }
    }

    /// Whether data of GDPR Art. 9 moves.
    pub fn has_special_categories(&self) -> bool {
        self.data.iter().any(|datum| matches!(datum.kind, Kind::SpecialCategory | Kind::HealthCode))
    }

    /// The countries of these places, once each, in the plan's order of stores; places without one are left out.
    pub fn regions(places: &[Place]) -> Vec<String> {
        once(places.iter().filter_map(|place| place.region.clone()))
    }

    /// The processors of the new places, once each.
    pub fn processors(&self) -> Vec<String> {
        once(self.to.iter().filter_map(|place| place.processor.clone()))
    }
}

pub(crate) fn once<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

/// Whether a table is about people: it is the subject's, leads to it, holds a kind of personal data, or says on
/// which basis of Art. 6 it is processed. A list of countries is not; a table whose kinds nobody has looked at and
/// that nothing ties to a person is not either, and the profile is what finds it.
fn is_personal(table: &TablePlan, subject: Option<&Subject>) -> bool {
    let personal = |kind: Kind| !matches!(kind, Kind::None | Kind::Country | Kind::Bic | Kind::Url);
    subject.is_some_and(|subject| subject.table == table.to)
        || table.subject.is_some()
        || table.basis.is_some()
        || table.columns.iter().any(|column| column.kind.is_some_and(personal))
}

fn place(plan: &Plan, store: &str) -> Place {
    let known = plan.stores.get(store);
    Place {
        store: store.to_owned(),
        region: known.and_then(|store| store.region.clone()),
        processor: known.and_then(|store| store.processor.clone()),
    }
}

/// Each kind once; a protection is claimed only when every column of the kind has it.
fn data(columns: impl Iterator<Item = (Kind, Option<Protect>)>) -> Vec<Datum> {
    let mut data: Vec<Datum> = Vec::new();
    for (kind, protect) in columns.filter(|(kind, _)| *kind != Kind::None) {
        match data.iter_mut().find(|datum| datum.kind == kind) {
            Some(known) if known.protect != protect => known.protect = None,
            Some(_) => {}
            None => data.push(Datum { kind, protect }),
        }
    }
    data.sort();
    data
}

fn retention(table: &TablePlan) -> Option<Retention> {
    let sql = table.retain.as_ref()?.text.clone();
    Some(Retention { table: table.label(), length: length(&sql), sql })
}

/// Reads `column + interval '6 years'`; anything else is left to a person.
fn length(sql: &str) -> Option<Length> {
    let (from, rest) = sql.split_once('+')?;
    let rest = rest.trim();
    let word = rest.get(..8).filter(|word| word.eq_ignore_ascii_case("interval"))?;
    let quoted = rest[word.len()..].trim().strip_prefix('\'')?.strip_suffix('\'')?;
    let (count, unit) = quoted.trim().split_once(' ')?;
    let unit = match unit.trim().trim_end_matches('s').to_ascii_lowercase().as_str() {
        "year" => Unit::Year,
        "month" | "mon" => Unit::Month,
        "week" => Unit::Week,
        "day" => Unit::Day,
        _ => return None,
    };
    let from = from.trim().trim_matches('"');
    let plain = !from.is_empty() && from.chars().all(|c| c.is_alphanumeric() || c == '_');
    plain.then_some(Length { from: from.to_owned(), count: count.parse().ok()?, unit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_read_only_where_its_shape_is_certain() {
        let read = |sql: &str| length(sql).map(|length| (length.from, length.count, length.unit));
        assert_eq!(read("closed_at + interval '6 years'"), Some(("closed_at".into(), 6, Unit::Year)));
        assert_eq!(read("\"end\" + INTERVAL '18 month'"), Some(("end".into(), 18, Unit::Month)));
        for sql in [
            "now()",
            "closed_at + interval '6'",
            "a || b + interval '1 day'",
            "x + interval '1 day' + y",
            "x+é",
        ] {
            assert_eq!(read(sql), None, "{sql}");
        }
    }
}
