//! National identifiers of the Americas.

use super::{Id, day_month, digits, form, luhn, pair, varied, weighted};
use crate::kinds::value::Value;

pub(super) static IDS: [Id; 9] = [
    Id {
        kind: "us_ssn",
        detail: "us_ssn",
        name: "US social security number",
        chance: 0.0,
        is: ssn_written,
        form: ssn_form,
    },
    Id { kind: "tax_id", detail: "us_itin", name: "US ITIN", chance: 0.0, is: itin, form: itin },
    Id {
        kind: "national_id",
        detail: "br_cpf",
        name: "Brazilian CPF",
        chance: 0.01,
        is: cpf,
        form: form::<11>,
    },
    Id {
        kind: "tax_id",
        detail: "br_cnpj",
        name: "Brazilian CNPJ",
        chance: 0.01,
        is: cnpj,
        form: form::<14>,
    },
    Id { kind: "national_id", detail: "ca_sin", name: "Canadian SIN", chance: 0.1, is: sin, form: form::<9> },
    Id { kind: "national_id", detail: "mx_curp", name: "Mexican CURP", chance: 0.01, is: curp, form: curp },
    Id { kind: "tax_id", detail: "mx_rfc", name: "Mexican RFC", chance: 0.01, is: rfc, form: rfc },
    Id {
        kind: "tax_id",
        detail: "ar_cuit",
        name: "Argentine CUIT",
        chance: 0.02,
        is: cuit,
        form: form::<11>,
    },
    Id { kind: "national_id", detail: "cl_rut", name: "Chilean RUT", chance: 0.09, is: rut, form: rut_form },
];

/// Written 3-2-4 with hyphens or blanks.
fn ssn_form(value: &Value) -> bool {
    let b = value.text.as_bytes();
    form::<9>(value) && b.len() == 11 && b[3] == b[6] && matches!(b[3], b'-' | b' ')
}

/// Area, group and serial can have been issued (SSA: no 000, 666, 9xx; no 00; no 0000).
pub(in crate::kinds) fn ssn(value: &Value) -> bool {
    let Some(d) = digits::<9>(value) else { return false };
    let area = d[0] * 100 + pair(&d, 1);
    area != 0 && area != 666 && area < 900 && pair(&d, 3) != 0 && d[5..] != [0, 0, 0, 0]
}

fn ssn_written(value: &Value) -> bool {
    ssn_form(value) && ssn(value)
}

/// 9xx, and a group that the IRS uses.
fn itin(value: &Value) -> bool {
    let Some(d) = digits::<9>(value).filter(|d| d[0] == 9 && ssn_form(value)) else { return false };
    matches!(pair(&d, 3), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// Eleven digits, the last two by weighted sums modulo 11.
fn cpf(value: &Value) -> bool {
    let Some(d) = digits::<11>(value).filter(|d| varied(d)) else { return false };
    let check = |n: usize| {
        let sum: u32 = (0..n).map(|at| d[at] * (n as u32 + 1 - at as u32)).sum();
        (sum * 10 % 11) % 10
    };
    check(9) == d[9] && check(10) == d[10]
}

fn cnpj(value: &Value) -> bool {
    const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
    let Some(d) = digits::<14>(value).filter(|d| varied(d)) else { return false };
    let check = |n: usize| {
        let rest = weighted(&d[..n], &WEIGHTS[13 - n..]) % 11;
        if rest < 2 { 0 } else { 11 - rest }
    };
    check(12) == d[12] && check(13) == d[13]
}

/// Luhn; no number begins with 0 or 8.
fn sin(value: &Value) -> bool {
    digits::<9>(value).is_some_and(|d| !matches!(d[0], 0 | 8) && varied(&d) && luhn(&d))
}

fn upper(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_uppercase)
}

fn two(b: &[u8], at: usize) -> Option<u32> {
    let (a, c) = (b.get(at)?, b.get(at + 1)?);
    (a.is_ascii_digit() && c.is_ascii_digit()).then(|| u32::from(a - b'0') * 10 + u32::from(c - b'0'))
}

fn dated(b: &[u8], at: usize) -> bool {
    let born = two(b, at).and(two(b, at + 2)).zip(two(b, at + 4));
    born.is_some_and(|(month, day)| day_month(day, month))
}

/// Four letters, birth date, sex, state, three consonants, two signs; the last by RENAPO's sum.
fn curp(value: &Value) -> bool {
    const SIGNS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let b = value.compact();
    let form = b.len() == 18
        && upper(&b[..4])
        && dated(b, 4)
        && matches!(b[10], b'H' | b'M' | b'X')
        && upper(&b[11..16])
        && b[17].is_ascii_digit();
    // Ñ stands between N and O in RENAPO's list, so the letters behind it count one more.
    let rank = |c: u8| {
        let at = SIGNS.iter().position(|s| *s == c).unwrap_or_default() as u32;
        if c > b'N' { at + 1 } else { at }
    };
    form && {
        let sum: u32 = b[..17].iter().enumerate().map(|(at, c)| rank(*c) * (18 - at as u32)).sum();
        (10 - sum % 10) % 10 == u32::from(b[17] - b'0')
    }
}

/// Three or four letters, a date, three signs.
fn rfc(value: &Value) -> bool {
    let b = value.compact();
    let letters = match b.len() {
        12 => 3,
        13 => 4,
        _ => return false,
    };
    upper(&b[..letters]) && dated(b, letters)
}

fn cuit(value: &Value) -> bool {
    let Some(d) = digits::<11>(value) else { return false };
    let rest = weighted(&d[..10], &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    matches!(pair(&d, 0), 20 | 23 | 24 | 27 | 30 | 33 | 34) && d[10] == (11 - rest) % 11
}

fn rut_form(value: &Value) -> bool {
    let b = value.compact();
    let sign = value.text.len().checked_sub(2).and_then(|at| value.text.as_bytes().get(at));
    matches!(b.len(), 8 | 9) && sign == Some(&b'-') && b[..b.len() - 1].iter().all(u8::is_ascii_digit)
}

/// Weights 2 to 7 from the right, modulo 11, K for ten.
fn rut(value: &Value) -> bool {
    if !rut_form(value) {
        return false;
    }
    let b = value.compact();
    let (body, check) = b.split_at(b.len() - 1);
    let sum: u32 =
        body.iter().rev().zip([2, 3, 4, 5, 6, 7].iter().cycle()).map(|(c, w)| u32::from(c - b'0') * w).sum();
    let wanted = match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        n => b'0' + n as u8,
    };
    check[0] == wanted
}
