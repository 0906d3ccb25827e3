//! A person's calendar for other programs, at an address that is its own secret.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use dunlin_guard::Action;
use dunlin_work::{FeedNotice, ics as calendar_file};
use serde::Serialize;
use utoipa::ToSchema;

use super::op;
use super::time::spans;
use crate::api::{created, done, ok};
use crate::app::App;
use crate::extract::Path;
use crate::gate::{Caller, CameFrom};
use crate::operation::{Access, Method, Op, Routes};
use crate::problem::Problem;

/// A calendar address.
#[derive(Serialize, ToSchema)]
struct Feed {
    /// Since when there is one, in microseconds since 1970 UTC; null for none.
    since: Option<i64>,
    /// The address, shown when it is made and never again.
    url: Option<String>,
}

pub(super) fn routes(routes: Routes) -> Routes {
    let path = "/api/v1/work/feed";
    let says = "A person's calendar, by its secret address";
    routes
        .add(
            op(Method::Get, path, Action::WorkRead, "work_feed", "Whether one has a calendar address")
                .answers::<Feed>("Since when"),
            feed,
        )
        .add(
            op(
                Method::Post,
                path,
                Action::WorkRead,
                "work_feed_open",
                "A new calendar address; the one before ends",
            )
            .creates::<Feed>("The address, this once"),
            open_feed,
        )
        .add(
            op(Method::Delete, path, Action::WorkRead, "work_feed_close", "Take one's calendar address back"),
            close_feed,
        )
        .add(
            Op::new(Method::Get, "/work/feed/{token}", Access::Public, "work_feed_read", says)
                .answers_as("text/calendar", "An iCalendar file"),
            ics,
        )
}

async fn feed(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    Ok(ok(&Feed { since: app.desk.work.feed_since(&caller.who.person).await?, url: None }))
}

async fn open_feed(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let token = app.desk.work.open_feed(&caller.who.person).await?;
    let url = Some(format!("{}/work/feed/{token}.ics", app.base_url()));
    Ok(created(&Feed { since: Some(dunlin_store::now_us()), url }))
}

async fn close_feed(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    app.desk.work.close_feed(&caller.who.person).await?;
    Ok(done())
}

/// A calendar by its address. Whoever is blocked or has left has none.
pub(crate) async fn ics(
    State(app): State<App>,
    _: CameFrom,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("calendar");
    let token = token.strip_suffix(".ics").ok_or_else(unknown)?;
    let person = app.desk.work.feed_of(token).await?.ok_or_else(unknown)?;
    let person = app.guard.person(&person).await.map_err(|_| unknown())?;
    let ended = person.limit_until.is_some_and(|until| until <= app.guard.now().late);
    if person.status != dunlin_guard::Status::Active || ended {
        return Err(unknown());
    }
    let now = dunlin_store::now_us();
    let is_guest = person.role == dunlin_plan::Role::Guest;
    let windows =
        if is_guest { Vec::new() } else { spans(app.desk.plan().as_deref(), now, now + 60 * 86_400_000_000) };
    let windows: Vec<(i64, i64)> = windows.into_iter().map(|s| (s.from, s.to)).collect();
    let blackouts = if is_guest { Vec::new() } else { app.desk.work.blackouts() };
    let notices = if is_guest { Vec::new() } else { notices(&app) };
    let name = app.desk.plan().map_or_else(|| "dunlin".to_owned(), |p| p.name.clone());
    let text = {
        let board = app.desk.work.board();
        let mut tasks: Vec<_> =
            board.tasks().filter(|t| t.involves(&person.id) && !t.gone).cloned().collect();
        tasks.sort_by_key(|t| t.number);
        calendar_file(&name, app.base_url(), tasks.iter().map(AsRef::as_ref), &windows, &blackouts, &notices)
    };
    Ok(([(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], text).into_response())
}

/// The days on which customers hear something.
fn notices(app: &App) -> Vec<FeedNotice> {
    let Some(plan) = app.desk.plan() else { return Vec::new() };
    let days = crate::notices::days(&app.workspace.dir, &plan).into_iter();
    let one = |(number, day): (usize, crate::notices::NoticeDay)| {
        let what = match day.what.as_str() {
            "publish" => "Publish the notice",
            _ => "Message to customers",
        };
        Some(FeedNotice {
            id: format!("{number}-{}", day.what),
            day: day.date.parse().ok()?,
            title: format!("{what}: {}", day.title),
        })
    };
    days.enumerate().filter_map(one).collect()
}
