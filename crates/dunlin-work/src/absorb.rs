//! Takes the ledger's entries into the fold, and what they say onto the bound tasks. Also what people stand for.

use std::collections::BTreeMap;

use dunlin_ledger::{Body, Entry};
use dunlin_store::now_us;

use crate::board::Board;
use crate::draft::TableFacts;
use crate::error::{Result, WorkError};
use crate::fold::Derived;
use crate::model::{Binding, Status, Step, Task};
use crate::work::{By, Work};

impl Work {
    /// The index of the ledger's entry that is to be absorbed next.
    pub fn next_entry(&self) -> u64 {
        self.board().fold.next()
    }

    /// Absorbs entries in order; `None` stands for one of a newer dunlin. Tasks that this changes are told.
    pub async fn absorb(&self, entries: &[(u64, Option<Entry>)]) -> Result<()> {
        let _turn = self.turn().await;
        self.with(|board| {
            let from = board.fold.next();
            for (index, entry) in entries.iter().filter(|(index, _)| *index >= from) {
                match entry {
                    Some(entry) => board.fold.apply(*index, entry),
                    None => board.fold.skip(*index),
                }
            }
        });
        self.refold().await
    }

    /// Holds every bound task against the fold. The caller has the turn.
    pub(crate) async fn refold(&self) -> Result<()> {
        let changed: Vec<Task> = {
            let board = self.board();
            board
                .tasks()
                .filter_map(|task| derived(task, &board.fold.status(task.binding.as_ref()?)))
                .collect()
        };
        self.write_derived(changed).await?;
        let changed: Vec<Task> = {
            let board = self.board();
            let wholes = board.tasks().filter(|t| t.binding.is_none() && t.draft_key().is_some());
            wholes.filter_map(|whole| gathered(&board, whole)).collect()
        };
        self.write_derived(changed).await
    }

    /// Says what a person stands for: a step that dunlin cannot see itself.
    pub async fn confirm(&self, by: &By, task: &str, on: bool) -> Result<()> {
        let task = self.task(task)?;
        let Some(binding) = task.binding.as_ref().filter(|b| b.step.is_confirmed()) else {
            return Err(WorkError::BoundStatus);
        };
        if binding.step == Step::SignOff && on {
            self.refuse_early_sign_off(&task)?;
        }
        let step = binding.step.as_str().to_owned();
        let (table, part) =
            (binding.table.clone().unwrap_or_default(), binding.column.clone().unwrap_or_default());
        let body = if on {
            Body::StepConfirmed { step, table, part }
        } else {
            Body::StepWithdrawn { step, table, part }
        };
        Ok(self.state().enter(by.actor.clone(), body).await?)
    }

    /// Nobody signs for rows that were not verified, or no longer are.
    fn refuse_early_sign_off(&self, task: &Task) -> Result<()> {
        let verify = Binding { step: Step::Verify, ..task.binding.clone().ok_or(WorkError::BoundStatus)? };
        if self.board().fold.status(&verify).status == Status::Done {
            return Ok(());
        }
        Err(WorkError::Conflict {
            code: "not_verified",
            message: "the table is not verified, or has changed since",
            help: "verify it first",
        })
    }

    /// Enters how the plan's tables stand, where that differs from what the ledger said last; so what was done before
    /// goes stale by an entry. Whether anything was entered.
    pub async fn enter_tables(&self, fingerprint: &str, tables: &[TableFacts]) -> Result<bool> {
        let bodies: Vec<Body> = {
            let board = self.board();
            let seen = |t: &TableFacts| {
                let (was, mapping, schema, undecided) = board.fold.table(&t.label)?;
                // A store that did not answer says nothing about its columns.
                let now = t.schema.clone().unwrap_or_else(|| schema.to_owned());
                let left = t.undecided.clone().unwrap_or_else(|| undecided.clone());
                Some((
                    was == fingerprint && mapping == t.mapping && schema == now && undecided == left,
                    now,
                    left,
                ))
            };
            let differs = |t: &TableFacts| {
                let (same, schema, undecided) = seen(t).unwrap_or_else(|| {
                    (false, t.schema.clone().unwrap_or_default(), t.undecided.clone().unwrap_or_default())
                });
                (!same).then(|| Body::TableSeen {
                    table: t.label.clone(),
                    fingerprint: fingerprint.to_owned(),
                    mapping: t.mapping.clone(),
                    schema,
                    undecided,
                })
            };
            tables.iter().filter_map(differs).collect()
        };
        self.enter_all(bodies).await
    }

    /// The same for the groups of rows that wait.
    pub async fn enter_waiting(&self, tables: &[String]) -> Result<bool> {
        use dunlin_store::{QuarantineFilter, QuarantineStatus};
        let filter =
            QuarantineFilter { status: Some(QuarantineStatus::Waiting), ..QuarantineFilter::default() };
        let groups = self.state().quarantine_groups(&filter).await?;
        let mut bodies = Vec::new();
        {
            let board = self.board();
            for table in tables {
                let of_table = groups.iter().filter(|g| g.table == *table);
                let now: BTreeMap<String, u64> = of_table.map(|g| (g.id.clone(), g.rows)).collect();
                if board.fold.waiting_of(table) != now {
                    bodies.push(Body::QuarantineSeen { table: table.clone(), groups: now });
                }
            }
        }
        self.enter_all(bodies).await
    }

    async fn enter_all(&self, bodies: Vec<Body>) -> Result<bool> {
        if bodies.is_empty() {
            return Ok(false);
        }
        let mut tx = self.state().begin().await?;
        for body in bodies {
            tx.enter(Entry { at: now_us(), actor: By::dunlin().actor, body }).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// A drafted task with parts, as its parts have it, where that differs.
fn gathered(board: &Board, whole: &Task) -> Option<Task> {
    let parts: Vec<_> = board.tasks().filter(|t| t.parent.as_deref() == Some(&whole.id) && !t.gone).collect();
    let is = |status: Status| parts.iter().filter(|t| t.status == status).count();
    let done = is(Status::Done);
    let status = match parts.len() {
        0 => return None,
        all if done == all => Status::Done,
        _ if is(Status::Blocked) > 0 => Status::Blocked,
        _ if is(Status::Stale) > 0 => Status::Stale,
        _ if done + is(Status::Doing) > 0 => Status::Doing,
        _ => Status::Open,
    };
    let progress = Some(done as f64 / parts.len() as f64);
    if whole.gone || (whole.status == status && whole.progress == progress) {
        return None;
    }
    let mut task = whole.clone();
    task.status = status;
    task.progress = progress;
    task.started_at = parts.iter().filter_map(|t| t.started_at).min();
    task.done_at = (status == Status::Done).then(|| parts.iter().filter_map(|t| t.done_at).max()).flatten();
    task.version += 1;
    Some(task)
}

/// The task as the ledger has it, where that differs. One that the plan no longer has keeps what it was.
fn derived(task: &Task, said: &Derived) -> Option<Task> {
    let same = task.status == said.status
        && task.progress == said.progress
        && task.stale_because == said.stale_because
        && task.evidence == said.evidence;
    if same || task.gone {
        return None;
    }
    let mut task = task.clone();
    task.status = said.status;
    task.progress = said.progress;
    task.stale_because = said.stale_because;
    task.evidence.clone_from(&said.evidence);
    task.started_at = said.started_at;
    task.done_at = said.done_at;
    task.version += 1;
    task.updated_at = said.evidence.last().map_or(task.updated_at, |e| e.at.max(task.updated_at));
    Some(task)
}
