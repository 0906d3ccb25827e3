//! The gate in front of every operation: who asks, whether the request comes from our own pages, how often, and
//! whether the policies allow it. In this order, so that nobody learns more than his session shows.

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use dunlin_guard::{Action, ErrorKind, GuardError, Origin, Resource, Secret, Who};

use crate::app::App;
use crate::cookies;
use crate::layers::{Client, text, too_many};
use crate::operation::Target;
use crate::problem::Problem;

/// The header that carries a session's form token.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

/// Who passed the gate.
#[derive(Clone)]
pub(crate) struct Caller {
    /// The authenticated caller.
    pub(crate) who: Who,
    /// The cookie's token, when it came by one.
    pub(crate) token: Option<Secret>,
    /// Where from.
    pub(crate) origin: Origin,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Caller, Problem> {
        // Only the gate puts it there; without it the route is public and has no caller.
        parts.extensions.get::<Caller>().cloned().ok_or_else(Problem::unauthenticated)
    }
}

/// Where a request comes from, for the guard.
pub(crate) struct CameFrom(pub(crate) Origin);

impl FromRequestParts<App> for CameFrom {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<CameFrom, Problem> {
        Ok(CameFrom(origin(parts)))
    }
}

fn origin(parts: &Parts) -> Origin {
    match parts.extensions.get::<Client>() {
        Some(client) => Origin::new(client.address, &client.agent),
        None => Origin::new([0, 0, 0, 0].into(), ""),
    }
}

/// Lets a request to a public operation pass, unless another site's page sent it.
pub(crate) async fn public(app: &App, request: Request) -> Result<Request, Problem> {
    if !is_safe(request.method()) && !cookies::is_same_origin(app, request.headers()) {
        app.metrics.refused("origin");
        return Err(foreign());
    }
    Ok(request)
}

/// Lets a request pass when its caller may do this; the handler finds the [`Caller`].
pub(crate) async fn gate(
    app: &App,
    action: Action,
    target: Target,
    early: bool,
    request: Request,
) -> Result<Request, Problem> {
    let (mut parts, body) = request.into_parts();
    let caller = authenticate(app, &parts).await?;
    if let Err(wait) = app.rate_of_people.take(&caller.who.person) {
        app.metrics.refused("person_rate");
        return Err(too_many(wait));
    }
    if caller.token.is_some() && !is_safe(&parts.method) {
        check_form(app, &caller, &parts.headers)?;
    }
    if !early {
        caller.who.need_full()?;
    }
    let resource = resource(&mut parts, app, &caller, target).await?;
    allowed(app, &caller.who, action, &resource).await?;
    parts.extensions.insert(caller);
    Ok(Request::from_parts(parts, body))
}

/// Asks the policies; a refusal is a problem with their sentence.
pub(crate) async fn allowed(app: &App, who: &Who, action: Action, on: &Resource) -> Result<(), Problem> {
    let verdict = app.authority.may(who, action, on);
    if verdict.allowed {
        return Ok(());
    }
    app.metrics.refused("policy");
    if let Err(error) = app.presence.refused(who, action, &verdict.reason_code).await {
        tracing::error!(%error, "a refusal could not be entered");
    }
    Err(Problem::forbidden(&verdict.reason_code, verdict.sentence))
}

async fn authenticate(app: &App, parts: &Parts) -> Result<Caller, Problem> {
    authenticate_headers(app, &parts.headers, origin(parts)).await
}

/// The caller, by a token in `Authorization` or by the session's cookie. A header that is there is the one that
/// counts: a request does not fall back to the cookie.
pub(crate) async fn authenticate_headers(
    app: &App,
    headers: &HeaderMap,
    origin: Origin,
) -> Result<Caller, Problem> {
    if headers.contains_key(header::AUTHORIZATION) {
        let value = text(headers, header::AUTHORIZATION);
        let (scheme, token) = value.split_once(' ').ok_or_else(Problem::unauthenticated)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Problem::unauthenticated());
        }
        let who = app.guard.who_by_token(&Secret::new(token.trim()), &origin).await?;
        return Ok(Caller { who, token: None, origin });
    }
    by_cookie(app, headers, origin).await
}

