//! The pages that people meet before there is a web app: first set-up, sign-in, recovery, invitation, second factor,
//! devices, and a plain home. They work without a script and wear the company's name and colour.
//!
//! A page never decides: it calls the guard as the API does, and shows what it said.

mod account;
mod device;
mod enter;
mod factor;
mod federated;
mod look;
mod view;

pub(crate) use account::before_the_app;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::app::App;
use crate::problem::Problem;

use view::{ProblemPage, Wrong, html};

/// The pages' routes.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/account", get(account::home))
        .route("/sessions/{session}/end", post(account::end_session))
        .route("/password", get(account::password).post(account::password_done))
        .route("/sign-out", post(account::sign_out))
        .route("/set-up", get(enter::set_up).post(enter::set_up_done))
        .route("/sign-in", get(enter::sign_in).post(enter::sign_in_done))
        .route("/sign-in/with/{provider}", get(federated::begin))
        .route("/oidc/{provider}/back", get(federated::back))
        .route("/second-factor", get(factor::second).post(factor::second_done))
        .route("/enrol", get(factor::enrol).post(factor::enrol_done))
        .route("/enrol/codes", get(factor::codes).post(factor::codes_done))
        .route("/recover", get(enter::recover).post(enter::recover_done))
        .route("/recover/{token}", get(enter::new_password).post(enter::new_password_done))
        .route("/unlock/{token}", get(enter::unlock).post(enter::unlock_done))
        .route("/invitation/{token}", get(enter::invitation).post(enter::invitation_done))
        .route("/device", get(device::device))
        .route("/device/decide", post(device::decide))
        .route("/assets/pages.css", get(look::style))
        .route("/assets/brand.css", get(look::brand))
        .route("/assets/passkey.js", get(look::script))
        .route("/assets/icon.svg", get(look::icon))
        .route("/assets/logo", get(look::logo))
}

/// Turns a problem that a page's handler gave into a page; anything else passes.
pub(crate) fn as_page(app: &App, response: Response) -> Response {
    let Some(problem) = response.extensions().get::<Problem>().cloned() else { return response };
    if problem.status == StatusCode::UNAUTHORIZED.as_u16() {
        return to("/sign-in");
    }
    let way = match problem.code.as_str() {
        "second_factor_needed" => return to("/second-factor"),
        "enrolment_needed" => return to("/enrol"),
        _ => ("/".to_owned(), "Go to the start".to_owned()),
    };
    let page = ProblemPage {
        brand: app.brands.now(),
        heading: sentence(&problem.title),
        help: problem.help.as_deref().map(sentence),
        reference: problem.reference.clone(),
        way,
    };
    let mut made = html(problem.status_code(), &page);
    if let Some(seconds) = problem.retry_after {
        made.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
    }
    made
}

/// What was wrong, above a form.
fn wrong(problem: &Problem) -> Wrong {
    Wrong { title: sentence(&problem.title), help: problem.help.as_deref().map(sentence) }
}

/// With a capital and a full stop, as pages speak.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let capital = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    let end = if text.ends_with(['.', '?', '!', '`']) { "" } else { "." };
    format!("{capital}{}{end}", chars.as_str())
}

/// Leads the browser on with a GET.
fn to(path: &str) -> Response {
    let place = header::HeaderValue::from_str(path).unwrap_or(header::HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// Where to go after signing in: a path of this server, or the start. `//other.example` and `/\other` are what they
/// seem to a browser, not a path.
fn safe_next(next: &str) -> String {
    let plain = next.starts_with('/')
        && !next.starts_with("//")
        && next.len() <= 500
        && next.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'\\');
    if plain { next.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        for next in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "evil",
            "",
            "/\t/evil.example",
            "/a b",
        ] {
            assert_eq!(safe_next(next), "/", "{next}");
        }
        assert_eq!(safe_next("/device?code=AB-CD"), "/device?code=AB-CD");
    }
}
