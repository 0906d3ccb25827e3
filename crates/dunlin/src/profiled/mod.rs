//! What is said of a profiled table besides its columns: references that lead nowhere, and what has changed since it was
//! last looked at or does not fit the plan. For the command and for the server alike. Not here: the profile itself
//! (`dunlin_quality`), and how busy the source is ([`load`]).

pub mod load;

use dunlin_connect::{Store, Table};
use dunlin_plan::{ColumnValue, TablePlan};
use dunlin_quality::{
    ColumnProfile, Drift, KeptColumn, PlannedColumn, ReferenceCount, against_plan, broken_references, drift,
};
use dunlin_store::{RunKind, StoreError, Workspace};
use serde::Serialize;

/// What was found besides the columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Beside {
    /// The table's references, each with how many values lead nowhere.
    pub references: Vec<ReferenceCount>,
    /// What is not as it was, or not as the plan has it.
    pub drift: Vec<Drift>,
    /// When the profile was taken that it was compared with, in microseconds since 1970 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<i64>,
}

/// The tables of a store that references may lead to. One that cannot be described is none of them: what is asked for is
/// another table.
///
/// # Errors
/// The store's, when it does not name its tables.
pub async fn described(store: &dyn Store) -> dunlin_connect::Result<Vec<Table>> {
    let mut tables = Vec::new();
    for name in store.tables().await? {
        match store.table(&name).await {
            Ok(table) => tables.extend(table),
            Err(error) => {
                tracing::warn!(table = %name, %error, "no reference to this table is counted");
            }
        }
    }
    Ok(tables)
}

/// Counts a table's references. Other tables of the store are asked for their keys.
///
/// # Errors
/// Those of the store.
pub async fn references(
    store: &dyn Store,
    table: &Table,
    name: &str,
) -> dunlin_connect::Result<Vec<ReferenceCount>> {
    broken_references(store, table, &described(store).await?, name).await
}

/// Holds a profile of a plan's source against the plan and against the one before, and keeps it. A sample is held
/// against the plan alone.
///
/// # Errors
/// Those of the state.
pub async fn since(
    workspace: Option<&Workspace>,
    plan: &TablePlan,
    columns: &[ColumnProfile],
    sample: bool,
) -> Result<(Vec<Drift>, Option<i64>), StoreError> {
    let label = plan.label();
    let now: Vec<KeptColumn> = columns.iter().map(KeptColumn::of).collect();
    let (planned, every) = planned(plan, &now);
    let mut found = against_plan(&label, &planned, every, &now);
    let mut compared_with = None;
    if let Some(workspace) = workspace.filter(|_| !sample) {
        if let Some((at, before)) = baseline(workspace, &label).await? {
            found.extend(drift(&label, &before, &now));
            compared_with = Some(at);
        }
        let mut tx = workspace.state().begin().await?;
        tx.keep_profile(&label, &serde_json::to_value(&now).unwrap_or_default()).await?;
        tx.commit().await?;
    }
    Ok((found, compared_with))
}

/// The profile to compare with: the last one before the latest run began; while nothing was run, the first.
async fn baseline(workspace: &Workspace, label: &str) -> Result<Option<(i64, Vec<KeptColumn>)>, StoreError> {
    let kept = workspace.state().kept_profiles(label).await?;
    let runs = workspace.state().runs().await?;
    let began = runs.iter().filter(|run| run.kind == RunKind::Load).map(|run| run.started_at).max();
    let before_run = began.and_then(|began| kept.iter().rev().find(|(at, _)| *at <= began));
    let chosen = before_run.or(kept.first());
    Ok(chosen.and_then(|(at, profile)| Some((*at, serde_json::from_value(profile.clone()).ok()?))))
}

/// The source columns that a plan names, and whether each source column must be among them.
fn planned(plan: &TablePlan, now: &[KeptColumn]) -> (Vec<PlannedColumn>, bool) {
    let mut planned: Vec<PlannedColumn> = Vec::new();
    let mut name =
        |column: String, kind: Option<String>| match planned.iter_mut().find(|p| p.column == column) {
            Some(known) => known.kind = known.kind.take().or(kind),
            None => planned.push(PlannedColumn { column, kind }),
        };
    for column in &plan.columns {
        if let Some(source) = column.source_column() {
            name(source, column.kind.map(|kind| kind.to_string()));
        }
    }
    plan.drop.iter().for_each(|drop| name(drop.column.clone(), None));
    plan.key.iter().for_each(|key| name(key.clone(), None));
    plan.enrich.iter().for_each(|enrich| name(enrich.on.0.clone(), None));
    let expressions = plan.columns.iter().filter_map(|column| match &column.value {
        ColumnValue::Sql(sql) => Some(sql),
        ColumnValue::Clean { .. } => None,
    });
    let survivor = plan.duplicates.as_ref().and_then(|duplicates| duplicates.survivor.as_ref());
    let totals = plan.totals.iter().flat_map(|totals| totals.source.iter().map(|(_, sql)| sql));
    let texts: Vec<&str> = expressions
        .chain(&plan.where_)
        .chain(&plan.retain)
        .chain(survivor)
        .chain(totals)
        .map(|sql| sql.text.as_str())
        .collect();
    for column in now {
        if texts.iter().any(|text| names(text, &column.column)) {
            name(column.column.clone(), None);
        }
    }
    (planned, !plan.columns.is_empty())
}

/// Whether an expression names a column, as a word of its own.
pub fn names(sql: &str, column: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    sql.match_indices(column).any(|(at, _)| {
        let before = sql[..at].chars().next_back().is_some_and(is_word);
        let after = sql[at + column.len()..].chars().next().is_some_and(is_word);
        !before && !after
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_column_is_found_as_a_word_of_its_expression() {
        assert!(names("lower(trim(email))", "email"));
        assert!(names("\"email\" || 'x'", "email"));
        assert!(!names("lower(email_2)", "email"));
        assert!(!names("work_email", "email"));
    }
}
