//! Who is in the data at this moment.

use std::sync::PoisonError;

use dunlin_store::RunStatus;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{OutsideConnection, Presence};
use crate::GuardError;
use crate::clock::seconds;
use crate::error::db;

/// Everything at one moment. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The moment.
    pub at: i64,
    /// Who is looking at rows, changes them or takes them away.
    pub accesses: Vec<LiveAccess>,
    /// What ended within the last two minutes: a page that was read may still be before somebody's eyes.
    pub lately: Vec<LiveAccess>,
    /// Who is signed in.
    pub sessions: Vec<LiveSession>,
    /// Which runs go on or wait.
    pub runs: Vec<LiveRun>,
    /// Who is connected to the stores, dunlin's own among them.
    pub outside: Vec<OutsideConnection>,
    /// When the stores were last asked.
    pub outside_at: Option<i64>,
}

/// An access that goes on, or has ended lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LiveAccess {
    /// The access's id, as it stands in the ledger.
    pub id: String,
    /// A person's id, `local:…`, or `dunlin`.
    pub actor: String,
    /// The person's name, where it is one.
    pub name: Option<String>,
    /// The person's role.
    pub role: Option<String>,
    /// The person's other organisation, if there is one.
    pub organisation: Option<String>,
    /// The session or token.
    pub session: Option<String>,
    /// `read`, `read_masked`, `update` or `export`.
    pub action: String,
    /// Where it is shown: `rows`, `quarantine`, `export`, …
    pub surface: String,
    /// The store's name in the plan.
    pub store: String,
    /// The table's label.
    pub table: String,
    /// The columns that are shown.
    pub columns: Vec<String>,
    /// The highest class among them.
    pub class: String,
    /// The highest class that is shown in clear.
    pub clear_class: Option<String>,
    /// The task that it is for.
    pub task: Option<String>,
    /// Whether the plan's window was open; none where the plan has no window.
    pub in_window: Option<bool>,
    /// Why, as a code.
    pub purpose_category: String,
    /// Rows so far.
    pub rows: u64,
    /// Since when.
    pub opened_at: i64,
    /// When rows last left.
    pub last_at: i64,
    /// When it ended.
    pub closed_at: Option<i64>,
}

/// A session that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LiveSession {
    /// The session's id.
    pub id: String,
    /// The person's id.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// The person's role.
    pub role: String,
    /// The person's other organisation, if there is one.
    pub organisation: Option<String>,
    /// The device in words.
    pub device: String,
    /// Since when.
    pub created_at: i64,
    /// When it was last used, to the minute.
    pub seen_at: i64,
}

/// A run that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LiveRun {
    /// The run's id.
    pub id: String,
    /// What it is for.
    pub kind: String,
    /// `running`, `paused` or `stopped`.
    pub status: String,
    /// Who started it.
    pub actor: String,
    /// When.
    pub started_at: i64,
}

const ACCESS: &str = "select a.*, p.name as person_name, p.role as person_role, p.organisation as person_organisation \
     from accesses a left join people p on p.id = a.person";
/// How long an access that has ended is still shown.
const LATELY_US: i64 = 120 * 1_000_000;

impl Presence {
    /// Who is in the data now.
    pub async fn snapshot(&self) -> Result<Snapshot, GuardError> {
        let now = self.inner.guard.now();
        let (outside, outside_at) = self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (accesses, lately) = self.accesses(now.wall.saturating_sub(LATELY_US)).await?;
        Ok(Snapshot {
            at: now.wall,
            accesses,
            lately,
            sessions: self.live_sessions(now.late).await?,
            runs: self.live_runs().await?,
            outside,
            outside_at,
        })
    }

