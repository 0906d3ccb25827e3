//! How customers come in: by a token that a host app signs, by the card that such an app shows, or by a link to their
//! address. The answer to an address is the same whether anybody has it.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use dunlin_guard::{Mail, Secret};
use dunlin_tell::Lang;
use dunlin_tell::customer::{CustomerWords, filled};
use dunlin_tell::send::Address;
use serde::Deserialize;

use super::session::{self, Known};
use super::{Visit, act, draw, federated, show};
use crate::app::App;
use crate::extract::{Form, Path};
use crate::gate::CameFrom;
use crate::problem::Problem;
use crate::requests::{self, CustomerKey, CustomerReach, company};
use crate::tell::{lang, subject};

/// The longest address that is looked for.
const ADDRESS_MAX: usize = 254;

#[derive(askama::Template)]
#[template(path = "me_enter.html")]
struct Enter<'a> {
    words: &'a CustomerWords,
    again: bool,
    suffix: String,
    /// What stands on the way to the company's own sign-in, where there is one.
    provider: Option<String>,
}

#[derive(askama::Template)]
#[template(path = "me_link.html")]
struct Link<'a> {
    title: &'a str,
    lead: &'a str,
    go: &'a str,
}

/// The form that asks for a link; `again` where somebody is signed in for too long for what they want.
pub(super) fn form(visit: &Visit, again: bool) -> Result<Response, Problem> {
    if !crate::tell::has_own_page(&visit.app) {
        return visit.says(StatusCode::NOT_FOUND, visit.words().closed, visit.words().closed_lead);
    }
    let provider = federated::label(&visit.app).map(|label| filled(visit.words().sign_in_with, &[&label]));
    let inner = draw(&Enter { words: visit.words(), again, suffix: visit.suffix(), provider })?;
    visit.page(StatusCode::OK, visit.words().sign_in, inner)
}

