//! Everything about a person in one call; of a blocked one, the investigation.

use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::db;
use crate::limit::{AttemptInfo, Lock};
use crate::people::{Person, Status};
use crate::service_token::TokenInfo;
use crate::{Factors, Guard, GuardError, SessionInfo};

/// A week, in microseconds.
const WEEK: i64 = 7 * 24 * 3600 * 1_000_000;

/// The classes of data, the least first.
const CLASSES: [&str; 5] = ["public", "internal", "personal", "sensitive", "secret"];

/// A grant that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GrantHeld {
    /// Its id.
    pub id: String,
    /// For which task.
    pub task: String,
    /// What it allows.
    pub action: String,
    /// In which store.
    pub store: String,
    /// On which table.
    pub table: String,
    /// Until when, microseconds since 1970 UTC.
    pub until: Option<i64>,
}

/// What was opened this week, by class of data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessedClass {
    /// `public`, `internal`, `personal`, `sensitive` or `secret`.
    pub class: String,
    /// Times.
    pub accesses: i64,
    /// Rows that left.
    pub rows: i64,
}

/// A table that a person had open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataTouched {
    /// The store.
    pub store: String,
    /// The table.
    pub table: String,
    /// The highest class among the columns.
    pub class: String,
    /// Rows that left.
    pub rows: i64,
    /// First and last, microseconds since 1970 UTC.
    pub first_at: i64,
    /// The last time.
    pub last_at: i64,
}

/// What somebody wrote about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Its id.
    pub id: String,
    /// A person's id, `local:<user>` or `dunlin`.
    pub author: String,
    /// The text; gone when its time was over.
    pub text: Option<String>,
    /// When, microseconds since 1970 UTC.
    pub at: i64,
}

/// Everything about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonRecord {
    /// The person.
    pub person: Person,
    /// Whether a second factor is required, by role or by hand.
    pub mfa_needed: bool,
    /// The second factors.
    pub factors: Factors,
    /// Open sessions.
    pub sessions: Vec<SessionInfo>,
    /// Tokens that are good.
    pub tokens: Vec<TokenInfo>,
    /// Grants that are open.
    pub grants: Vec<GrantHeld>,
    /// What was opened within the last seven days.
    pub this_week: Vec<AccessedClass>,
    /// Refused asks within the last seven days.
    pub denied_this_week: i64,
    /// What is locked.
    pub locks: Vec<Lock>,
    /// Of a blocked person, or one about whom somebody wrote a note.
    pub investigation: Option<Investigation>,
}

/// What there is to look into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Investigation {
    /// Why the person was blocked, as typed.
    pub reason: Option<String>,
    /// The latest attempts to come in: time, address, device.
    pub attempts: Vec<AttemptInfo>,
    /// The data touched, the latest first.
    pub touched: Vec<DataTouched>,
    /// The notes, the oldest first.
    pub notes: Vec<Note>,
}

impl Guard {
    /// Everything about a person.
    pub async fn record(&self, id: &str) -> Result<PersonRecord, GuardError> {
        let person = self.person(id).await?;
        let notes = self.notes(id).await?;
        let investigation = if person.status == Status::Blocked || !notes.is_empty() {
            Some(self.investigation(id, notes).await?)
        } else {
            None
        };
        let since = self.now().wall.saturating_sub(WEEK);
        let denied: i64 = sqlx::query_scalar(
            "select cast(coalesce(sum(times), 0) as bigint) from denials where person = $1 and last_at >= $2",
        )
        .bind(id)
        .bind(since)
        .fetch_one(self.state().pool())
        .await
        .map_err(db("reading refusals"))?;
        Ok(PersonRecord {
            mfa_needed: self.needs_factor(&person),
            factors: self.factors(id).await?,
            sessions: self.sessions(Some(id)).await?,
            tokens: self.tokens(Some(id)).await?,
            grants: self.grants_held(id).await?,
            this_week: self.opened_since(id, since).await?,
            denied_this_week: denied,
            locks: self.locks(id).await?,
            investigation,
            person,
        })
    }

    async fn investigation(&self, id: &str, notes: Vec<Note>) -> Result<Investigation, GuardError> {
        let reason: Option<String> = sqlx::query_scalar(
            "select t.content from people p join texts t on t.hash = p.block_reason where p.id = $1",
        )
        .bind(id)
        .fetch_optional(self.state().pool())
        .await
        .map_err(db("reading a reason"))?;
        let touched = self
            .list(
                "select store, label, max(case class when 'secret' then 4 when 'sensitive' then 3 when 'personal' then 2 \
                 when 'internal' then 1 else 0 end), cast(sum(row_count) as bigint), min(opened_at), max(last_at) \
                 from accesses where person = $1 and opened_at >= $2 group by store, label order by max(last_at) desc \
                 limit 200",
                id,
                0,
                |row| {
                    Ok(DataTouched {
                        store: row.try_get(0)?,
                        table: row.try_get(1)?,
                        class: CLASSES[usize::try_from(row.try_get::<i64, _>(2)?).unwrap_or(0).min(4)].to_owned(),
                        rows: row.try_get(3)?,
                        first_at: row.try_get(4)?,
                        last_at: row.try_get(5)?,
                    })
                },
            )
            .await?;
        Ok(Investigation { reason, attempts: self.attempts(id, 500).await?, touched, notes })
    }

    async fn notes(&self, id: &str) -> Result<Vec<Note>, GuardError> {
        let query = "select n.id, n.author, t.content, n.at from person_notes n left join texts t on t.hash = n.note \
             where n.person = $1 and n.at >= $2 order by n.id";
        self.list(query, id, 0, |row| {
            Ok(Note {
                id: row.try_get(0)?,
                author: row.try_get(1)?,
                text: row.try_get(2)?,
                at: row.try_get(3)?,
            })
        })
        .await
    }

    async fn grants_held(&self, id: &str) -> Result<Vec<GrantHeld>, GuardError> {
        let query = "select id, task, action, store, label, until from grants where person = $1 \
             and closed_at is null and (until is null or until > $2) order by id";
        self.list(query, id, self.now().late, |row| {
            Ok(GrantHeld {
                id: row.try_get(0)?,
                task: row.try_get(1)?,
                action: row.try_get(2)?,
                store: row.try_get(3)?,
                table: row.try_get(4)?,
                until: row.try_get(5)?,
            })
        })
        .await
    }

    async fn opened_since(&self, id: &str, since: i64) -> Result<Vec<AccessedClass>, GuardError> {
        let query = "select class, count(*), cast(sum(row_count) as bigint) from accesses where person = $1 \
             and opened_at >= $2 group by class order by class";
        self.list(query, id, since, |row| {
            Ok(AccessedClass { class: row.try_get(0)?, accesses: row.try_get(1)?, rows: row.try_get(2)? })
        })
        .await
    }

    async fn list<T>(
        &self,
        query: &'static str,
        person: &str,
        bound: i64,
        read: impl Fn(&SqliteRow) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, GuardError> {
        let failed = db("reading a person's record");
        let rows = sqlx::query(query).bind(person).bind(bound).fetch_all(self.state().pool()).await;
        rows.map_err(&failed)?.iter().map(read).collect::<Result<_, _>>().map_err(failed)
    }
}
