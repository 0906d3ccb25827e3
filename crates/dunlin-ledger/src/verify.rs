//! The check of a whole ledger: everything is computed again from the entries and held against the tiles, the
//! signed checkpoint and the checkpoints known from outside the folder.
//!
//! Not here: where those outside checkpoints come from (the state database, a report, a receipt).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use tlog_tiles::{HashReader, stored_hash_index};

use crate::layout::{self, TILE_HEIGHT, TileName};
use crate::log::{LogError, read_tile};
use crate::note::{Checkpoint, NoteError, Verifier};
use crate::{Entry, Hash, Log};

/// What a verified ledger holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Number of entries.
    pub size: u64,
    /// Root hash over them.
    pub root: Hash,
    /// Outside checkpoints that the ledger was held against.
    pub known_checked: usize,
    /// Entries by kind; `unknown` are those of another version of dunlin.
    pub kinds: BTreeMap<String, u64>,
    /// Files in the folder that are not part of the log, e.g. left by a crash. They prove nothing and change
    /// nothing.
    pub strays: Vec<String>,
}

/// What is wrong with a ledger, and where.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// There is no checkpoint, though one is known.
    #[error("the ledger has no checkpoint, but one of {known} entries is known: it was removed")]
    Removed {
        /// Entries that the ledger once had.
        known: u64,
    },
    /// The checkpoint is not what the ledger's key signed.
    #[error("`checkpoint`: {0}")]
    Checkpoint(NoteError),
    /// The ledger is shorter than it once was.
    #[error("the ledger has {size} entries, but once had {known}: the newest were cut off")]
    Truncated {
        /// Entries now.
        size: u64,
        /// Entries that are known to have been there.
        known: u64,
    },
    /// The first entries are not those that were once signed.
    #[error(
        "the first {known} entries are not those that an earlier checkpoint signed: history was rewritten"
    )]
    Rewritten {
        /// Entries of the earlier checkpoint.
        known: u64,
    },
    /// A file is missing.
    #[error("`{path}` is missing")]
    Missing {
        /// Path below the ledger's folder.
        path: String,
    },
    /// A file could not be read.
    #[error("`{path}` could not be read: {kind}")]
    Unreadable {
        /// Path below the ledger's folder.
        path: String,
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// A bundle does not hold whole entries, or not as many as it must.
    #[error("`{path}` does not hold {entries} whole entries")]
    Malformed {
        /// Path below the ledger's folder.
        path: String,
        /// Entries that it must hold.
        entries: u16,
    },
    /// An entry differs from the hash that the signed tree has for it.
    #[error("entry {index} (in `{path}`) was changed")]
    EntryChanged {
        /// Index of the first such entry, from 0.
        index: u64,
        /// Path below the ledger's folder.
        path: String,
    },
    /// A tile differs from what the entries, which are as signed, give.
    #[error("`{path}` was changed; the entries are as signed")]
    TileChanged {
        /// Path below the ledger's folder.
        path: String,
    },
    /// Entries and tiles agree with each other, but not with the signed root.
    #[error("the entries do not give the root that the checkpoint signs: some were replaced")]
    RootDiffers,
}

impl Log {
    /// Checks everything in the folder against the checkpoint, and the log against each `known` one.
    ///
    /// Any change, removal or truncation is an error; a truncation to an older, honestly signed state is
    /// seen only by means of a newer checkpoint in `known`.
    pub fn verify(
        dir: &Path,
        verifier: &Verifier,
        known: &[Checkpoint],
    ) -> Result<VerifyReport, VerifyError> {
        let newest = known.iter().map(|c| c.size).max().unwrap_or(0);
        let log = Log::open(dir, verifier).map_err(refused)?;
        let Some(checkpoint) = log.checkpoint() else {
            if newest > 0 || dir.join("tile").exists() {
                return Err(VerifyError::Removed { known: newest });
            }
            return Ok(VerifyReport {
                size: 0,
                root: log.root(),
                known_checked: known.len(),
                kinds: BTreeMap::new(),
                strays: strays(dir, 0),
            });
        };
        let size = checkpoint.size;
        if newest > size {
            return Err(VerifyError::Truncated { size, known: newest });
        }
        let (tree, kinds) = recompute(dir, size)?;
        compare(dir, size, &tree, checkpoint)?;
        for earlier in known {
            if root(&tree, earlier.size)? != earlier.root {
                return Err(VerifyError::Rewritten { known: earlier.size });
            }
        }
        Ok(VerifyReport {
            size,
            root: checkpoint.root,
            known_checked: known.len(),
            kinds,
            strays: strays(dir, size),
        })
    }
}

