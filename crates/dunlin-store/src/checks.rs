//! What the latest look at a table found besides its rows: control totals, rules on all rows together. Not here: how they
//! are found.

use sqlx::Row;

use crate::error::db;
use crate::{State, StoreError, Tx, now_us};

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
}

impl State {
    /// What was found of a run's tables, by table.
    ///
    /// # Errors
    /// Those of the state.
    pub async fn data_checks(&self, run: &str) -> Result<Vec<(String, serde_json::Value)>, StoreError> {
        let failed = db("reading checks");
        let rows = sqlx::query("select table_label, checks from data_checks where run = $1 order by 1")
            .bind(run)
            .fetch_all(self.pool())
            .await
            .map_err(&failed)?;
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            let text: String = row.try_get(1).map_err(&failed)?;
            kept.push((row.try_get(0).map_err(&failed)?, serde_json::from_str(&text).unwrap_or_default()));
        }
        Ok(kept)
    }
}
