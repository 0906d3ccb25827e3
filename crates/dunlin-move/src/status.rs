//! Where a run stands, in the state and in the ledger: begun, gone on with, paused, done. Each change and its entry are
//! one transaction.

use std::collections::BTreeMap;

use dunlin_store::{Actor, Body, RunKind, RunRecord, RunStatus, Workspace};

use crate::definitions::LeftBehind;
use crate::pause::PauseReason;
use crate::reconcile::TableResult;
use crate::run::{Outcome, Problem, Rehearsal, Run};
use crate::{MoveError, Result};

impl Run<'_> {
    /// Puts the run into the state before anything else happens.
    pub(crate) async fn begin(
        &self,
        fingerprint: &str,
        stores: BTreeMap<String, String>,
        started_at: i64,
    ) -> Result<String> {
        let id = self.options.id.clone().unwrap_or_else(dunlin_store::new_id);
        let rehearse = self.options.rehearsal.is_some();
        let record = RunRecord {
            id: id.clone(),
            kind: if rehearse { RunKind::Rehearse } else { RunKind::Load },
            fingerprint: fingerprint.to_owned(),
            plan_text: self.options.plan_text.clone(),
            plan_file: self.options.plan_file.clone(),
            stores: stores.clone(),
            status: RunStatus::Running,
            started_at,
            ended_at: None,
            actor: self.options.actor.clone(),
            jobs: self.options.jobs as u32,
        };
        let mut tx = self.workspace.state().begin().await?;
        tx.insert_run(&record).await?;
        if let Some(Rehearsal::Into(url)) = &self.options.rehearsal {
            // An erasure must find the copy again.
            tx.put_rehearsal_copy(&id, url).await?;
        }
        let plan_fingerprint = fingerprint.to_owned();
        tx.enter(self.entry(Body::RunStarted { run: id.clone(), plan_fingerprint, rehearse, stores }))
            .await?;
        tx.commit().await?;
        Ok(id)
    }

    pub(crate) async fn resume(&self, record: RunRecord) -> Result<String> {
        let mut tx = self.workspace.state().begin().await?;
        tx.set_run_status(&record.id, RunStatus::Running).await?;
        tx.enter(self.entry(Body::RunResumed { run: record.id.clone() })).await?;
        tx.commit().await?;
        Ok(record.id)
    }

    /// It stopped before its end, after readers had waited for `held` seconds.
    pub(crate) async fn paused(&self, id: &str, error: &MoveError, held: f64) -> Result<()> {
        let before = outcome(self.workspace, id).await?;
        let mut failed = self.problems.lock().map(|p| p.clone()).unwrap_or_default();
        let now = |label: &String| self.options.tables.is_empty() || self.options.tables.contains(label);
        // What is the matter with tables whose turn was not now is still the matter.
        failed.extend(before.failed.into_iter().filter(|(label, _)| !now(label)));
        let problem = (!matches!(error, MoveError::Paused)).then(|| Problem::of(error));
        let outcome = Outcome {
            left_behind: Vec::new(),
            held_back_seconds: before.held_back_seconds + held,
            help: problem.as_ref().and_then(|p| p.help.clone()),
            problem: problem.map(|p| p.problem),
            failed,
            tries: before.tries,
        };
        let status =
            if matches!(error, MoveError::Stopped { .. }) { RunStatus::Stopped } else { RunStatus::Paused };
        let reason_code = match error {
            MoveError::Stopped { .. } => "stopped",
            MoveError::Paused => self.options.pause.reason().unwrap_or(PauseReason::Asked).code(),
            MoveError::Connect(_) | MoveError::Partly { .. } => "store",
            MoveError::Refused { .. } | MoveError::Findings(_) => "refused",
            _ => "failed",
        };
        let mut tx = self.workspace.state().begin().await?;
        tx.set_run_status(id, status).await?;
        tx.set_run_outcome(id, &serde_json::to_value(&outcome).unwrap_or_default()).await?;
        let mut entry =
            self.entry(Body::RunPaused { run: id.to_owned(), reason_code: reason_code.to_owned() });
        if let (MoveError::Paused, Some(actor)) = (error, self.options.pause.asked()) {
            entry.actor = actor;
        } else if self.options.pause.reason() == Some(PauseReason::WindowClosed) {
            entry.actor = Actor::System;
        }
        tx.enter(entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// It came to its end, after readers had waited for `held` seconds.
    pub(crate) async fn done(
        &self,
        id: &str,
        tables: &[TableResult],
        left_behind: &[LeftBehind],
        held: f64,
    ) -> Result<()> {
        fail::fail_point!("move::finish.before", |_| Err(MoveError::failpoint("move::finish.before")));
        let reconciled = left_behind.is_empty() && tables.iter().all(TableResult::in_order);
        let before = outcome(self.workspace, id).await?;
        let outcome = Outcome {
            left_behind: left_behind.to_vec(),
            held_back_seconds: before.held_back_seconds + held,
            tries: before.tries,
            ..Outcome::default()
        };
        let mut tx = self.workspace.state().begin().await?;
        tx.set_run_status(id, RunStatus::Done).await?;
        tx.set_run_outcome(id, &serde_json::to_value(&outcome).unwrap_or_default()).await?;
        tx.enter(self.entry(Body::RunFinished { run: id.to_owned(), reconciled })).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// What a run has come to so far besides its tables.
///
/// # Errors
/// Those of the state.
pub async fn outcome(workspace: &Workspace, id: &str) -> Result<Outcome> {
    let kept = workspace.state().run_outcome(id).await?;
    // One that an older dunlin wrote, in other words, tells nothing.
    Ok(kept.and_then(|kept| serde_json::from_value(kept).ok()).unwrap_or_default())
}
