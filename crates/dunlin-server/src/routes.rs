//! Everything that the server answers, put together.
use crate::app::App;
use crate::operation::Routes;
use crate::{layers, pages};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use utoipa::openapi::OpenApi;

/// The OpenAPI document of the API.
pub fn openapi() -> OpenApi {
    api().1
}
fn api() -> (Router<App>, OpenApi) {
    Routes::new(OpenApi::default()).finish()
}
pub(crate) fn router(app: App) -> Router {
    let limit = app.config.limits.body_bytes;
    Router::new()
        .merge(api().0)
        .merge(pages::router())
        .layer(axum::middleware::from_fn_with_state(app.clone(), layers::around))
        .layer(DefaultBodyLimit::max(limit))
        .with_state(app)
}
