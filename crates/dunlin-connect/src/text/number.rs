//! Numbers as text: integers, decimals at a scale, decimals of any size, floats. Written by hand because a CSV file
//! has millions of them.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::push_ascii;
use crate::Reason;

/// The most digits before the point, as PostgreSQL's `numeric` has it.
const MAX_WHOLE: usize = 131_072;
/// The most digits behind the point.
const MAX_FRACTION: usize = 16_383;

/// An integer of 64 bits: digits after at most one sign.
pub(crate) fn parse_int(text: &[u8]) -> Result<i64, Reason> {
    let (negative, digits) = sign(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Reason::WrongType);
    }
    if digits.len() <= 18 {
        let value = digits.iter().fold(0i64, |v, d| v * 10 + i64::from(d - b'0'));
        return Ok(if negative { -value } else { value });
    }
    let mut value = 0i64;
    for digit in digits {
        let digit = i64::from(digit - b'0');
        let next = value.checked_mul(10).and_then(|v| v.checked_sub(digit));
        value = next.ok_or(Reason::OutOfRange)?;
    }
    // Counted downwards because the lowest integer has no positive twin.
    if negative { Ok(value) } else { value.checked_neg().ok_or(Reason::OutOfRange) }
}

/// A decimal as its unscaled integer at `scale`.
pub(crate) fn parse_decimal(text: &[u8], precision: u8, scale: i8) -> Result<i128, Reason> {
    let parts = match parts(text) {
        Ok(parts) => parts,
        Err(reason) => return Err(if special(text).is_some() { Reason::OutOfRange } else { reason }),
    };
    if parts.exponent == 0 {
        return unscaled(&parts, precision, scale);
    }
    let (whole, fraction) = shifted(&parts)?;
    unscaled(
        &Parts { negative: parts.negative, whole: &whole, fraction: &fraction, exponent: 0 },
        precision,
        scale,
    )
}

/// A decimal of any size in its canonical form.
pub(crate) fn parse_numeric(text: &[u8]) -> Result<Cow<'_, str>, Reason> {
    let parts = match parts(text) {
        Ok(parts) => parts,
        Err(reason) => return special(text).map(Cow::Borrowed).ok_or(reason),
    };
    let (shifted_whole, shifted_fraction);
    let (whole, fraction) = if parts.exponent == 0 {
        (parts.whole, parts.fraction)
    } else {
        (shifted_whole, shifted_fraction) = shifted(&parts)?;
        (&shifted_whole[..], &shifted_fraction[..])
    };
    let whole = trim_zeros(whole);
    if whole.len() > MAX_WHOLE || fraction.len() > MAX_FRACTION {
        return Err(Reason::OutOfRange);
    }
    let mut out = String::with_capacity(whole.len() + fraction.len() + 3);
    if parts.negative && (!whole.is_empty() || fraction.iter().any(|d| *d != b'0')) {
        out.push('-');
    }
    push_ascii(if whole.is_empty() { b"0" } else { whole }, &mut out);
    if !fraction.is_empty() {
        out.push('.');
        push_ascii(fraction, &mut out);
    }
    Ok(Cow::Owned(out))
}

/// A double; a text too large, or not zero and too small for one, is out of range.
pub(crate) fn parse_f64(text: &[u8]) -> Result<f64, Reason> {
    float(text)
}

/// A single; as [`parse_f64`].
pub(crate) fn parse_f32(text: &[u8]) -> Result<f32, Reason> {
    float(text)
}

fn float<F: std::str::FromStr + Copy + Into<f64>>(text: &[u8]) -> Result<F, Reason> {
    let value: F = std::str::from_utf8(text).ok().and_then(|t| t.parse().ok()).ok_or(Reason::WrongType)?;
    // Widening a single keeps zero zero and infinity infinite.
    let wide: f64 = value.into();
    if (wide.is_infinite() || wide == 0.0) && rounded_away(text, wide.is_infinite()) {
        return Err(Reason::OutOfRange);
    }
    Ok(value)
}

/// Whether a text of digits became infinite, or one with a digit that is not zero became zero.
fn rounded_away(text: &[u8], infinite: bool) -> bool {
    let mantissa = text.split(|b| matches!(b, b'e' | b'E')).next().unwrap_or_default();
    if infinite {
        mantissa.iter().any(u8::is_ascii_digit)
    } else {
        mantissa.iter().any(|b| matches!(b, b'1'..=b'9'))
    }
}

/// Appends an integer.
pub(super) fn write_int(value: i64, out: &mut String) {
    if value < 0 {
        out.push('-');
    }
    write_digits(value.unsigned_abs(), 1, out);
}

