//! PostgreSQL's binary `numeric`: groups of four decimal digits, to and from a scaled integer or exact text.

use bytes::BufMut;

use crate::Reason;

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const MINUS_INFINITY: u16 = 0xF000;
/// The most digits behind the point the server takes.
const SCALE_MAX: usize = 16_383;
/// The most digits before the point the server takes.
const DIGITS_MAX: usize = 131_072;

/// 10 to the power of `n`, for `n` up to 38.
pub(super) const fn power(n: u32) -> i128 {
    10i128.pow(n)
}

struct Wire<'a> {
    weight: i32,
    sign: u16,
    scale: usize,
    digits: &'a [u8],
}

impl<'a> Wire<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, Reason> {
        let word = |i: usize| {
            bytes.get(i * 2..i * 2 + 2).map(|b| u16::from_be_bytes([b[0], b[1]])).ok_or(Reason::Malformed)
        };
        let (count, weight, sign, scale) = (word(0)?, word(1)?, word(2)?, word(3)?);
        let digits = &bytes[8..];
        if digits.len() != usize::from(count) * 2 || usize::from(scale) > SCALE_MAX {
            return Err(Reason::Malformed);
        }
        Ok(Self { weight: i32::from(weight as i16), sign, scale: scale.into(), digits })
    }

    fn groups(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.digits.chunks_exact(2).map(|d| u16::from_be_bytes([d[0], d[1]]))
    }
}

/// The value times ten to the power of `scale`, if it is below `limit` in size and has no more digits than that.
pub(super) fn to_i128(bytes: &[u8], scale: u8, limit: i128) -> Result<i128, Reason> {
    let wire = Wire::parse(bytes)?;
    if wire.sign != POSITIVE && wire.sign != NEGATIVE {
        // NaN and the infinities have no place in a decimal.
        return Err(if wire.sign >= NAN { Reason::OutOfRange } else { Reason::Malformed });
    }
    // Nine groups of four digits cannot overflow, and checking costs more than the arithmetic.
    let few = wire.digits.len() <= 18;
    let mut value: i128 = 0;
    // The power of ten of the group at hand, counted in units of the wanted scale.
    let mut exponent = wire.weight * 4 + i32::from(scale);
    for group in wire.groups() {
        if group > 9_999 {
            return Err(Reason::Malformed);
        }
        let group = i128::from(group);
        let (factor, add) = match exponent {
            0.. => (10_000, group),
            // The last group may reach behind the scale, but only with zeros.
            -3..=-1 => {
                let cut = power(exponent.unsigned_abs());
                if group % cut != 0 {
                    return Err(Reason::WouldChange);
                }
                (10_000 / cut, group / cut)
            }
            _ if group == 0 => (1, 0),
            _ => return Err(Reason::WouldChange),
        };
        value = if few {
            value.wrapping_mul(factor).wrapping_add(add)
        } else {
            value.checked_mul(factor).and_then(|v| v.checked_add(add)).ok_or(Reason::OutOfRange)?
        };
        exponent -= 4;
    }
    // What the groups left out at the end are zeros.
    let missing = exponent + 4;
    if value != 0 && missing > 0 {
        let factor = if missing <= 38 { power(missing as u32) } else { return Err(Reason::OutOfRange) };
        value = value.checked_mul(factor).ok_or(Reason::OutOfRange)?;
    }
    if value >= limit {
        return Err(Reason::OutOfRange);
    }
    Ok(if wire.sign == NEGATIVE { -value } else { value })
}

/// Appends the exact text, with as many digits behind the point as are stored.
pub(super) fn to_text(bytes: &[u8], out: &mut String) -> Result<(), Reason> {
    let wire = Wire::parse(bytes)?;
    match wire.sign {
        POSITIVE => {}
        NEGATIVE => out.push('-'),
        NAN => {
            return {
                out.push_str("NaN");
                Ok(())
            };
        }
        INFINITY => {
            return {
                out.push_str("Infinity");
                Ok(())
            };
        }
        MINUS_INFINITY => {
            return {
                out.push_str("-Infinity");
                Ok(())
            };
        }
        _ => return Err(Reason::Malformed),
    }
    let groups: Vec<u16> = wire.groups().collect();
    if groups.iter().any(|g| *g > 9_999) {
        return Err(Reason::Malformed);
    }
    let group = |i: i32| usize::try_from(i).ok().and_then(|i| groups.get(i)).copied().unwrap_or(0);
    let start = out.len();
    for i in 0..=wire.weight {
        put_group(out, group(i));
    }
    trim_zeros(out, start);
    if wire.scale > 0 {
        out.push('.');
        let point = out.len();
        let mut i = wire.weight + 1;
        // Groups before the first stored one are zeros too.
        let mut lead = -(wire.weight + 1);
        while out.len() - point < wire.scale {
            if lead > 0 {
                put_group(out, 0);
                lead -= 1;
                continue;
            }
            put_group(out, group(i.max(0)));
            i = i.max(0) + 1;
        }
        out.truncate(point + wire.scale);
    }
    Ok(())
}