    /// Those that go on, and those that ended since this moment.
    async fn accesses(&self, since: i64) -> Result<(Vec<LiveAccess>, Vec<LiveAccess>), GuardError> {
        let failed = db("reading who is in the data");
        let query =
            format!("{ACCESS} where a.closed_at is null or a.closed_at >= $1 order by a.id desc limit 1000");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(since)
            .fetch_all(self.inner.guard.state().pool())
            .await
            .map_err(&failed)?;
        let all: Vec<LiveAccess> = rows.iter().map(access).collect::<Result<_, _>>().map_err(failed)?;
        Ok(all.into_iter().partition(|a| a.closed_at.is_none()))
    }

    pub(super) async fn live_access(&self, id: &str) -> Result<Option<LiveAccess>, GuardError> {
        let failed = db("reading who is in the data");
        let query = sqlx::AssertSqlSafe(format!("{ACCESS} where a.closed_at is null and a.id = $1"));
        let row = sqlx::query(query).bind(id).fetch_optional(self.inner.guard.state().pool()).await;
        row.map_err(&failed)?.map(|r| access(&r)).transpose().map_err(failed)
    }

    async fn live_sessions(&self, late: i64) -> Result<Vec<LiveSession>, GuardError> {
        let failed = db("reading sessions");
        let idle = late.saturating_sub(seconds(self.inner.guard.settings().lifetimes.idle_s));
        let rows = sqlx::query(
            "select s.id, s.person, p.name, p.role, p.organisation, s.device, s.created_at, s.seen_at \
             from sessions s join people p on p.id = s.person \
             where s.ended_at is null and s.ends_late > $1 and s.seen_late > $2 and p.status = 'active' \
             order by s.id limit 1000",
        )
        .bind(late)
        .bind(idle)
        .fetch_all(self.inner.guard.state().pool())
        .await
        .map_err(&failed)?;
        let session = |r: &SqliteRow| {
            Ok(LiveSession {
                id: r.try_get("id")?,
                person: r.try_get("person")?,
                name: r.try_get("name")?,
                role: r.try_get("role")?,
                organisation: r.try_get("organisation")?,
                device: r.try_get("device")?,
                created_at: r.try_get("created_at")?,
                seen_at: r.try_get("seen_at")?,
            })
        };
        rows.iter().map(session).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }

    async fn live_runs(&self) -> Result<Vec<LiveRun>, GuardError> {
        let failed = db("reading runs");
        let ended = [RunStatus::Done, RunStatus::Abandoned].map(RunStatus::as_str);
        let rows = sqlx::query(
            "select id, kind, status, actor, started_at from runs where status not in ($1, $2) order by id limit 100",
        )
        .bind(ended[0])
        .bind(ended[1])
        .fetch_all(self.inner.guard.state().pool())
        .await
        .map_err(&failed)?;
        let run = |r: &SqliteRow| {
            Ok(LiveRun {
                id: r.try_get("id")?,
                kind: r.try_get("kind")?,
                status: r.try_get("status")?,
                actor: r.try_get("actor")?,
                started_at: r.try_get("started_at")?,
            })
        };
        rows.iter().map(run).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }
}

fn access(r: &SqliteRow) -> Result<LiveAccess, sqlx::Error> {
    let columns: String = r.try_get("columns")?;
    Ok(LiveAccess {
        id: r.try_get("id")?,
        actor: r.try_get("actor")?,
        name: r.try_get("person_name")?,
        role: r.try_get("person_role")?,
        organisation: r.try_get("person_organisation")?,
        session: r.try_get("session")?,
        action: r.try_get("action")?,
        surface: r.try_get("surface")?,
        store: r.try_get("store")?,
        table: r.try_get("label")?,
        columns: serde_json::from_str(&columns).unwrap_or_default(),
        class: r.try_get("class")?,
        clear_class: r.try_get("clear_class")?,
        task: r.try_get("task")?,
        in_window: r.try_get::<Option<i64>, _>("in_window")?.map(|n| n != 0),
        purpose_category: r.try_get("purpose_category")?,
        rows: r.try_get::<i64, _>("row_count")?.unsigned_abs(),
        opened_at: r.try_get("opened_at")?,
        last_at: r.try_get("last_at")?,
        closed_at: r.try_get("closed_at")?,
    })
}
