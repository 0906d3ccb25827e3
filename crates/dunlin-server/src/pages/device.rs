//! A device that asks to sign in as somebody (RFC 8628): the person checks the code, then decides.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use dunlin_guard::{DeviceRequest, Secret, Stage};
use serde::Deserialize;

use super::enter::{must_go, origin};
use super::factor::csrf;
use super::view::{ConfirmedPage, Device, DevicePage, html};
use super::{to, wrong};
use crate::app::App;
use crate::extract::{Form, Query};
use crate::gate::{Caller, CameFrom, by_cookie, check_form_token};
use crate::problem::Problem;

#[derive(Deserialize)]
pub(super) struct Code {
    #[serde(default)]
    code: String,
}

#[derive(Deserialize)]
pub(super) struct Decision {
    csrf: String,
    code: String,
    decision: String,
}

pub(super) async fn device(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Query(query): Query<Code>,
) -> Result<Response, Problem> {
    let caller = match by_cookie(&app, &headers, origin(from)).await {
        Ok(caller) => caller,
        Err(problem) if problem.status == 401 => return Ok(to(&sign_in_first(&query.code))),
        Err(problem) => return Err(problem),
    };
    if let Some(elsewhere) = must_go(caller.who.stage, Stage::Full) {
        return Ok(elsewhere);
    }
    if query.code.trim().is_empty() {
        return page(&app, &caller, "", None, None);
    }
    match app.guard.device_request(&caller.who, &caller.origin, &Secret::new(query.code.clone())).await {
        Ok(asked) => page(&app, &caller, &query.code, Some(&asked), None),
        Err(error) => page(&app, &caller, &query.code, None, Some(&error.into())),
    }
}

/// The sign-in page, and back here with the code.
fn sign_in_first(code: &str) -> String {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let back = if code.is_empty() { "/device".to_owned() } else { format!("/device?code={}", encode(code)) };
    format!("/sign-in?next={}", encode(&back))
}

fn page(
    app: &App,
    caller: &Caller,
    code: &str,
    asked: Option<&DeviceRequest>,
    problem: Option<&Problem>,
) -> Result<Response, Problem> {
    let device = asked.map(|asked| Device {
        code: code.trim().to_uppercase(),
        client: asked.client.clone(),
        address: asked.address.clone(),
        may: may(&asked.scopes),
        person: format!("{}, {}", caller.who.name, caller.who.email),
    });
    let page = DevicePage {
        brand: app.brands.now(),
        csrf: csrf(app, caller)?,
        wrong: problem.map(wrong),
        code: code.to_owned(),
        device,
    };
    Ok(html(problem.map_or(StatusCode::OK, Problem::status_code), &page))
}

fn may(scopes: &[String]) -> String {
    if scopes.is_empty() || scopes.iter().any(|scope| scope == "*") {
        return "everything that you may".to_owned();
    }
    scopes.join(", ")
}

pub(super) async fn decide(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Form(form): Form<Decision>,
) -> Result<Response, Problem> {
    let caller = by_cookie(&app, &headers, origin(from)).await?;
    check_form_token(&app, &caller, &headers, &form.csrf)?;
    let agree = form.decision == "approve";
    let code = Secret::new(form.code.clone());
    match app.guard.decide_device(&caller.who, &caller.origin, &code, agree).await {
        Ok(_) => {
            let (title, lead) = if agree {
                (
                    "The device is signed in",
                    "Go back to it. You can end this at any time: its token is among yours.",
                )
            } else {
                (
                    "The device was refused",
                    "It was not let in. When you did not start it, somebody may have tried to get in as you.",
                )
            };
            Ok(html(StatusCode::OK, &ConfirmedPage { brand: app.brands.now(), title, lead }))
        }
        Err(dunlin_guard::GuardError::FreshFactorNeeded) => {
            let next: String =
                url::form_urlencoded::byte_serialize(format!("/device?code={}", form.code).as_bytes())
                    .collect();
            Ok(to(&format!("/second-factor?next={next}")))
        }
        Err(error) => page(&app, &caller, &form.code, None, Some(&error.into())),
    }
}
