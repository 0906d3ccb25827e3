//! National identifiers of Europe, each by the rule its issuer publishes.

use super::{Id, day_month, digits, form, luhn, number, pair, varied, weighted};
use crate::kinds::value::Value;

pub(super) static IDS: [Id; 19] = [
    Id {
        kind: "national_id",
        detail: "es_nif",
        name: "Spanish DNI or NIE",
        chance: 0.05,
        is: |v| dni(v) || nie(v),
        form: |v| dni_form(v) || nie_form(v),
    },
    Id { kind: "tax_id", detail: "es_cif", name: "Spanish CIF", chance: 0.1, is: cif, form: cif_form },
    Id { kind: "national_id", detail: "fr_nir", name: "French NIR", chance: 0.01, is: nir, form: nir_form },
    Id {
        kind: "tax_id",
        detail: "de_steuer_id",
        name: "German Steuer-ID",
        chance: 0.03,
        is: steuer_id,
        form: form::<11>,
    },
    Id {
        kind: "national_id",
        detail: "it_cf",
        name: "Italian codice fiscale",
        chance: 0.01,
        is: codice_fiscale,
        form: cf_form,
    },
    Id { kind: "national_id", detail: "nl_bsn", name: "Dutch BSN", chance: 0.09, is: bsn, form: form::<9> },
    Id {
        kind: "national_id",
        detail: "uk_nino",
        name: "UK national insurance number",
        chance: 0.01,
        is: nino,
        form: nino,
    },
    Id { kind: "national_id", detail: "uk_nhs", name: "NHS number", chance: 0.09, is: nhs, form: form::<10> },
    Id {
        kind: "tax_id",
        detail: "pt_nif",
        name: "Portuguese NIF",
        chance: 0.09,
        is: nif_pt,
        form: form::<9>,
    },
    Id {
        kind: "national_id",
        detail: "be_nn",
        name: "Belgian national number",
        chance: 0.01,
        is: be_nn,
        form: form::<11>,
    },
    Id {
        kind: "national_id",
        detail: "pl_pesel",
        name: "Polish PESEL",
        chance: 0.02,
        is: pesel,
        form: form::<11>,
    },
    Id {
        kind: "national_id",
        detail: "se_personnummer",
        name: "Swedish personnummer",
        chance: 0.01,
        is: personnummer,
        form: form::<10>,
    },
    Id {
        kind: "national_id",
        detail: "fi_hetu",
        name: "Finnish HETU",
        chance: 0.01,
        is: hetu,
        form: hetu_form,
    },
    Id { kind: "national_id", detail: "dk_cpr", name: "Danish CPR number", chance: 0.05, is: cpr, form: cpr },
    Id {
        kind: "national_id",
        detail: "no_fnr",
        name: "Norwegian fødselsnummer",
        chance: 0.01,
        is: fodselsnummer,
        form: form::<11>,
    },
    Id {
        kind: "national_id",
        detail: "ch_ahv",
        name: "Swiss AHV number",
        chance: 0.01,
        is: ahv,
        form: form::<13>,
    },
    Id {
        kind: "national_id",
        detail: "ie_pps",
        name: "Irish PPS number",
        chance: 0.05,
        is: pps,
        form: pps_form,
    },
    Id {
        kind: "national_id",
        detail: "cz_rc",
        name: "Czech rodné číslo",
        chance: 0.01,
        is: rodne_cislo,
        form: form::<10>,
    },
    Id {
        kind: "national_id",
        detail: "ro_cnp",
        name: "Romanian CNP",
        chance: 0.01,
        is: cnp,
        form: form::<13>,
    },
];

const DNI_LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

fn spelled(bytes: &[u8]) -> Option<u64> {
    bytes.iter().try_fold(0u64, |n, b| b.is_ascii_digit().then(|| n * 10 + u64::from(b - b'0')))
}

fn dni_form(value: &Value) -> bool {
    let b = value.compact();
    b.len() == 9 && value.digits == 8 && b[8].is_ascii_uppercase()
}

/// Number modulo 23 gives the letter.
fn dni(value: &Value) -> bool {
    let b = value.compact();
    dni_form(value) && spelled(&b[..8]).is_some_and(|n| DNI_LETTERS[(n % 23) as usize] == b[8])
}

fn nie_form(value: &Value) -> bool {
    let b = value.compact();
    b.len() == 9 && value.digits == 7 && matches!(b[0], b'X' | b'Y' | b'Z') && b[8].is_ascii_uppercase()
}

fn nie(value: &Value) -> bool {
    let b = value.compact();
    nie_form(value)
        && spelled(&b[1..8])
            .is_some_and(|n| DNI_LETTERS[((u64::from(b[0] - b'X') * 10_000_000 + n) % 23) as usize] == b[8])
}

fn cif_form(value: &Value) -> bool {
    let b = value.compact();
    b.len() == 9 && b"ABCDEFGHJNPQRSUVW".contains(&b[0]) && b[1..8].iter().all(u8::is_ascii_digit)
}

