//! The rules by name, how grave each is, and what to do when it fires.

use serde::{Deserialize, Serialize};

/// How grave an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth a look when there is time.
    Low,
    /// Worth a look today.
    Medium,
    /// Worth a look now.
    High,
    /// Act first, look then.
    Critical,
}

impl Severity {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// The severity of this word.
    pub fn parse(text: &str) -> Option<Severity> {
        [Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

// A macro, because name, code and advice of a rule must come from one place.
macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $title:literal, $todo:literal;)+) => {
        /// What can be found unusual.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {
            $($(#[$doc])* $variant,)+
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant,)+];

            /// Its stable code.
            pub fn code(self) -> &'static str {
                match self { $(Rule::$variant => $code,)+ }
            }

            /// Its title, for lists and subjects of mail.
            pub fn title(self) -> &'static str {
                match self { $(Rule::$variant => $title,)+ }
            }

            /// What to do.
            pub fn todo(self) -> &'static str {
                match self { $(Rule::$variant => $todo,)+ }
            }
        }
    };
}

rules! {
    /// A person signed in with a device that was not seen before.
    NewDevice = "new_device", "Sign-in with a new device",
        "Ask the person, by another way than e-mail, whether it was them. If not: block, then reset their password and second factor.";
    /// Two sign-ins too far apart for the time between.
    ImpossibleTravel = "impossible_travel", "Sign-ins from two places too far apart",
        "Ask the person whether they use a VPN. If they do not: block, and end all their sessions.";
    /// A sign-in at an hour at which this person never signs in.
    UnusualHour = "unusual_hour", "Sign-in at an unusual hour",
        "Ask the person whether they worked then. If not: block.";
    /// Many refused second factors.
    MfaFatigue = "mfa_fatigue", "Many refused second factors",
        "Somebody knows the password. End the sessions, have the password changed, and tell the person never to confirm what they did not ask for.";
    /// An account that slept for long came to life.
    DormantAccount = "dormant_account", "A dormant account is used again",
        "Ask whether the person came back. If nobody knows: block.";
    /// More rows than the person and their peers ever look at.
    Volume = "volume", "Far more rows than usual",
        "Ask for which task. If there is none: block; the access entries say which tables and columns.";
    /// Many small looks at different rows of one table.
    Sweep = "sweep", "Row after row of one table",
        "This is how a table is copied below a row limit. Ask for which task; if there is none: block.";
    /// A person sees a class of data for the first time.
    FirstTouch = "first_touch", "First look at a class of data",
        "Check that the person's task needs it. If not: close the grant.";
    /// Clear data, or a run, outside the window of the plan.
    OutsideWindow = "outside_window", "Outside the plan's window",
        "Ask who agreed to it, and put the answer into the alert.";
    /// Clear data without an open task.
    OutsideTask = "outside_task", "Customer data in clear without a task",
        "Ask for which task. Clear data needs one: look at the policies that let it pass.";
    /// Many refusals in a short time.
    Denials = "denials", "A burst of refusals",
        "Either a role is missing for real work, or somebody tries doors. Ask; block if there is no reason.";
    /// Connections to a store that do not pass by dunlin.
    Bypassing = "bypassing", "Connections that bypass the gate",
        "Find out who holds that database login. What passes there is in no ledger: change its password, or allow dunlin's address alone.";
    /// An account was locked by wrong guesses.
    LockReached = "lock_reached", "An account was locked",
        "If the person forgot the password, send them a link. If not, nothing was opened: watch the network.";
    /// One network tries many accounts, or many networks many accounts.
    CredentialStuffing = "credential_stuffing", "Leaked passwords are being tried",
        "Nothing to do if no sign-in followed; look for accepted ones from there. Require a second factor of everybody.";
    /// Somebody became an owner.
    OwnerAdded = "owner_added", "A new owner",
        "Check with another owner that this was agreed. If not: block both, the new owner and who made them one.";
    /// The policies are others.
    PolicyChanged = "policy_changed", "The policies changed",
        "Read what changed. If nobody agreed to it: put the former files back.";
    /// The ledger is signed with another key.
    LedgerKeyChanged = "ledger_key_changed", "The ledger has another key",
        "Compare the key with the one pinned in the plan. If nobody changed it on purpose, treat the ledger since then as forged and keep a copy of all of it.";
}

impl Rule {
    /// The rule of this code.
    pub fn parse(code: &str) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|r| r.code() == code)
    }
}
