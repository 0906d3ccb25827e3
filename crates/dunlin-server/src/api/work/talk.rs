//! What people say on tasks: comments, attachments, watching, answers to questions; and who is on which row.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use dunlin_guard::Action;
use dunlin_work::{Attachment, Comment, Edit, Origin, Shown, Status, WorkError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::desk::Here;
use super::{Large, Viewer, op, shown};
use crate::api::{created, done, ok};
use crate::app::App;
use crate::extract::{Json, Path};
use crate::gate::Caller;
use crate::operation::{Method, Routes};
use crate::problem::Problem;

/// A text in Markdown; `@[Name](person:ID)` mentions somebody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Say {
    #[schema(min_length = 1, max_length = 20000)]
    text: String,
}

/// What the business answers.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Answer {
    #[schema(min_length = 1, max_length = 20000)]
    answer: String,
}

/// Where one is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct At {
    /// The task; null when one has left.
    task: Option<String>,
    /// The field that one is in.
    #[serde(default)]
    field: Option<String>,
}

/// Comments of a task.
#[derive(Serialize, ToSchema)]
struct Comments {
    items: Vec<Comment>,
}

/// Attachments of a task.
#[derive(Serialize, ToSchema)]
struct Attachments {
    items: Vec<Attachment>,
}

/// Questions to the business.
#[derive(Serialize, ToSchema)]
struct Questions {
    items: Vec<Question>,
}

/// A question with what was answered.
#[derive(Serialize, ToSchema)]
struct Question {
    task: Shown,
    answers: Vec<Comment>,
}

/// Somebody on a row.
#[derive(Serialize, ToSchema)]
struct OnRow {
    person: String,
    name: String,
    task: String,
    field: Option<String>,
}

/// Who is on which row.
#[derive(Serialize, ToSchema)]
struct HereList {
    items: Vec<OnRow>,
}

const NAME: HeaderName = HeaderName::from_static("x-file-name");

pub(super) fn routes(routes: Routes) -> Routes {
    routes.with(comments).with(files).with(rest)
}

fn comments(routes: Routes) -> Routes {
    let (of_task, one) = ("/api/v1/work/tasks/{task}/comments", "/api/v1/work/comments/{comment}");
    let part = Action::WorkTakePart;
    routes
        .add(
            op(Method::Get, of_task, Action::WorkRead, "work_comments", "What was said on a task")
                .answers::<Comments>("The oldest first"),
            list_comments,
        )
        .add(
            op(Method::Post, of_task, part, "work_comment_create", "Say something")
                .takes::<Say>()
                .creates::<Comment>("The comment"),
            say,
        )
        .add(
            op(Method::Patch, one, part, "work_comment_edit", "Change one's own comment").takes::<Say>(),
            resay,
        )
        .add(op(Method::Delete, one, part, "work_comment_delete", "Delete one's own comment"), unsay)
}

fn files(routes: Routes) -> Routes {
    let (of_task, one) = ("/api/v1/work/tasks/{task}/attachments", "/api/v1/work/attachments/{attachment}");
    routes
        .add(
            op(Method::Get, of_task, Action::WorkRead, "work_attachments", "The files on a task")
                .answers::<Attachments>("Without their content"),
            list_files,
        )
        .add(
            op(
                Method::Post,
                of_task,
                Action::WorkTakePart,
                "work_attach",
                "Put a file on a task, at most 10 MB",
            )
            .header("X-File-Name", true, "Its name, percent-encoded")
            .takes_text("application/octet-stream")
            .creates::<Attachment>("The file"),
            attach,
        )
        .add(
            op(Method::Get, one, Action::WorkRead, "work_attachment", "The content of a file, to be saved")
                .answers_as("application/octet-stream", "The file"),
            file,
        )
        .add(op(Method::Delete, one, Action::WorkTakePart, "work_detach", "Take a file away"), detach)
}

