//! What keeps the picture true: accesses whose holder is gone are ended, grants and approvals whose time is over are
//! closed, the stores are asked who is connected.

use std::time::Duration;

use dunlin_ledger::Actor;
use sqlx::Row;

use super::Presence;
use crate::GuardError;
use crate::error::db;

const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Sweeps between two looks at the stores, and between two signs of life.
const OUTSIDE_EVERY: u32 = 5;
const LIFE_EVERY: u32 = 15;
/// An open access without a sign of life for so long has no holder: its process died, or it was shown and forgotten.
const LOST_AFTER_US: i64 = 60 * 1_000_000;

impl Presence {
    /// Keeps the picture true until it is dropped: run it as a task of the server. What fails is tried again.
    pub async fn keep(&self) {
        let mut ticks = tokio::time::interval(SWEEP_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for tick in 0u32.. {
            ticks.tick().await;
            let guard = &self.inner.guard;
            let told = |done: Result<(), GuardError>| {
                if let Err(error) = done {
                    tracing::warn!(%error, "a sweep failed and is tried again");
                }
            };
            told(self.sweep().await.map(|_| ()));
            told(guard.sweep_grants().await.map(|_| ()));
            told(guard.sweep_approvals().await);
            if tick.is_multiple_of(LIFE_EVERY) {
                told(self.sign_of_life().await);
            }
            if tick.is_multiple_of(OUTSIDE_EVERY) {
                told(self.look_outside().await.map(|_| ()));
            }
        }
    }

    /// Ends the accesses that were dropped and those without a holder. How many.
    pub async fn sweep(&self) -> Result<usize, GuardError> {
        let dropped: Vec<(String, Actor, u64)> = self
            .live()
            .iter()
            .filter_map(|(id, live)| Some((id.clone(), live.actor.clone(), live.dropped?)))
            .collect();
        let mut ended = dropped.len();
        for (access, actor, rows) in dropped {
            self.end(&actor, &access, rows, "dropped").await?;
        }
        let failed = db("reading who is in the data");
        let now = self.inner.guard.now().wall;
        // On either side: the wall clock may have been set back since.
        let rows = sqlx::query(
            "select id, row_count from accesses where closed_at is null and last_at not between $1 and $2",
        )
        .bind(now.saturating_sub(LOST_AFTER_US))
        .bind(now.saturating_add(LOST_AFTER_US))
        .fetch_all(self.inner.guard.state().pool())
        .await
        .map_err(&failed)?;
        for row in &rows {
            let access: String = row.try_get(0).map_err(&failed)?;
            let count: i64 = row.try_get(1).map_err(&failed)?;
            if !self.live().contains_key(&access) {
                self.end(&Actor::System, &access, count.unsigned_abs(), "lost").await?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Says of the streams of this process that they go on.
    async fn sign_of_life(&self) -> Result<(), GuardError> {
        let live: Vec<String> = self.live().keys().cloned().collect();
        if live.is_empty() {
            return Ok(());
        }
        let ids = serde_json::to_string(&live).map_err(|_| GuardError::Internal("keeping accesses"))?;
        let (mut tx, now) = self.inner.guard.change().await?;
        sqlx::query(
            "update accesses set last_at = $2 where closed_at is null and id in (select value from json_each($1))",
        )
        .bind(ids)
        .bind(now.wall)
        .execute(tx.connection())
        .await
        .map_err(db("keeping accesses"))?;
        Ok(tx.commit().await?)
    }
}
