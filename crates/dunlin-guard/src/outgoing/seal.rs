//! Secrets of this part at rest: XChaCha20-Poly1305 under the keyring's key for outgoing secrets, bound to the
//! row that holds them, so that one cannot be moved to another row.
//!
//! Layout: length of the key's id (1 byte), the id, the nonce (24 bytes), the ciphertext.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use dunlin_store::{Keyring, Purpose};

use crate::GuardError;
use crate::token::random;

const FAILED: GuardError = GuardError::Internal("opening a sealed secret");

/// Seals bytes for the row `row`.
pub(crate) fn seal(keys: &Keyring, row: &str, plain: &[u8]) -> Result<Vec<u8>, GuardError> {
    let id = keys.key_id(Purpose::Outgoing)?;
    let key = keys.key_by_id(Purpose::Outgoing, &id)?;
    let nonce = random::<24>()?;
    let payload = Payload { msg: plain, aad: row.as_bytes() };
    let cipher = XChaCha20Poly1305::new((&*key).into());
    let sealed = cipher.encrypt(XNonce::from_slice(&nonce), payload).map_err(|_| FAILED)?;
    let length = u8::try_from(id.len()).map_err(|_| FAILED)?;
    Ok([&[length][..], id.as_bytes(), &nonce, &sealed].concat())
}

/// Opens what [`seal`] has sealed for the same row.
pub(crate) fn open(keys: &Keyring, row: &str, sealed: &[u8]) -> Result<Vec<u8>, GuardError> {
    let (length, rest) = sealed.split_first().ok_or(FAILED)?;
    let (id, rest) = rest.split_at_checked(usize::from(*length)).ok_or(FAILED)?;
    let (nonce, sealed) = rest.split_at_checked(24).ok_or(FAILED)?;
    let id = std::str::from_utf8(id).map_err(|_| FAILED)?;
    let key = keys.key_by_id(Purpose::Outgoing, id)?;
    let payload = Payload { msg: sealed, aad: row.as_bytes() };
    XChaCha20Poly1305::new((&*key).into()).decrypt(XNonce::from_slice(nonce), payload).map_err(|_| FAILED)
}
