//! `source_load`: readers wait while the source works harder than the plan allows.
//!
//! How hard it works is how many others are at work in it, by its own list of sessions, asked every second; dunlin's
//! own do not count. The busiest hour is that of the samples which `dunlin serve` takes and keeps. Readers also wait
//! while a standby of the source is far behind, because reading makes that worse. They wait between batches, so a
//! connection and its snapshot stay open meanwhile. Not here: windows, and pauses that people ask for ([`crate::pause`]).

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dunlin_connect::{
    Activity, Bounds, ReadRequest, ReadStream, Reader, Store, Table, Unwired, Wire, WireRequest, WireStream,
};
use dunlin_plan::SourceLoad;
use futures::{Stream, StreamExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Result;
use crate::pause::Pause;
use crate::run::{Event, Observer, Run};

/// How often the sources are asked.
const SAMPLE: Duration = Duration::from_secs(1);
/// How far a standby may be behind before readers wait.
const LAG_MAX: Duration = Duration::from_secs(30);
/// How often a reader that waits sees whether somebody asked for a pause.
const LOOK: Duration = Duration::from_millis(200);
/// The setting in which the server keeps the source's load by hour of the week: sum and count of samples each.
const SAMPLES: &str = "work_load";

/// What holds the readers of a run back. Dropped, it lets them go.
pub(crate) struct Throttle {
    gate: Gate,
    held: Arc<Held>,
    sampler: JoinHandle<()>,
}

/// How long readers were held back.
#[derive(Default)]
struct Held {
    millis: AtomicU64,
    since: Mutex<Option<Instant>>,
}

#[derive(Clone)]
struct Gate {
    shut: watch::Receiver<bool>,
    pause: Pause,
}

impl Drop for Throttle {
    fn drop(&mut self) {
        self.sampler.abort();
    }
}

impl Throttle {
    /// The throttle of a run, where the plan asks for one.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub(crate) async fn of(run: &Run<'_>) -> Result<Option<Self>> {
        let Some(load) = run.plan.window.as_ref().and_then(|w| w.source_load) else { return Ok(None) };
        let samples = run.workspace.state().setting(SAMPLES).await?;
        let limit = samples.and_then(|text| busiest(&text)).map(|busiest| limit(load, busiest));
        let mut sources: Vec<Arc<dyn Store>> = Vec::new();
        for spec in &run.resolved.specs {
            let source = run.source(spec)?;
            if !sources.iter().any(|s| s.name() == source.name()) {
                sources.push(source.clone());
            }
        }
        if limit.is_none() {
            let message = "`source_load`: the busiest hour is not known, as `dunlin serve` has not watched the source \
                           yet; readers wait only for standbys that are behind";
            run.observer.event(Event::Warning { table: "source", message });
        }
        let (send, shut) = watch::channel(false);
        let held = Arc::<Held>::default();
        let sampler = tokio::spawn(sample(sources, limit, send, held.clone(), run.observer.clone()));
        // Nothing is read before the sources were asked once; a sampler that is gone holds nobody.
        let _ = shut.clone().changed().await;
        Ok(Some(Self { gate: Gate { shut, pause: run.options.pause.clone() }, held, sampler }))
    }

    /// A reader that waits when it has to.
    pub(crate) fn over(&self, inner: Arc<dyn Reader>) -> Arc<dyn Reader> {
        Arc::new(Throttled { inner, gate: self.gate.clone() })
    }

    /// Ends it: all rows are read. What is done in the targets from here on waits for no source.
    pub(crate) fn done(&self, observer: &dyn Observer) {
        self.sampler.abort();
        let held = self.held();
        let since = self.held.since.lock().unwrap_or_else(PoisonError::into_inner).take();
        if since.is_some() {
            self.held.millis.store(held.as_millis() as u64, Ordering::Relaxed);
            observer.event(Event::Held { why: None });
        }
    }

    /// How long readers were held back so far.
    pub(crate) fn held(&self) -> Duration {
        let since = *self.held.since.lock().unwrap_or_else(PoisonError::into_inner);
        let before = Duration::from_millis(self.held.millis.load(Ordering::Relaxed));
        before + since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// The mean of the busiest hour of those that were sampled; `None` where none was, or nobody was ever at work.
fn busiest(samples: &str) -> Option<f64> {
    let hours: Vec<(f64, u32)> = serde_json::from_str(samples).ok()?;
    let means = hours.iter().filter(|(_, count)| *count > 0).map(|(sum, count)| sum / f64::from(*count));
    means
        .fold(None, |most: Option<f64>, mean| Some(most.map_or(mean, |m| m.max(mean))))
        .filter(|most| *most > 0.0)
}

/// How many others may be at work.
fn limit(load: SourceLoad, busiest: f64) -> f64 {
    busiest * f64::from(load.pause_above_percent) / 100.0
}

/// Why readers wait, in words.
async fn reason(sources: &[Arc<dyn Store>], limit: Option<f64>) -> Option<String> {
    let mut at_work = 0usize;
    let mut behind = Duration::ZERO;
    for source in sources {
        // A source that does not answer holds nobody back: its readers meet that themselves.
        if let Ok(Activity::Connections(found)) = source.activity().await {
            at_work += found.iter().filter(|c| !c.own && c.state == "active").count();
        }
        if let Ok(Some(lag)) = source.replication_lag().await {
            behind = behind.max(lag);
        }
    }
    match limit {
        Some(limit) if at_work as f64 > limit => {
            Some(format!("{at_work} sessions are at work, and the plan's `source_load` allows {limit:.1}"))
        }
        _ if behind > LAG_MAX => Some(format!("a standby is {} s behind", behind.as_secs())),
        _ => None,
    }
}

async fn sample(
    sources: Vec<Arc<dyn Store>>,
    limit: Option<f64>,
    shut: watch::Sender<bool>,
    held: Arc<Held>,
    observer: Arc<dyn Observer>,
) {
    let mut tick = tokio::time::interval(SAMPLE);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let reason = reason(&sources, limit).await;
        let before = shut.send_replace(reason.is_some());
        let mut since = held.since.lock().unwrap_or_else(PoisonError::into_inner);
        match (before, reason) {
            (false, Some(why)) => {
                *since = Some(Instant::now());
                observer.event(Event::Held { why: Some(&why) });
            }
            (true, None) => {
                if let Some(since) = since.take() {
                    held.millis.fetch_add(since.elapsed().as_millis() as u64, Ordering::Relaxed);
                }
                observer.event(Event::Held { why: None });
            }
            _ => {}
        }
    }
}

impl Gate {
    /// Waits until readers may go on. A run that is to pause comes to the end of its splits first, so it passes.
    async fn pass(&mut self) {
        while *self.shut.borrow_and_update() && self.pause.check().is_ok() {
            // The sampler is gone when the run is: nobody is held then.
            if let Ok(Err(_)) = tokio::time::timeout(LOOK, self.shut.changed()).await {
                return;
            }
        }
    }
}

/// A reader that waits before each batch.
struct Throttled {
    inner: Arc<dyn Reader>,
    gate: Gate,
}

type Batches<T> = Pin<Box<dyn Stream<Item = T> + Send>>;

fn slowed<T: Send + 'static>(stream: Batches<T>, gate: Gate) -> Batches<T> {
    Box::pin(futures::stream::unfold((stream, gate), |(mut stream, mut gate)| async move {
        gate.pass().await;
        stream.next().await.map(|item| (item, (stream, gate)))
    }))
}

