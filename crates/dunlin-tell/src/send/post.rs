//! Sends a message: takes letters from the queue, hands them to couriers, notes what came of them, and goes on where a
//! killed process stopped.
//!
//! The order that makes each letter leave once: (1) its delivery is `sending`, durably; (2) its slot of the journal says
//! how far it is, to the moment before the final dot; (3) the answer stands in the slot; (4) the state knows it, durably;
//! (5) the slot is free. A process that starts reads the slots: a letter whose dot had not left is sent; one with an
//! answer is as the answer says; one in between is `uncertain`, which no client of SMTP can know better, and is never
//! sent again by itself. The outbox can be asked, and is.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dunlin_ledger::{Actor, point};
use tokio::sync::{Mutex, mpsc, watch};

use super::error::SendError;
use super::journal::{Journal, Reached, SLOTS};
use super::letter::Letters;
use super::message::{MessageRow, MessageState};
use super::queue::{Due, Ended, Queue};
use super::ramp::{Ramp, Tap};
use super::transport::{Mark, Outcome, Transport};

/// How fast, how often, how long.
#[derive(Clone, Debug)]
pub struct Pace {
    /// The rate.
    pub ramp: Ramp,
    /// Letters that are carried at a time.
    pub couriers: usize,
    /// Pauses before the second, third … try of a letter that was put off, in seconds. After the last it has failed.
    pub pauses_s: Vec<i64>,
    /// How long a server that takes nothing is waited for.
    pub patience: Duration,
    /// Letters refused one after the other, for whatever receivers, after which sending stops: the fault is ours.
    pub refused_in_a_row: u32,
    /// Whether to wait for letters that are to be tried later; otherwise they stay due.
    pub wait: bool,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            ramp: Ramp::NONE,
            couriers: 4,
            // 30 hours in all, as mail servers do among themselves.
            pauses_s: vec![60, 300, 900, 3_600, 10_800, 21_600, 28_800, 43_200],
            patience: Duration::from_secs(120),
            refused_in_a_row: 50,
            wait: true,
        }
    }
}

/// What a call of [`post`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Letters taken over.
    pub taken: u64,
    /// Letters refused.
    pub refused: u64,
    /// Tries that were put off.
    pub later: u64,
    /// Letters that an earlier process had handed over without noting it, as its journal or the outbox says.
    pub recovered: u64,
    /// Letters of which nobody can tell.
    pub uncertain: u64,
    /// Letters that wait for another try.
    pub waiting: u64,
    /// When the next of them is due, in microseconds since 1970 UTC.
    pub next_at: Option<i64>,
    /// Whether it was asked to stop.
    pub stopped: bool,
}

/// Trouble that is told while sending goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The server takes nothing for now.
    NoServer(String),
    /// So many letters have been noted.
    Progress(Sent),
    /// Letters wait until then, in microseconds since 1970 UTC.
    Waiting(i64),
}

/// How often results are made durable at the latest.
const TICK: Duration = Duration::from_millis(40);
/// Results that are made durable together.
const TOGETHER: usize = 64;

/// A letter on its way to a courier.
struct Job {
    slot: usize,
    due: Due,
}

/// What a courier says.
struct Word {
    slot: usize,
    result: Result<Ended, SendError>,
}

/// Sends what is due of a message that was released, until nothing is left, and closes it. `folder` is the workspace's
/// folder for journals; the caller holds the lock of sending. `stop` ends it in order; `tell` hears of progress.
///
/// # Errors
/// The state, the files, or a server that takes nothing. Whatever was noted stays.
#[allow(
    clippy::too_many_arguments,
    reason = "each is a part of its own, and a struct of them would say no more"
)]
pub async fn post(
    queue: &Queue,
    message: &MessageRow,
    letters: Arc<Letters>,
    transport: Arc<dyn Transport>,
    pace: &Pace,
    folder: &Path,
    actor: &Actor,
    stop: watch::Receiver<bool>,
    tell: &(dyn Fn(Trouble) + Sync),
) -> Result<Sent, SendError> {
    if message.state != MessageState::Sending {
        return Ok(Sent::default());
    }
    let path = folder.join(format!("{}.journal", message.id));
    let mut sent = recover(queue, message, &*transport, &path, pace).await?;
    let journal = Arc::new(Journal::create(&path)?);
    let (jobs, taken) = mpsc::channel(SLOTS);
    let (words, heard) = mpsc::channel(SLOTS);
    let taken = Arc::new(Mutex::new(taken));
    let mut couriers = tokio::task::JoinSet::new();
    for _ in 0..pace.couriers.clamp(1, SLOTS) {
        couriers.spawn(courier(
            transport.clone(),
            letters.clone(),
            journal.clone(),
            taken.clone(),
            words.clone(),
        ));
    }
    drop(words);
    let mut desk = Desk {
        queue,
        message,
        pace,
        journal: &journal,
        jobs: Some(jobs),
        heard,
        stop,
        tell,
        free: (0..SLOTS).rev().collect(),
        noted: Vec::new(),
        slots: Vec::new(),
        total: queue.sent(&message.id).await?,
        tap: Tap::new(pace.ramp, Instant::now()),
        trouble_since: None,
        refused_in_a_row: 0,
        trouble: None,
        sent,
    };
    let ended = desk.run().await;
    sent = desk.sent;
    desk.jobs = None;
    // Nothing is under way any more when `run` ends well; else what is comes to its end in the next process.
    drop(desk);
    while couriers.join_next().await.is_some() {}
    ended?;
    let (waiting, next_at) = queue.waiting(&message.id).await?;
    sent.waiting = waiting;
    sent.next_at = next_at;
    if queue.close(message, actor).await? {
        transport.finished().await?;
        std::fs::remove_file(&path).map_err(SendError::file(&path))?;
    }
    Ok(sent)
}

