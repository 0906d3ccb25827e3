//! The few disk operations this folder needs, with errors that say what was tried and nothing of what was in the
//! file. Everything here blocks; callers come from a blocking thread.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{ConnectError, Result};

/// Turns an I/O error into one of ours. `act` is a phrase such as `read people.csv`.
pub(super) fn failed(store: &str, act: impl Into<String>, error: &io::Error) -> ConnectError {
    let (store, act) = (store.to_owned(), act.into());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ConnectError::Full { store, what: act },
        io::ErrorKind::PermissionDenied => {
            ConnectError::Permission { store, grant: format!("chmod u+rwX (to {act})"), act }
        }
        io::ErrorKind::NotFound => ConnectError::Missing {
            store,
            what: format!("a file or folder needed to {act}"),
            help: "check the store's path; it starts from the plan's folder".into(),
        },
        io::ErrorKind::FileTooLarge => ConnectError::Unsupported {
            store,
            what: format!("a line of more than 256 MB (to {act})"),
            help: "check that the file is text and that its line ends are LF or CR LF".into(),
        },
        kind => ConnectError::Store {
            store,
            act,
            code: format!("{kind:?}"),
            transient: matches!(kind, io::ErrorKind::Interrupted | io::ErrorKind::TimedOut),
        },
    }
}

/// The name of a file without its folder, for messages.
pub(super) fn shown(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// What tells that a file is still the one that was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Size in bytes.
    pub(super) len: u64,
    modified: Option<SystemTime>,
}

/// The stamp of a file as it is now.
pub(super) fn stamp(store: &str, path: &Path) -> Result<Stamp> {
    let meta = fs::metadata(path).map_err(|e| failed(store, format!("look at {}", shown(path)), &e))?;
    Ok(Stamp { len: meta.len(), modified: meta.modified().ok() })
}

/// Makes a folder's entries durable: a rename is only safe once its folder is.
pub(super) fn sync_dir(store: &str, dir: &Path) -> Result<()> {
    File::open(dir)
        .and_then(|d| d.sync_all())
        .map_err(|e| failed(store, format!("make {} durable", shown(dir)), &e))
}

/// Makes a folder with its parents and makes it durable.
pub(super) fn make_dir(store: &str, dir: &Path) -> Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(dir).map_err(|e| failed(store, format!("make the folder {}", shown(dir)), &e))?;
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_dir(store, parent),
        _ => Ok(()),
    }
}

/// Renames inside a folder and makes the new name durable.
pub(super) fn rename(store: &str, from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| failed(store, format!("rename to {}", shown(to)), &e))?;
    match to.parent() {
        Some(dir) => sync_dir(store, dir),
        None => Ok(()),
    }
}

/// Removes a file; one that is not there is fine.
pub(super) fn remove(store: &str, path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(failed(store, format!("remove {}", shown(path)), &e)),
    }
}

/// Removes a folder with what is in it; one that is not there is fine.
pub(super) fn remove_dir(store: &str, dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(failed(store, format!("remove {}", shown(dir)), &e)),
    }
}

/// The names in a folder, sorted; none where the folder is not there.
pub(super) fn list(store: &str, dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(store, format!("list {}", shown(dir)), &e)),
    };
    let mut out = Vec::new();
    for entry in entries {
        out.push(entry.map_err(|e| failed(store, format!("list {}", shown(dir)), &e))?.path());
    }
    out.sort();
    Ok(out)
}

/// Reads a JSON file; `None` where it is not there.
pub(super) fn read_json<T: DeserializeOwned>(store: &str, path: &Path) -> Result<Option<T>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(store, format!("read {}", shown(path)), &e)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|_| ConnectError::Store {
        store: store.to_owned(),
        act: format!("understand {}", shown(path)),
        code: "InvalidData".into(),
        transient: false,
    })
}

/// Writes a JSON file beside its place and makes it durable; [`rename`] then puts it there.
pub(super) fn stage_json<T: Serialize>(store: &str, path: &Path, value: &T) -> Result<PathBuf> {
    let staged = path.with_extension(format!("tmp-{}", nonce()));
    let act = || format!("write {}", shown(path));
    let bytes = serde_json::to_vec(value).map_err(|_| ConnectError::Store {
        store: store.to_owned(),
        act: act(),
        code: "InvalidData".into(),
        transient: false,
    })?;
    let mut file = File::create(&staged).map_err(|e| failed(store, act(), &e))?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(|e| failed(store, act(), &e))?;
    Ok(staged)
}

/// Writes a JSON file so that a crash leaves the old one or the new one.
pub(super) fn write_json<T: Serialize>(store: &str, path: &Path, value: &T) -> Result<()> {
    let staged = stage_json(store, path, value)?;
    rename(store, &staged, path)
}

/// A name that no other writer of this or another process uses.
pub(super) fn nonce() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    format!("{:x}-{:x}-{:x}", std::process::id(), now, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// BLAKE3 of a file, as hex.
pub(super) fn hash_file(store: &str, path: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut file = File::open(path).map_err(|e| failed(store, format!("read {}", shown(path)), &e))?;
    io::copy(&mut file, &mut hasher).map_err(|e| failed(store, format!("read {}", shown(path)), &e))?;
    Ok(hasher.finalize().to_hex().to_string())
}
