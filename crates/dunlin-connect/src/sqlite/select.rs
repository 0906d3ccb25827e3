//! A query's rows as text, over a connection that can only read. Not the hot path of a move: that is `scan`.

use futures::{StreamExt, stream};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row};
use tokio::sync::mpsc;

use super::connection::File;
use super::failure::sqlx_failed;
use crate::TextRows;

/// What is being done, as errors name it.
const ACT: &str = "read the rows of a query";
/// Rows of a batch.
const BATCH: usize = 2_000;

/// Begins the query.
pub(super) fn rows(file: File, mut connection: SqliteConnection, sql: String, columns: usize) -> TextRows {
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        // Bytes that are no text become signs that no address has: they are counted where addresses are judged.
        let read = |row: SqliteRow| {
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            (0..columns)
                .map(|at| Ok(row.try_get_unchecked::<Option<Vec<u8>>, _>(at)?.map(text)))
                .collect::<sqlx::Result<Vec<_>>>()
        };
        let mut chunks = sqlx::query(AssertSqlSafe(sql)).fetch(&mut connection).chunks(BATCH);
        while let Some(chunk) = chunks.next().await {
            let batch: sqlx::Result<Vec<_>> = chunk.into_iter().map(|row| row.and_then(read)).collect();
            let batch = batch.map_err(sqlx_failed(&file.store, ACT));
            let is_over = batch.is_err();
            if sender.send(batch).await.is_err() || is_over {
                return;
            }
        }
    });
    stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) }).boxed()
}
