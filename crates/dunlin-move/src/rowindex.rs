//! The row index: for each row that a part loaded, which row of the target it became. No value is in it, only keyed
//! hashes, so it may lie on disk in the clear.
//!
//! One entry is 64 bytes: the key's hash (16), the row's hash in target space (16), the row's hash in source space (32).
//! With it a row can be taken back (`undo`), replaced by a later run, or moved to quarantine (a violator of a
//! constraint added after the load) without reading the source again; and `verify` can name differing keys while it
//! holds only the buckets that differ.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use dunlin_connect::canon::RowHash;

use crate::accounting::FileRef;
use crate::batch::row_hash;
use crate::{MoveError, Result};

/// Bytes of one entry.
const ENTRY: usize = 64;
/// Bytes that are hashed and written at once.
const BUFFER: usize = 256 * 1024;

/// One loaded row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry {
    /// The hash of its key in the target; of the whole row where there is no key.
    pub key: [u8; 16],
    /// The first half of its hash in target space.
    pub row: [u8; 16],
    /// Its hash in source space.
    pub source: RowHash,
}

/// Writes the index of one part. Nothing is at its final name until [`finish`](Self::finish).
pub struct IndexWriter {
    path: PathBuf,
    temp: PathBuf,
    file: File,
    /// Entries that are neither hashed nor written yet: many at once cost a fraction of one by one.
    buffer: Vec<u8>,
    hasher: blake3::Hasher,
    rows: u64,
}

impl IndexWriter {
    /// Starts an index at `path`.
    ///
    /// # Errors
    /// When the folder or the file cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        let temp = path.with_extension("idx.tmp");
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| MoveError::file(folder, &e))?;
        }
        let file = File::create(&temp).map_err(|e| MoveError::file(&temp, &e))?;
        Ok(Self {
            path: path.to_owned(),
            temp,
            file,
            buffer: Vec::with_capacity(BUFFER),
            hasher: blake3::Hasher::new(),
            rows: 0,
        })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn push(&mut self, entry: IndexEntry) -> Result<()> {
        self.buffer.extend_from_slice(&entry.key);
        self.buffer.extend_from_slice(&entry.row);
        self.buffer.extend_from_slice(&entry.source.to_bytes());
        self.rows += 1;
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.hasher.update(&self.buffer);
        self.file.write_all(&self.buffer).map_err(|e| MoveError::file(&self.temp, &e))?;
        self.buffer.clear();
        Ok(())
    }

    /// Makes the index durable under its name.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn finish(mut self) -> Result<FileRef> {
        fail::fail_point!("move::index.before_fsync", |_| Err(MoveError::failpoint(
            "move::index.before_fsync"
        )));
        self.flush()?;
        self.file.sync_all().map_err(|e| MoveError::file(&self.temp, &e))?;
        std::fs::rename(&self.temp, &self.path).map_err(|e| MoveError::file(&self.path, &e))?;
        sync_folder(&self.path)?;
        fail::fail_point!("move::index.after_rename", |_| Err(MoveError::failpoint(
            "move::index.after_rename"
        )));
        Ok(FileRef {
            name: file_name(&self.path),
            blake3: self.hasher.finalize().to_hex().to_string(),
            rows: self.rows,
        })
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A renamed file is durable only once its folder is.
fn sync_folder(path: &Path) -> Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| MoveError::file(folder, &e))
}

/// Reads an index from its beginning, and checks at the end that it is the one its receipt names.
pub struct IndexReader {
    path: PathBuf,
    file: BufReader<File>,
    hasher: blake3::Hasher,
    want: String,
    done: bool,
}

impl IndexReader {
    /// Opens the index that a receipt names, in `folder`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(folder: &Path, reference: &FileRef) -> Result<Self> {
        let path = folder.join(&reference.name);
        let file = File::open(&path).map_err(|e| MoveError::file(&path, &e))?;
        Ok(Self {
            path,
            file: BufReader::with_capacity(256 * 1024, file),
            hasher: blake3::Hasher::new(),
            want: reference.blake3.clone(),
            done: false,
        })
    }

    fn next_entry(&mut self) -> Result<Option<IndexEntry>> {
        let mut bytes = [0u8; ENTRY];
        match self.file.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                if self.hasher.finalize().to_hex().as_str() != self.want {
                    return Err(MoveError::Broken {
                        message: format!("{} is not the row index its receipt names", self.path.display()),
                        help:
                            "restore `.dunlin/` from a backup, or load the table anew with `replace = true`"
                                .into(),
                    });
                }
                return Ok(None);
            }
            Err(e) => return Err(MoveError::file(&self.path, &e)),
        }
        self.hasher.update(&bytes);
        let half = |from: usize| {
            let mut out = [0u8; 16];
            out.copy_from_slice(&bytes[from..from + 16]);
            out
        };
        Ok(Some(IndexEntry { key: half(0), row: half(16), source: row_hash(&bytes[32..]) }))
    }
}

impl Iterator for IndexReader {
    type Item = Result<IndexEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.next_entry().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_index_is_noticed() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("1.idx");
        let mut writer = IndexWriter::create(&path).expect("create");
        let entry = IndexEntry { key: [1; 16], row: [2; 16], source: RowHash::from_bytes(&[3; 32]) };
        writer.push(entry).expect("push");
        let reference = writer.finish().expect("finish");
        let read: Vec<_> =
            IndexReader::open(folder.path(), &reference).expect("open").collect::<Result<_>>().expect("read");
        assert_eq!(read, [entry]);
        let mut bytes = std::fs::read(&path).expect("bytes");
        bytes[5] ^= 1;
        std::fs::write(&path, bytes).expect("write");
        let changed: Result<Vec<_>> = IndexReader::open(folder.path(), &reference).expect("open").collect();
        assert!(matches!(changed, Err(MoveError::Broken { .. })));
    }
}
