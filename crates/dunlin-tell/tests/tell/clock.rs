//! Deadlines, counted by hand.

use dunlin_tell::clock::{Asked, ClockError, Deadline, Law, RequestKind, Table, deadline};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

fn ask(law: Law, kind: RequestKind, received: &str, zone: &str, calendar: &str) -> Deadline {
    let asked = Asked {
        law,
        kind,
        received: received.parse().unwrap(),
        zone: TimeZone::get(zone).unwrap(),
        calendar,
        runs_from: None,
    };
    deadline(&asked).unwrap()
}

fn gdpr(received: &str, zone: &str, calendar: &str) -> Deadline {
    ask(Law::Gdpr, RequestKind::Access, received, zone, calendar)
}

fn days(deadline: &Deadline) -> (Date, Option<Date>) {
    (deadline.respond_by, deadline.extended_to)
}

#[test]
fn one_calendar_month_and_two_more() {
    // Sunday 22 November 2026 -> Tuesday 22 December; three months: Monday 22 February 2027.
    let plain = gdpr("2026-11-22T18:00:00Z", "Europe/Madrid", "ES");
    assert_eq!(days(&plain), (date(2026, 12, 22), Some(date(2027, 2, 22))));
    assert_eq!(plain.late_from.to_string(), "2026-12-22T23:00:00Z");
    insta::assert_snapshot!("clock_why", format!("{}\n{}", plain.why.join("\n"), plain.source));
    // EDPB Guidelines 01/2022, examples to no. 160: 5 March -> 5 April; 31 August -> 30 September.
    assert_eq!(gdpr("2023-03-05T09:00:00Z", "Europe/Paris", "FR").respond_by, date(2023, 4, 5));
    assert_eq!(gdpr("2026-08-31T09:00:00Z", "Europe/Paris", "FR").respond_by, date(2026, 9, 30));
}

#[test]
fn short_months_and_leap_years() {
    // 31 January 2027 -> 28 February, a Sunday -> Monday 1 March. The extension counts from January: 30 April.
    let short = gdpr("2027-01-31T10:00:00Z", "Europe/Madrid", "ES");
    assert_eq!(days(&short), (date(2027, 3, 1), Some(date(2027, 4, 30))));
    insta::assert_snapshot!("clock_why_short", short.why.join("\n"));
    // 2028 has a 29 February, a Tuesday.
    assert_eq!(gdpr("2028-01-31T10:00:00Z", "Europe/Madrid", "ES").respond_by, date(2028, 2, 29));
    assert_eq!(gdpr("2028-01-29T10:00:00Z", "Europe/Madrid", "ES").respond_by, date(2028, 2, 29));
}

#[test]
fn weekends_and_holidays_move_the_last_day() {
    // 3 April 2026 is Good Friday. Spain works on Easter Monday (no national holiday), Germany does not.
    assert_eq!(gdpr("2026-03-03T10:00:00Z", "Europe/Madrid", "ES").respond_by, date(2026, 4, 6));
    assert_eq!(gdpr("2026-03-03T10:00:00Z", "Europe/Berlin", "DE").respond_by, date(2026, 4, 7));
    // ICO: 3 September -> 3 October, in 2026 a Saturday -> Monday 5. 31 March -> 30 April.
    let uk = |received| ask(Law::UkGdpr, RequestKind::Erasure, received, "Europe/London", "").respond_by;
    assert_eq!(uk("2026-09-03T10:00:00Z"), date(2026, 10, 5));
    assert_eq!(uk("2026-03-31T10:00:00Z"), date(2026, 4, 30));
    // 25 December 2026, a Friday; Saturday; Sunday; Monday 28 for Boxing Day -> Tuesday 29.
    assert_eq!(uk("2026-11-25T10:00:00Z"), date(2026, 12, 29));
}

