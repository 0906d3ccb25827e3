//! The store as a whole: dirty files, splits, round trips, and the crash matrix of the target.

mod errors;
#[cfg(feature = "failpoints")]
mod failpoints;
mod foreign;
mod sources;
mod targets;

use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;

use crate::{BadRow, Bounds, OpenOptions, ReadBatch, ReadRequest, ReadStream, Store, Table, TableName};

/// A store over a folder.
async fn store(dir: &Path, url: &str) -> Arc<dyn Store> {
    store_with(dir, url, OpenOptions::default()).await
}

async fn store_with(dir: &Path, url: &str, options: OpenOptions) -> Arc<dyn Store> {
    let options = OpenOptions { base: dir.to_owned(), ..options };
    super::open("s", url, &options).await.unwrap()
}

async fn table(store: &dyn Store, name: &str) -> Arc<Table> {
    Arc::new(store.table(&TableName::bare(name)).await.unwrap().unwrap())
}

async fn drain(mut stream: ReadStream) -> Vec<ReadBatch> {
    let mut out = Vec::new();
    while let Some(batch) = stream.next().await {
        out.push(batch.unwrap());
    }
    out
}

async fn read(store: &dyn Store, table: &Arc<Table>, bounds: Bounds) -> Vec<ReadBatch> {
    let reader = store.reader().await.unwrap();
    drain(reader.read(ReadRequest::all(table.clone(), bounds)).await.unwrap()).await
}

/// Every good row as `line: a|b`, with `-` for NULL.
fn shown(batches: &[ReadBatch]) -> Vec<String> {
    let mut out = Vec::new();
    for batch in batches {
        let columns: Vec<_> =
            batch.rows.columns().iter().map(|c| super::parquet::texts(c).unwrap()).collect();
        for (row, position) in batch.positions.iter().enumerate() {
            let cells: Vec<&str> = columns.iter().map(|c| c[row].as_deref().unwrap_or("-")).collect();
            out.push(format!("{position}: {}", cells.join("|")));
        }
    }
    out
}

fn bad(batches: &[ReadBatch]) -> Vec<&BadRow> {
    batches.iter().flat_map(|b| &b.bad).collect()
}
