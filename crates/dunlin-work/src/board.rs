//! All tasks of the workspace in memory, with what is worked out of them. A server is the only one who changes them.
//!
//! Not here: changing them so that it lasts (`work`), and finding them (`query`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::calendar::{self, Calendars, DayNumber};
use crate::error::{Result, WorkError};
use crate::fold::Fold;
use crate::model::{Kind, Status, Task};
use crate::schedule::{Node, Place, schedule};
use crate::shown::Scheduled;
use crate::things::{Baseline, Blackout, Field, Hook, Template, View, WorkingDays};

/// A task with the text that searches look through.
pub(crate) struct Row {
    pub(crate) task: Arc<Task>,
    pub(crate) haystack: Box<str>,
    /// Where the title lies in it, in lower case: what titles sort by.
    pub(crate) title: std::ops::Range<usize>,
}

/// Everything.
#[derive(Default)]
pub struct Board {
    pub(crate) rows: Vec<Row>,
    places: HashMap<String, usize>,
    pub(crate) fields: Vec<Field>,
    pub(crate) views: Vec<View>,
    pub(crate) templates: Vec<Template>,
    pub(crate) blackouts: Vec<Blackout>,
    pub(crate) working_days: Vec<WorkingDays>,
    pub(crate) baseline: Option<Baseline>,
    pub(crate) hooks: Vec<Hook>,
    /// People's ids with their organisation, for calendars.
    pub(crate) organisations: HashMap<String, String>,
    pub(crate) fold: Fold,
    /// Counts every change; the version of an answer.
    pub(crate) version: u64,
    /// Counts changes that move the schedule.
    generation: u64,
    /// Whether the manual order is another one since `order` was worked out.
    reordered: bool,
    order: Mutex<Option<Arc<Vec<u32>>>>,
    scheduled: Mutex<Option<(u64, DayNumber, Arc<Plan>)>>,
}

/// The schedule of all tasks.
#[derive(Debug, Default)]
pub struct Plan {
    /// The place of each task that has one, by id.
    pub places: HashMap<String, Place>,
    /// Boundary of the end of all.
    pub end: DayNumber,
}

impl Board {
    /// A board of these tasks.
    pub fn of(tasks: Vec<Task>) -> Board {
        let mut board = Board::default();
        for task in tasks {
            board.put(Arc::new(task));
        }
        board.settle();
        board
    }

    /// Counts every change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What the ledger says.
    pub fn fold(&self) -> &Fold {
        &self.fold
    }

    /// A task.
    pub fn task(&self, id: &str) -> Option<&Arc<Task>> {
        self.places.get(id).map(|at| &self.rows[*at].task)
    }

    /// A task that must be there.
    pub fn need(&self, id: &str) -> Result<&Arc<Task>> {
        self.task(id).ok_or(WorkError::Unknown("task"))
    }

    /// All tasks, in no order.
    pub fn tasks(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.rows.iter().map(|row| &row.task)
    }

    /// Puts a task in its place.
    pub(crate) fn put(&mut self, task: Arc<Task>) {
        self.version += 1;
        let (haystack, title) = haystack(&task);
        match self.places.get(&task.id) {
            Some(at) => {
                if moves(&self.rows[*at].task, &task) {
                    self.generation += 1;
                }
                self.reordered |= self.rows[*at].task.rank != task.rank;
                self.rows[*at] = Row { task, haystack, title };
            }
            None => {
                self.generation += 1;
                self.places.insert(task.id.clone(), self.rows.len());
                self.rows.push(Row { task, haystack, title });
                self.reordered = true;
            }
        }
    }

    /// The same without what searches need: for trying out.
    pub(crate) fn put_bare(&mut self, task: Arc<Task>) {
        self.places.insert(task.id.clone(), self.rows.len());
        self.rows.push(Row { task, haystack: Box::default(), title: 0..0 });
    }

    pub(crate) fn remove(&mut self, id: &str) {
        let Some(at) = self.places.remove(id) else { return };
        self.version += 1;
        self.generation += 1;
        self.reordered = true;
        self.rows.swap_remove(at);
        if let Some(row) = self.rows.get(at) {
            self.places.insert(row.task.id.clone(), at);
        }
    }

