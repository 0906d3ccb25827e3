//! The log itself: a folder that holds a signed checkpoint, tiles of hashes and bundles of entries.
//!
//! Not here: who may append (the caller holds a lock), the check of the whole folder (`verify`), and what
//! the entries mean: here they are bytes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tlog_tiles::{HashReader, stored_hash_index};

use crate::files::{point, replace_file};
use crate::layout::{self, TILE_HEIGHT, TILE_WIDTH, TileName};
use crate::note::{Checkpoint, NoteError, Signer, Verifier};
use crate::{ConsistencyProof, Hash, InclusionProof, proof};

/// The longest entry, in bytes: a bundle writes the length in two.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;

/// Mode of the ledger's files: their folder is private to the user.
const FILE_MODE: u32 = 0o600;

/// Why the log could not be read or extended.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file could not be read or written.
    #[error("the ledger's file `{path}` could not be read or written: {kind}")]
    Io {
        /// Path below the ledger's folder.
        path: String,
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// A file does not hold what its name promises.
    #[error("the ledger's file `{path}` is damaged; `dunlin ledger verify` says more")]
    Damaged {
        /// Path below the ledger's folder.
        path: String,
    },
    /// The checkpoint is not ours.
    #[error("the ledger's checkpoint: {0}")]
    Checkpoint(#[from] NoteError),
    /// An entry is longer than [`MAX_ENTRY_BYTES`].
    #[error("a ledger entry has {0} bytes; 65535 is the most")]
    TooLong(usize),
    /// No such entry, or no such older tree.
    #[error("the ledger has {size} entries; {asked} is beyond them")]
    Beyond {
        /// What was asked for.
        asked: u64,
        /// Entries in the ledger.
        size: u64,
    },
}

/// A ledger's folder, at its newest checkpoint.
#[derive(Debug)]
pub struct Log {
    dir: PathBuf,
    verifier: Verifier,
    checkpoint: Option<Checkpoint>,
}

impl Log {
    /// Opens the folder, which need not exist yet, and checks the signature of its checkpoint.
    pub fn open(dir: &Path, verifier: &Verifier) -> Result<Log, LogError> {
        let mut log = Log { dir: dir.to_owned(), verifier: verifier.clone(), checkpoint: None };
        log.reload()?;
        Ok(log)
    }

    /// Reads the checkpoint again, after another process has appended.
    pub fn reload(&mut self) -> Result<(), LogError> {
        self.checkpoint = match std::fs::read(self.dir.join("checkpoint")) {
            Ok(bytes) => {
                let note = String::from_utf8(bytes).map_err(|_| NoteError::BadCheckpoint)?;
                Some(Checkpoint::parse(&note, &self.verifier)?)
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(LogError::Io { path: "checkpoint".into(), kind: e.kind() }),
        };
        Ok(())
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.checkpoint.as_ref().map_or(0, |c| c.size)
    }

    /// Root hash over the entries.
    pub fn root(&self) -> Hash {
        self.checkpoint.as_ref().map_or(tlog_tiles::EMPTY_HASH.0, |c| c.root)
    }

    /// The newest signed checkpoint; `None` before the first entry.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    /// Appends entries and signs the new tree. All of them are in the log, or none.
    ///
    /// The caller holds the lock of the folder. After a crash in here the checkpoint is the old one and the
    /// files beyond it count for nothing: append the same entries again. Appending none changes nothing, but
    /// signs an empty tree when there is no checkpoint yet.
    pub fn append(&mut self, entries: &[Vec<u8>], signer: &Signer) -> Result<Checkpoint, LogError> {
        if let Some(long) = entries.iter().find(|e| e.len() > MAX_ENTRY_BYTES) {
            return Err(LogError::TooLong(long.len()));
        }
        // A log that its own verifier refuses must never be written.
        if signer.verifier()? != self.verifier {
            return Err(NoteError::BadSignature.into());
        }
        self.reload()?;
        if let (Some(checkpoint), true) = (&self.checkpoint, entries.is_empty()) {
            return Ok(checkpoint.clone());
        }
        let old = self.size();
        let new = old + entries.len() as u64;
        let tree = self.tree();
        for (n, entry) in (old..).zip(entries) {
            tree.add(n, entry)?;
        }
        let root = tlog_tiles::tree_hash(new, &tree).map_err(|_| tree.damage())?;
        let tail = self.partial_bundle(old)?;
        for tile in layout::tiles(old, new) {
            let bytes = match tile.level {
                None => self.bundle(&tile, old, &tail, entries),
                Some(level) => tree.tile(level, &tile)?,
            };
            self.write_tile(&tile, &bytes)?;
        }
        let checkpoint = signer.sign(new, &root.0)?;
        self.write_checkpoint(&checkpoint)?;
        self.checkpoint = Some(checkpoint.clone());
        self.clean(old, new)?;
        Ok(checkpoint)
    }

    /// The entries `from..`, in order, as they were appended.
    pub fn entries(&self, from: u64) -> impl Iterator<Item = Result<Vec<u8>, LogError>> + '_ {
        let size = self.size();
        let bundles = from / TILE_WIDTH..size.div_ceil(TILE_WIDTH);
        bundles.flat_map(move |index| {
            let skip = from.saturating_sub(index * TILE_WIDTH) as usize;
            match self.read_bundle(index, size) {
                Ok(entries) => entries.into_iter().skip(skip).map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(error)],
            }
        })
    }

    /// One entry.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, LogError> {
        self.within(index + 1)?;
        let bundle = self.read_bundle(index / TILE_WIDTH, self.size())?;
        Ok(bundle[(index % TILE_WIDTH) as usize].clone())
    }

    /// Writes every entry as one line of JSON; line `n`, counted from 0, is entry `n` byte for byte.
    /// Returns the number of lines.
    pub fn export(&self, out: &mut dyn Write) -> Result<u64, LogError> {
        let failed = |e: io::Error| LogError::Io { path: "the export".into(), kind: e.kind() };
        let mut lines = 0;
        for entry in self.entries(0) {
            out.write_all(&entry?).and_then(|()| out.write_all(b"\n")).map_err(failed)?;
            lines += 1;
        }
        out.flush().map_err(failed)?;
        Ok(lines)
    }

    /// Proof that entry `index` is in the log at its newest checkpoint.
    pub fn prove_inclusion(&self, index: u64) -> Result<InclusionProof, LogError> {
        self.within(index + 1)?;
        let tree = self.tree();
        let hashes = tlog_tiles::prove_record(self.size(), index, &tree).map_err(|_| tree.damage())?;
        Ok(InclusionProof { index, size: self.size(), hashes: proof::plain(&hashes) })
    }

    /// Proof that the log of `old` entries is the beginning of the log of `new` entries.
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<ConsistencyProof, LogError> {
        self.within(new.max(old))?;
        if old == 0 || new < old {
            return Err(LogError::Beyond { asked: old, size: new });
        }
        let tree = self.tree();
        let hashes = tlog_tiles::prove_tree(new, old, &tree).map_err(|_| tree.damage())?;
        Ok(ConsistencyProof { old, new, hashes: proof::plain(&hashes) })
    }

    /// Root of the log when it had `size` entries.
    pub fn root_at(&self, size: u64) -> Result<Hash, LogError> {
        self.within(size)?;
        let tree = self.tree();
        tlog_tiles::tree_hash(size, &tree).map(|h| h.0).map_err(|_| tree.damage())
    }

    fn within(&self, asked: u64) -> Result<(), LogError> {
        let size = self.size();
        if asked > size { Err(LogError::Beyond { asked, size }) } else { Ok(()) }
    }

    fn tree(&self) -> Tree<'_> {
        Tree { dir: &self.dir, size: self.size(), added: RefCell::default(), tiles: RefCell::default() }
    }

    /// The entries of the last bundle, when it is not full.
    fn partial_bundle(&self, size: u64) -> Result<Vec<Vec<u8>>, LogError> {
        if size.is_multiple_of(TILE_WIDTH) {
            Ok(Vec::new())
        } else {
            self.read_bundle(size / TILE_WIDTH, size)
        }
    }

    fn read_bundle(&self, index: u64, size: u64) -> Result<Vec<Vec<u8>>, LogError> {
        let tile = layout::tile_of(None, index * TILE_WIDTH, size);
        let bytes = read_grown_tile(&self.dir, &tile)?;
        layout::unpack_entries(&bytes, usize::from(tile.width))
            .ok_or_else(|| LogError::Damaged { path: tile.path() })
    }

    /// Bytes of a bundle: what the old partial one held, then the new entries that belong to it.
    fn bundle(&self, tile: &TileName, old: u64, tail: &[Vec<u8>], entries: &[Vec<u8>]) -> Vec<u8> {
        let first = tile.first();
        let kept: &[Vec<u8>] = if first < old { tail } else { &[] };
        let from = first.max(old) - old;
        let to = first + u64::from(tile.width) - old;
        let fresh = &entries[from as usize..to as usize];
        layout::pack_entries(kept.iter().chain(fresh).map(Vec::as_slice))
    }

    fn write_tile(&self, tile: &TileName, bytes: &[u8]) -> Result<(), LogError> {
        let path = tile.path();
        let failed = |e: io::Error| LogError::Io { path: path.clone(), kind: e.kind() };
        point("ledger::tile.before").map_err(failed)?;
        let full = self.dir.join(&path);
        if let Some(folder) = full.parent() {
            make_folders(&self.dir, folder).map_err(failed)?;
        }
        replace_file(&full, bytes, FILE_MODE).map_err(failed)?;
        point("ledger::tile.after").map_err(failed)
    }

    fn write_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), LogError> {
        let failed = |e: io::Error| LogError::Io { path: "checkpoint".into(), kind: e.kind() };
        point("ledger::checkpoint.before").map_err(failed)?;
        make_folders(&self.dir, &self.dir).map_err(failed)?;
        replace_file(&self.dir.join("checkpoint"), checkpoint.note.as_bytes(), FILE_MODE).map_err(failed)?;
        point("ledger::checkpoint.after").map_err(failed)
    }

    /// Removes partial tiles that a wider one has replaced. What stays behind after a crash is harmless.
    fn clean(&self, old: u64, new: u64) -> Result<(), LogError> {
        let failed = |e: io::Error| LogError::Io { path: "tile".into(), kind: e.kind() };
        point("ledger::clean.before").map_err(failed)?;
        for tile in layout::tiles(old, new) {
            let full = TileName { width: TILE_WIDTH as u16, ..tile };
            let partials = self.dir.join(format!("{}.p", full.path()));
            let Ok(files) = std::fs::read_dir(&partials) else { continue };
            for file in files.flatten() {
                if file.path() != self.dir.join(tile.path()) {
                    std::fs::remove_file(file.path()).map_err(failed)?;
                }
            }
            // Only an empty folder goes; one that holds the newest partial tile refuses.
            let _ = std::fs::remove_dir(&partials);
        }
        Ok(())
    }
}

