//! Encoder and decoder against each other: every type, any value, any cut of the stream.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int16Array, Int32Array, Int64Array, RecordBatch, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use bytes::BytesMut;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::decode::{Address, Decoder};
use super::encode::Encoder;
use super::framing::{Broken, Decoding, SIGNATURE, Sink};
use super::wire::{WireDecoder, decode_row};
use crate::{Bounds, Column, ColumnType, ReadRequest, Reason, Table, TableName, WireRequest};

fn types() -> Vec<ColumnType> {
    vec![
        ColumnType::Bool,
        ColumnType::Int16,
        ColumnType::Int32,
        ColumnType::Int64,
        ColumnType::Float32,
        ColumnType::Float64,
        ColumnType::Decimal { precision: 20, scale: 3 },
        ColumnType::Numeric,
        ColumnType::TEXT,
        ColumnType::Jsonb,
        ColumnType::Uuid,
        ColumnType::Binary,
        ColumnType::Date,
        ColumnType::Time,
        ColumnType::Timestamp,
        ColumnType::TimestampTz,
    ]
}

fn arrays(row: &Row) -> Vec<ArrayRef> {
    let text = |t: &Option<String>| -> ArrayRef { Arc::new(StringArray::from(vec![t.clone()])) };
    let ((a, b, c, d), (e, f, g, h), (i, j, k, l), (m, n, o, p)) = row.clone();
    let decimal = Decimal128Array::from(vec![g]).with_precision_and_scale(20, 3).unwrap();
    let zoned = TimestampMicrosecondArray::from(vec![p]).with_timezone("UTC");
    vec![
        Arc::new(BooleanArray::from(vec![a])),
        Arc::new(Int16Array::from(vec![b])),
        Arc::new(Int32Array::from(vec![c])),
        Arc::new(Int64Array::from(vec![d])),
        Arc::new(Float32Array::from(vec![e])),
        Arc::new(Float64Array::from(vec![f])),
        Arc::new(decimal),
        text(&h),
        text(&i),
        text(&j),
        text(&k),
        Arc::new(BinaryArray::from_opt_vec(vec![l.as_deref()])),
        Arc::new(Date32Array::from(vec![m])),
        Arc::new(Time64MicrosecondArray::from(vec![n])),
        Arc::new(TimestampMicrosecondArray::from(vec![o])),
        Arc::new(zoned),
    ]
}

type Row = (
    (Option<bool>, Option<i16>, Option<i32>, Option<i64>),
    (Option<f32>, Option<f64>, Option<i128>, Option<String>),
    (Option<String>, Option<String>, Option<String>, Option<Vec<u8>>),
    (Option<i32>, Option<i64>, Option<i64>, Option<i64>),
);

fn row() -> impl Strategy<Value = Row> {
    let limit = 10i128.pow(20);
    let stamp = || {
        of(prop_oneof![
            -210_000_000_000_000_000..9_000_000_000_000_000_000i64,
            Just(i64::MAX),
            Just(i64::MIN)
        ])
    };
    let day = of(prop_oneof![-2_440_000..2_145_000_000i32, Just(i32::MAX), Just(i32::MIN)]);
    let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
    (
        (any::<Option<bool>>(), any::<Option<i16>>(), any::<Option<i32>>(), any::<Option<i64>>()),
        (
            any::<Option<f32>>(),
            any::<Option<f64>>(),
            of(1 - limit..limit),
            of("-?[1-9][0-9]{0,30}(\\.[0-9]{1,9})?"),
        ),
        (of("[^\\x00]{0,12}"), of("[^\\x00]{0,12}"), of(uuid), of(vec(any::<u8>(), 0..20))),
        (day, of(0..=86_400_000_000i64), stamp(), stamp()),
    )
}

fn table(types: &[ColumnType]) -> Arc<Table> {
    let columns = types.iter().enumerate().map(|(i, t)| Column::new(format!("c{i}"), t.clone())).collect();
    Arc::new(Table::new(TableName::bare("t"), columns))
}

fn decoder(types: &[ColumnType], batch_rows: usize) -> Decoder {
    let request = ReadRequest::all(table(types), Bounds::Whole);
    let plain: Vec<_> = types.iter().map(|t| (t.clone(), false)).collect();
    Decoder::new(request.schema(), &plain, Address::Ordinal, batch_rows)
}

