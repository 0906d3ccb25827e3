//! The task list of a migration, drafted from its plan; drafting again keeps what people changed, and marks what the
//! plan no longer has. Not here: the tasks' status, which the ledger says (`fold`).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dunlin_plan::{Plan, Role, TablePlan};
use dunlin_store::{QuarantineFilter, QuarantineGroup, QuarantineStatus, new_id};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::error::Result;
use crate::model::{Binding, Dependency, Kind, Origin, Priority, Raci, Step, Task};
use crate::rank;
use crate::work::{By, Pair, Work};

/// What is known of a table of the plan, beyond the plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableFacts {
    /// Its label.
    pub label: String,
    /// Hash of its part of the plan.
    pub mapping: String,
    /// Hash of the source's and the target's columns; none when a store did not answer.
    pub schema: Option<String>,
    /// Source columns that have no fate; likewise.
    pub undecided: Option<Vec<String>>,
    /// Rows of the source, where somebody counted.
    pub rows: Option<u64>,
}

impl TableFacts {
    /// What the plan alone says.
    pub fn of(table: &TablePlan) -> TableFacts {
        let bytes = serde_json::to_vec(table).unwrap_or_default();
        TableFacts {
            label: table.label(),
            mapping: hex::encode(Sha256::digest(bytes)),
            ..TableFacts::default()
        }
    }
}

/// Somebody who can have tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// The person's id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// The role.
    pub role: Role,
    /// The other company.
    pub organisation: Option<String>,
}

/// What drafting did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Drafted {
    /// Ids of new tasks.
    pub added: Vec<String>,
    /// Tasks that were there and stay, also those with new words.
    pub kept: usize,
    /// Of those, ids of tasks that the plan words differently now.
    pub updated: Vec<String>,
    /// Ids of tasks whose step the plan no longer has; they are marked, not deleted.
    pub gone: Vec<String>,
}

/// A task that the plan asks for.
#[derive(Debug, Clone)]
struct Wanted {
    key: String,
    binding: Option<Binding>,
    title: String,
    description: String,
    role: Role,
    hours: f64,
    priority: Priority,
    labels: Vec<String>,
    deadline: Option<String>,
    part_of: Option<String>,
    after: Vec<String>,
    origin: Origin,
}

const PROJECT: &str = "project||";

/// The steps of a table in their order: step, title, what it is, who, hours.
const STEPS: [(Step, &str, &str, Role, f64); 11] = [
    (
        Step::Profile,
        "Profile",
        "Look at what is really in the source: unknowns, formats, sensitive kinds.",
        Role::Engineer,
        2.0,
    ),
    (
        Step::Map,
        "Map",
        "Give every source column a fate: mapped, used, or dropped with a reason.",
        Role::Engineer,
        4.0,
    ),
    (
        Step::Decide,
        "Decide open questions on",
        "What only the business knows about this table is answered.",
        Role::Steward,
        4.0,
    ),
    (
        Step::Rules,
        "Review the rules of",
        "Each rule is right, and so is what happens to rows that break it.",
        Role::Steward,
        2.0,
    ),
    (
        Step::Rehearse,
        "Rehearse",
        "Try the move without writing, and look at what would be left behind.",
        Role::Engineer,
        2.0,
    ),
    (
        Step::Approve,
        "Approve",
        "Somebody who did not write the plan approves it for its stores.",
        Role::Approver,
        1.0,
    ),
    (Step::Load, "Load", "Move the rows; every one is accounted for.", Role::Engineer, 4.0),
    (Step::Verify, "Verify", "Hold both sides against each other again.", Role::Engineer, 1.0),
    (Step::SignOff, "Sign off", "Somebody stands for the result.", Role::Lead, 1.0),
    (Step::Switch, "Switch over", "The business works on the new table.", Role::Lead, 2.0),
    (
        Step::Retire,
        "Retire the old copy of",
        "The old rows are deleted or archived as the law asks.",
        Role::Engineer,
        2.0,
    ),
];

fn bound(step: Step, table: Option<&str>, column: Option<&str>) -> Binding {
    Binding { step, table: table.map(str::to_owned), column: column.map(str::to_owned) }
}

