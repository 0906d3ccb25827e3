//! Versions that were handed in: approved by somebody who did not write them, taken back, withdrawn, compared.

use axum::extract::State;
use axum::response::Response;
use dunlin_guard::{Action, Resource};
use dunlin_store::NoticeVersion;
use dunlin_tell::NoticeSource;
use dunlin_tell::diff::{Happened, Piece, changes};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;

use super::edit::{TextRead, links};
use super::lines::VersionLine;
use super::{handed, op, plan_of, tell_version};
use crate::api::{items, ok};
use crate::app::App;
use crate::extract::{Json, Path, Query};
use crate::gate::{Caller, allowed};
use crate::notices::{NoticeError, NoticeFile, publish, take_back, withdraw};
use crate::operation::{Method, Routes};
use crate::problem::Problem;

/// Why a text is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Withdrawal {
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// Which versions.
#[derive(Deserialize)]
struct Which {
    notice: Option<String>,
}

/// With which one to compare.
#[derive(Deserialize)]
struct With {
    with: Option<String>,
}

/// A run of words.
#[derive(Serialize, ToSchema)]
struct Words {
    /// `same`, `added` or `removed`.
    what: String,
    text: String,
}

/// A part that differs.
#[derive(Serialize, ToSchema)]
struct Part {
    /// Its heading, in the notice's language.
    place: String,
    /// `added`, `removed` or `changed`.
    happened: String,
    words: Vec<Words>,
}

/// Two versions side by side.
#[derive(Serialize, ToSchema)]
struct ComparedVersions {
    /// The older one; none when there is nothing before.
    old: Option<VersionLine>,
    new: VersionLine,
    parts: Vec<Part>,
}

pub(super) fn routes(routes: Routes) -> Routes {
    let path = "/api/v1/notices/versions";
    routes
        .add(
            op(
                Method::Get,
                path,
                Action::NoticesRead,
                "notice_versions",
                "Everything that was ever handed in, the newest first",
            )
            .query("notice", Type::String, "Only of this notice")
            .answers::<Vec<VersionLine>>("`items`: versions"),
            list,
        )
        .add(
            op(
                Method::Get,
                "/api/v1/notices/versions/{version}",
                Action::NoticesRead,
                "notice_version",
                "One version with its text and what it states about the plan",
            )
            .answers_object("`version`, `text`, `facts`"),
            one,
        )
        .add(
            op(
                Method::Get,
                "/api/v1/notices/versions/{version}/diff",
                Action::NoticesRead,
                "notice_diff",
                "What changed, in the reader's words",
            )
            .query("with", Type::String, "The id of the other version; by default the one published before")
            .answers::<ComparedVersions>("The parts that differ"),
            diff,
        )
        .with(deciding_routes)
}

fn deciding_routes(routes: Routes) -> Routes {
    routes
        .add(
            op(
                Method::Post,
                "/api/v1/notices/versions/{version}/approve",
                Action::NoticesApprove,
                "notice_approve",
                "Stand for a text that somebody else wrote, and so publish it",
            )
            .takes::<TextRead>()
            .answers::<VersionLine>("The version, published"),
            approve,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/notices/versions/{version}/take-back",
                Action::NoticesWrite,
                "notice_take_back",
                "Take back what waits for an approval",
            )
            .answers::<VersionLine>("The version"),
            back,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/notices/versions/{version}/withdraw",
                Action::NoticesWithdraw,
                "notice_withdraw",
                "No longer show what is published",
            )
            .takes::<Withdrawal>()
            .answers::<VersionLine>("The version"),
            no_longer,
        )
}

async fn list(State(app): State<App>, Query(which): Query<Which>) -> Result<Response, Problem> {
    let mut all = app.workspace.state().notices().await?;
    all.retain(|one| which.notice.as_ref().is_none_or(|notice| one.notice == *notice));
    Ok(items(&all.iter().map(VersionLine::of).collect::<Vec<_>>()))
}

