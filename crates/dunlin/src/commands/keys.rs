//! `dunlin keys`: list, rotate, export, import.

use std::path::Path;

use dunlin_store::{Actor, KeyOptions, Keyring, Purpose};

use super::OK;
use crate::cli::{Format, KeysCommand};
use crate::failure::Failure;
use crate::output;
use crate::workspace::open;

/// The workspace's keys.
pub async fn keys(dir: &Path, command: KeysCommand, format: Format) -> Result<u8, Failure> {
    match command {
        KeysCommand::List => list(dir, format).await,
        KeysCommand::Rotate { purpose } => {
            let Some(known) = Purpose::parse(&purpose) else {
                return Err(Failure::usage(
                    format!("there is no key for `{purpose}`"),
                    "`dunlin keys list` names the purposes",
                ));
            };
            if known == Purpose::RowHash {
                return Err(Failure::usage(
                    "the row hash key is not rotated: every receipt is sealed under it",
                    "to begin anew, begin a new workspace",
                ));
            }
            let id = open(dir).await?.rotate_key(known, Actor::local()).await?;
            output::line(&format!("{purpose}: new key {id}"));
            Ok(OK)
        }
        KeysCommand::Export { file } => {
            let workspace = open(dir).await?;
            workspace.keys().export(&file)?;
            output::note(
                "whoever holds this file can read quarantine and undo tokens: keep it as you keep passwords",
            );
            Ok(OK)
        }
        KeysCommand::Import { file } => {
            let id = Keyring::import(&KeyOptions::from_env(), &file)?;
            output::line(&format!("keys of workspace {id} imported"));
            Ok(OK)
        }
    }
}

async fn list(dir: &Path, format: Format) -> Result<u8, Failure> {
    let workspace = open(dir).await?;
    let keys = workspace.keys().list();
    if format == Format::Json {
        for key in &keys {
            output::json(&serde_json::json!({
                "purpose": key.purpose.as_str(), "id": key.id, "created_at": when(key.created_at), "current": key.current,
            }));
        }
        return Ok(OK);
    }
    let rows: Vec<Vec<String>> = keys
        .iter()
        .map(|k| {
            let use_ = if k.current { "in use" } else { "for what was made under it" };
            vec![k.purpose.as_str().to_owned(), k.id.clone(), when(k.created_at), use_.to_owned()]
        })
        .collect();
    output::line(&output::table(&["purpose", "id", "made", ""], &rows, &[]));
    output::line(&format!("ledger verifier  {}", workspace.keys().verifier()?.as_str()));
    Ok(OK)
}

/// Microseconds since 1970 as a moment in words.
pub fn when(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us)
        .map(|t| t.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
        .unwrap_or_default()
}
