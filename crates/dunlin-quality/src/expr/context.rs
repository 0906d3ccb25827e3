//! What the engine's planner knows while it plans an expression: its functions, its planners, its options, and the
//! clock. There are no tables, variables or queries to be found here.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
use arrow::temporal_conversions::timestamp_us_to_datetime;
use datafusion_common::config::ConfigOptions;
use datafusion_common::{DFSchema, DataFusionError, TableReference};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion_expr::planner::{ContextProvider, ExprPlanner};
use datafusion_expr::{AggregateUDF, Expr, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF};
use datafusion_functions::core::planner::CoreFunctionPlanner;
use datafusion_functions::datetime::planner::DatetimeFunctionPlanner;
use datafusion_functions::unicode::planner::UnicodeFunctionPlanner;
use datafusion_functions_nested::planner::{FieldAccessPlanner, NestedFunctionPlanner};
use datafusion_physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion_sql::parser::DFParserBuilder;
use datafusion_sql::planner::{ParserOptions, PlannerContext, SqlToRel};
use datafusion_sql::sqlparser::ast::ExprWithAlias;
use datafusion_sql::sqlparser::dialect::PostgreSqlDialect;

/// Deeper expressions are refused: the parser works by recursion.
const DEPTH_MAX: usize = 50;

/// How the engine plans and computes.
static OPTIONS: LazyLock<Arc<ConfigOptions>> = LazyLock::new(|| {
    let mut options = ConfigOptions::new();
    // So that `now()` is an instant, as in PostgreSQL.
    options.execution.time_zone = Some("UTC".to_owned());
    Arc::new(options)
});

/// Every function by its names, made once.
static FUNCTIONS: LazyLock<Functions> = LazyLock::new(Functions::all);

struct Functions {
    scalar: HashMap<String, Arc<ScalarUDF>>,
    higher: HashMap<String, Arc<HigherOrderUDF>>,
    /// Known so that a message can say that an expression sees one row only.
    aggregate: HashMap<String, Arc<AggregateUDF>>,
    planners: Vec<Arc<dyn ExprPlanner>>,
}

impl Functions {
    fn all() -> Self {
        let mut scalar = HashMap::new();
        let nested = datafusion_functions_nested::all_default_nested_functions();
        for function in datafusion_functions::all_default_functions().into_iter().chain(nested) {
            // Some are made for a zone, `now()` among them.
            let fitting = function.inner().with_updated_config(&OPTIONS);
            let function = fitting.map_or(function, Arc::new);
            for name in names(function.name(), function.aliases()) {
                scalar.insert(name, function.clone());
            }
        }
        let mut higher = HashMap::new();
        for function in datafusion_functions_nested::all_default_higher_order_functions() {
            for name in names(function.name(), function.aliases()) {
                higher.insert(name, function.clone());
            }
        }
        let mut aggregate = HashMap::new();
        for function in datafusion_functions_aggregate::all_default_aggregate_functions() {
            for name in names(function.name(), function.aliases()) {
                aggregate.insert(name, function.clone());
            }
        }
        let planners: Vec<Arc<dyn ExprPlanner>> = vec![
            Arc::new(CoreFunctionPlanner::default()),
            Arc::new(NestedFunctionPlanner),
            Arc::new(FieldAccessPlanner),
            Arc::new(DatetimeFunctionPlanner),
            Arc::new(UnicodeFunctionPlanner),
        ];
        Self { scalar, higher, aggregate, planners }
    }
}

fn names(name: &str, aliases: &[String]) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(aliases.iter().cloned()).collect()
}

/// The planner's surroundings at one instant.
pub(super) struct Context {
    props: ExecutionProps,
}

impl Context {
    /// Surroundings in which the clock stands at this instant, in microseconds since 1970 UTC.
    pub(super) fn at(run_at_us: i64) -> Self {
        let mut props = ExecutionProps::new();
        props.query_execution_start_time = timestamp_us_to_datetime(run_at_us).map(|at| at.and_utc());
        Self { props }
    }

    /// The options.
    pub(super) fn options(&self) -> &Arc<ConfigOptions> {
        &OPTIONS
    }

    /// Where the clock stands, and the like.
    pub(super) fn props(&self) -> &ExecutionProps {
        &self.props
    }

    /// Whether there is a function over one row of this name.
    pub(super) fn is_scalar(&self, name: &str) -> bool {
        FUNCTIONS.scalar.contains_key(name)
    }

    /// Whether there is a function over many rows of this name.
    pub(super) fn is_aggregate(&self, name: &str) -> bool {
        FUNCTIONS.aggregate.contains_key(name)
    }

    /// The names of the functions over one row.
    pub(super) fn scalar_names(&self) -> impl Iterator<Item = &str> {
        FUNCTIONS.scalar.keys().map(String::as_str)
    }

    /// Parses an expression of PostgreSQL's dialect.
    pub(super) fn parse(&self, sql: &str) -> Result<ExprWithAlias, DataFusionError> {
        DFParserBuilder::new(sql)
            .with_dialect(&PostgreSqlDialect {})
            .with_recursion_limit(DEPTH_MAX)
            .build()?
            .parse_into_expr()
    }

    /// Plans a parsed expression over a schema.
    pub(super) fn plan(&self, parsed: ExprWithAlias, schema: &DFSchema) -> Result<Expr, DataFusionError> {
        let options = ParserOptions {
            // `0.1 + 0.2` is money more often than physics.
            parse_float_as_decimal: true,
            enable_ident_normalization: false,
            map_string_types_to_utf8view: false,
            ..ParserOptions::default()
        };
        let planner = SqlToRel::new_with_options(self, options);
        planner.sql_to_expr_with_alias(parsed, schema, &mut PlannerContext::new())
    }

    /// Lowers a planned expression to what is evaluated over batches.
    pub(super) fn lower(
        &self,
        expr: &Expr,
        schema: &DFSchema,
    ) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
        create_physical_expr(expr, schema, &self.props, &PhysicalPlanningContext::default())
    }
}

impl ContextProvider for Context {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>, DataFusionError> {
        Err(DataFusionError::Plan(format!("table '{name}' not found")))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &FUNCTIONS.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        FUNCTIONS.scalar.get(name).cloned()
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        FUNCTIONS.higher.get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        FUNCTIONS.aggregate.get(name).cloned()
    }

    fn get_window_meta(&self, _: &str) -> Option<Arc<WindowUDF>> {
        None
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &OPTIONS
    }

    fn udf_names(&self) -> Vec<String> {
        FUNCTIONS.scalar.keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        FUNCTIONS.higher.keys().cloned().collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        FUNCTIONS.aggregate.keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}
