//! What somebody searches the ledger for.

use dunlin_ledger::{Actor, Entry};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::GuardError;

/// A search. Everything that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// A person's id: who acted, or whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Who acted: a person's id, `local:<user>` or `dunlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Kinds of entries, e.g. `access_opened`; none means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// A store of the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// A table, with or without its store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// From this time on, in microseconds since 1970 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// Before this time, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
    /// A code or an id, anywhere in the entry, as a whole: `role:owner`, a run's id, a hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Every kind of entry that this version writes.
pub fn kinds() -> &'static [&'static str] {
    super::ocsf::KINDS
}

impl Filter {
    /// Refuses kinds that do not exist: a mistyped one would find nothing and look like an answer.
    pub fn check(&self) -> Result<(), GuardError> {
        let known = self.kinds.iter().all(|k| kinds().contains(&k.as_str()));
        if !known {
            return Err(GuardError::Invalid {
                what: "`kinds`",
                help: "name kinds of entries, e.g. `access_opened`",
            });
        }
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => {
                Err(GuardError::Invalid { what: "`from` and `to`", help: "`from` must be before `to`" })
            }
            _ => Ok(()),
        }
    }

    /// Whether an entry fits.
    pub fn fits(&self, entry: &Entry) -> bool {
        let in_time = self.from.is_none_or(|t| entry.at >= t) && self.to.is_none_or(|t| entry.at < t);
        if !in_time || self.actor.as_ref().is_some_and(|a| *a != actor_word(&entry.actor)) {
            return false;
        }
        let Ok(body) = serde_json::to_value(&entry.body) else { return false };
        let is = |field: &str, wanted: &str| body.get(field).and_then(Value::as_str) == Some(wanted);
        let kind = self.kinds.is_empty() || self.kinds.iter().any(|k| is("kind", k));
        let about = |id: &str| is("person", id) || is("by", id) || by_id(&entry.actor, id);
        let person = self.person.as_deref().is_none_or(about);
        let store = self.store.as_deref().is_none_or(|s| store_fits(&body, s));
        let table = self.table.as_deref().is_none_or(|t| table_fits(&body, t));
        let code = self.code.as_deref().is_none_or(|c| holds(&body, c));
        kind && person && store && table && code
    }
}

/// How an actor is written in a filter.
pub(super) fn actor_word(actor: &Actor) -> String {
    match actor {
        Actor::Person { id } => id.clone(),
        Actor::Local { user } => format!("local:{user}"),
        Actor::System => "dunlin".to_owned(),
    }
}

fn by_id(actor: &Actor, id: &str) -> bool {
    matches!(actor, Actor::Person { id: own } if own == id)
}

fn store_fits(body: &Value, store: &str) -> bool {
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    let of_table = || text("table").and_then(|t| t.split_once('.')).is_some_and(|(first, _)| first == store);
    let named = body.get("stores").and_then(Value::as_object).is_some_and(|s| s.contains_key(store));
    text("store").map_or_else(of_table, |s| s == store) || named
}

fn table_fits(body: &Value, table: &str) -> bool {
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    let Some(own) = text("table") else { return false };
    let full = text("store").map(|s| format!("{s}.{own}"));
    own == table
        || full.as_deref() == Some(table)
        || own.split_once('.').is_some_and(|(_, rest)| rest == table)
}

/// Whether any text in the entry is exactly this.
fn holds(value: &Value, code: &str) -> bool {
    match value {
        Value::String(text) => text == code,
        Value::Array(items) => items.iter().any(|item| holds(item, code)),
        Value::Object(fields) => fields.iter().any(|(name, item)| name == code || holds(item, code)),
        _ => false,
    }
}
