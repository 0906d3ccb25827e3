//! Addresses: which can be written to, which are one and the same, and the forms in which the state keeps them.
//!
//! Not here: whether anybody reads mail there; only a letter finds that out.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use dunlin_store::{Key, Keyring, Purpose, StoreError};
use rand::TryRngCore;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::vocabulary::Stream;

/// Why an address cannot be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invalid {
    /// There is none.
    Missing,
    /// It holds control characters or line ends.
    Control,
    /// Longer than the 254 bytes that SMTP can carry (RFC 5321).
    TooLong,
    /// Several in one field.
    Several,
    /// It is not the form of an address.
    Malformed,
    /// Its domain is none that can be looked up.
    Domain,
}

impl Invalid {
    /// Its code in the state and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Invalid::Missing => "missing",
            Invalid::Control => "control_character",
            Invalid::TooLong => "too_long",
            Invalid::Several => "several",
            Invalid::Malformed => "malformed",
            Invalid::Domain => "domain",
        }
    }
}

/// An address that can be written to. It has no `Debug` of its content.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// As it is written to: the local part as given, the domain in ASCII and small letters.
    text: String,
    /// By which it is known: the local part in small letters as well. Two spellings that differ in case alone reach
    /// one person everywhere that matters.
    key: String,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

impl FromStr for Address {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Address, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::Missing);
        }
        if text.chars().any(char::is_control) {
            return Err(Invalid::Control);
        }
        if text.len() > 254 {
            return Err(Invalid::TooLong);
        }
        if text.matches('@').count() > 1 && text.contains([',', ';', ' ']) {
            return Err(Invalid::Several);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(Invalid::Malformed)?;
        // RFC 5321 knows quoted local parts with blanks and signs in them; nobody has one, and much mail goes wrong there.
        if local.contains(|c: char| c.is_whitespace() || "\"<>(),:;[]\\".contains(c)) {
            return Err(Invalid::Malformed);
        }
        // No display names, no addresses of machines: a customer is reached at a domain.
        let options = email_address::Options::default().without_display_text().without_domain_literal();
        if !email_address::EmailAddress::is_valid(&format!("{local}@example.com")) || local.len() > 64 {
            return Err(Invalid::Malformed);
        }
        let domain = match url::Host::parse(domain) {
            Ok(url::Host::Domain(domain)) if domain.contains('.') => domain,
            _ => return Err(Invalid::Domain),
        };
        let text = format!("{local}@{domain}");
        email_address::EmailAddress::parse_with_options(&text, options).map_err(|_| Invalid::Malformed)?;
        let key = format!("{}@{domain}", local.to_lowercase());
        Ok(Address { text, key })
    }
}

impl Address {
    /// The address in clear, for the letter and nothing else.
    pub fn clear(&self) -> &str {
        &self.text
    }

    /// As people are shown it who need not know it: `a•••@e•••.com`.
    pub fn masked(&self) -> String {
        dunlin_gate::mask(Some("email"), &self.text)
    }
}

/// An address as the state knows it: a keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Recipient(pub [u8; 32]);

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl Recipient {
    /// As lower-case hex, for the ledger's roots.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// From the state's bytes.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Recipient> {
        Some(Recipient(bytes.try_into().ok()?))
    }
}

/// What a letter needs to know of its receiver.
#[derive(Serialize, Deserialize)]
pub(super) struct Sealable {
    pub(super) address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
}

/// Hashes, seals and signs with the workspace's key for recipients.
#[derive(Clone)]
pub struct Recipients {
    hashing: Arc<Key>,
    sealing: Arc<Key>,
    signing: Arc<Key>,
    naming: Arc<Key>,
}

/// The bytes of a token's signature.
const SIGNATURE: usize = 16;

impl Recipients {
    /// With the keys of a workspace.
    ///
    /// # Errors
    /// The keys cannot be read.
    pub fn new(keys: &Keyring) -> Result<Recipients, StoreError> {
        let root = keys.key(Purpose::Recipient)?;
        let derive = |what: &str| {
            let context = format!("dunlin 2026 recipients {what}");
            Arc::new(Key::new(blake3::derive_key(&context, &*root)))
        };
        Ok(Recipients {
            hashing: derive("hash"),
            sealing: derive("seal"),
            signing: derive("sign"),
            naming: derive("name"),
        })
    }

    /// The address as the state knows it.
    pub fn recipient(&self, address: &Address) -> Recipient {
        Recipient(*blake3::keyed_hash(&self.hashing, address.key.as_bytes()).as_bytes())
    }

