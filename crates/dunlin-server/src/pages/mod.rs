//! Pages
use crate::app::App;
use axum::Router;
use axum::response::Response;
pub(crate) fn router() -> Router<App> {
    Router::new()
}
pub(crate) fn as_page(_: &App, r: Response) -> Response {
    r
}
