//! Going on by itself after a store was lost for a moment: whether, after how long, and said in the ledger.
//!
//! Not here: the waiting, and the going on. A command waits at a shell, a server may be told to pause meanwhile.

use std::time::Duration;

use dunlin_store::{Actor, Body, Entry, Workspace, now_us};

use crate::run::Try;
use crate::status::outcome;
use crate::{MoveError, Result};

/// How long the first new try waits; each further one waits four times as long.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The new tries of one run.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    most: u32,
    tries: u32,
}

impl Retries {
    /// At most this many.
    pub fn new(most: u32) -> Self {
        Self { most, tries: 0 }
    }

    /// How many there were, and how many there may be.
    pub fn counted(&self) -> (u32, u32) {
        (self.tries, self.most)
    }

    /// How long to wait before the run goes on; `None` where it does not go on by itself: what went wrong does not mend
    /// itself, or it was tried often enough. `loading` says whether the run had come to its first table: a store that was
    /// lost on the way may come back, one that never answered is another matter. Each new try is entered before it is
    /// waited for.
    ///
    /// # Errors
    /// Those of the state.
    pub async fn next(
        &mut self,
        workspace: &Workspace,
        actor: &Actor,
        run: &str,
        error: &MoveError,
        loading: bool,
    ) -> Result<Option<Duration>> {
        if !error.is_transient() || !loading || self.tries >= self.most {
            return Ok(None);
        }
        self.tries += 1;
        let wait = wait(self.tries);
        let mut outcome = outcome(workspace, run).await?;
        let (at, wait_seconds) = (now_us(), wait.as_secs());
        outcome.tries.push(Try { at, problem: error.to_string(), wait_seconds });
        let mut tx = workspace.state().begin().await?;
        tx.set_run_outcome(run, &serde_json::to_value(&outcome).unwrap_or_default()).await?;
        let (attempt, attempts) = (self.tries, self.most);
        let body = Body::RunRetried { run: run.to_owned(), attempt, attempts, wait_seconds };
        tx.enter(Entry { at, actor: actor.clone(), body }).await?;
        tx.commit().await?;
        Ok(Some(wait))
    }
}

/// The wait before this try.
fn wait(attempt: u32) -> Duration {
    FIRST.saturating_mul(4u32.saturating_pow(attempt.saturating_sub(1))).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_try_waits_four_times_as_long_up_to_a_quarter_of_an_hour() {
        let waits: Vec<u64> = [1, 2, 3, 4, 5, 6, 40].into_iter().map(|n| wait(n).as_secs()).collect();
        assert_eq!(waits, [1, 4, 16, 64, 256, 900, 900]);
    }
}
