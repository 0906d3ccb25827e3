//! The gate's access log: the row that says who is in the data, and the entry, in one transaction.

use dunlin_gate::{AccessLog, Ask, LogFailed, Opening};
use dunlin_ledger::{Actor, Body};
use dunlin_store::{Tx, new_id};
use sqlx::Row;

use super::{Live, Presence, PresenceChange};
use crate::error::db;
use crate::guard::enter;
use crate::{Action, GuardError, Moment, Who};

/// Equal refusals within this time are one row with a count.
const BURST_US: i64 = 60 * 1_000_000;

/// How an actor stands in the state's tables.
pub(super) fn name(actor: &Actor) -> String {
    match actor {
        Actor::Person { id } => id.clone(),
        other => other.to_string(),
    }
}

pub(super) fn person(actor: &Actor) -> Option<&str> {
    match actor {
        Actor::Person { id } => Some(id),
        _ => None,
    }
}

/// A refusal, for its row.
struct Refusal<'a> {
    actor: &'a Actor,
    session: Option<&'a str>,
    action: &'a str,
    store: &'a str,
    table: &'a str,
    reason_code: &'a str,
}

impl Presence {
    /// Remembers that the API refused something to a signed-in caller. The ledger gets one entry for equal refusals within
    /// a minute, so that nobody can flood it.
    pub async fn refused(&self, who: &Who, action: Action, reason_code: &str) -> Result<(), GuardError> {
        let actor = who.actor();
        let refusal = Refusal {
            actor: &actor,
            session: Some(who.via.id()),
            action: action.code(),
            store: "",
            table: "",
            reason_code,
        };
        let (mut tx, now) = self.inner.guard.change().await?;
        if count(&mut tx, &refusal, now).await? {
            let body = Body::AccessDenied {
                action: action.code().to_owned(),
                store: String::new(),
                table: String::new(),
                reason_code: reason_code.to_owned(),
            };
            enter(&mut tx, now, &actor, body).await?;
        }
        tx.commit().await?;
        self.tell_refused(&refusal);
        Ok(())
    }

    fn tell_refused(&self, refusal: &Refusal<'_>) {
        self.tell(PresenceChange::Denied {
            actor: name(refusal.actor),
            action: refusal.action.to_owned(),
            table: refusal.table.to_owned(),
            reason_code: refusal.reason_code.to_owned(),
        });
    }

    async fn try_opening(&self, opening: &Opening<'_>) -> Result<(), GuardError> {
        let (mut tx, now) = self.inner.guard.change().await?;
        insert(&mut tx, opening, now).await?;
        for body in opening.entries() {
            enter(&mut tx, now, &opening.ask.actor, body).await?;
        }
        if opening.streamed {
            let live = Live { actor: opening.ask.actor.clone(), dropped: None };
            self.live().insert(opening.access.to_owned(), live);
        }
        if let Err(error) = tx.commit().await {
            self.live().remove(opening.access);
            return Err(error.into());
        }
        if let Some(access) = self.live_access(opening.access).await? {
            self.tell(PresenceChange::Opened(access));
        }
        Ok(())
    }

    async fn try_rows(&self, actor: &Actor, access: &str, count: u64, body: Body) -> Result<(), GuardError> {
        let (mut tx, now) = self.inner.guard.change().await?;
        let query = "update accesses set row_count = row_count + $2, last_at = $3 where id = $1 and closed_at is null \
             returning row_count";
        let row = sqlx::query(query)
            .bind(access)
            .bind(i64::try_from(count).unwrap_or(i64::MAX))
            .bind(now.wall)
            .fetch_optional(tx.connection())
            .await
            .map_err(db("counting rows"))?;
        // No row may leave under an access that has ended, or that nobody opened.
        let row = row.ok_or(GuardError::Unknown("open access"))?;
        let rows: i64 = row.try_get(0).map_err(db("counting rows"))?;
        enter(&mut tx, now, actor, body).await?;
        tx.commit().await?;
        self.tell(PresenceChange::Rows { access: access.to_owned(), rows: rows.unsigned_abs() });
        Ok(())
    }

    /// Ends an access, once: whoever comes later changes nothing.
    pub(super) async fn end(
        &self,
        actor: &Actor,
        access: &str,
        rows: u64,
        reason: &str,
    ) -> Result<(), GuardError> {
        let (mut tx, now) = self.inner.guard.change().await?;
        let query =
            "update accesses set closed_at = $2, closed_reason = $3 where id = $1 and closed_at is null";
        let done = sqlx::query(query)
            .bind(access)
            .bind(now.wall)
            .bind(reason)
            .execute(tx.connection())
            .await
            .map_err(db("ending an access"))?;
        if done.rows_affected() == 0 {
            tx.rollback().await?;
        } else {
            enter(&mut tx, now, actor, Body::AccessClosed { access: access.to_owned(), rows }).await?;
            tx.commit().await?;
            self.tell(PresenceChange::Closed { access: access.to_owned(), reason: reason.to_owned() });
        }
        self.live().remove(access);
        Ok(())
    }
}

#[async_trait::async_trait]
impl AccessLog for Presence {
    async fn keep_text(&self, text: &str) -> Result<String, LogFailed> {
        AccessLog::keep_text(self.inner.guard.state(), text).await
    }

