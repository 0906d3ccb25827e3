//! What the state knows of messages and their deliveries. A delivery is always in exactly one state, so that
//! recipients = due + sending + sent + failed + suppressed + uncertain, and no one is lost between two.
//!
//! Not here: what the states mean for a mail server (`post`).

use dunlin_store::{Actor, Body, Entry, State, Tx, new_id, now_us};
use sqlx::{Row, Sqlite};

use super::address::{Recipient, Recipients, Sealable};
use super::error::{SendError, db};
use super::message::{MessageKey, MessageRow, message};
use super::transport::Outcome;
use crate::Word;

/// What somebody decided about letters of which nobody knows whether they arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// They count as sent.
    Sent,
    /// They are sent again, with the same Message-ID.
    Again,
}

/// A letter to be written.
pub(super) struct Due {
    pub(super) recipient: Recipient,
    pub(super) letter: String,
    pub(super) locale: String,
    pub(super) attempts: u32,
    pub(super) to: Sealable,
}

/// What came of one.
pub(super) struct Ended {
    pub(super) recipient: Recipient,
    pub(super) attempts: u32,
    pub(super) outcome: Outcome,
}

/// The messages and deliveries of a workspace.
#[derive(Clone)]
pub struct Queue {
    pub(super) state: State,
    pub(super) recipients: Recipients,
}

impl Queue {
    /// Over this state, with the workspace's key for recipients.
    pub fn new(state: State, recipients: Recipients) -> Queue {
        Queue { state, recipients }
    }

    /// The keys of recipients.
    pub fn recipients(&self) -> &Recipients {
        &self.recipients
    }

    /// The message of this key, if there is one.
    pub async fn find(&self, key: &MessageKey) -> Result<Option<MessageRow>, SendError> {
        let row = sqlx::query(
            "select id, notice, version, message, stream, transport, state, rows_read, duplicates from tell_messages \
             where notice = $1 and version = $2 and message = $3 and transport = $4",
        )
        .bind(&key.notice)
        .bind(i64::from(key.version))
        .bind(&key.message)
        .bind(key.transport)
        .fetch_optional(self.state.pool())
        .await
        .map_err(db("reading a message"))?;
        row.map(|row| message(&row)).transpose()
    }

    /// The messages of a notice, in the order in which they were begun.
    pub async fn of_notice(&self, notice: &str) -> Result<Vec<MessageRow>, SendError> {
        let rows = sqlx::query(
            "select id, notice, version, message, stream, transport, state, rows_read, duplicates from tell_messages \
             where notice = $1 order by created_at, id",
        )
        .bind(notice)
        .fetch_all(self.state.pool())
        .await
        .map_err(db("reading messages"))?;
        rows.iter().map(message).collect()
    }

    /// Begins to gather the recipients of a message from an audience, by the names of its tables.
    pub(super) async fn begin(&self, key: &MessageKey, audience: &str) -> Result<String, SendError> {
        let id = new_id();
        let mut tx = self.state.begin().await?;
        sqlx::query(
            "insert into tell_messages (id, notice, version, message, stream, transport, state, rows_read, \
             duplicates, created_at, audience) values ($1, $2, $3, $4, $5, $6, 'gathering', 0, 0, $7, $8)",
        )
        .bind(&id)
        .bind(&key.notice)
        .bind(i64::from(key.version))
        .bind(&key.message)
        .bind(key.stream.as_str())
        .bind(key.transport)
        .bind(now_us())
        .bind(audience)
        .execute(tx.connection())
        .await
        .map_err(db("keeping a message"))?;
        tx.commit().await?;
        Ok(id)
    }

    /// Forgets a message that was never sent to anybody: its recipients were not all read, or were not confirmed.
    ///
    /// # Errors
    /// The state; a message that is being sent stays.
    pub async fn forget(&self, id: &str) -> Result<(), SendError> {
        let mut tx = self.state.begin().await?;
        sqlx::query("delete from tell_messages where id = $1 and state = 'gathering'")
            .bind(id)
            .execute(tx.connection())
            .await
            .map_err(db("forgetting a message"))?;
        tx.commit().await?;
        Ok(())
    }

