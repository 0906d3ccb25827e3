//! What the files of a table are at one moment, so that it can be told later whether they still are that. Splits are
//! cut at bytes: those of another file would begin in the middle of its records.
//!
//! Not here: a file that changes while it is read (`source`).

use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::disk::{failed, hash_file, shown};
use super::location::{Files, Location};
use super::reader::blocking;
use crate::{OpenOptions, Result, TableName};

/// A file as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Its name, relative to the store's folder.
    pub name: String,
    /// Its size in bytes.
    pub len: u64,
    /// When it was written last, in microseconds since 1970 UTC; absent where the disk does not say.
    pub modified_us: Option<u64>,
    /// BLAKE3 of its bytes, hex.
    pub blake3: String,
}

/// The files of a table as they are now; none for a store that is no files. Reads them whole.
///
/// # Errors
/// Those of the store.
pub async fn stamps(
    store: &str,
    url: &str,
    options: &OpenOptions,
    table: &TableName,
) -> Result<Vec<FileStamp>> {
    with_files(store, url, options, table, |store, files| {
        files.into_iter().map(|(name, path)| whole(store, name, &path)).collect()
    })
    .await
}

/// What is not as it was, in words for a person; nothing where all is. A file of the same size that was written since
/// is read, and its content decides.
///
/// # Errors
/// Those of the store.
pub async fn changed(
    store: &str,
    url: &str,
    options: &OpenOptions,
    table: &TableName,
    before: Vec<FileStamp>,
) -> Result<Option<String>> {
    with_files(store, url, options, table, move |store, files| {
        let mut before = before.iter();
        for (name, path) in files {
            let Some(was) = before.next().filter(|was| was.name == name) else {
                return Ok(Some(format!("{name} was not there")));
            };
            let (len, modified_us) = looked_at(store, &path)?;
            if len != was.len {
                return Ok(Some(format!("{name} had {} bytes and has {len}", was.len)));
            }
            if (modified_us.is_none() || modified_us != was.modified_us)
                && whole(store, name.clone(), &path)?.blake3 != was.blake3
            {
                return Ok(Some(format!("{name} was written to")));
            }
        }
        Ok(before.next().map(|gone| format!("{} is not there any more", gone.name)))
    })
    .await
}

type Named = Vec<(String, PathBuf)>;

async fn with_files<T: Default + Send + 'static>(
    store: &str,
    url: &str,
    options: &OpenOptions,
    table: &TableName,
    work: impl FnOnce(&str, Named) -> Result<T> + Send + 'static,
) -> Result<T> {
    let Some(path) = url.strip_prefix("file:") else { return Ok(T::default()) };
    let location = Location::parse(store, path, options)?;
    let table = table.clone();
    blocking(store, move || {
        let files = match location.find(&table)?.map(|home| home.files) {
            Some(Files::Many(paths)) => paths,
            Some(Files::One(path)) => vec![path],
            None => Vec::new(),
        };
        let name = |path: &PathBuf| path.strip_prefix(&location.root).unwrap_or(path).display().to_string();
        let there = files.into_iter().filter(|path| path.is_file());
        work(&location.store, there.map(|path| (name(&path), path)).collect())
    })
    .await
}

fn looked_at(store: &str, path: &PathBuf) -> Result<(u64, Option<u64>)> {
    let meta = std::fs::metadata(path).map_err(|e| failed(store, format!("look at {}", shown(path)), &e))?;
    let since = meta.modified().ok().and_then(|m| m.duration_since(UNIX_EPOCH).ok());
    Ok((meta.len(), since.and_then(|s| u64::try_from(s.as_micros()).ok())))
}

fn whole(store: &str, name: String, path: &PathBuf) -> Result<FileStamp> {
    let (len, modified_us) = looked_at(store, path)?;
    Ok(FileStamp { name, len, modified_us, blake3: hash_file(store, path)? })
}
