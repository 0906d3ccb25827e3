//! Rows that wait for a person: their groups, their values through the gate, and what is decided on them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use dunlin_guard::{Action, Resource};
use dunlin_store::{QuarantineFilter, QuarantineStatus};
use dunlin_work::{Step, Task};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;

use super::opening::{Opened, Wanted, ask, show};
use super::{items, ok};
use crate::app::App;
use crate::engine::{Decide, Decided, DecisionWord, QuarantineAsk, Reason, WouldDecide};
use crate::extract::{Json, Path, Query};
use crate::gate::{Caller, allowed};
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

/// Which groups.
#[derive(Deserialize)]
struct Groups {
    run: Option<String>,
    table: Option<String>,
}

/// Which rows, and how they are wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenRows {
    /// At most this many.
    #[serde(default = "fifty")]
    #[schema(minimum = 1, maximum = 500)]
    limit: u32,
    /// From this one on.
    #[serde(default)]
    offset: u32,
    /// Clear values, which need a purpose and more.
    #[serde(default)]
    clear: bool,
    /// Why.
    #[serde(default)]
    purpose: Option<Reason>,
    /// The task it is for.
    #[serde(default)]
    task: Option<String>,
    /// Instead of the rows, what this fix would make of them: source column to SQL over source columns. Each column comes
    /// before and after.
    #[serde(default)]
    fix: BTreeMap<String, String>,
}

/// So many groups are told of, and decided on at once.
const GROUPS_MAX: usize = 1000;

fn fifty() -> u32 {
    50
}

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::May(Action::QuarantineRead, Target::Workspace);
    routes
        .add(
            Op::new(Method::Get, "/api/v1/quarantine", read, "quarantine", "Groups of rows that wait, the largest first")
                .query("run", Type::String, "Of this run")
                .query("table", Type::String, "Of this table")
                .answers_object("`items`: groups"),
            groups,
        )
        .add(
            Op::new(Method::Post, "/api/v1/quarantine/{group}/rows", read, "quarantine_rows", "Open rows of a group through the gate; the access is in the ledger before the first row leaves")
                .takes::<OpenRows>()
                .answers::<Opened>("The rows, masked or clear"),
            rows,
        )
        .add(
            Op::new(Method::Post, "/api/v1/quarantine/decide", Access::May(Action::QuarantineDecide, Target::Workspace), "quarantine_decide", "Fix, release or discard the rows of a group")
                .takes::<Decide>()
                .answers::<Decided>("What was decided"),
            decide,
        )
        .add(
            Op::new(Method::Post, "/api/v1/quarantine/preview", Access::May(Action::QuarantineDecide, Target::Workspace), "quarantine_preview", "What a decision would come to; nothing is changed")
                .takes::<Decide>()
                .answers::<WouldDecide>("Rows that would load, be left out, or still wait"),
            preview,
        )
}

async fn groups(
    State(app): State<App>,
    caller: Caller,
    Query(ask): Query<Groups>,
) -> Result<Response, Problem> {
    let filter = QuarantineFilter {
        run: ask.run,
        table: ask.table,
        groups: Vec::new(),
        status: Some(QuarantineStatus::Waiting),
    };
    let found = app.workspace.state().quarantine_groups(&filter).await?;
    let tasks = tasks(&app);
    let views: Vec<_> = found
        .iter()
        .filter(|g| caller.who.tables.as_ref().is_none_or(|tables| tables.contains(&g.table)))
        .take(GROUPS_MAX)
        .map(|g| {
            json!({ "group": g.id, "run": g.run, "table": g.table, "reason": g.reason, "column": g.column,
                    "pattern": g.pattern, "rows": g.rows, "task": tasks.get(&(g.table.clone(), g.id.clone())) })
        })
        .collect();
    Ok(items(&views))
}

/// What the work says of each group that has a task: who has it, and until when.
fn tasks(app: &App) -> HashMap<(String, String), Value> {
    let board = app.desk.work.board();
    let of_group = |task: &Arc<Task>| {
        let binding = task.binding.as_ref().filter(|b| b.step == Step::Quarantine)?;
        let place = (binding.table.clone()?, binding.column.clone()?);
        let view = json!({ "id": task.id, "number": task.number, "owner": task.owner,
                           "deadline": task.deadline.map(|day| day.to_string()) });
        Some((place, view))
    };
    board.tasks().filter_map(of_group).collect()
}

async fn rows(
    State(app): State<App>,
    caller: Caller,
    Path(group): Path<String>,
    Json(body): Json<OpenRows>,
) -> Result<Response, Problem> {
    let limit = body.limit.clamp(1, super::PAGE_MAX);
    let fix = body.fix.clone();
    if !fix.is_empty() {
        allowed(&app, &caller.who, Action::QuarantineDecide, &Resource::Workspace).await?;
    }
    let wanted = QuarantineAsk { group, limit, offset: u64::from(body.offset), fix };
    let found = app.engine.quarantined(wanted).await?;
    let wanted = Wanted { clear: body.clear, purpose: body.purpose.as_ref(), task: body.task.as_deref() };
    let mut ask = ask(&app, &caller, &wanted, "quarantine");
    ask.limit = Some(u64::from(limit));
    ask.row_names.clone_from(&found.names);
    show(&app, found.rows, &ask).await
}

async fn decide(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<Decide>,
) -> Result<Response, Problem> {
    reachable(&app, &caller, &body).await?;
    let decided = app.engine.decide(body, caller.who.actor()).await?;
    app.hub.tell("quarantine.decided", Action::QuarantineRead, None, json!({ "rows": decided.rows }));
    Ok(ok(&decided))
}

async fn preview(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<Decide>,
) -> Result<Response, Problem> {
    within_limit(&app, &caller, &body.groups).await?;
    Ok(ok(&app.engine.would_decide(body).await?))
}

/// The one table of the groups; refused where the person is limited to others.
async fn within_limit(app: &App, caller: &Caller, asked: &[String]) -> Result<String, Problem> {
    if asked.is_empty() || asked.len() > GROUPS_MAX {
        return Err(Problem::bad_request("name one group or more, at most 1,000"));
    }
    let filter = QuarantineFilter { groups: asked.to_vec(), ..QuarantineFilter::default() };
    let groups = app.workspace.state().quarantine_groups(&filter).await?;
    let known = |id: &String| groups.iter().any(|group| group.id == *id);
    let table = groups.first().map(|group| group.table.clone());
    let table = table.filter(|_| asked.iter().all(known)).ok_or_else(|| Problem::not_found("group"))?;
    if groups.iter().any(|group| group.table != table) {
        return Err(Problem::bad_request("decide on the rows of one table at a time"));
    }
    if caller.who.tables.as_ref().is_some_and(|tables| !tables.contains(&table)) {
        let title = "you are limited to other tables than this group's";
        return Err(
            Problem::forbidden("table_limit", title).help("ask the lead or an owner to change the limit")
        );
    }
    Ok(table)
}

/// Refuses a decision on a table that the person is limited away from, and one that writes into a protected store of
/// which nobody else has approved the plan: it writes as a run does.
async fn reachable(app: &App, caller: &Caller, ask: &Decide) -> Result<(), Problem> {
    let table = within_limit(app, caller, &ask.groups).await?;
    let plan = super::plan::current(app)?;
    let target = plan.table(&table).and_then(|found| plan.stores.get(&found.to.store));
    if ask.decision != DecisionWord::Discard && target.is_some_and(|store| store.protected) {
        let stores = app.engine.identities().await?;
        app.guard.may_start_run(&caller.who, &plan.fingerprint().to_string(), &stores).await?;
    }
    Ok(())
}
