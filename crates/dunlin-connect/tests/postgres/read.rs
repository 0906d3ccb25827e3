//! Reading: splits, snapshots, odd tables, rights.

use std::collections::HashSet;

use dunlin_connect::{ConnectError, ProbeStatus, Reason};

use super::*;

async fn read_splits(scene: &Scene, name: &str, rows_per_split: u64) -> (Vec<Bounds>, usize) {
    let table = scene.table(name).await;
    let reader = scene.store.reader().await.unwrap();
    let splits = reader.splits(&table, rows_per_split, &[]).await.unwrap();
    let mut count = 0;
    let mut sum = RowHash::EMPTY;
    for split in &splits {
        let batches = read_all(reader.as_ref(), &table, split.clone()).await;
        count += rows(&batches);
        sum += hash(&batches);
    }
    assert_eq!(sum, hash(&read_all(reader.as_ref(), &table, Bounds::Whole).await));
    assert_eq!(reader.count(&table).await.unwrap(), count as u64);
    (splits, count)
}

#[tokio::test]
async fn splits_hold_every_row_once() {
    let setup = "CREATE TABLE k (id int PRIMARY KEY, t text);
        INSERT INTO k SELECT i * i, 'row ' || i FROM generate_series(1, 10000) i; ANALYZE k;
        CREATE TABLE b (t text); INSERT INTO b SELECT repeat('x', i % 50) FROM generate_series(1, 10000) i; ANALYZE b;
        CREATE TABLE e (id int PRIMARY KEY);
        CREATE TABLE p (id int PRIMARY KEY, t text) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
        CREATE TABLE p2 PARTITION OF p DEFAULT;
        INSERT INTO p SELECT i, 'x' FROM generate_series(1, 1000) i;
        CREATE VIEW v AS SELECT * FROM k WHERE id < 100;
        CREATE TABLE kid (more text) INHERITS (b); INSERT INTO kid VALUES ('a', 'b')";
    let Some(scene) = scene("splits", setup).await else { return };
    let (splits, count) = read_splits(&scene, "k", 1_000).await;
    assert_eq!((splits.len(), count), (10, 10_000));
    // The histogram makes them alike though the keys are not.
    let reader = scene.store.reader().await.unwrap();
    let table = scene.table("k").await;
    let middle = rows(&read_all(reader.as_ref(), &table, splits[5].clone()).await);
    assert!((500..2_000).contains(&middle), "{middle}");
    let (splits, count) = read_splits(&scene, "b", 1_000).await;
    assert!(matches!(splits[0], Bounds::Blocks { .. }) && splits.len() > 5, "{splits:?}");
    assert_eq!(count, 10_000, "children of an inheriting table are tables of their own");
    assert_eq!(read_splits(&scene, "e", 10).await.1, 0);
    assert_eq!(read_splits(&scene, "p", 100).await.1, 1_000);
    assert_eq!(read_splits(&scene, "v", 100).await, (vec![Bounds::Whole], 9));
    let names: Vec<_> = scene.store.tables().await.unwrap().iter().map(|t| t.name.clone()).collect();
    assert_eq!(names, ["b", "e", "k", "kid", "p"]);

    // Borders stay as the table grows.
    let kept = reader.splits(&table, 1_000, &[]).await.unwrap();
    scene
        .sql
        .batch_execute("INSERT INTO k SELECT 200000000 + i FROM generate_series(1, 5000) i")
        .await
        .unwrap();
    let later = scene.store.reader().await.unwrap();
    let grown = later.splits(&table, 1_000, &kept).await.unwrap();
    assert!(grown.len() > kept.len());
    assert_eq!(grown[..9], kept[..9]);
}

#[tokio::test]
async fn a_reader_sees_one_moment() {
    let Some(scene) = scene("snapshot", "CREATE TABLE t AS SELECT 1 AS a").await else { return };
    let table = scene.table("t").await;
    let reader = scene.store.reader().await.unwrap();
    scene.sql.batch_execute("INSERT INTO t VALUES (2)").await.unwrap();
    assert_eq!(reader.count(&table).await.unwrap(), 1);
    assert_eq!(rows(&read_all(reader.as_ref(), &table, Bounds::Whole).await), 1);
    // Given up half-way, a read does no harm to the next.
    drop(reader.read(ReadRequest::all(table.clone(), Bounds::Whole)).await.unwrap());
    assert_eq!(rows(&read_all(reader.as_ref(), &table, Bounds::Whole).await), 1);
    assert_eq!(scene.store.reader().await.unwrap().count(&table).await.unwrap(), 2);
}

