//! A query's rows as text, in a transaction that can only read. Not the hot path of a move: that is `reader`.

use futures::{StreamExt, stream};
use tokio::sync::mpsc;

use super::connection::Loan;
use crate::{Result, TextRows};

/// What is being done, as errors name it.
const ACT: &str = "read the rows of a query";
/// Rows of a batch.
const BATCH: usize = 2_000;

/// Begins the query. It travels as a prepared statement, so it is one statement whatever its text.
pub(super) async fn rows(session: Loan, sql: String, columns: usize) -> Result<TextRows> {
    session.run(ACT, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let none: [&str; 0] = [];
    let found = match session.query_raw(&sql, none).await {
        Ok(found) => found,
        Err(error) => return Err(session.config().fail(ACT, &error)),
    };
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        let mut chunks = Box::pin(found).chunks(BATCH);
        while let Some(chunk) = chunks.next().await {
            let read = |row: tokio_postgres::Row| (0..columns).map(|at| row.try_get(at)).collect();
            let batch: Result<Vec<Vec<Option<String>>>, tokio_postgres::Error> =
                chunk.into_iter().map(|row| row.and_then(read)).collect();
            let batch = batch.map_err(|error| session.config().fail(ACT, &error));
            let is_over = batch.is_err();
            if sender.send(batch).await.is_err() || is_over {
                // Nobody listens any more, or the server has failed: it need not send the rest.
                session.cut();
                return;
            }
        }
        match session.run(ACT, "COMMIT").await {
            Ok(()) => session.give_back(),
            Err(error) => drop(sender.send(Err(error)).await),
        }
    });
    Ok(stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) }).boxed())
}
