//! Signing in with an identity provider: there and back again. What ties the two is a cookie of this browser.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use dunlin_guard::oidc::{Answer, OidcError};
use dunlin_guard::{ErrorKind, Secret};

use super::enter::{go_on, origin};
use super::to;
use crate::app::App;
use crate::cookies;
use crate::extract::{Path, Query};
use crate::gate::CameFrom;
use crate::problem::Problem;

/// How long somebody may take at the provider, in seconds.
const TAKES: u64 = 10 * 60;

fn cookie(app: &App) -> &'static str {
    if app.config.is_secure() { "__Host-dunlin-oidc" } else { "dunlin-oidc" }
}

pub(super) async fn begin(State(app): State<App>, Path(provider): Path<String>) -> Result<Response, Problem> {
    let begun = app.oidc.begin(&provider).await?;
    let mut response = to(begun.url.as_str());
    if let Some(value) = cookies::set(&app, cookie(&app), begun.browser.expose(), Some(TAKES)) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

pub(super) async fn back(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Path(provider): Path<String>,
    Query(answer): Query<Answer>,
) -> Result<Response, Problem> {
    let browser = cookies::value(&headers, cookie(&app)).map(Secret::new).ok_or(OidcError::Stale)?;
    let signed_in = app.oidc.finish(&provider, &origin(from), &browser, answer).await?;
    let mut response = go_on(&app, &signed_in, "/");
    if let Some(value) = cookies::set(&app, cookie(&app), "", Some(0)) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

impl From<OidcError> for Problem {
    fn from(error: OidcError) -> Problem {
        // A refused sign-in would lead back to the sign-in page without a word; it is said instead.
        let status = match error.kind() {
            ErrorKind::Busy => StatusCode::BAD_GATEWAY,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::FORBIDDEN,
        };
        tracing::warn!(
            code = error.code(),
            reference = crate::problem::reference(),
            "a sign-in with a provider failed"
        );
        Problem::new(status, error.code(), error.to_string())
            .help("go back to the sign-in page and try again, or use another way")
    }
}
