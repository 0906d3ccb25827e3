//! The policy behind the gate, and the same question asked ahead: what would this person see?
//!
//! Not here: how it is decided (`view`), and the entries (`presence`).

use std::borrow::Cow;

use dunlin_gate::{Act, Class, ColumnDecision, Decision, Denial, Mask, MaskedOnly, Policy, Question, Shown};
use dunlin_ledger::Actor;

use super::Authority;
use super::facts::Facts;
use super::view::View;
use crate::{Guard, GuardError};

/// Decides by the person's role, limits and open grants as they are in the state at that moment. Whoever works at a shell
/// of this machine is outside it, as [`MaskedOnly`] has it.
#[derive(Clone)]
pub struct GuardPolicy {
    guard: Guard,
    authority: Authority,
}

/// How a person would see one column.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ColumnView {
    /// The column's name.
    pub column: String,
    /// Its class.
    pub class: Class,
    /// `clear`, `masked` or `hidden`.
    pub shown: &'static str,
    /// The mask's name, when masked.
    pub mask: Option<&'static str>,
    /// Why, as a code.
    pub reason_code: String,
    /// Why, in a sentence.
    pub why: String,
}

/// What a person would see of a table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WouldSee {
    /// Why nothing would be opened at all; the columns then are all hidden.
    pub refused: Option<String>,
    /// What would help, when something would.
    pub help: Option<String>,
    /// The columns, in their order.
    pub columns: Vec<ColumnView>,
}

impl GuardPolicy {
    /// The policy of a guard.
    pub fn new(guard: Guard, authority: Authority) -> GuardPolicy {
        GuardPolicy { guard, authority }
    }

    /// What the gate would give for this question; the actor of its ask is the person. Nothing is opened or entered.
    pub async fn would_see(&self, question: &Question<'_>) -> WouldSee {
        let view = |column: &dunlin_gate::ColumnInfo, decided: &ColumnDecision| ColumnView {
            column: column.name.clone(),
            class: column.class(),
            shown: decided.shown.as_str(),
            mask: (decided.shown == Shown::Masked).then(|| Mask::for_kind(column.kind.as_deref()).as_str()),
            reason_code: decided.reason_code.clone().into_owned(),
            why: decided.sentence.clone().into_owned(),
        };
        match self.decide(question).await {
            Decision::Allow(permit) => WouldSee {
                refused: None,
                help: None,
                columns: question.columns.iter().zip(&permit.columns).map(|(c, d)| view(c, d)).collect(),
            },
            Decision::Deny(denial) => {
                let hidden = ColumnDecision {
                    shown: Shown::Hidden,
                    reason_code: denial.reason_code,
                    sentence: denial.reason.clone(),
                };
                WouldSee {
                    refused: Some(denial.reason.into_owned()),
                    help: Some(denial.help.into_owned()),
                    columns: question.columns.iter().map(|c| view(c, &hidden)).collect(),
                }
            }
        }
    }

    async fn decide_for(&self, id: &str, question: &Question<'_>) -> Result<Decision, GuardError> {
        let person = match self.guard.person(id).await {
            Err(GuardError::Unknown(_)) => return Ok(denial("nobody", "this account does not exist")),
            other => other?,
        };
        let now = self.guard.now();
        let facts = Facts::of_person(&person, now);
        let act = question.ask.act();
        let mut grants = Vec::new();
        if act != Act::ReadMasked {
            grants = self.guard.open_grants(id, act, question.store, question.table).await?;
            if let Some(task) = &question.ask.circumstances.task {
                grants.retain(|grant| grant.task == *task);
            }
        }
        let policies = self.authority.policies();
        Ok(View { policies: &policies, facts: &facts, question, grants: &grants }.decide())
    }
}

#[async_trait::async_trait]
impl Policy for GuardPolicy {
    async fn decide(&self, question: &Question<'_>) -> Decision {
        let Actor::Person { id } = &question.ask.actor else { return MaskedOnly.decide(question).await };
        match self.decide_for(id, question).await {
            Ok(decision) => decision,
            Err(error) => {
                tracing::error!(%error, "a question at the gate could not be decided");
                denial("state_failed", "it could not be decided, so nothing is shown")
            }
        }
    }
}

fn denial(code: &'static str, reason: &'static str) -> Decision {
    Decision::Deny(Denial {
        reason_code: Cow::Borrowed(code),
        reason: Cow::Borrowed(reason),
        help: Cow::Borrowed("sign in again, or tell an owner"),
        obligations: Vec::new(),
    })
}
