//! Numbers, times and names as people read them, for the page and for the terminal.

/// The text for HTML, in elements and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Controls have no meaning on a page, and marks of direction can turn a line round.
            c if misleads(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The text for one line of a terminal: nothing in it moves the cursor or changes colours.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || misleads(c) { '\u{fffd}' } else { c }).collect()
}

fn misleads(letter: char) -> bool {
    let control = letter.is_control() && !matches!(letter, '\n' | '\t');
    control || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `1234567` as `1,234,567`.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "1 row", "2 rows".
pub(super) fn count(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

/// A share in percent. Rounded down, so that 100 % means all and nothing less.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0 %".into();
    }
    let hundredths = u128::from(part) * 10_000 / u128::from(whole);
    match (hundredths / 100, hundredths % 100) {
        (100, 0) => "100 %".into(),
        (0, 0) if part > 0 => "< 0.01 %".into(),
        (units, rest) => format!("{units}.{rest:02} %"),
    }
}

/// Seconds as "4 min 12 s".
pub(super) fn duration(seconds: f64) -> String {
    if !(seconds.is_finite() && seconds >= 0.0) {
        return "unknown".into();
    }
    if seconds < 10.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// `2026-12-06T01:14:09Z` as "6 Dec 2026, 01:14 UTC"; what is not of that form stays as it is.
pub(super) fn time(text: &str) -> String {
    pretty_time(text).unwrap_or_else(|| text.to_owned())
}

fn pretty_time(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    let day: u8 = day.parse().ok()?;
    Some(format!("{day} {month} {year}, {} UTC", clock.get(..5)?))
}

/// The first and the last four digits of a hash.
pub(super) fn short(hash: &str) -> String {
    let letters: Vec<char> = hash.chars().collect();
    if letters.len() <= 12 {
        return hash.to_owned();
    }
    let (first, last) = (&letters[..4], &letters[letters.len() - 4..]);
    format!("{}·{}", first.iter().collect::<String>(), last.iter().collect::<String>())
}

/// The beginning of a run's id, which is its time: enough to tell two runs apart.
pub(super) fn short_id(id: &str) -> String {
    id.chars().take(8).collect()
}

/// Bytes as "12.4 MB".
pub(super) fn bytes(value: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if value < 1000 {
        return count(value, "byte", "bytes");
    }
    let mut scaled = value as f64 / 1000.0;
    let mut unit = 0;
    while scaled >= 1000.0 && unit + 1 < UNITS.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    format!("{scaled:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_place() {
        assert_eq!(escape("<b a='\"'>&\u{1b}\u{202e}"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;\u{fffd}\u{fffd}");
        assert_eq!(one_line("a\u{1b}[31m\nb"), "a\u{fffd}[31m\u{fffd}b");
    }

    #[test]
    fn a_share_is_never_flattered() {
        assert_eq!(percent(99_999, 100_000), "99.99 %");
        assert_eq!(percent(999_999, 1_000_000), "99.99 %");
        assert_eq!(percent(1_000_000, 1_000_000), "100 %");
        assert_eq!(percent(1, 1_000_000), "< 0.01 %");
        assert_eq!(percent(0, 0), "0 %");
        assert_eq!(percent(u64::MAX, u64::MAX), "100 %");
    }

    #[test]
    fn numbers_times_and_hashes() {
        assert_eq!(
            [number(0), number(999), number(1_000), number(12_345_678)],
            ["0", "999", "1,000", "12,345,678"]
        );
        assert_eq!(time("2026-12-06T01:14:09.123Z"), "6 Dec 2026, 01:14 UTC");
        assert_eq!(time("yesterday"), "yesterday");
        assert_eq!(
            [duration(0.25), duration(59.7), duration(252.0), duration(7_320.0)],
            ["0.2 s", "1 min 0 s", "4 min 12 s", "2 h 2 min"]
        );
        assert_eq!(duration(f64::NAN), "unknown");
        assert_eq!(short("7f3a00000000000091c4"), "7f3a·91c4");
        assert_eq!([bytes(12), bytes(12_400_000)], ["12 bytes", "12.4 MB"]);
    }
}
