//! Asking a run to stop where it can go on: splits under way come to their end, no new one is begun.
//!
//! Not a cancellation: what a run holds open is finished, so that a pause costs at most a split's time and loses
//! nothing. A process that dies is another matter, see `recover`.

use std::sync::{Arc, Mutex, PoisonError};

use dunlin_store::{Actor, now_us};

use crate::MoveError;

/// Why a run stops before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseReason {
    /// Somebody asked for it.
    Asked,
    /// The plan's window has closed.
    WindowClosed,
}

impl PauseReason {
    /// The code that the ledger has for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::WindowClosed => "window_closed",
        }
    }
}

/// A switch that a run looks at between its splits. Clones share it.
#[derive(Clone, Default)]
pub struct Pause {
    now: Arc<Mutex<Now>>,
}

#[derive(Default)]
struct Now {
    asked: Option<Actor>,
    /// When the window closes, microseconds since 1970 UTC.
    closes: Option<i64>,
    /// Whether a run stopped because it had closed.
    closed: bool,
}

impl Pause {
    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the run to stop; the ledger will name this actor. The first who asks is the one.
    pub fn ask(&self, actor: Actor) {
        self.now().asked.get_or_insert(actor);
    }

    /// Who asked, if somebody did.
    pub fn asked(&self) -> Option<Actor> {
        self.now().asked.clone()
    }

    /// From this moment (microseconds since 1970 UTC) on no split is begun; `None` for no such end. Forgets that an
    /// earlier window closed.
    pub fn closes_at(&self, moment: Option<i64>) {
        let mut now = self.now();
        (now.closes, now.closed) = (moment, false);
    }

    /// Why a run stopped, if it did. Who asked comes first: no next window lets such a run go on.
    pub fn reason(&self) -> Option<PauseReason> {
        let now = self.now();
        match (&now.asked, now.closed) {
            (Some(_), _) => Some(PauseReason::Asked),
            (None, true) => Some(PauseReason::WindowClosed),
            (None, false) => None,
        }
    }

    /// Fails when somebody asked, or the window has closed.
    pub(crate) fn check(&self) -> Result<(), MoveError> {
        let mut now = self.now();
        now.closed |= now.closes.is_some_and(|closes| now_us() >= closes);
        if now.asked.is_some() || now.closed { Err(MoveError::Paused) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_closed_stops_a_run_until_the_next_one_opens() {
        let pause = Pause::default();
        assert!(pause.check().is_ok());
        pause.closes_at(Some(now_us() + 60_000_000));
        assert!(pause.check().is_ok(), "it is open for a minute yet");
        pause.closes_at(Some(now_us() - 1));
        assert!(matches!(pause.check(), Err(MoveError::Paused)));
        assert_eq!(pause.reason(), Some(PauseReason::WindowClosed));
        pause.closes_at(Some(now_us() + 60_000_000));
        assert!(pause.check().is_ok(), "the next window is open");
        assert_eq!(pause.reason(), None);
    }

    #[test]
    fn who_asked_for_a_pause_is_not_overruled_by_a_window() {
        let pause = Pause::default();
        pause.ask(Actor::System);
        pause.closes_at(Some(now_us() - 1));
        assert!(pause.check().is_err());
        assert_eq!(pause.reason(), Some(PauseReason::Asked));
        pause.closes_at(None);
        assert!(pause.check().is_err());
    }
}
