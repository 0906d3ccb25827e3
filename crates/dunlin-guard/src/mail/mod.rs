//! Mail: messages go into the outbox in the state and from there to the mail server by SMTP.
//!
//! Not here: what a message says (`alerts`, the guard's recovery and invitation), and newsletters to customers.

mod carrier;
mod smtp;
#[cfg(test)]
mod tests;

pub use carrier::Post;
pub use smtp::{Smtp, SmtpSettings, SmtpTls};

use async_trait::async_trait;

use crate::mail_port::{Mail, MailFailed, Mailer};
use crate::outgoing::outbox::{Message, Outbox};

/// Puts mail into the outbox: what it has taken over survives a restart.
#[derive(Clone)]
pub struct OutboxMailer {
    state: dunlin_store::State,
    outbox: Outbox,
}

impl OutboxMailer {
    /// A mailer over this outbox, which must be of the same state.
    pub fn new(state: dunlin_store::State, outbox: Outbox) -> OutboxMailer {
        OutboxMailer { state, outbox }
    }
}

#[async_trait]
impl Mailer for OutboxMailer {
    async fn send(&self, mail: Mail) -> Result<(), MailFailed> {
        let kept = async {
            let message = Message::Mail { to: mail.to, subject: mail.subject, text: mail.text };
            let mut tx = self.state.begin().await?;
            self.outbox.put(&mut tx, &message, None, dunlin_store::now_us()).await?;
            tx.commit().await?;
            Ok::<(), crate::GuardError>(())
        };
        kept.await.map_err(|error| {
            tracing::warn!(code = error.code(), "a message could not be kept");
            MailFailed
        })?;
        self.outbox.wake();
        Ok(())
    }
}
