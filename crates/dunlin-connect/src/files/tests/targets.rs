//! Writing: what comes back is what went in, and a crash anywhere loses and doubles nothing.

use std::fs;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use proptest::prelude::*;

use super::*;
use crate::canon::{RowHash, hash_rows};
use crate::{
    Column, ColumnType, Committed, ConnectError, FileFormat, ForeignKey, LoadColumn, LoadSpec, Reason,
    Receipt, Target, Unique, text_to_array,
};

const KEY: [u8; 32] = [7; 32];

pub(super) fn formats() -> [(&'static str, FileFormat); 3] {
    [("csv", FileFormat::Csv), ("jsonl", FileFormat::Jsonl), ("parquet", FileFormat::Parquet)]
}

pub(super) async fn folder(dir: &Path, format: FileFormat) -> Arc<dyn Store> {
    store_with(dir, "out/", OpenOptions { format: Some(format), ..OpenOptions::default() }).await
}

pub(super) fn receipt(part: &str) -> Receipt {
    Receipt { run: "r.1".into(), table: "s.t".into(), part: part.into(), body: "{}".into() }
}

pub(super) fn spec(table: &Arc<Table>, part: &str, as_text: bool) -> LoadSpec {
    LoadSpec {
        run: "r.1".into(),
        label: "s.t".into(),
        part: part.into(),
        table: table.clone(),
        columns: (0..table.columns.len()).map(|index| LoadColumn { index, as_text }).collect(),
    }
}

/// Loads one part of text rows and commits it.
pub(super) async fn load(
    target: &dyn Target,
    table: &Arc<Table>,
    part: &str,
    rows: &[&[Option<&str>]],
) -> Committed {
    let mut load = target.begin(spec(table, part, true)).await.unwrap();
    load.write(text_batch(table, rows)).await.unwrap();
    assert_eq!(load.settle().await.unwrap(), []);
    load.commit(&receipt(part)).await.unwrap()
}

pub(super) fn text_batch(table: &Table, rows: &[&[Option<&str>]]) -> RecordBatch {
    let column = |c: usize| Arc::new(StringArray::from_iter(rows.iter().map(|r| r[c]))) as ArrayRef;
    let columns = table.columns.iter().enumerate().map(|(c, col)| (col.name.clone(), column(c), true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

pub(super) fn people() -> Arc<Table> {
    let columns = vec![Column::new("id", ColumnType::Int64), Column::new("name", ColumnType::TEXT)];
    Arc::new(Table::new(TableName::bare("t"), columns))
}

pub(super) async fn rows_of(store: &dyn Store) -> Vec<String> {
    let table = table(store, "t").await;
    let batches = read(store, &table, Bounds::Whole).await;
    assert!(bad(&batches).is_empty());
    shown(&batches).into_iter().map(|r| r.split_once(": ").unwrap().1.to_owned()).collect()
}

/// One column of every type with values at its edges.
pub(super) fn every_type() -> (Arc<Table>, RecordBatch) {
    let samples: Vec<(ColumnType, [Option<&str>; 4])> = vec![
        (ColumnType::Bool, [Some("true"), Some("false"), None, Some("true")]),
        (ColumnType::Int16, [Some("-32768"), Some("32767"), None, Some("0")]),
        (ColumnType::Int32, [Some("-2147483648"), Some("1"), None, Some("0")]),
        (ColumnType::Int64, [Some("-9223372036854775808"), Some("9223372036854775807"), None, Some("0")]),
        (
            ColumnType::Decimal { precision: 38, scale: 2 },
            [Some("-123456789012345678901234567890123456.78"), Some("0.10"), None, Some("1.00")],
        ),
        (ColumnType::Numeric, [Some("1.10"), Some("NaN"), None, Some("123456789012345678901234567890.0")]),
        (ColumnType::Float32, [Some("0.1"), Some("-0"), None, Some("NaN")]),
        (ColumnType::Float64, [Some("1e300"), Some("Infinity"), None, Some("5e-324")]),
        (ColumnType::TEXT, [Some(""), Some("a\"b,\r\n\u{0}é\u{feff}"), None, Some("\u{feff}null")]),
        (ColumnType::Char { len: 3 }, [Some("a  "), Some("   "), None, Some("abc")]),
        (ColumnType::Binary, [Some("\\x00ff"), Some("\\x"), None, Some("\\x22")]),
        (ColumnType::Date, [Some("2024-02-29"), Some("infinity"), None, Some("-0044-03-15")]),
        (ColumnType::Time, [Some("23:59:59.999999"), Some("00:00:00"), None, Some("12:00:00")]),
        (
            ColumnType::Timestamp,
            [Some("2024-02-29 23:59:59.5"), Some("-infinity"), None, Some("1970-01-01 00:00:00")],
        ),
        (
            ColumnType::TimestampTz,
            [
                Some("2024-02-29 23:59:59.5+00:00"),
                Some("infinity"),
                None,
                Some("1960-01-01 00:00:00.000001+00:00"),
            ],
        ),
        (
            ColumnType::Uuid,
            [
                Some("0f8fad5b-d9cb-469f-a165-70867728950e"),
                Some("00000000-0000-0000-0000-000000000000"),
                None,
                None,
            ],
        ),
        (ColumnType::Json, [Some("{\"a\": [1.10, \"x\"]}"), Some("\"text\""), None, Some("1.0")]),
        (ColumnType::Jsonb, [Some("{}"), Some("[null]"), None, Some("false")]),
    ];
    let mut columns = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (i, (ty, values)) in samples.iter().enumerate() {
        let (array, bad) = text_to_array(values, ty);
        assert!(bad.is_empty(), "{ty}: {bad:?}");
        columns.push(Column::new(format!("c{i}"), ty.clone()));
        arrays.push(array);
    }
    let table = Table::new(TableName::bare("t"), columns);
    let batch = RecordBatch::try_new(table.arrow_schema(), arrays).unwrap();
    (Arc::new(table), batch)
}

#[tokio::test]
async fn every_type_comes_back_from_every_format() {
    for (ending, format) in formats() {
        let dir = tempfile::tempdir().unwrap();
        let store = folder(dir.path(), format).await;
        let target = store.target().await.unwrap();
        let (wanted, batch) = every_type();
        target.prepare().await.unwrap();
        target.create(&wanted).await.unwrap();
        let mut load = target.begin(spec(&wanted, "0", false)).await.unwrap();
        load.write(batch.clone()).await.unwrap();
        assert_eq!(load.settle().await.unwrap(), [], "{ending}");
        load.commit(&receipt("0")).await.unwrap();
        let expected: RowHash = hash_rows(&KEY, &batch).into_iter().sum();
        for joined in [false, true] {
            if joined {
                target.join("r.1", &wanted, &["0".into()]).await.unwrap();
            }
            let table = table(&*store, "t").await;
            assert_eq!(table.columns, wanted.columns, "{ending}");
            let batches = read(&*store, &table, Bounds::Whole).await;
            assert!(bad(&batches).is_empty(), "{ending} {:?}", bad(&batches));
            let hash: RowHash = batches.iter().flat_map(|b| hash_rows(&KEY, &b.rows)).sum();
            assert_eq!(hash, expected, "{ending} joined: {joined}");
        }
        target.finish().await.unwrap();
        let left: Vec<_> =
            fs::read_dir(dir.path().join("out")).unwrap().flatten().map(|e| e.file_name()).collect();
        assert_eq!(left, [format!("t.{ending}").as_str()]);
        if format == FileFormat::Parquet {
            assert_eq!(table(&*store, "t").await.columns[..8], wanted.columns[..8]);
        }
    }
}

#[tokio::test]
async fn parts_receipts_and_join_survive_every_crash() {
    for (ending, format) in formats() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let store = folder(dir.path(), format).await;
        let target = store.target().await.unwrap();
        let table = people();
        target.prepare().await.unwrap();
        target.create(&table).await.unwrap();
        assert!(target.create(&table).await.is_err());
        assert!(target.finish().await.is_err(), "nothing is joined yet");

        // A load that is dropped or aborted leaves no row.
        let mut dropped = target.begin(spec(&table, "1", true)).await.unwrap();
        dropped.write(text_batch(&table, &[&[Some("9"), Some("lost")]])).await.unwrap();
        drop(dropped);
        let aborted = target.begin(spec(&table, "1", true)).await.unwrap();
        aborted.abort().await.unwrap();
        assert_eq!(rows_of(&*store).await, Vec::<String>::new());

        // Parts commit in any order; a repeat is told; another content is refused.
        let first = load(&*target, &table, "1", &[&[Some("2"), None], &[Some("3"), Some("")]]).await;
        assert_eq!(first, Committed::New);
        let again = load(&*target, &table, "1", &[&[Some("2"), None], &[Some("3"), Some("")]]).await;
        assert_eq!(again, Committed::Already(receipt("1")));
        let differs = target.begin(spec(&table, "1", true)).await.unwrap();
        let other = Receipt { body: "{\"n\":1}".into(), ..receipt("1") };
        assert!(matches!(differs.commit(&other).await, Err(ConnectError::ReceiptDiffers { .. })));
        load(&*target, &table, "0", &[&[Some("1"), Some("a")]]).await;
        load(&*target, &table, "empty", &[]).await;
        assert_eq!(rows_of(&*store).await, ["2|-", "3|", "1|a"], "{ending}");

        // Garbage of a crash goes with the next start; receipts and their parts stay.
        target.prepare().await.unwrap();
        let parts = out.join(format!("t.{ending}.dunlin-parts"));
        assert_eq!(fs::read_dir(&parts).unwrap().count(), 1 + 3 + 2);
        assert_eq!(target.receipts("r.1").await.unwrap().len(), 3);
        assert!(target.join("r.1", &table, &["0".into(), "7".into()]).await.is_err());

        // The join: in the parts' order, idempotent, and safe between its steps.
        let order = ["0".to_owned(), "1".into(), "empty".into()];
        target.join("r.1", &table, &order).await.unwrap();
        let joined = fs::read(out.join(format!("t.{ending}"))).unwrap();
        assert_eq!(rows_of(&*store).await, ["1|a", "2|-", "3|"], "{ending}");
        target.join("r.1", &table, &order).await.unwrap();
        assert_eq!(fs::read(out.join(format!("t.{ending}"))).unwrap(), joined);
        assert_eq!(target.receipts("r.1").await.unwrap().len(), 3);

        // As after a crash between the rename and the note that it is done.
        let record = parts.join("joined.json");
        let note: serde_json::Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
        let intent = serde_json::json!({"done": null, "intent": note["done"]});
        fs::write(&record, intent.to_string()).unwrap();
        assert_eq!(rows_of(&*store).await, ["1|a", "2|-", "3|"]);
        store.target().await.unwrap().join("r.1", &table, &order).await.unwrap();

        // A later run adds to the joined file, and takes rows of it away, in one commit.
        let mut more = target.begin(spec(&table, "later", true)).await.unwrap();
        assert_eq!(more.delete(&[1, 77]).await.unwrap(), 1);
        more.write(text_batch(&table, &[&[Some("4"), Some("new")]])).await.unwrap();
        assert_eq!(rows_of(&*store).await, ["1|a", "2|-", "3|"]);
        more.commit(&receipt("later")).await.unwrap();
        assert_eq!(rows_of(&*store).await, ["1|a", "3|", "4|new"], "{ending}");
        target.prepare().await.unwrap();
        target.join("r.1", &table, &["later".into()]).await.unwrap();
        assert_eq!(rows_of(&*store).await, ["1|a", "3|", "4|new"]);
        target.finish().await.unwrap();
        target.finish().await.unwrap();
        assert!(!parts.exists());
        target.drop_table(&table.name).await.unwrap();
        assert_eq!(store.tables().await.unwrap(), []);
    }
}

#[tokio::test]
async fn two_deletes_in_one_part_do_not_undo_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let store = folder(dir.path(), FileFormat::Csv).await;
    let target = store.target().await.unwrap();
    let table = people();
    target.create(&table).await.unwrap();
    load(&*target, &table, "0", &[&[Some("1"), None], &[Some("2"), None], &[Some("3"), None]]).await;
    let mut one = target.begin(spec(&table, "a", true)).await.unwrap();
    let mut two = target.begin(spec(&table, "b", true)).await.unwrap();
    one.delete(&[0]).await.unwrap();
    two.delete(&[1]).await.unwrap();
    one.commit(&receipt("a")).await.unwrap();
    assert!(two.commit(&receipt("b")).await.unwrap_err().is_transient());
    assert_eq!(rows_of(&*store).await, ["2|-", "3|-"]);
}

#[tokio::test]
async fn appending_keeps_a_file_that_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    fs::write(&path, "id,name\r\n1,\"a\"\r\n2,b").unwrap();
    let store = store(dir.path(), "t.csv").await;
    let target = store.target().await.unwrap();
    target.prepare().await.unwrap();
    let table = table(&*store, "t").await;
    assert!(target.create(&table).await.is_err());
    load(&*target, &table, "0", &[&[Some("3"), None]]).await;
    assert_eq!(rows_of(&*store).await, ["1|a", "2|b", "3|-"]);
    target.join("r.1", &table, &["0".into()]).await.unwrap();
    target.finish().await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "id,name\n1,\"a\"\r\n2,b\n3,\n");
}

