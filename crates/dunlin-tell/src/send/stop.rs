//! Ending a stream by one click (RFC 8058): a signed token says who, a POST does it. A GET shows a button and nothing
//! more, because programs that check mail open every link.

use std::collections::HashSet;

use dunlin_store::{Actor, now_us};
use sqlx::Row;

use super::address::Recipient;
use super::error::{SendError, db};
use super::queue::{Queue, enter_settled};
use crate::Word;
use crate::render::{RenderError, unsubscribe_page};
use crate::vocabulary::{Lang, Stream};

/// What a token asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The stream had not been ended before.
    Now,
    /// It had.
    Before,
    /// This is no token of ours.
    NoToken,
}

/// Whether a token is one of ours, without doing anything.
pub fn stream_of(queue: &Queue, token: &str) -> Option<Stream> {
    queue.recipients().of_token(token, Stream::Marketing).map(|_| Stream::Marketing)
}

/// The page behind the link: a button before, a sentence after. `lang` as the browser prefers.
///
/// # Errors
/// Never but for a defect.
pub fn stop_page(company: &str, lang: Lang, done: bool) -> Result<String, RenderError> {
    unsubscribe_page(company, lang, done)
}

/// Ends the marketing stream for whoever a token names. Nothing silences what the law asks for.
///
/// # Errors
/// The state.
pub async fn unsubscribe(queue: &Queue, token: &str) -> Result<Stopped, SendError> {
    let Some(recipient) = queue.recipients().of_token(token, Stream::Marketing) else {
        return Ok(Stopped::NoToken);
    };
    let mut tx = queue.state.begin().await?;
    let is_new = suppress(&mut tx, recipient, Stream::Marketing, "unsubscribed").await?;
    if is_new {
        enter_settled(&mut tx, &Actor::System, "unsubscribed", vec![recipient]).await?;
        tx.commit().await?;
    }
    Ok(if is_new { Stopped::Now } else { Stopped::Before })
}

/// Silences a stream for a recipient; false when it was already.
pub(super) async fn suppress(
    tx: &mut dunlin_store::Tx,
    recipient: Recipient,
    stream: Stream,
    reason: &str,
) -> Result<bool, SendError> {
    let done = sqlx::query(
        "insert into tell_suppressed (recipient, stream, reason, at) values ($1, $2, $3, $4) \
         on conflict (recipient, stream) do nothing",
    )
    .bind(&recipient.0[..])
    .bind(stream.as_str())
    .bind(reason)
    .bind(now_us())
    .execute(tx.connection())
    .await
    .map_err(db("silencing a stream"))?;
    Ok(done.rows_affected() == 1)
}

impl Queue {
    /// Whom a stream no longer reaches.
    pub(super) async fn silenced(&self, stream: Stream) -> Result<HashSet<Recipient>, SendError> {
        let failed = db("reading whom a stream no longer reaches");
        let rows = sqlx::query("select recipient from tell_suppressed where stream = $1")
            .bind(stream.as_str())
            .fetch_all(self.state.pool())
            .await
            .map_err(&failed)?;
        rows.iter()
            .map(|row| {
                let bytes: Vec<u8> = row.try_get(0).map_err(&failed)?;
                let damaged = dunlin_store::StoreError::Damaged("a recipient that cannot be read");
                Recipient::of_bytes(&bytes).ok_or(SendError::State(damaged))
            })
            .collect()
    }
}
