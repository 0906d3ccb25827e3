//! How customers come in: by a token that a host app signs, by the card that such an app shows, or by a link to their
//! address. The answer to an address is the same whether anybody has it.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use dunlin_guard::{Mail, Secret};
use dunlin_tell::customer::filled;
use serde::Deserialize;

use super::session::{self, Known};
use super::{Visit, draw, federated};
use crate::app::App;
use crate::extract::{Form, Path};
use crate::gate::CameFrom;
use crate::problem::Problem;
use crate::requests::company;
use crate::tell::subject;

/// The longest address that is looked for.
const ADDRESS_MAX: usize = 254;

#[derive(askama::Template)]
#[template(path = "me_enter.html")]
struct Enter<'a> {
    words: &'a dunlin_tell::customer::CustomerWords,
    again: bool,
    suffix: String,
    /// What stands on the way to the company's own sign-in, where there is one.
    provider: Option<String>,
}

#[derive(askama::Template)]
#[template(path = "me_link.html")]
struct Link<'a> {
    words: &'a dunlin_tell::customer::CustomerWords,
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
            Ok(person) => Some((Known { key: Some(person.id), email: None }, now, "app")),
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
        let cookie = session::begin(app, &known, how, at).await?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(Some(response))
}

/// An address.
#[derive(Deserialize)]
pub(super) struct Address {
    email: String,
}

/// Sends a link to an address that somebody has.
pub(super) async fn ask_link(
    visit: Visit,
    CameFrom(origin): CameFrom,
    Form(form): Form<Address>,
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
        let (app, lang) = (visit.app.clone(), visit.lang);
        // In the background: how long the answer takes must not tell whether there is such a customer.
        tokio::spawn(async move {
            if let Err(problem) = send_link(&app, lang, email).await {
                tracing::warn!(code = problem.code, "a customer's link could not be sent");
            }
            drop(waits);
        });
    }
    visit.says(StatusCode::OK, visit.words().sent, visit.words().sent_lead)
}

async fn send_link(app: &App, lang: dunlin_tell::Lang, email: String) -> Result<(), Problem> {
    let _seat = app.requests.seats.any().await?;
    let keys = app.customers()?.with_address(&email).await?;
    let key = match keys.as_slice() {
        [] => return Ok(()),
        [one] => Some(one.0.clone()),
        // Nobody knows which: nothing is shown until a person has checked.
        _ => None,
    };
    let token =
        session::new_link(&app.workspace, &app.guard, &Known { key, email: Some(email.clone()) }).await?;
    let words = &dunlin_tell::customer::CustomerWords::of(lang).letters;
    let address = format!("{}/tell/me/in/{}?lang={lang}", app.base_url(), token.expose());
    let company = company(app);
    let text = format!("{}\n\n{company}", filled(words.link, &[&company, &address]));
    let subject = filled(words.link_subject, &[&company]);
    app.guard.write_to_customer(Mail { to: email, subject, text });
    Ok(())
}

/// Shows a link's button. Programs that look through mail fetch addresses; they send no forms.
pub(super) async fn link(visit: Visit, Path(token): Path<String>) -> Result<Response, Problem> {
    if !session::is_good(&visit.app, &Secret::new(token)).await? {
        return visit.says(StatusCode::NOT_FOUND, visit.words().spent, visit.words().spent_lead);
    }
    let inner = draw(&Link { words: visit.words() })?;
    visit.page(StatusCode::OK, visit.words().sign_in, inner)
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
