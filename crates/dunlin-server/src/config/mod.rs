//! `server.toml`: where dunlin listens, behind what, and what the server may touch.
//!
//! It is: the file's meaning and its defaults. It is not the plan: nothing here is part of a fingerprint, and no
//! secret stands in it; secrets are named by `env:NAME` or `secret:PATH`.

mod parts;
mod read;
mod requests;
mod secret;
mod tell;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use dunlin_guard::audit::Retention;
use dunlin_plan::Findings;
use ipnet::IpNet;
use serde::Deserialize;
use url::Url;

pub use parts::{
    Alerts, LogStyle, Oidc, RequestLimits, Scim, Smtp, SmtpSecurity, Timeouts, TlsFiles, Webhook,
};
pub use read::ConfigError;
pub use requests::Requests;
pub use secret::{SecretError, SecretRef};
pub use tell::{CustomerOidc, HostKey, Tell};

/// The name of the file, beside the plan.
pub const CONFIG_FILE: &str = "server.toml";

/// Everything that `server.toml` says.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How people reach the server. Needed off loopback: links in e-mails and passkeys are made with it.
    pub public_url: Option<Url>,
    /// Certificate and key; both are read again when they change.
    pub tls: Option<TlsFiles>,
    /// A file of certificate authorities (PEM) that are believed beside the public web's: of the company's own identity
    /// provider, mail server or webhooks.
    pub authorities: Option<PathBuf>,
    /// The proxies whose `X-Forwarded-For` is believed. They end TLS.
    #[serde(deserialize_with = "parts::networks")]
    pub behind_proxy: Vec<IpNet>,
    /// Allows HTTP without TLS on an address that others reach.
    pub clear_text: bool,
    /// Folders outside the workspace that a plan edited here may name; absolute once read.
    pub allow_paths: Vec<PathBuf>,
    /// Hosts that a store of a plan edited here may be on; `*.example.com` stands for all below.
    pub allow_hosts: Vec<String>,
    /// Variables of the environment beyond `DUNLIN_*` that a plan edited here may name.
    pub allow_env: Vec<String>,
    /// Where OpenLineage events of the server's runs go: a file, or an http(s) address.
    pub lineage: Option<String>,
    /// A token with which Prometheus reads `/metrics` from elsewhere than this machine.
    pub metrics_token: Option<SecretRef>,
    /// Whether anybody may read the ledger's checkpoint and hash tiles. Entry tiles always need a role.
    pub public_ledger: bool,
    /// What is taken from a client.
    pub limits: RequestLimits,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How the log looks.
    pub log: LogStyle,
    /// Sign-in: roles with a second factor, lifetimes, attack protection. Its `public_url` is the one above.
    pub guard: dunlin_guard::GuardSettings,
    /// The mail server.
    pub smtp: Option<Smtp>,
    /// Identity providers, by the name that their button shows.
    pub oidc: BTreeMap<String, Oidc>,
    /// How people whom an identity provider manages (SCIM) come in.
    pub scim: Scim,
    /// Where alerts go.
    pub alerts: Alerts,
    /// What customers meet: the card in host apps, the public pages.
    pub tell: Tell,
    /// What becomes of what customers ask for.
    pub requests: Requests,
    /// How many days texts, addresses and attempts are kept.
    pub retention: Retention,
    /// The folder that relative paths start at.
    #[serde(skip)]
    pub dir: PathBuf,
}

impl Default for ServerConfig {
    fn default() -> ServerConfig {
        ServerConfig {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7411)),
            public_url: None,
            tls: None,
            authorities: None,
            behind_proxy: Vec::new(),
            clear_text: false,
            allow_paths: Vec::new(),
            allow_hosts: Vec::new(),
            allow_env: Vec::new(),
            lineage: None,
            metrics_token: None,
            public_ledger: false,
            limits: RequestLimits::default(),
            timeouts: Timeouts::default(),
            log: LogStyle::default(),
            guard: dunlin_guard::GuardSettings::default(),
            smtp: None,
            oidc: BTreeMap::new(),
            scim: Scim::default(),
            alerts: Alerts::default(),
            tell: Tell::default(),
            requests: Requests::default(),
            retention: Retention::default(),
            dir: PathBuf::new(),
        }
    }
}

