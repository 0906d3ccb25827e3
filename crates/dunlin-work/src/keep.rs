//! Reads and writes work in the state. Not here: what a change means (`work`, `social`).

use std::collections::HashMap;

use dunlin_store::{State, StoreError, Tx};
use serde_json::Value;
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::error::{Result, db};
use crate::model::Task;
use crate::things::Thing;

/// One field that a change wrote. An empty field stands for the whole task: made (before null) or deleted (after null).
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct Item {
    pub(crate) task: String,
    pub(crate) field: String,
    pub(crate) before: Value,
    pub(crate) after: Value,
    pub(crate) version: u64,
}

/// A change's head.
pub(crate) struct Head<'a> {
    pub(crate) id: &'a str,
    pub(crate) at: i64,
    pub(crate) by: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) undoes: Option<&'a str>,
    pub(crate) salt: &'a [u8],
}

/// All tasks, with the counts of what hangs on them.
pub(crate) async fn tasks(state: &State) -> Result<Vec<Task>> {
    let failed = db("reading tasks");
    let rows = sqlx::query("select body from work_tasks order by number").fetch_all(state.pool()).await;
    let mut tasks = Vec::new();
    for row in rows.map_err(&failed)? {
        let body: String = row.try_get(0).map_err(&failed)?;
        let task: Task = serde_json::from_str(&body).map_err(|_| StoreError::Damaged("a task"))?;
        tasks.push(task);
    }
    let comments =
        counts(state, "select task, count(*) from work_comments where deleted_at is null group by task")
            .await?;
    let attachments = counts(state, "select task, count(*) from work_attachments group by task").await?;
    for task in &mut tasks {
        task.comments = comments.get(&task.id).copied().unwrap_or(0);
        task.attachments = attachments.get(&task.id).copied().unwrap_or(0);
    }
    Ok(tasks)
}

async fn counts(state: &State, sql: &'static str) -> Result<HashMap<String, u32>> {
    let failed = db("counting what hangs on tasks");
    let rows = sqlx::query(sql).fetch_all(state.pool()).await.map_err(&failed)?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        Ok((row.try_get(0)?, u32::try_from(row.try_get::<i64, _>(1)?).unwrap_or(0)))
    };
    rows.iter().map(read).collect::<std::result::Result<_, sqlx::Error>>().map_err(failed)
}

/// Writes tasks, new or known.
pub(crate) async fn put_tasks<'a>(tx: &mut Tx, tasks: impl Iterator<Item = &'a Task>) -> Result<()> {
    let mut rows = Vec::new();
    for task in tasks {
        let body = serde_json::to_string(task).map_err(|_| StoreError::Damaged("a task"))?;
        rows.push((&task.id, task.number as i64, task.draft_key().map(str::to_owned), body));
    }
    for chunk in rows.chunks(500) {
        let mut query: QueryBuilder<Sqlite> =
            QueryBuilder::new("insert into work_tasks (id, number, draft_key, body) ");
        query.push_values(chunk, |mut row, (id, number, key, body)| {
            row.push_bind(id.as_str()).push_bind(*number).push_bind(key.as_deref()).push_bind(body.as_str());
        });
        query.push(" on conflict (id) do update set number = excluded.number, draft_key = excluded.draft_key, body = excluded.body");
        query.build().execute(tx.connection()).await.map_err(db("writing tasks"))?;
    }
    Ok(())
}

/// Deletes a task.
pub(crate) async fn drop_task(tx: &mut Tx, id: &str) -> Result<()> {
    let done = sqlx::query("delete from work_tasks where id = $1").bind(id).execute(tx.connection()).await;
    done.map(|_| ()).map_err(db("deleting a task"))
}

/// Writes a change.
pub(crate) async fn put_change(tx: &mut Tx, head: &Head<'_>, items: &[Item]) -> Result<()> {
    let failed = db("writing a change");
    sqlx::query(
        "insert into work_changes (id, at, by_person, kind, undoes, salt) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(head.id)
    .bind(head.at)
    .bind(head.by)
    .bind(head.kind)
    .bind(head.undoes)
    .bind(head.salt)
    .execute(tx.connection())
    .await
    .map_err(&failed)?;
    for (chunk_number, chunk) in items.chunks(500).enumerate() {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "insert into work_change_items (change_id, position, task, field, before_value, after_value, version) ",
        );
        let mut position = (chunk_number * 500) as i64;
        query.push_values(chunk, |mut row, item| {
            row.push_bind(head.id)
                .push_bind(position)
                .push_bind(&item.task)
                .push_bind(&item.field)
                .push_bind(item.before.to_string())
                .push_bind(item.after.to_string())
                .push_bind(item.version as i64);
            position += 1;
        });
        query.build().execute(tx.connection()).await.map_err(&failed)?;
    }
    Ok(())
}

