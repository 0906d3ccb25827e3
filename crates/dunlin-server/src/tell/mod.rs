//! What customers meet: the card in the company's own apps, the page of a notice with its versions,
//! pictures, and how far the move is. No cookie is set or read here, and nothing of the workspace is said but what was
//! published. What a customer sees of their own data after signing in is in `me`.

mod card;
mod images;
mod lang;
mod me;
mod pages;
mod status;
pub(crate) mod subject;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dunlin_store::NoticeVersion;
use dunlin_tell::Notice;
use dunlin_tell::render::Actions;
use serde_json::json;

use crate::app::App;
use crate::layers::text;
use crate::notices::{actions, with_own_page};
use crate::problem::Problem;

pub(crate) use lang::of_row;
pub(crate) use me::copy_link;
pub use me::customer_link;
pub(crate) use status::Progress;

/// Since when this server honours `Sec-GPC` (the Global Privacy Control draft asks for the day).
const GPC_SINCE: &str = "2026-11-22";

/// The routes.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/tell/card.js", get(card::script))
        .route("/tell/card.css", get(card::style))
        .route("/tell/card.html", get(card::fragment))
        .route("/tell/card.json", get(card::data).options(card::preflight))
        .route("/tell/card/{token}", axum::routing::post(card::answer).options(card::preflight))
        .route("/tell/notice.css", get(pages::style))
        .route("/tell/images/{version}/{*path}", get(images::image))
        .route("/tell/demo-host", get(pages::demo_host))
        .merge(me::router())
        .route("/tell/{notice}", get(pages::notice))
        .route("/tell/{notice}/versions", get(pages::versions))
        .route("/status", get(status::page))
        .route("/.well-known/gpc.json", get(gpc))
}

/// Whether this address answers with something else than a page.
pub(crate) fn is_data(path: &str) -> bool {
    let starts = ["/tell/card.", "/tell/card/", "/tell/images/", "/.well-known/"];
    let ends = [".jsonld", ".css", ".js"];
    starts.iter().any(|start| path.starts_with(start))
        || (path.starts_with("/tell/") && ends.iter().any(|end| path.ends_with(end)))
}

async fn gpc() -> Response {
    let body = json!({ "gpc": true, "lastUpdate": GPC_SINCE });
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Something that is shown: a version and what it says.
struct Shown {
    version: NoticeVersion,
    notice: Notice,
}

impl Shown {
    fn of(version: NoticeVersion) -> Result<Shown, Problem> {
        let source = dunlin_tell::parse(&version.text, &version.file).map_err(|_| {
            tracing::error!(version = version.id, "a published notice cannot be read; is the state damaged?");
            Problem::internal()
        })?;
        Ok(Shown { version, notice: source.notice })
    }
}

/// What is shown now of a notice, in all its languages; without a name, of the notice that was published last.
async fn shown_now(app: &App, notice: Option<&str>) -> Result<Vec<NoticeVersion>, Problem> {
    let mut all = app.workspace.state().notices_shown().await?;
    let newest = all.iter().max_by_key(|one| one.published_at).map(|one| one.notice.clone());
    let Some(wanted) = notice.map(str::to_owned).or(newest) else { return Ok(Vec::new()) };
    all.retain(|one| one.notice == wanted);
    Ok(all)
}

/// Where the actions of a notice lead: to the customer's own page, where there is one.
fn links(app: &App, base: &str, notice: &Notice, ticket: Option<&str>) -> Actions {
    let plain = actions(base, notice, app.brands.now().contact.as_deref());
    if !has_own_page(app) {
        return plain;
    }
    with_own_page(plain, base, notice, ticket)
}

/// Whether customers can see what is theirs here: somebody knows their rows, and the plan says who a customer is.
fn has_own_page(app: &App) -> bool {
    let knows = || crate::plan::read(&app.workspace.dir).ok().and_then(|file| file.plan.ok());
    let plan = app.desk.plan();
    let named = match plan {
        Some(plan) => plan.subject.is_some(),
        None => knows().is_some_and(|plan| plan.subject.is_some()),
    };
    named && app.engine.customers().is_some()
}

/// Makes an answer readable for pages of other origins: all that is public needs, and no more.
fn for_everybody(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let corp = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(corp, HeaderValue::from_static("cross-origin"));
    response
}

/// Lets pages of the host apps read an answer. No credentials: a cookie of this server has no part in it.
fn for_hosts(app: &App, asked: &HeaderMap, response: Response) -> Response {
    let mut response = for_everybody(response);
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let origin = text(asked, header::ORIGIN);
    if app.config.tell.allows(origin)
        && let Ok(value) = HeaderValue::from_str(origin)
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
    }
    response
}

/// What browsers may keep for some minutes.
fn for_minutes(kind: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    for_everybody(response)
}

/// The languages that a client asks for, for handlers of this part.
struct Asked(String);

impl axum::extract::FromRequestParts<App> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, _: &App) -> Result<Asked, Problem> {
        Ok(Asked(text(&parts.headers, header::ACCEPT_LANGUAGE).to_owned()))
    }
}

/// The state of the app's own parts.
type Here = State<App>;
