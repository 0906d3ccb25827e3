//! Columns that hold what their type does not say.

use super::*;
use crate::{ColumnType, ConnectError};

#[tokio::test]
async fn each_value_is_judged_by_its_class() {
    let fixture = Fixture::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT, price DECIMAL(7,2), any NUMERIC, ok BOOLEAN, day DATE, \
                         at DATETIME, name TEXT, photo BLOB, loose, f REAL); \
         INSERT INTO t (id, n, name) VALUES (1, 'abc', 'text in an integer'); \
         INSERT INTO t (id, n) VALUES (2, 1.5); \
         INSERT INTO t (id, price) VALUES (3, 0.99), (4, 0.999), (5, 123456), (6, 12), (7, '12,50'); \
         INSERT INTO t (id, any) VALUES (8, 1e25), (9, 0.1), (10, 7), (11, 'x'); \
         INSERT INTO t (id, ok) VALUES (12, 1), (13, 'false'), (14, 2), (15, 'yes'); \
         INSERT INTO t (id, day) VALUES (16, '2024-02-29'), (17, 20240229), (18, '29/02/2024'), (19, '2023-02-29'); \
         INSERT INTO t (id, at) VALUES (20, '2024-02-29T10:00:00.5'), (21, 1709200000), (22, '2024-02-29'); \
         INSERT INTO t (id, name) VALUES (23, CAST(x'ff41' AS TEXT)), (24, x'41'), (25, 'a' || char(0) || 'b'), (26, 5); \
         INSERT INTO t (id, photo) VALUES (27, x'00ff'), (28, 'text'), (29, x''); \
         INSERT INTO t (id, loose) VALUES (30, 1), (31, 2.0), (32, 'x'), (33, x'00'); \
         INSERT INTO t (id, f) VALUES (34, 1), (35, 'NaN'), (36, 9e999), (37, 'x'); \
         INSERT INTO t (id, n) VALUES (38, 9223372036854775808), (39, -9223372036854775808);",
    )
    .await;
    insta::assert_snapshot!(fixture.read("t").await.show(), @r#"
    3|~|0.99|~|~|~|~|~|~|~|~
    6|~|12.00|~|~|~|~|~|~|~|~
    8|~|~|10000000000000000000000000|~|~|~|~|~|~|~
    9|~|~|0.1|~|~|~|~|~|~|~
    10|~|~|7|~|~|~|~|~|~|~
    12|~|~|~|true|~|~|~|~|~|~
    13|~|~|~|false|~|~|~|~|~|~
    16|~|~|~|~|2024-02-29|~|~|~|~|~
    20|~|~|~|~|~|2024-02-29 10:00:00.5|~|~|~|~
    22|~|~|~|~|~|2024-02-29 00:00:00|~|~|~|~
    25|~|~|~|~|~|~|a\0b|~|~|~
    26|~|~|~|~|~|~|5|~|~|~
    27|~|~|~|~|~|~|~|\x00ff|~|~
    29|~|~|~|~|~|~|~|\x|~|~
    30|~|~|~|~|~|~|~|~|1|~
    31|~|~|~|~|~|~|~|~|2.0|~
    32|~|~|~|~|~|~|~|~|x|~
    34|~|~|~|~|~|~|~|~|~|1
    35|~|~|~|~|~|~|~|~|~|NaN
    36|~|~|~|~|~|~|~|~|~|Infinity
    39|-9223372036854775808|~|~|~|~|~|~|~|~|~
    bad 1 wrong-type 1 1|abc|~|~|~|~|~|text in an integer|~|~|~
    bad 2 wrong-type 1 2|1.5|~|~|~|~|~|~|~|~|~
    bad 4 would-change 2 4|~|0.999|~|~|~|~|~|~|~|~
    bad 5 out-of-range 2 5|~|123456|~|~|~|~|~|~|~|~
    bad 7 wrong-type 2 7|~|12,50|~|~|~|~|~|~|~|~
    bad 11 wrong-type 3 11|~|~|x|~|~|~|~|~|~|~
    bad 14 wrong-type 4 14|~|~|~|2|~|~|~|~|~|~
    bad 15 wrong-type 4 15|~|~|~|yes|~|~|~|~|~|~
    bad 17 wrong-type 5 17|~|~|~|~|20240229|~|~|~|~|~
    bad 18 wrong-type 5 18|~|~|~|~|29/02/2024|~|~|~|~|~
    bad 19 out-of-range 5 19|~|~|~|~|2023-02-29|~|~|~|~|~
    bad 21 wrong-type 6 21|~|~|~|~|~|1709200000|~|~|~|~
    bad 23 invalid-encoding 7 23|~|~|~|~|~|~|\xffA|~|~|~
    bad 24 wrong-type 7 24|~|~|~|~|~|~|A|~|~|~
    bad 28 wrong-type 8 28|~|~|~|~|~|~|~|text|~|~
    bad 33 wrong-type 9 33|~|~|~|~|~|~|~|~|\x00|~
    bad 37 wrong-type 10 37|~|~|~|~|~|~|~|~|~|x
    bad 38 out-of-range 1 38|9.223372036854776e18|~|~|~|~|~|~|~|~|~
    "#);
}

