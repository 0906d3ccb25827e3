//! One run at work: waiting for its window, moving, and telling how far it is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dunlin_ledger::{Actor, Body, Counts, Entry};
use dunlin_move::{
    Event, MoveError, Pause, PauseReason, Rehearsal, Retries, RunOptions, RunSummary, TableResult, parts_of,
};
use dunlin_server::{EngineError, Progress, Rehearsed, TableProgress};
use dunlin_store::{SplitStatus, StoreError, Workspace, now_us};
use jiff::Timestamp;
use tokio::sync::{Notify, broadcast, oneshot};

use super::queue::Queued;
use super::{moved, state, unfinished};
use crate::commands::publish::before_the_move;
use crate::lineage::{Lineage, Stage, ending};
use crate::workspace::PlanFile;

/// How often progress is told.
const TELL: Duration = Duration::from_millis(500);
/// How long a run may take to come to a place where it can go on, when the server ends.
const LAST_SPLITS: Duration = Duration::from_secs(60);

/// A run at work in this server.
pub(super) struct Work {
    pub(super) run: String,
    is_rehearsal: bool,
    fingerprint: String,
    actor: Actor,
    begun_at: i64,
    workspace: Arc<Workspace>,
    progress: broadcast::Sender<Progress>,
    pause: Pause,
    /// Wakes the wait for a window.
    wake: Notify,
    ended: Notify,
    over: AtomicBool,
    /// Whether the mover has come to its first table.
    loading: AtomicBool,
    rows: AtomicU64,
    now: Mutex<Now>,
}

/// What is known without asking the state.
struct Now {
    status: &'static str,
    phase: String,
    waits_until: Option<i64>,
    /// Rows that each table is thought to have.
    expected: BTreeMap<String, u64>,
    began: Instant,
    /// Rows and moment of the last time that progress was told, for the rate.
    told: (u64, Instant),
    rate: f64,
    started: Option<oneshot::Sender<Result<(), EngineError>>>,
    /// Told when the mover has begun, or goes on.
    begun: Option<oneshot::Sender<()>>,
    /// When it ended, and what each table came to; of a rehearsal, which leaves no record.
    ended_at: Option<i64>,
    results: Vec<TableResult>,
}

impl Work {
    pub(super) fn new(
        queued: &Queued,
        workspace: Arc<Workspace>,
        progress: broadcast::Sender<Progress>,
    ) -> Work {
        let began = Instant::now();
        let now = Now {
            status: "waiting",
            phase: "begin".to_owned(),
            waits_until: None,
            expected: BTreeMap::new(),
            began,
            told: (0, began),
            rate: 0.0,
            started: None,
            begun: None,
            ended_at: None,
            results: Vec::new(),
        };
        Work {
            is_rehearsal: queued.rehearse,
            fingerprint: queued.fingerprint.clone(),
            actor: queued.actor.clone(),
            begun_at: now_us(),
            run: queued.run.clone(),
            workspace,
            progress,
            pause: Pause::default(),
            wake: Notify::new(),
            ended: Notify::new(),
            over: AtomicBool::new(false),
            loading: AtomicBool::new(false),
            rows: AtomicU64::new(0),
            now: Mutex::new(now),
        }
    }

    /// Whether nothing more will happen.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it in the background; returns when the run is in the ledger, or waits for its window.
    pub(super) async fn start(self: Arc<Self>, plan: PlanFile, queued: Queued) -> Result<(), EngineError> {
        let (started, answer) = oneshot::channel();
        self.now().started = Some(started);
        let teller = tokio::spawn(self.clone().tell_on());
        let work = self.clone();
        tokio::spawn(async move {
            let outcome = work.whole(plan, queued).await;
            teller.abort();
            work.end(outcome).await;
        });
        answer.await.unwrap_or(Err(EngineError::Failed))
    }

    fn answer(&self, outcome: Result<(), EngineError>) {
        if let Some(started) = self.now().started.take() {
            // Who asked may have left: the run goes on.
            let _ = started.send(outcome);
        }
    }

