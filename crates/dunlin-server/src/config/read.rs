//! From text to [`ServerConfig`]: each mistake with file, line and help, as the plan's are, and without repeating a
//! value that may be a secret.

use std::net::SocketAddr;
use std::path::Path;

use dunlin_plan::{Finding, Findings, Span};
use serde::Deserialize;

use super::{CONFIG_FILE, ServerConfig};

/// Why the server cannot begin with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file says what it may not.
    #[error("{0}")]
    Findings(Findings),
    /// The file is there and cannot be read.
    #[error("`server.toml` could not be read ({0}); check who may read it")]
    Unreadable(std::io::ErrorKind),
    /// It would listen where others hear it, in the clear.
    #[error(
        "refusing to listen on {listen} without TLS: passwords and customer data would travel in the clear; \
         give `[tls]` a certificate, name the proxy in `behind_proxy`, or say `clear_text = true` in server.toml"
    )]
    InTheClear {
        /// Where it would have listened.
        listen: SocketAddr,
    },
    /// A secret that the configuration names is not there.
    #[error(transparent)]
    Secret(#[from] super::SecretError),
}

pub(super) fn load(workspace: &Path) -> Result<ServerConfig, ConfigError> {
    match std::fs::read_to_string(workspace.join(CONFIG_FILE)) {
        Ok(text) => parse(&text, workspace).map_err(ConfigError::Findings),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Ok(ServerConfig { dir: workspace.to_owned(), ..ServerConfig::default() })
        }
        Err(e) => Err(ConfigError::Unreadable(e.kind())),
    }
}

pub(super) fn parse(text: &str, dir: &Path) -> Result<ServerConfig, Findings> {
    let refuse = |items| Findings::new(CONFIG_FILE, text, items);
    let document = toml_edit::Document::parse(text.to_owned()).map_err(|e| {
        let message = format!("this is not TOML: {}", e.message().trim().replace('\n', ", "));
        let help = "texts stand in quotes, lists in [ ], and a key may be given once";
        refuse(vec![Finding::error("server-syntax", span(e.span()), message).help(help)])
    })?;
    let read = ServerConfig::deserialize(toml_edit::de::Deserializer::from(document));
    let mut config = read.map_err(|e| refuse(vec![finding(e.message(), span(e.span()))]))?;
    config.dir = dir.to_owned();
    config.guard.public_url =
        config.public_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
    for path in config.paths_mut() {
        *path = dir.join(&path);
    }
    let found = contradictions(&config, text);
    if found.is_empty() { Ok(config) } else { Err(refuse(found)) }
}

impl ServerConfig {
    fn paths_mut(&mut self) -> impl Iterator<Item = &mut std::path::PathBuf> {
        let tls = self.tls.iter_mut().flat_map(|tls| [&mut tls.cert, &mut tls.key]);
        self.allow_paths
            .iter_mut()
            .chain(tls)
            .chain(self.authorities.iter_mut())
            .chain(self.guard.breached_passwords.iter_mut())
    }
}

fn span(range: Option<std::ops::Range<usize>>) -> Span {
    range.map_or_else(Span::default, Span::from)
}

/// serde's message, without the value that it quotes.
fn finding(message: &str, span: Span) -> Finding {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let (unknown, known) = words.split_first().unwrap_or((&"", &[]));
        let near = known.iter().map(|k| (distance(unknown, k), *k)).min_by_key(|(d, _)| *d);
        let help = match near {
            Some((d, word)) if d <= 3 => format!("did you mean `{word}`?"),
            _ => format!("known here: {}", known.join(", ")),
        };
        let _ = rest;
        return Finding::error("server-unknown-key", span, format!("`{unknown}` is not a key here"))
            .help(help);
    }
    let expected = message.find("expected ").map(|at| message[at..].lines().next().unwrap_or_default());
    match (message.strip_prefix("missing field "), expected) {
        (Some(field), _) => Finding::error("server-missing", span, format!("{field} is missing here"))
            .help("add it to this table"),
        (None, Some(expected)) => {
            Finding::error("server-value", span, "this value cannot be read").help(expected.to_owned())
        }
        (None, None) => {
            Finding::error("server-value", span, "this value cannot be read").help("see docs/server.md")
        }
    }
}

/// Small enough for keys, and with a shortened or lengthened word as near.
fn distance(a: &str, b: &str) -> usize {
    if a.len().min(b.len()) >= 4 && (a.starts_with(b) || b.starts_with(a)) {
        return 1;
    }
    strsim::damerau_levenshtein(a, b)
}

/// What each key allows alone and not together.
fn contradictions(config: &ServerConfig, text: &str) -> Vec<Finding> {
    let place = |key: &str| {
        let start = text.lines().scan(0, |at, line| {
            let start = *at;
            *at += line.len() + 1;
            Some((start, line))
        });
        let found = start.into_iter().find(|(_, line)| line.trim_start().starts_with(key));
        found.map_or_else(Span::default, |(at, line)| Span { start: at, end: at + line.len() })
    };
    let mut found = Vec::new();
    if let Some(url) = &config.public_url {
        let plain = url.path() == "/" && url.query().is_none() && url.username().is_empty();
        if !matches!(url.scheme(), "http" | "https") || !plain || url.host_str().is_none() {
            let message = "`public_url` must be a scheme and a host, and nothing more";
            let help = "for example \"https://migrate.example.com\"";
            found.push(Finding::error("server-url", place("public_url"), message).help(help));
        }
    }
    if !config.behind_proxy.is_empty() && config.public_url.is_none() {
        let message = "behind a proxy the server cannot know how people reach it";
        let help = "set `public_url` to the address that people use";
        found.push(Finding::error("server-url", place("behind_proxy"), message).help(help));
    }
    if config.limits.body_bytes < 1024 || config.limits.connections == 0 {
        let message = "these limits would refuse every client";
        let help = "`body_bytes` is at least 1024, `connections` at least 1";
        found.push(Finding::error("server-limits", place("[limits]"), message).help(help));
    }
    if let Some(role) = config.oidc.values().flat_map(|o| o.roles.values()).find(|role| !is_role(role)) {
        let message = format!("`{role}` is not a role");
        let help = "owner, lead, engineer, steward, writer, approver, auditor, guest";
        found.push(Finding::error("server-role", place("[oidc"), message).help(help));
    }
    found
}

fn is_role(word: &str) -> bool {
    word.parse::<dunlin_plan::Role>().is_ok()
}
