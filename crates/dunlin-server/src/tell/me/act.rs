//! What customers do about their data: one page an action with its button, and what the button sends. Nothing is ticked
//! beforehand, and leaving everything as it is stands beside every button that does something.

use std::collections::BTreeSet;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dunlin_ledger::Actor;
use dunlin_plan::Basis;
use dunlin_store::{RequestKind, RequestRecord, RequestState};
use dunlin_tell::customer::CustomerWords;
use serde::Deserialize;

use super::session::Customer;
use super::show::{self, Field, purpose_name};
use super::{Visit, draw, enter};
use crate::extract::{Form, Path};
use crate::problem::Problem;
use crate::requests::{self, Asked, CustomerKey, Named, Via, company, take_in};

/// One thing that can be asked for.
struct Choice {
    title: String,
    lead: &'static str,
    kind: &'static str,
    purpose: String,
    button: &'static str,
    danger: bool,
}

#[derive(askama::Template)]
#[template(path = "me_act.html")]
struct Act<'a> {
    words: &'a CustomerWords,
    title: &'a str,
    csrf: String,
    suffix: String,
    to: &'static str,
    choices: Vec<Choice>,
}

/// A field that may be corrected.
struct Correctable {
    table: String,
    column: String,
    now: String,
}

#[derive(askama::Template)]
#[template(path = "me_correct.html")]
struct Correct<'a> {
    words: &'a CustomerWords,
    csrf: String,
    suffix: String,
    fields: Vec<Correctable>,
}

/// Somebody who may go on: signed in and known, and not too long ago where that counts. Or the way there.
async fn enough(visit: &Visit, fresh: bool) -> Result<Result<(Customer, CustomerKey), Response>, Problem> {
    if let Some(response) = enter::by_address(visit).await? {
        return Ok(Err(response));
    }
    let Some(customer) = visit.customer().await? else { return Ok(Err(enter::form(visit, false)?)) };
    known(visit, customer, fresh)
}

fn known(
    visit: &Visit,
    customer: Customer,
    fresh: bool,
) -> Result<Result<(Customer, CustomerKey), Response>, Problem> {
    let Some(key) = customer.key() else { return Ok(Err(show::several(visit)?)) };
    if fresh && !customer.is_fresh(&visit.app) {
        return Ok(Err(enter::form(visit, true)?));
    }
    Ok(Ok((customer, key)))
}

fn act_page(
    visit: &Visit,
    customer: &Customer,
    title: &str,
    to: &'static str,
    choices: Vec<Choice>,
) -> Result<Response, Problem> {
    let (words, suffix) = (visit.words(), visit.suffix());
    let page = Act { words, title, csrf: customer.form_token(&visit.app)?, suffix, to, choices };
    visit.page(StatusCode::OK, title, draw(&page)?)
}

pub(super) async fn download_page(visit: Visit) -> Result<Response, Problem> {
    let (customer, _) = match enough(&visit, true).await? {
        Ok(known) => known,
        Err(response) => return Ok(response),
    };
    let words = visit.words();
    let choice = Choice {
        title: String::new(),
        lead: words.download_lead,
        kind: RequestKind::Access.as_str(),
        purpose: String::new(),
        button: words.download,
        danger: false,
    };
    act_page(&visit, &customer, words.download, "/tell/me/download", vec![choice])
}

pub(super) async fn delete_page(visit: Visit) -> Result<Response, Problem> {
    let (customer, _) = match enough(&visit, true).await? {
        Ok(known) => known,
        Err(response) => return Ok(response),
    };
    let words = visit.words();
    let choice = Choice {
        title: String::new(),
        lead: words.delete_lead,
        kind: RequestKind::Erasure.as_str(),
        purpose: String::new(),
        button: words.delete_go,
        danger: true,
    };
    act_page(&visit, &customer, words.delete, "/tell/me/ask", vec![choice])
}

