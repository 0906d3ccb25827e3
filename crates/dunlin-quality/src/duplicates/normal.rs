//! One form for values that people write in many: case, marks, punctuation, the parts of a date, the digits of a
//! telephone number. The form is bytes: ASCII as it is, each other letter as one byte above 127 (so that one letter is
//! one edit). Two letters may share such a byte; that can only make two values look nearer than they are, never equal
//! ones differ.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::FieldKind;
use super::intern::mix;

/// Writes the normal form of a value into `out`, which is cleared first; empty where nothing is left to compare.
pub(super) fn normal(kind: FieldKind, value: &str, out: &mut Vec<u8>) {
    out.clear();
    match kind {
        FieldKind::Email => email(value, out),
        FieldKind::Phone => phone(value, out),
        FieldKind::Date { day_first } => date(value, day_first, out),
        FieldKind::Postcode | FieldKind::Code => {
            words(value, out);
            out.retain(|c| *c != b' ');
        }
        FieldKind::GivenName
        | FieldKind::FamilyName
        | FieldKind::PersonName
        | FieldKind::Words
        | FieldKind::Word => words(value, out),
    }
}

/// Words in lower case without marks, parted by single blanks. An apostrophe joins (`O'Brien`), all else parts.
fn words(value: &str, out: &mut Vec<u8>) {
    let mut gap = false;
    let mut put = |c: char, out: &mut Vec<u8>| {
        if matches!(c, '\'' | '’' | '`' | '´') {
            return;
        }
        if !c.is_alphanumeric() {
            gap = !out.is_empty();
            return;
        }
        if std::mem::take(&mut gap) {
            out.push(b' ');
        }
        letter(c, out);
    };
    if value.is_ascii() {
        value.bytes().for_each(|c| put(char::from(c.to_ascii_lowercase()), out));
    } else {
        let plain = value.nfkd().filter(|c| !is_combining_mark(*c));
        plain.flat_map(char::to_lowercase).for_each(|c| put(c, out));
    }
}

fn letter(c: char, out: &mut Vec<u8>) {
    match c {
        c if c.is_ascii() => out.push(c as u8),
        'ß' => out.extend_from_slice(b"ss"),
        'æ' => out.extend_from_slice(b"ae"),
        'œ' => out.extend_from_slice(b"oe"),
        'ø' => out.push(b'o'),
        'ł' => out.push(b'l'),
        'đ' | 'ð' => out.push(b'd'),
        'þ' => out.extend_from_slice(b"th"),
        'ı' => out.push(b'i'),
        c => out.push(0x80 | (mix(u64::from(u32::from(c))) & 0x7f) as u8),
    }
}

fn email(value: &str, out: &mut Vec<u8>) {
    let lower = value.trim().to_lowercase();
    lower.chars().filter(|c| !c.is_whitespace()).for_each(|c| letter(c, out));
}

/// The digits, without a leading 00 or 0 of the trunk: what is left compares with and without a country's code.
fn phone(value: &str, out: &mut Vec<u8>) {
    out.extend(value.bytes().filter(u8::is_ascii_digit));
    let zeros = out.iter().take_while(|c| **c == b'0').count();
    out.drain(..zeros);
}

/// `YYYYMMDD` where year, month and day can be told apart, else the digits as they come. A date that no calendar has
/// (month 22) keeps its digits, for those are what a slip of the finger leaves.
fn date(value: &str, day_first: bool, out: &mut Vec<u8>) {
    // A time of the day is left out.
    let value = value.trim();
    let value = value.split(['T', ' ']).next().filter(|v| v.len() >= 8).unwrap_or(value);
    let mut parts = [(0_u32, 0_usize); 3];
    let (mut count, mut open) = (0, false);
    for c in value.bytes() {
        if !c.is_ascii_digit() {
            open = false;
            continue;
        }
        if !open {
            count += 1;
            open = true;
        }
        if let Some((number, digits)) = parts.get_mut(count - 1) {
            *number = number.saturating_mul(10).saturating_add(u32::from(c - b'0'));
            *digits += 1;
        }
    }
    let [first, second, third] = parts;
    let parts = match (count, first.1, third.1) {
        (3, 3.., _) => Some((first.0, second.0, third.0)),
        (3, _, 3..) if day_first => Some((third.0, second.0, first.0)),
        (3, _, 3..) => Some((third.0, first.0, second.0)),
        _ => None,
    };
    match parts {
        Some((y, m, d)) if y <= 9_999 && m <= 99 && d <= 99 => {
            let number = y * 10_000 + m * 100 + d;
            let from = out.len();
            out.extend_from_slice(b"00000000");
            let mut rest = number;
            for place in (from..from + 8).rev() {
                out[place] = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        _ => out.extend(value.bytes().filter(u8::is_ascii_digit)),
    }
}
