//! Alerts: what was unusual, and what is done about it, down to blocking in one call.

use axum::extract::State;
use axum::response::Response;
use dunlin_guard::alerts::{AlertFilter, Decision};
use dunlin_guard::{Action, Reason};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;

use super::{done, items, ok};
use crate::app::App;
use crate::extract::{Json, Path, Query};
use crate::gate::{Caller, account, allowed};
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

/// Which alerts.
#[derive(Deserialize)]
struct Which {
    open: Option<bool>,
    person: Option<String>,
    rule: Option<String>,
    before: Option<i64>,
}

/// What is done about an alert.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Close {
    /// `harmless`, `handled` or `blocked`; `blocked` blocks the person of the alert first.
    #[schema(pattern = "^(harmless|handled|blocked)$")]
    decision: String,
    /// Why, in words; kept in the state.
    #[schema(max_length = 2000)]
    note: String,
}

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::May(Action::AlertsRead, Target::Workspace);
    routes
        .add(
            Op::new(Method::Get, "/api/v1/alerts", read, "alerts", "Alerts, the newest first")
                .query("open", Type::Boolean, "Only those that nobody has closed, or only the others")
                .query("person", Type::String, "About this person")
                .query("rule", Type::String, "Of this rule")
                .query("before", Type::Integer, "Raised before this moment")
                .answers_object("`items`: alerts"),
            list,
        )
        .add(
            Op::new(Method::Get, "/api/v1/alerts/{alert}", read, "alert", "One alert")
                .answers_object("The alert"),
            one,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/alerts/{alert}/close",
                Access::May(Action::AlertsClose, Target::Workspace),
                "alert_close",
                "Deal with an alert; `blocked` blocks its person in the same call",
            )
            .takes::<Close>(),
            close,
        )
}

async fn list(State(app): State<App>, Query(which): Query<Which>) -> Result<Response, Problem> {
    let filter =
        AlertFilter { open: which.open, person: which.person, rule: which.rule, before: which.before };
    Ok(items(&app.alerts.list(&filter, super::PAGE_MAX).await?))
}

async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(ok(&app.alerts.one(&id).await?))
}

async fn close(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Close>,
) -> Result<Response, Problem> {
    let decision = match body.decision.as_str() {
        "harmless" => Decision::Harmless,
        "handled" => Decision::Handled,
        "blocked" => Decision::Blocked,
        _ => return Err(Problem::bad_request("`decision` is harmless, handled or blocked")),
    };
    let alert = app.alerts.one(&id).await?;
    if decision == Decision::Blocked {
        let person = alert.person.ok_or_else(|| {
            Problem::bad_request("this alert is about no person, so nobody can be blocked")
                .help("close it as `handled` once it is")
        })?;
        allowed(&app, &caller.who, Action::PeopleBlock, &account(&app, &person).await?).await?;
        let text =
            if body.note.trim().is_empty() { "blocked from an alert".to_owned() } else { body.note.clone() };
        let reason = Reason { category: format!("alert.{}", alert.rule), text };
        match app.guard.block(&caller.who.actor(), &person, &reason).await {
            // Somebody was quicker; the alert is closed all the same.
            Ok(()) | Err(dunlin_guard::GuardError::WrongStatus(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let data = serde_json::json!({ "person": person, "change": "blocked" });
        app.hub.tell("person.changed", Action::PeopleRead, Some(&person), data);
    }
    app.alerts.close(&caller.who, &id, decision, &body.note).await?;
    app.hub.tell("alert.closed", Action::AlertsRead, None, serde_json::json!({ "alert": id }));
    Ok(done())
}
