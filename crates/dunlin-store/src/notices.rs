//! What customers are told, as the state remembers it: versions of notices, who wrote them, their pictures, and what
//! people answered.
//!
//! Not here: what a notice says and whether it may be published (`dunlin-tell`, `dunlin-server`).

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::db;
use crate::{Keyring, Purpose, State, StoreError, Tx, new_id};

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeStatus {
    /// It waits for somebody else's approval.
    Submitted,
    /// Customers may read it.
    Published,
    /// It was published, and is no longer shown.
    Withdrawn,
    /// It was taken back before it was published.
    TakenBack,
}

impl NoticeStatus {
    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeStatus::Submitted => "submitted",
            NoticeStatus::Published => "published",
            NoticeStatus::Withdrawn => "withdrawn",
            NoticeStatus::TakenBack => "taken_back",
        }
    }
}

/// A text that was handed in. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeVersion {
    /// UUIDv7.
    pub id: String,
    /// The notice's name.
    pub notice: String,
    /// Its language.
    pub locale: String,
    /// Counts from 1 within name and language.
    pub version: u32,
    /// The file in the workspace that it came from.
    pub file: String,
    /// SHA-256 of the text, hex.
    pub sha256: String,
    /// The text, word for word.
    pub text: String,
    /// Fingerprint of the plan with which it was handed in.
    pub plan_fingerprint: String,
    /// Fingerprint of what the text states.
    pub facts_fingerprint: String,
    /// What it states, by subject.
    pub facts: BTreeMap<String, Vec<String>>,
    /// Who wrote it, as far as the server knows: ids of people, or local users.
    pub authors: Vec<String>,
    /// Who handed it in.
    pub submitted_by: String,
    /// When.
    pub submitted_at: i64,
    /// Fingerprint of the plan for which it was approved.
    pub approved_fingerprint: Option<String>,
    /// The linked data beside the page.
    pub json_ld: Option<String>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// Since when customers may read it.
    pub published_at: Option<i64>,
    /// Who withdrew it.
    pub withdrawn_by: Option<String>,
    /// When.
    pub withdrawn_at: Option<i64>,
}

impl NoticeVersion {
    /// Where it stands.
    pub fn status(&self) -> NoticeStatus {
        match (self.published_at, self.withdrawn_at) {
            (None, None) => NoticeStatus::Submitted,
            (None, Some(_)) => NoticeStatus::TakenBack,
            (Some(_), None) => NoticeStatus::Published,
            (Some(_), Some(_)) => NoticeStatus::Withdrawn,
        }
    }
}

/// A picture as it is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct NoticeImage {
    /// As the text names it.
    pub path: String,
    /// `image/png` or `image/jpeg`.
    pub media_type: String,
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// How many people answered what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeAnswers {
    /// The notice.
    pub notice: String,
    /// Its version.
    pub version: u32,
    /// `keep` or `close`.
    pub choice: String,
    /// How many.
    pub people: u64,
}

const COLUMNS: &str = "id, notice, locale, version, file, sha256, content, plan_fingerprint, facts_fingerprint, facts, \
     authors, submitted_by, submitted_at, approved_fingerprint, json_ld, approved_by, published_at, withdrawn_by, \
     withdrawn_at";

impl Tx {
    /// Remembers who saved a notice's file.
    pub async fn insert_notice_edit(
        &mut self,
        file: &str,
        author: &str,
        sha256: &str,
        at: i64,
    ) -> Result<(), StoreError> {
        sqlx::query("insert into notice_edits (id, file, author, sha256, at) values ($1, $2, $3, $4, $5)")
            .bind(new_id())
            .bind(file)
            .bind(author)
            .bind(sha256)
            .bind(at)
            .execute(self.connection())
            .await
            .map_err(db("keeping who wrote a notice"))?;
        Ok(())
    }

    /// Who saved this file through the server since it was last published; once each.
    pub async fn notice_authors(&mut self, file: &str) -> Result<Vec<String>, StoreError> {
        let failed = db("reading who wrote a notice");
        let rows = sqlx::query(
            "select distinct author from notice_edits where file = $1 and at > \
             (select coalesce(max(published_at), 0) from notice_versions where file = $1) order by author",
        )
        .bind(file)
        .fetch_all(self.connection())
        .await
        .map_err(&failed)?;
        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(failed)
    }

