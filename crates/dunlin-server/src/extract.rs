//! What handlers take from a request, with refusals that name the mistake and never repeat a value.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::problem::Problem;

/// A body of JSON.
pub(crate) struct Json<T>(pub(crate) T);

/// The query of the address.
pub(crate) struct Query<T>(pub(crate) T);

/// The parts of the address that the route leaves open.
pub(crate) struct Path<T>(pub(crate) T);

/// A body of text.
pub(crate) struct Text(pub(crate) String);

/// A form of a page.
pub(crate) struct Form<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Json<T>, Problem> {
        if !is_type(&request, |kind| kind == "application/json" || kind.ends_with("+json")) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_json",
                "this route takes a body of JSON",
            )
            .help("send `Content-Type: application/json`"));
        }
        let bytes = bytes(request, app).await?;
        serde_json::from_slice(&bytes).map(Json).map_err(|e| unreadable_json(&e))
    }
}

/// serde's own message quotes values; the place and the kind are enough to find the mistake.
fn unreadable_json(error: &serde_json::Error) -> Problem {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Data => {
            let text = error.to_string();
            let field = ["missing field `", "unknown field `"].iter().find_map(|mark| {
                let name = text.strip_prefix(mark)?.split('`').next()?;
                let plain = name.len() <= 40 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                plain.then(|| format!("{}{name}`", mark))
            });
            let what = field.unwrap_or_else(|| "a field has another type than it should".to_owned());
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unfit_body", format!("{what} ({place})"))
                .help("/api/v1/openapi.json says what the body looks like")
        }
        _ => Problem::bad_request(format!("the body is not JSON ({place})")),
    }
}

impl FromRequest<App> for Text {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Text, Problem> {
        let bytes = bytes(request, app).await?;
        String::from_utf8(bytes.into())
            .map(Text)
            .map_err(|_| Problem::bad_request("the body is not text in UTF-8"))
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Form<T>, Problem> {
        if !is_type(&request, |kind| kind == "application/x-www-form-urlencoded") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_a_form",
                "this page takes a form",
            ));
        }
        let bytes = bytes(request, app).await?;
        serde_urlencoded::from_bytes(&bytes)
            .map(Form)
            .map_err(|_| Problem::bad_request("the form lacks a field").help("reload the page and try again"))
    }
}

fn is_type(request: &Request, wanted: impl Fn(&str) -> bool) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    wanted(kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str())
}

async fn bytes(request: Request, app: &App) -> Result<Bytes, Problem> {
    Bytes::from_request(request, app).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(inner) if inner.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            too_large(app)
        }
        _ => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_broken",
            "the body of the request did not arrive whole",
        )
        .help("send it again"),
    })
}

/// 413.
pub(crate) fn too_large(app: &App) -> Problem {
    let limit = app.config.limits.body_bytes;
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("the body is larger than {limit} bytes"))
        .help("send less at a time; `[limits] body_bytes` in server.toml sets the limit")
}

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Query<T>, Problem> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, app).await;
        query.map(|q| Query(q.0)).map_err(|_| {
            Problem::bad_request("the query of the address cannot be read")
                .help("/api/v1/openapi.json says what this route takes")
        })
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Path<T>, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, app).await;
        path.map(|p| Path(p.0)).map_err(|_| Problem::not_found("page"))
    }
}
