//! `dunlin ledger`: verify, export, prove.

use std::path::{Path, PathBuf};

use dunlin_store::{Checkpoint, Verifier, Workspace};

use super::{NOT_RIGHT, OK};
use crate::cli::{Format, LedgerCommand};
use crate::failure::Failure;
use crate::output;
use crate::workspace::{PlanFile, open};

/// The signed record.
pub async fn ledger(dir: &Path, command: LedgerCommand, format: Format) -> Result<u8, Failure> {
    // A receipt is checked without a workspace.
    if let LedgerCommand::Prove { receipt: Some(file), verifier, .. } = &command {
        return super::request::check(dir, file, verifier.as_deref(), format).await;
    }
    let workspace = open(dir).await?;
    match command {
        LedgerCommand::Verify { since } => verify(&workspace, dir, &since, format).await,
        LedgerCommand::Export => {
            workspace.integrate().await?;
            let log = workspace.ledger()?;
            let mut out = std::io::stdout().lock();
            log.export(&mut out).map_err(dunlin_store::StoreError::from)?;
            Ok(OK)
        }
        LedgerCommand::Prove { entry, from, .. } => prove(&workspace, entry, from).await,
    }
}

async fn verify(workspace: &Workspace, dir: &Path, since: &[PathBuf], format: Format) -> Result<u8, Failure> {
    let verifier = workspace.keys().verifier()?;
    // The plan is optional here: a ledger outlives it.
    if let Some(pin) = PlanFile::read(dir).ok().and_then(|p| p.plan.ledger)
        && pin.verifier != verifier.as_str()
    {
        return Err(Failure::Refused {
            message: "the ledger's key is not the verifier that the plan pins".to_owned(),
            help: Some(
                "these are the keys of another workspace, or somebody has made a new ledger".to_owned(),
            ),
            code: 1,
        });
    }
    let mut known = Vec::new();
    for file in since {
        known.push(checkpoint(file, &verifier)?);
    }
    workspace.integrate().await?;
    match workspace.verify_ledger(&known).await {
        Ok(report) => {
            let root = workspace.ledger()?.checkpoint().map(Checkpoint::root_hex).unwrap_or_default();
            if format == Format::Json {
                output::json(&serde_json::json!({
                    "verified": true, "size": report.size, "root": root, "against": known.len(),
                }));
            } else {
                output::line(&format!(
                    "{} entries, root {}: nothing was changed, removed or cut off",
                    report.size, root
                ));
            }
            Ok(OK)
        }
        Err(error) => {
            output::error(
                &error.to_string(),
                Some("compare with a backup: `dunlin ledger export` of both"),
                format,
            );
            Ok(NOT_RIGHT)
        }
    }
}

/// A checkpoint from a checkpoint file or from a report's JSON.
fn checkpoint(file: &Path, verifier: &Verifier) -> Result<Checkpoint, Failure> {
    let text = std::fs::read_to_string(file).map_err(|e| Failure::file(file, &e))?;
    let from_report = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|v| v["ledger"]["checkpoint"].as_str().map(str::to_owned));
    Checkpoint::parse(from_report.as_deref().unwrap_or(&text), verifier).map_err(|_| Failure::Refused {
        message: format!("{} holds no checkpoint that this ledger's key has signed", file.display()),
        help: Some("give a `checkpoint` file or the report.json of this workspace".to_owned()),
        code: 1,
    })
}

async fn prove(workspace: &Workspace, entry: Option<u64>, from: Option<u64>) -> Result<u8, Failure> {
    let checkpoint = workspace.integrate().await?;
    let log = workspace.ledger()?;
    match (entry, from) {
        (Some(index), _) => {
            output::json(&log.prove_inclusion(index).map_err(dunlin_store::StoreError::from)?);
        }
        (None, Some(old)) => {
            output::json(
                &log.prove_consistency(old, checkpoint.size).map_err(dunlin_store::StoreError::from)?,
            );
        }
        (None, None) => {
            return Err(Failure::usage("say what to prove", "--entry INDEX, or --from SIZE for consistency"));
        }
    }
    Ok(OK)
}
