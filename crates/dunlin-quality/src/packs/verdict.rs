//! What a rule comes to, with its evidence. Not here: how it is found out.

use serde::{Deserialize, Serialize};

use super::pack::{Level, Rule};

/// How a rule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It does not hold.
    Violated,
    /// No machine can tell; somebody must say.
    NeedsPerson,
    /// Set aside by somebody who answers for it.
    Waived,
    /// It holds.
    Satisfied,
    /// There is nothing here that it is about.
    NotApplicable,
}

impl State {
    /// The word, as JSON has it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Violated => "violated",
            State::NeedsPerson => "needs_person",
            State::Waived => "waived",
            State::Satisfied => "satisfied",
            State::NotApplicable => "not_applicable",
        }
    }
}

/// Whom to ask, and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// A role or an office.
    pub who: String,
    /// What they are to do or say.
    pub what: String,
}

/// A rule set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaivedBy {
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub by: String,
    /// The last day it holds, as `2027-06-30`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// What the rule would come to without it.
    pub without: State,
    /// Its id, where it can be taken back; one of the plan is taken out there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The ledger's entry that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
}

/// What one rule comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The pack.
    pub pack: String,
    /// The rule's id.
    pub rule: String,
    /// At which levels it is checked.
    pub level: Vec<Level>,
    /// The article.
    pub reference: String,
    /// The rule in one sentence.
    pub title: String,
    /// What is checked.
    pub checks: String,
    /// How it ends.
    pub state: State,
    /// Why.
    pub why: String,
    /// Stores, tables or columns that it is about.
    #[serde(rename = "where")]
    pub places: Vec<String>,
    /// What was counted and seen.
    pub evidence: Vec<String>,
    /// Numbers of the ledger's entries that show it.
    pub entries: Vec<u64>,
    /// Whom to ask, where a person is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Ask>,
    /// How to mend it.
    pub help: String,
    /// Whether no run may load while it is violated.
    pub blocks: bool,
    /// Who set it aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<WaivedBy>,
}

/// A verdict in the making.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) state: State,
    pub(super) why: String,
    pub(super) places: Vec<String>,
    pub(super) evidence: Vec<String>,
    pub(super) entries: Vec<u64>,
    pub(super) ask: Option<Ask>,
}

impl Outcome {
    fn new(state: State, why: impl Into<String>) -> Self {
        let (places, evidence, entries) = (Vec::new(), Vec::new(), Vec::new());
        Self { state, why: why.into(), places, evidence, entries, ask: None }
    }

    pub(super) fn satisfied(why: impl Into<String>) -> Self {
        Self::new(State::Satisfied, why)
    }

    pub(super) fn violated(why: impl Into<String>) -> Self {
        Self::new(State::Violated, why)
    }

    pub(super) fn not_applicable(why: impl Into<String>) -> Self {
        Self::new(State::NotApplicable, why)
    }

    pub(super) fn person(who: &str, what: impl Into<String>) -> Self {
        let what = what.into();
        let ask = Some(Ask { who: who.to_owned(), what: what.clone() });
        Self { ask, ..Self::new(State::NeedsPerson, format!("{who}: {what}")) }
    }

    pub(super) fn at(mut self, places: impl IntoIterator<Item = String>) -> Self {
        self.places.extend(places);
        self
    }

    pub(super) fn seen(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    pub(super) fn entries(mut self, entries: impl IntoIterator<Item = u64>) -> Self {
        self.entries.extend(entries);
        self
    }

    pub(super) fn verdict(self, pack: &str, rule: &Rule) -> Verdict {
        Verdict {
            pack: pack.to_owned(),
            rule: rule.id.clone(),
            level: rule.level.clone(),
            reference: rule.reference.clone(),
            title: rule.title.clone(),
            checks: rule.checks.clone(),
            state: self.state,
            why: self.why,
            places: self.places,
            evidence: self.evidence,
            entries: self.entries,
            ask: self.ask,
            help: rule.mend.clone(),
            blocks: rule.blocks,
            waiver: None,
        }
    }
}
