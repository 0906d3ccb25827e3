//! Work of one workspace: every change is one transaction with its history and its ledger entry, then is told.
//!
//! Not here: who may do it, which the server asks before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use dunlin_ledger::{Actor, Body, Entry};
use dunlin_store::{State, Tx, new_id, now_us};
use rand::RngCore;
use serde_json::{Map, Value};
use tokio::sync::broadcast;

use crate::board::Board;
use crate::change::{differs, flat, items_of, root, stamp, undone, write};
use crate::error::{Result, WorkError};
use crate::keep::{self, Head, HistoryLine};
use crate::model::{Origin, Status, Task};
use crate::{rank, things};

/// The most tasks of a workspace.
pub const TASKS_MAX: usize = 200_000;

/// Who changes something.
#[derive(Debug, Clone)]
pub struct By {
    /// A person's id, or `dunlin`.
    pub person: String,
    /// For the ledger.
    pub actor: Actor,
}

impl By {
    /// dunlin itself.
    pub fn dunlin() -> By {
        By { person: "dunlin".to_owned(), actor: Actor::System }
    }

    /// A person.
    pub fn person(id: &str) -> By {
        By { person: id.to_owned(), actor: Actor::Person { id: id.to_owned() } }
    }
}

/// What others are told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// A task was made, changed or deleted.
    Task {
        /// Its id.
        task: String,
        /// Its version; none once it is deleted.
        version: Option<u64>,
        /// Who did it.
        by: String,
        /// The change; none for what the ledger did.
        change: Option<String>,
        /// Who have a part in it.
        people: BTreeSet<String>,
    },
    /// Something beside tasks changed: `fields`, `views` ... or `all`.
    Changed(&'static str),
}

/// A change that was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its id; none where nothing was different.
    pub change: Option<String>,
    /// The tasks as they are now.
    pub tasks: Vec<Arc<Task>>,
}

/// New values of one task.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The task.
    pub id: String,
    /// Fields and their values.
    pub set: Map<String, Value>,
    /// The version that was read; fields that others wrote since are refused.
    pub version: Option<u64>,
}

/// A task before and after a change; none where it is made or deleted.
pub(crate) struct Pair {
    pub(crate) before: Option<Arc<Task>>,
    pub(crate) after: Option<Task>,
}

/// Work of one workspace. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Work {
    inner: Arc<Inner>,
}

struct Inner {
    state: State,
    board: RwLock<Board>,
    /// Changes, one at a time.
    turn: tokio::sync::Mutex<()>,
    told: broadcast::Sender<Told>,
}

impl Work {
    /// Reads everything from the state. The ledger's part comes with [`Work::absorb`].
    pub async fn open(state: State) -> Result<Work> {
        let mut board = Board::of(keep::tasks(&state).await?);
        board.fields = keep::things(&state).await?;
        board.views = keep::things(&state).await?;
        board.templates = keep::things(&state).await?;
        board.blackouts = keep::things(&state).await?;
        board.working_days = keep::things(&state).await?;
        board.hooks = keep::things(&state).await?;
        board.baseline = keep::things(&state).await?.pop();
        let inner = Inner {
            state,
            board: RwLock::new(board),
            turn: tokio::sync::Mutex::default(),
            told: broadcast::Sender::new(4096),
        };
        Ok(Work { inner: Arc::new(inner) })
    }