/// Appends digits, with zeros before them up to `width`.
pub(super) fn write_digits(mut value: u64, width: usize, out: &mut String) {
    let mut buffer = [b'0'; 20];
    let mut at = buffer.len();
    while value > 0 {
        at -= 1;
        buffer[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    push_ascii(&buffer[at.min(buffer.len() - width)..], out);
}

/// Appends an unscaled integer with exactly `scale` digits behind the point.
pub(super) fn write_decimal(value: i128, scale: i8, out: &mut String) {
    if value < 0 {
        out.push('-');
    }
    let scale = usize::from(scale.max(0).unsigned_abs());
    let mut buffer = [b'0'; 40];
    let mut at = buffer.len();
    let mut rest = value.unsigned_abs();
    while rest > u128::from(u64::MAX) {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    // Most decimals fit in 64 bits, where division is quick.
    let mut rest = rest as u64;
    while rest > 0 {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let point = buffer.len() - scale;
    push_ascii(&buffer[at.min(point - 1)..point], out);
    if scale > 0 {
        out.push('.');
        push_ascii(&buffer[point..], out);
    }
}

/// Appends the shortest text that reads back to the same double.
pub(crate) fn write_f64(value: f64, out: &mut String) {
    let size = value.abs();
    // Writing to a `String` cannot fail.
    let _ = if value.is_nan() {
        out.write_str("NaN")
    } else if value.is_infinite() {
        out.write_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else if size == 0.0 || (1e-5..1e16).contains(&size) {
        write!(out, "{value}")
    } else {
        write!(out, "{value:e}")
    };
}

/// Appends the shortest text that reads back to the same single.
pub(super) fn write_f32(value: f32, out: &mut String) {
    let size = value.abs();
    let _ = if value.is_nan() {
        out.write_str("NaN")
    } else if value.is_infinite() {
        out.write_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else if size == 0.0 || (1e-5..1e16).contains(&size) {
        write!(out, "{value}")
    } else {
        write!(out, "{value:e}")
    };
}

/// A decimal taken apart.
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

fn parts(text: &[u8]) -> Result<Parts<'_>, Reason> {
    let (negative, rest) = sign(text);
    let (whole, rest) = digits(rest);
    let (fraction, rest) = match rest.split_first() {
        Some((b'.', rest)) => digits(rest),
        _ => (&[][..], rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(Reason::WrongType);
    }
    let exponent = match rest.split_first() {
        None => 0,
        Some((b'e' | b'E', exponent)) => parse_int(exponent)?,
        Some(_) => return Err(Reason::WrongType),
    };
    Ok(Parts { negative, whole, fraction, exponent })
}

/// The digits before and behind the point once the exponent is applied.
fn shifted(parts: &Parts<'_>) -> Result<(Vec<u8>, Vec<u8>), Reason> {
    let all: Vec<u8> = parts.whole.iter().chain(parts.fraction).copied().collect();
    if all.iter().all(|d| *d == b'0') {
        return Ok((vec![b'0'], Vec::new()));
    }
    let point = parts.whole.len() as i64;
    let point = point.checked_add(parts.exponent).ok_or(Reason::OutOfRange)?;
    if point > MAX_WHOLE as i64 || point < -(MAX_FRACTION as i64) {
        return Err(Reason::OutOfRange);
    }
    if point <= 0 {
        let mut fraction = vec![b'0'; point.unsigned_abs() as usize];
        fraction.extend(all);
        return Ok((Vec::new(), fraction));
    }
    let point = point as usize;
    let mut whole = all;
    if point >= whole.len() {
        whole.resize(point, b'0');
        return Ok((whole, Vec::new()));
    }
    let fraction = whole.split_off(point);
    Ok((whole, fraction))
}

fn unscaled(parts: &Parts<'_>, precision: u8, scale: i8) -> Result<i128, Reason> {
    let scale = usize::from(scale.max(0).unsigned_abs());
    let whole = trim_zeros(parts.whole);
    if whole.len() + scale > usize::from(precision.min(38)) {
        // A whole part of nothing but zeros always fits, also where every digit stands behind the point.
        if !whole.is_empty() {
            return Err(Reason::OutOfRange);
        }
    }
    let (kept, cut) = parts.fraction.split_at(parts.fraction.len().min(scale));
    if cut.iter().any(|d| *d != b'0') {
        return Err(Reason::WouldChange);
    }
    let digit = |v: i128, d: &u8| v * 10 + i128::from(d - b'0');
    let value = if whole.len() + scale <= 18 {
        let short = whole.iter().chain(kept).fold(0i64, |v, d| v * 10 + i64::from(d - b'0'));
        i128::from(short)
    } else {
        whole.iter().chain(kept).fold(0i128, digit)
    };
    let value = value * 10i128.pow((scale - kept.len()) as u32);
    Ok(if parts.negative { -value } else { value })
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

fn trim_zeros(digits: &[u8]) -> &[u8] {
    let start = digits.iter().position(|d| *d != b'0').unwrap_or(digits.len());
    &digits[start..]
}

/// The values of a numeric that are no number.
fn special(text: &[u8]) -> Option<&'static str> {
    let (negative, word) = sign(text);
    if text.eq_ignore_ascii_case(b"nan") {
        return Some("NaN");
    }
    if !word.eq_ignore_ascii_case(b"infinity") && !word.eq_ignore_ascii_case(b"inf") {
        return None;
    }
    Some(if negative { "-Infinity" } else { "Infinity" })
}
