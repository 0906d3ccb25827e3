//! Connections to the stores that do not pass by dunlin. Who can list them is told by a trait, because this crate knows
//! no store.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use dunlin_ledger::{Actor, Body};
use serde::Serialize;

use super::{Presence, PresenceChange};
use crate::GuardError;

/// A connection to a store, as the store itself lists it. For the eye alone: none of it enters the ledger but the count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutsideConnection {
    /// The store's name in the plan.
    pub store: String,
    /// The store's own user.
    pub user: String,
    /// Where it comes from, when the store tells.
    pub client: Option<String>,
    /// What the client calls itself.
    pub application: String,
    /// Since when, in microseconds since 1970 UTC.
    pub since: Option<i64>,
    /// What it does: `active`, `idle`, …
    pub state: String,
    /// Whether it is dunlin's own; the others pass the gate by.
    pub own: bool,
}

/// Lists the connections of every store of the plan that can tell. A store that cannot be asked has none.
#[async_trait::async_trait]
pub trait Outside: Send + Sync {
    /// The connections now.
    async fn connections(&self) -> Vec<OutsideConnection>;
}

impl Presence {
    /// Asks the stores who is connected. Where the number of those that pass dunlin by has changed and is not nought,
    /// that is entered.
    pub async fn look_outside(&self) -> Result<Vec<OutsideConnection>, GuardError> {
        let Some(outside) = self.inner.outside.get().cloned() else { return Ok(Vec::new()) };
        let mut found = outside.connections().await;
        found.sort_by(|a, b| (&a.store, &a.since, &a.user).cmp(&(&b.store, &b.since, &b.user)));
        let now = self.inner.guard.now();
        let before = {
            let mut seen = self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *seen, (found.clone(), Some(now.wall))).0
        };
        let (was, is) = (foreign(&before), foreign(&found));
        for (store, connections) in &is {
            if was.get(store) != Some(connections) {
                let body = Body::OutsideSeen { store: store.clone(), connections: *connections };
                self.inner.guard.state().enter(Actor::System, body).await?;
            }
        }
        if before != found {
            self.tell(PresenceChange::Outside(found.clone()));
        }
        Ok(found)
    }
}

fn foreign(connections: &[OutsideConnection]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for connection in connections.iter().filter(|c| !c.own) {
        *counts.entry(connection.store.clone()).or_default() += 1;
    }
    counts
}
