//! What is said when things go wrong: enough to mend it, and never a value.

use std::fs;

use super::targets::{folder, people, spec, text_batch};
use super::*;
use crate::files::location::Location;
use crate::files::part::PartWriter;
use crate::{Column, ColumnType, ConnectError, FileFormat};

const CANARY: &str = "canary4711";

/// Opens, describes and reads a store, and gives every word that was said about it.
async fn said(dir: &Path, url: &str, options: OpenOptions) -> String {
    let options = OpenOptions { base: dir.to_owned(), ..options };
    let store = match crate::files::open("s", url, &options).await {
        Ok(store) => store,
        Err(error) => return format!("{error}; {}", error.help().unwrap()),
    };
    let mut out = String::new();
    let names = match store.tables().await {
        Ok(names) => names,
        Err(error) => return format!("{error}; {}", error.help().unwrap()),
    };
    for name in names {
        match store.table(&name).await {
            Err(error) => out += &format!("{error}; {}", error.help().unwrap_or_default()),
            Ok(table) => {
                let mut columns = table.unwrap();
                columns.columns.iter_mut().for_each(|c| c.ty = ColumnType::Int16);
                let reader = store.reader().await.unwrap();
                let request = ReadRequest::all(Arc::new(columns), Bounds::Whole);
                let mut stream = reader.read(request).await.unwrap();
                while let Some(batch) = stream.next().await {
                    out += &batch.map_or_else(|e| e.to_string(), |b| format!("{:?}", b.bad));
                }
            }
        }
    }
    out
}

#[tokio::test]
async fn no_error_carries_a_value() {
    for (name, text) in [
        ("p.csv", format!("a,b\n{CANARY},\"x\"{CANARY}\n{CANARY},1\n{CANARY}\n")),
        ("p.csv", format!("\"{CANARY}\"x,b\n1,2\n")),
        ("p.jsonl", format!("{{\"a\":\"{CANARY}\"}}\n{{\"a\":{CANARY}}}\n")),
        ("p.parquet", format!("PAR1{CANARY}PAR1")),
    ] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(name), text).unwrap();
        let said = said(dir.path(), name, OpenOptions::default()).await;
        assert!(!said.is_empty(), "{name} says something");
        assert!(!said.contains(CANARY), "{name}: {said}");
    }
}

#[tokio::test]
async fn errors_say_how_to_mend_them() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["twin.csv", "twin.jsonl", "empty/e.csv"] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }
    let mut all = Vec::new();
    for (url, encoding) in
        [("./", None), ("empty/e.csv", None), ("x.csv", Some("iso-2022-jp")), ("x.doc", None)]
    {
        let options = OpenOptions { encoding: encoding.map(str::to_owned), ..OpenOptions::default() };
        all.push(said(dir.path(), url, options).await);
    }
    insta::assert_snapshot!(all.join("\n"), @r"
    store `s`: two files for one table `twin` is not supported; rename one of them, or name the file itself in the store's URL
    store `s`: e.csv, which is empty and so has no columns, is not supported; add a header line
    store `s`: the encoding ISO-2022-JP is not supported; convert the file to UTF-8 first, e.g. with `iconv`
    store `s`: the ending of x.doc tells no format; set the store's `format` to `csv`, `jsonl` or `parquet`
    ");
}

#[tokio::test]
async fn tables_are_found_by_their_name_or_the_only_one_by_the_stores() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("p.csv"), "a\n1\n").unwrap();
    let store = store(dir.path(), "p.csv").await;
    assert_eq!(store.table(&TableName::bare("s")).await.unwrap().unwrap().name, TableName::bare("p"));
    assert!(store.table(&TableName::bare("q")).await.unwrap().is_none());
    let probes = store.probe(&[TableName::bare("p"), TableName::bare("q")], true).await;
    let told: Vec<String> =
        probes.iter().map(|p| format!("{:?} {}: {}", p.status, p.act, p.detail)).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    Ok read p: 1 columns, 4 bytes
    Ok write into the folder: a file could be written and removed
    ");
    let target = store.target().await.unwrap();
    let other = Table::new(TableName::bare("q"), vec![Column::new("a", ColumnType::TEXT)]);
    insta::assert_snapshot!(target.create(&other).await.unwrap_err(), @"store `s`: a table q in a store that is one file is not supported");
}

#[tokio::test]
async fn columns_of_another_type_end_the_load() {
    let dir = tempfile::tempdir().unwrap();
    let store = folder(dir.path(), FileFormat::Csv).await;
    let target = store.target().await.unwrap();
    let table = people();
    target.create(&table).await.unwrap();
    let mut load = target.begin(spec(&table, "0", false)).await.unwrap();
    let ids = Arc::new(arrow::array::BooleanArray::from(vec![true])) as arrow::array::ArrayRef;
    let names = text_batch(&table, &[&[None, Some("a")]]).column(1).clone();
    let batch = arrow::array::RecordBatch::try_from_iter([("id", ids), ("name", names)]).unwrap();
    assert!(load.write(batch).await.is_err());
    load.abort().await.unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_as_such() {
    for ending in ["csv", "jsonl", "parquet"] {
        let location = Location::parse("s", &format!("/none/t.{ending}"), &OpenOptions::default()).unwrap();
        let table = people();
        let home = location.writable(&table.name).unwrap();
        let full = Path::new("/dev/full");
        let ended = PartWriter::create("s", &home, &table, full).and_then(|mut writer| {
            writer.write(&arrow::array::RecordBatch::new_empty(table.arrow_schema()))?;
            // An empty JSON Lines file writes nothing that could fail.
            let rows = arrow::array::RecordBatch::try_new(
                table.arrow_schema(),
                vec![
                    Arc::new(arrow::array::Int64Array::from(vec![1])),
                    Arc::new(arrow::array::StringArray::from(vec!["a"])),
                ],
            );
            writer.write(&rows.unwrap())?;
            writer.finish()
        });
        assert!(matches!(ended.err(), Some(ConnectError::Full { .. })), "{ending}");
    }
}
