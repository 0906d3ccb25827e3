//! `dunlin report`: the evidence of a run, gathered from plan, state and ledger.

use std::collections::BTreeMap;
use std::path::Path;

use dunlin_move::{Account, Checked, SavedTable, TableResult, Tally, parts_of};
use dunlin_plan::{ColumnValue, Plan, StorePlan, TablePlan};
use dunlin_store::{Body, Entry, QuarantineFilter, QuarantineStatus, RunKind, RunRecord, Workspace};

use super::keys::when;
use super::{NOT_RIGHT, OK};
use crate::cli::{Format, ReportArgs};
use crate::failure::Failure;
use crate::output;
use crate::report::{
    Approval, ColumnFacts, ComplyFacts, DroppedColumn, Exclusion, LedgerFacts, PersonFacts, PlanFacts,
    QuarantineGroup, Report, RuleFacts, RunFacts, StoreFacts, TableFacts, WaiverFacts,
};
use crate::workspace::{PlanFile, open};

/// Writes `report.html` and `report.json` of the latest run of this plan.
pub async fn report(dir: &Path, args: ReportArgs, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let report = latest(&workspace, &plan).await?;
    let out = if args.out.is_absolute() { args.out.clone() } else { dir.join(&args.out) };
    let written = write(&workspace, &report, &out).await?;
    crate::comply::enter(&workspace, &plan, &report.matrix).await?;
    workspace.integrate().await?;
    if format == Format::Json {
        output::json(&serde_json::json!({ "html": written.0, "json": written.1, "proven": report.proven() }));
    } else {
        output::line(&format!("{}", written.0.display()));
    }
    Ok(if report.proven() { OK } else { NOT_RIGHT })
}

/// The report of the latest run of this plan.
pub async fn latest(workspace: &Workspace, plan: &PlanFile) -> Result<Report, Failure> {
    let fingerprint = plan.plan.fingerprint().to_string();
    let mut runs = workspace.state().runs().await?;
    runs.retain(|r| r.fingerprint == fingerprint && r.kind == RunKind::Load);
    let Some(run) = runs.into_iter().max_by_key(|r| r.started_at) else {
        return Err(Failure::usage("this plan has not been run yet", "`dunlin run` moves the data"));
    };
    let (tables, verified_at) = latest_results(workspace, &run.id).await?;
    let mut report = gather(workspace, plan, &run.id, &tables, verified_at).await?;
    report.matrix = crate::comply::matrix_of(Some(workspace), plan).await?.rules;
    Ok(report)
}

/// Writes a report and enters its hash.
pub async fn write(
    workspace: &Workspace,
    report: &Report,
    out: &Path,
) -> Result<(std::path::PathBuf, std::path::PathBuf), Failure> {
    std::fs::create_dir_all(out).map_err(|e| Failure::file(out, &e))?;
    let html = crate::report::render(report);
    let (page, data) = (out.join("report.html"), out.join("report.json"));
    let json = serde_json::to_string_pretty(report).unwrap_or_default();
    std::fs::write(&data, &json).map_err(|e| Failure::file(&data, &e))?;
    std::fs::write(&page, &html).map_err(|e| Failure::file(&page, &e))?;
    let sha256 = sha256(html.as_bytes());
    workspace.state().enter(dunlin_store::Actor::local(), Body::ReportWritten { sha256 }).await?;
    workspace.integrate().await?;
    Ok((page, data))
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(bytes))
}

/// What the ledger last said about each table of a run, and when it was last verified.
pub(crate) async fn latest_results(
    workspace: &Workspace,
    run: &str,
) -> Result<(Vec<TableResult>, Option<String>), Failure> {
    workspace.integrate().await?;
    let mut tables: Vec<TableResult> = Vec::new();
    let mut verified = None;
    let accounts = accounts(workspace, run).await?;
    for bytes in workspace.ledger()?.entries(0) {
        let entry = Entry::from_bytes(&bytes.map_err(dunlin_store::StoreError::from)?)
            .map_err(dunlin_store::StoreError::from)?;
        let (id, table, target_hash, reconciled, is_verified) = match entry.body {
            Body::TableReconciled { run, table, target_hash, reconciled, .. } => {
                (run, table, target_hash, reconciled, false)
            }
            Body::Verified { run, table, target_hash, reconciled, .. } => {
                (run, table, target_hash, reconciled, true)
            }
            _ => continue,
        };
        if id != run {
            continue;
        }
        let Some((account, saved)) = accounts.get(&table) else { continue };
        let seconds = account.1;
        let target =
            Tally { rows: account.0.expected.rows + saved.preexisting.rows, hash: account.0.expected.hash };
        let mut result = TableResult::new(&table, &account.0, saved.preexisting, target, seconds);
        result.target_hash = target_hash.parse().unwrap_or_default();
        result.reconciled = reconciled;
        if is_verified {
            verified = Some(when(entry.at));
        }
        tables.retain(|t| t.table != table);
        tables.push(result);
    }
    for (label, kept) in workspace.state().data_checks(run).await? {
        if let Some(table) = tables.iter_mut().find(|table| table.table == label) {
            let kept: Checked = serde_json::from_value(kept).unwrap_or_default();
            (table.totals, table.sets) = (kept.totals, kept.sets);
        }
    }
    Ok((tables, verified))
}

