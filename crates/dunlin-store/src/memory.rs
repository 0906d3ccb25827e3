//! The small things that the state remembers: settings, known checkpoints, approvals, texts that people typed,
//! subjects' salts and tombstones.
//!
//! Not here: what they mean; each is written and read by the crate that needs it.

use std::collections::BTreeMap;

use dunlin_ledger::Checkpoint;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sqlx::Row;

use crate::error::db;
use crate::{State, StoreError, Tx, now_us};

/// How long an approval holds unless it says otherwise: seven days, in microseconds.
pub const APPROVAL_LASTS_US: i64 = 7 * 24 * 3_600 * 1_000_000;

/// Somebody's word that a plan may write to these stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The plan's fingerprint, hex.
    pub fingerprint: String,
    /// Each store's name and identity.
    pub stores: BTreeMap<String, String>,
    /// A person's id or a local user.
    pub by: String,
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
}

impl Tx {
    /// Remembers a setting, replacing what it was.
    pub async fn set_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query(
            "insert into settings (name, value) values ($1, $2) on conflict (name) do update set value = $2",
        )
        .bind(name)
        .bind(value)
        .execute(self.connection())
        .await
        .map_err(db("writing a setting"))?;
        Ok(())
    }

    /// A setting as this transaction sees it.
    pub async fn setting(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let failed = db("reading a setting");
        let row = sqlx::query("select value from settings where name = $1")
            .bind(name)
            .fetch_optional(self.connection())
            .await
            .map_err(&failed)?;
        row.map(|r| r.try_get(0)).transpose().map_err(failed)
    }

    /// Remembers a checkpoint, and forgets the queued entries that it covers. The newest hundred are kept: a
    /// server signs one each second, and the newest alone already stands for all entries before it.
    pub(crate) async fn put_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let failed = db("keeping a checkpoint");
        sqlx::query(
            "insert into checkpoints (size, root, note, at) values ($1, $2, $3, $4) on conflict do nothing",
        )
        .bind(checkpoint.size as i64)
        .bind(checkpoint.root_hex())
        .bind(&checkpoint.note)
        .bind(now_us())
        .execute(self.connection())
        .await
        .map_err(&failed)?;
        sqlx::query(
            "delete from checkpoints where size < \
             (select min(size) from (select size from checkpoints order by size desc limit 100) as newest)",
        )
        .execute(self.connection())
        .await
        .map_err(&failed)?;
        sqlx::query("delete from ledger_queue where idx < $1")
            .bind(checkpoint.size as i64)
            .execute(self.connection())
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Remembers an approval for [`APPROVAL_LASTS_US`]; the same person's second word on the same plan changes nothing
    /// while the first one holds.
    pub async fn insert_approval(&mut self, approval: &Approval) -> Result<(), StoreError> {
        let until = approval.at.saturating_add(APPROVAL_LASTS_US);
        self.insert_approval_until(approval, None, until, approval.at).await.map(|_| ())
    }

    /// The same with the role in which it was given and its end. Whether it is new: an approval of the same person
    /// that still holds at `now` stays as it is. All times in microseconds since 1970 UTC.
    pub async fn insert_approval_until(
        &mut self,
        approval: &Approval,
        role: Option<&str>,
        until: i64,
        now: i64,
    ) -> Result<bool, StoreError> {
        let stores = serde_json::to_string(&approval.stores)
            .map_err(|_| StoreError::Damaged("an approval's stores"))?;
        let done = sqlx::query(
            "insert into approvals (fingerprint, stores, approved_by, at, role, expires_at) \
             values ($1, $2, $3, $4, $5, $6) on conflict (fingerprint, stores, approved_by) do update \
             set at = $4, role = $5, expires_at = $6, voided_at = null, voided_reason = null \
             where approvals.voided_at is not null or approvals.expires_at <= $7",
        )
        .bind(&approval.fingerprint)
        .bind(stores)
        .bind(&approval.by)
        .bind(approval.at)
        .bind(role)
        .bind(until)
        .bind(now)
        .execute(self.connection())
        .await
        .map_err(db("keeping an approval"))?;
        Ok(done.rows_affected() > 0)
    }

    /// Keeps a text that a person typed and returns its salted hash (hex) for the ledger.
    pub async fn keep_text(&mut self, text: &str) -> Result<String, StoreError> {
        let salt = random::<16>()?;
        let hash =
            blake3::Hasher::new().update(&salt).update(text.as_bytes()).finalize().to_hex().to_string();
        sqlx::query("insert into texts (hash, salt, content, at) values ($1, $2, $3, $4)")
            .bind(&hash)
            .bind(salt.as_slice())
            .bind(text)
            .bind(now_us())
            .execute(self.connection())
            .await
            .map_err(db("keeping a text"))?;
        Ok(hash)
    }

    /// The 16-byte salt of a subject, made on first need. `subject` is an opaque id, not a value.
    pub async fn subject_salt(&mut self, subject: &str) -> Result<[u8; 16], StoreError> {
        let failed = db("reading a subject's salt");
        sqlx::query("insert into subject_salts (subject, salt) values ($1, $2) on conflict do nothing")
            .bind(subject)
            .bind(random::<16>()?.as_slice())
            .execute(self.connection())
            .await
            .map_err(&failed)?;
        let row = sqlx::query("select salt from subject_salts where subject = $1")
            .bind(subject)
            .fetch_one(self.connection())
            .await
            .map_err(&failed)?;
        let salt: Vec<u8> = row.try_get(0).map_err(failed)?;
        salt.try_into().map_err(|_| StoreError::Damaged("a subject's salt"))
    }

    /// Shreds a subject: row names made with its salt can no longer be tied to it. Whether there was one.
    pub async fn shred_subject(&mut self, subject: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("delete from subject_salts where subject = $1")
            .bind(subject)
            .execute(self.connection())
            .await
            .map_err(db("shredding a subject"))?;
        Ok(done.rows_affected() > 0)
    }

    /// Remembers that a row was erased; `mac` is an HMAC (hex) of its key.
    pub async fn insert_tombstone(&mut self, table: &str, mac: &str) -> Result<(), StoreError> {
        sqlx::query("insert into tombstones (mac, label, at) values ($1, $2, $3) on conflict do nothing")
            .bind(mac)
            .bind(table)
            .bind(now_us())
            .execute(self.connection())
            .await
            .map_err(db("keeping a tombstone"))?;
        Ok(())
    }
}

