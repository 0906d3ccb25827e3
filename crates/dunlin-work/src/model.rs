//! What a task is, and its parts. Not here: how it is changed (`change`), found (`query`) or kept (`keep`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A word of a small vocabulary, the same in JSON, the state and filters.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:tt,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// All of them, in their order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];
            /// The word.
            pub fn as_str(self) -> &'static str { match self { $($name::$variant => $word,)+ } }
            /// The one of this word.
            pub fn parse(text: &str) -> Option<$name> { $name::ALL.iter().copied().find(|w| w.as_str() == text) }
        }
    };
}

words! {
    /// What kind of thing a task is.
    Kind {
        /// Work.
        Task = "task",
        /// A point in time.
        Milestone = "milestone",
    }
}
words! {
    /// Where a task comes from.
    Origin {
        /// From the plan.
        Drafted = "drafted",
        /// A person made it.
        Manual = "manual",
        /// From another tool's file.
        Imported = "imported",
        /// Something that the business must decide.
        OpenQuestion = "open_question",
    }
}
words! {
    /// Where a task stands.
    Status {
        /// Not begun.
        Open = "open",
        /// Under way.
        Doing = "doing",
        /// It cannot go on.
        Blocked = "blocked",
        /// It was done, and what it was done for has changed since.
        Stale = "stale",
        /// Done.
        Done = "done",
    }
}
words! {
    /// How urgent a task is.
    Priority {
        /// Can wait.
        Low = "low",
        /// As most.
        Normal = "normal",
        /// Before most.
        High = "high",
        /// Now.
        Urgent = "urgent",
    }
}
words! {
    /// The step of a migration that a task stands for.
    Step {
        /// The project begins.
        Kickoff = "kickoff",
        /// Who does what.
        Roles = "roles",
        /// When data may move.
        Windows = "windows",
        /// What customers are told.
        Notice = "notice",
        /// Who may see customer data is looked through.
        AccessReview = "access_review",
        /// The report is written.
        Evidence = "evidence",
        /// What is in the table is known.
        Profile = "profile",
        /// Every column has a fate.
        Map = "map",
        /// A column that has no fate yet.
        Column = "column",
        /// Open questions are answered.
        Decide = "decide",
        /// The rules are looked through.
        Rules = "rules",
        /// Tried out without writing.
        Rehearse = "rehearse",
        /// The plan may write to its target.
        Approve = "approve",
        /// The rows are in the target.
        Load = "load",
        /// Rows that wait for a person.
        Quarantine = "quarantine",
        /// Both sides were held against each other again.
        Verify = "verify",
        /// A person stands for the result.
        SignOff = "sign_off",
        /// The business works on the new table.
        Switch = "switch",
        /// The old copy is gone.
        Retire = "retire",
    }
}
words! {
    /// What changed after the evidence.
    StaleBecause {
        /// Another part of the plan.
        Plan = "plan",
        /// The source's or the target's columns.
        Schema = "schema",
        /// How this table is made.
        Mapping = "mapping",
    }
}

impl Step {
    /// Whether a person says that it is done, by an entry of the ledger; the others are seen by dunlin itself.
    pub fn is_confirmed(self) -> bool {
        use Step::*;
        matches!(
            self,
            Kickoff
                | Roles
                | Windows
                | Notice
                | AccessReview
                | Profile
                | Decide
                | Rules
                | SignOff
                | Switch
                | Retire
        )
    }
}

/// What a task's status is read from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct Binding {
    /// The step.
    pub step: Step,
    /// The table's label.
    pub table: Option<String>,
    /// The source column, the group of rows that wait, or the notice.
    pub column: Option<String>,
}

impl Binding {
    /// Its key in the state.
    pub fn key(&self) -> String {
        let part = |p: &Option<String>| p.clone().unwrap_or_default();
        format!("{}|{}|{}", self.step.as_str(), part(&self.table), part(&self.column))
    }
}

/// One reason for a bound task's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// Index of the ledger's entry.
    pub entry: u64,
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
    /// The entry's kind.
    pub kind: String,
    /// What it says, in words.
    pub text: String,
}

/// Who does, answers, is asked and is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Raci {
    /// Who do it.
    pub responsible: Vec<String>,
    /// Who answers for it: exactly one, or none yet.
    pub accountable: Option<String>,
    /// Who are asked.
    pub consulted: Vec<String>,
    /// Who are told.
    pub informed: Vec<String>,
}

