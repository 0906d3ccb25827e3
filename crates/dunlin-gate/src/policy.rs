//! The answer, column by column, and the policy that stands where there is no guard.
//!
//! Not here: writing down what was decided, which [`open`](crate::open()) does.

use std::borrow::Cow;

use dunlin_ledger::Actor;

use crate::{Act, Ask, ColumnInfo};

/// A question with what it is about. The store, the table and the columns are those of the sealed rows.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Who asks for what, and why.
    pub ask: &'a Ask,
    /// The store's name in the plan.
    pub store: &'a str,
    /// The table's label.
    pub table: &'a str,
    /// The columns.
    pub columns: &'a [ColumnInfo],
}

/// How the values of a column are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shown {
    /// Not at all.
    Hidden,
    /// Masked by their kind.
    Masked,
    /// As they are.
    Clear,
}

impl Shown {
    /// Its code.
    pub fn as_str(self) -> &'static str {
        match self {
            Shown::Hidden => "hidden",
            Shown::Masked => "masked",
            Shown::Clear => "clear",
        }
    }
}

/// What is decided about one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDecision {
    /// How its values are shown.
    pub shown: Shown,
    /// Why, as a code.
    pub reason_code: Cow<'static, str>,
    /// Why, in a sentence without values.
    pub sentence: Cow<'static, str>,
}

/// Something without which a question is not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Obligation {
    /// A purpose, as a category and in words.
    Purpose,
    /// An open grant for a task on this table.
    Task,
    /// A second factor within the last minutes.
    FreshMfa,
    /// Two people of two groups who stand for the grant.
    SecondPerson,
}

impl Obligation {
    /// Its code in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Obligation::Purpose => "purpose_needed",
            Obligation::Task => "grant_needed",
            Obligation::FreshMfa => "fresh_mfa_needed",
            Obligation::SecondPerson => "second_person_needed",
        }
    }

    /// What to do about it.
    pub fn help(self) -> &'static str {
        match self {
            Obligation::Purpose => "say why: a category and a few words",
            Obligation::Task => "ask the lead for a grant on this table for your task",
            Obligation::FreshMfa => "confirm your second factor again, then repeat this",
            Obligation::SecondPerson => "two people of two groups must stand for the grant",
        }
    }
}

/// What may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// One a column of the question, in its order. A column beyond the end stays hidden.
    pub columns: Vec<ColumnDecision>,
    /// At most this many rows, whatever was asked for.
    pub limit: Option<u64>,
}

/// Why nothing may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Why, as a code for the ledger.
    pub reason_code: Cow<'static, str>,
    /// Why, in a sentence without values.
    pub reason: Cow<'static, str>,
    /// What to do about it.
    pub help: Cow<'static, str>,
    /// What would be needed, when something would help.
    pub obligations: Vec<Obligation>,
}

/// A policy's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Yes, in this form.
    Allow(Permit),
    /// No.
    Deny(Denial),
}

impl Decision {
    /// Yes, with every column alike.
    pub fn all(shown: Shown, columns: usize, reason_code: &'static str, sentence: &'static str) -> Decision {
        let one = ColumnDecision {
            shown,
            reason_code: Cow::Borrowed(reason_code),
            sentence: Cow::Borrowed(sentence),
        };
        Decision::Allow(Permit { columns: vec![one; columns], limit: None })
    }
}

/// Decides who may see what.
#[async_trait::async_trait]
pub trait Policy: Send + Sync {
    /// The answer to this question.
    async fn decide(&self, question: &Question<'_>) -> Decision;
}

/// The policy without a guard: everybody sees masks; clear values go to whoever works at this machine and says why.
#[derive(Debug, Clone, Copy, Default)]
pub struct MaskedOnly;

#[async_trait::async_trait]
impl Policy for MaskedOnly {
    async fn decide(&self, question: &Question<'_>) -> Decision {
        let ask = question.ask;
        let deny = |code, reason, help, obligations: &[Obligation]| {
            Decision::Deny(Denial {
                reason_code: Cow::Borrowed(code),
                reason: Cow::Borrowed(reason),
                help: Cow::Borrowed(help),
                obligations: obligations.to_vec(),
            })
        };
        if matches!(ask.act(), Act::ReadMasked) {
            return Decision::all(
                Shown::Masked,
                question.columns.len(),
                "masked_only",
                "Without a guard everybody sees masks.",
            );
        }
        if !matches!(ask.actor, Actor::Local { .. }) {
            return deny(
                "shell_only",
                "clear values are shown only at a shell of this machine",
                "run the command there, or ask for masked values",
                &[],
            );
        }
        if !ask.has_purpose() {
            return deny(
                Obligation::Purpose.as_str(),
                "clear values need a purpose",
                "say why: `--purpose CATEGORY:TEXT`, for example `--purpose \"support_case:ticket 4711\"`",
                &[Obligation::Purpose],
            );
        }
        let shown = if ask.clear { Shown::Clear } else { Shown::Masked };
        Decision::all(
            shown,
            question.columns.len(),
            "at_the_shell",
            "Who works at this machine has said why.",
        )
    }
}
