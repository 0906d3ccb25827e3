//! What crosswalks mean for the rows of one table: its own losers and survivors, and the columns by which its rows refer
//! to losers of other tables.
//!
//! A table refers to another by a foreign key of its target, by one of its source whose columns are taken over, or by the
//! plan's `subject`. Not here: acting on rows ([`crate::exec::merge`]).

use std::collections::HashMap;
use std::sync::Arc;

use dunlin_connect::ForeignKey;

use super::Crosswalk;
use crate::relate::taken_over;
use crate::run::Run;
use crate::spec::TableSpec;

/// Columns by which rows of one table refer to rows of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The label of the table that is referred to.
    pub(crate) parent: String,
    /// The columns, by their positions among the mapped ones.
    pub(crate) columns: Vec<usize>,
    /// What they refer to, by positions among the parent's mapped columns.
    pub(crate) parent_columns: Vec<usize>,
}

/// References whose values change.
pub(crate) struct Moved {
    /// The columns, by their positions among the mapped ones.
    pub(crate) columns: Vec<usize>,
    /// The values of a loser, and those of its survivor.
    pub(crate) values: HashMap<Vec<String>, Vec<String>>,
}

/// What is done with the rows of one table.
pub(crate) struct TableMerges {
    /// The table's own crosswalk.
    pub(crate) own: Option<Arc<Crosswalk>>,
    /// References that move.
    pub(crate) moved: Vec<Moved>,
    /// What all this follows from, hex: receipts name it.
    pub(crate) hash: String,
}

impl TableMerges {
    /// All crosswalks that concern a table; `None` where none does.
    pub(crate) fn of(run: &Run<'_>, spec: &TableSpec) -> Option<Self> {
        Self::with(run, spec, run.crosswalks.of(&spec.label))
    }

    /// Those of the tables that it refers to, itself left out.
    pub(crate) fn of_parents(run: &Run<'_>, spec: &TableSpec) -> Option<Self> {
        Self::with(run, spec, None)
    }

    fn with(run: &Run<'_>, spec: &TableSpec, own: Option<Arc<Crosswalk>>) -> Option<Self> {
        let mut hasher = blake3::Hasher::new();
        let mut name = |label: &str, crosswalk: &Crosswalk| {
            hasher.update(&(label.len() as u64).to_le_bytes());
            hasher.update(label.as_bytes());
            hasher.update(crosswalk.hash.as_bytes());
        };
        own.iter().for_each(|crosswalk| name(&spec.label, crosswalk));
        let mut moved = Vec::new();
        for link in links(run, spec) {
            let found = match &own {
                Some(own) if link.parent == spec.label => Some(own.clone()),
                None if link.parent == spec.label => None,
                _ => run.crosswalks.of(&link.parent),
            };
            let Some(crosswalk) = found else { continue };
            name(&link.parent, &crosswalk);
            let values = crosswalk.moved(&link.parent_columns);
            if !values.is_empty() {
                moved.push(Moved { columns: link.columns, values });
            }
        }
        if own.is_none() && moved.is_empty() {
            return None;
        }
        let hash = hasher.finalize().to_hex().to_string();
        Some(Self { own, moved, hash })
    }
}

/// How a table refers to others of the plan.
pub(crate) fn links(run: &Run<'_>, spec: &TableSpec) -> Vec<Reference> {
    let mut found: Vec<Reference> = Vec::new();
    let mut add = |parent: &TableSpec, columns: &[String], parent_columns: &[String]| {
        let (Some(columns), Some(parent_columns)) = (places(spec, columns), places(parent, parent_columns))
        else {
            return;
        };
        let reference = Reference { parent: parent.label.clone(), columns, parent_columns };
        if !found.contains(&reference) {
            found.push(reference);
        }
    };
    for parent in &run.resolved.specs {
        for key in &spec.target.foreign_keys {
            if spec.plan.to.store == parent.plan.to.store && names(key, &parent.target.name) {
                add(parent, &key.columns, &key.parent_columns);
            }
        }
        for key in &spec.source.foreign_keys {
            if spec.plan.from.store == parent.plan.from.store
                && names(key, &parent.source.name)
                && let Some(columns) = taken_over(spec, &key.columns)
                && let Some(parent_columns) = taken_over(parent, &key.parent_columns)
            {
                add(parent, &columns, &parent_columns);
            }
        }
        if let (Some(name), Some(subject)) = (&spec.plan.subject, &run.plan.subject)
            && subject.table == parent.plan.to
        {
            let column = match places(spec, std::slice::from_ref(name)) {
                Some(_) => Some(vec![name.clone()]),
                None => taken_over(spec, std::slice::from_ref(name)),
            };
            if let Some(column) = column {
                add(parent, &column, std::slice::from_ref(&subject.id));
            }
        }
    }
    found
}

fn places(spec: &TableSpec, columns: &[String]) -> Option<Vec<usize>> {
    let place = |name: &String| spec.mapping.columns.iter().position(|m| m.target == *name);
    columns.iter().map(place).collect()
}

fn names(key: &ForeignKey, table: &dunlin_connect::TableName) -> bool {
    key.parent.name == table.name
        && match (&key.parent.schema, &table.schema) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        }
}
