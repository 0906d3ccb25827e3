//! A fix of quarantined rows before it is made: what it turns the values into, counted by their shapes over all rows of
//! the groups, and row by row for a few of them, which are customers' values and leave only through the gate.
//!
//! Not here: whether the rows would pass afterwards, and the deciding itself ([`crate::decide`]).

use std::sync::Arc;

use dunlin_plan::Plan;
use dunlin_store::{QuarantineFilter, QuarantineStatus, Workspace};
use serde::Serialize;

use crate::finished::{self, Access};
use crate::quarantine::{Form, QuarantinedRow, shape};
use crate::remap::Remap;
use crate::run::{Event, RunOptions};
use crate::{MoveError, Result};

/// So many different changes are told apart; the rest is one line without shapes.
const SHAPES: usize = 200;

/// Values of one shape that a fix turns into values of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShapeChange {
    /// The source column.
    pub column: String,
    /// The shape before: digits as 9, letters as A; none for NULL.
    pub before: Option<String>,
    /// The shape after; none for NULL, and where the expression fails.
    pub after: Option<String>,
    /// Whether the expression fails for them, or the column's type cannot hold what it makes.
    pub failed: bool,
    /// How many rows; those of changes too rare to be told apart have shapes `…`.
    pub rows: u64,
}

/// What a fix makes of one column. It holds customers' values: no `Debug`.
pub struct Tried {
    /// The source column.
    pub column: String,
    /// Its place among the columns that are read.
    pub place: usize,
    /// The places of the columns that the new value is made of: it is as sensitive as they are.
    pub made_of: Vec<usize>,
    /// The values before, one a row.
    pub before: Vec<Option<String>>,
    /// The values after; none also where the expression failed.
    pub after: Vec<Option<String>>,
    /// Where it failed.
    pub failed: Vec<bool>,
}

/// Adds the changes to those counted so far, the most frequent first.
pub(crate) fn count(tried: &[Tried], into: &mut Vec<ShapeChange>) {
    for one in tried {
        let values = one.before.iter().zip(&one.after).zip(&one.failed);
        for ((before, after), failed) in values {
            let (before, after) = (before.as_deref().map(shape), after.as_deref().map(shape));
            add(into, &one.column, before, after, *failed);
        }
    }
    into.sort_by(|a, b| {
        b.rows.cmp(&a.rows).then_with(|| (&a.column, &a.before).cmp(&(&b.column, &b.before)))
    });
}

fn add(
    into: &mut Vec<ShapeChange>,
    column: &str,
    before: Option<String>,
    after: Option<String>,
    failed: bool,
) {
    let same =
        |c: &ShapeChange| c.failed == failed && c.column == column && c.before == before && c.after == after;
    if let Some(known) = into.iter_mut().find(|c| same(c)) {
        known.rows += 1;
    } else if into.len() < SHAPES {
        into.push(ShapeChange { column: column.to_owned(), before, after, failed, rows: 1 });
    } else {
        let other = || Some("…".to_owned());
        match into.iter_mut().find(|c| c.failed == failed && c.column == column && c.before == other()) {
            Some(rest) => rest.rows += 1,
            None => into.push(ShapeChange {
                column: column.to_owned(),
                before: other(),
                after: other(),
                failed,
                rows: 1,
            }),
        }
    }
}

/// Tries a fix on rows of the latest finished run of this plan that are at hand; all of one table. Rows that had been
/// loaded before they waited have no source columns, and none are returned for them.
///
/// # Errors
/// No such run or table, a fix that is no expression over the table's source columns, and those of the stores.
pub async fn try_fix(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    table: &str,
    rows: &[QuarantinedRow],
    set: &[(String, String)],
) -> Result<Vec<Tried>> {
    let record = finished::latest(workspace, plan).await?;
    let silent = Arc::new(|_: Event<'_>| {});
    let opened = finished::open(workspace, plan, options, silent, record, Access::Read).await?;
    let Some(spec) = opened.run.resolved.specs.iter().find(|s| s.label == table) else {
        return Err(no_group());
    };
    let rows: Vec<&QuarantinedRow> = rows.iter().filter(|r| r.form != Form::Target).collect();
    Remap { run: &opened.run, spec, set }.tried(&rows)
}

/// The groups that wait for one reason, whatever the shape of their values: what a person decides on at once.
///
/// # Errors
/// No row waits for it, and those of the state.
pub async fn groups_of(
    workspace: &Workspace,
    table: &str,
    reason: &str,
    column: Option<&str>,
) -> Result<Vec<String>> {
    let filter = QuarantineFilter {
        table: Some(table.to_owned()),
        status: Some(QuarantineStatus::Waiting),
        ..QuarantineFilter::default()
    };
    let groups = workspace.state().quarantine_groups(&filter).await?;
    let fits = |c: &Option<String>| column.is_none() || c.as_deref() == column;
    let groups: Vec<String> =
        groups.into_iter().filter(|g| g.reason == reason && fits(&g.column)).map(|g| g.id).collect();
    if groups.is_empty() { Err(no_group()) } else { Ok(groups) }
}

pub(crate) fn no_group() -> MoveError {
    MoveError::Refused {
        code: "no-such-group",
        message: "no row in quarantine fits".to_owned(),
        help: "`dunlin quarantine list` names the groups that wait".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(before: &[&str], after: &[Option<&str>]) -> Tried {
        let text = |v: &&str| Some((*v).to_owned());
        Tried {
            column: "born".to_owned(),
            place: 0,
            made_of: Vec::new(),
            before: before.iter().map(text).collect(),
            after: after.iter().map(|v| v.map(str::to_owned)).collect(),
            failed: after.iter().map(Option::is_none).collect(),
        }
    }

    #[test]
    fn changes_are_counted_by_shape_over_chunks() {
        let mut shapes = Vec::new();
        count(&[tried(&["31/02/1980", "x"], &[Some("1980-02-28"), None])], &mut shapes);
        count(&[tried(&["30/02/1981"], &[Some("1981-02-28")])], &mut shapes);
        let lines: Vec<String> = shapes
            .iter()
            .map(|c| format!("{:?} {:?} {} {}", c.before.as_deref(), c.after.as_deref(), c.failed, c.rows))
            .collect();
        assert_eq!(lines, [r#"Some("99/99/9999") Some("9999-99-99") false 2"#, r#"Some("A") None true 1"#]);
    }

    #[test]
    fn shapes_without_end_stay_few() {
        let values: Vec<String> = (0..2000).map(|n| "1-".repeat(n % 300 + 1)).collect();
        let before: Vec<&str> = values.iter().map(String::as_str).collect();
        let after = vec![None; before.len()];
        let mut shapes = Vec::new();
        // Shapes end at 40 characters, so different columns make more of them.
        for column in 0..20 {
            let mut one = tried(&before, &after);
            one.column = format!("c{column}");
            count(&[one], &mut shapes);
        }
        assert!(shapes.len() <= SHAPES + 20);
        assert_eq!(shapes.iter().map(|c| c.rows).sum::<u64>(), 40_000);
    }
}
