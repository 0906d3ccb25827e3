//! Work in time: the timeline, the calendar, the baseline; and drafting, which makes it all. Not here: what is to come
//! (`ahead`), and calendars for other programs (`feed`).

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use dunlin_guard::Action;
use dunlin_plan::Plan;
use dunlin_work::hours::Hours;
use dunlin_work::{Blackout, Drafted, Scheduled, Status, WhatIf, calendar};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;

use super::{Viewer, op};
use crate::api::ok;
use crate::app::App;
use crate::extract::Query;
use crate::gate::Caller;
use crate::notices::{NoticeDay, days};
use crate::operation::{Method, Routes};
use crate::problem::Problem;

/// The most tasks of one answer.
const TASKS_MAX: usize = 5000;

/// A task's bar.
#[derive(Serialize, ToSchema)]
struct Bar {
    id: String,
    number: u64,
    title: String,
    parent: Option<String>,
    kind: dunlin_work::Kind,
    start: String,
    finish: String,
    baseline_start: Option<String>,
    baseline_finish: Option<String>,
    actual_start: Option<String>,
    actual_finish: Option<String>,
    critical: bool,
    slack_days: i64,
    progress: Option<f64>,
    status: Status,
    owner: Option<String>,
    deadline: Option<String>,
    risk: Option<f64>,
}

/// A line between two bars.
#[derive(Serialize, ToSchema)]
struct Link {
    /// The task that comes first.
    from: String,
    /// The one that waits.
    to: String,
    lag_days: i32,
}

/// A span of time, in microseconds since 1970 UTC.
#[derive(Serialize, ToSchema)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// The timeline.
#[derive(Serialize, ToSchema)]
struct Timeline {
    tasks: Vec<Bar>,
    /// How many there are in all; the first 5000 in the manual order are shown.
    total: usize,
    links: Vec<Link>,
    today: String,
    finish: Option<String>,
    finish_p50: Option<String>,
    finish_p90: Option<String>,
    baseline_at: Option<i64>,
    blackouts: Vec<Blackout>,
    windows: Vec<Span>,
}

/// A task in the calendar.
#[derive(Serialize, ToSchema)]
struct Entry {
    id: String,
    number: u64,
    title: String,
    status: Status,
    owner: Option<String>,
    kind: dunlin_work::Kind,
    bound: bool,
    start: Option<String>,
    deadline: Option<String>,
    schedule: Option<Scheduled>,
}

/// The calendar.
#[derive(Serialize, ToSchema)]
struct CalendarPage {
    tasks: Vec<Entry>,
    windows: Vec<Span>,
    blackouts: Vec<Blackout>,
    notices: Vec<NoticeDay>,
}

/// Which days.
#[derive(Deserialize)]
struct Days {
    from: String,
    to: String,
}

/// The saved schedule.
#[derive(Serialize, ToSchema)]
struct BaselineSaved {
    at: i64,
    tasks: usize,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .add(
            op(
                Method::Get,
                "/api/v1/work/timeline",
                Action::WorkRead,
                "work_timeline",
                "Bars, links, the critical path",
            )
            .answers::<Timeline>("The schedule"),
            timeline,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/work/baseline",
                Action::WorkManage,
                "work_baseline",
                "Save the present schedule, to compare with",
            )
            .answers::<BaselineSaved>("What was saved"),
            baseline,
        )
        .add(
            op(
                Method::Get,
                "/api/v1/work/calendar",
                Action::WorkRead,
                "work_calendar",
                "What is due, and when data may move",
            )
            .query("from", Type::String, "The first day, YYYY-MM-DD")
            .query("to", Type::String, "The last day")
            .answers::<CalendarPage>("Tasks, windows, blackout days, notices"),
            calendar_page,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/work/draft",
                Action::WorkManage,
                "work_draft",
                "Draft the tasks of the plan, new or again",
            )
            .answers::<Drafted>("What was added, kept and gone"),
            draft,
        )
}

/// The windows of the plan in a span of time.
pub(super) fn spans(plan: Option<&Plan>, from: i64, to: i64) -> Vec<Span> {
    let Some(window) = plan.and_then(|p| p.window.as_ref()) else { return Vec::new() };
    let start = Timestamp::from_microsecond(from).unwrap_or_default();
    let periods = Hours::of(Some(window), start).within(from, to);
    periods.into_iter().take(500).map(|(from, to)| Span { from, to }).collect()
}

