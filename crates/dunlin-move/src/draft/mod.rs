//! Holding one table of the plan against its stores: which columns are read, what each target column is made of, and
//! everything that does not fit, told at once. Nothing is written.

mod duplicates;
mod input;
mod protections;
mod rules;
mod target;
mod totals;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_physical_expr::expressions::{CastExpr, Column as ColumnExpr, TryCastExpr};
use dunlin_connect::{ColumnType, Table};
use dunlin_plan::{CleanFn, ColumnPlan, ColumnValue, Finding, Span, Sql, TablePlan};
use dunlin_quality::{CleanFunction, CleanOptions, Compiled, Compiler};

use self::target::key_of;
use crate::customer::Hop;
use crate::fit::natural_type;
use crate::packs::Packs;
use crate::spec::{Mapping, TableSpec};

/// What a table is resolved against.
pub struct Given<'a> {
    /// The plan's table.
    pub plan: &'a TablePlan,
    /// The source table.
    pub source: Table,
    /// The target table, where it exists.
    pub target: Option<Table>,
    /// The name of the target table, for when it does not.
    pub target_name: dunlin_connect::TableName,
    /// The name under which the table could be taken over with everything about it, if it may.
    pub full_name: Option<dunlin_connect::TableName>,
    /// Whether a saved run took it over like that.
    pub carried: bool,
    /// Whether dunlin makes the target table (it may exist by now, when a run is resumed).
    pub created: bool,
    /// What the target holds for a column of a type.
    pub nearest: &'a (dyn Fn(&ColumnType) -> ColumnType + Sync),
    /// How the target declares a column of a type, where that matters.
    pub declared: &'a (dyn Fn(&ColumnType) -> Option<String> + Sync),
    /// Whether both stores are of the same system, so that its own types can travel untouched.
    pub same_system: bool,
    /// The columns that enriching adds: name, type.
    pub added: Vec<(String, ColumnType)>,
    /// The columns that enriching adds after the load: name, type.
    pub later: Vec<(String, ColumnType)>,
    /// What `now()` means, microseconds since 1970 UTC.
    pub run_at_us: i64,
    /// What the plan's packs ask of rows.
    pub packs: &'a Packs,
    /// The target column that names the customer of a row, where the plan says one.
    pub subject: Option<String>,
    /// The tables between that column and the customer's id.
    pub hops: Vec<Hop>,
}

/// Resolves one table.
///
/// # Errors
/// Every finding of level error; warnings come with the spec.
pub fn draft(given: Given<'_>) -> Result<(TableSpec, Vec<Finding>), Vec<Finding>> {
    let mut drafting = Drafting::new(&given);
    let spec = drafting.table();
    let failed = drafting.findings.iter().any(|f| f.level == dunlin_plan::Level::Error);
    match spec {
        Some(spec) if !failed => Ok((spec, drafting.findings)),
        _ => Err(drafting.findings),
    }
}

struct Drafting<'a> {
    given: &'a Given<'a>,
    label: String,
    findings: Vec<Finding>,
    /// Source columns, then added ones; `Opaque` as text.
    schema: SchemaRef,
    types: Vec<ColumnType>,
}

/// A target column before the input is narrowed to what is used.
struct Draft<'a> {
    name: String,
    plan: Option<&'a ColumnPlan>,
    span: Span,
    value: DraftValue,
    natural: ColumnType,
    from: Option<usize>,
}

enum DraftValue {
    Column(usize),
    Sql(String),
    Clean(CleanFunction, usize, CleanOptions),
    Later,
}

