//! How much one client may ask: requests a minute by address and by person, connections and streams at a time.
//!
//! Not here: attack protection of sign-in, which the guard keeps in the state so that a restart opens nothing.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most keys that are remembered; beyond, those that have rested are forgotten.
const KEYS_MAX: usize = 100_000;

/// A limit of requests a minute for each key, spread evenly with a burst of a quarter of a minute's worth
/// (the generic cell rate algorithm, ITU-T I.371).
pub(crate) struct Rate<K> {
    /// Between two requests at the steady rate.
    step: Duration,
    /// How far a key may be ahead of the steady rate.
    burst: Duration,
    /// When each key will have paid for what it asked.
    paid: Mutex<HashMap<K, Instant>>,
}

impl<K: Hash + Eq + Clone> Rate<K> {
    /// So many requests a minute; 0 means no limit.
    pub(crate) fn per_minute(requests: u32) -> Rate<K> {
        let step = Duration::from_secs(60).checked_div(requests).unwrap_or_default();
        Rate { step, burst: Duration::from_secs(15).max(step), paid: Mutex::default() }
    }

    /// Takes one request, or says how long to wait.
    pub(crate) fn take(&self, key: &K) -> Result<(), Duration> {
        self.take_at(key, Instant::now())
    }

    fn take_at(&self, key: &K, now: Instant) -> Result<(), Duration> {
        if self.step.is_zero() {
            return Ok(());
        }
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        if paid.len() >= KEYS_MAX {
            paid.retain(|_, until| *until > now);
        }
        let until = paid.get(key).copied().unwrap_or(now).max(now);
        let ahead = until + self.step - now;
        if ahead > self.burst {
            return Err(ahead - self.burst);
        }
        paid.insert(key.clone(), until + self.step);
        Ok(())
    }
}

/// So many of something at a time for each key.
pub(crate) struct Seats<K> {
    max: usize,
    taken: Mutex<HashMap<K, usize>>,
}

/// One of [`Seats`], given back when it is dropped.
pub(crate) struct Seat<K: Hash + Eq> {
    of: Arc<Seats<K>>,
    key: K,
}

impl<K: Hash + Eq + Clone> Seats<K> {
    /// At most `max` for one key.
    pub(crate) fn new(max: usize) -> Arc<Seats<K>> {
        Arc::new(Seats { max, taken: Mutex::default() })
    }

    /// Takes a seat, when there is one.
    pub(crate) fn take(self: &Arc<Self>, key: &K) -> Option<Seat<K>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(key.clone()).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(Seat { of: self.clone(), key: key.clone() })
    }
}

impl<K: Hash + Eq> Drop for Seat<K> {
    fn drop(&mut self) {
        let mut taken = self.of.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_steady_rate() {
        let rate = Rate::per_minute(60);
        let start = Instant::now();
        let passed = (0..100).filter(|_| rate.take_at(&1, start).is_ok()).count();
        assert_eq!(passed, 15);
        assert!(rate.take_at(&2, start).is_ok(), "another client is not held up");
        let wait = rate.take_at(&1, start).unwrap_err();
        assert!(wait <= Duration::from_secs(1));
        assert!(rate.take_at(&1, start + wait).is_ok());
        assert!(rate.take_at(&1, start + wait).is_err());
    }

    #[test]
    fn seats_are_given_back() {
        let seats = Seats::new(1);
        let one = seats.take(&"ana");
        assert!(one.is_some() && seats.take(&"ana").is_none() && seats.take(&"ben").is_some());
        drop(one);
        assert!(seats.take(&"ana").is_some());
    }
}
