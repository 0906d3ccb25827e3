//! What customers ask for: requests, the marks by which their rows are known, the steps that are through, and where
//! rehearsals have put copies.
//!
//! Not here: who the customer is. That, and what they correct, is sealed ([`crate::Workspace::subjects`]); here they are
//! keyed hashes. What a request does is decided in `dunlin-move`.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::db;
use crate::{State, StoreError, Tx, now_us};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal, { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$word_doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The word in the state, in the ledger and in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }

            /// What this word names.
            pub fn parse(text: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|w| w.as_str() == text)
            }

            pub(crate) fn read(text: &str) -> Result<$name, StoreError> {
                $name::parse(text).ok_or(StoreError::Damaged($what))
            }
        }
    };
}

words! {
    /// What a customer asks for.
    RequestKind, "a request's kind", {
        /// To see what is kept.
        Access = "access",
        /// To have it as files.
        Portability = "portability",
        /// To correct it.
        Rectification = "rectification",
        /// To delete it.
        Erasure = "erasure",
        /// To keep it and use it no further.
        Restriction = "restriction",
        /// Not to use it for something.
        Objection = "objection",
        /// To take consent back.
        ConsentWithdrawn = "consent_withdrawn",
        /// To give consent again.
        ConsentGiven = "consent_given",
    }
}

words! {
    /// Where a request stands.
    RequestState, "a request's state", {
        /// It waits for a decision.
        Open = "open",
        /// It was granted and waits to be carried out.
        Granted = "granted",
        /// It is being carried out.
        Acting = "acting",
        /// It is answered.
        Done = "done",
        /// It was refused.
        Refused = "refused",
        /// The customer took it back.
        Withdrawn = "withdrawn",
    }
}

words! {
    /// Whether it is known that the customer is who they say.
    Identity, "a request's identity check", {
        /// Nobody has checked.
        Unchecked = "unchecked",
        /// It is.
        Confirmed = "confirmed",
        /// It is not.
        Failed = "failed",
    }
}

words! {
    /// What a mark does to the rows it knows.
    Effect, "a mark's effect", {
        /// They are gone and must not come back.
        Erased = "erased",
        /// They do not move.
        Restricted = "restriction",
        /// They do not move for a purpose.
        Objection = "objection",
        /// They do not move where consent is the basis.
        ConsentWithdrawn = "consent_withdrawn",
        /// They move with corrected values.
        Correction = "correction",
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// UUIDv7.
    pub id: String,
    /// What for.
    pub kind: RequestKind,
    /// Under which law, as a code.
    pub law: Option<String>,
    /// When it was entered, in microseconds since 1970 UTC; so are all times here.
    pub opened_at: i64,
    /// When it arrived.
    pub received_at: i64,
    /// The first moment that is too late.
    pub due_at: Option<i64>,
    /// The same with the law's extension.
    pub extended_to: Option<i64>,
    /// Who deals with it: an address or an id.
    pub owner: Option<String>,
    /// Whether the customer is known to be who they say.
    pub identity: Identity,
    /// `granted`, `refused` or `withdrawn`.
    pub decision: Option<String>,
    /// Why, as a code.
    pub reason_category: Option<String>,
    /// Why, as the salted hash of the words in the state.
    pub reason_hash: Option<String>,
    /// Where it stands.
    pub state: RequestState,
    /// Until when it can be taken back; it is not carried out before.
    pub undo_until: Option<i64>,
    /// For an objection or consent: the purpose; empty for all.
    pub purpose: String,
    /// The customer, as a keyed hash (hex) of the key.
    pub subject: String,
    /// Under which key.
    pub key_id: String,
    /// When it was answered.
    pub ended_at: Option<i64>,
}

/// A rehearsal's copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsalCopy {
    /// The rehearsal.
    pub run: String,
    /// The copy's URL as it was given: without a password.
    pub url: String,
}

const REQUEST: &str = "select id, kind, law, opened_at, received_at, due_at, extended_to, owner, identity, decision, \
    reason_category, reason_hash, state, undo_until, purpose, subject, key_id, ended_at from requests";

