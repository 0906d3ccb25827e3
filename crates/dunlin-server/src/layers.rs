//! What happens around every request, in this order: a reference, the client's address, the host it asked for, its
//! rate, the size of its body; then the handler, with a time limit and a net under panics; then the security headers,
//! the numbers and one line of log. The log has the route as declared, never the address with its query, a body or
//! a token.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use rand::RngCore;
use tower_http::timeout::TimeoutBody;

use crate::app::App;
use crate::origin::{client_address, network_of};
use crate::problem::{Problem, REFERENCE};
use crate::{extract, pack, pages};

/// The peer of the connection, put into each request by the listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The client's address as far as it can be believed, and what its program calls itself.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// Where the request comes from.
    pub(crate) address: std::net::IpAddr,
    /// `User-Agent`, cut.
    pub(crate) agent: String,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// For pages: nothing but our own style, script, pictures and forms.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; \
    connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// For answers that are not pages: nothing at all, should a browser show one as a page.
const DATA_POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

/// The middleware.
pub(crate) async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let reference = new_reference();
    let started = Instant::now();
    let method = request.method().clone();
    let peer = request.extensions().get::<Peer>().map_or(SocketAddr::from(([0, 0, 0, 0], 0)), |p| p.0);
    let client = Client {
        address: client_address(peer.ip(), request.headers(), &app.config.behind_proxy),
        agent: text(request.headers(), header::USER_AGENT).chars().take(300).collect(),
    };
    request.extensions_mut().insert(client.clone());
    let route = Route::of(&request);
    let may_pack = pack::is_welcome(&method, request.uri().path(), request.headers());
    pack::unpack_tags(request.headers_mut());
    let name = route.name.clone();
    let answer = async {
        let answer = match admit(&app, &client, &route, request) {
            Ok(request) => handle(&app, &name, request, next).await,
            Err(problem) => problem.into_response(),
        };
        if route.is_page { pages::as_page(&app, answer) } else { answer }
    };
    let mut response = REFERENCE.scope(reference.clone(), answer).await;
    if may_pack {
        response = pack::packed(response).await;
    }
    decorate(&app, response.headers_mut(), &reference, &name, route.is_page);
    let (status, seconds) = (response.status().as_u16(), started.elapsed().as_secs_f64());
    app.metrics.answered(&method, &name, status, seconds);
    let milliseconds = (seconds * 1000.0).round() as u64;
    if status >= 500 {
        tracing::error!(reference, %method, route = name, status, milliseconds, "answered");
    } else {
        tracing::info!(reference, %method, route = name, status, milliseconds, "answered");
    }
    response
}

/// What is known of a request before anybody handles it.
struct Route {
    /// As declared, or a word for what is not.
    name: String,
    is_page: bool,
    /// Answers probes, which come by address and often.
    is_probe: bool,
}

impl Route {
    fn of(request: &Request) -> Route {
        let path = request.uri().path();
        let name = request.extensions().get::<MatchedPath>().map(|m| m.as_str().to_owned());
        let data =
            ["/api", "/scim", "/metrics", "/healthz", "/readyz", "/ledger", "/assets", "/app", "/work/feed"];
        let is_data = crate::tell::is_data(path)
            || data.iter().any(|p| path == *p || path.strip_prefix(p).is_some_and(|r| r.starts_with('/')));
        Route {
            name: name.unwrap_or_else(|| "unknown".to_owned()),
            is_page: !is_data,
            is_probe: matches!(path, "/healthz" | "/readyz" | "/metrics"),
        }
    }
}

fn admit(app: &App, client: &Client, route: &Route, request: Request) -> Result<Request, Problem> {
    if !route.is_probe && !app.is_own_host(host(&request)) {
        app.metrics.refused("host");
        let title = "this server does not go by that name";
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host", title)
            .help("use the address in `public_url` of server.toml"));
    }
    if let Err(wait) = app.rate_of_addresses.take(&network_of(client.address)) {
        app.metrics.refused("address_rate");
        return Err(too_many(wait));
    }
    let length = text(request.headers(), header::CONTENT_LENGTH).parse::<u64>().unwrap_or(0);
    let most = crate::api::work::body_max(&route.name).unwrap_or(0).max(app.config.limits.body_bytes);
    if length > most as u64 {
        app.metrics.refused("body");
        return Err(extract::too_large(app));
    }
    let patience = app.config.timeouts.body();
    Ok(request.map(|body| Body::new(TimeoutBody::new(patience, body))))
}

/// 429.
pub(crate) fn too_many(wait: std::time::Duration) -> Problem {
    let seconds = wait.as_secs() + 1;
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "too many requests in a short time")
        .help(format!("wait {seconds} s and go on more slowly"))
        .after(seconds)
}

/// What reads or changes a table whole, or many tasks at once; how long it takes is up to how many there are.
const LONG: [&str; 19] = [
    "/api/v1/data/profile",
    "/api/v1/duplicates/decide",
    "/api/v1/duplicates/preview",
    "/api/v1/duplicates/{pair}/rows",
    "/api/v1/quarantine/decide",
    "/api/v1/quarantine/preview",
    "/api/v1/requests",
    "/api/v1/requests/{request}/carry-out",
    "/api/v1/requests/{request}/receipt",
    "/api/v1/runs/{run}/undo",
    "/api/v1/work/changes/{change}/undo",
    "/api/v1/work/draft",
    "/api/v1/work/import",
    "/api/v1/work/tasks/batch",
    "/tell/me",
    "/tell/me/ask",
    "/tell/me/correct",
    "/tell/me/download",
    "/tell/me/receipt/{request}",
];
/// How long that may take.
const LONG_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(900);

async fn handle(app: &App, route: &str, request: Request, next: Next) -> Response {
    let handled = AssertUnwindSafe(next.run(request)).catch_unwind();
    let patience = app.config.timeouts.request();
    let patience = if LONG.contains(&route) { patience.max(LONG_TIMEOUT) } else { patience };
    match tokio::time::timeout(patience, handled).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => {
            // The panic's text may hold anything; the hook of the process has it.
            tracing::error!(reference = crate::problem::reference(), "a handler panicked");
            Problem::internal().into_response()
        }
        Err(_) => {
            let title = "the answer took too long";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", title)
                .help("try again; long work goes on by itself and is seen at /api/v1/runs")
                .after(5)
                .into_response()
        }
    }
}

fn decorate(app: &App, headers: &mut HeaderMap, reference: &str, route: &str, is_page: bool) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    // An address with a token in it is told to nobody. Elsewhere forms say to this server that they are its own.
    set(header::REFERRER_POLICY, if route.contains("{token}") { "no-referrer" } else { "same-origin" });
    set(header::CONTENT_SECURITY_POLICY, if is_page { PAGE_POLICY } else { DATA_POLICY });
    set(header::CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), \
         publickey-credentials-get=(self), publickey-credentials-create=(self)",
    );
    if app.config.is_secure() {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
    if let Ok(value) = HeaderValue::from_str(reference) {
        headers.insert(REQUEST_ID, value);
    }
}

/// The host that was asked for, without its port: HTTP/2 has it in the address, HTTP/1.1 in a header.
fn host(request: &Request) -> &str {
    let named = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    let authority = request.uri().authority().map(|a| a.as_str()).or(named).unwrap_or_default();
    let without_user = authority.rsplit('@').next().unwrap_or_default();
    match without_user.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => without_user.split(':').next().unwrap_or_default(),
    }
}

/// A header as text, or nothing.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn new_reference() -> String {
    let mut bytes = [0u8; 9];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}
