use arrow::array::{
    BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int16Array,
    Int32Array, Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use proptest::prelude::*;

use super::*;

/// What becomes of one text: its canonical form, or why it is refused.
fn read(text: &str, ty: &ColumnType) -> String {
    let (array, bad) = text_to_array(&[Some(text)], ty);
    assert_eq!(array.data_type(), &ty.arrow_type());
    match bad.as_slice() {
        [] => array_to_text(&array, ty)[0].clone().expect("a value"),
        [(0, reason)] => {
            assert!(array.is_null(0));
            reason.code().to_owned()
        }
        _ => unreachable!("one text has one reason"),
    }
}

fn all(ty: ColumnType, texts: &[&str]) -> String {
    texts.iter().map(|t| format!("{t:?} {}\n", read(t, &ty))).collect()
}

#[test]
fn integers() {
    insta::assert_snapshot!(
        all(ColumnType::Int16, &["7", "-32768", "32768", "+07", "", "-", "1.0", " 1", "1e3"]),
        @r#"
    "7" 7
    "-32768" -32768
    "32768" out-of-range
    "+07" 7
    "" wrong-type
    "-" wrong-type
    "1.0" wrong-type
    " 1" wrong-type
    "1e3" wrong-type
    "#
    );
    insta::assert_snapshot!(
        all(ColumnType::Int64, &["9223372036854775807", "-9223372036854775808", "9223372036854775808", "99999999999999999999x"]),
        @r#"
    "9223372036854775807" 9223372036854775807
    "-9223372036854775808" -9223372036854775808
    "9223372036854775808" out-of-range
    "99999999999999999999x" wrong-type
    "#
    );
}

#[test]
fn decimals() {
    let ty = ColumnType::Decimal { precision: 5, scale: 2 };
    insta::assert_snapshot!(
        all(ty, &["1", "-0.5", ".5", "999.99", "1000", "1.234", "1.2300", "1.5e2", "1e-2", "1e-3", "1e4", "NaN", "1,5", "."]),
        @r#"
    "1" 1.00
    "-0.5" -0.50
    ".5" 0.50
    "999.99" 999.99
    "1000" out-of-range
    "1.234" would-change
    "1.2300" 1.23
    "1.5e2" 150.00
    "1e-2" 0.01
    "1e-3" would-change
    "1e4" out-of-range
    "NaN" out-of-range
    "1,5" wrong-type
    "." wrong-type
    "#
    );
    let all_behind = ColumnType::Decimal { precision: 2, scale: 2 };
    assert_eq!(read("0.12", &all_behind), "0.12");
    assert_eq!(read("1.12", &all_behind), "out-of-range");
    let widest = ColumnType::Decimal { precision: 38, scale: 0 };
    assert_eq!(read(&"9".repeat(38), &widest), "9".repeat(38));
    assert_eq!(read(&"9".repeat(39), &widest), "out-of-range");
}

#[test]
fn numerics() {
    insta::assert_snapshot!(
        all(ColumnType::Numeric, &["007.50", "+1", "-0", "-0.00", ".5", "5.", "1.5e-3", "12e2", "nan", "-inf", "1e999999", "x"]),
        @r#"
    "007.50" 7.50
    "+1" 1
    "-0" 0
    "-0.00" 0.00
    ".5" 0.5
    "5." 5
    "1.5e-3" 0.0015
    "12e2" 1200
    "nan" NaN
    "-inf" -Infinity
    "1e999999" out-of-range
    "x" wrong-type
    "#
    );
}

#[test]
fn floats() {
    insta::assert_snapshot!(
        all(ColumnType::Float64, &["0.1", "-0", "1e300", "1e400", "1e-400", "0e-400", "Infinity", "nan", "0x1", "", "1e16", "0.00001", "0.000001"]),
        @r#"
    "0.1" 0.1
    "-0" -0
    "1e300" 1e300
    "1e400" out-of-range
    "1e-400" out-of-range
    "0e-400" 0
    "Infinity" Infinity
    "nan" NaN
    "0x1" wrong-type
    "" wrong-type
    "1e16" 1e16
    "0.00001" 0.00001
    "0.000001" 1e-6
    "#
    );
}

#[test]
fn dates_and_times() {
    insta::assert_snapshot!(
        all(ColumnType::Date, &["2024-02-29", "2023-02-29", "+12024-01-01", "12024-01-01", "-0044-03-15", "0000-01-01", "infinity", "-Infinity", "24-01-01", "2024-1-1", "2024-01-01 ", "9999999-01-01"]),
        @r#"
    "2024-02-29" 2024-02-29
    "2023-02-29" out-of-range
    "+12024-01-01" +12024-01-01
    "12024-01-01" +12024-01-01
    "-0044-03-15" -0044-03-15
    "0000-01-01" 0000-01-01
    "infinity" infinity
    "-Infinity" -infinity
    "24-01-01" wrong-type
    "2024-1-1" wrong-type
    "2024-01-01 " wrong-type
    "9999999-01-01" out-of-range
    "#
    );
    insta::assert_snapshot!(
        all(ColumnType::Time, &["23:59:59.5", "24:00:00", "24:00:00.1", "10:30", "10:60:00", "1:00:00", "10:00:00.0000001", "10:00:00.000001000"]),
        @r#"
    "23:59:59.5" 23:59:59.5
    "24:00:00" 24:00:00
    "24:00:00.1" out-of-range
    "10:30" 10:30:00
    "10:60:00" out-of-range
    "1:00:00" wrong-type
    "10:00:00.0000001" would-change
    "10:00:00.000001000" 10:00:00.000001
    "#
    );
    insta::assert_snapshot!(
        all(ColumnType::Timestamp, &["2024-02-29T10:00:00.25", "2024-02-29", "2024-02-29 10:00:00Z", "-0001-12-31 23:59:59.999999", "400000-01-01 00:00:00", "1700000000"]),
        @r#"
    "2024-02-29T10:00:00.25" 2024-02-29 10:00:00.25
    "2024-02-29" 2024-02-29 00:00:00
    "2024-02-29 10:00:00Z" wrong-type
    "-0001-12-31 23:59:59.999999" -0001-12-31 23:59:59.999999
    "400000-01-01 00:00:00" out-of-range
    "1700000000" wrong-type
    "#
    );
    insta::assert_snapshot!(
        all(ColumnType::TimestampTz, &["2024-02-29 10:00:00Z", "2024-03-01 01:00:00+02:30", "2024-02-29T10:00:00.5-08", "2024-02-29 10:00:00", "2024-02-29 10:00:00+25"]),
        @r#"
    "2024-02-29 10:00:00Z" 2024-02-29 10:00:00+00:00
    "2024-03-01 01:00:00+02:30" 2024-02-29 22:30:00+00:00
    "2024-02-29T10:00:00.5-08" 2024-02-29 18:00:00.5+00:00
    "2024-02-29 10:00:00" wrong-type
    "2024-02-29 10:00:00+25" out-of-range
    "#
    );
}

#[test]
fn the_rest() {
    assert_eq!(all(ColumnType::Bool, &["T", "False", "1", "yes", ""]).lines().count(), 5);
    insta::assert_snapshot!(all(ColumnType::Bool, &["T", "False", "1", "yes"]), @r#"
    "T" true
    "False" false
    "1" true
    "yes" wrong-type
    "#);
    assert_eq!(
        read("A0EEBC999C0B4EF8BB6D6BB9BD380A11", &ColumnType::Uuid),
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    );
    assert_eq!(read("a0eebc99-9c0b-4ef8-bb6d+6bb9bd380a11", &ColumnType::Uuid), "wrong-type");
    assert_eq!(read("\\x00FF", &ColumnType::Binary), "\\x00ff");
    assert_eq!(read("00ff", &ColumnType::Binary), "wrong-type");
    assert_eq!(read("{\"a\": [1, 2]}", &ColumnType::Json), "{\"a\": [1, 2]}");
    assert_eq!(read("{a}", &ColumnType::Jsonb), "wrong-type");
}

/// Text and back is the identity.
fn round_trip(array: ArrayRef, ty: &ColumnType) -> Result<(), TestCaseError> {
    let texts = array_to_text(&array, ty);
    let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
    let (back, bad) = text_to_array(&texts, ty);
    prop_assert_eq!(bad, vec![]);
    prop_assert_eq!(back.to_data(), array.to_data());
    Ok(())
}

proptest! {
    #[test]
    fn whole_numbers_come_back(a: Vec<Option<i64>>) {
        let short = |v: &Option<i64>| v.map(|v| v as i16);
        round_trip(Arc::new(a.iter().map(short).collect::<Int16Array>()), &ColumnType::Int16)?;
        let middle = |v: &Option<i64>| v.map(|v| v as i32);
        round_trip(Arc::new(a.iter().map(middle).collect::<Int32Array>()), &ColumnType::Int32)?;
        round_trip(Arc::new(a.iter().copied().collect::<Int64Array>()), &ColumnType::Int64)?;
        round_trip(Arc::new(a.iter().map(|v| v.map(|v| v > 0)).collect::<BooleanArray>()), &ColumnType::Bool)?;
    }

    #[test]
    fn decimals_come_back(a: Vec<Option<i128>>, precision in 1u8..=38, scale in 0i8..=38) {
        let scale = scale.min(precision as i8);
        let limit = 10i128.pow(precision.into());
        let array: Decimal128Array = a.iter().map(|v| v.map(|v| v % limit)).collect();
        let array = array.with_precision_and_scale(precision, scale).expect("within 38 digits");
        round_trip(Arc::new(array), &ColumnType::Decimal { precision, scale })?;
    }

    #[test]
    fn floats_come_back(a: Vec<u64>, b: Vec<u32>) {
        let doubles = a.into_iter().map(f64::from_bits).filter(|v| !v.is_nan());
        round_trip(Arc::new(doubles.map(Some).collect::<Float64Array>()), &ColumnType::Float64)?;
        let singles = b.into_iter().map(f32::from_bits).filter(|v| !v.is_nan());
        round_trip(Arc::new(singles.map(Some).collect::<Float32Array>()), &ColumnType::Float32)?;
    }

    #[test]
    fn moments_come_back(a: Vec<Option<i64>>, days: Vec<Option<i32>>) {
        round_trip(Arc::new(days.into_iter().collect::<Date32Array>()), &ColumnType::Date)?;
        let within = a.iter().map(|v| v.map(|v| v.rem_euclid(86_400_000_001)));
        round_trip(Arc::new(within.collect::<Time64MicrosecondArray>()), &ColumnType::Time)?;
        let zoneless: TimestampMicrosecondArray = a.iter().copied().collect();
        round_trip(Arc::new(zoneless.clone()), &ColumnType::Timestamp)?;
        round_trip(Arc::new(zoneless.with_timezone("UTC")), &ColumnType::TimestampTz)?;
    }

    #[test]
    fn bytes_and_texts_come_back(a: Vec<Option<Vec<u8>>>, b: Vec<Option<String>>, id: u128) {
        let bytes = || -> ArrayRef { Arc::new(a.iter().map(Option::as_deref).collect::<BinaryArray>()) };
        round_trip(bytes(), &ColumnType::Binary)?;
        round_trip(bytes(), &ColumnType::Opaque { name: "int4range".into() })?;
        round_trip(Arc::new(b.into_iter().collect::<StringArray>()), &ColumnType::TEXT)?;
        let hex = format!("{id:032x}");
        let uuid = read(&hex, &ColumnType::Uuid);
        prop_assert_eq!(read(&uuid, &ColumnType::Uuid), uuid);
    }

    #[test]
    fn numerics_come_back(text in "-?[1-9][0-9]{0,60}(\\.[0-9]{1,30})?") {
        prop_assert_eq!(read(&text, &ColumnType::Numeric), text);
    }

    #[test]
    fn nothing_panics(text: String, close in "[-+]?[0-9:. TZe+-]{0,30}") {
        for ty in [
            ColumnType::Bool, ColumnType::Int16, ColumnType::Int32, ColumnType::Int64,
            ColumnType::Decimal { precision: 38, scale: 38 }, ColumnType::Decimal { precision: 9, scale: 2 },
            ColumnType::Numeric, ColumnType::Float32, ColumnType::Float64, ColumnType::TEXT, ColumnType::Binary,
            ColumnType::Date, ColumnType::Time, ColumnType::Timestamp, ColumnType::TimestampTz,
            ColumnType::Uuid, ColumnType::Json, ColumnType::Jsonb,
        ] {
            read(&text, &ty);
            read(&close, &ty);
        }
    }
}
