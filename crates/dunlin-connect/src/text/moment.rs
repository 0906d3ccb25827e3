//! Dates, times and timestamps as text. Civil dates by Howard Hinnant's algorithms ("chrono-compatible low-level date
//! algorithms"), in the proleptic Gregorian calendar with astronomical years.

use super::number::write_digits;
use crate::Reason;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Days since 1970-01-01; `infinity` and `-infinity` are the ends of `i32`.
pub(crate) fn parse_date(text: &[u8]) -> Result<i32, Reason> {
    if let Some(negative) = infinity(text) {
        return Ok(if negative { i32::MIN } else { i32::MAX });
    }
    let (days, rest) = date_part(text)?;
    if !rest.is_empty() {
        return Err(Reason::WrongType);
    }
    match i32::try_from(days) {
        Ok(i32::MIN | i32::MAX) | Err(_) => Err(Reason::OutOfRange),
        Ok(days) => Ok(days),
    }
}

/// Microseconds since midnight; `24:00:00` is allowed.
pub(crate) fn parse_time(text: &[u8]) -> Result<i64, Reason> {
    match time_part(text)? {
        (micros, []) => Ok(micros),
        _ => Err(Reason::WrongType),
    }
}

/// Microseconds since 1970-01-01 00:00 without a zone. A date alone is its midnight; a zone is not of this type.
pub(crate) fn parse_timestamp(text: &[u8]) -> Result<i64, Reason> {
    if let Some(negative) = infinity(text) {
        return Ok(if negative { i64::MIN } else { i64::MAX });
    }
    match date_part(text)? {
        (days, []) => micros(days, 0),
        (days, [b' ' | b'T' | b't', rest @ ..]) => match time_part(rest)? {
            (time, []) => micros(days, time),
            _ => Err(Reason::WrongType),
        },
        _ => Err(Reason::WrongType),
    }
}

/// Microseconds since 1970-01-01 00:00 UTC. The text must name its offset.
pub(crate) fn parse_timestamp_tz(text: &[u8]) -> Result<i64, Reason> {
    if let Some(negative) = infinity(text) {
        return Ok(if negative { i64::MIN } else { i64::MAX });
    }
    let (days, [b' ' | b'T' | b't', rest @ ..]) = date_part(text)? else { return Err(Reason::WrongType) };
    let (time, rest) = time_part(rest)?;
    let offset = offset(rest.strip_prefix(b" ").unwrap_or(rest))?;
    if time == DAY {
        return Err(Reason::OutOfRange);
    }
    micros(days, time - offset)
}

/// Appends a date.
pub(super) fn write_date(days: i32, out: &mut String) {
    match days {
        i32::MAX => out.push_str("infinity"),
        i32::MIN => out.push_str("-infinity"),
        days => write_days(days.into(), out),
    }
}

/// Appends a time of day.
pub(super) fn write_time(micros: i64, out: &mut String) {
    // A time below zero cannot come from any reader; the absolute value keeps the digits sound if one ever does.
    let micros = micros.unsigned_abs();
    let (hour, minute) = (micros / HOUR as u64, micros / MINUTE as u64 % 60);
    let (second, mut fraction) = (micros / SECOND as u64 % 60, micros % SECOND as u64);
    write_digits(hour, 2, out);
    out.push(':');
    write_digits(minute, 2, out);
    out.push(':');
    write_digits(second, 2, out);
    if fraction > 0 {
        let mut width = 6;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            width -= 1;
        }
        out.push('.');
        write_digits(fraction, width, out);
    }
}

/// Appends a timestamp, with `+00:00` where it is zoned.
pub(super) fn write_timestamp(micros: i64, zoned: bool, out: &mut String) {
    match micros {
        i64::MAX => return out.push_str("infinity"),
        i64::MIN => return out.push_str("-infinity"),
        _ => write_days(micros.div_euclid(DAY), out),
    }
    out.push(' ');
    write_time(micros.rem_euclid(DAY), out);
    if zoned {
        out.push_str("+00:00");
    }
}

fn write_days(days: i64, out: &mut String) {
    let (year, month, day) = civil_from_days(days);
    if year < 0 {
        out.push('-');
    } else if year > 9_999 {
        out.push('+');
    }
    write_digits(year.unsigned_abs(), 4, out);
    out.push('-');
    write_digits(month.into(), 2, out);
    out.push('-');
    write_digits(day.into(), 2, out);
}