    /// Fixes the recipients of a message: from now on letters may leave.
    pub async fn release(&self, id: &str) -> Result<(), SendError> {
        let mut tx = self.state.begin().await?;
        sqlx::query("update tell_messages set state = 'sending' where id = $1 and state = 'gathering'")
            .bind(id)
            .execute(tx.connection())
            .await
            .map_err(db("releasing a message"))?;
        tx.commit().await?;
        Ok(())
    }

    /// Recipients of a message in this state, with the parts of the letters under way.
    pub(super) async fn under_way(&self, id: &str) -> Result<Vec<(Recipient, String, u32)>, SendError> {
        let failed = db("reading what was under way");
        let rows = sqlx::query(
            "select recipient, letter, attempts from tell_deliveries where message = $1 and state = 'sending'",
        )
        .bind(id)
        .fetch_all(self.state.pool())
        .await
        .map_err(&failed)?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let attempts: i64 = row.try_get(2).map_err(&failed)?;
            Ok((recipient(row)?, row.try_get(1).map_err(&failed)?, u32::try_from(attempts).unwrap_or(0)))
        };
        rows.iter().map(read).collect()
    }

    /// How many letters of a message may still be sent, and when the next of them is due.
    pub(super) async fn waiting(&self, id: &str) -> Result<(u64, Option<i64>), SendError> {
        let failed = db("counting what is due");
        let row = sqlx::query(
            "select count(*), min(next_at) from tell_deliveries where message = $1 and state = 'due'",
        )
        .bind(id)
        .fetch_one(self.state.pool())
        .await
        .map_err(&failed)?;
        let count: i64 = row.try_get(0).map_err(&failed)?;
        Ok((count.max(0) as u64, row.try_get(1).map_err(&failed)?))
    }

    /// How many have been sent already.
    pub(super) async fn sent(&self, id: &str) -> Result<u64, SendError> {
        let failed = db("counting what was sent");
        let count: i64 = sqlx::query_scalar(
            "select count(*) from tell_deliveries where message = $1 \
             and state in ('sent', 'bounced', 'complained', 'uncertain')",
        )
        .bind(id)
        .fetch_one(self.state.pool())
        .await
        .map_err(failed)?;
        Ok(count.max(0) as u64)
    }

    /// Notes what came of letters, and takes up to `limit` others, in one transaction: what is noted is durable, and
    /// what is taken is durably under way, before anything else happens.
    pub(super) async fn exchange(
        &self,
        message: &MessageRow,
        ended: &[Ended],
        limit: u64,
        pauses_s: &[i64],
    ) -> Result<Vec<Due>, SendError> {
        let now = now_us();
        let mut tx = self.state.begin().await?;
        for one in ended {
            note(&mut tx, &message.id, one, pauses_s, now).await?;
        }
        let taken = if limit > 0 { self.take(&mut tx, message, limit, now).await? } else { Vec::new() };
        tx.commit().await?;
        Ok(taken)
    }

    async fn take(
        &self,
        tx: &mut Tx,
        message: &MessageRow,
        limit: u64,
        now: i64,
    ) -> Result<Vec<Due>, SendError> {
        let failed = db("taking letters that are due");
        // Somebody may have unsubscribed since the recipients were read.
        sqlx::query(
            "update tell_deliveries set state = 'suppressed', sealed = null, ended_at = $1 where message = $2 \
             and state = 'due' and recipient in (select recipient from tell_suppressed where stream = $3)",
        )
        .bind(now)
        .bind(&message.id)
        .bind(message.stream.as_str())
        .execute(tx.connection())
        .await
        .map_err(&failed)?;
        let rows = sqlx::query(
            "update tell_deliveries set state = 'sending' where message = $1 and recipient in \
             (select recipient from tell_deliveries where message = $1 and state = 'due' and next_at <= $2 \
              order by next_at limit $3) returning recipient, letter, locale, attempts, sealed",
        )
        .bind(&message.id)
        .bind(now)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(tx.connection())
        .await
        .map_err(&failed)?;
        let mut taken = Vec::with_capacity(rows.len());
        for row in &rows {
            let recipient = recipient(row)?;
            let sealed: Option<Vec<u8>> = row.try_get("sealed").map_err(&failed)?;
            let attempts: i64 = row.try_get("attempts").map_err(&failed)?;
            taken.push(Due {
                recipient,
                letter: row.try_get("letter").map_err(&failed)?,
                locale: row.try_get("locale").map_err(&failed)?,
                attempts: u32::try_from(attempts).unwrap_or(0),
                to: self.recipients.open(recipient, &sealed.unwrap_or_default())?,
            });
        }
        Ok(taken)
    }

    /// Closes a message that has nothing left to send, with its ledger entry. True when it did.
    pub(super) async fn close(&self, message: &MessageRow, actor: &Actor) -> Result<bool, SendError> {
        let failed = db("closing a message");
        let mut tx = self.state.begin().await?;
        let closed = sqlx::query(
            "update tell_messages set state = 'done', ended_at = $1 where id = $2 and state = 'sending' and not exists \
             (select 1 from tell_deliveries where message = $2 and state in ('due', 'sending'))",
        )
        .bind(now_us())
        .bind(&message.id)
        .execute(tx.connection())
        .await
        .map_err(&failed)?;
        if closed.rows_affected() == 0 {
            return Ok(false);
        }
        let counts = super::figures::counts(tx.connection(), &message.id).await?;
        let rows = sqlx::query(
            "select recipient from tell_deliveries where message = $1 and state in ('sent', 'bounced', 'complained') \
             order by recipient",
        )
        .bind(&message.id)
        .fetch_all(tx.connection())
        .await
        .map_err(&failed)?;
        let names =
            rows.iter().map(|row| Ok(recipient(row)?.hex())).collect::<Result<Vec<_>, SendError>>()?;
        let body = Body::MessageSent {
            notice: message.notice.clone(),
            version: message.version,
            message: message.message.clone(),
            transport: message.transport.clone(),
            recipients: counts.recipients(),
            sent: counts.sent + counts.bounced + counts.complained,
            failed: counts.failed,
            suppressed: counts.suppressed,
            uncertain: counts.uncertain,
            invalid: counts.invalid,
            root: dunlin_ledger::root_of(&names),
        };
        tx.enter(Entry { at: now_us(), actor: actor.clone(), body }).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Decides about the letters of a message of which nobody knows whether they arrived. Gives how many.
    ///
    /// # Errors
    /// The state.
    pub async fn settle(&self, message: &MessageRow, how: Settle, actor: &Actor) -> Result<u64, SendError> {
        let failed = db("settling uncertain letters");
        let (sql, change) = match how {
            Settle::Sent => (
                "update tell_deliveries set state = 'sent', sealed = null, ended_at = $1 \
                 where message = $2 and state = 'uncertain' returning recipient",
                "counted_sent",
            ),
            Settle::Again => (
                "update tell_deliveries set state = 'due', next_at = $1 \
                 where message = $2 and state = 'uncertain' returning recipient",
                "sent_again",
            ),
        };
        let mut tx = self.state.begin().await?;
        let rows = sqlx::query(sql).bind(now_us()).bind(&message.id).fetch_all(tx.connection()).await;
        let rows = rows.map_err(&failed)?;
        let settled = rows.iter().map(recipient).collect::<Result<Vec<_>, SendError>>()?;
        if settled.is_empty() {
            return Ok(0);
        }
        if how == Settle::Again {
            sqlx::query("update tell_messages set state = 'sending', ended_at = null where id = $1")
                .bind(&message.id)
                .execute(tx.connection())
                .await
                .map_err(&failed)?;
        }
        let count = enter_settled(&mut tx, actor, change, settled).await?;
        tx.commit().await?;
        Ok(count)
    }
}

