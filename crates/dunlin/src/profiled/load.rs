//! How busy the source is by hour of the week: sessions at work in it, as the server samples them and as `dunlin profile
//! --watch` does, kept in one place. Two numbers an hour: the sum of the samples and how many there were.
//!
//! Not here: what a run makes of it (`source_load`), and the hours that the web app proposes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dunlin_connect::{Activity, Store};
use dunlin_plan::Plan;
use dunlin_store::{StoreError, Workspace};
use dunlin_work::hours::{hour_of_week, propose};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

/// The setting in which the samples are kept; the server writes it as well.
const SAMPLES: &str = "work_load";
/// Hours of a week.
const HOURS: usize = 168;
/// How often the source is asked.
const EVERY: Duration = Duration::from_secs(5);
/// Days as they are written.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// What is known of a week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Load {
    /// Sessions at work, on average, by hour of the week, Monday 0 h first; none for hours that were not sampled.
    pub load_by_hour: Vec<Option<f64>>,
    /// Hours that were sampled, of 168.
    pub hours_known: usize,
    /// Whose clock.
    pub zone: String,
    /// Hours in which a move would disturb least, as a plan writes them, where the week is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<String>,
}

impl Load {
    /// The same in a line or two, for a terminal.
    pub fn lines(&self) -> Vec<String> {
        let known = self.load_by_hour.iter().enumerate().filter_map(|(hour, load)| Some((hour, (*load)?)));
        let word = |(hour, load): (usize, f64)| {
            format!("{} {:02}:00 ({load:.1} sessions at work)", DAYS[hour / 24], hour % 24)
        };
        let busiest = known.clone().max_by(|a, b| a.1.total_cmp(&b.1)).map(word);
        let quietest = known.min_by(|a, b| a.1.total_cmp(&b.1)).map(word);
        let mut lines =
            vec![format!("Load of the source: {} of {HOURS} hours of the week measured", self.hours_known)];
        if let (Some(busiest), Some(quietest)) = (busiest, quietest) {
            lines.push(format!("  busiest {busiest}, quietest {quietest}; {}", self.zone));
        }
        lines.extend(self.windows.iter().map(|window| format!("  would disturb least: [window] {window}")));
        lines
    }
}

/// What is known of the sources of a plan; none where nothing was sampled.
///
/// # Errors
/// Those of the state.
pub async fn known(workspace: &Workspace, plan: &Plan) -> Result<Option<Load>, StoreError> {
    let samples = samples(workspace).await?;
    Ok(of(&samples, plan))
}

fn of(samples: &[(f64, u32)], plan: &Plan) -> Option<Load> {
    let load: Vec<Option<f64>> =
        samples.iter().map(|(sum, count)| (*count > 0).then(|| sum / f64::from(*count))).collect();
    let hours_known = load.iter().flatten().count();
    if hours_known == 0 {
        return None;
    }
    let window = plan.window.as_ref();
    let zone = window.map_or("UTC", |w| w.zone_name()).to_owned();
    // A week of which an hour is missing would be proposed for what nobody has seen.
    let whole: Option<Vec<f64>> = load.iter().copied().collect();
    let proposals = whole.map(|load| propose(window, Some(&load), None, 0.0)).unwrap_or_default();
    let windows = proposals.iter().map(|p| {
        let days: Vec<String> = p.days.iter().map(|day| format!("\"{day}\"")).collect();
        format!("days = [{}] from = \"{}\" to = \"{}\" zone = \"{}\"", days.join(", "), p.from, p.to, p.zone)
    });
    Some(Load { load_by_hour: load, hours_known, zone, windows: windows.collect() })
}

async fn samples(workspace: &Workspace) -> Result<Vec<(f64, u32)>, StoreError> {
    let text = workspace.state().setting(SAMPLES).await?;
    let kept: Option<Vec<(f64, u32)>> = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(kept.filter(|kept| kept.len() == HOURS).unwrap_or_else(|| vec![(0.0, 0); HOURS]))
}

/// Asks the sources for a while how many sessions are at work in them, dunlin's own apart, and keeps what they said.
/// Gives the number of samples; 0 where no source can tell.
///
/// # Errors
/// Those of the state.
pub async fn watch(
    workspace: &Workspace,
    plan: &Plan,
    sources: &[Arc<dyn Store>],
    so_long: Duration,
) -> Result<u32, StoreError> {
    let zone = plan.window.as_ref().map_or(TimeZone::UTC, |window| window.zone.clone());
    let (begun, mut taken) = (Instant::now(), 0);
    loop {
        if let Some(at_work) = at_work(sources).await {
            // Read and written at once: a server may sample beside us.
            let mut all = samples(workspace).await?;
            let hour = hour_of_week(Timestamp::now(), &zone);
            all[hour] = (all[hour].0 + at_work, all[hour].1 + 1);
            let mut tx = workspace.state().begin().await?;
            tx.set_setting(SAMPLES, &serde_json::to_string(&all).unwrap_or_default()).await?;
            tx.commit().await?;
            taken += 1;
        }
        if begun.elapsed() + EVERY > so_long {
            return Ok(taken);
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Sessions at work in the sources; none where no source can tell.
async fn at_work(sources: &[Arc<dyn Store>]) -> Option<f64> {
    let mut seen = BTreeSet::new();
    let mut found = None;
    for source in sources.iter().filter(|source| seen.insert(source.name().to_owned())) {
        if let Ok(Activity::Connections(connections)) = source.activity().await {
            let busy = connections.iter().filter(|c| !c.own && c.state == "active").count();
            found = Some(found.unwrap_or(0.0) + busy as f64);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let text = "[plan]\nname = \"x\"\n[store]\n";
        dunlin_plan::load(text, "dunlin.toml").unwrap()
    }

    #[test]
    fn a_measured_week_names_its_ends_and_proposes_hours() {
        let samples: Vec<(f64, u32)> =
            (0..HOURS).map(|hour| (if hour == 10 { 40.0 } else { 4.0 }, 2)).collect();
        let load = of(&samples, &plan()).unwrap();
        let lines = load.lines();
        assert!(lines[0].contains("168 of 168"), "{lines:?}");
        assert!(lines[1].contains("busiest Mon 10:00 (20.0 sessions at work)"), "{lines:?}");
        assert!(!load.windows.is_empty() && load.windows[0].contains("zone = \"UTC\""), "{load:?}");
        let mut part = samples;
        part[3] = (0.0, 0);
        let load = of(&part, &plan()).unwrap();
        assert_eq!(
            (load.hours_known, load.windows.len()),
            (167, 0),
            "nothing is proposed of a week not seen whole"
        );
        assert_eq!(of(&[(0.0, 0); HOURS], &plan()), None);
    }
}