/// The caller by the session's cookie alone.
pub(crate) async fn by_cookie(app: &App, headers: &HeaderMap, origin: Origin) -> Result<Caller, Problem> {
    let token = Secret::new(cookies::session(app, headers).ok_or_else(Problem::unauthenticated)?);
    let who = app.guard.who_by_session(&token, &origin).await?;
    Ok(Caller { who, token: Some(token), origin })
}

fn check_form(app: &App, caller: &Caller, headers: &HeaderMap) -> Result<(), Problem> {
    let sent = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    check_form_token(app, caller, headers, sent)
}

/// The form token and the browser's word on where the request comes from.
pub(crate) fn check_form_token(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    sent: &str,
) -> Result<(), Problem> {
    if !cookies::is_same_origin(app, headers) {
        app.metrics.refused("origin");
        return Err(foreign());
    }
    let fits = caller.token.as_ref().is_some_and(|token| app.guard.check_form_token(token, sent).is_ok());
    if fits {
        return Ok(());
    }
    app.metrics.refused("form_token");
    let title = "this request does not carry the token of its session";
    Err(Problem::forbidden("form_refused", title)
        .help("send what `GET /api/v1/me` gives as `csrf` in the header `X-CSRF-Token`"))
}

/// For forms of people who are not signed in yet: refuses what another site's page sent.
pub(crate) fn own_page(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    if cookies::is_same_origin(app, headers) {
        return Ok(());
    }
    app.metrics.refused("origin");
    Err(foreign())
}

fn foreign() -> Problem {
    Problem::forbidden("other_site", "another site's page sent this request")
        .help("do it from this server's own pages, or by a token")
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// A part of the address that the route leaves open.
async fn parameter(parts: &mut Parts, app: &App, name: &'static str) -> Result<String, Problem> {
    let params = RawPathParams::from_request_parts(parts, app).await.map_err(|_| Problem::not_found(name))?;
    let found = params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned());
    found.ok_or_else(|| Problem::not_found(name))
}

/// A person's account as a resource. Of one that is not there no role is known, and the handler says so to those who
/// may know.
pub(crate) async fn account(app: &App, id: &str) -> Result<Resource, Problem> {
    match app.guard.person(id).await {
        Ok(person) => Ok(Resource::Account { id: person.id, role: person.role }),
        Err(GuardError::Unknown(_)) => Ok(Resource::person(id)),
        Err(error) => Err(error.into()),
    }
}

async fn resource(
    parts: &mut Parts,
    app: &App,
    caller: &Caller,
    target: Target,
) -> Result<Resource, Problem> {
    Ok(match target {
        Target::Workspace => Resource::Workspace,
        Target::Own => Resource::of(&caller.who.person),
        Target::Plan => Resource::plan(),
        Target::Grant => Resource::Grant { person: String::new(), stood_by: Vec::new(), secret: false },
        Target::Notice => Resource::notice(),
        Target::Person => account(app, &parameter(parts, app, "person").await?).await?,
        Target::Token => {
            let id = parameter(parts, app, "token").await?;
            let token = app.guard.tokens(None).await?.into_iter().find(|token| token.id == id);
            // One that is not there belongs to nobody: only those who may take back any learn so.
            Resource::of(token.as_ref().map_or("", |token| token.person.as_str()))
        }
    })
}

impl From<GuardError> for Problem {
    fn from(error: GuardError) -> Problem {
        use axum::http::StatusCode as S;
        let status = match error.kind() {
            ErrorKind::Unauthenticated => S::UNAUTHORIZED,
            ErrorKind::Forbidden => S::FORBIDDEN,
            ErrorKind::NotFound => S::NOT_FOUND,
            ErrorKind::Conflict => S::CONFLICT,
            ErrorKind::Invalid => S::UNPROCESSABLE_ENTITY,
            ErrorKind::TooMany => S::TOO_MANY_REQUESTS,
            ErrorKind::Busy => S::SERVICE_UNAVAILABLE,
            ErrorKind::Internal => {
                tracing::error!(reference = crate::problem::reference(), %error, "the guard failed");
                return Problem::internal();
            }
        };
        let problem = Problem::new(status, error.code(), error.to_string());
        let problem = error.help().map_or(problem.clone(), |help| problem.help(help));
        match error {
            GuardError::Throttled { retry_after_s } => problem.after(retry_after_s),
            _ if status == S::SERVICE_UNAVAILABLE => problem.after(2),
            _ => problem,
        }
    }
}