/// A task that must be finished before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// The other task.
    pub task: String,
    /// Working days between its finish and this one's start; negative to overlap.
    #[serde(default)]
    pub lag_days: i32,
}

/// A task as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Task {
    /// UUIDv7.
    pub id: String,
    /// Shown as `T-12`.
    pub number: u64,
    /// In a line.
    pub title: String,
    /// In Markdown.
    pub description: String,
    /// What kind.
    pub kind: Kind,
    /// The task that it is part of.
    pub parent: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// What its status is read from.
    pub binding: Option<Binding>,
    /// Where it stands.
    pub status: Status,
    /// How far, 0 to 1.
    pub progress: Option<f64>,
    /// Why it has this status.
    pub evidence: Vec<Evidence>,
    /// Why it is stale.
    pub stale_because: Option<StaleBecause>,
    /// Who has it.
    pub owner: Option<String>,
    /// Who does, answers, is asked and is told.
    pub raci: Raci,
    /// How urgent.
    pub priority: Priority,
    /// Not before this day.
    #[serde(with = "day")]
    pub start: Option<Date>,
    /// Done on this day at the latest.
    #[serde(with = "day")]
    pub deadline: Option<Date>,
    /// Hours of work.
    pub estimate_hours: Option<f64>,
    /// Labels.
    pub labels: Vec<String>,
    /// Values of custom fields by their id.
    pub fields: BTreeMap<String, Value>,
    /// Who follow it.
    pub watchers: Vec<String>,
    /// What must be finished before.
    pub depends_on: Vec<Dependency>,
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
    pub started_at: Option<i64>,
    /// When it was done.
    pub done_at: Option<i64>,
    /// Whether the plan no longer has what it was drafted for.
    pub gone: bool,
    /// What the last draft said of each field: what differs from it was edited by a person and is kept.
    pub drafted: BTreeMap<String, Value>,
    /// Comments on it.
    #[serde(skip)]
    pub comments: u32,
    /// Attachments.
    #[serde(skip)]
    pub attachments: u32,
}

impl Default for Task {
    fn default() -> Task {
        Task {
            id: String::new(),
            number: 0,
            title: String::new(),
            description: String::new(),
            kind: Kind::Task,
            parent: None,
            origin: Origin::Manual,
            binding: None,
            status: Status::Open,
            progress: None,
            evidence: Vec::new(),
            stale_because: None,
            owner: None,
            raci: Raci::default(),
            priority: Priority::Normal,
            start: None,
            deadline: None,
            estimate_hours: None,
            labels: Vec::new(),
            fields: BTreeMap::new(),
            watchers: Vec::new(),
            depends_on: Vec::new(),
            rank: String::new(),
            version: 0,
            created_at: 0,
            updated_at: 0,
            updated_by: String::new(),
            started_at: None,
            done_at: None,
            gone: false,
            drafted: BTreeMap::new(),
            comments: 0,
            attachments: 0,
        }
    }
}

impl Task {
    /// Whether a person has a part in it, so that a guest may see it.
    pub fn involves(&self, person: &str) -> bool {
        let is = |id: &String| id == person;
        self.owner.as_deref() == Some(person)
            || self.raci.accountable.as_deref() == Some(person)
            || self.raci.responsible.iter().any(is)
            || self.raci.consulted.iter().any(is)
            || self.raci.informed.iter().any(is)
            || self.watchers.iter().any(is)
    }

    /// What it was drafted for, when it was.
    pub fn draft_key(&self) -> Option<&str> {
        self.drafted.get("key").and_then(Value::as_str)
    }

    /// Whether its status is worked out: from the ledger, or from its parts.
    pub fn is_derived(&self) -> bool {
        self.binding.is_some() || self.draft_key().is_some()
    }

    /// Everybody who has a part in it.
    pub fn people(&self) -> BTreeSet<String> {
        let raci = &self.raci;
        let lists = [&raci.responsible, &raci.consulted, &raci.informed, &self.watchers];
        let mut people: BTreeSet<String> = lists.into_iter().flatten().cloned().collect();
        people.extend(self.owner.clone());
        people.extend(raci.accountable.clone());
        people
    }
}

/// Days as `YYYY-MM-DD`.
pub(crate) mod day {
    use jiff::civil::Date;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(date: &Option<Date>, to: S) -> Result<S::Ok, S::Error> {
        match date {
            Some(date) => to.collect_str(date),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|t| t.parse().map_err(|_| D::Error::custom("not a day"))).transpose()
    }
}