impl Tx {
    /// Remembers a new request.
    pub async fn insert_request(&mut self, r: &RequestRecord) -> Result<(), StoreError> {
        sqlx::query(
            "insert into requests (id, kind, law, opened_at, received_at, due_at, extended_to, owner, identity, \
             decision, reason_category, reason_hash, state, undo_until, purpose, subject, key_id, ended_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        )
        .bind(&r.id)
        .bind(r.kind.as_str())
        .bind(&r.law)
        .bind(r.opened_at)
        .bind(r.received_at)
        .bind(r.due_at)
        .bind(r.extended_to)
        .bind(&r.owner)
        .bind(r.identity.as_str())
        .bind(&r.decision)
        .bind(&r.reason_category)
        .bind(&r.reason_hash)
        .bind(r.state.as_str())
        .bind(r.undo_until)
        .bind(&r.purpose)
        .bind(&r.subject)
        .bind(&r.key_id)
        .bind(r.ended_at)
        .execute(self.connection())
        .await
        .map_err(db("keeping a request"))?;
        Ok(())
    }

    /// Writes what may change of a request: owner, identity, decision with its reason, state, undo, end.
    pub async fn update_request(&mut self, r: &RequestRecord) -> Result<(), StoreError> {
        let done = sqlx::query(
            "update requests set owner = $2, identity = $3, decision = $4, reason_category = $5, reason_hash = $6, \
             state = $7, undo_until = $8, ended_at = $9, due_at = $10 where id = $1",
        )
        .bind(&r.id)
        .bind(&r.owner)
        .bind(r.identity.as_str())
        .bind(&r.decision)
        .bind(&r.reason_category)
        .bind(&r.reason_hash)
        .bind(r.state.as_str())
        .bind(r.undo_until)
        .bind(r.ended_at)
        .bind(r.due_at)
        .execute(self.connection())
        .await
        .map_err(db("writing a request"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Unknown { what: "request", id: r.id.clone() });
        }
        Ok(())
    }

    /// Notes that a step of a request is through, with a detail; the first note stays.
    pub async fn note_step(&mut self, request: &str, step: &str, detail: &str) -> Result<(), StoreError> {
        sqlx::query(
            "insert into subject_steps (request, step, detail, at) values ($1, $2, $3, $4) on conflict do nothing",
        )
        .bind(request)
        .bind(step)
        .bind(detail)
        .bind(now_us())
        .execute(self.connection())
        .await
        .map_err(db("noting a step of a request"))?;
        Ok(())
    }

    /// Remembers where a rehearsal puts its copy.
    pub async fn put_rehearsal_copy(&mut self, run: &str, url: &str) -> Result<(), StoreError> {
        sqlx::query("insert into rehearsal_copies (run, url, at) values ($1, $2, $3) on conflict do nothing")
            .bind(run)
            .bind(url)
            .bind(now_us())
            .execute(self.connection())
            .await
            .map_err(db("keeping where a rehearsal's copy is"))?;
        Ok(())
    }
}

impl State {
    /// One request. `Unknown` when there is none.
    pub async fn request(&self, id: &str) -> Result<RequestRecord, StoreError> {
        let sql = format!("{REQUEST} where id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(db("reading a request"))?;
        let row = row.ok_or_else(|| StoreError::Unknown { what: "request", id: id.to_owned() })?;
        read_request(&row)
    }

    /// All requests: those that are not over first, the most urgent at the head.
    pub async fn requests(&self) -> Result<Vec<RequestRecord>, StoreError> {
        let sql = format!(
            "{REQUEST} order by case when ended_at is null then 0 else 1 end, coalesce(due_at, 9e18), opened_at, id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&self.pool).await;
        rows.map_err(db("reading requests"))?.iter().map(read_request).collect()
    }

    /// The note of a step that is through.
    pub async fn step(&self, request: &str, step: &str) -> Result<Option<String>, StoreError> {
        let failed = db("reading a step of a request");
        let row = sqlx::query("select detail from subject_steps where request = $1 and step = $2")
            .bind(request)
            .bind(step)
            .fetch_optional(&self.pool)
            .await
            .map_err(&failed)?;
        row.map(|r| r.try_get(0)).transpose().map_err(failed)
    }

    /// Where rehearsals have put copies.
    pub async fn rehearsal_copies(&self) -> Result<Vec<RehearsalCopy>, StoreError> {
        let failed = db("reading where rehearsals' copies are");
        let rows = sqlx::query("select run, url from rehearsal_copies order by at, run")
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        let read = |row: &SqliteRow| Ok(RehearsalCopy { run: row.try_get(0)?, url: row.try_get(1)? });
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }
}

fn read_request(row: &SqliteRow) -> Result<RequestRecord, StoreError> {
    let failed = db("reading a request");
    let text = |i: usize| row.try_get::<String, _>(i).map_err(&failed);
    let maybe = |i: usize| row.try_get::<Option<String>, _>(i).map_err(&failed);
    let time = |i: usize| row.try_get::<Option<i64>, _>(i).map_err(&failed);
    Ok(RequestRecord {
        id: text(0)?,
        kind: RequestKind::read(&text(1)?)?,
        law: maybe(2)?,
        opened_at: row.try_get(3).map_err(&failed)?,
        received_at: row.try_get(4).map_err(&failed)?,
        due_at: time(5)?,
        extended_to: time(6)?,
        owner: maybe(7)?,
        identity: Identity::read(&text(8)?)?,
        decision: maybe(9)?,
        reason_category: maybe(10)?,
        reason_hash: maybe(11)?,
        state: RequestState::read(&text(12)?)?,
        undo_until: time(13)?,
        purpose: text(14)?,
        subject: text(15)?,
        key_id: text(16)?,
        ended_at: time(17)?,
    })
}
