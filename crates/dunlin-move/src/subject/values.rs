//! New values for single rows: a customer's correction, and what stands where a value was emptied. They are typed, fitted
//! and protected as a run would have done it.
//!
//! A correction acts *after* the mapping, on the target's columns: the customer speaks of what the new system holds, and
//! the mapping would change a corrected source value once more. So the source's hash stays what was read, and what is
//! expected of the target is what the corrected row hashes to.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::compute::interleave;
use dunlin_connect::{ColumnType, Reason};
use dunlin_store::{FragmentRef, Fragments};
use serde::{Deserialize, Serialize};

use super::links::TableLinks;
use crate::fit::fit;
use crate::protect::Protector;
use crate::spec::{Mapped, TableSpec};
use crate::{MoveError, Result};

/// What a customer wants to stand in a table. Customer data: kept sealed only, and it has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Correction {
    /// The table's label.
    pub(crate) table: String,
    /// Target columns and their new values; `None` is NULL.
    pub(crate) set: BTreeMap<String, Option<String>>,
}

/// Where a request's correction of a table lies.
const NAME: &str = "set";

impl Correction {
    /// Seals it.
    pub(crate) fn seal(&self, sealed: &Fragments, request: &str) -> Result<()> {
        let mut writer = sealed.create(request, &self.table, NAME)?;
        writer.push(&serde_json::to_vec(self).unwrap_or_default())?;
        writer.finish()?;
        Ok(())
    }

    /// Whether this is where a correction lies.
    pub(crate) fn is_at(at: &FragmentRef) -> bool {
        at.name == NAME
    }

    /// The corrections of a request, by table; none where they were shredded since.
    pub(crate) fn open(sealed: &Fragments, request: &str) -> Result<Vec<Correction>> {
        let mut found = Vec::new();
        for at in sealed.list(request)?.into_iter().filter(|at| at.name == NAME) {
            for payload in sealed.open(&at.run, &at.table, &at.name)? {
                found.extend(serde_json::from_slice::<Correction>(&payload?).ok());
            }
        }
        Ok(found)
    }

    /// Refuses columns that are not there, and values that do not fit.
    pub(crate) fn check(&self, spec: &TableSpec, protector: &Protector) -> Result<()> {
        for (column, value) in &self.set {
            let refused =
                |message: String, help: String| MoveError::Refused { code: "correction", message, help };
            let names: Vec<&str> = spec.mapping.columns.iter().map(|m| m.target.as_str()).collect();
            let Some(place) = names.iter().position(|n| n == column) else {
                let message = format!("{} has no column `{column}`", self.table);
                return Err(refused(message, crate::draft::nearest_name(column, &names)));
            };
            let mapped = &spec.mapping.columns[place];
            if spec.key.contains(&place) {
                let message = format!("`{column}` names the rows of {} and cannot be corrected", self.table);
                let help = "correct what the row holds; a row under another key is another row".to_owned();
                return Err(refused(message, help));
            }
            if mapped.protect == Some(dunlin_plan::Protect::Shift) {
                let message =
                    format!("the dates of `{column}` of {} are moved by a number of days", self.table);
                let help =
                    "correct the source and run again; a single new date would show how far".to_owned();
                return Err(refused(message, help));
            }
            let added_up = |totals: &crate::totals::TotalsSpec| {
                totals.period == Some(place) || totals.columns.iter().any(|c| c.target == place)
            };
            if spec.totals.as_ref().is_some_and(|totals| added_up(totals)) {
                let message =
                    format!("`{column}` of {} is added up on both sides: [table.totals]", self.table);
                let help =
                    "correct the source and run again: in the target alone the books would differ".to_owned();
                return Err(refused(message, help));
            }
            if value.is_none() && !mapped.nullable {
                let message = format!("`{column}` of {} takes no NULL", self.table);
                return Err(refused(message, "give it a value".to_owned()));
            }
            if let Some((_, reason)) = made(mapped, protector, &[value.as_deref()]).1.first() {
                let message =
                    format!("the new value does not fit `{column}` of {}: {}", self.table, reason.code());
                let help = "write it as the target does, for example a day as 2024-02-29".to_owned();
                return Err(refused(message, help));
            }
        }
        Ok(())
    }
}

/// Values for one target column, from their texts, and the rows whose value does not fit.
pub(crate) fn made(
    mapped: &Mapped,
    protector: &Protector,
    texts: &[Option<&str>],
) -> (ArrayRef, Vec<(usize, Reason)>) {
    let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let clear = fit(&texts, &ColumnType::TEXT, &mapped.clear_type);
    let mut problems = clear.problems;
    let Some(protect) = mapped.protect else { return (clear.array, problems) };
    let hidden = protector.apply(protect, mapped, &clear.array, None);
    let fitted = fit(&hidden, &ColumnType::TEXT, &mapped.load_type);
    problems.extend(fitted.problems);
    (fitted.array, problems)
}

/// A column with the values of `new` (one a row of `rows`) in the place of its own.
fn put(column: &ArrayRef, rows: &[usize], new: &ArrayRef) -> Result<ArrayRef> {
    let mut indices: Vec<(usize, usize)> = (0..column.len()).map(|row| (0, row)).collect();
    for (place, row) in rows.iter().enumerate() {
        indices[*row] = (1, place);
    }
    interleave(&[column.as_ref(), new.as_ref()], &indices).map_err(|_| crate::remap::engine("correct a row"))
}

/// Puts corrections into the mapped columns of some rows. Gives the columns, and the rows whose value does not fit.
pub(crate) fn corrected(
    columns: &mut [ArrayRef],
    spec: &TableSpec,
    protector: &Protector,
    rows: &[(usize, BTreeMap<String, Option<String>>)],
) -> Result<Vec<(usize, Reason, usize)>> {
    let mut misfits = Vec::new();
    for (place, mapped) in spec.mapping.columns.iter().enumerate() {
        let concerned = rows.iter().filter_map(|(row, set)| Some((*row, set.get(&mapped.target)?)));
        let (rows, texts): (Vec<usize>, Vec<Option<&str>>) =
            concerned.map(|(row, value)| (row, value.as_deref())).unzip();
        if rows.is_empty() {
            continue;
        }
        let (new, problems) = made(mapped, protector, &texts);
        columns[place] = put(&columns[place], &rows, &new)?;
        misfits.extend(problems.into_iter().map(|(i, reason)| (rows[i], reason, place)));
    }
    Ok(misfits)
}

/// Empties what is personal in some rows.
pub(crate) fn anonymised(
    columns: &mut [ArrayRef],
    spec: &TableSpec,
    links: &TableLinks,
    rows: &[usize],
) -> Result<()> {
    for (place, instead) in &links.blank {
        let mapped = &spec.mapping.columns[*place];
        let texts: ArrayRef = Arc::new(StringArray::from(vec![*instead; rows.len()]));
        let new = fit(&texts, &ColumnType::TEXT, &mapped.load_type).array;
        columns[*place] = put(&columns[*place], rows, &new)?;
    }
    Ok(())
}

/// One row of a batch as a batch of its own.
pub(crate) fn one_row(batch: &RecordBatch, row: usize) -> RecordBatch {
    batch.slice(row, 1)
}
