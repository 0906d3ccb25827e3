//! Who is behind a session's token: asked of the table each time, so that what ends a session works at once, from
//! whatever process.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use dunlin_ledger::Actor;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::clock::seconds;
use crate::error::db;
use crate::people::{PERSON_COLUMNS, read_person};
use crate::session::{Stage, Via, Who};
use crate::token::{Secret, is_service_token, token_hash};
use crate::{Guard, GuardError, Moment, Network, Origin, Person, Status};

/// How often `seen` is written, at most.
const SEEN_EVERY_S: u64 = 60;

impl Guard {
    /// Who is behind a session's token. Ends the session when its time is over.
    pub async fn who_by_session(&self, token: &Secret, origin: &Origin) -> Result<Who, GuardError> {
        let query = sqlx::AssertSqlSafe(format!(
            "select s.id as session_id, s.stage, s.created_late, s.seen_late, s.ends_late, s.mfa_late, {PERSON_COLUMNS} \
             from sessions s join people p on p.id = s.person where s.token = $1 and s.ended_at is null"
        ));
        let row = sqlx::query(query)
            .bind(self.session_hash(token)?)
            .fetch_optional(self.state().pool())
            .await
            .map_err(db("reading a session"))?
            .ok_or(GuardError::NotSignedIn)?;
        let now = self.now();
        let session = SessionRow::read(&row)?;
        let person = read_person(&row)?;
        if let Some(reason) = self.over(&session, &person, now) {
            self.end_session(&Actor::System, &session.id, reason).await?;
            return Err(GuardError::NotSignedIn);
        }
        if now.late - session.seen_late >= seconds(SEEN_EVERY_S) {
            self.seen(&session.id, &person.id, origin).await?;
        }
        let stage = match (session.stage, session.mfa_late) {
            // Somebody may have required a second factor since.
            (Stage::Full, None) => self.stage_of(&person, false),
            (stage, _) => stage,
        };
        Ok(self.who(person, Via::Session(session.id), stage, session.mfa_late, None, origin, now))
    }

    /// Who is behind a token of a program. Its form is checked before the state is asked.
    pub async fn who_by_token(&self, token: &Secret, origin: &Origin) -> Result<Who, GuardError> {
        if !is_service_token(token.expose()) {
            return Err(GuardError::NotSignedIn);
        }
        let query = sqlx::AssertSqlSafe(format!(
            "select t.id as token_id, t.scopes, t.until_late, t.mfa_late, t.last_used_at, {PERSON_COLUMNS} \
             from tokens t join people p on p.id = t.person where t.hash = $1 and t.revoked_at is null"
        ));
        let failed = db("reading a token");
        let row = sqlx::query(query)
            .bind(token_hash("token", token.expose()))
            .fetch_optional(self.state().pool())
            .await
            .map_err(&failed)?
            .ok_or(GuardError::NotSignedIn)?;
        let now = self.now();
        let person = read_person(&row)?;
        let id: String = row.try_get("token_id").map_err(&failed)?;
        let until: i64 = row.try_get("until_late").map_err(&failed)?;
        if now.late >= until {
            self.revoke_token(&Actor::System, &id, "expired").await?;
            return Err(GuardError::NotSignedIn);
        }
        self.may_come_in(&person, now)?;
        // Somebody may have required a second factor since the token was made: it rests until its person has one.
        if self.needs_factor(&person) && !person.mfa_enrolled {
            return Err(GuardError::EnrolmentNeeded);
        }
        let used: Option<i64> = row.try_get("last_used_at").map_err(&failed)?;
        if used.is_none_or(|at| now.wall - at >= seconds(SEEN_EVERY_S) || at > now.wall) {
            self.token_used(&id, origin).await?;
        }
        let scopes: String = row.try_get("scopes").map_err(&failed)?;
        let scopes = serde_json::from_str(&scopes).map_err(|_| GuardError::Internal("reading a token"))?;
        let mfa: Option<i64> = row.try_get("mfa_late").map_err(&failed)?;
        Ok(self.who(person, Via::Token(id), Stage::Full, mfa, Some(scopes), origin, now))
    }

    /// Whether the session or token behind a caller still stands: what streams and exports ask while they run.
    pub async fn still(&self, who: &Who) -> Result<bool, GuardError> {
        let now = self.now();
        let limits = &self.settings().lifetimes;
        let (query, until) = match who.via {
            Via::Session(_) => (
                "select count(*) from sessions s join people p on p.id = s.person where s.id = $1 and s.ended_at is null \
                 and s.ends_late > $2 and s.seen_late > $3 and p.status = 'active' \
                 and (p.limit_until_late is null or p.limit_until_late > $2)",
                now.late.saturating_sub(seconds(limits.idle_s)),
            ),
            Via::Token(_) => (
                "select count(*) from tokens t join people p on p.id = t.person where t.id = $1 and t.revoked_at is null \
                 and t.until_late > $2 and $3 >= 0 and p.status = 'active' \
                 and (p.limit_until_late is null or p.limit_until_late > $2)",
                0,
            ),
        };
        let standing: i64 = sqlx::query_scalar(query)
            .bind(who.via.id())
            .bind(now.late)
            .bind(until)
            .fetch_one(self.state().pool())
            .await
            .map_err(db("reading a session"))?;
        Ok(standing > 0)
    }

