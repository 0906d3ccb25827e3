//! Holding one table of the plan against its stores: which columns are read, what each target column is made of, and
//! everything that does not fit, told at once. Nothing is written.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::physical_expr::expressions::{CastExpr, Column as ColumnExpr, TryCastExpr};
use dunlin_connect::{Column, ColumnType, Identity, ReadColumn, Table};
use dunlin_plan::{CleanFn, ColumnPlan, ColumnValue, Finding, Otherwise, Span, Sql, TablePlan};
use dunlin_quality::{CleanFunction, CleanOptions, Compiled, Compiler};

use crate::check_rules::{Rule, Rules};
use crate::fit::natural_type;
use crate::spec::{Mapped, Mapping, TableSpec, Value};

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
        if understood {
            self.fates(&drafts, [&keep, &retain]);
        }
        let mut target = self.target(&drafts);
        let used = self.used(&drafts, [&keep, &retain]);
        let input = self.input(&used, &drafts, &target);
        let compiler = Compiler::new(input.schema.clone(), self.given.run_at_us);
        let mut mapped = Vec::with_capacity(drafts.len());
        for draft in drafts {
            mapped.extend(self.mapped(draft, &target, &input, &compiler));
        }
        for column in mapped.iter().filter(|m| m.as_text) {
            target.columns[column.target_index].as_text = true;
        }
        let mapped_all = self.findings.iter().all(|f| f.level != dunlin_plan::Level::Error);
        let rules = if mapped_all { self.rules(&mapped)? } else { return None };
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
            columns: mapped,
        };
        let key = key_of(self.given, &target, &mapping);
        Some(TableSpec {
            label: self.label.clone(),
            plan: self.given.plan.clone(),
            source: Arc::new(self.given.source.clone()),
            target: Arc::new(target),
            created: self.given.created,
            read: input.read,
            mapping: Arc::new(mapping),
            rules: Arc::new(rules),
            key,
        })
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
    fn fates(&mut self, drafts: &[Draft<'_>], filters: [&Option<Compiled>; 2]) {
        let plan = self.given.plan;
        if plan.columns.is_empty() {
            return;
        }
        let mut known = self.used(drafts, filters);
        let join_columns = plan.enrich.iter().filter_map(|e| self.given.source.index_of(&e.on.0));
        let key_columns = plan.key.iter().filter_map(|k| self.given.source.index_of(k));
        known.extend(join_columns.chain(key_columns));
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
        used.extend(self.given.plan.enrich.iter().filter_map(|e| self.given.source.index_of(&e.on.0)));
        used
    }
}

/// The narrowed input.
struct Input {
    read: Vec<ReadColumn>,
    read_schema: SchemaRef,
    schema: SchemaRef,
    types: Vec<ColumnType>,
    /// From a position in the full schema to one in the input.
    place: Vec<Option<usize>>,
}