/// Signs in whom the address names by a token or a ticket, and leads on without it. None where there is neither.
pub(super) async fn by_address(visit: &Visit) -> Result<Option<Response>, Problem> {
    let (app, now) = (&visit.app, visit.app.guard.now().late);
    let found = match (&visit.query.token, &visit.query.card) {
        (Some(token), _) => match subject::accept(app, token).await {
            Ok(person) => Some((Known { key: Some(person.id), ..Known::default() }, now, "app")),
            Err(subject::SubjectError::Store(error)) => return Err(error.into()),
            Err(why) => {
                tracing::info!(code = why.code(), "a host app's token was not believed");
                None
            }
        },
        (None, Some(card)) => session::punch(app, card).await?.map(|(known, at)| (known, at, "card")),
        (None, None) => return Ok(None),
    };
    // What is not believed makes a stranger, who sees the form; whoever is signed in stays so.
    let mut response = visit.to(&visit.path);
    if let Some((known, at, how)) = found {
        let known = reached(app, known).await;
        let cookie = session::begin(app, &known, how, at).await?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(Some(response))
}

/// With what the customer's own row says of how to write to them. Without it they come in all the same.
pub(super) async fn reached(app: &App, known: Known) -> Known {
    let Some(key) = known.key.clone().map(CustomerKey) else { return known };
    let found = async {
        let _seat = show::seat(app, &key).await?;
        Ok::<_, Problem>(app.customers()?.reach(&key).await?)
    };
    match found.await {
        Ok(CustomerReach { address, locale }) => {
            // A column of addresses may hold anything.
            let row_email = address.filter(|text| text.parse::<Address>().is_ok());
            Known { row_email, locale, ..known }
        }
        Err(problem) => {
            tracing::warn!(code = problem.code, "how a customer can be written to could not be read");
            known
        }
    }
}

/// What a form about an address sends.
#[derive(Deserialize)]
pub(super) struct AddressForm {
    email: String,
}

/// Sends a link to an address that somebody has.
pub(super) async fn ask_link(
    visit: Visit,
    CameFrom(origin): CameFrom,
    Form(form): Form<AddressForm>,
) -> Result<Response, Problem> {
    visit.is_own()?;
    let email = form.email.trim().to_owned();
    let plain = (3..=ADDRESS_MAX).contains(&email.len())
        && email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
        && !email.chars().any(|c| c.is_whitespace() || c.is_control());
    let may = visit.app.guard.take_customer_turn(&origin, &email).await?;
    let wanted = plain && may && crate::tell::has_own_page(&visit.app);
    // Where many networks ask at once, what is too much is dropped: each look reads the customers' table whole.
    let waits = wanted.then(|| Arc::clone(&visit.app.requests.links).try_acquire_owned());
    if let Some(Err(_)) = waits {
        visit.app.metrics.refused("links");
        tracing::warn!("a customer's link was not sent: too many wait already");
    }
    if let Some(Ok(waits)) = waits {
        // What the page was asked for in goes before what the row says, and the row before the browser.
        let (app, asked, browser) = (visit.app.clone(), visit.asked.is_some(), visit.lang);
        // In the background: how long the answer takes must not tell whether there is such a customer.
        tokio::spawn(async move {
            if let Err(problem) = send_link(&app, asked, browser, email).await {
                tracing::warn!(code = problem.code, "a customer's link could not be sent");
            }
            drop(waits);
        });
    }
    visit.says(StatusCode::OK, visit.words().sent, visit.words().sent_lead)
}

async fn send_link(app: &App, asked: bool, browser: Lang, email: String) -> Result<(), Problem> {
    let keys = {
        let _seat = app.requests.seats.any().await?;
        app.customers()?.with_address(&email).await?
    };
    let key = match keys.as_slice() {
        [] => return Ok(()),
        [one] => Some(one.0.clone()),
        // Nobody knows which: nothing is shown until a person has checked.
        _ => None,
    };
    let known = reached(app, Known { key, email: Some(email.clone()), ..Known::default() }).await;
    let own = lang::of_row(known.locale.as_deref()).filter(|_| !asked);
    let lang = own.unwrap_or(browser);
    let token = session::new_link(&app.workspace, &app.guard, &known).await?;
    let words = &CustomerWords::of(lang).letters;
    let address = format!("{}/tell/me/in/{}?lang={lang}", app.base_url(), token.expose());
    let company = company(app);
    let text = format!("{}\n\n{company}", filled(words.link, &[&company, &address]));
    let subject = filled(words.link_subject, &[&company]);
    app.guard.write_to_customer(Mail { to: email, subject, text });
    Ok(())
}

/// Shows a link's button. Programs that look through mail fetch addresses; they send no forms.
pub(super) async fn link(visit: Visit, Path(token): Path<String>) -> Result<Response, Problem> {
    if !session::is_good(&visit.app, "link", &Secret::new(token)).await? {
        return visit.says(StatusCode::NOT_FOUND, visit.words().spent, visit.words().spent_lead);
    }
    let CustomerWords { sign_in, link_lead, link_go, .. } = visit.words();
    let inner = draw(&Link { title: sign_in, lead: link_lead, go: link_go })?;
    visit.page(StatusCode::OK, sign_in, inner)
}

/// Shows the button of a link to a copy.
pub(super) async fn copy_link(visit: Visit, Path(token): Path<String>) -> Result<Response, Problem> {
    if !session::is_good(&visit.app, "copy", &Secret::new(token)).await? {
        return visit.says(StatusCode::NOT_FOUND, visit.words().spent, visit.words().spent_lead);
    }
    let CustomerWords { download, download_lead, .. } = visit.words();
    let inner = draw(&Link { title: download, lead: download_lead, go: download })?;
    visit.page(StatusCode::OK, download, inner)
}

/// Spends a link to a copy: gives the copy, and nothing else. Whoever has the link was handed it.
pub(super) async fn spend_copy_link(visit: Visit, Path(token): Path<String>) -> Result<Response, Problem> {
    visit.is_own()?;
    let spent = || visit.says(StatusCode::NOT_FOUND, visit.words().spent, visit.words().spent_lead);
    let Some(request) = session::spend_copy(&visit.app, &Secret::new(token)).await? else { return spent() };
    match requests::fetch(&visit.app, &request).await {
        Ok(zip) => Ok(act::zipped(zip)),
        // Answered or withdrawn since.
        Err(problem) if problem.status < 500 => spent(),
        Err(problem) => Err(problem),
    }
}

/// Spends a link.
pub(super) async fn spend_link(visit: Visit, Path(token): Path<String>) -> Result<Response, Problem> {
    visit.is_own()?;
    // A sign-in is as old as the link, not as the tap on it.
    let Some((known, at)) = session::spend(&visit.app, &Secret::new(token)).await? else {
        return visit.says(StatusCode::NOT_FOUND, visit.words().spent, visit.words().spent_lead);
    };
    let cookie = session::begin(&visit.app, &known, "link", at).await?;
    let mut response = visit.to("/tell/me");
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response.into_response())
}

/// A form of a page for those who are signed in.
#[derive(Deserialize)]
pub(super) struct Leave {
    csrf: String,
}

/// Ends the session.
pub(super) async fn out(visit: Visit, Form(form): Form<Leave>) -> Result<Response, Problem> {
    let mut response = visit.to("/tell/me");
    if let Some(customer) = visit.sender(&form.csrf).await? {
        let gone = session::end(&visit.app, &customer).await?;
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    Ok(response)
}
