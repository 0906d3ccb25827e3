//! When all will be done, by simulation: measured rows a second, windows, calendars, and how long people really take.
//!
//! A rate is drawn as from a log-normal of which few samples are known (normal-inverse-gamma posterior with Jeffreys'
//! prior), so that few measurements make a wide forecast. What is assumed and not measured is named in the answer.

use std::collections::{BTreeSet, HashMap};

use dunlin_plan::Window;
use dunlin_store::State;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use utoipa::ToSchema;

use crate::board::Board;
use crate::calendar::{self, Calendar, DayNumber};
use crate::draft::TableFacts;
use crate::error::{Result, db};
use crate::hours::Hours;
use crate::model::{Status, Step};
use crate::schedule::{self, Node};

/// Draws for a small network; fewer for a large one.
const DRAWS: usize = 400;
/// How widely people's work varies, where nothing was measured: the standard deviation of the logarithm.
const GUESSED_SPREAD: f64 = 0.4;

/// Changes that are tried out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WhatIf {
    /// Splits at a time.
    #[schema(minimum = 1, maximum = 64)]
    pub jobs: Option<u32>,
    /// Another window.
    pub window: Option<WindowSpec>,
    /// Labels of tables that do not move.
    pub without_tables: Vec<String>,
}

/// A window as the plan writes it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowSpec {
    /// `mon` to `sun`.
    pub days: Vec<String>,
    /// `HH:MM`.
    pub from: String,
    /// `HH:MM`.
    pub to: String,
    /// An IANA zone.
    pub zone: String,
}

/// What a forecast rests on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Basis {
    /// The middle of the measured rates; none where no run has been measured.
    pub rows_per_second: Option<f64>,
    /// How many measurements.
    pub samples: usize,
    /// Share of rows that had to wait for a person.
    pub error_rate: Option<f64>,
    /// Rows that are still to be moved, of tables whose rows are known.
    pub rows_left: u64,
    /// Hours a week in which data may move.
    pub window_hours_week: f64,
    /// Tasks that are not done.
    pub tasks_left: usize,
    /// Splits at a time.
    pub jobs: u32,
    /// Draws of the simulation.
    pub draws: usize,
    /// What is assumed and not measured, as codes: `rate`, `rows`, `people`.
    pub assumed: Vec<String>,
}

/// The risk of one deadline.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Deadline {
    /// The task.
    pub task: String,
    /// Its number on the board.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its deadline.
    pub deadline: String,
    /// How likely it is missed, 0 to 1.
    pub risk: f64,
}

/// A forecast.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Forecast {
    /// As likely before as after; none when nothing is left to do.
    pub finish_p50: Option<String>,
    /// Nine times of ten before.
    pub finish_p90: Option<String>,
    /// Every deadline of what is not done.
    pub deadlines: Vec<Deadline>,
    /// What it rests on.
    pub basis: Basis,
}

/// Speeds of past runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// Rows a second of one split at work, one a table and run.
    pub rates: Vec<f64>,
    /// Rows read and rows that had to wait.
    pub rows: (u64, u64),
    /// Splits at a time of the newest run.
    pub jobs: u32,
}

impl Measured {
    /// From what runs have left in the state.
    pub async fn read(state: &State) -> Result<Measured> {
        let failed = db("reading the speed of runs");
        let rows = sqlx::query(
            "select s.run, s.label, s.receipt, r.jobs from splits s join runs r on r.id = s.run \
             where s.receipt is not null order by r.started_at desc, s.label, s.split limit 5000",
        )
        .fetch_all(state.pool())
        .await
        .map_err(&failed)?;
        let mut sums: HashMap<(String, String), (u64, u64)> = HashMap::new();
        let mut measured = Measured::default();
        for row in &rows {
            let receipt: String = row.try_get(2).map_err(&failed)?;
            let Ok(receipt) = serde_json::from_str::<serde_json::Value>(&receipt) else { continue };
            let number = |path: &str| receipt.pointer(path).and_then(serde_json::Value::as_u64).unwrap_or(0);
            let key = (row.try_get(0).map_err(&failed)?, row.try_get(1).map_err(&failed)?);
            let sum = sums.entry(key).or_default();
            sum.0 += number("/source/rows");
            sum.1 += number("/micros");
            measured.rows.0 += number("/source/rows");
            measured.rows.1 += number("/dispositions/quarantined/rows");
            if measured.jobs == 0 {
                measured.jobs = u32::try_from(row.try_get::<i64, _>(3).map_err(&failed)?).unwrap_or(1);
            }
        }
        let fast = sums.values().filter(|(rows, micros)| *rows > 0 && *micros > 0);
        measured.rates = fast.map(|(rows, micros)| *rows as f64 / (*micros as f64 / 1e6)).collect();
        measured.rates.sort_by(f64::total_cmp);
        Ok(measured)
    }
}

