//! What works and what does not, for `dunlin doctor`.

use super::connection::{File, quote};
use super::failure::sqlx_failed;
use crate::{ConnectError, Probe, ProbeStatus, Result, TableName};

/// Tries to read each table, and to write when asked.
pub(super) async fn probe(file: &File, tables: &[TableName], write: bool) -> Vec<Probe> {
    let mut probes = Vec::new();
    let is_new = write && !file.path.exists();
    if !is_new {
        probes.push(outcome("open".into(), version(file).await));
        for table in tables {
            probes.push(outcome(format!("read {table}"), read(file, table).await));
        }
    }
    if write {
        probes.push(if is_new {
            new_file(file)
        } else {
            outcome("write".into(), lock(file).await.map(|()| String::new()))
        });
    }
    probes
}

fn outcome(act: String, result: Result<String>) -> Probe {
    match result {
        Ok(detail) => Probe { act, status: ProbeStatus::Ok, detail, help: None },
        Err(error) => Probe { act, status: ProbeStatus::Fail, detail: error.to_string(), help: error.help() },
    }
}

async fn version(file: &File) -> Result<String> {
    let mut connection = file.read().await?;
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(&mut connection)
        .await
        .map_err(sqlx_failed(&file.store, "ask for its version"))?;
    Ok(format!("SQLite {version}"))
}

async fn read(file: &File, table: &TableName) -> Result<String> {
    let mut connection = file.read().await?;
    let Some(shape) = super::catalog::shape(file, &mut connection, table).await? else {
        return Err(ConnectError::Missing {
            store: file.store.to_string(),
            what: format!("table {table}"),
            help: "check the table's name in the plan".into(),
        });
    };
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT 1)", quote(&shape.name));
    file.int(&mut connection, &format!("read {table}"), sql).await?;
    Ok(String::new())
}

/// Takes the write lock and lets it go; the journal mode is left as it is.
async fn lock(file: &File) -> Result<()> {
    let mut connection = file.write_as_it_is().await?;
    file.run(&mut connection, "write", "BEGIN IMMEDIATE; ROLLBACK".into()).await
}

fn new_file(file: &File) -> Probe {
    let folder = file.path.ancestors().skip(1).find(|p| p.exists());
    let writable = folder
        .and_then(|f| std::fs::metadata(f).ok())
        .is_some_and(|m| m.is_dir() && !m.permissions().readonly());
    Probe {
        act: "write".into(),
        status: if writable { ProbeStatus::Ok } else { ProbeStatus::Fail },
        detail: "the database does not exist yet and will be made".into(),
        help: (!writable).then(|| "choose a path in a folder that may be written".into()),
    }
}
