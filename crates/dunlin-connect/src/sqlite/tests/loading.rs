//! Refusals, receipts, constraints, bookkeeping.

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, StringArray};

use super::*;
use crate::{Committed, ConnectError, ForeignKey, Index, Load, Target, Unique, Violation};

fn people(ids: Vec<Option<i64>>, names: Vec<Option<&str>>) -> RecordBatch {
    RecordBatch::try_from_iter([
        ("id", Arc::new(Int64Array::from(ids)) as ArrayRef),
        ("name", Arc::new(StringArray::from(names)) as ArrayRef),
    ])
    .unwrap()
}

async fn begin(fixture: &Fixture, name: &str, part: &str) -> (Arc<dyn Target>, Box<dyn Load>) {
    let target = fixture.store.target().await.unwrap();
    target.prepare().await.unwrap();
    let load = target.begin(spec(&fixture.table(name).await, part)).await.unwrap();
    (target, load)
}

#[tokio::test]
async fn refused_rows_are_named_and_the_rest_is_kept() {
    let fixture = Fixture::with(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE ON CONFLICT REPLACE \
                              CONSTRAINT short CHECK (length(name) < 9)); INSERT INTO people VALUES (1, 'old')",
    )
    .await;
    let (_, mut load) = begin(&fixture, "people", "0").await;
    load.write(people(vec![Some(1), Some(2), None, Some(3)], vec![Some("a"), Some("old"), Some("b"), None]))
        .await
        .unwrap();
    load.write(people(vec![Some(4), Some(5)], vec![Some("far too long"), Some("fine")])).await.unwrap();
    let refused: Vec<String> = load
        .settle()
        .await
        .unwrap()
        .iter()
        .map(|r| format!("{} {} {:?} {:?}", r.ordinal, r.reason.code(), r.column, r.constraint))
        .collect();
    insta::assert_snapshot!(refused.join("\n"), @r#"
    0 unique Some("id") None
    1 unique Some("name") None
    2 not-null Some("id") None
    3 not-null Some("name") None
    4 check None None
    "#);
    assert_eq!(load.settle().await.unwrap(), []);
    load.commit(&receipt("people", "0", "{}")).await.unwrap();
    insta::assert_snapshot!(fixture.read("people").await.show(), @r#"
    1|old
    5|fine
    "#);
}

#[tokio::test]
async fn values_that_an_affinity_would_bend_are_refused() {
    let fixture = Fixture::with("CREATE TABLE t (code STRING, price DECIMAL(30,4), f REAL)").await;
    let (_, mut load) = begin(&fixture, "t", "0").await;
    let price = Decimal128Array::from(vec![12_5000, 10i128.pow(20) + 1, 10i128.pow(22), 1])
        .with_precision_and_scale(30, 4)
        .unwrap();
    let batch = RecordBatch::try_from_iter([
        ("code", Arc::new(StringArray::from(vec!["12", "x", "0012", "1.5"])) as ArrayRef),
        ("price", Arc::new(price) as ArrayRef),
        ("f", Arc::new(Float64Array::from(vec![1.0, 1.0, 1.0, -0.0])) as ArrayRef),
    ])
    .unwrap();
    load.write(batch).await.unwrap();
    let refused = load.settle().await.unwrap();
    let refused: Vec<_> = refused.iter().map(|r| (r.ordinal, r.reason.code(), r.column.as_deref())).collect();
    assert_eq!(
        refused,
        [
            (1, "would-change", Some("price")),
            (2, "would-change", Some("code")),
            (3, "would-change", Some("f"))
        ]
    );
    load.commit(&receipt("t", "0", "{}")).await.unwrap();
    assert_eq!(fixture.read("t").await.show(), "12|12.5000|1\n");
}

#[tokio::test]
async fn text_columns_of_another_type_are_read_as_that_type() {
    let fixture = Fixture::with("CREATE TABLE t (n INTEGER, day DATE)").await;
    let target = fixture.store.target().await.unwrap();
    target.prepare().await.unwrap();
    let mut spec = spec(&fixture.table("t").await, "0");
    spec.columns.iter_mut().for_each(|c| c.as_text = true);
    let mut load = target.begin(spec).await.unwrap();
    let batch = RecordBatch::try_from_iter([
        ("n", Arc::new(StringArray::from(vec!["5", "x"])) as ArrayRef),
        ("day", Arc::new(StringArray::from(vec!["2024-02-29", "2024-02-29"])) as ArrayRef),
    ])
    .unwrap();
    load.write(batch).await.unwrap();
    assert_eq!(load.settle().await.unwrap()[0].ordinal, 1);
    load.commit(&receipt("t", "0", "{}")).await.unwrap();
    assert_eq!(fixture.read("t").await.show(), "5|2024-02-29\n");
}

#[tokio::test]
async fn a_part_is_committed_once() {
    let fixture = Fixture::with("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)").await;
    let (target, mut load) = begin(&fixture, "people", "0").await;
    load.write(people(vec![Some(1)], vec![Some("a")])).await.unwrap();
    let first = receipt("people", "0", "{\"rows\":1}");
    assert_eq!(load.commit(&first).await.unwrap(), Committed::New);
    let (_, mut load) = begin(&fixture, "people", "0").await;
    load.write(people(vec![Some(2)], vec![Some("b")])).await.unwrap();
    assert_eq!(load.commit(&first).await.unwrap(), Committed::Already(first.clone()));
    let (_, load) = begin(&fixture, "people", "0").await;
    let other = receipt("people", "0", "{\"rows\":2}");
    assert!(matches!(load.commit(&other).await, Err(ConnectError::ReceiptDiffers { .. })));
    assert_eq!(target.receipts("r1").await.unwrap(), [first]);
    assert_eq!(target.receipts("r2").await.unwrap(), []);
    assert_eq!(fixture.read("people").await.rows(), 1);
}

#[tokio::test]
async fn what_is_not_committed_is_not_there() {
    let fixture = Fixture::with("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)").await;
    let (target, mut load) = begin(&fixture, "people", "0").await;
    load.write(people(vec![Some(1)], vec![Some("a")])).await.unwrap();
    drop(load);
    let (_, mut load) = begin(&fixture, "people", "1").await;
    load.write(people(vec![Some(2)], vec![Some("b")])).await.unwrap();
    load.abort().await.unwrap();
    assert_eq!(fixture.read("people").await.rows(), 0);
    assert_eq!(target.receipts("r1").await.unwrap(), []);
}

#[tokio::test]
async fn rows_are_deleted_by_their_positions() {
    let fixture = Fixture::with(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT); \
                                 INSERT INTO people VALUES (-5, 'a'), (7, 'b'), (8, 'c')",
    )
    .await;
    let read =
        collect(fixture.reader().await.read_addressed(fixture.table("people").await).await.unwrap()).await;
    let (_, mut load) = begin(&fixture, "people", "undo").await;
    assert_eq!(load.delete(&read.positions[..2]).await.unwrap(), 2);
    assert_eq!(load.delete(&read.positions[..1]).await.unwrap(), 0);
    load.commit(&receipt("people", "undo", "{}")).await.unwrap();
    assert_eq!(fixture.read("people").await.show(), "8|c\n");
}

