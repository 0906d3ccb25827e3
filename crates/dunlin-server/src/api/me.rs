//! What belongs to the caller: profile, sessions, password, second factors.

use axum::extract::State;
use axum::response::Response;
use dunlin_guard::{Action, Resource, Secret, Subject};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::sign_in::{PasskeyAnswer, StageView, ceremony, with_cookie};
use super::{done, items, ok};
use crate::app::App;
use crate::extract::{Json, Path};
use crate::gate::Caller;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

/// The caller.
#[derive(Serialize, ToSchema)]
struct Me {
    /// The person's id.
    person: String,
    name: String,
    email: String,
    role: String,
    /// The other company, or nothing when in-house.
    organisation: Option<String>,
    /// `full`, `second_factor` or `enrol`.
    stage: String,
    /// What a token may do; nothing for a session, which is not narrowed.
    scopes: Option<Vec<String>>,
    /// Seconds since the second factor was shown.
    mfa_age_s: Option<u64>,
    /// Tables that the person is limited to.
    tables: Option<Vec<String>>,
    /// For the header `X-CSRF-Token`; nothing for a token.
    csrf: Option<String>,
}

/// A new name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rename {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The present one; empty where there is none.
    #[schema(value_type = String, format = Password, max_length = 1024)]
    present: Secret,
    /// The new one: at least 12 characters, hard to guess, not known from breaches.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 1024)]
    new: Secret,
}

/// The code that an app shows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AppCode {
    #[schema(value_type = String, max_length = 12)]
    code: Secret,
}

/// What an app for codes needs; shown once.
#[derive(Serialize, ToSchema)]
struct AppSecret {
    /// To be typed, in base32.
    secret: String,
    /// For a QR code.
    url: String,
}

/// Codes that are shown once.
#[derive(Serialize, ToSchema)]
struct Codes {
    codes: Vec<String>,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.with(profile_routes).with(credential_routes).with(factor_routes)
}

fn profile_routes(routes: Routes) -> Routes {
    let read = Access::May(Action::SelfRead, Target::Own);
    let early_read = Access::Early(Action::SelfRead, Target::Own);
    let edit = Access::May(Action::SelfEdit, Target::Own);
    let sessions = Access::May(Action::SelfSessions, Target::Own);
    let op = Op::new;
    routes
        .add(op(Method::Get, "/api/v1/me", early_read, "me", "Who am I").answers::<Me>("The caller"), me)
        .add(op(Method::Patch, "/api/v1/me", edit, "me_edit", "Change my name").takes::<Rename>(), rename)
        .add(
            op(Method::Get, "/api/v1/me/record", read, "me_record", "My record, as an owner sees it")
                .answers_object("The record"),
            record,
        )
        .add(
            op(Method::Get, "/api/v1/me/sessions", read, "me_sessions", "Where I am signed in")
                .answers_object("`items`: sessions"),
            list_sessions,
        )
        .add(
            op(
                Method::Delete,
                "/api/v1/me/sessions/{session}",
                sessions,
                "me_session_end",
                "End one of my sessions",
            ),
            end,
        )
        .add(
            op(
                Method::Delete,
                "/api/v1/me/sessions",
                sessions,
                "me_sessions_end",
                "End all my sessions but this one",
            ),
            end_others,
        )
}

fn credential_routes(routes: Routes) -> Routes {
    let early_read = Access::Early(Action::SelfRead, Target::Own);
    let factor = Access::Early(Action::SelfCredentials, Target::Own);
    let keys = Access::May(Action::SelfCredentials, Target::Own);
    let op = Op::new;
    routes
        .add(
            op(
                Method::Put,
                "/api/v1/me/password",
                keys,
                "me_password",
                "Change my password; all other sessions end",
            )
            .takes::<NewPassword>()
            .answers::<StageView>("A new cookie for the session"),
            password,
        )
        .add(
            op(
                Method::Get,
                "/api/v1/me/rights",
                Access::May(Action::SelfRead, Target::Own),
                "me_rights",
                "What I may do, so that a page does not offer what would be refused",
            )
            .answers_object("`may`: codes of actions, on the workspace, the plan, somebody else, or my own"),
            rights,
        )
        .add(
            op(Method::Get, "/api/v1/me/factors", early_read, "me_factors", "My second factors")
                .answers_object("`totp`, `recovery_codes` (how many are left), `passkeys`"),
            factors,
        )
        .add(
            op(Method::Post, "/api/v1/me/totp", factor, "me_totp_begin", "Begin to set up an app for codes")
                .answers::<AppSecret>("What the app needs; shown once"),
            totp_begin,
        )
        .add(
            op(Method::Post, "/api/v1/me/totp/confirm", factor, "me_totp_confirm", "Show that the app works")
                .takes::<AppCode>()
                .answers::<StageView>("A new cookie for the session"),
            totp_confirm,
        )
        .add(op(Method::Delete, "/api/v1/me/totp", keys, "me_totp_remove", "Take the app away"), totp_remove)
}

