//! Reading entries wherever they are: in the tiles, or still in the queue.
//!
//! Not here: who may read, and that reading is entered (`auditor`).

use std::path::PathBuf;

use dunlin_ledger::{Entry, Log, Verifier};
use dunlin_store::{State, StoreError, Workspace};
use sqlx::Row;

use crate::GuardError;
use crate::error::db;

/// Reads the ledger's entries by their index. Cheap to clone.
#[derive(Clone)]
pub struct LedgerReader {
    state: State,
    folder: PathBuf,
    verifier: Verifier,
}

/// An entry's bytes with its index.
pub(crate) type Raw = (u64, Vec<u8>);

impl LedgerReader {
    /// The reader of a workspace's ledger.
    pub fn new(workspace: &Workspace) -> Result<LedgerReader, GuardError> {
        Ok(LedgerReader {
            state: workspace.state().clone(),
            folder: workspace.ledger_dir(),
            verifier: workspace.keys().verifier()?,
        })
    }

    /// The public key under which checkpoints are read.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The ledger's folder.
    pub(super) fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Entries so far, in tiles or queued.
    pub async fn size(&self) -> Result<u64, GuardError> {
        Ok(self.state.ledger_size().await?)
    }

    /// The ledger at its newest checkpoint.
    pub(crate) fn log(&self) -> Result<Log, GuardError> {
        Ok(Log::open(&self.folder, &self.verifier).map_err(StoreError::from)?)
    }

    /// Up to `limit` entries from index `from` on, in order, without a gap.
    pub(crate) async fn raw(&self, from: u64, limit: usize) -> Result<Vec<Raw>, GuardError> {
        // The queue first: an entry leaves it only once it is in the tiles, so what is missing here is there.
        let mut queued = self.queued(from, limit).await?;
        let first = queued.first().map_or(u64::MAX, |(index, _)| *index);
        if first == from {
            return Ok(queued);
        }
        let reader = self.clone();
        let tiles = move || -> Result<Vec<Raw>, GuardError> {
            let log = reader.log()?;
            let mut found = Vec::new();
            for (index, entry) in (from..).zip(log.entries(from).take(limit)) {
                if index >= first {
                    break;
                }
                found.push((index, entry.map_err(StoreError::from)?));
            }
            Ok(found)
        };
        let joined = tokio::task::spawn_blocking(tiles).await;
        let mut found = joined.map_err(|_| GuardError::Internal("reading the ledger"))??;
        let next = from + found.len() as u64;
        if next == first {
            queued.truncate(limit.saturating_sub(found.len()));
            found.append(&mut queued);
        }
        Ok(found)
    }

    /// The same, read. An entry of a newer dunlin is left out: `None` in its place.
    pub async fn entries(&self, from: u64, limit: usize) -> Result<Vec<(u64, Option<Entry>)>, GuardError> {
        let raw = self.raw(from, limit).await?;
        Ok(raw.into_iter().map(|(index, bytes)| (index, Entry::from_bytes(&bytes).ok())).collect())
    }

    async fn queued(&self, from: u64, limit: usize) -> Result<Vec<Raw>, GuardError> {
        let failed = db("reading the ledger's queue");
        let rows = sqlx::query("select idx, entry from ledger_queue where idx >= $1 order by idx limit $2")
            .bind(i64::try_from(from).unwrap_or(i64::MAX))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.state.pool())
            .await
            .map_err(&failed)?;
        let read = |row: &sqlx::sqlite::SqliteRow| Ok((row.try_get::<i64, _>(0)? as u64, row.try_get(1)?));
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }
}
