//! Quarantined rows, under seal.

use dunlin_gate::{ColumnInfo, Rows, Sealed};
use dunlin_move::quarantine::{Form, QuarantinedRow};
use dunlin_plan::{Class, Kind};
use dunlin_server::{EngineError, QuarantineAsk, QuarantineRows};
use dunlin_store::{QuarantineFilter, QuarantineRow, QuarantineStatus, Workspace};

use super::{moved, state, told};
use crate::failure::Failure;
use crate::workspace::PlanFile;

/// Rows of a group that wait: what is known of each, and their values.
pub struct Waiting {
    /// Where each row stands and why it waits; its fields are empty.
    pub rows: Vec<QuarantinedRow>,
    /// The columns of the values.
    pub columns: Vec<ColumnInfo>,
    /// The store that they come from, by its name in the plan.
    pub store: String,
    /// The table's label.
    pub table: String,
    /// The values.
    pub values: Sealed<Rows>,
    /// Each row's place, for the ledger: run, table, fragment and number, never a value.
    pub names: Vec<String>,
}

/// Rows of a group as they lie there, whose table they are, and each row's place.
type Found = (QuarantineRow, Vec<QuarantinedRow>, Vec<String>);

async fn found(
    workspace: &Workspace,
    group: &str,
    limit: u32,
    offset: u64,
) -> Result<Option<Found>, Failure> {
    let filter = QuarantineFilter {
        groups: vec![group.to_owned()],
        status: Some(QuarantineStatus::Waiting),
        ..QuarantineFilter::default()
    };
    let places = workspace.state().quarantine_rows(&filter, limit, offset).await?;
    let Some(first) = places.first().cloned() else { return Ok(None) };
    let (mut rows, mut names) = (Vec::new(), Vec::new());
    for place in &places {
        let mut fragment = workspace.fragments().open(&place.run, &place.table, &place.fragment)?;
        if let Some(payload) = fragment.nth(place.row as usize)
            && let Some(row) = QuarantinedRow::unpack(&payload?)
        {
            rows.push(row);
            names.push(format!("{}/{}/{}/{}", place.run, place.table, place.fragment, place.row));
        }
    }
    Ok(Some((first, rows, names)))
}

/// Reads rows of a group; `None` when none waits.
pub async fn waiting(
    workspace: &Workspace,
    plan: &PlanFile,
    group: &str,
    limit: u32,
    offset: u64,
) -> Result<Option<Waiting>, Failure> {
    let Some((first, mut rows, names)) = found(workspace, group, limit, offset).await? else {
        return Ok(None);
    };
    let columns = columns(workspace, plan, &first.run, &first.table, &rows).await?;
    let store = plan.plan.table(&first.table).map(|t| t.from.store.clone()).unwrap_or_default();
    let values = rows.iter_mut().map(readable).collect();
    let table = first.table;
    let sealed = Sealed::seal(Rows {
        store: store.clone(),
        table: table.clone(),
        columns: columns.clone(),
        rows: values,
    });
    Ok(Some(Waiting { rows, columns, store, table, values: sealed, names }))
}

/// What a fix would make of rows of a group: two columns for each that it sets, before and after; `None` when no row
/// waits. Rows that had been loaded before they waited are left out: a fix does not touch them.
pub async fn tried(
    workspace: &Workspace,
    plan: &PlanFile,
    group: &str,
    set: &[(String, String)],
    limit: u32,
    offset: u64,
) -> Result<Option<Waiting>, Failure> {
    let Some((first, rows, names)) = found(workspace, group, limit, offset).await? else { return Ok(None) };
    let table = first.table;
    let (mut rows, names): (Vec<_>, Vec<_>) =
        rows.into_iter().zip(names).filter(|(row, _)| row.form != Form::Target).unzip();
    let tried = dunlin_move::try_fix(workspace, &plan.plan, &plan.options(None), &table, &rows, set).await;
    let tried = tried.map_err(|e| plan.failure(e))?;
    let kinds = dunlin_move::quarantined_columns(workspace, &plan.plan, &plan.dir, &first.run, &table)
        .await
        .map_err(|e| plan.failure(e))?
        .source;
    let store = plan.plan.table(&table).map(|t| t.from.store.clone()).unwrap_or_default();
    let mut columns = Vec::new();
    let mut values = vec![Vec::new(); rows.len()];
    for one in tried {
        let kind = |place: usize| {
            kinds.get(place).map_or_else(|| Some(UNKNOWN.to_owned()), |(_, kind)| kind.clone())
        };
        let after = closest(&std::iter::once(one.place).chain(one.made_of).map(kind).collect::<Vec<_>>());
        columns.push(ColumnInfo { name: one.column.clone(), kind: kind(one.place) });
        columns.push(ColumnInfo { name: format!("{} →", one.column), kind: after });
        for (row, (before, after)) in values.iter_mut().zip(one.before.into_iter().zip(one.after)) {
            row.extend([before, after]);
        }
    }
    for row in &mut rows {
        row.fields.clear();
    }
    let sealed = Sealed::seal(Rows {
        store: store.clone(),
        table: table.clone(),
        columns: columns.clone(),
        rows: values,
    });
    Ok(Some(Waiting { rows, columns, store, table, values: sealed, names }))
}

