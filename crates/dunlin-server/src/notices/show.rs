//! Where the actions of a notice lead, and on which days its messages go out.

use dunlin_plan::Plan;
use dunlin_tell::render::Actions;
use dunlin_tell::words::Words;
use dunlin_tell::{Dates, Facts, Notice};
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::read;

/// Where the actions lead. `base` is the server's address, or nothing for links within it. A request is a letter to the
/// company's contact that says what it is about; without a contact it is the part of the page on people's rights.
pub fn actions(base: &str, notice: &Notice, contact: Option<&str>) -> Actions {
    let page = format!("{base}/tell/{}?lang={}", notice.id, notice.locale);
    let words = &Words::of(notice.locale.lang).card;
    let letter = |subject: &str| match contact {
        Some(contact) => format!("mailto:{}?subject={}", encoded(contact), encoded(subject)),
        None => format!("{page}#slot-rights"),
    };
    Actions {
        settings: letter(words.settings),
        download: letter(words.download),
        delete: letter(words.delete),
        ask: contact.map_or_else(|| format!("{page}#slot-rights"), |to| format!("mailto:{}", encoded(to))),
        read: page,
    }
}

/// The same where customers have a page of their own: settings, copy and deletion are on it. With a ticket the links sign
/// in whom it names.
pub fn with_own_page(actions: Actions, base: &str, notice: &Notice, ticket: Option<&str>) -> Actions {
    let card = ticket.map(|ticket| format!("&card={ticket}")).unwrap_or_default();
    let page = |name: &str| format!("{base}/tell/me/{name}?lang={}{card}", notice.locale.lang);
    Actions { settings: page("settings"), download: page("download"), delete: page("delete"), ..actions }
}

/// Percent-encoded for a `mailto:` address (RFC 6068); `@` and `.` stay.
fn encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A day on which customers hear something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoticeDay {
    /// The notice's file.
    pub file: String,
    /// YYYY-MM-DD.
    pub date: String,
    /// `publish`, `before`, `during` or `after`.
    pub what: String,
    /// The subject of the message; the file's name for the publication.
    pub title: String,
}

/// The days of the plan's notices: when each is to be published, and when its messages go out, as far as the text says
/// when the move begins and ends.
pub fn days(dir: &std::path::Path, plan: &Plan) -> Vec<NoticeDay> {
    let mut found = Vec::new();
    for named in &plan.notices {
        let mut push = |date: Date, what: &str, title: &str| {
            found.push(NoticeDay {
                file: named.file.clone(),
                date: date.to_string(),
                what: what.to_owned(),
                title: title.to_owned(),
            });
        };
        let source =
            read(dir, &named.file).ok().and_then(|file| dunlin_tell::parse(&file.text, &file.path).ok());
        if let Some(day) = named.publish {
            let title = source.as_ref().map_or(named.file.as_str(), |source| source.notice.headline.as_str());
            push(day, "publish", title);
        }
        let Some(source) = source else { continue };
        let dates = Facts::of(plan, Dates::default().or_claimed(source.notice.claims.as_ref())).dates;
        let Some(begins) = dates.begins else { continue };
        for message in &source.notice.messages {
            if let Some(day) = message.day(begins, dates.ends.unwrap_or(begins)) {
                push(day, &message.when.to_string(), &message.subject);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_bring_headers_of_its_own() {
        assert_eq!(encoded("a@b.example?bcc=x&y"), "a@b.example%3Fbcc%3Dx%26y");
        assert_eq!(encoded("Borrar mis datos é"), "Borrar%20mis%20datos%20%C3%A9");
    }
}
