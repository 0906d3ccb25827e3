//! What is made coarse, moved or taken out: `general`, `shift`, `remove`.
//!
//! `general` follows HIPAA's Safe Harbor (45 CFR 164.514(b)(2)(i)): a US postcode keeps its first three digits, or becomes
//! 000 where the area holds 20,000 people or fewer; a date keeps its year; an age from 90 on is 90, and so a birth that
//! makes one older. What is not understood is taken out, never left.

use dunlin_connect::ColumnType;
use dunlin_quality::packs::small_zip3;
use jiff::civil::Date;

use crate::spec::Mapped;

/// Ages above 89 are one category.
const OLDEST: i16 = 90;
/// The longest way that dates are moved, in days.
const SHIFT_MAX: i64 = 364;
/// What stands where nothing may, and the column must not be NULL.
const REMOVED: &str = "removed";

/// A coarser value; `None` for one that is taken out. Ages are counted from the year in which the run began.
pub(super) fn general(column: &Mapped, text: &str) -> Option<String> {
    let (kind, this_year) = (column.kind.map(|kind| kind.as_str()), column.run_year);
    match (kind, &column.clear_type) {
        (Some("postcode"), _) => Some(zip3(text)?),
        (Some("age"), _) => {
            let age: f64 = text.trim().parse().ok()?;
            (0.0..=200.0).contains(&age).then(|| (age as i16).min(OLDEST).to_string())
        }
        (kind, ColumnType::Date) => Some(format!("{:04}-01-01", year(text, kind, this_year)?)),
        (kind, ColumnType::Timestamp) => Some(format!("{:04}-01-01 00:00:00", year(text, kind, this_year)?)),
        (kind, ColumnType::TimestampTz) => {
            Some(format!("{:04}-01-01 00:00:00+00", year(text, kind, this_year)?))
        }
        (kind, _) => Some(year(text, kind, this_year)?.to_string()),
    }
}

/// The year of a day or moment; of a birth at most so long ago that the person is taken for 90.
fn year(text: &str, kind: Option<&str>, this_year: i16) -> Option<i16> {
    let day = text.trim();
    let iso = day.get(..4).filter(|_| day.as_bytes().get(4) == Some(&b'-')).and_then(|y| y.parse().ok());
    let year = iso.or_else(|| dunlin_quality::year_of_day(day))?;
    Some(match kind {
        Some("birth_date") => year.max(this_year - OLDEST),
        _ => year,
    })
}

/// The first three digits of a US postcode, or 000 for a small area.
fn zip3(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-'));
    if !plain || !matches!(digits.len(), 3 | 5 | 9) {
        return None;
    }
    let area = &digits[..3];
    Some(if small_zip3(area) { "000".to_owned() } else { area.to_owned() })
}

/// How far the dates of one customer are moved, in days from 1 to 364, ahead or back; the same for all of them.
pub(super) fn days(key: &[u8; 32], subject: &str) -> i64 {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(b"shift\0").update(subject.as_bytes());
    let hash = hasher.finalize();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    let at = (u64::from_le_bytes(bytes) % (2 * SHIFT_MAX as u64)) as i64;
    if at < SHIFT_MAX { at + 1 } else { SHIFT_MAX - 1 - at }
}

/// A day or moment, moved; `None` where the text is neither.
pub(super) fn shift(text: &str, days: i64) -> Option<String> {
    let (day, rest) = text.split_at_checked(10)?;
    let date: Date = day.parse().ok()?;
    let moved = date.checked_add(jiff::Span::new().days(days)).ok()?;
    Some(format!("{moved}{rest}"))
}