type Accounts = BTreeMap<String, ((Account, f64), SavedTable)>;

async fn accounts(workspace: &Workspace, run: &str) -> Result<Accounts, Failure> {
    let mut accounts = BTreeMap::new();
    for (label, value) in workspace.state().tables(run).await? {
        let Ok(saved) = serde_json::from_value::<SavedTable>(value) else { continue };
        let parts = parts_of(workspace.state(), run, &label).await.map_err(Failure::Move)?;
        let account: Account = parts.iter().map(|p| &p.receipt).collect();
        let seconds = parts.iter().map(|p| p.receipt.micros).sum::<u64>() as f64 / 1e6;
        accounts.insert(label, ((account, seconds), saved));
    }
    Ok(accounts)
}

/// The report of a run whose tables ended like this.
pub async fn gather(
    workspace: &Workspace,
    plan: &PlanFile,
    run: &str,
    results: &[TableResult],
    verified_at: Option<String>,
) -> Result<Report, Failure> {
    let record = workspace.state().run(run).await?;
    let filter = QuarantineFilter { status: Some(QuarantineStatus::Waiting), ..QuarantineFilter::default() };
    let groups = workspace.state().quarantine_groups(&filter).await?;
    let mut tables = Vec::new();
    for result in results {
        let Some(table) = plan.plan.table(&result.table) else { continue };
        let waiting = groups.iter().filter(|g| g.table == result.table);
        let mut facts = table_facts(table, result);
        facts.quarantine = waiting
            .map(|g| QuarantineGroup {
                group: g.id.clone(),
                reason: words(&g.reason),
                column: g.column.clone(),
                pattern: g.pattern.clone(),
                rows: g.rows,
            })
            .collect();
        facts.quarantine.sort_by_key(|g| std::cmp::Reverse(g.rows));
        tables.push(facts);
    }
    let checkpoint = workspace.integrate().await?;
    let approvals = workspace.state().approvals_ever(&record.fingerprint).await?;
    Ok(Report {
        format: crate::report::FORMAT,
        dunlin: env!("CARGO_PKG_VERSION").to_owned(),
        written_at: when(dunlin_store::now_us()),
        plan: PlanFacts {
            name: plan.plan.name.clone(),
            summary: plan.plan.summary.clone(),
            company: plan.plan.company.as_ref().map(|c| c.name.clone()),
            fingerprint: record.fingerprint.clone(),
        },
        run: run_facts(&record, verified_at),
        tables,
        stores: stores(&plan.plan, &record),
        people: plan
            .plan
            .people
            .iter()
            .map(|p| PersonFacts {
                name: p.name.clone(),
                role: p.role.to_string(),
                organisation: p.organisation.clone(),
            })
            .collect(),
        approvals: approvals
            .into_iter()
            .map(|a| Approval { by: a.by, at: when(a.at), fingerprint: a.fingerprint })
            .collect(),
        comply: plan.plan.comply.as_ref().map(comply),
        matrix: Vec::new(),
        ledger: LedgerFacts {
            size: checkpoint.size,
            root: checkpoint.root_hex(),
            verifier: workspace.keys().verifier()?.as_str().to_owned(),
            checkpoint: checkpoint.note.clone(),
        },
    })
}

/// A reason's code in words; a rule keeps its name.
fn words(reason: &str) -> String {
    match reason.strip_prefix("rule:") {
        Some(rule) => format!("rule: {rule}"),
        None => reason.replace('-', " "),
    }
}

fn run_facts(record: &RunRecord, verified_at: Option<String>) -> RunFacts {
    let ended = record.ended_at.unwrap_or_else(dunlin_store::now_us);
    RunFacts {
        id: record.id.clone(),
        rehearsal: record.kind == RunKind::Rehearse,
        actor: record.actor.to_string(),
        started_at: when(record.started_at),
        finished_at: record.ended_at.map(when),
        verified_at,
        seconds: (ended - record.started_at) as f64 / 1e6,
    }
}