    async fn whole(self: &Arc<Self>, plan: PlanFile, queued: Queued) -> Result<(), EngineError> {
        if !queued.rehearse {
            self.told(&plan, &queued, true).await?;
            self.window(&plan, &queued).await?;
            // A notice may have been withdrawn while the run waited.
            self.told(&plan, &queued, false).await?;
            // One that was taken up again may have found nothing more to wait for.
            Queued::forget(self.workspace.state()).await.map_err(state)?;
        }
        self.now().status = "running";
        let mut options = plan.options(queued.jobs.map(usize::from));
        options.actor = queued.actor.clone();
        options.tables = queued.table.iter().cloned().collect();
        options.rehearsal = queued.rehearse.then_some(Rehearsal::Nowhere);
        options.unfinished = unfinished(&queued);
        options.id = Some(self.run.clone());
        options.pause = self.pause.clone();
        if queued.rehearse {
            // A rehearsal into nowhere has no place in the state to wait for.
            self.answer(Ok(()));
        }
        let mut retries = Retries::new(queued.retry);
        let outcome = loop {
            let window = plan.plan.window.as_ref().filter(|_| !queued.rehearse);
            self.pause
                .closes_at(window.and_then(|w| w.closes(Timestamp::now())).map(Timestamp::as_microsecond));
            let outcome = self.moving(&plan, &options).await;
            let closed = self.pause.reason() == Some(PauseReason::WindowClosed);
            if let Err(error) = &outcome
                && let Some(wait) = self.next_try(&mut retries, error).await?
            {
                self.rest(&queued, wait).await?;
            } else if !(closed && matches!(outcome, Err(MoveError::Paused))) {
                break outcome;
            }
            self.now().status = "waiting";
            self.window(&plan, &queued).await?;
            self.told(&plan, &queued, false).await?;
            self.now().status = "running";
        };
        if let (true, Ok(summary)) = (queued.rehearse, &outcome) {
            self.now().results.clone_from(&summary.tables);
        }
        if let (Ok(summary), true) = (&outcome, queued.rehearse) {
            self.rehearsed(&queued, summary).await.map_err(state)?;
        }
        outcome.map(|_| ()).map_err(|error| match error {
            MoveError::Paused => {
                EngineError::Conflict { message: "the run is paused".to_owned(), help: None }
            }
            other => moved(other),
        })
    }

    /// How long to wait before it goes on by itself, where it does.
    async fn next_try(
        &self,
        retries: &mut Retries,
        error: &MoveError,
    ) -> Result<Option<Duration>, EngineError> {
        let loading = self.loading.load(Ordering::Relaxed) && !self.is_rehearsal;
        let wait =
            retries.next(&self.workspace, &self.actor, &self.run, error, loading).await.map_err(moved)?;
        if let Some(wait) = wait {
            let (tries, most) = retries.counted();
            tracing::warn!(run = %self.run, %error, "going on in {} s (try {tries} of {most})", wait.as_secs());
        }
        Ok(wait)
    }

