//! The plan as a document: read, edited, compared, checked, approved.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dunlin_guard::audit::LedgerReader;
use dunlin_guard::{Action, Resource};
use dunlin_ledger::Body;
use dunlin_plan::{Findings, Level, Plan};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{done, items, ok};
use crate::app::App;
use crate::extract::{Json, Text};
use crate::gate::{Caller, allowed};
use crate::layers::text;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::plan::{
    Allowed, PLAN_FILE, PlanFile, Step, apply, authorises, changed_stores, check, edited, etag,
    finish_pending, read,
};
use crate::problem::Problem;

/// Single changes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Steps {
    /// Made one after the other; all or none.
    #[schema(min_items = 1, max_items = 200)]
    steps: Vec<Step>,
}

/// The fingerprint that was read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Fingerprint {
    #[schema(pattern = "^[0-9a-f]{64}$")]
    fingerprint: String,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.with(document_routes).with(comparing_routes).with(approving_routes)
}

fn document_routes(routes: Routes) -> Routes {
    let may = |action| Access::May(action, Target::Plan);
    let match_says = "The `ETag` of the version that was edited; another one is refused";
    routes
        .add(
            Op::new(
                Method::Get,
                "/api/v1/plan",
                may(Action::PlanRead),
                "plan",
                "The plan: text, fingerprint, findings",
            )
            .answers_object("`text`, `fingerprint`, `plan`, `findings`; the header `ETag` marks the version"),
            plan,
        )
        .add(
            Op::new(
                Method::Put,
                "/api/v1/plan",
                may(Action::PlanEdit),
                "plan_write",
                "Replace the plan's text",
            )
            .header("If-Match", true, match_says)
            .takes_text("text/plain")
            .answers_object("What changed; the header `ETag` marks the new version"),
            write,
        )
}

fn comparing_routes(routes: Routes) -> Routes {
    let may = |action| Access::May(action, Target::Plan);
    let match_says = "The `ETag` of the version that was edited; another one is refused";
    routes
        .add(
            Op::new(
                Method::Get,
                "/api/v1/plan/schema",
                may(Action::PlanRead),
                "plan_schema",
                "The JSON Schema of the plan file, for completion in editors",
            )
            .answers_object("A JSON Schema, 2020-12"),
            schema,
        )
        .add(
            Op::new(
                Method::Get,
                "/api/v1/plan/history",
                may(Action::PlanRead),
                "plan_history",
                "Who edited, approved and voided the plan, the newest first",
            )
            .answers_object("`items`: with the ledger's entry of each"),
            history,
        )
        .add(
            Op::new(
                Method::Patch,
                "/api/v1/plan",
                may(Action::PlanEdit),
                "plan_edit",
                "Change single values; formatting and comments stay",
            )
            .header("If-Match", true, match_says)
            .takes::<Steps>()
            .answers_object("What changed; the header `ETag` marks the new version"),
            edit,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/plan/diff",
                may(Action::PlanRead),
                "plan_diff",
                "What a text would change in the plan, and whether it may stand",
            )
            .takes_text("text/plain")
            .answers_object("`changes`, `findings`, `fingerprint`"),
            diff,
        )
}

fn approving_routes(routes: Routes) -> Routes {
    let may = |action| Access::May(action, Target::Plan);
    routes
        .add(
            Op::new(
                Method::Post,
                "/api/v1/plan/check",
                may(Action::PlanCheck),
                "plan_check",
                "Hold the plan against the stores, without moving anything",
            )
            .answers_object("`findings`"),
            check_stores,
        )
        .add(
            Op::new(
                Method::Get,
                "/api/v1/plan/approvals",
                may(Action::ApprovalsRead),
                "approvals",
                "The approvals of the plan as it is",
            )
            .answers_object("`items`: approvals, also those that no longer hold"),
            approvals,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/plan/approve",
                may(Action::PlanApprove),
                "plan_approve",
                "Approve the plan for its stores as they are now",
            )
            .takes::<Fingerprint>(),
            approve,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/plan/void",
                may(Action::PlanVoid),
                "plan_void",
                "Withdraw the approvals of a fingerprint",
            )
            .takes::<Fingerprint>(),
            void,
        )
}

fn file(app: &App) -> Result<PlanFile, Problem> {
    read(&app.workspace.dir).map_err(|e| {
        tracing::error!(kind = ?e.kind(), reference = crate::problem::reference(), "the plan could not be read");
        Problem::internal()
    })
}

/// The plan, when it stands.
pub(super) fn current(app: &App) -> Result<Plan, Problem> {
    file(app)?.plan.map_err(|findings| broken(&findings))
}