impl State {
    /// A setting.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let failed = db("reading a setting");
        let row = sqlx::query("select value from settings where name = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await
            .map_err(&failed)?;
        row.map(|r| r.try_get(0)).transpose().map_err(failed)
    }

    /// Signed notes of the newest checkpoints that were made here, at most a hundred, the oldest first.
    pub async fn checkpoints(&self) -> Result<Vec<String>, StoreError> {
        let failed = db("reading checkpoints");
        let rows = sqlx::query("select note from checkpoints order by size")
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        rows.iter().map(|r| r.try_get(0)).collect::<Result<_, _>>().map_err(failed)
    }

    /// Approvals of a fingerprint that hold now, the oldest first.
    pub async fn approvals(&self, fingerprint: &str) -> Result<Vec<Approval>, StoreError> {
        let query = "select fingerprint, stores, approved_by, at from approvals where fingerprint = $1 \
             and voided_at is null and expires_at > $2 order by at";
        self.read_approvals(query, fingerprint).await
    }

    /// Approvals of a fingerprint that were ever given, whether they still hold or not: what a report shows.
    pub async fn approvals_ever(&self, fingerprint: &str) -> Result<Vec<Approval>, StoreError> {
        let query = "select fingerprint, stores, approved_by, at from approvals where fingerprint = $1 \
             and at <= $2 order by at";
        self.read_approvals(query, fingerprint).await
    }

    async fn read_approvals(
        &self,
        query: &'static str,
        fingerprint: &str,
    ) -> Result<Vec<Approval>, StoreError> {
        let failed = db("reading approvals");
        let rows = sqlx::query(query)
            .bind(fingerprint)
            .bind(now_us())
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let stores: String = row.try_get(1).map_err(&failed)?;
            Ok(Approval {
                fingerprint: row.try_get(0).map_err(&failed)?,
                stores: serde_json::from_str(&stores).map_err(|_| StoreError::Damaged("an approval"))?,
                by: row.try_get(2).map_err(&failed)?,
                at: row.try_get(3).map_err(&failed)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// A text that a person typed, by its hash.
    pub async fn text(&self, hash: &str) -> Result<Option<String>, StoreError> {
        let failed = db("reading a text");
        let row = sqlx::query("select content from texts where hash = $1")
            .bind(hash)
            .fetch_optional(&self.pool)
            .await
            .map_err(&failed)?;
        row.map(|r| r.try_get(0)).transpose().map_err(failed)
    }

    /// The MACs (hex) of the rows of a table that were erased.
    pub async fn tombstones(&self, table: &str) -> Result<Vec<String>, StoreError> {
        let failed = db("reading tombstones");
        let rows = sqlx::query("select mac from tombstones where label = $1 order by mac")
            .bind(table)
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        rows.iter().map(|r| r.try_get(0)).collect::<Result<_, _>>().map_err(failed)
    }
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    let failed = |_| StoreError::Damaged("no randomness: the operating system gave none");
    OsRng.try_fill_bytes(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
