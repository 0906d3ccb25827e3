//! The question: who asks for what, why, and in which circumstances.
//!
//! Not here: which store, table and columns it is about. Those come from the sealed rows themselves, so that nobody
//! can ask for one table and open another.

use dunlin_ledger::Actor;

/// What somebody wants to do with rows. To run a plan or to approve one shows no value; those are not asked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Look at masked values.
    ReadMasked,
    /// Look at clear values.
    Read,
    /// Change values, and look at them to do so.
    Update,
    /// Take values away in a file.
    Export,
}

impl Act {
    /// Its code in policies and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Act::ReadMasked => "read_masked",
            Act::Read => "read",
            Act::Update => "update",
            Act::Export => "export",
        }
    }
}

/// In which circumstances somebody asks. Filled by whoever has authenticated the person, never by the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstances {
    /// The task it is for.
    pub task: Option<String>,
    /// Whether the plan's window is open; `None` when the plan has none.
    pub in_window: Option<bool>,
    /// Where the request comes from, as a code: `local`, `internal`, `external` or `unknown`.
    pub network: String,
    /// Seconds since the last second factor; `None` when there was none.
    pub mfa_age_s: Option<u64>,
    /// The id of the session or token that asks.
    pub session: Option<String>,
}

impl Default for Circumstances {
    /// Nothing is known, so nothing that depends on it is given.
    fn default() -> Circumstances {
        Circumstances {
            task: None,
            in_window: None,
            network: "unknown".to_owned(),
            mfa_age_s: None,
            session: None,
        }
    }
}

/// Somebody asks to see rows.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Who asks.
    pub actor: Actor,
    /// What for.
    pub action: Act,
    /// Whether clear values are asked for; otherwise masks will do. [`Act::Read`] and [`Act::ReadMasked`] are told
    /// apart by this alone.
    pub clear: bool,
    /// Why, as a code of `[a-z0-9_.:-]`, e.g. `support_case`. Needed for clear values.
    pub purpose_category: Option<String>,
    /// Why, in the person's words. Kept in the state; the ledger gets a salted hash. Needed for clear values.
    pub purpose_text: Option<String>,
    /// At most this many rows.
    pub limit: Option<u64>,
    /// Names of the rows in their order, where they have some: keyed hashes or places, never values.
    pub row_names: Vec<String>,
    /// In which circumstances.
    pub circumstances: Circumstances,
    /// Where it will be shown, as a code: `rows`, `quarantine`, `sample`, `differences`, `duplicates`, `export`.
    pub surface: String,
}

impl Ask {
    /// The usual question: masked values.
    pub fn masked(actor: Actor) -> Ask {
        Ask {
            actor,
            action: Act::ReadMasked,
            clear: false,
            purpose_category: None,
            purpose_text: None,
            limit: None,
            row_names: Vec::new(),
            circumstances: Circumstances::default(),
            surface: "rows".to_owned(),
        }
    }

    /// Clear values for a purpose.
    pub fn clear(actor: Actor, category: &str, text: &str) -> Ask {
        Ask {
            action: Act::Read,
            clear: true,
            purpose_category: Some(category.to_owned()),
            purpose_text: Some(text.to_owned()),
            ..Ask::masked(actor)
        }
    }

    /// What is asked: reading is `read` or `read_masked` by [`Ask::clear`](struct.Ask.html#structfield.clear).
    pub fn act(&self) -> Act {
        match self.action {
            Act::Read | Act::ReadMasked if self.clear => Act::Read,
            Act::Read | Act::ReadMasked => Act::ReadMasked,
            other => other,
        }
    }

    /// Whether a purpose is given, as a category and in words.
    pub fn has_purpose(&self) -> bool {
        let said = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.trim().is_empty());
        said(&self.purpose_category) && said(&self.purpose_text)
    }
}
