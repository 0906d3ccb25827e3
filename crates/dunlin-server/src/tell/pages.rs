//! The pages of a notice: the text in the reader's language, its versions with what changed, its linked data. Drawn
//! here, without a script; they say what the page of an earlier version said for as long as it is not withdrawn.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dunlin_store::{NoticeStatus, NoticeVersion};
use dunlin_tell::diff::{changes, to_html};
use dunlin_tell::render::{NOTICE_CSS, page};
use dunlin_tell::words::{self, Words, fill};
use dunlin_tell::{Lang, Locale, Notice, Word};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Here, Shown, for_hosts, for_minutes, lang, links, shown_now};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::problem::Problem;

/// For the demo's page of a host app alone: its style stands in it.
const DEMO_POLICY: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; \
                           connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What a link in another language is called: its own name for itself.
fn own_name(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "English",
        Lang::Es => "Español",
        Lang::De => "Deutsch",
        Lang::Fr => "Français",
    }
}

/// A link to the same in another language.
struct Other {
    href: String,
    lang: String,
    name: String,
}

/// The frame around what is shown.
#[derive(Template)]
#[template(path = "tell.html")]
pub(super) struct Frame {
    pub(super) lang: String,
    pub(super) title: String,
    pub(super) company: String,
    pub(super) has_logo: bool,
    pub(super) skip: &'static str,
    pub(super) inner: String,
    pub(super) linked: Option<String>,
    others: Vec<Other>,
    languages: &'static str,
    /// Below the text: a sentence, and words with where they lead.
    said: Option<String>,
    below: Vec<(String, String)>,
}

impl Frame {
    /// A frame in a language, without links.
    pub(super) fn plain(app: &App, lang: &str, words: &'static Words, title: &str, inner: String) -> Frame {
        let brand = app.brands.now();
        Frame {
            lang: lang.to_owned(),
            title: title.to_owned(),
            company: brand.name.clone(),
            has_logo: brand.has_logo,
            skip: words.site.skip,
            inner,
            linked: None,
            others: Vec::new(),
            languages: words.site.languages,
            said: None,
            below: Vec::new(),
        }
    }

    fn has_footer(&self) -> bool {
        self.said.is_some() || !self.below.is_empty() || !self.others.is_empty()
    }

    /// Links to the same page in the other languages.
    pub(super) fn in_languages(&mut self, path: &str, here: Lang) {
        let rest = Lang::ALL.iter().filter(|lang| **lang != here);
        let other = |lang: &Lang| Other {
            href: format!("{path}?lang={lang}"),
            lang: lang.to_string(),
            name: own_name(*lang).to_owned(),
        };
        self.others = rest.map(other).collect();
    }

    /// As an answer.
    pub(super) fn answer(&self, status: StatusCode) -> Result<Response, Problem> {
        let html = self.render().map_err(|error| {
            tracing::error!(%error, "a public page could not be made");
            Problem::internal()
        })?;
        let mut response = (status, html).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
        if let Ok(lang) = HeaderValue::from_str(&self.lang) {
            headers.insert(header::CONTENT_LANGUAGE, lang);
        }
        Ok(response)
    }
}

/// For whom.
#[derive(Deserialize)]
pub(super) struct Reader {
    lang: Option<String>,
    version: Option<u32>,
}

pub(super) async fn style() -> Response {
    for_minutes("text/css; charset=utf-8", NOTICE_CSS)
}

/// A text as HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Nothing is shown under this name.
fn nothing(app: &App, reader: &Reader, accept: &str) -> Result<Response, Problem> {
    let lang = lang::of_reader(reader.lang.as_deref(), accept);
    let words = Words::of(lang);
    let inner = format!(
        "<article class=\"notice\"><h1>{}</h1><p>{}</p></article>",
        words.site.nothing_here, words.site.nothing_why
    );
    Frame::plain(app, lang.as_str(), words, words.site.nothing_here, inner).answer(StatusCode::NOT_FOUND)
}

/// The days on which something was published, as readers write them.
fn published(app: &App, version: &NoticeVersion, lang: Lang) -> String {
    let at = jiff::Timestamp::from_microsecond(version.published_at.unwrap_or_default()).unwrap_or_default();
    let day = at.to_zoned(app.desk.zone()).date();
    fill(Words::of(lang).site.published, &words::date(lang, day))
}

/// The whole notice, or its linked data.
pub(super) async fn notice(
    app: Here,
    headers: axum::http::HeaderMap,
    Asked(accept): Asked,
    Path(name): Path<String>,
    Query(reader): Query<Reader>,
) -> Result<Response, Problem> {
    if let Some(name) = name.strip_suffix(".jsonld") {
        return Ok(for_hosts(&app, &headers, linked_data(&app, name, &reader, &accept).await?));
    }
    let all = shown_now(&app, Some(&name)).await?;
    let others = all.iter().map(|one| one.locale.clone()).collect::<Vec<_>>();
    let Some(now) = lang::choose(all, reader.lang.as_deref(), &accept) else {
        return nothing(&app, &reader, &accept);
    };
    let version = match reader.version.filter(|version| *version != now.version) {
        None => now,
        Some(number) => {
            match earlier(&app, &name, &now.locale).await?.into_iter().find(|v| v.version == number) {
                Some(version) => version,
                None => return nothing(&app, &reader, &accept),
            }
        }
    };
    let shown = Shown::of(version)?;
    whole(&app, &shown, &others)?.answer(StatusCode::OK)
}