fn factor_routes(routes: Routes) -> Routes {
    let factor = Access::Early(Action::SelfCredentials, Target::Own);
    let keys = Access::May(Action::SelfCredentials, Target::Own);
    let op = Op::new;
    routes
        .add(
            op(
                Method::Post,
                "/api/v1/me/recovery-codes",
                keys,
                "me_recovery_codes",
                "Make ten recovery codes; earlier ones stop working",
            )
            .answers::<Codes>("The codes; shown once"),
            codes,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/me/passkeys/begin",
                factor,
                "me_passkey_begin",
                "Begin to add a passkey",
            )
            .answers_object("`ceremony`, and `options` for `navigator.credentials.create`"),
            passkey_begin,
        )
        .add(
            op(Method::Post, "/api/v1/me/passkeys/finish", factor, "me_passkey_finish", "Add a passkey")
                .takes::<PasskeyAnswer>()
                .answers::<StageView>("A new cookie for the session"),
            passkey_finish,
        )
        .add(
            op(
                Method::Delete,
                "/api/v1/me/passkeys/{passkey}",
                keys,
                "me_passkey_remove",
                "Remove a passkey",
            ),
            passkey_remove,
        )
}

async fn me(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let csrf = caller.token.as_ref().map(|token| app.guard.form_token(token)).transpose()?;
    let who = caller.who;
    Ok(ok(&Me {
        role: who.role.as_str().to_owned(),
        stage: who.stage.as_str().to_owned(),
        person: who.person,
        name: who.name,
        email: who.email,
        organisation: who.organisation,
        scopes: who.scopes,
        mfa_age_s: who.mfa_age_s,
        tables: who.tables,
        csrf,
    }))
}

async fn rename(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<Rename>,
) -> Result<Response, Problem> {
    app.guard.rename(&caller.who.actor(), &caller.who.person, &body.name).await?;
    Ok(done())
}

async fn record(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let mut record = app.guard.record(&caller.who.person).await?;
    // What others wrote about a person while looking into a matter is for those who look.
    record.investigation = None;
    Ok(ok(&record))
}

async fn list_sessions(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let mut sessions = app.guard.sessions(Some(&caller.who.person)).await?;
    sessions.iter_mut().for_each(|s| s.current = s.id == caller.who.via.id());
    Ok(items(&sessions))
}

async fn end(
    State(app): State<App>,
    caller: Caller,
    Path(session): Path<String>,
) -> Result<Response, Problem> {
    let of = app.guard.session(&session).await?;
    // Somebody else's session is as unknown as one that never was.
    if of.person != caller.who.person {
        return Err(Problem::not_found("session"));
    }
    app.guard.end_session(&caller.who.actor(), &session, "by_owner").await?;
    Ok(done())
}

async fn end_others(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    app.guard.end_sessions(&caller.who.actor(), &caller.who.person, Some(caller.who.via.id())).await?;
    Ok(done())
}

async fn password(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<NewPassword>,
) -> Result<Response, Problem> {
    let fresh = app.guard.change_password(&caller.who, &caller.origin, &body.present, &body.new).await?;
    with_cookie(&app, &fresh)
}

async fn factors(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let factors = app.guard.factors(&caller.who.person).await?;
    let passkeys = app.guard.passkeys(&caller.who.person).await?;
    Ok(ok(&json!({ "totp": factors.totp, "recovery_codes": factors.recovery_codes, "passkeys": passkeys })))
}

async fn totp_begin(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let begun = app.guard.begin_totp(&caller.who).await?;
    Ok(ok(&AppSecret { secret: begun.secret.expose().to_owned(), url: begun.url.expose().to_owned() }))
}

async fn totp_confirm(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<AppCode>,
) -> Result<Response, Problem> {
    with_cookie(&app, &app.guard.confirm_totp(&caller.who, &caller.origin, &body.code).await?)
}

async fn totp_remove(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    app.guard.remove_totp(&caller.who).await?;
    Ok(done())
}

async fn codes(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let codes = app.guard.new_recovery_codes(&caller.who).await?;
    Ok(ok(&Codes { codes: codes.iter().map(|code| code.expose().to_owned()).collect() }))
}

async fn passkey_begin(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    Ok(ceremony(&app.guard.begin_passkey(&caller.who).await?))
}

async fn passkey_finish(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<PasskeyAnswer>,
) -> Result<Response, Problem> {
    let PasskeyAnswer { ceremony, credential, label } = body;
    let added = app.guard.finish_passkey(&caller.who, &caller.origin, &ceremony, &credential, &label).await?;
    with_cookie(&app, &added)
}

async fn passkey_remove(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    app.guard.remove_passkey(&caller.who, &id).await?;
    Ok(done())
}

async fn rights(State(app): State<App>, caller: Caller) -> Response {
    let may: Vec<&str> = Action::ALL
        .iter()
        .filter(|action| {
            let on = match action.subject() {
                Subject::Workspace => Resource::Workspace,
                Subject::Person => Resource::person("somebody"),
                Subject::Owned => Resource::of(&caller.who.person),
                Subject::Plan => Resource::plan(),
                Subject::Grant => {
                    Resource::Grant { person: String::new(), stood_by: Vec::new(), secret: false }
                }
                Subject::Notice => Resource::notice(),
            };
            app.authority.may(&caller.who, **action, &on).allowed
        })
        .map(|action| action.code())
        .collect();
    ok(&json!({ "may": may }))
}
