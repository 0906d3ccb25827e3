//! The log: one line an event on stderr, for people or as JSON. What stands in it is decided where it is written; the
//! level comes from `DUNLIN_LOG`, and is `info` without it.

use tracing_subscriber::EnvFilter;

use crate::config::LogStyle;

/// Starts the log of this process. Does nothing when it has one already.
pub fn start_log(style: LogStyle) {
    let filter = EnvFilter::try_from_env("DUNLIN_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match style {
        LogStyle::Text => log.with_ansi(false).try_init(),
        LogStyle::Json => log.json().flatten_event(true).try_init(),
    };
    // Somebody else's log goes on.
    let _ = started;
}
