//! Everything of one customer, for the customer: rows of sources and targets with all their columns, and rows that wait in
//! quarantine. What is found leaves under seal; the caller opens it at the gate, for the purpose `subject-access`.

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_connect::{ColumnType, array_to_text};
use dunlin_gate::{ColumnInfo, Rows, Sealed};
use dunlin_plan::{Class, Plan};
use dunlin_store::{Body, Effect, Entry, RequestRecord, RequestState, Workspace, now_us};

use super::carry::{marks_of, ready};
use super::request::{first_marks, forget, named, of};
use super::scene::{Stand, scene};
use super::stage::Subjects;
use super::sweep::{Found, Named, Sweep};
use crate::finished::Access;
use crate::quarantine::{Form, QuarantinedRow};
use crate::run::{Observer, Run, RunOptions};
use crate::spec::TableSpec;
use crate::{MoveError, Result};

/// Rows of one table of one side.
pub struct Part {
    /// `source`, `target` or `quarantine`.
    pub side: &'static str,
    /// The table: as the plan calls it in a target, as the store does in a source.
    pub table: String,
    /// How many.
    pub count: u64,
    /// Of a target: the columns that the customer may have corrected.
    pub correctable: Vec<String>,
    /// The rows.
    pub rows: Sealed<Rows>,
}

/// Everything of one customer.
pub struct Export {
    /// The request it answers.
    pub request: RequestRecord,
    /// Its parts; those without rows are left out.
    pub parts: Vec<Part>,
}

/// Finds everything of the customer of a request for access or portability.
///
/// # Errors
/// When it was not granted or the identity is not confirmed, and those of the stores.
pub async fn export(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
    request: &str,
) -> Result<Export> {
    let record = ready(workspace, request).await?;
    let key = named(workspace, request)?.ok_or_else(|| MoveError::Broken {
        message: format!("what names the customer of request {request} is not there any more"),
        help: "open the request again".to_owned(),
    })?;
    let scene = scene(workspace, plan).await?;
    let stand = Stand::open(workspace, &scene, options, observer, Access::Read).await?;
    let run = stand.run();
    let subjects = of(run)?;
    let mut marks = marks_of(workspace, request).await?;
    marks.extend(first_marks(run, &subjects.links, &key, (request, Effect::Restricted, ""))?);
    let mut sweep = Sweep::new(run, &subjects.links, &marks)?;
    let found = sweep.all().await?;
    let parts = parts(run, &subjects, &sweep, &found).await?;
    Ok(Export { request: record, parts })
}

/// What was found, a part for each side of each table that has rows of the customer.
pub(super) async fn parts(
    run: &Run<'_>,
    subjects: &Subjects,
    sweep: &Sweep<'_>,
    found: &Found,
) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for spec in &run.resolved.specs {
        parts.extend(targets(spec, subjects, found));
        parts.extend(sources(sweep, spec, found).await?);
    }
    parts.extend(quarantined(run, subjects, found));
    parts.extend(left(found));
    Ok(parts)
}

/// The mapped columns of a table that a customer may have corrected: those that the plan says hold something personal, but
/// not keys, and not what leads to the customer. A balance or a role is no customer's to correct.
fn correctable(spec: &TableSpec, subjects: &Subjects) -> Vec<String> {
    let Some(links) = subjects.links.tables.get(&spec.label) else { return Vec::new() };
    let leads = |place: usize| links.belongs.iter().chain(&links.offers).any(|l| l.columns.contains(&place));
    let columns = spec.mapping.columns.iter().enumerate();
    columns
        .filter(|(place, mapped)| !spec.key.contains(place) && !leads(*place) && mapped.protect.is_none())
        .filter(|(_, mapped)| mapped.kind.is_some_and(|kind| kind.class() >= Class::Personal))
        .map(|(_, mapped)| mapped.target.clone())
        .collect()
}

/// Enters that the customer got it, and ends the request.
///
/// # Errors
/// Those of the state.
pub async fn exported(
    workspace: &Workspace,
    options: &RunOptions,
    request: &str,
    rows: u64,
) -> Result<RequestRecord> {
    let mut record = ready(workspace, request).await?;
    let entry = |body| Entry { at: now_us(), actor: options.actor.clone(), body };
    record.state = RequestState::Done;
    record.ended_at = Some(now_us());
    let mut tx = workspace.state().begin().await?;
    tx.enter(entry(Body::SubjectExported { request: request.to_owned(), rows })).await?;
    tx.enter(entry(Body::RequestClosed { request: request.to_owned(), outcome: "done".to_owned() })).await?;
    tx.update_request(&record).await?;
    tx.commit().await?;
    forget(workspace, request)?;
    workspace.integrate().await?;
    Ok(record)
}