#[tokio::test]
async fn a_table_with_triggers_is_not_written() {
    let fixture = Fixture::with(
        "CREATE TABLE t (a INTEGER); CREATE TABLE log (a); \
         CREATE TRIGGER watch AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END; \
         CREATE TRIGGER other AFTER UPDATE ON log BEGIN INSERT INTO log VALUES (1); END",
    )
    .await;
    let target = fixture.store.target().await.unwrap();
    target.prepare().await.unwrap();
    let Err(error) = target.begin(spec(&fixture.table("t").await, "0")).await else {
        panic!("it has a trigger")
    };
    insta::assert_snapshot!(format!("{error}\n{}", error.help().unwrap()), @r#"
    store `crm`: loading t through its triggers (watch) is not supported
    drop these triggers for the move and create them again after it
    "#);
    target.begin(spec(&fixture.table("log").await, "0")).await.unwrap().abort().await.unwrap();
}

async fn positions(violation: Violation) -> (String, Vec<u64>) {
    (violation.constraint, collect(violation.rows).await.positions)
}

#[tokio::test]
async fn what_stands_against_a_constraint_is_found() {
    let fixture = Fixture::with(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE c (pid INTEGER); \
         INSERT INTO p VALUES (1, 'a'), (2, 'b'), (3, 'a'), (4, NULL), (5, NULL), (6, 'a'); \
         INSERT INTO c VALUES (1), (9), (NULL), (2), (8)",
    )
    .await;
    let target = fixture.store.target().await.unwrap();
    let unique = Unique { name: None, columns: vec!["email".into()] };
    let found = target.unique_violators(fixture.table("p").await.as_ref(), &unique).await.unwrap();
    assert_eq!(positions(found).await, ("p(email)".into(), vec![3, 6]));
    let key = ForeignKey {
        name: Some("c_p".into()),
        columns: vec!["pid".into()],
        parent: TableName::bare("p"),
        parent_columns: vec!["id".into()],
        on_delete: "NO ACTION".into(),
        on_update: "NO ACTION".into(),
        deferrable: false,
        validated: true,
    };
    let found = target.foreign_key_violators(fixture.table("c").await.as_ref(), &key).await.unwrap();
    assert_eq!(positions(found).await, ("c_p".into(), vec![2, 5]));
}

#[tokio::test]
async fn indexes_are_made_or_their_failure_is_told() {
    let fixture = Fixture::with(
        "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (1); CREATE TABLE other (a); \
         CREATE INDEX taken ON other (a)",
    )
    .await;
    let target = fixture.store.target().await.unwrap();
    let mut table = Table::clone(fixture.table("t").await.as_ref());
    let index = |name: &str, unique, definition: Option<&str>| Index {
        name: name.into(),
        columns: if definition.is_some() { Vec::new() } else { vec!["a".into()] },
        unique,
        definition: definition.map(str::to_owned),
    };
    table.indexes = vec![
        index("taken", false, None),
        index("postgres", false, Some("CREATE INDEX postgres ON public.t USING btree (lower(a))")),
        index("strange", false, Some("CREATE INDEX strange ON t (no_such_function(a))")),
    ];
    target.complete(&table).await.unwrap();
    let made: Vec<String> = fixture.table("t").await.indexes.iter().map(|i| i.name.clone()).collect();
    assert_eq!(made, ["t_taken"]);
    table.indexes = vec![index("once", true, None)];
    let Err(error) = target.complete(&table).await else { panic!("there are two equal rows") };
    assert_eq!(error.to_string(), "store `crm`: create index once of t failed with code 2067");
}

#[tokio::test]
async fn a_database_that_is_being_read_keeps_its_mode() {
    let fixture = Fixture::with("CREATE TABLE t (a); PRAGMA journal_mode = DELETE").await;
    let reader = fixture.reader().await;
    let mode = async || -> String {
        let mut connection = fixture.file().write().await.unwrap();
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut connection).await.unwrap()
    };
    assert_eq!(mode().await, "delete");
    drop(reader);
    // The reader's connections close on threads of their own.
    while mode().await == "delete" {}
}