#[tokio::test]
async fn opaque_and_typed_columns_can_be_read_as_text() {
    let fixture = Fixture::with(
        "CREATE TABLE t (day DATE, photo BLOB); INSERT INTO t VALUES ('2024-02-29', x'00ff'), (NULL, NULL)",
    )
    .await;
    let mut request = ReadRequest::all(fixture.table("t").await, Bounds::Whole);
    request.columns.iter_mut().for_each(|c| c.as_text = true);
    let read = collect(fixture.reader().await.read(request).await.unwrap()).await;
    insta::assert_snapshot!(read.show(), @r#"
    2024-02-29|\x00ff
    ~|~
    "#);
}

#[tokio::test]
async fn a_generated_column_is_read_and_marked() {
    let fixture = Fixture::with(
        "CREATE TABLE t (a INTEGER, b INTEGER GENERATED ALWAYS AS (a * 2) VIRTUAL, c TEXT AS ('x' || a) STORED); \
         INSERT INTO t (a) VALUES (4)",
    )
    .await;
    let table = fixture.table("t").await;
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|c| format!("{} {:?} {} {:?}", c.name, c.declared, c.ty, c.generated))
        .collect();
    insta::assert_snapshot!(columns.join("\n"), @r#"
    a "INTEGER" int64 None
    b "INTEGER" int64 Some(Virtual)
    c "TEXT" text Some(Stored)
    "#);
    insta::assert_snapshot!(fixture.read("t").await.show(), @r#"
    4|8|x4
    "#);
}

#[tokio::test]
async fn views_and_tables_without_rowid_are_read_whole() {
    let fixture = Fixture::with(
        "CREATE TABLE k (code TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID; INSERT INTO k VALUES ('b', 2), ('a', 1); \
         CREATE VIEW v AS SELECT code, n * 10 AS tens FROM k; CREATE VIRTUAL TABLE f USING fts5(body); \
         CREATE TABLE _dunlin_receipt (x)",
    )
    .await;
    let names: Vec<String> = fixture.store.tables().await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["k"]);
    let reader = fixture.reader().await;
    for name in ["k", "v"] {
        let table = fixture.table(name).await;
        assert_eq!(reader.splits(&table, 1, &[]).await.unwrap(), [Bounds::Whole]);
        assert_eq!(reader.count(&table).await.unwrap(), 2);
        assert!(matches!(reader.read_addressed(table).await, Err(ConnectError::Unsupported { .. })));
    }
    insta::assert_snapshot!(fixture.read("k").await.show(), @r#"
    a|1
    b|2
    "#);
    insta::assert_snapshot!(fixture.read("v").await.show(), @r#"
    a|10
    b|20
    "#);
}

#[tokio::test]
async fn a_missing_file_is_told_and_not_made() {
    let fixture = Fixture::empty().await;
    let Err(error) = fixture.store.tables().await else { panic!("there is no file") };
    insta::assert_snapshot!(format!("{error}\n{}", error.help().unwrap()), @r#"
    store `crm`: the database file does not exist
    check the store's path; a relative one starts from the plan's folder
    "#);
    assert!(matches!(fixture.store.reader().await, Err(ConnectError::Missing { .. })));
    assert!(!fixture.file().path.exists());
    let before = fixture.store.identity().await.unwrap();
    assert!(before.starts_with("sqlite:/") && before.ends_with("/data/crm.db"), "{before}");
    fixture.run("CREATE TABLE t (a)").await;
    assert_eq!(fixture.store.identity().await.unwrap(), before);
}

#[tokio::test]
async fn paths_start_from_the_plans_folder_unless_absolute() {
    let fixture = Fixture::with("CREATE TABLE t (a)").await;
    let path = fixture.file().path;
    for url in [format!("sqlite:{}", path.display()), format!("sqlite://{}", path.display())] {
        let store = crate::open("crm", &url, &OpenOptions::default()).await.unwrap();
        assert_eq!(store.identity().await.unwrap(), fixture.store.identity().await.unwrap());
        assert_eq!(store.tables().await.unwrap().len(), 1);
    }
    for url in ["sqlite:", "sqlite:folder/", "sqlite::memory:", "sqlite:a.db?mode=rwc"] {
        let opened = crate::open("crm", url, &OpenOptions::default()).await;
        assert!(matches!(opened, Err(ConnectError::Url { .. })), "{url}");
    }
}

#[tokio::test]
async fn text_kept_as_utf16_is_read_as_utf8() {
    let sql = "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('žluť 🐦')";
    let fixture = Fixture::with(sql).await;
    assert_eq!(fixture.read("t").await.show(), "žluť 🐦\n");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told() {
    let fixture = Fixture::empty().await;
    let path = fixture.file().path;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "customer;secret\n".repeat(100)).unwrap();
    let Err(error) = fixture.store.tables().await else { panic!("this is no database") };
    insta::assert_snapshot!(error.to_string(), @r#"
    store `crm`: a file that is not a SQLite 3 database (or is encrypted) is not supported
    "#);
}

#[tokio::test]
async fn a_read_only_source_is_read_and_stays_as_it_is() {
    let fixture = Fixture::with("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (2)").await;
    let path = fixture.file().path;
    let folder = path.parent().unwrap().to_owned();
    let before = std::fs::read(&path).unwrap();
    let set = |mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set(0o555);
    let read = fixture.read("t").await;
    set(0o755);
    assert_eq!(read.rows(), 2);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_reader_sees_one_moment() {
    let fixture = Fixture::with("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)").await;
    let table = fixture.table("t").await;
    assert_eq!(table.columns[0].ty, ColumnType::Int64);
    let reader = fixture.reader().await;
    fixture.run("INSERT INTO t VALUES (2)").await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(reader.read(ReadRequest::all(Arc::clone(&table), Bounds::Whole)).await.unwrap());
    }
    for stream in streams {
        assert_eq!(collect(stream).await.rows(), 1);
    }
    assert_eq!(fixture.reader().await.count(&table).await.unwrap(), 2);
}