fn rest(routes: Routes) -> Routes {
    let watch = "/api/v1/work/tasks/{task}/watch";
    routes
        .add(op(Method::Post, watch, Action::WorkTakePart, "work_watch", "Follow a task"), watch_on)
        .add(
            op(Method::Delete, watch, Action::WorkTakePart, "work_unwatch", "No longer follow it"),
            watch_off,
        )
        .add(
            op(
                Method::Get,
                "/api/v1/work/questions",
                Action::WorkRead,
                "work_questions",
                "What the business is asked",
            )
            .answers::<Questions>("Those that wait first"),
            questions,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/work/questions/{task}/answer",
                Action::WorkTakePart,
                "work_answer",
                "Answer a question; one of the plan is closed once the plan has the answer",
            )
            .takes::<Answer>()
            .creates::<Comment>("The answer"),
            answer,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/work/presence/at",
                Action::WorkRead,
                "work_at",
                "Tell others on which row one is",
            )
            .takes::<At>(),
            at,
        )
        .add(
            op(
                Method::Get,
                "/api/v1/work/presence",
                Action::WorkReadAll,
                "work_presence",
                "Who is on which row",
            )
            .answers::<HereList>("Of the last two minutes"),
            who_is_here,
        )
}

async fn list_comments(
    State(app): State<App>,
    caller: Caller,
    Path(task): Path<String>,
) -> Result<Response, Problem> {
    Viewer::of(&app, &caller).task(&app, &task)?;
    Ok(ok(&Comments { items: app.desk.work.comments(&task).await? }))
}

async fn say(
    State(app): State<App>,
    caller: Caller,
    Path(task): Path<String>,
    Json(body): Json<Say>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    viewer.task(&app, &task)?;
    Ok(created(&said(&app, &viewer, &task, &body.text).await?))
}

async fn said(app: &App, viewer: &Viewer, task: &str, text: &str) -> Result<Comment, Problem> {
    // A mention makes somebody see the task: only those who edit may bring others in.
    let text = if viewer.edits { text.to_owned() } else { text.replace("](person:", "] (person:") };
    let comment = app.desk.work.say(&viewer.by, task, &text).await?;
    let told = json!({ "event": "comment", "task": task, "comment": comment.id, "by": viewer.person() });
    super::post::tell_hooks(app, "comment", &told).await;
    let mentioned: Vec<&String> = comment.mentions.iter().filter(|p| *p != viewer.person()).collect();
    super::post::mail_mentions(app, viewer.person(), task, &mentioned).await;
    for person in mentioned {
        let data = json!({ "task": task, "comment": comment.id, "by": viewer.person() });
        app.hub.tell_only("mention", person, data);
    }
    Ok(comment)
}

async fn resay(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Say>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    viewer.task(&app, &app.desk.work.comment(&id).await?.task)?;
    app.desk.work.resay(&viewer.by, &id, Some(&body.text)).await?;
    Ok(done())
}

async fn unsay(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    viewer.task(&app, &app.desk.work.comment(&id).await?.task)?;
    app.desk.work.resay(&viewer.by, &id, None).await?;
    Ok(done())
}

async fn list_files(
    State(app): State<App>,
    caller: Caller,
    Path(task): Path<String>,
) -> Result<Response, Problem> {
    Viewer::of(&app, &caller).task(&app, &task)?;
    Ok(ok(&Attachments { items: app.desk.work.attachments(&task).await? }))
}

async fn attach(
    State(app): State<App>,
    caller: Caller,
    Path(task): Path<String>,
    headers: HeaderMap,
    Large(content): Large,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    viewer.task(&app, &task)?;
    let name = crate::layers::text(&headers, NAME);
    if name.is_empty() || content.is_empty() {
        return Err(Problem::bad_request("a file needs a name in `X-File-Name`, and a content"));
    }
    let name =
        serde_urlencoded::from_str::<Vec<(String, String)>>(&format!("name={}", name.replace('+', "%2B")))
            .ok()
            .and_then(|pairs| pairs.into_iter().next())
            .map(|(_, name)| name)
            .unwrap_or_default();
    let kind = crate::layers::text(&headers, header::CONTENT_TYPE);
    Ok(created(&app.desk.work.attach(&viewer.by, &task, &name, kind, &content).await?))
}

