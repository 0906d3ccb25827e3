//! A person's tasks as an iCalendar file, for the calendar on their telephone. Titles and days alone.

use icalendar::{Calendar, Component, Event, EventLike};
use jiff::civil::Date;

use crate::model::{Kind, Status, Task};

fn chrono(day: Date) -> Option<icalendar::DatePerhapsTime> {
    // The library's own type of a day, by its text form.
    let text = day.strftime("%Y%m%d").to_string();
    let mut property = icalendar::Property::new("DTSTART", text);
    property.add_parameter("VALUE", "DATE");
    icalendar::DatePerhapsTime::from_property(&property)
}

/// A day on which customers hear something.
pub struct FeedNotice {
    /// Unique, and the same each time.
    pub id: String,
    /// The day.
    pub day: Date,
    /// What stands on it.
    pub title: String,
}

/// The calendar. `base` is the server's address; windows are open periods in microseconds since 1970 UTC.
pub fn ics<'a>(
    name: &str,
    base: &str,
    tasks: impl Iterator<Item = &'a Task>,
    windows: &[(i64, i64)],
    blackouts: &[crate::Blackout],
    notices: &[FeedNotice],
) -> String {
    let mut calendar = Calendar::new();
    calendar.name(name);
    for task in tasks {
        let Some(last) = task.deadline.or(task.start) else { continue };
        let first = task.start.filter(|s| *s <= last).unwrap_or(last);
        let mark = if task.status == Status::Done { "✓ " } else { "" };
        let what = if task.kind == Kind::Milestone { "◆ " } else { "" };
        let mut event = Event::new();
        event.uid(&format!("{}@dunlin", task.id));
        event.summary(&format!("{mark}{what}T-{} {}", task.number, task.title));
        event.append_property(icalendar::Property::new("URL", format!("{base}/work?task={}", task.id)));
        event.sequence(u32::try_from(task.version).unwrap_or(u32::MAX));
        let end = last.tomorrow().unwrap_or(last);
        if let (Some(first), Some(end)) = (chrono(first), chrono(end)) {
            event.starts(first).ends(end);
            calendar.push(event.done());
        }
    }
    for (from, to) in windows {
        let mut event = Event::new();
        event.uid(&format!("window-{from}@dunlin"));
        event.summary("Data may move");
        event.append_property(icalendar::Property::new("DTSTART", utc(*from)));
        event.append_property(icalendar::Property::new("DTEND", utc(*to)));
        event.append_property(icalendar::Property::new("TRANSP", "TRANSPARENT"));
        calendar.push(event.done());
    }
    for blackout in blackouts {
        let Ok(day) = blackout.date.parse::<Date>() else { continue };
        let mut event = Event::new();
        event.uid(&format!("blackout-{}@dunlin", blackout.id));
        event.summary(&format!("No work: {}", blackout.why));
        if let (Some(first), Some(end)) = (chrono(day), chrono(day.tomorrow().unwrap_or(day))) {
            event.starts(first).ends(end);
            calendar.push(event.done());
        }
    }
    for notice in notices {
        let mut event = Event::new();
        event.uid(&format!("notice-{}@dunlin", notice.id));
        event.summary(&notice.title);
        event.append_property(icalendar::Property::new("TRANSP", "TRANSPARENT"));
        let end = notice.day.tomorrow().unwrap_or(notice.day);
        if let (Some(first), Some(end)) = (chrono(notice.day), chrono(end)) {
            event.starts(first).ends(end);
            calendar.push(event.done());
        }
    }
    calendar.to_string()
}

fn utc(us: i64) -> String {
    let at = jiff::Timestamp::from_microsecond(us).unwrap_or_default();
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_has_whole_days_and_escapes_what_people_typed() {
        let task = Task {
            id: "0190".into(),
            number: 7,
            title: "Call; Ana, \"now\"\nBEGIN:VEVENT".into(),
            start: Some("2026-11-23".parse().unwrap()),
            deadline: Some("2026-11-24".parse().unwrap()),
            ..Task::default()
        };
        let none = Task { title: "no day".into(), ..Task::default() };
        let day = "2026-12-01".parse().unwrap();
        let notice = FeedNotice { id: "a".into(), day, title: "Tell customers: we move".into() };
        let text = ics(
            "dunlin",
            "https://d.example",
            [&task, &none].into_iter(),
            &[(0, 3_600_000_000)],
            &[],
            &[notice],
        );
        assert!(text.starts_with("BEGIN:VCALENDAR\r\n"), "{text}");
        assert!(
            text.contains("DTSTART;VALUE=DATE:20261123") && text.contains("DTEND;VALUE=DATE:20261125"),
            "{text}"
        );
        assert_eq!(text.matches("\r\nBEGIN:VEVENT").count(), 3, "{text}");
        assert!(
            text.contains("DTSTART;VALUE=DATE:20261201") && text.contains("Tell customers: we move"),
            "{text}"
        );
        assert!(text.contains("DTSTART:19700101T000000Z"), "{text}");
        assert!(!text.contains("no day"));
    }
}
