//! What customers are told, as the state remembers it: versions of notices, who wrote them, their pictures, and what
//! people answered.
//!
//! Not here: what a notice says and whether it may be published (`dunlin-tell`, `dunlin-server`).

mod record;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::db;
use crate::memory::random;
use crate::{Keyring, Purpose, State, StoreError, Tx, new_id};

pub use record::{NoticeAnswers, NoticeImage, NoticeStatus, NoticeVersion};
use record::{number, version};

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
    /// `published` is what it must be by now.
    pub async fn withdraw_notice(
        &mut self,
        id: &str,
        by: &str,
        at: i64,
        published: bool,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "update notice_versions set withdrawn_by = $2, withdrawn_at = $3 where id = $1 and withdrawn_at is null \
             and (published_at is not null) = $4",
        )
        .bind(id)
        .bind(by)
        .bind(at)
        .bind(published)
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

    /// What a person answered stays as a number, under a name that is nobody's, and the salt of their entries goes.
    pub async fn forget_answers(&mut self, subject: &str) -> Result<(), StoreError> {
        let nobody = hex::encode(random::<32>()?);
        sqlx::query("update notice_answers set subject = $1 where subject = $2")
            .bind(nobody)
            .bind(subject)
            .execute(self.connection())
            .await
            .map_err(db("forgetting whose answers these are"))?;
        self.shred_subject(subject).await?;
        Ok(())
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