impl ServerConfig {
    /// Reads `server.toml` of a workspace; without the file everything has its default.
    ///
    /// # Errors
    /// The file cannot be read, or says what it may not; then every finding has its line.
    pub fn load(workspace: &Path) -> Result<ServerConfig, ConfigError> {
        read::load(workspace)
    }

    /// Reads the text of a `server.toml` in a folder.
    ///
    /// # Errors
    /// Everything that is wrong with it, with file, line and help.
    pub fn parse(text: &str, dir: &Path) -> Result<ServerConfig, Findings> {
        read::parse(text, dir)
    }

    /// Whether clients reach the server over TLS: its own, or a proxy's.
    pub fn is_secure(&self) -> bool {
        let public = self.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
        self.tls.is_some() || (!self.behind_proxy.is_empty() && public)
    }

    /// The address that people use, without a slash at its end. `bound` is where the server listens.
    pub fn base_url(&self, bound: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None if self.tls.is_some() => format!("https://localhost:{}", bound.port()),
            None if bound.ip().is_loopback() => format!("http://localhost:{}", bound.port()),
            None => format!("http://{bound}"),
        }
    }

    /// Whether listening here needs nothing more: loopback, TLS, behind a proxy, or told so.
    ///
    /// # Errors
    /// A sentence on what is missing.
    pub fn may_listen(&self) -> Result<(), ConfigError> {
        let covered = self.tls.is_some() || !self.behind_proxy.is_empty() || self.clear_text;
        if self.listen.ip().is_loopback() || covered {
            return Ok(());
        }
        Err(ConfigError::InTheClear { listen: self.listen })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        ServerConfig::parse(text, Path::new("/w")).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_is_the_default_and_listens_on_loopback_only() {
        let config = ServerConfig::parse("", Path::new("/w")).unwrap();
        assert!(config.listen.ip().is_loopback());
        assert!(config.may_listen().is_ok());
        assert!(!config.is_secure());
    }

    #[test]
    fn off_loopback_needs_tls_a_proxy_or_a_word() {
        let parse = |text: &str| ServerConfig::parse(text, Path::new("/w")).unwrap();
        assert!(parse("listen = \"0.0.0.0:80\"").may_listen().is_err());
        assert!(parse("listen = \"[::]:80\"").may_listen().is_err());
        assert!(parse("listen = \"0.0.0.0:80\"\nclear_text = true").may_listen().is_ok());
        let proxied =
            "listen = \"0.0.0.0:80\"\nbehind_proxy = [\"10.0.0.0/8\"]\npublic_url = \"https://a.example\"";
        assert!(parse(proxied).may_listen().is_ok());
        assert!(parse(proxied).is_secure());
    }

    #[test]
    fn hosts_are_origins_and_keys_are_keys() {
        let key = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        let text =
            format!("[tell]\nhosts = [\"https://Shop.example:443\"]\n[tell.host_keys]\nshop = \"{key}\"");
        let tell = ServerConfig::parse(&text, Path::new("/w")).unwrap().tell;
        assert!(tell.allows("https://shop.example") && !tell.allows("https://shop.example.evil"));
        assert!(!tell.allows("null") && !tell.allows("http://shop.example"));
        assert!(refused("[tell]\nhosts = [\"https://shop.example/app\"]").contains("server.toml:2"));
        assert!(refused("[tell]\nhosts = [\"*\"]").contains("https://"));
        assert!(refused("[tell.host_keys]\nshop = \"c2hvcnQ=\"").contains("Ed25519"));
    }

    #[test]
    fn a_mistake_is_named_with_its_line_and_the_nearest_word() {
        let said = refused("listen = \"127.0.0.1:1\"\nlisten_on = 3\n");
        assert!(said.contains("server.toml:2:1"), "{said}");
        assert!(said.contains("did you mean `listen`"), "{said}");
        let said = refused("[limits]\nbody_bytes = \"many\"");
        assert!(said.contains("server.toml:2:14"), "{said}");
        let said = refused("behind_proxy = [\"10.0.0.0/99\"]");
        assert!(said.contains("server.toml:1"), "{said}");
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_not_repeated() {
        let text = "[smtp]\nhost = \"mail.example\"\nfrom = \"a@b.example\"\npassword = \"hunter2-canary\"";
        let said = refused(text);
        assert!(said.contains("server.toml:4"), "{said}");
        assert!(said.contains("env:"), "{said}");
        assert!(!said.contains("canary"), "{said}");
    }
}