fn key(step: Step, table: Option<&str>, column: Option<&str>) -> String {
    bound(step, table, column).key()
}

fn wanted(plan: &Plan, facts: &[TableFacts], groups: &[QuarantineGroup]) -> Vec<Wanted> {
    let mut all = project(plan);
    for table in &plan.tables {
        let label = table.label();
        let known = facts.iter().find(|f| f.label == label);
        let mut undecided = known.and_then(|f| f.undecided.clone()).unwrap_or_default();
        undecided.sort();
        of_table(&mut all, table, &label);
        for column in undecided {
            all.push(question(&label, &column));
        }
        for group in groups.iter().filter(|g| g.table == label) {
            all.push(of_group(&label, group));
        }
    }
    all
}

fn project(plan: &Plan) -> Vec<Wanted> {
    let task =
        |step: Step, part: Option<&str>, title: String, description: &str, role: Role, after: &[Step]| {
            Wanted {
                key: key(step, None, part),
                binding: Some(bound(step, None, part)),
                title,
                description: description.to_owned(),
                role,
                hours: 2.0,
                priority: Priority::Normal,
                labels: Vec::new(),
                deadline: None,
                part_of: Some(PROJECT.to_owned()),
                after: after.iter().map(|s| key(*s, None, None)).collect(),
                origin: Origin::Drafted,
            }
        };
    let title = format!("{}: the project", plan.name);
    let mut all = vec![whole(PROJECT, title, plan.summary.clone().unwrap_or_default())];
    let text = str::to_owned;
    all.push(task(
        Step::Kickoff,
        None,
        text("Kick-off"),
        "Everybody knows what moves, why, and when.",
        Role::Lead,
        &[],
    ));
    let says = "Each person has a role in the plan, and each table somebody who answers for it.";
    all.push(task(Step::Roles, None, text("Agree the roles"), says, Role::Lead, &[Step::Kickoff]));
    let says = "The hours in which data may move are agreed with those who work on the source.";
    all.push(task(Step::Windows, None, text("Agree the windows"), says, Role::Lead, &[Step::Kickoff]));
    let says = "Look through who can see customer data, and why; take away what nobody needs.";
    all.push(task(Step::AccessReview, None, text("Review who has access"), says, Role::Lead, &[Step::Roles]));
    for (part, title) in [
        ("before", "Tell customers before the move"),
        ("during", "Tell customers during the move"),
        ("after", "Tell customers that it is done"),
    ] {
        let says = "What customers read about the move, in the languages that they speak.";
        let mut notice = task(Step::Notice, Some(part), text(title), says, Role::Writer, &[Step::Kickoff]);
        let days = plan.notices.iter().filter_map(|n| n.publish);
        notice.deadline = if part == "before" { days.min().map(|d| d.to_string()) } else { None };
        for table in plan.tables.iter().map(TablePlan::label) {
            match part {
                "during" => notice.after.push(key(Step::Approve, Some(&table), None)),
                "after" => notice.after.push(key(Step::Switch, Some(&table), None)),
                _ => {}
            }
        }
        all.push(notice);
    }
    let says = "The report that an auditor can check without trusting anybody.";
    let mut evidence = task(Step::Evidence, None, text("Write the report"), says, Role::Lead, &[]);
    evidence.after = plan.tables.iter().map(|t| key(Step::SignOff, Some(&t.label()), None)).collect();
    all.push(evidence);
    all
}

fn whole(key: &str, title: String, description: String) -> Wanted {
    Wanted {
        key: key.to_owned(),
        binding: None,
        title,
        description,
        role: Role::Lead,
        hours: 0.0,
        priority: Priority::Normal,
        labels: Vec::new(),
        deadline: None,
        part_of: None,
        after: Vec::new(),
        origin: Origin::Drafted,
    }
}

fn table_key(label: &str) -> String {
    format!("table|{label}|")
}

