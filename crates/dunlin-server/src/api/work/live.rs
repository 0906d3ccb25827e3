//! Keeps work in step with the ledger, the plan and its stores, and tells clients and webhooks of what changes.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use dunlin_guard::Action;
use dunlin_ledger::{Actor, Body, Entry};
use dunlin_plan::{Role, TablePlan};
use dunlin_work::{By, Drafted, Status, TableFacts, Told, WorkError};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use super::desk::workers;
use super::post::tell_hooks;
use crate::app::App;
use crate::problem::Problem;

/// How often the ledger is looked at.
const EVERY: Duration = Duration::from_millis(300);
/// How often the plan's file is.
const PLAN_EVERY: Duration = Duration::from_secs(2);
/// How often the stores are asked for their columns, when the plan stays the same.
const SURVEY_EVERY: Duration = Duration::from_secs(15 * 60);
/// How long the stores may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Entries that are read at a time.
const BATCH: usize = 2000;
/// Without a sign, a person is no longer on a row.
const HERE_FOR: Duration = Duration::from_secs(120);

/// Starts what work needs of a server.
pub(crate) fn start(app: &App) -> Vec<JoinHandle<()>> {
    vec![
        tokio::spawn(follow(app.clone())),
        tokio::spawn(pass_on(app.clone())),
        tokio::spawn(forecast(app.clone())),
        tokio::spawn(measure(app.clone())),
    ]
}

/// What the follower remembers between two looks.
#[derive(Default)]
struct Known {
    plan: Option<String>,
    looked: Option<Instant>,
    surveyed: Option<Instant>,
}

async fn follow(app: App) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known = Known::default();
    loop {
        tick.tick().await;
        if let Err(problem) = absorb(&app).await {
            tracing::error!(code = problem.code, "work could not follow the ledger");
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        if let Err(error) = follow_plan(&app, &mut known).await {
            tracing::error!(%error, "work could not follow the plan");
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }
}

/// Takes up what the ledger has got since. Handlers call it too, so that an answer shows what it did.
pub(super) async fn absorb(app: &App) -> Result<(), Problem> {
    let work = &app.desk.work;
    let mut tables = BTreeSet::new();
    loop {
        let from = work.next_entry();
        if app.desk.ledger.size().await? > from {
            let entries = app.desk.ledger.entries(from, BATCH).await?;
            if !entries.is_empty() {
                tables.extend(entries.iter().filter_map(|(_, e)| waits(e.as_ref()?)));
                work.absorb(&entries).await?;
                continue;
            }
        }
        // Only once all is read: until then the ledger may say of these rows what they are.
        let seen: Vec<String> = std::mem::take(&mut tables).into_iter().collect();
        if seen.is_empty() || !work.enter_waiting(&seen).await? {
            return Ok(());
        }
        absorb_now(app).await?;
        redraft(app).await?;
    }
}

/// The table whose rows that wait may be others after this entry.
fn waits(entry: &Entry) -> Option<String> {
    match &entry.body {
        Body::TableReconciled { table, .. }
        | Body::QuarantineDecided { table, .. }
        | Body::SplitAmended { table, .. }
        | Body::Undone { table, .. } => Some(table.clone()),
        _ => None,
    }
}

async fn follow_plan(app: &App, known: &mut Known) -> Result<(), WorkError> {
    if known.looked.is_some_and(|at| at.elapsed() < PLAN_EVERY) {
        return Ok(());
    }
    known.looked = Some(Instant::now());
    let Ok(file) = crate::plan::read(&app.workspace.dir) else { return Ok(()) };
    let mark = crate::plan::etag(&file.text);
    let same = known.plan.as_ref() == Some(&mark);
    if same && known.surveyed.is_some_and(|at| at.elapsed() < SURVEY_EVERY) {
        return Ok(());
    }
    known.surveyed = Some(Instant::now());
    if !same {
        app.desk.set_plan(file.plan.ok());
        if let Ok(people) = workers(&app.guard).await {
            let organisation = |w: dunlin_work::Worker| Some((w.id, w.organisation?));
            app.desk.work.know_organisations(people.into_iter().filter_map(organisation).collect());
        }
        // At once by the plan alone: the stores may take their time.
        enter(app, without_stores(app)).await?;
        known.plan = Some(mark);
    }
    let facts = survey(app).await;
    enter(app, facts).await
}

/// What the plan alone says of its tables; of the stores' columns, what was known before.
fn without_stores(app: &App) -> Vec<TableFacts> {
    let plan = app.desk.plan();
    plan.iter().flat_map(|p| &p.tables).map(TableFacts::of).collect()
}

/// The plan's tables with their stores' columns, as far as the stores answer.
pub(super) async fn survey(app: &App) -> Vec<TableFacts> {
    let mut facts = without_stores(app);
    if facts.is_empty() {
        return facts;
    }
    let asked = tokio::time::timeout(PATIENCE, app.engine.survey()).await;
    match asked {
        Ok(Ok(surveyed)) => {
            for fact in &mut facts {
                let Some(found) = surveyed.iter().find(|s| s.label == fact.label) else { continue };
                fact.schema = Some(found.schema.clone());
                fact.undecided = Some(found.undecided.clone());
                fact.rows = found.rows;
            }
        }
        Ok(Err(error)) => tracing::warn!(%error, "the stores' columns are not known"),
        Err(_) => tracing::warn!("the stores' columns are not known: they took too long"),
    }
    facts
}

async fn enter(app: &App, facts: Vec<TableFacts>) -> Result<(), WorkError> {
    let Some(plan) = app.desk.plan() else { return Ok(()) };
    let fingerprint = plan.fingerprint().to_string();
    let changed = app.desk.work.enter_tables(&fingerprint, &facts).await?;
    app.desk.set_facts(facts);
    if changed {
        if let Err(problem) = absorb_now(app).await {
            tracing::error!(code = problem.code, "work could not follow the ledger");
        }
        redraft(app).await?;
    }
    Ok(())
}

/// As [`absorb`], without what follows from it.
async fn absorb_now(app: &App) -> Result<(), Problem> {
    let from = app.desk.work.next_entry();
    let entries = app.desk.ledger.entries(from, BATCH).await?;
    Ok(app.desk.work.absorb(&entries).await?)
}

/// Drafts again where somebody has had the tasks drafted before.
async fn redraft(app: &App) -> Result<(), WorkError> {
    let was_drafted = app.desk.work.board().tasks().any(|t| t.draft_key().is_some());
    if was_drafted {
        draft(app, &By::dunlin()).await?;
    }
    Ok(())
}

/// Drafts the tasks of the plan as it is.
pub(super) async fn draft(app: &App, by: &By) -> Result<Option<Drafted>, WorkError> {
    let Some(plan) = app.desk.plan() else { return Ok(None) };
    let workers = workers(&app.guard).await.unwrap_or_default();
    let drafted = app.desk.work.draft(by, &plan, &app.desk.facts(), &workers).await?;
    Ok(Some(drafted))
}

/// The table of a label.
pub(super) fn table<'a>(plan: &'a dunlin_plan::Plan, label: &str) -> Option<&'a TablePlan> {
    plan.tables.iter().find(|t| t.label() == label)
}