    /// Keeps a text that was handed in, with its pictures.
    pub async fn insert_notice(
        &mut self,
        version: &NoticeVersion,
        images: &[NoticeImage],
    ) -> Result<(), StoreError> {
        let unwritable = |_| StoreError::Damaged("a notice");
        let facts = serde_json::to_string(&version.facts).map_err(unwritable)?;
        let authors = serde_json::to_string(&version.authors).map_err(unwritable)?;
        sqlx::query(
            "insert into notice_versions (id, notice, locale, version, file, sha256, content, plan_fingerprint, \
             facts_fingerprint, facts, authors, submitted_by, submitted_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(&version.id)
        .bind(&version.notice)
        .bind(&version.locale)
        .bind(i64::from(version.version))
        .bind(&version.file)
        .bind(&version.sha256)
        .bind(&version.text)
        .bind(&version.plan_fingerprint)
        .bind(&version.facts_fingerprint)
        .bind(facts)
        .bind(authors)
        .bind(&version.submitted_by)
        .bind(version.submitted_at)
        .execute(self.connection())
        .await
        .map_err(db("keeping a notice"))?;
        for image in images {
            sqlx::query(
                "insert into notice_images (version_id, path, media_type, sha256, content) \
                 values ($1, $2, $3, $4, $5)",
            )
            .bind(&version.id)
            .bind(&image.path)
            .bind(&image.media_type)
            .bind(&image.sha256)
            .bind(&image.bytes)
            .execute(self.connection())
            .await
            .map_err(db("keeping a picture of a notice"))?;
        }
        Ok(())
    }

    /// A version as this transaction sees it.
    pub async fn notice(&mut self, id: &str) -> Result<NoticeVersion, StoreError> {
        let query = format!("select {COLUMNS} from notice_versions where id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(id)
            .fetch_optional(self.connection())
            .await
            .map_err(db("reading a notice"))?;
        row.as_ref().map(version).transpose()?.ok_or_else(|| unknown(id))
    }

    /// Publishes a version that waits. Whether it did wait: of two people who approve at a time, one is too late.
    pub async fn publish_notice(
        &mut self,
        id: &str,
        fingerprint: &str,
        json_ld: &str,
        by: &str,
        at: i64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "update notice_versions set approved_fingerprint = $2, json_ld = $3, approved_by = $4, published_at = $5 \
             where id = $1 and published_at is null and withdrawn_at is null",
        )
        .bind(id)
        .bind(fingerprint)
        .bind(json_ld)
        .bind(by)
        .bind(at)
        .execute(self.connection())
        .await
        .map_err(db("publishing a notice"))?;
        Ok(done.rows_affected() > 0)
    }

    /// Withdraws a version, or takes it back before it is published. Whether there was something to withdraw.
    pub async fn withdraw_notice(&mut self, id: &str, by: &str, at: i64) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "update notice_versions set withdrawn_by = $2, withdrawn_at = $3 where id = $1 and withdrawn_at is null",
        )
        .bind(id)
        .bind(by)
        .bind(at)
        .execute(self.connection())
        .await
        .map_err(db("withdrawing a notice"))?;
        Ok(done.rows_affected() > 0)
    }

    /// Keeps what a person answered. Whether it is new: the same answer twice is one.
    pub async fn insert_notice_answer(
        &mut self,
        notice: &str,
        version: u32,
        subject: &str,
        choice: &str,
        at: i64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "insert into notice_answers (notice, version, subject, choice, at) values ($1, $2, $3, $4, $5) \
             on conflict (notice, version, subject) do update set choice = $4, at = $5 \
             where notice_answers.choice <> $4",
        )
        .bind(notice)
        .bind(i64::from(version))
        .bind(subject)
        .bind(choice)
        .bind(at)
        .execute(self.connection())
        .await
        .map_err(db("keeping an answer to a notice"))?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes a token of a host app out of use; `hash` is over the token. Whether it was unused. Tokens that have ended by
    /// `now` are forgotten.
    pub async fn use_subject_token(
        &mut self,
        hash: &str,
        ends_at: i64,
        now: i64,
    ) -> Result<bool, StoreError> {
        sqlx::query("delete from subject_tokens where ends_at <= $1")
            .bind(now)
            .execute(self.connection())
            .await
            .map_err(db("forgetting used tokens"))?;
        let done =
            sqlx::query("insert into subject_tokens (hash, ends_at) values ($1, $2) on conflict do nothing")
                .bind(hash)
                .bind(ends_at)
                .execute(self.connection())
                .await
                .map_err(db("taking a token out of use"))?;
        Ok(done.rows_affected() > 0)
    }
}

impl State {
    /// Every version, the newest first.
    pub async fn notices(&self) -> Result<Vec<NoticeVersion>, StoreError> {
        self.select_notices("1 = 1", "").await
    }

    /// The versions of a notice in all languages, the newest first.
    pub async fn notice_versions(&self, notice: &str) -> Result<Vec<NoticeVersion>, StoreError> {
        self.select_notices("notice = $1", notice).await
    }

    /// The versions that came from this file, the newest first.
    pub async fn notices_of_file(&self, file: &str) -> Result<Vec<NoticeVersion>, StoreError> {
        self.select_notices("file = $1", file).await
    }

    /// One version.
    pub async fn notice(&self, id: &str) -> Result<NoticeVersion, StoreError> {
        self.select_notices("id = $1", id).await?.into_iter().next().ok_or_else(|| unknown(id))
    }

