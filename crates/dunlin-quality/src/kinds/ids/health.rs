//! Identifiers of health care in the United States.

use super::{Id, digits, form, luhn};
use crate::kinds::value::Value;

pub(super) static IDS: [Id; 3] = [
    Id {
        kind: "health_code",
        detail: "us_npi",
        name: "US provider number (NPI)",
        chance: 0.1,
        is: npi,
        form: form::<10>,
    },
    Id { kind: "health_code", detail: "us_dea", name: "US DEA number", chance: 0.1, is: dea, form: dea_form },
    Id {
        kind: "health_code",
        detail: "us_mbi",
        name: "US Medicare number (MBI)",
        chance: 0.01,
        is: mbi,
        form: mbi,
    },
];

/// 45 CFR 162.406: Luhn over 80840 and the ten digits, the first being 1 or 2.
fn npi(value: &Value) -> bool {
    let Some(d) = digits::<10>(value).filter(|d| matches!(d[0], 1 | 2)) else { return false };
    let mut whole = [8, 0, 8, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    whole[5..].copy_from_slice(&d);
    luhn(&whole)
}

fn dea_form(value: &Value) -> bool {
    let b = value.compact();
    b.len() == 9
        && value.chars == 9
        && b"ABCDEFGHJKLMPRSTUX".contains(&b[0])
        && (b[1].is_ascii_uppercase() || b[1] == b'9')
        && b[2..].iter().all(u8::is_ascii_digit)
}

/// First, third and fifth digit, and twice the others.
fn dea(value: &Value) -> bool {
    if !dea_form(value) {
        return false;
    }
    let d = |at: usize| u32::from(value.compact()[at + 2] - b'0');
    (d(0) + d(2) + d(4) + 2 * (d(1) + d(3) + d(5))) % 10 == d(6)
}

/// CMS: eleven signs, which of them letters fixed by place, without S L O I B Z.
fn mbi(value: &Value) -> bool {
    let b = value.compact();
    let letter = |c: u8| c.is_ascii_uppercase() && !b"SLOIBZ".contains(&c);
    b.len() == 11
        && b.iter().enumerate().all(|(at, c)| match at {
            0 => (b'1'..=b'9').contains(c),
            1 | 4 | 7 | 8 => letter(*c),
            2 | 5 => letter(*c) || c.is_ascii_digit(),
            _ => c.is_ascii_digit(),
        })
}
