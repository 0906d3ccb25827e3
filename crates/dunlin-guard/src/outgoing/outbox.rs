//! What is to be delivered, kept in the state: a message is written in the transaction of what it tells, so that
//! a crash loses neither, and is tried again with growing pauses until it arrives or is given up.
//!
//! A message may arrive twice (a crash after delivery and before the note of it); each carries its id, so that a
//! receiver can tell. Not here: how a message travels (`mail`, `webhook`).

use std::sync::Arc;

use dunlin_store::{Keyring, State, Tx, new_id};
use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::seal::{open, seal};
use crate::GuardError;
use crate::error::db;

/// Pauses before the second, third ... try, in seconds. After the last one a message is given up: 31 hours.
pub const PAUSES_S: [i64; 7] = [30, 120, 600, 3_600, 21_600, 28_800, 57_600];
/// How long a message that is being delivered is left alone by others, in microseconds.
const LEASE_US: i64 = 60_000_000;
/// Messages taken up at a time.
const BATCH: i64 = 20;

/// One message. It has no `Debug`: a mail may hold a link that signs in.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "channel", rename_all = "snake_case")]
pub enum Message {
    /// An e-mail, plain text.
    Mail {
        /// The address.
        to: String,
        /// The subject.
        subject: String,
        /// The text.
        text: String,
    },
    /// JSON for a webhook.
    Webhook {
        /// Name of the webhook in the settings.
        name: String,
        /// The body.
        body: String,
    },
}

impl Message {
    fn channel(&self) -> &'static str {
        match self {
            Message::Mail { .. } => "mail",
            Message::Webhook { .. } => "webhook",
        }
    }
}

/// Why a message did not arrive this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotCarried {
    /// A stable code, without the receiver's own words.
    pub code: &'static str,
    /// Whether trying again makes sense.
    pub again: bool,
}

/// Takes messages to their receivers.
#[async_trait::async_trait]
pub trait Carrier: Send + Sync {
    /// Delivers one message; `id` stays the same over all tries.
    async fn carry(&self, id: &str, message: &Message) -> Result<(), NotCarried>;
}

/// What a round of deliveries did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Messages that arrived.
    pub sent: usize,
    /// Messages that will be tried again.
    pub postponed: usize,
    /// Messages that were given up.
    pub failed: usize,
}

/// A message as the settings page shows it: without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Its id.
    pub id: String,
    /// `mail` or `webhook`.
    pub channel: String,
    /// The alert that it tells, if any.
    pub alert: Option<String>,
    /// `waiting`, `sent` or `failed`.
    pub status: String,
    /// Tries so far.
    pub attempts: i64,
    /// When it was written, in microseconds since 1970 UTC.
    pub created_at: i64,
    /// When it is tried next, likewise.
    pub next_at: i64,
    /// Code of the last failure.
    pub last_error: Option<String>,
}

/// The messages in the state. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    state: State,
    keys: Arc<Keyring>,
    waker: Arc<tokio::sync::Notify>,
}

impl Outbox {
    /// The outbox of this state; contents are sealed under the keyring's key for outgoing secrets.
    pub fn new(state: State, keys: Arc<Keyring>) -> Outbox {
        Outbox { state, keys, waker: Arc::default() }
    }

    /// Adds a message to a transaction. `now` in microseconds. Returns its id. Call [`Outbox::wake`] after the
    /// commit to have it delivered without delay.
    pub async fn put(
        &self,
        tx: &mut Tx,
        message: &Message,
        alert: Option<&str>,
        now: i64,
    ) -> Result<String, GuardError> {
        let id = new_id();
        let plain = serde_json::to_vec(message).map_err(|_| GuardError::Internal("writing a message"))?;
        sqlx::query(
            "insert into outbox (id, channel, alert, sealed, status, attempts, created_at, next_at) \
             values ($1, $2, $3, $4, 'waiting', 0, $5, $5)",
        )
        .bind(&id)
        .bind(message.channel())
        .bind(alert)
        .bind(seal(&self.keys, &id, &plain)?)
        .bind(now)
        .execute(tx.connection())
        .await
        .map_err(db("keeping a message"))?;
        Ok(id)
    }

    /// Tells the deliverer that there is something new.
    pub fn wake(&self) {
        self.waker.notify_one();
    }

