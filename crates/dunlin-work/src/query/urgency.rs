//! A person's own list, by how pressing each task is.

use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use crate::board::Board;
use crate::model::{Priority, Status, Task};

/// How pressing a task is, for a person's own list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Its deadline has passed.
    Overdue,
    /// Due today.
    Today,
    /// Due within seven days.
    ThisWeek,
    /// Others wait for it, or it was done and no longer holds.
    WaitingForMe,
    /// The rest.
    Later,
}

impl Board {
    /// A person's tasks that are not done, by how pressing they are.
    pub fn mine(&self, person: &str, today: Date) -> Vec<(Urgency, Arc<Task>)> {
        use jiff::ToSpan;
        let week = today.checked_add(7.days()).unwrap_or(today);
        let waited: std::collections::HashSet<&str> = self
            .tasks()
            .filter(|t| t.status != Status::Done && !t.gone)
            .flat_map(|t| t.depends_on.iter().map(|d| d.task.as_str()))
            .collect();
        let is_done = |id: &str| self.task(id).is_none_or(|t| t.status == Status::Done || t.gone);
        let is_mine = |t: &&Arc<Task>| {
            let doing = t.raci.responsible.iter().any(|id| id == person);
            t.status != Status::Done && !t.gone && (t.owner.as_deref() == Some(person) || doing)
        };
        let urgency = |t: &Task| match t.deadline {
            Some(day) if day < today => Urgency::Overdue,
            Some(day) if day == today => Urgency::Today,
            Some(day) if day <= week => Urgency::ThisWeek,
            _ if t.status == Status::Stale => Urgency::WaitingForMe,
            _ if waited.contains(t.id.as_str()) && t.depends_on.iter().all(|d| is_done(&d.task)) => {
                Urgency::WaitingForMe
            }
            _ => Urgency::Later,
        };
        let mut mine: Vec<(Urgency, Arc<Task>)> =
            self.tasks().filter(is_mine).map(|t| (urgency(t), t.clone())).collect();
        let priority = |p: Priority| std::cmp::Reverse(p as usize);
        mine.sort_by(|(a, x), (b, y)| {
            let by_day = x.deadline.unwrap_or(Date::MAX).cmp(&y.deadline.unwrap_or(Date::MAX));
            a.cmp(b)
                .then(by_day)
                .then(priority(x.priority).cmp(&priority(y.priority)))
                .then(x.rank.cmp(&y.rank))
        });
        mine
    }
}