/// Whether the plan's window is open now; `None` when there is none.
pub(super) fn in_window(plan: &Plan) -> Option<bool> {
    plan.window.as_ref().map(|window| window.is_open(jiff::Timestamp::now()))
}

fn json_of(findings: &Findings) -> Vec<Value> {
    findings.items.iter().map(|finding| finding.to_json(PLAN_FILE, &findings.text)).collect()
}

fn broken(findings: &Findings) -> Problem {
    let title = "the plan cannot stand as it is";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "plan_findings", title)
        .help("each finding names its line and how to mend it")
        .with_findings(json_of(findings))
}

fn with_etag(mut response: Response, text: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(&etag(text)) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

async fn plan(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let file = file(&app)?;
    if text(&headers, header::IF_NONE_MATCH) == etag(&file.text) {
        return Ok(with_etag(StatusCode::NOT_MODIFIED.into_response(), &file.text));
    }
    let body = match &file.plan {
        Ok(plan) => json!({
            "text": file.text,
            "fingerprint": plan.fingerprint().to_string(),
            "plan": plan,
            "findings": plan.findings.iter().map(|f| f.to_json(PLAN_FILE, &file.text)).collect::<Vec<_>>(),
        }),
        // What cannot be read may hold a password in the open: its blanked form is shown.
        Err(findings) => {
            json!({ "text": findings.text, "fingerprint": null, "plan": null, "findings": json_of(findings) })
        }
    };
    Ok(with_etag(ok(&body), &file.text))
}

async fn write(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Text(new): Text,
) -> Result<Response, Problem> {
    save(&app, &caller, &headers, |_| Ok(new)).await
}

async fn edit(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(body): Json<Steps>,
) -> Result<Response, Problem> {
    save(&app, &caller, &headers, |old| {
        apply(old, &body.steps).map_err(|e| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "plan_edit", e.to_string())
                .help("`GET /api/v1/plan` shows the plan as it is")
        })
    })
    .await
}

/// Checks an edit and makes it: the version that was edited, the plan's own rules, the server's rules, who may change
/// stores; then the entry, then the file.
async fn save(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    make: impl FnOnce(&str) -> Result<String, Problem> + Send,
) -> Result<Response, Problem> {
    let _one_at_a_time = app.plan_lock.lock().await;
    let old = file(app)?;
    if_match(headers, &old.text)?;
    let new_text = make(&old.text)?;
    let new = judge(app, &old, &new_text)?;
    let old_plan = old.plan.as_ref().ok();
    if !changed_stores(old_plan, &new).is_empty() {
        allowed(app, &caller.who, Action::PlanEditStores, &Resource::plan()).await?;
    }
    if authorises(old_plan, &new) {
        // Whoever it is: as much as making somebody an owner.
        allowed(app, &caller.who, Action::PeopleAuthorise, &Resource::Person { id: String::new() }).await?;
    }
    let fingerprint = new.fingerprint().to_string();
    // A plan that could not be read had no fingerprint; the hash of its text stands for it.
    let previous = old_plan.map_or_else(|| hash(&old.text), |plan| plan.fingerprint().to_string());
    let changes = old_plan.map(|old| dunlin_plan::diff(old, &new)).unwrap_or_default();
    if old.text != new_text {
        let state = app.workspace.state();
        let mut tx = state.begin().await?;
        let now = app.guard.clock().keep(&mut tx).await?;
        app.guard.plan_edited_in(&mut tx, &caller.who.actor(), &previous, &fingerprint, now).await?;
        edited(&mut tx, &new_text).await?;
        tx.commit().await?;
        finish_pending(state, &app.workspace.dir).await?;
        let data = json!({ "fingerprint": fingerprint, "person": caller.who.person });
        app.hub.tell("plan.edited", Action::PlanRead, None, data);
    }
    let body = json!({
        "fingerprint": fingerprint,
        "changes": changes.iter().map(change).collect::<Vec<_>>(),
        "findings": new.findings.iter().map(|f| f.to_json(PLAN_FILE, &new_text)).collect::<Vec<_>>(),
    });
    Ok(with_etag(ok(&body), &new_text))
}

fn hash(text: &str) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(text.as_bytes()))
}

fn if_match(headers: &HeaderMap, text_now: &str) -> Result<(), Problem> {
    let Some(sent) = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()) else {
        let title = "an edit must say which version it is of";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match_missing", title)
            .help("send the `ETag` of `GET /api/v1/plan` as `If-Match`"));
    };
    if sent.split(',').any(|one| one.trim() == etag(text_now)) {
        return Ok(());
    }
    let title = "the plan has been edited since you read it";
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, "plan_changed", title)
        .help("read it again, make your change there, and send it once more"))
}