#[tokio::test]
async fn finishing_leaves_one_plain_file() {
    let fixture = Fixture::with(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT); PRAGMA journal_mode = DELETE",
    )
    .await;
    let (target, load) = begin(&fixture, "people", "0").await;
    load.commit(&receipt("people", "0", "{}")).await.unwrap();
    target.finish().await.unwrap();
    target.finish().await.unwrap();
    let folder = fixture.file().path.parent().unwrap().to_owned();
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(files, ["crm.db"]);
    let mut connection = fixture.file().read().await.unwrap();
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%dunlin%'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn doctor_is_told() {
    let fixture = Fixture::with("CREATE TABLE t (a)").await;
    let tables = [TableName::bare("t"), TableName::bare("gone")];
    let probes = fixture.store.probe(&tables, true).await;
    let shown: Vec<String> = probes.iter().map(|p| format!("{} {:?}", p.act, p.status)).collect();
    assert_eq!(shown, ["open Ok", "read t Ok", "read gone Fail", "write Ok"]);
    let new = Fixture::empty().await;
    assert_eq!(new.store.probe(&[], true).await.len(), 1);
    assert!(!new.file().path.exists());
}

/// A rowid that was freed is handed out again: the row that has it now is nobody's to delete.
#[tokio::test]
async fn only_what_is_meant_is_deleted() {
    let fixture = Fixture::with(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO people VALUES (7, 'b'), (8, 'c')",
    )
    .await;
    let table = fixture.table("people").await;
    let read = collect(fixture.reader().await.read_addressed(table.clone()).await.unwrap()).await;
    let meant: crate::Meant = Arc::new(|batch| {
        let names = batch.rows.column(1).as_any().downcast_ref::<arrow::array::StringArray>();
        names.is_some_and(|n| n.iter().all(|n| n == Some("b") || n == Some("c")))
    });
    fixture.run("DELETE FROM people WHERE id = 8; INSERT INTO people VALUES (8, 'other')").await;
    let (target, mut load) = begin(&fixture, "people", "undo").await;
    let refused = load.delete_meant(&table, &read.positions, &meant).await;
    assert!(matches!(refused, Err(crate::ConnectError::Changed { .. })), "{refused:?}");
    let _ = load.abort().await;
    let refused = target.erase(&table, &read.positions, &meant).await;
    assert!(matches!(refused, Err(crate::ConnectError::Changed { .. })), "{refused:?}");
    assert_eq!(fixture.read("people").await.show(), "7|b\n8|other\n");
    assert_eq!(target.erase(&table, &read.positions[..1], &meant).await.unwrap(), 1);
    assert_eq!(fixture.read("people").await.show(), "8|other\n");
}

#[tokio::test]
async fn two_tables_in_one_transaction_are_there_together_or_not_at_all() {
    let sql = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT)";
    let fixture = Fixture::with(sql).await;
    let pets = fixture.table("pets").await;
    for keep in [false, true] {
        let (target, mut load) = begin(&fixture, "people", "0").await;
        load.write(people(vec![Some(1)], vec![Some("a")])).await.unwrap();
        assert_eq!(load.settle().await.unwrap(), []);
        let mut load = load.also(&receipt("people", "0", "{}"), spec(&pets, "0")).await.unwrap();
        load.write(people(vec![Some(7)], vec![Some("rex")])).await.unwrap();
        assert_eq!(load.settle().await.unwrap(), []);
        if keep {
            load.commit(&receipt("pets", "0", "{}")).await.unwrap();
        } else {
            load.abort().await.unwrap();
        }
        let there = (fixture.read("people").await.rows(), fixture.read("pets").await.rows());
        assert_eq!(there, if keep { (1, 1) } else { (0, 0) });
        assert_eq!(target.receipts("r1").await.unwrap().len(), if keep { 2 } else { 0 });
    }
}
