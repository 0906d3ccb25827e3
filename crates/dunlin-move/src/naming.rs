//! Names of tables and columns that the target would take for one another, cut, or not take at all: said before
//! anything is made. Each limit is the store's own, by its documentation.
//!
//! Not here: names that the plan's text itself gets wrong (`dunlin-plan`), and how a name is quoted (the stores).

use dunlin_connect::{Column, System};
use dunlin_plan::{Finding, Span};

use crate::Result;
use crate::spec::TableSpec;
use crate::stores::Stores;

/// PostgreSQL cuts a longer name, in bytes, and says so in a notice that nobody reads.
const POSTGRES_NAME: usize = 63;
/// The most columns of a PostgreSQL table.
const POSTGRES_COLUMNS: usize = 1_600;
/// The most columns of a SQLite table, less the one by which its rows are found again.
const SQLITE_COLUMNS: usize = 1_999;
/// Columns that every PostgreSQL table has.
const SYSTEM_COLUMNS: [&str; 6] = ["ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"];

const RULE: &str = "move-name";

/// What is wrong with the names of the tables that dunlin is to make.
///
/// # Errors
/// Stores that cannot be reached.
pub(crate) async fn findings(specs: &[TableSpec], stores: &Stores) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for (place, spec) in specs.iter().enumerate().filter(|(_, s)| s.created) {
        let store = stores.get(&spec.plan.to.store)?;
        let name = &spec.target.name.name;
        let mut tell = |message: String, help: &str| {
            found.push(Finding::error(RULE, spec.plan.span, message).help(help).in_table(&spec.label));
        };
        let columns = spec.target.columns.len();
        match store.system() {
            System::Sqlite => {
                let before = specs[..place].iter().filter(|s| s.plan.to.store == spec.plan.to.store);
                let before = before.map(|s| s.target.name.name.clone());
                let there = store.tables().await.unwrap_or_default().into_iter().map(|t| t.name);
                if let Some(other) = before.chain(there).find(|other| one(other, name)) {
                    tell(
                        format!("SQLite takes `{other}` and `{name}` for one table"),
                        "give one of them another name in `to`",
                    );
                }
                if columns == 0 {
                    tell("SQLite holds no table without columns".to_owned(), LEAVE);
                }
                if columns > SQLITE_COLUMNS {
                    tell(
                        format!("{columns} columns are more than SQLite reads at once ({SQLITE_COLUMNS})"),
                        SPLIT,
                    );
                }
            }
            System::Postgres => {
                if name.len() > POSTGRES_NAME {
                    tell(
                        format!("PostgreSQL would cut the name of `{name}` after {POSTGRES_NAME} bytes"),
                        SHORTER,
                    );
                }
                if columns > POSTGRES_COLUMNS {
                    tell(
                        format!("{columns} columns are more than PostgreSQL holds ({POSTGRES_COLUMNS})"),
                        SPLIT,
                    );
                }
            }
            System::Files if columns == 0 => tell("a file holds no rows without columns".to_owned(), LEAVE),
            System::Files => {}
        }
        // Tables that are taken over whole have their names from such a store.
        if !spec.carried {
            found.extend(column_findings(store.system(), spec));
        }
    }
    Ok(found)
}

const SHORTER: &str = "give it a shorter name in the plan";
const LEAVE: &str = "leave the table out of the plan";
const SPLIT: &str = "move some of them into a second table, or drop them in the plan";

/// Whether SQLite takes two different names for one: it folds the letters of ASCII and no others.
fn one(a: &str, b: &str) -> bool {
    a != b && a.eq_ignore_ascii_case(b)
}

fn column_findings(system: System, spec: &TableSpec) -> Vec<Finding> {
    let columns = &spec.target.columns;
    columns
        .iter()
        .enumerate()
        .filter_map(|(place, column)| {
            let (message, help) = wrong(system, column, &columns[..place])?;
            let finding = Finding::error(RULE, span(spec, &column.name), message).help(help);
            Some(finding.in_table(&spec.label).in_column(&column.name))
        })
        .collect()
}

/// What is wrong with the name of a column, held against those before it.
fn wrong(system: System, column: &Column, before: &[Column]) -> Option<(String, &'static str)> {
    let name = &column.name;
    let other = "give it another name in the plan";
    match system {
        System::Sqlite => {
            let first = before.iter().find(|b| one(&b.name, name))?;
            Some((format!("SQLite takes `{}` and `{name}` for one column", first.name), other))
        }
        System::Postgres if name.len() > POSTGRES_NAME => {
            Some((format!("PostgreSQL would cut the name of `{name}` after {POSTGRES_NAME} bytes"), SHORTER))
        }
        System::Postgres if SYSTEM_COLUMNS.contains(&name.as_str()) => {
            Some((format!("every PostgreSQL table has a column `{name}` of its own"), other))
        }
        System::Postgres if name.is_empty() => {
            Some(("PostgreSQL takes no column without a name".to_owned(), other))
        }
        System::Postgres | System::Files => None,
    }
}

/// Where the plan names a column, or its table.
fn span(spec: &TableSpec, column: &str) -> Span {
    spec.plan.columns.iter().find(|c| c.target == column).map_or(spec.plan.span, |c| c.span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_folds_ascii_alone() {
        assert!(one("Name", "NAME") && !one("name", "name") && !one("É", "é") && !one("a", "b"));
    }
}
