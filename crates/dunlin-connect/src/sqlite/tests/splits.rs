//! Every row is in exactly one split.

use std::collections::BTreeSet;

use super::*;

/// Reads all splits and checks that each row came once.
async fn check(reader: &dyn Reader, table: &Arc<Table>, splits: &[Bounds]) {
    let mut seen = BTreeSet::new();
    for bounds in splits {
        let request = ReadRequest::all(Arc::clone(table), bounds.clone());
        for position in collect(reader.read(request).await.unwrap()).await.positions {
            assert!(seen.insert(position as i64), "a row came twice");
        }
    }
    assert_eq!(seen.len() as u64, reader.count(table).await.unwrap());
}

#[tokio::test]
async fn dense_and_thin_keys_are_cut_evenly() {
    let fixture = Fixture::with(
        "CREATE TABLE dense (id INTEGER PRIMARY KEY, a); \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO dense SELECT i, i FROM n; \
         CREATE TABLE thin (id INTEGER PRIMARY KEY, rowid TEXT); \
         INSERT INTO thin SELECT iif(id % 2, id, -id) * id * 1000003, 'x' FROM dense; \
         INSERT INTO thin VALUES (9223372036854775807, 'y'), (-9223372036854775808, 'z'); \
         CREATE TABLE none (a)",
    )
    .await;
    let reader = fixture.reader().await;
    for name in ["dense", "thin"] {
        let table = fixture.table(name).await;
        let splits = reader.splits(&table, 100, &[]).await.unwrap();
        assert!((10..=11).contains(&splits.len()), "{name}: {}", splits.len());
        check(reader.as_ref(), &table, &splits).await;
    }
    let none = fixture.table("none").await;
    let splits = reader.splits(&none, 100, &[]).await.unwrap();
    assert_eq!(splits, [Bounds::Key { column: "rowid".into(), from: None, to: None }]);
}

#[tokio::test]
async fn borders_stay_and_only_the_open_end_is_cut() {
    let fixture = Fixture::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY); \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO t SELECT i FROM n",
    )
    .await;
    let table = fixture.table("t").await;
    let first = fixture.reader().await.splits(&table, 100, &[]).await.unwrap();
    fixture.run("INSERT INTO t SELECT id + 300 FROM t").await;
    let reader = fixture.reader().await;
    let second = reader.splits(&table, 100, &first).await.unwrap();
    assert_eq!(first[..first.len() - 1], second[..first.len() - 1]);
    assert!(second.len() > first.len());
    check(reader.as_ref(), &table, &second).await;
}

#[tokio::test]
async fn a_split_by_a_dirty_column_loses_nothing() {
    let fixture = Fixture::with(
        "CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1), (5), (NULL), ('x'), (x'00'), (9)",
    )
    .await;
    let (table, reader) = (fixture.table("t").await, fixture.reader().await);
    let mut rows = 0;
    for (from, to) in [(None, Some(5)), (Some(5), Some(6)), (Some(6), None)] {
        let bounds = Bounds::Key { column: "n".into(), from, to };
        let read = collect(reader.read(ReadRequest::all(Arc::clone(&table), bounds)).await.unwrap()).await;
        rows += read.rows() + read.bad.len();
    }
    assert_eq!(rows, 6);
}

#[tokio::test]
async fn more_streams_than_connections_and_dropped_ones_do_not_block() {
    let fixture = Fixture::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY); \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t SELECT i FROM n",
    )
    .await;
    let (table, reader) = (fixture.table("t").await, fixture.reader().await);
    for _ in 0..40 {
        let mut request = ReadRequest::all(Arc::clone(&table), Bounds::Whole);
        request.batch_rows = 1;
        drop(reader.read(request).await.unwrap());
    }
    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(reader.read(ReadRequest::all(Arc::clone(&table), Bounds::Whole)).await.unwrap());
    }
    for stream in open {
        assert_eq!(collect(stream).await.rows(), 500);
    }
}
