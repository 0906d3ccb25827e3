//! A notice as its readers would meet it, before it is published, and the pictures that a notice can show. Each answer
//! is a document of its own under a policy that runs nothing, to be shown in a frame of any width.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dunlin_guard::Action;
use dunlin_tell::card::CARD_CSS;
use dunlin_tell::render::{NOTICE_CSS, fragment, mail, page, page_text};
use dunlin_tell::{Notice, card};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;

use super::versions::parsed;
use super::{op, path_of};
use crate::api::{items, ok};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::notices::{FOLDER, NoticeError, actions, encode, read};
use crate::operation::{Method, Op, Routes};
use crate::problem::Problem;

/// What shows in a frame of our own pages: styles inside, pictures of this server, nothing that runs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'self'; sandbox allow-same-origin";

/// In which form.
#[derive(Deserialize)]
struct Form {
    #[serde(rename = "as")]
    form: Option<String>,
    message: Option<usize>,
}

/// A picture of the folder.
#[derive(Serialize, ToSchema)]
struct Picture {
    /// As a text names it: `notices/van.png`.
    path: String,
    /// Its size on disk.
    bytes: u64,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .add(
            previews(op(
                Method::Get,
                "/api/v1/notices/{name}/preview",
                Action::NoticesRead,
                "notice_preview",
                "A notice as its readers would meet it",
            )),
            of_file,
        )
        .add(
            previews(op(
                Method::Get,
                "/api/v1/notices/versions/{version}/preview",
                Action::NoticesRead,
                "notice_version_preview",
                "A version as its readers meet it",
            )),
            of_version,
        )
        .add(
            op(
                Method::Get,
                "/api/v1/notices/images",
                Action::NoticesRead,
                "notice_images",
                "The pictures in `notices/` that a text can show",
            )
            .answers::<Vec<Picture>>("`items`: pictures, by their path"),
            pictures,
        )
        .add(
            op(
                Method::Get,
                "/api/v1/notices/images/{*path}",
                Action::NoticesRead,
                "notice_image",
                "A picture of the workspace as readers would see it: encoded anew",
            )
            .answers_as("image/png", "The picture"),
            picture,
        )
}

fn previews(op: Op) -> Op {
    op.query("as", Type::String, "`page` (the default), `fragment`, `mail`, `mail_text`, `text` or `card`")
        .query("message", Type::Integer, "Which message of the schedule, from 0, for the mails")
        .answers_as("text/html", "A document for a frame; plain text for `text`, JSON for `card`")
}

async fn of_file(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(form): Query<Form>,
) -> Result<Response, Problem> {
    let file = read(&app.workspace.dir, &path_of(&name)?)?;
    let source = dunlin_tell::parse(&file.text, &file.path).map_err(NoticeError::Unreadable)?;
    drawn(&app, &source.notice, &form, "/api/v1/notices/images/")
}

async fn of_version(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(form): Query<Form>,
) -> Result<Response, Problem> {
    let version = app.workspace.state().notice(&id).await?;
    // Pictures of what waits are not public yet.
    drawn(&app, &parsed(&version)?.notice, &form, "/api/v1/notices/images/")
}

fn drawn(app: &App, notice: &Notice, form: &Form, images: &str) -> Result<Response, Problem> {
    let undrawn = |_| Problem::from(NoticeError::Undrawn);
    let brand = app.brands.now();
    let (company, contact) = (brand.name.as_str(), brand.contact.as_deref());
    let links = actions("", notice, contact);
    match form.form.as_deref().unwrap_or("page") {
        "page" => {
            let shown = page(notice, company, &links, images).map_err(undrawn)?;
            Ok(framed(&document(&shown.lang, NOTICE_CSS, &shown.html)))
        }
        "fragment" => {
            let inner = fragment(notice, company, &links).map_err(undrawn)?;
            Ok(framed(&document(&notice.locale.to_string(), CARD_CSS, &inner)))
        }
        which @ ("mail" | "mail_text") => {
            let message = notice.messages.get(form.message.unwrap_or(0));
            let message = message.ok_or_else(|| Problem::not_found("message of this notice"))?;
            let links = actions(app.base_url(), notice, contact);
            let made = mail(notice, message, company, contact, &links, None).map_err(undrawn)?;
            if which == "mail" {
                Ok(framed(&made.html))
            } else {
                Ok(plain(format!("Subject: {}\n\n{}", made.subject, made.text)))
            }
        }
        "text" => Ok(plain(page_text(notice, company, &links))),
        "card" => Ok(ok(&card::data(notice, company, &links, None, false))),
        _ => Err(Problem::bad_request("`as` is page, fragment, mail, mail_text, text or card")),
    }
}

/// A document of its own around a part of a page. The part keeps its margins inside: beside it the frame is white, also
/// where the part is dark.
fn document(lang: &str, css: &str, body: &str) -> String {
    let head =
        "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">";
    format!(
        "<!doctype html><html lang=\"{lang}\"><head>{head}<title>·</title><style>body{{margin:0}}body>*{{display:flow-root}}{css}</style></head><body>{body}</body></html>"
    )
}

fn framed(html: &str) -> Response {
    let mut response = (StatusCode::OK, html.to_owned()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    response
}

fn plain(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

async fn pictures(State(app): State<App>) -> Result<Response, Problem> {
    let mut found = Vec::new();
    if let Ok(entries) = std::fs::read_dir(app.workspace.dir.join(FOLDER)) {
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
            let lower = name.to_ascii_lowercase();
            let shown = [".png", ".jpg", ".jpeg", ".webp"].iter().any(|end| lower.ends_with(end));
            if let Some(about) = entry.metadata().ok().filter(|about| shown && about.is_file()) {
                found.push(Picture { path: format!("{FOLDER}/{name}"), bytes: about.len() });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(items(&found))
}

async fn picture(State(app): State<App>, Path(path): Path<String>) -> Result<Response, Problem> {
    let dir = app.workspace.dir.clone();
    let made = tokio::task::spawn_blocking(move || encode(&dir, &path)).await;
    let image = made.map_err(|_| Problem::internal())?.map_err(|_| Problem::not_found("picture"))?;
    Ok(([(header::CONTENT_TYPE, image.media_type)], image.bytes).into_response())
}