#[test]
fn the_day_of_receipt_is_that_of_the_companys_clock() {
    // 23:30 UTC on 30 November is already December in Madrid: 1 January is a holiday, then a weekend -> Monday 4.
    let received = "2026-11-30T23:30:00Z";
    assert_eq!(gdpr(received, "Europe/Madrid", "ES").respond_by, date(2027, 1, 4));
    assert_eq!(gdpr(received, "Europe/Dublin", "IE").respond_by, date(2026, 12, 30));
    let brazil = ask(Law::Lgpd, RequestKind::Access, "2026-12-21T02:00:00Z", "America/Sao_Paulo", "US");
    // 23:00 on 20 December there; fifteen days later is 4 January.
    assert_eq!(days(&brazil), (date(2027, 1, 4), None));
    assert_eq!(brazil.late_from.to_string(), "2027-01-05T03:00:00Z");
}

#[test]
fn california_counts_business_days_and_calendar_days() {
    // Monday 22 June 2026. Ten business days: 23 24 25 26 29 30 June, 1 2 6 7 July; Friday 3 July is kept for the 4th.
    let ask = |kind, received| ask(Law::California, kind, received, "America/Los_Angeles", "");
    let know = ask(RequestKind::Access, "2026-06-22T17:00:00Z");
    assert_eq!(know.acknowledge_by, Some(date(2026, 7, 7)));
    // 45 days: 8 in June, 31 in July, 6 in August. 90: 25 more in August, 20 in September, a Sunday all the same.
    assert_eq!(days(&know), (date(2026, 8, 6), Some(date(2026, 9, 20))));
    // Friday 20 November 2026, fifteen business days: Thanksgiving on the 26th is none.
    let out = ask(RequestKind::OptOut, "2026-11-20T20:00:00Z");
    assert_eq!(days(&out), (date(2026, 12, 14), None));
}

#[test]
fn forty_five_days_and_as_many_again() {
    let of = |law, received| ask(law, RequestKind::Erasure, received, "America/New_York", "US");
    // 20 January 2028: 11 in January, 29 in February, 5 in March. In 2027 February has 28.
    assert_eq!(of(Law::Virginia, "2028-01-20T15:00:00Z").respond_by, date(2028, 3, 5));
    assert_eq!(of(Law::Virginia, "2027-01-20T15:00:00Z").respond_by, date(2027, 3, 6));
    // 22 November 2026 and 90 days: 8, 31, 31, 20.
    assert_eq!(of(Law::Colorado, "2026-11-22T15:00:00Z").extended_to, Some(date(2027, 2, 20)));
    assert_eq!(of(Law::Connecticut, "2026-11-22T15:00:00Z").respond_by, date(2027, 1, 6));
}

#[test]
fn a_period_can_begin_once_the_person_is_known() {
    let mut asked = Asked {
        law: Law::UkGdpr,
        kind: RequestKind::Access,
        received: "2026-11-02T10:00:00Z".parse().unwrap(),
        zone: TimeZone::get("Europe/London").unwrap(),
        calendar: "",
        runs_from: Some("2026-11-10T10:00:00Z".parse().unwrap()),
    };
    assert_eq!(deadline(&asked).unwrap().respond_by, date(2026, 12, 10));
    // Never before it has arrived.
    asked.runs_from = Some("2026-10-01T10:00:00Z".parse().unwrap());
    assert_eq!(deadline(&asked).unwrap().respond_by, date(2026, 12, 2));
}

#[test]
fn what_the_table_does_not_know_is_said() {
    let asked = |law, calendar| Asked {
        law,
        kind: RequestKind::Erasure,
        received: "2026-11-02T10:00:00Z".parse().unwrap(),
        zone: TimeZone::UTC,
        calendar,
        runs_from: None,
    };
    let no_rule = deadline(&asked(Law::Lgpd, "US")).unwrap_err();
    let no_calendar = deadline(&asked(Law::Gdpr, "XX")).unwrap_err();
    assert!(matches!(no_rule, ClockError::NoRule { .. }));
    insta::assert_snapshot!("clock_errors", format!("{no_rule}\n{no_calendar}"));
    assert_eq!(Table::embedded().unwrap().as_of, date(2026, 11, 22));
}