/// Enters what became of deliveries. Gives how many they are.
pub(super) async fn enter_settled(
    tx: &mut Tx,
    actor: &Actor,
    change: &str,
    mut of: Vec<Recipient>,
) -> Result<u64, SendError> {
    of.sort();
    let names: Vec<String> = of.iter().map(Recipient::hex).collect();
    let count = names.len() as u64;
    let body =
        Body::DeliveriesSettled { change: change.to_owned(), count, root: dunlin_ledger::root_of(&names) };
    tx.enter(Entry { at: now_us(), actor: actor.clone(), body }).await?;
    Ok(count)
}

/// Notes what came of one letter.
async fn note(tx: &mut Tx, message: &str, one: &Ended, pauses_s: &[i64], now: i64) -> Result<(), SendError> {
    let tried = one.attempts + 1;
    let pause = usize::try_from(one.attempts).ok().and_then(|at| pauses_s.get(at));
    let (state, attempts, next_at, code) = match &one.outcome {
        Outcome::Taken => ("sent", tried, now, Some("250".to_owned())),
        Outcome::Refused(code) => ("failed", tried, now, Some(code.to_string())),
        Outcome::Later(code) => match pause {
            Some(pause) => ("due", tried, now + pause * 1_000_000, Some(code.clone())),
            None => ("failed", tried, now, Some(code.clone())),
        },
        Outcome::Uncertain => ("uncertain", tried, now, Some("no_answer".to_owned())),
        // Nothing was tried with this letter.
        Outcome::NoServer(code) | Outcome::NotUs(code) => ("due", one.attempts, now, Some(code.clone())),
    };
    sqlx::query(
        "update tell_deliveries set state = $1, attempts = $2, next_at = $3, code = $4, \
         ended_at = case when $1 in ('sent', 'failed') then $5 else null end, \
         sealed = case when $1 in ('sent', 'failed') then null else sealed end \
         where message = $6 and recipient = $7 and state = 'sending'",
    )
    .bind(state)
    .bind(i64::from(attempts))
    .bind(next_at)
    .bind(code)
    .bind(now)
    .bind(message)
    .bind(&one.recipient.0[..])
    .execute(tx.connection())
    .await
    .map_err(db("noting what came of a letter"))?;
    Ok(())
}