/// Values of which the logarithm is normal, known by samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    mean: f64,
    deviation: f64,
    samples: usize,
}

impl Spread {
    /// From samples, all above 0. Of one alone the spread is guessed.
    pub fn of(samples: &[f64]) -> Option<Spread> {
        let logs: Vec<f64> = samples.iter().filter(|x| **x > 0.0).map(|x| x.ln()).collect();
        let n = logs.len();
        if n == 0 {
            return None;
        }
        let mean = logs.iter().sum::<f64>() / n as f64;
        let square: f64 = logs.iter().map(|x| (x - mean).powi(2)).sum();
        let deviation = if n > 1 { (square / (n - 1) as f64).sqrt() } else { GUESSED_SPREAD };
        Some(Spread { mean, deviation, samples: n })
    }

    /// What is guessed without a sample.
    fn guessed() -> Spread {
        Spread { mean: 0.0, deviation: GUESSED_SPREAD, samples: usize::MAX }
    }

    /// Draws what the samples leave open: the true mean and deviation.
    pub fn draw(&self, rng: &mut StdRng) -> (f64, f64) {
        match self.samples {
            usize::MAX => (self.mean, self.deviation),
            0 | 1 => (self.mean + self.deviation * normal(rng), self.deviation),
            n => {
                let chi: f64 = (1..n).map(|_| normal(rng).powi(2)).sum();
                // Few samples can leave a spread that means nothing; it is kept within what can be.
                let deviation = (self.deviation * ((n - 1) as f64 / chi.max(1e-9)).sqrt()).min(5.0);
                (self.mean + deviation / (n as f64).sqrt() * normal(rng), deviation)
            }
        }
    }
}

/// A value of a log-normal.
pub fn value((mean, deviation): (f64, f64), rng: &mut StdRng) -> f64 {
    (mean + deviation * normal(rng)).exp()
}

/// Standard normal (Box and Muller).
fn normal(rng: &mut StdRng) -> f64 {
    let (a, b): (f64, f64) = (rng.random::<f64>().max(f64::MIN_POSITIVE), rng.random());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// The value below which a share of all lies; the values are sorted here.
pub fn quantile(values: &mut [i64], share: f64) -> Option<i64> {
    values.sort_unstable();
    let at = ((values.len() as f64 * share).ceil() as usize).saturating_sub(1);
    values.get(at).copied()
}

/// Everything that a simulation needs, apart from the board.
pub struct Input {
    ids: Vec<String>,
    nodes: Vec<Node>,
    calendars: Vec<Calendar>,
    /// Rows of the tasks that load a table, by place.
    loads: HashMap<usize, u64>,
    deadlines: Vec<Due>,
    human: Spread,
    measured: Measured,
    jobs: u32,
    hours: Hours,
    zone: TimeZone,
    now: Timestamp,
    today: DayNumber,
    basis: Basis,
}

/// A deadline to be held against each simulated finish.
struct Due {
    /// The task's place.
    at: usize,
    number: u64,
    title: String,
    day: DayNumber,
}

/// What stands around the tasks.
pub struct Around<'a> {
    /// What is known of the plan's tables.
    pub facts: &'a [TableFacts],
    /// The speeds of past runs.
    pub measured: Measured,
    /// The window.
    pub window: Option<&'a Window>,
    /// In which zone days begin.
    pub zone: TimeZone,
    /// Now.
    pub now: Timestamp,
    /// What is tried out.
    pub what_if: &'a WhatIf,
}

