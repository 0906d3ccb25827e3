//! Letters: a message of a notice, addressed, with the headers that mail programs and their servers expect, and signed.
//!
//! lettre writes the MIME; nothing of what is written here can end a header's line. No picture and nothing else is
//! fetched from anywhere when a letter is opened. Not here: the words, which are `render`'s.

use std::collections::BTreeMap;
use std::time::SystemTime;

use lettre::message::header::{self, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Mailboxes, Message, MultiPart};

use super::address::{Recipient, Recipients, Sealable};
use super::dkim::DkimKeys;
use crate::notice::Notice;
use crate::render::{Actions, mail};
use crate::vocabulary::Stream;

/// Why letters cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The sender's address.
    #[error("the sender of letters cannot be read as an address")]
    Sender,
    /// Where answers go.
    #[error("the address for answers cannot be read as one")]
    ReplyTo,
    /// A notice lacks the message.
    #[error("the notice in `{locale}` has no message `{message}`")]
    NoMessage {
        /// The language.
        locale: String,
        /// The message.
        message: String,
    },
    /// One-click unsubscribing needs an address that mail servers accept.
    #[error("a marketing message needs an `https:` address at which it can be ended")]
    NotHttps,
    /// A template or a header could not be filled.
    #[error("a letter could not be written; this is a defect of dunlin")]
    Defect,
}

impl LetterError {
    /// How to mend it.
    pub fn help(&self) -> &'static str {
        match self {
            LetterError::Sender => {
                "set `from` in [smtp] of server.toml, as `Atlas <notices@atlas.example>`, or `contact` in [company] of the plan"
            }
            LetterError::ReplyTo => "set `contact` in [company] of the plan to an address",
            LetterError::NoMessage { .. } => "give each language of a notice the same messages",
            LetterError::NotHttps => {
                "set `public_url` in server.toml to the address at which customers reach dunlin"
            }
            LetterError::Defect => "please report it",
        }
    }
}

/// From whom letters come, and what stands around them.
#[derive(Clone, Debug)]
pub struct Sender {
    /// `Atlas <notices@atlas.example>`.
    pub from: String,
    /// Where answers go, when not to the sender.
    pub reply_to: Option<String>,
    /// The company's name, in the letter.
    pub company: String,
    /// The address of dunlin's public pages, without a slash at its end.
    pub base_url: String,
}

/// A letter, ready to leave. It has no `Debug`: it is addressed.
pub struct Letter {
    /// What stands before the @ of its Message-ID.
    pub id: String,
    /// The sender's address for the envelope.
    pub from: lettre::Address,
    /// The receiver's.
    pub to: lettre::Address,
    /// The letter, as it travels.
    pub bytes: Vec<u8>,
}

/// Writes the letters of one message.
pub struct Letters {
    from: Mailbox,
    stream: Stream,
    base_url: String,
    recipients: Recipients,
    dkim: Option<DkimKeys>,
    texts: BTreeMap<String, Text>,
    /// The language of whoever prefers none of them.
    first: String,
}

/// A message in one language.
struct Text {
    subject: String,
    text: String,
    html: String,
    headers: Vec<(&'static str, String)>,
    /// The letter without what is of one receiver alone; a marketing letter has a link of its own in its body.
    common: Option<Message>,
}

/// Where the receiver's token will stand. No other text has this.
const TOKEN: &str = "00dunlin-token-00";

impl Letters {
    /// Draws the message in each language of the notice. `message` is named as [`Message::word`](crate::Message::word) does it:
    /// `before:30`. Who prefers no language of them gets the first.
    ///
    /// # Errors
    /// What is missing.
    pub fn new(
        notices: &[&Notice],
        message: &str,
        sender: &Sender,
        recipients: Recipients,
        dkim: Option<DkimKeys>,
    ) -> Result<Letters, LetterError> {
        let from: Mailbox = sender.from.parse().map_err(|_| LetterError::Sender)?;
        let reply_to = sender.reply_to.as_deref().map(str::parse::<Mailbox>).transpose();
        let reply_to = reply_to.map_err(|_| LetterError::ReplyTo)?;
        let stream = notices.first().map_or(Stream::Required, |notice| notice.stream);
        if stream == Stream::Marketing && !sender.base_url.starts_with("https://") {
            return Err(LetterError::NotHttps);
        }
        let dkim = dkim.map(|keys| keys.for_domain(from.email.domain())).transpose();
        let dkim = dkim.map_err(|_| LetterError::Defect)?;
        let mut letters = Letters {
            from,
            stream,
            base_url: sender.base_url.clone(),
            recipients,
            dkim,
            texts: BTreeMap::new(),
            first: notices.first().map(|notice| notice.locale.to_string()).unwrap_or_default(),
        };
        for notice in notices {
            let text = letters.text(notice, message, sender, reply_to.as_ref())?;
            letters.texts.insert(notice.locale.to_string(), text);
        }
        Ok(letters)
    }

