//! Proof files: one small text that shows, without any network, that an entry is in the ledger.
//!
//! The format is C2SP tlog-proof (<https://c2sp.org/tlog-proof>): a head line, optional extra data, the entry's
//! index, the hashes of the inclusion proof, an empty line, and the signed checkpoint. The entry's bytes are not
//! in it: whoever checks has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Checkpoint, InclusionProof, Log, LogError, NoteError, ProofError, Verifier};

const HEAD: &str = "c2sp.org/tlog-proof@v1";
/// The most hashes that a proof can have: a tree of 2^63 entries.
const MAX_HASHES: usize = 63;

/// Why a proof file does not prove what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// Not a proof file of this version.
    #[error("this is not a proof file that begins with {HEAD}")]
    NotAProof,
    /// A line is not what is due in its place.
    #[error("line {0} of the proof file is not what is due there")]
    BadLine(usize),
    /// The checkpoint in it is not signed by the ledger's key.
    #[error("the proof file's checkpoint: {0}")]
    Checkpoint(#[from] NoteError),
    /// The hashes do not lead from the entry to the checkpoint.
    #[error("the entry is not the one that this proof file is for: {0}")]
    False(#[from] ProofError),
}

/// A proof file, read or about to be written. Nothing of it is checked before [`TlogProof::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// The entry's index, from 0.
    pub index: u64,
    /// Sibling hashes from the leaf up.
    pub hashes: Vec<[u8; 32]>,
    /// Data of the application; not covered by any signature.
    pub extra: Option<Vec<u8>>,
    /// The signed checkpoint, byte for byte.
    pub checkpoint: String,
}

impl TlogProof {
    /// Writes the file.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEAD}\n");
        if let Some(extra) = &self.extra {
            text.push_str(&format!("extra {}\n", STANDARD.encode(extra)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.hashes {
            text.push_str(&STANDARD.encode(hash));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// Reads a file.
    pub fn parse(text: &str) -> Result<TlogProof, TlogProofError> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(TlogProofError::NotAProof)?;
        let mut lines = head.split('\n').enumerate().map(|(n, line)| (n + 1, line)).peekable();
        if lines.next().map(|(_, line)| line) != Some(HEAD) {
            return Err(TlogProofError::NotAProof);
        }
        let mut extra = None;
        if let Some((n, line)) = lines.next_if(|(_, line)| line.starts_with("extra ")) {
            let data = line.strip_prefix("extra ").and_then(|d| STANDARD.decode(d).ok());
            extra = Some(data.ok_or(TlogProofError::BadLine(n))?);
        }
        let (n, line) = lines.next().ok_or(TlogProofError::BadLine(2))?;
        let index = line.strip_prefix("index ").and_then(decimal).ok_or(TlogProofError::BadLine(n))?;
        let mut hashes = Vec::new();
        for (n, line) in lines {
            let hash = STANDARD.decode(line).ok().and_then(|h| <[u8; 32]>::try_from(h).ok());
            hashes.push(hash.filter(|_| n <= MAX_HASHES + 3).ok_or(TlogProofError::BadLine(n))?);
        }
        Ok(TlogProof { index, hashes, extra, checkpoint: checkpoint.to_owned() })
    }

    /// Checks, with the pinned key and nothing else, that these bytes are the entry that the proof is for.
    /// Returns the checkpoint that vouches for it.
    pub fn check(&self, entry: &[u8], verifier: &Verifier) -> Result<Checkpoint, TlogProofError> {
        let checkpoint = Checkpoint::parse(&self.checkpoint, verifier)?;
        let hashes = self.hashes.iter().map(hex::encode).collect();
        let proof = InclusionProof { index: self.index, size: checkpoint.size, hashes };
        proof.check(entry, &checkpoint)?;
        Ok(checkpoint)
    }
}

/// A number as the format writes it: no sign, no leading zero.
fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

impl Log {
    /// The proof file of one entry, under the newest checkpoint.
    pub fn tlog_proof(&self, index: u64) -> Result<TlogProof, LogError> {
        let proof = self.prove_inclusion(index)?;
        let missing = || LogError::Beyond { asked: index, size: 0 };
        let checkpoint = self.checkpoint().ok_or_else(missing)?.note.clone();
        let decode = |text: &String| {
            let mut hash = [0; 32];
            hex::decode_to_slice(text, &mut hash).ok().map(|()| hash)
        };
        let hashes = proof.hashes.iter().map(decode).collect::<Option<Vec<_>>>();
        let hashes = hashes.ok_or(LogError::Damaged { path: "tile".into() })?;
        Ok(TlogProof { index, hashes, extra: None, checkpoint })
    }
}
