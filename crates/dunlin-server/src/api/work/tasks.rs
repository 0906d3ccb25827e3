//! Tasks: found, made, changed, moved, deleted; their history, and taking a change back.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use dunlin_guard::Action;
use dunlin_work::{
    Ask, Dependency, Edit, Group, HistoryLine, Kind, Origin, Priority, Raci, Shown, Status, Summary, Task,
    Urgency, WRITABLE, WorkError,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;

use super::{Large, Viewer, all_shown, op, refusal, shown};
use crate::api::{created, done, ok};
use crate::app::App;
use crate::extract::{Json, Path, Query};
use crate::gate::Caller;
use crate::operation::{Method, Routes};
use crate::problem::Problem;

/// The fields of a task that can be written; those that are absent stay.
#[derive(ToSchema)]
#[schema(as = TaskFields)]
#[allow(dead_code, reason = "it describes the body, which is read field by field")]
struct Fields {
    title: Option<String>,
    description: Option<String>,
    kind: Option<Kind>,
    parent: Option<String>,
    /// Not of a bound task.
    status: Option<Status>,
    /// Not of a bound task.
    progress: Option<f64>,
    owner: Option<String>,
    raci: Option<Raci>,
    priority: Option<Priority>,
    /// `YYYY-MM-DD`.
    start: Option<String>,
    /// `YYYY-MM-DD`.
    deadline: Option<String>,
    estimate_hours: Option<f64>,
    labels: Option<Vec<String>>,
    watchers: Option<Vec<String>>,
    depends_on: Option<Vec<Dependency>>,
    /// Values of custom fields by their id; null empties one.
    #[schema(value_type = Option<Object>)]
    fields: Option<Value>,
    /// When changing: the version that was read. Fields that others wrote since are refused, others are merged.
    version: Option<u64>,
    /// When making: it is a question to the business.
    question: Option<bool>,
}

/// One task of a batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OneChange {
    id: String,
    /// As `TaskFields`.
    #[schema(value_type = Object)]
    set: Map<String, Value>,
    /// The version that was read.
    #[serde(default)]
    version: Option<u64>,
}

/// Changes of several tasks: all or none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Batch {
    #[schema(max_items = 10000)]
    changes: Vec<OneChange>,
}

/// Tasks as they are now, and the change that made them so.
#[derive(Serialize, ToSchema)]
struct Changed {
    tasks: Vec<Shown>,
    /// None where nothing was different.
    change: Option<String>,
}

/// What an undo did.
#[derive(Serialize, ToSchema)]
struct Undone {
    tasks: Vec<Shown>,
    change: Option<String>,
    /// Fields that somebody wrote over since, which were left.
    left: Vec<String>,
}

/// Where a task goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Place {
    /// The task that it comes after; null for the first place.
    after: Option<String>,
    /// Its new parent; absent to stay, null for none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    parent: Option<Option<String>>,
    /// Its new status, when a board's column was changed.
    #[serde(default)]
    status: Option<Status>,
}

/// Tells a null from what is not there.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(from).map(Some)
}

/// Whether a person stands for a step.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirm {
    /// False takes it back.
    done: bool,
}

/// What is looked for.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    q: String,
    filter: Option<String>,
    sort: Option<String>,
    group: Option<String>,
    offset: Option<usize>,
    limit: Option<usize>,
}

/// A page of tasks.
#[derive(Serialize, ToSchema)]
struct Page {
    total: usize,
    /// Counts every change of any task.
    version: u64,
    groups: Option<Vec<Group>>,
    rows: Vec<Shown>,
    #[schema(value_type = Object)]
    summaries: BTreeMap<String, Summary>,
}

/// A task of one's own.
#[derive(Serialize, ToSchema)]
struct Mine {
    urgency: Urgency,
    task: Shown,
}

/// One's own tasks.
#[derive(Serialize, ToSchema)]
struct MineList {
    items: Vec<Mine>,
}

/// A task's history.
#[derive(Serialize, ToSchema)]
struct History {
    items: Vec<HistoryLine>,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.with(finding).with(one).with(many)
}

fn finding(routes: Routes) -> Routes {
    let read = |path, id, says| op(Method::Get, path, Action::WorkRead, id, says);
    routes
        .add(
            read("/api/v1/work/tasks", "work_tasks", "Find tasks")
                .query("q", Type::String, "A text in number, title, description, labels or table")
                .query(
                    "filter",
                    Type::String,
                    "JSON, e.g. `{\"all\":[{\"field\":\"status\",\"is\":[\"open\"]}]}`",
                )
                .query("sort", Type::String, "Fields by commas, `-` before one for the other way round")
                .query("group", Type::String, "A field: rows come by its values")
                .query("offset", Type::Integer, "From this row on")
                .query("limit", Type::Integer, "At most so many rows, at most 1000")
                .answers::<Page>("A page of tasks, groups and summaries of all that were found"),
            find,
        )
        .add(
            read("/api/v1/work/mine", "work_mine", "One's own tasks, the most pressing first")
                .answers::<MineList>("Tasks"),
            mine,
        )
}

