//! From a URL to a [`Store`]. Not the plan's `env:` and `secret:`: whoever calls has resolved those.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{ConnectError, Result, Store};

/// The formats of file stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// Comma-separated values, RFC 4180 and its dialects.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

/// What a store needs to know besides its URL.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The folder that relative paths start from (the plan's folder).
    pub base: PathBuf,
    /// CSV: the field separator (default `,`; `\t` for `.tsv`).
    pub delimiter: Option<char>,
    /// CSV: the quote (default `"`).
    pub quote: Option<char>,
    /// CSV: whether the first line names the columns (default true; else they are `column_1` and on).
    pub header: Option<bool>,
    /// Text files: a WHATWG encoding label (default `utf-8`).
    pub encoding: Option<String>,
    /// CSV: an unquoted field of exactly this text is NULL (default: the empty field; a quoted empty field is the
    /// empty text).
    pub null: Option<String>,
    /// The format, where the file's ending does not tell.
    pub format: Option<FileFormat>,
}

/// How a store is reached, by its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// On this machine: a file, a socket, the loopback.
    Local,
    /// TLS, and the server's certificate must name the host.
    Verified,
    /// TLS, whoever is at the other end.
    Unverified,
    /// TLS is not demanded.
    Clear,
    /// The URL is of no store that this build knows.
    Unknown,
}

/// How the store of a URL is reached. Nothing is opened.
pub fn reach(url: &str, options: &OpenOptions) -> Reach {
    if url.starts_with("sqlite:") || url.starts_with("file:") {
        return Reach::Local;
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return crate::postgres::reach(url, options);
    }
    Reach::Unknown
}

/// Opens a store. Nothing is created or written by opening; SQLite files and folders that do not exist are made when
/// a target is prepared.
///
/// # Errors
/// [`ConnectError::Url`] for a URL this build does not understand, [`ConnectError::Unreachable`] or
/// [`ConnectError::Login`] from the store itself.
pub async fn open(name: &str, url: &str, options: &OpenOptions) -> Result<Arc<dyn Store>> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return crate::sqlite::open(name, path, options).await;
    }
    if let Some(path) = url.strip_prefix("file:") {
        return crate::files::open(name, path, options).await;
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return crate::postgres::open(name, url, options).await;
    }
    let scheme = url.split(':').next().unwrap_or_default();
    let known = scheme.chars().all(|c| c.is_ascii_alphanumeric()) && scheme.len() < 16 && url.contains(':');
    Err(ConnectError::Url {
        store: name.to_owned(),
        message: if known {
            format!("no store speaks `{scheme}:`")
        } else {
            "this is not a store's URL".to_owned()
        },
        help: "use `sqlite:PATH`, `file:PATH` or `postgres://USER@HOST/DATABASE`".to_owned(),
    })
}
