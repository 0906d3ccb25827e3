//! Reading what other systems left behind.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::{Column, ColumnType, FileFormat, Reason};

#[tokio::test]
async fn a_dirty_csv_is_read_to_the_last_line() {
    let dir = tempfile::tempdir().unwrap();
    let text = b"\xef\xbb\xbfid,name,name,\r\n1,\"a \"\"b\"\"\nc\",,x\r\n2,too few\r\n\r\n3,\xff,y,z\r\n4,\"\",5\" pipe,\r\n5,\"x\"y,,\r\n6,a,b,c,d\r\n7,\"open,b,c\r\n8,ok,ok,ok";
    fs::write(dir.path().join("p.csv"), text).unwrap();
    let store = store(dir.path(), "file:p.csv".trim_start_matches("file:")).await;
    let table = table(&*store, "p").await;
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["id", "name", "name_2", "column_4"]);
    let batches = read(&*store, &table, Bounds::Whole).await;
    insta::assert_snapshot!(shown(&batches).join("\n"), @r#"
    2: 1|a "b"
    c|-|x
    7: 4||5" pipe|-
    11: 8|ok|ok|ok
    "#);
    let bad: Vec<_> = bad(&batches).iter().map(|b| (b.position, b.reason, b.fields.len())).collect();
    assert_eq!(
        bad,
        [
            (4, Reason::TooFewFields, 1),
            (6, Reason::InvalidEncoding, 4),
            (8, Reason::Malformed, 1),
            (9, Reason::TooManyFields, 1),
            (10, Reason::Malformed, 1),
        ]
    );
    let reader = store.reader().await.unwrap();
    assert_eq!(reader.count(&table).await.unwrap(), 8);
    let addressed = drain(reader.read_addressed(table.clone()).await.unwrap()).await;
    assert_eq!(addressed[0].positions, [0, 3, 7]);
}

#[tokio::test]
async fn types_of_the_request_decide_how_text_is_read() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("p.tsv"), "id\tborn\n1\t2024-02-29\nx\t2024-01-01\n3\t2024-02-30\n").unwrap();
    let store = store(dir.path(), "p.tsv").await;
    let columns = vec![Column::new("id", ColumnType::Int64), Column::new("born", ColumnType::Date)];
    let typed = Arc::new(Table::new(TableName::bare("p"), columns));
    let batches = read(&*store, &typed, Bounds::Whole).await;
    assert_eq!(shown(&batches), ["2: 1|2024-02-29"]);
    let bad = bad(&batches);
    assert_eq!(bad[0].column, Some(0));
    assert_eq!(bad[0].fields[0].as_deref(), Some(&b"x"[..]));
    assert_eq!((bad[1].position, bad[1].column), (4, Some(1)));
}

#[tokio::test]
async fn one_column_files_keep_their_empty_lines() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("p.csv"), "a\nx\n\n\"\"\n").unwrap();
    let store = store(dir.path(), "p.csv").await;
    let table = table(&*store, "p").await;
    assert_eq!(shown(&read(&*store, &table, Bounds::Whole).await), ["2: x", "3: -", "4: "]);
}

#[tokio::test]
async fn old_encodings_line_ends_and_dialects() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("p.txt"), b"caf\xe9;'a;b';NULL\rx;'NULL';\r").unwrap();
    let options = OpenOptions {
        delimiter: Some(';'),
        quote: Some('\''),
        header: Some(false),
        encoding: Some("latin1".into()),
        null: Some("NULL".into()),
        format: Some(FileFormat::Csv),
        ..OpenOptions::default()
    };
    let store = store_with(dir.path(), "p.txt", options).await;
    let table = table(&*store, "p").await;
    assert_eq!(shown(&read(&*store, &table, Bounds::Whole).await), ["1: café|a;b|-", "2: x|NULL|"]);
}

#[tokio::test]
async fn a_glob_is_one_table_and_unlike_headers_are_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("accounts")).unwrap();
    fs::write(dir.path().join("accounts/b.csv"), "id\n2\n").unwrap();
    fs::write(dir.path().join("accounts/a.csv"), "id\n1\n").unwrap();
    let store = store(dir.path(), "accounts/*.csv").await;
    assert_eq!(store.tables().await.unwrap(), [TableName::bare("accounts")]);
    assert!(store.identity().await.unwrap().ends_with("/accounts/*.csv"));
    let accounts = table(&*store, "accounts").await;
    assert_eq!(shown(&read(&*store, &accounts, Bounds::Whole).await), ["2: 1", "2: 2"]);
    let reader = store.reader().await.unwrap();
    assert_eq!(reader.splits(&accounts, 100, &[]).await.unwrap().len(), 2);
    fs::write(dir.path().join("accounts/c.csv"), "other\n1\n").unwrap();
    let error = store.table(&TableName::bare("accounts")).await.unwrap_err();
    insta::assert_snapshot!(error, @"store `s`: c.csv, whose columns are not those of a.csv, is not supported");
}

