//! The tables and splits of a run, their receipts, and the amendments that came after.
//!
//! Not here: what is in a descriptor, a receipt or a table's body; that is `dunlin-move`'s JSON.

use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::error::db;
use crate::{State, StoreError, Tx};

/// Where a split stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitStatus {
    /// To be moved.
    Planned,
    /// Its rows and its receipt are in the target.
    Loaded,
    /// Its rows were taken back.
    Undone,
}

/// A split of a table in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitRecord {
    /// The run.
    pub run: String,
    /// The table's label.
    pub table: String,
    /// Number within the table, from 0.
    pub split: u32,
    /// What to read: bounds.
    pub descriptor: Value,
    /// Where it stands.
    pub status: SplitStatus,
    /// What the target recorded.
    pub receipt: Option<Value>,
}

/// Rows that changed their disposition after their split was loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Amendment {
    /// The run.
    pub run: String,
    /// The table's label.
    pub table: String,
    /// Number within the table, from 0.
    pub amendment: u32,
    /// What the target recorded.
    pub receipt: Value,
}

impl SplitStatus {
    /// The word in the state.
    pub fn as_str(self) -> &'static str {
        match self {
            SplitStatus::Planned => "planned",
            SplitStatus::Loaded => "loaded",
            SplitStatus::Undone => "undone",
        }
    }

    fn parse(text: &str) -> Result<SplitStatus, StoreError> {
        let all = [SplitStatus::Planned, SplitStatus::Loaded, SplitStatus::Undone];
        all.into_iter().find(|s| s.as_str() == text).ok_or(StoreError::Damaged("a split's status"))
    }
}

impl Tx {
    /// Remembers the splits of a table.
    pub async fn insert_splits(&mut self, splits: &[SplitRecord]) -> Result<(), StoreError> {
        for chunk in splits.chunks(1000) {
            let mut query: QueryBuilder<Sqlite> =
                QueryBuilder::new("insert into splits (run, label, split, descriptor, status, receipt) ");
            query.push_values(chunk, |mut row, split| {
                row.push_bind(split.run.clone())
                    .push_bind(split.table.clone())
                    .push_bind(i64::from(split.split))
                    .push_bind(split.descriptor.to_string())
                    .push_bind(split.status.as_str())
                    .push_bind(split.receipt.as_ref().map(Value::to_string));
            });
            query.build().execute(self.connection()).await.map_err(db("inserting splits"))?;
        }
        Ok(())
    }

    /// Keeps a split's receipt and marks it loaded. The same receipt twice is fine, another one is not.
    pub async fn record_receipt(
        &mut self,
        run: &str,
        table: &str,
        split: u32,
        receipt: &Value,
    ) -> Result<(), StoreError> {
        let failed = db("recording a receipt");
        let known = sqlx::query("select receipt from splits where run = $1 and label = $2 and split = $3")
            .bind(run)
            .bind(table)
            .bind(i64::from(split))
            .fetch_optional(self.connection())
            .await
            .map_err(&failed)?;
        let Some(known) = known else {
            return Err(StoreError::Unknown { what: "split", id: format!("{table}/{split}") });
        };
        if let Some(text) = known.try_get::<Option<String>, _>(0).map_err(&failed)?
            && json(&text, "a receipt")? != *receipt
        {
            return Err(StoreError::ReceiptDiffers { table: table.to_owned(), split });
        }
        sqlx::query(
            "update splits set status = 'loaded', receipt = $1 where run = $2 and label = $3 and split = $4",
        )
        .bind(receipt.to_string())
        .bind(run)
        .bind(table)
        .bind(i64::from(split))
        .execute(self.connection())
        .await
        .map_err(failed)?;
        Ok(())
    }

    /// Moves a split on, e.g. to undone. Its receipt stays.
    pub async fn set_split_status(
        &mut self,
        run: &str,
        table: &str,
        split: u32,
        status: SplitStatus,
    ) -> Result<(), StoreError> {
        let done = sqlx::query("update splits set status = $1 where run = $2 and label = $3 and split = $4")
            .bind(status.as_str())
            .bind(run)
            .bind(table)
            .bind(i64::from(split))
            .execute(self.connection())
            .await
            .map_err(db("updating a split"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Unknown { what: "split", id: format!("{table}/{split}") });
        }
        Ok(())
    }

    /// Takes a table's splits out of a run again, to plan them anew. Those with a receipt stay.
    pub async fn remove_planned_splits(&mut self, run: &str, table: &str) -> Result<u64, StoreError> {
        let done = sqlx::query("delete from splits where run = $1 and label = $2 and receipt is null")
            .bind(run)
            .bind(table)
            .execute(self.connection())
            .await
            .map_err(db("removing splits"))?;
        Ok(done.rows_affected())
    }