/// Makes `folder` and its parents below `top` durable, private to the user.
fn make_folders(top: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent()
        && folder != top
    {
        make_folders(top, parent)?;
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    folder.parent().map_or(Ok(()), crate::files::sync_dir)
}

pub(crate) fn read_tile(dir: &Path, tile: &TileName) -> Result<Vec<u8>, LogError> {
    let path = tile.path();
    std::fs::read(dir.join(&path)).map_err(|e| LogError::Io { path, kind: e.kind() })
}

/// The same for who reads at an older size while the log grows: a partial tile is deleted once a fuller one is there,
/// which begins with what it held.
fn read_grown_tile(dir: &Path, tile: &TileName) -> Result<Vec<u8>, LogError> {
    let mut missing = read_tile(dir, tile);
    // The fuller one may be gone as well by the time that it is read.
    for _ in 0..16 {
        if !matches!(&missing, Err(LogError::Io { kind: io::ErrorKind::NotFound, .. })) {
            return missing;
        }
        let Some(fuller) = fuller(dir, tile) else { return missing };
        missing = read_tile(dir, &fuller).map(|bytes| layout::beginning(&bytes, tile));
    }
    missing
}

/// The fullest tile in the place of this one.
fn fuller(dir: &Path, tile: &TileName) -> Option<TileName> {
    let full = TileName { width: TILE_WIDTH as u16, ..*tile };
    if dir.join(full.path()).is_file() {
        return Some(full);
    }
    let files = std::fs::read_dir(dir.join(format!("{}.p", full.path()))).ok()?;
    let widths = files.flatten().filter_map(|file| file.file_name().to_str()?.parse::<u16>().ok());
    let width = widths.filter(|width| *width > tile.width).max()?;
    Some(TileName { width, ..*tile })
}

/// Hashes of a tree: those on disk, and those just added.
struct Tree<'a> {
    dir: &'a Path,
    size: u64,
    added: RefCell<HashMap<u64, tlog_tiles::Hash>>,
    tiles: RefCell<HashMap<(u8, u64), Vec<u8>>>,
}

