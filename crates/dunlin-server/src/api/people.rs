//! People: the list, one person's record, and what is done about somebody, in one call each.

use axum::extract::State;
use axum::response::Response;
use dunlin_guard::{Action, GuardError, Limit, Reason};
use dunlin_plan::Role;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{done, items, ok};
use crate::app::App;
use crate::extract::{Json, Path};
use crate::gate::Caller;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

/// A role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Authorise {
    /// `owner`, `lead`, `engineer`, `steward`, `writer`, `approver`, `auditor` or `guest`.
    #[schema(pattern = "^(owner|lead|engineer|steward|writer|approver|auditor|guest)$")]
    role: String,
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Why {
    /// A code, which stands in the ledger.
    #[schema(pattern = "^[a-z0-9_.:-]{1,64}$")]
    category: String,
    /// In words; kept in the state, the ledger has a salted hash.
    #[schema(min_length = 1, max_length = 2000)]
    text: String,
}

/// Whether a second factor is required.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RequireMfa {
    required: bool,
}

/// An address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Address {
    #[schema(max_length = 254)]
    email: String,
}

/// A limit; what is absent is not limited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LimitTo {
    /// Only these tables, as `store.table`.
    #[serde(default)]
    #[schema(max_items = 200)]
    tables: Option<Vec<String>>,
    /// Until then, in microseconds since 1970 UTC.
    #[serde(default)]
    until: Option<i64>,
}

/// A note.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNote {
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.with(looking_routes).with(shutting_out_routes).with(limiting_routes)
}

fn looking_routes(routes: Routes) -> Routes {
    let may = |action| Access::May(action, Target::Person);
    let list = Access::May(Action::PeopleRead, Target::Workspace);
    let post = |path, action, id, summary| Op::new(Method::Post, path, may(action), id, summary);
    routes
        .add(
            Op::new(Method::Get, "/api/v1/people", list, "people", "Everybody")
                .answers_object("`items`: people"),
            people,
        )
        .add(
            Op::new(
                Method::Get,
                "/api/v1/people/{person}",
                may(Action::PeopleRecord),
                "person",
                "A person's record; of a blocked person, the investigation",
            )
            .answers_object("The record"),
            record,
        )
        .add(
            post(
                "/api/v1/people/{person}/authorise",
                Action::PeopleAuthorise,
                "person_authorise",
                "Give a person another role",
            )
            .takes::<Authorise>(),
            authorise,
        )
}

fn shutting_out_routes(routes: Routes) -> Routes {
    let may = |action| Access::May(action, Target::Person);
    let post = |path, action, id, summary| Op::new(Method::Post, path, may(action), id, summary);
    routes
        .add(
            post(
                "/api/v1/people/{person}/block",
                Action::PeopleBlock,
                "person_block",
                "Block a person: every session, token and stream ends",
            )
            .takes::<Why>(),
            block,
        )
        .add(
            post(
                "/api/v1/people/{person}/unblock",
                Action::PeopleUnblock,
                "person_unblock",
                "Let a blocked person come back",
            )
            .takes::<Why>(),
            unblock,
        )
        .add(
            post(
                "/api/v1/people/{person}/require-mfa",
                Action::PeopleRequireMfa,
                "person_require_mfa",
                "Require a second factor of a person, over what the role requires",
            )
            .takes::<RequireMfa>(),
            require_mfa,
        )
}