    /// What stands before the @ of the Message-ID of this message to this recipient: the same at every try, and nobody
    /// who has not got the letter can know it.
    pub fn letter(&self, message: &str, recipient: Recipient) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.naming);
        hasher.update(&recipient.0);
        hasher.update(message.as_bytes());
        hex::encode(&hasher.finalize().as_bytes()[..20])
    }

    /// Seals what a letter needs, for the row of this recipient.
    pub(super) fn seal(&self, recipient: Recipient, what: &Sealable) -> Result<Vec<u8>, StoreError> {
        let failed = |_| StoreError::Damaged("an address that cannot be sealed");
        let plain = serde_json::to_vec(what).map_err(|_| StoreError::Damaged("an address"))?;
        let mut nonce = [0; 24];
        rand::rngs::OsRng
            .try_fill_bytes(&mut nonce)
            .map_err(|_| StoreError::Damaged("no randomness: the operating system gave none"))?;
        let payload = Payload { msg: &plain, aad: &recipient.0 };
        let cipher = XChaCha20Poly1305::new((&**self.sealing).into());
        let sealed = cipher.encrypt(XNonce::from_slice(&nonce), payload).map_err(failed)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what was sealed for this recipient.
    pub(super) fn open(&self, recipient: Recipient, sealed: &[u8]) -> Result<Sealable, StoreError> {
        const DAMAGED: StoreError = StoreError::Damaged("an address that cannot be opened");
        let (nonce, sealed) = sealed.split_at_checked(24).ok_or(DAMAGED)?;
        let payload = Payload { msg: sealed, aad: &recipient.0 };
        let cipher = XChaCha20Poly1305::new((&**self.sealing).into());
        let plain = cipher.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| DAMAGED)?;
        serde_json::from_slice(&plain).map_err(|_| DAMAGED)
    }

    /// The token by which this recipient ends a stream: opaque, signed, and always the same, so that a link in an old
    /// letter still works.
    pub fn token(&self, recipient: Recipient, stream: Stream) -> String {
        let mut bytes = recipient.0.to_vec();
        bytes.extend_from_slice(&self.signature(recipient, stream));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Whose token this is, when it is one for this stream.
    pub fn of_token(&self, token: &str, stream: Stream) -> Option<Recipient> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (recipient, signature) = bytes.split_at_checked(32)?;
        let recipient = Recipient::of_bytes(recipient)?;
        let own = self.signature(recipient, stream);
        (signature.len() == SIGNATURE && bool::from(own.ct_eq(signature))).then_some(recipient)
    }

    fn signature(&self, recipient: Recipient, stream: Stream) -> [u8; SIGNATURE] {
        let mut hasher = blake3::Hasher::new_keyed(&self.signing);
        hasher.update(&recipient.0);
        hasher.update(crate::Word::as_str(stream).as_bytes());
        let mut out = [0; SIGNATURE];
        out.copy_from_slice(&hasher.finalize().as_bytes()[..SIGNATURE]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn recipients() -> (tempfile::TempDir, Recipients) {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let made = runtime.block_on(async {
            std::fs::create_dir(dir.path().join("work")).unwrap();
            let keys = dunlin_store::KeyOptions::at(&dir.path().join("keys"));
            let workspace = dunlin_store::Workspace::open(&dir.path().join("work"), &keys).await.unwrap();
            Recipients::new(workspace.keys()).unwrap()
        });
        (dir, made)
    }

    #[test]
    fn what_cannot_be_written_to_is_told_by_its_reason() {
        let why = |text: &str| text.parse::<Address>().unwrap_err().as_str();
        assert_eq!(why("  "), "missing");
        assert_eq!(why("ana@example.com\r\nBcc: eve@example.com"), "control_character");
        assert_eq!(why("ana@example.com, ben@example.com"), "several");
        assert_eq!(why(&format!("{}@example.com", "a".repeat(250))), "too_long");
        assert_eq!(why("ana"), "malformed");
        assert_eq!(why("Ana <ana@example.com>"), "malformed");
        assert_eq!(why("an a@example.com"), "malformed");
        assert_eq!(why(&format!("{}@example.com", "a".repeat(65))), "malformed");
        assert_eq!(why("ana@localhost"), "domain");
        assert_eq!(why("ana@[127.0.0.1]"), "domain");
        assert_eq!(why("ana@exa mple.com"), "domain");
    }

    #[test]
    fn one_address_in_several_spellings_is_one_recipient() {
        let (_dir, recipients) = recipients();
        let of = |text: &str| recipients.recipient(&text.parse().unwrap());
        assert_eq!(of("Ana.Ruiz@EXAMPLE.com "), of("ana.ruiz@example.com"));
        assert_eq!(of("josé@müller.example"), of("JOSÉ@xn--mller-kva.example"));
        assert_ne!(of("ana@example.com"), of("ana@example.org"));
        assert_eq!("Ana@Müller.example".parse::<Address>().unwrap().clear(), "Ana@xn--mller-kva.example");
    }

    #[test]
    fn a_seal_and_a_token_are_bound_to_their_recipient_and_stream() {
        let (_dir, recipients) = recipients();
        let ana = recipients.recipient(&"ana@example.com".parse().unwrap());
        let ben = recipients.recipient(&"ben@example.com".parse().unwrap());
        let what = Sealable { address: "ana@example.com".into(), name: None };
        let sealed = recipients.seal(ana, &what).unwrap();
        assert_eq!(recipients.open(ana, &sealed).unwrap().address, "ana@example.com");
        assert!(recipients.open(ben, &sealed).is_err());
        assert!(!String::from_utf8_lossy(&sealed).contains("ana"));

        let token = recipients.token(ana, Stream::Marketing);
        assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{token}");
        assert_eq!(recipients.of_token(&token, Stream::Marketing), Some(ana));
        assert_eq!(recipients.of_token(&token, Stream::Required), None);
        let mut forged = token.into_bytes();
        forged[3] ^= 1;
        assert_eq!(recipients.of_token(&String::from_utf8(forged).unwrap(), Stream::Marketing), None);
    }

    proptest! {
        #[test]
        fn no_address_that_is_taken_can_end_its_line(text in "\\PC{0,40}@\\PC{0,20}|[\\x00-\\x7f]{0,40}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert!(!address.clear().chars().any(|c| c.is_control() || c.is_whitespace() || c == '<' || c == '>' || c == ','));
            }
        }
    }
}