    /// Forgets an order that no longer holds; every change ends with it.
    pub(crate) fn settle(&mut self) {
        if std::mem::take(&mut self.reordered) {
            *self.order.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// What the schedule rests on has changed besides tasks.
    pub(crate) fn reschedule(&mut self) {
        self.version += 1;
        self.generation += 1;
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.tasks().map(|t| t.number).max().unwrap_or(0) + 1
    }

    /// The last rank in the manual order.
    pub(crate) fn last_rank(&self) -> Option<String> {
        self.tasks().map(|t| &t.rank).max().cloned()
    }

    /// Places of rows in the manual order.
    pub(crate) fn order(&self) -> Arc<Vec<u32>> {
        let mut held = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(order) = held.as_ref().filter(|_| !self.reordered) {
            return order.clone();
        }
        let mut order: Vec<u32> = (0..self.rows.len() as u32).collect();
        order.sort_unstable_by(|a, b| {
            let (a, b) = (&self.rows[*a as usize].task, &self.rows[*b as usize].task);
            a.rank.cmp(&b.rank).then(a.number.cmp(&b.number))
        });
        let order = Arc::new(order);
        *held = Some(order.clone());
        order
    }

    /// The calendars of everybody.
    pub fn calendars(&self) -> Calendars {
        Calendars::new(&self.working_days, &self.blackouts, self.organisations.clone())
    }

    /// The schedule, as of a day. Of very many tasks it may be that of a moment ago: [`Board::fresh_plan`] brings it up
    /// to date, and a server does so in the background.
    pub fn plan(&self, today: DayNumber) -> Arc<Plan> {
        if self.rows.len() > AT_ONCE_MAX {
            let held = self.scheduled.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, _, plan)) = held.as_ref() {
                return plan.clone();
            }
        }
        self.fresh_plan(today)
    }

    /// The schedule as it is now.
    pub fn fresh_plan(&self, today: DayNumber) -> Arc<Plan> {
        let lock = || self.scheduled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((generation, day, plan)) = lock().as_ref()
            && (*generation, *day) == (self.generation, today)
        {
            return plan.clone();
        }
        // Not under the lock: who is content with the one before need not wait.
        let plan = Arc::new(self.work_out(today));
        *lock() = Some((self.generation, today, plan.clone()));
        plan
    }

    fn work_out(&self, today: DayNumber) -> Plan {
        let calendars = self.calendars();
        let network = self.network(&calendars, today);
        let places = schedule(&network.nodes, &network.calendars, today).unwrap_or_default();
        let mut plan = Plan { places: HashMap::new(), end: today };
        for (id, place) in network.ids.iter().zip(places) {
            plan.end = plan.end.max(place.early_finish);
            plan.places.insert((*id).to_owned(), place);
        }
        self.gather(&mut plan);
        plan
    }

    /// A task with parts spans them.
    fn gather(&self, plan: &mut Plan) {
        let mut spans: BTreeMap<&str, Place> = BTreeMap::new();
        for task in self.tasks() {
            let Some(place) = plan.places.get(&task.id).copied() else { continue };
            let mut above = task.parent.as_deref();
            let mut depth = 0;
            while let (Some(id), true) = (above, depth < 50) {
                let span = spans.entry(id).or_insert(place);
                span.early_start = span.early_start.min(place.early_start);
                span.early_finish = span.early_finish.max(place.early_finish);
                span.late_start = span.late_start.min(place.late_start);
                span.late_finish = span.late_finish.max(place.late_finish);
                span.slack = span.slack.min(place.slack);
                span.critical |= place.critical;
                above = self.task(id).and_then(|t| t.parent.as_deref());
                depth += 1;
            }
        }
        plan.places.extend(spans.into_iter().map(|(id, place)| (id.to_owned(), place)));
    }