#[tokio::test]
async fn a_table_that_is_rewritten_under_the_snapshot_is_not_read_as_empty() {
    for act in
        ["ALTER TABLE t ALTER a TYPE real", "TRUNCATE t", "ALTER TABLE p1 ALTER b TYPE text", "TRUNCATE p1"]
    {
        let setup =
            "CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE p (a int, b varchar(9)) PARTITION BY LIST (a);
            CREATE TABLE p1 PARTITION OF p DEFAULT; INSERT INTO p VALUES (1, 'x')";
        let Some(scene) = scene("rewritten", setup).await else { return };
        let table = scene.table(if act.contains("p1") { "p" } else { "t" }).await;
        let reader = scene.store.reader().await.unwrap();
        let started = scene.sql.batch_execute(act).await;
        match (started, reader.count(&table).await) {
            (Ok(()), Err(ConnectError::Changed { .. })) => {}
            // The server itself does not let a partition differ from its table.
            (Err(_), Ok(1)) => assert!(act.starts_with("ALTER TABLE p1")),
            (_, other) => panic!("{act}: {other:?}"),
        }
        // What was described before is not read by that description.
        if act == "ALTER TABLE t ALTER a TYPE real" {
            let after = scene.store.reader().await.unwrap().count(&table).await;
            assert!(matches!(after, Err(ConnectError::Changed { .. })), "{after:?}");
        }
    }
}

#[tokio::test]
async fn values_arrow_cannot_hold_are_bad_rows() {
    let setup = "CREATE TABLE t (id int, d numeric(10,2), ts timestamp);
        INSERT INTO t VALUES (1, 1, '2020-01-01'), (2, 'NaN', '2020-01-01'), (3, 1, '294276-12-31'), (4, NULL, NULL)";
    let Some(scene) = scene("bad_rows", setup).await else { return };
    let table = scene.table("t").await;
    let reader = scene.store.reader().await.unwrap();
    let batches = read_all(reader.as_ref(), &table, Bounds::Whole).await;
    assert_eq!(batches[0].positions, [1, 4]);
    let bad: Vec<_> = batches[0].bad.iter().map(|b| (b.position, b.reason, b.column)).collect();
    assert_eq!(bad, [(2, Reason::OutOfRange, Some(1)), (3, Reason::OutOfRange, Some(2))]);
    assert_eq!(batches[0].bad[1].fields[0].as_deref(), Some(&[0, 0, 0, 3][..]));
}

#[tokio::test]
async fn addresses_find_rows_again_also_in_partitions() {
    let setup = "CREATE TABLE p (id int, t text) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
        CREATE TABLE p2 PARTITION OF p DEFAULT;
        INSERT INTO p SELECT i, 'x' FROM generate_series(1, 200) i;
        CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 2000) i";
    let Some(scene) = scene("addresses", setup).await else { return };
    let target = scene.target().await;
    for (name, total) in [("p", 200), ("t", 2_000)] {
        let table = scene.table(name).await;
        let reader = scene.store.reader().await.unwrap();
        let batches = collect(reader.read_addressed(table.clone()).await.unwrap()).await;
        let positions: Vec<u64> = batches.iter().flat_map(|b| b.positions.clone()).collect();
        assert_eq!(positions.iter().collect::<HashSet<_>>().len(), total);
        let odd: Vec<u64> = positions.iter().copied().step_by(2).collect();
        let spec = spec(&table, "0");
        let mut load = target.begin(spec.clone()).await.unwrap();
        assert_eq!(load.delete(&odd).await.unwrap(), total as u64 / 2);
        load.commit(&receipt(&spec, "{}")).await.unwrap();
        assert_eq!(
            scene.number(&format!("SELECT count(*) FROM {name} WHERE id % 2 = 0")).await,
            total as i64 / 2
        );
    }
}

