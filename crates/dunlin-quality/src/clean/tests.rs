use arrow::array::AsArray;
use arrow::datatypes::Date32Type;
use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn with(function: CleanFunction, options: &CleanOptions, values: &[&str]) -> String {
    let cleaned = clean(function, &StringArray::from(values.to_vec()), options);
    let shown = |row: usize| match (cleaned.failed.contains(&row), cleaned.array.is_null(row)) {
        (true, _) => "FAILED".to_owned(),
        (_, true) => "NULL".to_owned(),
        _ => match cleaned.array.as_string_opt::<i32>() {
            Some(texts) => texts.value(row).to_owned(),
            None => {
                let dates = cleaned.array.as_primitive::<Date32Type>();
                arrow::temporal_conversions::date32_to_datetime(dates.value(row)).unwrap().date().to_string()
            }
        },
    };
    (0..values.len()).map(shown).collect::<Vec<_>>().join("|")
}

fn shown(function: CleanFunction, values: &[&str]) -> String {
    with(function, &CleanOptions::default(), values)
}

fn region(code: &str) -> CleanOptions {
    CleanOptions { region: Some(code.to_owned()), ..CleanOptions::default() }
}

#[test]
fn trim_keeps_the_inside() {
    assert_snapshot!(shown(CleanFunction::Trim, &["  a  b\u{a0}", "", "\t\n", "N/A", "x"]), @"a  b|NULL|NULL|N/A|x");
}

#[test]
fn emails_have_one_form() {
    assert_snapshot!(shown(CleanFunction::Email, &[
        " Ana.RUIZ@Example.COM ", "test@test.com", "ana@", "ana@example", "Ana <ana@example.com>", "josé@correo.es",
        "a b@example.com", "a@b@c.com", "n/a", "a..b@example.com", "ana@example.com.",
    ]), @"ana.ruiz@example.com|NULL|FAILED|FAILED|FAILED|josé@correo.es|FAILED|FAILED|NULL|FAILED|FAILED");
}

#[test]
fn phones_become_e164() {
    assert_snapshot!(with(CleanFunction::Phone, &region("ES"), &[
        "612 34 56 78", "+34 612-345-678", "0034612345678", "(+44) 20 7946 0958", "12", "000-000-0000", "no phone",
        "612345678 ext 5", "+1 650 253 0000",
    ]), @"+34612345678|+34612345678|+34612345678|+442079460958|FAILED|NULL|FAILED|FAILED|+16502530000");
    assert_snapshot!(shown(CleanFunction::Phone, &["612345678", "+34612345678"]), @"FAILED|+34612345678");
}

#[test]
fn dates_follow_the_calendar() {
    let options = CleanOptions {
        formats: vec!["%d/%m/%Y".into(), "%Y-%m-%d".into(), "%d.%m.%y".into()],
        ..CleanOptions::default()
    };
    assert_snapshot!(with(CleanFunction::Date, &options, &[
        "01/02/1990", "1990-02-01", "31/02/1990", "29/02/2024", "29/02/2023", "1/2/1990", "01/02/90", "01.02.90",
        "01.02.45", "00/00/0000", "31/12/9999", "1900-01-01", "soon", "1990-02-01T00:00:00", "",
    ]), @"1990-02-01|1990-02-01|FAILED|2024-02-29|FAILED|1990-02-01|FAILED|1990-02-01|2045-02-01|NULL|NULL|NULL|FAILED|FAILED|NULL");
    assert_snapshot!(shown(CleanFunction::Date, &["1969-12-31", "2024-13-01"]), @"1969-12-31|FAILED");
}

#[test]
fn names_get_their_capitals() {
    assert_snapshot!(shown(CleanFunction::Name, &[
        "  ANA   MARIA ", "juan de la cruz", "VINCENT VAN GOGH", "o'brien", "MCDONALD", "DeShawn", "jean-luc",
        "LUDWIG VON BEETHOVEN", "john smith iii", "Null", "N/A", "李 小龍", "de la Cruz", "DE LA CRUZ", "ÉLODIE D’ARC",
    ]), @"Ana Maria|Juan de la Cruz|Vincent van Gogh|O'Brien|McDonald|DeShawn|Jean-Luc|Ludwig von Beethoven|John Smith III|Null|NULL|李 小龍|de la Cruz|De la Cruz|Élodie D’Arc");
}

#[test]
fn countries_become_codes() {
    assert_snapshot!(shown(CleanFunction::Country, &[
        "Spain", "ESPAÑA", "espana", "Espagne", "Spanien", "ESP", "es", "U.S.A.", "The Netherlands", "Österreich",
        "Polska", "Ελλάδα", "NA", "Congo", "Atlantis", "unknown", "UK", "Côte d'Ivoire", "Deutschland", "日本",
    ]), @"ES|ES|ES|ES|ES|ES|ES|US|NL|AT|PL|GR|NA|FAILED|FAILED|NULL|GB|CI|DE|JP");
}