/// A new text as a plan, or everything that is wrong with it.
fn judge(app: &App, old: &PlanFile, text: &str) -> Result<Plan, Problem> {
    let new = dunlin_plan::load(text, PLAN_FILE).map_err(|findings| broken(&findings))?;
    let rules = Allowed::by(&app.config, &app.workspace.dir);
    let found = check(old.plan.as_ref().ok(), &new, &rules);
    if found.iter().any(|finding| finding.level == Level::Error) {
        return Err(broken(&Findings::new(PLAN_FILE, text, found)));
    }
    Ok(new)
}

fn change(change: &dunlin_plan::Change) -> Value {
    json!({ "change": change.to_string(), "moves": change.moves })
}

async fn diff(State(app): State<App>, Text(new_text): Text) -> Result<Response, Problem> {
    let old = file(&app)?;
    let (fingerprint, changes, findings) = match dunlin_plan::load(&new_text, PLAN_FILE) {
        Ok(new) => {
            let old = old.plan.as_ref().ok();
            let rules = Allowed::by(&app.config, &app.workspace.dir);
            let mut found = new.findings.clone();
            found.extend(check(old, &new, &rules));
            let changes = old.map(|old| dunlin_plan::diff(old, &new)).unwrap_or_default();
            (Some(new.fingerprint().to_string()), changes, Findings::new(PLAN_FILE, &new_text, found))
        }
        Err(findings) => (None, Vec::new(), findings),
    };
    Ok(ok(&json!({
        "fingerprint": fingerprint,
        "changes": changes.iter().map(change).collect::<Vec<_>>(),
        "findings": json_of(&findings),
    })))
}

/// Entries that are read from the ledger at a time.
const READ_AT_ONCE: usize = 1_000;

/// What the ledger says of the plan, read as far as [`History::next`]; the ledger only grows, so nothing is read twice.
#[derive(Default)]
pub(crate) struct History {
    next: u64,
    found: Vec<Value>,
}

impl History {
    async fn catch_up(&mut self, reader: &LedgerReader) -> Result<(), Problem> {
        loop {
            let entries = reader.entries(self.next, READ_AT_ONCE).await?;
            let Some((last, _)) = entries.last() else { return Ok(()) };
            let next = last + 1;
            for (index, entry) in entries {
                let Some(entry) = entry else { continue };
                let (kind, fingerprint, previous) = match entry.body {
                    Body::PlanEdited { fingerprint, previous } => ("edited", fingerprint, Some(previous)),
                    Body::PlanApproved { fingerprint, .. } => ("approved", fingerprint, None),
                    Body::ApprovalVoided { fingerprint, .. } => ("voided", fingerprint, None),
                    _ => continue,
                };
                self.found.push(json!({ "entry": index, "at": entry.at, "by": entry.actor, "kind": kind,
                                        "fingerprint": fingerprint, "previous": previous }));
            }
            self.next = next;
        }
    }
}

async fn history(State(app): State<App>) -> Result<Response, Problem> {
    let reader = LedgerReader::new(&app.workspace)?;
    let mut history = app.plan_history.lock().await;
    history.catch_up(&reader).await?;
    let newest: Vec<&Value> = history.found.iter().rev().take(super::PAGE_MAX as usize).collect();
    Ok(items(&newest))
}

async fn schema() -> Response {
    ok(&dunlin_plan::schema())
}

async fn check_stores(State(app): State<App>) -> Result<Response, Problem> {
    let file = file(&app)?;
    let findings = app.engine.check(&file.text).await?;
    Ok(ok(&json!({ "findings": findings })))
}

async fn approvals(State(app): State<App>) -> Result<Response, Problem> {
    let fingerprint = current(&app)?.fingerprint().to_string();
    Ok(items(&app.guard.approvals_of(&fingerprint).await?))
}

async fn approve(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<Fingerprint>,
) -> Result<Response, Problem> {
    let stores = app.engine.identities().await?;
    let now = current(&app)?.fingerprint().to_string();
    let rules = dunlin_guard::ApprovalRules::default();
    app.guard.approve(&caller.who, &app.authority, &rules, &body.fingerprint, &now, &stores).await?;
    let data = json!({ "fingerprint": now, "person": caller.who.person });
    app.hub.tell("plan.approved", Action::ApprovalsRead, None, data);
    Ok(done())
}

async fn void(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<Fingerprint>,
) -> Result<Response, Problem> {
    app.guard.void_approvals(&caller.who, &app.authority, &body.fingerprint).await?;
    Ok(done())
}
