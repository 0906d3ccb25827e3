//! National identifiers of Asia, Africa and Oceania.

use super::{Id, day_month, digits, form, luhn, pair, varied, weighted};
use crate::kinds::value::Value;

pub(super) static IDS: [Id; 7] = [
    Id {
        kind: "national_id",
        detail: "in_aadhaar",
        name: "Indian Aadhaar",
        chance: 0.1,
        is: aadhaar,
        form: form::<12>,
    },
    Id { kind: "tax_id", detail: "in_pan", name: "Indian PAN", chance: 0.01, is: pan, form: pan },
    Id { kind: "tax_id", detail: "au_tfn", name: "Australian TFN", chance: 0.09, is: tfn, form: form::<9> },
    Id {
        kind: "national_id",
        detail: "cn_ric",
        name: "Chinese resident identity number",
        chance: 0.01,
        is: ric,
        form: ric,
    },
    Id { kind: "national_id", detail: "kr_rrn", name: "Korean RRN", chance: 0.05, is: rrn, form: rrn },
    Id {
        kind: "national_id",
        detail: "za_id",
        name: "South African ID",
        chance: 0.02,
        is: za_id,
        form: form::<13>,
    },
    Id {
        kind: "national_id",
        detail: "tr_tckn",
        name: "Turkish TCKN",
        chance: 0.01,
        is: tckn,
        form: form::<11>,
    },
];

/// The Verhoeff sum (dihedral group of order ten), as UIDAI publishes it; the first digit is 2 to 9.
fn aadhaar(value: &Value) -> bool {
    const STEP: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let Some(d) = digits::<12>(value).filter(|d| d[0] >= 2 && varied(d)) else { return false };
    let times = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b) % 5,
        (false, true) => 5 + (5 + a - b) % 5,
        (false, false) => (5 + a - b) % 5,
    };
    let step = |digit: u32, times: usize| (0..times).fold(digit, |d, _| u32::from(STEP[d as usize]));
    d.iter().rev().enumerate().fold(0, |sum, (at, digit)| times(sum, step(*digit, at % 8))) == 0
}

/// Five letters, the fourth says what holds it, four digits, a letter.
fn pan(value: &Value) -> bool {
    let b = value.compact();
    b.len() == 10
        && value.chars == 10
        && b[..5].iter().all(u8::is_ascii_uppercase)
        && b"ABCFGHJLPT".contains(&b[3])
        && b[5..9].iter().all(u8::is_ascii_digit)
        && b[9].is_ascii_uppercase()
}

fn tfn(value: &Value) -> bool {
    digits::<9>(value)
        .is_some_and(|d| varied(&d) && weighted(&d, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11))
}

/// GB 11643: region, birth date, ISO 7064 MOD 11-2.
fn ric(value: &Value) -> bool {
    let b = value.compact();
    if b.len() != 18 || !b[..17].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let digit = |at: usize| u32::from(b[at] - b'0');
    let sum = (0..17).fold(0, |sum, at| (sum + digit(at)) * 2 % 11);
    let check = match (12 - sum) % 11 {
        10 => b'X',
        n => b'0' + n as u8,
    };
    let two = |at: usize| digit(at) * 10 + digit(at + 1);
    matches!(two(6), 18..=20) && day_month(two(12), two(10)) && b[17] == check
}

/// Birth date, a hyphen, seven digits; since 2020 without a check digit.
fn rrn(value: &Value) -> bool {
    let hyphen = value.text.len() == 14 && value.text.as_bytes()[6] == b'-';
    digits::<13>(value)
        .is_some_and(|d| hyphen && day_month(pair(&d, 4), pair(&d, 2)) && (1..=8).contains(&d[6]))
}

fn za_id(value: &Value) -> bool {
    digits::<13>(value).is_some_and(|d| day_month(pair(&d, 4), pair(&d, 2)) && d[10] < 3 && luhn(&d))
}

fn tckn(value: &Value) -> bool {
    let Some(d) = digits::<11>(value).filter(|d| d[0] != 0) else { return false };
    let odd: u32 = (0..9).step_by(2).map(|at| d[at]).sum();
    let even: u32 = (1..8).step_by(2).map(|at| d[at]).sum();
    (odd * 7 + 90 - even) % 10 == d[9] && d[..10].iter().sum::<u32>() % 10 == d[10]
}