impl<'a> Drafting<'a> {
    fn new(given: &'a Given<'a>) -> Self {
        let source = given.source.columns.iter().map(|c| (c.name.clone(), c.ty.clone()));
        let (names, types): (Vec<_>, Vec<_>) = source.chain(given.added.iter().cloned()).unzip();
        let types: Vec<ColumnType> = types.into_iter().map(readable).collect();
        let fields = names.iter().zip(&types).map(|(n, t)| Field::new(n, t.arrow_type(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Self { given, label: given.plan.label(), findings: Vec::new(), schema, types }
    }

    fn error(&mut self, rule: &'static str, span: Span, column: Option<&str>, message: String, help: String) {
        let mut finding = Finding::error(rule, span, message).help(help).in_table(&self.label);
        if let Some(column) = column {
            finding = finding.in_column(column);
        }
        self.findings.push(finding);
    }

    fn table(&mut self) -> Option<TableSpec> {
        let drafts = self.columns();
        // What follows from a column that is not understood would only hide the cause.
        let understood = self.findings.iter().all(|f| f.level != dunlin_plan::Level::Error);
        let keep = self.compile_optional(self.given.plan.where_.as_ref(), "where");
        let retain = self.given.plan.retain.as_ref().map(|sql| self.retained(sql));
        let retain = self.compile_optional(retain.as_ref(), "retain");
        let totalled = self.totals_columns();
        if self.survivor_understood() && understood {
            self.fates(&drafts, [&keep, &retain], &totalled);
        }
        let carried = self.carried(&drafts);
        let mut target = carried.clone().unwrap_or_else(|| self.target(&drafts));
        let mut used = self.used(&drafts, [&keep, &retain]);
        used.extend(&totalled);
        let input = self.input(&used, &drafts, &target);
        let compiler = Compiler::new(input.schema.clone(), self.given.run_at_us);
        let mut mapped = Vec::with_capacity(drafts.len());
        for draft in drafts {
            mapped.extend(self.mapped(draft, &target, &input, &compiler));
        }
        for column in mapped.iter().filter(|m| m.as_text) {
            target.columns[column.target_index].as_text = true;
        }
        self.protections(&mapped);
        self.zones(&mapped);
        let mapped_all = self.findings.iter().all(|f| f.level != dunlin_plan::Level::Error);
        let rules = if mapped_all { self.rules(&mapped)? } else { return None };
        let totals = self.totals(&mapped, &input);
        let sums = self.sums(&mapped);
        let fields: Vec<Field> =
            mapped.iter().map(|m| Field::new(&m.target, m.load_type.arrow_type(), true)).collect();
        let again = |sql: Option<Sql>| sql.and_then(|sql| compiler.compile(&sql.text).ok());
        let retain_sql = self.given.plan.retain.as_ref().map(|sql| self.retained(sql));
        let mapping = Mapping {
            read_schema: input.read_schema.clone(),
            input_schema: input.schema.clone(),
            input_types: input.types.clone(),
            target_schema: Schema::new(fields).into(),
            keep: again(self.given.plan.where_.clone()),
            retain: again(retain_sql),
            subject: self
                .given
                .subject
                .as_ref()
                .and_then(|name| mapped.iter().position(|m: &crate::spec::Mapped| m.target == *name)),
            hops: self.given.hops.clone(),
            columns: mapped,
        };
        let key = key_of(self.given, &target, &mapping);
        let spec = TableSpec {
            label: self.label.clone(),
            plan: self.given.plan.clone(),
            source: Arc::new(self.given.source.clone()),
            target: Arc::new(target),
            created: self.given.created,
            carried: carried.is_some() || self.given.carried,
            read: input.read,
            mapping: Arc::new(mapping),
            rules: Arc::new(rules),
            key,
            totals,
            sums,
        };
        self.duplicates(&spec);
        Some(spec)
    }

    /// A row is past its retention when the moment the plan computes lies before the run.
    fn retained(&self, sql: &Sql) -> Sql {
        Sql { text: format!("cast(({}) as timestamp) < cast(now() as timestamp)", sql.text), span: sql.span }
    }

    fn columns(&mut self) -> Vec<Draft<'a>> {
        let mut drafts = self.columns_now();
        for (name, natural) in &self.given.later {
            drafts.push(Draft {
                name: name.clone(),
                plan: None,
                span: self.given.plan.span,
                value: DraftValue::Later,
                natural: natural.clone(),
                from: None,
            });
        }
        drafts
    }

    fn columns_now(&mut self) -> Vec<Draft<'a>> {
        let plan = self.given.plan;
        if !plan.columns.is_empty() {
            let added: Vec<String> = self.given.added.iter().map(|(name, _)| name.clone()).collect();
            let mut drafts: Vec<Draft<'a>> = plan.columns.iter().filter_map(|c| self.column(c)).collect();
            for name in added {
                if !drafts.iter().any(|d| d.name == name) {
                    drafts.extend(self.plain(&name, plan.span));
                }
            }
            return drafts;
        }
        let dropped: BTreeSet<&str> = plan.drop.iter().map(|d| d.column.as_str()).collect();
        let names: Vec<String> = self.schema.fields().iter().map(|f| f.name().clone()).collect();
        let kept = names.iter().enumerate().filter(|(i, name)| {
            let generated = self.given.source.columns.get(*i).is_some_and(|c| c.generated.is_some());
            !dropped.contains(name.as_str()) && !generated
        });
        let kept: Vec<String> = kept.map(|(_, name)| name.clone()).collect();
        kept.iter().filter_map(|name| self.plain(name, plan.span)).collect()
    }

    fn plain(&mut self, name: &str, span: Span) -> Option<Draft<'a>> {
        let index = self.schema.index_of(name).ok()?;
        Some(Draft {
            name: name.to_owned(),
            plan: None,
            span,
            value: DraftValue::Column(index),
            natural: self.types[index].clone(),
            from: Some(index),
        })
    }

