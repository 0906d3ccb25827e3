//! Before a run goes on: may it, what was begun, and what the targets know that the state does not.

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_connect::{Receipt, Target};
use dunlin_plan::{Plan, StorePlan, StoreUrl};
use dunlin_store::{
    Amendment, Approval, Body, Counts, CountsDelta, QuarantineRow, QuarantineStatus, RunRecord, RunStatus,
    SplitStatus, Workspace,
};

use crate::accounting::{Dispositions, FileRef, PartReceipt};
use crate::exec::load::SplitReceipt;
use crate::parts::StoredPart;
use crate::quarantine::QuarantinedRow;
use crate::run::{Run, RunOptions, Unfinished};
use crate::spec::{SavedTable, TableSpec};
use crate::stores::{Stores, file_stamps, files_changed, open_store};
use crate::{MoveError, Result};

/// The note of an amendment that enriched rows, with how many.
pub const ENRICHED: &str = "enriched";

/// Puts the rehearsal's copy in the place of every target store.
pub async fn stand_in(stores: &mut Stores, plan: &Plan, url: &str, options: &RunOptions) -> Result<()> {
    let names: std::collections::BTreeSet<&str> = plan.tables.iter().map(|t| t.to.store.as_str()).collect();
    for name in names {
        let Some(store) = plan.stores.get(name) else { continue };
        let copy = StorePlan { url: parse_url(url)?, ..store.clone() };
        stores.replace(name, open_store(&copy, &options.base).await?);
    }
    Ok(())
}

/// The plan of a rehearsal into a copy: unless this very plan was approved for these stores, every column of a personal,
/// sensitive or secret kind that the plan does not protect arrives as a token. Equal values stay equal, so keys and
/// matching behave as they will; nobody is in the copy.
pub async fn deidentified(
    workspace: &Workspace,
    plan: &Plan,
    fingerprint: &str,
    identities: &BTreeMap<String, String>,
) -> Result<Plan> {
    let approvals = workspace.state().approvals(fingerprint).await?;
    if approvals.iter().any(|a| a.stores == *identities) {
        return Ok(plan.clone());
    }
    let mut copy = plan.clone();
    for column in copy.tables.iter_mut().flat_map(|t| &mut t.columns) {
        let personal = column.kind.is_some_and(|k| k.class() >= dunlin_plan::Class::Personal);
        if personal && column.protect.is_none() {
            column.protect = Some(dunlin_plan::Protect::Tokenise);
        }
    }
    Ok(copy)
}

pub(crate) fn parse_url(url: &str) -> Result<StoreUrl> {
    url.parse().map_err(|e| MoveError::Refused {
        code: "rehearse-url",
        message: format!("the URL of the copy cannot be used: {e}"),
        help: "name it `sqlite:PATH`, `env:NAME` or `secret:PATH`".to_owned(),
    })
}

/// A protected store is written to only by a plan whose fingerprint was approved for these very stores.
pub async fn allowed(
    workspace: &Workspace,
    plan: &Plan,
    fingerprint: &str,
    identities: &BTreeMap<String, String>,
    options: &RunOptions,
) -> Result<()> {
    let protected =
        plan.tables.iter().map(|t| &t.to.store).find(|s| plan.stores.get(*s).is_some_and(|s| s.protected));
    let Some(store) = protected.filter(|_| options.rehearsal.is_none()) else { return Ok(()) };
    let approvals: Vec<Approval> = workspace.state().approvals(fingerprint).await?;
    if approvals.iter().any(|a| a.stores == *identities) {
        return Ok(());
    }
    let message = if approvals.is_empty() {
        format!("store `{store}` is protected and this plan is not approved")
    } else {
        format!("store `{store}` is protected; this plan was approved for other stores than these")
    };
    Err(MoveError::Refused {
        code: "not-approved",
        message,
        help: format!("`dunlin plan approve --fingerprint {fingerprint}` binds the plan to these stores"),
    })
}

