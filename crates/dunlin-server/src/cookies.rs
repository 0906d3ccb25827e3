//! The session's cookie, and whether a request comes from our own pages.

use axum::http::{HeaderMap, HeaderValue, header};
use url::Url;

use crate::app::App;
use crate::layers::text;

/// Its name: `__Host-` lets a browser take it only over TLS, from this very host, for all of its paths.
pub(crate) fn name(app: &App) -> &'static str {
    if app.config.is_secure() { "__Host-dunlin" } else { "dunlin" }
}

/// The session's token, as the browser sends it.
pub(crate) fn session(app: &App, headers: &HeaderMap) -> Option<String> {
    value(headers, name(app))
}

/// A cookie's value.
pub(crate) fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value.to_owned())
}

/// Hands the session's token to the browser; until when the session lives, the state says.
pub(crate) fn set_session(app: &App, token: &str) -> Option<HeaderValue> {
    set(app, name(app), token, None)
}

/// Takes it back.
pub(crate) fn clear_session(app: &App) -> Option<HeaderValue> {
    set(app, name(app), "", Some(0))
}

/// A cookie of ours. `seconds` limits its life; without it the browser's session does.
pub(crate) fn set(app: &App, name: &str, value: &str, seconds: Option<u64>) -> Option<HeaderValue> {
    let secure = if app.config.is_secure() { "; Secure" } else { "" };
    let age = seconds.map(|s| format!("; Max-Age={s}")).unwrap_or_default();
    let mut header =
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"))
            .ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Whether a request that changes something comes from our own pages, as far as the browser tells: by
/// `Sec-Fetch-Site` and `Origin`. A program that sends neither is no browser, and has no cookies to abuse.
pub(crate) fn is_same_origin(app: &App, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if !matches!(site, None | Some("same-origin" | "none")) {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    if origin == "null" {
        // So a browser calls a page that gives no referrer, such as one with a token in its address. Another site can
        // be called so as well: only the browser's own word on where it comes from lets it pass.
        return site == Some("same-origin");
    }
    let Some(origin) = origin.to_str().ok().and_then(|text| Url::parse(text).ok()) else { return false };
    let own = |text: &str| Url::parse(text).is_ok_and(|url| url.origin() == origin.origin());
    let scheme = if app.config.is_secure() { "https" } else { "http" };
    // Without a public address people come by whatever name they know; the host was checked before.
    let asked = format!("{scheme}://{}", text(headers, header::HOST));
    own(app.base_url()) || (app.config.public_url.is_none() && own(&asked))
}
