//! The plan held against its packs: how each rule ends, and why; and rules that somebody sets aside. What a waiver makes
//! of a rule is the engine's to say.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dunlin_guard::Action;
use dunlin_store::NewWaiver;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::people::Made;
use super::{created, done, items, ok};
use crate::app::App;
use crate::extract::{Json, Path};
use crate::gate::Caller;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

/// The longest reason, in characters.
const REASON_MAX: usize = 2000;

/// A rule that is to be set aside.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Waive {
    /// The rule's code, as its pack writes it.
    #[schema(example = "GDPR-05b")]
    rule: String,
    /// Why. Kept in the state; the ledger gets a salted hash.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
    /// The last day it holds, today or later.
    #[schema(format = "date", example = "2027-06-30")]
    until: String,
}

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::May(Action::PlanRead, Target::Plan);
    let waive = Access::May(Action::PlanWaive, Target::Plan);
    routes
        .add(
            Op::new(
                Method::Get,
                "/api/v1/packs",
                read,
                "packs",
                "The plan's packs: how each rule ends, with its evidence",
            )
            .answers_object(
                "`packs`, `lists` with their days, and `rules`: `rule`, `pack`, `level`, `reference`, `title`, `checks`, \
                 `state` (satisfied, violated, not_applicable, needs_person, waived), `why`, `where`, `evidence`, \
                 `entries` of the ledger, `ask`, `help`, `waiver`",
            ),
            matrix,
        )
        .add(
            Op::new(
                Method::Get,
                "/api/v1/waivers",
                read,
                "waivers",
                "Rules that are set aside: by whom, why, until when",
            )
            .answers_object("`items`: `waiver`, `rule`, `reason`, `by`, `until`, `at`, `in_plan`"),
            waivers,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/waivers",
                waive,
                "waive",
                "Set a rule of a pack aside, with a reason and an end; it is shown as waived, never as satisfied",
            )
            .takes::<Waive>()
            .creates::<Made>("The waiver's id"),
            give,
        )
        .add(
            Op::new(
                Method::Delete,
                "/api/v1/waivers/{waiver}",
                waive,
                "waiver_withdraw",
                "Take a waiver back; one that stands in the plan is taken out there",
            ),
            withdraw,
        )
}

async fn matrix(State(app): State<App>) -> Result<Response, Problem> {
    Ok(ok(&app.engine.packs().await?))
}

async fn waivers(State(app): State<App>) -> Result<Response, Problem> {
    let given = app.workspace.state().rule_waivers().await?;
    let views: Vec<_> = given
        .iter()
        .map(|w| {
            json!({ "waiver": w.id, "rule": w.rule, "reason": w.reason, "by": w.by, "until": w.until, "at": w.at,
                    "in_plan": w.in_plan })
        })
        .collect();
    Ok(items(&views))
}

async fn give(State(app): State<App>, caller: Caller, Json(body): Json<Waive>) -> Result<Response, Problem> {
    let refused = |code: &str, title: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title);
    let known = app.engine.pack_rules();
    if !known.contains(&body.rule) {
        let help = dunlin_plan::suggestion(&body.rule, known.iter().map(String::as_str));
        return Err(refused("unknown_rule", "no pack has this rule").help(help));
    }
    let reason = body.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_MAX {
        let problem = refused("reason_needed", "a waiver needs a reason of at most 2000 characters");
        return Err(problem.help("say why, so that an auditor can follow"));
    }
    let until = body.until.parse::<jiff::civil::Date>().ok();
    let Some(until) = until.filter(|day| *day >= jiff::Zoned::now().date()) else {
        let problem = refused("end_needed", "a waiver needs a last day that has not passed");
        return Err(problem.help("name a day that is to come, for example 2027-06-30"));
    };
    let until = until.to_string();
    let by = caller.who.email.as_str();
    let new = NewWaiver { rule: &body.rule, reason, by, until: Some(&until), plan_mark: None };
    let mut tx = app.workspace.state().begin().await?;
    let id = tx.waive(caller.who.actor(), new).await?.unwrap_or_default();
    tx.commit().await?;
    Ok(created(&Made { id }))
}

async fn withdraw(
    State(app): State<App>,
    caller: Caller,
    Path(waiver): Path<String>,
) -> Result<Response, Problem> {
    let mut tx = app.workspace.state().begin().await?;
    if !tx.withdraw_waiver(caller.who.actor(), &waiver).await? {
        let problem = Problem::not_found("waiver");
        return Err(problem.help("one that stands in the plan is taken out there"));
    }
    tx.commit().await?;
    Ok(done())
}
