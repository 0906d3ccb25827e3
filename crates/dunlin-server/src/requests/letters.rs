//! Letters about a request, in plain words and the customer's language, to the address that the customer gave.
//!
//! The address lies sealed with what names the customer, and goes with it.

use dunlin_guard::Mail;
use dunlin_store::{RequestKind, RequestRecord, Workspace};
use dunlin_tell::customer::{CustomerWords, filled};
use dunlin_tell::{Lang, Word, words};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::problem::Problem;

const TABLE: &str = "letters";
const NAME: &str = "to";

/// Where letters go. Customer data: it has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Contact {
    pub(super) email: String,
    pub(super) lang: String,
}

/// Seals where letters about a request go.
pub(super) fn keep(workspace: &Workspace, request: &str, contact: &Contact) -> Result<(), Problem> {
    let mut writer = workspace.subjects().create(request, TABLE, NAME)?;
    writer.push(&serde_json::to_vec(contact).unwrap_or_default())?;
    writer.finish()?;
    Ok(())
}

/// Whether letters about a request have somewhere to go.
pub(crate) fn has_address(workspace: &Workspace, request: &str) -> bool {
    let sealed = workspace.subjects().list(request);
    sealed.is_ok_and(|all| all.iter().any(|at| at.table == TABLE && at.name == NAME))
}

/// Where letters about a request go; nobody knows once it is forgotten.
pub(super) fn contact(workspace: &Workspace, request: &str) -> Option<Contact> {
    let sealed = workspace.subjects();
    let there = has_address(workspace, request);
    let mut payloads = there.then(|| sealed.open(request, TABLE, NAME).ok())??;
    serde_json::from_slice(&payloads.next()?.ok()?).ok()
}

/// What a letter says.
pub(super) enum Letter<'a> {
    /// The request has arrived.
    Received,
    /// It was granted.
    Granted,
    /// It was refused, for a reason in words.
    Refused(&'a str),
    /// It is put off, for a reason in words.
    Extended(&'a str),
    /// It was taken back for the customer, for a reason in words.
    Withdrawn(&'a str),
    /// The copy can be fetched at this address, for minutes.
    Copy(&'a str),
    /// It is done; where there is a receipt, with it.
    Done(Option<&'a serde_json::Value>),
}

/// What the company is called.
pub(crate) fn company(app: &App) -> String {
    app.brands.now().name.clone()
}

/// A day as people write it. `late_from` is the first moment that is too late, so the day is the one before.
pub(crate) fn last_day(app: &App, lang: Lang, late_from: i64) -> String {
    day(app, lang, late_from.saturating_sub(1))
}

/// The day of a moment, in the company's zone.
pub(crate) fn day(app: &App, lang: Lang, at: i64) -> String {
    let at = jiff::Timestamp::from_microsecond(at).unwrap_or_default();
    words::date(lang, at.to_zoned(app.desk.zone()).date())
}

/// What a kind of request is called.
pub(crate) fn kind_name(words: &CustomerWords, kind: RequestKind) -> &'static str {
    let place = RequestKind::ALL.iter().position(|one| *one == kind);
    place.and_then(|place| words.kinds.get(place)).copied().unwrap_or_default()
}

/// Sends a letter, where there is an address.
pub(super) fn send(app: &App, to: Option<Contact>, record: &RequestRecord, letter: &Letter<'_>) {
    let Some(to) = to else { return };
    let lang = Lang::from_word(&to.lang).unwrap_or(Lang::En);
    let words = CustomerWords::of(lang);
    let said = &words.letters;
    let (kind, company) = (kind_name(words, record.kind), company(app));
    let due = |at: Option<i64>| at.map(|at| last_day(app, lang, at));
    let mut parts = Vec::new();
    let reason = |text: &str| (!text.trim().is_empty()).then(|| filled(said.reason, &[text.trim()]));
    match letter {
        Letter::Received => {
            parts.push(filled(said.received, &[&day(app, lang, record.received_at), kind]));
            parts.extend(due(record.due_at).map(|day| filled(said.answer_by, &[&day])));
        }
        Letter::Granted => parts.push(format!("{kind}: {}", said.granted)),
        Letter::Refused(why) => {
            parts.push(format!("{kind}: {}", said.refused));
            parts.extend(reason(why));
            parts.push(said.complain.to_owned());
        }
        Letter::Extended(why) => {
            let until = due(record.due_at).unwrap_or_default();
            parts.push(format!("{kind}. {}", filled(said.extended, &[&until])));
            parts.extend(reason(why));
            parts.push(said.complain.to_owned());
        }
        Letter::Withdrawn(why) => {
            parts.push(format!("{kind}: {}", said.withdrawn));
            parts.extend(reason(why));
        }
        Letter::Copy(link) => parts.push(filled(said.copy, &[link])),
        Letter::Done(receipt) => {
            parts.push(format!("{kind}: {}", said.done));
            if let Some(receipt) = receipt {
                parts.push(said.receipt.to_owned());
                parts.push(serde_json::to_string_pretty(receipt).unwrap_or_default());
            }
        }
    }
    let is_over = matches!(letter, Letter::Done(_) | Letter::Refused(_) | Letter::Withdrawn(_));
    if !is_over {
        let page = format!("{}/tell/me?lang={lang}", app.base_url());
        parts.push(filled(said.see, &[&page]));
    }
    let contact = app.brands.now().contact.clone();
    parts.push(contact.map_or_else(|| company.clone(), |contact| format!("{company}\n{contact}")));
    let subject = filled(said.subject, &[&company]);
    app.guard.write_to_customer(Mail { to: to.email, subject, text: parts.join("\n\n") });
}
