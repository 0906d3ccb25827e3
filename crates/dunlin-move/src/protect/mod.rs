//! `protect`: keyed transforms of a value on its way into the target. All are deterministic under one key, so that a
//! verification can compute again what must be there, and equal values stay equal (foreign keys, matching).
//!
//! - `mask`: the kind's mask, as a person would see it; not reversible.
//! - `hash`: keyed BLAKE3, 64 hex digits; not reversible, not guessable without the key.
//! - `tokenise`: `tok_` and 26 characters; the token of a value is the same in every table.
//! - `encrypt`: XChaCha20-Poly1305 with a nonce derived from key and value (the construction of a synthetic IV, as in
//!   RFC 5297): reversible with the workspace's key, and it reveals nothing but which values are equal.
//! - `format`: a keyed stand-in of the same shape with valid check digits ([`format`](self::format)).
//! - `shift`: dates moved by a keyed number of days, the same for all of one customer ([`coarse`]).
//! - `general`, `remove`: coarser, or gone ([`coarse`]).
//! - `fake`: made-up names, addresses and numbers by keyed choice (`dunlin_quality::fake`).

mod alphabet;
mod coarse;
mod format;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use dunlin_connect::ColumnType;
use dunlin_plan::Protect;

use crate::fit::fit;
use crate::spec::Mapped;

/// Holds the key of the transforms.
pub struct Protector {
    key: [u8; 32],
    key_id: String,
}

impl Protector {
    /// A protector under this key; the id goes into what it encrypts, so that rotation keeps old values readable.
    pub fn new(key: [u8; 32], key_id: impl Into<String>) -> Self {
        Self { key, key_id: key_id.into() }
    }

    /// Hides a column. NULL stays NULL. `subjects` are the values that name each row's customer, as texts; `shift` needs
    /// them, and takes out what belongs to nobody.
    pub fn apply(
        &self,
        protect: Protect,
        column: &Mapped,
        array: &ArrayRef,
        subjects: Option<&StringArray>,
    ) -> ArrayRef {
        let texts = fit(array, &column.clear_type, &ColumnType::TEXT).array;
        let texts = texts.as_string::<i32>();
        let subject = |row: usize| subjects.filter(|s| s.is_valid(row)).map(|s| s.value(row));
        let value = |(row, text): (usize, Option<&str>)| {
            let text = text?;
            match protect {
                Protect::Mask | Protect::Hash | Protect::Tokenise | Protect::Encrypt => {
                    Some(self.value(protect, column.kind.map(|k| k.as_str()), text))
                }
                other => self.made(other, column, text, subject(row)).or_else(|| coarse::removed(column)),
            }
        };
        let hidden: StringArray = texts.iter().enumerate().map(value).collect();
        debug_assert_eq!(hidden.len(), array.len());
        Arc::new(hidden)
    }

    /// What is made in the place of a value; `None` where nothing may stand there.
    fn made(&self, protect: Protect, column: &Mapped, text: &str, subject: Option<&str>) -> Option<String> {
        let kind = column.kind.map(|k| k.as_str());
        match protect {
            Protect::Format => format::stand_in(&self.key, kind, text),
            Protect::Shift => coarse::shift(text, coarse::days(&self.key, subject?)),
            Protect::General => coarse::general(column, text),
            Protect::Fake => dunlin_quality::fake(kind.unwrap_or_default(), text, |what, part| {
                let hash = self.derive(&format!("fake {what}"), part);
                let mut bytes = [0; 8];
                bytes.copy_from_slice(&hash.as_bytes()[..8]);
                u64::from_le_bytes(bytes)
            }),
            _ => None,
        }
    }

    fn value(&self, protect: Protect, kind: Option<&str>, text: &str) -> String {
        match protect {
            Protect::Mask => dunlin_gate::mask(kind, text),
            Protect::Hash => self.derive("hash", text).to_hex().to_string(),
            Protect::Encrypt => self.encrypt(text),
            _ => format!("tok_{}", base32(&self.derive("token", text).as_bytes()[..16])),
        }
    }

    fn derive(&self, what: &str, text: &str) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(what.as_bytes()).update(&[0]).update(text.as_bytes());
        hasher.finalize()
    }

    fn encrypt(&self, text: &str) -> String {
        let nonce = self.derive("nonce", text);
        let nonce = XNonce::from_slice(&nonce.as_bytes()[..24]);
        let key = self.derive("encrypt", "");
        let payload = Payload { msg: text.as_bytes(), aad: self.key_id.as_bytes() };
        #[expect(clippy::expect_used, reason = "encryption fails only for texts over 256 GiB")]
        let sealed =
            XChaCha20Poly1305::new(key.as_bytes().into()).encrypt(nonce, payload).expect("a text in memory");
        format!("enc:{}:{}{}", self.key_id, hex::encode(nonce), hex::encode(sealed))
    }

    /// Gives the clear text of what `encrypt` made under this key.
    pub fn decrypt(&self, hidden: &str) -> Option<String> {
        let rest = hidden.strip_prefix("enc:")?.strip_prefix(&self.key_id)?.strip_prefix(':')?;
        let bytes = hex::decode(rest).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(24)?;
        let key = self.derive("encrypt", "");
        let payload = Payload { msg: sealed, aad: self.key_id.as_bytes() };
        let clear =
            XChaCha20Poly1305::new(key.as_bytes().into()).decrypt(XNonce::from_slice(nonce), payload).ok()?;
        String::from_utf8(clear).ok()
    }
}

/// Crockford's alphabet in lower case: no letters that are read for digits.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut out = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut buffer, mut bits) = (0u32, 0);
    for byte in bytes {
        buffer = buffer << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(ALPHABET[(buffer >> bits & 31) as usize] as char);
        }
    }
    if bits > 0 {
        out.push(ALPHABET[(buffer << (5 - bits) & 31) as usize] as char);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_comes_back_and_tokens_are_stable() {
        let protector = Protector::new([9; 32], "k1");
        let hidden = protector.encrypt("ES12345678Z");
        assert!(!hidden.contains("12345678"));
        assert_eq!(protector.decrypt(&hidden).as_deref(), Some("ES12345678Z"));
        assert_eq!(Protector::new([8; 32], "k1").decrypt(&hidden), None);
        let token = protector.value(Protect::Tokenise, None, "a");
        assert_eq!(token, protector.value(Protect::Tokenise, None, "a"));
        assert_eq!(token.len(), 4 + 26);
        assert_ne!(token, protector.value(Protect::Tokenise, None, "b"));
    }
}
