//! Control totals as they were last compared. Not here: how amounts are added up.

use sqlx::Row;

use crate::error::db;
use crate::{State, StoreError, Tx, now_us};

impl Tx {
    /// Keeps what a table's amounts came to, in place of what they came to before.
    ///
    /// # Errors
    /// Those of the state.
    pub async fn keep_totals(
        &mut self,
        run: &str,
        table: &str,
        totals: &serde_json::Value,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into control_totals (run, table_label, totals, at) values ($1, $2, $3, $4) \
             on conflict (run, table_label) do update set totals = excluded.totals, at = excluded.at",
        )
        .bind(run)
        .bind(table)
        .bind(totals.to_string())
        .bind(now_us())
        .execute(self.connection())
        .await
        .map_err(db("keeping control totals"))?;
        Ok(())
    }
}

impl State {
    /// The control totals of a run's tables, by table.
    ///
    /// # Errors
    /// Those of the state.
    pub async fn control_totals(&self, run: &str) -> Result<Vec<(String, serde_json::Value)>, StoreError> {
        let failed = db("reading control totals");
        let rows = sqlx::query("select table_label, totals from control_totals where run = $1 order by 1")
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
