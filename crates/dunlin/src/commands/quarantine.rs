//! `dunlin quarantine`: the rows that wait for a person. Values leave only through the gate.

use std::path::Path;
use std::sync::Arc;

use dunlin_gate::{Ask, ColumnInfo, MaskedOnly};
use dunlin_move::quarantine::QuarantinedRow;
use dunlin_move::{DecideOptions, Decision, MoveError};
use dunlin_store::{Actor, QuarantineFilter, QuarantineStatus, Workspace};
use serde_json::{Value, json};

use super::OK;
use crate::cli::{Format, QuarantineCommand, Which};
use crate::engine::{Waiting, tried, waiting};
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
        QuarantineCommand::Fix { which, set, dry_run, rows } => {
            let set = set.iter().map(|s| assignment(s)).collect::<Result<Vec<_>, _>>()?;
            let sample = if dry_run { rows } else { 0 };
            decide(dir, which, Decision::Fix(set), dry_run, sample, format).await
        }
        QuarantineCommand::Release { which, dry_run } => {
            decide(dir, which, Decision::Release, dry_run, 0, format).await
        }
        QuarantineCommand::Discard { which, dry_run } => {
            decide(dir, which, Decision::Discard, dry_run, 0, format).await
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
            output::json(&json!({
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

/// The groups that are named, or those that wait for one reason.
async fn groups(workspace: &Workspace, which: Which) -> Result<Vec<String>, MoveError> {
    match (&which.reason, &which.table) {
        (Some(reason), Some(table)) => {
            dunlin_move::groups_of(workspace, table, reason, which.column.as_deref()).await
        }
        _ => Ok(which.groups),
    }
}

/// Values before and after a fix, masked, of the first rows of the first group.
async fn sample(
    workspace: &Workspace,
    plan: &PlanFile,
    group: &str,
    set: &[(String, String)],
    limit: u32,
    format: Format,
) -> Result<(), Failure> {
    let Some(found) = tried(workspace, plan, group, set, limit, 0).await? else { return Ok(()) };
    let access = dunlin_store::new_id();
    let ask = Ask::masked(Actor::local());
    let opened =
        dunlin_gate::open(found.values, &MaskedOnly, workspace, &ask, &access).await.map_err(refused)?;
    for (row, values) in found.rows.iter().zip(&opened.rows) {
        if format == Format::Json {
            let value = |v: &Option<String>| v.clone().map_or(Value::Null, Value::String);
            let changes: Vec<Value> = (opened.columns.chunks(2).zip(values.chunks(2)))
                .filter(|(_, values)| values.len() == 2)
                .map(|(c, v)| json!({ "column": c[0].name, "before": value(&v[0]), "after": value(&v[1]) }))
                .collect();
            output::json(&json!({ "position": row.position, "changes": changes }));
            continue;
        }
        for (columns, values) in opened.columns.chunks(2).zip(values.chunks(2)) {
            let text =
                |v: Option<&Option<String>>| v.and_then(Clone::clone).unwrap_or_else(|| "NULL".to_owned());
            let (before, after) = (text(values.first()), text(values.get(1)));
            output::line(&format!("  position {}: {} {before} → {after}", row.position, columns[0].name));
        }
    }
    opened.close(workspace).await.map_err(refused)
}

async fn decide(
    dir: &Path,
    which: Which,
    decision: Decision,
    dry_run: bool,
    rows: u32,
    format: Format,
) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let groups = groups(&workspace, which).await.map_err(|e| plan.failure(e))?;
    let first = groups.first().cloned().unwrap_or_default();
    let which = DecideOptions { groups, table: None, dry_run };
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
        for change in &done.shapes {
            let shape = |s: &Option<String>| s.clone().unwrap_or_else(|| "NULL".to_owned());
            let after = if change.failed { "fails".to_owned() } else { shape(&change.after) };
            let (rows, before) = (output::rows(change.rows), shape(&change.before));
            output::line(&format!("  {rows}: {} {before} → {after}", change.column));
        }
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
    if let Decision::Fix(set) = &decision
        && rows > 0
    {
        sample(&workspace, &plan, &first, set, rows, format).await?;
        workspace.integrate().await?;
    }
    Ok(OK)
}
