//! What must hold of all rows of a table together, once they are loaded.

use std::fmt;

use serde::Serialize;

use crate::finding::Span;
use crate::table_ref::TableRef;
use crate::vocabulary::Otherwise;

/// A rule on the rows of a table together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetPlan {
    /// Its name, unique among the rules of the table.
    pub name: String,
    /// What must hold.
    #[serde(flatten)]
    pub rule: SetRule,
    /// What happens where it does not: quarantine (for rows that can be told), stop or warn.
    pub otherwise: Otherwise,
    /// Where the plan names it.
    #[serde(skip)]
    pub span: Span,
}

/// What must hold. Columns are target columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SetRule {
    /// These values together stand in one row only; rows in which one is NULL are left out.
    Unique {
        /// The columns.
        unique: Vec<String>,
    },
    /// These values stand in a row of another table; rows in which one is NULL are left out.
    Refers {
        /// The columns.
        refers: Vec<String>,
        /// The other table, in the same store.
        to: TableRef,
        /// Its columns, in the same order.
        key: Vec<String>,
    },
    /// A column adds up to this.
    Sum {
        /// The column.
        sum: String,
        /// A decimal text.
        equals: String,
    },
    /// The table has so many rows.
    Count {
        /// Not fewer.
        #[serde(skip_serializing_if = "Option::is_none")]
        at_least: Option<u64>,
        /// Not more.
        #[serde(skip_serializing_if = "Option::is_none")]
        at_most: Option<u64>,
    },
}

impl SetRule {
    /// The columns of the table that it reads.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            SetRule::Unique { unique } => unique.iter().map(String::as_str).collect(),
            SetRule::Refers { refers, .. } => refers.iter().map(String::as_str).collect(),
            SetRule::Sum { sum, .. } => vec![sum],
            SetRule::Count { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for SetRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetRule::Unique { unique } => write!(f, "unique({})", unique.join(", ")),
            SetRule::Refers { refers, to, key } => {
                write!(f, "({}) in {to}({})", refers.join(", "), key.join(", "))
            }
            SetRule::Sum { sum, equals } => write!(f, "sum({sum}) = {equals}"),
            SetRule::Count { at_least, at_most } => match (at_least, at_most) {
                (Some(least), Some(most)) => write!(f, "{least} to {most} rows"),
                (Some(least), None) => write!(f, "at least {least} rows"),
                (None, Some(most)) => write!(f, "at most {most} rows"),
                (None, None) => f.write_str("any number of rows"),
            },
        }
    }
}