async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let version = app.workspace.state().notice(&id).await?;
    let line = VersionLine::of(&version);
    Ok(ok(&json!({ "version": line, "text": version.text, "facts": version.facts })))
}

/// A version as a notice. What was handed in was one, so that anything else is damage.
pub(super) fn parsed(version: &NoticeVersion) -> Result<NoticeSource, Problem> {
    Ok(dunlin_tell::parse(&version.text, &version.file).map_err(NoticeError::Unreadable)?)
}

async fn diff(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(with): Query<With>,
) -> Result<Response, Problem> {
    let state = app.workspace.state();
    let new = state.notice(&id).await?;
    let old = match &with.with {
        Some(other) => Some(state.notice(other).await?),
        None => {
            let all = state.notice_versions(&new.notice).await?;
            let before = all.into_iter().filter(|one| {
                one.locale == new.locale && one.published_at.is_some() && one.version < new.version
            });
            before.max_by_key(|one| one.version)
        }
    };
    let after = parsed(&new)?.notice;
    let found = match &old {
        Some(old) => changes(&parsed(old)?.notice, &after),
        None => Vec::new(),
    };
    let words = |piece: Piece| match piece {
        Piece::Same(text) => Words { what: "same".to_owned(), text },
        Piece::Added(text) => Words { what: "added".to_owned(), text },
        Piece::Removed(text) => Words { what: "removed".to_owned(), text },
    };
    let happened = |what| match what {
        Happened::Added => "added",
        Happened::Removed => "removed",
        Happened::Changed => "changed",
    };
    let parts = found.into_iter().map(|change| Part {
        happened: happened(change.happened).to_owned(),
        place: change.place,
        words: change.pieces.into_iter().map(words).collect(),
    });
    let compared = ComparedVersions {
        old: old.as_ref().map(VersionLine::of),
        new: VersionLine::of(&new),
        parts: parts.collect(),
    };
    Ok(ok(&compared))
}

async fn approve(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<TextRead>,
) -> Result<Response, Problem> {
    let version = app.workspace.state().notice(&id).await?;
    let mut authors = version.authors.clone();
    authors.push(version.submitted_by.clone());
    // Authors are people; what a shell wrote has none whom the policies know.
    allowed(&app, &caller.who, Action::NoticesApprove, &Resource::Notice { authors }).await?;
    let plan = plan_of(&app)?;
    let file =
        NoticeFile { path: version.file.clone(), text: version.text.clone(), sha256: version.sha256.clone() };
    let (asked, actor) = (links(&app, &file).await?, caller.who.actor());
    let late = app.guard.now().late;
    let approvals = app.guard.approvals_of(&plan.fingerprint().to_string()).await?;
    // As for a run: a word from a shell does not count here.
    let holds = |one: &dunlin_guard::ApprovalRecord| {
        one.role.is_some() && one.voided_at.is_none() && one.expires_at > late
    };
    let approved = approvals.iter().any(holds);
    let with = handed(&app, &plan, &actor, Some(&asked));
    let version = publish(&with, &id, &body.sha256, approved).await?;
    tell_version(&app, &caller, "published", &version);
    Ok(ok(&VersionLine::of(&version)))
}

async fn back(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let (plan, actor) = (plan_of(&app)?, caller.who.actor());
    let version = take_back(&handed(&app, &plan, &actor, None), &id).await?;
    tell_version(&app, &caller, "taken_back", &version);
    Ok(ok(&VersionLine::of(&version)))
}

async fn no_longer(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Withdrawal>,
) -> Result<Response, Problem> {
    let reason = body.reason.trim();
    if reason.is_empty() || reason.chars().count() > 2000 {
        return Err(Problem::bad_request("say why, in 1 to 2000 characters"));
    }
    let (plan, actor) = (plan_of(&app)?, caller.who.actor());
    let version = withdraw(&handed(&app, &plan, &actor, None), &id, reason).await?;
    tell_version(&app, &caller, "withdrawn", &version);
    Ok(ok(&VersionLine::of(&version)))
}
