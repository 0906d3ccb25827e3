//! Pictures of what is published, as they were encoded when the text was handed in. The original never leaves.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use dunlin_store::NoticeStatus;

use super::{Here, for_everybody};
use crate::extract::Path;
use crate::problem::Problem;

pub(super) async fn image(
    app: Here,
    Path((version, path)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let none = || Problem::not_found("picture");
    let state = app.workspace.state();
    let version = state.notice(&version).await.map_err(|_| none())?;
    if version.status() != NoticeStatus::Published {
        return Err(none());
    }
    let image = state.notice_image(&version.id, &path).await?.ok_or_else(none)?;
    let kind = HeaderValue::from_str(&image.media_type).map_err(|_| none())?;
    let mut response = image.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    // A version's picture never changes; the time is short because a version can be withdrawn.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    Ok(for_everybody(response))
}
