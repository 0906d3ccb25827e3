//! Webhooks: JSON to an address of the settings, signed over time and body.
//!
//! Not here: what is told (`alerts`), and the retries (`outbox`).

use url::Url;

use super::outbox::NotCarried;
use super::{Call, Outgoing, sign};
use crate::token::Secret;

/// One webhook of the settings.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its name, by which messages refer to it.
    pub name: String,
    /// Where to.
    pub url: Url,
    /// The secret that the receiver knows too.
    pub secret: Secret,
}

impl Webhook {
    /// Posts a body. `at` is the time of this try, in seconds since 1970 UTC; `id` is the same over all tries.
    pub async fn post(&self, client: &Outgoing, id: &str, at: i64, body: &str) -> Result<(), NotCarried> {
        let mut call = Call::post_json(self.url.clone(), body.as_bytes().to_vec());
        let signature = sign(self.secret.expose().as_bytes(), at, body.as_bytes());
        call.headers.push((super::SIGNATURE_HEADER.to_owned(), signature));
        call.headers.push(("dunlin-delivery".to_owned(), id.to_owned()));
        match client.call(call).await {
            Ok(answer) => match answer.status {
                200..=299 => Ok(()),
                408 | 425 | 429 | 500.. => Err(NotCarried { code: "busy", again: true }),
                300..=399 => Err(NotCarried { code: "redirect", again: false }),
                _ => Err(NotCarried { code: "refused_by_receiver", again: false }),
            },
            // A name that leads elsewhere today, or a receiver that is down, may be mended.
            Err(error) => Err(NotCarried { code: error.code(), again: true }),
        }
    }
}
