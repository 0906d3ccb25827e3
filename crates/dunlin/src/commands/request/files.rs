//! The files that a customer is given: a copy of the data, and receipts. They are readable by whoever wrote them alone.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use dunlin_gate::{Act, Ask, MaskedOnly, neutralise_cell};
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
        let name = file_name(part.side, &part.table, &mut names);
        let columns: Vec<&str> = opened.columns.iter().map(|c| c.name.as_str()).collect();
        write_private(&out.join(&name), &csv_of(&columns, &opened.rows)?)?;
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

/// A file's name for a table of one side: letters, digits, `-`, `_` and `.`, and no two alike.
fn file_name(side: &str, table: &str, taken: &mut Vec<String>) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let stem: String = format!("{side}-{table}").chars().map(safe).collect();
    let mut name = format!("{stem}.csv");
    let mut n = 2;
    while taken.contains(&name) {
        name = format!("{stem}-{n}.csv");
        n += 1;
    }
    taken.push(name.clone());
    name
}

/// Rows as CSV. A cell that a spreadsheet would run as a formula is defused; NULL is an empty cell.
fn csv_of(columns: &[&str], rows: &[Vec<Option<String>>]) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |_| Failure::Refused { message: "the CSV file cannot be made".into(), help: None, code: 3 };
    writer.write_record(columns.iter().map(|c| neutralise_cell(c))).map_err(failed)?;
    for row in rows {
        let cells = row.iter().map(|v| neutralise_cell(v.as_deref().unwrap_or_default()));
        writer.write_record(cells).map_err(failed)?;
    }
    writer.into_inner().map_err(|_| Failure::Refused {
        message: "the CSV file cannot be made".into(),
        help: None,
        code: 3,
    })
}