#[tokio::test]
async fn json_lines_keep_every_digit() {
    let dir = tempfile::tempdir().unwrap();
    let text = "{\"id\":1,\"price\":1.10,\"tags\":[1, 2],\"ok\":true}\n\n{\"id\":2,\"name\":\"a\\nb\",\"price\":12345678901234567890.5,\"tags\":\"x\"}\nnot json\n{\"id\":3,\"id\":4}\n{\"price\":null,\"ok\":null}";
    fs::write(dir.path().join("p.jsonl"), text).unwrap();
    let store = store(dir.path(), "p.jsonl").await;
    let table = table(&*store, "p").await;
    let types: Vec<String> = table.columns.iter().map(|c| format!("{} {}", c.name, c.ty)).collect();
    assert_eq!(types, ["id int64", "price numeric", "tags json", "ok boolean", "name text"]);
    let batches = read(&*store, &table, Bounds::Whole).await;
    assert_eq!(
        shown(&batches),
        ["1: 1|1.10|[1, 2]|true|-", "3: 2|12345678901234567890.5|\"x\"|-|a\nb", "6: -|-|-|-|-"]
    );
    let lines: Vec<u64> = bad(&batches).iter().map(|b| b.position).collect();
    assert_eq!(lines, [4, 5]);
}

#[tokio::test]
async fn previous_borders_stay_and_only_the_end_is_cut_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.csv");
    let rows = |n: u32| (0..n).map(|i| format!("{i},\"a\n{i}\"\n")).collect::<String>();
    fs::write(&path, format!("id,t\n{}", rows(10))).unwrap();
    let store = store(dir.path(), "p.csv").await;
    let table = table(&*store, "p").await;
    let first = store.reader().await.unwrap().splits(&table, 4, &[]).await.unwrap();
    assert_eq!(first.len(), 3);
    fs::write(&path, format!("id,t\n{}", rows(20))).unwrap();
    let second = store.reader().await.unwrap().splits(&table, 4, &first).await.unwrap();
    assert_eq!(second[..2], first[..2]);
    assert_eq!(second.len(), 5);
    // A reader that has not cut the file itself counts the lines.
    let batches = read(&*store, &table, second[2].clone()).await;
    assert_eq!(batches[0].positions, [18, 20, 22, 24]);
}

#[tokio::test]
async fn a_file_that_changes_under_the_reader_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.csv");
    fs::write(&path, "id\n1\n").unwrap();
    let store = store(dir.path(), "p.csv").await;
    let table = table(&*store, "p").await;
    let reader = store.reader().await.unwrap();
    reader.splits(&table, 10, &[]).await.unwrap();
    fs::write(&path, "id\n1\n2\n").unwrap();
    let error = reader.read(ReadRequest::all(table, Bounds::Whole)).await;
    let error = match error {
        Ok(stream) => stream.filter_map(|b| async { b.err() }).boxed().next().await.unwrap(),
        Err(error) => error,
    };
    insta::assert_snapshot!(error, @"store `s`: p changed while it was read: p.csv had 5 bytes and has 7");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn splits_cover_every_record_once(text in "[a-c,\"\n\r]{0,160}", rows in 1u64..6, json: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let (name, head) = if json { ("p.jsonl", "{\"x\":1}\n") } else { ("p.csv", "x,y\n") };
            fs::write(dir.path().join(name), format!("{head}{text}")).unwrap();
            let store = store(dir.path(), name).await;
            let table = table(&*store, "p").await;
            let whole = read(&*store, &table, Bounds::Whole).await;
            let mut parts = Vec::new();
            let reader = store.reader().await.unwrap();
            for split in reader.splits(&table, rows, &[]).await.unwrap() {
                parts.extend(drain(reader.read(ReadRequest::all(table.clone(), split)).await.unwrap()).await);
            }
            assert_eq!(shown(&whole), shown(&parts));
            assert_eq!(bad(&whole), bad(&parts));
            let count = shown(&whole).len() + bad(&whole).len();
            assert_eq!(reader.count(&table).await.unwrap(), count as u64);
        });
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            for name in ["p.csv", "p.jsonl", "p.parquet"] {
                fs::write(dir.path().join(name), &bytes).unwrap();
                let store = store(dir.path(), name).await;
                match store.table(&TableName::bare("p")).await {
                    Ok(Some(table)) => drop(read(&*store, &Arc::new(table), Bounds::Whole).await),
                    Ok(None) => panic!("the file is there"),
                    Err(error) => assert!(!error.to_string().contains("Panicked")),
                }
            }
        });
    }
}