    /// Keeps a table's body (spec, phase, result) in a run; tables keep the order of their first call.
    pub async fn put_table(&mut self, run: &str, table: &str, body: &Value) -> Result<(), StoreError> {
        sqlx::query(
            "insert into run_tables (run, label, position, body) \
             values ($1, $2, (select count(*) from run_tables where run = $1), $3) \
             on conflict (run, label) do update set body = excluded.body",
        )
        .bind(run)
        .bind(table)
        .bind(body.to_string())
        .execute(self.connection())
        .await
        .map_err(db("keeping a table of a run"))?;
        Ok(())
    }

    /// Remembers an amendment. The same one twice is fine; a number that is taken by another is not.
    pub async fn insert_amendment(&mut self, amendment: &Amendment) -> Result<(), StoreError> {
        let failed = db("inserting an amendment");
        let known =
            sqlx::query("select receipt from amendments where run = $1 and label = $2 and amendment = $3")
                .bind(&amendment.run)
                .bind(&amendment.table)
                .bind(i64::from(amendment.amendment))
                .fetch_optional(self.connection())
                .await
                .map_err(&failed)?;
        if let Some(known) = known {
            let text: String = known.try_get(0).map_err(&failed)?;
            let same = json(&text, "an amendment")? == amendment.receipt;
            let (table, split) = (amendment.table.clone(), amendment.amendment);
            return if same { Ok(()) } else { Err(StoreError::ReceiptDiffers { table, split }) };
        }
        sqlx::query("insert into amendments (run, label, amendment, receipt) values ($1, $2, $3, $4)")
            .bind(&amendment.run)
            .bind(&amendment.table)
            .bind(i64::from(amendment.amendment))
            .bind(amendment.receipt.to_string())
            .execute(self.connection())
            .await
            .map_err(failed)?;
        Ok(())
    }
}

impl State {
    /// The splits of a table in a run, by number.
    pub async fn splits(&self, run: &str, table: &str) -> Result<Vec<SplitRecord>, StoreError> {
        let rows = sqlx::query(
            "select run, label, split, descriptor, status, receipt from splits \
             where run = $1 and label = $2 order by split",
        )
        .bind(run)
        .bind(table)
        .fetch_all(&self.pool)
        .await
        .map_err(db("reading splits"))?;
        rows.iter().map(read_split).collect()
    }

    /// The tables of a run with their bodies, in the order in which they were first kept.
    pub async fn tables(&self, run: &str) -> Result<Vec<(String, Value)>, StoreError> {
        let failed = db("reading the tables of a run");
        let rows = sqlx::query("select label, body from run_tables where run = $1 order by position")
            .bind(run)
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        let read = |row: &SqliteRow| {
            let (label, body): (String, String) =
                (row.try_get(0).map_err(&failed)?, row.try_get(1).map_err(&failed)?);
            Ok((label, json(&body, "a table of a run")?))
        };
        rows.iter().map(read).collect()
    }

    /// The amendments of a table in a run, by number.
    pub async fn amendments(&self, run: &str, table: &str) -> Result<Vec<Amendment>, StoreError> {
        let failed = db("reading amendments");
        let rows = sqlx::query(
            "select amendment, receipt from amendments where run = $1 and label = $2 order by amendment",
        )
        .bind(run)
        .bind(table)
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        let read = |row: &SqliteRow| {
            Ok(Amendment {
                run: run.to_owned(),
                table: table.to_owned(),
                amendment: number(row.try_get(0).map_err(&failed)?)?,
                receipt: json(&row.try_get::<String, _>(1).map_err(&failed)?, "an amendment")?,
            })
        };
        rows.iter().map(read).collect()
    }
}

fn read_split(row: &SqliteRow) -> Result<SplitRecord, StoreError> {
    let failed = db("reading a split");
    let receipt: Option<String> = row.try_get(5).map_err(&failed)?;
    Ok(SplitRecord {
        run: row.try_get(0).map_err(&failed)?,
        table: row.try_get(1).map_err(&failed)?,
        split: number(row.try_get(2).map_err(&failed)?)?,
        descriptor: json(&row.try_get::<String, _>(3).map_err(&failed)?, "a split's descriptor")?,
        status: SplitStatus::parse(&row.try_get::<String, _>(4).map_err(&failed)?)?,
        receipt: receipt.map(|text| json(&text, "a receipt")).transpose()?,
    })
}

fn json(text: &str, what: &'static str) -> Result<Value, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Damaged(what))
}

fn number(value: i64) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_| StoreError::Damaged("a split's number"))
}
