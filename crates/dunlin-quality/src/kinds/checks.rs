//! Check digits. Each function says whether a text satisfies its own arithmetic, nothing about whether it was issued.

/// The digits of a text in which only blanks, points and hyphens stand between them.
fn digits(text: &str) -> Option<Vec<u32>> {
    let kept = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '/'));
    kept.map(|c| c.to_digit(10)).collect()
}

/// A payment card: 13 to 19 digits, a known first digit, Luhn.
pub(super) fn card(text: &str) -> bool {
    let Some(digits) = digits(text) else { return false };
    (13..=19).contains(&digits.len()) && (2..=6).contains(&digits[0]) && luhn(&digits)
}

/// The Luhn sum over all digits, the check digit being the last.
pub(super) fn luhn(digits: &[u32]) -> bool {
    let double = |d: u32| if d > 4 { 2 * d - 9 } else { 2 * d };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(at, d)| if at % 2 == 1 { double(*d) } else { *d }).sum();
    sum.is_multiple_of(10) && digits.iter().any(|d| *d != 0)
}

/// An IBAN: the country's length and form, ISO 7064 mod 97.
pub(super) fn iban(text: &str) -> bool {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    compact.to_uppercase().parse::<iban::Iban>().is_ok()
}

/// A US social security number whose area, group and serial can have been issued.
pub(super) fn ssn(text: &str) -> bool {
    let Some(d) = digits(text).filter(|d| d.len() == 9) else { return false };
    let area = d[0] * 100 + d[1] * 10 + d[2];
    let group = d[3] * 10 + d[4];
    let serial = d[5] * 1000 + d[6] * 100 + d[7] * 10 + d[8];
    area != 0 && area != 666 && area < 900 && group != 0 && serial != 0
}

/// A Spanish DNI or NIE: number mod 23 gives the letter.
pub(super) fn dni(text: &str) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let compact: String = text.to_uppercase().chars().filter(|c| !matches!(c, ' ' | '-' | '.')).collect();
    let bytes = compact.as_bytes();
    let &[first, .., last] = bytes else { return false };
    if bytes.len() != 9 {
        return false;
    }
    let lead = match first {
        b'X' => "0",
        b'Y' => "1",
        b'Z' => "2",
        b'0'..=b'9' => &compact[..1],
        _ => return false,
    };
    let number = compact.get(1..8).and_then(|rest| format!("{lead}{rest}").parse::<usize>().ok());
    number.is_some_and(|n| LETTERS[n % 23] == last)
}

/// A French NIR (numéro de sécurité sociale): 13 digits and 97 minus their remainder. Corsica's 2A and 2B included.
pub(super) fn nir(text: &str) -> bool {
    let compact: String = text.to_uppercase().chars().filter(|c| !matches!(c, ' ' | '-' | '.')).collect();
    if compact.len() != 15 || !compact.starts_with(['1', '2']) {
        return false;
    }
    let compact = compact.replacen("2A", "19", 1).replacen("2B", "18", 1);
    let (Some(body), Some(key)) = (compact.get(..13), compact.get(13..)) else { return false };
    match (body.parse::<u64>(), key.parse::<u64>()) {
        (Ok(body), Ok(key)) => 97 - body % 97 == key,
        _ => false,
    }
}

/// A Brazilian CPF: eleven digits, the last two by weighted sums mod 11.
pub(super) fn cpf(text: &str) -> bool {
    let Some(d) = digits(text).filter(|d| d.len() == 11) else { return false };
    if d.iter().all(|x| *x == d[0]) {
        return false;
    }
    let check = |n: usize| {
        let sum: u32 = (0..n).map(|at| d[at] * (n as u32 + 1 - at as u32)).sum();
        (sum * 10 % 11) % 10
    };
    check(9) == d[9] && check(10) == d[10]
}
