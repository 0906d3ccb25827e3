//! Everything that the server answers, put together: the API, what machines ask, and the pages.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use utoipa::openapi::OpenApi;

use crate::app::App;
use crate::problem::Problem;
use crate::{api, layers, pages, tell, unsubscribe, web};

static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(|| api::routes().finish().1);

/// The OpenAPI 3.1 document of the API.
pub fn openapi() -> OpenApi {
    DOCUMENT.clone()
}

/// The same, without a copy.
pub(crate) fn document() -> &'static OpenApi {
    &DOCUMENT
}

/// The router of a server.
pub(crate) fn router(app: App) -> Router {
    let (api, _) = api::routes().finish();
    let limit = app.config.limits.body_bytes;
    Router::new()
        .merge(api)
        .merge(pages::router())
        .merge(tell::router())
        .merge(unsubscribe::router())
        .route("/healthz", get(api::health))
        .route("/readyz", get(api::ready))
        .route("/metrics", get(api::metrics))
        .route("/ledger/{*path}", get(api::tiles))
        .fallback(web::fallback)
        .method_not_allowed_fallback(|| async {
            let status = axum::http::StatusCode::METHOD_NOT_ALLOWED;
            Problem::new(status, "method_not_allowed", "this address does not take this method")
                .help("/api/v1/openapi.json says what it takes")
        })
        .layer(axum::middleware::from_fn_with_state(app.clone(), layers::around))
        .layer(DefaultBodyLimit::max(limit))
        .with_state(app)
}