/// The unfinished run to go on with, if there is one.
pub async fn unfinished(
    workspace: &Workspace,
    fingerprint: &str,
    identities: &BTreeMap<String, String>,
    options: &RunOptions,
) -> Result<Option<RunRecord>> {
    if options.rehearsal.is_some() {
        return Ok(None);
    }
    let state = workspace.state();
    let mut open = state.unfinished_runs().await?;
    open.retain(|r| r.kind == dunlin_store::RunKind::Load);
    if let Unfinished::Abandon(id) = &options.unfinished {
        abandon(workspace, id, options).await?;
        open.retain(|r| r.id != *id);
    }
    let wanted = match &options.unfinished {
        Unfinished::Resume(id) => open.iter().find(|r| r.id == *id),
        _ => open.iter().find(|r| r.fingerprint == fingerprint),
    };
    if let Some(record) = wanted {
        if record.stores != *identities {
            return Err(MoveError::Refused {
                code: "other-stores",
                message: format!("run {} was begun on other stores than these", record.id),
                help: "point the plan at the stores it was begun on, or use --abandon".to_owned(),
            });
        }
        return Ok(Some(record.clone()));
    }
    match (open.first(), &options.unfinished) {
        (_, Unfinished::Resume(id)) => Err(MoveError::Refused {
            code: "no-such-run",
            message: format!("there is no unfinished run {id}"),
            help: "`dunlin run` without --resume goes on with the unfinished run of this plan".to_owned(),
        }),
        (Some(other), _) => Err(MoveError::Refused {
            code: "run-unfinished",
            message: format!("run {} of an earlier form of this plan is not finished", other.id),
            help: format!(
                "finish it by the plan it was begun with: dunlin run --resume {0}\nor leave it: dunlin run --abandon {0}",
                other.id
            ),
        }),
        (None, _) => Ok(None),
    }
}

async fn abandon(workspace: &Workspace, id: &str, options: &RunOptions) -> Result<()> {
    let mut tx = workspace.state().begin().await?;
    tx.set_run_status(id, RunStatus::Abandoned).await?;
    let body = Body::RunAbandoned { run: id.to_owned() };
    let at = dunlin_store::now_us();
    tx.enter(dunlin_store::Entry { at, actor: options.actor.clone(), body }).await?;
    tx.commit().await?;
    Ok(())
}

/// What a run has kept of its tables.
pub async fn saved_tables(workspace: &Workspace, run: &str) -> Result<BTreeMap<String, SavedTable>> {
    let mut saved = BTreeMap::new();
    for (label, value) in workspace.state().tables(run).await? {
        let table = serde_json::from_value(value).map_err(|_| MoveError::Broken {
            message: format!("what run {run} kept of {label} is not readable"),
            help: "restore `.dunlin/` from a backup".to_owned(),
        })?;
        saved.insert(label, table);
    }
    Ok(saved)
}

/// The files of a table's source as they are now.
pub async fn source_files(run: &Run<'_>, spec: &TableSpec) -> Result<Vec<dunlin_connect::files::FileStamp>> {
    let Some(store) = run.plan.stores.get(&spec.plan.from.store) else { return Ok(Vec::new()) };
    file_stamps(store, &run.options.base, &spec.source.name).await
}

/// Splits of files are stretches of bytes: those that are still to be loaded must lie in the files that were cut. A table
/// of which nothing is loaded is cut anew where its files are others: whoever mends a damaged file changes it.
pub async fn same_files(run: &Run<'_>, id: &str, spec: &TableSpec) -> Result<()> {
    let state = run.workspace.state();
    let splits = state.splits(id, &spec.label).await?;
    if splits.iter().all(|s| s.status != SplitStatus::Planned) {
        return Ok(());
    }
    let Some(mut saved) = saved_tables(run.workspace, id).await?.remove(&spec.label) else { return Ok(()) };
    let Some(store) = run.plan.stores.get(&spec.plan.from.store).filter(|_| !saved.files.is_empty()) else {
        return Ok(());
    };
    let changed = files_changed(store, &run.options.base, &spec.source.name, saved.files.clone()).await?;
    match changed {
        None => Ok(()),
        Some(_) if splits.iter().all(|s| s.status == SplitStatus::Planned) => {
            saved.files = source_files(run, spec).await?;
            let mut tx = state.begin().await?;
            tx.remove_planned_splits(id, &spec.label).await?;
            // Duplicates that were found in the file as it was say nothing of this one: they are sought anew.
            tx.forget_matching(id, &spec.label).await?;
            tx.put_table(id, &spec.label, &serde_json::to_value(&saved).unwrap_or_default()).await?;
            tx.commit().await?;
            Ok(())
        }
        Some(what) => Err(MoveError::Refused {
            code: "source-changed",
            message: format!("the source of {} changed since run {id} began: {what}", spec.label),
            help: format!(
                "put it back as it was and run again\nor take the run back and begin anew: dunlin undo --run {id}"
            ),
        }),
    }
}