    fn text(
        &self,
        notice: &Notice,
        message: &str,
        sender: &Sender,
        reply_to: Option<&Mailbox>,
    ) -> Result<Text, LetterError> {
        let locale = notice.locale.to_string();
        let found = notice.messages.iter().find(|m| m.word() == message);
        let found = found
            .ok_or_else(|| LetterError::NoMessage { locale: locale.clone(), message: message.to_owned() })?;
        let base = &sender.base_url;
        let contact = sender.reply_to.as_deref();
        let actions = Actions {
            read: format!("{base}/tell/{}", notice.id),
            settings: format!("{base}/tell/me#use"),
            download: format!("{base}/tell/me#download"),
            delete: format!("{base}/tell/me#delete"),
            ask: contact.map_or_else(|| format!("{base}/tell/me#ask"), |contact| format!("mailto:{contact}")),
        };
        let stop = format!("{base}/tell/unsubscribe/{TOKEN}");
        let drawn = mail(notice, found, &sender.company, contact, &actions, Some(&stop))
            .map_err(|_| LetterError::Defect)?;
        let mut headers = drawn.headers;
        // For programs older than RFC 3834, which answer whatever is not marked so.
        headers.push(("Precedence", "bulk".to_owned()));
        headers.push(("Content-Language", locale));
        if let Some(reply_to) = reply_to {
            headers.push(("Reply-To", reply_to.to_string()));
        }
        let mut text =
            Text { subject: drawn.subject, text: drawn.text, html: drawn.html, headers, common: None };
        if self.stream == Stream::Required {
            text.common = Some(self.message(&text, None)?);
        }
        Ok(text)
    }

    /// The letter in MIME, addressed to nobody yet.
    fn message(&self, text: &Text, token: Option<&str>) -> Result<Message, LetterError> {
        let own = |with: &str| token.map_or_else(|| with.to_owned(), |token| with.replace(TOKEN, token));
        let mut builder = Message::builder().from(self.from.clone()).subject(text.subject.clone());
        for (name, value) in &text.headers {
            if *name == "Reply-To" {
                builder = builder.reply_to(value.parse().map_err(|_| LetterError::ReplyTo)?);
                continue;
            }
            let name = HeaderName::new_from_ascii((*name).to_owned()).map_err(|_| LetterError::Defect)?;
            builder = builder.raw_header(HeaderValue::new(name, own(value)));
        }
        // The envelope is given apart; lettre asks for one.
        let nobody =
            lettre::address::Envelope::new(Some(self.from.email.clone()), vec![self.from.email.clone()]);
        let parts = MultiPart::alternative_plain_html(own(&text.text), own(&text.html));
        // lettre keeps the type of the parts with them and would sign it as absent; so it becomes a header like others.
        let kind: header::ContentType = parts.headers().get().ok_or(LetterError::Defect)?;
        let whole = parts.formatted();
        let ends = whole.windows(4).position(|four| four == b"\r\n\r\n").ok_or(LetterError::Defect)?;
        let body = Body::dangerous_pre_encoded(
            whole.get(ends + 4..).unwrap_or_default().to_vec(),
            header::ContentTransferEncoding::SevenBit,
        );
        builder
            .envelope(nobody.map_err(|_| LetterError::Defect)?)
            .header(header::MIME_VERSION_1_0)
            .header(kind)
            .body(body)
            .map_err(|_| LetterError::Defect)
    }

    /// The language of the letter for somebody who prefers this one: the same, else one of the same language, else
    /// the first of the notice.
    pub fn locale_for(&self, wanted: Option<&str>) -> String {
        let others = self.texts.keys().filter(|locale| **locale != self.first).map(String::as_str);
        let known: Vec<&str> = std::iter::once(self.first.as_str()).chain(others).collect();
        best_locale(&known, wanted).unwrap_or_default().to_owned()
    }

    /// Writes a letter.
    pub(super) fn write(
        &self,
        id: &str,
        locale: &str,
        recipient: Recipient,
        to: &Sealable,
    ) -> Result<Letter, LetterError> {
        let text = self.texts.get(locale).or_else(|| self.texts.values().next());
        let text = text.ok_or(LetterError::Defect)?;
        let mut message = match &text.common {
            Some(common) => common.clone(),
            None => self.message(text, Some(&self.recipients.token(recipient, self.stream)))?,
        };
        let address: lettre::Address = to.address.parse().map_err(|_| LetterError::Defect)?;
        let receiver = Mailbox::new(to.name.clone(), address.clone());
        let headers = message.headers_mut();
        headers.set(header::To::from(Mailboxes::from(receiver)));
        headers.set(header::MessageId::from(format!("<{id}@{}>", self.from.email.domain())));
        headers.set(header::Date::new(SystemTime::now()));
        let bytes = match &self.dkim {
            Some(keys) => keys.sign(message),
            None => message.formatted(),
        };
        Ok(Letter { id: id.to_owned(), from: self.from.email.clone(), to: address, bytes })
    }

    /// The address of dunlin's public pages.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

/// Of these languages the one that serves best.
pub fn best_locale<'a>(known: &[&'a str], wanted: Option<&str>) -> Option<&'a str> {
    let wanted = wanted.map(|w| w.trim().replace('_', "-").to_lowercase()).unwrap_or_default();
    let language = |tag: &str| tag.split('-').next().unwrap_or_default().to_lowercase();
    let same = known.iter().find(|tag| tag.to_lowercase() == wanted);
    let alike = || known.iter().find(|tag| language(tag) == language(&wanted));
    same.or_else(alike).or_else(|| known.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::best_locale;

    #[test]
    fn everybody_gets_the_language_that_is_nearest() {
        let known = ["en", "es", "fr-CA"];
        for (wanted, found) in [
            (Some("es"), "es"),
            (Some("ES_mx"), "es"),
            (Some("fr"), "fr-CA"),
            (Some("fr-CA"), "fr-CA"),
            (Some("ja"), "en"),
            (Some(""), "en"),
            (None, "en"),
        ] {
            assert_eq!(best_locale(&known, wanted), Some(found), "{wanted:?}");
        }
        assert_eq!(best_locale(&[], Some("en")), None);
    }
}