#[tokio::test]
async fn what_a_format_would_change_is_refused_by_row() {
    let dir = tempfile::tempdir().unwrap();
    let options = OpenOptions { encoding: Some("latin1".into()), ..OpenOptions::default() };
    let store = store_with(dir.path(), "t.csv", options).await;
    let target = store.target().await.unwrap();
    let mut columns = people().columns.clone();
    columns[0].nullable = false;
    let table = Arc::new(Table::new(TableName::bare("t"), columns));
    target.create(&table).await.unwrap();
    let mut load = target.begin(spec(&table, "0", true)).await.unwrap();
    let rows: [&[Option<&str>]; 4] =
        [&[Some("1"), Some("é")], &[None, Some("a")], &[Some("x"), Some("b")], &[Some("4"), Some("漢")]];
    load.write(text_batch(&table, &rows)).await.unwrap();
    let refused: Vec<_> =
        load.settle().await.unwrap().into_iter().map(|r| (r.ordinal, r.reason, r.column.unwrap())).collect();
    assert_eq!(
        refused,
        [
            (1, Reason::NotNull, "id".to_owned()),
            (2, Reason::WrongType, "id".into()),
            (3, Reason::WouldChange, "name".into())
        ]
    );
    load.commit(&receipt("0")).await.unwrap();
    assert_eq!(rows_of(&*store).await, ["1|é"]);

    let store = folder(dir.path(), FileFormat::Jsonl).await;
    let target = store.target().await.unwrap();
    let table = Arc::new(Table::new(TableName::bare("t"), vec![Column::new("j", ColumnType::Json)]));
    target.create(&table).await.unwrap();
    let mut load = target.begin(spec(&table, "0", true)).await.unwrap();
    load.write(text_batch(&table, &[&[Some("[1,\n2]")], &[Some("null")], &[Some("[ 1]")]])).await.unwrap();
    let refused: Vec<u64> = load.settle().await.unwrap().iter().map(|r| r.ordinal).collect();
    assert_eq!(refused, [0, 1]);
    load.commit(&receipt("0")).await.unwrap();
    assert_eq!(rows_of(&*store).await, ["[ 1]"]);
}