    /// The board, to be read at once: no waiting while it is held.
    pub fn board(&self) -> RwLockReadGuard<'_, Board> {
        self.inner.board.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Board) -> T) -> T {
        let mut board = self.inner.board.write().unwrap_or_else(PoisonError::into_inner);
        let done = f(&mut board);
        board.settle();
        done
    }

    pub(crate) fn state(&self) -> &State {
        &self.inner.state
    }

    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.turn.lock().await
    }

    /// What changes, as it changes.
    pub fn told(&self) -> broadcast::Receiver<Told> {
        self.inner.told.subscribe()
    }

    pub(crate) fn tell(&self, told: Told) {
        // Nobody listening is no failure.
        let _ = self.inner.told.send(told);
    }

    /// A task.
    pub fn task(&self, id: &str) -> Result<Arc<Task>> {
        self.board().need(id).cloned()
    }

    /// Tells who works where, for calendars.
    pub fn know_organisations(&self, organisations: HashMap<String, String>) {
        self.with(|board| {
            if board.organisations != organisations {
                board.organisations = organisations;
                board.reschedule();
            }
        });
    }

    /// Makes tasks of these fields, in one change.
    pub async fn create(&self, by: &By, origin: Origin, tasks: Vec<Map<String, Value>>) -> Result<Made> {
        let _turn = self.turn().await;
        let made = {
            let board = self.board();
            let mut made = Vec::new();
            let mut ranks = board.last_rank();
            for set in &tasks {
                let mut task =
                    Task { origin, rank: rank::between(ranks.as_deref(), None), ..Task::default() };
                if !set.contains_key("title") {
                    return Err(WorkError::invalid("`title`", "a task needs a title"));
                }
                write(&board, &mut task, set)?;
                ranks = Some(task.rank.clone());
                made.push(task);
            }
            made
        };
        self.add(by, "create", made).await
    }

    /// Makes tasks that are complete but for what every task gets. The caller has the turn.
    pub(crate) async fn add(&self, by: &By, kind: &str, mut tasks: Vec<Task>) -> Result<Made> {
        let now = now_us();
        let (mut number, count) = {
            let board = self.board();
            (board.next_number(), board.rows.len())
        };
        if count + tasks.len() > TASKS_MAX {
            return Err(WorkError::TooMuch("a workspace holds at most 200,000 tasks"));
        }
        for task in &mut tasks {
            if task.id.is_empty() {
                task.id = new_id();
            }
            task.number = number;
            number += 1;
            task.created_at = now;
        }
        let pairs = tasks.into_iter().map(|task| Pair { before: None, after: Some(task) }).collect();
        self.commit(by, kind, None, pairs).await
    }

    /// Changes fields of tasks, all or none.
    pub async fn edit(&self, by: &By, kind: &str, edits: Vec<Edit>) -> Result<Made> {
        let _turn = self.turn().await;
        for edit in &edits {
            self.refuse_clash(edit).await?;
        }
        let pairs = {
            let board = self.board();
            let mut after: BTreeMap<String, Task> = BTreeMap::new();
            for edit in &edits {
                let task = match after.get_mut(&edit.id) {
                    Some(task) => task,
                    None => after.entry(edit.id.clone()).or_insert(Task::clone(board.need(&edit.id)?)),
                };
                write(&board, task, &edit.set)?;
            }
            let mut pairs = Vec::new();
            for (id, task) in after {
                pairs.push(Pair { before: Some(board.need(&id)?.clone()), after: Some(task) });
            }
            pairs
        };
        self.commit(by, kind, None, pairs).await
    }

    /// Refuses to write over what somebody else wrote since the version that was read.
    async fn refuse_clash(&self, edit: &Edit) -> Result<()> {
        let current = self.task(&edit.id)?;
        let Some(version) = edit.version.filter(|v| *v < current.version) else { return Ok(()) };
        let written = keep::written_since(self.state(), &edit.id, version).await?;
        let wanted = flat(&edit.set)?;
        let clash =
            wanted.iter().find(|(field, value)| written.contains(field) && current.get(field) != **value);
        match clash {
            Some((field, _)) => {
                let field = field.clone();
                Err(WorkError::ChangedMeanwhile { field, current: Box::new(Task::clone(&current)) })
            }
            None => Ok(()),
        }
    }

    /// Puts a task after another, below a parent; all places are given.
    pub async fn place(
        &self,
        by: &By,
        id: &str,
        after: Option<&str>,
        parent: Option<Option<String>>,
        status: Option<Status>,
    ) -> Result<Made> {
        let mut set = Map::new();
        {
            let board = self.board();
            let order = board.order();
            let ranks: Vec<&str> = order
                .iter()
                .map(|at| &board.rows[*at as usize].task)
                .filter(|t| t.id != id)
                .map(|t| t.rank.as_str())
                .collect();
            let before = after.map(|other| board.need(other).map(|t| t.rank.clone())).transpose()?;
            let next = match &before {
                Some(before) => ranks.iter().find(|r| **r > before.as_str()).copied(),
                None => ranks.first().copied(),
            };
            set.insert("rank".to_owned(), rank::between(before.as_deref(), next).into());
        }
        if let Some(parent) = parent {
            set.insert("parent".to_owned(), parent.map_or(Value::Null, Value::String));
        }
        if let Some(status) = status.filter(|s| self.task(id).is_ok_and(|t| t.status != *s)) {
            set.insert("status".to_owned(), status.as_str().into());
        }
        self.edit(by, "move", vec![Edit { id: id.to_owned(), set, version: None }]).await
    }

    /// Deletes a task. Its parts move up, and nothing waits for it any more.
    pub async fn delete(&self, by: &By, id: &str) -> Result<Made> {
        let _turn = self.turn().await;
        let pairs = {
            let board = self.board();
            let task = board.need(id)?.clone();
            if task.is_derived() && !task.gone {
                return Err(WorkError::Conflict {
                    code: "drafted",
                    message: "this task stands for a step of the plan",
                    help: "take the step out of the plan and draft the tasks again",
                });
            }
            let touches =
                |t: &&Arc<Task>| t.parent.as_deref() == Some(id) || t.depends_on.iter().any(|d| d.task == id);
            let mut pairs: Vec<Pair> = board
                .tasks()
                .filter(touches)
                .map(|other| {
                    let mut after = Task::clone(other);
                    if after.parent.as_deref() == Some(id) {
                        after.parent.clone_from(&task.parent);
                    }
                    after.depends_on.retain(|d| d.task != id);
                    Pair { before: Some(other.clone()), after: Some(after) }
                })
                .collect();
            pairs.push(Pair { before: Some(task), after: None });
            pairs
        };
        self.commit(by, "delete", None, pairs).await
    }

    /// The history of a task, the newest first.
    pub async fn history(&self, id: &str) -> Result<Vec<HistoryLine>> {
        keep::history(self.state(), id).await
    }

    /// Takes a change back, where nobody has written over it since. The fields that were left alone are named.
    pub async fn undo(
        &self,
        by: &By,
        change: &str,
        may: impl Fn(&str, &[Arc<Task>]) -> Result<()>,
    ) -> Result<(Made, Vec<String>)> {
        let _turn = self.turn().await;
        let (who, items) = keep::change(self.state(), change).await?.ok_or(WorkError::Unknown("change"))?;
        let (pairs, left) = {
            let board = self.board();
            let touched: Vec<Arc<Task>> = items.iter().filter_map(|i| board.task(&i.task).cloned()).collect();
            may(&who, &touched)?;
            undone(&board, &items)?
        };
        if pairs.is_empty() {
            return Err(WorkError::Conflict {
                code: "changed_meanwhile",
                message: "everything of this change was written over since",
                help: "look at the task's history",
            });
        }
        Ok((self.commit(by, "undo", Some(change), pairs).await?, left))
    }

    /// Makes a change last: tasks, history and ledger entry in one transaction; then the board; then it is told. The
    /// caller has the turn.
    pub(crate) async fn commit(
        &self,
        by: &By,
        kind: &str,
        undoes: Option<&str>,
        pairs: Vec<Pair>,
    ) -> Result<Made> {
        let now = now_us();
        let mut items = Vec::new();
        let mut pairs: Vec<Pair> = pairs.into_iter().filter(differs).collect();
        for pair in &mut pairs {
            stamp(pair, by, now);
            items_of(pair, &mut items);
        }
        if pairs.is_empty() {
            return Ok(Made { change: None, tasks: Vec::new() });
        }
        self.refuse_unsound(&pairs)?;
        let id = new_id();
        let mut salt = [0u8; 16];
        rand::rng().fill_bytes(&mut salt);
        let mut tx = self.state().begin().await?;
        for gone in pairs.iter().filter(|p| p.after.is_none()).filter_map(|p| p.before.as_ref()) {
            keep::drop_task(&mut tx, &gone.id).await?;
        }
        keep::put_tasks(&mut tx, pairs.iter().filter_map(|p| p.after.as_ref())).await?;
        let head = Head { id: &id, at: now, by: &by.person, kind, undoes, salt: &salt };
        keep::put_change(&mut tx, &head, &items).await?;
        let root = root(&salt, &items);
        let body = Body::WorkChanged { change: id.clone(), tasks: pairs.len() as u64, root };
        tx.enter(Entry { at: now, actor: by.actor.clone(), body }).await?;
        tx.commit().await?;
        Ok(self.show(by, &id, pairs))
    }

    /// Puts what has lasted onto the board, and tells it.
    fn show(&self, by: &By, change: &str, pairs: Vec<Pair>) -> Made {
        let many = pairs.len() > 200;
        let mut tasks = Vec::new();
        let mut told = Vec::new();
        self.with(|board| {
            for pair in pairs {
                let people =
                    pair.before.iter().map(|t| t.people()).chain(pair.after.iter().map(Task::people));
                let people = people.flatten().collect();
                let (task, version) = match (pair.before, pair.after) {
                    (_, Some(after)) => {
                        let after = Arc::new(after);
                        board.put(after.clone());
                        tasks.push(after.clone());
                        (after.id.clone(), Some(after.version))
                    }
                    (Some(before), None) => {
                        board.remove(&before.id);
                        (before.id.clone(), None)
                    }
                    (None, None) => continue,
                };
                told.push(Told::Task {
                    task,
                    version,
                    by: by.person.clone(),
                    change: Some(change.to_owned()),
                    people,
                });
            }
        });
        if many {
            told = vec![Told::Changed("all")];
        }
        told.into_iter().for_each(|one| self.tell(one));
        Made { change: Some(change.to_owned()), tasks }
    }

    /// Refuses parents and dependencies that are not there, and circles.
    fn refuse_unsound(&self, pairs: &[Pair]) -> Result<()> {
        let linked = |p: &&Pair| match (&p.before, &p.after) {
            (Some(before), Some(after)) => {
                before.parent != after.parent || before.depends_on != after.depends_on
            }
            (None, Some(after)) => after.parent.is_some() || !after.depends_on.is_empty(),
            _ => false,
        };
        if !pairs.iter().any(|p| linked(&p)) {
            return Ok(());
        }
        let board = self.board();
        let changed: HashMap<&str, Option<&Task>> = pairs
            .iter()
            .filter_map(|p| {
                let id =
                    p.after.as_ref().map(|t| t.id.as_str()).or(p.before.as_ref().map(|t| t.id.as_str()))?;
                Some((id, p.after.as_ref()))
            })
            .collect();
        let is_there = |id: &str| changed.get(id).map_or_else(|| board.task(id).is_some(), Option::is_some);
        for task in pairs.iter().filter(linked).filter_map(|p| p.after.as_ref()) {
            let mut others = task.parent.iter().chain(task.depends_on.iter().map(|d| &d.task));
            if !others.all(|id| is_there(id)) {
                return Err(WorkError::invalid("`parent` or `depends_on`", "name tasks that are there"));
            }
        }
        let mut tried = Board::default();
        for task in board.tasks().filter(|t| !changed.contains_key(t.id.as_str())) {
            tried.put_bare(task.clone());
        }
        for task in changed.values().flatten() {
            tried.put_bare(Arc::new(Task::clone(task)));
        }
        if tried.is_circular() { Err(WorkError::Cycle) } else { Ok(()) }
    }

    /// Writes tasks without history: what the ledger says of them.
    pub(crate) async fn write_derived(&self, tasks: Vec<Task>) -> Result<()> {
        if tasks.is_empty() {
            return Ok(());
        }
        let mut tx = self.state().begin().await?;
        keep::put_tasks(&mut tx, tasks.iter()).await?;
        tx.commit().await?;
        let mut told = Vec::new();
        self.with(|board| {
            for task in tasks {
                let (id, version, people) = (task.id.clone(), Some(task.version), task.people());
                told.push(Told::Task { task: id, version, by: "dunlin".to_owned(), change: None, people });
                board.put(Arc::new(task));
            }
        });
        told.into_iter().for_each(|one| self.tell(one));
        Ok(())
    }

    /// Keeps one of the things that stand beside tasks.
    pub(crate) async fn put_thing<T: things::Thing>(
        &self,
        thing: &T,
        of: fn(&mut Board) -> &mut Vec<T>,
        word: &'static str,
    ) -> Result<()> {
        let _turn = self.turn().await;
        let mut tx: Tx = self.state().begin().await?;
        keep::put_thing(&mut tx, thing).await?;
        tx.commit().await?;
        self.with(|board| {
            let list = of(board);
            match list.iter_mut().find(|known| known.id() == thing.id()) {
                Some(known) => *known = thing.clone(),
                None => list.push(thing.clone()),
            }
            board.reschedule();
        });
        self.tell(Told::Changed(word));
        Ok(())
    }

    /// Deletes one.
    pub(crate) async fn drop_thing<T: things::Thing>(
        &self,
        id: &str,
        of: fn(&mut Board) -> &mut Vec<T>,
        word: &'static str,
    ) -> Result<()> {
        let _turn = self.turn().await;
        let mut tx: Tx = self.state().begin().await?;
        if !keep::drop_thing(&mut tx, T::KIND, id).await? {
            return Err(WorkError::Unknown(T::KIND));
        }
        tx.commit().await?;
        self.with(|board| {
            of(board).retain(|known| known.id() != id);
            board.reschedule();
        });
        self.tell(Told::Changed(word));
        Ok(())
    }
}