/// Receipts in the targets that the state does not know get their entry now; fragments that no receipt names go.
/// Gives how many receipts got an entry.
pub async fn receipts(run: &Run<'_>, id: &str, targets: &BTreeMap<String, Arc<dyn Target>>) -> Result<u64> {
    let state = run.workspace.state();
    let mut entered = 0;
    for target in targets.values() {
        for receipt in target.receipts(id).await? {
            let Some(spec) = run.resolved.specs.iter().find(|s| s.label == receipt.table) else { continue };
            match receipt.part.parse::<u32>() {
                Ok(split) => {
                    let splits = state.splits(id, &spec.label).await?;
                    let open = splits.iter().any(|s| s.split == split && s.status == SplitStatus::Planned);
                    if open {
                        entered += 1;
                        run.receipt(id, spec, SplitReceipt { split, receipt: body(&receipt)? }).await?;
                    }
                }
                Err(_) => entered += u64::from(amendment(run, id, spec, &receipt).await?),
            }
        }
    }
    sweep(run, id).await?;
    Ok(entered)
}

fn body(receipt: &Receipt) -> Result<PartReceipt> {
    serde_json::from_str(&receipt.body).map_err(|_| MoveError::Broken {
        message: format!(
            "the receipt of part {} of {} in the target is not readable",
            receipt.part, receipt.table
        ),
        help: "`dunlin verify` compares both sides without it".to_owned(),
    })
}

async fn amendment(run: &Run<'_>, id: &str, spec: &TableSpec, receipt: &Receipt) -> Result<bool> {
    let Some(number) = receipt.part.strip_prefix("amend-").and_then(|n| n.parse::<u32>().ok()) else {
        return Ok(false);
    };
    let known = run.workspace.state().amendments(id, &spec.label).await?;
    if known.iter().any(|a| a.amendment == number) {
        return Ok(false);
    }
    record_amendment(run.workspace, &run.options.actor, id, &spec.label, number, body(receipt)?).await?;
    Ok(true)
}

/// Step 3 of the order of durability for an amendment.
pub async fn record_amendment(
    workspace: &Workspace,
    actor: &dunlin_store::Actor,
    id: &str,
    label: &str,
    number: u32,
    receipt: PartReceipt,
) -> Result<()> {
    let rows = quarantine_rows(workspace, id, label, receipt.fragment.as_ref())?;
    let crosswalk = match &receipt.refolded {
        Some(refolded) => Some(crate::duplicates::carry_out::refold(workspace, id, label, refolded).await?),
        None => None,
    };
    let mut tx = workspace.state().begin().await?;
    if let Some(crosswalk) = crosswalk {
        tx.put_crosswalk(id, label, &crosswalk).await?;
    }
    tx.insert_quarantine_rows(&rows).await?;
    for (place, settled) in &receipt.settles {
        let Some((run, fragment)) = place.split_once('/') else { continue };
        let status = if receipt.dispositions.loaded.rows > 0 {
            QuarantineStatus::Released
        } else {
            QuarantineStatus::Discarded
        };
        tx.decide_quarantine_rows(run, label, fragment, settled, status).await?;
    }
    enter_amendment(&mut tx, actor, id, label, number, receipt).await?;
    tx.commit().await?;
    Ok(())
}

/// An amendment and the ledger's words on it, in a transaction that does more.
pub async fn enter_amendment(
    tx: &mut dunlin_store::Tx,
    actor: &dunlin_store::Actor,
    id: &str,
    label: &str,
    number: u32,
    receipt: PartReceipt,
) -> Result<()> {
    let body = Body::SplitAmended {
        run: id.to_owned(),
        table: label.to_owned(),
        amendment: number,
        counts_delta: delta(&receipt.dispositions, &receipt.taken),
        fragment: receipt.fragment.as_ref().map(|f| f.blake3.clone()),
    };
    let entry = |body| dunlin_store::Entry { at: dunlin_store::now_us(), actor: actor.clone(), body };
    tx.enter(entry(body)).await?;
    for body in words(id, label, &receipt) {
        tx.enter(entry(body)).await?;
    }
    let stored = StoredPart { origin: None, receipt };
    tx.insert_amendment(&Amendment {
        run: id.to_owned(),
        table: label.to_owned(),
        amendment: number,
        receipt: serde_json::to_value(stored).unwrap_or_default(),
    })
    .await?;
    Ok(())
}

