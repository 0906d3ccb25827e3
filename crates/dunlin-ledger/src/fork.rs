//! Forks: two checkpoints under one key that cannot both belong to one ledger.
//!
//! A ledger that shows one history to one auditor and another to the next must sign both. The two signatures
//! together are the evidence: it needs nobody's word, only the pinned key.

use serde::{Deserialize, Serialize};

use crate::{Checkpoint, ConsistencyProof, Hash, Log, LogError, NoteError, ProofError, Verifier};

/// Two signed checkpoints that contradict each other, with what is needed to see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkEvidence {
    /// The checkpoint of fewer entries (or either, when both have as many), as a signed note.
    pub first: String,
    /// The other.
    pub second: String,
    /// When the sizes differ: the root (hex) that the second history has at the first one's size ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_root: Option<String>,
    /// ... and the proof that the second checkpoint commits to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ConsistencyProof>,
}

/// Why something is no evidence of a fork.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoFork {
    /// One of the two is not signed by this key.
    #[error("one of the two checkpoints is not of this ledger: {0}")]
    Checkpoint(#[from] NoteError),
    /// Both say the same.
    #[error("both checkpoints belong to one history")]
    Same,
    /// The sizes differ, and nothing ties them together.
    #[error("the checkpoints have different sizes, and the evidence holds no proof between them")]
    NoProof,
    /// The proof does not belong to them.
    #[error("the proof between the two checkpoints does not hold: {0}")]
    False(#[from] ProofError),
}

/// How a checkpoint that somebody kept stands to a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is an earlier (or the newest) state of the ledger; the proof says so. `None` for an empty one.
    Consistent(Option<ConsistencyProof>),
    /// It has more entries than the ledger: the ledger was cut, or this copy is old.
    Ahead {
        /// Entries that the ledger has.
        size: u64,
    },
    /// The ledger's key has signed two histories.
    Forked(Box<ForkEvidence>),
}

impl ForkEvidence {
    /// Two checkpoints of one size with different roots: nothing else is needed. `None` otherwise.
    pub fn of_equal_size(a: &Checkpoint, b: &Checkpoint) -> Option<ForkEvidence> {
        let forked = a.size == b.size && a.root != b.root;
        let (first, second) = (a.note.clone(), b.note.clone());
        forked.then_some(ForkEvidence { first, second, other_root: None, proof: None })
    }

    /// Checks the evidence: it stands when this returns `Ok`.
    pub fn check(&self, verifier: &Verifier) -> Result<(), NoFork> {
        let first = Checkpoint::parse(&self.first, verifier)?;
        let second = Checkpoint::parse(&self.second, verifier)?;
        if first.size == second.size {
            return if first.root == second.root { Err(NoFork::Same) } else { Ok(()) };
        }
        let (Some(root), Some(proof)) = (&self.other_root, &self.proof) else {
            return Err(NoFork::NoProof);
        };
        let mut other: Hash = [0; 32];
        hex::decode_to_slice(root, &mut other).map_err(|_| ProofError::Malformed)?;
        // The second checkpoint commits to this root at the first one's size ...
        let claimed = Checkpoint { size: first.size, root: other, note: String::new() };
        proof.check(&claimed, &second)?;
        // ... and the first one signed another.
        if other == first.root { Err(NoFork::Same) } else { Ok(()) }
    }
}

impl Log {
    /// Holds a checkpoint from outside, whose signature was checked, against this ledger.
    pub fn standing(&self, outside: &Checkpoint) -> Result<Standing, LogError> {
        let Some(own) = self.checkpoint() else {
            let size = outside.size;
            return Ok(if size == 0 { Standing::Consistent(None) } else { Standing::Ahead { size: 0 } });
        };
        if outside.size > own.size {
            return Ok(Standing::Ahead { size: own.size });
        }
        let root = self.root_at(outside.size)?;
        let proof = match outside.size {
            0 => None,
            old => Some(self.prove_consistency(old, own.size)?),
        };
        if root == outside.root {
            return Ok(Standing::Consistent(proof));
        }
        let equal = outside.size == own.size;
        Ok(Standing::Forked(Box::new(ForkEvidence {
            first: outside.note.clone(),
            second: own.note.clone(),
            other_root: (!equal).then(|| hex::encode(root)),
            proof: if equal { None } else { proof },
        })))
    }
}
