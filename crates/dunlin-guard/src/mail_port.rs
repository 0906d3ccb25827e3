//! What the guard needs of whoever sends mail.
//!
//! Not here: SMTP, templates, retries; see `mail`.

use async_trait::async_trait;

/// One message, plain text. Its text may hold a link that signs in: never log it.
#[derive(Clone)]
pub struct Mail {
    /// The address.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// The text.
    pub text: String,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail(..)")
    }
}

/// Mail could not be handed over; the reason is in the log of whoever sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message could not be handed over to the mail server")]
pub struct MailFailed;

/// Somebody who sends mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Takes a message over. Success means that it will be sent, also after a restart.
    async fn send(&self, mail: Mail) -> Result<(), MailFailed>;
}
