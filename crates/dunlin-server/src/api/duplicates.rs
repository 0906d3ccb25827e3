//! Rows that may stand for one: the pairs that a run left for a person, their rows through the gate, what a merge would
//! come to, and the decision.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use dunlin_gate::{ColumnInfo, Decision, Policy, Question, Shown};
use dunlin_guard::{Action, Resource};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;

use super::ok;
use super::opening::{Opened, Wanted, ask, open};
use crate::app::App;
use crate::duplicates::{
    DecidePairs, DecidedPairs, Duplicates, Pair, PairDecisionWord, PairState, PairsLook, WouldDecidePairs,
};
use crate::engine::Reason;
use crate::extract::{Json, Path, Query};
use crate::gate::{Caller, allowed};
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

/// Which pairs.
#[derive(Deserialize)]
struct Which {
    state: Option<Chosen>,
    table: Option<String>,
    limit: Option<u32>,
    offset: Option<u32>,
}

/// Pairs by who has decided on them.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Chosen {
    /// Nobody yet.
    Waits,
    /// A person.
    Decided,
    /// The run, by itself.
    Sure,
}

impl Chosen {
    fn of(state: PairState) -> Self {
        match state {
            PairState::Waits => Chosen::Waits,
            PairState::Merged | PairState::Kept => Chosen::Decided,
            PairState::Sure => Chosen::Sure,
        }
    }
}

/// Pairs, and how many there are of each kind.
#[derive(Serialize, ToSchema)]
struct PairList {
    /// The pairs of this page, the likeliest first.
    items: Vec<Pair>,
    /// How many there are on all pages.
    total: u64,
    /// How many wait for a person, in all tables.
    waiting: u64,
    /// How many people have decided on.
    decided: u64,
    /// How many the run merged by itself.
    sure: u64,
    /// The tables that have pairs.
    tables: Vec<String>,
    /// The run that left them; null where no run of the plan has come to its end.
    run: Option<String>,
}

/// How the rows of a pair are wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenPair {
    /// Clear values, which need a purpose and more.
    #[serde(default)]
    clear: bool,
    /// Why.
    #[serde(default)]
    purpose: Option<Reason>,
    /// The task it is for.
    #[serde(default)]
    task: Option<String>,
}

/// The rows of a pair as they may be seen.
#[derive(Serialize, ToSchema)]
struct OpenedPair {
    /// The rows: the two of the pair, then those that fold into them already; at most fifty.
    opened: Opened,
    /// Their names, in the same order, as the ledger and the preview have them.
    names: Vec<String>,
    /// The columns of these in which not all rows are alike; masks may look alike where values differ.
    differing: Vec<String>,
    /// The columns of the key.
    keys: Vec<String>,
    /// How many rows would be one.
    total: u64,
}

/// What a decision is tried on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PreviewPairs {
    /// What the pairs are called.
    #[schema(min_items = 1, max_items = 1000)]
    pairs: Vec<String>,
    /// What would become of them.
    decision: PairDecisionWord,
    /// Whether to tell what would change in the targets as well; it takes as long as deciding does, and is for those who
    /// may decide.
    #[serde(default = "yes")]
    effects: bool,
}

fn yes() -> bool {
    true
}

/// So many pairs are decided on at once.
const PAIRS_MAX: usize = 1000;

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::May(Action::DuplicatesRead, Target::Workspace);
    let decide_on = Access::May(Action::DuplicatesDecide, Target::Workspace);
    routes
        .add(
            Op::new(Method::Get, "/api/v1/duplicates", read, "duplicates", "Pairs of rows that may stand for one, the likeliest first; no value of theirs")
                .query("state", Type::String, "`waits`: for a person; `decided`: by one; `sure`: merged by the run itself; all without it")
                .query("table", Type::String, "Of this table")
                .query("limit", Type::Integer, "At most this many, by default 100, at most 500")
                .query("offset", Type::Integer, "From this one on")
                .answers::<PairList>("Pairs"),
            list,
        )
        .add(
            Op::new(Method::Post, "/api/v1/duplicates/{pair}/rows", read, "duplicate_rows", "Open the rows of a pair beside each other through the gate; the access is in the ledger before the first row leaves")
                .takes::<OpenPair>()
                .answers::<OpenedPair>("The rows, masked or clear"),
            rows,
        )
        .add(
            Op::new(Method::Post, "/api/v1/duplicates/preview", read, "duplicates_preview", "What a decision would come to; nothing is changed, and no value is in the answer")
                .takes::<PreviewPairs>()
                .answers::<WouldDecidePairs>("What the rows would be as one, and what would change"),
            preview,
        )
        .add(
            Op::new(Method::Post, "/api/v1/duplicates/decide", decide_on, "duplicates_decide", "Merge pairs, keep them apart, or take that back")
                .takes::<DecidePairs>()
                .answers::<DecidedPairs>("What was decided"),
            decide,
        )
}

