//! `dunlin profile`: what is in the data, of the plan's sources or of any store.

use std::path::Path;
use std::sync::Arc;

use dunlin_connect::{OpenOptions, ReadRequest, Store, Table};
use dunlin_move::{Stores, find_table};
use dunlin_quality::{ColumnProfile, Profiler};
use futures::StreamExt;

use super::OK;
use crate::cli::{Format, ProfileArgs};
use crate::failure::Failure;
use crate::output::{self, thousands};
use crate::workspace::PlanFile;

/// Profiles every column of every table, whole, in one pass.
pub async fn profile(dir: &Path, args: ProfileArgs, format: Format) -> Result<u8, Failure> {
    let failed = |e| Failure::Move(dunlin_move::MoveError::Connect(e));
    let tables: Vec<(Arc<dyn Store>, Table)> = match &args.url {
        Some(url) => {
            let base = std::env::current_dir().unwrap_or_default();
            let url = if url.contains(':') { url.clone() } else { format!("file:{url}") };
            let store = dunlin_connect::open("it", &url, &OpenOptions { base, ..OpenOptions::default() })
                .await
                .map_err(failed)?;
            let mut tables = Vec::new();
            for name in store.tables().await.map_err(failed)? {
                if let Some(table) = store.table(&name).await.map_err(failed)? {
                    tables.push((store.clone(), table));
                }
            }
            tables
        }
        None => planned(dir).await?,
    };
    let chosen = |table: &Table| args.tables.is_empty() || args.tables.contains(&table.name.to_string());
    for (store, table) in tables.into_iter().filter(|(_, t)| chosen(t)) {
        let columns = one(store.as_ref(), table).await.map_err(failed)?;
        print(&columns, format);
    }
    Ok(OK)
}

async fn planned(dir: &Path) -> Result<Vec<(Arc<dyn Store>, Table)>, Failure> {
    let plan = PlanFile::read(dir)?;
    let stores = Stores::open(&plan.plan, &plan.dir).await.map_err(|e| plan.failure(e))?;
    let mut tables = Vec::new();
    for table in &plan.plan.tables {
        let store = stores.get(&table.from.store).map_err(|e| plan.failure(e))?;
        if let Some(found) = find_table(store.as_ref(), &table.from).await.map_err(|e| plan.failure(e))? {
            tables.push((store.clone(), found));
        }
    }
    Ok(tables)
}

async fn one(store: &dyn Store, table: Table) -> dunlin_connect::Result<Vec<ColumnProfile>> {
    let reader = store.reader().await?;
    let mut profiler = Profiler::new(&table);
    let table = Arc::new(table);
    for bounds in reader.splits(&table, 1_000_000, &[]).await? {
        let mut stream = reader.read(ReadRequest::all(table.clone(), bounds)).await?;
        while let Some(batch) = stream.next().await {
            profiler.push(&batch?);
        }
    }
    Ok(profiler.finish())
}

fn print(columns: &[ColumnProfile], format: Format) {
    if format == Format::Json {
        columns.iter().for_each(output::json);
        return;
    }
    let Some(first) = columns.first() else { return };
    output::line(&format!("\n{}  {} rows", first.table, thousands(first.rows)));
    let rows: Vec<Vec<String>> = columns
        .iter()
        .map(|c| {
            let share = |n: u64| {
                if n == 0 {
                    String::new()
                } else {
                    format!("{:.1} %", n as f64 * 100.0 / c.rows.max(1) as f64)
                }
            };
            let kind = c.kind.clone().map(|k| match &c.class {
                Some(class) => format!("{k} ({class})"),
                None => k,
            });
            let pattern = c.patterns.first().map(|p| p.text.clone()).unwrap_or_default();
            let findings: Vec<String> = c.findings.iter().map(|f| f.message.clone()).collect();
            vec![
                c.column.clone(),
                c.ty.clone(),
                share(c.nulls),
                share(c.unknowns),
                thousands(c.distinct),
                kind.unwrap_or_default(),
                pattern,
                findings.join("; "),
            ]
        })
        .collect();
    let head = ["column", "type", "null", "unknown", "distinct", "kind", "commonest shape", "findings"];
    output::line(&output::table(&head, &rows, &[2, 3, 4]));
}
