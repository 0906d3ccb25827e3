//! `dunlin undo`: takes back what a run loaded.

use std::path::Path;
use std::sync::Arc;

use super::OK;
use crate::cli::{Format, UndoArgs};
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use crate::workspace::{PlanFile, open};

/// Takes a run back by the plan it was run with, whatever the plan says now.
pub async fn undo(dir: &Path, args: UndoArgs, format: Format) -> Result<u8, Failure> {
    let workspace = open(dir).await?;
    let record = workspace.state().run(&args.run).await?;
    let plan = PlanFile::of(dir, record.plan_text)?;
    let progress = Arc::new(Progress::new(false));
    let outcome =
        dunlin_move::undo(&workspace, &plan.plan, &args.run, &plan.options(None), progress.clone()).await;
    progress.clear();
    let undone = outcome.map_err(|e| plan.failure(e))?;
    if undone.is_empty() {
        output::note(&format!("run {} was taken back already", args.run));
    }
    for table in undone {
        match format {
            Format::Json => output::json(&table),
            Format::Text => {
                let gone = if table.dropped { "; the table, which the run had made, is gone" } else { "" };
                output::line(&format!("{}: {} taken back{gone}", table.table, output::rows(table.rows)));
            }
        }
    }
    Ok(OK)
}
