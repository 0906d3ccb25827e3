//! Customers who sign in where the company lets its customers sign in (OpenID Connect): there and back again. What ties the
//! two is a cookie of this browser, apart from that of people who work on the move.
//!
//! Who it is, the claim that `server.toml` names says, or the address for which the provider vouches. A sign-in is as old as
//! the provider says, so that an old one there does not delete or copy anything here.

use axum::extract::Query;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dunlin_guard::Secret;
use dunlin_guard::oidc::{Answer, CUSTOMERS, OidcError};

use super::session::{self, FRESH_US, Known};
use super::{Visit, enter};
use crate::app::App;
use crate::cookies;
use crate::problem::Problem;

/// How long somebody may take at the provider, in seconds.
const TAKES: u64 = 10 * 60;

fn cookie_name(app: &App) -> &'static str {
    if app.config.is_secure() { "__Secure-dunlin-me-oidc" } else { "dunlin-me-oidc" }
}

fn cookie(app: &App, value: &str, seconds: u64) -> Option<HeaderValue> {
    let secure = if app.config.is_secure() { "; Secure" } else { "" };
    let name = cookie_name(app);
    let text =
        format!("{name}={value}; Path=/tell/me/oidc; HttpOnly; SameSite=Lax{secure}; Max-Age={seconds}");
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// What stands on the button, where there is a provider.
pub(super) fn label(app: &App) -> Option<String> {
    let own = app.config.tell.oidc.as_ref()?.label.clone();
    Some(own.unwrap_or_else(|| crate::requests::company(app)))
}

/// To the provider.
pub(super) async fn begin(visit: Visit) -> Result<Response, Problem> {
    let app = &visit.app;
    if label(app).is_none() || !crate::tell::has_own_page(app) {
        return enter::form(&visit, false);
    }
    let begun = app.customers_oidc.begin(CUSTOMERS).await?;
    let place = HeaderValue::from_str(begun.url.as_str()).map_err(|_| Problem::internal())?;
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response();
    response
        .headers_mut()
        .extend(cookie(app, begun.browser.expose(), TAKES).map(|c| (header::SET_COOKIE, c)));
    Ok(response)
}

/// And back.
pub(super) async fn back(visit: Visit, Query(answer): Query<Answer>) -> Result<Response, Problem> {
    let app = &visit.app;
    let browser = cookies::value(&visit.headers, cookie_name(app)).map(Secret::new).ok_or(OidcError::Stale);
    let said = match browser {
        Ok(browser) => app.customers_oidc.finish_customer(&browser, answer).await,
        Err(stale) => Err(stale),
    };
    let said = match said {
        Ok(said) => said,
        Err(error) => {
            tracing::warn!(code = error.code(), "a customer's sign-in at the provider failed");
            let words = visit.words();
            return visit.says(StatusCode::FORBIDDEN, words.wrong, words.sign_in_failed);
        }
    };
    let named = app.config.tell.oidc.as_ref().and_then(|o| o.subject_claim.as_deref());
    let key = match (named, &said.email) {
        (Some(claim), _) => said.claims.claim(claim),
        (None, Some(email)) => {
            // A look reads the customers' table whole: nobody gets more of them here than on the page.
            let Ok(_seat) = app.requests.seats.of(app.workspace.keys().subject_name(email)?).await else {
                let words = visit.words();
                return visit.says(StatusCode::TOO_MANY_REQUESTS, words.closed, words.closed_lead);
            };
            let keys = app.customers()?.with_address(email).await?;
            if keys.is_empty() {
                return visit.says(StatusCode::OK, visit.words().unknown, visit.words().unknown_lead);
            }
            // Several: nobody knows which; nothing is shown until a person has checked.
            <[_; 1]>::try_from(keys).ok().map(|[one]| one.0)
        }
        (None, None) => None,
    };
    if key.is_none() && said.email.is_none() {
        return visit.says(StatusCode::OK, visit.words().unknown, visit.words().unknown_lead);
    }
    let age_us = said
        .signed_in_at
        .map_or(FRESH_US, |at| dunlin_store::now_us().saturating_sub(at.saturating_mul(1_000_000)).max(0));
    let at = app.guard.now().late.saturating_sub(age_us);
    let known = enter::reached(app, Known { key, email: said.email, ..Known::default() }).await;
    let cookie_of_session = session::begin(app, &known, "oidc", at).await?;
    let mut response = visit.to("/tell/me");
    response.headers_mut().append(header::SET_COOKIE, cookie_of_session);
    response.headers_mut().extend(cookie(app, "", 0).map(|c| (header::SET_COOKIE, c)));
    Ok(response)
}
