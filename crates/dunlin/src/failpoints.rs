//! Places where a crash test makes this process die. Only with the feature `failpoints`, never in what people run.
//!
//! `FAILPOINTS="name=return;…"` is what the crate `fail` knows: the step fails with an error. `DUNLIN_FAIL=name` or
//! `DUNLIN_FAIL=name@N` ends the process without any clean-up when the place is reached for the first or the Nth time.

use std::sync::atomic::{AtomicU64, Ordering};

/// Arms what the environment asks for; holds as long as the value lives.
pub fn arm() -> fail::FailScenario<'static> {
    let scenario = fail::FailScenario::setup();
    if let Ok(wanted) = std::env::var("DUNLIN_FAIL") {
        let (name, at) = wanted.split_once('@').unwrap_or((&wanted, "1"));
        let at: u64 = at.parse().unwrap_or(1);
        let reached = AtomicU64::new(0);
        let die = move || {
            if reached.fetch_add(1, Ordering::SeqCst) + 1 == at {
                std::process::abort();
            }
        };
        if let Err(error) = fail::cfg_callback(name, die) {
            eprintln!("the place `{name}` cannot be armed: {error}");
        }
    }
    scenario
}
