//! Binds the names in a parsed expression to the table's columns and to known functions, and refuses what is not an
//! expression over one row. It changes names in place; it computes nothing.

use std::ops::ControlFlow;

use arrow::datatypes::SchemaRef;
use datafusion_sql::sqlparser::ast::{Expr, Function, FunctionArguments, Ident, visit_expressions_mut};

use super::context::Context;
use super::error::{ExprError, offset_of};

/// Rewrites every identifier to the column's own spelling and every function name to lower case.
pub(super) fn bind(
    expr: &mut Expr,
    sql: &str,
    schema: &SchemaRef,
    context: &Context,
) -> Result<(), ExprError> {
    let binder = Binder { sql, schema, context };
    let flow = visit_expressions_mut(expr, |e| match binder.bind(e) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    });
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Binder<'a> {
    sql: &'a str,
    schema: &'a SchemaRef,
    context: &'a Context,
}

impl Binder<'_> {
    fn bind(&self, expr: &mut Expr) -> Result<(), ExprError> {
        match expr {
            Expr::Identifier(ident) => self.column(ident),
            Expr::CompoundIdentifier(parts) => Err(self.qualified(parts)),
            Expr::Function(function) => self.function(function),
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => Err(subquery()),
            Expr::AnyOp { .. } | Expr::AllOp { .. } => {
                Err(ExprError::new("ANY and ALL are not allowed here")
                    .help("write the alternatives with `in (…)` or `or`"))
            }
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => {
                Err(ExprError::new("`*` is not a value").help("name the columns one by one"))
            }
            _ => Ok(()),
        }
    }

    fn place(&self, ident: &Ident) -> Option<usize> {
        let start = ident.span.start;
        (start.line > 0).then(|| offset_of(self.sql, start.line, start.column))
    }

    fn column(&self, ident: &mut Ident) -> Result<(), ExprError> {
        let fields = self.schema.fields();
        let exact = fields.iter().find(|f| *f.name() == ident.value);
        let name = match exact {
            Some(field) => field.name().clone(),
            None => self.other_case(ident)?,
        };
        ident.value = name;
        ident.quote_style = Some('"');
        Ok(())
    }

    /// The one column whose name differs in case only.
    fn other_case(&self, ident: &Ident) -> Result<String, ExprError> {
        let wanted = ident.value.to_lowercase();
        let names: Vec<&String> = self.schema.fields().iter().map(|f| f.name()).collect();
        let same: Vec<&&String> = names.iter().filter(|n| n.to_lowercase() == wanted).collect();
        match same.as_slice() {
            [one] if ident.quote_style.is_none() => Ok((**one).clone()),
            [] | [_] => Err(self.unknown(ident, &names)),
            several => {
                let list: Vec<String> = several.iter().map(|n| format!("`\"{n}\"`")).collect();
                let message = format!("`{}` does not say which column is meant", ident.value);
                Err(ExprError::new(message)
                    .help(format!("write {}", list.join(" or ")))
                    .at(self.place(ident)))
            }
        }
    }

    fn unknown(&self, ident: &Ident, names: &[&String]) -> ExprError {
        let error =
            ExprError::new(format!("there is no column `{}` here", ident.value)).at(self.place(ident));
        let near = nearest(&ident.value, names.iter().map(|n| n.as_str()));
        match near {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if names.is_empty() => error,
            None => {
                let shown: Vec<String> = names.iter().take(12).map(|n| format!("`{n}`")).collect();
                let more = if names.len() > shown.len() { ", …" } else { "" };
                error.help(format!("the columns are {}{more}", shown.join(", ")))
            }
        }
    }

    fn qualified(&self, parts: &[Ident]) -> ExprError {
        let full: Vec<&str> = parts.iter().map(|p| p.value.as_str()).collect();
        let error = ExprError::new(format!("`{}` names more than a column", full.join(".")));
        let place = parts.first().and_then(|p| self.place(p));
        match parts.last() {
            Some(last) => error.help(format!("write `{}` without its table", last.value)).at(place),
            None => error,
        }
    }

    fn function(&self, function: &mut Function) -> Result<(), ExprError> {
        if matches!(function.args, FunctionArguments::Subquery(_)) {
            return Err(subquery());
        }
        let written = function.name.to_string();
        let first = function.name.0.first().and_then(|part| part.as_ident());
        let place = first.and_then(|ident| self.place(ident));
        if function.over.is_some() {
            let message =
                format!("`{written}` is used as a window function; an expression sees one row only");
            return Err(ExprError::new(message).at(place));
        }
        let name = written.trim_matches('"').to_lowercase();
        if self.context.is_scalar(&name) {
            *function = Function { name: vec![Ident::new(name)].into(), ..function.clone() };
            return Ok(());
        }
        if self.context.is_aggregate(&name) {
            let message = format!("`{written}` looks at many rows; an expression sees one row only");
            return Err(ExprError::new(message).at(place));
        }
        let error = ExprError::new(format!("there is no function `{written}`")).at(place);
        match nearest(&name, self.context.scalar_names()) {
            Some(near) => Err(error.help(format!("did you mean `{near}`?"))),
            None => Err(error),
        }
    }
}

fn subquery() -> ExprError {
    ExprError::new("a query inside an expression is not allowed; an expression sees one row only")
        .help("bring the other table's columns in with [[table.enrich]]")
}

/// The candidate nearest to a word, if one is near enough to be what was meant.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    candidates
        .map(|c| (strsim::jaro_winkler(&wanted, &c.to_lowercase()), c))
        .filter(|(score, _)| *score >= 0.84)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, c)| c)
}
