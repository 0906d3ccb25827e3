//! Rules on all rows of a table together, as the plan's `[[table.set]]` has them: held against the target once the rows
//! are there, by `run` and again by `verify`.
//!
//! Rows that stand against `unique` or `refers` with `otherwise = "quarantine"` leave the target before its keys are
//! added ([`crate::settle`]); everything else is looked at when the target is read again. Not here: rules on single rows
//! ([`crate::check_rules`]).

use std::sync::Arc;

use dunlin_connect::{ForeignKey, Target, Unique, Violation};
use dunlin_plan::{Finding, Otherwise, Plan, Protect, SetPlan, SetRule, TablePlan};
use futures::StreamExt;
use serde::{Deserialize, Serialize};

use crate::draft::nearest_name;
use crate::reconcile::TableResult;
use crate::run::Run;
use crate::settle::is_parent;
use crate::spec::TableSpec;
use crate::stores::{Stores, find_table, table_name};
use crate::totals::{Exact, Totals};
use crate::{MoveError, Result};

/// How a rule on a table's rows together ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetResult {
    /// Its name.
    pub name: String,
    /// What must hold, in words.
    pub check: String,
    /// What the plan says happens otherwise: quarantine, stop, warn.
    pub otherwise: String,
    /// Whether it holds.
    pub holds: bool,
    /// For `unique` and `refers`: how many rows of the target stand against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<u64>,
    /// For a sum or a count: what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
}

impl SetResult {
    /// Whether the table may not be relied on while it is like this.
    pub fn stops(&self) -> bool {
        !self.holds && self.otherwise == Otherwise::Stop.to_string()
    }
}

/// What a rule asks the target for rows that stand against it.
pub(crate) enum Asked {
    Unique(Unique),
    Refers(ForeignKey),
}

impl Asked {
    /// The question of a rule; none for a sum or a count.
    pub(crate) fn of(set: &SetPlan) -> Option<Self> {
        match &set.rule {
            SetRule::Unique { unique } => {
                Some(Self::Unique(Unique { name: Some(set.name.clone()), columns: unique.clone() }))
            }
            SetRule::Refers { refers, to, key } => Some(Self::Refers(ForeignKey {
                name: Some(set.name.clone()),
                columns: refers.clone(),
                parent: table_name(to),
                parent_columns: key.clone(),
                on_delete: "NO ACTION".to_owned(),
                on_update: "NO ACTION".to_owned(),
                deferrable: false,
                validated: true,
            })),
            SetRule::Sum { .. } | SetRule::Count { .. } => None,
        }
    }

    /// The rows of the target that stand against it.
    pub(crate) async fn violators(&self, spec: &TableSpec, target: &Arc<dyn Target>) -> Result<Violation> {
        Ok(match self {
            Self::Unique(unique) => target.unique_violators(&spec.target, unique).await?,
            Self::Refers(key) => target.foreign_key_violators(&spec.target, key).await?,
        })
    }
}

/// Whether a rule can be told from what arrives: in a copy that makes values up or coarse, different values become one.
fn can_be_told(spec: &TableSpec, set: &SetPlan) -> bool {
    let hides = |column: &&str| {
        let mapped = spec.mapping.columns.iter().find(|mapped| mapped.target == **column);
        let protect = mapped.and_then(|mapped| mapped.protect);
        matches!(
            protect,
            Some(Protect::Mask | Protect::Fake | Protect::General | Protect::Remove | Protect::Shift)
        )
    };
    !set.rule.columns().iter().any(hides)
}

/// The rules of a table whose violators leave it.
pub(crate) fn held_back(spec: &TableSpec) -> Vec<(&SetPlan, Asked)> {
    let quarantines =
        spec.plan.sets.iter().filter(|set| set.otherwise == Otherwise::Quarantine && can_be_told(spec, set));
    quarantines.filter_map(|set| Some((set, Asked::of(set)?))).collect()
}

/// Holds a table's rules against its target, which was just read: `rows` of it, and `sums` in the order of
/// [`TableSpec::sums`].
///
/// # Errors
/// Those of the target.
pub(crate) async fn hold(
    run: &Run<'_>,
    spec: &TableSpec,
    rows: u64,
    sums: &Totals,
) -> Result<Vec<SetResult>> {
    let mut results = Vec::new();
    if spec.plan.sets.is_empty() {
        return Ok(results);
    }
    let target = run.target(spec)?.target().await?;
    let sets: Vec<&SetPlan> = spec.plan.sets.iter().filter(|set| can_be_told(spec, set)).collect();
    for set in sets {
        let result = |holds, broken, is| SetResult {
            name: set.name.clone(),
            check: set.rule.to_string(),
            otherwise: set.otherwise.to_string(),
            holds,
            broken,
            is,
        };
        results.push(match (&set.rule, Asked::of(set)) {
            (_, Some(asked)) => {
                let broken = count(asked.violators(spec, &target).await?).await?;
                result(broken == 0, Some(broken), None)
            }
            (SetRule::Sum { sum, equals }, _) => {
                let Some(place) =
                    spec.sums.as_ref().and_then(|s| s.columns.iter().position(|c| c.name == *sum))
                else {
                    // A copy that hides the column has nothing to add up.
                    continue;
                };
                let figure = sums.whole(place);
                let wanted: Exact = equals.parse().unwrap_or_default();
                result(
                    figure.unread == 0 && figure.sum == wanted,
                    None,
                    Some(figure.sum.like(wanted).to_string()),
                )
            }
            (SetRule::Count { at_least, at_most }, _) => {
                let within =
                    at_least.is_none_or(|least| rows >= least) && at_most.is_none_or(|most| rows <= most);
                result(within, None, Some(rows.to_string()))
            }
            (SetRule::Unique { .. } | SetRule::Refers { .. }, None) => continue,
        });
    }
    Ok(results)
}

