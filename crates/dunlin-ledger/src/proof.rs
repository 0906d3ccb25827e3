//! Proofs that anybody can check with nothing but a checkpoint: an entry is in the log (inclusion), and an
//! older log is the beginning of a newer one (consistency).
//!
//! Not here: making them (`Log::prove_inclusion`, `Log::prove_consistency`).

use serde::{Deserialize, Serialize};

use crate::{Checkpoint, Hash};

/// Why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The proof is for a tree of another size than the checkpoint's.
    #[error("the proof is for a ledger of another size than the checkpoint")]
    OtherSize,
    /// The hashes do not lead to the checkpoint's root.
    #[error("the proof does not lead to the checkpoint's root")]
    False,
    /// A hash is not 64 hex digits.
    #[error("the proof holds something that is not a hash")]
    Malformed,
}

/// Proof that one entry is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InclusionProof {
    /// The entry's index, from 0.
    pub index: u64,
    /// Entries in the tree.
    pub size: u64,
    /// Sibling hashes from the leaf up, hex.
    pub hashes: Vec<String>,
}

impl InclusionProof {
    /// Checks that these bytes are entry `index` of the checkpoint's tree.
    pub fn check(&self, entry: &[u8], checkpoint: &Checkpoint) -> Result<(), ProofError> {
        if self.size != checkpoint.size {
            return Err(ProofError::OtherSize);
        }
        let (root, leaf) = (tlog_tiles::Hash(checkpoint.root), tlog_tiles::record_hash(entry));
        tlog_tiles::check_record(&parsed(&self.hashes)?, self.size, root, self.index, leaf)
            .map_err(|_| ProofError::False)
    }
}

/// Proof that the log only grew between two sizes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsistencyProof {
    /// Entries in the older tree, at least 1.
    pub old: u64,
    /// Entries in the newer tree.
    pub new: u64,
    /// Hashes as RFC 6962 orders them, hex.
    pub hashes: Vec<String>,
}

impl ConsistencyProof {
    /// Checks that the older checkpoint's tree is the beginning of the newer one's.
    pub fn check(&self, old: &Checkpoint, new: &Checkpoint) -> Result<(), ProofError> {
        if (self.old, self.new) != (old.size, new.size) {
            return Err(ProofError::OtherSize);
        }
        let (before, after) = (tlog_tiles::Hash(old.root), tlog_tiles::Hash(new.root));
        tlog_tiles::check_tree(&parsed(&self.hashes)?, self.new, after, self.old, before)
            .map_err(|_| ProofError::False)
    }
}

/// The RFC 6962 root (hex) over texts, for a list that the ledger names without holding it.
pub fn root_of<T: AsRef<[u8]>>(texts: &[T]) -> String {
    fn root(leaves: &[tlog_tiles::Hash]) -> tlog_tiles::Hash {
        match leaves {
            [] => tlog_tiles::EMPTY_HASH,
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                tlog_tiles::node_hash(root(left), root(right))
            }
        }
    }
    let leaves: Vec<tlog_tiles::Hash> = texts.iter().map(|t| tlog_tiles::record_hash(t.as_ref())).collect();
    hex::encode(root(&leaves).0)
}

pub(crate) fn plain(hashes: &[tlog_tiles::Hash]) -> Vec<String> {
    hashes.iter().map(|h| hex::encode(h.0)).collect()
}

fn parsed(hashes: &[String]) -> Result<Vec<tlog_tiles::Hash>, ProofError> {
    let parse = |text: &String| {
        let mut hash: Hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).map_err(|_| ProofError::Malformed)?;
        Ok(tlog_tiles::Hash(hash))
    };
    hashes.iter().map(parse).collect()
}