    /// Whether a person may come in at all, now.
    pub(crate) fn may_come_in(&self, person: &Person, now: Moment) -> Result<(), GuardError> {
        let in_time = person.limit_until.is_none_or(|until| now.late < until);
        if person.status == Status::Active && in_time { Ok(()) } else { Err(GuardError::NotSignedIn) }
    }

    /// Why a session is over, as a code, when it is.
    fn over(&self, session: &SessionRow, person: &Person, now: Moment) -> Option<&'static str> {
        let lifetimes = &self.settings().lifetimes;
        let idle = session.seen_late.saturating_add(seconds(lifetimes.idle_s)) <= now.late;
        let unfinished = session.stage != Stage::Full
            && session.created_late.saturating_add(seconds(lifetimes.unfinished_s)) <= now.late;
        if session.ends_late <= now.late {
            Some("expired")
        } else if idle {
            Some("idle")
        } else if unfinished {
            Some("unfinished")
        } else if self.may_come_in(person, now).is_err() {
            Some("not_active")
        } else {
            None
        }
    }

    #[allow(clippy::too_many_arguments)] // private; each is one field
    fn who(
        &self,
        person: Person,
        via: Via,
        stage: Stage,
        mfa_late: Option<i64>,
        scopes: Option<Vec<String>>,
        origin: &Origin,
        at: Moment,
    ) -> Who {
        let age = |late: i64| u64::try_from(at.late.saturating_sub(late).max(0) / 1_000_000).unwrap_or(0);
        Who {
            person: person.id,
            name: person.name,
            email: person.email,
            role: person.role,
            organisation: person.organisation,
            via,
            scopes,
            stage,
            mfa_late,
            mfa_age_s: mfa_late.map(age),
            tables: person.limit_tables,
            address: origin.address,
            network: Network::of(origin.address),
            at,
        }
    }

    /// Notes that a session was used, and from where.
    async fn seen(&self, session: &str, person: &str, origin: &Origin) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        let failed = db("noting that a session was used");
        sqlx::query(
            "update sessions set seen_at = $2, seen_late = $3, address = $4, network = $5 \
             where id = $1 and ended_at is null and seen_late < $3",
        )
        .bind(session)
        .bind(now.wall)
        .bind(now.late)
        .bind(origin.address.to_string())
        .bind(origin.network())
        .execute(tx.connection())
        .await
        .map_err(&failed)?;
        sqlx::query("update people set last_seen_at = $2 where id = $1")
            .bind(person)
            .bind(now.wall)
            .execute(tx.connection())
            .await
            .map_err(&failed)?;
        Ok(tx.commit().await?)
    }

    async fn token_used(&self, token: &str, origin: &Origin) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        let failed = db("noting that a token was used");
        sqlx::query("update tokens set last_used_at = $2, address = $3 where id = $1")
            .bind(token)
            .bind(now.wall)
            .bind(origin.address.to_string())
            .execute(tx.connection())
            .await
            .map_err(&failed)?;
        sqlx::query(
            "update people set last_seen_at = $2 where id = (select person from tokens where id = $1)",
        )
        .bind(token)
        .bind(now.wall)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        Ok(tx.commit().await?)
    }
}

struct SessionRow {
    id: String,
    stage: Stage,
    created_late: i64,
    seen_late: i64,
    ends_late: i64,
    mfa_late: Option<i64>,
}

impl SessionRow {
    fn read(row: &SqliteRow) -> Result<SessionRow, GuardError> {
        let failed = db("reading a session");
        let stage: String = row.try_get("stage").map_err(&failed)?;
        Ok(SessionRow {
            id: row.try_get("session_id").map_err(&failed)?,
            stage: Stage::parse(&stage).ok_or(GuardError::Internal("reading a session"))?,
            created_late: row.try_get("created_late").map_err(&failed)?,
            seen_late: row.try_get("seen_late").map_err(&failed)?,
            ends_late: row.try_get("ends_late").map_err(&failed)?,
            mfa_late: row.try_get("mfa_late").map_err(&failed)?,
        })
    }
}

/// An address as the state has it.
pub(crate) fn address(text: &str) -> IpAddr {
    IpAddr::from_str(text).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}
