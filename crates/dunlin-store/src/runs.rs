//! Runs as dunlin remembers them: what was asked, by whom, and how it ended.
//!
//! Not here: tables and splits of a run (`splits`), and the running.

use std::collections::BTreeMap;

use dunlin_ledger::Actor;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::db;
use crate::{State, StoreError, Tx, now_us};

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunKind {
    /// Moves data.
    Load,
    /// Tries it out.
    Rehearse,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// It goes on, or its process died.
    Running,
    /// It waits, for a window or a person.
    Paused,
    /// A stop rule or an error ended it for now.
    Stopped,
    /// It came to its end.
    Done,
    /// A person gave it up.
    Abandoned,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// UUIDv7.
    pub id: String,
    /// What it is for.
    pub kind: RunKind,
    /// Fingerprint of the plan, hex.
    pub fingerprint: String,
    /// The plan, word for word.
    pub plan_text: String,
    /// The plan's file.
    pub plan_file: String,
    /// Each store's name and identity.
    pub stores: BTreeMap<String, String>,
    /// Where it stands.
    pub status: RunStatus,
    /// When it began, in microseconds since 1970 UTC.
    pub started_at: i64,
    /// When it was done or abandoned.
    pub ended_at: Option<i64>,
    /// Who started it.
    pub actor: Actor,
    /// Splits at a time.
    pub jobs: u32,
}

const COLUMNS: &str = "select id, kind, fingerprint, plan_text, plan_file, stores, status, started_at, ended_at, actor, jobs from runs";

impl RunStatus {
    /// The word in the state and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            RunStatus::Running => "running",
            RunStatus::Paused => "paused",
            RunStatus::Stopped => "stopped",
            RunStatus::Done => "done",
            RunStatus::Abandoned => "abandoned",
        }
    }

    /// Whether the run has come to its end, one way or the other.
    pub fn is_over(self) -> bool {
        matches!(self, RunStatus::Done | RunStatus::Abandoned)
    }

    fn parse(text: &str) -> Result<RunStatus, StoreError> {
        use RunStatus::{Abandoned, Done, Paused, Running, Stopped};
        let all = [Running, Paused, Stopped, Done, Abandoned];
        all.into_iter().find(|s| s.as_str() == text).ok_or(StoreError::Damaged("a run's status"))
    }
}

impl RunKind {
    /// The word in the state and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            RunKind::Load => "load",
            RunKind::Rehearse => "rehearse",
        }
    }

    fn parse(text: &str) -> Result<RunKind, StoreError> {
        let all = [RunKind::Load, RunKind::Rehearse];
        all.into_iter().find(|k| k.as_str() == text).ok_or(StoreError::Damaged("a run's kind"))
    }
}

impl Tx {
    /// Remembers a new run.
    pub async fn insert_run(&mut self, run: &RunRecord) -> Result<(), StoreError> {
        let stores = serde_json::to_string(&run.stores).map_err(|_| StoreError::Damaged("a run's stores"))?;
        let actor = serde_json::to_string(&run.actor).map_err(|_| StoreError::Damaged("a run's actor"))?;
        sqlx::query(
            "insert into runs (id, kind, fingerprint, plan_text, plan_file, stores, status, started_at, ended_at, \
             actor, jobs) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(&run.id)
        .bind(run.kind.as_str())
        .bind(&run.fingerprint)
        .bind(&run.plan_text)
        .bind(&run.plan_file)
        .bind(stores)
        .bind(run.status.as_str())
        .bind(run.started_at)
        .bind(run.ended_at)
        .bind(actor)
        .bind(i64::from(run.jobs))
        .execute(self.connection())
        .await
        .map_err(db("inserting a run"))?;
        Ok(())
    }

    /// Remembers what a run came to besides its tables, in the words of whoever ran it.
    pub async fn set_run_outcome(&mut self, id: &str, outcome: &serde_json::Value) -> Result<(), StoreError> {
        self.set_setting(&outcome_of(id), &outcome.to_string()).await
    }

    /// Moves a run on; one that is over gets its end time.
    pub async fn set_run_status(&mut self, id: &str, status: RunStatus) -> Result<(), StoreError> {
        let done = sqlx::query("update runs set status = $1, ended_at = $2 where id = $3")
            .bind(status.as_str())
            .bind(status.is_over().then(now_us))
            .bind(id)
            .execute(self.connection())
            .await
            .map_err(db("updating a run"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Unknown { what: "run", id: id.to_owned() });
        }
        Ok(())
    }
}

impl State {
    /// One run. `Unknown` when there is none.
    pub async fn run(&self, id: &str) -> Result<RunRecord, StoreError> {
        let runs = self.select_runs("where id = $1", id).await?;
        runs.into_iter().next().ok_or_else(|| StoreError::Unknown { what: "run", id: id.to_owned() })
    }

    /// What a run came to besides its tables, as far as it has come.
    pub async fn run_outcome(&self, id: &str) -> Result<Option<serde_json::Value>, StoreError> {
        Ok(self.setting(&outcome_of(id)).await?.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// All runs, the newest first.
    pub async fn runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        self.select_runs("where $1 = '' order by started_at desc, id desc", "").await
    }

    /// Runs that are neither done nor abandoned, the newest first.
    pub async fn unfinished_runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        let rest = "where $1 = '' and status not in ('done', 'abandoned') order by started_at desc, id desc";
        self.select_runs(rest, "").await
    }

    /// The newest finished load of this fingerprint.
    pub async fn last_done_run(&self, fingerprint: &str) -> Result<Option<RunRecord>, StoreError> {
        let rest = "where fingerprint = $1 and status = 'done' and kind = 'load' \
                    order by started_at desc, id desc limit 1";
        Ok(self.select_runs(rest, fingerprint).await?.into_iter().next())
    }

    async fn select_runs(&self, rest: &'static str, argument: &str) -> Result<Vec<RunRecord>, StoreError> {
        let mut query = sqlx::QueryBuilder::new(COLUMNS);
        query.push(" ").push(rest);
        let rows = query.build().bind(argument).fetch_all(&self.pool).await.map_err(db("reading runs"))?;
        rows.iter().map(read_run).collect()
    }
}

/// The setting that holds a run's outcome.
fn outcome_of(run: &str) -> String {
    format!("run_outcome.{run}")
}

fn read_run(row: &SqliteRow) -> Result<RunRecord, StoreError> {
    let failed = db("reading a run");
    let text = |i: usize| row.try_get::<String, _>(i).map_err(&failed);
    Ok(RunRecord {
        id: text(0)?,
        kind: RunKind::parse(&text(1)?)?,
        fingerprint: text(2)?,
        plan_text: text(3)?,
        plan_file: text(4)?,
        stores: serde_json::from_str(&text(5)?).map_err(|_| StoreError::Damaged("a run's stores"))?,
        status: RunStatus::parse(&text(6)?)?,
        started_at: row.try_get(7).map_err(&failed)?,
        ended_at: row.try_get(8).map_err(&failed)?,
        actor: serde_json::from_str(&text(9)?).map_err(|_| StoreError::Damaged("a run's actor"))?,
        jobs: u32::try_from(row.try_get::<i64, _>(10).map_err(&failed)?).unwrap_or(1),
    })
}
