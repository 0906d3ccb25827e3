//! The document itself, live events, settings, and what machines ask: health, readiness, metrics, the ledger's tiles.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dunlin_guard::audit::TileKind;
use dunlin_guard::{Action, Resource};
use serde_json::json;

use super::ok;
use crate::app::App;
use crate::events::events;
use crate::gate::{Caller, CameFrom, allowed, by_cookie};
use crate::layers::text;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

pub(super) fn routes(routes: Routes) -> Routes {
    let live = Access::May(Action::EventsRead, Target::Workspace);
    let settings = Access::May(Action::SettingsRead, Target::Workspace);
    routes
        .add(
            Op::new(Method::Get, "/api/v1/openapi.json", Access::Public, "openapi", "This document")
                .answers_object("The document"),
            document,
        )
        .add(
            Op::new(
                Method::Get,
                "/api/v1/events",
                live,
                "events",
                "Everything that happens, live, as server-sent events",
            )
            .header("Last-Event-ID", false, "Goes on after this event")
            .answers_as(
                "text/event-stream",
                "Events: `hello`, `reset` (read everything again), `ended`, `drain`, and what happened",
            ),
            events,
        )
        .add(
            Op::new(
                Method::Get,
                "/api/v1/settings",
                settings,
                "settings_read",
                "How the server is set up, without secrets",
            )
            .answers_object("The settings"),
            settings_read,
        )
}

async fn document() -> Response {
    ok(crate::routes::document())
}

async fn settings_read(State(app): State<App>) -> Response {
    let config = &app.config;
    let guard = &config.guard;
    ok(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "workspace": app.workspace.id,
        "public_url": app.base_url(),
        "tls": config.tls.is_some(),
        "behind_proxy": config.behind_proxy.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "public_ledger": config.public_ledger,
        "mail": config.smtp.is_some(),
        "identity_providers": config.oidc.keys().collect::<Vec<_>>(),
        "limits": { "body_bytes": config.limits.body_bytes, "per_person": config.limits.per_person },
        "mfa_roles": guard.mfa_roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
        "session_idle_s": guard.lifetimes.idle_s,
        "session_s": guard.lifetimes.absolute_s,
        "tries": guard.limits.tries,
        "monitor_only": guard.limits.monitor_only,
        "allow_hosts": config.allow_hosts,
        "allow_env": config.allow_env,
    }))
}

/// The process lives.
pub(crate) async fn health() -> &'static str {
    "ok\n"
}

/// The state answers, so that requests can.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    match app.workspace.state().ledger_size().await {
        Ok(_) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the state does not answer\n").into_response(),
    }
}

/// The numbers, for this machine, for the token of the configuration, or for whoever the policies let.
pub(crate) async fn metrics(
    State(app): State<App>,
    from: CameFrom,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let token = text(&headers, header::AUTHORIZATION).strip_prefix("Bearer ").unwrap_or_default();
    let forwarded = headers.contains_key("x-forwarded-for");
    let local = from.0.address.is_loopback() && !forwarded;
    if !local && !app.is_metrics_token(token) {
        let caller = by_cookie(&app, &headers, from.0).await?;
        caller.who.need_full()?;
        allowed(&app, &caller.who, Action::MetricsRead, &Resource::Workspace).await?;
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], app.metrics.text()).into_response())
}

/// A file of the ledger as C2SP tlog-tiles names it. The checkpoint and hashes may be public; entries are for those
/// who may export the ledger.
pub(crate) async fn tiles(
    State(app): State<App>,
    Path(path): Path<String>,
    from: CameFrom,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let kind = app.auditor.tile_kind(&path).ok_or_else(|| Problem::not_found("file in the ledger"))?;
    if kind == TileKind::Entries || !app.config.public_ledger {
        let caller: Caller = crate::gate::authenticate_headers(&app, &headers, from.0).await?;
        caller.who.need_full()?;
        let action = if kind == TileKind::Entries { Action::LedgerExport } else { Action::LedgerProve };
        allowed(&app, &caller.who, action, &Resource::Workspace).await?;
    }
    let tile = app.auditor.tile(&path).await?;
    let media =
        if kind == TileKind::Checkpoint { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    let cache = match (kind, tile.lasting) {
        (TileKind::Hashes, true) => "public, max-age=31536000, immutable",
        _ => "no-store",
    };
    let mut response = ([(header::CONTENT_TYPE, media)], tile.bytes).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    Ok(response)
}
