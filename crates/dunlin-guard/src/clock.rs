//! Time that nobody turns back. Lifetimes and limits do not go by the wall clock alone: setting it back must not
//! revive a session, and setting it forth must not open a lock.
//!
//! Not here: the time that entries of the ledger carry, which is the wall clock's ([`dunlin_store::now_us`]).

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dunlin_store::{State, Tx};
use sqlx::Row;

use crate::GuardError;
use crate::error::db;

/// One reading, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock, since 1970 UTC: what people and entries are told.
    pub wall: i64,
    /// Never goes back, also over a restart, and never lags the wall clock: what lives until X is dead once
    /// `late >= X`. A wall clock that jumps forth ends things early, which is the safe side.
    pub late: i64,
    /// Counts only time that a process has lived through, whatever the wall clock says: a lock opens, and a
    /// limit's window passes, by this one.
    pub served: i64,
}

/// Where time comes from; tests bring their own.
pub trait TimeSource: Send + Sync {
    /// The wall clock, in microseconds since 1970 UTC.
    fn wall_us(&self) -> i64;
    /// A clock that only counts on, in microseconds since some moment.
    fn steady_us(&self) -> i64;
}

/// The machine's clocks.
pub struct SystemTime(Instant);

impl Default for SystemTime {
    fn default() -> Self {
        SystemTime(Instant::now())
    }
}

impl TimeSource for SystemTime {
    fn wall_us(&self) -> i64 {
        dunlin_store::now_us()
    }

    fn steady_us(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

/// A clock for tests, moved by hand.
pub struct ManualTime {
    wall: AtomicI64,
    steady: AtomicI64,
}

impl ManualTime {
    /// Starts at this wall time, in microseconds since 1970 UTC.
    pub fn new(wall_us: i64) -> Arc<ManualTime> {
        Arc::new(ManualTime { wall: AtomicI64::new(wall_us), steady: AtomicI64::new(0) })
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        let us = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.wall.fetch_add(us, Ordering::SeqCst);
        self.steady.fetch_add(us, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock forth or back; no time passes.
    pub fn jump_us(&self, by_us: i64) {
        self.wall.fetch_add(by_us, Ordering::SeqCst);
    }
}

impl TimeSource for ManualTime {
    fn wall_us(&self) -> i64 {
        self.wall.load(Ordering::SeqCst)
    }

    fn steady_us(&self) -> i64 {
        self.steady.load(Ordering::SeqCst)
    }
}

/// The guard's clock. Cheap to clone; clones share one reading.
#[derive(Clone)]
pub struct Clock {
    source: Arc<dyn TimeSource>,
    marks: Arc<Mutex<Marks>>,
}

struct Marks {
    late: i64,
    served: i64,
    steady: i64,
}

impl Clock {
    /// Goes on from the highest readings that the state remembers.
    pub async fn open(state: &State, source: Arc<dyn TimeSource>) -> Result<Clock, GuardError> {
        let failed = db("reading the guard's clock");
        let row = sqlx::query("select late, served from guard_clock where id = 1")
            .fetch_optional(state.pool())
            .await
            .map_err(&failed)?;
        let wall = source.wall_us();
        let (late, served) = match row {
            Some(row) => (row.try_get(0).map_err(&failed)?, row.try_get(1).map_err(&failed)?),
            None => (wall, wall),
        };
        let marks = Marks { late, served, steady: source.steady_us() };
        Ok(Clock { source, marks: Arc::new(Mutex::new(marks)) })
    }

    /// A reading, now.
    pub fn now(&self) -> Moment {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall, steady) = (self.source.wall_us(), self.source.steady_us());
        let passed = (steady - marks.steady).max(0);
        marks.steady = steady.max(marks.steady);
        marks.served = marks.served.saturating_add(passed);
        marks.late = marks.late.saturating_add(passed).max(wall);
        Moment { wall, late: marks.late, served: marks.served }
    }

    /// Makes the reading durable with this transaction: every change that a lock or a lifetime rests on does so.
    pub async fn keep(&self, tx: &mut Tx) -> Result<Moment, GuardError> {
        let now = self.now();
        sqlx::query(
            "insert into guard_clock (id, late, served) values (1, $1, $2) on conflict (id) do update set \
             late = case when guard_clock.late < $1 then $1 else guard_clock.late end, \
             served = case when guard_clock.served < $2 then $2 else guard_clock.served end",
        )
        .bind(now.late)
        .bind(now.served)
        .execute(tx.connection())
        .await
        .map_err(db("keeping the guard's clock"))?;
        Ok(now)
    }
}

/// Seconds as microseconds.
pub(crate) const fn seconds(s: u64) -> i64 {
    (s as i64).saturating_mul(1_000_000)
}
