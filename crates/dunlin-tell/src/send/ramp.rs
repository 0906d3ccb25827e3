//! How fast letters may leave. A domain that has never sent much is trusted little; so the rate begins low and doubles
//! with each hour's worth of letters sent. It follows from how many were sent, not from a clock: whoever stops for a
//! night goes on where they were.

use std::time::{Duration, Instant};

/// The rate at which letters leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ramp {
    /// Letters a minute at the beginning; none is no limit at all.
    pub per_minute: Option<u64>,
    /// The most letters a minute, however many were sent.
    pub ceiling: u64,
}

impl Ramp {
    /// As fast as it goes.
    pub const NONE: Ramp = Ramp { per_minute: None, ceiling: u64::MAX };

    /// Letters a minute, after so many were sent: after an hour at the first rate twice that, after an hour at that one
    /// four times.
    pub fn at(&self, sent: u64) -> Option<u64> {
        let start = self.per_minute?.max(1);
        let hours = sent / start.saturating_mul(60);
        let doublings = hours.saturating_add(1).ilog2().min(62);
        Some(start.saturating_mul(1 << doublings).min(self.ceiling.max(1)))
    }
}

/// Counts letters out, evenly: at most a second's worth at once.
pub(super) struct Tap {
    ramp: Ramp,
    saved: f64,
    filled: Instant,
}

impl Tap {
    pub(super) fn new(ramp: Ramp, now: Instant) -> Tap {
        Tap { ramp, saved: 1.0, filled: now }
    }

    /// How many may leave now.
    pub(super) fn allows(&mut self, now: Instant, sent: u64) -> u64 {
        let Some(rate) = self.ramp.at(sent) else { return u64::MAX };
        let a_second = rate as f64 / 60.0;
        self.saved += now.saturating_duration_since(self.filled).as_secs_f64() * a_second;
        self.saved = self.saved.min(a_second.max(1.0));
        self.filled = now;
        self.saved as u64
    }

    /// So many have left.
    pub(super) fn took(&mut self, count: u64) {
        self.saved -= count as f64;
    }

    /// How long until the next may leave.
    pub(super) fn pause(&self, sent: u64) -> Duration {
        let Some(rate) = self.ramp.at(sent) else { return Duration::ZERO };
        let missing = (1.0 - self.saved).max(0.0);
        Duration::from_secs_f64((missing * 60.0 / rate as f64).min(5.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_doubles_with_each_hours_worth() {
        let ramp = Ramp { per_minute: Some(100), ceiling: 1_000 };
        let at = |sent| ramp.at(sent).unwrap();
        assert_eq!([at(0), at(5_999), at(6_000), at(17_999), at(18_000)], [100, 100, 200, 200, 400]);
        assert_eq!([at(42_000), at(90_000_000), at(u64::MAX)], [800, 1_000, 1_000], "up to the ceiling");
        assert_eq!(Ramp::NONE.at(7), None);
    }

    #[test]
    fn letters_leave_evenly_and_not_all_at_once_after_a_rest() {
        let start = Instant::now();
        let mut tap = Tap::new(Ramp { per_minute: Some(600), ceiling: u64::MAX }, start);
        let mut left = 0;
        for tenth in 0..100 {
            let allowed = tap.allows(start + Duration::from_millis(tenth * 100), 0);
            tap.took(allowed);
            left += allowed;
        }
        assert!((95..=105).contains(&left), "ten a second for ten seconds: {left}");
        let after_a_night = tap.allows(start + Duration::from_secs(36_000), 0);
        assert_eq!(after_a_night, 10, "a second's worth, not a night's");
    }
}