fn of_table(all: &mut Vec<Wanted>, table: &TablePlan, label: &str) {
    let title = format!("{} to {label}", table.from);
    all.push(whole(&table_key(label), title, String::new()));
    let mut before: Option<Step> = None;
    for (step, verb, says, role, hours) in STEPS {
        let mut after: Vec<String> = before.iter().map(|s| key(*s, Some(label), None)).collect();
        match step {
            Step::Profile => after.push(key(Step::Roles, None, None)),
            Step::Approve => after.push(key(Step::AccessReview, None, None)),
            Step::Load => {
                after.push(key(Step::Windows, None, None));
                after.push(key(Step::Notice, None, Some("before")));
            }
            _ => {}
        }
        all.push(Wanted {
            key: key(step, Some(label), None),
            binding: Some(bound(step, Some(label), None)),
            title: format!("{verb} {label}"),
            description: says.to_owned(),
            role,
            hours,
            priority: if step == Step::Load { Priority::High } else { Priority::Normal },
            labels: vec![label.to_owned()],
            deadline: None,
            part_of: Some(table_key(label)),
            after,
            origin: Origin::Drafted,
        });
        before = Some(step);
    }
}

fn question(label: &str, column: &str) -> Wanted {
    Wanted {
        key: key(Step::Column, Some(label), Some(column)),
        binding: Some(bound(Step::Column, Some(label), Some(column))),
        title: format!("What becomes of the column {column} of {label}?"),
        description:
            "It is neither mapped, nor used, nor dropped with a reason. The answer goes into the plan."
                .to_owned(),
        role: Role::Steward,
        hours: 1.0,
        priority: Priority::High,
        labels: vec![label.to_owned()],
        deadline: None,
        part_of: Some(table_key(label)),
        after: Vec::new(),
        origin: Origin::OpenQuestion,
    }
}

fn of_group(label: &str, group: &QuarantineGroup) -> Wanted {
    let column = group.column.as_ref().map(|c| format!(" in {c}")).unwrap_or_default();
    Wanted {
        key: key(Step::Quarantine, Some(label), Some(&group.id)),
        binding: Some(bound(Step::Quarantine, Some(label), Some(&group.id))),
        title: format!("Decide on rows of {label} that wait: {}{column}", group.reason),
        description: format!("{} rows wait. Correct, release or discard them.", group.rows),
        role: Role::Steward,
        hours: 2.0,
        priority: Priority::High,
        labels: vec![label.to_owned()],
        deadline: None,
        part_of: Some(table_key(label)),
        after: Vec::new(),
        origin: Origin::Drafted,
    }
}

impl Wanted {
    /// The fields that a draft sets, by their names.
    fn fields(
        &self,
        ids: &HashMap<String, String>,
        workers: &[Worker],
        after: &[Dependency],
    ) -> BTreeMap<String, Value> {
        let of_role = |role: Role| workers.iter().find(|w| w.role == role);
        let lead = of_role(Role::Lead).or_else(|| of_role(Role::Owner)).map(|w| w.id.clone());
        let owner = of_role(self.role).map(|w| w.id.clone()).or_else(|| lead.clone());
        let responsible = owner.clone().into_iter().collect();
        let raci = Raci { responsible, accountable: lead, ..Raci::default() };
        let is_whole = self.binding.is_none();
        let estimate = (!is_whole).then_some(self.hours);
        let parent = self.part_of.as_ref().and_then(|key| ids.get(key));
        BTreeMap::from([
            ("title".to_owned(), json!(self.title)),
            ("description".to_owned(), json!(self.description)),
            ("kind".to_owned(), json!(Kind::Task)),
            ("priority".to_owned(), json!(self.priority)),
            ("labels".to_owned(), json!(self.labels)),
            ("estimate_hours".to_owned(), json!(estimate)),
            ("deadline".to_owned(), json!(self.deadline)),
            ("owner".to_owned(), json!(owner)),
            ("raci".to_owned(), json!(if is_whole { Raci::default() } else { raci })),
            ("parent".to_owned(), json!(parent)),
            ("depends_on".to_owned(), json!(after)),
        ])
    }
}

