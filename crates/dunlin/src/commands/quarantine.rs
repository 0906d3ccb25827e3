//! `dunlin quarantine`: the rows that wait for a person. Values leave only through the gate.

use std::path::Path;
use std::sync::Arc;

use dunlin_gate::{Ask, ColumnInfo, MaskedOnly};
use dunlin_move::quarantine::QuarantinedRow;
use dunlin_move::{DecideOptions, Decision};
use dunlin_store::{Actor, QuarantineFilter, QuarantineStatus};

use super::OK;
use crate::cli::{Format, QuarantineCommand};
use crate::engine::{Waiting, waiting};
use crate::failure::Failure;
use crate::output::{self, thousands};
use crate::progress::Progress;
use crate::workspace::{PlanFile, open};

/// The rows that wait.
pub async fn quarantine(dir: &Path, command: QuarantineCommand, format: Format) -> Result<u8, Failure> {
    match command {
        QuarantineCommand::List => list(dir, format).await,
        QuarantineCommand::Show { group, limit, clear, purpose } => {
            show(dir, &group, limit, purpose.filter(|_| clear), format).await
        }
        QuarantineCommand::Fix { group, set, dry_run } => {
            let set = set.iter().map(|s| assignment(s)).collect::<Result<Vec<_>, _>>()?;
            decide(dir, group, Decision::Fix(set), dry_run, format).await
        }
        QuarantineCommand::Release { group, dry_run } => {
            decide(dir, group, Decision::Release, dry_run, format).await
        }
        QuarantineCommand::Discard { group, dry_run } => {
            decide(dir, group, Decision::Discard, dry_run, format).await
        }
    }
}

fn assignment(text: &str) -> Result<(String, String), Failure> {
    match text.split_once('=') {
        Some((column, sql)) if !column.trim().is_empty() && !sql.trim().is_empty() => {
            Ok((column.trim().trim_matches('"').to_owned(), sql.trim().to_owned()))
        }
        _ => {
            Err(Failure::usage("--set needs a column and an expression", "for example --set \"dob = null\""))
        }
    }
}

async fn list(dir: &Path, format: Format) -> Result<u8, Failure> {
    let workspace = open(dir).await?;
    let filter = QuarantineFilter { status: Some(QuarantineStatus::Waiting), ..QuarantineFilter::default() };
    let groups = workspace.state().quarantine_groups(&filter).await?;
    if format == Format::Json {
        for g in &groups {
            output::json(&serde_json::json!({
                "group": g.id, "table": g.table, "reason": g.reason, "column": g.column, "pattern": g.pattern,
                "rows": g.rows, "run": g.run,
            }));
        }
        return Ok(OK);
    }
    if groups.is_empty() {
        output::line("No row waits.");
        return Ok(OK);
    }
    let rows: Vec<Vec<String>> = groups
        .iter()
        .map(|g| {
            let text = |t: &Option<String>| t.clone().unwrap_or_default();
            vec![
                g.id.clone(),
                g.table.clone(),
                g.reason.clone(),
                text(&g.column),
                text(&g.pattern),
                thousands(g.rows),
            ]
        })
        .collect();
    output::line(&output::table(&["group", "table", "reason", "column", "shape", "rows"], &rows, &[5]));
    output::note("`dunlin quarantine show GROUP` shows rows, masked; `fix`, `release` and `discard` decide");
    Ok(OK)
}

async fn show(
    dir: &Path,
    group: &str,
    limit: u32,
    purpose: Option<String>,
    format: Format,
) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let Some(found) = waiting(&workspace, &plan, group, limit, 0).await? else {
        return Err(Failure::usage(
            format!("no row waits in group `{group}`"),
            "`dunlin quarantine list` names the groups",
        ));
    };
    let Waiting { rows, values, .. } = found;
    let ask = match &purpose {
        Some(text) => Ask::clear(Actor::local(), "support", text),
        None => Ask::masked(Actor::local()),
    };
    let access = dunlin_store::new_id();
    let opened = dunlin_gate::open(values, &MaskedOnly, &workspace, &ask, &access).await.map_err(refused)?;
    for (row, values) in rows.iter().zip(&opened.rows) {
        print_row(row, &opened.columns, values, format);
    }
    opened.close(&workspace).await.map_err(refused)?;
    workspace.integrate().await?;
    Ok(OK)
}

/// Why the gate stayed shut.
pub fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::Refused {
        message: error.to_string(),
        help: Some("ask for masked values, or name a purpose".into()),
        code: 2,
    }
}

fn print_row(row: &QuarantinedRow, columns: &[ColumnInfo], values: &[Option<String>], format: Format) {
    if format == Format::Json {
        let fields: serde_json::Map<String, serde_json::Value> = columns
            .iter()
            .zip(values)
            .map(|(c, v)| {
                (c.name.clone(), v.clone().map_or(serde_json::Value::Null, serde_json::Value::String))
            })
            .collect();
        output::json(&serde_json::json!({
            "position": row.position, "byte": row.byte, "reason": row.reason, "column": row.column, "constraint": row.constraint, "row": fields,
        }));
        return;
    }
    let at = row.column.as_deref().map(|c| format!(" in {c}")).unwrap_or_default();
    let byte = row.byte.map(|byte| format!(" (byte {})", thousands(byte))).unwrap_or_default();
    output::line(&format!("position {}{byte}: {}{at}", row.position, row.reason));
    for (column, value) in columns.iter().zip(values) {
        output::line(&format!("    {:<20} {}", column.name, value.as_deref().unwrap_or("NULL")));
    }
}

async fn decide(
    dir: &Path,
    group: String,
    decision: Decision,
    dry_run: bool,
    format: Format,
) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let which = DecideOptions { group: Some(group), table: None, dry_run };
    let progress = Arc::new(Progress::new(false));
    let outcome =
        dunlin_move::decide(&workspace, &plan.plan, &plan.options(None), &which, &decision, progress.clone())
            .await;
    progress.clear();
    for done in outcome.map_err(|e| plan.failure(e))? {
        if format == Format::Json {
            output::json(&done);
            continue;
        }
        let would = if dry_run { "would be " } else { "" };
        output::line(&format!(
            "{}: {} looked at; {} {would}released, {} {would}left behind",
            done.table,
            output::rows(done.rows),
            thousands(done.released),
            thousands(done.discarded)
        ));
        for (reason, rows) in &done.waiting {
            let columns: Vec<&str> =
                done.waiting_columns.get(reason).into_iter().flatten().map(String::as_str).collect();
            let at = if columns.is_empty() { String::new() } else { format!(" in {}", columns.join(", ")) };
            let wait = if *rows == 1 { "waits" } else { "wait" };
            output::line(&format!("  {} still {wait}: {reason}{at}", thousands(*rows)));
        }
        if done.children > 0 {
            let wait = if done.children == 1 { "waits" } else { "wait" };
            output::note(&format!(
                "{} of other tables {wait} for a parent: `dunlin quarantine list`, then release them",
                output::rows(done.children)
            ));
        }
    }
    Ok(OK)
}
