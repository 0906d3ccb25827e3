//! Every identifier is found with its check digits right, and not with one of them wrong.

use proptest::prelude::{ProptestConfig, any as anything, prop_assert, proptest};

use super::*;

/// The identifier, the forms of a value (9 a digit, A a letter, other signs as they are), and whether its sum catches
/// every single wrong digit (a sum that folds two remainders into one, or doubles without care, does not).
const MADE: [(&str, &str, bool); 34] = [
    ("es_nif", "99999999A", true),
    ("es_nif", "X9999999A", true),
    ("es_cif", "B99999999", true),
    ("fr_nir", "180129999999999", true),
    ("de_steuer_id", "99999999999", true),
    ("it_cf", "AAAAAA80A01A999A", true),
    ("nl_bsn", "999999999", true),
    ("uk_nino", "AA999999A", false),
    ("uk_nhs", "999 999 9999", true),
    ("pt_nif", "299999999", false),
    ("be_nn", "80.01.01-999.99", false),
    ("pl_pesel", "80010199999", true),
    ("se_personnummer", "800101-9999", true),
    ("fi_hetu", "010180-999A", true),
    ("dk_cpr", "010180-9999", false),
    ("no_fnr", "01018099999", true),
    ("ch_ahv", "756.9999.9999.99", true),
    ("ie_pps", "9999999A", true),
    ("cz_rc", "800101/9999", true),
    ("ro_cnp", "1800101999999", false),
    ("br_cpf", "999.999.999-99", false),
    ("br_cnpj", "99.999.999/0001-99", false),
    ("ca_sin", "199 999 999", true),
    ("ar_cuit", "20-99999999-9", true),
    ("cl_rut", "9.999.999-9", true),
    ("in_aadhaar", "2999 9999 9999", true),
    ("in_pan", "AAAPA9999A", false),
    ("au_tfn", "999 999 999", true),
    ("cn_ric", "110105198001019999", true),
    ("za_id", "8001019999089", true),
    ("tr_tckn", "19999999999", false),
    ("card", "4999999999999999", true),
    ("us_aba", "999999999", true),
    ("us_npi", "1999999999", true),
];

/// A value of this identifier, found by filling the form until it passes.
fn make(detail: &str, form: &str, seed: u64) -> String {
    let id = named(detail).unwrap();
    let mut state = seed | 1;
    for _ in 0..200_000 {
        let text: String = form
            .chars()
            .map(|sign| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let draw = (state >> 33) as u32;
                match sign {
                    '9' => char::from(b'0' + (draw % 10) as u8),
                    'A' => char::from(b'A' + (draw % 26) as u8),
                    other => other,
                }
            })
            .collect();
        if (id.is)(&Value::new(&text)) {
            return text;
        }
    }
    panic!("no {detail} was found");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_valid_is_found_and_one_wrong_digit_is_not(seed in anything::<u64>(), place in 0usize..40, by in 1u8..10) {
        for (detail, form, catches) in MADE {
            let text = make(detail, form, seed);
            let id = named(detail).unwrap();
            prop_assert!((id.form)(&Value::new(&text)), "the form of {detail}");
            if !catches {
                continue;
            }
            let digits: Vec<usize> = text.bytes().enumerate().filter(|(_, b)| b.is_ascii_digit()).map(|(at, _)| at).collect();
            let at = digits[place % digits.len()];
            let mut wrong = text.clone().into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert!(!(id.is)(&Value::new(&wrong)), "{detail}: {text} and {wrong}");
        }
    }

    #[test]
    fn no_text_breaks_a_check(text in "\\PC{0,40}") {
        let value = Value::new(&text);
        for id in all() {
            let _ = ((id.is)(&value), (id.form)(&value));
        }
    }
}

/// Published examples.
#[test]
fn numbers_that_issuers_print_are_valid() {
    for (detail, text) in [
        ("es_nif", "12345678Z"),
        ("es_nif", "X1234567L"),
        ("es_cif", "A58818501"),
        ("fr_nir", "2 55 08 14 168 025 38"),
        ("it_cf", "RSSMRA85T10A562S"),
        ("nl_bsn", "111222333"),
        ("uk_nino", "AB 12 34 56 C"),
        ("uk_nhs", "943 476 5919"),
        ("us_ssn", "219-09-9999"),
        ("br_cpf", "529.982.247-25"),
        ("br_cnpj", "11.222.333/0001-81"),
        ("au_tfn", "123 456 782"),
        ("in_aadhaar", "2341 2341 2346"),
        ("cn_ric", "11010519491231002X"),
        ("fi_hetu", "131052-308T"),
        ("pl_pesel", "44051401359"),
        ("se_personnummer", "811228-9874"),
        ("ch_ahv", "756.9217.0769.85"),
        ("tr_tckn", "10000000146"),
        ("us_npi", "1234567893"),
        ("us_aba", "021000021"),
        ("us_mbi", "1EG4-TE5-MK73"),
        ("imei", "490154203237518"),
        ("vin", "1HGCM82633A004352"),
        ("orcid", "0000-0002-1825-0097"),
        ("iban", "ES91 2100 0418 4502 0005 1332"),
        ("card", "4111 1111 1111 1111"),
    ] {
        assert!(is(detail, &Value::new(text)), "{detail}: {text}");
    }
}

#[test]
fn a_book_is_no_patient() {
    // The same sum, other groups.
    assert!(is("uk_nhs", &Value::new("943 476 5919")) && !is("uk_nhs", &Value::new("943476591-9")));
}