#[tokio::test]
async fn violators_of_keys_are_found_and_can_be_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let store = folder(dir.path(), FileFormat::Parquet).await;
    let target = store.target().await.unwrap();
    let table = people();
    target.create(&table).await.unwrap();
    load(&*target, &table, "0", &[&[Some("1"), Some("1")], &[Some("2"), None]]).await;
    load(&*target, &table, "1", &[&[Some("1"), Some("9")], &[None, Some("2")], &[None, Some("2")]]).await;
    let unique = Unique { name: None, columns: vec!["id".into()] };
    let violation = target.unique_violators(&table, &unique).await.unwrap();
    assert_eq!(violation.constraint, "t(id)");
    assert_eq!(shown(&drain(violation.rows).await), ["2: 1|9"]);
    let ids = Column::new("name", ColumnType::TEXT);
    let parent = Arc::new(Table::new(TableName::bare("parent"), vec![ids]));
    target.create(&parent).await.unwrap();
    let mut parents = target.begin(spec(&parent, "p", true)).await.unwrap();
    parents.write(text_batch(&parent, &[&[Some("1")], &[Some("2")]])).await.unwrap();
    parents.commit(&receipt("p")).await.unwrap();
    let key = ForeignKey {
        name: Some("fk".into()),
        columns: vec!["name".into()],
        parent: parent.name.clone(),
        parent_columns: vec!["name".into()],
        on_delete: "NO ACTION".into(),
        on_update: "NO ACTION".into(),
        deferrable: false,
        validated: true,
    };
    let violation = target.foreign_key_violators(&table, &key).await.unwrap();
    let rows = drain(violation.rows).await;
    assert_eq!(shown(&rows), ["2: 1|9"]);
    let mut amend = target.begin(spec(&table, "amend", true)).await.unwrap();
    assert_eq!(amend.delete(&rows[0].positions).await.unwrap(), 1);
    amend.commit(&receipt("amend")).await.unwrap();
    assert_eq!(rows_of(&*store).await, ["1|1", "2|-", "-|2", "-|2"]);
}

