//! What has changed in a source since it was last profiled, and what of the plan does not fit it any more: columns that
//! came, went or changed their type, kinds that are others, shares of values that moved. Counts and names, no value.
//!
//! Not here: when a profile is kept, and which one is held against the newest.

use serde::{Deserialize, Serialize};

use super::ColumnProfile;

/// A share has moved when it is farther from what it was than this.
const SHARE_MOVED: f64 = 0.05;
/// The share of rows with one finding has moved when it is farther than this.
const FINDING_MOVED: f64 = 0.02;
/// Of fewer rows than this no share is told: one row more or less moves it.
const ROWS_MIN: u64 = 50;
/// A guess counts from this confidence on.
const SURE: f64 = 0.7;

/// What of a column's profile is kept to be compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptColumn {
    /// The column.
    pub column: String,
    /// Its type.
    pub ty: String,
    /// All rows.
    pub rows: u64,
    /// Rows that are NULL.
    pub nulls: u64,
    /// Rows that stand for "unknown".
    pub unknowns: u64,
    /// The kind, where it was sure.
    pub kind: Option<String>,
    /// Rows by finding.
    pub findings: std::collections::BTreeMap<String, u64>,
}

impl KeptColumn {
    /// What is kept of a profile.
    pub fn of(column: &ColumnProfile) -> Self {
        let sure = column.confidence.is_some_and(|c| c >= SURE);
        Self {
            column: column.column.clone(),
            ty: column.ty.clone(),
            rows: column.rows,
            nulls: column.nulls,
            unknowns: column.unknowns,
            kind: column.kind.clone().filter(|_| sure),
            findings: column.findings.iter().map(|f| (f.code.clone(), f.rows)).collect(),
        }
    }
}

/// Something about a column that is not as it was, or not as the plan has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// A stable code: `column-gone`, `column-new`, `type-changed`, `kind-changed`, `share-moved`, `plan-column-gone`,
    /// `plan-column-without-fate`, `plan-kind`.
    pub drift: String,
    /// What it is, in words.
    pub message: String,
}

impl Drift {
    fn new(table: &str, column: &str, drift: &str, message: String) -> Self {
        Self { table: table.to_owned(), column: column.to_owned(), drift: drift.to_owned(), message }
    }
}

/// What has changed since a profile was kept.
pub fn drift(table: &str, before: &[KeptColumn], now: &[KeptColumn]) -> Vec<Drift> {
    let mut found = Vec::new();
    for was in before {
        let Some(is) = now.iter().find(|is| is.column == was.column) else {
            found.push(Drift::new(table, &was.column, "column-gone", "the column is gone".to_owned()));
            continue;
        };
        if was.ty != is.ty {
            let message = format!("the type was {} and is {}", was.ty, is.ty);
            found.push(Drift::new(table, &is.column, "type-changed", message));
        }
        if was.kind != is.kind {
            let word = |kind: &Option<String>| kind.clone().unwrap_or_else(|| "none".to_owned());
            let message =
                format!("the values looked like {} and look like {}", word(&was.kind), word(&is.kind));
            found.push(Drift::new(table, &is.column, "kind-changed", message));
        }
        found.extend(shares(table, was, is));
    }
    for is in now.iter().filter(|is| !before.iter().any(|was| was.column == is.column)) {
        found.push(Drift::new(table, &is.column, "column-new", "the column is new".to_owned()));
    }
    found
}

fn shares(table: &str, was: &KeptColumn, is: &KeptColumn) -> Vec<Drift> {
    if was.rows < ROWS_MIN || is.rows < ROWS_MIN {
        return Vec::new();
    }
    let share = |rows: u64, of: &KeptColumn| rows as f64 / of.rows as f64;
    let moved = |what: &str, before: u64, after: u64, far: f64| {
        let (before, after) = (share(before, was), share(after, is));
        let message =
            format!("{what}: {:.1} % of the rows before, {:.1} % now", before * 100.0, after * 100.0);
        ((after - before).abs() > far).then(|| Drift::new(table, &is.column, "share-moved", message))
    };
    let mut found: Vec<Drift> = Vec::new();
    found.extend(moved("empty", was.nulls, is.nulls, SHARE_MOVED));
    found.extend(moved("standing for unknown", was.unknowns, is.unknowns, SHARE_MOVED));
    let codes: std::collections::BTreeSet<&String> = was.findings.keys().chain(is.findings.keys()).collect();
    for code in codes {
        let rows = |of: &KeptColumn| of.findings.get(code).copied().unwrap_or_default();
        found.extend(moved(&code.replace('-', " "), rows(was), rows(is), FINDING_MOVED));
    }
    found
}

