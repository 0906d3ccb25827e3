//! A customer's own page: what was moved of their data, who looked at it, and what they can do about it. Drawn here, without
//! a script, in the customer's language, by a session of its own that the API does not know.
//!
//! | address | |
//! | --- | --- |
//! | `/tell/me` | the data, or the form that asks for a link; `?token=` of a host app and `?card=` sign in |
//! | `/tell/me/in/{token}` | a link by e-mail, spent by a POST |
//! | `/tell/me/copy/{token}` | a link to one copy, by e-mail or handed over, spent by a POST; it signs nobody in |
//! | `/tell/me/oidc` `oidc/back` | to the company's identity provider and back |
//! | `/tell/me/download` `correct` `delete` `settings` | one page an action, each with its button |
//!
//! Not here: what a request becomes (`crate::requests`), and what the words are (`dunlin_tell::customer`).

mod act;
mod enter;
mod federated;
mod opened;
mod session;
mod show;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use dunlin_tell::customer::{CustomerWords, filled};
use dunlin_tell::words::Words;
use dunlin_tell::{Lang, Word};
use serde::Deserialize;

use super::lang;
use super::pages::Frame;
use crate::app::App;
use crate::cookies;
use crate::layers::text;
use crate::problem::Problem;
use crate::requests::company;
use session::Customer;

pub(crate) use session::copy_link;
pub use session::customer_link;
pub(super) use session::ticket;

/// The routes.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/tell/me", get(show::page))
        .route("/tell/me/link", post(enter::ask_link))
        .route("/tell/me/oidc", get(federated::begin))
        .route("/tell/me/oidc/back", get(federated::back))
        .route("/tell/me/in/{token}", get(enter::link).post(enter::spend_link))
        .route("/tell/me/copy/{token}", get(enter::copy_link).post(enter::spend_copy_link))
        .route("/tell/me/out", post(enter::out))
        .route("/tell/me/download", get(act::download_page).post(act::download))
        .route("/tell/me/correct", get(act::correct_page))
        .route("/tell/me/delete", get(act::delete_page))
        .route("/tell/me/settings", get(act::settings_page))
        .route("/tell/me/ask", post(act::ask))
        .route("/tell/me/undo", post(act::undo))
        .route("/tell/me/receipt/{request}", get(act::receipt))
}

/// What an address may say.
#[derive(Default, Deserialize)]
struct Query {
    lang: Option<String>,
    token: Option<String>,
    card: Option<String>,
}

/// Who reads, in which language, and from which page.
struct Visit {
    app: App,
    headers: HeaderMap,
    lang: Lang,
    /// The language as the address gave it, to be handed on.
    asked: Option<String>,
    path: String,
    query: Query,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Visit, Problem> {
        let query = axum::extract::Query::<Query>::from_request_parts(parts, app).await;
        let query = query.map(|q| q.0).unwrap_or_default();
        let accept = text(&parts.headers, header::ACCEPT_LANGUAGE);
        let mut lang = lang::of_reader(query.lang.as_deref(), accept);
        // The customer's own row goes before the browser, and what the address says before both.
        if query.lang.is_none()
            && let Some(customer) = session::customer(app, &parts.headers).await?
        {
            lang = lang::of_row(customer.known.locale.as_deref()).unwrap_or(lang);
        }
        Ok(Visit {
            app: app.clone(),
            headers: parts.headers.clone(),
            lang,
            asked: query.lang.is_some().then(|| lang.as_str().to_owned()),
            path: parts.uri.path().to_owned(),
            query,
        })
    }
}

impl Visit {
    fn words(&self) -> &'static CustomerWords {
        CustomerWords::of(self.lang)
    }

    /// What is put behind an address so that the language stays.
    fn suffix(&self) -> String {
        self.asked.as_ref().map(|lang| format!("?lang={lang}")).unwrap_or_default()
    }

    async fn customer(&self) -> Result<Option<Customer>, Problem> {
        session::customer(&self.app, &self.headers).await
    }

    /// The customer who sent a form of ours.
    async fn sender(&self, csrf: &str) -> Result<Option<Customer>, Problem> {
        self.is_own()?;
        let Some(customer) = self.customer().await? else { return Ok(None) };
        if app_refuses(&self.app, &customer, csrf) {
            return Err(foreign(&self.app));
        }
        Ok(Some(customer))
    }

    /// Refuses what a page of another site sent.
    fn is_own(&self) -> Result<(), Problem> {
        if cookies::is_same_origin(&self.app, &self.headers) { Ok(()) } else { Err(foreign(&self.app)) }
    }

    /// A page of this text, in the frame of the public pages.
    fn page(&self, status: StatusCode, title: &str, inner: String) -> Result<Response, Problem> {
        let inner = format!("<article class=\"notice\">{inner}</article>");
        let words = Words::of(self.lang);
        let mut frame = Frame::plain(&self.app, self.lang.as_str(), words, title, inner);
        frame.in_languages(&self.path, self.lang);
        let mut response = frame.answer(status)?;
        let headers = response.headers_mut();
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Language, Cookie, Sec-GPC"));
        Ok(response)
    }

    /// A page that says one thing.
    fn says(&self, status: StatusCode, title: &str, lead: &str) -> Result<Response, Problem> {
        let contact = self.app.brands.now().contact.clone();
        let back = format!("/tell/me{}", self.suffix());
        let way = self.words().sign_in;
        let inner = draw(&Says { title, lead, contact, back, way })?;
        self.page(status, title, inner)
    }

    /// Leads on with a GET.
    fn to(&self, path: &str) -> Response {
        let place = HeaderValue::from_str(&format!("{path}{}", self.suffix()));
        let place = place.unwrap_or(HeaderValue::from_static("/tell/me"));
        (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
    }

    fn title(&self) -> String {
        filled(self.words().title, &[&company(&self.app)])
    }
}

fn app_refuses(app: &App, customer: &Customer, csrf: &str) -> bool {
    app.guard.check_form_token(&customer.token, csrf).is_err()
}

fn foreign(app: &App) -> Problem {
    app.metrics.refused("origin");
    Problem::forbidden("other_site", "this form was not sent from our own page")
        .help("go back, reload the page, and send it again")
}

/// A page that says one thing.
#[derive(askama::Template)]
#[template(path = "me_says.html")]
struct Says<'a> {
    title: &'a str,
    lead: &'a str,
    contact: Option<String>,
    back: String,
    way: &'static str,
}

fn draw(template: &impl askama::Template) -> Result<String, Problem> {
    template.render().map_err(|error| {
        tracing::error!(%error, "a customer's page could not be made");
        Problem::internal()
    })
}
