//! `dunlin verify`, `finish` and `enrich`.

use std::path::Path;
use std::sync::Arc;

use dunlin_move::{DifferenceKind, Verified};
use dunlin_store::Workspace;

use super::{NOT_RIGHT, OK};
use crate::cli::{Format, VerifyArgs};
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use crate::workspace::{PlanFile, open};

/// How many differences are shown to people; JSON has all.
const SHOWN: usize = 40;

/// Reads both sides again and reconciles.
pub async fn verify(dir: &Path, args: VerifyArgs, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let mut options = plan.options(args.jobs);
    options.tables = args.tables.clone();
    let access = match (args.clear, &args.purpose) {
        (true, Some(purpose)) => {
            Some(super::quarantine::enter_clear(&workspace, &plan, "verify", purpose).await?)
        }
        _ => None,
    };
    let progress = Arc::new(Progress::new(false));
    let outcome = dunlin_move::verify(&workspace, &plan.plan, &options, args.clear, progress.clone()).await;
    progress.clear();
    let verified = outcome.map_err(|e| plan.failure(e))?;
    if let Some(access) = access {
        let rows: u64 = verified.tables.iter().map(|t| t.differences.len() as u64).sum();
        access.close(&workspace, rows).await?;
    }
    print(&workspace, &verified, format).await
}

async fn print(workspace: &Workspace, verified: &Verified, format: Format) -> Result<u8, Failure> {
    let reconciled = verified.tables.iter().all(|t| t.reconciled);
    let code = if reconciled { OK } else { NOT_RIGHT };
    if format == Format::Json {
        verified.tables.iter().for_each(output::json);
        let checkpoint = workspace.integrate().await?;
        output::json(&serde_json::json!({
            "run": verified.run,
            "plan_fingerprint": verified.fingerprint,
            "reconciled": reconciled,
            "ledger": { "size": checkpoint.size, "root": checkpoint.root_hex() },
        }));
        return Ok(code);
    }
    output::line(&super::run::table(&verified.tables));
    for table in &verified.tables {
        for difference in table.differences.iter().take(SHOWN) {
            let key: Vec<String> = difference.key.iter().map(|(c, v)| format!("{c}={v}")).collect();
            let key = if key.is_empty() { "a row without a key".to_owned() } else { key.join(", ") };
            let what = match difference.kind {
                DifferenceKind::Missing => "missing from the target".to_owned(),
                DifferenceKind::Extra => "in the target, and nothing accounts for it".to_owned(),
                DifferenceKind::Changed if difference.columns.is_empty() => "changed".to_owned(),
                DifferenceKind::Changed => format!("changed in {}", difference.columns.join(", ")),
            };
            output::line(&format!("  {}: {key}: {what}", table.table));
        }
        if table.differences.len() > SHOWN {
            let more = table.differences.len() - SHOWN;
            output::line(&format!("  {}: and {more} more (all with --format json)", table.table));
        }
    }
    output::line(if reconciled {
        "Both sides were read again: everything is there, and unchanged."
    } else {
        "The sides differ."
    });
    Ok(code)
}

/// Verifies, then removes dunlin's bookkeeping from the targets.
pub async fn finish(dir: &Path, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let progress = Arc::new(Progress::new(false));
    let outcome = dunlin_move::finish(&workspace, &plan.plan, &plan.options(None), progress.clone()).await;
    progress.clear();
    let (verified, finished) = outcome.map_err(|e| plan.failure(e))?;
    let code = print(&workspace, &verified, format).await?;
    if code != OK {
        output::error(
            "nothing was removed: the targets do not reconcile",
            Some("mend what differs, or `dunlin undo`"),
            format,
        );
        return Ok(code);
    }
    for store in finished {
        output::note(&format!("removed dunlin's bookkeeping from `{store}`"));
    }
    Ok(OK)
}

/// Adds what the plan enriches after the load.
pub async fn enrich(dir: &Path, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let progress = Arc::new(Progress::new(false));
    let outcome =
        dunlin_move::enrich_after(&workspace, &plan.plan, &plan.options(None), progress.clone()).await;
    progress.clear();
    for table in outcome.map_err(|e| plan.failure(e))? {
        match format {
            Format::Json => output::json(&table),
            Format::Text => {
                output::line(&format!("{}: {} rows enriched", table.table, output::thousands(table.rows)))
            }
        }
    }
    Ok(OK)
}
