//! The whole plan held against its stores: every table resolved, every finding told, tables in the order of loading.
//! This is `dunlin check`, and the first thing a run does. Nothing is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_connect::{ColumnType, ConnectError, ForeignKey, Store, System, Table};
use dunlin_plan::{Finding, Level, Plan, TablePlan, When};

use crate::customer::Hop;
use crate::draft::{Given, draft, nearest_name};
use crate::packs::Packs;
use crate::relate::{load_order, relate, unlike};
use crate::spec::{SavedTable, TableSpec};
use crate::stores::{Stores, find_table, table_name};
use crate::{MoveError, Result, customer, naming, sets};

/// The plan, resolved.
pub struct Resolved {
    /// The tables in the order in which they are loaded: parents first.
    pub specs: Vec<Arc<TableSpec>>,
    /// Foreign keys of existing targets that close a cycle, by store.
    pub cyclic: BTreeMap<String, Vec<ForeignKey>>,
    /// Everything noticed, of any level.
    pub findings: Vec<Finding>,
}

/// Resolves a plan. `saved` is what a run to be resumed, verified or undone has kept of its tables; `only` narrows to
/// some tables.
///
/// # Errors
/// Stores that cannot be reached, and [`MoveError::Findings`] when a finding is an error.
pub async fn resolve(
    plan: &Plan,
    stores: &Stores,
    run_at_us: i64,
    saved: &BTreeMap<String, SavedTable>,
) -> Result<Resolved> {
    let (resolved, findings) = try_resolve(plan, stores, run_at_us, saved).await?;
    if findings.iter().any(|f| f.level == Level::Error) {
        return Err(MoveError::Findings(findings));
    }
    Ok(Resolved { findings, ..resolved })
}

/// As [`resolve`], but findings of level error are given back beside what could be resolved.
///
/// # Errors
/// Stores that cannot be reached.
pub async fn try_resolve(
    plan: &Plan,
    stores: &Stores,
    run_at_us: i64,
    saved: &BTreeMap<String, SavedTable>,
) -> Result<(Resolved, Vec<Finding>)> {
    let mut findings = Vec::new();
    let mut specs = Vec::new();
    let packs = Packs::of(plan);
    for table in &plan.tables {
        match resolve_table((plan, table), &packs, stores, run_at_us, saved.get(&table.label())).await? {
            Ok((spec, notes)) => {
                specs.push(spec);
                findings.extend(notes);
            }
            Err(errors) => findings.extend(errors),
        }
    }
    let mut told = false;
    findings.retain(|f: &Finding| f.rule != NO_DEFINITIONS || !std::mem::replace(&mut told, true));
    relate(&mut specs, stores, saved);
    findings.extend(sets::check(plan, &specs, stores).await?);
    findings.extend(unlike(&specs, plan));
    if saved.is_empty() {
        findings.extend(naming::findings(&specs, stores).await?);
    }
    let (specs, cyclic) = load_order(specs);
    Ok((
        Resolved { specs: specs.into_iter().map(Arc::new).collect(), cyclic, findings: Vec::new() },
        findings,
    ))
}

/// The target column that leads to the customer of a table's rows, and the tables between.
async fn whose(
    plan: &Plan,
    table: &TablePlan,
    source: &Table,
    stores: &Stores,
) -> Result<(Option<String>, Vec<Hop>)> {
    if let Some(column) = customer_column(plan, table) {
        return Ok((Some(column), Vec::new()));
    }
    let Some(way) = customer::way(plan, table, source, stores).await? else { return Ok((None, Vec::new())) };
    let taking = table.columns.iter().find(|column| column.source_column().as_ref() == Some(&way.column));
    let column = match taking {
        Some(column) => Some(column.target.clone()),
        None => table.columns.is_empty().then_some(way.column),
    };
    Ok((column, way.hops))
}

type Outcome = Result<(TableSpec, Vec<Finding>), Vec<Finding>>;

/// The target column that names the customer of a table's rows, where the plan says it without a foreign key.
fn customer_column(plan: &Plan, table: &TablePlan) -> Option<String> {
    if let Some(subject) = plan.subject.as_ref().filter(|subject| subject.table == table.to) {
        return Some(subject.id.clone());
    }
    let named = table.subject.as_ref()?;
    let taken = table.columns.iter().find(|column| column.source_column().as_ref() == Some(named));
    Some(taken.map_or_else(|| named.clone(), |column| column.target.clone()))
}