#[tokio::test]
async fn a_stray_quote_eats_one_line_and_not_all_up_to_the_next_quote() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = "id,note\n1,a\n2,\"stray\n".to_owned();
    for id in 3..4_000 {
        text += &format!("{id},plain\n");
    }
    text += "4000,\"quoted, well\"\n4001,\"over\ntwo lines\"\n4002,\"a\nb\"rest,x\n4003,end\n";
    fs::write(dir.path().join("p.csv"), &text).unwrap();
    let store = store(dir.path(), "p.csv").await;
    let table = table(&*store, "p").await;
    let batches = read(&*store, &table, Bounds::Whole).await;
    let rows = shown(&batches);
    assert_eq!(rows.len(), 4_001);
    assert_eq!(rows[0], "2: 1|a");
    assert_eq!(rows[1], "4: 3|plain");
    assert_eq!(&rows[3_999..], ["4002: 4001|over\ntwo lines", "4006: 4003|end"]);
    let bad: Vec<_> = bad(&batches).iter().map(|b| (b.position, b.reason)).collect();
    assert_eq!(bad, [(3, Reason::Malformed), (4_004, Reason::Malformed), (4_005, Reason::Malformed)]);
    // However it is cut, the same rows come out: no split begins where a line depends on those before it.
    let reader = store.reader().await.unwrap();
    let splits = reader.splits(&table, 7, &[]).await.unwrap();
    assert!(splits.len() > 1);
    let mut cut = Vec::new();
    for bounds in splits {
        cut.extend(shown(&read(&*store, &table, bounds).await));
    }
    assert_eq!(cut, rows);
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
}

#[tokio::test]
async fn utf_16_is_read_by_its_mark_or_by_the_plan_and_never_mended() {
    let dir = tempfile::tempdir().unwrap();
    let text = "id,naïve ☃\r\n1,\"two\r\nlines, 😀\"\r\n2,\u{feff}\r\n";
    for (name, big, declared) in [("le", false, None), ("be", true, None), ("bare", true, Some("utf-16be"))] {
        let mut bytes = if declared.is_some() { Vec::new() } else { utf16("\u{feff}", big) };
        bytes.extend(utf16(text, big));
        // Half of a pair, and half of a unit at the end.
        bytes.extend(utf16("3,", big));
        bytes.extend(if big { [0xd8, 0x3d] } else { [0x3d, 0xd8] });
        bytes.extend(utf16("\r\n4,ok\r\n5,", big));
        bytes.push(0x61);
        fs::write(dir.path().join(format!("{name}.csv")), bytes).unwrap();
        let options = OpenOptions { encoding: declared.map(str::to_owned), ..OpenOptions::default() };
        let store = store_with(dir.path(), &format!("{name}.csv"), options).await;
        let table = table(&*store, name).await;
        assert_eq!(table.columns[1].name, "naïve ☃", "{name}");
        let batches = read(&*store, &table, Bounds::Whole).await;
        assert_eq!(shown(&batches), ["2: 1|two\r\nlines, 😀", "4: 2|\u{feff}", "6: 4|ok"], "{name}");
        let bad: Vec<_> = bad(&batches).iter().map(|b| (b.position, b.reason)).collect();
        assert_eq!(bad, [(5, Reason::InvalidEncoding), (7, Reason::InvalidEncoding)], "{name}");
    }
}

#[tokio::test]
async fn nothing_that_a_spreadsheet_did_is_guessed_at() {
    let dir = tempfile::tempdir().unwrap();
    let text = "zip,big,day,empty,quoted\n00420,\"1,5E+11\",03/04/2020,,\"\"\n";
    fs::write(dir.path().join("p.csv"), text).unwrap();
    let store = store(dir.path(), "p.csv").await;
    let table = table(&*store, "p").await;
    assert!(table.columns.iter().all(|c| c.ty == ColumnType::TEXT));
    // An unquoted empty field is NULL, a quoted one the empty text.
    assert_eq!(shown(&read(&*store, &table, Bounds::Whole).await), ["2: 00420|1,5E+11|03/04/2020|-|"]);
}