    /// Waits before it goes on by itself, also over the server's end; given up when somebody pauses the run.
    async fn rest(&self, queued: &Queued, wait: Duration) -> Result<(), EngineError> {
        let kept = self.workspace.state();
        // The run has begun: it goes on by its own plan.
        let again = Queued { resume: Some(self.run.clone()), ..queued.clone() };
        again.keep(kept).await.map_err(state)?;
        {
            let mut now = self.now();
            (now.status, now.phase) = ("waiting", "retry".to_owned());
            now.waits_until =
                Some(now_us().saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)));
        }
        let woken = tokio::time::timeout(wait, self.wake.notified()).await.is_ok();
        self.now().waits_until = None;
        if woken {
            return Err(given_up());
        }
        Queued::forget(kept).await.map_err(state)
    }

    /// One go of the mover, told to whoever `server.toml` names.
    async fn moving(
        self: &Arc<Self>,
        plan: &PlanFile,
        options: &RunOptions,
    ) -> Result<RunSummary, MoveError> {
        let moving = dunlin_move::run(&self.workspace, &plan.plan, options, self.clone());
        let lineage = match Lineage::of_server(&self.workspace.dir) {
            Ok(Some(lineage)) if !self.is_rehearsal => lineage,
            Ok(_) => return moving.await,
            Err(_) => {
                tracing::warn!(run = %self.run, "lineage: `server.toml` cannot be read, so nothing of this run is told");
                return moving.await;
            }
        };
        let (sender, begins) = oneshot::channel();
        self.now().begun = Some(sender);
        let moving = async {
            let outcome = moving.await;
            // One that never began is not waited for.
            self.now().begun = None;
            outcome
        };
        let start = async {
            let begun = begins.await.is_ok();
            if begun {
                self.tell_lineage(&lineage, plan, Stage::Start, &[]).await;
            }
            begun
        };
        let (outcome, begun) = tokio::join!(moving, start);
        if begun {
            let (stage, tables) = ending(&outcome);
            self.tell_lineage(&lineage, plan, stage, tables).await;
        }
        outcome
    }

    async fn tell_lineage(&self, lineage: &Lineage, plan: &PlanFile, stage: Stage, tables: &[TableResult]) {
        let told = lineage.tell(&self.workspace, &plan.plan, &self.run, stage, tables).await;
        if let Err(why) = told {
            tracing::warn!(run = %self.run, "{why}");
        }
    }

    /// A rehearsal leaves nothing but the word that it was, and what it counted.
    async fn rehearsed(&self, queued: &Queued, summary: &RunSummary) -> Result<(), StoreError> {
        let mut tx = self.workspace.state().begin().await?;
        for table in &summary.tables {
            let counts = Counts {
                source_rows: table.source_rows,
                loaded: table.loaded,
                merged: table.merged,
                quarantined: table.quarantined,
                excluded: table.excluded,
                erased: table.erased,
            };
            let (label, reconciled) = (table.table.clone(), counts.balance());
            let fingerprint = queued.fingerprint.clone();
            let body = Body::Rehearsed { table: label, fingerprint, counts, reconciled };
            tx.enter(Entry { at: now_us(), actor: queued.actor.clone(), body }).await?;
        }
        tx.commit().await
    }

    async fn end(&self, outcome: Result<(), EngineError>) {
        {
            let mut now = self.now();
            now.status = match &outcome {
                Ok(()) => "done",
                Err(EngineError::Conflict { .. }) => "paused",
                Err(_) => "stopped",
            };
            now.waits_until = None;
            now.ended_at = Some(now_us());
        }
        if let Err(error) = &outcome {
            tracing::info!(run = %self.run, %error, "a run ended before its end");
        }
        self.answer(outcome);
        self.tell().await;
        self.over.store(true, Ordering::Release);
        self.ended.notify_waiters();
    }

    /// Refuses a move of which customers were not told, or enters why it moves all the same.
    async fn told(&self, plan: &PlanFile, queued: &Queued, first: bool) -> Result<(), EngineError> {
        if queued.now.is_some() && !first {
            return Ok(());
        }
        let reason = queued.now.as_ref().map(|(category, text)| (category.as_str(), text.as_str()));
        let state_of = self.workspace.state();
        let found = before_the_move(state_of, &self.workspace.dir, &plan.plan, reason, &queued.actor).await;
        match found.map_err(state)?.first() {
            None => Ok(()),
            Some(one) => Err(EngineError::Refused {
                code: "notice_not_published",
                message: one.to_string(),
                help: Some("publish it under Notices, or start the run with a reason".to_owned()),
            }),
        }
    }

    /// Waits for the plan's window, or enters why it does not.
    async fn window(&self, plan: &PlanFile, queued: &Queued) -> Result<(), EngineError> {
        let Some(window) = &plan.plan.window else { return Ok(()) };
        if window.is_open(Timestamp::now()) {
            return Ok(());
        }
        let kept = self.workspace.state();
        if let Some((category, text)) = &queued.now {
            return overridden(self, queued, category, text).await.map_err(state);
        }
        queued.keep(kept).await.map_err(state)?;
        while !window.is_open(Timestamp::now()) {
            let opens = window.next_open(Timestamp::now());
            self.now().waits_until = Some(opens.as_microsecond());
            self.answer(Ok(()));
            let wait = opens.duration_since(Timestamp::now()).unsigned_abs();
            let nap = wait.clamp(Duration::from_millis(50), Duration::from_secs(30));
            tokio::select! {
                () = tokio::time::sleep(nap) => {}
                () = self.wake.notified() => return Err(given_up()),
            }
        }
        self.now().waits_until = None;
        super::queue::Queued::forget(kept).await.map_err(state)
    }

    /// What is remembered of it, when it is a rehearsal.
    pub(super) fn rehearsal(&self) -> Option<Rehearsed> {
        let now = self.now();
        self.is_rehearsal.then(|| Rehearsed {
            run: self.run.clone(),
            fingerprint: self.fingerprint.clone(),
            status: now.status.to_owned(),
            started_at: self.begun_at,
            ended_at: now.ended_at,
            actor: self.actor.clone(),
            tables: now.results.iter().map(super::runs::rehearsed).collect(),
        })
    }

    /// Pauses it, on this person's word.
    pub(super) async fn pause(&self, actor: Actor) -> Result<(), EngineError> {
        let waiting = self.now().waits_until.is_some();
        if waiting {
            Queued::forget(self.workspace.state()).await.map_err(state)?;
            self.wake.notify_one();
        }
        self.pause.ask(actor);
        Ok(())
    }

    /// The server ends: what waits stays queued, what moves comes to a place where it can go on.
    pub(super) async fn stop(&self) {
        let ended = self.ended.notified();
        tokio::pin!(ended);
        ended.as_mut().enable();
        if self.is_over() {
            return;
        }
        self.wake.notify_one();
        self.pause.ask(Actor::System);
        let _ = tokio::time::timeout(LAST_SPLITS, ended).await;
    }

    async fn tell_on(self: Arc<Self>) {
        let mut tick = tokio::time::interval(TELL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.tell().await;
        }
    }

    async fn tell(&self) {
        match self.progress().await {
            // Nobody watches: nobody is told.
            Ok(progress) => drop(self.progress.send(progress)),
            Err(error) => tracing::warn!(%error, "a run's progress could not be read"),
        }
    }

    /// How far it is, by the receipts that the state has and the rows that went by since.
    pub(super) async fn progress(&self) -> Result<Progress, StoreError> {
        let tables = self.tables().await?;
        let rows = self.rows.load(Ordering::Relaxed);
        let mut now = self.now();
        let since = now.told.1.elapsed().as_secs_f64();
        if since >= TELL.as_secs_f64() {
            now.rate = rows.saturating_sub(now.told.0) as f64 / since;
            now.told = (rows, Instant::now());
        }
        let rate =
            if now.status == "running" { now.rate } else { rows as f64 / now.began.elapsed().as_secs_f64() };
        Ok(Progress {
            run: self.run.clone(),
            status: now.status.to_owned(),
            phase: now.phase.clone(),
            rows,
            rows_expected: (!now.expected.is_empty()).then(|| now.expected.values().sum()),
            rows_per_second: rate,
            tables,
            waits_until: now.waits_until,
        })
    }

    async fn tables(&self) -> Result<Vec<TableProgress>, StoreError> {
        let kept = self.workspace.state();
        let mut tables = Vec::new();
        for (table, _) in kept.tables(&self.run).await? {
            let splits = kept.splits(&self.run, &table).await?;
            let done = splits.iter().filter(|s| s.status == SplitStatus::Loaded).count();
            let mut counts = Counts::default();
            for part in parts_of(kept, &self.run, &table).await.unwrap_or_default() {
                let (read, d) = (part.receipt.source, part.receipt.dispositions);
                counts.add(&Counts {
                    source_rows: read.rows,
                    loaded: d.loaded.rows,
                    merged: d.merged.rows,
                    quarantined: d.quarantined.rows,
                    excluded: d.excluded.rows,
                    erased: d.erased.rows,
                });
            }
            tables.push(TableProgress {
                table,
                splits_done: u32::try_from(done).unwrap_or(u32::MAX),
                splits: u32::try_from(splits.len()).unwrap_or(u32::MAX),
                counts,
                reconciled: None,
            });
        }
        Ok(tables)
    }
}