/// What stands in the place of a value that is taken out: nothing, or where the column must not be NULL what says so.
pub(super) fn removed(column: &Mapped) -> Option<String> {
    if column.nullable {
        return None;
    }
    Some(match column.load_type {
        ColumnType::Bool => "false".to_owned(),
        ColumnType::Date => "1900-01-01".to_owned(),
        ColumnType::Timestamp => "1900-01-01 00:00:00".to_owned(),
        ColumnType::TimestampTz => "1900-01-01 00:00:00+00".to_owned(),
        ColumnType::Int16
        | ColumnType::Int32
        | ColumnType::Int64
        | ColumnType::Float32
        | ColumnType::Float64
        | ColumnType::Numeric
        | ColumnType::Decimal { .. } => "0".to_owned(),
        _ => REMOVED.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use dunlin_plan::Kind;

    use super::*;
    use crate::spec::Value;

    fn column(kind: Option<Kind>, ty: ColumnType, nullable: bool) -> Mapped {
        Mapped {
            target: "c".to_owned(),
            target_index: 0,
            value: Value::Column(0),
            natural: ty.clone(),
            clear_type: ty.clone(),
            load_type: ty,
            as_text: false,
            nullable,
            protect: None,
            kind,
            from: Some(0),
            run_year: 2026,
        }
    }

    #[test]
    fn postcodes_keep_their_area_unless_few_live_there() {
        let zip = column(Some(Kind::Postcode), ColumnType::TEXT, true);
        for (text, area) in [
            ("90210", Some("902")),
            ("90210-1234", Some("902")),
            ("03601", Some("000")),
            ("89310", Some("000")),
            ("SW1A 1AA", None),
            ("2801", None),
            ("", None),
        ] {
            assert_eq!(general(&zip, text).as_deref(), area, "{text}");
        }
    }

    #[test]
    fn dates_keep_their_year_and_nobody_is_older_than_ninety() {
        let born = column(Some(Kind::BirthDate), ColumnType::Date, true);
        assert_eq!(general(&born, "1980-04-06").as_deref(), Some("1980-01-01"));
        assert_eq!(general(&born, "1921-04-06").as_deref(), Some("1936-01-01"));
        assert_eq!(general(&born, "1899-12-31").as_deref(), Some("1936-01-01"));
        let seen = column(None, ColumnType::Timestamp, true);
        assert_eq!(general(&seen, "2024-05-17 13:45:10").as_deref(), Some("2024-01-01 00:00:00"));
        let text = column(Some(Kind::BirthDate), ColumnType::TEXT, true);
        assert_eq!(general(&text, "06/04/1980").as_deref(), Some("1980"));
        assert_eq!(general(&text, "around Easter"), None);
        let age = column(Some(Kind::Age), ColumnType::Int64, true);
        assert_eq!(general(&age, "89").as_deref(), Some("89"));
        assert_eq!(general(&age, "104").as_deref(), Some("90"));
    }

    #[test]
    fn all_dates_of_one_customer_move_alike() {
        let key = [3; 32];
        let way = days(&key, "42");
        assert_eq!(way, days(&key, "42"));
        assert!((1..=SHIFT_MAX).contains(&way.abs()));
        let (first, last) = (shift("2024-02-28", way).unwrap(), shift("2024-03-01 10:00:00", way).unwrap());
        let day = |text: &str| text[..10].parse::<Date>().unwrap();
        assert_eq!(day(&last).since(day(&first)).unwrap().get_days(), 2);
        assert!(last.ends_with(" 10:00:00"));
        let ways: std::collections::HashSet<i64> = (0..5_000).map(|n| days(&key, &n.to_string())).collect();
        assert!(ways.len() > 700 && !ways.contains(&0), "{}", ways.len());
        assert_eq!(shift("soon", way), None);
    }

    #[test]
    fn what_must_not_be_null_says_that_it_was_taken_out() {
        assert_eq!(removed(&column(None, ColumnType::TEXT, true)), None);
        assert_eq!(removed(&column(None, ColumnType::TEXT, false)).as_deref(), Some("removed"));
        assert_eq!(removed(&column(None, ColumnType::Int64, false)).as_deref(), Some("0"));
    }
}
