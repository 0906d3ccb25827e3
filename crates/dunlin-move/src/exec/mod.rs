//! A table's run as one DataFusion physical plan:
//!
//! ```text
//! MemorySourceConfig   one partition a split, one row a partition: (split, bounds)   the descriptor
//!   StageExec read     the descriptor becomes rows, hashed in source space
//!   StageExec enrich   columns looked up in other stores (only where the plan asks)
//!   StageExec map      where, retain, the plan's expressions, rules, protection, fit to the target
//!   StageExec merge    duplicates fold into survivors, references to them follow (only where there are any)
//!   StageExec load     rows and receipt in one target transaction; out comes one receipt row
//! ```
//!
//! A table that the plan does not change, between two stores of one system, takes a short way: `read untouched` instead of
//! read and map, with rows in the bytes of the wire.
//!
//! Every node above the leaf is unary and keeps partitions, and the split's number travels as data. That is the only
//! shape which a distributed engine runs without surprises: a custom leaf with several partitions gives wrong answers
//! there, silently. So the day one machine is not enough, nothing here changes.
//!
//! Architecture invariant: no stage keeps rows of one split where another can see them.

pub mod enrich;
pub mod load;
pub mod map;
pub(crate) mod merge;
pub mod names;
pub mod read;
mod split;
pub mod untouched;
mod waits;

use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_common::Result as DfResult;
use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_datasource::memory::MemorySourceConfig;
use datafusion_execution::TaskContext;
use datafusion_physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion_physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion_physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
    SendableRecordBatchStream,
};
use dunlin_connect::Bounds;

/// What one operator does to one partition's stream.
pub trait Stage: Send + Sync {
    /// Its name in plans.
    fn name(&self) -> &'static str;
    /// The schema it gives.
    fn schema(&self) -> SchemaRef;
    /// Turns the input of one split into its output.
    fn run(&self, input: SendableRecordBatchStream) -> SendableRecordBatchStream;
    /// The engine's expressions it evaluates.
    fn expressions(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        Vec::new()
    }
}

/// A unary, partition-preserving operator around a [`Stage`].
pub struct StageExec {
    stage: Arc<dyn Stage>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl StageExec {
    /// Puts a stage above a plan.
    pub fn over(input: Arc<dyn ExecutionPlan>, stage: Arc<dyn Stage>) -> Arc<dyn ExecutionPlan> {
        let partitions = input.output_partitioning().partition_count();
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(stage.schema()),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Arc::new(Self { stage, input, properties })
    }
}

impl fmt::Debug for StageExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StageExec({})", self.stage.name())
    }
}

impl DisplayAs for StageExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "StageExec: {}", self.stage.name())
    }
}

impl ExecutionPlan for StageExec {
    fn name(&self) -> &str {
        self.stage.name()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        for expression in self.stage.expressions() {
            if f(&expression)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let input = children.swap_remove(0);
        Ok(Self::over(input, self.stage.clone()))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        Ok(self.stage.run(self.input.execute(partition, context)?))
    }
}

/// The schema of a split's descriptor.
pub fn descriptor_schema() -> SchemaRef {
    Schema::new(vec![
        Field::new("split", DataType::UInt32, false),
        Field::new("bounds", DataType::Utf8, false),
    ])
    .into()
}

/// The leaf: one partition a split, one row a partition.
///
/// # Errors
/// Those of the engine; none is expected.
pub fn descriptors(splits: &[(u32, Bounds)]) -> DfResult<Arc<dyn ExecutionPlan>> {
    let schema = descriptor_schema();
    let partitions = splits
        .iter()
        .map(|(split, bounds)| {
            let text = serde_json::to_string(bounds).unwrap_or_default();
            let columns: Vec<arrow::array::ArrayRef> =
                vec![Arc::new(UInt32Array::from(vec![*split])), Arc::new(StringArray::from(vec![text]))];
            Ok(vec![RecordBatch::try_new(schema.clone(), columns)?])
        })
        .collect::<DfResult<Vec<_>>>()?;
    Ok(MemorySourceConfig::try_new_exec(&partitions, schema, None)?)
}