impl Drafting<'_> {
    fn input(&self, used: &BTreeSet<usize>, drafts: &[Draft<'_>], target: &Table) -> Input {
        let width = self.given.source.columns.len();
        let untouched: BTreeSet<usize> = self.untouched(drafts, target);
        let mut input = Input {
            read: Vec::new(),
            read_schema: Arc::new(Schema::empty()),
            schema: Arc::new(Schema::empty()),
            types: Vec::new(),
            place: vec![None; self.types.len()],
        };
        let mut fields = Vec::new();
        let mut wanted: Vec<usize> = used.iter().copied().filter(|i| *i < width).collect();
        if wanted.is_empty() && width > 0 {
            wanted.push(0);
        }
        for index in wanted {
            let column = &self.given.source.columns[index];
            let opaque = matches!(column.ty, ColumnType::Opaque { .. });
            let as_text = opaque && !untouched.contains(&index);
            input.place[index] = Some(input.read.len());
            input.read.push(ReadColumn { index, as_text });
            let ty = if as_text { ColumnType::TEXT } else { column.ty.clone() };
            fields.push(Field::new(&column.name, ty.arrow_type(), true));
            input.types.push(ty);
        }
        input.read_schema = Schema::new(fields.clone()).into();
        for (i, (name, ty)) in self.given.added.iter().enumerate() {
            input.place[width + i] = Some(fields.len());
            fields.push(Field::new(name, ty.arrow_type(), true));
            input.types.push(ty.clone());
        }
        input.schema = Schema::new(fields).into();
        input
    }

    /// Columns of the store's own types that go over byte by byte: mapped plainly and nowhere else, to the same type.
    fn untouched(&self, drafts: &[Draft<'_>], target: &Table) -> BTreeSet<usize> {
        let mut plain = BTreeSet::new();
        let mut touched = BTreeSet::new();
        for draft in drafts {
            let protected = draft.plan.is_some_and(|p| p.protect.is_some());
            match &draft.value {
                DraftValue::Column(index) if !protected => {
                    let same = self.given.source.columns.get(*index).map(|c| &c.ty)
                        == target.column(&draft.name).map(|c| &c.ty);
                    if same && self.given.same_system {
                        plain.insert(*index)
                    } else {
                        touched.insert(*index)
                    };
                }
                DraftValue::Column(index) | DraftValue::Clean(_, index, _) => {
                    touched.insert(*index);
                }
                DraftValue::Later => {}
                DraftValue::Sql(_) => touched.extend(self.used(std::slice::from_ref(draft), [&None, &None])),
            }
        }
        &plain - &touched
    }

    /// The target: as it is, or as dunlin will make it.
    fn target(&mut self, drafts: &[Draft<'_>]) -> Table {
        if let Some(target) = self.given.target.clone() {
            self.existing(drafts, &target);
            return target;
        }
        let mut table = Table::new(self.given.target_name.clone(), Vec::new());
        for draft in drafts {
            table.columns.push(self.made_column(draft));
        }
        table.primary_key = self.made_key(drafts);
        for column in &mut table.columns {
            if table.primary_key.contains(&column.name) {
                column.nullable = false;
            }
        }
        table
    }

    fn made_column(&self, draft: &Draft<'_>) -> Column {
        let protected = draft.plan.is_some_and(|p| p.protect.is_some());
        let natural = if protected { ColumnType::TEXT } else { draft.natural.clone() };
        let natural = match &draft.value {
            // The text form was only for the expressions' sake.
            DraftValue::Column(i) if !protected && self.given.same_system => {
                self.given.source.columns.get(*i).map_or(natural, |c| c.ty.clone())
            }
            _ => natural,
        };
        let ty = (self.given.nearest)(&natural);
        let mut column = Column::new(&draft.name, ty.clone());
        if let Some(declared) = (self.given.declared)(&ty) {
            column.declared = declared;
        }
        if let DraftValue::Column(index) = draft.value
            && !protected
            && let Some(source) = self.given.source.columns.get(index)
        {
            column.nullable = source.nullable;
            column.identity = source.identity.map(|_| Identity::ByDefault);
            if self.given.same_system && ty == source.ty {
                if (self.given.declared)(&ty).is_none() {
                    column.declared = source.declared.clone();
                }
                column.identity = source.identity;
            }
        }
        column
    }

    /// The plan's key, or else the source's primary key, where its columns are taken over.
    fn made_key(&self, drafts: &[Draft<'_>]) -> Vec<String> {
        let source_key = if self.given.plan.key.is_empty() {
            &self.given.source.primary_key
        } else {
            &self.given.plan.key
        };
        let target_of = |column: &String| {
            let index = self.given.source.index_of(column)?;
            drafts.iter().find(|d| d.from == Some(index)).map(|d| d.name.clone())
        };
        source_key.iter().map(target_of).collect::<Option<Vec<_>>>().unwrap_or_default()
    }

    fn existing(&mut self, drafts: &[Draft<'_>], target: &Table) {
        let to = self.given.plan.to.to_string();
        let names: Vec<&str> = target.columns.iter().map(|c| c.name.as_str()).collect();
        for draft in drafts {
            match target.column(&draft.name) {
                None => {
                    let message = format!("`{to}` has no column `{}`", draft.name);
                    self.error(
                        "move-missing-column",
                        draft.span,
                        Some(&draft.name),
                        message,
                        nearest_name(&draft.name, &names),
                    );
                }
                Some(column) if column.generated.is_some() => {
                    let message = format!("`{to}` computes column `{}` itself", draft.name);
                    let help = "leave it out of [table.columns]".to_owned();
                    self.error("move-generated-column", draft.span, Some(&draft.name), message, help);
                }
                Some(_) => {}
            }
        }
        for column in &target.columns {
            let fed = drafts.iter().any(|d| d.name == column.name)
                || column.nullable
                || column.default.is_some()
                || column.identity.is_some()
                || column.generated.is_some();
            if !fed {
                let message = format!(
                    "column `{}` of `{to}` must not be NULL and nothing is mapped to it",
                    column.name
                );
                let help = format!("map it under [table.columns]: {} = \"…\"", column.name);
                self.error("move-target-not-null", self.given.plan.span, Some(&column.name), message, help);
            }
        }
    }

    fn mapped(
        &mut self,
        draft: Draft<'_>,
        target: &Table,
        input: &Input,
        compiler: &Compiler,
    ) -> Option<Mapped> {
        let target_index = target.index_of(&draft.name)?;
        let column = &target.columns[target_index];
        let value = match draft.value {
            DraftValue::Column(index) => Value::Column(input.place[index]?),
            DraftValue::Later => Value::Later,
            DraftValue::Sql(sql) => Value::Expression(compiler.compile(&sql).ok()?),
            DraftValue::Clean(function, index, options) => {
                Value::Clean { function, input: input.place[index]?, options }
            }
        };
        let natural = match &value {
            Value::Column(index) => input.types[*index].clone(),
            _ => draft.natural,
        };
        let protect = draft.plan.and_then(|p| p.protect);
        let opaque = matches!(column.ty, ColumnType::Opaque { .. });
        let as_text = opaque && (protect.is_some() || natural != column.ty);
        let load_type = if as_text { ColumnType::TEXT } else { column.ty.clone() };
        let clear_type = if protect.is_some() { natural.clone() } else { load_type.clone() };
        Some(Mapped {
            target: draft.name,
            target_index,
            value,
            natural,
            clear_type,
            load_type,
            as_text,
            nullable: column.nullable,
            protect,
            kind: draft.plan.and_then(|p| p.kind),
            from: draft.from.and_then(|i| input.place[i]),
        })
    }

    fn rules(&mut self, mapped: &[Mapped]) -> Option<Rules> {
        let types: Vec<ColumnType> = mapped.iter().map(|m| m.clear_type.clone()).collect();
        let fields: Vec<Field> =
            mapped.iter().zip(&types).map(|(m, t)| Field::new(&m.target, t.arrow_type(), true)).collect();
        let schema: SchemaRef = Schema::new(fields).into();
        let plan = self.given.plan;
        if plan.rules.len() > 64 {
            let message = format!("{} rules in one table; at most 64 are possible", plan.rules.len());
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
            rules.push(Rule { name: rule.name.clone(), check, otherwise: rule.otherwise, fix, column });
        }
        Some(Rules { rules, schema, types })
    }

    fn rule_expression(
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

/// The columns that name a row of the target: its primary key where all of it is mapped, else the plan's key where it
/// is taken over, else a unique constraint over columns that are never NULL.
fn key_of(given: &Given<'_>, target: &Table, mapping: &Mapping) -> Vec<usize> {
    let place = |name: &String| mapping.columns.iter().position(|m| m.target == *name);
    let all = |names: &[String]| -> Option<Vec<usize>> {
        (!names.is_empty()).then(|| names.iter().map(place).collect::<Option<Vec<_>>>()).flatten()
    };
    if let Some(key) = all(&target.primary_key) {
        return key;
    }
    let by_plan = || {
        let places = given.plan.key.iter().map(|column| {
            let read = mapping.read_schema.index_of(column).ok()?;
            mapping.columns.iter().position(|m| m.from == Some(read))
        });
        places.collect::<Option<Vec<_>>>().filter(|key| !key.is_empty())
    };
    let by_unique = || {
        let firm = |u: &&dunlin_connect::Unique| {
            u.columns.iter().all(|c| target.column(c).is_some_and(|column| !column.nullable))
        };
        target.uniques.iter().filter(firm).find_map(|u| all(&u.columns))
    };
    by_plan().or_else(by_unique).unwrap_or_default()
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
