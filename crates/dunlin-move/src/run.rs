//! `dunlin run`, from top to bottom: read this file and you have understood the product.
//!
//! 1. Open the stores and know what they are; refuse what the plan, an approval or an unfinished run forbids.
//! 2. Resolve every table ([`crate::resolve()`]); one finding of level error and nothing is touched.
//! 3. Begin a run, or go on with the unfinished one: what its receipts in the target say has happened, has happened.
//! 4. Look for duplicates where the plan says so: which rows fold into which ([`crate::duplicates`]).
//! 5. For each table, parents first: make it if need be, cut it into splits, load them ([`crate::exec`]).
//! 6. Move what stands against keys that are added after the load into quarantine, then add the keys ([`crate::settle`]).
//! 7. Read every target table again and hold it against what was loaded ([`crate::reconcile`]).

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use dunlin_connect::canon::HashKey;
use dunlin_connect::{Bounds, Reader, Store, Target};
use dunlin_plan::Plan;
use dunlin_store::{Body, Entry, Purpose, SplitRecord, SplitStatus, Workspace, now_us};

use crate::duplicates::Crosswalks;
use crate::exec::load::{LoadContext, SplitReceipt};
use crate::failed::Failed;
use crate::parts::{StoredPart, parts_of, rows_folder};
use crate::pipeline::Pipeline;
use crate::protect::Protector;
use crate::reconcile::{TableResult, reconcile};
use crate::resolve::{Resolved, resolve};
use crate::spec::{SavedTable, TableSpec};
use crate::stores::Stores;
use crate::subject::stage::Subjects;
use crate::throttle::Throttle;
use crate::{Result, carry, definitions, duplicates, recover, replace, sets, settle, subject, totals};

pub use crate::options::{
    Event, Observer, Outcome, Problem, Rehearsal, RunOptions, RunSummary, Try, Unfinished,
};

/// Rows of a split: large enough that a transaction's cost vanishes, small enough that little is done twice.
const ROWS_PER_SPLIT: u64 = 100_000;

/// Runs a plan.
///
/// # Errors
/// [`crate::MoveError`], whose exit code is that of the command. Whatever was committed stays accounted for.
pub async fn run(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<RunSummary> {
    let _lock = workspace.lock_run()?;
    let fingerprint = plan.fingerprint().to_string();
    let mut plan = std::borrow::Cow::Borrowed(plan);
    let mut stores = Stores::open(&plan, &options.base).await?;
    if let Some(Rehearsal::Into(url)) = &options.rehearsal {
        recover::stand_in(&mut stores, &plan, url, options).await?;
    }
    let identities = stores.identities().await?;
    if matches!(options.rehearsal, Some(Rehearsal::Into(_))) {
        let copy = match &plan.comply {
            Some(comply) if comply.safe_harbor => {
                crate::safe_harbor::deidentified(&plan, &stores, now_us()).await?
            }
            _ => recover::deidentified(workspace, &plan, &fingerprint, &identities).await?,
        };
        plan = std::borrow::Cow::Owned(copy);
    }
    let plan = plan.as_ref();
    recover::allowed(workspace, plan, &fingerprint, &identities, options).await?;
    let begun = recover::unfinished(workspace, &fingerprint, &identities, options).await?;
    let resumed = begun.is_some();
    let saved = match &begun {
        Some(record) => recover::saved_tables(workspace, &record.id).await?,
        None => BTreeMap::new(),
    };
    if begun.is_none() {
        carry::keep_types(workspace, plan, &mut stores, &identities).await?;
    }
    let started_at = begun.as_ref().map_or_else(now_us, |r| r.started_at);
    let resolved = resolve(plan, &stores, started_at, &saved).await?;
    let mut run = Run::new(workspace, stores, plan, options, observer, resolved)?;
    run.one_moment = !resumed;
    if let Some(Rehearsal::Nowhere) = options.rehearsal {
        return run.rehearse(&fingerprint).await;
    }
    let id = match begun {
        Some(record) => run.resume(record).await?,
        None => run.begin(&fingerprint, identities, started_at).await?,
    };
    run.observer.event(Event::Run { run: &id, resumed });
    let throttle = Throttle::of(&run).await?;
    let ended = run.tables(&id, throttle.as_ref()).await;
    let held_back_seconds = throttle.as_ref().map_or(0.0, |t| t.held().as_secs_f64());
    drop(throttle);
    if let Err(error) = &ended {
        run.paused(&id, error, held_back_seconds).await?;
        workspace.integrate().await?;
    }
    let (tables, left_behind) = ended?;
    let examined = match run.is_safe_harbor_copy() {
        true => Some(crate::examine::examine(&run, &id).await?),
        false => None,
    };
    run.done(&id, &tables, &left_behind, held_back_seconds).await?;
    workspace.integrate().await?;
    let findings = run.resolved.findings;
    Ok(RunSummary {
        run: id,
        fingerprint,
        resumed,
        tables,
        findings,
        left_behind,
        held_back_seconds,
        examined,
    })
}

/// A run at work.
pub(crate) struct Run<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) stores: Stores,
    pub(crate) options: &'a RunOptions,
    pub(crate) plan: &'a Plan,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) resolved: Resolved,
    pub(crate) key: HashKey,
    pub(crate) protector: Arc<Protector>,
    quarantined: Arc<AtomicU64>,
    /// What customers have asked for, where the plan names customers.
    pub(crate) subjects: Option<Arc<Subjects>>,
    /// Whether all rows are read from one view of each source, which is not so once a run goes on.
    pub(crate) one_moment: bool,
    /// Which rows fold into which, as far as that is known.
    pub(crate) crosswalks: Crosswalks,
    /// Wall-clock seconds by table.
    pub(crate) seconds: Mutex<BTreeMap<String, f64>>,
    /// Why tables could not be moved, by label.
    pub(crate) problems: Mutex<BTreeMap<String, Problem>>,
}

