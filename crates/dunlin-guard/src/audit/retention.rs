//! How long what stands beside the ledger is kept: texts that people typed, addresses, attempts, salts.
//!
//! The ledger itself is never touched and goes on to verify: it holds salted hashes, which mean nothing once the
//! text and its salt are gone. That is the shredding.

use dunlin_ledger::{Actor, Body, Entry};
use dunlin_store::{State, Tx};
use serde::{Deserialize, Serialize};

use crate::GuardError;
use crate::error::db;

const DAY_US: i64 = 86_400_000_000;

/// Days for each class of what is kept; `None` keeps it for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Purposes, reasons and notes, with their salts.
    pub texts_days: Option<u32>,
    /// Addresses and devices of ended sessions and revoked tokens.
    pub addresses_days: Option<u32>,
    /// Sign-in attempts.
    pub attempts_days: Option<u32>,
    /// Closed alerts.
    pub alerts_days: Option<u32>,
    /// Messages that were delivered or given up.
    pub outbox_days: Option<u32>,
    /// Refusals in detail; the ledger keeps that they were.
    pub denials_days: Option<u32>,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention {
            texts_days: Some(1095),
            addresses_days: Some(180),
            attempts_days: Some(90),
            alerts_days: Some(365),
            outbox_days: Some(30),
            denials_days: Some(365),
        }
    }
}

/// Rows shredded, by class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ShreddedRows {
    /// The classes that lost rows.
    pub classes: Vec<(&'static str, u64)>,
}

/// Deletes what is past its time.
#[derive(Clone)]
pub struct Shredder {
    state: State,
    retention: Retention,
}

/// A statement that deletes or empties what is older than `$1`.
type Step = (&'static str, &'static [&'static str]);

/// A text that a blocked person's record, an open alert or an open grant still shows stays until that ends.
const TEXTS: &[&str] = &[
    "delete from texts where at < $1 and hash not in (select block_reason from people where block_reason is not null) \
     and hash not in (select purpose_hash from grants where closed_at is null) \
     and hash not in (select note from person_notes where person in (select id from people where status = 'blocked'))",
    "delete from person_notes where at < $1 and person not in (select id from people where status = 'blocked')",
];
const ADDRESSES: &[&str] = &[
    "update sessions set address = '', network = '', device = '' where ended_at < $1 and address <> ''",
    "update tokens set address = null where revoked_at < $1 and address is not null",
    "delete from device_requests where created_at < $1",
];
const ATTEMPTS: &[&str] = &[
    "delete from attempts where at < $1 and outcome <> 'pending'",
    "delete from judged_attempts where at < $1",
];
const ALERTS: &[&str] = &["delete from alerts where status = 'closed' and closed_at < $1"];
const OUTBOX: &[&str] = &["delete from outbox where status <> 'waiting' and ended_at < $1"];
const DENIALS: &[&str] =
    &["delete from denials where last_at < $1", "delete from ledger_looks where at < $1"];

impl Shredder {
    /// By these rules.
    pub fn new(state: State, retention: Retention) -> Shredder {
        Shredder { state, retention }
    }

    /// Deletes everything that is past its time at `now` (microseconds since 1970 UTC), and enters how much of
    /// each class. Each class is a transaction of its own.
    pub async fn run(&self, now: i64) -> Result<ShreddedRows, GuardError> {
        let r = &self.retention;
        let classes: [(Option<u32>, Step); 6] = [
            (r.texts_days, ("texts", TEXTS)),
            (r.addresses_days, ("addresses", ADDRESSES)),
            (r.attempts_days, ("attempts", ATTEMPTS)),
            (r.alerts_days, ("alerts", ALERTS)),
            (r.outbox_days, ("outbox", OUTBOX)),
            (r.denials_days, ("denials", DENIALS)),
        ];
        let mut done = ShreddedRows::default();
        for (days, (class, steps)) in classes {
            let Some(days) = days else { continue };
            let before = now.saturating_sub(i64::from(days) * DAY_US);
            let mut tx = self.state.begin().await?;
            let rows = shred(&mut tx, steps, before).await?;
            if rows == 0 {
                tx.rollback().await?;
                continue;
            }
            let body = Body::Shredded { class: class.to_owned(), rows };
            tx.enter(Entry { at: now, actor: Actor::System, body }).await?;
            tx.commit().await?;
            done.classes.push((class, rows));
        }
        Ok(done)
    }
}

async fn shred(tx: &mut Tx, steps: &'static [&'static str], before: i64) -> Result<u64, GuardError> {
    let mut rows = 0;
    for step in steps {
        let done = sqlx::query(*step)
            .bind(before)
            .execute(tx.connection())
            .await
            .map_err(db("shredding what is past its time"))?;
        rows += done.rows_affected();
    }
    Ok(rows)
}
