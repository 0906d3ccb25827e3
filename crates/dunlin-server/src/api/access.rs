//! Ways in for programs and for people to come: tokens, devices, invitations, and the link for who cannot get in.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use dunlin_guard::{Action, GuardError, Invite, Poll, Secret};
use dunlin_plan::Role;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{created, done, items, ok};
use crate::app::App;
use crate::extract::{Form, Json, Path};
use crate::gate::{Caller, CameFrom};
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

/// A token that is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// What it is for.
    #[schema(min_length = 1, max_length = 64)]
    label: String,
    /// Codes of actions; `people.*` stands for a group.
    #[schema(min_items = 1, max_items = 100)]
    scopes: Vec<String>,
    /// How long it lives, in seconds; cut to what the server allows.
    #[schema(minimum = 60)]
    life_s: u64,
}

/// Somebody who is invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInvitation {
    #[schema(max_length = 254)]
    email: String,
    #[schema(max_length = 200)]
    name: String,
    #[schema(pattern = "^(owner|lead|engineer|steward|writer|approver|auditor|guest)$")]
    role: String,
    /// The other company; nothing for in-house.
    #[serde(default)]
    organisation: Option<String>,
    /// How long it waits, in seconds.
    #[serde(default)]
    life_s: Option<u64>,
}

/// A device that asks to sign in (RFC 8628).
#[derive(Deserialize, ToSchema)]
struct AskDevice {
    /// What calls itself so, e.g. `dunlin on laptop`.
    #[schema(min_length = 1, max_length = 64)]
    client: String,
    /// Codes of actions, with spaces between.
    #[serde(default)]
    scope: String,
}

/// A device that asks whether it may.
#[derive(Deserialize, ToSchema)]
struct AskToken {
    /// What the beginning gave.
    #[schema(value_type = String)]
    device_code: Secret,
    /// `urn:ietf:params:oauth:grant-type:device_code`.
    #[serde(default)]
    grant_type: String,
}

/// What a person says to a device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecideDevice {
    /// The code that the device shows.
    #[schema(value_type = String, max_length = 32)]
    user_code: Secret,
    /// Whether it may come in.
    approve: bool,
}

/// What a device shows and polls with.
#[derive(Serialize, ToSchema)]
struct DeviceCodes {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

/// An address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Address {
    #[schema(max_length = 254)]
    email: String,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.with(token_routes).with(invitation_routes).with(device_routes)
}

fn token_routes(routes: Routes) -> Routes {
    let own = Access::May(Action::TokensIssue, Target::Own);
    routes
        .add(
            Op::new(
                Method::Get,
                "/api/v1/me/tokens",
                Access::May(Action::SelfRead, Target::Own),
                "me_tokens",
                "My tokens",
            )
            .answers_object("`items`: tokens, without their secrets"),
            my_tokens,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/me/tokens",
                own,
                "me_token_issue",
                "Issue a token for a program of mine",
            )
            .takes::<NewToken>()
            .creates_object("`token`, shown once, and `info`"),
            issue,
        )
        .add(
            Op::new(
                Method::Delete,
                "/api/v1/me/tokens/{token}",
                own,
                "me_token_revoke",
                "Take one of my tokens back",
            ),
            revoke_mine,
        )
        .add(
            Op::new(
                Method::Get,
                "/api/v1/tokens",
                Access::May(Action::TokensRead, Target::Workspace),
                "tokens",
                "Everybody's tokens",
            )
            .answers_object("`items`: tokens"),
            tokens,
        )
        .add(
            Op::new(
                Method::Delete,
                "/api/v1/tokens/{token}",
                Access::May(Action::TokensRevoke, Target::Token),
                "token_revoke",
                "Take back anybody's token",
            ),
            revoke,
        )
}

fn invitation_routes(routes: Routes) -> Routes {
    let invite_may = Access::May(Action::PeopleInvite, Target::Workspace);
    routes
        .add(
            Op::new(Method::Get, "/api/v1/invitations", invite_may, "invitations", "Invitations that wait")
                .answers_object("`items`: invitations"),
            invitations,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/invitations",
                invite_may,
                "invite",
                "Invite somebody; the link goes by e-mail",
            )
            .takes::<NewInvitation>()
            .creates_object("The invitation, and its link when there is no mail server"),
            invite,
        )
        .add(
            Op::new(
                Method::Delete,
                "/api/v1/invitations/{invitation}",
                invite_may,
                "invitation_withdraw",
                "Withdraw an invitation",
            ),
            withdraw,
        )
}

