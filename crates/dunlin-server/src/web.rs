//! The operators' web app as files in this binary: its one page for every address of its own, and its assets, which
//! were compressed when it was built. It is not the pages of sign-in, which work without a script.

use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::gate::CameFrom;
use crate::layers::text;
use crate::pages;
use crate::problem::Problem;

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/web/"]
struct Files;

/// Where a build with debug information reads the app, unless the variable of the same name says another folder when it
/// runs; empty in every other build, which has the app in it.
const DISK: &str = env!("DUNLIN_WEB_DIST");

static ON_DISK: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let said = std::env::var_os("DUNLIN_WEB_DIST").map_or_else(|| PathBuf::from(DISK), PathBuf::from);
    (!DISK.is_empty()).then_some(said)
});

/// A file of the app with the hash of its content.
struct Found {
    bytes: Vec<u8>,
    sha256: [u8; 32],
}

/// Looks a file up, on disk or in this binary.
fn find(path: &str) -> Option<Found> {
    if let Some(on_disk) = ON_DISK.as_ref().filter(|folder| folder.join("index.html").is_file()) {
        // Nothing but names: no way out of the folder.
        let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        let bytes = is_inside.then(|| std::fs::read(on_disk.join(path)).ok()).flatten()?;
        return Some(Found { sha256: Sha256::digest(&bytes).into(), bytes });
    }
    let found = Files::get(path)?;
    Some(Found { sha256: found.metadata.sha256_hash(), bytes: found.data.into_owned() })
}

/// The places of the app. Another address is not found, and said to be.
const PLACES: [&str; 10] =
    ["", "work", "plan", "data", "runs", "guard", "notices", "alerts", "evidence", "settings"];

/// What no route has: a file of the app, a place in it, or nothing.
pub(crate) async fn fallback(
    State(app): State<App>,
    from: CameFrom,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if method != Method::GET && method != Method::HEAD {
        return Err(Problem::not_found("page"));
    }
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("app/") {
        let lasting = "public, max-age=31536000, immutable";
        return file(path, lasting, &headers).ok_or_else(|| Problem::not_found("file"));
    }
    let place = path.split('/').next().unwrap_or_default();
    if !PLACES.contains(&place) {
        return Err(Problem::not_found("page"));
    }
    let back = uri.path_and_query().map_or("/", |p| p.as_str());
    if let Some(elsewhere) = pages::before_the_app(&app, from, &headers, back).await? {
        return Ok(elsewhere);
    }
    file("index.html", "no-cache", &headers).ok_or_else(Problem::internal)
}

/// A file in the best form that the browser takes; nothing where its copy is the same.
fn file(path: &str, cache: &'static str, headers: &HeaderMap) -> Option<Response> {
    let (found, encoding) = best(path, text(headers, header::ACCEPT_ENCODING))?;
    let tag = format!("\"{}\"", hex::encode(&found.sha256[..16]));
    let same = text(headers, header::IF_NONE_MATCH).split(',').any(|one| one.trim() == tag);
    let mut response =
        if same { StatusCode::NOT_MODIFIED.into_response() } else { Response::new(Body::from(found.bytes)) };
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(media(path)));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.insert(header::ETAG, tag);
    }
    if let Some(encoding) = encoding {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

fn best(path: &str, accepted: &str) -> Option<(Found, Option<&'static str>)> {
    for (encoding, ending) in [("br", "br"), ("gzip", "gz")] {
        if takes(accepted, encoding)
            && let Some(found) = find(&format!("{path}.{ending}"))
        {
            return Some((found, Some(encoding)));
        }
    }
    find(path).map(|found| (found, None))
}

/// Whether an `Accept-Encoding` names this encoding and does not refuse it.
pub(crate) fn takes(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused = parts.any(|p| p.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0));
        named && !refused
    })
}

/// The kinds of files that a build of the app has.
fn media(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_used_where_it_is_taken() {
        assert!(takes("gzip, deflate, br", "br"));
        assert!(takes("gzip;q=0.5", "gzip"));
        assert!(!takes("gzip, br;q=0", "br"));
        assert!(!takes("", "gzip"));
        assert!(!takes("brotli", "br"));
    }

    #[test]
    fn there_is_always_one_page() {
        let response = file("index.html", "no-cache", &HeaderMap::new()).unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let mut again = HeaderMap::new();
        again.insert(header::IF_NONE_MATCH, response.headers()[header::ETAG].clone());
        assert_eq!(file("index.html", "no-cache", &again).unwrap().status(), StatusCode::NOT_MODIFIED);
    }
}
