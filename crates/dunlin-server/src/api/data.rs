//! The data of both sides: what the stores have, what the columns hold, rows to look at, and rows to take away. Every
//! value comes through the gate. Not here: rows in quarantine.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use dunlin_gate::{AccessLog, Act, Ask, OpenedStream, Stopped, neutralise_cell, open_stream};
use dunlin_guard::Action;
use dunlin_store::new_id;
use futures::stream;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::ok;
use super::opening::{Opened, Wanted, ask, refused, shown};
use crate::app::App;
use crate::engine::{Profiled, Reason, Side, Through};
use crate::extract::Json;
use crate::gate::Caller;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

/// Which rows, and how they are wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenTable {
    /// The table's label.
    table: String,
    /// `source` or `target`.
    #[serde(default)]
    side: Side,
    /// At most this many.
    #[serde(default = "fifty")]
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

/// Which table to take away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExportTable {
    /// The table's label.
    table: String,
    /// `source` or `target`.
    #[serde(default)]
    side: Side,
    /// `csv` for spreadsheets (cells that a spreadsheet would run begin with `'`), or `jsonl`, which is exact.
    #[serde(default = "csv")]
    #[schema(pattern = "^(csv|jsonl)$")]
    format: String,
    /// At most this many rows; by default all.
    #[serde(default)]
    limit: Option<u64>,
    /// Clear values.
    #[serde(default)]
    clear: bool,
    /// Why.
    purpose: Reason,
    /// The task it is for.
    #[serde(default)]
    task: Option<String>,
}

fn fifty() -> u32 {
    50
}

fn csv() -> String {
    "csv".to_owned()
}

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::May(Action::DataRead, Target::Workspace);
    routes
        .add(
            Op::new(
                Method::Get,
                "/api/v1/data/schema",
                Access::May(Action::PlanCheck, Target::Plan),
                "data_schema",
                "The columns of both sides of the plan's tables, as the stores have them now",
            )
            .answers_object("`tables`: one a table of the plan"),
            schema,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/data/rows",
                read,
                "data_rows",
                "Open rows of a source or a target through the gate; the access is in the ledger before the first row leaves",
            )
            .takes::<OpenTable>()
            .answers::<Opened>("The rows, masked or clear"),
            rows,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/data/profile",
                read,
                "data_profile",
                "Read a table whole and tell what its columns hold; values come through the gate",
            )
            .takes::<OpenTable>()
            .answers_object(
                "`columns`: one a column; `references` with how many values lead nowhere; `drift` since an earlier profile \
                 (`compared_with`) and against the plan; `load` of the source by hour of the week",
            ),
            profile,
        )
        .add(
            Op::new(
                Method::Post,
                "/api/v1/data/export",
                Access::May(Action::DataExport, Target::Workspace),
                "data_export",
                "Take rows away as a file, under a grant for export; it stops within a second when the right to it ends",
            )
            .takes::<ExportTable>()
            .answers_object("The file, as `text/csv` or `application/jsonl`"),
            export,
        )
}

async fn schema(State(app): State<App>) -> Result<Response, Problem> {
    Ok(ok(&app.engine.schema().await?))
}

async fn rows(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<OpenTable>,
) -> Result<Response, Problem> {
    let wanted = Wanted { clear: body.clear, purpose: body.purpose.as_ref(), task: body.task.as_deref() };
    let mut ask = ask(&app, &caller, &wanted, "sample");
    ask.limit = Some(u64::from(body.limit.clamp(1, super::PAGE_MAX)));
    let mut opened = opened(&app, &caller, &body.table, body.side, &ask).await?;
    let mut rows = Vec::new();
    while let Some(batch) = opened.stream.next().await {
        rows.extend(batch.map_err(stopped)?);
    }
    let columns = &opened.stream.columns;
    Ok(ok(&Opened {
        access: opened.stream.access.clone(),
        store: opened.store,
        table: body.table,
        columns: shown(columns.iter().map(|(column, form)| (column, *form))),
        hidden: opened.stream.hidden.clone(),
        rows,
    }))
}

async fn profile(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<OpenTable>,
) -> Result<Response, Problem> {
    let wanted = Wanted { clear: body.clear, purpose: body.purpose.as_ref(), task: body.task.as_deref() };
    let ask = ask(&app, &caller, &wanted, "profile");
    let through = Through { policy: &app.policy, log: &app.presence, ask };
    let Profiled { columns, beside } = app.engine.profile(&body.table, body.side, through).await?;
    if matches!(body.side, Side::Source) {
        // So the task of looking at this table is done: work reads the ledger.
        let rows = columns.iter().filter_map(|c| c["rows"].as_u64()).max().unwrap_or(0);
        let (table, columns) = (body.table.clone(), columns.len() as u64);
        let looked = dunlin_ledger::Body::TableProfiled { table, rows, columns };
        app.workspace.state().enter(caller.who.actor(), looked).await?;
    }
    let mut answer = json!({ "table": body.table, "side": body.side, "columns": columns });
    if let (Some(answer), Some(beside)) = (answer.as_object_mut(), beside.as_object()) {
        answer.extend(beside.clone());
    }
    Ok(ok(&answer))
}

