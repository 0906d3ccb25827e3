//! A store as the plan names it: an address, a place, and for files how they are written. Nothing is opened
//! here, and no secret is read.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::finding::Span;
use crate::vocabulary::{AtRest, Environment, FileFormat};

/// A store of the plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StorePlan {
    /// Its name in the plan.
    #[serde(skip)]
    pub name: String,
    /// Where it is.
    pub url: StoreUrl,
    /// The country the data stands in, ISO 3166 two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whether a run that writes here needs an approved fingerprint.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// Who runs it on the company's behalf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
    /// The contract with who runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<String>,
    /// What allows personal data to go to its country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// How it keeps data at rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_rest: Option<AtRest>,
    /// How its files are written; empty for other stores.
    #[serde(flatten)]
    pub options: FileOptions,
    /// Where the plan names it.
    #[serde(skip)]
    pub span: Span,
}

/// How the files of a `file:` store are written. What is not given is found out by looking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileOptions {
    /// Between two fields; one ASCII character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Around a field; one ASCII character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<char>,
    /// Whether the first line names the columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// A WHATWG encoding label, for example `utf-8` or `windows-1252`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The text that means NULL; otherwise an unquoted empty field is NULL and a quoted one the empty text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null: Option<String>,
    /// The format, when the name's ending does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<FileFormat>,
}

/// Where a store is. A password is never in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// A URL without a password: `sqlite:`, `file:`, `postgres://`, `mysql://`.
    Literal(String),
    /// The URL is in this environment variable.
    Env(String),
    /// The URL is in this file; the path is relative to the plan's folder.
    Secret(String),
}

/// The kind of store behind a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A SQLite database file.
    Sqlite,
    /// A file, a glob or a folder of files.
    File,
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
}

/// The beginnings that a literal URL may have.
pub(crate) const SCHEMES: [(&str, Scheme); 6] = [
    ("sqlite:", Scheme::Sqlite),
    ("file:", Scheme::File),
    ("postgres://", Scheme::Postgres),
    ("postgresql://", Scheme::Postgres),
    ("mysql://", Scheme::Mysql),
    ("mariadb://", Scheme::Mysql),
];

impl Scheme {
    /// The scheme of a URL, also of one that came from the environment or a secret file.
    pub fn of(url: &str) -> Option<Scheme> {
        SCHEMES.iter().find(|(start, _)| url.starts_with(start)).map(|(_, scheme)| *scheme)
    }
}

/// Why a text is not a store's URL. The text itself is never part of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreUrlError {
    /// No scheme that dunlin knows.
    #[error("it does not begin with `sqlite:`, `file:`, `postgres://`, `mysql://`, `env:` or `secret:`")]
    Scheme,
    /// Nothing after the scheme.
    #[error("nothing follows the scheme")]
    Empty,
    /// Not the name of an environment variable.
    #[error("`env:` needs the name of an environment variable")]
    EnvName,
    /// A password in the open.
    #[error("it holds a password")]
    Password,
    /// Not a URL of its scheme.
    #[error("it is not a valid URL")]
    Malformed,
}

impl StoreUrl {
    /// The kind of store, where the plan alone tells it.
    pub fn scheme(&self) -> Option<Scheme> {
        match self {
            StoreUrl::Literal(url) => Scheme::of(url),
            StoreUrl::Env(_) | StoreUrl::Secret(_) => None,
        }
    }
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(text: &str) -> Result<StoreUrl, StoreUrlError> {
        if let Some(name) = text.strip_prefix("env:") {
            let valid = !name.is_empty()
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            return if valid { Ok(StoreUrl::Env(name.into())) } else { Err(StoreUrlError::EnvName) };
        }
        if let Some(path) = text.strip_prefix("secret:") {
            return if path.is_empty() {
                Err(StoreUrlError::Empty)
            } else {
                Ok(StoreUrl::Secret(path.into()))
            };
        }
        let (start, scheme) =
            SCHEMES.iter().find(|(start, _)| text.starts_with(start)).ok_or(StoreUrlError::Scheme)?;
        if text.len() == start.len() {
            return Err(StoreUrlError::Empty);
        }
        if matches!(scheme, Scheme::Postgres | Scheme::Mysql) {
            check_server_url(text)?;
        }
        Ok(StoreUrl::Literal(text.into()))
    }
}

/// A password may stand in the user part or in a parameter that the drivers read.
fn check_server_url(text: &str) -> Result<(), StoreUrlError> {
    if crate::redact::blank_passwords(text) != text {
        return Err(StoreUrlError::Password);
    }
    let url = url::Url::parse(text).map_err(|_| StoreUrlError::Malformed)?;
    // A parameter's name may be written with %-escapes.
    let named = url
        .query_pairs()
        .any(|(name, _)| matches!(&*name.to_ascii_lowercase(), "password" | "passwd" | "pwd"));
    if named || url.password().is_some() {
        return Err(StoreUrlError::Password);
    }
    Ok(())
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreUrl::Literal(url) => f.write_str(url),
            StoreUrl::Env(name) => write!(f, "env:{name}"),
            StoreUrl::Secret(path) => write!(f, "secret:{path}"),
        }
    }
}

impl Serialize for StoreUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        for text in [
            "sqlite:legacy/crm.db",
            "file:a/*.csv",
            "postgres://ana@db/crm?sslmode=require",
            "mysql://db/crm",
            "env:ATLAS_URL",
            "secret:keys/atlas.url",
        ] {
            assert_eq!(text.parse::<StoreUrl>().unwrap().to_string(), text);
        }
        assert_eq!("file:a.csv".parse::<StoreUrl>().unwrap().scheme(), Some(Scheme::File));
    }

    #[test]
    fn refuses_passwords_and_nonsense() {
        let error = |text: &str| text.parse::<StoreUrl>().unwrap_err();
        assert_eq!(error("postgres://ana:s3cret@db/crm"), StoreUrlError::Password);
        assert_eq!(error("mysql://db/crm?user=a&password=s3cret"), StoreUrlError::Password);
        assert_eq!(error("postgres://ana:@db/crm?pwd=x"), StoreUrlError::Password);
        assert_eq!(error("mysql://db/crm?pass%77ord=x"), StoreUrlError::Password);
        assert_eq!(error("oracle:x"), StoreUrlError::Scheme);
        assert_eq!(error("sqlite:"), StoreUrlError::Empty);
        assert_eq!(error("env:1X"), StoreUrlError::EnvName);
        assert_eq!(error("postgres://[::1"), StoreUrlError::Malformed);
    }
}
