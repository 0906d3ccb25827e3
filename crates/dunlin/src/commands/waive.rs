//! `dunlin waive`: sets a rule of a pack aside, with a reason and an end; lists what is set aside, takes it back.

use std::path::Path;

use dunlin_store::{Actor, NewWaiver};

use super::OK;
use crate::cli::{Format, WaiveArgs};
use crate::failure::Failure;
use crate::output;
use crate::workspace::open;

/// Sets a rule aside, takes that back, or lists.
pub async fn waive(dir: &Path, args: WaiveArgs, format: Format) -> Result<u8, Failure> {
    match (&args.rule, &args.withdraw) {
        (Some(rule), None) => give(dir, rule, &args, format).await,
        (None, Some(id)) => withdraw(dir, id, format).await,
        _ => list(dir, format).await,
    }
}

async fn give(dir: &Path, rule: &str, args: &WaiveArgs, format: Format) -> Result<u8, Failure> {
    let known = crate::comply::known_rules();
    if !known.iter().any(|id| id == rule) {
        let help = dunlin_plan::suggestion(rule, known.iter().map(String::as_str));
        return Err(Failure::usage(format!("no pack has the rule `{rule}`"), help));
    }
    let (Some(reason), Some(until)) = (args.reason.as_deref(), args.until) else {
        let help = format!("dunlin waive {rule} --reason \"why\" --until 2027-06-30");
        return Err(Failure::usage("a waiver needs a reason and an end", help));
    };
    if reason.trim().is_empty() || until < jiff::Zoned::now().date() {
        let help = "say why, and name a day that is to come";
        return Err(Failure::usage("the reason is empty, or the end has passed", help));
    }
    let workspace = open(dir).await?;
    let actor = Actor::local();
    let (by, until) = (actor.to_string(), until.to_string());
    let new = NewWaiver { rule, reason, by: &by, until: Some(&until), plan_mark: None };
    let mut tx = workspace.state().begin().await?;
    let waiver = tx.waive(actor, new).await?.unwrap_or_default();
    tx.commit().await?;
    workspace.integrate().await?;
    match format {
        Format::Json => output::json(&serde_json::json!({ "waiver": waiver, "rule": rule, "until": until })),
        Format::Text => output::line(&format!("{rule} is waived until {until} ({waiver})")),
    }
    Ok(OK)
}

async fn withdraw(dir: &Path, id: &str, format: Format) -> Result<u8, Failure> {
    let workspace = open(dir).await?;
    let mut tx = workspace.state().begin().await?;
    if !tx.withdraw_waiver(Actor::local(), id).await? {
        let help =
            "`dunlin waive` lists those that were given by a command; one of the plan is taken out there";
        return Err(Failure::usage("there is no such waiver", help));
    }
    tx.commit().await?;
    workspace.integrate().await?;
    match format {
        Format::Json => output::json(&serde_json::json!({ "withdrawn": id })),
        Format::Text => output::line(&format!("taken back: {id}")),
    }
    Ok(OK)
}

async fn list(dir: &Path, format: Format) -> Result<u8, Failure> {
    let waivers = open(dir).await?.state().rule_waivers().await?;
    for waiver in &waivers {
        let until = waiver.until.clone().unwrap_or_else(|| "no end".to_owned());
        match format {
            Format::Json => output::json(&serde_json::json!({
                "waiver": waiver.id, "rule": waiver.rule, "reason": waiver.reason, "by": waiver.by,
                "until": waiver.until, "in_plan": waiver.in_plan,
            })),
            Format::Text => {
                let place = if waiver.in_plan { " (entered from the plan)" } else { "" };
                output::line(&format!(
                    "{}  {:<12} until {until}, {}{place}",
                    waiver.id, waiver.rule, waiver.by
                ));
                output::line(&format!("    {}", waiver.reason));
            }
        }
    }
    if waivers.is_empty() && format == Format::Text {
        output::line("No rule is waived.");
    }
    Ok(OK)
}
