//! What looks at a table found besides its rows: control totals and rules on all rows together, of the latest; profiles of
//! sources, of each. Not here: how they are found.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::db;
use crate::{State, StoreError, Tx, now_us};

/// So many profiles of a table are kept, besides the first.
const PROFILES_KEPT: i64 = 30;

impl Tx {
    /// Keeps what was found of a table, in place of what was found before.
    ///
    /// # Errors
    /// Those of the state.
    pub async fn keep_checks(
        &mut self,
        run: &str,
        table: &str,
        checks: &serde_json::Value,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into data_checks (run, table_label, checks, at) values ($1, $2, $3, $4) \
             on conflict (run, table_label) do update set checks = excluded.checks, at = excluded.at",
        )
        .bind(run)
        .bind(table)
        .bind(checks.to_string())
        .bind(now_us())
        .execute(self.connection())
        .await
        .map_err(db("keeping checks"))?;
        Ok(())
    }

    /// Keeps a profile of a source, without any value of it; the oldest go when there are too many.
    ///
    /// # Errors
    /// Those of the state.
    pub async fn keep_profile(&mut self, table: &str, profile: &serde_json::Value) -> Result<(), StoreError> {
        sqlx::query(
            "insert into kept_profiles (table_label, at, profile) values ($1, $2, $3) \
             on conflict (table_label, at) do update set profile = excluded.profile",
        )
        .bind(table)
        .bind(now_us())
        .bind(profile.to_string())
        .execute(self.connection())
        .await
        .map_err(db("keeping a profile"))?;
        // The first stays: a plan that was never run is held against it.
        sqlx::query(
            "delete from kept_profiles where table_label = $1 \
             and at > (select min(at) from kept_profiles where table_label = $1) \
             and at not in (select at from kept_profiles where table_label = $1 order by at desc limit $2)",
        )
        .bind(table)
        .bind(PROFILES_KEPT)
        .execute(self.connection())
        .await
        .map_err(db("keeping a profile"))?;
        Ok(())
    }
}

impl State {
    /// The profiles that were kept of a source, the oldest first: when, in microseconds since 1970 UTC, and what.
    ///
    /// # Errors
    /// Those of the state.
    pub async fn kept_profiles(&self, table: &str) -> Result<Vec<(i64, serde_json::Value)>, StoreError> {
        let rows = sqlx::query("select at, profile from kept_profiles where table_label = $1 order by at")
            .bind(table)
            .fetch_all(self.pool())
            .await
            .map_err(db("reading profiles"))?;
        rows.iter().map(kept).collect::<Result<_, _>>().map_err(db("reading profiles"))
    }

    /// What was found of a run's tables, by table.
    ///
    /// # Errors
    /// Those of the state.
    pub async fn data_checks(&self, run: &str) -> Result<Vec<(String, serde_json::Value)>, StoreError> {
        let rows = sqlx::query("select table_label, checks from data_checks where run = $1 order by 1")
            .bind(run)
            .fetch_all(self.pool())
            .await
            .map_err(db("reading checks"))?;
        rows.iter().map(kept).collect::<Result<_, _>>().map_err(db("reading checks"))
    }
}

/// A row that begins with what it is kept under, and the text of what was kept. One that another dunlin wrote in other words
/// is none.
fn kept<'r, K>(row: &'r SqliteRow) -> Result<(K, serde_json::Value), sqlx::Error>
where
    K: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    let text: &str = row.try_get(1)?;
    Ok((row.try_get(0)?, serde_json::from_str(text).unwrap_or_default()))
}
