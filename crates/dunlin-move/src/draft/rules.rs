//! The table's rules, compiled over its target columns.

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use dunlin_connect::ColumnType;
use dunlin_plan::{Otherwise, Sql};
use dunlin_quality::packs::{RowCondition, TableRule};
use dunlin_quality::{Compiled, Compiler};

use super::{Drafting, nearest_name};
use crate::check_rules::{Rule, RuleCheck, Rules};
use crate::spec::Mapped;

impl Drafting<'_> {
    pub(super) fn rules(&mut self, mapped: &[Mapped]) -> Option<Rules> {
        let types: Vec<ColumnType> = mapped.iter().map(|m| m.clear_type.clone()).collect();
        let fields: Vec<Field> =
            mapped.iter().zip(&types).map(|(m, t)| Field::new(&m.target, t.arrow_type(), true)).collect();
        let schema: SchemaRef = Schema::new(fields).into();
        let plan = self.given.plan;
        let packs = self.pack_rules(mapped)?;
        let digits = self.digits(mapped);
        let all = plan.rules.len() + packs.len() + digits.len();
        if all > 64 {
            let message = format!(
                "{all} rules in one table, those of packs and of columns that keep fewer digits of a second included; \
                 at most 64 are possible"
            );
            self.error("move-too-many-rules", plan.span, None, message, "join some with `and`".to_owned());
            return None;
        }
        let compiler = Compiler::new(schema.clone(), self.given.run_at_us);
        let mut rules = Vec::new();
        for rule in &plan.rules {
            let check = self.rule_expression(&compiler, &rule.check, &rule.name, true);
            let mut fix = Vec::new();
            for mend in &rule.fix {
                match schema.index_of(&mend.column) {
                    Ok(index) => {
                        let value = self.rule_expression(&compiler, &mend.value, &rule.name, false);
                        fix.extend(value.map(|v| (index, v)));
                    }
                    Err(_) => {
                        let names: Vec<&str> = mapped.iter().map(|m| m.target.as_str()).collect();
                        let message =
                            format!("rule `{}` mends `{}`, which is not mapped", rule.name, mend.column);
                        self.error(
                            "move-missing-column",
                            mend.value.span,
                            Some(&mend.column),
                            message,
                            nearest_name(&mend.column, &names),
                        );
                    }
                }
            }
            let Some(check) = check else { continue };
            let column = (check.columns.len() == 1).then(|| schema.field(check.columns[0]).name().clone());
            debug_assert!(rule.otherwise != Otherwise::Fix || !rule.fix.is_empty());
            let check = RuleCheck::Sql(check);
            rules.push(Rule { name: rule.name.clone(), check, otherwise: rule.otherwise, fix, column });
        }
        for rule in packs {
            rules.extend(self.pack_rule(&compiler, &schema, rule));
        }
        rules.extend(digits);
        Some(Rules { rules, schema, types })
    }

    /// Columns of a table that was there which keep fewer digits of a second than dunlin carries: PostgreSQL would round
    /// the others away without a word.
    fn digits(&self, mapped: &[Mapped]) -> Vec<Rule> {
        let Some(target) = self.given.target.as_ref() else { return Vec::new() };
        let kept = |(place, column): (usize, &Mapped)| {
            let moment = matches!(
                column.clear_type,
                ColumnType::Time | ColumnType::Timestamp | ColumnType::TimestampTz
            );
            // SQLite keeps what it is given, whatever its column is declared to be.
            let rounds = moment && (self.given.declared)(&column.clear_type).is_none();
            let digits = kept_digits(&target.column(&column.target)?.declared).filter(|_| rounds)?;
            let planned = self.given.plan.columns.iter().find(|c| c.target == column.target);
            let source = planned.and_then(|c| c.source_column());
            let source = source.and_then(|name| self.given.source.column(&name));
            let has = source.filter(|_| self.given.same_system).and_then(|s| kept_digits(&s.declared));
            // A source that keeps no more of them has none to lose.
            if has.is_some_and(|has| has <= digits) {
                return None;
            }
            Some(Rule {
                name: format!("digits of {}", column.target),
                check: RuleCheck::Digits(place, digits),
                otherwise: Otherwise::Quarantine,
                fix: Vec::new(),
                column: Some(column.target.clone()),
            })
        };
        mapped.iter().enumerate().filter_map(kept).collect()
    }

    /// What the plan's packs ask of each row of this table.
    fn pack_rules(&mut self, mapped: &[Mapped]) -> Option<Vec<TableRule>> {
        let packs = self.given.packs;
        let table = crate::packs::shape(self.given.plan, mapped);
        match packs.rules_of(&table) {
            Ok(rules) => Some(rules),
            Err(error) => {
                let help = "tell the makers of dunlin; without `packs` the plan runs".to_owned();
                self.error("pack-unreadable", self.given.plan.span, None, error.to_string(), help);
                None
            }
        }
    }

    fn pack_rule(&mut self, compiler: &Compiler, schema: &SchemaRef, rule: TableRule) -> Option<Rule> {
        let span = self.given.plan.span;
        let sql = |text: &str| Sql { text: text.to_owned(), span };
        let check = match rule.condition {
            RowCondition::Sql(text) => {
                RuleCheck::Sql(self.rule_expression(compiler, &sql(&text), &rule.id, true)?)
            }
            RowCondition::Native(native) => RuleCheck::Native(native, self.given.run_at_us),
        };
        let mut fix = Vec::new();
        for (column, value) in &rule.set {
            let index = schema.index_of(column).ok()?;
            fix.push((index, self.rule_expression(compiler, &sql(value), &rule.id, false)?));
        }
        let column = match &check {
            RuleCheck::Sql(compiled) if compiled.columns.len() == 1 => {
                Some(schema.field(compiled.columns[0]).name().clone())
            }
            _ => None,
        };
        // A pack's file says one of the plan's words; a test reads them all.
        let otherwise = rule.otherwise.parse().unwrap_or(Otherwise::Quarantine);
        Some(Rule { name: rule.id, check, otherwise, fix, column })
    }

    pub(super) fn rule_expression(
        &mut self,
        compiler: &Compiler,
        sql: &Sql,
        rule: &str,
        boolean: bool,
    ) -> Option<Compiled> {
        match compiler.compile(&sql.text) {
            Ok(compiled) if boolean && compiled.data_type != DataType::Boolean => {
                let message =
                    format!("rule `{rule}` must be true or false, this gives {}", compiled.data_type);
                self.error("move-not-boolean", sql.span, None, message, "write a comparison".to_owned());
                None
            }
            Ok(compiled) => Some(compiled),
            Err(error) => {
                let message = format!("rule `{rule}`: {}", error.message);
                let help = error.help.clone().unwrap_or_else(|| "rules read target columns".to_owned());
                self.error("move-expression", sql.span, None, message, help);
                None
            }
        }
    }
}

/// The digits of a second that a PostgreSQL column keeps, where its declaration says so: `timestamp(3) with time zone`.
fn kept_digits(declared: &str) -> Option<u8> {
    let (_, rest) = declared.split_once('(')?;
    rest.split_once(')')?.0.trim().parse().ok()
}
