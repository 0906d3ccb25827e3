//! `dunlin verify`, `finish` and `enrich`.

use std::path::Path;
use std::sync::Arc;

use dunlin_gate::{Ask, MaskedOnly};
use dunlin_move::{DifferenceKind, TableResult, Verified};
use dunlin_store::{Actor, Workspace};

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
    let ask = match (args.clear, &args.purpose) {
        (true, Some(purpose)) => Ask::clear(Actor::local(), "verify", purpose),
        _ => Ask::masked(Actor::local()),
    };
    let progress = Arc::new(Progress::new(false));
    let outcome = dunlin_move::verify(&workspace, &plan.plan, &options, progress.clone()).await;
    progress.clear();
    let verified = outcome.map_err(|e| plan.failure(e))?;
    let left_out = match args.tables.is_empty() {
        true => dunlin_move::left_out(&workspace, &plan.plan, &verified.run).await,
        false => Ok(Vec::new()),
    };
    let left_out = left_out.map_err(|e| plan.failure(e))?;
    let code = show(&workspace, verified, &ask, format).await?;
    if left_out.is_empty() {
        return Ok(code);
    }
    let message = format!("the latest run is of some tables alone; not verified: {}", left_out.join(", "));
    output::error(&message, Some(dunlin_move::TAKE_OVER), format);
    Ok(NOT_RIGHT)
}

/// Prints what was found. The keys of rows that differ come through the gate.
async fn show(
    workspace: &Workspace,
    mut verified: Verified,
    ask: &Ask,
    format: Format,
) -> Result<u8, Failure> {
    let mut opened = Vec::new();
    for differences in std::mem::take(&mut verified.differences) {
        let label = differences.table.clone();
        let asked = differences.open(&MaskedOnly, workspace, ask.clone()).await;
        let (told, access) = asked.map_err(super::quarantine::refused)?;
        if let Some(table) = verified.tables.iter_mut().find(|t| t.table == label) {
            table.differences = told;
        }
        opened.push(access);
    }
    print(&verified, format);
    for access in opened {
        access.close(workspace).await.map_err(super::quarantine::refused)?;
    }
    let checkpoint = workspace.integrate().await?;
    let reconciled = verified.tables.iter().all(TableResult::in_order);
    if format == Format::Json {
        output::json(&serde_json::json!({
            "run": verified.run,
            "plan_fingerprint": verified.fingerprint,
            "reconciled": reconciled,
            "ledger": { "size": checkpoint.size, "root": checkpoint.root_hex() },
        }));
    }
    Ok(if reconciled { OK } else { NOT_RIGHT })
}

fn print(verified: &Verified, format: Format) {
    if format == Format::Json {
        verified.tables.iter().for_each(output::json);
        return;
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
    for table in &verified.tables {
        let totals =
            table.totals.iter().flat_map(|totals| crate::report::totals::lines(&table.table, totals));
        let sets = crate::report::sets::lines(&table.table, &table.sets);
        totals.chain(sets).for_each(|line| output::line(&line));
    }
    let reconciled = verified.tables.iter().all(|t| t.reconciled);
    let agree = verified.tables.iter().all(TableResult::in_order);
    output::line(match (reconciled, agree) {
        (true, true) => "Both sides were read again: everything is there, and unchanged.",
        (true, false) => {
            "Both sides were read again: every row is there, but what they come to is not as it should be."
        }
        (false, _) => "The sides differ.",
    });
}

/// Verifies, then removes dunlin's bookkeeping from the targets.
pub async fn finish(dir: &Path, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let progress = Arc::new(Progress::new(false));
    let outcome = dunlin_move::finish(&workspace, &plan.plan, &plan.options(None), progress.clone()).await;
    progress.clear();
    let (verified, finished) = outcome.map_err(|e| plan.failure(e))?;
    let code = show(&workspace, verified, &Ask::masked(Actor::local()), format).await?;
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
            Format::Text => output::line(&format!("{}: {} enriched", table.table, output::rows(table.rows))),
        }
    }
    Ok(OK)
}
