//! Customers who sign in to their own page: links by e-mail, sessions, and how a request came in.
//!
//! Not here: who a customer is. What names one is sealed under a secret that this state does not hold.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::db;
use crate::{State, StoreError, Tx};

/// A customer's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerSession {
    /// Hash (hex) of its token.
    pub hash: String,
    /// The name that the state uses for who it is; empty where nobody is known.
    pub subject: String,
    /// What names the customer, sealed under the token.
    pub sealed: String,
    /// `app`, `card` or `link`.
    pub how: String,
    /// When it began, in microseconds since 1970 UTC by a clock that never goes back; so are all times here.
    pub signed_in_late: i64,
    /// When it ends.
    pub until_late: i64,
}

/// How a request came in, and what is known of it beside the request itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRequest {
    /// The request.
    pub request: String,
    /// `page`, `gpc` or `operator`.
    pub via: String,
    /// The language of its letters.
    pub lang: String,
    /// Whether it is carried out by itself once it can no longer be taken back.
    pub by_itself: bool,
    /// The task that stands for it.
    pub task: Option<String>,
    /// When it was put off with the law's extension.
    pub extended_at: Option<i64>,
    /// When carrying it out last failed.
    pub failed_at: Option<i64>,
}

impl Tx {
    /// Keeps a link; `sealed` is under its token.
    pub async fn insert_customer_link(
        &mut self,
        hash: &str,
        sealed: &str,
        until: i64,
    ) -> Result<(), StoreError> {
        sqlx::query("insert into customer_links (hash, sealed, until_late) values ($1, $2, $3)")
            .bind(hash)
            .bind(sealed)
            .bind(until)
            .execute(self.connection())
            .await
            .map_err(db("keeping a customer's link"))?;
        Ok(())
    }

    /// Spends a link that is good; what it holds. Gone for good either way.
    pub async fn spend_customer_link(
        &mut self,
        hash: &str,
        now: i64,
    ) -> Result<Option<(String, i64)>, StoreError> {
        let failed = db("spending a customer's link");
        let row = sqlx::query(
            "update customer_links set spent_at = $2 where hash = $1 and spent_at is null and until_late > $2 \
             returning sealed, until_late",
        )
        .bind(hash)
        .bind(now)
        .fetch_optional(self.connection())
        .await
        .map_err(&failed)?;
        row.map(|r| Ok((r.try_get(0)?, r.try_get(1)?))).transpose().map_err(failed)
    }

    /// Begins a session; those that have ended, and links, are forgotten.
    pub async fn insert_customer_session(&mut self, s: &CustomerSession) -> Result<(), StoreError> {
        let failed = db("beginning a customer's session");
        for table in ["customer_sessions", "customer_links"] {
            let sql = format!("delete from {table} where until_late <= $1");
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(s.signed_in_late)
                .execute(self.connection())
                .await
                .map_err(&failed)?;
        }
        sqlx::query(
            "insert into customer_sessions (hash, subject, sealed, how, signed_in_late, until_late) \
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&s.hash)
        .bind(&s.subject)
        .bind(&s.sealed)
        .bind(&s.how)
        .bind(s.signed_in_late)
        .bind(s.until_late)
        .execute(self.connection())
        .await
        .map_err(failed)?;
        Ok(())
    }

    /// Ends a session.
    pub async fn end_customer_session(&mut self, hash: &str) -> Result<(), StoreError> {
        sqlx::query("delete from customer_sessions where hash = $1")
            .bind(hash)
            .execute(self.connection())
            .await
            .map_err(db("ending a customer's session"))?;
        Ok(())
    }

    /// Writes how a request came in, over what was known of it.
    pub async fn put_customer_request(&mut self, r: &CustomerRequest) -> Result<(), StoreError> {
        sqlx::query(
            "insert into customer_requests (request, via, lang, by_itself, task, extended_at, failed_at) \
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (request) do update set by_itself = $4, task = $5, \
             extended_at = $6, failed_at = $7",
        )
        .bind(&r.request)
        .bind(&r.via)
        .bind(&r.lang)
        .bind(r.by_itself)
        .bind(&r.task)
        .bind(r.extended_at)
        .bind(r.failed_at)
        .execute(self.connection())
        .await
        .map_err(db("keeping how a request came in"))?;
        Ok(())
    }
}

impl State {
    /// A session that lives.
    pub async fn customer_session(
        &self,
        hash: &str,
        now: i64,
    ) -> Result<Option<CustomerSession>, StoreError> {
        let failed = db("reading a customer's session");
        let row = sqlx::query(
            "select hash, subject, sealed, how, signed_in_late, until_late from customer_sessions \
             where hash = $1 and until_late > $2",
        )
        .bind(hash)
        .bind(now)
        .fetch_optional(&self.pool)
        .await
        .map_err(&failed)?;
        let read = |r: &SqliteRow| {
            Ok::<_, sqlx::Error>(CustomerSession {
                hash: r.try_get(0)?,
                subject: r.try_get(1)?,
                sealed: r.try_get(2)?,
                how: r.try_get(3)?,
                signed_in_late: r.try_get(4)?,
                until_late: r.try_get(5)?,
            })
        };
        row.as_ref().map(read).transpose().map_err(failed)
    }

    /// Whether a link could be spent now. Looking does not spend it.
    pub async fn customer_link_is_good(&self, hash: &str, now: i64) -> Result<bool, StoreError> {
        let found: Option<i64> = sqlx::query_scalar(
            "select 1 from customer_links where hash = $1 and spent_at is null and until_late > $2",
        )
        .bind(hash)
        .bind(now)
        .fetch_optional(&self.pool)
        .await
        .map_err(db("reading a customer's link"))?;
        Ok(found.is_some())
    }

    /// How every request came in of which that is known.
    pub async fn customer_requests(&self) -> Result<Vec<CustomerRequest>, StoreError> {
        let failed = db("reading how requests came in");
        let rows = sqlx::query(
            "select request, via, lang, by_itself, task, extended_at, failed_at from customer_requests",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        let read = |r: &SqliteRow| {
            Ok::<_, sqlx::Error>(CustomerRequest {
                request: r.try_get(0)?,
                via: r.try_get(1)?,
                lang: r.try_get(2)?,
                by_itself: r.try_get(3)?,
                task: r.try_get(4)?,
                extended_at: r.try_get(5)?,
                failed_at: r.try_get(6)?,
            })
        };
        rows.iter().map(read).collect::<Result<_, _>>().map_err(failed)
    }
}
