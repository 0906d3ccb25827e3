//! The target: as it is, or as dunlin will make it; and what each of its columns is made of.

use dunlin_connect::{Column, ColumnType, Identity, Table};
use dunlin_plan::{Finding, Protect};
use dunlin_quality::Compiler;

use super::input::Input;
use super::{Draft, DraftValue, Drafting, Given, nearest_name};
use crate::spec::{Mapped, Mapping, Value};

impl Drafting<'_> {
    /// The target: as it is, or as dunlin will make it.
    pub(super) fn target(&mut self, drafts: &[Draft<'_>]) -> Table {
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

    /// The source table itself, where the plan takes over each of its columns under its own name and changes none: then
    /// everything else about it comes over as well.
    pub(super) fn carried(&self, drafts: &[Draft<'_>]) -> Option<Table> {
        let name = self.given.full_name.clone()?;
        let plain = |draft: &Draft<'_>| {
            let protected = draft.plan.is_some_and(|p| p.protect.is_some());
            let source = match draft.value {
                DraftValue::Column(index) => self.given.source.columns.get(index),
                _ => None,
            };
            !protected && source.is_some_and(|s| s.name == draft.name && s.generated.is_none())
        };
        let written = self.given.source.columns.iter().filter(|c| c.generated.is_none()).count();
        (drafts.len() == written && drafts.iter().all(plain)).then(|| Table {
            name,
            sequences: Vec::new(),
            ..self.given.source.clone()
        })
    }

    pub(super) fn made_column(&self, draft: &Draft<'_>) -> Column {
        let protect = draft.plan.and_then(|p| p.protect);
        let protected = protect.is_some();
        // A date that is moved or made coarse, and what is taken out, stays of its type; all else becomes text.
        let keeps = matches!(protect, None | Some(Protect::Shift | Protect::General | Protect::Remove));
        let natural = if keeps { draft.natural.clone() } else { ColumnType::TEXT };
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
            // A column that only takes its number from a counter may hold NULL, which one that makes its own numbers may not.
            let key = self.given.source.primary_key.contains(&source.name);
            let identity = source.identity.filter(|_| key || !source.nullable);
            column.identity = identity.map(|_| Identity::ByDefault);
            if self.given.same_system && ty == source.ty {
                if (self.given.declared)(&ty).is_none() {
                    column.declared = source.declared.clone();
                }
                column.identity = identity;
            }
        }
        column
    }

    /// Between a moment with a zone and one without, nobody can say which zone is meant but the plan's author.
    pub(super) fn zones(&mut self, mapped: &[Mapped]) {
        use ColumnType::{Date, Timestamp, TimestampTz};
        for column in mapped {
            let says = match (&column.natural, &column.clear_type) {
                (Timestamp | Date, TimestampTz) => {
                    "has no time zone and its target has one: it is taken to be UTC"
                }
                (TimestampTz, Timestamp) => {
                    "has a time zone and its target has none: it arrives as the time in UTC"
                }
                _ => continue,
            };
            let planned = self.given.plan.columns.iter().find(|c| c.target == column.target);
            let span = planned.map_or(self.given.plan.span, |c| c.span);
            let finding =
                Finding::warning("move-zone", span, format!("what goes into `{}` {says}", column.target))
                    .help("if another zone is meant, move the hours in its `sql`")
                    .in_table(&self.label)
                    .in_column(&column.target);
            self.findings.push(finding);
        }
    }

    /// The plan's key, or else the source's primary key, where its columns are taken over.
    pub(super) fn made_key(&self, drafts: &[Draft<'_>]) -> Vec<String> {
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

    pub(super) fn existing(&mut self, drafts: &[Draft<'_>], target: &Table) {
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

    pub(super) fn mapped(
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
            run_year: jiff::Timestamp::from_microsecond(self.given.run_at_us)
                .map_or(1970, |at| at.to_zoned(jiff::tz::TimeZone::UTC).year()),
        })
    }
}

/// The columns that name a row of the target: its primary key where all of it is mapped, else the plan's key where it
/// is taken over, else a unique constraint over columns that are never NULL.
pub(super) fn key_of(given: &Given<'_>, target: &Table, mapping: &Mapping) -> Vec<usize> {
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
