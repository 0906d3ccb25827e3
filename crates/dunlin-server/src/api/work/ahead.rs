//! What is to come: the forecast, what would be if, and the hours in which a move would disturb least.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use dunlin_guard::Action;
use dunlin_plan::{Class, Window};
use dunlin_work::forecast::{Around, Measured};
use dunlin_work::hours::{Proposal, hour_of_week, propose};
use dunlin_work::{Forecast, WhatIf, WindowSpec, calendar};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::op;
use crate::api::ok;
use crate::app::App;
use crate::extract::Json;
use crate::operation::{Method, Routes};
use crate::problem::Problem;

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

pub(super) fn routes(routes: Routes) -> Routes {
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
