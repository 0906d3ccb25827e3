//! One consistent view of a file store: each table's files as they were when the view first met them.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::location::Location;
use super::source::{Batches, Source, addressed};
use crate::{Bounds, ConnectError, ReadRequest, ReadStream, Reader, Result, Table, TableName};

/// The reader of a file store.
pub(super) struct FileReader {
    location: Arc<Location>,
    sources: Mutex<HashMap<TableName, Arc<Source>>>,
}

impl FileReader {
    /// A new view.
    pub(super) fn new(location: Arc<Location>) -> Self {
        Self { location, sources: Mutex::default() }
    }

    async fn source(&self, name: &TableName) -> Result<Arc<Source>> {
        let mut sources = self.sources.lock().await;
        if let Some(source) = sources.get(name) {
            return Ok(source.clone());
        }
        let (location, wanted) = (self.location.clone(), name.clone());
        let source = blocking(&self.location.store, move || {
            let home = location.find(&wanted)?.ok_or_else(|| missing(&location.store, &wanted))?;
            Source::open(&location, home).map(Arc::new)
        })
        .await?;
        sources.insert(name.clone(), source.clone());
        Ok(source)
    }
}

/// The error for a table that is not there.
pub(super) fn missing(store: &str, name: &TableName) -> ConnectError {
    ConnectError::Missing {
        store: store.to_owned(),
        what: format!("a file for the table {name}"),
        help: "check the store's path and the file's name; the name before its ending is the table's".into(),
    }
}

#[async_trait]
impl Reader for FileReader {
    async fn splits(&self, table: &Table, rows_per_split: u64, previous: &[Bounds]) -> Result<Vec<Bounds>> {
        let source = self.source(&table.name).await?;
        let previous = previous.to_vec();
        blocking(&self.location.store, move || source.splits(rows_per_split, &previous)).await
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadStream> {
        let source = self.source(&request.table.name).await?;
        let store = self.location.store.clone();
        let batches = blocking(&store.clone(), move || source.read(request)).await?;
        Ok(stream(store, batches))
    }

    async fn read_addressed(&self, table: Arc<Table>) -> Result<ReadStream> {
        let source = self.source(&table.name).await?;
        let store = self.location.store.clone();
        let request = ReadRequest::all(table, Bounds::Whole);
        let batches = blocking(&store.clone(), move || source.read(request)).await?;
        Ok(stream(store, addressed(batches)))
    }

    async fn count(&self, table: &Table) -> Result<u64> {
        let source = self.source(&table.name).await?;
        blocking(&self.location.store, move || source.files.iter().map(|f| source.count_file(f)).sum()).await
    }
}

/// Runs file work off the async threads. A decoder that panics on a broken file is an error like any other.
pub(super) async fn blocking<T: Send + 'static>(
    store: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(ConnectError::Store {
            store: store.to_owned(),
            act: "read or write a file".into(),
            code: "Panicked".into(),
            transient: false,
        }),
    }
}

fn stream(store: String, batches: Batches) -> ReadStream {
    Box::pin(futures::stream::unfold(Some((store, batches)), |state| async {
        let (store, mut batches) = state?;
        let next = blocking(&store, move || Ok(batches.next().map(|batch| (batch, batches)))).await;
        match next {
            Ok(None) => None,
            Ok(Some((Ok(batch), batches))) => Some((Ok(batch), Some((store, batches)))),
            // After an error nothing that follows could be trusted.
            Ok(Some((Err(error), _))) | Err(error) => Some((Err(error), None)),
        }
    }))
}
