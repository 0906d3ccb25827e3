//! Who asks: the authenticated caller, as everything that decides sees it.

use std::net::IpAddr;

use dunlin_ledger::Actor;
use dunlin_plan::Role;

use crate::limit::Network;
use crate::{GuardError, Moment};

/// By what somebody came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// A session of the browser; its id.
    Session(String),
    /// A token of a program or of the command line; its id.
    Token(String),
}

impl Via {
    /// The session's or the token's id.
    pub fn id(&self) -> &str {
        match self {
            Via::Session(id) | Via::Token(id) => id,
        }
    }
}

/// What a session may do at all, before any policy is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Everything that the policies allow.
    Full,
    /// Nothing but showing the second factor, and signing out.
    SecondFactor,
    /// Nothing but setting up a second factor, and signing out.
    Enrol,
}

impl Stage {
    /// The word in the state.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Full => "full",
            Stage::SecondFactor => "second_factor",
            Stage::Enrol => "enrol",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Stage> {
        [Stage::Full, Stage::SecondFactor, Stage::Enrol].into_iter().find(|s| s.as_str() == text)
    }
}

/// The authenticated caller.
#[derive(Clone, PartialEq, Eq)]
pub struct Who {
    /// The person's id.
    pub person: String,
    /// The name, for pages.
    pub name: String,
    /// The e-mail, folded.
    pub email: String,
    /// The role.
    pub role: Role,
    /// The other company, or none when in-house.
    pub organisation: Option<String>,
    /// The session or the token.
    pub via: Via,
    /// What a token may do (codes of actions); `None` for a person's session, which is not narrowed.
    pub scopes: Option<Vec<String>>,
    /// How far the session is.
    pub stage: Stage,
    /// When the second factor was last shown, by [`Moment::late`]; `None` when it was not.
    pub mfa_late: Option<i64>,
    /// Age of that at the time of asking, in seconds.
    pub mfa_age_s: Option<u64>,
    /// Tables (`store.table`) that the person is limited to, when limited.
    pub tables: Option<Vec<String>>,
    /// Where the request came from. In the state only, never in the ledger.
    pub address: IpAddr,
    /// What kind of network that is.
    pub network: Network,
    /// When this was found out.
    pub at: Moment,
}

impl Who {
    /// For the ledger.
    pub fn actor(&self) -> Actor {
        Actor::Person { id: self.person.clone() }
    }

    /// Whether the person works for the plan's own company.
    pub fn in_house(&self) -> bool {
        self.organisation.is_none()
    }

    /// Whether a scope of the token covers this action; always for a session. `people.*` covers `people.read`.
    pub fn in_scope(&self, action: &str) -> bool {
        let covers = |scope: &String| {
            scope == action
                || scope
                    .strip_suffix('*')
                    .is_some_and(|start| start.ends_with('.') && action.starts_with(start))
        };
        self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(covers))
    }

    /// Refuses a session that is not through its sign-in.
    pub fn need_full(&self) -> Result<(), GuardError> {
        match self.stage {
            Stage::Full => Ok(()),
            Stage::SecondFactor => Err(GuardError::SecondFactorNeeded),
            Stage::Enrol => Err(GuardError::EnrolmentNeeded),
        }
    }

    /// Refuses when the second factor was shown longer ago than this, or never.
    pub fn need_fresh_factor(&self, within_s: u64) -> Result<(), GuardError> {
        self.need_full()?;
        let fresh = self.mfa_age_s.is_some_and(|age| age <= within_s);
        if fresh { Ok(()) } else { Err(GuardError::FreshFactorNeeded) }
    }
}

impl std::fmt::Debug for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Who").field("person", &self.person).field("role", &self.role).finish_non_exhaustive()
    }
}