/// Whoever knows duplicates; a server without anybody has none.
fn duplicates(app: &App) -> Result<Arc<dyn Duplicates>, Problem> {
    app.engine.duplicates().ok_or_else(|| Problem::not_found("list of duplicates"))
}

fn reaches(caller: &Caller, table: &String) -> bool {
    caller.who.tables.as_ref().is_none_or(|tables| tables.contains(table))
}

async fn list(State(app): State<App>, caller: Caller, Query(ask): Query<Which>) -> Result<Response, Problem> {
    let mut found = duplicates(&app)?.pairs().await?;
    found.pairs.retain(|pair| reaches(&caller, &pair.table));
    let count = |chosen| found.pairs.iter().filter(|p| Chosen::of(p.state) == chosen).count() as u64;
    let mut tables: Vec<String> = found.pairs.iter().map(|p| p.table.clone()).collect();
    tables.sort_unstable();
    tables.dedup();
    let (waiting, decided, sure) = (count(Chosen::Waits), count(Chosen::Decided), count(Chosen::Sure));
    let wanted = |pair: &Pair| {
        ask.state.is_none_or(|chosen| chosen == Chosen::of(pair.state))
            && ask.table.as_ref().is_none_or(|table| *table == pair.table)
    };
    let chosen: Vec<Pair> = found.pairs.into_iter().filter(wanted).collect();
    let total = chosen.len() as u64;
    let limit = ask.limit.unwrap_or(100).clamp(1, super::PAGE_MAX) as usize;
    let offset = ask.offset.unwrap_or_default() as usize;
    let mut items: Vec<Pair> = chosen.into_iter().skip(offset).take(limit).collect();
    for table in &tables {
        let of_table = || items.iter().filter(|pair| pair.table == *table);
        let named: BTreeSet<String> =
            of_table().flat_map(|pair| pair.evidence.iter().map(|e| e.column.clone())).collect();
        let hidden = hidden(&app, &caller, table, named).await?;
        for pair in items.iter_mut().filter(|pair| pair.table == *table) {
            pair.evidence.retain(|evidence| !hidden.contains(&evidence.column));
        }
    }
    Ok(ok(&PairList { items, total, waiting, decided, sure, tables, run: found.run }))
}

/// Which of these columns of a table the caller does not see even masked: nothing is said of how alike their values are, nor
/// of who has one. Asked as the gate is when rows are opened; it is no access, for no value leaves.
async fn hidden(
    app: &App,
    caller: &Caller,
    label: &str,
    columns: BTreeSet<String>,
) -> Result<BTreeSet<String>, Problem> {
    if columns.is_empty() {
        return Ok(columns);
    }
    let plan = super::plan::current(app)?;
    let Some(table) = plan.table(label) else { return Ok(columns) };
    let kind = |name: &String| {
        let planned = table.columns.iter().find(|c| c.target == *name);
        planned.and_then(|c| c.kind).map(|kind| kind.as_str().to_owned())
    };
    let infos: Vec<ColumnInfo> =
        columns.iter().map(|name| ColumnInfo { name: name.clone(), kind: kind(name) }).collect();
    let ask = ask(app, caller, &Wanted { clear: false, purpose: None, task: None }, "duplicates");
    let question = Question { ask: &ask, store: &table.to.store, table: label, columns: &infos };
    let Decision::Allow(permit) = app.policy.decide(&question).await else { return Ok(columns) };
    let shown = |at: usize| permit.columns.get(at).is_some_and(|decided| decided.shown != Shown::Hidden);
    Ok(columns.into_iter().enumerate().filter(|(at, _)| !shown(*at)).map(|(_, name)| name).collect())
}

async fn rows(
    State(app): State<App>,
    caller: Caller,
    Path(pair): Path<String>,
    Json(body): Json<OpenPair>,
) -> Result<Response, Problem> {
    within_limit(&app, &caller, std::slice::from_ref(&pair)).await?;
    let found = duplicates(&app)?.rows(&pair).await?;
    let wanted = Wanted { clear: body.clear, purpose: body.purpose.as_ref(), task: body.task.as_deref() };
    let mut ask = ask(&app, &caller, &wanted, "duplicates");
    ask.row_names.clone_from(&found.names);
    let opened = open(&app, found.rows, &ask).await?;
    let mut differing = found.differing;
    // What stays hidden does not tell whether it is alike either.
    differing.retain(|column| !opened.hidden.contains(column));
    Ok(ok(&OpenedPair { opened, names: found.names, differing, keys: found.keys, total: found.total }))
}

