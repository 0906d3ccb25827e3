//! Progress on stderr: a bar on a terminal; elsewhere a line when a table begins and every ten seconds.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use dunlin_move::{Event, Observer};
use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressStyle};

use crate::output::{note, thousands};

/// Shows what a run tells.
pub struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    at: Mutex<At>,
}

struct At {
    table: String,
    rows: u64,
    bytes: u64,
    estimate: Option<u64>,
    begun: Instant,
    told: Instant,
}

impl Progress {
    /// A bar where stderr is a terminal, lines elsewhere, nothing when `quiet`.
    pub fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !quiet;
        let bar = terminal.then(|| {
            let bar = ProgressBar::no_length();
            let style = ProgressStyle::with_template("{spinner} {prefix:.bold} {wide_bar:.dim} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        let now = Instant::now();
        let at = At { table: String::new(), rows: 0, bytes: 0, estimate: None, begun: now, told: now };
        Self { bar, quiet, at: Mutex::new(at) }
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None if !self.quiet => note(text),
            None => {}
        }
    }

    fn table(&self, table: &str, estimate: Option<u64>, done: usize, splits: usize) {
        if let Ok(mut at) = self.at.lock() {
            let now = Instant::now();
            *at = At { table: table.to_owned(), rows: 0, bytes: 0, estimate, begun: now, told: now };
        }
        if let Some(bar) = &self.bar {
            bar.set_prefix(table.to_owned());
            bar.reset();
            match estimate {
                Some(rows) => bar.set_length(rows),
                None => bar.unset_length(),
            }
        } else if !self.quiet {
            let about =
                estimate.map(|rows| format!(", about {}", crate::output::rows(rows))).unwrap_or_default();
            let rest =
                if done > 0 { format!(", {done} of {splits} splits done before") } else { String::new() };
            note(&format!("{table}{about}{rest}"));
        }
    }

    fn rows(&self, rows: u64, bytes: u64) {
        let Ok(mut at) = self.at.lock() else { return };
        at.rows += rows;
        at.bytes += bytes;
        let seconds = at.begun.elapsed().as_secs_f64().max(0.001);
        let message = || {
            let rate = thousands((at.rows as f64 / seconds) as u64);
            let left = at.estimate.filter(|e| *e > at.rows).map(|estimate| {
                let left = (estimate - at.rows) as f64 * seconds / at.rows.max(1) as f64;
                format!(", {} left", HumanDuration(Duration::from_secs_f64(left)))
            });
            format!(
                "{}, {}, {rate} rows/s{}",
                crate::output::rows(at.rows),
                HumanBytes(at.bytes),
                left.unwrap_or_default()
            )
        };
        match &self.bar {
            Some(bar) => {
                bar.set_position(at.rows);
                bar.set_message(message());
            }
            None if !self.quiet && at.told.elapsed() > Duration::from_secs(10) => {
                note(&format!("  {}: {}", at.table, message()));
                at.told = Instant::now();
            }
            None => {}
        }
    }
}

impl Observer for Progress {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Run { run, resumed: true } => self.say(&format!("going on with run {run}")),
            Event::Run { .. } => {}
            Event::Warning { table, message } => self.say(&format!("warning: {table}: {message}")),
            Event::Table { table, rows_estimate, splits_done, splits } => {
                self.table(table, rows_estimate, splits_done, splits);
            }
            Event::Rows { rows, bytes } => self.rows(rows, bytes),
            Event::Held { why: Some(why) } => self.say(&format!("the source is busy, reading waits: {why}")),
            Event::Held { why: None } => self.say("the source is less busy, reading goes on"),
            Event::Step { table, step } => {
                if let Some(bar) = &self.bar {
                    bar.set_prefix(table.unwrap_or_default().to_owned());
                    bar.set_message(step.to_owned());
                }
            }
        }
    }
}