fn limiting_routes(routes: Routes) -> Routes {
    let may = |action| Access::May(action, Target::Person);
    let post = |path, action, id, summary| Op::new(Method::Post, path, may(action), id, summary);
    routes
        .add(
            post(
                "/api/v1/people/{person}/end-sessions",
                Action::PeopleEndSessions,
                "person_end_sessions",
                "End all sessions of a person",
            ),
            end_sessions,
        )
        .add(
            post(
                "/api/v1/people/{person}/limit",
                Action::PeopleLimit,
                "person_limit",
                "Limit a person to tables, or until a date",
            )
            .takes::<LimitTo>(),
            limit,
        )
        .add(
            post(
                "/api/v1/people/{person}/notes",
                Action::PeopleNote,
                "person_note",
                "Write a note into the investigation",
            )
            .takes::<NewNote>()
            .creates::<Made>("The note's id"),
            note,
        )
        .add(
            post(
                "/api/v1/people/{person}/unlock",
                Action::PeopleUnblock,
                "person_unlock",
                "Open what attack protection has locked",
            ),
            unlock,
        )
        .add(
            post(
                "/api/v1/people/{person}/email",
                Action::PeopleAuthorise,
                "person_change_email",
                "Give a person another address; it counts once a link that goes there is used",
            )
            .takes::<Address>(),
            change_email,
        )
        .add(
            post(
                "/api/v1/people/{person}/reset-factors",
                Action::PeopleAuthorise,
                "person_reset_factors",
                "Take all second factors of a person away who has lost them; the next sign-in sets up a new one",
            ),
            reset_factors,
        )
}

/// The id of what was made.
#[derive(serde::Serialize, ToSchema)]
pub(super) struct Made {
    pub(super) id: String,
}

async fn people(State(app): State<App>) -> Result<Response, Problem> {
    Ok(items(&app.guard.people().await?))
}

async fn record(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(ok(&app.guard.record(&id).await?))
}

fn changed(app: &App, person: &str, change: &str) {
    let data = serde_json::json!({ "person": person, "change": change });
    app.hub.tell("person.changed", Action::PeopleRead, Some(person), data);
}

async fn authorise(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Authorise>,
) -> Result<Response, Problem> {
    let role: Role = body.role.parse().map_err(|_| GuardError::Invalid {
        what: "the role",
        help: "owner, lead, engineer, steward, writer, approver, auditor or guest",
    })?;
    app.guard.authorise(&caller.who.actor(), &id, role).await?;
    changed(&app, &id, "role");
    Ok(done())
}

async fn block(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(Why { category, text }): Json<Why>,
) -> Result<Response, Problem> {
    app.guard.block(&caller.who.actor(), &id, &Reason { category, text }).await?;
    changed(&app, &id, "blocked");
    Ok(done())
}

async fn unblock(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(Why { category, text }): Json<Why>,
) -> Result<Response, Problem> {
    app.guard.unblock(&caller.who.actor(), &id, &Reason { category, text }).await?;
    changed(&app, &id, "unblocked");
    Ok(done())
}

async fn require_mfa(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<RequireMfa>,
) -> Result<Response, Problem> {
    app.guard.require_mfa(&caller.who.actor(), &id, body.required).await?;
    changed(&app, &id, "mfa");
    Ok(done())
}

async fn end_sessions(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    app.guard.end_sessions(&caller.who.actor(), &id, None).await?;
    changed(&app, &id, "sessions");
    Ok(done())
}

async fn limit(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<LimitTo>,
) -> Result<Response, Problem> {
    app.guard.limit(&caller.who.actor(), &id, &Limit { tables: body.tables, until: body.until }).await?;
    changed(&app, &id, "limit");
    Ok(done())
}

async fn note(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<NewNote>,
) -> Result<Response, Problem> {
    let id = app.guard.note(&caller.who.actor(), &id, &body.text).await?;
    Ok(super::created(&Made { id }))
}

async fn unlock(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    app.guard.unlock(&caller.who.actor(), &id).await?;
    Ok(done())
}

async fn change_email(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Address>,
) -> Result<Response, Problem> {
    app.guard.change_email(&caller.who.actor(), &id, &body.email).await?;
    changed(&app, &id, "email");
    Ok(done())
}

async fn reset_factors(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    app.guard.reset_factors(&caller.who.actor(), &id).await?;
    changed(&app, &id, "mfa");
    Ok(done())
}