/// What the ledger is told of an amendment besides its counts: a person's decision, an enrichment.
fn words(id: &str, label: &str, receipt: &PartReceipt) -> Vec<Body> {
    let (run, table) = (id.to_owned(), label.to_owned());
    let mut words = Vec::new();
    if let Some(decision) = receipt.decision {
        let rows = receipt.settles.values().map(|r| r.len() as u64).sum();
        let root = receipt.taken.quarantined.hash.to_string();
        words.push(Body::QuarantineDecided { run, table, decision, rows, root });
    } else if let Some(rows) = receipt.noted.get(ENRICHED) {
        words.push(Body::Enriched { run, table, rows: *rows });
    }
    words
}

fn delta(to: &Dispositions, from: &Dispositions) -> CountsDelta {
    let change = |to: u64, from: u64| to as i64 - from as i64;
    CountsDelta {
        loaded: change(to.loaded.rows, from.loaded.rows),
        merged: change(to.merged.rows, from.merged.rows),
        quarantined: change(to.quarantined.rows, from.quarantined.rows),
        excluded: change(to.excluded.rows, from.excluded.rows),
        erased: change(to.erased.rows, from.erased.rows),
    }
}

/// Fragments that no receipt names are left over from a crash before the target's commit.
async fn sweep(run: &Run<'_>, id: &str) -> Result<()> {
    let fragments = run.workspace.fragments();
    fragments.remove_unfinished(id)?;
    for found in fragments.list(id)? {
        let parts = crate::parts::parts_of(run.workspace.state(), id, &found.table).await?;
        let named = parts
            .iter()
            .any(|p| p.origin == id && p.receipt.fragment.as_ref().is_some_and(|f| f.name == found.name));
        if !named {
            fragments.remove(&found)?;
        }
    }
    Ok(())
}

/// The index rows of a fragment, without values.
pub fn quarantine_rows(
    workspace: &Workspace,
    run: &str,
    label: &str,
    fragment: Option<&FileRef>,
) -> Result<Vec<QuarantineRow>> {
    let Some(fragment) = fragment else { return Ok(Vec::new()) };
    let mut rows = Vec::with_capacity(fragment.rows as usize);
    for (number, payload) in workspace.fragments().open(run, label, &fragment.name)?.enumerate() {
        let Some(row) = QuarantinedRow::unpack(&payload?) else { continue };
        rows.push(QuarantineRow {
            run: run.to_owned(),
            table: label.to_owned(),
            fragment: fragment.name.clone(),
            row: number as u32,
            reason: row.reason,
            column: row.column,
            pattern: row.pattern,
            position: Some(row.position),
            status: QuarantineStatus::Waiting,
        });
    }
    Ok(rows)
}

/// The ledger's word on a split.
pub fn split_loaded(run: &str, label: &str, done: &SplitReceipt) -> Body {
    let receipt = &done.receipt;
    Body::SplitLoaded {
        run: run.to_owned(),
        table: label.to_owned(),
        split: done.split,
        counts: counts(receipt.source.rows, &receipt.dispositions),
        source_hash: receipt.source.hash.to_string(),
        loaded_hash: receipt.dispositions.loaded.hash.to_string(),
        expected_hash: receipt.expected.hash.to_string(),
        fragment: receipt.fragment.as_ref().map(|f| f.blake3.clone()),
    }
}

/// Counts as the ledger writes them.
pub fn counts(source_rows: u64, d: &Dispositions) -> Counts {
    Counts {
        source_rows,
        loaded: d.loaded.rows,
        merged: d.merged.rows,
        quarantined: d.quarantined.rows,
        excluded: d.excluded.rows,
        erased: d.erased.rows,
    }
}