impl Board {
    /// Takes from the board what a forecast needs, so that the board need not be held while it is worked out.
    pub fn forecast_input(&self, around: Around<'_>) -> Input {
        let Around { facts, measured, window, zone, now, what_if } = around;
        let today = calendar::number(now.to_zoned(zone.clone()).date());
        let calendars = self.calendars();
        let network = self.network(&calendars, today);
        let (mut loads, mut deadlines, mut assumed) = (HashMap::new(), Vec::new(), BTreeSet::new());
        let mut nodes = network.nodes;
        let mut left = 0;
        for (at, id) in network.ids.iter().enumerate() {
            let Some(task) = self.task(id) else { continue };
            let table = task.binding.as_ref().and_then(|b| b.table.as_deref());
            if table.is_some_and(|t| what_if.without_tables.iter().any(|w| w == t)) {
                nodes[at].actual = Some((today, today));
                continue;
            }
            if nodes[at].actual.is_some() {
                continue;
            }
            left += 1;
            if let Some(deadline) = task.deadline {
                let (number, title) = (task.number, task.title.clone());
                deadlines.push(Due { at, number, title, day: calendar::number(deadline) });
            }
            let is_load = task.binding.as_ref().is_some_and(|b| b.step == Step::Load);
            if let (true, Some(table)) = (is_load, table) {
                let known = facts.iter().find(|f| f.label == table).and_then(|f| f.rows);
                match known.or_else(|| self.fold.counts(table).map(|c| c.source_rows)) {
                    Some(rows) if !measured.rates.is_empty() => drop(loads.insert(at, rows)),
                    Some(_) => drop(assumed.insert("rate")),
                    None => drop(assumed.insert("rows")),
                }
            }
        }
        let human = self.human();
        if human.samples == usize::MAX {
            assumed.insert("people");
        }
        let jobs = what_if.jobs.unwrap_or(measured.jobs).max(1);
        let mut rates = measured.rates.clone();
        let middle = (!rates.is_empty()).then(|| {
            rates.sort_by(f64::total_cmp);
            rates[rates.len() / 2] * f64::from(jobs)
        });
        let (read, waited) = measured.rows;
        let basis = Basis {
            rows_per_second: middle,
            samples: measured.rates.len(),
            error_rate: (read > 0).then(|| waited as f64 / read as f64),
            rows_left: loads.values().sum(),
            window_hours_week: Hours::of_week(window),
            tasks_left: left,
            jobs,
            draws: (2_000_000 / nodes.len().max(1)).clamp(40, DRAWS),
            assumed: assumed.into_iter().map(str::to_owned).collect(),
        };
        Input {
            ids: network.ids.iter().map(|id| (*id).to_owned()).collect(),
            nodes,
            calendars: network.calendars.into_iter().cloned().collect(),
            loads,
            deadlines,
            human,
            measured,
            jobs,
            hours: Hours::of(window, now),
            zone,
            now,
            today,
            basis,
        }
    }

    /// How long people took for what they had estimated.
    fn human(&self) -> Spread {
        let took = |t: &&std::sync::Arc<crate::Task>| t.status == Status::Done && t.binding.is_none();
        let ratio = |t: &std::sync::Arc<crate::Task>| {
            let days = (t.done_at? - t.started_at?) as f64 / 86_400e6;
            let planned = t.estimate_hours.filter(|h| *h > 0.0)? / 8.0;
            (days > 0.01).then(|| (days.max(planned.min(1.0) * 0.5) / planned.max(0.25)).clamp(0.1, 20.0))
        };
        let ratios: Vec<f64> = self.tasks().filter(took).filter_map(ratio).collect();
        Spread::of(&ratios).filter(|_| ratios.len() >= 5).unwrap_or_else(Spread::guessed)
    }
}

impl Input {
    /// Simulates. The seed makes it repeatable: the same input gives the same forecast.
    pub fn run(&self, seed: u64) -> Forecast {
        let calendars: Vec<&Calendar> = self.calendars.iter().collect();
        let Ok(order) = schedule::order(&self.nodes) else { return self.answer(Vec::new(), &[]) };
        let mut rng = StdRng::seed_from_u64(seed);
        let rates = Spread::of(&self.measured.rates);
        let mut ends = Vec::with_capacity(self.basis.draws);
        let mut late = vec![0usize; self.deadlines.len()];
        for _ in 0..self.basis.draws {
            let places = self.draw(&order, &calendars, rates, &mut rng);
            let open = (0..self.nodes.len()).filter(|at| self.nodes[*at].actual.is_none());
            if let Some(end) = open.map(|at| places[at].1).max() {
                ends.push(i64::from(end));
            }
            for (count, due) in late.iter_mut().zip(&self.deadlines) {
                // The boundary after the deadline's day is still in time.
                *count += usize::from(places[due.at].1 > due.day + 1);
            }
        }
        self.answer(ends, &late)
    }