/// The kind of what nobody knows: it is masked whole.
const UNKNOWN: &str = "free_text";

/// The kind of a value that is made of columns of these kinds: it is kept as closely as the most sensitive of them, and
/// masked whole where they differ, for a mask that suits one kind may show another.
fn closest(kinds: &[Option<String>]) -> Option<String> {
    let first = kinds.first().cloned().flatten();
    if kinds.iter().all(|kind| *kind == first) {
        return first;
    }
    let class = |kind: &Option<String>| match kind.as_deref().map(str::parse::<Kind>) {
        Some(Ok(kind)) => kind.class(),
        _ => Class::Personal,
    };
    match kinds.iter().map(class).max() {
        Some(Class::Secret) => Some(Kind::Credential.as_str().to_owned()),
        Some(Class::Sensitive) => Some(Kind::SpecialCategory.as_str().to_owned()),
        _ => Some(UNKNOWN.to_owned()),
    }
}

/// Raw bytes as text as far as they are text; the row keeps none of them.
fn readable(row: &mut QuarantinedRow) -> Vec<Option<String>> {
    match row.form {
        Form::Raw => {
            let raw = row.raw_fields();
            row.fields.clear();
            raw.into_iter().map(|f| f.map(|b| String::from_utf8_lossy(&b).into_owned())).collect()
        }
        _ => std::mem::take(&mut row.fields),
    }
}

/// Names and kinds of the fields that rows in quarantine have.
async fn columns(
    workspace: &Workspace,
    plan: &PlanFile,
    run: &str,
    label: &str,
    rows: &[QuarantinedRow],
) -> Result<Vec<ColumnInfo>, Failure> {
    let width = rows.iter().map(|r| r.fields.len()).max().unwrap_or_default();
    let names = dunlin_move::quarantined_columns(workspace, &plan.plan, &plan.dir, run, label)
        .await
        .map_err(|e| plan.failure(e))?;
    let target = rows.first().is_some_and(|r| r.form == Form::Target);
    let names = if target { names.target } else { names.source };
    Ok((0..width)
        .map(|i| match names.get(i) {
            Some((name, kind)) => ColumnInfo { name: name.clone(), kind: kind.clone() },
            None => ColumnInfo { name: format!("field {}", i + 1), kind: Some("free_text".to_owned()) },
        })
        .collect())
}

/// The same for the server.
pub(super) async fn quarantined(
    workspace: &Workspace,
    plan: &PlanFile,
    ask: &QuarantineAsk,
) -> Result<QuarantineRows, EngineError> {
    let found = if ask.fix.is_empty() {
        waiting(workspace, plan, &ask.group, ask.limit, ask.offset).await
    } else {
        let set: Vec<(String, String)> = ask.fix.clone().into_iter().collect();
        tried(workspace, plan, &ask.group, &set, ask.limit, ask.offset).await
    };
    let found = found.map_err(|failure| match failure {
        Failure::Move(error) => moved(error),
        Failure::State(error) => state(error),
        other => told(other),
    })?;
    let found = found.ok_or(EngineError::Unknown("group"))?;
    let Waiting { columns, store, table, values, names, .. } = found;
    Ok(QuarantineRows { rows: values, columns, store, table, names })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_made_of_another_column_is_kept_as_closely() {
        let kinds =
            |words: &[&str]| closest(&words.iter().map(|word| Some((*word).to_owned())).collect::<Vec<_>>());
        assert_eq!(kinds(&["birth_date", "birth_date"]).as_deref(), Some("birth_date"));
        assert_eq!(kinds(&["none", "us_ssn"]).as_deref(), Some("special_category"));
        assert_eq!(kinds(&["none", "credential", "email"]).as_deref(), Some("credential"));
        assert_eq!(kinds(&["none", "email"]).as_deref(), Some("free_text"));
        assert_eq!(closest(&[Some("none".to_owned()), None]).as_deref(), Some("free_text"));
    }
}
