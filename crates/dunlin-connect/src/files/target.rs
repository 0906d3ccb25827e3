//! A file store opened for writing: tables as folders of parts, one lock a table and process. Two processes are kept
//! apart by the run's lease, not here.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::disk::{failed, make_dir, nonce, read_json, remove, sync_dir, write_json};
use super::join;
use super::load::{FileLoad, Lock};
use super::location::{Files, Home, Location};
use super::parts::{State, StoredTable};
use super::reader::{FileReader, blocking, missing};
use super::violations::{keys, pick, places};
use crate::{
    ColumnType, ConnectError, ForeignKey, Load, LoadSpec, Reader, Reason, Receipt, Result, Table, TableName,
    Target, Unique, Violation,
};

/// The target of a file store.
pub(super) struct FileTarget {
    location: Arc<Location>,
}

/// One lock a parts folder: a store may be opened more than once in a process.
static LOCKS: LazyLock<Mutex<HashMap<PathBuf, Lock>>> = LazyLock::new(Mutex::default);

/// Opens a store for writing.
pub(super) fn open(location: Arc<Location>) -> Result<Arc<dyn Target>> {
    if location.is_glob() {
        return Err(ConnectError::Unsupported {
            store: location.store.clone(),
            what: "writing into a glob".into(),
            help: "name one file, or a folder with `/` at its end".into(),
        });
    }
    Ok(Arc::new(FileTarget { location }))
}

/// Tries whether the store's folder, or the nearest one above it that is there, takes a file.
pub(super) fn try_write(location: &Location) -> Result<String> {
    let there = location.root.ancestors().find(|a| a.is_dir()).unwrap_or(&location.root);
    let path = there.join(format!(".dunlin-probe-{}", nonce()));
    fs::write(&path, b"").map_err(|e| failed(&location.store, "write into the store's folder", &e))?;
    remove(&location.store, &path)?;
    Ok("a file could be written and removed".into())
}

impl FileTarget {
    fn store(&self) -> &str {
        &self.location.store
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Location) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let location = self.location.clone();
        blocking(self.store(), move || work(&location)).await
    }

    async fn lock(&self, home: &Home) -> Lock {
        let path = home.parts().unwrap_or_default();
        let path = std::path::absolute(&path).unwrap_or(path);
        LOCKS.lock().await.entry(path).or_default().clone()
    }

    /// Does something to the folder of every table, each under its lock.
    async fn each(&self, work: fn(&str, &Home) -> Result<()>) -> Result<()> {
        for home in self.with(Location::homes).await? {
            let mut guard = self.lock(&home).await.lock_owned().await;
            self.with(move |location| {
                *guard = None;
                work(&location.store, &home)
            })
            .await?;
        }
        Ok(())
    }

    async fn home(&self, name: &TableName) -> Result<Home> {
        let name = name.clone();
        self.with(move |location| location.writable(&name)).await
    }
}

/// Makes the parts folder of a table and remembers the table in it.
fn remember(store: &str, home: &Home, table: &Table, created: bool) -> Result<(PathBuf, Arc<Table>)> {
    let folder = home.parts().ok_or_else(|| missing(store, &table.name))?;
    if matches!(&home.files, Files::One(file) if file.is_symlink()) {
        // The join's rename would put a file in the link's place.
        return Err(ConnectError::Unsupported {
            store: store.to_owned(),
            what: format!("writing {} through a link", table.name),
            help: "name the file that the link leads to".into(),
        });
    }
    if let Some(known) = read_json::<StoredTable>(store, &folder.join("table.json"))? {
        let names = |t: &Table| t.columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
        if names(&known.table) != names(table) {
            return Err(ConnectError::Changed {
                store: store.to_owned(),
                table: table.name.to_string(),
                what: "its columns are not those it was created with".into(),
            });
        }
        return Ok((folder, Arc::new(known.table)));
    }
    let mut table = table.clone();
    table.name = TableName::bare(&home.name);
    make_dir(store, &folder)?;
    let stored = StoredTable { table, created };
    write_json(store, &folder.join("table.json"), &stored)?;
    Ok((folder, Arc::new(stored.table)))
}

fn create(location: &Location, table: &Table) -> Result<()> {
    let (store, home) = (&location.store, location.writable(&table.name)?);
    let state = State::read(store, &home)?;
    if state.is_some_and(|s| s.table.is_some() || s.file.exists()) {
        return Err(ConnectError::Store {
            store: store.clone(),
            act: format!("create {}", table.name),
            code: "AlreadyExists".into(),
            transient: false,
        });
    }
    if let Some(column) = table.columns.iter().find(|c| matches!(c.ty, ColumnType::Opaque { .. })) {
        return Err(ConnectError::Unsupported {
            store: store.clone(),
            what: format!("the column {} of type {} in a file", column.name, column.ty),
            help: "load it as text".into(),
        });
    }
    remember(store, &home, table, true).map(|_| ())
}

