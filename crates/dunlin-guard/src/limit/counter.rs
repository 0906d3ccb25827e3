//! The counters: failed attempts within a window, and since when a lock lies.

use dunlin_store::Tx;
use sqlx::Row;

use crate::GuardError;
use crate::error::db;

/// One counter as it is now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counter {
    pub failed: i64,
    pub since: i64,
    pub locked: Option<i64>,
}

/// Whose a counter is, beside its name.
#[derive(Clone, Copy, Default)]
pub(crate) struct Owner<'a> {
    pub person: Option<&'a str>,
    pub credential: Option<&'a str>,
    pub network: Option<&'a str>,
}

/// The counter, as of `served`: one whose window (or lock) has passed counts from nothing again.
pub(crate) async fn read(
    tx: &mut Tx,
    scope: &str,
    name: &str,
    served: i64,
    window: i64,
) -> Result<Counter, GuardError> {
    let failed = db("reading a limit");
    let row = sqlx::query(
        "select failed, since_served, locked_served from attempt_counters where scope = $1 and name = $2",
    )
    .bind(scope)
    .bind(name)
    .fetch_optional(tx.connection())
    .await
    .map_err(&failed)?;
    let Some(row) = row else { return Ok(Counter { since: served, ..Counter::default() }) };
    let counter = Counter {
        failed: row.try_get(0).map_err(&failed)?,
        since: row.try_get(1).map_err(&failed)?,
        locked: row.try_get(2).map_err(&failed)?,
    };
    // A lock lasts from when it was set, not from the first try.
    let from = counter.locked.unwrap_or(counter.since);
    let over = served.saturating_sub(from) >= window;
    Ok(if over { Counter { since: served, ..Counter::default() } } else { counter })
}

/// Writes a counter.
pub(crate) async fn write(
    tx: &mut Tx,
    scope: &str,
    name: &str,
    counter: Counter,
    owner: Owner<'_>,
) -> Result<(), GuardError> {
    sqlx::query(
        "insert into attempt_counters (scope, name, failed, since_served, locked_served, person, credential, network) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (scope, name) do update set \
         failed = $3, since_served = $4, locked_served = $5, person = coalesce($6, attempt_counters.person)",
    )
    .bind(scope)
    .bind(name)
    .bind(counter.failed)
    .bind(counter.since)
    .bind(counter.locked)
    .bind(owner.person)
    .bind(owner.credential)
    .bind(owner.network)
    .execute(tx.connection())
    .await
    .map_err(db("writing a limit"))?;
    Ok(())
}

/// Takes one back from a counter: what it counted was no failure.
pub(crate) async fn give_back(tx: &mut Tx, scope: &str, name: &str) -> Result<(), GuardError> {
    sqlx::query(
        "update attempt_counters set failed = failed - 1 where scope = $1 and name = $2 and failed > 0 \
         and locked_served is null",
    )
    .bind(scope)
    .bind(name)
    .execute(tx.connection())
    .await
    .map_err(db("writing a limit"))?;
    Ok(())
}

/// Forgets a counter.
pub(crate) async fn clear(tx: &mut Tx, scope: &str, name: &str) -> Result<(), GuardError> {
    sqlx::query("delete from attempt_counters where scope = $1 and name = $2")
        .bind(scope)
        .bind(name)
        .execute(tx.connection())
        .await
        .map_err(db("writing a limit"))?;
    Ok(())
}
