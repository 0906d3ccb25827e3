//! `dunlin run`: what customers must be told before, the window, then the run, then what happened.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use dunlin_move::{
    Event, MoveError, Observer, PauseReason, Rehearsal, Retries, RunOptions, RunSummary, TableResult,
    Unfinished,
};
use dunlin_store::{Body, Workspace};
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{NOT_RIGHT, OK};
use crate::cli::{Format, RunArgs};
use crate::failure::Failure;
use crate::lineage::{Lineage, Stage, ending};
use crate::output::{self, thousands};
use crate::progress::Progress;
use crate::workspace::{PlanFile, open};

/// Moves the data, or rehearses it.
pub async fn run(dir: &Path, args: RunArgs, format: Format) -> Result<u8, Failure> {
    let mut plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    if let Some(id) = &args.resume {
        plan = plan_of_run(&workspace, &plan, id).await?;
    }
    known_tables(&plan, &args.tables)?;
    same_fingerprint(&plan, args.fingerprint.as_deref())?;
    if !args.rehearse {
        super::publish::told(&workspace, &plan, args.now.as_deref()).await?;
        crate::comply::allow_load(&workspace, &plan).await?;
        window(&workspace, &plan, &args).await?;
    }
    let mut options = plan.options(args.jobs);
    options.tables = args.tables.clone();
    options.quarantine_max = args.max_quarantine;
    options.rehearsal = args.rehearse.then(|| args.to.clone().map_or(Rehearsal::Nowhere, Rehearsal::Into));
    options.unfinished = match (&args.resume, &args.abandon) {
        (Some(id), _) => Unfinished::Resume(id.clone()),
        (_, Some(id)) => Unfinished::Abandon(id.clone()),
        _ => Unfinished::Refuse,
    };
    let summary = to_its_end(&workspace, &plan, &mut options, &args).await?;
    print(&workspace, &plan, &summary, &args, format).await?;
    let quarantined = summary.tables.iter().any(|t| t.quarantined > 0);
    let survived = summary.examined.as_ref().is_some_and(|copy| !copy.found.is_empty());
    Ok(if !summary.reconciled() || survived || (args.strict && quarantined) { NOT_RIGHT } else { OK })
}

/// Runs until there is nothing left to do: over the window's end into the next one, and past what a moment's patience
/// mends.
async fn to_its_end(
    workspace: &Workspace,
    plan: &PlanFile,
    options: &mut RunOptions,
    args: &RunArgs,
) -> Result<RunSummary, Failure> {
    let lineage = args.lineage.as_deref().map(|given| Lineage::open(&plan.dir, given)).transpose()?;
    let mut retries = Retries::new(args.retry);
    // A store that was lost on the way may come back; one that never answered is another matter. Both hold over all
    // tries: one that stays away answers the next of them with nothing.
    let loading = Arc::new(AtomicBool::new(false));
    let mut under_way: Option<String> = None;
    loop {
        if !args.rehearse {
            let window = plan.plan.window.as_ref();
            options
                .pause
                .closes_at(window.and_then(|w| w.closes(Timestamp::now())).map(Timestamp::as_microsecond));
        }
        let progress = Arc::new(Progress::new(false));
        let (sender, begins) = oneshot::channel::<String>();
        let told = {
            let (progress, sender) = (progress.clone(), Mutex::new(Some(sender)));
            let loading = loading.clone();
            move |event: Event<'_>| {
                let begun = matches!(event, Event::Table { .. } | Event::Step { .. });
                loading.fetch_or(begun, Ordering::Relaxed);
                if let Event::Run { run, .. } = event
                    && let Some(sender) = sender.lock().ok().and_then(|mut s| s.take())
                {
                    // Nobody listens any more only when this command is over.
                    let _ = sender.send(run.to_owned());
                }
                progress.event(event);
            }
        };
        let tell = async |run: &str, stage: Stage, tables: &[TableResult]| {
            if let Some(lineage) = &lineage
                && let Err(why) = lineage.tell(workspace, &plan.plan, run, stage, tables).await
            {
                output::note(&why);
            }
        };
        let start = async {
            let run = begins.await.ok()?;
            tell(&run, Stage::Start, &[]).await;
            Some(run)
        };
        let moving = dunlin_move::run(workspace, &plan.plan, options, Arc::new(told));
        let (outcome, begun) = tokio::join!(moving, start);
        progress.clear();
        if let Some(run) = &begun {
            let (stage, tables) = ending(&outcome);
            tell(run, stage, tables).await;
        }
        under_way = begun.or(under_way);
        let closed = options.pause.reason() == Some(PauseReason::WindowClosed);
        match outcome {
            Ok(summary) => return Ok(summary),
            Err(MoveError::Paused) if closed => {
                output::note("the plan's window has closed; the run goes on when it opens again");
                window(workspace, plan, args).await?;
                super::publish::told(workspace, plan, args.now.as_deref()).await?;
            }
            Err(error) => {
                let loading = loading.load(Ordering::Relaxed);
                // A rehearsal into nowhere leaves nothing to go on from.
                let wait = match under_way.as_deref() {
                    Some(run) => retries.next(workspace, &options.actor, run, &error, loading).await,
                    None => Ok(None),
                };
                let Some(wait) = wait.map_err(|e| plan.failure(e))? else { return Err(plan.failure(error)) };
                let (tries, most) = retries.counted();
                output::note(&format!("{error}; going on in {} s (try {tries} of {most})", wait.as_secs()));
                tokio::time::sleep(wait).await;
                if !args.rehearse {
                    // It may have closed meanwhile, or a notice may have been taken back.
                    window(workspace, plan, args).await?;
                    super::publish::told(workspace, plan, args.now.as_deref()).await?;
                }
            }
        }
        // The run that was to be given up is given up now.
        if matches!(options.unfinished, Unfinished::Abandon(_)) {
            options.unfinished = Unfinished::Refuse;
        }
    }
}