#[tokio::test]
async fn a_joined_file_that_is_taken_away_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = folder(dir.path(), FileFormat::Csv).await;
    let target = store.target().await.unwrap();
    let table = people();
    target.create(&table).await.unwrap();
    load(&*target, &table, "0", &[&[Some("1"), None]]).await;
    target.join("r.1", &table, &["0".into()]).await.unwrap();
    fs::remove_file(dir.path().join("out/t.csv")).unwrap();
    assert!(matches!(store.table(&table.name).await, Err(ConnectError::Changed { .. })));
    assert!(target.join("r.1", &table, &["0".into()]).await.is_err());
    target.drop_table(&table.name).await.unwrap();
    assert!(store.table(&table.name).await.unwrap().is_none());
}

#[tokio::test]
async fn a_glob_is_no_target() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), "*.csv").await;
    let error = store.target().await.err().unwrap();
    insta::assert_snapshot!(error, @"store `s`: writing into a glob is not supported");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn all_text_comes_back(
        rows in proptest::collection::vec(
            proptest::collection::vec(proptest::option::of("[a,;\"\n\r\u{0}\u{feff}é𝄞 ]{0,5}"), 2), 0..12),
        one_column: bool,
        header: bool,
        format in 0usize..3,
        null in prop_oneof![Just(None), Just(Some("a".to_owned()))],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let width = if one_column { 1 } else { 2 };
            let columns = (0..width).map(|c| Column::new(format!("c{c}"), ColumnType::TEXT)).collect();
            let table = Arc::new(Table::new(TableName::bare("t"), columns));
            let rows: Vec<Vec<Option<&str>>> =
                rows.iter().map(|r| r[..width].iter().map(|v| v.as_deref()).collect()).collect();
            let rows: Vec<&[Option<&str>]> = rows.iter().map(Vec::as_slice).collect();
            let options = OpenOptions { header: Some(header), null, ..OpenOptions::default() };
            let name = format!("t.{}", formats()[format].0);
            let store = store_with(dir.path(), &name, options).await;
            let target = store.target().await.unwrap();
            target.create(&table).await.unwrap();
            load(&*target, &table, "0", &rows).await;
            load(&*target, &table, "1", &rows).await;
            target.join("r.1", &table, &["0".into(), "1".into()]).await.unwrap();
            let batches = read(&*store, &table, Bounds::Whole).await;
            let reader = store.reader().await.unwrap();
            assert_eq!(reader.count(&table).await.unwrap(), 2 * rows.len() as u64);
            let both: Vec<_> = rows.iter().chain(&rows).copied().collect();
            let want = hash_rows(&KEY, &text_batch(&table, &both));
            let got: Vec<RowHash> = batches.iter().flat_map(|b| hash_rows(&KEY, &b.rows)).collect();
            assert!(bad(&batches).is_empty());
            assert_eq!(got, want);
        });
    }
}
