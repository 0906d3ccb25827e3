//! Rules on all rows of a table together, as the plan's `[[table.set]]` has them: held against the target once the rows
//! are there, by `run` and again by `verify`.
//!
//! Rows that stand against `unique` or `refers` with `otherwise = "quarantine"` leave the target before its keys are
//! added ([`crate::settle`]); everything else is looked at when the target is read again. Not here: rules on single rows
//! ([`crate::check_rules`]).

use std::sync::Arc;

use dunlin_connect::{ColumnType, ForeignKey, System, Table, TableName, Target, Unique, Violation};
use dunlin_plan::{Finding, Otherwise, Plan, Protect, SetPlan, SetRule, TablePlan, TableRef};
use futures::StreamExt;
use serde::{Deserialize, Serialize};

use crate::draft::nearest_name;
use crate::reconcile::TableResult;
use crate::run::Run;
use crate::settle::{self, is_parent};
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
    /// How many of these dunlin did not load: rows that were there before, or that others wrote. They are not its to move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<u64>,
    /// For a sum or a count: what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
}

impl SetResult {
    /// Whether the table may not be relied on while it is like this. Rows that were to leave and stand there all the same
    /// count: what only warns does not.
    pub fn stops(&self) -> bool {
        !self.holds && self.otherwise != Otherwise::Warn.to_string()
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

/// The table of the plan that a rule refers to, where the plan moves it.
fn referred<'a>(specs: impl IntoIterator<Item = &'a TableSpec>, to: &TableRef) -> Option<&'a TableSpec> {
    specs.into_iter().find(|s| s.plan.to.store == to.store && is_parent(&s.target.name, &table_name(to)))
}

/// How a column is hidden on its way.
fn protection(spec: &TableSpec, column: &str) -> Option<Protect> {
    spec.mapping.columns.iter().find(|mapped| mapped.target == column).and_then(|mapped| mapped.protect)
}

/// The column because of which a rule cannot be told from what arrives: in a copy that makes values up or coarse,
/// different values become one; and what is hidden in one way does not refer to what is hidden in another.
fn hidden<'a>(
    specs: impl IntoIterator<Item = &'a TableSpec>,
    spec: &TableSpec,
    set: &'a SetPlan,
) -> Option<&'a str> {
    let hides = |protect: Option<Protect>| {
        matches!(
            protect,
            Some(Protect::Mask | Protect::Fake | Protect::General | Protect::Remove | Protect::Shift)
        )
    };
    if let Some(column) = set.rule.columns().into_iter().find(|column| hides(protection(spec, column))) {
        return Some(column);
    }
    let SetRule::Refers { refers, to, key } = &set.rule else { return None };
    let parent = referred(specs, to)?;
    let unlike = |(own, theirs): &(&String, &String)| {
        let theirs = protection(parent, theirs);
        hides(theirs) || theirs != protection(spec, own)
    };
    refers.iter().zip(key).find(unlike).map(|(_, theirs)| theirs.as_str())
}

fn can_be_told(run: &Run<'_>, spec: &TableSpec, set: &SetPlan) -> bool {
    hidden(run.resolved.specs.iter().map(Arc::as_ref), spec, set).is_none()
}

/// The rules of a table whose violators leave it.
pub(crate) fn held_back<'a>(run: &Run<'_>, spec: &'a TableSpec) -> Vec<(&'a SetPlan, Asked)> {
    let quarantines = spec
        .plan
        .sets
        .iter()
        .filter(|set| set.otherwise == Otherwise::Quarantine && can_be_told(run, spec, set));
    quarantines.filter_map(|set| Some((set, Asked::of(set)?))).collect()
}

