//! Waivers: rules set aside in the plan or by a command, and what they make of a verdict. A waived rule is shown as
//! waived, never as satisfied.

use std::collections::BTreeMap;

use dunlin_plan::{Finding, Pack, Plan, Word};
use dunlin_quality::packs::{State, Verdict, WaivedBy, pack};
use dunlin_store::{Actor, NewWaiver, Workspace};
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// A waiver, from either place.
pub(super) struct Waiver {
    rule: String,
    reason: String,
    by: String,
    until: Option<String>,
    /// Of one that a command or the server has given.
    id: Option<String>,
}

/// The waivers of the plan and those given by commands.
pub(super) async fn of(workspace: Option<&Workspace>, plan: &Plan) -> Result<Vec<Waiver>, Failure> {
    let mut waivers: Vec<Waiver> = plan
        .comply
        .iter()
        .flat_map(|comply| &comply.waivers)
        .map(|w| Waiver {
            rule: w.rule.clone(),
            reason: w.reason.clone(),
            by: w.by.clone(),
            until: w.until.map(|day| day.to_string()),
            id: None,
        })
        .collect();
    if let Some(workspace) = workspace {
        // What the plan said once is not what it says now.
        let given = workspace.state().rule_waivers().await?.into_iter().filter(|w| !w.in_plan);
        waivers.extend(given.map(|w| Waiver {
            rule: w.rule,
            reason: w.reason,
            by: w.by,
            until: w.until,
            id: Some(w.id),
        }));
    }
    Ok(waivers)
}

/// Sets rules aside that are violated or need a person. `entries` are the ledger's, by the id of a waiver.
pub(super) fn apply(rules: &mut [Verdict], waivers: &[Waiver], entries: &BTreeMap<String, u64>, today: &str) {
    for rule in rules {
        let open = matches!(rule.state, State::Violated | State::NeedsPerson);
        let holds =
            |w: &&Waiver| w.rule == rule.rule && w.until.as_deref().is_none_or(|until| until >= today);
        let Some(waiver) = waivers.iter().find(holds).filter(|_| open) else { continue };
        rule.waiver = Some(WaivedBy {
            reason: waiver.reason.clone(),
            by: waiver.by.clone(),
            until: waiver.until.clone(),
            without: rule.state,
            id: waiver.id.clone(),
            entry: waiver.id.as_ref().and_then(|id| entries.get(id)).copied(),
        });
        rule.state = State::Waived;
    }
}

/// Every rule's id, of all packs.
pub fn known_rules() -> Vec<String> {
    let packs = Pack::ALL.iter().filter_map(|name| pack(name.as_str()).ok());
    packs.flat_map(|pack| pack.rules.iter().map(|rule| rule.id.clone())).collect()
}

/// What the plan says of rules that no pack has.
pub(super) fn unknown(plan: &Plan) -> Vec<Finding> {
    let Some(comply) = &plan.comply else { return Vec::new() };
    let known = known_rules();
    let waivers = comply.waivers.iter().map(|w| (&w.rule, Some(w.span), "waiver"));
    let statements = comply.statements.iter().map(|s| (&s.rule, Some(s.span), "statement"));
    let consequences = comply.otherwise.keys().map(|rule| (rule, None, "[comply.otherwise]"));
    let strange = waivers.chain(statements).chain(consequences).filter(|(rule, ..)| !known.contains(rule));
    strange
        .map(|(rule, span, what)| {
            let message = format!("a {what} names the rule `{rule}`, which no pack has");
            let help = dunlin_plan::suggestion(rule, known.iter().map(String::as_str));
            match span {
                Some(span) => Finding::warning("pack-unknown-rule", span, message).help(help),
                None => {
                    let level = dunlin_plan::Level::Warning;
                    Finding::new(level, "pack-unknown-rule", message).help(help)
                }
            }
        })
        .collect()
}

/// Enters the waivers of a plan, each once.
///
/// # Errors
/// Those of the state.
pub async fn enter_plan_waivers(workspace: &Workspace, plan: &Plan) -> Result<(), Failure> {
    for waiver in plan.comply.iter().flat_map(|comply| &comply.waivers) {
        let until = waiver.until.map(|day| day.to_string());
        let told = [&waiver.rule, &waiver.reason, &waiver.by, until.as_ref().unwrap_or(&String::new())]
            .map(String::as_str)
            .join("\u{1f}");
        let mark = hex::encode(Sha256::digest(told.as_bytes()));
        let new = NewWaiver {
            rule: &waiver.rule,
            reason: &waiver.reason,
            by: &waiver.by,
            until: until.as_deref(),
            plan_mark: Some(&mark),
        };
        let mut tx = workspace.state().begin().await?;
        tx.waive(Actor::System, new).await?;
        tx.commit().await?;
    }
    Ok(())
}
