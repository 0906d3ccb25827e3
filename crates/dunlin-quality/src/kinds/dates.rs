//! Days in the forms in which people write them, for telling what a column of dates is about. Not for converting: the
//! plan's `clean = "date"` does that, and is told the order of day and month.

use crate::clean::iso_date;

/// The year of a text that is a day and nothing else: `1984-04-06`, `6/4/1984`, `06.04.84`, `19840406`, `6 Apr 1984`.
/// `None` where there is no such day in either order of day and month, or a time stands behind it.
pub(super) fn parse(text: &str) -> Option<i16> {
    let text = text.strip_suffix(" 00:00:00").or_else(|| text.strip_suffix("T00:00:00")).unwrap_or(text);
    if !(6..=18).contains(&text.len()) || text.contains(':') {
        return None;
    }
    if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        return day(text[..4].parse().ok()?, &text[4..6], &text[6..]);
    }
    let mut parts = text.split(['-', '/', '.', ' ', ',']).filter(|p| !p.is_empty());
    let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let digits = |p: &str| p.len() <= 4 && p.bytes().all(|b| b.is_ascii_digit());
    match (digits(a), digits(b), digits(c)) {
        (true, true, true) if a.len() == 4 => day(a.parse().ok()?, b, c),
        (true, true, true) if matches!(c.len(), 2 | 4) => {
            let year = whole_year(c)?;
            day(year, b, a).or_else(|| day(year, a, b))
        }
        // `6 Apr 1984`, `Apr 6, 1984`
        (true, false, true) => day(whole_year(c)?, month(b)?, a),
        (false, true, true) => day(whole_year(c)?, month(a)?, b),
        _ => None,
    }
}

/// The parts of `yyyy-mm-dd`.
pub(crate) fn plain_date(value: &str) -> Option<(u32, u32, u32)> {
    let b = value.as_bytes();
    if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    let number = |part: &[u8]| {
        part.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
    };
    Some((number(&b[..4])?, number(&b[5..7])?, number(&b[8..])?))
}

/// Two digits of a year are of the last hundred years.
fn whole_year(text: &str) -> Option<i16> {
    let year: i16 = text.parse().ok()?;
    Some(match text.len() {
        2 if year <= 30 => 2000 + year,
        2 => 1900 + year,
        _ => year,
    })
}

fn day(year: i16, month: &str, day: &str) -> Option<i16> {
    let date = format!("{year:04}-{month:0>2}-{day:0>2}");
    iso_date(&date).map(|_| year)
}

fn month(word: &str) -> Option<&'static str> {
    const MONTHS: [(&str, &str); 22] = [
        ("jan", "01"),
        ("ene", "01"),
        ("feb", "02"),
        ("fev", "02"),
        ("mar", "03"),
        ("mae", "03"),
        ("mrz", "03"),
        ("apr", "04"),
        ("avr", "04"),
        ("abr", "04"),
        ("may", "05"),
        ("mai", "05"),
        ("jun", "06"),
        ("juin", "06"),
        ("jul", "07"),
        ("aug", "08"),
        ("ago", "08"),
        ("sep", "09"),
        ("oct", "10"),
        ("okt", "10"),
        ("nov", "11"),
        ("dec", "12"),
    ];
    let folded = super::value::fold(word);
    if matches!(folded.get(..3), Some("dez" | "dic")) {
        return Some("12");
    }
    MONTHS.iter().find(|(name, _)| folded.starts_with(name)).map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_times_are_not() {
        for text in [
            "1984-04-06",
            "1984/4/6",
            "6/4/1984",
            "4/26/1984",
            "06.04.84",
            "19840406",
            "6 Apr 1984",
            "Apr 6, 1984",
        ] {
            assert_eq!(parse(text), Some(1984), "{text}");
        }
        for text in
            ["1984-04-31", "31/31/1984", "1984-04-06T10:00:00", "12345678", "1.2.3", "10:00:00", "a-b-c"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
