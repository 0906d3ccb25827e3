//! What an alert says by mail and by webhook. Neither holds an address, a device or a customer's value; who wants to
//! know more signs in.

use serde_json::json;

use super::{Alert, Rule, Severity};
use crate::outgoing::outbox::Message;

/// Whom alerts are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tell {
    /// E-mail addresses.
    pub mail_to: Vec<String>,
    /// Names of webhooks.
    pub webhooks: Vec<String>,
    /// From which severity on mail is sent; webhooks get every alert.
    pub mail_from: Option<Severity>,
}

/// The messages of an alert; `link` leads to it.
pub(super) fn messages(alert: &Alert, tell: &Tell, link: Option<&str>) -> Vec<Message> {
    let mut messages = Vec::new();
    if alert.severity >= tell.mail_from.unwrap_or(Severity::Medium) {
        let (subject, text) = mail(alert, link);
        let to = tell.mail_to.iter();
        messages.extend(to.map(|to| Message::Mail {
            to: to.clone(),
            subject: subject.clone(),
            text: text.clone(),
        }));
    }
    let body = webhook(alert, link);
    messages
        .extend(tell.webhooks.iter().map(|name| Message::Webhook { name: name.clone(), body: body.clone() }));
    messages
}

fn mail(alert: &Alert, link: Option<&str>) -> (String, String) {
    let title = Rule::parse(&alert.rule).map_or("Alert", Rule::title);
    let subject = format!("[dunlin {}] {title}", alert.severity.as_str());
    let mut text =
        format!("{}\n\nWhy this is unusual\n{}\n\nWhat to do\n{}\n", alert.what, alert.why, alert.todo);
    if let Some(link) = link {
        text.push_str(&format!("\nThe alert, with its evidence and the button to block:\n{link}\n"));
    }
    (subject, text)
}

fn webhook(alert: &Alert, link: Option<&str>) -> String {
    json!({
        "type": "alert.raised",
        "alert": alert.id,
        "rule": alert.rule,
        "severity": alert.severity,
        "person": alert.person,
        "what": alert.what,
        "why": alert.why,
        "todo": alert.todo,
        "numbers": alert.numbers,
        "evidence": alert.evidence,
        "raised_at": alert.raised_at,
        "link": link,
    })
    .to_string()
}
