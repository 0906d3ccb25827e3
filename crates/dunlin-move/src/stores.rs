//! The plan's stores, opened. Secrets are read here (`env:`, `secret:`) and go no further than into the connection.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use dunlin_connect::files::FileStamp;
use dunlin_connect::{ConnectError, FileFormat, OpenOptions, Reach, Store, Table, TableName};
use dunlin_plan::{Plan, StorePlan, StoreUrl, TableRef};

use crate::{MoveError, Result};

/// The stores of a plan by their names.
#[derive(Clone)]
pub struct Stores {
    stores: BTreeMap<String, Arc<dyn Store>>,
    /// Target tables as earlier runs made them, by label: a text file does not tell its types itself.
    kept: BTreeMap<String, Table>,
}

impl Stores {
    /// Opens every store that a table of the plan names.
    ///
    /// # Errors
    /// The first store that cannot be opened.
    pub async fn open(plan: &Plan, base: &Path) -> Result<Self> {
        let mut stores = BTreeMap::new();
        let used: std::collections::BTreeSet<&str> = plan
            .tables
            .iter()
            .flat_map(|t| {
                let sides = t.enrich.iter().map(|e| e.from.store.as_str());
                [t.from.store.as_str(), t.to.store.as_str()].into_iter().chain(sides)
            })
            .collect();
        for (name, store) in plan.stores.iter().filter(|(name, _)| used.contains(name.as_str())) {
            stores.insert(name.clone(), open_store(store, base).await?);
        }
        Ok(Self { stores, kept: BTreeMap::new() })
    }

    /// The store of this name.
    ///
    /// # Errors
    /// When the plan names no such store; a resolved plan always does.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Store>> {
        self.stores.get(name).ok_or_else(|| MoveError::Refused {
            code: "unknown-store",
            message: format!("the plan has no store `{name}`"),
            help: "name one of [store.…]".to_owned(),
        })
    }

    /// All stores by name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Arc<dyn Store>)> {
        self.stores.iter()
    }

    /// Puts another store in the place of one: a rehearsal's copy.
    pub fn replace(&mut self, name: &str, store: Arc<dyn Store>) {
        self.stores.insert(name.to_owned(), store);
    }

    /// Remembers a target table as an earlier run made it.
    pub fn keep(&mut self, label: &str, table: Table) {
        self.kept.insert(label.to_owned(), table);
    }

    /// A target table that was found, with the types that it was made with where its files do not tell them: after
    /// `finish` a CSV file is all text, and JSON Lines know few types.
    pub fn with_kept_types(&self, label: &str, found: Table) -> Table {
        let names = |t: &Table| t.columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
        match self.kept.get(label).filter(|kept| names(kept) == names(&found)) {
            Some(kept) => Table { name: found.name, rows_estimate: found.rows_estimate, ..kept.clone() },
            None => found,
        }
    }

    /// What each store is, beyond its name.
    ///
    /// # Errors
    /// A store that cannot be asked.
    pub async fn identities(&self) -> Result<BTreeMap<String, String>> {
        let mut out = BTreeMap::new();
        for (name, store) in &self.stores {
            out.insert(name.clone(), store.identity().await?);
        }
        Ok(out)
    }
}

/// Opens one store of the plan.
///
/// # Errors
/// When its secret is not there, or the store cannot be opened.
pub async fn open_store(store: &StorePlan, base: &Path) -> Result<Arc<dyn Store>> {
    let (url, options) = way(store, base)?;
    Ok(dunlin_connect::open(&store.name, &url, &options).await?)
}

/// The files of a source table as they are now; none where the store is no files.
///
/// # Errors
/// Those of the store.
pub async fn file_stamps(store: &StorePlan, base: &Path, table: &TableName) -> Result<Vec<FileStamp>> {
    let (url, options) = way(store, base)?;
    Ok(dunlin_connect::files::stamps(&store.name, &url, &options, table).await?)
}

/// What of a source table's files is not as it was.
///
/// # Errors
/// Those of the store.
pub async fn files_changed(
    store: &StorePlan,
    base: &Path,
    table: &TableName,
    before: Vec<FileStamp>,
) -> Result<Option<String>> {
    let (url, options) = way(store, base)?;
    Ok(dunlin_connect::files::changed(&store.name, &url, &options, table, before).await?)
}

/// How a store of the plan is reached; [`Reach::Unknown`] where its URL cannot be had.
pub fn reach(store: &StorePlan, base: &Path) -> Reach {
    way(store, base).map_or(Reach::Unknown, |(url, options)| dunlin_connect::reach(&url, &options))
}

/// A store's URL, secrets filled in, and how it is to be read.
fn way(store: &StorePlan, base: &Path) -> Result<(String, OpenOptions)> {
    let url = store_url(store, base)?;
    let o = &store.options;
    let format = o.format.map(|f| match f {
        dunlin_plan::FileFormat::Csv => FileFormat::Csv,
        dunlin_plan::FileFormat::Jsonl => FileFormat::Jsonl,
        dunlin_plan::FileFormat::Parquet => FileFormat::Parquet,
    });
    let options = OpenOptions {
        base: base.to_owned(),
        delimiter: o.delimiter,
        quote: o.quote,
        header: o.header,
        encoding: o.encoding.clone(),
        null: o.null.clone(),
        format,
    };
    Ok((url, options))
}

fn store_url(store: &StorePlan, base: &Path) -> Result<String> {
    let missing = |what: String, help: String| {
        MoveError::Connect(ConnectError::Url { store: store.name.clone(), message: what, help })
    };
    match &store.url {
        StoreUrl::Literal(url) => Ok(url.clone()),
        StoreUrl::Env(name) => std::env::var(name).map(|v| v.trim().to_owned()).map_err(|_| {
            missing(
                format!("the environment variable `{name}` is not set"),
                format!("run: export {name}='postgres://…'"),
            )
        }),
        StoreUrl::Secret(path) => {
            let file = base.join(path);
            std::fs::read_to_string(&file).map(|text| text.trim().to_owned()).map_err(|e| {
                let help = "write the store's URL into it, readable by you alone (chmod 600)".to_owned();
                missing(format!("the secret file `{path}` cannot be read: {}", e.kind()), help)
            })
        }
    }
}

/// The table a reference names inside its store. A store that is one file or one glob has one table.
pub fn table_name(reference: &TableRef) -> TableName {
    TableName {
        schema: reference.schema.clone(),
        name: reference.table.clone().unwrap_or_else(|| reference.store.clone()),
    }
}

/// Finds the table a reference names.
///
/// # Errors
/// Those of the store.
pub async fn find_table(store: &dyn Store, reference: &TableRef) -> Result<Option<Table>> {
    if reference.table.is_none() {
        // One file or one glob: its only table, whatever the file is called.
        let tables = store.tables().await?;
        return match tables.as_slice() {
            [only] => Ok(store.table(only).await?),
            _ => Ok(None),
        };
    }
    Ok(store.table(&table_name(reference)).await?)
}