fn put_group(out: &mut String, group: u16) {
    for place in [1_000, 100, 10, 1] {
        out.push(char::from(b'0' + (group / place % 10) as u8));
    }
}

/// Drops leading zeros of what was appended, but leaves one digit.
fn trim_zeros(out: &mut String, start: usize) {
    let zeros = out[start..].bytes().take_while(|b| *b == b'0').count();
    let digits = out.len() - start;
    if digits == 0 {
        out.push('0');
    } else {
        out.replace_range(start..start + zeros.min(digits - 1), "");
    }
}

/// Appends a scaled integer as binary `numeric`, length first.
pub(super) fn put_i128(value: i128, scale: u8, out: &mut impl BufMut) {
    let mut rest = value.unsigned_abs();
    // At most 39 digits, cut at the point: eleven groups at the most.
    let mut groups = [0u16; 12];
    let mut count = 0;
    let odd = u32::from(scale % 4);
    if odd != 0 {
        let unit = 10u128.pow(odd);
        groups[0] = (rest % unit) as u16 * 10u16.pow(4 - odd);
        rest /= unit;
        count = 1;
    }
    // 64-bit division is several times cheaper, and nearly every value fits.
    while rest > u128::from(u64::MAX) {
        groups[count] = (rest % 10_000) as u16;
        rest /= 10_000;
        count += 1;
    }
    let mut small = rest as u64;
    while small > 0 {
        groups[count] = (small % 10_000) as u16;
        small /= 10_000;
        count += 1;
    }
    let behind = i32::from(scale).div_euclid(4) + i32::from(odd != 0);
    let weight = count as i32 - behind - 1;
    let low = groups[..count].iter().take_while(|g| **g == 0).count();
    let sign = if value < 0 { NEGATIVE } else { POSITIVE };
    // The highest group may be zero when only the part behind the point is left.
    let high = groups[low..count].iter().rev().take_while(|g| **g == 0).count();
    let used = &groups[low..count - high];
    put_wire(used.iter().rev().copied(), weight - high as i32, sign, scale.into(), out);
}

fn put_wire(
    groups: impl ExactSizeIterator<Item = u16>,
    weight: i32,
    sign: u16,
    scale: u16,
    out: &mut impl BufMut,
) {
    let count = groups.len();
    out.put_i32(8 + 2 * count as i32);
    out.put_u16(count as u16);
    out.put_i16(if count == 0 { 0 } else { weight as i16 });
    out.put_u16(if count == 0 && sign == NEGATIVE { POSITIVE } else { sign });
    out.put_u16(scale);
    for group in groups {
        out.put_u16(group);
    }
}

/// Appends a decimal text as binary `numeric`, length first. Nothing is appended on error.
pub(super) fn put_text(text: &str, out: &mut impl BufMut) -> Result<(), Reason> {
    let none = std::iter::empty::<u16>;
    let special = match text {
        "NaN" => Some(NAN),
        "Infinity" => Some(INFINITY),
        "-Infinity" => Some(MINUS_INFINITY),
        _ => None,
    };
    if let Some(sign) = special {
        put_wire(none(), 0, sign, 0, out);
        return Ok(());
    }
    let (sign, body) = match text.as_bytes() {
        [b'-', ..] => (NEGATIVE, &text[1..]),
        [b'+', ..] => (POSITIVE, &text[1..]),
        _ => (POSITIVE, text),
    };
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().map_err(|_| Reason::WrongType)?),
        None => (body, 0),
    };
    if exponent.unsigned_abs() > DIGITS_MAX as u32 {
        return Err(Reason::OutOfRange);
    }
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if (whole.is_empty() && part.is_empty()) || !whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit())
    {
        return Err(Reason::WrongType);
    }
    let mut digits: Vec<u8> = whole.bytes().chain(part.bytes()).map(|b| b - b'0').collect();
    let mut point = whole.len() as i64 + i64::from(exponent);
    if point < 0 {
        digits.splice(0..0, std::iter::repeat_n(0, point.unsigned_abs() as usize));
        point = 0;
    }
    let point = point as usize;
    digits.resize(digits.len().max(point), 0);
    let scale = digits.len() - point;
    let lead = digits.iter().take_while(|d| **d == 0).count().min(point);
    if scale > SCALE_MAX || point - lead > DIGITS_MAX {
        return Err(Reason::OutOfRange);
    }
    put_digits(&digits[lead..], point - lead, sign, scale as u16, out);
    Ok(())
}