impl Work {
    /// Drafts the tasks of a plan, new or again.
    pub async fn draft(
        &self,
        by: &By,
        plan: &Plan,
        facts: &[TableFacts],
        workers: &[Worker],
    ) -> Result<Drafted> {
        let filter =
            QuarantineFilter { status: Some(QuarantineStatus::Waiting), ..QuarantineFilter::default() };
        let groups = self.state().quarantine_groups(&filter).await?;
        let wanted = wanted(plan, facts, &groups);
        let _turn = self.turn().await;
        let (pairs, drafted) = self.compare(&wanted, workers)?;
        self.commit(by, "draft", None, pairs).await?;
        self.refold().await?;
        Ok(drafted)
    }

    fn compare(&self, wanted: &[Wanted], workers: &[Worker]) -> Result<(Vec<Pair>, Drafted)> {
        let board = self.board();
        let known: HashMap<String, Arc<Task>> =
            board.tasks().filter_map(|t| Some((t.draft_key()?.to_owned(), t.clone()))).collect();
        let id_of = |w: &Wanted| (w.key.clone(), known.get(&w.key).map_or_else(new_id, |t| t.id.clone()));
        let ids: HashMap<String, String> = wanted.iter().map(id_of).collect();
        let mut drafted = Drafted::default();
        let mut pairs = Vec::new();
        let (mut number, mut last) = (board.next_number(), board.last_rank());
        for one in wanted {
            let after: Vec<Dependency> = one
                .after
                .iter()
                .filter_map(|key| ids.get(key))
                .map(|id| Dependency { task: id.clone(), lag_days: 0 })
                .collect();
            let fields = one.fields(&ids, workers, &after);
            match known.get(&one.key) {
                Some(old) => {
                    drafted.kept += 1;
                    let task = redrafted(old, &fields)?;
                    if task.drafted != old.drafted || task.gone != old.gone {
                        drafted.updated.push(task.id.clone());
                        pairs.push(Pair { before: Some(old.clone()), after: Some(task) });
                    }
                }
                None => {
                    let place = rank::between(last.as_deref(), None);
                    last = Some(place.clone());
                    let mut task = Task {
                        id: ids.get(&one.key).cloned().unwrap_or_default(),
                        number,
                        origin: one.origin,
                        binding: one.binding.clone(),
                        rank: place,
                        created_at: dunlin_store::now_us(),
                        ..Task::default()
                    };
                    number += 1;
                    for (field, value) in &fields {
                        task.set(field, value)?;
                    }
                    task.drafted = fields;
                    task.drafted.insert("key".to_owned(), json!(one.key));
                    drafted.added.push(task.id.clone());
                    pairs.push(Pair { before: None, after: Some(task) });
                }
            }
        }
        for (_, old) in known.iter().filter(|(key, old)| !ids.contains_key(*key) && !old.gone) {
            // A group that was decided, or a column that found its fate, is done, not gone.
            let step = old.binding.as_ref().map(|b| b.step);
            if matches!(step, Some(Step::Quarantine | Step::Column)) && plan_has(wanted, old) {
                continue;
            }
            drafted.gone.push(old.id.clone());
            let mut task = Task::clone(old);
            task.gone = true;
            pairs.push(Pair { before: Some(old.clone()), after: Some(task) });
        }
        Ok((pairs, drafted))
    }
}

/// Whether the plan still has a task's table.
fn plan_has(wanted: &[Wanted], task: &Task) -> bool {
    let table = task.binding.as_ref().and_then(|b| b.table.as_deref()).unwrap_or_default();
    wanted.iter().any(|w| w.key == table_key(table))
}

/// A task with the draft's new words, except where a person changed them.
fn redrafted(old: &Task, fields: &BTreeMap<String, Value>) -> Result<Task> {
    let mut task = old.clone();
    task.gone = false;
    for (field, value) in fields {
        let before = old.drafted.get(field);
        if before == Some(value) {
            continue;
        }
        // What the last draft said is still there, so nobody has edited it.
        if before.is_none_or(|said| old.get(field) == *said) {
            task.set(field, value)?;
        }
        task.drafted.insert(field.clone(), value.clone());
    }
    Ok(task)
}

/// The fields that a person sets when asking the business something.
pub fn question_fields(title: &str, description: &str) -> Map<String, Value> {
    Map::from_iter([("title".to_owned(), json!(title)), ("description".to_owned(), json!(description))])
}
