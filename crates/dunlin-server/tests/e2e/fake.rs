//! An engine in memory: a run that counts up, rows that wait, two stores. For tests and for looking at pages.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use dunlin_gate::{Batch, ColumnInfo, Rows, Sealed, SealedStream};
use dunlin_ledger::{Actor, Body, Entry};
use dunlin_server::{
    Decide, Decided, Engine, EngineError, FindingJson, Profiled, Progress, QuarantineAsk, QuarantineRows,
    ReportFiles, RunTable, RunUndone, ShowError, Side, StartRun, Through, Verification, WouldDecide,
};
use dunlin_store::{RunKind, RunRecord, RunStatus, State, new_id, now_us};
use futures::StreamExt;
use tokio::sync::broadcast;

/// A value that must never be seen where it was not opened.
pub const CANARY: &str = "canary.4711@customer.example";

/// The engine.
pub struct Fake {
    state: State,
    plan: String,
    runs: std::sync::Arc<Mutex<HashMap<String, Progress>>>,
    told: broadcast::Sender<Progress>,
    /// Who knows customers' rows, for tests that need somebody.
    pub customers: Option<std::sync::Arc<dyn dunlin_server::Customers>>,
}

impl Fake {
    pub fn new(state: State, plan: String) -> Fake {
        Fake { state, plan, runs: Default::default(), told: broadcast::Sender::new(64), customers: None }
    }

    fn tell(&self, progress: Progress) {
        self.runs.lock().unwrap().insert(progress.run.clone(), progress.clone());
        let _ = self.told.send(progress);
    }

    fn set(&self, run: &str, from: &str, to: &str) -> Result<(), EngineError> {
        let mut progress = self.runs.lock().unwrap().get(run).cloned().ok_or(EngineError::Unknown("run"))?;
        if progress.status != from {
            let message = format!("the run is {}", progress.status);
            return Err(EngineError::Conflict { message, help: None });
        }
        progress.status = to.to_owned();
        self.tell(progress);
        Ok(())
    }
}

fn progress(run: &str, rows: u64, status: &str) -> Progress {
    Progress {
        run: run.to_owned(),
        status: status.to_owned(),
        phase: "load".to_owned(),
        rows,
        rows_expected: Some(1000),
        rows_per_second: 100.0,
        tables: Vec::new(),
        waits_until: None,
    }
}

