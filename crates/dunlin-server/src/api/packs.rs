//! The plan held against its packs: how each rule ends, and why.

use axum::extract::State;
use axum::response::Response;
use dunlin_guard::Action;

use super::ok;
use crate::app::App;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(
        Op::new(
            Method::Get,
            "/api/v1/packs",
            Access::May(Action::PlanRead, Target::Plan),
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
}

async fn matrix(State(app): State<App>) -> Result<Response, Problem> {
    Ok(ok(&app.engine.packs().await?))
}
