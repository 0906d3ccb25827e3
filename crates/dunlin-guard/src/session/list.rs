//! Sessions as people see them, and how they end.

use std::net::IpAddr;

use dunlin_ledger::{Actor, Body};
use dunlin_store::Tx;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::clock::seconds;
use crate::error::db;
use crate::guard::enter;
use crate::session::Stage;
use crate::session::check::address;
use crate::{Guard, GuardError, Moment};

/// A session. Times are microseconds since 1970 UTC by the wall clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionInfo {
    /// Its id.
    pub id: String,
    /// Whose.
    pub person: String,
    /// How they came in, e.g. `password.totp`.
    pub method: String,
    /// How far the sign-in is.
    pub stage: Stage,
    /// When it began.
    pub created_at: i64,
    /// When it was used last, to the minute.
    pub seen_at: i64,
    /// When the second factor was shown last.
    pub mfa_at: Option<i64>,
    /// The device in words.
    pub device: String,
    /// The address it was used from last.
    pub address: IpAddr,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Why, as a code.
    pub end_reason: Option<String>,
    /// Whether it is the one that asks.
    pub current: bool,
}

const COLUMNS: &str =
    "id, person, method, stage, created_at, seen_at, mfa_at, device, address, ended_at, end_reason";

fn read(row: &SqliteRow) -> Result<SessionInfo, GuardError> {
    let failed = db("reading a session");
    let stage: String = row.try_get("stage").map_err(&failed)?;
    let place: String = row.try_get("address").map_err(&failed)?;
    Ok(SessionInfo {
        id: row.try_get("id").map_err(&failed)?,
        person: row.try_get("person").map_err(&failed)?,
        method: row.try_get("method").map_err(&failed)?,
        stage: Stage::parse(&stage).ok_or(GuardError::Internal("reading a session"))?,
        created_at: row.try_get("created_at").map_err(&failed)?,
        seen_at: row.try_get("seen_at").map_err(&failed)?,
        mfa_at: row.try_get("mfa_at").map_err(&failed)?,
        device: row.try_get("device").map_err(&failed)?,
        address: address(&place),
        ended_at: row.try_get("ended_at").map_err(&failed)?,
        end_reason: row.try_get("end_reason").map_err(&failed)?,
        current: false,
    })
}

impl Guard {
    /// The sessions that stand: one person's, or everybody's. The newest first.
    pub async fn sessions(&self, person: Option<&str>) -> Result<Vec<SessionInfo>, GuardError> {
        let now = self.now().late;
        let query = sqlx::AssertSqlSafe(format!(
            "select {COLUMNS} from sessions where ended_at is null and ends_late > $1 and seen_late > $2 \
             and (person = $3 or $3 is null) order by id desc"
        ));
        let rows = sqlx::query(query)
            .bind(now)
            .bind(now.saturating_sub(seconds(self.settings().lifetimes.idle_s)))
            .bind(person)
            .fetch_all(self.state().pool())
            .await
            .map_err(db("reading sessions"))?;
        rows.iter().map(read).collect()
    }

    /// One session, standing or ended.
    pub async fn session(&self, id: &str) -> Result<SessionInfo, GuardError> {
        let query = sqlx::AssertSqlSafe(format!("select {COLUMNS} from sessions where id = $1"));
        let row = sqlx::query(query).bind(id).fetch_optional(self.state().pool()).await;
        read(&row.map_err(db("reading a session"))?.ok_or(GuardError::Unknown("session"))?)
    }

    /// Ends a session; `reason` is a code such as `signed_out` or `killed`. One that has ended stays as it is.
    pub async fn end_session(&self, by: &Actor, session: &str, reason: &str) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        end(&mut tx, now, by, Ends::One(session), reason).await?;
        Ok(tx.commit().await?)
    }

    /// Ends a person's sessions, but for the one to keep; says how many.
    pub async fn end_sessions(
        &self,
        by: &Actor,
        person: &str,
        keep: Option<&str>,
    ) -> Result<u64, GuardError> {
        let (mut tx, now) = self.change().await?;
        let ended = end(&mut tx, now, by, Ends::AllOf { person, keep }, "killed").await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Ends what is over, forgets what is of no use any more, and keeps the clock. A server calls it each minute.
    pub async fn sweep(&self) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        let idle = now.late.saturating_sub(seconds(self.settings().lifetimes.idle_s));
        end(&mut tx, now, &Actor::System, Ends::Over { late: now.late, idle }, "expired").await?;
        self.expire_tokens(&mut tx, now).await?;
        for query in [
            "delete from ceremonies where until_late <= $1",
            "delete from device_requests where until_late + 86400000000 <= $1",
            "delete from links where until_late + 2592000000000 <= $1",
        ] {
            sqlx::query(query).bind(now.late).execute(tx.connection()).await.map_err(db("sweeping"))?;
        }
        Ok(tx.commit().await?)
    }
}

/// Which sessions end.
pub(crate) enum Ends<'a> {
    /// This one.
    One(&'a str),
    /// All of a person, but one.
    AllOf {
        /// Whose.
        person: &'a str,
        /// The session to keep.
        keep: Option<&'a str>,
    },
    /// Those whose time is over, or whose person may not come in any more.
    Over {
        /// Now.
        late: i64,
        /// Not used since then.
        idle: i64,
    },
}

/// Ends sessions in a transaction, with their entries; says how many. A sign-in that was never finished was never
/// entered, and so its end is not either.
pub(crate) async fn end(
    tx: &mut Tx,
    now: Moment,
    by: &Actor,
    which: Ends<'_>,
    reason: &str,
) -> Result<u64, GuardError> {
    let ended = "update sessions set ended_at = $1, end_reason = $2 where ended_at is null and ";
    let (condition, first, second) = match &which {
        Ends::One(id) => ("id = $3 and $4 = ''", (*id).to_owned(), String::new()),
        Ends::AllOf { person, keep } => {
            ("person = $3 and id <> $4", (*person).to_owned(), keep.unwrap_or_default().to_owned())
        }
        Ends::Over { late, idle } => (
            "(ends_late <= cast($3 as bigint) or seen_late <= cast($4 as bigint) or person in \
             (select id from people where status <> 'active' or limit_until_late <= cast($3 as bigint)))",
            late.to_string(),
            idle.to_string(),
        ),
    };
    let query = sqlx::AssertSqlSafe(format!("{ended}{condition} returning id, person, stage"));
    let rows: Vec<(String, String, String)> = sqlx::query_as(query)
        .bind(now.wall)
        .bind(reason)
        .bind(first)
        .bind(second)
        .fetch_all(tx.connection())
        .await
        .map_err(db("ending sessions"))?;
    for (session, person, stage) in &rows {
        if stage != Stage::SecondFactor.as_str() {
            let (person, session) = (person.clone(), session.clone());
            let body = Body::SessionEnded { person, session, reason_code: reason.to_owned() };
            enter(tx, now, by, body).await?;
        }
    }
    Ok(rows.len() as u64)
}
