//! Runs: started, paused, resumed, watched. They go on when the client leaves.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dunlin_guard::Action;
use dunlin_store::RunRecord;
use serde_json::{Value, json};

use super::people::Made;
use super::{created, done, items, ok};
use crate::app::App;
use crate::engine::{EngineError, StartRun};
use crate::extract::{Json, Path};
use crate::gate::Caller;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.with(watching_routes).with(steering_routes)
}

fn watching_routes(routes: Routes) -> Routes {
    let read = Access::May(Action::RunRead, Target::Workspace);
    routes
        .add(
            Op::new(Method::Get, "/api/v1/runs", read, "runs", "All runs, the newest first")
                .answers_object("`items`: runs"),
            list,
        )
        .add(
            Op::new(
                Method::Get,
                "/api/v1/runs/{run}",
                read,
                "run",
                "One run with its tables and how far it is",
            )
            .answers_object("The run"),
            one,
        )
        .add(
            Op::new(
                Method::Get,
                "/api/v1/runs/{run}/tables",
                read,
                "run_tables",
                "What each table of a run came to, as it is now: dispositions, hashes, splits",
            )
            .answers_object("`items`: tables"),
            tables,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/runs",
                Access::May(Action::RunStart, Target::Plan),
                "run_start",
                "Start a run, or go on with the unfinished one of this fingerprint",
            )
            .takes::<StartRun>()
            .creates::<Made>("The run's id"),
            start,
        )
}

fn steering_routes(routes: Routes) -> Routes {
    routes
        .add(
            Op::new(
                Method::Post,
                "/api/v1/runs/{run}/pause",
                Access::May(Action::RunPause, Target::Workspace),
                "run_pause",
                "Pause a run where it can go on",
            ),
            pause,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/runs/{run}/resume",
                Access::May(Action::RunResume, Target::Workspace),
                "run_resume",
                "Go on with a run",
            ),
            resume,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/runs/{run}/abandon",
                Access::May(Action::RunStart, Target::Plan),
                "run_abandon",
                "Give up a run that is not finished; what it loaded stays and is accounted for",
            ),
            abandon,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/runs/{run}/undo",
                Access::May(Action::RunStart, Target::Plan),
                "run_undo",
                "Take back what a run loaded, children first; refused where it was changed since",
            )
            .answers_object("`items`: what was taken back of each table"),
            undo,
        )
}

fn view(run: &RunRecord) -> Value {
    json!({
        "id": run.id,
        "kind": run.kind.as_str(),
        "fingerprint": run.fingerprint,
        "status": run.status.as_str(),
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "actor": run.actor,
        "stores": run.stores,
        "jobs": run.jobs,
    })
}

async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let runs = app.workspace.state().runs().await?;
    let views: Vec<Value> = runs.iter().take(super::PAGE_MAX as usize).map(view).collect();
    Ok(items(&views))
}

async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    if let Some(rehearsal) = app.engine.rehearsal(&id) {
        let progress = app.engine.progress(&id).await?;
        return Ok(ok(&json!({
            "id": rehearsal.run, "kind": "rehearse", "fingerprint": rehearsal.fingerprint,
            "status": rehearsal.status, "started_at": rehearsal.started_at, "ended_at": rehearsal.ended_at,
            "actor": rehearsal.actor, "stores": {}, "jobs": 1, "tables": [], "progress": progress,
        })));
    }
    let run = app.workspace.state().run(&id).await?;
    let tables = app.workspace.state().tables(&id).await?;
    let tables: Vec<Value> =
        tables.into_iter().map(|(table, body)| json!({ "table": table, "body": body })).collect();
    let mut shown = view(&run);
    shown["tables"] = Value::Array(tables);
    shown["outcome"] = app.workspace.state().run_outcome(&id).await?.unwrap_or_default();
    if let Some(outcome) = shown["outcome"].as_object_mut() {
        // One that an older dunlin wrote tells of no tries.
        outcome.entry("tries").or_insert_with(|| json!([]));
    }
    let progress = app.engine.progress(&id).await?;
    if let Some(progress) = &progress {
        // One that rests before its next try is paused by its record, and goes on by itself.
        shown["status"] = json!(progress.status);
    }
    shown["progress"] = serde_json::to_value(progress).unwrap_or_default();
    Ok(ok(&shown))
}

async fn start(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<StartRun>,
) -> Result<Response, Problem> {
    let plan = super::plan::current(&app)?;
    let fingerprint = plan.fingerprint().to_string();
    if body.fingerprint != fingerprint {
        let title = "the plan is not the one that you have read";
        return Err(Problem::new(StatusCode::CONFLICT, "plan_changed", title)
            .help("read the plan again and start what it is now"));
    }
    let writes = plan.tables.iter().map(|table| table.to.store.as_str());
    let guarded = writes.into_iter().any(|name| plan.stores.get(name).is_some_and(|store| store.protected));
    if guarded && !body.rehearse {
        let stores = app.engine.identities().await?;
        app.guard.may_start_run(&caller.who, &fingerprint, &stores).await?;
    }
    let id = app.engine.start(body, caller.who.actor()).await?;
    tell(&app, &id, "started");
    Ok(created(&Made { id }))
}

async fn pause(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    app.workspace.state().run(&id).await?;
    app.engine.pause(&id, caller.who.actor()).await?;
    tell(&app, &id, "paused");
    Ok(done())
}

async fn resume(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let run = app.workspace.state().run(&id).await?;
    let plan = super::plan::current(&app)?;
    let guarded = plan.stores.values().any(|store| store.protected && run.stores.contains_key(&store.name));
    if guarded && run.kind == dunlin_store::RunKind::Load {
        app.guard.may_start_run(&caller.who, &run.fingerprint, &run.stores).await?;
    }
    app.engine.resume(&id, caller.who.actor()).await?;
    tell(&app, &id, "resumed");
    Ok(done())
}

fn tell(app: &App, run: &str, change: &str) {
    app.hub.tell("run.changed", Action::RunRead, None, json!({ "run": run, "change": change }));
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Problem {
        let said = error.to_string();
        match error {
            EngineError::Refused { code, help, .. } => {
                let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, said);
                help.map_or(problem.clone(), |help| problem.help(help))
            }
            EngineError::Unknown(what) => Problem::not_found(what),
            EngineError::Conflict { help, .. } => {
                let problem = Problem::new(StatusCode::CONFLICT, "conflict", said);
                help.map_or(problem.clone(), |help| problem.help(help))
            }
            EngineError::Store { .. } => Problem::new(StatusCode::BAD_GATEWAY, "store_failed", said)
                .help("check that the store is up and that dunlin may reach it, then try again"),
            EngineError::Failed => {
                tracing::error!(reference = crate::problem::reference(), "the engine failed");
                Problem::internal()
            }
        }
    }
}

async fn tables(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(items(&app.engine.run_tables(&id).await?))
}

async fn abandon(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    app.engine.abandon(&id, caller.who.actor()).await?;
    tell(&app, &id, "abandoned");
    Ok(done())
}

async fn undo(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let undone = app.engine.undo(&id, caller.who.actor()).await?;
    tell(&app, &id, "undone");
    Ok(items(&undone))
}