async fn preview(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<PreviewPairs>,
) -> Result<Response, Problem> {
    within_limit(&app, &caller, &body.pairs).await?;
    if body.effects {
        // It reads whole tables: for those who may decide.
        allowed(&app, &caller.who, Action::DuplicatesDecide, &Resource::Workspace).await?;
    }
    let may_decide =
        || app.authority.may(&caller.who, Action::DuplicatesDecide, &Resource::Workspace).allowed;
    let look = match body.effects {
        true => PairsLook::Effects,
        // Telling what people's decisions part reads whole tables as well.
        false if may_decide() => PairsLook::Apart,
        false => PairsLook::Rows,
    };
    let tables = tables_of(&app, &body.pairs).await?;
    let ask = DecidePairs { pairs: body.pairs, decision: body.decision };
    let mut told = duplicates(&app)?.would_decide(ask, look).await?;
    let mut by_table: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
    for merged in &told.merged {
        if let Some(table) = tables.get(&merged.pair) {
            by_table.entry(table).or_default().extend(merged.columns.iter().map(|part| part.column.clone()));
        }
    }
    let mut unseen = BTreeMap::new();
    for (table, columns) in by_table {
        unseen.insert(table, hidden(&app, &caller, table, columns).await?);
    }
    for merged in &mut told.merged {
        let unseen = tables.get(&merged.pair).and_then(|table| unseen.get(table));
        merged.columns.retain(|part| unseen.is_some_and(|unseen| !unseen.contains(&part.column)));
    }
    Ok(ok(&told))
}

async fn decide(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<DecidePairs>,
) -> Result<Response, Problem> {
    let tables = within_limit(&app, &caller, &body.pairs).await?;
    may_write(&app, &caller, &tables).await?;
    let decided = duplicates(&app)?.decide(body, caller.who.actor()).await?;
    let said = json!({ "pairs": decided.pairs.len() });
    app.hub.tell("duplicates.decided", Action::DuplicatesRead, None, said);
    Ok(ok(&decided))
}

/// The table of each of these pairs that is there.
async fn tables_of(app: &App, asked: &[String]) -> Result<BTreeMap<String, String>, Problem> {
    let asked: BTreeSet<&String> = asked.iter().collect();
    let known = duplicates(app)?.pairs().await?.pairs.into_iter();
    Ok(known.filter(|pair| asked.contains(&pair.pair)).map(|pair| (pair.pair, pair.table)).collect())
}

/// The tables of the pairs; refused where one is not there, or the person is limited to other tables.
async fn within_limit(app: &App, caller: &Caller, asked: &[String]) -> Result<Vec<String>, Problem> {
    if asked.is_empty() || asked.len() > PAIRS_MAX {
        return Err(Problem::bad_request("name one pair or more, at most 1,000"));
    }
    let known = tables_of(app, asked).await?;
    let tables: Option<Vec<String>> = asked.iter().map(|id| known.get(id).cloned()).collect();
    let mut tables = tables.ok_or_else(|| Problem::not_found("pair"))?;
    if tables.iter().any(|table| !reaches(caller, table)) {
        let title = "you are limited to other tables than this pair's";
        return Err(
            Problem::forbidden("table_limit", title).help("ask the lead or an owner to change the limit")
        );
    }
    tables.sort_unstable();
    tables.dedup();
    Ok(tables)
}

/// Refuses what would write into a protected store of which nobody else has approved the plan: it writes as a run does.
/// Rows of other tables that refer to the pairs' are changed as well, so every target counts.
async fn may_write(app: &App, caller: &Caller, tables: &[String]) -> Result<(), Problem> {
    let plan = super::plan::current(app)?;
    let concerned = plan.tables.iter().any(|table| tables.contains(&table.label()));
    let is_protected = |store: &String| plan.stores.get(store).is_some_and(|store| store.protected);
    if concerned && plan.tables.iter().any(|table| is_protected(&table.to.store)) {
        let stores = app.engine.identities().await?;
        app.guard.may_start_run(&caller.who, &plan.fingerprint().to_string(), &stores).await?;
    }
    Ok(())
}
