//! `dunlin keys`: list, rotate, export, import.

use std::path::Path;

use dunlin_store::{Actor, KeyOptions, Keyring, Purpose};
use dunlin_tell::send::{Algorithm, DkimError, DkimKeys};

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
            if known == Purpose::Recipient {
                return Err(Failure::usage(
                    "the key of recipients is not rotated: who has unsubscribed is known by it",
                    "to begin anew, begin a new workspace",
                ));
            }
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
        KeysCommand::Dkim { new, domain } => dkim(dir, new.as_deref(), domain, format).await,
    }
}

/// The keys of DKIM, as the DNS wants them.
async fn dkim(dir: &Path, new: Option<&str>, domain: Option<String>, format: Format) -> Result<u8, Failure> {
    let failed = |e: DkimError| Failure::usage(e.to_string(), e.help());
    let workspace = open(dir).await?;
    let folder = workspace.keys().folder();
    let keys = match new {
        Some(selector) => Some(DkimKeys::make(folder, selector).map_err(failed)?),
        None => DkimKeys::read(folder).map_err(failed)?,
    };
    let Some(keys) = keys else {
        return Err(Failure::usage(
            "there are no keys of DKIM",
            "`dunlin keys dkim --new SELECTOR` makes some; a selector is a name of your choice, e.g. dunlin2026",
        ));
    };
    let domain = match domain {
        Some(domain) => domain,
        None => {
            let config = dunlin_server::ServerConfig::load(dir).map_err(super::serve::misconfigured)?;
            let from = config.smtp.map(|smtp| smtp.from).unwrap_or_default();
            from.rsplit_once('@').map_or_else(
                || "example.com".to_owned(),
                |(_, domain)| domain.trim_end_matches('>').trim().to_owned(),
            )
        }
    };
    for algorithm in [Algorithm::Rsa, Algorithm::Ed25519] {
        let (name, record) = (keys.record_name(algorithm, &domain), keys.record(algorithm).map_err(failed)?);
        if format == Format::Json {
            output::json(&serde_json::json!({ "name": name, "type": "TXT", "value": record }));
            continue;
        }
        // A string of a TXT record has at most 255 bytes; a longer value is several strings.
        let strings: Vec<String> = record
            .as_bytes()
            .chunks(250)
            .map(|part| format!("\"{}\"", String::from_utf8_lossy(part)))
            .collect();
        output::line(&format!("{name}. IN TXT ( {} )", strings.join(" ")));
    }
    output::note("put both into the DNS before letters are sent; keep those of earlier keys for a week");
    Ok(OK)
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
