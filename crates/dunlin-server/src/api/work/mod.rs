//! Work over HTTP: tasks and what belongs to them. Guests see the tasks that they have a part in, and no others; that
//! is asked here, for each task, because the policies know no tasks.

mod ahead;
mod beside;
mod desk;
mod exchange;
mod feed;
mod live;
mod post;
mod talk;
mod tasks;
mod time;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use dunlin_guard::{Action, Resource};
use dunlin_work::{By, Shown, Task, WorkError};

use crate::app::App;
use crate::gate::Caller;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

pub(crate) use desk::Desk;
pub(crate) use live::start;
pub(crate) use post::Messenger;

/// The largest file that is imported, in bytes.
const IMPORT_MAX: usize = 20 * 1024 * 1024;

/// How large a body this route takes, where it takes more than others.
pub(crate) fn body_max(route: &str) -> Option<usize> {
    match route {
        "/api/v1/work/tasks/{task}/attachments" => Some(dunlin_work::ATTACHMENT_MAX),
        "/api/v1/work/import" | "/api/v1/work/import/preview" | "/api/v1/work/tasks/batch" => {
            Some(IMPORT_MAX)
        }
        _ => None,
    }
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .with(tasks::routes)
        .with(talk::routes)
        .with(beside::routes)
        .with(time::routes)
        .with(ahead::routes)
        .with(feed::routes)
        .with(exchange::routes)
}

/// An operation of work.
fn op(method: Method, path: &'static str, action: Action, id: &str, summary: &str) -> Op {
    Op::new(method, path, Access::May(action, Target::Workspace), id, summary)
}

/// A body of any kind, up to what the route takes.
struct Large(axum::body::Bytes);

impl FromRequest<App> for Large {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Large, Problem> {
        let body: Body = request.into_body();
        axum::body::to_bytes(body, IMPORT_MAX).await.map(Large).map_err(|_| {
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "the body is too large, or did not arrive whole",
            )
            .help("attachments have at most 10 MB, files to import at most 20 MB")
        })
    }
}

/// Who looks at tasks.
struct Viewer {
    by: By,
    /// Whether it is everybody's tasks; else those that the person has a part in.
    sees_all: bool,
    edits: bool,
    manages: bool,
}

impl Viewer {
    fn of(app: &App, caller: &Caller) -> Viewer {
        let may = |action| app.authority.may(&caller.who, action, &Resource::Workspace).allowed;
        Viewer {
            by: By::person(&caller.who.person),
            sees_all: may(Action::WorkReadAll),
            edits: may(Action::WorkEdit),
            manages: may(Action::WorkManage),
        }
    }

    fn person(&self) -> &str {
        &self.by.person
    }

    /// Whose tasks alone, for a query.
    fn only_of(&self) -> Option<String> {
        (!self.sees_all).then(|| self.by.person.clone())
    }

    fn sees(&self, task: &Task) -> bool {
        self.sees_all || task.involves(self.person())
    }

    /// A task that the viewer may see: another is as one that is not there.
    fn task(&self, app: &App, id: &str) -> Result<Arc<Task>, Problem> {
        let task = app.desk.work.task(id).map_err(Problem::from)?;
        if self.sees(&task) { Ok(task) } else { Err(Problem::not_found("task")) }
    }
}

/// A task as clients see it.
fn shown(app: &App, task: &Task) -> Shown {
    let board = app.desk.work.board();
    let plan = board.plan(app.desk.today_number());
    Shown::of(task, board.scheduled(&plan, task), app.desk.risk(&task.id))
}

/// Several, with one schedule.
fn all_shown(app: &App, tasks: &[Arc<Task>]) -> Vec<Shown> {
    let board = app.desk.work.board();
    let plan = board.plan(app.desk.today_number());
    let one = |task: &Arc<Task>| Shown::of(task, board.scheduled(&plan, task), app.desk.risk(&task.id));
    tasks.iter().map(one).collect()
}

impl From<WorkError> for Problem {
    fn from(error: WorkError) -> Problem {
        use StatusCode as S;
        let title = error.to_string();
        match error {
            WorkError::Store(error) => error.into(),
            WorkError::Unknown(what) => Problem::not_found(what),
            WorkError::Invalid { help, .. } => {
                Problem::new(S::UNPROCESSABLE_ENTITY, "unfit_body", title).help(help)
            }
            WorkError::BoundStatus => Problem::forbidden("bound_status", title)
                .help("let the step really happen; notes can be added to the task"),
            WorkError::Forbidden(_) => Problem::forbidden("not_yours", title),
            WorkError::ChangedMeanwhile { .. } => {
                Problem::new(S::CONFLICT, "changed_meanwhile", title).help("look at `current`, then decide")
            }
            WorkError::Cycle => Problem::new(S::CONFLICT, "circle", title).help("take one of the links away"),
            WorkError::Conflict { code, help, .. } => Problem::new(S::CONFLICT, code, title).help(help),
            WorkError::TooMuch(_) => Problem::new(S::PAYLOAD_TOO_LARGE, "too_much", title),
        }
    }
}

/// A refusal, with the task as it is now where somebody was quicker.
fn refusal(app: &App, error: WorkError) -> Response {
    let current = match &error {
        WorkError::ChangedMeanwhile { current, field } => Some((shown(app, current), field.clone())),
        _ => None,
    };
    let problem = Problem::from(error);
    let Some((current, field)) = current else { return problem.into_response() };
    let mut body = serde_json::to_value(&problem).unwrap_or_default();
    body["current"] = serde_json::to_value(current).unwrap_or_default();
    body["field"] = field.into();
    let kind = [("content-type", "application/problem+json")];
    (problem.status_code(), kind, body.to_string()).into_response()
}
