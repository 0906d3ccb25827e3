//! A message of the schedule as an e-mail: plain text and HTML of simple tables with inline styles, which is what
//! mail programs show alike. No picture, and nothing that tells whether it was opened.

use askama::Template;

use super::{Actions, Labelled, Point, RenderError, filled, markdown, points};
use crate::notice::{Message, Notice};
use crate::vocabulary::Stream;
use crate::words::{Words, fill};

/// An e-mail, not yet addressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The subject, on one line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// Header fields beside the usual ones, in order.
    pub headers: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailTemplate<'a> {
    lang: String,
    subject: &'a str,
    company: &'a str,
    headline: &'a str,
    text: String,
    three: Vec<Point>,
    read: &'a str,
    links: Vec<Labelled<'a>>,
    words: &'static Words,
    why: String,
    unsubscribe: Option<&'a str>,
    questions: String,
}

/// The e-mail of a message. `unsubscribe` is an `https:` address that ends this person's marketing stream by one
/// POST (RFC 8058); a required notice never carries it, whatever is given, since nothing can silence it.
/// All addresses in `actions` must be whole, with their host.
///
/// # Errors
/// Never but for a defect.
pub fn mail(
    notice: &Notice,
    message: &Message,
    company: &str,
    contact: Option<&str>,
    actions: &Actions,
    unsubscribe: Option<&str>,
) -> Result<Mail, RenderError> {
    let words = Words::of(notice.locale.lang);
    let unsubscribe = unsubscribe.filter(|_| notice.stream == Stream::Marketing);
    let why = match notice.stream {
        Stream::Required => fill(words.mail.required, company),
        Stream::Marketing => words.mail.marketing.to_owned(),
    };
    let questions = contact.map(|contact| fill(words.mail.questions, contact)).unwrap_or_default();
    let subject: String = message.subject.split_whitespace().collect::<Vec<_>>().join(" ");
    let intro = message.text.as_deref().unwrap_or_default();
    let three = points(notice);
    let text = plain(notice, intro, &three, actions, words, &[&why, &questions], unsubscribe);
    let template = MailTemplate {
        lang: notice.locale.to_string(),
        subject: &subject,
        company,
        headline: &notice.headline,
        text: markdown::html(intro, ""),
        three,
        read: &actions.read,
        links: actions.labelled(words),
        words,
        why,
        unsubscribe,
        questions,
    };
    let html = filled(&template, "mail")?;
    // RFC 3834: sent by a machine, so that no machine answers.
    let mut headers = vec![("Auto-Submitted", "auto-generated".to_owned())];
    if let Some(url) = unsubscribe {
        headers.push(("List-Unsubscribe", format!("<{url}>")));
        headers.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    Ok(Mail { subject, text, html, headers })
}

fn plain(
    notice: &Notice,
    intro: &str,
    three: &[Point],
    actions: &Actions,
    words: &'static Words,
    last: &[&str],
    unsubscribe: Option<&str>,
) -> String {
    let mut parts = vec![notice.headline.clone(), markdown::text(intro)];
    parts.extend(three.iter().map(|point| format!("{}\n{}", point.label, point.text)));
    parts.push(format!("{}\n{}", words.mail.read, actions.read));
    let links = actions.labelled(words);
    parts.push(
        links.iter().map(|link| format!("{}: {}", link.label, link.href)).collect::<Vec<_>>().join("\n"),
    );
    parts.push("-- ".to_owned());
    parts.extend(last.iter().map(|text| (*text).to_owned()));
    parts.extend(unsubscribe.map(|url| format!("{}: {url}", words.mail.unsubscribe)));
    parts.retain(|part| !part.is_empty());
    format!("{}\n", parts.join("\n\n"))
}