/// Holds a table's rules against its target, which was just read: `rows` of it, and `sums` in the order of
/// [`TableSpec::sums`].
///
/// # Errors
/// Those of the target.
pub(crate) async fn hold(
    run: &Run<'_>,
    id: &str,
    spec: &TableSpec,
    rows: u64,
    sums: &Totals,
) -> Result<Vec<SetResult>> {
    let mut results = Vec::new();
    if spec.plan.sets.is_empty() {
        return Ok(results);
    }
    let target = run.target(spec)?.target().await?;
    let sets: Vec<&SetPlan> = spec.plan.sets.iter().filter(|set| can_be_told(run, spec, set)).collect();
    for set in sets {
        let result = |holds, broken, is| SetResult {
            name: set.name.clone(),
            check: set.rule.to_string(),
            otherwise: set.otherwise.to_string(),
            holds,
            broken,
            others: None,
            is,
        };
        results.push(match (&set.rule, Asked::of(set)) {
            (_, Some(asked)) => {
                let broken = count(asked.violators(spec, &target).await?).await?;
                let mut result = result(broken == 0, Some(broken), None);
                if broken > 0 && set.otherwise == Otherwise::Quarantine {
                    let ours = settle::ours(run, id, spec, asked.violators(spec, &target).await?).await?;
                    result.others = Some(broken.saturating_sub(ours));
                }
                result
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

/// Ends a run whose tables stand against a rule that is to stop it. What a sum comes to is not said: it may be the amount
/// of a single row, and errors go into logs.
///
/// # Errors
/// [`MoveError::Stopped`] where one does.
pub(crate) fn stop(specs: &[Arc<TableSpec>], tables: &[TableResult]) -> Result<()> {
    let adds_up = |table: &TableResult, set: &SetResult| {
        let mut rules = specs.iter().filter(|s| s.label == table.table).flat_map(|s| &s.plan.sets);
        rules.any(|rule| rule.name == set.name && matches!(rule.rule, SetRule::Sum { .. }))
    };
    let broken = |table: &TableResult| {
        let stop = Otherwise::Stop.to_string();
        let set = table.sets.iter().find(|set| !set.holds && set.otherwise == stop)?;
        let found = match (&set.is, set.broken) {
            (Some(_), _) if adds_up(table, set) => "it comes to something else".to_owned(),
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
            && let Some(child) = child_of(spec, specs, stores).await?
        {
            let message = format!(
                "rows that stand against \"{}\" could not leave `{}`: in the target `{child}` refers to it",
                set.name, table.to
            );
            let help = "write `otherwise = \"stop\"` or \"warn\", or let dunlin make the table";
            findings.push(Finding::error("move-set", set.span, message).help(help).in_table(table.label()));
        }
        let finding = |message: String, help: String| {
            Finding::error("move-set", set.span, message).help(help).in_table(table.label())
        };
        let own = specs.iter().find(|spec| spec.label == table.label());
        if let Some(column) = own.and_then(|spec| hidden(specs, spec, set))
            // The draft tells it of sums.
            && !matches!(set.rule, SetRule::Sum { .. })
        {
            let message = format!("\"{}\" is not looked at: `{column}` does not arrive as it is", set.name);
            let found = Finding::warning("move-set", set.span, message);
            findings.push(found.in_table(table.label()).in_column(column));
        }
        let system = stores.get(&table.to.store)?.system();
        if let (SetRule::Unique { unique }, Some(spec), System::Postgres) = (&set.rule, own, system) {
            for column in unique {
                if let Some(ty) = type_of(&spec.target, column).filter(|ty| !has_equals(ty)) {
                    let message =
                        format!("\"{}\" cannot tell equal values of `{column}`: it is {ty}", set.name);
                    findings.push(finding(message, "name columns whose values can be compared".to_owned()));
                }
            }
        }
        let SetRule::Refers { refers, to, key } = &set.rule else { continue };
        let made = referred(specs, to);
        let there = match made {
            Some(spec) => Some(spec.target.as_ref().clone()),
            // A store that is not made yet holds no table.
            None => match find_table(stores.get(&to.store)?.as_ref(), to).await {
                Ok(found) => found,
                Err(MoveError::Connect(dunlin_connect::ConnectError::Missing { .. })) => None,
                Err(error) => return Err(error),
            },
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
        let (Some(spec), System::Postgres) = (own, system) else { continue };
        for (own, theirs) in refers.iter().zip(key) {
            let (Some(one), Some(other)) = (type_of(&spec.target, own), type_of(&there, theirs)) else {
                continue;
            };
            if !comparable(one, other) {
                let message = format!(
                    "\"{}\" compares `{own}`, which is {one}, with `{theirs}` of `{to}`, which is {other}",
                    set.name
                );
                findings
                    .push(finding(message, "name columns of one type, or cast one in the plan".to_owned()));
            }
        }
    }
    Ok(findings)
}

fn type_of<'a>(table: &'a Table, column: &str) -> Option<&'a ColumnType> {
    table.columns.iter().find(|c| c.name == column).map(|c| &c.ty)
}

/// PostgreSQL's types without an order of their own, by which alone equal rows are found.
const WITHOUT_ORDER: [&str; 10] =
    ["json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle", "txid_snapshot"];

/// Whether PostgreSQL can tell equal values of a type.
fn has_equals(ty: &ColumnType) -> bool {
    match ty {
        ColumnType::Json => false,
        ColumnType::Opaque { name } => {
            let name = name.trim_start_matches("pg_catalog.").trim_end_matches("[]");
            !WITHOUT_ORDER.contains(&name)
        }
        _ => true,
    }
}

/// Whether PostgreSQL compares values of two types. Of types that dunlin does not know the server says so itself.
fn comparable(one: &ColumnType, other: &ColumnType) -> bool {
    let family = |ty: &ColumnType| match ty {
        ColumnType::Bool => "truth",
        ColumnType::Int16
        | ColumnType::Int32
        | ColumnType::Int64
        | ColumnType::Decimal { .. }
        | ColumnType::Numeric
        | ColumnType::Float32
        | ColumnType::Float64 => "number",
        ColumnType::Text { .. } | ColumnType::Char { .. } => "text",
        ColumnType::Date | ColumnType::Timestamp | ColumnType::TimestampTz => "moment",
        ColumnType::Binary => "bytes",
        ColumnType::Time => "time",
        ColumnType::Uuid => "uuid",
        ColumnType::Json | ColumnType::Jsonb => "json",
        ColumnType::Opaque { .. } => "",
    };
    let opaque = [one, other].iter().any(|ty| matches!(ty, ColumnType::Opaque { .. }));
    has_equals(one) && has_equals(other) && (opaque || family(one) == family(other))
}

/// A table of the target that refers to this one and that the plan does not load: its key acts while rows are moved. The
/// keys of those that it does load stand aside meanwhile ([`crate::carry::keys_aside`]).
async fn child_of(spec: &TableSpec, specs: &[TableSpec], stores: &Stores) -> Result<Option<TableName>> {
    let target = stores.get(&spec.plan.to.store)?;
    let loaded = |name: &TableName| {
        specs.iter().any(|s| s.plan.to.store == spec.plan.to.store && is_parent(&s.target.name, name))
    };
    for name in target.tables().await? {
        if loaded(&name) {
            continue;
        }
        let Some(other) = target.table(&name).await? else { continue };
        if other.foreign_keys.iter().any(|key| is_parent(&spec.target.name, &key.parent)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgres_could_not_compare_is_known_before() {
        let opaque = |name: &str| ColumnType::Opaque { name: name.to_owned() };
        assert!(has_equals(&ColumnType::Jsonb) && has_equals(&opaque("citext")));
        assert!(!has_equals(&ColumnType::Json) && !has_equals(&opaque("point")));
        assert!(comparable(&ColumnType::Int16, &ColumnType::Numeric));
        assert!(comparable(&ColumnType::TEXT, &ColumnType::Char { len: 3 }));
        assert!(comparable(&opaque("citext"), &ColumnType::TEXT));
        assert!(!comparable(&ColumnType::Int64, &ColumnType::TEXT));
        assert!(!comparable(&ColumnType::Uuid, &ColumnType::TEXT));
    }
}