/// The items of a change, in order; and who made it.
pub(crate) async fn change(state: &State, id: &str) -> Result<Option<(String, Vec<Item>)>> {
    let failed = db("reading a change");
    let head = sqlx::query("select by_person from work_changes where id = $1")
        .bind(id)
        .fetch_optional(state.pool())
        .await;
    let Some(head) = head.map_err(&failed)? else { return Ok(None) };
    let rows = sqlx::query(
        "select task, field, before_value, after_value, version from work_change_items where change_id = $1 order by position",
    )
    .bind(id)
    .fetch_all(state.pool())
    .await
    .map_err(&failed)?;
    let mut items = Vec::new();
    for row in &rows {
        items.push(Item {
            task: row.try_get(0).map_err(&failed)?,
            field: row.try_get(1).map_err(&failed)?,
            before: json(row.try_get(2).map_err(&failed)?)?,
            after: json(row.try_get(3).map_err(&failed)?)?,
            version: row.try_get::<i64, _>(4).map_err(&failed)? as u64,
        });
    }
    Ok(Some((head.try_get(0).map_err(&failed)?, items)))
}

fn json(text: String) -> Result<Value> {
    Ok(serde_json::from_str(&text).map_err(|_| StoreError::Damaged("a change"))?)
}

/// The fields of a task that were written after this version.
pub(crate) async fn written_since(state: &State, task: &str, version: u64) -> Result<Vec<String>> {
    let failed = db("reading a task's history");
    let rows = sqlx::query("select distinct field from work_change_items where task = $1 and version > $2")
        .bind(task)
        .bind(version as i64)
        .fetch_all(state.pool())
        .await
        .map_err(&failed)?;
    rows.iter().map(|row| row.try_get(0)).collect::<std::result::Result<_, sqlx::Error>>().map_err(failed)
}

/// A line of a task's history.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct HistoryLine {
    /// The change, to be undone by its id.
    pub change: String,
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
    /// A person's id, or `dunlin`.
    pub by: String,
    /// The field; empty for the whole task.
    pub field: String,
    /// What it was.
    #[schema(value_type = Value)]
    pub from: Value,
    /// What it became.
    #[schema(value_type = Value)]
    pub to: Value,
}

/// The history of a task, the newest first.
pub(crate) async fn history(state: &State, task: &str) -> Result<Vec<HistoryLine>> {
    let failed = db("reading a task's history");
    let rows = sqlx::query(
        "select c.id, c.at, c.by_person, i.field, i.before_value, i.after_value from work_change_items i \
         join work_changes c on c.id = i.change_id where i.task = $1 order by i.version desc, i.position desc limit 500",
    )
    .bind(task)
    .fetch_all(state.pool())
    .await
    .map_err(&failed)?;
    let mut lines = Vec::new();
    for row in &rows {
        lines.push(HistoryLine {
            change: row.try_get(0).map_err(&failed)?,
            at: row.try_get(1).map_err(&failed)?,
            by: row.try_get(2).map_err(&failed)?,
            field: row.try_get(3).map_err(&failed)?,
            from: json(row.try_get(4).map_err(&failed)?)?,
            to: json(row.try_get(5).map_err(&failed)?)?,
        });
    }
    Ok(lines)
}

/// Everything of a kind, by id.
pub(crate) async fn things<T: Thing>(state: &State) -> Result<Vec<T>> {
    let failed = db("reading what stands beside tasks");
    let rows = sqlx::query("select body from work_things where kind = $1 order by id")
        .bind(T::KIND)
        .fetch_all(state.pool());
    let mut things = Vec::new();
    for row in rows.await.map_err(&failed)? {
        let body: String = row.try_get(0).map_err(&failed)?;
        things
            .push(serde_json::from_str(&body).map_err(|_| StoreError::Damaged("what stands beside tasks"))?);
    }
    Ok(things)
}

/// Writes one.
pub(crate) async fn put_thing<T: Thing>(tx: &mut Tx, thing: &T) -> Result<()> {
    let body = serde_json::to_string(thing).map_err(|_| StoreError::Damaged("what stands beside tasks"))?;
    let sql = "insert into work_things (kind, id, body) values ($1, $2, $3) on conflict (kind, id) do update set body = excluded.body";
    let done = sqlx::query(sql).bind(T::KIND).bind(thing.id()).bind(body).execute(tx.connection()).await;
    done.map(|_| ()).map_err(db("writing what stands beside tasks"))
}

/// Deletes one; whether it was there.
pub(crate) async fn drop_thing(tx: &mut Tx, kind: &str, id: &str) -> Result<bool> {
    let sql = "delete from work_things where kind = $1 and id = $2";
    let done = sqlx::query(sql).bind(kind).bind(id).execute(tx.connection()).await;
    Ok(done.map_err(db("deleting what stands beside tasks"))?.rows_affected() > 0)
}