struct OpenedTable {
    stream: OpenedStream,
    store: String,
}

async fn opened(
    app: &App,
    caller: &Caller,
    table: &str,
    side: Side,
    ask: &Ask,
) -> Result<OpenedTable, Problem> {
    let sealed = app.engine.rows(table, side).await?;
    let store = sealed.store.clone();
    let standing = app.presence.standing(&caller.who, ask.action, &store, &sealed.table).await?;
    let log: Arc<dyn AccessLog> = Arc::new(app.presence.clone());
    let stream = open_stream(sealed, &app.policy, log, Arc::new(standing), ask, &new_id()).await;
    Ok(OpenedTable { stream: stream.map_err(refused)?, store })
}

fn stopped(stopped: Stopped) -> Problem {
    match stopped {
        Stopped::Ended { reason_code } => {
            Problem::forbidden(&reason_code, "the right to see this ended while it was read")
        }
        Stopped::Log(failed) => refused(failed.into()),
        Stopped::Source(_) => {
            let status = axum::http::StatusCode::BAD_GATEWAY;
            Problem::new(status, "store_failed", "the store failed while it was read")
                .help("try again in a moment")
        }
    }
}

async fn export(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<ExportTable>,
) -> Result<Response, Problem> {
    let form = match body.format.as_str() {
        "csv" => Form::Csv,
        "jsonl" => Form::Jsonl,
        _ => return Err(Problem::bad_request("the format is `csv` or `jsonl`")),
    };
    let wanted = Wanted { clear: body.clear, purpose: Some(&body.purpose), task: body.task.as_deref() };
    let mut ask = ask(&app, &caller, &wanted, "export");
    ask.action = Act::Export;
    ask.limit = body.limit;
    let opened = opened(&app, &caller, &body.table, body.side, &ask).await?;
    let names: Vec<String> = opened.stream.columns.iter().map(|(c, _)| c.name.clone()).collect();
    let head = form.head(&names);
    let state = (opened.stream, names, Some(head));
    // An error ends the connection before the body's end, so that nobody takes a part for the whole.
    let chunks = stream::try_unfold(state, move |(mut opened, names, head)| async move {
        if let Some(head) = head {
            return Ok(Some((Bytes::from(head), (opened, names, None))));
        }
        match opened.next().await {
            None => Ok(None),
            Some(Ok(rows)) => Ok(Some((Bytes::from(form.rows(&names, &rows)), (opened, names, None)))),
            Some(Err(stopped)) => Err(stopped),
        }
    });
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.media_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let name = format!("attachment; filename=\"{}.{}\"", file_name(&body.table), body.format);
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// Letters, digits, dots and hyphens of a label.
fn file_name(label: &str) -> String {
    label
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .collect()
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Csv,
    Jsonl,
}

impl Form {
    fn media_type(self) -> &'static str {
        match self {
            Form::Csv => "text/csv; charset=utf-8",
            Form::Jsonl => "application/jsonl",
        }
    }

    fn head(self, names: &[String]) -> Vec<u8> {
        match self {
            Form::Csv => csv_lines(std::iter::once(names.iter().map(|name| Some(name.as_str())).collect())),
            Form::Jsonl => Vec::new(),
        }
    }

    fn rows(self, names: &[String], rows: &[Vec<Option<String>>]) -> Vec<u8> {
        match self {
            Form::Csv => csv_lines(rows.iter().map(|row| row.iter().map(Option::as_deref).collect())),
            Form::Jsonl => {
                let line = |row: &Vec<Option<String>>| {
                    let cells = names.iter().cloned().zip(row.iter().map(|value| json!(value)));
                    format!("{}\n", serde_json::Value::Object(cells.collect()))
                };
                rows.iter().map(line).collect::<String>().into_bytes()
            }
        }
    }
}

/// Lines by RFC 4180; cells that a spreadsheet would run are made text, and NULL is an empty cell.
fn csv_lines<'a>(lines: impl Iterator<Item = Vec<Option<&'a str>>>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for line in lines {
        let cells = line.into_iter().map(|cell| neutralise_cell(cell.unwrap_or_default()));
        // Writing into memory does not fail, and the lines are all as wide as the table.
        let _ = writer.write_record(cells.collect::<Vec<_>>());
    }
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_runs_nothing_and_json_is_exact() {
        let names = ["a".to_owned(), "b".to_owned()];
        let rows =
            [vec![Some("=1+1".to_owned()), None], vec![Some("x \"y\", z".to_owned()), Some(String::new())]];
        let csv = String::from_utf8(Form::Csv.rows(&names, &rows)).unwrap();
        assert_eq!(csv, "'=1+1,\r\n\"x \"\"y\"\", z\",\r\n");
        let json = String::from_utf8(Form::Jsonl.rows(&names, &rows)).unwrap();
        assert_eq!(json.lines().next(), Some(r#"{"a":"=1+1","b":null}"#));
    }
}
