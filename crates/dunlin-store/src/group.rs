//! Group commit: entries that many tasks enter on their own at the same time share one transaction, so one fsync.
//!
//! A task that is alone waits for nobody: its entry is written at once. Entries that arrive while a transaction is being
//! written (or while somebody else writes) make the next one. Nobody is answered before the transaction that holds its
//! entry is durable.
//!
//! Not here: entries that belong to a change of state; they are in its transaction ([`crate::Tx::enter`]).

use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::{QueryBuilder, Row, Sqlite};
use tokio::sync::oneshot;

use crate::error::db;
use crate::{State, StoreError, Tx};

/// Entries of one transaction: bounds what is lost when one fails, and how long others wait for the lock.
const ENTRIES_MAX: usize = 4096;
/// Rows of one `INSERT`; SQLite takes 32,766 parameters.
const ROWS_MAX: usize = 1000;

/// An entry and who waits for it.
pub(crate) struct Waiting {
    bytes: Vec<u8>,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

/// The entries that wait, and whether a task is at work on them.
#[derive(Default)]
pub(crate) struct Group {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    at_work: bool,
}

impl Group {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that is done under the lock can leave it half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<Waiting> {
        let mut queue = self.queue();
        let count = queue.waiting.len().min(ENTRIES_MAX);
        queue.waiting.drain(..count).collect()
    }

    /// Whether there is nothing left to do; then nobody is at work any more.
    fn rests(&self) -> bool {
        let mut queue = self.queue();
        queue.at_work = !queue.waiting.is_empty();
        !queue.at_work
    }
}

/// Enters bytes that are fit for the ledger, and returns once they are durable.
pub(crate) async fn enter(state: &State, bytes: Vec<u8>) -> Result<(), StoreError> {
    let (answer, answered) = oneshot::channel();
    let begin = {
        let mut queue = state.group.queue();
        queue.waiting.push(Waiting { bytes, answer });
        !std::mem::replace(&mut queue.at_work, true)
    };
    if begin {
        // A task of its own: a caller that is cancelled must not take the others' entries with it.
        tokio::spawn(work(state.clone()));
    }
    let stopped = || StoreError::Database { doing: "entering into the ledger", code: "stopped".to_owned() };
    answered.await.unwrap_or_else(|_| Err(stopped()))
}

/// Lets others begin anew when the work ends before its time (its runtime is shut down).
struct AtWork {
    state: State,
    /// Whether it came to its end; another task may be at work since.
    rests: bool,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if !self.rests {
            let mut queue = self.state.group.queue();
            queue.at_work = false;
            queue.waiting.clear();
        }
    }
}

async fn work(state: State) {
    let mut work = AtWork { state, rests: false };
    while !work.rests {
        let begun = work.state.begin().await;
        // Whoever came while we waited for the lock comes along.
        let batch = work.state.group.take();
        let outcome = match begun {
            Ok(tx) => write(tx, &batch).await,
            Err(error) => Err(error),
        };
        // Before the answers: who is answered may end the runtime that this task lives in.
        work.rests = work.state.group.rests();
        for waiting in batch {
            // Nobody listens where the caller was cancelled.
            let _ = waiting.answer.send(outcome.as_ref().copied().map_err(again));
        }
    }
}

async fn write(mut tx: Tx, batch: &[Waiting]) -> Result<(), StoreError> {
    let failed = db("queueing ledger entries");
    let sql = "update ledger_head set next_index = next_index + $1 returning next_index - $1";
    let count = batch.len() as i64;
    let row = sqlx::query(sql).bind(count).fetch_one(tx.connection()).await.map_err(&failed)?;
    let mut index: i64 = row.try_get(0).map_err(&failed)?;
    for chunk in batch.chunks(ROWS_MAX) {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new("insert into ledger_queue (idx, entry) ");
        query.push_values(chunk, |mut values, waiting| {
            values.push_bind(index).push_bind(waiting.bytes.as_slice());
            index += 1;
        });
        query.build().execute(tx.connection()).await.map_err(&failed)?;
    }
    tx.commit().await
}

/// The same error once more: each of those who waited gets it.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Busy => StoreError::Busy,
        StoreError::Database { doing, code } => StoreError::Database { doing, code: code.clone() },
        _ => StoreError::Database { doing: "entering into the ledger", code: "unknown".to_owned() },
    }
}
