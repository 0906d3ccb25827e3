//! The table's `[table.totals]` held against its columns: where an amount stands on either side.

use std::sync::Arc;

use dunlin_connect::ColumnType;
use dunlin_plan::{SetRule, Sql, TotalsPlan};
use dunlin_quality::{CleanFunction, Compiler};

use super::input::Input;
use super::{Drafting, nearest_name};
use crate::fit::natural_type;
use crate::spec::{Mapped, Value};
use crate::totals::{SourceAmount, TotalColumn, TotalsSpec};

impl Drafting<'_> {
    /// The source columns that the plan's totals read by their SQL.
    pub(super) fn totals_columns(&mut self) -> Vec<usize> {
        let Some(totals) = &self.given.plan.totals else { return Vec::new() };
        let mut used = Vec::new();
        for (column, sql) in &totals.source {
            let Some(compiled) = self.compile(sql, Some(column)) else { continue };
            if !natural_type(&compiled.data_type).is_some_and(|ty| is_amount(&ty)) {
                let message = format!("the amount of `{column}` in the source is {}", compiled.data_type);
                let help = "write SQL that gives a number: cast(… as decimal(18, 2))".to_owned();
                self.error("move-totals", sql.span, Some(column), message, help);
            }
            used.extend(compiled.columns);
        }
        used
    }

    /// What is added up; nothing where the plan asks for nothing, or hides what would have to be added up.
    pub(super) fn totals(&mut self, mapped: &[Mapped], input: &Input) -> Option<Arc<TotalsSpec>> {
        let asked = self.given.plan.totals.as_ref()?;
        let named = |name: &String| mapped.iter().position(|m| m.target == *name);
        let hidden = asked
            .sum
            .iter()
            .chain(&asked.period)
            .find(|name| named(name).is_some_and(|at| mapped[at].protect.is_some()));
        if let Some(hidden) = hidden {
            let message = format!("nothing is added up: `{hidden}` does not arrive as it is");
            let finding = dunlin_plan::Finding::warning("move-totals", asked.span, message);
            let help = "take columns without `protect` into [table.totals]";
            self.findings.push(finding.help(help).in_table(&self.label).in_column(hidden));
            return None;
        }
        let mut columns = Vec::new();
        for name in &asked.sum {
            let at = self.totalled(asked, mapped, name)?;
            columns.push(TotalColumn {
                name: name.clone(),
                target: at,
                source: self.amount_in_source(asked, &mapped[at], input)?,
            });
        }
        let period = match &asked.period {
            Some(name) => Some(self.period(asked, mapped, name)?),
            None => None,
        };
        Some(Arc::new(TotalsSpec { period, period_name: asked.period.clone(), columns }))
    }

    /// What the plan's rules on all rows together add up; and whether they read columns that are there.
    pub(super) fn sums(&mut self, mapped: &[Mapped]) -> Option<Arc<TotalsSpec>> {
        let mut columns: Vec<TotalColumn> = Vec::new();
        let plan = self.given.plan;
        for set in &plan.sets {
            for name in set.rule.columns() {
                let Some(at) = mapped.iter().position(|m| m.target == *name) else {
                    let names: Vec<&str> = mapped.iter().map(|m| m.target.as_str()).collect();
                    let message = format!(
                        "\"{}\" reads the column `{name}`, which `{}` does not get",
                        set.name, self.label
                    );
                    self.error("move-set", set.span, Some(name), message, nearest_name(name, &names));
                    continue;
                };
                if !matches!(set.rule, SetRule::Sum { .. }) || columns.iter().any(|c| c.name == name) {
                    continue;
                }
                if mapped[at].protect.is_some() {
                    let message =
                        format!("\"{}\" is not looked at: `{name}` does not arrive as it is", set.name);
                    let finding = dunlin_plan::Finding::warning("move-set", set.span, message);
                    self.findings.push(finding.in_table(&self.label).in_column(name));
                    continue;
                }
                if !is_amount(&mapped[at].load_type) {
                    let message = format!("`{name}` cannot be added up: it is {}", mapped[at].load_type);
                    self.error(
                        "move-set",
                        set.span,
                        Some(name),
                        message,
                        "name a column of numbers".to_owned(),
                    );
                    continue;
                }
                // Nobody asks what it is in the source.
                columns.push(TotalColumn {
                    name: name.to_owned(),
                    target: at,
                    source: SourceAmount::Column(0),
                });
            }
        }
        (!columns.is_empty()).then(|| Arc::new(TotalsSpec { period: None, period_name: None, columns }))
    }

    fn mapped_column(&mut self, asked: &TotalsPlan, mapped: &[Mapped], name: &str) -> Option<usize> {
        let at = mapped.iter().position(|m| m.target == name);
        if at.is_none() {
            let names: Vec<&str> = mapped.iter().map(|m| m.target.as_str()).collect();
            let message =
                format!("[table.totals] names the column `{name}`, which `{}` does not get", self.label);
            self.error("move-totals", asked.span, Some(name), message, nearest_name(name, &names));
        }
        at
    }

    fn totalled(&mut self, asked: &TotalsPlan, mapped: &[Mapped], name: &str) -> Option<usize> {
        let at = self.mapped_column(asked, mapped, name)?;
        if is_amount(&mapped[at].load_type) {
            return Some(at);
        }
        let message = format!("`{name}` cannot be added up: it is {}", mapped[at].load_type);
        let help = "name columns of numbers, or make it one: `clean = \"number\"`".to_owned();
        self.error("move-totals", asked.span, Some(name), message, help);
        None
    }

    fn period(&mut self, asked: &TotalsPlan, mapped: &[Mapped], name: &str) -> Option<usize> {
        let at = self.mapped_column(asked, mapped, name)?;
        let dated = match &mapped[at].load_type {
            ColumnType::Date | ColumnType::Timestamp | ColumnType::TimestampTz => true,
            ty => ty.is_text(),
        };
        if dated {
            return Some(at);
        }
        let message = format!("`{name}` has no months: it is {}", mapped[at].load_type);
        self.error("move-totals", asked.span, Some(name), message, "name a column of dates".to_owned());
        None
    }

    /// What a target column's amount is in the source.
    fn amount_in_source(
        &mut self,
        asked: &TotalsPlan,
        column: &Mapped,
        input: &Input,
    ) -> Option<SourceAmount> {
        let reads = input.read.len();
        if let Some((_, sql)) = asked.source.iter().find(|(name, _)| *name == column.target) {
            return self.stated_amount(sql, input, &column.target);
        }
        let from = column.from.filter(|at| *at < reads);
        match (&column.value, from) {
            (Value::Clean { function: CleanFunction::Number, options, .. }, Some(at)) => {
                let ty = input.types[at].clone();
                Some(SourceAmount::Clean(at, ty, CleanFunction::Number, options.clone()))
            }
            (Value::Column(_) | Value::Expression(_), Some(at)) => Some(SourceAmount::Column(at)),
            _ => {
                let name = &column.target;
                let message = format!("what `{name}` is in the source is not one column there");
                let help = format!(
                    "say it: under [table.totals] `source = {{ {name} = \"SQL over source columns\" }}`"
                );
                self.error("move-totals", asked.span, Some(name), message, help);
                None
            }
        }
    }

    fn stated_amount(&mut self, sql: &Sql, input: &Input, column: &str) -> Option<SourceAmount> {
        let compiler = Compiler::new(input.read_schema.clone(), self.given.run_at_us);
        match compiler.compile(&sql.text) {
            Ok(compiled) => Some(SourceAmount::Sql(compiled)),
            Err(error) => {
                let help = error.help.clone().unwrap_or_else(|| "it reads the columns of `from`".to_owned());
                self.error("move-totals", sql.span, Some(column), error.message.clone(), help);
                None
            }
        }
    }
}

/// Whether values of a type can be added up. Texts are read as numbers: files and SQLite hold amounts like that.
fn is_amount(ty: &ColumnType) -> bool {
    ty.is_number() || ty.is_text()
}
