//! What everything that shows customer values has in common: what is asked of the gate, and what its refusals and the
//! engine's become. Not here: what is shown.

use axum::http::StatusCode;
use axum::response::Response;
use dunlin_gate::{Act, Ask, ColumnInfo, Refused, Rows, Sealed, Shown};
use dunlin_store::new_id;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::App;
use crate::engine::{Reason, ShowError};
use crate::gate::Caller;
use crate::problem::Problem;

/// The question that a caller puts to the gate: masked values, unless clear ones are asked for with a purpose.
pub(super) fn ask(app: &App, caller: &Caller, wanted: &Wanted<'_>, surface: &str) -> Ask {
    let mut ask = Ask::masked(caller.who.actor());
    ask.action = if wanted.clear { Act::Read } else { Act::ReadMasked };
    ask.clear = wanted.clear;
    if let Some(purpose) = wanted.purpose {
        ask.purpose_category = Some(purpose.category.clone());
        ask.purpose_text = Some(purpose.text.clone());
    }
    ask.circumstances = caller.who.circumstances();
    ask.circumstances.task = wanted.task.map(str::to_owned);
    ask.circumstances.in_window =
        super::plan::current(app).ok().and_then(|plan| super::plan::in_window(&plan));
    ask.surface = surface.to_owned();
    ask
}

/// How values are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Clear values.
    pub(super) clear: bool,
    /// Why.
    pub(super) purpose: Option<&'a Reason>,
    /// The task it is for.
    pub(super) task: Option<&'a str>,
}

/// Rows as they may be seen.
#[derive(Serialize, ToSchema)]
pub(super) struct Opened {
    /// The access's id in the ledger.
    pub(super) access: String,
    pub(super) store: String,
    pub(super) table: String,
    /// The columns that are shown, each with `clear` or `masked`.
    #[schema(value_type = Vec<Object>)]
    pub(super) columns: Vec<serde_json::Value>,
    /// Columns that stay hidden.
    pub(super) hidden: Vec<String>,
    pub(super) rows: Vec<Vec<Option<String>>>,
}

/// Columns with how each is shown.
pub(super) fn shown<'a>(columns: impl Iterator<Item = (&'a ColumnInfo, Shown)>) -> Vec<serde_json::Value> {
    columns.map(|(c, form)| json!({ "name": c.name, "kind": c.kind, "shown": form.as_str() })).collect()
}

/// Opens sealed rows and answers with them.
pub(super) async fn show(app: &App, sealed: Sealed<Rows>, ask: &Ask) -> Result<Response, Problem> {
    Ok(super::ok(&open(app, sealed, ask).await?))
}

/// Opens sealed rows: the access is in the ledger before the first leaves, and closed after the last.
pub(super) async fn open(app: &App, sealed: Sealed<Rows>, ask: &Ask) -> Result<Opened, Problem> {
    let opened =
        dunlin_gate::open(sealed, &app.policy, &app.presence, ask, &new_id()).await.map_err(refused)?;
    let body = Opened {
        access: opened.access.clone(),
        store: opened.store.clone(),
        table: opened.table.clone(),
        columns: shown(opened.columns.iter().zip(opened.shown.iter().copied())),
        hidden: opened.hidden.clone(),
        rows: opened.rows.clone(),
    };
    opened.close(&app.presence).await.map_err(|e| refused(e.into()))?;
    Ok(body)
}

/// What the gate said, for the caller.
pub(super) fn refused(refused: Refused) -> Problem {
    match refused {
        Refused::Denied(denial) => {
            Problem::forbidden(&denial.reason_code, denial.reason.into_owned()).help(denial.help.into_owned())
        }
        Refused::Log(_) => {
            let title = "the access could not be entered into the ledger, so nothing is shown";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_entered", title)
                .help("try again in a moment")
                .after(2)
        }
    }
}

impl From<ShowError> for Problem {
    fn from(error: ShowError) -> Problem {
        match error {
            ShowError::Engine(error) => error.into(),
            ShowError::Gate(gate) => refused(gate),
        }
    }
}