pub(super) async fn settings_page(visit: Visit) -> Result<Response, Problem> {
    let (customer, _) = match enough(&visit, false).await? {
        Ok(known) => known,
        Err(response) => return Ok(response),
    };
    let (words, lang) = (visit.words(), visit.lang);
    let mut choices =
        vec![choice(words.restrict, words.restrict_lead, RequestKind::Restriction, "", words.restrict)];
    let (mut interests, mut consents) = (BTreeSet::new(), BTreeSet::new());
    for table in show::plan_of(&visit.app).iter().flat_map(|plan| &plan.tables) {
        let purpose = table.purpose.clone().unwrap_or_default();
        match table.basis {
            Some(Basis::Consent) => consents.insert(purpose),
            Some(Basis::LegitimateInterests | Basis::PublicTask) | None => interests.insert(purpose),
            Some(_) => false,
        };
    }
    choices.push(choice(words.object, words.object_lead, RequestKind::Objection, "", words.object));
    for purpose in interests.iter().filter(|purpose| !purpose.is_empty()) {
        let title = format!("{}: {}", words.object, purpose_name(lang, purpose));
        choices.push(choice(&title, words.object_lead, RequestKind::Objection, purpose, words.object));
    }
    for purpose in &consents {
        let about =
            if purpose.is_empty() { String::new() } else { format!(": {}", purpose_name(lang, purpose)) };
        let title = format!("{}{about}", words.consent);
        let (lead, gone) = (words.consent_lead, RequestKind::ConsentWithdrawn);
        choices.push(choice(&title, lead, gone, purpose, words.withdraw));
        choices.push(choice("", "", RequestKind::ConsentGiven, purpose, words.give));
    }
    act_page(&visit, &customer, words.settings, "/tell/me/ask", choices)
}

fn choice(title: &str, lead: &'static str, kind: RequestKind, purpose: &str, button: &'static str) -> Choice {
    let (title, purpose) = (title.to_owned(), purpose.to_owned());
    Choice { title, lead, kind: kind.as_str(), purpose, button, danger: false }
}

pub(super) async fn correct_page(visit: Visit) -> Result<Response, Problem> {
    let (customer, key) = match enough(&visit, false).await? {
        Ok(known) => known,
        Err(response) => return Ok(response),
    };
    let mut fields = Vec::new();
    for part in show::look(&visit.app, &key).await?.into_iter().filter(|part| part.side == "target") {
        // A correction holds for all of the customer's rows of a table: what is many is no field of one's own.
        if part.count != 1 {
            continue;
        }
        let (table, may) = (part.table.clone(), part.correctable.clone());
        let row = show::rows(&visit.app, part).await?.pop().unwrap_or_default();
        fields.extend(
            row.into_iter().filter(|f| may.contains(&f.name)).map(|Field { name, value }| Correctable {
                table: table.clone(),
                column: name,
                now: value,
            }),
        );
    }
    let (words, suffix) = (visit.words(), visit.suffix());
    let page = Correct { words, csrf: customer.form_token(&visit.app)?, suffix, fields };
    visit.page(StatusCode::OK, words.correct, draw(&page)?)
}

/// What a button sends.
#[derive(Deserialize)]
pub(super) struct Wanted {
    csrf: String,
    kind: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    table: String,
    #[serde(default)]
    column: String,
    #[serde(default)]
    value: String,
}

/// Takes in what a button asks for.
pub(super) async fn ask(visit: Visit, Form(wanted): Form<Wanted>) -> Result<Response, Problem> {
    let Some(customer) = visit.sender(&wanted.csrf).await? else { return enter::form(&visit, false) };
    let Some(kind) = RequestKind::parse(&wanted.kind) else { return wrong(&visit) };
    if matches!(kind, RequestKind::Access | RequestKind::Portability) {
        return Ok(visit.to("/tell/me/download"));
    }
    let (customer, key) = match known(&visit, customer, kind == RequestKind::Erasure)? {
        Ok(known) => known,
        Err(response) => return Ok(response),
    };
    let mut set = Vec::new();
    if kind == RequestKind::Rectification {
        let parts = show::look(&visit.app, &key).await?;
        let may = parts.iter().any(|p| {
            let is_one = p.side == "target" && p.count == 1;
            is_one && p.table == wanted.table && p.correctable.contains(&wanted.column)
        });
        if !may {
            return wrong(&visit);
        }
        let value = wanted.value.trim();
        let value = (!value.is_empty()).then(|| value.to_owned());
        set.push((wanted.table, wanted.column, value));
    }
    let purpose = Some(wanted.purpose).filter(|purpose| !purpose.is_empty());
    let known_purpose = |p: &String| {
        let plan = show::plan_of(&visit.app);
        plan.iter().flat_map(|plan| &plan.tables).any(|table| table.purpose.as_ref() == Some(p))
    };
    if purpose.as_ref().is_some_and(|purpose| !known_purpose(purpose)) {
        return wrong(&visit);
    }
    match take_in(&visit.app, of(&visit, &customer, key, (kind, purpose, set)), Actor::System).await {
        Ok(_) => Ok(visit.to("/tell/me")),
        Err(problem) if problem.status < 500 => {
            tracing::info!(code = problem.code, "what a customer asked for was refused");
            wrong(&visit)
        }
        Err(problem) => Err(problem),
    }
}

