//! `dunlin doctor`: can each store be reached, read, written; what is missing, with the exact statement.

use std::collections::BTreeMap;
use std::path::Path;

use dunlin_connect::{Probe, ProbeStatus, TableName};
use dunlin_move::{open_store, table_name};

use super::{NOT_RIGHT, OK};
use crate::cli::Format;
use crate::failure::Failure;
use crate::output;
use crate::workspace::PlanFile;

/// Probes every store of the plan.
pub async fn doctor(dir: &Path, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let mut failed = false;
    for (name, store) in &plan.plan.stores {
        let reads = plan.plan.tables.iter().filter(|t| t.from.store == *name).map(|t| &t.from);
        let sides =
            plan.plan.tables.iter().flat_map(|t| &t.enrich).map(|e| &e.from).filter(|f| f.store == *name);
        let writes: Vec<TableName> =
            plan.plan.tables.iter().filter(|t| t.to.store == *name).map(|t| table_name(&t.to)).collect();
        let reads: Vec<TableName> = reads.chain(sides).map(table_name).collect();
        let probes = match open_store(store, &plan.dir).await {
            Ok(opened) => {
                let mut probes = Vec::new();
                if !reads.is_empty() || writes.is_empty() {
                    probes.extend(opened.probe(&reads, false).await);
                }
                if !writes.is_empty() {
                    probes.extend(opened.probe(&writes, true).await);
                }
                probes.dedup();
                probes
            }
            Err(error) => vec![Probe {
                act: "open".to_owned(),
                status: ProbeStatus::Fail,
                detail: error.to_string(),
                help: error.help(),
            }],
        };
        failed |= probes.iter().any(|p| p.status == ProbeStatus::Fail);
        print(name, &probes, format);
    }
    Ok(if failed { NOT_RIGHT } else { OK })
}

fn print(store: &str, probes: &[Probe], format: Format) {
    let words: BTreeMap<&str, &str> = BTreeMap::from([("ok", "✓"), ("warn", "!"), ("fail", "✗")]);
    if format == Format::Text {
        output::line(store);
    }
    for probe in probes {
        let status = match probe.status {
            ProbeStatus::Ok => "ok",
            ProbeStatus::Warn => "warn",
            ProbeStatus::Fail => "fail",
        };
        if format == Format::Json {
            output::json(&serde_json::json!({
                "store": store, "act": probe.act, "status": status, "detail": probe.detail, "help": probe.help,
            }));
            continue;
        }
        let detail = if probe.detail.is_empty() { String::new() } else { format!(": {}", probe.detail) };
        output::line(&format!("  {} {status:<4}  {}{detail}", words[status], probe.act));
        for line in probe.help.iter().flat_map(|h| h.lines()) {
            output::line(&format!("           {line}"));
        }
    }
}
