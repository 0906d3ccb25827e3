//! The API under `/api/v1`, one file a subject. Handlers translate between HTTP and the guard, the plan and the
//! engine; what is allowed was asked before they run, and what depends on the body they ask once more.

mod access;
mod alerts;
mod data;
mod duplicates;
mod grants;
mod ledger;
mod me;
mod notices;
mod opening;
mod packs;
mod people;
pub(crate) mod plan;
mod policy;
mod quarantine;
mod requests;
mod runs;
mod scim;
mod sign_in;
mod system;
mod verify;
pub(crate) mod work;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use dunlin_guard::AccessError;
use serde::Serialize;
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths};

use crate::operation::Routes;
use crate::problem::Problem;

pub(crate) use system::{health, metrics, ready, tiles};

/// The largest number of items that one answer lists.
pub(crate) const PAGE_MAX: u32 = 500;

/// Every operation.
pub(crate) fn routes() -> Routes {
    Routes::new(document())
        .with(system::routes)
        .with(sign_in::routes)
        .with(me::routes)
        .with(access::routes)
        .with(people::routes)
        .with(grants::routes)
        .with(policy::routes)
        .with(plan::routes)
        .with(packs::routes)
        .with(runs::routes)
        .with(quarantine::routes)
        .with(duplicates::routes)
        .with(data::routes)
        .with(verify::routes)
        .with(ledger::routes)
        .with(alerts::routes)
        .with(scim::routes)
        .with(work::routes)
        .with(notices::routes)
        .with(requests::routes)
}

fn document() -> OpenApi {
    let about = "Everything that dunlin does, for programs. `x-dunlin-action` of an operation names what the policies \
                 are asked for; `public` means that nobody is. Requests that change something and carry the session's \
                 cookie need the header `X-CSRF-Token`; those with `Authorization: Bearer` do not. Times are \
                 microseconds since 1970-01-01 UTC.";
    let info = InfoBuilder::new()
        .title("dunlin")
        .version("1")
        .description(Some(about))
        .license(Some(LicenseBuilder::new().name("MIT OR Apache-2.0").build()))
        .build();
    OpenApiBuilder::new().info(info).paths(Paths::new()).components(Some(security())).build()
}

fn security() -> utoipa::openapi::Components {
    use utoipa::openapi::ComponentsBuilder;
    use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
    let cookie = ApiKeyValue::with_description("dunlin", "`__Host-dunlin` under TLS");
    ComponentsBuilder::new()
        .security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
        .security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)))
        .build()
}

/// 200 with JSON.
pub(crate) fn ok<T: Serialize>(body: &T) -> Response {
    answer(StatusCode::OK, body)
}

/// 201 with JSON.
pub(crate) fn created<T: Serialize>(body: &T) -> Response {
    answer(StatusCode::CREATED, body)
}

/// 204.
pub(crate) fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

fn answer<T: Serialize>(status: StatusCode, body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [("content-type", "application/json")], bytes).into_response(),
        Err(_) => Problem::internal().into_response(),
    }
}

/// A list under a name of its own, so that more can stand beside it later.
pub(crate) fn items<T: Serialize>(items: &[T]) -> Response {
    ok(&serde_json::json!({ "items": items }))
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Problem {
        match error {
            AccessError::Refused { reason_code, sentence } => Problem::forbidden(&reason_code, sentence),
            AccessError::Guard(error) => error.into(),
        }
    }
}
