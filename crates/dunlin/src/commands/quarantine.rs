//! `dunlin quarantine`: the rows that wait for a person. Values leave only through the gate.

use std::path::Path;
use std::sync::Arc;

use dunlin_gate::{Ask, ColumnInfo, MaskedOnly, Rows, Sealed};
use dunlin_move::quarantine::{Form, QuarantinedRow};
use dunlin_move::{DecideOptions, Decision};
use dunlin_store::{Actor, QuarantineFilter, QuarantineStatus, Workspace};

use super::OK;
use crate::cli::{Format, QuarantineCommand};
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
    let filter = QuarantineFilter {
        group: Some(group.to_owned()),
        status: Some(QuarantineStatus::Waiting),
        ..QuarantineFilter::default()
    };
    let rows = workspace.state().quarantine_rows(&filter, limit, 0).await?;
    let Some(first) = rows.first().cloned() else {
        return Err(Failure::usage(
            format!("no row waits in group `{group}`"),
            "`dunlin quarantine list` names the groups",
        ));
    };
    let mut found = Vec::new();
    for row in &rows {
        let mut fragment = workspace.fragments().open(&row.run, &row.table, &row.fragment)?;
        if let Some(payload) = fragment.nth(row.row as usize) {
            found.extend(QuarantinedRow::unpack(&payload?));
        }
    }
    let columns = columns(&workspace, &plan, &first.run, &first.table, &found).await?;
    let store = plan.plan.table(&first.table).map(|t| t.from.store.clone()).unwrap_or_default();
    let values = found.iter().map(readable).collect();
    let sealed = Sealed::seal(Rows { store, table: first.table.clone(), columns, rows: values });
    let ask = match &purpose {
        Some(text) => Ask::clear(Actor::local(), "support", text),
        None => Ask::masked(Actor::local()),
    };
    let access = dunlin_store::new_id();
    let opened = dunlin_gate::open(sealed, &MaskedOnly, &workspace, &ask, &access).await.map_err(refused)?;
    for (row, values) in found.iter().zip(&opened.rows) {
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

/// Raw bytes as text as far as they are text.
fn readable(row: &QuarantinedRow) -> Vec<Option<String>> {
    match row.form {
        Form::Raw => row
            .raw_fields()
            .into_iter()
            .map(|f| f.map(|b| String::from_utf8_lossy(&b).into_owned()))
            .collect(),
        _ => row.fields.clone(),
    }
}

/// Names and kinds of the fields that rows in quarantine have.
async fn columns(
    workspace: &Workspace,
    plan: &PlanFile,
    run: &str,
    label: &str,
    rows: &[QuarantinedRow],
) -> Result<Vec<ColumnInfo>, Failure> {
    let width = rows.iter().map(|r| r.fields.len()).max().unwrap_or_default();
    let names = dunlin_move::quarantined_columns(workspace, &plan.plan, &plan.dir, run, label)
        .await
        .map_err(|e| plan.failure(e))?;
    let target = rows.first().is_some_and(|r| r.form == Form::Target);
    let names = if target { names.target } else { names.source };
    Ok((0..width)
        .map(|i| match names.get(i) {
            Some((name, kind)) => ColumnInfo { name: name.clone(), kind: kind.clone() },
            None => ColumnInfo { name: format!("field {}", i + 1), kind: Some("free_text".to_owned()) },
        })
        .collect())
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
            "position": row.position, "reason": row.reason, "column": row.column, "constraint": row.constraint, "row": fields,
        }));
        return;
    }
    let at = row.column.as_deref().map(|c| format!(" in {c}")).unwrap_or_default();
    output::line(&format!("position {}: {}{at}", row.position, row.reason));
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