async fn plan_of_run(workspace: &Workspace, plan: &PlanFile, id: &str) -> Result<PlanFile, Failure> {
    let record = workspace.state().run(id).await?;
    PlanFile::of(&plan.dir, record.plan_text)
}

fn known_tables(plan: &PlanFile, tables: &[String]) -> Result<(), Failure> {
    let labels: Vec<String> = plan.plan.tables.iter().map(dunlin_plan::TablePlan::label).collect();
    match tables.iter().find(|t| !labels.contains(t)) {
        None => Ok(()),
        Some(unknown) => Err(Failure::usage(
            format!("the plan has no table `{unknown}`"),
            format!("its tables are {}", labels.join(", ")),
        )),
    }
}

fn same_fingerprint(plan: &PlanFile, wanted: Option<&str>) -> Result<(), Failure> {
    let is = plan.plan.fingerprint().to_string();
    match wanted {
        Some(wanted) if wanted != is => Err(Failure::usage(
            format!("the plan's fingerprint is {is}, not the one of --fingerprint"),
            "somebody changed the plan since: `dunlin plan diff` says what",
        )),
        _ => Ok(()),
    }
}

/// Waits for the plan's window, or says that it is closed.
async fn window(workspace: &Workspace, plan: &PlanFile, args: &RunArgs) -> Result<(), Failure> {
    let Some(window) = &plan.plan.window else { return Ok(()) };
    if let Some(reason) = &args.now {
        if !window.is_open(Timestamp::now()) {
            overridden(workspace, plan, reason).await?;
        }
        return Ok(());
    }
    let mut said = false;
    loop {
        let now = Timestamp::now();
        if window.is_open(now) {
            return Ok(());
        }
        let opens = window.next_open(now);
        let zoned = opens.to_zoned(window.zone.clone()).strftime("%a %-d %b %Y %H:%M %Z").to_string();
        if args.no_wait {
            return Err(Failure::Refused {
                message: format!("the plan's window is closed; it opens {zoned}"),
                help: Some("run again then, or override it: dunlin run --now \"the reason\"".to_owned()),
                code: 3,
            });
        }
        if !said {
            output::note(&format!("the plan's window is closed; waiting until {zoned} (Ctrl-C to stop)"));
            said = true;
        }
        let wait = opens.duration_since(now).unsigned_abs().min(std::time::Duration::from_secs(30));
        tokio::time::sleep(wait.max(std::time::Duration::from_millis(200))).await;
    }
}