fn table_facts(table: &TablePlan, result: &TableResult) -> TableFacts {
    let rule_rows = |name: &str| {
        let ended = result.reasons.get(&format!("rule:{name}")).copied().unwrap_or_default();
        ended + result.noted.get(name).copied().unwrap_or_default()
    };
    let excluding = |reason: &str| {
        let rule = reason.strip_prefix("rule:").and_then(|name| table.rules.iter().find(|r| r.name == name));
        matches!(reason, "where" | "retain" | "discarded")
            || rule.is_some_and(|r| r.otherwise == dunlin_plan::Otherwise::Exclude)
    };
    let exclusions = result.reasons.iter().filter(|(reason, _)| excluding(reason)).map(|(reason, rows)| {
        let rule = match reason.as_str() {
            "where" => format!("where {}", table.where_.as_ref().map(|s| s.text.clone()).unwrap_or_default()),
            "retain" => {
                format!("kept until {}", table.retain.as_ref().map(|s| s.text.clone()).unwrap_or_default())
            }
            "discarded" => "left behind from quarantine by a person".to_owned(),
            rule => rule.trim_start_matches("rule:").to_owned(),
        };
        Exclusion { rule, rows: *rows }
    });
    TableFacts {
        from: table.from.to_string(),
        table: result.table.clone(),
        source_rows: result.source_rows,
        loaded: result.loaded,
        merged: result.merged,
        quarantined: result.quarantined,
        excluded: result.excluded,
        erased: result.erased,
        preexisting: result.preexisting,
        target_rows: result.target_rows,
        source_hash: result.source_hash.to_string(),
        expected_hash: result.expected_hash.to_string(),
        target_hash: result.target_hash.to_string(),
        reconciled: result.reconciled,
        differences: result.differences.len() as u64,
        seconds: result.seconds,
        bytes: result.bytes,
        purpose: table.purpose.clone(),
        basis: table.basis.map(|b| b.to_string()),
        retain: table.retain.as_ref().map(|s| s.text.clone()),
        quarantine: Vec::new(),
        exclusions: exclusions.collect(),
        dropped: table
            .drop
            .iter()
            .map(|d| DroppedColumn { column: d.column.clone(), reason: d.reason.clone() })
            .collect(),
        rules: table
            .rules
            .iter()
            .map(|r| RuleFacts {
                name: r.name.clone(),
                check: r.check.text.clone(),
                otherwise: r.otherwise.to_string(),
                rows: rule_rows(&r.name),
            })
            .collect(),
        columns: table.columns.iter().map(column_facts).collect(),
        totals: result.totals.clone(),
        sets: result.sets.clone(),
    }
}

fn column_facts(column: &dunlin_plan::ColumnPlan) -> ColumnFacts {
    let made_of = match &column.value {
        ColumnValue::Sql(sql) => sql.text.clone(),
        ColumnValue::Clean { function, from, .. } => format!("{function}({from})"),
    };
    ColumnFacts {
        column: column.target.clone(),
        made_of,
        kind: column.kind.map(|k| k.to_string()),
        class: column.kind.map(|k| k.class().to_string()),
        protect: column.protect.map(|p| p.to_string()),
    }
}

fn stores(plan: &Plan, record: &RunRecord) -> Vec<StoreFacts> {
    let named = plan.stores.values().filter(|s| record.stores.contains_key(&s.name));
    named.map(|store| store_facts(plan, store, record)).collect()
}

fn store_facts(plan: &Plan, store: &StorePlan, record: &RunRecord) -> StoreFacts {
    let identity = record.stores.get(&store.name).cloned().unwrap_or_default();
    let target = plan.tables.iter().any(|t| t.to.store == store.name);
    let source = plan.tables.iter().any(|t| t.from.store == store.name);
    let role = match (source, target) {
        (true, true) => "source and target",
        (_, true) => "target",
        (true, _) => "source",
        _ => "side",
    };
    let system = identity.split(':').next().unwrap_or_default().to_owned();
    StoreFacts {
        name: store.name.clone(),
        role: role.to_owned(),
        system,
        identity,
        region: store.region.clone(),
        processor: store.processor.clone(),
        protected: store.protected,
    }
}

fn comply(comply: &dunlin_plan::Comply) -> ComplyFacts {
    ComplyFacts {
        packs: comply.packs.iter().map(ToString::to_string).collect(),
        controller: comply.controller.clone(),
        dpia: comply.dpia.clone(),
        waivers: comply
            .waivers
            .iter()
            .map(|w| WaiverFacts {
                rule: w.rule.clone(),
                reason: w.reason.clone(),
                by: w.by.clone(),
                until: w.until.map(|d| d.to_string()),
            })
            .collect(),
    }
}
