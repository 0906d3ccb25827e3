//! `[tell]` of `server.toml`: which apps show the card, by which keys they name their customers, and what is public.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::SecretRef;

/// What customers meet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tell {
    /// The host apps: pages of these origins may fetch the card, e.g. `https://shop.atlas.example`.
    #[serde(deserialize_with = "origins")]
    pub hosts: Vec<String>,
    /// The keys with which they sign who is signed in, by their id (`kid`).
    pub host_keys: BTreeMap<String, HostKey>,
    /// What the tokens of host apps must name as `aud`; by default the server's public address.
    pub audience: Option<String>,
    /// Whether `/status` says how far the move is.
    pub status_page: bool,
    /// A page of the workspace that is served at `/tell/demo-host`, to look at the card in a page. For a demo.
    pub demo_host: Option<PathBuf>,
    /// Where customers sign in to their own page, besides links by e-mail.
    pub oidc: Option<CustomerOidc>,
}

/// The identity provider of the customers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerOidc {
    /// Its issuer, exactly as its discovery document says it.
    pub issuer: String,
    /// This server's id there.
    pub client_id: String,
    /// This server's secret there; none for a public client.
    pub client_secret: Option<SecretRef>,
    /// What stands on the button; by default the company's name.
    pub label: Option<String>,
    /// The claim that holds the customer's id as the plan's `[subject]` has it. Without it the address decides, where the
    /// provider vouches for it.
    pub subject_claim: Option<String>,
    /// Scopes beyond `openid`.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// The claim that says that the address is verified.
    #[serde(default = "default_verified")]
    pub verified_claim: String,
}

fn default_scopes() -> Vec<String> {
    vec!["email".to_owned()]
}

fn default_verified() -> String {
    "email_verified".to_owned()
}

impl Tell {
    /// Whether pages of this origin may fetch the card.
    pub fn allows(&self, origin: &str) -> bool {
        self.hosts.iter().any(|host| host == origin)
    }
}

/// An Ed25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostKey(pub [u8; 32]);

/// What stands before the key in a SubjectPublicKeyInfo (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl HostKey {
    /// Reads PEM (`-----BEGIN PUBLIC KEY-----`), its base64 alone, or the 32 bytes in base64 (the `x` of a JWK).
    pub fn parse(text: &str) -> Option<HostKey> {
        let plain: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
        let plain: String = plain.split_whitespace().collect();
        let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
        let bytes = engines.iter().find_map(|engine| engine.decode(&plain).ok())?;
        let key = bytes.strip_prefix(&SPKI[..]).unwrap_or(&bytes);
        Some(HostKey(key.try_into().ok()?))
    }
}

impl<'de> Deserialize<'de> for HostKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HostKey, D::Error> {
        let text = String::deserialize(deserializer)?;
        HostKey::parse(&text).ok_or_else(|| {
            D::Error::custom("expected an Ed25519 public key: PEM, or the base64 of it or of its 32 bytes")
        })
    }
}

fn origins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let read = |text: &String| {
        let wrong =
            || D::Error::custom("expected origins such as \"https://shop.example\": a scheme and a host");
        let url = Url::parse(text).map_err(|_| wrong())?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty();
        if plain { Ok(url.origin().ascii_serialization()) } else { Err(wrong()) }
    };
    texts.iter().map(read).collect()
}
