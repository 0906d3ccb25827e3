//! The plan's row rules on the mapped row. A rule whose check gives NULL passes, as a SQL CHECK does.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;
use dunlin_connect::{ColumnType, Reason};
use dunlin_plan::Otherwise;
use dunlin_quality::packs::NativeCheck;
use dunlin_quality::{Compiled, evaluate_rows};

use crate::batch::{Lead, fate};
use crate::fit::{fit, natural_type, normalise};

/// What must hold of a row.
pub enum RuleCheck {
    /// SQL.
    Sql(Compiled),
    /// A check of a pack that SQL cannot say, at the moment the run began (microseconds since 1970 UTC).
    Native(NativeCheck, i64),
    /// A moment of this column has no digits of a second beyond so many: its target would round them away.
    Digits(usize, u8),
}

impl RuleCheck {
    fn expression(&self) -> Option<&Arc<dyn PhysicalExpr>> {
        match self {
            RuleCheck::Sql(compiled) => Some(&compiled.expr),
            RuleCheck::Native(..) | RuleCheck::Digits(..) => None,
        }
    }
}

/// One rule, compiled against the mapped row.
pub struct Rule {
    /// Its name in the plan.
    pub name: String,
    /// What must hold.
    pub check: RuleCheck,
    /// What happens otherwise.
    pub otherwise: Otherwise,
    /// For `fix`: the column and its mended value.
    pub fix: Vec<(usize, Compiled)>,
    /// The column told when the rule reads exactly one.
    pub column: Option<String>,
}

/// The rules of a table. At most 64: a row carries one bit a rule.
pub struct Rules {
    /// The rules in the plan's order.
    pub rules: Vec<Rule>,
    /// The mapped row in the clear: what rules read.
    pub schema: SchemaRef,
    /// The column types of that row.
    pub types: Vec<ColumnType>,
}

impl Rules {
    /// The engine's expressions of all rules.
    pub fn expressions(&self) -> impl Iterator<Item = &Arc<dyn PhysicalExpr>> {
        self.rules
            .iter()
            .flat_map(|r| r.check.expression().into_iter().chain(r.fix.iter().map(|(_, c)| &c.expr)))
    }

    /// Holds every row against every rule; may mend `columns`.
    pub fn apply(&self, columns: &mut [ArrayRef], lead: &mut Lead) {
        for (bit, rule) in self.rules.iter().enumerate() {
            let failing = self.failing(rule, columns, lead);
            if failing.is_empty() {
                continue;
            }
            if rule.otherwise == Otherwise::Fix {
                self.mend(rule, columns, &failing, lead);
                let still = self.failing(rule, columns, lead);
                end_rows(rule, fate::QUARANTINED, &still, lead);
                let mended: Vec<usize> = failing
                    .iter()
                    .map(|(row, _)| *row)
                    .filter(|row| lead.fates[*row] == fate::ALIVE)
                    .collect();
                mended.into_iter().for_each(|row| lead.noted[row] |= 1 << bit);
                continue;
            }
            match rule.otherwise {
                Otherwise::Warn => failing.iter().for_each(|(row, _)| lead.noted[*row] |= 1 << bit),
                Otherwise::Exclude => end_rows(rule, fate::EXCLUDED, &failing, lead),
                Otherwise::Stop => end_rows(rule, fate::STOPPED, &failing, lead),
                Otherwise::Quarantine | Otherwise::Fix => end_rows(rule, fate::QUARANTINED, &failing, lead),
            }
        }
    }

    fn batch(&self, columns: &[ArrayRef]) -> RecordBatch {
        #[expect(clippy::expect_used, reason = "the columns have the clear types of the mapping by `fit`")]
        RecordBatch::try_new(self.schema.clone(), columns.to_vec()).expect("the mapped row")
    }

    /// The rows still alive for which the check is false, each with the column told. Rows on which it cannot be
    /// evaluated go to quarantine.
    fn failing<'a>(
        &self,
        rule: &'a Rule,
        columns: &[ArrayRef],
        lead: &mut Lead,
    ) -> Vec<(usize, Option<&'a str>)> {
        let column = rule.column.as_deref();
        let compiled = match &rule.check {
            RuleCheck::Sql(compiled) => compiled,
            RuleCheck::Native(native, now_us) => {
                let failing = native.failing(&self.batch(columns), *now_us).into_iter();
                let alive = failing.filter(|(row, _)| lead.fates[*row] == fate::ALIVE);
                return alive.map(|(row, column)| (row, Some(column))).collect();
            }
            RuleCheck::Digits(place, digits) => {
                let finer = finer(&columns[*place], *digits).into_iter();
                return finer
                    .filter(|row| lead.fates[*row] == fate::ALIVE)
                    .map(|row| (row, column))
                    .collect();
            }
        };
        let result = evaluate_rows(compiled, &self.batch(columns));
        for row in &result.failed {
            lead.end(*row, fate::QUARANTINED, Reason::ExpressionFailed.code().to_owned(), column);
        }
        let holds: &BooleanArray = result.array.as_boolean();
        (0..holds.len())
            .filter(|row| lead.fates[*row] == fate::ALIVE && holds.is_valid(*row) && !holds.value(*row))
            .map(|row| (row, column))
            .collect()
    }

    fn mend(
        &self,
        rule: &Rule,
        columns: &mut [ArrayRef],
        failing: &[(usize, Option<&str>)],
        lead: &mut Lead,
    ) {
        let batch = self.batch(columns);
        let mut mask = vec![false; batch.num_rows()];
        failing.iter().for_each(|(row, _)| mask[*row] = true);
        let mask = BooleanArray::from(mask);
        for (index, value) in &rule.fix {
            let result = evaluate_rows(value, &batch);
            let from = natural_type(result.array.data_type()).unwrap_or(ColumnType::TEXT);
            let fitted = fit(&normalise(&result.array).array, &from, &self.types[*index]);
            for (row, reason) in fitted.problems.iter().filter(|(row, _)| mask.value(*row)) {
                lead.end(
                    *row,
                    fate::QUARANTINED,
                    reason.code().to_owned(),
                    Some(self.schema.field(*index).name()),
                );
            }
            if let Ok(mixed) = zip(&mask, &fitted.array, &columns[*index]) {
                columns[*index] = mixed;
            }
        }
    }
}

fn end_rows(rule: &Rule, fate: u8, rows: &[(usize, Option<&str>)], lead: &mut Lead) {
    for (row, column) in rows {
        let reason = match rule.check {
            RuleCheck::Digits(..) => Reason::WouldChange.code().to_owned(),
            _ => format!("rule:{}", rule.name),
        };
        lead.end(*row, fate, reason, *column);
    }
}

/// Rows whose moment, in microseconds, has digits of a second beyond so many. Infinity has none.
fn finer(column: &ArrayRef, digits: u8) -> Vec<usize> {
    let step = 10i64.pow(6 - u32::from(digits.min(6)));
    let Ok(micros) = arrow::compute::cast(column, &arrow::datatypes::DataType::Int64) else {
        return Vec::new();
    };
    let micros = micros.as_primitive::<arrow::datatypes::Int64Type>();
    let infinite = |v: i64| v == i64::MAX || v == i64::MIN;
    micros
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_some_and(|v| !infinite(v) && v % step != 0))
        .map(|(row, _)| row)
        .collect()
}
