//! The file store as the rest of dunlin sees it.

use std::sync::Arc;

use async_trait::async_trait;

use super::location::{Home, Location};
use super::parts::State;
use super::reader::{FileReader, blocking};
use super::source::Source;
use crate::{ConnectError, Probe, ProbeStatus, Reader, Result, Store, System, Table, TableName, Target};

/// A store of files.
pub(super) struct FileStore {
    pub(super) location: Arc<Location>,
}

#[async_trait]
impl Store for FileStore {
    fn system(&self) -> System {
        System::Files
    }

    fn name(&self) -> &str {
        &self.location.store
    }

    async fn identity(&self) -> Result<String> {
        Ok(self.location.identity())
    }

    async fn tables(&self) -> Result<Vec<TableName>> {
        let location = self.location.clone();
        blocking(self.name(), move || {
            Ok(location.homes()?.into_iter().map(|h| TableName::bare(h.name)).collect())
        })
        .await
    }

    async fn table(&self, name: &TableName) -> Result<Option<Table>> {
        let (location, name) = (self.location.clone(), name.clone());
        blocking(self.name(), move || match location.find(&name)? {
            Some(home) => describe(&location, home).map(Some),
            None => Ok(None),
        })
        .await
    }

    async fn reader(&self) -> Result<Arc<dyn Reader>> {
        Ok(Arc::new(FileReader::new(self.location.clone())))
    }

    async fn target(&self) -> Result<Arc<dyn Target>> {
        super::target::open(self.location.clone())
    }

    async fn probe(&self, tables: &[TableName], write: bool) -> Vec<Probe> {
        let (location, tables) = (self.location.clone(), tables.to_vec());
        blocking(self.name(), move || Ok(probe(&location, &tables, write))).await.unwrap_or_default()
    }
}

/// The table in a home: as dunlin remembers it, else as its files tell it.
pub(super) fn describe(location: &Location, home: Home) -> Result<Table> {
    let stored = State::read(&location.store, &home)?.and_then(|s| s.table);
    let name = TableName::bare(&home.name);
    let source = Source::open(location, home)?;
    let mut table = match stored {
        Some(stored) => stored.table,
        None => Table::new(name, source.columns()?),
    };
    table.rows_estimate = source.rows_estimate();
    table.bytes_estimate = Some(source.bytes());
    Ok(table)
}

fn probe(location: &Location, tables: &[TableName], write: bool) -> Vec<Probe> {
    let said = |act: String, result: Result<String>| match result {
        Ok(detail) => Probe { act, status: ProbeStatus::Ok, detail, help: None },
        Err(error) => Probe { act, status: ProbeStatus::Fail, detail: error.to_string(), help: error.help() },
    };
    let mut out = Vec::new();
    for name in tables {
        let read = location.find(name).and_then(|home| {
            let home = home.ok_or_else(|| super::reader::missing(&location.store, name))?;
            let table = describe(location, home)?;
            Ok(format!("{} columns, {} bytes", table.columns.len(), table.bytes_estimate.unwrap_or(0)))
        });
        match (&read, write) {
            // A target table need not be there yet.
            (Err(ConnectError::Missing { .. }), true) => {}
            _ => out.push(said(format!("read {name}"), read)),
        }
    }
    if write {
        out.push(said("write into the folder".into(), super::target::try_write(location)));
    }
    out
}