async fn resolve_table(
    (plan, table): (&Plan, &TablePlan),
    packs: &Packs,
    stores: &Stores,
    run_at_us: i64,
    saved: Option<&SavedTable>,
) -> Result<Outcome> {
    let from = stores.get(&table.from.store)?;
    let to = stores.get(&table.to.store)?;
    let found = match saved {
        Some(saved) => Some(saved.source.clone()),
        None => find_table(from.as_ref(), &table.from).await?,
    };
    let Some(source) = found else {
        return Ok(Err(vec![missing_table(table, stores).await?]));
    };
    let (target, created) = match saved {
        Some(saved) => (Some(saved.target.clone()), saved.created),
        None => {
            let target = existing_target(to.as_ref(), table).await?;
            let target = target.map(|found| stores.with_kept_types(&table.label(), found));
            let created = target.is_none();
            (target, created)
        }
    };
    let added = match added_columns(table, stores, When::During).await? {
        Ok(added) => added,
        Err(finding) => return Ok(Err(vec![finding])),
    };
    let later = match added_columns(table, stores, When::After).await? {
        Ok(later) => later,
        Err(finding) => return Ok(Err(vec![finding])),
    };
    let (full_name, unable) = match saved {
        Some(_) => (None, None),
        None if created => taken_over_whole(table, from.as_ref(), to.as_ref(), &source).await?,
        None => (None, None),
    };
    let (subject, hops) = whose(plan, table, &source, stores).await?;
    let opened = to.target().await?;
    let nearest = |ty: &ColumnType| opened.nearest_type(ty);
    let declared = |ty: &ColumnType| opened.declared(ty);
    let mut outcome = draft(Given {
        plan: table,
        source,
        target,
        full_name,
        carried: saved.is_some_and(|s| s.carried),
        target_name: table_name(&table.to),
        created,
        nearest: &nearest,
        declared: &declared,
        same_system: from.system() == to.system() && from.system() != System::Files,
        added,
        later,
        run_at_us: saved.map_or(run_at_us, |s| s.run_at_us),
        packs,
        subject,
        hops,
    });
    if let Ok((_, findings)) = &mut outcome {
        findings.extend(unable);
    }
    Ok(outcome)
}

/// The full name under which a table can be taken over with everything about it, where both stores can hand that over
/// and the name stays; a warning where only the means are missing.
async fn taken_over_whole(
    table: &TablePlan,
    from: &dyn Store,
    to: &dyn Store,
    source: &Table,
) -> Result<(Option<dunlin_connect::TableName>, Option<Finding>)> {
    let (Some(giver), Some(taker)) = (from.definable(), to.definable()) else { return Ok((None, None)) };
    if from.system() != to.system() || taker.full_name(&table_name(&table.to)).await? != source.name {
        return Ok((None, None));
    }
    match giver.tells(&source.name).await {
        Ok(true) => Ok((Some(source.name.clone()), None)),
        Ok(false) => Ok((None, None)),
        Err(error @ ConnectError::Unsupported { .. }) => {
            let finding = Finding::warning(NO_DEFINITIONS, table.span, error.to_string());
            Ok((None, Some(finding.help(error.help().unwrap_or_default()))))
        }
        Err(error) => Err(error.into()),
    }
}

/// The rule of the warning that definitions cannot be handed over; it is told once, not for every table.
const NO_DEFINITIONS: &str = "move-definitions";

/// The target table where it exists. A database file that is not there yet holds no table.
pub(crate) async fn existing_target(
    store: &dyn dunlin_connect::Store,
    table: &TablePlan,
) -> Result<Option<Table>> {
    match find_table(store, &table.to).await {
        Ok(found) => Ok(found),
        Err(MoveError::Connect(ConnectError::Missing { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn missing_table(table: &TablePlan, stores: &Stores) -> Result<Finding> {
    let names: Vec<String> =
        stores.get(&table.from.store)?.tables().await?.iter().map(ToString::to_string).collect();
    let views: Vec<&str> = names.iter().map(String::as_str).collect();
    let wanted = table_name(&table.from).to_string();
    let message = format!("store `{}` has no table `{wanted}`", table.from.store);
    Ok(Finding::error("move-missing-table", table.from_span, message)
        .help(nearest_name(&wanted, &views))
        .in_table(table.label()))
}

/// Names and types of what enriching adds at this time.
async fn added_columns(
    table: &TablePlan,
    stores: &Stores,
    when: When,
) -> Result<Result<Vec<(String, ColumnType)>, Finding>> {
    let mut added = Vec::new();
    for enrich in table.enrich.iter().filter(|e| e.when == when) {
        let finding = |message: String, help: String| {
            Ok(Err(Finding::error("move-enrich", enrich.span, message).help(help).in_table(table.label())))
        };
        let store = stores.get(&enrich.from.store)?;
        let Some(side) = find_table(store.as_ref(), &enrich.from).await? else {
            return finding(
                format!("`{}` is not there to enrich from", enrich.from),
                "check its store's URL".to_owned(),
            );
        };
        let names: Vec<&str> = side.columns.iter().map(|c| c.name.as_str()).collect();
        if side.index_of(&enrich.on.1).is_none() {
            return finding(
                format!("`{}` has no column `{}`", enrich.from, enrich.on.1),
                nearest_name(&enrich.on.1, &names),
            );
        }
        for (target, column) in &enrich.add {
            match side.column(column) {
                Some(found) => {
                    let opaque = matches!(found.ty, ColumnType::Opaque { .. });
                    added.push((target.clone(), if opaque { ColumnType::TEXT } else { found.ty.clone() }));
                }
                None => {
                    return finding(
                        format!("`{}` has no column `{column}`", enrich.from),
                        nearest_name(column, &names),
                    );
                }
            }
        }
    }
    Ok(Ok(added))
}