/// The workspace's row hash key.
pub(crate) fn row_key(workspace: &Workspace) -> Result<HashKey> {
    let key = workspace.keys().key(Purpose::RowHash)?;
    let mut out = [0u8; 32];
    out.copy_from_slice(&key[..]);
    Ok(out)
}

/// The transforms under the workspace's current token key.
pub(crate) fn protector(workspace: &Workspace) -> Result<Arc<Protector>> {
    let key = workspace.keys().key(Purpose::Tokens)?;
    let mut bytes = [0u8; 32];
    bytes.copy_from_slice(&key[..]);
    Ok(Arc::new(Protector::new(bytes, workspace.keys().key_id(Purpose::Tokens)?)))
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        workspace: &'a Workspace,
        stores: Stores,
        plan: &'a Plan,
        options: &'a RunOptions,
        observer: Arc<dyn Observer>,
        resolved: Resolved,
    ) -> Result<Self> {
        let (key, protector) = (row_key(workspace)?, protector(workspace)?);
        let quarantined = Arc::new(AtomicU64::new(0));
        let seconds = Mutex::default();
        let subjects = Subjects::of(workspace, plan, &resolved.specs);
        Ok(Self {
            workspace,
            stores,
            options,
            plan,
            observer,
            resolved,
            key,
            protector,
            quarantined,
            subjects,
            one_moment: false,
            crosswalks: Crosswalks::default(),
            seconds,
            problems: Mutex::default(),
        })
    }

    pub(crate) fn entry(&self, body: Body) -> Entry {
        Entry { at: now_us(), actor: self.options.actor.clone(), body }
    }

    /// Whether this is a rehearsal into a copy that Safe Harbor is to hold for.
    fn is_safe_harbor_copy(&self) -> bool {
        let asked = self.plan.comply.as_ref().is_some_and(|comply| comply.safe_harbor);
        asked && matches!(self.options.rehearsal, Some(Rehearsal::Into(_)))
    }

    pub(crate) fn chosen(&self, spec: &TableSpec) -> bool {
        self.options.tables.is_empty() || self.options.tables.contains(&spec.label)
    }

    pub(crate) fn source(&self, spec: &TableSpec) -> Result<&Arc<dyn Store>> {
        self.stores.get(&spec.plan.from.store)
    }

    pub(crate) fn target(&self, spec: &TableSpec) -> Result<&Arc<dyn Store>> {
        self.stores.get(&spec.plan.to.store)
    }

    /// Everything between the beginning and the end of a run.
    async fn tables(
        &self,
        id: &str,
        throttle: Option<&Throttle>,
    ) -> Result<(Vec<TableResult>, Vec<definitions::LeftBehind>)> {
        let targets = self.targets().await?;
        let mut readers = self.readers().await?;
        if let Some(throttle) = throttle {
            readers.values_mut().for_each(|reader| *reader = throttle.over(reader.clone()));
        }
        let specs = self.scope(id).await?;
        for spec in specs.iter().filter(|s| self.chosen(s)) {
            self.prepare(id, spec).await?;
        }
        definitions::before(self, id, &specs).await?;
        for spec in specs.iter().filter(|s| s.created) {
            if self.target(spec)?.table(&spec.target.name).await?.is_none() {
                targets[&spec.plan.to.store].create(&spec.target).await?;
            }
        }
        for (store, target) in &targets {
            let existing: Vec<_> = specs
                .iter()
                .filter(|s| !s.created && s.plan.to.store == *store)
                .map(|s| s.target.as_ref().clone())
                .collect();
            let cyclic = carry::keys_aside(self, id, &specs, store).await?;
            target.before_load(&existing, &cyclic).await?;
        }
        // A decision on rows of an earlier run may have died between the target and the state as well.
        for before in carry::before(self, id, &specs).await? {
            recover::receipts(self, &before, &targets).await?;
        }
        recover::receipts(self, id, &targets).await?;
        // Only now is it known which splits are loaded.
        for spec in specs.iter().filter(|s| self.chosen(s)) {
            recover::same_files(self, id, spec).await?;
        }
        duplicates::before(self, Some(id), &readers).await?;
        let mut failed = Failed::of(self, id, &specs).await?;
        for spec in specs.iter().filter(|s| self.chosen(s)) {
            failed.keys_aside(self, spec, &targets).await?;
            let reader = &readers[&spec.plan.from.store];
            let begun = Instant::now();
            match self.table(id, spec, reader, &targets[&spec.plan.to.store]).await {
                Ok(()) => {}
                // Its rows are missing, and the run is not finished; the rows of the others need not wait for that.
                Err(error) if error.is_of_one_table() => {
                    self.note_problem(spec, &error);
                    if specs.len() > 1 {
                        let message = format!("{error}; the other tables go on");
                        self.observer.event(Event::Warning { table: &spec.label, message: &message });
                    }
                    failed.add(spec, error);
                }
                Err(error) => {
                    self.note_problem(spec, &error);
                    return Err(error);
                }
            }
            if let Ok(mut seconds) = self.seconds.lock() {
                seconds.insert(spec.label.clone(), begun.elapsed().as_secs_f64());
            }
        }
        if let Some(throttle) = throttle {
            throttle.done(self.observer.as_ref());
        }
        // Keys hold tables together: they come once all rows are there.
        failed.check(&specs)?;
        self.options.pause.check()?;
        subject::at_settle(self, id, &specs, &targets).await?;
        settle::keys(self, id, &specs, &targets).await?;
        for spec in &specs {
            let parts: Vec<String> = parts_of(self.workspace.state(), id, &spec.label)
                .await?
                .into_iter()
                // What an earlier run loaded is in the file already, under that run's name.
                .filter(|p| p.origin == id)
                .map(|p| p.name)
                .collect();
            targets[&spec.plan.to.store].join(id, &spec.target, &parts).await?;
        }
        let left = definitions::finish(self, id, &specs).await?;
        let mut results = Vec::with_capacity(specs.len());
        for spec in &specs {
            self.observer.event(Event::Step { table: Some(&spec.label), step: "read the target again" });
            self.options.pause.check()?;
            results.push(reconcile(self, id, spec).await?);
        }
        sets::stop(&specs, &results)?;
        Ok((results, left))
    }

    /// The tables of this run: those that are chosen, and those that it has begun with before. What holds tables together
    /// is settled for all of them, whichever are loaded now.
    async fn scope(&self, id: &str) -> Result<Vec<Arc<TableSpec>>> {
        let begun = self.workspace.state().tables(id).await?;
        let begun = |spec: &TableSpec| begun.iter().any(|(label, _)| *label == spec.label);
        Ok(self.resolved.specs.iter().filter(|s| self.chosen(s) || begun(s)).cloned().collect())
    }

    fn note_problem(&self, spec: &TableSpec, error: &crate::MoveError) {
        if let (false, Ok(mut problems)) = (matches!(error, crate::MoveError::Paused), self.problems.lock()) {
            problems.insert(spec.label.clone(), Problem::of(error));
        }
    }

    /// The target stores, with dunlin's bookkeeping in them.
    pub(crate) async fn targets(&self) -> Result<BTreeMap<String, Arc<dyn Target>>> {
        let mut targets = BTreeMap::new();
        for spec in &self.resolved.specs {
            if !targets.contains_key(&spec.plan.to.store) {
                let target = self.target(spec)?.target().await?;
                target.prepare().await?;
                targets.insert(spec.plan.to.store.clone(), target);
            }
        }
        Ok(targets)
    }

    /// One consistent view of each source store.
    async fn readers(&self) -> Result<BTreeMap<String, Arc<dyn Reader>>> {
        let mut readers = BTreeMap::new();
        for spec in &self.resolved.specs {
            if !readers.contains_key(&spec.plan.from.store) {
                readers.insert(spec.plan.from.store.clone(), self.source(spec)?.reader().await?);
            }
        }
        Ok(readers)
    }

    /// Makes sure that the target may be written to, and remembers both sides as they are.
    async fn prepare(&self, id: &str, spec: &Arc<TableSpec>) -> Result<()> {
        let known = self.workspace.state().tables(id).await?.iter().any(|(label, _)| *label == spec.label);
        if !known {
            let preexisting = carry::preexisting(self, spec).await?;
            let preexisting_totals = totals::preexisting(self, spec, preexisting).await?;
            let saved = SavedTable {
                source: spec.source.as_ref().clone(),
                target: spec.target.as_ref().clone(),
                created: spec.created,
                carried: spec.carried,
                preexisting,
                preexisting_totals,
                run_at_us: self.workspace.state().run(id).await?.started_at,
                files: recover::source_files(self, spec).await?,
            };
            let mut tx = self.workspace.state().begin().await?;
            tx.put_table(id, &spec.label, &serde_json::to_value(&saved).unwrap_or_default()).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Cuts a table into splits and loads those that have no receipt yet.
    async fn table(
        &self,
        id: &str,
        spec: &Arc<TableSpec>,
        reader: &Arc<dyn Reader>,
        target: &Arc<dyn Target>,
    ) -> Result<()> {
        let state = self.workspace.state();
        let pipeline = self.pipeline(spec, reader).await?;
        if state.splits(id, &spec.label).await?.is_empty() {
            self.cut(id, spec, reader, &pipeline).await?;
        }
        let splits = state.splits(id, &spec.label).await?;
        let open: Vec<(u32, Bounds)> = splits
            .iter()
            .filter(|s| s.status == SplitStatus::Planned)
            .filter_map(|s| Some((s.split, serde_json::from_value(s.descriptor.clone()).ok()?)))
            .collect();
        self.observer.event(Event::Table {
            table: &spec.label,
            rows_estimate: spec.source.rows_estimate,
            splits_done: splits.len() - open.len(),
            splits: splits.len(),
        });
        if open.is_empty() {
            return Ok(());
        }
        let replaces = replace::replaced(self, id, spec, &splits).await?;
        let observer = self.observer.clone();
        let context = LoadContext {
            run: id.to_owned(),
            target: Some(target.clone()),
            key: self.key,
            fragments: self.workspace.fragments(),
            rows: rows_folder(&self.workspace.state_dir, id, &spec.label),
            quarantined: self.quarantined.clone(),
            quarantine_max: self.options.quarantine_max,
            progress: Arc::new(move |rows, bytes| observer.event(Event::Rows { rows, bytes })),
            replaces: Arc::new(replaces),
            crosswalk: pipeline.crosswalk(),
        };
        // What replaces rows of an earlier run comes first and alone: see `replace::replaced`.
        let (first, rest): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|(split, _)| context.replaces.contains_key(split));
        for splits in [first, rest].into_iter().filter(|s| !s.is_empty()) {
            let entered = |receipt| self.receipt(id, spec, receipt);
            let (jobs, pause) = (self.options.jobs, &self.options.pause);
            pipeline.load(&splits, jobs, pause, context.clone(), entered).await?;
        }
        Ok(())
    }

    async fn cut(
        &self,
        id: &str,
        spec: &TableSpec,
        reader: &Arc<dyn Reader>,
        pipeline: &Pipeline,
    ) -> Result<()> {
        let before = carry::previous(self, id, spec).await?;
        let rows = self.options.rows_per_split.unwrap_or(ROWS_PER_SPLIT);
        let bounds = reader.splits(&spec.source, rows, &before.bounds()).await?;
        let bounds = carry::last_kept_whole(&before.bounds(), bounds);
        let carried = carry::unchanged(pipeline, &before, &bounds).await?;
        let records: Vec<SplitRecord> = bounds
            .iter()
            .enumerate()
            .map(|(split, bounds)| {
                let receipt = carried.get(split).cloned().flatten();
                SplitRecord {
                    run: id.to_owned(),
                    table: spec.label.clone(),
                    split: split as u32,
                    descriptor: serde_json::to_value(bounds).unwrap_or_default(),
                    status: if receipt.is_some() { SplitStatus::Loaded } else { SplitStatus::Planned },
                    receipt: receipt.map(|r| serde_json::to_value(r).unwrap_or_default()),
                }
            })
            .collect();
        let mut tx = self.workspace.state().begin().await?;
        tx.insert_splits(&records).await?;
        carry::amendments(&mut tx, id, spec, &before, &records).await?;
        for (origin, fragment) in carry::superseded(&before, &records) {
            tx.remove_quarantine_fragment(&origin, &spec.label, &fragment).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Step 3 of the order of durability: the receipt enters the state and the ledger.
    pub(crate) async fn receipt(&self, id: &str, spec: &TableSpec, done: SplitReceipt) -> Result<()> {
        fail::fail_point!("move::receipt.before_state", |_| Err(crate::MoveError::failpoint(
            "move::receipt.before_state"
        )));
        let rows = recover::quarantine_rows(self.workspace, id, &spec.label, done.receipt.fragment.as_ref())?;
        let mut tx = self.workspace.state().begin().await?;
        // What a rehearsal quarantines waits for nobody.
        if self.options.rehearsal.is_none() {
            tx.insert_quarantine_rows(&rows).await?;
        }
        tx.enter(self.entry(recover::split_loaded(id, &spec.label, &done))).await?;
        let stored = StoredPart { origin: None, receipt: done.receipt };
        let value = serde_json::to_value(&stored).unwrap_or_default();
        tx.record_receipt(id, &spec.label, done.split, &value).await?;
        tx.commit().await?;
        fail::fail_point!("move::receipt.after_state", |_| Err(crate::MoveError::failpoint(
            "move::receipt.after_state"
        )));
        Ok(())
    }

    /// Everything but the writing: what would be loaded, quarantined, excluded, and why.
    async fn rehearse(self, fingerprint: &str) -> Result<RunSummary> {
        let readers = self.readers().await?;
        duplicates::before(&self, None, &readers).await?;
        let mut tables = Vec::new();
        for spec in self.resolved.specs.iter().filter(|s| self.chosen(s)) {
            let reader = &readers[&spec.plan.from.store];
            tables.push(crate::reconcile::rehearse(&self, spec, reader).await?);
        }
        let run = "rehearsal".to_owned();
        Ok(RunSummary {
            run,
            fingerprint: fingerprint.to_owned(),
            resumed: false,
            tables,
            findings: self.resolved.findings,
            left_behind: Vec::new(),
            held_back_seconds: 0.0,
            examined: None,
        })
    }

    /// How many splits work at the same time, and how rows are counted, without a target.
    pub(crate) fn counting(&self, spec: &TableSpec) -> LoadContext {
        let observer = self.observer.clone();
        LoadContext {
            run: "rehearsal".to_owned(),
            target: None,
            key: self.key,
            fragments: self.workspace.fragments(),
            rows: rows_folder(&self.workspace.state_dir, "rehearsal", &spec.label),
            quarantined: self.quarantined.clone(),
            quarantine_max: self.options.quarantine_max,
            progress: Arc::new(move |rows, bytes| observer.event(Event::Rows { rows, bytes })),
            replaces: Arc::default(),
            crosswalk: None,
        }
    }
}
