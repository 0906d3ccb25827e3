//! Asking a run to stop where it can go on: splits under way come to their end, no new one is begun.
//!
//! Not a cancellation: what a run holds open is finished, so that a pause costs at most a split's time and loses
//! nothing. A process that dies is another matter, see `recover`.

use std::sync::{Arc, Mutex, PoisonError};

use dunlin_store::Actor;

use crate::MoveError;

/// A switch that a run looks at between its splits. Clones share it.
#[derive(Clone, Default)]
pub struct Pause {
    asked: Arc<Mutex<Option<Actor>>>,
}

impl Pause {
    /// Asks the run to stop; the ledger will name this actor. The first who asks is the one.
    pub fn ask(&self, actor: Actor) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(actor);
    }

    /// Who asked, if somebody did.
    pub fn asked(&self) -> Option<Actor> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fails when somebody asked.
    pub(crate) fn check(&self) -> Result<(), MoveError> {
        if self.asked().is_some() { Err(MoveError::Paused) } else { Ok(()) }
    }
}
