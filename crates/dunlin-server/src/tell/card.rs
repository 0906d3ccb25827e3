//! The card: its script and style, what it fetches, and what a person answers. The script's head comment
//! (`dunlin-tell/card/dunlin-notice.js`) is the description of what it expects here.

use std::io::Write;
use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dunlin_ledger::{Actor, Body, Entry};
use dunlin_store::{Purpose, now_us};
use dunlin_tell::card::{self, CARD_CSS};
use dunlin_tell::render;
use ring::hmac;
use serde::Deserialize;

use super::{
    Asked, Here, Shown, for_everybody, for_hosts, for_minutes, has_own_page, lang, links, me, shown_now,
    subject,
};
use crate::app::App;
use crate::extract::{Json, Path, Query};
use crate::layers::text;
use crate::problem::Problem;

/// How long a person's address for the answer holds, in seconds: a page stays open for a while.
const ANSWER_WITHIN: i64 = 24 * 3600;
/// Says why a subject was not believed, to whoever builds the host app.
const SUBJECT: HeaderName = HeaderName::from_static("x-dunlin-subject");

static SCRIPT: LazyLock<String> = LazyLock::new(card::script);
/// The same, compressed: every page of a host app loads it.
static PRESSED: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(SCRIPT.as_bytes()).ok()?;
    encoder.finish().ok()
});

/// Which notice, for which reader.
#[derive(Deserialize)]
pub(super) struct Which {
    notice: Option<String>,
    lang: Option<String>,
}

/// What a person chose.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    choice: Chosen,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Chosen {
    Keep,
    Close,
}

impl Chosen {
    fn as_str(self) -> &'static str {
        match self {
            Chosen::Keep => "keep",
            Chosen::Close => "close",
        }
    }
}

pub(super) async fn script(headers: HeaderMap) -> Response {
    const KIND: &str = "text/javascript; charset=utf-8";
    let takes = text(&headers, header::ACCEPT_ENCODING).split(',').any(|one| one.trim() == "gzip");
    let mut response = match PRESSED.as_deref().filter(|_| takes) {
        None => for_minutes(KIND, SCRIPT.as_str()),
        Some(pressed) => {
            let mut response = for_minutes(KIND, pressed);
            let gzip = HeaderValue::from_static("gzip");
            response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
            response
        }
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    response
}

pub(super) async fn style() -> Response {
    for_minutes("text/css; charset=utf-8", CARD_CSS)
}

async fn chosen(app: &App, which: &Which, accept: &str) -> Result<Option<Shown>, Problem> {
    let all = shown_now(app, which.notice.as_deref()).await?;
    lang::choose(all, which.lang.as_deref(), accept).map(Shown::of).transpose()
}

/// The card as HTML, to be put into a host's page by its server.
pub(super) async fn fragment(
    app: Here,
    Asked(accept): Asked,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let Some(shown) = chosen(&app, &which, &accept).await? else {
        return Ok(for_everybody(StatusCode::NO_CONTENT.into_response()));
    };
    let brand = app.brands.now();
    let links = links(&app, app.base_url(), &shown.notice, None);
    let html = render::fragment(&shown.notice, &brand.name, &links).map_err(|_| Problem::internal())?;
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    Ok(for_everybody(response))
}

/// What the script fetches.
pub(super) async fn data(
    app: Here,
    headers: HeaderMap,
    Asked(accept): Asked,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let Some(shown) = chosen(&app, &which, &accept).await? else {
        return Ok(for_hosts(&app, &headers, StatusCode::NO_CONTENT.into_response()));
    };
    let (person, refused) = match headers.get(header::AUTHORIZATION) {
        None => (None, None),
        Some(sent) => {
            let token = sent.to_str().ok().and_then(|sent| sent.strip_prefix("Bearer "));
            match subject::accept(&app, token.unwrap_or_default().trim()).await {
                Ok(person) => (Some(person), None),
                Err(subject::SubjectError::Store(error)) => return Err(error.into()),
                // What the law wants said is said to everybody: a token that is not believed makes a stranger, no less.
                Err(why) => (None, Some(why.code())),
            }
        }
    };
    let (mut remember, mut seen, mut ticket) = (None, false, None);
    if let Some(person) = &person {
        if has_own_page(&app) {
            ticket = Some(me::ticket(&app, &person.id)?);
        }
        let (notice, version) = (&shown.notice.id, shown.notice.version);
        seen = app.workspace.state().notice_answer(notice, version, &person.name).await?.is_some();
        remember = Some(format!("/tell/card/{}", address(&app, &person.name, notice, version)?));
    }
    let brand = app.brands.now();
    let links = links(&app, "", &shown.notice, ticket.as_deref());
    let card = card::data(&shown.notice, &brand.name, &links, remember.as_deref(), seen);
    let mut response = crate::api::ok(&card);
    if let Some(why) = refused {
        let headers = response.headers_mut();
        headers.insert(SUBJECT, HeaderValue::from_static(why));
        let exposed = HeaderValue::from_static("x-dunlin-subject");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Language, Authorization"));
    Ok(for_hosts(&app, &headers, response))
}

/// What a browser asks before it lets a host's page fetch with a subject, or answer.
pub(super) async fn preflight(app: Here, headers: HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let out = response.headers_mut();
    let allow = |text| HeaderValue::from_static(text);
    out.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow("GET, POST"));
    out.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allow("authorization, content-type"));
    out.insert(header::ACCESS_CONTROL_MAX_AGE, allow("600"));
    for_hosts(&app, &headers, response)
}