fn micros(days: i64, time: i64) -> Result<i64, Reason> {
    // The end of a day is a time of day, but as a moment it belongs to the next day: nobody means it.
    if time == DAY {
        return Err(Reason::OutOfRange);
    }
    let value = i128::from(days) * i128::from(DAY) + i128::from(time);
    match i64::try_from(value) {
        Ok(i64::MIN | i64::MAX) | Err(_) => Err(Reason::OutOfRange),
        Ok(value) => Ok(value),
    }
}

fn infinity(text: &[u8]) -> Option<bool> {
    match text.first()? {
        b'i' | b'I' => text.eq_ignore_ascii_case(b"infinity").then_some(false),
        b'-' => text[1..].eq_ignore_ascii_case(b"infinity").then_some(true),
        _ => None,
    }
}

/// A date at the front of a text: days since 1970-01-01, and what follows.
fn date_part(text: &[u8]) -> Result<(i64, &[u8]), Reason> {
    let (sign, rest) = match text.split_first() {
        Some((b'-', rest)) => (-1, rest),
        Some((b'+', rest)) => (1, rest),
        _ => (1, text),
    };
    let width = rest.iter().take(8).position(|b| !b.is_ascii_digit()).ok_or(Reason::WrongType)?;
    if width < 4 {
        return Err(Reason::WrongType);
    }
    let year = sign * rest[..width].iter().fold(0i64, |y, d| y * 10 + i64::from(d - b'0'));
    let [b'-', m1, m2, b'-', d1, d2, rest @ ..] = &rest[width..] else { return Err(Reason::WrongType) };
    let (month, day) = (two(*m1, *m2)?, two(*d1, *d2)?);
    if sign < 0 && year == 0 {
        return Err(Reason::WrongType);
    }
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return Err(Reason::OutOfRange);
    }
    Ok((days_from_civil(year, month, day), rest))
}

/// A time of day at the front of a text: microseconds, and what follows.
fn time_part(text: &[u8]) -> Result<(i64, &[u8]), Reason> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else { return Err(Reason::WrongType) };
    let (hour, minute) = (two(*h1, *h2)?, two(*m1, *m2)?);
    let (second, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (two(*s1, *s2)?, rest),
        [b':', ..] => return Err(Reason::WrongType),
        _ => (0, rest),
    };
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => fraction(rest)?,
        _ => (0, rest),
    };
    let micros = i64::from(hour) * HOUR + i64::from(minute) * MINUTE + i64::from(second) * SECOND + fraction;
    if minute > 59 || second > 59 || micros > DAY {
        return Err(Reason::OutOfRange);
    }
    Ok((micros, rest))
}

fn fraction(text: &[u8]) -> Result<(i64, &[u8]), Reason> {
    let width = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    if width == 0 {
        return Err(Reason::WrongType);
    }
    let kept = &text[..width.min(6)];
    let micros = kept.iter().fold(0, |v, d| v * 10 + i64::from(d - b'0')) * 10i64.pow(6 - kept.len() as u32);
    if text[..width].iter().skip(6).any(|d| *d != b'0') {
        return Err(Reason::WouldChange);
    }
    Ok((micros, &text[width..]))
}

/// `Z`, `+02`, `+0230`, `+02:30`, `+02:30:15` in microseconds.
fn offset(text: &[u8]) -> Result<i64, Reason> {
    let (sign, rest) = match text {
        [b'Z' | b'z'] => return Ok(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return Err(Reason::WrongType),
    };
    let (hour, minute, second) = match rest {
        [a, b] => (two(*a, *b)?, 0, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (two(*a, *b)?, two(*c, *d)?, 0),
        [a, b, b':', c, d, b':', e, f] => (two(*a, *b)?, two(*c, *d)?, two(*e, *f)?),
        _ => return Err(Reason::WrongType),
    };
    // The widest offset PostgreSQL takes; the widest that was ever in use is below it.
    if hour > 15 || minute > 59 || second > 59 {
        return Err(Reason::OutOfRange);
    }
    Ok(sign * (i64::from(hour) * HOUR + i64::from(minute) * MINUTE + i64::from(second) * SECOND))
}

fn two(a: u8, b: u8) -> Result<u32, Reason> {
    if a.is_ascii_digit() && b.is_ascii_digit() {
        Ok(u32::from(a - b'0') * 10 + u32::from(b - b'0'))
    } else {
        Err(Reason::WrongType)
    }
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    // The year starts in March, so that the leap day is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year =
        (153 * (i64::from(month) + if month > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = (if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 }) as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
