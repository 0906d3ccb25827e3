//! Sealing what must be read back: secrets of one-time codes, passkeys, ceremonies. XChaCha20-Poly1305 under a key
//! that lies outside the workspace; the key's id travels with the box, so that boxes outlive a rotation.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use dunlin_store::Purpose;
use zeroize::Zeroizing;

use crate::token::random;
use crate::{Guard, GuardError};

impl Guard {
    /// Seals bytes for one place; they open nowhere else.
    pub(crate) fn seal(&self, place: &str, clear: &[u8]) -> Result<Vec<u8>, GuardError> {
        let failed = |_| GuardError::Internal("sealing a credential");
        let id = self.keys().key_id(Purpose::Credential)?;
        let key = self.keys().key_by_id(Purpose::Credential, &id)?;
        let nonce = random::<24>()?;
        let cipher =
            XChaCha20Poly1305::new_from_slice(&key[..]).map_err(|_| failed(chacha20poly1305::Error))?;
        let payload = Payload { msg: clear, aad: place.as_bytes() };
        let sealed = cipher.encrypt(XNonce::from_slice(&nonce), payload).map_err(failed)?;
        let id_len = u8::try_from(id.len()).map_err(|_| failed(chacha20poly1305::Error))?;
        Ok([&[id_len], id.as_bytes(), &nonce, &sealed].concat())
    }

    /// Opens what was sealed for this place.
    pub(crate) fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, GuardError> {
        let damaged = || GuardError::Internal("opening a sealed credential");
        let (id_len, rest) = sealed.split_first().ok_or_else(damaged)?;
        let (id, rest) = rest.split_at_checked(usize::from(*id_len)).ok_or_else(damaged)?;
        let (nonce, body) = rest.split_at_checked(24).ok_or_else(damaged)?;
        let id = std::str::from_utf8(id).map_err(|_| damaged())?;
        let key = self.keys().key_by_id(Purpose::Credential, id)?;
        let cipher = XChaCha20Poly1305::new_from_slice(&key[..]).map_err(|_| damaged())?;
        let payload = Payload { msg: body, aad: place.as_bytes() };
        Ok(Zeroizing::new(cipher.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| damaged())?))
    }
}
