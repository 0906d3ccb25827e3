//! Who may see what: the question, the answer, and the policy that stands until the guard brings its own.
//!
//! Not here: writing down what was decided, which [`open`](crate::open()) does.

use dunlin_ledger::Actor;

/// Somebody asks to see rows.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Who asks.
    pub actor: Actor,
    /// Whether clear values are asked for; otherwise masks will do.
    pub clear: bool,
    /// Why, as a code of `[a-z0-9_.:-]`, e.g. `support_case`. Needed for clear values.
    pub purpose_category: Option<String>,
    /// Why, in the person's words. Kept in the state; the ledger gets a salted hash. Needed for clear values.
    pub purpose_text: Option<String>,
    /// At most this many rows.
    pub limit: Option<u64>,
    /// Names of the rows in their order, where they have some: keyed hashes or places, never values.
    pub row_names: Vec<String>,
}

impl Ask {
    /// The usual question: masked values.
    pub fn masked(actor: Actor) -> Ask {
        Ask {
            actor,
            clear: false,
            purpose_category: None,
            purpose_text: None,
            limit: None,
            row_names: Vec::new(),
        }
    }

    /// Clear values for a purpose.
    pub fn clear(actor: Actor, category: &str, text: &str) -> Ask {
        Ask {
            actor,
            clear: true,
            purpose_category: Some(category.to_owned()),
            purpose_text: Some(text.to_owned()),
            limit: None,
            row_names: Vec::new(),
        }
    }
}

/// How values are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Masked by their kind.
    Masked,
    /// As they are.
    Clear,
}

/// A policy's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Yes, in this form.
    Allow(Shown),
    /// No; the reason is a sentence without values, the help says what to do.
    Deny {
        /// Why not.
        reason: &'static str,
        /// What to do about it.
        help: &'static str,
    },
}

/// Decides who may see what.
#[async_trait::async_trait]
pub trait Policy: Send + Sync {
    /// The answer to this question.
    async fn decide(&self, ask: &Ask) -> Decision;
}

/// The policy of the first day: everybody sees masks; clear values go to whoever works at this machine and
/// says why.
#[derive(Debug, Clone, Copy, Default)]
pub struct MaskedOnly;

#[async_trait::async_trait]
impl Policy for MaskedOnly {
    async fn decide(&self, ask: &Ask) -> Decision {
        if !ask.clear {
            return Decision::Allow(Shown::Masked);
        }
        if !matches!(ask.actor, Actor::Local { .. }) {
            return Decision::Deny {
                reason: "clear values are shown only at a shell of this machine",
                help: "run the command there, or ask for masked values",
            };
        }
        let said = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.trim().is_empty());
        if said(&ask.purpose_category) && said(&ask.purpose_text) {
            Decision::Allow(Shown::Clear)
        } else {
            Decision::Deny {
                reason: "clear values need a purpose",
                help: "say why: `--purpose CATEGORY:TEXT`, for example `--purpose \"support_case:ticket 4711\"`",
            }
        }
    }
}
