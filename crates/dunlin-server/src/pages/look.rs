//! Style, script and pictures of the pages. All our own; nothing is fetched from elsewhere.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::problem::Problem;

const STYLE: &str = include_str!("../../assets/pages.css");
const SCRIPT: &str = include_str!("../../assets/passkey.js");
const ICON: &str = include_str!("../../assets/icon.svg");

fn lasting(kind: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

pub(super) async fn style() -> Response {
    lasting("text/css; charset=utf-8", STYLE)
}

pub(super) async fn script() -> Response {
    lasting("text/javascript; charset=utf-8", SCRIPT)
}

pub(super) async fn icon() -> Response {
    lasting("image/svg+xml", ICON)
}

pub(super) async fn brand(State(app): State<App>) -> Response {
    lasting("text/css; charset=utf-8", app.brands.now().css())
}

pub(super) async fn logo(State(app): State<App>) -> Response {
    match app.brands.now().picture() {
        Some((kind, bytes)) => lasting(kind, bytes),
        None => Problem::not_found("logo").into_response(),
    }
}
