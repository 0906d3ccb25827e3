//! The state's schema: a list of steps, each applied once and in order.
//!
//! Not here: queries. The steps are plain SQL files in `migrations/`.

use sqlx::{Row, Sqlite, Transaction};

use crate::StoreError;
use crate::error::db;

/// Version 1 is the first step. A step that was released is never changed.
const STEPS: &[&str] = &[
    include_str!("../migrations/0001_state.sql"),
    include_str!("../migrations/0002_people.sql"),
    include_str!("../migrations/0003_access.sql"),
    include_str!("../migrations/0004_alerts.sql"),
    include_str!("../migrations/0005_work.sql"),
    include_str!("../migrations/0006_notices.sql"),
    include_str!("../migrations/0007_subjects.sql"),
    include_str!("../migrations/0008_sending.sql"),
    include_str!("../migrations/0009_customers.sql"),
    include_str!("../migrations/0101_unreached.sql"),
    include_str!("../migrations/0103_packs.sql"),
    include_str!("../migrations/0104_duplicates.sql"),
    include_str!("../migrations/0105_evidence.sql"),
    include_str!("../migrations/0106_data.sql"),
];

/// Brings the state to the newest version, or refuses one that is newer than this program.
pub(crate) async fn migrate(tx: &mut Transaction<'static, Sqlite>) -> Result<(), StoreError> {
    let failed = db("updating the schema");
    sqlx::raw_sql("create table if not exists schema_version (version bigint primary key)")
        .execute(&mut **tx)
        .await
        .map_err(&failed)?;
    let row = sqlx::query("select coalesce(max(version), 0) from schema_version")
        .fetch_one(&mut **tx)
        .await
        .map_err(&failed)?;
    let found: i64 = row.try_get(0).map_err(&failed)?;
    let known = STEPS.len() as i64;
    if found > known {
        return Err(StoreError::NewerState { found, known });
    }
    for (version, step) in (1i64..).zip(STEPS).skip(usize::try_from(found).unwrap_or(0)) {
        sqlx::raw_sql(*step).execute(&mut **tx).await.map_err(&failed)?;
        sqlx::query("insert into schema_version (version) values ($1)")
            .bind(version)
            .execute(&mut **tx)
            .await
            .map_err(&failed)?;
    }
    Ok(())
}
