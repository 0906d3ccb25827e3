//! What a crash around the commit leaves behind. Each test runs in its own process (nextest), as failpoints are global.

use arrow::array::{ArrayRef, Int64Array};

use super::*;
use crate::{Committed, ConnectError, Result};

async fn load(fixture: &Fixture) -> Result<Committed> {
    let target = fixture.store.target().await.unwrap();
    target.prepare().await.unwrap();
    let mut load = target.begin(spec(&fixture.table("t").await, "0")).await.unwrap();
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    load.write(RecordBatch::try_from_iter([("id", ids)]).unwrap()).await.unwrap();
    load.commit(&receipt("t", "0", "{}")).await
}

#[tokio::test]
async fn a_repeat_after_a_failed_commit_has_the_rows_once() {
    let scenario = fail::FailScenario::setup();
    let fixture = Fixture::with("CREATE TABLE t (id INTEGER)").await;
    fail::cfg("connect::sqlite.commit.before", "return").unwrap();
    assert!(matches!(load(&fixture).await, Err(ConnectError::Store { transient: true, .. })));
    assert_eq!(fixture.read("t").await.rows(), 0);
    fail::remove("connect::sqlite.commit.before");
    fail::cfg("connect::sqlite.commit.after", "return").unwrap();
    assert!(load(&fixture).await.is_err());
    assert_eq!(fixture.read("t").await.rows(), 2);
    fail::remove("connect::sqlite.commit.after");
    assert!(matches!(load(&fixture).await, Ok(Committed::Already(_))));
    assert_eq!(fixture.read("t").await.rows(), 2);
    scenario.teardown();
}
