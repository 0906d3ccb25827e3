//! Cards, banks and devices: identifiers of trade.

use super::{Id, digits, form, luhn, weighted};
use crate::kinds::value::Value;

pub(super) static IDS: [Id; 6] = [
    Id {
        kind: "card_number",
        detail: "card",
        name: "payment card number",
        chance: 0.1,
        is: card,
        form: card_form,
    },
    Id { kind: "iban", detail: "iban", name: "IBAN", chance: 0.01, is: iban, form: iban_form },
    Id { kind: "bic", detail: "us_aba", name: "US routing number", chance: 0.1, is: aba, form: form::<9> },
    Id { kind: "account_number", detail: "orcid", name: "ORCID", chance: 0.01, is: orcid, form: orcid },
    Id { kind: "device_id", detail: "imei", name: "IMEI", chance: 0.1, is: imei, form: imei_form },
    Id {
        kind: "device_id",
        detail: "vin",
        name: "vehicle identification number",
        chance: 0.09,
        is: vin,
        form: vin_form,
    },
];

/// Digits grouped as cards are, of a length and a beginning (IIN) that a network uses.
fn card_form(value: &Value) -> bool {
    let b = value.compact();
    if !(12..=19).contains(&b.len()) || value.digits != b.len() || value.text.contains(['/', '.']) {
        return false;
    }
    // 2024-01-15 10:30 without its colon is no card: groups of cards have three digits and more.
    if value.chars > b.len() && value.text.split([' ', '-']).any(|group| group.len() < 3) {
        return false;
    }
    let lead = |n: usize| b[..n].iter().fold(0u32, |v, d| v * 10 + u32::from(d - b'0'));
    match b.len() {
        16 => {
            matches!(lead(2), 40..=49 | 51..=55 | 60 | 62 | 64 | 65 | 56..=58 | 67..=69 | 81)
                || (2221..=2720).contains(&lead(4))
                || (3528..=3589).contains(&lead(4))
        }
        15 => matches!(lead(2), 34 | 37) || matches!(lead(4), 2131 | 1800),
        14 => matches!(lead(2), 36 | 38 | 39) || (300..=305).contains(&lead(3)),
        13 => lead(1) == 4,
        19 => matches!(lead(2), 40..=49 | 62 | 50 | 56..=58 | 67..=69),
        // Maestro.
        _ => matches!(lead(2), 50 | 56..=58 | 63 | 67..=69),
    }
}

/// ISO/IEC 7812-1: a network's beginning and Luhn.
fn card(value: &Value) -> bool {
    if !card_form(value) {
        return false;
    }
    let mut plain = [0; 19];
    let b = value.compact();
    plain.iter_mut().zip(b).for_each(|(to, from)| *to = u32::from(from - b'0'));
    luhn(&plain[..b.len()])
}

fn iban_form(value: &Value) -> bool {
    let b = value.compact();
    (15..=34).contains(&b.len())
        && b[..2].iter().all(u8::is_ascii_uppercase)
        && b[2..4].iter().all(u8::is_ascii_digit)
}

/// The country's length and form, ISO 7064 MOD 97-10.
fn iban(value: &Value) -> bool {
    if !iban_form(value) || value.text.contains(['.', '/']) {
        return false;
    }
    std::str::from_utf8(value.compact())
        .is_ok_and(|text| text.parse::<iban::Iban>().is_ok() || registered(text))
}

/// Countries of the registry whose inner form the library reads more narrowly than banks do: length and MOD 97 alone.
fn registered(text: &str) -> bool {
    const LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 \
        FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 \
        LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 \
        SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20";
    let length = LENGTHS.split_whitespace().find(|l| l[..2] == text[..2]).and_then(|l| l[2..].parse().ok());
    if length != Some(text.len()) {
        return false;
    }
    let turned = text.bytes().skip(4).chain(text.bytes().take(4));
    let rest = turned.fold(0u32, |rest, c| match c {
        b'0'..=b'9' => (rest * 10 + u32::from(c - b'0')) % 97,
        _ => (rest * 100 + u32::from(c - b'A') + 10) % 97,
    });
    rest == 1
}

/// Weights 3 7 1.
fn aba(value: &Value) -> bool {
    digits::<9>(value).is_some_and(|d| {
        weighted(&d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10) && d.iter().any(|x| *x != 0)
    })
}

/// ISO 7064 MOD 11-2, in the block that ORCID assigns from, hyphens as it writes them.
fn orcid(value: &Value) -> bool {
    let text = value.text.strip_prefix("https://orcid.org/").unwrap_or(value.text);
    if text.len() != 19 || !text.starts_with("000") {
        return false;
    }
    let b = text.as_bytes();
    let mut sum = 0;
    for (at, c) in b[..18].iter().enumerate() {
        match (at, c) {
            (4 | 9 | 14, b'-') => {}
            (4 | 9 | 14, _) => return false,
            (_, b'0'..=b'9') => sum = (sum + u32::from(c - b'0')) * 2 % 11,
            _ => return false,
        }
    }
    let check = match (12 - sum) % 11 {
        10 => b'X',
        n => b'0' + n as u8,
    };
    b[18] == check
}

/// The reporting bodies that have assigned nearly all: 01, 35, 86, 91, 99 and the older ones.
fn imei_form(value: &Value) -> bool {
    digits::<15>(value)
        .is_some_and(|d| matches!(d[0] * 10 + d[1], 1 | 35 | 44 | 45 | 49..=53 | 86 | 91 | 98 | 99))
}

fn imei(value: &Value) -> bool {
    imei_form(value) && digits::<15>(value).is_some_and(|d| luhn(&d))
}

fn vin_form(value: &Value) -> bool {
    let b = value.compact();
    b.len() == 17
        && value.chars == 17
        && value.digits >= 4
        && value.letters >= 2
        && !b.iter().any(|c| b"IOQ".contains(c))
}

/// ISO 3779 and 49 CFR 565: weighted sum modulo 11 at the ninth place. Makers for Europe do not fill it in.
fn vin(value: &Value) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    const LETTERS: [u32; 26] = [1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 0, 7, 0, 9, 2, 3, 4, 5, 6, 7, 8, 9];
    if !vin_form(value) {
        return false;
    }
    let b = value.compact();
    let worth = |c: u8| if c.is_ascii_digit() { u32::from(c - b'0') } else { LETTERS[usize::from(c - b'A')] };
    let sum: u32 = b.iter().zip(WEIGHTS).map(|(c, w)| worth(*c) * w).sum();
    b[8] == if sum % 11 == 10 { b'X' } else { b'0' + (sum % 11) as u8 }
}
