//! The engine: shows each thing to the rules that concern it, in a fixed order.
//!
//! Not here: the rules themselves (`rules`), reading and keeping (`judge`).

use dunlin_ledger::{Actor, Body};
use serde::{Deserialize, Serialize};

use super::memory::Memory;
use super::{Context, Places, Rule, Seen, Severity, Source, Thresholds, What, rules};

/// What an alert rests on.
pub type Evidence = Source;

/// A number of an alert, and what it was compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Number {
    /// What was counted, e.g. `rows within 24 hours`.
    pub name: String,
    /// How much it was.
    pub value: f64,
    /// What it was compared with.
    pub compared: f64,
}

/// Something unusual. `{who}` in its texts stands for the person's name, which the engine does not know.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: Rule,
    /// How grave it is.
    pub severity: Severity,
    /// The person, by id.
    pub person: Option<String>,
    /// What it is about: within the quiet hours there is one alert for each rule and subject.
    pub subject: String,
    /// What happened.
    pub what: String,
    /// Why it is unusual.
    pub why: String,
    /// The numbers that the why rests on.
    pub numbers: Vec<Number>,
    /// What to look at.
    pub evidence: Vec<Evidence>,
    /// What raised it.
    pub source: Source,
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
}

/// The rules with their memory.
pub struct Engine {
    thresholds: Thresholds,
    places: Option<Places>,
    /// What they remember.
    pub memory: Memory,
}

impl Engine {
    /// An engine that goes on from a memory. Without places (a GeoIP file) nobody's travel can be judged.
    pub fn new(thresholds: Thresholds, places: Option<Places>, memory: Memory) -> Engine {
        Engine { thresholds, places, memory }
    }

    /// The thresholds.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// Looks at one thing. Things come in the order of their time; a little out of order does no harm.
    pub fn see(&mut self, seen: &Seen) -> Vec<Finding> {
        let mut case = rules::Case { t: &self.thresholds, memory: &mut self.memory, seen, found: Vec::new() };
        match &seen.what {
            What::Attempt(tried) => rules::attempts::judge(&mut case, tried),
            What::Entry(entry, context) => {
                if let Body::SignedIn { person, .. } = &entry.body {
                    rules::sign_in::judge(&mut case, person, context, self.places.as_ref());
                }
                let actor = actor_key(&entry.actor);
                if let Some(actor) = &actor {
                    rules::data::judge(&mut case, actor, &entry.body, context);
                }
                rules::standing::judge(&mut case, actor.as_deref(), &entry.body);
                if let (Some(actor), true) = (&actor, entry.actor.is_authenticated()) {
                    let profile = case.memory.person(actor);
                    profile.last_seen = profile.last_seen.max(Some(seen.at));
                }
            }
        }
        let off = &self.thresholds.off;
        case.found.into_iter().filter(|f| !off.contains(&f.rule)).collect()
    }
}

/// Under which name an actor is remembered; dunlin itself is not.
pub(super) fn actor_key(actor: &Actor) -> Option<String> {
    match actor {
        Actor::Person { id } => Some(id.clone()),
        Actor::Local { user } => Some(format!("local:{user}")),
        Actor::System => None,
    }
}

impl Context {
    /// The class that was shown in clear, when known.
    pub(super) fn clear_class(&self) -> Option<&str> {
        match self {
            Context::Access { clear_class, .. } => clear_class.as_deref(),
            _ => None,
        }
    }
}
