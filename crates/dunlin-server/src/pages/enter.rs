//! Coming in: first set-up, sign-in, invitation, recovery, unlocking. Nobody is signed in here yet, so what protects
//! these forms from other sites is the browser's word on where they come from.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use dunlin_guard::{Origin, Secret, SetUp, SignedIn, Stage};
use serde::Deserialize;

use super::view::{
    ConfirmPage, InvitationPage, NewPasswordPage, Provider, RecoverPage, RecoverSentPage, SetUpPage,
    SignInPage, html,
};
use super::{safe_next, to, wrong};
use crate::app::App;
use crate::cookies;
use crate::extract::{Form, Path, Query};
use crate::gate::{CameFrom, by_cookie, own_page};
use crate::problem::Problem;

#[derive(Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
    #[serde(default)]
    said: String,
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    email: String,
    password: Secret,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct First {
    secret: Secret,
    name: String,
    email: String,
    password: Secret,
}

#[derive(Deserialize)]
pub(super) struct Accept {
    name: String,
    password: Secret,
}

#[derive(Deserialize)]
pub(super) struct Address {
    email: String,
}

#[derive(Deserialize)]
pub(super) struct NewPassword {
    password: Secret,
}

/// What the sign-in page says to somebody who was led there.
fn said(code: &str) -> &'static str {
    match code {
        "signed-out" => "You are signed out.",
        "ended" => "Your session has ended. Sign in again to go on.",
        "password" => "Your password is saved, and all other sessions have ended. Sign in with it.",
        "unlocked" => "Your account is open again.",
        _ => "",
    }
}

fn sign_in_page(
    app: &App,
    email: &str,
    next: &str,
    said: &'static str,
    problem: Option<&Problem>,
) -> Response {
    let providers = app.oidc.providers().into_iter().map(|(name, title)| Provider { name, title }).collect();
    let page = SignInPage {
        brand: app.brands.now(),
        said,
        wrong: problem.map(wrong),
        next: safe_next(next),
        email: email.to_owned(),
        providers,
    };
    html(problem.map_or(StatusCode::OK, Problem::status_code), &page)
}

pub(super) async fn sign_in(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Query(query): Query<Next>,
) -> Result<Response, Problem> {
    if app.guard.needs_set_up().await? {
        return Ok(to("/set-up"));
    }
    // Whoever is signed in already has nothing to do here.
    if let Ok(caller) = by_cookie(&app, &headers, from.0).await {
        return Ok(to(stage_page(caller.who.stage, &safe_next(&query.next)).as_str()));
    }
    Ok(sign_in_page(&app, "", &query.next, said(&query.said), None))
}

