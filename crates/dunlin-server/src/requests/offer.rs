//! A copy for a customer who cannot fetch it at their own page: a link to the copy of one request, sent by letter or
//! handed over, good once and for minutes. It signs nobody in. The copy is made when it is fetched, not before.
//!
//! Not here: the copy ([`super::copy`]), and the page with the link's button.

use axum::http::StatusCode;
use dunlin_ledger::{Actor, Body, Entry};
use dunlin_store::{Identity, RequestKind, RequestRecord, RequestState, now_us};

use super::letters::{self, Letter};
use super::{company, copy};
use crate::app::App;
use crate::problem::Problem;
use crate::tell::copy_link;

/// How the link reaches the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfferedBy {
    /// To where letters about the request go.
    Letter,
    /// By whoever asked for it: over a counter, on paper.
    Hand,
}

impl OfferedBy {
    fn as_str(self) -> &'static str {
        match self {
            OfferedBy::Letter => "letter",
            OfferedBy::Hand => "hand",
        }
    }
}

/// A link that was made.
pub(crate) struct Offered {
    /// The request as it is.
    pub(crate) request: RequestRecord,
    /// The link, for whoever hands it over.
    pub(crate) link: Option<String>,
    /// Until when it is good, in microseconds since 1970 UTC.
    pub(crate) until: i64,
}

fn refused(code: &'static str, title: &'static str, help: &'static str) -> Problem {
    Problem::new(StatusCode::CONFLICT, code, title).help(help)
}

/// Makes a link to the copy that a request asks for.
///
/// # Errors
/// It asks for no copy, is not granted, nobody has checked who asks, or there is no address to write to.
pub(crate) async fn offer(app: &App, id: &str, by: OfferedBy, actor: Actor) -> Result<Offered, Problem> {
    let request = app.workspace.state().request(id).await?;
    if !matches!(request.kind, RequestKind::Access | RequestKind::Portability) {
        return Err(refused("no_copy", "the request asks for no copy", "carry it out instead"));
    }
    if request.state != RequestState::Granted {
        return Err(refused(
            "not_granted",
            "the request is not granted, or is answered",
            "decide on it first",
        ));
    }
    if request.identity != Identity::Confirmed {
        return Err(refused("unchecked", "nobody has confirmed who asks", "check who the customer is first"));
    }
    if request.undo_until.is_some_and(|until| until > now_us()) {
        return Err(refused("undo", "the decision can still be taken back", "wait until its time is over"));
    }
    let contact = letters::contact(&app.workspace, id);
    if by == OfferedBy::Letter && contact.is_none() {
        return Err(refused(
            "no_address",
            "there is no address to write to",
            "hand the link over, or open the request again with `write_to`",
        ));
    }
    let (path, until_late) = copy_link(&app.workspace, &app.guard, id).await?;
    let until = now_us().saturating_add(until_late.saturating_sub(app.guard.now().late));
    let link = format!("{}{path}", app.base_url());
    let mut tx = app.workspace.state().begin().await?;
    let body = Body::RequestCopyOffered { request: id.to_owned(), by: by.as_str().to_owned() };
    tx.enter(Entry { at: now_us(), actor, body }).await?;
    tx.commit().await?;
    match by {
        OfferedBy::Letter => {
            letters::send(app, contact, &request, &Letter::Copy(&link));
            Ok(Offered { request, link: None, until })
        }
        OfferedBy::Hand => Ok(Offered { request, link: Some(link), until }),
    }
}

/// Makes the copy of a request and ends it; gives the zip file.
///
/// # Errors
/// It is no longer granted, was fetched too often, or the stores could not be read.
pub(crate) async fn fetch(app: &App, id: &str) -> Result<Vec<u8>, Problem> {
    let parts = {
        // A look reads tables whole, whoever asks for it.
        let _seat = app.requests.seats.of(format!("copy {id}")).await?;
        app.customers()?.export(id).await?
    };
    let made = copy(&app.workspace, id, &company(app), parts).await?;
    app.requests.copied(app, id, made.rows, Actor::System).await?;
    Ok(made.zip)
}
