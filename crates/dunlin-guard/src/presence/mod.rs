//! Who is in the data now: open accesses, exports, runs, sessions, and connections to the stores that do not pass by
//! dunlin; as a snapshot and as a stream of changes. It is also the gate's access log: an access, its entry in the ledger
//! and its row here are one transaction.
//!
//! Not here: who may (`policy`), and alerts about what is seen (`alerts`).

mod keep;
mod log;
mod outside;
mod snapshot;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use dunlin_ledger::Actor;
use dunlin_store::{Fragments, Workspace};
use serde::Serialize;
use tokio::sync::broadcast;

use crate::Guard;

pub use outside::{Outside, OutsideConnection};
pub use snapshot::{LiveAccess, LiveRun, LiveSession, Snapshot};
pub use standing::Standing;

/// Changes that wait for a slow reader; one that falls further behind takes a snapshot again.
const CHANGES_KEPT: usize = 1024;

/// Something about who is in the data has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a few a second at most; each is made and sent once")]
pub enum PresenceChange {
    /// Somebody is in.
    Opened(LiveAccess),
    /// Rows are leaving; `rows` is the sum so far.
    Rows {
        /// The access's id.
        access: String,
        /// Rows of the whole access so far.
        rows: u64,
    },
    /// Somebody is out.
    Closed {
        /// The access's id.
        access: String,
        /// Why, as a code.
        reason: String,
    },
    /// Somebody asked for what they may not have.
    Denied {
        /// A person's id, `local:…`, or `dunlin`.
        actor: String,
        /// What was asked.
        action: String,
        /// The table's label; empty for the API.
        table: String,
        /// Why not, as a code.
        reason_code: String,
    },
    /// The connections outside dunlin are now these.
    Outside(Vec<OutsideConnection>),
}

/// Who is in the data now. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Presence {
    inner: Arc<Inner>,
}

struct Inner {
    guard: Guard,
    sidecars: Fragments,
    /// Streams of this process that have not ended, by access.
    live: Mutex<HashMap<String, Live>>,
    changes: broadcast::Sender<PresenceChange>,
    outside: OnceLock<Arc<dyn Outside>>,
    /// What was last seen outside, and when.
    seen: Mutex<(Vec<OutsideConnection>, Option<i64>)>,
}

#[derive(Clone)]
struct Live {
    actor: Actor,
    /// Rows so far, when it was dropped before its end.
    dropped: Option<u64>,
}

impl Presence {
    /// Over a guard and its workspace, whose keys encrypt the lists of rows that people saw.
    pub fn new(guard: Guard, workspace: &Workspace) -> Presence {
        let inner = Inner {
            guard,
            sidecars: workspace.sidecars(),
            live: Mutex::default(),
            changes: broadcast::channel(CHANGES_KEPT).0,
            outside: OnceLock::new(),
            seen: Mutex::default(),
        };
        Presence { inner: Arc::new(inner) }
    }

    /// Tells who can look at the stores' own lists of connections; the first one stays.
    pub fn set_outside(&self, outside: Arc<dyn Outside>) {
        let _ = self.inner.outside.set(outside);
    }

    /// Changes from now on. A reader that falls too far behind is told so, and takes a [`Presence::snapshot`].
    pub fn changes(&self) -> broadcast::Receiver<PresenceChange> {
        self.inner.changes.subscribe()
    }

    fn tell(&self, change: PresenceChange) {
        // Nobody listens: nobody is told.
        let _ = self.inner.changes.send(change);
    }

    fn live(&self) -> std::sync::MutexGuard<'_, HashMap<String, Live>> {
        self.inner.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
