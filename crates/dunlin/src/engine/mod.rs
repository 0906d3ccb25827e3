//! The server's engine: runs that go on when the client leaves, over the same mover as the command line.
//!
//! It is: starting, pausing, resuming and watching runs of this workspace, the plan held against its stores,
//! quarantined rows under seal, and who else is connected to the stores. It is not: who may ask for any of that, which
//! the server decides before it asks here, nor the moving itself (`dunlin-move`).

mod customers;
mod data;
mod duplicates;
mod outside;
mod queue;
mod rows;
mod runs;
mod survey;
mod verify;
mod work;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use dunlin_gate::{ColumnInfo, Rows, Sealed, SealedStream};
use dunlin_ledger::Actor;
use dunlin_move::{DecideOptions, Decision, MoveError, Stores, Unfinished};
use dunlin_server::{
    Decide, Decided, DecisionWord, Engine, EngineError, FindingJson, Profiled, Progress, QuarantineAsk,
    QuarantineRows, Rehearsed, ReportFiles, RunTable, RunUndone, ShowError, Side, StartRun, Through,
    Verification, WouldDecide,
};
use dunlin_store::{RunRecord, StoreError, Workspace};
use outside::Connections;
use tokio::sync::broadcast;

use crate::failure::Failure;
use crate::workspace::PlanFile;
use queue::Queued;
pub use rows::{Waiting, tried, waiting};
use work::Work;

/// Runs, quarantine and stores of one workspace, for the server. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct MoveEngine {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    workspace: Arc<Workspace>,
    /// The run at work or waiting for its window. One at a time: a workspace has one lock for its runs.
    work: Mutex<Option<Arc<Work>>>,
    progress: broadcast::Sender<Progress>,
    verifications: Arc<verify::Verifications>,
    /// Whose turn it is with the workspace's lock, which does not wait: looks at duplicates and decisions on them hold it
    /// until their end, what else takes the lock until it has begun.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The plan held against its packs, as it last came out. Whoever works it out keeps the others waiting.
    packs: tokio::sync::Mutex<Option<HeldPacks>>,
}

/// A plan held against its packs, for a while: the whole ledger is verified for it.
struct HeldPacks {
    /// Of which plan's text, of how many entries of the ledger, of which day.
    of: (String, u64, String),
    since: std::time::Instant,
    matrix: serde_json::Value,
}

/// So long a matrix is shown again while nothing is entered: stores may change behind it.
const PACKS_HELD: std::time::Duration = std::time::Duration::from_secs(60);

impl MoveEngine {
    /// The engine of a workspace.
    pub fn new(workspace: Arc<Workspace>) -> MoveEngine {
        let dir = workspace.dir.clone();
        let inner = Inner {
            dir,
            workspace,
            work: Mutex::default(),
            progress: broadcast::channel(256).0,
            verifications: Arc::default(),
            turn: Arc::default(),
            packs: tokio::sync::Mutex::default(),
        };
        MoveEngine { inner: Arc::new(inner) }
    }

    /// Takes up what waited for its window when the server last ended.
    ///
    /// # Errors
    /// Those of the state. A queued run that cannot be taken up any more is forgotten, and said in the log.
    pub async fn take_up(&self) -> Result<(), StoreError> {
        let Some(queued) = Queued::read(self.inner.workspace.state()).await? else { return Ok(()) };
        let started = match self.plan_of(queued.resume.as_deref()).await {
            Ok(plan) if plan.plan.fingerprint().to_string() == queued.fingerprint => {
                self.begin(plan, queued).await
            }
            Ok(_) => Err(refused("plan_changed", "the plan has changed since the run was asked for", None)),
            Err(error) => Err(error),
        };
        if let Err(error) = started {
            tracing::warn!(%error, "a run that waited for its window was not taken up");
            Queued::forget(self.inner.workspace.state()).await?;
        }
        Ok(())
    }

