//! The notices of the workspace: where each stands, what is found in it, who said what.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use dunlin_guard::Action;
use dunlin_plan::{Level, Plan};
use dunlin_store::{NoticeAnswers, NoticeStatus, NoticeVersion};
use dunlin_tell::When;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{json_of, op, path_of};
use crate::api::{items, ok};
use crate::app::App;
use crate::extract::Path;
use crate::notices::{Judgement, NoticeDay, NoticeFile, days, files, judge, previous, read};
use crate::operation::{Method, Routes};
use crate::plan::etag;
use crate::problem::Problem;

/// A version that was handed in.
#[derive(Serialize, ToSchema)]
pub(super) struct VersionLine {
    id: String,
    notice: String,
    locale: String,
    version: u32,
    file: String,
    sha256: String,
    /// `submitted`, `published`, `withdrawn` or `taken_back`.
    status: String,
    /// Ids of the people who wrote it, as far as the server knows.
    authors: Vec<String>,
    submitted_by: String,
    submitted_at: i64,
    approved_by: Option<String>,
    published_at: Option<i64>,
    withdrawn_by: Option<String>,
    withdrawn_at: Option<i64>,
    /// The plan with which it was handed in, and for which it was approved.
    plan_fingerprint: String,
    approved_fingerprint: Option<String>,
    /// What it states about the plan.
    facts_fingerprint: String,
}

impl VersionLine {
    pub(super) fn of(version: &NoticeVersion) -> VersionLine {
        VersionLine {
            id: version.id.clone(),
            notice: version.notice.clone(),
            locale: version.locale.clone(),
            version: version.version,
            file: version.file.clone(),
            sha256: version.sha256.clone(),
            status: version.status().as_str().to_owned(),
            authors: version.authors.clone(),
            submitted_by: version.submitted_by.clone(),
            submitted_at: version.submitted_at,
            approved_by: version.approved_by.clone(),
            published_at: version.published_at,
            withdrawn_by: version.withdrawn_by.clone(),
            withdrawn_at: version.withdrawn_at,
            plan_fingerprint: version.plan_fingerprint.clone(),
            approved_fingerprint: version.approved_fingerprint.clone(),
            facts_fingerprint: version.facts_fingerprint.clone(),
        }
    }
}

/// How many people answered what.
#[derive(Serialize, ToSchema)]
struct Answered {
    version: u32,
    /// `keep` or `close`.
    choice: String,
    people: u64,
}

/// A notice of the workspace, in one language.
#[derive(Serialize, ToSchema)]
struct NoticeLine {
    /// The file's name in `notices/`.
    name: String,
    /// `broken` (not a notice yet), `draft`, `submitted`, `published`, or `changed` since it was published.
    status: String,
    notice: Option<String>,
    locale: Option<String>,
    version: Option<u32>,
    headline: Option<String>,
    sha256: String,
    /// Whether the gate lets it pass, but for its links, which are asked when somebody checks or hands in.
    passes: bool,
    errors: usize,
    warnings: usize,
    /// As those of the plan.
    #[schema(value_type = Vec<Object>)]
    findings: Vec<Value>,
    /// What waits for an approval.
    waiting: Option<VersionLine>,
    /// What customers read now.
    shown: Option<VersionLine>,
    /// Whether the plan names it, so that no data moves before it is published.
    precedes: bool,
    /// The day on which the plan wants it published.
    publish: Option<String>,
    answers: Vec<Answered>,
}

/// A notice with its text.
#[derive(Serialize, ToSchema)]
struct NoticeText {
    text: String,
    #[serde(flatten)]
    line: NoticeLine,
    versions: Vec<VersionLine>,
    /// The messages of the schedule.
    days: Vec<NoticeDay>,
    /// The languages that dunlin has words for.
    languages: Vec<String>,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .add(
            op(
                Method::Get,
                "/api/v1/notices",
                Action::NoticesRead,
                "notices",
                "The notices of the workspace: where each stands, and what is found in it",
            )
            .answers::<Vec<NoticeLine>>("`items`: notices, by their file's name"),
            list,
        )
        .add(
            op(
                Method::Get,
                "/api/v1/notices/{name}",
                Action::NoticesRead,
                "notice",
                "One notice with its text; `name` is its file in `notices/`",
            )
            .answers::<NoticeText>("The notice; the header `ETag` marks the version of its text"),
            one,
        )
}

