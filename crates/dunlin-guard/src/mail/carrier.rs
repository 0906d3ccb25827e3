//! Takes messages of the outbox to the mail server and to webhooks.

use async_trait::async_trait;

use super::Smtp;
use crate::outgoing::outbox::{Carrier, Message, NotCarried};
use crate::outgoing::{Outgoing, Webhook};

/// The ways out that the settings name.
#[derive(Clone)]
pub struct Post {
    /// The mail server; without one, mail waits.
    pub smtp: Option<Smtp>,
    /// The webhooks.
    pub webhooks: Vec<Webhook>,
    /// The HTTP client.
    pub client: Outgoing,
}

#[async_trait]
impl Carrier for Post {
    async fn carry(&self, id: &str, message: &Message) -> Result<(), NotCarried> {
        match message {
            Message::Mail { to, subject, text } => match &self.smtp {
                Some(smtp) => smtp.send(id, to, subject, text).await,
                None => Err(NotCarried { code: "no_mail_server", again: true }),
            },
            Message::Webhook { name, body } => match self.webhooks.iter().find(|w| w.name == *name) {
                Some(webhook) => {
                    let at = dunlin_store::now_us() / 1_000_000;
                    webhook.post(&self.client, id, at, body).await
                }
                // It was taken out of the settings: there is nobody to tell.
                None => Err(NotCarried { code: "no_such_webhook", again: false }),
            },
        }
    }
}