    fn plan(&self) -> Result<PlanFile, EngineError> {
        PlanFile::read(&self.inner.dir).map_err(told)
    }

    /// The plan as it is, or the one that a run was begun with.
    async fn plan_of(&self, run: Option<&str>) -> Result<PlanFile, EngineError> {
        match run {
            None => self.plan(),
            Some(id) => {
                let record = self.record(id).await?;
                PlanFile::of(&self.inner.dir, record.plan_text).map_err(told)
            }
        }
    }

    async fn record(&self, id: &str) -> Result<RunRecord, EngineError> {
        self.inner.workspace.state().run(id).await.map_err(|e| match e {
            StoreError::Unknown { .. } => EngineError::Unknown("run"),
            other => state(other),
        })
    }

    /// The newest work, over or not.
    fn last(&self) -> Option<Arc<Work>> {
        self.inner.work.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn at_work(&self) -> Option<Arc<Work>> {
        self.last().filter(|w| !w.is_over())
    }

    fn working_on(&self, run: &str) -> Option<Arc<Work>> {
        self.at_work().filter(|w| w.run == run)
    }

    /// Begins the work, and returns once it is under way or waits.
    async fn begin(&self, plan: PlanFile, queued: Queued) -> Result<String, EngineError> {
        // A look at duplicates that is under way comes to its end first; one that waits is refused then.
        let _turn = self.inner.turn.lock().await;
        let work = {
            let mut at_work = self.inner.work.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(other) = at_work.as_ref().filter(|w| !w.is_over()) {
                return Err(EngineError::Conflict {
                    message: format!("run {} is at work", other.run),
                    help: Some("wait for its end, or pause it".to_owned()),
                });
            }
            let work =
                Arc::new(Work::new(&queued, self.inner.workspace.clone(), self.inner.progress.clone()));
            *at_work = Some(work.clone());
            work
        };
        work.clone().start(plan, queued).await?;
        Ok(work.run.clone())
    }
}

#[async_trait]
impl Engine for MoveEngine {
    async fn start(&self, ask: StartRun, actor: Actor) -> Result<String, EngineError> {
        let plan = self.plan()?;
        let fingerprint = plan.plan.fingerprint().to_string();
        if ask.fingerprint != fingerprint {
            let help = "read the plan again and start what it is now";
            return Err(refused("plan_changed", "the plan is not the one that you have read", Some(help)));
        }
        if ask.retry > StartRun::RETRY_MAX {
            let most = format!("a run goes on by itself at most {} times", StartRun::RETRY_MAX);
            return Err(refused("retry", &most, Some("ask for fewer")));
        }
        if let Some(table) = &ask.table
            && !plan.plan.tables.iter().any(|t| t.label() == *table)
        {
            return Err(EngineError::Unknown("table"));
        }
        if !ask.rehearse {
            crate::comply::allow_load(&self.inner.workspace, &plan).await.map_err(told)?;
        }
        let unfinished = self.inner.workspace.state().unfinished_runs().await.map_err(state)?;
        let run =
            unfinished.into_iter().find(|r| r.fingerprint == fingerprint && !ask.rehearse).map(|r| r.id);
        let queued = Queued {
            run: run.unwrap_or_else(dunlin_store::new_id),
            fingerprint,
            resume: None,
            rehearse: ask.rehearse,
            table: ask.table,
            jobs: ask.jobs,
            retry: u32::from(ask.retry),
            now: ask.now.map(|reason| (reason.category, reason.text)),
            actor,
        };
        self.begin(plan, queued).await
    }

    async fn pause(&self, run: &str, actor: Actor) -> Result<(), EngineError> {
        match self.working_on(run) {
            Some(work) => work.pause(actor).await,
            None => {
                let record = self.record(run).await?;
                Err(EngineError::Conflict {
                    message: format!("the run is {}, not at work in this server", record.status.as_str()),
                    help: Some("a run at a shell is paused there, by Ctrl-C".to_owned()),
                })
            }
        }
    }