fn encode(types: &[ColumnType], batches: &[RecordBatch]) -> Vec<u8> {
    let plain: Vec<_> = types.iter().map(|t| (t.clone(), false)).collect();
    let mut out = BytesMut::from(SIGNATURE);
    out.extend_from_slice(&[0; 8]);
    for batch in batches {
        let encoder = Encoder::new(batch, &plain).unwrap();
        for row in 0..batch.num_rows() {
            encoder.row(row, &mut out).unwrap();
        }
    }
    out.extend_from_slice(&[0xff, 0xff]);
    out.to_vec()
}

fn drain<S: Sink>(decoder: &mut Decoding<S>, chunks: &[&[u8]]) -> Result<Vec<S::Batch>, Broken> {
    let mut out = Vec::new();
    for chunk in chunks {
        decoder.push(chunk)?;
        while decoder.is_full() {
            out.push(decoder.take()?);
            decoder.resume()?;
        }
    }
    if !decoder.is_empty() {
        out.push(decoder.take()?);
    }
    Ok(out)
}

proptest! {
    #[test]
    fn every_value_survives_in_any_pieces(rows in vec(row(), 1..6), cut in 0usize..4_000, batch_rows in 1usize..4) {
        let types = types();
        let schema = table(&types).arrow_schema();
        let batches: Vec<_> =
            rows.iter().map(|r| RecordBatch::try_new(schema.clone(), arrays(r)).unwrap()).collect();
        let bytes = encode(&types, &batches);
        let cut = cut.min(bytes.len());
        let mut decoder = decoder(&types, batch_rows);
        let read = drain(&mut decoder, &[&bytes[..cut], &bytes[cut..]]).unwrap();
        prop_assert!(decoder.is_finished());
        prop_assert!(read.iter().all(|b| b.bad.is_empty() && b.rows.num_rows() <= batch_rows));
        let positions: Vec<u64> = read.iter().flat_map(|b| b.positions.clone()).collect();
        prop_assert_eq!(positions, (1..=rows.len() as u64).collect::<Vec<_>>());
        // Compared by their row hash, in which every NaN is one.
        let hashes = |b: &RecordBatch| crate::canon::hash_rows(&[1; 32], b);
        let want: Vec<_> = batches.iter().flat_map(&hashes).collect();
        let got: Vec<_> = read.iter().flat_map(|b| hashes(&b.rows)).collect();
        prop_assert_eq!(got, want);
    }

    #[test]
    fn noise_never_panics(noise in vec(any::<u8>(), 0..200), chunk in 1usize..50) {
        let mut decoder = decoder(&types(), 2);
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0; 8]);
        bytes.extend(&noise);
        let chunks: Vec<&[u8]> = bytes.chunks(chunk).collect();
        let _ = drain(&mut decoder, &chunks);
        let _ = drain(&mut self::decoder(&types(), 2), &[&noise]);
    }

    #[test]
    fn noise_in_fields_is_a_bad_row(fields in vec(of(vec(any::<u8>(), 0..24)), 16)) {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0; 8]);
        bytes.extend(16i16.to_be_bytes());
        for field in &fields {
            match field {
                None => bytes.extend((-1i32).to_be_bytes()),
                Some(f) => {
                    bytes.extend((f.len() as i32).to_be_bytes());
                    bytes.extend(f);
                }
            }
        }
        bytes.extend([0xff, 0xff]);
        let read = drain(&mut decoder(&types(), 8), &[&bytes]).unwrap();
        let (good, bad): (usize, usize) =
            read.iter().fold((0, 0), |(g, b), batch| (g + batch.rows.num_rows(), b + batch.bad.len()));
        prop_assert_eq!(good + bad, 1);
        for row in read.iter().flat_map(|b| &b.bad) {
            prop_assert_eq!(&row.fields, &fields);
        }
    }
}

/// A stream of rows of raw fields.
fn stream(rows: &[Vec<Option<Vec<u8>>>]) -> Vec<u8> {
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend([0; 8]);
    for row in rows {
        bytes.extend((row.len() as i16).to_be_bytes());
        for field in row {
            bytes.extend(field.as_ref().map_or(-1, |f| f.len() as i32).to_be_bytes());
            bytes.extend(field.as_deref().unwrap_or_default());
        }
    }
    bytes.extend([0xff, 0xff]);
    bytes
}

