//! What the guard is told by whoever starts it. Defaults are the production ones.

use std::path::PathBuf;

use dunlin_plan::Role;
use ipnet::IpNet;
use serde::Deserialize;

/// Settings of the guard.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardSettings {
    /// The address under which people reach this server, e.g. `https://dunlin.example`: for links and passkeys.
    pub public_url: Option<String>,
    /// Roles that must have a second factor.
    pub mfa_roles: Vec<Role>,
    /// How passwords are hashed.
    pub hashing: HashSettings,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// Limits on attempts.
    pub limits: Limits,
    /// A file of SHA-1 hashes (hex, upper case, sorted, one a line, with or without `:count`), as Have I Been
    /// Pwned gives it; a password in it is refused.
    pub breached_passwords: Option<PathBuf>,
}

/// Argon2id. The defaults are OWASP's (Password Storage Cheat Sheet): 19 MiB, 2 passes, 1 lane.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HashSettings {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// Hashes that are computed at once; others wait.
    pub at_once: usize,
    /// Hashes that may wait; more are refused as overloaded.
    pub waiting: usize,
}

/// How long things live.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lifetimes {
    /// A session that does nothing ends after this, in seconds.
    pub idle_s: u64,
    /// A session ends after this whatever it does, in seconds.
    pub absolute_s: u64,
    /// An unfinished sign-in (second factor missing) ends after this, in seconds.
    pub unfinished_s: u64,
    /// A link for recovery or unlocking, in seconds.
    pub link_s: u64,
    /// An invitation when nothing else was said, in seconds.
    pub invitation_s: u64,
    /// A service token at most, in seconds.
    pub token_s: u64,
    /// What `dunlin login` gets, in seconds.
    pub device_token_s: u64,
    /// A device's request for it, in seconds.
    pub device_request_s: u64,
    /// How long a second factor counts as fresh for changes to one's own credentials, in seconds.
    pub fresh_factor_s: u64,
}

/// Limits on attempts. Windows and locks go by time lived through, not by the wall clock.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Wrong tries of one credential of one account from one network before it is locked there.
    pub tries: u32,
    /// How long that lock lasts when nothing else opens it, in seconds.
    pub lock_s: u64,
    /// Wrong tries of one credential of one account from all networks that the person has not come from before.
    pub account_tries: u32,
    /// Window and lock of that, in seconds.
    pub account_window_s: u64,
    /// Wrong tries from one network, whatever the account.
    pub network_tries: u32,
    /// Different accounts tried in vain from one network.
    pub network_accounts: u32,
    /// Window and lock of these two, in seconds.
    pub network_window_s: u64,
    /// Credential stuffing: this many different pairs of account and password tried in vain, on at least half as
    /// many accounts, within the window: networks then get `stuffing_network_tries`.
    pub stuffing_pairs: u32,
    /// The window of that, in seconds.
    pub stuffing_window_s: u64,
    /// Tries that a network gets while stuffing goes on.
    pub stuffing_network_tries: u32,
    /// Recovery and unlock links for one person within `link_window_s`.
    pub links_per_person: u32,
    /// Requests for links, codes of devices and invitations from one network within `link_window_s`.
    pub links_per_network: u32,
    /// The window of these two, in seconds.
    pub link_window_s: u64,
    /// Counts and records everything, and refuses nothing.
    pub monitor_only: bool,
    /// Networks that are never limited; what they do is still recorded.
    pub allow: Vec<IpNet>,
}

impl Default for GuardSettings {
    fn default() -> Self {
        GuardSettings {
            public_url: None,
            mfa_roles: vec![Role::Owner, Role::Approver, Role::Engineer, Role::Steward],
            hashing: HashSettings::default(),
            lifetimes: Lifetimes::default(),
            limits: Limits::default(),
            breached_passwords: None,
        }
    }
}

impl Default for HashSettings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        HashSettings { memory_kib: 19 * 1024, passes: 2, lanes: 1, at_once: cores.min(4), waiting: 256 }
    }
}

impl HashSettings {
    /// As cheap as the algorithm allows: for tests only.
    pub fn cheap() -> HashSettings {
        HashSettings { memory_kib: 8, passes: 1, lanes: 1, at_once: 4, waiting: 1024 }
    }
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

impl Default for Lifetimes {
    fn default() -> Self {
        Lifetimes {
            idle_s: HOUR,
            absolute_s: 12 * HOUR,
            unfinished_s: 15 * 60,
            link_s: 15 * 60,
            invitation_s: 7 * DAY,
            token_s: 365 * DAY,
            device_token_s: 30 * DAY,
            device_request_s: 10 * 60,
            fresh_factor_s: 15 * 60,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            tries: 10,
            lock_s: 30 * DAY,
            account_tries: 50,
            account_window_s: DAY,
            network_tries: 100,
            network_accounts: 30,
            network_window_s: HOUR,
            stuffing_pairs: 300,
            stuffing_window_s: HOUR,
            stuffing_network_tries: 5,
            links_per_person: 3,
            links_per_network: 20,
            link_window_s: HOUR,
            monitor_only: false,
            allow: Vec::new(),
        }
    }
}

impl GuardSettings {
    /// For tests: cheap hashes, everything else as in production.
    pub fn for_tests() -> GuardSettings {
        let public_url = Some("https://dunlin.example".to_owned());
        GuardSettings { public_url, hashing: HashSettings::cheap(), ..GuardSettings::default() }
    }
}
