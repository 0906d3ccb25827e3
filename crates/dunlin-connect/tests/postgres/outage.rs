//! Servers that die, and failpoints around a commit.

use super::*;

#[tokio::test]
async fn a_killed_server_is_a_transient_error_and_nothing_is_half_there() {
    let Some(mut server) = dunlin_testkit::start_private() else { return };
    let url = server.url("postgres");
    let sql = dunlin_testkit::connect(&url).await;
    sql.batch_execute("CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 1000) i").await.unwrap();
    let store = store(&url).await;
    let table = Arc::new(store.table(&table_name("t")).await.unwrap().unwrap());
    let target = store.target().await.unwrap();
    target.prepare().await.unwrap();
    let reader = store.reader().await.unwrap();
    let batches = read_all(reader.as_ref(), &table, Bounds::Whole).await;
    let spec = spec(&table, "0");
    let load = loaded(target.as_ref(), &spec, &batches).await;
    server.kill();
    let lost = load.commit(&receipt(&spec, "{}")).await.unwrap_err();
    assert!(lost.is_transient(), "{lost:?}");
    let lost = reader.count(&table).await.unwrap_err();
    assert!(lost.is_transient(), "{lost:?}");
    server.resume();
    let store = super::store(&server.url("postgres")).await;
    assert_eq!(store.reader().await.unwrap().count(&table).await.unwrap(), 1_000);
    assert!(store.target().await.unwrap().receipts("run1").await.unwrap().is_empty());
    // The store that lived through it works again too.
    assert_eq!(target.receipts("run1").await.unwrap().len(), 0);
}

#[cfg(feature = "failpoints")]
#[tokio::test]
async fn a_run_interrupted_around_a_commit_goes_on() {
    use dunlin_connect::Committed;

    let Some(scene) = scene("failpoints", "CREATE TABLE t AS SELECT 1 AS id").await else { return };
    let copy = scene.sql.batch_execute("CREATE TABLE copy (id int)").await;
    copy.unwrap();
    let batches =
        read_all(scene.store.reader().await.unwrap().as_ref(), &scene.table("t").await, Bounds::Whole).await;
    let target = scene.target().await;
    let table = scene.table("copy").await;
    for (part, point, there) in
        [("0", "connect::postgres.commit.before", false), ("1", "connect::postgres.commit.after", true)]
    {
        let spec = spec(&table, part);
        let load = loaded(target.as_ref(), &spec, &batches).await;
        fail::cfg(point, "return").unwrap();
        let error = load.commit(&receipt(&spec, "{}")).await.unwrap_err();
        fail::remove(point);
        assert!(error.is_transient());
        // Again, as a second run would.
        let load = loaded(target.as_ref(), &spec, &batches).await;
        let again = load.commit(&receipt(&spec, "{}")).await.unwrap();
        assert_eq!(again != Committed::New, there, "{point}");
    }
    assert_eq!(scene.number("SELECT count(*) FROM copy").await, 2);
}