fn one(routes: Routes) -> Routes {
    let path = "/api/v1/work/tasks/{task}";
    routes
        .add(
            op(Method::Post, "/api/v1/work/tasks", Action::WorkEdit, "work_task_create", "Make a task")
                .takes::<Fields>()
                .creates::<Shown>("The task"),
            create,
        )
        .add(
            op(Method::Get, path, Action::WorkRead, "work_task", "One task").answers::<Shown>("The task"),
            get,
        )
        .add(
            op(Method::Patch, path, Action::WorkTakePart, "work_task_edit", "Change fields of a task")
                .takes::<Fields>()
                .answers::<Shown>("The task; 409 `changed_meanwhile` has it as `current`"),
            edit,
        )
        .add(
            op(Method::Delete, path, Action::WorkEdit, "work_task_delete", "Delete a task; it can be undone"),
            delete,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/work/tasks/{task}/move",
                Action::WorkTakePart,
                "work_task_move",
                "Put a task elsewhere",
            )
            .takes::<Place>()
            .answers::<Changed>("The task"),
            place,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/work/tasks/{task}/confirm",
                Action::WorkEdit,
                "work_task_confirm",
                "Stand for a step that dunlin cannot see itself, by an entry of the ledger",
            )
            .takes::<Confirm>()
            .answers::<Shown>("The task"),
            confirm,
        )
}

fn many(routes: Routes) -> Routes {
    routes
        .add(
            op(
                Method::Post,
                "/api/v1/work/tasks/batch",
                Action::WorkEdit,
                "work_batch",
                "Change many tasks, all or none",
            )
            .takes::<Batch>()
            .answers::<Changed>("The tasks"),
            batch,
        )
        .add(
            op(
                Method::Get,
                "/api/v1/work/tasks/{task}/history",
                Action::WorkRead,
                "work_history",
                "What happened to a task",
            )
            .answers::<History>("The newest first"),
            history,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/work/changes/{change}/undo",
                Action::WorkEdit,
                "work_undo",
                "Take a change back",
            )
            .answers::<Undone>("The tasks as they are now"),
            undo,
        )
}

async fn find(
    State(app): State<App>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let filter = wanted.filter.filter(|f| !f.is_empty()).map(|f| serde_json::from_str(&f)).transpose();
    let filter = filter.map_err(|_| Problem::bad_request("`filter` is not JSON"))?;
    let sort = wanted.sort.unwrap_or_default();
    let ask = Ask {
        q: wanted.q,
        filter,
        sort: sort.split(',').filter(|s| !s.is_empty()).map(str::to_owned).collect(),
        group: wanted.group.filter(|g| !g.is_empty()),
        offset: wanted.offset.unwrap_or(0),
        limit: wanted.limit.unwrap_or(100).min(1000),
        only_of: viewer.only_of(),
    };
    let (found, version) = {
        let board = app.desk.work.board();
        (board.find(&ask)?, board.version())
    };
    let rows = all_shown(&app, &found.rows);
    Ok(ok(&Page { total: found.total, version, groups: found.groups, rows, summaries: found.summaries }))
}

async fn mine(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let mine = app.desk.work.board().mine(&caller.who.person, app.desk.today());
    let items = mine.into_iter().map(|(urgency, task)| Mine { urgency, task: shown(&app, &task) }).collect();
    Ok(ok(&MineList { items }))
}

/// The fields that a body writes, the version that was read, and whether it asks the business something.
type Written = (Map<String, Value>, Option<u64>, bool);

/// The fields of a body, without those that are not of the task.
fn fields(mut body: Map<String, Value>) -> Result<Written, Problem> {
    let version = body.remove("version").and_then(|v| v.as_u64());
    let question = body.remove("question").and_then(|v| v.as_bool()).unwrap_or(false);
    let known = |f: &String| f == "fields" || f.starts_with("fields.") || WRITABLE.contains(&f.as_str());
    if !body.keys().all(known) {
        let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
        return Err(Problem::new(status, "unfit_body", "the body has a field that tasks do not have")
            .help("/api/v1/openapi.json says what the body looks like"));
    }
    // The manual order is changed by `move`.
    body.remove("rank");
    Ok((body, version, question))
}

