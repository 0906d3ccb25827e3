//! A task as clients see it, with its place in the schedule. Not here: what is kept (`model`).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::model::{Binding, Dependency, Evidence, Kind, Origin, Priority, Raci, StaleBecause, Status, Task};

/// The schedule of a task, by days; both ends are worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Scheduled {
    /// The first day on which it can begin.
    pub early_start: String,
    /// Its last day then.
    pub early_finish: String,
    /// The last day on which it can begin without delaying the end of all.
    pub late_start: String,
    /// Its last day then.
    pub late_finish: String,
    /// Working days between the two.
    pub slack_days: i64,
    /// Whether any delay of it delays the end of all.
    pub critical: bool,
}

/// A task as clients see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Task)]
pub struct Shown {
    /// UUIDv7.
    pub id: String,
    /// Shown as `T-12`.
    pub number: u64,
    /// In a line.
    pub title: String,
    /// In Markdown.
    pub description: String,
    /// The same as safe HTML.
    pub description_html: String,
    /// What kind.
    pub kind: Kind,
    /// The task that it is part of.
    #[schema(required)]
    pub parent: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// What its status is read from; such a task's status and progress cannot be written.
    #[schema(required)]
    pub binding: Option<Binding>,
    /// Whether a person says that the step is done (`POST …/confirm`).
    pub confirmable: bool,
    /// Where it stands.
    pub status: Status,
    /// How far, 0 to 1.
    #[schema(required)]
    pub progress: Option<f64>,
    /// Why it has this status.
    pub evidence: Vec<Evidence>,
    /// Why it is stale.
    #[schema(required)]
    pub stale_because: Option<StaleBecause>,
    /// Who has it.
    #[schema(required)]
    pub owner: Option<String>,
    /// Who does, answers, is asked and is told.
    pub raci: Raci,
    /// How urgent.
    pub priority: Priority,
    /// Not before this day (`YYYY-MM-DD`).
    #[schema(required)]
    pub start: Option<String>,
    /// Done on this day at the latest.
    #[schema(required)]
    pub deadline: Option<String>,
    /// Hours of work.
    #[schema(required)]
    pub estimate_hours: Option<f64>,
    /// Labels.
    pub labels: Vec<String>,
    /// Values of custom fields by their id.
    #[schema(value_type = Object)]
    pub fields: BTreeMap<String, Value>,
    /// Who follow it.
    pub watchers: Vec<String>,
    /// What must be finished before.
    pub depends_on: Vec<Dependency>,
    /// Where it lies in time; none where nothing is left to be scheduled.
    #[schema(required)]
    pub schedule: Option<Scheduled>,
    /// How likely the deadline is missed, 0 to 1.
    #[schema(required)]
    pub risk: Option<f64>,
    /// Comments on it.
    pub comments: u32,
    /// Attachments.
    pub attachments: u32,
    /// Sorts the manual order.
    pub rank: String,
    /// Counts every change.
    pub version: u64,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// Likewise.
    pub updated_at: i64,
    /// A person's id, or `dunlin`.
    pub updated_by: String,
    /// When it was begun.
    #[schema(required)]
    pub started_at: Option<i64>,
    /// When it was done.
    #[schema(required)]
    pub done_at: Option<i64>,
    /// Whether the plan no longer has what it was drafted for.
    pub gone: bool,
}

impl Shown {
    /// A task with what is worked out for it.
    pub fn of(task: &Task, schedule: Option<Scheduled>, risk: Option<f64>) -> Shown {
        Shown {
            id: task.id.clone(),
            number: task.number,
            title: task.title.clone(),
            description: task.description.clone(),
            description_html: crate::markdown::html(&task.description),
            kind: task.kind,
            parent: task.parent.clone(),
            origin: task.origin,
            binding: task.binding.clone(),
            confirmable: task.binding.as_ref().is_some_and(|b| b.step.is_confirmed()),
            status: task.status,
            progress: task.progress,
            evidence: task.evidence.clone(),
            stale_because: task.stale_because,
            owner: task.owner.clone(),
            raci: task.raci.clone(),
            priority: task.priority,
            start: task.start.map(|d| d.to_string()),
            deadline: task.deadline.map(|d| d.to_string()),
            estimate_hours: task.estimate_hours,
            labels: task.labels.clone(),
            fields: task.fields.clone(),
            watchers: task.watchers.clone(),
            depends_on: task.depends_on.clone(),
            schedule,
            risk,
            comments: task.comments,
            attachments: task.attachments,
            rank: task.rank.clone(),
            version: task.version,
            created_at: task.created_at,
            updated_at: task.updated_at,
            updated_by: task.updated_by.clone(),
            started_at: task.started_at,
            done_at: task.done_at,
            gone: task.gone,
        }
    }
}
