//! The account page, which works without a script: who I am, where I am signed in, and the way out.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use dunlin_guard::{Secret, Stage};
use jiff::Timestamp;
use serde::Deserialize;

use super::enter::{go_on, must_go, must_go_from, origin, sign_in_for};
use super::factor::csrf;
use super::view::{HomePage, PasswordPage, SessionLine, html};
use super::{to, wrong};
use crate::app::App;
use crate::cookies;
use crate::extract::{Form, Path, Query};
use crate::gate::{Caller, CameFrom, by_cookie, check_form_token};
use crate::problem::Problem;

#[derive(Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    said: String,
}

#[derive(Deserialize)]
pub(super) struct Token {
    csrf: String,
}

#[derive(Deserialize)]
pub(super) struct Change {
    csrf: String,
    present: Secret,
    password: Secret,
}

fn password_page(app: &App, caller: &Caller, problem: Option<&Problem>) -> Result<Response, Problem> {
    let page = PasswordPage {
        brand: app.brands.now(),
        csrf: csrf(app, caller)?,
        wrong: problem.map(wrong),
        email: caller.who.email.clone(),
    };
    Ok(html(problem.map_or(StatusCode::OK, Problem::status_code), &page))
}

pub(super) async fn password(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = by_cookie(&app, &headers, origin(from)).await?;
    if let Some(elsewhere) = must_go(caller.who.stage, Stage::Full) {
        return Ok(elsewhere);
    }
    password_page(&app, &caller, None)
}

pub(super) async fn password_done(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Form(form): Form<Change>,
) -> Result<Response, Problem> {
    let caller = by_cookie(&app, &headers, origin(from)).await?;
    check_form_token(&app, &caller, &headers, &form.csrf)?;
    match app.guard.change_password(&caller.who, &caller.origin, &form.present, &form.password).await {
        Ok(fresh) => Ok(go_on(&app, &fresh, "/account?said=password")),
        Err(error) => password_page(&app, &caller, Some(&error.into())),
    }
}

/// Where a browser must go before it gets the app: to sign in, to what a half-made sign-in lacks, or nowhere.
pub(crate) async fn before_the_app(
    app: &App,
    from: CameFrom,
    headers: &HeaderMap,
    back: &str,
) -> Result<Option<Response>, Problem> {
    let had_session = cookies::session(app, headers).is_some();
    match by_cookie(app, headers, origin(from)).await {
        Ok(caller) => Ok(must_go_from(caller.who.stage, Stage::Full, back)),
        Err(problem) if problem.status == 401 && had_session => Ok(Some(ended(app))),
        Err(problem) if problem.status == 401 && back != "/" => Ok(Some(to(&sign_in_for(back)))),
        Err(problem) => Err(problem),
    }
}

pub(super) async fn home(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Query(query): Query<Said>,
) -> Result<Response, Problem> {
    let had_session = cookies::session(&app, &headers).is_some();
    let caller = match by_cookie(&app, &headers, origin(from)).await {
        Ok(caller) => caller,
        Err(problem) if problem.status == 401 && had_session => return Ok(ended(&app)),
        Err(problem) => return Err(problem),
    };
    if let Some(elsewhere) = must_go(caller.who.stage, Stage::Full) {
        return Ok(elsewhere);
    }
    let sessions = app.guard.sessions(Some(&caller.who.person)).await?;
    let live = sessions.into_iter().filter(|session| session.ended_at.is_none());
    let line = |session: dunlin_guard::SessionInfo| SessionLine {
        here: session.id == caller.who.via.id(),
        device: session.device,
        address: session.address.to_string(),
        since: moment(session.created_at),
        seen: moment(session.seen_at),
        id: session.id,
    };
    let page = HomePage {
        brand: app.brands.now(),
        csrf: csrf(&app, &caller)?,
        said: match query.said.as_str() {
            "ended" => "That session has ended.",
            "password" => "Your new password is saved, and your other sessions have ended.",
            _ => "",
        },
        name: caller.who.name.clone(),
        email: caller.who.email.clone(),
        role: caller.who.role.as_str().to_owned(),
        organisation: caller.who.organisation.clone(),
        enrolled: app.guard.factors(&caller.who.person).await?.any(),
        sessions: live.map(line).collect(),
        api: format!("{}/api/v1", app.base_url()),
    };
    Ok(html(StatusCode::OK, &page))
}

/// A moment in words, in UTC: without a script the reader's zone is not known.
fn moment(us: i64) -> String {
    let at = Timestamp::from_microsecond(us).map(|at| at.strftime("%-d %B %Y, %H:%M UTC").to_string());
    at.unwrap_or_else(|_| "an unknown time".to_owned())
}

/// The cookie of a session that is over is taken away, and the sign-in page says so.
fn ended(app: &App) -> Response {
    with_cleared(app, to("/sign-in?said=ended"))
}

fn with_cleared(app: &App, mut response: Response) -> Response {
    if let Some(cookie) = cookies::clear_session(app) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) async fn end_session(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Path(session): Path<String>,
    Form(form): Form<Token>,
) -> Result<Response, Problem> {
    let caller = by_cookie(&app, &headers, origin(from)).await?;
    check_form_token(&app, &caller, &headers, &form.csrf)?;
    caller.who.need_full()?;
    let of = app.guard.session(&session).await?;
    if of.person != caller.who.person {
        return Err(Problem::not_found("session"));
    }
    app.guard.end_session(&caller.who.actor(), &session, "by_owner").await?;
    Ok(to("/account?said=ended"))
}

pub(super) async fn sign_out(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
    Form(form): Form<Token>,
) -> Result<Response, Problem> {
    let caller = by_cookie(&app, &headers, origin(from)).await?;
    check_form_token(&app, &caller, &headers, &form.csrf)?;
    let token = caller.token.as_ref().ok_or_else(Problem::unauthenticated)?;
    app.guard.sign_out(token).await?;
    Ok(with_cleared(&app, to("/sign-in?said=signed-out")))
}
