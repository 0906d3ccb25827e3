//! Rows of a split that wait for a person: those that an earlier stage has marked, and those that the target refused.

use std::sync::atomic::Ordering;

use arrow::array::RecordBatch;
use dunlin_connect::{ColumnType, Refused};

use super::load::broken;
use super::split::{Pending, Rows, SplitLoad};
use crate::accounting::Disposition;
use crate::batch::{Lead, fate};
use crate::quarantine::{Form, InWire, QuarantinedRow, rows_as_text, shape, unpack_fields};
use crate::{MoveError, Result};

impl SplitLoad {
    /// Counts a row that does not move, by why.
    pub(super) fn count_reason(&mut self, reason: &str) {
        match self.receipt.reasons.get_mut(reason) {
            Some(rows) => *rows += 1,
            None => {
                self.receipt.reasons.insert(reason.to_owned(), 1);
            }
        }
    }

    /// Quarantines the rows that are marked so. Without `source` they are all rows that could not be read.
    pub(super) fn quarantine_marked(&mut self, source: Option<&RecordBatch>, lead: &Lead) -> Result<()> {
        let rows: Vec<usize> =
            (0..lead.fates.len()).filter(|row| lead.fates[*row] == fate::QUARANTINED).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let mut texts = match source {
            Some(source) => rows_as_text(source, self.read_types(), &rows),
            None => Vec::new(),
        }
        .into_iter();
        for row in rows {
            let fields = texts.next().unwrap_or_default();
            let column = lead.column(row).map(str::to_owned);
            let (form, fields) = match lead.raw(row) {
                Some(packed) => {
                    let raw = unpack_fields(packed).into_iter().map(|f| f.map(hex::encode)).collect();
                    (Form::Raw, raw)
                }
                None => (Form::Source, fields),
            };
            let mut entry = QuarantinedRow {
                split: self.split,
                position: lead.positions[row],
                byte: lead.byte(row),
                reason: lead.reason(row).unwrap_or_default().to_owned(),
                column,
                constraint: None,
                pattern: None,
                form,
                fields,
                wire: None,
                source: lead.hashes[row],
            };
            entry.pattern = self.pattern(&entry);
            self.quarantine(&entry)?;
        }
        Ok(())
    }

    fn read_types(&self) -> &[ColumnType] {
        &self.spec.mapping.input_types[..self.spec.read.len()]
    }

    /// The shape of the source value behind the column at fault, where one column stands behind it.
    fn pattern(&self, row: &QuarantinedRow) -> Option<String> {
        let column = row.column.as_deref()?;
        let mapped = self.spec.mapping.columns.iter().find(|m| m.target == column);
        let index = match row.form {
            Form::Raw => self.spec.mapping.read_schema.index_of(column).ok()?,
            _ => {
                mapped.and_then(|m| m.from).or_else(|| self.spec.mapping.read_schema.index_of(column).ok())?
            }
        };
        let field = row.fields.get(index)?.as_deref()?;
        match row.form {
            Form::Raw => Some(shape(&String::from_utf8_lossy(&hex::decode(field).ok()?))),
            _ => Some(shape(field)),
        }
    }

    fn quarantine(&mut self, row: &QuarantinedRow) -> Result<()> {
        if self.fragment.is_none() && self.context.target.is_some() {
            let (run, table) = (&self.context.run, &self.spec.label);
            self.fragment = Some(self.context.fragments.create(run, table, &self.split.to_string())?);
        }
        if let Some(fragment) = &mut self.fragment {
            fragment.push(&row.pack())?;
        }
        self.receipt.dispositions.of(Disposition::Quarantined).add(row.source);
        self.count_reason(&row.reason);
        let so_far = self.context.quarantined.fetch_add(1, Ordering::Relaxed) + 1;
        match self.context.quarantine_max {
            Some(max) if so_far > max => {
                let message =
                    format!("more than {max} rows went to quarantine, the limit of --max-quarantine");
                Err(MoveError::Stopped { message })
            }
            _ => Ok(()),
        }
    }

    /// Quarantines a row that the target would not take.
    pub(super) fn refuse(&mut self, pending: &Pending, row: usize, refusal: &Refused) -> Result<()> {
        let (fields, wire) = match (&pending.rows, &self.untouched) {
            (Rows::Mapped(source), _) => {
                (rows_as_text(source, self.read_types(), &[row]).pop().unwrap_or_default(), None)
            }
            (Rows::Untouched(rows), Some(way)) => {
                let bytes = rows.value(row);
                let told = way.decode(bytes)?;
                // What its text does not say, its bytes do: it can still be released as it is.
                let wire = (!told.exact).then(|| InWire::new(bytes, pending.names[row]));
                (told.fields, wire)
            }
            (Rows::Untouched(_), None) => return Err(broken("rows in the bytes of the wire arrived mapped")),
        };
        let mut entry = QuarantinedRow {
            split: self.split,
            position: pending.positions[row],
            byte: None,
            reason: refusal.reason.code().to_owned(),
            column: refusal.column.clone(),
            constraint: refusal.constraint.clone(),
            pattern: None,
            form: Form::Source,
            fields,
            wire,
            source: pending.hashes[row],
        };
        entry.pattern = self.pattern(&entry);
        self.quarantine(&entry)
    }
}