fn whole(app: &App, shown: &Shown, locales: &[String]) -> Result<Frame, Problem> {
    let (notice, version) = (&shown.notice, &shown.version);
    let (lang, words) = (notice.locale.lang, Words::of(notice.locale.lang));
    let brand = app.brands.now();
    let links = links(app, "", notice, None);
    let images = format!("/tell/images/{}/", version.id);
    let made = page(notice, &brand.name, &links, &images).map_err(|_| Problem::internal())?;
    let mut frame = Frame::plain(app, &made.lang, words, &made.title, made.html);
    frame.said = Some(published(app, version, lang));
    frame.linked = Some(format!("/tell/{}.jsonld?lang={}", notice.id, notice.locale));
    frame.others = others(notice, locales, "");
    let versions = format!("/tell/{}/versions?lang={}", notice.id, notice.locale);
    frame.below = vec![(words.site.versions.to_owned(), versions)];
    if app.config.tell.status_page {
        frame.below.push((words.site.status.to_owned(), format!("/status?lang={lang}")));
    }
    Ok(frame)
}

fn others(notice: &Notice, locales: &[String], below: &str) -> Vec<Other> {
    let here = notice.locale.to_string();
    let rest = locales.iter().filter(|locale| **locale != here);
    rest.map(|locale| Other {
        href: format!("/tell/{}{below}?lang={locale}", notice.id),
        name: Locale::from_tag(locale)
            .map_or_else(|| locale.clone(), |known| own_name(known.lang).to_owned()),
        lang: locale.clone(),
    })
    .collect()
}

/// The versions of a name and language that were published and not withdrawn, the newest first.
async fn earlier(app: &App, notice: &str, locale: &str) -> Result<Vec<NoticeVersion>, Problem> {
    let mut all = app.workspace.state().notice_versions(notice).await?;
    all.retain(|one| one.locale == locale && one.status() == NoticeStatus::Published);
    all.sort_by_key(|one| std::cmp::Reverse(one.version));
    Ok(all)
}

/// Every version, each with what changed since the one before.
pub(super) async fn versions(
    app: Here,
    Asked(accept): Asked,
    Path(name): Path<String>,
    Query(reader): Query<Reader>,
) -> Result<Response, Problem> {
    let all = shown_now(&app, Some(&name)).await?;
    let locales = all.iter().map(|one| one.locale.clone()).collect::<Vec<_>>();
    let Some(now) = lang::choose(all, reader.lang.as_deref(), &accept) else {
        return nothing(&app, &reader, &accept);
    };
    let all = earlier(&app, &name, &now.locale).await?;
    let shown = all.into_iter().map(Shown::of).collect::<Result<Vec<_>, _>>()?;
    let now = Shown::of(now)?;
    let lang = now.notice.locale.lang;
    let words = Words::of(lang);
    let mut inner = format!(
        "<article class=\"notice\"><h1>{}</h1><p class=\"meta\"><a href=\"/tell/{}?lang={}\">{}</a></p>",
        escape(words.site.versions),
        now.notice.id,
        now.notice.locale,
        escape(&now.notice.headline)
    );
    for (place, one) in shown.iter().enumerate() {
        let number = one.notice.version;
        inner.push_str(&format!(
            "<section aria-labelledby=\"v{number}\"><h2 id=\"v{number}\"><a href=\"/tell/{}?lang={}&amp;version={number}\">{}</a></h2><p class=\"meta\">{}</p>",
            one.notice.id,
            one.notice.locale,
            escape(&fill(words.version, &number.to_string())),
            escape(&published(&app, &one.version, lang))
        ));
        match shown.get(place + 1) {
            None => inner.push_str(&format!("<p>{}</p>", escape(words.site.first_version))),
            Some(before) => {
                let since = fill(words.site.since, &before.notice.version.to_string());
                let differ = to_html(&changes(&before.notice, &one.notice), &one.notice);
                inner.push_str(&format!("<p><strong>{}</strong></p>{differ}", escape(&since)));
            }
        }
        inner.push_str("</section>");
    }
    inner.push_str("</article>");
    let locale = now.notice.locale.to_string();
    let mut frame = Frame::plain(&app, &locale, words, words.site.versions, inner);
    frame.others = others(&now.notice, &locales, "/versions");
    frame.answer(StatusCode::OK)
}

async fn linked_data(app: &App, name: &str, reader: &Reader, accept: &str) -> Result<Response, Problem> {
    let none = || Problem::not_found("notice");
    let all = shown_now(app, Some(name)).await?;
    let version = lang::choose(all, reader.lang.as_deref(), accept).ok_or_else(none)?;
    // As it was when it was published, under the address that people use.
    let mut document: Value =
        version.json_ld.as_deref().and_then(|text| serde_json::from_str(text).ok()).ok_or_else(none)?;
    document["@id"] = json!(format!("{}/tell/{name}", app.base_url()));
    let mut response = document.to_string().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/ld+json"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    Ok(response)
}

/// The page of a made-up host app, where `server.toml` names one.
pub(super) async fn demo_host(app: Here) -> Result<Response, Problem> {
    let none = || Problem::not_found("page");
    let file = app.config.tell.demo_host.as_ref().ok_or_else(none)?;
    let (root, path) = (&app.workspace.dir, app.workspace.dir.join(file));
    let path = path.canonicalize().map_err(|_| none())?;
    let inside = path.starts_with(root) && !path.starts_with(&app.workspace.state_dir);
    let is_page = path.extension().is_some_and(|end| end == "html");
    if !inside || !is_page {
        return Err(none());
    }
    let html = std::fs::read_to_string(path).map_err(|_| none())?;
    let mut response = html.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(DEMO_POLICY));
    Ok(response)
}
