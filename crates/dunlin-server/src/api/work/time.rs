//! Work in time: the timeline, the calendar, the forecast and what would be if, hours that disturb least, calendar
//! addresses; and drafting, which makes it all.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use dunlin_guard::Action;
use dunlin_plan::{Class, Plan, Window};
use dunlin_work::forecast::{Around, Measured};
use dunlin_work::hours::{Hours, Proposal, hour_of_week, propose};
use dunlin_work::{
    Blackout, Drafted, Forecast, Scheduled, Status, WhatIf, WindowSpec, calendar, ics as calendar_file,
};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;

use super::{Viewer, op};
use crate::api::{created, done, ok};
use crate::app::App;
use crate::extract::{Json, Path, Query};
use crate::gate::{Caller, CameFrom};
use crate::operation::{Access, Method, Op, Routes};
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
struct Span {
    from: i64,
    to: i64,
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

/// A letter to customers on its day.
#[derive(Serialize, ToSchema)]
struct NoticeDay {
    file: String,
    date: String,
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

/// A forecast of what would be, and how far that is from what is.
#[derive(Serialize, ToSchema)]
struct Compared {
    forecast: Forecast,
    as_it_is: Forecast,
    /// Days that it ends later (negative: sooner) at P50.
    days_p50: Option<i32>,
    /// Likewise at P90.
    days_p90: Option<i32>,
}

/// Hours that would disturb least.
#[derive(Serialize, ToSchema)]
struct Windows {
    proposals: Vec<Proposal>,
    /// The source's load by hour of the week, Monday 0 h first; null while it is not known.
    load: Option<Vec<f64>>,
    /// Hours of the week of which the load is known, of 168.
    hours_known: usize,
    /// The share of columns that are personal, sensitive or secret.
    sensitive: f64,
}

/// A calendar address.
#[derive(Serialize, ToSchema)]
struct Feed {
    /// Since when there is one, in microseconds since 1970 UTC; null for none.
    since: Option<i64>,
    /// The address, shown when it is made and never again.
    url: Option<String>,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.with(plans).with(forecasts).with(feeds)
}

fn plans(routes: Routes) -> Routes {
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

fn forecasts(routes: Routes) -> Routes {
    routes
        .add(
            op(
                Method::Get,
                "/api/v1/work/forecast",
                Action::WorkReadAll,
                "work_forecast",
                "When all will be done",
            )
            .answers::<Forecast>("The forecast, and what it rests on"),
            forecast,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/work/what-if",
                Action::WorkReadAll,
                "work_what_if",
                "When all would be done, if",
            )
            .takes::<WhatIf>()
            .answers::<Compared>("Both forecasts"),
            what_if,
        )
        .add(
            op(
                Method::Get,
                "/api/v1/work/windows",
                Action::WorkReadAll,
                "work_windows",
                "Hours in which a move would disturb least",
            )
            .answers::<Windows>("Proposals"),
            windows,
        )
}

fn feeds(routes: Routes) -> Routes {
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

/// The windows of the plan in a span of time.
fn spans(plan: Option<&Plan>, from: i64, to: i64) -> Vec<Span> {
    let Some(window) = plan.and_then(|p| p.window.as_ref()) else { return Vec::new() };
    let start = Timestamp::from_microsecond(from).unwrap_or_default();
    let periods = Hours::of(Some(window), start).within(from, to);
    periods.into_iter().take(500).map(|(from, to)| Span { from, to }).collect()
}

async fn timeline(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let forecast = forecast_now(&app, &WhatIf::default()).await?;
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
    Query(days): Query<Days>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let parse = |text: &str| {
        text.parse::<Date>().map_err(|_| Problem::bad_request("`from` and `to` are days as YYYY-MM-DD"))
    };
    let (from, to) = (parse(&days.from)?, parse(&days.to)?);
    if to < from || calendar::number(to) - calendar::number(from) > 400 {
        return Err(Problem::bad_request("`to` is at most 400 days after `from`"));
    }
    let zone = app.desk.zone();
    let moment = |day: Date| day.to_zoned(zone.clone()).map_or(0, |z| z.timestamp().as_microsecond());
    let plan = app.desk.plan();
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
    let notices = plan.iter().flat_map(|p| &p.notices).filter(|n| within(n.publish));
    let in_days = |b: &Blackout| b.date.parse::<Date>().is_ok_and(|d| d >= from && d <= to);
    let blackouts = app.desk.work.blackouts().into_iter().filter(in_days).collect();
    let page = CalendarPage {
        tasks: tasks.map(entry).collect(),
        windows: spans(plan.as_deref(), moment(from), moment(to.tomorrow().unwrap_or(to))),
        blackouts,
        notices: notices
            .filter_map(|n| Some(NoticeDay { file: n.file.clone(), date: n.publish?.to_string() }))
            .collect(),
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

/// The forecast as of now.
pub(super) async fn forecast_now(app: &App, what_if: &WhatIf) -> Result<Forecast, Problem> {
    let plan = app.desk.plan();
    let other = what_if.window.as_ref().map(window).transpose()?;
    let window = other.as_ref().or(plan.as_ref().and_then(|p| p.window.as_ref()));
    let measured = Measured::read(app.workspace.state()).await?;
    let input = {
        let facts = app.desk.facts();
        let (zone, now) = (app.desk.zone(), Timestamp::now());
        let around = Around { facts: &facts, measured, window, zone, now, what_if };
        app.desk.work.board().forecast_input(around)
    };
    let worked = tokio::task::spawn_blocking(move || input.run(0)).await;
    worked.map_err(|_| Problem::internal())
}

/// A window as people write it to the API, read as the plan reads its own.
fn window(spec: &WindowSpec) -> Result<Window, Problem> {
    let help = "days as mon to sun, hours as HH:MM, a zone such as Europe/Madrid";
    let bad = || Problem::bad_request("this is no window").help(help);
    let plain = |text: &str| {
        text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || "/_:+-".contains(c))
    };
    if !spec.days.iter().chain([&spec.from, &spec.to, &spec.zone]).all(|t| plain(t)) {
        return Err(bad());
    }
    let days: Vec<String> = spec.days.iter().map(|d| format!("\"{d}\"")).collect();
    let text = format!(
        "[plan]\nname = \"x\"\n[store.a]\nurl = \"sqlite:a.db\"\n[store.b]\nurl = \"sqlite:b.db\"\n[window]\n\
         days = [{}]\nfrom = \"{}\"\nto = \"{}\"\nzone = \"{}\"\n[[table]]\nfrom = \"a.t\"\nto = \"b.t\"\nkey = [\"id\"]\n",
        days.join(", "),
        spec.from,
        spec.to,
        spec.zone
    );
    dunlin_plan::load(&text, "window").ok().and_then(|plan| plan.window).ok_or_else(bad)
}

async fn forecast(State(app): State<App>) -> Result<Response, Problem> {
    Ok(ok(&forecast_now(&app, &WhatIf::default()).await?))
}

async fn what_if(State(app): State<App>, Json(ask): Json<WhatIf>) -> Result<Response, Problem> {
    if ask.jobs.is_some_and(|jobs| !(1..=64).contains(&jobs)) {
        return Err(Problem::bad_request("`jobs` is 1 to 64"));
    }
    if let (Some(plan), false) = (app.desk.plan(), ask.without_tables.is_empty())
        && !ask.without_tables.iter().all(|label| super::live::table(&plan, label).is_some())
    {
        return Err(Problem::not_found("table"));
    }
    let (as_it_is, forecast) =
        (forecast_now(&app, &WhatIf::default()).await?, forecast_now(&app, &ask).await?);
    let day =
        |text: &Option<String>| text.as_ref().and_then(|t| t.parse::<Date>().ok()).map(calendar::number);
    let apart = |a: &Option<String>, b: &Option<String>| Some(day(a)? - day(b)?);
    let compared = Compared {
        days_p50: apart(&forecast.finish_p50, &as_it_is.finish_p50),
        days_p90: apart(&forecast.finish_p90, &as_it_is.finish_p90),
        forecast,
        as_it_is,
    };
    Ok(ok(&compared))
}

async fn windows(State(app): State<App>) -> Result<Response, Problem> {
    let forecast = forecast_now(&app, &WhatIf::default()).await?;
    let plan = app.desk.plan();
    let kinds =
        plan.iter().flat_map(|p| &p.tables).flat_map(|t| &t.columns).map(|c| c.kind.map(|k| k.class()));
    let all: Vec<_> = kinds.collect();
    let about_people =
        all.iter().filter(|c| matches!(c, Some(Class::Personal | Class::Sensitive | Class::Secret)));
    let sensitive = if all.is_empty() { 0.0 } else { about_people.count() as f64 / all.len() as f64 };
    let basis = &forecast.basis;
    let need = basis.rows_per_second.filter(|r| *r > 0.0).map(|rate| basis.rows_left as f64 / rate / 3600.0);
    let (load, hours_known) = app.desk.load();
    let window = plan.as_ref().and_then(|p| p.window.as_ref());
    let proposals = propose(window, load.as_deref(), need, sensitive);
    Ok(ok(&Windows { proposals, load, hours_known, sensitive }))
}

/// Takes a sample of the source's load: how many others are at work in it.
pub(super) async fn sample_load(app: &App) {
    let (Some(plan), Some(outside)) = (app.desk.plan(), app.engine.outside()) else { return };
    let sources: BTreeSet<&str> = plan.tables.iter().map(|t| t.from.store.as_str()).collect();
    let found = outside.connections().await;
    let at_work = |c: &&dunlin_guard::OutsideConnection| {
        !c.own && sources.contains(c.store.as_str()) && c.state == "active"
    };
    // A store that lists no connection at all, not even ours, tells nothing.
    if found.iter().any(|c| sources.contains(c.store.as_str())) {
        let hour = hour_of_week(Timestamp::now(), &app.desk.zone());
        app.desk.sample(hour, found.iter().filter(at_work).count() as f64);
    }
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
    let name = app.desk.plan().map_or_else(|| "dunlin".to_owned(), |p| p.name.clone());
    let text = {
        let board = app.desk.work.board();
        let mut tasks: Vec<_> =
            board.tasks().filter(|t| t.involves(&person.id) && !t.gone).cloned().collect();
        tasks.sort_by_key(|t| t.number);
        calendar_file(&name, app.base_url(), tasks.iter().map(AsRef::as_ref), &windows, &blackouts)
    };
    Ok(([(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], text).into_response())
}
