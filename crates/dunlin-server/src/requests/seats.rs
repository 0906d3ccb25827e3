//! Seats from which customers' tables may be read whole: few at a time, and so many in ten minutes for one customer.
//!
//! Not here: who may look, and what is looked at.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use dunlin_store::now_us;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::problem::Problem;

/// Looks at a time.
const LOOKS: usize = 2;
/// Looks that one customer gets in [`WINDOW_US`].
const LOOKS_EACH: usize = 60;
/// Ten minutes, in microseconds.
const WINDOW_US: i64 = 10 * 60 * 1_000_000;

/// The seats.
pub(crate) struct Seats {
    /// Looks that are under way.
    looks: Semaphore,
    /// When each customer, by the state's name, was looked at lately.
    looked: Mutex<HashMap<String, Vec<i64>>>,
}

impl Seats {
    /// All of them free.
    pub(super) fn new() -> Seats {
        Seats { looks: Semaphore::new(LOOKS), looked: Mutex::default() }
    }

    /// Waits for a seat.
    pub(crate) async fn any(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.looks.acquire().await.map_err(|_| Problem::internal())
    }

    /// Waits for a seat for a customer; `name` is the state's for them.
    ///
    /// # Errors
    /// They have had enough for now.
    pub(crate) async fn of(&self, name: String) -> Result<SemaphorePermit<'_>, Problem> {
        self.count(name)?;
        self.any().await
    }

    fn count(&self, name: String) -> Result<(), Problem> {
        let now = now_us();
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.retain(|_, times| {
            times.retain(|at| *at > now - WINDOW_US);
            !times.is_empty()
        });
        let times = looked.entry(name).or_default();
        if times.len() >= LOOKS_EACH {
            let title = "this page was asked for too often";
            return Err(
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many", title).help("wait ten minutes")
            );
        }
        times.push(now);
        Ok(())
    }
}
