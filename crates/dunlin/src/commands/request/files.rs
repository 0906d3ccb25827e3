//! The files that a customer is given: a copy of the data, and receipts. They are readable by whoever wrote them alone.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use dunlin_gate::{Act, Ask, MaskedOnly, people_csv, people_file_name};
use dunlin_move::subject;
use dunlin_store::{Actor, Workspace};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::cli::Format;
use crate::commands::OK;
use crate::commands::quarantine::refused;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use crate::workspace::PlanFile;

/// JSON for people.
pub fn pretty(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Writes a new file that nobody else can read.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|e| Failure::file(path, &e))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| Failure::file(path, &e))
}

/// Writes everything of a customer into a folder: one exact JSON file, and a CSV file a table for a spreadsheet. The
/// customer's own look at the data is an access like any other, and entered before the first value leaves.
pub async fn export(
    workspace: &Workspace,
    plan: &PlanFile,
    id: &str,
    out: &Path,
    format: Format,
) -> Result<u8, Failure> {
    if out.exists() && std::fs::read_dir(out).map_err(|e| Failure::file(out, &e))?.next().is_some() {
        return Err(Failure::usage(format!("{} is not empty", out.display()), "name a new folder"));
    }
    let progress = Arc::new(Progress::new(false));
    let options = plan.options(None);
    let found = subject::export(workspace, &plan.plan, &options, progress.clone(), id).await;
    progress.clear();
    let found = found.map_err(|e| plan.failure(e))?;
    std::fs::create_dir_all(out).map_err(|e| Failure::file(out, &e))?;
    let (mut tables, mut rows, mut names) = (Vec::new(), 0, Vec::new());
    for part in found.parts {
        let mut ask = Ask::clear(Actor::local(), "subject-access", &format!("request {id}"));
        ask.action = Act::Export;
        ask.surface = "export".to_owned();
        let access = dunlin_store::new_id();
        let opened =
            dunlin_gate::open(part.rows, &MaskedOnly, workspace, &ask, &access).await.map_err(refused)?;
        let name = people_file_name(part.side, &part.table, &mut names);
        let columns: Vec<&str> = opened.columns.iter().map(|c| c.name.as_str()).collect();
        let path = out.join(&name);
        let csv = people_csv(&columns, &opened.rows).map_err(|e| Failure::file(&path, &e))?;
        write_private(&path, &csv)?;
        let exact: Vec<Map<String, Value>> = opened
            .rows
            .iter()
            .map(|row| columns.iter().map(|c| (*c).to_owned()).zip(row.iter().map(|v| json!(v))).collect())
            .collect();
        rows += part.count;
        tables.push(json!({
            "side": part.side, "store": opened.store, "table": part.table, "file": name, "rows": exact,
        }));
        opened.close(workspace).await.map_err(refused)?;
    }
    let all = json!({ "format": "dunlin-export/v1", "request": id, "company": plan.plan.company.as_ref().map(|c| &c.name), "tables": tables });
    write_private(&out.join("data.json"), &pretty(&all))?;
    let ended = subject::exported(workspace, &options, id, rows).await;
    let record = ended.map_err(|e| plan.failure(e))?;
    match format {
        Format::Json => output::json(&json!({
            "request": id, "state": record.state.as_str(), "rows": rows, "folder": out, "files": names,
        })),
        Format::Text => output::line(&format!(
            "{} of the customer are in {}: data.json is exact, the CSV files are for a spreadsheet",
            output::rows(rows),
            out.display()
        )),
    }
    Ok(OK)
}
