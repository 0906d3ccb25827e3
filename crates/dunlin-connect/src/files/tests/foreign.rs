//! Parquet files that dunlin did not write: every Arrow type it may meet, and files that are broken.

use std::fs::{self, File};

use arrow::array::*;
use arrow::datatypes::{DataType, Field, Fields, Int32Type, i256};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;

use super::targets::every_type;
use super::*;
use crate::Reason;

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.flush().unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn lists() -> ArrayRef {
    Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None]), None]))
}

fn structs() -> ArrayRef {
    let fields = Fields::from(vec![
        Field::new("a \"b\"", DataType::Utf8, true),
        Field::new("n", DataType::Float64, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec![Some("x\n"), None])),
        Arc::new(Float64Array::from(vec![Some(1.5), Some(f64::NAN)])),
    ];
    Arc::new(StructArray::new(fields, columns, None))
}

#[tokio::test]
async fn arrow_types_of_others_find_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let nanos = TimestampNanosecondArray::from(vec![Some(1_000), Some(1_500)]).with_timezone("+02:00");
    let big = Decimal256Array::from(vec![Some(i256::from_i128(-110)), None]).with_precision_and_scale(40, 1);
    let words: DictionaryArray<Int32Type> = vec![Some("x"), None].into_iter().collect();
    write(
        &dir.path().join("p.parquet"),
        vec![
            ("i8", Arc::new(Int8Array::from(vec![Some(-1), None]))),
            ("u32", Arc::new(UInt32Array::from(vec![Some(u32::MAX), None]))),
            ("u64", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None]))),
            ("dec", Arc::new(big.unwrap())),
            ("large", Arc::new(LargeStringArray::from(vec![Some("é"), None]))),
            ("view", Arc::new(StringViewArray::from(vec![Some("v"), None]))),
            ("dict", Arc::new(words)),
            (
                "fixed",
                Arc::new(
                    FixedSizeBinaryArray::try_from_sparse_iter_with_size([Some(*b"ab"), None].into_iter(), 2)
                        .unwrap(),
                ),
            ),
            ("millis", Arc::new(Time32MillisecondArray::from(vec![Some(1), None]))),
            ("secs", Arc::new(TimestampSecondArray::from(vec![Some(-1), None]))),
            ("list", lists()),
            ("struct", structs()),
            ("nanos", Arc::new(nanos)),
        ],
    );
    let store = store(dir.path(), "p.parquet").await;
    let table = table(&*store, "p").await;
    let types: Vec<String> = table.columns.iter().map(|c| format!("{} {}", c.name, c.ty)).collect();
    insta::assert_snapshot!(types.join(", "), @"i8 int16, u32 int64, u64 decimal(20,0), dec numeric, large text, view text, dict text, fixed binary, millis time, secs timestamp, list json, struct json, nanos timestamptz");
    assert_eq!(table.rows_estimate, Some(4));
    let reader = store.reader().await.unwrap();
    let splits = reader.splits(&table, 1, &[]).await.unwrap();
    assert_eq!(splits.len(), 2);
    let batches = drain(reader.read(ReadRequest::all(table.clone(), splits[1].clone())).await.unwrap()).await;
    insta::assert_snapshot!(shown(&batches).join("\n"), @r#"3: -1|4294967295|18446744073709551615|-11.0|é|v|x|\x6162|00:00:00.001|1969-12-31 23:59:59|[1,null]|{"a \"b\"":"x\n","n":1.5}|1970-01-01 00:00:00.000001+00:00"#);
    let bad = bad(&batches);
    assert_eq!((bad[0].position, bad[0].reason, bad[0].column), (4, Reason::WouldChange, Some(12)));
    assert_eq!(bad[0].fields[11].as_deref(), Some(&br#"{"a \"b\"":null,"n":"NaN"}"#[..]));
}

#[tokio::test]
async fn a_read_gives_the_columns_in_the_order_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let ints = |v: i32| Arc::new(Int32Array::from(vec![v, v])) as ArrayRef;
    write(&dir.path().join("p.parquet"), vec![("a", ints(1)), ("b", ints(2)), ("c", ints(3))]);
    let store = store(dir.path(), "p.parquet").await;
    let table = table(&*store, "p").await;
    let mut request = ReadRequest::all(table, Bounds::Whole);
    request.columns.remove(1);
    request.columns.reverse();
    request.columns[0].as_text = true;
    let schema = request.schema();
    let reader = store.reader().await.unwrap();
    let batches = drain(reader.read(request).await.unwrap()).await;
    assert_eq!(batches[0].rows.schema(), schema);
    assert_eq!(shown(&batches)[0], "1: 3|1");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_broken_parquet_file_is_an_error_and_no_panic(at in 0.0f64..1.0, byte: u8) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("p.parquet");
            let (_, batch) = every_type();
            let columns: Vec<_> = batch.columns().iter().map(|c| ("x", c.clone())).collect();
            write(&path, columns);
            let mut bytes = fs::read(&path).unwrap();
            let place = (at * bytes.len() as f64) as usize;
            bytes[place] = byte;
            fs::write(&path, bytes).unwrap();
            let store = store(dir.path(), "p.parquet").await;
            if let Ok(Some(table)) = store.table(&TableName::bare("p")).await {
                let reader = store.reader().await.unwrap();
                if let Ok(mut stream) = reader.read(ReadRequest::all(Arc::new(table), Bounds::Whole)).await {
                    while let Some(Ok(_)) = stream.next().await {}
                }
            }
        });
    }
}
