//! The hub: takes events, numbers them, keeps the latest so that a client that was away for a moment misses none.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use dunlin_guard::Action;
use tokio::sync::{broadcast, watch};

/// Events that are kept for clients that come back.
const KEPT: usize = 2048;

/// Something that happened. It holds ids, codes and counts; a client reads the rest where its rights are asked for.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Its number since the hub began, from 1; the hub gives it.
    pub(crate) number: u64,
    /// What kind, e.g. `run.progress`.
    pub(crate) kind: &'static str,
    /// What a person must be allowed to do to hear of it.
    pub(crate) needs: Action,
    /// Heard by this person in any case, e.g. because it is about them.
    pub(crate) about: Option<String>,
    /// Heard by that person alone.
    pub(crate) only: bool,
    /// What is told.
    pub(crate) data: serde_json::Value,
}

/// The hub.
pub(crate) struct Hub {
    /// Tells the events of this hub from those of one before a restart.
    id: String,
    kept: Mutex<Kept>,
    live: broadcast::Sender<Arc<Event>>,
    draining: watch::Sender<bool>,
}

#[derive(Default)]
struct Kept {
    last: u64,
    events: VecDeque<Arc<Event>>,
}

/// What a client gets when it comes.
pub(crate) struct Subscription {
    /// What it missed, the oldest first.
    pub(crate) missed: Vec<Arc<Event>>,
    /// Whether more was missed than is kept, so that the client must read everything again.
    pub(crate) gap: bool,
    /// What comes.
    pub(crate) live: broadcast::Receiver<Arc<Event>>,
    /// Becomes true when the server ends.
    pub(crate) draining: watch::Receiver<bool>,
}

impl Hub {
    /// Nothing has happened yet.
    pub(crate) fn new() -> Hub {
        let id = format!("{:x}", dunlin_store::now_us());
        Hub {
            id,
            kept: Mutex::default(),
            live: broadcast::Sender::new(KEPT),
            draining: watch::Sender::new(false),
        }
    }

    /// Tells everybody who may hear it.
    pub(crate) fn tell(
        &self,
        kind: &'static str,
        needs: Action,
        about: Option<&str>,
        data: serde_json::Value,
    ) {
        self.send(kind, needs, about, false, data);
    }

    /// Tells one person.
    pub(crate) fn tell_only(&self, kind: &'static str, person: &str, data: serde_json::Value) {
        self.send(kind, Action::EventsRead, Some(person), true, data);
    }

    fn send(
        &self,
        kind: &'static str,
        needs: Action,
        about: Option<&str>,
        only: bool,
        data: serde_json::Value,
    ) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.last += 1;
        let event = Event { number: kept.last, kind, needs, about: about.map(str::to_owned), only, data };
        let event = Arc::new(event);
        kept.events.push_back(event.clone());
        if kept.events.len() > KEPT {
            kept.events.pop_front();
        }
        // Sent under the lock, so that no client sees numbers out of order. Nobody listening is no failure.
        let _ = self.live.send(event);
    }

    /// Begins to listen, after the event that the client saw last.
    pub(crate) fn subscribe(&self, last_seen: Option<&str>) -> Subscription {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (live, draining) = (self.live.subscribe(), self.draining.subscribe());
        let seen = last_seen.map(|id| {
            let number = id
                .split_once('-')
                .filter(|(hub, _)| *hub == self.id)
                .and_then(|(_, n)| n.parse::<u64>().ok());
            number.filter(|n| *n <= kept.last)
        });
        let first = kept.events.front().map_or(kept.last + 1, |e| e.number);
        let (missed, gap) = match seen {
            None => (Vec::new(), false),
            Some(Some(number)) if number + 1 >= first => {
                (kept.events.iter().filter(|e| e.number > number).cloned().collect(), false)
            }
            Some(_) => (Vec::new(), true),
        };
        Subscription { missed, gap, live, draining }
    }

    /// The id of an event as clients send it back.
    pub(crate) fn id_of(&self, number: u64) -> String {
        format!("{}-{number}", self.id)
    }

    /// The number of the newest event.
    pub(crate) fn newest(&self) -> u64 {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).last
    }

    /// Ends every stream, because the server ends.
    pub(crate) fn drain(&self) {
        self.draining.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(hub: &Hub, times: usize) {
        for _ in 0..times {
            hub.tell("test", Action::RunRead, None, serde_json::json!({}));
        }
    }

    #[test]
    fn a_client_that_comes_back_gets_what_it_missed_once() {
        let hub = Hub::new();
        tell(&hub, 5);
        let back = hub.subscribe(Some(&hub.id_of(3)));
        assert!(!back.gap);
        assert_eq!(back.missed.iter().map(|e| e.number).collect::<Vec<_>>(), [4, 5]);
        assert!(back.live.is_empty());
        assert!(hub.subscribe(None).missed.is_empty(), "a new client begins now");
    }

    #[test]
    fn what_cannot_be_resumed_is_said() {
        let hub = Hub::new();
        tell(&hub, KEPT + 10);
        assert!(hub.subscribe(Some(&hub.id_of(3))).gap, "too long ago");
        assert!(hub.subscribe(Some("other-3")).gap, "before a restart");
        assert!(hub.subscribe(Some(&hub.id_of(KEPT as u64 + 99))).gap, "not yet");
        assert!(!hub.subscribe(Some(&hub.id_of(10))).gap, "the first that is kept is the next");
    }
}
