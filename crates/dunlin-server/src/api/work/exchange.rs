//! Tasks from other tools' files, and to them.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use dunlin_guard::Action;
use dunlin_work::{Ask, Format, Imported, Preview, Table};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;

use super::desk::workers;
use super::{Large, Viewer, op};
use crate::api::{created, ok};
use crate::app::App;
use crate::extract::Query;
use crate::gate::Caller;
use crate::operation::{Method, Routes};
use crate::problem::Problem;

/// A file and what becomes of its columns.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Import {
    #[serde(default)]
    format: Option<Format>,
    /// The file's text.
    text: String,
    /// Headings and the fields that they become, over what the preview proposed; an empty field leaves the column to the
    /// description.
    #[serde(default)]
    #[schema(value_type = Object)]
    mapping: BTreeMap<String, String>,
}

/// Whose form.
#[derive(Deserialize)]
struct Which {
    format: Option<Format>,
}

pub(super) fn routes(routes: Routes) -> Routes {
    let formats = "`airtable`, `asana`, `trello`, `jira` or `csv`";
    routes
        .add(
            op(
                Method::Post,
                "/api/v1/work/import/preview",
                Action::WorkEdit,
                "work_import_preview",
                "Look at a file of another tool, without importing it",
            )
            .query("format", Type::String, formats)
            .takes_text("text/plain")
            .answers::<Preview>("Its columns, and what becomes of each"),
            preview,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/work/import",
                Action::WorkEdit,
                "work_import",
                "Import a file: all its rows or none",
            )
            .takes::<Import>()
            .creates::<Imported>("What was made, and what has no home"),
            import,
        )
        .add(
            op(Method::Get, "/api/v1/work/export", Action::WorkReadAll, "work_export", "All tasks as a file")
                .query("format", Type::String, formats)
                .answers_as("text/csv", "A file to be saved; Trello's is JSON"),
            export,
        )
}

fn unfit(title: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unfit_body", title)
        .help("/api/v1/openapi.json says what the body looks like")
}

async fn preview(
    State(app): State<App>,
    Query(which): Query<Which>,
    Large(bytes): Large,
) -> Result<Response, Problem> {
    let text = std::str::from_utf8(&bytes).map_err(|_| unfit("the file is not text in UTF-8"))?;
    let table = Table::read(text, which.format)?;
    Ok(ok(&table.preview(&app.desk.work.fields())))
}

async fn import(State(app): State<App>, caller: Caller, Large(bytes): Large) -> Result<Response, Problem> {
    let body: Import =
        serde_json::from_slice(&bytes).map_err(|_| unfit("the body is not a file with its mapping"))?;
    let table = Table::read(&body.text, body.format)?;
    let people = workers(&app.guard).await?;
    let by = Viewer::of(&app, &caller).by;
    Ok(created(&app.desk.work.import(&by, &table, &body.mapping, &people).await?))
}

async fn export(State(app): State<App>, Query(which): Query<Which>) -> Result<Response, Problem> {
    let people = workers(&app.guard).await?;
    let tasks = app.desk.work.board().find(&Ask { limit: usize::MAX, ..Ask::default() })?.rows;
    let format = which.format.unwrap_or(Format::Csv);
    let (kind, text) = dunlin_work::export(format, &tasks, &app.desk.work.fields(), &people);
    let name = if format == Format::Trello { "tasks.json" } else { "tasks.csv" };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, text).into_response())
}
