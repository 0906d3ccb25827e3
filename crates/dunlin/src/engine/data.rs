//! The data of both sides for the server: columns as the stores have them, rows under seal, profiles through the gate.

use std::sync::Arc;

use dunlin_connect::{ColumnType, ReadBatch, ReadRequest, Store, Table, array_to_text};
use dunlin_gate::{Batch, ColumnInfo, Rows, Sealed, SealedStream, SourceFailed};
use dunlin_move::{MoveError, Stores, find_table};
use dunlin_plan::{ColumnValue, TablePlan, TableRef};
use dunlin_server::{EngineError, Profiled, ShowError, Side, Through};
use dunlin_store::Workspace;
use dunlin_tell::send::{Audience, SendError};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::{moved, state};
use crate::profiled::{self, names};
use crate::workspace::PlanFile;

/// Rows that leave at a time: each batch is entered before it does.
const BATCH_ROWS: usize = 500;
/// Rows of a split that is read for people; a batch is never more than a part of one.
const SPLIT_ROWS: u64 = 50_000;

fn failed(error: dunlin_connect::ConnectError) -> EngineError {
    moved(MoveError::Connect(error))
}

/// One side of a table of the plan, found in its store.
struct Found {
    store: Arc<dyn Store>,
    table: Table,
    kinds: Vec<ColumnInfo>,
    label: String,
}

async fn find(plan: &PlanFile, label: &str, side: Side) -> Result<Found, EngineError> {
    let planned = plan.plan.table(label).ok_or(EngineError::Unknown("table"))?;
    let stores = Stores::open(&plan.plan, &plan.dir).await.map_err(moved)?;
    let (store, table) = side_of(&stores, reference(planned, side)).await?;
    let table = table.ok_or_else(|| EngineError::Refused {
        code: "no_table",
        message: format!("`{}` is not there", reference(planned, side)),
        help: Some(
            "the target's table is made by the first run; `check` tells what else is amiss".to_owned(),
        ),
    })?;
    let kinds = table.columns.iter().map(|c| info(planned, side, &c.name)).collect();
    Ok(Found { store, table, kinds, label: label.to_owned() })
}

/// Rows of a notice's audience that no letter can go to.
pub(super) async fn unreachable(
    plan: &PlanFile,
    audience: &str,
    limit: u32,
) -> Result<Sealed<Rows>, EngineError> {
    let audience = Audience::parse(Some(audience)).map_err(|error| EngineError::Refused {
        code: "bad_audience",
        message: error.to_string(),
        help: Some(error.help().to_owned()),
    })?;
    let store = plan.plan.stores.get(audience.store()).ok_or(EngineError::Unknown("store"))?;
    let store = dunlin_move::open_store(store, &plan.dir).await.map_err(moved)?;
    match dunlin_tell::send::unreachable(&audience, &*store, limit as usize).await {
        Ok(rows) => Ok(rows),
        Err(SendError::Connect(error)) => Err(failed(error)),
        Err(error) => {
            let (message, help) = (error.to_string(), error.help());
            Err(EngineError::Refused { code: "bad_audience", message, help })
        }
    }
}

fn reference(planned: &TablePlan, side: Side) -> &TableRef {
    match side {
        Side::Source => &planned.from,
        Side::Target => &planned.to,
    }
}

async fn side_of(stores: &Stores, at: &TableRef) -> Result<(Arc<dyn Store>, Option<Table>), EngineError> {
    let store = stores.get(&at.store).map_err(moved)?.clone();
    let table = find_table(store.as_ref(), at).await.map_err(moved)?;
    Ok((store, table))
}

/// A column's name and kind by the plan. A source column has the kind of the target column that is made of it, of
/// several the one that is kept most closely; one that nothing is made of has none, and is masked.
fn info(planned: &TablePlan, side: Side, name: &str) -> ColumnInfo {
    let made = planned.columns.iter().filter(|c| match side {
        Side::Target => c.target == name,
        Side::Source => match &c.value {
            ColumnValue::Clean { from, .. } => from == name,
            ColumnValue::Sql(sql) => names(&sql.text, name),
        },
    });
    let kind = made.filter_map(|c| c.kind).max_by_key(|kind| kind.class());
    ColumnInfo { name: name.to_owned(), kind: kind.map(|kind| kind.as_str().to_owned()) }
}