/// The raw fields of encoded rows.
fn fields(bytes: &[u8]) -> Vec<Vec<Option<Vec<u8>>>> {
    let (mut at, mut rows) = (19, Vec::new());
    let mut next = |n: usize| {
        at += n;
        bytes[at - n..at].to_vec()
    };
    loop {
        let count = next(2);
        if count == [0xff, 0xff] {
            return rows;
        }
        let one = |_| {
            let length = i32::from_be_bytes(next(4).try_into().unwrap());
            (length >= 0).then(|| next(length as usize))
        };
        rows.push((0..count[1]).map(one).collect());
    }
}

proptest! {
    /// Rows in the bytes of the wire are told apart, hashed, named and refused exactly as decoded ones.
    #[test]
    fn the_short_way_sees_what_the_long_one_sees(
        rows in vec(row(), 1..5),
        noise in vec((0usize..5, 0usize..16, of(vec(any::<u8>(), 0..24))), 0..4),
        cut in 0usize..4_000,
        batch_rows in 1usize..4,
    ) {
        const KEY: [u8; 32] = [9; 32];
        let types = types();
        let table = table(&types);
        let schema = table.arrow_schema();
        let batches: Vec<_> =
            rows.iter().map(|r| RecordBatch::try_new(schema.clone(), arrays(r)).unwrap()).collect();
        let mut raw = fields(&encode(&types, &batches));
        for (row, column, bytes) in noise {
            if let Some(row) = raw.get_mut(row) {
                row[column] = bytes;
            }
        }
        let bytes = stream(&raw);
        let long = drain(&mut decoder(&types, 100), &[&bytes]).unwrap();
        let read = ReadRequest { batch_rows, ..ReadRequest::all(table, Bounds::Whole) };
        let request = WireRequest { read: read.clone(), key: KEY, name: vec![8, 2], keep: true, addressed: false };
        let cut = cut.min(bytes.len());
        let mut decoder = WireDecoder::new(&types, &request, Address::Ordinal);
        let short = drain(&mut decoder, &[&bytes[..cut], &bytes[cut..]]).unwrap();
        prop_assert!(decoder.is_finished());

        let hashes: Vec<_> = long.iter().flat_map(|b| crate::canon::hash_rows(&KEY, &b.rows)).collect();
        let names: Vec<_> = long
            .iter()
            .flat_map(|b| crate::canon::hash_columns(&KEY, &b.rows, &[8, 2]))
            .map(|h| h.short())
            .collect();
        prop_assert_eq!(short.iter().flat_map(|b| b.hashes.clone()).collect::<Vec<_>>(), hashes);
        prop_assert_eq!(short.iter().flat_map(|b| b.names.clone()).collect::<Vec<_>>(), names);
        let positions: Vec<u64> = long.iter().flat_map(|b| b.positions.clone()).collect();
        prop_assert_eq!(short.iter().flat_map(|b| b.positions.clone()).collect::<Vec<_>>(), positions.clone());
        let bad: Vec<_> = long.iter().flat_map(|b| b.bad.clone()).collect();
        prop_assert_eq!(short.iter().flat_map(|b| b.bad.clone()).collect::<Vec<_>>(), bad);

        // What goes to the target is what came, and a row can be decoded by itself.
        let kept: Vec<Vec<u8>> =
            short.iter().flat_map(|b| b.rows.iter().flatten().map(<[u8]>::to_vec)).collect();
        let want: Vec<Vec<u8>> = positions
            .iter()
            .map(|p| {
                let one = stream(&raw[*p as usize - 1..*p as usize]);
                one[19..one.len() - 2].to_vec()
            })
            .collect();
        prop_assert_eq!(&kept, &want);
        for (n, row) in kept.iter().enumerate() {
            let decoded = decode_row(&read, &types, row).unwrap().rows;
            let hash = crate::canon::hash_rows(&KEY, &decoded)[0];
            prop_assert_eq!(hash, short.iter().flat_map(|b| b.hashes.clone()).nth(n).unwrap());
        }
    }

    #[test]
    fn noise_never_panics_on_the_short_way(noise in vec(any::<u8>(), 0..200), chunk in 1usize..50) {
        let read = ReadRequest { batch_rows: 2, ..ReadRequest::all(table(&types()), Bounds::Whole) };
        let request = WireRequest { read, key: [1; 32], name: vec![], keep: false, addressed: false };
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0; 8]);
        bytes.extend(&noise);
        let chunks: Vec<&[u8]> = bytes.chunks(chunk).collect();
        let _ = drain(&mut WireDecoder::new(&types(), &request, Address::Ordinal), &chunks);
    }
}