/// Settles what an earlier process had under way.
async fn recover(
    queue: &Queue,
    message: &MessageRow,
    transport: &dyn Transport,
    path: &Path,
    pace: &Pace,
) -> Result<Sent, SendError> {
    let mut sent = Sent::default();
    let under_way = queue.under_way(&message.id).await?;
    if under_way.is_empty() {
        return Ok(sent);
    }
    let journal = Journal::read(path)?;
    let mut ended = Vec::with_capacity(under_way.len());
    for (recipient, letter, attempts) in under_way {
        let noted = || {
            // A journal that cannot be believed says nothing; one that can, and has no slot, says that it had not begun.
            let Some(slots) = &journal else { return Reached::Unknown };
            slots.iter().find(|(of, _)| *of == recipient).map_or(Reached::NotYet, |(_, reached)| *reached)
        };
        let reached = match transport.has(&letter).await? {
            Some(true) => Reached::Taken,
            Some(false) => Reached::NotYet,
            None => noted(),
        };
        let outcome = match reached {
            Reached::NotYet => Outcome::NoServer("interrupted".to_owned()),
            Reached::Unknown => Outcome::Uncertain,
            Reached::Taken => Outcome::Taken,
            Reached::Refused(code) => Outcome::Refused(code),
            Reached::Later(code) => Outcome::Later(code.to_string()),
        };
        sent.recovered +=
            u64::from(matches!(reached, Reached::Taken | Reached::Refused(_) | Reached::Later(_)));
        sent.uncertain += u64::from(reached == Reached::Unknown);
        ended.push(Ended { recipient, attempts, outcome });
    }
    queue.exchange(message, &ended, 0, &pace.pauses_s).await?;
    Ok(sent)
}

/// Where letters are given out and results come in.
struct Desk<'a> {
    queue: &'a Queue,
    message: &'a MessageRow,
    pace: &'a Pace,
    journal: &'a Journal,
    jobs: Option<mpsc::Sender<Job>>,
    heard: mpsc::Receiver<Word>,
    stop: watch::Receiver<bool>,
    tell: &'a (dyn Fn(Trouble) + Sync),
    /// Slots that nothing is in.
    free: Vec<usize>,
    /// Results that are not durable yet, and their slots.
    noted: Vec<Ended>,
    slots: Vec<usize>,
    /// Letters sent in all, by this and earlier processes.
    total: u64,
    tap: Tap,
    trouble_since: Option<Instant>,
    refused_in_a_row: u32,
    trouble: Option<SendError>,
    sent: Sent,
}

