//! From SQL text to a physical expression: parse, bind names, plan, simplify, lower.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_common::{DFSchema, DataFusionError};
use datafusion_expr::simplify::SimplifyContext;
use datafusion_expr::{Expr, ExprSchemable, cast};
use datafusion_optimizer::simplify_expressions::ExprSimplifier;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::BinaryExpr;
use datafusion_physical_expr::utils::collect_columns;
use datafusion_sql::sqlparser::ast::ExprWithAlias;

use super::context::Context;
use super::error::ExprError;
use super::names::bind;
use super::output::column_type;

/// Compiles expressions over one schema, with the clock at one instant.
pub struct Compiler {
    schema: SchemaRef,
    df_schema: Result<Arc<DFSchema>, ExprError>,
    context: Context,
}

/// An expression that is ready to be evaluated over batches of the compiler's schema.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The expression, bound to the positions of the schema's columns.
    pub expr: Arc<dyn PhysicalExpr>,
    /// The type of its values: always one that `dunlin_connect::ColumnType::arrow_type` can give.
    pub data_type: DataType,
    /// The positions of the schema's columns it reads, ascending.
    pub columns: Vec<usize>,
}

impl Compiler {
    /// A compiler for expressions over this schema. `run_at_us` (microseconds since 1970, UTC) is what `now()` and
    /// `current_date` say: pass the same on `run` and on `verify`.
    pub fn new(schema: SchemaRef, run_at_us: i64) -> Self {
        let df_schema = DFSchema::try_from(schema.as_ref().clone())
            .map(Arc::new)
            .map_err(|_| ExprError::new("two columns of this table have the same name"));
        Self { schema, df_schema, context: Context::at(run_at_us) }
    }

    /// Compiles an expression.
    ///
    /// # Errors
    /// Says what is wrong and where: syntax, an unknown column or function, types that do not go together, a
    /// subquery, an aggregate, a window function, or a function that gives another value each time.
    pub fn compile(&self, sql: &str) -> Result<Compiled, ExprError> {
        let schema = self.df_schema.as_ref().map_err(Clone::clone)?;
        let planning = |error: DataFusionError| ExprError::from_planning(error, sql);
        let expr = self.plan(sql, schema)?;
        let context = SimplifyContext::builder()
            .with_schema(Arc::clone(schema))
            .with_config_options(Arc::clone(self.context.options()))
            .with_query_execution_start_time(self.context.props().query_execution_start_time)
            .build();
        let simplifier = ExprSimplifier::new(context);
        let coerced = simplifier.coerce(expr, schema).map_err(planning)?;
        let ty = coerced.get_type(schema).map_err(planning)?;
        let data_type = column_type(&ty)?;
        let wanted = if ty == data_type { coerced } else { cast(coerced, data_type.clone()) };
        let simple = simplifier.simplify(wanted).map_err(planning)?;
        // What simplifying made is coerced once more, as its parts may have other types now.
        let fitting = simplifier.coerce(simple, schema).map_err(planning)?;
        let lowered = self.context.lower(&fitting, schema).map_err(planning)?;
        let expr = refuse_overflow(lowered).map_err(planning)?;
        let mut columns: Vec<usize> = collect_columns(&expr).iter().map(|c| c.index()).collect();
        columns.sort_unstable();
        columns.dedup();
        Ok(Compiled { expr, data_type, columns })
    }

    /// Compiles a condition: `where`, or the `check` of a rule. As in SQL's CHECK, a condition that gives NULL passes
    /// (see [`super::failing_rows`]); one that has to fail for missing values says `… is not null and …`.
    ///
    /// # Errors
    /// As [`Compiler::compile`], and when the expression does not give true or false.
    pub fn compile_condition(&self, sql: &str) -> Result<Compiled, ExprError> {
        let compiled = self.compile(sql)?;
        if compiled.data_type != DataType::Boolean {
            let message = format!("this gives {}, not true or false", compiled.data_type);
            return Err(ExprError::new(message).help("write a comparison, such as `status <> 'test'`"));
        }
        Ok(compiled)
    }

    /// The columns that an expression names, ascending, whether or not simplification keeps them.
    ///
    /// # Errors
    /// As [`Compiler::compile`].
    pub fn named_columns(&self, sql: &str) -> Result<Vec<usize>, ExprError> {
        let schema = self.df_schema.as_ref().map_err(Clone::clone)?;
        let expr = self.plan(sql, schema)?;
        let names = expr.column_refs();
        let mut columns: Vec<usize> =
            names.into_iter().filter_map(|c| self.schema.index_of(c.name()).ok()).collect();
        columns.sort_unstable();
        Ok(columns)
    }

    fn plan(&self, sql: &str, schema: &DFSchema) -> Result<Expr, ExprError> {
        let planning = |error: DataFusionError| ExprError::from_planning(error, sql);
        if sql.trim().is_empty() {
            return Err(ExprError::new("the expression is empty"));
        }
        let mut parsed = self.context.parse(sql).map_err(planning)?;
        if let Some(alias) = parsed.alias {
            let message = format!("`as {alias}` has no place in an expression");
            return Err(ExprError::new(message).help("the column's name stands on the left of the `=`"));
        }
        bind(&mut parsed.expr, sql, &self.schema, &self.context)?;
        let bound = ExprWithAlias { expr: parsed.expr, alias: None };
        let expr = self.context.plan(bound, schema).map_err(planning)?;
        refuse_unfit(&expr)?;
        Ok(expr)
    }
}

/// Refuses what planning lets through and a row cannot answer.
fn refuse_unfit(expr: &Expr) -> Result<(), ExprError> {
    let mut found = None;
    let walked = expr.apply(|e| {
        let message = match e {
            Expr::AggregateFunction(_) | Expr::WindowFunction(_) | Expr::GroupingSet(_) => {
                Some("a function over many rows is not allowed; an expression sees one row only")
            }
            Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_) => {
                Some("a query inside an expression is not allowed; an expression sees one row only")
            }
            Expr::Placeholder(_) => Some("a placeholder has no value here"),
            e if e.is_volatile_node() => {
                Some("this gives another value each time, so `verify` could never agree with `run`")
            }
            _ => None,
        };
        found = message;
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    match (walked, found) {
        (Ok(_), None) => Ok(()),
        (_, Some(message)) => Err(ExprError::new(message)),
        (Err(_), None) => Err(ExprError::new("this expression is nested too deeply")),
    }
}

/// Makes integer arithmetic fail where it would wrap around: a wrapped sum is a lost value.
fn refuse_overflow(expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
    let done =
        expr.transform_up(|node| {
            Ok(match node.downcast_ref::<BinaryExpr>() {
                Some(binary) => Transformed::yes(
                    Arc::new(binary.clone().with_fail_on_overflow(true)) as Arc<dyn PhysicalExpr>
                ),
                None => Transformed::no(node),
            })
        })?;
    Ok(done.data)
}