#[async_trait::async_trait]
impl Engine for Fake {
    async fn start(&self, ask: StartRun, actor: Actor) -> Result<String, EngineError> {
        let id = new_id();
        let run = RunRecord {
            id: id.clone(),
            kind: if ask.rehearse { RunKind::Rehearse } else { RunKind::Load },
            fingerprint: ask.fingerprint.clone(),
            plan_text: self.plan.clone(),
            plan_file: "dunlin.toml".to_owned(),
            stores: self.identities().await?,
            status: RunStatus::Running,
            started_at: now_us(),
            ended_at: None,
            actor: actor.clone(),
            jobs: 1,
        };
        let failed = |_| EngineError::Failed;
        let mut tx = self.state.begin().await.map_err(failed)?;
        tx.insert_run(&run).await.map_err(failed)?;
        let (plan_fingerprint, stores) = (ask.fingerprint, run.stores.clone());
        let body = Body::RunStarted { run: id.clone(), plan_fingerprint, rehearse: ask.rehearse, stores };
        tx.enter(Entry { at: now_us(), actor, body }).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        self.tell(progress(&id, 0, "running"));
        let (runs, told, run) = (self.runs.clone(), self.told.clone(), id.clone());
        tokio::spawn(async move {
            for step in 1..=20u64 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let mut known = runs.lock().unwrap();
                let Some(now) = known.get_mut(&run) else { return };
                if now.status == "running" {
                    now.rows = step * 50;
                    let _ = told.send(now.clone());
                }
            }
        });
        Ok(id)
    }

    async fn pause(&self, run: &str, _: Actor) -> Result<(), EngineError> {
        self.set(run, "running", "paused")
    }

    async fn resume(&self, run: &str, _: Actor) -> Result<(), EngineError> {
        self.set(run, "paused", "running")
    }

    async fn progress(&self, run: &str) -> Result<Option<Progress>, EngineError> {
        Ok(self.runs.lock().unwrap().get(run).cloned())
    }

    fn watch(&self) -> broadcast::Receiver<Progress> {
        self.told.subscribe()
    }

    async fn check(&self, _: &str) -> Result<Vec<FindingJson>, EngineError> {
        Ok(Vec::new())
    }

    async fn identities(&self) -> Result<BTreeMap<String, String>, EngineError> {
        let pairs = [("crm", "sqlite:one"), ("atlas", "sqlite:two")];
        Ok(pairs.map(|(name, id)| (name.to_owned(), id.to_owned())).into())
    }

    async fn quarantined(&self, ask: QuarantineAsk) -> Result<QuarantineRows, EngineError> {
        if ask.group != "0123456789ab" {
            return Err(EngineError::Unknown("group"));
        }
        let columns = people_columns();
        let row = vec![Some("1".to_owned()), Some(CANARY.to_owned()), Some("hunter2-canary".to_owned())];
        let rows = Rows {
            store: "crm".to_owned(),
            table: "atlas.people".to_owned(),
            columns: columns.clone(),
            rows: vec![row],
        };
        Ok(QuarantineRows {
            rows: Sealed::seal(rows),
            columns,
            store: "crm".to_owned(),
            table: "atlas.people".to_owned(),
            names: vec!["00".to_owned()],
        })
    }

    async fn decide(&self, ask: Decide, _: Actor) -> Result<Decided, EngineError> {
        if ask.groups != ["0123456789ab"] {
            return Err(EngineError::Unknown("group"));
        }
        Ok(Decided { rows: 1, left: 0 })
    }

    async fn would_decide(&self, ask: Decide) -> Result<WouldDecide, EngineError> {
        self.decide(ask, Actor::System).await?;
        Ok(WouldDecide { rows: 1, released: 1, ..WouldDecide::default() })
    }

    async fn run_tables(&self, run: &str) -> Result<Vec<RunTable>, EngineError> {
        if self.runs.lock().unwrap().contains_key(run) {
            Ok(Vec::new())
        } else {
            Err(EngineError::Unknown("run"))
        }
    }

    async fn abandon(&self, run: &str, _: Actor) -> Result<(), EngineError> {
        self.set(run, "paused", "abandoned")
    }

    async fn undo(&self, run: &str, _: Actor) -> Result<Vec<RunUndone>, EngineError> {
        self.run_tables(run).await.map(|_| Vec::new())
    }

    async fn schema(&self) -> Result<serde_json::Value, EngineError> {
        Ok(serde_json::json!({ "tables": [] }))
    }

    async fn columns(&self, table: &str, _: Side) -> Result<Vec<ColumnInfo>, EngineError> {
        known(table)?;
        Ok(people_columns())
    }

    async fn rows(&self, table: &str, _: Side) -> Result<SealedStream, EngineError> {
        known(table)?;
        let batches = futures::stream::iter((0..1_000).map(|n| {
            let row = vec![Some(n.to_string()), Some(CANARY.to_owned()), Some("hunter2-canary".to_owned())];
            Ok(Sealed::seal(Batch { rows: vec![row], names: vec![format!("people/{n}")] }))
        }));
        // As slow as a store: an export of all of it takes longer than a second.
        let batches = batches.then(|batch| async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            batch
        });
        Ok(SealedStream {
            store: "crm".to_owned(),
            table: "atlas.people".to_owned(),
            columns: people_columns(),
            batches: Box::pin(batches),
        })
    }

    async fn unreachable(&self, _: &str, _: u32) -> Result<Sealed<Rows>, EngineError> {
        let column = |name: &str, kind: Option<&str>| ColumnInfo {
            name: name.to_owned(),
            kind: kind.map(str::to_owned),
        };
        let row = ["canary-key-7", "canary at telephone", "malformed"].map(|text| Some(text.to_owned()));
        Ok(Sealed::seal(Rows {
            store: "atlas".to_owned(),
            table: "people".to_owned(),
            columns: vec![column("key", None), column("email", Some("email")), column("why", Some("none"))],
            rows: vec![row.to_vec()],
        }))
    }

    async fn profile(&self, table: &str, _: Side, through: Through<'_>) -> Result<Profiled, ShowError> {
        known(table)?;
        let row = vec![Some("1".to_owned()), Some(CANARY.to_owned()), Some("hunter2-canary".to_owned())];
        let rows = Rows {
            store: "crm".to_owned(),
            table: "atlas.people".to_owned(),
            columns: people_columns(),
            rows: vec![row],
        };
        let opened =
            dunlin_gate::open(Sealed::seal(rows), through.policy, through.log, &through.ask, &new_id())
                .await?;
        let columns = opened.rows.iter().map(|row| serde_json::json!({ "top": row })).collect();
        opened.close(through.log).await.map_err(dunlin_gate::Refused::from)?;
        Ok(Profiled { columns, beside: serde_json::json!({ "references": [], "drift": [] }) })
    }

    async fn verify(&self, _: Vec<String>, _: Actor) -> Result<String, EngineError> {
        Err(EngineError::Unknown("run"))
    }

    fn verifications(&self) -> Vec<Verification> {
        Vec::new()
    }

    async fn differences(
        &self,
        _: &str,
        _: &str,
        _: Through<'_>,
    ) -> Result<Vec<serde_json::Value>, ShowError> {
        Err(EngineError::Unknown("verification").into())
    }

    async fn report(&self) -> Result<ReportFiles, EngineError> {
        Err(EngineError::Unknown("report"))
    }

    fn customers(&self) -> Option<std::sync::Arc<dyn dunlin_server::Customers>> {
        self.customers.clone()
    }

    fn duplicates(&self) -> Option<std::sync::Arc<dyn dunlin_server::Duplicates>> {
        Some(std::sync::Arc::new(crate::fake_duplicates::FakeDuplicates))
    }

    async fn stop(&self) {}
}

fn known(table: &str) -> Result<(), EngineError> {
    if table == "atlas.people" { Ok(()) } else { Err(EngineError::Unknown("table")) }
}

fn people_columns() -> Vec<ColumnInfo> {
    let column = |name: &str, kind: &str| ColumnInfo { name: name.to_owned(), kind: Some(kind.to_owned()) };
    vec![column("id", "none"), column("email", "email"), column("pin", "credential")]
}