/// A source column that the plan takes something from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedColumn {
    /// The source column.
    pub column: String,
    /// The kind that the plan states for what is made of it alone.
    pub kind: Option<String>,
}

/// What of a plan does not fit its source: `planned` are the source columns that it names, `every` says that each source
/// column must be among them.
pub fn against_plan(table: &str, planned: &[PlannedColumn], every: bool, now: &[KeptColumn]) -> Vec<Drift> {
    let mut found = Vec::new();
    for plan in planned {
        match now.iter().find(|is| is.column == plan.column) {
            None => {
                let message = "the plan names the column, and the source does not have it".to_owned();
                found.push(Drift::new(table, &plan.column, "plan-column-gone", message));
            }
            Some(is) => {
                if let (Some(stated), Some(seen)) = (&plan.kind, &is.kind)
                    && stated != seen
                    && stated != "none"
                {
                    let message = format!("the plan says {stated}, and the values look like {seen}");
                    found.push(Drift::new(table, &is.column, "plan-kind", message));
                }
            }
        }
    }
    for is in now.iter().filter(|is| every && !planned.iter().any(|plan| plan.column == is.column)) {
        let message = "the plan neither maps nor drops the column".to_owned();
        found.push(Drift::new(table, &is.column, "plan-column-without-fate", message));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    fn column(name: &str, ty: &str, nulls: u64, kind: Option<&str>) -> KeptColumn {
        KeptColumn {
            column: name.into(),
            ty: ty.into(),
            rows: 1_000,
            nulls,
            unknowns: 0,
            kind: kind.map(str::to_owned),
            findings: Default::default(),
        }
    }

    fn codes(found: &[Drift]) -> Vec<String> {
        found.iter().map(|d| format!("{} {}", d.column, d.drift)).collect()
    }

    #[test]
    fn what_came_went_or_moved_is_told_and_what_stayed_is_not() {
        let before = [
            column("id", "int64", 0, None),
            column("mail", "text", 100, Some("email")),
            column("fax", "text", 900, Some("phone")),
            column("born", "text", 10, Some("birth_date")),
        ];
        let now = [
            column("id", "int64", 0, None),
            column("mail", "text", 400, Some("email")),
            column("born", "date", 20, Some("birth_date")),
            column("vip", "boolean", 0, None),
        ];
        let found = drift("t", &before, &now);
        assert_eq!(
            codes(&found),
            ["mail share-moved", "fax column-gone", "born type-changed", "vip column-new"]
        );
        assert_eq!(found[0].message, "empty: 10.0 % of the rows before, 40.0 % now");
        assert_eq!(drift("t", &now, &now), []);
    }

    #[test]
    fn mistakes_that_became_more_are_told_and_few_rows_say_nothing() {
        let mut before = column("phone", "text", 0, Some("phone"));
        let mut now = before.clone();
        now.findings.insert("misfit".into(), 100);
        assert_eq!(codes(&drift("t", from_ref(&before), from_ref(&now))), ["phone share-moved"]);
        (before.rows, now.rows) = (20, 20);
        now.findings.insert("misfit".into(), 2);
        assert_eq!(drift("t", &[before], &[now]), []);
    }

    #[test]
    fn the_plan_is_held_against_what_is_there() {
        let plan = |column: &str, kind: Option<&str>| PlannedColumn {
            column: column.into(),
            kind: kind.map(str::to_owned),
        };
        let planned = [plan("mail", Some("phone")), plan("gone", None), plan("note", Some("none"))];
        let now = [
            column("mail", "text", 0, Some("email")),
            column("note", "text", 0, Some("email")),
            column("new", "text", 0, None),
        ];
        let found = against_plan("t", &planned, true, &now);
        assert_eq!(
            codes(&found),
            ["mail plan-kind", "gone plan-column-gone", "new plan-column-without-fate"]
        );
        assert_eq!(
            codes(&against_plan("t", &planned, false, &now)),
            ["mail plan-kind", "gone plan-column-gone"]
        );
    }
}
