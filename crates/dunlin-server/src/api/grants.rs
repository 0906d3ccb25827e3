//! Grants: more than the role says, on one table, for one task.

use axum::extract::State;
use axum::response::Response;
use dunlin_gate::Act;
use dunlin_guard::{Action, GrantRequest, GuardError};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{created, done, items, ok};
use crate::app::App;
use crate::extract::{Json, Path};
use crate::gate::Caller;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

/// A grant that is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewGrant {
    /// Who gets it.
    person: String,
    /// The task that it is for.
    #[schema(min_length = 1, max_length = 64)]
    task: String,
    /// `read`, `read_masked`, `update` or `export`.
    #[schema(pattern = "^(read|read_masked|update|export)$")]
    action: String,
    /// The store's name in the plan.
    store: String,
    /// The table's label.
    table: String,
    /// Only these columns; without them every column that is not secret.
    #[serde(default)]
    columns: Option<Vec<String>>,
    /// Until then, in microseconds since 1970 UTC.
    #[serde(default)]
    until: Option<i64>,
    /// Why, as a code.
    #[schema(pattern = "^[a-z0-9_.:-]{1,64}$")]
    purpose_category: String,
    /// Why, in words.
    #[schema(min_length = 1, max_length = 2000)]
    purpose_text: String,
}

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::May(Action::GrantsRead, Target::Workspace);
    routes
        .add(
            Op::new(Method::Get, "/api/v1/grants", read, "grants", "All grants")
                .answers_object("`items`: grants"),
            list,
        )
        .add(
            Op::new(Method::Get, "/api/v1/grants/{grant}", read, "grant", "One grant")
                .answers_object("The grant"),
            one,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/grants",
                Access::May(Action::GrantsOpen, Target::Grant),
                "grant_open",
                "Open a grant",
            )
            .takes::<NewGrant>()
            .creates_object("The grant; for secret columns it waits for a second person"),
            open,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/grants/{grant}/agree",
                Access::May(Action::GrantsAgree, Target::Grant),
                "grant_agree",
                "Be the second who stands for a grant",
            )
            .answers_object("The grant"),
            agree,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/grants/{grant}/close",
                Access::May(Action::GrantsClose, Target::Grant),
                "grant_close",
                "Close a grant",
            ),
            close,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/grants/{grant}/give-back",
                Access::May(Action::SelfEdit, Target::Own),
                "grant_give_back",
                "Give back a grant of one's own",
            ),
            give_back,
        )
}

async fn list(State(app): State<App>) -> Result<Response, Problem> {
    Ok(items(&app.guard.grants().await?))
}

async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(ok(&app.guard.grant(&id).await?))
}

/// The act of a code.
pub(super) fn act(code: &str) -> Result<Act, GuardError> {
    let all = [Act::Read, Act::ReadMasked, Act::Update, Act::Export];
    let known = all.into_iter().find(|act| act.as_str() == code);
    known.ok_or(GuardError::Invalid { what: "the action", help: "read, read_masked, update or export" })
}

async fn open(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<NewGrant>,
) -> Result<Response, Problem> {
    let request = GrantRequest {
        person: body.person,
        task: body.task,
        action: act(&body.action)?,
        store: body.store,
        table: body.table,
        columns: body.columns,
        until: body.until,
        purpose_category: body.purpose_category,
        purpose_text: body.purpose_text,
    };
    let grant = app.guard.open_grant(&caller.who, &app.authority, &request).await?;
    tell(&app, &grant, "opened");
    Ok(created(&grant))
}

async fn agree(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let grant = app.guard.agree_grant(&caller.who, &app.authority, &id).await?;
    tell(&app, &grant, "agreed");
    Ok(ok(&grant))
}

async fn close(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let grant = app.guard.grant(&id).await?;
    app.guard.close_grant(&caller.who, &app.authority, &id).await?;
    tell(&app, &grant, "closed");
    Ok(done())
}

async fn give_back(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let grant = app.guard.grant(&id).await?;
    if grant.person != caller.who.person {
        // Whose grants there are is not for everybody to know.
        return Err(Problem::not_found("grant of yours"));
    }
    app.guard.close_grant(&caller.who, &app.authority, &id).await?;
    tell(&app, &grant, "closed");
    Ok(done())
}

fn tell(app: &App, grant: &dunlin_guard::Grant, change: &str) {
    let data = serde_json::json!({ "grant": grant.id, "person": grant.person, "change": change });
    app.hub.tell("grant.changed", Action::GrantsRead, Some(&grant.person), data);
}