fn device_routes(routes: Routes) -> Routes {
    let device = Access::May(Action::SelfDevice, Target::Own);
    let form = "application/x-www-form-urlencoded";
    routes
        .add(
            Op::new(Method::Post, "/api/v1/device", Access::Public, "device_begin", "A device asks to sign in (RFC 8628)")
                .takes_form::<AskDevice>(form)
                .answers::<DeviceCodes>("What it shows and polls with"),
            device_begin,
        )
        .add(
            Op::new(Method::Post, "/api/v1/device/token", Access::Public, "device_token", "A device asks whether it may (RFC 8628)")
                .takes_form::<AskToken>(form)
                .answers_object("`access_token`; or 400 with `error`: `authorization_pending`, `slow_down`, `access_denied`, `expired_token`"),
            device_token,
        )
        .add(
            Op::new(Method::Post, "/api/v1/me/devices", device, "me_device_decide", "Let a device in as me, or refuse it")
                .takes::<DecideDevice>()
                .answers_object("What asked"),
            device_decide,
        )
        .add(
            Op::new(Method::Post, "/api/v1/recover", Access::Public, "recover", "Ask for a link to a new password; the answer is the same for any address")
                .takes::<Address>(),
            recover,
        )
}

async fn my_tokens(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    Ok(items(&app.guard.tokens(Some(&caller.who.person)).await?))
}

async fn issue(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<NewToken>,
) -> Result<Response, Problem> {
    let (info, token) = app.guard.issue_token(&caller.who, &body.label, &body.scopes, body.life_s).await?;
    Ok(created(&json!({ "token": token.expose(), "info": info })))
}

async fn revoke_mine(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let mine = app.guard.tokens(Some(&caller.who.person)).await?;
    if !mine.iter().any(|token| token.id == id) {
        return Err(Problem::not_found("token"));
    }
    app.guard.revoke_token(&caller.who.actor(), &id, "by_owner").await?;
    Ok(done())
}

async fn tokens(State(app): State<App>) -> Result<Response, Problem> {
    Ok(items(&app.guard.tokens(None).await?))
}

async fn revoke(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    if !app.guard.tokens(None).await?.iter().any(|token| token.id == id) {
        return Err(Problem::not_found("token"));
    }
    app.guard.revoke_token(&caller.who.actor(), &id, "by_administrator").await?;
    Ok(done())
}

async fn invitations(State(app): State<App>) -> Result<Response, Problem> {
    Ok(items(&app.guard.invitations().await?))
}

async fn invite(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<NewInvitation>,
) -> Result<Response, Problem> {
    let role: Role = body.role.parse().map_err(|_| GuardError::Invalid {
        what: "the role",
        help: "owner, lead, engineer, steward, writer, approver, auditor or guest",
    })?;
    let invite = Invite {
        email: &body.email,
        name: &body.name,
        role,
        organisation: body.organisation.as_deref(),
        life_s: body.life_s,
    };
    let (info, token) = app.guard.invite(&caller.who.actor(), invite).await?;
    // Without a mail server whoever invites hands the link over.
    let link = app.config.smtp.is_none().then(|| format!("{}/invitation/{}", app.base_url(), token.expose()));
    app.hub.tell(
        "person.changed",
        Action::PeopleRead,
        None,
        json!({ "person": info.person, "change": "invited" }),
    );
    Ok(created(&json!({ "invitation": info, "link": link })))
}

async fn withdraw(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    app.guard.withdraw_invitation(&caller.who.actor(), &id).await?;
    Ok(done())
}

async fn device_begin(
    State(app): State<App>,
    from: CameFrom,
    Form(ask): Form<AskDevice>,
) -> Result<Response, Problem> {
    let scopes: Vec<String> = ask.scope.split_whitespace().map(str::to_owned).collect();
    let begun = app.guard.begin_device(&from.0, &ask.client, &scopes).await?;
    let page = format!("{}/device", app.base_url());
    Ok(ok(&DeviceCodes {
        device_code: begun.device_code.expose().to_owned(),
        verification_uri_complete: format!("{page}?code={}", begun.user_code.expose()),
        verification_uri: page,
        user_code: begun.user_code.expose().to_owned(),
        expires_in: begun.expires_s,
        interval: begun.interval_s,
    }))
}

async fn device_token(State(app): State<App>, Form(ask): Form<AskToken>) -> Result<Response, Problem> {
    let kind = "urn:ietf:params:oauth:grant-type:device_code";
    let not_yet =
        |error: &str| (StatusCode::BAD_REQUEST, axum::Json(json!({ "error": error }))).into_response();
    if ask.grant_type != kind {
        return Ok(not_yet("unsupported_grant_type"));
    }
    Ok(match app.guard.poll_device(&ask.device_code).await? {
        Poll::Pending => not_yet("authorization_pending"),
        Poll::SlowDown => not_yet("slow_down"),
        Poll::Denied => not_yet("access_denied"),
        Poll::Expired => not_yet("expired_token"),
        Poll::Granted(info, token) => ok(&json!({
            "access_token": token.expose(),
            "token_type": "Bearer",
            "expires_in": (info.until - app.guard.now().late).max(0) / 1_000_000,
            "scope": info.scopes.join(" "),
        })),
    })
}

async fn device_decide(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<DecideDevice>,
) -> Result<Response, Problem> {
    let asked = app.guard.decide_device(&caller.who, &caller.origin, &body.user_code, body.approve).await?;
    Ok(ok(&asked))
}

async fn recover(
    State(app): State<App>,
    from: CameFrom,
    Json(body): Json<Address>,
) -> Result<Response, Problem> {
    app.guard.request_recovery(&from.0, &body.email).await?;
    Ok(done())
}