/// Doubled odd places, as Luhn does; the control is a digit or the letter of that place.
fn cif(value: &Value) -> bool {
    let b = value.compact();
    if !cif_form(value) {
        return false;
    }
    let sum: u32 = b[1..8].iter().enumerate().fold(0, |sum, (at, c)| {
        let digit = u32::from(c - b'0');
        let twice = 2 * digit;
        sum + if at % 2 == 0 { twice / 10 + twice % 10 } else { digit }
    });
    let control = (10 - sum % 10) % 10;
    b[8] == b'0' + control as u8 || b[8] == b"JABCDEFGHI"[control as usize]
}

fn nir_form(value: &Value) -> bool {
    let b = value.compact();
    b.len() == 15 && matches!(b[0], b'1' | b'2') && value.digits >= 14
}

/// 13 digits and 97 minus their remainder; Corsica's 2A and 2B count as 19 and 18.
fn nir(value: &Value) -> bool {
    let b = value.compact();
    if !nir_form(value) {
        return false;
    }
    let mut plain = [0; 15];
    plain.copy_from_slice(b);
    match (b[5], b[6]) {
        (b'2', b'A') => plain[5..7].copy_from_slice(b"19"),
        (b'2', b'B') => plain[5..7].copy_from_slice(b"18"),
        _ => {}
    }
    match (spelled(&plain[..13]), spelled(&plain[13..])) {
        (Some(body), Some(key)) => 97 - body % 97 == key,
        _ => false,
    }
}