    /// Delivers until `stop` becomes true, sleeping between rounds.
    pub async fn run(&self, carrier: &dyn Carrier, mut stop: tokio::sync::watch::Receiver<bool>) {
        while !*stop.borrow() {
            if let Err(error) = self.deliver_due(dunlin_store::now_us(), carrier).await {
                tracing::warn!(code = error.code(), "the outbox could not be read");
            }
            tokio::select! {
                _ = self.waker.notified() => {}
                _ = tokio::time::sleep(std::time::Duration::from_secs(5)) => {}
                changed = stop.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Tries every message that is due at `now` (microseconds) once.
    pub async fn deliver_due(&self, now: i64, carrier: &dyn Carrier) -> Result<Round, GuardError> {
        let failed = db("reading the outbox");
        let due = sqlx::query(
            "select id, sealed, attempts, next_at from outbox where status = 'waiting' and next_at <= $1 \
             order by next_at, id limit $2",
        )
        .bind(now)
        .bind(BATCH)
        .fetch_all(self.state.pool())
        .await
        .map_err(&failed)?;
        let mut round = Round::default();
        for row in due {
            let id: String = row.try_get("id").map_err(&failed)?;
            let attempts: i64 = row.try_get("attempts").map_err(&failed)?;
            let sealed: Vec<u8> = row.try_get("sealed").map_err(&failed)?;
            if !self.claim(&id, row.try_get("next_at").map_err(&failed)?, now).await? {
                continue;
            }
            let message = open(&self.keys, &id, &sealed).ok().and_then(|b| serde_json::from_slice(&b).ok());
            let carried = match message {
                Some(message) => carrier.carry(&id, &message).await,
                None => Err(NotCarried { code: "unreadable", again: false }),
            };
            self.note(&id, attempts + 1, carried, now, &mut round).await?;
        }
        Ok(round)
    }

    /// How many messages wait, counted up to `most`.
    pub async fn waiting(&self, most: i64) -> Result<i64, GuardError> {
        sqlx::query_scalar(
            "select count(*) from (select 1 from outbox where status = 'waiting' limit $1) as waiting",
        )
        .bind(most)
        .fetch_one(self.state.pool())
        .await
        .map_err(db("counting the outbox"))
    }

    /// The newest messages, without their contents.
    pub async fn list(&self, limit: u32) -> Result<Vec<Delivery>, GuardError> {
        let failed = db("reading the outbox");
        let rows = sqlx::query(
            "select id, channel, alert, status, attempts, created_at, next_at, last_error from outbox \
             order by created_at desc, id desc limit $1",
        )
        .bind(i64::from(limit))
        .fetch_all(self.state.pool())
        .await
        .map_err(&failed)?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Ok(Delivery {
                id: row.try_get(0)?,
                channel: row.try_get(1)?,
                alert: row.try_get(2)?,
                status: row.try_get(3)?,
                attempts: row.try_get(4)?,
                created_at: row.try_get(5)?,
                next_at: row.try_get(6)?,
                last_error: row.try_get(7)?,
            })
        };
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }

    /// Takes a message for this round; false when somebody else has it.
    async fn claim(&self, id: &str, next_at: i64, now: i64) -> Result<bool, GuardError> {
        let mut tx = self.state.begin().await?;
        let done = sqlx::query(
            "update outbox set next_at = $1 where id = $2 and next_at = $3 and status = 'waiting'",
        )
        .bind(now + LEASE_US)
        .bind(id)
        .bind(next_at)
        .execute(tx.connection())
        .await
        .map_err(db("taking a message"))?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    async fn note(
        &self,
        id: &str,
        attempts: i64,
        carried: Result<(), NotCarried>,
        now: i64,
        round: &mut Round,
    ) -> Result<(), GuardError> {
        let pause = usize::try_from(attempts - 1).ok().and_then(|n| PAUSES_S.get(n));
        let (status, next_at) = match (carried, pause) {
            (Ok(()), _) => ("sent", now),
            (Err(NotCarried { again: true, .. }), Some(pause)) => ("waiting", now + pause * 1_000_000),
            (Err(_), _) => ("failed", now),
        };
        match status {
            "sent" => round.sent += 1,
            "waiting" => round.postponed += 1,
            _ => round.failed += 1,
        }
        let mut tx = self.state.begin().await?;
        // The content goes with the end: a link that signs in is not kept longer than it must be.
        sqlx::query(
            "update outbox set status = $1, attempts = $2, next_at = $3, last_error = $4, \
             ended_at = case when $1 = 'waiting' then null else $5 end, \
             sealed = case when $1 = 'waiting' then sealed else null end where id = $6",
        )
        .bind(status)
        .bind(attempts)
        .bind(next_at)
        .bind(carried.err().map(|e| e.code))
        .bind(now)
        .bind(id)
        .execute(tx.connection())
        .await
        .map_err(db("noting a delivery"))?;
        tx.commit().await?;
        Ok(())
    }
}