async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let (set, _, question) = fields(body)?;
    let origin = if question { Origin::OpenQuestion } else { Origin::Manual };
    let made = app.desk.work.create(&viewer.by, origin, vec![set]).await?;
    let task = made.tasks.first().ok_or_else(Problem::internal)?;
    Ok(created(&shown(&app, task)))
}

async fn get(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let task = Viewer::of(&app, &caller).task(&app, &id)?;
    Ok(ok(&shown(&app, &task)))
}

/// Who may not edit tasks may set the status of those that they own.
fn may_write(viewer: &Viewer, task: &Task, set: &Map<String, Value>) -> Result<(), WorkError> {
    if viewer.edits {
        return Ok(());
    }
    let owns = task.owner.as_deref() == Some(viewer.person());
    if owns && set.keys().all(|field| matches!(field.as_str(), "status" | "progress")) {
        return Ok(());
    }
    Err(WorkError::Forbidden("you may set the status of tasks that you own, and comment"))
}

async fn edit(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let (set, version, _) = fields(body)?;
    let task = viewer.task(&app, &id)?;
    may_write(&viewer, &task, &set)?;
    let edit = Edit { id: id.clone(), set, version };
    match app.desk.work.edit(&viewer.by, "edit", vec![edit]).await {
        Ok(_) => Ok(ok(&shown(&app, &*app.desk.work.task(&id)?))),
        Err(error) => Ok(refusal(&app, error)),
    }
}

async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    viewer.task(&app, &id)?;
    app.desk.work.delete(&viewer.by, &id).await?;
    Ok(done())
}

async fn place(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(place): Json<Place>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let task = viewer.task(&app, &id)?;
    if !viewer.edits {
        let only_status = place.after.is_none() && place.parent.is_none();
        let owns = task.owner.as_deref() == Some(viewer.person());
        let status = place.status.filter(|_| only_status && owns);
        let status = status
            .ok_or(WorkError::Forbidden("you may set the status of tasks that you own, and comment"))?;
        let set = Map::from_iter([("status".to_owned(), Value::from(status.as_str()))]);
        let made = app.desk.work.edit(&viewer.by, "move", vec![Edit { id, set, version: None }]).await?;
        return Ok(ok(&Changed { tasks: all_shown(&app, &made.tasks), change: made.change }));
    }
    let made =
        app.desk.work.place(&viewer.by, &id, place.after.as_deref(), place.parent, place.status).await?;
    Ok(ok(&Changed { tasks: all_shown(&app, &made.tasks), change: made.change }))
}

async fn confirm(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Confirm>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let task = viewer.task(&app, &id)?;
    let accountable = task.raci.accountable.as_deref();
    let stands =
        accountable.is_none_or(|id| id == viewer.person()) || task.owner.as_deref() == Some(viewer.person());
    if !stands && !viewer.manages {
        return Err(WorkError::Forbidden(
            "its owner, who is accountable for it, or a lead says that it is done",
        )
        .into());
    }
    app.desk.work.confirm(&viewer.by, &id, body.done).await?;
    super::live::absorb(&app).await?;
    Ok(ok(&shown(&app, &*app.desk.work.task(&id)?)))
}

async fn batch(State(app): State<App>, caller: Caller, Large(bytes): Large) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let unfit = || {
        let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
        Problem::new(status, "unfit_body", "the body is not a batch of changes")
            .help("`{\"changes\":[{\"id\":…,\"set\":{…}}]}`, at most 10,000")
    };
    let batch: Batch = serde_json::from_slice(&bytes).map_err(|_| unfit())?;
    if batch.changes.len() > 10_000 {
        return Err(unfit());
    }
    let mut edits = Vec::new();
    for change in batch.changes {
        let (set, ..) = fields(change.set)?;
        viewer.task(&app, &change.id)?;
        edits.push(Edit { id: change.id, set, version: change.version });
    }
    match app.desk.work.edit(&viewer.by, "batch", edits).await {
        Ok(made) => Ok(ok(&Changed { tasks: all_shown(&app, &made.tasks), change: made.change })),
        Err(error) => Ok(refusal(&app, error).into_response()),
    }
}

async fn history(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Viewer::of(&app, &caller).task(&app, &id)?;
    Ok(ok(&History { items: app.desk.work.history(&id).await? }))
}

async fn undo(
    State(app): State<App>,
    caller: Caller,
    Path(change): Path<String>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let may = |_: &str, tasks: &[Arc<Task>]| {
        let seen = tasks.iter().all(|t| viewer.sees(t));
        if seen { Ok(()) } else { Err(WorkError::Unknown("change")) }
    };
    let (made, left) = app.desk.work.undo(&viewer.by, &change, may).await?;
    Ok(ok(&Undone { tasks: all_shown(&app, &made.tasks), change: made.change, left }))
}
