//! A quarantined row mapped again: from its kept source form, after a person's fix if there is one, to the target's
//! columns, by the stages that a run uses.
//!
//! Not here: which rows, and what becomes of those that pass ([`crate::decide`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use dunlin_connect::{ColumnType, Reason, array_to_text, text_to_array};
use dunlin_quality::{Compiler, evaluate_rows};

use crate::batch::{Lead, body, fate, lead, with_lead};
use crate::exec::enrich::widen;
use crate::exec::map::MapStage;
use crate::fit::{fit, natural_type, normalise};
use crate::pipeline::Pipeline;
use crate::quarantine::{Form, QuarantinedRow};
use crate::run::Run;
use crate::spec::TableSpec;
use crate::subject::stage::Acting;
use crate::totals::RowAmounts;
use crate::tried::Tried;
use crate::{MoveError, Result};

/// The mapping of a table's quarantined rows.
pub(crate) struct Remap<'a> {
    pub(crate) run: &'a Run<'a>,
    pub(crate) spec: &'a Arc<TableSpec>,
    /// Source columns and the SQL that a person sets them by; empty for none.
    pub(crate) set: &'a [(String, String)],
}

impl Remap<'_> {
    /// Maps rows in source or raw form again, after the fix.
    pub(crate) async fn map(&self, rows: &[&QuarantinedRow]) -> Result<(RecordBatch, Lead)> {
        let (batch, lead, _) = self.map_and_add_up(rows).await?;
        Ok((batch, lead))
    }

    /// As [`Remap::map`], with what the plan adds up of these rows: the source's amounts after the fix.
    pub(crate) async fn map_and_add_up(
        &self,
        rows: &[&QuarantinedRow],
    ) -> Result<(RecordBatch, Lead, Option<RowAmounts>)> {
        let reader = self.run.source(self.spec)?.reader().await?;
        let pipeline: Pipeline = self.run.pipeline(self.spec, &reader).await?;
        let mapping = &self.spec.mapping;
        let mut marks = Lead::alive(
            0,
            rows.iter().map(|r| r.position).collect(),
            rows.iter().map(|r| r.source).collect(),
        );
        let (mut columns, unread) = self.source_columns(rows);
        self.fix(&mut columns, &mut marks)?;
        let fixed: Vec<&str> = self.set.iter().map(|(column, _)| column.as_str()).collect();
        for (column, rows) in unread.iter().enumerate() {
            if !fixed.contains(&mapping.read_schema.field(column).name().as_str()) {
                for (row, reason) in rows {
                    let name = mapping.read_schema.field(column).name();
                    marks.end(*row, fate::QUARANTINED, reason.code().to_owned(), Some(name));
                }
            }
        }
        let mut arrays = marks.arrays();
        arrays.extend(columns);
        let schema = with_lead(&mapping.read_schema);
        let mut batch = RecordBatch::try_new(schema, arrays).map_err(|_| engine("rebuild a source row"))?;
        if !pipeline.lookups.is_empty() {
            batch = widen(&batch, self.spec, &pipeline.lookups, &with_lead(&mapping.input_schema))?;
        }
        let stage = MapStage {
            mapping: mapping.clone(),
            rules: self.spec.rules.clone(),
            protector: self.run.protector.clone(),
            shown: Arc::default(),
            customers: pipeline.customers.clone(),
        };
        let mut out = stage.apply(&batch);
        if let Some(merges) = &pipeline.merges {
            out = crate::exec::merge::apply(merges, self.spec, &self.run.key, out)?;
        }
        if let Some(subjects) = &self.run.subjects {
            let (spec, protector) = (self.spec.clone(), self.run.protector.clone());
            let acting = Acting { subjects: subjects.clone(), spec, protector };
            let asked = subjects.asked().await?;
            let (acted, marks) = acting.apply(&asked, out)?;
            subjects.remember(&marks).await?;
            out = acted;
        }
        let reads = self.spec.read.len();
        let rows = body(&out, reads, out.num_columns() - lead::COUNT);
        let rows = RecordBatch::try_new(mapping.target_schema.clone(), rows.columns().to_vec());
        let rows = rows.map_err(|_| engine("map a row again"))?;
        let amounts = self.spec.totals.as_ref().map(|asked| asked.in_source(&body(&out, 0, reads), &rows));
        Ok((rows, Lead::of(&out), amounts))
    }

    /// What the fix alone makes of the columns that it sets, row by row, as text.
    pub(crate) fn tried(&self, rows: &[&QuarantinedRow]) -> Result<Vec<Tried>> {
        let (mut columns, _) = self.source_columns(rows);
        let texts = self.texts(rows);
        let nothing = vec![Default::default(); rows.len()];
        let mut marks = Lead::alive(0, vec![0; rows.len()], nothing);
        let mut made_of = self.fix(&mut columns, &mut marks)?;
        let mut tried: Vec<Tried> = Vec::new();
        for (column, _) in self.set {
            let Ok(place) = self.spec.mapping.read_schema.index_of(column) else { continue };
            // The same column set twice is one change.
            if tried.iter().any(|t| t.column == *column) {
                continue;
            }
            let before = texts.iter().map(|row| row.get(place).cloned().flatten()).collect();
            let mut after = array_to_text(&columns[place], &self.spec.mapping.input_types[place]);
            let ended = |row| marks.fates[row] != fate::ALIVE && marks.column(row) == Some(column);
            let failed: Vec<bool> = (0..rows.len()).map(ended).collect();
            for (value, _) in after.iter_mut().zip(&failed).filter(|(_, failed)| **failed) {
                *value = None;
            }
            let made_of = made_of.remove(&place).unwrap_or_default().into_iter().collect();
            tried.push(Tried { column: column.clone(), place, made_of, before, after, failed });
        }
        Ok(tried)
    }

    /// The values of rows as they are kept.
    fn texts(&self, rows: &[&QuarantinedRow]) -> Vec<Vec<Option<String>>> {
        let lossy = |b: Vec<u8>| String::from_utf8_lossy(&b).into_owned();
        let text = |row: &&QuarantinedRow| match row.form {
            Form::Raw => row.raw_fields().into_iter().map(|f| f.map(lossy)).collect(),
            _ => row.fields.clone(),
        };
        rows.iter().map(text).collect()
    }

    /// The read columns of rows from their texts, and which could still not be read, a list a column.
    fn source_columns(&self, rows: &[&QuarantinedRow]) -> (Vec<ArrayRef>, Vec<Vec<(usize, Reason)>>) {
        let texts = self.texts(rows);
        let width = self.spec.read.len();
        let mut columns = Vec::with_capacity(width);
        let mut unread = Vec::with_capacity(width);
        for (place, ty) in self.spec.mapping.input_types[..width].iter().enumerate() {
            let values: Vec<Option<&str>> =
                texts.iter().map(|row| row.get(place).and_then(|v| v.as_deref())).collect();
            let (array, mut problems) = text_to_array(&values, ty);
            for (row, waiting) in rows.iter().enumerate() {
                let bad = waiting.form == Form::Raw
                    && waiting.column.as_deref() == Some(self.spec.mapping.read_schema.field(place).name());
                let whole = waiting.form == Form::Raw && texts[row].len() != width;
                if (bad || whole) && !problems.iter().any(|(r, _)| *r == row) {
                    let reason = Reason::from_code(&waiting.reason);
                    problems.push((row, reason.unwrap_or(Reason::Malformed)));
                }
            }
            columns.push(array);
            unread.push(problems);
        }
        (columns, unread)
    }

    /// Sets columns by the fix. Gives, by the places of the columns that are set, which columns their values are made of.
    fn fix(&self, columns: &mut [ArrayRef], marks: &mut Lead) -> Result<BTreeMap<usize, BTreeSet<usize>>> {
        let mut made_of: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        if self.set.is_empty() {
            return Ok(made_of);
        }
        let schema = self.spec.mapping.read_schema.clone();
        let batch = RecordBatch::try_new(schema.clone(), columns.to_vec())
            .map_err(|_| engine("rebuild a source row"))?;
        for (column, sql) in self.set {
            let place = schema.index_of(column).map_err(|_| {
                let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
                MoveError::Refused {
                    code: "fix-column",
                    message: format!("{} reads no source column `{column}`", self.spec.label),
                    help: crate::draft::nearest_name(column, &names),
                }
            })?;
            let compiled =
                Compiler::new(schema.clone(), dunlin_store::now_us()).compile(sql).map_err(|e| {
                    let help = e.help.clone().unwrap_or_else(|| "write SQL over source columns".to_owned());
                    MoveError::Refused {
                        code: "fix-expression",
                        message: format!("--set {column}: {}", e.message),
                        help,
                    }
                })?;
            made_of.entry(place).or_default().extend(compiled.columns.iter().copied());
            let result = evaluate_rows(&compiled, &batch);
            let from = natural_type(result.array.data_type()).unwrap_or(ColumnType::TEXT);
            let fitted = fit(&normalise(&result.array).array, &from, &self.spec.mapping.input_types[place]);
            let failed = result.failed.iter().map(|row| (*row, Reason::ExpressionFailed));
            for (row, reason) in failed.chain(fitted.problems) {
                marks.end(row, fate::QUARANTINED, reason.code().to_owned(), Some(column));
            }
            columns[place] = fitted.array;
        }
        Ok(made_of)
    }
}

/// Rows in target form as a batch of the mapped columns.
pub(crate) fn target_batch(spec: &TableSpec, rows: &[&[Option<String>]]) -> Result<RecordBatch> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(spec.mapping.columns.len());
    for (place, column) in spec.mapping.columns.iter().enumerate() {
        let texts: Vec<Option<&str>> =
            rows.iter().map(|row| row.get(place).and_then(|v| v.as_deref())).collect();
        let (array, problems) = text_to_array(&texts, &column.load_type);
        if !problems.is_empty() {
            return Err(engine("read a quarantined row"));
        }
        debug_assert_eq!(array.len(), rows.len());
        columns.push(array);
    }
    RecordBatch::try_new(spec.mapping.target_schema.clone(), columns)
        .map_err(|_| engine("read a quarantined row"))
}

pub(crate) fn engine(act: &str) -> MoveError {
    MoveError::Engine { act: act.to_owned(), code: "schema".to_owned() }
}
