//! `dunlin plan`: diff, approve, fingerprint, schema.

use std::path::Path;

use dunlin_move::Stores;
use dunlin_store::{Actor, Approval, Body, Entry, now_us};

use super::OK;
use crate::cli::{Format, PlanCommand};
use crate::failure::Failure;
use crate::output;
use crate::workspace::{PlanFile, open};

/// The plan as a document.
pub async fn plan(dir: &Path, command: PlanCommand, format: Format) -> Result<u8, Failure> {
    match command {
        PlanCommand::Diff { other } => diff(dir, other.as_deref(), format).await,
        PlanCommand::Approve { fingerprint, server: Some(server) } => {
            super::login::approve_at(&server, &fingerprint, format).await
        }
        PlanCommand::Approve { fingerprint, server: None } => approve(dir, &fingerprint, format).await,
        PlanCommand::Fingerprint => {
            output::line(&PlanFile::read(dir)?.plan.fingerprint().to_string());
            Ok(OK)
        }
        PlanCommand::Schema => {
            output::line(&serde_json::to_string_pretty(&dunlin_plan::schema()).unwrap_or_default());
            Ok(OK)
        }
    }
}

async fn diff(dir: &Path, other: Option<&str>, format: Format) -> Result<u8, Failure> {
    let new = PlanFile::read(dir)?;
    let old = match other {
        Some(file) if !file.starts_with("run:") => {
            let path = Path::new(file);
            let text = std::fs::read_to_string(path).map_err(|e| Failure::file(path, &e))?;
            dunlin_plan::load(&text, file)?
        }
        _ => {
            let workspace = open(dir).await?;
            let id = other.and_then(|o| o.strip_prefix("run:"));
            let record = match id {
                Some(id) => workspace.state().run(id).await?,
                None => workspace.state().runs().await?.into_iter().max_by_key(|r| r.started_at).ok_or_else(
                    || {
                        Failure::usage(
                            "there is no run to compare with",
                            "name a file: dunlin plan diff OLD.toml",
                        )
                    },
                )?,
            };
            PlanFile::of(dir, record.plan_text)?.plan
        }
    };
    let changes = dunlin_plan::diff(&old, &new.plan);
    if format == Format::Json {
        for change in &changes {
            output::json(&serde_json::json!({ "change": change.to_string(), "moves": change.moves }));
        }
        return Ok(OK);
    }
    if changes.is_empty() {
        output::line("Nothing has changed.");
        return Ok(OK);
    }
    for change in &changes {
        output::line(&format!("{} {change}", if change.moves { "*" } else { " " }));
    }
    let moving = changes.iter().filter(|c| c.moves).count();
    output::line(&if moving > 0 {
        format!(
            "* {moving} of {} changes decide the move: the fingerprint is another one now.",
            changes.len()
        )
    } else {
        "None of them decides the move: the fingerprint is the same.".to_owned()
    });
    Ok(OK)
}

async fn approve(dir: &Path, fingerprint: &str, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let is = plan.plan.fingerprint().to_string();
    if fingerprint != is {
        return Err(Failure::usage(
            format!("the plan's fingerprint is {is}"),
            "approve what you have read: `dunlin plan diff` says what changed",
        ));
    }
    let stores = Stores::open(&plan.plan, &plan.dir).await.map_err(|e| plan.failure(e))?;
    let identities = stores.identities().await.map_err(|e| plan.failure(e))?;
    let workspace = open(dir).await?;
    let actor = Actor::local();
    let by = actor.to_string();
    let mut tx = workspace.state().begin().await?;
    let approval =
        Approval { fingerprint: is.clone(), stores: identities.clone(), by: by.clone(), at: now_us() };
    tx.insert_approval(&approval).await?;
    let body = Body::PlanApproved { fingerprint: is.clone(), stores: identities.clone(), by: by.clone() };
    tx.enter(Entry { at: now_us(), actor, body }).await?;
    tx.commit().await?;
    workspace.integrate().await?;
    if format == Format::Json {
        output::json(&serde_json::json!({ "fingerprint": is, "stores": identities, "by": by }));
    } else {
        output::line(&format!("approved {is} by {by}, for these stores:"));
        for (name, identity) in identities {
            output::line(&format!("  {name}: {identity}"));
        }
        output::note(
            "an approval from a shell names the machine's user and is marked unauthenticated in the ledger",
        );
    }
    Ok(OK)
}