    async fn keep_rows(&self, access: &str, part: u32, names: &[String]) -> Result<(), LogFailed> {
        let file = if part == 0 { "names".to_owned() } else { format!("names-{part}") };
        let kept = || {
            let mut writer = self.inner.sidecars.create("rows", access, &file)?;
            for name in names {
                writer.push(name.as_bytes())?;
            }
            writer.finish()
        };
        kept().map(|_| ()).map_err(|error| failed(error.into()))
    }

    async fn enter(&self, actor: &Actor, body: Body) -> Result<(), LogFailed> {
        let done = match &body {
            Body::AccessRows { access, count, .. } => {
                let (access, count) = (access.clone(), *count);
                self.try_rows(actor, &access, count, body).await
            }
            Body::AccessClosed { access, rows } => self.end(actor, access, *rows, "done").await,
            _ => self.inner.guard.state().enter(actor.clone(), body).await.map_err(Into::into),
        };
        done.map_err(failed)
    }

    async fn opening(&self, opening: &Opening<'_>) -> Result<(), LogFailed> {
        self.try_opening(opening).await.map_err(failed)
    }

    async fn denied(&self, ask: &Ask, body: Body) -> Result<(), LogFailed> {
        let Body::AccessDenied { action, store, table, reason_code } = &body else {
            return AccessLog::enter(self, &ask.actor, body).await;
        };
        let refusal = Refusal {
            actor: &ask.actor,
            session: ask.circumstances.session.as_deref(),
            action,
            store,
            table,
            reason_code,
        };
        let entered = async {
            let (mut tx, now) = self.inner.guard.change().await?;
            count(&mut tx, &refusal, now).await?;
            enter(&mut tx, now, &ask.actor, body.clone()).await?;
            tx.commit().await?;
            Ok(())
        };
        entered.await.map_err(failed)?;
        self.tell_refused(&refusal);
        Ok(())
    }

    async fn closing(&self, actor: &Actor, access: &str, rows: u64, reason: &str) -> Result<(), LogFailed> {
        self.end(actor, access, rows, reason).await.map_err(failed)
    }

    fn dropped(&self, actor: &Actor, access: &str, rows: u64) {
        let live = Live { actor: actor.clone(), dropped: Some(rows) };
        self.live().insert(access.to_owned(), live);
        // Outside a runtime the sweeper comes to it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (presence, actor, access) = (self.clone(), actor.clone(), access.to_owned());
        runtime.spawn(async move {
            if let Err(error) = presence.end(&actor, &access, rows, "dropped").await {
                tracing::warn!(%error, "the end of an access will be entered later");
            }
        });
    }
}

fn failed(error: GuardError) -> LogFailed {
    tracing::error!(%error, "an access could not be entered");
    LogFailed
}

async fn insert(tx: &mut Tx, opening: &Opening<'_>, now: Moment) -> Result<(), GuardError> {
    let ask = opening.ask;
    let columns: Vec<&str> = opening.columns.iter().map(|(c, _)| c.name.as_str()).collect();
    let columns = serde_json::to_string(&columns).map_err(|_| GuardError::Internal("opening an access"))?;
    sqlx::query(
        "insert into accesses (id, actor, person, session, action, surface, store, label, columns, class, clear_class, \
         task, in_window, purpose_category, row_count, opened_at, last_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, $15, $15)",
    )
    .bind(opening.access)
    .bind(name(&ask.actor))
    .bind(person(&ask.actor))
    .bind(ask.circumstances.session.as_deref())
    .bind(ask.act().as_str())
    .bind(&ask.surface)
    .bind(opening.store)
    .bind(opening.table)
    .bind(columns)
    .bind(opening.class().as_str())
    .bind(opening.clear_class().map(|c| c.as_str()))
    .bind(ask.circumstances.task.as_deref())
    .bind(ask.circumstances.in_window.map(i64::from))
    .bind(opening.purpose_category())
    .bind(now.wall)
    .execute(tx.connection())
    .await
    .map_err(db("opening an access"))?;
    Ok(())
}

/// Counts a refusal; whether it is the first of its kind within a minute.
async fn count(tx: &mut Tx, refusal: &Refusal<'_>, now: Moment) -> Result<bool, GuardError> {
    let again = "update denials set times = times + 1, last_at = $1 where id = \
         (select id from denials where actor = $2 and action = $3 and store = $4 and label = $5 and reason_code = $6 \
          and at between $7 and $1 order by at desc limit 1)";
    let done = sqlx::query(again)
        .bind(now.wall)
        .bind(name(refusal.actor))
        .bind(refusal.action)
        .bind(refusal.store)
        .bind(refusal.table)
        .bind(refusal.reason_code)
        .bind(now.wall.saturating_sub(BURST_US))
        .execute(tx.connection())
        .await
        .map_err(db("counting a refusal"))?;
    if done.rows_affected() > 0 {
        return Ok(false);
    }
    sqlx::query(
        "insert into denials (id, actor, person, session, action, store, label, reason_code, at, last_at, times) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 1)",
    )
    .bind(new_id())
    .bind(name(refusal.actor))
    .bind(person(refusal.actor))
    .bind(refusal.session)
    .bind(refusal.action)
    .bind(refusal.store)
    .bind(refusal.table)
    .bind(refusal.reason_code)
    .bind(now.wall)
    .execute(tx.connection())
    .await
    .map_err(db("counting a refusal"))?;
    Ok(true)
}
