//! The tables of `server.toml`, each with its defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use dunlin_guard::alerts::{Severity, Thresholds};
use dunlin_plan::Role;
use ipnet::IpNet;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::SecretRef;

/// The files of the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// What is taken from a client.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestLimits {
    /// The largest body of a request, in bytes.
    pub body_bytes: usize,
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time from one address (IPv6: one /64).
    pub connections_per_address: usize,
    /// Requests a minute from one address (IPv6: one /64), all people behind it together.
    pub per_address: u32,
    /// Requests a minute of one person or token.
    pub per_person: u32,
    /// Event streams at a time of one person.
    pub streams_per_person: usize,
}

impl Default for RequestLimits {
    fn default() -> RequestLimits {
        RequestLimits {
            body_bytes: 1024 * 1024,
            connections: 4096,
            connections_per_address: 1024,
            per_address: 6000,
            per_person: 1200,
            streams_per_person: 16,
        }
    }
}

/// How long things may take, in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// Until a client has sent the head of its request, or a TLS handshake is done.
    pub header: u64,
    /// Between two pieces of a request's body.
    pub body: u64,
    /// Until an answer begins.
    pub request: u64,
    /// Until the server stops waiting for requests under way when it is told to stop.
    pub drain: u64,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts { header: 10, body: 20, request: 30, drain: 20 }
    }
}

impl Timeouts {
    /// [`Timeouts::header`].
    pub fn header(&self) -> Duration {
        Duration::from_secs(self.header.max(1))
    }

    /// [`Timeouts::body`].
    pub fn body(&self) -> Duration {
        Duration::from_secs(self.body.max(1))
    }

    /// [`Timeouts::request`].
    pub fn request(&self) -> Duration {
        Duration::from_secs(self.request.max(1))
    }

    /// [`Timeouts::drain`].
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain)
    }
}

/// How the log looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogStyle {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How the mail server is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    /// TLS from the first byte, port 465.
    #[default]
    Tls,
    /// Clear, then TLS; refused when the server does not offer it. Port 587.
    StartTls,
    /// Clear; for a mail server on this machine.
    None,
}

/// The mail server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Its name.
    pub host: String,
    /// Its port; by default that of `security`.
    pub port: Option<u16>,
    /// TLS or not.
    #[serde(default)]
    pub security: SmtpSecurity,
    /// The user to sign in as.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<SecretRef>,
    /// The sender's address.
    pub from: String,
}

/// An identity provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// What stands on its button; by default `Sign in with` and its name here.
    pub label: Option<String>,
    /// Its issuer, exactly as its discovery document says it.
    pub issuer: String,
    /// This server's id there.
    pub client_id: String,
    /// This server's secret there; none for a public client.
    pub client_secret: Option<SecretRef>,
    /// Scopes beyond `openid`.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// The claim that lists a person's groups; a dot leads into objects.
    pub groups_claim: Option<String>,
    /// Group to role; of several that fit, the first by the group's name counts.
    #[serde(default)]
    pub roles: BTreeMap<String, String>,
    /// Whether somebody unknown whose group gives a role gets an account.
    #[serde(default)]
    pub create: bool,
    /// The organisation of accounts that are made so; none is in-house.
    pub organisation: Option<String>,
    /// The claim that says that the address is verified.
    #[serde(default = "default_verified")]
    pub verified_claim: String,
    /// Values of `amr` that count as two factors; none: the provider's word does not count.
    #[serde(default)]
    pub mfa_amr: Vec<String>,
    /// Values of `acr` that count as two factors.
    #[serde(default)]
    pub mfa_acr: Vec<String>,
}

fn default_scopes() -> Vec<String> {
    vec!["email".to_owned(), "profile".to_owned()]
}

fn default_verified() -> String {
    "email_verified".to_owned()
}

/// How people whom an identity provider manages come in.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scim {
    /// The role of somebody whom no group gives one.
    pub default_role: Role,
    /// Role of the provider to role here.
    pub roles: BTreeMap<String, Role>,
    /// Their organisation; none is in-house.
    pub organisation: Option<String>,
}

impl Default for Scim {
    fn default() -> Scim {
        Scim { default_role: Role::Guest, roles: BTreeMap::new(), organisation: None }
    }
}

impl Scim {
    /// For the guard.
    pub(crate) fn settings(&self) -> dunlin_guard::scim::ScimSettings {
        dunlin_guard::scim::ScimSettings {
            default_role: self.default_role,
            roles: self.roles.iter().map(|(name, role)| (name.clone(), *role)).collect(),
            organisation: self.organisation.clone(),
        }
    }
}

/// Where alerts go, besides the app.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alerts {
    /// E-mail addresses.
    pub email: Vec<String>,
    /// From which severity on mail is sent: `low`, `medium`, `high`, `critical`.
    pub email_from: Option<Severity>,
    /// A GeoIP file (MaxMind's format, or CSV), for travel that nobody can make.
    pub geoip: Option<PathBuf>,
    /// When each rule fires.
    pub thresholds: Thresholds,
    /// Webhooks.
    pub webhook: Vec<Webhook>,
    /// Hosts that webhooks and identity providers may be on although they are private.
    pub allow_private_hosts: Vec<String>,
}

/// A webhook that alerts are posted to, signed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// A name, unique here.
    pub name: String,
    /// Where to.
    pub url: Url,
    /// The key of the signature.
    pub secret: SecretRef,
}

/// Reads networks; a lone address is a network of one.
pub(super) fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let read = |text: &String| {
        let alone = || text.parse::<std::net::IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| alone()).map_err(|_| {
            D::Error::custom("expected networks such as \"10.0.0.0/8\" or \"fd00::/8\"; one of these is none")
        })
    };
    texts.iter().map(read).collect()
}