/// Always as a file to be saved: a browser must not run it in our name, whatever it is.
async fn file(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let attachment = app.desk.work.attachment(&id).await?;
    viewer.task(&app, &attachment.task)?;
    let bytes = app.desk.work.attachment_bytes(&id).await?;
    let plain = |c: &u8| c.is_ascii_alphanumeric() || b"-_.".contains(c);
    let encode = |b: u8| if plain(&b) { (b as char).to_string() } else { format!("%{b:02X}") };
    let name: String = attachment.name.bytes().map(encode).collect();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}")),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

async fn detach(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let attachment = app.desk.work.attachment(&id).await?;
    viewer.task(&app, &attachment.task)?;
    if attachment.author != viewer.person() && !viewer.edits {
        return Err(WorkError::Forbidden("this file is somebody else's").into());
    }
    app.desk.work.detach(&viewer.by, &id).await?;
    Ok(done())
}

async fn watch_on(
    State(app): State<App>,
    caller: Caller,
    Path(task): Path<String>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    viewer.task(&app, &task)?;
    app.desk.work.watch(&viewer.by, &task, true).await?;
    Ok(done())
}

async fn watch_off(
    State(app): State<App>,
    caller: Caller,
    Path(task): Path<String>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    viewer.task(&app, &task)?;
    app.desk.work.watch(&viewer.by, &task, false).await?;
    Ok(done())
}

async fn questions(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let mut asked: Vec<_> = {
        let board = app.desk.work.board();
        let is = |t: &&std::sync::Arc<dunlin_work::Task>| {
            t.origin == Origin::OpenQuestion && !t.gone && viewer.sees(t)
        };
        board.tasks().filter(is).cloned().collect()
    };
    asked.sort_by_key(|t| (t.status == Status::Done, t.number));
    let mut items = Vec::new();
    for task in asked.iter().take(500) {
        let answers = if task.comments > 0 { app.desk.work.comments(&task.id).await? } else { Vec::new() };
        items.push(Question { task: shown(&app, task), answers });
    }
    Ok(ok(&Questions { items }))
}

async fn answer(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Answer>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let task = viewer.task(&app, &id)?;
    if task.origin != Origin::OpenQuestion {
        return Err(Problem::not_found("question"));
    }
    let comment = said(&app, &viewer, &id, &body.answer).await?;
    if !task.is_derived() {
        let set = Map::from_iter([("status".to_owned(), Value::from(Status::Done.as_str()))]);
        app.desk.work.edit(&viewer.by, "answer", vec![Edit { id, set, version: None }]).await?;
    }
    Ok(created(&comment))
}

async fn at(State(app): State<App>, caller: Caller, Json(body): Json<At>) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let task = body.task.as_ref().map(|id| viewer.task(&app, id)).transpose()?;
    let field = body.field.filter(|f| f.len() <= 80);
    let (person, name) = (caller.who.person.clone(), caller.who.name.clone());
    let data = json!({ "person": person, "name": name, "task": body.task, "field": field });
    {
        let mut here = app.desk.here.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &task {
            Some(task) => {
                let since = std::time::Instant::now();
                here.insert(person, Here { name, task: task.id.clone(), field, since });
            }
            None => drop(here.remove(&person)),
        }
    }
    app.hub.tell("here", Action::WorkReadAll, None, data.clone());
    for guest in task.iter().flat_map(|t| t.people()) {
        super::live::tell_guest(&app, "here", &guest, data.clone()).await;
    }
    Ok(done())
}

async fn who_is_here(State(app): State<App>) -> Result<Response, Problem> {
    let here = app.desk.here.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let on_row = |(person, h): (&String, &Here)| OnRow {
        person: person.clone(),
        name: h.name.clone(),
        task: h.task.clone(),
        field: h.field.clone(),
    };
    Ok(ok(&HereList { items: here.iter().map(on_row).collect() }))
}