/// ISO 7064 MOD 11,10; among the first ten digits exactly one occurs twice or thrice (BZSt).
fn steuer_id(value: &Value) -> bool {
    let Some(d) = digits::<11>(value).filter(|d| d[0] != 0) else { return false };
    let mut counts = [0u8; 10];
    d[..10].iter().for_each(|x| counts[*x as usize] += 1);
    let (twice, more) =
        (counts.iter().filter(|c| **c == 2).count(), counts.iter().filter(|c| **c == 3).count());
    if counts.iter().any(|c| *c > 3) || twice + more != 1 {
        return false;
    }
    let product = d[..10].iter().fold(10, |product, x| {
        let sum = (x + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == d[10]
}

fn cf_form(value: &Value) -> bool {
    let b = value.compact();
    // Digits may have become letters where two people would share a code.
    let digit = |c: u8| c.is_ascii_digit() || b"LMNPQRSTUV".contains(&c);
    b.len() == 16
        && b.iter().enumerate().all(|(at, c)| match at {
            0..=5 | 11 | 15 => c.is_ascii_uppercase(),
            8 => b"ABCDEHLMPRST".contains(c),
            _ => digit(*c),
        })
        && value.digits >= 3
}

/// Odd places by a table, even ones by their rank; modulo 26 gives the letter (D.M. 23 December 1976).
fn codice_fiscale(value: &Value) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    if !cf_form(value) {
        return false;
    }
    let b = value.compact();
    let rank = |c: u8| if c.is_ascii_digit() { u32::from(c - b'0') } else { u32::from(c - b'A') };
    let sum: u32 = (0..15).map(|at| if at % 2 == 0 { ODD[rank(b[at]) as usize] } else { rank(b[at]) }).sum();
    sum % 26 == u32::from(b[15] - b'A')
}

/// The eleven test: weights 9 to 2, the last digit counts minus one.
fn bsn(value: &Value) -> bool {
    let Some(d) = digits::<9>(value).filter(|d| varied(d)) else { return false };
    let sum = weighted(&d[..8], &[9, 8, 7, 6, 5, 4, 3, 2]) as i64 - i64::from(d[8]);
    sum % 11 == 0
}

/// Two letters that HMRC uses, six digits, a letter A to D that may be missing.
fn nino(value: &Value) -> bool {
    let b = value.compact();
    if !matches!(b.len(), 8 | 9) || value.digits != 6 || !b[2..8].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let unused = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"];
    let first = b[0].is_ascii_uppercase() && !b"DFIQUV".contains(&b[0]);
    let second = b[1].is_ascii_uppercase() && !b"DFIQUVO".contains(&b[1]);
    first
        && second
        && !unused.iter().any(|u| u[..] == b[..2])
        && b.get(8).is_none_or(|c| (b'A'..=b'D').contains(c))
}

/// Weights 10 to 2 modulo 11; a remainder of 1 is never issued. Written 3-3-4 or in one; in other groups it is another
/// number by the same sum, a book's.
fn nhs(value: &Value) -> bool {
    let mut groups = value.text.split([' ', '-']).map(str::len);
    if value.chars > 10 && (groups.next(), groups.next(), groups.next()) != (Some(3), Some(3), Some(4)) {
        return false;
    }
    let Some(d) = digits::<10>(value).filter(|d| varied(d)) else { return false };
    (11 - weighted(&d[..9], &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 == d[9]
}

fn nif_pt(value: &Value) -> bool {
    let Some(d) = digits::<9>(value).filter(|d| varied(d) && matches!(d[0], 1 | 2 | 3 | 5 | 6 | 8 | 9))
    else {
        return false;
    };
    let rest = weighted(&d[..8], &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    d[8] == if rest < 2 { 0 } else { 11 - rest }
}

/// 97 minus the first nine digits modulo 97; who was born from 2000 on has a 2 before them.
fn be_nn(value: &Value) -> bool {
    let Some(d) = digits::<11>(value) else { return false };
    let (body, key) = (number(&d[..9]), number(&d[9..]));
    pair(&d, 2) <= 12
        && pair(&d, 4) <= 31
        && (97 - body % 97 == key || 97 - (2_000_000_000 + body) % 97 == key)
}

/// Birth date with the century in the month; weights 1 3 7 9.
fn pesel(value: &Value) -> bool {
    let Some(d) = digits::<11>(value) else { return false };
    let sum = weighted(&d[..10], &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
    day_month(pair(&d, 4), pair(&d, 2) % 20) && (10 - sum % 10) % 10 == d[10]
}

/// Birth date and Luhn, with or without the century.
fn personnummer(value: &Value) -> bool {
    let ten = match (digits::<10>(value), digits::<12>(value)) {
        (Some(d), _) => d,
        (None, Some(d)) if matches!(pair(&d, 0), 18..=20) => {
            let mut ten = [0; 10];
            ten.copy_from_slice(&d[2..]);
            ten
        }
        _ => return false,
    };
    // A coordination number has 60 added to the day.
    let day = pair(&ten, 4);
    day_month(if day > 60 { day - 60 } else { day }, pair(&ten, 2)) && luhn(&ten)
}

fn hetu_parts<'v>(value: &'v Value) -> Option<(&'v [u8], &'v [u8], u8)> {
    let b = value.text.as_bytes();
    let sign = *b.get(6)?;
    let fits =
        b.len() == 11 && value.text.is_ascii() && matches!(sign, b'-' | b'+' | b'A'..=b'F' | b'U'..=b'Y');
    let digits = fits && b[..6].iter().chain(&b[7..10]).all(u8::is_ascii_digit);
    digits.then(|| (&b[..6], &b[7..10], b[10].to_ascii_uppercase()))
}

fn hetu_form(value: &Value) -> bool {
    hetu_parts(value).is_some()
}

/// Birth date and number, together modulo 31.
fn hetu(value: &Value) -> bool {
    const SIGNS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let Some((born, serial, check)) = hetu_parts(value) else { return false };
    let (Some(born), Some(serial)) = (spelled(born), spelled(serial)) else { return false };
    day_month((born / 10_000) as u32, (born / 100 % 100) as u32)
        && SIGNS[((born * 1000 + serial) % 31) as usize] == check
}

/// Day, month, year, four digits, with the hyphen: since 2007 without a check digit, so the form must say it.
fn cpr(value: &Value) -> bool {
    let hyphen = value.text.len() == 11 && value.text.as_bytes()[6] == b'-';
    let Some(d) = digits::<10>(value).filter(|_| hyphen) else { return false };
    day_month(pair(&d, 0), pair(&d, 2))
}

/// Birth date and two weighted sums modulo 11.
fn fodselsnummer(value: &Value) -> bool {
    let Some(d) = digits::<11>(value) else { return false };
    let first = weighted(&d, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]);
    let second = weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    day_month(pair(&d, 0) % 40, pair(&d, 2) % 40) && first.is_multiple_of(11) && second.is_multiple_of(11)
}

/// Switzerland's 756 and the check digit of EAN-13.
fn ahv(value: &Value) -> bool {
    let Some(d) = digits::<13>(value).filter(|d| d[..3] == [7, 5, 6]) else { return false };
    weighted(&d, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

fn pps_form(value: &Value) -> bool {
    let b = value.compact();
    matches!(b.len(), 8 | 9)
        && b[..7].iter().all(u8::is_ascii_digit)
        && b[7..].iter().all(|c| (b'A'..=b'W').contains(c))
}

/// Weights 8 to 2 and nine times the second letter, modulo 23.
fn pps(value: &Value) -> bool {
    let b = value.compact();
    if !pps_form(value) {
        return false;
    }
    let sum: u32 = (0..7).map(|at| u32::from(b[at] - b'0') * (8 - at as u32)).sum();
    let more = b.get(8).map_or(0, |c| if *c == b'W' { 0 } else { u32::from(c - b'A') + 1 }) * 9;
    let rest = (sum + more) % 23;
    b[7] == if rest == 0 { b'W' } else { b'A' + rest as u8 - 1 }
}

/// Six digits, a slash, four; the whole is a multiple of 11. Women's months have 50 added.
fn rodne_cislo(value: &Value) -> bool {
    let slash = value.text.as_bytes().get(6) == Some(&b'/');
    let Some(d) = digits::<10>(value).filter(|_| slash) else { return false };
    day_month(pair(&d, 4), pair(&d, 2) % 50 % 20) && number(&d).is_multiple_of(11)
}

fn cnp(value: &Value) -> bool {
    let Some(d) = digits::<13>(value).filter(|d| (1..=8).contains(&d[0])) else { return false };
    let rest = weighted(&d[..12], &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    day_month(pair(&d, 5), pair(&d, 3)) && d[12] == if rest == 10 { 1 } else { rest }
}