impl Desk<'_> {
    async fn run(&mut self) -> Result<(), SendError> {
        let mut told = Instant::now();
        loop {
            let asked_to_stop = *self.stop.borrow();
            self.sent.stopped = asked_to_stop;
            let giving = self.trouble.is_none() && !asked_to_stop;
            let given = self.turn(giving).await?;
            let under_way = SLOTS - self.free.len();
            if told.elapsed() > Duration::from_secs(5) {
                told = Instant::now();
                (self.tell)(Trouble::Progress(self.sent));
            }
            if under_way > 0 {
                self.listen().await?;
                continue;
            }
            if let Some(trouble) = self.trouble.take() {
                return Err(trouble);
            }
            if asked_to_stop {
                return Ok(());
            }
            if given == 0 && !self.rest().await? {
                return Ok(());
            }
        }
    }

    /// Makes results durable and gives out letters, in one transaction. Gives how many were given out.
    async fn turn(&mut self, giving: bool) -> Result<usize, SendError> {
        let quiet = self.trouble_since.is_some_and(|since| since.elapsed() < Duration::from_secs(1));
        let limit = if giving && !quiet {
            self.tap.allows(Instant::now(), self.total).min(self.free.len() as u64)
        } else {
            0
        };
        // A transaction for a handful of slots would cost as much as one for all.
        let limit = if self.noted.is_empty() && limit < TOGETHER as u64 && self.free.len() < SLOTS {
            0
        } else {
            limit
        };
        if self.noted.is_empty() && limit == 0 {
            return Ok(0);
        }
        let stopped = |_| SendError::Defect;
        point("tell::post.before_commit").map_err(stopped)?;
        let due = self.queue.exchange(self.message, &self.noted, limit, &self.pace.pauses_s).await?;
        point("tell::post.after_commit").map_err(stopped)?;
        self.noted.clear();
        for slot in self.slots.drain(..) {
            self.journal.free(slot);
            self.free.push(slot);
        }
        self.tap.took(due.len() as u64);
        let given = due.len();
        for due in due {
            let slot = self.free.pop().ok_or(SendError::Defect)?;
            self.journal.begun(slot, due.recipient);
            let jobs = self.jobs.as_ref().ok_or(SendError::Defect)?;
            jobs.send(Job { slot, due }).await.map_err(|_| SendError::Defect)?;
        }
        point("tell::post.claimed").map_err(stopped)?;
        Ok(given)
    }

    /// Hears what couriers say, until there is enough to be made durable.
    async fn listen(&mut self) -> Result<(), SendError> {
        let until = tokio::time::Instant::now() + TICK;
        while self.noted.len() < TOGETHER {
            let word = tokio::select! {
                word = self.heard.recv() => word.ok_or(SendError::Defect)?,
                () = tokio::time::sleep_until(until) => return Ok(()),
            };
            let ended = word.result?;
            self.judge(&ended.outcome);
            self.noted.push(ended);
            self.slots.push(word.slot);
            if self.noted.len() + self.free.len() == SLOTS {
                // Nobody is at work: waiting would bring nothing.
                return Ok(());
            }
        }
        Ok(())
    }

    fn judge(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Taken => self.sent.taken += 1,
            Outcome::Refused(_) => self.sent.refused += 1,
            Outcome::Later(_) => self.sent.later += 1,
            Outcome::Uncertain => self.sent.uncertain += 1,
            Outcome::NoServer(_) | Outcome::NotUs(_) => {}
        }
        match outcome {
            Outcome::NoServer(code) => {
                let since = *self.trouble_since.get_or_insert_with(|| {
                    (self.tell)(Trouble::NoServer(code.clone()));
                    Instant::now()
                });
                if since.elapsed() >= self.pace.patience {
                    self.trouble.get_or_insert(SendError::Server { code: code.clone() });
                }
            }
            Outcome::NotUs(code) => {
                self.trouble.get_or_insert(SendError::Server { code: code.clone() });
            }
            Outcome::Refused(code) => {
                self.trouble_since = None;
                self.refused_in_a_row += 1;
                if self.refused_in_a_row >= self.pace.refused_in_a_row {
                    let (count, code) = (self.refused_in_a_row, code.to_string());
                    self.trouble.get_or_insert(SendError::AllRefused { count, code });
                }
            }
            _ => self.trouble_since = None,
        }
        if *outcome == Outcome::Taken {
            self.total += 1;
            self.refused_in_a_row = 0;
        }
    }

    /// Nothing was given out: waits for the rate, the server, or the next letter that is due. False when nothing will
    /// come, or it is not to be waited for.
    async fn rest(&mut self) -> Result<bool, SendError> {
        let (waiting, next_at) = self.queue.waiting(&self.message.id).await?;
        if waiting == 0 {
            return Ok(false);
        }
        let now = dunlin_store::now_us();
        let until_due = next_at.map_or(0, |at| at - now);
        if until_due > 0 {
            if !self.pace.wait {
                return Ok(false);
            }
            (self.tell)(Trouble::Waiting(now + until_due));
        }
        let due = Duration::from_micros(u64::try_from(until_due).unwrap_or(0));
        let server = if self.trouble_since.is_some() { Duration::from_secs(1) } else { Duration::ZERO };
        let pause = due.max(self.tap.pause(self.total)).max(server).max(Duration::from_millis(1));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            changed = self.stop.changed() => if changed.is_err() {
                // Whoever could have stopped it is gone: it goes on.
                tokio::time::sleep(pause).await;
            },
        }
        Ok(true)
    }
}

/// Carries letters until there are no more.
async fn courier(
    transport: Arc<dyn Transport>,
    letters: Arc<Letters>,
    journal: Arc<Journal>,
    jobs: Arc<Mutex<mpsc::Receiver<Job>>>,
    words: mpsc::Sender<Word>,
) {
    let mut courier = transport.courier();
    loop {
        let job = jobs.lock().await.recv().await;
        let Some(Job { slot, due }) = job else { break };
        let result = match letters.write(&due.letter, &due.locale, due.recipient, &due.to) {
            Ok(letter) => courier.carry(&letter, &Mark { journal: &journal, slot }).await,
            Err(error) => Err(error.into()),
        };
        if let Ok(outcome) = &result {
            journal.ended(slot, outcome);
            // A crash test stops here; what came of the letter is known to the journal alone.
            let _ = point("tell::post.answered");
        }
        let ended = |outcome| Ended { recipient: due.recipient, attempts: due.attempts, outcome };
        if words.send(Word { slot, result: result.map(ended) }).await.is_err() {
            break;
        }
    }
    courier.close().await;
}
