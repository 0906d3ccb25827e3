//! Quarantined rows of tables that the plan no longer has. What a field of them means, the plan of the run that set them
//! aside knows: they are read by that one.

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_gate::ColumnInfo;
use dunlin_store::FragmentRef;

use super::links::Links;
use super::sweep::{Named, Sweep, WaitingRow, rows_of};
use crate::quarantine::Form;
use crate::resolve::resolve;
use crate::run::Run;
use crate::spec::TableSpec;
use crate::stores::Stores;
use crate::{MoveError, Result, recover};

/// The customer's rows among these fragments, each of a table that the plan does not have.
///
/// # Errors
/// When such a plan, or what it moves between, cannot be read any more: nobody knows then whose the rows are.
pub(crate) async fn waiting(sweep: &Sweep<'_>, fragments: Vec<FragmentRef>) -> Result<Vec<WaitingRow>> {
    let mut by_run: BTreeMap<String, Vec<FragmentRef>> = BTreeMap::new();
    for at in fragments {
        by_run.entry(at.run.clone()).or_default().push(at);
    }
    let mut found = Vec::new();
    for (run, fragments) in by_run {
        found.extend(of_run(sweep, &run, &fragments).await?);
    }
    Ok(found)
}

async fn of_run(sweep: &Sweep<'_>, id: &str, fragments: &[FragmentRef]) -> Result<Vec<WaitingRow>> {
    let now: &Run<'_> = sweep.run;
    let unread = |table: &str| MoveError::Broken {
        message: format!(
            "rows of {table} wait in the quarantine of run {id}, whose plan or stores cannot be read any more"
        ),
        help:
            "put its stores back where that plan says they are, and try again: nobody knows otherwise whose \
               the rows are"
                .to_owned(),
    };
    let table = fragments.first().map(|at| at.table.clone()).unwrap_or_default();
    let Ok(record) = now.workspace.state().run(id).await else { return Err(unread(&table)) };
    let Ok(mut then) = dunlin_plan::load(&record.plan_text, &record.plan_file) else {
        return Err(unread(&table));
    };
    let same = |s: &dunlin_plan::Subject| then.tables.iter().any(|t| t.to == s.table);
    if let Some(subject) = now.plan.subject.clone().filter(|s| then.subject.is_none() || same(s)) {
        then.subject = Some(subject);
    }
    let Ok(stores) = Stores::open(&then, &now.options.base).await else { return Err(unread(&table)) };
    let saved = recover::saved_tables(now.workspace, id).await?;
    let Ok(resolved) = resolve(&then, &stores, record.started_at, &saved).await else {
        return Err(unread(&table));
    };
    // A plan that named no customers moved nobody's rows that could be told.
    let Some(links) = Links::of(&then, &resolved.specs) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for at in fragments {
        let Some(spec) = resolved.specs.iter().find(|s| s.label == at.table) else { continue };
        let Some(table) = links.tables.get(&spec.label) else { continue };
        let mut rows = rows_of(now, &sweep.book, spec, table, at, None)?;
        for (form, named) in named(spec) {
            rows.iter_mut().filter(|r| r.row.form == form).for_each(|r| r.left = Some(Arc::clone(&named)));
        }
        found.extend(rows);
    }
    Ok(found)
}

/// What the fields of a table's waiting rows are called, by the form in which they wait.
fn named(spec: &TableSpec) -> [(Form, Arc<Named>); 3] {
    let read = spec.mapping.read_schema.fields().iter();
    let read = read.map(|f| ColumnInfo { name: f.name().clone(), kind: spec.source_kind(f.name()) });
    let source = Arc::new(Named { store: spec.plan.from.store.clone(), columns: read.collect() });
    let mapped = spec.mapping.columns.iter();
    let mapped =
        mapped.map(|m| ColumnInfo { name: m.target.clone(), kind: m.kind.map(|k| k.as_str().to_owned()) });
    let target = Arc::new(Named { store: spec.plan.to.store.clone(), columns: mapped.collect() });
    [(Form::Source, Arc::clone(&source)), (Form::Raw, source), (Form::Target, target)]
}
