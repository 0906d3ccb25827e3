//! The policies in plain words, what a person would see, and who is in the data now.

use axum::extract::State;
use axum::response::Response;
use dunlin_gate::{Ask, ColumnInfo, Question};
use dunlin_guard::Action;
use dunlin_ledger::Actor;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::ok;
use crate::app::App;
use crate::engine::Side;
use crate::extract::Json;
use crate::gate::Caller;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

/// Whose view of which table, in which circumstances.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WouldSee {
    /// The table's label, as the plan names it.
    table: String,
    /// `source` or `target`.
    #[serde(default)]
    side: Side,
    /// `read`, `read_masked`, `update` or `export`.
    #[schema(pattern = "^(read|read_masked|update|export)$")]
    action: String,
    /// The task it would be for.
    #[serde(default)]
    task: Option<String>,
    /// Seconds since the second factor; nothing for none.
    #[serde(default)]
    mfa_age_s: Option<u64>,
    /// Whether a purpose would be given.
    #[serde(default)]
    purpose: bool,
    /// `loopback`, `private` or `public`.
    #[serde(default)]
    network: Option<String>,
}

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::May(Action::PolicyRead, Target::Workspace);
    let would = Access::May(Action::PolicyWouldSee, Target::Person);
    let presence = Access::May(Action::PresenceRead, Target::Workspace);
    routes
        .add(
            Op::new(
                Method::Get,
                "/api/v1/policy",
                read,
                "policy",
                "The policies in plain words, with their text",
            )
            .answers_object("`fingerprint`, `schema`, `sentences`"),
            policy,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/people/{person}/would-see",
                would,
                "person_would_see",
                "What a person would see of a table: what the gate would give, and why",
            )
            .takes::<WouldSee>()
            .answers_object("The columns with how each is shown"),
            would_see,
        )
        .add(
            Op::new(
                Method::Get,
                "/api/v1/presence",
                presence,
                "presence",
                "Who is in the data now, also outside dunlin",
            )
            .answers_object("A snapshot; changes come as `presence.changed` in the event stream"),
            snapshot,
        )
}

async fn policy(State(app): State<App>) -> Response {
    ok(&json!({
        "fingerprint": app.authority.fingerprint(),
        "schema": app.authority.schema(),
        "sentences": app.authority.sentences(),
    }))
}

async fn would_see(
    State(app): State<App>,
    crate::extract::Path(person): crate::extract::Path<String>,
    Json(body): Json<WouldSee>,
) -> Result<Response, Problem> {
    // A person who is not there would see nothing, which is an answer to another question.
    app.guard.person(&person).await?;
    let plan = super::plan::current(&app)?;
    let table = plan.table(&body.table).ok_or_else(|| Problem::not_found("table in the plan"))?;
    let (store, columns) = match body.side {
        Side::Target => (&table.to.store, target_columns(table)),
        // The very columns and kinds that the gate is asked with when the source is opened.
        Side::Source => (&table.from.store, app.engine.columns(&body.table, Side::Source).await?),
    };
    let act = super::grants::act(&body.action)?;
    let mut ask = Ask::masked(Actor::Person { id: person });
    ask.action = act;
    ask.clear = act == dunlin_gate::Act::Read;
    if body.purpose {
        ask.purpose_category = Some("question".to_owned());
        ask.purpose_text = Some("what would be seen".to_owned());
    }
    ask.circumstances.task = body.task;
    ask.circumstances.mfa_age_s = body.mfa_age_s;
    ask.circumstances.network = body.network.unwrap_or_else(|| "unknown".to_owned());
    ask.circumstances.in_window = super::plan::in_window(&plan);
    let label = table.label();
    let question = Question { ask: &ask, store, table: &label, columns: &columns };
    Ok(ok(&app.policy.would_see(&question).await))
}

fn target_columns(table: &dunlin_plan::TablePlan) -> Vec<ColumnInfo> {
    let kind = |c: &dunlin_plan::ColumnPlan| c.kind.map(|kind| kind.as_str().to_owned());
    table.columns.iter().map(|c| ColumnInfo { name: c.target.clone(), kind: kind(c) }).collect()
}

async fn snapshot(State(app): State<App>, _: Caller) -> Result<Response, Problem> {
    Ok(ok(&app.presence.snapshot().await?))
}