async fn count(mut violation: Violation) -> Result<u64> {
    let mut rows = 0;
    while let Some(batch) = violation.rows.next().await {
        let batch = batch?;
        rows += (batch.rows.num_rows() + batch.bad.len()) as u64;
    }
    Ok(rows)
}

/// Ends a run whose tables stand against a rule that is to stop it.
///
/// # Errors
/// [`MoveError::Stopped`] where one does.
pub(crate) fn stop(tables: &[TableResult]) -> Result<()> {
    let broken = |table: &TableResult| {
        let set = table.sets.iter().find(|set| set.stops())?;
        let found = match (&set.is, set.broken) {
            (Some(is), _) => format!("it is {is}"),
            (None, Some(rows)) => format!("{} against it", crate::error::rows(rows)),
            (None, None) => "it does not".to_owned(),
        };
        Some(format!("rule `{}` of {} does not hold: {}; {found}", set.name, table.table, set.check))
    };
    match tables.iter().find_map(broken) {
        Some(message) => Err(MoveError::Stopped { message }),
        None => Ok(()),
    }
}

/// What of the plan's rules cannot be held against the stores: a table or a column that is referred to and is not there,
/// and rows that could not leave because the target holds others to them.
///
/// # Errors
/// Those of the stores.
pub(crate) async fn check(plan: &Plan, specs: &[TableSpec], stores: &Stores) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut sets: Vec<(&TablePlan, &SetPlan)> = Vec::new();
    for table in &plan.tables {
        sets.extend(table.sets.iter().map(|set| (table, set)));
    }
    for (table, set) in sets {
        let own = specs.iter().find(|spec| spec.label == table.label() && !spec.created);
        if let Some(spec) = own.filter(|_| set.otherwise == Otherwise::Quarantine)
            && let Some(child) = child_of(spec, stores).await?
        {
            let message = format!(
                "rows that stand against \"{}\" could not leave `{}`: in the target `{child}` refers to it",
                set.name, table.to
            );
            let help = "write `otherwise = \"stop\"` or \"warn\", or let dunlin make the table";
            findings.push(Finding::error("move-set", set.span, message).help(help).in_table(table.label()));
        }
        let SetRule::Refers { to, key, .. } = &set.rule else { continue };
        let made = specs
            .iter()
            .find(|spec| spec.plan.to.store == to.store && is_parent(&spec.target.name, &table_name(to)));
        let there = match made {
            Some(spec) => Some(spec.target.as_ref().clone()),
            // A store that is not made yet holds no table.
            None => match find_table(stores.get(&to.store)?.as_ref(), to).await {
                Ok(found) => found,
                Err(MoveError::Connect(dunlin_connect::ConnectError::Missing { .. })) => None,
                Err(error) => return Err(error),
            },
        };
        let finding = |message: String, help: String| {
            Finding::error("move-set", set.span, message).help(help).in_table(table.label())
        };
        let Some(there) = there else {
            let message =
                format!("\"{}\" refers to `{to}`, which neither the plan nor the store has", set.name);
            findings.push(finding(message, "name a table that moves too, or one that is there".to_owned()));
            continue;
        };
        let names: Vec<&str> = there.columns.iter().map(|c| c.name.as_str()).collect();
        if let Some(column) = key.iter().find(|column| !names.contains(&column.as_str())) {
            let message =
                format!("\"{}\" refers to the column `{column}`, which `{to}` does not have", set.name);
            findings.push(finding(message, nearest_name(column, &names)));
        }
    }
    Ok(findings)
}

/// A table of the target that refers to this one, which was there before: its key acts while rows are moved.
async fn child_of(spec: &TableSpec, stores: &Stores) -> Result<Option<dunlin_connect::TableName>> {
    let target = stores.get(&spec.plan.to.store)?;
    for name in target.tables().await? {
        let Some(other) = target.table(&name).await? else { continue };
        if other.foreign_keys.iter().any(|key| is_parent(&spec.target.name, &key.parent)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
