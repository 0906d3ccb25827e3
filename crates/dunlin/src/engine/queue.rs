//! The run that was asked for and has not begun: it waits for the plan's window, also over the server's restarts.

use dunlin_ledger::Actor;
use dunlin_store::{State, StoreError};
use serde::{Deserialize, Serialize};

/// Where it is kept.
const SETTING: &str = "engine.queued";

/// What was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Queued {
    /// The run's id: of the unfinished run that goes on, or the one that the run will get.
    pub(super) run: String,
    pub(super) fingerprint: String,
    /// The run whose own plan is gone on with.
    pub(super) resume: Option<String>,
    pub(super) rehearse: bool,
    pub(super) table: Option<String>,
    pub(super) jobs: Option<u16>,
    /// How often it goes on by itself after a store was lost for a moment.
    #[serde(default)]
    pub(super) retry: u32,
    /// Why it does not wait for the window: a category and a text.
    pub(super) now: Option<(String, String)>,
    pub(super) actor: Actor,
}

impl Queued {
    /// What waits, if anything does.
    pub(super) async fn read(state: &State) -> Result<Option<Queued>, StoreError> {
        let kept = state.setting(SETTING).await?;
        Ok(kept.and_then(|text| serde_json::from_str(&text).ok()).flatten())
    }

    /// Keeps it until it has begun.
    pub(super) async fn keep(&self, state: &State) -> Result<(), StoreError> {
        write(state, Some(self)).await
    }

    /// Nothing waits any more.
    pub(super) async fn forget(state: &State) -> Result<(), StoreError> {
        write(state, None).await
    }
}

async fn write(state: &State, queued: Option<&Queued>) -> Result<(), StoreError> {
    let text = serde_json::to_string(&queued).map_err(|_| StoreError::Damaged("a queued run"))?;
    let mut tx = state.begin().await?;
    tx.set_setting(SETTING, &text).await?;
    tx.commit().await
}