    async fn resume(&self, run: &str, actor: Actor) -> Result<(), EngineError> {
        let record = self.record(run).await?;
        if record.status.is_over() {
            return Err(EngineError::Conflict {
                message: format!("the run is {}", record.status.as_str()),
                help: Some("start a new one".to_owned()),
            });
        }
        let plan = self.plan_of(Some(run)).await?;
        let queued = Queued {
            run: record.id.clone(),
            fingerprint: record.fingerprint,
            resume: Some(record.id),
            rehearse: false,
            table: None,
            jobs: u16::try_from(record.jobs).ok().filter(|j| *j > 0),
            retry: u32::from(StartRun::default().retry),
            now: None,
            actor,
        };
        self.begin(plan, queued).await.map(|_| ())
    }

    async fn progress(&self, run: &str) -> Result<Option<Progress>, EngineError> {
        match self.working_on(run) {
            Some(work) => work.progress().await.map(Some).map_err(state),
            None => Ok(None),
        }
    }

    fn watch(&self) -> broadcast::Receiver<Progress> {
        self.inner.progress.subscribe()
    }

    async fn check(&self, text: &str) -> Result<Vec<FindingJson>, EngineError> {
        let plan = match PlanFile::of(&self.inner.dir, text.to_owned()) {
            Ok(plan) => plan,
            Err(Failure::Findings(found)) => {
                return Ok(found.items.iter().map(|f| f.to_json(&found.file, &found.text)).collect());
            }
            Err(other) => return Err(told(other)),
        };
        let (items, ..) = crate::commands::check::findings(&plan).await.map_err(told)?;
        Ok(items.iter().map(|f| f.to_json(&plan.file, &plan.text)).collect())
    }

    async fn identities(&self) -> Result<BTreeMap<String, String>, EngineError> {
        let plan = self.plan()?;
        let stores = Stores::open(&plan.plan, &plan.dir).await.map_err(moved)?;
        stores.identities().await.map_err(moved)
    }

    async fn quarantined(&self, ask: QuarantineAsk) -> Result<QuarantineRows, EngineError> {
        rows::quarantined(&self.inner.workspace, &self.plan()?, &ask).await
    }

