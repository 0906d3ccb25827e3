//! The physical plan of a table, put together and driven: leaf, read, enrich, map, and, for a run, load.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use datafusion_execution::TaskContext;
use datafusion_physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use dunlin_connect::canon::HashKey;
use dunlin_connect::{Bounds, ReadRequest, Reader};
use futures::StreamExt;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::customer::Customers;
use crate::duplicates::TableMerges;
use crate::exec::enrich::{EnrichStage, Lookup};
use crate::exec::load::{LoadContext, LoadStage, SplitReceipt};
use crate::exec::map::MapStage;
use crate::exec::merge::MergeStage;
use crate::exec::read::ReadStage;
use crate::exec::untouched::Untouched;
use crate::exec::{Stage, StageExec, descriptors};
use crate::pause::Pause;
use crate::protect::Protector;
use crate::spec::TableSpec;
use crate::subject::stage::{SubjectStage, Subjects};
use crate::{MoveError, Result};

/// What every pipeline over a table needs.
#[derive(Clone)]
pub struct Pipeline {
    /// The table.
    pub spec: Arc<TableSpec>,
    /// The source.
    pub reader: Arc<dyn Reader>,
    /// The row hash key.
    pub key: HashKey,
    /// The keyed transforms.
    pub protector: Arc<Protector>,
    /// What enriching looks up, in the order of the plan's `during` enrichments.
    pub lookups: Vec<Arc<Lookup>>,
    /// What customers have asked for; `None` where the plan names no customers, or where it is to be looked past.
    pub(crate) subjects: Option<Arc<Subjects>>,
    /// What duplicates mean for its rows; `None` where none concern it.
    pub(crate) merges: Option<Arc<TableMerges>>,
    /// Mapped columns that are handed on in the clear as well, behind the others.
    pub(crate) shown: Arc<[usize]>,
    /// What leads from its rows to their customers.
    pub(crate) customers: Arc<Customers>,
}

/// The most rows of a batch: enough to keep columns in the cache, and to make the cost of a batch small.
const BATCH_ROWS: usize = 8_192;

impl Pipeline {
    /// The plan up to the mapped row.
    pub fn mapped(&self, splits: &[(u32, Bounds)]) -> Result<Arc<dyn ExecutionPlan>> {
        let leaf = leaf(splits)?;
        let read = Arc::new(ReadStage {
            reader: self.reader.clone(),
            table: self.spec.source.clone(),
            columns: self.spec.read.clone(),
            key: self.key,
            batch_rows: BATCH_ROWS,
        });
        let mut plan = StageExec::over(leaf, read);
        if !self.lookups.is_empty() {
            plan = StageExec::over(plan, Arc::new(EnrichStage::new(self.spec.clone(), self.lookups.clone())));
        }
        let map = MapStage {
            mapping: self.spec.mapping.clone(),
            rules: self.spec.rules.clone(),
            protector: self.protector.clone(),
            shown: self.shown.clone(),
            customers: self.customers.clone(),
        };
        let schema = map.schema();
        let mut plan = StageExec::over(plan, Arc::new(map));
        if let Some(merges) = &self.merges {
            let (merges, spec, schema) = (merges.clone(), self.spec.clone(), schema.clone());
            plan = StageExec::over(plan, Arc::new(MergeStage { merges, spec, key: self.key, schema }));
        }
        let Some(subjects) = self.concerned() else { return Ok(plan) };
        let stage = SubjectStage {
            subjects: subjects.clone(),
            spec: self.spec.clone(),
            protector: self.protector.clone(),
            schema,
        };
        Ok(StageExec::over(plan, Arc::new(stage)))
    }

    /// What customers have asked for, where the table may hold their rows.
    fn concerned(&self) -> Option<&Arc<Subjects>> {
        self.subjects.as_ref().filter(|s| s.links.tables.contains_key(&self.spec.label))
    }

    /// Whether any customer has asked for something that rows of this table may have to heed. Who asks while the table
    /// is on its short way is heeded at the end of the run.
    async fn is_marked(&self) -> Result<bool> {
        match self.concerned() {
            Some(subjects) => Ok(!subjects.asked().await?.book.is_empty()),
            None => Ok(false),
        }
    }