async fn overridden(workspace: &Workspace, plan: &PlanFile, reason: &str) -> Result<(), Failure> {
    let state = workspace.state();
    let mut tx = state.begin().await?;
    let reason_hash = tx.keep_text(reason).await?;
    let run = plan.plan.fingerprint().to_string();
    let body = Body::WindowOverridden { run, reason_category: "now".to_owned(), reason_hash };
    tx.enter(dunlin_store::Entry { at: dunlin_store::now_us(), actor: dunlin_store::Actor::local(), body })
        .await?;
    tx.commit().await?;
    Ok(())
}

async fn print(
    workspace: &Workspace,
    plan: &PlanFile,
    summary: &RunSummary,
    args: &RunArgs,
    format: Format,
) -> Result<(), Failure> {
    let rehearsed_nowhere = args.rehearse && args.to.is_none();
    if format == Format::Json {
        summary.tables.iter().for_each(output::json);
        let checkpoint = workspace.integrate().await?;
        let mut last = serde_json::json!({
            "run": summary.run,
            "plan_fingerprint": summary.fingerprint,
            "reconciled": summary.reconciled(),
            "ledger": { "size": checkpoint.size, "root": checkpoint.root_hex() },
        });
        if !summary.left_behind.is_empty() {
            last["left_behind"] = serde_json::json!(summary.left_behind);
        }
        if summary.held_back_seconds > 0.0 {
            last["held_back_seconds"] = serde_json::json!(summary.held_back_seconds);
        }
        if let Some(examined) = &summary.examined {
            last["copy"] = serde_json::json!(examined);
        }
        output::json(&last);
        return Ok(());
    }
    output::findings(&dunlin_plan::Findings::new(&plan.file, &plan.text, summary.findings.clone()), format);
    if rehearsed_nowhere {
        output::line("A rehearsal: nothing was written.");
        output::line(&table(&summary.tables));
        return Ok(());
    }
    let report = super::report::gather(workspace, plan, &summary.run, &summary.tables, None).await?;
    output::line(&crate::report::summary(&report, output::colour_out(), output::width()));
    if summary.held_back_seconds >= 1.0 {
        let seconds = summary.held_back_seconds.round();
        output::line(&format!("Reading waited {seconds} s because the source was busy."));
    }
    if let Some(examined) = &summary.examined {
        output::line(&copy(examined));
        examined.groups.iter().for_each(|groups| output::line(&alike(groups)));
    }
    for left in &summary.left_behind {
        output::line(&format!("✗ {}: {} did not arrive as it is in the source", left.table, left.what));
    }
    Ok(())
}

/// What a look over a de-identified copy came to.
fn copy(examined: &dunlin_move::Examined) -> String {
    let values = thousands(examined.values);
    if examined.found.is_empty() {
        return format!(
            "✓ the copy was read again: none of its {values} values is an identifier of Safe Harbor"
        );
    }
    let found: Vec<String> =
        examined.found.iter().map(|(rule, n)| format!("{rule}: {}", thousands(*n))).collect();
    let places: Vec<&str> = examined.places.iter().map(String::as_str).collect();
    format!(
        "✗ identifiers survived among the copy's {values} values ({}) in {}; give these columns a `kind`, or \
         `protect = \"remove\"`, and make the copy anew",
        found.join(", "),
        places.join(", ")
    )
}

/// How many rows of a copy's table look alike.
fn alike(groups: &dunlin_move::RowGroups) -> String {
    format!(
        "  {} by {}: {} in groups of 1, {} of 2 to 4, {} of 5 to 10, {} of more; the smallest has {}",
        groups.table,
        groups.columns.join(", "),
        output::rows(groups.alone),
        thousands(groups.of_2_to_4),
        thousands(groups.of_5_to_10),
        thousands(groups.of_more),
        thousands(groups.smallest)
    )
}

/// The tables of a result as text.
pub fn table(tables: &[dunlin_move::TableResult]) -> String {
    let rows: Vec<Vec<String>> = tables
        .iter()
        .map(|t| {
            let numbers =
                [t.source_rows, t.loaded, t.merged, t.quarantined, t.excluded, t.erased, t.target_rows];
            let mark = if t.reconciled { "✓ reconciled" } else { "✗ differs" };
            std::iter::once(t.table.clone())
                .chain(numbers.into_iter().map(thousands))
                .chain([mark.to_owned()])
                .collect()
        })
        .collect();
    let head = ["table", "source", "loaded", "merged", "quarantined", "excluded", "erased", "target", ""];
    output::table(&head, &rows, &[1, 2, 3, 4, 5, 6, 7])
}