async fn timeline(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let forecast = super::ahead::forecast_now(&app, &WhatIf::default()).await?;
    let plan = app.desk.plan();
    let now = dunlin_store::now_us();
    let zone = app.desk.zone();
    let day_of =
        |us: i64| Timestamp::from_microsecond(us).map(|t| t.to_zoned(zone.clone()).date().to_string()).ok();
    let board = app.desk.work.board();
    let schedule = board.fresh_plan(app.desk.today_number());
    let found = board.find(&dunlin_work::Ask {
        limit: usize::MAX,
        only_of: viewer.only_of(),
        ..Default::default()
    })?;
    let saved = app.desk.work.baseline();
    let (mut tasks, mut links) = (Vec::new(), Vec::new());
    for task in found.rows.iter().take(TASKS_MAX) {
        let Some(place) = board.scheduled(&schedule, task) else { continue };
        let before = saved.as_ref().and_then(|b| b.tasks.get(&task.id));
        links.extend(task.depends_on.iter().map(|d| Link {
            from: d.task.clone(),
            to: task.id.clone(),
            lag_days: d.lag_days,
        }));
        tasks.push(Bar {
            id: task.id.clone(),
            number: task.number,
            title: task.title.clone(),
            parent: task.parent.clone(),
            kind: task.kind,
            start: place.early_start,
            finish: place.early_finish,
            baseline_start: before.map(|b| b.0.clone()),
            baseline_finish: before.map(|b| b.1.clone()),
            actual_start: task.started_at.and_then(day_of),
            actual_finish: task.done_at.and_then(day_of),
            critical: place.critical,
            slack_days: place.slack_days,
            progress: task.progress,
            status: task.status,
            owner: task.owner.clone(),
            deadline: task.deadline.map(|d| d.to_string()),
            risk: app.desk.risk(&task.id),
        });
    }
    let shown: BTreeSet<&str> = tasks.iter().map(|t| t.id.as_str()).collect();
    links.retain(|l| shown.contains(l.from.as_str()));
    let all = viewer.sees_all;
    let open = found.rows.iter().any(|t| t.status != Status::Done);
    let timeline = Timeline {
        total: found.total,
        links,
        today: app.desk.today().to_string(),
        finish: open.then(|| calendar::day(schedule.end - 1).to_string()),
        finish_p50: forecast.finish_p50.filter(|_| all),
        finish_p90: forecast.finish_p90.filter(|_| all),
        baseline_at: saved.as_ref().map(|b| b.at),
        blackouts: app.desk.work.blackouts(),
        windows: spans(plan.as_deref(), now, now + 120 * 86_400_000_000),
        tasks,
    };
    Ok(ok(&timeline))
}

async fn baseline(State(app): State<App>) -> Result<Response, Problem> {
    let saved = app.desk.work.save_baseline(app.desk.today_number()).await?;
    Ok(ok(&BaselineSaved { at: saved.at, tasks: saved.tasks.len() }))
}

async fn calendar_page(
    State(app): State<App>,
    caller: Caller,
    Query(asked): Query<Days>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let parse = |text: &str| {
        text.parse::<Date>().map_err(|_| Problem::bad_request("`from` and `to` are days as YYYY-MM-DD"))
    };
    let (from, to) = (parse(&asked.from)?, parse(&asked.to)?);
    if to < from || calendar::number(to) - calendar::number(from) > 400 {
        return Err(Problem::bad_request("`to` is at most 400 days after `from`"));
    }
    let zone = app.desk.zone();
    let moment = |day: Date| day.to_zoned(zone.clone()).map_or(0, |z| z.timestamp().as_microsecond());
    let plan = app.desk.plan();
    let mut notices = plan.as_ref().map(|p| days(&app.workspace.dir, p)).unwrap_or_default();
    let board = app.desk.work.board();
    let schedule = board.plan(app.desk.today_number());
    let within = |day: Option<Date>| day.is_some_and(|d| d >= from && d <= to);
    let touches = |t: &dunlin_work::Task| {
        within(t.start)
            || within(t.deadline)
            || matches!((t.start, t.deadline), (Some(s), Some(d)) if s < from && d > to)
    };
    let tasks = board.tasks().filter(|t| viewer.sees(t) && touches(t)).take(TASKS_MAX);
    let entry = |t: &std::sync::Arc<dunlin_work::Task>| Entry {
        id: t.id.clone(),
        number: t.number,
        title: t.title.clone(),
        status: t.status,
        owner: t.owner.clone(),
        kind: t.kind,
        bound: t.is_derived(),
        start: t.start.map(|d| d.to_string()),
        deadline: t.deadline.map(|d| d.to_string()),
        schedule: board.scheduled(&schedule, t),
    };
    notices.retain(|day| within(day.date.parse().ok()));
    let in_days = |b: &Blackout| b.date.parse::<Date>().is_ok_and(|d| d >= from && d <= to);
    let blackouts = app.desk.work.blackouts().into_iter().filter(in_days).collect();
    let page = CalendarPage {
        tasks: tasks.map(entry).collect(),
        windows: spans(plan.as_deref(), moment(from), moment(to.tomorrow().unwrap_or(to))),
        blackouts,
        notices,
    };
    Ok(ok(&page))
}

async fn draft(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let Some(drafted) = super::live::draft(&app, &viewer.by).await? else {
        let title = "there is no plan that can be read";
        return Err(
            Problem::new(axum::http::StatusCode::CONFLICT, "no_plan", title).help("mend the plan first")
        );
    };
    Ok(ok(&drafted))
}
