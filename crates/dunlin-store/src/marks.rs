//! The marks by which the rows of customers who asked for something are known, and what an erasure changes in what runs
//! have kept.
//!
//! Not here: how a mark's hash is made, and what it does (`dunlin-move`).

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::db;
use crate::subjects::Effect;
use crate::{State, StoreError, Tx};

/// A mark: rows with this hash have this effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Keyed hash (hex) of domain and values.
    pub mac: String,
    /// Under which key.
    pub key_id: String,
    /// What the values name, e.g. `atlas.people(person_id)`.
    pub domain: String,
    /// What becomes of the rows.
    pub effect: Effect,
    /// For an objection or consent: the purpose; empty for all.
    pub purpose: String,
    /// The request it follows from.
    pub request: String,
    /// When it was made.
    pub at: i64,
}

impl Tx {
    /// Remembers marks; those that are known stay as they are. How many are new.
    pub async fn insert_marks(&mut self, marks: &[Mark]) -> Result<u64, StoreError> {
        let mut new = 0;
        for mark in marks {
            let done = sqlx::query(
                "insert into subject_marks (mac, key_id, domain, effect, purpose, request, at) \
                 values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
            )
            .bind(&mark.mac)
            .bind(&mark.key_id)
            .bind(&mark.domain)
            .bind(mark.effect.as_str())
            .bind(&mark.purpose)
            .bind(&mark.request)
            .bind(mark.at)
            .execute(self.connection())
            .await
            .map_err(db("keeping a mark"))?;
            new += done.rows_affected();
        }
        Ok(new)
    }

    /// Takes the marks of one effect of a subject's requests away, e.g. when consent is given again.
    pub async fn remove_marks(
        &mut self,
        subject: &str,
        effect: Effect,
        purpose: &str,
    ) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "delete from subject_marks where effect = $1 and ($2 = '' or purpose = $2) \
             and request in (select id from requests where subject = $3)",
        )
        .bind(effect.as_str())
        .bind(purpose)
        .bind(subject)
        .execute(self.connection())
        .await
        .map_err(db("removing marks"))?;
        Ok(done.rows_affected())
    }

    /// Forgets the index rows of quarantined rows that are erased. Gives the numbers of those that waited.
    pub async fn erase_quarantine_rows(
        &mut self,
        run: &str,
        table: &str,
        fragment: &str,
        rows: &[u32],
    ) -> Result<Vec<u32>, StoreError> {
        let failed = db("erasing quarantined rows");
        let mut waited = Vec::new();
        for row in rows {
            let found = sqlx::query(
                "delete from quarantine where run = $1 and label = $2 and fragment = $3 and row_number = $4 \
                 returning status",
            )
            .bind(run)
            .bind(table)
            .bind(fragment)
            .bind(i64::from(*row))
            .fetch_optional(self.connection())
            .await
            .map_err(&failed)?;
            if let Some(found) = found
                && found.try_get::<String, _>(0).map_err(&failed)? == "waiting"
            {
                waited.push(*row);
            }
        }
        Ok(waited)
    }

    /// Writes a split's receipt anew: its files have other names now. Its status stays.
    pub async fn rewrite_split(
        &mut self,
        run: &str,
        table: &str,
        split: u32,
        receipt: &serde_json::Value,
    ) -> Result<(), StoreError> {
        sqlx::query("update splits set receipt = $4 where run = $1 and label = $2 and split = $3")
            .bind(run)
            .bind(table)
            .bind(i64::from(split))
            .bind(receipt.to_string())
            .execute(self.connection())
            .await
            .map_err(db("writing a receipt anew"))?;
        Ok(())
    }

    /// The same for an amendment.
    pub async fn rewrite_amendment(
        &mut self,
        run: &str,
        table: &str,
        amendment: u32,
        receipt: &serde_json::Value,
    ) -> Result<(), StoreError> {
        sqlx::query("update amendments set receipt = $4 where run = $1 and label = $2 and amendment = $3")
            .bind(run)
            .bind(table)
            .bind(i64::from(amendment))
            .bind(receipt.to_string())
            .execute(self.connection())
            .await
            .map_err(db("writing a receipt anew"))?;
        Ok(())
    }
}

impl State {
    /// How many marks there are, and when the newest was made: whoever keeps marks in memory asks this first.
    pub async fn marks_version(&self) -> Result<(i64, i64), StoreError> {
        let failed = db("reading marks");
        let row = sqlx::query("select count(*), coalesce(max(at), 0) from subject_marks")
            .fetch_one(&self.pool)
            .await
            .map_err(&failed)?;
        Ok((row.try_get(0).map_err(&failed)?, row.try_get(1).map_err(&failed)?))
    }

    /// Every mark.
    pub async fn marks(&self) -> Result<Vec<Mark>, StoreError> {
        let failed = db("reading marks");
        let rows = sqlx::query(
            "select mac, key_id, domain, effect, purpose, request, at from subject_marks order by at, mac",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        let read = |row: &SqliteRow| {
            Ok(Mark {
                mac: row.try_get(0).map_err(&failed)?,
                key_id: row.try_get(1).map_err(&failed)?,
                domain: row.try_get(2).map_err(&failed)?,
                effect: Effect::read(&row.try_get::<String, _>(3).map_err(&failed)?)?,
                purpose: row.try_get(4).map_err(&failed)?,
                request: row.try_get(5).map_err(&failed)?,
                at: row.try_get(6).map_err(&failed)?,
            })
        };
        rows.iter().map(read).collect()
    }
}