    /// The tasks without parts, as a network. What waits for a task with parts waits for each of them, and each part
    /// waits for what the whole waits for.
    pub(crate) fn network<'a>(&'a self, calendars: &'a Calendars, _today: DayNumber) -> Network<'a> {
        let parents: HashSet<&str> = self.tasks().filter_map(|t| t.parent.as_deref()).collect();
        let mut leaves: Vec<&Arc<Task>> = self.tasks().filter(|t| !parents.contains(t.id.as_str())).collect();
        leaves.sort_unstable_by_key(|t| t.number);
        let at: HashMap<&str, usize> = leaves.iter().enumerate().map(|(at, t)| (t.id.as_str(), at)).collect();
        let mut parts: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, leaf) in leaves.iter().enumerate() {
            for above in self.above(leaf) {
                parts.entry(above).or_default().push(place);
            }
        }
        let mut network =
            Network { ids: Vec::new(), nodes: Vec::new(), calendars: vec![calendars.everybody()] };
        let mut by_owner: HashMap<Option<&str>, usize> = HashMap::from([(None, 0)]);
        for leaf in &leaves {
            let calendar = *by_owner.entry(leaf.owner.as_deref()).or_insert_with(|| {
                network.calendars.push(calendars.of(leaf.owner.as_deref()));
                network.calendars.len() - 1
            });
            let wholes = self.above(leaf).filter_map(|id| self.task(id));
            let waits = std::iter::once(*leaf).chain(wholes).flat_map(|t| &t.depends_on);
            let mut after = Vec::new();
            for wait in waits {
                match (at.get(wait.task.as_str()), parts.get(wait.task.as_str())) {
                    (Some(place), _) => after.push((*place, wait.lag_days)),
                    (None, Some(places)) => after.extend(places.iter().map(|p| (*p, wait.lag_days))),
                    (None, None) => {}
                }
            }
            network.ids.push(leaf.id.as_str());
            network.nodes.push(node(leaf, after, calendar));
        }
        network
    }

    /// The tasks that a task is part of, the nearest first.
    fn above<'a>(&'a self, task: &'a Task) -> impl Iterator<Item = &'a str> {
        let next = |id: &&'a str| self.task(id).and_then(|t| t.parent.as_deref());
        std::iter::successors(task.parent.as_deref(), next).take(50)
    }

    /// Whether tasks wait for each other in a circle, or are part of themselves.
    pub(crate) fn is_circular(&self) -> bool {
        let circular = |task: &Arc<Task>| {
            self.above(task).take(50).any(|id| id == task.id) || self.above(task).count() >= 50
        };
        if self.tasks().any(circular) {
            return true;
        }
        let calendars = Calendars::default();
        crate::schedule::order(&self.network(&calendars, 0).nodes).is_err()
    }

    /// A task's place in time as people read it.
    pub fn scheduled(&self, plan: &Plan, task: &Task) -> Option<Scheduled> {
        let place = plan.places.get(&task.id)?;
        let text = |number: DayNumber| calendar::day(number).to_string();
        let last = |start: DayNumber, finish: DayNumber| text((finish - 1).max(start));
        Some(Scheduled {
            early_start: text(place.early_start),
            early_finish: last(place.early_start, place.early_finish),
            late_start: text(place.late_start),
            late_finish: last(place.late_start, place.late_finish),
            slack_days: place.slack,
            critical: place.critical,
        })
    }
}

/// Tasks as a network to be scheduled.
pub(crate) struct Network<'a> {
    pub(crate) ids: Vec<&'a str>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) calendars: Vec<&'a calendar::Calendar>,
}

/// Up to so many tasks the schedule is worked out whenever it is asked for.
const AT_ONCE_MAX: usize = 5000;
/// Hours of a working day.
const DAY_HOURS: f64 = 8.0;

/// Working days that a task takes.
pub(crate) fn days_of(task: &Task) -> i32 {
    match (task.kind, task.estimate_hours) {
        (Kind::Milestone, _) => 0,
        (Kind::Task, None) => 1,
        (Kind::Task, Some(hours)) => ((hours / DAY_HOURS).ceil() as i32).clamp(1, 2000),
    }
}

fn node(task: &Task, after: Vec<(usize, i32)>, calendar: usize) -> Node {
    let day = |us: i64| i32::try_from(us.div_euclid(86_400_000_000)).unwrap_or(0);
    let is_over = task.status == Status::Done || task.gone;
    let done = task.done_at.unwrap_or(task.updated_at);
    let actual = is_over.then(|| {
        let finish = day(done) + 1;
        (task.started_at.map_or(finish - 1, day).min(finish - 1), finish)
    });
    let left = match task.progress {
        Some(progress) if task.status == Status::Doing => 1.0 - progress,
        _ => 1.0,
    };
    let days = (f64::from(days_of(task)) * left).ceil() as i32;
    Node { days, not_before: task.start.map(calendar::number), after, calendar, actual }
}

/// Whether a change of a task moves the schedule.
fn moves(a: &Task, b: &Task) -> bool {
    (a.start, a.estimate_hours, a.kind, a.status, a.progress, a.done_at, a.started_at, a.gone)
        != (b.start, b.estimate_hours, b.kind, b.status, b.progress, b.done_at, b.started_at, b.gone)
        || a.parent != b.parent
        || a.owner != b.owner
        || a.depends_on != b.depends_on
        || a.deadline != b.deadline
}

fn haystack(task: &Task) -> (Box<str>, std::ops::Range<usize>) {
    let mut text = format!("t-{}\n", task.number);
    let from = text.len();
    text.push_str(&task.title.to_lowercase());
    let title = from..text.len();
    text.push('\n');
    text.push_str(&task.description.to_lowercase());
    for label in &task.labels {
        text.push('\n');
        text.push_str(&label.to_lowercase());
    }
    if let Some(table) = task.binding.as_ref().and_then(|b| b.table.as_ref()) {
        text.push('\n');
        text.push_str(&table.to_lowercase());
    }
    (text.into_boxed_str(), title)
}