    fn draw(
        &self,
        order: &[usize],
        calendars: &[&Calendar],
        rates: Option<Spread>,
        rng: &mut StdRng,
    ) -> Vec<(DayNumber, DayNumber)> {
        let people = self.human.draw(rng);
        let rate = rates.map(|r| r.draw(rng));
        // One run at a time has the stores.
        let mut free = self.now.as_microsecond();
        schedule::forward_by(&self.nodes, calendars, order, self.today, |at, start| {
            if let (Some(rows), Some(rate)) = (self.loads.get(&at), rate) {
                let rate = value(rate, rng) * f64::from(self.jobs);
                let over = self.hours.advance(self.beginning(start).max(free), *rows as f64 / rate.max(1e-6));
                free = over;
                return self.day_of(over) + 1;
            }
            let node = &self.nodes[at];
            let days = (f64::from(node.days) * value(people, rng)).round() as i32;
            let days = if node.days > 0 { days.clamp(1, 4000) } else { 0 };
            calendars[node.calendar].finish(start, days)
        })
    }

    /// The moment at which a day begins, or now when it has begun.
    fn beginning(&self, day: DayNumber) -> i64 {
        let midnight = calendar::day(day).to_zoned(self.zone.clone()).map(|z| z.timestamp().as_microsecond());
        midnight.unwrap_or(0).max(self.now.as_microsecond())
    }

    fn day_of(&self, us: i64) -> DayNumber {
        let at = Timestamp::from_microsecond(us).unwrap_or(Timestamp::MAX);
        calendar::number(at.to_zoned(self.zone.clone()).date())
    }

    fn answer(&self, mut ends: Vec<i64>, late: &[usize]) -> Forecast {
        let day = |boundary: i64| calendar::day(i32::try_from(boundary - 1).unwrap_or(i32::MAX)).to_string();
        let draws = self.basis.draws.max(1) as f64;
        let deadlines = self.deadlines.iter().zip(late).map(|(due, late)| Deadline {
            task: self.ids[due.at].clone(),
            number: due.number,
            title: due.title.clone(),
            deadline: calendar::day(due.day).to_string(),
            risk: *late as f64 / draws,
        });
        Forecast {
            deadlines: deadlines.collect(),
            finish_p50: quantile(&mut ends, 0.5).map(day),
            finish_p90: quantile(&mut ends, 0.9).map(day),
            basis: self.basis.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Migrations of five loads in weekly hours, of which the past has six measured runs: what is said to be P90 holds
    /// in nine of ten.
    #[test]
    fn nine_of_ten_migrations_end_by_their_p90() {
        let mut rng = StdRng::seed_from_u64(7);
        let hours = Hours {
            periods: (0..400)
                .map(|w| (w * 604_800_000_000, w * 604_800_000_000 + 28_800_000_000, w * 28_800_000_000))
                .collect(),
        };
        let end = |rates: &[f64], rows: &[f64]| {
            let step = |at: i64, (rate, rows): (&f64, &f64)| hours.advance(at, rows / rate);
            rates.iter().zip(rows).fold(0, step)
        };
        let (mut held, migrations) = (0, 1000);
        for _ in 0..migrations {
            let truth = (rng.random_range(5.0..12.0), rng.random_range(0.1..0.8));
            let past: Vec<f64> = (0..6).map(|_| value(truth, &mut rng)).collect();
            let rows: Vec<f64> = (0..5).map(|_| rng.random_range(1e6..5e8)).collect();
            let spread = Spread::of(&past).unwrap();
            let mut simulated: Vec<i64> = (0..300)
                .map(|_| {
                    let drawn = spread.draw(&mut rng);
                    let rates: Vec<f64> = rows.iter().map(|_| value(drawn, &mut rng)).collect();
                    end(&rates, &rows)
                })
                .collect();
            let p90 = quantile(&mut simulated, 0.9).unwrap();
            let rates: Vec<f64> = rows.iter().map(|_| value(truth, &mut rng)).collect();
            held += usize::from(end(&rates, &rows) <= p90);
        }
        let share = held as f64 / f64::from(migrations);
        assert!((0.85..=0.95).contains(&share), "{share}");
    }
}