    async fn decide(&self, ask: Decide, actor: Actor) -> Result<Decided, EngineError> {
        if let Some(work) = self.at_work() {
            return Err(EngineError::Conflict {
                message: format!("run {} is at work", work.run),
                help: Some("decide when it has come to its end".to_owned()),
            });
        }
        let plan = self.plan()?;
        let decision = decision(&ask)?;
        let mut options = plan.options(None);
        options.actor = actor;
        let which = DecideOptions { groups: ask.groups, table: None, dry_run: false };
        let workspace = self.inner.workspace.clone();
        let turn = self.inner.turn.clone().lock_owned().await;
        // On its own: a client that leaves, or waits no longer, does not stop it half-way.
        let work = tokio::spawn(async move {
            let _turn = turn;
            let silent = Arc::new(|_: dunlin_move::Event<'_>| {});
            dunlin_move::decide(&workspace, &plan.plan, &options, &which, &decision, silent).await
        });
        let done = work.await.map_err(|_| EngineError::Failed)?.map_err(moved)?;
        let rows = done.iter().map(|d| d.released + d.discarded).sum();
        let left = done.iter().flat_map(|d| d.waiting.values()).sum();
        Ok(Decided { rows, left })
    }

    async fn would_decide(&self, ask: Decide) -> Result<WouldDecide, EngineError> {
        let decision = decision(&ask)?;
        let _turn = self.inner.turn.lock().await;
        runs::would_decide(&self.inner.workspace, &self.plan()?, ask.groups, &decision).await
    }

    fn rehearsal(&self, run: &str) -> Option<Rehearsed> {
        self.last().filter(|work| work.run == run).and_then(|work| work.rehearsal())
    }

    async fn run_tables(&self, run: &str) -> Result<Vec<RunTable>, EngineError> {
        if let Some(rehearsal) = self.rehearsal(run) {
            return Ok(rehearsal.tables);
        }
        self.record(run).await?;
        runs::tables(&self.inner.workspace, run).await
    }

    async fn abandon(&self, run: &str, actor: Actor) -> Result<(), EngineError> {
        if let Some(work) = self.working_on(run) {
            work.stop().await;
        }
        let _turn = self.inner.turn.lock().await;
        runs::abandon(&self.inner.workspace, run, actor).await
    }

    async fn undo(&self, run: &str, actor: Actor) -> Result<Vec<RunUndone>, EngineError> {
        let plan = self.plan_of(Some(run)).await?;
        let (workspace, run) = (self.inner.workspace.clone(), run.to_owned());
        let turn = self.inner.turn.clone().lock_owned().await;
        let work = tokio::spawn(async move {
            let _turn = turn;
            runs::undo(&workspace, &plan, &run, actor).await
        });
        work.await.map_err(|_| EngineError::Failed)?
    }

    async fn schema(&self) -> Result<serde_json::Value, EngineError> {
        data::schema(&self.plan()?).await
    }

    async fn columns(&self, table: &str, side: Side) -> Result<Vec<ColumnInfo>, EngineError> {
        data::known(&self.plan()?, table, side).await
    }

    async fn rows(&self, table: &str, side: Side) -> Result<SealedStream, EngineError> {
        data::rows(&self.plan()?, table, side).await
    }

    async fn profile(&self, table: &str, side: Side, through: Through<'_>) -> Result<Profiled, ShowError> {
        data::profile(&self.inner.workspace, &self.plan()?, table, side, through).await
    }

    async fn verify(&self, tables: Vec<String>, actor: Actor) -> Result<String, EngineError> {
        let _turn = self.inner.turn.lock().await;
        self.inner.verifications.begin(self.inner.workspace.clone(), self.plan()?, tables, actor)
    }

    fn verifications(&self) -> Vec<Verification> {
        self.inner.verifications.all()
    }

    async fn differences(
        &self,
        verification: &str,
        table: &str,
        through: Through<'_>,
    ) -> Result<Vec<serde_json::Value>, ShowError> {
        self.inner.verifications.differences(verification, table, through).await
    }

    async fn report(&self) -> Result<ReportFiles, EngineError> {
        let report =
            crate::commands::report::latest(&self.inner.workspace, &self.plan()?).await.map_err(told)?;
        let json = serde_json::to_value(&report).map_err(|_| EngineError::Failed)?;
        Ok(ReportFiles { html: crate::report::render(&report), json })
    }

    async fn unreachable(&self, audience: &str, limit: u32) -> Result<Sealed<Rows>, EngineError> {
        data::unreachable(&self.plan()?, audience, limit).await
    }

    fn pack_rules(&self) -> Vec<String> {
        crate::comply::known_rules()
    }

    async fn packs(&self) -> Result<serde_json::Value, EngineError> {
        let mut held = self.inner.packs.lock().await;
        let plan = self.plan()?;
        let workspace = &self.inner.workspace;
        // What waits to be entered belongs to it.
        workspace.integrate().await.map_err(|error| told(error.into()))?;
        let size = workspace.ledger().map_err(|error| told(error.into()))?.size();
        let of = (plan.text.clone(), size, jiff::Zoned::now().date().to_string());
        if let Some(held) = held.as_ref().filter(|h| h.of == of && h.since.elapsed() < PACKS_HELD) {
            return Ok(held.matrix.clone());
        }
        let matrix = crate::comply::matrix_of(Some(workspace), &plan).await.map_err(told)?;
        let matrix = serde_json::to_value(&matrix).map_err(|_| EngineError::Failed)?;
        *held = Some(HeldPacks { of, since: std::time::Instant::now(), matrix: matrix.clone() });
        Ok(matrix)
    }

    async fn survey(&self) -> Result<Vec<dunlin_server::Surveyed>, EngineError> {
        survey::survey(&self.plan()?).await.map_err(moved)
    }

    fn outside(&self) -> Option<Arc<dyn dunlin_guard::Outside>> {
        Some(Arc::new(Connections::new(self.inner.workspace.clone())))
    }

    fn customers(&self) -> Option<Arc<dyn dunlin_server::Customers>> {
        Some(Arc::new(customers::Subjects::new(self.inner.workspace.clone())))
    }

    fn duplicates(&self) -> Option<Arc<dyn dunlin_server::Duplicates>> {
        Some(Arc::new(duplicates::OfEngine { engine: self.clone() }))
    }

    async fn stop(&self) {
        if let Some(work) = self.at_work() {
            work.stop().await;
        }
    }
}

/// The decision that is asked for.
fn decision(ask: &Decide) -> Result<Decision, EngineError> {
    match ask.decision {
        DecisionWord::Release => Ok(Decision::Release),
        DecisionWord::Discard => Ok(Decision::Discard),
        DecisionWord::Fix if ask.fix.is_empty() => {
            Err(refused("no_fix", "a fix needs at least one column and its expression", None))
        }
        DecisionWord::Fix => Ok(Decision::Fix(ask.fix.clone().into_iter().collect())),
    }
}

/// A refusal.
fn refused(code: &'static str, message: &str, help: Option<&str>) -> EngineError {
    EngineError::Refused { code, message: message.to_owned(), help: help.map(str::to_owned) }
}

/// What the state says is for the log; nobody outside can mend it.
fn state(error: StoreError) -> EngineError {
    tracing::error!(%error, "dunlin's own state failed");
    EngineError::Failed
}

/// What the mover says, in the server's words.
fn moved(error: MoveError) -> EngineError {
    let (message, help) = (error.to_string(), error.help());
    match error {
        MoveError::Refused { code, .. } => EngineError::Refused { code, message, help },
        MoveError::Findings(_) => {
            let help = help.or_else(|| Some("`check` names each".to_owned()));
            EngineError::Refused { code: "findings", message, help }
        }
        MoveError::Stopped { .. } => EngineError::Refused { code: "stopped", message, help },
        MoveError::Partly { .. } => EngineError::Refused { code: "partly", message, help },
        MoveError::State(StoreError::RunLocked { .. }) => EngineError::Conflict {
            message:
                "the workspace is in use: a run, a verification, or a look at duplicates or quarantine, \
                 here or in another process"
                    .to_owned(),
            help: Some("try again when it has come to its end".to_owned()),
        },
        MoveError::Connect(error) if error.is_transient() => {
            tracing::warn!(%error, "a store failed");
            EngineError::Store { store: error.store().to_owned() }
        }
        // Its words name store, table and act, and how to mend it; never a value.
        MoveError::Connect(_) => EngineError::Refused { code: "store", message, help },
        other => {
            tracing::error!(error = %other, "the engine failed");
            EngineError::Failed
        }
    }
}

/// What a command would have ended with, in the server's words.
fn told(failure: Failure) -> EngineError {
    match failure {
        Failure::Findings(found) => {
            let message = format!("the plan has {} mistakes", found.items.len());
            EngineError::Refused {
                code: "plan_invalid",
                message,
                help: Some("`check` names each".to_owned()),
            }
        }
        Failure::Move(error) => moved(error),
        Failure::State(error) => state(error),
        Failure::Refused { message, help, .. } => EngineError::Refused { code: "refused", message, help },
    }
}

/// The mover's way to go on with a run, or to begin one.
fn unfinished(queued: &Queued) -> Unfinished {
    queued.resume.clone().map_or(Unfinished::Refuse, Unfinished::Resume)
}