/// A place that was freed is handed out again: the row that has it now is nobody's to delete.
#[tokio::test]
async fn only_what_is_meant_is_deleted() {
    let setup = "CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'a'), (2, 'b');
        CREATE TABLE p (id int, name text) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); CREATE TABLE p2 PARTITION OF p DEFAULT;
        INSERT INTO p VALUES (200, 'c'), (1, 'a'), (2, 'b')";
    let Some(scene) = scene("meant", setup).await else { return };
    let target = scene.target().await;
    let meant: dunlin_connect::Meant = Arc::new(|batch| {
        let names = batch.rows.column(1).as_any().downcast_ref::<arrow::array::StringArray>();
        names.is_some_and(|n| n.iter().all(|n| n != Some("other")))
    });
    for (name, total) in [("t", 2), ("p", 3)] {
        let table = scene.table(name).await;
        let reader = scene.store.reader().await.unwrap();
        let batches = collect(reader.read_addressed(table.clone()).await.unwrap()).await;
        let positions: Vec<u64> = batches.iter().flat_map(|b| b.positions.clone()).collect();
        drop(reader);
        let place = async |of: &str| {
            let query = format!("SELECT ctid::text FROM {name} WHERE name = '{of}'");
            scene.sql.query_one(&query, &[]).await.unwrap().get::<_, String>(0)
        };
        let was = place("b").await;
        for step in ["DELETE FROM %T WHERE name = 'b'", "VACUUM %T", "INSERT INTO %T VALUES (3, 'other')"] {
            scene.sql.batch_execute(&step.replace("%T", name)).await.unwrap();
        }
        let now = place("other").await;
        assert_eq!(now, was, "the test needs the place to be handed out again");
        let spec = spec(&table, "0");
        let mut load = target.begin(spec.clone()).await.unwrap();
        let refused = load.delete_meant(&table, &positions, &meant).await;
        assert!(matches!(refused, Err(ConnectError::Changed { .. })), "{refused:?}");
        load.abort().await.unwrap();
        let refused = target.erase(&table, &positions, &meant).await;
        assert!(matches!(refused, Err(ConnectError::Changed { .. })), "{refused:?}");
        assert_eq!(scene.number(&format!("SELECT count(*) FROM {name}")).await, total);
        let anything: dunlin_connect::Meant = Arc::new(|_| true);
        assert_eq!(target.erase(&table, &positions, &anything).await.unwrap(), total as u64);
        assert_eq!(scene.number(&format!("SELECT count(*) FROM {name}")).await, 0);
    }
}

#[tokio::test]
async fn rows_that_a_policy_hides_are_an_error() {
    let setup = "DROP ROLE IF EXISTS dunlin_policy; CREATE ROLE dunlin_policy LOGIN PASSWORD 'canary';
        CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE closed (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
        GRANT SELECT ON t TO dunlin_policy";
    let Some(scene) = scene("policy", setup).await else { return };
    let (_, place) = scene.url.split_once('@').expect("a user in the URL");
    let url = format!("postgres://dunlin_policy:canary@{place}");
    let store = store(&url).await;
    let table = Arc::new(store.table(&table_name("t")).await.unwrap().unwrap());
    let closed = Arc::new(store.table(&table_name("closed")).await.unwrap().unwrap());
    let reader = store.reader().await.unwrap();
    let failing = |table: &Arc<Table>| reader.read(ReadRequest::all(table.clone(), Bounds::Whole));
    let mut seen = Vec::new();
    for table in [&table, &closed] {
        let outcome = match failing(table).await {
            Ok(stream) => stream.try_collect::<Vec<_>>().await.err(),
            Err(error) => Some(error),
        };
        match outcome {
            Some(ConnectError::Permission { act, grant, .. }) => seen.push((act, grant)),
            other => panic!("{other:?}"),
        }
    }
    let want = [
        ("read public.t", "ALTER ROLE \"dunlin_policy\" BYPASSRLS;"),
        ("read public.closed", "GRANT SELECT ON \"public\".\"closed\" TO \"dunlin_policy\";"),
    ];
    assert_eq!(seen, want.map(|(a, b)| (a.to_owned(), b.to_owned())));

    let probes = store.probe(&[table_name("t"), table_name("closed")], true).await;
    let lines: Vec<_> = probes.iter().map(|p| (p.act.as_str(), p.status, p.help.as_deref())).collect();
    assert!(lines.contains(&("read public.closed", ProbeStatus::Fail, Some(want[1].1))), "{lines:?}");
    assert!(lines.contains(&("read public.t", ProbeStatus::Fail, Some(want[0].1))), "{lines:?}");
    assert!(!format!("{probes:?}").contains("canary"));
    drop(reader);
    drop(store);
    scene.sql.batch_execute("DROP OWNED BY dunlin_policy; DROP ROLE dunlin_policy").await.unwrap();
}

#[tokio::test]
async fn mistakes_in_the_url_are_told_apart() {
    let Some(scene) = scene("mistakes", "").await else { return };
    let error = |url: String| async move {
        open("atlas", &url, &OpenOptions::default()).await.err().expect("an error")
    };
    let missing = error(format!("{}_gone", scene.url)).await;
    assert!(matches!(missing, ConnectError::Missing { .. }), "{missing}");
    let nobody = error("postgres://ana:canary@127.0.0.1:1/crm".into()).await;
    assert!(matches!(nobody, ConnectError::Unreachable { .. }), "{nobody}");
    assert_eq!(nobody.to_string(), "store `atlas` could not be reached: nobody answers at 127.0.0.1:1");
    // The test server speaks no TLS, so whoever demands it gets no clear connection instead.
    let clear = error(format!("{}?sslmode=require", scene.url)).await;
    assert!(matches!(clear, ConnectError::Unreachable { .. }), "{clear}");
    assert!(scene.store.identity().await.unwrap().starts_with("postgresql:"));
}