/// Groups digits around the point, which stands before `digits[point]`.
fn put_digits(digits: &[u8], point: usize, sign: u16, scale: u16, out: &mut impl BufMut) {
    let pad = (4 - point % 4) % 4;
    let digit = |i: usize| i.checked_sub(pad).and_then(|i| digits.get(i)).map_or(0, |d| u16::from(*d));
    let count = (pad + digits.len()).div_ceil(4);
    let groups: Vec<u16> =
        (0..count).map(|g| (0..4).fold(0, |value, i| value * 10 + digit(g * 4 + i))).collect();
    let high = groups.iter().take_while(|g| **g == 0).count();
    let low = groups[high..].iter().rev().take_while(|g| **g == 0).count();
    let weight = ((point + pad) / 4) as i32 - 1 - high as i32;
    put_wire(groups[high..count - low].iter().copied(), weight, sign, scale, out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wire(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        put_text(text, &mut out).unwrap();
        out.split_off(4)
    }

    fn text(bytes: &[u8]) -> String {
        let mut out = String::new();
        to_text(bytes, &mut out).unwrap();
        out
    }

    #[test]
    fn texts_keep_their_zeros() {
        for t in [
            "0",
            "0.00",
            "1",
            "10000",
            "-1.10",
            "0.00010000",
            "123456789012345678901234567890.5",
            "NaN",
            "-Infinity",
            "0.0000000001",
        ] {
            assert_eq!(text(&wire(t)), t);
        }
        assert_eq!(text(&wire("1.5e3")), "1500");
        assert_eq!(text(&wire("15e-5")), "0.00015");
        assert_eq!(text(&wire("-0")), "0");
        assert_eq!(text(&wire("007")), "7");
        for bad in ["", ".", "-", "1.2.3", "1e", "x", "1_0", "١"] {
            assert!(put_text(bad, &mut Vec::new()).is_err(), "{bad}");
        }
    }

    #[test]
    fn decimals_say_what_they_cannot_hold() {
        assert_eq!(to_i128(&wire("12.340"), 2, power(4)), Ok(1234));
        assert_eq!(to_i128(&wire("12.345"), 2, power(4)), Err(Reason::WouldChange));
        assert_eq!(to_i128(&wire("0.00001"), 0, power(4)), Err(Reason::WouldChange));
        assert_eq!(to_i128(&wire("100"), 2, power(4)), Err(Reason::OutOfRange));
        assert_eq!(to_i128(&wire("NaN"), 2, power(4)), Err(Reason::OutOfRange));
        assert_eq!(to_i128(&wire(&"9".repeat(38)), 0, power(38)), Ok(power(38) - 1));
    }

    proptest! {
        #[test]
        fn integers_survive(value in -(power(38) - 1)..power(38), scale in 0u8..=38) {
            let mut out = Vec::new();
            put_i128(value, scale, &mut out);
            prop_assert_eq!(to_i128(&out[4..], scale, power(38)), Ok(value));
            // The two encoders agree on every byte.
            prop_assert_eq!(&wire(&text(&out[4..])), &out[4..]);
        }

        #[test]
        fn texts_survive(t in "-?[1-9][0-9]{0,50}(\\.[0-9]{1,50})?") {
            prop_assert_eq!(text(&wire(&t)), t);
        }

        #[test]
        fn noise_never_panics(bytes: Vec<u8>, scale in 0u8..=38) {
            let _ = to_i128(&bytes, scale, power(38));
            let _ = to_text(&bytes, &mut String::new());
        }

        #[test]
        fn noise_is_no_number(t in "\\PC{0,12}") {
            let _ = put_text(&t, &mut Vec::new());
        }
    }
}