#[test]
fn every_code_of_the_table_means_itself() {
    let lines = include_str!("../../data/countries.txt").lines().filter(|l| !l.starts_with('#'));
    let mut count = 0;
    for line in lines {
        let mut fields = line.split('|');
        let (two, three) = (fields.next().unwrap(), fields.next().unwrap());
        assert!(two.len() == 2 && three.len() == 3, "{line}");
        assert_eq!(country::country(two, &[]), Outcome::Value(two.to_owned()));
        assert_eq!(country::country(three, &[]), Outcome::Value(two.to_owned()));
        count += 1;
    }
    assert_eq!(count, 250);
}

#[test]
fn postcodes_follow_their_region() {
    assert_snapshot!(with(CleanFunction::Postcode, &region("GB"), &["sw1a1aa", "SW1A 1AA", "M1 1AE", "12345"]), @"SW1A 1AA|SW1A 1AA|M1 1AE|FAILED");
    assert_snapshot!(with(CleanFunction::Postcode, &region("ES"), &["28001", "E-28001", "99999", "8001", "28 001"]), @"28001|28001|FAILED|FAILED|28001");
    assert_snapshot!(with(CleanFunction::Postcode, &region("US"), &["941031234", "94103", "94103-1234", "9410"]), @"94103-1234|94103|94103-1234|FAILED");
    assert_snapshot!(with(CleanFunction::Postcode, &region("PT"), &["1000205", "1000-205", "1000"]), @"1000-205|1000-205|1000");
    assert_snapshot!(shown(CleanFunction::Postcode, &[" ab 12 ", ""]), @"AB 12|NULL");
}

#[test]
fn every_postcode_pattern_compiles() {
    assert_eq!(postcode::regions(), 46);
}

#[test]
fn numbers_become_plain_decimals() {
    assert_snapshot!(shown(CleanFunction::Number, &[
        "1,234.50", "1.234,50", "$99", "(12)", "1,234", "1.234", "1.234.567", "12,5", "-$5.00", "5 €", "1 234,5",
        "1'234.5", "12,34,567.8", "1,23,4", "abc", "12-", "1e3", "1.5E-2", "-0.00", "007", ".5", "", "--", "12 34", "%5",
        "1,2345.6", "R$ 10", "+3",
    ]), @"1234.50|1234.50|99|-12|1234|1.234|1234567|12.5|-5.00|5|1234.5|1234.5|1234567.8|FAILED|FAILED|-12|1000|0.015|0.00|7|0.5|NULL|NULL|FAILED|FAILED|FAILED|10|3");
}

#[test]
fn sentinels_become_null_and_the_rest_is_untouched() {
    let options = CleanOptions { sentinels: vec!["Sin Dato".into()], ..CleanOptions::default() };
    assert_snapshot!(with(CleanFunction::Sentinel, &options, &["N/A", " null ", "sin dato", " keep ", "?", "XXX"]), @"NULL|NULL|NULL| keep |NULL|NULL");
}

#[test]
fn changed_counts_what_differs() {
    let cleaned = clean(
        CleanFunction::Trim,
        &StringArray::from(vec![Some("a"), Some(" a"), Some(""), None]),
        &CleanOptions::default(),
    );
    assert_eq!((cleaned.changed, cleaned.failed.len()), (2, 0));
}

#[test]
fn words_of_the_plan() {
    for function in CleanFunction::ALL {
        assert_eq!(function.as_str().parse(), Ok(function));
    }
    assert_snapshot!("emial".parse::<CleanFunction>().unwrap_err(), @"there is no cleaning function `emial`");
}

fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[A-Za-z '’-]{0,20}",
        "[-+(]{0,2}[$€]?[0-9., ']{1,14}[)e-]?[0-9]{0,2}",
        "[+0]{0,2}[0-9 ()-]{6,14}",
        "[a-zA-Z.]{1,6}@[a-zA-Z.]{1,8}",
        "[A-Z]{0,2}-?[0-9]{1,5}[ -]?[0-9A-Z]{0,4}",
        "[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn cleaning_twice_is_cleaning_once(values in prop::collection::vec(any_value(), 1..8)) {
        for function in CleanFunction::ALL {
            for options in [CleanOptions::default(), region("GB"), region("ES"), region("US")] {
                let once = clean(function, &StringArray::from(values.clone()), &options);
                let text = arrow::compute::cast(&once.array, &DataType::Utf8).unwrap();
                let twice = clean(function, text.as_string::<i32>(), &options);
                prop_assert_eq!(&once.array, &twice.array);
                prop_assert_eq!(twice.changed, 0);
                prop_assert!(twice.failed.is_empty());
            }
        }
    }
}
