//! The PostgreSQL store against a real server: the one `DUNLIN_TEST_POSTGRES` names, or one started here.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod activity;
mod keys;
mod load;
mod outage;
mod proxy;
mod read;
mod roundtrip;
mod speed;
mod tls;

use std::sync::Arc;

use dunlin_connect::canon::{RowHash, hash_rows};
use dunlin_connect::{
    Bounds, Load, LoadColumn, LoadSpec, OpenOptions, ReadBatch, ReadRequest, ReadStream, Reader, Receipt,
    Store, Table, TableName, Target, open,
};
use futures::TryStreamExt;

/// A database of one's own: its store, a bare connection to it, and its URL.
pub(crate) struct Scene {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sql: tokio_postgres::Client,
    pub(crate) url: String,
}

/// Sets a scene, or `None` where there is no PostgreSQL.
pub(crate) async fn scene(name: &str, setup: &str) -> Option<Scene> {
    let server = dunlin_testkit::postgres().await?;
    let url = server.database(name).await;
    let sql = dunlin_testkit::connect(&url).await;
    sql.batch_execute(setup).await.expect("the scene's SQL");
    Some(Scene { store: store(&url).await, sql, url })
}

pub(crate) async fn store(url: &str) -> Arc<dyn Store> {
    open("atlas", url, &OpenOptions::default()).await.expect("open the store")
}

impl Scene {
    pub(crate) async fn table(&self, name: &str) -> Arc<Table> {
        Arc::new(self.store.table(&table_name(name)).await.unwrap().expect("the table"))
    }

    pub(crate) async fn number(&self, query: &str) -> i64 {
        self.sql.query_one(query, &[]).await.expect(query).get(0)
    }

    pub(crate) async fn target(&self) -> Arc<dyn Target> {
        let target = self.store.target().await.unwrap();
        target.prepare().await.unwrap();
        target
    }
}

pub(crate) fn table_name(name: &str) -> TableName {
    match name.split_once('.') {
        Some((schema, name)) => TableName { schema: Some(schema.into()), name: name.into() },
        None => TableName::bare(name),
    }
}

pub(crate) async fn collect(stream: ReadStream) -> Vec<ReadBatch> {
    stream.try_collect().await.expect("read")
}

pub(crate) async fn read_all(reader: &dyn Reader, table: &Arc<Table>, bounds: Bounds) -> Vec<ReadBatch> {
    collect(reader.read(ReadRequest::all(table.clone(), bounds)).await.expect("start a read")).await
}

pub(crate) fn rows(batches: &[ReadBatch]) -> usize {
    batches.iter().map(|b| b.rows.num_rows()).sum()
}

pub(crate) fn hash(batches: &[ReadBatch]) -> RowHash {
    batches.iter().flat_map(|b| hash_rows(&[3; 32], &b.rows)).sum()
}

pub(crate) fn spec(table: &Arc<Table>, part: &str) -> LoadSpec {
    let columns = table.columns.iter().enumerate().filter(|(_, c)| c.generated.is_none());
    LoadSpec {
        run: "run1".into(),
        label: table.name.to_string(),
        part: part.into(),
        table: table.clone(),
        columns: columns.map(|(index, _)| LoadColumn { index, as_text: false }).collect(),
    }
}

pub(crate) fn receipt(spec: &LoadSpec, body: &str) -> Receipt {
    Receipt { run: spec.run.clone(), table: spec.label.clone(), part: spec.part.clone(), body: body.into() }
}

/// Begins a load of these batches and settles it, expecting no refusal.
pub(crate) async fn loaded(target: &dyn Target, spec: &LoadSpec, batches: &[ReadBatch]) -> Box<dyn Load> {
    let mut load = target.begin(spec.clone()).await.expect("begin");
    for batch in batches {
        load.write(batch.rows.clone()).await.expect("write");
    }
    assert_eq!(load.settle().await.expect("settle"), []);
    load
}