    /// What customers read now: of each notice and language the highest version, the newest notice first.
    pub async fn notices_shown(&self) -> Result<Vec<NoticeVersion>, StoreError> {
        self.select_notices(
            "published_at is not null and withdrawn_at is null and not exists (select 1 from notice_versions newer \
             where newer.notice = notice_versions.notice and newer.locale = notice_versions.locale \
             and newer.published_at is not null and newer.withdrawn_at is null \
             and newer.version > notice_versions.version)",
            "",
        )
        .await
    }

    async fn select_notices(&self, filter: &str, value: &str) -> Result<Vec<NoticeVersion>, StoreError> {
        let query =
            format!("select {COLUMNS} from notice_versions where $1 = $1 and {filter} order by id desc");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(value)
            .fetch_all(&self.pool)
            .await
            .map_err(db("reading notices"))?;
        rows.iter().map(version).collect()
    }

    /// A picture of a version.
    pub async fn notice_image(&self, id: &str, path: &str) -> Result<Option<NoticeImage>, StoreError> {
        let failed = db("reading a picture of a notice");
        let row = sqlx::query(
            "select path, media_type, sha256, content from notice_images where version_id = $1 and path = $2",
        )
        .bind(id)
        .bind(path)
        .fetch_optional(&self.pool)
        .await
        .map_err(&failed)?;
        let read = |row: SqliteRow| {
            Ok(NoticeImage {
                path: row.try_get(0)?,
                media_type: row.try_get(1)?,
                sha256: row.try_get(2)?,
                bytes: row.try_get(3)?,
            })
        };
        row.map(read).transpose().map_err(failed)
    }

    /// What a person answered to a version.
    pub async fn notice_answer(
        &self,
        notice: &str,
        version: u32,
        subject: &str,
    ) -> Result<Option<String>, StoreError> {
        let failed = db("reading an answer to a notice");
        let row = sqlx::query(
            "select choice from notice_answers where notice = $1 and version = $2 and subject = $3",
        )
        .bind(notice)
        .bind(i64::from(version))
        .bind(subject)
        .fetch_optional(&self.pool)
        .await
        .map_err(&failed)?;
        row.map(|row| row.try_get(0)).transpose().map_err(failed)
    }

    /// How many people answered what, by notice and version.
    pub async fn notice_answers(&self) -> Result<Vec<NoticeAnswers>, StoreError> {
        let failed = db("counting answers to notices");
        let rows = sqlx::query(
            "select notice, version, choice, count(*) from notice_answers group by notice, version, choice \
             order by notice, version, choice",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        let read = |row: &SqliteRow| {
            Ok(NoticeAnswers {
                notice: row.try_get(0)?,
                version: number(row.try_get(1)?),
                choice: row.try_get(2)?,
                people: row.try_get::<i64, _>(3)?.unsigned_abs(),
            })
        };
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }
}

impl Keyring {
    /// The name (hex) under which the state knows a person of the host app: a keyed hash of the id that the app uses.
    /// Nothing about the person can be read from it.
    pub fn subject_name(&self, subject: &str) -> Result<String, StoreError> {
        self.named(Purpose::Subject, &[b"subject", subject.as_bytes()])
    }
}

fn unknown(id: &str) -> StoreError {
    StoreError::Unknown { what: "notice", id: id.to_owned() }
}

fn number(value: i64) -> u32 {
    u32::try_from(value).unwrap_or_default()
}

fn version(row: &SqliteRow) -> Result<NoticeVersion, StoreError> {
    let failed = db("reading a notice");
    let damaged = |_| StoreError::Damaged("a notice");
    let (facts, authors): (String, String) =
        (row.try_get("facts").map_err(&failed)?, row.try_get("authors").map_err(&failed)?);
    let read = || {
        Ok(NoticeVersion {
            id: row.try_get("id")?,
            notice: row.try_get("notice")?,
            locale: row.try_get("locale")?,
            version: number(row.try_get("version")?),
            file: row.try_get("file")?,
            sha256: row.try_get("sha256")?,
            text: row.try_get("content")?,
            plan_fingerprint: row.try_get("plan_fingerprint")?,
            facts_fingerprint: row.try_get("facts_fingerprint")?,
            facts: BTreeMap::new(),
            authors: Vec::new(),
            submitted_by: row.try_get("submitted_by")?,
            submitted_at: row.try_get("submitted_at")?,
            approved_fingerprint: row.try_get("approved_fingerprint")?,
            json_ld: row.try_get("json_ld")?,
            approved_by: row.try_get("approved_by")?,
            published_at: row.try_get("published_at")?,
            withdrawn_by: row.try_get("withdrawn_by")?,
            withdrawn_at: row.try_get("withdrawn_at")?,
        })
    };
    let version: NoticeVersion = read().map_err(&failed)?;
    let facts = serde_json::from_str(&facts).map_err(damaged)?;
    Ok(NoticeVersion { facts, authors: serde_json::from_str(&authors).map_err(damaged)?, ..version })
}
