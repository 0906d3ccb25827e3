//! The rows of a notice's audience that no letter can go to, as they are now, through the gate.

use axum::extract::State;
use axum::response::Response;
use dunlin_guard::Action;
use dunlin_tell::send::Audience;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::opening::{Opened, Wanted, ask, show};
use super::{op, path_of};
use crate::app::App;
use crate::engine::Reason;
use crate::extract::{Json, Path};
use crate::gate::Caller;
use crate::notices::{NoticeError, read};
use crate::operation::{Method, Routes};
use crate::problem::Problem;

/// How the rows are wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenUnreachable {
    /// At most this many.
    #[serde(default = "hundred")]
    #[schema(minimum = 1, maximum = 500)]
    limit: u32,
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

fn hundred() -> u32 {
    100
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(
        op(
            Method::Post,
            "/api/v1/notices/{name}/unreachable",
            Action::NoticesRead,
            "notice_unreachable",
            "Open the rows of the audience that no letter can go to; the access is in the ledger before the first row leaves",
        )
        .takes::<OpenUnreachable>()
        .answers::<Opened>("The rows, masked or clear, each with why"),
        rows,
    )
}

/// Refuses an audience over tables that the person is limited away from.
fn within_limit(caller: &Caller, audience: &str) -> Result<(), Problem> {
    let Some(tables) = &caller.who.tables else { return Ok(()) };
    let asked = Audience::parse(Some(audience));
    if asked.is_ok_and(|asked| asked.tables().all(|table| tables.contains(&table))) {
        return Ok(());
    }
    let title = "you are limited to other tables than this audience's";
    Err(Problem::forbidden("table_limit", title).help("ask the lead or an owner to change the limit"))
}

async fn rows(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Json(body): Json<OpenUnreachable>,
) -> Result<Response, Problem> {
    let file = read(&app.workspace.dir, &path_of(&name)?)?;
    let source = dunlin_tell::parse(&file.text, &file.path).map_err(NoticeError::Unreadable)?;
    let audience = source.notice.audience.ok_or_else(|| Problem::not_found("audience"))?;
    within_limit(&caller, &audience)?;
    let limit = body.limit.clamp(1, super::super::PAGE_MAX);
    let sealed = app.engine.unreachable(&audience, limit).await?;
    let wanted = Wanted { clear: body.clear, purpose: body.purpose.as_ref(), task: body.task.as_deref() };
    let mut ask = ask(&app, &caller, &wanted, "notice");
    ask.limit = Some(u64::from(limit));
    show(&app, sealed, &ask).await
}
