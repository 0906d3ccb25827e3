//! Where a secret is kept: an environment variable or a file. The secret itself is read when it is needed, and
//! never stands in a configuration, a log or an error.

use std::path::{Path, PathBuf};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// In this variable of the environment.
    Env(String),
    /// In this file; relative paths start at the workspace.
    File(PathBuf),
}

/// Why a secret could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or not text.
    #[error("the environment variable `{0}` is not set; set it before the server starts")]
    NotSet(String),
    /// The file cannot be read.
    #[error("the secret file `{name}` could not be read ({why}); check that it exists and who may read it")]
    Unreadable {
        /// As the configuration names it.
        name: String,
        /// The kind of the failure.
        why: std::io::ErrorKind,
    },
    /// There is nothing in it.
    #[error("the secret at `{0}` is empty")]
    Empty(String),
}

impl SecretRef {
    /// The secret, without white space around it.
    ///
    /// # Errors
    /// It is not there, cannot be read, or is empty.
    pub fn read(&self, workspace: &Path) -> Result<String, SecretError> {
        let (text, name) = match self {
            SecretRef::Env(name) => {
                (std::env::var(name).map_err(|_| SecretError::NotSet(name.clone()))?, format!("env:{name}"))
            }
            SecretRef::File(path) => {
                let name = format!("secret:{}", path.display());
                let read = std::fs::read_to_string(workspace.join(path));
                (read.map_err(|e| SecretError::Unreadable { name: name.clone(), why: e.kind() })?, name)
            }
        };
        let text = text.trim();
        if text.is_empty() { Err(SecretError::Empty(name)) } else { Ok(text.to_owned()) }
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SecretRef, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(SecretRef::Env(name.to_owned())),
            Some(("secret", path)) if !path.is_empty() => Ok(SecretRef::File(path.into())),
            _ => Err(D::Error::custom(
                "expected `env:NAME` or `secret:PATH`: a secret never stands in this file",
            )),
        }
    }
}