pub(super) async fn sign_in_done(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Result<Response, Problem> {
    own_page(&app, &headers)?;
    match app.guard.sign_in(&from.0, &form.email, &form.password).await {
        Ok(signed_in) => Ok(go_on(&app, &signed_in, &form.next)),
        Err(error) => Ok(sign_in_page(&app, &form.email, &form.next, "", Some(&error.into()))),
    }
}

/// The page that a session of this stage must see next.
fn stage_page(stage: Stage, next: &str) -> String {
    let page = match stage {
        Stage::Full => return next.to_owned(),
        Stage::SecondFactor => "/second-factor",
        Stage::Enrol => "/enrol",
    };
    if next == "/" { page.to_owned() } else { format!("{page}?next={}", urlencoded(next)) }
}

fn urlencoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Hands the session's cookie over and leads on.
pub(super) fn go_on(app: &App, signed_in: &SignedIn, next: &str) -> Response {
    let mut response = to(&stage_page(signed_in.stage, &safe_next(next)));
    if let Some(cookie) = cookies::set_session(app, signed_in.token.expose()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) async fn set_up(State(app): State<App>) -> Result<Response, Problem> {
    if !app.guard.needs_set_up().await? {
        return Ok(to("/sign-in"));
    }
    let page = SetUpPage { brand: app.brands.now(), wrong: None, name: String::new(), email: String::new() };
    Ok(html(StatusCode::OK, &page))
}

pub(super) async fn set_up_done(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Form(form): Form<First>,
) -> Result<Response, Problem> {
    own_page(&app, &headers)?;
    let first =
        SetUp { secret: &form.secret, name: &form.name, email: &form.email, password: &form.password };
    match app.guard.set_up(&from.0, first).await {
        Ok(signed_in) => Ok(go_on(&app, &signed_in, "/")),
        Err(error) => {
            let problem = Problem::from(error);
            let (name, email) = (form.name, form.email);
            let page = SetUpPage { brand: app.brands.now(), wrong: Some(wrong(&problem)), name, email };
            Ok(html(problem.status_code(), &page))
        }
    }
}

pub(super) async fn invitation(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let info = app.guard.invitation(&Secret::new(token.clone())).await?;
    let page = InvitationPage {
        brand: app.brands.now(),
        wrong: None,
        token,
        role: info.role,
        email: info.email,
        name: info.name,
    };
    Ok(html(StatusCode::OK, &page))
}

pub(super) async fn invitation_done(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Path(token): Path<String>,
    Form(form): Form<Accept>,
) -> Result<Response, Problem> {
    own_page(&app, &headers)?;
    let secret = Secret::new(token.clone());
    let info = app.guard.invitation(&secret).await?;
    match app.guard.accept_invitation(&from.0, &secret, &form.name, &form.password).await {
        Ok(signed_in) => Ok(go_on(&app, &signed_in, "/")),
        Err(error) => {
            let problem = Problem::from(error);
            let page = InvitationPage {
                brand: app.brands.now(),
                wrong: Some(wrong(&problem)),
                token,
                role: info.role,
                email: info.email,
                name: form.name,
            };
            Ok(html(problem.status_code(), &page))
        }
    }
}

pub(super) async fn recover(State(app): State<App>) -> Response {
    html(StatusCode::OK, &RecoverPage { brand: app.brands.now(), wrong: None })
}

pub(super) async fn recover_done(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Form(form): Form<Address>,
) -> Result<Response, Problem> {
    own_page(&app, &headers)?;
    match app.guard.request_recovery(&from.0, &form.email).await {
        Ok(()) => Ok(html(StatusCode::OK, &RecoverSentPage { brand: app.brands.now() })),
        Err(error) => {
            let problem = Problem::from(error);
            let page = RecoverPage { brand: app.brands.now(), wrong: Some(wrong(&problem)) };
            Ok(html(problem.status_code(), &page))
        }
    }
}

/// Shown for any link: what fetches links in e-mails must not learn whether one is good, nor spend it.
pub(super) async fn new_password(State(app): State<App>, Path(token): Path<String>) -> Response {
    let page = NewPasswordPage {
        brand: app.brands.now(),
        wrong: None,
        action: format!("/recover/{}", plain(&token)),
    };
    html(StatusCode::OK, &page)
}

/// A token as it may stand in an address: what is not of its alphabet is no token of ours.
fn plain(token: &str) -> String {
    token.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(128).collect()
}

pub(super) async fn new_password_done(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Path(token): Path<String>,
    Form(form): Form<NewPassword>,
) -> Result<Response, Problem> {
    own_page(&app, &headers)?;
    match app.guard.recover(&from.0, &Secret::new(token.clone()), &form.password).await {
        Ok(signed_in) => Ok(go_on(&app, &signed_in, "/")),
        Err(error) => {
            let problem = Problem::from(error);
            let action = format!("/recover/{}", plain(&token));
            let page = NewPasswordPage { brand: app.brands.now(), wrong: Some(wrong(&problem)), action };
            Ok(html(problem.status_code(), &page))
        }
    }
}

fn unlock_page(app: &App, token: &str, problem: Option<&Problem>) -> Response {
    let page = ConfirmPage {
        brand: app.brands.now(),
        wrong: problem.map(wrong),
        title: "Open your account again",
        lead: "It was locked after several wrong passwords. If they were not yours, choose a new password afterwards.",
        button: "Open it",
        action: format!("/unlock/{}", plain(token)),
    };
    html(problem.map_or(StatusCode::OK, Problem::status_code), &page)
}

pub(super) async fn unlock(State(app): State<App>, Path(token): Path<String>) -> Response {
    unlock_page(&app, &token, None)
}

pub(super) async fn unlock_done(
    State(app): State<App>,
    headers: HeaderMap,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    own_page(&app, &headers)?;
    match app.guard.unlock_by_link(&Secret::new(token.clone())).await {
        Ok(()) => Ok(to("/sign-in?said=unlocked")),
        Err(error) => Ok(unlock_page(&app, &token, Some(&error.into()))),
    }
}

/// For other pages: where a session that is not through must go, if anywhere.
pub(super) fn must_go(stage: Stage, here: Stage) -> Option<Response> {
    (stage != here).then(|| to(&stage_page(stage, "/")))
}

/// The same, coming back to `back` afterwards.
pub(super) fn must_go_from(stage: Stage, here: Stage, back: &str) -> Option<Response> {
    (stage != here).then(|| to(&stage_page(stage, &safe_next(back))))
}

/// The page of sign-in, which leads back to `back`.
pub(super) fn sign_in_for(back: &str) -> String {
    format!("/sign-in?next={}", urlencoded(&safe_next(back)))
}

/// The origin of a request as the guard knows it; here so that pages name one place.
pub(super) fn origin(from: CameFrom) -> Origin {
    from.0
}
