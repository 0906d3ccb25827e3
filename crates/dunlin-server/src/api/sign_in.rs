//! Signing in, step by step, for programs and for the passkey script of the pages. Answers are the same for unknown,
//! known and locked accounts; a session's token is only ever in the cookie.

use axum::extract::State;
use axum::http::header;
use axum::response::Response;
use dunlin_guard::{Action, Secret, SignedIn};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{done, ok};
use crate::app::App;
use crate::cookies;
use crate::extract::Json;
use crate::gate::{Caller, CameFrom};
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

/// A first step.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// The address.
    #[schema(max_length = 254)]
    email: String,
    /// The password.
    #[schema(value_type = String, format = Password, max_length = 1024)]
    password: Secret,
}

/// A second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Code {
    /// The app's six digits, or a recovery code.
    #[schema(value_type = String, max_length = 64)]
    code: Secret,
}

/// A passkey's answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasskeyAnswer {
    /// The handle that the beginning gave.
    #[schema(value_type = String)]
    pub(super) ceremony: Secret,
    /// What the browser gave, as WebAuthn writes it in JSON.
    #[schema(value_type = Object)]
    pub(super) credential: serde_json::Value,
    /// With a new passkey: its name.
    #[serde(default)]
    pub(super) label: String,
}

/// How far the session is.
#[derive(Serialize, ToSchema)]
pub(super) struct StageView {
    /// `full`, `second_factor` (show it), or `enrol` (set one up).
    pub(super) stage: String,
    /// What the header `X-CSRF-Token` needs from now on.
    pub(super) csrf: String,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.with(passwords_routes).with(factors_routes)
}

fn passwords_routes(routes: Routes) -> Routes {
    let op = |path, access, id, summary| Op::new(Method::Post, path, access, id, summary);
    routes
        .add(
            op("/api/v1/sign-in", Access::Public, "sign_in", "Sign in with e-mail and password")
                .takes::<SignIn>()
                .answers::<StageView>("The session's cookie, and what is still missing"),
            sign_in,
        )
        .add(
            op(
                "/api/v1/sign-in/passkey/begin",
                Access::Public,
                "sign_in_passkey_begin",
                "Begin to sign in with a passkey",
            )
            .answers_object("`ceremony`, and `options` for `navigator.credentials.get`"),
            passkey_begin,
        )
        .add(
            op(
                "/api/v1/sign-in/passkey/finish",
                Access::Public,
                "sign_in_passkey_finish",
                "Sign in with a passkey",
            )
            .takes::<PasskeyAnswer>()
            .answers::<StageView>("The session's cookie"),
            passkey_finish,
        )
}

fn factors_routes(routes: Routes) -> Routes {
    // What a session may do that has yet to show its second factor: that, and leave.
    let early = Access::Early(Action::SelfSessions, Target::Own);
    let out = early;
    let op = |path, access, id, summary| Op::new(Method::Post, path, access, id, summary);
    routes
        .add(
            op(
                "/api/v1/sign-in/second-factor",
                early,
                "second_factor",
                "Show the second factor, or show it again",
            )
            .takes::<Code>()
            .answers::<StageView>("A new cookie for the session"),
            second_factor,
        )
        .add(
            op(
                "/api/v1/sign-in/second-factor/passkey/begin",
                early,
                "second_factor_passkey_begin",
                "Begin to show a passkey as second factor",
            )
            .answers_object("`ceremony`, and `options` for `navigator.credentials.get`"),
            factor_begin,
        )
        .add(
            op(
                "/api/v1/sign-in/second-factor/passkey/finish",
                early,
                "second_factor_passkey_finish",
                "Show a passkey as second factor",
            )
            .takes::<PasskeyAnswer>()
            .answers::<StageView>("A new cookie for the session"),
            factor_finish,
        )
        .add(op("/api/v1/sign-out", out, "sign_out", "End this session"), sign_out)
}

/// The answer to a step that gave a session or a new token of it.
pub(super) fn with_cookie(app: &App, signed_in: &SignedIn) -> Result<Response, Problem> {
    let csrf = app.guard.form_token(&signed_in.token)?;
    let mut response = ok(&StageView { stage: signed_in.stage.as_str().to_owned(), csrf });
    if let Some(cookie) = cookies::set_session(app, signed_in.token.expose()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn sign_in(
    State(app): State<App>,
    from: CameFrom,
    Json(body): Json<SignIn>,
) -> Result<Response, Problem> {
    let signed_in = app.guard.sign_in(&from.0, &body.email, &body.password).await?;
    with_cookie(&app, &signed_in)
}

/// A ceremony as it is sent.
pub(super) fn ceremony(begun: &dunlin_guard::Ceremony) -> Response {
    ok(&serde_json::json!({ "ceremony": begun.handle.expose(), "options": begun.options }))
}

async fn passkey_begin(State(app): State<App>) -> Result<Response, Problem> {
    Ok(ceremony(&app.guard.begin_passkey_sign_in().await?))
}

async fn passkey_finish(
    State(app): State<App>,
    from: CameFrom,
    Json(body): Json<PasskeyAnswer>,
) -> Result<Response, Problem> {
    let signed_in = app.guard.finish_passkey_sign_in(&from.0, &body.ceremony, &body.credential).await?;
    with_cookie(&app, &signed_in)
}

async fn second_factor(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<Code>,
) -> Result<Response, Problem> {
    let signed_in = app.guard.show_code(&caller.who, &caller.origin, &body.code).await?;
    with_cookie(&app, &signed_in)
}

async fn factor_begin(State(app): State<App>) -> Result<Response, Problem> {
    Ok(ceremony(&app.guard.begin_passkey_sign_in().await?))
}

async fn factor_finish(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<PasskeyAnswer>,
) -> Result<Response, Problem> {
    let shown = app.guard.show_passkey(&caller.who, &caller.origin, &body.ceremony, &body.credential).await?;
    with_cookie(&app, &shown)
}

async fn sign_out(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let Some(token) = &caller.token else {
        return Err(Problem::bad_request("a token of a program has no session to end")
            .help("revoke the token at /api/v1/me/tokens"));
    };
    app.guard.sign_out(token).await?;
    let mut response = done();
    if let Some(cookie) = cookies::clear_session(&app) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
