//! SCIM 2.0 (RFC 7643, 7644): people for an identity provider. It comes with a service token whose scope is
//! `scim.manage`.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use dunlin_guard::Action;
use dunlin_guard::scim::{ListQuery, ScimError, resource_types, schemas, service_provider_config};
use serde_json::Value;
use utoipa::openapi::schema::Type;

use crate::app::App;
use crate::extract::{Json, Path, Query};
use crate::gate::Caller;
use crate::operation::{Access, Method, Op, Routes, Target};

const SCIM: &str = "application/scim+json";

pub(super) fn routes(routes: Routes) -> Routes {
    let may = Access::May(Action::ScimManage, Target::Workspace);
    let op = |method, path, id, summary| Op::new(method, path, may, id, summary);
    let user = |op: Op| op.takes_object(SCIM).answers_json_as(SCIM, "The user");
    routes
        .add(
            op(Method::Get, "/scim/v2/ServiceProviderConfig", "scim_config", "What this server's SCIM can")
                .answers_json_as(SCIM, "The document"),
            config,
        )
        .add(
            op(Method::Get, "/scim/v2/ResourceTypes", "scim_types", "The kinds of resources")
                .answers_json_as(SCIM, "The document"),
            types,
        )
        .add(
            op(Method::Get, "/scim/v2/Schemas", "scim_schemas", "The schemas")
                .answers_json_as(SCIM, "The document"),
            all_schemas,
        )
        .add(
            op(Method::Get, "/scim/v2/Users", "scim_users", "Users")
                .query("filter", Type::String, "`userName eq \"…\"` or `externalId eq \"…\"`")
                .query("startIndex", Type::Integer, "From this one on, counted from 1")
                .query("count", Type::Integer, "At most this many")
                .answers_json_as(SCIM, "A list"),
            list,
        )
        .add(
            user(op(Method::Post, "/scim/v2/Users", "scim_user_create", "Add a user")).with_status(201),
            create,
        )
        .add(
            op(Method::Get, "/scim/v2/Users/{user}", "scim_user", "One user")
                .answers_json_as(SCIM, "The user"),
            read,
        )
        .add(user(op(Method::Put, "/scim/v2/Users/{user}", "scim_user_replace", "Replace a user")), replace)
        .add(
            user(op(
                Method::Patch,
                "/scim/v2/Users/{user}",
                "scim_user_patch",
                "Change a user; `active` false ends every session",
            )),
            patch,
        )
        .add(op(Method::Delete, "/scim/v2/Users/{user}", "scim_user_delete", "A user leaves"), delete)
}

/// A refusal in SCIM's own form.
struct Refusal(ScimError);

impl From<ScimError> for Refusal {
    fn from(error: ScimError) -> Refusal {
        Refusal(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        answer(status, &self.0.to_json())
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, SCIM)], body.to_string()).into_response()
}

fn ok(body: &Value) -> Response {
    answer(StatusCode::OK, body)
}

fn base(app: &App) -> String {
    format!("{}/scim/v2", app.base_url())
}

async fn config(State(app): State<App>) -> Response {
    ok(&service_provider_config(&base(&app)))
}

async fn types(State(app): State<App>) -> Response {
    ok(&resource_types(&base(&app)))
}

async fn all_schemas(State(app): State<App>) -> Response {
    ok(&schemas(&base(&app)))
}

async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Response, Refusal> {
    Ok(ok(&app.scim.list(&query).await?))
}

async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<Value>,
) -> Result<Response, Refusal> {
    let made = app.scim.create(&caller.who.actor(), &body).await?;
    let mut response = answer(StatusCode::CREATED, &made);
    let place = made["meta"]["location"].as_str().and_then(|text| text.parse().ok());
    if let Some(place) = place {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

async fn read(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Refusal> {
    Ok(ok(&app.scim.read(&id).await?))
}

async fn replace(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Result<Response, Refusal> {
    Ok(ok(&app.scim.replace(&caller.who.actor(), &id, &body).await?))
}

async fn patch(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Result<Response, Refusal> {
    Ok(ok(&app.scim.patch(&caller.who.actor(), &id, &body).await?))
}

async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Refusal> {
    app.scim.delete(&caller.who.actor(), &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