type What = (RequestKind, Option<String>, Vec<(String, String, Option<String>)>);

fn of(visit: &Visit, customer: &Customer, key: CustomerKey, (kind, purpose, set): What) -> Asked {
    Asked {
        kind,
        who: Named::Key(key),
        purpose,
        set,
        via: Via::Page,
        lang: Some(visit.lang),
        email: customer.known.write_to(),
        received_at: None,
    }
}

fn wrong(visit: &Visit) -> Result<Response, Problem> {
    visit.says(StatusCode::UNPROCESSABLE_ENTITY, visit.words().wrong, visit.words().wrong_lead)
}

/// Which request a button is about.
#[derive(Deserialize)]
pub(super) struct About {
    csrf: String,
    #[serde(default)]
    request: String,
}

/// The customer's own request of this id.
async fn own(visit: &Visit, key: &CustomerKey, id: &str) -> Result<Option<RequestRecord>, Problem> {
    let asked = visit.app.customers()?.asked_by(key).await?;
    Ok(asked.into_iter().find(|one| one.id == id))
}

/// Gives the copy: at once, or where it was granted since.
pub(super) async fn download(visit: Visit, Form(about): Form<About>) -> Result<Response, Problem> {
    let Some(customer) = visit.sender(&about.csrf).await? else { return enter::form(&visit, false) };
    let (customer, key) = match known(&visit, customer, true)? {
        Ok(known) => known,
        Err(response) => return Ok(response),
    };
    let app = &visit.app;
    let record = if about.request.is_empty() {
        let asked = of(&visit, &customer, key.clone(), (RequestKind::Access, None, Vec::new()));
        match take_in(app, asked, Actor::System).await {
            Ok(record) => record,
            Err(problem) if problem.status < 500 => return wrong(&visit),
            Err(problem) => return Err(problem),
        }
    } else {
        match own(&visit, &key, &about.request).await? {
            Some(record) => record,
            None => return wrong(&visit),
        }
    };
    if record.state != RequestState::Granted {
        // A person decides on it first; it stands on the page by now.
        return Ok(visit.to("/tell/me"));
    }
    let parts = {
        let _seat = show::seat(app, &key).await?;
        app.customers()?.export(&record.id).await?
    };
    let made = requests::copy(&app.workspace, &record.id, &company(app), parts).await?;
    app.requests.copied(app, &record.id, made.rows, Actor::System).await?;
    Ok(zipped(made.zip))
}

/// A copy, as a file.
pub(super) fn zipped(zip: Vec<u8>) -> Response {
    let mut response = zip.into_response();
    file(&mut response, "application/zip", "my-data.zip");
    response
}

fn file(response: &mut Response, kind: &'static str, name: &'static str) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
}

/// Takes a request back, while that can be done.
pub(super) async fn undo(visit: Visit, Form(about): Form<About>) -> Result<Response, Problem> {
    let Some(customer) = visit.sender(&about.csrf).await? else { return enter::form(&visit, false) };
    let Some(key) = customer.key() else { return show::several(&visit) };
    let Some(record) = own(&visit, &key, &about.request).await? else { return wrong(&visit) };
    match requests::undo(&visit.app, &record.id).await {
        Ok(_) => Ok(visit.to("/tell/me")),
        Err(problem) if problem.status < 500 => wrong(&visit),
        Err(problem) => Err(problem),
    }
}

/// Searches everywhere again, and hands the receipt out.
pub(super) async fn receipt(visit: Visit, Path(request): Path<String>) -> Result<Response, Problem> {
    let Some(customer) = visit.customer().await? else { return enter::form(&visit, false) };
    let Some(key) = customer.key() else { return show::several(&visit) };
    let done = own(&visit, &key, &request).await?.filter(|one| one.state == RequestState::Done);
    let Some(record) = done else { return wrong(&visit) };
    let _seat = show::seat(&visit.app, &key).await?;
    let made = visit.app.customers()?.receipt(&record.id, Some(&key), Actor::System).await?;
    let mut bytes = serde_json::to_vec_pretty(&made).map_err(|_| Problem::internal())?;
    bytes.push(b'\n');
    let mut response = bytes.into_response();
    file(&mut response, "application/json", "receipt.json");
    Ok(response)
}
