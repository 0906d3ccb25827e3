//! What one table's run will do, resolved: the plan's table held against both stores. Not how it runs: see `exec`.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;
use dunlin_connect::{ColumnType, LoadColumn, ReadColumn, Table};
use dunlin_plan::{Kind, Protect, TablePlan};
use dunlin_quality::{CleanFunction, CleanOptions, Compiled};

use crate::check_rules::Rules;
use crate::customer::Hop;
use crate::totals::{Totals, TotalsSpec};

/// One table of the plan, resolved against its stores.
pub struct TableSpec {
    /// The label in the plan and in all output, e.g. `atlas.people`.
    pub label: String,
    /// The plan's own words.
    pub plan: TablePlan,
    /// The source table as it is.
    pub source: Arc<Table>,
    /// The target table as it is, or as dunlin will make it.
    pub target: Arc<Table>,
    /// Whether dunlin makes the target table.
    pub created: bool,
    /// Whether the table is taken over as it is, with everything about it: see `definitions`.
    pub carried: bool,
    /// The source columns that are read: those the plan uses.
    pub read: Vec<ReadColumn>,
    /// From input to target columns.
    pub mapping: Arc<Mapping>,
    /// The row rules.
    pub rules: Arc<Rules>,
    /// Positions among the mapped columns that name a row in the target; empty where nothing does.
    pub key: Vec<usize>,
    /// What is added up on both sides, where the plan asks for it.
    pub totals: Option<Arc<TotalsSpec>>,
    /// What the plan's rules on all rows together add up.
    pub sums: Option<Arc<TotalsSpec>>,
}

impl TableSpec {
    /// The kind of a source column, as a word: that of a target column which takes it over.
    pub(crate) fn source_kind(&self, name: &str) -> Option<String> {
        let read = self.mapping.read_schema.index_of(name).ok()?;
        let taking = self.mapping.columns.iter().find(|m| m.from == Some(read) && m.kind.is_some())?;
        taking.kind.map(|k| k.as_str().to_owned())
    }

    /// What is added up while the target is read: the control totals, then the sums of rules.
    pub(crate) fn added_up(&self) -> [Option<Arc<TotalsSpec>>; 2] {
        [self.totals.clone(), self.sums.clone()]
    }

    /// The columns a load writes, in the order of the mapping.
    pub fn load_columns(&self) -> Vec<LoadColumn> {
        let columns = self.mapping.columns.iter();
        columns.map(|c| LoadColumn { index: c.target_index, as_text: c.as_text }).collect()
    }

    /// The columns by which the target is read back, in the same order.
    pub fn read_back(&self) -> Vec<ReadColumn> {
        let columns = self.mapping.columns.iter();
        columns.map(|c| ReadColumn { index: c.target_index, as_text: c.as_text }).collect()
    }

    /// The names of the key's columns in the target.
    pub fn key_names(&self) -> Vec<&str> {
        self.key.iter().map(|i| self.mapping.columns[*i].target.as_str()).collect()
    }
}

/// From the input (what is read, and what enriching adds) to the target columns.
pub struct Mapping {
    /// The columns as read.
    pub read_schema: SchemaRef,
    /// The columns as read, then the columns that enriching adds: what expressions see.
    pub input_schema: SchemaRef,
    /// The column types of the input.
    pub input_types: Vec<ColumnType>,
    /// The mapped columns as they are loaded.
    pub target_schema: SchemaRef,
    /// Rows for which this is not true do not move.
    pub keep: Option<Compiled>,
    /// Rows for which this is true are past their retention.
    pub retain: Option<Compiled>,
    /// The target columns.
    pub columns: Vec<Mapped>,
    /// The column among them that names the customer of a row, where the plan says one.
    pub subject: Option<usize>,
    /// The tables between that column and the customer's id; none where it is the id.
    pub hops: Vec<Hop>,
}

impl Mapping {
    /// The engine's expressions.
    pub fn expressions(&self) -> impl Iterator<Item = &Arc<dyn PhysicalExpr>> {
        let filters = self.keep.iter().chain(&self.retain).map(|c| &c.expr);
        filters.chain(self.columns.iter().filter_map(|c| match &c.value {
            Value::Expression(compiled) => Some(&compiled.expr),
            _ => None,
        }))
    }
}

/// One target column.
pub struct Mapped {
    /// Its name.
    pub target: String,
    /// Its position in the target table.
    pub target_index: usize,
    /// How its value is made.
    pub value: Value,
    /// The type of that value before it is fitted.
    pub natural: ColumnType,
    /// The type in the clear: what rules read.
    pub clear_type: ColumnType,
    /// The type that is loaded.
    pub load_type: ColumnType,
    /// Whether it is loaded through the target's own text input.
    pub as_text: bool,
    /// Whether the target takes NULL.
    pub nullable: bool,
    /// How it is hidden.
    pub protect: Option<Protect>,
    /// What it holds, by the plan.
    pub kind: Option<Kind>,
    /// The input column whose value it takes over (perhaps cast or cleaned), if there is exactly one.
    pub from: Option<usize>,
    /// The year in which the run began: ages are counted from it.
    pub run_year: i16,
}

/// How a target column's value is made.
pub enum Value {
    /// NULL for now: `dunlin enrich` fills it after the load.
    Later,
    /// An input column, untouched.
    Column(usize),
    /// A SQL expression over the input.
    Expression(Compiled),
    /// A cleaning function over one input column.
    Clean {
        /// Which.
        function: CleanFunction,
        /// The input column.
        input: usize,
        /// Region, formats, sentinels.
        options: CleanOptions,
    },
}

/// What of a resolved table is kept in the state, so that a run can be resumed, verified and undone after the stores
/// have changed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SavedTable {
    /// The source table at the start of the run.
    pub source: Table,
    /// The target table as the run made or found it.
    pub target: Table,
    /// Whether the run made it.
    pub created: bool,
    /// Whether everything about it comes over as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub carried: bool,
    /// Rows that stood in the target before, in target space.
    pub preexisting: crate::Tally,
    /// What they come to, where the plan asks for control totals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preexisting_totals: Option<Totals>,
    /// When the run began, microseconds since 1970 UTC: what `now()` means in its expressions.
    pub run_at_us: i64,
    /// The source's files at the start of the run, where it has files: a split of another file is another split.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<dunlin_connect::files::FileStamp>,
}
