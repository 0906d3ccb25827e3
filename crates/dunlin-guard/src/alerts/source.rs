//! Reads what the rules see: entries with what the state knows of them, and attempts that have their outcome.

use std::net::IpAddr;

use dunlin_ledger::{Body, Entry};
use dunlin_store::State;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Context, Outcome, Seen, Source, Tried, What};
use crate::GuardError;
use crate::error::db;

/// Attempts older than this are not judged any more, in microseconds: a server that was down for long would tell
/// old news.
const ATTEMPTS_US: i64 = 86_400_000_000;

/// An entry with what the state adds to it; `burst_us` is how far back refusals are counted.
pub(super) async fn entry(
    state: &State,
    index: u64,
    entry: Entry,
    burst_us: i64,
) -> Result<Seen, GuardError> {
    let context = match &entry.body {
        Body::SignedIn { session, .. } => sign_in(state, session).await?,
        Body::AccessOpened { access, .. } => access_opened(state, access).await?,
        Body::AccessDenied { .. } => denied(state, &entry, burst_us).await?,
        _ => Context::None,
    };
    Ok(Seen { source: Source::Entry(index), at: entry.at, what: What::Entry(entry, context) })
}

async fn sign_in(state: &State, session: &str) -> Result<Context, GuardError> {
    let failed = db("reading a session");
    let row = sqlx::query("select device_hash, device, address from sessions where id = $1")
        .bind(session)
        .fetch_optional(state.pool())
        .await
        .map_err(&failed)?;
    let Some(row) = row else { return Ok(Context::None) };
    let address: String = row.try_get(2).map_err(&failed)?;
    Ok(Context::SignIn {
        device: row.try_get(0).map_err(&failed)?,
        label: row.try_get(1).map_err(&failed)?,
        address: address.parse::<IpAddr>().ok(),
    })
}

async fn access_opened(state: &State, access: &str) -> Result<Context, GuardError> {
    let failed = db("reading an access");
    let row = sqlx::query("select clear_class, task, in_window from accesses where id = $1")
        .bind(access)
        .fetch_optional(state.pool())
        .await
        .map_err(&failed)?;
    let Some(row) = row else { return Ok(Context::None) };
    Ok(Context::Access {
        clear_class: row.try_get(0).map_err(&failed)?,
        task: row.try_get(1).map_err(&failed)?,
        in_window: row.try_get::<Option<i64>, _>(2).map_err(&failed)?.map(|w| w != 0),
    })
}

/// Equal refusals within a minute are one entry and one row with a count.
async fn denied(state: &State, entry: &Entry, burst_us: i64) -> Result<Context, GuardError> {
    let Some(actor) = super::engine::actor_key(&entry.actor) else { return Ok(Context::None) };
    let sql = "select cast(coalesce(sum(times), 0) as bigint) from denials where actor = $1 and last_at > $2";
    let times: i64 = sqlx::query_scalar(sql)
        .bind(actor)
        .bind(entry.at - burst_us)
        .fetch_one(state.pool())
        .await
        .map_err(db("counting refusals"))?;
    Ok(Context::Denied { times: times as u64 })
}

/// Attempts that have their outcome and were not judged yet, the oldest first.
pub(super) async fn attempts(state: &State, now: i64, limit: i64) -> Result<Vec<Seen>, GuardError> {
    let failed = db("reading sign-in attempts");
    let rows = sqlx::query(
        "select a.id, a.at, a.account, a.person, a.credential, a.network, a.outcome from attempts a \
         left join judged_attempts j on j.attempt = a.id \
         where j.attempt is null and a.outcome <> 'pending' and a.at > $1 order by a.at, a.id limit $2",
    )
    .bind(now - ATTEMPTS_US)
    .bind(limit)
    .fetch_all(state.pool())
    .await
    .map_err(&failed)?;
    rows.iter().map(attempt).collect::<Result<_, sqlx::Error>>().map_err(failed)
}

fn attempt(row: &SqliteRow) -> Result<Seen, sqlx::Error> {
    let outcome = match row.try_get::<String, _>(6)?.as_str() {
        "accepted" => Outcome::Accepted,
        "locked" => Outcome::Locked,
        "throttled" => Outcome::Throttled,
        _ => Outcome::Refused,
    };
    let tried = Tried {
        account: row.try_get(2)?,
        person: row.try_get(3)?,
        credential: row.try_get(4)?,
        network: row.try_get(5)?,
        outcome,
    };
    Ok(Seen { source: Source::Attempt(row.try_get(0)?), at: row.try_get(1)?, what: What::Attempt(tried) })
}
