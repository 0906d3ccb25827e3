//! Locks as people see them, how they are opened, and the attempts behind them.

use dunlin_ledger::{Actor, Body};
use dunlin_store::Tx;
use serde::Serialize;
use sqlx::Row;

use crate::clock::seconds;
use crate::error::db;
use crate::guard::enter;
use crate::{Guard, GuardError, Moment};

/// A credential that is locked for one network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// `password`, `totp`, ...
    pub credential: String,
    /// The network it is locked for.
    pub network: Option<String>,
    /// Wrong tries.
    pub failed: i64,
    /// Seconds until it opens by itself.
    pub left_s: u64,
}

/// One attempt at a person's credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptInfo {
    /// When, microseconds since 1970 UTC.
    pub at: i64,
    /// What was tried.
    pub credential: String,
    /// From where.
    pub address: String,
    /// With what, in words.
    pub device: String,
    /// `accepted`, `refused`, `locked`, `pending` or `abandoned`.
    pub outcome: String,
    /// Why, as a code.
    pub reason: Option<String>,
}

impl Guard {
    /// What is locked of a person.
    pub async fn locks(&self, person: &str) -> Result<Vec<Lock>, GuardError> {
        let failed = db("reading locks");
        let now = self.now().served;
        let lock = seconds(self.settings().limits.lock_s);
        let rows = sqlx::query(
            "select credential, network, failed, locked_served from attempt_counters \
             where person = $1 and scope = 'pair' and locked_served > $2 order by locked_served",
        )
        .bind(person)
        .bind(now.saturating_sub(lock))
        .fetch_all(self.state().pool())
        .await
        .map_err(&failed)?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let since: i64 = row.try_get(3)?;
            let left = lock.saturating_sub(now.saturating_sub(since)) / 1_000_000;
            Ok(Lock {
                credential: row.try_get::<Option<String>, _>(0)?.unwrap_or_default(),
                network: row.try_get(1)?,
                failed: row.try_get(2)?,
                left_s: u64::try_from(left).unwrap_or(0),
            })
        };
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }

    /// Opens everything that is locked of a person, as an administrator may.
    pub async fn unlock(&self, by: &Actor, person: &str) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        crate::people::person_in_tx(&mut tx, person).await?;
        self.open_locks(&mut tx, now, by, person, "unlocked").await?;
        Ok(tx.commit().await?)
    }

    /// Opens a person's locks in a transaction; entered when there were any.
    pub(crate) async fn open_locks(
        &self,
        tx: &mut Tx,
        now: Moment,
        by: &Actor,
        person: &str,
        why: &str,
    ) -> Result<(), GuardError> {
        let done =
            sqlx::query("delete from attempt_counters where person = $1 and scope in ('pair', 'account')")
                .bind(person)
                .execute(tx.connection())
                .await
                .map_err(db("opening locks"))?;
        if done.rows_affected() == 0 {
            return Ok(());
        }
        let (person, credential) = (person.to_owned(), "locks".to_owned());
        enter(tx, now, by, Body::CredentialChanged { person, credential, change: why.to_owned() }).await
    }

    /// The latest attempts at a person's credentials, the newest first.
    pub async fn attempts(&self, person: &str, limit: u32) -> Result<Vec<AttemptInfo>, GuardError> {
        let failed = db("reading attempts");
        let rows = sqlx::query(
            "select at, credential, address, device, outcome, reason from attempts where person = $1 \
             order by id desc limit $2",
        )
        .bind(person)
        .bind(i64::from(limit))
        .fetch_all(self.state().pool())
        .await
        .map_err(&failed)?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Ok(AttemptInfo {
                at: row.try_get(0)?,
                credential: row.try_get(1)?,
                address: row.try_get(2)?,
                device: row.try_get(3)?,
                outcome: row.try_get(4)?,
                reason: row.try_get(5)?,
            })
        };
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }
}
