//! The canonical form of a plan and its fingerprints: SHA-256 over RFC 8785 JSON. What a plan leaves out is left
//! out here too, so that a key added to the language later changes no fingerprint of today.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::plan::Plan;

/// The SHA-256 of a canonical form; printed as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hex digits.
    pub fn from_hex(text: &str) -> Option<Fingerprint> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Fingerprint(bytes))
    }

    fn of(part: &impl Serialize) -> Fingerprint {
        // Cannot fail: every type in a plan serialises, and a plan has no number but finite ones.
        let canonical = serde_json_canonicalizer::to_vec(part).unwrap_or_default();
        Fingerprint(Sha256::digest(canonical).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl Plan {
    /// What decides the move: stores, subject, tables, comply and window, without places and comments.
    pub fn canonical_json(&self) -> Value {
        json!({
            "form": "dunlin-plan/1",
            "stores": self.stores,
            "subject": self.subject,
            "tables": self.tables,
            "comply": self.comply,
            "window": self.window,
        })
    }

    /// The fingerprint of what decides the move; this is what an approval binds.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.canonical_json())
    }

    /// The fingerprint of the people.
    pub fn people_fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&json!({ "form": "dunlin-people/1", "people": self.people }))
    }

    /// The fingerprint of the company.
    pub fn company_fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&json!({ "form": "dunlin-company/1", "company": self.company }))
    }

    /// The fingerprint of the notices.
    pub fn notices_fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&json!({ "form": "dunlin-notices/1", "notices": self.notices }))
    }
}
