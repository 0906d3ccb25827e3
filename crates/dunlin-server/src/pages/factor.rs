//! The second factor: showing it, setting one up, recovery codes.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use dunlin_guard::{GuardError, Secret, Stage};
use qrcode::{Color, EcLevel, QrCode};
use serde::Deserialize;

use super::enter::{go_on, must_go, origin};
use super::view::{CodesPage, EnrolPage, MakeCodesPage, Qr, SecondFactorPage, html};
use super::{safe_next, to, wrong};
use crate::app::App;
use crate::extract::{Form, Query};
use crate::gate::{Caller, CameFrom, by_cookie, check_form_token};
use crate::problem::Problem;

#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Code {
    csrf: String,
    code: Secret,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Enrol {
    csrf: String,
    code: Secret,
    #[serde(default)]
    otpauth: String,
    #[serde(default)]
    secret: String,
}

#[derive(Deserialize)]
pub(super) struct Token {
    csrf: String,
}

/// The form token of a caller's session.
pub(super) fn csrf(app: &App, caller: &Caller) -> Result<String, Problem> {
    let token = caller.token.as_ref().ok_or_else(Problem::unauthenticated)?;
    Ok(app.guard.form_token(token)?)
}

fn second_page(
    app: &App,
    caller: &Caller,
    next: &str,
    problem: Option<&Problem>,
) -> Result<Response, Problem> {
    let page = SecondFactorPage {
        brand: app.brands.now(),
        csrf: csrf(app, caller)?,
        wrong: problem.map(wrong),
        next: safe_next(next),
    };
    Ok(html(problem.map_or(StatusCode::OK, Problem::status_code), &page))
}

pub(super) async fn second(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Query(query): Query<Next>,
) -> Result<Response, Problem> {
    let caller = by_cookie(&app, &headers, origin(from)).await?;
    // A full session may show its factor again, to make it fresh.
    if caller.who.stage == Stage::Enrol {
        return Ok(to("/enrol"));
    }
    second_page(&app, &caller, &query.next, None)
}

pub(super) async fn second_done(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Form(form): Form<Code>,
) -> Result<Response, Problem> {
    let caller = by_cookie(&app, &headers, origin(from)).await?;
    check_form_token(&app, &caller, &headers, &form.csrf)?;
    match app.guard.show_code(&caller.who, &caller.origin, &form.code).await {
        Ok(shown) => Ok(go_on(&app, &shown, &form.next)),
        Err(error) => second_page(&app, &caller, &form.next, Some(&error.into())),
    }
}

/// What the page shows an app: the address in the QR code, and the secret to be typed.
struct AppKey {
    otpauth: String,
    secret: String,
}

fn enrol_page(
    app: &App,
    caller: &Caller,
    key: AppKey,
    problem: Option<&Problem>,
) -> Result<Response, Problem> {
    let page = EnrolPage {
        brand: app.brands.now(),
        csrf: csrf(app, caller)?,
        wrong: problem.map(wrong),
        required: caller.who.stage == Stage::Enrol,
        qr: qr(&key.otpauth)?,
        otpauth: key.otpauth,
        secret: key.secret,
    };
    Ok(html(problem.map_or(StatusCode::OK, Problem::status_code), &page))
}

async fn new_key(app: &App, caller: &Caller) -> Result<AppKey, Problem> {
    let begun = app.guard.begin_totp(&caller.who).await?;
    Ok(AppKey { secret: grouped(begun.secret.expose()), otpauth: begun.url.expose().to_owned() })
}

/// In groups of four, which can be typed without losing one's place.
fn grouped(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// A QR code with the quiet zone that its standard asks for (ISO/IEC 18004: four modules).
fn qr(text: &str) -> Result<Qr, Problem> {
    const QUIET: usize = 4;
    let code =
        QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).map_err(|_| Problem::internal())?;
    let width = code.width();
    let mut path = String::new();
    for (at, color) in code.to_colors().iter().enumerate() {
        if *color == Color::Dark {
            let (x, y) = (at % width + QUIET, at / width + QUIET);
            path.push_str(&format!("M{x} {y}h1v1h-1z"));
        }
    }
    Ok(Qr { size: width + 2 * QUIET, path })
}

pub(super) async fn enrol(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = by_cookie(&app, &headers, origin(from)).await?;
    if caller.who.stage == Stage::SecondFactor {
        return Ok(to("/second-factor"));
    }
    match new_key(&app, &caller).await {
        Ok(key) => enrol_page(&app, &caller, key, None),
        Err(problem) if problem.code == "fresh_factor_needed" => Ok(to("/second-factor?next=/enrol")),
        Err(problem) => Err(problem),
    }
}

pub(super) async fn enrol_done(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Form(form): Form<Enrol>,
) -> Result<Response, Problem> {
    let caller = by_cookie(&app, &headers, origin(from)).await?;
    check_form_token(&app, &caller, &headers, &form.csrf)?;
    match app.guard.confirm_totp(&caller.who, &caller.origin, &form.code).await {
        Ok(raised) => Ok(go_on(&app, &raised, "/enrol/codes")),
        // After a typing error the same key is shown: another one would make the app that was just set up useless.
        Err(error @ GuardError::FactorRefused) if form.otpauth.starts_with("otpauth://totp/") => {
            let key = AppKey { otpauth: form.otpauth, secret: form.secret };
            enrol_page(&app, &caller, key, Some(&error.into()))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn codes(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = by_cookie(&app, &headers, origin(from)).await?;
    if let Some(elsewhere) = must_go(caller.who.stage, Stage::Full) {
        return Ok(elsewhere);
    }
    let page = MakeCodesPage { brand: app.brands.now(), csrf: csrf(&app, &caller)?, wrong: None };
    Ok(html(StatusCode::OK, &page))
}

pub(super) async fn codes_done(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Form(form): Form<Token>,
) -> Result<Response, Problem> {
    let caller = by_cookie(&app, &headers, origin(from)).await?;
    check_form_token(&app, &caller, &headers, &form.csrf)?;
    match app.guard.new_recovery_codes(&caller.who).await {
        Ok(codes) => {
            let codes = codes.iter().map(|code| code.expose().to_owned()).collect();
            let page = CodesPage { brand: app.brands.now(), csrf: csrf(&app, &caller)?, codes };
            Ok(html(StatusCode::OK, &page))
        }
        Err(GuardError::FreshFactorNeeded) => Ok(to("/second-factor?next=/enrol/codes")),
        Err(error) => {
            let problem = Problem::from(error);
            let wrong = Some(wrong(&problem));
            let page = MakeCodesPage { brand: app.brands.now(), csrf: csrf(&app, &caller)?, wrong };
            Ok(html(problem.status_code(), &page))
        }
    }
}
