//! `dunlin duplicates list / show / merge / keep / undo`: the pairs that a run left for a person. Keys and values leave
//! through the gate.

use std::path::Path;
use std::sync::Arc;

use dunlin_gate::{Ask, MaskedOnly};
use dunlin_move::{
    PairShown, PairVerdict, TablePairs, WaitingPair, decide_pairs, duplicate_pairs, show_pair,
};
use dunlin_store::Actor;

use super::rounded;
use crate::cli::{ClearArgs, Format};
use crate::commands::OK;
use crate::commands::quarantine::refused;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use crate::workspace::{PlanFile, open};

fn ask(clear: &ClearArgs, names: Vec<String>) -> Ask {
    let mut ask = match (clear.clear, &clear.purpose) {
        (true, Some(purpose)) => Ask::clear(Actor::local(), "duplicates", purpose),
        _ => Ask::masked(Actor::local()),
    };
    ask.row_names = names;
    ask.surface = "duplicates".to_owned();
    ask
}

/// The pairs with their keys.
pub async fn list(dir: &Path, all: bool, clear: &ClearArgs, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let progress = Arc::new(Progress::new(false));
    let found = duplicate_pairs(&workspace, &plan.plan, &plan.options(None), all, progress.clone()).await;
    progress.clear();
    let mut lines = Vec::new();
    for TablePairs { pairs, keys, names } in found.map_err(|e| plan.failure(e))? {
        if pairs.is_empty() {
            continue;
        }
        let access = dunlin_store::new_id();
        let opened = dunlin_gate::open(keys, &MaskedOnly, &workspace, &ask(clear, names), &access).await;
        let opened = opened.map_err(refused)?;
        let key = |row: &Vec<Option<String>>| {
            let parts: Vec<&str> = row.iter().map(|v| v.as_deref().unwrap_or("?")).collect();
            parts.join(", ")
        };
        let mut keys = opened.rows.iter().map(key);
        for pair in pairs {
            let both: Vec<String> = keys.by_ref().take(2).collect();
            lines.push((pair, both));
        }
        drop(keys);
        opened.close(&workspace).await.map_err(refused)?;
    }
    workspace.integrate().await?;
    if format == Format::Json {
        for (pair, keys) in &lines {
            output::json(&serde_json::json!({
                "pair": pair.pair, "table": pair.table, "keys": keys, "probability": rounded(pair.probability),
                "decision": decision(pair), "acted": pair.acted,
            }));
        }
        return Ok(OK);
    }
    if lines.is_empty() {
        output::line("No pair waits.");
        return Ok(OK);
    }
    let row = |(pair, keys): &(WaitingPair, Vec<String>)| {
        let decision = state(pair);
        vec![
            pair.pair.clone(),
            pair.table.clone(),
            keys.join(" · "),
            format!("{:.3}", pair.probability),
            decision,
        ]
    };
    let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    output::line(&output::table(&["pair", "table", "keys", "probability", "decision"], &rows, &[3]));
    output::note("`dunlin duplicates show PAIR` shows both, masked; `merge` and `keep` decide");
    Ok(OK)
}

/// The word for programs: what a person decided, what the run did by itself, or that it waits.
fn decision(pair: &WaitingPair) -> &'static str {
    pair.decision.unwrap_or(if pair.sure { "sure" } else { "review" })
}

fn state(pair: &WaitingPair) -> String {
    match (pair.decision, pair.acted) {
        (None, true) if pair.sure => "merged by the run".to_owned(),
        (None, true) => "waits".to_owned(),
        (None, false) => "waits; the next run takes them apart".to_owned(),
        (Some("merge"), true) => "merged".to_owned(),
        (Some("merge"), false) => "merge with the next run".to_owned(),
        (Some(_), true) => "kept apart".to_owned(),
        (Some(_), false) => "keep apart with the next run".to_owned(),
    }
}

/// A pair side by side, with what merging would give.
pub async fn show(dir: &Path, pair: &str, clear: &ClearArgs, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let progress = Arc::new(Progress::new(false));
    let shown = show_pair(&workspace, &plan.plan, &plan.options(None), pair, progress.clone()).await;
    progress.clear();
    let PairShown { pair, differing, taken_over, rows, names } = shown.map_err(|e| plan.failure(e))?;
    let access = dunlin_store::new_id();
    let opened = dunlin_gate::open(rows, &MaskedOnly, &workspace, &ask(clear, names), &access).await;
    let opened = opened.map_err(refused)?;
    if format == Format::Json {
        let side = |row: usize| -> serde_json::Map<String, serde_json::Value> {
            let value = |v: Option<String>| v.map_or(serde_json::Value::Null, serde_json::Value::String);
            let columns = opened.columns.iter().enumerate();
            columns.map(|(at, column)| (column.name.clone(), value(cell(&opened.rows, row, at)))).collect()
        };
        output::json(&serde_json::json!({
            "pair": pair.pair, "table": pair.table, "probability": rounded(pair.probability),
            "decision": decision(&pair), "acted": pair.acted, "differing": differing,
            "taken_over": taken_over, "one": side(0), "other": side(1), "merged": side(2),
        }));
    } else {
        let text = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
        let mark = |name: &String| if differing.contains(name) { "≠" } else { "" };
        let columns = opened.columns.iter().enumerate().map(|(at, column)| {
            let cells = [0, 1, 2].map(|row| text(cell(&opened.rows, row, at)));
            let [one, other, merged] = cells;
            vec![column.name.clone(), one, mark(&column.name).to_owned(), other, merged]
        });
        output::line(&format!(
            "{}  {}  probability {:.3}  {}",
            pair.pair,
            pair.table,
            pair.probability,
            state(&pair)
        ));
        let rows: Vec<Vec<String>> = columns.collect();
        output::line(&output::table(&["column", "one", "", "other", "merged"], &rows, &[]));
    }
    opened.close(&workspace).await.map_err(refused)?;
    workspace.integrate().await?;
    Ok(OK)
}

fn cell(rows: &[Vec<Option<String>>], row: usize, column: usize) -> Option<String> {
    rows.get(row).and_then(|row| row.get(column).cloned().flatten())
}

/// Enters decisions.
pub async fn decide(
    dir: &Path,
    pairs: &[String],
    verdict: PairVerdict,
    format: Format,
) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let progress = Arc::new(Progress::new(false));
    let options = plan.options(None);
    let decided = decide_pairs(&workspace, &plan.plan, &options, pairs, verdict, progress.clone()).await;
    progress.clear();
    let decided = decided.map_err(|e| plan.failure(e))?;
    if format == Format::Json {
        output::json(&decided);
        return Ok(OK);
    }
    for pair in &decided.pairs {
        output::line(&format!("{}  {}  {}", pair.pair, pair.table, state(pair)));
    }
    for (table, rows) in decided.rows.iter().filter(|(_, rows)| **rows > 0) {
        output::line(&format!("{table}: {} changed in the target", output::rows(*rows)));
    }
    if let Some(why) = &decided.next_run {
        output::note(&format!("`dunlin run` acts on it: {why}"));
    }
    Ok(OK)
}