    /// The plan up to the receipt: the short way where the table may take it, else the long one.
    async fn loading(
        &self,
        splits: &[(u32, Bounds)],
        context: LoadContext,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let request = ReadRequest {
            table: self.spec.source.clone(),
            columns: self.spec.read.clone(),
            bounds: Bounds::Whole,
            batch_rows: BATCH_ROWS,
        };
        let plain = self.lookups.is_empty() && self.merges.is_none();
        let untouched = match plain && !self.is_marked().await? {
            true => Untouched::of(&self.spec, &self.reader, request, &context).await?,
            false => None,
        };
        let input = match &untouched {
            Some(read) => StageExec::over(leaf(splits)?, Arc::new(read.clone())),
            None => self.mapped(splits)?,
        };
        let load = LoadStage { context, spec: self.spec.clone(), untouched: untouched.map(Arc::new) };
        Ok(StageExec::over(input, Arc::new(load)))
    }

    /// Loads splits, at most `jobs` at a time, and none more once `pause` is asked for. `done` is told of each receipt
    /// as it comes; splits that were not begun when one fails are left for the next run.
    pub async fn load<F, Fut>(
        &self,
        splits: &[(u32, Bounds)],
        jobs: usize,
        pause: &Pause,
        context: LoadContext,
        mut done: F,
    ) -> Result<()>
    where
        F: FnMut(SplitReceipt) -> Fut,
        Fut: Future<Output = Result<()>>,
    {
        let plan = self.loading(splits, context).await?;
        let mut tasks = partitions(&plan, jobs, pause);
        let mut failure = None;
        while let Some(joined) = tasks.join_next().await {
            let outcome = joined.unwrap_or_else(|_| Err(panicked()));
            match outcome {
                Ok(batches) => {
                    for receipt in batches.iter().flat_map(receipts) {
                        done(receipt?).await?;
                    }
                }
                // Splits on their way come to their end and are entered; those that were not begun say the same.
                Err(MoveError::Paused) if failure.is_none() => failure = Some(MoveError::Paused),
                Err(MoveError::Paused) => {}
                Err(error) if !matches!(failure, None | Some(MoveError::Paused)) => drop(error),
                Err(error) => {
                    // Splits on their way may still commit; what they commit is found again by their receipts.
                    tasks.abort_all();
                    failure = Some(error);
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// The hash of the crosswalks that concern its rows.
    pub(crate) fn crosswalk(&self) -> Option<String> {
        self.merges.as_ref().map(|m| m.hash.clone())
    }

    /// Hands every mapped batch to `each`, one split after another.
    pub async fn for_each(
        &self,
        splits: &[(u32, Bounds)],
        mut each: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let plan = self.mapped(splits)?;
        let context = Arc::new(TaskContext::default());
        for partition in 0..splits.len() {
            let stream = plan.execute(partition, context.clone());
            let mut stream = stream.map_err(|e| MoveError::engine("start a split", e))?;
            while let Some(batch) = stream.next().await {
                each(&batch.map_err(|e| MoveError::engine("read and map a split", e))?)?;
            }
        }
        Ok(())
    }
}

fn leaf(splits: &[(u32, Bounds)]) -> Result<Arc<dyn ExecutionPlan>> {
    descriptors(splits).map_err(|e| MoveError::engine("plan a table's splits", e))
}

fn panicked() -> MoveError {
    MoveError::Engine { act: "run a split".to_owned(), code: "panic".to_owned() }
}

fn partitions(
    plan: &Arc<dyn ExecutionPlan>,
    jobs: usize,
    pause: &Pause,
) -> JoinSet<Result<Vec<RecordBatch>>> {
    let context = Arc::new(TaskContext::default());
    let turn = Arc::new(Semaphore::new(jobs.max(1)));
    let mut tasks = JoinSet::new();
    for partition in 0..plan.output_partitioning().partition_count() {
        let (plan, context, turn, pause) = (plan.clone(), context.clone(), turn.clone(), pause.clone());
        tasks.spawn(async move {
            let _turn = turn.acquire_owned().await.map_err(|_| panicked())?;
            pause.check()?;
            let stream = plan.execute(partition, context);
            let mut stream = stream.map_err(|e| MoveError::engine("start a split", e))?;
            let mut batches = Vec::new();
            while let Some(batch) = stream.next().await {
                batches.push(batch.map_err(|e| MoveError::engine("load a split", e))?);
            }
            Ok(batches)
        });
    }
    tasks
}

fn receipts(batch: &RecordBatch) -> Vec<Result<SplitReceipt>> {
    let texts = batch.column(0).as_string::<i32>();
    let unreadable = |_| MoveError::Engine { act: "read a receipt".to_owned(), code: "json".to_owned() };
    texts.iter().flatten().map(|text| serde_json::from_str(text).map_err(unreadable)).collect()
}
