//! The numbers that the rules go by.

use serde::{Deserialize, Serialize};

use super::Rule;

/// Thresholds; what is left out keeps its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Rules that are off.
    pub off: Vec<Rule>,
    /// The time zone that hours are told in, e.g. `Europe/Madrid`; an unknown one counts as UTC.
    pub zone: String,
    /// Days after which a device that was not used counts as new again.
    pub device_days: u32,
    /// Kilometres an hour that nobody travels at.
    pub travel_kmh: f64,
    /// Kilometres below which places of addresses are too vague to tell.
    pub travel_km: f64,
    /// Sign-ins, and days with one, that must be known before an hour can be unusual.
    pub hour_sign_ins: usize,
    /// Hours before and after that count as the same time of the day.
    pub hour_slack: u32,
    /// Refused second factors within [`Thresholds::burst_minutes`].
    pub refused_factors: usize,
    /// Days without a sign of life after which an account is dormant.
    pub dormant_days: u32,
    /// Rows within 24 hours that are never unusual.
    pub volume_floor: u64,
    /// How many times the highest day, own or of the peers, is unusual.
    pub volume_times: f64,
    /// Days with rows that make a history.
    pub volume_days: usize,
    /// Rows up to which a look is small.
    pub sweep_rows: u64,
    /// Small looks at different rows of one table within an hour.
    pub sweep_looks: usize,
    /// Days after which a class of data counts as never seen.
    pub touch_days: u32,
    /// Refusals within [`Thresholds::burst_minutes`].
    pub denials: usize,
    /// Accounts that one network fails at within [`Thresholds::burst_minutes`].
    pub stuffing_accounts: usize,
    /// Accounts that all networks together fail at within that time.
    pub stuffing_accounts_everywhere: usize,
    /// Minutes that make a burst.
    pub burst_minutes: u32,
    /// Hours within which the same alert about the same subject is counted and not raised again.
    pub quiet_hours: u32,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds {
            off: Vec::new(),
            zone: "UTC".to_owned(),
            device_days: 90,
            travel_kmh: 900.0,
            travel_km: 500.0,
            hour_sign_ins: 10,
            hour_slack: 2,
            refused_factors: 5,
            dormant_days: 30,
            volume_floor: 1_000,
            volume_times: 3.0,
            volume_days: 5,
            sweep_rows: 20,
            sweep_looks: 40,
            touch_days: 90,
            denials: 10,
            stuffing_accounts: 10,
            stuffing_accounts_everywhere: 50,
            burst_minutes: 10,
            quiet_hours: 6,
        }
    }
}

impl Thresholds {
    /// The burst in microseconds.
    pub(super) fn burst_us(&self) -> i64 {
        i64::from(self.burst_minutes) * super::memory::MINUTE_US
    }

    /// The zone of hours.
    pub(super) fn zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::get(&self.zone).unwrap_or(jiff::tz::TimeZone::UTC)
    }
}
