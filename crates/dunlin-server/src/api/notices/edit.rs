//! Writing a notice: drafted from the plan, saved, checked, handed in.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dunlin_guard::Action;
use dunlin_tell::{Dates, Facts, Lang, Word};
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::ToSchema;

use super::lines::{VersionLine, shown};
use super::{handed, json_of, op, path_of, plan_of, tell, tell_version};
use crate::api::{created, ok};
use crate::app::App;
use crate::extract::{Json, Path, Text};
use crate::gate::Caller;
use crate::notices::{
    Judgement, LinksAsked, NoticeError, NoticeFile, ask_links, judge, previous, read, save, submit,
};
use crate::operation::{Method, Routes};
use crate::plan::etag;
use crate::problem::Problem;

/// A first version to be drafted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNotice {
    /// The notice's name: small letters, digits and hyphens.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,63}$")]
    notice: String,
    /// `en` or `es`; the other languages are translated from one.
    lang: String,
    /// Days that the plan does not hold, YYYY-MM-DD.
    #[serde(default)]
    begins: Option<String>,
    #[serde(default)]
    ends: Option<String>,
    #[serde(default)]
    old_copy_until: Option<String>,
}

/// The text that was read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TextRead {
    /// SHA-256 of the text, hex.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub(super) sha256: String,
}

pub(super) fn routes(routes: Routes) -> Routes {
    let match_says = "The `ETag` of the text that was edited; another one is refused. A new file is written with \
                      `If-None-Match: *` instead";
    routes
        .add(
            op(
                Method::Post,
                "/api/v1/notices/draft",
                Action::NoticesWrite,
                "notice_draft",
                "Write a first version from the plan, with a question wherever the plan does not say",
            )
            .takes::<NewNotice>()
            .creates_object("The notice, as `GET` shows it"),
            draft,
        )
        .add(
            op(
                Method::Put,
                "/api/v1/notices/{name}",
                Action::NoticesWrite,
                "notice_write",
                "Save the text of a notice, also an unfinished one",
            )
            .header("If-Match", false, match_says)
            .header("If-None-Match", false, "`*` for a file that is not there yet")
            .takes_text("text/plain")
            .answers_object("The notice, as `GET` shows it; the header `ETag` marks the new text"),
            write,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/notices/{name}/facts",
                Action::NoticesWrite,
                "notice_facts",
                "Write what the plan says into `[facts]`; the sentences stay, and are read once more by a person",
            )
            .header("If-Match", true, match_says)
            .answers_object("The notice, as `GET` shows it"),
            facts,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/notices/{name}/check",
                Action::NoticesWrite,
                "notice_check",
                "Hold a notice against everything, also whether its links answer",
            )
            .answers_object("`findings`, and `passes`"),
            check,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/notices/{name}/submit",
                Action::NoticesWrite,
                "notice_submit",
                "Hand a text in, so that somebody else can approve it",
            )
            .takes::<TextRead>()
            .creates::<VersionLine>("What waits now"),
            hand_in,
        )
}

fn day(text: Option<&String>) -> Result<Option<Date>, Problem> {
    let read = |text: &String| text.parse().map_err(|_| Problem::bad_request("a day is written YYYY-MM-DD"));
    text.map(read).transpose()
}

async fn draft(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<NewNotice>,
) -> Result<Response, Problem> {
    let refuse = |title: &str, help: &str| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unfit_body", title).help(help)
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = (1..=64).contains(&body.notice.len()) && body.notice.chars().all(plain);
    if !fits || body.notice.starts_with('-') {
        return Err(refuse("this is no name for a notice", "small letters, digits and hyphens: 2026-move"));
    }
    let help = "draft in `en` or `es`, and translate it";
    let lang = Lang::from_word(&body.lang).ok_or_else(|| refuse("this is no language of dunlin", help))?;
    let dates = Dates {
        begins: day(body.begins.as_ref())?,
        ends: day(body.ends.as_ref())?,
        old_copy_until: day(body.old_copy_until.as_ref())?,
    };
    let plan = plan_of(&app)?;
    let facts = Facts::of(&plan, dates);
    let made = dunlin_tell::draft(&plan, &facts, &body.notice, lang);
    let text = dunlin_tell::print(&made.map_err(|error| refuse(&error.to_string(), help))?);
    let name = format!("{}.{lang}.md", body.notice);
    let _one_at_a_time = app.notices_lock.lock().await;
    if read(&app.workspace.dir, &path_of(&name)?).is_ok() {
        let title = "there is a notice of that name and language already";
        return Err(Problem::new(StatusCode::CONFLICT, "notice_there", title)
            .help("go on with it, or draft under another name"));
    }
    let state = app.workspace.state();
    let file = save(state, &app.workspace.dir, &name, &text, &caller.who.person).await?;
    tell(&app, &caller, "drafted", serde_json::json!({ "file": file.path }));
    let mut response = shown(&app, name, &file).await?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// The file that an edit is of; `None` when it is new.
fn before(app: &App, name: &str, headers: &HeaderMap) -> Result<Option<NoticeFile>, Problem> {
    let now = match read(&app.workspace.dir, &path_of(name)?) {
        Ok(file) => Some(file),
        Err(NoticeError::NoFile) => None,
        Err(error) => return Err(error.into()),
    };
    let sent = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let changed = |title: &str| {
        Problem::new(StatusCode::PRECONDITION_FAILED, "notice_changed", title)
            .help("read it again, make your change there, and send it once more")
    };
    match (now, sent(header::IF_MATCH), sent(header::IF_NONE_MATCH)) {
        (None, None, Some("*")) => Ok(None),
        (Some(_), None, Some("*")) => Err(changed("there is a notice of that name already")),
        (Some(file), Some(marks), _) if marks.split(',').any(|mark| mark.trim() == etag(&file.text)) => {
            Ok(Some(file))
        }
        (Some(_), Some(_), _) => Err(changed("the notice has been edited since you read it")),
        (None, Some(_), _) => Err(Problem::not_found("notice")),
        (_, None, _) => {
            let title = "an edit must say which text it is of";
            Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match_missing", title)
                .help("send the `ETag` of the notice as `If-Match`, or `If-None-Match: *` for a new one"))
        }
    }
}