#[async_trait]
impl Reader for Throttled {
    async fn splits(
        &self,
        table: &Table,
        rows_per_split: u64,
        previous: &[Bounds],
    ) -> dunlin_connect::Result<Vec<Bounds>> {
        self.inner.splits(table, rows_per_split, previous).await
    }

    async fn read(&self, request: ReadRequest) -> dunlin_connect::Result<ReadStream> {
        self.gate.clone().pass().await;
        Ok(slowed(self.inner.read(request).await?, self.gate.clone()))
    }

    async fn read_addressed(&self, table: Arc<Table>) -> dunlin_connect::Result<ReadStream> {
        Ok(slowed(self.inner.read_addressed(table).await?, self.gate.clone()))
    }

    async fn count(&self, table: &Table) -> dunlin_connect::Result<u64> {
        self.inner.count(table).await
    }

    fn wire(&self, request: &ReadRequest) -> Option<Wire> {
        self.inner.wire(request)
    }

    async fn read_wire(&self, request: WireRequest) -> dunlin_connect::Result<WireStream> {
        self.gate.clone().pass().await;
        Ok(slowed(self.inner.read_wire(request).await?, self.gate.clone()))
    }

    fn unwire(&self, request: &ReadRequest, row: &[u8]) -> dunlin_connect::Result<Unwired> {
        self.inner.unwire(request, row)
    }

    fn rewire(&self, fields: &[Option<Vec<u8>>]) -> Option<Vec<u8>> {
        self.inner.rewire(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_hour_is_that_of_the_samples() {
        assert_eq!(busiest("[[0.0,0],[6.0,3],[30.0,3],[1.0,1]]"), Some(10.0));
        assert_eq!(busiest("[[0.0,0],[0.0,4]]"), None, "nobody was ever at work");
        assert_eq!(busiest("[]"), None);
        let load = SourceLoad { pause_above_percent: 70 };
        assert_eq!(limit(load, 10.0), 7.0);
    }

    #[tokio::test]
    async fn a_shut_gate_holds_until_it_opens_or_a_pause_is_asked_for() {
        let (send, shut) = watch::channel(true);
        let pause = Pause::default();
        let mut gate = Gate { shut, pause: pause.clone() };
        assert!(tokio::time::timeout(Duration::from_millis(50), gate.pass()).await.is_err());
        send.send_replace(false);
        gate.pass().await;
        send.send_replace(true);
        pause.ask(dunlin_store::Actor::System);
        gate.pass().await;
    }
}