async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let answers = app.workspace.state().notice_answers().await?;
    let plan = super::plan_of(&app)?;
    let mut lines = Vec::new();
    for name in files(&app.workspace.dir)? {
        // One that went away meanwhile is no longer in the list.
        let Ok(file) = read(&app.workspace.dir, &path_of(&name)?) else { continue };
        lines.push(line(&app, &plan, name, &file, &answers).await?);
    }
    Ok(items(&lines))
}

async fn one(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
    let file = read(&app.workspace.dir, &path_of(&name)?)?;
    shown(&app, name, &file).await
}

/// A notice with its text, as an answer.
pub(super) async fn shown(app: &App, name: String, file: &NoticeFile) -> Result<Response, Problem> {
    let plan = super::plan_of(app)?;
    let answers = app.workspace.state().notice_answers().await?;
    let line = line(app, &plan, name, file, &answers).await?;
    let versions = app.workspace.state().notices_of_file(&file.path).await?;
    let mut days = days(&app.workspace.dir, &plan);
    days.retain(|day| day.file == file.path);
    use dunlin_tell::Word;
    let body = NoticeText {
        text: file.text.clone(),
        line,
        versions: versions.iter().map(VersionLine::of).collect(),
        days,
        languages: dunlin_tell::Lang::ALL.iter().map(ToString::to_string).collect(),
    };
    let mut response = ok(&body).into_response();
    if let Ok(value) = HeaderValue::from_str(&etag(&file.text)) {
        response.headers_mut().insert(header::ETAG, value);
    }
    Ok(response)
}

async fn line(
    app: &App,
    plan: &Plan,
    name: String,
    file: &NoticeFile,
    answers: &[NoticeAnswers],
) -> Result<NoticeLine, Problem> {
    let state = app.workspace.state();
    let versions = state.notices_of_file(&file.path).await?;
    let with = |status| versions.iter().filter(move |one| one.status() == status);
    let waiting = with(NoticeStatus::Submitted).next();
    let published = with(NoticeStatus::Published).max_by_key(|one| one.version);
    let named = plan.notices.iter().find(|notice| notice.file == file.path);
    let parsed = dunlin_tell::parse(&file.text, &file.path);
    let notice = parsed.as_ref().ok().map(|source| &source.notice);
    let findings = match &parsed {
        Err(found) => found.clone(),
        Ok(source) => {
            let before = previous(state, &source.notice.id, &source.notice.locale.to_string()).await?;
            let against = Judgement { plan, dir: &app.workspace.dir, previous: before.as_ref(), links: None };
            judge(source, &against).findings
        }
    };
    let is_text_of = |one: Option<&NoticeVersion>| one.is_some_and(|one| one.sha256 == file.sha256);
    let status = match notice {
        None => "broken",
        Some(_) if is_text_of(published) => "published",
        Some(_) if is_text_of(waiting) => "submitted",
        Some(_) if published.is_some() => "changed",
        Some(_) => "draft",
    };
    let count = |level| findings.items.iter().filter(|finding| finding.level == level).count();
    let before_move = notice.is_none_or(|n| n.messages.iter().any(|message| message.when == When::Before));
    let id = notice.map(|notice| notice.id.clone());
    let of_notice = answers.iter().filter(|one| Some(&one.notice) == id.as_ref());
    Ok(NoticeLine {
        name,
        status: status.to_owned(),
        locale: notice.map(|notice| notice.locale.to_string()),
        version: notice.map(|notice| notice.version),
        headline: notice.map(|notice| notice.headline.clone()),
        sha256: file.sha256.clone(),
        passes: !findings.has_errors(),
        errors: count(Level::Error),
        warnings: count(Level::Warning),
        findings: json_of(&findings),
        waiting: waiting.map(VersionLine::of),
        shown: published.map(VersionLine::of),
        precedes: named.is_some_and(|named| named.publish.is_some() || before_move),
        publish: named.and_then(|named| named.publish).map(|day| day.to_string()),
        answers: of_notice
            .map(|one| Answered { version: one.version, choice: one.choice.clone(), people: one.people })
            .collect(),
        notice: id,
    })
}