impl Tree<'_> {
    fn add(&self, n: u64, entry: &[u8]) -> Result<(), LogError> {
        let hashes = tlog_tiles::stored_hashes(n, entry, self).map_err(|_| self.damage())?;
        let mut added = self.added.borrow_mut();
        for (at, hash) in (stored_hash_index(0, n)..).zip(hashes) {
            added.insert(at, hash);
        }
        Ok(())
    }

    fn tile(&self, level: u8, tile: &TileName) -> Result<Vec<u8>, LogError> {
        let all = tile.first()..tile.first() + u64::from(tile.width);
        let indexes: Vec<u64> = all.map(|n| stored_hash_index(level * TILE_HEIGHT, n)).collect();
        let hashes = self.read_hashes(&indexes).map_err(|_| self.damage())?;
        Ok(hashes.iter().flat_map(|h| h.0).collect())
    }

    fn read(&self, index: u64) -> Option<tlog_tiles::Hash> {
        if let Some(hash) = self.added.borrow().get(&index) {
            return Some(*hash);
        }
        let (level, n) = tlog_tiles::split_stored_hash_index(index);
        let (tile_level, inner) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let first = n << inner;
        let tile = layout::tile_of(Some(tile_level), first, self.size >> (tile_level * TILE_HEIGHT));
        let mut tiles = self.tiles.borrow_mut();
        let bytes = match tiles.entry((tile_level, tile.index)) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(read_grown_tile(self.dir, &tile).ok()?)
            }
        };
        let start = (first % TILE_WIDTH) as usize * 32;
        let hashes = bytes.get(start..start + (32 << inner))?;
        Some(tlog_tiles::Tile::subtree_hash(hashes))
    }

    /// Which tile is missing or short is for `verify` to say.
    fn damage(&self) -> LogError {
        LogError::Damaged { path: "tile".into() }
    }
}

impl HashReader for Tree<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let read = |i: &u64| self.read(*i).ok_or(tlog_tiles::Error::InvalidTile);
        indexes.iter().map(read).collect()
    }
}
