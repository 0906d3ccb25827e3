//! DKIM (RFC 6376): the keys, their records in the DNS, and two signatures on each letter. RSA, because every receiver
//! checks it; Ed25519 (RFC 8463), because those who can prefer it.
//!
//! The keys lie with the workspace's other keys, outside it. lettre makes the signatures.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dunlin_ledger::replace_file;
use lettre::message::dkim::{
    DkimCanonicalization, DkimCanonicalizationType, DkimConfig, DkimSigningAlgorithm, DkimSigningKey,
};
use lettre::message::header::{HeaderName, HeaderValue, Headers};
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::pkcs8::EncodePublicKey;
use serde::{Deserialize, Serialize};

/// The bits of an RSA key: what every receiver takes and a TXT record can carry.
const RSA_BITS: usize = 2048;

/// The headers that are signed. One that a letter lacks is signed as absent, so that nobody can add it.
const SIGNED: &[&str] = &[
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
    "Auto-Submitted",
    "Precedence",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// A way of signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `rsa-sha256`
    Rsa,
    /// `ed25519-sha256`
    Ed25519,
}

/// Why there are no keys to sign with.
#[derive(Debug, thiserror::Error)]
pub enum DkimError {
    /// The file cannot be read or written.
    #[error("`{path}` could not be read or written: {kind}")]
    File {
        /// The file.
        path: String,
        /// What the operating system said.
        kind: std::io::ErrorKind,
    },
    /// The file holds something else.
    #[error("`{0}` holds no keys of DKIM")]
    Damaged(String),
    /// Others can read it.
    #[error("`{0}` can be read by others")]
    Exposed(String),
    /// They could not be made.
    #[error("the keys of DKIM could not be made")]
    NotMade,
    /// The selector cannot stand in a name of the DNS.
    #[error("this is no selector of DKIM")]
    Selector,
}

impl DkimError {
    /// How to mend it.
    pub fn help(&self) -> &'static str {
        match self {
            DkimError::File { .. } => "check the folder of the keys (`DUNLIN_KEYS`) and who may use it",
            DkimError::Damaged(_) => "restore it, or make new keys with `dunlin keys dkim --new SELECTOR`",
            DkimError::Exposed(_) => "make it 0600",
            DkimError::NotMade => "try again; the operating system gave no randomness",
            DkimError::Selector => "letters, digits and hyphens: dunlin2026",
        }
    }
}

/// The file.
#[derive(Serialize, Deserialize)]
struct File {
    selector: String,
    /// PKCS#1, PEM.
    rsa: String,
    /// 32 bytes, base64.
    ed25519: String,
}

/// The keys of a workspace. No `Debug` of what they are.
#[derive(Clone)]
pub struct DkimKeys {
    selector: String,
    rsa: Arc<RsaPrivateKey>,
    rsa_pem: Arc<str>,
    ed25519: Arc<ed25519_dalek::SigningKey>,
    configs: Option<Arc<[DkimConfig; 2]>>,
}

impl fmt::Debug for DkimKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DkimKeys").field("selector", &self.selector).finish_non_exhaustive()
    }
}

impl DkimKeys {
    /// The name of their file in the folder of the workspace's keys.
    pub const FILE: &'static str = "dkim.json";