#[async_trait]
impl Target for FileTarget {
    async fn prepare(&self) -> Result<()> {
        self.with(|location| make_dir(&location.store, &location.root)).await?;
        self.each(join::sweep).await
    }

    async fn create(&self, table: &Table) -> Result<()> {
        let table = table.clone();
        self.with(move |location| create(location, &table)).await
    }

    async fn drop_table(&self, table: &TableName) -> Result<()> {
        let home = self.home(table).await?;
        let mut guard = self.lock(&home).await.lock_owned().await;
        self.with(move |location| {
            *guard = None;
            let (Files::One(file), Some(folder)) = (&home.files, home.parts()) else { return Ok(()) };
            // The folder first: a crash between leaves a file like any other, which can be dropped again.
            join::discard(&location.store, &folder)?;
            remove(&location.store, file)?;
            if location.root.is_dir() { sync_dir(&location.store, &location.root) } else { Ok(()) }
        })
        .await
    }

    fn nearest_type(&self, ty: &ColumnType) -> ColumnType {
        match ty {
            ColumnType::Opaque { .. } => ColumnType::TEXT,
            other => other.clone(),
        }
    }

    async fn before_load(&self, _tables: &[Table], _cyclic: &[ForeignKey]) -> Result<()> {
        Ok(())
    }

    async fn begin(&self, spec: LoadSpec) -> Result<Box<dyn Load>> {
        let home = self.home(&spec.table.name).await?;
        let lock = self.lock(&home).await;
        let guard = lock.clone().lock_owned().await;
        let load = self
            .with(move |location| {
                let _guard = guard;
                let (folder, table) = remember(&location.store, &home, &spec.table, false)?;
                FileLoad::start(&location.store, lock, home, folder, table, spec)
            })
            .await?;
        Ok(Box::new(load))
    }

    async fn receipts(&self, run: &str) -> Result<Vec<Receipt>> {
        let run = run.to_owned();
        self.with(move |location| {
            let mut out = Vec::new();
            for home in location.homes()? {
                let stored = State::read(&location.store, &home)?.map(|s| s.receipts).unwrap_or_default();
                out.extend(stored.into_iter().map(|s| s.receipt).filter(|r| r.run == run));
            }
            Ok(out)
        })
        .await
    }

    async fn unique_violators(&self, table: &Table, unique: &Unique) -> Result<Violation> {
        let columns = places(self.store(), table, &unique.columns)?;
        let reader = FileReader::new(self.location.clone());
        let stream = reader.read_addressed(Arc::new(table.clone())).await?;
        let mut seen = HashSet::new();
        Ok(Violation {
            reason: Reason::Unique,
            constraint: constraint(unique.name.as_deref(), table, &unique.columns),
            columns: unique.columns.clone(),
            rows: pick(stream, columns, move |key| !seen.insert(key)),
        })
    }

    async fn foreign_key_violators(&self, table: &Table, key: &ForeignKey) -> Result<Violation> {
        let reader = FileReader::new(self.location.clone());
        let name = key.parent.clone();
        let parent = self
            .with(move |location| match location.find(&name)? {
                Some(home) => super::store::describe(location, home),
                None => Err(missing(&location.store, &name)),
            })
            .await?;
        let parent_columns = places(self.store(), &parent, &key.parent_columns)?;
        let columns = places(self.store(), table, &key.columns)?;
        let known = keys(&reader, Arc::new(parent), &parent_columns).await?;
        let stream = reader.read_addressed(Arc::new(table.clone())).await?;
        Ok(Violation {
            reason: Reason::ForeignKey,
            constraint: constraint(key.name.as_deref(), table, &key.columns),
            columns: key.columns.clone(),
            rows: pick(stream, columns, move |key| !known.contains(&key)),
        })
    }

    async fn complete(&self, _table: &Table) -> Result<()> {
        Ok(())
    }

    async fn connect_keys(&self, _table: &Table) -> Result<()> {
        Ok(())
    }

    async fn join(&self, run: &str, table: &Table, parts: &[String]) -> Result<()> {
        let home = self.home(&table.name).await?;
        let guard = self.lock(&home).await.lock_owned().await;
        let (run, table, parts) = (run.to_owned(), table.clone(), parts.to_vec());
        self.with(move |location| {
            let _guard = guard;
            join::join(&location.store, &home, &table, &run, &parts)
        })
        .await
    }

    async fn finish(&self) -> Result<()> {
        self.each(join::finish).await
    }

    fn store_name(&self) -> String {
        self.location.store.clone()
    }
}

fn constraint(name: Option<&str>, table: &Table, columns: &[String]) -> String {
    name.map_or_else(|| format!("{}({})", table.name.name, columns.join(", ")), str::to_owned)
}
