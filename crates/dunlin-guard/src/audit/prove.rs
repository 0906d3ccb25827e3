//! Proofs for auditors: of one entry, of growth between two checkpoints, of a fork; and the read-only tiles.

use dunlin_ledger::{Checkpoint, ConsistencyProof, InclusionProof, Standing, TlogProof};
use dunlin_store::StoreError;

use super::Auditor;
use crate::GuardError;

/// What a file of the ledger holds, which decides who may read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TileKind {
    /// The signed checkpoint.
    Checkpoint,
    /// Hashes: they tell nothing about entries.
    Hashes,
    /// Entries: for auditors.
    Entries,
}

/// A file of the ledger, to be given out as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// What it holds.
    pub kind: TileKind,
    /// Whether it may change: the checkpoint may, tiles never do.
    pub lasting: bool,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What a path names, when it is one of C2SP tlog-tiles; nothing else reaches the file system.
fn kind_of_path(path: &str) -> Option<TileKind> {
    if path == "checkpoint" {
        return Some(TileKind::Checkpoint);
    }
    let mut parts = path.strip_prefix("tile/")?.split('/').peekable();
    let kind = match parts.next()? {
        "entries" => TileKind::Entries,
        level if level.len() <= 2 && digits(level) => TileKind::Hashes,
        _ => return None,
    };
    while parts.next_if(|p| p.strip_prefix('x').is_some_and(three)).is_some() {}
    let last = parts.next()?;
    let width = parts.next();
    let fits = match (last.strip_suffix(".p"), width) {
        (None, None) => three(last),
        (Some(number), Some(width)) => three(number) && digits(width) && width.len() <= 3,
        _ => false,
    };
    (fits && parts.next().is_none()).then_some(kind)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn three(text: &str) -> bool {
    text.len() == 3 && digits(text)
}

impl Auditor {
    /// The newest signed checkpoint; `None` before the first.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>, GuardError> {
        Ok(self.reader().log()?.checkpoint().cloned())
    }

    /// The proof file of an entry that a checkpoint covers, and the entry's bytes.
    pub async fn proof_file(&self, index: u64) -> Result<(TlogProof, Vec<u8>), GuardError> {
        self.with_log(move |log| {
            let proof = log.tlog_proof(index).map_err(beyond)?;
            Ok((proof, log.entry(index).map_err(beyond)?))
        })
        .await
    }

    /// Proof that an entry is in the ledger at its newest checkpoint.
    pub async fn inclusion(&self, index: u64) -> Result<InclusionProof, GuardError> {
        self.with_log(move |log| log.prove_inclusion(index).map_err(beyond)).await
    }

    /// Proof that the ledger of `old` entries is the beginning of that of `new` entries.
    pub async fn consistency(&self, old: u64, new: u64) -> Result<ConsistencyProof, GuardError> {
        self.with_log(move |log| log.prove_consistency(old, new).map_err(beyond)).await
    }

    /// How a checkpoint that an auditor has kept stands to this ledger: earlier in the same history, ahead of
    /// it (it was cut), or signed for another history, with the evidence of that.
    pub async fn standing(&self, note: &str) -> Result<Standing, GuardError> {
        let outside = Checkpoint::parse(note, self.reader().verifier()).map_err(StoreError::from)?;
        self.with_log(move |log| log.standing(&outside).map_err(beyond)).await
    }

    /// What a path below the ledger's address names, without reading it; `None` for anything else.
    pub fn tile_kind(&self, path: &str) -> Option<TileKind> {
        kind_of_path(path)
    }

    /// A file of the ledger: `checkpoint`, `tile/0/000`, `tile/entries/x001/234.p/5` ...
    pub async fn tile(&self, path: &str) -> Result<Tile, GuardError> {
        const UNKNOWN: GuardError = GuardError::Unknown("file in the ledger");
        let kind = kind_of_path(path).ok_or(UNKNOWN)?;
        let bytes = tokio::fs::read(self.reader().folder().join(path)).await.map_err(|_| UNKNOWN)?;
        Ok(Tile { kind, lasting: kind != TileKind::Checkpoint, bytes })
    }

    async fn with_log<T: Send + 'static>(
        &self,
        work: impl FnOnce(dunlin_ledger::Log) -> Result<T, GuardError> + Send + 'static,
    ) -> Result<T, GuardError> {
        let reader = self.reader().clone();
        let joined = tokio::task::spawn_blocking(move || work(reader.log()?)).await;
        joined.map_err(|_| GuardError::Internal("reading the ledger"))?
    }
}

fn beyond(error: dunlin_ledger::LogError) -> GuardError {
    match error {
        dunlin_ledger::LogError::Beyond { .. } => {
            GuardError::Unknown("entry under a checkpoint yet; the newest are signed within a second")
        }
        other => GuardError::Store(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_tiles_reach_the_disk() {
        for (path, kind) in [
            ("checkpoint", TileKind::Checkpoint),
            ("tile/0/000", TileKind::Hashes),
            ("tile/1/x001/234", TileKind::Hashes),
            ("tile/0/x001/x234/067.p/9", TileKind::Hashes),
            ("tile/entries/000.p/255", TileKind::Entries),
        ] {
            assert_eq!(kind_of_path(path), Some(kind), "{path}");
        }
        for path in [
            "",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "tile/0/00",
            "tile/0/0000",
            "tile/0/000.p",
            "tile/0/000.p/",
            "tile/0/000.p/x",
            "tile/0/000/1",
            "tile/0/x001",
            "tile/-1/000",
            "tile/../state.db",
            "../state.db",
            "tile/0/../../../state.db",
            "/etc/passwd",
            "tile/entries/%2e%2e",
            "tile//000",
            "checkpoint/",
            "tile/0/0\u{0}0",
        ] {
            assert_eq!(kind_of_path(path), None, "{path}");
        }
    }
}