    /// Makes new keys and writes them; letters that are under way stay verifiable by the old records, which are to
    /// stay in the DNS for a week.
    ///
    /// # Errors
    /// The selector, or the file.
    pub fn make(folder: &Path, selector: &str) -> Result<DkimKeys, DkimError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let good = (1..=50).contains(&selector.len()) && selector.chars().all(plain);
        if !good || selector.starts_with('-') || selector.ends_with('-') {
            return Err(DkimError::Selector);
        }
        let rsa = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, RSA_BITS).map_err(|_| DkimError::NotMade)?;
        let ed25519 = ed25519_dalek::SigningKey::generate(&mut rsa::rand_core::OsRng);
        let pem = rsa.to_pkcs1_pem(rsa::pkcs8::LineEnding::LF).map_err(|_| DkimError::NotMade)?;
        let file = File {
            selector: selector.to_owned(),
            rsa: pem.to_string(),
            ed25519: STANDARD.encode(ed25519.to_bytes()),
        };
        let text = serde_json::to_vec_pretty(&file).map_err(|_| DkimError::NotMade)?;
        let path = folder.join(Self::FILE);
        replace_file(&path, &text, 0o600).map_err(|error| io(&path, &error))?;
        Self::read(folder)?.ok_or(DkimError::NotMade)
    }

    /// The keys in this folder, if there are any.
    ///
    /// # Errors
    /// They are there and cannot be used.
    pub fn read(folder: &Path) -> Result<Option<DkimKeys>, DkimError> {
        let path = folder.join(Self::FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(&path, &error)),
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).map_err(|error| io(&path, &error))?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(DkimError::Exposed(path.display().to_string()));
            }
        }
        let damaged = || DkimError::Damaged(path.display().to_string());
        let file: File = serde_json::from_str(&text).map_err(|_| damaged())?;
        let seed = STANDARD.decode(&file.ed25519).ok().and_then(|seed| <[u8; 32]>::try_from(seed).ok());
        Ok(Some(DkimKeys {
            rsa: Arc::new(RsaPrivateKey::from_pkcs1_pem(&file.rsa).map_err(|_| damaged())?),
            rsa_pem: file.rsa.into(),
            ed25519: Arc::new(ed25519_dalek::SigningKey::from_bytes(&seed.ok_or_else(damaged)?)),
            selector: file.selector,
            configs: None,
        }))
    }

    /// The selector under which a key's record is found.
    pub fn selector(&self, algorithm: Algorithm) -> String {
        match algorithm {
            Algorithm::Rsa => self.selector.clone(),
            Algorithm::Ed25519 => format!("{}-ed", self.selector),
        }
    }

    /// The name of a record in the DNS, for letters from this domain.
    pub fn record_name(&self, algorithm: Algorithm, domain: &str) -> String {
        format!("{}._domainkey.{domain}", self.selector(algorithm))
    }

    /// What stands in the TXT record of that name.
    pub fn record(&self, algorithm: Algorithm) -> Result<String, DkimError> {
        let (name, key) = match algorithm {
            Algorithm::Rsa => {
                let der = self.rsa.to_public_key().to_public_key_der().map_err(|_| DkimError::NotMade)?;
                ("rsa", der.into_vec())
            }
            Algorithm::Ed25519 => ("ed25519", self.ed25519.verifying_key().to_bytes().to_vec()),
        };
        Ok(format!("v=DKIM1; k={name}; h=sha256; p={}", STANDARD.encode(key)))
    }

    /// The same keys, to sign letters of this domain with.
    ///
    /// # Errors
    /// The keys cannot be used.
    pub fn for_domain(mut self, domain: &str) -> Result<DkimKeys, DkimError> {
        let damaged = |_| DkimError::Damaged(Self::FILE.to_owned());
        let seed = STANDARD.encode(self.ed25519.to_bytes());
        let config = |algorithm, key| {
            let headers = SIGNED.iter().filter_map(|n| HeaderName::new_from_ascii((*n).to_owned()).ok());
            let relaxed = DkimCanonicalization {
                header: DkimCanonicalizationType::Relaxed,
                body: DkimCanonicalizationType::Relaxed,
            };
            DkimConfig::new(self.selector(algorithm), domain.to_owned(), key, headers.collect(), relaxed)
        };
        let rsa = DkimSigningKey::new(&self.rsa_pem, DkimSigningAlgorithm::Rsa).map_err(damaged)?;
        let ed25519 = DkimSigningKey::new(&seed, DkimSigningAlgorithm::Ed25519).map_err(damaged)?;
        self.configs = Some(Arc::new([config(Algorithm::Rsa, rsa), config(Algorithm::Ed25519, ed25519)]));
        Ok(self)
    }

    /// The letter as it travels, with both signatures on top.
    pub(super) fn sign(&self, mut letter: lettre::Message) -> Vec<u8> {
        let Some(configs) = &self.configs else { return letter.formatted() };
        let mut signatures = String::new();
        for config in configs.iter() {
            letter.sign(config);
            if let Some(signature) = letter.headers_mut().remove_raw(NAME) {
                signatures.push_str(&folded(signature));
            }
        }
        [signatures.into_bytes(), letter.formatted()].concat()
    }
}

const NAME: &str = "DKIM-Signature";

/// A header with its line end, its lines of the length that mail allows.
fn folded(header: HeaderValue) -> String {
    let mut alone = Headers::new();
    alone.insert_raw(header);
    alone.to_string()
}

fn io(path: &Path, error: &std::io::Error) -> DkimError {
    DkimError::File { path: path.display().to_string(), kind: error.kind() }
}
