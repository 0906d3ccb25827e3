//! The page behind the link that ends the marketing stream: `GET` shows a button, `POST` does it, with nothing but the
//! signed token of the address (RFC 8058: a mail program posts by itself, without a cookie, from anywhere).
//!
//! Not here: what ends, and for whom (`dunlin_tell::send`). The token is of one person and does this one thing.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dunlin_tell::send::{Queue, Recipients, Stopped, best_locale, stop_page, stream_of, unsubscribe};
use dunlin_tell::{Lang, Word};

use crate::app::App;
use crate::layers::text;
use crate::problem::Problem;

/// The route.
pub(crate) fn router() -> Router<App> {
    Router::new().route("/tell/unsubscribe/{token}", get(ask).post(stop))
}

async fn ask(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if stream_of(&queue(&app)?, &token).is_none() {
        return Err(no_token());
    }
    page(&app, &headers, false)
}

async fn stop(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let stopped = unsubscribe(&queue(&app)?, &token).await.map_err(|error| {
        tracing::error!(%error, "a stream could not be ended");
        Problem::internal()
    })?;
    match stopped {
        Stopped::NoToken => Err(no_token()),
        Stopped::Now | Stopped::Before => page(&app, &headers, true),
    }
}

fn queue(app: &App) -> Result<Queue, Problem> {
    let recipients = Recipients::new(app.workspace.keys()).map_err(|error| {
        tracing::error!(%error, "the keys of recipients could not be read");
        Problem::internal()
    })?;
    Ok(Queue::new(app.workspace.state().clone(), recipients))
}

fn no_token() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_such_link", "this link ends no messages of ours")
        .help("open the link in the newest message again; a part of it may be missing")
}

fn page(app: &App, headers: &HeaderMap, done: bool) -> Result<Response, Problem> {
    let known: Vec<&str> = Lang::ALL.iter().map(|lang| lang.as_str()).collect();
    let wanted = text(headers, header::ACCEPT_LANGUAGE).split([',', ';']).next();
    let lang = best_locale(&known, wanted).and_then(Lang::from_word).unwrap_or(Lang::En);
    let html = stop_page(&app.brands.now().name, lang, done).map_err(|_| Problem::internal())?;
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}
