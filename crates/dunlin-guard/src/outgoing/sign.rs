//! The signature of a webhook: HMAC-SHA256 over the time and the body, so that neither can be changed and an old
//! message cannot be played again.
//!
//! `Dunlin-Signature: t=<seconds since 1970>,v1=<hex>`, over the bytes `<t>.<body>`. While a secret is being
//! changed there may be a second `v1`.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The header's name.
pub const SIGNATURE_HEADER: &str = "dunlin-signature";

/// Why a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is not of this form.
    #[error("the signature header is not of the form t=...,v1=...")]
    Malformed,
    /// Too old, or from the future.
    #[error("the message was signed too long ago, or the clocks differ")]
    Stale,
    /// Not made with this secret over this body.
    #[error("the signature does not belong to this body")]
    False,
}

/// The header's value. `at` is in seconds since 1970 UTC.
pub fn sign(secret: &[u8], at: i64, body: &[u8]) -> String {
    format!("t={at},v1={}", hex::encode(mac(secret, at, body).finalize().into_bytes()))
}

/// Checks a header as a receiver does. `now` in seconds; `tolerance` in seconds, five minutes as a rule.
pub fn check_signature(
    secret: &[u8],
    header: &str,
    body: &[u8],
    now: i64,
    tolerance: i64,
) -> Result<(), SignatureError> {
    let mut at = None;
    let mut given = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) => at = value.parse::<i64>().ok(),
            Some(("v1", value)) => given.push(hex::decode(value).map_err(|_| SignatureError::Malformed)?),
            Some(_) => {}
            None => return Err(SignatureError::Malformed),
        }
    }
    let at = at.ok_or(SignatureError::Malformed)?;
    if given.is_empty() {
        return Err(SignatureError::Malformed);
    }
    if now.saturating_sub(at).abs() > tolerance {
        return Err(SignatureError::Stale);
    }
    let good = given.iter().any(|g| mac(secret, at, body).verify_slice(g).is_ok());
    if good { Ok(()) } else { Err(SignatureError::False) }
}

fn mac(secret: &[u8], at: i64, body: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of any length, so this cannot fail; an empty key is the fallback that never verifies.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret).unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
    mac.update(at.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}