    fn column(&mut self, plan: &'a ColumnPlan) -> Option<Draft<'a>> {
        let draft = |value, natural, from| {
            Some(Draft { name: plan.target.clone(), plan: Some(plan), span: plan.span, value, natural, from })
        };
        match &plan.value {
            ColumnValue::Sql(sql) => {
                let compiled = self.compile(sql, Some(&plan.target))?;
                if let Some(index) = bare_column(&compiled) {
                    return draft(DraftValue::Column(index), self.types[index].clone(), Some(index));
                }
                let Some(natural) = natural_type(&compiled.data_type) else {
                    let message = format!("column `{}` would be of a type that no store holds", plan.target);
                    let help = "cast it: cast(… as text), cast(… as timestamp)".to_owned();
                    self.error("move-expression-type", sql.span, Some(&plan.target), message, help);
                    return None;
                };
                draft(DraftValue::Sql(sql.text.clone()), natural, taken_over(&compiled))
            }
            ColumnValue::Clean { function, from, region, formats, sentinels } => {
                let index = self.source_column(from, plan.span, &plan.target)?;
                let natural = match function {
                    CleanFn::Date => ColumnType::Date,
                    CleanFn::Number => ColumnType::Numeric,
                    _ => ColumnType::TEXT,
                };
                let options = CleanOptions {
                    region: region.clone(),
                    formats: formats.clone(),
                    sentinels: sentinels.clone(),
                };
                draft(DraftValue::Clean(clean_function(*function), index, options), natural, Some(index))
            }
        }
    }

    fn source_column(&mut self, name: &str, span: Span, target: &str) -> Option<usize> {
        if let Ok(index) = self.schema.index_of(name) {
            return Some(index);
        }
        let names: Vec<&str> = self.schema.fields().iter().map(|f| f.name().as_str()).collect();
        let message = format!("`{}` has no column `{name}`", self.given.plan.from);
        let help = nearest_name(name, &names);
        self.error("move-missing-column", span, Some(target), message, help);
        None
    }

    fn compile(&mut self, sql: &Sql, column: Option<&str>) -> Option<Compiled> {
        match Compiler::new(self.schema.clone(), self.given.run_at_us).compile(&sql.text) {
            Ok(compiled) => Some(compiled),
            Err(error) => {
                let help =
                    error.help.clone().unwrap_or_else(|| "see docs/plan.md, `SQL in a plan`".to_owned());
                let message = error.message.clone();
                self.error("move-expression", sql.span, column, message, help);
                None
            }
        }
    }

    fn compile_optional(&mut self, sql: Option<&Sql>, what: &'static str) -> Option<Compiled> {
        let sql = sql?;
        let compiled = self.compile(sql, None)?;
        if compiled.data_type != DataType::Boolean {
            let message = format!("`{what}` must be true or false, this gives {}", compiled.data_type);
            let help = "write a comparison, for example status <> 'test'".to_owned();
            self.error("move-not-boolean", sql.span, None, message, help);
            return None;
        }
        Some(compiled)
    }

    /// Every source column is mapped, used or dropped with a reason.
    fn fates(&mut self, drafts: &[Draft<'_>], filters: [&Option<Compiled>; 2], totalled: &[usize]) {
        let plan = self.given.plan;
        if plan.columns.is_empty() {
            return;
        }
        let mut known = self.used(drafts, filters);
        let join_columns = plan.enrich.iter().filter_map(|e| self.given.source.index_of(&e.on.0));
        let key_columns = plan.key.iter().filter_map(|k| self.given.source.index_of(k));
        known.extend(join_columns.chain(key_columns).chain(totalled.iter().copied()));
        for drop in &plan.drop {
            match self.given.source.index_of(&drop.column) {
                Some(index) => {
                    known.insert(index);
                }
                None => {
                    let names: Vec<&str> =
                        self.given.source.columns.iter().map(|c| c.name.as_str()).collect();
                    let message = format!("`{}` has no column `{}` to drop", plan.from, drop.column);
                    let help = nearest_name(&drop.column, &names);
                    self.error("move-missing-column", drop.span, Some(&drop.column), message, help);
                }
            }
        }
        for (index, column) in self.given.source.columns.iter().enumerate() {
            if !known.contains(&index) && column.generated.is_none() {
                let message = format!("source column `{}` has no fate", column.name);
                let help = format!(
                    "map it under [table.columns], or say why it stays behind: [table.drop] {} = \"reason\"",
                    column.name
                );
                self.error("move-column-without-fate", plan.span, Some(&column.name), message, help);
            }
        }
    }

    fn used(&self, drafts: &[Draft<'_>], filters: [&Option<Compiled>; 2]) -> BTreeSet<usize> {
        let mut used: BTreeSet<usize> =
            filters.into_iter().flatten().flat_map(|c| c.columns.iter().copied()).collect();
        for draft in drafts {
            match &draft.value {
                DraftValue::Column(index) | DraftValue::Clean(_, index, _) => {
                    used.insert(*index);
                }
                DraftValue::Later => {}
                DraftValue::Sql(sql) => {
                    let compiled = Compiler::new(self.schema.clone(), self.given.run_at_us).compile(sql);
                    used.extend(compiled.iter().flat_map(|c| c.columns.iter().copied()));
                }
            }
        }
        used.extend(self.survivor_columns());
        used.extend(self.given.plan.enrich.iter().filter_map(|e| self.given.source.index_of(&e.on.0)));
        used
    }
}

/// The input column an expression is, where it is nothing else.
fn bare_column(compiled: &Compiled) -> Option<usize> {
    compiled.expr.downcast_ref::<ColumnExpr>().map(ColumnExpr::index)
}

/// The input column whose value an expression takes over: the column itself, or a cast of it.
fn taken_over(compiled: &Compiled) -> Option<usize> {
    let mut expr = &compiled.expr;
    loop {
        if let Some(cast) = expr.downcast_ref::<CastExpr>() {
            expr = cast.expr();
        } else if let Some(cast) = expr.downcast_ref::<TryCastExpr>() {
            expr = cast.expr();
        } else {
            return expr.downcast_ref::<ColumnExpr>().map(ColumnExpr::index);
        }
    }
}

/// `Opaque` columns are text for expressions.
fn readable(ty: ColumnType) -> ColumnType {
    match ty {
        ColumnType::Opaque { .. } => ColumnType::TEXT,
        other => other,
    }
}

fn clean_function(function: CleanFn) -> CleanFunction {
    match function {
        CleanFn::Trim => CleanFunction::Trim,
        CleanFn::Email => CleanFunction::Email,
        CleanFn::Phone => CleanFunction::Phone,
        CleanFn::Date => CleanFunction::Date,
        CleanFn::Name => CleanFunction::Name,
        CleanFn::Country => CleanFunction::Country,
        CleanFn::Postcode => CleanFunction::Postcode,
        CleanFn::Number => CleanFunction::Number,
        CleanFn::Sentinel => CleanFunction::Sentinel,
    }
}

/// "did you mean …", or the names there are.
pub(crate) fn nearest_name(word: &str, names: &[&str]) -> String {
    let score =
        |name: &&&str| (strsim::jaro_winkler(&word.to_lowercase(), &name.to_lowercase()) * 1000.0) as u32;
    match names.iter().max_by_key(score) {
        Some(best) if score(&best) > 800 => format!("did you mean `{best}`?"),
        _ if names.len() <= 12 => {
            format!("it has {}", names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "))
        }
        _ => format!("it has {} columns, none of a similar name", names.len()),
    }
}