async fn write(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    Text(text): Text,
) -> Result<Response, Problem> {
    let _one_at_a_time = app.notices_lock.lock().await;
    let old = before(&app, &name, &headers)?;
    kept(&app, &caller, name, old, &text).await
}

async fn facts(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let _one_at_a_time = app.notices_lock.lock().await;
    let old = before(&app, &name, &headers)?.ok_or_else(|| Problem::not_found("notice"))?;
    let source = dunlin_tell::parse(&old.text, &old.path).map_err(NoticeError::Unreadable)?;
    let plan = plan_of(&app)?;
    let dates = Dates::default().or_claimed(source.notice.claims.as_ref());
    let mut notice = source.notice;
    notice.claims = Some(Facts::of(&plan, dates).claims());
    let text = dunlin_tell::print(&notice);
    kept(&app, &caller, name, Some(old), &text).await
}

async fn kept(
    app: &App,
    caller: &Caller,
    name: String,
    old: Option<NoticeFile>,
    text: &str,
) -> Result<Response, Problem> {
    let file = match old {
        Some(old) if old.text == text => old,
        _ => {
            let state = app.workspace.state();
            let file = save(state, &app.workspace.dir, &name, text, &caller.who.person).await?;
            tell(app, caller, "edited", serde_json::json!({ "file": file.path }));
            file
        }
    };
    shown(app, name, &file).await
}

/// What the network says of the links of a text.
pub(super) async fn links(app: &App, file: &NoticeFile) -> Result<LinksAsked, Problem> {
    let source = dunlin_tell::parse(&file.text, &file.path).map_err(NoticeError::Unreadable)?;
    let plan = plan_of(app)?;
    let against = Judgement { plan: &plan, dir: &app.workspace.dir, previous: None, links: None };
    let found = judge(&source, &against).links;
    Ok(ask_links(&app.post.client, &found).await)
}

async fn check(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
    let file = read(&app.workspace.dir, &path_of(&name)?)?;
    let source = match dunlin_tell::parse(&file.text, &file.path) {
        Ok(source) => source,
        Err(found) => {
            return Ok(
                ok(&serde_json::json!({ "passes": false, "findings": json_of(&found) })).into_response()
            );
        }
    };
    let asked = links(&app, &file).await?;
    let notice = &source.notice;
    let before = previous(app.workspace.state(), &notice.id, &notice.locale.to_string()).await?;
    let plan = plan_of(&app)?;
    let against =
        Judgement { plan: &plan, dir: &app.workspace.dir, previous: before.as_ref(), links: Some(&asked) };
    let found = judge(&source, &against).findings;
    Ok(ok(&serde_json::json!({ "passes": !found.has_errors(), "findings": json_of(&found) })))
}

async fn hand_in(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Json(body): Json<TextRead>,
) -> Result<Response, Problem> {
    let file = read(&app.workspace.dir, &path_of(&name)?)?;
    if file.sha256 != body.sha256 {
        return Err(NoticeError::Changed.into());
    }
    let (plan, asked, actor) = (plan_of(&app)?, links(&app, &file).await?, caller.who.actor());
    let version = submit(&handed(&app, &plan, &actor, Some(&asked)), &file).await?;
    tell_version(&app, &caller, "submitted", &version);
    Ok(created(&VersionLine::of(&version)))
}