fn refused(error: LogError) -> VerifyError {
    match error {
        LogError::Checkpoint(note) => VerifyError::Checkpoint(note),
        LogError::Io { path, kind: io::ErrorKind::NotFound } => VerifyError::Missing { path },
        LogError::Io { path, kind } => VerifyError::Unreadable { path, kind },
        _ => VerifyError::RootDiffers,
    }
}

/// All hashes of the tree, in the order in which they are stored.
struct Recomputed(Vec<tlog_tiles::Hash>);

impl HashReader for Recomputed {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let get = |i: &u64| self.0.get(*i as usize).copied().ok_or(tlog_tiles::Error::InvalidTile);
        indexes.iter().map(get).collect()
    }
}

fn recompute(dir: &Path, size: u64) -> Result<(Recomputed, BTreeMap<String, u64>), VerifyError> {
    let mut tree = Recomputed(Vec::new());
    let mut kinds = BTreeMap::new();
    let mut n = 0;
    for tile in layout::tiles(0, size).into_iter().filter(|t| t.level.is_none()) {
        let bytes = read_tile(dir, &tile).map_err(refused)?;
        let entries = layout::unpack_entries(&bytes, usize::from(tile.width))
            .ok_or_else(|| VerifyError::Malformed { path: tile.path(), entries: tile.width })?;
        for entry in entries {
            let hashes = tlog_tiles::stored_hashes(n, &entry, &tree).map_err(|_| VerifyError::RootDiffers)?;
            tree.0.extend(hashes);
            *kinds.entry(kind_of(&entry)).or_insert(0) += 1;
            n += 1;
        }
    }
    Ok((tree, kinds))
}

fn kind_of(entry: &[u8]) -> String {
    let parsed = Entry::from_bytes(entry).ok().and_then(|e| serde_json::to_value(e.body).ok());
    let kind = parsed.as_ref().and_then(|body| body["kind"].as_str());
    kind.unwrap_or("unknown").to_owned()
}

fn root(tree: &Recomputed, size: u64) -> Result<Hash, VerifyError> {
    tlog_tiles::tree_hash(size, tree).map(|h| h.0).map_err(|_| VerifyError::RootDiffers)
}

/// Holds the tiles and the root against what the entries give, and says which side was changed.
fn compare(dir: &Path, size: u64, tree: &Recomputed, checkpoint: &Checkpoint) -> Result<(), VerifyError> {
    let entries_as_signed = root(tree, size)? == checkpoint.root;
    for tile in layout::tiles(0, size) {
        let Some(level) = tile.level else { continue };
        let stored = read_tile(dir, &tile).map_err(refused)?;
        let fresh = tile_bytes(tree, level, &tile)?;
        if stored == fresh {
            continue;
        }
        if entries_as_signed || level > 0 || stored.len() != fresh.len() {
            return Err(VerifyError::TileChanged { path: tile.path() });
        }
        let differs = stored.chunks(32).zip(fresh.chunks(32)).position(|(a, b)| a != b);
        let bundle = TileName { level: None, ..tile };
        let index = tile.first() + differs.unwrap_or(0) as u64;
        return Err(VerifyError::EntryChanged { index, path: bundle.path() });
    }
    if entries_as_signed { Ok(()) } else { Err(VerifyError::RootDiffers) }
}

fn tile_bytes(tree: &Recomputed, level: u8, tile: &TileName) -> Result<Vec<u8>, VerifyError> {
    let all = tile.first()..tile.first() + u64::from(tile.width);
    let indexes: Vec<u64> = all.map(|n| stored_hash_index(level * TILE_HEIGHT, n)).collect();
    let hashes = tree.read_hashes(&indexes).map_err(|_| VerifyError::RootDiffers)?;
    Ok(hashes.iter().flat_map(|h| h.0).collect())
}

/// Files below the folder that the tree of this size does not have.
fn strays(dir: &Path, size: u64) -> Vec<String> {
    let mut expected: BTreeSet<String> = layout::tiles(0, size).iter().map(TileName::path).collect();
    expected.insert("checkpoint".to_owned());
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = file.path();
            if file.file_type().is_ok_and(|t| t.is_dir()) {
                folders.push(path);
            } else if let Ok(name) = path.strip_prefix(dir) {
                let name = name.to_string_lossy().into_owned();
                if !expected.contains(&name) {
                    found.push(name);
                }
            }
        }
    }
    found.sort();
    found
}
