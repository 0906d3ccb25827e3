//! What the server keeps at hand for work: the plan as it is, what is known of its tables, who is where.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use dunlin_guard::Guard;
use dunlin_guard::audit::LedgerReader;
use dunlin_plan::Plan;
use dunlin_work::{TableFacts, Work, Worker, calendar};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Where a person is.
#[derive(Debug, Clone)]
pub(super) struct Here {
    pub(super) name: String,
    pub(super) task: String,
    pub(super) field: Option<String>,
    pub(super) since: Instant,
}

/// Everything.
pub(crate) struct Desk {
    pub(crate) work: Work,
    pub(super) ledger: LedgerReader,
    plan: RwLock<Option<Arc<Plan>>>,
    facts: RwLock<Vec<TableFacts>>,
    pub(super) here: Mutex<HashMap<String, Here>>,
    risks: RwLock<HashMap<String, f64>>,
    load: Mutex<Vec<(f64, u32)>>,
}

impl Desk {
    /// Nothing is known of the plan yet.
    pub(crate) fn new(work: Work, ledger: LedgerReader) -> Desk {
        Desk {
            work,
            ledger,
            plan: RwLock::default(),
            facts: RwLock::default(),
            here: Mutex::default(),
            risks: RwLock::default(),
            load: Mutex::new(vec![(0.0, 0); 168]),
        }
    }

    /// The plan, when there is one that can be read.
    pub(crate) fn plan(&self) -> Option<Arc<Plan>> {
        self.plan.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_plan(&self, plan: Option<Plan>) {
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = plan.map(Arc::new);
    }

    /// What is known of the plan's tables.
    pub(super) fn facts(&self) -> Vec<TableFacts> {
        self.facts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_facts(&self, facts: Vec<TableFacts>) {
        *self.facts.write().unwrap_or_else(PoisonError::into_inner) = facts;
    }

    /// How likely a task misses its deadline, as the newest forecast says.
    pub(super) fn risk(&self, task: &str) -> Option<f64> {
        self.risks.read().unwrap_or_else(PoisonError::into_inner).get(task).copied()
    }

    pub(super) fn set_risks(&self, risks: HashMap<String, f64>) {
        *self.risks.write().unwrap_or_else(PoisonError::into_inner) = risks;
    }

    /// The load of the source by hour of the week, once nearly all of a week is known; and how much of it is.
    pub(super) fn load(&self) -> (Option<Vec<f64>>, usize) {
        let load = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        let known = load.iter().filter(|(_, n)| *n > 0).count();
        let mean = || load.iter().map(|(sum, n)| sum / f64::from((*n).max(1))).collect();
        ((known >= 160).then(mean), known)
    }

    /// Adds a sample of the source's load.
    pub(super) fn sample(&self, hour: usize, load: f64) {
        let mut held = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((sum, count)) = held.get_mut(hour) {
            *sum += load;
            *count += 1;
        }
    }

    /// What was sampled, as text to be kept; and back.
    pub(super) fn load_text(&self) -> String {
        let load = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_string(&*load).unwrap_or_default()
    }

    pub(super) fn set_load(&self, text: &str) {
        let Ok(load) = serde_json::from_str::<Vec<(f64, u32)>>(text) else { return };
        if load.len() == 168 {
            *self.load.lock().unwrap_or_else(PoisonError::into_inner) = load;
        }
    }

    /// The zone in which days begin: that of the plan's window.
    pub(crate) fn zone(&self) -> TimeZone {
        self.plan().and_then(|p| p.window.as_ref().map(|w| w.zone.clone())).unwrap_or(TimeZone::UTC)
    }

    /// Today, there.
    pub(super) fn today(&self) -> Date {
        Timestamp::now().to_zoned(self.zone()).date()
    }

    /// The same as a number.
    pub(super) fn today_number(&self) -> calendar::DayNumber {
        calendar::number(self.today())
    }
}

/// The people who can have tasks.
pub(super) async fn workers(guard: &Guard) -> Result<Vec<Worker>, dunlin_guard::GuardError> {
    let people = guard.people().await?;
    let can = |p: &dunlin_guard::Person| {
        matches!(p.status, dunlin_guard::Status::Active | dunlin_guard::Status::Invited)
    };
    let worker = |p: dunlin_guard::Person| Worker {
        id: p.id,
        name: p.name,
        email: p.email,
        role: p.role,
        organisation: p.organisation,
    };
    Ok(people.into_iter().filter(can).map(worker).collect())
}
