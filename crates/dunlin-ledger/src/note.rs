//! Signed checkpoints: a tree's size and root as a C2SP signed note under an Ed25519 key.
//!
//! Not here: how the tree is computed, and where keys live. The formats are those of the `signed_note` and
//! `tlog_tiles` crates; this module keeps their types out of our interface.

use signed_note::{Note, StandardSigner, StandardVerifier, VerifierList};
use tlog_tiles::Checkpoint as TreeHead;

use crate::Hash;

/// Why a key or a checkpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The text is not a key of this format.
    #[error("this is not a ledger key of the form name+hash+key")]
    BadKey,
    /// The text is not a checkpoint.
    #[error("this is not a checkpoint in the signed-note format")]
    BadCheckpoint,
    /// No signature of the expected key, or a false one.
    #[error("the checkpoint is not signed by the ledger's key")]
    BadSignature,
    /// The checkpoint speaks for another ledger.
    #[error("the checkpoint belongs to another ledger than its key")]
    WrongOrigin,
}

/// The private side of a ledger's key. It has no `Debug`: it never prints.
pub struct Signer {
    inner: StandardSigner,
    origin: String,
    verifier: String,
}

impl Signer {
    /// The signer for a ledger named `origin` (no spaces, no plus signs) from a 32-byte Ed25519 seed.
    pub fn from_seed(origin: &str, seed: &[u8; 32]) -> Result<Signer, NoteError> {
        if !signed_note::is_key_name_valid(origin) {
            return Err(NoteError::BadKey);
        }
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let verifier = signed_note::new_ed25519_verifier_key(origin, &key.verifying_key());
        let id = verifier.split('+').nth(1).ok_or(NoteError::BadKey)?;
        let private = [&[1u8][..], &seed[..]].concat();
        use base64::Engine as _;
        let private = base64::engine::general_purpose::STANDARD.encode(private);
        let text = format!("PRIVATE+KEY+{origin}+{id}+{private}");
        let inner = StandardSigner::new(&text).map_err(|_| NoteError::BadKey)?;
        Ok(Signer { inner, origin: origin.to_owned(), verifier })
    }

    /// The ledger's name, as it stands in its checkpoints.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The public side.
    pub fn verifier(&self) -> Result<Verifier, NoteError> {
        Verifier::parse(&self.verifier)
    }

    /// Signs a tree of `size` entries with this root.
    pub fn sign(&self, size: u64, root: &Hash) -> Result<Checkpoint, NoteError> {
        let head = TreeHead::new(&self.origin, size, tlog_tiles::Hash(*root), "")
            .map_err(|_| NoteError::BadCheckpoint)?;
        let mut note = Note::new(&head.to_bytes(), &[]).map_err(|_| NoteError::BadCheckpoint)?;
        note.add_sigs(&[&self.inner]).map_err(|_| NoteError::BadSignature)?;
        let note = String::from_utf8(note.to_bytes()).map_err(|_| NoteError::BadCheckpoint)?;
        Ok(Checkpoint { size, root: *root, note })
    }
}

/// The public side of a ledger's key: `name+hash+key`, as pinned in a plan under `[ledger] verifier`.
#[derive(Clone)]
pub struct Verifier {
    inner: StandardVerifier,
    text: String,
    origin: String,
}

impl Verifier {
    /// Reads a key written as `name+hash+key`.
    pub fn parse(text: &str) -> Result<Verifier, NoteError> {
        let inner = StandardVerifier::new(text).map_err(|_| NoteError::BadKey)?;
        let origin = text.split('+').next().unwrap_or_default().to_owned();
        Ok(Verifier { inner, text: text.to_owned(), origin })
    }

    /// The ledger's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The key as text, for a plan, a report or a receipt.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Verifier {
    fn eq(&self, other: &Verifier) -> bool {
        self.text == other.text
    }
}

/// A signed statement: the ledger had this many entries with this root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Number of entries.
    pub size: u64,
    /// Root hash of the tree over them.
    pub root: Hash,
    /// The signed note, byte for byte.
    pub note: String,
}

impl Checkpoint {
    /// Reads a signed note and checks its signature and origin.
    pub fn parse(note: &str, verifier: &Verifier) -> Result<Checkpoint, NoteError> {
        let signed = Note::from_bytes(note.as_bytes()).map_err(|_| NoteError::BadCheckpoint)?;
        // Signed notes may carry further lines of witnesses; ours carry one, and a second that nobody checks
        // would be a place to hide a change.
        if signed.to_bytes() != note.as_bytes() || note.matches("\n\u{2014} ").count() != 1 {
            return Err(NoteError::BadCheckpoint);
        }
        let known = VerifierList::new(vec![Box::new(verifier.inner.clone())]);
        signed.verify(&known).map_err(|_| NoteError::BadSignature)?;
        let head = TreeHead::from_bytes(signed.text()).map_err(|_| NoteError::BadCheckpoint)?;
        if head.origin() != verifier.origin {
            return Err(NoteError::WrongOrigin);
        }
        Ok(Checkpoint { size: head.size(), root: head.hash().0, note: note.to_owned() })
    }

    /// The root as hex.
    pub fn root_hex(&self) -> String {
        hex::encode(self.root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_signs_parses_and_catches_changes() {
        let signer = Signer::from_seed("dunlin/test", &[7; 32]).unwrap();
        let verifier = signer.verifier().unwrap();
        let checkpoint = signer.sign(5, &[9; 32]).unwrap();
        assert_eq!(Checkpoint::parse(&checkpoint.note, &verifier).unwrap(), checkpoint);
        insta::assert_snapshot!(checkpoint.note, @r"
        dunlin/test
        5
        CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=

        — dunlin/test IxDTpr5uZ2XsHMtHEHhnb2kz2UCAHSn1oTa3xIZGegZlE7U0ErN6gVg8QGfsODJ/tAv1lkC9aAw+WHMDuMkwvaB83A0=
        ");

        let other = Signer::from_seed("dunlin/test", &[8; 32]).unwrap().verifier().unwrap();
        assert_eq!(Checkpoint::parse(&checkpoint.note, &other), Err(NoteError::BadSignature));
        for at in 0..checkpoint.note.len() {
            let mut bytes = checkpoint.note.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(Checkpoint::parse(&changed, &verifier).is_err(), "byte {at}");
            }
        }
    }

    #[test]
    fn a_key_name_with_a_space_is_refused() {
        assert_eq!(Signer::from_seed("dun lin", &[7; 32]).err(), Some(NoteError::BadKey));
        assert_eq!(Verifier::parse("nonsense").err(), Some(NoteError::BadKey));
    }
}
