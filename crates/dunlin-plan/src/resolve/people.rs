//! `[company]`, `[[person]]`, `[subject]` and `[window]`: who, and when.

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::{address, relative_path, tables, text};
use crate::finding::{Finding, Log, nearest};
use crate::plan::{Company, Person, Subject};
use crate::vocabulary::Day;
use crate::walk::{Section, Spanned, Walk};
use crate::window::{SourceLoad, Window};

pub(crate) const COMPANY: Section = Section { form: "Company", keys: &["name", "logo", "colour", "contact"] };
pub(crate) const PERSON: Section =
    Section { form: "Person", keys: &["name", "email", "role", "organisation"] };
pub(crate) const SUBJECT: Section =
    Section { form: "Subject", keys: &["table", "id", "email", "locale", "erase_source"] };
pub(crate) const WINDOW: Section =
    Section { form: "Window", keys: &["days", "from", "to", "zone", "source_load"] };

pub(super) fn company(root: &Walk<'_>, log: &mut Log) -> Option<Company> {
    let (table, span) = root.child("company", log)?;
    let walk = Walk::enter(table, &COMPANY, "[company]", span, log);
    let name = walk.required("name", "`name = \"Company Ltd\"`", log);
    let logo = relative_path(walk.words("logo", log), log);
    let colour = colour(&walk, log);
    let contact = text(address(walk.words("contact", log), log));
    Some(Company { name: name?.value, logo, colour, contact })
}

fn colour(walk: &Walk<'_>, log: &mut Log) -> Option<String> {
    let colour = walk.words("colour", log)?;
    let digits = colour.value.strip_prefix('#').unwrap_or_default();
    if matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(colour.value);
    }
    let message = format!("`{}` is not a colour", colour.value);
    log.push(Finding::error("plan-colour", colour.span, message).help("write it as \"#a8481f\""));
    None
}

pub(super) fn people(root: &Walk<'_>, log: &mut Log) -> Vec<Person> {
    let people = root.children("person", "[[person]]", log).into_iter().filter_map(|(table, span)| {
        let walk = Walk::enter(table, &PERSON, "[[person]]", span, log);
        let name = walk.required("name", "`name = \"Ana Ruiz\"`", log);
        let email = address(walk.required("email", "`email = \"ana@example.com\"`", log), log);
        if !walk.has("role") {
            walk.missing("role", log, "`role = \"engineer\"` or another role");
        }
        let role = walk.word("role", log);
        let organisation = text(walk.words("organisation", log));
        Some(Person { name: name?.value, email: email?.value, role: role?, organisation, span })
    });
    people.collect()
}

pub(super) fn subject(root: &Walk<'_>, log: &mut Log) -> Option<Subject> {
    let (table, span) = root.child("subject", log)?;
    let walk = Walk::enter(table, &SUBJECT, "[subject]", span, log);
    let table = tables::table_ref(walk.required("table", "`table = \"store.table\"`", log), log);
    let id = walk.required("id", "`id = \"column\"`", log);
    let (email, locale) = (text(walk.words("email", log)), text(walk.words("locale", log)));
    let erase_source = walk.truth("erase_source", log).unwrap_or(false);
    let span = walk.value_span("table");
    Some(Subject { table: table?, id: id?.value, email, locale, erase_source, span })
}

pub(super) fn window(root: &Walk<'_>, log: &mut Log) -> Option<Window> {
    let (table, span) = root.child("window", log)?;
    let walk = Walk::enter(table, &WINDOW, "[window]", span, log);
    let days = days(&walk, log);
    let from = time(&walk, "from", log);
    let to = time(&walk, "to", log);
    let zone = zone(&walk, log);
    let source_load = source_load(&walk, log);
    let (from, to) = (from?, to?);
    if from.value == to.value {
        let message = "`from` and `to` in [window] are the same time";
        let help = "for whole days write from = \"00:00\" and to = \"24:00\"";
        log.push(Finding::error("plan-window", to.span, message).help(help));
    }
    Some(Window { days, from: from.value.time(), to: to.value.time(), zone: zone?, source_load })
}

fn days(walk: &Walk<'_>, log: &mut Log) -> Vec<Day> {
    if !walk.has("days") {
        walk.missing("days", log, "`days = [\"sat\", \"sun\"]`");
        return Vec::new();
    }
    let mut days: Vec<Day> = walk.word_list("days", log);
    if walk.texts("days", &mut Log::default()).is_some_and(|days| days.value.is_empty()) {
        let finding = Finding::error("plan-window", walk.value_span("days"), "`days` in [window] is empty");
        log.push(finding.help("name at least one day, or remove [window]: then data may move at any time"));
    }
    days.sort_unstable();
    days.dedup();
    days
}

/// A time of the day; midnight may be the end of the day as well as its start.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Clock {
    At(Time),
    EndOfDay,
}

impl Clock {
    fn time(self) -> Time {
        match self {
            Clock::At(time) => time,
            Clock::EndOfDay => Time::midnight(),
        }
    }
}

fn time(walk: &Walk<'_>, key: &str, log: &mut Log) -> Option<Spanned<Clock>> {
    let text = walk.required(key, &format!("`{key} = \"22:00\"`"), log)?;
    let clock = match text.value.as_str() {
        "24:00" if key == "to" => Some(Clock::EndOfDay),
        value => read_clock(value).map(Clock::At),
    };
    if clock.is_none() {
        let message = format!("`{}` is not a time of the day", text.value);
        log.push(
            Finding::error("plan-window", text.span, message).help("write hours and minutes, as \"22:00\""),
        );
    }
    clock.map(|value| Spanned { value, span: text.span })
}

fn read_clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn zone(walk: &Walk<'_>, log: &mut Log) -> Option<TimeZone> {
    let name = walk.required("zone", "`zone = \"Europe/Madrid\"`", log)?;
    let zone = TimeZone::get(&name.value).ok().filter(|zone| zone.iana_name().is_some());
    if zone.is_none() {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let help = match nearest(&name.value, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write a zone of the IANA database, for example `Europe/Madrid`".to_owned(),
        };
        let message = format!("unknown time zone `{}`", name.value);
        log.push(Finding::error("plan-window", name.span, message).help(help));
    }
    zone
}

fn source_load(walk: &Walk<'_>, log: &mut Log) -> Option<SourceLoad> {
    let text = walk.words("source_load", log)?;
    let load = SourceLoad::from_sentence(&text.value);
    if load.is_none() {
        let message = format!("`source_load` does not understand `{}`", text.value);
        let help = "write \"pause above 70% of the busiest hour\", with a number from 1 to 100";
        log.push(Finding::error("plan-window", text.span, message).help(help));
    }
    load
}