async fn pass_on(app: App) {
    let mut told = app.desk.work.told();
    loop {
        match told.recv().await {
            Ok(Told::Task { task, version, by, change, people }) => {
                let data = json!({ "task": task, "version": version, "by": by, "change": change });
                app.hub.tell("work", Action::WorkReadAll, None, data.clone());
                for person in &people {
                    tell_guest(&app, "work", person, data.clone()).await;
                }
                let body =
                    json!({ "event": "task", "task": task, "version": version, "by": by, "change": change });
                tell_hooks(&app, "task", &body).await;
                end_grants(&app, &task).await;
            }
            Ok(Told::Changed(what)) => {
                app.hub.tell("work", Action::WorkReadAll, None, json!({ "changed": what }));
                if what == "all" {
                    tell_hooks(&app, "task", &json!({ "event": "task", "changed": what })).await;
                }
            }
            Err(RecvError::Lagged(_)) => {
                app.hub.tell("work", Action::WorkReadAll, None, json!({ "changed": "all" }));
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Closes the grants of a task that is done, or gone: what was opened for it stays open no longer than it does.
async fn end_grants(app: &App, id: &str) {
    let names = match app.desk.work.task(id) {
        Ok(task) if task.status == Status::Done || task.gone => {
            vec![id.to_owned(), format!("T-{}", task.number)]
        }
        Ok(_) => return,
        Err(_) => vec![id.to_owned()],
    };
    let closed = async {
        let grants = app.guard.grants().await?;
        for grant in grants.iter().filter(|g| g.closed_at.is_none() && names.contains(&g.task)) {
            app.guard.close_grants_of_task(&Actor::System, &grant.task).await?;
            let data = json!({ "grant": grant.id, "person": grant.person, "change": "closed" });
            app.hub.tell("grant.changed", Action::GrantsRead, Some(&grant.person), data);
        }
        Ok::<(), dunlin_guard::GuardError>(())
    };
    if let Err(error) = closed.await {
        tracing::error!(%error, "the grants of a task that ended could not be closed");
    }
}

/// Tells a guest of what they have a part in; others hear it by their role.
pub(super) async fn tell_guest(app: &App, kind: &'static str, person: &str, data: serde_json::Value) {
    if app.guard.person(person).await.is_ok_and(|p| p.role == Role::Guest) {
        app.hub.tell_only(kind, person, data);
    }
}

/// Works out the risks of deadlines when something has changed, and forgets people who have left without a word.
async fn forecast(app: App) {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known = 0;
    loop {
        tick.tick().await;
        app.desk
            .here
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .retain(|_, h| h.since.elapsed() < HERE_FOR);
        let version = app.desk.work.board().version();
        if version == known {
            continue;
        }
        known = version;
        let planner = app.clone();
        let planned = move || drop(planner.desk.work.board().fresh_plan(planner.desk.today_number()));
        if tokio::task::spawn_blocking(planned).await.is_err() {
            tracing::error!("the schedule could not be worked out");
        }
        match super::ahead::forecast_now(&app, &dunlin_work::WhatIf::default()).await {
            Ok(forecast) => {
                let risks: HashMap<String, f64> =
                    forecast.deadlines.iter().map(|d| (d.task.clone(), d.risk)).collect();
                app.desk.set_risks(risks);
            }
            Err(problem) => tracing::warn!(code = problem.code, "the risks of deadlines are not known"),
        }
    }
}

/// Where the samples of the source's load are kept.
const LOAD: &str = "work_load";

/// Samples the source's load every ten minutes, and keeps what it has.
async fn measure(app: App) {
    let state = app.workspace.state();
    if let Ok(Some(text)) = state.setting(LOAD).await {
        app.desk.set_load(&text);
    }
    let mut tick = tokio::time::interval(Duration::from_secs(600));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first tick is at once; a server that is just starting has other things to do.
    tick.tick().await;
    loop {
        tick.tick().await;
        super::ahead::sample_load(&app).await;
        let kept = async {
            let mut tx = state.begin().await?;
            tx.set_setting(LOAD, &app.desk.load_text()).await?;
            tx.commit().await
        };
        if let Err(error) = kept.await {
            tracing::warn!(%error, "the source's load could not be kept");
        }
    }
}