fn part(side: &'static str, rows: Rows) -> Option<Part> {
    let count = rows.rows.len() as u64;
    let correctable = Vec::new();
    (count > 0).then(|| Part {
        side,
        table: rows.table.clone(),
        count,
        correctable,
        rows: Sealed::seal(rows),
    })
}

fn texts(batch: &arrow::array::RecordBatch, row: usize) -> Vec<Option<String>> {
    let one = batch.slice(row, 1);
    one.columns().iter().map(|c| array_to_text(c, &ColumnType::TEXT).pop().flatten()).collect()
}

fn targets(spec: &Arc<TableSpec>, subjects: &Subjects, found: &Found) -> Option<Part> {
    let rows = found.target.get(&spec.label)?;
    let kind =
        |place: usize| spec.mapping.columns.iter().find(|m| m.target_index == place).and_then(|m| m.kind);
    let columns = spec.target.columns.iter().enumerate().map(|(place, column)| ColumnInfo {
        name: column.name.clone(),
        kind: kind(place).map(|k| k.as_str().to_owned()),
    });
    let part = part(
        "target",
        Rows {
            store: spec.plan.to.store.clone(),
            table: spec.label.clone(),
            columns: columns.collect(),
            rows: rows.iter().map(|r| texts(&r.whole, 0)).collect(),
        },
    );
    part.map(|part| Part { correctable: correctable(spec, subjects), ..part })
}

async fn sources(sweep: &Sweep<'_>, spec: &Arc<TableSpec>, found: &Found) -> Result<Option<Part>> {
    let Some(rows) = found.source.get(&spec.label) else { return Ok(None) };
    let (rows, _) = sweep.addressed(spec, rows).await?;
    let columns = spec
        .source
        .columns
        .iter()
        .map(|column| ColumnInfo { name: column.name.clone(), kind: spec.source_kind(&column.name) });
    Ok(part(
        "source",
        Rows {
            store: spec.plan.from.store.clone(),
            table: spec.plan.from.to_string(),
            columns: columns.collect(),
            rows: rows.iter().filter(|r| r.row.num_rows() > 0).map(|r| texts(&r.row, 0)).collect(),
        },
    ))
}

fn quarantined(run: &Run<'_>, subjects: &Subjects, found: &Found) -> Vec<Part> {
    let mut parts = Vec::new();
    let concerned = run.resolved.specs.iter().filter(|s| subjects.links.tables.contains_key(&s.label));
    for spec in concerned {
        // Rows that could not be read stand in the source as they are; here are those that could.
        let rows = found.quarantine.iter().filter(|r| r.table == spec.label && r.row.form == Form::Source);
        let fields = spec.mapping.read_schema.fields().iter();
        let columns = fields.map(|f| ColumnInfo { name: f.name().clone(), kind: spec.source_kind(f.name()) });
        parts.extend(part(
            "quarantine",
            Rows {
                store: spec.plan.from.store.clone(),
                table: spec.label.clone(),
                columns: columns.collect(),
                rows: rows.map(|r| r.row.fields.clone()).collect(),
            },
        ));
    }
    parts
}

/// Rows that wait, with what their values are called.
type Waiting<'a> = (&'a Named, Vec<&'a QuarantinedRow>);

/// Rows that wait of tables which the plan no longer has. Nothing else of these tables is read, so here are also those that
/// could not be read, byte for byte where they are text.
fn left(found: &Found) -> Vec<Part> {
    // One table may have been set aside by runs that called its columns otherwise: a part each.
    let mut tables: BTreeMap<(&str, Vec<&str>), Waiting<'_>> = BTreeMap::new();
    for waiting in &found.quarantine {
        let Some(named) = &waiting.left else { continue };
        let names = named.columns.iter().map(|c| c.name.as_str()).collect();
        tables.entry((&waiting.table, names)).or_insert_with(|| (named, Vec::new())).1.push(&waiting.row);
    }
    let parts = tables.into_iter().filter_map(|((table, _), (named, rows))| {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let fields = |row: &QuarantinedRow| match row.form {
            Form::Source | Form::Target => row.fields.clone(),
            Form::Raw => row.raw_fields().into_iter().map(|field| field.map(text)).collect(),
        };
        let mut rows: Vec<Vec<Option<String>>> = rows.into_iter().map(fields).collect();
        // A line with more fields than the table has columns waits because of just that.
        let width = rows.iter().map(Vec::len).max().unwrap_or_default().max(named.columns.len());
        rows.iter_mut().for_each(|row| row.resize(width, None));
        let mut columns = named.columns.clone();
        let more = columns.len() + 1..=width;
        columns.extend(more.map(|at| ColumnInfo { name: format!("field {at}"), kind: None }));
        part("quarantine", Rows { store: named.store.clone(), table: table.to_owned(), columns, rows })
    });
    parts.collect()
}