/// A person's answer, at the address that is theirs alone.
pub(super) async fn answer(
    app: Here,
    headers: HeaderMap,
    Path(token): Path<String>,
    Json(body): Json<Choice>,
) -> Result<Response, Problem> {
    let origin = text(&headers, header::ORIGIN);
    if !origin.is_empty()
        && !app.config.tell.allows(origin)
        && !crate::cookies::is_same_origin(&app, &headers)
    {
        app.metrics.refused("origin");
        return Err(Problem::forbidden("other_site", "a page of another site than the host apps sent this")
            .help("name the app in `[tell] hosts` of server.toml"));
    }
    let person = addressed(&app, &token)?;
    let state = app.workspace.state();
    let mut tx = state.begin().await?;
    let (choice, at) = (body.choice.as_str(), now_us());
    if tx.insert_notice_answer(&person.notice, person.version, &person.subject, choice, at).await? {
        // The entry's name goes with the person's salt: it is meaningless once that is shredded.
        let salt = tx.subject_salt(&person.subject).await?;
        let subject = app.workspace.keys().row_name(&salt, "notice", person.subject.as_bytes())?;
        let body = Body::NoticeAnswered {
            notice: person.notice.clone(),
            version: u64::from(person.version),
            choice: choice.to_owned(),
            subject,
        };
        tx.enter(Entry { at, actor: Actor::System, body }).await?;
        tx.commit().await?;
        let data =
            serde_json::json!({ "notice": person.notice, "version": person.version, "change": "answered" });
        app.hub.tell("notice.changed", dunlin_guard::Action::NoticesRead, None, data);
    }
    Ok(for_hosts(&app, &headers, StatusCode::NO_CONTENT.into_response()))
}

/// Whose answer to what an address takes.
struct Addressed {
    subject: String,
    notice: String,
    version: u32,
}

fn key(app: &App) -> Result<hmac::Key, Problem> {
    let key = app.workspace.keys().key(Purpose::Subject)?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &key[..]))
}

/// What is signed of an address; nothing else is signed under this key by that beginning.
fn signed(text: &str) -> Vec<u8> {
    [b"dunlin-card-answer/1\0", text.as_bytes()].concat()
}

fn address(app: &App, subject: &str, notice: &str, version: u32) -> Result<String, Problem> {
    let ends = app.guard.now().late.div_euclid(1_000_000) + ANSWER_WITHIN;
    let text = format!("{version}.{ends}.{subject}.{notice}");
    let tag = hmac::sign(&key(app)?, &signed(&text));
    Ok(format!("{}.{}", URL_SAFE_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(tag.as_ref())))
}

fn addressed(app: &App, token: &str) -> Result<Addressed, Problem> {
    let none = || Problem::not_found("card");
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| none());
    let (text, tag) = token.split_once('.').filter(|_| token.len() <= 1024).ok_or_else(none)?;
    let text = String::from_utf8(decode(text)?).map_err(|_| none())?;
    hmac::verify(&key(app)?, &signed(&text), &decode(tag)?).map_err(|_| none())?;
    let mut parts = text.splitn(4, '.');
    let mut part = || parts.next().ok_or_else(none);
    let (version, ends, subject, notice) = (part()?, part()?, part()?, part()?);
    let ends: i64 = ends.parse().map_err(|_| none())?;
    if ends <= app.guard.now().late.div_euclid(1_000_000) {
        return Err(none());
    }
    let version = version.parse().map_err(|_| none())?;
    Ok(Addressed { subject: subject.to_owned(), notice: notice.to_owned(), version })
}
