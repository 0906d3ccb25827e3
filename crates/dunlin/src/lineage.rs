//! What a run reads and writes, told as OpenLineage events: appended to a file, or posted to an address that
//! `server.toml` lets dunlin call. Names of stores, tables and counts; never a value. A run at a shell is told where
//! `--lineage` says, one of the server's where `lineage` in `server.toml` does.
//!
//! Telling is a courtesy: when it fails, that is said, and the run goes on.

use std::io::Write;
use std::path::{Path, PathBuf};

use dunlin_guard::outgoing::{Call, Outgoing};
use dunlin_move::{MoveError, RunSummary, TableResult};
use dunlin_plan::{Plan, TableRef};
use dunlin_server::ServerConfig;
use dunlin_store::Workspace;
use serde_json::{Value, json};
use url::Url;

use crate::failure::Failure;

/// <https://openlineage.io/spec/2-0-2/OpenLineage.json>
const SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
/// The facet with rows and bytes of an output.
const STATISTICS: &str = "https://openlineage.io/spec/facets/1-0-2/OutputStatisticsOutputDatasetFacet.json";

/// Where a run stands, in OpenLineage's words.
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    /// It begins, or goes on.
    Start,
    /// It came to its end.
    Complete,
    /// It stopped where it can go on.
    Abort,
    /// It failed.
    Fail,
}

impl Stage {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Complete => "COMPLETE",
            Self::Abort => "ABORT",
            Self::Fail => "FAIL",
        }
    }
}

/// How a run ended, as an event, with what its tables came to.
pub fn ending(outcome: &Result<RunSummary, MoveError>) -> (Stage, &[TableResult]) {
    match outcome {
        Ok(summary) if summary.reconciled() => (Stage::Complete, &summary.tables),
        Ok(summary) => (Stage::Fail, &summary.tables),
        Err(MoveError::Paused) => (Stage::Abort, &[]),
        Err(_) => (Stage::Fail, &[]),
    }
}

/// Who is told.
pub enum Lineage {
    /// A file, one event a line.
    File(PathBuf),
    /// An HTTP address.
    Http(Url, Outgoing),
}

impl Lineage {
    /// Understands the argument of `--lineage`.
    ///
    /// # Errors
    /// An address whose `server.toml` cannot be read.
    pub fn open(dir: &Path, given: &str) -> Result<Self, Failure> {
        let url = Url::parse(given).ok().filter(|u| matches!(u.scheme(), "http" | "https"));
        let Some(url) = url else { return Ok(Self::File(PathBuf::from(given))) };
        let wrong = |e: String| Failure::usage(e, "see `allow_private_hosts` in docs/commands.md");
        let config = ServerConfig::load(dir).map_err(|e| wrong(e.to_string()))?;
        let client = dunlin_server::outgoing(&config).map_err(|e| wrong(e.to_string()))?;
        Ok(Self::Http(url, client))
    }

    /// Where `server.toml` wants the runs of the server told, if anywhere. A file is relative to the workspace.
    ///
    /// # Errors
    /// A `server.toml` that cannot be read.
    pub fn of_server(dir: &Path) -> Result<Option<Self>, Failure> {
        let config = ServerConfig::load(dir).map_err(crate::commands::serve::misconfigured)?;
        let Some(given) = config.lineage else { return Ok(None) };
        Ok(Some(match Self::open(dir, &given)? {
            Self::File(path) => Self::File(dir.join(path)),
            http => http,
        }))
    }

    /// Tells one event; `tables` are the results, where there are any yet. One that could not be told gives why.
    pub async fn tell(
        &self,
        workspace: &Workspace,
        plan: &Plan,
        run: &str,
        stage: Stage,
        tables: &[TableResult],
    ) -> Result<(), String> {
        let stores = workspace.state().run(run).await.map(|r| r.stores).unwrap_or_default();
        let place = |table: &TableRef| {
            let mut name = table.schema.clone().map(|s| s + ".").unwrap_or_default();
            name += table.table.as_deref().unwrap_or(&table.store);
            let namespace = stores.get(&table.store).unwrap_or(&table.store);
            json!({ "namespace": namespace, "name": name })
        };
        let output = |table: &dunlin_plan::TablePlan| {
            let mut place = place(&table.to);
            if let Some(result) = tables.iter().find(|r| r.table == table.label()) {
                place["outputFacets"] = json!({ "outputStatistics": {
                    "_producer": producer(), "_schemaURL": STATISTICS,
                    "rowCount": result.loaded, "size": result.bytes,
                }});
            }
            place
        };
        let event = json!({
            "eventType": stage.word(),
            "eventTime": jiff::Timestamp::now().to_string(),
            "producer": producer(),
            "schemaURL": SCHEMA,
            "run": { "runId": run },
            "job": { "namespace": "dunlin", "name": plan.name },
            "inputs": plan.tables.iter().map(|t| place(&t.from)).collect::<Vec<_>>(),
            "outputs": plan.tables.iter().map(output).collect::<Vec<_>>(),
        });
        let told = self.send(&event).await;
        told.map_err(|why| format!("lineage: the event {} was not told: {why}", stage.word()))
    }

    async fn send(&self, event: &Value) -> Result<(), String> {
        match self {
            Self::File(path) => {
                let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
                let written = file.and_then(|mut file| writeln!(file, "{event}"));
                written.map_err(|e| format!("{}: {}", path.display(), e.kind()))
            }
            Self::Http(url, client) => {
                let call = Call::post_json(url.clone(), event.to_string().into_bytes());
                match client.call(call).await {
                    Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
                    Ok(answer) => Err(format!("the address answered {}", answer.status)),
                    Err(error) => Err(error.to_string()),
                }
            }
        }
    }
}

fn producer() -> String {
    format!("{}/{}", env!("CARGO_PKG_REPOSITORY"), env!("CARGO_PKG_VERSION"))
}