/// The columns of both sides of every table.
pub(super) async fn schema(plan: &PlanFile) -> Result<Value, EngineError> {
    let stores = Stores::open(&plan.plan, &plan.dir).await.map_err(moved)?;
    let mut tables = Vec::new();
    for planned in &plan.plan.tables {
        let mut sides = serde_json::Map::new();
        for (name, side) in [("source", Side::Source), ("target", Side::Target)] {
            // A store that cannot be asked has nothing to tell: a target may be made by the first run.
            let found =
                side_of(&stores, reference(planned, side)).await.map(|(_, table)| table).unwrap_or_default();
            sides.insert(name.to_owned(), json!(found.map(|table| columns(planned, side, &table))));
        }
        sides.insert("table".to_owned(), json!(planned.label()));
        sides.insert("from".to_owned(), json!(planned.from.to_string()));
        sides.insert("to".to_owned(), json!(planned.to.to_string()));
        tables.push(Value::Object(sides));
    }
    Ok(json!({ "tables": tables }))
}

fn columns(planned: &TablePlan, side: Side, table: &Table) -> Value {
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|column| {
            let kind = info(planned, side, &column.name);
            json!({ "name": column.name, "type": column.ty.to_string(), "nullable": column.nullable,
                    "key": table.primary_key.contains(&column.name), "kind": kind.kind,
                    "class": kind.class().to_string() })
        })
        .collect();
    json!({ "columns": columns, "rows_estimate": table.rows_estimate })
}

/// The columns of one side, as the gate is asked with.
pub(super) async fn known(plan: &PlanFile, label: &str, side: Side) -> Result<Vec<ColumnInfo>, EngineError> {
    Ok(find(plan, label, side).await?.kinds)
}

/// The rows of one side, under seal.
pub(super) async fn rows(plan: &PlanFile, label: &str, side: Side) -> Result<SealedStream, EngineError> {
    let Found { store, table, kinds, label } = find(plan, label, side).await?;
    let reader = store.reader().await.map_err(failed)?;
    let name = store.name().to_owned();
    let table = Arc::new(table);
    let splits = reader.splits(&table, SPLIT_ROWS, &[]).await.map_err(failed)?;
    let types: Arc<[ColumnType]> = table.columns.iter().map(|c| c.ty.clone()).collect();
    let place = format!("{label}/{}", if side == Side::Source { "source" } else { "target" });
    let batches = stream::iter(splits)
        .then(move |bounds| {
            let (reader, table) = (reader.clone(), table.clone());
            async move {
                let request = ReadRequest { batch_rows: BATCH_ROWS, ..ReadRequest::all(table, bounds) };
                match reader.read(request).await {
                    Ok(stream) => stream,
                    Err(error) => stream::iter([Err(error)]).boxed(),
                }
            }
        })
        .flatten()
        .map(move |batch| match batch {
            Ok(batch) => Ok(Sealed::seal(as_text(&batch, &types, &place))),
            Err(error) => {
                tracing::warn!(%error, "a store failed while rows were shown");
                Err(SourceFailed)
            }
        });
    Ok(SealedStream { store: name, table: label, columns: kinds, batches: Box::pin(batches) })
}

/// The readable rows of a batch, each named by its place.
fn as_text(batch: &ReadBatch, types: &[ColumnType], place: &str) -> Batch {
    let columns: Vec<_> =
        batch.rows.columns().iter().zip(types).map(|(array, ty)| array_to_text(array, ty)).collect();
    let rows = (0..batch.rows.num_rows())
        .map(|row| columns.iter().map(|column| column[row].clone()).collect())
        .collect();
    let names = batch.positions.iter().map(|position| format!("{place}/{position}")).collect();
    Batch { rows, names }
}

/// What the columns of one side hold.
pub(super) async fn profile(
    workspace: &Workspace,
    plan: &PlanFile,
    label: &str,
    side: Side,
    through: Through<'_>,
) -> Result<Profiled, ShowError> {
    let planned = plan.plan.table(label);
    let Found { store, table, label, .. } = find(plan, label, side).await?;
    let references = profiled::references(store.as_ref(), &table, &label).await.map_err(failed)?;
    let profile = dunlin_quality::profile_table_as(store.as_ref(), table, &label).await.map_err(failed)?;
    let Through { policy, log, ask } = through;
    let (columns, opened) = profile.open(policy, log, ask, &dunlin_store::new_id()).await?;
    let mut beside = profiled::Beside { references, ..profiled::Beside::default() };
    if let Some(planned) = planned.filter(|_| side == Side::Source) {
        let since = profiled::since(Some(workspace), planned, &columns, false).await.map_err(state)?;
        (beside.drift, beside.compared_with) = since;
    }
    let load = profiled::load::known(workspace, &plan.plan).await.map_err(state)?;
    let mut beside = json!(beside);
    if let Some(load) = load.filter(|_| side == Side::Source) {
        beside["load"] = json!(load);
    }
    let columns = columns.iter().map(|column| json!(column)).collect();
    opened.close(log).await.map_err(dunlin_gate::Refused::from)?;
    Ok(Profiled { columns, beside })
}