#[test]
fn what_postgres_cannot_hold_is_refused_before_it_is_sent() {
    let refused = |ty: ColumnType, array: ArrayRef| {
        let batch = RecordBatch::try_from_iter_with_nullable([("c", array, true)]).unwrap();
        let mut out = BytesMut::new();
        let outcome = Encoder::new(&batch, &[(ty, false)]).unwrap().row(0, &mut out);
        assert!(outcome.is_ok() || out.is_empty());
        outcome.err().map(|(_, reason)| reason)
    };
    let text = |t: &str| Arc::new(StringArray::from(vec![t.to_owned()])) as ArrayRef;
    assert_eq!(refused(ColumnType::TEXT, text("a\0b")), Some(Reason::NulByte));
    assert_eq!(refused(ColumnType::Text { max: Some(3) }, text("äöü")), None);
    assert_eq!(refused(ColumnType::Text { max: Some(3) }, text("abc ")), Some(Reason::WouldChange));
    assert_eq!(refused(ColumnType::Uuid, text("not a uuid")), Some(Reason::WrongType));
    assert_eq!(refused(ColumnType::Numeric, text("12,5")), Some(Reason::WrongType));
    let day = Arc::new(Date32Array::from(vec![i32::MIN + 1])) as ArrayRef;
    assert_eq!(refused(ColumnType::Date, day), Some(Reason::OutOfRange));
    let late = Arc::new(Time64MicrosecondArray::from(vec![86_400_000_001])) as ArrayRef;
    assert_eq!(refused(ColumnType::Time, late), Some(Reason::OutOfRange));
}

#[test]
fn a_timestamp_arrow_cannot_hold_is_a_bad_row() {
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend([0; 8]);
    for micros in [0i64, 9_223_371_331_199_999_999, i64::MAX] {
        bytes.extend(1i16.to_be_bytes());
        bytes.extend(8i32.to_be_bytes());
        bytes.extend(micros.to_be_bytes());
    }
    bytes.extend([0xff, 0xff]);
    let read = drain(&mut decoder(&[ColumnType::Timestamp], 10), &[&bytes]).unwrap();
    assert_eq!(read[0].rows.num_rows(), 2);
    assert_eq!(read[0].positions, [1, 3]);
    let bad = &read[0].bad[0];
    assert_eq!((bad.position, bad.reason, bad.column), (2, Reason::OutOfRange, Some(0)));
    assert_eq!(bad.fields[0].as_ref().map(Vec::len), Some(8));
}

/// One row of one field on the short way: its hash, or why it was not read.
fn short_way(ty: ColumnType, bytes: &[u8]) -> Result<crate::canon::RowHash, Reason> {
    let types = [ty];
    let read = ReadRequest::all(table(&types), Bounds::Whole);
    let request = WireRequest { read, key: [3; 32], name: vec![], keep: false, addressed: false };
    let batches = drain(
        &mut WireDecoder::new(&types, &request, Address::Ordinal),
        &[&stream(&[vec![Some(bytes.to_vec())]])],
    )
    .unwrap();
    match batches[0].bad.first() {
        Some(bad) => Err(bad.reason),
        None => Ok(batches[0].hashes[0]),
    }
}

#[test]
fn what_arrow_cannot_hold_goes_the_short_way_and_is_like_nothing_else() {
    let decimal = ColumnType::Decimal { precision: 10, scale: 2 };
    let nan = short_way(decimal.clone(), &[0, 0, 0, 0, 0xc0, 0, 0, 0]).unwrap();
    let zero = short_way(decimal.clone(), &[0; 8]).unwrap();
    assert_ne!(nan, zero);
    // The other way calls such a row bad; the source has one hash all the same.
    let raw = [Some(vec![0, 0, 0, 0, 0xc0, 0, 0, 0])];
    assert_eq!(nan, crate::canon::hash_raw(&[3; 32], &raw));
    // A number that no such column can hold is a fault as before.
    assert_eq!(short_way(decimal, &[0, 1, 0, 9, 0, 0, 0, 0, 0, 1]), Err(Reason::OutOfRange));
    let at = |micros: i64| short_way(ColumnType::Timestamp, &micros.to_be_bytes()).unwrap();
    let last = 9_223_371_331_199_999_999;
    assert_ne!(at(last), at(last - 1));
    assert_ne!(at(last), at(i64::MAX), "the last moment is not infinity");
}
