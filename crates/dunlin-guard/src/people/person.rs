//! A person as the state has them.

use std::str::FromStr;

use dunlin_plan::Role;
use dunlin_store::Tx;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::db;
use crate::{Guard, GuardError};

/// Whether a person may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Has an invitation that waits.
    Invited,
    /// May come in.
    Active,
    /// May do nothing until unblocked.
    Blocked,
    /// Has gone; the record stays.
    Left,
}

impl Status {
    /// The word in the state.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Invited => "invited",
            Status::Active => "active",
            Status::Blocked => "blocked",
            Status::Left => "left",
        }
    }

    fn parse(text: &str) -> Option<Status> {
        let all = [Status::Invited, Status::Active, Status::Blocked, Status::Left];
        all.into_iter().find(|s| s.as_str() == text)
    }
}

/// A person. Times are microseconds since 1970 UTC by the wall clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The id, UUIDv7.
    pub id: String,
    /// The address, folded to lower case.
    pub email: String,
    /// When it was shown to be theirs.
    pub email_verified_at: Option<i64>,
    /// The name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The other company, or none when in-house.
    pub organisation: Option<String>,
    /// Whether the role was set by a person, so that the plan's word does not change it.
    pub role_by_hand: bool,
    /// The same for the organisation.
    pub organisation_by_hand: bool,
    /// Whether they may come in.
    pub status: Status,
    /// Whether somebody has required a second factor of them, over what their role requires.
    pub mfa_required: bool,
    /// Whether they have a second factor.
    pub mfa_enrolled: bool,
    /// Tables (`store.table`) that they are limited to, when limited.
    pub limit_tables: Option<Vec<String>>,
    /// When their access ends, by [`crate::Moment::late`].
    pub limit_until: Option<i64>,
    /// When they were added.
    pub created_at: i64,
    /// When they did something last.
    pub last_seen_at: Option<i64>,
    /// When they were blocked.
    pub blocked_at: Option<i64>,
    /// The category of the reason.
    pub block_category: Option<String>,
}

/// Selects what [`read`] reads.
pub(crate) const COLUMNS: &str = "p.id, p.email, p.email_verified_at, p.name, p.role, p.organisation, \
     p.role_by_hand, p.organisation_by_hand, p.status, p.mfa_required, p.limit_tables, p.limit_until_late, \
     p.created_at, p.last_seen_at, p.blocked_at, p.block_category, \
     (exists (select 1 from totp t where t.person = p.id and t.confirmed_at is not null) \
      or exists (select 1 from passkeys k where k.person = p.id)) as mfa_enrolled";

/// Reads a row of [`COLUMNS`].
pub(crate) fn read(row: &SqliteRow) -> Result<Person, GuardError> {
    let failed = db("reading a person");
    let damaged = |_| GuardError::Internal("reading a person");
    let role: String = row.try_get("role").map_err(&failed)?;
    let status: String = row.try_get("status").map_err(&failed)?;
    let tables: Option<String> = row.try_get("limit_tables").map_err(&failed)?;
    let flag = |name: &str| row.try_get::<i64, _>(name).map(|n| n != 0);
    Ok(Person {
        id: row.try_get("id").map_err(&failed)?,
        email: row.try_get("email").map_err(&failed)?,
        email_verified_at: row.try_get("email_verified_at").map_err(&failed)?,
        name: row.try_get("name").map_err(&failed)?,
        role: Role::from_str(&role).map_err(damaged)?,
        organisation: row.try_get("organisation").map_err(&failed)?,
        role_by_hand: flag("role_by_hand").map_err(&failed)?,
        organisation_by_hand: flag("organisation_by_hand").map_err(&failed)?,
        status: Status::parse(&status).ok_or(GuardError::Internal("reading a person"))?,
        mfa_required: flag("mfa_required").map_err(&failed)?,
        mfa_enrolled: flag("mfa_enrolled").map_err(&failed)?,
        limit_tables: tables
            .map(|t| serde_json::from_str(&t).map_err(|_| GuardError::Internal("reading a person")))
            .transpose()?,
        limit_until: row.try_get("limit_until_late").map_err(&failed)?,
        created_at: row.try_get("created_at").map_err(&failed)?,
        last_seen_at: row.try_get("last_seen_at").map_err(&failed)?,
        blocked_at: row.try_get("blocked_at").map_err(&failed)?,
        block_category: row.try_get("block_category").map_err(&failed)?,
    })
}

/// A person as this transaction sees them.
pub(crate) async fn in_tx(tx: &mut Tx, id: &str) -> Result<Person, GuardError> {
    let query = sqlx::AssertSqlSafe(format!("select {COLUMNS} from people p where p.id = $1"));
    let row = sqlx::query(query).bind(id).fetch_optional(tx.connection()).await;
    read(&row.map_err(db("reading a person"))?.ok_or(GuardError::Unknown("person"))?)
}

/// An address as accounts are known by: trimmed, lower case. Refuses what is none.
pub(crate) fn fold_email(text: &str) -> Result<String, GuardError> {
    let folded = text.trim().to_lowercase();
    let plain = folded.len() <= 254 && !folded.chars().any(|c| c.is_control() || c.is_whitespace());
    if plain && email_address::EmailAddress::is_valid(&folded) {
        Ok(folded)
    } else {
        Err(GuardError::Invalid { what: "the e-mail address", help: "it has the form `name@example.com`" })
    }
}

impl Guard {
    /// A person by id.
    pub async fn person(&self, id: &str) -> Result<Person, GuardError> {
        let query = sqlx::AssertSqlSafe(format!("select {COLUMNS} from people p where p.id = $1"));
        let row = sqlx::query(query).bind(id).fetch_optional(self.state().pool()).await;
        read(&row.map_err(db("reading a person"))?.ok_or(GuardError::Unknown("person"))?)
    }

    /// A person by e-mail, in whatever case.
    pub async fn person_by_email(&self, email: &str) -> Result<Option<Person>, GuardError> {
        let Ok(email) = fold_email(email) else { return Ok(None) };
        let query = sqlx::AssertSqlSafe(format!("select {COLUMNS} from people p where p.email = $1"));
        let row = sqlx::query(query).bind(email).fetch_optional(self.state().pool()).await;
        row.map_err(db("reading a person"))?.map(|r| read(&r)).transpose()
    }

    /// Everybody, the oldest first.
    pub async fn people(&self) -> Result<Vec<Person>, GuardError> {
        let query = sqlx::AssertSqlSafe(format!("select {COLUMNS} from people p order by p.id"));
        let rows = sqlx::query(query).fetch_all(self.state().pool()).await.map_err(db("reading people"))?;
        rows.iter().map(read).collect()
    }

    /// Whether this person must have a second factor: their role says so, or somebody has required it.
    pub fn needs_factor(&self, person: &Person) -> bool {
        person.mfa_required || self.settings().mfa_roles.contains(&person.role)
    }
}
