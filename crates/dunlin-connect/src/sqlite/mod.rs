//! SQLite as source and target.
//!
//! SQLite's types are wishes: any column may hold any value. So reading judges each value by its storage class
//! (`decode`), and writing takes care that no affinity bends one (`encode`, `types`). sqlx opens the files and
//! reads the catalog; rows go through the raw handle (`raw`), on threads that may block.
//!
//! * A reader is one consistent view over several connections; `reader` says how.
//! * A target has one writer at a time, because SQLite has: loads take turns, so a task must not hold one load open
//!   while it waits for the beginning of another.
//! * A row's position is its rowid. Views and tables `WITHOUT ROWID` are read whole and their rows have no address.
//! * A path is taken from the plan's folder: `sqlite:legacy/crm.db`; `sqlite:/abs` and `sqlite:///abs` are absolute.

mod catalog;
mod connection;
mod ddl;
mod decode;
mod encode;
mod erase;
mod failure;
mod load;
mod probe;
mod raw;
mod reader;
mod scan;
mod select;
mod target;
mod types;

#[cfg(test)]
mod tests;

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use self::connection::File;
use self::load::Writer;
use self::reader::SqliteReader;
use self::target::SqliteTarget;
use crate::{
    ConnectError, OpenOptions, Probe, Reader, Result, Store, System, Table, TableName, Target, TextRows,
};

/// Opens the database at this path (what follows `sqlite:` in the URL). Touches nothing yet.
///
/// # Errors
/// [`ConnectError::Url`] for an empty path or one with parameters.
pub async fn open(name: &str, path: &str, options: &OpenOptions) -> Result<Arc<dyn Store>> {
    let wrong = |message: &str| ConnectError::Url {
        store: name.to_owned(),
        message: message.to_owned(),
        help: "write `sqlite:folder/file.db` (from the plan's folder) or `sqlite:/folder/file.db`".to_owned(),
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.ends_with('/') {
        return Err(wrong("the path of the database file is missing"));
    }
    if path.contains('?') || path.starts_with(":memory:") {
        return Err(wrong("parameters and databases in memory are not understood"));
    }
    let path = options.base.join(path);
    let path = std::path::absolute(&path).unwrap_or(path);
    let file = File { store: name.into(), path };
    Ok(Arc::new(SqliteStore { file, writer: Arc::default() }))
}

struct SqliteStore {
    file: File,
    writer: Arc<Mutex<Writer>>,
}

#[async_trait]
impl Store for SqliteStore {
    fn system(&self) -> System {
        System::Sqlite
    }

    fn name(&self) -> &str {
        &self.file.store
    }

    async fn identity(&self) -> Result<String> {
        Ok(format!("sqlite:{}", canonical(&self.file.path).display()))
    }

    async fn tables(&self) -> Result<Vec<TableName>> {
        catalog::tables(&self.file, &mut self.file.read().await?).await
    }

    async fn table(&self, name: &TableName) -> Result<Option<Table>> {
        catalog::table(&self.file, &mut self.file.read().await?, name).await
    }

    async fn reader(&self) -> Result<Arc<dyn Reader>> {
        Ok(Arc::new(SqliteReader::open(self.file.clone()).await?))
    }

    async fn target(&self) -> Result<Arc<dyn Target>> {
        Ok(Arc::new(SqliteTarget { file: self.file.clone(), writer: Arc::clone(&self.writer) }))
    }

    async fn probe(&self, tables: &[TableName], write: bool) -> Vec<Probe> {
        probe::probe(&self.file, tables, write).await
    }

    async fn select(&self, sql: String, columns: usize) -> Result<TextRows> {
        Ok(select::rows(self.file.clone(), self.file.read().await?, sql, columns))
    }
}

/// The path without links, also where the file, or its folder, is still to be made.
fn canonical(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut known = path;
    loop {
        if let Ok(found) = known.canonicalize() {
            return missing.iter().rev().fold(found, |path, part| path.join(part));
        }
        match (known.parent(), known.components().next_back()) {
            (Some(parent), Some(part @ Component::Normal(_))) => {
                missing.push(part.as_os_str().to_owned());
                known = parent;
            }
            _ => return path.to_owned(),
        }
    }
}
