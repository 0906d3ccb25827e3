//! Both sides read again on request, what differs shown through the gate, and the report of the latest run.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use dunlin_guard::Action;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::opening::{Wanted, ask};
use super::people::Made;
use super::{created, items, ok};
use crate::app::App;
use crate::engine::{Reason, Through, Verification};
use crate::extract::{Json, Path};
use crate::gate::Caller;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

/// Which tables.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Verify {
    /// Their labels; none for all.
    #[serde(default)]
    tables: Vec<String>,
}

/// Which table's differences, and how they are wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenDifferences {
    /// The table's label.
    table: String,
    /// Clear keys, which need a purpose and more.
    #[serde(default)]
    clear: bool,
    /// Why.
    #[serde(default)]
    purpose: Option<Reason>,
    /// The task it is for.
    #[serde(default)]
    task: Option<String>,
}

pub(super) fn routes(routes: Routes) -> Routes {
    let verify = Access::May(Action::RunVerify, Target::Workspace);
    let report = Access::May(Action::ReportRead, Target::Workspace);
    routes
        .add(
            Op::new(
                Method::Get,
                "/api/v1/verifications",
                verify,
                "verifications",
                "What was read again, the newest first",
            )
            .answers_object("`items`: verifications"),
            list,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/verifications",
                verify,
                "verify",
                "Read both sides again and reconcile",
            )
            .takes::<Verify>()
            .creates::<Made>("The verification's id"),
            start,
        )
        .add(
            Op::new(
                Method::Get,
                "/api/v1/verifications/{verification}",
                verify,
                "verification",
                "How far one is, and what it found",
            )
            .answers::<Verification>("The verification"),
            one,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/verifications/{verification}/differences",
                verify,
                "verification_differences",
                "Which rows of a table differ: their keys come through the gate",
            )
            .takes::<OpenDifferences>()
            .answers_object("`differences`: a row each"),
            differences,
        )
        .add(
            Op::new(
                Method::Get,
                "/api/v1/report",
                report,
                "report",
                "The evidence of the latest run, as data",
            )
            .answers_object("As `report.json` of `dunlin report`"),
            report_json,
        )
        .add(
            Op::new(
                Method::Get,
                "/api/v1/report/page",
                report,
                "report_page",
                "The evidence of the latest run, as one self-contained page",
            )
            .answers_object("As `report.html` of `dunlin report`, under `text/html`"),
            report_page,
        )
}

async fn list(State(app): State<App>) -> Response {
    items(&app.engine.verifications())
}

async fn start(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<Verify>,
) -> Result<Response, Problem> {
    let id = app.engine.verify(body.tables, caller.who.actor()).await?;
    Ok(created(&Made { id }))
}

async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let found = app.engine.verifications().into_iter().find(|v| v.id == id);
    Ok(ok(&found.ok_or_else(|| Problem::not_found("verification"))?))
}

async fn differences(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<OpenDifferences>,
) -> Result<Response, Problem> {
    let wanted = Wanted { clear: body.clear, purpose: body.purpose.as_ref(), task: body.task.as_deref() };
    let ask = ask(&app, &caller, &wanted, "differences");
    let through = Through { policy: &app.policy, log: &app.presence, ask };
    let found = app.engine.differences(&id, &body.table, through).await?;
    Ok(ok(&json!({ "table": body.table, "differences": found })))
}

async fn report_json(State(app): State<App>) -> Result<Response, Problem> {
    Ok(ok(&app.engine.report().await?.json))
}

async fn report_page(State(app): State<App>) -> Result<Response, Problem> {
    let mut response = (StatusCode::OK, Html(app.engine.report().await?.html)).into_response();
    // The page carries its own styles and no script; it stands apart from the app even when it is framed.
    let policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    Ok(response)
}
