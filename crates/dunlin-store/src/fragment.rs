//! Fragments: rows that wait for a person, encrypted at rest, in `.dunlin/quarantine/<run>/<table>/<name>.dqf`.
//! The lists of rows that somebody saw are fragments too, under a key of their own, in `.dunlin/access/`.
//!
//! Not here: what a row's bytes mean, and the index that says why each row is there (`quarantine`).
//!
//! A file is a header (magic, length, JSON with key id and nonce prefix) and frames of XChaCha20-Poly1305 in
//! the STREAM construction: each nonce holds a counter and whether the frame is the last one, so frames cannot
//! be cut off, reordered or moved to another file. The header is authenticated with every frame. A frame holds
//! about 1 MiB of rows, which bounds memory on both sides.

mod read;
mod write;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use read::FragmentReader;
pub use write::FragmentWriter;

use crate::{Keyring, Purpose, StoreError};

/// Rows are gathered until a frame has this many bytes.
const FRAME_BYTES: usize = 1 << 20;
/// A row may be longer than a frame, up to this.
const ROW_BYTES_MAX: usize = 256 << 20;
const MAGIC: &[u8; 4] = b"DQF1";
const SUFFIX: &str = ".dqf";

/// Why a fragment could not be written or read. Never holds a row's content.
#[derive(Debug, thiserror::Error)]
pub enum FragmentError {
    /// A file could not be read or written.
    #[error("the quarantine fragment `{name}` could not be read or written: {kind}")]
    Io {
        /// The fragment's name.
        name: String,
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// The file is not a fragment, or was changed.
    #[error("the quarantine fragment `{0}` was changed or is damaged")]
    Damaged(String),
    /// The file ends too early.
    #[error("the quarantine fragment `{0}` is cut off")]
    Truncated(String),
    /// A row is too long.
    #[error("a row of {bytes} bytes is too long for quarantine; 256 MiB is the most")]
    RowTooLong {
        /// Its length.
        bytes: usize,
    },
    /// The name cannot be a file's name.
    #[error("a fragment's name is made of a-z 0-9 - _ and is 1 to 64 characters long")]
    BadName,
}

/// A fragment that is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FragmentInfo {
    /// Its name, unique in the run and table.
    pub name: String,
    /// How many rows it holds.
    pub rows: u32,
    /// BLAKE3 of the file, hex. Receipts name it.
    pub blake3: String,
}

/// Which fragment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FragmentRef {
    /// The run.
    pub run: String,
    /// The table's label.
    pub table: String,
    /// Its name.
    pub name: String,
}

/// The folder of all fragments. Cheap to clone.
#[derive(Clone)]
pub struct Fragments {
    root: PathBuf,
    keys: Arc<Keyring>,
    purpose: Purpose,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    run: String,
    table: String,
    name: String,
    key_id: String,
    /// 19 bytes, hex; the frame's counter and last-mark complete the nonce.
    nonce: String,
}

impl Fragments {
    pub(crate) fn new(root: &Path, keys: Arc<Keyring>, purpose: Purpose) -> Fragments {
        Fragments { root: root.to_owned(), keys, purpose }
    }

    /// Begins a fragment. It is nowhere until [`FragmentWriter::finish`]; then it replaces one of that name.
    pub fn create(&self, run: &str, table: &str, name: &str) -> Result<FragmentWriter, StoreError> {
        let at = FragmentRef { run: run.to_owned(), table: table.to_owned(), name: name.to_owned() };
        FragmentWriter::new(self.path(&at)?, at, &self.keys, self.purpose)
    }

    /// Opens a fragment to read its rows.
    pub fn open(&self, run: &str, table: &str, name: &str) -> Result<FragmentReader, StoreError> {
        let at = FragmentRef { run: run.to_owned(), table: table.to_owned(), name: name.to_owned() };
        FragmentReader::new(&self.path(&at)?, at, &self.keys, self.purpose)
    }

    /// BLAKE3 of a fragment's file, hex, to hold against its receipt.
    pub fn blake3(&self, at: &FragmentRef) -> Result<String, StoreError> {
        let path = self.path(at)?;
        let failed = failed(&at.name);
        let mut hasher = blake3::Hasher::new();
        let file = fs::File::open(path).map_err(&failed)?;
        hasher.update_reader(file).map_err(failed)?;
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// The complete fragments of a run, by table and name.
    pub fn list(&self, run: &str) -> Result<Vec<FragmentRef>, StoreError> {
        let folder = self.root.join(safe(run));
        let mut found = Vec::new();
        for table in entries(&folder)? {
            for file in entries(&table)? {
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let Some(name) = name.strip_suffix(SUFFIX).filter(|n| !n.starts_with('.')) else { continue };
                let label = table.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let (table, name) = (unsafe_name(&label), name.to_owned());
                found.push(FragmentRef { run: run.to_owned(), table, name });
            }
        }
        found.sort();
        Ok(found)
    }

    /// Removes a fragment. One that is not there is fine.
    pub fn remove(&self, at: &FragmentRef) -> Result<(), StoreError> {
        let path = self.path(at)?;
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed(&at.name)(e).into()),
            _ => Ok(()),
        }
    }

    /// Removes what a crash left half-written in a run. Call it only while no writer of that run is at work.
    pub fn remove_unfinished(&self, run: &str) -> Result<u64, StoreError> {
        let mut removed = 0;
        for table in entries(&self.root.join(safe(run)))? {
            for file in entries(&table)? {
                if file.extension().is_some_and(|e| e == "tmp") {
                    fs::remove_file(&file).map_err(StoreError::io(&file))?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    fn path(&self, at: &FragmentRef) -> Result<PathBuf, StoreError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if at.name.is_empty() || at.name.len() > 64 || !at.name.chars().all(plain) {
            return Err(FragmentError::BadName.into());
        }
        let folder = self.root.join(safe(&at.run)).join(safe(&at.table));
        Ok(folder.join(format!("{}{SUFFIX}", at.name)))
    }
}

fn failed(name: &str) -> impl Fn(io::Error) -> FragmentError + use<> {
    let name = name.to_owned();
    move |e| FragmentError::Io { name: name.clone(), kind: e.kind() }
}

/// A folder's name for any label: what is not `a-z 0-9 - _` becomes `%` and two hex digits a byte.
fn safe(label: &str) -> String {
    let one = |b: u8| match b {
        b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => char::from(b).to_string(),
        _ => format!("%{b:02x}"),
    };
    label.bytes().map(one).collect()
}

/// The label that [`safe`] was given.
fn unsafe_name(name: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let coded = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok());
        match coded.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(StoreError::io(folder)(e)),
    };
    listed.map(|e| Ok(e.map_err(StoreError::io(folder))?.path())).collect()
}