impl dunlin_move::Observer for Work {
    fn event(&self, event: Event<'_>) {
        let begun = matches!(event, Event::Table { .. } | Event::Step { .. });
        self.loading.fetch_or(begun, Ordering::Relaxed);
        match event {
            Event::Run { .. } => {
                self.answer(Ok(()));
                if let Some(begun) = self.now().begun.take() {
                    // Nobody listens any more only when the run is over.
                    let _ = begun.send(());
                }
                self.now().phase = "load".to_owned();
            }
            Event::Table { table, rows_estimate, .. } => {
                let mut now = self.now();
                now.phase = "load".to_owned();
                if let Some(rows) = rows_estimate {
                    now.expected.insert(table.to_owned(), rows);
                }
            }
            Event::Rows { rows, .. } => {
                self.rows.fetch_add(rows, Ordering::Relaxed);
            }
            Event::Step { step, .. } => {
                let phase = if step == "read the target again" { "reconcile" } else { "settle" };
                self.now().phase = phase.to_owned();
            }
            Event::Held { why } => {
                if let Some(why) = why {
                    tracing::info!(run = %self.run, "the source is busy, reading waits: {why}");
                }
                self.now().phase = if why.is_some() { "held" } else { "load" }.to_owned();
            }
            Event::Warning { table, message } => {
                tracing::warn!(run = %self.run, table, "{message}");
            }
        }
    }
}

fn given_up() -> EngineError {
    EngineError::Conflict { message: "the wait was given up".to_owned(), help: None }
}

/// Enters that the window did not count, and why.
async fn overridden(work: &Work, queued: &Queued, category: &str, text: &str) -> Result<(), StoreError> {
    let mut tx = work.workspace.state().begin().await?;
    let reason_hash = tx.keep_text(text).await?;
    let (run, reason_category) = (queued.fingerprint.clone(), category.to_owned());
    let body = Body::WindowOverridden { run, reason_category, reason_hash };
    tx.enter(Entry { at: now_us(), actor: queued.actor.clone(), body }).await?;
    tx.commit().await
}
