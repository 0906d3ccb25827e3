//! Whether the sessions and tokens behind open streams still live. One question to the state a moment for all of
//! them, whoever ended a session: this server, another process, or the clock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dunlin_guard::Via;
use tokio::sync::watch;

use crate::app::App;

/// How often the state is asked: a stream must end within a second.
const EVERY: Duration = Duration::from_millis(300);

/// The sessions and tokens behind open streams.
#[derive(Default)]
pub(crate) struct Watch {
    open: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    is_token: bool,
    streams: usize,
    ended: watch::Sender<bool>,
}

/// One stream's word that it is still open.
pub(crate) struct Watched {
    of: Arc<Watch>,
    id: String,
    ended: watch::Receiver<bool>,
}

impl Watch {
    /// Begins to watch a session or token.
    pub(crate) fn add(self: &Arc<Self>, via: &Via) -> Watched {
        let id = via.id().to_owned();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh =
            || Entry { is_token: matches!(via, Via::Token(_)), streams: 0, ended: watch::Sender::new(false) };
        let entry = open.entry(id.clone()).or_insert_with(fresh);
        entry.streams += 1;
        Watched { of: self.clone(), ended: entry.ended.subscribe(), id }
    }

    fn ids(&self, tokens: bool) -> Vec<String> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().filter(|(_, e)| e.is_token == tokens).map(|(id, _)| id.clone()).collect()
    }

    fn end_all_but(&self, asked: &[String], alive: &[String]) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for id in asked.iter().filter(|id| !alive.contains(id)) {
            if let Some(entry) = open.get(id) {
                entry.ended.send_replace(true);
            }
        }
    }

    /// Asks the state again and again, until the task is stopped.
    pub(crate) async fn run(self: Arc<Self>, app: App) {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            for tokens in [false, true] {
                let asked = self.ids(tokens);
                for chunk in asked.chunks(500) {
                    match app.alive(chunk, tokens).await {
                        Ok(alive) => self.end_all_but(chunk, &alive),
                        // A session of which nothing can be known is treated as ended: no data without a check.
                        Err(error) => {
                            tracing::error!(%error, "sessions of open streams could not be checked");
                            self.end_all_but(chunk, &[]);
                        }
                    }
                }
            }
        }
    }
}

impl Watched {
    /// Whether it has ended already.
    pub(crate) fn has_ended(&self) -> bool {
        *self.ended.borrow()
    }

    /// Done once the session or token has ended.
    pub(crate) async fn ended(&mut self) {
        // The sender lives as long as this does.
        let _ = self.ended.wait_for(|ended| *ended).await;
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut open = self.of.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = open.get_mut(&self.id) {
            entry.streams -= 1;
            if entry.streams == 0 {
                open.remove(&self.id);
            }
        }
    }
}
