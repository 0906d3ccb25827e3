//! Random secrets: how they are made, shown once, and kept as hashes.
//!
//! Not here: what they open.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::GuardError;

/// A text that must not be seen: a password, a token, a code. Wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret::new(text)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

/// Bytes of the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], GuardError> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| GuardError::Internal("asking for random bytes"))?;
    Ok(bytes)
}

/// A new token of 32 random bytes, as base64url.
pub(crate) fn new_token() -> Result<Secret, GuardError> {
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(*Zeroizing::new(random::<32>()?))))
}

/// The hash (hex) under which a random token of full strength is kept; `kind` keeps kinds apart. Such tokens
/// cannot be guessed, so a key would add nothing; what people can type in has one ([`keyed_hash`]).
pub(crate) fn token_hash(kind: &str, token: &str) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("dunlin guard token 2026-11");
    hasher.update(kind.as_bytes()).update(&[0]).update(token.as_bytes());
    hasher.finalize().to_hex().to_string()
}

/// Keyed BLAKE3 (hex) over parts that cannot run into each other.
pub(crate) fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize()
}

/// What every service token starts with, so that scanners for leaked secrets know it.
pub const SERVICE_PREFIX: &str = "dnl_";

/// A new service token: prefix, 32 random bytes, and a checksum of 6 characters by which a mistyped or
/// made-up one is told without asking the state.
pub(crate) fn new_service_token() -> Result<Secret, GuardError> {
    let body = new_token()?;
    Ok(Secret::new(format!("{SERVICE_PREFIX}{}{}", body.expose(), checksum(body.expose()))))
}

/// Whether this has the form of a service token of ours.
pub(crate) fn is_service_token(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(SERVICE_PREFIX) else { return false };
    let plain = rest.len() == 49 && rest.is_ascii();
    plain && checksum(&rest[..43]) == rest[43..]
}

fn checksum(body: &str) -> String {
    let hash = blake3::hash(body.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_bytes()[..4])
}

/// A code that people can read out and type: groups of four from an alphabet without 0 O 1 I L U. Each character
/// is worth just under five bits.
pub(crate) fn typed_code(groups: usize) -> Result<Secret, GuardError> {
    const ALPHABET: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut code = Zeroizing::new(String::new());
    for group in 0..groups {
        if group > 0 {
            code.push('-');
        }
        for _ in 0..4 {
            code.push(char::from(ALPHABET[below_thirty()?]));
        }
    }
    Ok(Secret(code))
}

/// A uniform number below 30: bytes from 240 on are thrown away, since 256 is no multiple of 30.
fn below_thirty() -> Result<usize, GuardError> {
    loop {
        let [byte] = random::<1>()?;
        if byte < 240 {
            return Ok(usize::from(byte % 30));
        }
    }
}

/// A typed code as it is hashed: upper case, without what people put between.
pub(crate) fn fold_code(text: &str) -> Zeroizing<String> {
    let plain = text.chars().filter(|c| c.is_ascii_alphanumeric()).take(64);
    Zeroizing::new(plain.map(|c| c.to_ascii_uppercase()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
    }

    #[test]
    fn a_service_token_with_one_other_character_is_none() {
        let token = new_service_token().unwrap();
        assert!(is_service_token(token.expose()));
        for at in 4..token.expose().len() {
            let mut other = token.expose().as_bytes().to_vec();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert!(!is_service_token(std::str::from_utf8(&other).unwrap()), "at {at}");
        }
        assert!(!is_service_token("dnl_"));
        assert!(!is_service_token("dnl_ñññññññññññññññññññññññññ"));
    }

    #[test]
    fn a_typed_code_folds_to_itself_however_it_is_written() {
        let code = typed_code(4).unwrap();
        assert_eq!(code.expose().len(), 19);
        let typed = format!(" {} ", code.expose().to_lowercase().replace('-', " "));
        assert_eq!(*fold_code(&typed), *fold_code(code.expose()));
    }

    #[test]
    fn kinds_of_tokens_do_not_meet() {
        assert_ne!(token_hash("link", "x"), token_hash("invitation", "x"));
        assert_ne!(keyed_hash(&[1; 32], &[b"ab", b"c"]), keyed_hash(&[1; 32], &[b"a", b"bc"]));
    }
}