pub(super) fn recipient(row: &sqlx::sqlite::SqliteRow) -> Result<Recipient, SendError> {
    let bytes: Vec<u8> = row.try_get("recipient").map_err(db("reading a recipient"))?;
    Recipient::of_bytes(&bytes)
        .ok_or(SendError::State(dunlin_store::StoreError::Damaged("a recipient that cannot be read")))
}

/// Adds recipients to a message that is being gathered. Gives how many were new.
pub(super) async fn add(
    tx: &mut Tx,
    message: &str,
    batch: Vec<(Recipient, String, String, Vec<u8>)>,
) -> Result<u64, SendError> {
    let mut new = 0;
    // Below SQLite's limit of bound values.
    for part in batch.chunks(1_000) {
        let mut query = sqlx::QueryBuilder::<Sqlite>::new(
            "insert into tell_deliveries (message, recipient, letter, locale, state, attempts, next_at, sealed) ",
        );
        query.push_values(part, |mut row, (recipient, letter, locale, sealed)| {
            row.push_bind(message)
                .push_bind(&recipient.0[..])
                .push_bind(letter)
                .push_bind(locale)
                .push("'due', 0, 0")
                .push_bind(sealed);
        });
        query.push(" on conflict (message, recipient) do nothing");
        let done = query.build().execute(tx.connection()).await.map_err(db("keeping recipients"))?;
        new += done.rows_affected();
    }
    Ok(new)
}
